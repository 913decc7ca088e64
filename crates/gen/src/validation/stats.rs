//! Statistics of a power trace, the same code for what was measured and what was simulated.

use ballast_series::{Histogram, RampTracker, SpectrumEstimator, autocorrelation};

use super::Figures;

/// A uniformly sampled power.
pub(super) struct Course {
    /// Time between two samples, seconds.
    pub(super) dt_s: f64,
    /// Samples, in any unit.
    pub(super) power: Vec<f64>,
}

impl Course {
    /// The samples from `from_s` up to `to_s`.
    pub(super) fn between(&self, from_s: f64, to_s: f64) -> Self {
        let index = |t_s: f64| ((t_s / self.dt_s).round() as usize).min(self.power.len());
        Self {
            dt_s: self.dt_s,
            power: self.power[index(from_s)..index(to_s)].to_vec(),
        }
    }

    /// Means over the `window_s` before each instant, every `step_s`: what a sensor that averages shows.
    pub(super) fn boxcar(&self, window_s: f64, step_s: f64) -> Self {
        let (wide, step) = (
            ((window_s / self.dt_s).round() as usize).max(1),
            ((step_s / self.dt_s).round() as usize).max(1),
        );
        let power = self.power.windows(wide).step_by(step);
        Self {
            dt_s: step as f64 * self.dt_s,
            power: power.map(|w| w.iter().sum::<f64>() / wide as f64).collect(),
        }
    }

    /// The histogram of the samples, fine enough for five digits.
    pub(super) fn histogram(&self) -> Histogram {
        let mut histogram = Histogram::with_bins(1 << 17);
        histogram.add_slice(&self.power);
        histogram
    }

    /// The value not exceeded for the share `q`; NaN where there is no sample, which no file takes.
    pub(super) fn quantile(&self, q: f64) -> f64 {
        self.histogram().quantile(q).unwrap_or(f64::NAN)
    }

    /// Mean of the samples.
    pub(super) fn mean(&self) -> f64 {
        self.histogram().mean()
    }
}

/// Levels in units of the mean, and the coefficient of variation, in percent.
pub(super) fn levels(into: &mut Figures, case: &str, course: &Course) {
    let histogram = course.histogram();
    let Some(e) = histogram.envelope("") else {
        return;
    };
    for (key, value) in [
        ("min", e.min),
        ("p5", e.p5),
        ("p50", e.p50),
        ("p95", e.p95),
        ("p99_9", e.p99_9),
        ("max", e.max),
        ("cv", e.std),
    ] {
        into.insert(format!("{case}.{key}"), 100.0 * value / e.mean);
    }
}

/// Largest rise and fall within each window, times `factor`.
pub(super) fn ramps(
    into: &mut Figures,
    case: &str,
    course: &Course,
    windows_s: &[f64],
    factor: f64,
) {
    // A hair wider: a window of k steps holds k steps whatever the last bit says.
    let windows: Vec<f64> = windows_s.iter().map(|w| w * (1.0 + 1e-6)).collect();
    let mut tracker = RampTracker::new(course.dt_s, &windows, 1);
    tracker.push_slice(&course.power);
    for (window, table) in windows_s.iter().zip(tracker.tables()) {
        into.insert(format!("{case}.rise_{window}"), factor * table.up.delta);
        into.insert(format!("{case}.fall_{window}"), -factor * table.down.delta);
    }
}

/// Autocorrelation at lags in seconds.
pub(super) fn memory(into: &mut Figures, case: &str, course: &Course, lags_s: &[f64]) {
    let lags: Vec<usize> = lags_s
        .iter()
        .map(|lag| (lag / course.dt_s).round() as usize)
        .collect();
    for (lag, r) in lags_s.iter().zip(autocorrelation(&course.power, &lags)) {
        if let Some(r) = r {
            into.insert(format!("{case}.acf_{lag}"), r);
        }
    }
}

