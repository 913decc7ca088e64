//! Governors whose limits act within their right side: GGOV1, GAST, IEEEG1, PID.
//!
//! Their limits are minima, clips and rate limits of continuous signals, or integrals that are held at a limit: a Runge-Kutta step over such a kink
//! is off by the square of the step at most, so nothing is located. Slot 0 of a group is the valve, slot 1 the boost, then their own states.

#![expect(
    clippy::inline_always,
    reason = "compiled for the vector width of the caller"
)]

use crate::exciter::held;
use crate::ggov1::{self, Ggov1};
use crate::lane::{F64x4, LANES, Lane};
use crate::spec::GovernorSpec;

/// What a governor sees at an instant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct In<L = f64> {
    pub(crate) valve: L,
    pub(crate) speed: L,
    /// What a load-sharing line adds to the speed reference.
    pub(crate) trim: L,
    pub(crate) acceleration: L,
    /// Fuel after the dead time.
    pub(crate) input: L,
    /// Electrical power of the set.
    pub(crate) power: L,
    /// Highest power the boost allows; infinite without a turbocharger.
    pub(crate) ceiling: L,
}

/// How it moves its valve, and the fuel that enters the dead time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drive<L = f64> {
    pub(crate) valve_rate: L,
    pub(crate) fuel_rate: L,
}

/// One of them, with what it holds from the start.
#[derive(Debug, Clone, Copy)]
pub(crate) enum General<L = f64> {
    Ggov1(Ggov1<L>),
    Gast(Gast<L>),
    Ieeeg1(Ieeeg1<L>),
    Pid(Pid<L>),
}

/// GAST; `start` is the power it starts at, here and below.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gast<L> {
    start: L,
    droop: L,
    t1: L,
    t2: L,
    t3: L,
    at: L,
    kt: L,
    vmin: L,
    vmax: L,
    dturb: L,
}

/// IEEEG1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ieeeg1<L> {
    start: L,
    k: L,
    t1: L,
    t2: L,
    t3: L,
    uo: L,
    uc: L,
    pmax: L,
    pmin: L,
    stages: [L; 4],
    shares: [L; 4],
}

/// PID.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pid<L> {
    start: L,
    kp: L,
    ki: L,
    kd: L,
    td: L,
    droop: L,
    tact: L,
    t: L,
    max: L,
    min: L,
}

/// Own states at most.
pub(crate) const MOST: usize = ggov1::OWN;

/// Rate of a lag; no lag, no state.
#[inline(always)]
pub(crate) fn lag<L: Lane>(target: L, value: L, t_s: L) -> L {
    L::pick(t_s.above(L::of(0.0)), (target - value) / t_s, L::of(0.0))
}

impl General {
    /// At rest at a power; fills its own states and returns it with its valve. `None`: a governor of another kind.
    pub(crate) fn start(
        spec: &GovernorSpec,
        power: f64,
        electrical: f64,
        own: &mut [f64; MOST],
    ) -> Option<(Self, f64)> {
        match spec {
            GovernorSpec::Ggov1(s) => {
                let (unit, valve) = Ggov1::start(s, power, electrical, own);
                Some((Self::Ggov1(unit), valve))
            }
            GovernorSpec::Gast(s) => {
                (own[0], own[1]) = (power, power);
                let unit = Gast {
                    start: power,
                    droop: s.droop_pu,
                    t1: s.t1_s,
                    t2: s.t2_s,
                    t3: s.t3_s,
                    at: s.at_pu,
                    kt: s.kt,
                    vmin: s.vmin_pu,
                    vmax: s.vmax_pu,
                    dturb: s.dturb_pu,
                };
                Some((Self::Gast(unit), power))
            }
            GovernorSpec::Ieeeg1(s) => {
                own[1..5].fill(power);
                let unit = Ieeeg1 {
                    start: power,
                    k: s.k,
                    t1: s.t1_s,
                    t2: s.t2_s,
                    t3: s.t3_s,
                    uo: s.uo_per_s,
                    uc: s.uc_per_s,
                    pmax: s.pmax_pu,
                    pmin: s.pmin_pu,
                    stages: s.stages_s,
                    shares: s.shares,
                };
                Some((Self::Ieeeg1(unit), power))
            }
            GovernorSpec::Pid(s) => {
                (own[0], own[2]) = (power, power);
                let unit = Pid {
                    start: power,
                    kp: s.kp_pu,
                    ki: s.ki_per_s,
                    kd: s.kd_s,
                    td: s.td_s,
                    droop: s.droop_pu,
                    tact: s.tact_s,
                    t: s.t_s,
                    max: s.max_pu,
                    min: s.min_pu,
                };
                Some((Self::Pid(unit), power))
            }
            _ => None,
        }
    }

