//! The entry point: checks, realisations in parallel, the outcome.

use std::sync::atomic::AtomicU64;

use ballast_aggregate::{ArrivalSpec, JobSpec, Site, SiteInput};
use ballast_plant::Plant;
use ballast_scenario::{LoadSpec, Loaded, Scenario, ZoomBy, ZoomSpec, realisations_at_a_time};
use ballast_series::TraceSink;
use rayon::prelude::*;

use crate::bess;
use crate::coarse::Coarse;
use crate::contingency;
use crate::demand::{Continuous, Demand, Filled};
use crate::design;
use crate::error::{StudyError, StudyProblem};
use crate::indicative::{self, Plan};
use crate::inputs::Inputs;
use crate::merge::Merged;
use crate::observer::Observer;
use crate::outcome::{InputHash, Outcome, RunPart, RunProvenance, Status, Verdict, Zoom};
use crate::realisation::{Progress, Shared, run_realisation, samples};
use crate::residual;
use crate::resonance::resonances;
use crate::smoothing;
use crate::storage;
use crate::verdict;
use crate::words;
use crate::zoom::{Moment, worst_moment};

/// Resolves racks and jobs, with the requests of their files; none if the scenario has no racks.
fn site_of(scenario: &Scenario, inputs: &Inputs) -> Result<Option<Site>, Vec<StudyProblem>> {
    if scenario.racks.is_empty() {
        return Ok(None);
    }
    let input = SiteInput {
        racks: &scenario.racks,
        jobs: &scenario.jobs,
        tenants: &scenario.tenants,
        correlation: scenario.correlation.as_ref(),
        events: &scenario.events,
        gpus: &scenario.gpus,
        nodes: &scenario.nodes,
        psus: &scenario.psus,
    };
    let mut site = Site::new(input).map_err(|problems| {
        problems
            .into_iter()
            .map(|p| StudyProblem {
                path: p.path,
                message: p.message,
                help: p.help,
            })
            .collect::<Vec<_>>()
    })?;
    for arrivals in &inputs.arrivals {
        site.give_requests(arrivals.job, &arrivals.log);
    }
    Ok(Some(site))
}

/// Services whose file is missing or cannot serve them.
fn arrival_problems(scenario: &Scenario, inputs: &Inputs) -> Vec<StudyProblem> {
    let mut problems = Vec::new();
    for (index, job) in scenario.jobs.iter().enumerate() {
        let JobSpec::Inference(service) = job else {
            continue;
        };
        if !matches!(service.arrivals, ArrivalSpec::File { .. }) {
            continue;
        }
        let Some(given) = inputs.arrivals.iter().find(|a| a.job == index) else {
            problems.push(StudyProblem {
                path: format!("jobs.{index}.arrivals.file"),
                message: "the requests were not handed over".to_owned(),
                help: "read the file before the run".to_owned(),
            });
            continue;
        };
        let found = given
            .log
            .problems(&service.arrivals, scenario.simulation.duration_s);
        problems.extend(found.into_iter().map(|(key, message, help)| StudyProblem {
            path: format!("jobs.{index}.arrivals.{key}"),
            message,
            help,
        }));
    }
    problems
}

