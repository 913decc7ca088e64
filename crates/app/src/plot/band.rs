//! A trace as a mesh: per bucket the band from its smallest to its largest sample, and a line of its means.
//!
//! Never a stroke through the samples: egui's tessellator loses parts of long, nearly upright strokes between sharp turns. Every quad here stands by itself, so
//! nothing can be lost: each bucket covers all its pixel columns, from extreme to extreme, and is joined to its neighbour.

use egui::{Color32, Mesh, Pos2, Rect};

use crate::trace::Window;

/// How time and value become points on the screen: `x = x0 + t·per_s`, `y = y0 + v·per_unit`, within `frame`.
#[derive(Debug, Clone, Copy)]
pub struct Mapping {
    /// Where the plot is.
    pub frame: Rect,
    /// x at time 0, points.
    pub x0: f64,
    /// Points per second.
    pub per_s: f64,
    /// y at value 0, points.
    pub y0: f64,
    /// Points per unit of value (negative: values rise upwards).
    pub per_unit: f64,
}

/// How a trace is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Stroke {
    /// Of the line of means.
    pub line: Color32,
    /// Of the band.
    pub band: Color32,
    /// Width of the line, points.
    pub width: f32,
    /// Length of dashes and of the gaps between them, points; none: solid.
    pub dash: Option<f32>,
    /// Size of a pixel, points: nothing is drawn smaller.
    pub pixel: f32,
}

impl Mapping {
    /// The mapping of a plot that shows `x` and `y` in `frame`.
    pub fn new(frame: Rect, x: (f64, f64), y: (f64, f64)) -> Self {
        let per_s = f64::from(frame.width()) / (x.1 - x.0);
        let per_unit = -f64::from(frame.height()) / (y.1 - y.0);
        Self {
            frame,
            x0: f64::from(frame.left()) - x.0 * per_s,
            per_s,
            y0: f64::from(frame.bottom()) - y.0 * per_unit,
            per_unit,
        }
    }

    /// Where a moment is, kept near the frame.
    pub fn x(&self, t_s: f64) -> f32 {
        let x = (self.x0 + t_s * self.per_s) as f32;
        x.clamp(self.frame.left() - FAR, self.frame.right() + FAR)
    }

    /// Where a value is, kept near the frame.
    pub fn y(&self, value: f64) -> f32 {
        let y = (self.y0 + value * self.per_unit) as f32;
        y.clamp(self.frame.top() - FAR, self.frame.bottom() + FAR)
    }

    /// The moment at `x`.
    pub fn t_s(&self, x: f32) -> f64 {
        (f64::from(x) - self.x0) / self.per_s
    }
}

/// What lies further out of a plot is drawn there: it is clipped, and floats stay small.
const FAR: f32 = 64.0;

/// Samples at least that far apart get a dot each, points.
const DOTS_FROM: f32 = 10.0;

/// Adds band and line of `window` to `mesh`.
pub fn draw(window: &Window, at: &Mapping, stroke: &Stroke, mesh: &mut Mesh) {
    mesh.reserve_vertices(12 * window.mean.len());
    mesh.reserve_triangles(12 * window.mean.len());
    if window.samples {
        segments(window, at, stroke, mesh);
    } else {
        band(window, at, stroke, mesh);
        means(window, at, stroke, mesh);
    }
}

fn quad(mesh: &mut Mesh, rect: Rect, colour: Color32) {
    mesh.add_colored_rect(rect, colour);
}

/// Left and right end of bucket `i`; at least a pixel wide.
fn columns(window: &Window, at: &Mapping, i: usize) -> (f64, f64) {
    let left = window.t0_s + i as f64 * window.dt_s;
    (
        at.x0 + left * at.per_s,
        at.x0 + (left + window.dt_s) * at.per_s,
    )
}

fn outside(at: &Mapping, (left, right): (f64, f64)) -> bool {
    right < f64::from(at.frame.left() - FAR) || left > f64::from(at.frame.right() + FAR)
}

