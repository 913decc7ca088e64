//! The per-GPU engine: every GPU has a process of its own and is held within its own limits.

use ballast_profile::PhaseKind;
use ballast_series::lanes::{LANES, NormalLanes};

use crate::block::DemandBlock;
use crate::buffers::StorageReport;
use crate::bulk::BulkReport;
use crate::clamp::ClampReport;
use crate::correlation::own_share;
use crate::fleet::TrafficReport;
use crate::keys::entity;
use crate::rack::{Common, RackBase, Scratch, Slot};
use crate::racks::{
    Core, RunStart, Streams, Unit, cohort_cursor, cohort_serving, cohort_shaper, rack_base,
};
use crate::serving::Serving;
use crate::site::{Hardware, RackPlan, Site};
use crate::smoothing::Shaper;
use crate::smoothing_report::{Ledger, SmoothingReport};
use crate::tile::{self, CohortTile, LaneBlock, NodeGpus, Simd, TILE, TileRun};
use crate::tile_held::{Did, HeldCohort, HeldPeaks, HeldRack};
use crate::timeline::{Cursor, ProfileTable};

/// Power of every rack over time for one realisation, GPU by GPU.
///
/// A GPU's power is its phase's mean plus its part of the shared factors, of its node and of its own, held between 0 and its
/// clamp at every step; only then is anything summed. So it is the reference wherever limits act, where the group
/// engine's sums are not exact. Both engines have the same courses, requests and shared factors at the same seed; the GPUs' own draws differ.
///
/// The processes of the g GPUs of a job on one node have the covariance `own · I + node · 11ᵀ`. Its root is
/// `α I + β 11ᵀ` with `α = √own`, `β = (√(own + g · node) − α)/g`, so g independent processes are enough for both levels.
///
/// Single precision up to a node's sum: a process remembers for its correlation time as long as that is
/// below a million steps. Grows with GPUs (some 130 bytes each in racks of 72), not with duration.
#[derive(Debug, Clone)]
pub struct PerGpuEngine {
    core: Core<GpuRack>,
}

/// What a cohort's GPUs have in common.
#[derive(Debug, Clone)]
struct GpuCohort {
    slot: usize,
    cursor: Cursor,
    /// Present in a service: then its replicas give the mean power, and the cursor rests.
    serving: Option<Serving>,
    /// Phase whose coefficients are in force; none before the first sample.
    in_force: Option<PhaseKind>,
    phases: [PhaseKind; TILE],
    /// Present where its GPUs smooth their power, or their job does.
    shaped: Option<Box<CountedShaper>>,
}

/// A cohort's envelope, and what its GPUs did in it.
#[derive(Debug, Clone)]
struct CountedShaper {
    shaper: Shaper,
    /// Steps of the tile at which the floor is the secondary load's, one bit each.
    secondary: u32,
    ledger: Ledger,
}

/// A rack of the per-GPU engine.
#[derive(Debug, Clone)]
struct GpuRack {
    base: RackBase,
    simd: Simd,
    cohorts: Vec<GpuCohort>,
    tiles: Vec<CohortTile>,
    units: Vec<NodeGpus>,
    /// None where nothing fluctuates.
    blocks: Vec<LaneBlock>,
    gpus: usize,
    /// Present where some cohort is shaped.
    held: Option<HeldRack>,
}

impl PerGpuEngine {
    /// An engine at t = 0. `dt_s` is the step in seconds, finite and above 0; `realisation` picks independent randomness.
    pub fn new(site: &Site, dt_s: f64, seed: u64, realisation: u32) -> Self {
        Self::with_simd(site, dt_s, seed, realisation, Simd::Widest)
    }

    /// The same from a later sample on.
    pub fn starting_at(
        site: &Site,
        dt_s: f64,
        seed: u64,
        realisation: u32,
        start: RunStart,
    ) -> Self {
        Self::with(site, dt_s, (seed, realisation), start, Simd::Widest)
    }

    /// The same with fewer vector instructions than the machine has: the same bytes, slower.
    pub fn with_simd(site: &Site, dt_s: f64, seed: u64, realisation: u32, simd: Simd) -> Self {
        Self::with(site, dt_s, (seed, realisation), RunStart::default(), simd)
    }

