//! Reference solutions of the plant, from a scenario file to `traces.csv`.
//!
//! Every parameter of theirs stands in the scenario under the key that DESIGN.md names for it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::common::{Bench, reference_data};

/// One set of 1000 kVA: its per unit is the plant's, and 1 pu is 1000 kW.
const BASE_KW: f64 = 1000.0;

fn json(folder: &Path, name: &str) -> Value {
    let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).expect("a reference");
    serde_json::from_str(&text).expect("JSON")
}

fn columns(text: &str) -> BTreeMap<String, Vec<f64>> {
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let mut columns = vec![Vec::new(); names.len()];
    for line in lines {
        for (column, cell) in columns.iter_mut().zip(line.split(',')) {
            column.push(cell.parse().expect("a number"));
        }
    }
    let names = names.into_iter().map(str::to_owned);
    names.zip(columns).collect()
}

/// A load that steps: first power, then `(time, power)`, kilowatts.
fn load(name: &str, first_kw: f64, events: &[(f64, f64)], power_factor: Option<f64>) -> String {
    let mut text = format!(
        "[[loads]]\nkind = \"steps\"\nname = \"{name}\"\ninitial_kw = {first_kw:?}\npower_factor = {:?}\nevents = [",
        power_factor.unwrap_or(1.0)
    );
    for (at_s, power_kw) in events {
        write!(text, "{{ at_s = {at_s:?}, power_kw = {power_kw:?} }}, ").expect("text");
    }
    text + "]\n"
}

/// A scenario with one set `g`; `tables` are those of the set.
fn scenario(duration_s: f64, inertia_s: f64, damping: f64, loads: &str, tables: &str) -> String {
    format!(
        "[scenario]\nname = \"reference\"\n[simulation]\nduration_s = {duration_s:?}\nstep_s = 0.001\n[outputs]\nfigures = false\n{loads}\
         [plant]\nfrequency_hz = 60.0\ntorque = \"power\"\n[[plant.sets]]\nname = \"g\"\nrated_kw = 1000.0\nrated_kva = 1000.0\n\
         inertia_s = {inertia_s:?}\ndamping_pu = {damping:?}\nturbo = {{ enabled = false }}\n{tables}"
    )
}

/// Runs a scenario and gives its `traces.csv`.
fn traces(text: &str) -> BTreeMap<String, Vec<f64>> {
    let bench = Bench::new();
    bench.write("reference.toml", text);
    let said = bench.ballast(&["run", "reference.toml", "--csv", "--out", "o"]);
    assert_eq!(said.code, 0, "{}{}\n{text}", said.out, said.err);
    columns(&String::from_utf8(bench.read("o/traces.csv")).expect("text"))
}

/// Largest difference between columns at the times of the reference; those at events are left out.
///
/// After its first event ANDES' times lie 0.1 ms beside the step: a straight line between two samples is off by less than `h²/8` times the curvature,
/// 1e-6 for the frequency and 3e-6 for the voltage.
fn apart(
    got: &BTreeMap<String, Vec<f64>>,
    want: &BTreeMap<String, Vec<f64>>,
    events: &[f64],
    (ours, theirs): (&str, &str),
) -> f64 {
    let (mut worst, mut compared) = (0.0_f64, 0);
    for (at_s, value) in want["t_s"].iter().zip(&want[theirs]) {
        let steps = at_s / 0.001;
        let whole = (steps + 1e-6).floor();
        let share = (steps - whole).max(0.0);
        let sample = whole as usize;
        let near = events.iter().any(|e| (e - at_s).abs() < 2e-3);
        let (Some(t_s), Some(first)) = (got["t_s"].get(sample), got[ours].get(sample)) else {
            continue;
        };
        if near {
            continue;
        }
        assert!(
            (t_s - whole * 0.001).abs() < 1e-9,
            "{t_s} is sample {whole}"
        );
        let next = got[ours].get(sample + 1).unwrap_or(first);
        compared += 1;
        worst = worst.max((first + (next - first) * share - value).abs());
    }
    let rows = want["t_s"].len();
    assert!(compared * 10 > rows * 9, "{compared} of {rows} compared");
    worst
}

fn pairs(events: &Value) -> Vec<(f64, f64)> {
    let number = |v: &Value| v.as_f64().expect("a number");
    let list = events.as_array().expect("a list");
    list.iter()
        .map(|e| (number(&e[0]), number(&e[1])))
        .collect()
}

