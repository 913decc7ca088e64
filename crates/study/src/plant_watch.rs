//! What is watched of the sets besides extremes: load steps, isolated step events, fuel.

use ballast_plant::{Plant, PlantSpec};
use ballast_scenario::LimitsSpec;

use crate::fuel_use::{Burnt, FuelUse};
use crate::load_steps::{LoadStep, LoadSteps, WINDOW_S};
use crate::step_events::{EventWatch, Events};

/// Watches the plant step by step.
pub(crate) struct PlantWatch {
    steps: LoadSteps,
    events: EventWatch,
    fuel: FuelUse,
}

/// What was seen in one realisation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watched {
    /// Worst load step of each set.
    pub(crate) steps: Vec<Option<LoadStep>>,
    pub(crate) events: Events,
    /// Fuel of each set with a curve.
    pub(crate) fuel: Vec<Option<Burnt>>,
}

impl PlantWatch {
    pub(crate) fn new(spec: &PlantSpec, limits: &LimitsSpec, dt_s: f64) -> Self {
        let window_s = limits.load_step_window_s.unwrap_or(WINDOW_S);
        Self {
            steps: LoadSteps::new(spec, window_s, dt_s),
            events: EventWatch::new(spec, dt_s),
            fuel: FuelUse::new(spec, dt_s),
        }
    }

    /// Takes the state of the plant at its next step.
    pub(crate) fn take(&mut self, plant: &Plant, at_s: f64) {
        self.steps.take(plant, at_s);
        self.events.take(plant, at_s);
        self.fuel.take(plant);
    }

    /// The bus collapsed: nothing recovers any more.
    pub(crate) fn collapse(&mut self) {
        self.events.collapse();
    }

    pub(crate) fn finish(self) -> Watched {
        Watched {
            steps: self.steps.finish(),
            events: self.events.finish(),
            fuel: self.fuel.finish(),
        }
    }
}
