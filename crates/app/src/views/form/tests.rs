use egui::vec2;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;

use super::FormView;
use crate::action::{Action, Actions};
use crate::document::Document;
use crate::fields::Form;
use crate::plot::{TimeView, ViewContext};
use crate::theme::Theme;

#[derive(Default)]
struct State {
    document: Document,
    form: Form,
    view: FormView,
    asked: Vec<Action>,
    frame_s: f64,
}

fn frame(ui: &mut egui::Ui, state: &mut State) {
    let mut actions = Actions::default();
    let mut cx = ViewContext {
        theme: Theme::of(ui.ctx()),
        time: TimeView {
            from_s: 0.0,
            to_s: 1.0,
            whole_s: (0.0, 1.0),
            cursor_s: None,
        },
        stale: false,
        actions: &mut actions,
    };
    let start = std::time::Instant::now();
    state.view.show(ui, &mut cx, &state.form);
    state.frame_s = start.elapsed().as_secs_f64();
    for action in actions.drain() {
        match &action {
            Action::Set { path, value } => state.document.set(path, value).unwrap(),
            Action::Reset(path) => state.document.reset(path).unwrap(),
            Action::AddEntry(path) => state.document.add_entry(path).unwrap(),
            Action::RemoveEntry(path) => state.document.remove_entry(path).unwrap(),
            _ => {}
        }
        state.asked.push(action);
        let problems =
            ballast_scenario::load_str("t", state.document.text(), std::path::Path::new(""), &[]);
        let problems = problems.err().map_or_else(Vec::new, |p| p.0);
        state.form.update(state.document.text(), &problems);
    }
}

const EXAMPLE: &str = include_str!("../../../../../examples/training-offgrid.toml");

fn harness(text: &str, dark: bool) -> Harness<'static, State> {
    let mut state = State {
        document: Document::new(text.to_owned(), None),
        ..State::default()
    };
    let problems = ballast_scenario::load_str("t", text, std::path::Path::new(""), &[]);
    state
        .form
        .update(text, &problems.err().map_or_else(Vec::new, |p| p.0));
    let mut harness = Harness::builder()
        .with_size(vec2(340.0, 760.0))
        .with_max_steps(20)
        .build_ui_state(frame, state);
    harness.ctx.set_theme(if dark {
        egui::Theme::Dark
    } else {
        egui::Theme::Light
    });
    Theme::light().apply(&harness.ctx);
    Theme::dark().apply(&harness.ctx);
    harness.run();
    harness
}

fn focus(harness: &mut Harness<'_, State>, path: &str) {
    harness.state_mut().view.focus = Some(path.to_owned());
    harness.run();
}

fn type_in(harness: &mut Harness<'_, State>, path: &str, label: &str, text: &str) {
    focus(harness, path);
    harness
        .get_by_role_and_label(egui::accesskit::Role::TextInput, label)
        .type_text(text);
    harness.run();
    harness.key_press(egui::Key::Enter);
    harness.run();
}

#[test]
fn a_quantity_is_typed_with_its_unit_and_reset() {
    let mut harness = harness(EXAMPLE, false);
    type_in(
        &mut harness,
        "plant.sets.diesel.rated_kw",
        "Rated power",
        "2.5 MW",
    );
    assert_eq!(
        harness.state().asked,
        [Action::Set {
            path: "plant.sets.diesel.rated_kw".into(),
            value: "2.5 MW".into()
        }]
    );
    assert!(
        harness
            .state()
            .document
            .text()
            .contains("\nrated_kw = 2500\n")
    );
    focus(&mut harness, "plant.sets.diesel.rated_kw");
    harness.get_by_label("Reset Rated power").click();
    harness.run();
    assert_eq!(harness.state().document.text(), EXAMPLE);
}

#[test]
fn what_cannot_stand_there_is_refused_with_a_message_and_escape_restores() {
    let mut harness = harness(EXAMPLE, false);
    type_in(
        &mut harness,
        "plant.sets.diesel.inertia_s",
        "Inertia",
        "heavy",
    );
    assert_eq!(harness.state().document.text(), EXAMPLE);
    harness.get_by_label_contains("`heavy` does not start with a number");
    type_in(
        &mut harness,
        "plant.sets.diesel.inertia_s",
        "Inertia",
        "900 s",
    );
    harness.get_by_label_contains("900 is out of range");
    assert!(harness.state().asked.is_empty());
    focus(&mut harness, "plant.sets.diesel.inertia_s");
    harness.key_press(egui::Key::Escape);
    harness.run();
    assert!(harness.query_by_label_contains("out of range").is_none());
    harness.check_accessibility();
}

