//! Traces as plots need them: minimum, mean and maximum per pixel at any zoom, in constant time.
//!
//! A trace keeps its samples as f32 and a pyramid above them; what does not fit into memory lies in a scratch file of the platform.
//! Nothing is decimated: every window shows the extremes of all its samples.
//!
//! `levels` is the pyramid, `store` where the samples lie, `recorder` takes them from a run.

mod levels;
mod recorder;
mod store;

use std::sync::Arc;

pub use recorder::Recorder;

use levels::{BASE, Bucket, Levels};
use store::Store;

/// A stretch of a trace in buckets.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Window {
    /// Start of the first bucket, seconds.
    pub t0_s: f64,
    /// Length of a bucket, seconds.
    pub dt_s: f64,
    /// Smallest sample of each bucket; NaN where there is none.
    pub min: Vec<f32>,
    /// Mean.
    pub mean: Vec<f32>,
    /// Largest.
    pub max: Vec<f32>,
    /// Whether each bucket is one sample (a line may join them).
    pub samples: bool,
    /// Whether finer detail is still being read from the scratch file: draw again soon.
    pub pending: bool,
}

impl Window {
    fn clear(&mut self, t0_s: f64, dt_s: f64, samples: bool) {
        self.min.clear();
        self.mean.clear();
        self.max.clear();
        (self.t0_s, self.dt_s, self.samples, self.pending) = (t0_s, dt_s, samples, false);
    }

    fn push(&mut self, bucket: &Bucket) {
        let (min, mean, max) = bucket.values();
        self.min.push(min);
        self.mean.push(mean);
        self.max.push(max);
    }
}

/// Samples of a result that are kept in memory, bytes; beyond, they go to a scratch file.
pub const MEMORY: u64 = 300 << 20;
/// Buckets of fewer samples than this are made from the samples, larger ones from the pyramid.
const FROM_SAMPLES: u64 = 4 * BASE;
/// Most samples read from a scratch file at a time.
const MOST_READ: u64 = 65_536;

/// One signal of a run.
#[derive(Debug, Clone)]
pub struct Trace {
    /// Name of its column, as in traces.csv.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// What it is, and where it is metered.
    pub what: String,
    t0_s: f64,
    dt_s: f64,
    levels: Levels,
    store: Store,
}

impl Trace {
    /// A trace of samples in memory: `samples[k]` at `t0_s + k·dt_s`. What is not finite is a gap.
    pub fn from_samples(name: &str, unit: &str, time: (f64, f64), samples: Vec<f32>) -> Self {
        let mut levels = Levels::default();
        levels.push(&samples);
        levels.finish();
        Self {
            name: name.to_owned(),
            unit: unit.to_owned(),
            what: String::new(),
            t0_s: time.0,
            dt_s: time.1,
            levels,
            store: Store::Memory(samples),
        }
    }