fn band(window: &Window, at: &Mapping, stroke: &Stroke, mesh: &mut Mesh) {
    let mut last: Option<(f32, f32)> = None;
    let extremes = window.min.iter().zip(&window.max);
    for (i, (min, max)) in extremes.enumerate() {
        let (left, right) = columns(window, at, i);
        if min.is_nan() || max.is_nan() {
            last = None;
            continue;
        }
        let (mut top, mut bottom) = (at.y(f64::from(*max)), at.y(f64::from(*min)));
        let own = (top, bottom);
        // Up or down to the bucket before, so that an edge between two buckets is seen.
        if let Some((last_top, last_bottom)) = last {
            top = top.min(last_bottom);
            bottom = bottom.max(last_top);
        }
        last = Some(own);
        if outside(at, (left, right)) {
            continue;
        }
        let short = (stroke.pixel - (bottom - top)).max(0.0) / 2.0;
        let right = (right as f32).max(left as f32 + stroke.pixel);
        let rect = Rect::from_min_max(
            Pos2::new(left as f32, top - short),
            Pos2::new(right, bottom + short),
        );
        quad(mesh, rect, stroke.band);
    }
}

/// The line of means: per bucket an upright piece from half-way to the mean before to half-way to the next, soft above and below.
fn means(window: &Window, at: &Mapping, stroke: &Stroke, mesh: &mut Mesh) {
    let half = stroke.width.max(stroke.pixel) / 2.0;
    let mean_y = |i: usize| {
        let v = *window.mean.get(i)?;
        (!v.is_nan()).then(|| at.y(f64::from(v)))
    };
    for i in 0..window.mean.len() {
        let (left, right) = columns(window, at, i);
        let Some(y) = mean_y(i) else { continue };
        if outside(at, (left, right)) || gap(stroke, at, left as f32) {
            continue;
        }
        let before = i.checked_sub(1).and_then(mean_y).unwrap_or(y);
        let after = mean_y(i + 1).unwrap_or(y);
        let ends = [y, f32::midpoint(y, before), f32::midpoint(y, after)];
        let top = ends.into_iter().fold(f32::INFINITY, f32::min) - half;
        let bottom = ends.into_iter().fold(f32::NEG_INFINITY, f32::max) + half;
        let right = (right as f32).max(left as f32 + stroke.pixel);
        soft(mesh, (left as f32, right), (top, bottom), stroke);
    }
}

/// Whether a dashed line has a gap at `x`.
fn gap(stroke: &Stroke, at: &Mapping, x: f32) -> bool {
    let Some(dash) = stroke.dash else {
        return false;
    };
    let along = (x - at.frame.left()).rem_euclid(2.0 * dash);
    along >= dash
}

/// A piece that fades over half a pixel above and below.
fn soft(mesh: &mut Mesh, (left, right): (f32, f32), (top, bottom): (f32, f32), stroke: &Stroke) {
    let feather = stroke.pixel / 2.0;
    let base = mesh.vertices.len() as u32;
    let rows = [
        (top - feather, Color32::TRANSPARENT),
        (top + feather, stroke.line),
        (bottom - feather, stroke.line),
        (bottom + feather, Color32::TRANSPARENT),
    ];
    for (y, colour) in rows {
        mesh.colored_vertex(Pos2::new(left, y), colour);
        mesh.colored_vertex(Pos2::new(right, y), colour);
    }
    for row in [0, 2, 4] {
        let a = base + row;
        mesh.add_triangle(a, a + 1, a + 2);
        mesh.add_triangle(a + 1, a + 2, a + 3);
    }
}

/// Samples further apart than pixels: a straight piece from each to the next, and dots where there is room.
fn segments(window: &Window, at: &Mapping, stroke: &Stroke, mesh: &mut Mesh) {
    let half = stroke.width.max(stroke.pixel) / 2.0;
    let dots = window.dt_s * at.per_s >= f64::from(DOTS_FROM);
    let mut last: Option<Pos2> = None;
    for (i, value) in window.mean.iter().enumerate() {
        if value.is_nan() {
            last = None;
            continue;
        }
        let x = at.x0 + (window.t0_s + i as f64 * window.dt_s) * at.per_s;
        let here = Pos2::new(x as f32, at.y(f64::from(*value)));
        if let Some(from) = last
            && !outside(at, (f64::from(from.x), x))
        {
            piece(mesh, from, here, at, stroke);
        }
        last = Some(here);
        if !outside(at, (x, x)) && !gap(stroke, at, here.x) {
            // Fills the corner between two pieces; a dot where samples stand apart.
            let size = if dots { 2.0 * half } else { half };
            quad(
                mesh,
                Rect::from_center_size(here, egui::Vec2::splat(2.0 * size)),
                stroke.line,
            );
        }
    }
}

