//! The first page: bundled examples, recent files, drafts.

use crate::plot::ViewContext;

/// Draws the page.
pub fn show(ui: &mut egui::Ui, cx: &mut ViewContext<'_>) {
    let _ = (ui, cx);
}
