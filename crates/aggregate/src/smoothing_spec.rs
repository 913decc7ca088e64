//! What stands in a scenario file about the power smoothing of GPUs and about secondary loads.

use ballast_profile::{GpuProfile, PhaseKind};
use ballast_units::WeakDefault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Problems, number};
use crate::{RackGroup, TrainingJob};

/// Window over which the limit on short peaks holds, seconds: overshoot is allowed for about 50 ms (arXiv 2508.14318, published).
pub const DEFAULT_EDP_WINDOW_S: f64 = 0.05;
/// Window over which the thermal design power is held, seconds: about 1 s (arXiv 2508.14318, published).
pub const DEFAULT_TDP_WINDOW_S: f64 = 1.0;
/// Time after which a secondary load follows the work, seconds: the update of reliable power counters (arXiv 2508.14318). Low confidence.
pub const DEFAULT_REACTION_S: f64 = 0.1;
/// Share by which a secondary load lengthens an iteration: the upper end of "below 5 %" (arXiv 2508.14318). Low confidence.
pub const DEFAULT_OVERHEAD_SHARE: f64 = 0.05;

/// Phases in which kernels run: a GPU in any other is not active, whatever it draws.
const WORKING: [PhaseKind; 6] = [
    PhaseKind::Warmup,
    PhaseKind::SteadyPrefill,
    PhaseKind::SteadyDecode,
    PhaseKind::SteadyMixed,
    PhaseKind::TrainCompute,
    PhaseKind::TrainCommunication,
];

/// Whether kernels run in a phase. Writing or reading a checkpoint, the GPU waits for storage.
pub(crate) fn works(phase: PhaseKind) -> bool {
    WORKING.contains(&phase)
}

/// How the GPUs of a rack group smooth their own power. Each GPU does so by itself; every limit is per GPU.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GpuSmoothing {
    /// Power floor, share of the GPU's TDP, 1 at most and within what the GPU can be set to: an active GPU that draws less burns the
    /// rest. 0: none.
    #[serde(default)]
    #[schemars(range(min = 0.0))]
    pub floor_share: f64,
    /// When a GPU becomes active, the power it may draw rises at this rate from what it drew, watts per second per GPU. Default: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "W/s"))]
    pub ramp_up_w_per_s: Option<f64>,
    /// Rate at which the floor of a GPU that is no longer active falls, watts per second per GPU. Default: at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "W/s"))]
    pub ramp_down_w_per_s: Option<f64>,
    /// Time for which the floor is held after the last activity, seconds (hysteresis); then it ramps down.
    #[serde(default)]
    #[schemars(range(min = 0.0), extend("x-unit" = "s"))]
    pub stop_delay_s: f64,
    /// Limit on the power averaged over `edp_window_s`, share of TDP; the power averaged over `tdp_window_s` is then held at TDP. Default: only
    /// the instantaneous limit of the profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1.0, max = 3.0))]
    pub edp_share: Option<f64>,
    /// Time constant of the average that `edp_share` limits, seconds. Default: 0.05.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "s"))]
    pub edp_window_s: Option<f64>,
    /// Time constant of the average that is held at TDP, seconds. Default: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "s"))]
    pub tdp_window_s: Option<f64>,
    /// A GPU is active while its phase's mean power is above this share of TDP. Default: while kernels run, in every phase but
    /// `idle`, `idle_context`, `launch`, `load` and `checkpoint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub active_above_share: Option<f64>,
}

/// A co-runner of a training job that keeps its GPUs busy while the job waits: software, so it works on any GPU.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecondaryLoad {
    /// Power up to which it fills, share of the GPU's TDP.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1.0))]
    pub fill_share: f64,
    /// Time after which it follows when the job's power falls below, seconds. Default: 0.1, low confidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0), extend("x-unit" = "s"))]
    pub reaction_s: Option<f64>,
    /// Share by which it lengthens the job's iteration. Default: 0.05, low confidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub overhead_share: Option<f64>,
}

impl SecondaryLoad {
    pub(crate) fn overhead(&self) -> f64 {
        self.overhead_share.unwrap_or(DEFAULT_OVERHEAD_SHARE)
    }

    /// The defaults of low confidence that it leaves in force.
    pub(crate) fn weak_defaults(&self) -> impl Iterator<Item = WeakDefault> {
        let reaction = self.reaction_s.is_none().then_some(WeakDefault {
            key: "secondary_load.reaction_s",
            value: DEFAULT_REACTION_S,
            unit: "s",
            source: "arXiv 2508.14318: reliable counters of a GPU's power update every 100 ms; telemetry of 1 ms would be needed to follow fast swings",
        });
        let overhead = self.overhead_share.is_none().then_some(WeakDefault {
            key: "secondary_load.overhead_share",
            value: DEFAULT_OVERHEAD_SHARE,
            unit: "",
            source: "arXiv 2508.14318: a co-runner of matrix products costs less than 5 % of the job's speed; the upper end",
        });
        reaction.into_iter().chain(overhead)
    }
}

