//! Limits on the load itself, as a utility or a generator's maker sets them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Limits on the power that the supply sees at the bus. None has a default: published specifications give the quantities and no
/// numbers that hold for everyone (arXiv 2508.14318).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LoadLimitsSpec {
    /// Fastest rise, megawatts per second: the largest rise between two samples at most `ramp_window_s` apart, over that window.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "MW/s"))]
    pub ramp_up_mw_per_s: Option<f64>,
    /// Fastest fall, megawatts per second, taken in the same way.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "MW/s"))]
    pub ramp_down_mw_per_s: Option<f64>,
    /// Window of both, seconds. A ramp without a window says nothing: an edge of a GPU takes less than a millisecond.
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "s"))]
    pub ramp_window_s: f64,
    /// Largest change, up or down, in any `change_window_s`, megawatts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "MW"))]
    pub change_mw: Option<f64>,
    /// Window of `change_mw`, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "s"))]
    pub change_window_s: Option<f64>,
    /// Largest dynamic range: highest less lowest power, as a share of the highest power of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1.0))]
    pub range_share: Option<f64>,
    /// Window within which highest and lowest lie, seconds. Default: the whole run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "s"))]
    pub range_window_s: Option<f64>,
    /// Largest share of the energy of the load's changes (the mean is left out) between `band_low_hz` and `band_high_hz`. Needs `band_min_rms_mw`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1.0))]
    pub band_share: Option<f64>,
    /// Root mean square of the load in the band up to which `band_share` may be exceeded, megawatts: a share alone fails a load that hardly moves.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0), extend("x-unit" = "MW"))]
    pub band_min_rms_mw: Option<f64>,
    /// Lower end of the band, hertz (arXiv 2508.14318: 0.1 Hz).
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "Hz"))]
    pub band_low_hz: f64,
    /// Upper end of the band, hertz (arXiv 2508.14318: 20 Hz).
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "Hz"))]
    pub band_high_hz: f64,
    /// Highest short-term flicker severity `Pst` of IEC 61000-4-15 in any 10 minutes: of the bus's voltage if it is computed, or behind
    /// `flicker_short_circuit_mva`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub flicker_pst: Option<f64>,
    /// Short-circuit power where the flicker is looked at, megavolt-amperes: the voltage there is taken as `1 − (P·R + Q·X)` per unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "MVA"))]
    pub flicker_short_circuit_mva: Option<f64>,
    /// Ratio of reactance to resistance of that supply.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1000.0))]
    pub flicker_x_over_r: Option<f64>,
    /// Lamp whose light is judged. Default: that of the plant's frequency; without a plant the 120 V one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flicker_lamp: Option<LampSpec>,
}

/// The lamp that the flicker is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LampSpec {
    /// 230 V, 50 Hz.
    #[serde(rename = "230V")]
    V230,
    /// 120 V, 60 Hz.
    #[serde(rename = "120V")]
    V120,
}

impl Default for LoadLimitsSpec {
    fn default() -> Self {
        Self {
            ramp_up_mw_per_s: None,
            ramp_down_mw_per_s: None,
            ramp_window_s: 1.0,
            change_mw: None,
            change_window_s: None,
            range_share: None,
            range_window_s: None,
            band_share: None,
            band_min_rms_mw: None,
            band_low_hz: 0.1,
            band_high_hz: 20.0,
            flicker_pst: None,
            flicker_short_circuit_mva: None,
            flicker_x_over_r: None,
            flicker_lamp: None,
        }
    }
}

impl LoadLimitsSpec {
    /// Whether either limit on ramps is given.
    pub fn has_ramps(&self) -> bool {
        self.ramp_up_mw_per_s.is_some() || self.ramp_down_mw_per_s.is_some()
    }

    /// Window of the limit on changes, seconds; none without that limit.
    pub fn changes_over_s(&self) -> Option<f64> {
        self.change_mw.and(self.change_window_s)
    }
}
