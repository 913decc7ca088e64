//! What stands in a scenario file about events of the site: what fails, is switched off or is fed from elsewhere, and when it is back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use ballast_units::WeakDefault;

/// Time from power to work of a rack that was without it, seconds.
pub const DEFAULT_BOOT_S: f64 = 300.0;
/// Time after which a collective operation that waits for a GPU ends its job, seconds.
pub const DEFAULT_TIMEOUT_S: f64 = 600.0;
/// Time that a rack takes from the order to shut down until it draws nothing, seconds.
pub const DEFAULT_SHUTDOWN_S: f64 = 60.0;
/// Time that a drained rack has to end its work, seconds.
pub const DEFAULT_DRAIN_S: f64 = 300.0;
/// Extra power with which cooling makes up for a trip at most, as a share of what the heat asks for.
pub const DEFAULT_REBOUND_SHARE: f64 = 0.25;
/// Time in which a UPS takes its load back from the battery, seconds.
pub const DEFAULT_WALK_IN_S: f64 = 10.0;
/// Power that recharges a battery, as a share of the racks' rated power.
pub const DEFAULT_RECHARGE_SHARE: f64 = 0.1;
/// Energy that a battery gives over energy that recharges it.
pub const DEFAULT_RECHARGE_EFFICIENCY: f64 = 0.85;

/// An event of the site.
///
/// Every stretch of it (without power, on battery, walk-in, trip, draining, shutdown, boot) lasts no time at all or two steps of the run
/// (`simulation.step_s`, also where a `[zoom]` has a finer one): the load would not show a shorter one, and the run is refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SiteEventSpec {
    /// Racks lose their power: a breaker, a busway, a shelf of supplies.
    RackLoss(RackLoss),
    /// Racks lose their network and keep their power: a leaf, a spine, a switch within the rack.
    SwitchLoss(SwitchLoss),
    /// A part of the cooling stops; afterwards it makes up for the heat.
    CoolingTrip(CoolingTrip),
    /// Racks are drained, switched off and switched on again as planned.
    Maintenance(Maintenance),
    /// Racks are fed from elsewhere or from the battery of their UPS: the bus loses them, their jobs do not notice.
    Transfer(Transfer),
}

/// Racks lose their power at once. Jobs on them crash; those of batch and service start again by themselves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RackLoss {
    /// When, seconds.
    #[schemars(range(min = 0.0, max = 1e9), extend("x-unit" = "s"))]
    pub at_s: f64,
    /// Racks, each named (`hall-a-003`) or all of a group (`hall-a`).
    pub racks: Vec<String>,
    /// Time until their power is back, seconds. Default: they stay without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e9, "x-unit" = "s"))]
    pub restore_after_s: Option<f64>,
    /// Time from power to work, seconds; GPUs are idle meanwhile (those of a service in `idle_context`). Default: 300, low confidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1e9), extend("x-unit" = "s"))]
    pub boot_s: Option<f64>,
}

/// Racks lose their network. Training stalls, its GPUs waiting in a collective operation, until it crashes; other jobs have nothing to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SwitchLoss {
    /// When, seconds.
    #[schemars(range(min = 0.0, max = 1e9), extend("x-unit" = "s"))]
    pub at_s: f64,
    /// Racks, each named (`hall-a-003`) or all of a group (`hall-a`).
    pub racks: Vec<String>,
    /// Time until the network is back, seconds. Default: it stays away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e9, "x-unit" = "s"))]
    pub restore_after_s: Option<f64>,
    /// Time that training waits before it crashes, seconds; if the network is back by then it goes on. Default: 600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1e9), extend("x-unit" = "s"))]
    pub timeout_s: Option<f64>,
}

