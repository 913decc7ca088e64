//! Periods of a load integrated one after the other, and what was seen in each.
//!
//! How near two states are is told in units of what counts as none: of a speed a share of its own swing; of any other state a share of its own range and what one step
//! changes it by at most. The latter is the grain of the integrator: a right side that switches within a step (a frozen integral, a dead band, a rate limit) is no
//! smoother than that, and which side of a switch a stage falls on differs from period to period although the motion repeats.

use crate::integrate::{Kernel, LoadLine};
use crate::linear::Rest;
use crate::model::Power;
use crate::model::pin;
use crate::periodic::PeriodicLoad;
use crate::plant::Limiter;

/// Points of a period at least, at which extremes are looked for.
const POINTS: f64 = 256.0;
/// Change of a speed that counts as none: share of its swing, and at least this, per unit (six microhertz at 60 Hz).
const SPEED_SHARE: f64 = 1e-4;
const SPEED_LEAST: f64 = 1e-7;
/// The same of any other state, beside its grain.
const OTHER_SHARE: f64 = 1e-3;
const OTHER_LEAST: f64 = 1e-5;

/// Extremes of a period.
#[derive(Clone)]
pub(crate) struct Record {
    pub(crate) speed: (f64, f64),
    pub(crate) voltage: (f64, f64),
    /// By set: time at the upper limit, the lower one, the boost.
    pub(crate) limited_s: Vec<[f64; 3]>,
    /// By state: extremes, largest rate.
    states: Vec<(f64, f64)>,
    rates: Vec<f64>,
}

const NONE: (f64, f64) = (f64::INFINITY, f64::NEG_INFINITY);

impl Record {
    pub(crate) fn new(rest: &Rest) -> Self {
        Self {
            speed: NONE,
            voltage: NONE,
            limited_s: vec![[0.0; 3]; rest.model.groups.len()],
            states: vec![NONE; rest.state.len()],
            rates: vec![0.0; rest.state.len()],
        }
    }

    fn clear(&mut self) {
        (self.speed, self.voltage) = (NONE, NONE);
        self.limited_s.fill([0.0; 3]);
        self.states.fill(NONE);
        self.rates.fill(0.0);
    }

    /// Takes in another period; its times at limits count with a weight.
    pub(crate) fn join(&mut self, other: &Self, weight: f64) {
        let both = |range: &mut (f64, f64), other: (f64, f64)| {
            range.0 = range.0.min(other.0);
            range.1 = range.1.max(other.1);
        };
        both(&mut self.speed, other.speed);
        both(&mut self.voltage, other.voltage);
        for (sum, times) in self.limited_s.iter_mut().zip(&other.limited_s) {
            for (s, t) in sum.iter_mut().zip(times) {
                *s += weight * t;
            }
        }
        for (range, other) in self.states.iter_mut().zip(&other.states) {
            both(range, *other);
        }
        for (most, other) in self.rates.iter_mut().zip(&other.rates) {
            *most = most.max(*other);
        }
    }

    /// Highest less lowest speed, per unit.
    pub(crate) fn swing(&self) -> f64 {
        self.speed.1 - self.speed.0
    }

    /// Notes the end of a step.
    fn note(&mut self, kernel: &Kernel, length: f64) {
        widen(&mut self.speed, kernel.motion.state[0]);
        for (range, value) in self.states.iter_mut().zip(&kernel.motion.state) {
            widen(range, *value);
        }
        for (most, rate) in self.rates.iter_mut().zip(&kernel.motion.rate) {
            *most = most.max(rate.abs());
        }
        let signals = kernel
            .motion
            .model
            .groups
            .iter()
            .zip(&kernel.motion.signals);
        for (i, (group, signal)) in signals.enumerate() {
            if group.weight == 0.0 {
                continue;
            }
            if kernel.motion.model.network.is_some() {
                widen(&mut self.voltage, signal.electric.voltage);
            }
            let at = match group.limiter(kernel.motion.modes[i][0], group.own(&kernel.motion.state))
            {
                Limiter::None => continue,
                Limiter::Upper => 0,
                Limiter::Lower => 1,
                Limiter::Turbo => 2,
            };
            self.limited_s[i][at] += length;
        }
    }
}

fn widen(range: &mut (f64, f64), value: f64) {
    range.0 = range.0.min(value);
    range.1 = range.1.max(value);
}

/// A stretch of a period: its parts are integrated one by one.
struct Piece {
    length_s: f64,
    start: Power,
    end: Power,
    parts: u32,
}

/// A plant under a load that repeats.
pub(crate) struct Shooting<'a> {
    pub(crate) rest: &'a Rest,
    pub(crate) kernel: Kernel,
    pieces: Vec<Piece>,
    pub(crate) period_s: f64,
    /// Periods integrated.
    pub(crate) periods: u32,
    /// Extremes of the last map or period.
    pub(crate) last: Record,
    scratch: Record,
    /// By slot: whether it is a speed, and the change that counts as none.
    speeds: Vec<bool>,
    pub(crate) same: Vec<f64>,
    /// State after the first period of the last map.
    pub(crate) first: Vec<f64>,
}

