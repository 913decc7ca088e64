//! Where the values of a series come from: a trace of the run, or a bounded pyramid of the outcome.

use std::sync::Arc;

use ballast_series::Pyramid;

use crate::trace::{Trace, Window};

/// Where values come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A trace: every sample.
    Trace(Arc<Trace>),
    /// A trace in another unit: times a factor above 0.
    Scaled(Arc<Trace>, f32),
    /// A pyramid of an outcome: at most 4096 buckets.
    Pyramid(Arc<Pyramid>),
}

impl Source {
    /// The stretch in at most about `buckets` buckets.
    pub fn window(&self, from_s: f64, to_s: f64, buckets: usize, into: &mut Window) {
        match self {
            Self::Trace(trace) => trace.window(from_s, to_s, buckets, into),
            Self::Scaled(trace, factor) => {
                trace.window(from_s, to_s, buckets, into);
                let values = [&mut into.min, &mut into.mean, &mut into.max];
                values.into_iter().flatten().for_each(|v| *v *= factor);
            }
            Self::Pyramid(pyramid) => window(pyramid, from_s, to_s, buckets, into),
        }
    }

    /// The value at a moment; of a pyramid the mean of the finest bucket there.
    pub fn at(&self, t_s: f64) -> Option<f32> {
        match self {
            Self::Trace(trace) => trace.at(t_s),
            Self::Scaled(trace, factor) => Some(trace.at(t_s)? * factor),
            Self::Pyramid(pyramid) => {
                let level = pyramid.levels.first()?;
                let number = (t_s - pyramid.t0_s) / level.dt_s;
                let inside = number >= 0.0 && number < level.mean.len() as f64;
                let mean = inside.then(|| level.mean.get(number as usize))??;
                Some(*mean as f32)
            }
        }
    }

    /// Smallest and largest value in a stretch.
    pub fn extremes(&self, from_s: f64, to_s: f64) -> Option<(f32, f32)> {
        match self {
            Self::Trace(trace) => trace.extremes(from_s, to_s),
            Self::Scaled(trace, factor) => {
                let (low, high) = trace.extremes(from_s, to_s)?;
                Some((low * factor, high * factor))
            }
            Self::Pyramid(_) => {
                let mut all = Window::default();
                self.window(from_s, to_s, 4096, &mut all);
                range(&all)
            }
        }
    }

    /// Identifies it while it lives.
    pub(crate) fn address(&self) -> usize {
        match self {
            Self::Trace(trace) | Self::Scaled(trace, _) => Arc::as_ptr(trace).addr(),
            Self::Pyramid(pyramid) => Arc::as_ptr(pyramid).addr(),
        }
    }
}

/// Smallest and largest value of a window.
pub(crate) fn range(window: &Window) -> Option<(f32, f32)> {
    let low = window.min.iter().copied().fold(f32::INFINITY, f32::min);
    let high = window.max.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    (low <= high).then_some((low, high))
}

/// The stretch of a pyramid, from the coarsest level that has half as many buckets as asked for, or the finest.
fn window(pyramid: &Pyramid, from_s: f64, to_s: f64, buckets: usize, into: &mut Window) {
    into.min.clear();
    into.mean.clear();
    into.max.clear();
    into.samples = false;
    into.pending = false;
    let span = to_s - from_s;
    let wanted = buckets as f64 / 2.0;
    let enough = |dt_s: f64| span / dt_s >= wanted;
    let coarse = pyramid.levels.iter().rev().find(|l| enough(l.dt_s));
    let Some(level) = coarse.or(pyramid.levels.first()) else {
        return;
    };
    let len = level.mean.len();
    let number = |t_s: f64| (t_s - pyramid.t0_s) / level.dt_s;
    let first = (number(from_s).floor().max(0.0) as usize).min(len);
    let last = (number(to_s).ceil().max(0.0) as usize + 1).min(len);
    into.dt_s = level.dt_s;
    into.t0_s = pyramid.t0_s + first as f64 * level.dt_s;
    for i in first..last {
        into.min.push(level.min[i] as f32);
        into.mean.push(level.mean[i] as f32);
        into.max.push(level.max[i] as f32);
    }
    let flat = level
        .min
        .iter()
        .zip(&level.max)
        .all(|(min, max)| min == max);
    into.samples = flat && span / level.dt_s < wanted;
}