/// The strongest line: frequency, amplitude in percent of the mean, and its third harmonic over it.
pub(super) fn lines(into: &mut Figures, case: &str, course: &Course) {
    let mut estimator = SpectrumEstimator::new(course.dt_s, course.power.len() as u64);
    estimator.push_slice(&course.power);
    let spectrum = estimator.finish();
    let lines = || spectrum.frequency_hz.iter().zip(&spectrum.amplitude);
    let Some((f_hz, amplitude)) = lines().max_by(|a, b| a.1.total_cmp(b.1)) else {
        return;
    };
    let third = lines()
        .filter(|(f, _)| (*f - 3.0 * f_hz).abs() <= 3.5 * spectrum.resolution_hz)
        .map(|(_, a)| *a)
        .fold(0.0, f64::max);
    into.insert(format!("{case}.line_hz"), *f_hz);
    into.insert(format!("{case}.line"), 100.0 * amplitude / course.mean());
    into.insert(format!("{case}.third"), third / amplitude);
}

/// Times from 10 to 90 % of the way between `low` and `high` and back, seconds: of every edge that goes all the way.
pub(super) fn edges(course: &Course, low: f64, high: f64) -> (Vec<f64>, Vec<f64>) {
    let at = |share: f64| low + share * (high - low);
    let (lower, upper) = (at(0.1), at(0.9));
    let rises = passages(course, |p| p, lower, upper);
    let falls = passages(course, |p| -p, -upper, -lower);
    (rises, falls)
}

/// Times from the last sample at or below `from` to the first at or above `to`, both ends interpolated.
fn passages(course: &Course, sign: impl Fn(f64) -> f64, from: f64, to: f64) -> Vec<f64> {
    let crossing = |k: usize, level: f64| {
        let (a, b) = (sign(course.power[k]), sign(course.power[k + 1]));
        (k as f64 + (level - a) / (b - a)) * course.dt_s
    };
    let (mut found, mut below) = (Vec::new(), None);
    for (k, p) in course.power.iter().map(|p| sign(*p)).enumerate() {
        if p <= from {
            below = Some(k);
        } else if p >= to
            && let Some(start) = below.take()
        {
            found.push(crossing(k - 1, to) - crossing(start, from));
        }
    }
    found
}

/// Median; NaN of nothing, which no file takes.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    if n == 0 {
        return f64::NAN;
    }
    f64::midpoint(values[(n - 1) / 2], values[n / 2])
}

#[cfg(test)]
mod tests {
    use super::{Course, edges, median};

    #[test]
    fn edges_are_timed_between_the_samples() {
        // Ramps of 10 samples up and down between 0 and 1: 10 to 90 % takes 8 of them.
        let one = |k: usize| match k % 40 {
            k @ 0..10 => k as f64 / 10.0,
            10..20 => 1.0,
            k @ 20..30 => 3.0 - k as f64 / 10.0,
            _ => 0.0,
        };
        let course = Course {
            dt_s: 0.5,
            power: (0..200).map(one).collect(),
        };
        let (rises, falls) = edges(&course, 0.0, 1.0);
        assert_eq!((rises.len(), falls.len()), (5, 5));
        assert!((median(rises) - 4.0).abs() < 1e-9);
        assert!((median(falls) - 4.0).abs() < 1e-9);
    }

    #[test]
    fn a_boxcar_turns_a_step_into_a_ramp() {
        let course = Course {
            dt_s: 0.1,
            power: (0..40).map(|k| f64::from(u8::from(k >= 20))).collect(),
        };
        let seen = course.boxcar(1.0, 0.2);
        assert!((seen.dt_s - 0.2).abs() < 1e-12);
        assert!(seen.power.windows(2).all(|w| w[1] - w[0] <= 0.2 + 1e-12));
        assert_eq!((seen.power[0], *seen.power.last().unwrap()), (0.0, 1.0));
    }
}
