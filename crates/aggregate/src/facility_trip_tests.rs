use super::*;
use crate::event_plan::Trip;
use crate::{CoolingSpec, OtherItSpec};

const COOLING: CoolingSpec = CoolingSpec {
    fixed_kw: 2.0,
    share: 0.2,
    lag_s: 10.0,
    stages: None,
};
const TRIP: Trip = Trip {
    from_s: 20.0,
    until_s: 50.0,
    share: 0.5,
    rebound_s: None,
    rebound_share: 0.25,
};

const STAGED: CoolingSpec = CoolingSpec {
    stages: Some(StageSpec {
        count: 6,
        stage_kw: 5.0,
        hysteresis: 0.0,
        start_interval_s: 3.0,
        start_factor: 3.0,
        start_s: 1.0,
    }),
    fixed_kw: 0.0,
    ..COOLING
};

const NONE: OtherItSpec = OtherItSpec {
    share: None,
    kw: Some(0.0),
};

fn facility(cooling: CoolingSpec, trips: &[Trip]) -> Facility {
    let spec = FacilitySpec {
        network: Some(NONE),
        storage: Some(NONE),
        management: Some(NONE),
        power_factor: None,
        ups: None,
        cooling: Some(cooling),
        transformer: None,
    };
    let mut facility = Facility::around(&spec, 0.0, 0.5);
    facility.trips = Trips::new(trips, cooling.lag_s, 0.5, 0);
    facility
}

/// Power of the cooling over `n` samples of constant heat.
fn cooling_w(facility: &mut Facility, heat_w: f64, n: usize) -> Vec<f64> {
    let mut w = vec![heat_w; n];
    // In blocks of uneven length, which change nothing.
    let (a, b) = w.split_at_mut(n / 3);
    facility.apply(a, &mut vec![0.0; a.len()]);
    facility.apply(b, &mut vec![0.0; b.len()]);
    w.iter().map(|w| w - heat_w).collect()
}

#[test]
fn what_a_trip_does_not_remove_is_made_up_for_to_the_joule() {
    let mut facility = facility(COOLING, &[TRIP]);
    let w = cooling_w(&mut facility, 1e5, 2000);
    // 2 kW fixed and 20 kW for the heat; half of both stop from 20 s to 50 s.
    for (k, w) in w.iter().enumerate() {
        let t_s = k as f64 * 0.5;
        let wanted_w = match t_s {
            t if t < 20.0 => 22e3..22e3 + 1e-6,
            t if t < 50.0 => 11e3..11e3 + 1e-6,
            _ => 22e3 - 1e-6..27e3 + 1e-6,
        };
        assert!(wanted_w.contains(w), "{t_s} {w}");
    }
    // 30 s at 10 kW are owed; the extra is 5 kW at first, so it takes more than a minute.
    let extra_j: f64 = w[100..].iter().map(|w| (w - 22e3) * 0.5).sum();
    assert!((extra_j - 3e5).abs() < 1.0, "{extra_j}");
    assert!((w[100] - 27e3).abs() < 1e-6);
    assert!(facility.trips.as_ref().unwrap().stored_j() < 1.0);
}

#[test]
fn a_full_trip_for_good_leaves_nothing() {
    let trip = Trip {
        until_s: f64::INFINITY,
        share: 1.0,
        ..TRIP
    };
    let w = cooling_w(&mut facility(COOLING, &[trip]), 1e5, 400);
    assert!(w[40..].iter().all(|w| w.abs() < 1e-9));
}

#[test]
fn compressors_fall_at_once_and_return_one_after_another() {
    let mut facility = facility(STAGED, &[TRIP]);
    // 19.6 kW are wanted.
    let w = cooling_w(&mut facility, 98e3, 1000);
    // Four of six run; half of the four stop, and one of the three left starts at once.
    assert!((w[39] - 20e3).abs() < 1e-6);
    assert!((w[40] - 25e3).abs() < 1e-6);
    let during = &w[60..100];
    assert!(during.iter().all(|w| (w - 15e3).abs() < 1e-6), "{during:?}");
    // Afterwards a start every 3 s, each of three times the power for a second.
    let starts: Vec<usize> = (100..1000)
        .filter(|k| w[*k] > w[k - 1] + 10e3 - 1e-6)
        .collect();
    assert!(starts.len() >= 2, "{starts:?}");
    assert!(starts.windows(2).all(|s| s[1] - s[0] >= 6), "{starts:?}");
    // It ends with the four of the heat.
    assert!((w[999] - 20e3).abs() < 1e-6);
    assert!(facility.trips.as_ref().unwrap().stored_j() < 1.0);
}

#[test]
fn two_trips_one_after_another() {
    let second = Trip {
        from_s: 300.0,
        until_s: 310.0,
        ..TRIP
    };
    let w = cooling_w(&mut facility(COOLING, &[TRIP, second]), 1e5, 4000);
    let extra_j: f64 = w.iter().map(|w| (w - 22e3) * 0.5).sum();
    // The fixed part of 1 kW is lost for 40 s and not made up for.
    assert!((extra_j + 4e4).abs() < 1.0, "{extra_j}");
}

#[test]
fn a_run_that_starts_later_finds_the_heat_that_was_left() {
    let mut whole = facility(COOLING, &[TRIP]);
    let all = cooling_w(&mut whole, 1e5, 400);
    // 120 samples of 0.5 s: ten seconds after the cooling came back.
    let mut later = facility(COOLING, &[TRIP]);
    later.trips = Trips::new(&[TRIP], COOLING.lag_s, 0.5, 120);
    let tail = cooling_w(&mut later, 1e5, 280);
    for (a, b) in all[120..].iter().zip(&tail) {
        assert!((a - b).abs() < 1e-6, "{a} {b}");
    }
}

#[test]
fn compressors_of_a_run_that_starts_later_are_where_they_would_be() {
    let all = cooling_w(&mut facility(STAGED, &[TRIP]), 98e3, 1000);
    // During the trip, and at several times after it.
    for first in [60, 99, 101, 120, 160] {
        let mut later = facility(STAGED, &[TRIP]);
        later.trips = Trips::new(&[TRIP], COOLING.lag_s, 0.5, first);
        let tail = cooling_w(&mut later, 98e3, 1000 - first as usize);
        for (k, (a, b)) in all[first as usize..].iter().zip(&tail).enumerate() {
            assert!((a - b).abs() < 1e-6, "{first} {k} {a} {b}");
        }
    }
}
