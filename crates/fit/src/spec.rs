//! What stands in a file for `ballast genset fit`.

use std::collections::BTreeMap;

use ballast_plant::{AlternatorSpec, ExciterSpec, TorqueConvention};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A generating set, what was measured on it, and what to find.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FitSpec {
    /// Name of the set.
    pub name: String,
    /// Maker's name or class, for reports.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// Kind of engine; it chooses the governor model and the preset where none is named.
    #[serde(default)]
    pub engine: EngineKind,
    /// Rated active power, kilowatts. Shares of the steps are shares of it.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e9, "x-unit" = "kW"))]
    pub rated_kw: f64,
    /// Rated apparent power, kilovolt-amperes; base of the per-unit values.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e9, "x-unit" = "kVA"))]
    pub rated_kva: f64,
    /// Nominal frequency, hertz.
    #[serde(default = "sixty")]
    #[schemars(extend("minimum" = 10.0, "maximum" = 1000.0, "x-unit" = "Hz"))]
    pub frequency_hz: f64,
    /// Rated speed, revolutions per minute. Only checked against the frequency and noted in the preset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e5, "x-unit" = "rpm"))]
    pub speed_rpm: Option<f64>,
    /// Governor model to fit. Default: that of the preset; without one, DEGOV1 for diesel and GGOV1 for gas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub governor: Option<GovernorModel>,
    /// Genset preset with the values that are neither given nor fitted. Default: a generic set of the engine and the governor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// How a constant-power load acts on the shaft.
    #[serde(default)]
    pub torque: TorqueConvention,
    /// Values known from a datasheet, by key of the set in quotes: `"governor.droop_pu" = 0.03`. They are not fitted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, f64>,
    /// Reactances and time constants of the alternator, copied into the preset. Not fitted: the frequency does not depend on them here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alternator: Option<AlternatorSpec>,
    /// Voltage regulator and exciter, copied into the preset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exciter: Option<ExciterSpec>,
    /// Fuel at part load: the preset's fuel curve for a diesel with two points at least, else noted in the preset.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fuel: Vec<FuelPoint>,
    /// What to fit. Default: inertia, the governor's gains and dead time, and the turbo ceiling where it is on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub free: Vec<FreeSpec>,
    /// Block steps from a table of the maker or of a commissioning report.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepRow>,
    /// Recordings of frequency and power.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recordings: Vec<RecordingSpec>,
    /// What the figures of the table are good for.
    #[serde(default)]
    pub tolerance: ToleranceSpec,
}

fn sixty() -> f64 {
    60.0
}

/// Kind of engine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EngineKind {
    /// Diesel.
    #[default]
    Diesel,
    /// Gas.
    Gas,
}

/// Governor model to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GovernorModel {
    /// DEGOV1, Woodward diesel governor.
    Degov1,
    /// GGOV1, general governor and engine.
    Ggov1,
    /// PI governor on a first-order engine.
    Pi,
    /// TGOV1, droop and two lags.
    Tgov1,
}

/// Fuel at a load.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FuelPoint {
    /// Load, share of `rated_kw`.
    #[schemars(range(min = 0.0, max = 2.0))]
    pub load_share: f64,
    /// Fuel, litres per hour (or standard cubic metres of gas per hour).
    #[schemars(range(min = 0.0, max = 1e9))]
    pub per_hour: f64,
}

/// A value to find.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FreeSpec {
    /// Key of the set: `inertia_s`, `governor.k`, `turbo.acceptance_pu`, …
    pub key: String,
    /// First guess, and the value that stays where the data cannot tell. Default: the preset's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e9))]
    pub start: Option<f64>,
    /// Lowest value to try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e9))]
    pub low: Option<f64>,
    /// Highest value to try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e9))]
    pub high: Option<f64>,
}

/// One block step: what the frequency did when the load stepped.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepRow {
    /// Load before, share of `rated_kw`.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub from_share: f64,
    /// Load added, share of `rated_kw`; below zero: load taken off.
    #[schemars(range(min = -1.0, max = 1.2))]
    pub step_share: f64,
    /// Largest deviation of the frequency the way the step drives it, percent of nominal, positive.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 40.0, "x-unit" = "%"))]
    pub dip_percent: f64,
    /// Time from the step until the frequency stays within `band_percent` of where it settles, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 300.0, "x-unit" = "s"))]
    pub recovery_s: Option<f64>,
    /// Half width of the band of `recovery_s`, percent of nominal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 20.0, "x-unit" = "%"))]
    pub band_percent: Option<f64>,
    /// Largest deviation to the other side afterwards, percent of nominal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 50.0), extend("x-unit" = "%"))]
    pub overshoot_percent: Option<f64>,
}

/// A recording: a CSV with columns `t_s`, `f_hz` or `f_pu`, and `p_kw`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordingSpec {
    /// The file; its path counts from this one.
    pub file: String,
    /// Time in the file from which on it is used, seconds. Default: its first sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1e12, max = 1e12), extend("x-unit" = "s"))]
    pub from_s: Option<f64>,
    /// Time in the file up to which it is used, seconds. Default: its last sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1e12, max = 1e12), extend("x-unit" = "s"))]
    pub to_s: Option<f64>,
    /// Noise of the frequency (standard deviation), hertz. Default: what it shows before the load moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 10.0, "x-unit" = "Hz"))]
    pub noise_hz: Option<f64>,
}

/// What the figures of the table are good for, as standard deviations. Rounding alone gives 0.3 of the last digit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ToleranceSpec {
    /// Of dip and overshoot, percent of nominal frequency.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 10.0, "x-unit" = "%"))]
    pub dip_percent: f64,
    /// Of the recovery time, seconds.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 60.0, "x-unit" = "s"))]
    pub recovery_s: f64,
}

impl Default for ToleranceSpec {
    fn default() -> Self {
        Self {
            dip_percent: 0.05,
            recovery_s: 0.05,
        }
    }
}
