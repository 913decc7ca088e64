//! What a store and its controller are, in plain numbers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A store: how much, how fast, at which losses.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoreSpec {
    /// Usable energy between empty and full, inside the store, joules.
    #[schemars(extend("x-unit" = "J", "x-min-value-exclusive" = 0.0))]
    pub energy_j: f64,
    /// Highest power it can take, at its terminals, watts.
    #[schemars(extend("x-unit" = "W", "x-min-value-exclusive" = 0.0))]
    pub charge_w: f64,
    /// Highest power it can give, at its terminals, watts.
    #[schemars(extend("x-unit" = "W", "x-min-value-exclusive" = 0.0))]
    pub discharge_w: f64,
    /// Share of what it takes that is stored; above 0, at most 1.
    #[schemars(extend("x-min-value-exclusive" = 0.0, "x-max-value" = 1.0))]
    pub charge_efficiency: f64,
    /// Share of what leaves its inside that reaches the terminals; above 0, at most 1.
    #[schemars(extend("x-min-value-exclusive" = 0.0, "x-max-value" = 1.0))]
    pub discharge_efficiency: f64,
    /// Power it loses by itself while anything is left above the low end of its window, watts.
    #[schemars(extend("x-unit" = "W", "x-min-value" = 0.0))]
    pub standing_w: f64,
    /// Charge at the start, share of `energy_j`; within the window.
    #[schemars(extend("x-min-value" = 0.0, "x-max-value" = 1.0))]
    pub start_share: f64,
    /// Low end of the window in which it is used, share of `energy_j`.
    #[schemars(extend("x-min-value" = 0.0, "x-max-value" = 1.0))]
    pub low_share: f64,
    /// High end of that window.
    #[schemars(extend("x-min-value" = 0.0, "x-max-value" = 1.0))]
    pub high_share: f64,
}

/// What a controller smooths towards.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Reference {
    /// The mean of the load, of first order. It begins at the first load it meets.
    Average {
        /// Time constant, seconds; above 0.
        time_constant_s: f64,
    },
    /// A constant: the ideal, a load's mean known beforehand.
    Constant {
        /// Power, watts.
        power_w: f64,
    },
}

/// How a store is used to smooth a load.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Control {
    /// What it smooths towards.
    pub reference: Reference,
    /// Time constant with which the charge comes back to its target, seconds; above 0, infinite for never.
    pub recovery_s: f64,
    /// Target of the charge, share of the store's energy; `None`: the middle of its window.
    pub target_share: Option<f64>,
    /// What is left towards either end of the window lasts at least so long, seconds; 0 or above. The power tapers off with it.
    pub taper_s: f64,
    /// The store gives no more than brings the grid's power down to this, watts: 0 where nothing may be fed back, minus infinity for no limit.
    pub least_grid_w: f64,
}

/// Something wrong with a store or its controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BufferProblem {
    /// Field it is about: `energy_j`.
    pub key: &'static str,
    /// What is wrong, with the value.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

fn wrong(key: &'static str, message: String, help: &str) -> BufferProblem {
    BufferProblem {
        key,
        message,
        help: help.to_owned(),
    }
}

impl StoreSpec {
    /// Low end of the window, J.
    pub fn low_j(&self) -> f64 {
        self.low_share * self.energy_j
    }

    /// High end of the window, J.
    pub fn high_j(&self) -> f64 {
        self.high_share * self.energy_j
    }

    /// Energy between the ends of the window, J.
    pub fn window_j(&self) -> f64 {
        self.high_j() - self.low_j()
    }

