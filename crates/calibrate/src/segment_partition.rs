//! Where a signal changes: optimal partitioning (Jackson and others, "An algorithm for optimal partitioning of data on an interval",
//! IEEE Signal Processing Letters 12, 2005) over costs that know noise and periods.
//!
//! The cost of a stretch of n samples is the smaller of two, each a negative log likelihood up to constants:
//!
//! - `n ln σ`: one level with Gaussian noise, both free;
//! - `L ln σ_first + (n − L) ln δ`: a period of L samples; δ is the mean of `min |x_k − x_{k−l}|` over lags l within 7 % of L, so that a cycle that
//!   comes early or late costs nothing, scaled by what the smallest of so many differences of noise is. The first cycle is paid as noise.
//!
//! A hundred cycles cost no change point thus, whereas a checkpoint between them does not fit and gets its own. The mean of absolute differences
//! and a floor for σ make it robust against single samples; so does the least length of a stretch. The penalty of a change is
//! `2.5 ln n · (1 + φ)/(1 − φ)`: noise with autocorrelation φ at one sample holds so many times fewer independent samples (φ from the variogram,
//! medians, so that changes and outliers do not move it).
//!
//! There are at most [`MOST_CANDIDATES`] candidates, all samples of a short signal, else half on an even grid and half at its sharpest changes, so the work is O(n) for the sums and bounded for the search; edges are then
//! moved to the sample by the likelihood ratio of the two sides' histograms.

use crate::segment_signal::{moments, quantile};

/// Most places where a change is looked for.
pub(crate) const MOST_CANDIDATES: usize = 3000;

/// Least length of a stretch, seconds and samples.
const LEAST_S: f64 = 0.5;
const LEAST_SAMPLES: usize = 4;

/// Running sums over the samples that are there.
struct Sums {
    n: Vec<f64>,
    x: Vec<f64>,
    xx: Vec<f64>,
    /// Of the differences over each period, and their number.
    d: Vec<(usize, Vec<f64>, Vec<f64>)>,
}

impl Sums {
    fn of(x: &[f64], offset: f64, phi: f64, periods: &[f64]) -> Self {
        let run = |term: &dyn Fn(usize) -> f64| {
            let mut total = 0.0;
            let mut sums = Vec::with_capacity(x.len() + 1);
            sums.push(0.0);
            for i in 0..x.len() {
                let v = term(i);
                if v.is_finite() {
                    total += v;
                }
                sums.push(total);
            }
            sums
        };
        let d = periods
            .iter()
            .map(|p| {
                let lo = ((0.93 * p).floor() as usize).max(1);
                let hi = ((1.07 * p).ceil() as usize).max(lo + 1);
                let difference = |i: usize| {
                    (lo..=hi.min(i))
                        .map(|lag| (x[i] - x[i - lag]).abs())
                        .filter(|d| d.is_finite())
                        .fold(f64::NAN, f64::min)
                };
                // The smallest of m differences of Gaussian noise is about √π σ/(m + 1): scaled back, flat noise is no cycle.
                let many = 1.0 + (hi - lo) as f64 * (1.0 - phi);
                let scale = (many + 1.0) / std::f64::consts::PI.sqrt();
                let differences: Vec<f64> = (0..x.len()).map(|i| scale * difference(i)).collect();
                (
                    hi,
                    run(&|i| differences[i]),
                    run(&|i| if differences[i].is_finite() { 1.0 } else { 0.0 }),
                )
            })
            .collect();
        Self {
            n: run(&|i| if x[i].is_finite() { 1.0 } else { 0.0 }),
            x: run(&|i| x[i] - offset),
            xx: run(&|i| (x[i] - offset) * (x[i] - offset)),
            d,
        }
    }

    fn ln_sigma(&self, from: usize, to: usize, floor: f64) -> (f64, f64) {
        let n = self.n[to] - self.n[from];
        if n < 1.0 {
            return (0.0, 0.0);
        }
        let mean = (self.x[to] - self.x[from]) / n;
        let variance = (self.xx[to] - self.xx[from]) / n - mean * mean;
        (n, 0.5 * libm::log(variance.max(floor * floor)))
    }

