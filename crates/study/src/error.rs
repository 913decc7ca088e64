//! Why a run gave no outcome.

use ballast_series::SinkError;

/// Something in the input that only shows when the pieces meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StudyProblem {
    /// Path of the key in the scenario: `plant`, `loads.0.file`.
    pub path: String,
    /// What is wrong, with the figures.
    pub message: String,
    /// What would be right.
    pub help: String,
}

/// Why a run gave no outcome. A broken limit is not among the reasons: it is a verdict.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    /// The input cannot be run.
    #[error("the scenario cannot be run: {}", .0.iter().map(|p| p.message.as_str()).collect::<Vec<_>>().join("; "))]
    Input(Vec<StudyProblem>),
    /// The observer asked to stop.
    #[error("interrupted at t = {at_s} s of realisation {realisation}")]
    Interrupted {
        /// Simulated time reached, seconds.
        at_s: f64,
        /// Realisation under way, from 1.
        realisation: u32,
    },
    /// A value that must be finite is not.
    #[error("{quantity} is not finite at t = {at_s} s of realisation {realisation}")]
    NotFinite {
        /// What is not finite.
        quantity: &'static str,
        /// Simulated time, seconds.
        at_s: f64,
        /// Realisation, from 1.
        realisation: u32,
    },
    /// The traces could not be written.
    #[error("the traces could not be written: {0}")]
    Sink(#[from] SinkError),
}
