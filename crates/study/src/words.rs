//! What an outcome says in words: basis of verdicts, assumptions, diagnostics, events.

mod assumptions;
mod basis;
mod contingency;
mod diagnostics;
mod events;
mod problem;
mod resonance;
mod summary;

pub(crate) use assumptions::{assumptions, low_confidence, not_modelled, zoom_assumption};
pub(crate) use basis::{Randomness, basis, randomness};
pub(crate) use contingency::{contingency_assumptions, contingency_summary, reserve_text};
pub(crate) use diagnostics::diagnostics;
pub(crate) use events::events;
pub(crate) use problem::plant_problem;
pub(crate) use resonance::{resonance_assumptions, resonance_text};
pub(crate) use summary::summary;
