//! Requests as a file has them, and what a service makes of the file.

use crate::ArrivalSpec;

/// Requests per second at most; beyond, requests on their way to the replicas would not fit into memory.
pub(crate) const HIGHEST_RATE_PER_S: f64 = 1e6;

/// The highest rate of single requests is that over so long, seconds.
const RATE_WINDOW_S: f64 = 60.0;

/// One request. Tokens that are not known are drawn from the job's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Request {
    /// Time of its arrival, seconds.
    pub at_s: f64,
    /// Tokens of its prompt; fewer than one count as one.
    pub prompt_tokens: Option<f32>,
    /// Tokens of its answer; fewer than one count as one.
    pub output_tokens: Option<f32>,
}

impl Request {
    /// A request of which only the time is known.
    pub fn at(at_s: f64) -> Self {
        Self {
            at_s,
            prompt_tokens: None,
            output_tokens: None,
        }
    }
}

/// A point of a rate over time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatePoint {
    /// Time, seconds.
    pub at_s: f64,
    /// Requests per second.
    pub per_s: f64,
}

/// Why rows are no requests, or no rates.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum RequestLogError {
    /// There is no row.
    #[error("there is no row")]
    Empty,
    /// A time is earlier than the one before it, or not finite.
    #[error("time {at_s} s of row {row} is earlier than the time before it, or not finite")]
    Order {
        /// Row, from 1.
        row: usize,
        /// Its time, seconds.
        at_s: f64,
    },
    /// A number of tokens is negative or not finite.
    #[error("{tokens} tokens in row {row}")]
    Tokens {
        /// Row, from 1.
        row: usize,
        /// The number.
        tokens: f32,
    },
    /// A rate is negative or not finite.
    #[error("a rate of {per_s} requests per second in row {row}")]
    Rate {
        /// Row, from 1.
        row: usize,
        /// The rate, 1/s.
        per_s: f64,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Rows {
    Requests(Vec<Request>),
    Rates(Vec<RatePoint>),
}

/// The rows of a file of requests, or of rates joined by straight lines; times count from the first row.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestLog {
    pub(crate) rows: Rows,
}

/// Subtracts the first time from all; the row that is out of order otherwise.
fn count_from_first<T>(
    rows: &mut [T],
    at_s: impl Fn(&mut T) -> &mut f64,
) -> Result<(), RequestLogError> {
    let first_s = *at_s(rows.first_mut().ok_or(RequestLogError::Empty)?);
    let mut before_s = f64::NEG_INFINITY;
    for (i, row) in rows.iter_mut().enumerate() {
        let t_s = at_s(row);
        if !t_s.is_finite() || *t_s < before_s {
            let (row, at_s) = (i + 1, *t_s);
            return Err(RequestLogError::Order { row, at_s });
        }
        before_s = *t_s;
        *t_s -= first_s;
    }
    Ok(())
}

impl RequestLog {
    /// Requests in order of time; several may come at once.
    ///
    /// # Errors
    /// No row, a time before the one above it, tokens that are negative or not finite.
    pub fn requests(mut requests: Vec<Request>) -> Result<Self, RequestLogError> {
        count_from_first(&mut requests, |r| &mut r.at_s)?;
        for (i, request) in requests.iter().enumerate() {
            let both = [request.prompt_tokens, request.output_tokens];
            if let Some(tokens) = both
                .into_iter()
                .flatten()
                .find(|n| !n.is_finite() || *n < 0.0)
            {
                return Err(RequestLogError::Tokens { row: i + 1, tokens });
            }
        }
        Ok(Self {
            rows: Rows::Requests(requests),
        })
    }

