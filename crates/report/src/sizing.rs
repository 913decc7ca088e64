//! Curves of a sweep: what is left of the swing and of the frequency's deviation, against a value; a curve for each value of a second
//! key. A filled point passes every limit, a ring does not.

use plotters::backend::DrawingBackend;

use crate::axis::{Law, Range, drawable};
use crate::canvas::{Align, Canvas, Drawn, fitted};
use crate::panel::{Frame, Panel, Swatch};
use crate::style;

/// A figure of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    /// First line of the page.
    pub title: String,
    /// Second line: what the points rest on.
    pub basis: String,
    /// Last line.
    pub footer: String,
    /// What goes across, with its unit.
    pub across: String,
    /// Whether values across are spaced by their logarithm; all are positive then.
    pub log: bool,
    /// Headings of the panels, left and right: what goes up, with its unit. The right one may be absent.
    pub headings: (String, Option<String>),
    /// The curves, six at most.
    pub lines: Vec<SweepLine>,
}

/// One curve.
#[derive(Debug, Clone, PartialEq)]
pub struct SweepLine {
    /// What it is of; empty where there is one only.
    pub label: String,
    /// Its points, from left to right.
    pub points: Vec<SweepPoint>,
    /// The smallest value that passes, if one was found.
    pub smallest: Option<f64>,
}

/// One point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SweepPoint {
    /// The value across.
    pub value: f64,
    /// What the left panel shows.
    pub left: Option<f64>,
    /// What the right panel shows.
    pub right: Option<f64>,
    /// Whether every limit passes.
    pub passes: bool,
}

/// Height of the legend above both panels.
const LEGEND: f64 = 34.0;
/// Gap between the panels: the tick labels of the right one.
const GUTTER: f64 = 100.0;
/// Curves that are drawn.
pub(crate) const MOST: usize = 6;

/// Draws the figure.
pub(crate) fn draw<DB: DrawingBackend>(figure: &Sweep, canvas: &Canvas<DB>) -> Drawn<DB> {
    let width = (style::PAGE_WIDTH - 2.0 * style::PAGE_MARGIN) * style::TITLE_SHARE;
    canvas.clear()?;
    for (y, em, colour, text) in [
        (style::TITLE_Y, style::TITLE_EM, style::INK, &figure.title),
        (
            style::SUBTITLE_Y,
            style::HEADING_EM,
            style::FAINT_INK,
            &figure.basis,
        ),
        (
            style::FOOTER_Y,
            style::LABEL_EM,
            style::FAINT_INK,
            &figure.footer,
        ),
    ] {
        let text = fitted(text, em, width);
        canvas.text((style::PAGE_MARGIN, y), Align::Left, em, colour, &text)?;
    }
    legend(figure, canvas)?;
    let whole = Frame::single(style::PLOT_RIGHT);
    let top = whole.top + LEGEND;
    let Some(right) = &figure.headings.1 else {
        let frame = Frame { top, ..whole };
        return panel(figure, &figure.headings.0, frame, &|p| p.left, canvas);
    };
    let half = (whole.right - whole.left - GUTTER) / 2.0;
    let frames = (
        Frame {
            top,
            right: whole.left + half,
            ..whole
        },
        Frame {
            top,
            left: whole.right - half,
            ..whole
        },
    );
    panel(figure, &figure.headings.0, frames.0, &|p| p.left, canvas)?;
    panel(figure, right, frames.1, &|p| p.right, canvas)
}

