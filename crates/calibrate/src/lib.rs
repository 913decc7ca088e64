//! From a live NVIDIA GPU, or a log of one, to a phase profile with an honest error bar.
//!
//! A [`Recording`] is what a sensor said, sample by sample, of one or more GPUs. What the GPU drew is another matter: the sensor shows
//! a mean over a window of its own, at instants of its own, with a gain and an offset of its own.

//!
//! A live GPU is read through [`NvmlSource`], one of several [`PowerSource`]s; [`record`](record()) polls a source at a steady rate and
//! gives segments to a [`SegmentSink`]; [`recording_of`] reads them back. [`examine`] looks at what a machine can measure.
//! [`Restoring`] changes settings of a GPU for a while and puts them back.

mod control;
mod doctor;
mod doctor_advice;
mod nvml;
mod nvml_raw;
mod record;
mod record_table;
mod record_watch;
mod recording;
mod source;

pub use control::{Control, ControlError, Restoring, Setting};
pub use doctor::{
    Buffer, Examination, Found, GpuExamination, Process, Update, examine, update_period_s,
};
pub use nvml::{Library, NoGpu, NvmlControl, NvmlSource};
pub use record::{
    Clock, Companion, Live, RecordSpec, Recorded, Said, SegmentSink, SystemClock, record,
};
pub use record_table::{Columns, Metadata, NoRecording, recording_of};
pub use recording::{GpuRecording, Mark, Recording, throttle};
pub use source::{GpuFacts, Missing, Playback, PowerSource, Metric, Sample, Simulated};
