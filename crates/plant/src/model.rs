//! Right side of the differential equations: all groups and the shaft they share.

use crate::delay::Delay;
use crate::governor::{Group, Signals};
use crate::limiter::Mode;
use crate::spec::TorqueConvention;

/// A Runge-Kutta stage never divides by less; such a step ends in a collapse, which is then located.
const STAGE_SPEED: f64 = 0.25;

/// Constants of the plant.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) groups: Vec<Group>,
    /// Sum of 2H over the plant, seconds.
    pub(crate) two_h: f64,
    pub(crate) damping: f64,
    pub(crate) torque: TorqueConvention,
}

/// A time and the load at it, per unit.
#[derive(Clone, Copy)]
pub(crate) struct Instant {
    pub(crate) time: f64,
    pub(crate) load: f64,
}

/// Puts limited states on their limits and, if asked, free ones between theirs.
pub(crate) fn pin(model: &Model, modes: &[Mode], state: &mut [f64], clamp: bool) {
    for (group, mode) in model.groups.iter().zip(modes) {
        let speed = state[group.speed_at];
        let own = group.own_mut(state);
        group.pin(*mode, own, speed);
        if clamp {
            group.clamp(*mode, own);
        }
    }
}

/// Right side of the differential equations.
pub(crate) fn evaluate(
    model: &Model,
    delays: &mut [Delay],
    modes: &[Mode],
    at: Instant,
    state: &[f64],
    rate: &mut [f64],
    signals: &mut [Signals],
) {
    let speed = state[0];
    let omega = (1.0 + speed).max(STAGE_SPEED);
    let divide = model.torque == TorqueConvention::PowerOverSpeed;
    let mut torque = 0.0;
    for (index, group) in model.groups.iter().enumerate() {
        let own = group.own(state);
        let signal = &mut signals[index];
        signal.throttle = group.throttle(modes[index], own, speed);
        signal.input = if group.dead_time > 0.0 {
            delays[index].past(at.time)
        } else {
            signal.throttle
        };
        signal.output = group.output(own, speed, signal.input);
        let over = if divide && group.output_is_power {
            omega
        } else {
            1.0
        };
        signal.torque = signal.output / over;
        torque += group.weight * signal.torque;
    }
    let load_torque = if divide { at.load / omega } else { at.load };
    let acceleration = (torque - load_torque - model.damping * speed) / model.two_h;
    rate[0] = acceleration;
    for (index, group) in model.groups.iter().enumerate() {
        let signal = &mut signals[index];
        signal.acceleration = acceleration;
        let own_rate = group.own_mut(rate);
        group.rates(modes[index], group.own(state), speed, signal, own_rate);
    }
}
