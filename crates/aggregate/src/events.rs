//! What the jobs are planned to do and what happens to the site at stated times, and what is drawn for a realisation.

use serde::Serialize;

use crate::event_plan::{Cause, EventPlan, Strike};
use crate::event_spec::SiteEventSpec;
use crate::interruption::gone_before;
use crate::job_outage;
use crate::placement::Placement;
use crate::racks::Streams;
use crate::site::{CoursePlan, JobPlan, SiteInput};
use crate::training_plan::TrainingPlan;
use crate::{JobSpec, TransferDirection};

/// Something a job does, or that happens to the site, at a stated time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedEvent {
    /// Time, seconds; 0 or later.
    pub at_s: f64,
    /// Kind: `job_start`, `job_stop`, `crash`, `more_crashes`, `restart`, `job_pause`, `stall`; `rack_loss`, `rack_return`, `switch_loss`, `switch_return`,
    /// `cooling_trip`, `cooling_return`, `shutdown`, `drain`, `transfer`, `transfer_end`.
    pub kind: &'static str,
    /// Job; racks as the scenario names them; `cooling`.
    pub element: String,
    /// In words.
    pub text: String,
}

/// Events of jobs and site from t = 0 on, in order of time, whatever the realisation.
pub(crate) fn planned(
    input: &SiteInput<'_>,
    jobs: &[JobPlan],
    plan: &EventPlan,
    placement: &Placement,
) -> Vec<PlannedEvent> {
    let mut events = Vec::new();
    of_site(input.events, plan, &mut |at_s, kind, element, text| {
        if at_s >= 0.0 && at_s.is_finite() {
            events.push(PlannedEvent {
                at_s,
                kind,
                element,
                text,
            });
        }
    });
    // What follows from an event stands behind it.
    job_outage::planned(input.jobs, jobs, plan, &placement.runs, |e| events.push(e));
    for ((spec, job), gpus) in input.jobs.iter().zip(jobs).zip(&placement.gpus) {
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
            JobSpec::Batch(b) if b.runs.is_empty() => {
                add("job_start", b.start_s, "starts its first node");
            }
            JobSpec::Batch(b) => {
                for (k, run) in b.runs.iter().enumerate() {
                    let label = run.label(k);
                    let text = format!("starts {label} on its first node");
                    add("job_start", run.start_s, &text);
                    let (kind, what) = if run.crash {
                        ("crash", "crashes: its GPUs fall to idle")
                    } else {
                        ("job_stop", "ends: its GPUs fall to idle")
                    };
                    let stop_s = run.stop_s.unwrap_or(f64::INFINITY);
                    add(kind, stop_s, &format!("in {label} {what}"));
                }
            }
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
        let holds = |s: &f64| {
            let within = down.from_s == *s || (down.from_s < *s && *s < down.until_s);
            within && !gone_before(&plan.interruptions, *s)
        };
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

/// Crashes at random of a job that are told one by one; more of them are counted.
const CRASHES_TOLD: u64 = 100;

/// Adds the random crashes of a job from t = 0 to `until_s`, with their restarts: the first [`CRASHES_TOLD`], and how many more there are.
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
    let (mut crashes, mut last_s) = (0, 0.0);
    while breaks.next_s(&plan.interruptions) < end_s {
        let random = breaks.next_is_random(&plan.interruptions);
        let Some((down, follows)) = breaks.take(&plan.interruptions) else {
            break;
        };
        if random {
            (crashes, last_s) = (crashes + 1, down.from_s);
        }
        if random && crashes <= CRASHES_TOLD {
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
    if crashes > CRASHES_TOLD {
        events.push(PlannedEvent {
            at_s: last_s,
            kind: "more_crashes",
            element: plan.name.clone(),
            text: format!(
                "job `{}`: and {} more crashes (drawn), the last one now; the first {CRASHES_TOLD} are told one by one",
                plan.name,
                crashes - CRASHES_TOLD
            ),
        });
    }
}

/// What happens to racks and cooling.
fn of_site(
    specs: &[SiteEventSpec],
    plan: &EventPlan,
    add: &mut impl FnMut(f64, &'static str, String, String),
) {
    for strike in &plan.strikes {
        if let Some(spec) = specs.get(strike.event) {
            of_strike(spec, strike, add);
        }
    }
    for spec in specs {
        match spec {
            SiteEventSpec::CoolingTrip(e) => {
                let share = 100.0 * e.share;
                let text = format!("{share:.0} % of the cooling stop");
                add(e.at_s, "cooling_trip", "cooling".to_owned(), text);
                let back_s = e.restore_after_s.map_or(f64::INFINITY, |s| e.at_s + s);
                let text = "the cooling that stopped can run again".to_owned();
                add(back_s, "cooling_return", "cooling".to_owned(), text);
            }
            SiteEventSpec::Transfer(e) => {
                let racks = e.racks.join(", ");
                let (what, back) = match e.direction {
                    TransferDirection::Away => ("leave this bus for good", None),
                    TransferDirection::Here => ("leave their other source", e.battery_s),
                    TransferDirection::ThereAndBack => ("leave this bus", e.battery_s),
                };
                let carried = if back.is_some() {
                    "; batteries carry them"
                } else {
                    ""
                };
                let text = format!("racks {racks} {what}{carried}");
                add(e.at_s, "transfer", racks.clone(), text);
                let back_s = back.map_or(f64::INFINITY, |s| e.at_s + s);
                let text = format!("racks {racks} come to this bus");
                add(back_s, "transfer_end", racks, text);
            }
            _ => {}
        }
    }
}

/// The first and the last of an event's racks as they go and come back.
fn of_strike(
    spec: &SiteEventSpec,
    strike: &Strike,
    add: &mut impl FnMut(f64, &'static str, String, String),
) {
    let (Some((_, first)), Some((_, last))) = (strike.racks.first(), strike.racks.last()) else {
        return;
    };
    let named = spec.racks().join(", ");
    let racks = if named.is_empty() {
        "all racks".to_owned()
    } else {
        format!("racks {named}")
    };
    let n = strike.racks.len();
    let element = if named.is_empty() {
        "all racks".to_owned()
    } else {
        named
    };
    let mut tell = |at_s: f64, kind, what: &str| {
        add(
            at_s,
            kind,
            element.clone(),
            format!("{racks} {what} ({n} in all)"),
        );
    };
    match first.cause {
        Cause::Loss => {
            tell(first.off_s, "rack_loss", "lose their power");
            tell(first.on_s, "rack_return", "have power again and boot");
        }
        Cause::Switch { .. } => {
            tell(first.from_s, "switch_loss", "lose their network");
            tell(first.work_s, "switch_return", "have their network again");
        }
        Cause::Shutdown => {
            tell(
                first.from_s,
                "shutdown",
                "shut down for want of cooling: they idle, then draw nothing",
            );
            tell(first.on_s, "rack_return", "have power again and boot");
        }
        Cause::Maintenance => {
            tell(
                first.from_s,
                "drain",
                "are drained one after another for maintenance",
            );
            tell(
                last.on_s,
                "rack_return",
                "are back from maintenance, the last one now, and boot",
            );
        }
    }
}
