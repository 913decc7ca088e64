//! A plot over the time that all share: bands and lines of its series, limits, marks, the cursor.

use std::collections::BTreeSet;
use std::sync::Arc;

use egui::{
    Align2, Mesh, Pos2, Rect, Response, Role, Shape, TextStyle, Ui, UiBuilder, Vec2, WidgetInfo,
};
use egui_plot::{
    AxisHints, GridMark, Plot, PlotBounds, PlotGeometry, PlotItem, PlotItemBase, PlotTransform,
};

use crate::action::Action;
use crate::plot::band::{self, Mapping};
use crate::plot::legend::{self, Chip};
use crate::plot::model::{Ink, Mark, Rule, Series, TimeChart, Weight};
use crate::plot::quantity::{self, Scale};
use crate::plot::{TimeView, ViewContext, axis, gesture, look, source};
use crate::theme::Theme;
use crate::trace::Window;

/// How near the pointer must be to a mark to read it, points.
const NEAR: f32 = 6.0;

/// Lines across are shown where they are no further from the values than so many times their range.
const REACH: f64 = 1.2;

/// Most buckets asked for: pixels of a very wide window.
const MOST_BUCKETS: usize = 8192;

/// What a plot over time remembers between frames.
#[derive(Debug, Default)]
pub struct TimePlot {
    /// Series that the user hid or showed against what the chart says.
    flipped: BTreeSet<String>,
    /// Of each series, and of its fine part: what was read for the last frame.
    read: Vec<[Read; 2]>,
    /// Width of the plot in the last frame, points.
    width: f32,
}

/// A window of a source, and what it was asked with.
#[derive(Debug, Default)]
struct Read {
    asked: Option<(usize, u64, u64, usize)>,
    window: Window,
}

impl Read {
    fn refresh(&mut self, from: &source::Source, (from_s, to_s): (f64, f64), buckets: usize) {
        let asked = (from.address(), from_s.to_bits(), to_s.to_bits(), buckets);
        if self.asked != Some(asked) || self.window.pending {
            from.window(from_s, to_s, buckets, &mut self.window);
            self.asked = Some(asked);
        }
    }

    fn clear(&mut self) {
        self.asked = None;
        self.window.min.clear();
        self.window.mean.clear();
        self.window.max.clear();
    }
}

impl TimePlot {
    /// Draws the chart with the shared time and cursor; asks for another stretch or moment when the user does.
    pub fn show(&mut self, ui: &mut Ui, cx: &mut ViewContext<'_>, chart: &TimeChart) -> Response {
        if cx.stale {
            ui.multiply_opacity(cx.theme.stale_alpha);
        }
        let shown: Vec<bool> = chart.series.iter().map(|s| self.is_shown(s)).collect();
        let reading = self.read(ui, cx, chart, &shown);
        if reading {
            ui.ctx().request_repaint();
        }
        let (low, high) = self.range(chart, &shown);
        let largest = low.abs().max(high.abs());
        let scale = chart.quantity.scale(largest);
        self.legend(ui, cx, chart, &shown, (low, high), scale);
        let time = stretch(&cx.time);
        let layer = Layer {
            base: PlotItemBase::new(chart.title.clone()),
            chart,
            read: &self.read,
            shown: &shown,
            theme: cx.theme,
            cursor_s: cx.time.cursor_s,
            time,
            values: (low, high),
        };
        let body = UiBuilder::new().id_salt("plot");
        let plotted = ui.scope_builder(body, |ui| {
            let plot = frame("time", ui, cx.theme)
                .x_grid_spacer(|input| axis::time(&input))
                .y_grid_spacer(move |input| axis::linear(&input, scale.factor))
                .custom_x_axes(vec![axis_x(cx.theme, ui).formatter(|mark: GridMark, _| {
                    quantity::moment(mark.value, mark.step_size)
                })])
                .custom_y_axes(vec![axis_y(cx.theme, ui).formatter(
                    move |mark: GridMark, range| {
                        axis::off_corner(mark, range, scale.tick(mark.value, mark.step_size))
                    },
                )]);
            plot.show(ui, |plot| {
                plot.set_plot_bounds(PlotBounds::from_min_max([time.0, low], [time.1, high]));
                plot.add(layer);
            })
        });
        let plotted = plotted.inner;
        let response = plotted.response;
        self.width = response.rect.width();
        let at = Mapping::new(response.rect, time, (low, high));
        respond(ui, cx, &response, &at);
        describe(ui, cx, chart, &response);
        read_mark(chart, &response, &at)
    }

