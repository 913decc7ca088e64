//! Voltage regulators and exciters: from the terminal voltage to the field voltage.
//!
//! A limited lag or integral does not wind up: at its limit its rate is zero while it points outward.

#![expect(
    clippy::inline_always,
    reason = "compiled for the vector width of the caller"
)]

use crate::alternator_spec::{Ac8bSpec, Dc1aSpec, ExciterSaturation, ExciterSpec, SexsSpec};
use crate::lane::{F64x4, LANES, Lane, Mask};
use crate::machine::Saturation;

/// States at most: measurement, then the model's own.
pub(crate) const EXCITER_WIDTH: usize = 5;
const MEASURED: usize = 0;
const OWN: usize = 1;

/// Constants of an exciter, with the reference that holds its first state.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exciter<L = f64> {
    model: Model<L>,
    /// One over the time constant of the measurement; zero without one, as all inverses here.
    inv_tr: L,
    pub(crate) reference: L,
}

#[derive(Debug, Clone, Copy)]
enum Model<L> {
    Constant { field: L },
    Sexs(Sexs<L>),
    Ac8b(Ac8b<L>),
    Dc1a(Dc1a<L>),
}

#[derive(Debug, Clone, Copy)]
struct Sexs<L> {
    k: L,
    /// `TA/TB`.
    lead: L,
    inv_tb: L,
    inv_te: L,
    emin: L,
    emax: L,
}

#[derive(Debug, Clone, Copy)]
struct Ac8b<L> {
    kpr: L,
    kir: L,
    kdr: L,
    inv_tdr: L,
    ka: L,
    inv_ta: L,
    vrmin: L,
    vrmax: L,
    inv_te: L,
    ke: L,
    kc: L,
    kd: L,
    vemin: L,
    /// Infinite without a limit.
    vfemax: L,
    curve: Option<Saturation<L>>,
}

#[derive(Debug, Clone, Copy)]
struct Dc1a<L> {
    ka: L,
    inv_ta: L,
    vrmin: L,
    vrmax: L,
    inv_te: L,
    ke: L,
    kf: L,
    inv_tf: L,
    curve: Option<Saturation<L>>,
}

/// One over a time constant; zero for none.
fn inverse(t_s: f64) -> f64 {
    if t_s > 0.0 { 1.0 / t_s } else { 0.0 }
}

/// A limited first-order state: its rate at or beyond a limit, outward, is zero.
#[inline(always)]
pub(crate) fn held<L: Lane>(rate: L, value: L, low: L, high: L) -> L {
    let zero = L::of(0.0);
    let outward =
        (value.at_least(high) & rate.above(zero)) | (value.at_most(low) & rate.below(zero));
    L::pick(outward, zero, rate)
}

fn curve(s: ExciterSaturation) -> Option<Saturation> {
    Saturation::through(s.e1_pu, s.se1, s.e2_pu, s.se2)
}

#[inline(always)]
fn saturated<L: Lane>(curve: Option<Saturation<L>>, voltage: L) -> L {
    curve.map_or(L::of(0.0), |c| {
        let size = c.times(voltage.size());
        L::pick(voltage.below(L::of(0.0)), -size, size)
    })
}

/// Loading of the rectifier, IEEE 421.5: factor on the exciter's voltage for the current `In = KC Ifd / VE`.
#[inline(always)]
fn rectifier<L: Lane>(current: L) -> L {
    let (zero, one) = (L::of(0.0), L::of(1.0));
    let idle = current.at_most(zero);
    if idle.every() {
        return one;
    }
    let low = one - L::of(0.577) * current;
    let middle = (L::of(0.75) - current * current).or_more(zero).root();
    let high = L::of(1.732) * (one - current);
    let loaded = L::pick(
        current.at_most(L::of(0.433)),
        low,
        L::pick(
            current.below(L::of(0.75)),
            middle,
            L::pick(current.below(one), high, zero),
        ),
    );
    L::pick(idle, one, loaded)
}

/// Why an exciter cannot start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct OutOfRange {
    pub(crate) what: &'static str,
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

fn within(what: &'static str, value: f64, low: f64, high: f64) -> Result<f64, OutOfRange> {
    if value >= low - 1e-12 && value <= high + 1e-12 {
        Ok(value)
    } else {
        Err(OutOfRange {
            what,
            value,
            low,
            high,
        })
    }
}

