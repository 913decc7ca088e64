//! Largest load step a set accepts.
//!
//! A table of the maker's, or from the mean effective pressure of the engine: `from_share → step_share, recovery_s`, shares of `rated_kw`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Largest step from one load.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptanceRow {
    /// Load before the step, share of `rated_kw`. The first row has 0, the next ones rise.
    #[schemars(range(min = 0.0, max = 1.2))]
    pub from_share: f64,
    /// Largest step accepted from there, share of `rated_kw`.
    #[schemars(range(min = 0.0, max = 1.2))]
    pub step_share: f64,
    /// Time after which the set is back in its steady band and may take the next step, seconds. A further rise within it counts together with the step, from
    /// the load before it; a load that has fallen back in between rises from that same load again.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 600.0, "x-unit" = "s"))]
    pub recovery_s: f64,
}

/// What a table says of a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Accepted {
    /// Whether the step is within what the set accepts. A step down or of nothing always is.
    pub allowed: bool,
    /// Largest step accepted from that load, share of `rated_kw`.
    pub largest_step_share: f64,
    /// Time until the next step, seconds: the longer of the rows on both sides.
    pub recovery_s: f64,
}

/// A step within this of the largest is within it: sums of shares in the last digits.
const ROUNDING_SHARE: f64 = 1e-9;

/// Whether a table accepts a step from a load, both shares of `rated_kw` of the sets that take it.
///
/// Between two rows the largest step goes in a straight line; above the last row it falls with the load so that the end of the step stays where that
/// row's does. None for an empty table, a negative load, or values that are not finite.
pub fn acceptance(table: &[AcceptanceRow], from_share: f64, step_share: f64) -> Option<Accepted> {
    if !(from_share >= 0.0 && from_share.is_finite() && step_share.is_finite()) {
        return None;
    }
    let last = table.last()?;
    let (largest, recovery_s) = match table.iter().position(|row| row.from_share >= from_share) {
        None => {
            let end = last.from_share + last.step_share;
            ((end - from_share).max(0.0), last.recovery_s)
        }
        Some(0) => (table[0].step_share, table[0].recovery_s),
        Some(upper) => {
            let (below, above) = (table[upper - 1], table[upper]);
            let part = (from_share - below.from_share) / (above.from_share - below.from_share);
            (
                below.step_share + part * (above.step_share - below.step_share),
                below.recovery_s.max(above.recovery_s),
            )
        }
    };
    Some(Accepted {
        allowed: step_share <= 0.0 || step_share <= largest + ROUNDING_SHARE,
        largest_step_share: largest,
        recovery_s,
    })
}

/// Largest first step of a turbocharged four-stroke diesel by its brake mean effective pressure, share of rated power; none outside 13 to 25 bar.
///
/// 60 % at 13 bar, 40 % at 20 bar, 32 % at 25 bar, straight lines between. Source: the guidance figure of ISO 8528-5 on sudden power increase;
/// recalled, not read again, confidence low.
pub fn first_step_share(bmep_bar: f64) -> Option<f64> {
    const POINTS: [[f64; 2]; 3] = [[13.0, 0.60], [20.0, 0.40], [25.0, 0.32]];
    POINTS.windows(2).find_map(|pair| {
        let [[x0, y0], [x1, y1]] = [pair[0], pair[1]];
        (x0..=x1)
            .contains(&bmep_bar)
            .then(|| y0 + (y1 - y0) * (bmep_bar - x0) / (x1 - x0))
    })
}

#[cfg(test)]
mod tests {
    use super::{AcceptanceRow, acceptance, first_step_share};

    /// 0 → 50 → 80 → 100 %.
    fn table() -> Vec<AcceptanceRow> {
        [(0.0, 0.5), (0.5, 0.3), (0.8, 0.2)]
            .into_iter()
            .map(|(from_share, step_share)| AcceptanceRow {
                from_share,
                step_share,
                recovery_s: 5.0 - from_share,
            })
            .collect()
    }

    #[test]
    fn the_steps_of_the_table_are_accepted_and_no_larger_ones() {
        for row in table() {
            let at = |step| acceptance(&table(), row.from_share, step).unwrap();
            assert!(at(row.step_share).allowed);
            assert!(!at(row.step_share + 1e-6).allowed);
            assert!((at(0.1).largest_step_share - row.step_share).abs() < 1e-12);
        }
    }

    #[test]
    fn between_rows_and_beyond() {
        let at = |from, step| acceptance(&table(), from, step).unwrap();
        assert!((at(0.25, 0.1).largest_step_share - 0.4).abs() < 1e-12);
        assert_eq!(at(0.25, 0.1).recovery_s, 5.0, "the longer of both");
        assert!((at(0.9, 0.1).largest_step_share - 0.1).abs() < 1e-12);
        assert!(at(0.9, 0.1).allowed && !at(0.9, 0.11).allowed);
        assert_eq!(at(1.1, 0.1).largest_step_share, 0.0);
        assert!(at(1.1, 0.0).allowed && at(1.1, -0.5).allowed);
    }

    #[test]
    fn nothing_is_said_without_a_table_or_a_load() {
        assert_eq!(acceptance(&[], 0.0, 0.1), None);
        assert_eq!(acceptance(&table(), -0.1, 0.1), None);
        assert_eq!(acceptance(&table(), f64::NAN, 0.1), None);
        assert_eq!(acceptance(&table(), 0.1, f64::NAN), None);
    }

    #[test]
    fn first_step_by_mean_pressure() {
        for (bmep, share) in [(13.0, 0.6), (20.0, 0.4), (25.0, 0.32), (16.5, 0.5)] {
            assert!((first_step_share(bmep).unwrap() - share).abs() < 1e-12);
        }
        assert_eq!(first_step_share(12.9), None);
        assert_eq!(first_step_share(f64::NAN), None);
    }
}
