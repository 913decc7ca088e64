//! What stands in a scenario file about the generating sets.
//!
//! Per-unit values of a set are on its own `rated_kva`; frequency is per unit of `frequency_hz`.

use std::collections::BTreeMap;

use ballast_units::Provenance;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::acceptance::AcceptanceRow;
use crate::alternator_spec::{AlternatorSpec, ExciterSpec, VoltageControlSpec};
use crate::fuel::FuelSpec;
use crate::governor_spec::{GastSpec, Ggov1Spec, Ieeeg1Spec, PidSpec};
use crate::load_spec::LoadModelSpec;
use crate::together_spec::{SharingSpec, TripSpec, UtilitySpec};

/// The sets that feed the bus.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlantSpec {
    /// Nominal frequency, hertz.
    #[serde(default = "sixty")]
    #[schemars(extend("minimum" = 10.0, "maximum" = 1000.0, "x-unit" = "Hz"))]
    pub frequency_hz: f64,
    /// How a constant-power load acts on the shaft. Default: `power_over_speed`, the physics.
    #[serde(default)]
    pub torque: TorqueConvention,
    /// Power at which droop governors hold nominal speed, kilowatts at the bus. Default: the load at t = 0. With a utility it is what the
    /// sets deliver at the start, and has to be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1e9), extend("x-unit" = "kW"))]
    pub dispatch_kw: Option<f64>,
    /// Voltage of the bus at the start, and what the regulators hold, per unit. With a utility it follows from `utility.voltage_pu`.
    #[serde(default = "one_pu")]
    #[schemars(range(min = 0.8, max = 1.2), extend("x-unit" = "pu"))]
    pub voltage_pu: f64,
    /// How the load depends on voltage and frequency.
    #[serde(default)]
    pub load: LoadModelSpec,
    /// How isochronous sets divide the load. Default: no line between them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sharing: Option<SharingSpec>,
    /// Sets that go off the bus at known times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trips: Vec<TripSpec>,
    /// The grid, where the site is connected to one. The sets, if any, then need alternators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utility: Option<UtilitySpec>,
    /// The generating sets; all run. With an `alternator` each has its own angle and speed, without they share one frequency.
    /// There may be none where there is a utility.
    #[serde(default)]
    pub sets: Vec<SetSpec>,
}

fn sixty() -> f64 {
    60.0
}

/// Electrical torque of a constant-power load.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TorqueConvention {
    /// `Te = P/ω`: exact for a load that draws constant power.
    #[default]
    PowerOverSpeed,
    /// `Te = P`: network at nominal frequency, as PSS/E, ANDES and most positive-sequence tools have it.
    Power,
}

/// A generating set, or several equal ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetSpec {
    /// Name of the set (or of the group, with `count` above 1).
    pub name: String,
    /// Maker's name or class, for reports.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// Number of equal sets.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1000))]
    pub count: u32,
    /// Rated active power of one set, kilowatts.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e9, "x-unit" = "kW"))]
    pub rated_kw: f64,
    /// Rated apparent power of one set, kilovolt-amperes; base of its per-unit values.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e9, "x-unit" = "kVA"))]
    pub rated_kva: f64,
    /// Inertia constant H of engine and alternator, seconds on `rated_kva`. High-speed sets: 0.5 to 1.2 s.
    #[schemars(extend("minimum" = 0.01, "maximum" = 50.0, "x-unit" = "s"))]
    pub inertia_s: f64,
    /// Damping torque per unit of speed deviation.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "pu"))]
    pub damping_pu: f64,
    /// Governor and engine.
    pub governor: GovernorSpec,
    /// Torque the engine absorbs when no fuel is given (friction, compression). It lets the set slow down without load.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 0.5), extend("x-unit" = "pu"))]
    pub friction_pu: f64,
    /// Load ceiling of a turbocharged engine. Default: on, with the values of a high-speed diesel; `enabled = false` takes it off.
    #[serde(default)]
    pub turbo: TurboSpec,
    /// Alternator. Either every set has one or none; without, voltage is not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alternator: Option<AlternatorSpec>,
    /// Voltage regulator and exciter. Default: the field voltage stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exciter: Option<ExciterSpec>,
    /// Reactance between the terminals and the bus (cable, transformer), per unit of `rated_kva`. The regulator sees the terminals.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1.0), extend("x-unit" = "pu"))]
    pub line_x_pu: f64,
    /// Quadrature droop, cross-current compensation and under-frequency roll-off of the voltage reference.
    #[serde(default)]
    pub voltage_control: VoltageControlSpec,
    /// Fuel over load. Default: not known, fuel is not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fuel: Option<FuelSpec>,
    /// Largest load step the set accepts, by the load it steps from. Default: not known, steps are not looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acceptance: Vec<AcceptanceRow>,
    /// Source, grade and confidence of the values above, by key (`inertia_s`, `governor.k`, …).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub provenance: BTreeMap<String, Provenance>,
}

