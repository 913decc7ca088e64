//! Random networks: alternators, exciters, loads that depend on voltage, new governors, trips, a grid. Nothing is ever NaN, nothing panics.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    reason = "helpers of tests"
)]

mod common;

use ballast_plant::{
    Ac8bSpec, AlternatorSpec, Dc1aSpec, Degov1Spec, ExciterSaturation, ExciterSpec,
    FrequencyEventSpec, GastSpec, GenclsSpec, GenrouSpec, GensalSpec, Ggov1Feedback, Ggov1Spec,
    GovernorSpec, Ieeeg1Spec, LoadModelSpec, PidSpec, Plant, PlantSpec, SetSpec, SharingLineSpec,
    SharingSpec, StepStatus, TorqueConvention, TripSpec, TurboSpec, UtilitySpec, VoltageEventSpec,
    problems,
};
use common::{Stretch, pi, set, side_by_side, tgov1, yeager};
use proptest::prelude::*;

fn alternator() -> impl Strategy<Value = AlternatorSpec> {
    let reactances = (1.2..3.0, 0.6..0.95, 0.18..0.35, 0.5..0.9, 0.3..0.9);
    let lags = (2.0..8.0, 0.006..0.05, 0.2..0.8, 0.006..0.05);
    let rest = (0.0..0.02, prop_oneof![Just((0.0, 0.0)), Just((0.1, 0.5))]);
    prop_oneof![
        (0.1..0.4, 0.0..0.02)
            .prop_map(|(xd1_pu, ra_pu)| AlternatorSpec::Gencls(GenclsSpec { xd1_pu, ra_pu })),
        (reactances.clone(), lags.clone(), rest.clone()).prop_map(|(x, t, (ra_pu, (s10, s12)))| {
            let xd2_pu = x.2 * x.3;
            AlternatorSpec::Gensal(GensalSpec {
                xd_pu: x.0,
                xq_pu: x.0 * x.1,
                xd1_pu: x.2,
                xd2_pu,
                xq2_pu: None,
                xl_pu: xd2_pu * x.4 * 0.9,
                ra_pu,
                td01_s: t.0,
                td02_s: t.1,
                tq02_s: t.3,
                s10,
                s12,
            })
        }),
        (reactances, lags, rest).prop_map(|(x, t, (ra_pu, (s10, s12)))| {
            let xd2_pu = x.2 * x.3;
            AlternatorSpec::Genrou(GenrouSpec {
                xd_pu: x.0,
                xq_pu: x.0 * x.1,
                xd1_pu: x.2,
                xq1_pu: 0.5 * x.0 * x.1,
                xd2_pu,
                xl_pu: xd2_pu * x.4 * 0.9,
                ra_pu,
                td01_s: t.0,
                td02_s: t.1,
                tq01_s: t.2,
                tq02_s: t.3,
                s10,
                s12,
            })
        }),
    ]
}

fn exciter() -> impl Strategy<Value = Option<ExciterSpec>> {
    prop_oneof![
        Just(None),
        Just(Some(ExciterSpec::Constant)),
        (
            20.0..200.0,
            0.0..1.0,
            prop_oneof![Just(0.0), 0.01..0.1],
            3.0..8.0
        )
            .prop_map(|(k, ta_s, te_s, emax_pu)| Some(ExciterSpec::Sexs(
                SexsLike {
                    k,
                    ta_s,
                    te_s,
                    emax_pu
                }
                .spec()
            ))),
        (10.0..60.0, 0.0..30.0, 0.1..0.4, 0.0..0.3, 3.0..20.0).prop_map(
            |(kpr, kir_per_s, te_s, kc, vfemax)| Some(ExciterSpec::Ac8b(Ac8bSpec {
                tr_s: 0.01,
                kpr,
                kir_per_s,
                kdr_s: 2.0,
                tdr_s: 0.03,
                ka: 1.0,
                ta_s: 0.01,
                vrmax_pu: 35.0,
                vrmin_pu: 0.0,
                te_s,
                ke: 1.0,
                kc,
                kd: 0.3,
                vfemax_pu: Some(vfemax),
                vemin_pu: 0.0,
                saturation: ExciterSaturation::default(),
            }))
        ),
        (20.0..200.0, 0.1..1.0, 0.0..0.1).prop_map(|(ka, te_s, kf)| Some(ExciterSpec::Dc1a(
            Dc1aSpec {
                tr_s: 0.0,
                ka,
                ta_s: 0.02,
                vrmin_pu: -5.0,
                vrmax_pu: 8.0,
                te_s,
                ke: 1.0,
                saturation: ExciterSaturation::default(),
                kf,
                tf_s: 1.0,
            }
        ))),
    ]
}

