//! A GPU's log beside a meter on its own supply: how far the log is off as it was read, and as it was corrected.

use serde::Serialize;

use crate::calibration::Calibration;
use crate::correct::{Known, model};
use crate::correlate::lag;
use crate::invert::corrected;
use crate::invert_window::{Reference, WindowFit, find_window};
use crate::segment_signal::{Signal, interval_s, on_grid};
use crate::{GpuRecording, InvertError, Reading};

/// Log and meter over the seconds they share.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MeterComparison {
    /// By how much the meter's clock is ahead of the log's, seconds.
    pub offset_s: f64,
    /// Stretch that both saw, seconds on the log's clock.
    pub from_s: f64,
    /// See `from_s`.
    pub to_s: f64,
    /// Mean of the meter, watts.
    pub meter_w: f64,
    /// Mean of the log as it was read, watts.
    pub read_w: f64,
    /// Mean of the log as it was corrected, watts.
    pub corrected_w: f64,
    /// Energy by the meter, joules.
    pub meter_j: f64,
    /// Energy of the log as it was read, joules.
    pub read_j: f64,
    /// Energy of the log as it was corrected, joules.
    pub corrected_j: f64,
    /// Window of the sensor as the meter shows it, seconds: best, lowest, highest; none where the load does not tell it.
    pub window_s: Option<(f64, f64, f64)>,
    /// Watts shown per watt of the meter, and watts shown at none: the card's own; none where the load does not tell it.
    pub card: Option<(f64, f64)>,
}

/// Why there is no comparison.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum MeterError {
    /// The logs hardly share any time.
    #[error("meter and GPU have {0} samples in common; at least 20 are needed")]
    TooFew(usize),
    /// The meter shows something else.
    #[error(
        "meter and GPU do not go together (correlation {0:.2} at best); is it the meter of this GPU's supply, and the same time?"
    )]
    Unrelated(f64),
    /// The GPU's power cannot be corrected.
    #[error(transparent)]
    Sensor(#[from] InvertError),
}

/// Least correlation of meter and log.
const LEAST_CORRELATION: f64 = 0.5;

