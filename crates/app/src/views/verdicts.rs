//! The right side: a card per verdict, then energy, peak, fuel and storage.

use crate::plot::ViewContext;
use crate::result::RunResult;

/// Draws the cards.
pub fn show(ui: &mut egui::Ui, cx: &mut ViewContext<'_>, result: Option<&RunResult>) {
    let _ = (ui, cx, result);
}
