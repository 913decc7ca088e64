//! Random sets and random loads: nothing is ever NaN, nothing panics, power balances.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests; measured errors are printed"
)]

mod common;

use ballast_plant::{
    Degov1Spec, GovernorSpec, LoadModelSpec, PiSpec, Plant, PlantSpec, SetSpec, SharingLineSpec,
    SharingSpec, StepStatus, Tgov1Spec, TorqueConvention, TurboSpec, problems,
};
use common::{Stretch, set, side_by_side};
use proptest::prelude::*;

/// A constant that is zero one time in three.
fn maybe(range: std::ops::Range<f64>) -> impl Strategy<Value = f64> {
    prop_oneof![1 => Just(0.0), 2 => range]
}

fn governor() -> impl Strategy<Value = GovernorSpec> {
    let tgov1 = (
        0.01..0.2,
        maybe(0.01..1.0),
        maybe(0.01..1.0),
        maybe(0.01..1.0),
        0.8..1.2,
        maybe(0.1..2.0),
    );
    let pi = (
        maybe(0.1..60.0),
        maybe(0.1..60.0),
        maybe(0.01..1.0),
        maybe(1e-5..0.2),
        0.8..1.2,
    );
    let box_ = (maybe(0.01..0.3), maybe(0.01..0.3), maybe(0.01..0.5));
    let actuator = (
        0.5..50.0,
        maybe(0.01..2.0),
        maybe(0.005..0.3),
        maybe(0.005..0.3),
    );
    let rest = (maybe(1e-5..0.2), 0.8..1.2, maybe(0.01..0.1));
    prop_oneof![
        1 => Just(GovernorSpec::Constant),
        3 => tgov1.prop_map(|(droop_pu, t1_s, t2_s, t3_s, vmax_pu, dt_pu)| GovernorSpec::Tgov1(Tgov1Spec {
            droop_pu, t1_s, t2_s, t3_s, vmax_pu, vmin_pu: 0.0, dt_pu,
        })),
        3 => pi.prop_map(|(kp_pu, ki_per_s, t_s, dead_time_s, max_pu)| GovernorSpec::Pi(PiSpec {
            kp_pu, ki_per_s, t_s, dead_time_s, max_pu, min_pu: 0.0,
        })),
        4 => (box_, actuator, rest).prop_map(|(b, a, r)| GovernorSpec::Degov1(Degov1Spec {
            t1_s: b.0, t2_s: b.1, t3_s: b.2, k: a.0, t4_s: a.1, t5_s: a.2, t6_s: a.3, dead_time_s: r.0,
            tmax_pu: r.1, tmin_pu: 0.0, droop_pu: r.2,
        })),
    ]
}

fn any_set() -> impl Strategy<Value = SetSpec> {
    let turbo = (any::<bool>(), 0.2..5.0, 0.05..0.6);
    (
        governor(),
        0.3..4.0,
        maybe(0.1..3.0),
        maybe(0.01..0.2),
        turbo,
        1_u32..5,
    )
        .prop_map(
            |(governor, inertia_s, damping_pu, friction_pu, turbo, count)| {
                let mut one = set("g", governor, inertia_s, damping_pu);
                one.friction_pu = friction_pu;
                one.count = count;
                one.rated_kw = 800.0;
                one.turbo = TurboSpec {
                    enabled: turbo.0,
                    time_constant_s: turbo.1,
                    acceptance_pu: turbo.2,
                };
                one
            },
        )
}

fn any_plant() -> impl Strategy<Value = PlantSpec> {
    let torque = prop_oneof![
        Just(TorqueConvention::Power),
        Just(TorqueConvention::PowerOverSpeed)
    ];
    (
        prop::collection::vec(any_set(), 1..4),
        torque,
        prop::option::of(0.0..0.9),
        (0.005..0.1, 0.1..0.5),
    )
        .prop_map(|(mut sets, torque, dispatch, (gain_pu, lag_s))| {
            for (index, one) in sets.iter_mut().enumerate() {
                one.name = format!("g{index}");
            }
            let rated: f64 = sets
                .iter()
                .map(|one| f64::from(one.count) * one.rated_kw)
                .sum();
            let integrates = |one: &&SetSpec| match &one.governor {
                GovernorSpec::Pi(p) => p.ki_per_s > 0.0,
                GovernorSpec::Degov1(d) => d.droop_pu == 0.0,
                _ => false,
            };
            let free = sets.iter().filter(integrates).count();
            PlantSpec {
                frequency_hz: 60.0,
                torque,
                dispatch_kw: dispatch.map(|share: f64| share * rated),
                voltage_pu: 1.0,
                load: LoadModelSpec::default(),
                sharing: (free > 1).then(|| {
                    SharingSpec::Isochronous(SharingLineSpec {
                        gain_pu,
                        lag_s,
                        ..SharingLineSpec::default()
                    })
                }),
                trips: Vec::new(),
                utility: None,
                sets,
            }
        })
}

