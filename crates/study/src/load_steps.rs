//! Steps of the load as each set sees them, against the table of what it accepts.
//!
//! A step is the largest rise of a set's electrical power within a short window: a governor and a turbocharger cannot tell a ramp that is over
//! within their own answer from a step. A step that comes before the set has recovered from another counts together with it, from the level
//! before the first; the time to recover runs from when the load left that level. Streaming; memory is bounded by window over step, and by [`PLACES`] levels per set.

use std::collections::VecDeque;

use ballast_plant::{AcceptanceRow, Plant, PlantSpec, SetSpec, acceptance};
use ballast_scenario::Scenario;
use ballast_units::{Confidence, Grade};
use serde::Serialize;

use crate::merge::Merged;
use crate::sliding::SlidingLow;

/// Window of a step unless `limits.load_step_window_s` says otherwise, seconds: sets of engines are deepest some 0.3 to 1 s after a step
/// (dead time, lag of the actuator and swing of the inertia), so a ramp that is over by then looks like one. Estimated.
pub(crate) const WINDOW_S: f64 = 1.0;
/// Rises below this share of the rating are the load's noise, not a step. Estimated.
const SMALLEST_SHARE: f64 = 0.01;
/// Steps closer than this are the same but for rounding: the first of them is told.
const SAME_SHARE: f64 = 1e-9;
/// A step below this part of the largest one that is accepted needs no recovery: the dip goes with the step, the largest step of G2 dips by 10 %,
/// and the band of the recovery is ±1 % (ISO 8528-5; see `iso8528`).
const NO_RECOVERY: f64 = 0.1;
/// Levels that are kept of the steps that are not over, at most; closer than a so-manieth of the recovery they count as one, the lower.
const PLACES: f64 = 256.0;

/// Window of a step in a scenario, seconds.
pub(crate) fn window_s(scenario: &Scenario) -> f64 {
    scenario.limits.load_step_window_s.unwrap_or(WINDOW_S)
}

/// A step against the table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LoadStep {
    pub(crate) at_s: f64,
    /// Level before, share of rated; below zero where the set was driven.
    pub(crate) from_share: f64,
    pub(crate) step_share: f64,
    pub(crate) allowed_share: f64,
    pub(crate) recovery_s: f64,
}

impl LoadStep {
    /// By how much it is beyond what is accepted, share of rated; negative within.
    pub(crate) fn excess_share(&self) -> f64 {
        self.step_share - self.allowed_share
    }
}

/// A level from which the set stepped and has not recovered.
#[derive(Debug, Clone, Copy)]
struct Level {
    share: f64,
    first_s: f64,
    last_s: f64,
}

/// Steps of one set.
#[derive(Debug, Clone)]
struct SetWatch {
    table: Vec<AcceptanceRow>,
    /// Longest time of the table until the next step, seconds.
    recovery_s: f64,
    recent: SlidingLow,
    dt_s: f64,
    /// Levels of steps that are not over: both time and level rise.
    open: VecDeque<Level>,
    worst: Option<LoadStep>,
}

impl SetWatch {
    fn new(set: &SetSpec, window_s: f64, dt_s: f64) -> Self {
        Self {
            recovery_s: set
                .acceptance
                .iter()
                .map(|row| row.recovery_s)
                .fold(0.0, f64::max),
            table: set.acceptance.clone(),
            recent: SlidingLow::new(window_s, dt_s),
            dt_s,
            open: VecDeque::with_capacity(PLACES as usize + 2),
            worst: None,
        }
    }

    fn take(&mut self, share: f64, at_s: f64) {
        let (low, ago) = self.recent.take(share);
        let rise = share - low;
        if rise < SMALLEST_SHARE {
            return;
        }
        // A set that is driven steps from no load, by all of the rise.
        let Some(accepted) = acceptance(&self.table, low.max(0.0), rise) else {
            return;
        };
        if rise < NO_RECOVERY * accepted.largest_step_share {
            return self.judge(low, rise, at_s);
        }
        while self
            .open
            .front()
            .is_some_and(|level| level.last_s + self.recovery_s < at_s)
        {
            self.open.pop_front();
        }
        let from = self.open.front().map_or(low, |level| level.share.min(low));
        self.judge(from, share - from, at_s);
        // The time to recover runs from when it left that level.
        self.note(low, at_s - ago as f64 * self.dt_s);
    }

    /// Keeps the level of a step.
    fn note(&mut self, share: f64, at_s: f64) {
        while self.open.back().is_some_and(|level| level.share >= share) {
            self.open.pop_back();
        }
        let apart_s = self.recovery_s / PLACES;
        match self.open.back_mut() {
            Some(level) if at_s - level.first_s < apart_s => level.last_s = at_s,
            _ => self.open.push_back(Level {
                share,
                first_s: at_s,
                last_s: at_s,
            }),
        }
    }

