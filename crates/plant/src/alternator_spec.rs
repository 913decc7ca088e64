//! What stands in a scenario file about alternators and their excitation.
//!
//! Per unit on the set's own `rated_kva`. Letters of the standards with primes as digits: `xd1_pu` is X'd, `xd2_pu` X''d, `td01_s` T'd0.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Alternator of a set.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "model", rename_all = "snake_case")]
pub enum AlternatorSpec {
    /// GENCLS: constant voltage behind X'd. Right for frequency, useless for the recovery of voltage.
    Gencls(GenclsSpec),
    /// GENSAL: salient poles, as the four-pole alternators of engine sets have.
    Gensal(GensalSpec),
    /// GENROU: round rotor, as turbo alternators have.
    Genrou(GenrouSpec),
}

/// GENCLS: constant voltage behind a reactance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GenclsSpec {
    /// Transient reactance X'd, per unit.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 10.0, "x-unit" = "pu"))]
    pub xd1_pu: f64,
    /// Armature resistance Ra, per unit.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 0.2), extend("x-unit" = "pu"))]
    pub ra_pu: f64,
}

/// GENSAL: field winding, one damper on each axis; saturation acts on E'q.
///
/// `Td0' E'q' = Efd − XadIfd`, `Td0'' ψkd' = E'q − ψkd − (X'd − Xl) id`, `Tq0'' E''d' = −E''d + (Xq − X''q) iq`. Source: PSS/E model library as
/// described by OpenIPSL and PowerWorld.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GensalSpec {
    /// Synchronous reactance Xd, per unit.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 10.0, "x-unit" = "pu"))]
    pub xd_pu: f64,
    /// Synchronous reactance Xq, per unit.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 10.0, "x-unit" = "pu"))]
    pub xq_pu: f64,
    /// Transient reactance X'd, per unit.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 10.0, "x-unit" = "pu"))]
    pub xd1_pu: f64,
    /// Subtransient reactance X''d, per unit.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 10.0, "x-unit" = "pu"))]
    pub xd2_pu: f64,
    /// Subtransient reactance X''q, per unit. Default: X''d.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 10.0, "x-unit" = "pu"))]
    pub xq2_pu: Option<f64>,
    /// Leakage reactance Xl, per unit.
    #[schemars(range(min = 0.0, max = 10.0), extend("x-unit" = "pu"))]
    pub xl_pu: f64,
    /// Armature resistance Ra, per unit.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 0.2), extend("x-unit" = "pu"))]
    pub ra_pu: f64,
    /// Open-circuit transient time constant T'd0, seconds.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 100.0, "x-unit" = "s"))]
    pub td01_s: f64,
    /// Open-circuit subtransient time constant T''d0, seconds.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 10.0, "x-unit" = "s"))]
    pub td02_s: f64,
    /// Open-circuit subtransient time constant T''q0, seconds.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 10.0, "x-unit" = "s"))]
    pub tq02_s: f64,
    /// Saturation S(1.0): extra field current at 1.0 per unit of flux, share. 0: none.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 2.0), extend("x-unit" = "pu"))]
    pub s10: f64,
    /// Saturation S(1.2). 0: none. (A default of 1.0 in ANDES stands for none there; give 0 here.)
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 5.0), extend("x-unit" = "pu"))]
    pub s12: f64,
}

/// GENROU: field winding and one damper on the d axis, two dampers on the q axis; saturation acts on the subtransient flux.
///
/// X''q is X''d. Source: PSS/E model library as described by ANDES, OpenIPSL and PowerSimulationsDynamics.jl.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GenrouSpec {
    /// Synchronous reactance Xd, per unit.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 10.0, "x-unit" = "pu"))]
    pub xd_pu: f64,
    /// Synchronous reactance Xq, per unit.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 10.0, "x-unit" = "pu"))]
    pub xq_pu: f64,
    /// Transient reactance X'd, per unit.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 10.0, "x-unit" = "pu"))]
    pub xd1_pu: f64,
    /// Transient reactance X'q, per unit.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 10.0, "x-unit" = "pu"))]
    pub xq1_pu: f64,
    /// Subtransient reactance X''d = X''q, per unit.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 10.0, "x-unit" = "pu"))]
    pub xd2_pu: f64,
    /// Leakage reactance Xl, per unit.
    #[schemars(range(min = 0.0, max = 10.0), extend("x-unit" = "pu"))]
    pub xl_pu: f64,
    /// Armature resistance Ra, per unit.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 0.2), extend("x-unit" = "pu"))]
    pub ra_pu: f64,
    /// Open-circuit transient time constant T'd0, seconds.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 100.0, "x-unit" = "s"))]
    pub td01_s: f64,
    /// Open-circuit subtransient time constant T''d0, seconds.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 10.0, "x-unit" = "s"))]
    pub td02_s: f64,
    /// Open-circuit transient time constant T'q0, seconds.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 100.0, "x-unit" = "s"))]
    pub tq01_s: f64,
    /// Open-circuit subtransient time constant T''q0, seconds.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 10.0, "x-unit" = "s"))]
    pub tq02_s: f64,
    /// Saturation S(1.0): extra field current at 1.0 per unit of flux, share. 0: none.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 2.0), extend("x-unit" = "pu"))]
    pub s10: f64,
    /// Saturation S(1.2). 0: none. (A default of 1.0 in ANDES stands for none there; give 0 here.)
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 5.0), extend("x-unit" = "pu"))]
    pub s12: f64,
}

