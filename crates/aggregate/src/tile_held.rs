//! Power smoothing in the per-GPU engine's kernel: every GPU within its cohort's envelope and its own limits on peaks.

use crate::smoothing::Budget;
use crate::tile::{CohortTile, NodeGpus, Row, TILE, Tile, TileRun};

/// A cohort's envelope over a tile, and what it did to its GPUs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeldCohort {
    pub(crate) floor_w: Row,
    /// Infinite: none.
    pub(crate) cap_w: Row,
    pub(crate) did: Did,
}

impl HeldCohort {
    pub(crate) const FREE: Self = Self {
        floor_w: [0.0; TILE],
        cap_w: [f32::INFINITY; TILE],
        did: Did::NOTHING,
    };
}

/// What limits did to the GPUs of a cohort, by step: sums in W, GPUs in numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Did {
    pub(crate) work_w: [f64; TILE],
    pub(crate) filled_w: [f64; TILE],
    pub(crate) deferred_w: [f64; TILE],
    pub(crate) cut_w: [f64; TILE],
    pub(crate) filled: [u32; TILE],
    pub(crate) capped: [u32; TILE],
    pub(crate) cut: [u32; TILE],
}

impl Did {
    pub(crate) const NOTHING: Self = Self {
        work_w: [0.0; TILE],
        filled_w: [0.0; TILE],
        deferred_w: [0.0; TILE],
        cut_w: [0.0; TILE],
        filled: [0; TILE],
        capped: [0; TILE],
        cut: [0; TILE],
    };
}

/// A limit on an average, as [`Budget`], in single precision.
#[derive(Debug, Clone, Copy)]
struct Limit {
    most_w: f32,
    keep: f32,
    take: f32,
    gain: f32,
}

/// Limits on peaks and the averages of every GPU of a rack.
#[derive(Debug, Clone)]
pub(crate) struct HeldPeaks {
    limits: [Limit; 2],
    /// By GPU: over the short window, over the long one, W.
    averages_w: Vec<[f32; 2]>,
}

impl HeldPeaks {
    pub(crate) fn new(budgets: [Budget; 2], gpus: usize) -> Self {
        let limits = budgets.map(|b| {
            let keep = b.keep as f32;
            Limit {
                most_w: b.limit_w as f32,
                keep,
                take: 1.0 - keep,
                gain: 1.0 / (1.0 - keep),
            }
        });
        Self {
            limits,
            averages_w: vec![[0.0; 2]; gpus],
        }
    }
}

/// What a rack with power smoothing brings to its tiles.
#[derive(Debug, Clone)]
pub(crate) struct HeldRack {
    /// As many as cohorts.
    pub(crate) cohorts: Vec<HeldCohort>,
    pub(crate) peaks: Option<HeldPeaks>,
}

/// GPUs whose averages are stepped side by side.
const ABREAST: usize = 8;

/// From processes to power, as `add_up` of `tile`, with every GPU held within its limits.
#[expect(
    clippy::inline_always,
    reason = "it must be compiled for the vector width of its caller"
)]
#[inline(always)]
pub(crate) fn add_up_held(job: &mut TileRun<'_>, tile: &mut Tile) {
    if job.held.as_ref().is_some_and(|h| h.peaks.is_some()) {
        add_up::<true>(job, tile);
    } else {
        add_up::<false>(job, tile);
    }
}

