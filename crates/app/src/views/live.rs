//! Live power of GPUs, and the assistant.

use crate::plot::ViewContext;

/// Draws the panel.
pub fn show(ui: &mut egui::Ui, cx: &mut ViewContext<'_>) {
    let _ = (ui, cx);
}