struct SexsLike {
    k: f64,
    ta_s: f64,
    te_s: f64,
    emax_pu: f64,
}

impl SexsLike {
    fn spec(&self) -> ballast_plant::SexsSpec {
        ballast_plant::SexsSpec {
            k: self.k,
            ta_s: self.ta_s,
            tb_s: 10.0 * self.ta_s,
            te_s: self.te_s,
            emin_pu: -4.0,
            emax_pu: self.emax_pu,
        }
    }
}

/// With a droop, or as an isochronous one.
fn governor() -> impl Strategy<Value = GovernorSpec> {
    let droop = prop_oneof![1 => Just(0.0), 3 => 0.02..0.08];
    let ggov1 = (
        droop.clone(),
        2.0..12.0,
        0.5..5.0,
        prop_oneof![Just(0.0), 0.02..0.1],
        any::<bool>(),
        any::<bool>(),
        0_u8..4,
    )
        .prop_map(|(r, kp, ki, dead, limiter, follows, feedback)| {
            let text = format!(
                r#"{{"droop_pu":{r},"kpgov":{kp},"kigov_per_s":{ki},"tact_s":0.1,"kturb":1.4,"wfnl_pu":0.15,"tb_s":0.3,
                "dead_time_s":{dead},"acceleration_limiter":{limiter},"fuel_follows_speed":{follows},"delt_s":0.02,"dm_pu":{}}}"#,
                if limiter { -0.5 } else { 0.3 }
            );
            let mut spec: Ggov1Spec = serde_json::from_str(&text).unwrap();
            spec.feedback = [
                Ggov1Feedback::Isochronous,
                Ggov1Feedback::Power,
                Ggov1Feedback::Valve,
                Ggov1Feedback::Governor,
            ][usize::from(feedback)];
            GovernorSpec::Ggov1(spec)
        });
    prop_oneof![
        Just(GovernorSpec::Constant),
        (0.03..0.08, 0.05..0.5).prop_map(|(r, t1)| GovernorSpec::Tgov1(tgov1(r, t1))),
        Just(pi(8.0, 6.0, 0.1, 0.02)),
        (droop.clone(), 5.0..40.0).prop_map(|(droop_pu, k)| GovernorSpec::Degov1(Degov1Spec {
            droop_pu,
            k,
            ..yeager()
        })),
        ggov1,
        (0.03..0.08, 0.9..1.2).prop_map(|(droop_pu, at_pu)| GovernorSpec::Gast(GastSpec {
            droop_pu,
            t1_s: 0.4,
            t2_s: 0.1,
            t3_s: 3.0,
            at_pu,
            kt: 2.0,
            vmax_pu: 1.0,
            vmin_pu: -0.05,
            dturb_pu: 0.0,
        })),
        (10.0..30.0).prop_map(|k| GovernorSpec::Ieeeg1(Ieeeg1Spec {
            k,
            t1_s: 0.1,
            t2_s: 0.0,
            t3_s: 0.2,
            uo_per_s: 0.5,
            uc_per_s: -0.5,
            pmax_pu: 1.0,
            pmin_pu: 0.0,
            stages_s: [0.3, 5.0, 0.4, 0.0],
            shares: [0.3, 0.4, 0.3, 0.0],
        })),
        (droop, 4.0..12.0, 0.0..8.0, 0.0..0.5).prop_map(|(droop_pu, kp_pu, ki_per_s, kd_s)| {
            GovernorSpec::Pid(PidSpec {
                kp_pu,
                ki_per_s,
                kd_s,
                td_s: 0.1,
                droop_pu,
                tact_s: 0.05,
                t_s: 0.1,
                dead_time_s: 0.015,
                max_pu: 1.1,
                min_pu: 0.0,
            })
        }),
    ]
}

