//! What the plant promises beside its equations.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests; measured errors are printed"
)]

mod common;

use std::path::Path;

use ballast_plant::{
    Degov1Spec, GovernorSpec, Limiter, PiSpec, Plant, PlantError, PlantSpec, SharingLineSpec,
    SharingSpec, StepStatus, Tgov1Spec, TorqueConvention, TurboSpec, problems,
};
use common::{BASE_W, one_set, pi, set, tgov1, yeager};

fn diesel() -> PlantSpec {
    one_set(
        GovernorSpec::Degov1(yeager()),
        1.07,
        0.0,
        TorqueConvention::PowerOverSpeed,
    )
}

fn settle(plant: &mut Plant, load: f64, seconds: f64) {
    for _ in 0..(seconds / 1e-3).round() as usize {
        plant.advance(1e-3, load * BASE_W, load * BASE_W);
    }
}

/// Halving the step divides the error by sixteen: a ramped load, a dead time that is no multiple of the steps.
#[test]
fn fourth_order() {
    let mut spec = diesel();
    spec.sets[0].governor = GovernorSpec::Degov1(Degov1Spec {
        dead_time_s: 0.0237,
        ..yeager()
    });
    let speed = |step: f64| {
        let mut plant = Plant::new(&spec, 0.3e6, step).unwrap();
        let count = (0.4 / step).round() as usize;
        let load = |i: usize| {
            let t = i as f64 / count as f64;
            (0.3 + 0.2 * t * t * (3.0 - 2.0 * t)) * BASE_W
        };
        // The same straight pieces of load for every step: sixteen milliseconds each.
        let piece = (0.016 / step).round() as usize;
        for i in 0..count {
            let (from, to) = (i / piece * piece, (i / piece + 1) * piece);
            let at =
                |k: usize| load(from) + (load(to) - load(from)) * (k - from) as f64 / piece as f64;
            plant.advance(step, at(i), at(i + 1));
        }
        plant.speed_pu()
    };
    let exact = speed(0.25e-3);
    let (coarse, fine) = ((speed(4e-3) - exact).abs(), (speed(2e-3) - exact).abs());
    println!(
        "error at 4 ms {coarse:e}, at 2 ms {fine:e}: ratio {}",
        coarse / fine
    );
    assert!(
        coarse / fine > 12.0 && coarse / fine < 40.0,
        "{coarse:e} {fine:e}"
    );
}

#[test]
fn equal_sets_are_one_equivalent() {
    let mut one = diesel();
    one.sets[0].count = 3;
    let mut three = diesel();
    three.sets = (0..3)
        .map(|i| set(&format!("g{i}"), GovernorSpec::Degov1(yeager()), 1.07, 0.0))
        .collect();
    three.sharing = Some(SharingSpec::Isochronous(SharingLineSpec::default()));
    let (mut a, mut b) = (
        Plant::new(&one, 0.9e6, 1e-3).unwrap(),
        Plant::new(&three, 0.9e6, 1e-3).unwrap(),
    );
    for _ in 0..3000 {
        a.advance(1e-3, 1.8e6, 1.8e6);
        b.advance(1e-3, 1.8e6, 1.8e6);
    }
    assert!((a.speed_pu() - b.speed_pu()).abs() < 1e-13);
    assert!((a.set(0).electrical_pu - b.set(2).electrical_pu).abs() < 1e-12);
}

#[test]
fn the_same_input_gives_the_same_bits() {
    let trace = || {
        let mut plant = Plant::new(&diesel(), 0.2e6, 1e-3).unwrap();
        (0..2000)
            .map(|i| {
                plant.advance(1e-3, 0.2e6, 0.2e6 + f64::from(i % 97) * 3e3);
                plant.speed_pu().to_bits()
            })
            .collect::<Vec<u64>>()
    };
    assert_eq!(trace(), trace());
}

/// Calls shorter than the step overfill no buffer and change nothing.
#[test]
fn very_short_calls_agree_with_long_ones() {
    let (mut short, mut long) = (
        Plant::new(&diesel(), 0.2e6, 1e-3).unwrap(),
        Plant::new(&diesel(), 0.2e6, 1e-3).unwrap(),
    );
    for _ in 0..300 {
        for _ in 0..50 {
            short.advance(2e-5, 0.6e6, 0.6e6);
        }
    }
    long.advance(0.3, 0.6e6, 0.6e6);
    assert!((short.time_s() - long.time_s()).abs() < 1e-12);
    assert!(
        (short.speed_pu() - long.speed_pu()).abs() < 1e-8,
        "{} {}",
        short.speed_pu(),
        long.speed_pu()
    );
}

