//! Simulated sensors over known waveforms, end to end through `calibrate`: what is reported and what is written.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use ballast_calibrate::{
    Calibration, CardError, Known, Label, MeanFrom, Origin, Recording, SimulatedSensor, calibrate,
    calibrate_known, square_wave, text, toml,
};

const H100: &str = "NVIDIA H100 80GB HBM3";
const A100: &str = "NVIDIA A100-SXM4-80GB";
const DRIVER: &str = "550.54.15";
/// Gain and offset of an A100 that was compared with a meter (Yang et al., SC24).
const CARD: CardError = CardError {
    gain: 0.954,
    offset_w: -1.177,
    error: 0.0,
};
const KNOWN: Known = Known {
    card: Some(CARD),
    period_s: None,
};
const IDLE_W: f64 = 70.0;
/// Work from here to there, seconds; idle around it.
const WORK: (f64, f64) = (20.37, 90.0);
const END_S: f64 = 110.0;

fn origin() -> Origin {
    Origin {
        label: "simulated".to_owned(),
        tool: "ballast test".to_owned(),
        file: "simulated".to_owned(),
        ..Origin::default()
    }
}

/// Idle, 150 W and 600 W in turn, idle.
fn wave(period_s: f64, duty: f64) -> impl Fn(f64) -> f64 {
    let square = square_wave(150.0, 600.0, period_s, duty, WORK.0);
    move |t| {
        if t >= WORK.0 && t < WORK.1 {
            square(t)
        } else {
            IDLE_W
        }
    }
}

/// Mean of a waveform, watts.
fn mean(power_w: impl Fn(f64) -> f64, from_s: f64, to_s: f64) -> f64 {
    let n = 2_000_000;
    (0..n)
        .map(|i| power_w(from_s + (f64::from(i) + 0.5) * (to_s - from_s) / f64::from(n)))
        .sum::<f64>()
        / f64::from(n)
}

fn error(value: f64, truth: f64) -> f64 {
    (value / truth - 1.0).abs()
}

fn done(sensor: &SimulatedSensor, power_w: impl Fn(f64) -> f64, known: &Known) -> Calibration {
    calibrate_known(&sensor.record(power_w, END_S), &origin(), known).unwrap()
}

fn labels(done: &Calibration) -> Vec<(Label, f64, f64)> {
    done.reports[0]
        .phases
        .iter()
        .map(|p| (p.label, p.from_s, p.to_s))
        .collect()
}

