//! A power trace, or a table of numbers, from CSV.

use csv::StringRecord;

use crate::cell::{decide_time_unit, moment, number};
use crate::csv_table::{Table, split_number};
use crate::find;
use crate::load::{LoadedTrace, Read, TraceOptions};
use crate::problem::Problems;
use crate::samples::{ColumnNames, Samples};
use crate::unit::{TimeUnit, Unit};

/// Reads a trace; `None` when there are problems.
pub(crate) fn read(bytes: &[u8], options: &TraceOptions, problems: &mut Problems) -> Read {
    let mut table = Table::open(bytes, problems)?;
    let mut found = std::mem::take(&mut table.found);
    let names = table.names.clone();
    let time = find::time_column(&names, options.time_column.as_deref(), &mut found, problems);
    let value = find::value_column(
        &names,
        options.column.as_deref(),
        time,
        &mut found,
        problems,
    );

    let mut broken = false;
    let first = table
        .next_row(&mut broken, problems)
        .map(|(line, record)| (line, record.clone()));
    let cell = |column: Option<usize>| Some(first.as_ref()?.1.get(column?)?.to_owned());
    let suffix = cell(value).and_then(|text| split_number(&text).map(|(_, unit)| unit.to_owned()));
    let unit = value.map(|i| {
        let cell_unit = suffix.as_deref().filter(|s| !s.is_empty());
        (
            i,
            find::decide_unit(&names[i], options.unit, cell_unit, &mut found, problems),
        )
    });
    let time = time.and_then(|i| {
        let unit = decide_time_unit(
            &names[i],
            options.time_unit,
            cell(Some(i)).as_deref(),
            &mut found,
            problems,
        )?;
        Some((i, unit))
    });

    let (Some((value, unit)), Some((time, time_unit))) = (unit, time) else {
        while table.next_row(&mut broken, problems).is_some() {}
        return None;
    };
    let columns = ColumnNames {
        place: "line",
        time: names[time].clone(),
        value: names[value].clone(),
    };
    let cells = Cells {
        time,
        time_unit,
        value,
        unit,
    };
    // Without the unit the other checks go on; as a deviation may be negative, none is missed or made up.
    let mut samples = Samples::new(columns, unit.unwrap_or(Unit::PerUnit), time_unit);
    let mut rows = 0;
    if let Some((line, record)) = first {
        cells.take(line, &record, &names, &mut samples, problems);
        rows += 1;
    }
    while let Some((line, record)) = table.next_row(&mut broken, problems) {
        cells.take(line, record, &names, &mut samples, problems);
        rows += 1;
    }
    if broken {
        samples.broken_row();
        rows = rows.max(2);
    }
    let checked = samples.finish(options.max_gap_s, rows, problems)?;
    Some(LoadedTrace {
        rows: checked.value.len(),
        time_s: checked.time_s,
        value: checked.value,
        column: names[value].clone(),
        time_column: names[time].clone(),
        unit: unit?,
        time_unit,
        found,
        interval_s: checked.interval_s,
        longest_gap_s: checked.longest_gap_s,
        sha256: String::new(),
    })
}

/// Reads all columns as numbers; `None` when there are problems.
pub(crate) fn read_all(bytes: &[u8], problems: &mut Problems) -> Option<Vec<(String, Vec<f64>)>> {
    let mut table = Table::open(bytes, problems)?;
    let names = table.names.clone();
    let mut columns: Vec<Vec<f64>> = vec![Vec::new(); names.len()];
    let mut broken = false;
    while let Some((line, record)) = table.next_row(&mut broken, problems) {
        for ((column, name), cell) in columns.iter_mut().zip(&names).zip(record) {
            if let Some((value, _)) = number(line, name, cell, str::is_empty, "no unit", problems) {
                column.push(value);
            }
        }
    }
    problems
        .is_empty()
        .then(|| names.into_iter().zip(columns).collect())
}

/// The two cells of a row that matter.
struct Cells {
    time: usize,
    time_unit: TimeUnit,
    value: usize,
    unit: Option<Unit>,
}

impl Cells {
    fn take(
        &self,
        line: u64,
        record: &StringRecord,
        names: &[String],
        samples: &mut Samples,
        problems: &mut Problems,
    ) {
        let time_text = record.get(self.time).unwrap_or("");
        let time = moment(line, &names[self.time], time_text, self.time_unit, problems);
        let text = record.get(self.value).unwrap_or("");
        let wanted = |suffix: &str| {
            suffix.is_empty() || self.unit.is_none() || Unit::parse(suffix) == self.unit
        };
        let symbol = self.unit.map_or("no unit", Unit::symbol);
        let value = number(line, &names[self.value], text, wanted, symbol, problems);
        samples.push(line, time, time_text, value.map(|(v, _)| v), problems);
    }
}
