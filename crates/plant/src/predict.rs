//! What a load that repeats does to the plant's speed once it has settled, before any run over time.
//!
//! Two answers. *Unlimited linear*: every line of the load through the linear model at its own frequency, with phases. *Limited*: the periodic state of the plant itself, with
//! its limiters, dead times and 1/ω, found by shooting (`orbit`). The first says what resonance does, the second what the limiters leave of it.

use crate::complex::{Complex, ZERO};
use crate::governor::Law;
use crate::linear::{Linear, Rest, Row};
use crate::modes::ON_THE_AXIS;
use crate::orbit::{WORK, orbit};
use crate::periodic::{PeriodicLoad, synthesise};
use crate::plant::Limiter;

/// Points of a period at which the linear answer is evaluated.
const POINTS: usize = 1024;
/// The same where many loads are tried.
const FEW_POINTS: usize = 256;

/// Course of the frequency over one settled period, hertz.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Swing {
    /// Highest less lowest.
    pub peak_to_peak_hz: f64,
    /// Lowest frequency.
    pub lowest_hz: f64,
    /// Highest frequency.
    pub highest_hz: f64,
}

impl Swing {
    pub(crate) fn between(lowest_pu: f64, highest_pu: f64, frequency_hz: f64) -> Self {
        Self {
            peak_to_peak_hz: (highest_pu - lowest_pu) * frequency_hz,
            lowest_hz: (1.0 + lowest_pu) * frequency_hz,
            highest_hz: (1.0 + highest_pu) * frequency_hz,
        }
    }
}

/// What one line of the load does by itself, linear.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LineResponse {
    /// Multiple of the fundamental.
    pub harmonic: usize,
    /// Frequency, hertz.
    pub frequency_hz: f64,
    /// Amplitude of the load's line (half of peak to peak), watts.
    pub amplitude_w: f64,
    /// Amplitude of the frequency's oscillation, hertz.
    pub swing_hz: f64,
}

/// How the limited answer came out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Settled {
    /// The plant repeats with the load (see `repeats_after`); a small disturbance dies away.
    Periodic,
    /// It does not repeat after one to four periods (an unstable mode held by limiters, a beat, or a mode slower than what a bounded search integrates): extremes
    /// are those of the last ten periods.
    NotPeriodic,
    /// Not looked for: a few periods alone would be more than the bounded work of a search. The swing told is the unlimited linear one.
    Linear,
    /// It collapses on the way.
    Collapsed {
        /// Time from the start of the load, seconds.
        at_s: f64,
    },
}

/// A set that reaches a limit in every period.
#[derive(Debug, Clone, PartialEq)]
pub struct Reached {
    /// Name of the set.
    pub set: String,
    /// Its limit.
    pub limiter: Limiter,
    /// Share of the period spent there, 0 to 1.
    pub share: f64,
}

/// Settled answer of a plant to a load that repeats.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Frequency at which the load repeats, hertz.
    pub fundamental_hz: f64,
    /// Without limits, linear around the plant's start. None where the load's mean has no steady state.
    pub unlimited: Option<Swing>,
    /// Growth of the plant's least stable mode, per second: above zero the unlimited answer is never reached. None where modes were not found.
    pub growth_per_s: Option<f64>,
    /// Lines, strongest swing first, down to a thousandth of the first.
    pub lines: Vec<LineResponse>,
    /// With limiters, by shooting with the plant's own equations.
    pub limited: Swing,
    /// Whether that is a periodic state.
    pub settled: Settled,
    /// Limits reached, by set.
    pub reached: Vec<Reached>,
    /// Periods of the load after which the plant repeats: 1, or 2 and more where limiters make it take turns; 0 where it does not repeat.
    pub repeats_after: u32,
    /// Periods integrated to find it.
    pub periods: u32,
    /// Lowest and highest terminal voltage of any set over the period, per unit; none without alternators.
    pub voltage_pu: Option<(f64, f64)>,
}

/// Responses of states to every line of a load, at most `most` lines.
pub(crate) struct Lines {
    responses: Vec<(usize, Complex, Vec<Complex>)>,
    /// Change of states by the mean.
    steady: Option<Vec<Complex>>,
}

impl Lines {
    pub(crate) fn new(
        linear: &Linear,
        rest: &Rest,
        load: &PeriodicLoad,
        base_w: f64,
        most: usize,
    ) -> Self {
        let mut responses = Vec::new();
        for (k, amplitude) in load.lines().iter().take(most) {
            let amplitude = *amplitude * (1.0 / base_w);
            if amplitude.abs() < 1e-12 {
                continue;
            }
            let s = Complex {
                re: 0.0,
                im: std::f64::consts::TAU * load.fundamental_hz() * *k as f64,
            };
            // Exactly on an undamped root there is no settled answer: what is just beside it is as good as infinite.
            let response = linear.response(s).unwrap_or_else(|| {
                let beside = Complex {
                    re: s.im * 1e-12,
                    im: s.im,
                };
                linear.response(beside).unwrap_or_default()
            });
            if response.len() == linear.order() {
                responses.push((*k, amplitude, response));
            }
        }
        let off = load.mean_w() / base_w - rest.load.active;
        let steady = if off.abs() < 1e-12 {
            Some(vec![ZERO; linear.order()])
        } else {
            linear
                .response(ZERO)
                .map(|x| x.into_iter().map(|v| v * off).collect())
        };
        Self { responses, steady }
    }