/// Compares a calibrated GPU with the meter of its own supply, watts at seconds. The clocks may be off by up to `off_s` seconds: they are put
/// together by correlation, and then by the fit that finds the sensor's window.
///
/// # Errors
/// When the logs share too little or do not go together.
pub fn compare_meter(
    gpu: &GpuRecording,
    done: &Calibration,
    known: &Known,
    (meter_s, meter_w): (&[f64], &[f64]),
    off_s: f64,
) -> Result<MeterComparison, MeterError> {
    let reading = if gpu.instant_w.is_some() {
        Reading::Instant
    } else {
        Reading::Average
    };
    let mut blind = model(gpu, reading, &Known::default());
    let window_s = blind.window_s;
    blind.window_s = None;
    // Readings at their updates, gain and offset as shown.
    let shown = corrected(gpu, &blind)?;
    let dt_s = interval_s(meter_s, meter_w).max(shown.update_period_s.unwrap_or(0.0));
    let (start_s, end_s) = (gpu.time_s[0], gpu.time_s[gpu.time_s.len() - 1]);
    let first_s = meter_s.first().copied().unwrap_or(f64::NAN);
    // The meter may begin anywhere within the log, and end after it.
    let reach_s = off_s.max((first_s - start_s).abs());
    let bins = ((end_s - start_s) / dt_s) as usize;
    let shape = (start_s, dt_s, bins);
    let a: Signal = on_grid(&shown.time_s, &shown.power_w, shape);
    let b: Signal = on_grid(meter_s, meter_w, shape);
    let (shift, r) = lag(&a.value, &b.value, (reach_s / dt_s).ceil() as usize)
        .ok_or(MeterError::TooFew(bins.min(meter_s.len())))?;
    if r < LEAST_CORRELATION {
        return Err(MeterError::Unrelated(r));
    }
    let mut offset_s = shift * dt_s;
    let moved = |offset_s: f64| -> Vec<f64> { meter_s.iter().map(|t| t - offset_s).collect() };
    let reference = Reference::meter(&moved(offset_s), meter_w);
    let longest_s = (8.0 * window_s.unwrap_or(0.25)).min(2.0);
    let update_s = shown.update_period_s.unwrap_or(dt_s);
    let fit: Option<WindowFit> = find_window(
        &shown.time_s,
        &shown.power_w,
        &reference,
        (0.05 * update_s, longest_s),
        2.0 * update_s,
    )
    .filter(|fit| fit.resolved);
    if let Some(fit) = fit {
        // An update shows what ended `lag` before it.
        offset_s -= fit.lag_s;
    }
    let meter_s = moved(offset_s);
    let (from_s, to_s) = (
        start_s.max(meter_s[0]),
        end_s.min(meter_s[meter_s.len() - 1]),
    );
    let inside = |t: &f64| (from_s..=to_s).contains(t);
    let common = gpu.time_s.iter().filter(|t| inside(t)).count();
    if common < 20 {
        return Err(MeterError::TooFew(common));
    }
    let (mut joules, mut seconds) = (0.0, 0.0);
    for (t, w) in meter_s.windows(2).zip(meter_w.windows(2)) {
        if inside(&t[0]) && inside(&t[1]) {
            joules += (t[1] - t[0]) * f64::midpoint(w[0], w[1]);
            seconds += t[1] - t[0];
        }
    }
    let readings = crate::reading_of(gpu, reading).unwrap_or_default();
    let (read_w, _) = crate::segment_signal::moments(
        gpu.time_s
            .iter()
            .zip(readings)
            .filter(|(t, _)| inside(t))
            .map(|(_, w)| *w),
    );
    let corrected_w = mean_within(gpu, done, known, reading, (from_s, to_s))?;
    let (meter_w, length_s) = (joules / seconds, to_s - from_s);
    Ok(MeterComparison {
        offset_s,
        from_s,
        to_s,
        meter_w,
        read_w,
        corrected_w,
        meter_j: meter_w * length_s,
        read_j: read_w * length_s,
        corrected_j: corrected_w * length_s,
        window_s: fit.map(|fit| (fit.window_s, fit.low_s, fit.high_s)),
        card: fit.map(|fit| (fit.gain, fit.offset_w)),
    })
}

/// Corrected mean over a stretch: by phases that repeat where the fit has their mean, by the readings elsewhere.
fn mean_within(
    gpu: &GpuRecording,
    done: &Calibration,
    known: &Known,
    reading: Reading,
    (from_s, to_s): (f64, f64),
) -> Result<f64, MeterError> {
    let found = corrected(gpu, &model(gpu, reading, known))?;
    let report = done
        .reports
        .iter()
        .find(|r| r.gpus.contains(&gpu.index))
        .or(done.reports.first());
    let phases = report
        .into_iter()
        .flat_map(|r| r.phases.iter().zip(&r.corrected));
    let swings: Vec<(f64, f64, f64)> = phases
        .filter_map(|(p, c)| {
            c.swing
                .as_ref()
                .map(|_| (p.from_s, p.to_s, c.mean_w.unwrap_or(p.level_w)))
        })
        .collect();
    let (mut joules, mut seconds) = (0.0, 0.0);
    for (a, b, w) in &swings {
        let length_s = (b.min(to_s) - a.max(from_s)).max(0.0);
        joules += w * length_s;
        seconds += length_s;
    }
    // Each reading stands for the time up to the next one, outside of what repeats.
    for (t, w) in found.time_s.windows(2).zip(&found.power_w) {
        let (a, b) = (t[0].max(from_s), t[1].min(to_s));
        let covered: f64 = swings
            .iter()
            .map(|(x, y, _)| (y.min(b) - x.max(a)).max(0.0))
            .sum();
        let length_s = (b - a - covered).max(0.0);
        joules += w * length_s;
        seconds += length_s;
    }
    Ok(joules / seconds)
}
