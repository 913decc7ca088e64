//! GGOV1 against independent solutions kept outside the repository, over their whole traces.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests; measured errors are printed"
)]

mod common;

use ballast_plant::{Ggov1Feedback, Ggov1Spec, GovernorSpec, Plant, PlantSpec, TorqueConvention};
use common::{BASE_W, one_set, read_csv, shared};
use serde_json::Value;

fn spec(p: &Value) -> PlantSpec {
    let of = |key: &str| p[key].as_f64().unwrap();
    let feedback = match of("Rselect") as i32 {
        0 => Ggov1Feedback::Isochronous,
        1 => Ggov1Feedback::Power,
        -2 => Ggov1Feedback::Valve,
        _ => Ggov1Feedback::Governor,
    };
    let governor = Ggov1Spec {
        droop_pu: of("R"),
        feedback,
        tpelec_s: of("Tpelec"),
        maxerr_pu: of("maxerr"),
        minerr_pu: of("minerr"),
        deadband_pu: of("db"),
        kpgov: of("Kpgov"),
        kigov_per_s: of("Kigov"),
        kdgov_s: of("Kdgov"),
        tdgov_s: of("Tdgov"),
        vmax_pu: of("Vmax"),
        vmin_pu: of("Vmin"),
        tact_s: of("Tact"),
        kturb: of("Kturb"),
        wfnl_pu: of("Wfnl"),
        tb_s: of("Tb"),
        tc_s: of("Tc"),
        fuel_follows_speed: of("Flag") == 1.0,
        dead_time_s: of("Teng"),
        tfload_s: of("Tfload"),
        kpload: of("Kpload"),
        kiload_per_s: of("Kiload"),
        ldref_pu: of("Ldref"),
        dm_pu: of("Dm"),
        ropen_per_s: of("Ropen"),
        rclose_per_s: of("Rclose"),
        kimw_per_s: of("Kimw"),
        acceleration_limiter: of("acc_limiter") != 0.0,
        aset_per_s: of("Aset"),
        ka: of("Ka"),
        ta_s: of("Ta"),
        delt_s: of("DELT"),
        tsa_s: of("Tsa"),
        tsb_s: of("Tsb"),
    };
    one_set(
        GovernorSpec::Ggov1(governor),
        of("H"),
        of("D"),
        TorqueConvention::Power,
    )
}

#[test]
fn independent_solutions() {
    let Some(folder) = shared("scipy") else {
        return;
    };
    for name in [
        "ggov1_gasengine_isoch_step10",
        "ggov1_gasturbine_isoch_step10",
    ] {
        let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
        let json: Value = serde_json::from_str(&text).unwrap();
        let p = &json["params"];
        let trace = read_csv(&folder.join(format!("{name}.csv")));
        for step in [1e-3, 0.5e-3] {
            let mut load = p["P0"].as_f64().unwrap() * BASE_W;
            let mut plant = Plant::new(&spec(p), load, step).unwrap();
            let (mut t, mut next) = (0.0, 0);
            let events = p["events"].as_array().unwrap();
            let mut worst = [0.0_f64; 3];
            for (row, &at) in trace["t_s"].iter().enumerate() {
                while next < events.len() && events[next][0].as_f64().unwrap() <= at + 1e-9 {
                    let event = events[next][0].as_f64().unwrap();
                    plant.advance(event - t, load, load);
                    (t, load) = (event, events[next][1].as_f64().unwrap() * BASE_W);
                    next += 1;
                }
                plant.advance(at - t, load, load);
                t = at;
                let set = plant.set(0);
                let got = [plant.speed_pu(), set.throttle_pu, set.mechanical_pu];
                for (i, column) in ["f_pu", "valve_pu", "Pm_pu"].into_iter().enumerate() {
                    worst[i] = worst[i].max((got[i] - trace[column][row]).abs());
                }
            }
            println!("{name} at {step}: {worst:?}");
            assert!(worst[0] <= 1e-6, "{name} at {step}: {worst:?}");
            assert!(worst[1] <= 1e-5, "{name} at {step}: {worst:?}");
        }
    }
}