    fn with(
        site: &Site,
        dt_s: f64,
        (seed, realisation): (u64, u32),
        start: RunStart,
        simd: Simd,
    ) -> Self {
        let streams = Streams::new(seed, realisation, start);
        let tables = site
            .tables
            .iter()
            .map(|t| t.at_step(dt_s).unbounded())
            .collect();
        let core = Core::new(site, dt_s, streams, simd, tables, |tables| {
            let rack = |plan: &RackPlan| {
                let table = &tables[site.hardware[plan.group].table];
                let base = rack_base(site, plan, dt_s, streams);
                gpu_rack(site, plan, base, table, streams, (dt_s, simd))
            };
            site.racks.iter().map(rack).collect()
        });
        Self { core }
    }

    /// Fills the block with the next `block.len()` samples, at t = k·dt from where the last block ended.
    ///
    /// A block made for another number of racks is resized to this site's.
    pub fn fill(&mut self, block: &mut DemandBlock) {
        self.core.fill(block);
    }

    /// What came of each service's requests so far, by job; the same as the group engine's.
    pub fn traffic_report(&self) -> Vec<TrafficReport> {
        self.core.traffic_report()
    }

    /// What the storage of each group of racks that has any did so far, in the order of the groups.
    pub fn storage_report(&self) -> Vec<StorageReport> {
        self.core.storage_report()
    }

    /// What the bulk capacitors of the supplies had to do so far, by group; only of groups where they could be asked for more than they hold.
    pub fn bulk_report(&self) -> Vec<(usize, BulkReport)> {
        self.core.bulk_report()
    }

    /// How each job's phases so far stand to the limits of its GPUs, by job, profile and phase; GPUs without a job last.
    pub fn clamp_report(&self) -> Vec<ClampReport> {
        self.core.clamp_report(true)
    }

    /// What power smoothing and secondary loads did so far, by rack group and job; counted GPU by GPU.
    pub fn smoothing_report(&self) -> Vec<SmoothingReport> {
        self.core.smoothing_report(false)
    }
}

fn gpu_rack(
    site: &Site,
    plan: &RackPlan,
    base: RackBase,
    table: &ProfileTable,
    streams: Streams,
    (dt_s, simd): (f64, Simd),
) -> GpuRack {
    let (mut cohorts, mut tiles, mut units) = (Vec::new(), Vec::new(), Vec::new());
    let mut gpus = 0;
    let mut moves = false;
    for bundle in &plan.bundles {
        for (i, cohort) in bundle.cohorts.iter().enumerate() {
            let first = gpus;
            gpus += cohort.gpus as usize;
            let shares = cohort.job.map(|j| site.jobs[j].shares);
            let (own, node) = shares.map_or((1.0, 0.0), |s| (own_share(s), s.node));
            moves |= own > 0.0 || node > 0.0;
            // Several nodes have one cohort; one node may have several.
            let per_unit = (cohort.gpus / bundle.nodes) as usize;
            let g = per_unit as f64;
            let alpha = own.sqrt();
            let beta = ((own + g * node).sqrt() - alpha) / g;
            for k in 0..bundle.nodes as usize {
                units.push(NodeGpus {
                    cohort: cohorts.len(),
                    first: first + k * per_unit,
                    gpus: per_unit,
                    own: alpha as f32,
                    together: beta as f32,
                    ends_node: i + 1 == bundle.cohorts.len(),
                });
            }
            cohorts.push(GpuCohort {
                slot: base.slot_of(cohort.job),
                cursor: cohort_cursor(site, plan, cohort, table, streams),
                serving: cohort_serving(site, cohort, table),
                in_force: None,
                phases: [PhaseKind::Idle; TILE],
                shaped: cohort_shaper(site, plan, cohort, table).map(|shaper| {
                    Box::new(CountedShaper {
                        shaper,
                        secondary: 0,
                        ledger: Ledger::default(),
                    })
                }),
            });
            tiles.push(CohortTile {
                first,
                end: gpus,
                centre_w: [0.0; TILE],
                sigma_w: [0.0; TILE],
                a: [0.0; TILE],
                b: [0.0; TILE],
                high: [0; TILE],
                low: [0; TILE],
            });
        }
    }
    let mut blocks = Vec::new();
    if moves && !table.still() {
        let mut seeds = streams.fluctuation("gpu-lanes", entity(&[&plan.name], 0));
        for _ in 0..gpus.div_ceil(LANES) {
            let mut draws = NormalLanes::new(&mut seeds);
            let z = draws.draw();
            blocks.push(LaneBlock {
                draws,
                z,
                a: [0.0; LANES],
                b: [0.0; LANES],
            });
        }
    }
    let shaped = cohorts.iter().any(|c| c.shaped.is_some());
    let smoothing = site.hardware[plan.group].smoothing;
    let held = shaped.then(|| HeldRack {
        cohorts: vec![HeldCohort::FREE; cohorts.len()],
        peaks: smoothing
            .and_then(|s| s.peaks)
            .map(|p| HeldPeaks::new(p.budgets(dt_s), gpus)),
    });
    GpuRack {
        base,
        simd,
        cohorts,
        tiles,
        units,
        blocks,
        gpus,
        held,
    }
}

