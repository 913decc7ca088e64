//! The figures of a plant that limits are on, and when each is at its worst.

use ballast_scenario::LimitsSpec;

use crate::outcome::Extreme;

/// Number of figures.
pub(crate) const FIGURES: usize = 12;

/// Worst of each figure so far, in the order of [`wanted`].
pub(crate) type Figures = [Option<Extreme>; FIGURES];

/// Whether a higher value of each figure is worse.
const UPPER: [bool; FIGURES] = [
    false, true, true, true, true, false, true, true, true, false, false, true,
];

/// Figures whose value is the time since the band was left.
const TIMES: [usize; 2] = [4, 7];

/// Place of a collapse among the figures.
pub(crate) const COLLAPSE: usize = FIGURES - 1;

/// Which figures matter: the extremes of the frequency always (they end in a collapse), the others where they have a limit.
pub(crate) fn wanted(limits: &LimitsSpec) -> [bool; FIGURES] {
    [
        true,
        true,
        limits.frequency_swing_hz.is_some(),
        limits.rocof_hz_per_s.is_some(),
        limits.recovery_s.is_some(),
        limits.voltage_min_pu.is_some(),
        limits.voltage_max_pu.is_some(),
        limits.voltage_recovery_s.is_some(),
        limits.set_power_max_share.is_some(),
        limits.set_power_min_share.is_some(),
        limits.set_reactive_min_share.is_some(),
        true,
    ]
}

/// Moment to look around: for a time outside a band, when the band was left. None where nothing happened.
pub(crate) fn moment_s(figure: usize, worst: Extreme) -> Option<f64> {
    if !TIMES.contains(&figure) {
        return Some(worst.at_s);
    }
    (worst.value > 0.0).then_some(worst.at_s - worst.value)
}

/// Whether `a` is worse than `b`.
pub(crate) fn worse(figure: usize, a: f64, b: f64) -> bool {
    if UPPER[figure] { a > b } else { a < b }
}
