//! Steps of the power in corrected readings.

use crate::invert::Corrected;
use crate::invert_updates::median;

/// A step of the power.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Edge {
    /// When, seconds on the recording's clock.
    pub time_s: f64,
    /// Half width of the stretch it lies in, seconds.
    pub within_s: f64,
    /// Power before, watts.
    pub from_w: f64,
    /// Power after, watts.
    pub to_w: f64,
    /// How long it took, seconds; `None`: unresolved, shorter than window and update period together.
    pub rise_s: Option<f64>,
}

/// Steps of at least `least_w` watts, where the window says when they were.
///
/// Neighbouring changes of one direction above the noise make one edge. A reading within it is a mean over a window that holds the step: for
/// a window shorter than the update period the step lies `w·(y − before)/(after − before)` before that update; for a longer one the
/// area above the readings gives it, `∫(after − y)dt/(after − before) − w/2`.
pub fn edges(corrected: &Corrected, least_w: f64) -> Vec<Edge> {
    let window_s = corrected.window_s.unwrap_or(0.0);
    let t: Vec<f64> = corrected
        .time_s
        .iter()
        .map(|t| t + 0.5 * window_s)
        .collect();
    let y = &corrected.power_w;
    let steps: Vec<f64> = y.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let sizes: Vec<f64> = steps.iter().map(|step| step.abs()).collect();
    let noise = 1.5 * median(&sizes);
    if !noise.is_finite() {
        return Vec::new();
    }
    let least = (0.1 * least_w).max(4.0 * noise.min(0.1 * least_w));
    let mut found = Vec::new();
    let mut i = 0;
    while i < steps.len() {
        if sizes[i] < least {
            i += 1;
            continue;
        }
        let mut end = i + 1;
        while end < steps.len() && sizes[end] >= least && steps[end] * steps[i] > 0.0 {
            end += 1;
        }
        let (before, after) = (y[i], y[end]);
        if (after - before).abs() >= least_w {
            found.push(edge(&t[i..=end], &y[i..=end], window_s));
        }
        i = end;
    }
    found
}

/// The edge between the first and the last of a few readings, at their updates.
fn edge(t: &[f64], y: &[f64], window_s: f64) -> Edge {
    let last = t.len() - 1;
    let (before, after) = (y[0], y[last]);
    let update_s = (t[last] - t[0]) / last as f64;
    let observed_s = t[last] - t[0];
    // Every update up to the end of the window and one more may show a step.
    let resolved = observed_s > window_s + 2.5 * update_s;
    let (time_s, within_s) = if window_s >= update_s || resolved || last > 2 {
        let area: f64 = (1..=last)
            .map(|i| (t[i] - t[i - 1]) * (after - f64::midpoint(y[i], y[i - 1])) / (after - before))
            .sum();
        (t[0] + area - 0.5 * window_s, 0.5 * update_s)
    } else if last == 2 {
        (
            t[1] - window_s * (y[1] - before) / (after - before),
            0.1 * window_s,
        )
    } else {
        let end = (t[1] - window_s).max(t[0]);
        (f64::midpoint(t[0], end), 0.5 * (end - t[0]).max(0.0))
    };
    Edge {
        time_s,
        within_s,
        from_w: before,
        to_w: after,
        rise_s: resolved.then_some(observed_s - window_s - update_s),
    }
}
