//! GENROU, SEXS and TGOV1 against independent solutions kept outside the repository, over their whole traces.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests; measured errors are printed"
)]

mod common;

use ballast_plant::{
    AlternatorSpec, ExciterSpec, GenrouSpec, GovernorSpec, Plant, PlantSpec, SexsSpec, Tgov1Spec,
    TorqueConvention,
};
use common::{BASE_W, one_set, read_csv, shared};
use serde_json::Value;

fn spec(json: &Value) -> PlantSpec {
    let of = |group: &str, key: &str| json[group][key].as_f64().unwrap();
    let (g, v, e) = ("gen_params", "gov_params", "exc_params");
    let mut plant = one_set(
        GovernorSpec::Tgov1(Tgov1Spec {
            droop_pu: of(v, "R"),
            t1_s: of(v, "T1"),
            t2_s: of(v, "T2"),
            t3_s: of(v, "T3"),
            vmax_pu: of(v, "VMAX"),
            vmin_pu: of(v, "VMIN"),
            dt_pu: of(v, "Dt"),
        }),
        0.5 * of(g, "M"),
        of(g, "D"),
        TorqueConvention::Power,
    );
    plant.sets[0].alternator = Some(AlternatorSpec::Genrou(GenrouSpec {
        xd_pu: of(g, "xd"),
        xq_pu: of(g, "xq"),
        xd1_pu: of(g, "xd1"),
        xq1_pu: of(g, "xq1"),
        xd2_pu: of(g, "xd2"),
        xl_pu: of(g, "xl"),
        ra_pu: of(g, "ra"),
        td01_s: of(g, "Td10"),
        td02_s: of(g, "Td20"),
        tq01_s: of(g, "Tq10"),
        tq02_s: of(g, "Tq20"),
        // S12 = 1 is that program's word for no saturation.
        s10: 0.0,
        s12: 0.0,
    }));
    plant.sets[0].line_x_pu = json["line_x_pu"].as_f64().unwrap();
    plant.sets[0].exciter = Some(ExciterSpec::Sexs(SexsSpec {
        k: of(e, "K"),
        ta_s: of(e, "TATB") * of(e, "TB"),
        tb_s: of(e, "TB"),
        te_s: of(e, "TE"),
        emin_pu: of(e, "EMIN"),
        emax_pu: of(e, "EMAX"),
    }));
    plant
}

/// Largest errors of frequency, voltage and field over a trace; samples within a step of an event are left out.
fn errors(json: &Value, csv: &str, step_s: f64) -> Option<[f64; 3]> {
    let trace = read_csv(&shared("")?.join(csv));
    let spec = spec(json);
    let q0 = json["Q0_pu_machine"].as_f64().unwrap();
    let mut load = (json["P0_pu_machine"].as_f64().unwrap(), q0);
    // "Qpf 0 -> 0.3 at t=1": reactive power steps with the active one.
    let q1 = json["extra"].as_str().map_or(q0, |text| {
        text.split_whitespace().nth(3).unwrap().parse().unwrap()
    });
    let events: Vec<(f64, f64, f64)> = json["events_total_load_pu"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (e[0].as_f64().unwrap(), e[1].as_f64().unwrap(), q1))
        .collect();
    let watts = |(p, q): (f64, f64)| (p * BASE_W, q * BASE_W);
    let mut plant = Plant::with_reactive(&spec, watts(load), step_s).unwrap();
    let (mut t, mut next) = (0.0, 0);
    let mut worst = [0.0_f64; 3];
    for (row, &at) in trace["t_s"].iter().enumerate() {
        while next < events.len() && events[next].0 <= at + 1e-9 {
            plant.advance_with_reactive(events[next].0 - t, watts(load), watts(load));
            (t, load) = (events[next].0, (events[next].1, events[next].2));
            next += 1;
        }
        plant.advance_with_reactive(at - t, watts(load), watts(load));
        t = at;
        if events.iter().any(|e| (at - e.0).abs() < 2e-3) {
            continue;
        }
        let set = plant.set(0);
        let got = [set.speed_pu, set.voltage_pu.unwrap(), set.field_pu.unwrap()];
        for (i, column) in ["f_pu", "V_pu", "Efd_pu"].into_iter().enumerate() {
            worst[i] = worst[i].max((got[i] - trace[column][row]).abs());
        }
    }
    Some(worst)
}

fn read(name: &str) -> Option<Value> {
    let path = shared("andes")?.join(format!("{name}.json"));
    Some(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
}

#[test]
fn independent_solution_of_genrou() {
    let Some(json) = read("a_tuned_genrou_step25") else {
        return;
    };
    for step in [1e-3, 0.5e-3] {
        let worst = errors(&json, "scipy/genrou_a_tuned_genrou_step25.csv", step).unwrap();
        println!("scipy at {step}: {worst:?}");
        assert!(worst[0] <= 1e-6 && worst[1] <= 1e-6, "{worst:?}");
    }
}

#[test]
fn andes_solutions() {
    for name in [
        "a_tuned_genrou_step25",
        "c_tuned_square_0.5Hz",
        "e_pq_step50_pf08_constPQ",
    ] {
        let Some(json) = read(name) else { return };
        let worst = errors(&json, &format!("andes/{name}.csv"), 1e-3).unwrap();
        println!("{name}: {worst:?}");
        // ANDES applies an event 0.1 ms late: 0.5e-4 ΔP/(2H) per unit on top.
        assert!(worst[0] <= 1e-5 + 0.5e-4 * 0.4 / 2.0, "{name} {worst:?}");
        assert!(worst[1] <= 1e-4, "{name} {worst:?}");
    }
}

/// Two equal sets, one trips; the solution has no independent check of its own.
#[test]
fn andes_trip_of_one_of_two() {
    let name = "b_tuned_two_trip";
    let Some(json) = read(name) else { return };
    let trace = read_csv(&shared("andes").unwrap().join(format!("{name}.csv")));
    let mut spec = spec(&json);
    let mut second = spec.sets[0].clone();
    second.name = "h".to_owned();
    spec.sets.push(second);
    // Per unit of one set; the plant's base is two.
    let load = 2.0 * json["P0_pu_machine"].as_f64().unwrap() * BASE_W;
    let mut plant = Plant::new(&spec, load, 1e-3).unwrap();
    let at = json["toggles"][0][0].as_f64().unwrap();
    let (mut t, mut tripped) = (0.0, false);
    let (mut frequency, mut voltage) = (0.0_f64, 0.0_f64);
    for (row, &now) in trace["t_s"].iter().enumerate() {
        if !tripped && at <= now + 1e-9 {
            plant.advance(at - t, load, load);
            (t, tripped) = (at, true);
            plant.trip(0, 1);
            assert_eq!(plant.on_bus(0), 0);
        }
        plant.advance(now - t, load, load);
        t = now;
        if (now - at).abs() < 2e-3 {
            continue;
        }
        let set = plant.set(1);
        frequency = frequency.max((set.speed_pu - trace["f_pu_2"][row]).abs());
        voltage = voltage.max((set.voltage_pu.unwrap() - trace["V_pu"][row]).abs());
    }
    println!("{name}: frequency {frequency:e}, voltage {voltage:e}");
    assert!(frequency <= 1e-5 + 0.5e-4 * 0.35 / 2.0, "{frequency:e}");
    assert!(voltage <= 1e-4, "{voltage:e}");
}
