//! A plot over something else than time: spectrum, ramps, load duration.

use std::collections::BTreeSet;
use std::sync::Arc;

use egui::{Mesh, Pos2, Rect, Response, Role, Shape, TextStyle, Ui, UiBuilder, Vec2, WidgetInfo};
use egui_plot::{
    GridInput, GridMark, PlotBounds, PlotGeometry, PlotItem, PlotItemBase, PlotTransform,
};

use crate::plot::band::{self, Mapping};
use crate::plot::legend::{self, Chip};
use crate::plot::model::{AxisKind, Curve, Ink, Upright, XyChart};
use crate::plot::quantity;
use crate::plot::time_plot::{axis_x, axis_y, draw_rules, frame};
use crate::plot::{ViewContext, axis, gesture, look};
use crate::theme::Theme;

/// How near the pointer must be to a point or a line to read it, points.
const NEAR: f32 = 12.0;

/// Share of the height, from above, in which lines may have labels.
const LABELLED: f32 = 0.33;

/// What such a plot remembers between frames.
#[derive(Debug, Default)]
pub struct XyPlot {
    /// Curves that the user hid or showed against what the chart says.
    flipped: BTreeSet<String>,
    /// Shown range along the bottom; none: all.
    range: Option<(f64, f64)>,
}

impl XyPlot {
    /// Draws the chart.
    pub fn show(&mut self, ui: &mut Ui, cx: &mut ViewContext<'_>, chart: &XyChart) -> Response {
        if cx.stale {
            ui.multiply_opacity(cx.theme.stale_alpha);
        }
        let curves = chart.curves.iter();
        let shown: Vec<bool> = curves
            .map(|c| c.shown != self.flipped.contains(&c.name))
            .collect();
        let whole = whole(chart);
        let x = self.range.unwrap_or(whole);
        let y = values(chart, &shown, x);
        self.legend(ui, cx.theme, chart, &shown, y);
        let theme = cx.theme;
        let layer = Layer {
            base: PlotItemBase::new(chart.title.clone()),
            chart,
            shown: &shown,
            theme,
            x,
            y,
        };
        let body = UiBuilder::new().id_salt("plot");
        let (across, up) = (scale(chart.x, x), scale(chart.y, y));
        let plotted = ui.scope_builder(body, |ui| {
            let kinds = (chart.x, chart.y);
            let plot = frame("xy", ui, theme)
                .x_grid_spacer(move |input| spacer(kinds.0, across, &input, true))
                .y_grid_spacer(move |input| spacer(kinds.1, up, &input, false))
                .custom_x_axes(vec![
                    axis_x(theme, ui)
                        .label_spacing(axis::labelled(kinds.0.is_log(), true))
                        .formatter(move |mark, _| tick(kinds.0, across, mark)),
                ])
                .custom_y_axes(vec![
                    axis_y(theme, ui)
                        .label_spacing(axis::labelled(kinds.1.is_log(), false))
                        .formatter(move |mark, range| {
                            axis::off_corner(mark, range, tick(kinds.1, up, mark))
                        }),
                ]);
            plot.show(ui, |plot| {
                plot.set_plot_bounds(PlotBounds::from_min_max([x.0, y.0], [x.1, y.1]));
                plot.add(layer);
            })
        });
        let response = plotted.inner.response;
        match gesture::of(ui, &response, theme) {
            Some(gesture::Gesture::Whole) => self.range = None,
            Some(gesture::Gesture::Change(change)) => {
                let range = change.apply(x, whole);
                self.range = (range != whole).then_some(range);
            }
            Some(gesture::Gesture::Cursor(_)) | None => {}
        }
        response.widget_info(|| WidgetInfo::labeled(Role::Figure, ui.is_enabled(), &chart.title));
        ui.ctx().accesskit_node_builder(response.id, |node| {
            node.set_description(format!("{} {}", chart.summary, gesture::KEYS));
        });
        let at = Mapping::new(response.rect, x, y);
        read_point(chart, &shown, &response, &at, (x, y))
    }

    fn legend(
        &mut self,
        ui: &mut Ui,
        theme: &Theme,
        chart: &XyChart,
        shown: &[bool],
        y: (f64, f64),
    ) {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = Vec2::new(theme.space().medium, 0.0);
            let unit = unit(chart.y, y);
            ui.label(egui::RichText::new(unit).small().color(theme.muted));
            for (curve, shown) in chart.curves.iter().zip(shown) {
                let chip = Chip {
                    name: &curve.name,
                    what: &curve.what,
                    ink: curve.ink,
                    weight: curve.weight,
                    value: None,
                    shown: *shown,
                };
                if legend::chip(ui, theme, &chip).clicked() && !self.flipped.remove(&curve.name) {
                    self.flipped.insert(curve.name.clone());
                }
            }
        });
    }
}

