//! Tiles, exports and live power: what their own modules do, asked for by actions.

use egui::Ui;

use crate::action::{Action, Actions};
use crate::live::LiveAction;
use crate::views::tiles::Tile;

use super::{App, Page};

impl App {
    pub(super) fn toggle_tile(&mut self, tile: Tile) {
        self.tiles.toggle(tile);
        self.page = Page::Plots;
    }

    /// A switch for every tile.
    pub(super) fn menu_tiles(&self, ui: &mut Ui, actions: &mut Actions) {
        for tile in Tile::ALL {
            let mut on = self.tiles.is_open(tile);
            let entry = ui
                .checkbox(&mut on, tile.title())
                .on_hover_text(tile.help());
            if entry.changed() {
                actions.push(Action::ToggleTile(tile));
            }
        }
    }

    /// Keeps how the tiles lie, once it has changed.
    pub(super) fn remember_tiles(&mut self) {
        let layout = self.tiles.layout();
        if self.prefs.tiles != layout {
            self.prefs.tiles = layout;
            self.prefs.write(&self.platform);
        }
    }

    pub(super) fn export_figures(&mut self) {
        if let Some(result) = &self.runs.result {
            self.exports.figures(result);
        }
    }

    pub(super) fn export_traces(&mut self) {
        if let Some(result) = &self.runs.result
            && let Err(why) = self.exports.traces(result)
        {
            self.say(why);
        }
    }

    /// Takes in what became of exports.
    pub(super) fn take_exports(&mut self) {
        for notice in self.exports.poll() {
            self.say(notice);
        }
    }

    pub(super) fn live(&mut self, action: LiveAction) {
        let mut actions = Actions::default();
        self.live.act(action, &self.document, &mut actions);
        self.all(actions);
    }

    /// Takes in what the live panel's threads found.
    pub(super) fn take_live(&mut self) {
        let mut actions = Actions::default();
        self.live.poll(&mut actions);
        self.all(actions);
    }

    pub(super) fn all(&mut self, mut actions: Actions) {
        let all: Vec<_> = actions.drain().collect();
        for action in all {
            self.act(action);
        }
    }
}
