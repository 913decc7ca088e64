//! What both engines share: factors beyond the rack, services, the run over all racks, the site's sum, the report on limits.

use std::collections::{BTreeMap, BTreeSet};

use ballast_profile::{PhaseKind, ReactiveLine};
use ballast_series::rng::{Stream, UnitOu};
use multiversion::multiversion;
use rayon::prelude::*;

use crate::batch::BatchCourse;
use crate::block::DemandBlock;
use crate::buffers::{self, Buffers, StorageReport};
use crate::bulk::BulkReport;
use crate::clamp::{self, ClampReport, Subject, Tally};
use crate::event_plan::Outage;
use crate::fleet::{Fleet, TrafficReport};
use crate::host::HostPart;
use crate::keys::entity;
use crate::needs::before_work;
use crate::place::Cohort;
use crate::presence;
use crate::rack::{Common, Factor, Lag, Loadings, RackBase, Scratch, Slot};
use crate::replica::Activity;
use crate::serving::Serving;
use crate::site::{CoursePlan, Hardware, RackPlan, Site};
use crate::smoothing::Shaper;
use crate::smoothing_report::{Ledger, SmoothingReport};
use crate::tile::Simd;
use crate::timeline::{Course, Cursor, KINDS, ProfileTable};
use crate::training::{Seat, TrainingCourse};

/// Racks that an engine simulates together: consecutive ones of one group.
pub(crate) trait Unit: Send {
    /// Number of racks.
    fn racks(&self) -> usize;

    /// Group of the racks.
    fn group(&self) -> usize;

    /// Jobs that have GPUs in them, rack after rack.
    fn slots(&self) -> &[Slot];

    /// Which of [`Common::shared`] it reads.
    fn sources(&self) -> Vec<usize> {
        Vec::new()
    }

    /// Job, GPUs and ledger (of each GPU) of cohorts that smooth their power, with all samples before `sample`.
    fn ledgers(&self, sample: u64) -> Vec<(Option<usize>, u32, Ledger)>;

    /// Power of each rack over the block, `[rack][step]`: at the AC side and at the GPUs, W.
    fn fill(
        &mut self,
        common: &Common<'_>,
        hardware: &Hardware,
        table: &ProfileTable,
        scratch: &mut Scratch,
        ac_w: &mut [f64],
        gpu_w: &mut [f64],
    );
}

/// All racks over time, block by block.
#[derive(Debug, Clone)]
pub(crate) struct Core<R> {
    dt_s: f64,
    /// First sample of the run.
    start: u64,
    next_sample: u64,
    hardware: Vec<Hardware>,
    tables: Vec<ProfileTable>,
    job_names: Vec<String>,
    group_names: Vec<String>,
    /// Absent where no job loads on them.
    site: Option<Factor>,
    rows: Vec<Option<Factor>>,
    jobs: Vec<Option<Factor>>,
    /// By job; absent where it is no service.
    fleets: Vec<Option<Fleet>>,
    units: Vec<R>,
    /// By rack; empty where no rack is ever out.
    outages: Vec<Vec<Outage>>,
    /// By unit: what buffers the power of its racks.
    buffers: Vec<Option<Buffers>>,
    /// Whether any rack has storage.
    stores: bool,
    /// Sums over the racks of each unit: `[unit][step]` of [`Sums`].
    sums: Sums,
    /// By job, its loadings on the factors beyond the rack.
    loadings: Vec<Loadings>,
    /// Which of `shared` are read.
    sources: Vec<usize>,
    shared: Vec<Vec<f64>>,
    site_z: Vec<f64>,
    row_z: Vec<Vec<f64>>,
    job_z: Vec<Vec<f64>>,
}

/// Where in the course of things a run begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunStart {
    /// Its first sample, at `first_sample · dt`. Jobs, jitter and requests count from sample 0 all the same and are followed up to
    /// there; fluctuations begin in their stationary state, lags settled.
    pub first_sample: u64,
    /// Whether fluctuations come from streams of their own, named `zoom-…`: a close look at a stretch of another run, with
    /// that run's jobs and requests.
    pub zoom: bool,
}

