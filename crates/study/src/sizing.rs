//! The grid of a sweep over numbers, and the smallest value that passes.
//!
//! Nothing here runs a scenario: the caller says whether a value passes. Passing is expected to go one way: what a value passes, a
//! larger one passes. Every value that was tried is checked against that, and a place where it does not hold is told.

use serde::Serialize;

/// Most runs that look for the smallest value between two of the grid.
const MOST_STEPS: u32 = 30;

/// Values from one end to the other, in even steps of the value or of its logarithm; whole numbers once each.
///
/// `from`, `to` finite and, with `log`, positive; `points` at least 2, else `from` alone.
pub fn grid(from: f64, to: f64, points: u32, log: bool, integer: bool) -> Vec<f64> {
    let last = f64::from(points.saturating_sub(1));
    let mut values: Vec<f64> = (0..points)
        .map(|k| {
            let share = f64::from(k) / last;
            match k {
                0 => from,
                // The ends are the ends, to the last bit.
                k if k + 1 == points => to,
                _ if log => from * libm::pow(to / from, share),
                _ => from + share * (to - from),
            }
        })
        .map(|v| if integer { v.round() } else { rounded(v) })
        .collect();
    values.dedup();
    values
}

/// Nine significant digits: enough for any value that a person gives, and short where it is printed.
fn rounded(value: f64) -> f64 {
    format!("{value:.8e}").parse().unwrap_or(value)
}

/// One value that was tried.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Tried {
    /// The value.
    pub value: f64,
    /// Whether it passes.
    pub passes: bool,
}

/// What came of looking for the smallest value.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Smallest {
    /// Found between two values that were tried.
    Found {
        /// The smallest value that passes, as near as was asked.
        value: f64,
        /// The largest value below it that was tried; it does not pass.
        fails_at: f64,
    },
    /// The least value of the range passes: the smallest may lie below it.
    BelowRange {
        /// That value.
        value: f64,
    },
    /// No value of the range passes.
    NonePasses {
        /// The largest that was tried.
        up_to: f64,
    },
}

/// The smallest value that passes, the values tried for it in rising order, and where passing does not go one way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sized {
    /// What was found.
    #[serde(flatten)]
    pub smallest: Smallest,
    /// All values that were tried, the grid's included.
    pub tried: Vec<Tried>,
    /// A value that passes and a larger one that does not; absent where passing goes one way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_monotone: Option<(f64, f64)>,
}

/// Looks for the smallest value that passes, between the values of the grid (`tried`, in rising order, at least one).
///
/// Halves the gap below the lowest value from which on all of the grid pass, until it is a `tolerance` share of the value that
/// passes, or 1 for whole numbers. Where none passes up to the end of the grid, nothing is looked for.
///
/// # Errors
/// What `passes` gives.
pub fn smallest<E>(
    mut tried: Vec<Tried>,
    integer: bool,
    tolerance: f64,
    mut passes: impl FnMut(f64) -> Result<bool, E>,
) -> Result<Sized, E> {
    let from = tried.iter().rposition(|t| !t.passes).map_or(0, |k| k + 1);
    let (first, last) = (tried.first().copied(), tried.last().copied());
    let Some(((first, last), passing)) = first.zip(last).zip(tried.get(from).copied()) else {
        let up_to = last.map_or(0.0, |t| t.value);
        return Ok(told(tried, Smallest::NonePasses { up_to }));
    };
    debug_assert!(first.value <= last.value);
    if from == 0 {
        return Ok(told(tried, Smallest::BelowRange { value: first.value }));
    }
    let (mut fails, mut value) = (tried[from - 1].value, passing.value);
    for _ in 0..MOST_STEPS {
        let near = if integer {
            value - fails <= 1.0
        } else {
            value - fails <= tolerance * value.abs()
        };
        let middle = f64::midpoint(fails, value);
        let middle = if integer {
            middle.floor()
        } else {
            rounded(middle)
        };
        if near || middle <= fails || middle >= value {
            break;
        }
        let ok = passes(middle)?;
        tried.push(Tried {
            value: middle,
            passes: ok,
        });
        *(if ok { &mut value } else { &mut fails }) = middle;
    }
    tried.sort_by(|a, b| a.value.total_cmp(&b.value));
    let smallest = Smallest::Found {
        value,
        fails_at: fails,
    };
    Ok(told(tried, smallest))
}

