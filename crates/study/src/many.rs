//! Several scenarios run for one answer: members of a comparison, points of a sweep.

use std::sync::atomic::{AtomicU64, Ordering};

use ballast_scenario::{Loaded, realisations_at_a_time};
use rayon::prelude::*;

use crate::error::StudyError;
use crate::inputs::Inputs;
use crate::observer::Observer;
use crate::outcome::Outcome;
use crate::run::run;

/// A scenario to run, with its inputs.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// The scenario.
    pub loaded: &'a Loaded,
    /// What it needs beside itself.
    pub inputs: &'a Inputs,
}

/// Runs all `jobs` on the current rayon pool, as many at a time as fit into memory, and keeps what `reduce` makes of each outcome
/// (number of the job, outcome). The result is the same on any number of threads.
///
/// # Errors
/// Number of the first job (in their order) that gave no outcome, and why. One that asked to stop comes after one that failed.
pub fn run_many<T: Send>(
    jobs: &[Job<'_>],
    observer: &dyn Observer,
    reduce: impl Fn(usize, Outcome) -> T + Sync,
) -> Result<Vec<T>, (usize, StudyError)> {
    let shares = Shares {
        of: jobs.iter().map(|_| AtomicU64::new(0)).collect(),
        observer,
    };
    let mut done = Vec::with_capacity(jobs.len());
    let numbered: Vec<(usize, &Job<'_>)> = jobs.iter().enumerate().collect();
    for batch in numbered.chunks(at_a_time(jobs)) {
        let results: Vec<Result<T, StudyError>> = batch
            .par_iter()
            .map(|&(at, job)| {
                let part = Part {
                    shares: &shares,
                    at,
                };
                let outcome = run(job.loaded, job.inputs, None, &part)?;
                part.progress(1.0);
                Ok(reduce(at, outcome))
            })
            .collect();
        let stopped = |r: &Result<T, StudyError>| matches!(r, Err(StudyError::Interrupted { .. }));
        let failed = results.iter().position(|r| r.is_err() && !stopped(r));
        let failed = failed.or_else(|| results.iter().position(Result::is_err));
        for (k, result) in results.into_iter().enumerate() {
            match result {
                Err(error) if failed == Some(k) => return Err((batch[k].0, error)),
                Err(_) => {}
                Ok(kept) => done.push(kept),
            }
        }
    }
    Ok(done)
}

/// Jobs that run together: one after another where each has realisations to fill the threads with, else as many as memory holds.
fn at_a_time(jobs: &[Job<'_>]) -> usize {
    let threads = rayon::current_num_threads();
    let each = jobs.iter().map(|job| {
        if job.loaded.scenario.simulation.realisations > 1 {
            1
        } else {
            realisations_at_a_time(&job.loaded.scenario, threads)
        }
    });
    each.min().unwrap_or(1).max(1)
}

/// How far each job is.
struct Shares<'a> {
    /// Shares as bits.
    of: Vec<AtomicU64>,
    observer: &'a dyn Observer,
}

/// One job's view of it.
struct Part<'a> {
    shares: &'a Shares<'a>,
    at: usize,
}

impl Observer for Part<'_> {
    fn progress(&self, share: f64) {
        self.shares.of[self.at].store(share.to_bits(), Ordering::Relaxed);
        let all = self.shares.of.iter();
        let sum: f64 = all.map(|s| f64::from_bits(s.load(Ordering::Relaxed))).sum();
        self.shares
            .observer
            .progress(sum / self.shares.of.len() as f64);
    }

    fn cancelled(&self) -> bool {
        self.shares.observer.cancelled()
    }
}
