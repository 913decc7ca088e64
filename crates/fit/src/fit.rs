//! The fit: starts, descents, and what is held because the figures cannot tell.

use ballast_plant::{PlantError, SetSpec};

use crate::identify::{Identified, identify};
use crate::minimise::{Solution, cost, descend};
use crate::parameters::{Parameter, number_at, parameter, put, usual};
use crate::recording::{Recording, Wrong, prepare};
use crate::report::{FitReport, Held, report};
use crate::spec::FitSpec;
use crate::task::Task;

/// Places tried before the descents, beside the first guess.
const PLACES: usize = 24;
/// Descents from the best of them, beside the one from the first guess.
const DESCENTS: usize = 3;
/// Sum of squares by which a default has to be worse to be dropped, and within which solutions fit as well as one another: two standard
/// deviations of one figure.
const CLEARLY: f64 = 4.0;
/// Sum of squares by which another solution has to be better to be preferred to that of the first guess.
const BETTER: f64 = 0.1;
/// Spread of a parameter over solutions that fit as well, above which it is not identified (natural logarithm).
const SPREAD: f64 = 0.25;

/// Shows how far a fit is, and may stop it.
pub trait Observer: Sync {
    /// Share of the work done, 0 to 1; an estimate.
    fn progress(&self, share: f64);
    /// Whether the user wants it to stop.
    fn cancelled(&self) -> bool {
        false
    }
}

/// An observer that looks at nothing.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Observer for Silent {
    fn progress(&self, _: f64) {}
}

/// Why there is no fit.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FitError {
    /// A recording cannot be used; pairs of its index and what is wrong, with what would be right.
    #[error("{} problems with recordings", .0.len())]
    Recordings(Vec<(usize, Wrong)>),
    /// The first guess cannot be simulated.
    #[error("event {event} cannot be simulated with the values to start from: {error}")]
    Start {
        /// The row of the table, or behind the rows the recording.
        event: usize,
        /// Why.
        error: PlantError,
    },
    /// The user stopped it.
    #[error("stopped")]
    Cancelled,
}

/// Finds the free values of a set from its steps and recordings. `base` is the set whose other values are taken; see [`crate::base_set`].
///
/// # Errors
/// Recordings that cannot be used, a first guess that cannot be simulated, or a stop.
pub fn fit(
    spec: &FitSpec,
    base: &SetSpec,
    recordings: &[Recording],
    observer: &dyn Observer,
) -> Result<FitReport, FitError> {
    let mut prepared = Vec::new();
    let mut wrong = Vec::new();
    for (at, (recording, of)) in recordings.iter().zip(&spec.recordings).enumerate() {
        match prepare(recording, of, spec) {
            Ok(ready) => prepared.push(ready),
            Err(found) => wrong.extend(found.into_iter().map(|w| (at, w))),
        }
    }
    if !wrong.is_empty() {
        return Err(FitError::Recordings(wrong));
    }
    let task = Task::new(spec, base, parameters(spec, base), prepared);
    task.try_start()
        .map_err(|(event, error)| FitError::Start { event, error })?;
    let mut search = Search {
        task: &task,
        observer,
        done: 0,
        iterations: 0,
    };
    let solutions = search.starts()?;
    let (mut best, spread) = choose(&task, &solutions);
    let mut held: Vec<Held> = Vec::new();
    let mut weak: Vec<usize> = Vec::new();
    loop {
        let active = search.active(&held);
        let known = identify(&task, &best, &active);
        let Some(worst) = worst(&known, &spread, &held, &weak) else {
            return Ok(report(
                spec,
                base,
                &task,
                &best,
                &known,
                (&held, &weak),
                search.iterations,
            ));
        };
        let without = search.without(&best, &held, worst)?;
        let scale = known.inflation;
        if without.cost - best.cost > CLEARLY * scale {
            weak.push(worst);
        } else {
            held.push(Held {
                parameter: worst,
                error: known.error[worst],
                spread: spread[worst],
                fitted: libm::exp(best.x[worst]),
                with: known
                    .pairs
                    .iter()
                    .filter_map(|(a, b, c)| {
                        let other = if *a == worst {
                            *b
                        } else if *b == worst {
                            *a
                        } else {
                            return None;
                        };
                        Some((other, *c))
                    })
                    .collect(),
            });
            best = without;
        }
    }
}

/// The parameters that are free, from the file or by custom.
fn parameters(spec: &FitSpec, base: &SetSpec) -> Vec<Parameter> {
    let json = serde_json::to_value(base).unwrap_or_default();
    if spec.free.is_empty() {
        return usual(base, spec)
            .into_iter()
            .filter_map(|key| Some(parameter(key, number_at(&json, key)?, (None, None, None))))
            .collect();
    }
    spec.free
        .iter()
        .filter_map(|free| {
            let at = number_at(&json, &free.key)?;
            Some(parameter(&free.key, at, (free.start, free.low, free.high)))
        })
        .collect()
}

/// The base with the values of the file: nameplate, known values, alternator.
pub(crate) fn with_nameplate(spec: &FitSpec, base: &SetSpec) -> SetSpec {
    let mut json = serde_json::to_value(base).unwrap_or_default();
    for (key, value) in &spec.values {
        put(&mut json, key, *value);
    }
    let mut set: SetSpec = serde_json::from_value(json).unwrap_or_else(|_| base.clone());
    (set.name, set.label) = (spec.name.clone(), spec.label.clone());
    (set.rated_kw, set.rated_kva, set.count) = (spec.rated_kw, spec.rated_kva, 1);
    if spec.alternator.is_some() {
        set.alternator = spec.alternator;
    }
    if spec.exciter.is_some() {
        set.exciter = spec.exciter;
    }
    // A range of the preset is one around its own value, which a fit moves.
    for p in set.provenance.values_mut() {
        (p.low, p.high) = (None, None);
    }
    let fuel = crate::base::fuel(spec);
    // Litres per hour of a set of another size say nothing of this one.
    let same_size = (base.rated_kw - spec.rated_kw).abs() <= 1e-9 * spec.rated_kw;
    if fuel.is_some() || !same_size {
        set.fuel = fuel;
    }
    set
}

