//! Governors with one gain or time constant changed.

use crate::spec::{GovernorSpec, PlantSpec};

/// Factors tried, nearest to one first.
const FACTORS: [f64; 8] = [1.0 / 1.25, 1.25, 1.0 / 1.5, 1.5, 0.5, 2.0, 1.0 / 3.0, 3.0];

/// A plant with one value changed in every set of one governor model.
pub(crate) struct Retuned {
    pub(crate) spec: PlantSpec,
    pub(crate) key: &'static str,
    pub(crate) from: f64,
    pub(crate) to: f64,
}

/// Values of a governor that a tuner changes.
fn knobs(governor: &mut GovernorSpec) -> Vec<(&'static str, &mut f64)> {
    match governor {
        GovernorSpec::Constant => Vec::new(),
        GovernorSpec::Tgov1(g) => vec![
            ("droop_pu", &mut g.droop_pu),
            ("t1_s", &mut g.t1_s),
            ("t3_s", &mut g.t3_s),
        ],
        GovernorSpec::Pi(g) => vec![("kp_pu", &mut g.kp_pu), ("ki_per_s", &mut g.ki_per_s)],
        GovernorSpec::Degov1(g) => vec![("k", &mut g.k), ("t4_s", &mut g.t4_s)],
        GovernorSpec::Degov(g) => vec![("k", &mut g.k), ("t4_s", &mut g.t4_s)],
        GovernorSpec::Ggov1(g) => {
            vec![("kpgov", &mut g.kpgov), ("kigov_per_s", &mut g.kigov_per_s)]
        }
        GovernorSpec::Gast(g) => vec![("droop_pu", &mut g.droop_pu)],
        GovernorSpec::Ieeeg1(g) => vec![("k", &mut g.k)],
        GovernorSpec::Pid(g) => vec![
            ("kp_pu", &mut g.kp_pu),
            ("ki_per_s", &mut g.ki_per_s),
            ("kd_s", &mut g.kd_s),
        ],
    }
}

/// All changes of one value, those nearest to what is there first.
pub(crate) fn candidates(plant: &PlantSpec) -> Vec<Retuned> {
    let mut keys: Vec<&'static str> = Vec::new();
    for set in &plant.sets {
        for (key, value) in knobs(&mut set.governor.clone()) {
            if *value > 0.0 && !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    let mut all = Vec::new();
    for factor in FACTORS {
        for key in &keys {
            let mut spec = plant.clone();
            let mut first = None;
            for set in &mut spec.sets {
                for (own, value) in knobs(&mut set.governor) {
                    if own == *key && *value > 0.0 {
                        let from = *value;
                        *value *= factor;
                        first.get_or_insert((from, *value));
                    }
                }
            }
            if let Some((from, to)) = first {
                all.push(Retuned {
                    spec,
                    key,
                    from,
                    to,
                });
            }
        }
    }
    all
}
