//! What was recorded of one or more GPUs.

/// Something that happened at a moment of a recording: `start`, `exit`, or a word of the user's.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// When, seconds on the recording's clock.
    pub time_s: f64,
    /// What.
    pub label: String,
}

/// One GPU's samples. Every column that is there is as long as `time_s`; a reading that failed is NaN (or the last column's bit 63).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GpuRecording {
    /// Index on its node.
    pub index: u32,
    /// UUID; empty where the log has none.
    pub uuid: String,
    /// Name, such as `NVIDIA H100 80GB HBM3`; empty where the log has none.
    pub name: String,
    /// When each sample was read, seconds on the recording's clock; never falls.
    pub time_s: Vec<f64>,
    /// Averaged power, watts: `power.draw.average`, or `power.draw` where that is the average.
    pub average_w: Option<Vec<f64>>,
    /// Instantaneous power, watts: `power.draw.instant`, or `power.draw` where that is the short window.
    pub instant_w: Option<Vec<f64>>,
    /// Energy counter, joules since some moment of its own.
    pub energy_j: Option<Vec<f64>>,
    /// Clock of the SMs, megahertz.
    pub sm_mhz: Option<Vec<f64>>,
    /// Clock of the memory, megahertz.
    pub memory_mhz: Option<Vec<f64>>,
    /// Utilisation, 0 to 1.
    pub utilisation: Option<Vec<f64>>,
    /// Memory in use, bytes.
    pub memory_used_bytes: Option<Vec<f64>>,
    /// Temperature, degrees Celsius.
    pub temperature_c: Option<Vec<f64>>,
    /// Reasons why clocks are held back, the bits of [`throttle`].
    pub throttle: Option<Vec<u64>>,
    /// Power limit in force, watts, if it was read.
    pub limit_w: Option<f64>,
    /// Driver, such as `580.82.07`; empty where the log has none.
    pub driver: String,
}

/// A recording.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recording {
    /// The GPUs, by index.
    pub gpus: Vec<GpuRecording>,
    /// Marks in order of time.
    pub marks: Vec<Mark>,
    /// Hash of what it was read from, in hexadecimal; empty for none.
    pub sha256: String,
    /// Date and time of t = 0, as the log has it; empty where it has none.
    pub started: String,
}

/// Bits of the reasons why clocks are held back, as NVML has them (`nvmlClocksEventReasons`).
pub mod throttle {
    /// Nothing runs.
    pub const IDLE: u64 = 0x1;
    /// The user has set clocks.
    pub const APPLICATION_CLOCKS: u64 = 0x2;
    /// Software power cap.
    pub const SW_POWER_CAP: u64 = 0x4;
    /// Hardware slowdown, by heat or power brake.
    pub const HW_SLOWDOWN: u64 = 0x8;
    /// Sync boost.
    pub const SYNC_BOOST: u64 = 0x10;
    /// Software thermal slowdown.
    pub const SW_THERMAL: u64 = 0x20;
    /// Hardware thermal slowdown.
    pub const HW_THERMAL: u64 = 0x40;
    /// Hardware power brake.
    pub const HW_POWER_BRAKE: u64 = 0x80;
    /// Display clocks.
    pub const DISPLAY_CLOCKS: u64 = 0x100;
    /// Anything thermal.
    pub const THERMAL: u64 = SW_THERMAL | HW_THERMAL;
}
