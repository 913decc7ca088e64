//! Sets that run together: load sharing, trips, first instants after a step, a utility.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests; measured errors are printed"
)]

mod common;

use std::collections::BTreeMap;

use ballast_plant::{
    AlternatorSpec, Degov1Spec, DegovSpec, FrequencyEventSpec, GenclsSpec, Ggov1Spec, GovernorSpec,
    LoadModelSpec, PidSpec, PlannedTrip, Plant, PlantError, PlantSpec, SetSpec, SharingLineSpec,
    SharingSpec, StepStatus, TorqueConvention, TripSpec, UtilitySpec, VoltageEventSpec,
    planned_trips, problems, spinning_reserve, worst_trip_set,
};
use common::{one_set, pi, set, tgov1, yeager};

fn plant_of(sets: Vec<SetSpec>) -> PlantSpec {
    let mut spec = one_set(
        GovernorSpec::Constant,
        1.0,
        0.0,
        TorqueConvention::PowerOverSpeed,
    );
    spec.sets = sets;
    spec
}

fn line(gain_pu: f64) -> SharingSpec {
    SharingSpec::Isochronous(SharingLineSpec {
        gain_pu,
        ..SharingLineSpec::default()
    })
}

fn pid() -> GovernorSpec {
    GovernorSpec::Pid(PidSpec {
        kp_pu: 8.0,
        ki_per_s: 6.0,
        kd_s: 0.0,
        td_s: 0.0,
        droop_pu: 0.0,
        tact_s: 0.05,
        t_s: 0.1,
        dead_time_s: 0.0,
        max_pu: 1.1,
        min_pu: 0.0,
    })
}

fn degov() -> GovernorSpec {
    let Degov1Spec {
        t1_s,
        t2_s,
        t3_s,
        k,
        t4_s,
        t5_s,
        t6_s,
        dead_time_s,
        ..
    } = yeager();
    GovernorSpec::Degov(DegovSpec {
        t1_s,
        t2_s,
        t3_s,
        k: 0.5 * k,
        t4_s,
        t5_s,
        t6_s,
        dead_time_s,
        tmax_pu: 1.1,
        tmin_pu: 0.0,
    })
}

fn ggov1() -> GovernorSpec {
    let text = r#"{"droop_pu":0.0,"feedback":"isochronous","kpgov":6.0,"kigov_per_s":3.0,"tact_s":0.1,"kturb":1.2,"wfnl_pu":0.1,"tb_s":0.2}"#;
    GovernorSpec::Ggov1(serde_json::from_str::<Ggov1Spec>(text).unwrap())
}

fn gencls(xd1_pu: f64) -> AlternatorSpec {
    AlternatorSpec::Gencls(GenclsSpec { xd1_pu, ra_pu: 0.0 })
}

fn run(plant: &mut Plant, seconds: f64, load_w: f64) -> StepStatus {
    for _ in 0..(seconds * 1e3).round() as u32 {
        plant.advance(1e-3, load_w, load_w);
    }
    plant.status()
}

/// Every isochronous governor there is, of different sizes and gains, on one line: nominal speed and even parts of the rating.
#[test]
fn a_sharing_line_evens_out_all_isochronous_governors() {
    for alternators in [false, true] {
        let governors = [pi(10.0, 8.0, 0.1, 0.01), pid(), degov(), ggov1()];
        let mut spec = plant_of(
            governors
                .into_iter()
                .enumerate()
                .map(|(i, governor)| set(&format!("g{i}"), governor, 0.8 + 0.2 * i as f64, 0.5))
                .collect(),
        );
        for (i, one) in spec.sets.iter_mut().enumerate() {
            one.rated_kva = 1000.0 + 500.0 * i as f64;
            one.rated_kw = 0.8 * one.rated_kva;
            one.alternator = alternators.then(|| gencls(0.2 + 0.05 * i as f64));
        }
        spec.sharing = Some(line(0.03));
        let rated_w: f64 = spec.sets.iter().map(|one| one.rated_kw * 1e3).sum();
        let mut plant = Plant::new(&spec, 0.3 * rated_w, 1e-3).unwrap();
        run(&mut plant, 0.3, 0.6 * rated_w);
        let spread = |plant: &Plant| {
            let all: Vec<f64> = (0..4).map(|i| plant.loading(i).unwrap()).collect();
            let (low, high) = all
                .iter()
                .fold((1e9_f64, -1e9_f64), |(l, h), x| (l.min(*x), h.max(*x)));
            high - low
        };
        let early = spread(&plant);
        run(&mut plant, 60.0, 0.6 * rated_w);
        let late = spread(&plant);
        println!("alternators {alternators}: spread {early:.3} then {late:e}");
        assert!(
            early > 0.02,
            "different governors do not share by themselves"
        );
        // GGOV1's load limiter takes long to let go of its integral; the rest is settled after seconds.
        assert!(late < 1e-3, "{late}");
        assert!(
            (plant.speed_pu() - 1.0).abs() < 1e-4,
            "{}",
            plant.speed_pu()
        );
    }
}

