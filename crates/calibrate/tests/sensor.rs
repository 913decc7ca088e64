//! Simulated sensors over known waveforms, and what the inverse makes of them.

use ballast_calibrate::{
    Corrected, GpuRecording, MeanFrom, PeriodError, PeriodSearch, PeriodicLoad, Reading, Reference,
    SensorModel, SimulatedSensor, UNKNOWN_GAIN, corrected, edges, energy_mean, find_updates,
    find_window_of_square, measured_window, periodic, square_wave,
};
use proptest::prelude::*;

const H100: &str = "NVIDIA H100 80GB HBM3";
const A100: &str = "NVIDIA A100-SXM4-80GB";
const DRIVER: &str = "550.54.15";
/// Gain and offset of the A100 that was compared with a meter.
const GAIN: (f64, f64) = (0.954, -1.177);

fn invert(gpu: &GpuRecording, reading: Reading) -> Corrected {
    let model = SensorModel::of(&gpu.name, &gpu.driver, reading).with_gain(GAIN.0, GAIN.1, 0.0);
    corrected(gpu, &model).unwrap()
}

fn levels(load: &PeriodicLoad) -> (f64, f64) {
    let powers: Vec<f64> = load
        .levels
        .as_ref()
        .unwrap()
        .iter()
        .map(|level| level.power_w)
        .collect();
    assert_eq!(powers.len(), 2, "{load}");
    (powers[0].min(powers[1]), powers[0].max(powers[1]))
}

fn error(value: f64, truth: f64) -> f64 {
    (value / truth - 1.0).abs()
}

#[test]
fn two_levels_from_50_ms_to_10_s_within_2_per_cent() {
    let mut worst: f64 = 0.0;
    for name in [A100, H100] {
        // Periods that share no small multiple with 25, 100 or 1000 ms.
        for (period_s, duty) in [
            (0.0517, 0.5),
            (0.0617, 0.4),
            (0.0873, 0.5),
            (0.137, 0.3),
            (0.3111, 0.6),
            (0.733, 0.5),
            (1.717, 0.7),
            (4.321, 0.5),
            (9.77, 0.4),
        ] {
            let sensor = SimulatedSensor::of(name, DRIVER).with_gain(GAIN.0, GAIN.1);
            let gpu = sensor.gpu(square_wave(150.0, 600.0, period_s, duty, 0.0123), 60.0);
            let found = invert(&gpu, Reading::Instant);
            let load = periodic(&found, &PeriodSearch::default()).unwrap();
            let (low, high) = levels(&load);
            let truth = 150.0 + 450.0 * duty;
            println!(
                "{name} {period_s} s: found {:.6} s, {low:.2}/{high:.2} W of 150/600, mean {:.2} ({:+.2} %), counter {:.2}, naive {:.2} ({:+.2} %), others {:?}",
                load.period_s,
                load.mean_w,
                100.0 * (load.mean_w / truth - 1.0),
                found.mean_w,
                found.naive_mean_w,
                100.0 * (found.naive_mean_w / truth - 1.0),
                load.other_periods_s
            );
            worst = worst.max(error(low, 150.0)).max(error(high, 600.0));
            assert!(
                error(low, 150.0) < 0.02 && error(high, 600.0) < 0.02,
                "{load}"
            );
            assert!(error(load.mean_w, truth) < 0.01, "{load}");
            let whole = 150.0 + 450.0 * whole_duty(period_s, duty, 60.0);
            assert!(error(found.mean_w, whole) < 0.01, "{found}");
            assert_eq!(found.mean_from, MeanFrom::EnergyCounter);
            // The true period, or its mirror image at the update rhythm, which folds to the same shape.
            let same = |found_s: f64| error(found_s, period_s) < 1e-3;
            assert!(
                same(load.period_s) || load.other_periods_s.iter().copied().any(same),
                "{load}"
            );
        }
    }
    println!("worst level {:.2} %", 100.0 * worst);
}

/// Share of `[0, seconds]` spent high.
fn whole_duty(period_s: f64, duty: f64, seconds: f64) -> f64 {
    let wave = square_wave(0.0, 1.0, period_s, duty, 0.0123);
    let n = 1_000_000;
    (0..n)
        .map(|i| wave((f64::from(i) + 0.5) * seconds / f64::from(n)))
        .sum::<f64>()
        / f64::from(n)
}

