//! Contradictions in alternators, exciters and how sets share reactive power.

use crate::alternator_spec::{AlternatorSpec, ExciterSaturation, ExciterSpec};
use crate::check::{List, number};
use crate::exciter::Exciter;
use crate::load_spec::LoadModelSpec;
use crate::spec::{PlantSpec, SetSpec};

/// What concerns one set.
pub(crate) fn check_alternator(list: &mut List, set: &SetSpec) {
    list.not_negative("line_x_pu", set.line_x_pu, "pu");
    match &set.alternator {
        None => {
            if set.exciter.is_some() {
                list.add(
                    "exciter",
                    "an exciter without an alternator excites nothing".to_owned(),
                    "give the set an [alternator], or take the exciter out".to_owned(),
                );
            }
        }
        Some(AlternatorSpec::Gencls(m)) => {
            list.positive("alternator.xd1_pu", m.xd1_pu, "pu");
            list.not_negative("alternator.ra_pu", m.ra_pu, "pu");
        }
        Some(AlternatorSpec::Gensal(m)) => {
            falling(
                list,
                &[
                    ("alternator.xd_pu", m.xd_pu),
                    ("alternator.xd1_pu", m.xd1_pu),
                    ("alternator.xd2_pu", m.xd2_pu),
                    ("alternator.xl_pu", m.xl_pu),
                ],
            );
            if let Some(xq2) = m.xq2_pu {
                falling(
                    list,
                    &[("alternator.xq_pu", m.xq_pu), ("alternator.xq2_pu", xq2)],
                );
            } else {
                falling(
                    list,
                    &[
                        ("alternator.xq_pu", m.xq_pu),
                        ("alternator.xd2_pu", m.xd2_pu),
                    ],
                );
            }
            common(list, m.ra_pu, m.s10, m.s12);
            list.positive("alternator.td01_s", m.td01_s, "s");
            list.positive("alternator.td02_s", m.td02_s, "s");
            list.positive("alternator.tq02_s", m.tq02_s, "s");
        }
        Some(AlternatorSpec::Genrou(m)) => {
            falling(
                list,
                &[
                    ("alternator.xd_pu", m.xd_pu),
                    ("alternator.xd1_pu", m.xd1_pu),
                    ("alternator.xd2_pu", m.xd2_pu),
                    ("alternator.xl_pu", m.xl_pu),
                ],
            );
            falling(
                list,
                &[
                    ("alternator.xq_pu", m.xq_pu),
                    ("alternator.xq1_pu", m.xq1_pu),
                    ("alternator.xd2_pu", m.xd2_pu),
                ],
            );
            common(list, m.ra_pu, m.s10, m.s12);
            list.positive("alternator.td01_s", m.td01_s, "s");
            list.positive("alternator.td02_s", m.td02_s, "s");
            list.positive("alternator.tq01_s", m.tq01_s, "s");
            list.positive("alternator.tq02_s", m.tq02_s, "s");
        }
    }
    if let Some(exciter) = &set.exciter {
        check_exciter(list, exciter);
    }
    let c = set.voltage_control;
    list.not_negative("voltage_control.droop_pu", c.droop_pu, "pu");
    list.not_negative("voltage_control.cross_current_pu", c.cross_current_pu, "pu");
    list.not_negative("voltage_control.volts_per_hertz", c.volts_per_hertz, "pu");
}

/// Reactances of one axis: each above the next. `X''d = X'd` is no damper winding, and allowed.
fn falling(list: &mut List, reactances: &[(&str, f64)]) {
    for (key, value) in reactances {
        if key.ends_with("xl_pu") {
            list.not_negative(key, *value, "pu");
        } else {
            list.positive(key, *value, "pu");
        }
    }
    for pair in reactances.windows(2) {
        let ((upper, high), (lower, low)) = (pair[0], pair[1]);
        let strict = lower.ends_with("xl_pu");
        if low > high || (strict && low == high) {
            let message = format!("{} is not above {lower} = {}", number(high), number(low));
            let help = "Xd above X'd above X''d above Xl, and likewise on the q axis".to_owned();
            list.add(upper, message, help);
            list.against(lower);
        }
    }
}