    /// Rates in order of time; two at one time are a step.
    ///
    /// # Errors
    /// No row, a time before the one above it, a rate that is negative or not finite.
    pub fn rates(mut points: Vec<RatePoint>) -> Result<Self, RequestLogError> {
        count_from_first(&mut points, |p| &mut p.at_s)?;
        let good = |p: &RatePoint| p.per_s.is_finite() && p.per_s >= 0.0;
        if let Some(i) = points.iter().position(|p| !good(p)) {
            return Err(RequestLogError::Rate {
                row: i + 1,
                per_s: points[i].per_s,
            });
        }
        Ok(Self {
            rows: Rows::Rates(points),
        })
    }

    /// Rows.
    pub fn len(&self) -> usize {
        match &self.rows {
            Rows::Requests(rows) => rows.len(),
            Rows::Rates(rows) => rows.len(),
        }
    }

    /// Whether there is no row; never, as both constructors refuse it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Time from the first row to the last, seconds.
    pub fn span_s(&self) -> f64 {
        match &self.rows {
            Rows::Requests(rows) => rows.last().map_or(0.0, |r| r.at_s),
            Rows::Rates(rows) => rows.last().map_or(0.0, |r| r.at_s),
        }
    }

    /// Mean rate over `period_s`, or over the span of the file (a second at least), 1/s.
    fn mean_rate_per_s(&self, period_s: Option<f64>) -> f64 {
        let over_s = period_s.unwrap_or_else(|| self.span_s().max(1.0));
        match &self.rows {
            Rows::Requests(rows) => rows.len() as f64 / over_s,
            Rows::Rates(rows) => {
                let inner: f64 = rows
                    .windows(2)
                    .map(|p| 0.5 * (p[0].per_s + p[1].per_s) * (p[1].at_s - p[0].at_s))
                    .sum();
                let ends = rows.first().zip(rows.last());
                let seam = ends.zip(period_s).map_or(0.0, |((first, last), period_s)| {
                    0.5 * (first.per_s + last.per_s) * (period_s - last.at_s)
                });
                (inner + seam) / over_s
            }
        }
    }

    /// Highest rate, 1/s: of single requests, over the fullest of all stretches of a minute, or of a bit less so that a whole number of them
    /// makes up the span. One of those is as full as the mean at least, so the highest rate is never below the mean.
    fn highest_rate_per_s(&self) -> f64 {
        match &self.rows {
            Rows::Requests(rows) => {
                let span_s = self.span_s().max(1.0);
                let window_s = span_s / (span_s / RATE_WINDOW_S).ceil();
                // Requests on both ends count, as they do in the mean.
                let longest_s = window_s * (1.0 + 1e-9);
                let (mut from, mut most) = (0, 0);
                for (to, row) in rows.iter().enumerate() {
                    while row.at_s - rows[from].at_s > longest_s {
                        from += 1;
                    }
                    most = most.max(to - from + 1);
                }
                most as f64 / window_s
            }
            Rows::Rates(rows) => rows.iter().map(|p| p.per_s).fold(0.0, f64::max),
        }
    }

    /// Mean tokens of prompt and answer, with those of the job where the file has none.
    pub(crate) fn mean_tokens(&self, prompt: f64, output: f64) -> (f64, f64) {
        let Rows::Requests(rows) = &self.rows else {
            return (prompt, output);
        };
        let mean = |of: fn(&Request) -> Option<f32>, other: f64| {
            let sum: f64 = rows
                .iter()
                .map(|r| of(r).map_or(other, |n| f64::from(n).max(1.0)))
                .sum();
            sum / rows.len().max(1) as f64
        };
        (
            mean(|r| r.prompt_tokens, prompt),
            mean(|r| r.output_tokens, output),
        )
    }

