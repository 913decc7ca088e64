//! Lags far shorter than the step, replaced by their steady state.

use crate::alternator_spec::ExciterSpec;
use crate::spec::{Degov1Spec, GovernorSpec, PlantSpec};

/// A time constant that was set to zero.
#[derive(Debug, Clone, PartialEq)]
pub struct Residualised {
    /// Place in the description, as `sets.0.governor.t5_s`.
    pub path: String,
    /// What it was, seconds.
    pub value_s: f64,
}

/// The description with every pure lag below half a step taken as at rest, and which those are.
///
/// Only lags whose zero means "follows at once" in the model: TGOV1's valve, PI's and PID's engine, DEGOV1's control box and actuator, GGOV1's and
/// IEEEG1's optional lags, an exciter's measurement, regulator and SEXS's output. A lead-lag goes as a whole where both of its constants are that
/// short, a lead's lag alone never. What would change the kind of model (damper windings, field, GGOV1's actuator, the turbocharger) stays and is
/// refused by [`crate::problems`] with the step it needs; so is a lag between half a step and two steps, which matters and is not resolved.
pub fn residualise(spec: &PlantSpec, step_s: f64) -> (PlantSpec, Vec<Residualised>) {
    let mut out = spec.clone();
    let mut done = Vec::new();
    for (index, set) in out.sets.iter_mut().enumerate() {
        let mut cut = Cut {
            short_s: 0.5 * step_s,
            prefix: format!("sets.{index}."),
            done: &mut done,
        };
        governor(&mut cut, &mut set.governor);
        match &mut set.exciter {
            None | Some(ExciterSpec::Constant) => {}
            Some(ExciterSpec::Sexs(s)) => {
                cut.pair("exciter.tb_s", &mut s.tb_s, "exciter.ta_s", &mut s.ta_s);
                cut.lag("exciter.te_s", &mut s.te_s);
            }
            Some(ExciterSpec::Ac8b(s)) => {
                cut.lag("exciter.tr_s", &mut s.tr_s);
                cut.lag("exciter.ta_s", &mut s.ta_s);
                if s.kdr_s == 0.0 {
                    cut.lag("exciter.tdr_s", &mut s.tdr_s);
                }
            }
            Some(ExciterSpec::Dc1a(s)) => {
                cut.lag("exciter.tr_s", &mut s.tr_s);
                cut.lag("exciter.ta_s", &mut s.ta_s);
                if s.kf == 0.0 {
                    cut.lag("exciter.tf_s", &mut s.tf_s);
                }
            }
        }
    }
    (out, done)
}

fn governor(cut: &mut Cut<'_>, governor: &mut GovernorSpec) {
    match governor {
        GovernorSpec::Constant | GovernorSpec::Gast(_) => {}
        GovernorSpec::Tgov1(t) => {
            cut.lag("governor.t1_s", &mut t.t1_s);
            cut.pair("governor.t3_s", &mut t.t3_s, "governor.t2_s", &mut t.t2_s);
        }
        GovernorSpec::Pi(p) => cut.lag("governor.t_s", &mut p.t_s),
        GovernorSpec::Degov1(d) => cut.degov1(d),
        GovernorSpec::Degov(d) => {
            let mut with_droop = d.with_droop();
            cut.degov1(&mut with_droop);
            (d.t1_s, d.t2_s, d.t3_s) = (with_droop.t1_s, with_droop.t2_s, with_droop.t3_s);
            (d.t5_s, d.t6_s) = (with_droop.t5_s, with_droop.t6_s);
        }
        GovernorSpec::Ggov1(g) => {
            cut.lag("governor.tpelec_s", &mut g.tpelec_s);
            cut.lag("governor.tfload_s", &mut g.tfload_s);
            cut.pair("governor.tb_s", &mut g.tb_s, "governor.tc_s", &mut g.tc_s);
            cut.pair(
                "governor.tsb_s",
                &mut g.tsb_s,
                "governor.tsa_s",
                &mut g.tsa_s,
            );
            if g.kdgov_s == 0.0 {
                cut.lag("governor.tdgov_s", &mut g.tdgov_s);
            }
        }
        GovernorSpec::Ieeeg1(g) => {
            cut.pair("governor.t1_s", &mut g.t1_s, "governor.t2_s", &mut g.t2_s);
            for (stage, t_s) in g.stages_s.iter_mut().enumerate() {
                cut.lag(&format!("governor.stages_s.{stage}"), t_s);
            }
        }
        GovernorSpec::Pid(p) => {
            if p.kd_s == 0.0 {
                cut.lag("governor.td_s", &mut p.td_s);
            }
            cut.lag("governor.t_s", &mut p.t_s);
        }
    }
}

struct Cut<'a> {
    short_s: f64,
    prefix: String,
    done: &'a mut Vec<Residualised>,
}

impl Cut<'_> {
    fn short(&self, t_s: f64) -> bool {
        t_s > 0.0 && t_s < self.short_s
    }

    fn lag(&mut self, key: &str, t_s: &mut f64) {
        if self.short(*t_s) {
            self.done.push(Residualised {
                path: format!("{}{key}", self.prefix),
                value_s: *t_s,
            });
            *t_s = 0.0;
        }
    }

    /// `(1 + lead s)/(1 + lag s)`: both or none.
    fn pair(&mut self, lag: &str, lag_s: &mut f64, lead: &str, lead_s: &mut f64) {
        if self.short(*lag_s) && *lead_s < self.short_s {
            self.lag(lag, lag_s);
            self.lag(lead, lead_s);
        }
    }

    /// Control box `(1+T3 s)/(1+T1 s+T1 T2 s²)`, whose faster pole is near T2 where T2 is far below T1, and both lags of the actuator.
    fn degov1(&mut self, d: &mut Degov1Spec) {
        if d.t1_s > 4.0 * self.short_s {
            self.lag("governor.t2_s", &mut d.t2_s);
        } else if self.short(d.t1_s) && d.t2_s < self.short_s && d.t3_s < self.short_s {
            self.lag("governor.t1_s", &mut d.t1_s);
            self.lag("governor.t2_s", &mut d.t2_s);
            self.lag("governor.t3_s", &mut d.t3_s);
        }
        self.lag("governor.t5_s", &mut d.t5_s);
        self.lag("governor.t6_s", &mut d.t6_s);
    }
}
