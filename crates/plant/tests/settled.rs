//! The settled state of every kind of set: found whatever the number of lines of the load, and what a long run comes to.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests; measured errors are printed"
)]

use std::f64::consts::PI;

use ballast_plant::{PeriodicLoad, Plant, PlantSpec, Prediction, SetSpec, Settled, residualise};

/// Error allowed against a long run: the method has less, tests of it should not hinge on that.
const TOLERANCE: f64 = 0.02;

fn set(name: &str) -> SetSpec {
    let path = format!(
        "{}/../../sites/gensets/{name}.toml",
        env!("CARGO_MANIFEST_DIR")
    );
    let mut table: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
    table.insert("name".to_owned(), name.into());
    table.insert("count".to_owned(), 2.into());
    table.try_into().unwrap()
}

fn plant(names: &[&str]) -> PlantSpec {
    let mut spec: PlantSpec = serde_json::from_str(r#"{"sets":[]}"#).unwrap();
    spec.sets = names.iter().map(|name| set(name)).collect();
    if names[0].contains("50hz") {
        spec.frequency_hz = 50.0;
    }
    residualise(&spec, 1e-3).0
}

fn rated_w(spec: &PlantSpec) -> f64 {
    let each = spec.sets.iter().map(|s| s.rated_kw * f64::from(s.count));
    1e3 * each.sum::<f64>()
}

/// Two levels with edges that last a share `ramp` of the period, by `lines` lines.
fn course(mean_w: f64, pp_w: f64, duty: f64, ramp: f64, lines: usize) -> Vec<f64> {
    let points = (8 * lines).max(256);
    let soft = |k: f64| {
        let angle = PI * k * ramp;
        if angle > 0.0 {
            angle.sin() / angle
        } else {
            1.0
        }
    };
    let at = |share: f64| {
        let lines = (1..=lines).map(|k| {
            let k = k as f64;
            let amplitude = 2.0 * pp_w / (PI * k) * (PI * k * duty).sin() * soft(k);
            amplitude * (2.0 * PI * k * (share - 0.5 * duty)).cos()
        });
        mean_w + lines.sum::<f64>()
    };
    (0..points).map(|i| at(i as f64 / points as f64)).collect()
}

fn predicted(spec: &PlantSpec, period_s: f64, samples_w: &[f64]) -> Prediction {
    let load = PeriodicLoad::sampled(period_s, samples_w).unwrap();
    Plant::new(spec, load.mean_w(), 1e-3)
        .unwrap()
        .predict(&load)
}

/// Highest less lowest frequency of the last ten periods of a run from rest, hertz.
fn run_hz(spec: &PlantSpec, period_s: f64, samples_w: &[f64], lasts_s: f64) -> f64 {
    let mean_w = samples_w.iter().sum::<f64>() / samples_w.len() as f64;
    let mut plant = Plant::new(spec, mean_w, 1e-3).unwrap();
    let periods = (lasts_s / period_s).ceil() as usize + 10;
    let part_s = period_s / samples_w.len() as f64;
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for period in 0..periods {
        for (i, start) in samples_w.iter().enumerate() {
            let end = samples_w[(i + 1) % samples_w.len()];
            plant.advance(part_s, *start, end);
            if period + 10 >= periods {
                low = low.min(plant.speed_pu());
                high = high.max(plant.speed_pu());
            }
        }
    }
    (high - low) * spec.frequency_hz
}

/// Holds what was found against a run; whether it is a periodic state.
fn compare(name: &str, spec: &PlantSpec, period_s: f64, samples_w: &[f64]) -> bool {
    let p = predicted(spec, period_s, samples_w);
    let mut run = run_hz(spec, period_s, samples_w, 150.0);
    let mut off = p.limited.peak_to_peak_hz / run - 1.0;
    if off.abs() > TOLERANCE {
        // Exhaust limits and shared power take minutes to settle.
        run = run_hz(spec, period_s, samples_w, 600.0);
        off = p.limited.peak_to_peak_hz / run - 1.0;
    }
    println!(
        "{name}: {:?} after {} in {} periods; predicted {:.4} Hz, run {run:.4} Hz, off {off:.1e}, linear {:.4} Hz, {:?}",
        p.settled,
        p.repeats_after,
        p.periods,
        p.limited.peak_to_peak_hz,
        p.unlimited.map_or(f64::NAN, |u| u.peak_to_peak_hz),
        p.reached
            .iter()
            .map(|r| (r.limiter, r.share))
            .collect::<Vec<_>>(),
    );
    assert!(off.abs() < TOLERANCE, "{name}: {off}");
    p.settled == Settled::Periodic
}

/// The settled state does not hinge on how many lines a load was given with. With the shape of a training job, exciters at their limits.
#[test]
fn any_number_of_lines_has_a_settled_state() {
    let spec = plant(&["generic-diesel-1000kw"]);
    let mut few = Vec::new();
    for lines in [8, 11, 14, 17, 20, 24, 28, 32, 36, 40, 48, 56, 64] {
        for (share, duty, ramp) in [(0.35, 0.8, 0.0), (0.25, 0.77, 0.1), (0.2, 0.5, 0.25)] {
            let samples = course(
                0.45 * rated_w(&spec),
                share * rated_w(&spec),
                duty,
                ramp,
                lines,
            );
            let p = predicted(&spec, 1.0, &samples);
            assert_eq!(p.settled, Settled::Periodic, "{lines} {share}");
            assert_eq!(p.repeats_after, 1, "{lines} {share}");
            assert!(p.periods <= 30, "{lines} {share}: {}", p.periods);
            let off = p.limited.peak_to_peak_hz / p.unlimited.unwrap().peak_to_peak_hz - 1.0;
            assert!(off.abs() < 0.03, "{lines} {share}: {off}");
            few.push(p.limited.peak_to_peak_hz);
        }
    }
    // The lines beyond the eighth hardly move a shaft.
    for (i, swing_hz) in few.iter().enumerate() {
        assert!((swing_hz / few[i % 3] - 1.0).abs() < 0.05, "{i} {swing_hz}");
    }
}

/// Cases drawn from a fixed seed: cadence, shape, size, number of lines, every kind of set, and two kinds on one bus.
#[test]
fn drawn_loads_settle_where_a_run_does() {
    let plants: [&[&str]; 10] = [
        &["generic-diesel-1000kw"],
        &["cat-c15-500kw-60hz"],
        &["generic-gas-1500kw"],
        &["jenbacher-jms620-gas-50hz"],
        &["cat-g3520c-gas-60hz"],
        &["generic-gas-turbine-5mw"],
        &["generic-steam-20mw"],
        &["synthetic-tgov1-light"],
        &["generic-diesel-2500kw", "generic-gas-1500kw"],
        &["generic-gas-turbine-5mw", "generic-diesel-2500kw"],
    ];
    let mut state = std::env::var("SETTLED_SEED").map_or(1_u64, |s| s.parse().unwrap());
    let mut draw = move || {
        // Knuth's linear congruential generator.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let (mut slow, mut tried) = (0, 0);
    for names in plants {
        let spec = plant(names);
        for _ in 0..5 {
            let period_s = 0.4 * 10.0_f64.powf(draw());
            let (duty, share) = (0.2 + 0.6 * draw(), 0.05 + 0.6 * draw() * draw());
            let ramp = if draw() < 0.5 { 0.0 } else { 0.3 * draw() };
            let lines = 8 + (57.0 * draw()) as usize;
            let mean_w = (0.4 + 0.25 * draw()) * rated_w(&spec);
            let samples = course(mean_w, share * rated_w(&spec), duty, ramp, lines);
            let name = format!(
                "{names:?} {period_s:.2} s, {lines} lines, duty {duty:.2}, {share:.2}, edges {ramp:.2}"
            );
            tried += 1;
            if !compare(&name, &spec, period_s, &samples) {
                slow += 1;
            }
        }
    }
    // Two kinds of sets that share power at the pace of minutes may take longer than the search does.
    assert!(slow <= 2, "{slow} of {tried}");
}

/// A period that no bounded search can afford is told as linear, not searched at length.
#[test]
fn a_very_long_period_is_told_as_linear() {
    let spec = plant(&["generic-diesel-1000kw"]);
    let samples = course(0.5 * rated_w(&spec), 0.1 * rated_w(&spec), 0.5, 0.0, 8);
    let clock = std::time::Instant::now();
    let p = predicted(&spec, 600.0, &samples);
    println!("{:?}", clock.elapsed());
    assert_eq!((p.settled, p.periods), (Settled::Linear, 0));
    assert_eq!(Some(p.limited), p.unlimited);
}
