//! When a limiter changes its mode or the speed leaves its bounds, and where in a step.

use crate::integrate::{Kernel, Power, Ramp};
use crate::model::pin;

/// Speed below which a plant has collapsed, per unit.
const COLLAPSE_LOW: f64 = 0.5;
/// Speed above which a plant has collapsed, per unit.
const COLLAPSE_HIGH: f64 = 1.5;
/// Width to which an event is located, seconds.
const EVENT_WIDTH_S: f64 = 1e-12;

impl Kernel {
    pub(crate) fn out_of_range(&self, pressure: f64) -> bool {
        let speed = 1.0 + self.end[0];
        !(COLLAPSE_LOW..=COLLAPSE_HIGH).contains(&speed) || !pressure.is_finite()
    }

    /// Changes modes until none is under pressure at the present state.
    pub(crate) fn settle(&mut self, load: Power, switches: &mut usize, most: usize) {
        while *switches < most {
            let mut changed = false;
            for index in 0..self.modes.len() {
                let (group, mode) = (&self.model.groups[index], self.modes[index]);
                if group.weight == 0.0 {
                    continue;
                }
                let (own, speed) = (group.own(&self.state), group.governed(&self.state));
                if group.pressure(mode, own, speed, &self.signals[index]) > 0.0 {
                    let next = group.next_mode(mode, own, speed, &self.signals[index]);
                    if next != mode {
                        self.modes[index] = next;
                        changed = true;
                        *switches += 1;
                        let time = self.time();
                        self.kinks.note_if_delayed(time, group.dead_time);
                    }
                }
            }
            if !changed {
                return;
            }
            pin(&self.model, &self.modes, &mut self.state, false);
            self.evaluate_start(load);
        }
    }

    /// Largest pressure of any limiter, or of the speed on its bounds; infinite where a value is not finite.
    pub(crate) fn pressure_at_end(&self) -> f64 {
        let speed = self.end[0];
        let mut pressure = (COLLAPSE_LOW - 1.0 - speed).max(speed - (COLLAPSE_HIGH - 1.0));
        let mut sound = self
            .end
            .iter()
            .chain(&self.end_rate)
            .all(|value| value.is_finite());
        for (index, group) in self.model.groups.iter().enumerate() {
            if group.weight == 0.0 {
                continue;
            }
            let signals = &self.end_signals[index];
            sound &= signals.output.is_finite() && signals.want.is_finite();
            if self.locating {
                pressure = pressure.max(group.pressure(
                    self.modes[index],
                    group.own(&self.end),
                    group.governed(&self.end),
                    signals,
                ));
            }
        }
        if sound { pressure } else { f64::INFINITY }
    }

    /// Bracket of the first event in a step of `length` whose end has the given positive pressure (Illinois method).
    pub(crate) fn locate(&mut self, length: f64, pressure: f64, ramp: Ramp) -> (f64, f64) {
        let (mut low, mut high) = (0.0, length);
        let (mut at_low, mut at_high) = (f64::NAN, pressure);
        let mut side = 0_i32;
        // Illinois converges in a few passes; every third bisects, so the bound holds for any shape.
        for pass in 0..160 {
            let width = high - low;
            if width <= EVENT_WIDTH_S {
                break;
            }
            let secant = low + width * (-at_low) / (at_high - at_low);
            let secant_counts = pass % 3 != 0 && secant.is_finite();
            let wanted = if secant_counts {
                secant
            } else {
                low + 0.5 * width
            };
            let margin = (0.45 * EVENT_WIDTH_S).min(0.25 * width);
            let at = wanted.max(low + margin).min(high - margin);
            let found = self.trial(at, ramp);
            if found > 0.0 {
                if side == 1 {
                    at_low *= 0.5;
                }
                (high, at_high, side) = (at, found, 1);
            } else {
                if side == -1 {
                    at_high *= 0.5;
                }
                (low, at_low, side) = (at, found, -1);
            }
        }
        (low, high)
    }
}
