//! Which GPUs run which jobs one after another.
//!
//! At its start each job takes the free GPUs with the lowest numbers, of each of its nodes or of one pool. GPUs that have run the same
//! jobs in the same order are a set; a scenario runs a set's jobs one after another.

use std::collections::BTreeMap;

use crate::slurm::Job;

/// GPUs with neighbouring numbers that have run the same jobs.
#[derive(Debug, Clone)]
struct Segment {
    gpus: u64,
    /// Jobs by index, in order of time.
    jobs: Vec<usize>,
    /// Time from which they are free.
    free_at: i64,
}

/// GPUs of a node, or of a cluster whose nodes are not known.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pool(Vec<Segment>);

impl Pool {
    pub(crate) fn new(gpus: u64) -> Self {
        Self(vec![Segment {
            gpus,
            jobs: Vec::new(),
            free_at: i64::MIN,
        }])
    }

    /// Gives a job its GPUs; jobs come in order of their starts. Returns how many are missing.
    pub(crate) fn take(&mut self, index: usize, job: &Job, gpus: u64) -> u64 {
        let mut left = gpus;
        let mut at = 0;
        while at < self.0.len() && left > 0 {
            if self.0[at].free_at > job.start {
                at += 1;
                continue;
            }
            if self.0[at].gpus > left {
                let mut rest = self.0[at].clone();
                rest.gpus -= left;
                self.0[at].gpus = left;
                self.0.insert(at + 1, rest);
            }
            let segment = &mut self.0[at];
            left -= segment.gpus;
            segment.jobs.push(index);
            segment.free_at = job.end.unwrap_or(i64::MAX);
            at += 1;
        }
        left
    }

    /// The same in a pool that has as many GPUs as it takes.
    pub(crate) fn take_or_grow(&mut self, index: usize, job: &Job, gpus: u64) {
        let left = self.take(index, job, gpus);
        if left > 0 {
            self.0.push(Segment {
                gpus: left,
                jobs: vec![index],
                free_at: job.end.unwrap_or(i64::MAX),
            });
        }
    }
}

/// The sets of GPUs, in order of their first GPU.
#[derive(Debug, Default)]
pub(crate) struct Sets {
    /// Jobs of each set, in order of time.
    pub(crate) jobs: Vec<Vec<usize>>,
    numbers: BTreeMap<Vec<usize>, usize>,
}

impl Sets {
    /// Sets that have GPUs in a pool, with how many; GPUs without a job are in none.
    pub(crate) fn of(&mut self, pool: &Pool) -> Vec<(usize, u64)> {
        let mut found: Vec<(usize, u64)> = Vec::new();
        for segment in pool.0.iter().filter(|s| !s.jobs.is_empty()) {
            let next = self.jobs.len();
            let set = *self.numbers.entry(segment.jobs.clone()).or_insert(next);
            if set == next {
                self.jobs.push(segment.jobs.clone());
            }
            add(&mut found, set, segment.gpus);
        }
        found
    }
}

/// Adds GPUs of a set to a list of sets.
pub(crate) fn add(list: &mut Vec<(usize, u64)>, set: usize, gpus: u64) {
    match list.iter_mut().find(|(s, _)| *s == set) {
        Some((_, all)) => *all += gpus,
        None => list.push((set, gpus)),
    }
}
