//! The group engine: a cohort's fluctuation is one process, whatever its number of GPUs.

use ballast_series::rng::UnitOu;

use crate::block::DemandBlock;
use crate::clamp::ClampReport;
use crate::correlation::own_share;
use crate::fleet::TrafficReport;
use crate::place::Cohort;
use crate::rack::{BundleState, CohortState, RackBase, RackState};
use crate::racks::{Core, RunStart, Streams, cohort_cursor, cohort_key, cohort_serving};
use crate::site::{RackPlan, Site};
use crate::timeline::ProfileTable;

/// Power of every rack over time for one realisation, from the sums of cohorts.
///
/// Grows with racks (at most a few cohorts per rack and job), not with GPUs per cohort or duration.
#[derive(Debug, Clone)]
pub struct GroupEngine(Core<RackState>);

impl GroupEngine {
    /// An engine at t = 0. `dt_s` is the step in seconds, finite and above 0; `realisation` picks independent randomness.
    pub fn new(site: &Site, dt_s: f64, seed: u64, realisation: u32) -> Self {
        Self::starting_at(site, dt_s, seed, realisation, RunStart::default())
    }

    /// The same from a later sample on.
    pub fn starting_at(
        site: &Site,
        dt_s: f64,
        seed: u64,
        realisation: u32,
        start: RunStart,
    ) -> Self {
        let streams = Streams::new(seed, realisation, start);
        let tables = site.tables.iter().map(|t| t.at_step(dt_s)).collect();
        Self(Core::new(
            site,
            dt_s,
            streams,
            tables,
            |plan, base, table| rack_state(site, plan, base, table, streams),
        ))
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

    /// How each job's phases so far stand to the limits of its GPUs, by job, profile and phase; GPUs without a job last.
    pub fn clamp_report(&self) -> Vec<ClampReport> {
        self.0.clamp_report(false)
    }
}

fn rack_state(
    site: &Site,
    plan: &RackPlan,
    base: RackBase,
    table: &ProfileTable,
    streams: Streams,
) -> RackState {
    let bundles = plan.bundles.iter().map(|bundle| {
        let cohorts = bundle.cohorts.iter().map(|cohort| {
            cohort_state(site, plan, cohort, base.slot_of(cohort.job), table, streams)
        });
        BundleState {
            nodes: f64::from(bundle.nodes),
            cohorts: cohorts.collect(),
        }
    });
    RackState {
        bundles: bundles.collect(),
        base,
    }
}

fn cohort_state(
    site: &Site,
    rack: &RackPlan,
    cohort: &Cohort,
    slot: usize,
    table: &ProfileTable,
    streams: Streams,
) -> CohortState {
    let plan = cohort.job.map(|j| &site.jobs[j]);
    let gpus = f64::from(cohort.gpus);
    // N independent AR(1) terms of one time constant are one such term of N times the variance.
    let own = plan
        .map_or(gpus, |p| {
            cohort.node_squares * p.shares.node + gpus * own_share(p.shares)
        })
        .sqrt();
    let key = cohort_key(site, rack, cohort);
    let ou =
        (own > 0.0 && !table.still()).then(|| UnitOu::new(streams.fluctuation("ou-cohort", key)));
    CohortState {
        slot,
        gpus: cohort.gpus,
        own,
        ou,
        cursor: cohort_cursor(site, rack, cohort, table, streams),
        serving: cohort_serving(site, cohort, table),
    }
}
