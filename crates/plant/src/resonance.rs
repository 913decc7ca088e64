//! Whether a load that repeats meets a mode of the plant, and what would move it.
//!
//! Swings are judged by the limited prediction. What would move it is searched with the unlimited linear model, and with the limited one where a throttle
//! reaches a limit: cadences that are safe, jitter, power of a storage, retuned governors.

use std::cell::Cell;
use std::f64::consts::TAU;
use std::fmt;

use crate::damping::{self, Damping};
use crate::error::PlantError;
use crate::linear::{Linear, Rest};
use crate::modes::{Mode, Modes, ON_THE_AXIS, growth};
use crate::orbit::orbit;
use crate::periodic::PeriodicLoad;
use crate::plant::Plant;
use crate::predict::{
    LineResponse, Lines, Prediction, Settled, predict, reaches_a_limit, unlimited_pp,
};
use crate::retune::{Retuned, candidates};
use crate::spec::PlantSpec;

/// Lines looked at where many loads are tried: beyond, a two-level wave adds less than a thousandth.
const FEW_LINES: usize = 31;
/// Share of the limit below which a linear swing is far from it: limiters change one by a factor of three at most where they were tried.
const FAR: f64 = 0.25;
/// Values computed at most for settled states of all that is tried, and of one.
const WORK_OF_ALL: f64 = 3e6;
const WORK_OF_ONE: f64 = 1e6;
/// Cadences tried, evenly over the logarithm.
const CADENCES: i32 = 64;
/// Halvings between a safe and an unsafe cadence.
const HALVINGS: u32 = 8;
/// A line within this of a mode's frequency, relative, meets it.
const NEAR: f64 = 0.1;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct ResonanceQuestion<'a> {
    /// The plant.
    pub plant: &'a PlantSpec,
    /// The load, all of it, watts at the bus.
    pub load: &'a PeriodicLoad,
    /// Whose cadence it is, for the text: "job pretrain".
    pub cadence: &'a str,
    /// Peak to peak of frequency that is allowed, hertz.
    pub limit_pp_hz: f64,
    /// Step of the limited prediction, seconds.
    pub step_s: f64,
    /// Cadences among which safe ones are looked for, hertz, low and high, where the swing is beyond the limit.
    pub search_hz: (f64, f64),
}

/// A governor that would keep the swing within the limit, or the best of those tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Retune {
    /// Key under `governor` of every set of that model: "droop_pu".
    pub key: &'static str,
    /// Values of the first such set, now and then.
    pub from: f64,
    /// Value to set.
    pub to: f64,
    /// Predicted peak to peak with it, hertz.
    pub peak_to_peak_hz: f64,
}

/// What a periodic load does to a plant, and what would move it.
#[derive(Debug, Clone, PartialEq)]
pub struct ResonanceVerdict {
    /// Whose cadence.
    pub cadence: String,
    /// The settled swing; `limited` of it is what is judged.
    pub prediction: Prediction,
    /// Allowed peak to peak, hertz.
    pub limit_pp_hz: f64,
    /// Whether the limited swing stays within it, in a periodic state.
    pub within: bool,
    /// Mode of the plant's speed nearest to the line that moves it most.
    pub mode: Option<Mode>,
    /// Whether that line lies on the mode: within 10 % of its frequency or twice its half width.
    pub meets: bool,
    /// The line that moves the plant most.
    pub line: Option<LineResponse>,
    /// Modes that grow at the operating point, in words.
    pub unstable: Vec<String>,
    /// Ranges of cadence within the search, hertz, in which the swing stays below the limit; not looked for where it is within.
    pub safe_hz: Vec<(f64, f64)>,
    /// Range searched, hertz.
    pub search_hz: (f64, f64),
    /// Standard deviation of independent timing errors of the periods that brings the lines down to the limit, seconds: each line falls by
    /// `exp(−(2πfs)²/2)`. Linear, and without the noise that the lost lines turn into. None: not needed, or more than half a period.
    pub jitter_s: Option<f64>,
    /// Amplitude of power that a storage has to take off the strongest line, watts. Linear. None: not needed, or other lines alone are too much.
    pub storage_w: Option<f64>,
    /// Damping that every set would have to have more. Linear. None: not needed, or more than 100 per unit.
    pub damping: Option<Damping>,
    /// Single gains that bring the swing within the limit; if none does, the one that lowers it most.
    pub retune: Vec<Retune>,
    /// Some of what would move it was judged by the linear model alone, although a limit may be reached: the work of a search is bounded.
    pub partly_linear: bool,
}

/// One operating point under many loads.
struct Point<'a> {
    rest: &'a Rest,
    linear: &'a Linear,
    base_w: f64,
    left: &'a Left,
}

