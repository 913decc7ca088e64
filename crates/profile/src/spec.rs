//! The specifications as they stand in files.

use ballast_units::{Confidence, Grade, Sourced};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a GPU is doing.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum PhaseKind {
    /// No process on the GPU.
    Idle,
    /// A CUDA context or a model is resident, nothing runs.
    IdleContext,
    /// Process start, context creation.
    Launch,
    /// Weights are copied to the GPU.
    Load,
    /// First batches, graph capture.
    Warmup,
    /// Serving, prompt processing.
    SteadyPrefill,
    /// Serving, token generation.
    SteadyDecode,
    /// Serving, prefill and decode interleaved.
    SteadyMixed,
    /// Training, forward and backward pass.
    TrainCompute,
    /// Training, gradient exchange and waiting for it.
    TrainCommunication,
    /// Writing or reading a checkpoint.
    Checkpoint,
}

/// Power profile of one GPU model, metered at the GPU board or module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GpuProfile {
    /// Maker's name of the part.
    pub label: String,
    /// What a reader should know before using it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub notes: String,
    /// Thermal design power, held over about 1 s, watts.
    #[schemars(extend("x-unit" = "W", "x-min-value-exclusive" = 0.0))]
    pub tdp_w: Sourced,
    /// Peak electrical design power, held over about 50 ms, watts. Absent: the clamp is `tdp_w`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "W", "x-min-value-exclusive" = 0.0))]
    pub edpp_w: Option<Sourced>,
    /// What its own power smoothing can be set to. Absent: it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smoothing: Option<SmoothingRange>,
    /// Power of each phase the GPU can be in.
    pub phases: Phases,
}

/// What the power smoothing of a GPU can be set to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SmoothingRange {
    /// Lowest power floor but none, share of `tdp_w`.
    #[schemars(extend("x-min-value" = 0.0, "x-max-value" = 1.0))]
    pub floor_share_min: Sourced,
    /// Highest power floor, share of `tdp_w`.
    #[schemars(extend("x-min-value" = 0.0, "x-max-value" = 1.0))]
    pub floor_share_max: Sourced,
    /// Lowest limit on the power over tens of milliseconds, share of `tdp_w`.
    #[schemars(extend("x-min-value" = 1.0, "x-max-value" = 3.0))]
    pub edp_share_min: Sourced,
}

/// The phases of one GPU. A job that needs a phase which is absent is refused with its name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Phases {
    /// No process on the GPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle: Option<PhaseSpec>,
    /// A context or model is resident, nothing runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_context: Option<PhaseSpec>,
    /// Process start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launch: Option<PhaseSpec>,
    /// Weights are copied to the GPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load: Option<PhaseSpec>,
    /// First batches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup: Option<PhaseSpec>,
    /// Serving, prompt processing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steady_prefill: Option<PhaseSpec>,
    /// Serving, token generation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steady_decode: Option<PhaseSpec>,
    /// Serving, prefill and decode interleaved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steady_mixed: Option<PhaseSpec>,
    /// Training, forward and backward pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_compute: Option<PhaseSpec>,
    /// Training, gradient exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_communication: Option<PhaseSpec>,
    /// Checkpoint write or read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<PhaseSpec>,
}

/// One phase: level, spread, duration and how it is entered and left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PhaseSpec {
    /// Mean power in this phase, watts at the GPU.
    #[schemars(extend("x-unit" = "W", "x-min-value" = 0.0))]
    pub power_w: Sourced,
    /// Standard deviation of the power within the phase at 0.1 s to 1 s, watts per GPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "W", "x-min-value" = 0.0))]
    pub spread_w: Option<Sourced>,
    /// Correlation time of that spread (first-order autoregressive), seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "s", "x-min-value-exclusive" = 0.0))]
    pub correlation_time_s: Option<Sourced>,
    /// Usual duration of a passing phase (launch, load, warmup, checkpoint), seconds; absent for phases a job decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "s", "x-min-value" = 0.0))]
    pub duration_s: Option<Sourced>,
    /// How the power rises when this phase is entered from a lower level. Absent: at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rise: Option<TransitionSpec>,
    /// How the power falls when this phase is left for a lower level. Absent: at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fall: Option<TransitionSpec>,
}

/// A change of power with the time it takes and the window it was observed in.
///
/// A ramp rate without a window means nothing: 36 kW/s and 3.6 kW/s can be the same step seen over 5 ms and 50 ms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransitionSpec {
    /// Size of the observed change, watts.
    #[schemars(range(min = 0.0), extend("x-unit" = "W"))]
    pub delta_w: f64,
    /// Time the change takes from end to end, seconds; 0 is a step.
    #[schemars(range(min = 0.0), extend("x-unit" = "s"))]
    pub time_s: f64,
    /// Averaging window of the observation, seconds.
    #[schemars(range(min = 0.0), extend("x-unit" = "s"))]
    pub window_s: f64,
    /// Paper, datasheet or argument the numbers rest on.
    pub source: String,
    /// How the numbers came to be known.
    pub grade: Grade,
    /// How far they can be trusted.
    pub confidence: Confidence,
}

/// A server: its GPUs, what else it draws, its power supplies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeSpec {
    /// Maker's name of the system.
    pub label: String,
    /// What a reader should know before using it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub notes: String,
    /// GPU profile, by preset name or by its name under `[gpus]`.
    pub gpu: String,
    /// GPUs in the node.
    #[schemars(range(min = 1, max = 64))]
    pub gpus: u32,
    /// What the node draws beside its GPUs.
    pub host: HostSpec,
    /// Power supply, by preset name or by its name under `[psus]`.
    pub psu: String,
    /// Power supplies that share the load of the node (those in operation, without the redundant ones).
    #[schemars(range(min = 1, max = 64))]
    pub psu_count: u32,
}

