//! Requests over time: their rate, when they come, and how many tokens they have.

use ballast_series::rng::Stream;

use crate::replay::Replay;
use crate::{ArrivalSpec, HourFactor, Request, TokenSpec};

const DAY_H: f64 = 24.0;

/// Factor on the rate over the day.
#[derive(Debug, Clone)]
pub(crate) struct Diurnal {
    /// By rising hour; empty: 1 all day.
    points: Vec<HourFactor>,
    hour_at_start: f64,
}

impl Diurnal {
    pub(crate) fn new(points: &[HourFactor], hour_at_start: f64) -> Self {
        let mut points = points.to_vec();
        points.sort_by(|a, b| a.hour.total_cmp(&b.hour));
        Self {
            points,
            hour_at_start,
        }
    }

    /// Factor at `t_s`, between the neighbouring hours in a straight line, over midnight as well.
    pub(crate) fn at(&self, t_s: f64) -> f64 {
        let (Some(first), Some(last)) = (self.points.first(), self.points.last()) else {
            return 1.0;
        };
        let hour = (self.hour_at_start + t_s / 3600.0).rem_euclid(DAY_H);
        let after = self.points.partition_point(|p| p.hour <= hour);
        let shifted = |p: &HourFactor, by: f64| (p.hour + by, p.factor);
        let (h0, f0) = match after {
            0 => shifted(last, -DAY_H),
            n => shifted(&self.points[n - 1], 0.0),
        };
        let (h1, f1) = self
            .points
            .get(after)
            .map_or(shifted(first, DAY_H), |p| shifted(p, 0.0));
        if h1 <= h0 {
            return f0;
        }
        f0 + (f1 - f0) * (hour - h0) / (h1 - h0)
    }

    /// Largest factor of the day.
    pub(crate) fn most(&self) -> f64 {
        if self.points.is_empty() {
            return 1.0;
        }
        self.points.iter().map(|p| p.factor).fold(0.0, f64::max)
    }

    /// Mean factor over a day.
    pub(crate) fn mean(&self) -> f64 {
        let (Some(first), Some(last)) = (self.points.first(), self.points.last()) else {
            return 1.0;
        };
        let inner: f64 = self
            .points
            .windows(2)
            .map(|w| 0.5 * (w[0].factor + w[1].factor) * (w[1].hour - w[0].hour))
            .sum();
        let over_midnight = 0.5 * (first.factor + last.factor) * (first.hour + DAY_H - last.hour);
        (inner + over_midnight) / DAY_H
    }
}

/// Mean rate of the arrivals without the factor of the day, 1/s; 0 for a file, which says it itself.
pub(crate) fn mean_rate_per_s(arrivals: &ArrivalSpec) -> f64 {
    match arrivals {
        ArrivalSpec::Poisson { requests_per_s } => *requests_per_s,
        ArrivalSpec::File { .. } => 0.0,
        ArrivalSpec::Mmpp {
            low_per_s,
            high_per_s,
            mean_low_s,
            mean_high_s,
        } => (low_per_s * mean_low_s + high_per_s * mean_high_s) / (mean_low_s + mean_high_s),
    }
}

/// Highest rate of the arrivals without the factor of the day, 1/s; 0 for a file.
pub(crate) fn highest_rate_per_s(arrivals: &ArrivalSpec) -> f64 {
    match arrivals {
        ArrivalSpec::Poisson { requests_per_s } => *requests_per_s,
        ArrivalSpec::File { .. } => 0.0,
        ArrivalSpec::Mmpp {
            low_per_s,
            high_per_s,
            ..
        } => low_per_s.max(*high_per_s),
    }
}

/// A time with this mean, exponential.
pub(crate) fn exponential(stream: &mut Stream, mean_s: f64) -> f64 {
    -mean_s * libm::log(stream.uniform())
}

/// The requests of a job, one after another.
#[derive(Debug, Clone)]
pub(crate) enum Arrivals {
    Drawn(Drawn),
    Replay(Replay),
}

impl Arrivals {
    /// The next request; its time is infinite if none comes.
    pub(crate) fn next(&self) -> Request {
        match self {
            Self::Drawn(drawn) => Request::at(drawn.next_s),
            Self::Replay(replay) => replay.next(),
        }
    }

    /// Goes on to the request after the next.
    pub(crate) fn advance(&mut self) {
        match self {
            Self::Drawn(drawn) => drawn.advance(),
            Self::Replay(replay) => replay.advance(),
        }
    }
}

/// A Poisson process with one rate, or two.
#[derive(Debug, Clone, Copy)]
struct Rates {
    low_per_s: f64,
    high_per_s: f64,
    /// Mean stays in both states, seconds; `None` for a single rate, the low one.
    stays: Option<(f64, f64)>,
}

