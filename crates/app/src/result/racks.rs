//! Power of each rack over time, in few enough buckets to hold and to draw.

use ballast_scenario::Scenario;
use ballast_series::TraceBlock;

use super::RackMap;

/// Buckets of a map, at most; fewer where racks are many.
const BUCKETS: u64 = 2048;
/// Values in a map, at most: 32 MB.
const VALUES: u64 = 8 << 20;

/// Makes the map while a run goes by.
pub struct RackMapBuilder {
    map: RackMap,
    per_bucket: u64,
    /// Sums of the bucket being filled, and samples in it.
    sums_w: Vec<f64>,
    filled: u64,
}

impl RackMapBuilder {
    /// For a run of `samples` samples; none without racks.
    pub fn new(scenario: &Scenario, samples: u64) -> Option<Self> {
        let mut racks = Vec::new();
        let mut rows = 0;
        for group in &scenario.racks {
            let per_row = group.racks_per_row.unwrap_or(u32::MAX).max(1);
            racks.extend((0..group.count).map(|k| (String::new(), rows + k / per_row)));
            rows += group.count.div_ceil(per_row);
        }
        let most = (VALUES / (racks.len() as u64).max(1)).clamp(1, BUCKETS);
        let sums_w = vec![0.0; racks.len()];
        (!racks.is_empty()).then(|| Self {
            map: RackMap {
                racks,
                range_w: (f32::INFINITY, f32::NEG_INFINITY),
                ..RackMap::default()
            },
            per_bucket: samples.div_ceil(most).max(1),
            sums_w,
            filled: 0,
        })
    }

    /// Takes the racks' columns of a block, whose names begin with `prefix`.
    pub fn take(&mut self, block: &TraceBlock<'_>, prefix: &str) {
        let first = block
            .columns
            .partition_point(|c| !c.name.starts_with(prefix));
        let columns = block.columns.get(first..).unwrap_or_default();
        if columns.is_empty() {
            return;
        }
        if self.map.dt_s == 0.0 {
            self.map.t0_s = block.t0_s;
            self.map.dt_s = block.dt_s * self.per_bucket as f64;
            for (rack, column) in self.map.racks.iter_mut().zip(columns) {
                let name = column.name.trim_start_matches(prefix);
                name.clone_into(&mut rack.0);
            }
        }
        let (mut taken, len) = (0, block.len());
        while taken < len {
            let now = (len - taken).min((self.per_bucket - self.filled) as usize);
            for (sum_w, column) in self.sums_w.iter_mut().zip(columns) {
                *sum_w += column.values[taken..taken + now].iter().sum::<f64>();
            }
            self.filled += now as u64;
            taken += now;
            if self.filled == self.per_bucket {
                self.close();
            }
        }
    }

    fn close(&mut self) {
        let samples = self.filled as f64;
        let mean = |sum_w: &mut f64| (std::mem::take(sum_w) / samples) as f32;
        let means: Vec<f32> = self.sums_w.iter_mut().map(mean).collect();
        let (low, high) = &mut self.map.range_w;
        for w in &means {
            *low = low.min(*w);
            *high = high.max(*w);
        }
        self.map.mean_w.push(means);
        self.filled = 0;
    }

    /// The map; none if no sample of a rack came.
    pub fn finish(mut self) -> Option<RackMap> {
        if self.filled > 0 {
            self.close();
        }
        (!self.map.mean_w.is_empty()).then_some(self.map)
    }
}
