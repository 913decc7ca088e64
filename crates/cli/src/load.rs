//! From arguments to a scenario that can run: file, changes, traces.

use ballast_scenario::{
    ArrivalSpec, Interpolation, JobSpec, LoadSpec, Loaded, Patch, PowerUnit, Problem, TimeUnit,
    TraceLoad,
};
use ballast_study::{ArrivalInput, Inputs, RawArrivals, RawTrace, StudyProblem, TraceInput};
use ballast_tables::{ArrivalOptions, TableProblem, TraceOptions, read_arrivals, read_trace};

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
    let mut patches = args.patches.clone();
    if let Some(seed) = args.seed {
        patches.push(Patch {
            path: "simulation.seed".to_owned(),
            value: seed.to_string(),
        });
    }
    let loaded = ballast_scenario::load(&args.scenario, &patches).map_err(|p| p.0)?;
    let mut inputs = Inputs::default();
    let mut problems = Vec::new();
    for (index, load) in loaded.scenario.loads.iter().enumerate() {
        let LoadSpec::Trace(spec) = load else {
            continue;
        };
        match trace(&loaded, index, spec) {
            Ok(input) => inputs.traces.push(input),
            Err(found) => problems.extend(found),
        }
    }
    for (index, job) in loaded.scenario.jobs.iter().enumerate() {
        let JobSpec::Inference(service) = job else {
            continue;
        };
        match arrivals(&loaded, index, &service.arrivals) {
            Ok(input) => inputs.arrivals.extend(input),
            Err(found) => problems.extend(found),
        }
    }
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
        let place = |p| table_problem(loaded, &at, &ARRIVAL_COLUMNS, &stated, p);
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

fn trace(loaded: &Loaded, index: usize, spec: &TraceLoad) -> Result<TraceInput, Vec<Problem>> {
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
    };
    let path = loaded.base_dir.join(&spec.file);
    let table = read_trace(&path, &options).map_err(|found| {
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
    TraceInput::new(index, spec, raw).map_err(|p| placed(loaded, vec![p]))
}

/// Keys of a trace and of arrivals that name a column or a unit.
const TRACE_COLUMNS: [&str; 3] = ["unit", "time_column", "column"];
const ARRIVAL_COLUMNS: [&str; 5] = [
    "time_unit",
    "time_column",
    "prompt_column",
    "output_column",
    "rate_column",
];

/// A problem of a row stands where the row is. One of the whole table stands where the scenario names the table, or the key
/// that would put it right: one of `keys`, which the help names, or which `stated` the column.
fn table_problem(
    loaded: &Loaded,
    at: &str,
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
            keys.iter()
                .find(|key| p.help.starts_with(&format!("set `{key}`")))
        })
        .or_else(|| keys.iter().find(by_column))
        .copied()
        .unwrap_or("file");
    let what = named.map_or_else(
        || p.message.clone(),
        |c| format!("column `{c}` {}", p.message),
    );
    let message = format!("{}: {what}", p.file.display());
    loaded.problem_at(&format!("{at}.{key}"), message, p.help)
}
