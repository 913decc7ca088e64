//! The group engine: a job's fluctuation in a rack is one process, whatever its number of GPUs.

use ballast_series::lanes::{LANES, NormalLanes};
use ballast_series::rng::{Stream, ou_coefficients};

use crate::block::DemandBlock;
use crate::buffers::StorageReport;
use crate::bulk::BulkReport;
use crate::clamp::{ClampReport, Tally};
use crate::correlation::own_share;
use crate::fleet::TrafficReport;
use crate::follow::{Follower, Grid, Mover};
use crate::keys::entity;
use crate::place::Cohort;
use crate::rack::{Common, Scratch, Slot};
use crate::racks::{
    Core, RunStart, Streams, Unit, cohort_cursor, cohort_serving, cohort_shaper, loadings,
};
use crate::shaped::Shaped;
use crate::site::{CoursePlan, RackPlan, Site};
use crate::smoothing_report::{Ledger, SmoothingReport};
use crate::sums::{self, Layer, Process, RackFactors, Run, Sums, Supplies};
use crate::tile::Simd;
use crate::timeline::{KINDS, ProfileTable};

/// Power of every rack over time for one realisation, from the sums over each job in each rack.
///
/// Grows with racks (at most a few cohorts per rack and job), not with GPUs per cohort or duration.
#[derive(Debug, Clone)]
pub struct GroupEngine(Core<RackTile>);

impl GroupEngine {
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
        let tables = site.tables.iter().map(|t| t.at_step(dt_s)).collect();
        Self(Core::new(site, dt_s, streams, simd, tables, |tables| {
            let of_group = |g: &crate::GroupInfo| site.racks[g.racks.clone()].chunks(LANES);
            let make = Maker {
                site,
                dt_s,
                streams,
                simd,
            };
            site.groups
                .iter()
                .flat_map(of_group)
                .map(|racks| make.tile(racks, tables))
                .collect()
        }))
    }

    /// Fills the block with the next `block.len()` samples, at t = k·dt from where the last block ended.
    ///
    /// A block made for another number of racks is resized to this site's.
    pub fn fill(&mut self, block: &mut DemandBlock) {
        self.0.fill(block);
    }

    /// What came of each service's requests so far, by job.
    pub fn traffic_report(&self) -> Vec<TrafficReport> {
        self.0.traffic_report()
    }

    /// What the storage of each group of racks that has any did so far, in the order of the groups.
    pub fn storage_report(&self) -> Vec<StorageReport> {
        self.0.storage_report()
    }

    /// What the bulk capacitors of the supplies had to do so far, by group; only of groups where they could be asked for more than they hold.
    pub fn bulk_report(&self) -> Vec<(usize, BulkReport)> {
        self.0.bulk_report()
    }

    /// How each job's phases so far stand to the limits of its GPUs, by job, profile and phase; GPUs without a job last.
    pub fn clamp_report(&self) -> Vec<ClampReport> {
        self.0.clamp_report(false)
    }

    /// What power smoothing and secondary loads did so far, by rack group and job; expected values.
    pub fn smoothing_report(&self) -> Vec<SmoothingReport> {
        self.0.smoothing_report(true)
    }
}

/// Up to sixteen racks of one group.
#[derive(Debug, Clone)]
struct RackTile {
    group: usize,
    racks: usize,
    simd: Simd,
    /// Whether GPUs are held within limits of their power smoothing.
    bent: bool,
    slots: Vec<Slot>,
    /// Index of a rack's first slot; its layers follow.
    first_slot: Vec<usize>,
    followers: Vec<Follower>,
    grid: Grid,
    sums: Sums,
}

/// What tiles are made from.
#[derive(Clone, Copy)]
struct Maker<'a> {
    site: &'a Site,
    dt_s: f64,
    streams: Streams,
    simd: Simd,
}

