//! Square waves and sines against closed forms.

use ballast_buffer::{Control, Reference, Smoother, StoreSpec, need, square_swing_j};

const DT_S: f64 = 1e-3;

/// A square wave of 1 kW swing, high first.
fn square(frequency_hz: f64, duty: f64, periods: f64) -> Vec<f64> {
    let steps = (periods / frequency_hz / DT_S).round() as usize;
    (0..steps)
        .map(|k| {
            let phase = ((k as f64 + 0.5) * DT_S * frequency_hz).fract();
            if phase < duty { 1500.0 } else { 500.0 }
        })
        .collect()
}

/// ΔP d (1 − d)/f: 1250, 250, 83 and 62 J per kW at half duty.
#[test]
fn ideal_need_of_square_waves() {
    for (f, published_j) in [(0.2, 1250.0), (1.0, 250.0), (3.0, 83.0), (4.0, 62.0)] {
        let load = square(f, 0.5, 12.0);
        let found = need(&load, DT_S, &Control::ideal(1000.0));
        for reference_j in [published_j, square_swing_j(1000.0, 0.5, f)] {
            let error = found.swing_j / reference_j - 1.0;
            assert!(error.abs() < 0.03, "{f} Hz: {found:?}");
        }
        // From the middle of a store the first half-wave goes one way: twice.
        assert!((found.from_middle_j / found.swing_j - 2.0).abs() < 0.03);
        assert!(found.grid_swing_w < 1e-6, "{found:?}");
        assert!((found.power_w - 500.0).abs() < 1e-9);
        assert!((found.load_swing_w - 1000.0).abs() < 1e-9);
    }
    for duty in [0.1, 0.25, 0.8] {
        let load = square(0.5, duty, 20.0);
        let found = need(&load, DT_S, &Control::ideal(500.0 + 1000.0 * duty));
        let expected_j = square_swing_j(1000.0, duty, 0.5);
        assert!((found.swing_j / expected_j - 1.0).abs() < 0.01, "{found:?}");
    }
}

/// A store of exactly that size, at the right charge, flattens the wave; with half of it, it does not.
#[test]
fn a_store_of_that_size_is_enough_and_half_is_not() {
    for f in [0.2, 1.0, 3.0, 4.0] {
        let swing_j = square_swing_j(1000.0, 0.5, f);
        let left_w = |energy_j: f64| {
            let spec = StoreSpec {
                energy_j,
                charge_w: 1e4,
                discharge_w: 1e4,
                charge_efficiency: 1.0,
                discharge_efficiency: 1.0,
                standing_w: 0.0,
                start_share: 1.0,
                low_share: 0.0,
                high_share: 1.0,
            };
            let mut smoother = Smoother::new(Control::ideal(1000.0), spec);
            let load = square(f, 0.5, 12.0);
            load.iter()
                .map(|w| (w + smoother.step(*w, DT_S) - 1000.0).abs())
                .fold(0.0, f64::max)
        };
        assert!(left_w(1.03 * swing_j) < 1e-6);
        assert!((left_w(0.5 * swing_j) - 500.0).abs() < 1e-6);
    }
}

/// The controller that knows no mean: a sine leaves at the grid what the linear formula says.
#[test]
fn gain_of_the_real_controller() {
    for (tau, recovery_s) in [(0.5, 5.0), (1.0, 1.0), (0.2, 20.0)] {
        let control = Control {
            reference: Reference::Average {
                time_constant_s: tau,
            },
            recovery_s,
            target_share: None,
            taper_s: 0.0,
            least_grid_w: f64::NEG_INFINITY,
        };
        for f in [0.02, 0.1, 0.5, 2.0] {
            let steps = (40.0_f64.max(12.0 / f) / DT_S) as usize;
            let load: Vec<f64> = (0..steps)
                .map(|k| 1e3 + 400.0 * (std::f64::consts::TAU * f * k as f64 * DT_S).sin())
                .collect();
            let found = need(&load, DT_S, &control);
            let gain = found.grid_swing_w / found.load_swing_w;
            // A step of dt stands for the time before it: half a step of delay.
            let tolerance = 0.002 + std::f64::consts::PI * f * DT_S;
            assert!(
                (gain - control.gain(f)).abs() < tolerance,
                "{tau} {recovery_s} {f}: {gain} {}",
                control.gain(f)
            );
        }
    }
    // Equal time constants: √1.25 at their frequency, the most there is.
    let control = Control {
        reference: Reference::Average {
            time_constant_s: 1.0,
        },
        recovery_s: 1.0,
        target_share: None,
        taper_s: 0.0,
        least_grid_w: f64::NEG_INFINITY,
    };
    let peak = control.gain(1.0 / std::f64::consts::TAU);
    assert!((peak - 1.25_f64.sqrt()).abs() < 1e-12, "{peak}");
}

