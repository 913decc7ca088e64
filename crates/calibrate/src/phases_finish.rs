//! What is told of phases once all of them are there: edges between samples, the rhythm of checkpoints, what the log cannot show.

use std::fmt::Write as _;

use crate::segment::{Label, Phase};
use crate::segment_signal::{Signal, quantile};

/// Moves every edge to where the signal passes the middle between what is before and after it: a mean over a window that holds the edge tells
/// where in the window it lies. No edge moves to another bin's place than the nearest.
pub(crate) fn sharpen((mean, window_s): (&Signal, Option<f64>), phases: &mut [Phase]) {
    let dt_s = mean.dt_s;
    let reach = 1 + mean.reach(window_s);
    for k in 1..phases.len() {
        let end = mean.value.len();
        let edge = mean.bin(phases[k].from_s + 0.5 * dt_s);
        let clear = |p: &Phase| {
            let bins = (p.duration_s() / dt_s) as usize;
            let slow = p
                .cycle
                .is_none_or(|c| c.beat_s.is_none() && c.period_s > 4.0 * reach as f64 * dt_s);
            slow && bins > reach + 2
        };
        if !(clear(&phases[k - 1]) && clear(&phases[k])) {
            continue;
        }
        let (before, _) = mean.moments(
            edge.saturating_sub(reach + 2),
            (edge + 1).saturating_sub(reach),
        );
        let (after, _) = mean.moments((edge + reach - 1).min(end), (edge + reach + 2).min(end));
        let step = after - before;
        if step.is_nan() || step.abs() <= 0.1 * before.max(after) {
            continue;
        }
        // A cycle that ends has edges of its own close by.
        let bins = if phases[k - 1].cycle.is_some() {
            0.5
        } else {
            reach as f64 - 0.5
        };
        let most_s = bins * dt_s;
        let middle = f64::midpoint(before, after);
        let crossing = (edge.saturating_sub(reach)..(edge + reach).min(end))
            .filter_map(|i| {
                let (a, b) = (mean.value[i], *mean.value.get(i + 1)?);
                let passes = (b - middle) * step >= 0.0 && (a - middle) * step < 0.0;
                // Between the middles of the two bins.
                passes.then(|| mean.time_s(i) + dt_s * (0.5 + (middle - a) / (b - a)))
            })
            .filter(|t| (t - mean.time_s(edge)).abs() <= most_s)
            .min_by(|a, b| {
                let off = |t: &f64| (t - mean.time_s(edge)).abs();
                off(a).total_cmp(&off(b))
            });
        if let Some(at_s) = crossing {
            (phases[k].from_s, phases[k - 1].to_s) = (at_s, at_s);
        }
    }
}

/// How often checkpoints come, seconds from begin to begin (median), and how long each lasts; none for fewer than three.
pub(crate) fn checkpoint_rhythm(phases: &[Phase]) -> Option<(f64, f64)> {
    let found: Vec<&Phase> = phases
        .iter()
        .filter(|p| p.label == Label::Checkpoint)
        .collect();
    if found.len() < 3 {
        return None;
    }
    let between = found.windows(2).map(|w| w[1].from_s - w[0].from_s);
    let lasts = found.iter().map(|p| p.duration_s());
    Some((quantile(between, 0.5), quantile(lasts, 0.5)))
}

/// Tells of checkpoints how often they come.
pub(crate) fn checkpoints(phases: &mut [Phase]) {
    let Some((every_s, _)) = checkpoint_rhythm(phases) else {
        return;
    };
    for p in phases.iter_mut().filter(|p| p.label == Label::Checkpoint) {
        let _ = write!(p.why, "; one begins every {every_s:.1} s");
    }
}

/// Coefficient of variation from which work at one level may be repeated work that is too fast for the log (the bound of the gate, source 003).
const SWINGS: f64 = 0.05;

/// Tells of work that swings from sample to sample that what repeats faster than that cannot be seen, and of cycles seen through short windows that
/// a faster one would look the same: a beat of load and samples is no different from a cycle.
pub(crate) fn unseen((mean, window_s): (&Signal, Option<f64>), phases: &mut [Phase]) {
    let work = |p: &&mut Phase| {
        let steady = matches!(
            p.label,
            Label::Steady | Label::SteadyDecode | Label::SteadyPrefill
        );
        steady && p.cycle.is_none() && p.spread_w > SWINGS * p.level_w
    };
    let two_s = 2.0 * mean.dt_s;
    if let Some(window_s) = window_s.filter(|w| *w < 0.5 * mean.dt_s) {
        let own = |p: &&mut Phase| p.cycle.is_some_and(|c| c.beat_s.is_none());
        for p in phases.iter_mut().filter(own) {
            let _ = write!(
                p.why,
                "; seen for {:.0} ms every {:.2} s: what repeats faster than every {two_s:.2} s would look the same as its beat",
                1e3 * window_s,
                mean.dt_s
            );
        }
    }
    for p in phases.iter_mut().filter(work) {
        let _ = write!(
            p.why,
            "; swings by {:.0} W (standard deviation) without a period that shows: what repeats faster than every {two_s:.2} s, two samples, cannot be seen",
            p.spread_w
        );
    }
}