impl Maker<'_> {
    fn tile(self, racks: &[RackPlan], tables: &[ProfileTable]) -> RackTile {
        let site = self.site;
        let group = racks[0].group;
        let (info, hardware) = (&site.groups[group], &site.hardware[group]);
        let table = &tables[hardware.table];
        let nodes = f64::from(info.nodes_per_rack);
        let (mut slots, mut first_slot) = (Vec::new(), Vec::new());
        for rack in racks {
            first_slot.push(slots.len());
            for cohort in rack.bundles.iter().flat_map(|b| &b.cohorts) {
                if slots[first_slot[first_slot.len() - 1]..]
                    .iter()
                    .all(|s: &Slot| s.job != cohort.job)
                {
                    slots.push(Slot {
                        job: cohort.job,
                        loadings: loadings(site, cohort.job),
                        tallies: [Tally::default(); KINDS],
                    });
                }
            }
        }
        let ends = first_slot.iter().skip(1).copied().chain([slots.len()]);
        let slots_of: Vec<&[Slot]> = first_slot
            .iter()
            .zip(ends)
            .map(|(from, to)| &slots[*from..to])
            .collect();
        let depth = slots_of.iter().map(|s| s.len()).max().unwrap_or(0);
        let layers = (0..depth).map(|layer| self.layer(racks, &slots_of, layer, table));
        let sums = Sums {
            layers: layers.collect(),
            factors: self.factors(racks, &slots_of),
            supplies: Supplies::new(hardware, self.dt_s),
            fresh: true,
        };
        let followers = racks
            .iter()
            .enumerate()
            .flat_map(|(lane, rack)| self.followers(rack, lane, slots_of[lane], table));
        RackTile {
            group,
            racks: racks.len(),
            simd: self.simd,
            bent: sums.layers.iter().any(|l| l.bends.is_some()),
            followers: followers.collect(),
            grid: Grid::new(
                table,
                nodes,
                f64::from(info.gpus_per_node),
                site.highest_floor_w(group),
            ),
            sums,
            slots,
            first_slot,
        }
    }

    /// The jobs at place `index` of each rack.
    fn layer(
        self,
        racks: &[RackPlan],
        slots_of: &[&[Slot]],
        index: usize,
        table: &ProfileTable,
    ) -> Layer {
        let site = self.site;
        let key = |rack: &RackPlan, job: Option<usize>| {
            entity(
                &[&rack.name, job.map_or("", |j| site.jobs[j].name.as_str())],
                0,
            )
        };
        let slot = |lane: usize| Some((&racks[lane], slots_of.get(lane)?.get(index)?));
        let seeds = |lane| {
            let key = (lane < racks.len())
                .then(|| slot(lane))
                .flatten()
                .map(|(r, s)| key(r, s.job));
            self.streams.fluctuation("ou-rack-job", key.unwrap_or(0))
        };
        let process = (!table.still()).then(|| Process::new(NormalLanes::by_lane(seeds)));
        let mut layer = Layer::new(process);
        layer.bends = (site.highest_floor_w(racks[0].group) > 0.0
            || site.hardware[racks[0].group].smoothing.is_some())
        .then(Box::default);
        for (lane, rack) in racks.iter().enumerate() {
            let Some(slot) = slots_of[lane].get(index) else {
                continue;
            };
            let gpus: u32 = rack
                .bundles
                .iter()
                .flat_map(|b| &b.cohorts)
                .filter(|c| c.job == slot.job)
                .map(|c| c.gpus)
                .sum();
            layer.most_w[lane] = f64::from(gpus) * table.clamp_w.max(0.0);
            layer.rack_a[lane] = ou_coefficients(self.dt_s, rack.tau_s).0;
            let alone = slots_of[lane]
                .iter()
                .filter(|s| s.loadings.rack > 0.0)
                .count()
                == 1;
            let loading = if alone {
                &mut layer.rack_loading
            } else {
                &mut layer.factor_loading
            };
            loading[lane] = slot.loadings.rack;
            let beyond = slot.loadings.site + slot.loadings.row + slot.loadings.job;
            if let Some(job) = slot.job
                && beyond > 0.0
            {
                // All rows are the same to a job that does not load on them.
                let row = if slot.loadings.row > 0.0 { rack.row } else { 0 };
                let source = job * site.rows.len() + row;
                let known = layer.sources.iter().position(|(s, _)| *s == source);
                let at = known.unwrap_or_else(|| {
                    layer.sources.push((source, [0.0; LANES]));
                    layer.sources.len() - 1
                });
                layer.sources[at].1[lane] = 1.0;
            }
        }
        layer
    }

    fn factors(self, racks: &[RackPlan], slots_of: &[&[Slot]]) -> Option<RackFactors> {
        let several = |slots: &[Slot]| slots.iter().filter(|s| s.loadings.rack > 0.0).count() > 1;
        if !slots_of.iter().any(|s| several(s)) {
            return None;
        }
        let seeds = |lane: usize| -> Stream {
            let key = racks.get(lane).map_or(0, |r| entity(&[&r.name], 0));
            self.streams.fluctuation("ou-rack", key)
        };
        let (mut a, mut b) = ([0.0; LANES], [1.0; LANES]);
        for (lane, rack) in racks.iter().enumerate() {
            (a[lane], b[lane]) = ou_coefficients(self.dt_s, rack.tau_s);
        }
        Some(RackFactors {
            process: Process::new(NormalLanes::by_lane(seeds)),
            a,
            b,
        })
    }

    /// A rack's nodes: those that never differ in what they do follow their course together.
    fn followers(
        self,
        rack: &RackPlan,
        lane: usize,
        slots: &[Slot],
        table: &ProfileTable,
    ) -> Vec<Follower> {
        let site = self.site;
        let layer = |job| slots.iter().position(|s| s.job == job).unwrap_or(0);
        let own = |cohort: &Cohort| {
            let gpus = f64::from(cohort.gpus);
            // N independent AR(1) terms of one time constant are one such term of N times the variance.
            cohort.job.map_or(gpus, |j| {
                let shares = site.jobs[j].shares;
                cohort.node_squares * shares.node + gpus * own_share(shares)
            })
        };
        let several = slots.iter().filter(|s| s.loadings.rack > 0.0).count() > 1;
        let mover = |cohort: &Cohort, gpus, own| {
            let cursor = cohort_cursor(site, rack, cohort, table, self.streams);
            let shaper = cohort_shaper(site, rack, cohort, table);
            let shaped = shaper.map(|shaper| {
                let shared = cohort.job.map_or(0.0, |j| {
                    let s = site.jobs[j].shares;
                    s.site + s.row + s.job + if several { s.rack } else { 0.0 }
                });
                let highest_w = table.levels().map(|l| l.power_w).fold(0.0, f64::max);
                Box::new(Shaped::new(shaper, shared, highest_w, self.dt_s))
            });
            Mover::new(
                layer(cohort.job),
                gpus,
                own,
                cursor,
                cohort_serving(site, cohort, table),
                shaped,
            )
        };
        let mut followers = Vec::new();
        let mut done: Vec<(Option<usize>, usize)> = Vec::new();
        for bundle in &rack.bundles {
            let [cohort] = bundle.cohorts.as_slice() else {
                let movers = bundle.cohorts.iter().map(|c| mover(c, c.gpus, own(c)));
                followers.push(Follower::new(lane, movers.collect(), 1.0));
                continue;
            };
            let mut alike = vec![(bundle.nodes, cohort)];
            if self.in_step(cohort.job) {
                let kind = (cohort.job, self.stage(cohort));
                if done.contains(&kind) {
                    continue;
                }
                done.push(kind);
                alike = rack
                    .bundles
                    .iter()
                    .filter_map(|b| match b.cohorts.as_slice() {
                        [c] if (c.job, self.stage(c)) == kind => Some((b.nodes, c)),
                        _ => None,
                    })
                    .collect();
            }
            let gpus: u32 = alike.iter().map(|(_, c)| c.gpus).sum();
            let squares = alike
                .iter()
                .map(|(nodes, c)| f64::from(c.gpus) * f64::from(c.gpus) / f64::from(*nodes));
            let weight = squares.sum::<f64>() / (f64::from(gpus) * f64::from(gpus));
            let own = alike.iter().map(|(_, c)| own(c)).sum();
            followers.push(Follower::new(lane, vec![mover(cohort, gpus, own)], weight));
        }
        followers
    }

    /// Whether nothing tells one cohort of a job in a rack from another of the same stage.
    fn in_step(self, job: Option<usize>) -> bool {
        job.is_none_or(|j| match &self.site.jobs[j].course {
            CoursePlan::Batch(plan) => plan.stagger_s == 0.0 && plan.jitter_s == 0.0,
            CoursePlan::Training(plan) => plan.in_step(),
            CoursePlan::Inference(_) => false,
        })
    }

    /// Stage of the pipeline that a cohort belongs to; 0 without.
    fn stage(self, cohort: &Cohort) -> usize {
        cohort.job.map_or(0, |j| match &self.site.jobs[j].course {
            CoursePlan::Training(plan) => plan.stage_of(cohort.ordinal),
            CoursePlan::Batch(_) | CoursePlan::Inference(_) => 0,
        })
    }
}

