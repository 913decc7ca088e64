//! The load around the worst moments of a run, kept while it goes by.

use std::collections::VecDeque;

use ballast_scenario::Scenario;

use super::follow::{LEAD_IN_S, LeadIn, Stretch};
use super::moments::{FIGURES, Figures, moment_s, wanted};
use crate::bess::SiteBess;
use crate::outcome::Extreme;

/// Time a plant gets to settle before its figures count, seconds.
pub(super) const SETTLE_S: f64 = 20.0;

/// Time before a worst moment whose figures count, beside the longest window of a limit, seconds.
const BEFORE_S: f64 = 5.0;

/// Time after it, seconds: less inertia or a slower engine has its extreme later.
const AFTER_S: f64 = 20.0;

/// Load around the worst moment of a figure.
pub(crate) struct Capture {
    pub(crate) figure: usize,
    /// The worst moment with its value.
    pub(crate) worst: Extreme,
    pub(crate) stretch: Stretch,
    /// Continuous part of the load at the start of the run, active and reactive, with the time that leads from there; none if the plants start there.
    pub(crate) lead_in: Option<LeadIn>,
    /// Batteries as they are at the first sample of the stretch.
    pub(crate) bess: SiteBess,
    pub(crate) w: Vec<f64>,
    pub(crate) var: Vec<f64>,
}

impl Capture {
    /// Number of the sample after the last that there is.
    pub(crate) fn end(&self) -> u64 {
        self.stretch.first + self.w.len() as u64
    }
}

/// Lengths of a stretch around a moment, samples of the load.
#[derive(Clone, Copy)]
struct Lengths {
    settle: u64,
    before: u64,
    after: u64,
}

/// Time around a worst moment that is looked at: leading in and settling, before it, after it, seconds.
pub(crate) fn around_s(scenario: &Scenario) -> (f64, f64, f64) {
    let limits = &scenario.limits;
    let windows = [
        limits
            .frequency_swing_hz
            .map(|_| limits.frequency_swing_window_s),
        limits.rocof_hz_per_s.map(|_| limits.rocof_window_s),
        limits
            .set_power_min_share
            .map(|_| limits.set_power_min_window_s),
    ];
    let window_s = windows.into_iter().flatten().fold(0.0, f64::max);
    (LEAD_IN_S + SETTLE_S, BEFORE_S + window_s, AFTER_S)
}

/// Keeps the last stretch of the load, and a copy of it around the worst moment of each figure.
pub(crate) struct Recorder {
    wanted: [bool; FIGURES],
    lengths: Lengths,
    dt_s: f64,
    pub(super) realisation: u32,
    /// First and last sample of the run.
    first: u64,
    last: u64,
    /// Samples kept: a stretch, and what may go by until a moment is known.
    kept: usize,
    load: VecDeque<(f64, f64)>,
    /// Batteries at the first sample of the run and at the last of each block that is kept, if there are batteries; with the number of the sample.
    bess: VecDeque<(u64, SiteBess)>,
    /// At the first sample of the run.
    first_load: Option<(f64, f64)>,
    /// Number of the next sample.
    next: u64,
    /// Worst moment of each figure whose stretch is not over.
    pending: Figures,
    seen: Figures,
    captures: [Option<Capture>; FIGURES],
}

impl Recorder {
    /// For samples `first` to `last` of realisation `realisation`, handed over in blocks of at most `block`; figures are known up to `late` samples late.
    pub(crate) fn new(
        scenario: &Scenario,
        (first, last): (u64, u64),
        realisation: u32,
        block: usize,
        late: usize,
    ) -> Self {
        let dt_s = scenario.simulation.step_s;
        let samples = |s: f64| (s / dt_s).ceil() as u64;
        let (_, before_s, after_s) = around_s(scenario);
        let lengths = Lengths {
            settle: samples(SETTLE_S),
            before: samples(before_s),
            after: samples(after_s).max(1),
        };
        let whole = (lengths.settle + lengths.before + lengths.after + 1).min(last - first + 1);
        Self {
            wanted: wanted(&scenario.limits),
            lengths,
            dt_s,
            realisation,
            first,
            last,
            // A stretch with batteries begins up to a block earlier.
            kept: whole as usize + 3 * block + late,
            load: VecDeque::new(),
            bess: if scenario.bess.is_empty() {
                VecDeque::new()
            } else {
                [(first, SiteBess::new(&scenario.bess))].into()
            },
            first_load: None,
            next: first,
            pending: [None; FIGURES],
            seen: [None; FIGURES],
            captures: [const { None }; FIGURES],
        }
    }

    /// Takes a block of the load, what is worst so far, and the batteries at its last sample.
    pub(crate) fn take(&mut self, w: &[f64], var: &[f64], figures: &Figures, bess: &SiteBess) {
        if let (None, Some(w), Some(var)) = (self.first_load, w.first(), var.first()) {
            self.first_load = Some((*w, *var));
        }
        self.load.extend(w.iter().copied().zip(var.iter().copied()));
        self.next += w.len() as u64;
        let gone = self.load.len().saturating_sub(self.kept);
        self.load.drain(..gone);
        if !bess.each().is_empty() && self.next > self.first {
            self.bess.push_back((self.next - 1, bess.clone()));
            let oldest = self.next - self.load.len() as u64;
            while self.bess.front().is_some_and(|(at, _)| *at < oldest) {
                self.bess.pop_front();
            }
        }
        for i in (0..FIGURES).filter(|i| self.wanted[*i]) {
            let same = |a: Option<Extreme>, b: Option<Extreme>| {
                a.map(|e| (e.value, e.at_s)) == b.map(|e| (e.value, e.at_s))
            };
            if !same(figures[i], self.seen[i]) {
                self.seen[i] = figures[i];
                self.pending[i] = figures[i];
            }
        }
        self.capture(false);
    }