/// Everything that only shows when scenario, presets and traces meet: all problems at once.
pub fn check(loaded: &Loaded, inputs: &Inputs) -> Vec<StudyProblem> {
    let scenario = &loaded.scenario;
    let site = match site_of(scenario, inputs) {
        Ok(site) => site,
        Err(problems) => return problems,
    };
    let mut problems = trace_problems(scenario, inputs);
    problems.extend(arrival_problems(scenario, inputs));
    problems.extend(step_problems(scenario, inputs));
    let by_ramp = scenario.zoom.is_some_and(|z| z.by == ZoomBy::Ramp);
    if let (Coarse::All(why), true) = (Coarse::of(scenario, inputs, site.as_ref()), by_ramp) {
        problems.push(StudyProblem {
            path: "zoom.by".to_owned(),
            message: format!("there are no ramps to look for: {why}"),
            help: "choose `peak`, or add a load that varies faster".to_owned(),
        });
    }
    if let (Some(spec), true) = (&residual::integrated(scenario), problems.is_empty()) {
        let mut continuous = Continuous::new(scenario, inputs, site.as_ref(), 1, false);
        let mut first = Filled::new(site.as_ref().map_or(0, Site::rack_count), 1);
        continuous.fill(&mut first);
        let (w, var) = (first.block.site_w[0], first.block.site_q_var[0]);
        let load = Demand::new(scenario, inputs).with_jumps(w, var);
        let simulation = &scenario.simulation;
        if let Err(error) = Plant::with_reactive(
            &spec.starting_at(simulation.start_s),
            load,
            simulation.plant_step(),
        ) {
            let problem = words::plant_problem(&error, simulation.start_s);
            problems.push(problem);
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
    let simulation = &scenario.simulation;
    for (index, event) in scenario.events.iter().enumerate() {
        let found = event.too_short_for(step_s, simulation.start_s, simulation.end_s());
        for short in found {
            too_long(
                format!(
                    "{} of events.{index}, which lasts {} s: it takes two steps to show it",
                    short.what, short.lasts_s
                ),
                short.longest_step_s,
            );
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
        let run_end_s = scenario.simulation.end_s();
        let end_s = trace.series.end_s();
        if end_s + 0.5 * trace.series.interval_s() < run_end_s {
            problems.push(StudyProblem {
                path: format!("loads.{index}.file"),
                message: format!(
                    "the trace `{}` ends at {end_s:.3} s, before the end of the run at {run_end_s} s",
                    trace.file
                ),
                help: format!("set simulation.duration_s so that the run ends at {end_s:.3} s or before, choose an earlier start_s, or state the right time_unit"),
            });
        }
    }
    problems
}

/// Where the traces of a study go.
#[derive(Default)]
pub struct TraceSinks<'a> {
    /// Traces of the first realisation of the run.
    pub run: Option<&'a mut (dyn TraceSink + Send)>,
    /// Traces of the fine run, if the scenario has a `[zoom]`.
    pub zoom: Option<&'a mut (dyn TraceSink + Send)>,
}

/// Runs a scenario: `realisations` times, in parallel on the current rayon pool; then, with `[zoom]`, its worst stretch finely.
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
    let sinks = TraceSinks {
        run: sink,
        zoom: None,
    };
    run_traced(loaded, inputs, sinks, observer)
}

/// The same with traces of the fine run too.
///
/// # Errors
/// As [`run`].
pub fn run_traced(
    loaded: &Loaded,
    inputs: &Inputs,
    sinks: TraceSinks<'_>,
    observer: &dyn Observer,
) -> Result<Outcome, StudyError> {
    let problems = check(loaded, inputs);
    if !problems.is_empty() {
        return Err(StudyError::Input(problems));
    }
    let scenario = &loaded.scenario;
    let site = site_of(scenario, inputs).map_err(StudyError::Input)?;
    let site = site.as_ref();
    let all =
        Progress::work(scenario, samples(scenario)) * u64::from(scenario.simulation.realisations);
    // The stretch lies anywhere in the run, and is the same amount of work wherever it lies.
    let closer = scenario.zoom.as_ref().map_or(0, |zoom| {
        let fine = zoom.scenario(scenario, 0.5 * scenario.simulation.end_s());
        Progress::work(&fine, samples(&fine))
    });
    let progress = Progress {
        observer,
        done: AtomicU64::new(0),
        total: all + closer + contingency::most_work(scenario),
    };
    let plan = Plan::new(scenario, samples(scenario));
    let coarse = Shared {
        plan: &plan,
        scenario,
        inputs,
        site,
        zoom: false,
        strike: None,
        shown: 1,
        progress: &progress,
    };
    let mut merged = simulate(&coarse, sinks.run)?;
    indicative::windows(&coarse, &mut merged.corners)?;
    let moment = scenario
        .zoom
        .as_ref()
        .map(|z| (z, worst_moment(z, scenario, &merged)));
    let failures = contingency::candidates(scenario, &merged);
    let mut outcome = outcome(loaded, &coarse, merged);
    if let Some((zoom, moment)) = moment {
        let stretch = zoom.scenario(scenario, moment.centre_s);
        let plan = Plan::new(&stretch, samples(&stretch));
        let fine = Shared {
            plan: &plan,
            scenario: &stretch,
            zoom: true,
            shown: moment.realisation,
            ..coarse
        };
        let sink = sinks.zoom.map(|s| s as &mut dyn TraceSink);
        let mut merged = Merged::new(run_realisation(&fine, moment.realisation, sink)?);
        indicative::windows(&fine, &mut merged.corners)?;
        attach(
            &mut outcome,
            zoom,
            moment,
            self::outcome(loaded, &fine, merged),
        );
    }
    if !failures.is_empty() {
        outcome.contingencies = contingency::study(loaded, &coarse, &failures)?;
        sum_up(&mut outcome);
    }
    Ok(outcome)
}

/// All realisations, merged in their order.
pub(crate) fn simulate(
    shared: &Shared<'_>,
    sink: Option<&mut (dyn TraceSink + Send)>,
) -> Result<Merged, StudyError> {
    let first = run_realisation(shared, 1, sink.map(|s| s as &mut dyn TraceSink))?;
    let mut merged = Merged::new(first);
    let last = shared.scenario.simulation.realisations;
    // As many at a time as there are threads and as fit into memory: changes nothing else.
    let threads = rayon::current_num_threads();
    let at_a_time = realisations_at_a_time(shared.scenario, threads);
    let at_a_time = u32::try_from(at_a_time).unwrap_or(1);
    let mut next = 2;
    while next <= last {
        let batch: Vec<u32> = (next..=last.min(next + at_a_time - 1)).collect();
        next += at_a_time;
        let results: Vec<_> = batch
            .par_iter()
            .map(|r| run_realisation(shared, *r, None))
            .collect();
        for result in results {
            merged.add(result?);
        }
    }
    Ok(merged)
}

/// Adds the fine run: the worse of both is the study's.
fn attach(outcome: &mut Outcome, zoom: &ZoomSpec, moment: Moment, mut fine: Outcome) {
    let mark = |verdicts: &mut Vec<Verdict>, part| {
        for verdict in verdicts {
            verdict.run = Some(part);
        }
    };
    mark(&mut outcome.verdicts, RunPart::Coarse);
    mark(&mut fine.verdicts, RunPart::Zoom);
    outcome.zoom = Some(Box::new(Zoom {
        at_s: moment.at_s,
        realisation: moment.realisation,
        by: zoom.by,
        why: moment.why,
        outcome: fine,
    }));
    sum_up(outcome);
}

/// Status and sentence over all runs. What no run looks at is told once.
fn sum_up(outcome: &mut Outcome) {
    let told: Vec<&Verdict> = outcome
        .all_verdicts()
        .filter(|v| matches!(v.run, None | Some(RunPart::Coarse)) || v.status != Status::NotChecked)
        .collect();
    // Over all of them, as the program's exit code is: what only the fine run could not check is unchecked too.
    let all: Vec<&Verdict> = outcome.all_verdicts().collect();
    let overall = overall(&all);
    let low = outcome.low_confidence.len();
    let summary = words::summary(&outcome.scenario, overall, &told, low);
    (outcome.overall, outcome.summary) = (overall, summary);
}

fn outcome(loaded: &Loaded, shared: &Shared<'_>, merged: Merged) -> Outcome {
    let Shared {
        scenario,
        inputs,
        site,
        plan,
        ..
    } = *shared;
    let low_confidence = words::low_confidence(loaded, site);
    let coarse = Coarse::of(scenario, inputs, site);
    let resonance = resonances(scenario, site, &coarse, &merged);
    let verdicts = verdict::verdicts(
        scenario,
        inputs,
        site,
        &merged,
        resonance.as_ref(),
        &low_confidence,
        plan,
    );
    let told: Vec<&Verdict> = verdicts.iter().collect();
    let overall = overall(&told);
    let summary = words::summary(scenario, overall, &told, low_confidence.len());
    let events = words::events(scenario, site, &merged);
    let (storage, holdup) = (
        storage::kpis(scenario, &merged),
        storage::holdups(site, &merged),
    );
    let mut diagnostics = words::diagnostics(scenario, inputs, site, &merged);
    diagnostics.extend(storage::diagnostics(&storage, &holdup));
    let stable = resonance.as_ref().is_none_or(|r| r.unstable.is_empty());
    let mut assumptions = words::assumptions(scenario, inputs, site);
    assumptions.extend(indicative::assumptions(plan, scenario));
    if shared.zoom {
        assumptions.push(words::zoom_assumption(shared.shown));
    }
    Outcome {
        format: 1,
        provenance: RunProvenance {
            program: "ballast".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            scenario_sha256: loaded.sha256.clone(),
            inputs: inputs
                .traces
                .iter()
                .map(|t| (&t.file, &t.sha256))
                .chain(inputs.arrivals.iter().map(|a| (&a.file, &a.sha256)))
                .map(|(file, sha256)| InputHash {
                    file: file.clone(),
                    sha256: sha256.clone(),
                })
                .collect(),
            seed: scenario.simulation.seed,
            realisations: scenario.simulation.realisations,
            duration_s: scenario.simulation.duration_s,
            step_s: scenario.simulation.step_s,
            shown: (shared.shown != 1).then_some(shared.shown),
        },
        overall,
        summary,
        verdicts,
        events,
        diagnostics,
        assumptions,
        low_confidence,
        weak_constants: plan.weak.clone(),
        design_values: design::design_values(scenario, site, &coarse, &merged),
        racks: design::rack_kpis(scenario, site, &merged),
        gpu_smoothing: smoothing::kpis(&merged),
        jobs: site.map_or_else(Vec::new, |s| s.job_gpus().to_vec()),
        tenants: site.map_or_else(Vec::new, |s| s.tenants().to_vec()),
        storage,
        holdup,
        facility: design::facility_parts(&merged),
        diversity: merged.diversity.as_ref().map(|d| d.kpis(scenario)),
        bess: bess::kpis(scenario, &merged),
        storage_curves: merged.storage_curves.clone(),
        plant: design::plant_kpis(scenario, &merged, stable),
        resonance,
        site: design::power_kpis(scenario, &coarse, merged),
        scenario: scenario.clone(),
        zoom: None,
        contingencies: Vec::new(),
    }
}

/// FAIL if any limit fails, else INCONCLUSIVE if any is, else NOT CHECKED if one was given that nobody could look at, else PASS if any was checked.
pub(crate) fn overall(verdicts: &[&Verdict]) -> Status {
    let any = |status| verdicts.iter().any(|v| v.status == status);
    let found = [Status::Fail, Status::Inconclusive, Status::Pass]
        .into_iter()
        .find(|s| any(*s))
        .unwrap_or(Status::NotChecked);
    if found == Status::Pass && verdicts.iter().any(|v| v.unseen()) {
        return Status::NotChecked;
    }
    found
}
