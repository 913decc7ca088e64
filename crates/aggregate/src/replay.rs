//! The requests of a file, or of its rates, one after another.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use ballast_series::rng::Stream;

use crate::request_log::{LogUse, Rows};
use crate::traffic::exponential;
use crate::{RatePoint, Request, RequestLog};

/// A copy of a request that comes later; ordered by time, then by the order of drawing.
#[derive(Debug, Clone, Copy)]
struct Copied {
    request: Request,
    number: u64,
}

impl PartialEq for Copied {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Copied {}

impl PartialOrd for Copied {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Copied {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let by_time = self.request.at_s.total_cmp(&other.request.at_s);
        by_time.then(self.number.cmp(&other.number))
    }
}

/// Requests of a file in order of time, thinned or copied to its scale.
///
/// Below a scale of 1 each request stays with that probability, independently (thinning). Above, a request comes once at its own time
/// and again `scale − 1` times in the mean, each copy evenly up to `spread_s` later: the rate over longer times keeps its shape, and
/// copies do not come in one instant. A table of rates is a Poisson process of the rate times the scale, by thinning within each
/// stretch (Lewis and Shedler 1979).
#[derive(Debug, Clone)]
pub(crate) struct Replay {
    log: Arc<RequestLog>,
    how: LogUse,
    draws: Stream,
    /// Next row, and how often the file has begun again.
    row: usize,
    cycle: i64,
    copies: BinaryHeap<Reverse<Copied>>,
    copied: u64,
    next: Request,
}

impl Replay {
    /// Requests from `from_s` on; `draws` is a stream of the job.
    pub(crate) fn new(log: Arc<RequestLog>, how: LogUse, from_s: f64, draws: Stream) -> Self {
        let mut replay = Self {
            log,
            how,
            draws,
            row: 0,
            cycle: 0,
            copies: BinaryHeap::new(),
            copied: 0,
            next: Request::at(from_s),
        };
        if let Rows::Requests(rows) = &replay.log.rows {
            // Copies of requests before the start may come after it.
            let back_s = if how.scale > 1.0 { how.spread_s } else { 0.0 };
            let in_file_s = from_s - back_s + how.start_s;
            let (cycle, in_cycle_s) = match how.period_s {
                Some(period_s) => (
                    (in_file_s / period_s).floor(),
                    in_file_s.rem_euclid(period_s),
                ),
                None => (0.0, in_file_s),
            };
            replay.cycle = cycle as i64;
            replay.row = rows.partition_point(|r| r.at_s < in_cycle_s);
            replay.advance();
            while replay.next.at_s < from_s {
                replay.advance();
            }
        } else if how.mean_rate_per_s(&replay.log) > 0.0 {
            let cycle = how
                .period_s
                .map_or(0.0, |p| ((from_s + how.start_s) / p).floor());
            (replay.row, replay.cycle) = (1, cycle as i64);
            replay.advance();
        } else {
            replay.next.at_s = f64::INFINITY;
        }
        replay
    }

    /// The next request; its time is infinite if none comes.
    pub(crate) fn next(&self) -> Request {
        self.next
    }

    /// Goes on to the request after the next.
    pub(crate) fn advance(&mut self) {
        match &self.log.rows {
            Rows::Requests(_) => self.next = self.next_request(),
            Rows::Rates(_) => self.next.at_s = self.next_of_rates_s(self.next.at_s),
        }
    }

    fn next_request(&mut self) -> Request {
        loop {
            let own = self.row_at();
            if let Some(Reverse(copy)) = self.copies.peek()
                && copy.request.at_s <= own.at_s
            {
                let request = copy.request;
                self.copies.pop();
                return request;
            }
            if own.at_s == f64::INFINITY {
                return own;
            }
            self.row += 1;
            if self.how.scale < 1.0 {
                if self.draws.uniform() < self.how.scale {
                    return own;
                }
                continue;
            }
            if self.how.scale > 1.0 {
                self.copy(own);
            }
            return own;
        }
    }

    /// The row that is due, at its time in the run; past the last one, the first again or none.
    fn row_at(&mut self) -> Request {
        let Rows::Requests(rows) = &self.log.rows else {
            return Request::at(f64::INFINITY);
        };
        if self.row >= rows.len() && self.how.period_s.is_some() {
            self.row = 0;
            self.cycle += 1;
        }
        match rows.get(self.row) {
            None => Request::at(f64::INFINITY),
            Some(row) => Request {
                at_s: row.at_s + self.cycle as f64 * self.how.period_s.unwrap_or(0.0)
                    - self.how.start_s,
                ..*row
            },
        }
    }

    fn copy(&mut self, request: Request) {
        let more = self.how.scale - 1.0;
        let extra = u64::from(self.draws.uniform() < more.fract());
        for _ in 0..more.trunc() as u64 + extra {
            self.copied += 1;
            self.copies.push(Reverse(Copied {
                request: Request {
                    at_s: request.at_s + self.how.spread_s * self.draws.uniform(),
                    ..request
                },
                number: self.copied,
            }));
        }
    }

    /// The next request after `t_s` of a Poisson process at the rates of the file, stretch by stretch: `row` is the end of the
    /// present one, and past the last row the seam to the first row of the next cycle.
    fn next_of_rates_s(&mut self, mut t_s: f64) -> f64 {
        let Rows::Rates(points) = &self.log.rows else {
            return f64::INFINITY;
        };
        loop {
            let to = match (points.get(self.row), self.how.period_s, points.first()) {
                (Some(to), ..) => *to,
                (None, Some(at_s), Some(first)) if self.row == points.len() => RatePoint {
                    at_s,
                    per_s: first.per_s,
                },
                (None, Some(_), Some(_)) => {
                    self.row = 1;
                    self.cycle += 1;
                    continue;
                }
                (None, ..) => return f64::INFINITY,
            };
            let from = points[self.row - 1];
            let shift_s = self.cycle as f64 * self.how.period_s.unwrap_or(0.0) - self.how.start_s;
            let (from_s, to_s) = (from.at_s + shift_s, to.at_s + shift_s);
            t_s = t_s.max(from_s);
            let bound = self.how.scale * from.per_s.max(to.per_s);
            if t_s >= to_s || bound <= 0.0 {
                self.row += 1;
                continue;
            }
            t_s += exponential(&mut self.draws, 1.0 / bound);
            if t_s >= to_s {
                // An exponential time has no memory: the next stretch draws anew from its beginning.
                t_s = to_s;
                self.row += 1;
                continue;
            }
            let along = (t_s - from_s) / (to_s - from_s);
            let rate = self.how.scale * (from.per_s + (to.per_s - from.per_s) * along);
            if self.draws.uniform() * bound < rate {
                return t_s;
            }
        }
    }
}

#[cfg(test)]
#[path = "replay_tests.rs"]
mod tests;
