//! From a text to a scenario that can run, and from a run to a result.

use std::sync::Arc;
use std::time::Instant;

use ballast_scenario::{Loaded, OutputSpec, Problem, Scenario};
use ballast_study::outcome::Outcome;
use ballast_study::{Inputs, Observer, Ready, TraceSinks, run_traced};

use super::{Stopped, Task};
use crate::platform::Platform;
use crate::result::{PhaseChart, RackMap, RunResult};
use crate::trace::{Recorder, TraceSet};

/// A scenario with its files, as the platform reads them.
pub(super) fn read(platform: &dyn Platform, loaded: Loaded) -> Result<Ready, Vec<Problem>> {
    let (loaded, inputs) = if needs_files(&loaded.scenario) {
        platform.inputs(loaded)?
    } else {
        (loaded, Inputs::default())
    };
    Ok(Ready { loaded, inputs })
}

fn needs_files(scenario: &Scenario) -> bool {
    use ballast_scenario::{ArrivalSpec, JobSpec, LoadSpec};
    let traced = |l: &LoadSpec| matches!(l, LoadSpec::Trace(_));
    let from_file = |j: &JobSpec| matches!(j, JobSpec::Inference(i) if matches!(i.arrivals, ArrivalSpec::File { .. }));
    scenario.loads.iter().any(traced) || scenario.jobs.iter().any(from_file)
}

/// Samples of a run.
pub(super) fn samples(scenario: &Scenario) -> u64 {
    let simulation = &scenario.simulation;
    ballast_series::sample_count(simulation.duration_s, simulation.step_s) + 1
}

/// What a run gave.
pub(super) struct Ran {
    pub(super) outcome: Outcome,
    pub(super) traces: TraceSet,
    pub(super) zoom: Option<TraceSet>,
    pub(super) racks: Option<RackMap>,
}

/// Runs a scenario with everything that views show, in at most `memory` bytes of samples. The outcome is that of the scenario with its `outputs` as `told`.
pub(super) fn run(
    platform: &Arc<dyn Platform>,
    ready: &Ready,
    told: &OutputSpec,
    memory: u64,
    observer: &dyn Observer,
) -> Result<Ran, Stopped> {
    let scenario = &ready.loaded.scenario;
    let recorder = |expected| Recorder::new(Arc::clone(platform), scenario, expected, memory);
    let mut sink = recorder(samples(scenario));
    let mut closer = scenario.zoom.as_ref().map(|z| {
        recorder(samples(
            &z.scenario(scenario, 0.5 * scenario.simulation.end_s()),
        ))
    });
    let sinks = TraceSinks {
        run: Some(&mut sink),
        zoom: closer.as_mut().map(|s| s as _),
    };
    let failed = |e| Stopped::of(&ready.loaded, e);
    let mut outcome = run_traced(&ready.loaded, &ready.inputs, sinks, observer).map_err(failed)?;
    as_told(&mut outcome, told);
    let of_sink = |e| Stopped::of(&ready.loaded, ballast_study::StudyError::Sink(e));
    let (traces, racks) = sink.finish().map_err(of_sink)?;
    let zoom = closer.map(Recorder::finish).transpose().map_err(of_sink)?;
    Ok(Ran {
        outcome,
        traces,
        zoom: zoom.map(|(traces, _)| traces),
        racks,
    })
}

/// The scenario in an outcome is the user's, not what was asked of the run beside it.
pub(super) fn as_told(outcome: &mut Outcome, told: &OutputSpec) {
    outcome.scenario.outputs = told.clone();
    if let Some(zoom) = &mut outcome.zoom {
        let windows_s = std::mem::take(&mut zoom.outcome.scenario.outputs.ramp_windows_s);
        zoom.outcome.scenario.outputs = OutputSpec {
            // The fine run has windows of its own.
            ramp_windows_s: windows_s,
            ..told.clone()
        };
    }
}

/// The result of a run for the views.
pub(super) fn result(
    job: u64,
    task: &Task,
    loaded: &Loaded,
    ran: Ran,
    ranges_checked: bool,
    started: Instant,
) -> RunResult {
    let head = &loaded.scenario.scenario.name;
    let name = match &loaded.variant {
        Some(variant) => format!("{head}: {variant}"),
        None => head.clone(),
    };
    RunResult {
        job,
        name,
        text: Arc::clone(&task.text),
        phases: Arc::new(PhaseChart::of(&loaded.scenario)),
        outcome: Arc::new(ran.outcome),
        traces: Arc::new(ran.traces),
        zoom: ran.zoom.map(Arc::new),
        unbuffered: None,
        racks: ran.racks.map(Arc::new),
        took: started.elapsed(),
        ranges_checked,
    }
}
