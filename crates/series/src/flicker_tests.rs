//! The standard's own test points: each rectangular fluctuation has a `Pst` of 1, to be met within 5 %.

use super::{Flicker, Flickermeter, Lamp};

/// Changes per minute and relative voltage change, percent (IEC 61000-4-15 edition 2, table 5, read at second hand).
const RECTANGULAR_230: [(f64, f64); 6] = [
    (1.0, 2.715),
    (2.0, 2.191),
    (7.0, 1.450),
    (39.0, 0.894),
    (110.0, 0.722),
    (1620.0, 0.407),
];
const RECTANGULAR_120: [(f64, f64); 6] = [
    (1.0, 3.178),
    (2.0, 2.561),
    (7.0, 1.694),
    (39.0, 1.045),
    (110.0, 0.844),
    (1620.0, 0.547),
];

fn meter(lamp: Lamp, dt_s: f64, duration_s: f64, wave: impl Fn(f64) -> f64) -> Flicker {
    let mut meter = Flickermeter::new(lamp, dt_s);
    let samples = (duration_s / dt_s).round() as u64;
    let block: Vec<f64> = (0..=samples).map(|k| 1.0 + wave(k as f64 * dt_s)).collect();
    for part in block.chunks(1000) {
        meter.push_slice(part);
    }
    meter.finish().expect("a run has a severity")
}

fn rectangle(changes_per_min: f64, percent: f64) -> impl Fn(f64) -> f64 {
    let half_s = 60.0 / changes_per_min;
    move |t| {
        let up = ((t / half_s + 1e-9).floor() as u64).is_multiple_of(2);
        0.005 * percent * if up { -1.0 } else { 1.0 }
    }
}

#[test]
fn the_standards_rectangles_have_a_severity_of_one() {
    for (lamp, table) in [
        (Lamp::V230Hz50, RECTANGULAR_230),
        (Lamp::V120Hz60, RECTANGULAR_120),
    ] {
        for (changes, percent) in table {
            let found = meter(lamp, 0.001, 600.0, rectangle(changes, percent));
            assert!(
                (found.pst - 1.0).abs() < 0.05,
                "{} at {changes} per minute: {}",
                lamp.label(),
                found.pst
            );
        }
    }
}

#[test]
fn severity_goes_with_the_amplitude_and_hardly_with_the_step() {
    let fine = meter(Lamp::V230Hz50, 0.001, 120.0, rectangle(110.0, 0.722)).pst;
    let twice = meter(Lamp::V230Hz50, 0.001, 120.0, rectangle(110.0, 1.444)).pst;
    // Bins of the distribution: their width is a few thousandths of the span.
    assert!((twice / fine - 2.0).abs() < 2e-3, "{twice} {fine}");
    let sine = |t: f64| 0.002 * (55.3 * t).sin();
    let (a, b) = (
        meter(Lamp::V120Hz60, 0.001, 60.0, sine).pst,
        meter(Lamp::V120Hz60, 0.005, 60.0, sine).pst,
    );
    // A straight line between samples 5 ms apart takes 0.3 % off a sine of 8.8 Hz, and its start is less sharp.
    assert!((a / b - 1.0).abs() < 0.01, "{a} {b}");
}

#[test]
fn a_steady_voltage_does_not_flicker_and_the_worst_period_is_named() {
    assert_eq!(meter(Lamp::V230Hz50, 0.01, 30.0, |_| 0.0).pst, 0.0);
    let found = meter(Lamp::V230Hz50, 0.01, 1900.0, |t| {
        if t > 700.0 && t < 1100.0 {
            0.004 * (50.0 * t).sin()
        } else {
            0.0
        }
    });
    assert_eq!((found.at_s, found.over_s), (600.0, 600.0));
    let short = meter(Lamp::V230Hz50, 0.01, 30.0, |t| 0.004 * (50.0 * t).sin());
    assert_eq!((short.at_s, short.over_s), (0.0, 30.0));
    assert!(Flickermeter::new(Lamp::V230Hz50, 0.01).finish().is_none());
}
