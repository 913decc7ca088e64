//! Small buttons and heads of sections, drawn: the fonts have no such signs.

use egui::{FontId, Pos2, Rect, Response, Role, Sense, Shape, Stroke, Ui, WidgetInfo, vec2};

use crate::theme::Theme;

/// What a small button shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Icon {
    /// A plus.
    Add,
    /// A cross.
    Remove,
    /// An arrow that goes round.
    Reset,
}

/// A small button with a name for those who do not see it, and as its tooltip.
pub(super) fn button(ui: &mut Ui, theme: &Theme, icon: Icon, name: &str) -> Response {
    let side = ui.spacing().interact_size.y;
    let (rect, response) = ui.allocate_exact_size(vec2(side, side), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    if ui.is_rect_visible(rect) {
        ground(ui, theme, rect, &response);
        let colour = if response.hovered() || response.has_focus() {
            theme.text
        } else {
            theme.muted
        };
        let stroke = theme.line(colour);
        let (middle, r) = (rect.center(), side * 0.2);
        let line = |a: Pos2, b: Pos2| {
            ui.painter().line_segment([a, b], stroke);
        };
        match icon {
            Icon::Add => {
                line(middle - vec2(r, 0.0), middle + vec2(r, 0.0));
                line(middle - vec2(0.0, r), middle + vec2(0.0, r));
            }
            Icon::Remove => {
                line(middle - vec2(r, r), middle + vec2(r, r));
                line(middle - vec2(r, -r), middle + vec2(r, -r));
            }
            Icon::Reset => round_arrow(ui, middle, r * 1.15, stroke),
        }
    }
    response.on_hover_text(name)
}

/// Three quarters of a circle against the clock, with a head.
fn round_arrow(ui: &Ui, middle: Pos2, r: f32, stroke: Stroke) {
    let at = |turn: f32| middle + r * egui::Vec2::angled(turn * std::f32::consts::TAU);
    let points: Vec<Pos2> = (0..=18)
        .map(|i| at(-0.5 + 0.75 * i as f32 / 18.0))
        .collect();
    let head = at(-0.5);
    ui.painter().add(Shape::line(points, stroke));
    ui.painter()
        .line_segment([head, head + vec2(-r * 0.6, -r * 0.7)], stroke);
    ui.painter()
        .line_segment([head, head + vec2(r * 0.75, -r * 0.55)], stroke);
}

/// The head of a section: a triangle that says whether it is open, and its title.
pub(super) fn head(
    ui: &mut Ui,
    theme: &Theme,
    title: &str,
    top: bool,
    open: bool,
    width: f32,
) -> Response {
    let line = ui.spacing().interact_size.y;
    let sizes = theme.text_sizes();
    let size = if top { sizes.strong } else { sizes.body };
    let galley = ui.painter().layout(
        title.to_owned(),
        FontId::proportional(size),
        theme.text,
        width - line,
    );
    let wanted = vec2(width, galley.size().y.max(line));
    let (rect, response) = ui.allocate_exact_size(wanted, Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::DisclosureTriangle, true, open, title));
    if ui.is_rect_visible(rect) {
        ground(ui, theme, rect, &response);
        let middle = rect.left_top() + vec2(line * 0.4, line / 2.0);
        let r = line * 0.16;
        let points = if open {
            [vec2(-r, -r * 0.6), vec2(r, -r * 0.6), vec2(0.0, r)]
        } else {
            [vec2(-r * 0.6, -r), vec2(r, 0.0), vec2(-r * 0.6, r)]
        };
        let points = points.map(|p| middle + p).to_vec();
        ui.painter()
            .add(Shape::convex_polygon(points, theme.muted, Stroke::NONE));
        let text = rect.left_top() + vec2(line * 0.8, (rect.height() - galley.size().y) / 2.0);
        ui.painter().galley(text, galley, theme.text);
    }
    response
}

fn ground(ui: &Ui, theme: &Theme, rect: Rect, response: &Response) {
    let radius = theme.sizes().radius.medium;
    if response.hovered() {
        ui.painter().rect_filled(rect, radius, theme.control_hover);
    }
    if response.has_focus() {
        ui.painter().rect_stroke(
            rect,
            radius,
            theme.line(theme.accent),
            egui::StrokeKind::Inside,
        );
    }
}
