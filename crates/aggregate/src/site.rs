//! A site with everything resolved: racks by name, nodes and GPUs by their specifications, jobs on their GPUs.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use ballast_profile::{GpuProfile, HostSpec, MeteredSide, NodeSpec, PhaseKind, PsuSpec};
use serde::Serialize;

use crate::batch::BatchPlan;
use crate::buffers::RackStore;
use crate::check::{self, Problems};
use crate::check_events;
use crate::check_tenants;
use crate::correlation::{self, JobCorrelation};
use crate::event_plan::{EventPlan, Outage};
use crate::events::{self, PlannedEvent};
use crate::fleet::InferencePlan;
use crate::place::Bundle;
use crate::placement::{idle_groups, place};
use crate::racks::{RunStart, Streams};
use crate::resolve::{assemble, fit_all, resolve_groups};
use crate::smoothing::{Secondary, Smoothing};
use crate::tenants::{JobGpus, TenantGpus, allot};
use crate::timeline::ProfileTable;
use crate::training::CoarseTraining;
use crate::training_plan::TrainingPlan;
use crate::{
    CorrelationSpec, JobSpec, LevelShares, RackGroup, RequestLog, SecondaryLoad, SiteEventSpec,
    SmoothingNote, TenantSpec,
};

/// What a site is made of, as it stands in a scenario. Profiles, nodes and supplies have passed their own checks.
#[derive(Debug, Clone, Copy)]
pub struct SiteInput<'a> {
    /// Rack groups.
    pub racks: &'a [RackGroup],
    /// Jobs.
    pub jobs: &'a [JobSpec],
    /// Those who share the site.
    pub tenants: &'a [TenantSpec],
    /// Correlation for jobs that state none.
    pub correlation: Option<&'a CorrelationSpec>,
    /// Events of the site.
    pub events: &'a [SiteEventSpec],
    /// GPU profiles by name, presets included.
    pub gpus: &'a BTreeMap<String, GpuProfile>,
    /// Nodes by name, presets included.
    pub nodes: &'a BTreeMap<String, NodeSpec>,
    /// Power supplies by name, presets included.
    pub psus: &'a BTreeMap<String, PsuSpec>,
}

/// Something wrong in racks, jobs or correlation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{path}: {message}")]
pub struct SiteProblem {
    /// Where in the scenario: `jobs.0.gpus`, `racks.1.node`.
    pub path: String,
    /// What is wrong, with the values.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl SiteProblem {
    pub(crate) fn new(path: String, message: String, help: String) -> Self {
        Self {
            path,
            message,
            help,
        }
    }
}

/// A group of equal racks of a resolved site.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupInfo {
    /// Name.
    pub name: String,
    /// Its racks, as indices of the site's racks.
    pub racks: Range<usize>,
    /// Name of its node.
    pub node: String,
    /// Name of its GPU profile.
    pub gpu: String,
    /// Nodes in each rack.
    pub nodes_per_rack: u32,
    /// GPUs in each node.
    pub gpus_per_node: u32,
}

impl GroupInfo {
    /// GPUs in each rack.
    pub fn gpus_per_rack(&self) -> u32 {
        self.nodes_per_rack * self.gpus_per_node
    }
}

/// Node and supply of a group, and its profile.
#[derive(Debug, Clone)]
pub(crate) struct Hardware {
    pub(crate) host: HostSpec,
    pub(crate) psu: PsuSpec,
    pub(crate) psu_count: u32,
    /// Nodes in a rack.
    pub(crate) nodes: u32,
    /// Constant power beside the nodes of a rack, W, and the side on which it is metered.
    pub(crate) other_w: f64,
    pub(crate) other_metered: MeteredSide,
    pub(crate) table: usize,
    /// How its GPUs smooth their power; absent where nothing of it acts.
    pub(crate) smoothing: Option<Smoothing>,
    /// Storage of each rack.
    pub(crate) store: Option<RackStore>,
}

