//! Opening and saving: nothing is lost.

use std::path::PathBuf;

use ballast_app::app::Page;
use ballast_app::app::prefs::Last;
use ballast_app::platform::memory::MemoryPlatform;
use ballast_app::{Action, Command};
use egui_kittest::kittest::Queryable as _;

use crate::help::{Driven, SMALL};

fn open(machine: &MemoryPlatform) -> Driven {
    machine.put("/site.toml", SMALL);
    let mut driven = Driven::new(machine);
    driven.act(Action::Open(PathBuf::from("/site.toml")));
    driven
}

#[test]
fn undo_and_redo_through_commands() {
    let machine = MemoryPlatform::new();
    let mut driven = open(&machine);
    driven.append("\n# one\n");
    let one = driven.text();
    driven.command(Command::Undo);
    assert_eq!(driven.text(), SMALL);
    assert!(!driven.app().document().changed());
    driven
        .harness
        .key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Y);
    driven.harness.run_steps(3);
    assert_eq!(driven.text(), one);
    driven
        .harness
        .key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Z);
    driven.harness.run_steps(3);
    assert_eq!(driven.text(), SMALL);
}

#[test]
fn saved_as_it_stands_and_open_again_at_the_next_start() {
    let machine = MemoryPlatform::new();
    let mut driven = open(&machine);
    driven.append("\n# mine\n");
    driven.command(Command::Save);
    driven.settle();
    assert_eq!(machine.text("/site.toml").unwrap(), driven.text());
    assert!(!driven.app().document().changed());
    let text = driven.text();
    drop(driven);
    let mut again = Driven::new(&machine.started_again());
    assert_eq!(again.text(), text);
    assert_eq!(
        again.app().preferences().last,
        Some(Last::File(PathBuf::from("/site.toml")))
    );
}

#[test]
fn changes_are_not_dropped_without_a_question() {
    let machine = MemoryPlatform::new();
    let mut driven = open(&machine);
    driven.append("\n# mine\n");
    let mine = driven.text();
    machine.put("/other.toml", SMALL.replace("smallest", "other"));

    let other = Action::Open(PathBuf::from("/other.toml"));
    driven.act(other.clone());
    assert_eq!(driven.text(), mine);
    driven.harness.get_by_label("Cancel").click();
    driven.harness.run_steps(3);
    assert_eq!(driven.text(), mine);

    driven.act(other.clone());
    driven.harness.get_by_label("Save").click();
    driven.harness.run_steps(3);
    assert_eq!(machine.text("/site.toml").unwrap(), mine);
    assert!(driven.text().contains("other"));

    driven.append("\n# more\n");
    driven.act(Action::Open(PathBuf::from("/site.toml")));
    driven.harness.get_by_label("Discard").click();
    driven.harness.run_steps(3);
    assert_eq!(driven.text(), mine);
}

#[test]
fn the_window_does_not_close_over_changes() {
    let machine = MemoryPlatform::new();
    let mut driven = open(&machine);
    driven.append("\n# mine\n");
    driven.command(Command::Quit);
    assert!(!driven.app().leaving());
    driven.harness.get_by_label("Discard").click();
    driven.harness.run_steps(3);
    assert!(driven.app().leaving());
    driven.settle();
    assert!(
        !machine
            .files()
            .iter()
            .any(|p| p.starts_with("/data/drafts"))
    );
}

#[test]
fn a_full_disk_keeps_the_document() {
    let machine = MemoryPlatform::new();
    let mut driven = open(&machine);
    driven.append("\n# mine\n");
    let mine = driven.text();
    machine.disk_full(true);
    driven.command(Command::Save);
    let said = driven.last_notice();
    assert!(
        said.contains("full") && said.contains("elsewhere"),
        "{said}"
    );
    assert_eq!(driven.text(), mine);
    assert!(driven.app().document().changed());
    assert_eq!(machine.text("/site.toml").unwrap(), SMALL);
    machine.disk_full(false);
    driven.command(Command::Save);
    assert_eq!(machine.text("/site.toml").unwrap(), mine);
}

#[test]
fn foreign_binary_and_missing_files_are_refused_in_words() {
    let machine = MemoryPlatform::new();
    let mut driven = open(&machine);
    machine.put("/x.toml", vec![0xff, 0xfe, 0x00]);
    machine.put("/photo.jpg", vec![0xff, 0xd8]);
    machine.put("/log.csv", "timestamp, power.draw [W]\n1, 2\n");
    machine.put("/huge.toml", vec![b'#'; 17 << 20]);
    for (path, says) in [
        ("/x.toml", "no text"),
        ("/photo.jpg", "no text"),
        ("/log.csv", ".toml"),
        ("/huge.toml", "16 MiB"),
        ("/gone.toml", "not there"),
    ] {
        driven.act(Action::Open(PathBuf::from(path)));
        let said = driven.last_notice();
        assert!(said.contains(says), "{path}: {said}");
        assert_eq!(driven.text(), SMALL, "{path}");
    }
}

