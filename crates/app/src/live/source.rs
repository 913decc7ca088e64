//! What can be shown live: readings, and where they come from.

use std::path::PathBuf;
use std::time::Duration;

use ballast_calibrate::{Metric, Sample, throttle};

/// What one GPU says at a moment; what it does not say is none.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct GpuReading {
    /// Power, W.
    pub power_w: Option<f64>,
    /// Share of time with a kernel running, 0 to 1.
    pub utilisation: Option<f64>,
    /// Clock of the SMs, MHz.
    pub sm_mhz: Option<f64>,
    /// Temperature, degrees Celsius.
    pub temperature_c: Option<f64>,
    /// Power limit in force, W.
    pub limit_w: Option<f64>,
    /// Why clocks are held back: bits of [`throttle`].
    pub throttle: Option<u64>,
    /// Whether the GPU is gone.
    pub lost: bool,
}

impl GpuReading {
    /// What a sample says.
    pub fn of(sample: &Sample) -> Self {
        let value = |metric: Metric| Some(sample.value(metric)).filter(|v| v.is_finite());
        Self {
            power_w: Some(sample.power_w()).filter(|w| w.is_finite()),
            utilisation: value(Metric::Utilisation),
            sm_mhz: value(Metric::SmClock),
            temperature_c: value(Metric::Temperature),
            limit_w: value(Metric::Limit),
            throttle: value(Metric::Throttle)
                .filter(|bits| (0.0..1e15).contains(bits))
                .map(|bits| bits as u64),
            lost: sample.is_lost(),
        }
    }

    /// What holds the clocks back, in words; none where nothing does or it is not known.
    pub fn held_back(&self) -> Option<&'static str> {
        let bits = self.throttle?;
        let any = |mask: u64| bits & mask != 0;
        if any(throttle::THERMAL) {
            Some("Held back by heat")
        } else if any(throttle::HW_POWER_BRAKE) {
            Some("Held back by the power brake")
        } else if any(throttle::HW_SLOWDOWN) {
            Some("Held back by the hardware")
        } else if any(throttle::SW_POWER_CAP) {
            Some("Held back by the power limit")
        } else if any(throttle::APPLICATION_CLOCKS) {
            Some("Clocks set by the user")
        } else {
            None
        }
    }
}

/// Readings of all GPUs at a moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LiveReading {
    /// Seconds since the start.
    pub t_s: f64,
    /// Power of each GPU, W; none where a reading failed.
    pub power_w: Vec<Option<f64>>,
    /// All that each GPU says; empty where only the power is known.
    pub gpus: Vec<GpuReading>,
    /// What went wrong at this moment, in words.
    pub notes: Vec<String>,
}

impl LiveReading {
    /// What each GPU says at `t_s`.
    pub fn new(t_s: f64, gpus: Vec<GpuReading>) -> Self {
        Self {
            t_s,
            power_w: gpus.iter().map(|g| g.power_w).collect(),
            gpus,
            notes: Vec::new(),
        }
    }
}

/// How fast a recording is played.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Pace {
    /// In its own time.
    #[default]
    Real,
    /// Ten times as fast.
    Ten,
    /// Without waiting.
    Fastest,
}

impl Pace {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Real, Self::Ten, Self::Fastest];

    /// In words.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Real => "1×",
            Self::Ten => "10×",
            Self::Fastest => "As fast as possible",
        }
    }

    /// Seconds of the recording per second; none without waiting.
    pub(super) const fn times(self) -> Option<f64> {
        match self {
            Self::Real => Some(1.0),
            Self::Ten => Some(10.0),
            Self::Fastest => None,
        }
    }
}

/// GPUs that can be read: a machine's, or a recording's.
pub trait LiveSource: Send {
    /// Name of each GPU.
    fn names(&self) -> Vec<String>;

    /// The next reading; blocks until it is due. None: the recording has ended.
    ///
    /// # Errors
    /// In words, with what to do: GPU lost, driver gone.
    fn next(&mut self) -> Result<Option<LiveReading>, String>;

    /// Plays faster or slower from now on; the GPUs of a machine have no pace.
    fn pace(&mut self, pace: Pace) {
        let _ = pace;
    }

    /// How long it will be, seconds, where that is known.
    fn length_s(&self) -> Option<f64> {
        None
    }

    /// Ends it. What is being written is whole once this has returned.
    ///
    /// # Errors
    /// In words: what could not be written, and what is left of it.
    fn finish(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// A recording to make.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordRequest {
    /// Which GPUs, by index; empty for all of them.
    pub gpus: Vec<u32>,
    /// When to end; none: when it is stopped.
    pub duration: Option<Duration>,
    /// The file (Parquet). It must not exist yet.
    pub file: PathBuf,
}

/// A GPU as the window names it.
pub fn name_of(index: u32, name: &str) -> String {
    if name.is_empty() {
        format!("GPU {index}")
    } else {
        format!("GPU {index}: {name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_sample_lacks_is_none() {
        let mut sample = Sample::default();
        sample.set(Metric::Average, Ok(300.0));
        sample.set(Metric::Throttle, Ok(4.0));
        let reading = GpuReading::of(&sample);
        assert_eq!(reading.power_w, Some(300.0));
        assert_eq!(reading.temperature_c, None);
        assert_eq!(reading.held_back(), Some("Held back by the power limit"));
        assert!(GpuReading::of(&Sample::lost()).lost);
    }
}
