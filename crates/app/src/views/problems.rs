//! Problems of the document, each with what would be right; a click goes to its field.

use ballast_scenario::Problem;
use ballast_study::outcome::Status;
use egui::RichText;

use crate::action::Action;
use crate::plot::ViewContext;
use crate::widgets::status;

/// Draws the list.
pub fn show(ui: &mut egui::Ui, cx: &mut ViewContext<'_>, problems: &[Problem]) {
    if problems.is_empty() {
        status::marked(ui, cx.theme, Status::Pass, RichText::new("No problems"));
        return;
    }
    for (i, problem) in problems.iter().enumerate() {
        ui.push_id(i, |ui| {
            ui.horizontal_wrapped(|ui| {
                status::marked(ui, cx.theme, Status::Fail, RichText::new("Problem"));
                if !problem.key.is_empty()
                    && ui
                        .link(&problem.key)
                        .on_hover_text("Go to the field")
                        .clicked()
                {
                    cx.actions.push(Action::FocusField(problem.key.clone()));
                }
                ui.label(&problem.message);
                if !problem.help.is_empty() {
                    ui.label(RichText::new(&problem.help).color(cx.theme.muted));
                }
                let place = match (problem.line, problem.column) {
                    (Some(line), Some(column)) => format!("line {line}, column {column}"),
                    (Some(line), None) => format!("line {line}"),
                    _ => String::new(),
                };
                if !place.is_empty() {
                    ui.label(RichText::new(place).color(cx.theme.muted))
                        .on_hover_text(&problem.file);
                }
            });
        });
    }
}
