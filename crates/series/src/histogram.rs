//! Distribution of a signal's values in bounded memory.
//!
//! Bins are `2^k` wide and start at whole multiples of their width, and `k` is the smallest for
//! which the bins between the smallest and the largest value fit the histogram. A value outside
//! doubles the bin width, merging bins in pairs, as often as needed. Because the grid is anchored at
//! zero and not at whatever came first, the state is a function of the values alone: not of their
//! order, not of how they were cut into blocks or spread over several histograms that were merged.
//! (Only mean and standard deviation, being sums of floats, know the order, in their last bits; they do not know the blocks.)
//! It also means that between half and all of the bins lie between minimum and maximum, so the
//! resolution is always better than twice the span over the number of bins.
//!
//! Each bin keeps the smallest and the largest value in it, so that a load that rests at one level has
//! that level as its quantile, not a value from within the bin: 24 bytes per bin, 96 KiB in 4096 bins.

use crate::hold::usable;
use multiversion::multiversion;
use serde::Serialize;

const DEFAULT_BINS: usize = 4096;
// Fewer could not cover both signs at the coarsest width.
const FEWEST_BINS: usize = 16;
// 24 MiB, a resolution of two millionths of the span.
const MOST_BINS: usize = 1 << 20;
// Finest bin width is 2^FINEST; widths and their reciprocals stay normal floats over all exponents.
const FINEST: i32 = -1000;
// A value is at most 2^INDEX_BITS bin widths from zero, so its bin's index is exact in f64 and i64.
const INDEX_BITS: i32 = 51;

/// What a signal did: its extremes, quantiles, mean and spread, in the signal's own unit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Envelope {
    /// Smallest value, exact.
    pub min: f64,
    /// Value not exceeded 5 % of the time.
    pub p5: f64,
    /// Median.
    pub p50: f64,
    /// Value not exceeded 95 % of the time.
    pub p95: f64,
    /// Value not exceeded 99.9 % of the time.
    pub p99_9: f64,
    /// Largest value, exact.
    pub max: f64,
    /// Mean.
    pub mean: f64,
    /// Standard deviation over all samples (divided by their number).
    pub std: f64,
    /// Number of samples.
    pub samples: u64,
    /// Bin width: no quantile is further than this from the exact one; where all samples in its bin
    /// are equal it is exact. 0 for a constant signal.
    pub resolution: f64,
    /// What the samples were taken over, in words, such as `1 s means, 20 realisations`.
    pub over: String,
}

/// Load-duration curve: `value[i]` is exceeded for the share `share[i]` of the time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoadDuration {
    /// Share of time, 0 to 1, evenly spaced and rising.
    pub share: Vec<f64>,
    /// Value exceeded for that share, from the maximum (share 0) down to the minimum (share 1).
    pub value: Vec<f64>,
}

/// The samples that fell into one bin.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bin {
    count: u64,
    min: f64,
    max: f64,
}

impl Bin {
    const EMPTY: Self = Self {
        count: 0,
        min: f64::INFINITY,
        max: f64::NEG_INFINITY,
    };

    fn add(&mut self, v: f64) {
        self.count += 1;
        if v < self.min {
            self.min = v;
        }
        if v > self.max {
            self.max = v;
        }
    }

    fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// The sample of rank `rank`, from 1 to `count`, if they are spread evenly from `min` to `max`.
    fn ranked(&self, rank: f64) -> f64 {
        if self.count < 2 {
            return self.min;
        }
        let inside = ((rank - 1.0) / (self.count - 1) as f64).clamp(0.0, 1.0);
        (self.min + (self.max - self.min) * inside).clamp(self.min, self.max)
    }

    /// How many samples are above `value`, if they are spread evenly from `min` to `max`.
    fn above(&self, value: f64) -> f64 {
        if self.count == 0 || value >= self.max {
            0.0
        } else if value < self.min {
            self.count as f64
        } else {
            // `max` is above, so the two differ and so there are at least two samples.
            let between = (self.count - 1) as f64;
            between * (1.0 - (value - self.min) / (self.max - self.min))
        }
    }
}

