//! What the jobs are planned to do at stated times, and what is drawn for a realisation.

use serde::Serialize;

use crate::JobSpec;
use crate::racks::Streams;
use crate::site::{CoursePlan, JobPlan};
use crate::training_plan::TrainingPlan;

/// Something a job does at a stated time.
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

/// Events of all jobs from t = 0 on, in order of time, whatever the realisation. `gpus` are each job's GPUs.
pub(crate) fn planned(specs: &[JobSpec], jobs: &[JobPlan], gpus: &[u64]) -> Vec<PlannedEvent> {
    let mut events = Vec::new();
    for ((spec, job), gpus) in specs.iter().zip(jobs).zip(gpus) {
        let mut add = |kind: &'static str, at_s: f64, what: &str| {
            if at_s >= 0.0 && at_s.is_finite() {
                events.push(PlannedEvent {
                    at_s,
                    kind,
                    element: job.name.clone(),
                    text: format!("job `{}` {what} ({gpus} GPUs)", job.name),
                });
            }
        };
        match spec {
            JobSpec::Batch(b) => add("job_start", b.start_s, "starts its first node"),
            JobSpec::Inference(i) => add("job_start", i.start_s, "takes its first requests"),
            JobSpec::Training(t) => {
                add("job_start", t.start_s, "starts its first iteration");
                if let CoursePlan::Training(plan) = &job.course {
                    interruptions(plan, t.crash_at_s, &mut add);
                    let ends = "ends: all its GPUs fall to idle at once";
                    add("job_stop", plan.stop_s, ends);
                }
            }
        }
    }
    events.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
    events
}

/// Planned crashes and restarts of a job, handed to `add` with kind and time.
fn interruptions(
    plan: &TrainingPlan,
    crash_at_s: Option<f64>,
    add: &mut impl FnMut(&'static str, f64, &str),
) {
    let mut up_s = plan.start_s;
    for (k, down) in plan.interruptions.iter().enumerate() {
        if down.from_s >= plan.stop_s {
            break;
        }
        let holds = |s: &f64| down.from_s <= *s && *s < down.until_s;
        if let Some(crash_s) = crash_at_s.filter(holds) {
            let lost = lost(plan, up_s, down.from_s);
            let text = format!("crashes: all its GPUs fall to idle at once; {lost}");
            add("crash", crash_s, &text);
        }
        let next = plan.interruptions.get(k + 1);
        if next.is_none_or(|n| n.from_s > down.until_s) && down.until_s < plan.stop_s {
            add("restart", down.until_s, "starts again");
            up_s = down.until_s + plan.restart_lasts_s();
        }
    }
}

/// What a crash costs, in words.
fn lost(plan: &TrainingPlan, up_s: f64, crash_s: f64) -> String {
    let lost_s = plan.lost_s(up_s, crash_s);
    if plan.checkpoint_every == 0 {
        format!("without a checkpoint all {lost_s:.0} s of its work are to be repeated")
    } else {
        format!("about {lost_s:.0} s of work since its last checkpoint are to be repeated")
    }
}

/// Adds the random crashes of a job from t = 0 to `until_s`, with their restarts.
pub(crate) fn drawn(
    plan: &TrainingPlan,
    streams: Streams,
    until_s: f64,
    events: &mut Vec<PlannedEvent>,
) {
    if plan.mtbf_s.is_infinite() {
        return;
    }
    let mut breaks = plan.breaks(streams);
    let end_s = until_s.min(plan.stop_s);
    let mut up_s = plan.start_s;
    while breaks.next_s(&plan.interruptions) < end_s {
        let random = breaks.next_is_random(&plan.interruptions);
        let Some((down, follows)) = breaks.take(&plan.interruptions) else {
            break;
        };
        if random {
            events.push(PlannedEvent {
                at_s: down.from_s,
                kind: "crash",
                element: plan.name.clone(),
                text: format!(
                    "job `{}` crashes (drawn): all its GPUs fall to idle at once; {}",
                    plan.name,
                    lost(plan, up_s, down.from_s)
                ),
            });
            if !follows && down.until_s <= end_s {
                events.push(PlannedEvent {
                    at_s: down.until_s,
                    kind: "restart",
                    element: plan.name.clone(),
                    text: format!("job `{}` starts again", plan.name),
                });
            }
        }
        if !follows {
            up_s = down.until_s + plan.restart_lasts_s();
        }
    }
}
