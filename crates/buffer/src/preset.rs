//! A store with its controller as it stands in a file, every number with its source.

use ballast_units::Sourced;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::spec::{BufferProblem, Control, Reference, StoreSpec};

/// A kind of storage: the store, the conversion to its terminals, and the controller that comes with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoragePreset {
    /// Maker's or standard's name.
    pub label: String,
    /// What a reader should know before using it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub notes: String,
    /// Usable energy between empty and full, joules.
    #[schemars(extend("x-unit" = "J", "x-min-value-exclusive" = 0.0))]
    pub energy_j: Sourced,
    /// Highest power it can take, watts at its terminals.
    #[schemars(extend("x-unit" = "W", "x-min-value-exclusive" = 0.0))]
    pub charge_w: Sourced,
    /// Highest power it can give, watts at its terminals.
    #[schemars(extend("x-unit" = "W", "x-min-value-exclusive" = 0.0))]
    pub discharge_w: Sourced,
    /// Share of what it takes that is stored.
    #[schemars(extend("x-min-value-exclusive" = 0.0, "x-max-value" = 1.0))]
    pub charge_efficiency: Sourced,
    /// Share of what leaves its inside that reaches the terminals.
    #[schemars(extend("x-min-value-exclusive" = 0.0, "x-max-value" = 1.0))]
    pub discharge_efficiency: Sourced,
    /// Power it loses by itself, watts.
    #[schemars(extend("x-unit" = "W", "x-min-value" = 0.0))]
    pub standing_w: Sourced,
    /// Charge at the start, share of the usable energy.
    #[schemars(extend("x-min-value" = 0.0, "x-max-value" = 1.0))]
    pub start_share: Sourced,
    /// Low end of the window in which it is used, share of the usable energy.
    #[schemars(extend("x-min-value" = 0.0, "x-max-value" = 1.0))]
    pub low_share: Sourced,
    /// High end of that window.
    #[schemars(extend("x-min-value" = 0.0, "x-max-value" = 1.0))]
    pub high_share: Sourced,
    /// Time constant over which the controller averages the load, seconds.
    #[schemars(extend("x-unit" = "s", "x-min-value-exclusive" = 0.0))]
    pub time_constant_s: Sourced,
    /// Time constant with which the charge comes back to the middle of the window, seconds.
    #[schemars(extend("x-unit" = "s", "x-min-value-exclusive" = 0.0))]
    pub recovery_s: Sourced,
    /// What is left towards either end of the window lasts at least so long, seconds: the power tapers off with it.
    #[schemars(extend("x-unit" = "s", "x-min-value" = 0.0))]
    pub taper_s: Sourced,
}

impl StoragePreset {
    /// Its numbers by the name of their field.
    pub fn numbers(&self) -> [(&'static str, &Sourced); 12] {
        [
            ("energy_j", &self.energy_j),
            ("charge_w", &self.charge_w),
            ("discharge_w", &self.discharge_w),
            ("charge_efficiency", &self.charge_efficiency),
            ("discharge_efficiency", &self.discharge_efficiency),
            ("standing_w", &self.standing_w),
            ("start_share", &self.start_share),
            ("low_share", &self.low_share),
            ("high_share", &self.high_share),
            ("time_constant_s", &self.time_constant_s),
            ("recovery_s", &self.recovery_s),
            ("taper_s", &self.taper_s),
        ]
    }

    /// The store in plain numbers.
    pub fn store(&self) -> StoreSpec {
        StoreSpec {
            energy_j: self.energy_j.value,
            charge_w: self.charge_w.value,
            discharge_w: self.discharge_w.value,
            charge_efficiency: self.charge_efficiency.value,
            discharge_efficiency: self.discharge_efficiency.value,
            standing_w: self.standing_w.value,
            start_share: self.start_share.value,
            low_share: self.low_share.value,
            high_share: self.high_share.value,
        }
    }

    /// The controller in plain numbers.
    pub fn control(&self) -> Control {
        Control {
            reference: Reference::Average {
                time_constant_s: self.time_constant_s.value,
            },
            recovery_s: self.recovery_s.value,
            target_share: None,
            taper_s: self.taper_s.value,
        }
    }

    /// Everything wrong with it; empty when it can be used.
    pub fn problems(&self) -> Vec<BufferProblem> {
        let mut found = self.store().problems();
        found.extend(self.control().problems());
        found
    }
}
