//! Power over time, from the files that a load names.

use std::path::PathBuf;

use ballast_scenario::{Interpolation, Loaded, PowerUnit, Problem, TraceLoad};
use ballast_study::{RawTrace, TraceInput, placed};
use ballast_tables::{TraceOptions, read_traces};

use crate::place::{table_problem, time_unit};

/// Keys of a trace that name a column or a unit.
const TRACE_COLUMNS: [&str; 6] = [
    "unit",
    "clock_offset_s",
    "devices",
    "interval_s",
    "time_column",
    "column",
];
/// A load's trace, the moment that is its t = 0, seconds since 1970, where the file has dates, and what a person should see of it.
pub(crate) fn trace(
    loaded: &Loaded,
    index: usize,
    spec: &TraceLoad,
) -> Result<(TraceInput, Option<f64>, Vec<Problem>), Vec<Problem>> {
    let options = TraceOptions {
        column: spec.column.clone(),
        time_column: spec.time_column.clone(),
        unit: spec.unit.map(|u| match u {
            PowerUnit::Watts => ballast_tables::Unit::W,
            PowerUnit::Kilowatts => ballast_tables::Unit::Kw,
            PowerUnit::Megawatts => ballast_tables::Unit::Mw,
            PowerUnit::PerUnit => ballast_tables::Unit::PerUnit,
        }),
        time_unit: spec.time_unit.map(time_unit),
        max_gap_s: spec.max_gap_s,
        devices: spec.devices.clone(),
        interval_s: spec.interval_s,
    };
    let files = spec.paths();
    let files: Vec<PathBuf> = files.iter().map(|f| loaded.base_dir.join(f)).collect();
    let table = read_traces(&files, &spec.clock_offset_s, &options).map_err(|found| {
        let problems = found.0.into_iter();
        problems
            .map(|p| {
                let stated = [
                    ("time_column", spec.time_column.as_ref()),
                    ("column", spec.column.as_ref()),
                ];
                table_problem(
                    loaded,
                    &format!("loads.{index}"),
                    if spec.files.is_empty() {
                        "file"
                    } else {
                        "files"
                    },
                    &TRACE_COLUMNS,
                    &stated,
                    p,
                )
            })
            .collect::<Vec<_>>()
    })?;
    let per_unit = table.unit == ballast_tables::Unit::PerUnit;
    if per_unit && spec.base_kw.is_none() {
        let help = "set base_kw to the kilowatts that 1 in the file stands for".to_owned();
        let message = format!(
            "column `{}` is in per unit and base_kw is not set",
            table.column
        );
        return Err(vec![loaded.problem_at(
            &format!("loads.{index}.base_kw"),
            message,
            help,
        )]);
    }
    let mut found = table.found;
    if spec.interpolation == Interpolation::Linear {
        found.push(format!("median interval {:.4} s", table.interval_s));
    }
    let raw = RawTrace {
        time_s: table.time_s,
        value: table.value,
        per_unit,
        sha256: table.sha256,
        found,
    };
    let notices = table.notices;
    let input = TraceInput::new(index, spec, raw).map_err(|mut p| {
        // A trace that a device cut short may be too short for the run because of it.
        if !notices.is_empty() {
            p.message = format!("{}; {}", p.message, notices.join("; "));
        }
        placed(loaded, vec![p])
    })?;
    let zero_unix_s = table.start_unix_s.map(|s| s + spec.start_s);
    let at = format!("loads.{index}.devices");
    let help = "choose devices that are there all the time with `devices`, or cut the file";
    let seen = notices
        .into_iter()
        .map(|notice| loaded.problem_at(&at, notice, help.to_owned()))
        .collect();
    Ok((input, zero_unix_s, seen))
}

/// Says where the clocks of several loads put t = 0 at different moments.
pub(crate) fn compare_clocks(traces: &mut [TraceInput], zeros_unix_s: &[Option<f64>]) {
    let Some(first) = zeros_unix_s.iter().position(Option::is_some) else {
        return;
    };
    let name = traces[first].name.clone();
    for (trace, zero) in traces.iter_mut().zip(zeros_unix_s).skip(first + 1) {
        let (Some(zero), Some(before)) = (zero, zeros_unix_s[first]) else {
            continue;
        };
        let late_s = zero - before;
        if late_s.abs() > trace.series.interval_s() {
            trace.found.push(format!(
                "by the clocks of the files, t = 0 is {:.3} s {} than in the load `{name}`: set start_s of one of them if they are to run together",
                late_s.abs(),
                if late_s > 0.0 { "later" } else { "earlier" }
            ));
        }
    }
}
