//! What the site's events do to racks, jobs, cooling and bus, resolved.

use std::ops::Range;

use crate::event_spec::{
    CoolingTrip, DEFAULT_BOOT_S, DEFAULT_DRAIN_S, DEFAULT_REBOUND_SHARE,
    DEFAULT_RECHARGE_EFFICIENCY, DEFAULT_RECHARGE_SHARE, DEFAULT_SHUTDOWN_S, DEFAULT_TIMEOUT_S,
    DEFAULT_WALK_IN_S, SiteEventSpec, Transfer, TransferDirection,
};
use crate::place::Run;
use crate::site::GroupInfo;

/// Why a rack is out; what its jobs do depends on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cause {
    /// Power lost at once.
    Loss,
    /// Network lost; training waits for so long.
    Switch { timeout_s: f64 },
    /// Shut down for want of cooling.
    Shutdown,
    /// Planned.
    Maintenance,
}

/// A stretch in which a rack does no work. Times in seconds; infinite: never.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Outage {
    /// Its work ends; from here on it gets no new one.
    pub(crate) from_s: f64,
    /// It is without power from here…
    pub(crate) off_s: f64,
    /// …to here.
    pub(crate) on_s: f64,
    /// It works again.
    pub(crate) work_s: f64,
    pub(crate) cause: Cause,
}

/// One event with the racks it takes out.
#[derive(Debug, Clone)]
pub(crate) struct Strike {
    /// Number of the event in the scenario.
    pub(crate) event: usize,
    /// Each rack with its outage, in the order in which they go.
    pub(crate) racks: Vec<(usize, Outage)>,
}

/// A part of the cooling that stops.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Trip {
    pub(crate) from_s: f64,
    pub(crate) until_s: f64,
    pub(crate) share: f64,
    /// Absent: the cooling's lag.
    pub(crate) rebound_s: Option<f64>,
    pub(crate) rebound_share: f64,
}

/// Racks that are fed from elsewhere for a while.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TransferPlan {
    /// Racks as the scenario names them.
    pub(crate) name: String,
    /// In order of the site's racks.
    pub(crate) racks: Vec<usize>,
    /// The bus does not feed them from here (minus infinity: from the start)…
    pub(crate) off_s: f64,
    /// …the battery does from here…
    pub(crate) battery_s: f64,
    /// …until they come to the bus.
    pub(crate) on_s: f64,
    pub(crate) walk_in_s: f64,
    /// Share of the racks' rated power.
    pub(crate) recharge_share: f64,
    pub(crate) efficiency: f64,
}

/// All events, resolved.
#[derive(Debug, Clone, Default)]
pub(crate) struct EventPlan {
    pub(crate) strikes: Vec<Strike>,
    pub(crate) trips: Vec<Trip>,
    pub(crate) transfers: Vec<TransferPlan>,
    /// By rack, in order of time; empty if no rack is ever out.
    pub(crate) outages: Vec<Vec<Outage>>,
}

/// Racks by name: a group, or one rack of it (`<group>-003`). `None` if there is none of that name.
pub(crate) fn racks_named(name: &str, groups: &[GroupInfo]) -> Option<Range<usize>> {
    if let Some(group) = groups.iter().find(|g| g.name == name) {
        return Some(group.racks.clone());
    }
    groups.iter().find_map(|group| {
        let digits = name.strip_prefix(&group.name)?.strip_prefix('-')?;
        let number: usize = digits.parse().ok()?;
        let exact = format!("{number:03}") == digits;
        let rack = group.racks.start + number.checked_sub(1)?;
        (exact && group.racks.contains(&rack)).then_some(rack..rack + 1)
    })
}

fn racks_of(names: &[String], groups: &[GroupInfo]) -> Vec<usize> {
    let all = names.iter().filter_map(|n| racks_named(n, groups));
    all.flatten().collect()
}

