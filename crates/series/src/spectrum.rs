//! Amplitude spectrum of a signal, by Welch's method.
//!
//! The signal is cut into segments that overlap by half; each has its mean removed, is weighted by a
//! Hann window and transformed; the squared magnitudes are averaged over the segments (Welch, "The
//! use of fast Fourier transform for the estimation of power spectra", IEEE Trans. Audio
//! Electroacoustics 15, 1967). Lines are scaled to the **amplitude of a sine**: a steady sine of
//! amplitude `A` on a line reads `A` there, and at worst 15 % less half-way between two lines, the
//! scalloping loss of the Hann window (Harris, "On the use of windows for harmonic analysis with the
//! discrete Fourier transform", Proc. IEEE 66, 1978, table 1: 1.42 dB). Noise has no amplitude per
//! line: it reads higher the coarser the resolution, and its true bandwidth per line is 1.5 lines.
//!
//! # Length of a segment
//!
//! An eighth of the run, so that some 15 segments are averaged, but at least 20 s (lines every
//! 0.05 Hz, which tells the slow swings of machines apart), or the whole run where that is shorter;
//! at most 2¹⁶ samples. The number is rounded up to one that has only 2, 3 and 5 as factors.
//!
//! # Decimation
//!
//! Only where 2¹⁶ samples last less than 20 s (a step below 0.305 ms) and the run is longer than
//! that, `D` samples are first averaged into one. The average is that of four boxcars of `D` samples
//! in a row, taken every `D` samples. Its response to a sine, `(sin(πfD·dt) / (D·sin(πf·dt)))⁴`, is
//! divided out of every line, and only lines up to 40 % of the decimated Nyquist frequency are
//! reported. There the correction is at most 1.31, and a sine above the decimated Nyquist frequency
//! that folds onto such a line reads, correction included, at most 1.2 % of its amplitude for
//! `D = 2`, 0.7 % for `D = 3` and less beyond.

use crate::hold::Hold;
use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use serde::Serialize;
use std::f64::consts::{PI, TAU};
use std::sync::Arc;

const SHORTEST: usize = 16;
const LONGEST: usize = 1 << 16;
// 1/0.05 Hz.
const SEGMENT_S: f64 = 20.0;
const SEGMENTS_PER_RUN: u64 = 8;
const BOXCARS: usize = 4;
// Bounds the taps where someone asks for steps of picoseconds.
const MOST_DECIMATION: u64 = 1 << 16;
const USABLE_OF_NYQUIST: f64 = 0.4;
const WINDOW: &str = "hann";

/// Amplitude spectrum of a signal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spectrum {
    /// Frequency of each line in Hz, rising, from the first line above 0 (the mean is removed) to
    /// the Nyquist frequency, or to 40 % of the decimated one where the signal was decimated.
    pub frequency_hz: Vec<f64>,
    /// Amplitude (peak, not rms, not peak-to-peak) of a sine that explains the line, in the signal's
    /// unit: corrected for the window, root mean square over the segments.
    pub amplitude: Vec<f64>,
    /// Distance between two lines in Hz, the reciprocal of a segment's duration; 0 without lines.
    pub resolution_hz: f64,
    /// Number of segments averaged; 0 where the signal had fewer than 16 samples.
    pub segments: u32,
    /// Name of the window, `hann`.
    pub window: String,
}

/// Estimates the [`Spectrum`] of a signal as the samples go by, keeping one segment of at most 2¹⁶
/// samples.
///
/// A sample that is not finite, or beyond [`crate::LARGEST_MAGNITUDE`], counts as a repetition of
/// the last usable one (see [`non_finite`](Self::non_finite)).
#[derive(Clone)]
pub struct SpectrumEstimator {
    dt_s: f64,
    decimator: Option<Decimator>,
    /// Even number of samples of a segment, after decimation.
    length: usize,
    pending: Vec<f64>,
    /// Sum over the segments of the squared magnitude of each line from line 0.
    power: Vec<f64>,
    segments: u32,
    engine: Option<Engine>,
    hold: Hold,
}

/// Lines that a sine's energy is spread over by the Hann window: its equivalent noise bandwidth (Harris 1978, table 1).
const HANN_BANDWIDTH: f64 = 1.5;

impl Spectrum {
    /// Mean square of the part of the signal between two frequencies, both included, in the signal's unit squared: exact for noise
    /// and for sines two lines or more from both ends; a sine on an end counts half and more.
    pub fn mean_square(&self, low_hz: f64, high_hz: f64) -> f64 {
        let lines = self.frequency_hz.iter().zip(&self.amplitude);
        let inside = lines.filter(|(f, _)| (low_hz..=high_hz).contains(*f));
        inside.map(|(_, a)| 0.5 * a * a).sum::<f64>() / HANN_BANDWIDTH
    }
}

