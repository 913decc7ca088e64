//! Flicker severity of a voltage, after IEC 61000-4-15 (edition 2, 2010).
//!
//! The input is not the mains' waveform but its magnitude relative to the rated voltage, sample by sample, which is what the
//! standard's block 2 (the square-law demodulator) recovers. What follows is the standard's:
//!
//! - block 3: a first-order high-pass at 0.05 Hz, a Butterworth low-pass of order 6 (35 Hz for the 230 V lamp, 42 Hz for the
//!   120 V lamp), and the response of lamp and eye,
//!   `k·ω₁s / (s² + 2λs + ω₁²) · (1 + s/ω₂) / ((1 + s/ω₃)(1 + s/ω₄))`;
//! - block 4: square, and a first-order low-pass of 0.3 s; scaled so that a sine of 8.8 Hz of 0.250 % (230 V lamp) or 0.321 %
//!   (120 V lamp), highest less lowest, reaches an instantaneous sensation of 1;
//! - block 5: over each 10 minutes `Pst = √(0.0314 P0.1 + 0.0525 P1s + 0.0657 P3s + 0.28 P10s + 0.08 P50s)`, where `Pk` is the
//!   sensation exceeded for k % of the time and `s` marks the standard's averages of neighbouring levels.
//!
//! Constants: IEC 61000-4-15, tables 1 and 5 and its filter coefficients, read at second hand. Filters go through the bilinear
//! transform at steps of at most 1 ms, between which the input runs in a straight line.

use std::f64::consts::{PI, TAU};

use crate::histogram::Histogram;
use crate::hold::Hold;

/// Period of one value of `Pst`, seconds.
pub const PST_PERIOD_S: f64 = 600.0;
/// Longest step of the filters, seconds.
const LONGEST_STEP_S: f64 = 0.001;
const HIGH_PASS_HZ: f64 = 0.05;
const SMOOTHING_S: f64 = 0.3;
/// Sine on which the sensation is scaled, hertz.
const REFERENCE_HZ: f64 = 8.8;

/// The lamp whose light the sensation is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lamp {
    /// 230 V, 50 Hz.
    V230Hz50,
    /// 120 V, 60 Hz.
    V120Hz60,
}

impl Lamp {
    /// The lamp that goes with a nominal frequency: below 55 Hz the 230 V one.
    pub fn of(nominal_hz: f64) -> Self {
        if nominal_hz < 55.0 {
            Self::V230Hz50
        } else {
            Self::V120Hz60
        }
    }

    /// In words: `230 V, 50 Hz lamp`.
    pub fn label(self) -> &'static str {
        match self {
            Self::V230Hz50 => "230 V, 50 Hz lamp",
            Self::V120Hz60 => "120 V, 60 Hz lamp",
        }
    }

    /// `k`, then `λ`, `ω₁`, `ω₂`, `ω₃`, `ω₄` over 2π, hertz.
    fn response(self) -> [f64; 6] {
        match self {
            Self::V230Hz50 => [1.748_02, 4.059_81, 9.154_94, 2.279_79, 1.225_35, 21.9],
            Self::V120Hz60 => [
                1.6357, 4.167_375, 9.077_169, 2.939_902, 1.394_468, 17.315_12,
            ],
        }
    }

    fn low_pass_hz(self) -> f64 {
        match self {
            Self::V230Hz50 => 35.0,
            Self::V120Hz60 => 42.0,
        }
    }

    /// Amplitude of the sine that is just felt at 8.8 Hz, relative.
    fn reference(self) -> f64 {
        match self {
            Self::V230Hz50 => 0.5 * 0.00250,
            Self::V120Hz60 => 0.5 * 0.00321,
        }
    }
}

/// A filter of second order, transposed direct form II.
#[derive(Debug, Clone, Copy)]
struct Section {
    b: [f64; 3],
    a: [f64; 2],
    state: [f64; 2],
}

impl Section {
    /// The bilinear transform of `(n₀ + n₁s + n₂s²) / (d₀ + d₁s + d₂s²)` at a step of `h_s`.
    fn new(n: [f64; 3], d: [f64; 3], h_s: f64) -> Self {
        let c = 2.0 / h_s;
        // A filter of first order stays one: as one of second order it would have a pole at half the sampling frequency.
        let first_order = n[2] == 0.0 && d[2] == 0.0;
        let part = |p: [f64; 3]| {
            if first_order {
                return [p[0] + p[1] * c, p[0] - p[1] * c, 0.0];
            }
            [
                p[0] + p[1] * c + p[2] * c * c,
                2.0 * (p[0] - p[2] * c * c),
                p[0] - p[1] * c + p[2] * c * c,
            ]
        };
        let (n, d) = (part(n), part(d));
        Self {
            b: n.map(|x| x / d[0]),
            a: [d[1] / d[0], d[2] / d[0]],
            state: [0.0; 2],
        }
    }

    fn pass(&mut self, x: f64) -> f64 {
        let y = self.b[0] * x + self.state[0];
        self.state[0] = self.b[1] * x - self.a[0] * y + self.state[1];
        self.state[1] = self.b[2] * x - self.a[1] * y;
        y
    }

    /// Squared magnitude of the response to a sine of `turns` per step.
    fn squared_gain(&self, turns: f64) -> f64 {
        let part = |p: [f64; 3]| {
            let (mut re, mut im) = (0.0, 0.0);
            for (k, value) in p.into_iter().enumerate() {
                let (sin, cos) = libm::sincos(TAU * turns * k as f64);
                re += value * cos;
                im -= value * sin;
            }
            re * re + im * im
        };
        part(self.b) / part([1.0, self.a[0], self.a[1]])
    }
}

