//! The whole window in each of its states: names for every widget, commands, palette, runs.

use ballast_app::app::{Page, examples};
use ballast_app::platform::memory::MemoryPlatform;
use ballast_app::{Action, Command};
use egui::{Key, Modifiers, Theme};
use egui_kittest::kittest::Queryable as _;

use crate::help::{Driven, SMALL};

#[test]
fn first_start_shows_examples_and_one_click_opens_and_runs_one() {
    let machine = MemoryPlatform::new();
    let mut driven = Driven::new(&machine);
    assert_eq!(driven.app().page(), Page::Welcome);
    assert!(!driven.app().has_document());
    driven.harness.get_by_label("Open the example site").click();
    driven.harness.run_steps(4);
    let example = examples::named(examples::FIRST).unwrap();
    assert_eq!(driven.text(), example.text);
    assert_eq!(driven.app().page(), Page::Plots);
    driven.settle();
    let result = driven.app().result().expect("it runs at once").clone();
    assert_eq!(&*result.text, example.text);
    assert!(!driven.app().stale());
    // A change greys it until the new one is there.
    driven.append("\n# changed\n");
    assert!(driven.app().stale());
    driven.settle();
    assert!(!driven.app().stale());
    // The next start has it open.
    drop(driven);
    let mut again = Driven::new(&machine.started_again());
    assert!(again.app().has_document());
}

#[test]
fn jump_zooms_and_sets_the_cursor() {
    let machine = MemoryPlatform::new();
    let mut driven = Driven::new(&machine);
    driven.act(Action::OpenExample(examples::FIRST.to_owned()));
    driven.settle();
    let whole = driven.app().time().whole_s;
    driven.app().act(Action::JumpTo(whole.1 - 0.5));
    let time = driven.app().time();
    assert_eq!(time.cursor_s, Some(whole.1 - 0.5));
    assert!(time.from_s > whole.0 && time.to_s <= whole.1 + 1e-9);
    driven.app().act(Action::ZoomAll);
    let time = driven.app().time();
    assert_eq!((time.from_s, time.to_s), whole);
}

#[test]
fn the_palette_finds_and_does() {
    let machine = MemoryPlatform::new();
    let mut driven = Driven::new(&machine);
    driven
        .harness
        .key_press_modifiers(Modifiers::COMMAND, Key::K);
    driven.harness.run_steps(3);
    driven.harness.event(egui::Event::Text("newx".to_owned()));
    driven.harness.run_steps(2);
    driven
        .harness
        .get_by_label_contains("No command of that name");
    driven.harness.key_press(Key::Backspace);
    driven.harness.run_steps(2);
    driven.harness.key_press(Key::Enter);
    driven.harness.run_steps(3);
    assert!(driven.app().has_document());
    assert!(driven.text().contains("[scenario]"));
    driven
        .harness
        .key_press_modifiers(Modifiers::COMMAND, Key::P);
    driven.harness.run_steps(2);
    driven.harness.key_press(Key::Escape);
    driven.harness.run_steps(2);
    assert!(driven.harness.query_by_label("Command").is_none());
}

#[test]
fn text_keeps_its_own_undo_while_it_has_the_focus() {
    let machine = MemoryPlatform::new();
    let mut driven = Driven::new(&machine);
    driven.command(Command::New);
    let before = driven.text();
    driven.command(Command::ToggleText);
    assert_eq!(driven.app().page(), Page::Text);
    driven.harness.get_by_label("Text of the scenario").focus();
    driven.harness.run_steps(2);
    driven.harness.event(egui::Event::Text("# x\n".to_owned()));
    driven.harness.run_steps(3);
    assert_eq!(driven.text().len(), before.len() + 4);
    driven
        .harness
        .key_press_modifiers(Modifiers::COMMAND, Key::Z);
    driven.harness.run_steps(3);
    assert_eq!(driven.text(), before);
}

#[test]
fn every_widget_has_a_name_in_every_state() {
    let sizes = [(1280.0, 800.0, 1.0), (1280.0, 800.0, 2.0)];
    for (theme, (width, height, scale)) in [Theme::Light, Theme::Dark]
        .into_iter()
        .flat_map(|t| sizes.into_iter().map(move |s| (t, s)))
    {
        let machine = MemoryPlatform::new();
        let mut driven = Driven::sized(&machine, width, height, scale, theme);
        let check = |driven: &mut Driven, what: &str| {
            driven.harness.run_steps(3);
            let unnamed = driven.harness.unnamed_widgets();
            assert!(unnamed.is_empty(), "{what}: {unnamed:?}");
        };
        check(&mut driven, "welcome");
        driven.act(Action::OpenExample("smallest".to_owned()));
        check(&mut driven, "running");
        driven.settle();
        for command in [
            Command::ShowPlots,
            Command::ToggleText,
            Command::ShowCompare,
            Command::ToggleLive,
            Command::Welcome,
            Command::ToggleBottom,
            Command::Palette,
        ] {
            driven.command(command);
            check(&mut driven, command.text());
        }
        driven.harness.key_press(Key::Escape);
        for command in [Command::Shortcuts, Command::About] {
            driven.command(command);
            check(&mut driven, command.text());
            driven.harness.key_press(Key::Escape);
            driven.harness.run_steps(2);
        }
        driven.append("\n[nonsense]\n");
        check(&mut driven, "problems");
        driven.command(Command::Quit);
        check(&mut driven, "unsaved");
    }
}

#[test]
fn plots_that_have_no_room_scroll_and_leave_the_status_line_alone() {
    let machine = MemoryPlatform::new();
    machine.put("/site.toml", SMALL);
    let mut driven = Driven::sized(&machine, 1280.0, 800.0, 2.0, egui::Theme::Light);
    driven.act(Action::Open("/site.toml".into()));
    driven.settle();
    let lowest = driven.harness.get_by_label("Ramps").rect();
    let line = driven.harness.get_by_label("Problems (0)").rect();
    assert!(lowest.top() > line.bottom(), "{lowest:?} {line:?}");
    driven.harness.get_by_label("Problems (0)").click();
    driven.harness.run_steps(3);
    assert!(driven.harness.query_by_label("No problems").is_some());
}