/// GENROU, SEXS and TGOV1 with the keys of ANDES; a power factor is that of a second load with what is added.
fn round_rotor(json: &Value, power_factor: Option<f64>) -> (String, Vec<f64>) {
    let of = |group: &str, key: &str| json[group][key].as_f64().expect("a number");
    let (g, v, e) = ("gen_params", "gov_params", "exc_params");
    let first = json["P0_pu_machine"].as_f64().expect("a number") * BASE_KW;
    let events: Vec<(f64, f64)> = pairs(&json["events_total_load_pu"])
        .into_iter()
        .map(|(t, p)| (t, p * BASE_KW))
        .collect();
    let loads = if power_factor.is_none() {
        load("all", first, &events, None)
    } else {
        let added: Vec<(f64, f64)> = events.iter().map(|(t, p)| (*t, p - first)).collect();
        load("base", first, &[], None) + &load("added", 0.0, &added, power_factor)
    };
    let tables = format!(
        "line_x_pu = {:?}\n\
         governor = {{ model = \"tgov1\", droop_pu = {:?}, t1_s = {:?}, t2_s = {:?}, t3_s = {:?}, vmax_pu = {:?}, vmin_pu = {:?}, dt_pu = {:?} }}\n\
         alternator = {{ model = \"genrou\", xd_pu = {:?}, xq_pu = {:?}, xd1_pu = {:?}, xq1_pu = {:?}, xd2_pu = {:?}, xl_pu = {:?}, ra_pu = {:?}, \
         td01_s = {:?}, td02_s = {:?}, tq01_s = {:?}, tq02_s = {:?} }}\n\
         exciter = {{ model = \"sexs\", k = {:?}, ta_s = {:?}, tb_s = {:?}, te_s = {:?}, emin_pu = {:?}, emax_pu = {:?} }}\n",
        json["line_x_pu"].as_f64().expect("a number"),
        of(v, "R"),
        of(v, "T1"),
        of(v, "T2"),
        of(v, "T3"),
        of(v, "VMAX"),
        of(v, "VMIN"),
        of(v, "Dt"),
        of(g, "xd"),
        of(g, "xq"),
        of(g, "xd1"),
        of(g, "xq1"),
        of(g, "xd2"),
        of(g, "xl"),
        of(g, "ra"),
        of(g, "Td10"),
        of(g, "Td20"),
        of(g, "Tq10"),
        of(g, "Tq20"),
        of(e, "K"),
        of(e, "TATB") * of(e, "TB"),
        of(e, "TB"),
        of(e, "TE"),
        of(e, "EMIN"),
        of(e, "EMAX"),
    );
    let duration_s = json["tf_s"].as_f64().expect("a number");
    let text = scenario(duration_s, 0.5 * of(g, "M"), of(g, "D"), &loads, &tables);
    (text, events.iter().map(|e| e.0).collect())
}

#[test]
fn alternators_as_andes_and_scipy_have_them_or_skipped_without_references() {
    let Some(folder) = reference_data("reference/plant") else {
        return;
    };
    for (name, power_factor) in [
        ("a_tuned_genrou_step25", None),
        ("c_tuned_square_0.5Hz", None),
        ("e_pq_step50_pf08_constPQ", Some(0.8)),
    ] {
        let json = json(&folder.join("andes"), name);
        let (text, events) = round_rotor(&json, power_factor);
        let got = traces(&text);
        let read =
            |path: &str| columns(&std::fs::read_to_string(folder.join(path)).expect("a reference"));
        let want = read(&format!("andes/{name}.csv"));
        let far = |ours, theirs| apart(&got, &want, &events, (ours, theirs));
        let (f, v) = (far("f_pu_g", "f_pu"), far("V_pu_g", "V_pu"));
        let (pm, pe, efd) = (
            // Its shaft equation has no speed in it: its power is the torque.
            far("Tm_pu_g", "Pm_pu"),
            far("Pe_pu_g", "Pe_pu"),
            far("Efd_pu_g", "Efd_pu"),
        );
        println!("{name}: f {f:e}, V {v:e}, Pm {pm:e}, Pe {pe:e}, Efd {efd:e}");
        // ANDES applies an event 0.1 ms late: 0.5e-4 ΔP/(2H) per unit on top.
        assert!(f <= 1e-5 + 0.5e-4 * 0.4 / 2.0, "{name}: f {f:e}");
        assert!(v <= 1e-4, "{name}: V {v:e}");
        // The same 0.1 ms late: torque rises by at most ΔP/40 ms, the field by K·ΔV/TE = 100 · 0.07/50 ms.
        assert!(pm <= 1e-3 && pe <= 1e-6, "{name}: Pm {pm:e}, Pe {pe:e}");
        assert!(efd <= 0.5e-4 * 100.0 * 0.07 / 0.05, "{name}: Efd {efd:e}");
        if name == "a_tuned_genrou_step25" {
            let want = read("scipy/genrou_a_tuned_genrou_step25.csv");
            for pair in [("f_pu_g", "f_pu"), ("V_pu_g", "V_pu")] {
                let far = apart(&got, &want, &events, pair);
                println!("scipy {pair:?}: {far:e}");
                assert!(far <= 1e-6, "{pair:?}: {far:e}");
            }
        }
    }
}