#[test]
fn two_levels_and_means_of_square_waves() {
    let (mut worst_level, mut worst_mean, mut worst_edge) = (0.0_f64, 0.0_f64, 0.0_f64);
    let mut wrong = Vec::new();
    for name in [A100, H100] {
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
            let sensor = SimulatedSensor::of(name, DRIVER).with_gain(CARD.gain, CARD.offset_w);
            let power = wave(period_s, duty);
            let done = done(&sensor, &power, &KNOWN);
            let case = format!("{name} {period_s} s");
            let report = &done.reports[0];
            let work: Vec<usize> = (0..report.phases.len())
                .filter(|i| report.phases[*i].label == Label::Training)
                .collect();
            println!("{case}: {:?}", labels(&done));
            let [at] = work[..] else {
                wrong.push(format!("{case}: {:?}\n{}", labels(&done), text(&done)));
                continue;
            };
            let (phase, found) = (&report.phases[at], &report.corrected[at]);
            let cycle = phase.cycle.unwrap();
            let truth = mean(&power, phase.from_s, phase.to_s);
            let level = error(cycle.low_w, 150.0).max(error(cycle.high_w, 600.0));
            let off = error(found.mean_w.unwrap(), truth);
            let edge = (phase.from_s - WORK.0).abs();
            println!(
                "{case}: period {:.5}, {:.1}/{:.1} W, mean {:.2} of {truth:.2} ({:+.2} %), as read {:.2} ({:+.2} %), begins {:+.3} s, ends {:+.3} s",
                cycle.period_s,
                cycle.low_w,
                cycle.high_w,
                found.mean_w.unwrap(),
                100.0 * (found.mean_w.unwrap() / truth - 1.0),
                found.naive_mean_w.unwrap(),
                100.0 * (found.naive_mean_w.unwrap() / truth - 1.0),
                phase.from_s - WORK.0,
                phase.to_s - WORK.1
            );
            worst_level = worst_level.max(level);
            worst_mean = worst_mean.max(off);
            worst_edge = worst_edge.max(edge);
            if level > 0.02 || off > 0.01 || edge > 0.2 || (phase.to_s - WORK.1).abs() > 0.2 {
                wrong.push(format!("{case}\n{}", text(&done)));
            }
            // What is written is what was found.
            let written = done.profile.phases.train_compute.as_ref().unwrap();
            assert!(
                error(written.power_w.value, cycle.high_w) < 1e-3,
                "{written:?}"
            );
            let sensor = &report.sensors[0];
            assert_eq!(sensor.mean_from, MeanFrom::EnergyCounter);
            assert!(error(sensor.mean_w, mean(&power, 0.0, END_S)) < 0.01);
        }
    }
    println!(
        "worst level {:.2} %, mean {:.2} %, edge {worst_edge:.3} s",
        100.0 * worst_level,
        100.0 * worst_mean
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn phases_begin_within_a_fifth_of_a_second() {
    // Idle, load, work at one level, idle; one of them ramps.
    let level = |t: f64| match t {
        t if t < 10.013 => 70.0,
        t if t < 23.377 => 130.0,
        t if t < 81.19 => 480.0,
        _ => 70.0,
    };
    for (name, instant) in [(A100, true), (H100, true), (H100, false)] {
        let mut sensor = SimulatedSensor::of(name, DRIVER);
        if !instant {
            sensor.instant = None;
        }
        let done = done(&sensor, level, &Known::default());
        println!("{}", text(&done));
        let report = &done.reports[0];
        let begins: Vec<f64> = report.phases.iter().map(|p| p.from_s).collect();
        assert_eq!(begins.len(), 4, "{begins:?}");
        for (i, truth) in [10.013, 23.377, 81.19].into_iter().enumerate() {
            assert!(
                (begins[i + 1] - truth).abs() < 0.2,
                "{name} {begins:?} {truth}"
            );
            let change = report.phases[i + 1].entered.unwrap();
            assert!(change.unresolved, "a step is not resolved: {change:?}");
        }
        for (phase, truth) in report.phases.iter().zip([70.0, 130.0, 480.0, 70.0]) {
            assert!(error(phase.level_w, truth) < 0.01, "{phase:?}");
        }
        // The gain is unknown: 5 % beside it, in the report and in the file.
        for found in &report.corrected {
            let (mean, systematic) = (found.mean_w.unwrap(), found.mean_systematic_w.unwrap());
            assert!((systematic / mean - 0.05).abs() < 1e-9);
        }
        let steady = done.profile.phases.steady_mixed.as_ref().unwrap();
        assert!(
            steady.power_w.high.unwrap() >= 1.05 * 479.0
                && steady.power_w.source.contains("5 % unknown gain")
        );
    }
}

#[test]
fn a_rise_longer_than_the_window_is_resolved() {
    let ramp = |t: f64| match t {
        t if t < 30.0 => 70.0,
        t if t < 34.0 => 70.0 + 100.0 * (t - 30.0),
        _ => 470.0,
    };
    let done = done(&SimulatedSensor::of(A100, DRIVER), ramp, &Known::default());
    let last = done.reports[0].phases.last().unwrap();
    println!("{}", text(&done));
    let change = last.entered.unwrap();
    assert!(!change.unresolved, "{change:?}");
}

#[test]
fn levels_that_the_window_hides_are_unidentifiable_and_the_mean_stands() {
    let sensor = SimulatedSensor::of(A100, DRIVER).with_gain(CARD.gain, CARD.offset_w);
    let power = wave(0.025, 0.5);
    let known = Known {
        period_s: Some(0.025),
        ..KNOWN
    };
    let done = done(&sensor, &power, &known);
    println!("{}", text(&done));
    let report = &done.reports[0];
    let at = report
        .phases
        .iter()
        .position(|p| p.from_s > 15.0 && p.from_s < 25.0)
        .unwrap();
    let (phase, found) = (&report.phases[at], &report.corrected[at]);
    assert_eq!(phase.cycle, None);
    assert!(
        found
            .unidentifiable
            .as_ref()
            .is_some_and(|why| why.contains("unidentifiable")),
        "{found:?}"
    );
    assert!(error(found.mean_w.unwrap(), 375.0) < 0.01, "{found:?}");
    let written = toml(&done.profile);
    assert!(
        written.contains("unidentifiable") && !written.contains("train_compute"),
        "{written}"
    );
    // Not told of the period, nothing is made up; what would be hidden is said.
    let blind = calibrate_known(&sensor.record(&power, END_S), &origin(), &KNOWN).unwrap();
    assert!(blind.reports[0].phases.iter().all(|p| p.cycle.is_none()));
    let hidden_s = blind.reports[0].sensors[0].levels_hidden_below_s.unwrap();
    assert!((hidden_s - 0.0302).abs() < 1e-4, "{hidden_s}");
}

#[test]
fn an_average_of_a_second_gives_levels_of_slow_loads_and_no_levels_of_its_own_period() {
    let mut sensor = SimulatedSensor::of(H100, DRIVER).with_gain(CARD.gain, CARD.offset_w);
    sensor.instant = None;
    for (period_s, duty) in [(2.37, 0.5), (5.13, 0.4)] {
        let done = done(&sensor, wave(period_s, duty), &KNOWN);
        println!("{}", text(&done));
        let phase = done.reports[0]
            .phases
            .iter()
            .find(|p| p.label == Label::Training)
            .unwrap();
        let cycle = phase.cycle.unwrap();
        assert!(
            error(cycle.low_w, 150.0) < 0.02 && error(cycle.high_w, 600.0) < 0.02,
            "{cycle:?}"
        );
    }
    let done = done(&sensor, wave(1.07, 0.5), &KNOWN);
    println!("{}", text(&done));
    assert!(
        done.reports[0].phases.iter().all(|p| p.cycle.is_none()),
        "{}",
        text(&done)
    );
}

#[test]
fn without_a_counter_the_mean_of_a_fast_load_is_the_fits() {
    let mut sensor = SimulatedSensor::of(A100, DRIVER);
    sensor.counter = None;
    let power = wave(0.0517, 0.5);
    let done = calibrate(&sensor.record(&power, END_S), &origin()).unwrap();
    println!("{}", text(&done));
    let seen = &done.reports[0].sensors[0];
    assert_eq!(seen.mean_from, MeanFrom::Readings);
    assert!(
        error(seen.mean_w, mean(&power, 0.0, END_S)) < 0.01,
        "{seen:?}"
    );
    assert!(seen.notes.iter().any(|n| n.contains("no energy counter")));
}

#[test]
fn a_gain_that_cannot_be_is_refused() {
    let recording: Recording = SimulatedSensor::of(A100, DRIVER).record(wave(1.0, 0.5), 60.0);
    for (gain, error) in [(0.0, 0.0), (-1.0, 0.0), (f64::NAN, 0.0), (1.0, -0.1)] {
        let known = Known {
            card: Some(CardError {
                gain,
                offset_w: 0.0,
                error,
            }),
            period_s: None,
        };
        assert!(calibrate_known(&recording, &origin(), &known).is_err());
    }
}

#[test]
fn steps_that_the_table_s_window_cannot_show_are_believed() {
    // The name of a card whose plain reading is a mean over a second, and steps within a tenth of one.
    let level = |t: f64| match t {
        t if t < 20.03 => 70.0,
        t if t < 31.34 => 130.0,
        t if t < 90.0 => square_wave(200.0, 600.0, 3.1, 0.6, 31.34)(t),
        _ => 70.0,
    };
    let mut sensor = SimulatedSensor::of(A100, DRIVER);
    sensor.counter = None;
    let mut recording = sensor.record(level, END_S);
    H100.clone_into(&mut recording.gpus[0].name);
    recording.gpus[0].average_w = recording.gpus[0].instant_w.take();
    let done = calibrate(&recording, &origin()).unwrap();
    println!("{}", text(&done));
    assert!(text(&done).contains("no mean over the 1 s of the table"));
    let begins: Vec<f64> = labels(&done).iter().map(|p| p.1).skip(1).collect();
    assert_eq!(begins.len(), 4 - 1, "{begins:?}");
    for (found, truth) in begins.iter().zip([20.03, 31.34, 90.0]) {
        assert!((found - truth).abs() < 0.2, "{found} {truth}");
    }
}