struct Search<'a> {
    task: &'a Task,
    observer: &'a dyn Observer,
    done: usize,
    iterations: usize,
}

impl Search<'_> {
    fn active(&self, held: &[Held]) -> Vec<usize> {
        (0..self.task.unknowns())
            .filter(|u| held.iter().all(|h| h.parameter != *u))
            .collect()
    }

    /// Descends and counts; stops where the user says so.
    fn descend(&mut self, x: Vec<f64>, active: &[usize]) -> Result<Solution, FitError> {
        let (observer, mut done) = (self.observer, self.done);
        let found = descend(self.task, x, active, &mut || {
            done += 1;
            // The number of iterations to come is not known: progress slows as it goes.
            observer.progress(1.0 - 1.0 / (1.0 + done as f64 / 40.0));
            !observer.cancelled()
        });
        self.done = done;
        self.iterations += found.iterations;
        if observer.cancelled() {
            return Err(FitError::Cancelled);
        }
        Ok(found)
    }

    /// Solutions from the first guess and from the best of a fixed set of other places.
    fn starts(&mut self) -> Result<Vec<Solution>, FitError> {
        let first = self.task.start();
        let active = self.active(&[]);
        let mut places = Vec::new();
        for index in 1..=PLACES {
            let mut place = first.clone();
            let bounds = self.task.bounds();
            for (at, (low, high)) in bounds.iter().enumerate().take(self.task.parameters.len()) {
                // Inner half of the bounds in logarithms: the outer quarters are seldom a set.
                place[at] = low + (high - low) * (0.25 + 0.5 * halton(index, at));
            }
            places.push(place);
        }
        let mut ranked: Vec<(f64, Vec<f64>)> = self
            .task
            .residuals(&places)
            .iter()
            .map(|r| cost(r))
            .zip(places)
            .collect();
        ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut solutions = vec![self.descend(first, &active)?];
        for (_, place) in ranked.into_iter().take(DESCENTS) {
            solutions.push(self.descend(place, &active)?);
        }
        Ok(solutions)
    }

    /// The best fit with one more parameter at its start.
    fn without(
        &mut self,
        best: &Solution,
        held: &[Held],
        worst: usize,
    ) -> Result<Solution, FitError> {
        let first = self.task.start();
        let active: Vec<usize> = self
            .active(held)
            .into_iter()
            .filter(|u| *u != worst)
            .collect();
        let mut from_best = best.x.clone();
        from_best[worst] = first[worst];
        let a = self.descend(first, &active)?;
        let b = self.descend(from_best, &active)?;
        Ok(if b.cost < a.cost - BETTER { b } else { a })
    }
}

/// Number of `index` in the Halton sequence of the prime at `at`.
fn halton(index: usize, at: usize) -> f64 {
    const PRIMES: [usize; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];
    let base = PRIMES[at % PRIMES.len()];
    let (mut rest, mut digit, mut value) = (index, 1.0, 0.0);
    while rest > 0 {
        digit /= base as f64;
        value += digit * (rest % base) as f64;
        rest /= base;
    }
    value
}

/// The solution that is taken, and how far each parameter spreads over those that fit as well.
fn choose(task: &Task, solutions: &[Solution]) -> (Solution, Vec<f64>) {
    let least = solutions
        .iter()
        .fold(f64::INFINITY, |least, s| least.min(s.cost));
    let freedom: usize = (0..task.events()).map(|e| task.length(e)).sum::<usize>();
    let scale = (least / (freedom as f64 - task.unknowns() as f64).max(1.0)).max(1.0);
    let as_good: Vec<&Solution> = solutions
        .iter()
        .filter(|s| s.cost - least <= CLEARLY * scale)
        .collect();
    let spread = (0..task.parameters.len())
        .map(|p| {
            let values = as_good.iter().map(|s| s.x[p]);
            let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| {
                (l.min(v), h.max(v))
            });
            high - low
        })
        .collect();
    // In the order of the starts: the one from the first guess, if none is better.
    let chosen = as_good
        .iter()
        .find(|s| s.cost - least <= BETTER)
        .map_or_else(
            || Solution {
                x: task.start(),
                cost: f64::MAX,
                iterations: 0,
                converged: false,
            },
            |s| (*s).clone(),
        );
    (chosen, spread)
}

/// The parameter the figures say least about, if that is too little.
fn worst(known: &Identified, spread: &[f64], held: &[Held], weak: &[usize]) -> Option<usize> {
    let first_pass = held.is_empty();
    let mut worst: Option<(usize, f64)> = None;
    for (parameter, apart) in spread.iter().enumerate() {
        if held.iter().any(|h| h.parameter == parameter) || weak.contains(&parameter) {
            continue;
        }
        let mut doubt = known.doubt(parameter);
        if first_pass {
            doubt = doubt.max(apart / SPREAD);
        }
        if doubt > 1.0 && worst.is_none_or(|(_, most)| doubt > most) {
            worst = Some((parameter, doubt));
        }
    }
    worst.map(|(parameter, _)| parameter)
}
