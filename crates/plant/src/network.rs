//! Sets with alternators on one bus: each its own angle and speed.
//!
//! The network's axes turn with the sets' common speed (the mean weighted by inertia), so angles stay small however long a run is. Slot 0 of the
//! state is that mean. With a utility the axes turn with its voltage and slot 0 is its frequency. Electrical torque is the air-gap power, or that over the set's speed ([`crate::TorqueConvention`]).

#![expect(
    clippy::inline_always,
    reason = "compiled for the vector width of the caller"
)]

use crate::bus::{LoadModel, Norton, Phasor, solve};
use crate::exciter::Exciter;
use crate::governor::{Electric, Group, Signals};
use crate::lane::{F64x4, LANES, Lane, Mask};
use crate::machine::{ANGLE, FLUX, Machine, SPEED, Stator};
use crate::model::{Instant, Memory};
use crate::spec::TorqueConvention;
use crate::utility::Utility;

/// A Runge-Kutta stage never divides by less; such a step ends in a collapse, which is then located.
const STAGE_SPEED: f64 = 0.25;

/// Alternators and what they feed.
#[derive(Debug, Clone)]
pub(crate) struct Network<L = f64> {
    pub(crate) load: LoadModel<L>,
    /// Nominal angular frequency, rad/s.
    pub(crate) omega_base: L,
    /// By group.
    pub(crate) units: Vec<Unit<L>>,
    /// The grid, where there is one.
    pub(crate) utility: Option<Utility<L>>,
    /// Some regulator compares its reactive power with the mean.
    pub(crate) crosses: bool,
}

/// Alternator and exciter of one group.
#[derive(Debug, Clone)]
pub(crate) struct Unit<L = f64> {
    pub(crate) machine: Machine<L>,
    pub(crate) machine_at: usize,
    pub(crate) exciter: Exciter<L>,
    pub(crate) exciter_at: usize,
    pub(crate) control: Control<L>,
}

/// What shifts a voltage reference.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Control<L = f64> {
    pub(crate) droop: L,
    pub(crate) cross: L,
    /// Knee of the roll-off, per unit of frequency, and its slope.
    pub(crate) knee: L,
    pub(crate) slope: L,
    /// Shift at the start, which the exciter's reference makes up for.
    pub(crate) at_start: L,
}

impl<L: Lane> Control<L> {
    #[inline(always)]
    pub(crate) fn shift(&self, speed: L, reactive: L, mean_reactive: L) -> L {
        let below = (self.knee - (L::of(1.0) + speed)).or_more(L::of(0.0));
        -self.droop * reactive - self.cross * (reactive - mean_reactive) - self.slope * below
            + self.at_start
    }
}

/// Sine and cosine of a rotor angle.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Turn<L = f64> {
    pub(crate) sin: L,
    pub(crate) cos: L,
}

/// An angle whose sine and cosine are known, from which those of a near one are a short way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Anchor<L = f64> {
    pub(crate) angle: L,
    pub(crate) turn: Turn<L>,
}

/// Farther than this an anchor is set anew. There the series below is cut at 1e-17, `x⁸/40320`.
const NEAR: f64 = 0.02;

impl<L: Lane> Anchor<L> {
    pub(crate) fn new(angle: L) -> Self {
        let sin = L::by_lane(|lane| libm::sin(angle.lane(lane)));
        let cos = L::by_lane(|lane| libm::cos(angle.lane(lane)));
        Self {
            angle,
            turn: Turn { sin, cos },
        }
    }

    /// All its numbers.
    pub(crate) fn numbers(&mut self) -> [&mut L; 3] {
        [&mut self.angle, &mut self.turn.sin, &mut self.turn.cos]
    }

    /// Sets the anchors of the lanes anew that are far from an angle.
    #[cold]
    #[inline(never)]
    fn renew(&mut self, angle: L, far: L::Mask) {
        let new = Self::new(angle);
        self.angle = L::pick(far, new.angle, self.angle);
        self.turn.sin = L::pick(far, new.turn.sin, self.turn.sin);
        self.turn.cos = L::pick(far, new.turn.cos, self.turn.cos);
    }