/// The trim is a first-order lag: two equal proportional-integral sets, one of them told another gain, still end even.
#[test]
fn gains_may_differ() {
    let mut spec = plant_of(vec![
        set("a", pi(10.0, 8.0, 0.1, 0.0), 1.0, 0.0),
        set("b", pi(5.0, 2.0, 0.2, 0.0), 1.0, 0.0),
    ]);
    spec.sharing = Some(SharingSpec::Isochronous(SharingLineSpec {
        gain_pu: 0.04,
        gains_pu: BTreeMap::from([("b".to_owned(), 0.02)]),
        lag_s: 0.5,
    }));
    let mut plant = Plant::new(&spec, 0.4e6, 1e-3).unwrap();
    run(&mut plant, 400.0, 1.2e6);
    for i in 0..2 {
        assert!((plant.loading(i).unwrap() - 0.6).abs() < 1e-6, "{i}");
    }
}

/// The linear gain knows the line: against the simulation of a small sine.
#[test]
fn the_gain_includes_the_line() {
    for torque in [TorqueConvention::Power, TorqueConvention::PowerOverSpeed] {
        let mut spec = plant_of(vec![
            set("a", pi(12.0, 12.0, 0.1, 0.013), 1.0, 0.3),
            set("b", GovernorSpec::Degov1(yeager()), 0.7, 0.7),
        ]);
        spec.torque = torque;
        spec.sharing = Some(line(0.05));
        for f_hz in [0.25, 0.5, 1.0, 2.5] {
            let mut plant = Plant::new(&spec, 1e6, 1e-3).unwrap();
            let load = |i: u32| {
                1e6 + 200.0 * libm::sin(std::f64::consts::TAU * f_hz * f64::from(i) * 1e-3)
            };
            let (mut sine, mut cosine) = (0.0, 0.0);
            for i in 0..48_000 {
                plant.advance(1e-3, load(i), load(i + 1));
                if i >= 40_000 {
                    let angle = std::f64::consts::TAU * f_hz * f64::from(i + 1) * 1e-3;
                    sine += (plant.speed_pu() - 1.0) * libm::sin(angle) / 4000.0;
                    cosine += (plant.speed_pu() - 1.0) * libm::cos(angle) / 4000.0;
                }
            }
            let (simulated, linear) = (libm::hypot(sine, cosine) / 1e-4, plant.gain_pu(f_hz));
            // Half a millisecond of the straight pieces of load and the start's rest, as without a line.
            assert!(
                (simulated / linear - 1.0).abs() < 1e-3,
                "{f_hz} Hz: {simulated} {linear}"
            );
        }
    }
}

/// One isochronous set, the others on droop: it takes the whole step, they stay where they were.
#[test]
fn one_isochronous_set_takes_every_step() {
    for alternators in [false, true] {
        let mut spec = plant_of(vec![
            set("iso", pi(10.0, 8.0, 0.1, 0.0), 1.0, 0.0),
            set("d1", GovernorSpec::Tgov1(tgov1(0.05, 0.1)), 1.0, 0.0),
            set("d2", GovernorSpec::Tgov1(tgov1(0.04, 0.1)), 1.0, 0.0),
        ]);
        for one in &mut spec.sets {
            one.alternator = alternators.then(|| gencls(0.25));
            one.damping_pu = if alternators { 2.0 } else { 0.0 };
        }
        assert!(problems(&spec, 1e-3).is_empty());
        let mut plant = Plant::new(&spec, 0.9e6, 1e-3).unwrap();
        run(&mut plant, 200.0, 1.4e6);
        let shares: Vec<f64> = (0..3).map(|i| plant.loading(i).unwrap()).collect();
        for (share, wanted) in shares.iter().zip([0.8, 0.3, 0.3]) {
            assert!((share - wanted).abs() < 1e-6, "{shares:?}");
        }
    }
}

