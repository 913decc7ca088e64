//! Governors whose limits act within their right side: GGOV1, GAST, IEEEG1, PID.
//!
//! Their limits are minima, clips and rate limits of continuous signals, or integrals that are held at a limit: a Runge-Kutta step over such a kink
//! is off by the square of the step at most, so nothing is located. Slot 0 of a group is the valve, slot 1 the boost, then their own states.

use crate::ggov1::{self, Ggov1};
use crate::governor_spec::{GastSpec, Ieeeg1Spec, PidSpec};
use crate::spec::GovernorSpec;

/// What a governor sees at an instant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct In {
    pub(crate) valve: f64,
    pub(crate) speed: f64,
    /// What a load-sharing line adds to the speed reference.
    pub(crate) trim: f64,
    pub(crate) acceleration: f64,
    /// Fuel after the dead time.
    pub(crate) input: f64,
    /// Electrical power of the set.
    pub(crate) power: f64,
    /// Highest power the boost allows; infinite without a turbocharger.
    pub(crate) ceiling: f64,
}

/// How it moves its valve, and the fuel that enters the dead time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drive {
    pub(crate) valve_rate: f64,
    pub(crate) fuel_rate: f64,
}

/// One of them, with what it holds from the start.
#[derive(Debug, Clone, Copy)]
pub(crate) enum General {
    Ggov1(Ggov1),
    Gast { spec: GastSpec, start: f64 },
    Ieeeg1 { spec: Ieeeg1Spec, start: f64 },
    Pid { spec: PidSpec, start: f64 },
}

/// Own states at most.
pub(crate) const MOST: usize = ggov1::OWN;

/// Rate of a lag; no lag, no state.
fn lag(target: f64, value: f64, t_s: f64) -> f64 {
    if t_s > 0.0 {
        (target - value) / t_s
    } else {
        0.0
    }
}

/// A rate that does not carry a value further beyond a limit it has reached.
fn held(rate: f64, value: f64, low: f64, high: f64) -> f64 {
    if (value >= high && rate > 0.0) || (value <= low && rate < 0.0) {
        0.0
    } else {
        rate
    }
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
                Some((
                    Self::Gast {
                        spec: *s,
                        start: power,
                    },
                    power,
                ))
            }
            GovernorSpec::Ieeeg1(s) => {
                own[1..5].fill(power);
                Some((
                    Self::Ieeeg1 {
                        spec: *s,
                        start: power,
                    },
                    power,
                ))
            }
            GovernorSpec::Pid(s) => {
                (own[0], own[2]) = (power, power);
                Some((
                    Self::Pid {
                        spec: *s,
                        start: power,
                    },
                    power,
                ))
            }
            _ => None,
        }
    }

    /// Number of its own states.
    pub(crate) fn own(&self) -> usize {
        match self {
            Self::Ggov1(_) => ggov1::OWN,
            Self::Gast { .. } => 2,
            Self::Ieeeg1 { .. } => 5,
            Self::Pid { .. } => 3,
        }
    }

    /// Limits of the valve.
    pub(crate) fn limits(&self) -> (f64, f64) {
        match self {
            Self::Ggov1(_) => (f64::NEG_INFINITY, f64::INFINITY),
            Self::Gast { spec, .. } => (spec.vmin_pu, spec.vmax_pu),
            Self::Ieeeg1 { spec, .. } => (spec.pmin_pu, spec.pmax_pu),
            Self::Pid { spec, .. } => (spec.min_pu, spec.max_pu),
        }
    }

    /// What enters the dead time.
    pub(crate) fn fuel(&self, valve: f64, speed: f64) -> f64 {
        match self {
            Self::Ggov1(g) => g.fuel(valve, speed),
            Self::Gast { .. } | Self::Ieeeg1 { .. } | Self::Pid { .. } => valve,
        }
    }

    /// Mechanical power; `input` is the fuel after the dead time.
    pub(crate) fn output(&self, own: &[f64], speed: f64, input: f64) -> f64 {
        match self {
            Self::Ggov1(g) => g.output(own, speed, input),
            Self::Gast { spec, .. } => own[0] - spec.dturb_pu * speed,
            Self::Ieeeg1 { spec, .. } => {
                let mut before = input;
                let mut sum = 0.0;
                for (stage, (&t_s, share)) in spec.stages_s.iter().zip(spec.shares).enumerate() {
                    if t_s > 0.0 {
                        before = own[1 + stage];
                    }
                    sum += share * before;
                }
                sum
            }
            Self::Pid { spec, .. } => {
                if spec.t_s > 0.0 {
                    own[2]
                } else {
                    input
                }
            }
        }
    }

    /// Whether its power is divided by speed in both conventions.
    pub(crate) fn always_over_speed(&self) -> bool {
        matches!(self, Self::Ggov1(_))
    }

    /// Rates of its own states, and of valve and fuel.
    pub(crate) fn rates(&self, own: &[f64], at: &In, rate: &mut [f64]) -> Drive {
        let valve_rate = match self {
            Self::Ggov1(g) => return g.rates(own, at, rate),
            Self::Gast { spec, start } => {
                let temperature = spec.at_pu + spec.kt * (spec.at_pu - own[1]);
                let demand = (start - at.speed / spec.droop_pu).min(temperature);
                rate[0] = (at.valve - own[0]) / spec.t2_s;
                rate[1] = (own[0] - own[1]) / spec.t3_s;
                let high = spec.vmax_pu.min(at.ceiling).max(spec.vmin_pu);
                // A ceiling that comes down takes the valve with it at the valve's own speed.
                let free = (demand.min(high) - at.valve) / spec.t1_s;
                held(free, at.valve, spec.vmin_pu, high)
            }
            Self::Ieeeg1 { spec, start } => {
                let signal = if spec.t1_s > 0.0 {
                    own[0] + spec.t2_s / spec.t1_s * (at.speed - own[0])
                } else {
                    at.speed
                };
                rate[0] = lag(at.speed, own[0], spec.t1_s);
                let mut before = at.input;
                for (stage, &t_s) in spec.stages_s.iter().enumerate() {
                    rate[1 + stage] = lag(before, own[1 + stage], t_s);
                    if t_s > 0.0 {
                        before = own[1 + stage];
                    }
                }
                let high = spec.pmax_pu.min(at.ceiling).max(spec.pmin_pu);
                let demand = (start - spec.k * signal).min(if at.ceiling < spec.pmax_pu {
                    high
                } else {
                    f64::INFINITY
                });
                let free = ((demand - at.valve) / spec.t3_s).clamp(spec.uc_per_s, spec.uo_per_s);
                held(free, at.valve, spec.pmin_pu, high)
            }
            Self::Pid { spec, start } => {
                let error = at.trim - at.speed - spec.droop_pu * (at.valve - start);
                let slope = lag(error, own[1], spec.td_s);
                rate[1] = slope;
                let demand = spec.kp_pu * error + own[0] + spec.kd_s * slope;
                let high = spec.max_pu.min(at.ceiling).max(spec.min_pu);
                let integral = spec.ki_per_s * error;
                let beyond =
                    (demand > high && integral > 0.0) || (demand < spec.min_pu && integral < 0.0);
                rate[0] = if beyond { 0.0 } else { integral };
                rate[2] = lag(at.input, own[2], spec.t_s);
                (demand.clamp(spec.min_pu, high) - at.valve) / spec.tact_s
            }
        };
        Drive {
            valve_rate,
            fuel_rate: valve_rate,
        }
    }
}