/// Opens the streams of a realisation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Streams {
    seed: u64,
    case: u64,
    start: RunStart,
}

impl Streams {
    pub(crate) fn new(seed: u64, realisation: u32, start: RunStart) -> Self {
        Self {
            seed,
            case: u64::from(realisation),
            start,
        }
    }

    /// First sample of the run.
    pub(crate) fn first_sample(self) -> u64 {
        self.start.first_sample
    }

    /// A stream of what happens when: starts, iterations, requests.
    pub(crate) fn open(self, stream: &str, entity: u64) -> Stream {
        Stream::new(self.seed, stream, entity, self.case)
    }

    /// A stream of what fluctuates.
    pub(crate) fn fluctuation(self, stream: &str, entity: u64) -> Stream {
        if self.start.zoom {
            self.open(&format!("zoom-{stream}"), entity)
        } else {
            self.open(stream, entity)
        }
    }
}

impl<R: Unit> Core<R> {
    /// At t = 0. `tables` are the site's at the engine's step; `units` makes the racks, in order; `simd` is for what both engines do.
    pub(crate) fn new(
        site: &Site,
        dt_s: f64,
        streams: Streams,
        simd: Simd,
        tables: Vec<ProfileTable>,
        units: impl FnOnce(&[ProfileTable]) -> Vec<R>,
    ) -> Self {
        let factor = |wanted: bool, stream: &str, key: u64, tau_s: f64| {
            wanted.then(|| Factor::new(UnitOu::new(streams.fluctuation(stream, key)), dt_s, tau_s))
        };
        let loads_site = site.jobs.iter().any(|j| j.shares.site > 0.0);
        let loads_row = site.jobs.iter().any(|j| j.shares.row > 0.0);
        let rows: Vec<_> = site
            .rows
            .iter()
            .map(|r| factor(loads_row, "ou-row", entity(&[&r.name], 0), r.tau_s))
            .collect();
        let jobs: Vec<_> = site
            .jobs
            .iter()
            .map(|j| factor(j.shares.job > 0.0, "ou-job", entity(&[&j.name], 0), j.tau_s))
            .collect();
        let fleets = site.jobs.iter().map(|j| match &j.course {
            CoursePlan::Inference(plan) => {
                let open = |stream: &str, key| streams.open(stream, key);
                Some(Fleet::new(&j.name, plan, dt_s, open))
            }
            CoursePlan::Batch(_) | CoursePlan::Training(_) => None,
        });
        let fleets = fleets.collect();
        let units = units(&tables);
        let buffers = units
            .iter()
            .map(|u| Buffers::new(site, u.group(), u.racks(), dt_s, simd))
            .collect();
        let sources: BTreeSet<usize> = units.iter().flat_map(Unit::sources).collect();
        Self {
            dt_s,
            start: streams.first_sample(),
            next_sample: streams.first_sample(),
            hardware: site.hardware.clone(),
            job_names: site.jobs.iter().map(|j| j.name.clone()).collect(),
            group_names: site.groups.iter().map(|g| g.name.clone()).collect(),
            site: factor(loads_site, "ou-site", 0, site.tau_s),
            units,
            outages: site.outages.outages.clone(),
            buffers,
            stores: site.has_storage(),
            sums: Sums::default(),
            loadings: (0..site.jobs.len())
                .map(|j| loadings(site, Some(j)))
                .collect(),
            sources: sources.into_iter().collect(),
            shared: vec![Vec::new(); site.jobs.len() * rows.len()],
            site_z: Vec::new(),
            row_z: vec![Vec::new(); rows.len()],
            job_z: vec![Vec::new(); jobs.len()],
            rows,
            jobs,
            fleets,
            tables,
        }
    }

