//! What the tests share.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ballast_app::app::Page;
use ballast_app::desktop::machine::Machine;
use ballast_app::platform::memory::MemoryPlatform;
use ballast_app::{Action, App, Command, Platform};
use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use egui_kittest::{Harness, HarnessBuilder};

/// The app in a harness; made in the first frame, as by the window.
pub(crate) struct Driven {
    pub(crate) harness: Harness<'static, Option<App>>,
    /// The machine in memory, where it is one.
    machine: Option<MemoryPlatform>,
}

/// A small site that runs in no time.
pub(crate) const SMALL: &str = include_str!("../../../../examples/smallest.toml");

/// A change to an example's text that leaves out the runs over the ranges of weak constants.
pub(crate) const QUICK: (&str, &str) = (
    "[simulation]",
    "[outputs]\nrange_corners = \"off\"\n\n[simulation]",
);

/// Time after which something that is waited for does not come any more.
const PATIENCE: Duration = Duration::from_mins(2);

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
        let builder = HarnessBuilder::default()
            .with_size((width / pixels_per_point, height / pixels_per_point))
            .with_pixels_per_point(pixels_per_point)
            .with_theme(theme);
        Self::built(builder, Arc::new(machine.clone()), Some(machine.clone()))
    }

    /// On the disk, with this folder for the app's data.
    pub(crate) fn on_disk(data: &Path) -> Self {
        let builder = HarnessBuilder::default().with_size((1280.0, 800.0));
        let machine = Machine::with_data(Some(data.to_owned()));
        Self::built(builder, Arc::new(machine), None)
    }

    fn built(
        builder: HarnessBuilder<Option<App>>,
        platform: Arc<dyn Platform>,
        machine: Option<MemoryPlatform>,
    ) -> Self {
        let mut harness = builder.with_max_steps(40).build_ui_state(
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
        Self { harness, machine }
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

    /// Opens an example with changes to its text, each from and to, before it runs; then it has run.
    pub(crate) fn opened(
        machine: &MemoryPlatform,
        example: &str,
        changes: &[(&str, &str)],
    ) -> Self {
        let mut driven = Self::new(machine);
        driven.app().act(Action::OpenExample(example.to_owned()));
        let mut text = driven.text();
        for (from, to) in changes {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, to);
        }
        driven.act(Action::SetText(text));
        driven.settle();
        driven
    }

    /// Waits until nothing runs beside the window and the window has seen it.
    pub(crate) fn settle(&mut self) {
        let machine = self.machine.clone().expect("a machine in memory");
        for _ in 0..4 {
            self.harness.run_steps(4);
            assert!(machine.wait_idle(), "something runs for ever");
        }
        self.harness.run_steps(2);
    }

    /// Draws until `done`, on any machine.
    pub(crate) fn until(&mut self, what: &str, mut done: impl FnMut(&mut App) -> bool) {
        let begun = Instant::now();
        loop {
            self.harness.run_steps(1);
            if done(self.app()) {
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "{what} does not come");
            std::thread::sleep(Duration::from_millis(5));
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

    /// Types into the form's field of this path, as it is labelled, and presses Enter.
    pub(crate) fn type_in(&mut self, path: &str, label: &str, typed: &str) {
        self.act(Action::FocusField(path.to_owned()));
        self.harness
            .get_by_role_and_label(Role::TextInput, label)
            .type_text(typed);
        self.harness.run_steps(2);
        self.harness.key_press(egui::Key::Enter);
        self.harness.run_steps(3);
    }

    /// Clicks what has this name.
    pub(crate) fn click(&mut self, name: &str) {
        self.harness.get_by_label(name).click();
        self.harness.run_steps(3);
    }

    /// All that a screen reader finds in the window.
    pub(crate) fn told(&self) -> Vec<String> {
        let nodes = self.harness.root().children_recursive();
        let words = nodes.filter_map(|n| {
            let node = n.accesskit_node();
            node.label().or_else(|| node.value())
        });
        words.collect()
    }

    /// Fails where these words stand nowhere in the window.
    pub(crate) fn says(&self, words: &str) {
        let told = self.told();
        assert!(
            told.iter().any(|t| t.contains(words)),
            "not told: {words}; but: {}",
            told.join(" | ")
        );
    }

    /// Another theme and size of the same window, pixels.
    pub(crate) fn look(&mut self, theme: egui::Theme, (width, height): (f32, f32), scale: f32) {
        self.harness.ctx.set_theme(theme);
        self.harness.set_pixels_per_point(scale);
        self.harness
            .set_size(egui::vec2(width / scale, height / scale));
        self.harness.run_steps(4);
    }

    /// Goes to a page by its tab.
    pub(crate) fn tab(&mut self, page: Page, tab: &str) {
        self.harness
            .get_by_role_and_label(Role::Button, tab)
            .click();
        self.harness.run_steps(3);
        assert_eq!(self.app().page(), page);
    }
}
