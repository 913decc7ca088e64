//! The linear model and the settled swing of every kind of governor and alternator, against the plant in time.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests; measured errors are printed"
)]

mod common;

use ballast_plant::{
    GovernorSpec, PeriodicLoad, Plant, PlantSpec, SetSpec, Settled, TorqueConvention, TurboSpec,
};
use common::{BASE_W, one_set, pi, set, yeager};
use serde_json::{Value, json};
use std::f64::consts::{FRAC_PI_2, TAU};

fn governor(value: Value) -> GovernorSpec {
    serde_json::from_value(value).unwrap()
}

fn ggov1() -> GovernorSpec {
    governor(json!({
        "model": "ggov1", "droop_pu": 0.04, "feedback": "power", "tpelec_s": 0.5, "kpgov": 10.0, "kigov_per_s": 2.0,
        "vmax_pu": 1.0, "vmin_pu": 0.05, "tact_s": 0.1, "kturb": 1.5, "wfnl_pu": 0.2, "tb_s": 0.2, "tc_s": 0.0,
        "dead_time_s": 0.05, "tfload_s": 3.0, "kpload": 2.0, "ldref_pu": 1.0,
        "dm_pu": 0.0, "ropen_per_s": 1.0, "rclose_per_s": -1.0
    }))
}

fn governors() -> Vec<(&'static str, GovernorSpec)> {
    vec![
        ("GGOV1", ggov1()),
        (
            "PID",
            governor(json!({
                "model": "pid", "kp_pu": 6.0, "ki_per_s": 4.0, "kd_s": 1.0, "td_s": 0.05, "tact_s": 0.05, "t_s": 0.1, "dead_time_s": 0.03
            })),
        ),
        (
            "GAST",
            governor(json!({
                "model": "gast", "droop_pu": 0.05, "t1_s": 0.2, "t2_s": 0.1, "t3_s": 3.0, "at_pu": 1.0, "kt": 2.0
            })),
        ),
        (
            "IEEEG1",
            governor(json!({
                "model": "ieeeg1", "k": 20.0, "t1_s": 0.1, "t2_s": 0.0, "t3_s": 0.15, "stages_s": [0.2, 3.0, 0.0, 0.0], "shares": [0.4, 0.6, 0.0, 0.0]
            })),
        ),
        ("DEGOV1", GovernorSpec::Degov1(yeager())),
    ]
}

fn with_alternator(mut one: SetSpec) -> SetSpec {
    one.alternator = Some(
        serde_json::from_value(json!({
            "model": "gensal", "xd_pu": 2.5, "xq_pu": 1.4, "xd1_pu": 0.22, "xd2_pu": 0.16, "xl_pu": 0.08,
            "td01_s": 2.5, "td02_s": 0.03, "tq02_s": 0.04, "s10": 0.15, "s12": 0.5
        }))
        .unwrap(),
    );
    one.exciter = Some(
        serde_json::from_value(json!({
            "model": "ac8b", "kpr": 40.0, "kir_per_s": 30.0, "kdr_s": 5.0, "tdr_s": 0.03, "ka": 1.0, "ta_s": 0.01,
            "vrmin_pu": -10.0, "vrmax_pu": 30.0, "te_s": 0.25, "kc": 0.1, "kd": 0.5
        }))
        .unwrap(),
    );
    // Two integrating regulators on one bus need a droop.
    one.voltage_control.droop_pu = 0.04;
    one
}

/// Amplitudes of speed, and of voltage where there is one, under a small sine.
fn small_sine(spec: &PlantSpec, f_hz: f64, amplitude: f64) -> (f64, Option<f64>) {
    let start = 0.5;
    let base = Plant::new(spec, 0.0, 1e-3).unwrap().base_w();
    let mut plant = Plant::new(spec, start * base, 1e-3).unwrap();
    let load = |i: usize| (start + amplitude * libm::sin(TAU * f_hz * i as f64 * 1e-3)) * base;
    let (mut speed, mut voltage) = ((0.0, 0.0), (0.0, 0.0));
    for i in 0..70_000 {
        plant.advance(1e-3, load(i), load(i + 1));
        if i >= 60_000 {
            let angle = TAU * f_hz * (i + 1) as f64 * 1e-3;
            let (sin, cos) = (libm::sin(angle) / 5000.0, libm::cos(angle) / 5000.0);
            speed.0 += (plant.speed_pu() - 1.0) * sin;
            speed.1 += (plant.speed_pu() - 1.0) * cos;
            let v = plant.set(0).voltage_pu.unwrap_or(1.0) - 1.0;
            voltage.0 += v * sin;
            voltage.1 += v * cos;
        }
    }
    let size = |v: (f64, f64)| libm::hypot(v.0, v.1) / amplitude;
    (size(speed), plant.set(0).voltage_pu.map(|_| size(voltage)))
}

