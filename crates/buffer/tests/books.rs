//! Books close, windows hold, whatever is asked.

use ballast_buffer::{Control, Controller, Reference, Smoother, Store, StoreLanes, StoreSpec};
use proptest::prelude::*;

fn specs() -> impl Strategy<Value = StoreSpec> {
    let size = (1.0..1e7_f64, 1e-3..1e3_f64, 1e-3..1e3_f64);
    let losses = (0.3..=1.0_f64, 0.3..=1.0_f64, 0.0..0.1_f64);
    let window = (0.0..0.45_f64, 0.5..=1.0_f64, 0.0..=1.0_f64);
    (size, losses, window).prop_map(|((energy_j, c, d), (ce, de, standing), (low, high, at))| {
        StoreSpec {
            energy_j,
            charge_w: energy_j * c,
            discharge_w: energy_j * d,
            charge_efficiency: ce,
            discharge_efficiency: de,
            standing_w: standing * energy_j,
            start_share: (low + at * (high - low)).clamp(low, high),
            low_share: low,
            high_share: high,
        }
    })
}

fn controls() -> impl Strategy<Value = Control> {
    (1e-3..1e3_f64, 1e-3..1e4_f64, 0.0..1.0_f64).prop_map(|(tau, recovery_s, taper_s)| Control {
        reference: Reference::Average {
            time_constant_s: tau,
        },
        recovery_s,
        target_share: None,
        taper_s,
        least_grid_w: f64::NEG_INFINITY,
    })
}

fn holds(store: &Store, gone_j: f64) -> Result<(), TestCaseError> {
    let (spec, books) = (store.spec(), store.books());
    // What went through it, and what it could hold: the scale of the rounding.
    let scale_j = gone_j + books.in_j + books.out_j + books.lost_j + spec.energy_j;
    prop_assert!(
        books.imbalance_j().abs() <= 1e-9 * scale_j,
        "{} J of {scale_j} J: {books:?}",
        books.imbalance_j()
    );
    prop_assert!(books.lost_j >= 0.0);
    prop_assert!(books.least_j >= spec.low_j() && books.most_j <= spec.high_j());
    prop_assert!(books.peak_charge_w <= spec.charge_w);
    prop_assert!(books.peak_discharge_w <= spec.discharge_w);
    Ok(())
}