#[test]
fn two_integrals_without_a_line_are_refused() {
    let mut spec = plant_of(vec![
        set("north", pi(10.0, 8.0, 0.1, 0.0), 1.0, 0.0),
        set("south", degov(), 1.0, 0.0),
    ]);
    let found = problems(&spec, 1e-3);
    assert_eq!(found.len(), 1);
    let text = found[0].to_string();
    for word in ["north", "south", "sharing", "droop", "count"] {
        assert!(text.contains(word), "{text}");
    }
    spec.sharing = Some(line(0.03));
    assert!(problems(&spec, 1e-3).is_empty());
    spec.sharing = Some(SharingSpec::Isochronous(SharingLineSpec {
        gain_pu: 0.0,
        gains_pu: BTreeMap::from([("west".to_owned(), 0.1)]),
        lag_s: 0.0,
    }));
    let paths: Vec<String> = problems(&spec, 1e-3).into_iter().map(|p| p.path).collect();
    assert_eq!(
        paths,
        ["sharing.gain_pu", "sharing.lag_s", "sharing.gains_pu.west"]
    );
}

/// A planned trip acts at its own time whatever the calls, and what is left carries the load.
#[test]
fn planned_trips_happen_at_their_time() {
    let mut spec = plant_of(vec![
        set("a", GovernorSpec::Tgov1(tgov1(0.05, 0.1)), 1.0, 0.0),
        set("b", GovernorSpec::Tgov1(tgov1(0.05, 0.1)), 1.0, 0.0),
    ]);
    spec.sets[1].count = 3;
    for alternators in [false, true] {
        for one in &mut spec.sets {
            one.alternator = alternators.then(|| gencls(0.25));
        }
        spec.trips = vec![
            TripSpec {
                at_s: 0.750_04,
                set: "b".to_owned(),
                count: 2,
            },
            TripSpec {
                at_s: 0.512_3,
                set: "a".to_owned(),
                count: 1,
            },
        ];
        let planned = planned_trips(&spec);
        assert_eq!((planned[0].entry, planned[1].entry), (0, 1));
        let mut fine = Plant::new(&spec, 0.8e6, 1e-3).unwrap();
        let mut coarse = fine.clone();
        let mut by_hand = Plant::new(
            &PlantSpec {
                trips: Vec::new(),
                ..spec.clone()
            },
            0.8e6,
            1e-3,
        )
        .unwrap();
        run(&mut fine, 1.0, 0.8e6);
        coarse.advance(0.6, 0.8e6, 0.8e6);
        coarse.advance(0.4, 0.8e6, 0.8e6);
        by_hand.advance(0.512_3, 0.8e6, 0.8e6);
        by_hand.trip(0, 1);
        by_hand.advance(0.750_04 - 0.512_3, 0.8e6, 0.8e6);
        by_hand.trip(1, 2);
        by_hand.advance(0.249_96, 0.8e6, 0.8e6);
        for other in [&coarse, &by_hand] {
            assert!((fine.speed_pu() - other.speed_pu()).abs() < 1e-9);
            assert!((other.time_s() - 1.0).abs() < 1e-12);
        }
        assert_eq!((fine.on_bus(0), fine.on_bus(1)), (0, 1));
        assert_eq!(fine.loading(0), None);
        assert_eq!(fine.set(0).electrical_pu, 0.0);
        assert!(
            (fine.loading(1).unwrap() - 0.8).abs() < 1e-12,
            "it has all of the load"
        );
    }
}