impl Hardware {
    /// AC power of one node in steady state, W, with `gpu_w` drawn by its GPUs together.
    pub(crate) fn node_ac_w(&self, gpu_w: f64) -> f64 {
        let node_w = self.host.node_w(gpu_w);
        match self.host.metered {
            MeteredSide::NodeDc => self.psu.input_w(node_w, self.psu_count),
            MeteredSide::NodeAc => node_w,
        }
    }
}

/// AC power of a node as a function of the power of its GPUs: `[c0, c1, c2]` of `c0 + c1 g + c2 g²`, W.
pub(crate) type NodeCurve = [f64; 3];

impl Hardware {
    /// [`Self::node_ac_w`] as a polynomial. Host power is a line and the supplies' loss a parabola, so it is one, and three
    /// points of it are enough.
    pub(crate) fn node_curve(&self) -> NodeCurve {
        // A power of two: dividing by it rounds nothing.
        const H_W: f64 = 1024.0;
        let [f0, f1, f2] = [0.0, H_W, 2.0 * H_W].map(|w| self.node_ac_w(w));
        let c2 = (f2 - 2.0 * f1 + f0) / (2.0 * H_W * H_W);
        [f0, (f1 - f0) / H_W - c2 * H_W, c2]
    }
}

#[derive(Debug, Clone)]
pub(crate) struct RackPlan {
    pub(crate) name: String,
    pub(crate) group: usize,
    pub(crate) row: usize,
    pub(crate) bundles: Vec<Bundle>,
    /// Correlation time of the rack's factor.
    pub(crate) tau_s: f64,
    /// When it is out.
    pub(crate) outages: Vec<Outage>,
}

/// A row of racks and the correlation time of its factor.
#[derive(Debug, Clone)]
pub(crate) struct RowPlan {
    pub(crate) name: String,
    pub(crate) tau_s: f64,
}

#[derive(Debug, Clone)]
pub(crate) enum CoursePlan {
    Batch(BatchPlan),
    Training(Arc<TrainingPlan>),
    Inference(Arc<InferencePlan>),
}

#[derive(Debug, Clone)]
pub(crate) struct JobPlan {
    pub(crate) name: String,
    pub(crate) course: CoursePlan,
    pub(crate) shares: LevelShares,
    pub(crate) tau_s: f64,
    /// Nodes it touches; a shared node counts in full.
    pub(crate) nodes: u64,
    pub(crate) secondary: Option<SecondaryLoad>,
}

impl JobPlan {
    /// Its secondary load on GPUs of a profile.
    pub(crate) fn secondary(&self, table: &ProfileTable) -> Option<Secondary> {
        self.secondary.map(|s| Secondary::new(&s, table.tdp_w))
    }
}

/// A site, resolved and immutable.
#[derive(Debug, Clone)]
pub struct Site {
    pub(crate) groups: Vec<GroupInfo>,
    pub(crate) hardware: Vec<Hardware>,
    pub(crate) tables: Vec<ProfileTable>,
    pub(crate) racks: Vec<RackPlan>,
    pub(crate) rows: Vec<RowPlan>,
    pub(crate) jobs: Vec<JobPlan>,
    /// Correlation time of the site's factor.
    pub(crate) tau_s: f64,
    pub(crate) correlations: Vec<JobCorrelation>,
    pub(crate) used: BTreeSet<(String, PhaseKind)>,
    pub(crate) events: Vec<PlannedEvent>,
    /// What the site's events do.
    pub(crate) outages: EventPlan,
    pub(crate) gpus: u64,
    pub(crate) tenants: Vec<TenantGpus>,
    /// Tenant, share and GPUs of each job.
    pub(crate) job_gpus: Vec<JobGpus>,
    pub(crate) smoothing_notes: Vec<SmoothingNote>,
}

