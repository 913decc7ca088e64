//! Figures of the racks' power, gathered block by block.

use std::ops::Range;

use ballast_aggregate::{DemandBlock, Site};
use ballast_scenario::{OutputSpec, RackStatistics};
use ballast_series::{
    Envelope, Histogram, Pyramid, PyramidBuilder, RampFloor, RampTable, RampTracker, merge_ramps,
};
use multiversion::multiversion;
use rayon::prelude::*;

use crate::collect::Span;
use crate::diversity::{Diversities, Together};
use crate::outcome::Extreme;
use crate::windows::Worst;

/// One sample in so many is taken where not all are. Shares no factor with periods that are whole numbers of tens of steps.
const THINNED: u64 = 17;
/// Lanes of a sum: so many samples side by side.
const LANES: usize = 8;
/// Racks whose figures are gathered together where single racks are not asked for.
const TOGETHER: usize = 16;

/// Minimum, mean and maximum, exact.
#[derive(Debug, Clone, Copy)]
struct Extent {
    min: f64,
    max: f64,
    sums: [f64; LANES],
    samples: u64,
}

impl Extent {
    const NONE: Self = Self {
        min: f64::INFINITY,
        max: f64::NEG_INFINITY,
        sums: [0.0; LANES],
        samples: 0,
    };

    /// Takes samples and returns the highest of them.
    fn take(&mut self, power_w: &[f64]) -> f64 {
        let (min, max, sums) = extent(power_w, self.sums);
        self.sums = sums;
        let max = max.into_iter().fold(f64::NEG_INFINITY, f64::max);
        self.min = min.into_iter().fold(self.min, f64::min);
        self.max = self.max.max(max);
        self.samples += power_w.len() as u64;
        max
    }

    fn merge(&mut self, other: &Self) {
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        for (sum, more) in self.sums.iter_mut().zip(other.sums) {
            *sum += more;
        }
        self.samples += other.samples;
    }
}

/// Lowest and highest values by lane, and sums, which go on from `sums`.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl", "x86_64+avx2"))]
fn extent(power_w: &[f64], mut sums: [f64; LANES]) -> ([f64; LANES], [f64; LANES], [f64; LANES]) {
    let (mut min, mut max) = ([f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]);
    let chunks = power_w.chunks_exact(LANES);
    let rest = chunks.remainder();
    for lanes in chunks {
        for l in 0..LANES {
            let w = lanes[l];
            min[l] = if w < min[l] { w } else { min[l] };
            max[l] = if w > max[l] { w } else { max[l] };
            sums[l] += w;
        }
    }
    for (l, w) in rest.iter().enumerate() {
        min[l] = min[l].min(*w);
        max[l] = max[l].max(*w);
        sums[l] += *w;
    }
    (min, max, sums)
}

/// How the power of one rack, or of all racks of a group, is distributed.
#[derive(Debug, Clone)]
pub(crate) struct Distribution {
    histogram: Histogram,
    /// Present where the histogram has not seen every sample.
    extent: Option<Extent>,
}

impl Distribution {
    fn new(histogram: Histogram, statistics: RackStatistics) -> Self {
        let thinned = statistics == RackStatistics::MinMeanMax;
        Self {
            histogram,
            extent: thinned.then_some(Extent::NONE),
        }
    }

    /// Takes samples of which the first is number `first`; returns the highest of them where extremes are kept.
    fn take(&mut self, power_w: &[f64], first: u64) -> Option<f64> {
        let Some(range) = &mut self.extent else {
            self.histogram.add_slice(power_w);
            return None;
        };
        let max = range.take(power_w);
        let skipped = (THINNED - first % THINNED) % THINNED;
        let thinned = power_w.iter().skip(skipped as usize);
        let mut thinned = thinned.step_by(THINNED as usize).copied();
        let mut buffer = [0.0; 64];
        loop {
            let mut len = 0;
            for (place, w) in buffer.iter_mut().zip(&mut thinned) {
                *place = w;
                len += 1;
            }
            if len == 0 {
                break;
            }
            self.histogram.add_slice(&buffer[..len]);
        }
        Some(max)
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.histogram.merge(&other.histogram);
        if let (Some(range), Some(more)) = (&mut self.extent, &other.extent) {
            range.merge(more);
        }
    }

