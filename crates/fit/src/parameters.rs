//! Which values of a set can be found, where they start and how far they may go.

use ballast_plant::{GovernorSpec, SetSpec};
use serde_json::Value;

use crate::spec::FitSpec;

/// Bounds of values whose plausible range is known, by key (estimates; wide on purpose).
const RANGES: [(&str, f64, f64); 14] = [
    ("inertia_s", 0.15, 6.0),
    ("governor.k", 1.0, 400.0),
    ("governor.kp_pu", 0.2, 100.0),
    ("governor.ki_per_s", 0.02, 100.0),
    ("governor.kpgov", 0.2, 100.0),
    ("governor.kigov_per_s", 0.02, 100.0),
    ("governor.dead_time_s", 0.004, 0.3),
    ("governor.droop_pu", 0.005, 0.2),
    ("governor.t1_s", 0.004, 5.0),
    ("governor.t_s", 0.01, 2.0),
    ("governor.tact_s", 0.01, 2.0),
    ("governor.tb_s", 0.01, 5.0),
    ("turbo.acceptance_pu", 0.02, 1.2),
    ("turbo.time_constant_s", 0.2, 20.0),
];

/// Bounds of other values: so many times the start, up and down.
const RANGE: f64 = 5.0;

/// A value to find.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parameter {
    /// Key of the set, as `governor.k`.
    pub(crate) key: String,
    pub(crate) start: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// Keys that are free where the file names none.
pub(crate) fn usual(set: &SetSpec, known: &FitSpec) -> Vec<&'static str> {
    let mut keys = vec!["inertia_s"];
    keys.extend(match &set.governor {
        GovernorSpec::Degov1(_) | GovernorSpec::Degov(_) => {
            vec!["governor.k", "governor.dead_time_s"]
        }
        GovernorSpec::Pi(_) => vec![
            "governor.kp_pu",
            "governor.ki_per_s",
            "governor.dead_time_s",
        ],
        GovernorSpec::Ggov1(_) => vec![
            "governor.kpgov",
            "governor.kigov_per_s",
            "governor.dead_time_s",
        ],
        GovernorSpec::Tgov1(_) => vec!["governor.droop_pu", "governor.t1_s"],
        _ => vec![],
    });
    if set.turbo.enabled {
        keys.extend(["turbo.acceptance_pu", "turbo.time_constant_s"]);
    }
    let json = serde_json::to_value(set).unwrap_or_default();
    keys.retain(|key| {
        !known.values.contains_key(*key) && number_at(&json, key).is_some_and(|v| v > 0.0)
    });
    keys
}

/// Start and bounds of a key.
pub(crate) fn parameter(
    key: &str,
    at: f64,
    given: (Option<f64>, Option<f64>, Option<f64>),
) -> Parameter {
    let (start, low, high) = given;
    let start = start.unwrap_or(at);
    let known = RANGES.iter().find(|(k, _, _)| *k == key);
    let (usual_low, usual_high) = known.map_or((start / RANGE, start * RANGE), |(_, low, high)| {
        (*low, *high)
    });
    Parameter {
        key: key.to_owned(),
        start,
        low: low.unwrap_or_else(|| usual_low.min(start)),
        high: high.unwrap_or_else(|| usual_high.max(start)),
    }
}

fn pointer(key: &str) -> String {
    format!("/{}", key.replace('.', "/"))
}

/// A number of a set by its key; none where the set has no such number.
pub(crate) fn number_at(set: &Value, key: &str) -> Option<f64> {
    set.pointer(&pointer(key)).and_then(Value::as_f64)
}

/// Changes a number of a set that has it.
pub(crate) fn put(set: &mut Value, key: &str, value: f64) {
    if let Some(place) = set.pointer_mut(&pointer(key)) {
        *place = Value::from(value);
    }
}

/// Keys of all numbers of a set that act on its frequency.
pub(crate) fn keys(set: &Value) -> Vec<String> {
    let mut keys = Vec::new();
    for (key, value) in set.as_object().into_iter().flatten() {
        match value {
            Value::Number(_)
                if ["inertia_s", "damping_pu", "friction_pu"].contains(&key.as_str()) =>
            {
                keys.push(key.clone());
            }
            Value::Object(inner) if ["governor", "turbo"].contains(&key.as_str()) => {
                for (name, value) in inner {
                    if value.is_number() {
                        keys.push(format!("{key}.{name}"));
                    }
                }
            }
            _ => {}
        }
    }
    keys
}