/// A straight piece, cut into dashes where the stroke is dashed.
fn piece(mesh: &mut Mesh, from: Pos2, to: Pos2, at: &Mapping, stroke: &Stroke) {
    let Some(dash) = stroke.dash else {
        bar(mesh, from, to, stroke);
        return;
    };
    let length = to.x - from.x;
    if length <= dash {
        if !gap(stroke, at, from.x) {
            bar(mesh, from, to, stroke);
        }
        return;
    }
    let start = from.x.max(at.frame.left() - FAR);
    let end = to.x.min(at.frame.right() + FAR);
    let first = ((start - at.frame.left()) / (2.0 * dash)).floor();
    let point = |x: f32| from + (to - from) * ((x - from.x) / length);
    let count = ((end - start) / (2.0 * dash)).ceil().max(0.0) as usize + 1;
    for n in 0..count {
        let a = at.frame.left() + (first + n as f32) * 2.0 * dash;
        let (a, b) = (a.max(start), (a + dash).min(end));
        if a < b {
            bar(mesh, point(a), point(b), stroke);
        }
    }
}

/// Adds the curve through points with rising x: upright pieces where several share a pixel, straight ones between them.
pub(crate) fn curve(points: &[[f64; 2]], at: &Mapping, stroke: &Stroke, mesh: &mut Mesh) {
    let from = at.t_s(at.frame.left() - FAR);
    let to = at.t_s(at.frame.right() + FAR);
    let first = points.partition_point(|p| p[0] < from).saturating_sub(1);
    let last = (points.partition_point(|p| p[0] <= to) + 1).min(points.len());
    let mut column: Option<Column> = None;
    for p in points.get(first..last).unwrap_or_default() {
        let here = Pos2::new((at.x0 + p[0] * at.per_s) as f32, at.y(p[1]));
        match &mut column {
            Some(now) if (here.x - now.first.x).abs() < stroke.pixel => now.take(here),
            Some(now) => {
                now.draw(mesh, stroke);
                piece(mesh, now.last, here, at, stroke);
                column = Some(Column::new(here));
            }
            None => column = Some(Column::new(here)),
        }
    }
    if let Some(now) = column {
        now.draw(mesh, stroke);
    }
}

/// Points of a curve that share a column of pixels.
struct Column {
    first: Pos2,
    last: Pos2,
    top: f32,
    bottom: f32,
}

impl Column {
    fn new(at: Pos2) -> Self {
        Self {
            first: at,
            last: at,
            top: at.y,
            bottom: at.y,
        }
    }

    fn take(&mut self, at: Pos2) {
        self.last = at;
        self.top = self.top.min(at.y);
        self.bottom = self.bottom.max(at.y);
    }

    fn draw(&self, mesh: &mut Mesh, stroke: &Stroke) {
        let half = stroke.width.max(stroke.pixel) / 2.0;
        let rect = Rect::from_min_max(
            Pos2::new(self.first.x - half, self.top - half),
            Pos2::new(self.first.x + half, self.bottom + half),
        );
        quad(mesh, rect, stroke.line);
    }
}

/// A straight bar of the line's width, soft on both sides.
fn bar(mesh: &mut Mesh, from: Pos2, to: Pos2, stroke: &Stroke) {
    let along = to - from;
    let length = along.length();
    if length <= 0.0 {
        return;
    }
    let normal = along.rot90() / length;
    let half = stroke.width.max(stroke.pixel) / 2.0;
    let feather = stroke.pixel / 2.0;
    let base = mesh.vertices.len() as u32;
    let rows = [
        (-half - feather, Color32::TRANSPARENT),
        (feather - half, stroke.line),
        (half - feather, stroke.line),
        (half + feather, Color32::TRANSPARENT),
    ];
    for (off, colour) in rows {
        mesh.colored_vertex(from + normal * off, colour);
        mesh.colored_vertex(to + normal * off, colour);
    }
    for row in [0, 2, 4] {
        let a = base + row;
        mesh.add_triangle(a, a + 1, a + 2);
        mesh.add_triangle(a + 1, a + 2, a + 3);
    }
}

#[cfg(test)]
#[path = "band_tests.rs"]
mod tests;