/// Work left for settled states of what is tried.
struct Left {
    values: Cell<f64>,
    /// A value was taken from the linear model for want of it.
    linear: Cell<bool>,
}

impl Point<'_> {
    /// Expected peak to peak, hertz: linear, or limited where a limit is reached and linear is within `limit_hz`.
    fn expected_hz(&self, load: &PeriodicLoad, limit_hz: f64) -> f64 {
        let lines = Lines::new(self.linear, self.rest, load, self.base_w, FEW_LINES);
        let f = self.rest.frequency_hz;
        let Some(linear_hz) = unlimited_pp(self.linear, &lines, |_| 1.0).map(|pp| pp * f) else {
            return f64::INFINITY;
        };
        if linear_hz > limit_hz
            || linear_hz < FAR * limit_hz
            || !reaches_a_limit(self.linear, self.rest, &lines)
        {
            return linear_hz;
        }
        let values = self.left.values.get();
        let most = values.min(WORK_OF_ONE);
        let Some(found) = orbit(self.rest, load, self.base_w, Some(linear_hz / f), most) else {
            self.left.linear.set(true);
            return linear_hz;
        };
        self.left.values.set(values - found.work);
        match found.settled {
            Settled::Collapsed { .. } => f64::INFINITY,
            Settled::Periodic | Settled::NotPeriodic | Settled::Linear => {
                linear_hz.max((found.highest - found.lowest) * f)
            }
        }
    }

    fn safe_ranges(&self, q: &ResonanceQuestion<'_>, modes: Option<&Modes>) -> Vec<(f64, f64)> {
        let (low, high) = q.search_hz;
        let points = cadences(q, modes);
        let safe = |f_hz: f64| {
            q.load
                .at_frequency(f_hz)
                .is_ok_and(|load| self.expected_hz(&load, q.limit_pp_hz) <= q.limit_pp_hz)
        };
        // The border between a safe and an unsafe cadence, on the safe side.
        let border = |mut inside: f64, mut outside: f64| {
            for _ in 0..HALVINGS {
                let middle = (inside * outside).sqrt();
                if safe(middle) {
                    inside = middle;
                } else {
                    outside = middle;
                }
            }
            inside
        };
        let mut ranges = Vec::new();
        let mut open: Option<f64> = None;
        let mut before = false;
        for (i, f_hz) in points.iter().copied().enumerate() {
            let here = safe(f_hz);
            let last = points[i.saturating_sub(1)];
            if here && !before {
                open = Some(if i == 0 { low } else { border(f_hz, last) });
            }
            if let (false, true, Some(from)) = (here, before, open) {
                ranges.push((from, border(last, f_hz)));
                open = None;
            }
            before = here;
        }
        ranges.extend(open.map(|from| (from, high)));
        ranges
    }
}

/// Cadences to try, in order: evenly over the logarithm, and those of which a line falls on a mode, which may lie between.
fn cadences(q: &ResonanceQuestion<'_>, modes: Option<&Modes>) -> Vec<f64> {
    let (low, high) = q.search_hz;
    let step = libm::log(high / low) / f64::from(CADENCES);
    if !(step > 0.0 && step.is_finite()) {
        return Vec::new();
    }
    let mut points: Vec<f64> = (1..CADENCES)
        .map(|i| low * libm::exp(step * f64::from(i)))
        .collect();
    points.extend([low, high]);
    for mode in modes.iter().flat_map(|m| &m.modes) {
        let on_it = (1..=FEW_LINES).map(|k| mode.frequency_hz / k as f64);
        points.extend(on_it.filter(|f| (low..=high).contains(f)));
    }
    points.sort_by(f64::total_cmp);
    points
}

