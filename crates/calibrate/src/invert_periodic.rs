//! Levels and edges of a periodic load from readings that are means over a window.

use std::fmt;

use crate::invert::Corrected;
use crate::invert_fold::{MOST_LEVELS, Seen};
use crate::invert_search::{Fitter, fill, peaks};
use crate::sensor::boxcar_gain;

/// Gain of the window at the load's fundamental below which levels are not told.
pub const LEAST_GAIN: f64 = 0.2;
/// Cycles of a sine in a window at which a boxcar's gain is [`LEAST_GAIN`]: `sin(πc)/(πc) = 0.2`.
const LEAST_GAIN_CYCLES: f64 = 0.8277;
/// Shortest period looked for by itself, in windows, where the sensor looks for less than half of the time. Seen only at multiples of `T`, a
/// period of frequency `f` folds like `n/T − f`, and where `n·w/T` is whole a window of `1 − f·w` turns shows what one of `f·w` turns does,
/// upside down: behind 25 ms of every 100 ms 19 Hz and 21 Hz are the same readings, with levels further apart at 21 Hz.
const IMAGE_WINDOWS: f64 = 1.9;
/// Fewest updates for a search.
pub(crate) const LEAST_UPDATES: usize = 24;
/// Fewest periods in the stretch.
const LEAST_CYCLES: f64 = 3.0;
/// Share of the variance that a periodic load must explain.
const LEAST_EXPLAINED: f64 = 0.5;
/// Part of a period that may lie between two neighbouring looks.
const WIDEST_GAP: f64 = 0.15;

/// Periods below which a window of this length lets less than [`LEAST_GAIN`] through, seconds.
pub(crate) fn hidden_below_s(window_s: f64) -> f64 {
    window_s / LEAST_GAIN_CYCLES
}

/// What to look for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PeriodSearch {
    /// Period where it is known (the load was made so), seconds.
    pub known_s: Option<f64>,
    /// Shortest period looked for, seconds; by default 1.9 windows, or, where the window is more than half of the
    /// update period, that of which the window lets a fifth through.
    pub shortest_s: Option<f64>,
    /// Longest period looked for, seconds; by default a third of the stretch.
    pub longest_s: Option<f64>,
    /// Stretch of the recording, seconds; by default all of it.
    pub stretch_s: Option<(f64, f64)>,
    /// Most levels, 2 to 6.
    pub most_levels: usize,
}

impl Default for PeriodSearch {
    fn default() -> Self {
        Self {
            known_s: None,
            shortest_s: None,
            longest_s: None,
            stretch_s: None,
            most_levels: 4,
        }
    }
}

/// One level of a periodic load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PeriodicLevel {
    /// When it begins in one of the periods, seconds on the recording's clock.
    pub from_s: f64,
    /// Standard error of that, seconds.
    pub from_se_s: f64,
    /// How long it lasts, seconds.
    pub seconds: f64,
    /// Power, watts.
    pub power_w: f64,
    /// Statistical standard error, watts.
    pub power_se_w: f64,
}

/// A periodic load.
#[derive(Debug, Clone, PartialEq)]
pub struct PeriodicLoad {
    /// Period, seconds.
    pub period_s: f64,
    /// Levels in the order of time; `None` where they cannot be told, with the reason in the notes.
    pub levels: Option<Vec<PeriodicLevel>>,
    /// Mean power over a period, watts; over the stretch's readings where the levels cannot be told.
    pub mean_w: f64,
    /// Statistical standard error of it, watts.
    pub mean_se_w: f64,
    /// Systematic error of mean and levels (gain of the card), relative.
    pub systematic: f64,
    /// Mean of the same readings, each update once, gain and offset taken out, for comparison, watts.
    pub naive_mean_w: f64,
    /// Gain of the window at the fundamental, 0 to 1.
    pub gain: f64,
    /// Share of the variance of the readings that the load explains, 0 to 1.
    pub explained: f64,
    /// Other periods that would explain them as well, seconds.
    pub other_periods_s: Vec<f64>,
    /// Stretch it holds for, seconds.
    pub stretch_s: (f64, f64),
    /// What it cannot say.
    pub notes: Vec<String>,
}

impl fmt::Display for PeriodicLoad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "period {:.6} s, mean {:.2} W ± {:.2} W (statistical) ± {:.0} % (gain of the card), averaging the readings gives {:.2} W",
            self.period_s,
            self.mean_w,
            self.mean_se_w,
            100.0 * self.systematic,
            self.naive_mean_w
        )?;
        for level in self.levels.iter().flatten() {
            write!(
                f,
                "\n  {:.2} W ± {:.2} W for {:.4} s from {:.4} s ± {:.4} s",
                level.power_w, level.power_se_w, level.seconds, level.from_s, level.from_se_s
            )?;
        }
        for note in &self.notes {
            write!(f, "\n{note}")?;
        }
        Ok(())
    }
}

