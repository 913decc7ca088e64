//! GGOV1 as first-order states.

use crate::general::{Drive, In};
use crate::governor_spec::{Ggov1Feedback, Ggov1Spec};

/// Slots of its own states.
const POWER: usize = 0;
const DERIVATIVE: usize = 1;
const INTEGRAL: usize = 2;
const LIMIT_INTEGRAL: usize = 3;
const EXHAUST: usize = 4;
const MEASURED: usize = 5;
const ENGINE: usize = 6;
const ACCELERATION: usize = 7;
const LAST: usize = 8;
const SUPERVISOR: usize = 9;
pub(crate) const OWN: usize = 10;

/// A GGOV1 that starts at a power.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ggov1 {
    spec: Ggov1Spec,
    reference: f64,
    start_power: f64,
}

/// Low-value select and what it selects from.
#[derive(Clone, Copy)]
struct Demand {
    error: f64,
    stroke: f64,
}

impl Ggov1 {
    /// At rest at an engine power and the electrical power that goes with it (less by the armature's losses).
    pub(crate) fn start(
        spec: &Ggov1Spec,
        power: f64,
        electrical: f64,
        own: &mut [f64],
    ) -> (Self, f64) {
        let stroke = power / spec.kturb + spec.wfnl_pu;
        own[POWER] = electrical;
        (own[INTEGRAL], own[LIMIT_INTEGRAL]) = (stroke, stroke);
        (own[EXHAUST], own[MEASURED], own[LAST]) = (stroke, stroke, stroke);
        own[ENGINE] = power;
        let fed_back = match spec.feedback {
            Ggov1Feedback::Isochronous => 0.0,
            Ggov1Feedback::Power => electrical,
            Ggov1Feedback::Valve | Ggov1Feedback::Governor => stroke,
        };
        let unit = Self {
            spec: *spec,
            reference: spec.droop_pu * fed_back,
            start_power: electrical,
        };
        (unit, stroke)
    }

    fn flow(&self, valve: f64, speed: f64) -> f64 {
        if self.spec.fuel_follows_speed {
            valve * (1.0 + speed)
        } else {
            valve
        }
    }

    pub(crate) fn fuel(&self, valve: f64, speed: f64) -> f64 {
        self.spec.kturb * (self.flow(valve, speed) - self.spec.wfnl_pu)
    }

    pub(crate) fn output(&self, own: &[f64], speed: f64, input: f64) -> f64 {
        let s = &self.spec;
        let engine = if s.tb_s > 0.0 {
            own[ENGINE] + s.tc_s / s.tb_s * (input - own[ENGINE])
        } else {
            input
        };
        engine - s.dm_pu.max(0.0) * speed
    }

    /// Governor error for a fed-back signal.
    fn error(&self, speed: f64, supervisor: f64, fed_back: f64) -> f64 {
        let s = &self.spec;
        let raw = self.reference + supervisor - speed - s.droop_pu * fed_back;
        let beyond = raw - raw.clamp(-s.deadband_pu, s.deadband_pu);
        beyond.clamp(s.minerr_pu, s.maxerr_pu)
    }

