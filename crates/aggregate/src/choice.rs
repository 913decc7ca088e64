//! Which of the two engines simulates a site, and why.

use crate::block::DemandBlock;
use crate::buffers::StorageReport;
use crate::bulk::BulkReport;
use crate::clamp::{ClampReport, excess};
use crate::engine::GroupEngine;
use crate::fleet::TrafficReport;
use crate::gpus::PerGpuEngine;
use crate::racks::RunStart;
use crate::site::{Hardware, Site};
use crate::smoothing_report::SmoothingReport;
use crate::spec::EngineSpec;
use crate::timeline::PhaseLevel;

/// Largest error of the mean power of a phase for which the group engine is still chosen by itself: 0.5 % of the mean.
///
/// It is below what any of the shipped profiles knows its means to, and five times what a report starts to mention.
pub const GROUP_BIAS_BOUND: f64 = 0.005;

/// An engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineKind {
    /// [`GroupEngine`].
    Group,
    /// [`PerGpuEngine`].
    PerGpu,
}

/// An engine and why it was chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineChoice {
    /// The engine.
    pub kind: EngineKind,
    /// Which engine and why, in words.
    pub text: String,
}

impl Site {
    /// The engine a scenario asks for; for [`EngineSpec::Auto`] the group engine, unless in some phase the limits of single GPUs
    /// would move the mean power by more than [`GROUP_BIAS_BOUND`].
    ///
    /// The error of the mean follows from mean, spread and clamp alone, so nothing has to be simulated to know it. It counts
    /// phases that GPUs are in at some time of the run or after it, however short. Where the correlation is high the
    /// group engine is off by less, for it bounds the average of a cohort.
    pub fn choose_engine(&self, spec: EngineSpec) -> EngineChoice {
        let worst = self.worst_bias();
        let limit = 100.0 * GROUP_BIAS_BOUND;
        let bias = match &worst {
            Some((share, phase)) => format!(
                "in {phase} the limits of single GPUs move the mean by {:.2} %",
                100.0 * share
            ),
            None => "no phase has a spread that reaches a limit".to_owned(),
        };
        let beyond = worst.is_some_and(|(share, _)| share > GROUP_BIAS_BOUND);
        let (kind, text) = match (spec, beyond) {
            (EngineSpec::Group, true) => (
                EngineKind::Group,
                format!(
                    "group engine, as asked for, although {bias}, which it leaves out; engine = \"per_gpu\" does not"
                ),
            ),
            (EngineSpec::Group, false) => (
                EngineKind::Group,
                format!("group engine, as asked for; {bias}"),
            ),
            (EngineSpec::PerGpu, _) => (
                EngineKind::PerGpu,
                format!("per-GPU engine, as asked for; {bias}"),
            ),
            (EngineSpec::Auto, true) => (
                EngineKind::PerGpu,
                format!(
                    "per-GPU engine, chosen because {bias}, more than the {limit} % up to which the group engine is taken"
                ),
            ),
            (EngineSpec::Auto, false) => (
                EngineKind::Group,
                format!(
                    "group engine, chosen because {bias}; the per-GPU engine is taken beyond {limit} %"
                ),
            ),
        };
        EngineChoice { kind, text }
    }

    /// Largest relative error of the group engine's mean in any phase in use, and the phase; none where nothing reaches a limit.
    fn worst_bias(&self) -> Option<(f64, String)> {
        let mut worst: Option<(f64, String)> = None;
        for (profile, phase) in &self.used {
            let Some(table) = self.tables.iter().find(|t| t.name == *profile) else {
                continue;
            };
            let level = table.level(*phase);
            let (_, above_w) = excess(level.stated_w, level.sigma_w, table.clamp_w);
            let (_, below_w) = excess(-level.stated_w, level.sigma_w, 0.0);
            let clipped_w = level.stated_w - above_w + below_w;
            let off_w = (level.power_w - clipped_w).abs();
            // Less than a millionth of the clamp is no power.
            let off_w = off_w + self.peak_bias_w(&table.name, level);
            let share = off_w / clipped_w.abs().max(1e-6 * table.clamp_w);
            if share > worst.as_ref().map_or(1e-6, |(s, _)| *s) {
                worst = Some((share, format!("phase {} of {profile}", phase.key())));
            }
        }
        worst
    }
}

