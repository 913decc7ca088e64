//! Fuel curves, acceptance tables and ranges: what is refused, and what holds for whatever is not.

#![allow(clippy::allow_attributes, clippy::unwrap_used, reason = "tests")]

mod common;

use ballast_plant::{
    AcceptanceRow, FuelKind, FuelSpec, FuelUnit, PlantSpec, TorqueConvention, acceptance, problems,
};
use ballast_units::{Confidence, Grade, Provenance};
use common::{one_set, pi};
use proptest::prelude::*;

fn plant() -> PlantSpec {
    one_set(pi(5.0, 1.5, 0.2, 0.1), 1.0, 0.0, TorqueConvention::Power)
}

fn fuel(points: &[[f64; 2]]) -> FuelSpec {
    FuelSpec {
        kind: FuelKind::Diesel,
        unit: FuelUnit::LPerH,
        points: points.to_vec(),
        lhv_mj: None,
    }
}

/// Paths and messages of the problems of a changed set.
fn found(change: impl FnOnce(&mut PlantSpec)) -> Vec<String> {
    let mut spec = plant();
    change(&mut spec);
    problems(&spec, 1e-3)
        .iter()
        .map(|p| format!("{}: {}", p.path, p.message))
        .collect()
}

fn with_fuel(fuel: FuelSpec) -> Vec<String> {
    found(|spec| spec.sets[0].fuel = Some(fuel))
}

#[test]
fn fuel_that_cannot_be() {
    assert_eq!(with_fuel(fuel(&[[0.5, 100.0], [1.0, 190.0]])), [""; 0]);
    let one = |fuel| {
        let list = with_fuel(fuel);
        assert_eq!(list.len(), 1, "{list:?}");
        list[0].clone()
    };
    assert_eq!(
        one(fuel(&[[1.0, 190.0]])),
        "sets.0.fuel.points: one load tells no curve"
    );
    assert_eq!(
        one(fuel(&[[0.5, 100.0], [1.0, 90.0]])),
        "sets.0.fuel.points: [1, 90] does not rise from [0.5, 100]"
    );
    assert_eq!(
        one(fuel(&[[0.5, 100.0], [0.5, 120.0]])),
        "sets.0.fuel.points: [0.5, 120] does not rise from [0.5, 100]"
    );
    assert_eq!(
        one(fuel(&[[0.5, 80.0], [1.0, 190.0]])),
        "sets.0.fuel.points: the line through the two lowest points gives -30 L/h at no load"
    );
    assert!(one(fuel(&[[0.5, f64::NAN], [1.0, 190.0]])).contains("[0.5, NaN] is not"));
    assert!(one(fuel(&[[-0.5, 80.0], [1.0, 190.0]])).contains("[-0.5, 80] is not"));
    let gas = FuelSpec {
        kind: FuelKind::Gas,
        ..fuel(&[[0.5, 100.0], [1.0, 190.0]])
    };
    assert_eq!(
        one(gas),
        "sets.0.fuel.unit: gas is not measured in litres per hour"
    );
}

#[test]
fn tables_that_cannot_be() {
    let rows = |rows: &[(f64, f64, f64)]| {
        let acceptance = rows
            .iter()
            .map(|&(from_share, step_share, recovery_s)| AcceptanceRow {
                from_share,
                step_share,
                recovery_s,
            })
            .collect();
        found(|spec| spec.sets[0].acceptance = acceptance)
    };
    assert_eq!(rows(&[(0.0, 0.5, 5.0), (0.5, 0.5, 5.0)]), [""; 0]);
    assert_eq!(
        rows(&[(0.1, 0.5, 5.0), (0.1, 0.0, f64::NAN)]),
        [
            "sets.0.acceptance.0.from_share: the first row steps from 0.1",
            "sets.0.acceptance.1.step_share: 0 of rated power is not above zero",
            "sets.0.acceptance.1.recovery_s: NaN s is not above zero",
            "sets.0.acceptance.1.from_share: 0.1 does not rise from 0.1",
        ]
    );
}

#[test]
fn ranges_that_do_not_hold_their_value() {
    let ranged = |key: &str, low, high| {
        found(|spec| {
            let entry = Provenance {
                source: "test".to_owned(),
                grade: Grade::Estimated,
                confidence: Confidence::Low,
                low,
                high,
            };
            spec.sets[0].provenance.insert(key.to_owned(), entry);
        })
    };
    assert_eq!(ranged("inertia_s", Some(0.5), Some(1.2)), [""; 0]);
    assert_eq!(ranged("inertia_s", None, Some(1.2)), [""; 0]);
    assert_eq!(
        ranged("inertia_s", Some(1.1), Some(1.2)),
        ["sets.0.provenance.inertia_s: the range 1.1 to 1.2 does not hold the value 1"]
    );
    assert_eq!(
        ranged("alternator.xd_pu", Some(3.0), Some(2.0)),
        ["sets.0.provenance.alternator.xd_pu: the range 3 to 2 is empty"]
    );
    assert_eq!(
        ranged("governor.kp_pu", Some(f64::NAN), None),
        ["sets.0.provenance.governor.kp_pu: an end of the range is not finite"]
    );
}

#[test]
fn a_knee_above_nominal_is_refused() {
    let knee = |hz| found(|spec| spec.sets[0].voltage_control.knee_hz = Some(hz));
    assert_eq!(knee(57.5), [""; 0]);
    assert_eq!(
        knee(61.0),
        [
            "sets.0.voltage_control.knee_hz: 61 Hz is above the nominal 60 Hz: the voltage would be held down all the time"
        ]
    );
}

proptest! {
    /// A curve that is accepted rises everywhere and never burns less than nothing.
    #[test]
    fn accepted_curves_rise(
        raw in prop::collection::vec((0.01_f64..0.5, 1.0_f64..200.0), 2..6),
        a in 0.0_f64..1.5,
        b in 0.0_f64..1.5,
    ) {
        let (mut share, mut rate) = (0.0, 0.0);
        let points: Vec<[f64; 2]> = raw
            .iter()
            .map(|(dx, dy)| {
                share += dx;
                rate += dy;
                [share, rate]
            })
            .collect();
        let curve = fuel(&points);
        prop_assume!(with_fuel(curve.clone()).is_empty());
        let (low, high) = (a.min(b), a.max(b));
        let (at_low, at_high) = (curve.rate(low).unwrap(), curve.rate(high).unwrap());
        prop_assert!(at_low >= -1e-9 && at_low <= at_high);
    }

    /// What is allowed from a load stays allowed when the step is smaller.
    #[test]
    fn smaller_steps_are_allowed_too(from in 0.0_f64..1.2, step in -0.5_f64..1.0, part in 0.0_f64..1.0) {
        let table = [(0.0, 0.5), (0.5, 0.3), (0.8, 0.2)].map(|(from_share, step_share)| AcceptanceRow {
            from_share,
            step_share,
            recovery_s: 5.0,
        });
        let allowed = |step| acceptance(&table, from, step).unwrap().allowed;
        prop_assert!(!allowed(step) || allowed(step * part));
        prop_assert!(allowed(acceptance(&table, from, 0.0).unwrap().largest_step_share));
    }
}