impl<'a> Shooting<'a> {
    pub(crate) fn new(rest: &'a Rest, load: &PeriodicLoad, base_w: f64) -> Self {
        let period_s = 1.0 / load.fundamental_hz();
        let power = |w: f64| Power {
            active: w / base_w,
            reactive: w / base_w * rest.tan_phi,
        };
        let pieces = load.pieces().iter().map(|p| Piece {
            length_s: p.share * period_s,
            start: power(p.start_w),
            end: power(p.end_w),
            parts: (p.share * POINTS - 1e-9).ceil().max(1.0) as u32,
        });
        let slots = 0..rest.state.len();
        let is_speed = |slot| slot == 0 || rest.model.groups.iter().any(|g| g.speed_at == slot);
        Self {
            rest,
            kernel: Kernel::new(
                rest.model.clone(),
                rest.state.clone(),
                rest.load,
                rest.voltage,
                rest.step_s,
            ),
            pieces: pieces.collect(),
            period_s,
            periods: 0,
            last: Record::new(rest),
            scratch: Record::new(rest),
            speeds: slots.clone().map(is_speed).collect(),
            same: vec![SPEED_LEAST; slots.len()],
            first: Vec::new(),
        }
    }

    /// State values computed for one period: steps times states.
    pub(crate) fn work(&self) -> f64 {
        let steps: f64 = self.pieces.iter().fold(0.0, |sum, p| {
            let parts = f64::from(p.parts);
            sum + parts * (p.length_s / parts / self.rest.step_s - 1e-9).ceil()
        });
        steps * self.rest.state.len() as f64
    }

    /// Integrates one period; false after a collapse.
    pub(crate) fn period(&mut self) -> bool {
        let mut record = std::mem::replace(&mut self.last, self.scratch.clone());
        record.clear();
        for p in &self.pieces {
            let parts = f64::from(p.parts);
            let at = |i: u32| {
                let share = f64::from(i) / parts;
                Power {
                    active: p.start.active + (p.end.active - p.start.active) * share,
                    reactive: p.start.reactive + (p.end.reactive - p.start.reactive) * share,
                }
            };
            for i in 0..p.parts {
                self.kernel.advance(LoadLine {
                    start: at(i),
                    end: at(i + 1),
                    length: p.length_s / parts,
                });
                record.note(&self.kernel, p.length_s / parts);
                if self.kernel.collapsed {
                    self.last = record;
                    return false;
                }
            }
        }
        self.periods += 1;
        self.last = record;
        true
    }

    /// Integrates so many periods; false after a collapse.
    pub(crate) fn map(&mut self, periods: u32) -> bool {
        let mut all = Record::new(self.rest);
        for index in 0..periods {
            if !self.period() {
                return false;
            }
            all.join(&self.last, 1.0 / f64::from(periods));
            if index == 0 {
                self.first.clone_from(&self.kernel.motion.state);
            }
        }
        self.last = all;
        true
    }

    /// Sets another state at the beginning of a period.
    pub(crate) fn restart(&mut self, state: &[f64]) {
        let kernel = &mut self.kernel;
        kernel.motion.state.copy_from_slice(state);
        pin(
            &kernel.motion.model,
            &kernel.motion.modes,
            &mut kernel.motion.state,
            true,
        );
        if let Some(network) = &kernel.motion.model.network {
            network.clamp(&mut kernel.motion.state, &kernel.motion.signals);
        }
        if let Some(first) = self.pieces.first() {
            kernel.evaluate_start(first.start);
        }
    }

    /// Takes what counts as no change from the last map or period.
    pub(crate) fn measure(&mut self) {
        let seen = self.last.states.iter().zip(&self.last.rates);
        let slots = self.same.iter_mut().zip(&self.speeds);
        for ((same, speed), ((low, high), rate)) in slots.zip(seen) {
            let range = (high - low).max(0.0);
            *same = if *speed {
                (SPEED_SHARE * range).max(SPEED_LEAST)
            } else {
                (OTHER_SHARE * range + self.rest.step_s * rate).max(OTHER_LEAST)
            };
        }
    }

    /// Largest change in units of what counts as none.
    pub(crate) fn size(&self, change: &[f64]) -> f64 {
        let units = change
            .iter()
            .zip(&self.same)
            .map(|(c, same)| c.abs() / same);
        units.fold(0.0, f64::max)
    }

    /// The same of the speeds alone.
    pub(crate) fn size_of_speed(&self, change: &[f64]) -> f64 {
        let slots = change.iter().zip(&self.same).zip(&self.speeds);
        slots
            .filter(|(_, speed)| **speed)
            .fold(0.0, |most, ((c, same), _)| most.max(c.abs() / same))
    }

    /// Moves every speed by as many units of what counts as none.
    pub(crate) fn nudged(&self, state: &[f64], units: f64) -> Vec<f64> {
        let slots = state.iter().zip(&self.same).zip(&self.speeds);
        slots
            .map(|((x, same), speed)| if *speed { x + units * same } else { *x })
            .collect()
    }
}

pub(crate) fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}