impl SpectrumEstimator {
    /// An estimator for `samples` samples, `dt_s` seconds apart (positive). The announced number
    /// only sets the length of a segment: more samples give more segments; if too few come for one,
    /// what came is one shorter segment.
    pub fn new(dt_s: f64, samples: u64) -> Self {
        let (decimation, length) = layout(dt_s, samples);
        Self {
            dt_s,
            decimator: (decimation > 1).then(|| Decimator::new(decimation as usize)),
            length,
            pending: Vec::with_capacity(length),
            power: Vec::new(),
            segments: 0,
            engine: None,
            hold: Hold::default(),
        }
    }

    /// Takes the next samples.
    pub fn push_slice(&mut self, v: &[f64]) {
        for raw in v {
            let held = self.hold.pass(*raw);
            let sample = match &mut self.decimator {
                Some(decimator) => decimator.pass(held),
                None => Some(held),
            };
            if let Some(sample) = sample {
                self.pending.push(sample);
                if self.pending.len() == self.length {
                    self.take_segment();
                    self.pending.drain(..self.length / 2);
                }
            }
        }
    }

    /// Number of samples replaced because they were not finite or too large.
    pub fn non_finite(&self) -> u64 {
        self.hold.replaced()
    }

    /// The spectrum of all samples taken. A rest shorter than half a segment goes unused. Fewer than
    /// 16 samples (after decimation) give a spectrum without lines, and so does a step that is not
    /// positive and finite, which has no frequencies.
    pub fn finish(mut self) -> Spectrum {
        if self.segments == 0 {
            let shorter = self.pending.len() & !1;
            if shorter >= SHORTEST {
                self.pending.truncate(shorter);
                self.length = shorter;
                self.take_segment();
            }
        }
        let step_is_a_time = self.dt_s.is_finite() && self.dt_s > 0.0;
        let Some(engine) = self.engine.as_ref().filter(|_| step_is_a_time) else {
            return Spectrum {
                frequency_hz: Vec::new(),
                amplitude: Vec::new(),
                resolution_hz: 0.0,
                segments: 0,
                window: WINDOW.to_owned(),
            };
        };
        let decimation = self.decimator.as_ref().map_or(1, |d| d.factor);
        let resolution_hz = 1.0 / (self.length as f64 * decimation as f64 * self.dt_s);
        let nyquist_line = self.length / 2;
        let last_line = if decimation == 1 {
            nyquist_line
        } else {
            (nyquist_line as f64 * USABLE_OF_NYQUIST) as usize
        };
        let mut spectrum = Spectrum {
            frequency_hz: Vec::with_capacity(last_line),
            amplitude: Vec::with_capacity(last_line),
            resolution_hz,
            segments: self.segments,
            window: WINDOW.to_owned(),
        };
        for line in 1..=last_line {
            let rms = (self.power[line] / f64::from(self.segments)).sqrt();
            // A sine shows half its amplitude at +f and half at -f, which at Nyquist coincide.
            let sides = if line == nyquist_line { 1.0 } else { 2.0 };
            let turns = line as f64 / (self.length as f64 * decimation as f64);
            let droop = boxcars_response(turns, decimation);
            spectrum.frequency_hz.push(line as f64 * resolution_hz);
            spectrum.amplitude.push(sides * rms / (engine.gain * droop));
        }
        spectrum
    }

    fn take_segment(&mut self) {
        let engine = self.engine.get_or_insert_with(|| Engine::new(self.length));
        self.power.resize(self.length / 2 + 1, 0.0);
        engine.add_power(&self.pending, &mut self.power);
        self.segments += 1;
    }
}

/// Decimation factor and segment length (after decimation) for a run.
fn layout(dt_s: f64, samples: u64) -> (u64, usize) {
    let longest = LONGEST as f64;
    // A step that is no positive time gives no spectrum in the end; the lengths stay in range here.
    let wanted = (SEGMENT_S / dt_s).ceil();
    if wanted > longest && samples > LONGEST as u64 {
        let reachable = wanted.min(samples as f64);
        let factor = ((reachable / longest).ceil() as u64).clamp(2, MOST_DECIMATION);
        // The first outputs of the boxcars are incomplete.
        let available = (samples / factor).saturating_sub(BOXCARS as u64 - 1);
        let length = (SEGMENT_S / (dt_s * factor as f64)).ceil() as u64;
        return (factor, fitting(length, available));
    }
    let length = (wanted as u64).max(samples / SEGMENTS_PER_RUN);
    let available = if samples < SHORTEST as u64 {
        LONGEST as u64
    } else {
        samples
    };
    (1, fitting(length, available))
}

