//! Contradictions in the governors of `governor_spec`.

use crate::check::{List, number};
use crate::governor_spec::{GastSpec, Ggov1Spec, Ieeeg1Spec, PidSpec};
use crate::spec::GovernorSpec;

pub(crate) fn check_general(list: &mut List, governor: &GovernorSpec) {
    match governor {
        GovernorSpec::Ggov1(g) => ggov1(list, g),
        GovernorSpec::Gast(g) => gast(list, g),
        GovernorSpec::Ieeeg1(g) => ieeeg1(list, g),
        GovernorSpec::Pid(p) => pid(list, p),
        _ => {}
    }
}

/// A lead whose lag is zero.
fn bare_lead(list: &mut List, lead: (&str, f64), lag: (&str, f64)) {
    if lead.1 > 0.0 && lag.1 == 0.0 {
        let message = format!(
            "{} = {} without a lag is a pure differentiator",
            lead.0,
            number(lead.1)
        );
        list.add(
            lead.0,
            message,
            format!("give {} above zero, or {} = 0", lag.0, lead.0),
        );
        list.against(lag.0);
    }
}

fn ggov1(list: &mut List, g: &Ggov1Spec) {
    list.positive("governor.kpgov", g.kpgov, "pu");
    list.positive("governor.kpload", g.kpload, "pu");
    list.positive("governor.kturb", g.kturb, "pu");
    list.positive("governor.tact_s", g.tact_s, "s");
    list.positive("governor.ropen_per_s", g.ropen_per_s, "1/s");
    list.positive("governor.ta_s", g.ta_s, "s");
    list.positive("governor.delt_s", g.delt_s, "s");
    for (key, value) in [
        ("governor.droop_pu", g.droop_pu),
        ("governor.tpelec_s", g.tpelec_s),
        ("governor.maxerr_pu", g.maxerr_pu),
        ("governor.deadband_pu", g.deadband_pu),
        ("governor.kigov_per_s", g.kigov_per_s),
        ("governor.kdgov_s", g.kdgov_s),
        ("governor.tdgov_s", g.tdgov_s),
        ("governor.wfnl_pu", g.wfnl_pu),
        ("governor.tb_s", g.tb_s),
        ("governor.tc_s", g.tc_s),
        ("governor.tfload_s", g.tfload_s),
        ("governor.kiload_per_s", g.kiload_per_s),
        ("governor.ldref_pu", g.ldref_pu),
        ("governor.kimw_per_s", g.kimw_per_s),
        ("governor.aset_per_s", g.aset_per_s),
        ("governor.ka", g.ka),
        ("governor.tsa_s", g.tsa_s),
        ("governor.tsb_s", g.tsb_s),
        ("governor.minerr_pu (negated)", -g.minerr_pu),
        ("governor.rclose_per_s (negated)", -g.rclose_per_s),
    ] {
        list.not_negative(key, value, "");
    }
    if !g.dm_pu.is_finite() {
        list.add(
            "governor.dm_pu",
            format!("{} is not finite", g.dm_pu),
            "give a finite value".to_owned(),
        );
    }
    list.dead_time(g.dead_time_s);
    bare_lead(
        list,
        ("governor.kdgov_s", g.kdgov_s),
        ("governor.tdgov_s", g.tdgov_s),
    );
    bare_lead(list, ("governor.tc_s", g.tc_s), ("governor.tb_s", g.tb_s));
    bare_lead(
        list,
        ("governor.tsa_s", g.tsa_s),
        ("governor.tsb_s", g.tsb_s),
    );
    list.ordered(
        ("governor.vmin_pu", g.vmin_pu),
        ("governor.vmax_pu", g.vmax_pu),
    );
}

fn gast(list: &mut List, g: &GastSpec) {
    list.positive("governor.droop_pu", g.droop_pu, "pu");
    list.positive("governor.t1_s", g.t1_s, "s");
    list.positive("governor.t2_s", g.t2_s, "s");
    list.positive("governor.t3_s", g.t3_s, "s");
    list.not_negative("governor.at_pu", g.at_pu, "pu");
    list.not_negative("governor.kt", g.kt, "pu");
    list.not_negative("governor.dturb_pu", g.dturb_pu, "pu");
    list.ordered(
        ("governor.vmin_pu", g.vmin_pu),
        ("governor.vmax_pu", g.vmax_pu),
    );
}

fn ieeeg1(list: &mut List, g: &Ieeeg1Spec) {
    list.positive("governor.k", g.k, "pu");
    list.not_negative("governor.t1_s", g.t1_s, "s");
    list.not_negative("governor.t2_s", g.t2_s, "s");
    list.positive("governor.t3_s", g.t3_s, "s");
    list.positive("governor.uo_per_s", g.uo_per_s, "1/s");
    list.not_negative("governor.uc_per_s (negated)", -g.uc_per_s, "1/s");
    for t_s in g.stages_s {
        list.not_negative("governor.stages_s", t_s, "s");
    }
    for share in g.shares {
        list.not_negative("governor.shares", share, "");
    }
    let sum: f64 = g.shares.iter().sum();
    if (sum - 1.0).abs() > 1e-3 {
        list.add(
            "governor.shares",
            format!("the shares of the stages sum to {}", number(sum)),
            "they sum to 1: at rest the power is the valve position".to_owned(),
        );
    }
    bare_lead(list, ("governor.t2_s", g.t2_s), ("governor.t1_s", g.t1_s));
    list.ordered(
        ("governor.pmin_pu", g.pmin_pu),
        ("governor.pmax_pu", g.pmax_pu),
    );
}

fn pid(list: &mut List, p: &PidSpec) {
    for (key, value) in [
        ("governor.kp_pu", p.kp_pu),
        ("governor.ki_per_s", p.ki_per_s),
        ("governor.kd_s", p.kd_s),
        ("governor.td_s", p.td_s),
        ("governor.droop_pu", p.droop_pu),
        ("governor.t_s", p.t_s),
    ] {
        list.not_negative(key, value, "");
    }
    list.positive("governor.tact_s", p.tact_s, "s");
    list.dead_time(p.dead_time_s);
    bare_lead(list, ("governor.kd_s", p.kd_s), ("governor.td_s", p.td_s));
    list.ordered(("governor.min_pu", p.min_pu), ("governor.max_pu", p.max_pu));
}