fn any_set() -> impl Strategy<Value = SetSpec> {
    let shaft = (0.4..3.0, 0.0..3.0, 0.0..0.08, 1_u32..4, 0.0..0.2);
    let turbo = (any::<bool>(), 0.5..4.0, 0.1..0.6);
    let control = (0.0..0.06, 0.0..0.05, any::<bool>());
    (governor(), alternator(), exciter(), shaft, turbo, control).prop_map(
        |(governor, alternator, exciter, shaft, turbo, control)| {
            let mut one = set("g", governor, shaft.0, shaft.1);
            (one.friction_pu, one.count, one.line_x_pu) = (shaft.2, shaft.3, shaft.4);
            one.rated_kw = 800.0;
            (one.alternator, one.exciter) = (Some(alternator), exciter);
            one.turbo = TurboSpec {
                enabled: turbo.0,
                time_constant_s: turbo.1,
                acceptance_pu: turbo.2,
            };
            one.voltage_control.droop_pu = control.0;
            one.voltage_control.cross_current_pu = control.1;
            if control.2 {
                one.voltage_control.knee_hz = Some(59.0);
                one.voltage_control.volts_per_hertz = 1.0;
            }
            one
        },
    )
}

fn any_grid() -> impl Strategy<Value = UtilitySpec> {
    let hertz = (0.0..0.5, -3.0..3.0, prop_oneof![Just(0.0), 0.1..2.0]);
    let volts = (0.0..0.6, 0.0..1.2, prop::option::of(0.05..0.4));
    (
        2.0..40.0,
        0.0..20.0,
        prop::collection::vec(hertz, 0..3),
        prop::collection::vec(volts, 0..3),
    )
        .prop_map(|(ratio, x_over_r, hertz, volts)| UtilitySpec {
            rated_kva: 3000.0,
            short_circuit_mva: None,
            short_circuit_ratio: Some(ratio),
            x_over_r,
            voltage_pu: 1.0,
            frequency_events: hertz
                .into_iter()
                .map(|(at_s, change_hz, over_s)| FrequencyEventSpec {
                    at_s,
                    change_hz,
                    over_s,
                })
                .collect(),
            voltage_events: volts
                .into_iter()
                .map(|(at_s, voltage_pu, duration_s)| VoltageEventSpec {
                    at_s,
                    voltage_pu,
                    duration_s,
                })
                .collect(),
        })
}

