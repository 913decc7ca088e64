//! What the jobs are planned to do at stated times.

use serde::Serialize;

use crate::JobSpec;

/// Something a job does at a stated time, whatever the realisation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedEvent {
    /// Time, seconds; 0 or later.
    pub at_s: f64,
    /// Kind: `job_start`, `job_stop`, `crash`, `restart`.
    pub kind: &'static str,
    /// Job.
    pub element: String,
    /// In words.
    pub text: String,
}

/// Events of all jobs from t = 0 on, in order of time. `gpus` are each job's GPUs.
pub(crate) fn planned(jobs: &[JobSpec], gpus: &[u64]) -> Vec<PlannedEvent> {
    let mut events = Vec::new();
    for (job, gpus) in jobs.iter().zip(gpus) {
        let mut add = |kind: &'static str, at_s: f64, name: &str, what: &str| {
            if at_s >= 0.0 && at_s.is_finite() {
                events.push(PlannedEvent {
                    at_s,
                    kind,
                    element: name.to_owned(),
                    text: format!("job `{name}` {what} ({gpus} GPUs)"),
                });
            }
        };
        match job {
            JobSpec::Batch(b) => {
                add("job_start", b.start_s, &b.name, "starts its first node");
            }
            JobSpec::Inference(i) => {
                add("job_start", i.start_s, &i.name, "takes its first requests");
            }
            JobSpec::Training(t) => {
                let stop_s = t.stop_s.unwrap_or(f64::INFINITY);
                add(
                    "job_start",
                    t.start_s,
                    &t.name,
                    "starts its first iteration",
                );
                if let Some(crash_s) = t.crash_at_s {
                    add(
                        "crash",
                        crash_s,
                        &t.name,
                        "crashes: all its GPUs fall to idle at once",
                    );
                    if let Some(restart_s) = t
                        .restart_after_s
                        .map(|d| crash_s + d)
                        .filter(|r| *r < stop_s)
                    {
                        add("restart", restart_s, &t.name, "starts again");
                    }
                }
                add(
                    "job_stop",
                    stop_s,
                    &t.name,
                    "ends: all its GPUs fall to idle at once",
                );
            }
        }
    }
    events.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
    events
}
