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
//! [`run_many`] runs several scenarios for one answer; [`compare`] puts outcomes side by side, [`sizing`] finds the smallest value that passes.
//!
//! The command, the app, tests and sweeps all call [`run`]; they differ in the [`Observer`] and in what they do with the
//! [`outcome::Outcome`]. Nothing here reads or writes files, prints or draws. A broken limit is a verdict, not an error.

mod ahead;
mod bess;
mod coarse;
mod collect;
mod columns;
pub mod compare;
mod contingency;
mod contingency_outcome;
mod demand;
mod design;
mod diversity;
mod error;
mod fuel_use;
mod indicative;
mod inputs;
mod load_limits;
mod load_steps;
mod many;
mod merge;
mod moments;
mod observer;
pub mod outcome;
mod plant_collect;
mod plant_watch;
mod rack_collect;
mod reactive;
mod ready;
mod realisation;
mod residual;
mod resonance;
mod run;
pub mod sizing;
mod sliding;
mod smoothing;
mod step_event_kpis;
mod step_events;
mod storage;
mod storage_curves;
mod strike;
mod verdict;
mod voltage;
mod windows;
mod words;
mod zoom;

pub use columns::{TracedColumn, trace_columns};
pub use error::{StudyError, StudyProblem};
pub use inputs::{ArrivalInput, Inputs, RawArrivals, RawTrace, TraceInput};
pub use many::{Job, run_many};
pub use observer::{Observer, Silent};
pub use ready::{Ready, placed, ready_all};
pub use run::{TraceSinks, check, run, run_traced};
