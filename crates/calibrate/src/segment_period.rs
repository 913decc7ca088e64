//! Periods in a signal: peaks of the autocorrelation in windows of several lengths.

use crate::segment_signal::{moments, quantile};

/// Length of a window, in samples of its scale, and the longest lag looked at.
const WINDOW: usize = 256;
const LONGEST_LAG: usize = 80;

/// Least autocorrelation at the period, and least rise to it from the trough before.
const PEAK: f64 = 0.4;
const RISE: f64 = 0.3;

/// Least share of the peak's autocorrelation that is left at twice the lag.
const AGAIN: f64 = 0.5;

/// Autocorrelation at lags `0..=most`, each over the pairs there are; empty for a constant.
pub(crate) fn acf(x: &[f64], most: usize) -> Vec<f64> {
    let (mean, sd) = moments(x.iter().copied());
    if sd.is_nan() || sd <= 0.0 || x.len() < 4 {
        return Vec::new();
    }
    let most = most.min(x.len() - 2);
    (0..=most)
        .map(|lag| {
            let (mut sum, mut n) = (0.0, 0.0);
            for (a, b) in x.iter().zip(&x[lag..]) {
                if a.is_finite() && b.is_finite() {
                    sum += (a - mean) * (b - mean);
                    n += 1.0;
                }
            }
            if n > 0.0 {
                sum / n / (sd * sd)
            } else {
                f64::NAN
            }
        })
        .collect()
}

/// First lag with a clear peak, between samples, and the autocorrelation there.
pub(crate) fn peak(r: &[f64]) -> Option<(f64, f64)> {
    let highest_after_trough = {
        let mut trough = f64::INFINITY;
        let mut best = f64::NEG_INFINITY;
        for &v in r.iter().skip(1) {
            trough = trough.min(v);
            if v >= trough + RISE {
                best = best.max(v);
            }
        }
        best
    };
    let mut trough = f64::INFINITY;
    // A load that repeats does so twice; what comes at random has a peak at one lag by chance.
    let again = |lag: usize| {
        let (from, to) = (17 * lag / 10, 23 * lag / 10 + 1);
        match r.get(from..=to) {
            Some(near) => near.iter().copied().fold(f64::NEG_INFINITY, f64::max) >= AGAIN * r[lag],
            None => true,
        }
    };
    for lag in 2..r.len().saturating_sub(1) {
        trough = trough.min(r[lag - 1]);
        let (a, b, c) = (r[lag - 1], r[lag], r[lag + 1]);
        let local = b >= a && b >= c;
        if local && b >= PEAK && b >= trough + RISE && b >= 0.6 * highest_after_trough && again(lag)
        {
            let bend = a - 2.0 * b + c;
            let shift = if bend < 0.0 {
                (0.5 * (a - c) / bend).clamp(-0.5, 0.5)
            } else {
                0.0
            };
            let found = lag as f64 + shift;
            return Some((between_samples(r, found).unwrap_or(found), b));
        }
    }
    None
}

/// Half a lag, where the peak there lies between two samples and is no lower than the one at the lag but for that.
fn between_samples(r: &[f64], lag: f64) -> Option<f64> {
    let half = 0.5 * lag;
    let below = half.floor() as usize;
    let off = half - half.floor();
    if below < 2 || !(0.25..=0.75).contains(&off) {
        return None;
    }
    let around = |i: usize| r.get(i).copied().unwrap_or(f64::NAN);
    let (a, b) = (around(below), around(below + 1));
    let stands = a.min(b) > around(below - 1).max(around(below + 2)) + 0.5 * RISE;
    (stands && a + b >= 0.8 * around(lag.round() as usize)).then_some(half)
}

/// Period of a stretch, samples, at most `most`, and the autocorrelation there: its own, else that of its steps. What begins or pauses once lifts
/// the autocorrelation of all lags, but is one step among many.
fn repeats(x: &[f64], most: usize) -> Option<(f64, f64)> {
    let reach = (23 * most).div_ceil(10) + 1;
    let within = |found: &(f64, f64)| found.0 <= most as f64;
    peak(&acf(x, reach))
        .filter(within)
        .or_else(|| peak(&acf(&steps(x), reach)).filter(within))
}

