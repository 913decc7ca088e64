//! Closed-form solutions, kept outside the repository, and what they imply. `closed_form_inline` computes the same cases from their
//! formulas, so that a fresh clone checks them too.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests; measured errors are printed"
)]

mod common;

use ballast_plant::{GovernorSpec, LoadModelSpec, Plant, PlantSpec, Tgov1Spec, TorqueConvention};
use common::{BASE_W, one_set, pi, read_csv, run, set, shared, tgov1, thin};

const FIRST_LOAD: f64 = 0.3;
const STEPS: [(f64, usize); 4] = [(1e-3, 1), (0.5e-3, 1), (0.7e-3, 1), (2e-3, 2)];

fn droop(t1_s: f64) -> GovernorSpec {
    GovernorSpec::Tgov1(tgov1(0.05, t1_s))
}

fn check(name: &str, governor: GovernorSpec, damping: f64, change: f64) {
    let Some(folder) = shared("closed_form") else {
        return;
    };
    let whole = read_csv(&folder.join(format!("{name}.csv")));
    let spec = one_set(governor, 1.0, damping, TorqueConvention::Power);
    for (step, every) in STEPS {
        let trace = thin(&whole, every);
        let mut plant = Plant::new(&spec, FIRST_LOAD * BASE_W, step).unwrap();
        let (mut speed, mut power) = (0.0_f64, 0.0_f64);
        run(
            &mut plant,
            &trace["t_s"],
            FIRST_LOAD,
            &[(0.0, FIRST_LOAD + change)],
            step,
            |i, plant| {
                speed = speed.max((plant.speed_pu() - 1.0 - trace["dw_pu"][i]).abs());
                if let Some(reference) = trace.get("dPm_pu") {
                    power = power.max((plant.set(0).torque_pu - FIRST_LOAD - reference[i]).abs());
                }
            },
        );
        println!("{name} at {step}: speed {speed:e}, power {power:e}");
        assert!(
            speed <= 1e-6 && power <= 1e-6,
            "{name} at {step}: {speed:e} {power:e}"
        );
    }
}

#[test]
fn swing_with_damping_or_skipped_without_references() {
    check("cf1_swing_damping", GovernorSpec::Constant, 1.0, 0.2);
}

#[test]
fn droop_governor_or_skipped_without_references() {
    check("cf2a_droop_gov_25pct", droop(0.1), 0.0, 0.2);
    check("cf2b_droop_gov_50pct", droop(0.1), 0.0, 0.4);
    check("cf2c_slow_gov", droop(0.5), 1.0, 0.2);
}

/// The lag may stand in the valve or behind it.
#[test]
fn droop_governor_with_the_lag_in_the_turbine_or_skipped_without_references() {
    let behind = GovernorSpec::Tgov1(Tgov1Spec {
        t1_s: 0.0,
        t3_s: 0.1,
        ..tgov1(0.05, 0.0)
    });
    check("cf2a_droop_gov_25pct", behind, 0.0, 0.2);
}

#[test]
fn isochronous_pi_or_skipped_without_references() {
    check("cf3a_isoch_PI_25pct", pi(12.0, 12.0, 0.1, 0.0), 0.0, 0.2);
    check("cf3b_isoch_PI_50pct", pi(12.0, 12.0, 0.1, 0.0), 0.0, 0.4);
}

/// `K = (π/2)(2H/TD)` separates decay from growth, at a period of four dead times.
#[test]
fn dead_time_bounds_a_proportional_gain() {
    let (h, dead_time) = (1.0, 0.1);
    let critical = std::f64::consts::FRAC_PI_2 * 2.0 * h / dead_time;
    let swing = |factor: f64| {
        let spec = one_set(
            pi(critical * factor, 0.0, 0.0, dead_time),
            h,
            0.0,
            TorqueConvention::Power,
        );
        let mut plant = Plant::new(&spec, 0.5 * BASE_W, 1e-3).unwrap();
        let (mut early, mut late, mut crossings) = (0.0_f64, 0.0_f64, 0);
        let mut before = 0.0;
        for index in 0..12_000 {
            plant.advance(1e-3, 0.5001 * BASE_W, 0.5001 * BASE_W);
            // Around the offset that proportional control leaves.
            let speed = plant.speed_pu() - 1.0 + 1e-4 / (critical * factor);
            match index {
                2000..4000 => early = early.max(speed.abs()),
                10_000..12_000 => {
                    late = late.max(speed.abs());
                    crossings += usize::from(speed * before < 0.0);
                }
                _ => {}
            }
            before = speed;
        }
        (late / early, crossings)
    };
    assert!(swing(0.98).0 < 0.9);
    assert!(swing(1.02).0 > 1.1);
    let (ratio, crossings) = swing(1.0);
    assert!((ratio - 1.0).abs() < 1e-4, "{ratio}");
    assert!(
        (9..=11).contains(&crossings),
        "2 s at 2.5 Hz are ten crossings: {crossings}"
    );
}