proptest! {
    #[test]
    fn store_closes_its_books(
        spec in specs(),
        asks in prop::collection::vec(-1.5..1.5_f64, 1..400),
        scale in 1e-2..1e2_f64,
        dt_s in 1e-4..10.0_f64,
    ) {
        prop_assert!(spec.problems().is_empty(), "{:?}", spec.problems());
        let mut store = Store::new(spec);
        for ask in asks {
            let asked_w = ask * scale * spec.charge_w;
            let (most_w, least_w) = store.room_w(dt_s);
            let got_w = store.exchange(asked_w, dt_s);
            // Of the sign asked for, no more than asked for, and all that there is room for.
            prop_assert!(got_w * asked_w >= 0.0 && got_w.abs() <= asked_w.abs());
            let expected_w = asked_w.clamp(-least_w, most_w);
            prop_assert!(got_w == expected_w);
        }
        holds(&store, 0.0)?;
    }

    #[test]
    fn smoother_closes_its_books_and_lanes_do_the_same(
        spec in specs(),
        control in controls(),
        loads in prop::collection::vec(0.0..1.0_f64, 1..300),
        scale in 1e-2..1e2_f64,
        dt_s in 1e-4..1.0_f64,
    ) {
        prop_assert!(control.problems().is_empty());
        let mut alone = Smoother::new(control, spec);
        let mut lanes = StoreLanes::<16>::new(&control, &spec, dt_s);
        let mut load_j = 0.0;
        for (k, load) in loads.iter().enumerate() {
            let load_w = load * scale * spec.discharge_w;
            load_j += load_w * dt_s;
            // Every lane has a load of its own; lane 5 that of the one alone.
            let mut power_w: [f64; 16] = std::array::from_fn(|l| {
                if l == 5 { load_w } else { load_w * (l as f64) + (k % 7) as f64 }
            });
            lanes.step(&mut power_w);
            prop_assert_eq!((load_w + alone.step(load_w, dt_s)).to_bits(), power_w[5].to_bits());
        }
        holds(alone.store(), load_j)?;
        let (one, of_lanes) = (alone.books(), lanes.books(5).unwrap());
        prop_assert_eq!(one.stored_j.to_bits(), of_lanes.stored_j.to_bits());
        prop_assert!((one.in_j - of_lanes.in_j).abs() <= 1e-12 * (1.0 + one.in_j));
        prop_assert!((one.out_j - of_lanes.out_j).abs() <= 1e-12 * (1.0 + one.out_j));
        prop_assert_eq!(one.free_swing_j().to_bits(), of_lanes.free_swing_j().to_bits());
        prop_assert_eq!(one.needed_window_j().to_bits(), of_lanes.needed_window_j().to_bits());
        prop_assert_eq!(one.least_j, of_lanes.least_j);
        prop_assert_eq!(one.peak_charge_w, of_lanes.peak_charge_w);
        prop_assert!((one.short_s - of_lanes.short_s).abs() < 1e-9 * (1.0 + one.short_s));
        prop_assert!((one.empty_s - of_lanes.empty_s).abs() < 1e-9 * (1.0 + one.empty_s));
    }

    /// The grid moves with the load, by no more than it, and by what the time constants allow: limits and ends of the window add no step.
    #[test]
    fn no_step_of_its_own_making(
        spec in specs(),
        control in controls(),
        loads in prop::collection::vec(0.0..1.0_f64, 2..300),
        holds in 1_usize..20,
    ) {
        let spec = StoreSpec { standing_w: 0.0, ..spec };
        // A step well below every time constant, as a drift is per time.
        let control = Control { taper_s: control.taper_s.max(1e-2), ..control };
        let Reference::Average { time_constant_s: tau } = control.reference else { unreachable!() };
        let dt_s = 0.02 * tau.min(control.recovery_s).min(control.taper_s);
        let mut smoother = Smoother::new(control, spec);
        let mut before: Option<(f64, f64)> = None;
        for load in loads.iter().flat_map(|l| std::iter::repeat_n(*l, holds)) {
            let load_w = load * spec.discharge_w;
            let (reference_w, stored_j) = (smoother.controller().reference_w(), smoother.store().stored_j());
            let got_w = smoother.step(load_w, dt_s);
            let grid_w = load_w + got_w;
            if let Some((last_load_w, last_grid_w)) = before {
                let middle_j = 0.5 * (spec.low_j() + spec.high_j());
                let exchanged_w = spec.charge_w.min(got_w.abs().max(spec.window_j() / control.taper_s));
                let inside = 1.0 / spec.discharge_efficiency;
                let drift_w = dt_s * (
                    (load_w - reference_w).abs() / tau
                    + (last_load_w - reference_w).abs() / tau
                    + (middle_j - stored_j).abs() / control.recovery_s / control.recovery_s
                    + inside * exchanged_w.max(spec.discharge_w) * (1.0 / control.recovery_s + 1.0 / control.taper_s)
                );
                let load_step_w = load_w - last_load_w;
                let (low_w, high_w) = (load_step_w.min(0.0), load_step_w.max(0.0));
                let grid_step_w = grid_w - last_grid_w;
                prop_assert!(
                    grid_step_w >= low_w - 1.1 * drift_w && grid_step_w <= high_w + 1.1 * drift_w,
                    "load {load_step_w} W, grid {grid_step_w} W, drift {drift_w} W"
                );
            }
            before = Some((load_w, grid_w));
        }
    }
}

/// An empty or a full store is no store.
#[test]
fn full_and_empty_degrade_to_none() {
    let spec = StoreSpec {
        energy_j: 100.0,
        charge_w: 1e3,
        discharge_w: 1e3,
        charge_efficiency: 0.9,
        discharge_efficiency: 0.8,
        standing_w: 0.0,
        start_share: 0.5,
        low_share: 0.2,
        high_share: 0.9,
    };
    let mut store = Store::new(spec);
    // 30 J inside are left: 24 J outside.
    let given_j: f64 = (0..100).map(|_| -store.exchange(-100.0, 0.1) * 0.1).sum();
    assert!((given_j - 24.0).abs() < 1e-12, "{given_j}");
    assert_eq!(store.stored_j(), 20.0);
    assert_eq!(store.exchange(-100.0, 0.1), 0.0);
    let taken_j: f64 = (0..100).map(|_| store.exchange(100.0, 0.1) * 0.1).sum();
    assert!((taken_j - 70.0 / 0.9).abs() < 1e-12, "{taken_j}");
    assert_eq!(store.exchange(100.0, 0.1), 0.0);
    let books = store.books();
    assert!((books.lost_j - (6.0 + 0.1 * taken_j)).abs() < 1e-12);
    assert!(books.imbalance_j().abs() < 1e-12);
    assert_eq!(
        (books.peak_charge_w, books.peak_discharge_w),
        (100.0, 100.0)
    );
}

