//! What stands in a scenario file about the shape of a training iteration and its stragglers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use ballast_units::WeakDefault;

use crate::{SecondaryLoad, TrainingJob};

/// Share of a micro-batch's time that its forward pass takes, where a job states none: the backward pass takes twice as long.
///
/// Narayanan et al., "Efficient Large-Scale Language Model Training on GPU Clusters Using Megatron-LM" (arXiv 2104.04473),
/// assume it in their timelines: twice the matrix products. Recomputing activations makes it nearer 1/4. Low confidence.
pub const DEFAULT_FORWARD_SHARE: f64 = 1.0 / 3.0;

/// How an iteration divides between computing and communicating.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum IterationShape {
    /// Every GPU computes, then all exchange gradients.
    DataParallel {
        /// Share of the communication that runs during the backward pass, 0 to 1. There both levels of power mix by their times, so the
        /// mean power and the duration of the iteration stay; only what is left is communication alone.
        #[serde(default)]
        #[schemars(range(min = 0.0, max = 1.0))]
        overlap_share: f64,
    },
    /// The model's layers lie on stages one after another; micro-batches run through them, then all exchange gradients together.
    Pipeline {
        /// Stages of a pipeline. The GPUs of a stage follow each other in the order in which the job fills its racks.
        #[schemars(range(min = 1, max = 128))]
        stages: u32,
        /// Micro-batches in an iteration. Of its computing time each stage waits the share (stages − 1)/(microbatches + stages − 1).
        #[schemars(range(min = 1, max = 4096))]
        microbatches: u32,
        /// Pipelines one after another in the job's racks. With 1, the replicas of a stage lie side by side.
        #[serde(default = "one")]
        #[schemars(range(min = 1, max = 1_000_000))]
        replicas: u32,
        /// Order of forward and backward passes.
        #[serde(default)]
        schedule: PipelineSchedule,
        /// Share of a micro-batch's time that its forward pass takes. Default: 1/3.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(extend("exclusiveMinimum" = 0.0, "exclusiveMaximum" = 1.0))]
        forward_share: Option<f64>,
    },
}

fn one() -> u32 {
    1
}

impl Default for IterationShape {
    fn default() -> Self {
        Self::DataParallel { overlap_share: 0.0 }
    }
}

impl IterationShape {
    /// Whether it is the one that stands for a job without a shape.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Stages of a pipeline and pipelines of the job; 1 and 1 without.
    pub(crate) fn stages(&self) -> (u32, u32) {
        match self {
            Self::DataParallel { .. } => (1, 1),
            Self::Pipeline {
                stages, replicas, ..
            } => (*stages, *replicas),
        }
    }
}

/// Order of the passes in a pipeline. Both have the same bubble; they wait at different times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PipelineSchedule {
    /// A few forward passes, then forward and backward in turn (1F1B with flush: Narayanan et al., arXiv 2006.09503 and 2104.04473).
    #[default]
    OneForwardOneBackward,
    /// All forward passes, then all backward passes (Huang et al., `GPipe`, arXiv 1811.06965).
    Gpipe,
}

/// A node that is late: all others wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StragglerSpec {
    /// How much longer the node computes, seconds. The iteration lengthens by it for all.
    #[schemars(range(min = 0.0), extend("x-unit" = "s"))]
    pub delay_s: f64,
    /// Probability that an iteration has a straggler.
    #[serde(default = "always")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub probability: f64,
    /// Number of the node that is always the late one, from 1 on in the order in which the job fills its racks. Default: drawn
    /// anew for every iteration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub node: Option<u32>,
}

fn always() -> f64 {
    1.0
}

impl TrainingJob {
    /// Whether the job ever starts again after it went down.
    pub(crate) fn restarts(&self) -> bool {
        self.restart_after_s.is_some() && (self.crash_at_s.is_some() || self.mtbf_s.is_some())
    }

    /// Duration of one iteration without stragglers as it runs, seconds: longer by what a secondary load costs.
    pub fn lasting_s(&self) -> f64 {
        let overhead = self.secondary_load.map_or(0.0, |s| s.overhead());
        self.iteration_s * (1.0 + overhead)
    }

    /// The defaults of low confidence that this job leaves in force.
    pub fn weak_defaults(&self) -> Vec<WeakDefault> {
        let mut found = Vec::new();
        found.extend(
            self.secondary_load
                .iter()
                .flat_map(SecondaryLoad::weak_defaults),
        );
        if let IterationShape::Pipeline {
            forward_share: None,
            ..
        } = self.shape
        {
            found.push(WeakDefault {
                key: "shape.forward_share",
                value: DEFAULT_FORWARD_SHARE,
                unit: "",
                source: "assumed in the timelines of Narayanan et al., arXiv 2104.04473: the backward pass takes twice the forward pass; \
                         recomputation makes it nearer three times",
            });
        }
        let restore = self.checkpoint_every.and(self.checkpoint_s);
        if let Some(value) = restore.filter(|_| self.restarts() && self.restore_s.is_none()) {
            found.push(WeakDefault {
                key: "restore_s",
                value,
                unit: "s",
                source: "estimate: reading a checkpoint takes as long as writing one; no published measurement found",
            });
        }
        found
    }
}
