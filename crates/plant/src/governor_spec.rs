//! What stands in a scenario file about turbine and general governors.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the droop of a GGOV1 looks at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ggov1Feedback {
    /// Nothing: isochronous (`Rselect = 0`).
    Isochronous,
    /// Electrical power through `tpelec_s` (`Rselect = 1`).
    #[default]
    Power,
    /// Valve stroke (`Rselect = −2`).
    Valve,
    /// Output of the governor (`Rselect = −1`).
    Governor,
}

/// GGOV1, general governor and engine: gas engine, gas turbine, diesel. Fuel of 1 is full stroke; powers per unit of `rated_kva`.
///
/// PID with tracking integral, load limiter on exhaust temperature, acceleration limiter, valve with rate limits, dead time `teng_s`. Shaft torque is
/// its power over speed in both torque conventions. Source: PSS/E model library as described by OpenIPSL and GridLAB-D.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ggov1Spec {
    /// Droop R.
    #[schemars(range(min = 0.0, max = 1.0), extend("x-unit" = "pu"))]
    pub droop_pu: f64,
    /// What the droop looks at (`Rselect`).
    #[serde(default)]
    pub feedback: Ggov1Feedback,
    /// Lag of the power measurement Tpelec, seconds. Zero: none.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "s"))]
    pub tpelec_s: f64,
    /// Highest speed error maxerr.
    #[serde(default = "p05")]
    #[schemars(range(min = 0.0, max = 10.0), extend("x-unit" = "pu"))]
    pub maxerr_pu: f64,
    /// Lowest speed error minerr.
    #[serde(default = "m05")]
    #[schemars(range(min = -10.0, max = 0.0), extend("x-unit" = "pu"))]
    pub minerr_pu: f64,
    /// Dead band db: an error within ± this is none, beyond it counts what exceeds it.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1.0), extend("x-unit" = "pu"))]
    pub deadband_pu: f64,
    /// Proportional gain Kpgov.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 10_000.0))]
    pub kpgov: f64,
    /// Integral gain Kigov, per second.
    #[schemars(range(min = 0.0, max = 10_000.0), extend("x-unit" = "1/s"))]
    pub kigov_per_s: f64,
    /// Derivative gain Kdgov, seconds.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 10_000.0), extend("x-unit" = "s"))]
    pub kdgov_s: f64,
    /// Lag of the derivative Tdgov, seconds. Zero needs Kdgov zero.
    #[serde(default = "one")]
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "s"))]
    pub tdgov_s: f64,
    /// Highest stroke Vmax.
    #[serde(default = "one")]
    #[schemars(range(min = -10.0, max = 10.0), extend("x-unit" = "pu"))]
    pub vmax_pu: f64,
    /// Lowest stroke Vmin.
    #[serde(default)]
    #[schemars(range(min = -10.0, max = 10.0), extend("x-unit" = "pu"))]
    pub vmin_pu: f64,
    /// Lag of the actuator Tact, seconds.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1000.0, "x-unit" = "s"))]
    pub tact_s: f64,
    /// Power per fuel Kturb.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 100.0))]
    pub kturb: f64,
    /// Fuel at no load Wfnl.
    #[schemars(range(min = 0.0, max = 1.0), extend("x-unit" = "pu"))]
    pub wfnl_pu: f64,
    /// Lag of the engine Tb, seconds. Zero needs Tc zero.
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "s"))]
    pub tb_s: f64,
    /// Lead of the engine Tc, seconds.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "s"))]
    pub tc_s: f64,
    /// Fuel goes with speed (`Flag = 1`), as with an engine-driven pump.
    #[serde(default)]
    pub fuel_follows_speed: bool,
    /// Dead time of the engine Teng, seconds.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 10.0), extend("x-unit" = "s"))]
    pub dead_time_s: f64,
    /// Lag of the exhaust temperature's measurement Tfload, seconds. Zero: none.
    #[serde(default = "three")]
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "s"))]
    pub tfload_s: f64,
    /// Proportional gain of the load limiter Kpload.
    #[serde(default = "two")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 10_000.0))]
    pub kpload: f64,
    /// Integral gain of the load limiter Kiload, per second.
    #[serde(default = "kiload")]
    #[schemars(range(min = 0.0, max = 10_000.0), extend("x-unit" = "1/s"))]
    pub kiload_per_s: f64,
    /// Power at which the load limiter acts Ldref.
    #[serde(default = "one")]
    #[schemars(range(min = 0.0, max = 10.0), extend("x-unit" = "pu"))]
    pub ldref_pu: f64,
    /// Damping Dm: above zero, power falls by it with speed; below zero, the highest fuel falls with a power of speed.
    #[serde(default)]
    #[schemars(range(min = -10.0, max = 10.0), extend("x-unit" = "pu"))]
    pub dm_pu: f64,
    /// Fastest opening Ropen, per second.
    #[serde(default = "fast")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e6, "x-unit" = "1/s"))]
    pub ropen_per_s: f64,
    /// Fastest closing Rclose, per second, negative.
    #[serde(default = "minus_fast")]
    #[schemars(extend("minimum" = -1e6, "exclusiveMaximum" = 0.0, "x-unit" = "1/s"))]
    pub rclose_per_s: f64,
    /// Gain of the supervisory load controller Kimw, per second. 0: none.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "1/s"))]
    pub kimw_per_s: f64,
    /// Whether the acceleration limiter acts.
    #[serde(default)]
    pub acceleration_limiter: bool,
    /// Highest acceleration Aset, per unit of speed per second.
    #[serde(default = "aset")]
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "1/s"))]
    pub aset_per_s: f64,
    /// Gain of the acceleration limiter Ka.
    #[serde(default = "ten")]
    #[schemars(range(min = 0.0, max = 1e6))]
    pub ka: f64,
    /// Lag of the acceleration's measurement Ta, seconds.
    #[serde(default = "aset")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1000.0, "x-unit" = "s"))]
    pub ta_s: f64,
    /// Sampling time of the acceleration limiter DELT, seconds.
    #[serde(default = "delt")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1.0, "x-unit" = "s"))]
    pub delt_s: f64,
    /// Lead of the exhaust temperature Tsa, seconds.
    #[serde(default = "four")]
    #[schemars(range(min = 0.0, max = 99_999.0), extend("x-unit" = "s"))]
    pub tsa_s: f64,
    /// Lag of the exhaust temperature Tsb, seconds. Zero needs Tsa zero.
    #[serde(default = "five")]
    #[schemars(range(min = 0.0, max = 99_999.0), extend("x-unit" = "s"))]
    pub tsb_s: f64,
}

