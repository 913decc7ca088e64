//! What looks wrong with the figures, or with the fit of them.

use crate::minimise::Solution;
use crate::report::{Outcome, ParameterReport};
use crate::spec::{FitSpec, StepRow};
use crate::task::{EventFit, Seen, Task};

/// Residual, in its tolerance, above which a figure is named as not met.
const NOT_MET: f64 = 3.0;

pub(crate) fn warnings(
    spec: &FitSpec,
    task: &Task,
    events: &[EventFit],
    parameters: &[ParameterReport],
    (best, figures): (&Solution, usize),
) -> Vec<String> {
    let mut list: Vec<String> = task
        .recordings
        .iter()
        .flat_map(|r| r.notes.iter().cloned())
        .collect();
    list.extend(contradictions(&spec.steps, spec.tolerance.dip_percent));
    if task.events() == 1 && !task.rows.is_empty() {
        list.push(
            "one step gives one dip: inertia and the governor's gain are hardly told apart by it; add steps of other sizes or a recording"
                .to_owned(),
        );
    }
    if figures < task.parameters.len() {
        list.push(format!(
            "{figures} figures cannot give {} values",
            task.parameters.len()
        ));
    }
    if !best.converged {
        list.push("the search did not end: the values are the best so far".to_owned());
    }
    for parameter in parameters {
        if parameter.outcome == Outcome::Weak {
            list.push(format!(
                "{} is known to ± {:.0} % only, but its default {} does not fit the figures",
                parameter.key,
                100.0 * parameter.relative_error,
                parameter.start
            ));
        }
        if parameter.outcome != Outcome::NotIdentified && !parameter.note.is_empty() {
            list.push(format!("{}: {}", parameter.key, parameter.note));
        }
    }
    for (at, (event, row)) in events.iter().zip(&task.rows).enumerate() {
        not_met(&mut list, at, event, row);
    }
    for (event, recording) in events[task.rows.len()..].iter().zip(&task.recordings) {
        if let Seen::Recording { rms_pu, .. } = event.what
            && rms_pu > NOT_MET * recording.noise_pu
        {
            let largest = recording
                .deviation
                .iter()
                .fold(0.0_f64, |most, d| most.max(d.abs()));
            list.push(format!(
                "{}: the fitted set misses the recording by {:.2} % of its largest deviation (root mean square); the model has something else than this set, or the power is another's",
                recording.name,
                100.0 * rms_pu / largest
            ));
        }
    }
    list
}

fn not_met(list: &mut Vec<String>, at: usize, event: &EventFit, row: &StepRow) {
    let Seen::Step(got) = event.what else { return };
    if got.collapsed {
        list.push(format!("steps.{at}: the fitted set collapses"));
        return;
    }
    if event.residuals.first().is_some_and(|r| r.abs() > NOT_MET) {
        list.push(format!(
            "steps.{at}: no value of the free parameters gives its dip of {} % with the other figures; fitted {:.2} %",
            row.dip_percent,
            100.0 * got.dip_pu
        ));
    }
    if let Some(recovery_s) = row.recovery_s
        && event.residuals.get(1).is_some_and(|r| r.abs() > NOT_MET)
    {
        list.push(format!(
            "steps.{at}: no value of the free parameters gives its recovery of {recovery_s} s with the other figures; fitted {:.2} s",
            got.recovery_s
        ));
    }
}

/// Rows that cannot all be true.
fn contradictions(rows: &[StepRow], tolerance: f64) -> Vec<String> {
    let mut list = Vec::new();
    for (a, one) in rows.iter().enumerate() {
        for (b, other) in rows.iter().enumerate().skip(a + 1) {
            if (one.from_share - other.from_share).abs() > 1e-9
                || one.step_share.signum() != other.step_share.signum()
            {
                continue;
            }
            let (small, large) = if one.step_share.abs() <= other.step_share.abs() {
                ((a, one), (b, other))
            } else {
                ((b, other), (a, one))
            };
            let same = (one.step_share - other.step_share).abs() < 1e-9;
            let apart = small.1.dip_percent - large.1.dip_percent;
            if same && apart.abs() > 2.0 * tolerance {
                list.push(format!(
                    "steps.{a} and steps.{b} contradict each other: the same step with dips of {} % and {} %",
                    one.dip_percent, other.dip_percent
                ));
            } else if !same && apart > 2.0 * tolerance {
                list.push(format!(
                    "steps.{} and steps.{} contradict each other: the larger step has the smaller dip ({} % against {} %)",
                    large.0, small.0, large.1.dip_percent, small.1.dip_percent
                ));
            }
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(step_share: f64, dip_percent: f64) -> StepRow {
        StepRow {
            from_share: 0.0,
            step_share,
            dip_percent,
            recovery_s: None,
            band_percent: None,
            overshoot_percent: None,
        }
    }

    #[test]
    fn a_larger_step_with_a_smaller_dip_is_named() {
        let found = contradictions(&[row(0.5, 6.0), row(0.25, 8.0), row(-0.5, 3.0)], 0.1);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("steps.0 and steps.1"), "{found:?}");
        assert!(contradictions(&[row(0.5, 6.0), row(0.25, 2.0)], 0.1).is_empty());
        assert_eq!(
            contradictions(&[row(0.5, 6.0), row(0.5, 7.0)], 0.1).len(),
            1
        );
    }
}
