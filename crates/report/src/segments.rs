//! A recording of GPUs with its phases: power over time, each phase tinted and named.

use plotters::backend::DrawingBackend;
use plotters::style::RGBColor;

use crate::axis::{Law, Range, drawable};
use crate::canvas::{Align, Canvas, Drawn, fitted};
use crate::panel::{Frame, Panel, Swatch};
use crate::style;

/// A figure of segmented recordings.
#[derive(Debug, Clone, PartialEq)]
pub struct Segments {
    /// First line of the page.
    pub title: String,
    /// Second line: which reading of which GPUs.
    pub basis: String,
    /// Last line: where the data are from.
    pub footer: String,
    /// One panel for each group of GPUs; the first two are drawn.
    pub panels: Vec<SegmentPanel>,
}

/// Power of one group of GPUs.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentPanel {
    /// What goes up, with its unit.
    pub heading: String,
    /// Time of the first value, seconds.
    pub start_s: f64,
    /// Time between two values, seconds.
    pub dt_s: f64,
    /// Power, watts.
    pub power_w: Vec<f64>,
    /// Begin, end, mean power and name of each phase, in order.
    pub phases: Vec<(f64, f64, f64, String)>,
}

/// Tints of the phases in the order in which their names first come.
const COLOURS: [RGBColor; 8] = [
    style::FAINT_INK,
    style::FREQUENCY,
    style::QUANTILE,
    style::LIMIT,
    style::POWER,
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(240, 228, 66),
];

/// Columns of the plot: no finer stroke shows.
const COLUMNS: usize = 1400;

/// Draws the figure.
pub(crate) fn draw<DB: DrawingBackend>(figure: &Segments, canvas: &Canvas<DB>) -> Drawn<DB> {
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
    match figure.panels.as_slice() {
        [] => Ok(()),
        [one] => panel(one, Frame::single(style::PLOT_RIGHT), true, canvas),
        [one, two, ..] => {
            let [upper, lower] = Frame::stacked(style::PLOT_RIGHT);
            panel(one, upper, false, canvas)?;
            panel(two, lower, true, canvas)
        }
    }
}

fn panel<DB: DrawingBackend>(
    what: &SegmentPanel,
    frame: Frame,
    last: bool,
    canvas: &Canvas<DB>,
) -> Drawn<DB> {
    let end_s = what.start_s + what.dt_s * what.power_w.len() as f64;
    let time = Range {
        lo: what.start_s,
        hi: end_s,
    }
    .opened(1e-3);
    let power = Range::of(what.power_w.iter().copied())
        .unwrap_or(Range { lo: 0.0, hi: 1.0 })
        .for_power();
    // Room for the names above the highest value.
    let power = Range {
        hi: power.hi + 0.12 * power.span(),
        ..power
    };
    let plot = Panel::new(frame, time, Law::Linear, power);
    let mut names: Vec<&str> = Vec::new();
    for (_, _, _, name) in &what.phases {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let colour = |name: &str| {
        let at = names.iter().position(|n| *n == name).unwrap_or(0);
        COLOURS[at % COLOURS.len()]
    };
    for (from, to, _, name) in &what.phases {
        let (a, b) = (plot.at(*from, power.hi), plot.at(*to, power.lo));
        canvas.fill(a, b, pale(colour(name)))?;
    }
    plot.grid_y(canvas)?;
    plot.grid_x(canvas, last.then_some("Time (s)"))?;
    trace(what, &plot, canvas)?;
    for (from, to, level, name) in &what.phases {
        if drawable(*level) {
            let (a, b) = (plot.at(*from, *level), plot.at(*to, *level));
            canvas.line(&[a, b], colour(name), style::STRONG_LINE)?;
        }
        let (x, y) = plot.at(*from, power.hi);
        canvas.line(
            &[(x, y), (x, frame.bottom)],
            style::FAINT_INK,
            style::THIN_LINE,
        )?;
        let room = plot.at(*to, power.hi).0 - x;
        if style::text_width(name, style::LABEL_EM) + 6.0 < room {
            let middle = (x + room / 2.0, y + style::LINE_HEIGHT / 2.0 + 3.0);
            canvas.text(middle, Align::Centre, style::LABEL_EM, style::INK, name)?;
        }
    }
    plot.outline(canvas)?;
    let legend: Vec<(Swatch, String)> = names
        .iter()
        .map(|n| (Swatch::Band(style::tint(colour(n))), (*n).to_owned()))
        .collect();
    plot.heading(canvas, &what.heading, &legend)
}

/// Paler than a band: the power is drawn over it.
fn pale(colour: RGBColor) -> RGBColor {
    let mix = |channel: u8| 255 - (255 - channel) / 6;
    RGBColor(mix(colour.0), mix(colour.1), mix(colour.2))
}

/// The power: as it is, or lowest and highest of each column of the plot where it has more values than columns.
fn trace<DB: DrawingBackend>(what: &SegmentPanel, plot: &Panel, canvas: &Canvas<DB>) -> Drawn<DB> {
    let step = what.power_w.len().div_ceil(COLUMNS).max(1);
    let mut line: Vec<(f64, f64)> = Vec::new();
    for (k, chunk) in what.power_w.chunks(step).enumerate() {
        let time_s = what.start_s + (k * step) as f64 * what.dt_s;
        let Some(range) = Range::of(chunk.iter().copied()) else {
            // A gap breaks the line.
            canvas.line(&line, style::INK, style::THIN_LINE)?;
            line.clear();
            continue;
        };
        let middle = time_s + 0.5 * step as f64 * what.dt_s;
        if step == 1 {
            line.push(plot.at(middle, range.lo));
        } else {
            // Alternately up and down, so that the strokes join.
            let (a, b) = if k % 2 == 0 {
                (range.lo, range.hi)
            } else {
                (range.hi, range.lo)
            };
            line.extend([plot.at(middle, a), plot.at(middle, b)]);
        }
    }
    canvas.line(&line, style::INK, style::THIN_LINE)
}