impl CountedShaper {
    fn count(&mut self, did: &Did, gpus: f64, steps: usize) {
        let ledger = &mut self.ledger;
        for k in 0..steps {
            let filled = f64::from(did.filled[k]);
            let (fill_w, at_fill) = if self.secondary >> k & 1 == 1 {
                (&mut ledger.secondary, &mut ledger.at_secondary)
            } else {
                (&mut ledger.floor, &mut ledger.at_floor)
            };
            *fill_w += did.filled_w[k];
            *at_fill += filled;
            ledger.work += did.work_w[k];
            ledger.deferred += did.deferred_w[k];
            ledger.cut += did.cut_w[k];
            ledger.time += gpus;
            ledger.at_cap += f64::from(did.capped[k]);
            ledger.at_peak += f64::from(did.cut[k]);
        }
        ledger.rises = gpus * f64::from(self.shaper.rises);
    }
}

impl GpuRack {
    /// What the cohorts do at `steps` steps from `at` of the block on. Returns the steps at which coefficients change.
    fn follow(
        &mut self,
        common: &Common<'_>,
        table: &ProfileTable,
        shared: &[f64],
        at: usize,
        steps: usize,
    ) -> u32 {
        let block_steps = shared.len() / self.base.slots.len().max(1);
        let time_s = |k: usize| (common.first_sample + (at + k) as u64) as f64 * common.dt_s;
        // A change that falls on a sample but for rounding counts at that sample.
        let early_s = 1e-6 * common.dt_s;
        let mut changes = 0;
        for (i, (cohort, tile)) in self.cohorts.iter_mut().zip(&mut self.tiles).enumerate() {
            (tile.high, tile.low) = ([0; TILE], [0; TILE]);
            let start = cohort.slot * block_steps + at;
            let shared = &shared[start..start + steps];
            cohort.cursor.advance(time_s(0) + early_s, table);
            let rest = cohort
                .cursor
                .rest_until(time_s(0), time_s(steps - 1) + early_s);
            for (k, z) in shared.iter().enumerate() {
                let (point, phase) = if let Some(serving) = &cohort.serving {
                    serving.at(at + k, common, block_steps, table)
                } else {
                    let point = rest.unwrap_or_else(|| {
                        let t_s = time_s(k);
                        cohort.cursor.advance(t_s + early_s, table);
                        cohort.cursor.at(t_s)
                    });
                    (point, cohort.cursor.phase())
                };
                if cohort.in_force != Some(phase) {
                    cohort.in_force = Some(phase);
                    changes |= 1 << k;
                }
                cohort.phases[k] = phase;
                tile.centre_w[k] = (point.mean_w + point.sigma_w * z) as f32;
                tile.sigma_w[k] = point.sigma_w as f32;
                if let (Some(shaped), Some(held)) = (&mut cohort.shaped, &mut self.held) {
                    let envelope = shaped.shaper.at(time_s(k), early_s, phase, point.mean_w);
                    held.cohorts[i].floor_w[k] = envelope.floor_w as f32;
                    held.cohorts[i].cap_w[k] = envelope.cap_w as f32;
                    shaped.secondary &= !(1 << k);
                    shaped.secondary |= u32::from(envelope.secondary) << k;
                }
            }
        }
        if changes != 0 {
            for (cohort, tile) in self.cohorts.iter().zip(&mut self.tiles) {
                for k in 0..steps {
                    (tile.a[k], tile.b[k]) = single(table.level(cohort.phases[k]).a);
                }
            }
        }
        changes
    }

