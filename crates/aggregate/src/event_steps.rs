//! Stretches of events that a step must be able to show.

use crate::event_spec::{
    CoolingTrip, DEFAULT_BOOT_S, DEFAULT_DRAIN_S, DEFAULT_SHUTDOWN_S, DEFAULT_TIMEOUT_S,
    DEFAULT_WALK_IN_S, SiteEventSpec, Transfer, TransferDirection,
};
use crate::iteration::SHORTEST_STEPS;

/// Share of a step that is rounding.
const ROUNDING: f64 = 1e-6;

/// A stretch of an event that is too short for the step, so that the load shows it late, in part or not at all.
#[derive(Debug, Clone, PartialEq)]
pub struct ShortStretch {
    /// What it is, in words.
    pub what: &'static str,
    /// How long it lasts, seconds; above 0.
    pub lasts_s: f64,
    /// The longest step that shows it, seconds.
    pub longest_step_s: f64,
}

impl SiteEventSpec {
    /// Stretches of the event that lie in a run from `start_s` to `end_s` (seconds, on the event's clock) and are shorter than two steps of
    /// `step_s` seconds; a sampled signal shows nothing shorter. Those that last no time at all are none.
    pub fn too_short_for(&self, step_s: f64, start_s: f64, end_s: f64) -> Vec<ShortStretch> {
        let short = |(what, from_s, lasts_s): (&'static str, f64, f64)| {
            let lies_in_run = from_s + lasts_s > start_s && from_s < end_s;
            let too_short = lasts_s > 0.0 && lasts_s < SHORTEST_STEPS * step_s * (1.0 - ROUNDING);
            (lies_in_run && too_short).then_some(ShortStretch {
                what,
                lasts_s,
                longest_step_s: lasts_s / SHORTEST_STEPS,
            })
        };
        // Racks that go one after another have the same stretches.
        let mut found: Vec<ShortStretch> = Vec::new();
        for stretch in self.stretches().into_iter().filter_map(short) {
            if found.iter().all(|f| f.what != stretch.what) {
                found.push(stretch);
            }
        }
        found
    }

    /// What each stretch is, when it begins and how long it lasts, seconds.
    fn stretches(&self) -> Vec<(&'static str, f64, f64)> {
        match self {
            Self::RackLoss(e) => {
                let Some(out_s) = e.restore_after_s else {
                    return Vec::new();
                };
                let boot_s = e.boot_s.unwrap_or(DEFAULT_BOOT_S);
                vec![
                    ("the time without power", e.at_s, out_s),
                    ("the boot", e.at_s + out_s, boot_s),
                ]
            }
            Self::SwitchLoss(e) => {
                let timeout_s = e.timeout_s.unwrap_or(DEFAULT_TIMEOUT_S);
                let mut all = Vec::new();
                if let Some(out_s) = e.restore_after_s {
                    all.push(("the time without network", e.at_s, out_s));
                }
                if e.restore_after_s.is_none_or(|out_s| timeout_s < out_s) {
                    all.push(("the wait before the crash", e.at_s, timeout_s));
                }
                all
            }
            Self::CoolingTrip(e) => trip(e),
            Self::Maintenance(e) => {
                let drain_s = e.drain_s.unwrap_or(DEFAULT_DRAIN_S);
                let boot_s = e.boot_s.unwrap_or(DEFAULT_BOOT_S);
                let (off_s, on_s) = (e.at_s + drain_s, e.at_s + e.duration_s);
                // Of the first rack and of the last, which has the same later.
                let of = |later_s: f64| {
                    [
                        ("the draining", e.at_s + later_s, drain_s),
                        ("the time without power", off_s + later_s, on_s - off_s),
                        ("the boot", on_s + later_s, boot_s),
                    ]
                };
                let racks = if e.stagger_s > 0.0 {
                    vec![0.0, e.stagger_s]
                } else {
                    vec![0.0]
                };
                racks.into_iter().flat_map(of).collect()
            }
            Self::Transfer(e) => transfer(e),
        }
    }
}

