//! Measured power traces with their own time stamps.

use crate::{BlockSource, LARGEST_MAGNITUDE, hold::usable};

/// Samples the cursor walks before it searches instead.
const WALK: usize = 8;
const HOLD_TOLERANCE: f64 = 1e-9;

/// Why time stamps and values do not make a trace. Indices count samples from 0.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum SeriesError {
    /// Each sample needs one time stamp and one value.
    #[error("the trace has {times} time stamps but {values} power values")]
    LengthMismatch {
        /// Number of time stamps.
        times: usize,
        /// Number of power values.
        values: usize,
    },
    /// Two samples are the least between which power can be known.
    #[error("the trace has {samples} sample(s); it needs at least 2")]
    TooShort {
        /// Number of samples.
        samples: usize,
    },
    /// A time stamp is not finite, or beyond [`LARGEST_MAGNITUDE`].
    #[error("time stamp {index} of the trace is {time_s} s, which is no usable time")]
    TimeNotFinite {
        /// Index of the sample.
        index: usize,
        /// Its time stamp in seconds.
        time_s: f64,
    },
    /// A power value is not finite, or beyond [`LARGEST_MAGNITUDE`].
    #[error("sample {index} of the trace is {power_w} W, which is no usable power")]
    PowerNotFinite {
        /// Index of the sample.
        index: usize,
        /// Its power in W.
        power_w: f64,
    },
    /// Time does not advance from one sample to the next.
    #[error(
        "time stamp {index} of the trace is {time_s} s, not later than {previous_s} s before it"
    )]
    NotIncreasing {
        /// Index of the later sample.
        index: usize,
        /// Time stamp before it, in seconds.
        previous_s: f64,
        /// Its own time stamp in seconds.
        time_s: f64,
    },
    /// A trace was to be played at a step that is not a positive, finite time.
    #[error("a trace cannot be sampled every {dt_s} s; the step must be positive and finite")]
    Step {
        /// The step in seconds.
        dt_s: f64,
    },
}

/// A power trace with its own time stamps, read at any instant.
///
/// Instants are on the trace's own clock, the one of its time stamps: the first sample is at
/// [`start_s`](Self::start_s), which need not be 0 (see [`rebase`](Self::rebase)). Before the first
/// and after the last sample the trace holds their values; [`covers`](Self::covers) tells whether an
/// instant is inside.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceSeries {
    time_s: Vec<f64>,
    power_w: Vec<f64>,
    hold: bool,
    interval_s: f64,
    longest_gap_s: f64,
    /// Index of the last sample read from; the next reading is usually there or just behind.
    cursor: usize,
}

impl TraceSeries {
    /// A trace of at least two samples with strictly increasing time stamps in seconds and power in
    /// W. With `hold` each value lasts until the next sample (a meter that reports changes); without,
    /// the power between two samples is on the straight line between them.
    ///
    /// Fails with the first reason, in the order of the variants of [`SeriesError`] for the lengths
    /// and then sample by sample, why this is no trace.
    pub fn new(time_s: Vec<f64>, power_w: Vec<f64>, hold: bool) -> Result<Self, SeriesError> {
        if time_s.len() != power_w.len() {
            return Err(SeriesError::LengthMismatch {
                times: time_s.len(),
                values: power_w.len(),
            });
        }
        if time_s.len() < 2 {
            return Err(SeriesError::TooShort {
                samples: time_s.len(),
            });
        }
        let mut intervals_s = Vec::with_capacity(time_s.len() - 1);
        let mut previous = None;
        for (index, (&time_s, &power_w)) in time_s.iter().zip(&power_w).enumerate() {
            if !usable(time_s) {
                return Err(SeriesError::TimeNotFinite { index, time_s });
            }
            if !usable(power_w) {
                return Err(SeriesError::PowerNotFinite { index, power_w });
            }
            if let Some(previous_s) = previous {
                if time_s <= previous_s {
                    return Err(SeriesError::NotIncreasing {
                        index,
                        previous_s,
                        time_s,
                    });
                }
                intervals_s.push(time_s - previous_s);
            }
            previous = Some(time_s);
        }
        intervals_s.sort_unstable_by(f64::total_cmp);
        let middle = intervals_s.len() / 2;
        let interval_s = if intervals_s.len() % 2 == 1 {
            intervals_s[middle]
        } else {
            0.5 * (intervals_s[middle - 1] + intervals_s[middle])
        };
        Ok(Self {
            longest_gap_s: intervals_s[intervals_s.len() - 1],
            interval_s,
            time_s,
            power_w,
            hold,
            cursor: 0,
        })
    }

    /// Power in W at `t_s` on the trace's own clock, by interpolation or holding as chosen; the end
    /// values outside the trace, and the first value for a `t_s` that is not a number.
    ///
    /// When holding, a sample counts from a billionth of the median interval before its stamp, so
    /// that the instant `k·dt` meets the stamp that was written as the same decimal.
    ///
    /// Reading forwards costs a step or two per call; a jump costs a search.
    pub fn at(&mut self, t_s: f64) -> f64 {
        let early_s = if self.hold {
            HOLD_TOLERANCE * self.interval_s
        } else {
            0.0
        };
        let t_s = t_s + early_s;
        let last = self.time_s.len() - 1;
        let reached = t_s >= self.time_s[0];
        if !reached {
            return self.power_w[0];
        }
        if t_s >= self.time_s[last] {
            return self.power_w[last];
        }
        let i = self.locate(t_s);
        self.cursor = i;
        let (p0, p1) = (self.power_w[i], self.power_w[i + 1]);
        if self.hold {
            return p0;
        }
        let (t0, t1) = (self.time_s[i], self.time_s[i + 1]);
        p0 + (p1 - p0) * ((t_s - t0) / (t1 - t0))
    }

