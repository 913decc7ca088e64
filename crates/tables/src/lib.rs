//! CSV and Parquet, in and out; what loggers of GPUs write (nvidia-smi, dcgmi dmon, Prometheus, Grafana), in; the only crate with polars.
//!
//! In: [`read_trace`] turns a measured power trace of unknown make into seconds and watts. Columns and units are stated
//! ([`TraceOptions`]) or found by their names, and what was found is said in words ([`LoadedTrace::found`]). Nothing is
//! repaired: whatever is doubtful (a long gap, an empty cell, a time that steps back) is a [`TableProblem`] with its line and
//! what would be right, and all of them come at once. [`read_columns`] reads tables this crate wrote.
//!
//! [`read_gpu_log`] keeps GPUs apart, with all that a log says of each.
//!
//! [`read_arrivals`] does the same for requests of a service: a row per request, or points of a rate.
//!
//! Out: [`ParquetSink`] and [`CsvSink`] take a run's traces block by block in bounded memory. They write to
//! `<name>.partial` and rename when finished, so a file under the right name is a whole one. The same blocks give the
//! same bytes on any thread count.
//!
//! A recording that is written as it comes is a folder of parts: [`write_table`], [`merge_parts`]. Every reader takes the folder for
//! the file.
//!
//! A reader looks for: `find` and `unit` (names to columns and units), `samples` (the checks every trace passes, whatever its
//! format), `csv_trace`, `csv_devices`, `dcgmi`, `parquet_trace` and `prometheus` (the formats), `devices` (several devices to one
//! sum), `files` (several files with clocks of their own, [`read_traces`]), `parts`, `sink_csv` and `sink_parquet`.
//!
//! A trace that is read is held in memory whole: its file and some 50 bytes per row.

mod arrivals;
mod cell;
mod csv_devices;
mod csv_table;
mod csv_trace;
mod dcgmi;
mod devices;
mod files;
mod find;
mod gpu_log;
mod gpu_reading;
mod load;
mod parquet_trace;
mod partial;
mod parts;
mod problem;
mod prometheus;
mod samples;
mod sink_csv;
mod sink_parquet;
mod time;
mod unit;
mod write_error;

pub use arrivals::{ArrivalOptions, LoadedArrivals, read_arrivals};
pub use files::read_traces;
pub use gpu_log::{GpuColumns, GpuLog, GpuLogOptions, read_gpu_log};
pub use gpu_reading::Reading;
pub use load::{LoadedTrace, TraceOptions, read_columns, read_trace};
pub use parts::{
    MergeError, PARTS, Table, merge_parts, part_name, parts_folder, read_table, write_table,
};
pub use problem::{TableProblem, TableProblems};
pub use sink_csv::CsvSink;
pub use sink_parquet::ParquetSink;
pub use unit::{TimeUnit, Unit};
pub use write_error::WriteError;