#[test]
fn entries_are_added_and_removed() {
    let mut harness = harness(EXAMPLE, false);
    focus(&mut harness, "racks");
    harness.get_by_label("Add an entry to Racks").click();
    harness.run();
    assert!(
        harness
            .state()
            .document
            .text()
            .contains("name = \"hall-2\"")
    );
    focus(&mut harness, "racks.hall-2.count");
    harness.get_by_label("Remove hall-2").click();
    harness.run();
    assert_eq!(harness.state().document.text(), EXAMPLE);
}

#[test]
fn another_preset_is_chosen_by_search() {
    let mut harness = harness(EXAMPLE, false);
    focus(&mut harness, "plant.sets.diesel.preset");
    harness
        .get_by_role_and_label(egui::accesskit::Role::ComboBox, "Preset")
        .click();
    harness.run();
    harness.check_accessibility();
    harness.get_by_label("Search presets").focus();
    harness.run();
    harness.get_by_label("Search presets").type_text("3516");
    harness.run();
    let presets = ballast_scenario::preset_names(ballast_scenario::PresetKind::Genset);
    let name = presets.into_iter().find(|n| n.contains("3516")).unwrap();
    harness.get_by_label(name).click();
    harness.run();
    assert!(
        harness.state().document.text().contains("3516"),
        "{}",
        harness.state().document.text()
    );
}

#[test]
fn the_search_shows_the_fields_it_finds_and_their_number() {
    let mut harness = harness(EXAMPLE, false);
    harness.get_by_label("Search fields").focus();
    harness.run();
    harness.get_by_label("Search fields").type_text("inertia");
    harness.run();
    harness.get_by_role_and_label(egui::accesskit::Role::TextInput, "Inertia");
    harness.get_by_label_contains(" of ");
    let head = egui::accesskit::Role::DisclosureTriangle;
    assert!(harness.query_by_role_and_label(head, "Racks").is_none());
    harness.get_by_label("Clear search").click();
    harness.run();
    harness.get_by_role_and_label(head, "Racks");
    harness.check_accessibility();
}

#[test]
fn tab_goes_from_field_to_field_and_arrows_change_numbers() {
    let mut harness = harness(EXAMPLE, false);
    focus(&mut harness, "plant.sets.diesel.count");
    harness.key_press(egui::Key::ArrowUp);
    harness.run();
    assert!(harness.state().document.text().contains("\ncount = 3\n"));
    for _ in 0..30 {
        harness.key_press(egui::Key::Tab);
        harness.run();
        let focused = harness.ctx.memory(egui::Memory::focused);
        assert!(focused.is_some());
    }
}

/// A frame lays out what is seen. Also writes pictures where a folder for them is named.
#[test]
fn it_is_quick_and_looks_right() {
    let text = include_str!("../../../../../examples/campus.toml");
    let broken = EXAMPLE.replace("count = 2", "count = 0\ncolour = 1");
    for (name, text, dark, path) in [
        ("light", EXAMPLE, false, "racks"),
        ("dark", text, true, "plant.sets"),
        ("problems", broken.as_str(), false, "plant.sets.0.count"),
        ("gpu", EXAMPLE, false, "gpus.h100-sxm5.edpp_w"),
    ] {
        let mut harness = harness(text, dark);
        focus(&mut harness, path);
        let mut best = f64::INFINITY;
        for _ in 0..20 {
            harness.step();
            best = best.min(harness.state().frame_s);
        }
        eprintln!("{name}: {:.3} ms a frame", best * 1e3);
        let most_s = if cfg!(debug_assertions) { 0.03 } else { 0.001 };
        assert!(best < most_s, "{best}");
        if let Some(folder) = std::env::var_os("BALLAST_PICTURES") {
            harness
                .render()
                .unwrap()
                .save(std::path::Path::new(&folder).join(format!("form-{name}.png")))
                .unwrap();
        }
    }
}
