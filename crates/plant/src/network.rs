//! Sets with alternators on one bus: each its own angle and speed.
//!
//! The network's axes turn with the sets' common speed (the mean weighted by inertia), so angles stay small however long a run is. Slot 0 of the
//! state is that mean. With a utility the axes turn with its voltage and slot 0 is its frequency. Electrical torque is the air-gap power, or that over the set's speed ([`crate::TorqueConvention`]).

use crate::bus::{LoadModel, Norton, solve};
use crate::exciter::Exciter;
use crate::governor::{Electric, Group, Signals};
use crate::machine::{ANGLE, FLUX, Machine, SPEED};
use crate::model::{Instant, Memory};
use crate::spec::TorqueConvention;
use crate::utility::Utility;

/// A Runge-Kutta stage never divides by less; such a step ends in a collapse, which is then located.
const STAGE_SPEED: f64 = 0.25;

/// Alternators and what they feed.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    pub(crate) load: LoadModel,
    /// Nominal angular frequency, rad/s.
    pub(crate) omega_base: f64,
    /// By group.
    pub(crate) units: Vec<Unit>,
    /// The grid, where there is one.
    pub(crate) utility: Option<Utility>,
}

/// Alternator and exciter of one group.
#[derive(Debug, Clone)]
pub(crate) struct Unit {
    pub(crate) machine: Machine,
    pub(crate) machine_at: usize,
    pub(crate) exciter: Exciter,
    pub(crate) exciter_at: usize,
    pub(crate) control: Control,
}

/// What shifts a voltage reference.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Control {
    pub(crate) droop: f64,
    pub(crate) cross: f64,
    /// Knee of the roll-off, per unit of frequency, and its slope.
    pub(crate) knee: f64,
    pub(crate) slope: f64,
    /// Shift at the start, which the exciter's reference makes up for.
    pub(crate) at_start: f64,
}

impl Control {
    pub(crate) fn shift(&self, speed: f64, reactive: f64, mean_reactive: f64) -> f64 {
        let below = (self.knee - (1.0 + speed)).max(0.0);
        -self.droop * reactive - self.cross * (reactive - mean_reactive) - self.slope * below
            + self.at_start
    }
}

/// Sine and cosine of a rotor angle.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Turn {
    sin: f64,
    cos: f64,
}

/// An angle whose sine and cosine are known, from which those of a near one are a short way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Anchor {
    angle: f64,
    turn: Turn,
}

/// Farther than this an anchor is set anew. There the series below is cut at 1e-17, `x⁸/40320`.
const NEAR: f64 = 0.02;

impl Anchor {
    pub(crate) fn new(angle: f64) -> Self {
        Self {
            angle,
            turn: Turn::of(angle),
        }
    }

    /// Sine and cosine of an angle.
    fn turn(&mut self, angle: f64) -> Turn {
        let x = angle - self.angle;
        if x.is_nan() || x.abs() > NEAR {
            *self = Self::new(angle);
            return self.turn;
        }
        let square = x * x;
        let sin = x * (1.0 - square * (1.0 / 6.0 - square * (1.0 / 120.0 - square / 5040.0)));
        let cos = 1.0 - square * (0.5 - square * (1.0 / 24.0 - square / 720.0));
        let Turn { sin: s, cos: c } = self.turn;
        Turn {
            sin: s * cos + c * sin,
            cos: c * cos - s * sin,
        }
    }
}

impl Turn {
    fn of(angle: f64) -> Self {
        let (sin, cos) = libm::sincos(angle);
        Self { sin, cos }
    }

    /// From the network's axes to the machine's.
    fn into_machine(self, re: f64, im: f64) -> (f64, f64) {
        (self.sin * re - self.cos * im, self.cos * re + self.sin * im)
    }

    /// From the machine's axes to the network's.
    fn into_network(self, d: f64, q: f64) -> [f64; 2] {
        [self.sin * d + self.cos * q, self.sin * q - self.cos * d]
    }

