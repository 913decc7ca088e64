//! What outages of racks do to the jobs on them.

use ballast_profile::PhaseKind;

use crate::event_plan::{Cause, EventPlan, Outage};
use crate::events::PlannedEvent;
use crate::interruption::{Interruption, gone_before};
use crate::needs::Touch;
use crate::place::Run;
use crate::site::{CoursePlan, JobPlan};
use crate::{JobSpec, TrainingJob};

/// What the events do to a job, for the phases it needs.
pub(crate) fn touch(job: usize, spec: &JobSpec, plan: &EventPlan, runs: &[Vec<Run>]) -> Touch {
    let mut touch = Touch::default();
    for (_, outage) in plan.of_job(job, runs) {
        match outage.cause {
            Cause::Loss | Cause::Shutdown => touch.down = true,
            Cause::Maintenance => (touch.down, touch.resumes) = (true, true),
            Cause::Switch { timeout_s } => {
                let crashes = outage.work_s > outage.from_s + timeout_s;
                touch.waits |= timeout_s > 0.0 || matches!(spec, JobSpec::Batch(_));
                touch.down |= crashes && matches!(spec, JobSpec::Training(_));
            }
        }
    }
    touch
}

/// Interruptions of a training job: one GPU out is the whole job out.
///
/// After a crash it starts again by its own rule, and not before all its racks are back; a planned stop needs no rule.
pub(crate) fn interruptions(
    job: usize,
    spec: &TrainingJob,
    checkpoint_s: f64,
    plan: &EventPlan,
    runs: &[Vec<Run>],
) -> Vec<Interruption> {
    let mut all = Vec::new();
    let mut add = |from_s: f64, until_s: f64, phase| {
        all.push(Interruption {
            from_s,
            until_s,
            phase,
        });
    };
    for (_, o) in plan.of_job(job, runs) {
        match o.cause {
            Cause::Loss | Cause::Shutdown => add(
                o.from_s,
                restart_s(spec, o.from_s, o.work_s),
                PhaseKind::Idle,
            ),
            Cause::Switch { timeout_s } => {
                let crash_s = o.from_s + timeout_s;
                add(
                    o.from_s,
                    o.work_s.min(crash_s),
                    PhaseKind::TrainCommunication,
                );
                if o.work_s > crash_s {
                    add(crash_s, restart_s(spec, crash_s, o.work_s), PhaseKind::Idle);
                }
            }
            Cause::Maintenance => {
                let written_s = o.from_s + checkpoint_s;
                add(o.from_s, written_s, PhaseKind::Checkpoint);
                add(written_s, o.work_s, PhaseKind::Idle);
            }
        }
    }
    all
}

fn restart_s(spec: &TrainingJob, crash_s: f64, back_s: f64) -> f64 {
    let rule = spec.restart_after_s.map_or(f64::INFINITY, |d| crash_s + d);
    rule.max(back_s)
}

/// A stretch in which a replica is out: no new requests from `from_s` on, those it holds lost at `lost_s`. Times in seconds.
#[expect(clippy::struct_field_names, reason = "names carry units")]
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ReplicaOut {
    pub(crate) from_s: f64,
    pub(crate) lost_s: f64,
    pub(crate) until_s: f64,
}

/// Stretches in which each of a service's replicas is out, in order of time; empty if none ever is.
///
/// A replica is out with the first of its GPUs and back with the last.
pub(crate) fn replicas_out(
    job: usize,
    gpus_per_replica: u32,
    replicas: usize,
    plan: &EventPlan,
    runs: &[Vec<Run>],
) -> Vec<Vec<ReplicaOut>> {
    if plan.of_job(job, runs).next().is_none() {
        return Vec::new();
    }
    let each = u64::from(gpus_per_replica.max(1));
    let mut outs: Vec<Vec<ReplicaOut>> = vec![Vec::new(); replicas];
    let mut before = 0;
    for (rack, runs) in runs.iter().enumerate() {
        for run in runs.iter().filter(|r| r.job == Some(job)) {
            let (from, to) = (before, before + u64::from(run.end - run.start));
            before = to;
            for outage in plan.of_rack(rack) {
                let out = ReplicaOut {
                    from_s: outage.from_s,
                    lost_s: outage.off_s.min(match outage.cause {
                        Cause::Switch { .. } => outage.from_s,
                        _ => f64::INFINITY,
                    }),
                    until_s: outage.work_s,
                };
                for r in from / each..to.div_ceil(each) {
                    if let Some(list) = outs.get_mut(r as usize) {
                        list.push(out);
                    }
                }
            }
        }
    }
    for list in &mut outs {
        *list = joined(std::mem::take(list));
    }
    outs
}

