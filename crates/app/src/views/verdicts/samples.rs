//! Results of real small runs, for tests of views.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ballast_scenario::Patch;
use ballast_study::{Inputs, Silent};

use crate::action::{Action, Actions};
use crate::plot::{TimeView, ViewContext};
use crate::result::RunResult;
use crate::theme::Theme;
use crate::trace::TraceSet;

/// Text of an example.
pub(crate) fn example(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    std::fs::read_to_string(path.join(name)).expect("an example")
}

/// Result of a text.
pub(crate) fn run(text: &str, changes: &[(&str, &str)]) -> RunResult {
    let patches: Vec<Patch> = changes
        .iter()
        .map(|(path, value)| Patch {
            path: (*path).to_owned(),
            value: (*value).to_owned(),
        })
        .collect();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let loaded = ballast_scenario::load_str("test.toml", text, &folder, &patches).expect("valid");
    let outcome = ballast_study::run(&loaded, &Inputs::default(), None, &Silent).expect("it runs");
    RunResult {
        job: 1,
        name: outcome.scenario.scenario.name.clone(),
        text: text.into(),
        outcome: Arc::new(outcome),
        traces: Arc::new(TraceSet::default()),
        zoom: None,
        unbuffered: None,
        racks: None,
        phases: Arc::new(Vec::new()),
        took: Duration::ZERO,
        ranges_checked: true,
    }
}

/// A block of load on one set.
pub(crate) fn smallest() -> RunResult {
    run(
        &example("smallest.toml"),
        &[("simulation.duration_s", "10")],
    )
}

/// Training off the grid, short.
pub(crate) fn training() -> RunResult {
    run(
        &example("training-offgrid.toml"),
        &[
            ("simulation.duration_s", "5"),
            ("outputs.range_corners", "\"off\""),
        ],
    )
}

/// Loss of a set of two, which the other cannot carry.
pub(crate) fn loses_a_set() -> RunResult {
    run(&example("n-minus-1.toml"), &[("plant.sets.G.count", "2")])
}

/// What a view under test draws with, and what it asked for.
#[derive(Default)]
pub(crate) struct Stage {
    pub(crate) actions: Actions,
    pub(crate) stale: bool,
}

impl Stage {
    /// Draws a view in the theme of `ui`.
    pub(crate) fn draw(
        &mut self,
        ui: &mut egui::Ui,
        view: impl FnOnce(&mut egui::Ui, &mut ViewContext<'_>),
    ) {
        let mut cx = ViewContext {
            theme: Theme::of(ui.ctx()),
            time: TimeView {
                from_s: 0.0,
                to_s: 10.0,
                whole_s: (0.0, 10.0),
                cursor_s: None,
            },
            stale: self.stale,
            actions: &mut self.actions,
        };
        view(ui, &mut cx);
    }

    /// What was asked for.
    pub(crate) fn asked(&mut self) -> Vec<Action> {
        self.actions.drain().collect()
    }
}

/// A harness around a view, with the app's fonts, sizes and colours.
pub(crate) fn harness<'a>(
    size: [f32; 2],
    dark: bool,
    mut view: impl FnMut(&mut egui::Ui, &mut ViewContext<'_>) + 'a,
) -> egui_kittest::Harness<'a, Stage> {
    let theme = if dark {
        egui::Theme::Dark
    } else {
        egui::Theme::Light
    };
    let mut harness = egui_kittest::Harness::builder()
        .with_size(size)
        .with_theme(theme)
        .with_context_setup(|ctx| {
            Theme::light().apply(ctx);
            Theme::dark().apply(ctx);
        })
        .build_ui_state(
            move |ui, stage: &mut Stage| {
                let frame = Theme::of(ui.ctx()).panel_frame();
                egui::CentralPanel::default()
                    .frame(frame)
                    .show(ui, |ui| stage.draw(ui, &mut view));
            },
            Stage::default(),
        );
    harness.run();
    harness
}

/// Writes what it looks like to the folder that `BALLAST_LOOK` names, to be looked at; does nothing without it.
pub(crate) fn look(harness: &mut egui_kittest::Harness<'_, Stage>, name: &str) {
    if let Ok(folder) = std::env::var("BALLAST_LOOK") {
        let image = harness.render().expect("a picture");
        image
            .save(PathBuf::from(folder).join(format!("{name}.png")))
            .expect("it is written");
    }
}