/// Streaming histogram with exact minimum, maximum, mean and standard deviation, and quantiles to
/// one bin width.
///
/// Samples that are not finite, or larger than [`crate::LARGEST_MAGNITUDE`], are only counted (see
/// [`non_finite`](Self::non_finite)).
#[derive(Debug, Clone)]
pub struct Histogram {
    /// Bin `i` of the grid lives at `i mod bins.len()`; the length is a power of two.
    bins: Vec<Bin>,
    /// Bins are 2^exponent wide.
    exponent: i32,
    /// 2^-exponent.
    per_width: f64,
    /// Grid indices of the first and last occupied bin.
    first: i64,
    last: i64,
    count: u64,
    non_finite: u64,
    min: f64,
    max: f64,
    moments: Moments,
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl Histogram {
    /// An empty histogram of 4096 bins: quantiles better than 1/2000 of the span.
    pub fn new() -> Self {
        Self::with_bins(DEFAULT_BINS)
    }

    /// An empty histogram of `n` bins, rounded up to a power of two, from 16 up to 2²⁰.
    pub fn with_bins(n: usize) -> Self {
        let n = n.clamp(FEWEST_BINS, MOST_BINS).next_power_of_two();
        Self {
            bins: vec![Bin::EMPTY; n],
            exponent: FINEST,
            per_width: power_of_two(-FINEST),
            first: 0,
            last: 0,
            count: 0,
            non_finite: 0,
            min: 0.0,
            max: 0.0,
            moments: Moments::default(),
        }
    }

    /// Memory of a histogram of `n` bins, bytes.
    pub fn bytes(n: usize) -> usize {
        n.clamp(FEWEST_BINS, MOST_BINS).next_power_of_two() * size_of::<Bin>() + size_of::<Self>()
    }

    /// Adds one sample.
    pub fn add(&mut self, v: f64) {
        if !usable(v) {
            self.non_finite += 1;
            return;
        }
        // Zero has two signs that compare equal; which one came first must not show.
        let v = v + 0.0;
        if self.count == 0 {
            self.refine_for_first(v);
            (self.min, self.max) = (v, v);
        } else {
            if v < self.min {
                self.min = v;
                self.make_room();
            }
            if v > self.max {
                self.max = v;
                self.make_room();
            }
        }
        let slot = self.slot(self.index(v));
        self.bins[slot].add(v);
        self.count += 1;
        self.moments.add(v);
    }

    /// Adds every sample of a block, in order.
    pub fn add_slice(&mut self, v: &[f64]) {
        for chunk in v.chunks(CHUNK) {
            self.add_chunk(chunk);
        }
    }

    /// Adds the samples of a chunk; the same as one after the other, but much faster.
    fn add_chunk(&mut self, v: &[f64]) {
        let (min, max, all_usable) = extremes(v);
        if !all_usable || self.count == 0 {
            for x in v {
                self.add(*x);
            }
            return;
        }
        if min < self.min || max > self.max {
            // Zero has two signs that compare equal; which one came first must not show.
            self.min = self.min.min(min + 0.0);
            self.max = self.max.max(max + 0.0);
            self.make_room();
        }
        let mut slots = [0; CHUNK];
        slots_of(v, self.per_width, self.bins.len() as u64 - 1, &mut slots);
        for (slot, x) in slots.iter().zip(v) {
            self.bins[*slot as usize].add(x + 0.0);
        }
        self.count += v.len() as u64;
        self.moments.add_slice(v);
    }

    /// Adds everything another histogram has seen.
    ///
    /// Bins and quantiles come out exactly as if all values had been added to one histogram of as
    /// many bins as the smaller of the two; where the numbers of bins are equal that is no loss at
    /// all. Mean and standard deviation are combined by Chan, Golub and LeVeque's formula (The
    /// American Statistician 37, 1983), which depends on the order of merging in its last bits
    /// only: merge in a fixed order.
    pub fn merge(&mut self, other: &Self) {
        self.non_finite += other.non_finite;
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            let (non_finite, bins) = (self.non_finite, self.bins.len());
            self.clone_from(other);
            self.non_finite = non_finite;
            self.shrink_to(bins);
            return;
        }
        self.shrink_to(other.bins.len());
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        if other.exponent > self.exponent {
            self.coarsen_by((other.exponent - self.exponent) as u32);
        }
        self.make_room();
        let shift = (self.exponent - other.exponent) as u32;
        for index in other.first..=other.last {
            let slot = self.slot(shifted(index, shift));
            self.bins[slot].merge(&other.bins[other.slot(index)]);
        }
        self.moments.merge(&other.moments);
        self.count += other.count;
    }

