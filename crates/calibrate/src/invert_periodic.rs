//! Levels and edges of a periodic load from readings that are means over a window.

use std::fmt;

use crate::invert::Corrected;
use crate::invert_fold::{MOST_LEVELS, Seen, Shape, first_edges, levels, refine, shares};
use crate::sensor::boxcar_gain;

/// Gain of the window at the load's fundamental below which levels are not told.
pub const LEAST_GAIN: f64 = 0.2;
/// Cycles of a sine in a window at which a boxcar's gain is [`LEAST_GAIN`]: `sin(πc)/(πc) = 0.2`.
const LEAST_GAIN_CYCLES: f64 = 0.8277;
/// Fewest updates for a search.
const LEAST_UPDATES: usize = 24;
/// Fewest periods in the stretch.
const LEAST_CYCLES: f64 = 3.0;
/// Share of the variance that a periodic load must explain.
const LEAST_EXPLAINED: f64 = 0.5;
/// Most frequencies and samples of the search.
const MOST_FREQUENCIES: f64 = 60_000.0;
const MOST_SAMPLES: usize = 4_000;
/// Part of a period that may lie between two neighbouring looks.
const WIDEST_GAP: f64 = 0.15;

/// What to look for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PeriodSearch {
    /// Period where it is known (the load was made so), seconds.
    pub known_s: Option<f64>,
    /// Shortest period looked for, seconds; by default that of which the window lets a fifth through.
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
    /// Mean of the readings as polled, gain and offset taken out, for comparison, watts.
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
            "period {:.6} s, mean {:.2} W ± {:.2} W (statistical) ± {:.0} % (gain of the card), averaging as read gives {:.2} W",
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