#[test]
fn an_average_of_a_second_shows_levels_of_slow_loads() {
    for (period_s, duty) in [(2.37, 0.5), (5.13, 0.4), (9.77, 0.6)] {
        let gpu = SimulatedSensor::of(H100, DRIVER)
            .with_gain(GAIN.0, GAIN.1)
            .gpu(square_wave(150.0, 600.0, period_s, duty, 0.4), 90.0);
        let load = periodic(&invert(&gpu, Reading::Average), &PeriodSearch::default()).unwrap();
        let (low, high) = levels(&load);
        assert!(
            error(low, 150.0) < 0.02 && error(high, 600.0) < 0.02,
            "{load}"
        );
        assert!(error(load.period_s, period_s) < 1e-3, "{load}");
    }
}

#[test]
fn a_window_as_long_as_the_period_tells_no_levels() {
    let gpu =
        SimulatedSensor::of(A100, DRIVER).gpu(square_wave(150.0, 600.0, 0.025, 0.5, 0.003), 30.0);
    let found = corrected(&gpu, &SensorModel::of(A100, DRIVER, Reading::Instant)).unwrap();
    let known = PeriodSearch {
        known_s: Some(0.025),
        ..PeriodSearch::default()
    };
    let load = periodic(&found, &known).unwrap();
    assert!(load.levels.is_none() && load.gain < 1e-9, "{load}");
    assert!(
        error(load.mean_w, 375.0) < 0.01 && error(found.mean_w, 375.0) < 0.01,
        "{load}"
    );
    assert!(load.to_string().contains("unidentifiable"), "{load}");
    // Not known: nothing is found, nothing is made up.
    assert!(matches!(
        periodic(&found, &PeriodSearch::default()),
        Err(PeriodError::NoPeriod { .. } | PeriodError::Steady { .. })
    ));
}

#[test]
fn a_load_in_step_with_the_sensor_tells_no_levels() {
    let mut sensor = SimulatedSensor::of(A100, DRIVER);
    sensor.poll_jitter_s = 0.0;
    let gpu = sensor.gpu(square_wave(150.0, 600.0, 0.2, 0.4, 0.003), 30.0);
    let found = corrected(&gpu, &SensorModel::of(A100, DRIVER, Reading::Instant)).unwrap();
    let known = PeriodSearch {
        known_s: Some(0.2),
        ..PeriodSearch::default()
    };
    let load = periodic(&found, &known).unwrap();
    assert!(load.levels.is_none(), "{load}");
    assert!(load.to_string().contains("keep step"), "{load}");
    // The counter does not look for a quarter of the time only.
    assert!(error(found.mean_w, 330.0) < 0.01, "{found}");
}

#[test]
fn three_levels() {
    let wave = |t: f64| match (t / 1.317).fract() {
        x if x < 0.3 => 600.0,
        x if x < 0.7 => 400.0,
        _ => 150.0,
    };
    let gpu = SimulatedSensor::of(H100, DRIVER).gpu(wave, 60.0);
    let found = corrected(&gpu, &SensorModel::of(H100, DRIVER, Reading::Instant)).unwrap();
    let load = periodic(&found, &PeriodSearch::default()).unwrap();
    let mut powers: Vec<f64> = load
        .levels
        .as_ref()
        .unwrap()
        .iter()
        .map(|level| level.power_w)
        .collect();
    powers.sort_by(f64::total_cmp);
    assert_eq!(powers.len(), 3, "{load}");
    for (power, truth) in powers.iter().zip([150.0, 400.0, 600.0]) {
        assert!(error(*power, truth) < 0.02, "{load}");
    }
    assert!((load.period_s - 1.317).abs() < 1e-3, "{load}");
}

#[test]
fn the_mean_holds_without_a_counter_and_says_its_gain_is_unknown() {
    let mut sensor = SimulatedSensor::of(A100, DRIVER);
    sensor.counter = None;
    let gpu = sensor.gpu(square_wave(150.0, 600.0, 0.137, 0.5, 0.0), 60.0);
    let found = corrected(&gpu, &SensorModel::of(A100, DRIVER, Reading::Instant)).unwrap();
    assert_eq!(found.mean_from, MeanFrom::Readings);
    assert!(error(found.mean_w, 375.0) < 0.02, "{found}");
    assert!((found.mean_systematic_w - UNKNOWN_GAIN * found.mean_w).abs() < 1e-9);
    assert!(found.to_string().contains("no energy counter"), "{found}");
    let load = periodic(&found, &PeriodSearch::default()).unwrap();
    assert!(error(load.mean_w, 375.0) < 0.01, "{load}");
}