#[test]
fn collapse_is_an_event() {
    let mut plant = Plant::new(&diesel(), 0.2e6, 1e-3).unwrap();
    let mut status = StepStatus::Running;
    for _ in 0..5000 {
        status = plant.advance(1e-3, 3e6, 3e6);
    }
    assert_eq!(status, StepStatus::Collapsed);
    assert!(
        (plant.speed_pu() - 0.5).abs() < 1e-9,
        "{}",
        plant.speed_pu()
    );
    // Lossless bound: 2H·Δω at the most torque deficit.
    assert!(
        plant.time_s() > 0.1 && plant.time_s() < 1.0,
        "{}",
        plant.time_s()
    );
    let mut shed = Plant::new(
        &one_set(GovernorSpec::Constant, 0.5, 0.0, TorqueConvention::Power),
        1e6,
        1e-3,
    )
    .unwrap();
    for _ in 0..1000 {
        status = shed.advance(1e-3, 0.0, 0.0);
    }
    assert_eq!(status, StepStatus::Collapsed);
    assert!(
        (shed.time_s() - 0.5).abs() < 1e-9,
        "1 pu over 2H = 1 s: half a second, {}",
        shed.time_s()
    );
}

#[test]
fn the_gain_is_that_of_the_simulation() {
    let cases = [
        (GovernorSpec::Degov1(yeager()), TorqueConvention::Power),
        (
            GovernorSpec::Degov1(Degov1Spec {
                droop_pu: 0.05,
                t5_s: 0.0,
                ..yeager()
            }),
            TorqueConvention::PowerOverSpeed,
        ),
        (
            GovernorSpec::Degov1(Degov1Spec {
                t2_s: 0.0,
                t1_s: 0.02,
                t3_s: 0.05,
                ..yeager()
            }),
            TorqueConvention::Power,
        ),
        (
            GovernorSpec::Tgov1(Tgov1Spec {
                t2_s: 0.2,
                t3_s: 0.6,
                dt_pu: 0.5,
                ..tgov1(0.05, 0.1)
            }),
            TorqueConvention::PowerOverSpeed,
        ),
        (pi(12.0, 12.0, 0.1, 0.013), TorqueConvention::PowerOverSpeed),
        (pi(8.0, 4.0, 0.0, 0.02), TorqueConvention::Power),
    ];
    for (governor, torque) in cases {
        let spec = one_set(governor, 1.07, 0.7, torque);
        for f_hz in [0.25, 0.5, 1.0, 2.5, 5.0] {
            let mut plant = Plant::new(&spec, 0.5e6, 1e-3).unwrap();
            let load = |i: usize| {
                0.5e6 + 100.0 * libm::sin(std::f64::consts::TAU * f_hz * i as f64 * 1e-3)
            };
            let (mut sine, mut cosine) = (0.0, 0.0);
            for i in 0..40_000 {
                plant.advance(1e-3, load(i), load(i + 1));
                if i >= 32_000 {
                    let angle = std::f64::consts::TAU * f_hz * (i + 1) as f64 * 1e-3;
                    sine += (plant.speed_pu() - 1.0) * libm::sin(angle) / 4000.0;
                    cosine += (plant.speed_pu() - 1.0) * libm::cos(angle) / 4000.0;
                }
            }
            let (simulated, linear) = (libm::hypot(sine, cosine) / 1e-4, plant.gain_pu(f_hz));
            assert!(
                (simulated / linear - 1.0).abs() < 5e-4,
                "{governor:?} {f_hz} Hz: {simulated} {linear}"
            );
        }
    }
}

