//! One sentence that sums a run up.

use ballast_scenario::Scenario;

use crate::indicative;
use crate::outcome::{RunPart, Status, Verdict};

/// One sentence that sums the run up.
pub(crate) fn summary(
    scenario: &Scenario,
    overall: Status,
    verdicts: &[&Verdict],
    low: usize,
) -> String {
    let count = |s: Status| verdicts.iter().filter(|v| v.status == s).count();
    let given = verdicts.iter().filter(|v| v.limit_value.is_some()).count();
    let failed: Vec<String> = verdicts
        .iter()
        .filter(|v| v.status == Status::Fail)
        .map(|v| match v.run {
            Some(RunPart::Zoom) => format!("{} (zoom)", v.label),
            Some(RunPart::SetTrip) => format!("{} (N−1)", v.label),
            Some(RunPart::LoadRejection) => format!("{} (load rejection)", v.label),
            Some(RunPart::Coarse) | None => v.label.clone(),
        })
        .collect();
    let head = match overall {
        Status::Pass => format!(
            "every limit that was checked holds ({})",
            count(Status::Pass)
        ),
        Status::Fail => format!(
            "{} of {} limits fail: {}",
            failed.len(),
            verdicts.len() - count(Status::NotChecked),
            failed.join(", ")
        ),
        Status::Inconclusive => match count(Status::Inconclusive) {
            1 => "1 limit is inconclusive".to_owned(),
            n => format!("{n} limits are inconclusive"),
        },
        Status::NotChecked => match given {
            0 => "no limit was given".to_owned(),
            n => format!("{n} limits were given and none could be checked"),
        },
    };
    let sim = &scenario.simulation;
    let plural = if sim.realisations == 1 { "" } else { "s" };
    format!(
        "{head}{}; {} realisation{plural}, {} s, seed {}; {} inputs of low confidence; {} things not checked",
        indicative::summary(verdicts),
        sim.realisations,
        sim.duration_s,
        sim.seed,
        low,
        count(Status::NotChecked)
    )
}
