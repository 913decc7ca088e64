//! Steps of the load: against what the sets accept, and step events against a column of ISO 8528-5.

use ballast_plant::{PlantSpec, weak_parameters};
use ballast_units::Grade;

use crate::coarse::Coarse;
use crate::indicative::Indicative;
use crate::load_steps::{LoadStep, window_s, worst_of_realisation};
use crate::merge::PerRealisation;
use crate::outcome::{Extreme, Status, Verdict};
use crate::step_event_kpis::{COLUMNS, counts, what_counts, why_not};
use crate::step_events::Tally;
use crate::verdict::{Bench, Limit};

/// A step within this of the largest is within it, as `ballast_plant::acceptance` has it.
const ROUNDING_SHARE: f64 = 1e-9;
/// Where no step was: below every excess.
const NO_STEP: f64 = -1e9;

pub(super) fn step_verdicts(bench: &Bench<'_>, coarse: &Coarse, all: &mut Vec<Verdict>) {
    match &bench.scenario.plant {
        Some(plant) => acceptance_verdict(bench, plant, coarse, all),
        None => all.push(bench.blank(KEY, LABEL, UNIT, NO_PLANT.to_owned())),
    }
    column_verdict(bench, coarse, all);
}

const NO_PLANT: &str = "the scenario has no plant";

const KEY: &str = "load_acceptance";
const LABEL: &str = "load steps the sets accept";
const UNIT: &str = "% of rated";

fn acceptance_verdict(
    bench: &Bench<'_>,
    plant: &PlantSpec,
    coarse: &Coarse,
    all: &mut Vec<Verdict>,
) {
    let names = |with_table: bool| -> Vec<&str> {
        let such = plant
            .sets
            .iter()
            .filter(|s| s.acceptance.is_empty() != with_table);
        such.map(|s| s.name.as_str()).collect()
    };
    let without = names(false);
    if names(true).is_empty() {
        let why = if plant.sets.is_empty() {
            "there are no sets"
        } else {
            "no set has an `acceptance` table"
        };
        all.push(bench.blank(KEY, LABEL, UNIT, why.to_owned()));
        return;
    }
    let window_s = window_s(bench.scenario);
    let mut verdict = judged(bench, plant);
    if verdict.status == Status::Pass {
        let step_s = bench.scenario.simulation.step_s;
        let unseen = if let Coarse::All(why) = coarse {
            Some(format!("held for the means of a trace alone: {why}"))
        } else if step_s > window_s * (1.0 + 1e-9) {
            Some(format!(
                "the load is known every {step_s} s: steps within {window_s} s cannot be seen"
            ))
        } else {
            None
        };
        if let Some(why) = unseen {
            verdict = bench.blank(KEY, LABEL, UNIT, why);
        }
    }
    if verdict.status != Status::NotChecked {
        verdict.indicative = Indicative::on_tables(weak_tables(plant));
    }
    verdict.basis = format!("{}; {}", verdict.basis, rests_on(plant, window_s));
    all.push(verdict);
    if !without.is_empty() {
        all.push(bench.blank(
            "load_acceptance_without_table",
            &format!("load steps of {}", without.join(", ")),
            UNIT,
            "no `acceptance` table".to_owned(),
        ));
    }
}

/// The verdict by excess over the table, then with the step itself in its place.
fn judged(bench: &Bench<'_>, plant: &PlantSpec) -> Verdict {
    let steps = |e: &PerRealisation| worst_of_realisation(&e.plant.as_ref()?.watched.steps);
    let start_s = bench.scenario.simulation.start_s;
    let worst = |e: &PerRealisation| {
        e.plant.as_ref()?;
        let (element, value, at_s) = steps(e)
            .map_or((String::new(), NO_STEP, start_s), |(i, step)| {
                (plant.sets[i].name.clone(), step.excess_share(), step.at_s)
            });
        let realisation = e.realisation;
        Some((
            Extreme {
                value,
                at_s,
                realisation,
            },
            element,
        ))
    };
    let mut verdict = bench.judge(&Limit {
        key: KEY,
        label: LABEL,
        unit: UNIT,
        value: Some(ROUNDING_SHARE),
        upper: true,
        window: String::new(),
        worst: &worst,
        needs_s: 0.0,
        of_load: false,
        open: |_| false,
    });
    let of_realisation = |r: u32| bench.merged.each.iter().find(|e| e.realisation == r);
    let step: Option<LoadStep> = verdict
        .realisation
        .and_then(of_realisation)
        .and_then(steps)
        .map(|(_, step)| step);
    (verdict.limit_value, verdict.worst_value, verdict.margin) = (None, None, None);
    match step {
        Some(step) if verdict.status != Status::NotChecked => {
            verdict.worst_value = Some(100.0 * step.step_share);
            verdict.limit_value = Some(100.0 * step.allowed_share);
            verdict.margin = Some(-100.0 * step.excess_share());
            verdict.window = format!(
                "from {:.1} %, then {} s to recover",
                100.0 * step.from_share,
                step.recovery_s
            );
        }
        _ => {
            (verdict.at_s, verdict.realisation, verdict.element) = (None, None, None);
            if verdict.status == Status::Pass {
                "no step".clone_into(&mut verdict.window);
                verdict.worst_value = Some(0.0);
            }
        }
    }
    verdict
}

