//! What a run left for the views: outcome, traces, phases of the GPUs, power of each rack over time.

mod phases;
mod racks;

use std::sync::Arc;
use std::time::Duration;

use ballast_study::outcome::Outcome;

use crate::trace::TraceSet;

pub use racks::RackMapBuilder;

/// Everything that views show of a run.
#[derive(Debug, Clone)]
pub struct RunResult {
    /// Number of the job it came from.
    pub job: u64,
    /// Name of the scenario, and variant where it is one.
    pub name: String,
    /// The text it was made from.
    pub text: Arc<str>,
    /// Figures and verdicts.
    pub outcome: Arc<Outcome>,
    /// Traces of the run; empty if there are none (a result without samples).
    pub traces: Arc<TraceSet>,
    /// Traces of the fine run around the worst moment.
    pub zoom: Option<Arc<TraceSet>>,
    /// The same run without any buffer (power smoothing, secondary load, rack storage, battery); none where there is no buffer, or not yet.
    pub unbuffered: Option<Arc<TraceSet>>,
    /// Power of each rack over time; none without racks.
    pub racks: Option<Arc<RackMap>>,
    /// Phases of each GPU model in use.
    pub phases: Arc<Vec<PhaseChart>>,
    /// How long it took from the change to here.
    pub took: Duration,
    /// Whether verdicts were looked at over the ranges of weak constants yet.
    pub ranges_checked: bool,
}

/// Mean power of each rack in a bounded number of buckets.
#[derive(Debug, Clone, Default)]
pub struct RackMap {
    /// Name of each rack, and number of its row, in the order of rows.
    pub racks: Vec<(String, u32)>,
    /// Start, seconds.
    pub t0_s: f64,
    /// Length of a bucket, seconds.
    pub dt_s: f64,
    /// Mean power, W: `[bucket][rack]`.
    pub mean_w: Vec<Vec<f32>>,
    /// Smallest and largest of all.
    pub range_w: (f32, f32),
}

/// Phases of a GPU model: what the profile says.
#[derive(Debug, Clone, PartialEq)]
pub struct PhaseChart {
    /// Name of the GPU model.
    pub gpu: String,
    /// Thermal design power, W.
    pub tdp_w: f64,
    /// The phases, in their usual order.
    pub phases: Vec<PhaseBar>,
}

/// One phase of a profile.
#[derive(Debug, Clone, PartialEq)]
pub struct PhaseBar {
    /// Name.
    pub name: String,
    /// Mean power, W.
    pub mean_w: f64,
    /// Low and high end of its plausible range over workloads and parts, W; none where the profile states none.
    pub low_high_w: Option<(f64, f64)>,
    /// Standard deviation, W.
    pub spread_w: f64,
    /// Usual duration, seconds; none where the job gives it.
    pub duration_s: Option<f64>,
    /// Source with grade and confidence, in words.
    pub source: String,
}
