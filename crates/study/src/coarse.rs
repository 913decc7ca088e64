//! Traces that show means and the course of a day, and what they leave to be said of ramps.

use ballast_aggregate::Site;
use ballast_scenario::{LoadSpec, Scenario};

use crate::inputs::{Inputs, TraceInput};
use crate::words::{Randomness, randomness};

/// Median interval of a trace, for messages.
pub(crate) fn interval_s(trace: &TraceInput) -> f64 {
    (trace.series.interval_s() * 1e3).round() / 1e3
}

/// What coarse traces leave of ramps, steps, spectrum and frequency.
pub(crate) enum Coarse {
    /// There are none.
    None,
    /// Other loads tell ramps: why some of the load is left out.
    Partly(String),
    /// No load tells ramps, and why.
    All(String),
}

impl Coarse {
    pub(crate) fn of(scenario: &Scenario, inputs: &Inputs, site: Option<&Site>) -> Self {
        let coarse: Vec<String> = inputs
            .traces
            .iter()
            .filter(|t| t.is_coarse())
            .map(|t| format!("`{}` has one sample every {} s", t.name, interval_s(t)))
            .collect();
        if coarse.is_empty() {
            return Self::None;
        }
        let why = format!(
            "{}: good for means and the daily shape, never for ramps",
            coarse.join(" and ")
        );
        let (start_s, end_s) = (scenario.simulation.start_s, scenario.simulation.end_s());
        let steps = scenario.loads.iter().any(|l| match l {
            LoadSpec::Steps(s) => s.events.iter().any(|e| e.at_s > start_s && e.at_s <= end_s),
            LoadSpec::Trace(_) => false,
        });
        let racks = site.is_some_and(|s| {
            !scenario.jobs.is_empty() || !matches!(randomness(scenario, s), Randomness::None)
        });
        if steps || racks || inputs.traces.iter().any(|t| !t.is_coarse()) {
            Self::Partly(format!("{why}; its own changes are left out of them"))
        } else {
            Self::All(format!("{why}; nothing else varies"))
        }
    }

    pub(crate) fn reason(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::Partly(why) | Self::All(why) => Some(why),
        }
    }
}
