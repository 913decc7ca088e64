//! A card that can be clicked as a whole, and the bar of a margin on it.

use egui::accesskit::Role;
use egui::{Color32, Rect, Response, Sense, Ui, UiBuilder, WidgetInfo, vec2};

use crate::theme::Theme;

/// Draws a card over the whole width with a stripe of `colour` at its side. With an action it is a button, also by keyboard, and `spoken` is what
/// screen readers say; otherwise it is a group of that name.
pub fn card(
    ui: &mut Ui,
    theme: &Theme,
    id: impl egui::AsIdSalt,
    (spoken, colour, clickable): (&str, Color32, bool),
    contents: impl FnOnce(&mut Ui),
) -> Response {
    let (sense, role) = if clickable {
        (Sense::click(), Role::Button)
    } else {
        (Sense::hover(), Role::Group)
    };
    let builder = UiBuilder::new()
        .id_salt(id)
        .sense(sense)
        .accessibility_role(role)
        .accessibility_label(spoken);
    let response = ui
        .scope_builder(builder, |ui| {
            // Text that can be selected would take the click.
            ui.style_mut().interaction.selectable_labels = false;
            let response = ui.response();
            let mut frame = theme.card_frame();
            if clickable && response.has_focus() {
                frame = frame.stroke(theme.line(theme.accent));
            } else if clickable && response.hovered() {
                frame = frame.stroke(theme.thin(theme.border_strong));
            }
            let inner = frame.show(ui, |ui| {
                ui.set_width(ui.available_width());
                contents(ui);
            });
            let stripe = theme.space().small;
            let rect = inner.response.rect;
            let left = Rect::from_min_size(rect.min, vec2(stripe, rect.height()));
            let radius = theme.sizes().radius.large;
            ui.painter().rect_filled(
                left,
                egui::CornerRadius {
                    nw: radius,
                    sw: radius,
                    ..egui::CornerRadius::ZERO
                },
                colour,
            );
        })
        .response;
    if clickable {
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, spoken));
        return response.on_hover_cursor(egui::CursorIcon::PointingHand);
    }
    response
}

/// Share of the bar's width at which the limit stands: room is left to show by how much it is missed.
const LIMIT_AT: f32 = 0.8;

/// Draws what share of the limit is used: a bar to it, and the limit as a line. Decoration: the words beside it say the same.
pub fn margin_bar(ui: &mut Ui, theme: &Theme, used: f64, colour: Color32) {
    let height = theme.space().small;
    let mark = theme.space().medium;
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), mark), Sense::hover());
    let bar = Rect::from_center_size(rect.center(), vec2(rect.width(), height));
    let radius = f32::from(theme.sizes().radius.small).min(height / 2.0);
    let painter = ui.painter();
    painter.rect_filled(bar, radius, theme.control);
    let share = (used.max(0.0) as f32 * LIMIT_AT).min(1.0);
    let filled = Rect::from_min_size(bar.min, vec2(bar.width() * share, height));
    painter.rect_filled(filled, radius, colour);
    let x = bar.left() + bar.width() * LIMIT_AT;
    painter.vline(x, rect.y_range(), theme.thick(theme.text));
}