    fn demand(&self, own: &[f64], at: &In, measured_power: f64, exhaust: f64) -> Demand {
        let s = &self.spec;
        let limiter = (s.kpload * (s.ldref_pu / s.kturb + s.wfnl_pu - exhaust)
            + own[LIMIT_INTEGRAL])
            .min(1.0);
        let acceleration = if s.acceleration_limiter {
            let measured = (at.speed - own[ACCELERATION]) / s.ta_s;
            own[LAST] + s.ka * s.delt_s * (s.aset_per_s - measured)
        } else {
            f64::INFINITY
        };
        let most = if s.dm_pu < 0.0 {
            // The highest fuel falls with speed: Vmax ω^Dm.
            s.vmax_pu * libm::pow((1.0 + at.speed).max(0.1), s.dm_pu)
        } else {
            s.vmax_pu
        };
        let ceiling = at.ceiling / s.kturb + s.wfnl_pu;
        let high = most.min(ceiling).max(s.vmin_pu);
        let stroke = |error: f64| {
            let slope = if s.tdgov_s > 0.0 {
                s.kdgov_s / s.tdgov_s * (error - own[DERIVATIVE])
            } else {
                0.0
            };
            let normal = s.kpgov * error + slope + own[INTEGRAL];
            normal.min(limiter).min(acceleration).clamp(s.vmin_pu, high)
        };
        let error_for = |fed_back: f64| self.error(at.speed - at.trim, own[SUPERVISOR], fed_back);
        let error = match s.feedback {
            Ggov1Feedback::Isochronous => error_for(0.0),
            Ggov1Feedback::Power => error_for(measured_power),
            Ggov1Feedback::Valve => error_for(at.valve),
            Ggov1Feedback::Governor => {
                // The stroke falls as it is fed back, so stroke(error(x)) = x has one root.
                let (mut low, mut hi) = (s.vmin_pu, high);
                for _ in 0..60 {
                    let middle = 0.5 * (low + hi);
                    if stroke(error_for(middle)) > middle {
                        low = middle;
                    } else {
                        hi = middle;
                    }
                }
                error_for(0.5 * (low + hi))
            }
        };
        Demand {
            error,
            stroke: stroke(error),
        }
    }

    pub(crate) fn rates(&self, own: &[f64], at: &In, rate: &mut [f64]) -> Drive {
        let s = &self.spec;
        let lag =
            |target: f64, value: f64, t: f64| if t > 0.0 { (target - value) / t } else { 0.0 };
        let measured_power = if s.tpelec_s > 0.0 {
            own[POWER]
        } else {
            at.power
        };
        rate[POWER] = lag(at.power, own[POWER], s.tpelec_s);
        let flow = self.flow(at.valve, at.speed);
        let temperature = if s.tsb_s > 0.0 {
            own[EXHAUST] + s.tsa_s / s.tsb_s * (flow - own[EXHAUST])
        } else {
            flow
        };
        rate[EXHAUST] = lag(flow, own[EXHAUST], s.tsb_s);
        let exhaust = if s.tfload_s > 0.0 {
            own[MEASURED]
        } else {
            temperature
        };
        rate[MEASURED] = lag(temperature, own[MEASURED], s.tfload_s);
        let Demand { error, stroke } = self.demand(own, at, measured_power, exhaust);
        rate[DERIVATIVE] = lag(error, own[DERIVATIVE], s.tdgov_s);
        rate[INTEGRAL] = s.kigov_per_s / s.kpgov * (stroke - own[INTEGRAL]);
        rate[LIMIT_INTEGRAL] = s.kiload_per_s / s.kpload * (stroke - own[LIMIT_INTEGRAL]);
        rate[ENGINE] = lag(at.input, own[ENGINE], s.tb_s);
        rate[ACCELERATION] = lag(at.speed, own[ACCELERATION], s.ta_s);
        rate[LAST] = lag(stroke, own[LAST], s.delt_s);
        let wanted = s.kimw_per_s * (self.start_power - measured_power);
        // PSS/E holds the supervisor within 1.1 times the droop.
        let bound = 1.1 * s.droop_pu;
        let outward = (own[SUPERVISOR] >= bound && wanted > 0.0)
            || (own[SUPERVISOR] <= -bound && wanted < 0.0);
        rate[SUPERVISOR] = if outward { 0.0 } else { wanted };
        let valve_rate = ((stroke - at.valve) / s.tact_s).clamp(s.rclose_per_s, s.ropen_per_s);
        let fuel_rate = if s.fuel_follows_speed {
            s.kturb * (valve_rate * (1.0 + at.speed) + at.valve * at.acceleration)
        } else {
            s.kturb * valve_rate
        };
        Drive {
            valve_rate,
            fuel_rate,
        }
    }
}