    /// Fills the block with the next `block.len()` samples, at t = k·dt from where the last block ended.
    ///
    /// A block made for another number of racks is resized to this site's.
    pub(crate) fn fill(&mut self, block: &mut DemandBlock) {
        let steps = block.len();
        let racks = self.units.iter().map(Unit::racks).sum();
        block.resize(racks, self.hardware.len(), steps);
        block.first_sample = self.next_sample;
        if steps == 0 {
            return;
        }
        fill_factor(&mut self.site, &mut self.site_z, steps);
        for (factor, z) in self
            .rows
            .iter_mut()
            .zip(&mut self.row_z)
            .chain(self.jobs.iter_mut().zip(&mut self.job_z))
        {
            fill_factor(factor, z, steps);
        }
        for &source in &self.sources {
            let (job, row) = (source / self.row_z.len(), source % self.row_z.len());
            let l = self.loadings[job];
            let out = &mut self.shared[source];
            out.clear();
            out.resize(steps, 0.0);
            for (loading, z) in [
                (l.site, &self.site_z),
                (l.row, &self.row_z[row]),
                (l.job, &self.job_z[job]),
            ] {
                out.iter_mut().zip(z).for_each(|(o, z)| *o += loading * z);
            }
        }
        for fleet in self.fleets.iter_mut().flatten() {
            fleet.fill(self.next_sample, steps, self.next_sample == self.start);
        }
        let activity: Vec<&[Activity]> = self
            .fleets
            .iter()
            .map(|f| f.as_ref().map_or(&[][..], |f| &f.activity))
            .collect();
        let common = Common {
            dt_s: self.dt_s,
            first_sample: self.next_sample,
            start: self.start,
            site: &self.site_z,
            rows: &self.row_z,
            jobs: &self.job_z,
            shared: &self.shared,
            activity: &activity,
        };
        let (hardware, tables) = (&self.hardware, &self.tables);
        let (outages, stores) = (&self.outages, self.stores);
        self.sums.resize(self.units.len() * steps);
        let mut rows = block.rack_w.as_mut_slice();
        let mut first_rack = 0;
        let mut units = Vec::with_capacity(self.units.len());
        let parts = self.units.iter_mut().zip(&mut self.buffers);
        for ((unit, buffers), sums) in parts.zip(self.sums.by_unit(steps)) {
            let (own, rest) = std::mem::take(&mut rows).split_at_mut(unit.racks() * steps);
            rows = rest;
            let next_rack = first_rack + unit.racks();
            let outages = outages.get(first_rack..next_rack).unwrap_or(&[]);
            first_rack = next_rack;
            units.push((unit, buffers, own, outages, sums));
        }
        units.into_par_iter().for_each_init(
            Scratch::default,
            |scratch, (unit, buffers, ac_w, outages, sums)| {
                let [ac_sum_w, q_sum_var, gpu_sum_w, stored_j, before_w] = sums;
                let hardware = &hardware[unit.group()];
                let table = &tables[hardware.table];
                let mut gpu_w = std::mem::take(&mut scratch.gpu_w);
                gpu_w.resize(ac_w.len(), 0.0);
                unit.fill(&common, hardware, table, scratch, ac_w, &mut gpu_w);
                for (rack, outages) in outages.iter().enumerate() {
                    // What has no power draws nothing, whatever its engine made of it.
                    for power_w in [&mut *ac_w, &mut gpu_w] {
                        let power_w = &mut power_w[rack * steps..(rack + 1) * steps];
                        presence::apply(outages, common.first_sample, common.dt_s, power_w);
                    }
                }
                if stores {
                    sum_rows(ac_w, before_w);
                }
                if let Some(buffers) = buffers {
                    let (first, dt_s) = (common.first_sample, common.dt_s);
                    buffers.apply(ac_w, outages, first, dt_s, stored_j);
                } else {
                    stored_j.fill(0.0);
                }
                sum_rows(ac_w, ac_sum_w);
                sum_rows(&gpu_w, gpu_sum_w);
                match hardware.psu.reactive_line(hardware.supplies_w()) {
                    Some(line) => sum_reactive(line, ac_w, q_sum_var),
                    None => q_sum_var.fill(0.0),
                }
                scratch.gpu_w = gpu_w;
            },
        );
        let groups = if stores { self.hardware.len() } else { 0 };
        block.stored_j.resize(groups * steps, 0.0);
        block.before_storage_w.resize(groups * steps, 0.0);
        let sums = &self.sums;
        for (of_unit, of_group) in [
            (&sums.ac_w, &mut block.group_w),
            (&sums.stored_j, &mut block.stored_j),
            (&sums.before_w, &mut block.before_storage_w),
        ] {
            for (group, out) in of_group.chunks_exact_mut(steps).enumerate() {
                let units = self.units.iter().zip(of_unit.chunks_exact(steps));
                add_up(
                    units.filter(|(u, _)| u.group() == group).map(|(_, w)| w),
                    out,
                );
            }
        }
        add_up(block.group_w.chunks_exact(steps), &mut block.site_w);
        add_up(self.sums.q_var.chunks_exact(steps), &mut block.site_q_var);
        add_up(self.sums.gpu_w.chunks_exact(steps), &mut block.gpu_w);
        self.next_sample += steps as u64;
    }