    /// Samples.
    pub fn len(&self) -> u64 {
        self.levels.samples()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Samples that were not finite, and are gaps.
    pub fn gaps(&self) -> u64 {
        self.levels.gaps()
    }

    /// Memory it takes, bytes.
    pub fn bytes(&self) -> usize {
        self.levels.bytes() + self.store.bytes()
    }

    /// Calls `take` with all samples in order, some at a time: for files.
    ///
    /// # Errors
    /// The scratch file cannot be read.
    pub fn for_each_part(&self, mut take: impl FnMut(&[f32])) -> std::io::Result<()> {
        let (mut first, mut part) = (0, vec![0.0; MOST_READ as usize]);
        while first < self.len() {
            let len = (self.len() - first).min(MOST_READ) as usize;
            self.store.read(first, &mut part[..len])?;
            take(&part[..len]);
            first += len as u64;
        }
        Ok(())
    }

    /// The samples from `from_s` to `to_s` in at most `buckets` buckets, and at least about half as many where there are samples enough.
    /// It takes one sample more at either side where there is one, so that a line reaches the edges. Buckets lie on whole multiples of their length: the
    /// same stretch of time always gives the same buckets.
    pub fn window(&self, from_s: f64, to_s: f64, buckets: usize, into: &mut Window) {
        into.clear(self.t0_s, self.dt_s, true);
        let Some((first, end)) = self.range(from_s, to_s) else {
            return;
        };
        let buckets = buckets.max(2) as u64;
        let len = end - first;
        if len <= buckets && self.with_samples(first, len, |v| self.each(first, v, into)) {
            return;
        }
        let at_most = (buckets - 1).max(1);
        let mut size = len.div_ceil(at_most).max(2);
        if size < FROM_SAMPLES {
            let start = first / size * size;
            let len = end.next_multiple_of(size).min(self.len()) - start;
            if self.with_samples(start, len, |v| self.buckets(start, size, v, into)) {
                return;
            }
        }
        // Whole entries of a level of the pyramid, at least four where there are levels fine enough.
        let level = Levels::level_for(size / 4);
        let entry = Levels::size(level);
        size = size.next_multiple_of(entry);
        into.clear(
            self.time(first / size * size),
            size as f64 * self.dt_s,
            false,
        );
        for start in (first / size * size..end).step_by(size as usize) {
            into.push(
                &self
                    .levels
                    .entries(level, start / entry, (start + size).div_ceil(entry)),
            );
        }
    }

    /// The value at `t_s` (the sample at or before it).
    pub fn at(&self, t_s: f64) -> Option<f32> {
        let k = self.number(t_s);
        if !(k >= 0.0 && k < self.len() as f64) {
            return None;
        }
        let mut value = None;
        self.with_samples(k as u64, 1, |v| value = v.first().copied());
        value.filter(|v| v.is_finite())
    }

    /// Smallest and largest sample in a stretch, its ends included. None: there is no sample in it, or none can be read.
    pub fn extremes(&self, from_s: f64, to_s: f64) -> Option<(f32, f32)> {
        let first = self.number_up(from_s);
        let end = self.number(to_s) + 1.0;
        let most = self.len() as f64;
        if !(first < end && end > 0.0 && first < most) {
            return None;
        }
        let (first, end) = (first.max(0.0) as u64, end.min(most) as u64);
        let mut all = Bucket::default();
        let mut at = first;
        while at < end {
            let len = if let Some(level) = Levels::largest_at(at, end) {
                let size = Levels::size(level);
                all.join(&self.levels.entries(level, at / size, at / size + 1));
                size
            } else {
                let len = (end - at).min(BASE - at % BASE);
                if !self.with_samples(at, len, |v| all.take(v)) {
                    // The entry that holds them bounds them.
                    all.join(&self.levels.entries(0, at / BASE, at / BASE + 1));
                }
                len
            };
            at += len;
        }
        let (min, _, max) = all.values();
        (!min.is_nan()).then_some((min, max))
    }

    fn time(&self, sample: u64) -> f64 {
        self.t0_s + sample as f64 * self.dt_s
    }

    /// Number of the sample at or before `t_s`; times within a millionth of a step are the same.
    fn number(&self, t_s: f64) -> f64 {
        ((t_s - self.t0_s) / self.dt_s + 1e-6).floor()
    }

    /// Number of the sample at or after `t_s`.
    fn number_up(&self, t_s: f64) -> f64 {
        ((t_s - self.t0_s) / self.dt_s - 1e-6).ceil()
    }

    /// Samples of a stretch with one more at either side, end exclusive; none if it lies outside.
    fn range(&self, from_s: f64, to_s: f64) -> Option<(u64, u64)> {
        let most = self.len() as f64;
        let (first, last) = (self.number(from_s), self.number_up(to_s));
        let apart = !(first < most && last >= 0.0 && first <= last);
        (!apart).then(|| (first.max(0.0) as u64, (last + 1.0).min(most) as u64))
    }

    /// Hands samples to `take`; false if they lie in a scratch file and are many, or cannot be read.
    pub(crate) fn with_samples(&self, first: u64, len: u64, take: impl FnOnce(&[f32])) -> bool {
        if let Some(samples) = self.store.slice(first, len) {
            take(samples);
            return true;
        }
        if len > MOST_READ {
            return false;
        }
        let mut read = vec![0.0; len as usize];
        let done = self.store.read(first, &mut read).is_ok();
        if done {
            take(&read);
        }
        done
    }

    fn each(&self, first: u64, samples: &[f32], into: &mut Window) {
        into.clear(self.time(first), self.dt_s, true);
        let finite = |v: &f32| if v.is_finite() { *v } else { f32::NAN };
        into.min.extend(samples.iter().map(finite));
        into.mean.extend_from_slice(&into.min);
        into.max.extend_from_slice(&into.min);
    }

    fn buckets(&self, start: u64, size: u64, samples: &[f32], into: &mut Window) {
        into.clear(self.time(start), size as f64 * self.dt_s, false);
        for part in samples.chunks(size as usize) {
            into.push(&Bucket::of(part));
        }
    }
}

/// The traces of a run.
#[derive(Debug, Clone, Default)]
pub struct TraceSet {
    /// Time of the first sample, seconds.
    pub t0_s: f64,
    /// Time between samples, seconds.
    pub dt_s: f64,
    /// Samples of each.
    pub samples: u64,
    /// The signals.
    pub traces: Vec<Arc<Trace>>,
}

impl TraceSet {
    /// The trace of that name.
    pub fn named(&self, name: &str) -> Option<&Arc<Trace>> {
        self.traces.iter().find(|t| t.name == name)
    }

    /// Time of the last sample, seconds.
    pub fn end_s(&self) -> f64 {
        self.t0_s + self.dt_s * self.samples.saturating_sub(1) as f64
    }

    /// Memory it takes, bytes.
    pub fn bytes(&self) -> usize {
        self.traces.iter().map(|t| t.bytes()).sum()
    }
}

#[cfg(test)]
mod tests;
