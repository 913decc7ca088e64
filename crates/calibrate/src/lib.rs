//! From a live NVIDIA GPU, or a log of one, to a phase profile with an honest error bar.
//!
//! A [`Recording`] is what a sensor said, sample by sample, of one or more GPUs. What the GPU drew is another matter: the sensor shows
//! a mean over a window of its own, at instants of its own, with a gain and an offset of its own.

mod recording;

pub use recording::{GpuRecording, Mark, Recording, throttle};
