//! Voltage regulators and exciters: from the terminal voltage to the field voltage.
//!
//! A limited lag or integral does not wind up: at its limit its rate is zero while it points outward.

use crate::alternator_spec::{Ac8bSpec, Dc1aSpec, ExciterSaturation, ExciterSpec, SexsSpec};
use crate::machine::Saturation;

/// States at most: measurement, then the model's own.
pub(crate) const EXCITER_WIDTH: usize = 5;
const MEASURED: usize = 0;
const OWN: usize = 1;

/// Constants of an exciter, with the reference that holds its first state.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exciter {
    model: Model,
    inv_tr: Option<f64>,
    pub(crate) reference: f64,
}

#[derive(Debug, Clone, Copy)]
enum Model {
    Constant { field: f64 },
    Sexs(SexsSpec),
    Ac8b(Ac8bSpec, Option<Saturation>),
    Dc1a(Dc1aSpec, Option<Saturation>),
}

/// A limited first-order state: its rate at or beyond a limit, outward, is zero.
fn held(rate: f64, value: f64, low: f64, high: f64) -> f64 {
    if (value >= high && rate > 0.0) || (value <= low && rate < 0.0) {
        0.0
    } else {
        rate
    }
}

fn curve(s: ExciterSaturation) -> Option<Saturation> {
    Saturation::through(s.e1_pu, s.se1, s.e2_pu, s.se2)
}

fn saturated(curve: Option<Saturation>, voltage: f64) -> f64 {
    curve.map_or(0.0, |c| c.times(voltage.abs()) * voltage.signum())
}

