//! Whether a recording is good enough to rest a profile on.
//!
//! Validity criteria of source 003 (tokens per joule on B200: at least 60 s and 50 iterations without warmup, utilisation above 70 %, coefficient of
//! variation below 5 %, no thermal throttling), and of source 004 (power caps that do not bind and clocks that firmware lowers corrupt what is
//! attributed to them). A gate whose column is missing was not checked, and says so.

use ballast_units::Confidence;
use serde::Serialize;

use crate::segment::{Group, Label, Phase};
use crate::segment_signal::{moments, quantile};
use crate::{Recording, throttle};

/// How a gate came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GateStatus {
    /// Holds.
    Pass,
    /// Does not hold.
    Fail,
    /// The log has no column for it.
    NotChecked,
}

/// One gate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gate {
    /// What is asked.
    pub name: &'static str,
    /// How it came out.
    pub status: GateStatus,
    /// With the figures.
    pub finding: String,
}

/// Least duration of the steady part, seconds; least iterations; largest coefficient of variation; least utilisation (source 003).
const LEAST_S: f64 = 60.0;
const LEAST_ITERATIONS: f64 = 50.0;
const LARGEST_VARIATION: f64 = 0.05;
const LEAST_UTILISATION: f64 = 0.70;
/// Share of samples that may be held back before it counts, and how far clocks may stray.
const MAY_HOLD: f64 = 0.01;
const CLOCK: f64 = 0.03;

fn gate(name: &'static str, holds: bool, finding: String) -> Gate {
    let status = if holds {
        GateStatus::Pass
    } else {
        GateStatus::Fail
    };
    Gate {
        name,
        status,
        finding,
    }
}

fn unchecked(name: &'static str, finding: &str) -> Gate {
    Gate {
        name,
        status: GateStatus::NotChecked,
        finding: format!("not checked: {finding}"),
    }
}

/// Whether the phase is the work that a profile is made for.
pub(crate) fn is_steady(label: Label) -> bool {
    matches!(
        label,
        Label::Steady | Label::SteadyPrefill | Label::SteadyDecode | Label::Training
    )
}

/// The gates over the steady part of a group.
pub fn gates(recording: &Recording, group: &Group) -> Vec<Gate> {
    let steady: Vec<&Phase> = group.phases.iter().filter(|p| is_steady(p.label)).collect();
    let total_s: f64 = steady.iter().map(|p| p.duration_s()).sum();
    let mut found = vec![gate(
        "steady part at least 60 s",
        total_s >= LEAST_S,
        format!("{total_s:.1} s without warmup"),
    )];
    if steady.is_empty() {
        return found;
    }
    let count: f64 = steady.iter().filter_map(|p| p.cycle).map(|c| c.count).sum();
    found.push(if count > 0.0 {
        gate(
            "at least 50 iterations",
            count >= LEAST_ITERATIONS,
            format!("{count:.0} periods"),
        )
    } else {
        unchecked(
            "at least 50 iterations",
            "no period is visible in the power",
        )
    });
    // Every stretch by itself: two levels of one kind are not noise.
    let share = |p: &Phase| p.duration_s() / total_s;
    let left: f64 = steady
        .iter()
        .map(|p| share(p) * p.spread_w / p.level_w)
        .sum();
    let model = steady.iter().any(|p| p.cycle.is_some());
    found.push(gate(
        "coefficient of variation below 5 %",
        left < LARGEST_VARIATION,
        if model {
            format!("{:.1} % once the cycle is taken off", 100.0 * left)
        } else {
            format!("{:.1} %", 100.0 * left)
        },
    ));
    let used: Vec<f64> = steady
        .iter()
        .filter_map(|p| p.utilisation.map(|u| u * p.duration_s()))
        .collect();
    found.push(if used.len() == steady.len() {
        let mean = used.iter().sum::<f64>() / total_s;
        gate(
            "utilisation above 70 %",
            mean > LEAST_UTILISATION,
            format!("{:.0} % on average", 100.0 * mean),
        )
    } else {
        unchecked(
            "utilisation above 70 %",
            "the log has no utilisation (utilization.gpu)",
        )
    });
    held_back(recording, group, &steady, &mut found);
    found
}

