//! A plot of power over time as a band with its mean, painted column by column so that no edge and no peak is lost.

use egui::{Align2, Color32, Mesh, Pos2, Rect, Sense, Shape, Ui, pos2, vec2};

use crate::theme::Theme;

/// Extremes and mean over a stretch of time.
pub(super) struct Column {
    /// Begin and end, seconds.
    pub(super) span_s: (f64, f64),
    /// Smallest, mean and largest power, W; NaN for none.
    pub(super) w: [f32; 3],
}

/// A stretch of time with a name and a colour.
pub(super) struct Stretch<'a> {
    pub(super) span_s: (f64, f64),
    pub(super) level_w: f64,
    pub(super) name: &'a str,
    pub(super) colour: Color32,
}

/// What to draw.
pub(super) struct BandPlot<'a> {
    /// Shown stretch, seconds.
    pub(super) x_s: (f64, f64),
    /// Time that is called 0 at the axis, seconds.
    pub(super) zero_s: f64,
    pub(super) limit_w: Option<f64>,
    pub(super) colour: Color32,
    pub(super) height: f32,
    pub(super) stretches: &'a [Stretch<'a>],
    /// What a screen reader says.
    pub(super) summary: String,
}

/// The columns, those that fall on one pixel together: its extremes are theirs, its mean is theirs by time.
fn per_pixel(columns: &[Column], x_s: (f64, f64), pixels: f32) -> Vec<Column> {
    let pixel_s = (x_s.1 - x_s.0) / f64::from(pixels.max(1.0));
    let mut out: Vec<Column> = Vec::with_capacity(columns.len().min(pixels as usize + 2));
    let mut last = None;
    for column in columns {
        let number = ((column.span_s.0 - x_s.0) / pixel_s).floor() as i64;
        let joined = out.last_mut().filter(|before| {
            last == Some(number) && before.w[1].is_finite() && column.w[1].is_finite()
        });
        if let Some(before) = joined {
            let (old_s, new_s) = (
                before.span_s.1 - before.span_s.0,
                column.span_s.1 - column.span_s.0,
            );
            let share = (new_s / (old_s + new_s)) as f32;
            before.w[0] = before.w[0].min(column.w[0]);
            before.w[1] += share * (column.w[1] - before.w[1]);
            before.w[2] = before.w[2].max(column.w[2]);
            before.span_s.1 = column.span_s.1;
        } else {
            last = Some(number);
            out.push(Column {
                span_s: column.span_s,
                w: column.w,
            });
        }
    }
    out
}

/// A round step that gives about `count` of them up to `range`.
fn step(range: f64, count: f64) -> f64 {
    let rough = range / count;
    let power = 10_f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|f| f * power)
        .find(|s| *s >= rough)
        .unwrap_or(10.0 * power)
}

/// A time on the axis.
fn time_text(s: f64, step_s: f64) -> String {
    let near = if s.abs() < 1e-9 { 0.0 } else { s };
    if step_s >= 60.0 {
        format!("{:.0} min", near / 60.0)
    } else if step_s >= 1.0 {
        format!("{near:.0} s")
    } else {
        format!("{near:.1} s")
    }
}

