//! A verdict's state: told by glyph, word and colour, never by colour alone.

use ballast_study::outcome::Status;
use egui::{Color32, Response, RichText, Ui};

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

/// Glyph of a state; each has a shape of its own.
pub fn glyph(status: Status) -> &'static str {
    match status {
        Status::Pass => "✔",
        Status::Fail => "✖",
        Status::Inconclusive => "?",
        Status::NotChecked => "–",
    }
}

/// Glyph and word: "✔ PASS".
pub fn text(status: Status) -> String {
    format!("{} {}", glyph(status), status.label())
}

/// Draws glyph and word in the state's colour.
pub fn badge(ui: &mut Ui, theme: &Theme, status: Status) -> Response {
    let text = RichText::new(text(status))
        .color(colour(theme, status))
        .strong();
    ui.label(text)
}

/// Draws it large, as the head of a page.
pub fn large_badge(ui: &mut Ui, theme: &Theme, status: Status) -> Response {
    let text = RichText::new(text(status))
        .heading()
        .color(colour(theme, status))
        .strong();
    ui.label(text)
}
