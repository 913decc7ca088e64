//! Right side of the differential equations: all groups and the shaft they share.

use crate::bus::Phasor;
use crate::delay::Delay;
use crate::governor::{Group, Signals};
use crate::integrate::Power;
use crate::limiter::Mode;
use crate::machine::ANGLE;
use crate::network::{Anchor, Network};
use crate::sharing::Sharing;
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
    /// Alternators; absent where all sets share one speed.
    pub(crate) network: Option<Network>,
    /// Load-sharing line between isochronous governors.
    pub(crate) sharing: Option<Sharing>,
}

impl Model {
    /// Takes sets of a group off the bus: `share` of its weight stays.
    pub(crate) fn trip(&mut self, index: usize, share: f64, state: &mut [f64]) {
        let group = &mut self.groups[index];
        let before = group.weight;
        group.weight *= share;
        let lost = before - group.weight;
        self.two_h -= 2.0 * lost * group.inertia;
        self.damping -= lost * group.damping;
        if self.network.as_ref().is_some_and(|n| n.utility.is_none()) {
            let (mut push, mut inertia) = (0.0, 0.0);
            for group in &self.groups {
                push += group.weight * group.inertia * state[group.speed_at];
                inertia += group.weight * group.inertia;
            }
            if inertia > 0.0 {
                state[0] = push / inertia;
            }
        }
    }
}

/// A time and the load at it, per unit.
#[derive(Clone, Copy)]
pub(crate) struct Instant {
    pub(crate) time: f64,
    pub(crate) load: f64,
    pub(crate) reactive: f64,
}

impl Instant {
    pub(crate) fn new(time: f64, load: Power) -> Self {
        Self {
            time,
            load: load.active,
            reactive: load.reactive,
        }
    }
}

/// What an evaluation looks up or starts from, beside the state.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    pub(crate) delays: Vec<Delay>,
    /// Bus voltage found last.
    pub(crate) voltage: Phasor,
    /// Rotor angles with known sine and cosine, by group.
    pub(crate) anchors: Vec<Anchor>,
}

/// Anchors at the rotor angles of a state.
pub(crate) fn anchors(model: &Model, state: &[f64]) -> Vec<Anchor> {
    let units = model.network.iter().flat_map(|network| &network.units);
    units
        .map(|unit| Anchor::new(state[unit.machine_at + ANGLE]))
        .collect()
}

/// Puts limited states on their limits and, if asked, free ones between theirs.
pub(crate) fn pin(model: &Model, modes: &[Mode], state: &mut [f64], clamp: bool) {
    for (group, mode) in model.groups.iter().zip(modes) {
        let speed = group.governed(state);
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
    memory: &mut Memory,
    modes: &[Mode],
    at: Instant,
    state: &[f64],
    rate: &mut [f64],
    signals: &mut [Signals],
) {
    let divide = model.torque == TorqueConvention::PowerOverSpeed;
    let mut torque = 0.0;
    for (index, group) in model.groups.iter().enumerate() {
        if group.weight == 0.0 {
            signals[index] = Signals::default(); // off the bus
            continue;
        }
        let own = group.own(state);
        let speed = state[group.speed_at];
        let omega = (1.0 + speed).max(STAGE_SPEED);
        let signal = &mut signals[index];
        signal.throttle = group.throttle(modes[index], own, group.governed(state));
        signal.fuel = group.fuel(signal.throttle, speed);
        signal.input = if group.dead_time > 0.0 {
            memory.delays[index].past(at.time)
        } else {
            signal.fuel
        };
        signal.output = group.output(own, speed, signal.input);
        let over = if (divide && group.output_is_power) || group.always_over_speed {
            omega
        } else {
            1.0
        };
        signal.torque = signal.output / over;
        torque += group.weight * signal.torque;
    }
    if let Some(network) = &model.network {
        rate[0] = network.rates(
            &model.groups,
            model.torque,
            at,
            memory,
            state,
            rate,
            signals,
        );
    } else {
        let speed = state[0];
        let omega = (1.0 + speed).max(STAGE_SPEED);
        let load_torque = if divide { at.load / omega } else { at.load };
        rate[0] = (torque - load_torque - model.damping * speed) / model.two_h;
    }
    for (group, signal) in model.groups.iter().zip(&mut *signals) {
        if group.weight == 0.0 {
            continue;
        }
        signal.acceleration = rate[group.speed_at];
        if model.network.is_some() {
            signal.power = signal.electric.active;
        } else {
            let speed = state[group.speed_at];
            let braking = 2.0 * group.inertia * signal.acceleration + group.damping * speed;
            let over = if divide { 1.0 + speed } else { 1.0 };
            signal.power = (signal.torque - braking) * over;
        }
    }
    if let Some(sharing) = &model.sharing {
        sharing.rates(&model.groups, state, rate, signals);
    }
    for (index, group) in model.groups.iter().enumerate() {
        let own_rate = group.own_mut(rate);
        if group.weight == 0.0 {
            own_rate.fill(0.0);
            continue;
        }
        let speed = state[group.speed_at];
        group.rates(
            modes[index],
            group.own(state),
            speed,
            &mut signals[index],
            own_rate,
        );
    }
}