fn any_network() -> impl Strategy<Value = PlantSpec> {
    let load = (0.0..0.5, 0.0..0.5, 0.0..0.9, -2.0..2.0);
    let trips = prop::collection::vec((0.0..1.0, 0_usize..3), 0..3);
    (
        prop::collection::vec(any_set(), 0..4),
        prop::option::weighted(0.4, any_grid()),
        load,
        trips,
        (any::<bool>(), 0.1..0.8, any::<bool>()),
    )
        .prop_map(
            |(mut sets, utility, load, trips, (over, dispatch, plain))| {
                for (index, one) in sets.iter_mut().enumerate() {
                    one.name = format!("g{index}");
                }
                // Most random plants have an isochronous set; beside a grid it gives way to a droop.
                if utility.is_some() {
                    for one in &mut sets {
                        match &mut one.governor {
                            GovernorSpec::Degov1(d) => d.droop_pu = d.droop_pu.max(0.03),
                            GovernorSpec::Pid(p) => p.droop_pu = p.droop_pu.max(0.03),
                            GovernorSpec::Ggov1(g) => {
                                g.droop_pu = g.droop_pu.max(0.03);
                                g.feedback = Ggov1Feedback::Power;
                            }
                            GovernorSpec::Pi(p) => p.ki_per_s = 0.0,
                            _ => {}
                        }
                    }
                }
                let rated: f64 = sets.iter().map(|s| f64::from(s.count) * s.rated_kw).sum();
                let trips = trips
                    .into_iter()
                    .filter(|(_, i)| *i < sets.len())
                    .map(|(at_s, i)| TripSpec {
                        at_s,
                        set: format!("g{i}"),
                        count: 1,
                    })
                    .collect();
                let mut spec = PlantSpec {
                    frequency_hz: 60.0,
                    torque: if over {
                        TorqueConvention::PowerOverSpeed
                    } else {
                        TorqueConvention::Power
                    },
                    dispatch_kw: utility.as_ref().map(|_| dispatch * rated),
                    voltage_pu: 1.0,
                    load: LoadModelSpec {
                        current_share: load.0,
                        impedance_share: load.1,
                        reactive_current_share: 0.0,
                        reactive_impedance_share: load.1,
                        current_limit_below_pu: load.2,
                        frequency_pu: load.3,
                    },
                    sharing: None,
                    trips,
                    utility,
                    sets,
                };
                if plain {
                    spec.load = LoadModelSpec::default();
                }
                let line = SharingSpec::Isochronous(SharingLineSpec::default());
                let with = PlantSpec {
                    sharing: Some(line),
                    ..spec.clone()
                };
                // A line where there is something to share.
                if problems(&with, 1e-3).iter().any(|p| p.path == "sharing") || over {
                    spec
                } else {
                    with
                }
            },
        )
}

fn check(plant: &Plant, spec: &PlantSpec) {
    let mut numbers = vec![
        plant.speed_pu(),
        plant.speed_rate_pu_per_s(),
        plant.time_s(),
        plant.power_residual_pu(),
    ];
    // Infinite where nothing is left.
    assert!(!plant.gain_pu(0.7).is_nan());
    numbers.extend(plant.bus_voltage_pu());
    if let Some(grid) = plant.utility_state() {
        numbers.extend([grid.power_w, grid.reactive_var, grid.frequency_hz]);
    }
    for index in 0..spec.sets.len() {
        let s = plant.set(index);
        numbers.extend([
            s.throttle_pu,
            s.torque_pu,
            s.mechanical_pu,
            s.electrical_pu,
            s.speed_pu,
        ]);
        numbers.extend(
            [s.voltage_pu, s.reactive_pu, s.field_pu, s.boost_pu]
                .into_iter()
                .flatten(),
        );
        numbers.extend(plant.loading(index));
    }
    assert!(numbers.iter().all(|n| n.is_finite()), "{numbers:?}");
}