    /// Sine and cosine of an angle.
    #[inline(always)]
    fn turn(&mut self, angle: L) -> Turn<L> {
        let far = !(angle - self.angle).size().at_most(L::of(NEAR));
        if far.any() {
            self.renew(angle, far);
        }
        let x = angle - self.angle;
        let (one, square) = (L::of(1.0), x * x);
        let (a, b, c) = (L::of(1.0 / 6.0), L::of(1.0 / 120.0), L::of(1.0 / 5040.0));
        let sin = x * (one - square * (a - square * (b - square * c)));
        let (a, b, c) = (L::of(0.5), L::of(1.0 / 24.0), L::of(1.0 / 720.0));
        let cos = one - square * (a - square * (b - square * c));
        let Turn { sin: s, cos: c } = self.turn;
        Turn {
            sin: s * cos + c * sin,
            cos: c * cos - s * sin,
        }
    }
}

impl<L: Lane> Turn<L> {
    /// From the network's axes to the machine's.
    #[inline(always)]
    fn into_machine(self, v: Phasor<L>) -> (L, L) {
        (
            self.sin * v.re - self.cos * v.im,
            self.cos * v.re + self.sin * v.im,
        )
    }

    /// From the machine's axes to the network's.
    #[inline(always)]
    fn into_network(self, (d, q): (L, L)) -> [L; 2] {
        [self.sin * d + self.cos * q, self.sin * q - self.cos * d]
    }

    /// An admittance in the machine's axes, seen from the network's.
    #[inline(always)]
    fn admittance(self, y: &[[L; 2]; 2]) -> [[L; 2]; 2] {
        let (s, c) = (self.sin, self.cos);
        // T' Y T with T = [[s, −c], [c, s]].
        let (a, b) = (y[0][0] * s + y[0][1] * c, y[0][1] * s - y[0][0] * c);
        let (d, e) = (y[1][0] * s + y[1][1] * c, y[1][1] * s - y[1][0] * c);
        [
            [s * a + c * d, s * b + c * e],
            [s * d - c * a, s * e - c * b],
        ]
    }
}

/// Stator and terminals of an alternator on a bus voltage.
#[inline(always)]
fn terminals<L: Lane>(unit: &Unit<L>, signal: &Signals<L>, voltage: Phasor<L>) -> (Stator<L>, L) {
    let (vd, vq) = signal.turn.into_machine(voltage);
    let stator = unit.machine.stator(signal.behind, vd, vq);
    (stator, stator.vq * stator.id - stator.vd * stator.iq)
}

impl<L: Lane> Network<L> {
    /// Rates of shafts, alternators and exciters; the groups' torques are in `signals`. Returns the rate of slot 0, which is not a number
    /// where no voltage of the bus goes with the load.
    #[inline(always)]
    pub(crate) fn rates(
        &self,
        groups: &[Group<L>],
        torque: TorqueConvention,
        at: Instant<L>,
        memory: &mut Memory<L>,
        state: &[L],
        rate: &mut [L],
        signals: &mut [Signals<L>],
    ) -> L {
        let (zero, one) = (L::of(0.0), L::of(1.0));
        let mut sources = Norton::default();
        if let Some(utility) = &self.utility {
            utility.feed(&mut sources);
        }
        let each = self.units.iter().zip(groups).zip(&mut *signals);
        for (((unit, group), signal), anchor) in each.zip(&mut memory.anchors) {
            if group.off() {
                continue;
            }
            let own = &state[unit.machine_at..unit.machine_at + unit.machine.width()];
            let turn = anchor.turn(own[ANGLE]);
            let behind = unit.machine.behind(&own[FLUX..]);
            let y = turn.admittance(&unit.machine.admittance);
            sources.add(group.weight, y, turn.into_network(behind));
            (signal.turn, signal.behind) = (turn, behind);
        }
        let mean_speed = state[0];
        let p = at.load * (one + self.load.frequency * mean_speed);
        let (voltage, found) = solve(&sources, &self.load, (p, at.reactive), memory.voltage);
        if !found.any() {
            // What stood here before must not steer the anchors of the next stage.
            rate.fill(L::of(f64::NAN));
            return L::of(f64::NAN);
        }
        memory.voltage = Phasor::pick(found, voltage, memory.voltage);
        let mean_reactive = if self.crosses {
            self.mean_reactive(groups, signals, voltage)
        } else {
            zero
        };
        let (mut push, mut inertia) = (zero, zero);
        for ((unit, group), signal) in self.units.iter().zip(groups).zip(&mut *signals) {
            let (first, end) = (unit.machine_at, unit.exciter_at + unit.exciter.width());
            if group.off() {
                rate[first..end].fill(zero);
                continue;
            }
            let (stator, reactive) = terminals(unit, signal, voltage);
            let size = (stator.vd * stator.vd + stator.vq * stator.vq).root();
            let active = stator.vd * stator.id + stator.vq * stator.iq;
            let own = &state[unit.machine_at..unit.machine_at + unit.machine.width()];
            let speed = own[SPEED];
            let own_rate = &mut rate[unit.machine_at..unit.machine_at + unit.machine.width()];
            let air_gap = unit.machine.air_gap(stator);
            let braking = if torque == TorqueConvention::PowerOverSpeed {
                air_gap / (one + speed).or_more(L::of(STAGE_SPEED))
            } else {
                air_gap
            };
            let pushing = signal.torque - braking - group.damping * speed;
            let acceleration = pushing * group.inv_two_h;
            own_rate[SPEED] = acceleration;
            own_rate[ANGLE] = self.omega_base * (speed - mean_speed);
            push += group.weight * pushing;
            inertia += group.weight * (L::of(2.0) * group.inertia);

            let states = &state[unit.exciter_at..unit.exciter_at + unit.exciter.width()];
            let shift = unit.control.shift(speed, reactive, mean_reactive);
            let flux = &own[FLUX..];
            let (current, q_field) = unit.machine.field(flux, signal.behind, stator);
            let field = unit.exciter.field(states, size, shift, current);
            let fluxes = &mut own_rate[FLUX..];
            unit.machine
                .rates(flux, stator, (current, q_field), field, fluxes);
            let exciter_rate = &mut rate[unit.exciter_at..unit.exciter_at + unit.exciter.width()];
            unit.exciter
                .rates(states, size, shift, current, exciter_rate);
            signal.stator = stator;
            signal.electric = Electric {
                voltage: size,
                active,
                reactive,
                field,
                field_current: current,
            };
        }
        let mean = self.utility.map_or(push / inertia, |utility| utility.slope);
        L::pick(found, mean, L::of(f64::NAN))
    }

