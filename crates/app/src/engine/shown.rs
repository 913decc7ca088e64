//! The run behind the window, in stages.

use std::sync::Arc;
use std::time::Instant;

use ballast_scenario::{RackStatistics, RangeCorners, load_str};
use ballast_study::Ready;

use super::estimate::Estimate;
use super::prepare;
use super::relay::Relay;
use super::{Answer, Stopped, Task, TaskKind, unbuffered};
use crate::platform::Platform;
use crate::trace::MEMORY;

/// Runs the task; every stage that adds something is an answer.
pub(super) fn run(
    task: &Task,
    platform: &Arc<dyn Platform>,
    relay: &Relay,
    started: Instant,
) -> Result<(), Stopped> {
    let loaded = load_str(&task.name, &task.text, &task.base_dir, &[]);
    let loaded = loaded.map_err(|p| Stopped::Problems(p.0))?;
    relay.go_on()?;
    let mut ready = prepare::read(platform.as_ref(), loaded).map_err(Stopped::Problems)?;
    relay.go_on()?;
    let estimate = Estimate::of(&ready.loaded.scenario);
    if task.kind == TaskKind::Shown && estimate.asks_first() {
        // The run would have told what is wrong with it.
        let problems = ballast_study::check(&ready.loaded, &ready.inputs);
        if problems.is_empty() {
            return Err(Stopped::Long(estimate));
        }
        return Err(Stopped::Problems(ballast_study::placed(
            &ready.loaded,
            problems,
        )));
    }

    let told = ready.loaded.scenario.outputs.clone();
    let without = unbuffered::without_buffers(&ready.loaded.scenario);
    let corners = told.range_corners != RangeCorners::Off && ready.loaded.scenario.plant.is_some();
    let stages = 1 + usize::from(corners) + usize::from(without.is_some());
    let stage = |k: usize| relay.part(k as f64 / stages as f64, (k + 1) as f64 / stages as f64);

    let outputs = &mut ready.loaded.scenario.outputs;
    outputs.range_corners = RangeCorners::Off;
    outputs.rack_traces = true;
    let ran = prepare::run(platform, &ready, &told, MEMORY, &stage(0))?;
    // Without weak constants there are no ranges to look over.
    let corners = corners && !ran.outcome.weak_constants.is_empty();
    let mut result = prepare::result(relay.job(), task, &ready.loaded, ran, !corners, started);
    relay.answer(Answer::Result(Arc::new(result.clone())));

    if corners {
        ready.loaded.scenario.outputs = told.clone();
        let failed = |e| Stopped::of(&ready.loaded, e);
        let outcome =
            ballast_study::run(&ready.loaded, &ready.inputs, None, &stage(1)).map_err(failed)?;
        result.outcome = Arc::new(outcome);
        result.ranges_checked = true;
        relay.answer(Answer::Result(Arc::new(result.clone())));
    }
    if let Some(scenario) = without {
        let mut bare = Ready {
            inputs: ready.inputs.clone(),
            loaded: ready.loaded.clone(),
        };
        bare.loaded.scenario = scenario;
        let outputs = &mut bare.loaded.scenario.outputs;
        outputs.range_corners = RangeCorners::Off;
        outputs.rack_statistics = RackStatistics::MinMeanMax;
        outputs.rack_traces = false;
        // Sets that cannot start without their buffers leave nothing to compare with: that is no problem of the document.
        match prepare::run(platform, &bare, &told, MEMORY, &stage(stages - 1)) {
            Ok(ran) => {
                result.unbuffered = Some(Arc::new(ran.traces));
                relay.answer(Answer::Result(Arc::new(result)));
            }
            Err(Stopped::Problems(_)) => {}
            Err(stopped) => return Err(stopped),
        }
    }
    Ok(())
}