    /// The envelope, with `over` saying what it was taken over; none while empty.
    pub(crate) fn envelope(&self, over: &str) -> Option<Envelope> {
        let Some(range) = self.extent.filter(|r| r.samples > 0) else {
            return self.histogram.envelope(over);
        };
        let over = format!("{over}; percentiles and spread from every {THINNED}th sample");
        let envelope = self.histogram.envelope(&over)?;
        let mean = range.sums.iter().sum::<f64>() / range.samples as f64;
        Some(Envelope {
            min: range.min,
            max: range.max,
            // Rounding may carry a long sum past the extremes.
            mean: mean.clamp(range.min, range.max),
            ..envelope
        })
    }
}

/// Figures of one rack; of several consecutive racks of a group together, where less is asked for.
struct RackCollector {
    group: usize,
    racks: Range<usize>,
    distribution: Distribution,
    ramps: RampTracker,
    peak: Worst,
    /// The rack with the peak.
    worst: usize,
    /// Highest power of each rack, W.
    peaks_w: Vec<f64>,
    /// Of the first rack.
    pyramid: Option<PyramidBuilder>,
}

/// Figures of all racks in one realisation.
pub(crate) struct RackCollectors {
    racks: Vec<RackCollector>,
    statistics: RackStatistics,
    /// By group: the largest ramps of any of its racks so far. Only larger ones are looked for.
    floors: Vec<Vec<RampFloor>>,
    together: Together,
    dt_s: f64,
    /// Number of the next sample.
    next: u64,
}

/// Figures of one group of racks.
pub(crate) struct GroupResult {
    pub(crate) distribution: Distribution,
    pub(crate) ramps: Vec<RampTable>,
    /// Highest power of any rack of the group, with the rack's index in the site.
    pub(crate) worst: Option<(Extreme, usize)>,
    pub(crate) pyramid: Option<Pyramid>,
    /// Each rack of the group: its index in the site and its distribution; empty unless asked for.
    pub(crate) racks: Vec<(usize, Distribution)>,
}

impl RackCollectors {
    pub(crate) fn new(site: &Site, span: Span, outputs: &OutputSpec) -> Self {
        let statistics = outputs.rack_statistics;
        let (windows_s, together): (&[f64], usize) = match statistics {
            RackStatistics::Full => (&outputs.ramp_windows_s, 1),
            RackStatistics::MinMeanMax => (&[], TOGETHER),
        };
        let mut collectors = Vec::new();
        for (group, info) in site.groups().iter().enumerate() {
            for first in info.racks.clone().step_by(together) {
                // Racks are many: a coarser histogram each, 0.1 % of the rack's range.
                let histogram = Histogram::with_bins(1024);
                let shown = first == info.racks.start && span.curves;
                let racks = first..info.racks.end.min(first + together);
                collectors.push(RackCollector {
                    group,
                    distribution: Distribution::new(histogram, statistics),
                    ramps: span.ramps(windows_s),
                    peak: Worst::highest(span.realisation),
                    worst: first,
                    peaks_w: vec![f64::NEG_INFINITY; racks.len()],
                    racks,
                    pyramid: shown.then(|| span.pyramid()),
                });
            }
        }
        Self {
            racks: collectors,
            statistics,
            floors: vec![Vec::new(); site.groups().len()],
            together: Together::new(site, span.realisation),
            dt_s: span.dt_s,
            next: span.first,
        }
    }

