//! The legend above a plot: each series with its value at the cursor; a click hides or shows it.

use egui::{Color32, Pos2, Rect, Response, Role, Sense, TextStyle, Ui, Vec2, WidgetInfo};

use crate::plot::look;
use crate::plot::model::{Ink, Weight};
use crate::theme::Theme;

/// What a chip of the legend says.
pub(crate) struct Chip<'a> {
    pub(crate) name: &'a str,
    pub(crate) what: &'a str,
    pub(crate) ink: Ink,
    pub(crate) weight: Weight,
    /// Value at the cursor.
    pub(crate) value: Option<String>,
    pub(crate) shown: bool,
}

/// Draws a chip; clicked: it is to be hidden or shown.
pub(crate) fn chip(ui: &mut Ui, theme: &Theme, chip: &Chip<'_>) -> Response {
    let space = theme.space();
    let font = TextStyle::Small.resolve(ui.style());
    let (ink, colour) = if chip.shown {
        (look::colour(theme, chip.ink), theme.text)
    } else {
        (theme.muted.gamma_multiply(theme.stale_alpha), theme.muted)
    };
    let painter = ui.painter();
    let widest = ui.max_rect().width() - 3.0 * space.large;
    let name = painter.layout(chip.name.to_owned(), font.clone(), theme.muted, widest);
    let value = chip.value.as_ref().map(|v| {
        // Room for other digits, so that the row stands still while the cursor moves.
        let galley = painter.layout_no_wrap(v.clone(), font.clone(), colour);
        let room = (galley.size().x / space.large).ceil() * space.large;
        (galley, room)
    });
    let swatch = space.large;
    let room = value.as_ref().map_or(0.0, |(_, room)| space.small + room);
    let size = Vec2::new(
        swatch + space.small + name.size().x + room,
        name.size().y + space.small,
    );
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| {
        let label = match &chip.value {
            Some(value) => format!("{} {value}", chip.name),
            None => chip.name.to_owned(),
        };
        WidgetInfo::selected(Role::CheckBox, ui.is_enabled(), chip.shown, label)
    });
    if ui.is_rect_visible(rect) {
        let painter = ui.painter();
        if response.hovered() || response.has_focus() {
            let radius = theme.sizes().radius.small;
            painter.rect_filled(rect.expand(space.small / 2.0), radius, theme.control);
        }
        if response.has_focus() {
            let radius = theme.sizes().radius.small;
            let around = rect.expand(space.small / 2.0);
            let kind = egui::StrokeKind::Inside;
            painter.rect_stroke(around, radius, theme.thin(theme.accent), kind);
        }
        let middle = rect.center().y;
        draw_swatch(ui, theme, rect.left(), middle, (swatch, ink), chip);
        let at = Pos2::new(
            rect.left() + swatch + space.small,
            middle - name.size().y / 2.0,
        );
        let after = at.x + name.size().x + space.small;
        painter.galley(at, name, theme.muted);
        if let Some((galley, _)) = value {
            painter.galley(Pos2::new(after, at.y), galley, colour);
        }
    }
    let tip = if chip.shown {
        "Click to hide"
    } else {
        "Click to show"
    };
    if chip.what.is_empty() {
        response.on_hover_text(tip)
    } else {
        response.on_hover_text(format!("{}\n{tip}", chip.what))
    }
}

fn draw_swatch(
    ui: &Ui,
    theme: &Theme,
    left: f32,
    middle: f32,
    (width, ink): (f32, Color32),
    chip: &Chip<'_>,
) {
    let painter = ui.painter();
    let space = theme.space();
    let from = Pos2::new(left, middle);
    if chip.weight == Weight::Full {
        let high = space.medium;
        let rect = Rect::from_min_size(from - Vec2::new(0.0, high / 2.0), Vec2::new(width, high));
        painter.rect_filled(rect, 0, theme.band(ink));
    }
    let stroke = match chip.weight {
        Weight::Thin => theme.thin(ink),
        Weight::Full | Weight::Dashed => theme.line(ink),
    };
    let to = Pos2::new(left + width, middle);
    if chip.weight == Weight::Dashed {
        painter.extend(egui::Shape::dashed_line(
            &[from, to],
            stroke,
            space.small,
            space.small,
        ));
    } else {
        painter.line_segment([from, to], stroke);
    }
}
