//! Names with their values, one below the other.

use egui::accesskit::Role;
use egui::{Align, Layout, RichText, Ui, WidgetInfo};

use crate::theme::Theme;

/// Draws names at the left, values at the right; what is too long for one line goes on in the next. Screen readers get each pair in one.
pub fn key_values<'a>(
    ui: &mut Ui,
    theme: &Theme,
    rows: impl IntoIterator<Item = (&'a str, &'a str)>,
) {
    for (name, value) in rows {
        let width = ui.available_width();
        let spoken = || WidgetInfo::labeled(Role::Label, true, format!("{name}: {value}"));
        let text = |text: &str, ui: &Ui| {
            let style = egui::TextStyle::Body.resolve(ui.style());
            ui.painter()
                .layout_no_wrap(text.to_owned(), style, theme.text)
                .size()
                .x
        };
        let fits = text(name, ui) + text(value, ui) + theme.space().large < width;
        let name = RichText::new(name).color(theme.muted);
        if fits {
            ui.horizontal(|ui| {
                ui.label(name);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    ui.label(value).widget_info(spoken);
                });
            });
        } else {
            ui.add(egui::Label::new(name).wrap());
            ui.with_layout(Layout::top_down(Align::Max), |ui| {
                ui.add(egui::Label::new(value).wrap()).widget_info(spoken);
            });
        }
    }
}