/// Smallest value in `0..most` at which a falling swing is within the limit; none if it is not even at `most`.
fn smallest(most: f64, limit: f64, swing: impl Fn(f64) -> Option<f64>) -> Option<f64> {
    let within = |x: f64| swing(x).is_some_and(|pp| pp <= limit);
    if !within(most) {
        return None;
    }
    let (mut low, mut high) = (0.0, most);
    for _ in 0..40 {
        let middle = 0.5 * (low + high);
        if within(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(high)
}

/// Answers the question at the operating point of the load's mean.
///
/// # Errors
/// As [`Plant::new`]: a description with problems, a step that is too long, a mean load that is negative or above the rating.
pub fn resonance(q: &ResonanceQuestion<'_>) -> Result<ResonanceVerdict, PlantError> {
    let mean_w = q.load.mean_w();
    let plant = Plant::new(q.plant, mean_w, q.step_s)?;
    let modes = plant.modes();
    let growths = modes.iter().flat_map(|m| &m.modes).map(|m| m.growth_per_s);
    let growth_per_s = growths.reduce(f64::max);
    let left = Left {
        values: Cell::new(WORK_OF_ALL),
        linear: Cell::new(false),
    };
    let point = Point {
        rest: plant.rest(),
        linear: plant.linear(),
        base_w: plant.base_w(),
        left: &left,
    };
    let prediction = predict(point.rest, point.linear, q.load, point.base_w, growth_per_s);
    let line = prediction.lines.first().copied();
    let mode = match (&modes, line) {
        (Some(modes), Some(line)) => modes.nearest(line.frequency_hz).cloned(),
        _ => None,
    };
    let meets = match (&mode, line) {
        (Some(mode), Some(line)) => {
            let off = (line.frequency_hz - mode.frequency_hz).abs();
            off <= NEAR * mode.frequency_hz || off * TAU <= 2.0 * mode.growth_per_s.abs()
        }
        _ => false,
    };
    let unstable: Vec<String> = modes
        .iter()
        .flat_map(|m| &m.modes)
        .filter(|m| m.growth_per_s > ON_THE_AXIS)
        .map(ToString::to_string)
        .collect();
    let within = prediction.settled == Settled::Periodic
        && prediction.limited.peak_to_peak_hz <= q.limit_pp_hz;
    let limit_pu = q.limit_pp_hz / q.plant.frequency_hz;
    let (mut jitter_s, mut storage_w, mut retune) = (None, None, Vec::new());
    let (mut damped, mut safe_hz) = (None, Vec::new());
    // A swing that does not repeat and yet stays small needs nothing that moves it.
    let beyond = prediction.limited.peak_to_peak_hz > q.limit_pp_hz
        || matches!(prediction.settled, Settled::Collapsed { .. });
    if let (Some(line), true) = (line, beyond) {
        let lines = Lines::new(point.linear, point.rest, q.load, point.base_w, usize::MAX);
        let f0 = q.load.fundamental_hz();
        let half_period_s = 0.5 / f0;
        jitter_s = smallest(half_period_s, limit_pu, |s| {
            unlimited_pp(point.linear, &lines, |k| {
                let angle = TAU * f0 * k as f64 * s;
                libm::exp(-0.5 * angle * angle)
            })
        });
        storage_w = smallest(1.0, limit_pu, |taken| {
            unlimited_pp(point.linear, &lines, |k| {
                if k == line.harmonic { 1.0 - taken } else { 1.0 }
            })
        })
        .map(|taken| taken * line.amplitude_w);
        let now_hz = prediction
            .unlimited
            .map_or(f64::INFINITY, |s| s.peak_to_peak_hz);
        retune = retunes(q, now_hz, &left);
        let by = (q.step_s, FEW_LINES);
        damped = damping::enough(q.plant, q.load, by, limit_pu, line.frequency_hz);
        safe_hz = point.safe_ranges(q, modes.as_ref());
    }
    Ok(ResonanceVerdict {
        cadence: q.cadence.to_owned(),
        prediction,
        limit_pp_hz: q.limit_pp_hz,
        within,
        mode,
        meets,
        line,
        unstable,
        safe_hz,
        search_hz: q.search_hz,
        jitter_s,
        storage_w,
        damping: damped,
        retune,
        partly_linear: left.linear.get(),
    })
}

/// For every gain the smallest change that is enough; without one, the best of all.
fn retunes(q: &ResonanceQuestion<'_>, now_hz: f64, left: &Left) -> Vec<Retune> {
    let mut enough: Vec<Retune> = Vec::new();
    let mut best: Option<Retune> = None;
    for Retuned {
        spec,
        key,
        from,
        to,
    } in candidates(q.plant)
    {
        if enough.iter().any(|r| r.key == key) {
            continue;
        }
        let Ok(plant) = Plant::new(&spec, q.load.mean_w(), q.step_s) else {
            continue;
        };
        if growth(plant.linear()).is_none_or(|g| g > ON_THE_AXIS) {
            continue;
        }
        let point = Point {
            rest: plant.rest(),
            linear: plant.linear(),
            base_w: plant.base_w(),
            left,
        };
        let peak_to_peak_hz = point.expected_hz(q.load, q.limit_pp_hz);
        let found = Retune {
            key,
            from,
            to,
            peak_to_peak_hz,
        };
        if peak_to_peak_hz <= q.limit_pp_hz {
            enough.push(found);
        } else if peak_to_peak_hz < best.as_ref().map_or(now_hz, |b| b.peak_to_peak_hz) {
            best = Some(found);
        }
    }
    if enough.is_empty() {
        enough.extend(best);
    }
    enough
}

/// "5.2", "0.98": three significant digits without an exponent.
fn brief(value: f64) -> String {
    let size = value.abs();
    if !(size > 0.0 && size.is_finite()) {
        return format!("{value}");
    }
    let digits = (2.0 - libm::log10(size).floor()).clamp(0.0, 9.0) as usize;
    format!("{value:.digits$}")
}

impl ResonanceVerdict {
    /// Which limits are reached, in words.
    fn limits(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for r in &self.prediction.reached {
            write!(
                f,
                "; {} stands at its {} limit for {:.0} % of a period",
                r.set,
                match r.limiter {
                    crate::Limiter::Lower => "lower",
                    crate::Limiter::Turbo => "boost",
                    crate::Limiter::Upper | crate::Limiter::None => "upper",
                },
                100.0 * r.share
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for ResonanceVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let p = &self.prediction;
        write!(
            f,
            "{} repeats at {} Hz: predicted swing {} Hz peak to peak ({:.2} to {:.2} Hz), {} the limit of {} Hz",
            self.cadence,
            brief(p.fundamental_hz),
            brief(p.limited.peak_to_peak_hz),
            p.limited.lowest_hz,
            p.limited.highest_hz,
            if self.within { "within" } else { "beyond" },
            brief(self.limit_pp_hz),
        )?;
        match p.settled {
            Settled::Periodic if p.repeats_after > 1 => {
                write!(f, "; it repeats after {} periods", p.repeats_after)?;
            }
            Settled::Periodic => {}
            Settled::Linear => f.write_str(
                "; that is the unlimited linear value: so long a period was not searched for its settled state",
            )?,
            Settled::NotPeriodic => f.write_str("; it does not settle into one period")?,
            Settled::Collapsed { at_s } => write!(f, "; it collapses after {at_s:.2} s")?,
        }
        self.limits(f)?;
        if let Some(s) = p.unlimited {
            write!(
                f,
                "; unlimited linear value {} Hz{}",
                brief(s.peak_to_peak_hz),
                if p.growth_per_s.is_some_and(|g| g > ON_THE_AXIS) {
                    ", never reached: the operating point is not stable"
                } else {
                    ""
                }
            )?;
        }
        f.write_str(". ")?;
        if let Some(line) = self.line {
            write!(
                f,
                "Its line of ±{} kW at {} Hz (harmonic {}) ",
                brief(line.amplitude_w / 1e3),
                brief(line.frequency_hz),
                line.harmonic
            )?;
            match &self.mode {
                Some(mode) if self.meets => write!(f, "meets {mode}.")?,
                Some(mode) => write!(f, "meets no mode; the nearest is {mode}.")?,
                None => f.write_str("meets no mode that oscillates.")?,
            }
        }
        for mode in &self.unstable {
            write!(f, " The operating point is not stable: {mode}.")?;
        }
        if self.within {
            return Ok(());
        }
        f.write_str(" What would move it: ")?;
        if self.safe_hz.is_empty() {
            write!(
                f,
                "no cadence between {} and {} Hz is within the limit",
                brief(self.search_hz.0),
                brief(self.search_hz.1)
            )?;
        } else {
            let ranges: Vec<String> = self
                .safe_hz
                .iter()
                .map(|r| format!("{} to {}", brief(r.0), brief(r.1)))
                .collect();
            write!(f, "a cadence of {} Hz", ranges.join(" or "))?;
        }
        if let Some(s) = self.jitter_s {
            write!(f, "; jitter of {} s between periods", brief(s))?;
        }
        if let (Some(w), Some(line)) = (self.storage_w, self.line) {
            write!(
                f,
                "; a storage of ±{} kW at {} Hz (linear estimate)",
                brief(w / 1e3),
                brief(line.frequency_hz)
            )?;
        }
        if let Some(d) = self.damping {
            write!(
                f,
                "; a damping ratio of {} instead of {} (D {} pu more on every set; linear estimate)",
                brief(d.ratio.1),
                brief(d.ratio.0),
                brief(d.more_pu)
            )?;
        }
        for r in &self.retune {
            let enough = r.peak_to_peak_hz <= self.limit_pp_hz;
            write!(
                f,
                "; governor.{} {} instead of {}{} ({} Hz)",
                r.key,
                brief(r.to),
                brief(r.from),
                if enough {
                    ""
                } else {
                    " (not enough by itself)"
                },
                brief(r.peak_to_peak_hz)
            )?;
        }
        if self.partly_linear {
            f.write_str("; in part by the linear model alone, as the search is bounded")?;
        }
        f.write_str(".")
    }
}