/// `PEAKED`: with limits on peaks, for which steps of a GPU are looked at one after another.
#[expect(
    clippy::inline_always,
    reason = "it must be compiled for the vector width of its caller"
)]
#[inline(always)]
fn add_up<const PEAKED: bool>(job: &mut TileRun<'_>, tile: &mut Tile) {
    let Some(held) = &mut job.held else { return };
    for cohort in &mut held.cohorts {
        cohort.did = Did::NOTHING;
    }
    let rows = tile.noise.as_flattened();
    let mut gpu_w = [0.0_f64; TILE];
    let mut ac_w = [0.0_f64; TILE];
    let mut node_w = [0.0_f32; TILE];
    for unit in job.units {
        let cohort = &mut job.cohorts[unit.cohort];
        let within = &mut held.cohorts[unit.cohort];
        let rows = &rows[unit.first..unit.first + unit.gpus];
        let (base_w, scale_w) = unit_rows(cohort, unit, rows);
        let (floor_w, cap_w) = (within.floor_w, within.cap_w);
        let (mut high, mut low) = (cohort.high, cohort.low);
        let (mut capped, mut filled) = (within.did.capped, within.did.filled);
        let mut sums = [[0.0_f32; TILE]; 4];
        let mut first = unit.first;
        for rows in rows.chunks(ABREAST) {
            let mut power_w = [[0.0_f32; ABREAST]; TILE];
            for (i, row) in rows.iter().enumerate() {
                for k in 0..TILE {
                    let free_w = base_w[k] + scale_w[k] * row[k];
                    high[k] += u32::from(free_w > job.clamp_w);
                    low[k] += u32::from(free_w < 0.0);
                    let above_w = if free_w < 0.0 { 0.0 } else { free_w };
                    let wants_w = if above_w > job.clamp_w {
                        job.clamp_w
                    } else {
                        above_w
                    };
                    let work_w = if wants_w > cap_w[k] {
                        cap_w[k]
                    } else {
                        wants_w
                    };
                    capped[k] += u32::from(wants_w > cap_w[k]);
                    filled[k] += u32::from(work_w < floor_w[k]);
                    let w = if work_w < floor_w[k] {
                        floor_w[k]
                    } else {
                        work_w
                    };
                    sums[0][k] += work_w;
                    sums[1][k] += w - work_w;
                    sums[2][k] += wants_w - work_w;
                    if PEAKED {
                        power_w[k][i] = w;
                    } else {
                        node_w[k] += w;
                    }
                }
            }
            if let Some(peaks) = &mut held.peaks {
                let averages_w = &mut peaks.averages_w[first..first + rows.len()];
                let fresh = job.fresh;
                cut(
                    peaks.limits,
                    averages_w,
                    (job.steps, fresh),
                    &mut power_w,
                    &mut sums[3],
                    &mut within.did.cut,
                );
            }
            first += rows.len();
            if PEAKED {
                for k in 0..TILE {
                    for w in power_w[k] {
                        node_w[k] += w;
                    }
                }
            }
        }
        (cohort.high, cohort.low) = (high, low);
        let did = &mut within.did;
        (did.capped, did.filled) = (capped, filled);
        let into = [
            &mut did.work_w,
            &mut did.filled_w,
            &mut did.deferred_w,
            &mut did.cut_w,
        ];
        for (into, sum) in into.into_iter().zip(&sums) {
            for (w, more_w) in into.iter_mut().zip(sum) {
                *w += f64::from(*more_w);
            }
        }
        if unit.ends_node {
            for k in 0..TILE {
                let w = f64::from(node_w[k]);
                gpu_w[k] += w;
                ac_w[k] += job.hardware.node_ac_w(w);
            }
            node_w = [0.0; TILE];
        }
    }
    (tile.gpu_w, tile.ac_w) = (gpu_w, ac_w);
}

/// What the GPUs of a unit have in common, and the weight of their own processes, W.
#[expect(
    clippy::inline_always,
    reason = "it must be compiled for the vector width of its caller"
)]
#[inline(always)]
pub(crate) fn unit_rows(cohort: &CohortTile, unit: &NodeGpus, rows: &[Row]) -> (Row, Row) {
    let mut base_w = [0.0_f32; TILE];
    if unit.together != 0.0 {
        for row in rows {
            for k in 0..TILE {
                base_w[k] += row[k];
            }
        }
    }
    let mut scale_w = [0.0_f32; TILE];
    for k in 0..TILE {
        base_w[k] = cohort.centre_w[k] + cohort.sigma_w[k] * (unit.together * base_w[k]);
        scale_w[k] = cohort.sigma_w[k] * unit.own;
    }
    (base_w, scale_w)
}

/// Holds some GPUs to their limits on peaks, step by step. The first step of a run finds the averages at the power.
#[expect(
    clippy::inline_always,
    reason = "it must be compiled for the vector width of its caller"
)]
#[inline(always)]
fn cut(
    [short, long]: [Limit; 2],
    averages_w: &mut [[f32; 2]],
    (steps, fresh): (usize, bool),
    power_w: &mut [[f32; ABREAST]; TILE],
    cut_w: &mut Row,
    cuts: &mut [u32; TILE],
) {
    let (mut a, mut b) = ([0.0_f32; ABREAST], [0.0_f32; ABREAST]);
    for (i, average_w) in averages_w.iter().enumerate() {
        [a[i], b[i]] = *average_w;
    }
    for k in 0..steps {
        if fresh && k == 0 {
            // The averages of a power at its limit are at the limit.
            for i in 0..ABREAST {
                let w = power_w[0][i];
                (a[i], b[i]) = (w.min(short.most_w), w.min(long.most_w));
            }
        }
        for i in 0..ABREAST {
            let w = power_w[k][i];
            let short_w = (short.most_w - short.keep * a[i]) * short.gain;
            let long_w = (long.most_w - long.keep * b[i]) * long.gain;
            let most_w = if short_w < long_w { short_w } else { long_w };
            let now_w = if w > most_w { most_w } else { w };
            a[i] = short.keep * a[i] + short.take * now_w;
            b[i] = long.keep * b[i] + long.take * now_w;
            cut_w[k] += w - now_w;
            cuts[k] += u32::from(w > most_w);
            power_w[k][i] = now_w;
        }
    }
    for (i, average_w) in averages_w.iter_mut().enumerate() {
        *average_w = [a[i], b[i]];
    }
}