#[test]
fn gas_engine_and_turbine_or_skipped_without_references() {
    let Some(folder) = reference_data("reference/plant/scipy") else {
        return;
    };
    for name in [
        "ggov1_gasengine_isoch_step10",
        "ggov1_gasturbine_isoch_step10",
    ] {
        let json = json(&folder, name);
        let of = |key: &str| json["params"][key].as_f64().expect("a number");
        let feedback = match of("Rselect") as i32 {
            0 => "isochronous",
            1 => "power",
            -2 => "valve",
            _ => "governor",
        };
        let mut governor = format!(
            "governor = {{ model = \"ggov1\", feedback = \"{feedback}\", fuel_follows_speed = {}, acceleration_limiter = {}",
            of("Flag") == 1.0,
            of("acc_limiter") != 0.0
        );
        for (key, theirs) in [
            ("droop_pu", "R"),
            ("tpelec_s", "Tpelec"),
            ("maxerr_pu", "maxerr"),
            ("minerr_pu", "minerr"),
            ("deadband_pu", "db"),
            ("kpgov", "Kpgov"),
            ("kigov_per_s", "Kigov"),
            ("kdgov_s", "Kdgov"),
            ("tdgov_s", "Tdgov"),
            ("vmax_pu", "Vmax"),
            ("vmin_pu", "Vmin"),
            ("tact_s", "Tact"),
            ("kturb", "Kturb"),
            ("wfnl_pu", "Wfnl"),
            ("tb_s", "Tb"),
            ("tc_s", "Tc"),
            ("dead_time_s", "Teng"),
            ("tfload_s", "Tfload"),
            ("kpload", "Kpload"),
            ("kiload_per_s", "Kiload"),
            ("ldref_pu", "Ldref"),
            ("dm_pu", "Dm"),
            ("ropen_per_s", "Ropen"),
            ("rclose_per_s", "Rclose"),
            ("kimw_per_s", "Kimw"),
            ("aset_per_s", "Aset"),
            ("ka", "Ka"),
            ("ta_s", "Ta"),
            ("delt_s", "DELT"),
            ("tsa_s", "Tsa"),
            ("tsb_s", "Tsb"),
        ] {
            write!(governor, ", {key} = {:?}", of(theirs)).expect("text");
        }
        governor += " }\n";
        let events: Vec<(f64, f64)> = pairs(&json["params"]["events"])
            .into_iter()
            .map(|(t, p)| (t, p * BASE_KW))
            .collect();
        let loads = load("all", of("P0") * BASE_KW, &events, None);
        let got = traces(&scenario(of("tf"), of("H"), of("D"), &loads, &governor));
        let csv = std::fs::read_to_string(folder.join(format!("{name}.csv"))).expect("a reference");
        let want = columns(&csv);
        let at: Vec<f64> = events.iter().map(|e| e.0).collect();
        let f = apart(&got, &want, &at, ("f_pu_g", "f_pu"));
        let valve = apart(&got, &want, &at, ("throttle_pu_g", "valve_pu"));
        println!("{name}: f {f:e}, valve {valve:e}");
        assert!(
            f <= 1e-6 && valve <= 1e-5,
            "{name}: f {f:e}, valve {valve:e}"
        );
        // Without alternators nothing is said of voltage.
        assert!(!got.contains_key("V_pu_g") && !got.contains_key("Efd_pu_g"));
    }
}