/// Differences from sample to sample, the largest in fifty on either side no larger than the next.
fn steps(x: &[f64]) -> Vec<f64> {
    let by: Vec<f64> = x.windows(2).map(|w| w[1] - w[0]).collect();
    let low = quantile(by.iter().copied(), 0.02);
    let high = quantile(by.iter().copied(), 0.98);
    by.into_iter()
        .map(|d| {
            if d.is_finite() {
                d.max(low).min(high)
            } else {
                d
            }
        })
        .collect()
}

/// Every `factor` samples as one mean.
fn coarse(x: &[f64], factor: usize) -> Vec<f64> {
    x.chunks_exact(factor)
        .map(|c| moments(c.iter().copied()).0)
        .collect()
}

/// Most periods of one signal.
const MOST_PERIODS: usize = 4;

/// A cycle of cycles: pauses between stretches repeat so many times more slowly than what they interrupt, or more.
const OUTER: f64 = 6.0;

/// A window's period.
#[derive(Clone, Copy)]
struct Vote {
    /// Samples.
    period: f64,
    /// Samples covered.
    weight: f64,
    /// Scale of the window.
    factor: usize,
    /// Where the window begins, samples.
    from: usize,
}

impl Vote {
    /// Share of the window that finer votes for a period cover.
    fn covered(&self, by: &[Vote]) -> f64 {
        let long = 2.0 * self.weight;
        let (from, to) = (self.from as f64, self.from as f64 + long);
        let mut reached = from;
        for v in by.iter().filter(|v| v.factor < self.factor) {
            let (a, b) = (v.from as f64, v.from as f64 + 2.0 * v.weight);
            reached += (b.min(to) - a.max(reached)).max(0.0);
        }
        (reached - from) / long
    }
}

/// Periods that a good part of the signal has, in samples, the most common first; [`MOST_PERIODS`] at most.
pub(crate) fn periods(x: &[f64]) -> Vec<f64> {
    let mut votes = votes(x);
    let all = votes.clone();
    let mut found: Vec<f64> = Vec::new();
    while found.len() < MOST_PERIODS {
        let near = |v: &&Vote, p: f64| (v.period / p - 1.0).abs() < 0.06;
        let support =
            |p: f64| -> f64 { votes.iter().filter(|v| near(v, p)).map(|v| v.weight).sum() };
        let best = votes
            .iter()
            .map(|v| (support(v.period), *v))
            .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.period.total_cmp(&a.1.period)));
        let Some((weight, best)) = best else { break };
        if weight < 0.04 * x.len() as f64 {
            break;
        }
        if weight < 4.0 * best.period {
            let period = best.period;
            votes.retain(|v| (v.period / period - 1.0).abs() >= 0.06);
            continue;
        }
        let around: Vec<Vote> = votes
            .iter()
            .filter(|v| near(v, best.period))
            .copied()
            .collect();
        let total: f64 = around.iter().map(|v| v.weight).sum();
        let period = around.iter().map(|v| v.period * v.weight).sum::<f64>() / total;
        found.push(period);
        // Its multiples where a finer scale sees it are no second period, nor is the same one at another scale.
        votes.retain(|v| {
            let ratio = v.period / period;
            let multiple = (ratio / ratio.round().max(1.0) - 1.0).abs() < 0.08;
            let same = (ratio - 1.0).abs() < 0.08;
            !(same || multiple && v.covered(&around) > 0.5)
        });
    }
    // What repeats around a cycle that is found within it is no cycle of its own.
    let near = |p: f64| -> Vec<Vote> {
        all.iter()
            .filter(|v| (v.period / p - 1.0).abs() < 0.06)
            .copied()
            .collect()
    };
    let outer = |p: f64| {
        found.iter().filter(|q| p >= OUTER * **q).any(|q| {
            let (own, inner) = (near(p), near(*q));
            let share = own.iter().map(|v| v.covered(&inner)).sum::<f64>();
            share > 0.5 * own.len() as f64
        })
    };
    found.iter().copied().filter(|p| !outer(*p)).collect()
}

