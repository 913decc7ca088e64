//! DEGOV1 reference solutions kept outside the repository, over their whole traces.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests; measured errors are printed"
)]

mod common;

use std::collections::BTreeMap;

use common::{compare, from_parameters, read_csv, shared, thin};

const LIMITED: [&str; 3] = [
    "degov1_saturating_step",
    "degov1_reject_100pct_friction10",
    "degov1_turbo_step75_from0",
];
const CASES: [&str; 10] = [
    "degov1_K10_step50",
    "degov1_droop5_step25",
    "degov1_isoch_step25",
    "degov1_isoch_step25_constP",
    "degov1_isoch_step25_nodelay",
    "degov1_reject_100pct_friction10",
    "degov1_saturating_step",
    "degov1_square_0.5Hz",
    "degov1_turbo_step50_from0",
    "degov1_turbo_step75_from0",
];

fn check(names: &[&str], every: usize, steps: &[f64], linear: f64) {
    let Some(folder) = shared("scipy") else {
        return;
    };
    for name in names {
        let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mut p: BTreeMap<String, f64> = BTreeMap::new();
        for (key, value) in json["params"].as_object().unwrap() {
            let key = if key == "TAU_B" { "TAU" } else { key };
            if let Some(number) = value.as_f64() {
                p.insert(key.to_owned(), number);
            }
        }
        p.insert(
            "te".to_owned(),
            f64::from(u8::from(json["params"]["te"] == "power")),
        );
        let event =
            |pair: &serde_json::Value| (pair[0].as_f64().unwrap(), pair[1].as_f64().unwrap());
        let events: Vec<(f64, f64)> = json["params"]["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(event)
            .collect();
        let spec = from_parameters(&p);
        let trace = thin(&read_csv(&folder.join(format!("{name}.csv"))), every);
        for &step in steps {
            let errors = compare(&spec, &trace, p["P0"], &events, step);
            println!("{name} at {step}: {errors:?}");
            let (speed, throttle) = if LIMITED.contains(name) {
                (1e-5, 1e-4)
            } else {
                (1e-6, linear)
            };
            assert!(errors.speed <= speed, "{name} at {step}: {errors:?}");
            assert!(
                errors.throttle.max(errors.torque).max(errors.boost) <= throttle,
                "{name} at {step}: {errors:?}"
            );
        }
    }
}

#[test]
fn whole_traces_at_one_millisecond_or_skipped_without_references() {
    check(&CASES, 1, &[1e-3], 1e-6);
}

#[test]
fn other_steps_give_the_same_or_skipped_without_references() {
    check(&CASES, 1, &[0.25e-3, 0.5e-3, 0.7e-3], 1e-6);
}

/// A fifth of the fastest lag: sixteen times the error of 1 ms, on the throttle.
#[test]
fn two_milliseconds_still_resolve_the_actuator_or_skipped_without_references() {
    check(&CASES, 2, &[2e-3], 5e-6);
}