/// A part of the cooling stops at once. What it does not remove stays as heat, and is removed when it is back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CoolingTrip {
    /// When, seconds.
    #[schemars(range(min = 0.0, max = 1e9), extend("x-unit" = "s"))]
    pub at_s: f64,
    /// Share of the cooling that stops. Of compressors in stages, this share of those that run, and of all.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1.0))]
    pub share: f64,
    /// Time until it can run again, seconds. Default: it stays away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e9, "x-unit" = "s"))]
    pub restore_after_s: Option<f64>,
    /// Time constant with which the heat is made up for afterwards, seconds. Default: the cooling's `lag_s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e9, "x-unit" = "s"))]
    pub rebound_s: Option<f64>,
    /// Extra power for it at most, as a share of what the heat of the moment asks for. Default: 0.25, low confidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 10.0))]
    pub rebound_share: Option<f64>,
    /// Time that racks ride through, seconds; if the cooling is not back by then they shut down. Default: they never do. Training on racks that
    /// shut down ends, and starts again only if it has a `restart_after_s`; after maintenance it does so without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1e9), extend("x-unit" = "s"))]
    pub shutdown_after_s: Option<f64>,
    /// Racks that shut down, each named or all of a group. Default: all racks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub racks: Vec<String>,
    /// Time that a rack idles on its way down before it draws nothing, seconds. Default: 60, low confidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1e9), extend("x-unit" = "s"))]
    pub shutdown_s: Option<f64>,
    /// Time from power to work once the cooling is back, seconds; GPUs are idle meanwhile (those of a service in `idle_context`). Default: 300, low confidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1e9), extend("x-unit" = "s"))]
    pub boot_s: Option<f64>,
}

/// Racks are planned out: drained one after another, each then off, and back after `duration_s`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Maintenance {
    /// When the first rack is drained, seconds.
    #[schemars(range(min = 0.0, max = 1e9), extend("x-unit" = "s"))]
    pub at_s: f64,
    /// Racks, each named (`hall-a-003`) or all of a group (`hall-a`), in the order in which they go.
    pub racks: Vec<String>,
    /// Time from the draining of a rack until its power is back, seconds.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e9, "x-unit" = "s"))]
    pub duration_s: f64,
    /// Racks go, and come back, one after another, evenly over this time, seconds.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1e9), extend("x-unit" = "s"))]
    pub stagger_s: f64,
    /// Time from the draining of a rack until it is switched off, seconds; a service ends the answers it has begun. Default: 300, low confidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1e9), extend("x-unit" = "s"))]
    pub drain_s: Option<f64>,
    /// Time from power to work, seconds; GPUs are idle meanwhile (those of a service in `idle_context`). Default: 300, low confidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1e9), extend("x-unit" = "s"))]
    pub boot_s: Option<f64>,
}

/// Where a transfer takes racks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransferDirection {
    /// Away from this bus, for the rest of the run.
    Away,
    /// To this bus, from another source that fed them before.
    Here,
    /// Off this bus and back to it.
    ThereAndBack,
}

/// Racks leave the bus, or come to it, without a break for their jobs: the battery of their UPS carries them over the gap.
///
/// With `[facility]` other IT and the losses of the UPS go with them, in proportion to power; the cooling stays on the bus.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    /// When the racks leave the source that feeds them, seconds.
    #[schemars(range(min = 0.0, max = 1e9), extend("x-unit" = "s"))]
    pub at_s: f64,
    /// Racks, each named (`hall-a-003`) or all of a group (`hall-a`).
    pub racks: Vec<String>,
    /// Where to.
    pub direction: TransferDirection,
    /// Time on battery before the racks come to this bus, seconds. Needed unless they go away for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1e9), extend("x-unit" = "s"))]
    pub battery_s: Option<f64>,
    /// Time in which the UPS takes its load from battery to bus, in a straight line, seconds. Default: 10, low confidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1e9), extend("x-unit" = "s"))]
    pub walk_in_s: Option<f64>,
    /// Power that recharges the battery once the load is back, as a share of the racks' AC power with every GPU at its limit; 0: not at all.
    /// Default: 0.1, low confidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 10.0))]
    pub recharge_share: Option<f64>,
    /// Energy that the battery gave over the energy that recharges it. Default: 0.85, low confidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1.0))]
    pub recharge_efficiency: Option<f64>,
}

const BOOT: &str = "estimate: self-test, operating system and services of a node with 8 GPUs take several minutes; no published figure was found";
const SHUTDOWN: &str = "estimate: an orderly shutdown of the operating system takes about a minute";
const DRAIN: &str =
    "estimate: the longest answers of a service take minutes; planners choose this time";