/// GAST, simple gas turbine with droop and an exhaust temperature limit.
///
/// `T1 x1' = min(P − Δω/R, AT + KT (AT − x3)) − x1` within `vmin..vmax`, `T2 x2' = x1 − x2`, `T3 x3' = x2 − x3`, `Pm = x2 − Dturb Δω`.
/// Source: PSS/E model library as described by OpenIPSL.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GastSpec {
    /// Droop R.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1.0, "x-unit" = "pu"))]
    pub droop_pu: f64,
    /// Lag of the valve T1, seconds.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1000.0, "x-unit" = "s"))]
    pub t1_s: f64,
    /// Lag of the turbine T2, seconds.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1000.0, "x-unit" = "s"))]
    pub t2_s: f64,
    /// Lag of the exhaust temperature T3, seconds.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1000.0, "x-unit" = "s"))]
    pub t3_s: f64,
    /// Ambient temperature load limit AT.
    #[schemars(range(min = 0.0, max = 10.0), extend("x-unit" = "pu"))]
    pub at_pu: f64,
    /// Gain of the temperature limit KT.
    #[schemars(range(min = 0.0, max = 1000.0))]
    pub kt: f64,
    /// Highest valve position.
    #[serde(default = "one")]
    #[schemars(range(min = -10.0, max = 10.0), extend("x-unit" = "pu"))]
    pub vmax_pu: f64,
    /// Lowest valve position.
    #[serde(default)]
    #[schemars(range(min = -10.0, max = 10.0), extend("x-unit" = "pu"))]
    pub vmin_pu: f64,
    /// Damping of the turbine Dturb.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "pu"))]
    pub dturb_pu: f64,
}