    fn cost(&self, from: usize, to: usize, floor: f64) -> f64 {
        let (n, ln) = self.ln_sigma(from, to, floor);
        let mut best = n * ln;
        for (lag, sums, counts) in &self.d {
            if to - from < 2 * lag {
                continue;
            }
            let count = counts[to] - counts[from + lag];
            if count < 1.0 {
                continue;
            }
            let mean = (sums[to] - sums[from + lag]) / count;
            let (first, ln_first) = self.ln_sigma(from, from + lag, floor);
            // The first cycle swings as all of them do; else a step lies behind it.
            if ln_first < ln - std::f64::consts::LN_2 {
                continue;
            }
            best = best.min(first * ln_first + count * libm::log(mean.max(floor)));
        }
        best
    }
}

/// Noise of a sample and its autocorrelation at one sample, from medians of differences.
fn noise(x: &[f64], far: usize) -> (f64, f64) {
    let spread = |lag: usize| {
        let differences = x
            .iter()
            .zip(x.get(lag..).unwrap_or(&[]))
            .map(|(a, b)| (a - b).abs());
        // The median of |N(0, 2σ²)| is 0.954 σ.
        quantile(differences, 0.5) / 0.954
    };
    let (near, wide) = (spread(1), spread(far));
    if !(near.is_finite() && wide > 0.0) {
        return (if near.is_finite() { near } else { 0.0 }, 0.0);
    }
    let phi = (1.0 - (near / wide) * (near / wide)).clamp(0.0, 0.5);
    (wide, phi)
}

/// Places where a change is looked for, and the widest distance between two of them. Of a long signal half of them are where it changes most within
/// a few samples: a spike of a few samples between two places of an even grid would blur both of its sides.
fn candidates(x: &[f64]) -> (Vec<usize>, usize) {
    let n = x.len();
    if n <= MOST_CANDIDATES {
        return ((0..=n).collect(), 1);
    }
    let step = n.div_ceil(MOST_CANDIDATES / 2);
    let jump = |i: usize| {
        let (before, _) = moments(x[i.saturating_sub(2)..i].iter().copied());
        let (after, _) = moments(x[i..(i + 2).min(n)].iter().copied());
        let d = (after - before).abs();
        if d.is_finite() { d } else { 0.0 }
    };
    let jumps: Vec<f64> = (0..n).map(|i| if i == 0 { 0.0 } else { jump(i) }).collect();
    let mut sharp: Vec<usize> = (1..n - 1)
        .filter(|i| jumps[*i] >= jumps[i - 1] && jumps[*i] > jumps[i + 1])
        .collect();
    sharp.sort_by(|a, b| jumps[*b].total_cmp(&jumps[*a]).then(a.cmp(b)));
    sharp.truncate(MOST_CANDIDATES / 2);
    let mut at: Vec<usize> = (0..n).step_by(step).chain(sharp).chain([n]).collect();
    at.sort_unstable();
    at.dedup();
    (at, step)
}