impl Site {
    /// By how much the group engine's mean is off because it does not follow the averages of single GPUs against their limits on
    /// peaks, W at most. Below TDP it cuts what fluctuates above the short limit at once, and leaves out what the power averaged over
    /// the long window has above TDP; above TDP it takes what is below at each instant for lost.
    fn peak_bias_w(&self, profile: &str, level: &PhaseLevel) -> f64 {
        let of_profile = |h: &&Hardware| self.tables[h.table].name == profile;
        let peaks = self.hardware.iter().filter(of_profile);
        let peaks = peaks.filter_map(|h| h.smoothing.and_then(|s| s.peaks));
        let bias_w = peaks.map(|p| {
            let (mean_w, sigma_w) = (level.power_w, level.sigma_w);
            // What fluctuates across a limit, apart from the mean's own way beyond it.
            let across_w = |sigma_w: f64, limit_w: f64| {
                excess(mean_w, sigma_w, limit_w).1 - (mean_w - limit_w).max(0.0)
            };
            // Variance of a first-order process after a first-order average.
            let kept = level.tau_s / (level.tau_s + p.tdp_window_s);
            let long_w = if mean_w > p.tdp_w {
                across_w(sigma_w, p.tdp_w)
            } else {
                across_w(sigma_w * kept.sqrt(), p.tdp_w)
            };
            across_w(sigma_w, p.edp_w) + long_w
        });
        bias_w.fold(0.0, f64::max)
    }
}

/// Either engine.
#[derive(Debug, Clone)]
pub enum Engine {
    /// The group engine.
    Group(GroupEngine),
    /// The per-GPU engine.
    PerGpu(PerGpuEngine),
}

impl Engine {
    /// The engine of this kind at t = 0; the rest as in [`GroupEngine::new`].
    pub fn new(site: &Site, dt_s: f64, seed: u64, realisation: u32, kind: EngineKind) -> Self {
        Self::starting_at(site, dt_s, seed, realisation, kind, RunStart::default())
    }

    /// The same from a later sample on.
    pub fn starting_at(
        site: &Site,
        dt_s: f64,
        seed: u64,
        realisation: u32,
        kind: EngineKind,
        start: RunStart,
    ) -> Self {
        match kind {
            EngineKind::Group => Self::Group(GroupEngine::starting_at(
                site,
                dt_s,
                seed,
                realisation,
                start,
            )),
            EngineKind::PerGpu => Self::PerGpu(PerGpuEngine::starting_at(
                site,
                dt_s,
                seed,
                realisation,
                start,
            )),
        }
    }

    /// Fills the block with the next `block.len()` samples; see [`GroupEngine::fill`].
    pub fn fill(&mut self, block: &mut DemandBlock) {
        match self {
            Self::Group(engine) => engine.fill(block),
            Self::PerGpu(engine) => engine.fill(block),
        }
    }

    /// What came of each service's requests so far, by job; both engines tell the same.
    pub fn traffic_report(&self) -> Vec<TrafficReport> {
        match self {
            Self::Group(engine) => engine.traffic_report(),
            Self::PerGpu(engine) => engine.traffic_report(),
        }
    }

    /// What the storage of the racks did so far; see [`GroupEngine::storage_report`].
    pub fn storage_report(&self) -> Vec<StorageReport> {
        match self {
            Self::Group(engine) => engine.storage_report(),
            Self::PerGpu(engine) => engine.storage_report(),
        }
    }

    /// What the supplies' capacitors had to do so far; see [`GroupEngine::bulk_report`].
    pub fn bulk_report(&self) -> Vec<(usize, BulkReport)> {
        match self {
            Self::Group(engine) => engine.bulk_report(),
            Self::PerGpu(engine) => engine.bulk_report(),
        }
    }

    /// How the phases so far stand to the limits; see [`GroupEngine::clamp_report`].
    pub fn clamp_report(&self) -> Vec<ClampReport> {
        match self {
            Self::Group(engine) => engine.clamp_report(),
            Self::PerGpu(engine) => engine.clamp_report(),
        }
    }

    /// What power smoothing and secondary loads did so far, by rack group and job.
    pub fn smoothing_report(&self) -> Vec<SmoothingReport> {
        match self {
            Self::Group(engine) => engine.smoothing_report(),
            Self::PerGpu(engine) => engine.smoothing_report(),
        }
    }
}