fn common(list: &mut List, ra: f64, s10: f64, s12: f64) {
    list.not_negative("alternator.ra_pu", ra, "pu");
    list.not_negative("alternator.s10", s10, "");
    list.not_negative("alternator.s12", s12, "");
    if s10 > 0.0 && 1.2 * s12 <= s10 {
        let message = format!(
            "S(1.2) = {} does not lie on a curve that rises from S(1.0) = {}",
            number(s12),
            number(s10)
        );
        list.add(
            "alternator.s12",
            message,
            "saturation grows with flux: S(1.2) well above S(1.0), or both 0".to_owned(),
        );
        list.against("alternator.s10");
    }
}

fn saturation(list: &mut List, s: ExciterSaturation) {
    for (key, value) in [
        ("exciter.saturation.e1_pu", s.e1_pu),
        ("exciter.saturation.se1", s.se1),
        ("exciter.saturation.e2_pu", s.e2_pu),
        ("exciter.saturation.se2", s.se2),
    ] {
        list.not_negative(key, value, "pu");
    }
    let any = s.se1 > 0.0 || s.se2 > 0.0;
    let rises = (s.e2_pu - s.e1_pu) * (s.se2 * s.e2_pu - s.se1 * s.e1_pu) > 0.0;
    if any && !rises {
        list.add(
            "exciter.saturation",
            format!(
                "SE({}) = {} and SE({}) = {} are not two points of a rising curve",
                number(s.e1_pu),
                number(s.se1),
                number(s.e2_pu),
                number(s.se2)
            ),
            "two different voltages, the higher with the higher saturation".to_owned(),
        );
    }
}

fn check_exciter(list: &mut List, exciter: &ExciterSpec) {
    for (key, t_s) in Exciter::lags(exciter) {
        list.not_negative(key, t_s, "s");
    }
    let bare = |list: &mut List, lead: (&str, f64), lag: (&str, f64)| {
        if lead.1 > 0.0 && lag.1 == 0.0 {
            list.add(
                lead.0,
                format!(
                    "{} = {} without the lag {} is a pure differentiator",
                    lead.0,
                    number(lead.1),
                    lag.0
                ),
                format!("give {} above zero, or {} = 0", lag.0, lead.0),
            );
        }
    };
    match exciter {
        ExciterSpec::Constant => {}
        ExciterSpec::Sexs(s) => {
            list.positive("exciter.k", s.k, "pu");
            list.not_negative("exciter.ta_s", s.ta_s, "s");
            bare(list, ("exciter.ta_s", s.ta_s), ("exciter.tb_s", s.tb_s));
            list.ordered(
                ("exciter.emin_pu", s.emin_pu),
                ("exciter.emax_pu", s.emax_pu),
            );
        }
        ExciterSpec::Ac8b(s) => {
            list.positive("exciter.ka", s.ka, "pu");
            list.positive("exciter.te_s", s.te_s, "s");
            for (key, value) in [
                ("exciter.kpr", s.kpr),
                ("exciter.kir_per_s", s.kir_per_s),
                ("exciter.kdr_s", s.kdr_s),
                ("exciter.ke", s.ke),
                ("exciter.kc", s.kc),
                ("exciter.kd", s.kd),
                ("exciter.vemin_pu", s.vemin_pu),
            ] {
                list.not_negative(key, value, "pu");
            }
            if s.kpr == 0.0 && s.kir_per_s == 0.0 {
                list.add(
                    "exciter.kpr",
                    "neither a proportional nor an integral gain: no field".to_owned(),
                    "give kpr or kir_per_s above zero".to_owned(),
                );
            }
            bare(list, ("exciter.kdr_s", s.kdr_s), ("exciter.tdr_s", s.tdr_s));
            list.ordered(
                ("exciter.vrmin_pu", s.vrmin_pu),
                ("exciter.vrmax_pu", s.vrmax_pu),
            );
            saturation(list, s.saturation);
        }
        ExciterSpec::Dc1a(s) => {
            list.positive("exciter.ka", s.ka, "pu");
            list.positive("exciter.te_s", s.te_s, "s");
            list.not_negative("exciter.kf", s.kf, "pu");
            bare(list, ("exciter.kf", s.kf), ("exciter.tf_s", s.tf_s));
            list.ordered(
                ("exciter.vrmin_pu", s.vrmin_pu),
                ("exciter.vrmax_pu", s.vrmax_pu),
            );
            saturation(list, s.saturation);
        }
    }
}

