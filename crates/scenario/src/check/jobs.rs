//! Jobs and racks against the step, the duration and the memory of a run.

use ballast_aggregate::JobSpec;
use ballast_series::{Histogram, RampTracker};

use super::Check;
use crate::Scenario;
use crate::limits::number;
use crate::tree::join;

/// Fewest steps in an iteration of training: with fewer the steps decide what its two phases look like.
const FEWEST_STEPS_PER_ITERATION: f64 = 4.0;
/// Most memory for what is kept for each rack, bytes.
const MOST_RACK_MEMORY: f64 = 16e9;
/// Samples of each rack in a block.
const BLOCK_SAMPLES: usize = 1024;
/// Bins of a rack's histogram.
const RACK_BINS: usize = 1024;

impl Check<'_> {
    /// Jobs against step and duration; what is wrong with them as such is found by the site.
    pub(super) fn jobs(&mut self, scenario: &Scenario) {
        let (duration_s, step_s) = (scenario.simulation.duration_s, scenario.simulation.step_s);
        for (at, job) in scenario.jobs.iter().enumerate() {
            let path = format!("jobs.{at}");
            let (name, start_s) = match job {
                JobSpec::Batch(job) => (&job.name, job.start_s),
                JobSpec::Training(job) => (&job.name, job.start_s),
                JobSpec::Inference(job) => (&job.name, job.start_s),
            };
            let never = format!("job `{name}` never runs in this scenario");
            if start_s >= duration_s {
                self.warn(
                    &join(&path, "start_s"),
                    format!("{never}: it starts at {} s", number(start_s)),
                    format!(
                        "start it before simulation.duration_s = {}",
                        number(duration_s)
                    ),
                );
            }
            let JobSpec::Training(job) = job else {
                continue;
            };
            let shortest_s = FEWEST_STEPS_PER_ITERATION * step_s;
            if job.iteration_s > 0.0 && job.iteration_s < shortest_s * (1.0 - 1e-9) {
                self.add(
                    &join(&path, "iteration_s"),
                    format!(
                        "step too coarse for the iteration: {} s with a step of {} s",
                        number(job.iteration_s),
                        number(step_s)
                    ),
                    format!(
                        "an iteration of at least {} s, or simulation.step_s of {} s or less",
                        number(shortest_s),
                        number(job.iteration_s / FEWEST_STEPS_PER_ITERATION)
                    ),
                );
            }
            if let Some(stop_s) = job.stop_s.filter(|s| *s <= 0.0) {
                self.warn(
                    &join(&path, "stop_s"),
                    format!("{never}: it stops at {} s", number(stop_s)),
                    "stop it after t = 0",
                );
            }
            if start_s >= duration_s {
                continue;
            }
            let late = [
                ("stop_s", "stops", job.stop_s.filter(|s| *s > duration_s)),
                (
                    "crash_at_s",
                    "crashes",
                    job.crash_at_s.filter(|s| *s >= duration_s),
                ),
            ];
            for (key, what, time_s) in late {
                if let Some(time_s) = time_s {
                    self.warn(
                        &join(&path, key),
                        format!(
                            "job `{name}` {what} at {} s, after the end of the run: never in this scenario",
                            number(time_s)
                        ),
                        format!("a time before simulation.duration_s = {}", number(duration_s)),
                    );
                }
            }
        }
    }

    /// What a run keeps for every rack, at most: two blocks of samples, a histogram, the ramps' windows.
    pub(super) fn memory(&mut self, scenario: &Scenario) {
        let racks: u64 = scenario.racks.iter().map(|r| u64::from(r.count)).sum();
        let windows_s = &scenario.outputs.ramp_windows_s;
        let per_rack = 2 * BLOCK_SAMPLES * size_of::<f64>()
            + Histogram::bytes(RACK_BINS)
            + RampTracker::bytes(scenario.simulation.step_s, windows_s);
        let needed = racks as f64 * per_rack as f64;
        if needed > MOST_RACK_MEMORY {
            self.add(
                "racks",
                format!(
                    "{racks} racks need {:.1} GB of memory, {:.0} kB each",
                    needed / 1e9,
                    per_rack as f64 / 1e3
                ),
                format!(
                    "at most {:.0} racks with these steps and ramp windows ({:.0} GB); let one rack stand for several",
                    (MOST_RACK_MEMORY / per_rack as f64).floor(),
                    MOST_RACK_MEMORY / 1e9
                ),
            );
        }
    }
}
