//! Jobs and the correlated sum over GPUs: node, rack, row, site.
//!
//! A [`Site`] is built from rack groups, jobs and the specifications they name; building it finds every problem at once. An
//! [`Engine`] made from a site gives, block by block, the AC power of every rack and of the site ([`DemandBlock`]). There are two: the
//! [`GroupEngine`] draws sums over GPUs, the [`PerGpuEngine`] every GPU; [`Site::choose_engine`] says which one is due.
//! Sample k is the power at the instant t = k·dt; between samples it is taken to run in a straight line.
//!
//! # The model
//!
//! The unit of computation is the *cohort*: GPUs of one job in one rack that move together, a node or, where a rack has more than
//! 8 nodes of the job, a few nodes. A cohort has
//!
//! - a *course*: the phases it enters, with its own offset. A batch job's nodes start one after another over `stagger_s`, each
//!   shifted by a normal `start_jitter_s`. A training job's cohorts follow one clock (iterations with common jitter, stragglers, checkpoints)
//!   and are each shifted by a normal `node_jitter_s`; in a pipeline each has the iteration of its stage. An interruption and the end of a
//!   training job strike all at once. Where the step is too long for an iteration, its mean level takes its place. From phase to
//!   phase the mean and the spread move in a straight line over the profile's rise or fall time;
//! - a *fluctuation*: `σ(phase) · (Σ √share · Z_level + own)` per GPU, with unit-variance Ornstein–Uhlenbeck factors `Z` for the site, each row, rack
//!   and job. In the group engine all node and GPU terms of a job in a rack are one such process of variance
//!   `Σ_c σ_c² (Σ g² · share_node + n_c · share_own)` over its cohorts (g GPUs on each of their nodes, n_c in all), because independent AR(1) terms
//!   with one coefficient add up to one. The sum over N GPUs with a common coefficient C has exactly `σ² N (1 + (N − 1) C)` ([`sum_sigma_w`]).
//!
//! An inference job's cohorts have no course of phases: each of its replicas is a queue (`replica`), fed by the job's requests
//! (`traffic`) through its router (`fleet`). A GPU's mean power lies between idle with a context, decode and prefill, by the shares of the
//! step before the sample that its replica spent in each, and in decode by the sequences that run; the spread goes the same way.
//! The profile's rise and fall times do not act on it. Replicas are independent given the rate of requests.
//!
//! A process of its own uses the correlation time of the phase its cohorts are in; where they are in different ones, the mean of their
//! autoregressive coefficients weighted with their variances, which is the exact correlation at one step's distance (beyond it,
//! the true one falls from there like a sum of exponentials, and this one like a single one). While cohorts change, the variance is
//! exact at every instant, and the covariance of two instants is `√(V₁V₂) a`, never below the true `Σ σ_c1 σ_c2 a`
//! (Cauchy and Schwarz). The factor of a rack in which one job alone loads on it goes into that job's process likewise. A shared factor has one time: a job's is that of its
//! steady phase (computing, for training), and the site's, a row's and a rack's is the median over the jobs on it.
//! A spread without a stated time uses [`DEFAULT_CORRELATION_TIME_S`]. GPUs without a job fluctuate independently.
//!
//! From cohort to rack: GPUs → node (host power, once per node, whatever number of jobs share it; a share of it follows slowly,
//! with one lag per rack) → constant power beside the nodes → losses of the supplies at the node's load, unless the
//! node was metered at its AC side → lag of the AC side, first order, exact for an input that runs straight from sample to sample. A run
//! begins with the lag settled. The lag draws on the supplies' bulk capacitors (`bulk`), and storage in the rack smooths what is left (`buffers`).
//!
//! The group engine takes the losses of a rack at the mean of its nodes, plus the curvature of the loss times the nodes' variance around that mean: exact
//! for what the courses do, in the mean for the nodes' own noise. Left out is their product, noise of one job times the difference of two jobs' levels.
//!
//! From the racks to the bus: a [`Facility`] adds other IT, losses of UPS and transformer, and cooling that lags behind the heat.
//!
//! GPUs may smooth their power (`smoothing`): each is held between a floor and a cap that follow from its phase, and within limits on
//! averages of its power. The per-GPU engine does so one by one (`tile_held`), the group engine by what that does to sums (`bend`).
//!
//! Events of the site act on this in three places. A rack without power has its samples set to zero once its engine has made them, so
//! that nothing else changes for want of a draw. Jobs on racks that are out follow another course: training stops as a whole, batch nodes
//! launch again, the router passes replicas by. [`Transfers`] and the trips of the cooling act on the way from the racks to the bus.
//!
//! # Limits
//!
//! - Cohorts of several nodes share one offset, so what jitter leaves of the harmonics is right in the mean, while its scatter is
//!   that of cohorts and not of nodes.
//! - In the group engine single GPUs are not clipped at their limit; the average over a job's GPUs in a rack is. [`ClampReport`] tells what clipping would
//!   change. The per-GPU engine clips them; it follows the same courses, so GPUs of a cohort change phase together there too.
//! - Both engines see the same requests, and give each GPU of a cohort the mean of the cohort's replicas. Where a cohort holds several
//!   replicas, one in prefill and one at rest are both in between, so the per-GPU engine may clip less than it should.
//! - The fluctuation is Gaussian. A batch job that serves has it the same in every node; real serving load follows arrivals, as an inference job's does.
//!
//! # Same bytes
//!
//! Each element draws from streams of its own, keyed by its name. Racks are summed from the first to the last within tiles of 16
//! of one group, tiles within the group and groups likewise. Sums of what cohorts do are of numbers rounded to a grid on which they are exact (`follow`). So the
//! result does not depend on the number of threads, on the length of blocks or on the width of vector instructions, and adding a rack group does not change the racks that were there, as
//! long as it changes neither the GPUs of their jobs nor the jobs' stagger nor the correlation times shared with them.
//!
//! # Where to look
//!
//! `spec` what stands in a file; `check`, `needs` what is wrong with it; `tenants` shares to numbers of GPUs (`check_tenants` what is wrong with them), `placement` jobs to GPUs,
//! `place` GPUs to cohorts; `site` and `resolve` the resolved site; `timeline`,
//! `batch`, `training` what a cohort does when (`iteration`, `training_plan` what its job has in common), `interruption` when a
//! training job is down; `traffic`, `request_log`, `replay`, `fleet`, `replica`, `serving` requests and what they make replicas and
//! their cohorts do; `racks`, `rack` what both engines share; `host` slow hosts and what stands beside the nodes; `buffers`, `bulk` what
//! buffers a rack's power behind its supplies; `engine`, `follow`,
//! `sums` the group engine; `gpus`, `tile` the per-GPU engine; `smoothing`, `smoothing_spec`, `smoothing_notes`, `smoothing_report` power
//! smoothing in both, `shaped`, `bend`, `layer_bends` in the group engine, `tile_held` in the per-GPU engine; `choice`
//! which of them; `facility` the rest of the site; `event_spec`, `check_events`, `event_plan` events of the site, `presence`, `job_outage`,
//! `facility_trip`, `transfer` what they do to racks, jobs, cooling and bus; `correlation`, `clamp`, `source002` the statistics.