#[test]
fn trips_that_cannot_be() {
    let mut spec = plant_of(vec![set(
        "a",
        GovernorSpec::Tgov1(tgov1(0.05, 0.1)),
        1.0,
        0.0,
    )]);
    let trip = |at_s: f64, name: &str, count: u32| TripSpec {
        at_s,
        set: name.to_owned(),
        count,
    };
    spec.trips = vec![
        trip(-1.0, "a", 1),
        trip(1.0, "z", 1),
        trip(2.0, "a", 1),
        trip(f64::NAN, "a", 0),
    ];
    let found = problems(&spec, 1e-3);
    let paths: Vec<&str> = found.iter().map(|p| p.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "trips.0.at_s",
            "trips.1.set",
            "trips.2.count",
            "trips.3.at_s",
            "trips.3.count",
            "trips.3.count"
        ],
        "{found:?}"
    );
}

#[test]
fn a_later_plan_and_the_last_set() {
    let spec = plant_of(vec![
        set("a", GovernorSpec::Tgov1(tgov1(0.05, 0.1)), 1.0, 0.0),
        set("b", GovernorSpec::Tgov1(tgov1(0.05, 0.1)), 1.0, 0.0),
    ]);
    let mut plant = Plant::new(&spec, 0.8e6, 1e-3).unwrap();
    run(&mut plant, 1.0, 0.8e6);
    let trip = |at_s: f64, entry: usize| PlannedTrip {
        at_s,
        entry,
        sets: 1,
    };
    plant.schedule(&[trip(3.0, 1), trip(0.2, 0)]);
    run(&mut plant, 1.0, 0.8e6);
    assert_eq!(
        (plant.on_bus(0), plant.on_bus(1)),
        (0, 1),
        "the past is now"
    );
    assert_eq!(run(&mut plant, 2.0, 0.8e6), StepStatus::Collapsed);
    assert!((plant.time_s() - 3.0).abs() < 1e-9, "{}", plant.time_s());
}

#[test]
fn reserve_is_counted_without_the_largest_set() {
    let mut spec = plant_of(vec![
        set("small", GovernorSpec::Constant, 1.0, 0.0),
        set("large", GovernorSpec::Constant, 1.0, 0.0),
    ]);
    spec.sets[0].count = 3;
    (spec.sets[1].rated_kw, spec.sets[1].rated_kva) = (2000.0, 2500.0);
    assert_eq!(worst_trip_set(&spec), Some(1));
    let all = |i: usize| spec.sets[i].count;
    let r = spinning_reserve(&spec, all, 2.5e6, 0.5e6);
    assert!(r.holds && r.survivors_loading == 1.0 && r.reserve_w == r.needed_w);
    assert!(!spinning_reserve(&spec, all, 2.5e6, 0.6e6).holds);
    // With the large one gone already, the next loss is a small one.
    let r = spinning_reserve(&spec, |i| if i == 1 { 0 } else { 3 }, 1.5e6, 0.0);
    assert!(r.holds && r.largest_w == 1e6);
    assert!(!spinning_reserve(&spec, |_| 0, 1.0, 0.0).holds);
    assert_eq!(worst_trip_set(&plant_of(Vec::new())), None);
}

