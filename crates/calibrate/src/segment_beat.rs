//! Work that repeats about as fast as the sensor updates: the log shows how the two drift past each other, and the sensor's own search
//! ([`crate::periodic()`]) finds the period behind it.

use crate::invert::corrected;
use crate::invert_periodic::{PeriodSearch, periodic};
use crate::segment::Cycle;
use crate::sensor_seen::model_of;
use crate::{GpuRecording, Reading};

/// Share of the readings' variance that the load must explain: a beat is regular, noise is not.
const EXPLAINED: f64 = 0.85;
/// Updates per period up to which a load is looked for: slower ones show by themselves.
const FAST: f64 = 3.0;
/// Longest stretch that is searched, seconds: period and levels are told well before.
const LONGEST_S: f64 = 90.0;

/// A load that repeats about as fast as the sensor updates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Beat {
    pub(crate) cycle: Cycle,
    /// Mean power, watts.
    pub(crate) mean_w: f64,
    /// Standard deviation of what it does not explain, watts.
    pub(crate) left_w: f64,
}

/// Looks for it in a stretch of one GPU's log whose readings come every `dt_s`.
pub(crate) fn beat(
    gpu: &GpuRecording,
    reading: Reading,
    (from_s, to_s): (f64, f64),
    dt_s: f64,
    sd_w: f64,
) -> Option<Beat> {
    let model = model_of(gpu, reading);
    // A window longer than a period shows nothing of it, and a log that is no faster than the updates knows no instant of theirs.
    if model.duty()? > 0.9 {
        return None;
    }
    let found = corrected(gpu, &model).ok()?;
    found.updates?;
    let (begin_s, end_s) = (from_s + dt_s, (to_s - dt_s).min(from_s + LONGEST_S));
    let search = PeriodSearch {
        stretch_s: Some((begin_s, end_s)),
        longest_s: Some(((end_s - begin_s) / 3.0).min(20.0 * dt_s)),
        most_levels: 2,
        ..PeriodSearch::default()
    };
    let load = periodic(&found, &search).ok()?;
    if load.explained < EXPLAINED || load.period_s > FAST * dt_s {
        return None;
    }
    let levels = load.levels.as_ref()?;
    let (low, high) = match levels.as_slice() {
        [a, b] if a.power_w < b.power_w => (a, b),
        [a, b] => (b, a),
        _ => return None,
    };
    let ratio = dt_s / load.period_s;
    let apart_hz = (ratio - ratio.round()).abs() / dt_s;
    let left_w = (1.0 - load.explained).max(0.0).sqrt() * sd_w;
    Some(Beat {
        cycle: Cycle {
            period_s: load.period_s,
            jitter_s: 0.0,
            duty: (high.seconds / load.period_s).clamp(0.02, 0.98),
            high_w: high.power_w,
            low_w: low.power_w.max(0.0),
            high_spread_w: left_w,
            low_spread_w: left_w,
            first_rise_s: high.from_s
                - ((high.from_s - from_s) / load.period_s).floor() * load.period_s,
            count: (to_s - from_s) / load.period_s,
            beat_s: Some(1.0 / apart_hz.max(1e-6)),
        },
        mean_w: load.mean_w,
        left_w,
    })
}
