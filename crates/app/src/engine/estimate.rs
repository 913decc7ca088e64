//! How long a run takes, before it is run: the one place that says so, and that says which runs wait to be asked for.

use ballast_scenario::{RackStatistics, RangeCorners, Scenario};

use super::prepare::samples;

/// A run of more than this is not started without being asked for, seconds.
const ASKS_S: f64 = 20.0;

/// Time for a step of an entry of sets with its figures, seconds.
const SET_STEP_S: f64 = 0.9e-6;
/// Time for a step of a rack, and of each GPU in it where GPUs are drawn one by one.
const RACK_STEP_S: f64 = 25e-9;
const LEAN_RACK_STEP_S: f64 = 12e-9;
const GPU_STEP_S: f64 = 15e-9;
/// Time for a step of the site's own figures.
const SITE_STEP_S: f64 = 0.3e-6;
/// Corners of the ranges, at most, in runs of the sets; and what they take where they would be more work than that.
const CORNERS: f64 = 4.0;
const MOST_CORNERS_S: f64 = 3.0;
/// Runs of a contingency without a stated moment.
const MOMENTS: f64 = 4.0;

/// How long a run takes, about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Time on a machine of two cores, seconds; within a factor of five or so. What the requests of services take is not counted:
    /// a long run of services takes longer than this says.
    pub seconds: f64,
}

impl Estimate {
    /// For a run of the scenario with all that is shown of it.
    pub fn of(scenario: &Scenario) -> Self {
        let one = |scenario: &Scenario| -> (f64, f64) {
            let steps = samples(scenario) as f64;
            let racks: f64 = scenario.racks.iter().map(|r| f64::from(r.count)).sum();
            let rack_s = match scenario.outputs.rack_statistics {
                RackStatistics::Full => RACK_STEP_S,
                RackStatistics::MinMeanMax => LEAN_RACK_STEP_S,
            };
            let load_s =
                steps * (SITE_STEP_S + racks * rack_s + gpus_one_by_one(scenario) * GPU_STEP_S);
            let sets = scenario.plant.as_ref().map_or(0, |p| p.sets.len().max(1));
            let parts = f64::from(scenario.simulation.plant_parts());
            (load_s, steps * parts * sets as f64 * SET_STEP_S)
        };
        let (load_s, sets_s) = one(scenario);
        let corners = |sets_s: f64| match scenario.outputs.range_corners {
            RangeCorners::Off => 0.0,
            RangeCorners::Auto => (CORNERS * sets_s).min(MOST_CORNERS_S),
            RangeCorners::Full => CORNERS * sets_s,
        };
        let runs = f64::from(scenario.simulation.realisations);
        let mut seconds = runs * (load_s + sets_s) + corners(runs * sets_s);
        if let Some(zoom) = &scenario.zoom {
            let (load_s, sets_s) = one(&zoom.scenario(scenario, scenario.simulation.start_s));
            seconds += load_s + sets_s + corners(sets_s);
        }
        for contingency in &scenario.contingencies {
            let moments = contingency.at_s().map_or(MOMENTS, |_| runs);
            seconds += moments * (load_s + sets_s);
        }
        // The shown run and the one with the corners are two.
        if corners(sets_s) > 0.0 {
            seconds += runs * (load_s + sets_s);
        }
        Self { seconds }
    }

    /// Whether the run waits to be asked for.
    pub fn asks_first(&self) -> bool {
        self.seconds > ASKS_S
    }

    /// In words: "about 2 min".
    pub fn text(&self) -> String {
        match self.seconds {
            s if s < 1.5 => "about 1 s".to_owned(),
            s if s < 90.0 => format!("about {s:.0} s"),
            s if s < 5400.0 => format!("about {:.0} min", s / 60.0),
            s => format!("about {:.0} h", s / 3600.0),
        }
    }
}

/// GPUs that are drawn one by one; none where they are drawn in groups.
fn gpus_one_by_one(scenario: &Scenario) -> f64 {
    if scenario.simulation.engine != ballast_scenario::EngineSpec::PerGpu {
        return 0.0;
    }
    let of = |rack: &ballast_scenario::RackGroup| {
        let per_node = scenario.nodes.get(&rack.node).map_or(8, |n| n.gpus);
        f64::from(rack.count) * f64::from(rack.nodes_per_rack) * f64::from(per_node)
    };
    scenario.racks.iter().map(of).sum()
}