/// Changes of a signal: the beginnings of all stretches but the first, in samples.
pub(crate) fn changes(x: &[f64], dt_s: f64, periods: &[f64]) -> Vec<usize> {
    let n = x.len();
    let least = LEAST_SAMPLES.max((LEAST_S / dt_s).ceil() as usize);
    if n < 2 * least {
        return Vec::new();
    }
    let top = quantile(x.iter().copied(), 0.99);
    let floor = (0.004 * top).max(0.5);
    let (_, phi) = noise(x, ((1.5 / dt_s) as usize).clamp(5, 60));
    let inflation = if periods.is_empty() {
        (1.0 + phi) / (1.0 - phi)
    } else {
        2.0
    };
    let penalty = 2.5 * libm::log(n as f64) * inflation;
    let (offset, _) = moments(x.iter().copied());
    let sums = Sums::of(x, offset, phi, periods);
    let (at, step) = candidates(x);
    let mut best = vec![0.0; at.len()];
    let mut from = vec![0_usize; at.len()];
    for k in 1..at.len() {
        let (mut lowest, mut argument) = (f64::INFINITY, 0);
        for j in 0..k {
            if at[k] - at[j] < least && !(j == 0 && k < at.len() - 1) {
                break;
            }
            let cost = best[j] + sums.cost(at[j], at[k], floor) + if j > 0 { penalty } else { 0.0 };
            if cost < lowest {
                (lowest, argument) = (cost, j);
            }
        }
        (best[k], from[k]) = if lowest.is_finite() {
            (lowest, argument)
        } else {
            (sums.cost(0, at[k], floor), 0)
        };
    }
    let mut found = Vec::new();
    let mut k = at.len() - 1;
    while from[k] > 0 {
        k = from[k];
        found.push(at[k]);
    }
    found.reverse();
    refine(x, &mut found, (step + least).max(2));
    found
}

/// Moves every edge within `reach` samples to where the histograms of its two sides part it best.
fn refine(x: &[f64], edges: &mut [usize], reach: usize) {
    for e in 0..edges.len() {
        let start = if e == 0 { 0 } else { edges[e - 1] };
        let end = edges.get(e + 1).copied().unwrap_or(x.len());
        let edge = edges[e];
        let (left, right) = (start.max(edge.saturating_sub(reach)), end.min(edge + reach));
        if left + 1 >= right {
            continue;
        }
        // What lies beyond the reach is surely of its side; a short side has nothing else than itself.
        let own = |from: usize, to: usize, or: (usize, usize)| {
            let (from, to) = if to > from + 3 { (from, to) } else { or };
            &x[from..to]
        };
        let span = 400;
        let before = own(start.max(left.saturating_sub(span)), left, (start, edge));
        let after = own(right, end.min(right + span), (edge, end));
        let (lo, hi) = before
            .iter()
            .chain(after)
            .chain(&x[left..right])
            .filter(|v| v.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| {
                (lo.min(*v), hi.max(*v))
            });
        if hi <= lo || !(hi - lo).is_finite() {
            continue;
        }
        let a = Shares::of(before, lo, hi);
        let b = Shares::of(after, lo, hi);
        let mut total = 0.0;
        let (mut highest, mut place) = (f64::NEG_INFINITY, edge);
        for (k, v) in x.iter().enumerate().take(right + 1).skip(left) {
            if k > left + 1 && k < right && total > highest {
                (highest, place) = (total, k);
            }
            if k < right {
                total += libm::log(a.at(*v) / b.at(*v));
            }
        }
        edges[e] = place.clamp(start + 1, end - 1);
    }
}

/// A histogram with a kernel of one cell on either side.
struct Shares {
    lo: f64,
    scale: f64,
    share: Vec<f64>,
}

impl Shares {
    const CELLS: usize = 40;

    fn of(x: &[f64], lo: f64, hi: f64) -> Self {
        let mut share = vec![0.2; Self::CELLS];
        let scale = (Self::CELLS - 1) as f64 / (hi - lo);
        for v in x.iter().filter(|v| v.is_finite()) {
            let at = ((v - lo) * scale).round() as usize;
            for (cell, weight) in [(at.wrapping_sub(1), 0.25), (at, 0.5), (at + 1, 0.25)] {
                if let Some(s) = share.get_mut(cell) {
                    *s += weight;
                }
            }
        }
        let total: f64 = share.iter().sum();
        for s in &mut share {
            *s /= total;
        }
        Self { lo, scale, share }
    }

    fn at(&self, v: f64) -> f64 {
        if !v.is_finite() {
            return 1.0;
        }
        let at = ((v - self.lo) * self.scale).round().max(0.0) as usize;
        self.share[at.min(Self::CELLS - 1)]
    }
}
