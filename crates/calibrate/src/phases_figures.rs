//! The figures of each phase: level, cycle, spread, how it is entered.

use crate::correlate::residuals;
use crate::segment::{Change, Cycle, Group, Label, Phase};
use crate::segment_group::Beside;
use crate::segment_period::acf;
use crate::segment_signal::{Signal, moments, quantile};

pub(crate) fn phase(
    (mean, window_s): (&Signal, Option<f64>),
    beside: &Beside,
    (from, to): (usize, usize),
    label: Label,
    why: String,
    period: Option<f64>,
) -> Phase {
    let (begin, end) = match period {
        // Cut cycles at the ends belong to the mean of a load that repeats.
        Some(_) => (from, to),
        None => mean.inner(from, to, window_s),
    };
    let x = &mean.value[begin..end];
    let (level_w, spread_w) = mean.moments(begin, end);
    Phase {
        label,
        from_s: mean.time_s(from),
        to_s: mean.time_s(to),
        level_w,
        low_w: quantile(x.iter().copied(), 0.05),
        high_w: quantile(x.iter().copied(), 0.95),
        spread_w,
        correlation_time_s: None,
        cycle: period.map(|p| cycle((mean, window_s), from, to, p)),
        entered: None,
        utilisation: Beside::mean(beside.utilisation.as_ref(), from, to),
        memory_bytes: beside.memory(from, to),
        why,
    }
}

/// Levels, duty and jitter of a load that repeats every `period` samples.
fn cycle((mean, window_s): (&Signal, Option<f64>), from: usize, to: usize, period: f64) -> Cycle {
    let x = &mean.value[from..to];
    let values = || x.iter().copied();
    // Two means, each that of the samples nearer to it (Lloyd); the median of each side then forgets the samples on the edges.
    let (mut low, mut high) = (quantile(values(), 0.05), quantile(values(), 0.95));
    for _ in 0..30 {
        let middle = f64::midpoint(low, high);
        let (a, _) = moments(values().filter(|v| *v <= middle));
        let (b, _) = moments(values().filter(|v| *v > middle));
        if !(a.is_finite() && b.is_finite()) || (a == low && b == high) {
            break;
        }
        (low, high) = (a, b);
    }
    let middle = f64::midpoint(low, high);
    let (level, _) = moments(values());
    let clear = clear_of_edges(x, middle, 0.5 * window_s.unwrap_or(0.0) / mean.dt_s + 0.5);
    let side = |up: bool| {
        let own = move |v: &f64| (*v > middle) == up;
        let settled: Vec<f64> = x
            .iter()
            .zip(&clear)
            .filter(|(_, clear)| **clear)
            .map(|(v, _)| *v)
            .filter(own)
            .collect();
        // A side shorter than the window never settles.
        if settled.len() >= 4.max(values().filter(own).count() / 50) {
            settled
        } else {
            values().filter(own).collect()
        }
    };
    let (low_w, high_w) = (
        quantile(side(false).into_iter(), 0.5),
        quantile(side(true).into_iter(), 0.5),
    );
    let width = |up: bool| {
        0.7413 * (quantile(side(up).into_iter(), 0.75) - quantile(side(up).into_iter(), 0.25))
    };
    // The mean must stay, so the duty follows from it.
    let duty = if high_w > low_w {
        ((level - low_w) / (high_w - low_w)).clamp(0.02, 0.98)
    } else {
        0.5
    };
    // Rises through the middle, between samples, at least half a period apart.
    let mut rises: Vec<f64> = Vec::new();
    for i in 1..x.len() {
        if x[i - 1] <= middle && x[i] > middle {
            let at = i as f64 - (x[i] - middle) / (x[i] - x[i - 1]);
            if rises.last().is_none_or(|l| at - l > 0.5 * period) {
                rises.push(at);
            }
        }
    }
    let spans: Vec<f64> = rises
        .windows(2)
        .map(|w| w[1] - w[0])
        .filter(|s| (s / period - 1.0).abs() < 0.4)
        .collect();
    let (span, sd) = moments(spans.iter().copied());
    // Dips within a cycle have rises of their own: then the spans are not the period that the whole stretch shows.
    let own = spans.len() >= 5 && (span / period - 1.0).abs() < 0.06_f64.max(0.5 / period);
    let period = if own { span } else { period };
    // A rise is placed within a sample, evenly: two of them err by 1/√6 of one.
    let seen = if own { sd * sd - 1.0 / 6.0 } else { 0.0 };
    Cycle {
        period_s: period * mean.dt_s,
        jitter_s: if seen > 0.0 {
            seen.sqrt() * mean.dt_s
        } else {
            0.0
        },
        duty,
        high_w,
        low_w,
        high_spread_w: width(true).max(0.0),
        low_spread_w: width(false).max(0.0),
        first_rise_s: mean.time_s(from) + rises.first().copied().unwrap_or(0.0) * mean.dt_s,
        count: (to - from) as f64 / period,
        beat_s: None,
    }
}