    /// The value not exceeded for the share `q` of the samples, interpolated between the smallest
    /// and the largest sample in its bin: exact where those are equal.
    ///
    /// It is within one bin width of the exact quantile (the smallest sample with at least `q` of
    /// all samples at or below it). None while empty, and for a `q` outside 0..=1.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        if self.count == 0 || !(0.0..=1.0).contains(&q) {
            return None;
        }
        if q == 0.0 {
            return Some(self.min);
        }
        let rank = q * self.count as f64;
        let mut below = 0_u64;
        for index in self.first..=self.last {
            let bin = &self.bins[self.slot(index)];
            if bin.count > 0 && (below + bin.count) as f64 >= rank {
                return Some(bin.ranked((rank - below as f64).ceil()));
            }
            below += bin.count;
        }
        Some(self.max)
    }

    /// Share of the samples above `value`, 0 to 1, interpolated between the smallest and the largest
    /// sample in the bin that holds it: exact where those are equal. 0 while empty.
    pub fn share_above(&self, value: f64) -> f64 {
        if self.count == 0 || value >= self.max {
            return 0.0;
        }
        if value < self.min {
            return 1.0;
        }
        let mut above = 0.0;
        for index in self.first..=self.last {
            above += self.bins[self.slot(index)].above(value);
        }
        above / self.count as f64
    }

    /// The envelope of what was added, with `over` saying in words what the samples were taken
    /// over. None while empty.
    pub fn envelope(&self, over: &str) -> Option<Envelope> {
        Some(Envelope {
            min: self.min,
            p5: self.quantile(0.05)?,
            p50: self.quantile(0.5)?,
            p95: self.quantile(0.95)?,
            p99_9: self.quantile(0.999)?,
            max: self.max,
            mean: self.mean(),
            std: self.std(),
            samples: self.count,
            resolution: self.resolution(),
            over: over.to_owned(),
        })
    }

    /// The load-duration curve at `points` shares evenly spaced from 0 to 1 (at least 2 points).
    /// Both vectors are empty while the histogram is.
    pub fn load_duration(&self, points: usize) -> LoadDuration {
        let steps = points.max(2) - 1;
        let mut curve = LoadDuration {
            share: Vec::with_capacity(steps + 1),
            value: Vec::with_capacity(steps + 1),
        };
        for i in 0..=steps {
            let share = i as f64 / steps as f64;
            if let Some(value) = self.quantile(1.0 - share) {
                curve.share.push(share);
                curve.value.push(value);
            }
        }
        curve
    }

    /// Number of samples, those of [`non_finite`](Self::non_finite) not counted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Number of samples turned away: not finite, or larger than [`crate::LARGEST_MAGNITUDE`].
    pub fn non_finite(&self) -> u64 {
        self.non_finite
    }

    /// Smallest sample, exact; 0 while empty.
    pub fn min(&self) -> f64 {
        self.min
    }

    /// Largest sample, exact; 0 while empty.
    pub fn max(&self) -> f64 {
        self.max
    }

    /// Mean of the samples; 0 while empty.
    pub fn mean(&self) -> f64 {
        // Rounding may carry a long sum past the extremes.
        self.moments.closed().mean.clamp(self.min, self.max)
    }

    /// Standard deviation over all samples (divided by their number); 0 while empty.
    pub fn std(&self) -> f64 {
        if self.count == 0 {
            return 0.0;
        }
        (self.moments.closed().squares / self.count as f64)
            .max(0.0)
            .sqrt()
    }

    /// How far a quantile may be from the exact one: the bin width, in the signal's unit, or 0
    /// where all samples are equal and while empty.
    pub fn resolution(&self) -> f64 {
        if self.min == self.max {
            0.0
        } else {
            self.width()
        }
    }

    fn width(&self) -> f64 {
        power_of_two(self.exponent)
    }

    fn index(&self, v: f64) -> i64 {
        (v * self.per_width).floor() as i64
    }

    fn slot(&self, index: i64) -> usize {
        // In two's complement the mask is the remainder for negative indices too.
        index as usize & (self.bins.len() - 1)
    }

    fn refine_for_first(&mut self, v: f64) {
        self.exponent = finest_for(v);
        self.per_width = power_of_two(-self.exponent);
        self.first = self.index(v);
        self.last = self.first;
    }

    /// Widens the bins until minimum and maximum fit, and takes both into the occupied range.
    fn make_room(&mut self) {
        let finest = finest_for(self.min).max(finest_for(self.max));
        if finest > self.exponent {
            self.coarsen_by((finest - self.exponent) as u32);
        }
        let (low, high) = (self.index(self.min), self.index(self.max));
        let shift = shift_to_fit(low, high, self.bins.len());
        if shift > 0 {
            self.coarsen_by(shift);
        }
        self.first = self.index(self.min);
        self.last = self.index(self.max);
    }

    fn shrink_to(&mut self, bins: usize) {
        if bins >= self.bins.len() {
            return;
        }
        self.rebuild(shift_to_fit(self.first, self.last, bins), bins);
    }

    fn coarsen_by(&mut self, shift: u32) {
        self.rebuild(shift, self.bins.len());
    }

    /// Merges 2^shift bins into one. Rare (the exponent only ever rises), so it may allocate.
    fn rebuild(&mut self, shift: u32, bins: usize) {
        let mut rebuilt = vec![Bin::EMPTY; bins];
        for index in self.first..=self.last {
            let target = shifted(index, shift) as usize & (bins - 1);
            rebuilt[target].merge(&self.bins[self.slot(index)]);
        }
        self.bins = rebuilt;
        self.exponent += shift.cast_signed();
        self.per_width = power_of_two(-self.exponent);
        self.first = shifted(self.first, shift);
        self.last = shifted(self.last, shift);
    }
}

