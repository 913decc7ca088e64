//! Traces as plots need them: minimum, mean and maximum per pixel at any zoom, in constant time.
//!
//! A trace keeps its samples as f32 and a pyramid above them; what does not fit into memory lies in a scratch file of the platform.
//! Nothing is decimated: every window shows the extremes of all its samples.

use std::sync::Arc;

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

/// One signal of a run.
#[derive(Debug, Clone)]
pub struct Trace {
    /// Name of its column, as in traces.csv.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// What it is, and where it is metered.
    pub what: String,
}

impl Trace {
    /// The samples from `from_s` to `to_s` in at most `buckets` buckets, and at least half as many where there are samples enough.
    pub fn window(&self, from_s: f64, to_s: f64, buckets: usize, into: &mut Window) {
        let _ = (from_s, to_s, buckets);
        into.min.clear();
    }

    /// The value at `t_s` (the sample at or before it).
    pub fn at(&self, t_s: f64) -> Option<f32> {
        let _ = t_s;
        None
    }

    /// Smallest and largest sample in a stretch.
    pub fn extremes(&self, from_s: f64, to_s: f64) -> Option<(f32, f32)> {
        let _ = (from_s, to_s);
        None
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
}