/// Voltage regulator and exciter.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "model", rename_all = "snake_case")]
pub enum ExciterSpec {
    /// The field voltage stays where it was at the start.
    Constant,
    /// SEXS: lead-lag and a limited lag.
    Sexs(SexsSpec),
    /// AC8B: digital PID regulator and brushless exciter (IEEE 421.5-2005, 6.8).
    Ac8b(Ac8bSpec),
    /// DC1A: regulator, DC exciter, rate feedback (IEEE 421.5-2005, 5.1).
    Dc1a(Dc1aSpec),
}

/// SEXS: `Efd = K (1+TA s)/((1+TB s)(1+TE s)) · (Vref − V)`, `EMIN ≤ Efd ≤ EMAX` without windup.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SexsSpec {
    /// Gain K.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 10_000.0, "x-unit" = "pu"))]
    pub k: f64,
    /// Lead TA, seconds. (Libraries that give the ratio TA/TB: TA is that times TB.)
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "s"))]
    pub ta_s: f64,
    /// Lag TB, seconds. Zero needs TA zero as well: the block is left out.
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "s"))]
    pub tb_s: f64,
    /// Lag TE, seconds. Zero: the field voltage follows at once.
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "s"))]
    pub te_s: f64,
    /// Lower limit of the field voltage, per unit.
    #[schemars(range(min = -100.0, max = 100.0), extend("x-unit" = "pu"))]
    pub emin_pu: f64,
    /// Upper limit of the field voltage, per unit.
    #[schemars(range(min = -100.0, max = 100.0), extend("x-unit" = "pu"))]
    pub emax_pu: f64,
}

/// Saturation of an exciter by two points, `SE(E) = B (E − A)² / E`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExciterSaturation {
    /// First voltage E1, per unit.
    #[schemars(range(min = 0.0, max = 100.0), extend("x-unit" = "pu"))]
    pub e1_pu: f64,
    /// SE(E1).
    #[schemars(range(min = 0.0, max = 10.0), extend("x-unit" = "pu"))]
    pub se1: f64,
    /// Second voltage E2, per unit; above or below E1.
    #[schemars(range(min = 0.0, max = 100.0), extend("x-unit" = "pu"))]
    pub e2_pu: f64,
    /// SE(E2).
    #[schemars(range(min = 0.0, max = 10.0), extend("x-unit" = "pu"))]
    pub se2: f64,
}

