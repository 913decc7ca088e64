//! Problems of the document, each with what would be right; a click goes to its field.

use ballast_scenario::Problem;

use crate::plot::ViewContext;

/// Draws the list.
pub fn show(ui: &mut egui::Ui, cx: &mut ViewContext<'_>, problems: &[Problem]) {
    let _ = (ui, cx, problems);
}