    /// Counts what the limits did, by phase, and what power smoothing did.
    fn count(&mut self, steps: usize) {
        let held = self.held.iter().flat_map(|h| &h.cohorts);
        for ((cohort, tile), held) in self.cohorts.iter_mut().zip(&self.tiles).zip(held) {
            if let Some(shaped) = &mut cohort.shaped {
                shaped.count(&held.did, (tile.end - tile.first) as f64, steps);
            }
        }
        for (cohort, tile) in self.cohorts.iter().zip(&self.tiles) {
            let gpus = (tile.end - tile.first) as u64;
            let tallies = &mut self.base.slots[cohort.slot].tallies;
            for k in 0..steps {
                let tally = &mut tallies[cohort.phases[k] as usize];
                tally.samples += gpus;
                tally.high += u64::from(tile.high[k]);
                tally.low += u64::from(tile.low[k]);
            }
        }
    }
}

/// Coefficients in single precision: `b` goes with the rounded `a`, so that the variance stays 1.
fn single(a: f64) -> (f32, f32) {
    let a = a as f32;
    let exact = f64::from(a);
    (a, (1.0 - exact * exact).max(0.0).sqrt() as f32)
}

/// The largest single-precision number not above `w`.
fn not_above(w: f64) -> f32 {
    let near = w as f32;
    if f64::from(near) > w {
        near.next_down()
    } else {
        near
    }
}

impl Unit for GpuRack {
    fn racks(&self) -> usize {
        1
    }

    fn group(&self) -> usize {
        self.base.group
    }

    fn slots(&self) -> &[Slot] {
        &self.base.slots
    }

    fn ledgers(&self, _: u64) -> Vec<(Option<usize>, u32, Ledger)> {
        let cohorts = self.cohorts.iter().zip(&self.tiles);
        let shaped = cohorts.filter_map(|(cohort, tile)| {
            let shaped = cohort.shaped.as_ref()?;
            let gpus = (tile.end - tile.first) as u32;
            let mut each = Ledger::default();
            each.add(shaped.ledger, 1.0 / f64::from(gpus));
            Some((self.base.slots[cohort.slot].job, gpus, each))
        });
        shaped.collect()
    }

    fn fill(
        &mut self,
        common: &Common<'_>,
        hardware: &Hardware,
        table: &ProfileTable,
        scratch: &mut Scratch,
        rack_w: &mut [f64],
        rack_gpu_w: &mut [f64],
    ) {
        let steps = rack_w.len();
        self.base.share(common, scratch, steps);
        let rows = self.gpus.div_ceil(LANES);
        scratch.tile.noise.clear();
        scratch.tile.noise.resize(rows, [[0.0; TILE]; LANES]);
        let clamp_w = not_above(table.clamp_w.max(0.0));
        let mut at = 0;
        while at < steps {
            let n = TILE.min(steps - at);
            let changes = self.follow(common, table, &scratch.shared, at, n);
            let mut job = TileRun {
                blocks: &mut self.blocks,
                cohorts: &mut self.tiles,
                units: &self.units,
                hardware,
                clamp_w,
                steps: n,
                fresh: common.first_sample + at as u64 == common.start,
                changes,
                held: self.held.as_mut(),
            };
            tile::run(self.simd, &mut job, &mut scratch.tile);
            rack_w[at..at + n].copy_from_slice(&scratch.tile.ac_w[..n]);
            rack_gpu_w[at..at + n].copy_from_slice(&scratch.tile.gpu_w[..n]);
            self.count(n);
            at += n;
        }
        self.base.finish(hardware, rack_gpu_w, rack_w);
    }
}