/// What the sets and the grid give is what the load at this voltage and speed takes.
fn balanced(plant: &Plant, spec: &PlantSpec, load_w: f64) {
    let mut given_w = plant.utility_state().map_or(0.0, |grid| grid.power_w);
    for (index, one) in spec.sets.iter().enumerate() {
        given_w +=
            plant.set(index).electrical_pu * f64::from(plant.on_bus(index)) * one.rated_kva * 1e3;
    }
    let v = plant.bus_voltage_pu().unwrap();
    let l = &spec.load;
    let power = 1.0 - l.current_share - l.impedance_share;
    let held = if v < l.current_limit_below_pu {
        v / l.current_limit_below_pu
    } else {
        1.0
    };
    let factor = power * held + v * (l.current_share + l.impedance_share * v);
    let taken_w = load_w * factor * (1.0 + l.frequency_pu * (plant.speed_pu() - 1.0));
    // The series reactances take no active power; Newton's last pass leaves rounding, more near the most that can be carried.
    let scale = plant.base_w() + load_w.abs();
    assert!(
        (given_w - taken_w).abs() <= 1e-7 * scale,
        "{given_w} {taken_w} at {v}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn never_nan(
        spec in any_network(), share in 0.0..1.0,
        calls in prop::collection::vec((prop_oneof![3 => Just(1e-3), 1 => 1e-5..0.05], -0.2..1.8, -0.5..1.0, 1_usize..200), 1..8),
        wild in prop::option::weighted(0.1, prop::sample::select(vec![1e6, -1e6, 1e290, f64::INFINITY, f64::NAN])),
    ) {
        let step = 1e-3;
        let sets_kw: f64 = spec.sets.iter().map(|s| f64::from(s.count) * s.rated_kw).sum();
        let rated_w = 1e3 * (sets_kw + spec.utility.as_ref().map_or(0.0, |u| u.rated_kva));
        let start_w = share * rated_w;
        let Ok(mut plant) = Plant::new(&spec, start_w, step) else { return Ok(()) };
        prop_assert!(problems(&spec, step).is_empty());
        check(&plant, &spec);
        balanced(&plant, &spec, start_w);
        let mut before = start_w;
        for (index, (length, active, reactive, repeat)) in calls.into_iter().enumerate() {
            let mut load_w = active * rated_w;
            if index == 3 {
                load_w = wild.unwrap_or(load_w);
            }
            for _ in 0..repeat {
                let status = plant.advance_with_reactive(length, (before, reactive * before), (load_w, reactive * load_w));
                check(&plant, &spec);
                if status == StepStatus::Collapsed {
                    let frozen = (plant.time_s(), plant.speed_pu());
                    prop_assert_eq!(plant.advance(1e-3, 0.0, 0.0), StepStatus::Collapsed);
                    prop_assert_eq!(frozen, (plant.time_s(), plant.speed_pu()));
                    return Ok(());
                }
                balanced(&plant, &spec, load_w);
                before = load_w;
            }
        }
    }

    /// Without events a plant that may start stands still.
    #[test]
    fn it_starts_at_rest(spec in any_network(), share in 0.05..0.9) {
        let mut spec = spec;
        spec.trips.clear();
        if let Some(grid) = &mut spec.utility {
            grid.frequency_events.clear();
            grid.voltage_events.clear();
        }
        let sets_kw: f64 = spec.sets.iter().map(|s| f64::from(s.count) * s.rated_kw).sum();
        let rated_w = 1e3 * (sets_kw + spec.utility.as_ref().map_or(0.0, |u| u.rated_kva));
        let Ok(mut plant) = Plant::new(&spec, share * rated_w, 1e-3) else { return Ok(()) };
        let voltage = plant.bus_voltage_pu();
        if voltage.is_none() { return Ok(()) }
        plant.advance(0.01, share * rated_w, share * rated_w);
        prop_assert!((plant.speed_pu() - 1.0).abs() < 1e-8, "{}", plant.speed_pu());
        let moved = plant.bus_voltage_pu().unwrap() - voltage.unwrap();
        prop_assert!(moved.abs() < 1e-7, "{moved:e}");
    }

    /// Any models, constants and loads, limits and collapses among them: a plant in a lane is the plant alone, bit for bit.
    #[test]
    fn lanes_are_plants_alone(
        spec in any_network(), share in 0.1..0.9, variants in prop::collection::vec(0.9..1.1, 2..6),
        calls in prop::collection::vec((prop_oneof![3 => Just(1e-3), 1 => 1e-5..0.02], -0.1..1.5, any::<bool>(), -0.4..0.8, 1_usize..40), 1..6),
    ) {
        let sets_kw: f64 = spec.sets.iter().map(|s| f64::from(s.count) * s.rated_kw).sum();
        let rated_w = 1e3 * (sets_kw + spec.utility.as_ref().map_or(0.0, |u| u.rated_kva));
        let mut before = share * rated_w;
        let stretches: Vec<Stretch> = calls
            .into_iter()
            .map(|(length, load, ramp, tan_phi, repeat)| {
                let end = load * rated_w;
                let start = if ramp { before } else { end };
                before = end;
                (length, start, end, tan_phi, repeat)
            })
            .collect();
        side_by_side(&spec, share * rated_w, &variants, &stretches);
    }
}
