//! What the sensors' inverse says of a recording's phases: means, levels and edges as they were drawn, beside what was shown.

use serde::Serialize;

use crate::correct_edges::{drop_passages, snap_edges};
use crate::correct_phase::{Swing, join_swings, phase_mean, swings};
use crate::invert::{Corrected, InvertError, MeanFrom, corrected};
use crate::invert_updates::find_updates;
use crate::invert_window::measured_window;
use crate::segment::Group;
use crate::sensor_seen::model_of;
use crate::{GpuRecording, Reading, Recording, SensorModel, reading_of};

/// Error of the cards, from a comparison with a meter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CardError {
    /// Watts shown per watt drawn (> 0).
    pub gain: f64,
    /// Watts shown at none drawn.
    pub offset_w: f64,
    /// Relative error that is left of the gain (≥ 0).
    pub error: f64,
}

/// What is known beside the recording.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Known {
    /// Error of the cards. None: the gain is unknown by [`crate::UNKNOWN_GAIN`].
    pub card: Option<CardError>,
    /// Period of the load, seconds, where it was made so.
    pub period_s: Option<f64>,
}

/// A GPU's sensor, as it was inverted, and the mean over the whole recording.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SensorSeen {
    /// Index of the GPU on its node.
    pub gpu: u32,
    /// Which reading: `instant` or `average`.
    pub reading: String,
    /// Generation of the GPU.
    pub architecture: String,
    /// Time between updates, seconds; none where it is neither known nor seen.
    pub update_period_s: Option<f64>,
    /// Window, seconds; none where it is neither known nor found.
    pub window_s: Option<f64>,
    /// Where period and window come from.
    pub source: String,
    /// Watts shown per watt drawn.
    pub gain: f64,
    /// Watts shown at none drawn.
    pub offset_w: f64,
    /// Systematic error that is left, relative.
    pub gain_error: f64,
    /// Loads of a shorter period show no levels: the window lets less than a fifth of them through. Seconds.
    pub levels_hidden_below_s: Option<f64>,
    /// Mean of the samples as they were read, watts.
    pub naive_mean_w: f64,
    /// Mean that was drawn, watts.
    pub mean_w: f64,
    /// Statistical standard error of it, watts.
    pub mean_se_w: f64,
    /// Half width of its systematic error, watts.
    pub mean_systematic_w: f64,
    /// Where it comes from.
    pub mean_from: MeanFrom,
    /// Energy drawn over the recording, joules.
    pub energy_j: f64,
    /// Length of the recording, seconds.
    pub seconds: f64,
    /// What was found on the way and what the result cannot say.
    pub notes: Vec<String>,
}

/// A phase as it was drawn, per GPU of its group.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PhaseCorrected {
    /// Mean of the samples as they were read, watts; none where there is none.
    pub naive_mean_w: Option<f64>,
    /// Mean that was drawn, watts; none where the phase is too short for its sensor.
    pub mean_w: Option<f64>,
    /// Statistical standard error of it, watts.
    pub mean_se_w: Option<f64>,
    /// Half width of its systematic error (gain of the cards), watts.
    pub mean_systematic_w: Option<f64>,
    /// Where it comes from.
    pub mean_from: Option<MeanFrom>,
    /// Levels of a load that repeats, from the fit that knows the window.
    pub swing: Option<Swing>,
    /// Why levels cannot be told, where the load repeats and they cannot.
    pub unidentifiable: Option<String>,
    /// Half width of the stretch in which the phase begins, seconds; none where no step shows.
    pub begin_within_s: Option<f64>,
}

/// What the inverse gives for a group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Correction {
    pub(crate) phases: Vec<PhaseCorrected>,
    pub(crate) sensors: Vec<SensorSeen>,
    /// Whether a cycle is another one than what the samples show.
    pub(crate) beyond_samples: bool,
}

/// A GPU's inverse: its model and its readings.
pub(crate) struct Inverse<'a> {
    pub(crate) gpu: &'a GpuRecording,
    pub(crate) model: SensorModel,
    pub(crate) found: Corrected,
}

/// The reading that segmentation took, by its words.
fn reading(group: &Group) -> Option<Reading> {
    match group.reading {
        "instantaneous power" => Some(Reading::Instant),
        "averaged power" => Some(Reading::Average),
        _ => None,
    }
}

/// The model of a GPU's sensor: the table's, what the data tell where it has none, and the card's error where it is known.
pub(crate) fn model(gpu: &GpuRecording, reading: Reading, known: &Known) -> SensorModel {
    let mut model = model_of(gpu, reading);
    if model.window_s.is_none()
        && model.grade.is_none()
        && let Some(fit) = measured_window(gpu, reading).filter(|fit| fit.resolved)
        && let Some(updates) = reading_of(gpu, reading).and_then(|w| find_updates(&gpu.time_s, w))
    {
        model = model.with_timing(updates.period_s, fit.window_s);
    }
    match known.card {
        Some(card) => model.with_gain(card.gain, card.offset_w, card.error),
        None => model,
    }
}

/// The recording with gain and offset of the cards taken out, so that phases and replay are in watts drawn.
pub(crate) fn drawn(recording: &Recording, card: CardError) -> Recording {
    let mut out = recording.clone();
    for gpu in &mut out.gpus {
        for column in [&mut gpu.average_w, &mut gpu.instant_w]
            .into_iter()
            .flatten()
        {
            for w in column {
                *w = ((*w - card.offset_w) / card.gain).max(0.0);
            }
        }
        if let Some(energy_j) = &mut gpu.energy_j {
            let start_s = gpu.time_s.first().copied().unwrap_or(0.0);
            let (mut shown, mut at_s) = (f64::NAN, start_s);
            for (t, joules) in gpu.time_s.iter().zip(energy_j) {
                // What the offset has counted belongs to the counter's own steps, not to the polls.
                if *joules != shown {
                    (shown, at_s) = (*joules, *t);
                }
                *joules = (*joules - card.offset_w * (at_s - start_s)) / card.gain;
            }
        }
    }
    out
}