impl RackTile {
    /// Counts phases and what the limits did in them.
    fn count(&mut self, scratch: &Scratch, steps: usize) {
        let words = steps / 64 + 1;
        let work = &scratch.work;
        for span in &work.shifts.spans {
            let gpus = u64::from(span.gpus);
            let slot = &mut self.slots[self.first_slot[span.lane] + span.layer];
            let tally = &mut slot.tallies[span.phase as usize];
            tally.samples += gpus * (span.to - span.from) as u64;
            if !work.high.is_empty() {
                let from = (span.layer * LANES + span.lane) * words;
                let held = |bits: &[u64]| {
                    let steps = span.from..span.to;
                    steps
                        .filter(|k| bits[from + k / 64] >> (k % 64) & 1 == 1)
                        .count() as u64
                };
                tally.high += gpus * held(&work.high);
                tally.low += gpus * held(&work.low);
            }
        }
    }
}

impl Unit for RackTile {
    fn racks(&self) -> usize {
        self.racks
    }

    fn group(&self) -> usize {
        self.group
    }

    fn slots(&self) -> &[Slot] {
        &self.slots
    }

    fn sources(&self) -> Vec<usize> {
        let layers = self.sums.layers.iter();
        layers
            .flat_map(|l| l.sources.iter().map(|(s, _)| *s))
            .collect()
    }

    fn ledgers(&self, sample: u64) -> Vec<(Option<usize>, u32, Ledger)> {
        let mut all = Vec::new();
        for follower in &self.followers {
            for mover in &follower.movers {
                if let Some(shaped) = &mover.shaped {
                    let job = self.slots[self.first_slot[follower.lane] + mover.layer].job;
                    all.push((job, mover.gpus, shaped.so_far(sample)));
                }
            }
        }
        all
    }

    fn fill(
        &mut self,
        common: &Common<'_>,
        _: &crate::site::Hardware,
        table: &ProfileTable,
        scratch: &mut Scratch,
        ac_w: &mut [f64],
        gpu_w: &mut [f64],
    ) {
        let steps = ac_w.len() / self.racks;
        scratch.work.shifts.clear(steps, self.bent);
        for follower in &mut self.followers {
            follower.follow(common, table, &self.grid, steps, &mut scratch.work.shifts);
        }
        let mut run = Run {
            racks: self.racks,
            steps,
            shared: common.shared,
            ac_w,
            gpu_w,
        };
        sums::run(self.simd, &mut self.sums, &mut scratch.work, &mut run);
        self.count(scratch, steps);
    }
}
