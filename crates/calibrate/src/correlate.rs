//! How GPUs go together: correlation of what is left when the phases' means are taken off, and lag.

use serde::Serialize;

use crate::segment::{Group, Label, Phase};
use crate::segment_signal::Signal;

/// Correlation coefficient of two equally long signals where both are numbers; none for constants and fewer than ten pairs.
pub fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    let pairs = || {
        a.iter()
            .zip(b)
            .filter(|(x, y)| x.is_finite() && y.is_finite())
    };
    let n = pairs().count() as f64;
    if n < 10.0 {
        return None;
    }
    let (mut ma, mut mb) = (0.0, 0.0);
    for (x, y) in pairs() {
        ma += x / n;
        mb += y / n;
    }
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    for (x, y) in pairs() {
        aa += (x - ma) * (x - ma);
        bb += (y - mb) * (y - mb);
        ab += (x - ma) * (y - mb);
    }
    let scale = (aa * bb).sqrt();
    // Rounding of a constant is no spread.
    if !(aa > 1e-12 * n * ma * ma && bb > 1e-12 * n * mb * mb && scale > 0.0) {
        return None;
    }
    Some((ab / scale).clamp(-1.0, 1.0))
}

/// By how many samples `b` comes after `a` (negative: before), between samples, and the correlation there.
pub fn lag(a: &[f64], b: &[f64], most: usize) -> Option<(f64, f64)> {
    let n = a.len().min(b.len());
    let most = most.min(n / 3);
    let at = |shift: i64| -> Option<f64> {
        let by = shift.unsigned_abs() as usize;
        if shift >= 0 {
            pearson(&a[..n - by], &b[by..n])
        } else {
            pearson(&a[by..n], &b[..n - by])
        }
    };
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut best: Option<(i64, f64)> = None;
    // From zero outwards: of equal ones the smallest shift.
    for k in 0..=most {
        for shift in if k == 0 { vec![0] } else { vec![k, -k] } {
            if let Some(r) = at(shift)
                && best.is_none_or(|(_, b)| r > b + 1e-12)
            {
                best = Some((shift, r));
            }
        }
    }
    let (shift, r) = best?;
    let between = match (at(shift - 1), at(shift + 1)) {
        (Some(before), Some(after)) if shift.abs() < most => {
            let bend = before - 2.0 * r + after;
            if bend < 0.0 {
                (0.5 * (before - after) / bend).clamp(-0.5, 0.5)
            } else {
                0.0
            }
        }
        _ => 0.0,
    };
    Some((shift as f64 + between, r))
}

/// Correlation between the GPUs of a group in the phases of one kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Correlation {
    /// The phases.
    pub label: Label,
    /// Mean over all pairs with the phase's mean (or the levels of its cycle) taken off; none where a GPU does not fluctuate.
    pub coefficient: Option<f64>,
    /// Lowest and highest of the pairs.
    pub range: Option<(f64, f64)>,
    /// Pairs.
    pub pairs: usize,
    /// Samples of each GPU.
    pub samples: usize,
}

/// How two GPUs move over the whole recording, phases and all.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairLag {
    /// Indices of the GPUs.
    pub gpus: (u32, u32),
    /// Correlation of their powers as they are.
    pub coefficient: Option<f64>,
    /// By how much the second one follows the first, seconds.
    pub lag_s: Option<f64>,
    /// Correlation at that lag.
    pub at_lag: Option<f64>,
}

/// What a GPU's power is in a phase without fluctuation, bin by bin; NaN at the ends and where it passes between
/// the levels of a cycle.
fn means(
    phase: &Phase,
    (group, window_s): (&Signal, Option<f64>),
    gpu: &Signal,
    from: usize,
    to: usize,
) -> Vec<f64> {
    let Some(cycle) = &phase.cycle else {
        let (begin, end) = gpu.inner(from, to, window_s);
        let (mean, _) = gpu.moments(begin, end);
        return (from..to)
            .map(|i| {
                if i >= begin && i < end {
                    mean
                } else {
                    f64::NAN
                }
            })
            .collect();
    };
    if cycle.beat_s.is_some() {
        return vec![f64::NAN; to - from];
    }
    let middle = f64::midpoint(cycle.high_w, cycle.low_w);
    let high = |i: usize| group.value.get(i).copied().unwrap_or(f64::NAN) > middle;
    let of = |side: bool| {
        let inner = (from..to).filter(|&i| settled(group, middle, i) && high(i) == side);
        crate::segment_signal::moments(inner.map(|i| gpu.value[i])).0
    };
    let (top, bottom) = (of(true), of(false));
    (from..to)
        .map(|i| match (settled(group, middle, i), high(i)) {
            (false, _) => f64::NAN,
            (true, true) => top,
            (true, false) => bottom,
        })
        .collect()
}

