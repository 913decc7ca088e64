//! What stands in a scenario file about racks, jobs and correlation.

use ballast_buffer::StorageSpec;
use ballast_profile::{MeteredSide, PhaseKind};
use ballast_units::Sourced;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{BatchRun, GpuSmoothing, InferenceJob, IterationShape, SecondaryLoad, StragglerSpec};

/// How the GPUs are simulated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EngineSpec {
    /// The group engine, unless the limits of single GPUs would move the mean power of some phase by more than 0.5 %.
    #[default]
    Auto,
    /// Sums of Gaussian fluctuations by cohort: exact while no GPU meets a limit; its cost does not grow with the GPUs of a cohort.
    Group,
    /// Every GPU by itself, held within its limits at every step.
    PerGpu,
}

/// A group of equal racks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RackGroup {
    /// Name of the group; its racks are `<name>-001`, `<name>-002`, …
    pub name: String,
    /// Racks in the group.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub count: u32,
    /// Node in these racks, by preset name or by its name under `[nodes]`.
    pub node: String,
    /// Nodes in each rack.
    #[schemars(range(min = 1, max = 1000))]
    pub nodes_per_rack: u32,
    /// Racks in one row; racks of a row share the row's fluctuation. Default: all in one row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub racks_per_row: Option<u32>,
    /// Constant power of what stands in each rack beside its nodes (switch trays, management), kilowatts. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "kW", "x-min-value" = 0.0, "x-max-value" = 1e6))]
    pub other_kw: Option<Sourced>,
    /// Side of the nodes' power supplies on which `other_kw` is metered: behind them (`node_dc`) their losses come on top. Default: `node_ac`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_metered: Option<MeteredSide>,
    /// How the GPUs in these racks smooth their own power. Default: not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_smoothing: Option<GpuSmoothing>,
    /// Storage in each rack that smooths its power at the AC side: a preset (`preset`), changed or not, or one of your own. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<StorageSpec>,
}

/// A job: what a set of GPUs does over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum JobSpec {
    /// Idle, launch, load, warmup, steady, stop.
    Batch(BatchJob),
    /// Synchronous training: iterations of compute and communication in lockstep.
    Training(TrainingJob),
    /// A service: requests arrive, wait, are prefilled, and decode together.
    Inference(InferenceJob),
}

impl JobSpec {
    /// Name of the job.
    pub fn name(&self) -> &str {
        match self {
            Self::Batch(b) => &b.name,
            Self::Training(t) => &t.name,
            Self::Inference(i) => &i.name,
        }
    }

    /// Correlation that the job itself states.
    pub fn correlation(&self) -> Option<&CorrelationSpec> {
        match self {
            Self::Batch(b) => b.correlation.as_ref(),
            Self::Training(t) => t.correlation.as_ref(),
            Self::Inference(i) => i.correlation.as_ref(),
        }
    }

    /// Tenant whose GPUs it uses.
    pub fn tenant(&self) -> Option<&str> {
        match self {
            Self::Batch(b) => b.tenant.as_deref(),
            Self::Training(t) => t.tenant.as_deref(),
            Self::Inference(i) => i.tenant.as_deref(),
        }
    }

    /// Share of its tenant's GPUs, or of those of its racks, above 0 and at most 1.
    pub fn share(&self) -> Option<f64> {
        match self {
            Self::Batch(b) => b.share,
            Self::Training(t) => t.share,
            Self::Inference(i) => i.share,
        }
    }

    /// Rack groups it names, and GPUs it asks for.
    pub(crate) fn place(&self) -> (&[String], Option<u32>) {
        match self {
            Self::Batch(b) => (&b.racks, b.gpus),
            Self::Training(t) => (&t.racks, t.gpus),
            Self::Inference(i) => (&i.racks, i.gpus),
        }
    }
}

/// A batch or serving job: idle → launch → load → warmup → steady → stop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchJob {
    /// Name of the job.
    pub name: String,
    /// Rack groups it runs on, filled in order. Default: all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub racks: Vec<String>,
    /// GPUs it uses. Default: every free GPU of its racks, of its tenant's share where it has a tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub gpus: Option<u32>,
    /// Tenant whose GPUs it uses. Its racks are the tenant's, or those of them that it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Share of its tenant's GPUs, without a tenant of the GPUs of its racks; instead of `gpus`. It gets whole nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1.0))]
    pub share: Option<f64>,
    /// Time of the first start, seconds; before it the GPUs are idle. Negative: the job was started before the run.
    #[serde(default)]
    #[schemars(extend("x-unit" = "s"))]
    pub start_s: f64,
    /// Nodes start one after another, evenly over this time, seconds.
    #[serde(default)]
    #[schemars(range(min = 0.0), extend("x-unit" = "s"))]
    pub stagger_s: f64,
    /// Standard deviation of each node's start around its planned time, seconds.
    #[serde(default)]
    #[schemars(range(min = 0.0), extend("x-unit" = "s"))]
    pub start_jitter_s: f64,
    /// Duration of the launch phase, seconds. Default: the profile's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0), extend("x-unit" = "s"))]
    pub launch_s: Option<f64>,
    /// Duration of the load phase, seconds. Default: the profile's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0), extend("x-unit" = "s"))]
    pub load_s: Option<f64>,
    /// Duration of the warmup phase, seconds. Default: the profile's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0), extend("x-unit" = "s"))]
    pub warmup_s: Option<f64>,
    /// Phase the job stays in after its warmup.
    #[serde(default = "steady_mixed")]
    pub steady: PhaseKind,
    /// Time spent in the steady phase, seconds; afterwards the GPUs are idle. Default: to the end of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0), extend("x-unit" = "s"))]
    pub steady_s: Option<f64>,
    /// Several runs one after another on the same GPUs, in order of time, instead of `start_s` and `steady_s`; between them the GPUs are idle.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<BatchRun>,
    /// How the fluctuation of its GPUs is shared. Default: the scenario's `[correlation]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<CorrelationSpec>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