#[test]
fn gains_are_those_of_the_simulation() {
    for (name, governor) in governors() {
        for electric in [false, true] {
            let mut spec = one_set(governor, 1.0, 0.5, TorqueConvention::PowerOverSpeed);
            if electric {
                let two = [set("g1", governor, 1.0, 0.5), set("g2", governor, 1.4, 0.5)];
                spec.sets = two.into_iter().map(with_alternator).collect();
            }
            let base = Plant::new(&spec, 0.0, 1e-3).unwrap().base_w();
            let plant = Plant::new(&spec, 0.5 * base, 1e-3).unwrap();
            let modes = plant.modes().unwrap();
            assert!(
                modes.stable() && !modes.at_a_kink,
                "{name} {electric} {}",
                modes.modes[0]
            );
            for f_hz in [0.5, 2.0] {
                let (speed, voltage) = small_sine(&spec, f_hz, 1e-5);
                let (_, linear_voltage) = plant.set_gains_pu(0, f_hz).unwrap();
                let off = speed / plant.gain_pu(f_hz) - 1.0;
                println!("{name} alternator {electric} {f_hz} Hz: {off:e}");
                assert!(off.abs() < 1e-3, "{name} {electric} {f_hz}: {off}");
                if let (Some(v), Some(linear)) = (voltage, linear_voltage) {
                    assert!(
                        (v / linear - 1.0).abs() < 5e-3,
                        "{name} {f_hz}: {v} {linear}"
                    );
                }
            }
        }
    }
}

/// Peak to peak over the last ten of many periods.
fn run(spec: &PlantSpec, load: (f64, f64), f_hz: f64) -> f64 {
    let mut plant = Plant::new(spec, 0.5 * (load.0 + load.1), 1e-3).unwrap();
    let steps = (0.5 / f_hz / 1e-3).round() as usize;
    let h = 0.5 / f_hz / steps as f64;
    let periods = (120.0 * f_hz) as usize;
    let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
    for period in 0..periods {
        for level in [load.1, load.0] {
            for _ in 0..steps {
                plant.advance(h, level, level);
                if period + 10 >= periods {
                    low = low.min(plant.speed_pu());
                    high = high.max(plant.speed_pu());
                }
            }
        }
    }
    (high - low) * spec.frequency_hz
}

#[test]
fn settled_swings_of_every_governor() {
    for (name, governor) in governors() {
        for electric in [false, true] {
            let mut spec = one_set(governor, 1.0, 0.5, TorqueConvention::PowerOverSpeed);
            if electric {
                spec.sets = vec![with_alternator(spec.sets[0].clone())];
            } else {
                spec.sets[0].turbo = TurboSpec {
                    enabled: true,
                    time_constant_s: 1.5,
                    acceptance_pu: 0.12,
                };
            }
            let levels = (0.35 * BASE_W, 0.65 * BASE_W);
            for f_hz in [0.5, 1.0] {
                let plant = Plant::new(&spec, 0.5 * BASE_W, 1e-3).unwrap();
                let p =
                    plant.predict(&PeriodicLoad::two_level(f_hz, levels.0, levels.1, 0.5).unwrap());
                let run_hz = run(&spec, levels, f_hz);
                println!(
                    "{name} alternator {electric} {f_hz} Hz: run {run_hz:.4}, limited {:.4}, linear {:.4}, {:?} {:?} {} periods",
                    p.limited.peak_to_peak_hz,
                    p.unlimited.unwrap().peak_to_peak_hz,
                    p.settled,
                    p.reached,
                    p.periods
                );
                let off = p.limited.peak_to_peak_hz / run_hz - 1.0;
                assert!(
                    p.settled != Settled::Periodic || off.abs() < 0.02,
                    "{name}: {off}"
                );
                assert!(!matches!(p.settled, Settled::Collapsed { .. }));
            }
        }
    }
}

/// Above the critical gain the limits hold a swing that does not go with the load, and no unstable state is passed off as settled.
#[test]
fn an_unstable_plant_is_not_settled() {
    let critical = FRAC_PI_2 * 2.0 / 0.1;
    let mut governor = pi(1.2 * critical, 0.0, 0.0, 0.1);
    if let GovernorSpec::Pi(g) = &mut governor {
        (g.min_pu, g.max_pu) = (0.0, 1.1);
    }
    let spec = one_set(governor, 1.0, 0.0, TorqueConvention::Power);
    let plant = Plant::new(&spec, 0.5 * BASE_W, 1e-3).unwrap();
    let load = PeriodicLoad::two_level(0.73, 0.48 * BASE_W, 0.52 * BASE_W, 0.5).unwrap();
    let p = plant.predict(&load);
    println!("{p:?}");
    assert!(p.growth_per_s.unwrap() > 0.0);
    assert_eq!(p.settled, Settled::NotPeriodic);
    assert!(p.limited.peak_to_peak_hz > 1.0);
}
