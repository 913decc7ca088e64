//! A power trace, or a table of numbers, from CSV.

use csv::StringRecord;

use crate::cell::{decide_time_unit, moment, number};
use crate::csv_devices::{self, Layout, power};
use crate::csv_table::{Table, split_number};
use crate::devices::chosen;
use crate::find;
use crate::load::{LoadedTrace, Read, TraceOptions};
use crate::problem::Problems;
use crate::samples::{ColumnNames, Samples};
use crate::unit::{TimeUnit, Unit, power_unit};

/// Reads a trace; `None` when there are problems.
pub(crate) fn read(bytes: &[u8], options: &TraceOptions, problems: &mut Problems) -> Read {
    let mut table = Table::open(bytes, problems)?;
    let mut found = std::mem::take(&mut table.found);
    let names = table.names.clone();
    let time = find::time_column(&names, options.time_column.as_deref(), &mut found, problems);
    let values = find::value_columns(
        &names,
        options.column.as_deref(),
        time,
        &mut found,
        problems,
    );
    let value = values.first().copied();

    let mut broken = false;
    let first = table
        .next_row(&mut broken, problems)
        .map(|(line, record)| (line, record.clone()));
    let cell = |column: Option<usize>| Some(first.as_ref()?.1.get(column?)?.to_owned());
    // Of several columns the first may be empty in the first row.
    let suffix = values
        .iter()
        .filter_map(|i| cell(Some(*i)))
        .find_map(|text| split_number(&text).map(|(_, unit)| unit.to_owned()));
    let unit = value.map(|i| {
        let cell_unit = suffix.as_deref().filter(|s| !s.is_empty());
        (
            i,
            find::decide_unit(&names[i], options.unit, cell_unit, &mut found, problems),
        )
    });
    // A unit that neither scenario nor header states can only have come from a cell.
    let own_units =
        options.unit.is_none() && value.is_some_and(|i| power_unit(&names[i]).is_none());
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
    if let Some(unit) = unit {
        let mut taken = values.clone();
        taken.push(time);
        let layout = Layout {
            time,
            time_unit,
            devices: csv_devices::device_columns(&names, &taken),
            values,
            unit,
            own_units,
        };
        let devices = if layout.devices.is_empty() {
            Vec::new()
        } else {
            csv_devices::devices(bytes, &layout.devices)
        };
        if layout.values.len() > 1 || devices.len() > 1 {
            return csv_devices::read(bytes, &layout, devices, found, options, problems);
        }
        if options.devices.is_some() {
            if layout.devices.is_empty() {
                problems.file(
                    "`devices` is set, and no column names devices",
                    "take it out, or choose columns with `column`",
                );
            } else {
                chosen(&devices, options.devices.as_deref(), problems);
            }
        }
    }
    let columns = ColumnNames {
        place: "line",
        time: names[time].clone(),
        value: names[value].clone(),
    };
    let cells = Cells {
        time,
        time_unit,
        value,
        unit: (unit, own_units),
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
    Some(LoadedTrace::of(
        checked,
        (&names[value], &names[time]),
        unit?,
        time_unit,
        found,
    ))
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
    /// Unit of the column, and whether each cell says its own.
    unit: (Option<Unit>, bool),
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
        let value = power(line, &names[self.value], text, self.unit, problems);
        samples.push(line, time, time_text, value, problems);
    }
}
