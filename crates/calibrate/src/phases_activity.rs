//! Whether a GPU works, rests, or does something in between, from power, utilisation and the power limit.

use crate::phases::Piece;

/// Share of the way from the lowest to the highest level at which a GPU works, and up to which it rests.
const WORKING: f64 = 0.35;
const RESTING: f64 = 0.12;

/// Share of the power limit below which nothing runs: GPUs with a context and nothing to do draw up to about a fifth of it (choice).
const RESTING_SHARE_OF_LIMIT: f64 = 0.2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activity {
    Resting,
    Between,
    Working,
}

/// What the pieces of a recording lie between.
pub(crate) struct Scale {
    floor: f64,
    span: f64,
    /// All of it is about one level.
    still: bool,
    anything_ran: bool,
    limit_w: Option<f64>,
    rests_at_floor: bool,
}

impl Scale {
    pub(crate) fn of(known: &[&Piece], (floor, top): (f64, f64), limit_w: Option<f64>) -> Self {
        let span = top - floor;
        Self {
            floor,
            span,
            still: span < (0.05 * top).max(10.0),
            anything_ran: known.iter().any(|p| p.utilisation.is_some_and(|u| u > 0.3)),
            limit_w,
            rests_at_floor: floor < 0.5 * top,
        }
    }

    /// None where nothing tells.
    pub(crate) fn activity(&self, p: &Piece) -> Option<Activity> {
        if p.period.is_some() || p.beat.is_some() {
            return Some(Activity::Working);
        }
        let share = if self.span > 0.0 {
            (p.level_w - self.floor) / self.span
        } else {
            0.0
        };
        if let Some(used) = p.utilisation.filter(|_| !self.anything_ran) {
            return Some(if used < 0.02 || self.still || share < RESTING {
                Activity::Resting
            } else if share < WORKING {
                Activity::Between
            } else {
                Activity::Working
            });
        }
        if let Some(used) = p.utilisation {
            // Utilisation says that something ran, power how much: a copy runs hardly anything.
            return Some(match used {
                u if u < 0.05 && (self.still || share < WORKING) => {
                    if self.still || share < RESTING {
                        Activity::Resting
                    } else {
                        Activity::Between
                    }
                }
                u if u > 0.3 && (self.still || share > 0.2 || !self.rests_at_floor) => {
                    Activity::Working
                }
                _ if share >= WORKING => Activity::Working,
                _ if share < RESTING => Activity::Resting,
                _ => Activity::Between,
            });
        }
        if self.still {
            return None;
        }
        if self
            .limit_w
            .is_some_and(|limit| p.level_w < RESTING_SHARE_OF_LIMIT * limit)
        {
            return Some(if (RESTING..WORKING).contains(&share) {
                Activity::Between
            } else {
                Activity::Resting
            });
        }
        Some(if !self.rests_at_floor || share >= WORKING {
            Activity::Working
        } else if share < RESTING {
            Activity::Resting
        } else {
            Activity::Between
        })
    }
}
