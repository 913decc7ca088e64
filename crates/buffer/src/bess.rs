//! The battery of a site (BESS) as a feed-forward smoother at the bus.
//!
//! It measures the load at the bus and asks its store for what the [`Controller`] wants. The inverter follows with a lag of first order,
//! `response_s` for measurement and current control together: what is faster goes through to the supply. The lag comes before the taper, so
//! that the store is never asked for more than it has by a command of a moment ago. Power is active power alone.
//!
//! Its power is continuous over time: between two steps it runs in a straight line, while the store's books hold it for the step that ends there.

use ballast_units::WeakDefault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::books::Books;
use crate::control::Controller;
use crate::spec::{BufferProblem, Control, Reference, StoreSpec};
use crate::store::Store;

/// AC to AC.
const ROUND_TRIP: f64 = 0.85;
const RESPONSE_S: f64 = 0.05;
/// Recovery over smoothing by default.
const RECOVERIES: f64 = 10.0;
/// Share of the window over which power tapers off by default.
const TAPER_SHARE: f64 = 0.1;

/// A battery at the bus that smooths what the supply sees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BessSpec {
    /// Name.
    pub name: String,
    /// Usable energy, kilowatt-hours.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e9, "x-unit" = "kWh"))]
    pub energy_kwh: f64,
    /// Highest power it takes and gives at the bus, kilowatts.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e9, "x-unit" = "kW"))]
    pub power_kw: f64,
    /// Time constant over which it averages the load, seconds: what is faster, it takes.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e6, "x-unit" = "s"))]
    pub time_constant_s: f64,
    /// Time constant with which the charge comes back to the middle of its window, seconds. Default: ten times `time_constant_s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e9, "x-unit" = "s"))]
    pub recovery_s: Option<f64>,
    /// Lag of measurement and inverter, seconds. Default: 0.05.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 0.0, "maximum" = 60.0, "x-unit" = "s"))]
    pub response_s: Option<f64>,
    /// Energy given back of what was taken, terminals to terminals. Default: 0.85.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1.0))]
    pub round_trip_efficiency: Option<f64>,
    /// Power it loses by itself, kilowatts. Its cooling and controls draw from the bus and belong to the site's other loads. Default: 0.
    #[serde(default)]
    #[schemars(extend("minimum" = 0.0, "maximum" = 1e9, "x-unit" = "kW"))]
    pub standing_kw: f64,
    /// Low end of the window in which it is used, share of `energy_kwh`. Default: 0.
    #[serde(default)]
    #[schemars(extend("minimum" = 0.0, "maximum" = 1.0))]
    pub low_share: f64,
    /// High end of the window. Default: 1.
    #[serde(default = "one")]
    #[schemars(extend("minimum" = 0.0, "maximum" = 1.0))]
    pub high_share: f64,
    /// Charge at the start, within the window. Default: its middle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 0.0, "maximum" = 1.0))]
    pub start_share: Option<f64>,
    /// What is left towards either end of the window lasts at least so long, seconds: the power tapers off with it. Default: a tenth of the window at
    /// `power_kw`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 0.0, "maximum" = 1e6, "x-unit" = "s"))]
    pub taper_s: Option<f64>,
    /// It gives no more than brings the power of the bus down to this, kilowatts: sets must not be driven by it. Default: 0.
    #[serde(default)]
    #[schemars(extend("minimum" = 0.0, "maximum" = 1e9, "x-unit" = "kW"))]
    pub least_bus_kw: f64,
}

fn one() -> f64 {
    1.0
}

impl BessSpec {
    /// The store in plain numbers; both ways lose the same.
    pub fn store(&self) -> StoreSpec {
        let one_way = libm::sqrt(self.round_trip_efficiency.unwrap_or(ROUND_TRIP));
        let middle = f64::midpoint(self.low_share, self.high_share);
        StoreSpec {
            energy_j: self.energy_kwh * 3.6e6,
            charge_w: self.power_kw * 1e3,
            discharge_w: self.power_kw * 1e3,
            charge_efficiency: one_way,
            discharge_efficiency: one_way,
            standing_w: self.standing_kw * 1e3,
            start_share: self.start_share.unwrap_or(middle),
            low_share: self.low_share,
            high_share: self.high_share,
        }
    }

