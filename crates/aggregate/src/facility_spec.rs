//! What stands in a scenario file about the rest of the site: what draws power beside the racks, and what is lost on the way to them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use ballast_units::WeakDefault;

/// Power of the network as a share of the racks' rated power.
pub const DEFAULT_NETWORK_SHARE: f64 = 0.11;
/// Power of the storage, likewise.
pub const DEFAULT_STORAGE_SHARE: f64 = 0.03;
/// Power of management, login and service nodes, likewise.
pub const DEFAULT_MANAGEMENT_SHARE: f64 = 0.02;

/// The site around the racks: other IT and a UPS beside and before them, cooling, the transformer that feeds all.
///
/// From the racks to the bus: racks and other IT → UPS losses → cooling beside them → transformer losses. Loads that are given
/// (`[[loads]]`) stand at the bus and are not part of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FacilitySpec {
    /// Network outside the racks: constant. Default: a share of 0.11, low confidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<OtherItSpec>,
    /// Storage: constant; checkpoints do not show in it. Default: a share of 0.03, low confidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<OtherItSpec>,
    /// Management, login and service nodes: constant. Default: a share of 0.02, low confidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub management: Option<OtherItSpec>,
    /// Losses of the uninterruptible supplies that feed racks and other IT, all of them taken as one. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ups: Option<LossSpec>,
    /// Cooling. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooling: Option<CoolingSpec>,
    /// Losses of the transformers that feed the whole site, all of them taken as one. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transformer: Option<LossSpec>,
    /// Power factors of the rest of the site, and what the transformers draw to be magnetised. Absent: every one is 1, none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_factor: Option<FacilityPowerFactor>,
}

/// A part of the IT beside the racks, metered at its AC side: as a share of the racks' power, or as known. One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OtherItSpec {
    /// Share of the racks' AC power with every GPU at its limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 10.0))]
    pub share: Option<f64>,
    /// Power, kilowatts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1e9), extend("x-unit" = "kW"))]
    pub kw: Option<f64>,
}

impl OtherItSpec {
    /// Power in watts beside racks that are rated `racks_w` watts together; none if neither share nor power is given.
    pub fn power_w(self, racks_w: f64) -> Option<f64> {
        self.kw
            .map(|kw| kw * 1e3)
            .or_else(|| self.share.map(|s| s * racks_w))
    }
}

/// Power factors of the rest of the site, constant over load. Positive: lagging, reactive power is drawn; negative: leading, it is given.
///
/// From 0.3 to 1 either way; absent: 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FacilityPowerFactor {
    /// Of network, storage and management.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1.0, max = 1.0))]
    pub other_it: Option<f64>,
    /// At the input of the UPS, whose rectifier hides the power factor of what it feeds. Absent: the reactive power of racks and other IT goes through.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1.0, max = 1.0))]
    pub ups_input: Option<f64>,
    /// Of compressors, pumps and fans.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1.0, max = 1.0))]
    pub cooling: Option<f64>,
    /// Reactive power that magnetises the transformers, whatever their load, as a share of their `rated_kw`. Absent: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 0.2))]
    pub transformer_magnetising: Option<f64>,
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
    /// Power of network, storage and management beside racks that are rated `racks_w` together, watts.
    pub fn other_it_w(&self, racks_w: f64) -> [f64; 3] {
        let of = |part: Option<OtherItSpec>, default: f64| {
            part.and_then(|p| p.power_w(racks_w))
                .unwrap_or(default * racks_w)
        };
        [
            of(self.network, DEFAULT_NETWORK_SHARE),
            of(self.storage, DEFAULT_STORAGE_SHARE),
            of(self.management, DEFAULT_MANAGEMENT_SHARE),
        ]
    }

    /// The defaults of low confidence that stay in force.
    pub fn weak_defaults(&self) -> Vec<WeakDefault> {
        let parts = [
            (
                self.network,
                "network.share",
                DEFAULT_NETWORK_SHARE,
                "arXiv 2605.24461: the back-end network is 11 % of the power of the IT racks of a site of 83 000 GB200; read at second hand",
            ),
            (
                self.storage,
                "storage.share",
                DEFAULT_STORAGE_SHARE,
                "estimate: some racks of flash and disks to a hundred of GPUs; no published share was found",
            ),
            (
                self.management,
                "management.share",
                DEFAULT_MANAGEMENT_SHARE,
                "estimate: login, scheduler and service nodes, front-end network; no published share was found",
            ),
        ];
        parts
            .into_iter()
            .filter(|(given, ..)| given.is_none())
            .map(|(_, key, value, source)| WeakDefault {
                key,
                value,
                unit: "",
                source,
            })
            .collect()
    }

    /// Which power factors are not given, in words; each is taken as 1.
    pub fn power_factors_not_given(&self) -> Vec<&'static str> {
        let given = self.power_factor.unwrap_or_default();
        let other = self.other_it_w(1.0).iter().sum::<f64>() > 0.0;
        [
            ("network, storage and management", other, given.other_it),
            ("input of the UPS", self.ups.is_some(), given.ups_input),
            ("cooling", self.cooling.is_some(), given.cooling),
        ]
        .into_iter()
        .filter(|(_, there, given)| *there && given.is_none())
        .map(|(what, ..)| what)
        .collect()
    }
}