/// First instant: synchronising power `E V cos δ / X`. Then inertia. At last the governors' droop.
#[test]
fn a_step_is_shared_by_reactance_then_inertia_then_droop() {
    let (x, h, r, kva) = (
        [0.15, 0.3, 0.2],
        [0.6, 1.2, 2.0],
        [0.03, 0.05, 0.04],
        [1000.0, 2000.0, 1500.0],
    );
    let mut spec = plant_of(
        (0..3)
            .map(|i| {
                let mut one = set(
                    &format!("g{i}"),
                    GovernorSpec::Tgov1(tgov1(r[i], 0.3)),
                    h[i],
                    0.0,
                );
                (one.rated_kva, one.rated_kw) = (kva[i], 0.8 * kva[i]);
                one.alternator = Some(gencls(x[i]));
                one.damping_pu = 4.0;
                one
            })
            .collect(),
    );
    spec.torque = TorqueConvention::Power;
    for start_w in [0.0, 1.8e6] {
        let mut plant = Plant::new(&spec, start_w, 0.25e-3).unwrap();
        let before: Vec<f64> = (0..3)
            .map(|i| plant.set(i).electrical_pu * kva[i])
            .collect();
        let step_w = 20e3;
        plant.advance(1e-9, start_w + step_w, start_w + step_w);
        let v = plant.bus_voltage_pu().unwrap();
        let coefficients: Vec<f64> = (0..3)
            .map(|i| {
                // E and δ of a constant voltage behind X that delivers P at 1.0 pu and no reactive power.
                let p = before[i] / kva[i];
                let e = libm::hypot(1.0, x[i] * p);
                let delta = libm::atan2(x[i] * p, 1.0);
                kva[i] * e * v * libm::cos(delta) / x[i]
            })
            .collect();
        let sum: f64 = coefficients.iter().sum();
        for i in 0..3 {
            let got = (plant.set(i).electrical_pu * kva[i] - before[i]) * 1e3 / step_w;
            let wanted = coefficients[i] / sum;
            println!("{start_w}: set {i} {got:.6}, by reactance {wanted:.6}");
            // The voltage's own change is of second order at no load, and below a thousandth at two thirds.
            assert!(
                (got - wanted).abs() < if start_w == 0.0 { 1e-6 } else { 2e-3 },
                "{i}"
            );
        }
        // Mean over the first swings, before the governors move much: all slow down alike, so power goes by inertia.
        let mut mean = [0.0; 3];
        for _ in 0..800 {
            plant.advance(0.25e-3, start_w + step_w, start_w + step_w);
            for (i, m) in mean.iter_mut().enumerate() {
                *m += (plant.set(i).electrical_pu * kva[i] - before[i]) * 1e3 / step_w / 800.0;
            }
        }
        let inertia: f64 = (0..3).map(|i| h[i] * kva[i]).sum();
        for i in 0..3 {
            let wanted = h[i] * kva[i] / inertia;
            println!(
                "{start_w}: set {i} mean {:.3}, by inertia {wanted:.3}",
                mean[i]
            );
            // Swings do not end within 0.2 s and the governors have begun: a twelfth.
            assert!((mean[i] - wanted).abs() < 0.08, "{i}: {} {wanted}", mean[i]);
        }
        for _ in 0..240_000 {
            plant.advance(0.25e-3, start_w + step_w, start_w + step_w);
        }
        // Damping counts beside the droop: 1/R + D.
        let droop: f64 = (0..3).map(|i| kva[i] * (1.0 / r[i] + 4.0)).sum();
        for i in 0..3 {
            let got = (plant.set(i).electrical_pu * kva[i] - before[i]) * 1e3 / step_w;
            let wanted = kva[i] * (1.0 / r[i] + 4.0) / droop;
            assert!((got - wanted).abs() < 1e-6, "{i}: {got} {wanted}");
        }
    }
}

fn grid(ratio: f64, x_over_r: f64) -> UtilitySpec {
    UtilitySpec {
        rated_kva: 2000.0,
        short_circuit_mva: None,
        short_circuit_ratio: Some(ratio),
        x_over_r,
        voltage_pu: 1.0,
        frequency_events: Vec::new(),
        voltage_events: Vec::new(),
    }
}

fn on_grid(utility: UtilitySpec, sets: Vec<SetSpec>) -> PlantSpec {
    let mut spec = plant_of(sets);
    spec.utility = Some(utility);
    spec
}