#[test]
fn steps_are_placed_within_a_fifth_of_a_second() {
    let at = [10.013, 23.377, 41.19];
    let wave = move |t: f64| match at.iter().filter(|edge| t >= **edge).count() {
        1 | 3 => 500.0,
        _ => 120.0,
    };
    for (name, reading) in [
        (A100, Reading::Instant),
        (H100, Reading::Instant),
        (H100, Reading::Average),
    ] {
        let gpu = SimulatedSensor::of(name, DRIVER).gpu(wave, 60.0);
        let found = corrected(&gpu, &SensorModel::of(name, DRIVER, reading)).unwrap();
        let edges = edges(&found, 50.0);
        assert_eq!(edges.len(), 3, "{name} {reading}: {edges:?}");
        for (edge, truth) in edges.iter().zip(at) {
            println!("{name} {reading}: {:.3} for {truth}", edge.time_s);
            assert!((edge.time_s - truth).abs() < 0.2, "{edge:?} {truth}");
            assert_eq!(edge.rise_s, None, "a step is not resolved: {edge:?}");
        }
    }
    // A rise of three seconds is.
    let ramp = |t: f64| 120.0 + 380.0 * ((t - 10.0) / 3.0).clamp(0.0, 1.0);
    let gpu = SimulatedSensor::of(A100, DRIVER).gpu(ramp, 30.0);
    let found = corrected(&gpu, &SensorModel::of(A100, DRIVER, Reading::Instant)).unwrap();
    let edges = edges(&found, 50.0);
    assert_eq!(edges.len(), 1, "{edges:?}");
    assert!(
        edges[0].rise_s.is_some_and(|rise| (rise - 3.0).abs() < 0.3),
        "{edges:?}"
    );
}

#[test]
fn the_update_period_is_found() {
    for (name, period_s) in [(A100, 0.1), ("Tesla V100-SXM2-16GB", 0.02)] {
        let mut sensor = SimulatedSensor::of(name, DRIVER);
        sensor.poll_s = 0.007;
        let gpu = sensor.gpu(|t| 300.0 + 50.0 * (3.0 * t).sin(), 60.0);
        let updates = find_updates(&gpu.time_s, gpu.instant_w.as_ref().unwrap()).unwrap();
        assert!((updates.period_s - period_s).abs() < 1e-4, "{updates:?}");
        assert!(
            (updates.period_s - period_s).abs() < 5.0 * updates.period_se_s + 1e-6,
            "{updates:?}"
        );
        let turns = (updates.phase_s - 0.0371) / period_s;
        assert!(
            (turns - turns.round()).abs() * period_s < 0.004,
            "{updates:?}"
        );
    }
    // Polls slower than the updates see no grid.
    let mut slow = SimulatedSensor::of(A100, DRIVER);
    slow.poll_s = 1.0;
    let gpu = slow.gpu(|t| 300.0 + 50.0 * (3.0 * t).sin(), 100.0);
    assert_eq!(
        find_updates(&gpu.time_s, gpu.instant_w.as_ref().unwrap()),
        None
    );
}

