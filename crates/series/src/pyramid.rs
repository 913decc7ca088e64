//! Minimum, mean and maximum of a signal at several resolutions, for plots.
//!
//! A plot of an hour at a millisecond must neither draw 3.6 million points nor step over the one
//! sample that tripped the generator. Every bucket therefore keeps the extremes of all its samples.

use crate::hold::Hold;
use serde::Serialize;

const MOST_BUCKETS: usize = 4096;
// From one level to the next; and the level at which going on shows nothing new.
const COARSENING: usize = 4;
const FEW_BUCKETS: usize = 16;

/// One resolution of a pyramid: the run cut into buckets of `dt_s`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Level {
    /// Length of a bucket in seconds. Bucket `i` covers `t0 + i·dt` up to `t0 + (i+1)·dt`; the last
    /// may be only partly filled.
    pub dt_s: f64,
    /// Smallest sample of each bucket.
    pub min: Vec<f64>,
    /// Mean of each bucket's samples.
    pub mean: Vec<f64>,
    /// Largest sample of each bucket.
    pub max: Vec<f64>,
}

/// A signal at several resolutions, finest first, each next one 4 times coarser, down to the first
/// of at most 16 buckets. The finest has at most 4096. No levels without samples.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pyramid {
    /// Time of the first sample, in seconds since the start of the run.
    pub t0_s: f64,
    /// The levels, finest first.
    pub levels: Vec<Level>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    min: f64,
    max: f64,
    sum: f64,
    samples: u64,
}

impl Bucket {
    fn of(v: f64) -> Self {
        Self {
            min: v,
            max: v,
            sum: v,
            samples: 1,
        }
    }

    fn join(&mut self, other: &Self) {
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.sum += other.sum;
        self.samples += other.samples;
    }
}

/// Builds a [`Pyramid`] from samples as they go by, in at most 4096 buckets.
///
/// A sample that is not finite, or beyond [`crate::LARGEST_MAGNITUDE`], counts as a repetition of
/// the last usable one (see [`non_finite`](Self::non_finite)).
#[derive(Debug, Clone)]
pub struct PyramidBuilder {
    dt_s: f64,
    start_s: f64,
    per_bucket: u64,
    buckets: Vec<Bucket>,
    hold: Hold,
}

impl PyramidBuilder {
    /// A builder for `samples` samples, `dt_s` seconds apart. If more come, the buckets are merged
    /// in pairs whenever they run out; if fewer come, fewer buckets are filled.
    pub fn new(dt_s: f64, samples: u64) -> Self {
        let per_bucket = samples.div_ceil(MOST_BUCKETS as u64).max(1);
        let expected = samples.div_ceil(per_bucket).min(MOST_BUCKETS as u64);
        Self {
            dt_s,
            start_s: 0.0,
            per_bucket,
            buckets: Vec::with_capacity(expected as usize),
            hold: Hold::default(),
        }
    }

    /// The first sample is at `t0_s` seconds instead of 0.
    #[must_use]
    pub fn starting_at(mut self, t0_s: f64) -> Self {
        self.start_s = t0_s;
        self
    }

    /// Takes the next samples.
    pub fn push_slice(&mut self, v: &[f64]) {
        for raw in v {
            let sample = Bucket::of(self.hold.pass(*raw));
            match self.buckets.last_mut() {
                Some(last) if last.samples < self.per_bucket => last.join(&sample),
                _ => {
                    if self.buckets.len() == MOST_BUCKETS {
                        // An even number of full buckets: every pair makes a full one.
                        self.buckets = coarser(&self.buckets, 2);
                        self.per_bucket *= 2;
                    }
                    self.buckets.push(sample);
                }
            }
        }
    }

    /// Number of samples replaced because they were not finite or too large.
    pub fn non_finite(&self) -> u64 {
        self.hold.replaced()
    }

    /// The pyramid of all samples taken.
    pub fn finish(self) -> Pyramid {
        let mut levels = Vec::new();
        let mut buckets = self.buckets;
        let mut dt_s = self.dt_s * self.per_bucket as f64;
        while !buckets.is_empty() {
            levels.push(level(dt_s, &buckets));
            if buckets.len() <= FEW_BUCKETS {
                break;
            }
            buckets = coarser(&buckets, COARSENING);
            dt_s *= COARSENING as f64;
        }
        Pyramid {
            t0_s: self.start_s,
            levels,
        }
    }
}

fn coarser(buckets: &[Bucket], factor: usize) -> Vec<Bucket> {
    let mut merged = Vec::with_capacity(buckets.len().div_ceil(factor));
    for group in buckets.chunks(factor) {
        if let [head, tail @ ..] = group {
            let mut bucket = *head;
            for next in tail {
                bucket.join(next);
            }
            merged.push(bucket);
        }
    }
    merged
}

fn level(dt_s: f64, buckets: &[Bucket]) -> Level {
    // Rounding of the sum must not carry the mean past the extremes.
    let mean = |b: &Bucket| (b.sum / b.samples as f64).clamp(b.min, b.max);
    Level {
        dt_s,
        min: buckets.iter().map(|b| b.min).collect(),
        mean: buckets.iter().map(mean).collect(),
        max: buckets.iter().map(|b| b.max).collect(),
    }
}

#[cfg(test)]
#[path = "pyramid_tests.rs"]
mod tests;