/// Finds a periodic load of a few levels by least squares with the window in the model.
///
/// Candidates are the highest peaks of the periodogram at the updates' own instants (aliases by the update rhythm among them, since each
/// folds to another shape behind the window) with halves and thirds; each is fitted, the best shape counts, and a further level is
/// added while Bayes' information criterion falls by more than ten.
pub fn periodic(corrected: &Corrected, search: &PeriodSearch) -> Result<PeriodicLoad, PeriodError> {
    let window_s = corrected.window_s.unwrap_or(0.0);
    let (from_s, to_s) = search
        .stretch_s
        .unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
    let inside = |t: f64| t - 0.5 * window_s >= from_s && t + 0.5 * window_s <= to_s;
    let kept: Vec<usize> = (0..corrected.time_s.len())
        .filter(|i| inside(corrected.time_s[*i]))
        .collect();
    let update_s: Vec<f64> = kept
        .iter()
        .map(|i| corrected.time_s[*i] + 0.5 * window_s)
        .collect();
    let value_w: Vec<f64> = kept.iter().map(|i| corrected.power_w[*i]).collect();
    if update_s.len() < LEAST_UPDATES {
        return Err(PeriodError::TooFew(update_s.len()));
    }
    let n = update_s.len() as f64;
    let span_s = update_s[update_s.len() - 1] - update_s[0];
    let mean_w = value_w.iter().sum::<f64>() / n;
    let scatter: f64 = value_w.iter().map(|v| (v - mean_w) * (v - mean_w)).sum();
    let interval_s = span_s / (n - 1.0);
    let shortest_s = search
        .known_s
        .or(search.shortest_s)
        .unwrap_or(if window_s > 0.0 {
            window_s / LEAST_GAIN_CYCLES
        } else {
            2.0 * interval_s
        });
    let longest_s = search
        .known_s
        .or(search.longest_s)
        .unwrap_or(span_s / LEAST_CYCLES);
    if !(shortest_s > 0.0
        && longest_s >= shortest_s
        && longest_s.is_finite()
        && LEAST_CYCLES * shortest_s <= span_s)
    {
        return Err(PeriodError::Search);
    }
    let mut load = PeriodicLoad {
        period_s: shortest_s,
        levels: None,
        mean_w,
        mean_se_w: (scatter / n / n).sqrt(),
        systematic: if corrected.mean_w == 0.0 {
            0.0
        } else {
            corrected.mean_systematic_w / corrected.mean_w.abs()
        },
        naive_mean_w: mean_w,
        gain: 1.0,
        explained: 0.0,
        other_periods_s: Vec::new(),
        stretch_s: (
            from_s.max(update_s[0] - window_s),
            to_s.min(update_s[update_s.len() - 1]),
        ),
        notes: Vec::new(),
    };
    if let Some(period_s) = search.known_s {
        load.gain = boxcar_gain(window_s / period_s);
        if load.gain < LEAST_GAIN {
            load.notes
                .push(unidentifiable_by_window(load.gain, window_s, period_s));
            return Ok(load);
        }
        let gap = widest_gap(&update_s, window_s, period_s);
        if gap > WIDEST_GAP {
            load.notes.push(unidentifiable_by_step(gap));
            return Ok(load);
        }
    }
    if scatter <= 1e-12 * (1.0 + mean_w * mean_w) * n {
        return Err(PeriodError::Steady {
            shortest_s,
            longest_s,
        });
    }
    let seen = Seen {
        update_s: &update_s,
        value_w: &value_w,
        window_s: window_s.max(1e-6),
    };
    let candidates = search.known_s.map_or_else(
        || {
            peaks(
                seen,
                mean_w,
                scatter,
                shortest_s,
                longest_s.min(span_s / LEAST_CYCLES),
            )
        },
        |period_s| vec![period_s],
    );
    let fitter = Fitter {
        seen,
        middle_s: f64::midpoint(update_s[0], update_s[update_s.len() - 1]),
        span_s,
        fixed: false,
    };
    let mut shapes: Vec<Shape> = candidates
        .iter()
        .filter_map(|period_s| fitter.fit(*period_s, 2))
        .collect();
    shapes.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    let mut best: Option<Shape> = None;
    for two in shapes.iter().take(4) {
        let shape = fitter.grow(
            two.clone(),
            search.most_levels.clamp(2, MOST_LEVELS),
            scatter,
        );
        if best
            .as_ref()
            .is_none_or(|best| fitter.criterion(&shape, scatter) < fitter.criterion(best, scatter))
        {
            best = Some(shape);
        }
    }
    let explained = best.as_ref().map_or(0.0, |best| 1.0 - best.cost / scatter);
    let Some(shape) = best.filter(|_| explained >= LEAST_EXPLAINED) else {
        return Err(PeriodError::NoPeriod {
            shortest_s,
            longest_s,
            explained,
        });
    };
    load.period_s = shape.period_s;
    load.gain = boxcar_gain(window_s / shape.period_s);
    load.explained = explained;
    let limit = shape.cost + (shape.cost / n).max(1e-9 * scatter) * 10.0;
    load.other_periods_s = shapes
        .iter()
        .filter(|other| other.cost <= limit && (other.period_s / shape.period_s - 1.0).abs() > 1e-3)
        .map(|other| other.period_s)
        .collect();
    if !load.other_periods_s.is_empty() {
        let others: Vec<String> = load
            .other_periods_s
            .iter()
            .map(|period_s| format!("{period_s:.5} s"))
            .collect();
        load.notes.push(format!(
            "a period of {} would explain the readings as well",
            others.join(" or ")
        ));
    }
    let gap = widest_gap(&update_s, window_s, shape.period_s);
    if load.gain < LEAST_GAIN {
        load.notes.push(unidentifiable_by_window(
            load.gain,
            window_s,
            shape.period_s,
        ));
    } else if gap > WIDEST_GAP {
        load.notes.push(unidentifiable_by_step(gap));
    } else {
        fill(&mut load, &fitter, &shape);
    }
    if window_s > 0.0 {
        load.notes.push(format!(
            "rises within the window of {:.1} ms are not resolved: edges are steps",
            1e3 * window_s
        ));
    }
    Ok(load)
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

/// Periods at the highest peaks of the periodogram, with twice and three times the highest.
fn peaks(seen: Seen<'_>, mean_w: f64, scatter: f64, shortest_s: f64, longest_s: f64) -> Vec<f64> {
    let (low_hz, high_hz) = (1.0 / longest_s, 1.0 / shortest_s);
    let origin = seen.update_s[0];
    let reach_s = MOST_FREQUENCIES / (5.0 * high_hz);
    let n = seen
        .update_s
        .iter()
        .take_while(|u| **u - origin <= reach_s)
        .count()
        .clamp(LEAST_UPDATES, MOST_SAMPLES)
        .min(seen.update_s.len());
    let span_s = (seen.update_s[n - 1] - origin).max(f64::MIN_POSITIVE);
    let step_hz = 1.0 / (5.0 * span_s);
    let count = (((high_hz - low_hz) / step_hz).ceil().max(0.0) as usize + 1).min(200_000);
    // Each sample turns by the same angle from one frequency to the next.
    let start = |t: f64, hz: f64| {
        let angle = std::f64::consts::TAU * (t * hz).fract();
        (libm::cos(angle), libm::sin(angle))
    };
    let mut at: Vec<(f64, f64)> = seen.update_s[..n]
        .iter()
        .map(|u| start(u - origin, low_hz))
        .collect();
    let turn: Vec<(f64, f64)> = seen.update_s[..n]
        .iter()
        .map(|u| start(u - origin, step_hz))
        .collect();
    let mut power = Vec::with_capacity(count);
    for _ in 0..count {
        let (mut c, mut s) = (0.0, 0.0);
        for ((y, here), by) in seen.value_w[..n].iter().zip(&mut at).zip(&turn) {
            let v = y - mean_w;
            c += v * here.0;
            s += v * here.1;
            *here = (here.0 * by.0 - here.1 * by.1, here.0 * by.1 + here.1 * by.0);
        }
        power.push(2.0 * (c * c + s * s) / (n as f64 * scatter));
    }
    let mut found: Vec<usize> = (0..count)
        .filter(|i| {
            (*i == 0 || power[*i] >= power[*i - 1])
                && (*i + 1 == count || power[*i] > power[*i + 1])
        })
        .collect();
    found.sort_by(|i, j| power[*j].total_cmp(&power[*i]));
    let mut chosen: Vec<usize> = Vec::new();
    for i in found {
        if chosen.iter().all(|other| other.abs_diff(i) > 12) {
            chosen.push(i);
        }
        if chosen.len() == 20 {
            break;
        }
    }
    let mut periods: Vec<f64> = chosen
        .iter()
        .map(|i| 1.0 / (low_hz + *i as f64 * step_hz))
        .collect();
    for i in 0..periods.len().min(2) {
        for multiple in [2.0, 3.0] {
            if multiple * periods[i] <= longest_s {
                periods.push(multiple * periods[i]);
            }
        }
    }
    periods
}

/// Fits shapes to what was seen.
struct Fitter<'a> {
    seen: Seen<'a>,
    middle_s: f64,
    span_s: f64,
    fixed: bool,
}

