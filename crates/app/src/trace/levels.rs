//! Minimum, mean and maximum at several resolutions: buckets of 64 samples, then four of these, then four of those.

/// Samples of a bucket of the finest level.
pub(super) const BASE: u64 = 64;
/// Buckets in one of the next level.
const COARSENING: u64 = 4;

/// Extremes and mean of some samples; those that are not finite take no part.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    min: f32,
    max: f32,
    sum: f64,
    samples: u64,
}

impl Default for Bucket {
    fn default() -> Self {
        Self {
            min: f32::INFINITY,
            max: f32::NEG_INFINITY,
            sum: 0.0,
            samples: 0,
        }
    }
}

impl Bucket {
    pub(super) fn of(samples: &[f32]) -> Self {
        let mut bucket = Self::default();
        bucket.take(samples);
        bucket
    }

    pub(super) fn take(&mut self, samples: &[f32]) {
        const LANES: usize = 8;
        let (mut min, mut max) = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES]);
        let (mut sum, mut finite) = ([0.0_f64; LANES], [0_u32; LANES]);
        let chunks = samples.chunks_exact(LANES);
        let rest = chunks.remainder();
        let mut lane = |l: usize, v: f32| {
            let good = v.is_finite();
            min[l] = if good && v < min[l] { v } else { min[l] };
            max[l] = if good && v > max[l] { v } else { max[l] };
            sum[l] += if good { f64::from(v) } else { 0.0 };
            finite[l] += u32::from(good);
        };
        for lanes in chunks {
            for (l, v) in lanes.iter().enumerate() {
                lane(l, *v);
            }
        }
        for (l, v) in rest.iter().enumerate() {
            lane(l, *v);
        }
        self.join(&Self {
            min: min.into_iter().fold(f32::INFINITY, f32::min),
            max: max.into_iter().fold(f32::NEG_INFINITY, f32::max),
            sum: sum.into_iter().sum(),
            samples: finite.into_iter().map(u64::from).sum(),
        });
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.sum += other.sum;
        self.samples += other.samples;
    }

    /// Smallest, mean, largest; NaN where there is no sample.
    pub(super) fn values(&self) -> (f32, f32, f32) {
        if self.samples == 0 {
            return (f32::NAN, f32::NAN, f32::NAN);
        }
        // Rounding may carry a mean past the extremes.
        let mean = (self.sum / self.samples as f64) as f32;
        (self.min, mean.clamp(self.min, self.max), self.max)
    }
}

/// One resolution.
#[derive(Debug, Clone, Default)]
struct Level {
    min: Vec<f32>,
    mean: Vec<f32>,
    max: Vec<f32>,
    /// Finite samples of each bucket; empty while all are.
    finite: Vec<u64>,
}

/// The pyramid of a trace.
#[derive(Debug, Clone, Default)]
pub(super) struct Levels {
    all: Vec<Level>,
    samples: u64,
    finite: u64,
    /// The bucket of the finest level that is being filled, and the samples in it.
    open: Bucket,
    filled: u64,
}

impl Levels {
    /// Takes the next samples.
    pub(super) fn push(&mut self, mut samples: &[f32]) {
        if self.all.is_empty() {
            self.all.push(Level::default());
        }
        while !samples.is_empty() {
            let len = samples.len().min((BASE - self.filled) as usize);
            let (now, later) = samples.split_at(len);
            let before = self.open.samples;
            self.open.take(now);
            self.finite += self.open.samples - before;
            self.filled += len as u64;
            self.samples += len as u64;
            samples = later;
            if self.filled == BASE {
                self.close();
            }
        }
    }

    fn close(&mut self) {
        let (bucket, filled) = (std::mem::take(&mut self.open), self.filled);
        self.filled = 0;
        if let Some(level) = self.all.first_mut() {
            level.push(&bucket, filled, BASE);
        }
    }

    /// Builds the coarser levels.
    pub(super) fn finish(&mut self) {
        if self.filled > 0 {
            self.close();
        }
        let mut size = BASE;
        while let Some(fine) = self.all.last().filter(|l| l.min.len() > 4) {
            let mut coarse = Level::default();
            let all = fine.min.len() as u64;
            size *= COARSENING;
            for first in (0..all).step_by(COARSENING as usize) {
                let end = (first + COARSENING).min(all);
                let bucket = fine.entries(first, end, size / COARSENING, self.samples);
                let filled = (self.samples - first * (size / COARSENING)).min(size);
                coarse.push(&bucket, filled, size);
            }
            self.all.push(coarse);
        }
        for level in &mut self.all {
            level.min.shrink_to_fit();
            level.mean.shrink_to_fit();
            level.max.shrink_to_fit();
        }
    }

    pub(super) fn samples(&self) -> u64 {
        self.samples
    }

    pub(super) fn gaps(&self) -> u64 {
        self.samples - self.finite
    }

    pub(super) fn bytes(&self) -> usize {
        let of = |l: &Level| 4 * (l.min.len() + l.mean.len() + l.max.len()) + 8 * l.finite.len();
        self.all.iter().map(of).sum()
    }

    /// Samples of an entry of a level.
    pub(super) fn size(level: usize) -> u64 {
        BASE << (2 * level)
    }

    /// The coarsest level whose entries are of at most `size` samples; the finest if there is none.
    pub(super) fn level_for(size: u64) -> usize {
        let mut level = 0;
        while Self::size(level + 1) <= size {
            level += 1;
        }
        level
    }

    /// The coarsest level with an entry that begins at sample `at` and ends at or before `end`.
    pub(super) fn largest_at(at: u64, end: u64) -> Option<usize> {
        let fits = |level: usize| {
            let size = Self::size(level);
            at.is_multiple_of(size) && at + size <= end
        };
        (0..24).take_while(|l| fits(*l)).last()
    }

    /// Entries `first` up to `end` of a level, together. A level that was not worth building is made of the one below.
    pub(super) fn entries(&self, level: usize, first: u64, end: u64) -> Bucket {
        let built = level.min(self.all.len().saturating_sub(1));
        let by = COARSENING.pow((level - built) as u32);
        self.all.get(built).map_or_else(Bucket::default, |l| {
            l.entries(first * by, end * by, Self::size(built), self.samples)
        })
    }
}

impl Level {
    fn push(&mut self, bucket: &Bucket, filled: u64, size: u64) {
        let (min, mean, max) = bucket.values();
        if bucket.samples < filled && self.finite.is_empty() {
            self.finite = vec![size; self.min.len()];
            self.finite.push(bucket.samples);
        } else if !self.finite.is_empty() {
            self.finite.push(bucket.samples);
        }
        self.min.push(min);
        self.mean.push(mean);
        self.max.push(max);
    }

    /// Entries `first` up to `end`, of `size` samples each but the last of all `samples`.
    fn entries(&self, first: u64, end: u64, size: u64, samples: u64) -> Bucket {
        let mut all = Bucket::default();
        let end = (end as usize).min(self.min.len());
        for i in (first as usize).min(end)..end {
            let whole = (samples - i as u64 * size).min(size);
            let finite = self.finite.get(i).copied().unwrap_or(whole);
            if finite > 0 {
                all.join(&Bucket {
                    min: self.min[i],
                    max: self.max[i],
                    sum: f64::from(self.mean[i]) * finite as f64,
                    samples: finite,
                });
            }
        }
        all
    }
}