#[test]
fn gain_over_frequency_or_skipped_without_references() {
    let Some(folder) = shared("closed_form") else {
        return;
    };
    let trace = read_csv(&folder.join("cf5_freq_response.csv"));
    let plant = |governor| {
        Plant::new(
            &one_set(governor, 1.0, 0.0, TorqueConvention::Power),
            0.3e6,
            1e-3,
        )
        .unwrap()
    };
    let columns = [
        ("inertia_only", GovernorSpec::Constant),
        ("droop", droop(0.1)),
        ("isoch_PI", pi(12.0, 12.0, 0.1, 0.0)),
    ];
    for (column, governor) in columns {
        let plant = plant(governor);
        let mut worst = 0.0_f64;
        for (f_hz, reference) in trace["f_Hz"].iter().zip(&trace[column]) {
            worst = worst.max((plant.gain_pu(*f_hz) / reference - 1.0).abs());
        }
        println!("cf5 {column}: {worst:e} relative");
        assert!(worst <= 1e-10, "{column}: {worst:e}");
    }
}

#[test]
fn square_wave_swing_or_skipped_without_references() {
    let Some(folder) = shared("closed_form") else {
        return;
    };
    let trace = read_csv(&folder.join("cf6_square_wave_pp.csv"));
    for (i, f_hz) in trace["f_Hz"].iter().enumerate() {
        let half = trace["dP_pp_pu"][i] / 2.0;
        let spec = one_set(pi(12.0, 12.0, 0.1, 0.0), 1.0, 0.0, TorqueConvention::Power);
        let mut plant = Plant::new(&spec, 0.5 * BASE_W, 1e-3).unwrap();
        let per_half = (0.5 / f_hz / 1e-3).round() as usize;
        let halves = 2 * (30.0 * f_hz) as usize + 2;
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for index in 0..halves {
            let load = (0.5 + if index % 2 == 0 { half } else { -half }) * BASE_W;
            for _ in 0..per_half {
                plant.advance(1e-3, load, load);
                if index + 2 >= halves {
                    low = low.min(plant.speed_pu());
                    high = high.max(plant.speed_pu());
                }
            }
        }
        let off = (high - low - trace["dw_pp_isochPI_pu"][i]).abs();
        println!("cf6 at {f_hz} Hz: {off:e}");
        assert!(off <= 1e-6, "{f_hz} Hz: {off:e}");
    }
}

#[test]
fn droop_sets_share_a_load_step_or_skipped_without_references() {
    let Some(folder) = shared("closed_form") else {
        return;
    };
    let trace = read_csv(&folder.join("cf8_droop_sharing.csv"));
    let mut spec = PlantSpec {
        frequency_hz: 60.0,
        torque: TorqueConvention::Power,
        dispatch_kw: None,
        voltage_pu: 1.0,
        load: LoadModelSpec::default(),
        sharing: None,
        trips: Vec::new(),
        utility: None,
        sets: Vec::new(),
    };
    for (i, droop_pu) in trace["R_pu"].iter().enumerate() {
        let mut one = set(
            &format!("g{i}"),
            GovernorSpec::Tgov1(tgov1(*droop_pu, 0.1)),
            1.0,
            0.0,
        );
        one.rated_kva = trace["S_MVA"][i] * 1e3;
        one.rated_kw = one.rated_kva * 0.8;
        spec.sets.push(one);
    }
    let mut plant = Plant::new(&spec, 2e6, 1e-3).unwrap();
    let before: Vec<f64> = (0..spec.sets.len())
        .map(|i| plant.set(i).electrical_pu)
        .collect();
    for _ in 0..20_000 {
        plant.advance(1e-3, 4e6, 4e6);
    }
    for (i, one) in spec.sets.iter().enumerate() {
        let share = (plant.set(i).electrical_pu - before[i]) * one.rated_kva * 1e-3;
        assert!(
            (share - trace["dP_share_MW"][i]).abs() < 1e-9,
            "set {i}: {share}"
        );
    }
}