impl Exciter {
    /// At rest with this field voltage, field current and measured voltage; fills its states.
    pub(crate) fn start(
        spec: &ExciterSpec,
        field: f64,
        field_current: f64,
        voltage: f64,
        state: &mut [f64; EXCITER_WIDTH],
    ) -> Result<Self, OutOfRange> {
        state[MEASURED] = voltage;
        let own = &mut state[OWN..];
        let (model, error, tr_s) = match *spec {
            ExciterSpec::Constant => (Model::Constant { field }, 0.0, 0.0),
            ExciterSpec::Sexs(s) => {
                within("field voltage", field, s.emin_pu, s.emax_pu)?;
                let error = field / s.k;
                (own[0], own[1]) = (error, field);
                (Model::Sexs(Sexs::new(&s)), error, 0.0)
            }
            ExciterSpec::Ac8b(s) => {
                let unit = Ac8b::new(&s);
                let curve = unit.curve;
                // Field voltage = VE · rectifier(KC Ifd / VE): falls with VE, so bisection finds VE.
                let (mut low, mut high) = (0.0, 1e3);
                let mut ve = field;
                if s.kc > 0.0 {
                    for _ in 0..200 {
                        ve = 0.5 * (low + high);
                        if ve * rectifier(s.kc * field_current / ve) < field {
                            low = ve;
                        } else {
                            high = ve;
                        }
                    }
                }
                let vfe = s.kd * field_current + s.ke * ve + saturated(curve, ve);
                within("regulator output", vfe, s.vrmin_pu, s.vrmax_pu)?;
                within(
                    "exciter voltage",
                    ve,
                    s.vemin_pu,
                    unit.ve_max(field_current),
                )?;
                let pid = vfe / s.ka;
                // Without an integral the error itself holds the output.
                let error = if s.kir_per_s > 0.0 { 0.0 } else { pid / s.kpr };
                own[0] = if s.kir_per_s > 0.0 { pid } else { 0.0 };
                (own[1], own[2], own[3]) = (error, vfe, ve);
                (Model::Ac8b(unit), error, s.tr_s)
            }
            ExciterSpec::Dc1a(s) => {
                let curve = curve(s.saturation);
                let vr = s.ke * field + saturated(curve, field);
                within("regulator output", vr, s.vrmin_pu, s.vrmax_pu)?;
                let error = vr / s.ka;
                (own[0], own[1], own[2]) = (vr, field, field);
                (Model::Dc1a(Dc1a::new(&s)), error, s.tr_s)
            }
        };
        Ok(Self {
            model,
            inv_tr: inverse(tr_s),
            reference: voltage + error,
        })
    }

    /// Whether an integral drives the voltage to its reference.
    pub(crate) fn integrates(spec: &ExciterSpec) -> bool {
        matches!(spec, ExciterSpec::Ac8b(s) if s.kir_per_s > 0.0)
    }

    /// Time constants a step has to resolve: key and seconds.
    pub(crate) fn lags(spec: &ExciterSpec) -> Vec<(&'static str, f64)> {
        let all = match spec {
            ExciterSpec::Constant => Vec::new(),
            ExciterSpec::Sexs(s) => vec![("exciter.tb_s", s.tb_s), ("exciter.te_s", s.te_s)],
            ExciterSpec::Ac8b(s) => vec![
                ("exciter.tr_s", s.tr_s),
                ("exciter.tdr_s", s.tdr_s),
                ("exciter.ta_s", s.ta_s),
                ("exciter.te_s", s.te_s),
            ],
            ExciterSpec::Dc1a(s) => vec![
                ("exciter.tr_s", s.tr_s),
                ("exciter.ta_s", s.ta_s),
                ("exciter.te_s", s.te_s),
                ("exciter.tf_s", s.tf_s),
            ],
        };
        all.into_iter().filter(|(_, t)| *t > 0.0).collect()
    }
}

impl<L: Lane> Exciter<L> {
    /// Number of its states.
    #[inline(always)]
    pub(crate) fn width(&self) -> usize {
        OWN + match self.model {
            Model::Constant { .. } => 0,
            Model::Sexs(_) => 2,
            Model::Ac8b(_) => 4,
            Model::Dc1a(_) => 3,
        }
    }

    #[inline(always)]
    fn error(&self, state: &[L], voltage: L, shift: L) -> L {
        let measures = self.inv_tr.above(L::of(0.0));
        self.reference + shift - L::pick(measures, state[MEASURED], voltage)
    }

    /// Field voltage; `shift` is what droop and roll-off add to the reference.
    #[inline(always)]
    pub(crate) fn field(&self, state: &[L], voltage: L, shift: L, current: L) -> L {
        let own = &state[OWN..];
        match &self.model {
            Model::Constant { field } => *field,
            Model::Sexs(s) => {
                let lags = s.inv_te.above(L::of(0.0));
                if lags.every() {
                    return own[1];
                }
                let error = self.error(state, voltage, shift);
                let at_once = (s.k * s.lead_lag(own[0], error)).within(s.emin, s.emax);
                L::pick(lags, own[1], at_once)
            }
            Model::Ac8b(s) => own[3] * rectifier(s.kc * current / own[3].or_more(L::of(1e-9))),
            Model::Dc1a(_) => own[1],
        }
    }