    fn is_shown(&self, series: &Series) -> bool {
        series.shown != self.flipped.contains(&series.name)
    }

    /// Forgets what was read: another result is shown.
    pub fn forget(&mut self) {
        self.read.clear();
    }

    /// Reads what is shown; whether finer values are still on their way.
    fn read(&mut self, ui: &Ui, cx: &ViewContext<'_>, chart: &TimeChart, shown: &[bool]) -> bool {
        let width = if self.width > 0.0 {
            self.width
        } else {
            ui.available_width()
        };
        let pixels = (width * ui.ctx().pixels_per_point()).ceil().max(1.0);
        let buckets = (pixels as usize).min(MOST_BUCKETS);
        let time = stretch(&cx.time);
        self.read.resize_with(chart.series.len(), Default::default);
        let mut pending = false;
        for ((series, read), shown) in chart.series.iter().zip(&mut self.read).zip(shown) {
            let sources = [Some(&series.source), series.fine.as_ref()];
            for (source, read) in sources.into_iter().zip(read.iter_mut()) {
                match source {
                    Some(source) if *shown => {
                        read.refresh(source, time, buckets);
                        pending |= read.window.pending;
                    }
                    _ => read.clear(),
                }
            }
        }
        pending
    }

    /// Range of values to show.
    fn range(&self, chart: &TimeChart, shown: &[bool]) -> (f64, f64) {
        let mut low = f64::INFINITY;
        let mut high = f64::NEG_INFINITY;
        let mut take = |a: f64, b: f64| {
            low = low.min(a);
            high = high.max(b);
        };
        let rows = self.read.iter().zip(shown).filter(|(_, shown)| **shown);
        for window in rows.flat_map(|(read, _)| read) {
            if let Some((a, b)) = source::range(&window.window) {
                take(f64::from(a), f64::from(b));
            }
        }
        let near = (high - low).max(0.0) * REACH;
        let (from, to) = (low - near, high + near);
        let rules = chart.rules.iter().filter(|r| visible(r.of, shown));
        for rule in rules.filter(|r| (from..=to).contains(&r.value)) {
            low = low.min(rule.value);
            high = high.max(rule.value);
        }
        axis::roomy(low, high)
    }

    fn legend(
        &mut self,
        ui: &mut Ui,
        cx: &ViewContext<'_>,
        chart: &TimeChart,
        shown: &[bool],
        (low, high): (f64, f64),
        scale: Scale,
    ) {
        let theme = cx.theme;
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = Vec2::new(theme.space().medium, 0.0);
            let unit = egui::RichText::new(scale.unit).small().color(theme.muted);
            ui.label(unit);
            for (series, shown) in chart.series.iter().zip(shown) {
                let at = cx.time.cursor_s.filter(|_| *shown);
                let value = at.and_then(|t| {
                    let fine = series.fine.as_ref().and_then(|f| f.at(t));
                    fine.or_else(|| series.source.at(t))
                });
                let span = high - low;
                let value = value.filter(|v| !v.is_nan());
                let chip = Chip {
                    name: &series.name,
                    what: &series.what,
                    ink: series.ink,
                    weight: series.weight,
                    value: value.map(|v| chart.quantity.text(f64::from(v), span)),
                    shown: *shown,
                };
                if legend::chip(ui, theme, &chip).clicked() && !self.flipped.remove(&series.name) {
                    self.flipped.insert(series.name.clone());
                }
            }
        });
    }
}

/// The shown stretch; where there is none, the whole run.
fn stretch(time: &TimeView) -> (f64, f64) {
    let some = |(from, to): &(f64, f64)| from < to;
    let shown = [(time.from_s, time.to_s), time.whole_s];
    shown.into_iter().find(some).unwrap_or((0.0, 1.0))
}

/// Whether what belongs to a series is shown with it.
fn visible(of: Option<usize>, shown: &[bool]) -> bool {
    of.is_none_or(|i| shown.get(i).copied().unwrap_or(false))
}

/// A plot that is moved by [`gesture`] alone.
pub(crate) fn frame<'a>(salt: &'static str, ui: &Ui, theme: &Theme) -> Plot<'a> {
    Plot::new(salt)
        // Room for the half of the last label that stands out to the right.
        .width((ui.available_width() - theme.space().large).max(theme.space().huge))
        .height(ui.available_height().max(theme.space().huge))
        .allow_zoom(false)
        .allow_drag(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_axis_zoom_drag(false)
        .allow_double_click_reset(false)
        .show_crosshair(false)
        .show_x(false)
        .show_y(false)
        .grid_color(theme.grid)
        .grid_fade(0.0)
        .grid_spacing(axis::LEAST_SPACING..=axis::LEAST_SPACING * 8.0)
        .set_margin_fraction(Vec2::ZERO)
}

