//! A GPU's power on an even grid: what segmentation looks at.

use crate::GpuRecording;

/// Most bins of a grid; a longer recording gets wider ones.
pub(crate) const MOST_BINS: usize = 400_000;

/// Bins without a sample that the value before still stands for, and at least so long, seconds: loggers pause.
const HELD_BINS: usize = 5;
const HELD_S: f64 = 0.3;

/// A quantity on an even grid. A bin without a sample is NaN.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// Time of the first bin's beginning, seconds on the recording's clock.
    pub start_s: f64,
    /// Width of a bin, seconds.
    pub dt_s: f64,
    /// Mean in each bin.
    pub value: Vec<f64>,
}

impl Signal {
    /// Time at which bin `i` begins, seconds.
    pub fn time_s(&self, i: usize) -> f64 {
        self.start_s + i as f64 * self.dt_s
    }

    /// Number of the bin that holds `time_s`, at most the number of bins.
    pub fn bin(&self, time_s: f64) -> usize {
        let at = (time_s - self.start_s) / self.dt_s;
        (at.max(0.0) as usize).min(self.value.len())
    }

    /// Bins on either side of an edge that it reaches through the sensor's window and the age of an update.
    pub(crate) fn reach(&self, window_s: Option<f64>) -> usize {
        // A window of whole bins is no more than that for the rounding of a bin's width.
        (0.5 * window_s.unwrap_or(0.0) / self.dt_s + 0.5 - 1e-3).ceil() as usize
    }

    /// The part of a stretch that its ends do not reach through the sensor's window; all of it where that leaves too little.
    pub(crate) fn inner(&self, from: usize, to: usize, window_s: Option<f64>) -> (usize, usize) {
        // And the bin that holds the edge.
        let trim = 1 + self.reach(window_s);
        if to - from >= 4 * trim {
            (from + trim, to - trim)
        } else {
            (from, to)
        }
    }

    /// Mean and standard deviation over bins `from..to`; NaN without a sample.
    pub fn moments(&self, from: usize, to: usize) -> (f64, f64) {
        moments(self.value[from..to].iter().copied())
    }
}

/// Mean and standard deviation of what is a number.
pub(crate) fn moments(values: impl Iterator<Item = f64>) -> (f64, f64) {
    // Welford's update: one pass, no cancellation.
    let (mut n, mut mean, mut squares) = (0.0, 0.0, 0.0);
    for v in values.filter(|v| v.is_finite()) {
        n += 1.0;
        let before = v - mean;
        mean += before / n;
        squares += before * (v - mean);
    }
    if n == 0.0 {
        (f64::NAN, f64::NAN)
    } else {
        (mean, (squares / n).max(0.0).sqrt())
    }
}

/// Quantile of what is a number, between order statistics; NaN without any.
pub(crate) fn quantile(values: impl Iterator<Item = f64>, share: f64) -> f64 {
    let mut sorted: Vec<f64> = values.filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let at = share.clamp(0.0, 1.0) * last as f64;
    let below = at as usize;
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * (at - below as f64)
}

/// Why a recording cannot be segmented.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SegmentError {
    /// No GPU is left.
    #[error("the recording has no GPU with power")]
    NoGpu,
    /// A GPU without usable power.
    #[error("GPU {gpu} has {samples} samples of power; at least {least} are needed")]
    TooFew {
        /// Index of the GPU.
        gpu: u32,
        /// Usable samples.
        samples: usize,
        /// Needed.
        least: usize,
    },
    /// Times that fall.
    #[error("the times of GPU {gpu} step back at sample {sample}; cut the recording there")]
    Order {
        /// Index of the GPU.
        gpu: u32,
        /// Number of the sample.
        sample: usize,
    },
    /// The log has no duration.
    #[error("all samples of GPU {gpu} have the same time")]
    NoTime {
        /// Index of the GPU.
        gpu: u32,
    },
    /// No phase could be told.
    #[error(
        "no phase can be told: the power is {level_w:.1} W throughout, and nothing says whether the GPU worked; log utilization.gpu beside it, or a stretch of idle"
    )]
    Constant {
        /// The power.
        level_w: f64,
    },
}

/// Fewest samples of power.
pub const LEAST_SAMPLES: usize = 20;

