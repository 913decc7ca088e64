//! The window of a sensor, from readings beside something that saw the same power.

use crate::invert::{corrected, reading_of};
use crate::invert_periodic::{PeriodSearch, periodic};
use crate::invert_updates::{clean, find_updates, held, median};
use crate::recording::GpuRecording;
use crate::sensor::{Reading, SensorModel};

/// Power seen by something else, as its running integral.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    time_s: Vec<f64>,
    joules: Vec<f64>,
    /// Shortest window it can tell, seconds.
    finest_s: f64,
    /// Least share of the variance that a window must explain to be told: what is coarse itself can be explained by a wrong window.
    least_explained: f64,
}

impl Reference {
    /// A meter's samples, watts, taken as straight between them.
    pub fn meter(time_s: &[f64], power_w: &[f64]) -> Self {
        let (time_s, power_w) = clean(time_s, power_w);
        let mut joules = Vec::with_capacity(time_s.len());
        let mut sum = 0.0;
        for i in 0..time_s.len() {
            if i > 0 {
                sum += (time_s[i] - time_s[i - 1]) * f64::midpoint(power_w[i], power_w[i - 1]);
            }
            joules.push(sum);
        }
        let finest_s = step(&time_s);
        Self {
            time_s,
            joules,
            finest_s,
            least_explained: LEAST_EXPLAINED,
        }
    }

    /// An energy counter, joules, at the polls at which it moved; up to the first fall.
    pub fn counter(time_s: &[f64], energy_j: &[f64]) -> Self {
        let (time_s, energy_j) = clean(time_s, energy_j);
        let mut times: Vec<f64> = Vec::new();
        let mut joules: Vec<f64> = Vec::new();
        for i in 1..time_s.len() {
            if energy_j[i] < energy_j[i - 1] {
                break;
            }
            if energy_j[i] > energy_j[i - 1] {
                times.push(time_s[i]);
                joules.push(energy_j[i]);
            }
        }
        let finest_s = 5.0 * step(&times);
        Self {
            time_s: times,
            joules,
            finest_s,
            least_explained: LEAST_BY_SENSOR,
        }
    }

    /// Short readings of the same sensor, watts, each standing until the next update.
    pub fn readings(update_s: &[f64], power_w: &[f64]) -> Self {
        let (time_s, power_w) = clean(update_s, power_w);
        let mut joules = Vec::with_capacity(time_s.len());
        let mut sum = 0.0;
        for i in 0..time_s.len() {
            if i > 0 {
                // A short mean that ended at i speaks for the time before it.
                sum += (time_s[i] - time_s[i - 1]) * power_w[i];
            }
            joules.push(sum);
        }
        let finest_s = 2.0 * step(&time_s);
        Self {
            time_s,
            joules,
            finest_s,
            least_explained: LEAST_BY_SENSOR,
        }
    }

    fn at(&self, t: f64) -> f64 {
        let i = self
            .time_s
            .partition_point(|x| *x <= t)
            .clamp(1, self.time_s.len() - 1);
        let (a, b) = (self.time_s[i - 1], self.time_s[i]);
        self.joules[i - 1] + (t - a) / (b - a) * (self.joules[i] - self.joules[i - 1])
    }
}

/// Median step of times, seconds.
fn step(time_s: &[f64]) -> f64 {
    median(
        &time_s
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .collect::<Vec<_>>(),
    )
}

/// A window found by least squares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WindowFit {
    /// Window, seconds.
    pub window_s: f64,
    /// Shortest window that explains the readings about as well, seconds.
    pub low_s: f64,
    /// Longest such window, seconds.
    pub high_s: f64,
    /// Time from the end of the window to the update, seconds (clocks that differ are in it).
    pub lag_s: f64,
    /// Watts shown per watt of the reference.
    pub gain: f64,
    /// Watts shown at none of the reference.
    pub offset_w: f64,
    /// RMS of what is left, watts.
    pub residual_w: f64,
    /// Share of the variance explained, 0 to 1.
    pub explained: f64,
    /// Whether the reference is fine enough for this window, and the load moved enough to tell.
    pub resolved: bool,
}

/// Least share of the variance that a window must explain to be told.
const LEAST_EXPLAINED: f64 = 0.8;
/// The same against the sensor's own counter and short readings.
const LEAST_BY_SENSOR: f64 = 0.995;
/// Fewest updates.
const LEAST_UPDATES: usize = 20;

