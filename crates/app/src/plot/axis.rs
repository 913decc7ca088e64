//! Where axes have their ticks.

use std::ops::RangeInclusive;

use egui::Rangef;
use egui_plot::{GridInput, GridMark};

/// What egui_plot multiplies the size of a pixel by in [`GridInput::base_step_size`]; set on every plot.
pub(crate) const LEAST_SPACING: f32 = 8.0;

/// Least distances between labelled ticks, points: labels of time are wide, those of values are not high.
const BETWEEN_X: f64 = 84.0;
const BETWEEN_Y: f64 = 30.0;

/// Least distances between labels of logarithmic axes, points.
const BETWEEN_LOG_X: f64 = 54.0;
const BETWEEN_LOG_Y: f64 = 18.0;

/// Distances from which on ticks have labels: all of the same strength.
pub(crate) fn labelled_x() -> Rangef {
    sharp(BETWEEN_X)
}

/// The same of an upright axis.
pub(crate) fn labelled_y() -> Rangef {
    sharp(BETWEEN_Y)
}

/// The same of any axis.
pub(crate) fn labelled(log: bool, along: bool) -> Rangef {
    match (log, along) {
        (false, true) => labelled_x(),
        (false, false) => labelled_y(),
        (true, true) => sharp(BETWEEN_LOG_X),
        (true, false) => sharp(BETWEEN_LOG_Y),
    }
}

fn sharp(least: f64) -> Rangef {
    Rangef::new(least as f32 * 0.98, least as f32 * 0.99)
}

/// A label of an upright axis; none where it would stand on the labels of the other one.
pub(crate) fn off_corner(mark: GridMark, range: &RangeInclusive<f64>, label: String) -> String {
    let span = range.end() - range.start();
    if mark.value < range.start() + 0.035 * span {
        return String::new();
    }
    label
}

/// Steps of time that clocks have, seconds.
const CLOCK_S: [f64; 18] = [
    1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0,
    10_800.0, 21_600.0, 43_200.0, 86_400.0,
];

/// The next of 1, 2, 5 · 10ⁿ.
pub(crate) fn nice(step: f64) -> f64 {
    if !step.is_finite() || step <= 0.0 {
        return 1.0;
    }
    let decade = 10_f64.powf(step.log10().floor());
    let lead = step / decade;
    let nice = [1.0, 2.0, 5.0].into_iter().find(|n| lead <= n * 1.000_001);
    nice.unwrap_or(10.0) * decade
}

fn clock(step_s: f64) -> f64 {
    if step_s <= 1.0 {
        return nice(step_s);
    }
    let found = CLOCK_S.into_iter().find(|s| step_s <= *s);
    found.unwrap_or_else(|| nice(step_s / 86_400.0) * 86_400.0)
}

fn marks(bounds: (f64, f64), major: f64, parts: u32) -> Vec<GridMark> {
    let mut all = Vec::new();
    let minor = major / f64::from(parts);
    let first = (bounds.0 / minor).ceil();
    let count = ((bounds.1 / minor).floor() - first).clamp(0.0, 1e3) as u32;
    for i in 0..=count {
        let number = first + f64::from(i);
        let is_major = (number / f64::from(parts)).fract() == 0.0;
        all.push(GridMark {
            value: number * minor,
            step_size: if is_major { major } else { minor },
        });
    }
    all
}

/// Ticks of an axis of time in seconds.
pub(crate) fn time(input: &GridInput) -> Vec<GridMark> {
    let pixel = input.base_step_size / f64::from(LEAST_SPACING);
    marks(input.bounds, clock(pixel * BETWEEN_X), 5)
}

/// Ticks of an upright axis whose values are written in units of `factor`.
pub(crate) fn linear(input: &GridInput, factor: f64) -> Vec<GridMark> {
    let pixel = input.base_step_size / f64::from(LEAST_SPACING);
    let major = nice(pixel * BETWEEN_Y / factor) * factor;
    let mut all = marks(input.bounds, major, 2);
    // Where those between have labels too, all are written with the same decimals.
    if f64::from(labelled_y().min) <= major / 2.0 / pixel {
        for mark in &mut all {
            mark.step_size = major / 2.0;
        }
    }
    all
}

/// Ticks of an axis along the bottom whose values are written in units of `factor`.
pub(crate) fn linear_x(input: &GridInput, factor: f64) -> Vec<GridMark> {
    let pixel = input.base_step_size / f64::from(LEAST_SPACING);
    marks(input.bounds, nice(pixel * BETWEEN_X / factor) * factor, 5)
}

/// Ticks of an axis of logarithms to the base of ten: decades, or every few where they are close, and 2 to 9 between them.
pub(crate) fn log10(input: &GridInput, along: bool) -> Vec<GridMark> {
    let pixel = input.base_step_size / f64::from(LEAST_SPACING);
    let between = if along { BETWEEN_LOG_X } else { BETWEEN_LOG_Y };
    let stride = (pixel * between).ceil().clamp(1.0, 20.0);
    let mut all = Vec::new();
    let (from, to) = (input.bounds.0.floor() as i32, input.bounds.1.ceil() as i32);
    for decade in from..=to.min(from + 80) {
        for lead in 1..10_u8 {
            let named = f64::from(decade).rem_euclid(stride) == 0.0;
            let step_size = match lead {
                1 if named => stride,
                1 => 0.5,
                2 | 5 => 0.3,
                _ => 0.05,
            };
            let value = f64::from(decade) + f64::from(lead).log10();
            // What lies outside would get its label there.
            if value >= input.bounds.0 && value <= input.bounds.1 {
                all.push(GridMark { value, step_size });
            }
        }
    }
    all
}

/// A range of values with room above and below, ended at round numbers, so that it stays while little changes.
pub(crate) fn roomy(low: f64, high: f64) -> (f64, f64) {
    if !(low.is_finite() && high.is_finite()) {
        return (0.0, 1.0);
    }
    let span = high - low;
    let span = if span > 0.0 {
        span
    } else {
        (high.abs() * 0.01).max(1e-6)
    };
    let step = nice(span / 20.0);
    let down = ((low - span * 0.04) / step).floor() * step;
    let up = ((high + span * 0.04) / step).ceil() * step;
    (down, up)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(from: f64, to: f64, points: f64) -> GridInput {
        GridInput {
            bounds: (from, to),
            base_step_size: (to - from) / points * f64::from(LEAST_SPACING),
        }
    }

    #[test]
    fn labelled_ticks_have_room_at_every_zoom() {
        for span in [1e-4, 0.003, 1.0, 7.0, 60.0, 600.0, 9000.0, 86_400.0, 1e6] {
            let marks = time(&input(12.0, 12.0 + span, 600.0));
            let major = marks.iter().map(|m| m.step_size).fold(0.0, f64::max);
            let points = major / span * 600.0;
            assert!((84.0..500.0).contains(&points), "{span} s: {points}");
            assert!(marks.len() < 60, "{span} s: {}", marks.len());
        }
    }

    #[test]
    fn the_range_of_values_holds_them_with_room() {
        for (low, high) in [(0.0, 1.0), (49.2, 50.6), (5.0, 5.0), (-3.0, 2.0)] {
            let (down, up) = roomy(low, high);
            assert!(down < low && up > high, "{low} {high}: {down} {up}");
        }
        assert_eq!(roomy(f64::INFINITY, f64::NEG_INFINITY), (0.0, 1.0));
    }
}