/// A saturated PI governor does not wind up, and a hold that would chatter follows the limit instead.
#[test]
fn a_limited_pi_comes_back_at_once() {
    let limited = PiSpec {
        kp_pu: 6.0,
        ki_per_s: 30.0,
        t_s: 0.1,
        dead_time_s: 0.02,
        max_pu: 0.7,
        min_pu: 0.0,
    };
    let mut plant = Plant::new(
        &one_set(GovernorSpec::Pi(limited), 1.0, 0.0, TorqueConvention::Power),
        0.2e6,
        1e-3,
    )
    .unwrap();
    settle(&mut plant, 0.9, 1.0);
    assert_eq!(plant.set(0).limited, Limiter::Upper);
    assert!((plant.set(0).throttle_pu - 0.7).abs() < 1e-15);
    let low = plant.speed_pu();
    assert!(low < 0.9);
    settle(&mut plant, 0.3, 6.0);
    assert_eq!(plant.set(0).limited, Limiter::None);
    assert!(
        (plant.speed_pu() - 1.0).abs() < 1e-3,
        "{}",
        plant.speed_pu()
    );
    // Proportional action alone lifts the demand off the limit before nominal speed is reached.
    assert!((plant.set(0).torque_pu - 0.3).abs() < 0.05);
}

/// Holding alone would chatter here; a brute-force chatter with steps of a microsecond tends to the same solution.
#[test]
fn a_held_integral_follows_the_limit() {
    for (kp, ki, load) in [(2.0, 40.0, 0.65), (0.0, 3.0, 0.6), (4.0, 15.0, 0.69)] {
        let governor = PiSpec {
            kp_pu: kp,
            ki_per_s: ki,
            t_s: 0.1,
            dead_time_s: 0.0,
            max_pu: 0.7,
            min_pu: 0.0,
        };
        let damped = one_set(
            GovernorSpec::Pi(governor),
            1.0,
            1.5,
            TorqueConvention::Power,
        );
        let mut plant = Plant::new(&damped, 0.2e6, 1e-3).unwrap();
        let (mut speed, mut integral, mut power) = (0.0_f64, 0.2_f64, 0.2_f64);
        let h = 2e-6;
        let mut worst = 0.0_f64;
        for _ in 0..3000 {
            plant.advance(1e-3, load * BASE_W, load * BASE_W);
            for _ in 0..500 {
                let sum = integral - kp * speed;
                let demand = sum.clamp(0.0, 0.7);
                let outward = (sum - demand) * -speed > 0.0;
                integral += if outward { 0.0 } else { -h * ki * speed };
                power += h * (demand - power) / 0.1;
                speed += h * (power - load - 1.5 * speed) / 2.0;
            }
            worst = worst
                .max((plant.speed_pu() - 1.0 - speed).abs())
                .max((plant.set(0).torque_pu - power).abs());
        }
        println!("kp {kp}, ki {ki}: {worst:e}");
        assert!(worst < 2e-5, "kp {kp}, ki {ki}: {worst:e}");
    }
}

#[test]
fn the_turbo_ceiling_acts_on_every_governor() {
    let turbo = TurboSpec {
        enabled: true,
        time_constant_s: 2.0,
        acceptance_pu: 0.15,
    };
    let governors = [
        GovernorSpec::Degov1(yeager()),
        GovernorSpec::Degov1(Degov1Spec {
            dead_time_s: 0.0,
            ..yeager()
        }),
        GovernorSpec::Tgov1(Tgov1Spec {
            vmax_pu: 1.0,
            vmin_pu: 0.0,
            ..tgov1(0.05, 0.1)
        }),
        GovernorSpec::Tgov1(Tgov1Spec {
            vmax_pu: 1.0,
            vmin_pu: 0.0,
            ..tgov1(0.05, 0.0)
        }),
        GovernorSpec::Pi(PiSpec {
            kp_pu: 12.0,
            ki_per_s: 12.0,
            t_s: 0.1,
            dead_time_s: 0.0,
            max_pu: 1.0,
            min_pu: 0.0,
        }),
    ];
    for governor in governors {
        let mut spec = one_set(governor, 2.0, 0.0, TorqueConvention::Power);
        let nadir = |spec: &PlantSpec| {
            let mut plant = Plant::new(spec, 0.2e6, 1e-3).unwrap();
            let (mut nadir, mut met) = (1.0_f64, false);
            for _ in 0..8000 {
                plant.advance(1e-3, 0.5e6, 0.5e6);
                let state = plant.set(0);
                nadir = nadir.min(plant.speed_pu());
                met |= state.limited == Limiter::Turbo;
                if let Some(boost) = state.boost_pu {
                    assert!(
                        state.throttle_pu <= boost + 0.15 + 1e-9,
                        "{governor:?} {state:?}"
                    );
                }
            }
            assert!(
                (plant.set(0).torque_pu - 0.5).abs() < 1e-3,
                "{governor:?}: {:?}",
                plant.set(0)
            );
            (nadir, met)
        };
        let free = nadir(&spec);
        spec.sets[0].turbo = turbo;
        let boosted = nadir(&spec);
        assert!(!free.1 && boosted.1, "{governor:?}");
        assert!(
            boosted.0 < free.0 - 0.01,
            "{governor:?} {free:?} {boosted:?}"
        );
    }
}