pub(crate) fn axis_x<'a>(theme: &Theme, ui: &Ui) -> AxisHints<'a> {
    AxisHints::new_x()
        .label_spacing(axis::labelled_x())
        .tick_label_color(theme.muted)
        .tick_label_font(TextStyle::Small.resolve(ui.style()))
}

pub(crate) fn axis_y<'a>(theme: &Theme, ui: &Ui) -> AxisHints<'a> {
    AxisHints::new_y()
        .label_spacing(axis::labelled_y())
        .min_thickness(theme.panels().plot_axis_width)
        .tick_label_color(theme.muted)
        .tick_label_font(TextStyle::Small.resolve(ui.style()))
}

/// Turns what the user does into actions.
fn respond(ui: &Ui, cx: &mut ViewContext<'_>, response: &Response, at: &Mapping) {
    let (from, to) = stretch(&cx.time);
    if let Some(pointer) = response.hover_pos() {
        let t_s = at.t_s(pointer.x).clamp(from, to);
        if cx.time.cursor_s != Some(t_s) {
            cx.actions.push(Action::Cursor(Some(t_s)));
        }
    }
    match gesture::of(ui, response, cx.theme) {
        Some(gesture::Gesture::Whole) => cx.actions.push(Action::ZoomAll),
        Some(gesture::Gesture::Change(change)) => {
            let asked = change.apply((from, to), cx.time.whole_s);
            if asked != (from, to) {
                let (from_s, to_s) = asked;
                cx.actions.push(Action::Zoom { from_s, to_s });
            }
        }
        Some(gesture::Gesture::Cursor(share)) => {
            let now = cx.time.cursor_s.unwrap_or(f64::midpoint(from, to));
            let t_s = (now + share * (to - from)).clamp(cx.time.whole_s.0, cx.time.whole_s.1);
            cx.actions.push(Action::Cursor(Some(t_s)));
        }
        None => {}
    }
}

/// Name and summary for screen readers.
fn describe(ui: &Ui, cx: &ViewContext<'_>, chart: &TimeChart, response: &Response) {
    response.widget_info(|| WidgetInfo::labeled(Role::Figure, ui.is_enabled(), &chart.title));
    let (from, to) = stretch(&cx.time);
    ui.ctx().accesskit_node_builder(response.id, |node| {
        let step = (to - from) / 100.0;
        let shown = format!(
            "Shows {} to {}.",
            quantity::moment(from, step),
            quantity::moment(to, step)
        );
        node.set_description(format!("{} {shown} {}", chart.summary, gesture::KEYS));
    });
}

/// Shows the words of the mark under the pointer.
fn read_mark(chart: &TimeChart, response: &Response, at: &Mapping) -> Response {
    let Some(pointer) = response.hover_pos() else {
        return response.clone();
    };
    let mut near: Vec<&Mark> = chart
        .marks
        .iter()
        .filter(|m| (at.x(m.at_s) - pointer.x).abs() <= NEAR)
        .collect();
    near.truncate(8);
    if near.is_empty() {
        return response.clone();
    }
    response.clone().on_hover_ui_at_pointer(|ui| {
        for mark in near {
            let when = quantity::moment(mark.at_s, 1e-3);
            ui.label(format!("{when}  {}", mark.text));
        }
    })
}

/// Everything of a chart as one item of the plot.
struct Layer<'a> {
    base: PlotItemBase,
    chart: &'a TimeChart,
    read: &'a [[Read; 2]],
    shown: &'a [bool],
    theme: &'a Theme,
    cursor_s: Option<f64>,
    time: (f64, f64),
    values: (f64, f64),
}

