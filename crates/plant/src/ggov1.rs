//! GGOV1 as first-order states.

#![expect(
    clippy::inline_always,
    reason = "compiled for the vector width of the caller"
)]

use crate::exciter::held;
use crate::general::{Drive, In, lag};
use crate::governor_spec::{Ggov1Feedback, Ggov1Spec};
use crate::lane::{F64x4, LANES, Lane, Mask};

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

/// A GGOV1 that starts at a power; names of the constants as in [`Ggov1Spec`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ggov1<L = f64> {
    feedback: Ggov1Feedback,
    fuel_follows_speed: bool,
    acceleration_limiter: bool,
    reference: L,
    start_power: L,
    droop: L,
    maxerr: L,
    minerr: L,
    deadband: L,
    kpgov: L,
    kigov: L,
    kdgov: L,
    tdgov: L,
    vmax: L,
    vmin: L,
    tact: L,
    kturb: L,
    wfnl: L,
    tb: L,
    tc: L,
    tfload: L,
    kpload: L,
    kiload: L,
    ldref: L,
    dm: L,
    ropen: L,
    rclose: L,
    kimw: L,
    aset: L,
    ka: L,
    ta: L,
    delt: L,
    tsa: L,
    tsb: L,
    tpelec: L,
}

/// Low-value select and what it selects from.
#[derive(Clone, Copy)]
struct Demand<L> {
    error: L,
    stroke: L,
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
            feedback: spec.feedback,
            fuel_follows_speed: spec.fuel_follows_speed,
            acceleration_limiter: spec.acceleration_limiter,
            reference: spec.droop_pu * fed_back,
            start_power: electrical,
            droop: spec.droop_pu,
            maxerr: spec.maxerr_pu,
            minerr: spec.minerr_pu,
            deadband: spec.deadband_pu,
            kpgov: spec.kpgov,
            kigov: spec.kigov_per_s,
            kdgov: spec.kdgov_s,
            tdgov: spec.tdgov_s,
            vmax: spec.vmax_pu,
            vmin: spec.vmin_pu,
            tact: spec.tact_s,
            kturb: spec.kturb,
            wfnl: spec.wfnl_pu,
            tb: spec.tb_s,
            tc: spec.tc_s,
            tfload: spec.tfload_s,
            kpload: spec.kpload,
            kiload: spec.kiload_per_s,
            ldref: spec.ldref_pu,
            dm: spec.dm_pu,
            ropen: spec.ropen_per_s,
            rclose: spec.rclose_per_s,
            kimw: spec.kimw_per_s,
            aset: spec.aset_per_s,
            ka: spec.ka,
            ta: spec.ta_s,
            delt: spec.delt_s,
            tsa: spec.tsa_s,
            tsb: spec.tsb_s,
            tpelec: spec.tpelec_s,
        };
        (unit, stroke)
    }

    /// Those of four plants; `None` where they feed back different signals or only some have a limiter.
    pub(crate) fn pack(each: [&Self; LANES]) -> Option<Ggov1<F64x4>> {
        let first = each[0];
        let like = |g: &Self| {
            g.feedback == first.feedback
                && g.fuel_follows_speed == first.fuel_follows_speed
                && g.acceleration_limiter == first.acceleration_limiter
        };
        if !each.into_iter().all(like) {
            return None;
        }
        let of = |get: fn(&Self) -> f64| F64x4::by_lane(|lane| get(each[lane]));
        Some(Ggov1 {
            feedback: first.feedback,
            fuel_follows_speed: first.fuel_follows_speed,
            acceleration_limiter: first.acceleration_limiter,
            reference: of(|g| g.reference),
            start_power: of(|g| g.start_power),
            droop: of(|g| g.droop),
            maxerr: of(|g| g.maxerr),
            minerr: of(|g| g.minerr),
            deadband: of(|g| g.deadband),
            kpgov: of(|g| g.kpgov),
            kigov: of(|g| g.kigov),
            kdgov: of(|g| g.kdgov),
            tdgov: of(|g| g.tdgov),
            vmax: of(|g| g.vmax),
            vmin: of(|g| g.vmin),
            tact: of(|g| g.tact),
            kturb: of(|g| g.kturb),
            wfnl: of(|g| g.wfnl),
            tb: of(|g| g.tb),
            tc: of(|g| g.tc),
            tfload: of(|g| g.tfload),
            kpload: of(|g| g.kpload),
            kiload: of(|g| g.kiload),
            ldref: of(|g| g.ldref),
            dm: of(|g| g.dm),
            ropen: of(|g| g.ropen),
            rclose: of(|g| g.rclose),
            kimw: of(|g| g.kimw),
            aset: of(|g| g.aset),
            ka: of(|g| g.ka),
            ta: of(|g| g.ta),
            delt: of(|g| g.delt),
            tsa: of(|g| g.tsa),
            tsb: of(|g| g.tsb),
            tpelec: of(|g| g.tpelec),
        })
    }
}

impl<L: Lane> Ggov1<L> {
    #[inline(always)]
    fn flow(&self, valve: L, speed: L) -> L {
        if self.fuel_follows_speed {
            valve * (L::of(1.0) + speed)
        } else {
            valve
        }
    }

    #[inline(always)]
    pub(crate) fn fuel(&self, valve: L, speed: L) -> L {
        self.kturb * (self.flow(valve, speed) - self.wfnl)
    }

