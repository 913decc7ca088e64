//! A number changed in the form: the verdict answers, undo brings it back, what cannot stand there is refused.

use std::sync::Arc;

use ballast_app::platform::memory::MemoryPlatform;
use ballast_app::{Action, Command};
use ballast_study::outcome::Status;
use egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;

use crate::help::{Driven, QUICK};

/// Long enough for every verdict that the tests look at, and no longer.
const SHORT: (&str, &str) = ("duration_s = 60.0", "duration_s = 12.0");

fn opened(example: &str, changes: &[(&str, &str)]) -> Driven {
    Driven::opened(&MemoryPlatform::new(), example, changes)
}

fn overall(driven: &mut Driven) -> Status {
    assert_eq!(driven.app().problems(), []);
    assert!(!driven.app().stale());
    driven.app().result().expect("a result").outcome.overall
}

#[test]
fn one_set_less_fails_and_undo_passes_again() {
    let mut driven = opened("n-minus-1", &[QUICK]);
    let before = driven.text();
    assert_eq!(overall(&mut driven), Status::Pass);
    driven.type_in("plant.sets.G.count", "Count", "2");
    assert_eq!(driven.text(), before.replace("count = 3", "count = 2"));
    assert!(driven.app().stale());
    driven.says("PASS before the change");
    driven.settle();
    assert_eq!(overall(&mut driven), Status::Fail);
    driven.says("FAIL");
    // The field has given the keys back: undo is the document's.
    driven
        .harness
        .key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Z);
    driven.harness.run_steps(3);
    assert_eq!(driven.text(), before);
    driven.settle();
    assert_eq!(overall(&mut driven), Status::Pass);
    driven.says("PASS");
}

#[test]
fn smaller_sets_fail_the_example_site() {
    let mut driven = opened("training-offgrid", &[SHORT]);
    let before = driven.text();
    assert_eq!(overall(&mut driven), Status::Pass);
    driven.type_in("plant.sets.diesel.rated_kw", "Rated power", "0.65 MW");
    assert!(driven.text().contains("rated_kw = 650"));
    driven.settle();
    assert_eq!(overall(&mut driven), Status::Fail);
    driven.command(Command::Undo);
    assert_eq!(driven.text(), before);
}

#[test]
fn a_bad_value_is_refused_at_its_field_and_changes_nothing() {
    let mut driven = opened("n-minus-1", &[QUICK]);
    let before = driven.text();
    let result = Arc::clone(driven.app().result().expect("a result"));
    for (typed, says) in [
        ("many", "write a plain number"),
        ("-1", "0"),
        ("2.5", "whole number"),
    ] {
        driven.type_in("plant.sets.G.count", "Count", typed);
        assert_eq!(driven.text(), before, "{typed}");
        let field = driven
            .harness
            .get_by_role_and_label(Role::TextInput, "Count");
        assert_eq!(field.value().as_deref(), Some(typed));
        driven.says(says);
    }
    driven.settle();
    let now = driven.app().result().expect("the same");
    assert!(Arc::ptr_eq(&result, now), "nothing ran");
    // Another document has no part in it.
    driven.act(Action::OpenExample("smallest".to_owned()));
    driven.click("Discard");
    driven.act(Action::OpenExample("n-minus-1".to_owned()));
    driven.act(Action::FocusField("plant.sets.G.count".to_owned()));
    let field = driven
        .harness
        .get_by_role_and_label(Role::TextInput, "Count");
    assert_eq!(field.value().as_deref(), Some("3"));
}

#[test]
fn what_does_not_run_is_told_with_a_way_to_its_field() {
    let mut driven = opened("training-offgrid", &[SHORT]);
    let before = driven.text();
    driven.type_in("plant.sets.diesel.count", "Count", "1");
    assert!(driven.text().contains("count = 1"));
    driven.settle();
    assert!(!driven.app().problems().is_empty());
    driven.says("1 problem");
    driven.click("Problems (1)");
    let key = driven.app().problems()[0].key.clone();
    driven.click(&key);
    driven.command(Command::Undo);
    assert_eq!(driven.text(), before);
    driven.settle();
    assert!(driven.app().problems().is_empty());
    assert_eq!(overall(&mut driven), Status::Pass);
}
