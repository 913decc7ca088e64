//! What can be read of a GPU, and where it comes from: a live one, a recording, a function.

use std::fmt;

use crate::recording::{GpuRecording, Recording};

/// Something a GPU tells of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Power, averaged by the driver (a second, on GPUs that have both).
    Average,
    /// Power over the sensor's short window.
    Instant,
    /// Energy counter.
    Energy,
    /// Clock of the SMs.
    SmClock,
    /// Clock of the memory.
    MemoryClock,
    /// Share of time with a kernel running.
    Utilisation,
    /// Memory in use.
    MemoryUsed,
    /// Temperature.
    Temperature,
    /// Reasons why clocks are held back.
    Throttle,
    /// Power limit in force.
    Limit,
}

impl Metric {
    /// How many there are.
    pub const COUNT: usize = 10;
    /// All of them, in the order of their columns.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Average,
        Self::Instant,
        Self::Energy,
        Self::SmClock,
        Self::MemoryClock,
        Self::Utilisation,
        Self::MemoryUsed,
        Self::Temperature,
        Self::Throttle,
        Self::Limit,
    ];

    /// Name of the column in a recording, after `gpu0.`: the unit is its last word.
    pub fn column(self) -> &'static str {
        match self {
            Self::Average => "average_w",
            Self::Instant => "instant_w",
            Self::Energy => "energy_j",
            Self::SmClock => "sm_mhz",
            Self::MemoryClock => "memory_mhz",
            Self::Utilisation => "utilisation",
            Self::MemoryUsed => "memory_used_bytes",
            Self::Temperature => "temperature_c",
            Self::Throttle => "throttle",
            Self::Limit => "limit_w",
        }
    }

    /// What it is, for a person.
    pub fn words(self) -> &'static str {
        match self {
            Self::Average => "average power",
            Self::Instant => "instant power",
            Self::Energy => "energy counter",
            Self::SmClock => "SM clock",
            Self::MemoryClock => "memory clock",
            Self::Utilisation => "utilisation",
            Self::MemoryUsed => "memory in use",
            Self::Temperature => "temperature",
            Self::Throttle => "throttle reasons",
            Self::Limit => "power limit",
        }
    }
}

/// Why a reading is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// This GPU does not have it.
    Unsupported,
    /// This user may not read it.
    Denied,
    /// This driver's library does not know the call.
    NoSymbol,
    /// The GPU is gone.
    Lost,
    /// The driver failed with this code of NVML's.
    Failed(u32),
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported => f.write_str("not supported by this GPU"),
            Self::Denied => f.write_str("not permitted to this user"),
            Self::NoSymbol => f.write_str("unknown to this driver: its library lacks the call"),
            Self::Lost => f.write_str("the GPU is lost"),
            Self::Failed(code) => write!(f, "the driver failed with NVML code {code}"),
        }
    }
}

/// All readings of one GPU at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    values: [f64; Metric::COUNT],
    missing: [Option<Missing>; Metric::COUNT],
    /// The driver's own time of the power, microseconds since 1970, where it gives one.
    pub stamp_us: Option<i64>,
}

impl Default for Sample {
    /// Nothing could be read.
    fn default() -> Self {
        Self {
            values: [f64::NAN; Metric::COUNT],
            missing: [Some(Missing::Unsupported); Metric::COUNT],
            stamp_us: None,
        }
    }
}

impl Sample {
    /// A reading in the unit of its column; NaN where it is missing.
    pub fn value(&self, reading: Metric) -> f64 {
        self.values[reading as usize]
    }

    /// Why a reading is missing.
    pub fn missing(&self, reading: Metric) -> Option<Missing> {
        self.missing[reading as usize]
    }

    /// Puts in what was read, or why it was not. A value that is not finite counts as not supported.
    pub fn set(&mut self, reading: Metric, value: Result<f64, Missing>) {
        let value = value.and_then(|v| {
            if v.is_finite() {
                Ok(v)
            } else {
                Err(Missing::Unsupported)
            }
        });
        self.values[reading as usize] = value.unwrap_or(f64::NAN);
        self.missing[reading as usize] = value.err();
    }

    /// A sample of a GPU that is gone.
    pub fn lost() -> Self {
        Self {
            missing: [Some(Missing::Lost); Metric::COUNT],
            ..Self::default()
        }
    }

    /// Whether the GPU is gone.
    pub fn is_lost(&self) -> bool {
        self.missing.contains(&Some(Missing::Lost))
    }