/// Tables that are estimated, derived at low confidence or recalled.
fn weak_tables(plant: &PlantSpec) -> Vec<String> {
    let weak = plant.sets.iter().filter(|set| {
        let keys = weak_parameters(set);
        !set.acceptance.is_empty() && keys.iter().any(|w| w.key == "acceptance")
    });
    weak.map(|set| format!("plant.sets.{}.acceptance", set.name))
        .collect()
}

/// What the tables rest on, each once.
fn rests_on(plant: &PlantSpec, window_s: f64) -> String {
    let mut tables: Vec<String> = Vec::new();
    for set in plant.sets.iter().filter(|s| !s.acceptance.is_empty()) {
        let said = set.provenance.get("acceptance").map_or_else(
            || "source not said".to_owned(),
            |p| {
                let grade = grade(p.grade);
                let confidence = format!("{:?}", p.confidence).to_lowercase();
                format!("{grade}, {confidence} confidence: {}", p.source)
            },
        );
        if !tables.contains(&said) {
            tables.push(said);
        }
    }
    format!(
        "a step is the largest rise of a set within {window_s} s (estimated window), with those it had not recovered from; table {}",
        tables.join(" | ")
    )
}

fn grade(grade: Grade) -> &'static str {
    match grade {
        Grade::Published => "published",
        Grade::Measured => "measured",
        Grade::Derived => "derived",
        Grade::Estimated => "estimated",
        Grade::Recalled => "recalled",
        Grade::Given => "given",
    }
}

/// Step events against the column of `limits.iso8528_column`; nothing where none is asked for.
fn column_verdict(bench: &Bench<'_>, coarse: &Coarse, all: &mut Vec<Verdict>) {
    let Some(asked) = bench.scenario.limits.iso8528_column else {
        return;
    };
    let label = asked.column().label();
    let mut verdict = bench.blank(
        "iso8528_column",
        &format!("ISO 8528-5 {label} transient numbers of step events"),
        &format!("% of a {label} number"),
        String::new(),
    );
    verdict.limit_value = Some(100.0);
    let at = COLUMNS.iter().position(|c| *c == asked.column());
    let tally = |e: &PerRealisation| -> Tally {
        let plant = e.plant.as_ref().zip(at);
        plant.map_or_else(Tally::default, |(p, at)| p.watched.events.columns[at])
    };
    let (mut held, mut broken, mut unknown, mut events) = (0_u32, 0_u32, 0_u32, 0_u64);
    for each in &bench.merged.each {
        let tally = tally(each);
        events += u64::from(tally.most.is_some());
        if let Some((used, at_s)) = tally.most
            && verdict.worst_value.is_none_or(|worst| 100.0 * used > worst)
        {
            verdict.worst_value = Some(100.0 * used);
            verdict.margin = Some(100.0 - 100.0 * used);
            (verdict.at_s, verdict.realisation) = (Some(at_s), Some(each.realisation));
            verdict.element = Some("bus".to_owned());
            "step events".clone_into(&mut verdict.window);
        }
        match tally {
            Tally { missed: 1.., .. } => broken += 1,
            Tally { open: 0, most, .. } if most.is_some() && each.collapsed_at_s.is_none() => {
                held += 1;
            }
            _ => unknown += 1,
        }
    }
    verdict.held_in = held;
    let (_, unquiet) = counts(bench.merged);
    let restless = if unquiet > 0 {
        format!(
            "; {unquiet} other changes without quiet are no events of it: frequency_swing_hz is for them"
        )
    } else {
        String::new()
    };
    let numbers = format!("{}{restless}; {}", what_counts(), bench.basis);
    (verdict.status, verdict.basis) = match (held, broken, unknown) {
        (0, 1.., 0) => (Status::Fail, numbers),
        (_, 1.., _) => (
            if held == 0 {
                Status::Fail
            } else {
                Status::Inconclusive
            },
            format!(
                "inside in {held} of {} realisations, outside in {broken}; {numbers}",
                bench.merged.each.len()
            ),
        ),
        (1.., 0, 0) if matches!(coarse, Coarse::All(_)) => (
            Status::NotChecked,
            "inside for the means of a trace alone".to_owned(),
        ),
        (1.., 0, 0) => (Status::Pass, numbers),
        _ => (Status::NotChecked, unseen(bench, events, &numbers)),
    };
    if verdict.status == Status::NotChecked {
        (verdict.worst_value, verdict.margin, verdict.element) = (None, None, None);
        (verdict.at_s, verdict.realisation) = (None, None);
        verdict.window.clear();
    }
    all.push(verdict);
}

/// Why nothing can be said of the column.
fn unseen(bench: &Bench<'_>, events: u64, numbers: &str) -> String {
    if bench.scenario.plant.is_none() {
        return NO_PLANT.to_owned();
    }
    if let Some(why) = why_not(bench.merged) {
        return why.to_owned();
    }
    if bench.merged.each.iter().any(|e| e.collapsed_at_s.is_some()) {
        return "the bus collapsed, which is no event followed by quiet".to_owned();
    }
    if events == 0 {
        return format!("there was no step event in the run: {numbers}");
    }
    format!(
        "not all four numbers of every event could be looked at (see plant.step_events); {numbers}"
    )
}
