//! The kernel of the per-GPU engine: sixteen steps of one rack, from random numbers to the sums of its nodes.
//!
//! It works in two layouts. Random numbers and the processes of the GPUs, where a step needs the one before, run with sixteen
//! GPUs side by side. The result is turned over, and from there on, where no step needs another, sixteen steps lie side
//! by side: so a node is a plain sum of rows, whatever its number of GPUs, and what a cohort does is one row for all
//! its GPUs.
//!
//! All loops are over arrays of sixteen in a fixed order and nothing is fused, so the vector width changes the speed and no bit of
//! the result. [`Simd`] picks the width: the kernel is compiled three times.

use ballast_series::lanes::{LANES, Lanes, NormalLanes};
use multiversion::multiversion;

use crate::site::Hardware;
use crate::tile_held::{HeldRack, add_up_held, unit_rows};

/// Steps of a tile; as many as lanes, so that turning a tile over keeps its shape.
pub(crate) const TILE: usize = LANES;

/// One value per step of a tile.
pub(crate) type Row = [f32; TILE];

/// Vector instructions an engine may use. Whatever is chosen, the result is the same bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Simd {
    /// The widest this machine has: AVX-512 (of Ice Lake or Zen 4 and later), AVX2, or what every machine of its kind has.
    #[default]
    Widest,
    /// At most AVX2.
    Avx2,
    /// What every machine of its kind has: SSE2 on x86-64.
    Baseline,
}

/// Sixteen GPUs: their generators, their unit-variance processes and the coefficients in force.
#[derive(Debug, Clone)]
pub(crate) struct LaneBlock {
    pub(crate) draws: NormalLanes,
    pub(crate) z: Lanes,
    pub(crate) a: Lanes,
    pub(crate) b: Lanes,
}

/// GPUs of one cohort on one node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NodeGpus {
    pub(crate) cohort: usize,
    /// First GPU and number of GPUs.
    pub(crate) first: usize,
    pub(crate) gpus: usize,
    /// Weight of a GPU's own process.
    pub(crate) own: f32,
    /// Weight of the sum of the unit's processes in each of its GPUs.
    pub(crate) together: f32,
    /// Whether the node ends with it.
    pub(crate) ends_node: bool,
}

/// What a cohort does over a tile, per GPU.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CohortTile {
    /// Its GPUs, `first..end`.
    pub(crate) first: usize,
    pub(crate) end: usize,
    /// Mean and shared fluctuation, W.
    pub(crate) centre_w: Row,
    pub(crate) sigma_w: Row,
    /// Coefficients of the process.
    pub(crate) a: Row,
    pub(crate) b: Row,
    /// GPUs held at the clamp and at zero.
    pub(crate) high: [u32; TILE],
    pub(crate) low: [u32; TILE],
}

/// Work space of one thread; grows to the largest rack.
#[derive(Debug, Default)]
pub(crate) struct Tile {
    /// Processes of all GPUs, `[block][step][lane]`, then turned over to `[block][lane][step]`.
    pub(crate) noise: Vec<[Row; LANES]>,
    /// Sums over the rack, W.
    pub(crate) gpu_w: [f64; TILE],
    pub(crate) ac_w: [f64; TILE],
}

/// A rack's part of a tile.
pub(crate) struct TileRun<'a> {
    pub(crate) blocks: &'a mut [LaneBlock],
    pub(crate) cohorts: &'a mut [CohortTile],
    pub(crate) units: &'a [NodeGpus],
    pub(crate) hardware: &'a Hardware,
    pub(crate) clamp_w: f32,
    /// Steps asked for, 1 to [`TILE`]; what lies beyond them is not meant to be read.
    pub(crate) steps: usize,
    /// Whether the first step is the run's first, where the processes stand at their drawn start.
    pub(crate) fresh: bool,
    /// Steps at which some cohort's coefficients differ from those in force, one bit each.
    pub(crate) changes: u32,
    /// Present where GPUs are held within limits of their power smoothing.
    pub(crate) held: Option<&'a mut HeldRack>,
}

