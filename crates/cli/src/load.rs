//! From arguments to a scenario that can run: file, changes, traces.

use std::path::{Path, PathBuf};

use ballast_scenario::{
    ArrivalSpec, Interpolation, JobSpec, LoadSpec, Loaded, Patch, PowerUnit, Problem, TimeUnit,
    TraceLoad,
};
use ballast_study::{ArrivalInput, Inputs, RawArrivals, RawTrace, StudyProblem, TraceInput};
use ballast_tables::{ArrivalOptions, TableProblem, TraceOptions, read_arrivals, read_traces};

use crate::args::ScenarioArgs;

/// A scenario with its traces.
pub(crate) struct Ready {
    pub(crate) loaded: Loaded,
    pub(crate) inputs: Inputs,
}

/// Loads the scenario with its changes and reads its traces.
///
/// # Errors
/// All problems of the scenario; if it has none, all problems of its traces.
pub(crate) fn load(args: &ScenarioArgs) -> Result<Ready, Vec<Problem>> {
    load_with(args, &[])
}

/// The same with changes after those of the variant.
///
/// # Errors
/// As [`load`].
pub(crate) fn load_with(args: &ScenarioArgs, last: &[Patch]) -> Result<Ready, Vec<Problem>> {
    let variant = args.variant.as_deref();
    let loaded = ballast_scenario::load_variant(&args.scenario, &args.changes(), variant, last);
    ready(loaded.map_err(|p| p.0)?)
}

/// Loads the scenario as it stands and every variant of it.
///
/// # Errors
/// All problems of all of them; if they have none, all problems of their traces.
pub(crate) fn load_all(path: &Path, patches: &[Patch]) -> Result<Vec<Ready>, Vec<Problem>> {
    let all = ballast_scenario::load_all(path, patches).map_err(|p| p.0)?;
    let (mut good, mut problems) = (Vec::new(), Vec::new());
    for loaded in all {
        let variant = loaded.variant.clone();
        match ready(loaded) {
            Ok(ready) => good.push(ready),
            Err(found) => problems.extend(of_variant(variant.as_deref(), found, &problems)),
        }
    }
    for ready in &good {
        let found = placed(
            &ready.loaded,
            ballast_study::check(&ready.loaded, &ready.inputs),
        );
        let new = of_variant(ready.loaded.variant.as_deref(), found, &problems);
        problems.extend(new);
    }
    if problems.is_empty() {
        Ok(good)
    } else {
        Err(problems)
    }
}

/// Problems with the name of the variant that has them; none that the scenario itself has.
fn of_variant(variant: Option<&str>, found: Vec<Problem>, known: &[Problem]) -> Vec<Problem> {
    let Some(name) = variant else { return found };
    let new = found.into_iter().filter(|p| !known.contains(p));
    new.map(|p| Problem {
        message: format!("variant `{name}`: {}", p.message),
        ..p
    })
    .collect()
}

/// Reads the traces and requests of a scenario.
fn ready(mut loaded: Loaded) -> Result<Ready, Vec<Problem>> {
    let mut inputs = Inputs::default();
    let mut zeros_unix_s = Vec::new();
    let mut problems = Vec::new();
    let mut notices = Vec::new();
    for (index, load) in loaded.scenario.loads.iter().enumerate() {
        let LoadSpec::Trace(spec) = load else {
            continue;
        };
        match trace(&loaded, index, spec) {
            Ok((input, zero, seen)) => {
                inputs.traces.push(input);
                zeros_unix_s.push(zero);
                notices.extend(seen);
            }
            Err(found) => problems.extend(found),
        }
    }
    compare_clocks(&mut inputs.traces, &zeros_unix_s);
    for (index, job) in loaded.scenario.jobs.iter().enumerate() {
        let JobSpec::Inference(service) = job else {
            continue;
        };
        match arrivals(&loaded, index, &service.arrivals) {
            Ok(input) => inputs.arrivals.extend(input),
            Err(found) => problems.extend(found),
        }
    }
    loaded.warnings.extend(notices);
    if problems.is_empty() {
        Ok(Ready { loaded, inputs })
    } else {
        Err(problems)
    }
}

/// Places problems that a run found in the scenario file.
pub(crate) fn placed(loaded: &Loaded, problems: Vec<StudyProblem>) -> Vec<Problem> {
    problems
        .into_iter()
        .map(|p| loaded.problem_at(&p.path, p.message, p.help))
        .collect()
}

