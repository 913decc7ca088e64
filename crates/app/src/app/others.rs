//! Tiles, exports and live power: what their own modules do, asked for by actions.

use crate::live::LiveAction;
use crate::views::tiles::Tile;

use super::{App, Page};

impl App {
    pub(super) fn toggle_tile(&mut self, tile: Tile) {
        let _ = tile;
        self.page = Page::Plots;
    }

    pub(super) fn menu_tiles(&self, ui: &mut egui::Ui, actions: &mut crate::Actions) {
        let _ = (self, ui, actions);
    }

    pub(super) fn export_figures(&mut self) {}

    pub(super) fn export_traces(&mut self) {}

    pub(super) fn live(&mut self, action: LiveAction) {
        let _ = action;
        self.page = Page::Live;
    }
}
