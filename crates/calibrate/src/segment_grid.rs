//! The grid that all GPUs of a recording share: bins that hold one sample or one update each, stamped with the time the power is of.
//!
//! A poller's times scatter, so that bins which began with a sample would hold two and none in turn: samples stand in the middle of their bins. A
//! sensor that is polled faster than it updates gives bins that begin with an update. The power shown at an update is the mean over the window before;
//! what happened since the update before lies, on average, half an interval back, and so is the bin's stamp.

use crate::segment_signal::{
    LEAST_SAMPLES, MOST_BINS, SegmentError, Signal, interval_s, on_grid, quantile,
};
use crate::sensor_seen::model_of;
use crate::{GpuRecording, Reading};

/// Samples of one GPU's power with what is known of their sensor.
pub(crate) struct Source {
    /// Index of the GPU.
    pub(crate) gpu: u32,
    pub(crate) time_s: Vec<f64>,
    pub(crate) value: Vec<f64>,
    /// Which reading it is, in words.
    pub(crate) reading: &'static str,
    /// Window, seconds, where it is known.
    pub(crate) window_s: Option<f64>,
    /// Time between updates as the table has it, seconds.
    pub(crate) update_s: Option<f64>,
}

impl Source {
    pub(crate) fn of(gpu: &GpuRecording) -> Result<Self, SegmentError> {
        let (time_s, value, reading) = crate::segment_signal::power(gpu)?;
        let model = match reading {
            "instantaneous power" => Some(model_of(gpu, Reading::Instant)),
            "averaged power" => Some(model_of(gpu, Reading::Average)),
            _ => None,
        };
        Ok(Self {
            gpu: gpu.index,
            time_s,
            value,
            reading,
            window_s: model.as_ref().and_then(|m| m.window_s),
            update_s: model.as_ref().and_then(|m| m.update_period_s),
        })
    }
}

/// How a source's samples come.
#[expect(clippy::struct_field_names, reason = "names carry units")]
struct Rhythm {
    /// Time between samples, or between updates, seconds.
    dt_s: f64,
    /// Begin of a bin by the poller's clock, seconds.
    begin_s: f64,
    /// From there to the bin's stamp, seconds.
    shift_s: f64,
    end_s: f64,
}

fn rhythm(source: &Source) -> Result<Rhythm, SegmentError> {
    let time_s = &source.time_s;
    let (start_s, end_s) = (time_s[0], time_s[time_s.len() - 1]);
    let steps = time_s.windows(2).map(|w| w[1] - w[0]).filter(|d| *d > 0.0);
    let polled_s = quantile(steps, 0.5);
    // Levels without noise change more seldom than they are renewed: no known sensor is slower than its table.
    let slowest_s = source.update_s.map_or(f64::INFINITY, |u| u.max(polled_s));
    let seen_s = interval_s(time_s, &source.value);
    let first_s = if seen_s > 1.5 * slowest_s {
        slowest_s
    } else {
        seen_s
    };
    if !(end_s > start_s && first_s > 0.0) {
        return Err(SegmentError::NoTime { gpu: source.gpu });
    }
    let held = first_s > 1.5 * polled_s;
    let events: Vec<f64> = if held {
        time_s[1..]
            .iter()
            .zip(source.value.windows(2))
            .filter(|(_, pair)| pair[0] != pair[1])
            .map(|(t, _)| *t)
            .collect()
    } else {
        time_s.clone()
    };
    // Whole numbers of intervals lie between neighbours, whatever was lost or stood still.
    let (mut sum, mut count) = (0.0, 0.0);
    for pair in events.windows(2) {
        let d = pair[1] - pair[0];
        let k = (d / first_s).round();
        if (1.0..=20.0).contains(&k) && (d / first_s - k).abs() < 0.3 {
            sum += d;
            count += k;
        }
    }
    let dt_s = if count > 10.0 { sum / count } else { first_s };
    let least_s = (end_s - start_s) / MOST_BINS as f64;
    if dt_s < least_s {
        return Ok(Rhythm {
            dt_s: least_s,
            begin_s: start_s,
            shift_s: -0.5 * source.window_s.unwrap_or(0.0),
            end_s,
        });
    }
    // Where the events lie on the circle of the interval.
    let (mut c, mut s) = (0.0, 0.0);
    for t in &events {
        let angle = std::f64::consts::TAU * ((t - start_s) / dt_s).fract();
        c += libm::cos(angle);
        s += libm::sin(angle);
    }
    let phase_s = dt_s * libm::atan2(s, c) / std::f64::consts::TAU;
    let half_window_s = 0.5 * source.window_s.unwrap_or(0.0);
    let (offset_s, shift_s) = if held {
        // An update is seen at the poll after it, half a poll late on average.
        (
            phase_s - 0.9 * polled_s,
            -half_window_s - 0.5 * dt_s + 0.4 * polled_s,
        )
    } else {
        let age_s = source.update_s.unwrap_or(0.0).min(dt_s);
        let over_s = if source.reading == "energy counter" {
            0.5 * dt_s
        } else {
            0.0
        };
        (phase_s - 0.5 * dt_s, -half_window_s - 0.5 * age_s - over_s)
    };
    Ok(Rhythm {
        dt_s,
        begin_s: start_s + offset_s,
        shift_s,
        end_s,
    })
}

/// Puts all sources on one grid.
pub(crate) fn shared_grid(sources: &[Source]) -> Result<Vec<Signal>, SegmentError> {
    let rhythms: Vec<Rhythm> = sources.iter().map(rhythm).collect::<Result<_, _>>()?;
    let longest_s = rhythms.iter().map(|r| r.dt_s).fold(0.0, f64::max);
    let shortest_s = rhythms.iter().map(|r| r.dt_s).fold(f64::INFINITY, f64::min);
    let dt_s = if longest_s < 1.02 * shortest_s {
        rhythms.iter().map(|r| r.dt_s).sum::<f64>() / rhythms.len() as f64
    } else {
        longest_s
    };
    let start_s = rhythms
        .iter()
        .map(|r| r.begin_s + r.shift_s)
        .fold(f64::NEG_INFINITY, f64::max);
    let end_s = rhythms
        .iter()
        .map(|r| r.end_s + r.shift_s)
        .fold(f64::INFINITY, f64::min);
    let bins = ((end_s - start_s) / dt_s + 1e-6).floor().max(0.0) as usize + 1;
    sources
        .iter()
        .zip(&rhythms)
        .map(|(source, r)| {
            if bins < LEAST_SAMPLES {
                return Err(SegmentError::TooFew {
                    gpu: source.gpu,
                    samples: bins,
                    least: LEAST_SAMPLES,
                });
            }
            let ahead = ((start_s - r.begin_s - r.shift_s) / dt_s).round();
            let own = (r.begin_s + ahead * dt_s, dt_s, bins);
            Ok(Signal {
                start_s,
                ..on_grid(&source.time_s, &source.value, own)
            })
        })
        .collect()
}
