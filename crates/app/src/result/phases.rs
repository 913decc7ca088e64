//! Phases of the GPU models in use, as their profiles state them.

use std::collections::BTreeSet;

use ballast_scenario::Scenario;
use ballast_units::{Confidence, Grade, Sourced};

use super::{PhaseBar, PhaseChart};

impl PhaseChart {
    /// The charts of all GPU models that the scenario's racks use, by name.
    pub fn of(scenario: &Scenario) -> Vec<Self> {
        let nodes = scenario.racks.iter().map(|r| &r.node);
        let gpus: BTreeSet<&String> = nodes
            .filter_map(|name| scenario.nodes.get(name))
            .map(|node| &node.gpu)
            .collect();
        let profiles = gpus.into_iter();
        let profiles = profiles.filter_map(|name| Some((name, scenario.gpus.get(name)?)));
        profiles
            .map(|(name, profile)| Self {
                gpu: name.clone(),
                tdp_w: profile.tdp_w.value,
                phases: profile
                    .phases
                    .iter()
                    .map(|(kind, phase)| PhaseBar {
                        name: in_words(kind.key()),
                        mean_w: phase.power_w.value,
                        low_high_w: phase.power_w.low.zip(phase.power_w.high),
                        spread_w: phase.spread_w.as_ref().map_or(0.0, |s| s.value),
                        duration_s: phase.duration_s.as_ref().map(|s| s.value),
                        source: source(&phase.power_w),
                    })
                    .collect(),
            })
            .collect()
    }
}

/// `train_compute` as "Train compute".
fn in_words(key: &str) -> String {
    let mut words = key.replace('_', " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

fn source(number: &Sourced) -> String {
    let grade = match number.grade {
        Grade::Published => "published",
        Grade::Measured => "measured",
        Grade::Derived => "derived",
        Grade::Estimated => "estimated",
        Grade::Recalled => "recalled",
        Grade::Given => "given",
    };
    let confidence = match number.confidence {
        Confidence::Low => "low",
        Confidence::Medium => "medium",
        Confidence::High => "high",
    };
    format!("{} ({grade}, {confidence} confidence)", number.source)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_phases_of_the_models_in_use_come_with_their_source() {
        let text = include_str!("../../../../examples/training-offgrid.toml");
        let loaded = ballast_scenario::load_str("a.toml", text, Path::new("."), &[]).unwrap();
        let charts = PhaseChart::of(&loaded.scenario);
        assert_eq!(charts.len(), 1);
        let chart = &charts[0];
        assert!(chart.tdp_w > 300.0);
        let idle = &chart.phases[0];
        assert_eq!(idle.name, "Idle");
        assert!(idle.mean_w > 0.0 && idle.mean_w < chart.tdp_w);
        assert!(idle.source.ends_with("confidence)"), "{}", idle.source);
        assert!(chart.phases.iter().any(|p| p.name == "Train compute"));
    }
}
