//! What stands in a scenario file about the rest of the site: what draws power beside the racks, and what is lost on the way to them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::WeakDefault;

/// Power of the network as a share of the racks' rated power.
pub const DEFAULT_OTHER_IT_SHARE: f64 = 0.11;

/// The site around the racks: other IT and a UPS beside and before them, cooling, the transformer that feeds all.
///
/// From the racks to the bus: racks and other IT → UPS losses → cooling beside them → transformer losses. Loads that are given
/// (`[[loads]]`) stand at the bus and are not part of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FacilitySpec {
    /// Constant power of network, storage and management, metered at their AC side, as a share of the racks' AC power with every GPU
    /// at its limit. Default: 0.11, low confidence (network alone).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 10.0))]
    pub other_it_share: Option<f64>,
    /// Losses of the uninterruptible supplies that feed racks and other IT, all of them taken as one. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ups: Option<LossSpec>,
    /// Cooling. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooling: Option<CoolingSpec>,
    /// Losses of the transformers that feed the whole site, all of them taken as one. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transformer: Option<LossSpec>,
}

/// Losses over load: `loss = rated · (fixed + linear · x + square · x²)`, x = output / rated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LossSpec {
    /// Rated output, kilowatts.
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "kW"))]
    pub rated_kw: f64,
    /// Loss at no load as a share of `rated_kw`.
    #[schemars(range(min = 0.0, max = 0.5))]
    pub loss_fixed: f64,
    /// Loss in proportion to load.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 0.5))]
    pub loss_linear: f64,
    /// Loss with the square of load.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 0.5))]
    pub loss_square: f64,
}

/// Electrical power of the cooling: a fixed part, and a part that follows the heat of the IT and the UPS.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CoolingSpec {
    /// Power whatever the heat (pumps, fans at their lowest), kilowatts.
    #[serde(default)]
    #[schemars(range(min = 0.0), extend("x-unit" = "kW"))]
    pub fixed_kw: f64,
    /// Power per watt of heat.
    #[schemars(range(min = 0.0, max = 2.0))]
    pub share: f64,
    /// Time constant with which the cooling follows the heat, seconds; at the start it has settled.
    #[schemars(range(min = 0.0), extend("x-unit" = "s"))]
    pub lag_s: f64,
    /// Compressors that run in full or not at all, in place of a part that follows smoothly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stages: Option<StageSpec>,
}

/// Equal compressors, started and stopped one after another.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StageSpec {
    /// Compressors.
    #[schemars(range(min = 1, max = 10_000))]
    pub count: u32,
    /// Electrical power of one that runs, kilowatts.
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "kW"))]
    pub stage_kw: f64,
    /// One stops when the rest could do this share of a stage more than is wanted.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub hysteresis: f64,
    /// Time between two starts at least, seconds.
    #[schemars(range(min = 0.0), extend("x-unit" = "s"))]
    pub start_interval_s: f64,
    /// Power while one starts, as a multiple of `stage_kw`. 1: as when it runs.
    #[schemars(range(min = 1.0, max = 10.0))]
    pub start_factor: f64,
    /// Duration of a start, seconds.
    #[schemars(range(min = 0.0), extend("x-unit" = "s"))]
    pub start_s: f64,
}

impl FacilitySpec {
    /// The defaults of low confidence that stay in force.
    pub fn weak_defaults(&self) -> Vec<WeakDefault> {
        if self.other_it_share.is_some() {
            return Vec::new();
        }
        vec![WeakDefault {
            key: "other_it_share",
            value: DEFAULT_OTHER_IT_SHARE,
            unit: "",
            source: "arXiv 2605.24461: the back-end network is 11 % of the power of the IT racks of a site of 83 000 GB200; read at second hand, \
                storage and management not included",
        }]
    }

    /// What is wrong with it: key below `[facility]`, what, and what to do.
    pub fn problems(&self) -> Vec<(String, String, String)> {
        let mut found = Vec::new();
        let mut range = |key: &str, value: f64, low: f64, high: f64, above: bool| {
            let good =
                value.is_finite() && value <= high && (value > low || (!above && value == low));
            if !good {
                let least = if above { "above" } else { "from" };
                let help = if high < f64::MAX {
                    format!("give a number {least} {low} to {high}")
                } else {
                    format!("give a finite number {least} {low}")
                };
                found.push((key.to_owned(), format!("it is {value}"), help));
            }
        };
        if let Some(share) = self.other_it_share {
            range("other_it_share", share, 0.0, 10.0, false);
        }
        for (name, loss) in [("ups", self.ups), ("transformer", self.transformer)] {
            let Some(loss) = loss else { continue };
            range(
                &format!("{name}.rated_kw"),
                loss.rated_kw,
                0.0,
                f64::MAX,
                true,
            );
            for (key, value) in [
                ("loss_fixed", loss.loss_fixed),
                ("loss_linear", loss.loss_linear),
                ("loss_square", loss.loss_square),
            ] {
                range(&format!("{name}.{key}"), value, 0.0, 0.5, false);
            }
        }
        let Some(cooling) = self.cooling else {
            return found;
        };
        range("cooling.fixed_kw", cooling.fixed_kw, 0.0, f64::MAX, false);
        range("cooling.share", cooling.share, 0.0, 2.0, false);
        range("cooling.lag_s", cooling.lag_s, 0.0, f64::MAX, false);
        if let Some(stages) = cooling.stages {
            range(
                "cooling.stages.count",
                f64::from(stages.count),
                1.0,
                10_000.0,
                false,
            );
            range(
                "cooling.stages.stage_kw",
                stages.stage_kw,
                0.0,
                f64::MAX,
                true,
            );
            range(
                "cooling.stages.hysteresis",
                stages.hysteresis,
                0.0,
                1.0,
                false,
            );
            range(
                "cooling.stages.start_interval_s",
                stages.start_interval_s,
                0.0,
                f64::MAX,
                false,
            );
            range(
                "cooling.stages.start_factor",
                stages.start_factor,
                1.0,
                10.0,
                false,
            );
            range(
                "cooling.stages.start_s",
                stages.start_s,
                0.0,
                f64::MAX,
                false,
            );
        }
        found
    }
}