    /// What came of each service's requests so far, by job.
    pub(crate) fn traffic_report(&self) -> Vec<TrafficReport> {
        let now_s = self.next_sample.saturating_sub(1) as f64 * self.dt_s;
        self.fleets
            .iter()
            .flatten()
            .map(|f| f.report(now_s))
            .collect()
    }

    /// What power smoothing and secondary loads did so far, by rack group and job; `expected`: by expectation, not counted.
    pub(crate) fn smoothing_report(&self, expected: bool) -> Vec<SmoothingReport> {
        let mut sums: BTreeMap<(usize, usize), (f64, Ledger)> = BTreeMap::new();
        for unit in &self.units {
            for (job, gpus, ledger) in unit.ledgers(self.next_sample) {
                let Some(job) = job else { continue };
                let (all, sum) = sums.entry((unit.group(), job)).or_default();
                *all += f64::from(gpus);
                sum.add(ledger, f64::from(gpus));
            }
        }
        let report = |(&(group, job), (gpus, ledger)): (&(usize, usize), &(f64, Ledger))| {
            let names = (&self.group_names[group], &self.job_names[job]);
            SmoothingReport::new(names.0, names.1, ledger, *gpus, self.dt_s, expected)
        };
        sums.iter().map(report).collect()
    }

    /// What the storage of each group with any did so far.
    pub(crate) fn storage_report(&self) -> Vec<StorageReport> {
        buffers::storage_report(&self.hardware, self.buffered())
    }

    /// What the bulk capacitors of each group where they matter had to do so far.
    pub(crate) fn bulk_report(&self) -> Vec<(usize, BulkReport)> {
        buffers::bulk_report(self.buffered())
    }

    fn buffered(&self) -> impl Iterator<Item = (usize, &Buffers)> {
        let units = self.units.iter().zip(&self.buffers);
        units.filter_map(|(u, b)| Some((u.group(), b.as_ref()?)))
    }

    /// How each job's phases so far stand to the limits of its GPUs, by job, profile and phase; GPUs without a job last.
    pub(crate) fn clamp_report(&self, per_gpu: bool) -> Vec<ClampReport> {
        // Jobs in order, then no job: `None` would sort first.
        let mut tallies: BTreeMap<(usize, usize), [Tally; KINDS]> = BTreeMap::new();
        for unit in &self.units {
            for slot in unit.slots() {
                let key = (
                    slot.job.unwrap_or(usize::MAX),
                    self.hardware[unit.group()].table,
                );
                let sums = tallies.entry(key).or_insert([Tally::default(); KINDS]);
                sums.iter_mut()
                    .zip(slot.tallies)
                    .for_each(|(sum, t)| sum.add(t));
            }
        }
        let mut reports = Vec::new();
        for ((job, table), sums) in tallies {
            let table = &self.tables[table];
            let all = sums.iter().map(|t| t.samples).sum();
            for (phase, tally) in PhaseKind::ALL
                .into_iter()
                .zip(sums)
                .filter(|(_, t)| t.samples > 0)
            {
                let level = table.level(phase);
                let subject = Subject {
                    job: self.job_names.get(job).map(String::as_str),
                    phase,
                    profile: &table.name,
                    power_w: level.stated_w,
                    sigma_w: level.sigma_w,
                    clamp_w: table.clamp_w,
                    per_gpu,
                };
                reports.push(clamp::report(&subject, tally, all));
            }
        }
        reports
    }
}

