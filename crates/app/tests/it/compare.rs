//! A result pinned, the scenario changed: both side by side, and what differs by name.

use ballast_app::Command;
use ballast_app::app::Page;
use ballast_app::platform::memory::MemoryPlatform;
use egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;

use crate::help::{Driven, QUICK};

#[test]
fn a_pinned_result_stands_beside_the_changed_one() {
    let machine = MemoryPlatform::new();
    let mut driven = Driven::opened(&machine, "n-minus-1", &[QUICK]);
    driven.tab(Page::Compare, "Compare");
    driven.click("Pin the result");
    assert_eq!(driven.app().pinned().len(), 1);
    driven.type_in("plant.sets.G.count", "Count", "2");
    driven.settle();
    driven.tab(Page::Compare, "Compare");
    let other = "G count 3 (shown 2)";
    driven
        .harness
        .get_by_role_and_label(Role::ColumnHeader, "Shown");
    driven
        .harness
        .get_by_role_and_label(Role::ColumnHeader, other);
    let row = "Power of the survivors (N−1: loss of the set that carries most)";
    for (column, word) in [("Shown", "FAIL"), (other, "PASS")] {
        driven.says(&format!("{row}, {column}: {word}"));
    }
    driven.harness.check_accessibility();
    // What differs is a way to its field.
    driven
        .harness
        .get_by_role_and_label(Role::Button, "plant.sets.G.count: G count 3 (shown 2)")
        .click_accesskit();
    driven.harness.run_steps(4);
    let field = driven
        .harness
        .get_by_role_and_label(Role::TextInput, "Count");
    assert!(field.is_focused());
    // Undo: the shown one has the inputs of the pinned one again.
    driven.command(Command::Undo);
    driven.settle();
    driven.tab(Page::Compare, "Compare");
    driven
        .harness
        .get_by_label("Unpin same inputs")
        .click_accesskit();
    driven.harness.run_steps(3);
    assert!(driven.app().pinned().is_empty());
}
