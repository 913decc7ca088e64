//! Pinned results and variants beside the shown one.

use std::sync::Arc;

use crate::plot::ViewContext;
use crate::result::RunResult;

/// Draws the table of differences.
pub fn show(
    ui: &mut egui::Ui,
    cx: &mut ViewContext<'_>,
    shown: Option<&RunResult>,
    pinned: &[Arc<RunResult>],
) {
    let _ = (ui, cx, shown, pinned);
}