/// The worst flicker of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flicker {
    /// Highest `Pst` of any period.
    pub pst: f64,
    /// Start of that period, seconds after the first sample.
    pub at_s: f64,
    /// Length of that period, seconds: 600, or the run where it is shorter.
    pub over_s: f64,
}

/// A flickermeter: takes the magnitude of a voltage sample by sample, in memory that does not grow.
#[derive(Debug, Clone)]
pub struct Flickermeter {
    lamp: Lamp,
    dt_s: f64,
    parts: u32,
    filters: [Section; 6],
    smoothing: Section,
    scale: f64,
    first: Option<f64>,
    previous: f64,
    hold: Hold,
    sensation: Histogram,
    /// Samples taken, and samples in a period.
    taken: u64,
    period: u64,
    worst: Option<Flicker>,
}

impl Flickermeter {
    /// A meter for samples `dt_s` seconds apart (positive and finite).
    pub fn new(lamp: Lamp, dt_s: f64) -> Self {
        let parts = ((dt_s / LONGEST_STEP_S - 1e-6).ceil() as u32).max(1);
        let h_s = dt_s / f64::from(parts);
        // The cut-off is bent so that the bilinear transform puts it where it belongs.
        let cut = 2.0 / h_s * libm::tan(PI * lamp.low_pass_hz().min(0.45 / h_s) * h_s);
        let butterworth = |degrees: f64| {
            let damping = 2.0 * libm::cos(degrees.to_radians());
            Section::new(
                [1.0, 0.0, 0.0],
                [1.0, damping / cut, 1.0 / (cut * cut)],
                h_s,
            )
        };
        let high_pass_s = 1.0 / (TAU * HIGH_PASS_HZ);
        let [k, lambda, w1, w2, w3, w4] = lamp.response();
        let [lambda, w1, w2, w3, w4] = [lambda, w1, w2, w3, w4].map(|hz| TAU * hz);
        let filters = [
            Section::new([0.0, high_pass_s, 0.0], [1.0, high_pass_s, 0.0], h_s),
            butterworth(15.0),
            butterworth(45.0),
            butterworth(75.0),
            Section::new([0.0, k * w1, 0.0], [w1 * w1, 2.0 * lambda, 1.0], h_s),
            Section::new(
                [1.0, 1.0 / w2, 0.0],
                [1.0, 1.0 / w3 + 1.0 / w4, 1.0 / (w3 * w4)],
                h_s,
            ),
        ];
        let smoothing = Section::new([1.0, 0.0, 0.0], [1.0, SMOOTHING_S, 0.0], h_s);
        let turns = REFERENCE_HZ * h_s;
        let squared: f64 = filters.iter().map(|f| f.squared_gain(turns)).product();
        let mean = 0.5 * lamp.reference() * lamp.reference() * squared;
        // The square of a sine ripples about its mean at twice the frequency.
        let ripple = libm::sqrt(smoothing.squared_gain(2.0 * turns));
        Self {
            lamp,
            dt_s,
            parts,
            filters,
            smoothing,
            scale: 1.0 / (mean * (1.0 + ripple)),
            first: None,
            previous: 0.0,
            hold: Hold::default(),
            sensation: Histogram::new(),
            taken: 0,
            period: ((PST_PERIOD_S / dt_s).round() as u64).max(1),
            worst: None,
        }
    }

    /// The lamp it stands for.
    pub fn lamp(&self) -> Lamp {
        self.lamp
    }

    /// Takes the next samples: voltage relative to rated, or its deviation from any constant.
    pub fn push_slice(&mut self, voltage_pu: &[f64]) {
        for raw in voltage_pu {
            let to = self.hold.pass(*raw);
            let Some(first) = self.first else {
                (self.first, self.previous) = (Some(to), 0.0);
                continue;
            };
            // Deviation from the first sample: nothing rings because the run begins.
            let to = to - first;
            let from = self.previous;
            for part in 1..=self.parts {
                let share = f64::from(part) / f64::from(self.parts);
                let mut value = from + (to - from) * share;
                for filter in &mut self.filters {
                    value = filter.pass(value);
                }
                let felt = self.scale * self.smoothing.pass(value * value);
                self.sensation.add(felt.max(0.0));
            }
            self.previous = to;
            self.taken += 1;
            if self.taken.is_multiple_of(self.period) {
                self.close(self.period);
            }
        }
    }

    /// The worst period. A rest of the run counts where no whole period went by; none below two samples.
    pub fn finish(mut self) -> Option<Flicker> {
        if self.worst.is_none() && self.taken > 0 {
            self.close(self.taken);
        }
        self.worst
    }

    fn close(&mut self, samples: u64) {
        let pst = severity(&self.sensation);
        self.sensation = Histogram::new();
        if self.worst.is_none_or(|w| pst > w.pst) {
            self.worst = Some(Flicker {
                pst,
                at_s: (self.taken - samples) as f64 * self.dt_s,
                over_s: samples as f64 * self.dt_s,
            });
        }
    }
}

/// `Pst` of a distribution of the sensation.
fn severity(sensation: &Histogram) -> f64 {
    let exceeded = |percent: f64| sensation.quantile(1.0 - percent / 100.0).unwrap_or(0.0);
    let mean = |percents: &[f64]| {
        percents.iter().map(|p| exceeded(*p)).sum::<f64>() / percents.len() as f64
    };
    let sum = 0.0314 * exceeded(0.1)
        + 0.0525 * mean(&[0.7, 1.0, 1.5])
        + 0.0657 * mean(&[2.2, 3.0, 4.0])
        + 0.28 * mean(&[6.0, 8.0, 10.0, 13.0, 17.0])
        + 0.08 * mean(&[30.0, 50.0, 80.0]);
    libm::sqrt(sum)
}

#[cfg(test)]
#[path = "flicker_tests.rs"]
mod tests;
