//! What stands in a scenario file about how sets run together: a load-sharing line, planned trips, a utility.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::spec::PlantSpec;

/// How isochronous sets divide the load between them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "model", rename_all = "snake_case")]
pub enum SharingSpec {
    /// A load-sharing line between the isochronous governors.
    Isochronous(SharingLineSpec),
}

/// Load-sharing line: every isochronous governor's speed reference is trimmed by `xᵢ`,
/// `lag_s · xᵢ' = gᵢ (ΣP/ΣP_rated − Pᵢ/P_rated,i) − xᵢ`, sums over the isochronous sets on the bus.
///
/// At rest all of them carry the same part of their `rated_kw` at nominal speed. Droop sets on the same bus are not on the line.
/// A set that trips leaves the sums at once. The form is that of load-sharing controllers; gain and lag are estimated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SharingLineSpec {
    /// Gain g: per unit of speed reference per part of `rated_kw` (estimated; as strong as a droop of that size).
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1.0, "x-unit" = "pu"))]
    pub gain_pu: f64,
    /// Gain of single sets, by name, where it is not `gain_pu`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub gains_pu: BTreeMap<String, f64>,
    /// Lag of the line, seconds. 0.1 to 0.5 s (estimated).
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 100.0, "x-unit" = "s"))]
    pub lag_s: f64,
}

impl Default for SharingLineSpec {
    fn default() -> Self {
        Self {
            gain_pu: 0.03,
            gains_pu: BTreeMap::new(),
            lag_s: 0.2,
        }
    }
}

impl SharingLineSpec {
    /// Gain of the set of this name.
    pub(crate) fn gain(&self, name: &str) -> f64 {
        self.gains_pu.get(name).copied().unwrap_or(self.gain_pu)
    }
}

/// Breakers of sets that open at a known time; what they carried falls on the rest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TripSpec {
    /// When, seconds, as every time of a scenario.
    #[schemars(range(min = 0.0, max = 1e9), extend("x-unit" = "s"))]
    pub at_s: f64,
    /// Name of the entry in `sets`.
    pub set: String,
    /// How many of its sets.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1000))]
    pub count: u32,
}

fn one() -> u32 {
    1
}

/// The grid the site is connected to: a voltage behind an impedance, at a frequency of its own.
///
/// Neither voltage nor frequency answers to the site; what they do stands in the two lists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UtilitySpec {
    /// Rating of the connection, kilovolt-amperes: the most load that may stand on it, and the base of per-unit values if there are no sets.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e9, "x-unit" = "kVA"))]
    pub rated_kva: f64,
    /// Short-circuit power at the bus, megavolt-amperes. Either this or `short_circuit_ratio`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e9, "x-unit" = "MVA"))]
    pub short_circuit_mva: Option<f64>,
    /// Short-circuit power over `rated_kva`. Weak connections: 3 to 5; strong: above 20.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e6))]
    pub short_circuit_ratio: Option<f64>,
    /// Reactance over resistance of the grid's impedance. Medium voltage: 5 to 15 (estimated).
    #[serde(default = "ten")]
    #[schemars(range(min = 0.0, max = 1000.0))]
    pub x_over_r: f64,
    /// Voltage of the source behind the impedance, per unit.
    #[serde(default = "nominal")]
    #[schemars(range(min = 0.5, max = 1.5), extend("x-unit" = "pu"))]
    pub voltage_pu: f64,
    /// What its frequency does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frequency_events: Vec<FrequencyEventSpec>,
    /// What its voltage does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub voltage_events: Vec<VoltageEventSpec>,
}

fn ten() -> f64 {
    10.0
}

fn nominal() -> f64 {
    1.0
}

/// A lasting change of the grid's frequency, as a step or a ramp. Several add up.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FrequencyEventSpec {
    /// When it begins, seconds, as every time of a scenario.
    #[schemars(range(min = 0.0, max = 1e9), extend("x-unit" = "s"))]
    pub at_s: f64,
    /// Change, hertz.
    #[schemars(range(min = -50.0, max = 50.0), extend("x-unit" = "Hz"))]
    pub change_hz: f64,
    /// Time the change takes, seconds. Zero: a step.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1e6), extend("x-unit" = "s"))]
    pub over_s: f64,
}

