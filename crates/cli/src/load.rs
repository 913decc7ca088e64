//! From arguments to a scenario that can run: file, changes, traces.

use ballast_scenario::{
    Interpolation, LoadSpec, Loaded, Patch, PowerUnit, Problem, TimeUnit, TraceLoad,
};
use ballast_study::{Inputs, RawTrace, StudyProblem, TraceInput};
use ballast_tables::{TableProblem, TraceOptions, read_trace};

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
        time_unit: spec.time_unit.map(|u| match u {
            TimeUnit::Seconds => ballast_tables::TimeUnit::S,
            TimeUnit::Milliseconds => ballast_tables::TimeUnit::Ms,
            TimeUnit::Microseconds => ballast_tables::TimeUnit::Us,
            TimeUnit::Iso8601 => ballast_tables::TimeUnit::Iso8601,
        }),
        max_gap_s: spec.max_gap_s,
    };
    let path = loaded.base_dir.join(&spec.file);
    let table = read_trace(&path, &options).map_err(|found| {
        let problems = found.0.into_iter();
        problems
            .map(|p| trace_problem(loaded, index, spec, p))
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

/// A problem of a row stands where the row is. One of the whole table stands where the scenario names the table, or the key
/// that would put it right.
fn trace_problem(loaded: &Loaded, index: usize, spec: &TraceLoad, p: TableProblem) -> Problem {
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
                .map_or_else(|| format!("loads.{index}.file"), |c| format!("column {c}")),
            message: p.message,
            help: p.help,
        };
    }
    let named = p.column.as_deref();
    let key = if named.is_some() && named == spec.time_column.as_deref() {
        "time_column"
    } else if p.help.starts_with("set `unit`") {
        "unit"
    } else if p.help.starts_with("set `time_column`") {
        "time_column"
    } else if p.help.starts_with("set `column`")
        || named.is_some() && named == spec.column.as_deref()
    {
        "column"
    } else {
        "file"
    };
    let what = named.map_or_else(
        || p.message.clone(),
        |c| format!("column `{c}` {}", p.message),
    );
    let message = format!("{}: {what}", p.file.display());
    loaded.problem_at(&format!("loads.{index}.{key}"), message, p.help)
}