mod batch;
mod batch_spec;
mod bend;
mod block;
mod buffers;
mod bulk;
mod check;
mod check_events;
mod check_inference;
mod check_tenants;
mod choice;
mod clamp;
mod correlation;
mod edge_bias;
mod engine;
mod event_plan;
mod event_spec;
mod event_steps;
mod events;
mod facility;
mod facility_check;
mod facility_spec;
mod facility_trip;
mod fleet;
mod follow;
mod gpus;
mod host;
mod inference_spec;
mod interruption;
mod iteration;
mod job_outage;
mod keys;
mod layer_bends;
mod needs;
mod place;
mod placement;
mod presence;
mod rack;
mod racks;
mod replay;
mod replica;
mod request_log;
mod resolve;
mod serving;
mod shaped;
mod site;
mod smoothing;
mod smoothing_notes;
mod smoothing_report;
mod smoothing_spec;
mod source002;
mod spec;
mod sums;
mod tenant_spec;
mod tenants;
mod tile;
mod tile_held;
mod timeline;
mod traffic;
mod training;
mod training_plan;
mod training_spec;
mod transfer;

pub use batch_spec::BatchRun;
pub use block::DemandBlock;
pub use buffers::StorageReport;
pub use bulk::{BULK_RECOVERY_S, BulkReport};
pub use choice::{Engine, EngineChoice, EngineKind, GROUP_BIAS_BOUND};
pub use clamp::ClampReport;
pub use correlation::{CorrelationPreset, JobCorrelation, correlation_presets};
pub use edge_bias::EdgesBetweenSamples;
pub use engine::GroupEngine;
pub use event_spec::{
    CoolingTrip, DEFAULT_BOOT_S, DEFAULT_DRAIN_S, DEFAULT_REBOUND_SHARE,
    DEFAULT_RECHARGE_EFFICIENCY, DEFAULT_RECHARGE_SHARE, DEFAULT_SHUTDOWN_S, DEFAULT_TIMEOUT_S,
    DEFAULT_WALK_IN_S, Maintenance, RackLoss, SiteEventSpec, SwitchLoss, Transfer,
    TransferDirection,
};
pub use event_steps::ShortStretch;
pub use events::PlannedEvent;
pub use facility::{Facility, FacilityReport};
pub use facility_spec::{
    CoolingSpec, DEFAULT_MANAGEMENT_SHARE, DEFAULT_NETWORK_SHARE, DEFAULT_STORAGE_SHARE,
    FacilityPowerFactor, FacilitySpec, LossSpec, OtherItSpec, StageSpec,
};
pub use fleet::TrafficReport;
pub use gpus::PerGpuEngine;
pub use inference_spec::{
    ArrivalSpec, DEFAULT_COPY_SPREAD_S, DEFAULT_DECODE_FIRST_SHARE, DEFAULT_DECODE_FULL_SEQUENCES,
    DEFAULT_DECODE_STEP_PER_SEQUENCE_S, DEFAULT_DECODE_STEP_S, DEFAULT_PREFILL_TOKENS_PER_S,
    HourFactor, InferenceJob, RouterSpec, TokenSpec,
};
pub use racks::RunStart;
pub use request_log::{RatePoint, Request, RequestLog, RequestLogError};
pub use site::{GroupInfo, Site, SiteInput, SiteProblem};
pub use smoothing_notes::SmoothingNote;
pub use smoothing_report::SmoothingReport;
pub use smoothing_spec::{
    DEFAULT_EDP_WINDOW_S, DEFAULT_OVERHEAD_SHARE, DEFAULT_REACTION_S, DEFAULT_TDP_WINDOW_S,
    GpuSmoothing, SecondaryLoad,
};
pub use source002::{Source002Comparison, source002_aggregate, sum_sigma_w};
pub use spec::{
    BatchJob, CorrelationSpec, EngineSpec, JobSpec, LevelShares, RackGroup, TrainingJob,
};
pub use tenant_spec::TenantSpec;
pub use tenants::{JobGpus, TenantGpus};
pub use tile::Simd;
pub use timeline::DEFAULT_CORRELATION_TIME_S;
pub use training::CoarseTraining;
pub use training_spec::{DEFAULT_FORWARD_SHARE, IterationShape, PipelineSchedule, StragglerSpec};
pub use transfer::{TransferReport, Transfers};