/// Runs a tile with the instructions allowed.
pub(crate) fn run(simd: Simd, job: &mut TileRun<'_>, tile: &mut Tile) {
    match simd {
        Simd::Widest => widest(job, tile),
        Simd::Avx2 => at_most_avx2(job, tile),
        Simd::Baseline => tile_body(job, tile),
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl", "x86_64+avx2"))]
fn widest(job: &mut TileRun<'_>, tile: &mut Tile) {
    tile_body(job, tile);
}

#[multiversion(targets("x86_64+avx2"))]
fn at_most_avx2(job: &mut TileRun<'_>, tile: &mut Tile) {
    tile_body(job, tile);
}

#[expect(
    clippy::inline_always,
    reason = "it must be compiled for the vector width of its caller"
)]
#[inline(always)]
fn tile_body(job: &mut TileRun<'_>, tile: &mut Tile) {
    draw(job, &mut tile.noise);
    for block in &mut tile.noise[..job.blocks.len()] {
        turn_over(block);
    }
    if job.held.is_some() {
        add_up_held(job, tile);
    } else {
        add_up(job, tile);
    }
}

/// Steps the processes of all GPUs.
#[expect(
    clippy::inline_always,
    reason = "it must be compiled for the vector width of its caller"
)]
#[inline(always)]
fn draw(job: &mut TileRun<'_>, noise: &mut [[Row; LANES]]) {
    let mut from = 0;
    while from < job.steps {
        if job.changes >> from & 1 == 1 && !job.blocks.is_empty() {
            for cohort in &*job.cohorts {
                for gpu in cohort.first..cohort.end {
                    let block = &mut job.blocks[gpu / LANES];
                    block.a[gpu % LANES] = cohort.a[from];
                    block.b[gpu % LANES] = cohort.b[from];
                }
            }
        }
        // Up to the next change.
        let later = job.changes >> from >> 1;
        let to = job.steps.min(from + 1 + later.trailing_zeros() as usize);
        for (block, noise) in job.blocks.iter_mut().zip(&mut *noise) {
            // A copy, so that the state stays in registers.
            let mut now = block.clone();
            let mut first = from;
            if job.fresh && from == 0 {
                noise[0] = now.z;
                first = 1;
            }
            for row in &mut noise[first..to] {
                let n = now.draws.draw();
                for (((z, a), b), n) in now.z.iter_mut().zip(&now.a).zip(&now.b).zip(&n) {
                    *z = a * *z + b * n;
                }
                *row = now.z;
            }
            *block = now;
        }
        from = to;
    }
}

#[expect(
    clippy::inline_always,
    reason = "it must be compiled for the vector width of its caller"
)]
#[inline(always)]
fn turn_over(block: &mut [Row; LANES]) {
    let old = *block;
    for (i, row) in block.iter_mut().enumerate() {
        for (k, value) in row.iter_mut().enumerate() {
            *value = old[k][i];
        }
    }
}

/// From processes to power: every GPU within its limits, then nodes, then the rack.
#[expect(
    clippy::inline_always,
    reason = "it must be compiled for the vector width of its caller"
)]
#[inline(always)]
fn add_up(job: &mut TileRun<'_>, tile: &mut Tile) {
    let rows = tile.noise.as_flattened();
    let mut gpu_w = [0.0_f64; TILE];
    let mut ac_w = [0.0_f64; TILE];
    let mut node_w = [0.0_f32; TILE];
    for unit in job.units {
        let cohort = &mut job.cohorts[unit.cohort];
        let rows = &rows[unit.first..unit.first + unit.gpus];
        let (base_w, scale_w) = unit_rows(cohort, unit, rows);
        let (mut high, mut low) = (cohort.high, cohort.low);
        for row in rows {
            for k in 0..TILE {
                let free_w = base_w[k] + scale_w[k] * row[k];
                high[k] += u32::from(free_w > job.clamp_w);
                low[k] += u32::from(free_w < 0.0);
                let above_w = if free_w < 0.0 { 0.0 } else { free_w };
                node_w[k] += if above_w > job.clamp_w {
                    job.clamp_w
                } else {
                    above_w
                };
            }
        }
        (cohort.high, cohort.low) = (high, low);
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
