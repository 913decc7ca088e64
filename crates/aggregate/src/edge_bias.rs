//! What sampling does to the mean of a training job whose phases end between samples.

use crate::iteration::Part;
use crate::site::{CoursePlan, Site};
use crate::timeline::{Mix, ProfileTable};
use crate::training_plan::TrainingPlan;

/// Shares of the mean from here on are told.
const WORTH_TELLING: f64 = 0.005;
/// Iterations after which samples fall on the same places of the iteration again, at most; with more the error is as small anyway.
const MOST_ITERATIONS: u32 = 20;

/// A training job whose mean power may be off because its phases end between samples.
///
/// Levels are taken at the samples. Where these fall on the same places of every iteration, a phase counts as long as a whole number of
/// steps, and the error does not average out.
#[derive(Debug, Clone, PartialEq)]
pub struct EdgesBetweenSamples {
    /// Job.
    pub job: String,
    /// Duration of its iteration, seconds.
    pub iteration_s: f64,
    /// Mean power of a GPU over an iteration, watts.
    pub mean_w: f64,
    /// Bound of the error of the mean of a GPU, watts: half the sum of all steps of power in the iteration, times step over iteration.
    pub bound_w: f64,
}

impl Site {
    /// Training jobs whose mean may be off by more than 0.5 % at a step in seconds, in the order of the scenario.
    pub fn edges_between_samples(&self, step_s: f64) -> Vec<EdgesBetweenSamples> {
        let jobs = self.jobs.iter().enumerate();
        let found = jobs.filter_map(|(j, job)| {
            let CoursePlan::Training(plan) = &job.course else {
                return None;
            };
            // Iterations of very different lengths have their edges everywhere.
            if plan.coarse_at(step_s) || plan.iteration_jitter_s >= step_s {
                return None;
            }
            let profiles = self.tables.iter().enumerate();
            let worst = profiles
                .filter(|(t, _)| self.runs_on(j, *t))
                .map(|(_, table)| bound(plan, table, step_s))
                .max_by(|a, b| (a.0 * b.1).total_cmp(&(b.0 * a.1)));
            let (bound_w, mean_w) = worst?;
            (bound_w > WORTH_TELLING * mean_w).then(|| EdgesBetweenSamples {
                job: job.name.clone(),
                iteration_s: plan.iteration_s,
                mean_w,
                bound_w,
            })
        });
        found.collect()
    }

    /// Whether a job has GPUs of a profile.
    fn runs_on(&self, job: usize, table: usize) -> bool {
        self.racks.iter().any(|rack| {
            let cohorts = rack.bundles.iter().flat_map(|b| &b.cohorts);
            self.hardware[rack.group].table == table
                && cohorts.into_iter().any(|c| c.job == Some(job))
        })
    }
}

/// Bound of the error and mean of a GPU, watts.
///
/// A periodic course is made of layers, each on and off a number of times; sampling every `h` errs by less than `h` for each stretch that a
/// layer is on. Summed over the layers that is half the total variation. On a straight way of `r ≥ h` from level to level the error is
/// that of the trapezoidal rule, smaller by `h/(2r)`.
fn bound(plan: &TrainingPlan, table: &ProfileTable, step_s: f64) -> (f64, f64) {
    let stages = plan.parts.len().max(1);
    let (mut variation_w, mut mean_w) = (0.0, 0.0);
    for stage in 0..plan.parts.len() {
        let part = plan.part_at(stage, step_s);
        variation_w += variation(&part, table) / stages as f64;
        mean_w += level_w(plan.mean_level(stage, 0.0), table) / stages as f64;
    }
    let spacing_s = step_s / f64::from(iterations_to_meet(plan.iteration_s / step_s));
    let ways_s = Mix::PHASES[..2]
        .iter()
        .map(|p| table.level(*p))
        .flat_map(|l| [l.rise_s, l.fall_s]);
    let way_s = ways_s.fold(f64::INFINITY, f64::min);
    let smoothed = if way_s >= spacing_s {
        0.5 * spacing_s / way_s
    } else {
        1.0
    };
    let bound_w = 0.5 * variation_w * smoothed * spacing_s / plan.iteration_s;
    (bound_w, mean_w)
}

/// Sum of all steps of power in an iteration, that to the next one included.
fn variation(part: &Part, table: &ProfileTable) -> f64 {
    let levels: Vec<f64> = part
        .segments
        .iter()
        .map(|s| level_w(s.mix, table))
        .collect();
    let next = levels.iter().cycle().skip(1);
    levels.iter().zip(next).map(|(a, b)| (b - a).abs()).sum()
}

fn level_w(mix: Mix, table: &ProfileTable) -> f64 {
    let parts = mix.0.into_iter().zip(Mix::PHASES);
    parts.map(|(share, p)| share * table.level(p).power_w).sum()
}

/// Iterations after which samples, `per_iteration` of them in each, fall on the same places again.
fn iterations_to_meet(per_iteration: f64) -> u32 {
    let meets = |n: &u32| {
        let samples = f64::from(*n) * per_iteration;
        (samples - samples.round()).abs() < 1e-6
    };
    (1..MOST_ITERATIONS).find(meets).unwrap_or(MOST_ITERATIONS)
}
