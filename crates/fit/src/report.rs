//! What a fit found, as numbers.

use ballast_plant::SetSpec;
use serde::Serialize;

use crate::identify::Identified;
use crate::minimise::Solution;
use crate::parameters::put;
use crate::preset;
use crate::spec::FitSpec;
use crate::task::{EventFit, Seen, Task};
use crate::warn::warnings;

/// Half width of a 95 % interval in standard deviations of a normal distribution.
const NINETY_FIVE: f64 = 1.96;

/// A parameter that stays at its start, with why.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Held {
    pub(crate) parameter: usize,
    pub(crate) error: f64,
    pub(crate) spread: f64,
    pub(crate) fitted: f64,
    pub(crate) with: Vec<(usize, f64)>,
}

/// The answer of a fit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FitReport {
    /// Whether the search ended at a minimum where the set still runs.
    pub converged: bool,
    /// Iterations of all descents.
    pub iterations: usize,
    /// Sum of the squares of the residuals, each over its tolerance.
    pub sum_of_squares: f64,
    /// Number of figures less number of fitted unknowns.
    pub degrees_of_freedom: i64,
    /// Every parameter that was free.
    pub parameters: Vec<ParameterReport>,
    /// Rows of the table, measured and fitted.
    pub steps: Vec<StepReport>,
    /// Recordings, with what is left.
    pub recordings: Vec<RecordingReport>,
    /// Pairs of fitted parameters that the figures hardly tell apart.
    pub correlated: Vec<CorrelatedPair>,
    /// Singular values of the Jacobian of the scaled residuals by the logarithms of the fitted unknowns, descending.
    pub singular_values: Vec<f64>,
    /// What looks wrong with the figures or the fit.
    pub warnings: Vec<String>,
    /// The genset preset, TOML.
    pub preset_toml: String,
}

/// What became of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Found.
    Identified,
    /// Found with a wide interval; its default does not fit the figures.
    Weak,
    /// The figures cannot tell; it stays at its default.
    NotIdentified,
}

/// One parameter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ParameterReport {
    /// Key of the set.
    pub key: String,
    /// Value in the preset.
    pub value: f64,
    /// Value it started from: the default.
    pub start: f64,
    /// What became of it.
    pub outcome: Outcome,
    /// Low end of the 95 % interval; none where it is not identified.
    pub low: Option<f64>,
    /// High end of the 95 % interval.
    pub high: Option<f64>,
    /// Relative standard error, with every other free parameter free as well where it is not identified.
    pub relative_error: f64,
    /// Why it is not identified, or what is doubtful.
    pub note: String,
}

/// One row of the table. `steps.0` is the first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepReport {
    /// Load before, share of the rating.
    pub from_share: f64,
    /// Step, share of the rating.
    pub step_share: f64,
    /// Deviation given, percent.
    pub dip_percent: f64,
    /// Deviation of the fitted set, percent.
    pub fitted_dip_percent: f64,
    /// Recovery given, seconds.
    pub recovery_s: Option<f64>,
    /// Recovery of the fitted set, seconds; none where none was given.
    pub fitted_recovery_s: Option<f64>,
    /// Overshoot given, percent.
    pub overshoot_percent: Option<f64>,
    /// Overshoot of the fitted set, percent; none where none was given.
    pub fitted_overshoot_percent: Option<f64>,
    /// Whether the turbo ceiling acts in it.
    pub ceiling_binds: bool,
    /// Whether the fitted set collapses.
    pub collapsed: bool,
}

/// One recording.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecordingReport {
    /// Its name.
    pub name: String,
    /// Samples used.
    pub samples: usize,
    /// Largest deviation measured, hertz.
    pub largest_hz: f64,
    /// Root mean square of measured less fitted, hertz.
    pub rms_hz: f64,
    /// Largest difference, hertz.
    pub largest_difference_hz: f64,
    /// Noise assumed, hertz.
    pub noise_hz: f64,
    /// Shift of the frequency against the power that fits best, seconds.
    pub shift_s: f64,
    /// Whether the turbo ceiling acts in it.
    pub ceiling_binds: bool,
}

/// Two parameters that move together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CorrelatedPair {
    /// One key.
    pub one: String,
    /// The other.
    pub other: String,
    /// Their coefficient of correlation, −1 to 1.
    pub correlation: f64,
}

pub(crate) fn report(
    spec: &FitSpec,
    base: &SetSpec,
    task: &Task,
    best: &Solution,
    known: &Identified,
    (held, weak): (&[Held], &[usize]),
    iterations: usize,
) -> FitReport {
    let (held_list, events) = (held, task.all(&best.x));
    let binds = events.iter().any(|e| e.ceiling);
    let above = events
        .iter()
        .fold(f64::NEG_INFINITY, |most, e| most.max(e.above_boost_pu));
    let parameters: Vec<ParameterReport> = (0..task.parameters.len())
        .map(|p| {
            let held = held.iter().find(|h| h.parameter == p);
            let note = held.map_or_else(
                || doubtful(task, p, best, held_list),
                |held| why(task, held, (binds, above)),
            );
            one(task, p, best, known, (held, weak.contains(&p)), note)
        })
        .collect();
    let mut figures = 0;
    for event in 0..task.events() {
        figures += task.length(event);
    }
    let fitted = task.unknowns() - held.len();
    let warnings = warnings(spec, task, &events, &parameters, (best, figures));
    let mut set = serde_json::to_value(base).unwrap_or_default();
    for parameter in &parameters {
        put(&mut set, &parameter.key, parameter.value);
    }
    FitReport {
        converged: best.converged && events.iter().all(|e| !e.collapsed),
        iterations,
        sum_of_squares: best.cost,
        degrees_of_freedom: i64::try_from(figures).unwrap_or(i64::MAX)
            - i64::try_from(fitted).unwrap_or(i64::MAX),
        steps: steps(task, &events),
        recordings: recordings(spec, task, best, &events),
        correlated: known
            .pairs
            .iter()
            .map(|(a, b, correlation)| CorrelatedPair {
                one: task.parameters[*a].key.clone(),
                other: task.parameters[*b].key.clone(),
                correlation: *correlation,
            })
            .collect(),
        singular_values: known.singular.clone(),
        preset_toml: preset::toml(spec, &set, base, &parameters, &warnings),
        parameters,
        warnings,
    }
}