    /// Everything wrong with it; empty when it can be used.
    pub fn problems(&self) -> Vec<BufferProblem> {
        let mut found = Vec::new();
        for (key, value, unit, help) in [
            (
                "energy_j",
                self.energy_j,
                " J",
                "give an energy above 0; without a store, leave the table out",
            ),
            ("charge_w", self.charge_w, " W", "give a power above 0"),
            (
                "discharge_w",
                self.discharge_w,
                " W",
                "give a power above 0",
            ),
        ] {
            if !(value > 0.0 && value.is_finite()) {
                found.push(wrong(key, format!("is {value}{unit}"), help));
            }
        }
        for (key, value) in [
            ("charge_efficiency", self.charge_efficiency),
            ("discharge_efficiency", self.discharge_efficiency),
        ] {
            if value > 1.0 {
                let message = format!("is {value}: more would come out than goes in");
                found.push(wrong(key, message, "give a share above 0 and at most 1"));
            } else if value <= 0.0 || value.is_nan() {
                let help = "give a share above 0 and at most 1";
                found.push(wrong(key, format!("is {value}"), help));
            }
        }
        if !(self.standing_w >= 0.0 && self.standing_w.is_finite()) {
            let message = format!("is {} W", self.standing_w);
            found.push(wrong("standing_w", message, "give 0 or a power above"));
        }
        let shares = [
            ("low_share", self.low_share),
            ("high_share", self.high_share),
            ("start_share", self.start_share),
        ];
        let mut within = true;
        for (key, value) in shares {
            if !(0.0..=1.0).contains(&value) {
                within = false;
                let help = "give a share from 0 (empty) to 1 (full)";
                found.push(wrong(key, format!("is {value}"), help));
            }
        }
        if within && self.low_share >= self.high_share {
            found.push(wrong(
                "low_share",
                format!(
                    "is {}, not below high_share = {}: nothing can be stored",
                    self.low_share, self.high_share
                ),
                "give a window from a lower to a higher share",
            ));
        } else if within && !(self.low_share..=self.high_share).contains(&self.start_share) {
            found.push(wrong(
                "start_share",
                format!(
                    "is {}, outside the window from {} to {}",
                    self.start_share, self.low_share, self.high_share
                ),
                "start within the window, or widen it",
            ));
        }
        found
    }
}

impl Control {
    /// Everything wrong with it; empty when it can be used.
    pub fn problems(&self) -> Vec<BufferProblem> {
        let mut found = Vec::new();
        match self.reference {
            Reference::Average { time_constant_s }
                if !(time_constant_s > 0.0 && time_constant_s.is_finite()) =>
            {
                found.push(wrong(
                    "time_constant_s",
                    format!("is {time_constant_s} s"),
                    "give a time above 0: over how long the load is averaged",
                ));
            }
            Reference::Constant { power_w } if !power_w.is_finite() => {
                found.push(wrong(
                    "reference",
                    format!("is {power_w} W"),
                    "give a power",
                ));
            }
            Reference::Average { .. } | Reference::Constant { .. } => {}
        }
        if self.recovery_s <= 0.0 || self.recovery_s.is_nan() {
            found.push(wrong(
                "recovery_s",
                format!("is {} s", self.recovery_s),
                "give a time above 0: how slowly the charge comes back to its target",
            ));
        }
        if !(self.taper_s >= 0.0 && self.taper_s.is_finite()) {
            found.push(wrong(
                "taper_s",
                format!("is {} s", self.taper_s),
                "give 0 or a time above",
            ));
        }
        if self.least_grid_w.is_nan() {
            found.push(wrong(
                "least_grid_w",
                "is not a number".to_owned(),
                "give a power, or minus infinity for no limit",
            ));
        }
        if let Some(share) = self.target_share
            && !(0.0..=1.0).contains(&share)
        {
            found.push(wrong(
                "target_share",
                format!("is {share}"),
                "give a share within the store's window",
            ));
        }
        found
    }

    /// What a sine of small amplitude in the load leaves at the grid, as a ratio of amplitudes: the formula of the crate's page. `frequency_hz` above 0.
    ///
    /// Without losses, limits or ends of the window, at a step much below a period.
    pub fn gain(&self, frequency_hz: f64) -> f64 {
        let w = std::f64::consts::TAU * frequency_hz;
        // One high-pass of the reference, one of the charge: the store takes their product.
        let high_pass = |tau_s: f64| {
            let x = w * tau_s;
            if x.is_finite() {
                let d = 1.0 + x * x;
                (x * x / d, x / d)
            } else {
                (1.0, 0.0)
            }
        };
        let (a, b) = match self.reference {
            Reference::Average { time_constant_s } => high_pass(time_constant_s),
            Reference::Constant { .. } => (1.0, 0.0),
        };
        let (c, d) = high_pass(self.recovery_s);
        let (re, im) = (1.0 - (a * c - b * d), -(a * d + b * c));
        libm::hypot(re, im)
    }
}