    /// Rates of its states; `current` is the machine's field current.
    #[inline(always)]
    pub(crate) fn rates(&self, state: &[L], voltage: L, shift: L, current: L, rate: &mut [L]) {
        let zero = L::of(0.0);
        let error = self.error(state, voltage, shift);
        rate[MEASURED] = (voltage - state[MEASURED]) * self.inv_tr;
        let (own, rate) = (&state[OWN..], &mut rate[OWN..]);
        match &self.model {
            Model::Constant { .. } => {}
            Model::Sexs(s) => {
                rate[0] = (error - own[0]) * s.inv_tb;
                let free = (s.k * s.lead_lag(own[0], error) - own[1]) * s.inv_te;
                rate[1] = held(free, own[1], s.emin, s.emax);
            }
            Model::Ac8b(s) => {
                let slope = (error - own[1]) * s.inv_tdr;
                rate[1] = slope;
                let pid = s.kpr * error + own[0] + s.kdr * slope;
                let wanted = s.ka * pid;
                rate[2] = held((wanted - own[2]) * s.inv_ta, own[2], s.vrmin, s.vrmax);
                let at_once = wanted.within(s.vrmin, s.vrmax);
                let vr = L::pick(s.inv_ta.above(zero), own[2], at_once);
                let beyond = (wanted.above(s.vrmax) & error.above(zero))
                    | (wanted.below(s.vrmin) & error.below(zero));
                rate[0] = L::pick(beyond, zero, s.kir * error);
                let vfe = s.kd * current + s.ke * own[3] + saturated(s.curve, own[3]);
                let most = s.ve_max(current);
                rate[3] = held((vr - vfe) * s.inv_te, own[3], s.vemin, most);
            }
            Model::Dc1a(s) => {
                rate[2] = (own[1] - own[2]) * s.inv_tf;
                let wanted = s.ka * (error - s.kf * rate[2]);
                rate[0] = held((wanted - own[0]) * s.inv_ta, own[0], s.vrmin, s.vrmax);
                let at_once = wanted.within(s.vrmin, s.vrmax);
                let vr = L::pick(s.inv_ta.above(zero), own[0], at_once);
                rate[1] = (vr - s.ke * own[1] - saturated(s.curve, own[1])) * s.inv_te;
            }
        }
    }

    /// Brings states that a step carried over a limit back onto it.
    #[inline(always)]
    pub(crate) fn clamp(&self, state: &mut [L], current: L) {
        let own = &mut state[OWN..];
        match &self.model {
            Model::Constant { .. } => {}
            Model::Sexs(s) => own[1] = own[1].within(s.emin, s.emax),
            Model::Ac8b(s) => {
                own[2] = own[2].within(s.vrmin, s.vrmax);
                let most = s.ve_max(current).or_more(s.vemin);
                own[3] = own[3].within(s.vemin, most);
            }
            Model::Dc1a(s) => own[0] = own[0].within(s.vrmin, s.vrmax),
        }
    }
}

impl Sexs<f64> {
    fn new(s: &SexsSpec) -> Self {
        Self {
            k: s.k,
            lead: if s.tb_s > 0.0 { s.ta_s / s.tb_s } else { 0.0 },
            inv_tb: inverse(s.tb_s),
            inv_te: inverse(s.te_s),
            emin: s.emin_pu,
            emax: s.emax_pu,
        }
    }
}

impl<L: Lane> Sexs<L> {
    #[inline(always)]
    fn lead_lag(&self, lagged: L, error: L) -> L {
        let lags = self.inv_tb.above(L::of(0.0));
        L::pick(lags, lagged + self.lead * (error - lagged), error)
    }
}

impl Ac8b<f64> {
    fn new(s: &Ac8bSpec) -> Self {
        Self {
            kpr: s.kpr,
            kir: s.kir_per_s,
            kdr: s.kdr_s,
            inv_tdr: inverse(s.tdr_s),
            ka: s.ka,
            inv_ta: inverse(s.ta_s),
            vrmin: s.vrmin_pu,
            vrmax: s.vrmax_pu,
            inv_te: 1.0 / s.te_s,
            ke: s.ke,
            kc: s.kc,
            kd: s.kd,
            vemin: s.vemin_pu,
            vfemax: s.vfemax_pu.unwrap_or(f64::INFINITY),
            curve: curve(s.saturation),
        }
    }
}