/// Whether gain, offset, error and period can be.
pub(crate) fn check(known: &Known) -> Result<(), InvertError> {
    let Some(card) = known.card else {
        return Ok(());
    };
    if card.gain > 0.0 && card.gain.is_finite() && card.error >= 0.0 && card.offset_w.is_finite() {
        Ok(())
    } else {
        Err(InvertError::Gain {
            gain: card.gain,
            error: card.error,
        })
    }
}

/// Puts means, levels and edges as they were drawn into a group's phases, and says what they were before and how far they hold.
/// `recording` is as it was read.
pub(crate) fn correct(recording: &Recording, group: &mut Group, known: &Known) -> Correction {
    let Some(reading) = reading(group) else {
        return Correction {
            phases: vec![PhaseCorrected::default(); group.phases.len()],
            sensors: Vec::new(),
            beyond_samples: false,
        };
    };
    let inverses: Vec<Inverse<'_>> = group
        .gpus
        .iter()
        .filter_map(|g| {
            let gpu = recording.gpus.get(*g)?;
            let model = model(gpu, reading, known);
            let found = corrected(gpu, &model).ok()?;
            Some(Inverse { gpu, model, found })
        })
        .collect();
    drop_passages(group, &inverses);
    join_swings(group, &inverses, known);
    let (found, beyond_samples) = swings(group, &inverses, known);
    let within_s = snap_edges(group, &inverses);
    let mut sensors: Vec<SensorSeen> = inverses
        .iter()
        .map(|inverse| sensor(inverse, known))
        .collect();
    let mut sums = vec![(0.0, 0.0, 0.0); inverses.len()];
    let mut phases = Vec::with_capacity(group.phases.len());
    for ((phase, swing), within_s) in group.phases.iter_mut().zip(found).zip(within_s) {
        let mut means = Vec::new();
        for (inverse, sum) in inverses.iter().zip(&mut sums) {
            let own = phase_mean(inverse, phase, swing.swing.as_ref());
            if let Some(own) = &own {
                let seconds = phase.duration_s();
                let error = own.se_w * seconds;
                *sum = (
                    sum.0 + own.mean_w * seconds,
                    sum.1 + seconds,
                    sum.2 + error * error,
                );
            }
            means.extend(own);
        }
        let n = means.len() as f64;
        let mut whole = PhaseCorrected {
            swing: swing.swing,
            unidentifiable: swing.unidentifiable,
            begin_within_s: within_s,
            ..PhaseCorrected::default()
        };
        if !means.is_empty() {
            let mean_w = means.iter().map(|m| m.mean_w).sum::<f64>() / n;
            let squares: f64 = means.iter().map(|m| m.se_w * m.se_w).sum();
            let error = inverses[0].model.gain_error;
            whole.naive_mean_w = Some(means.iter().map(|m| m.naive_w).sum::<f64>() / n);
            whole.mean_w = Some(mean_w);
            whole.mean_se_w = Some(squares.sqrt() / n);
            // Cards of one batch may share their error: it is not divided by their number.
            whole.mean_systematic_w = Some(error * mean_w.abs());
            whole.mean_from = Some(if means.iter().all(|m| m.from == MeanFrom::EnergyCounter) {
                MeanFrom::EnergyCounter
            } else {
                MeanFrom::Readings
            });
            phase.level_w = mean_w;
        }
        phases.push(whole);
    }
    // A load that repeats biases the readings' mean where the sensor looks for a part of the time: without a counter the phases' own count.
    for (sensor, (joules, seconds, squares)) in sensors.iter_mut().zip(sums) {
        let swings = phases.iter().any(|p| p.swing.is_some());
        if swings && sensor.mean_from == MeanFrom::Readings && seconds > 0.0 {
            sensor.mean_w = joules / seconds;
            sensor.mean_se_w = f64::sqrt(squares) / seconds;
            sensor.mean_systematic_w = sensor.gain_error * sensor.mean_w.abs();
            sensor.energy_j = sensor.mean_w * sensor.seconds;
        }
    }
    Correction {
        phases,
        sensors,
        beyond_samples,
    }
}

fn sensor(inverse: &Inverse<'_>, known: &Known) -> SensorSeen {
    let (model, found) = (&inverse.model, &inverse.found);
    let mut source = model.source.clone();
    source.push_str(match known.card {
        Some(_) => "; gain and offset given",
        None => "; gain unknown",
    });
    SensorSeen {
        gpu: inverse.gpu.index,
        reading: model.reading.to_string(),
        architecture: model.architecture.to_string(),
        update_period_s: found.update_period_s,
        window_s: model.window_s,
        source,
        gain: model.gain,
        offset_w: model.offset_w,
        gain_error: model.gain_error,
        levels_hidden_below_s: model.window_s.map(crate::invert_periodic::hidden_below_s),
        naive_mean_w: found.naive_mean_w,
        mean_w: found.mean_w,
        mean_se_w: found.mean_se_w,
        mean_systematic_w: found.mean_systematic_w,
        mean_from: found.mean_from,
        energy_j: found.energy_j,
        seconds: found.seconds,
        notes: found.notes.clone(),
    }
}
