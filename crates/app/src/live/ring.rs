//! The last minutes of one GPU, in buckets: bounded memory at any rate and any length of a run.

use std::collections::VecDeque;

/// Length of a bucket, seconds: two readings at the usual 20 Hz.
pub const BUCKET_S: f64 = 0.1;
/// How many are kept: ten minutes.
pub const BUCKETS: usize = 6000;

/// Readings of a tenth of a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// Number since t = 0; buckets without a reading are not there.
    pub number: u64,
    /// Smallest power, W.
    pub min_w: f32,
    /// Sum of the powers, W.
    sum_w: f64,
    /// Largest power, W.
    pub max_w: f32,
    /// Readings.
    readings: u32,
}

impl Bucket {
    /// Middle of the bucket, seconds.
    pub fn time_s(&self) -> f64 {
        (self.number as f64 + 0.5) * BUCKET_S
    }

    /// Mean power, W.
    pub fn mean_w(&self) -> f32 {
        (self.sum_w / f64::from(self.readings.max(1))) as f32
    }
}

/// The last minutes of one GPU's power.
#[derive(Debug, Clone, Default)]
pub struct Ring {
    buckets: VecDeque<Bucket>,
}

impl Ring {
    /// Takes a reading, W at seconds. Times that step back are counted with the newest bucket; what is no number is left out.
    pub fn push(&mut self, t_s: f64, power_w: f64) {
        if !power_w.is_finite() || !t_s.is_finite() {
            return;
        }
        let number = (t_s.max(0.0) / BUCKET_S) as u64;
        let shown_w = power_w as f32;
        if let Some(last) = self.buckets.back_mut().filter(|b| number <= b.number) {
            last.min_w = last.min_w.min(shown_w);
            last.max_w = last.max_w.max(shown_w);
            last.sum_w += power_w;
            last.readings += 1;
            return;
        }
        if self.buckets.len() == BUCKETS {
            self.buckets.pop_front();
        }
        self.buckets.push_back(Bucket {
            number,
            min_w: shown_w,
            sum_w: power_w,
            max_w: shown_w,
            readings: 1,
        });
    }

    /// The buckets, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Bucket> {
        self.buckets.iter()
    }

    /// The buckets of the last `span_s` seconds before `end_s`, oldest first.
    pub fn last(&self, end_s: f64, span_s: f64) -> impl Iterator<Item = &Bucket> {
        let from = self
            .buckets
            .partition_point(|b| b.time_s() < end_s - span_s - BUCKET_S);
        self.buckets.range(from..)
    }

    /// Smallest, mean and largest power in the last `span_s` seconds, W.
    pub fn summary(&self, end_s: f64, span_s: f64) -> Option<(f32, f32, f32)> {
        let (mut min, mut max) = (f32::INFINITY, f32::NEG_INFINITY);
        let (mut sum, mut count) = (0.0, 0_u64);
        for bucket in self.last(end_s, span_s) {
            min = min.min(bucket.min_w);
            max = max.max(bucket.max_w);
            sum += bucket.sum_w;
            count += u64::from(bucket.readings);
        }
        (count > 0).then(|| (min, (sum / count as f64) as f32, max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_no_peak_is_lost() {
        let mut ring = Ring::default();
        for i in 0..200_000_u32 {
            let peak = i == 199_000;
            ring.push(f64::from(i) * 0.005, if peak { 700.0 } else { 100.0 });
        }
        assert_eq!(ring.buckets.len(), BUCKETS);
        let (min, mean, max) = ring.summary(1000.0, 60.0).unwrap();
        assert_eq!((min, max), (100.0, 700.0));
        assert!(mean > 100.0 && mean < 101.0, "{mean}");
    }

    #[test]
    fn a_clock_that_steps_back_and_a_missing_reading_do_no_harm() {
        let mut ring = Ring::default();
        ring.push(5.0, 100.0);
        ring.push(1.0, 300.0);
        ring.push(5.2, f64::NAN);
        assert_eq!(ring.buckets.len(), 1);
        assert_eq!(ring.summary(5.0, 10.0), Some((100.0, 200.0, 300.0)));
        assert_eq!(ring.summary(50.0, 10.0), None);
    }
}
