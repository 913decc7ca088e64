//! The panel through kittest.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use egui::{Vec2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use super::*;
use crate::action::{Action, Actions};
use crate::document::Document;
use crate::live::tests::{Machine, model, simulated};
use crate::live::{Step, key_of};
use crate::plot::TimeView;

/// The panel with its model and the document, as the app has them.
struct Panel {
    live: LiveModel,
    view: LiveView,
    document: Document,
    machine: Arc<Machine>,
    said: Vec<String>,
}

impl Panel {
    fn ui(&mut self, ui: &mut Ui) {
        let mut actions = Actions::default();
        self.live.poll(&mut actions);
        let theme = Theme::of(ui.ctx());
        let mut cx = ViewContext {
            theme,
            time: TimeView {
                from_s: 0.0,
                to_s: 1.0,
                whole_s: (0.0, 1.0),
                cursor_s: None,
            },
            stale: false,
            actions: &mut actions,
        };
        self.view.show(ui, &mut cx, &self.live);
        let mut more = Actions::default();
        for action in actions.drain() {
            match action {
                Action::Live(action) => self.live.act(action, &self.document, &mut more),
                other => more.push(other),
            }
        }
        for action in more.drain() {
            match action {
                Action::Say(notice) => self.said.push(notice.text),
                Action::SetText(text) => self.document.set_text(text),
                other => panic!("{other:?}"),
            }
        }
    }
}

fn panel(machine: Machine, size: Vec2, theme: egui::Theme) -> Harness<'static, Panel> {
    let (live, machine) = model(machine);
    let state = Panel {
        live,
        view: LiveView::default(),
        document: Document::new(
            "# Mine\nname = \"site\"\n".to_owned(),
            Some(PathBuf::from("/sites/site.toml")),
        ),
        machine,
        said: Vec::new(),
    };
    let mut harness = Harness::builder()
        .with_size(size)
        .with_theme(theme)
        .build_ui_state(|ui, state: &mut Panel| state.ui(ui), state);
    Theme::light().apply(&harness.ctx);
    Theme::dark().apply(&harness.ctx);
    harness.run_ok();
    harness
}

fn usual(machine: Machine) -> Harness<'static, Panel> {
    panel(machine, vec2(1000.0, 800.0), egui::Theme::Light)
}

/// Steps until `done`.
fn until(harness: &mut Harness<'_, Panel>, done: impl Fn(&Panel) -> bool) {
    let began = Instant::now();
    while !done(harness.state()) {
        assert!(began.elapsed() < Duration::from_mins(2), "never done");
        std::thread::sleep(Duration::from_millis(5));
        harness.step();
    }
    harness.step();
    harness.step();
}

fn answer(harness: &Harness<'_, Panel>, path: &str) {
    let mut picks = harness.state().machine.picks.lock().unwrap();
    picks.push_back(Some(PathBuf::from(path)));
}

fn click(harness: &mut Harness<'_, Panel>, label: &str) {
    harness.get_by_label(label).click();
    harness.step();
    harness.step();
}

/// Writes a picture where BALLAST_RENDERS names a folder: for a person to look at.
fn look(harness: &mut Harness<'_, Panel>, name: &str) {
    if let Some(folder) = std::env::var_os("BALLAST_RENDERS") {
        let image = harness.render().unwrap();
        image
            .save(PathBuf::from(folder).join(format!("live-{name}.png")))
            .unwrap();
    }
}

#[test]
fn without_a_driver_the_sentence_is_there_and_what_goes_without_one() {
    let mut harness = usual(Machine {
        no_gpu: Some("NVIDIA's management library libnvidia-ml.so.1 cannot be loaded: no such file. What to do: install NVIDIA's driver.".to_owned()),
        ..Machine::default()
    });
    look(&mut harness, "off");
    click(&mut harness, "Show GPUs of this machine");
    until(&mut harness, |p| {
        matches!(p.live.state, LiveState::Missing(_))
    });
    assert!(
        harness
            .query_by_label_contains("install NVIDIA's driver")
            .is_some()
    );
    assert!(
        harness
            .query_by_label_contains("recorded file works without a driver")
            .is_some()
    );
    assert!(harness.query_by_label("Open a recording…").is_some());
    look(&mut harness, "no-driver");
    harness.check_accessibility();
}

#[test]
fn a_recording_shows_its_numbers() {
    let mut harness = usual(Machine {
        recording: Some(simulated()),
        ..Machine::default()
    });
    answer(&harness, "/logs/run.parquet");
    click(&mut harness, "Open a recording…");
    until(&mut harness, |p| p.live.reading());
    click(&mut harness, "As fast as possible");
    until(&mut harness, |p| p.live.state == LiveState::Ended);
    click(&mut harness, "5 min");
    assert!(harness.query_by_label("run.parquet, 2 GPUs").is_some());
    assert!(harness.query_by_label("120.0 s of 120.0 s").is_some());
    assert_eq!(harness.query_all_by_label("70 W").count(), 2);
    let summary = "Power of GPU 0: NVIDIA H100 80GB HBM3 over time. Last 5 min: ";
    assert!(harness.query_by_label_contains(summary).is_some());
    harness.check_accessibility();
    look(&mut harness, "playback");
}

#[test]
fn live_gpus_pause_and_stop() {
    let mut harness = panel(Machine::default(), vec2(1280.0, 500.0), egui::Theme::Dark);
    click(&mut harness, "Show GPUs of this machine");
    until(&mut harness, |p| p.live.t_s > 1.0);
    click(&mut harness, "Pause");
    assert!(harness.query_by_label("Paused").is_some());
    look(&mut harness, "paused-dark");
    harness.check_accessibility();
    click(&mut harness, "Go on");
    click(&mut harness, "Stop");
    until(&mut harness, |p| p.live.state == LiveState::Stopped);
    assert!(harness.query_by_label("Stopped").is_some());
}

