//! One entry point: a scenario in, traces and verdicts out.
//!
//! ```text
//! Loaded scenario + Inputs (traces that were read)
//!   │ check(): everything that only shows when the pieces meet (load against rating, trace against duration)
//!   ▼
//! realisation 1, 2, … ── demand (aggregate + loads) ──► plant, step by step ──► collectors ──► TraceSink (first only)
//!   ▼ merged in order of realisation, whatever the number of threads
//! verdicts, design values ──► Outcome; with [zoom] the worst moment of all is run again finely, judged too (`zoom`)
//! ```
//!
//! The command, the app, tests and sweeps all call [`run`]; they differ in the [`Observer`] and in what they do with the
//! [`outcome::Outcome`]. Nothing here reads or writes files, prints or draws. A broken limit is a verdict, not an error.

mod coarse;
mod collect;
mod columns;
mod demand;
mod design;
mod diversity;
mod error;
mod inputs;
mod merge;
mod observer;
pub mod outcome;
mod plant_collect;
mod rack_collect;
mod reactive;
mod realisation;
mod run;
mod storage;
mod verdict;
mod voltage;
mod windows;
mod words;
mod zoom;

pub use columns::{TracedColumn, trace_columns};
pub use error::{StudyError, StudyProblem};
pub use inputs::{ArrivalInput, Inputs, RawArrivals, RawTrace, TraceInput};
pub use observer::{Observer, Silent};
pub use run::{TraceSinks, check, run, run_traced};
