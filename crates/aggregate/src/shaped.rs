//! Power smoothing in the group engine: what a cohort adds to its rack's sums within its envelope.

use ballast_profile::PhaseKind;

use crate::bend::{Bend, FAR, Held, hold};
use crate::clamp::excess;
use crate::follow::{Grid, Part};
use crate::smoothing::{Budget, Envelope, Shaper};
use crate::smoothing_report::Ledger;
use crate::timeline::Point;

/// A cohort whose GPUs smooth their power.
#[derive(Debug, Clone)]
pub(crate) struct Shaped {
    shaper: Shaper,
    /// Variance of its fluctuation that is in step with other cohorts, 0 to 1.
    shared: f64,
    peaks: Option<Peaks>,
    ledger: Ledger,
    /// What each GPU adds to the ledger at every step from `since` on.
    rate: Ledger,
    since: Option<u64>,
}

/// Limits on averages, followed for the cohort's mean.
#[derive(Debug, Clone)]
struct Peaks {
    budgets: [Budget; 2],
    /// Whether some level is above TDP, so that a mean is cut and not only what fluctuates above it.
    binds: bool,
    averages_w: [f64; 2],
    settled: bool,
}

/// Averages closer than this share of the power are at it.
const SETTLED: f64 = 1e-6;

impl Shaped {
    /// `highest_w` is the highest mean power of its profile's phases.
    pub(crate) fn new(shaper: Shaper, shared: f64, highest_w: f64, dt_s: f64) -> Self {
        let peaks = shaper.smoothing.and_then(|s| s.peaks).map(|p| Peaks {
            budgets: p.budgets(dt_s),
            binds: highest_w > p.tdp_w,
            averages_w: [0.0; 2],
            settled: false,
        });
        Self {
            shaper,
            shared,
            peaks,
            ledger: Ledger::default(),
            rate: Ledger::default(),
            since: None,
        }
    }

    /// What `gpus` GPUs add at `sample`, and the first later sample at which that may change of itself.
    pub(crate) fn at(
        &mut self,
        sample: u64,
        dt_s: f64,
        (point, phase): (Point, PhaseKind),
        (gpus, own): (f64, f64),
        a: f64,
        grid: &Grid,
    ) -> (Part, Bend, u64) {
        let (t_s, early_s) = (sample as f64 * dt_s, 1e-6 * dt_s);
        let rises = self.shaper.rises;
        let envelope = self.shaper.at(t_s, early_s, phase, point.mean_w);
        let mut due = due(self.shaper.due_s(t_s), sample, dt_s);
        let first = self.since.is_none();
        let upper_w = self.upper_w(point, envelope, first).min(envelope.cap_w);
        let held = hold(point, envelope.floor_w, upper_w, self.shared);
        if let Some(peaks) = &mut self.peaks {
            peaks.follow(held.mean_w, first);
            if peaks.binds && !peaks.settled {
                due = sample + 1;
            }
        }
        self.book(sample, rate(point, envelope, upper_w, &held));
        self.ledger.rises += f64::from(self.shaper.rises - rises);
        let (part, bend) = grid.held(&held, gpus, own * point.sigma_w * point.sigma_w, a);
        (part, bend, due)
    }

    /// Most that the limits on peaks allow, W. The averages of single GPUs are not known: what fluctuates is held at the limit
    /// itself over the short window and not at all over the long one, the mean by its own averages.
    fn upper_w(&self, point: Point, envelope: Envelope, first: bool) -> f64 {
        let Some(peaks) = &self.peaks else {
            return f64::INFINITY;
        };
        let [short, long] = peaks.budgets;
        let wants_w = point.mean_w.max(envelope.floor_w);
        let allowed = |budget: Budget, average_w: f64| {
            if first {
                budget.limit_w
            } else {
                budget.allows_w(average_w).max(budget.limit_w)
            }
        };
        let over = |budget: Budget, average_w: f64, free_w: f64| {
            if wants_w > budget.limit_w {
                allowed(budget, average_w)
            } else {
                free_w
            }
        };
        let short_w = over(short, peaks.averages_w[0], short.limit_w);
        short_w.min(over(long, peaks.averages_w[1], f64::INFINITY))
    }

