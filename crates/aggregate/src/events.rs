//! What the jobs are planned to do, and what happens to the site, at stated times.

use serde::Serialize;

use crate::event_plan::{Cause, EventPlan, Strike};
use crate::event_spec::SiteEventSpec;
use crate::job_outage;
use crate::placement::Placement;
use crate::site::SiteInput;
use crate::{JobSpec, TransferDirection};

/// Something a job does, or that happens to the site, at a stated time, whatever the realisation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedEvent {
    /// Time, seconds; 0 or later.
    pub at_s: f64,
    /// Kind: `job_start`, `job_stop`, `crash`, `restart`, `job_pause`, `stall`; `rack_loss`, `rack_return`, `switch_loss`, `switch_return`,
    /// `cooling_trip`, `cooling_return`, `shutdown`, `drain`, `transfer`, `transfer_end`.
    pub kind: &'static str,
    /// Job; racks as the scenario names them; `cooling`.
    pub element: String,
    /// In words.
    pub text: String,
}

/// Events of jobs and site from t = 0 on, in order of time.
pub(crate) fn planned(
    input: &SiteInput<'_>,
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
    job_outage::planned(input.jobs, plan, &placement.runs, |e| events.push(e));
    for (job, gpus) in input.jobs.iter().zip(&placement.gpus) {
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