impl<L: Lane> Ac8b<L> {
    /// Highest exciter voltage: where the exciter's field current reaches its limit.
    #[inline(always)]
    fn ve_max(&self, current: L) -> L {
        let limited = self.vfemax.sound();
        if !limited.any() {
            return self.vfemax;
        }
        let (zero, least) = (L::of(0.0), L::of(1e-9));
        let left = self.vfemax - self.kd * current;
        // KE VE + SE(VE) VE = left; one step of the saturation at the unsaturated voltage is how IEEE 421.5 states it.
        let plain = left / self.ke.or_more(least);
        let share = saturated(self.curve, plain) / plain;
        let share = L::pick(plain.above(zero), share, zero);
        L::pick(
            limited,
            left / (self.ke + share).or_more(least),
            self.vfemax,
        )
    }
}

impl Dc1a<f64> {
    fn new(s: &Dc1aSpec) -> Self {
        Self {
            ka: s.ka,
            inv_ta: inverse(s.ta_s),
            vrmin: s.vrmin_pu,
            vrmax: s.vrmax_pu,
            inv_te: 1.0 / s.te_s,
            ke: s.ke,
            kf: s.kf,
            inv_tf: inverse(s.tf_s),
            curve: curve(s.saturation),
        }
    }
}

impl Exciter {
    /// Those of four plants; `None` where they are of different models.
    pub(crate) fn pack(each: [&Self; LANES]) -> Option<Exciter<F64x4>> {
        let of = |get: fn(&Self) -> f64| F64x4::by_lane(|lane| get(each[lane]));
        let model = match each.map(|exciter| &exciter.model) {
            [
                Model::Constant { field: a },
                Model::Constant { field: b },
                Model::Constant { field: c },
                Model::Constant { field: d },
            ] => Model::Constant {
                field: F64x4::by_lane(|lane| *[a, b, c, d][lane]),
            },
            [
                Model::Sexs(a),
                Model::Sexs(b),
                Model::Sexs(c),
                Model::Sexs(d),
            ] => {
                let each = [a, b, c, d];
                let of = |get: fn(&Sexs<f64>) -> f64| F64x4::by_lane(|lane| get(each[lane]));
                Model::Sexs(Sexs {
                    k: of(|s| s.k),
                    lead: of(|s| s.lead),
                    inv_tb: of(|s| s.inv_tb),
                    inv_te: of(|s| s.inv_te),
                    emin: of(|s| s.emin),
                    emax: of(|s| s.emax),
                })
            }
            [
                Model::Ac8b(a),
                Model::Ac8b(b),
                Model::Ac8b(c),
                Model::Ac8b(d),
            ] => {
                let each = [a, b, c, d];
                let of = |get: fn(&Ac8b<f64>) -> f64| F64x4::by_lane(|lane| get(each[lane]));
                Model::Ac8b(Ac8b {
                    kpr: of(|s| s.kpr),
                    kir: of(|s| s.kir),
                    kdr: of(|s| s.kdr),
                    inv_tdr: of(|s| s.inv_tdr),
                    ka: of(|s| s.ka),
                    inv_ta: of(|s| s.inv_ta),
                    vrmin: of(|s| s.vrmin),
                    vrmax: of(|s| s.vrmax),
                    inv_te: of(|s| s.inv_te),
                    ke: of(|s| s.ke),
                    kc: of(|s| s.kc),
                    kd: of(|s| s.kd),
                    vemin: of(|s| s.vemin),
                    vfemax: of(|s| s.vfemax),
                    curve: Saturation::pack(each.map(|s| s.curve.as_ref())),
                })
            }
            [
                Model::Dc1a(a),
                Model::Dc1a(b),
                Model::Dc1a(c),
                Model::Dc1a(d),
            ] => {
                let each = [a, b, c, d];
                let of = |get: fn(&Dc1a<f64>) -> f64| F64x4::by_lane(|lane| get(each[lane]));
                Model::Dc1a(Dc1a {
                    ka: of(|s| s.ka),
                    inv_ta: of(|s| s.inv_ta),
                    vrmin: of(|s| s.vrmin),
                    vrmax: of(|s| s.vrmax),
                    inv_te: of(|s| s.inv_te),
                    ke: of(|s| s.ke),
                    kf: of(|s| s.kf),
                    inv_tf: of(|s| s.inv_tf),
                    curve: Saturation::pack(each.map(|s| s.curve.as_ref())),
                })
            }
            _ => return None,
        };
        Some(Exciter {
            model,
            inv_tr: of(|e| e.inv_tr),
            reference: of(|e| e.reference),
        })
    }
}