/// Whether the bins beside are on the same side of the middle: no edge passes through this one.
fn settled(group: &Signal, middle: f64, i: usize) -> bool {
    let side = |k: usize| group.value.get(k).map(|v| *v > middle);
    let own = side(i);
    (i == 0 || side(i - 1) == own) && (i + 1 >= group.value.len() || side(i + 1) == own)
}

/// What is left of each GPU in the phases of a kind.
pub(crate) fn residuals(group: &Group, label: Label) -> Vec<Vec<f64>> {
    group
        .each
        .iter()
        .map(|gpu| {
            let mut left = Vec::new();
            for phase in group.phases.iter().filter(|p| p.label == label) {
                let (from, to) = (
                    group.mean.bin(phase.from_s + 0.5 * gpu.dt_s),
                    group.mean.bin(phase.to_s + 0.5 * gpu.dt_s),
                );
                let means = means(phase, (&group.mean, group.window_s), gpu, from, to);
                left.extend(gpu.value[from..to].iter().zip(means).map(|(v, m)| v - m));
                // A phase's end is no neighbour of the next one's beginning.
                left.push(f64::NAN);
            }
            left
        })
        .collect()
}

/// Correlation by kind of phase between the GPUs of a group.
pub fn correlations(group: &Group) -> Vec<Correlation> {
    let mut labels: Vec<Label> = group.phases.iter().map(|p| p.label).collect();
    labels.sort_unstable();
    labels.dedup();
    labels
        .into_iter()
        .map(|label| {
            let left = residuals(group, label);
            let mut all = Vec::new();
            let mut pairs = 0;
            for a in 0..left.len() {
                for b in a + 1..left.len() {
                    pairs += 1;
                    all.extend(pearson(&left[a], &left[b]));
                }
            }
            let mean = (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64);
            let lo = all.iter().copied().fold(f64::INFINITY, f64::min);
            let hi = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            Correlation {
                label,
                coefficient: mean,
                range: mean.map(|_| (lo, hi)),
                pairs,
                samples: left
                    .first()
                    .map_or(0, |l| l.iter().filter(|v| v.is_finite()).count()),
            }
        })
        .collect()
}

/// Correlation and lag of every GPU against the first one, over the whole recording.
pub fn lags(signals: &[(u32, &Signal)]) -> Vec<PairLag> {
    let Some(((first, base), others)) = signals.split_first() else {
        return Vec::new();
    };
    others
        .iter()
        .map(|(index, other)| {
            let most = (5.0 / base.dt_s).ceil() as usize;
            let found = lag(&base.value, &other.value, most.min(500));
            PairLag {
                gpus: (*first, *index),
                coefficient: pearson(&base.value, &other.value),
                lag_s: found.map(|f| f.0 * base.dt_s),
                at_lag: found.map(|f| f.1),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shifted_signal_has_its_lag() {
        let x: Vec<f64> = (0..400)
            .map(|i| libm::sin(f64::from(i) * 0.05) + 5.0)
            .collect();
        let y: Vec<f64> = (0..400)
            .map(|i| libm::sin((f64::from(i) - 3.4) * 0.05) + 9.0)
            .collect();
        let (shift, r) = lag(&x, &y, 20).unwrap();
        assert!((shift - 3.4).abs() < 0.2 && r > 0.99, "{shift} {r}");
        let (back, _) = lag(&y, &x, 20).unwrap();
        assert!((back + 3.4).abs() < 0.2, "{back}");
    }

    #[test]
    fn a_constant_has_no_correlation() {
        assert_eq!(pearson(&[3.1; 50], &[1.0; 50]), None);
        assert_eq!(pearson(&[], &[]), None);
    }
}
