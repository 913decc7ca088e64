//! From a live NVIDIA GPU, or a log of one, to a phase profile with an honest error bar.
//!
//! A [`Recording`] is what a sensor said, sample by sample, of one or more GPUs. What the GPU drew is another matter: the sensor shows
//! a mean over a window of its own, at instants of its own, with a gain and an offset of its own.

mod correlate;
mod gates;
mod phases;
mod profile_out;
mod recording;
mod refit;
mod segment;
mod segment_partition;
mod segment_period;
mod segment_signal;

pub use correlate::{Correlation, PairLag, correlations, lag, lags, pearson};
pub use recording::{GpuRecording, Mark, Recording, throttle};
pub use segment::{Change, Cycle, Group, Label, Phase, segment};
pub use segment_signal::{LEAST_SAMPLES, SegmentError, Signal, power};
pub use gates::{Gate, GateStatus, confidence, gates};
pub use profile_out::{Origin, UNKNOWN_GAIN, profile, toml};
pub use refit::{Refit, SEEDS, refit};