/// Samples handled at a time.
const CHUNK: usize = 64;
/// Lanes of a reduction: sample `i` goes to lane `i mod LANES`.
const LANES: usize = 8;

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl", "x86_64+avx2"))]
fn extremes(v: &[f64]) -> (f64, f64, bool) {
    let (mut min, mut max) = ([f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]);
    let mut unusable = [false; LANES];
    let chunks = v.chunks_exact(LANES);
    let rest = chunks.remainder();
    for lanes in chunks {
        for l in 0..LANES {
            min[l] = if lanes[l] < min[l] { lanes[l] } else { min[l] };
            max[l] = if lanes[l] > max[l] { lanes[l] } else { max[l] };
            unusable[l] |= !usable(lanes[l]);
        }
    }
    for (l, x) in rest.iter().enumerate() {
        min[l] = min[l].min(*x);
        max[l] = max[l].max(*x);
        unusable[l] |= !usable(*x);
    }
    (
        min.into_iter().fold(f64::INFINITY, f64::min),
        max.into_iter().fold(f64::NEG_INFINITY, f64::max),
        !unusable.contains(&true),
    )
}

/// Where the bins of these samples live; `mask` is the number of bins, a power of two, less one.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl", "x86_64+avx2"))]
fn slots_of(v: &[f64], per_width: f64, mask: u64, slots: &mut [u64; CHUNK]) {
    /// 1.5 · 2⁵²: added to a number within 2⁵¹, the nearest whole number stands in the low bits of the sum.
    const TO_BITS: f64 = 6_755_399_441_055_744.0;
    for (slot, x) in slots.iter_mut().zip(v) {
        let x = x * per_width;
        let nearest = x + TO_BITS;
        let above = nearest - TO_BITS > x;
        *slot = nearest.to_bits().wrapping_sub(u64::from(above)) & mask;
    }
}