/// What one event takes out.
pub(crate) fn strike(event: usize, spec: &SiteEventSpec, groups: &[GroupInfo]) -> Option<Strike> {
    let never = f64::INFINITY;
    let racks = racks_of(spec.racks(), groups);
    let all = |racks: Vec<usize>, outage: Outage| Strike {
        event,
        racks: racks.into_iter().map(|r| (r, outage)).collect(),
    };
    match spec {
        SiteEventSpec::RackLoss(e) => {
            let on_s = e.restore_after_s.map_or(never, |s| e.at_s + s);
            Some(all(
                racks,
                Outage {
                    from_s: e.at_s,
                    off_s: e.at_s,
                    on_s,
                    work_s: on_s + e.boot_s.unwrap_or(DEFAULT_BOOT_S),
                    cause: Cause::Loss,
                },
            ))
        }
        SiteEventSpec::SwitchLoss(e) => Some(all(
            racks,
            Outage {
                from_s: e.at_s,
                off_s: never,
                on_s: never,
                work_s: e.restore_after_s.map_or(never, |s| e.at_s + s),
                cause: Cause::Switch {
                    timeout_s: e.timeout_s.unwrap_or(DEFAULT_TIMEOUT_S),
                },
            },
        )),
        SiteEventSpec::CoolingTrip(e) => {
            let from_s = e.shutdown_at_s()?;
            let back_s = e.restore_after_s.map_or(never, |s| e.at_s + s);
            let off_s = from_s + e.shutdown_s.unwrap_or(DEFAULT_SHUTDOWN_S);
            // Cooling that is back before the racks are down finds them on their way; they go down first.
            let on_s = back_s.max(off_s);
            let racks = if e.racks.is_empty() {
                (0..groups.last().map_or(0, |g| g.racks.end)).collect()
            } else {
                racks
            };
            Some(all(
                racks,
                Outage {
                    from_s,
                    off_s,
                    on_s,
                    work_s: on_s + e.boot_s.unwrap_or(DEFAULT_BOOT_S),
                    cause: Cause::Shutdown,
                },
            ))
        }
        SiteEventSpec::Maintenance(e) => {
            let gaps = racks.len().saturating_sub(1).max(1) as f64;
            let one = |(k, rack): (usize, usize)| {
                let from_s = e.at_s + e.stagger_s * k as f64 / gaps;
                let on_s = from_s + e.duration_s;
                let outage = Outage {
                    from_s,
                    off_s: from_s + e.drain_s.unwrap_or(DEFAULT_DRAIN_S),
                    on_s,
                    work_s: on_s + e.boot_s.unwrap_or(DEFAULT_BOOT_S),
                    cause: Cause::Maintenance,
                };
                (rack, outage)
            };
            Some(Strike {
                event,
                racks: racks.into_iter().enumerate().map(one).collect(),
            })
        }
        SiteEventSpec::Transfer(_) => None,
    }
}

impl EventPlan {
    /// The events have no problems.
    pub(crate) fn new(events: &[SiteEventSpec], groups: &[GroupInfo]) -> Self {
        let mut plan = Self::default();
        for (i, event) in events.iter().enumerate() {
            plan.strikes.extend(strike(i, event, groups));
            match event {
                SiteEventSpec::CoolingTrip(e) => plan.trips.push(trip(e)),
                SiteEventSpec::Transfer(e) => plan.transfers.push(transfer(e, groups)),
                _ => {}
            }
        }
        plan.trips.sort_by(|a, b| a.from_s.total_cmp(&b.from_s));
        if plan.strikes.iter().any(|s| !s.racks.is_empty()) {
            plan.outages = vec![Vec::new(); groups.last().map_or(0, |g| g.racks.end)];
            for (rack, outage) in plan.strikes.iter().flat_map(|s| &s.racks) {
                plan.outages[*rack].push(*outage);
            }
            for outages in &mut plan.outages {
                outages.sort_by(|a, b| a.from_s.total_cmp(&b.from_s));
            }
        }
        plan
    }

    /// Outages of a rack, in order of time.
    pub(crate) fn of_rack(&self, rack: usize) -> &[Outage] {
        self.outages.get(rack).map_or(&[], Vec::as_slice)
    }

    /// What each event does to a job as a whole: from when its first rack is out to when its last works again.
    pub(crate) fn of_job<'a>(
        &'a self,
        job: usize,
        runs: &'a [Vec<Run>],
    ) -> impl Iterator<Item = (usize, Outage)> + 'a {
        let has = move |rack: usize| {
            runs.get(rack)
                .is_some_and(|r| r.iter().any(|r| r.job == Some(job) && r.end > r.start))
        };
        self.strikes.iter().filter_map(move |strike| {
            let hit = strike.racks.iter().filter(|(rack, _)| has(*rack));
            let whole = hit.map(|(_, o)| *o).reduce(|a, b| Outage {
                from_s: a.from_s.min(b.from_s),
                off_s: a.off_s.min(b.off_s),
                on_s: a.on_s.max(b.on_s),
                work_s: a.work_s.max(b.work_s),
                cause: a.cause,
            });
            whole.map(|o| (strike.event, o))
        })
    }
}

fn trip(e: &CoolingTrip) -> Trip {
    Trip {
        from_s: e.at_s,
        until_s: e.restore_after_s.map_or(f64::INFINITY, |s| e.at_s + s),
        share: e.share,
        rebound_s: e.rebound_s,
        rebound_share: e.rebound_share.unwrap_or(DEFAULT_REBOUND_SHARE),
    }
}

fn transfer(e: &Transfer, groups: &[GroupInfo]) -> TransferPlan {
    let mut racks = racks_of(&e.racks, groups);
    racks.sort_unstable();
    let away = e.direction == TransferDirection::Away;
    let never = f64::INFINITY;
    TransferPlan {
        name: e.racks.join(", "),
        racks,
        off_s: if e.direction == TransferDirection::Here {
            f64::NEG_INFINITY
        } else {
            e.at_s
        },
        battery_s: if away { never } else { e.at_s },
        on_s: if away {
            never
        } else {
            e.at_s + e.battery_s.unwrap_or(0.0)
        },
        walk_in_s: e.walk_in_s.unwrap_or(DEFAULT_WALK_IN_S),
        recharge_share: e.recharge_share.unwrap_or(DEFAULT_RECHARGE_SHARE),
        efficiency: e.recharge_efficiency.unwrap_or(DEFAULT_RECHARGE_EFFICIENCY),
    }
}