#[test]
fn a_lost_gpu_is_said_above_what_was_measured() {
    let mut harness = usual(Machine {
        lost_after: Some(100),
        ..Machine::default()
    });
    click(&mut harness, "Show GPUs of this machine");
    until(&mut harness, |p| matches!(p.live.state, LiveState::Lost(_)));
    assert!(
        harness
            .query_by_label_contains("Restart the machine")
            .is_some()
    );
    assert!(
        harness
            .query_by_label_contains("measured until then")
            .is_some()
    );
    look(&mut harness, "lost");
    harness.check_accessibility();
}

#[test]
fn the_assistant_goes_from_a_recording_to_a_profile_in_the_scenario() {
    let mut harness = usual(Machine {
        recording: Some(simulated()),
        ..Machine::default()
    });
    click(&mut harness, "Calibrate a GPU profile");
    look(&mut harness, "assistant-source");
    harness.check_accessibility();
    answer(&harness, "/logs/run.parquet");
    click(&mut harness, "Use a recorded file…");
    until(&mut harness, |p| p.live.assistant.step == Step::Calibrate);
    harness.check_accessibility();
    look(&mut harness, "assistant-calibrating");
    until(&mut harness, |p| p.live.assistant.step == Step::Findings);
    look(&mut harness, "assistant-findings");
    harness.check_accessibility();
    for words in [
        "Energy off by",
        "NRMSE",
        "R² of the autocorrelation",
        "Gain of the card",
    ] {
        assert!(
            harness.query_all_by_label_contains(words).count() > 0,
            "{words}"
        );
    }
    let report = harness.state().live.assistant.report.clone().unwrap();
    let labels: Vec<&str> = report.groups[0].phases.iter().map(|p| p.label).collect();
    assert!(
        labels.contains(&"training") && labels.contains(&"idle"),
        "{labels:?}"
    );
    let gates = &report.groups[0].gates;
    assert!(
        gates
            .iter()
            .all(|g| g.advice.is_some() == (g.status != crate::live::Status::Pass))
    );
    click(&mut harness, "Name the profile");
    let name = harness.get_by_label("Name");
    name.focus();
    harness.step();
    harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::A);
    harness.step();
    harness.get_by_label("Name").type_text("Our H100");
    harness.step();
    answer(&harness, "/sites/our_h100.toml");
    click(&mut harness, "Save the profile…");
    until(&mut harness, |p| p.live.assistant.saved.is_some());
    let (path, text) = harness.state().machine.written.lock().unwrap()[0].clone();
    assert_eq!(path, PathBuf::from("/sites/our_h100.toml"));
    assert!(text.contains("label = \"Our H100\""), "{text}");
    let profile: toml::Table = text.parse().unwrap();
    let high = &profile["phases"]["train_compute"]["power_w"]["value"];
    let high_w: f64 = high.to_string().parse().unwrap();
    assert!((high_w / 650.0 - 1.0).abs() < 0.03, "{high_w}");
    click(&mut harness, "Put it into the open scenario");
    let text = harness.state().document.text().to_owned();
    assert!(text.starts_with("# Mine\nname = \"site\"\n"), "{text}");
    let key = key_of("Our H100");
    assert!(
        text.contains(&format!("[gpus.{key}]\npreset = \"./our_h100.toml\"")),
        "{text}"
    );
    look(&mut harness, "assistant-profile");
    harness.check_accessibility();
}

#[test]
fn the_assistant_records_this_machine() {
    let mut harness = usual(Machine {
        recording: Some(simulated()),
        ..Machine::default()
    });
    click(&mut harness, "Calibrate a GPU profile");
    click(&mut harness, "Record GPUs of this machine");
    until(&mut harness, |p| p.live.t_s > 0.2);
    answer(&harness, "/logs/new.parquet");
    click(&mut harness, "Choose a file…");
    until(&mut harness, |p| p.live.assistant.file.is_some());
    look(&mut harness, "assistant-plan");
    harness.check_accessibility();
    click(&mut harness, "Record");
    until(&mut harness, |p| p.live.recording() && p.live.t_s > 0.5);
    look(&mut harness, "assistant-recording");
    harness.check_accessibility();
    click(&mut harness, "Stop and calibrate");
    until(&mut harness, |p| p.live.assistant.step == Step::Findings);
}

#[test]
fn at_twice_the_size_nothing_is_cut_off() {
    let mut harness = panel(
        Machine {
            recording: Some(simulated()),
            ..Machine::default()
        },
        vec2(640.0, 400.0),
        egui::Theme::Dark,
    );
    // In points: 1280 × 800 at 200 %.
    look(&mut harness, "off-narrow-dark");
    answer(&harness, "/logs/run.parquet");
    click(&mut harness, "Open a recording…");
    until(&mut harness, |p| p.live.t_s > 0.5);
    look(&mut harness, "playback-narrow-dark");
    click(&mut harness, "Calibrate a GPU profile");
    click(&mut harness, "Use run.parquet, which is shown");
    until(&mut harness, |p| p.live.assistant.step == Step::Findings);
    look(&mut harness, "assistant-findings-narrow-dark");
    for node in harness.get_all_by_role(egui::accesskit::Role::Button) {
        let rect = node.rect();
        assert!(
            rect.left() >= 0.0 && rect.right() <= 640.0,
            "{node:?} {rect:?}"
        );
    }
}
