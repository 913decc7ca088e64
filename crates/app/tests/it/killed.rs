//! The app is killed while a document is being edited: it is there at the next start.

use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ballast_app::desktop::machine::Machine;
use ballast_app::platform::memory::MemoryPlatform;
use ballast_app::{Action, App, Command};
use egui_kittest::kittest::Queryable as _;

use crate::help::{Driven, SMALL};

const FOLDER: &str = "BALLAST_TEST_KILLED_FOLDER";

#[test]
fn what_was_typed_is_there_at_the_next_start() {
    let machine = MemoryPlatform::new();
    machine.put("/site.toml", SMALL);
    let mut driven = Driven::new(&machine);
    driven.act(Action::Open(PathBuf::from("/site.toml")));
    driven.append("\n# mine\n");
    let mine = driven.text();
    assert!(machine.wait_idle());
    // Killed: nothing of it runs any more, and nobody cleans up.
    let mut again = Driven::new(&machine.started_again());
    assert_eq!(again.text(), mine);
    assert!(again.app().document().changed());
    assert_eq!(again.app().document().path(), Some(Path::new("/site.toml")));
    // The draft is this start's now, and saving removes it.
    again.harness.get_by_label("Keep").click();
    again.harness.run_steps(2);
    again.command(Command::Save);
    again.settle();
    assert_eq!(machine.text("/site.toml").unwrap(), mine);
    let drafts = |m: &MemoryPlatform| {
        let files = m.files();
        files
            .iter()
            .filter(|p| p.starts_with("/data/drafts"))
            .count()
    };
    assert_eq!(drafts(&machine), 0);
}

#[test]
fn what_came_back_can_be_discarded() {
    let machine = MemoryPlatform::new();
    machine.put("/site.toml", SMALL);
    let mut driven = Driven::new(&machine);
    driven.act(Action::Open(PathBuf::from("/site.toml")));
    driven.append("\n# mine\n");
    assert!(machine.wait_idle());
    let mut again = Driven::new(&machine.started_again());
    again.harness.get_by_label("Discard").click();
    again.harness.run_steps(3);
    assert_eq!(again.text(), SMALL);
    again.command(Command::Undo);
    assert!(again.text().ends_with("# mine\n"));
}

/// The process that is killed: edits without end.
#[test]
#[ignore = "started by the test below"]
fn edits_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let machine = Arc::new(Machine::with_data(Some(PathBuf::from(folder))));
    let mut app = App::new(machine, &egui::Context::default());
    for n in 0.. {
        app.act(Action::SetText(format!("{SMALL}\n# edit {n}\n")));
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_process_killed_in_mid_edit_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Process::new(std::env::current_exe().unwrap())
        .args(["killed::edits_until_it_is_killed", "--exact", "--ignored"])
        .env(FOLDER, folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let draft = folder.path().join(format!("drafts/{}.json", child.id()));
    let started = Instant::now();
    let edits = |text: &str| text.matches("# edit 2").count() > 0;
    while !std::fs::read_to_string(&draft).is_ok_and(|t| edits(&t)) {
        assert!(started.elapsed() < Duration::from_mins(1));
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let machine = Arc::new(Machine::with_data(Some(folder.path().to_owned())));
    let app = App::new(machine, &egui::Context::default());
    assert!(app.document().text().starts_with(SMALL));
    assert!(app.document().text().contains("# edit 2"));
    assert!(app.document().changed());
}
