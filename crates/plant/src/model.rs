//! Right side of the differential equations: all groups and the shaft they share.

#![expect(
    clippy::inline_always,
    reason = "compiled for the vector width of the caller"
)]

use crate::bus::Phasor;
use crate::delay::Delay;
use crate::governor::{Group, Signals};
use crate::lane::{F64x4, LANES, Lane};
use crate::limiter::Mode;
use crate::machine::ANGLE;
use crate::network::{Anchor, Network};
use crate::sharing::Sharing;
use crate::spec::TorqueConvention;

/// A Runge-Kutta stage never divides by less; such a step ends in a collapse, which is then located.
const STAGE_SPEED: f64 = 0.25;

/// Constants of the plant.
#[derive(Debug, Clone)]
pub(crate) struct Model<L = f64> {
    pub(crate) groups: Vec<Group<L>>,
    /// Sum of 2H over the plant, seconds.
    pub(crate) two_h: L,
    pub(crate) damping: L,
    pub(crate) torque: TorqueConvention,
    /// Alternators; absent where all sets share one speed.
    pub(crate) network: Option<Network<L>>,
    /// Load-sharing line between isochronous governors.
    pub(crate) sharing: Option<Sharing<L>>,
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

    /// Those of four plants; `None` where they differ in kind: then they cannot advance in lock-step.
    pub(crate) fn pack(each: [&Self; LANES]) -> Option<Model<F64x4>> {
        let first = each[0];
        if each.iter().any(|model| {
            model.groups.len() != first.groups.len()
                || model.torque != first.torque
                || model.network.is_some() != first.network.is_some()
                || model.sharing.is_some() != first.sharing.is_some()
        }) {
            return None;
        }
        let groups =
            (0..first.groups.len()).map(|index| Group::pack(each.map(|m| &m.groups[index])));
        Some(Model {
            groups: groups.collect::<Option<_>>()?,
            two_h: F64x4::by_lane(|lane| each[lane].two_h),
            damping: F64x4::by_lane(|lane| each[lane].damping),
            torque: first.torque,
            network: match each.map(|m| &m.network) {
                [Some(a), Some(b), Some(c), Some(d)] => Some(Network::pack([a, b, c, d])?),
                _ => None,
            },
            sharing: match each.map(|m| &m.sharing) {
                [Some(a), Some(b), Some(c), Some(d)] => Some(Sharing::pack([a, b, c, d])?),
                _ => None,
            },
        })
    }
}

/// Active and reactive power, per unit of the plant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Power<L = f64> {
    pub(crate) active: L,
    pub(crate) reactive: L,
}

/// A time and the load at it, per unit.
#[derive(Clone, Copy)]
pub(crate) struct Instant<L = f64> {
    pub(crate) time: L,
    pub(crate) load: L,
    pub(crate) reactive: L,
}

impl<L: Lane> Instant<L> {
    #[inline(always)]
    pub(crate) fn new(time: L, load: Power<L>) -> Self {
        Self {
            time,
            load: load.active,
            reactive: load.reactive,
        }
    }
}

/// What an evaluation looks up or starts from, beside the state.
#[derive(Debug, Clone)]
pub(crate) struct Memory<L: Lane = f64> {
    /// By group.
    pub(crate) delays: Vec<L::Each<Delay>>,
    /// Bus voltage found last.
    pub(crate) voltage: Phasor<L>,
    /// Rotor angles with known sine and cosine, by group.
    pub(crate) anchors: Vec<Anchor<L>>,
}

/// Anchors at the rotor angles of a state.
pub(crate) fn anchors<L: Lane>(model: &Model<L>, state: &[L]) -> Vec<Anchor<L>> {
    let units = model.network.iter().flat_map(|network| &network.units);
    units
        .map(|unit| Anchor::new(state[unit.machine_at + ANGLE]))
        .collect()
}

/// Puts limited states on their limits and, if asked, free ones between theirs.
#[inline(always)]
pub(crate) fn pin<L: Lane>(
    model: &Model<L>,
    modes: &[L::Each<Mode>],
    state: &mut [L],
    clamp: bool,
) {
    for (group, modes) in model.groups.iter().zip(modes) {
        let speed = group.governed(state);
        let own = group.own_mut(state);
        group.pin(modes, own, speed);
        if clamp {
            group.clamp(modes, own);
        }
    }
}

/// Right side of the differential equations.
#[inline(always)]
pub(crate) fn evaluate<L: Lane>(
    model: &Model<L>,
    memory: &mut Memory<L>,
    modes: &[L::Each<Mode>],
    at: Instant<L>,
    state: &[L],
    rate: &mut [L],
    signals: &mut [Signals<L>],
) {
    let (zero, one, least) = (L::of(0.0), L::of(1.0), L::of(STAGE_SPEED));
    let divide = model.torque == TorqueConvention::PowerOverSpeed;
    let mut torque = zero;
    let each = model.groups.iter().zip(modes).zip(&mut *signals);
    for (((group, modes), signal), delays) in each.zip(&mut memory.delays) {
        if group.off() {
            *signal = Signals::default();
            continue;
        }
        let own = group.own(state);
        let speed = state[group.speed_at];
        signal.throttle = group.throttle(modes, own, group.governed(state));
        signal.fuel = group.fuel(signal.throttle, speed);
        signal.input = signal.fuel;
        if group.dead_time != zero {
            let (delays, fuel) = (delays.as_mut(), signal.fuel);
            signal.input = L::by_lane(|lane| {
                if group.dead_time.lane(lane) > 0.0 {
                    delays[lane].past(at.time.lane(lane))
                } else {
                    fuel.lane(lane)
                }
            });
        }
        signal.output = group.output(own, speed, signal.input);
        signal.torque = if (divide && group.output_is_power) || group.always_over_speed {
            signal.output / (one + speed).or_more(least)
        } else {
            signal.output
        };
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
        let omega = (one + speed).or_more(least);
        let load_torque = if divide { at.load / omega } else { at.load };
        rate[0] = (torque - load_torque - model.damping * speed) / model.two_h;
    }
    for (group, signal) in model.groups.iter().zip(&mut *signals) {
        if group.off() {
            continue;
        }
        signal.acceleration = rate[group.speed_at];
        if model.network.is_some() {
            signal.power = signal.electric.active;
        } else {
            let speed = state[group.speed_at];
            let braking = L::of(2.0) * group.inertia * signal.acceleration + group.damping * speed;
            signal.power = signal.torque - braking;
            if divide {
                signal.power = signal.power * (one + speed);
            }
        }
    }
    if let Some(sharing) = &model.sharing {
        sharing.rates(&model.groups, state, rate, signals);
    }
    for ((group, modes), signal) in model.groups.iter().zip(modes).zip(signals) {
        let own_rate = group.own_mut(rate);
        if group.off() {
            own_rate.fill(zero);
            continue;
        }
        let speed = state[group.speed_at];
        group.rates(modes, group.own(state), speed, signal, own_rate);
    }
}