fn within(time_s: f64, phases: &[&Phase]) -> bool {
    phases.iter().any(|p| time_s >= p.from_s && time_s < p.to_s)
}

/// Heat, power cap and clocks.
fn held_back(recording: &Recording, group: &Group, steady: &[&Phase], found: &mut Vec<Gate>) {
    let gpus = || group.gpus.iter().filter_map(|g| recording.gpus.get(*g));
    let reasons: Vec<u64> = gpus()
        .filter_map(|g| g.throttle.as_ref().map(|t| (g, t)))
        .flat_map(|(g, t)| g.time_s.iter().zip(t))
        // Bit 63: the reading failed.
        .filter(|(t, r)| within(**t, steady) && **r >> 63 == 0)
        .map(|(_, r)| *r)
        .collect();
    let share = |mask: u64| {
        reasons.iter().filter(|r| **r & mask != 0).count() as f64 / reasons.len().max(1) as f64
    };
    let thermal = throttle::THERMAL | throttle::HW_SLOWDOWN;
    found.push(if reasons.is_empty() {
        unchecked(
            "no thermal throttle",
            "the log has no throttle reasons (clocks_event_reasons.active)",
        )
    } else {
        gate(
            "no thermal throttle",
            share(thermal) == 0.0,
            format!("in {:.1} % of the samples", 100.0 * share(thermal)),
        )
    });
    let limits: Vec<f64> = gpus().filter_map(|g| g.limit_w).collect();
    let highest = steady.iter().map(|p| p.high_w).fold(0.0, f64::max);
    found.push(if !reasons.is_empty() {
        let capped = share(throttle::SW_POWER_CAP | throttle::HW_POWER_BRAKE);
        gate(
            "no power cap in force",
            capped <= MAY_HOLD,
            format!(
                "held back by power in {:.1} % of the samples",
                100.0 * capped
            ),
        )
    } else if let Some(limit) = limits.iter().copied().reduce(f64::min) {
        gate(
            "no power cap in force",
            highest < 0.97 * limit,
            format!(
                "95th percentile {highest:.0} W, limit {limit:.0} W; throttle reasons not logged"
            ),
        )
    } else {
        unchecked(
            "no power cap in force",
            "the log has neither throttle reasons nor a power limit",
        )
    });
    let mut strayed = Vec::new();
    for gpu in gpus() {
        if let Some(clock) = &gpu.sm_mhz {
            let inside: Vec<f64> = gpu
                .time_s
                .iter()
                .zip(clock)
                .filter(|(t, c)| within(**t, steady) && c.is_finite())
                .map(|(_, c)| *c)
                .collect();
            let usual = quantile(inside.iter().copied(), 0.5);
            if usual > 0.0 {
                let off = inside
                    .iter()
                    .filter(|c| (**c / usual - 1.0).abs() > CLOCK)
                    .count();
                strayed.push(off as f64 / inside.len() as f64);
            }
        }
    }
    found.push(if strayed.is_empty() {
        unchecked("clocks steady", "the log has no clocks (clocks.sm)")
    } else {
        let (mean, _) = moments(strayed.iter().copied());
        gate(
            "clocks steady",
            mean <= MAY_HOLD,
            format!(
                "more than 3 % off their median in {:.1} % of the samples",
                100.0 * mean
            ),
        )
    });
}

/// What may be trusted of a profile with these gates: a log without a meter has an unknown gain of about 5 % (Yang et al., SC24), so
/// no more than medium; low when a gate fails, or half of them could not be checked.
pub fn confidence(gates: &[Gate]) -> Confidence {
    let count = |s: GateStatus| gates.iter().filter(|g| g.status == s).count();
    if count(GateStatus::Fail) > 0 || 2 * count(GateStatus::NotChecked) >= gates.len() {
        Confidence::Low
    } else {
        Confidence::Medium
    }
}
