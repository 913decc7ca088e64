//! INDICATIVE in words.

use std::fmt::Write as _;

use ballast_scenario::Scenario;

use super::Plan;
use super::follow::LEAD_IN_S;
use super::judge::Case;
use super::outcome::{Indicative, Ranges};
use super::recorder::{SETTLE_S, around_s};
use crate::outcome::{Status, Verdict};

/// What is said where nothing can be varied.
const NONE_STATED: &str = "its weak constants have no stated ranges";

/// A figure with five significant digits at most.
fn figure(x: f64) -> String {
    if x == 0.0 || !x.is_finite() || !(1e-6..1e9).contains(&x.abs()) {
        return format!("{x}");
    }
    let digits = (4 - x.abs().log10().floor() as i32).clamp(0, 9) as usize;
    let text = format!("{x:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// How a verdict comes out over the ranges: "worst 57.9 Hz at `all worst, gain low`, FAIL there; holds at 12 of 14 corners, fails at 2".
pub(super) fn text(found: &Indicative, case: &Case<'_>) -> String {
    match found.ranges {
        Ranges::Off => {
            return "worst over the ranges not computed (outputs.range_corners = \"off\")"
                .to_owned();
        }
        Ranges::RunAlone => {
            return "worst over the ranges not computed for a failure in so much work (outputs.range_corners = \"full\" does)"
                .to_owned();
        }
        Ranges::NoneStated => return NONE_STATED.to_owned(),
        Ranges::WholeRun | Ranges::WorstMoments | Ranges::Stretch => {}
    }
    let n = found.corners;
    let corner = found
        .worst_corner
        .as_ref()
        .map_or_else(|| "the stated values".to_owned(), |c| format!("`{c}`"));
    let mut parts = Vec::new();
    if let Some(value) = found.worst_value {
        let status = match found.worst_status {
            Some(Status::Fail) if case.limit.is_some() && !beyond(case, value) => "",
            Some(Status::Fail) => ", FAIL there",
            Some(Status::Pass) => ", PASS there",
            _ => "",
        };
        parts.push(format!(
            "worst {} {} at {corner}{status}",
            figure(value),
            case.unit
        ));
    }
    if let (Some(lost), Some(name)) = (&found.lost, &found.lost_corner) {
        parts.push(format!("at `{name}` {lost}"));
    }
    let around = match found.ranges {
        Ranges::WorstMoments => " around the worst moments",
        Ranges::Stretch => " around the failure",
        _ => "",
    };
    let mut count = vec![format!(
        "holds at {} of {n} corners{around}",
        found.holds_in
    )];
    if found.fails_in > 0 {
        count.push(format!("fails at {}", found.fails_in));
    }
    if let Some(why) = &found.unknown {
        count.push(format!("not known at {} ({why})", found.unknown_in));
    }
    parts.push(count.join(", "));
    parts.join("; ")
}

fn beyond(case: &Case<'_>, value: f64) -> bool {
    case.limit.is_some_and(|limit| {
        if case.upper {
            value > limit
        } else {
            value < limit
        }
    })
}

/// What was varied, and what that does not say.
pub(crate) fn assumptions(plan: &Plan, scenario: &Scenario) -> Vec<String> {
    if plan.weak.is_empty() {
        return Vec::new();
    }
    let n = plan.weak.len();
    let head = format!(
        "INDICATIVE: verdicts on bus and sets rest on {n} constants of the sets that are estimated, recalled or of low confidence"
    );
    let how = match plan.ranges {
        Ranges::Off => {
            "the worst over their ranges was not computed (outputs.range_corners = \"off\")"
                .to_owned()
        }
        Ranges::RunAlone => "the worst over their ranges was not computed".to_owned(),
        Ranges::NoneStated => NONE_STATED.to_owned(),
        Ranges::WholeRun | Ranges::WorstMoments | Ranges::Stretch => {
            let followed = if plan.ranges == Ranges::WholeRun {
                "under the same load over every realisation".to_owned()
            } else {
                let (settle_s, before_s, after_s) = around_s(scenario);
                format!(
                    "under the same load around the worst moment of each figure with a limit alone: {settle_s} s from the load of the start to settle at that there, then from {before_s} s before to {after_s} s after it; a corner whose worst comes at another time is not seen there (outputs.range_corners = \"full\" follows all over the whole run)"
                )
            };
            let varied = plan.weak.iter().filter(|w| w.varied).count();
            let mut left_out = plan
                .left_out
                .as_ref()
                .map_or_else(String::new, |why| format!("; {why}"));
            let still: Vec<&str> = plan
                .weak
                .iter()
                .filter(|w| w.low.is_some() && !w.varied)
                .map(|w| w.path.as_str())
                .collect();
            if !still.is_empty() {
                let _ = write!(
                    left_out,
                    "; not varied for all their range: {}",
                    still.join(", ")
                );
            }
            format!(
                "the {varied} with a range were put at both of its ends one at a time, sets with the same estimate together, and all at their worse ends together; gains that are weak follow inertia and dead time; {} plants {followed}{left_out}. The worst of them is no bound on what lies between or beyond and says nothing of how probable it is",
                plan.corners.len()
            )
        }
    };
    vec![format!("{head}; {how}")]
}

/// How a failure strikes the corners; nothing where none is looked at.
pub(crate) fn of_failure(plan: &Plan) -> Option<String> {
    let how = match plan.ranges {
        Ranges::WholeRun => "from the start of the run on".to_owned(),
        Ranges::Stretch => format!(
            "after {} s that lead them from the load of the run's start to the stretch and let them settle at that there",
            LEAD_IN_S + SETTLE_S
        ),
        _ => return None,
    };
    Some(format!(
        "INDICATIVE: the plants at the corners are struck too, {how}, at every moment that is tried; what holds at a corner holds at all of these"
    ))
}

/// How many verdicts are indicative: "7 of 9 verdicts INDICATIVE, 2 of them decided otherwise at a corner of the ranges". Empty if none is.
pub(crate) fn summary(verdicts: &[&Verdict]) -> String {
    let decided = verdicts
        .iter()
        .filter(|v| v.status != Status::NotChecked)
        .count();
    let marks: Vec<_> = verdicts
        .iter()
        .filter_map(|v| v.indicative.as_ref())
        .collect();
    if marks.is_empty() {
        return String::new();
    }
    let flips = marks.iter().filter(|i| i.all_agree == Some(false)).count();
    let otherwise = match flips {
        0 => String::new(),
        n => format!(", {n} of them otherwise at a corner of the ranges"),
    };
    format!(
        "; {} of {decided} verdicts INDICATIVE{otherwise}",
        marks.len()
    )
}
