//! Long runs: asked for first, cancelled at once, and the old result stays.

use std::sync::Arc;

use ballast_app::app::examples;
use ballast_app::platform::memory::MemoryPlatform;
use ballast_app::{Action, Command};
use egui_kittest::kittest::Queryable as _;

use crate::help::Driven;

#[test]
fn a_long_run_is_asked_for_and_can_be_cancelled() {
    let machine = MemoryPlatform::new();
    let mut driven = Driven::new(&machine);
    driven.act(Action::OpenExample("campus".to_owned()));
    let campus = examples::named("campus").unwrap().text;
    assert_eq!(driven.text(), campus);
    // Ten minutes of it are quick.
    let short = campus.replace("duration_s = 86400.0", "duration_s = 600.0");
    assert_ne!(short, campus);
    driven.act(Action::SetText(short));
    driven.settle();
    let old = Arc::clone(driven.app().result().expect("a quick result"));
    assert!(!driven.app().stale());

    let long = campus.replace("[simulation]", "[simulation]\nrealisations = 50");
    driven.act(Action::SetText(long.clone()));
    driven.settle();
    assert!(!driven.app().running(), "it waits to be asked for");
    driven.harness.get_by_label_contains("Takes about");
    driven.command(Command::Run);
    assert!(driven.app().running());
    driven.harness.get_by_label_contains("Running");
    driven.until("progress", |app| {
        assert!(app.running());
        app.result().is_some()
    });
    driven.click(Command::CancelRun.text());
    assert!(!driven.app().running());
    driven.settle();
    assert_eq!(driven.text(), long);
    let now = driven.app().result().expect("still there");
    assert!(Arc::ptr_eq(&old, now));
    assert!(driven.app().stale());
    driven.harness.get_by_label("Not run");
    driven.says("before the change");
    driven.click("Jobs (1)");
    driven.harness.get_by_label("cancelled");
    driven.command(Command::ShowPlots);
    driven.harness.check_accessibility();
}