/// Range along the bottom of all curves.
fn whole(chart: &XyChart) -> (f64, f64) {
    let xs = chart.curves.iter().flat_map(|c| &c.points).map(|p| p[0]);
    let (low, high) = xs.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| {
        (a.min(x), b.max(x))
    });
    if low < high {
        (low, high)
    } else if low == high {
        (low - 0.5, high + 0.5)
    } else {
        (0.0, 1.0)
    }
}

/// Range of values of what is shown between the ends of `x`.
fn values(chart: &XyChart, shown: &[bool], x: (f64, f64)) -> (f64, f64) {
    let curves = chart.curves.iter().zip(shown).filter(|(_, shown)| **shown);
    let points = curves.flat_map(|(c, _)| &c.points);
    let inside = points.filter(|p| (x.0..=x.1).contains(&p[0])).map(|p| p[1]);
    let (mut low, mut high) = inside.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), y| {
        (a.min(y), b.max(y))
    });
    if matches!(chart.y, AxisKind::Log(_)) {
        // Below six decades under the highest there is only the noise of numbers.
        low = low.max(high - 6.0);
    }
    let near = (high - low) * 0.3;
    let (from, to) = (low - near, high + near);
    for rule in chart
        .rules
        .iter()
        .filter(|r| (from..=to).contains(&r.value))
    {
        low = low.min(rule.value);
        high = high.max(rule.value);
    }
    if !chart.uprights.is_empty() {
        // Room above the curves for the labels of the upright lines.
        high += (high - low) * f64::from(LABELLED / (1.0 - LABELLED));
    }
    axis::roomy(low, high)
}

/// Base units in the unit that an axis is written in; 1 on logarithmic ones.
fn scale(kind: AxisKind, (low, high): (f64, f64)) -> quantity::Scale {
    match kind {
        AxisKind::Linear(quantity) => quantity.scale(low.abs().max(high.abs())),
        AxisKind::Log(_) | AxisKind::LogHertz | AxisKind::LogSeconds => quantity::Scale {
            factor: 1.0,
            unit: "",
        },
    }
}

fn unit(kind: AxisKind, range: (f64, f64)) -> &'static str {
    match kind {
        AxisKind::Linear(_) => scale(kind, range).unit,
        AxisKind::Log(quantity) => quantity.scale(0.0).unit,
        AxisKind::LogHertz => "Hz",
        AxisKind::LogSeconds => "s",
    }
}

fn spacer(kind: AxisKind, scale: quantity::Scale, input: &GridInput, along: bool) -> Vec<GridMark> {
    match (kind, along) {
        (AxisKind::Linear(_), true) => axis::linear_x(input, scale.factor),
        (AxisKind::Linear(_), false) => axis::linear(input, scale.factor),
        (AxisKind::Log(_) | AxisKind::LogHertz | AxisKind::LogSeconds, _) => {
            axis::log10(input, along)
        }
    }
}

fn tick(kind: AxisKind, scale: quantity::Scale, mark: GridMark) -> String {
    let value = 10_f64.powf(mark.value);
    match kind {
        AxisKind::Linear(quantity::Quantity::Share) => {
            format!("{} %", scale.tick(mark.value, mark.step_size))
        }
        AxisKind::Linear(_) => scale.tick(mark.value, mark.step_size),
        AxisKind::Log(quantity) => {
            let scale = quantity.scale(value * 1.000_001);
            format!(
                "{} {}",
                quantity::significant(value / scale.factor, 2),
                scale.unit
            )
        }
        AxisKind::LogHertz => quantity::hertz(value * 1.000_000_1),
        AxisKind::LogSeconds => quantity::duration(value * 1.000_000_1),
    }
}

/// Shows the nearest point of a curve, or the words of an upright line, under the pointer.
fn read_point(
    chart: &XyChart,
    shown: &[bool],
    response: &Response,
    at: &Mapping,
    (x, y): ((f64, f64), (f64, f64)),
) -> Response {
    let Some(pointer) = response.hover_pos() else {
        return response.clone();
    };
    let mut lines: Vec<String> = Vec::new();
    for upright in &chart.uprights {
        if (at.x(upright.at) - pointer.x).abs() <= NEAR / 2.0 {
            lines.push(upright.text.clone());
        }
    }
    let place = at.t_s(pointer.x);
    for (curve, _) in chart.curves.iter().zip(shown).filter(|(_, s)| **s) {
        if let Some(p) = nearest(curve, place, at, pointer) {
            let value = chart.y.text(p[1], y.1 - y.0);
            let where_ = chart.x.text(p[0], x.1 - x.0);
            lines.push(format!("{}  {value} at {where_}", curve.name));
        }
    }
    if lines.is_empty() {
        return response.clone();
    }
    lines.truncate(8);
    response.clone().on_hover_ui_at_pointer(|ui| {
        for line in lines {
            ui.label(line);
        }
    })
}

