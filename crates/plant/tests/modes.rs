//! Modes against closed forms, and against how the plant rings down in time.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests; measured errors are printed"
)]

mod common;

use ballast_plant::{
    AlternatorSpec, ExciterSpec, GenclsSpec, GenrouSpec, GovernorSpec, Mode, ModeKind, Modes,
    Plant, PlantSpec, SexsSpec, Tgov1Spec, TorqueConvention,
};
use common::{BASE_W, one_set, pi, set, tgov1, yeager};
use std::f64::consts::{FRAC_PI_2, TAU};

fn droop(t1_s: f64) -> GovernorSpec {
    GovernorSpec::Tgov1(tgov1(0.05, t1_s))
}

fn modes(spec: &PlantSpec) -> Modes {
    Plant::new(spec, 0.4 * BASE_W, 1e-3)
        .unwrap()
        .modes()
        .unwrap()
}

/// Roots are given as (σ, ω); polynomials in ascending powers.
fn residual(polynomial: &[f64], mode: &Mode) -> f64 {
    let (re, im) = (mode.growth_per_s, TAU * mode.frequency_hz);
    let (mut value, mut size) = ((0.0, 0.0), 0.0);
    for c in polynomial.iter().rev() {
        value = (value.0 * re - value.1 * im + c, value.0 * im + value.1 * re);
        size = size * libm::hypot(re, im) + c.abs();
    }
    libm::hypot(value.0, value.1) / size
}

fn check(name: &str, spec: &PlantSpec, polynomial: &[f64]) {
    let modes = modes(spec).modes;
    let roots: usize = modes
        .iter()
        .map(|m| m.multiplicity * if m.frequency_hz > 0.0 { 2 } else { 1 })
        .sum();
    assert_eq!(roots, polynomial.len() - 1, "{name}: {modes:#?}");
    for mode in &modes {
        let off = residual(polynomial, mode);
        println!("{name}: {mode}: residual {off:e}");
        assert!(off < 1e-10, "{name} {mode}: {off:e}");
        assert_eq!(mode.kind, ModeKind::SpeedGovernor);
        let all: f64 = mode.participation.iter().map(|p| p.share).sum();
        assert!((all - 1.0).abs() < 1e-12);
    }
}

/// `2H s (1+T s) + D (1+T s) + 1/R`, and with a PI governor `2H s² (1+T s) + Kp s + Ki`.
#[test]
fn one_shaft_with_a_governor() {
    let torque = TorqueConvention::Power;
    for (t, d) in [(0.1, 0.0), (0.5, 1.0)] {
        let spec = one_set(droop(t), 1.0, d, torque);
        check("droop", &spec, &[d + 20.0, 2.0 + d * t, 2.0 * t]);
    }
    let spec = one_set(pi(12.0, 12.0, 0.1, 0.0), 1.0, 0.0, torque);
    check("PI", &spec, &[12.0, 12.0, 2.0, 0.2]);
}

/// A constant-power load adds `−P0/ω0²` to the stiffness, a governor that gives power `+P0` again.
#[test]
fn a_constant_power_load_takes_damping() {
    let spec = one_set(droop(0.1), 1.0, 0.0, TorqueConvention::PowerOverSpeed);
    check("P/ω", &spec, &[20.0, 2.0, 0.2]);
    let spec = one_set(
        GovernorSpec::Constant,
        1.0,
        0.0,
        TorqueConvention::PowerOverSpeed,
    );
    let free = &modes(&spec).modes[0];
    assert!(
        (free.growth_per_s - 0.4 / 2.0).abs() < 1e-9 && !free.stable,
        "{free}"
    );
}