impl Site {
    /// Resolves names, places the jobs and checks all of it.
    ///
    /// # Errors
    /// Every problem found: unknown names, two of the same name, more GPUs asked for than are free,
    /// phases a profile does not have, shares above 1, times that contradict each other.
    pub fn new(input: SiteInput<'_>) -> Result<Self, Vec<SiteProblem>> {
        let mut problems = Problems::default();
        let mut tables = Vec::new();
        let resolved = resolve_groups(&input, &mut tables, &mut problems);
        if let Some(spec) = input.correlation {
            correlation::check("correlation", spec, &mut problems.0);
        }
        let placeable = check::jobs(input.jobs, input.racks, input.events, &mut problems);
        let shared = check_tenants::tenants(input.tenants, input.jobs, input.racks, &mut problems);
        // With a group missing, everything said about free GPUs would be wrong.
        let (Some((groups, hardware)), true) = (resolved, shared && placeable.iter().all(|p| *p))
        else {
            return Err(problems.0);
        };
        check_events::events(input.events, &groups, &mut problems);
        let mut allotment = allot(
            input.tenants,
            input.jobs,
            input.racks,
            &groups,
            &mut problems,
        );
        let placement = place(
            input.jobs,
            input.tenants,
            &mut allotment,
            &groups,
            &mut problems,
        );
        let outages = EventPlan::new(input.events, &groups);
        let fits = fit_all(
            &input,
            &placement,
            &outages,
            &hardware,
            &tables,
            &mut problems,
        );
        check_events::checkpoints(&input, &outages, &placement, &fits, &mut problems);
        let idle_groups = idle_groups(&groups, &placement);
        for &g in &idle_groups {
            if !tables[hardware[g].table].level(PhaseKind::Idle).present {
                problems.add(
                    format!("racks.{g}.node"),
                    format!(
                        "some GPUs of group `{}` have no job, and GPU profile `{}` has no phase `idle`",
                        groups[g].name, groups[g].gpu
                    ),
                    "add the phase `idle` to the profile, or give these GPUs a job",
                );
            }
        }
        if !problems.0.is_empty() {
            return Err(problems.0);
        }
        Ok(assemble(
            &input,
            groups,
            hardware,
            tables,
            &placement,
            &fits,
            &idle_groups,
            outages,
            allotment.tenants,
        ))
    }

    /// Hands over the requests of the file that job number `job` names; without them none come. Nothing happens if it names no file.
    pub fn give_requests(&mut self, job: usize, log: &Arc<RequestLog>) {
        if let Some(JobPlan {
            course: CoursePlan::Inference(plan),
            ..
        }) = self.jobs.get_mut(job)
        {
            Arc::make_mut(plan).give(log);
        }
    }

    /// GPUs in the site, with and without a job.
    pub fn gpu_count(&self) -> u64 {
        self.gpus
    }

    /// What each tenant has got of its racks, in the order of the scenario.
    pub fn tenants(&self) -> &[TenantGpus] {
        &self.tenants
    }

    /// GPUs of each job, in the order of the scenario.
    pub fn job_gpus(&self) -> &[JobGpus] {
        &self.job_gpus
    }

    /// What power smoothing does not do or delays, as far as it can be said before a run.
    pub fn smoothing_notes(&self) -> &[SmoothingNote] {
        &self.smoothing_notes
    }

    /// AC power of all racks with every GPU at its limit, watts.
    pub fn rated_ac_w(&self) -> f64 {
        let rated = self
            .groups
            .iter()
            .enumerate()
            .map(|(g, group)| group.racks.len() as f64 * self.rated_rack_w(g));
        rated.sum()
    }

    /// AC power of one rack of a group with every GPU at its limit, W.
    fn rated_rack_w(&self, group: usize) -> f64 {
        let (g, h) = (&self.groups[group], &self.hardware[group]);
        let gpu_w = f64::from(g.gpus_per_node) * self.tables[h.table].clamp_w.max(0.0);
        h.rack_ac_w(gpu_w)
    }

    /// Whether the bulk capacitors of a group's supplies could be asked for more than they hold.
    pub(crate) fn bulk_matters(&self, group: usize) -> bool {
        let (g, h) = (&self.groups[group], &self.hardware[group]);
        h.bulk_matters(f64::from(g.gpus_per_node) * self.tables[h.table].clamp_w.max(0.0))
    }