#[test]
fn a_window_nobody_has_measured_is_found() {
    // A sensor of Blackwell's name: the table does not have it, so period and window are set here.
    let known = SimulatedSensor::of(H100, DRIVER);
    let mut sensor = SimulatedSensor::of("NVIDIA B200", "580.82.07");
    (sensor.average, sensor.instant) = (known.average, known.instant);
    let random = |t: f64| {
        300.0
            + if ((t * 0.77).floor() * 12.9898).sin() > 0.2 {
                300.0
            } else {
                0.0
            }
    };
    let gpu = sensor.gpu(random, 60.0);
    let model = SensorModel::of(&gpu.name, &gpu.driver, Reading::Average);
    assert_eq!(model.window_s, None);
    let fit = measured_window(&gpu, Reading::Average).unwrap();
    println!("{fit:?}");
    assert!(fit.resolved && (fit.window_s - 1.0).abs() < 0.05, "{fit:?}");
    // Without a counter the instantaneous reading stands in for it.
    let fit = measured_window(
        &GpuRecording {
            energy_j: None,
            ..gpu.clone()
        },
        Reading::Average,
    )
    .unwrap();
    println!("{fit:?}");
    assert!(fit.resolved && (fit.window_s - 1.0).abs() < 0.1, "{fit:?}");
    // A window shorter than the counter's steps cannot be told by it.
    if let Some(fit) = measured_window(&gpu, Reading::Instant) {
        assert!(!fit.resolved, "{fit:?}");
    }
    // A load switched with a known period tells it.
    let gpu = sensor.gpu(square_wave(150.0, 600.0, 0.137, 0.5, 0.01), 60.0);
    let fit = find_window_of_square(&gpu, Reading::Instant, 0.137, (0.005, 0.06)).unwrap();
    println!("{fit:?}");
    assert!(
        fit.resolved && (fit.window_s / 0.025 - 1.0).abs() < 0.1,
        "{fit:?}"
    );
    // A meter beside it, too.
    let time_s: Vec<f64> = (0..60_000).map(|i| f64::from(i) * 1e-3).collect();
    let wave = square_wave(150.0, 600.0, 0.137, 0.5, 0.01);
    let meter = Reference::meter(
        &time_s,
        &time_s.iter().map(|t| wave(*t)).collect::<Vec<_>>(),
    );
    let mut model = SensorModel::of(&gpu.name, &gpu.driver, Reading::Instant);
    model.window_s = None;
    let found = corrected(&gpu, &model).unwrap();
    let fit =
        ballast_calibrate::find_window(&found.time_s, &found.power_w, &meter, (0.002, 0.2), 0.05)
            .unwrap();
    println!("{fit:?}");
    assert!(
        fit.resolved && (fit.window_s / 0.025 - 1.0).abs() < 0.1,
        "{fit:?}"
    );
}

#[test]
fn a_counter_that_resets_goes_back_or_stands_still_is_reported() {
    let mut sensor = SimulatedSensor::of(A100, DRIVER);
    let wave = square_wave(150.0, 600.0, 0.733, 0.5, 0.0);
    if let Some(counter) = &mut sensor.counter {
        counter.reset_s = Some(20.0);
    }
    let mut gpu = sensor.gpu(wave, 60.0);
    let energy = gpu.energy_j.as_mut().unwrap();
    // Back by a joule at 40 s; still from 50 to 53 s.
    for (t, e) in gpu.time_s.iter().zip(energy.iter_mut()) {
        if *t >= 40.0 {
            *e -= 10.0;
        }
    }
    let held = energy[gpu.time_s.iter().position(|t| *t >= 50.0).unwrap()];
    for (t, e) in gpu.time_s.iter().zip(energy.iter_mut()) {
        if (50.0..53.0).contains(t) {
            *e = held;
        }
    }
    let counter = energy_mean(&gpu.time_s, energy).unwrap();
    assert_eq!(
        (
            counter.resets_s.len(),
            counter.backwards.len(),
            counter.stuck_s.len()
        ),
        (1, 1, 1),
        "{counter:?}"
    );
    assert!(
        counter.seconds > 56.0 && counter.seconds < 57.5,
        "{counter:?}"
    );
    assert!(error(counter.mean_w, 375.0) < 0.01, "{counter:?}");
    let found = corrected(&gpu, &SensorModel::of(A100, DRIVER, Reading::Instant)).unwrap();
    let text = found.to_string();
    for words in ["began anew", "went back", "stood still"] {
        assert!(text.contains(words), "{text}");
    }
    // One that never moves is no counter.
    gpu.energy_j = Some(vec![5.0; gpu.time_s.len()]);
    let found = corrected(&gpu, &SensorModel::of(A100, DRIVER, Reading::Instant)).unwrap();
    assert_eq!(
        (found.mean_from, found.counter.is_none()),
        (MeanFrom::Readings, true)
    );
}

