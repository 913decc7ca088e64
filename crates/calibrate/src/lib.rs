//! From a live NVIDIA GPU, or a log of one, to a phase profile with an honest error bar.
//!
//! A [`Recording`] is what a sensor said, sample by sample, of one or more GPUs. What the GPU drew is another matter: the sensor shows
//! a mean over a window of its own, at instants of its own, with a gain and an offset of its own.
//! [`corrected`] takes that back as far as it goes, with a [`SensorModel`].
//!
//! A live GPU is read through [`NvmlSource`], one of several [`PowerSource`]s; [`record`](record()) polls a source at a steady rate and
//! gives segments to a [`SegmentSink`]; [`recording_of`] reads them back. [`examine`] looks at what a machine can measure.
//! [`Restoring`] changes settings of a GPU for a while and puts them back. What touches a live GPU is the default feature `nvml`; without
//! it the rest builds alone, for a program that only reads recordings.
//!
//! [`calibrate`] makes phases of a recording ([`segment`]), puts in what was drawn rather than shown (`correct`), says whether it is good enough ([`gates`]), writes the [`profile`] and replays it
//! ([`refit`]). A reader looks for: `segment_signal` and `segment_grid` (the grid), `segment_period` and `segment_beat` (periods), `segment_partition` (change points), `segment_group` and `segment_join` (pieces
//! to phases), `phases` and `phases_activity` (labels), `phases_figures` and `phases_finish` (their figures), `regimes` (levels of one kind that are apart), `correlate`, `gates`, `profile_out`, `refit`, `node_fit`, `throughput`,
//! `calibration` (all of it), `calibration_text` (the report).

mod calibration;
mod calibration_text;
#[cfg(feature = "nvml")]
mod control;
mod correct;
mod correct_edges;
mod correct_phase;
mod correlate;
#[cfg(feature = "nvml")]
mod doctor;
#[cfg(feature = "nvml")]
mod doctor_advice;
mod gates;
mod invert;
mod invert_edges;
mod invert_energy;
mod invert_fold;
mod invert_periodic;
mod invert_search;
mod invert_updates;
mod invert_window;
mod meter_fit;
mod node_fit;
#[cfg(feature = "nvml")]
mod nvml;
#[cfg(feature = "nvml")]
mod nvml_raw;
mod phases;
mod phases_activity;
mod phases_figures;
mod phases_finish;
mod phases_serving;
mod profile_out;
mod profile_toml;
#[cfg(feature = "nvml")]
mod record;
#[cfg(feature = "nvml")]
mod record_rows;
mod record_table;
#[cfg(feature = "nvml")]
mod record_watch;
mod recording;
mod refit;
mod refit_play;
mod regimes;
mod segment;
mod segment_beat;
mod segment_grid;
mod segment_group;
mod segment_join;
mod segment_partition;
mod segment_period;
mod segment_signal;
mod sensor;
mod sensor_seen;
mod simulate;
mod source;
mod throughput;

pub use calibration::{CalibrateError, Calibration, GroupReport, calibrate, calibrate_known};
pub use calibration_text::text;
#[cfg(feature = "nvml")]
pub use control::{Control, ControlError, Restoring, Setting};
pub use correct::{CardError, Known, PhaseCorrected, SensorSeen};
pub use correct_phase::{Swing, SwingLevel};
pub use correlate::{Correlation, PairLag, correlations, lag, lags, pearson};
#[cfg(feature = "nvml")]
pub use doctor::{Buffer, Examination, Found, GpuExamination, Process, Update, examine};
pub use gates::{Gate, GateStatus, confidence, gates};
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
pub use meter_fit::{MeterComparison, MeterError, compare_meter};
pub use node_fit::{NodeFit, NodeFitError, fit_node};
#[cfg(feature = "nvml")]
pub use nvml::{Library, NoGpu, NvmlControl, NvmlSource};
pub use profile_out::{Origin, profile};
pub use profile_toml::toml;
#[cfg(feature = "nvml")]
pub use record::{
    Clock, Companion, Live, RecordSpec, Recorded, Said, SegmentSink, SystemClock, record,
};
pub use record_table::{Columns, Metadata, NoRecording, recording_of};
pub use recording::{GpuRecording, Mark, Recording, throttle};
pub use refit::{Figures, Refit, SEEDS, refit};
pub use segment::{Change, Cycle, Group, Label, Phase, segment};
pub use segment_signal::{LEAST_SAMPLES, SegmentError, Signal, power};
pub use sensor::{
    Architecture, CARD_GAINS, CardGain, Reading, Response, SensorModel, UNKNOWN_GAIN,
    published_gain,
};
pub use simulate::{SimulatedCounter, SimulatedReading, SimulatedSensor, square_wave};
pub use source::{GpuFacts, Metric, Missing, Playback, PowerSource, Sample, Simulated};
pub use throughput::{PhaseThroughput, prometheus_text, stamped, throughput};