/// Where a power figure is metered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MeteredSide {
    /// Behind the power supplies: their losses come on top.
    NodeDc,
    /// Before the power supplies: their losses are in the figure already.
    NodeAc,
}

/// Where on its way from the GPUs to the generators a power is metered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MeteringPoint {
    /// At the GPU boards or modules.
    Gpu,
    /// In the nodes, behind their supplies.
    NodeDc,
    /// At the AC input of the nodes' supplies.
    NodeAc,
    /// At the AC input of racks.
    RackAc,
    /// At the output of the UPS: racks and other IT.
    Hall,
    /// At the bus: with the rest of the site and the given loads.
    Bus,
    /// At the terminals of the generating sets.
    Terminals,
}

impl MeteringPoint {
    /// In words, as it stands beside figures and in captions: "rack AC side".
    pub const fn text(self) -> &'static str {
        match self {
            Self::Gpu => "GPU board or module",
            Self::NodeDc => "node, DC side of its supplies",
            Self::NodeAc => "node, AC side of its supplies",
            Self::RackAc => "rack, AC side",
            Self::Hall => "hall, output of the UPS",
            Self::Bus => "bus",
            Self::Terminals => "terminals of the generating sets",
        }
    }
}

impl From<MeteredSide> for MeteringPoint {
    fn from(side: MeteredSide) -> Self {
        match side {
            MeteredSide::NodeDc => Self::NodeDc,
            MeteredSide::NodeAc => Self::NodeAc,
        }
    }
}

/// Power of a node as a function of its GPUs: `fixed_w + slope · Σ P_gpu`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostSpec {
    /// Power drawn whatever the GPUs do, watts.
    #[schemars(extend("x-unit" = "W", "x-min-value" = 0.0))]
    pub fixed_w: Sourced,
    /// Node power per watt of GPU power (fans, voltage regulators, CPU share); at least 1.
    #[schemars(extend("x-min-value" = 1.0, "x-max-value" = 3.0))]
    pub slope: Sourced,
    /// Share of `slope − 1` that follows slowly: fans and processors, which go with heat and work and not with the GPUs' current.
    /// The rest (voltage regulators) follows at once. Absent: 0, all at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-min-value" = 0.0, "x-max-value" = 1.0))]
    pub slow_share: Option<Sourced>,
    /// Time constant of that share, first order, seconds. Goes with `slow_share`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "s", "x-min-value" = 0.0, "x-max-value" = 3600.0))]
    pub slow_lag_s: Option<Sourced>,
    /// Side of the power supplies on which `fixed_w` and `slope` were found.
    pub metered: MeteredSide,
}

/// A power supply: losses, lag of its AC side, hold-up energy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PsuSpec {
    /// Maker's or standard's name.
    pub label: String,
    /// What a reader should know before using it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub notes: String,
    /// Rated DC output, watts.
    #[schemars(extend("x-unit" = "W", "x-min-value-exclusive" = 0.0))]
    pub rated_w: Sourced,
    /// Loss at no load as a share of `rated_w`.
    #[schemars(extend("x-min-value" = 0.0, "x-max-value" = 0.5))]
    pub loss_fixed: Sourced,
    /// Loss proportional to load, share of the load.
    #[schemars(extend("x-min-value" = 0.0, "x-max-value" = 0.5))]
    pub loss_linear: Sourced,
    /// Loss with the square of the load: `loss = rated · (fixed + linear·x + square·x²)`, x = load / rated.
    #[schemars(extend("x-min-value" = 0.0, "x-max-value" = 0.5))]
    pub loss_square: Sourced,
    /// First-order lag of AC input behind DC output, seconds.
    #[schemars(extend("x-unit" = "s", "x-min-value" = 0.0))]
    pub lag_s: Sourced,
    /// Energy the bulk capacitor can give at full load before the output drops, joules.
    #[schemars(extend("x-unit" = "J", "x-min-value" = 0.0))]
    pub holdup_j: Sourced,
    /// Power factor of its AC side at rated load, displacement times distortion. Positive: lagging, it draws reactive power; negative:
    /// leading, it gives reactive power, as input filters do. From 0.3 to 1 either way. Absent: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-min-value" = -1.0, "x-max-value" = 1.0))]
    pub power_factor: Option<Sourced>,
    /// Power factor at 20 % of rated load and below, with the same sign rule; between, the ratio of reactive to active power runs
    /// in a straight line over load. Absent: as at rated load. Goes with `power_factor`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-min-value" = -1.0, "x-max-value" = 1.0))]
    pub power_factor_light: Option<Sourced>,
}

/// A whole rack: its nodes, and what else stands in it.
///
/// Its file is what `preset` of a rack group names; the group takes from it what it does not say itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RackSpec {
    /// Maker's name of the system.
    pub label: String,
    /// What a reader should know before using it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub notes: String,
    /// Rated power of the rack as published or commonly provisioned, kilowatts at its AC side; for comparison, nothing is computed from it.
    #[schemars(extend("x-unit" = "kW", "x-min-value-exclusive" = 0.0))]
    pub rated_kw: Sourced,
    /// Node in the rack, by preset name.
    pub node: String,
    /// Nodes in the rack.
    #[schemars(range(min = 1, max = 1000))]
    pub nodes_per_rack: u32,
    /// Constant power of what stands beside the nodes (switch trays, management), kilowatts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "kW", "x-min-value" = 0.0))]
    pub other_kw: Option<Sourced>,
    /// Side of the rack's power supplies on which `other_kw` is metered. Default: `node_ac`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_metered: Option<MeteredSide>,
}
