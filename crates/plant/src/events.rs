//! When a limiter changes its mode or the speed leaves its bounds, and where in a step.

use crate::integrate::{Kernel, Ramp};
use crate::model::{Power, pin};
use crate::motion::{COLLAPSE_HIGH, COLLAPSE_LOW};

/// Width to which an event is located, seconds.
const EVENT_WIDTH_S: f64 = 1e-12;

impl Kernel {
    pub(crate) fn out_of_range(&self, pressure: f64) -> bool {
        let speed = 1.0 + self.motion.end[0];
        !(COLLAPSE_LOW..=COLLAPSE_HIGH).contains(&speed) || !pressure.is_finite()
    }

    /// Changes modes until none is under pressure at the present state.
    pub(crate) fn settle(&mut self, load: Power, switches: &mut usize, most: usize) {
        while *switches < most {
            let mut changed = false;
            let (time, motion) = (self.time(), &mut self.motion);
            for (index, group) in motion.model.groups.iter().enumerate() {
                if group.off() {
                    continue;
                }
                let signals = &motion.signals[index];
                let (own, speed) = (group.own(&motion.state), group.governed(&motion.state));
                let modes = &mut motion.modes[index];
                if group.pressure(modes, own, speed, signals) > 0.0 {
                    let next = group.next_mode(modes[0], own, speed, signals);
                    if next != modes[0] {
                        modes[0] = next;
                        changed = true;
                        *switches += 1;
                        self.kinks.note_if_delayed(time, group.dead_time);
                    }
                }
            }
            if !changed {
                return;
            }
            pin(&motion.model, &motion.modes, &mut motion.state, false);
            self.evaluate_start(load);
        }
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
