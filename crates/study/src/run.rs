//! The entry point: checks, realisations in parallel, the outcome.

use std::sync::atomic::AtomicU64;

use ballast_aggregate::{DemandBlock, Site, SiteInput};
use ballast_plant::Plant;
use ballast_scenario::{LoadSpec, Loaded, Scenario};
use ballast_series::TraceSink;
use rayon::prelude::*;

use crate::demand::Demand;
use crate::design;
use crate::error::{StudyError, StudyProblem};
use crate::inputs::Inputs;
use crate::merge::Merged;
use crate::observer::Observer;
use crate::outcome::{InputHash, Outcome, RunProvenance, Status};
use crate::realisation::{Shared, run_realisation};
use crate::verdict;
use crate::words;

/// Resolves racks and jobs; none if the scenario has no racks.
fn site_of(scenario: &Scenario) -> Result<Option<Site>, Vec<StudyProblem>> {
    if scenario.racks.is_empty() {
        return Ok(None);
    }
    let input = SiteInput {
        racks: &scenario.racks,
        jobs: &scenario.jobs,
        correlation: scenario.correlation.as_ref(),
        events: &scenario.events,
        gpus: &scenario.gpus,
        nodes: &scenario.nodes,
        psus: &scenario.psus,
    };
    Site::new(input).map(Some).map_err(|problems| {
        problems
            .into_iter()
            .map(|p| StudyProblem {
                path: p.path,
                message: p.message,
                help: p.help,
            })
            .collect()
    })
}

/// Everything that only shows when scenario, presets and traces meet: all problems at once.
pub fn check(loaded: &Loaded, inputs: &Inputs) -> Vec<StudyProblem> {
    let scenario = &loaded.scenario;
    let site = match site_of(scenario) {
        Ok(site) => site,
        Err(problems) => return problems,
    };
    let mut problems = trace_problems(scenario, inputs);
    problems.extend(step_problems(scenario, inputs));
    if let (Some(spec), true) = (&scenario.plant, problems.is_empty()) {
        let mut demand = Demand::new(scenario, inputs, site.as_ref(), 1);
        let mut block = DemandBlock::new(site.as_ref().map_or(0, Site::rack_count), 1);
        demand.fill(&mut block);
        let load_w = block.site_w[0] + demand.jumping_w();
        if let Err(error) = Plant::new(spec, load_w, scenario.simulation.step_s) {
            problems.push(words::plant_problem(&error, load_w, spec));
        }
    }
    problems
}

/// A step that would not see what the load does. Training shows its means at any step (see `coarse-training`).
fn step_problems(scenario: &Scenario, inputs: &Inputs) -> Vec<StudyProblem> {
    let step_s = scenario.simulation.step_s;
    let mut problems = Vec::new();
    let mut too_long = |what: String, longest_s: f64| {
        problems.push(StudyProblem {
            path: "simulation.step_s".to_owned(),
            message: format!("a step of {step_s} s misses {what}"),
            help: format!("a step of {longest_s} s or less"),
        });
    };
    for trace in &inputs.traces {
        let interval_s = trace.series.interval_s();
        if interval_s < step_s * (1.0 - 1e-6) {
            let what = format!(
                "samples of the trace `{}`, which has one every {interval_s:.6} s (or average it first)",
                trace.file
            );
            too_long(what, interval_s);
        }
    }
    for load in &scenario.loads {
        let LoadSpec::Steps(steps) = load else {
            continue;
        };
        let gaps = steps.events.windows(2).map(|e| e[1].at_s - e[0].at_s);
        if let Some(gap_s) = gaps.filter(|g| *g < step_s * (1.0 - 1e-6)).reduce(f64::min) {
            too_long(
                format!("a pulse of `{}` that lasts {gap_s:.6} s", steps.name),
                gap_s,
            );
        }
    }
    problems
}