    fn judge(&mut self, from_share: f64, step_share: f64, at_s: f64) {
        let Some(accepted) = acceptance(&self.table, from_share.max(0.0), step_share) else {
            return;
        };
        let step = LoadStep {
            at_s,
            from_share,
            step_share,
            allowed_share: accepted.largest_step_share,
            recovery_s: accepted.recovery_s,
        };
        if self
            .worst
            .is_none_or(|worst| step.excess_share() > worst.excess_share() + SAME_SHARE)
        {
            self.worst = Some(step);
        }
    }
}

/// Steps of all sets in one realisation.
#[derive(Debug, Clone)]
pub(crate) struct LoadSteps(Vec<SetWatch>);

impl LoadSteps {
    pub(crate) fn new(spec: &PlantSpec, window_s: f64, dt_s: f64) -> Self {
        let watch = |set: &SetSpec| SetWatch::new(set, window_s, dt_s);
        Self(spec.sets.iter().map(watch).collect())
    }

    pub(crate) fn take(&mut self, plant: &Plant, at_s: f64) {
        for (i, set) in self.0.iter_mut().enumerate() {
            if set.table.is_empty() {
                continue;
            }
            match plant.loading(i) {
                Some(share) => set.take(share, at_s),
                None => set.recent.clear(),
            }
        }
    }

    /// Worst step of each set; none where there was none, or no table.
    pub(crate) fn finish(self) -> Vec<Option<LoadStep>> {
        self.0.into_iter().map(|set| set.worst).collect()
    }
}

/// What a set accepts and what it met.
#[derive(Debug, Clone, Serialize)]
pub struct AcceptanceKpis {
    /// What the table rests on.
    pub source: String,
    /// How it came to be known; absent where nobody said.
    pub grade: Option<Grade>,
    /// How far it can be trusted; absent where nobody said.
    pub confidence: Option<Confidence>,
    /// Window within which a rise counts as a step, seconds.
    pub window_s: f64,
    /// The step that is farthest beyond the table, or nearest to it; absent where the load never stepped.
    pub worst: Option<LoadStepKpis>,
}

/// A load step of one set, shares of its rated power at its terminals.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct LoadStepKpis {
    /// When it was complete, seconds.
    pub at_s: f64,
    /// Realisation (from 1).
    pub realisation: u32,
    /// Load before, share of rated.
    pub from_share: f64,
    /// The step, share of rated, with those before it that were not over.
    pub step_share: f64,
    /// Largest step that is accepted from there, share of rated.
    pub allowed_share: f64,
    /// Time until the next step as the table has it, seconds.
    pub recovery_s: f64,
}

/// The worst step of set `i` over all realisations, with its realisation.
pub(crate) fn worst_of_set(merged: &Merged, i: usize) -> Option<(u32, LoadStep)> {
    let steps = merged.each.iter().filter_map(|e| {
        let step = (*e.plant.as_ref()?.watched.steps.get(i)?)?;
        Some((e.realisation, step))
    });
    steps.reduce(|a, b| {
        if b.1.excess_share() > a.1.excess_share() {
            b
        } else {
            a
        }
    })
}

/// What set `i` accepts; none without a table.
pub(crate) fn acceptance_kpis(
    scenario: &Scenario,
    merged: &Merged,
    i: usize,
) -> Option<AcceptanceKpis> {
    let set = scenario.plant.as_ref()?.sets.get(i)?;
    if set.acceptance.is_empty() {
        return None;
    }
    let said = set.provenance.get("acceptance");
    Some(AcceptanceKpis {
        source: said.map_or_else(|| "not said".to_owned(), |p| p.source.clone()),
        grade: said.map(|p| p.grade),
        confidence: said.map(|p| p.confidence),
        window_s: window_s(scenario),
        worst: worst_of_set(merged, i).map(|(realisation, step)| LoadStepKpis {
            at_s: step.at_s,
            realisation,
            from_share: step.from_share,
            step_share: step.step_share,
            allowed_share: step.allowed_share,
            recovery_s: step.recovery_s,
        }),
    })
}