/// The highest point of a curve within reach of the pointer's place along the bottom.
fn nearest(curve: &Curve, place: f64, at: &Mapping, pointer: Pos2) -> Option<[f64; 2]> {
    let reach = f64::from(NEAR) / at.per_s;
    let first = curve.points.partition_point(|p| p[0] < place - reach);
    let last = curve.points.partition_point(|p| p[0] <= place + reach);
    let inside = curve.points.get(first..last)?;
    let distance = |p: &[f64; 2]| Pos2::new(at.x(p[0]), at.y(p[1])).distance(pointer);
    let found = inside
        .iter()
        .min_by(|a, b| distance(a).total_cmp(&distance(b)));
    found.filter(|p| distance(p) <= 3.0 * NEAR).copied()
}

struct Layer<'a> {
    base: PlotItemBase,
    chart: &'a XyChart,
    shown: &'a [bool],
    theme: &'a Theme,
    x: (f64, f64),
    y: (f64, f64),
}

impl PlotItem for Layer<'_> {
    fn shapes(&self, ui: &Ui, transform: &PlotTransform, shapes: &mut Vec<Shape>) {
        let at = Mapping::new(*transform.frame(), self.x, self.y);
        self.uprights(&at, shapes);
        let ppp = ui.ctx().pixels_per_point();
        let curves = self.chart.curves.iter().zip(self.shown);
        // The first is on top of the pinned ones.
        for (curve, _) in curves.rev().filter(|(_, shown)| **shown) {
            let stroke = look::stroke(self.theme, curve.ink, curve.weight, ppp);
            let mut mesh = Mesh::default();
            band::curve(&curve.points, &at, &stroke, &mut mesh);
            if !mesh.is_empty() {
                shapes.push(Shape::Mesh(Arc::new(mesh)));
            }
            if curve.markers {
                let radius = self.theme.space().small * 0.75;
                let spots = curve
                    .points
                    .iter()
                    .map(|p| Pos2::new(at.x(p[0]), at.y(p[1])));
                shapes.extend(spots.map(|s| Shape::circle_filled(s, radius, stroke.line)));
            }
        }
        let rules = self.chart.rules.iter();
        draw_rules(ui, self.theme, &at, (self.y, &[]), rules, shapes);
        self.labels(ui, &at, shapes);
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
    /// Those upright lines that are shown, with their place on the screen.
    fn inside(&self, at: &Mapping) -> impl Iterator<Item = (&Upright, f32)> {
        let range = self.x.0..=self.x.1;
        let at = *at;
        let inside = self.chart.uprights.iter();
        let inside = inside.filter(move |u| range.contains(&u.at));
        inside.map(move |u| (u, at.x(u.at)))
    }

    fn uprights(&self, at: &Mapping, shapes: &mut Vec<Shape>) {
        for (upright, x) in self.inside(at) {
            let colour = look::colour(self.theme, upright.ink);
            let ends = [
                Pos2::new(x, at.frame.top()),
                Pos2::new(x, at.frame.bottom()),
            ];
            let dash = self.theme.space().small;
            let stroke = self.theme.thin(colour);
            shapes.extend(Shape::dashed_line(&ends, stroke, dash, dash));
        }
    }

    /// Labels of the upright lines, each in the first row that has room; those that find none are left to the tooltip and the summary.
    fn labels(&self, ui: &Ui, at: &Mapping, shapes: &mut Vec<Shape>) {
        let space = self.theme.space().small;
        let font = TextStyle::Small.resolve(ui.style());
        let mut taken: Vec<Rect> = Vec::new();
        for (upright, x) in self.inside(at) {
            let colour = look::colour(self.theme, upright.ink);
            let text = upright.label.clone();
            let galley = ui.painter().layout_no_wrap(text, font.clone(), colour);
            let size = galley.size();
            let right = x + space + size.x <= at.frame.right();
            let left = if right { x + space } else { x - space - size.x };
            let rows = (at.frame.height() * LABELLED / size.y) as u32;
            let area = |row: u32| {
                let top = at.frame.top() + space + row as f32 * size.y;
                Rect::from_min_size(Pos2::new(left, top), size)
            };
            let free = |area: &Rect| !taken.iter().any(|t| t.intersects(area.shrink(1.0)));
            let Some(area) = (0..rows).map(area).find(free) else {
                continue;
            };
            let ground = self.theme.plot.gamma_multiply(0.85);
            shapes.push(Shape::rect_filled(area, 0, ground));
            shapes.push(Shape::galley(area.min, galley, colour));
            taken.push(area);
        }
    }
}