/// `s + (K/2H) e^{−s TD} = 0` crosses the axis at `K = (π/2)(2H/TD)`, `ω = π/(2 TD)`.
#[test]
fn dead_time_bounds_a_gain() {
    let (h, dead_time) = (1.0, 0.1);
    let critical = FRAC_PI_2 * 2.0 * h / dead_time;
    let first = |factor: f64| {
        let governor = pi(critical * factor, 0.0, 0.0, dead_time);
        let all = modes(&one_set(governor, h, 0.0, TorqueConvention::Power));
        (all.stable(), all.modes[0].clone())
    };
    let (_, at) = first(1.0);
    println!("{at}, growth {:e}", at.growth_per_s);
    assert!(at.growth_per_s.abs() < 1e-8, "{at:?}");
    assert!((at.frequency_hz - 2.5).abs() < 1e-8, "{at:?}");
    assert!(first(0.9999).0 && !first(1.0001).0);
    // The exact equation holds at every root reported, also far from the axis.
    let governor = pi(0.7 * critical, 0.0, 0.0, dead_time);
    let all = modes(&one_set(governor, h, 0.0, TorqueConvention::Power)).modes;
    assert!(all.len() >= 3);
    for m in &all {
        let (re, im) = (m.growth_per_s, TAU * m.frequency_hz);
        let k = 0.7 * critical / 2.0 / h * libm::exp(-re * dead_time);
        let off = libm::hypot(
            re + k * libm::cos(im * dead_time),
            im - k * libm::sin(im * dead_time),
        );
        assert!(off < 1e-9 * libm::hypot(re, im), "{m}: {off:e}");
    }
}

/// The gain at which a DEGOV1 mode crosses the axis separates decay from growth in time.
#[test]
fn degov1_crosses_the_axis_where_its_swing_grows() {
    let spec = |k: f64| {
        let mut governor = yeager();
        governor.k = k;
        one_set(
            GovernorSpec::Degov1(governor),
            1.0,
            0.0,
            TorqueConvention::Power,
        )
    };
    let (mut low, mut high) = (10.0, 2000.0);
    assert!(modes(&spec(low)).stable() && !modes(&spec(high)).stable());
    for _ in 0..40 {
        let middle = 0.5 * (low + high);
        if modes(&spec(middle)).stable() {
            low = middle;
        } else {
            high = middle;
        }
    }
    let all = modes(&spec(low));
    println!("critical K {low}: {}", all.modes[0]);
    let ratio = |k: f64| {
        let mut plant = Plant::new(&spec(k), 0.4 * BASE_W, 0.5e-3).unwrap();
        let (mut early, mut late) = (0.0_f64, 0.0_f64);
        plant.advance(0.1, 0.4 * BASE_W + 10.0, 0.4 * BASE_W + 10.0);
        for i in 0..24_000 {
            plant.advance(0.5e-3, 0.4 * BASE_W, 0.4 * BASE_W);
            let off = (plant.speed_pu() - 1.0).abs();
            match i {
                6000..10_000 => early = early.max(off),
                20_000..24_000 => late = late.max(off),
                _ => {}
            }
        }
        late / early
    };
    let ratios = (ratio(0.98 * low), ratio(1.02 * low));
    println!("late over early: {ratios:?}");
    assert!(ratios.0 < 0.95 && ratios.1 > 1.05, "{ratios:?}");
}

fn genrou() -> AlternatorSpec {
    AlternatorSpec::Genrou(GenrouSpec {
        xd_pu: 2.8,
        xq_pu: 1.6,
        xd1_pu: 0.25,
        xq1_pu: 0.5,
        xd2_pu: 0.18,
        xl_pu: 0.1,
        ra_pu: 0.0,
        td01_s: 3.0,
        td02_s: 0.03,
        tq01_s: 0.6,
        tq02_s: 0.05,
        s10: 0.1,
        s12: 0.4,
    })
}

fn sexs() -> ExciterSpec {
    ExciterSpec::Sexs(SexsSpec {
        k: 100.0,
        ta_s: 1.0,
        tb_s: 10.0,
        te_s: 0.05,
        emin_pu: -5.0,
        emax_pu: 8.0,
    })
}

fn electric(name: &str, h: f64) -> ballast_plant::SetSpec {
    let governor = GovernorSpec::Tgov1(Tgov1Spec {
        t3_s: 0.1,
        vmax_pu: 2.0,
        vmin_pu: -1.0,
        ..tgov1(0.05, 0.2)
    });
    let mut one = set(name, governor, h, 0.0);
    one.alternator = Some(genrou());
    one.exciter = Some(sexs());
    one
}