fn fill_factor(factor: &mut Option<Factor>, z: &mut Vec<f64>, steps: usize) {
    if let Some(factor) = factor {
        z.resize(steps, 0.0);
        factor.fill(z);
    }
}

/// Sums over the racks of each unit, `[unit][step]`.
#[derive(Debug, Clone, Default)]
struct Sums {
    ac_w: Vec<f64>,
    q_var: Vec<f64>,
    gpu_w: Vec<f64>,
    stored_j: Vec<f64>,
    before_w: Vec<f64>,
}

impl Sums {
    fn resize(&mut self, len: usize) {
        let all = [&mut self.ac_w, &mut self.q_var, &mut self.gpu_w];
        for sums in all
            .into_iter()
            .chain([&mut self.stored_j, &mut self.before_w])
        {
            sums.resize(len, 0.0);
        }
    }

    /// AC side, reactive power, GPUs, charge and AC side before the storage of each unit.
    fn by_unit(&mut self, steps: usize) -> impl Iterator<Item = [&mut [f64]; 5]> {
        let ac_w = self.ac_w.chunks_exact_mut(steps);
        let rest = self.q_var.chunks_exact_mut(steps);
        let rest = rest.zip(self.gpu_w.chunks_exact_mut(steps));
        let rest = rest.zip(self.stored_j.chunks_exact_mut(steps));
        let rest = rest.zip(self.before_w.chunks_exact_mut(steps));
        ac_w.zip(rest)
            .map(|(ac, (((q, gpu), stored), before))| [ac, q, gpu, stored, before])
    }
}

/// Sums rows, always from the first to the last.
fn add_up<'a>(rows: impl Iterator<Item = &'a [f64]>, sum: &mut [f64]) {
    sum.fill(0.0);
    for row in rows {
        sum.iter_mut().zip(row).for_each(|(o, w)| *o += w);
    }
}

/// Steps added up in registers.
const AT_ONCE: usize = 64;

/// Sums `[rack][step]` over racks, always from the first rack to the last.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl", "x86_64+avx2"))]
fn sum_rows(rows: &[f64], sum: &mut [f64]) {
    let steps = sum.len();
    for (i, out) in sum.chunks_mut(AT_ONCE).enumerate() {
        let mut total = [0.0; AT_ONCE];
        for row in rows.chunks_exact(steps) {
            let row = &row[i * AT_ONCE..i * AT_ONCE + out.len()];
            for (o, w) in total.iter_mut().zip(row) {
                *o += w;
            }
        }
        out.copy_from_slice(&total[..out.len()]);
    }
}

/// Sums the racks' reactive power likewise, from `[rack][step]` of their active power.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl", "x86_64+avx2"))]
fn sum_reactive(line: ReactiveLine, rows: &[f64], sum: &mut [f64]) {
    let steps = sum.len();
    for (i, out) in sum.chunks_mut(AT_ONCE).enumerate() {
        let mut total = [0.0; AT_ONCE];
        for row in rows.chunks_exact(steps) {
            let row = &row[i * AT_ONCE..i * AT_ONCE + out.len()];
            for (o, w) in total.iter_mut().zip(row) {
                *o += w * line.at(*w);
            }
        }
        out.copy_from_slice(&total[..out.len()]);
    }
}

/// What does not depend on the engine, of a rack simulated by itself.
pub(crate) fn rack_base(site: &Site, rack: &RackPlan, dt_s: f64, streams: Streams) -> RackBase {
    let mut slots: Vec<Slot> = Vec::new();
    for cohort in rack.bundles.iter().flat_map(|b| &b.cohorts) {
        if slots.iter().all(|s| s.job != cohort.job) {
            slots.push(Slot {
                job: cohort.job,
                loadings: loadings(site, cohort.job),
                tallies: [Tally::default(); KINDS],
            });
        }
    }
    let factor = slots.iter().any(|s| s.loadings.rack > 0.0).then(|| {
        Factor::new(
            UnitOu::new(streams.fluctuation("ou-rack", entity(&[&rack.name], 0))),
            dt_s,
            rack.tau_s,
        )
    });
    RackBase {
        group: rack.group,
        row: rack.row,
        slots,
        factor,
        host: HostPart::new(&site.hardware[rack.group], dt_s),
        lag: Lag::new(dt_s, site.hardware[rack.group].psu.lag_s.value),
    }
}

