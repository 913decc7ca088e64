//! The left side: the scenario as a form.

use crate::fields::Form;
use crate::plot::ViewContext;

/// What the form remembers between frames.
#[derive(Debug, Default)]
pub struct FormView {
    /// Field to move the focus to.
    pub focus: Option<String>,
}

impl FormView {
    /// Draws the form.
    pub fn show(&mut self, ui: &mut egui::Ui, cx: &mut ViewContext<'_>, form: &Form) {
        let _ = (ui, cx, form);
    }
}