/// A store that is too small still says what would be enough: what `need` finds without its limits.
#[test]
fn a_small_store_tells_the_need() {
    let control = Control {
        reference: Reference::Average {
            time_constant_s: 0.5,
        },
        recovery_s: 5.0,
        target_share: None,
        taper_s: 0.01,
        least_grid_w: 0.0,
    };
    let spec = StoreSpec {
        energy_j: 20.0,
        charge_w: 200.0,
        discharge_w: 100.0,
        charge_efficiency: 0.9,
        discharge_efficiency: 0.9,
        standing_w: 1.0,
        start_share: 0.5,
        low_share: 0.0,
        high_share: 1.0,
    };
    let load = square(1.0, 0.5, 30.0);
    let found = need(&load, DT_S, &control);
    let mut smoother = Smoother::new(control, spec);
    for w in &load {
        smoother.step(*w, DT_S);
    }
    let books = smoother.books();
    let error = books.needed_window_j() / found.from_middle_j - 1.0;
    assert!(error.abs() < 1e-9, "{error}");
    assert!(books.free_swing_j() >= found.swing_j && books.short_j > 0.0);
}

/// A step of the load: without recovery the reference takes ΔP τ from the store.
#[test]
fn a_step_takes_its_height_times_the_time_constant() {
    for dt_s in [0.01, 0.001] {
        let control = Control {
            reference: Reference::Average {
                time_constant_s: 0.4,
            },
            recovery_s: f64::INFINITY,
            target_share: None,
            taper_s: 0.0,
            least_grid_w: f64::NEG_INFINITY,
        };
        let mut load = vec![0.0; 10];
        load.resize(10 + (8.0 / dt_s) as usize, 700.0);
        let found = need(&load, dt_s, &control);
        // The step holds for the whole of its first sample, less the part that the reference followed: half a step.
        let error_j = found.from_middle_j / 2.0 - 700.0 * 0.4;
        assert!(error_j.abs() <= 700.0 * dt_s, "{error_j}");
    }
}

/// Finer steps come to the same, to first order.
#[test]
fn the_step_does_not_matter_in_the_limit() {
    let spec = StoreSpec {
        energy_j: 400.0,
        charge_w: 600.0,
        discharge_w: 450.0,
        charge_efficiency: 0.95,
        discharge_efficiency: 0.95,
        standing_w: 3.0,
        start_share: 0.5,
        low_share: 0.1,
        high_share: 0.9,
    };
    let control = Control {
        reference: Reference::Average {
            time_constant_s: 0.5,
        },
        recovery_s: 4.0,
        target_share: None,
        taper_s: 0.05,
        least_grid_w: f64::NEG_INFINITY,
    };
    let run = |dt_s: f64| {
        let mut smoother = Smoother::new(control, spec);
        for k in 0..(20.0 / dt_s) as usize {
            let t_s = (k as f64 + 1.0) * dt_s;
            smoother.step(1000.0 + 500.0 * (3.0 * t_s).sin(), dt_s);
        }
        smoother.books()
    };
    let (coarse, fine, finest) = (run(0.01), run(0.002), run(0.0004));
    for pick in [
        |b: &ballast_buffer::Books| b.stored_j,
        |b: &ballast_buffer::Books| b.in_j,
        |b: &ballast_buffer::Books| b.out_j,
        |b: &ballast_buffer::Books| b.lost_j,
        |b: &ballast_buffer::Books| b.short_j,
    ] {
        let [c, f, ff] = [&coarse, &fine, &finest].map(pick);
        let scale = finest.in_j;
        assert!((f - ff).abs() < 0.01 * scale, "{c} {f} {ff}");
        assert!((c - ff).abs() < 0.04 * scale, "{c} {f} {ff}");
    }
}
