//! A store with its controller as it stands in a file, every number with its source.

use ballast_units::Sourced;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::spec::{BufferProblem, Control, Reference, StoreSpec};

/// Storage of one kind: the store, the conversion to its terminals, and the controller that comes with it.
///
/// Energy, powers and standing loss are those of one unit; `count` of them work as one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StorageSpec {
    /// Maker's or standard's name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// What a reader should know before using it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub notes: String,
    /// Units that work as one store. Default: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub count: Option<u32>,
    /// Usable energy of a unit between empty and full, inside it, joules.
    #[schemars(extend("x-unit" = "J", "x-min-value-exclusive" = 0.0))]
    pub energy_j: Sourced,
    /// Highest power that a unit can take, watts at its terminals.
    #[schemars(extend("x-unit" = "W", "x-min-value-exclusive" = 0.0))]
    pub charge_w: Sourced,
    /// Highest power that a unit can give, watts at its terminals.
    #[schemars(extend("x-unit" = "W", "x-min-value-exclusive" = 0.0))]
    pub discharge_w: Sourced,
    /// Share of what it takes that is stored.
    #[schemars(extend("x-min-value-exclusive" = 0.0, "x-max-value" = 1.0))]
    pub charge_efficiency: Sourced,
    /// Share of what leaves its inside that reaches the terminals.
    #[schemars(extend("x-min-value-exclusive" = 0.0, "x-max-value" = 1.0))]
    pub discharge_efficiency: Sourced,
    /// Power that a unit loses by itself, watts. Default: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "W", "x-min-value" = 0.0))]
    pub standing_w: Option<Sourced>,
    /// Low end of the window in which it is used, share of `energy_j`. Default: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-min-value" = 0.0, "x-max-value" = 1.0))]
    pub low_share: Option<Sourced>,
    /// High end of that window. Default: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-min-value" = 0.0, "x-max-value" = 1.0))]
    pub high_share: Option<Sourced>,
    /// Charge at the start, share of `energy_j`, within the window. Default: the middle of the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-min-value" = 0.0, "x-max-value" = 1.0))]
    pub start_share: Option<Sourced>,
    /// Time constant over which the controller averages the load, seconds: what is faster, the storage takes.
    #[schemars(extend("x-unit" = "s", "x-min-value-exclusive" = 0.0))]
    pub time_constant_s: Sourced,
    /// Time constant with which the charge comes back to the middle of the window, seconds; ten times `time_constant_s` or more keeps
    /// what this adds at low frequencies below 4 %.
    #[schemars(extend("x-unit" = "s", "x-min-value-exclusive" = 0.0))]
    pub recovery_s: Sourced,
    /// What is left towards either end of the window lasts at least so long, seconds: the power tapers off with it. Default: a tenth of the window at the
    /// higher of the two powers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "s", "x-min-value" = 0.0))]
    pub taper_s: Option<Sourced>,
}

/// Share of the window over which power tapers off by default.
const DEFAULT_TAPER_SHARE: f64 = 0.1;

impl StorageSpec {
    /// Its numbers by the name of their key, those given.
    pub fn numbers(&self) -> impl Iterator<Item = (&'static str, &Sourced)> {
        let given = [
            ("energy_j", Some(&self.energy_j)),
            ("charge_w", Some(&self.charge_w)),
            ("discharge_w", Some(&self.discharge_w)),
            ("charge_efficiency", Some(&self.charge_efficiency)),
            ("discharge_efficiency", Some(&self.discharge_efficiency)),
            ("standing_w", self.standing_w.as_ref()),
            ("low_share", self.low_share.as_ref()),
            ("high_share", self.high_share.as_ref()),
            ("start_share", self.start_share.as_ref()),
            ("time_constant_s", Some(&self.time_constant_s)),
            ("recovery_s", Some(&self.recovery_s)),
            ("taper_s", self.taper_s.as_ref()),
        ];
        given.into_iter().filter_map(|(key, n)| Some((key, n?)))
    }

    /// All units together as one store, in plain numbers.
    pub fn store(&self) -> StoreSpec {
        let units = f64::from(self.count.unwrap_or(1));
        let value = |n: &Option<Sourced>, default: f64| n.as_ref().map_or(default, |n| n.value);
        let (low, high) = (value(&self.low_share, 0.0), value(&self.high_share, 1.0));
        StoreSpec {
            energy_j: units * self.energy_j.value,
            charge_w: units * self.charge_w.value,
            discharge_w: units * self.discharge_w.value,
            charge_efficiency: self.charge_efficiency.value,
            discharge_efficiency: self.discharge_efficiency.value,
            standing_w: units * value(&self.standing_w, 0.0),
            start_share: value(&self.start_share, f64::midpoint(low, high)),
            low_share: low,
            high_share: high,
        }
    }

    /// The controller in plain numbers. It lets the grid's power be any.
    pub fn control(&self) -> Control {
        let store = self.store();
        let default_s =
            DEFAULT_TAPER_SHARE * store.window_j() / store.charge_w.max(store.discharge_w);
        Control {
            reference: Reference::Average {
                time_constant_s: self.time_constant_s.value,
            },
            recovery_s: self.recovery_s.value,
            target_share: None,
            taper_s: self.taper_s.as_ref().map_or(default_s, |t| t.value),
            least_grid_w: f64::NEG_INFINITY,
        }
    }

    /// Everything wrong with it; empty when it can be used.
    pub fn problems(&self) -> Vec<BufferProblem> {
        let mut found = Vec::new();
        if self.count == Some(0) {
            found.push(BufferProblem {
                key: "count",
                message: "is 0: there is no unit".to_owned(),
                help: "give a count from 1, or leave the table out".to_owned(),
            });
        }
        // Of one unit, so that messages show the numbers of the file.
        let unit = Self {
            count: None,
            ..self.clone()
        };
        let store = unit.store().problems();
        // A taper by default follows from what has just been told.
        let control = unit.control().problems().into_iter();
        let told = store.is_empty() || self.taper_s.is_some();
        found.extend(store);
        found.extend(control.filter(|p| told || p.key != "taper_s"));
        found
    }
}
