//! GPU, node and PSU specifications: phases with value, spread, source and confidence of every number.
//!
//! A profile is data, not behaviour: what a GPU does over time is a job's business (`ballast-aggregate`). Files under
//! `profiles/` deserialise into [`GpuProfile`], [`NodeSpec`], [`PsuSpec`] and [`RackSpec`]; nothing flows out of this crate but those
//! specs and three functions of them:
//!
//! - [`GpuProfile::clamp_w`]: the power a GPU cannot exceed over tens of milliseconds;
//! - [`HostSpec::node_w`]: GPU power to node power;
//! - [`PsuSpec::input_w`]: DC power to AC power; [`PsuSpec::reactive_share`]: AC power to reactive power.
//!
//! A reader looks for the meaning of a number in `spec`, for the phases by name in `phase`, for what a specification
//! must satisfy in `check`. A specification that came out of a file is well-formed, not yet sensible: callers run its
//! `problems()` first, and the functions above are defined for specs that have none.

mod check;
mod phase;
mod power;
mod spec;

pub use check::SpecProblem;
pub use power::{LIGHT_LOAD, ReactiveLine, tan_phi};
pub use spec::{
    GpuProfile, HostSpec, MeteredSide, MeteringPoint, NodeSpec, PhaseKind, PhaseSpec, Phases,
    PsuSpec, RackSpec, SmoothingRange, TransitionSpec,
};