    /// Those of four plants; `None` where they are of different models.
    pub(crate) fn pack(each: [&Self; LANES]) -> Option<General<F64x4>> {
        match each {
            [
                Self::Ggov1(a),
                Self::Ggov1(b),
                Self::Ggov1(c),
                Self::Ggov1(d),
            ] => Ggov1::pack([a, b, c, d]).map(General::Ggov1),
            [Self::Gast(a), Self::Gast(b), Self::Gast(c), Self::Gast(d)] => {
                let each = [a, b, c, d];
                let of = |get: fn(&Gast<f64>) -> f64| F64x4::by_lane(|lane| get(each[lane]));
                Some(General::Gast(Gast {
                    start: of(|s| s.start),
                    droop: of(|s| s.droop),
                    t1: of(|s| s.t1),
                    t2: of(|s| s.t2),
                    t3: of(|s| s.t3),
                    at: of(|s| s.at),
                    kt: of(|s| s.kt),
                    vmin: of(|s| s.vmin),
                    vmax: of(|s| s.vmax),
                    dturb: of(|s| s.dturb),
                }))
            }
            [
                Self::Ieeeg1(a),
                Self::Ieeeg1(b),
                Self::Ieeeg1(c),
                Self::Ieeeg1(d),
            ] => {
                let each = [a, b, c, d];
                let of = |get: fn(&Ieeeg1<f64>) -> f64| F64x4::by_lane(|lane| get(each[lane]));
                let stage = |i: usize| F64x4::by_lane(|lane| each[lane].stages[i]);
                let share = |i: usize| F64x4::by_lane(|lane| each[lane].shares[i]);
                Some(General::Ieeeg1(Ieeeg1 {
                    start: of(|s| s.start),
                    k: of(|s| s.k),
                    t1: of(|s| s.t1),
                    t2: of(|s| s.t2),
                    t3: of(|s| s.t3),
                    uo: of(|s| s.uo),
                    uc: of(|s| s.uc),
                    pmax: of(|s| s.pmax),
                    pmin: of(|s| s.pmin),
                    stages: std::array::from_fn(stage),
                    shares: std::array::from_fn(share),
                }))
            }
            [Self::Pid(a), Self::Pid(b), Self::Pid(c), Self::Pid(d)] => {
                let each = [a, b, c, d];
                let of = |get: fn(&Pid<f64>) -> f64| F64x4::by_lane(|lane| get(each[lane]));
                Some(General::Pid(Pid {
                    start: of(|s| s.start),
                    kp: of(|s| s.kp),
                    ki: of(|s| s.ki),
                    kd: of(|s| s.kd),
                    td: of(|s| s.td),
                    droop: of(|s| s.droop),
                    tact: of(|s| s.tact),
                    t: of(|s| s.t),
                    max: of(|s| s.max),
                    min: of(|s| s.min),
                }))
            }
            _ => None,
        }
    }
}

impl<L: Lane> General<L> {
    /// Number of its own states.
    #[inline(always)]
    pub(crate) fn own(&self) -> usize {
        match self {
            Self::Ggov1(_) => ggov1::OWN,
            Self::Gast(_) => 2,
            Self::Ieeeg1(_) => 5,
            Self::Pid(_) => 3,
        }
    }

    /// Limits of the valve.
    #[inline(always)]
    pub(crate) fn limits(&self) -> (L, L) {
        match self {
            Self::Ggov1(_) => (L::of(f64::NEG_INFINITY), L::of(f64::INFINITY)),
            Self::Gast(g) => (g.vmin, g.vmax),
            Self::Ieeeg1(g) => (g.pmin, g.pmax),
            Self::Pid(g) => (g.min, g.max),
        }
    }