impl Rates {
    fn new(spec: &ArrivalSpec) -> Self {
        match *spec {
            ArrivalSpec::Mmpp {
                low_per_s,
                high_per_s,
                mean_low_s,
                mean_high_s,
            } => Self {
                low_per_s,
                high_per_s,
                stays: Some((mean_low_s, mean_high_s)),
            },
            ArrivalSpec::Poisson { .. } | ArrivalSpec::File { .. } => {
                let rate = highest_rate_per_s(spec);
                Self {
                    low_per_s: rate,
                    high_per_s: rate,
                    stays: None,
                }
            }
        }
    }
}

/// Requests that are drawn.
///
/// Within a state of the rate, candidates come at the rate times the day's largest factor, and each is kept with the share
/// `factor(t) / largest` (thinning: Lewis and Shedler, Naval Research Logistics Quarterly 26, 1979): exact for any factor.
/// At a change of state the next candidate is drawn anew, as an exponential time has no memory.
#[derive(Debug, Clone)]
pub(crate) struct Drawn {
    rates: Rates,
    diurnal: Diurnal,
    most: f64,
    gaps: Stream,
    states: Stream,
    high: bool,
    /// End of the present state, seconds; infinite if there is only one.
    state_end_s: f64,
    /// The next request, seconds; infinite if none comes.
    next_s: f64,
}

impl Drawn {
    /// From `start_s` on. `gaps` and `states` are streams of the job. Of a file there is nothing to draw: no request comes.
    pub(crate) fn new(
        spec: &ArrivalSpec,
        diurnal: Diurnal,
        start_s: f64,
        gaps: Stream,
        states: Stream,
    ) -> Self {
        let most = diurnal.most();
        let mut arrivals = Self {
            rates: Rates::new(spec),
            diurnal,
            most,
            gaps,
            states,
            high: false,
            state_end_s: f64::INFINITY,
            next_s: start_s,
        };
        if let Some((mean_low_s, mean_high_s)) = arrivals.rates.stays {
            arrivals.high = arrivals.states.uniform() < mean_high_s / (mean_low_s + mean_high_s);
            arrivals.state_end_s = start_s + arrivals.stay();
        }
        arrivals.advance();
        arrivals
    }

    fn stay(&mut self) -> f64 {
        let Some((mean_low_s, mean_high_s)) = self.rates.stays else {
            return f64::INFINITY;
        };
        let mean_s = if self.high { mean_high_s } else { mean_low_s };
        exponential(&mut self.states, mean_s)
    }

    fn rate_per_s(&self) -> f64 {
        if self.high {
            self.rates.high_per_s
        } else {
            self.rates.low_per_s
        }
    }

    fn advance(&mut self) {
        // No rate in any state: nothing will ever come.
        if self.rates.low_per_s.max(self.rates.high_per_s) * self.most <= 0.0 {
            self.next_s = f64::INFINITY;
            return;
        }
        let mut t_s = self.next_s;
        loop {
            let bound = self.rate_per_s() * self.most;
            let candidate_s = if bound > 0.0 {
                t_s + exponential(&mut self.gaps, 1.0 / bound)
            } else {
                f64::INFINITY
            };
            if candidate_s >= self.state_end_s {
                t_s = self.state_end_s;
                self.high = !self.high;
                self.state_end_s = t_s + self.stay();
                continue;
            }
            t_s = candidate_s;
            let factor = self.diurnal.at(t_s);
            if factor >= self.most || self.gaps.uniform() * self.most < factor {
                self.next_s = t_s;
                return;
            }
        }
    }
}

/// Draws numbers of tokens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tokens {
    mean: f64,
    mu: f64,
    sigma: f64,
}

impl Tokens {
    /// `σ² = ln(1 + cv²)`, `μ = ln mean − σ²/2`.
    pub(crate) fn new(spec: TokenSpec) -> Self {
        let variance = libm::log1p(spec.cv * spec.cv);
        Self {
            mean: spec.mean,
            mu: libm::log(spec.mean) - 0.5 * variance,
            sigma: variance.sqrt(),
        }
    }

    /// What the request says, one at least; a draw if it says nothing.
    pub(crate) fn known_or_drawn(&self, known: Option<f32>, stream: &mut Stream) -> f64 {
        known.map_or_else(|| self.draw(stream), |n| f64::from(n).max(1.0))
    }