fn any_load() -> impl Strategy<Value = f64> {
    prop_oneof![
        20 => 0.0..0.8,
        6 => -0.5..2.0,
        1 => prop::sample::select(vec![1e6, -1e6, 1e290, -1e300, f64::INFINITY, f64::NAN]),
    ]
}

/// Length of a call, its loads, and how often it is repeated.
fn any_call() -> impl Strategy<Value = (f64, f64, f64, usize)> {
    let length = prop_oneof![4 => Just(1e-3), 2 => 1e-5..4e-3, 1 => 1e-12..1e-6, 1 => 0.01..0.3];
    (length, any_load(), any_load(), any::<bool>(), 1_usize..120)
        .prop_map(|(length, a, b, ramp, repeat)| (length, a, if ramp { b } else { a }, repeat))
}

fn check(plant: &Plant, spec: &PlantSpec, load_w: f64, balance: bool) {
    let numbers = [
        plant.speed_pu(),
        plant.speed_rate_pu_per_s(),
        plant.time_s(),
    ];
    assert!(numbers.iter().all(|value| value.is_finite()), "{numbers:?}");
    assert!((0.5..=1.5).contains(&plant.speed_pu()), "{numbers:?}");
    let mut electrical_w = 0.0;
    for (index, one) in spec.sets.iter().enumerate() {
        let state = plant.set(index);
        let numbers = [
            state.throttle_pu,
            state.torque_pu,
            state.mechanical_pu,
            state.electrical_pu,
        ];
        assert!(numbers.iter().all(|value| value.is_finite()), "{state:?}");
        assert!(state.boost_pu.is_none_or(f64::is_finite), "{state:?}");
        if let GovernorSpec::Degov1(d) = &one.governor {
            assert!(state.throttle_pu <= d.tmax_pu + 1e-9, "{state:?}");
            assert!(
                state.throttle_pu >= d.tmin_pu - one.friction_pu - 1e-9,
                "{state:?}"
            );
        }
        electrical_w += state.electrical_pu * f64::from(one.count) * one.rated_kva * 1e3;
    }
    if balance {
        // A load near zero has no relative measure: there the base stands in.
        let scale = load_w.abs().max(1e-3 * plant.base_w());
        assert!(
            (electrical_w - load_w).abs() <= 1e-9 * scale,
            "{electrical_w} {load_w}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn never_nan_and_always_balanced(
        spec in any_plant(), share in 0.0..1.0, calls in prop::collection::vec(any_call(), 1..12),
    ) {
        let step = 1e-3;
        let rated_w: f64 = spec.sets.iter().map(|one| f64::from(one.count) * one.rated_kw * 1e3).sum();
        let found = problems(&spec, step);
        let Ok(mut plant) = Plant::new(&spec, share * rated_w, step) else { return Ok(()) };
        prop_assert!(found.is_empty(), "{found:?}");
        check(&plant, &spec, share * rated_w, true);
        let rested = (plant.speed_pu(), plant.set(0));
        // Ten steps: long enough to show a wrong start, too short for an unstable governor to blow up rounding.
        plant.advance(0.01, share * rated_w, share * rated_w);
        prop_assert!((plant.speed_pu() - rested.0).abs() < 1e-9, "not at rest: {rested:?} {:?}", plant.set(0));
        for f_hz in [0.0, 1e-9, 0.3, 7.0, 1e15, f64::INFINITY] {
            prop_assert!(!plant.gain_pu(f_hz).is_nan());
        }
        for (length, from, to, repeat) in calls {
            let (from_w, to_w) = (from * plant.base_w(), to * plant.base_w());
            for _ in 0..repeat {
                let before = plant.time_s();
                let status = plant.advance(length, from_w, to_w);
                let running = status == StepStatus::Running;
                check(&plant, &spec, to_w, running);
                if running {
                    prop_assert!((plant.time_s() - before - length).abs() < 1e-11);
                } else {
                    let frozen = (plant.time_s(), plant.speed_pu(), plant.set(0));
                    prop_assert_eq!(plant.advance(1e-3, 0.0, 0.0), StepStatus::Collapsed);
                    prop_assert_eq!(frozen, (plant.time_s(), plant.speed_pu(), plant.set(0)));
                    return Ok(());
                }
            }
        }
    }

    /// Finite and balanced is not right: a step that was accepted has to agree with a quarter of it.
    #[test]
    fn an_accepted_step_resolves_the_plant(spec in any_plant(), share in 0.1..0.7, change in -0.1..0.15) {
        let rated_w: f64 = spec.sets.iter().map(|one| f64::from(one.count) * one.rated_kw * 1e3).sum();
        let (Ok(mut coarse), Ok(mut fine)) =
            (Plant::new(&spec, share * rated_w, 1e-3), Plant::new(&spec, share * rated_w, 0.25e-3))
        else {
            return Ok(());
        };
        let load_w = (share + change) * rated_w;
        for millisecond in 0..400 {
            coarse.advance(1e-3, load_w, load_w);
            fine.advance(1e-3, load_w, load_w);
            let off = (coarse.speed_pu() - fine.speed_pu()).abs();
            prop_assert!(off < 2e-5, "{off:e} after {millisecond} ms");
        }
    }

    /// A plant in a lane is the plant alone, bit for bit, whatever limits it meets and however it ends.
    #[test]
    fn lanes_are_plants_alone(
        spec in any_plant(), share in 0.05..0.9, variants in prop::collection::vec(0.9..1.1, 2..6),
        calls in prop::collection::vec(any_call(), 1..8),
    ) {
        let rated_w: f64 = spec.sets.iter().map(|one| f64::from(one.count) * one.rated_kw * 1e3).sum();
        let stretches: Vec<Stretch> = calls
            .into_iter()
            .map(|(length, from, to, repeat)| (length, from * rated_w, to * rated_w, 0.0, repeat))
            .collect();
        side_by_side(&spec, share * rated_w, &variants, &stretches);
    }

    #[test]
    fn any_numbers_in_a_description_are_answered(
        mut spec in any_plant(), value in prop::sample::select(vec![0.0, -1.0, f64::NAN, f64::INFINITY, 1e-300, 1e300]),
        which in 0_usize..12, load_w in prop::sample::select(vec![0.0, 1e5, -1.0, f64::NAN, 1e300]),
        step in prop::sample::select(vec![1e-3, 0.0, -1.0, f64::NAN, 0.5]),
    ) {
        let one = &mut spec.sets[0];
        match which {
            0 => one.rated_kw = value,
            1 => one.rated_kva = value,
            2 => one.inertia_s = value,
            3 => one.damping_pu = value,
            4 => one.friction_pu = value,
            5 => one.turbo = TurboSpec { enabled: true, time_constant_s: value, acceptance_pu: 0.4 },
            6 => spec.dispatch_kw = Some(value),
            7 => spec.frequency_hz = value,
            _ => match &mut one.governor {
                GovernorSpec::Constant => one.count = 0,
                GovernorSpec::Tgov1(t) => *[&mut t.droop_pu, &mut t.t1_s, &mut t.t3_s, &mut t.vmax_pu][which - 8] = value,
                GovernorSpec::Pi(p) => *[&mut p.kp_pu, &mut p.t_s, &mut p.max_pu, &mut p.dead_time_s][which - 8] = value,
                GovernorSpec::Degov1(d) => *[&mut d.t1_s, &mut d.k, &mut d.t6_s, &mut d.tmax_pu][which - 8] = value,
                _ => unreachable!("any_set makes none of these"),
            },
        }
        let _ = problems(&spec, step);
        if let Ok(mut plant) = Plant::new(&spec, load_w, step) {
            for _ in 0..20 {
                plant.advance(1e-3, load_w, load_w * 0.5);
            }
            check(&plant, &spec, 0.0, false);
        }
    }
}
