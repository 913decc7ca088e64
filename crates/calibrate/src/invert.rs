//! From what a sensor showed to what was drawn, with how far that can be trusted.

use std::fmt;

use crate::invert_energy::{EnergyMean, energy_mean};
use crate::invert_updates::{Updates, clean, find_updates, held, median};
use crate::recording::GpuRecording;
use crate::sensor::{Reading, Response, SensorModel};

/// Where a mean comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MeanFrom {
    /// The energy counter.
    EnergyCounter,
    /// The readings, each update once.
    Readings,
}

impl fmt::Display for MeanFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EnergyCounter => "energy counter",
            Self::Readings => "readings, each update once",
        })
    }
}

/// What a GPU drew, as far as its recording tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Corrected {
    /// Middle of the window of each update, seconds on the recording's clock; rises.
    pub time_s: Vec<f64>,
    /// Mean power over that window, gain and offset taken out, watts.
    pub power_w: Vec<f64>,
    /// Mean power over the recording, watts.
    pub mean_w: f64,
    /// Statistical standard error of it, watts.
    pub mean_se_w: f64,
    /// Half width of its systematic error (gain of the card), watts.
    pub mean_systematic_w: f64,
    /// Where the mean comes from.
    pub mean_from: MeanFrom,
    /// Mean of the same samples as they were read, for comparison, watts.
    pub naive_mean_w: f64,
    /// Energy over the recording, joules: the mean times [`Corrected::seconds`].
    pub energy_j: f64,
    /// Length of the recording from first to last sample, seconds.
    pub seconds: f64,
    /// Window over which each power is a mean, seconds; `None` where it is not known.
    pub window_s: Option<f64>,
    /// Time between updates used, seconds; `None` where it is neither known nor seen.
    pub update_period_s: Option<f64>,
    /// Update grid found in the data.
    pub updates: Option<Updates>,
    /// What the energy counter says.
    pub counter: Option<EnergyMean>,
    /// What was found on the way and what the result cannot say.
    pub notes: Vec<String>,
}

impl fmt::Display for Corrected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "mean {:.2} W ± {:.2} W (statistical) ± {:.2} W (gain of the card), from the {}; averaging the samples as read gives {:.2} W",
            self.mean_w, self.mean_se_w, self.mean_systematic_w, self.mean_from, self.naive_mean_w
        )?;
        write!(f, "energy {:.1} J in {:.3} s", self.energy_j, self.seconds)?;
        for note in &self.notes {
            write!(f, "\n{note}")?;
        }
        Ok(())
    }
}

/// Why a recording cannot be corrected.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum InvertError {
    /// No such column.
    #[error("the recording has no {0} power")]
    NoReading(Reading),
    /// Too few samples.
    #[error("{0} usable samples of power: at least 3 are needed")]
    TooShort(usize),
    /// A model that cannot be.
    #[error("gain {gain} and error {error}: the gain must be above 0, the error at least 0")]
    Gain {
        /// Gain given.
        gain: f64,
        /// Relative error given.
        error: f64,
    },
}

/// Fewest usable samples.
const LEAST_SAMPLES: usize = 3;
/// Relative difference between counter and readings above which it is told.
const DISAGREE: f64 = 0.10;

/// The reading of a recording that a model is of.
pub fn reading_of(recording: &GpuRecording, reading: Reading) -> Option<&[f64]> {
    match reading {
        Reading::Average => recording.average_w.as_deref(),
        Reading::Instant => recording.instant_w.as_deref(),
    }
}