/// Why there is no periodic load.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum PeriodError {
    /// Too few updates.
    #[error("{0} updates in the stretch: a periodic load needs at least {LEAST_UPDATES}")]
    TooFew(usize),
    /// Nothing moves.
    #[error(
        "the readings do not move between {shortest_s:.4} s and {longest_s:.1} s: the load is steady, or faster than the sensor shows"
    )]
    Steady {
        /// Shortest period looked for, seconds.
        shortest_s: f64,
        /// Longest, seconds.
        longest_s: f64,
    },
    /// Nothing periodic explains the readings.
    #[error("no period between {shortest_s:.4} s and {longest_s:.1} s explains the readings: the best explains {:.0} % of their variance", 100.0 * .explained)]
    NoPeriod {
        /// Shortest period looked for, seconds.
        shortest_s: f64,
        /// Longest, seconds.
        longest_s: f64,
        /// Best share of the variance.
        explained: f64,
    },
    /// A search that cannot be.
    #[error(
        "periods must be finite and above 0, the shortest below the longest, the stretch at least three periods"
    )]
    Search,
}

/// The readings of a stretch.
struct Stretch {
    update_s: Vec<f64>,
    value_w: Vec<f64>,
    window_s: f64,
    span_s: f64,
    mean_w: f64,
    /// Sum of the squares about the mean.
    scatter: f64,
}

fn stretch(corrected: &Corrected, (from_s, to_s): (f64, f64)) -> Result<Stretch, PeriodError> {
    let window_s = corrected.window_s.unwrap_or(0.0);
    let half_s = 0.5 * window_s;
    let (update_s, value_w): (Vec<f64>, Vec<f64>) = corrected
        .time_s
        .iter()
        .zip(&corrected.power_w)
        .filter(|(t, _)| **t - half_s >= from_s && **t + half_s <= to_s)
        .map(|(t, w)| (t + half_s, *w))
        .unzip();
    if update_s.len() < LEAST_UPDATES {
        return Err(PeriodError::TooFew(update_s.len()));
    }
    let mean_w = value_w.iter().sum::<f64>() / value_w.len() as f64;
    Ok(Stretch {
        window_s,
        span_s: update_s[update_s.len() - 1] - update_s[0],
        mean_w,
        scatter: value_w.iter().map(|v| (v - mean_w) * (v - mean_w)).sum(),
        update_s,
        value_w,
    })
}

/// Shortest and longest period to look for.
fn range(found: &Stretch, search: &PeriodSearch) -> Result<(f64, f64), PeriodError> {
    let interval_s = found.span_s / (found.update_s.len() as f64 - 1.0);
    let by_window = if found.window_s <= 0.0 {
        2.0 * interval_s
    } else if found.window_s < 0.5 * interval_s {
        IMAGE_WINDOWS * found.window_s
    } else {
        found.window_s / LEAST_GAIN_CYCLES
    };
    let most_s = found.span_s / LEAST_CYCLES;
    let shortest_s = search.known_s.or(search.shortest_s).unwrap_or(by_window);
    let longest_s = search
        .known_s
        .or(search.longest_s)
        .unwrap_or(most_s)
        .min(most_s);
    if shortest_s > 0.0 && longest_s >= shortest_s {
        Ok((shortest_s, longest_s))
    } else {
        Err(PeriodError::Search)
    }
}