    /// Takes the first `len` samples of every rack in `block`.
    pub(crate) fn take(&mut self, block: &DemandBlock, len: usize) {
        let (first, dt_s, floors) = (self.next, self.dt_s, &self.floors);
        self.racks.par_iter_mut().for_each(|figures| {
            for (rack, peak_w) in figures.racks.clone().zip(&mut figures.peaks_w) {
                let power_w = &block.rack(rack)[..len];
                let max_w = figures.distribution.take(power_w, first);
                let floors = &floors[figures.group];
                figures.ramps.push_slice_above(power_w, floors);
                // Where extremes are kept, they tell whether it is worth looking.
                let peak = figures.peak.extreme.map(|e| e.value);
                if max_w.is_none() || max_w > peak {
                    figures.peak.take_slice(power_w, first, dt_s);
                }
                // Else the rack is by itself, and its peak the collector's.
                let max_w = max_w.or(figures.peak.extreme.map(|e| e.value));
                *peak_w = peak_w.max(max_w.unwrap_or(*peak_w));
                if figures.peak.extreme.map(|e| e.value) > peak {
                    figures.worst = rack;
                }
                if let (Some(pyramid), true) = (&mut figures.pyramid, rack == figures.racks.start) {
                    pyramid.push_slice(power_w);
                }
            }
        });
        for rack in &self.racks {
            rack.ramps.raise(&mut self.floors[rack.group]);
        }
        self.together.take(block, len, first, dt_s);
        self.next += len as u64;
    }

    /// Merges the racks of each of `groups` groups, in order of the racks; with how far their peaks coincide.
    pub(crate) fn finish(self, groups: usize) -> (Vec<GroupResult>, Option<Diversities>) {
        let peaks_w: Vec<f64> = self
            .racks
            .iter()
            .flat_map(|r| &r.peaks_w)
            .copied()
            .collect();
        let diversity = self.together.finish(&peaks_w);
        let mut results: Vec<GroupResult> = (0..groups)
            .map(|_| GroupResult {
                distribution: Distribution::new(Histogram::new(), self.statistics),
                ramps: Vec::new(),
                worst: None,
                pyramid: None,
                racks: Vec::new(),
            })
            .collect();
        for rack in self.racks {
            let group = &mut results[rack.group];
            group.distribution.merge(&rack.distribution);
            merge_ramps(&mut group.ramps, &rack.ramps.tables());
            if let Some(e) = rack.peak.extreme
                && group.worst.is_none_or(|(w, _)| e.value > w.value)
            {
                group.worst = Some((e, rack.worst));
            }
            if let Some(p) = rack.pyramid {
                group.pyramid = Some(p.finish());
            }
            if self.statistics == RackStatistics::Full {
                group.racks.push((rack.racks.start, rack.distribution));
            }
        }
        (results, diversity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_the_extremes_and_the_mean() {
        let mut state = 1_u32;
        let values: Vec<f64> = (0..40_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                f64::from(state >> 8)
            })
            .collect();
        let run = |statistics, cut: usize| {
            let mut d = Distribution::new(Histogram::with_bins(1024), statistics);
            let mut first = 0;
            for part in values.chunks(cut) {
                d.take(part, first);
                first += part.len() as u64;
            }
            d.envelope("x").unwrap()
        };
        let full = run(RackStatistics::Full, 1024);
        let thinned = run(RackStatistics::MinMeanMax, 1024);
        assert_eq!((full.min, full.max), (thinned.min, thinned.max));
        assert!((full.mean / thinned.mean - 1.0).abs() < 1e-12);
        assert_eq!(thinned.samples, 40_000_u64.div_ceil(THINNED));
        // 2353 of 40 000 uniform numbers: the median is known to 1 % of the range, one standard deviation.
        let span = full.max - full.min;
        assert!((full.p50 - thinned.p50).abs() < 0.04 * span);
        // Cuts at whole lanes change nothing.
        assert_eq!(thinned, run(RackStatistics::MinMeanMax, 64));
    }
}