fn told(tried: Vec<Tried>, smallest: Smallest) -> Sized {
    let passing = tried.iter().position(|t| t.passes);
    let not_monotone = passing.and_then(|k| {
        let after = tried[k..].iter().find(|t| !t.passes)?;
        Some((tried[k].value, after.value))
    });
    Sized {
        smallest,
        tried,
        not_monotone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn found(values: &[f64], integer: bool, tolerance: f64, ok: impl Fn(f64) -> bool) -> Sized {
        let tried = values
            .iter()
            .map(|&value| Tried {
                value,
                passes: ok(value),
            })
            .collect();
        let Ok(sized) = smallest(tried, integer, tolerance, |v| Ok::<_, Infallible>(ok(v)));
        sized
    }

    #[test]
    fn grids_hold_their_ends() {
        assert_eq!(grid(0.0, 1.0, 3, false, false), [0.0, 0.5, 1.0]);
        assert_eq!(
            grid(1.0, 1000.0, 4, true, false),
            [1.0, 10.0, 100.0, 1000.0]
        );
        assert_eq!(grid(1.0, 4.0, 9, false, true), [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(grid(2.5, 9.0, 1, false, false), [2.5]);
        assert_eq!(grid(0.1, 0.3, 3, false, false), [0.1, 0.2, 0.3]);
        assert!(grid(0.1, 0.3, 0, false, false).is_empty());
    }

    #[test]
    fn bisection_comes_as_near_as_was_asked() {
        let sized = found(&[0.0, 50.0, 100.0], false, 0.01, |v| v >= 62.5 + 1e-9);
        let Smallest::Found { value, fails_at } = sized.smallest else {
            panic!("{sized:?}")
        };
        assert!(fails_at <= 62.5 && value > 62.5 && value - fails_at <= 0.01 * value);
        assert!(sized.tried.len() <= 3 + 8, "{sized:?}");
        assert_eq!(sized.not_monotone, None);
    }

    #[test]
    fn whole_numbers_are_found_exactly() {
        for least in 2..=40 {
            let sized = found(&[1.0, 20.0, 40.0], true, 0.01, |v| v >= f64::from(least));
            let value = f64::from(least);
            let fails_at = value - 1.0;
            assert_eq!(sized.smallest, Smallest::Found { value, fails_at });
        }
    }

    #[test]
    fn the_ends_of_the_range_are_told() {
        let below = found(&[1.0, 2.0], false, 0.01, |_| true);
        assert_eq!(below.smallest, Smallest::BelowRange { value: 1.0 });
        let none = found(&[1.0, 2.0], false, 0.01, |_| false);
        assert_eq!(none.smallest, Smallest::NonePasses { up_to: 2.0 });
        let empty = found(&[], false, 0.01, |_| true);
        assert_eq!(empty.smallest, Smallest::NonePasses { up_to: 0.0 });
    }

    /// A value that passes below one that fails is no answer: more of it does not keep passing.
    #[test]
    fn what_does_not_go_one_way_is_told() {
        let sized = found(&[1.0, 2.0, 3.0, 4.0], true, 0.01, |v| v == 2.0 || v > 3.5);
        assert_eq!(
            sized.smallest,
            Smallest::Found {
                value: 4.0,
                fails_at: 3.0
            }
        );
        assert_eq!(sized.not_monotone, Some((2.0, 3.0)));
        // Fails at the end: there is no value from which on all pass.
        let sized = found(&[1.0, 2.0, 3.0], true, 0.01, |v| v < 2.5);
        assert_eq!(sized.smallest, Smallest::NonePasses { up_to: 3.0 });
        assert_eq!(sized.not_monotone, Some((1.0, 3.0)));
    }
}
