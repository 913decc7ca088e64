//! Plants side by side: who sits in a lane, and that an event of one is none of the others' business.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    reason = "helpers of tests"
)]

mod common;

use ballast_plant::{
    Degov1Spec, GovernorSpec, LockStep, PlannedTrip, Plant, PlantSpec, StepStatus,
    TorqueConvention, TurboSpec,
};
use common::{one_set, pi, seen, set, side_by_side, varied, yeager};
use serde_json::json;

/// Two entries of diesels with alternators: two sets and one.
fn diesels() -> PlantSpec {
    let governor = GovernorSpec::Degov1(Degov1Spec {
        droop_pu: 0.04,
        ..yeager()
    });
    let mut spec = one_set(governor, 1.0, 0.5, TorqueConvention::PowerOverSpeed);
    spec.sets.push(set("h", governor, 1.3, 0.5));
    spec.sets[0].count = 2;
    for one in &mut spec.sets {
        one.turbo = TurboSpec {
            enabled: true,
            time_constant_s: 1.5,
            acceptance_pu: 0.3,
        };
        one.alternator = serde_json::from_value(json!({
            "model": "genrou", "xd_pu": 2.5, "xq_pu": 1.4, "xd1_pu": 0.25, "xq1_pu": 0.5, "xd2_pu": 0.18, "xl_pu": 0.1,
            "td01_s": 4.0, "td02_s": 0.04, "tq01_s": 0.4, "tq02_s": 0.03, "s10": 0.1, "s12": 0.4
        }))
        .unwrap();
        one.exciter = serde_json::from_value(json!({
            "model": "sexs", "k": 100.0, "ta_s": 1.0, "tb_s": 10.0, "te_s": 0.05, "emin_pu": -5.0, "emax_pu": 8.0
        }))
        .unwrap();
        one.voltage_control.droop_pu = 0.04;
    }
    spec
}

#[test]
fn corners_sit_in_lanes_through_limits() {
    // Up to the turbo ceiling and back, ramps and steps.
    let stretches = [
        (1e-3, 0.9e6, 0.9e6, 0.3, 200),
        (1e-3, 2.4e6, 2.4e6, 0.3, 1500),
        (1e-3, 0.4e6, 0.9e6, 0.3, 300),
        (7e-3, 1.2e6, 1.5e6, 0.2, 100),
    ];
    let variants = [0.95, 0.98, 1.0, 1.01, 1.05, 1.02];
    // Four, and two.
    assert_eq!(side_by_side(&diesels(), 0.9e6, &variants, &stretches), 6);
    // One alone has nobody to go with.
    assert_eq!(
        side_by_side(&diesels(), 0.9e6, &variants[..5], &stretches),
        4
    );
}

#[test]
fn one_that_collapses_is_alone() {
    let mut weak = diesels();
    for one in &mut weak.sets {
        one.inertia_s = 0.3;
        one.turbo.acceptance_pu = 0.05;
    }
    let plants: Vec<Plant> = [
        diesels(),
        varied(&diesels(), 1.02),
        weak,
        varied(&diesels(), 0.97),
    ]
    .iter()
    .map(|spec| Plant::new(spec, 0.5e6, 1e-3).unwrap())
    .collect();
    let mut alone = plants.clone();
    let mut together = LockStep::new(plants);
    assert_eq!(together.in_lanes(), 4);
    for _ in 0..1500 {
        together.advance(1e-3, (1.7e6, 0.0), (1.7e6, 0.0));
        for (who, plant) in alone.iter_mut().enumerate() {
            plant.advance(1e-3, 1.7e6, 1.7e6);
            assert_eq!(seen(together.plant(who)), seen(plant), "{who}");
        }
    }
    let fell: Vec<bool> = (0..4)
        .map(|who| together.status(who) == StepStatus::Collapsed)
        .collect();
    assert_eq!(fell, [false, false, true, false]);
    assert_eq!(together.in_lanes(), 3);
}

#[test]
fn a_trip_in_one_leaves_the_others() {
    let mut plants: Vec<Plant> = [1.0, 1.02, 0.98, 1.01]
        .iter()
        .map(|by| Plant::new(&varied(&diesels(), *by), 0.9e6, 1e-3).unwrap())
        .collect();
    // One of two sets, planned; and all sets of an entry, by hand.
    plants[1].schedule(&[PlannedTrip {
        at_s: 0.1,
        entry: 0,
        sets: 1,
    }]);
    let mut alone = plants.clone();
    let mut together = LockStep::new(plants);
    for step in 0..600 {
        if step == 300 {
            together.change(2, |plant| plant.trip(1, 1));
            alone[2].trip(1, 1);
        }
        together.advance(1e-3, (0.9e6, 0.2e6), (0.9e6, 0.2e6));
        for (who, plant) in alone.iter_mut().enumerate() {
            plant.advance_with_reactive(1e-3, (0.9e6, 0.2e6), (0.9e6, 0.2e6));
            assert_eq!(seen(together.plant(who)), seen(plant), "{who} at {step}");
        }
        assert_eq!(together.in_lanes(), if step < 300 { 4 } else { 3 });
    }
    let last: Vec<Vec<u64>> = together.into_plants().iter().map(seen).collect();
    assert_eq!(last, alone.iter().map(seen).collect::<Vec<_>>());
}

#[test]
fn other_structures_go_apart() {
    let gas = one_set(pi(5.0, 3.0, 0.2, 0.0), 1.0, 1.0, TorqueConvention::Power);
    let with_dead_time = one_set(pi(5.0, 3.0, 0.2, 0.03), 1.0, 1.0, TorqueConvention::Power);
    let too_short = one_set(pi(5.0, 3.0, 0.2, 5e-4), 1.0, 1.0, TorqueConvention::Power);
    let specs = [&gas, &diesels(), &gas, &with_dead_time, &too_short, &gas];
    let plants: Vec<Plant> = specs
        .iter()
        .map(|spec| Plant::new(spec, 0.5e6, 1e-3).unwrap())
        .collect();
    let mut alone = plants.clone();
    let mut together = LockStep::new(plants);
    // The gas engines with and without a dead time; a dead time within a step iterates by itself.
    assert_eq!(together.in_lanes(), 4);
    for step in 0..400 {
        let load = |who: usize| {
            let w = if step < 200 {
                0.5e6
            } else {
                0.5e6 + 5e4 * who as f64
            };
            [(w, 0.0), (w, 0.0)]
        };
        together.advance_each(1e-3, load);
        for (who, plant) in alone.iter_mut().enumerate() {
            let [start, end] = load(who);
            plant.advance_with_reactive(1e-3, start, end);
            assert_eq!(seen(together.plant(who)), seen(plant), "{who} at {step}");
        }
    }
}