/// Inverts the sensor: power by update at the middle of its window, gain and offset taken out, and the mean with its uncertainty.
///
/// The mean comes from the energy counter where it is there and moves, else from the readings with each update counted once. Period and
/// window that the model does not know are taken from the data where they show; where they do not, a note says so and the powers stand
/// at the instants of their updates.
pub fn corrected(recording: &GpuRecording, model: &SensorModel) -> Result<Corrected, InvertError> {
    if !(model.gain > 0.0
        && model.gain.is_finite()
        && model.gain_error >= 0.0
        && model.offset_w.is_finite())
    {
        return Err(InvertError::Gain {
            gain: model.gain,
            error: model.gain_error,
        });
    }
    let reading =
        reading_of(recording, model.reading).ok_or(InvertError::NoReading(model.reading))?;
    let (time_s, shown_w) = clean(&recording.time_s, reading);
    if time_s.len() < LEAST_SAMPLES {
        return Err(InvertError::TooShort(time_s.len()));
    }
    let mut notes = Vec::new();
    let left_out = reading.len() - time_s.len();
    if left_out > 0 {
        notes.push(format!(
            "{left_out} of {} samples left out: failed readings, or polls at the same time",
            reading.len()
        ));
    }
    let seconds = time_s[time_s.len() - 1] - time_s[0];
    let polls: Vec<f64> = time_s.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let poll_s = median(&polls);
    note_gaps(&polls, poll_s, &mut notes);

    let updates = find_updates(&time_s, &shown_w);
    let update_period_s = updates.map(|grid| grid.period_s).or(model.update_period_s);
    note_timing(model, updates.as_ref(), poll_s, &mut notes);
    let held = held(
        &time_s,
        &shown_w,
        updates.as_ref(),
        update_period_s.unwrap_or(0.0),
    );
    let shift_s = 0.5 * model.window_s.unwrap_or(0.0);
    let corrected_s: Vec<f64> = held.update_s.iter().map(|t| t - shift_s).collect();
    let power_w: Vec<f64> = held
        .value
        .iter()
        .map(|shown| model.drawn_w(*shown))
        .collect();

    let (readings_w, readings_se_w) = mean_in_time(&held.update_s, &power_w);
    let naive_mean_w = shown_w.iter().sum::<f64>() / shown_w.len() as f64;
    let counter = recording
        .energy_j
        .as_ref()
        .and_then(|energy| energy_mean(&recording.time_s, energy));
    note_counter(recording, counter.as_ref(), &mut notes);

    if counter.is_none() && model.duty().is_some_and(|duty| duty < 0.9) {
        notes.push(
            "the sensor looks for a part of the time: of a load that keeps nearly in step with it the mean of the readings is off by more than its statistical error; fit the load's period"
                .to_owned(),
        );
    }
    let (mut mean_w, mut mean_se_w, mut mean_from) =
        (readings_w, readings_se_w, MeanFrom::Readings);
    if let Some(counter) = &counter {
        let by_counter_w = model.drawn_w(counter.mean_w);
        let apart = (by_counter_w - readings_w).abs();
        if apart > DISAGREE * readings_w.abs() + 4.0 * readings_se_w {
            notes.push(format!(
                "energy counter and readings disagree: {by_counter_w:.1} W and {readings_w:.1} W; the readings see {} of the time",
                model.duty().map_or_else(|| "an unknown share".to_owned(), |duty| format!("{:.0} %", 100.0 * duty))
            ));
        }
        // A counter that ran for less than half of the recording speaks for less than half of it.
        if counter.seconds >= 0.5 * seconds {
            (mean_w, mean_se_w, mean_from) = (
                by_counter_w,
                counter.mean_se_w / model.gain,
                MeanFrom::EnergyCounter,
            );
        } else {
            notes.push(format!(
                "the energy counter is usable for {:.1} of {seconds:.1} s: the mean comes from the readings",
                counter.seconds
            ));
        }
    }
    Ok(Corrected {
        time_s: corrected_s,
        power_w,
        mean_w,
        mean_se_w,
        mean_systematic_w: model.gain_error * mean_w.abs(),
        mean_from,
        naive_mean_w,
        energy_j: mean_w * seconds,
        seconds,
        window_s: model.window_s,
        update_period_s,
        updates,
        counter,
        notes,
    })
}

