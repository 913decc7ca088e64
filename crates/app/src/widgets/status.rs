//! A verdict's state: told by glyph, word and colour, never by colour alone.

use ballast_study::outcome::Status;
use egui::{Color32, Response, RichText, Sense, TextStyle, Ui, vec2};

use crate::theme::Theme;

/// Colour of a state.
pub fn colour(theme: &Theme, status: Status) -> Color32 {
    match status {
        Status::Pass => theme.pass,
        Status::Fail => theme.fail,
        Status::Inconclusive => theme.inconclusive,
        Status::NotChecked => theme.not_checked,
    }
}

/// Draws the state's mark, of the size of a line of text: a tick, a cross, a question mark or a dash, each told by its shape alone. It is drawn, not
/// written: not every font has them.
fn mark(ui: &mut Ui, theme: &Theme, status: Status, height: f32) {
    let (rect, _) = ui.allocate_exact_size(vec2(height * MARK, height), Sense::hover());
    let stroke = theme.thick(colour(theme, status));
    let side = rect.width().min(rect.height()) * 0.5 - stroke.width;
    let at = |x: f32, y: f32| rect.center() + vec2(x, y) * side;
    let line = |points: Vec<egui::Pos2>| ui.painter().line(points, stroke);
    match status {
        Status::Pass => {
            line(vec![at(-1.0, 0.1), at(-0.3, 0.8), at(1.0, -0.8)]);
        }
        Status::Fail => {
            line(vec![at(-0.8, -0.8), at(0.8, 0.8)]);
            line(vec![at(-0.8, 0.8), at(0.8, -0.8)]);
        }
        Status::Inconclusive => {
            line(vec![
                at(-0.6, -0.6),
                at(-0.2, -1.0),
                at(0.3, -1.0),
                at(0.6, -0.6),
                at(0.5, -0.2),
                at(0.0, 0.2),
                at(0.0, 0.5),
            ]);
            line(vec![at(0.0, 0.8), at(0.0, 1.1)]);
        }
        Status::NotChecked => {
            line(vec![at(-0.8, 0.0), at(0.8, 0.0)]);
        }
    }
}

/// Width of a mark, of the height of its line.
const MARK: f32 = 0.8;

/// Draws mark and text in the state's colour. Where that has no room in a row that wraps it goes into the next one, and wraps there.
pub fn marked(ui: &mut Ui, theme: &Theme, status: Status, text: RichText) -> Response {
    let wraps = ui.layout().is_horizontal() && ui.layout().main_wrap();
    if !wraps {
        let row = ui.horizontal_wrapped(|ui| mark_and_text(ui, theme, status, text));
        return row.inner;
    }
    let mark = ui.text_style_height(&TextStyle::Body) * MARK + theme.space().small;
    let whole = egui::WidgetText::from(text.clone()).into_galley(
        ui,
        Some(egui::TextWrapMode::Extend),
        f32::INFINITY,
        TextStyle::Body,
    );
    if mark + whole.size().x > ui.available_size_before_wrap().x {
        ui.end_row();
    }
    mark_and_text(ui, theme, status, text)
}

fn mark_and_text(ui: &mut Ui, theme: &Theme, status: Status, text: RichText) -> Response {
    let height = ui.text_style_height(&TextStyle::Body);
    let between = std::mem::replace(&mut ui.spacing_mut().item_spacing.x, theme.space().small);
    mark(ui, theme, status, height);
    ui.spacing_mut().item_spacing.x = between;
    ui.label(text.color(colour(theme, status)))
}

/// Draws mark and a text that may be long, as parts of the row of `ui`: it wraps with the row.
pub fn marked_long(ui: &mut Ui, theme: &Theme, status: Status, text: RichText) -> Response {
    let height = ui.text_style_height(&TextStyle::Body);
    mark(ui, theme, status, height);
    ui.label(text.color(colour(theme, status)))
}

/// Draws mark and word in the state's colour.
pub fn badge(ui: &mut Ui, theme: &Theme, status: Status) -> Response {
    marked(ui, theme, status, RichText::new(status.label()).strong())
}

/// Draws them large, as the head of a page.
pub fn large_badge(ui: &mut Ui, theme: &Theme, status: Status) -> Response {
    let text = RichText::new(status.label()).heading().strong();
    marked(ui, theme, status, text)
}
