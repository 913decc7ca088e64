use std::sync::Arc;

use ballast_study::outcome::Status;
use egui_kittest::kittest::Queryable as _;

use super::*;
use crate::views::verdicts::samples::{self, harness, look};

fn pair() -> (RunResult, Vec<Arc<RunResult>>) {
    let text = samples::example("n-minus-1.toml");
    let shown = samples::run(&text, &[]);
    let two = text.replace("count = 3", "count = 2");
    (shown, vec![Arc::new(samples::run(&two, &[]))])
}

#[test]
fn without_a_pinned_result_it_says_how_to_get_one() {
    let shown = samples::smallest();
    let mut harness = harness([500.0, 300.0], false, move |ui, cx| {
        show(ui, cx, Some(&shown), &[]);
    });
    harness.get_by_label("Pin the result").click();
    harness.run();
    assert_eq!(harness.state_mut().asked(), [Action::Pin]);
    harness.check_accessibility();
}

#[test]
fn a_pinned_result_is_named_by_what_differs_and_told_apart() {
    let (shown, pinned) = pair();
    let results: Vec<&RunResult> = vec![&shown, &pinned[0]];
    let model = CompareModel::of(&results);
    assert_eq!(model.columns, ["Shown", "G count 2 (shown 3)"]);
    assert_eq!(model.members[0].overall, Status::Pass);
    assert_eq!(model.members[1].overall, Status::Fail);
    assert!(
        model
            .verdicts
            .iter()
            .any(|l| l.cells[1].as_ref().is_some_and(|c| c.otherwise)),
        "some limit comes out otherwise"
    );
    let swing = model.figures.iter().find(|l| l.head == "Lowest frequency");
    let swing = swing.expect("a row of the lowest frequency");
    assert!(swing.cells[0].best && !swing.cells[1].best);
    assert_eq!(swing.cells[1].better, Some(false));
    for dark in [false, true] {
        let (shown, pinned) = (shown.clone(), pinned.clone());
        let mut harness = harness([760.0, 1400.0], dark, move |ui, cx| {
            show(ui, cx, Some(&shown), &pinned);
        });
        look(&mut harness, &format!("compare-{dark}"));
        harness.check_accessibility();
        harness.get_by_label("Unpin G count 2 (shown 3)").click();
        harness.run();
        assert_eq!(harness.state_mut().asked(), [Action::Unpin(0)]);
    }
}

#[test]
fn the_table_is_copied_whole() {
    let (shown, pinned) = pair();
    let model = CompareModel::of(&[&shown, &pinned[0]]);
    let text = crate::widgets::table::as_text(&model.columns, &model.rows(), true);
    assert!(
        text.starts_with("|  | Shown | G count 2 (shown 3) |\n| --- | --- | --- |\n"),
        "{text}"
    );
    assert!(text.contains("| Overall | PASS | FAIL |"), "{text}");
    let tabs = crate::widgets::table::as_text(&model.columns, &model.rows(), false);
    assert!(tabs.lines().all(|l| l.matches('\t').count() == 2), "{tabs}");
}