/// Curves, and what the points and the dashes mean.
fn legend<DB: DrawingBackend>(figure: &Sweep, canvas: &Canvas<DB>) -> Drawn<DB> {
    let y = style::CONTENT_TOP + LEGEND / 2.0;
    let mut x = style::PAGE_MARGIN;
    let mut entry = |text: &str, swatch: &dyn Fn(f64) -> Drawn<DB>| -> Drawn<DB> {
        swatch(x)?;
        let start = x + style::SWATCH + style::LABEL_OFFSET;
        canvas.text((start, y), Align::Left, style::LABEL_EM, style::INK, text)?;
        x = start + style::text_width(text, style::LABEL_EM) + style::LEGEND_GAP;
        Ok(())
    };
    for (line, colour) in figure.lines.iter().zip(style::MEMBERS) {
        if !line.label.is_empty() {
            entry(&line.label, &|x| {
                canvas.line(
                    &[(x, y), (x + style::SWATCH, y)],
                    colour,
                    style::STRONG_LINE,
                )
            })?;
        }
    }
    let middle = style::SWATCH / 2.0;
    entry("passes", &|x| {
        canvas.marker((x + middle, y), style::FAINT_INK, true)
    })?;
    entry("does not", &|x| {
        canvas.marker((x + middle, y), style::FAINT_INK, false)
    })?;
    if figure.lines.iter().any(|l| l.smallest.is_some()) {
        entry("smallest that passes", &|x| {
            let ends = ((x, y), (x + style::SWATCH, y));
            canvas.dashes(
                ends.0,
                ends.1,
                style::FAINT_INK,
                style::STRONG_LINE,
                style::DASH,
            )
        })?;
    }
    Ok(())
}

fn panel<DB: DrawingBackend>(
    figure: &Sweep,
    heading: &str,
    frame: Frame,
    of: &dyn Fn(&SweepPoint) -> Option<f64>,
    canvas: &Canvas<DB>,
) -> Drawn<DB> {
    let lines: Vec<Vec<(f64, f64, bool)>> = figure
        .lines
        .iter()
        .take(MOST)
        .map(|line| {
            let points = line.points.iter();
            points
                .filter_map(|p| Some((p.value, of(p)?, p.passes)))
                .filter(|p| drawable(p.0) && drawable(p.1))
                .collect()
        })
        .collect();
    let all = || lines.iter().flatten();
    let one = Range { lo: 0.5, hi: 1.5 };
    let x = Range::of(all().map(|p| p.0)).unwrap_or(one);
    let law = if figure.log && x.lo > 0.0 && x.hi > x.lo {
        Law::Log
    } else {
        Law::Linear
    };
    // Room for the points at the ends.
    let x = match law {
        Law::Log => {
            let room = (x.hi / x.lo).powf(0.03);
            Range {
                lo: x.lo / room,
                hi: x.hi * room,
            }
        }
        Law::Linear => x.opened(1e-3).padded(0.04),
    };
    let y = Range::of(all().map(|p| p.1)).unwrap_or(one);
    let y = y.including(0.0).opened(1e-3);
    let panel = Panel::new(
        frame,
        x,
        law,
        Range {
            lo: y.lo,
            hi: y.hi + 0.06 * y.span(),
        },
    );
    panel.grid_y(canvas)?;
    panel.grid_x(canvas, Some(&figure.across))?;
    for (line, colour) in figure.lines.iter().zip(style::MEMBERS) {
        if let Some(value) = line.smallest.filter(|v| panel.x.range.contains(*v)) {
            let at = panel.x.at(value);
            let ends = ((at, frame.top), (at, frame.bottom));
            canvas.dashes(ends.0, ends.1, colour, style::SERIES_LINE, style::DASH)?;
        }
    }
    for (points, colour) in lines.iter().zip(style::MEMBERS) {
        let places: Vec<_> = points.iter().map(|p| panel.at(p.0, p.1)).collect();
        canvas.line(&places, colour, style::STRONG_LINE)?;
        for (place, point) in places.iter().zip(points) {
            canvas.marker(*place, colour, point.2)?;
        }
    }
    if lines.iter().all(Vec::is_empty) {
        panel.remark(canvas, "No data.")?;
    }
    panel.outline(canvas)?;
    panel.heading(canvas, heading, &[(Swatch::Bare, String::new())])
}
