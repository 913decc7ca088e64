//! Start, duration and steps of a run, and the second run that looks closer.

use super::{Check, MOST_STEPS};
use crate::limits::number;
use crate::{Scenario, SimulationSpec, ZoomBy, ZoomSpec};

/// How far from a whole number a count of steps may be: decimals of steps are not exact in binary.
const WHOLE: f64 = 1e-6;

/// Whether `count` is a whole number but for rounding.
fn is_whole(count: f64) -> bool {
    (count - count.round()).abs() <= WHOLE * count.abs().max(1.0)
}

impl Check<'_> {
    pub(super) fn time(&mut self, scenario: &Scenario) {
        let simulation = &scenario.simulation;
        let (duration_s, step_s) = (simulation.duration_s, simulation.step_s);
        let steps = duration_s / step_s;
        if steps < 2.0 {
            self.add(
                "simulation.step_s",
                format!(
                    "a step of {} s gives {steps:.3} steps in {} s",
                    number(step_s),
                    number(duration_s)
                ),
                "at least 2 steps: shorten the step or lengthen the run",
            );
        } else if simulation.end_s() / step_s > MOST_STEPS {
            self.add(
                "simulation.step_s",
                format!(
                    "a step of {} s gives {:.3e} steps in {} s",
                    number(step_s),
                    simulation.end_s() / step_s,
                    number(simulation.end_s())
                ),
                format!("at most {MOST_STEPS:e} steps: lengthen the step or shorten the run"),
            );
        }
        // Beyond so many steps every time is a whole number of them but for rounding.
        let start = simulation.start_s / step_s;
        if start <= MOST_STEPS && !is_whole(start) {
            self.add(
                "simulation.start_s",
                format!(
                    "{} s is not a whole number of steps of {} s",
                    number(simulation.start_s),
                    number(step_s)
                ),
                format!(
                    "{} or {}",
                    number(start.floor() * step_s),
                    number(start.ceil() * step_s)
                ),
            );
        }
        self.plant_step(simulation);
        let plant_steps = duration_s / simulation.plant_step();
        if scenario.plant.is_some() && steps <= MOST_STEPS && plant_steps > MOST_STEPS {
            self.add(
                "simulation.plant_step_s",
                format!(
                    "{} s of the plant's steps of {} s are {plant_steps:.3e} steps",
                    number(duration_s),
                    number(simulation.plant_step())
                ),
                format!("at most {MOST_STEPS:e} steps: lengthen the step or shorten the run"),
            );
        }
    }

    fn plant_step(&mut self, simulation: &SimulationSpec) {
        let Some(plant_step_s) = simulation.plant_step_s else {
            return;
        };
        let parts = simulation.step_s / plant_step_s;
        if parts < 1.0 - WHOLE {
            self.add(
                "simulation.plant_step_s",
                format!(
                    "{} s is above simulation.step_s = {}",
                    number(plant_step_s),
                    number(simulation.step_s)
                ),
                "the plant's step is the load's or a part of it",
            );
        } else if parts > MOST_STEPS.min(f64::from(u32::MAX)) || !is_whole(parts) {
            let near_s = simulation.step_s / parts.ceil().min(1e6);
            self.add(
                "simulation.plant_step_s",
                format!(
                    "simulation.step_s = {} is {parts:.6} steps of {} s",
                    number(simulation.step_s),
                    number(plant_step_s)
                ),
                format!("a whole part of simulation.step_s, as {}", number(near_s)),
            );
        }
    }

    pub(super) fn zoom(&mut self, scenario: &Scenario) {
        let Some(zoom) = &scenario.zoom else { return };
        let simulation = &scenario.simulation;
        if zoom.step_s > simulation.step_s {
            self.add(
                "zoom.step_s",
                format!(
                    "a step of {} s is coarser than simulation.step_s = {}",
                    number(zoom.step_s),
                    number(simulation.step_s)
                ),
                "a shorter step: the second run looks closer",
            );
        }
        let most_s = MOST_STEPS * zoom.step_s;
        if zoom.window_s < 2.0 * zoom.step_s {
            self.add(
                "zoom.window_s",
                format!(
                    "a window of {} s holds less than two steps of {} s",
                    number(zoom.window_s),
                    number(zoom.step_s)
                ),
                "a longer window, or a shorter zoom.step_s",
            );
        } else if zoom.window_s > simulation.duration_s {
            self.add(
                "zoom.window_s",
                format!(
                    "a window of {} s is longer than the run, {} s",
                    number(zoom.window_s),
                    number(simulation.duration_s)
                ),
                format!(
                    "at most simulation.duration_s = {}",
                    number(simulation.duration_s)
                ),
            );
        } else if simulation.end_s() > most_s {
            self.add(
                "zoom.step_s",
                format!(
                    "{} s are {:.3e} steps of {} s",
                    number(simulation.end_s()),
                    simulation.end_s() / zoom.step_s,
                    number(zoom.step_s)
                ),
                format!("at most {MOST_STEPS:e} steps from t = 0: a longer step"),
            );
        }
        match zoom.by {
            ZoomBy::Frequency if scenario.plant.is_none() => self.add(
                "zoom.by",
                "there is no frequency without [plant]",
                "`ramp` or `peak`, or add [plant]",
            ),
            ZoomBy::Ramp if scenario.outputs.ramp_windows_s.is_empty() => self.add(
                "zoom.by",
                "`ramp` needs a window, and outputs.ramp_windows_s has none",
                "add a window, or choose `peak`",
            ),
            _ => {}
        }
    }
}

impl ZoomSpec {
    /// The scenario of the fine run around `at_s` of a run of `scenario`: the window, moved into the run, after its lead.
    ///
    /// One realisation; the caller says which. Its ramp windows are those of the run and the usual ones that its step admits.
    pub fn scenario(&self, scenario: &Scenario, at_s: f64) -> Scenario {
        let simulation = &scenario.simulation;
        let (run_start_s, run_end_s) = (simulation.start_s, simulation.end_s());
        let latest_s = (run_end_s - self.window_s).max(run_start_s);
        let from_s = (at_s - 0.5 * self.window_s).clamp(run_start_s, latest_s);
        let begin_s = (from_s - self.lead_s).max(run_start_s);
        // Whole steps within the run: the first not before its beginning, the last not after its end.
        let first = (begin_s / self.step_s - WHOLE).ceil();
        let last = ((from_s + self.window_s).min(run_end_s) / self.step_s + WHOLE).floor();
        let steps = (last - first).max(2.0);
        let mut fine = scenario.clone();
        fine.zoom = None;
        fine.simulation = SimulationSpec {
            start_s: first * self.step_s,
            duration_s: steps * self.step_s,
            step_s: self.step_s,
            realisations: 1,
            ..simulation.clone()
        };
        let windows_s = &mut fine.outputs.ramp_windows_s;
        windows_s.extend(crate::OutputSpec::default().ramp_windows_s);
        windows_s.retain(|w| (self.step_s..=steps * self.step_s).contains(w));
        windows_s.sort_by(f64::total_cmp);
        windows_s.dedup();
        fine
    }
}