/// What concerns the sets together.
pub(crate) fn check_together(list: &mut List, plant: &PlantSpec) {
    let with = plant.sets.iter().filter(|s| s.alternator.is_some()).count();
    for (index, set) in plant.sets.iter().enumerate() {
        if with > 0 && set.alternator.is_none() && plant.utility.is_none() {
            list.add(
                &format!("sets.{index}.alternator"),
                format!(
                    "\"{}\" has no alternator while other sets have one",
                    set.name
                ),
                "give every set an alternator (gencls needs only X'd), or none".to_owned(),
            );
        }
    }
    // Equal sets of one entry are one exact equivalent and share evenly by construction.
    let fighting: Vec<usize> = (0..plant.sets.len())
        .filter(|&i| {
            let set = &plant.sets[i];
            let c = set.voltage_control;
            set.exciter.as_ref().is_some_and(Exciter::integrates)
                && c.droop_pu == 0.0
                && c.cross_current_pu == 0.0
        })
        .collect();
    if let [first, second, ..] = fighting[..] {
        list.add(
            &format!("sets.{second}.voltage_control.droop_pu"),
            format!(
                "\"{}\" and \"{}\" both integrate the voltage error of one bus: their reactive power is not determined",
                plant.sets[first].name, plant.sets[second].name
            ),
            "give droop_pu (0.03 to 0.05) or cross_current_pu to all sets but one at least".to_owned(),
        );
    }
    for (index, set) in plant.sets.iter().enumerate() {
        if let Some(knee) = set.voltage_control.knee_hz
            && knee > plant.frequency_hz
        {
            list.add(
                &format!("sets.{index}.voltage_control.knee_hz"),
                format!(
                    "{} Hz is above the nominal {} Hz: the voltage would be held down all the time",
                    number(knee),
                    number(plant.frequency_hz)
                ),
                format!(
                    "a little below nominal, as {} Hz",
                    number(0.95 * plant.frequency_hz)
                ),
            );
            list.against("frequency_hz");
        }
    }
    check_load(list, &plant.load);
    if !(plant.voltage_pu > 0.0 && plant.voltage_pu.is_finite()) {
        list.positive("voltage_pu", plant.voltage_pu, "pu");
    }
}

fn check_load(list: &mut List, load: &LoadModelSpec) {
    for (key, value) in [
        ("load.current_share", load.current_share),
        ("load.impedance_share", load.impedance_share),
        ("load.reactive_current_share", load.reactive_current_share),
        (
            "load.reactive_impedance_share",
            load.reactive_impedance_share,
        ),
        ("load.current_limit_below_pu", load.current_limit_below_pu),
    ] {
        list.not_negative(key, value, "");
    }
    for (keys, sum) in [
        (
            ("load.current_share", "load.impedance_share"),
            load.current_share + load.impedance_share,
        ),
        (
            (
                "load.reactive_current_share",
                "load.reactive_impedance_share",
            ),
            load.reactive_current_share + load.reactive_impedance_share,
        ),
    ] {
        if sum > 1.0 {
            list.add(
                keys.0,
                format!("the two shares sum to {}", number(sum)),
                "at most 1: the rest is constant power".to_owned(),
            );
            list.against(keys.1);
        }
    }
}