/// Least-squares window between `shortest_s` and `longest_s`: for each window and lag (up to `most_lag_s` either way, clocks included) the
/// readings at their updates are fitted by gain and offset times the reference's mean over the window.
///
/// `None` where fewer than 20 updates lie within the reference or nothing moves. The lag is sought for the middle of the window, which
/// hardly depends on its length.
pub fn find_window(
    update_s: &[f64],
    shown_w: &[f64],
    reference: &Reference,
    (shortest_s, longest_s): (f64, f64),
    most_lag_s: f64,
) -> Option<WindowFit> {
    let (update_s, shown_w) = clean(update_s, shown_w);
    if reference.time_s.len() < 3
        || !(shortest_s > 0.0 && longest_s > shortest_s && most_lag_s >= 0.0)
    {
        return None;
    }
    let first = reference.time_s[0] + 1.5 * longest_s + most_lag_s;
    let last = reference.time_s[reference.time_s.len() - 1] - most_lag_s;
    let kept: Vec<usize> = (0..update_s.len())
        .filter(|i| update_s[*i] >= first && update_s[*i] <= last)
        .collect();
    if kept.len() < LEAST_UPDATES {
        return None;
    }
    let u: Vec<f64> = kept.iter().map(|i| update_s[*i]).collect();
    let y: Vec<f64> = kept.iter().map(|i| shown_w[*i]).collect();
    let mean = y.iter().sum::<f64>() / y.len() as f64;
    let scatter: f64 = y.iter().map(|v| (v - mean) * (v - mean)).sum();
    if scatter <= 1e-9 * (1.0 + mean * mean) {
        return None;
    }
    let cost = |window_s: f64, centre_s: f64| line(&u, &y, reference, window_s, centre_s);
    // Best lag of the middle for a window: a scan, then halving around its best.
    let best_centre = |window_s: f64, around: Option<f64>| {
        let (mut at, mut reach, count) = around
            .map_or((0.5 * window_s, most_lag_s + 0.5 * longest_s, 160), |c| {
                (c, 0.02, 10)
            });
        let mut best = (f64::INFINITY, at);
        let mut count = count;
        while reach > 1e-5 {
            for i in -count..=count {
                let centre = at + reach * f64::from(i) / f64::from(count);
                let squares = cost(window_s, centre).0;
                if squares < best.0 {
                    best = (squares, centre);
                }
            }
            at = best.1;
            reach *= 2.0 / f64::from(count);
            count = 5;
        }
        best
    };
    let count = 24;
    let ratio = (longest_s / shortest_s).powf(1.0 / f64::from(count));
    let mut best = (f64::INFINITY, shortest_s, 0.0);
    for i in 0..=count {
        let window_s = shortest_s * ratio.powi(i);
        let (squares, centre) = best_centre(window_s, None);
        if squares < best.0 {
            best = (squares, window_s, centre);
        }
    }
    let mut reach = ratio - 1.0;
    while reach > 2e-3 {
        for i in -4..=4 {
            let window_s =
                (best.1 * (1.0 + reach * f64::from(i) / 4.0)).clamp(shortest_s, longest_s);
            let (squares, centre) = best_centre(window_s, Some(best.2));
            if squares < best.0 {
                best = (squares, window_s, centre);
            }
        }
        reach *= 0.5;
    }
    let (squares, window_s, centre) = best;
    let (_, gain, offset_w) = cost(window_s, centre);
    let n = u.len() as f64;
    // Windows within two standard errors: squares up by 4 σ².
    let limit = squares * (1.0 + 4.0 / (n - 4.0));
    let mut bounds = [window_s; 2];
    for (bound, by) in bounds.iter_mut().zip([1.0 / 1.02, 1.02]) {
        while *bound > shortest_s
            && *bound < longest_s
            && best_centre(*bound * by, Some(centre)).0 <= limit
        {
            *bound *= by;
        }
    }
    let explained = 1.0 - squares / scatter;
    Some(WindowFit {
        window_s,
        low_s: bounds[0].max(shortest_s),
        high_s: bounds[1].min(longest_s),
        lag_s: centre - 0.5 * window_s,
        gain,
        offset_w,
        residual_w: (squares / n).sqrt(),
        explained,
        resolved: explained >= reference.least_explained
            && window_s >= reference.finest_s
            && window_s > 1.05 * shortest_s
            && window_s < longest_s / 1.05,
    })
}

/// Squares left, gain and offset of the straight line of readings over the reference's means.
fn line(
    u: &[f64],
    y: &[f64],
    reference: &Reference,
    window_s: f64,
    centre_s: f64,
) -> (f64, f64, f64) {
    let n = u.len() as f64;
    let (mut sx, mut sy, mut sxx, mut sxy, mut syy) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (u, y) in u.iter().zip(y) {
        let end = u - centre_s + 0.5 * window_s;
        let x = (reference.at(end) - reference.at(end - window_s)) / window_s;
        sx += x;
        sy += y;
        sxx += x * x;
        sxy += x * y;
        syy += y * y;
    }
    let (mx, my) = (sx / n, sy / n);
    let (vx, vxy, vy) = (sxx - n * mx * mx, sxy - n * mx * my, syy - n * my * my);
    if vx <= 0.0 || vxy <= 0.0 {
        return (vy.max(0.0), 0.0, my);
    }
    let gain = vxy / vx;
    ((vy - gain * vxy).max(0.0), gain, my - gain * mx)
}