/// AC8B: `PID → KA/(1+TA s) → rotating exciter with rectifier`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ac8bSpec {
    /// Lag of the voltage measurement TR, seconds.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 10.0), extend("x-unit" = "s"))]
    pub tr_s: f64,
    /// Proportional gain KPR.
    #[schemars(range(min = 0.0, max = 10_000.0), extend("x-unit" = "pu"))]
    pub kpr: f64,
    /// Integral gain KIR, per second.
    #[schemars(range(min = 0.0, max = 10_000.0), extend("x-unit" = "1/s"))]
    pub kir_per_s: f64,
    /// Derivative gain KDR, seconds.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 10_000.0), extend("x-unit" = "s"))]
    pub kdr_s: f64,
    /// Lag of the derivative TDR, seconds. Zero needs KDR zero.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 100.0), extend("x-unit" = "s"))]
    pub tdr_s: f64,
    /// Regulator gain KA.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 10_000.0, "x-unit" = "pu"))]
    pub ka: f64,
    /// Regulator lag TA, seconds. Zero: at once.
    #[schemars(range(min = 0.0, max = 100.0), extend("x-unit" = "s"))]
    pub ta_s: f64,
    /// Lower limit of the regulator VRMIN, per unit.
    #[schemars(range(min = -1000.0, max = 1000.0), extend("x-unit" = "pu"))]
    pub vrmin_pu: f64,
    /// Upper limit of the regulator VRMAX, per unit. The integral of the PID is held while it points beyond a limit that is reached.
    #[schemars(range(min = -1000.0, max = 1000.0), extend("x-unit" = "pu"))]
    pub vrmax_pu: f64,
    /// Time constant of the exciter TE, seconds. Brushless exciters of engine sets: 0.2 to 0.35 s (alternator data sheets).
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 100.0, "x-unit" = "s"))]
    pub te_s: f64,
    /// Constant of the exciter's own field KE.
    #[serde(default = "one")]
    #[schemars(range(min = 0.0, max = 100.0), extend("x-unit" = "pu"))]
    pub ke: f64,
    /// Saturation of the exciter. Default: none.
    #[serde(default)]
    pub saturation: ExciterSaturation,
    /// Commutation factor of the rectifier KC.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 10.0), extend("x-unit" = "pu"))]
    pub kc: f64,
    /// Demagnetising factor KD.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 10.0), extend("x-unit" = "pu"))]
    pub kd: f64,
    /// Lower limit of the exciter's voltage VEMIN, per unit.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 100.0), extend("x-unit" = "pu"))]
    pub vemin_pu: f64,
    /// Highest field current of the exciter VFEMAX, per unit. Default: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1000.0, "x-unit" = "pu"))]
    pub vfemax_pu: Option<f64>,
}

/// DC1A: `KA/(1+TA s) → 1/(TE s + KE + SE)`, rate feedback `KF s/(1+TF s)`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dc1aSpec {
    /// Lag of the voltage measurement TR, seconds.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 10.0), extend("x-unit" = "s"))]
    pub tr_s: f64,
    /// Regulator gain KA.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 10_000.0, "x-unit" = "pu"))]
    pub ka: f64,
    /// Regulator lag TA, seconds. Zero: at once.
    #[schemars(range(min = 0.0, max = 100.0), extend("x-unit" = "s"))]
    pub ta_s: f64,
    /// Lower limit of the regulator VRMIN, per unit.
    #[schemars(range(min = -1000.0, max = 1000.0), extend("x-unit" = "pu"))]
    pub vrmin_pu: f64,
    /// Upper limit of the regulator VRMAX, per unit.
    #[schemars(range(min = -1000.0, max = 1000.0), extend("x-unit" = "pu"))]
    pub vrmax_pu: f64,
    /// Time constant of the exciter TE, seconds.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 100.0, "x-unit" = "s"))]
    pub te_s: f64,
    /// Constant of the exciter's own field KE.
    #[serde(default = "one")]
    #[schemars(range(min = -10.0, max = 100.0), extend("x-unit" = "pu"))]
    pub ke: f64,
    /// Saturation of the exciter. Default: none.
    #[serde(default)]
    pub saturation: ExciterSaturation,
    /// Gain of the rate feedback KF.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 100.0), extend("x-unit" = "pu"))]
    pub kf: f64,
    /// Lag of the rate feedback TF, seconds. Zero needs KF zero.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 100.0), extend("x-unit" = "s"))]
    pub tf_s: f64,
}

/// What a set's voltage reference depends on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct VoltageControlSpec {
    /// Quadrature droop: fall of the reference per unit of reactive power delivered.
    #[schemars(range(min = 0.0, max = 0.5), extend("x-unit" = "pu"))]
    pub droop_pu: f64,
    /// Cross-current compensation: fall of the reference per unit of reactive power above the plant's mean, per unit of each set's rating.
    #[schemars(range(min = 0.0, max = 0.5), extend("x-unit" = "pu"))]
    pub cross_current_pu: f64,
    /// Under-frequency roll-off: below this frequency the reference falls, hertz. Default: 0.95 of nominal (57 Hz of 60, 47.5 Hz of 50).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1000.0, "x-unit" = "Hz"))]
    pub knee_hz: Option<f64>,
    /// Slope of the roll-off, per unit of voltage per per unit of frequency. 1: constant volts per hertz. Default: 0, no roll-off.
    #[schemars(range(min = 0.0, max = 10.0))]
    pub volts_per_hertz: f64,
}

fn one() -> f64 {
    1.0
}
