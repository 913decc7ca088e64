//! Jobs and racks against the duration and the memory of a run.

use ballast_aggregate::JobSpec;
use ballast_series::{Histogram, RampTracker};

use super::Check;
use crate::Scenario;
use crate::limits::number;
use crate::tree::join;

/// Most memory for what is kept for each rack, bytes, in all realisations that run at a time.
const MOST_RACK_MEMORY: f64 = 16e9;
/// Samples of each rack in a block.
const BLOCK_SAMPLES: usize = 1024;
/// Bins of a rack's histogram.
const RACK_BINS: usize = 1024;

impl Check<'_> {
    /// Jobs against the duration; what is wrong with them as such is found by the site.
    pub(super) fn jobs(&mut self, scenario: &Scenario) {
        let end_s = scenario.simulation.end_s();
        for (at, job) in scenario.jobs.iter().enumerate() {
            let path = format!("jobs.{at}");
            let (name, start_s) = match job {
                JobSpec::Batch(job) => (&job.name, job.first_start_s()),
                JobSpec::Training(job) => (&job.name, job.start_s),
                JobSpec::Inference(job) => (&job.name, job.start_s),
            };
            let never = format!("job `{name}` never runs in this scenario");
            if start_s >= end_s {
                let runs = matches!(job, JobSpec::Batch(b) if !b.runs.is_empty());
                let key = if runs { "runs.0.start_s" } else { "start_s" };
                self.warn(
                    &join(&path, key),
                    format!("{never}: it starts at {} s", number(start_s)),
                    format!("start it before the end of the run, {} s", number(end_s)),
                );
            }
            let JobSpec::Training(job) = job else {
                continue;
            };
            if let Some(stop_s) = job.stop_s.filter(|s| *s <= 0.0) {
                self.warn(
                    &join(&path, "stop_s"),
                    format!("{never}: it stops at {} s", number(stop_s)),
                    "stop it after t = 0",
                );
            }
            if start_s >= end_s {
                continue;
            }
            let late = [
                ("stop_s", "stops", job.stop_s.filter(|s| *s > end_s)),
                (
                    "crash_at_s",
                    "crashes",
                    job.crash_at_s.filter(|s| *s >= end_s),
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
                        format!("a time before the end of the run, {} s", number(end_s)),
                    );
                }
            }
        }
    }

    /// A single realisation must fit; how many run at a time is chosen so that they fit together.
    pub(super) fn memory(&mut self, scenario: &Scenario) {
        let fine = scenario
            .zoom
            .map(|zoom| zoom.scenario(scenario, scenario.simulation.start_s));
        let (racks, per_rack) = rack_memory(scenario);
        // The fine run has more samples in its ramp windows.
        let per_rack = fine.map_or(per_rack, |f| per_rack.max(rack_memory(&f).1));
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

/// Racks, and the bytes that a realisation keeps for each: two blocks of samples, a histogram, the ramps' windows.
fn rack_memory(scenario: &Scenario) -> (u64, usize) {
    let racks: u64 = scenario.racks.iter().map(|r| u64::from(r.count)).sum();
    let windows_s = &scenario.outputs.ramp_windows_s;
    let per_rack = 2 * BLOCK_SAMPLES * size_of::<f64>()
        + Histogram::bytes(RACK_BINS)
        + RampTracker::bytes(scenario.simulation.step_s, windows_s);
    (racks, per_rack)
}

/// Realisations whose racks fit into memory together (16 GB), at least 1 and at most `threads`.
pub fn realisations_at_a_time(scenario: &Scenario, threads: usize) -> usize {
    let (racks, per_rack) = rack_memory(scenario);
    let each = (racks as f64 * per_rack as f64).max(1.0);
    ((MOST_RACK_MEMORY / each) as usize).clamp(1, threads.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load_str;

    #[test]
    fn realisations_that_run_together_fit_into_memory() {
        let text = |racks: u32| {
            format!(
                "[scenario]\nname = \"a\"\n[[racks]]\nname = \"r\"\ncount = {racks}\nnode = \"hgx-h100\"\nnodes_per_rack = 1\n"
            )
        };
        let at_a_time = |racks: u32| {
            let loaded = load_str("a.toml", &text(racks), std::path::Path::new("."), &[]).unwrap();
            let (racks, per_rack) = rack_memory(&loaded.scenario);
            let n = realisations_at_a_time(&loaded.scenario, 64);
            assert!(n as f64 * racks as f64 * per_rack as f64 <= MOST_RACK_MEMORY);
            n
        };
        assert_eq!(at_a_time(10), 64);
        let many = at_a_time(10_000);
        assert!((1..64).contains(&many), "{many}");
    }
}