/// Standing losses take what is above the window's low end and stop there.
#[test]
fn standing_loss_ends_at_the_window() {
    let spec = StoreSpec {
        energy_j: 100.0,
        charge_w: 1.0,
        discharge_w: 1.0,
        charge_efficiency: 1.0,
        discharge_efficiency: 1.0,
        standing_w: 2.0,
        start_share: 0.5,
        low_share: 0.1,
        high_share: 1.0,
    };
    let mut store = Store::new(spec);
    for _ in 0..300 {
        assert_eq!(store.exchange(0.0, 0.1), 0.0);
    }
    assert_eq!(store.stored_j(), 10.0);
    assert!((store.books().standing_j - 40.0).abs() < 1e-9);
    // What it takes in later is lost first of all.
    assert_eq!(store.exchange(1.0, 0.1), 1.0);
    assert!((store.stored_j() - 10.1).abs() < 1e-12);
}

/// Several duties on one store: the sum is asked for once, and the books close.
#[test]
fn a_second_duty_shares_the_store() {
    let spec = StoreSpec {
        energy_j: 1e6,
        charge_w: 1e5,
        discharge_w: 1e5,
        charge_efficiency: 0.97,
        discharge_efficiency: 0.97,
        standing_w: 10.0,
        start_share: 0.5,
        low_share: 0.1,
        high_share: 0.9,
    };
    let control = Control {
        reference: Reference::Average {
            time_constant_s: 5.0,
        },
        recovery_s: 100.0,
        target_share: Some(0.4),
        taper_s: 1.0,
        least_grid_w: f64::NEG_INFINITY,
    };
    let (mut store, mut smoothing) = (Store::new(spec), Controller::new(control, spec));
    for k in 0..20_000 {
        let load_w = if k / 150 % 2 == 0 { 9e4 } else { 2e4 };
        let wanted_w = smoothing.want(load_w, store.stored_j(), 0.01);
        let duty_w = 3e4 * (f64::from(k) * 0.003).sin();
        let asked_w = smoothing.taper(wanted_w + duty_w, &mut store);
        let got_w = store.exchange(asked_w, 0.01);
        assert!((got_w - asked_w).abs() <= 1e-9 * asked_w.abs());
    }
    let books = store.books();
    assert!(books.imbalance_j().abs() < 1e-9 * books.in_j, "{books:?}");
    assert!((store.share() - 0.4).abs() < 0.1, "{}", store.share());
}

/// A lane that is cut off keeps its charge and gives nothing; its neighbours do not notice.
#[test]
fn a_lane_that_is_off_rests() {
    let spec = StoreSpec {
        energy_j: 4680.0,
        charge_w: 4e4,
        discharge_w: 4e4,
        charge_efficiency: 0.98,
        discharge_efficiency: 0.98,
        standing_w: 5.0,
        start_share: 0.5,
        low_share: 0.1,
        high_share: 0.9,
    };
    let control = Control {
        reference: Reference::Average {
            time_constant_s: 0.3,
        },
        recovery_s: 10.0,
        target_share: None,
        taper_s: 0.02,
        least_grid_w: f64::NEG_INFINITY,
    };
    let (mut some, mut all) = (
        StoreLanes::<4>::new(&control, &spec, 0.01),
        StoreLanes::<4>::new(&control, &spec, 0.01),
    );
    let mut held_j = 0.0;
    for k in 0..500 {
        let off = (200..300).contains(&k);
        let load_w = if k / 20 % 2 == 0 { 1e5 } else { 8e4 };
        let (mut a, mut b) = ([load_w; 4], [load_w; 4]);
        all.step(&mut b);
        if k == 200 {
            held_j = some.stored_j()[2];
        }
        if off {
            a[2] = 0.0;
            some.step_of(&mut a, &[true, true, false, true]);
            assert_eq!(a[2], 0.0);
            assert_eq!(some.stored_j()[2], held_j);
        } else {
            some.step(&mut a);
        }
        for l in [0, 1, 3] {
            assert_eq!(a[l], b[l]);
        }
        if k == 300 {
            // Softly back: the reference begins at nothing, the store gives what it can.
            assert!(a[2] < load_w);
        }
    }
    for l in 0..4 {
        let (a, b) = (some.books(l).unwrap(), all.books(l).unwrap());
        assert!(a.imbalance_j().abs() < 1e-9 * (a.in_j + 4680.0));
        assert_eq!(a.time_s < b.time_s, l == 2);
    }
    assert!(some.books(4).is_none());
}