fn one() -> u32 {
    1
}

/// Load ceiling of a turbocharged engine: the throttle cannot exceed the boost state plus the load step it accepts.
///
/// `time_constant_s · B' = Tm − B`, throttle ≤ `B + acceptance_pu`; for TGOV1, `Tm` before its turbine damping `Dt`. Ballast's own model; no standard governor has one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TurboSpec {
    /// Whether the ceiling acts.
    pub enabled: bool,
    /// Time constant of the boost, seconds. Diesel 1 to 4 s, lean-burn gas 3 to 10 s (estimated).
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1000.0, "x-unit" = "s"))]
    pub time_constant_s: f64,
    /// Load step accepted at once, per unit of `rated_kva` (estimated).
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 2.0, "x-unit" = "pu"))]
    pub acceptance_pu: f64,
}

impl Default for TurboSpec {
    fn default() -> Self {
        Self {
            enabled: true,
            time_constant_s: 1.5,
            acceptance_pu: 0.45,
        }
    }
}

/// Governor with its engine.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "model", rename_all = "snake_case")]
pub enum GovernorSpec {
    /// Mechanical torque stays where it was at the start.
    Constant,
    /// TGOV1: droop, valve lag with limits, lead-lag.
    Tgov1(Tgov1Spec),
    /// Proportional-integral isochronous speed governor on a first-order engine.
    Pi(PiSpec),
    /// DEGOV1, Woodward diesel governor.
    Degov1(Degov1Spec),
    /// DEGOV, the same without droop.
    Degov(DegovSpec),
    /// GGOV1, general governor and engine.
    Ggov1(Ggov1Spec),
    /// GAST, simple gas turbine.
    Gast(GastSpec),
    /// IEEEG1, steam turbine.
    Ieeeg1(Ieeeg1Spec),
    /// PID with actuator and engine.
    Pid(PidSpec),
}

/// TGOV1: `T1 a' = (Pref − Δω)/R − a`, `vmin ≤ a ≤ vmax`; `Pm = a (1+T2 s)/(1+T3 s) − Dt Δω`.
///
/// The valve limit does not wind up. Source: IEEE PES-TR1; ANDES TGOV1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tgov1Spec {
    /// Droop R, speed change in per unit for one per unit of power.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1.0, "x-unit" = "pu"))]
    pub droop_pu: f64,
    /// Valve lag T1, seconds. Zero: the valve follows at once.
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "s"))]
    pub t1_s: f64,
    /// Lead T2, seconds.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "s"))]
    pub t2_s: f64,
    /// Lag T3, seconds. Zero needs T2 zero as well: the block is left out.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "s"))]
    pub t3_s: f64,
    /// Upper valve limit, per unit of `rated_kva`.
    #[serde(default = "one_pu")]
    #[schemars(range(min = -10.0, max = 10.0), extend("x-unit" = "pu"))]
    pub vmax_pu: f64,
    /// Lower valve limit, per unit of `rated_kva`.
    #[serde(default)]
    #[schemars(range(min = -10.0, max = 10.0), extend("x-unit" = "pu"))]
    pub vmin_pu: f64,
    /// Turbine damping Dt, per unit of power per per unit of speed.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "pu"))]
    pub dt_pu: f64,
}

fn one_pu() -> f64 {
    1.0
}

/// Isochronous PI governor: demand `Kp e + Ki ∫e dt`, `e = −Δω`, limited; engine `T Pm' = demand − Pm`.
///
/// The integrator does not wind up.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PiSpec {
    /// Proportional gain, per unit of power per per unit of speed.
    #[schemars(range(min = 0.0, max = 1e4), extend("x-unit" = "pu"))]
    pub kp_pu: f64,
    /// Integral gain, per unit of power per per unit of speed and second.
    #[schemars(range(min = 0.0, max = 1e5), extend("x-unit" = "1/s"))]
    pub ki_per_s: f64,
    /// Engine lag T, seconds. Zero: the engine follows at once.
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "s"))]
    pub t_s: f64,
    /// Dead time of the engine, seconds.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 10.0), extend("x-unit" = "s"))]
    pub dead_time_s: f64,
    /// Upper limit of the demand, per unit of `rated_kva`.
    #[serde(default = "one_point_one")]
    #[schemars(range(min = -10.0, max = 10.0), extend("x-unit" = "pu"))]
    pub max_pu: f64,
    /// Lower limit of the demand, per unit of `rated_kva`.
    #[serde(default)]
    #[schemars(range(min = -10.0, max = 10.0), extend("x-unit" = "pu"))]
    pub min_pu: f64,
}

