//! The app's state, what it does with actions, and how its window is laid out.

use std::sync::Arc;

use crate::action::{Action, Actions};
use crate::platform::Platform;

/// The app.
pub struct App {
    platform: Arc<dyn Platform>,
}

impl App {
    /// The app on this machine.
    pub fn new(platform: Arc<dyn Platform>, ctx: &egui::Context) -> Self {
        let _ = ctx;
        Self { platform }
    }

    /// Takes in what came from beside the window. Called before each frame, also while the window is hidden.
    pub fn logic(&mut self, ctx: &egui::Context) {
        let _ = (&self.platform, ctx);
    }

    /// Draws the window and carries out what was asked for.
    pub fn ui(&mut self, ui: &mut egui::Ui) {
        let mut actions = Actions::default();
        let _ = ui;
        for action in actions.drain() {
            self.act(action);
        }
    }

    /// Carries out an action.
    pub fn act(&mut self, action: Action) {
        let _ = action;
    }
}
