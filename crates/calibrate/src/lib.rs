//! From a live NVIDIA GPU, or a log of one, to a phase profile with an honest error bar.
//!
//! A [`Recording`] is what a sensor said, sample by sample, of one or more GPUs. What the GPU drew is another matter: the sensor shows
//! a mean over a window of its own, at instants of its own, with a gain and an offset of its own.

mod invert;
mod invert_edges;
mod invert_energy;
mod invert_fold;
mod invert_periodic;
mod invert_search;
mod invert_updates;
mod invert_window;
mod recording;
mod sensor;
mod simulate;

pub use invert::{Corrected, InvertError, MeanFrom, corrected, reading_of};
pub use invert_edges::{Edge, edges};
pub use invert_energy::{EnergyMean, energy_mean};
pub use invert_periodic::{
    LEAST_GAIN, PeriodError, PeriodSearch, PeriodicLevel, PeriodicLoad, periodic,
};
pub use invert_updates::{Updates, find_updates};
pub use invert_window::{
    Reference, WindowFit, find_window, find_window_of_square, measured_window,
};
pub use recording::{GpuRecording, Mark, Recording, throttle};
pub use sensor::{
    Architecture, CARD_GAINS, CardGain, Reading, Response, SensorModel, UNKNOWN_GAIN,
    published_gain,
};
pub use simulate::{SimulatedCounter, SimulatedReading, SimulatedSensor, square_wave};