/// Finds a periodic load of a few levels by least squares with the window in the model.
///
/// Candidates are the highest peaks of the periodogram at the updates' own instants (aliases by the update rhythm among them, since each
/// folds to another shape behind the window) with twice and three times the highest; each is fitted with two levels, the four best with
/// more while Bayes' information criterion falls by more than ten. What counts is the criterion with the residual scaled by how far the
/// levels reach beyond the readings.
pub fn periodic(corrected: &Corrected, search: &PeriodSearch) -> Result<PeriodicLoad, PeriodError> {
    let (from_s, to_s) = search
        .stretch_s
        .unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
    let found = stretch(corrected, (from_s, to_s))?;
    let (shortest_s, longest_s) = range(&found, search)?;
    let n = found.update_s.len() as f64;
    let mut load = PeriodicLoad {
        period_s: shortest_s,
        levels: None,
        mean_w: found.mean_w,
        mean_se_w: found.scatter.sqrt() / n,
        systematic: if corrected.mean_w == 0.0 {
            0.0
        } else {
            corrected.mean_systematic_w / corrected.mean_w.abs()
        },
        naive_mean_w: found.mean_w,
        gain: 1.0,
        explained: 0.0,
        other_periods_s: Vec::new(),
        stretch_s: (
            from_s.max(found.update_s[0] - found.window_s),
            to_s.min(found.update_s[found.update_s.len() - 1]),
        ),
        notes: Vec::new(),
    };
    if let Some(period_s) = search.known_s
        && let Some(why) = unidentifiable(&mut load, &found, period_s)
    {
        load.notes.push(why);
        return Ok(load);
    }
    if found.scatter <= 1e-12 * (1.0 + found.mean_w * found.mean_w) * n {
        return Err(PeriodError::Steady {
            shortest_s,
            longest_s,
        });
    }
    let seen = Seen {
        update_s: &found.update_s,
        value_w: &found.value_w,
        window_s: found.window_s.max(1e-6),
    };
    let fitter = Fitter::new(seen, found.span_s, found.scatter);
    let candidates = search.known_s.map_or_else(
        || peaks(seen, found.mean_w, found.scatter, shortest_s, longest_s),
        |period_s| vec![period_s],
    );
    let (best, others) = fitter.best(&candidates, search.most_levels.clamp(2, MOST_LEVELS));
    let explained = best
        .as_ref()
        .map_or(0.0, |best| 1.0 - best.cost / found.scatter);
    let Some(shape) = best.filter(|_| explained >= LEAST_EXPLAINED) else {
        return Err(PeriodError::NoPeriod {
            shortest_s,
            longest_s,
            explained,
        });
    };
    load.period_s = shape.period_s;
    load.explained = explained;
    load.other_periods_s = others;
    if !load.other_periods_s.is_empty() {
        let others: Vec<String> = load
            .other_periods_s
            .iter()
            .map(|period_s| format!("{period_s:.5} s"))
            .collect();
        load.notes.push(format!(
            "a period of {} would explain the readings as well, with other levels",
            others.join(" or ")
        ));
    }
    match unidentifiable(&mut load, &found, shape.period_s) {
        Some(why) => load.notes.push(why),
        None => fill(&mut load, &fitter, &shape),
    }
    if found.window_s > 0.0 {
        load.notes.push(format!(
            "rises within the window of {:.1} ms are not resolved: edges are steps",
            1e3 * found.window_s
        ));
    }
    Ok(load)
}

/// Why levels of a period cannot be told, if so; puts the window's gain into the load.
fn unidentifiable(load: &mut PeriodicLoad, found: &Stretch, period_s: f64) -> Option<String> {
    load.gain = boxcar_gain(found.window_s / period_s);
    let gap = widest_gap(&found.update_s, found.window_s, period_s);
    if load.gain < LEAST_GAIN {
        Some(unidentifiable_by_window(
            load.gain,
            found.window_s,
            period_s,
        ))
    } else if gap > WIDEST_GAP {
        Some(unidentifiable_by_step(gap))
    } else {
        None
    }
}

fn unidentifiable_by_window(gain: f64, window_s: f64, period_s: f64) -> String {
    format!(
        "levels unidentifiable: a window of {:.1} ms lets {:.1} % of a period of {:.2} ms through (below {:.0} % nothing is told); the mean stands",
        1e3 * window_s,
        100.0 * gain,
        1e3 * period_s,
        100.0 * LEAST_GAIN
    )
}

fn unidentifiable_by_step(gap: f64) -> String {
    format!(
        "levels unidentifiable: load and sensor keep step, and {:.0} % of the period in one piece is never looked at; vary the load's phase",
        100.0 * gap
    )
}

/// Largest part of the period that no window looks at, 0 to 1.
fn widest_gap(update_s: &[f64], window_s: f64, period_s: f64) -> f64 {
    let mut phases: Vec<f64> = update_s
        .iter()
        .map(|u| (u / period_s).rem_euclid(1.0))
        .collect();
    phases.sort_by(f64::total_cmp);
    let around = phases.first().map_or(1.0, |first| first + 1.0);
    let apart = |i: usize| phases.get(i + 1).copied().unwrap_or(around) - phases[i];
    let widest = (0..phases.len()).map(apart).fold(0.0, f64::max);
    (widest - window_s / period_s).max(0.0)
}

impl Corrected {
    /// Mean over the recording where a periodic load fills a stretch of it: readings outside, the load's mean inside; and its
    /// statistical standard error (mean and ends of the load), watts.
    pub fn mean_with(&self, load: &PeriodicLoad) -> (f64, f64) {
        let (from_s, to_s) = load.stretch_s;
        let mut joules = 0.0;
        let mut seconds = 0.0;
        for i in 1..self.time_s.len() {
            let (a, b) = (self.time_s[i - 1], self.time_s[i]);
            let outside = (b.min(from_s) - a).max(0.0) + (b - a.max(to_s)).max(0.0);
            let value = if b <= from_s || a < from_s {
                self.power_w[i - 1]
            } else {
                self.power_w[i]
            };
            joules += outside * value;
            seconds += outside;
        }
        let inside = (to_s - from_s).max(0.0);
        let total = seconds + inside;
        if total <= 0.0 {
            return (self.mean_w, self.mean_se_w);
        }
        let mean_w = (joules + inside * load.mean_w) / total;
        let update_s = self.update_period_s.unwrap_or(0.0);
        let ends = update_s * (load.mean_w - mean_w).abs() / 6_f64.sqrt() / total;
        let by_load = inside / total * load.mean_se_w;
        (mean_w, (ends * ends + by_load * by_load).sqrt())
    }
}