    /// An admittance in the machine's axes, seen from the network's.
    fn admittance(self, y: &[[f64; 2]; 2]) -> [[f64; 2]; 2] {
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

impl Network {
    /// Rates of shafts, alternators and exciters; the groups' torques are in `signals`. Returns the rate of slot 0, which is not a number
    /// where no voltage of the bus goes with the load.
    pub(crate) fn rates(
        &self,
        groups: &[Group],
        torque: TorqueConvention,
        at: Instant,
        memory: &mut Memory,
        state: &[f64],
        rate: &mut [f64],
        signals: &mut [Signals],
    ) -> f64 {
        let mut sources = Norton::default();
        if let Some(utility) = &self.utility {
            utility.feed(&mut sources);
        }
        let each = self.units.iter().zip(groups).zip(&mut *signals);
        for (((unit, group), signal), anchor) in each.zip(&mut memory.anchors) {
            if group.weight == 0.0 {
                continue;
            }
            let own = &state[unit.machine_at..unit.machine_at + unit.machine.width()];
            signal.turn = anchor.turn(own[ANGLE]);
            signal.behind = unit.machine.behind(&own[FLUX..]);
            let (ed, eq) = signal.behind;
            let y = signal.turn.admittance(&unit.machine.admittance);
            sources.add(group.weight, y, signal.turn.into_network(ed, eq));
        }
        let mean_speed = state[0];
        let p = at.load * (1.0 + self.load.frequency * mean_speed);
        let Some(voltage) = solve(&sources, &self.load, (p, at.reactive), memory.voltage) else {
            return f64::NAN;
        };
        memory.voltage = voltage;
        let (mut reactive, mut on_line) = (0.0, 0.0);
        for ((unit, group), signal) in self.units.iter().zip(groups).zip(&mut *signals) {
            if group.weight == 0.0 {
                continue;
            }
            let (vd, vq) = signal.turn.into_machine(voltage.re, voltage.im);
            let stator = unit.machine.stator(signal.behind, vd, vq);
            signal.electric = Electric {
                voltage: (stator.vd * stator.vd + stator.vq * stator.vq).sqrt(),
                active: stator.vd * stator.id + stator.vq * stator.iq,
                reactive: stator.vq * stator.id - stator.vd * stator.iq,
                ..Electric::default()
            };
            signal.stator = stator;
            reactive += group.weight * signal.electric.reactive;
            on_line += group.weight;
        }
        let mean_reactive = reactive / on_line;
        let (mut push, mut inertia) = (0.0, 0.0);
        for ((unit, group), signal) in self.units.iter().zip(groups).zip(&mut *signals) {
            let (first, end) = (unit.machine_at, unit.exciter_at + unit.exciter.width());
            if group.weight == 0.0 {
                rate[first..end].fill(0.0);
                continue;
            }
            let own = &state[unit.machine_at..unit.machine_at + unit.machine.width()];
            let speed = own[SPEED];
            let own_rate = &mut rate[unit.machine_at..unit.machine_at + unit.machine.width()];
            let air_gap = unit.machine.air_gap(signal.stator);
            let braking = if torque == TorqueConvention::PowerOverSpeed {
                air_gap / (1.0 + speed).max(STAGE_SPEED)
            } else {
                air_gap
            };
            let two_h = 2.0 * group.inertia;
            let acceleration = (signal.torque - braking - group.damping * speed) / two_h;
            own_rate[SPEED] = acceleration;
            own_rate[ANGLE] = self.omega_base * (speed - mean_speed);
            push += group.weight * two_h * acceleration;
            inertia += group.weight * two_h;
            signal.acceleration = acceleration;

            let states = &state[unit.exciter_at..unit.exciter_at + unit.exciter.width()];
            let shift = unit
                .control
                .shift(speed, signal.electric.reactive, mean_reactive);
            let (current, q_field) = unit.machine.field(&own[FLUX..], signal.stator);
            let size = signal.electric.voltage;
            let field = unit.exciter.field(states, size, shift, current);
            unit.machine.rates(
                &own[FLUX..],
                signal.stator,
                (current, q_field),
                field,
                &mut own_rate[FLUX..],
            );
            let exciter_rate = &mut rate[unit.exciter_at..unit.exciter_at + unit.exciter.width()];
            unit.exciter
                .rates(states, size, shift, current, exciter_rate);
            (signal.electric.field, signal.electric.field_current) = (field, current);
        }
        self.utility.map_or(push / inertia, |utility| utility.slope)
    }

    /// Brings the exciters' limited states back onto their limits.
    pub(crate) fn clamp(&self, state: &mut [f64], signals: &[Signals]) {
        for (unit, signal) in self.units.iter().zip(signals) {
            let own = &mut state[unit.exciter_at..unit.exciter_at + unit.exciter.width()];
            unit.exciter.clamp(own, signal.electric.field_current);
        }
    }
}