fn trip(e: &CoolingTrip) -> Vec<(&'static str, f64, f64)> {
    let mut all = Vec::new();
    if let Some(out_s) = e.restore_after_s {
        all.push(("the trip of the cooling", e.at_s, out_s));
    }
    let Some(from_s) = e.shutdown_at_s() else {
        return all;
    };
    let down_s = e.shutdown_s.unwrap_or(DEFAULT_SHUTDOWN_S);
    all.push(("the shutdown", from_s, down_s));
    if let Some(out_s) = e.restore_after_s {
        let off_s = from_s + down_s;
        let on_s = off_s.max(e.at_s + out_s);
        all.push(("the time without power", off_s, on_s - off_s));
        all.push(("the boot", on_s, e.boot_s.unwrap_or(DEFAULT_BOOT_S)));
    }
    all
}

fn transfer(e: &Transfer) -> Vec<(&'static str, f64, f64)> {
    let battery_s = e.battery_s.unwrap_or(0.0);
    let walk_in = (
        "the walk-in",
        e.at_s + battery_s,
        e.walk_in_s.unwrap_or(DEFAULT_WALK_IN_S),
    );
    match e.direction {
        TransferDirection::Away => Vec::new(),
        // Before they come the bus does not feed the racks anyway.
        TransferDirection::Here => vec![walk_in],
        TransferDirection::ThereAndBack => {
            vec![("the time on battery", e.at_s, battery_s), walk_in]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Maintenance, RackLoss, SwitchLoss};

    fn lengths(event: &SiteEventSpec, step_s: f64) -> Vec<f64> {
        let found = event.too_short_for(step_s, 0.0, 1000.0);
        found.into_iter().map(|s| s.lasts_s).collect()
    }

    #[test]
    fn each_stretch_shorter_than_two_steps_is_found() {
        let transfer = SiteEventSpec::Transfer(Transfer {
            at_s: 100.0,
            racks: vec!["r".into()],
            direction: TransferDirection::ThereAndBack,
            battery_s: Some(7.0),
            walk_in_s: Some(3.0),
            recharge_share: None,
            recharge_efficiency: None,
        });
        assert_eq!(lengths(&transfer, 10.0), [7.0, 3.0]);
        assert_eq!(lengths(&transfer, 3.5), [3.0]);
        assert_eq!(lengths(&transfer, 1.5), [0.0; 0]);
        // Before and after the run it does not matter.
        assert!(transfer.too_short_for(10.0, 110.0, 1000.0).is_empty());
        assert!(transfer.too_short_for(10.0, 0.0, 100.0).is_empty());
        let loss = SiteEventSpec::RackLoss(RackLoss {
            at_s: 100.0,
            racks: vec!["r".into()],
            restore_after_s: Some(4.0),
            boot_s: Some(0.0),
        });
        assert_eq!(lengths(&loss, 10.0), [4.0]);
        let switch = SiteEventSpec::SwitchLoss(SwitchLoss {
            at_s: 100.0,
            racks: vec!["r".into()],
            restore_after_s: Some(6.0),
            timeout_s: Some(2.0),
        });
        assert_eq!(lengths(&switch, 10.0), [6.0, 2.0]);
        let maintenance = SiteEventSpec::Maintenance(Maintenance {
            at_s: 100.0,
            racks: vec!["r".into()],
            duration_s: 66.0,
            stagger_s: 0.0,
            drain_s: Some(60.0),
            boot_s: Some(5.0),
        });
        assert_eq!(lengths(&maintenance, 10.0), [6.0, 5.0]);
        let trip = |restore_s| {
            SiteEventSpec::CoolingTrip(CoolingTrip {
                at_s: 100.0,
                share: 0.5,
                restore_after_s: Some(restore_s),
                rebound_s: None,
                rebound_share: None,
                shutdown_after_s: Some(20.0),
                racks: Vec::new(),
                shutdown_s: Some(8.0),
                boot_s: Some(30.0),
            })
        };
        assert_eq!(lengths(&trip(9.0), 10.0), [9.0]);
        assert_eq!(lengths(&trip(40.0), 10.0), [8.0, 12.0]);
    }
}