    /// Lowest and highest value over a period.
    fn extremes(&self, row: &Row, points: usize) -> Option<(f64, f64)> {
        self.scaled(row, points, |_| 1.0)
    }

    /// The same with every line, by its multiple, scaled.
    fn scaled(&self, row: &Row, points: usize, scale: impl Fn(usize) -> f64) -> Option<(f64, f64)> {
        let steady = self.steady.as_ref()?;
        let waves: Vec<(usize, Complex)> = self
            .responses
            .iter()
            .map(|(k, amplitude, x)| (*k, row.of(x) * *amplitude * scale(*k)))
            .collect();
        let mean = row
            .by_state
            .iter()
            .zip(steady)
            .fold(0.0, |sum, (c, x)| sum + c * x.re);
        let wave = synthesise(&waves, points);
        let low = wave.iter().copied().fold(f64::INFINITY, f64::min);
        let high = wave.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Some((mean + low, mean + high))
    }
}

/// Unlimited linear peak to peak, per unit, with lines scaled by their multiple.
pub(crate) fn unlimited_pp(
    linear: &Linear,
    lines: &Lines,
    scale: impl Fn(usize) -> f64,
) -> Option<f64> {
    let (low, high) = lines.scaled(&linear.speed, FEW_POINTS, scale)?;
    Some(high - low)
}

/// Whether the unlimited linear answer carries a throttle over a limit, or cannot tell.
pub(crate) fn reaches_a_limit(linear: &Linear, rest: &Rest, lines: &Lines) -> bool {
    let points = FEW_POINTS;
    rest.model.groups.iter().enumerate().any(|(i, group)| {
        if group.weight == 0.0 || matches!(group.law, Law::Constant { .. }) {
            return false;
        }
        if matches!(group.law, Law::General(_)) {
            return true; // limits on signals that the linear model does not have
        }
        let own = group.own(&rest.state);
        let start = group.unlimited(own, rest.state[group.speed_at]);
        let Some((low, high)) = lines.extremes(&linear.throttle[i], points) else {
            return true;
        };
        let mut reached = start + high >= group.upper || start + low <= group.lower;
        if let Some(boost) = &linear.boost[i] {
            let lag = Row {
                by_state: linear.throttle[i]
                    .by_state
                    .iter()
                    .zip(&boost.by_state)
                    .map(|(t, b)| t - b)
                    .collect(),
                by_load: 0.0,
            };
            let above = lines.extremes(&lag, points).map_or(f64::INFINITY, |x| x.1);
            reached |= start + above >= group.boost_ceiling(own);
        }
        reached
    })
}

/// Settled answer, unlimited and limited; growth of the least stable mode where it is known.
pub(crate) fn predict(
    rest: &Rest,
    linear: &Linear,
    load: &PeriodicLoad,
    base_w: f64,
    growth_per_s: Option<f64>,
) -> Prediction {
    let lines = Lines::new(linear, rest, load, base_w, usize::MAX);
    let f = rest.frequency_hz;
    let start = rest.state[0];
    let unlimited = lines
        .extremes(&linear.speed, POINTS)
        .map(|(low, high)| Swing::between(start + low, start + high, f));
    let stable = growth_per_s.is_some_and(|g| g < -ON_THE_AXIS);
    let linear_pu = unlimited.filter(|_| stable).map(|s| s.peak_to_peak_hz / f);
    let mut by_line: Vec<LineResponse> = lines
        .responses
        .iter()
        .map(|(k, amplitude, x)| LineResponse {
            harmonic: *k,
            frequency_hz: load.fundamental_hz() * *k as f64,
            amplitude_w: amplitude.abs() * base_w,
            swing_hz: (linear.speed.of(x) * *amplitude).abs() * f,
        })
        .collect();
    by_line.sort_by(|a, b| b.swing_hz.total_cmp(&a.swing_hz));
    let floor = by_line.first().map_or(0.0, |l| l.swing_hz * 1e-3);
    by_line.retain(|l| l.swing_hz >= floor);
    let mut prediction = Prediction {
        fundamental_hz: load.fundamental_hz(),
        unlimited,
        growth_per_s,
        lines: by_line,
        limited: unlimited.unwrap_or(Swing::between(f64::NEG_INFINITY, f64::INFINITY, f)),
        settled: Settled::Linear,
        reached: Vec::new(),
        periods: 0,
        repeats_after: 0,
        voltage_pu: None,
    };
    let Some(found) = orbit(rest, load, base_w, linear_pu, WORK) else {
        return prediction;
    };
    prediction.limited = Swing::between(found.lowest, found.highest, f);
    prediction.settled = found.settled;
    prediction.reached = found
        .reached
        .into_iter()
        .map(|(set, limiter, share)| Reached {
            set: rest.names[set].clone(),
            limiter,
            share,
        })
        .collect();
    prediction.periods = found.periods;
    prediction.repeats_after = found.repeats;
    prediction.voltage_pu = found.voltage;
    prediction
}
