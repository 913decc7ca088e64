//! From a live NVIDIA GPU, or a log of one, to a phase profile with an honest error bar.
//!
//! A [`Recording`] is what a sensor said, sample by sample, of one or more GPUs. What the GPU drew is another matter: the sensor shows
//! a mean over a window of its own, at instants of its own, with a gain and an offset of its own.
//!
//! [`calibrate`] makes phases of a recording ([`segment`]), says whether it is good enough ([`gates`]), writes the [`profile`] and replays it
//! ([`refit`]). A reader looks for: `segment_signal` (the grid), `segment_period` (periods), `segment_partition` (change points), `segment` (pieces
//! to phases), `phases` (labels and figures), `correlate`, `gates`, `profile_out`, `refit`, `node_fit`, `throughput`, `calibration` (all of it).

mod calibration;
mod correlate;
mod gates;
mod invert;
mod invert_energy;
mod invert_updates;
mod node_fit;
mod phases;
mod profile_out;
mod recording;
mod refit;
mod segment;
mod segment_partition;
mod segment_period;
mod segment_signal;
mod sensor;
mod throughput;

pub use calibration::{Calibration, GroupReport, calibrate, text};
pub use correlate::{Correlation, PairLag, correlations, lag, lags, pearson};
pub use gates::{Gate, GateStatus, confidence, gates};
pub use invert::{Corrected, InvertError, MeanFrom, corrected, reading_of};
pub use invert_energy::{EnergyMean, energy_mean};
pub use invert_updates::{Updates, find_updates};
pub use node_fit::{NodeFit, NodeFitError, fit_node};
pub use profile_out::{Origin, profile, toml};
pub use recording::{GpuRecording, Mark, Recording, throttle};
pub use refit::{Refit, SEEDS, refit};
pub use segment::{Change, Cycle, Group, Label, Phase, segment};
pub use segment_signal::{LEAST_SAMPLES, SegmentError, Signal, power};
pub use sensor::{
    Architecture, CARD_GAINS, CardGain, Reading, Response, SensorModel, UNKNOWN_GAIN,
    published_gain,
};
pub use throughput::{PhaseThroughput, prometheus_text, throughput};
