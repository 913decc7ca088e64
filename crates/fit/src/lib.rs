//! A generating set's constants from what an engineer holds: nameplate, block-step table, commissioning recordings.
//!
//! What flows: a [`FitSpec`] and a preset become a base set ([`base_set`]) that [`problems`] checks; [`fit`] simulates every step of the
//! table and every recording with `ballast_plant::Plant` (one set, common frequency) and moves the free values until measured and
//! simulated agree (`minimise`: Levenberg-Marquardt on logarithms within bounds, from the first guess and the best of 24 fixed places). Then
//! `identify` asks what the figures can tell apart; what they cannot goes back to its default, one value after the other and the worst
//! first, and the rest is fitted again. [`FitReport`] has the values with intervals, what is left of every figure, and the preset as TOML.
//!
//! # Residuals
//! A row of the table gives its dip, its recovery and its overshoot, each over its tolerance. A recording gives every sample of the
//! frequency over the noise it shows before the load moves; the measured power drives the set. A recording also has an unknown shift of
//! the frequency against the power, up to 1.5 intervals of its samples, because a step between two samples is known no better.
//!
//! # What is not identified
//! A relative standard error above 25 %, one above 12 % in a pair correlated by more than 0.95, or solutions from several starts that
//! fit as well and differ by more than a quarter. Standard errors come from the singular values of the Jacobian by the logarithms of the
//! values; they grow with the residuals where these exceed the tolerances. A default that the figures contradict (its sum of squares is worse by
//! four) is not taken: the value stays fitted and counts as weak.
//!
//! Same input, same bytes, on any number of threads.

mod base;
mod check;
mod fit;
mod identify;
mod linear;
mod minimise;
mod parameters;
mod preset;
mod recording;
mod report;
mod simulate;
mod spec;
mod task;
mod text;
mod warn;

pub use base::{base_set, preset_name};
pub use check::{FitProblem, problems};
pub use fit::{FitError, Observer, Silent, fit};
pub use recording::Recording;
pub use report::{
    CorrelatedPair, FitReport, Outcome, ParameterReport, RecordingReport, StepReport,
};
pub use spec::{
    EngineKind, FitSpec, FreeSpec, FuelPoint, GovernorModel, RecordingSpec, StepRow, ToleranceSpec,
};
pub use text::text;
