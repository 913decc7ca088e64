//! Power smoothing of the GPUs in a result: what it did, in figures and words.

use ballast_aggregate::{Site, SmoothingReport};
use ballast_profile::MeteringPoint;
use ballast_scenario::Scenario;
use serde::Serialize;

use crate::merge::Merged;
use crate::outcome::Diagnostic;

/// What power smoothing and the secondary load did to the GPUs of one job in one rack group.
#[derive(Debug, Clone, Serialize)]
pub struct GpuSmoothingKpis {
    /// Where its energies are metered.
    pub metered: String,
    /// Realisation (from 1) they are of.
    pub realisation: u32,
    /// Energies, and shares of the GPUs' time.
    #[serde(flatten)]
    pub report: SmoothingReport,
}

/// Of the first realisation; empty where nothing smooths.
pub(crate) fn kpis(merged: &Merged) -> Vec<GpuSmoothingKpis> {
    let realisation = merged.each.first().map_or(1, |e| e.realisation);
    let reports = merged.smoothing.iter().map(|report| GpuSmoothingKpis {
        metered: MeteringPoint::Gpu.text().to_owned(),
        realisation,
        report: report.clone(),
    });
    reports.collect()
}

/// What was found before the run.
pub(crate) fn diagnostics(site: &Site) -> impl Iterator<Item = Diagnostic> {
    site.smoothing_notes().iter().map(|n| Diagnostic {
        code: n.code.to_owned(),
        text: n.text.clone(),
    })
}

/// What the model of it assumes.
pub(crate) fn assumptions(scenario: &Scenario) -> Vec<String> {
    let mut list = Vec::new();
    if scenario.racks.iter().any(|r| r.gpu_smoothing.is_some()) {
        list.push("power smoothing of GPUs: the phase decides whether a GPU is active; between floor and cap its power is free, at any rate of change; a GPU active at the first sample was so before. Power that a ramp or a limit on peaks holds back is counted, and the job's times stay as they are: really its work takes that much longer".to_owned());
    }
    let secondary = scenario.jobs.iter().filter_map(|j| match j {
        ballast_aggregate::JobSpec::Training(t) => t.secondary_load.map(|s| (t, s)),
        _ => None,
    });
    for (job, load) in secondary {
        list.push(format!(
            "the secondary load of job `{}` fills to {} of TDP while the job waits or writes a checkpoint, leaves at once when it computes, and makes an iteration {:.3} s instead of {} s",
            job.name,
            load.fill_share,
            job.lasting_s(),
            job.iteration_s
        ));
    }
    list
}