/// Problems of a group's power smoothing on its GPUs. True if there is none.
pub(crate) fn check_smoothing(
    i: usize,
    group: &RackGroup,
    gpu: &str,
    profile: &GpuProfile,
    problems: &mut Problems,
) -> bool {
    let Some(s) = &group.gpu_smoothing else {
        return true;
    };
    let before = problems.0.len();
    let at = |key: &str| format!("racks.{i}.gpu_smoothing.{key}");
    let (tdp_w, range) = (profile.tdp_w.value, profile.smoothing.as_ref());
    floor(&at("floor_share"), s.floor_share, gpu, profile, problems);
    for (key, rate) in [
        ("ramp_up_w_per_s", s.ramp_up_w_per_s),
        ("ramp_down_w_per_s", s.ramp_down_w_per_s),
    ] {
        if let Some(rate) = rate.filter(|r| !(*r > 0.0 && *r <= 1e9)) {
            problems.add(
                at(key),
                format!("the rate is {} W/s", number(rate)),
                "give a rate above 0, in watts per second for each GPU; leave the key out for no limit",
            );
        }
    }
    problems.span(&at("stop_delay_s"), s.stop_delay_s);
    let held = [
        ("ramp_down_w_per_s", s.ramp_down_w_per_s.is_some()),
        ("stop_delay_s", s.stop_delay_s > 0.0),
    ];
    for (key, given) in held {
        if given && s.floor_share == 0.0 {
            problems.add(
                at(key),
                "there is no floor that would be held or ramped down",
                format!("give floor_share, or take {key} out"),
            );
        }
    }
    if let Some(share) = s.edp_share {
        let least = range.map_or(1.0, |r| r.edp_share_min.value);
        if !(least..=3.0).contains(&share) {
            let why = range.map_or_else(
                || "below TDP there is nothing left of it".to_owned(),
                |r| r.edp_share_min.source.clone(),
            );
            problems.add(
                at("edp_share"),
                format!(
                    "the limit is {} of TDP ({} W) on GPU profile `{gpu}`",
                    number(share),
                    number(share * tdp_w)
                ),
                format!("give {least} to 3: {why}"),
            );
        }
    }
    for (key, window) in [
        ("edp_window_s", s.edp_window_s),
        ("tdp_window_s", s.tdp_window_s),
    ] {
        let Some(window_s) = window else { continue };
        if !(window_s > 0.0 && window_s <= 3600.0) {
            problems.add(
                at(key),
                format!("the window is {} s", number(window_s)),
                "give a number of seconds above 0 and up to 3600",
            );
        } else if s.edp_share.is_none() {
            problems.add(
                at(key),
                "there is no `edp_share` that it could be about",
                format!("give edp_share, or take {key} out"),
            );
        }
    }
    let windows = (
        s.edp_window_s.unwrap_or(DEFAULT_EDP_WINDOW_S),
        s.tdp_window_s.unwrap_or(DEFAULT_TDP_WINDOW_S),
    );
    if windows.0 > windows.1 {
        problems.add(
            at("edp_window_s"),
            format!(
                "short peaks are averaged over {} s, longer than the {} s over which TDP is held",
                number(windows.0),
                number(windows.1)
            ),
            "the peak's window is the shorter one: 0.05 s against 1 s",
        );
    }
    if let Some(share) = s.active_above_share.filter(|s| !(0.0..=1.0).contains(s)) {
        problems.add(
            at("active_above_share"),
            format!("the share is {}", number(share)),
            "give a share of TDP from 0 to 1",
        );
    }
    problems.0.len() == before
}

fn floor(path: &str, share: f64, gpu: &str, profile: &GpuProfile, problems: &mut Problems) {
    let tdp_w = profile.tdp_w.value;
    if !(0.0..=1.0).contains(&share) {
        let what = if share > 1.0 {
            format!(", {} W, above the TDP of {tdp_w} W", number(share * tdp_w))
        } else {
            String::new()
        };
        problems.add(
            path,
            format!("the floor is {} of TDP{what}", number(share)),
            "give a share of TDP from 0 (none) to 1",
        );
        return;
    }
    let Some(range) = profile.smoothing.as_ref().filter(|_| share > 0.0) else {
        return;
    };
    let (low, high) = (&range.floor_share_min, &range.floor_share_max);
    let wrong = if share < low.value {
        low
    } else if share > high.value {
        high
    } else {
        return;
    };
    problems.add(
        path,
        format!("the floor is {share} of TDP, and GPU profile `{gpu}` can be set from {} to {}", low.value, high.value),
        format!("stay within that range, or give the profile one of its own under gpus.{gpu}.smoothing ({})", wrong.source),
    );
}

/// Problems of a training job's secondary load.
pub(crate) fn check_secondary(path: &str, job: &TrainingJob, problems: &mut Problems) {
    let Some(load) = job.secondary_load else {
        return;
    };
    let path = format!("{path}.secondary_load");
    if !(load.fill_share > 0.0 && load.fill_share <= 1.0) {
        problems.add(
            format!("{path}.fill_share"),
            format!("it fills to {} of TDP", number(load.fill_share)),
            "give a share above 0 and up to 1: more than TDP no GPU holds",
        );
    }
    if let Some(reaction_s) = load.reaction_s {
        problems.span(&format!("{path}.reaction_s"), reaction_s);
    }
    if let Some(share) = load.overhead_share.filter(|s| !(0.0..=1.0).contains(s)) {
        problems.add(
            format!("{path}.overhead_share"),
            format!("the share is {}", number(share)),
            "give a share of the iteration from 0 to 1; 0.05 is what was published",
        );
    }
}