    /// What enters the dead time.
    #[inline(always)]
    pub(crate) fn fuel(&self, valve: L, speed: L) -> L {
        match self {
            Self::Ggov1(g) => g.fuel(valve, speed),
            Self::Gast(_) | Self::Ieeeg1(_) | Self::Pid(_) => valve,
        }
    }

    /// Mechanical power; `input` is the fuel after the dead time.
    #[inline(always)]
    pub(crate) fn output(&self, own: &[L], speed: L, input: L) -> L {
        let zero = L::of(0.0);
        match self {
            Self::Ggov1(g) => g.output(own, speed, input),
            Self::Gast(g) => own[0] - g.dturb * speed,
            Self::Ieeeg1(g) => {
                let mut before = input;
                let mut sum = zero;
                for (stage, (&t, share)) in g.stages.iter().zip(g.shares).enumerate() {
                    before = L::pick(t.above(zero), own[1 + stage], before);
                    sum += share * before;
                }
                sum
            }
            Self::Pid(g) => L::pick(g.t.above(zero), own[2], input),
        }
    }

    /// Whether its power is divided by speed in both conventions.
    pub(crate) fn always_over_speed(&self) -> bool {
        matches!(self, Self::Ggov1(_))
    }

    /// Rates of its own states, and of valve and fuel.
    #[inline(always)]
    pub(crate) fn rates(&self, own: &[L], at: &In<L>, rate: &mut [L]) -> Drive<L> {
        let valve_rate = match self {
            Self::Ggov1(g) => return g.rates(own, at, rate),
            Self::Gast(g) => g.rates(own, at, rate),
            Self::Ieeeg1(g) => g.rates(own, at, rate),
            Self::Pid(g) => g.rates(own, at, rate),
        };
        Drive {
            valve_rate,
            fuel_rate: valve_rate,
        }
    }
}

impl<L: Lane> Gast<L> {
    #[inline(always)]
    fn rates(&self, own: &[L], at: &In<L>, rate: &mut [L]) -> L {
        let temperature = self.at + self.kt * (self.at - own[1]);
        let demand = (self.start - at.speed / self.droop).or_less(temperature);
        rate[0] = (at.valve - own[0]) / self.t2;
        rate[1] = (own[0] - own[1]) / self.t3;
        let high = self.vmax.or_less(at.ceiling).or_more(self.vmin);
        // A ceiling that comes down takes the valve with it at the valve's own speed.
        let free = (demand.or_less(high) - at.valve) / self.t1;
        held(free, at.valve, self.vmin, high)
    }
}

impl<L: Lane> Ieeeg1<L> {
    #[inline(always)]
    fn rates(&self, own: &[L], at: &In<L>, rate: &mut [L]) -> L {
        let zero = L::of(0.0);
        let led = own[0] + self.t2 / self.t1 * (at.speed - own[0]);
        let signal = L::pick(self.t1.above(zero), led, at.speed);
        rate[0] = lag(at.speed, own[0], self.t1);
        let mut before = at.input;
        for (stage, &t) in self.stages.iter().enumerate() {
            rate[1 + stage] = lag(before, own[1 + stage], t);
            before = L::pick(t.above(zero), own[1 + stage], before);
        }
        let high = self.pmax.or_less(at.ceiling).or_more(self.pmin);
        let boosted = L::pick(at.ceiling.below(self.pmax), high, L::of(f64::INFINITY));
        let demand = (self.start - self.k * signal).or_less(boosted);
        let free = ((demand - at.valve) / self.t3).within(self.uc, self.uo);
        held(free, at.valve, self.pmin, high)
    }
}

impl<L: Lane> Pid<L> {
    #[inline(always)]
    fn rates(&self, own: &[L], at: &In<L>, rate: &mut [L]) -> L {
        let zero = L::of(0.0);
        let error = at.trim - at.speed - self.droop * (at.valve - self.start);
        let slope = lag(error, own[1], self.td);
        rate[1] = slope;
        let demand = self.kp * error + own[0] + self.kd * slope;
        let high = self.max.or_less(at.ceiling).or_more(self.min);
        let integral = self.ki * error;
        let beyond = (demand.above(high) & integral.above(zero))
            | (demand.below(self.min) & integral.below(zero));
        rate[0] = L::pick(beyond, zero, integral);
        rate[2] = lag(at.input, own[2], self.t);
        (demand.within(self.min, high) - at.valve) / self.tact
    }
}