/// The even segment length next above `length` that the FFT likes, within what is available.
fn fitting(length: u64, available: u64) -> usize {
    let most = available.min(LONGEST as u64) as usize & !1;
    let mut candidate = (length.min(LONGEST as u64) as usize).next_multiple_of(2);
    while !has_small_factors(candidate) {
        candidate += 2;
    }
    candidate.min(most).max(SHORTEST)
}

fn has_small_factors(mut n: usize) -> bool {
    for factor in [2, 3, 5] {
        while n > 0 && n.is_multiple_of(factor) {
            n /= factor;
        }
    }
    n <= 1
}

/// Response of the four boxcars of `factor` samples to a sine of `turns` per sample.
fn boxcars_response(turns: f64, factor: usize) -> f64 {
    if factor == 1 {
        return 1.0;
    }
    let boxcar = libm::sin(PI * turns * factor as f64) / (factor as f64 * libm::sin(PI * turns));
    let squared = boxcar * boxcar;
    squared * squared
}

/// Four boxcars of `factor` samples in a row, as one weighted average taken every `factor` samples.
#[derive(Clone)]
struct Decimator {
    factor: usize,
    /// `BOXCARS` runs of `factor` weights; the last three weights are 0.
    weights: Vec<f64>,
    /// The averages in progress, the next to complete first.
    partial: [f64; BOXCARS],
    phase: usize,
    incomplete: usize,
}

impl Decimator {
    fn new(factor: usize) -> Self {
        let mut weights = vec![0.0; BOXCARS * factor];
        weights[0] = 1.0;
        for _ in 0..BOXCARS {
            // A sliding sum over the last `factor` weights. They are whole numbers of at most
            // factor³ <= 2⁴⁸ until the division below, so nothing is lost by taking away again.
            let mut sum = 0.0;
            let mut smoothed = Vec::with_capacity(weights.len());
            for (i, weight) in weights.iter().enumerate() {
                sum += weight;
                if i >= factor {
                    sum -= weights[i - factor];
                }
                smoothed.push(sum);
            }
            weights = smoothed;
        }
        let side = factor as f64;
        let total = side * side * side * side;
        for weight in &mut weights {
            *weight /= total;
        }
        Self {
            factor,
            weights,
            partial: [0.0; BOXCARS],
            phase: 0,
            incomplete: BOXCARS - 1,
        }
    }

    fn pass(&mut self, v: f64) -> Option<f64> {
        // The average that is next to complete is in its last run of weights.
        for (age, partial) in self.partial.iter_mut().rev().enumerate() {
            *partial += self.weights[age * self.factor + self.phase] * v;
        }
        self.phase += 1;
        if self.phase < self.factor {
            return None;
        }
        self.phase = 0;
        let done = self.partial[0];
        self.partial.rotate_left(1);
        self.partial[BOXCARS - 1] = 0.0;
        if self.incomplete > 0 {
            self.incomplete -= 1;
            return None;
        }
        Some(done)
    }
}

/// Window, transform and their buffers for one segment length.
#[derive(Clone)]
struct Engine {
    transform: Arc<dyn RealToComplex<f64>>,
    window: Vec<f64>,
    gain: f64,
    weighted: Vec<f64>,
    lines: Vec<Complex<f64>>,
    scratch: Vec<Complex<f64>>,
}

impl Engine {
    fn new(length: usize) -> Self {
        let transform = RealFftPlanner::<f64>::new().plan_fft_forward(length);
        // Periodic Hann: its own transform has exactly three lines, so a sine on a line leaks into
        // its two neighbours only.
        let hann = |i: usize| 0.5 - 0.5 * libm::cos(TAU * i as f64 / length as f64);
        let window: Vec<f64> = (0..length).map(hann).collect();
        Self {
            gain: window.iter().sum(),
            window,
            weighted: transform.make_input_vec(),
            lines: transform.make_output_vec(),
            scratch: transform.make_scratch_vec(),
            transform,
        }
    }

    /// Adds the squared magnitude of every line of the segment to `power`.
    fn add_power(&mut self, segment: &[f64], power: &mut [f64]) {
        let mean = segment.iter().sum::<f64>() / segment.len() as f64;
        for ((weighted, window), v) in self.weighted.iter_mut().zip(&self.window).zip(segment) {
            *weighted = (v - mean) * window;
        }
        let (input, output) = (&mut self.weighted, &mut self.lines);
        let transformed = self
            .transform
            .process_with_scratch(input, output, &mut self.scratch);
        // It can only fail on buffers of a wrong length, and these are the transform's own.
        debug_assert!(transformed.is_ok());
        for (sum, line) in power.iter_mut().zip(&self.lines) {
            *sum += line.norm_sqr();
        }
    }
}

#[cfg(test)]
#[path = "spectrum_tests.rs"]
mod tests;
