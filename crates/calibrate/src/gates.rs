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

/// Levels, and periods, that differ by less are those of one phase that was interrupted (a checkpoint, a prompt).
const SAME: f64 = 0.10;

/// Whether two stretches are the same steady phase: of one kind, at one level, of one period.
fn same(a: &Phase, b: &Phase) -> bool {
    let near = |x: f64, y: f64| (x - y).abs() <= SAME * x.abs().max(y.abs());
    let periods = match (a.cycle, b.cycle) {
        (Some(a), Some(b)) => near(a.period_s, b.period_s),
        (None, None) => true,
        _ => false,
    };
    a.label == b.label && near(a.level_w, b.level_w) && periods
}

/// The steady phases, stretches of the same one together, the longest first.
fn same_phases<'a>(steady: &[&'a Phase]) -> Vec<Vec<&'a Phase>> {
    let mut classes: Vec<Vec<&Phase>> = Vec::new();
    for phase in steady {
        match classes.iter_mut().find(|class| same(class[0], phase)) {
            Some(class) => class.push(phase),
            None => classes.push(vec![phase]),
        }
    }
    classes.sort_by(|a, b| duration_s(b).total_cmp(&duration_s(a)));
    classes
}

fn duration_s(phases: &[&Phase]) -> f64 {
    phases.iter().map(|p| p.duration_s()).sum()
}

