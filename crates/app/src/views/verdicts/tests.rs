use ballast_study::outcome::Status;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::samples::{self, harness, look};
use super::*;

fn labels(harness: &egui_kittest::Harness<'_, samples::Stage>) -> Vec<String> {
    let nodes = harness.root().children_recursive();
    nodes
        .filter_map(|n| {
            n.accesskit_node()
                .label()
                .or_else(|| n.accesskit_node().value())
        })
        .collect()
}

fn says(harness: &egui_kittest::Harness<'_, samples::Stage>, text: &str) -> bool {
    labels(harness).iter().any(|l| l.contains(text))
}

#[test]
fn without_a_result_it_says_what_will_be_there() {
    let harness = harness([300.0, 600.0], false, |ui, cx| show(ui, cx, None));
    assert!(says(&harness, "once the scenario has run"));
}

#[test]
fn a_card_jumps_to_its_moment_by_click_and_by_key() {
    let result = samples::smallest();
    let verdict = result
        .outcome
        .verdicts
        .iter()
        .find(|v| v.limit == "frequency_min_hz")
        .expect("it has the limit");
    let at_s = verdict.at_s.expect("it has a time");
    let status = verdict.status.label();
    let shown = result.clone();
    let mut harness = harness([300.0, 2000.0], false, move |ui, cx| {
        show(ui, cx, Some(&shown));
    });
    look(&mut harness, "verdicts-smallest");
    let spoken = format!("{status}: Lowest frequency");
    harness
        .get_by(|n| {
            n.role() == egui::accesskit::Role::Button
                && n.label().is_some_and(|l| l.starts_with(&spoken))
        })
        .click();
    harness.run();
    assert!(harness.state_mut().asked().contains(&Action::JumpTo(at_s)));
    harness
        .get_by(|n| {
            n.role() == egui::accesskit::Role::Button
                && n.label().is_some_and(|l| l.starts_with(&spoken))
        })
        .focus();
    harness.run();
    harness.key_press(egui::Key::Enter);
    harness.run();
    assert!(harness.state_mut().asked().contains(&Action::JumpTo(at_s)));
    harness.check_accessibility();
}

#[test]
fn failures_of_sets_stand_under_their_name_worst_first() {
    let result = samples::loses_a_set();
    let model = VerdictsModel::of(&result);
    assert_eq!(model.overall, Status::Fail);
    assert!(model.groups.len() >= 3, "the run and two failures");
    let failure = &model.groups[1];
    assert!(failure.title.as_ref().is_some_and(|t| t.contains("N−1")));
    let ranks: Vec<Status> = failure.cards.iter().map(|c| c.status).collect();
    assert_eq!(ranks.first(), Some(&Status::Fail));
    let first_pass = ranks.iter().position(|s| *s == Status::Pass);
    let last_fail = ranks.iter().rposition(|s| *s == Status::Fail);
    assert!(first_pass.is_none_or(|p| Some(p) > last_fail));
    for dark in [false, true] {
        let shown = result.clone();
        let mut harness = harness([300.0, 3200.0], dark, move |ui, cx| {
            show(ui, cx, Some(&shown));
        });
        look(&mut harness, &format!("verdicts-n1-{dark}"));
        harness.check_accessibility();
        assert!(says(&harness, "N−1"));
    }
}

#[test]
fn training_tells_fuel_swing_and_resonance() {
    let mut result = samples::training();
    result.ranges_checked = false;
    let shown = result.clone();
    let mut harness = harness([300.0, 2600.0], true, move |ui, cx| {
        show(ui, cx, Some(&shown));
    });
    look(&mut harness, "verdicts-training");
    for text in [
        "Fuel",
        "Energy",
        "Swing within",
        "Resonance",
        "What the models assume",
    ] {
        assert!(says(&harness, text), "{text}");
    }
    assert!(says(&harness, "Ranges being checked…"));
    harness.check_accessibility();
}

#[test]
fn passes_stand_in_the_order_of_their_margins() {
    let model = VerdictsModel::of(&samples::training());
    let passes: Vec<f64> = model.groups[0]
        .cards
        .iter()
        .filter(|c| c.status == Status::Pass)
        .filter_map(|c| c.used)
        .collect();
    assert!(passes.windows(2).all(|w| w[0] >= w[1]), "{passes:?}");
    assert!(passes.iter().all(|u| *u <= 1.0 + 1e-9), "{passes:?}");
    for card in model.groups.iter().flat_map(|g| &g.cards) {
        if card.status == Status::Fail
            && let Some(used) = card.used
        {
            assert!(used > 1.0, "{} {used}", card.label);
        }
    }
}

#[test]
fn the_model_is_made_once_per_result() {
    let result = samples::smallest();
    let other = RunResult {
        ranges_checked: false,
        ..result.clone()
    };
    let ctx = egui::Context::default();
    let mut same = (None, None, None);
    let output = ctx.run_ui(egui::RawInput::default(), |ui| {
        same = (
            Some(model_of(ui, &result)),
            Some(model_of(ui, &result)),
            Some(model_of(ui, &other)),
        );
    });
    output.drop_without_applying_deltas();
    let (Some(a), Some(b), Some(c)) = same else {
        panic!("drawn")
    };
    assert!(Arc::ptr_eq(&a, &b));
    assert!(!Arc::ptr_eq(&b, &c));
}