/// Nothing is fed back where it must not be.
#[test]
fn the_grid_is_not_fed() {
    let spec = StoreSpec {
        energy_j: 1e4,
        charge_w: 1e3,
        discharge_w: 1e3,
        charge_efficiency: 1.0,
        discharge_efficiency: 1.0,
        standing_w: 0.0,
        start_share: 1.0,
        low_share: 0.0,
        high_share: 1.0,
    };
    let control = Control {
        reference: Reference::Average {
            time_constant_s: 1.0,
        },
        recovery_s: 1.0,
        target_share: None,
        taper_s: 0.1,
        least_grid_w: 0.0,
    };
    let (mut fed, mut not_fed) = (0.0_f64, 0.0_f64);
    let free = Control {
        least_grid_w: f64::NEG_INFINITY,
        ..control
    };
    let (mut a, mut b) = (Smoother::new(control, spec), Smoother::new(free, spec));
    for _ in 0..100 {
        not_fed = not_fed.min(100.0 + a.step(100.0, 0.01));
        fed = fed.min(100.0 + b.step(100.0, 0.01));
    }
    assert_eq!(not_fed, 0.0);
    assert!(fed < -500.0, "{fed}");
}

/// A spec as it stands in a file: units add up, what is not given has its default.
#[test]
fn a_file_has_units_and_defaults() {
    let text = |more: &str| {
        let number = |key: &str, value: f64| {
            format!(
                "{key} = {{ value = {value}, source = \"x\", grade = \"estimated\", confidence = \"low\" }}\n"
            )
        };
        let mut text = format!("label = \"x\"\ncount = 8\n{more}");
        for (key, value) in [
            ("energy_j", 585.0),
            ("charge_w", 2e4),
            ("discharge_w", 3e4),
            ("charge_efficiency", 0.98),
            ("discharge_efficiency", 0.97),
            ("time_constant_s", 0.1),
            ("recovery_s", 1.0),
            ("low_share", 0.2),
        ] {
            text += &number(key, value);
        }
        text
    };
    let spec: ballast_buffer::StorageSpec = toml::from_str(&text("")).unwrap();
    assert_eq!(spec.problems(), []);
    let store = spec.store();
    assert_eq!((store.energy_j, store.charge_w), (4680.0, 1.6e5));
    assert_eq!((store.low_share, store.high_share), (0.2, 1.0));
    assert!((store.start_share - 0.6).abs() < 1e-15);
    // A tenth of 0.8 · 4680 J at 240 kW.
    assert!((spec.control().taper_s - 0.1 * 0.8 * 4680.0 / 2.4e5).abs() < 1e-12);
    assert_eq!(spec.numbers().count(), 8);
    assert!(toml::from_str::<ballast_buffer::StorageSpec>(&text("energy = 1\n")).is_err());

    // All problems at once, in the numbers of the file.
    let mut bad = spec.clone();
    bad.count = Some(0);
    bad.energy_j.value = 0.0;
    bad.discharge_w.value = f64::NAN;
    bad.charge_efficiency.value = 1.2;
    bad.discharge_efficiency.value = 0.0;
    bad.start_share = Some(ballast_units::Sourced {
        value: 0.1,
        ..spec.energy_j.clone()
    });
    bad.time_constant_s.value = 0.0;
    bad.recovery_s.value = -1.0;
    let keys: Vec<_> = bad.problems().iter().map(|p| p.key).collect();
    assert_eq!(
        keys,
        [
            "count",
            "energy_j",
            "discharge_w",
            "charge_efficiency",
            "discharge_efficiency",
            "start_share",
            "time_constant_s",
            "recovery_s"
        ]
    );
    let window = StoreSpec {
        low_share: 0.6,
        high_share: 0.6,
        ..store
    };
    assert_eq!(window.problems()[0].key, "low_share");
}