/// The same where replicas open one after another over `stagger_s`; before, they have nothing to lose.
pub(crate) fn opening_late(
    mut outs: Vec<Vec<ReplicaOut>>,
    start_s: f64,
    stagger_s: f64,
) -> Vec<Vec<ReplicaOut>> {
    if stagger_s > 0.0 {
        let gaps = outs.len().saturating_sub(1).max(1) as f64;
        for (r, list) in outs.iter_mut().enumerate().skip(1) {
            list.push(ReplicaOut {
                from_s: f64::NEG_INFINITY,
                lost_s: f64::INFINITY,
                until_s: start_s + stagger_s * r as f64 / gaps,
            });
            *list = joined(std::mem::take(list));
        }
    }
    outs
}

/// Stretches that overlap made one.
fn joined(mut all: Vec<ReplicaOut>) -> Vec<ReplicaOut> {
    all.sort_by(|a, b| a.from_s.total_cmp(&b.from_s));
    let mut chain: Vec<ReplicaOut> = Vec::with_capacity(all.len());
    for out in all {
        match chain.last_mut() {
            Some(last) if out.from_s <= last.until_s => {
                last.lost_s = last.lost_s.min(out.lost_s);
                last.until_s = last.until_s.max(out.until_s);
            }
            _ => chain.push(out),
        }
    }
    chain
}

/// Crashes and stops of training jobs that the events bring; their restarts are told with those of other interruptions.
pub(crate) fn planned(
    jobs: &[JobSpec],
    resolved: &[JobPlan],
    plan: &EventPlan,
    runs: &[Vec<Run>],
    mut add: impl FnMut(PlannedEvent),
) {
    for (j, (job, resolved)) in jobs.iter().zip(resolved).enumerate() {
        let (JobSpec::Training(spec), CoursePlan::Training(course)) = (job, &resolved.course)
        else {
            continue;
        };
        let stop_s = spec.stop_s.unwrap_or(f64::INFINITY);
        for (event, o) in plan.of_job(j, runs) {
            let (kind, what, at_s) = match o.cause {
                Cause::Loss if spec.restart_after_s.is_none() => (
                    "crash",
                    "crashes: GPUs of it have lost their power; without restart_after_s it does not start again",
                    o.from_s,
                ),
                Cause::Loss => (
                    "crash",
                    "crashes: GPUs of it have lost their power",
                    o.from_s,
                ),
                Cause::Shutdown if spec.restart_after_s.is_none() => (
                    "job_pause",
                    "ends for good: racks of it shut down, and without restart_after_s it does not start again",
                    o.from_s,
                ),
                Cause::Shutdown => (
                    "job_pause",
                    "ends: racks of it shut down; it starts again by its restart_after_s once they are back",
                    o.from_s,
                ),
                Cause::Maintenance => (
                    "job_pause",
                    "pauses: racks of it are drained; it starts again once they are back",
                    o.from_s,
                ),
                Cause::Switch { timeout_s } if o.work_s > o.from_s + timeout_s => (
                    "crash",
                    "crashes: it has waited for the network in vain",
                    o.from_s + timeout_s,
                ),
                Cause::Switch { .. } => (
                    "stall",
                    "waits: GPUs of it have lost their network",
                    o.from_s,
                ),
            };
            // What is down already is not struck again.
            let strikes = !gone_before(&course.interruptions, at_s);
            if strikes && at_s < stop_s && o.work_s > spec.start_s {
                add(PlannedEvent {
                    at_s,
                    kind,
                    element: spec.name.clone(),
                    text: format!("job `{}` {what} (events.{event})", spec.name),
                });
            }
        }
    }
}

/// What a batch job's node does in an outage of its rack: its phase meanwhile, and whether it starts anew afterwards.
pub(crate) fn of_batch(outage: &Outage, waits_in: PhaseKind) -> (PhaseKind, bool) {
    match outage.cause {
        Cause::Switch { .. } => (waits_in, false),
        Cause::Loss | Cause::Shutdown | Cause::Maintenance => (PhaseKind::Idle, true),
    }
}