fn one_point_one() -> f64 {
    1.1
}

/// DEGOV1, Woodward diesel governor, throttle feedback (PSS/E `M = 0`).
///
/// Control box `(1+T3 s)/(1+T1 s+T1 T2 s²)`, actuator `K(1+T4 s)/[s(1+T5 s)(1+T6 s)]` with its integrator limited to
/// `tmin..tmax`, engine dead time `TD`; the throttle is torque. Zero constants drop the factor they stand in.
/// Source: PSS/E model library as described by PowerWorld, GridLAB-D and PowerSimulationsDynamics.jl.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Degov1Spec {
    /// Control box T1, seconds.
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "s"))]
    pub t1_s: f64,
    /// Control box T2, seconds.
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "s"))]
    pub t2_s: f64,
    /// Control box lead T3, seconds.
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "s"))]
    pub t3_s: f64,
    /// Actuator gain K.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e4))]
    pub k: f64,
    /// Actuator lead T4, seconds.
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "s"))]
    pub t4_s: f64,
    /// Actuator lag T5, seconds.
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "s"))]
    pub t5_s: f64,
    /// Actuator lag T6, seconds.
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "s"))]
    pub t6_s: f64,
    /// Engine dead time TD, seconds. Diesel 20 to 50 ms (estimated).
    #[schemars(range(min = 0.0, max = 10.0), extend("x-unit" = "s"))]
    pub dead_time_s: f64,
    /// Upper throttle limit TMAX, per unit of `rated_kva`.
    #[schemars(range(min = -10.0, max = 10.0), extend("x-unit" = "pu"))]
    pub tmax_pu: f64,
    /// Lower throttle limit TMIN, per unit of `rated_kva`.
    #[serde(default)]
    #[schemars(range(min = -10.0, max = 10.0), extend("x-unit" = "pu"))]
    pub tmin_pu: f64,
    /// Droop R on the throttle; 0 is isochronous.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1.0), extend("x-unit" = "pu"))]
    pub droop_pu: f64,
}

/// DEGOV: DEGOV1 without droop; letters as there.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DegovSpec {
    /// Control box T1, seconds.
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "s"))]
    pub t1_s: f64,
    /// Control box T2, seconds.
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "s"))]
    pub t2_s: f64,
    /// Control box lead T3, seconds.
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "s"))]
    pub t3_s: f64,
    /// Actuator gain K.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e4))]
    pub k: f64,
    /// Actuator lead T4, seconds.
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "s"))]
    pub t4_s: f64,
    /// Actuator lag T5, seconds.
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "s"))]
    pub t5_s: f64,
    /// Actuator lag T6, seconds.
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "s"))]
    pub t6_s: f64,
    /// Engine dead time TD, seconds.
    #[schemars(range(min = 0.0, max = 10.0), extend("x-unit" = "s"))]
    pub dead_time_s: f64,
    /// Upper throttle limit TMAX, per unit of `rated_kva`.
    #[schemars(range(min = -10.0, max = 10.0), extend("x-unit" = "pu"))]
    pub tmax_pu: f64,
    /// Lower throttle limit TMIN, per unit of `rated_kva`.
    #[serde(default)]
    #[schemars(range(min = -10.0, max = 10.0), extend("x-unit" = "pu"))]
    pub tmin_pu: f64,
}

impl PlantSpec {
    /// Whether voltage is looked at: sets have alternators, all or none.
    pub fn has_alternators(&self) -> bool {
        self.sets.iter().any(|set| set.alternator.is_some())
    }
}

impl GovernorSpec {
    /// DEGOV1, and DEGOV as the DEGOV1 it is.
    pub(crate) fn degov1(&self) -> Option<Degov1Spec> {
        match self {
            Self::Degov1(d) => Some(*d),
            Self::Degov(d) => Some(d.with_droop()),
            _ => None,
        }
    }
}

impl DegovSpec {
    /// The DEGOV1 it is.
    pub(crate) fn with_droop(&self) -> Degov1Spec {
        Degov1Spec {
            t1_s: self.t1_s,
            t2_s: self.t2_s,
            t3_s: self.t3_s,
            k: self.k,
            t4_s: self.t4_s,
            t5_s: self.t5_s,
            t6_s: self.t6_s,
            dead_time_s: self.dead_time_s,
            tmax_pu: self.tmax_pu,
            tmin_pu: self.tmin_pu,
            droop_pu: 0.0,
        }
    }
}