    /// Index of the last sample at or before an instant inside the trace.
    fn locate(&self, t_s: f64) -> usize {
        if self.time_s[self.cursor] <= t_s {
            for i in self.cursor..(self.cursor + WALK).min(self.time_s.len() - 1) {
                if t_s < self.time_s[i + 1] {
                    return i;
                }
            }
        }
        self.time_s.partition_point(|time| *time <= t_s) - 1
    }

    /// Whether it holds its values rather than joining them by lines.
    pub fn hold(&self) -> bool {
        self.hold
    }

    /// The same samples, joined by straight lines.
    #[must_use]
    pub fn joined(self) -> Self {
        Self {
            hold: false,
            ..self
        }
    }

    /// Whether `t_s` lies between the first and the last sample, both included.
    pub fn covers(&self, t_s: f64) -> bool {
        (self.start_s()..=self.end_s()).contains(&t_s)
    }

    /// Time stamp of the first sample in seconds.
    pub fn start_s(&self) -> f64 {
        self.time_s[0]
    }

    /// Time stamp of the last sample in seconds.
    pub fn end_s(&self) -> f64 {
        self.time_s[self.time_s.len() - 1]
    }

    /// Time from the first to the last sample in seconds.
    pub fn duration_s(&self) -> f64 {
        self.end_s() - self.start_s()
    }

    /// Median time between two samples in seconds.
    pub fn interval_s(&self) -> f64 {
        self.interval_s
    }

    /// Longest time between two samples in seconds.
    pub fn longest_gap_s(&self) -> f64 {
        self.longest_gap_s
    }

    /// Number of samples, at least 2.
    pub fn samples(&self) -> usize {
        self.time_s.len()
    }

    /// Time stamps in seconds.
    pub fn time_s(&self) -> &[f64] {
        &self.time_s
    }

    /// Power of the samples in W.
    pub fn power_w(&self) -> &[f64] {
        &self.power_w
    }

    /// Mean power in W over the trace's duration: energy over time, so samples weigh by the time
    /// they stand for, held or interpolated as the trace is read.
    pub fn mean_w(&self) -> f64 {
        // Relative to the first value: a constant trace has exactly its value as mean.
        let base = self.power_w[0];
        let mut energy_j = 0.0;
        for (time, power) in self.time_s.windows(2).zip(self.power_w.windows(2)) {
            let level = if self.hold {
                power[0] - base
            } else {
                0.5 * ((power[0] - base) + (power[1] - base))
            };
            energy_j += level * (time[1] - time[0]);
        }
        base + energy_j / self.duration_s()
    }

    /// Largest power of any sample in W.
    pub fn max_w(&self) -> f64 {
        self.power_w
            .iter()
            .copied()
            .fold(f64::NEG_INFINITY, f64::max)
    }

    /// Smallest power of any sample in W.
    pub fn min_w(&self) -> f64 {
        self.power_w.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// Multiplies every power by `factor` and tells whether it did: a factor that would take any
    /// value out of the usable range (not finite, or beyond [`LARGEST_MAGNITUDE`]) leaves the trace
    /// as it was and gives `false`.
    pub fn scale(&mut self, factor: f64) -> bool {
        let largest = self.max_w().abs().max(self.min_w().abs());
        if !factor.is_finite() || (largest * factor).abs() > LARGEST_MAGNITUDE {
            return false;
        }
        for power in &mut self.power_w {
            *power *= factor;
        }
        true
    }

    /// Sets the trace's clock to 0 at its first sample and tells whether it did. It does not where
    /// the new stamps would no longer be strictly increasing, which takes stamps closer together
    /// than the rounding of the trace's duration.
    pub fn rebase(&mut self) -> bool {
        let start_s = self.start_s();
        let apart = |pair: &[f64]| pair[0] - start_s < pair[1] - start_s;
        if !self.time_s.windows(2).all(apart) {
            return false;
        }
        for time in &mut self.time_s {
            *time -= start_s;
        }
        true
    }

    /// The trace as a source of uniform blocks with a sample every `dt_s` seconds, the first at
    /// [`start_s`](Self::start_s). Past its end the trace holds its last value.
    ///
    /// Fails with [`SeriesError::Step`] where `dt_s` is not positive and finite.
    pub fn sampled(self, dt_s: f64) -> Result<SampledTrace, SeriesError> {
        if dt_s.is_finite() && dt_s > 0.0 {
            Ok(SampledTrace { trace: self, dt_s })
        } else {
            Err(SeriesError::Step { dt_s })
        }
    }
}

/// A [`TraceSeries`] played at a fixed step.
#[derive(Debug, Clone, PartialEq)]
pub struct SampledTrace {
    trace: TraceSeries,
    dt_s: f64,
}

impl BlockSource for SampledTrace {
    fn dt_s(&self) -> f64 {
        self.dt_s
    }

    fn fill(&mut self, start: u64, out: &mut [f64]) {
        let start_s = self.trace.start_s();
        for (k, power_w) in (start..).zip(out) {
            *power_w = self.trace.at(start_s + k as f64 * self.dt_s);
        }
    }
}

#[cfg(test)]
#[path = "trace_tests.rs"]
mod tests;