    /// Reactive power of the sets on the bus, mean by kVA.
    fn mean_reactive(&self, groups: &[Group<L>], signals: &[Signals<L>], voltage: Phasor<L>) -> L {
        let (mut sum, mut on_line) = (L::of(0.0), L::of(0.0));
        for ((unit, group), signal) in self.units.iter().zip(groups).zip(signals) {
            if !group.off() {
                sum += group.weight * terminals(unit, signal, voltage).1;
                on_line += group.weight;
            }
        }
        sum / on_line
    }

    /// Brings the exciters' limited states back onto their limits.
    #[inline(always)]
    pub(crate) fn clamp(&self, state: &mut [L], signals: &[Signals<L>]) {
        for (unit, signal) in self.units.iter().zip(signals) {
            let own = &mut state[unit.exciter_at..unit.exciter_at + unit.exciter.width()];
            unit.exciter.clamp(own, signal.electric.field_current);
        }
    }
}

impl Network {
    /// Those of four plants; `None` where they differ in kind.
    pub(crate) fn pack(each: [&Self; LANES]) -> Option<Network<F64x4>> {
        let first = each[0];
        if each.iter().any(|network| {
            network.units.len() != first.units.len()
                || network.utility.is_some() != first.utility.is_some()
        }) {
            return None;
        }
        let units = (0..first.units.len()).map(|index| Unit::pack(each.map(|n| &n.units[index])));
        Some(Network {
            load: LoadModel::pack(each.map(|n| &n.load))?,
            omega_base: F64x4::by_lane(|lane| each[lane].omega_base),
            units: units.collect::<Option<_>>()?,
            utility: match each.map(|n| &n.utility) {
                [Some(a), Some(b), Some(c), Some(d)] => Some(Utility::pack([a, b, c, d])),
                _ => None,
            },
            crosses: each.iter().any(|network| network.crosses),
        })
    }
}

impl Unit {
    fn pack(each: [&Self; LANES]) -> Option<Unit<F64x4>> {
        let (machine_at, exciter_at) = (each[0].machine_at, each[0].exciter_at);
        if each
            .iter()
            .any(|unit| (unit.machine_at, unit.exciter_at) != (machine_at, exciter_at))
        {
            return None;
        }
        let of = |get: fn(&Control) -> f64| F64x4::by_lane(|lane| get(&each[lane].control));
        Some(Unit {
            machine: Machine::pack(each.map(|unit| &unit.machine))?,
            machine_at,
            exciter: Exciter::pack(each.map(|unit| &unit.exciter))?,
            exciter_at,
            control: Control {
                droop: of(|c| c.droop),
                cross: of(|c| c.cross),
                knee: of(|c| c.knee),
                slope: of(|c| c.slope),
                at_start: of(|c| c.at_start),
            },
        })
    }
}