    /// Takes the steps since the last look into the ledger; from now on each GPU adds `rate`.
    fn book(&mut self, sample: u64, rate: Ledger) {
        if self.since.is_some() && rate == self.rate {
            return;
        }
        self.ledger = self.so_far(sample);
        (self.rate, self.since) = (rate, Some(sample));
    }

    /// The ledger of one GPU with all samples before `sample`.
    pub(crate) fn so_far(&self, sample: u64) -> Ledger {
        let mut ledger = self.ledger;
        let steps = self.since.map_or(0, |s| sample.saturating_sub(s));
        ledger.add(self.rate, steps as f64);
        ledger
    }
}

impl Peaks {
    fn follow(&mut self, power_w: f64, first: bool) {
        if first {
            self.averages_w = [power_w; 2];
        }
        self.settled = true;
        for (average_w, budget) in self.averages_w.iter_mut().zip(self.budgets) {
            let next_w = budget.next(*average_w, power_w);
            if (next_w - power_w).abs() <= SETTLED * power_w.abs() {
                *average_w = power_w;
            } else {
                *average_w = next_w;
                self.settled = false;
            }
        }
    }
}

/// First sample after `sample` that is not before `due_s`, at most one early.
fn due(due_s: f64, sample: u64, dt_s: f64) -> u64 {
    let before = due_s / dt_s * (1.0 - 1e-15) - 2e-6;
    (before as u64).max(sample).saturating_add(1)
}

/// Expected power and shares of one GPU at a step.
fn rate(point: Point, envelope: Envelope, upper_w: f64, held: &Held) -> Ledger {
    let (m, sigma) = (point.mean_w, point.sigma_w);
    // What is far away does nothing, as in `hold`.
    let beyond = |mean_w: f64, limit_w: f64| {
        if limit_w - mean_w < FAR * sigma || limit_w <= mean_w {
            excess(mean_w, sigma, limit_w)
        } else {
            (0.0, 0.0)
        }
    };
    let above = |limit_w: f64| beyond(m, limit_w);
    let (over_cap, deferred) = above(envelope.cap_w);
    let (over_peak, over_peak_w) = if upper_w < envelope.cap_w {
        above(upper_w)
    } else {
        (over_cap, deferred)
    };
    let (fills, fill) = if envelope.floor_w > 0.0 && upper_w - m >= FAR * sigma {
        (held.under, held.mean_w - m)
    } else if envelope.floor_w > 0.0 {
        beyond(-m, -envelope.floor_w)
    } else {
        (0.0, 0.0)
    };
    let (secondary, at_secondary, floor, at_floor) = if envelope.secondary {
        (fill, fills, 0.0, 0.0)
    } else {
        (0.0, 0.0, fill, fills)
    };
    Ledger {
        work: m - deferred,
        floor,
        secondary,
        deferred,
        cut: over_peak_w - deferred,
        time: 1.0,
        at_floor,
        at_secondary,
        at_cap: over_cap,
        at_peak: over_peak - over_cap,
        rises: 0.0,
    }
}

impl Grid {
    /// What `gpus` GPUs held within their limits add to the sums; `variance` is that of their nodes' and own terms, unheld.
    fn held(&self, held: &Held, gpus: f64, variance: f64, a: f64) -> (Part, Bend) {
        let variance = variance * held.own;
        let part = self.part(gpus * held.base_w, gpus * held.spread_w, variance, a);
        let corner = |c: [f64; 3]| c.map(|w| self.bend(gpus * w));
        let bend = Bend {
            floor: corner(held.floor),
            cap: corner(held.cap),
            mean_w: self.mean(gpus * (held.mean_w - held.base_w)),
        };
        (part, bend)
    }
}