pub(crate) fn is_zero(x: &f64) -> bool {
    *x == 0.0
}

fn steady_mixed() -> PhaseKind {
    PhaseKind::SteadyMixed
}

/// Synchronous training: all GPUs go through the same iterations, and wait for each other at their end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainingJob {
    /// Name of the job.
    pub name: String,
    /// Rack groups it runs on, filled in order. Default: all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub racks: Vec<String>,
    /// GPUs it uses. Default: every free GPU of its racks, of its tenant's share where it has a tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub gpus: Option<u32>,
    /// Tenant whose GPUs it uses. Its racks are the tenant's, or those of them that it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Share of its tenant's GPUs, without a tenant of the GPUs of its racks; instead of `gpus`. It gets whole nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1.0))]
    pub share: Option<f64>,
    /// Time of the first iteration, seconds; before it the GPUs are idle with a context. Negative: under way at the start.
    #[serde(default)]
    #[schemars(extend("x-unit" = "s"))]
    pub start_s: f64,
    /// On the first start nodes become ready one after another, evenly over this time, seconds; those that are ready wait for the last,
    /// communicating, and the first iteration begins that much after `start_s`. 0: all at once.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(range(min = 0.0), extend("x-unit" = "s"))]
    pub stagger_s: f64,
    /// Time at which the job ends, seconds. Default: the end of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "s"))]
    pub stop_s: Option<f64>,
    /// Duration of one iteration without stragglers, seconds.
    #[schemars(range(min = 0.001), extend("x-unit" = "s"))]
    pub iteration_s: f64,
    /// Share of the iteration spent computing; the rest is communication. In a pipeline it holds the bubble too.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub compute_share: f64,
    /// How the iteration divides. Default: every GPU computes, then all exchange gradients.
    #[serde(default, skip_serializing_if = "IterationShape::is_default")]
    pub shape: IterationShape,
    /// A node that is late, for which all others wait. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub straggler: Option<StragglerSpec>,
    /// Standard deviation of the iteration's duration, the same for all its GPUs, seconds.
    #[serde(default)]
    #[schemars(range(min = 0.0), extend("x-unit" = "s"))]
    pub iteration_jitter_s: f64,
    /// Standard deviation of a node's offset against the job's clock, seconds. It wears down the coherent harmonics.
    #[serde(default)]
    #[schemars(range(min = 0.0), extend("x-unit" = "s"))]
    pub node_jitter_s: f64,
    /// A checkpoint is written after every so many iterations. Default: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub checkpoint_every: Option<u32>,
    /// Duration of a checkpoint, seconds. Default: the profile's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0), extend("x-unit" = "s"))]
    pub checkpoint_s: Option<f64>,
    /// Time at which the whole job crashes, seconds; its GPUs fall to idle. Default: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "s"))]
    pub crash_at_s: Option<f64>,
    /// Mean time between crashes at random, seconds: the time to the next is exponential, from the start or the last restart. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1.0), extend("x-unit" = "s"))]
    pub mtbf_s: Option<f64>,
    /// Time from a crash to the restart (launch, load, restore, warmup, then iterations), seconds; 0: at once. Default: it stays down, after
    /// a loss of racks and their shutdown for want of cooling too; after maintenance it starts again without this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0), extend("x-unit" = "s"))]
    pub restart_after_s: Option<f64>,
    /// Time a restart spends reading the last checkpoint, seconds. Default: as long as writing one takes, if the job writes any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0), extend("x-unit" = "s"))]
    pub restore_s: Option<f64>,
    /// On a restart nodes launch one after another, evenly over this time, seconds; those that are ready wait for the last. 0: all at once.
    #[serde(default)]
    #[schemars(range(min = 0.0), extend("x-unit" = "s"))]
    pub restart_stagger_s: f64,
    /// On a restart each node launches later by a time drawn evenly from 0 to this, seconds.
    #[serde(default)]
    #[schemars(range(min = 0.0), extend("x-unit" = "s"))]
    pub restart_jitter_s: f64,
    /// A co-runner that keeps the job's GPUs busy while the job waits. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secondary_load: Option<SecondaryLoad>,
    /// How the fluctuation of its GPUs is shared. Default: the scenario's `[correlation]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<CorrelationSpec>,
}

/// How the fluctuation of the GPUs' power is shared between them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum CorrelationSpec {
    /// A named set of shares: `training_sync`, `inference_live`, `inference_traffic`, `batch_inference`, `mixed`, or source 002's
    /// `source002_training`, `source002_inference`, `source002_batch`, `source002_mixed`. All are low confidence.
    Preset {
        /// Name of the preset.
        name: String,
    },
    /// Every two GPUs of the site have the same correlation coefficient.
    Equal {
        /// Correlation coefficient C of any two GPUs, 0 to 1.
        #[schemars(range(min = 0.0, max = 1.0))]
        coefficient: f64,
    },
    /// Shares of the variance by level; two GPUs are correlated by the sum of the shares of the levels they have in common.
    Levels {
        /// The shares.
        shares: LevelShares,
    },
}

/// Shares of a GPU's variance that it has in common with others, by level. They sum to 1 at most; what is missing is the GPU's own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LevelShares {
    /// Common to the whole site.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub site: f64,
    /// Common to a row of racks.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub row: f64,
    /// Common to a rack.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub rack: f64,
    /// Common to a job.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub job: f64,
    /// Common to a node (a replica of a model that fills a node).
    #[schemars(range(min = 0.0, max = 1.0))]
    pub node: f64,
}
