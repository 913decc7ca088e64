//! References made by `reference/make_references.py`, kept beside the tests.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests; measured errors are printed"
)]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use common::{Errors, compare, from_parameters, read_csv};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference")
}

fn case(name: &str, step: f64) -> Errors {
    let text = std::fs::read_to_string(folder().join("cases.csv")).unwrap();
    let mut lines = text.lines();
    let keys: Vec<&str> = lines.next().unwrap().split(',').skip(1).collect();
    let line = lines
        .find(|line| line.split(',').next() == Some(name))
        .unwrap();
    let values = line
        .split(',')
        .skip(1)
        .map(|cell| cell.parse::<f64>().unwrap());
    let p: BTreeMap<String, f64> = keys.into_iter().map(str::to_owned).zip(values).collect();
    let trace = read_csv(&folder().join(format!("{name}.csv")));
    let errors = compare(
        &from_parameters(&p),
        &trace,
        p["P0"],
        &[(p["t_event"], p["P1"])],
        step,
    );
    println!("{name} at {step}: {errors:?}");
    errors
}

fn smooth(name: &str, steps: &[f64]) {
    for &step in steps {
        let errors = case(name, step);
        assert!(
            errors.speed.max(errors.torque).max(errors.throttle) <= 1e-6,
            "{name} at {step}: {errors:?}"
        );
    }
}

fn limited(name: &str, steps: &[f64]) {
    for &step in steps {
        let errors = case(name, step);
        assert!(errors.speed <= 1e-5, "{name} at {step}: {errors:?}");
        assert!(
            errors.torque.max(errors.throttle).max(errors.boost) <= 1e-4,
            "{name} at {step}: {errors:?}"
        );
    }
}

const STEPS: [f64; 3] = [1e-3, 0.7e-3, 0.5e-3];

#[test]
fn step_of_a_quarter() {
    smooth("degov1_step25", &STEPS);
}

#[test]
fn dead_time_between_two_steps() {
    smooth("degov1_dead_time_23p7ms", &STEPS);
}

#[test]
fn dead_time_within_one_step() {
    smooth("degov1_dead_time_0p4ms", &STEPS);
}

#[test]
fn zero_constants_drop_out() {
    smooth("degov1_droop_no_t5", &STEPS);
    smooth("degov1_lag_box", &STEPS);
    smooth("degov1_no_lags", &STEPS);
}

#[test]
fn power_over_speed() {
    smooth("degov1_over_speed", &STEPS);
    smooth("tgov1_over_speed", &STEPS);
}

#[test]
fn limits_that_do_not_wind_up() {
    limited("degov1_saturating", &STEPS);
    limited("degov1_reject", &STEPS);
    limited("tgov1_valve_limit", &STEPS);
}

#[test]
fn turbo_ceiling() {
    limited("degov1_turbo_step100", &STEPS);
}