/// `V⁴ + (2(RP+XQ) − E²) V² + (R²+X²)(P²+Q²) = 0`, upper root: constant power behind an impedance, without any set.
#[test]
fn a_site_on_the_grid_alone_meets_the_quadratic() {
    for (ratio, x_over_r) in [(5.0, 10.0), (20.0, 3.0), (4.0, 0.0), (50.0, 30.0)] {
        let mut spec = on_grid(grid(ratio, x_over_r), Vec::new());
        spec.load.current_limit_below_pu = 0.0;
        let mut plant = Plant::with_reactive(&spec, (0.4e6, 0.0), 1e-3).unwrap();
        for (p_w, q_w) in [(0.4e6, 0.0), (1.5e6, 0.5e6), (0.0, 0.3e6), (1.8e6, -0.2e6)] {
            let status = plant.advance_with_reactive(0.01, (p_w, q_w), (p_w, q_w));
            assert_eq!(status, StepStatus::Running);
            let (p, q) = (p_w / 2e6, q_w / 2e6);
            let (z, all) = (1.0 / ratio, libm::hypot(1.0, x_over_r));
            let (r, x) = (z / all, z * x_over_r / all);
            let b = 2.0 * (r * p + x * q) - 1.0;
            let root = (b * b - 4.0 * z * z * (p * p + q * q)).sqrt();
            let v = (0.5 * (root - b)).sqrt();
            let got = plant.utility_state().unwrap();
            assert!(
                (got.bus_voltage_pu - v).abs() < 1e-12,
                "{ratio}: {got:?} {v}"
            );
            assert!((got.power_w - p_w).abs() < 1e-6 * 2e6 * 1e-3, "{got:?}");
            assert!(
                (got.reactive_var - q_w).abs() < 1e-6 * 2e6 * 1e-3,
                "{got:?}"
            );
            assert_eq!(got.frequency_hz, 60.0);
        }
        assert_eq!(plant.gain_pu(1.0), 0.0);
    }
}

/// A dip and its end, a step and a ramp of frequency, each at its own time.
#[test]
fn the_grid_does_what_is_written() {
    let mut utility = grid(10.0, 10.0);
    utility.voltage_events = vec![
        VoltageEventSpec {
            at_s: 1.000_25,
            voltage_pu: 0.8,
            duration_s: Some(0.15),
        },
        VoltageEventSpec {
            at_s: 2.0,
            voltage_pu: 0.97,
            duration_s: None,
        },
    ];
    utility.frequency_events = vec![
        FrequencyEventSpec {
            at_s: 0.5,
            change_hz: -0.3,
            over_s: 0.0,
        },
        FrequencyEventSpec {
            at_s: 1.0,
            change_hz: 0.6,
            over_s: 2.0,
        },
    ];
    let spec = on_grid(utility, Vec::new());
    let mut plant = Plant::new(&spec, 0.0, 1e-3).unwrap();
    for i in 1..=4000_u32 {
        plant.advance(1e-3, 0.0, 0.0);
        let t = f64::from(i) * 1e-3;
        let state = plant.utility_state().unwrap();
        let hz = 60.0 + if t > 0.5 { -0.3 } else { 0.0 } + 0.6 * ((t - 1.0) / 2.0).clamp(0.0, 1.0);
        if ![500, 1000, 3000].contains(&i) {
            assert!(
                (state.frequency_hz - hz).abs() < 1e-9,
                "{t}: {state:?} {hz}"
            );
        }
        let v = if t > 1.000_25 && t < 1.150_25 {
            0.8
        } else if t > 2.0 + 1e-9 {
            0.97
        } else {
            1.0
        };
        assert!((state.bus_voltage_pu - v).abs() < 1e-12, "{t}: {state:?}");
    }
}