    /// What keeps this file from serving `arrivals` over a run that ends at `end_s`: key below `arrivals`, what is wrong, what would be right.
    pub fn problems(
        &self,
        arrivals: &ArrivalSpec,
        end_s: f64,
    ) -> Vec<(&'static str, String, String)> {
        let Some(use_) = LogUse::new(arrivals) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        let span_s = self.span_s();
        if let Some(period_s) = use_.period_s
            && period_s < span_s
        {
            found.push((
                "repeat_every_s",
                format!(
                    "the file is {span_s} s long and would begin again after {period_s} s, before its end"
                ),
                format!("give {span_s} s or more"),
            ));
            return found;
        }
        if use_.period_s.is_none() && use_.start_s > span_s {
            found.push((
                "start_s",
                format!(
                    "start_s = {} s lies beyond the last row, {span_s} s after the first: no request would come",
                    use_.start_s
                ),
                "choose a start inside the file, or set repeat_every_s".to_owned(),
            ));
        }
        let highest = self
            .highest_rate_per_s()
            .max(self.mean_rate_per_s(use_.period_s))
            * use_.scale;
        if highest > HIGHEST_RATE_PER_S {
            found.push((
                "scale",
                format!("the file and its scale come to {highest:.3e} requests per second"),
                format!(
                    "at most {HIGHEST_RATE_PER_S:e}; lower the scale, or state the right time_unit"
                ),
            ));
        }
        // Of single requests none may lie in a short run; a table of rates has them all along.
        let none_comes = match &self.rows {
            Rows::Requests(rows) if use_.period_s.is_none() => {
                let in_run = |r: &Request| (use_.start_s..=use_.start_s + end_s).contains(&r.at_s);
                use_.start_s <= span_s && !rows.iter().any(in_run)
            }
            _ => false,
        };
        if none_comes {
            found.push((
                "start_s",
                format!(
                    "no request of the file lies from {} to {} s after its first row, where the run is",
                    use_.start_s,
                    use_.start_s + end_s
                ),
                "choose another start_s, or state the right time_unit".to_owned(),
            ));
        }
        found
    }
}

/// How a job uses its file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogUse {
    /// Time in the file at t = 0, seconds after its first row.
    pub(crate) start_s: f64,
    pub(crate) period_s: Option<f64>,
    pub(crate) scale: f64,
    pub(crate) spread_s: f64,
}

impl LogUse {
    /// `None` if the requests do not come from a file.
    pub(crate) fn new(arrivals: &ArrivalSpec) -> Option<Self> {
        let ArrivalSpec::File {
            start_s,
            repeat_every_s,
            scale,
            copy_spread_s,
            ..
        } = arrivals
        else {
            return None;
        };
        Some(Self {
            start_s: *start_s,
            period_s: *repeat_every_s,
            scale: scale.unwrap_or(1.0),
            spread_s: copy_spread_s.unwrap_or(crate::DEFAULT_COPY_SPREAD_S),
        })
    }

    pub(crate) fn mean_rate_per_s(&self, log: &RequestLog) -> f64 {
        self.scale * log.mean_rate_per_s(self.period_s)
    }

    pub(crate) fn highest_rate_per_s(&self, log: &RequestLog) -> f64 {
        self.scale * log.highest_rate_per_s()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(times_s: impl IntoIterator<Item = f64>) -> RequestLog {
        let request = |at_s| Request {
            at_s,
            prompt_tokens: None,
            output_tokens: None,
        };
        RequestLog::requests(times_s.into_iter().map(request).collect()).unwrap()
    }

    #[test]
    fn the_highest_rate_is_never_below_the_mean() {
        let even = |n: u32, gap_s: f64| log((0..n).map(|k| f64::from(k) * gap_s));
        // A minute at four a second, half a minute, a minute and a half; two bursts far apart.
        let logs = [
            even(241, 0.25),
            even(121, 0.25),
            even(361, 0.25),
            log([0.0, 0.0, 0.0, 90.0, 90.0, 90.0]),
            log([0.0]),
        ];
        for log in logs {
            let (mean, most) = (log.mean_rate_per_s(None), log.highest_rate_per_s());
            assert!(most >= mean * (1.0 - 1e-12), "{mean} {most}");
        }
        let minute = even(241, 0.25);
        assert!((minute.highest_rate_per_s() - 241.0 / 60.0).abs() < 1e-12);
        assert!((minute.mean_rate_per_s(None) - 241.0 / 60.0).abs() < 1e-12);
    }
}