    /// Hold-up energy of all supplies of each rack of a group, joules, and the lag of their AC side, seconds; `None` if there is no group `i`.
    pub fn bulk_of(&self, i: usize) -> Option<(f64, f64)> {
        let hardware = self.hardware.get(i)?;
        Some((hardware.bulk_j(), hardware.psu.lag_s.value))
    }

    /// Whether racks of any group have storage.
    pub fn has_storage(&self) -> bool {
        self.hardware.iter().any(|h| h.store.is_some())
    }

    /// AC power of some racks with every GPU at its limit, W.
    pub(crate) fn rated_ac_of_w(&self, racks: &[usize]) -> f64 {
        let rated = racks
            .iter()
            .map(|&r| self.rated_rack_w(self.racks[r].group));
        rated.sum()
    }

    /// Highest power at which a floor or a secondary load may hold a GPU of a group, W; 0 without.
    pub(crate) fn highest_floor_w(&self, group: usize) -> f64 {
        let hardware = &self.hardware[group];
        let fills = self.jobs.iter();
        let fills = fills.filter_map(|j| j.secondary(&self.tables[hardware.table]));
        let floor_w = hardware.smoothing.map_or(0.0, |s| s.floor_w);
        fills.map(|f| f.fill_w).fold(floor_w, f64::max)
    }

    /// Racks in the site.
    pub fn rack_count(&self) -> usize {
        self.racks.len()
    }

    /// Name of a rack, `<group>-001`; empty if there is no rack `i`.
    pub fn rack_name(&self, i: usize) -> &str {
        self.racks.get(i).map_or("", |r| &r.name)
    }

    /// Index of a rack's group in [`Self::groups`]; 0 if there is no rack `i`.
    pub fn rack_group(&self, i: usize) -> usize {
        self.racks.get(i).map_or(0, |r| r.group)
    }

    /// Groups of racks, in the order of the scenario.
    pub fn groups(&self) -> &[GroupInfo] {
        &self.groups
    }

    /// Profiles and phases that the result rests on, in order: those that GPUs are in, or leave, from t = 0 on.
    pub fn used_phases(&self) -> Vec<(String, PhaseKind)> {
        self.used.iter().cloned().collect()
    }

    /// Correlation in force for each job, in the order of the scenario.
    pub fn correlations(&self) -> &[JobCorrelation] {
        &self.correlations
    }

    /// What the jobs are planned to do, and what happens to the site, from t = 0 on, in order of time; it may lie beyond the end of a run.
    pub fn events(&self) -> Vec<PlannedEvent> {
        self.events.clone()
    }

    /// Training jobs whose iterations a step in seconds does not show in full, in the order of the scenario: a run at that step
    /// gives means in their place.
    pub fn coarse_training(&self, step_s: f64) -> Vec<CoarseTraining> {
        let coarse = self.jobs.iter().filter_map(|j| match &j.course {
            CoursePlan::Training(t) => {
                let found = CoarseTraining {
                    job: j.name.clone(),
                    iteration_s: t.iteration_s,
                    shortest_s: t.shortest_s(),
                    whole: t.coarse_at(step_s),
                };
                let partly = (0..t.parts.len()).any(|s| t.part_at(s, step_s) != t.parts[s]);
                (found.whole || partly).then_some(found)
            }
            CoursePlan::Batch(_) | CoursePlan::Inference(_) => None,
        });
        coarse.collect()
    }

    /// What happens to the jobs at times drawn for a realisation, up to `until_s`: crashes at random and their restarts, in order of time.
    pub fn drawn_events(&self, seed: u64, realisation: u32, until_s: f64) -> Vec<PlannedEvent> {
        let streams = Streams::new(seed, realisation, RunStart::default());
        let mut events = Vec::new();
        for job in &self.jobs {
            if let CoursePlan::Training(plan) = &job.course {
                events::drawn(plan, streams, until_s, &mut events);
            }
        }
        events.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
        events
    }
}