/// The worst of all sets in one realisation, with its set.
pub(crate) fn worst_of_realisation(steps: &[Option<LoadStep>]) -> Option<(usize, LoadStep)> {
    let steps = steps
        .iter()
        .enumerate()
        .filter_map(|(i, s)| Some((i, (*s)?)));
    steps.reduce(|a, b| {
        if b.1.excess_share() > a.1.excess_share() {
            b
        } else {
            a
        }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use ballast_plant::AcceptanceRow;

    use super::{PLACES, SMALLEST_SHARE, SetWatch, SlidingLow};

    const DT_S: f64 = 0.01;

    /// 0 → 50 → 80 → 100 %, 5 s between.
    fn watch() -> SetWatch {
        let row = |(from_share, step_share)| AcceptanceRow {
            from_share,
            step_share,
            recovery_s: 5.0,
        };
        SetWatch {
            table: [(0.0, 0.5), (0.5, 0.3), (0.8, 0.2)]
                .into_iter()
                .map(row)
                .collect(),
            recovery_s: 5.0,
            recent: SlidingLow::new(1.0, DT_S),
            dt_s: DT_S,
            open: VecDeque::default(),
            worst: None,
        }
    }

    /// Load over time at `DT_S`.
    fn run(duration_s: f64, load: impl Fn(f64) -> f64) -> SetWatch {
        let mut watch = watch();
        for k in 0..=(duration_s / DT_S).round() as u64 {
            let t = k as f64 * DT_S;
            watch.take(load(t), t);
        }
        watch
    }

    fn at(t: f64, since: f64) -> f64 {
        if t >= since - 1e-9 { 1.0 } else { 0.0 }
    }

    #[test]
    fn a_single_step_is_what_it_is() {
        let worst = run(10.0, |t| 0.2 + 0.4 * at(t, 3.0)).worst.unwrap();
        assert!((worst.from_share - 0.2).abs() < 1e-12 && (worst.step_share - 0.4).abs() < 1e-12);
        // 0.5 at no load, 0.3 at half: 0.42 at 0.2.
        assert!((worst.allowed_share - 0.42).abs() < 1e-12);
        assert!((worst.at_s - 3.0).abs() < 1e-9 && worst.excess_share() < 0.0);
        let worst = run(10.0, |t| 0.2 + 0.45 * at(t, 3.0)).worst.unwrap();
        assert!((worst.excess_share() - 0.03).abs() < 1e-12);
    }

    #[test]
    fn steps_before_the_recovery_is_over_count_together() {
        let two = |apart: f64| run(30.0, move |t| 0.4 * at(t, 3.0) + 0.3 * at(t, 3.0 + apart));
        let together = two(4.95).worst.unwrap();
        assert!((together.step_share - 0.7).abs() < 1e-12 && together.from_share == 0.0);
        assert!(together.excess_share() > 0.0);
        let apart = two(5.02).worst.unwrap();
        assert!(apart.excess_share() < 0.0, "{apart:?}");
        // A fall between takes nothing from the level before; one below it does.
        let dip = |to: f64| {
            run(20.0, move |t| {
                0.4 * at(t, 3.0) - (0.4 - to) * at(t, 5.0) + 0.3 * at(t, 6.5)
            })
        };
        assert!((dip(0.3).worst.unwrap().step_share - 0.6).abs() < 1e-12);
        let low = run(20.0, |t| {
            0.2 + 0.3 * at(t, 3.0) - 0.5 * at(t, 5.0) + 0.45 * at(t, 6.5)
        });
        let worst = low.worst.unwrap();
        assert!((worst.step_share - 0.45).abs() < 1e-12 && worst.from_share.abs() < 1e-12);
    }

    #[test]
    fn a_ramp_is_a_step_by_what_it_rises_in_the_window() {
        let fast = run(10.0, |t| (t - 3.0).clamp(0.0, 0.5)).worst.unwrap();
        assert!(
            (fast.step_share - 0.5).abs() < 1e-9,
            "within the window: a step"
        );
        // 2 % a second is less than a tenth of what is accepted: nothing adds up.
        let slow = run(40.0, |t| 0.02 * t).worst.unwrap();
        assert!(slow.step_share < 0.021, "{slow:?}");
        // 20 % a second: a train of steps that the set has no time to recover from.
        let hard = run(10.0, |t| (0.2 * (t - 3.0)).clamp(0.0, 0.9))
            .worst
            .unwrap();
        assert!((hard.step_share - 0.9).abs() < 1e-9 && hard.excess_share() > 0.0);
    }

    #[test]
    fn noise_is_no_step_and_a_cycle_does_not_remember_for_ever() {
        let noise = |t: f64| 0.9 * SMALLEST_SHARE * (2.0 * t).sin().abs();
        assert_eq!(run(20.0, |t| 0.97 + noise(t)).worst, None);
        // From no load to a cycle of 0.2 every 2 s: what happened a minute ago is over.
        let cycle = |t: f64| {
            let high = at((t / 2.0).fract(), 0.5);
            0.4 * at(t, 3.0) + 0.2 * high * at(t, 20.0) + 0.1 * at(t, 12.0)
        };
        let worst = run(60.0, cycle).worst.unwrap();
        assert!(worst.excess_share() < 0.0, "{worst:?}");
    }

    #[test]
    fn memory_is_bounded() {
        // Rises all the time, a little more each cycle: every level could count.
        let mut watch = watch();
        for k in 0..200_000_u32 {
            let t = f64::from(k) * 1e-3;
            watch.take(0.2 + 0.1 * (t * 3.0).fract() + 1e-3 * t, t);
            assert!(watch.open.len() <= PLACES as usize + 2);
        }
        assert!(watch.worst.is_some());
    }
}
