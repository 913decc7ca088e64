//! A power trace from a CSV file with several devices: rows that alternate between GPUs, as `nvidia-smi -l` writes them and
//! Grafana's long tables have them, or one column per device, as Grafana's "Series joined by time" has them.
//!
//! nvidia-smi: `nvidia-smi --query-gpu=timestamp,index,power.draw --format=csv -lms 100` writes
//! `timestamp, index, power.draw [W]`, stamps like `2026/11/21 07:00:00.123`, powers like `72.31 W` (`nounits`: `72.31`), and
//! `[N/A]`, `[Not Supported]` or `[Unknown Error]` where it has none. Source: NVIDIA, nvidia-smi(1).
//!
//! Grafana: Inspect → Data → Download CSV; "for Excel" adds a first line `sep=,`; times in milliseconds since 1970 or as
//! `2026-11-21 07:00:00`, with formatted data each value has its own unit (`850 W`, `1.2 kW`). Source: Grafana's `toCSV`
//! (grafana/data, `csv.ts`) and its documentation of the panel inspector.

use csv::StringRecord;

use crate::cell::{moment, number};
use crate::csv_table::Table;
use crate::devices::{Device, Row, Sums, chosen, is_absent, sum};
use crate::find::is_device;
use crate::load::{LoadedTrace, Read, TraceOptions};
use crate::problem::Problems;
use crate::samples::{ColumnNames, Samples};
use crate::unit::{TimeUnit, Unit};

/// Where the values of a table stand.
pub(crate) struct Layout {
    pub(crate) time: usize,
    pub(crate) time_unit: TimeUnit,
    /// Columns with power, more than one where they are to be summed.
    pub(crate) values: Vec<usize>,
    pub(crate) unit: Unit,
    /// Whether each cell says its own unit.
    pub(crate) own_units: bool,
    /// Columns that name the device of a row.
    pub(crate) devices: Vec<usize>,
}

/// Columns that name the device of a row.
pub(crate) fn device_columns(names: &[String], taken: &[usize]) -> Vec<usize> {
    (0..names.len())
        .filter(|i| !taken.contains(i) && is_device(&names[*i]))
        .collect()
}

/// The devices in those columns, in the order they come; none where the rows do not alternate between a few.
pub(crate) fn devices(bytes: &[u8], columns: &[usize]) -> Vec<Device> {
    let mut ignored = Problems::new(std::path::Path::new(""));
    let Some(mut table) = Table::open(bytes, &mut ignored) else {
        return Vec::new();
    };
    let mut all: Vec<Device> = Vec::new();
    let mut broken = false;
    let mut rows = 0_usize;
    while let Some((_, record)) = table.next_row(&mut broken, &mut ignored) {
        rows += 1;
        let device = device_of(record, columns);
        if !all.contains(&device) {
            all.push(device);
        }
        // A column that takes so many values is a measurement and no name.
        if all.len() > MOST_DEVICES {
            return Vec::new();
        }
    }
    if rows < 2 * all.len() {
        all.clear();
    }
    all
}

/// So many devices in one file, at most.
const MOST_DEVICES: usize = 4096;

fn device_of(record: &StringRecord, columns: &[usize]) -> Device {
    columns
        .iter()
        .map(|c| record.get(*c).unwrap_or("").to_owned())
        .collect()
}

/// Reads a power cell into the layout's unit; `None` with a problem.
pub(crate) fn power(
    line: u64,
    name: &str,
    text: &str,
    (unit, own): (Option<Unit>, bool),
    problems: &mut Problems,
) -> Option<f64> {
    let wanted = |suffix: &str| {
        let stated = Unit::parse(suffix);
        match unit {
            None => true,
            Some(unit) if own => {
                stated.is_some_and(|s| (s == Unit::PerUnit) == (unit == Unit::PerUnit))
            }
            Some(_) => suffix.is_empty() || stated == unit,
        }
    };
    let symbol = unit.map_or("no unit", Unit::symbol);
    let (value, suffix) = number(line, name, text, wanted, symbol, problems)?;
    Some(match (unit, Unit::parse(suffix)) {
        (Some(unit), Some(cell)) if own => value * (cell.factor() / unit.factor()),
        _ => value,
    })
}

/// Reads a trace of several devices; `None` when there are problems.
pub(crate) fn read(
    bytes: &[u8],
    layout: &Layout,
    devices: Vec<Device>,
    mut found: Vec<String>,
    options: &TraceOptions,
    problems: &mut Problems,
) -> Read {
    let mut table = Table::open(bytes, problems)?;
    let names = table.names.clone();
    let wide = layout.values.len() > 1;
    let devices: Vec<Device> = if wide {
        let columns = layout.values.iter();
        columns.map(|c| vec![names[*c].clone()]).collect()
    } else {
        devices
    };
    let pick = chosen(&devices, options.devices.as_deref(), problems);
    let mut rows = Vec::new();
    let mut broken = false;
    while let Some((line, record)) = table.next_row(&mut broken, problems) {
        let text = record.get(layout.time).unwrap_or("");
        let time = moment(line, &names[layout.time], text, layout.time_unit, problems);
        let first = if wide {
            0
        } else {
            let device = device_of(record, &layout.devices);
            devices.iter().position(|d| *d == device).unwrap_or(0)
        };
        for (device, column) in (first..).zip(&layout.values) {
            if !pick.get(device).copied().unwrap_or(false) {
                continue;
            }
            let text = record.get(*column).unwrap_or("");
            let value = if is_absent(text) {
                None
            } else {
                let unit = (Some(layout.unit), layout.own_units);
                power(line, &names[*column], text, unit, problems)
            };
            rows.extend(time.map(|time| Row {
                line,
                time,
                device,
                value,
            }));
        }
    }
    if !problems.is_empty() {
        return None;
    }
    let value_name = &names[*layout.values.first()?];
    let power = (value_name.as_str(), layout.unit);
    let Sums { polls, notices } = sum(
        rows,
        &devices,
        power,
        layout.time_unit,
        &mut found,
        problems,
    )?;
    let columns = ColumnNames {
        place: "line",
        time: names[layout.time].clone(),
        value: value_name.clone(),
    };
    let mut samples = Samples::new(columns, layout.unit, layout.time_unit);
    let n = polls.len();
    for poll in polls {
        let text = poll.time.text();
        samples.push(poll.line, Some(poll.time), &text, Some(poll.sum), problems);
    }
    let checked = samples.finish(options.max_gap_s, n, problems)?;
    Some(LoadedTrace {
        notices,
        ..LoadedTrace::of(
            checked,
            (value_name, &names[layout.time]),
            layout.unit,
            layout.time_unit,
            found,
        )
    })
}