    pub(crate) fn draw(&self, stream: &mut Stream) -> f64 {
        if self.sigma == 0.0 {
            return self.mean.max(1.0);
        }
        libm::exp(self.mu + self.sigma * stream.normal()).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(name: &str) -> Stream {
        Stream::new(7, name, 0, 0)
    }

    fn arrivals(spec: &ArrivalSpec, points: &[HourFactor]) -> Drawn {
        Drawn::new(
            spec,
            Diurnal::new(points, 0.0),
            0.0,
            stream("gaps"),
            stream("states"),
        )
    }

    fn count(mut a: Drawn, windows: usize, window_s: f64) -> Vec<f64> {
        let mut counts = vec![0.0; windows];
        while a.next_s < windows as f64 * window_s {
            counts[(a.next_s / window_s) as usize] += 1.0;
            a.advance();
        }
        counts
    }

    fn moments(x: &[f64]) -> (f64, f64) {
        let n = x.len() as f64;
        let mean = x.iter().sum::<f64>() / n;
        (mean, x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n)
    }

    #[test]
    fn poisson_counts_have_the_variance_of_their_mean() {
        let counts = count(
            arrivals(
                &ArrivalSpec::Poisson {
                    requests_per_s: 5.0,
                },
                &[],
            ),
            20_000,
            2.0,
        );
        let (mean, variance) = moments(&counts);
        assert!((mean - 10.0).abs() < 0.1, "{mean}");
        assert!((variance / mean - 1.0).abs() < 0.05, "{variance}");
    }

    #[test]
    fn bursts_have_the_mean_and_the_dispersion_of_the_two_state_process() {
        let spec = ArrivalSpec::Mmpp {
            low_per_s: 2.0,
            high_per_s: 20.0,
            mean_low_s: 3.0,
            mean_high_s: 1.0,
        };
        let (mean, variance) = moments(&count(arrivals(&spec, &[]), 20_000, 10.0));
        assert!(
            (mean / 10.0 / mean_rate_per_s(&spec) - 1.0).abs() < 0.02,
            "{mean}"
        );
        // Var N(T) = λT + 2 p(1−p) Δ² τ² (T/τ − 1 + e^(−T/τ)), p = 1/4, Δ = 18, τ = 0.75 s.
        let (tau, t): (f64, f64) = (0.75, 10.0);
        let expected = 65.0 + 2.0 * 0.1875 * 324.0 * tau * tau * (t / tau - 1.0 + (-t / tau).exp());
        assert!(
            (variance / expected - 1.0).abs() < 0.05,
            "{variance} {expected}"
        );
    }

    #[test]
    fn the_day_scales_the_rate() {
        let points = [
            HourFactor {
                hour: 18.0,
                factor: 1.5,
            },
            HourFactor {
                hour: 6.0,
                factor: 0.5,
            },
        ];
        let d = Diurnal::new(&points, 0.0);
        assert_eq!(d.at(0.0), 1.0);
        assert_eq!(d.at(6.0 * 3600.0), 0.5);
        assert_eq!(d.at(12.0 * 3600.0), 1.0);
        assert_eq!(d.at(48.0 * 3600.0), 1.0);
        assert!((d.mean() - 1.0).abs() < 1e-12);
        let hours = count(
            arrivals(
                &ArrivalSpec::Poisson {
                    requests_per_s: 2.0,
                },
                &points,
            ),
            24,
            3600.0,
        );
        for (h, n) in hours.iter().enumerate() {
            let expected = 7200.0 * d.at((h as f64 + 0.5) * 3600.0);
            assert!(
                (n - expected).abs() < 5.0 * expected.sqrt() + 10.0,
                "{h}: {n} {expected}"
            );
        }
    }

    #[test]
    fn no_rate_no_requests() {
        assert_eq!(
            arrivals(
                &ArrivalSpec::Poisson {
                    requests_per_s: 0.0
                },
                &[]
            )
            .next_s,
            f64::INFINITY
        );
        let zero = [HourFactor {
            hour: 0.0,
            factor: 0.0,
        }];
        assert_eq!(
            arrivals(
                &ArrivalSpec::Poisson {
                    requests_per_s: 3.0
                },
                &zero
            )
            .next_s,
            f64::INFINITY
        );
    }

    #[test]
    fn tokens_have_the_stated_mean_and_spread() {
        let tokens = Tokens::new(TokenSpec {
            mean: 500.0,
            cv: 1.0,
        });
        let mut s = stream("tokens");
        let draws: Vec<_> = (0..200_000).map(|_| tokens.draw(&mut s)).collect();
        let (mean, variance) = moments(&draws);
        assert!((mean / 500.0 - 1.0).abs() < 0.01, "{mean}");
        assert!((variance.sqrt() / mean - 1.0).abs() < 0.04, "{variance}");
    }
}