fn time_unit(unit: TimeUnit) -> ballast_tables::TimeUnit {
    match unit {
        TimeUnit::Seconds => ballast_tables::TimeUnit::S,
        TimeUnit::Milliseconds => ballast_tables::TimeUnit::Ms,
        TimeUnit::Microseconds => ballast_tables::TimeUnit::Us,
        TimeUnit::Iso8601 => ballast_tables::TimeUnit::Iso8601,
    }
}

/// Requests of job number `index`, if it names a file.
fn arrivals(
    loaded: &Loaded,
    index: usize,
    spec: &ArrivalSpec,
) -> Result<Option<ArrivalInput>, Vec<Problem>> {
    let ArrivalSpec::File {
        file,
        time_column,
        time_unit: unit,
        prompt_column,
        output_column,
        rate_column,
        ..
    } = spec
    else {
        return Ok(None);
    };
    let options = ArrivalOptions {
        time_column: time_column.clone(),
        time_unit: unit.map(time_unit),
        prompt_column: prompt_column.clone(),
        output_column: output_column.clone(),
        rate_column: rate_column.clone(),
    };
    let at = format!("jobs.{index}.arrivals");
    let table = read_arrivals(&loaded.base_dir.join(file), &options).map_err(|found| {
        let stated = [
            ("time_column", time_column.as_ref()),
            ("prompt_column", prompt_column.as_ref()),
            ("output_column", output_column.as_ref()),
            ("rate_column", rate_column.as_ref()),
        ];
        let place = |p| table_problem(loaded, &at, "file", &ARRIVAL_COLUMNS, &stated, p);
        found.0.into_iter().map(place).collect::<Vec<_>>()
    })?;
    let raw = RawArrivals {
        time_s: table.time_s,
        prompt_tokens: table.prompt_tokens,
        output_tokens: table.output_tokens,
        per_s: table.per_s,
        sha256: table.sha256,
        found: table.found,
    };
    ArrivalInput::new(index, file, raw)
        .map(Some)
        .map_err(|p| placed(loaded, vec![p]))
}

/// A load's trace, the moment that is its t = 0, seconds since 1970, where the file has dates, and what a person should see of it.
fn trace(
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
fn compare_clocks(traces: &mut [TraceInput], zeros_unix_s: &[Option<f64>]) {
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

/// Keys of a trace and of arrivals that name a column or a unit.
const TRACE_COLUMNS: [&str; 6] = [
    "unit",
    "clock_offset_s",
    "devices",
    "interval_s",
    "time_column",
    "column",
];
const ARRIVAL_COLUMNS: [&str; 5] = [
    "time_unit",
    "time_column",
    "prompt_column",
    "output_column",
    "rate_column",
];

/// A problem of a row stands where the row is. One of the whole table stands where the scenario names the table (key `table`), or the key
/// that would put it right: one of `keys`, which the help names, or which `stated` the column.
fn table_problem(
    loaded: &Loaded,
    at: &str,
    table: &str,
    keys: &[&str],
    stated: &[(&str, Option<&String>)],
    p: TableProblem,
) -> Problem {
    let of_row = p.line.is_some();
    // "and 12 more", after the rows it counts.
    let of_rows = p.help.is_empty();
    if of_row || of_rows {
        return Problem {
            file: p.file.display().to_string(),
            line: p.line.and_then(|l| u32::try_from(l).ok()),
            column: None,
            key: p
                .column
                .map_or_else(|| format!("{at}.file"), |c| format!("column {c}")),
            message: p.message,
            help: p.help,
        };
    }
    let named = p.column.as_ref();
    let by_column = |key: &&&str| {
        stated
            .iter()
            .any(|(k, c)| k == *key && c.is_some() && *c == named)
    };
    let key = keys
        .iter()
        .find(|key| **key == "time_column" && by_column(key))
        .or_else(|| {
            let asks = |verb: &str, key: &str| p.help.starts_with(&format!("{verb} `{key}`"));
            keys.iter()
                .find(|key| asks("set", key) || asks("take", key))
        })
        .or_else(|| keys.iter().find(by_column))
        .copied()
        .unwrap_or(table);
    let what = named.map_or_else(
        || p.message.clone(),
        |c| format!("column `{c}` {}", p.message),
    );
    let message = format!("{}: {what}", p.file.display());
    loaded.problem_at(&format!("{at}.{key}"), message, p.help)
}
