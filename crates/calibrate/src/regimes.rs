//! Levels of one kind of phase that are clearly apart: a power cap, another size of batch, another program.
//!
//! A profile has one level of each kind: that of the regime that lasts longest. The others are told in its notes and widen its range, and the replay
//! ([`crate::refit()`]) plays each stretch at the level of its own regime, as a study would with a profile for each.

/// Ratio of neighbouring levels above which they are two regimes: more than cards of one kind and a clock's wandering differ.
const APART: f64 = 1.06;

/// Widest regime, highest over lowest: levels that follow each other closely are no one level for it.
const WIDEST: f64 = 1.08;

/// Stretches of one kind at about one level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Regime {
    /// Mean level by time, watts.
    pub(crate) level_w: f64,
    /// Lowest and highest, watts.
    pub(crate) range_w: (f64, f64),
    /// Time together, seconds.
    pub(crate) seconds: f64,
    /// Number of stretches.
    pub(crate) stretches: usize,
}

impl Regime {
    /// Whether a stretch is one of its own.
    pub(crate) fn holds(&self, level_w: f64) -> bool {
        level_w >= self.range_w.0 && level_w <= self.range_w.1
    }
}

/// Regimes of stretches (level in watts, seconds), the longest first.
pub(crate) fn regimes(stretches: &[(f64, f64)]) -> Vec<Regime> {
    let mut sorted: Vec<(f64, f64)> = stretches.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut found: Vec<Regime> = Vec::new();
    for (level_w, seconds) in sorted {
        match found.last_mut() {
            Some(r) if same_regime(r.range_w.1, level_w) && level_w <= WIDEST * r.range_w.0 => {
                let total = r.seconds + seconds;
                if total > 0.0 {
                    r.level_w += (level_w - r.level_w) * seconds / total;
                }
                (r.range_w.1, r.seconds, r.stretches) = (level_w, total, r.stretches + 1);
            }
            _ => found.push(Regime {
                level_w,
                range_w: (level_w, level_w),
                seconds,
                stretches: 1,
            }),
        }
    }
    found.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    found
}

/// Whether two levels are of one regime.
pub(crate) fn same_regime(a_w: f64, b_w: f64) -> bool {
    let (low, high) = (a_w.min(b_w), a_w.max(b_w));
    high <= low * APART || high - low < 3.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cap_makes_a_regime_and_a_scatter_of_cards_none() {
        let found = regimes(&[(650.0, 60.0), (420.0, 50.0), (660.0, 80.0), (425.0, 20.0)]);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].stretches, found[1].stretches), (2, 2));
        assert!((found[0].level_w - 655.714).abs() < 0.01, "{found:?}");
        assert!(found[0].holds(650.0) && !found[0].holds(425.0));
    }
}
