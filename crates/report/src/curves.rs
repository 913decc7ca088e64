//! Two panels side by side with the same curves in each: one situation, described in several ways.

use plotters::backend::DrawingBackend;
use plotters::style::RGBColor;

use crate::axis::{Law, Range, drawable};
use crate::canvas::{Align, Canvas, Drawn, fitted};
use crate::panel::{Frame, Panel, Swatch};
use crate::style;

/// A figure of curves.
#[derive(Debug, Clone, PartialEq)]
pub struct Curves {
    /// Name of its files, without extension.
    pub name: &'static str,
    /// First line of the page.
    pub title: String,
    /// Second line: what the curves rest on.
    pub basis: String,
    /// Last line: where the data are from.
    pub footer: String,
    /// The panels, left and right; both hold the same curves in the same order, and the left one's labels stand for both.
    pub panels: [CurvePanel; 2],
}

/// One panel.
#[derive(Debug, Clone, PartialEq)]
pub struct CurvePanel {
    /// What goes up, with its unit.
    pub heading: String,
    /// What goes across, with its unit.
    pub across: String,
    /// Its curves, four at most: the first is drawn strongest.
    pub curves: Vec<Curve>,
}

/// One curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// What it shows.
    pub label: String,
    /// Its points in order; those that are no numbers are left out.
    pub points: Vec<(f64, f64)>,
}

const COLOURS: [RGBColor; 4] = [style::INK, style::LIMIT, style::POWER, style::FREQUENCY];
/// Height of the legend above both panels.
const LEGEND: f64 = 34.0;
/// Gap between the panels: the tick labels of the right one.
const GUTTER: f64 = 100.0;

/// Draws the figure.
pub(crate) fn draw<DB: DrawingBackend>(figure: &Curves, canvas: &Canvas<DB>) -> Drawn<DB> {
    let (left, width) = (
        style::PAGE_MARGIN,
        (style::PAGE_WIDTH - 2.0 * style::PAGE_MARGIN) * style::TITLE_SHARE,
    );
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
        canvas.text((left, y), Align::Left, em, colour, &fitted(text, em, width))?;
    }
    legend(figure, canvas)?;
    let whole = Frame::single(style::PLOT_RIGHT);
    let top = whole.top + LEGEND;
    let half = (whole.right - whole.left - GUTTER) / 2.0;
    let frames = [
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
    ];
    for (panel, frame) in figure.panels.iter().zip(frames) {
        draw_panel(panel, frame, canvas)?;
    }
    Ok(())
}

fn legend<DB: DrawingBackend>(figure: &Curves, canvas: &Canvas<DB>) -> Drawn<DB> {
    let y = style::CONTENT_TOP + LEGEND / 2.0;
    let mut x = style::PAGE_MARGIN;
    for (curve, colour) in figure.panels[0].curves.iter().zip(COLOURS) {
        canvas.line(
            &[(x, y), (x + style::SWATCH, y)],
            colour,
            style::STRONG_LINE,
        )?;
        let start = x + style::SWATCH + style::LABEL_OFFSET;
        canvas.text(
            (start, y),
            Align::Left,
            style::LABEL_EM,
            style::INK,
            &curve.label,
        )?;
        x = start + style::text_width(&curve.label, style::LABEL_EM) + style::LEGEND_GAP;
    }
    Ok(())
}

fn draw_panel<DB: DrawingBackend>(
    what: &CurvePanel,
    frame: Frame,
    canvas: &Canvas<DB>,
) -> Drawn<DB> {
    let curves: Vec<Vec<(f64, f64)>> = what
        .curves
        .iter()
        .map(|c| {
            let drawn = |p: &(f64, f64)| drawable(p.0) && drawable(p.1);
            c.points.iter().copied().filter(drawn).collect()
        })
        .collect();
    let range = |of: fn(&(f64, f64)) -> f64| {
        Range::of(curves.iter().flatten().map(of)).unwrap_or(Range { lo: 0.0, hi: 1.0 })
    };
    let panel = Panel::new(
        frame,
        range(|p| p.0),
        Law::Linear,
        range(|p| p.1).padded(0.05),
    );
    panel.grid_y(canvas)?;
    panel.grid_x(canvas, Some(&what.across))?;
    for (points, colour) in curves.iter().zip(COLOURS).rev() {
        let line: Vec<_> = points.iter().map(|&(x, y)| panel.at(x, y)).collect();
        canvas.line(&line, colour, style::STRONG_LINE)?;
    }
    if curves.iter().all(Vec::is_empty) {
        panel.remark(canvas, "No data.")?;
    }
    panel.outline(canvas)?;
    panel.heading(canvas, &what.heading, &[(Swatch::Bare, String::new())])
}