/// Times and powers of a GPU: the instantaneous reading where there is one, else the average, else the energy counter's differences.
///
/// Samples that are no numbers are left out; the second value says in words which reading it is.
pub fn power(gpu: &GpuRecording) -> Result<(Vec<f64>, Vec<f64>, &'static str), SegmentError> {
    let usable = |column: &Option<Vec<f64>>| {
        column
            .as_ref()
            .filter(|c| c.iter().filter(|v| v.is_finite()).count() >= LEAST_SAMPLES)
            .cloned()
    };
    let (column, which) = if let Some(instant) = usable(&gpu.instant_w) {
        (instant, "instantaneous power")
    } else if let Some(average) = usable(&gpu.average_w) {
        (average, "averaged power")
    } else if let Some(energy) = usable(&gpu.energy_j) {
        (from_energy(&gpu.time_s, &energy), "energy counter")
    } else {
        let count = |c: &Option<Vec<f64>>| {
            c.as_ref()
                .map_or(0, |c| c.iter().filter(|v| v.is_finite()).count())
        };
        let samples = count(&gpu.instant_w).max(count(&gpu.average_w));
        return Err(SegmentError::TooFew {
            gpu: gpu.index,
            samples,
            least: LEAST_SAMPLES,
        });
    };
    let mut times = Vec::with_capacity(column.len());
    let mut powers = Vec::with_capacity(column.len());
    for (i, (t, p)) in gpu.time_s.iter().zip(&column).enumerate() {
        if !(t.is_finite() && p.is_finite() && *p >= 0.0 && *p < 1e6) {
            continue;
        }
        if times.last().is_some_and(|last| t < last) {
            return Err(SegmentError::Order {
                gpu: gpu.index,
                sample: i,
            });
        }
        times.push(*t);
        powers.push(*p);
    }
    if times.len() < LEAST_SAMPLES {
        return Err(SegmentError::TooFew {
            gpu: gpu.index,
            samples: times.len(),
            least: LEAST_SAMPLES,
        });
    }
    Ok((times, powers, which))
}

/// Mean power between two different readings of the counter; NaN where it falls or stands still.
fn from_energy(time_s: &[f64], energy_j: &[f64]) -> Vec<f64> {
    let mut last: Option<(f64, f64)> = None;
    time_s
        .iter()
        .zip(energy_j)
        .map(|(&t, &e)| match last {
            Some((t0, e0)) if e > e0 && t > t0 => {
                last = Some((t, e));
                (e - e0) / (t - t0)
            }
            Some((_, e0)) if e >= e0 => f64::NAN,
            _ => {
                last = e.is_finite().then_some((t, e));
                f64::NAN
            }
        })
        .collect()
}

/// Distinct values from which changes are the sensor's, not the load's.
const FEW_LEVELS: usize = 16;

/// Time between two values of a sensor that is polled: the median interval, or the median time between changes where it holds its value.
pub(crate) fn interval_s(time_s: &[f64], value: &[f64]) -> f64 {
    let steps = time_s.windows(2).map(|w| w[1] - w[0]).filter(|d| *d > 0.0);
    let polled = quantile(steps, 0.5);
    let mut last = None;
    let mut between = Vec::new();
    for (t, pair) in time_s[1..].iter().zip(value.windows(2)) {
        if pair[0] != pair[1] {
            between.extend(last.map(|l: f64| t - l));
            last = Some(*t);
        }
    }
    // A quiet GPU's value changes seldom: of the times between changes the quicker ones tell the sensor's.
    let changed = quantile(between.iter().copied(), 0.25);
    // A clean load of a few levels changes when it does, not when the sensor renews it.
    let mut levels: Vec<u64> = value.iter().map(|v| v.to_bits()).collect();
    levels.sort_unstable();
    levels.dedup();
    let renewed = between.len() >= 20 && levels.len() >= FEW_LEVELS;
    if renewed && changed > 1.5 * polled && changed < 1.0 {
        changed
    } else {
        polled
    }
}

/// Puts samples on a grid from `start_s`, `bins` wide `dt_s`.
pub(crate) fn on_grid(
    time_s: &[f64],
    value: &[f64],
    (start_s, dt_s, bins): (f64, f64, usize),
) -> Signal {
    let mut sum = vec![0.0; bins];
    let mut count = vec![0_u32; bins];
    for (t, v) in time_s.iter().zip(value) {
        // A sample on the edge of two bins belongs to the later one, whatever rounding says.
        let at = ((t - start_s) / dt_s + 1e-6).floor();
        if v.is_finite() && at >= 0.0 && (at as usize) < bins {
            sum[at as usize] += v;
            count[at as usize] += 1;
        }
    }
    let most = HELD_BINS.max((HELD_S / dt_s).ceil() as usize);
    let mut grid = vec![f64::NAN; bins];
    let (mut last, mut since) = (f64::NAN, 0);
    for (i, cell) in grid.iter_mut().enumerate() {
        if count[i] > 0 {
            last = sum[i] / f64::from(count[i]);
            since = 0;
        } else {
            since += 1;
        }
        *cell = if since <= most { last } else { f64::NAN };
    }
    Signal {
        start_s,
        dt_s,
        value: grid,
    }
}