#[test]
fn dispatch_sets_the_starting_point() {
    let droop = GovernorSpec::Tgov1(Tgov1Spec {
        vmax_pu: 1.0,
        vmin_pu: 0.0,
        ..tgov1(0.05, 0.1)
    });
    let mut spec = one_set(droop, 1.0, 0.0, TorqueConvention::Power);
    spec.dispatch_kw = Some(500.0);
    let mut plant = Plant::new(&spec, 0.3e6, 1e-3).unwrap();
    assert!(
        (plant.speed_pu() - 1.01).abs() < 1e-12,
        "0.2 pu below the dispatch at 5 % droop"
    );
    settle(&mut plant, 0.3, 1.0);
    assert!((plant.speed_pu() - 1.01).abs() < 1e-12);
    settle(&mut plant, 0.5, 5.0);
    assert!((plant.speed_pu() - 1.0).abs() < 1e-6);
    // An isochronous set takes what the droop set leaves.
    let mut both = spec.clone();
    both.sets
        .push(set("iso", GovernorSpec::Degov1(yeager()), 1.0, 0.0));
    both.dispatch_kw = Some(1000.0);
    let plant = Plant::new(&both, 0.7e6, 1e-3).unwrap();
    assert!((plant.speed_pu() - 1.0).abs() < 1e-15);
    assert!(
        (plant.set(0).throttle_pu - 0.5).abs() < 1e-15
            && (plant.set(1).throttle_pu - 0.2).abs() < 1e-12
    );
    assert_eq!(plant.set_count(), 2);
}

#[test]
fn a_plant_that_cannot_start_says_why() {
    assert!(
        matches!(Plant::new(&diesel(), 1.2e6, 1e-3), Err(PlantError::LoadAboveRating { rated_w, .. }) if rated_w == 1e6)
    );
    assert!(matches!(
        Plant::new(&diesel(), -1.0, 1e-3),
        Err(PlantError::LoadNegative { .. })
    ));
    assert!(matches!(
        Plant::new(&diesel(), f64::NAN, 1e-3),
        Err(PlantError::LoadNotFinite { .. })
    ));
    assert!(matches!(
        Plant::new(&diesel(), 1.0, 0.0),
        Err(PlantError::StepNotPositive { .. })
    ));
    match Plant::new(&diesel(), 0.2e6, 5e-3) {
        Err(PlantError::StepTooCoarse {
            set,
            constant,
            value_s,
            needed_s,
            ..
        }) => {
            assert_eq!(
                (set.as_str(), constant.as_str(), value_s, needed_s),
                ("g", "governor.t5_s", 0.009, 0.0045)
            );
        }
        other => panic!("{other:?}"),
    }
    let mut low = diesel();
    low.sets[0].governor = GovernorSpec::Degov1(Degov1Spec {
        tmax_pu: 0.5,
        ..yeager()
    });
    let error = Plant::new(&low, 0.6e6, 1e-3).unwrap_err();
    assert!(
        matches!(error, PlantError::ThrottleOutsideLimits { throttle_pu, .. } if (throttle_pu - 0.6).abs() < 1e-12)
    );
}