/// Sets behind reactances follow the grid's frequency, keep their angles, and give by their droop what it lacks.
#[test]
fn sets_follow_the_grid() {
    let droop = 0.05;
    let mut one = set("g", GovernorSpec::Tgov1(tgov1(droop, 0.2)), 1.0, 0.0);
    one.alternator = Some(gencls(0.25));
    one.damping_pu = 20.0;
    one.count = 2;
    let mut spec = on_grid(grid(10.0, 10.0), vec![one]);
    spec.dispatch_kw = Some(800.0);
    spec.torque = TorqueConvention::Power;
    let mut plant = Plant::with_reactive(&spec, (1.5e6, 0.4e6), 1e-3).unwrap();
    let start = plant.utility_state().unwrap();
    assert!((start.power_w - 0.7e6).abs() < 1e-3, "{start:?}");
    assert!((plant.set(0).electrical_pu - 0.4).abs() < 1e-12);
    assert!(
        plant.set(0).reactive_pu.unwrap().abs() < 1e-12,
        "unity power factor"
    );
    let go = |plant: &mut Plant, seconds: f64| {
        for _ in 0..(seconds * 1e3) as u32 {
            plant.advance_with_reactive(1e-3, (1.5e6, 0.4e6), (1.5e6, 0.4e6));
        }
    };
    go(&mut plant, 5.0);
    assert!(
        (plant.set(0).electrical_pu - 0.4).abs() < 1e-10,
        "it starts at rest"
    );
    spec.utility.as_mut().unwrap().frequency_events = vec![
        FrequencyEventSpec {
            at_s: 1.0,
            change_hz: -0.6,
            over_s: 2.0,
        },
        FrequencyEventSpec {
            at_s: 60.0,
            change_hz: 0.6,
            over_s: 0.0,
        },
    ];
    let mut plant = Plant::with_reactive(&spec, (1.5e6, 0.4e6), 1e-3).unwrap();
    go(&mut plant, 50.0);
    // −1 % at a droop of 5 % is 20 % more valve; damping gives 20 × 1 % more on top.
    let set = plant.set(0);
    assert!((set.speed_pu - 0.99).abs() < 1e-9, "{set:?}");
    assert!(
        (set.electrical_pu - (0.4 + 0.2 + 0.2)).abs() < 1e-8,
        "{set:?}"
    );
    let state = plant.utility_state().unwrap();
    assert!((state.frequency_hz - 59.4).abs() < 1e-9, "{state:?}");
    assert!(
        (state.power_w - (1.5e6 - 1.6e6)).abs() < 0.1,
        "export: {state:?}"
    );
    go(&mut plant, 70.0);
    assert!(
        (plant.set(0).electrical_pu - 0.4).abs() < 1e-8,
        "back again"
    );
    // And it survives the loss of its sets.
    plant.trip(0, 2);
    assert_eq!(plant.status(), StepStatus::Running);
    go(&mut plant, 0.1);
    assert!((plant.utility_state().unwrap().power_w - 1.5e6).abs() < 1.0);
}

#[test]
fn a_utility_that_cannot_be() {
    let mut spec = on_grid(
        UtilitySpec {
            short_circuit_mva: Some(20.0),
            frequency_events: vec![FrequencyEventSpec {
                at_s: 0.0,
                change_hz: 30.0,
                over_s: 1.0,
            }],
            ..grid(5.0, 10.0)
        },
        vec![set("g", pi(10.0, 8.0, 0.1, 0.0), 1.0, 0.0)],
    );
    spec.voltage_pu = 1.05;
    let paths: Vec<String> = problems(&spec, 1e-3).into_iter().map(|p| p.path).collect();
    assert_eq!(
        paths,
        [
            "utility.short_circuit_ratio",
            "voltage_pu",
            "dispatch_kw",
            "sets.0.alternator",
            "sets.0.governor",
            "utility.frequency_events"
        ]
    );
    // Half the short-circuit power is the most a reactance carries at power factor one.
    let mut weak = on_grid(grid(1.5, 1000.0), Vec::new());
    weak.load.current_limit_below_pu = 0.0;
    assert!(matches!(
        Plant::new(&weak, 1.9e6, 1e-3),
        Err(PlantError::NoVoltage { .. })
    ));
    assert!(matches!(
        Plant::new(&weak, 2.1e6, 1e-3),
        Err(PlantError::LoadAboveRating { .. })
    ));
    assert!(
        problems(&plant_of(Vec::new()), 1e-3)[0]
            .help
            .contains("utility")
    );
}

/// More than the grid carries ends the run; it is no number out of nowhere.
#[test]
fn voltage_collapse_is_an_end() {
    let mut spec = on_grid(grid(1.5, 1000.0), Vec::new());
    spec.load = LoadModelSpec {
        current_limit_below_pu: 0.0,
        ..LoadModelSpec::default()
    };
    let mut plant = Plant::new(&spec, 1e6, 1e-3).unwrap();
    assert_eq!(plant.advance(0.5, 1e6, 2e6), StepStatus::Collapsed);
    // P = S_sc/2 = 1.5 MW is reached halfway.
    assert!((plant.time_s() - 0.25).abs() < 1e-3, "{}", plant.time_s());
    assert!(plant.utility_state().unwrap().bus_voltage_pu.is_finite());
}
