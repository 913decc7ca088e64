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
    let mut unseen: Vec<&str> = verdicts
        .iter()
        .filter(|v| v.unseen())
        .map(|v| v.label.as_str())
        .collect();
    unseen.dedup();
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
        Status::NotChecked => {
            let could_not = match unseen.len() {
                0 => "a limit was given that could not be checked".to_owned(),
                n => format!("{n} given and not checked: {}", unseen.join(", ")),
            };
            match (count(Status::Pass), unseen.len()) {
                (0, 0) => "no limit was given".to_owned(),
                (0, _) => format!("no limit could be checked; {could_not}"),
                (n, _) => format!("every limit that was checked holds ({n}), but {could_not}"),
            }
        }
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