    /// The power that tells most of fast changes: instant, else average; NaN without either. Watts.
    pub fn power_w(&self) -> f64 {
        let instant = self.value(Metric::Instant);
        if instant.is_nan() {
            self.value(Metric::Average)
        } else {
            instant
        }
    }
}

/// What does not change about a GPU while it is recorded.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct GpuFacts {
    /// Index on its node.
    pub index: u32,
    /// UUID; empty where it is not known.
    pub uuid: String,
    /// Name, such as `NVIDIA H100 80GB HBM3`; empty where it is not known.
    pub name: String,
    /// Driver, such as `580.82.07`; empty where it is not known.
    pub driver: String,
}

/// Something whose GPUs can be read.
pub trait PowerSource {
    /// The GPUs, in the order of [`Self::read`]'s index.
    fn gpus(&self) -> &[GpuFacts];

    /// Reads the GPU at this place in [`Self::gpus`]; `t_s` is the time on the recording's clock. Never fails: what is missing says
    /// so in the sample.
    fn read(&mut self, gpu: usize, t_s: f64) -> Sample;
}

/// A recording played back: the last sample at or before the time; nothing before the first one and after the end.
#[derive(Debug, Clone)]
pub struct Playback {
    recording: Recording,
    facts: Vec<GpuFacts>,
}

impl Playback {
    /// Plays a recording.
    pub fn new(recording: Recording) -> Self {
        let facts = recording
            .gpus
            .iter()
            .map(|gpu| GpuFacts {
                index: gpu.index,
                uuid: gpu.uuid.clone(),
                name: gpu.name.clone(),
                driver: gpu.driver.clone(),
            })
            .collect();
        Self { recording, facts }
    }
}

/// Column of a recording with a reading, as numbers.
pub(crate) fn recorded(gpu: &GpuRecording, reading: Metric, k: usize) -> Option<f64> {
    let column = match reading {
        Metric::Average => &gpu.average_w,
        Metric::Instant => &gpu.instant_w,
        Metric::Energy => &gpu.energy_j,
        Metric::SmClock => &gpu.sm_mhz,
        Metric::MemoryClock => &gpu.memory_mhz,
        Metric::Utilisation => &gpu.utilisation,
        Metric::MemoryUsed => &gpu.memory_used_bytes,
        Metric::Temperature => &gpu.temperature_c,
        Metric::Throttle => {
            let bits = gpu.throttle.as_ref().and_then(|bits| bits.get(k).copied());
            return bits.filter(|b| b >> 63 == 0).map(|b| b as f64);
        }
        Metric::Limit => return gpu.limit_w,
    };
    column.as_ref().and_then(|values| values.get(k).copied())
}

impl PowerSource for Playback {
    fn gpus(&self) -> &[GpuFacts] {
        &self.facts
    }

    fn read(&mut self, gpu: usize, t_s: f64) -> Sample {
        let gpu = &self.recording.gpus[gpu];
        let after = gpu.time_s.partition_point(|t| *t <= t_s);
        let ended = gpu.time_s.last().is_none_or(|end| t_s > *end);
        let Some(k) = after.checked_sub(1).filter(|_| !ended) else {
            return Sample::default();
        };
        let mut sample = Sample::default();
        for reading in Metric::ALL {
            sample.set(
                reading,
                recorded(gpu, reading, k).ok_or(Missing::Unsupported),
            );
        }
        sample
    }
}

/// A function of GPU and time as a source: waveforms in tests, and what a planner wants to try.
pub struct Simulated<F> {
    facts: Vec<GpuFacts>,
    read: F,
}

impl<F: FnMut(usize, f64) -> Sample> Simulated<F> {
    /// `gpus` GPUs; `read` is called with the place of one of them and the time in seconds.
    pub fn new(gpus: u32, read: F) -> Self {
        let facts = (0..gpus)
            .map(|index| GpuFacts {
                index,
                name: "simulated".to_owned(),
                ..GpuFacts::default()
            })
            .collect();
        Self { facts, read }
    }
}

impl<F: FnMut(usize, f64) -> Sample> PowerSource for Simulated<F> {
    fn gpus(&self) -> &[GpuFacts] {
        &self.facts
    }

    fn read(&mut self, gpu: usize, t_s: f64) -> Sample {
        (self.read)(gpu, t_s)
    }
}