impl Fitter<'_> {
    fn fit(&self, period_s: f64, count: usize) -> Option<Shape> {
        let edges = first_edges(self.seen, period_s, self.middle_s, count)?;
        let start = levels(self.seen, period_s, &edges)?;
        Some(refine(
            self.seen,
            start,
            self.middle_s,
            self.span_s,
            self.fixed,
        ))
    }

    /// Bayes' information criterion, with noise of at least a millionth of the scatter.
    fn criterion(&self, shape: &Shape, scatter: f64) -> f64 {
        let n = self.seen.update_s.len() as f64;
        let unknowns = 2.0 * shape.edge_s.len() as f64 + 1.0;
        n * libm::log((shape.cost / n).max(1e-6 * scatter / n)) + unknowns * libm::log(n)
    }

    /// Adds levels while the criterion falls by more than ten and each lasts and differs.
    fn grow(&self, two: Shape, most: usize, scatter: f64) -> Shape {
        let mut best = two;
        for count in 3..=most {
            let Some(next) = self.fit(best.period_s, count) else {
                break;
            };
            let range = spread(&next.level_w);
            let apart = (0..count)
                .all(|i| (next.level_w[i] - next.level_w[(i + 1) % count]).abs() > 0.02 * range);
            let lasts = (0..count).all(|i| length(&next, i) > 0.02 * next.period_s);
            if !(apart
                && lasts
                && self.criterion(&next, scatter) < self.criterion(&best, scatter) - 10.0)
            {
                // A pulse within a level needs two edges more.
                continue;
            }
            best = next;
        }
        best
    }
}

fn spread(values: &[f64]) -> f64 {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    high - low
}

fn length(shape: &Shape, i: usize) -> f64 {
    let n = shape.edge_s.len();
    let to = if i + 1 < n {
        shape.edge_s[i + 1]
    } else {
        shape.edge_s[0] + shape.period_s
    };
    to - shape.edge_s[i]
}