/// Window of a reading from the recording alone: against the energy counter where there is one, else, for the average, against the
/// instantaneous reading. `resolved` says whether it can be trusted: the counter cannot tell windows below five of its own steps.
pub fn measured_window(recording: &GpuRecording, reading: Reading) -> Option<WindowFit> {
    let of = |reading| {
        let (time_s, shown) = clean(&recording.time_s, reading_of(recording, reading)?);
        let grid = find_updates(&time_s, &shown)?;
        Some((held(&time_s, &shown, Some(&grid), grid.period_s), grid))
    };
    let (held_w, grid) = of(reading)?;
    let longest_s = (0.1 * (recording.time_s.last()? - recording.time_s.first()?))
        .clamp(2.0 * grid.period_s, 3.0);
    let by = |reference: &Reference| {
        let shortest_s = (0.2 * reference.finest_s).max(0.05 * grid.period_s);
        find_window(
            &held_w.update_s,
            &held_w.value,
            reference,
            (shortest_s, longest_s),
            grid.period_s,
        )
    };
    let counter = recording
        .energy_j
        .as_ref()
        .and_then(|energy| by(&Reference::counter(&recording.time_s, energy)));
    if counter.is_some_and(|fit| fit.resolved) || reading == Reading::Instant {
        return counter;
    }
    let (instant, _) = of(Reading::Instant)?;
    by(&Reference::readings(&instant.update_s, &instant.value))
        .filter(|fit| fit.resolved)
        .or(counter)
}

/// Window of a reading from a load that was switched between two levels with a known period, by the fit that leaves least; for a GPU
/// whose sensor nobody has measured. The load's edges must be much shorter than the window. `None` where no window explains the readings.
///
/// Behind a window a square wave becomes a trapezoid in which window and length of a level can change places, so windows up to the
/// shorter level only are told apart.
pub fn find_window_of_square(
    recording: &GpuRecording,
    reading: Reading,
    period_s: f64,
    (shortest_s, longest_s): (f64, f64),
) -> Option<WindowFit> {
    if !(shortest_s > 0.0 && longest_s > shortest_s) {
        return None;
    }
    let left = |window_s: f64| {
        let mut model = SensorModel::of(&recording.name, &recording.driver, reading);
        model.window_s = Some(window_s);
        let found = corrected(recording, &model).ok()?;
        let search = PeriodSearch {
            known_s: Some(period_s),
            most_levels: 2,
            ..PeriodSearch::default()
        };
        let load = periodic(&found, &search).ok()?;
        load.levels
            .is_some()
            .then_some((1.0 - load.explained, found))
    };
    let mut best: Option<(f64, f64)> = None;
    let mut tried: Vec<(f64, f64)> = Vec::new();
    let mut take = |window_s: f64, best: &mut Option<(f64, f64)>| {
        if let Some((rest, _)) = left(window_s) {
            tried.push((window_s, rest));
            if best.is_none_or(|(least, _)| rest < least) {
                *best = Some((rest, window_s));
            }
        }
    };
    let ratio = (longest_s / shortest_s).powf(1.0 / 24.0);
    for i in 0..=24 {
        take(shortest_s * ratio.powi(i), &mut best);
    }
    let mut reach = ratio - 1.0;
    while reach > 4e-3 {
        let centre = best?.1;
        for i in [-2.0, -1.0, 1.0, 2.0] {
            take(
                (centre * (1.0 + 0.5 * i * reach)).clamp(shortest_s, longest_s),
                &mut best,
            );
        }
        reach *= 0.5;
    }
    let (rest, window_s) = best?;
    let (_, found) = left(window_s)?;
    let n = found.power_w.len() as f64;
    let limit = rest * (1.0 + 4.0 / (n - 6.0).max(1.0));
    let near = || {
        tried
            .iter()
            .filter(|(_, other)| *other <= limit)
            .map(|(window_s, _)| *window_s)
    };
    let mean = found.power_w.iter().sum::<f64>() / n;
    let variance = found
        .power_w
        .iter()
        .map(|v| (v - mean) * (v - mean))
        .sum::<f64>()
        / n;
    Some(WindowFit {
        window_s,
        low_s: near().fold(window_s, f64::min),
        high_s: near().fold(window_s, f64::max),
        lag_s: 0.0,
        gain: 1.0,
        offset_w: 0.0,
        residual_w: (rest.max(0.0) * variance).sqrt(),
        explained: 1.0 - rest,
        resolved: rest <= 1.0 - LEAST_EXPLAINED
            && window_s > 1.05 * shortest_s
            && window_s < longest_s / 1.05,
    })
}