/// Which samples lie farther than `reach` (in samples) from where the signal passes its middle, between samples.
fn clear_of_edges(x: &[f64], middle: f64, reach: f64) -> Vec<bool> {
    let mut clear = vec![true; x.len()];
    for i in 1..x.len() {
        if (x[i - 1] <= middle) == (x[i] <= middle) {
            continue;
        }
        let at = i as f64 - (x[i] - middle) / (x[i] - x[i - 1]);
        let from = (at - reach).ceil().max(0.0) as usize;
        let to = ((at + reach).floor().max(0.0) as usize + 1).min(x.len());
        for c in clear.iter_mut().take(to).skip(from) {
            *c = false;
        }
    }
    clear
}

/// Spread of single GPUs and how long it lasts.
pub(crate) fn spreads(
    (mean, window_s): (&Signal, Option<f64>),
    each: &[Signal],
    phases: &mut [Phase],
) {
    // The log of a beat shows no fluctuation of its own.
    let resolved = |p: &&mut Phase| p.cycle.is_none_or(|c| c.beat_s.is_none());
    for phase in phases.iter_mut().filter(resolved) {
        // One phase by itself, so that each has its own figures.
        let single = Group {
            gpus: Vec::new(),
            mean: mean.clone(),
            each: each.to_vec(),
            phases: vec![phase.clone()],
            gaps: Vec::new(),
            reading: "",
            window_s,
        };
        let left = residuals(&single, phase.label);
        let mut variance = 0.0;
        let mut times = Vec::new();
        for x in &left {
            let (_, sd) = moments(x.iter().copied());
            if sd.is_finite() {
                variance += sd * sd / left.len() as f64;
            }
            let r = acf(x, x.len().min(400) / 2);
            times.extend(forgets(&r).map(|lag| lag * mean.dt_s));
        }
        phase.spread_w = variance.sqrt();
        phase.correlation_time_s =
            (!times.is_empty()).then(|| times.iter().sum::<f64>() / times.len() as f64);
    }
}

/// Lag, in samples, at which the autocorrelation falls through 1/e; half a sample at least.
fn forgets(r: &[f64]) -> Option<f64> {
    let level = libm::exp(-1.0);
    let at = r.iter().position(|v| *v < level)?;
    let before = *r.get(at.checked_sub(1)?)?;
    let share = (before - level) / (before - r[at]);
    Some(((at - 1) as f64 + share).max(0.5))
}

/// How each phase is entered.
pub(crate) fn transitions(mean: &Signal, phases: &mut [Phase]) {
    for i in 1..phases.len() {
        let edge = mean.bin(phases[i].from_s + 0.5 * mean.dt_s);
        let near = |p: &Phase, first: bool| match &p.cycle {
            // Training is entered at its high level.
            Some(c) if first => c.high_w,
            _ => p.level_w,
        };
        let (a, b) = (near(&phases[i - 1], false), near(&phases[i], true));
        let delta = b - a;
        if delta.is_nan() || delta.abs() <= 1.0 {
            continue;
        }
        let reach = ((3.0 / mean.dt_s) as usize).max(4);
        let inside = |p: &Phase| ((p.to_s - p.from_s) / mean.dt_s) as usize;
        let left = edge.saturating_sub(reach.min(inside(&phases[i - 1])));
        let right = (edge + reach.min(inside(&phases[i]))).min(mean.value.len());
        let share = |k: usize| (mean.value[k] - a) / delta;
        let leaves = (left..edge.min(right))
            .rev()
            .take_while(|k| share(*k) > 0.1)
            .count();
        let arrives = (edge..right).take_while(|k| share(*k) < 0.9).count();
        let bins = leaves + arrives;
        phases[i].entered = Some(Change {
            delta_w: delta,
            time_s: (bins.max(1) as f64) * mean.dt_s / 0.8,
            window_s: mean.dt_s,
            unresolved: bins <= 1,
        });
    }
}