/// Levels with their errors, and the mean, into a load.
fn fill(load: &mut PeriodicLoad, fitter: &Fitter<'_>, shape: &Shape) {
    let count = shape.edge_s.len();
    let n = fitter.seen.update_s.len() as f64;
    let seconds: Vec<f64> = (0..count).map(|i| length(shape, i)).collect();
    load.mean_w = (0..count)
        .map(|i| seconds[i] * shape.level_w[i])
        .sum::<f64>()
        / shape.period_s;
    let noise = (shape.cost / (n - 2.0 * count as f64 - 1.0).max(1.0)).sqrt();
    let covariance = covariance(fitter.seen, shape);
    // An edge that no window held lies anywhere between the looks beside it.
    let beside = (fitter.span_s / n / (fitter.span_s / shape.period_s).max(1.0))
        .min(0.5 * shape.period_s)
        / 12_f64.sqrt();
    let se = |i: usize| {
        covariance
            .as_ref()
            .map_or(f64::NAN, |c| noise * c[i][i].max(0.0).sqrt())
    };
    let edge_se = |i: usize| {
        let se = se(count + i);
        if se.is_finite() {
            se.max(1e-6).min(shape.period_s)
        } else {
            beside
        }
    };
    let level_se = |i: usize| {
        let se = se(i);
        if se.is_finite() {
            se
        } else {
            noise / (n * seconds[i] / shape.period_s).max(1.0).sqrt()
        }
    };
    load.levels = Some(
        (0..count)
            .map(|i| PeriodicLevel {
                from_s: shape.edge_s[i],
                from_se_s: edge_se(i),
                seconds: seconds[i],
                power_w: shape.level_w[i],
                power_se_w: level_se(i),
            })
            .collect(),
    );
    // d(mean) = Σ d_i/P·dv_i + Σ (v_{i−1} − v_i)/P·de_i
    let variance: f64 = (0..count)
        .map(|i| {
            let by_level = seconds[i] / shape.period_s * level_se(i);
            let step = shape.level_w[(i + count - 1) % count] - shape.level_w[i];
            let by_edge = step / shape.period_s * edge_se(i);
            by_level * by_level + by_edge * by_edge
        })
        .sum();
    load.mean_se_w = variance.sqrt();
}

/// Inverse of the normal matrix of levels, then edges; `None` where it has none.
fn covariance(seen: Seen<'_>, shape: &Shape) -> Option<Vec<Vec<f64>>> {
    let count = shape.edge_s.len();
    let size = 2 * count;
    let step = 0.02 * seen.window_s.min(shape.period_s);
    let mut a = vec![vec![0.0; 2 * size]; size];
    let mut share = [0.0; MOST_LEVELS];
    let mut row = vec![0.0; size];
    let mut edges = shape.edge_s.clone();
    for u in seen.update_s {
        shares(*u, seen.window_s, shape.period_s, &shape.edge_s, &mut share);
        row[..count].copy_from_slice(&share[..count]);
        for i in 0..count {
            let mut model = |by: f64| {
                edges[i] = shape.edge_s[i] + by;
                shares(*u, seen.window_s, shape.period_s, &edges, &mut share);
                edges[i] = shape.edge_s[i];
                (0..count).map(|j| share[j] * shape.level_w[j]).sum::<f64>()
            };
            row[count + i] = (model(step) - model(-step)) / (2.0 * step);
        }
        for i in 0..size {
            for j in 0..size {
                a[i][j] += row[i] * row[j];
            }
        }
    }
    // Gauss and Jordan.
    for (i, row) in a.iter_mut().enumerate() {
        row[size + i] = 1.0;
    }
    for i in 0..size {
        let pivot = (i..size).max_by(|j, k| a[*j][i].abs().total_cmp(&a[*k][i].abs()))?;
        a.swap(i, pivot);
        let d = a[i][i];
        if d.abs() < 1e-12 {
            return None;
        }
        for v in &mut a[i] {
            *v /= d;
        }
        let lead = a[i].clone();
        for (k, row) in a.iter_mut().enumerate() {
            let by = row[i];
            if k != i && by != 0.0 {
                for (v, l) in row.iter_mut().zip(&lead) {
                    *v -= by * l;
                }
            }
        }
    }
    Some(a.into_iter().map(|row| row[size..].to_vec()).collect())
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
        if !(total > 0.0) {
            return (self.mean_w, self.mean_se_w);
        }
        let mean_w = (joules + inside * load.mean_w) / total;
        let update_s = self.update_period_s.unwrap_or(0.0);
        let ends = update_s * (load.mean_w - mean_w).abs() / 6_f64.sqrt() / total;
        let by_load = inside / total * load.mean_se_w;
        (mean_w, (ends * ends + by_load * by_load).sqrt())
    }
}
