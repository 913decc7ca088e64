//! The list of jobs, with progress and a way to cancel.

use crate::engine::JobState;
use crate::plot::ViewContext;

/// Draws the list.
pub fn show(ui: &mut egui::Ui, cx: &mut ViewContext<'_>, jobs: &[JobState]) {
    let _ = (ui, cx, jobs);
}