impl PlotItem for Layer<'_> {
    fn shapes(&self, ui: &Ui, transform: &PlotTransform, shapes: &mut Vec<Shape>) {
        let at = Mapping::new(*transform.frame(), self.time, self.values);
        self.zones(&at, shapes);
        self.series(ui, &at, shapes);
        self.rules(ui, &at, shapes);
        self.marks(&at, shapes);
        self.cursor(ui, &at, shapes);
    }

    fn initialize(&mut self, _x_range: std::ops::RangeInclusive<f64>) {}

    fn color(&self) -> egui::Color32 {
        look::colour(self.theme, Ink::Load)
    }

    fn allow_hover(&self) -> bool {
        false
    }

    fn geometry(&self) -> PlotGeometry<'_> {
        PlotGeometry::None
    }

    fn bounds(&self) -> PlotBounds {
        PlotBounds::NOTHING
    }

    fn base(&self) -> &PlotItemBase {
        &self.base
    }

    fn base_mut(&mut self) -> &mut PlotItemBase {
        &mut self.base
    }
}

impl Layer<'_> {
    fn zones(&self, at: &Mapping, shapes: &mut Vec<Shape>) {
        let zones = self.chart.zones.iter();
        for zone in zones.filter(|z| visible(z.of, self.shown)) {
            let low = zone.low.max(self.values.0);
            let high = zone.high.min(self.values.1);
            if low >= high {
                continue;
            }
            let area = Rect::from_x_y_ranges(at.frame.x_range(), at.y(high)..=at.y(low));
            let colour = match zone.ink {
                Ink::Violation => self.theme.violation_area(),
                ink => self
                    .theme
                    .band(look::colour(self.theme, ink))
                    .gamma_multiply(0.5),
            };
            shapes.push(Shape::rect_filled(area, 0, colour));
        }
        if let Some((from_s, to_s)) = self.chart.fine_s {
            let area = Rect::from_x_y_ranges(at.x(from_s)..=at.x(to_s), at.frame.y_range());
            let stroke = self.theme.thin(self.theme.border_strong);
            for x in [area.left(), area.right()] {
                let ends = [Pos2::new(x, area.top()), Pos2::new(x, area.bottom())];
                let dash = self.theme.space().small;
                shapes.extend(Shape::dashed_line(&ends, stroke, dash / 2.0, dash));
            }
        }
    }

    fn series(&self, ui: &Ui, at: &Mapping, shapes: &mut Vec<Shape>) {
        let rows = self.chart.series.iter().zip(self.read).zip(self.shown);
        let (under, over): (Vec<_>, Vec<_>) = rows
            .filter(|(_, shown)| **shown)
            .partition(|((series, _), _)| series.weight == Weight::Dashed);
        for ((series, read), _) in under.into_iter().chain(over) {
            let ppp = ui.ctx().pixels_per_point();
            let stroke = look::stroke(self.theme, series.ink, series.weight, ppp);
            for read in read {
                let mut mesh = Mesh::default();
                band::draw(&read.window, at, &stroke, &mut mesh);
                if !mesh.is_empty() {
                    shapes.push(Shape::Mesh(Arc::new(mesh)));
                }
            }
        }
    }

    fn rules(&self, ui: &Ui, at: &Mapping, shapes: &mut Vec<Shape>) {
        let rules = self.chart.rules.iter();
        let rules = rules.filter(|r| visible(r.of, self.shown));
        let mut taken = Vec::new();
        if let Some((x, galley, area)) = self.cursor_label(ui, at) {
            drop(galley);
            taken.push(area.expand(2.0));
            let line = Rect::from_x_y_ranges(x..=x, at.frame.y_range());
            taken.push(line.expand(2.0));
        }
        draw_rules(ui, self.theme, at, (self.values, &taken), rules, shapes);
    }

    fn marks(&self, at: &Mapping, shapes: &mut Vec<Shape>) {
        let space = self.theme.space();
        for mark in &self.chart.marks {
            if mark.at_s < self.time.0 || mark.at_s > self.time.1 {
                continue;
            }
            let colour = look::colour(self.theme, mark.ink);
            let x = at.x(mark.at_s);
            if let Some(value) = mark.value {
                let spot = Pos2::new(x, at.y(value));
                shapes.push(Shape::circle_stroke(
                    spot,
                    space.small,
                    self.theme.line(colour),
                ));
            } else {
                let ends = [
                    Pos2::new(x, at.frame.top()),
                    Pos2::new(x, at.frame.bottom()),
                ];
                let faint = self.theme.thin(self.theme.band(colour));
                shapes.push(Shape::line_segment(ends, faint));
            }
            // A flag at the top, to be found and hovered.
            let flag = vec![
                Pos2::new(x - space.small, at.frame.top()),
                Pos2::new(x + space.small, at.frame.top()),
                Pos2::new(x, at.frame.top() + 1.5 * space.small),
            ];
            shapes.push(Shape::convex_polygon(flag, colour, egui::Stroke::NONE));
        }
    }

    fn cursor(&self, ui: &Ui, at: &Mapping, shapes: &mut Vec<Shape>) {
        let Some((x, galley, area)) = self.cursor_label(ui, at) else {
            return;
        };
        let ends = [
            Pos2::new(x, at.frame.top()),
            Pos2::new(x, at.frame.bottom()),
        ];
        shapes.push(Shape::line_segment(
            ends,
            self.theme.thin(self.theme.cursor),
        ));
        on_ground(self.theme, galley, area, shapes);
    }

    /// Where the cursor is, its moment as text, and the place of that.
    fn cursor_label(&self, ui: &Ui, at: &Mapping) -> Option<(f32, Arc<egui::Galley>, Rect)> {
        let t_s = self
            .cursor_s
            .filter(|t| (self.time.0..=self.time.1).contains(t))?;
        let x = at.x(t_s);
        let step = (self.time.1 - self.time.0) / f64::from(at.frame.width().max(1.0));
        let text = quantity::moment(t_s, step.min(30.0));
        let space = self.theme.space().small;
        let right = x < at.frame.center().x;
        let (off, anchor) = if right {
            (space, Align2::LEFT_TOP)
        } else {
            (-space, Align2::RIGHT_TOP)
        };
        let spot = Pos2::new(x + off, at.frame.top() + space);
        let font = TextStyle::Small.resolve(ui.style());
        let galley = ui.painter().layout_no_wrap(text, font, self.theme.text);
        let area = anchor.anchor_size(spot, galley.size());
        Some((x, galley, area))
    }
}

