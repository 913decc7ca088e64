//! A site with everything resolved: racks by name, nodes and GPUs by their specifications, jobs on their GPUs.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use ballast_profile::{GpuProfile, HostSpec, MeteredSide, NodeSpec, PhaseKind, PsuSpec};
use serde::Serialize;

use crate::batch::BatchPlan;
use crate::check::{self, Problems};
use crate::correlation::{self, JobCorrelation};
use crate::events::PlannedEvent;
use crate::fleet::InferencePlan;
use crate::place::Bundle;
use crate::placement::{idle_groups, place};
use crate::resolve::{assemble, fit_all, resolve_groups};
use crate::timeline::ProfileTable;
use crate::training::TrainingPlan;
use crate::{CorrelationSpec, JobSpec, LevelShares, RackGroup};

/// What a site is made of, as it stands in a scenario. Profiles, nodes and supplies have passed their own checks.
#[derive(Debug, Clone, Copy)]
pub struct SiteInput<'a> {
    /// Rack groups.
    pub racks: &'a [RackGroup],
    /// Jobs.
    pub jobs: &'a [JobSpec],
    /// Correlation for jobs that state none.
    pub correlation: Option<&'a CorrelationSpec>,
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
    pub(crate) table: usize,
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
    pub(crate) gpus: u64,
}

impl Site {
    /// Resolves names, places the jobs and checks all of it.
    ///
    /// # Errors
    /// Every problem found, in the order of the scenario: unknown names, two of the same name, more GPUs asked for than are free,
    /// phases a profile does not have, shares above 1, times that contradict each other.
    pub fn new(input: SiteInput<'_>) -> Result<Self, Vec<SiteProblem>> {
        let mut problems = Problems::default();
        let mut tables = Vec::new();
        let resolved = resolve_groups(&input, &mut tables, &mut problems);
        if let Some(spec) = input.correlation {
            correlation::check("correlation", spec, &mut problems.0);
        }
        let placeable = check::jobs(input.jobs, input.racks, &mut problems);
        // With a group missing, everything said about free GPUs would be wrong.
        let (Some((groups, hardware)), true) = (resolved, placeable.iter().all(|p| *p)) else {
            return Err(problems.0);
        };
        let placement = place(input.jobs, &groups, &mut problems);
        let fits = fit_all(&input, &placement, &hardware, &tables, &mut problems);
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
        ))
    }

    /// GPUs in the site, with and without a job.
    pub fn gpu_count(&self) -> u64 {
        self.gpus
    }

    /// AC power of all racks with every GPU at its limit, watts.
    pub fn rated_ac_w(&self) -> f64 {
        let rated = self.groups.iter().zip(&self.hardware).map(|(g, h)| {
            let gpu_w = f64::from(g.gpus_per_node) * self.tables[h.table].clamp_w.max(0.0);
            (g.racks.len() * g.nodes_per_rack as usize) as f64 * h.node_ac_w(gpu_w)
        });
        rated.sum()
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

    /// What the jobs are planned to do from t = 0 on, in order of time; it may lie beyond the end of a run.
    pub fn events(&self) -> Vec<PlannedEvent> {
        self.events.clone()
    }

    /// Shortest stretch that a training job spends in one phase, seconds: a step longer than this misses phases. `None` without training.
    pub fn shortest_phase_s(&self) -> Option<f64> {
        let stretches = self.jobs.iter().filter_map(|j| match &j.course {
            CoursePlan::Training(t) => {
                let compute = t.compute_share * t.iteration_s;
                [compute, t.iteration_s - compute]
                    .into_iter()
                    .filter(|s| *s > 0.0)
                    .min_by(f64::total_cmp)
            }
            CoursePlan::Batch(_) | CoursePlan::Inference(_) => None,
        });
        stretches.min_by(f64::total_cmp)
    }
}