const REBOUND: &str = "estimate: cooling is built for the hottest day and has some of it to spare on others; no published figure was found";
const WALK_IN: &str = "Mitsubishi Electric 9800A UPS specification: input walk-in selectable from 5 to 30 s in steps of 5 s; which one is set is the site's";
const RECHARGE: &str = "Mitsubishi Electric 9800A UPS specification: charging current limited to 10 % of the battery's ampere-hours; taken as 10 % of rated power, \
    which holds for a battery of about an hour only";
const EFFICIENCY: &str = "estimate: charging and discharging a lead-acid battery through its converters loses 10 to 25 %; lithium less";

impl SiteEventSpec {
    /// When it begins, seconds.
    pub fn at_s(&self) -> f64 {
        match self {
            Self::RackLoss(e) => e.at_s,
            Self::SwitchLoss(e) => e.at_s,
            Self::CoolingTrip(e) => e.at_s,
            Self::Maintenance(e) => e.at_s,
            Self::Transfer(e) => e.at_s,
        }
    }

    /// Racks and groups it names.
    pub fn racks(&self) -> &[String] {
        match self {
            Self::RackLoss(e) => &e.racks,
            Self::SwitchLoss(e) => &e.racks,
            Self::CoolingTrip(e) => &e.racks,
            Self::Maintenance(e) => &e.racks,
            Self::Transfer(e) => &e.racks,
        }
    }

    /// The defaults of low confidence that it leaves in force.
    pub fn weak_defaults(&self) -> Vec<WeakDefault> {
        let default = |absent: bool, key, value, unit, source| {
            absent.then_some(WeakDefault {
                key,
                value,
                unit,
                source,
            })
        };
        let boot = |absent: bool| default(absent, "boot_s", DEFAULT_BOOT_S, "s", BOOT);
        let found = match self {
            Self::RackLoss(e) => vec![boot(e.boot_s.is_none() && e.restore_after_s.is_some())],
            Self::SwitchLoss(_) => Vec::new(),
            Self::CoolingTrip(e) => {
                let goes = e.shutdown_at_s().is_some();
                let returns = e.restore_after_s.is_some();
                vec![
                    default(
                        e.rebound_share.is_none() && returns,
                        "rebound_share",
                        DEFAULT_REBOUND_SHARE,
                        "",
                        REBOUND,
                    ),
                    default(
                        e.shutdown_s.is_none() && goes,
                        "shutdown_s",
                        DEFAULT_SHUTDOWN_S,
                        "s",
                        SHUTDOWN,
                    ),
                    boot(e.boot_s.is_none() && goes && returns),
                ]
            }
            Self::Maintenance(e) => vec![
                default(e.drain_s.is_none(), "drain_s", DEFAULT_DRAIN_S, "s", DRAIN),
                boot(e.boot_s.is_none()),
            ],
            Self::Transfer(e) if e.direction == TransferDirection::Away => Vec::new(),
            Self::Transfer(e) => vec![
                default(
                    e.walk_in_s.is_none(),
                    "walk_in_s",
                    DEFAULT_WALK_IN_S,
                    "s",
                    WALK_IN,
                ),
                default(
                    e.recharge_share.is_none(),
                    "recharge_share",
                    DEFAULT_RECHARGE_SHARE,
                    "",
                    RECHARGE,
                ),
                default(
                    e.recharge_efficiency.is_none(),
                    "recharge_efficiency",
                    DEFAULT_RECHARGE_EFFICIENCY,
                    "",
                    EFFICIENCY,
                ),
            ],
        };
        found.into_iter().flatten().collect()
    }
}

impl CoolingTrip {
    /// When racks shut down, seconds; `None` if they do not, or the cooling is back before.
    pub fn shutdown_at_s(&self) -> Option<f64> {
        let after_s = self.shutdown_after_s?;
        let in_time = self.restore_after_s.is_some_and(|r| r <= after_s);
        (!in_time).then_some(self.at_s + after_s)
    }
}