/// Lines across with their names at the right end, left of what they are to `avoid`; limits that lie outside are named at the edge.
pub(crate) fn draw_rules<'a>(
    ui: &Ui,
    theme: &Theme,
    at: &Mapping,
    ((low, high), avoid): ((f64, f64), &[Rect]),
    rules: impl Iterator<Item = &'a Rule>,
    shapes: &mut Vec<Shape>,
) {
    let frame = at.frame;
    let mut labels: Vec<Shape> = Vec::new();
    let mut taken: Vec<Rect> = Vec::new();
    for rule in rules {
        let colour = look::colour(theme, rule.ink);
        let inside = (low..=high).contains(&rule.value);
        if !inside && rule.ink != Ink::Limit {
            continue;
        }
        let y = at.y(rule.value).clamp(frame.top(), frame.bottom());
        let ends = [Pos2::new(frame.left(), y), Pos2::new(frame.right(), y)];
        if inside && rule.ink == Ink::Limit {
            shapes.push(Shape::line_segment(ends, theme.line(colour)));
        } else if inside {
            let dash = theme.space().small;
            shapes.extend(Shape::dashed_line(&ends, theme.thin(colour), dash, dash));
        }
        let text = if inside {
            rule.name.clone()
        } else if rule.value > high {
            format!("{}, further up", rule.name)
        } else {
            format!("{}, further down", rule.name)
        };
        let below = y - frame.top() < theme.space().large;
        let anchor = if below {
            Align2::RIGHT_TOP
        } else {
            Align2::RIGHT_BOTTOM
        };
        let spot = Pos2::new(frame.right() - theme.space().small, y);
        let font = TextStyle::Small.resolve(ui.style());
        let galley = ui.painter().layout_no_wrap(text, font, colour);
        let mut area = anchor.anchor_size(spot, galley.size());
        while let Some(other) = avoid.iter().find(|other| other.intersects(area)) {
            area = area.translate(Vec2::new(other.left() - area.right() - 1.0, 0.0));
        }
        // Names that would lie on others are left to the summary.
        if !rule.name.is_empty() && !taken.iter().any(|t| t.intersects(area)) {
            let ground = theme.plot.gamma_multiply(0.85);
            labels.push(Shape::rect_filled(area, 0, ground));
            labels.push(Shape::galley(area.min, galley, colour));
            taken.push(area);
        }
    }
    shapes.extend(labels);
}

/// A word in a plot, on its ground.
fn on_ground(theme: &Theme, galley: Arc<egui::Galley>, area: Rect, shapes: &mut Vec<Shape>) {
    let ground = theme.plot.gamma_multiply(0.85);
    shapes.push(Shape::rect_filled(area.expand(1.0), 0, ground));
    shapes.push(Shape::galley(area.min, galley, theme.text));
}