/// Loading of the rectifier, IEEE 421.5: factor on the exciter's voltage for the current `In = KC Ifd / VE`.
fn rectifier(current: f64) -> f64 {
    if current <= 0.0 {
        1.0
    } else if current <= 0.433 {
        1.0 - 0.577 * current
    } else if current < 0.75 {
        (0.75 - current * current).max(0.0).sqrt()
    } else if current < 1.0 {
        1.732 * (1.0 - current)
    } else {
        0.0
    }
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
                (Model::Sexs(s), error, 0.0)
            }
            ExciterSpec::Ac8b(s) => {
                let curve = curve(s.saturation);
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
                    s.ve_max(curve, field_current),
                )?;
                let pid = vfe / s.ka;
                // Without an integral the error itself holds the output.
                let error = if s.kir_per_s > 0.0 { 0.0 } else { pid / s.kpr };
                own[0] = if s.kir_per_s > 0.0 { pid } else { 0.0 };
                (own[1], own[2], own[3]) = (error, vfe, ve);
                (Model::Ac8b(s, curve), error, s.tr_s)
            }
            ExciterSpec::Dc1a(s) => {
                let curve = curve(s.saturation);
                let vr = s.ke * field + saturated(curve, field);
                within("regulator output", vr, s.vrmin_pu, s.vrmax_pu)?;
                let error = vr / s.ka;
                (own[0], own[1], own[2]) = (vr, field, field);
                (Model::Dc1a(s, curve), error, s.tr_s)
            }
        };
        Ok(Self {
            model,
            inv_tr: (tr_s > 0.0).then(|| 1.0 / tr_s),
            reference: voltage + error,
        })
    }

    /// Number of its states.
    pub(crate) fn width(&self) -> usize {
        OWN + match self.model {
            Model::Constant { .. } => 0,
            Model::Sexs(_) => 2,
            Model::Ac8b(..) => 4,
            Model::Dc1a(..) => 3,
        }
    }

    /// Whether an integral drives the voltage to its reference.
    pub(crate) fn integrates(spec: &ExciterSpec) -> bool {
        matches!(spec, ExciterSpec::Ac8b(s) if s.kir_per_s > 0.0)
    }

    fn error(&self, state: &[f64], voltage: f64, shift: f64) -> f64 {
        let seen = if self.inv_tr.is_some() {
            state[MEASURED]
        } else {
            voltage
        };
        self.reference + shift - seen
    }

    /// Field voltage; `shift` is what droop and roll-off add to the reference.
    pub(crate) fn field(&self, state: &[f64], voltage: f64, shift: f64, current: f64) -> f64 {
        let own = &state[OWN..];
        match &self.model {
            Model::Constant { field } => *field,
            Model::Sexs(s) if s.te_s > 0.0 => own[1],
            Model::Sexs(s) => {
                let error = self.error(state, voltage, shift);
                (s.k * lead_lag(s, own[0], error)).clamp(s.emin_pu, s.emax_pu)
            }
            Model::Ac8b(s, _) => own[3] * rectifier(s.kc * current / own[3].max(1e-9)),
            Model::Dc1a(..) => own[1],
        }
    }

    /// Rates of its states; `current` is the machine's field current.
    pub(crate) fn rates(
        &self,
        state: &[f64],
        voltage: f64,
        shift: f64,
        current: f64,
        rate: &mut [f64],
    ) {
        let error = self.error(state, voltage, shift);
        rate[MEASURED] = self
            .inv_tr
            .map_or(0.0, |inv| (voltage - state[MEASURED]) * inv);
        let (own, rate) = (&state[OWN..], &mut rate[OWN..]);
        match &self.model {
            Model::Constant { .. } => {}
            Model::Sexs(s) => {
                rate[0] = if s.tb_s > 0.0 {
                    (error - own[0]) / s.tb_s
                } else {
                    0.0
                };
                rate[1] = if s.te_s > 0.0 {
                    let free = (s.k * lead_lag(s, own[0], error) - own[1]) / s.te_s;
                    held(free, own[1], s.emin_pu, s.emax_pu)
                } else {
                    0.0
                };
            }
            Model::Ac8b(s, curve) => {
                let slope = if s.tdr_s > 0.0 {
                    (error - own[1]) / s.tdr_s
                } else {
                    0.0
                };
                rate[1] = slope;
                let pid = s.kpr * error + own[0] + s.kdr_s * slope;
                let wanted = s.ka * pid;
                let vr = if s.ta_s > 0.0 {
                    rate[2] = held((wanted - own[2]) / s.ta_s, own[2], s.vrmin_pu, s.vrmax_pu);
                    own[2]
                } else {
                    rate[2] = 0.0;
                    wanted.clamp(s.vrmin_pu, s.vrmax_pu)
                };
                let beyond =
                    (wanted > s.vrmax_pu && error > 0.0) || (wanted < s.vrmin_pu && error < 0.0);
                rate[0] = if beyond { 0.0 } else { s.kir_per_s * error };
                let vfe = s.kd * current + s.ke * own[3] + saturated(*curve, own[3]);
                let most = s.ve_max(*curve, current);
                rate[3] = held((vr - vfe) / s.te_s, own[3], s.vemin_pu, most);
            }
            Model::Dc1a(s, curve) => {
                let feedback = if s.tf_s > 0.0 {
                    rate[2] = (own[1] - own[2]) / s.tf_s;
                    s.kf * rate[2]
                } else {
                    rate[2] = 0.0;
                    0.0
                };
                let wanted = s.ka * (error - feedback);
                let vr = if s.ta_s > 0.0 {
                    rate[0] = held((wanted - own[0]) / s.ta_s, own[0], s.vrmin_pu, s.vrmax_pu);
                    own[0]
                } else {
                    rate[0] = 0.0;
                    wanted.clamp(s.vrmin_pu, s.vrmax_pu)
                };
                rate[1] = (vr - s.ke * own[1] - saturated(*curve, own[1])) / s.te_s;
            }
        }
    }

    /// Brings states that a step carried over a limit back onto it.
    pub(crate) fn clamp(&self, state: &mut [f64], current: f64) {
        let own = &mut state[OWN..];
        match &self.model {
            Model::Constant { .. } => {}
            Model::Sexs(s) => own[1] = own[1].clamp(s.emin_pu, s.emax_pu),
            Model::Ac8b(s, curve) => {
                own[2] = own[2].clamp(s.vrmin_pu, s.vrmax_pu);
                let most = s.ve_max(*curve, current).max(s.vemin_pu);
                own[3] = own[3].clamp(s.vemin_pu, most);
            }
            Model::Dc1a(s, _) => own[0] = own[0].clamp(s.vrmin_pu, s.vrmax_pu),
        }
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

fn lead_lag(s: &SexsSpec, lagged: f64, error: f64) -> f64 {
    if s.tb_s > 0.0 {
        lagged + s.ta_s / s.tb_s * (error - lagged)
    } else {
        error
    }
}

impl Ac8bSpec {
    /// Highest exciter voltage: where the exciter's field current reaches its limit.
    fn ve_max(&self, curve: Option<Saturation>, current: f64) -> f64 {
        let Some(vfemax) = self.vfemax_pu else {
            return f64::INFINITY;
        };
        let left = vfemax - self.kd * current;
        // KE VE + SE(VE) VE = left; one step of the saturation at the unsaturated voltage is how IEEE 421.5 states it.
        let plain = left / self.ke.max(1e-9);
        let share = if plain > 0.0 {
            saturated(curve, plain) / plain
        } else {
            0.0
        };
        left / (self.ke + share).max(1e-9)
    }
}
