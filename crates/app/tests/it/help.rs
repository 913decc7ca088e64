//! What the tests share.

use std::sync::Arc;

use ballast_app::platform::memory::MemoryPlatform;
use ballast_app::{Action, App, Command, Platform};
use egui_kittest::{Harness, HarnessBuilder};

/// The app in a harness; made in the first frame, as by the window.
pub(crate) struct Driven {
    pub(crate) harness: Harness<'static, Option<App>>,
    machine: MemoryPlatform,
}

/// A small site that runs in no time.
pub(crate) const SMALL: &str = include_str!("../../../../examples/smallest.toml");

impl Driven {
    pub(crate) fn new(machine: &MemoryPlatform) -> Self {
        Self::sized(machine, 1280.0, 800.0, 1.0, egui::Theme::Dark)
    }

    pub(crate) fn sized(
        machine: &MemoryPlatform,
        width: f32,
        height: f32,
        pixels_per_point: f32,
        theme: egui::Theme,
    ) -> Self {
        let platform: Arc<dyn Platform> = Arc::new(machine.clone());
        let mut harness = HarnessBuilder::default()
            .with_size((width / pixels_per_point, height / pixels_per_point))
            .with_pixels_per_point(pixels_per_point)
            .with_theme(theme)
            .with_max_steps(40)
            .build_ui_state(
                move |ui, app: &mut Option<App>| {
                    match app {
                        Some(app) => {
                            app.logic(&ui.ctx().clone());
                            app.ui(ui);
                        }
                        // The window has the app before its first frame, and with it the text styles.
                        None => *app = Some(App::new(Arc::clone(&platform), ui.ctx())),
                    }
                },
                None,
            );
        harness.run_steps(4);
        Self {
            harness,
            machine: machine.clone(),
        }
    }

    pub(crate) fn app(&mut self) -> &mut App {
        self.harness
            .state_mut()
            .as_mut()
            .expect("after the first frame")
    }

    pub(crate) fn act(&mut self, action: Action) {
        self.app().act(action);
        self.harness.run_steps(3);
    }

    pub(crate) fn command(&mut self, command: Command) {
        self.act(Action::Command(command));
    }

    /// Waits until nothing runs beside the window and the window has seen it.
    pub(crate) fn settle(&mut self) {
        for _ in 0..4 {
            self.harness.run_steps(4);
            assert!(self.machine.wait_idle(), "something runs for ever");
        }
        self.harness.run_steps(2);
    }

    pub(crate) fn text(&mut self) -> String {
        self.app().document().text().to_owned()
    }

    pub(crate) fn last_notice(&mut self) -> String {
        let notices = self.app().notices();
        notices.last().map(|n| n.text.clone()).unwrap_or_default()
    }

    /// Types `more` at the end of the document.
    pub(crate) fn append(&mut self, more: &str) {
        let text = self.text() + more;
        self.act(Action::SetText(text));
    }
}