/// The gates over the steady part of a group. Duration and iterations are those of one steady phase, the longest: stretches of another
/// level or period are another phase.
pub fn gates(recording: &Recording, group: &Group) -> Vec<Gate> {
    let steady: Vec<&Phase> = group.phases.iter().filter(|p| is_steady(p.label)).collect();
    let classes = same_phases(&steady);
    let main: &[&Phase] = classes.first().map_or(&[], Vec::as_slice);
    let main_s = duration_s(main);
    let total_s = duration_s(&steady);
    let others = if classes.len() > 1 {
        format!(
            "; {:.1} s of {} other steady phase(s) do not count",
            total_s - main_s,
            classes.len() - 1
        )
    } else {
        String::new()
    };
    let mut found = vec![gate(
        "steady part at least 60 s",
        main_s >= LEAST_S,
        match main.first() {
            Some(first) => format!(
                "{main_s:.1} s of {} at {:.0} W in {} stretch(es), without warmup{others}",
                first.label.text(),
                first.level_w,
                main.len()
            ),
            None => "no steady phase".to_owned(),
        },
    )];
    if main.is_empty() {
        return found;
    }
    let count: f64 = main.iter().filter_map(|p| p.cycle).map(|c| c.count).sum();
    found.push(if count > 0.0 {
        gate(
            "at least 50 iterations",
            count >= LEAST_ITERATIONS,
            format!("{count:.0} periods of the same phase"),
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
    let name = "coefficient of variation below 5 %";
    found.push(if left.is_finite() {
        gate(
            name,
            left < LARGEST_VARIATION,
            if model {
                format!("{:.1} % once the cycle is taken off", 100.0 * left)
            } else {
                format!("{:.1} %", 100.0 * left)
            },
        )
    } else {
        unchecked(name, "the power reads 0 W")
    });
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

/// Gates that may be unchecked before confidence is low.
const MAY_BE_UNCHECKED: usize = 2;

/// What may be trusted of a profile with these gates.
///
/// High takes every gate checked and held, and a meter that told the cards' gain: else that is unknown by about 5 % (Yang et al., SC24).
/// Low when a gate fails, or when more than two could not be checked: a log without utilisation and throttle reasons cannot say what its
/// power is of. Medium between.
pub fn confidence(gates: &[Gate], gain_is_metered: bool) -> Confidence {
    let count = |s: GateStatus| gates.iter().filter(|g| g.status == s).count();
    let unchecked = count(GateStatus::NotChecked);
    if gates.is_empty() || count(GateStatus::Fail) > 0 || unchecked > MAY_BE_UNCHECKED {
        Confidence::Low
    } else if unchecked == 0 && gain_is_metered {
        Confidence::High
    } else {
        Confidence::Medium
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment_signal::Signal;
    use crate::{Cycle, GpuRecording};

    fn phase(label: Label, from_s: f64, to_s: f64, level_w: f64, period_s: Option<f64>) -> Phase {
        Phase {
            label,
            from_s,
            to_s,
            level_w,
            low_w: level_w,
            high_w: level_w,
            spread_w: 0.01 * level_w,
            correlation_time_s: None,
            cycle: period_s.map(|period_s| Cycle {
                period_s,
                jitter_s: 0.0,
                duty: 0.5,
                high_w: level_w,
                low_w: level_w,
                high_spread_w: 0.0,
                low_spread_w: 0.0,
                first_rise_s: from_s,
                count: (to_s - from_s) / period_s,
                beat_s: None,
            }),
            entered: None,
            utilisation: Some(0.9),
            memory_bytes: None,
            why: String::new(),
        }
    }

    fn found(phases: Vec<Phase>, columns: bool) -> Vec<Gate> {
        let time_s: Vec<f64> = (0..200).map(f64::from).collect();
        let gpu = GpuRecording {
            throttle: columns.then(|| vec![0; 200]),
            sm_mhz: columns.then(|| vec![1980.0; 200]),
            time_s,
            ..GpuRecording::default()
        };
        let group = Group {
            gpus: vec![0],
            mean: Signal {
                start_s: 0.0,
                dt_s: 1.0,
                value: vec![0.0; 200],
            },
            each: Vec::new(),
            phases,
            gaps: Vec::new(),
            reading: "instantaneous power",
            window_s: None,
        };
        let recording = Recording {
            gpus: vec![gpu],
            ..Recording::default()
        };
        gates(&recording, &group)
    }

    #[test]
    fn only_stretches_of_the_same_phase_are_summed() {
        let long = |phases| found(phases, true)[0].status;
        // Training interrupted by a checkpoint is one phase.
        let training = |from, to, level| phase(Label::Training, from, to, level, Some(1.0));
        assert_eq!(
            long(vec![
                training(0.0, 40.0, 500.0),
                training(50.0, 90.0, 505.0)
            ]),
            GateStatus::Pass
        );
        // Another level, another period or another kind is another phase.
        assert_eq!(
            long(vec![
                training(0.0, 40.0, 500.0),
                training(50.0, 90.0, 350.0)
            ]),
            GateStatus::Fail
        );
        assert_eq!(
            long(vec![
                training(0.0, 40.0, 500.0),
                phase(Label::Training, 50.0, 90.0, 500.0, Some(2.0))
            ]),
            GateStatus::Fail
        );
        assert_eq!(
            long(vec![
                phase(Label::SteadyDecode, 0.0, 40.0, 300.0, None),
                phase(Label::SteadyPrefill, 50.0, 90.0, 305.0, None)
            ]),
            GateStatus::Fail
        );
        let told = &found(
            vec![training(0.0, 40.0, 500.0), training(50.0, 90.0, 350.0)],
            true,
        )[0]
        .finding;
        assert!(told.contains("40.0 s of 1 other steady phase"), "{told}");
        // Iterations are not summed either: 49 and 40 of them.
        let gates = found(
            vec![training(0.0, 49.0, 500.0), training(50.0, 90.0, 350.0)],
            true,
        );
        assert_eq!(gates[1].status, GateStatus::Fail);
    }

    #[test]
    fn of_no_power_no_share_is_told() {
        let gates = found(vec![phase(Label::Steady, 0.0, 100.0, 0.0, None)], true);
        let variation = gates.iter().find(|g| g.name.starts_with("coefficient"));
        let variation = variation.expect("the gate is there");
        assert_eq!(variation.status, GateStatus::NotChecked);
        assert!(!variation.finding.contains("NaN"), "{variation:?}");
    }

    #[test]
    fn what_was_not_checked_lowers_confidence() {
        let steady = || vec![phase(Label::Training, 0.0, 100.0, 500.0, Some(1.0))];
        let gates = found(steady(), true);
        let unchecked = |g: &[Gate]| {
            g.iter()
                .filter(|g| g.status == GateStatus::NotChecked)
                .count()
        };
        assert_eq!(unchecked(&gates), 0, "{gates:?}");
        assert_eq!(confidence(&gates, true), Confidence::High);
        assert_eq!(confidence(&gates, false), Confidence::Medium);
        let bare = found(steady(), false);
        assert_eq!(unchecked(&bare), 3, "{bare:?}");
        assert_eq!(confidence(&bare, true), Confidence::Low);
        assert_eq!(confidence(&gates[..0], true), Confidence::Low);
        let inference = found(vec![phase(Label::Steady, 0.0, 100.0, 500.0, None)], true);
        assert_eq!(confidence(&inference, true), Confidence::Medium);
        let short = found(
            vec![phase(Label::Training, 0.0, 20.0, 500.0, Some(1.0))],
            true,
        );
        assert_eq!(confidence(&short, true), Confidence::Low);
    }
}