impl BandPlot<'_> {
    /// Draws it over the whole width.
    pub(super) fn show(&self, ui: &mut Ui, theme: &Theme, columns: &[Column]) {
        let size = vec2(ui.available_width(), self.height);
        let (outer, response) = ui.allocate_exact_size(size, Sense::hover());
        response.widget_info(|| {
            egui::WidgetInfo::labeled(egui::Role::Image, true, self.summary.clone())
        });
        let line = ui.text_style_height(&egui::TextStyle::Small);
        let plot = Rect::from_min_max(
            outer.min + vec2(theme.panels().plot_axis_width, 0.5 * line),
            outer.max - vec2(theme.space().medium, line + theme.space().small),
        );
        if !plot.is_positive() || !ui.is_rect_visible(outer) {
            return;
        }
        let highest = columns
            .iter()
            .map(|c| f64::from(c.w[2]))
            .chain(self.limit_w)
            .filter(|w| w.is_finite())
            .fold(0.0, f64::max);
        let room = 1.04 * if highest > 0.0 { highest } else { 100.0 };
        let (x_s, top_w) = (self.x_s, room);
        let at_x = move |t: f64| {
            let share = (t - x_s.0) / (x_s.1 - x_s.0).max(1e-9);
            plot.left() + plot.width() * share as f32
        };
        let at_y = move |w: f64| plot.bottom() - plot.height() * (w / top_w) as f32;
        let columns = &per_pixel(columns, x_s, plot.width() * ui.ctx().pixels_per_point());
        self.ground(ui, theme, plot, (&at_x, &at_y), top_w);
        let painter = ui.painter_at(plot);
        for stretch in self.stretches {
            let span = (at_x(stretch.span_s.0), at_x(stretch.span_s.1));
            let area = Rect::from_x_y_ranges(span.0..=span.1, plot.y_range());
            painter.rect_filled(area, 0.0, theme.band(stretch.colour));
        }
        painter.add(Shape::mesh(self.curve(theme, columns, (&at_x, &at_y))));
        for stretch in self.stretches {
            let span = (at_x(stretch.span_s.0), at_x(stretch.span_s.1));
            painter.hline(
                span.0..=span.1,
                at_y(stretch.level_w),
                theme.thick(stretch.colour),
            );
            let font = egui::TextStyle::Small.resolve(ui.style());
            let galley = painter.layout_no_wrap(stretch.name.to_owned(), font, theme.text);
            // A name that does not fit stands in the table below.
            if galley.size().x < span.1 - span.0 - theme.space().small {
                let middle = 0.5 * (span.0 + span.1) - 0.5 * galley.size().x;
                let above = at_y(stretch.level_w) - galley.size().y - theme.space().small;
                let inside = above.max(plot.top() + 1.0);
                let ground = Rect::from_min_size(pos2(middle, inside), galley.size());
                painter.rect_filled(ground.expand(2.0), 2.0, theme.plot);
                painter.galley(ground.min, galley, theme.text);
            }
        }
        if let Some(limit_w) = self.limit_w {
            painter.extend(Shape::dashed_line(
                &[
                    pos2(plot.left(), at_y(limit_w)),
                    pos2(plot.right(), at_y(limit_w)),
                ],
                theme.line(theme.limit),
                theme.space().medium,
                theme.space().small,
            ));
        }
        if let Some(pointer) = response.hover_pos().filter(|p| plot.contains(*p)) {
            self.read_out(&response, columns, plot, pointer);
        }
    }

    /// Ground, grid and the words at the axes.
    fn ground(
        &self,
        ui: &Ui,
        theme: &Theme,
        plot: Rect,
        (at_x, at_y): (&dyn Fn(f64) -> f32, &dyn Fn(f64) -> f32),
        top_w: f64,
    ) {
        let painter = ui.painter();
        let font = egui::TextStyle::Small.resolve(ui.style());
        painter.rect_filled(plot, 0.0, theme.plot);
        let line = ui.text_style_height(&egui::TextStyle::Small);
        let most = f64::from((plot.height() / (2.0 * line)).clamp(1.0, 6.0));
        let each_w = step(top_w, most);
        for k in 0..=(top_w / each_w) as u32 {
            let w = f64::from(k) * each_w;
            painter.hline(plot.x_range(), at_y(w), theme.thin(theme.grid));
            painter.text(
                pos2(plot.left() - theme.space().small, at_y(w)),
                Align2::RIGHT_CENTER,
                format!("{w:.0} W"),
                font.clone(),
                theme.muted,
            );
        }
        let span_s = self.x_s.1 - self.x_s.0;
        let many = f64::from((plot.width() / (8.0 * line)).clamp(1.0, 8.0));
        let mut each_s = step(span_s, many);
        // Minutes are no tens of seconds.
        if each_s > 20.0 {
            each_s = [30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0]
                .into_iter()
                .find(|s| *s >= span_s / many)
                .unwrap_or(each_s);
        }
        let first = ((self.x_s.0 - self.zero_s) / each_s).ceil() as i64;
        let last = ((self.x_s.1 - self.zero_s) / each_s + 1e-9).floor() as i64;
        for k in first..=last {
            let s = k as f64 * each_s;
            let x = at_x(s + self.zero_s);
            painter.vline(x, plot.y_range(), theme.thin(theme.grid));
            let align = if x > plot.right() - 2.0 * line {
                Align2::RIGHT_TOP
            } else {
                Align2::CENTER_TOP
            };
            painter.text(
                pos2(x, plot.bottom() + theme.space().small),
                align,
                time_text(s, each_s),
                font.clone(),
                theme.muted,
            );
        }
    }

    /// The band, and the mean as bars that join up: strokes between sharp turns would lose edges.
    fn curve(
        &self,
        theme: &Theme,
        columns: &[Column],
        (at_x, at_y): (&dyn Fn(f64) -> f32, &dyn Fn(f64) -> f32),
    ) -> Mesh {
        let mut mesh = Mesh::default();
        let half = 0.5 * theme.sizes().stroke.normal;
        let (band, line) = (theme.band(self.colour), self.colour);
        let mut before: Option<(f64, f32)> = None;
        for column in columns {
            let [min, mean, max] = column.w;
            if !mean.is_finite() {
                before = None;
                continue;
            }
            let length_s = column.span_s.1 - column.span_s.0;
            let (left, right) = (at_x(column.span_s.0), at_x(column.span_s.1));
            let joined = before.filter(|(end_s, _)| column.span_s.0 - end_s < 3.5 * length_s);
            let left = joined.map_or(left, |(end_s, _)| at_x(end_s).min(left));
            let (low, high) = (at_y(f64::from(min)), at_y(f64::from(max)));
            mesh.add_colored_rect(Rect::from_min_max(pos2(left, high), pos2(right, low)), band);
            let y = at_y(f64::from(mean));
            let from = joined.map_or(y, |(_, w)| at_y(f64::from(w)));
            mesh.add_colored_rect(
                Rect::from_min_max(
                    pos2(left - half, from.min(y) - half),
                    pos2(left + half, from.max(y) + half),
                ),
                line,
            );
            mesh.add_colored_rect(
                Rect::from_min_max(pos2(left, y - half), pos2(right.max(left + 1.0), y + half)),
                line,
            );
            before = Some((column.span_s.1, mean));
        }
        mesh
    }

    /// The numbers under the pointer.
    fn read_out(&self, response: &egui::Response, columns: &[Column], plot: Rect, pointer: Pos2) {
        let share = f64::from((pointer.x - plot.left()) / plot.width());
        let t_s = self.x_s.0 + share * (self.x_s.1 - self.x_s.0);
        let found = columns
            .iter()
            .find(|c| t_s >= c.span_s.0 && t_s < c.span_s.1 && c.w[1].is_finite());
        if let Some(column) = found {
            let [min, mean, max] = column.w;
            let text = format!(
                "{:.1} s: mean {mean:.0} W, {min:.0} to {max:.0} W",
                t_s - self.zero_s
            );
            response.clone().on_hover_text_at_pointer(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_survives_its_pixel() {
        let columns: Vec<Column> = (0..10_000)
            .map(|i| {
                let w = if i == 4321 { 700.0 } else { 100.0 };
                Column {
                    span_s: (f64::from(i), f64::from(i + 1)),
                    w: [w; 3],
                }
            })
            .collect();
        let drawn = per_pixel(&columns, (0.0, 10_000.0), 500.0);
        assert_eq!(drawn.len(), 500);
        let highest = drawn.iter().map(|c| c.w[2]).fold(0.0, f32::max);
        assert_eq!(highest, 700.0);
        let peak = drawn.iter().find(|c| c.w[2] > 600.0).unwrap();
        assert!((peak.w[1] - 130.0).abs() < 0.1, "{}", peak.w[1]);
        assert_eq!(drawn.last().unwrap().span_s.1, 10_000.0);
    }

    #[test]
    fn steps_are_round() {
        assert_eq!(step(700.0, 6.0), 200.0);
        assert_eq!(step(1.0, 4.0), 0.5);
    }
}
