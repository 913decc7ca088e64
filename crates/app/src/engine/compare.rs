//! The scenario and its variants side by side.

use std::sync::Arc;
use std::time::Instant;

use ballast_scenario::load_all_str;
use ballast_study::ready_all;

use super::prepare;
use super::relay::Relay;
use super::{Answer, Stopped, Task};
use crate::platform::Platform;
use crate::trace::MEMORY;

/// Runs all of them, one after another.
pub(super) fn run(
    task: &Task,
    platform: &Arc<dyn Platform>,
    relay: &Relay,
    started: Instant,
) -> Result<(), Stopped> {
    let all = load_all_str(&task.name, &task.text, &task.base_dir, &[]);
    let all = all.map_err(|p| Stopped::Problems(p.0))?;
    relay.go_on()?;
    let read = |loaded| prepare::read(platform.as_ref(), loaded);
    let mut all = ready_all(all, read).map_err(Stopped::Problems)?;
    let count = all.len();
    let mut results = Vec::with_capacity(count);
    for (k, ready) in all.iter_mut().enumerate() {
        let part = relay.part(k as f64 / count as f64, (k + 1) as f64 / count as f64);
        let told = ready.loaded.scenario.outputs.clone();
        ready.loaded.scenario.outputs.rack_traces = true;
        // All results together are held in the memory of one.
        let memory = MEMORY / count as u64;
        let ran = prepare::run(platform, ready, &told, memory, &part)?;
        let result = prepare::result(relay.job(), task, &ready.loaded, ran, true, started);
        results.push(Arc::new(result));
    }
    relay.answer(Answer::Compared(results));
    Ok(())
}