    /// The controller in plain numbers.
    pub fn control(&self) -> Control {
        let store = self.store();
        Control {
            reference: Reference::Average {
                time_constant_s: self.time_constant_s,
            },
            recovery_s: self.recovery_s.unwrap_or(RECOVERIES * self.time_constant_s),
            target_share: None,
            taper_s: self
                .taper_s
                .unwrap_or(TAPER_SHARE * store.window_j() / store.discharge_w),
            least_grid_w: self.least_bus_kw * 1e3,
        }
    }

    /// Everything wrong with it, by the key it stands under; empty when it can be used.
    pub fn problems(&self) -> Vec<BufferProblem> {
        // What the schema's ranges have told already is not told again under the names of the plain numbers.
        let keys = ["start_share", "low_share", "high_share", "recovery_s"];
        let found = self.store().problems().into_iter();
        let found = found.chain(self.control().problems());
        found.filter(|p| keys.contains(&p.key)).collect()
    }

    /// Defaults in use that are estimates.
    pub fn weak_defaults(&self) -> Vec<WeakDefault> {
        let response = self.response_s.is_none().then_some(WeakDefault {
            key: "response_s",
            value: RESPONSE_S,
            unit: "s",
            source: "estimate: measurement 50 to 100 ms and current control 10 to 30 ms for inverters that follow the grid; fast feed-forward control is quicker",
        });
        let losses = self.round_trip_efficiency.is_none().then_some(WeakDefault {
            key: "round_trip_efficiency",
            value: ROUND_TRIP,
            unit: "",
            source: "recalled: NREL Annual Technology Baseline, utility-scale battery storage, 85 % AC to AC; at part power the losses differ",
        });
        response.into_iter().chain(losses).collect()
    }
}

/// A site's battery in operation.
#[derive(Debug, Clone)]
pub struct Bess {
    controller: Controller,
    store: Store,
    rating_w: f64,
    response_s: f64,
    /// Where the inverter's command has come to, W.
    command_w: f64,
    power_w: f64,
    /// Share of the way that the command goes in a step of `dt_s`.
    follow: f64,
    dt_s: f64,
}

impl Bess {
    /// At the start, at rest. The spec has no problems.
    pub fn new(spec: &BessSpec) -> Self {
        let store = spec.store();
        Self {
            controller: Controller::new(spec.control(), store),
            rating_w: store.discharge_w,
            store: Store::new(store),
            response_s: spec.response_s.unwrap_or(RESPONSE_S),
            command_w: 0.0,
            power_w: 0.0,
            follow: 1.0,
            dt_s: 0.0,
        }
    }

    /// Goes on by `dt_s` seconds (above 0), at whose end the load is `load_w`. Returns its power then, W; positive charges, so the supply sees
    /// `load_w` plus it.
    pub fn step(&mut self, load_w: f64, dt_s: f64) -> f64 {
        if dt_s != self.dt_s {
            self.dt_s = dt_s;
            self.follow = if self.response_s > 0.0 {
                -libm::expm1(-dt_s / self.response_s)
            } else {
                1.0
            };
        }
        let wanted_w = self.controller.want(load_w, self.store.stored_j(), dt_s);
        let within_w = wanted_w.clamp(-self.rating_w, self.rating_w);
        self.command_w += self.follow * (within_w - self.command_w);
        // A command of a moment ago may be more than the load is by now.
        let allowed_w = self.controller.allowed_w(self.command_w, load_w);
        let asked_w = self.controller.taper(allowed_w, &mut self.store);
        self.power_w = self.store.exchange(asked_w, dt_s);
        if within_w == wanted_w {
            self.store.fall_short(allowed_w, asked_w, dt_s);
        } else {
            self.store.fall_short(wanted_w, within_w, dt_s);
        }
        self.power_w
    }

    /// Its power now, W; positive charges.
    pub fn power_w(&self) -> f64 {
        self.power_w
    }

    /// Charge, share of the usable energy.
    pub fn share(&self) -> f64 {
        self.store.share()
    }

    /// The books of its store.
    pub fn books(&self) -> Books {
        self.store.books()
    }
}

#[cfg(test)]
#[path = "bess_tests.rs"]
mod tests;