/// Every lag of this governor is resolved at 1 ms, but its lead closes the droop loop at 15 655 1/s.
#[test]
fn a_loop_faster_than_its_lags_is_refused() {
    let strong = Degov1Spec {
        t1_s: 0.01,
        t2_s: 0.0,
        t3_s: 0.485,
        k: 22.4,
        t4_s: 1.118,
        t5_s: 0.0,
        t6_s: 0.005,
        dead_time_s: 0.02,
        tmax_pu: 0.8,
        tmin_pu: 0.0,
        droop_pu: 0.0632,
    };
    let spec = one_set(
        GovernorSpec::Degov1(strong),
        0.3,
        0.1,
        TorqueConvention::Power,
    );
    match Plant::new(&spec, 0.1e6, 1e-3) {
        Err(PlantError::StepTooCoarse {
            constant, value_s, ..
        }) => {
            assert_eq!(constant, "governor.k");
            assert!(
                (1.0 / value_s / 15_655.0 - 1.0).abs() < 0.01,
                "{}",
                1.0 / value_s
            );
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(problems(&spec, 1e-3).len(), 1);
    assert!(problems(&spec, 0.03e-3).is_empty());
    // Proportional control of a light shaft without any lag: 2H/Kp = 0.2 ms.
    let light = one_set(pi(3000.0, 0.0, 0.0, 0.0), 0.3, 0.0, TorqueConvention::Power);
    assert_eq!(problems(&light, 1e-3).len(), 1);
}

/// Off nominal speed the turbine damping takes power that the engine burns: the boost carries it.
#[test]
fn a_start_off_nominal_speed_is_at_rest_under_the_turbo_ceiling() {
    let damped = Tgov1Spec {
        droop_pu: 0.144,
        t1_s: 0.0,
        t2_s: 0.0,
        t3_s: 0.0,
        vmax_pu: 0.8,
        vmin_pu: 0.0,
        dt_pu: 1.52,
    };
    let mut spec = one_set(
        GovernorSpec::Tgov1(damped),
        0.3,
        0.0,
        TorqueConvention::Power,
    );
    spec.sets[0].turbo = TurboSpec {
        enabled: true,
        time_constant_s: 0.2,
        acceptance_pu: 0.05,
    };
    spec.dispatch_kw = Some(447.0);
    let mut plant = Plant::new(&spec, 0.0, 1e-3).unwrap();
    let start = plant.speed_pu();
    settle(&mut plant, 0.0, 2.0);
    assert!((plant.speed_pu() - start).abs() < 1e-12 && plant.set(0).limited == Limiter::None);
}

/// The load at the end of a call is the one given, however far the line came from.
#[test]
fn a_line_from_an_absurd_load_ends_exactly() {
    let spec = one_set(GovernorSpec::Constant, 0.3, 0.0, TorqueConvention::Power);
    let mut plant = Plant::new(&spec, 0.5e6, 1e-3).unwrap();
    plant.advance(1e-12, 1e12, 11_817.331_413_234_822);
    assert!((plant.set(0).electrical_pu - 0.011_817_331_413_234_822).abs() < 1e-13);
}

#[test]
fn all_problems_at_once() {
    let mut spec = diesel();
    spec.sets[0].rated_kw = 1200.0;
    spec.sets[0].governor = GovernorSpec::Degov1(Degov1Spec {
        t1_s: 0.0,
        tmax_pu: -1.0,
        ..yeager()
    });
    spec.sets.push(set(
        "g",
        GovernorSpec::Tgov1(Tgov1Spec {
            t2_s: 0.3,
            vmax_pu: 0.0,
            vmin_pu: 0.2,
            ..tgov1(0.05, 0.1)
        }),
        1.0,
        0.0,
    ));
    spec.sets
        .push(set("late", GovernorSpec::Degov1(yeager()), 1.0, 0.0));
    let found = problems(&spec, 8e-3);
    let paths: Vec<&str> = found.iter().map(|problem| problem.path.as_str()).collect();
    let expected = [
        "sets.2.governor",
        "sets.0.rated_kw",
        "sets.0.governor.t3_s",
        "sets.0.governor.tmax_pu",
        "sets.1.name",
        "sets.1.governor.t2_s",
        "sets.1.governor.vmax_pu",
        "sets.2.governor.t1_s",
        "sets.2.governor.t5_s",
    ];
    assert_eq!(paths, expected);
    assert!(
        found
            .iter()
            .all(|problem| !problem.message.is_empty() && !problem.help.is_empty())
    );
    assert!(found[8].help.contains("0.0045"), "{}", found[8]);
    let none = PlantSpec {
        sets: Vec::new(),
        ..diesel()
    };
    assert_eq!(problems(&none, 1e-3)[0].path, "sets");
    assert!(problems(&diesel(), 1e-3).is_empty());
}

#[test]
fn reference_files_stay_small() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference");
    for entry in std::fs::read_dir(folder).unwrap() {
        assert!(entry.unwrap().metadata().unwrap().len() < 60_000);
    }
}