/// Loadings of a job's GPUs; none without a job.
pub(crate) fn loadings(site: &Site, job: Option<usize>) -> Loadings {
    job.map_or_else(Loadings::default, |j| {
        let s = site.jobs[j].shares;
        Loadings {
            site: s.site.sqrt(),
            row: s.row.sqrt(),
            rack: s.rack.sqrt(),
            job: s.job.sqrt(),
        }
    })
}

/// Key of a cohort's streams.
pub(crate) fn cohort_key(site: &Site, rack: &RackPlan, cohort: &Cohort) -> u64 {
    let name = cohort.job.map_or("", |j| site.jobs[j].name.as_str());
    entity(&[&rack.name, name], u64::from(cohort.first))
}

/// The course of a cohort with its own offset, at its start. Both engines give a cohort the same one.
pub(crate) fn cohort_cursor(
    site: &Site,
    rack: &RackPlan,
    cohort: &Cohort,
    table: &ProfileTable,
    streams: Streams,
) -> Cursor {
    let key = cohort_key(site, rack, cohort);
    let plan = cohort.job.map(|j| &site.jobs[j]);
    let has = |kind: PhaseKind| table.level(kind).present;
    let mut rest = PhaseKind::Idle;
    let course = match plan.map(|p| &p.course) {
        None => Course::Idle,
        Some(CoursePlan::Batch(batch)) => {
            let nodes = plan.map_or(1, |p| p.nodes);
            let jitter_s = batch.jitter_s * streams.open("job-offset", key).normal();
            let start_s = batch.planned_start_s(cohort.place, nodes) + jitter_s;
            let passing = batch.passing(site.hardware[rack.group].table);
            let waits_in = before_work(has);
            let outages = &rack.outages;
            Course::Batch(BatchCourse::new(batch, passing, start_s, outages, waits_in))
        }
        Some(CoursePlan::Training(training)) => {
            rest = before_work(has);
            let offset_s = training.node_jitter_s * streams.open("job-offset", key).normal();
            let gpus = f64::from(cohort.gpus);
            let seat = Seat {
                offset_s,
                key,
                place: cohort.place,
                // Equal nodes: Σ g² over n nodes of g GPUs each is (n g)²/n.
                nodes: gpus * gpus / cohort.node_squares,
                stage: training.stage_of(cohort.ordinal),
            };
            Course::Training(Box::new(TrainingCourse::new(
                training.clone(),
                streams,
                seat,
                table.step_s,
            )))
        }
        Some(CoursePlan::Inference(_)) => {
            rest = before_work(has);
            Course::Idle
        }
    };
    Cursor::new(course, rest, table)
}

/// The replicas of a cohort's GPUs, if its job is a service. Both engines give a cohort the same ones.
pub(crate) fn cohort_serving(
    site: &Site,
    cohort: &Cohort,
    table: &ProfileTable,
) -> Option<Serving> {
    let job = cohort.job?;
    match &site.jobs[job].course {
        CoursePlan::Inference(plan) => {
            let rest = before_work(|kind| table.level(kind).present);
            Some(Serving::new(job, rest, cohort, plan))
        }
        CoursePlan::Batch(_) | CoursePlan::Training(_) => None,
    }
}

/// What holds the power of a cohort's GPUs within limits; `None` where nothing does. Both engines give a cohort the same one.
pub(crate) fn cohort_shaper(
    site: &Site,
    rack: &RackPlan,
    cohort: &Cohort,
    table: &ProfileTable,
) -> Option<Shaper> {
    // GPUs without a job are never active.
    let job = cohort.job?;
    let smoothing = site.hardware[rack.group].smoothing;
    let secondary = site.jobs[job].secondary(table);
    if smoothing.is_none() && secondary.is_none() {
        return None;
    }
    let dark = rack.outages.iter().map(|o| (o.off_s, o.on_s)).collect();
    Some(Shaper::new(smoothing, secondary, table.clamp_w, dark))
}