#[test]
fn a_damaged_scenario_opens_as_text_with_its_problems() {
    let machine = MemoryPlatform::new();
    machine.put("/site.toml", "[scenario\nname = 1");
    let mut driven = Driven::new(&machine);
    driven.act(Action::Open(PathBuf::from("/site.toml")));
    assert_eq!(driven.app().page(), Page::Text);
    assert!(!driven.app().problems().is_empty());
    assert_eq!(driven.text(), "[scenario\nname = 1");
}

#[test]
fn a_missing_preset_is_a_problem_with_a_place() {
    let machine = MemoryPlatform::new();
    let mut driven = Driven::new(&machine);
    driven.act(Action::OpenExample("training-offgrid".to_owned()));
    let text = driven.text().replace("preset = \"", "preset = \"none-");
    driven.act(Action::SetText(text));
    assert!(!driven.app().problems().is_empty());
    assert!(driven.app().problems()[0].line.is_some());
}

#[test]
fn somebody_elses_change_is_not_overwritten_without_a_question() {
    let machine = MemoryPlatform::new();
    let mut driven = open(&machine);
    driven.append("\n# mine\n");
    let mine = driven.text();
    machine.put("/site.toml", "# theirs");
    driven.command(Command::Save);
    assert_eq!(machine.text("/site.toml").unwrap(), "# theirs");
    driven.harness.get_by_label("Overwrite").click();
    driven.harness.run_steps(3);
    assert_eq!(machine.text("/site.toml").unwrap(), mine);
}

#[test]
fn an_example_saved_elsewhere_takes_its_data_along() {
    let machine = MemoryPlatform::new();
    let mut driven = Driven::new(&machine);
    // Before it runs: a machine in memory hands no traces over.
    driven.app().act(Action::OpenExample("replay".to_owned()));
    assert!(machine.get("/data/examples/replay.csv").is_some());
    assert_eq!(driven.app().problems(), []);
    machine.will_pick(Some("/home/me/replay.toml"));
    driven.command(Command::Save);
    driven.settle();
    assert!(machine.get("/home/me/replay.toml").is_some());
    assert!(machine.get("/home/me/replay.csv").is_some());
}

#[test]
fn without_dialogs_the_window_asks_for_the_path() {
    let machine = MemoryPlatform::new();
    machine.no_dialogs();
    machine.put("/site.toml", SMALL);
    let mut driven = Driven::new(&machine);
    driven.command(Command::Open);
    driven.harness.run_steps(3);
    let field = driven
        .harness
        .get_by_role_and_label(egui::accesskit::Role::TextInput, "Path of the file");
    field.focus();
    driven.harness.run_steps(2);
    driven
        .harness
        .event(egui::Event::Text("/site.toml".to_owned()));
    driven.harness.run_steps(2);
    driven.harness.get_by_label("OK").click();
    driven.harness.run_steps(4);
    assert_eq!(driven.text(), SMALL);
}

/// A dropped file of which the name alone is told, as a browser does.
#[derive(Debug)]
struct Pathless {
    name: PathBuf,
    bytes: Vec<u8>,
}

impl egui::DroppedFile for Pathless {
    fn path(&self) -> &std::path::Path {
        &self.name
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Ok(self.bytes.clone())
    }
}

fn drop_pathless(driven: &mut Driven, name: &str, bytes: &[u8]) {
    driven
        .harness
        .input_mut()
        .dropped_files
        .push(std::sync::Arc::new(Pathless {
            name: PathBuf::from(name),
            bytes: bytes.to_vec(),
        }));
    driven.harness.run_steps(3);
}

#[test]
fn a_dropped_file_without_a_path_is_unsaved_text() {
    let machine = MemoryPlatform::new();
    let mut driven = Driven::new(&machine);
    drop_pathless(&mut driven, "site.toml", SMALL.as_bytes());
    assert_eq!(driven.text(), SMALL);
    assert!(driven.app().document().changed());
    assert_eq!(driven.app().document().path(), None);

    // What is open and unsaved is asked for first.
    drop_pathless(&mut driven, "other.toml", b"[scenario]\nname = \"other\"\n");
    assert_eq!(driven.text(), SMALL);
    driven.harness.get_by_label("Discard").click();
    driven.harness.run_steps(3);
    assert!(driven.text().contains("other"));
}

#[test]
fn a_damaged_dropped_file_is_shown_as_text_and_a_binary_one_is_refused() {
    let machine = MemoryPlatform::new();
    let mut driven = Driven::new(&machine);
    drop_pathless(&mut driven, "picture.png", b"\x89PNG\0\xff");
    assert!(!driven.app().has_document());
    assert!(driven.last_notice().contains("no text"));
    drop_pathless(&mut driven, "site.toml", b"[scenario\n");
    assert_eq!(driven.app().page(), Page::Text);
    assert_eq!(driven.text(), "[scenario\n");
    assert!(driven.last_notice().contains("is damaged"));
}
