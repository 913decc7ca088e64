//! Mean power from the energy counter, whatever the counter has gone through.

use crate::invert_updates::{clean, median};

/// What the energy counter says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EnergyMean {
    /// Mean power over the stretches that count, watts, as the counter has it (no gain applied).
    pub mean_w: f64,
    /// Standard error of it from when the counter was read and updated, watts.
    pub mean_se_w: f64,
    /// Energy over those stretches, joules.
    pub energy_j: f64,
    /// Length of those stretches, seconds.
    pub seconds: f64,
    /// Median time between changes of the counter, seconds.
    pub granularity_s: f64,
    /// Times at which it began anew, seconds.
    pub resets_s: Vec<f64>,
    /// Times at which it went back a little, and by how much, seconds and joules.
    pub backwards: Vec<(f64, f64)>,
    /// Stretches in which it stood still, from and to, seconds.
    pub stuck_s: Vec<(f64, f64)>,
}

/// A counter that stands still for longer than this many of its own steps, and a second, is stuck.
const STUCK_STEPS: f64 = 10.0;

/// Mean power from an energy counter: between the first and the last change of each stretch without reset, fall or standstill.
///
/// `None` where it never moved or has fewer than three changes.
pub fn energy_mean(time_s: &[f64], energy_j: &[f64]) -> Option<EnergyMean> {
    let (time_s, value) = clean(time_s, energy_j);
    let changes: Vec<usize> = (1..value.len())
        .filter(|i| value[*i] != value[i - 1])
        .collect();
    if changes.len() < 3 {
        return None;
    }
    let apart: Vec<f64> = changes
        .windows(2)
        .map(|pair| time_s[pair[1]] - time_s[pair[0]])
        .collect();
    let mut result = EnergyMean {
        granularity_s: median(&apart),
        ..EnergyMean::default()
    };
    let longest_s = (STUCK_STEPS * result.granularity_s).max(1.0);
    let mut variance = 0.0;
    let mut start: Option<usize> = None;
    // Ends a stretch at a change and adds it.
    let mut add = |start: usize, end: usize, result: &mut EnergyMean| {
        let seconds = time_s[end] - time_s[start];
        if seconds > 0.0 {
            result.energy_j += value[end] - value[start];
            result.seconds += seconds;
            // Each end is off by up to a poll.
            let poll = |i: usize| time_s[i] - time_s[i - 1];
            let watts = (value[end] - value[start]) / seconds;
            variance += watts * watts * (poll(start) * poll(start) + poll(end) * poll(end)) / 12.0;
        }
    };
    for (n, i) in changes.iter().copied().enumerate() {
        let before = n.checked_sub(1).map(|n| changes[n]);
        let fell = value[i] < value[i - 1];
        if fell {
            if value[i] < 0.5 * value[i - 1] {
                result.resets_s.push(time_s[i]);
            } else {
                result.backwards.push((time_s[i], value[i - 1] - value[i]));
            }
        }
        let stood = before.filter(|before| {
            time_s[i] - time_s[*before] > longest_s && polled_between(&time_s, *before, i)
        });
        if let Some(before) = stood {
            result.stuck_s.push((time_s[before], time_s[i]));
        }
        if fell || stood.is_some() {
            if let (Some(from), Some(before)) = (start, before) {
                add(from, before, &mut result);
            }
            start = Some(i);
        } else if start.is_none() {
            start = Some(i);
        }
    }
    let last = *changes.last()?;
    if let Some(from) = start {
        add(from, last, &mut result);
    }
    if let Some(end) = time_s.last()
        && end - time_s[last] > longest_s
    {
        result.stuck_s.push((time_s[last], *end));
    }
    if !(result.seconds > 0.0) {
        return None;
    }
    result.mean_w = result.energy_j / result.seconds;
    result.mean_se_w = variance.sqrt() / result.seconds;
    result.mean_w.is_finite().then_some(result)
}

/// Whether the counter was read often enough between two changes to say that it stood still: a gap in the polls is no standstill.
fn polled_between(time_s: &[f64], from: usize, to: usize) -> bool {
    let longest = (from + 1..=to)
        .map(|i| time_s[i] - time_s[i - 1])
        .fold(0.0, f64::max);
    longest < 0.5 * (time_s[to] - time_s[from])
}