#[test]
fn what_cannot_be_corrected_says_why() {
    let model = SensorModel::of(A100, DRIVER, Reading::Instant);
    let empty = GpuRecording::default();
    assert!(
        corrected(&empty, &model)
            .unwrap_err()
            .to_string()
            .contains("no instant power")
    );
    let short = GpuRecording {
        time_s: vec![0.0, 1.0],
        instant_w: Some(vec![1.0, f64::NAN]),
        ..GpuRecording::default()
    };
    assert!(
        corrected(&short, &model)
            .unwrap_err()
            .to_string()
            .contains("1 usable samples")
    );
    let gpu = SimulatedSensor::of(A100, DRIVER).gpu(|_| 200.0, 5.0);
    assert!(corrected(&gpu, &model.clone().with_gain(0.0, 0.0, 0.0)).is_err());
    // Slow polls are told.
    let mut slow = SimulatedSensor::of(A100, DRIVER);
    slow.poll_s = 1.0;
    let found = corrected(&slow.gpu(|t| 200.0 + t, 60.0), &model).unwrap();
    assert!(
        found.to_string().contains("too slow to see updates"),
        "{found}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    /// Whatever is in the columns: a message or finite numbers, and times that rise.
    #[test]
    fn no_input_makes_it_panic_or_nan(
        steps in prop::collection::vec((0u8..8, 0.0f64..0.3, -50.0f64..900.0), 0..220),
        window in prop::option::of(0.001f64..2.0),
        constant in any::<bool>(),
    ) {
        let mut t = 0.0;
        let (mut time_s, mut shown, mut energy) = (Vec::new(), Vec::new(), Vec::new());
        for (kind, dt, v) in steps {
            t += match kind { 0 => 0.0, 1 => 20.0 * dt, _ => dt };
            time_s.push(t);
            shown.push(match kind { 2 => f64::NAN, 3 => f64::INFINITY, _ if constant => 100.0, _ => v });
            energy.push(match kind { 4 => 0.0, 5 => f64::NAN, _ => 100.0 * t });
        }
        let gpu = GpuRecording {
            time_s,
            average_w: Some(shown.clone()),
            instant_w: Some(shown),
            energy_j: Some(energy),
            ..GpuRecording::default()
        };
        let mut model = SensorModel::of(A100, DRIVER, Reading::Instant);
        model.window_s = window;
        if let Ok(found) = corrected(&gpu, &model) {
            prop_assert!(found.mean_w.is_finite() && found.mean_se_w.is_finite() && found.energy_j.is_finite());
            prop_assert!(found.power_w.iter().chain(&found.time_s).all(|v| v.is_finite()));
            prop_assert!(found.time_s.windows(2).all(|pair| pair[1] > pair[0]));
            prop_assert_eq!(found.time_s.len(), found.power_w.len());
            for edge in edges(&found, 5.0) {
                prop_assert!(edge.time_s.is_finite() && edge.within_s >= 0.0);
            }
            if let Ok(load) = periodic(&found, &PeriodSearch::default()) {
                prop_assert!(load.mean_w.is_finite() && load.mean_se_w.is_finite() && load.period_s > 0.0);
                for level in load.levels.iter().flatten() {
                    prop_assert!(level.power_w.is_finite() && level.power_se_w.is_finite() && level.from_se_s.is_finite());
                }
                let (mean_w, se_w) = found.mean_with(&load);
                prop_assert!(mean_w.is_finite() && se_w.is_finite());
            }
        }
        let _ = measured_window(&gpu, Reading::Average);
    }

    /// Gaps and polls told twice leave mean and levels where they are.
    #[test]
    fn gaps_and_doubled_polls_change_little(seed in 0u64..1000, duty in 0.3f64..0.7, period_s in 0.12f64..0.19) {
        let mut sensor = SimulatedSensor::of(A100, DRIVER);
        sensor.seed = seed;
        let mut gpu = sensor.gpu(square_wave(150.0, 600.0, period_s, duty, 0.0), 40.0);
        let keep: Vec<usize> = (0..gpu.time_s.len()).filter(|i| i % 500 > 60).flat_map(|i| if i % 7 == 0 { vec![i, i] } else { vec![i] }).collect();
        let pick = |of: &[f64]| keep.iter().map(|i| of[*i]).collect::<Vec<f64>>();
        gpu.instant_w = gpu.instant_w.as_deref().map(pick);
        gpu.energy_j = gpu.energy_j.as_deref().map(pick);
        gpu.average_w = None;
        gpu.time_s = pick(&gpu.time_s);
        let found = corrected(&gpu, &SensorModel::of(A100, DRIVER, Reading::Instant)).unwrap();
        prop_assert!(error(found.mean_w, 150.0 + 450.0 * duty) < 0.01, "{}", found);
        prop_assert!(found.notes.iter().any(|note| note.contains("gaps")) && found.notes.iter().any(|note| note.contains("left out")));
        // Periods near small ratios of 100 ms are left to the test of loads that keep step.
        let ratio = period_s / 0.1;
        let near = (1..12).any(|k| { let x = ratio * f64::from(k); (x - x.round()).abs() < 0.02 });
        if !near {
            let load = periodic(&found, &PeriodSearch::default()).unwrap();
            if let Some(levels) = &load.levels {
                let high = levels.iter().map(|level| level.power_w).fold(0.0, f64::max);
                prop_assert!(error(high, 600.0) < 0.02, "{}", load);
            }
        }
    }
}