/// Another voltage of the grid's source, for a time or for good. Of several that overlap, the one that began last counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VoltageEventSpec {
    /// When it begins, seconds, as every time of a scenario.
    #[schemars(range(min = 0.0, max = 1e9), extend("x-unit" = "s"))]
    pub at_s: f64,
    /// Voltage of the source meanwhile, per unit.
    #[schemars(range(min = 0.0, max = 1.5), extend("x-unit" = "pu"))]
    pub voltage_pu: f64,
    /// How long, seconds. Default: for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e9, "x-unit" = "s"))]
    pub duration_s: Option<f64>,
}

impl PlantSpec {
    /// The plant of a run that starts at `start_s`: its planned times count from there. Sets that tripped before are not there; where
    /// that leaves none of an entry, and what the grid's frequency did before, comes at the start itself. Dips that are over are left out.
    #[must_use]
    pub fn starting_at(&self, start_s: f64) -> Self {
        let mut plant = self.clone();
        let mut trips = Vec::new();
        for mut trip in plant.trips.drain(..) {
            let set = plant.sets.iter_mut().find(|s| s.name == trip.set);
            if let Some(set) = set.filter(|s| trip.at_s < start_s && s.count > trip.count) {
                set.count -= trip.count;
            } else {
                trip.at_s = (trip.at_s - start_s).max(0.0);
                trips.push(trip);
            }
        }
        plant.trips = trips;
        if let Some(grid) = &mut plant.utility {
            for event in &mut grid.frequency_events {
                let after_s = event.at_s + event.over_s - start_s;
                event.at_s -= start_s;
                if event.at_s < 0.0 {
                    (event.at_s, event.over_s) = (0.0, after_s.max(0.0));
                }
            }
            grid.voltage_events.retain_mut(|event| {
                event.at_s -= start_s;
                if event.at_s < 0.0 {
                    event.duration_s = event.duration_s.map(|d| d + event.at_s);
                    event.at_s = 0.0;
                }
                event.duration_s.is_none_or(|d| d > 0.0)
            });
        }
        plant
    }
}

impl UtilitySpec {
    /// Short-circuit power, kilovolt-amperes; not a number where neither figure is given, which validation refuses.
    pub fn short_circuit_kva(&self) -> f64 {
        match (self.short_circuit_mva, self.short_circuit_ratio) {
            (Some(mva), _) => mva * 1e3,
            (None, Some(ratio)) => ratio * self.rated_kva,
            (None, None) => f64::NAN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_starts_later_has_what_is_left_of_the_plan() {
        let text = r#"
            trips = [{ at_s = 10, set = "a" }, { at_s = 20, set = "b" }, { at_s = 50, set = "a" }]
            [[sets]]
            name = "a"
            count = 3
            rated_kw = 800
            rated_kva = 1000
            inertia_s = 1
            governor = { model = "constant" }
            [[sets]]
            name = "b"
            rated_kw = 800
            rated_kva = 1000
            inertia_s = 1
            governor = { model = "constant" }
            [utility]
            rated_kva = 1000
            short_circuit_ratio = 10
            frequency_events = [{ at_s = 25, change_hz = -0.2, over_s = 10 }, { at_s = 40, change_hz = 0.1 }]
            voltage_events = [{ at_s = 5, voltage_pu = 0.9, duration_s = 1 }, { at_s = 29, voltage_pu = 0.8, duration_s = 3 }]
        "#;
        let plant: PlantSpec = toml::from_str(text).unwrap();
        assert_eq!(plant.starting_at(0.0), plant);
        let later = plant.starting_at(30.0);
        assert_eq!(later.sets[0].count, 2);
        let trips: Vec<_> = later
            .trips
            .iter()
            .map(|t| (t.at_s, t.set.as_str()))
            .collect();
        assert_eq!(trips, [(0.0, "b"), (20.0, "a")]);
        let grid = later.utility.unwrap();
        let ramps: Vec<_> = grid
            .frequency_events
            .iter()
            .map(|e| (e.at_s, e.over_s))
            .collect();
        assert_eq!(ramps, [(0.0, 5.0), (10.0, 0.0)]);
        let dips: Vec<_> = grid
            .voltage_events
            .iter()
            .map(|e| (e.at_s, e.duration_s))
            .collect();
        assert_eq!(dips, [(0.0, Some(2.0))]);
    }
}
