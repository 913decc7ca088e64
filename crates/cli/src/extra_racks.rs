//! How many more racks fit under the unchanged limit on the site's power, by runs with so many racks.

use ballast_scenario::{Patch, Problem};
use ballast_study::compare::ExtraRacks;
use ballast_study::outcome::{Outcome, Status};
use ballast_study::{Ready, StudyError, run_many};

use crate::args::{CompareArgs, ScenarioArgs};
use crate::compare::job;
use crate::load;
use crate::members::Member;
use crate::progress::Progress;

/// Most runs for one member.
const MOST_RUNS: u32 = 12;

/// Why the racks could not be counted.
pub(crate) enum Failed {
    /// The scenario with more racks has problems.
    Loading(Vec<Problem>),
    /// It gave no outcome.
    Running(String, Box<Ready>, StudyError),
}

/// The racks of every member, by doubling and halving; none where there are no racks or no limit was checked.
///
/// # Errors
/// The first problem met.
pub(crate) fn by_runs(
    args: &CompareArgs,
    members: &[Member],
    outcomes: &[Outcome],
) -> Result<Vec<Option<ExtraRacks>>, Failed> {
    let pairs = members.iter().zip(outcomes);
    pairs
        .map(|(member, outcome)| of_member(args, member, outcome))
        .collect()
}

fn of_member(
    args: &CompareArgs,
    member: &Member,
    outcome: &Outcome,
) -> Result<Option<ExtraRacks>, Failed> {
    let limits = &outcome.scenario.limits;
    let group = ExtraRacks::group_of(outcome).filter(|_| limits.site_peak_kw.is_some());
    let Some((group, at, count)) = group else {
        return Ok(None);
    };
    let holds = ExtraRacks::holds(outcome);
    let (mut fits, mut overall, mut runs) = (0_u32, outcome.overall, 0);
    // The least number that does not fit; none yet.
    let mut breaks = (!holds).then_some(0);
    while breaks != Some(0) && breaks.is_none_or(|b| b - fits > 1) && runs < MOST_RUNS {
        let next = match breaks {
            Some(breaks) => fits.midpoint(breaks),
            None => (2 * fits).max(count.div_ceil(16)).max(1),
        };
        let more = Patch {
            path: format!("racks.{at}.count"),
            value: count.saturating_add(next).to_string(),
        };
        let (held, status) = with_racks(args, member, more, next)?;
        runs += 1;
        if held {
            (fits, overall) = (next, status);
        } else {
            breaks = Some(next);
        }
    }
    let basis = if holds {
        format!("{runs} runs with more racks of {group}")
    } else {
        "the limit does not hold as it is".to_owned()
    };
    Ok(Some(ExtraRacks {
        group,
        racks: fits,
        estimate: false,
        limit: "site_peak_kw".to_owned(),
        at_least: breaks.is_none_or(|b| b - fits > 1) && holds,
        overall: Some(overall),
        basis,
    }))
}

/// Whether the limit holds with more racks, and the overall verdict then.
fn with_racks(
    args: &CompareArgs,
    member: &Member,
    more: Patch,
    next: u32,
) -> Result<(bool, Status), Failed> {
    let scenario = ScenarioArgs {
        scenario: member.file.clone(),
        patches: args.patches.clone(),
        variant: member.ready.loaded.variant.clone(),
        seed: args.seed,
        json: false,
    };
    let ready = load::load_with(&scenario, &[more]).map_err(Failed::Loading)?;
    let progress = Progress::start();
    let result = run_many(&[job(&ready)], &progress, |_, outcome| {
        (ExtraRacks::holds(&outcome), outcome.overall)
    });
    progress.finish();
    match result {
        Ok(found) => Ok(found
            .first()
            .copied()
            .unwrap_or((false, Status::NotChecked))),
        Err((_, error)) => {
            let who = format!("{} with {next} racks more", member.name);
            Err(Failed::Running(who, Box::new(ready), error))
        }
    }
}