fn trace_problems(scenario: &Scenario, inputs: &Inputs) -> Vec<StudyProblem> {
    let mut problems = Vec::new();
    let traces = scenario
        .loads
        .iter()
        .enumerate()
        .filter(|(_, l)| matches!(l, LoadSpec::Trace(_)));
    let mut given = inputs.traces.iter();
    for (index, _) in traces {
        let Some(trace) = given.next() else {
            problems.push(StudyProblem {
                path: format!("loads.{index}.file"),
                message: "the trace was not handed over".to_owned(),
                help: "read the file before the run".to_owned(),
            });
            continue;
        };
        let duration_s = scenario.simulation.duration_s;
        let end_s = trace.series.end_s();
        if end_s + 0.5 * trace.series.interval_s() < duration_s {
            problems.push(StudyProblem {
                path: format!("loads.{index}.file"),
                message: format!(
                    "the trace `{}` ends {end_s:.3} s after the start of the run, before duration_s = {duration_s} s",
                    trace.file
                ),
                help: format!("set simulation.duration_s to {end_s:.3} or less, choose an earlier start_s, or state the right time_unit"),
            });
        }
    }
    problems
}

/// Runs a scenario: `realisations` times, in parallel on the current rayon pool.
///
/// `sink` takes the traces of the first realisation. The outcome is the same on any number of threads.
///
/// # Errors
/// [`StudyError::Input`] with all problems of [`check`]; [`StudyError::Interrupted`] when the observer asks to stop;
/// numerical failures and errors of the sink.
pub fn run(
    loaded: &Loaded,
    inputs: &Inputs,
    sink: Option<&mut (dyn TraceSink + Send)>,
    observer: &dyn Observer,
) -> Result<Outcome, StudyError> {
    let problems = check(loaded, inputs);
    if !problems.is_empty() {
        return Err(StudyError::Input(problems));
    }
    let scenario = &loaded.scenario;
    let site = site_of(scenario).map_err(StudyError::Input)?;
    let done = AtomicU64::new(0);
    let shared = Shared {
        scenario,
        inputs,
        site: site.as_ref(),
        observer,
        done: &done,
    };
    let first = run_realisation(&shared, 1, sink.map(|s| s as &mut dyn TraceSink))?;
    let mut merged = Merged::new(first);
    let last = scenario.simulation.realisations;
    // As many at a time as there are threads: bounds memory, changes nothing else.
    let at_a_time = u32::try_from(rayon::current_num_threads())
        .unwrap_or(1)
        .max(1);
    let mut next = 2;
    while next <= last {
        let batch: Vec<u32> = (next..=last.min(next + at_a_time - 1)).collect();
        next += at_a_time;
        let results: Vec<_> = batch
            .par_iter()
            .map(|r| run_realisation(&shared, *r, None))
            .collect();
        for result in results {
            merged.add(result?);
        }
    }
    Ok(outcome(loaded, inputs, site.as_ref(), merged))
}

fn outcome(loaded: &Loaded, inputs: &Inputs, site: Option<&Site>, merged: Merged) -> Outcome {
    let scenario = &loaded.scenario;
    let low_confidence = words::low_confidence(loaded, site);
    let verdicts = verdict::verdicts(scenario, inputs, site, &merged, &low_confidence);
    let overall = overall(&verdicts);
    let events = words::events(scenario, site, &merged);
    let diagnostics = words::diagnostics(scenario, inputs, site, &merged);
    let assumptions = words::assumptions(scenario, inputs, site);
    let summary = words::summary(scenario, overall, &verdicts, low_confidence.len());
    Outcome {
        format: 1,
        provenance: RunProvenance {
            program: "ballast".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            scenario_sha256: loaded.sha256.clone(),
            inputs: inputs
                .traces
                .iter()
                .map(|t| InputHash {
                    file: t.file.clone(),
                    sha256: t.sha256.clone(),
                })
                .collect(),
            seed: scenario.simulation.seed,
            realisations: scenario.simulation.realisations,
            duration_s: scenario.simulation.duration_s,
            step_s: scenario.simulation.step_s,
        },
        overall,
        summary,
        verdicts,
        events,
        diagnostics,
        assumptions,
        low_confidence,
        design_values: design::design_values(scenario, site, &merged),
        racks: design::rack_kpis(scenario, site, &merged),
        plant: design::plant_kpis(scenario, &merged),
        site: design::power_kpis(scenario, merged),
        scenario: scenario.clone(),
    }
}

/// FAIL if any limit fails, else INCONCLUSIVE if any is, else PASS if any was checked.
fn overall(verdicts: &[crate::outcome::Verdict]) -> Status {
    let any = |status| verdicts.iter().any(|v| v.status == status);
    [Status::Fail, Status::Inconclusive, Status::Pass]
        .into_iter()
        .find(|s| any(*s))
        .unwrap_or(Status::NotChecked)
}