/// IEEEG1, steam turbine with up to four stages; both shafts' powers act on this one.
///
/// `T3 v' = P − K (1+T2 s)/(1+T1 s) Δω − v`, its rate within `uc..uo`, `v` within `pmin..pmax`; stages T4 to T7 in series with shares K1 to K8.
/// Source: IEEE Committee Report (1973), PSS/E and ANDES model libraries.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ieeeg1Spec {
    /// Gain K = 1/droop.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1000.0))]
    pub k: f64,
    /// Lag T1, seconds. Zero needs T2 zero.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "s"))]
    pub t1_s: f64,
    /// Lead T2, seconds.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "s"))]
    pub t2_s: f64,
    /// Lag of the valve T3, seconds.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1000.0, "x-unit" = "s"))]
    pub t3_s: f64,
    /// Fastest opening Uo, per second.
    #[serde(default = "fast")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e6, "x-unit" = "1/s"))]
    pub uo_per_s: f64,
    /// Fastest closing Uc, per second, negative.
    #[serde(default = "minus_fast")]
    #[schemars(extend("minimum" = -1e6, "exclusiveMaximum" = 0.0, "x-unit" = "1/s"))]
    pub uc_per_s: f64,
    /// Highest valve position.
    #[serde(default = "one")]
    #[schemars(range(min = -10.0, max = 10.0), extend("x-unit" = "pu"))]
    pub pmax_pu: f64,
    /// Lowest valve position.
    #[serde(default)]
    #[schemars(range(min = -10.0, max = 10.0), extend("x-unit" = "pu"))]
    pub pmin_pu: f64,
    /// Lags of the stages T4 to T7, seconds. Zero: none.
    pub stages_s: [f64; 4],
    /// Shares of the stages in the power: K1+K2, K3+K4, K5+K6, K7+K8. They sum to 1.
    pub shares: [f64; 4],
}

/// PID governor on speed with droop, actuator and engine.
///
/// `demand = Kp e + Ki ∫e + Kd s/(1+Td s) e`, `e = −Δω − R (valve − start)`, within `min..max`, the integral held while it points beyond a limit that is
/// reached; `Tact valve' = demand − valve`; dead time; `T Pm' = valve − Pm`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PidSpec {
    /// Proportional gain.
    #[schemars(range(min = 0.0, max = 10_000.0), extend("x-unit" = "pu"))]
    pub kp_pu: f64,
    /// Integral gain.
    #[schemars(range(min = 0.0, max = 100_000.0), extend("x-unit" = "1/s"))]
    pub ki_per_s: f64,
    /// Derivative gain, seconds.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 10_000.0), extend("x-unit" = "s"))]
    pub kd_s: f64,
    /// Lag of the derivative, seconds. Zero needs `kd_s` zero.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "s"))]
    pub td_s: f64,
    /// Droop R on the valve; 0 is isochronous.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1.0), extend("x-unit" = "pu"))]
    pub droop_pu: f64,
    /// Lag of the actuator, seconds.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1000.0, "x-unit" = "s"))]
    pub tact_s: f64,
    /// Lag of the engine, seconds. Zero: none.
    #[serde(default)]
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

fn one() -> f64 {
    1.0
}
fn one_point_one() -> f64 {
    1.1
}
fn two() -> f64 {
    2.0
}
fn three() -> f64 {
    3.0
}
fn four() -> f64 {
    4.0
}
fn five() -> f64 {
    5.0
}
fn ten() -> f64 {
    10.0
}
fn p05() -> f64 {
    0.05
}
fn m05() -> f64 {
    -0.05
}
fn kiload() -> f64 {
    0.67
}
fn aset() -> f64 {
    0.1
}
fn delt() -> f64 {
    0.005
}
fn fast() -> f64 {
    1e6
}
fn minus_fast() -> f64 {
    -1e6
}
