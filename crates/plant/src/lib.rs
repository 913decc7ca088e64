//! Generating sets on one bus: shaft, governor, engine, integrator, modes, resonance.
//!
//! What flows: a [`PlantSpec`] becomes constants and a steady state (`start`), a kernel (`integrate`, `motion`) moves the state
//! step by step under a load in watts (`model` is the right side, `events` and `limiter` the mode switches), and [`Plant`] is what a study sees: speed, its rate, every set's throttle,
//! torque and power, the linear gain from load to speed (`linear`), its modes (`modes`), the settled swing under a load that repeats (`predict`, `orbit`) and the
//! verdict on it ([`fn@resonance`]). [`problems`] names all contradictions of a
//! description before that.
//!
//! All sets share one speed `ω` (per unit of nominal, `Δω = ω − 1`); per unit on each set's kVA `Sᵢ`:
//! `Σ 2Hᵢ Sᵢ dω/dt = Σ Tmᵢ Sᵢ − Te − Σ Dᵢ Sᵢ Δω`. Equal sets in an equal state are one exact equivalent, so `count`
//! only scales.
//!
//! # Torque and power
//! [`TorqueConvention::Power`]: `Te = P` and every governor's output is taken as torque, as the positive-sequence tools
//! do. [`TorqueConvention::PowerOverSpeed`]: `Te = P/ω`; DEGOV1's throttle (fuel per stroke) and a constant set are
//! torque, the outputs of TGOV1 and PI are power and act as `Pm/ω`.
//!
//! # Engine
//! Friction lowers the lower throttle limit: net torque can go to `tmin − friction`. The turbo ceiling
//! `B + acceptance`, `τ B' = Tm − B` with `Tm` before TGOV1's turbine damping, `B(0) =` first throttle, limits the DEGOV1 throttle, the TGOV1 valve and the PI
//! demand; at the moving ceiling the throttle is the ceiling and leaves it as soon as the governor wants to rise less.
//! A PI demand at a limit holds its integral (see `limiter`).
//!
//! # Besides the dynamics
//! `fuel` (rate and efficiency over load), `acceptance` (largest step a maker lets a set take), [`iso8528`] (numbers of the standard for one step),
//! `indicative` (which constants are weak, and the corners of their ranges). Pure functions; nothing of them enters the integration.
//!
//! # Accuracy
//! Fourth-order Runge-Kutta at the given step. Limiter events are located to 1e-12 s and split the step; kinks that
//! leave a dead time split it again; the throttle's past is kept as cubic Hermite pieces (`delay`), so the order
//! holds with any dead time. A throttle that crosses a limit and returns within one step is not seen: at most an
//! eighth of its curvature times the step squared. Speed outside 0.5 to 1.5 is a collapse: located, reported, final.
//!
//! Nothing is allocated while advancing; memory grows with dead time over step only.
//!
//! # Lanes
//! The models' equations are generic over `Lane`: one number, or those of four plants. [`LockStep`] advances plants of equal structure four at a time (`quad`), each of them,
//! bit for bit, as alone. State and one Runge-Kutta step are in `motion`, which both share.

mod acceptance;
mod alternator_spec;
mod bus;
mod check;
mod check_alternator;
mod check_general;
mod check_supply;
mod check_together;
mod complex;
mod damping;
mod delay;
mod dense;
mod error;
mod events;
mod exciter;
mod fuel;
mod general;
mod ggov1;
mod governor;
mod governor_spec;
mod indicative;
mod integrate;
pub mod iso8528;
mod lane;
mod limiter;
mod linear;
mod load_spec;
mod lockstep;
mod machine;
mod model;
mod modes;
mod motion;
mod network;
mod orbit;
mod periodic;
mod plant;
mod predict;
mod quad;
mod reserve;
mod residual;
mod resolution;
mod resonance;
mod retune;
mod schedule;
mod sharing;
mod shooting;
mod spec;
mod start;
mod start_network;
mod together_spec;
mod utility;

pub use acceptance::{AcceptanceRow, Accepted, acceptance, first_step_share};
pub use alternator_spec::{
    Ac8bSpec, AlternatorSpec, Dc1aSpec, ExciterSaturation, ExciterSpec, GenclsSpec, GenrouSpec,
    GensalSpec, SexsSpec, VoltageControlSpec,
};
pub use check::{SpecProblem, problems};
pub use damping::Damping;
pub use error::PlantError;
pub use fuel::{FuelKind, FuelSpec, FuelUnit};
pub use governor_spec::{GastSpec, Ggov1Feedback, Ggov1Spec, Ieeeg1Spec, PidSpec};
pub use indicative::{Variant, WeakKind, WeakParameter, variants, weak_parameters};
pub use load_spec::LoadModelSpec;
pub use lockstep::LockStep;
pub use modes::{Mode, ModeKind, Modes, Participation, StateKind};
pub use periodic::{Harmonic, LoadError, PeriodicLoad};
pub use plant::{Limiter, Plant, SetState, StepStatus, Tripped, UtilityState};
pub use predict::{LineResponse, Prediction, Reached, Settled, Swing};
pub use reserve::{SpinningReserve, spinning_reserve, worst_running, worst_trip_set};
pub use residual::{Residualised, residualise};
pub use resonance::{ResonanceQuestion, ResonanceVerdict, Retune, resonance};
pub use schedule::{PlannedTrip, planned_trips};
pub use sharing::isochronous;
pub use spec::{
    Degov1Spec, DegovSpec, GovernorSpec, PiSpec, PlantSpec, SetSpec, Tgov1Spec, TorqueConvention,
    TurboSpec,
};
pub use together_spec::{
    FrequencyEventSpec, SharingLineSpec, SharingSpec, TripSpec, UtilitySpec, VoltageEventSpec,
};