/// Says where polls are missing.
fn note_gaps(polls: &[f64], poll_s: f64, notes: &mut Vec<String>) {
    let gaps: Vec<f64> = polls
        .iter()
        .copied()
        .filter(|gap| *gap > 5.0 * poll_s)
        .collect();
    if !gaps.is_empty() {
        let longest = gaps.iter().copied().fold(0.0, f64::max);
        notes.push(format!(
            "{} gaps of more than five polls, {:.2} s together, the longest {longest:.2} s",
            gaps.len(),
            gaps.iter().sum::<f64>()
        ));
    }
}

/// Says what of the sensor's timing is known, and how.
fn note_timing(
    model: &SensorModel,
    updates: Option<&Updates>,
    poll_s: f64,
    notes: &mut Vec<String>,
) {
    match (updates, model.update_period_s) {
        (Some(grid), Some(period_s)) if (grid.period_s / period_s - 1.0).abs() > 0.2 => notes.push(format!(
            "updates every {:.1} ms seen where the model has {:.1} ms",
            1e3 * grid.period_s,
            1e3 * period_s
        )),
        (None, Some(period_s)) if poll_s > 0.5 * period_s => notes.push(format!(
            "polled every {:.1} ms: too slow to see updates every {:.1} ms; each sample is up to that much older than it says",
            1e3 * poll_s,
            1e3 * period_s
        )),
        (None, None) => notes.push("update period unknown and not seen in the data".to_owned()),
        _ => {}
    }
    match model.response {
        Response::Boxcar => {}
        Response::Logarithmic => notes.push(
            "this sensor follows like a capacitor that charges: rises are not corrected".to_owned(),
        ),
        Response::Estimate => {
            notes.push("this GPU has no power sensor: the driver estimates".to_owned());
        }
        Response::Unknown => notes.push(format!(
            "{} {}: window not known; times are not shifted by it",
            model.architecture, model.reading
        )),
    }
}

/// Says what the energy counter went through.
fn note_counter(recording: &GpuRecording, counter: Option<&EnergyMean>, notes: &mut Vec<String>) {
    let Some(counter) = counter else {
        notes.push(if recording.energy_j.is_some() {
            "the energy counter does not move: the mean comes from the readings".to_owned()
        } else {
            "no energy counter: the mean comes from the readings".to_owned()
        });
        return;
    };
    for at_s in &counter.resets_s {
        notes.push(format!("the energy counter began anew at {at_s:.3} s"));
    }
    for (at_s, by_j) in &counter.backwards {
        notes.push(format!(
            "the energy counter went back by {by_j:.3} J at {at_s:.3} s"
        ));
    }
    for (from_s, to_s) in &counter.stuck_s {
        notes.push(format!(
            "the energy counter stood still from {from_s:.3} to {to_s:.3} s: left out"
        ));
    }
}

/// Mean over time of values that stand until the next (gaps count as long as five of the usual), and its standard error from the
/// differences of neighbours.
pub(crate) fn mean_in_time(time_s: &[f64], value: &[f64]) -> (f64, f64) {
    let n = value.len();
    if n == 0 {
        return (f64::NAN, f64::NAN);
    }
    let apart: Vec<f64> = time_s.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let usual = median(&apart);
    let weight = |i: usize| {
        apart
            .get(i)
            .copied()
            .unwrap_or(usual)
            .min(5.0 * usual)
            .max(f64::MIN_POSITIVE)
    };
    let (mut sum, mut total) = (0.0, 0.0);
    for (i, v) in value.iter().enumerate() {
        let w = if usual.is_finite() { weight(i) } else { 1.0 };
        sum += w * v;
        total += w;
    }
    let mean = sum / total;
    // Half the mean square of neighbours' differences is the variance of what a value says of its own interval: that of white noise, and
    // little for a load that moves slowly, which the samples follow.
    let squares: f64 = value
        .windows(2)
        .map(|pair| (pair[1] - pair[0]) * (pair[1] - pair[0]))
        .sum();
    let se = (0.5 * squares).sqrt() / n as f64;
    (mean, se)
}