    #[inline(always)]
    pub(crate) fn output(&self, own: &[L], speed: L, input: L) -> L {
        let zero = L::of(0.0);
        let lagged = own[ENGINE] + self.tc / self.tb * (input - own[ENGINE]);
        let engine = L::pick(self.tb.above(zero), lagged, input);
        engine - self.dm.or_more(zero) * speed
    }

    /// Governor error for a fed-back signal.
    #[inline(always)]
    fn error(&self, speed: L, supervisor: L, fed_back: L) -> L {
        let raw = self.reference + supervisor - speed - self.droop * fed_back;
        let beyond = raw - raw.within(-self.deadband, self.deadband);
        beyond.within(self.minerr, self.maxerr)
    }

    #[inline(always)]
    fn demand(&self, own: &[L], at: &In<L>, measured_power: L, exhaust: L) -> Demand<L> {
        let (zero, one) = (L::of(0.0), L::of(1.0));
        let room = self.kpload * (self.ldref / self.kturb + self.wfnl - exhaust);
        let mut other = (room + own[LIMIT_INTEGRAL]).or_less(one);
        if self.acceleration_limiter {
            let measured = (at.speed - own[ACCELERATION]) / self.ta;
            let acceleration = own[LAST] + self.ka * self.delt * (self.aset - measured);
            other = other.or_less(acceleration);
        }
        let mut most = self.vmax;
        let falls = self.dm.below(zero);
        if falls.any() {
            // The highest fuel falls with speed: Vmax ω^Dm.
            let omega = (one + at.speed).or_more(L::of(0.1));
            let power = L::by_lane(|lane| libm::pow(omega.lane(lane), self.dm.lane(lane)));
            most = L::pick(falls, self.vmax * power, self.vmax);
        }
        let ceiling = at.ceiling / self.kturb + self.wfnl;
        let high = most.or_less(ceiling).or_more(self.vmin);
        let gain = L::pick(self.tdgov.above(zero), self.kdgov / self.tdgov, zero);
        let stroke = |error: L| {
            let slope = gain * (error - own[DERIVATIVE]);
            let normal = self.kpgov * error + slope + own[INTEGRAL];
            normal.or_less(other).within(self.vmin, high)
        };
        let error_for = |fed_back: L| self.error(at.speed - at.trim, own[SUPERVISOR], fed_back);
        let error = match self.feedback {
            Ggov1Feedback::Isochronous => error_for(zero),
            Ggov1Feedback::Power => error_for(measured_power),
            Ggov1Feedback::Valve => error_for(at.valve),
            Ggov1Feedback::Governor => {
                // The stroke falls as it is fed back, so stroke(error(x)) = x has one root.
                let (mut low, mut hi) = (self.vmin, high);
                for _ in 0..60 {
                    let middle = L::of(0.5) * (low + hi);
                    let rises = stroke(error_for(middle)).above(middle);
                    low = L::pick(rises, middle, low);
                    hi = L::pick(rises, hi, middle);
                }
                error_for(L::of(0.5) * (low + hi))
            }
        };
        Demand {
            error,
            stroke: stroke(error),
        }
    }

    #[inline(always)]
    pub(crate) fn rates(&self, own: &[L], at: &In<L>, rate: &mut [L]) -> Drive<L> {
        let (zero, one) = (L::of(0.0), L::of(1.0));
        let measured_power = L::pick(self.tpelec.above(zero), own[POWER], at.power);
        rate[POWER] = lag(at.power, own[POWER], self.tpelec);
        let flow = self.flow(at.valve, at.speed);
        let led = own[EXHAUST] + self.tsa / self.tsb * (flow - own[EXHAUST]);
        let temperature = L::pick(self.tsb.above(zero), led, flow);
        rate[EXHAUST] = lag(flow, own[EXHAUST], self.tsb);
        let exhaust = L::pick(self.tfload.above(zero), own[MEASURED], temperature);
        rate[MEASURED] = lag(temperature, own[MEASURED], self.tfload);
        let Demand { error, stroke } = self.demand(own, at, measured_power, exhaust);
        rate[DERIVATIVE] = lag(error, own[DERIVATIVE], self.tdgov);
        rate[INTEGRAL] = self.kigov / self.kpgov * (stroke - own[INTEGRAL]);
        rate[LIMIT_INTEGRAL] = self.kiload / self.kpload * (stroke - own[LIMIT_INTEGRAL]);
        rate[ENGINE] = lag(at.input, own[ENGINE], self.tb);
        rate[ACCELERATION] = lag(at.speed, own[ACCELERATION], self.ta);
        rate[LAST] = lag(stroke, own[LAST], self.delt);
        let wanted = self.kimw * (self.start_power - measured_power);
        // PSS/E holds the supervisor within 1.1 times the droop.
        let bound = L::of(1.1) * self.droop;
        rate[SUPERVISOR] = held(wanted, own[SUPERVISOR], -bound, bound);
        let valve_rate = ((stroke - at.valve) / self.tact).within(self.rclose, self.ropen);
        let fuel_rate = if self.fuel_follows_speed {
            self.kturb * (valve_rate * (one + at.speed) + at.valve * at.acceleration)
        } else {
            self.kturb * valve_rate
        };
        Drive {
            valve_rate,
            fuel_rate,
        }
    }
}