    /// Copies the stretches that are over; with `end` all of them.
    fn capture(&mut self, end: bool) {
        for i in 0..FIGURES {
            let Some(worst) = self.pending[i] else {
                continue;
            };
            let Some(at_s) = moment_s(i, worst) else {
                self.pending[i] = None;
                continue;
            };
            let at = ((at_s / self.dt_s).floor().max(0.0) as u64).clamp(self.first, self.last);
            let until = (at + self.lengths.after).min(self.last);
            if until < self.next || end {
                self.captures[i] = self.copy(i, worst, at, until);
                self.pending[i] = None;
            }
        }
    }

    fn copy(&self, figure: usize, worst: Extreme, at: u64, until: u64) -> Option<Capture> {
        let oldest = self.next - self.load.len() as u64;
        let lead = self.lengths.settle + self.lengths.before;
        let oldest_bess = self.bess.front().map_or(oldest, |(at, _)| *at);
        let from = at
            .saturating_sub(lead)
            .max(self.first)
            .max(oldest)
            .max(oldest_bess);
        // Where the batteries are known, the plants start later than they.
        let mut known = self.bess.iter().rev().filter(|(at, _)| *at <= from);
        let (first, bess) = known.next().map_or_else(
            || (from, SiteBess::new(&[])),
            |(at, bess)| (*at, bess.clone()),
        );
        let to = (until + 1).min(self.next);
        if to <= from {
            return None;
        }
        // From the start of the run on, the plant starts as the run's own does.
        let counts_from = if from == self.first {
            from
        } else {
            (from + self.lengths.settle).min(at.max(from))
        };
        let kept = self
            .load
            .range((first - oldest) as usize..(to - oldest) as usize);
        let (w, var) = kept.copied().unzip();
        Some(Capture {
            figure,
            worst,
            stretch: Stretch {
                first,
                plants_from: from,
                counts_from,
                samples: until + 1 - first,
                realisation: self.realisation,
            },
            lead_in: (from > self.first)
                .then(|| LeadIn::over(from - self.first, self.dt_s, self.first_load)),
            bess,
            w,
            var,
        })
    }

    pub(crate) fn finish(mut self) -> [Option<Capture>; FIGURES] {
        self.capture(true);
        self.captures
    }
}

#[cfg(test)]
mod tests {
    use ballast_scenario::{OutputSpec, Scenario};

    use super::*;

    fn scenario(step_s: f64) -> Scenario {
        let text = format!(
            r#"{{ "scenario": {{ "name": "x" }}, "simulation": {{ "duration_s": 1000, "step_s": {step_s} }} }}"#
        );
        let scenario: Scenario = serde_json::from_str(&text).unwrap();
        assert_eq!(scenario.outputs, OutputSpec::default());
        scenario
    }

    fn low(value: f64, at_s: f64) -> Figures {
        let mut figures = [None; FIGURES];
        figures[0] = Some(Extreme {
            value,
            at_s,
            realisation: 1,
        });
        figures
    }

    /// The stretch is around the last worst moment, whatever the blocks, and has the load of its samples.
    #[test]
    fn the_stretch_around_the_worst_moment_is_kept() {
        for block in [1_usize, 7, 100] {
            let mut recorder = Recorder::new(&scenario(1.0), (0, 1000), 1, block, 3);
            let mut k = 0_u64;
            while k <= 1000 {
                let to = (k + block as u64).min(1001);
                let w: Vec<f64> = (k..to).map(|k| k as f64).collect();
                // Worse at 100 s, worst at 500 s.
                let figures = match to {
                    ..=100 => low(60.0, 0.0),
                    101..=500 => low(59.0, 100.0),
                    _ => low(58.0, 500.0),
                };
                recorder.take(&w, &w, &figures, &SiteBess::new(&[]));
                k = to;
            }
            let captures = recorder.finish();
            let capture = captures[0].as_ref().unwrap();
            assert_eq!(capture.worst.at_s, 500.0);
            let (first, last) = (500 - 25, 500 + 20);
            assert_eq!(
                (capture.w[0], capture.w[capture.w.len() - 1]),
                (f64::from(first), f64::from(last))
            );
            assert_eq!(capture.w.len() as u64, capture.stretch.samples);
            assert_eq!(capture.stretch.counts_from, 500 - 5);
            let lead_in = capture.lead_in.unwrap();
            assert_eq!((lead_in.load, lead_in.lasts_s), (Some((0.0, 0.0)), 20.0));
        }
    }

    #[test]
    fn a_stretch_at_the_end_is_cut_and_one_at_the_start_counts_whole() {
        let mut recorder = Recorder::new(&scenario(1.0), (0, 1000), 1, 10, 0);
        recorder.take(&[1.0; 8], &[0.0; 8], &low(59.0, 2.0), &SiteBess::new(&[]));
        let captures = recorder.finish();
        let capture = captures[0].as_ref().unwrap();
        assert_eq!((capture.stretch.first, capture.stretch.counts_from), (0, 0));
        assert!(capture.lead_in.is_none());
        // It was to be longer: the run ended.
        assert_eq!((capture.w.len(), capture.stretch.samples), (8, 23));
    }
}