/// What the windows of all scales say.
fn votes(x: &[f64]) -> Vec<Vote> {
    let mut votes = Vec::new();
    let mut factor = 1;
    while x.len() / factor >= 32 {
        let scaled = coarse(x, factor);
        let length = WINDOW.min(scaled.len());
        let mut from = 0;
        while from + length <= scaled.len() {
            let window = &scaled[from..from + length];
            let (mean, sd) = moments(window.iter().copied());
            let missing = window.iter().filter(|v| v.is_nan()).count();
            // What swings less than a hundredth is noise of no interest.
            if missing * 10 < length && sd > 0.02 * mean {
                let most = LONGEST_LAG.min(length / 3);
                if let Some((lag, _)) = repeats(window, most) {
                    // Short lags of a coarse scale are seen better on a finer one.
                    if factor == 1 || lag >= 10.0 {
                        votes.push(Vote {
                            period: lag * factor as f64,
                            weight: (length * factor / 2) as f64,
                            factor,
                            from: from * factor,
                        });
                    }
                }
            }
            from += (length / 2).max(1);
        }
        factor *= 2;
    }
    votes
}

/// The period of a stretch that is one, in samples: the autocorrelation's peak refined over as many periods as it keeps its phase.
pub(crate) fn period_of(x: &[f64], near: &[f64]) -> Option<f64> {
    let holds = |p: f64| {
        if x.len() as f64 <= 3.0 * p {
            return None;
        }
        // Means over a tenth of a period: enough for the peak, and quick.
        let factor = ((p / 40.0) as usize).max(1);
        let scaled = coarse(x, factor);
        let lag = p / factor as f64;
        let most = ((1.3 * lag) as usize + 2).min(scaled.len() / 2);
        let reach = (23 * most / 10 + 2).min(2 * scaled.len() / 3);
        let near = |found: &(f64, f64)| (found.0 / lag - 1.0).abs() < 0.15;
        peak(&acf(&scaled, reach))
            .filter(near)
            .or_else(|| peak(&acf(&steps(&scaled), reach)).filter(near))
            .map(|(found, r)| (found * factor as f64, r))
    };
    let best = near
        .iter()
        .filter_map(|p| holds(*p))
        .max_by(|a, b| a.1.total_cmp(&b.1));
    if let Some((p, _)) = best {
        return Some(p);
    }
    periods(x).into_iter().find_map(|p| holds(p).map(|h| h.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ballast_series::rng::Stream;

    fn square(n: usize, period: f64, duty: f64, noise: f64) -> Vec<f64> {
        let mut stream = Stream::new(1, "square", 0, 0);
        (0..n)
            .map(|i| {
                let high = (i as f64 / period).fract() < duty;
                (if high { 600.0 } else { 200.0 }) + noise * stream.normal()
            })
            .collect()
    }

    #[test]
    fn periods_from_six_samples_on_are_found() {
        for period in [5.6, 8.0, 23.4, 61.0, 180.0, 433.0] {
            let found = periods(&square(6000, period, 0.7, 20.0));
            assert!(
                found
                    .first()
                    .is_some_and(|f| (f / period - 1.0).abs() < 0.05),
                "{period}: {found:?}"
            );
        }
    }

    #[test]
    fn slow_noise_has_no_period() {
        for seed in 0..10 {
            let mut stream = Stream::new(seed, "slow", 0, 0);
            let mut x = 0.0;
            let noise: Vec<f64> = (0..4000)
                .map(|_| {
                    x = 0.9 * x + stream.normal();
                    500.0 + 10.0 * x
                })
                .collect();
            assert!(periods(&noise).is_empty(), "{seed}: {:?}", periods(&noise));
        }
    }
}