/// Samples of one stretch are summed plainly, as distances from where the mean was at its start; then it is closed.
const STRETCH: u64 = 4096;

/// Mean and sum of squared distances from it.
#[derive(Debug, Clone, Copy, Default)]
struct Closed {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Closed {
    /// Chan, Golub and LeVeque: no cancellation, and the mean of a constant is that constant.
    fn join(self, other: Self) -> Self {
        if self.count == 0 || other.count == 0 {
            return if self.count == 0 { other } else { self };
        }
        let (here, there) = (self.count as f64, other.count as f64);
        let both = here + there;
        let apart = other.mean - self.mean;
        Self {
            count: self.count + other.count,
            mean: self.mean + apart * (there / both),
            squares: self.squares + other.squares + apart * apart * (here / both) * there,
        }
    }
}

/// Streaming mean and squares. They depend on the order of samples, not on how that was cut into blocks.
#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    closed: Closed,
    /// Samples of the open stretch.
    open: u64,
    from: f64,
    sums: [f64; LANES],
    squares: [f64; LANES],
}

impl Moments {
    fn add(&mut self, v: f64) {
        if self.open == 0 {
            self.from = if self.closed.count == 0 {
                v
            } else {
                self.closed.mean
            };
        }
        let l = self.open as usize % LANES;
        let apart = v - self.from;
        self.sums[l] += apart;
        self.squares[l] += apart * apart;
        self.open += 1;
        if self.open == STRETCH {
            self.close();
        }
    }

    fn add_slice(&mut self, mut v: &[f64]) {
        while let Some(first) = v.first() {
            let aligned = self.open > 0 && self.open.is_multiple_of(LANES as u64);
            let whole = v.len().min((STRETCH - self.open) as usize) / LANES * LANES;
            if aligned && whole > 0 {
                add_lanes(&v[..whole], self.from, &mut self.sums, &mut self.squares);
                self.open += whole as u64;
                v = &v[whole..];
                if self.open == STRETCH {
                    self.close();
                }
            } else {
                self.add(*first);
                v = &v[1..];
            }
        }
    }

    fn close(&mut self) {
        *self = Self {
            closed: self.closed(),
            ..Self::default()
        };
    }

    /// Everything so far.
    fn closed(&self) -> Closed {
        if self.open == 0 {
            return self.closed;
        }
        let n = self.open as f64;
        let (sum, squares): (f64, f64) = (self.sums.iter().sum(), self.squares.iter().sum());
        self.closed.join(Closed {
            count: self.open,
            mean: self.from + sum / n,
            squares: (squares - sum * (sum / n)).max(0.0),
        })
    }

    fn merge(&mut self, other: &Self) {
        *self = Self {
            closed: self.closed().join(other.closed()),
            ..Self::default()
        };
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl", "x86_64+avx2"))]
fn add_lanes(v: &[f64], from: f64, sums: &mut [f64; LANES], squares: &mut [f64; LANES]) {
    let (mut s, mut q) = (*sums, *squares);
    for lanes in v.chunks_exact(LANES) {
        for l in 0..LANES {
            let apart = lanes[l] - from;
            s[l] += apart;
            q[l] += apart * apart;
        }
    }
    (*sums, *squares) = (s, q);
}

/// The finest exponent at which `v` is within 2^INDEX_BITS bins of zero.
fn finest_for(v: f64) -> i32 {
    let exponent = ((v.to_bits() >> 52) & 0x7FF) as i32 - 1023;
    (exponent + 1 - INDEX_BITS).max(FINEST)
}

/// How often neighbours must be merged until `first..=last` is at most `bins` bins.
fn shift_to_fit(first: i64, last: i64, bins: usize) -> u32 {
    let mut shift = 0;
    while shifted(first, shift).abs_diff(shifted(last, shift)) >= bins as u64 {
        shift += 1;
    }
    shift
}

fn shifted(index: i64, shift: u32) -> i64 {
    index >> shift.min(63)
}

/// 2^exponent for the exponents of normal floats.
fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

#[cfg(test)]
#[path = "histogram_tests.rs"]
mod tests;