/// Frequency and decay of a ringing, from zero crossings and successive peaks of one swing.
fn ring(times: &[f64], values: &[f64]) -> (f64, f64) {
    let mut peaks: Vec<(f64, f64)> = Vec::new();
    for i in 1..values.len() - 1 {
        let (a, b, c) = (values[i - 1], values[i], values[i + 1]);
        if (b > a && b >= c) || (b < a && b <= c) {
            let bend = a - 2.0 * b + c;
            let off = 0.5 * (a - c) / bend;
            let step = times[i] - times[i - 1];
            peaks.push((times[i] + off * step, b - 0.25 * (a - c) * off));
        }
    }
    // Differences of peaks and troughs take a constant out.
    let swings: Vec<f64> = peaks.windows(2).map(|p| (p[1].1 - p[0].1).abs()).collect();
    let n = swings.len().min(5);
    let half = (peaks[n - 1].0 - peaks[0].0) / (n - 1) as f64;
    let decay = libm::log(swings[n - 1] / swings[0]) / ((n - 1) as f64 * half);
    (0.5 / half, decay)
}

#[test]
fn ring_down_of_genrou_sexs_tgov1() {
    let mut spec = one_set(droop(0.2), 1.0, 0.0, TorqueConvention::Power);
    spec.sets = vec![electric("g1", 1.0)];
    let start = 0.5 * BASE_W;
    let mut plant = Plant::new(&spec, start, 1e-3).unwrap();
    let all = plant.modes().unwrap();
    for m in &all.modes {
        println!("{m}");
    }
    let mode = all.nearest(1.0).unwrap().clone();
    assert_eq!(mode.kind, ModeKind::SpeedGovernor, "{mode:?}");
    assert_eq!(mode.name, "speed governor mode of g1");
    assert!(
        all.modes
            .iter()
            .any(|m| m.kind == ModeKind::VoltageRegulator)
    );
    assert!(all.stable());
    // A pulse leaves no offset; the first swing holds the fast modes.
    let (mut times, mut values) = (Vec::new(), Vec::new());
    plant.advance(0.2, start + 100.0, start + 100.0);
    for i in 0..6000 {
        plant.advance(1e-3, start, start);
        if i > 400 {
            times.push(plant.time_s());
            values.push((plant.speed_pu() - 1.0) * 1e4);
        }
    }
    let (f, decay) = ring(&times, &values);
    println!(
        "time domain {f} Hz {decay}/s; mode {} Hz {}/s",
        mode.frequency_hz, mode.growth_per_s
    );
    assert!((f / mode.frequency_hz - 1.0).abs() < 0.01);
    assert!((decay / mode.growth_per_s - 1.0).abs() < 0.01);
}

/// Two sets behind reactances: `ω² = ω0 (K/2H1 + K/2H2)` with the classical model's synchronising power.
#[test]
fn rotors_swing_against_each_other() {
    let mut spec = one_set(GovernorSpec::Constant, 1.0, 0.0, TorqueConvention::Power);
    spec.sets = ["g1", "g2"]
        .iter()
        .zip([1.0, 2.0])
        .map(|(name, h)| {
            let mut one = set(name, GovernorSpec::Constant, h, 0.0);
            one.alternator = Some(AlternatorSpec::Gencls(GenclsSpec {
                xd1_pu: 0.3,
                ra_pu: 0.0,
            }));
            one
        })
        .collect();
    // Without load the two equal voltages stand in phase: 2-set synchronising power E²/(2 X') of each kVA.
    let plant = Plant::new(&spec, 0.0, 1e-3).unwrap();
    let all = plant.modes().unwrap();
    let mode = all
        .modes
        .iter()
        .find(|m| m.kind == ModeKind::Electromechanical)
        .unwrap();
    println!("{mode}");
    let k = 1.0 / (2.0 * 0.3);
    let expected = (TAU * 60.0 * k * (1.0 / 2.0 + 1.0 / 4.0)).sqrt() / TAU;
    assert!(
        (mode.frequency_hz / expected - 1.0).abs() < 1e-8,
        "{expected}"
    );
    assert!(
        mode.name == "electromechanical mode g1 against g2",
        "{}",
        mode.name
    );
}

#[test]
fn unlike_sets_with_everything() {
    let mut spec = one_set(droop(0.2), 1.0, 0.0, TorqueConvention::PowerOverSpeed);
    spec.sets = vec![
        electric("g1", 1.0),
        electric("g2", 1.3),
        electric("g3", 0.8),
    ];
    let plant = Plant::new(&spec, 1.2 * BASE_W, 1e-3).unwrap();
    let all = plant.modes().unwrap();
    for m in &all.modes {
        println!("{m}");
    }
    let between = all
        .modes
        .iter()
        .filter(|m| m.kind == ModeKind::Electromechanical && m.frequency_hz > 0.0);
    assert_eq!(between.count(), 2);
    assert!(all.stable() && !all.at_a_kink);
}