fn one(
    task: &Task,
    p: usize,
    best: &Solution,
    known: &Identified,
    (held, weak): (Option<&Held>, bool),
    note: String,
) -> ParameterReport {
    let parameter = &task.parameters[p];
    let value = libm::exp(best.x[p]);
    let error = held.map_or(known.error[p], |h| h.error);
    let half = (NINETY_FIVE * error).min(20.0);
    let interval = held
        .is_none()
        .then(|| (value * libm::exp(-half), value * libm::exp(half)));
    ParameterReport {
        key: parameter.key.clone(),
        value: if held.is_some() {
            parameter.start
        } else {
            preset::rounded(value)
        },
        start: parameter.start,
        outcome: match held {
            Some(_) => Outcome::NotIdentified,
            None if weak => Outcome::Weak,
            None => Outcome::Identified,
        },
        low: interval.map(|i| preset::rounded(i.0)),
        high: interval.map(|i| preset::rounded(i.1)),
        relative_error: error,
        note,
    }
}

/// What is doubtful about a fitted parameter.
fn doubtful(task: &Task, p: usize, best: &Solution, held: &[Held]) -> String {
    let (low, high) = task.bounds()[p];
    let parameter = &task.parameters[p];
    for (end, word) in [(low, "lowest"), (high, "highest")] {
        if (best.x[p] - end).abs() < 1e-9 {
            return format!(
                "at the {word} value allowed, {}; the figures ask for more",
                preset::rounded(libm::exp(end))
            );
        }
    }
    if parameter.low >= parameter.high {
        return "bounds leave no choice".to_owned();
    }
    let with: Vec<&str> = held
        .iter()
        .filter(|h| h.with.iter().any(|(other, _)| *other == p))
        .map(|h| task.parameters[h.parameter].key.as_str())
        .collect();
    if with.is_empty() {
        return String::new();
    }
    format!(
        "this value and its interval hold with {} at its default",
        with.join(", ")
    )
}

/// Why a parameter is not identified.
fn why(task: &Task, held: &Held, (binds, above): (bool, f64)) -> String {
    let key = &task.parameters[held.parameter].key;
    if key.starts_with("turbo.") && !binds {
        let reached = if key == "turbo.acceptance_pu" && above.is_finite() && above > 0.0 {
            format!(" (the throttle goes at most {above:.2} pu above the boost)")
        } else {
            String::new()
        };
        return format!(
            "no step reaches the turbo ceiling{reached}; a larger step from low load would show it"
        );
    }
    let with: Vec<String> = held
        .with
        .iter()
        .map(|(other, c)| format!("{} (correlation {c:.3})", task.parameters[*other].key))
        .collect();
    if !with.is_empty() {
        return format!("moves together with {}", with.join(", "));
    }
    if held.error > 1.0 {
        return "the figures hardly depend on it".to_owned();
    }
    if held.spread > 0.0 && held.error < crate::identify::MOST_ERROR {
        return format!(
            "values that differ by a factor of {} fit as well",
            preset::rounded(libm::exp(held.spread))
        );
    }
    format!(
        "standard error of {:.0} % around {}",
        100.0 * held.error,
        preset::rounded(held.fitted)
    )
}

fn steps(task: &Task, events: &[EventFit]) -> Vec<StepReport> {
    task.rows
        .iter()
        .zip(events)
        .map(|(row, event)| {
            let got = match event.what {
                Seen::Step(got) => Some(got),
                _ => None,
            };
            StepReport {
                from_share: row.from_share,
                step_share: row.step_share,
                dip_percent: row.dip_percent,
                fitted_dip_percent: got.map_or(0.0, |g| 100.0 * g.dip_pu),
                recovery_s: row.recovery_s,
                fitted_recovery_s: row.recovery_s.and(got).map(|g| g.recovery_s),
                overshoot_percent: row.overshoot_percent,
                fitted_overshoot_percent: row
                    .overshoot_percent
                    .and(got)
                    .map(|g| 100.0 * g.overshoot_pu),
                ceiling_binds: event.ceiling,
                collapsed: event.collapsed,
            }
        })
        .collect()
}

fn recordings(
    spec: &FitSpec,
    task: &Task,
    best: &Solution,
    events: &[EventFit],
) -> Vec<RecordingReport> {
    let hz = spec.frequency_hz;
    task.recordings
        .iter()
        .zip(&events[task.rows.len()..])
        .zip(&best.x[task.parameters.len()..])
        .map(|((recording, event), shift)| {
            let (rms_pu, most_pu) = match event.what {
                Seen::Recording { rms_pu, most_pu } => (rms_pu, most_pu),
                _ => (0.0, 0.0),
            };
            RecordingReport {
                name: recording.name.clone(),
                samples: recording.t_s.len(),
                largest_hz: hz
                    * recording
                        .deviation
                        .iter()
                        .fold(0.0_f64, |most, d| most.max(d.abs())),
                rms_hz: hz * rms_pu,
                largest_difference_hz: hz * most_pu,
                noise_hz: hz * recording.noise_pu,
                shift_s: shift * recording.interval_s,
                ceiling_binds: event.ceiling,
            }
        })
        .collect()
}
