//! From a recording to phases: GPUs that move together, stretches between changes, what each of them is.

use serde::Serialize;

use crate::Recording;
use crate::segment_grid::{Source, shared_grid};
use crate::segment_group::group;
use crate::segment_signal::{SegmentError, Signal};

/// What a stretch of a recording is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// No process on the GPU.
    Idle,
    /// A context or model is resident, nothing runs.
    IdleContext,
    /// Process start.
    Launch,
    /// Weights are copied.
    Load,
    /// First batches.
    Warmup,
    /// Work at one level.
    Steady,
    /// Serving, prompt processing: the higher of two levels.
    SteadyPrefill,
    /// Serving, token generation: the lower and longer of two levels.
    SteadyDecode,
    /// Work that repeats with a period.
    Training,
    /// A pause of repeated work with the memory kept.
    Checkpoint,
    /// From work to idle.
    Stop,
    /// Nothing tells what it is.
    Unknown,
}

impl Label {
    /// In words, as tables and figures show it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::IdleContext => "idle with context",
            Self::Launch => "launch",
            Self::Load => "load",
            Self::Warmup => "warmup",
            Self::Steady => "steady",
            Self::SteadyPrefill => "prefill",
            Self::SteadyDecode => "decode",
            Self::Training => "training",
            Self::Checkpoint => "checkpoint",
            Self::Stop => "stop",
            Self::Unknown => "unknown",
        }
    }
}

/// A load that repeats.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cycle {
    /// Period, seconds.
    pub period_s: f64,
    /// Standard deviation of single periods, seconds; 0 where it is below what the samples show.
    pub jitter_s: f64,
    /// Share of the period at the high level.
    pub duty: f64,
    /// High level, watts per GPU.
    pub high_w: f64,
    /// Low level, watts per GPU.
    pub low_w: f64,
    /// Spread around the high level, watts.
    pub high_spread_w: f64,
    /// Spread around the low level, watts.
    pub low_spread_w: f64,
    /// Time of the first rise through the middle of the levels, seconds.
    pub first_rise_s: f64,
    /// Periods in the phase.
    pub count: f64,
    /// Where the period is about the sensor's own: after how long the two are in step again, seconds. What the log shows is that, and the
    /// cycle is what was found behind it.
    pub beat_s: Option<f64>,
}

/// A change of level as it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Change {
    /// From the level before to this one, watts.
    pub delta_w: f64,
    /// Time from 10 to 90 % of it, divided by 0.8: from end to end, seconds.
    pub time_s: f64,
    /// Window through which it was seen, seconds: nothing shorter shows.
    pub window_s: f64,
    /// Whether the change is as short as the window, so that its time is an upper bound.
    pub unresolved: bool,
}

/// A phase of a group of GPUs that move together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Phase {
    /// What it is.
    pub label: Label,
    /// Begin, seconds on the recording's clock.
    pub from_s: f64,
    /// End, seconds.
    pub to_s: f64,
    /// Mean power, watts per GPU.
    pub level_w: f64,
    /// 5th percentile of the samples, watts.
    pub low_w: f64,
    /// 95th percentile of the samples, watts.
    pub high_w: f64,
    /// Standard deviation of one GPU around the level, or around the levels of a cycle, watts.
    pub spread_w: f64,
    /// Time after which that spread is forgotten (autocorrelation 1/e), seconds.
    pub correlation_time_s: Option<f64>,
    /// The cycle of a load that repeats.
    pub cycle: Option<Cycle>,
    /// How it was entered.
    pub entered: Option<Change>,
    /// Mean utilisation, 0 to 1.
    pub utilisation: Option<f64>,
    /// Mean memory in use, bytes per GPU.
    pub memory_bytes: Option<f64>,
    /// What told its label.
    pub why: String,
}

impl Phase {
    /// Duration, seconds.
    pub fn duration_s(&self) -> f64 {
        self.to_s - self.from_s
    }
}

/// GPUs that move together, with their phases.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Places of the GPUs in the recording.
    pub gpus: Vec<usize>,
    /// Mean power of its GPUs on the grid, watts.
    pub mean: Signal,
    /// Power of each of its GPUs on the same grid, watts.
    pub each: Vec<Signal>,
    /// Phases in order of time, without gaps.
    pub phases: Vec<Phase>,
    /// Stretches without samples: begin and end, seconds.
    pub gaps: Vec<(f64, f64)>,
    /// Which reading the power is.
    pub reading: &'static str,
    /// Window of the sensor, seconds, where it is known: times are moved back by half of it.
    pub window_s: Option<f64>,
}

/// Correlation above which two GPUs move together, power against power over the whole recording.
const TOGETHER: f64 = 0.6;

/// Segments a recording.
///
/// # Errors
/// When a GPU has too few samples, its times fall, or nothing tells the phases of a constant power.
pub fn segment(recording: &Recording) -> Result<Vec<Group>, SegmentError> {
    let sources: Vec<Source> = recording
        .gpus
        .iter()
        .map(Source::of)
        .collect::<Result<_, _>>()?;
    if sources.is_empty() {
        return Err(SegmentError::NoGpu);
    }
    let signals = shared_grid(&sources)?;
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for g in 0..signals.len() {
        let with = groups
            .iter_mut()
            .find(|group| together(&signals[group[0]], &signals[g]));
        match with {
            Some(group) => group.push(g),
            None => groups.push(vec![g]),
        }
    }
    groups
        .into_iter()
        .map(|gpus| {
            let each: Vec<Signal> = gpus.iter().map(|g| signals[*g].clone()).collect();
            let first = &sources[gpus[0]];
            let (reading, window_s) = (first.reading, first.window_s);
            group(recording, gpus, each, (reading, window_s))
        })
        .collect()
}

/// Whether two GPUs move together: correlated, or both still at the same level.
fn together(a: &Signal, b: &Signal) -> bool {
    let (mean_a, sd_a) = a.moments(0, a.value.len());
    let (mean_b, sd_b) = b.moments(0, b.value.len());
    if sd_a < 0.03 * mean_a && sd_b < 0.03 * mean_b {
        return (mean_a - mean_b).abs() < 0.15 * mean_a.max(mean_b);
    }
    crate::correlate::pearson(&a.value, &b.value).is_some_and(|r| r > TOGETHER)
}
