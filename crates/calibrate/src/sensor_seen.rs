//! The table's model of a GPU's sensor, held against what the log shows: a mean over a second has no steps within a tenth of it.

use crate::sensor::Response;
use crate::{GpuRecording, Reading, SensorModel, reading_of};

/// Steps that a window cannot show, from which on the log is believed and not the table.
const STEPS: usize = 3;
/// Share of the window up to which two samples are close enough to tell.
const CLOSE: f64 = 0.4;
/// Share of the log's range that a step may be beyond what the window lets through: what was drawn reaches further than its means.
const MARGIN: f64 = 0.1;

/// The model of a GPU's sensor; with the time between updates as its window where the log has steps that the table's cannot show.
pub(crate) fn model_of(gpu: &GpuRecording, reading: Reading) -> SensorModel {
    let mut model = SensorModel::of(&gpu.name, &gpu.driver, reading);
    let (Some(window_s), Some(update_s), Some(watts)) = (
        model.window_s,
        model.update_period_s,
        reading_of(gpu, reading),
    ) else {
        return model;
    };
    if model.response == Response::Boxcar
        && window_s > update_s
        && let Some(step_s) = disproved(&gpu.time_s, watts, window_s, update_s)
    {
        model.window_s = Some(update_s);
        model.grade = None;
        model.source = format!(
            "steps within {step_s:.2} s: no mean over the {window_s:.0} s of the table; taken as a mean over one update"
        );
    }
    model
}

/// Time that the steps take which a mean over `window_s` could not show; none where there are too few.
fn disproved(time_s: &[f64], watts: &[f64], window_s: f64, update_s: f64) -> Option<f64> {
    let real = || watts.iter().copied().filter(|w| w.is_finite());
    let low = real().fold(f64::INFINITY, f64::min);
    let high = real().fold(f64::NEG_INFINITY, f64::max);
    let range = high - low;
    if range.is_nan() || range <= 0.0 {
        return None;
    }
    let mut found = Vec::new();
    for (t, w) in time_s.windows(2).zip(watts.windows(2)) {
        let apart_s = t[1] - t[0];
        let share = (apart_s + update_s) / window_s;
        // A mean moves by the share of its window that is new, and twice that where the load swings beyond what its means show.
        if apart_s > 0.0 && share <= CLOSE && (w[1] - w[0]).abs() > (2.0 * share + MARGIN) * range {
            found.push(apart_s);
        }
    }
    (found.len() >= STEPS).then(|| found.iter().copied().fold(0.0, f64::max))
}
