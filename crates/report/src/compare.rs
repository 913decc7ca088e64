//! Members of a comparison, one on top of the other: power, and frequency where there is a plant; the whole run, and close up around
//! the first member's worst moment.
//!
//! Bands go from lowest to highest of what falls on a pixel, the widest below; then the edges of all bands, so that none hides another.

use ballast_study::outcome::Outcome;
use plotters::backend::DrawingBackend;
use plotters::style::RGBColor;

use crate::axis::{Law, Range};
use crate::canvas::{Align, Canvas, Drawn, fitted};
use crate::number::{power_unit, time_unit, trimmed};
use crate::panel::{Frame, Panel, Swatch};
use crate::style;
use crate::trace::{self, Bucket};
use crate::worst::{end_s, limits, worst_window};

/// Members that are drawn; more lines than that are told apart by nobody.
pub(crate) const MOST: usize = 6;
/// Height of a line of the legend.
const LEGEND: f64 = 30.0;
/// Gap between the panels side by side: tick labels of the right one.
const GUTTER: f64 = 96.0;
/// Share of the width that the whole run takes beside a close-up.
const WHOLE: f64 = 0.5;
/// Half the close-up, seconds, where no frequency says which moment is the worst.
const CLOSE_UP_S: f64 = 3.0;
/// Buckets without which a close-up shows nothing.
const LEAST_BUCKETS: usize = 50;
/// A limit is drawn if the axis need not become so many times longer for it.
const LIMIT_REACH: f64 = 3.0;

/// Members to draw, the first one the one that the others are compared with.
pub(crate) struct Comparison<'a> {
    /// Name and outcome.
    pub(crate) members: &'a [(&'a str, &'a Outcome)],
}

/// A quantity over time of every member.
struct Curves {
    buckets: Vec<Vec<Bucket>>,
}

impl Curves {
    fn of(members: &[(&str, &Outcome)], of: impl Fn(&Outcome) -> Vec<Bucket>) -> Self {
        Self {
            buckets: members.iter().map(|(_, o)| of(o)).collect(),
        }
    }

    fn within(&self, window: Range) -> Self {
        let cut = |b: &Vec<Bucket>| trace::within(b, window);
        Self {
            buckets: self.buckets.iter().map(cut).collect(),
        }
    }

    fn values(&self) -> Option<Range> {
        let each = self.buckets.iter().filter_map(|b| trace::values(b));
        Range::of(each.flat_map(|r| [r.lo, r.hi]))
    }

    fn covered(&self) -> Option<Range> {
        let each = self.buckets.iter().filter_map(|b| trace::covered(b));
        Range::of(each.flat_map(|r| [r.lo, r.hi]))
    }

    /// Numbers of the members, the widest band first.
    fn order(&self) -> Vec<usize> {
        let span = |k: &usize| trace::values(&self.buckets[*k]).map_or(0.0, Range::span);
        let mut order: Vec<usize> = (0..self.buckets.len()).collect();
        order.sort_by(|a, b| span(b).total_cmp(&span(a)));
        order
    }
}

/// Draws the figure.
pub(crate) fn draw<DB: DrawingBackend>(figure: &Comparison<'_>, canvas: &Canvas<DB>) -> Drawn<DB> {
    let drawn = &figure.members[..figure.members.len().min(MOST)];
    let Some((_, first)) = drawn.first() else {
        return canvas.clear();
    };
    let rows = head(figure, drawn, first, canvas)?;
    let power = Curves::of(drawn, |o| trace::buckets(&o.site.pyramid, end_s(o)));
    let frequency = Curves::of(drawn, |o| {
        let plant = o.plant.as_ref();
        plant.map_or_else(Vec::new, |p| trace::buckets(&p.frequency_pyramid, end_s(o)))
    });
    let whole = power.covered().unwrap_or(Range {
        lo: first.scenario.simulation.start_s,
        hi: end_s(first),
    });
    let close = close_up(first, &power.buckets[0]);
    let mut page = Frame::single(style::PLOT_RIGHT);
    page.top += rows as f64 * LEGEND;
    let width = page.right - page.left;
    let left = Frame {
        right: match close {
            Some(_) => page.left + WHOLE * (width - GUTTER),
            None => page.right,
        },
        ..page
    };
    let right = Frame {
        left: left.right + GUTTER,
        ..page
    };
    for (window, frame) in [(Some(whole.opened(1e-3)), left), (close, right)] {
        let Some(window) = window else { continue };
        let is_close = frame.right == right.right && close.is_some();
        column(canvas, (drawn, is_close), frame, window, &power, &frequency)?;
    }
    Ok(())
}

/// Title, basis, legend and footer. Lines of the legend.
fn head<DB: DrawingBackend>(
    figure: &Comparison<'_>,
    drawn: &[(&str, &Outcome)],
    first: &Outcome,
    canvas: &Canvas<DB>,
) -> Result<usize, plotters::drawing::DrawingAreaErrorKind<DB::ErrorType>> {
    canvas.clear()?;
    let width = (style::PAGE_WIDTH - 2.0 * style::PAGE_MARGIN) * style::TITLE_SHARE;
    let run = &first.provenance;
    let metered = first.site.metered.split_once(" (");
    let metered = metered.map_or(first.site.metered.as_str(), |(place, _)| place);
    let footer = format!("{} {}", run.program, run.version);
    let what = if drawn.iter().any(|(_, o)| o.plant.is_some()) {
        "power and frequency of"
    } else {
        "power of"
    };
    let title = format!(
        "{}: {what} {} members",
        first.scenario.scenario.name,
        figure.members.len()
    );
    let basis = format!(
        "Power metered at {metered} · realisation 1 of {} · seed {} · bands from lowest to highest",
        run.realisations, run.seed
    );
    for (y, em, colour, text) in [
        (style::TITLE_Y, style::TITLE_EM, style::INK, &title),
        (
            style::SUBTITLE_Y,
            style::HEADING_EM,
            style::FAINT_INK,
            &basis,
        ),
        (style::FOOTER_Y, style::LABEL_EM, style::FAINT_INK, &footer),
    ] {
        let text = fitted(text, em, width);
        canvas.text((style::PAGE_MARGIN, y), Align::Left, em, colour, &text)?;
    }
    let mut entries: Vec<(Option<RGBColor>, String)> = drawn
        .iter()
        .zip(style::MEMBERS)
        .map(|((name, _), colour)| (Some(colour), (*name).to_owned()))
        .collect();
    let more = figure.members.len() - drawn.len();
    if more > 0 {
        entries.push((None, format!("{more} more in the table")));
    }
    let right = style::PAGE_WIDTH - style::PAGE_MARGIN;
    let (mut x, mut row) = (style::PAGE_MARGIN, 0);
    for (colour, name) in entries {
        let name = fitted(&name, style::LABEL_EM, width / 2.0);
        let text = style::text_width(&name, style::LABEL_EM);
        let needs = style::SWATCH + style::LABEL_OFFSET + text;
        if x > style::PAGE_MARGIN && x + needs > right {
            (x, row) = (style::PAGE_MARGIN, row + 1);
        }
        let y = style::CONTENT_TOP + (row as f64 + 0.5) * LEGEND;
        if let Some(colour) = colour {
            let (from, to) = ((x, y - 7.0), (x + style::SWATCH, y + 7.0));
            canvas.fill(from, to, style::tint(colour))?;
            canvas.line(
                &[(x, y), (x + style::SWATCH, y)],
                colour,
                style::STRONG_LINE,
            )?;
        }
        let start = x + style::SWATCH + style::LABEL_OFFSET;
        canvas.text((start, y), Align::Left, style::LABEL_EM, style::INK, &name)?;
        x = start + text + style::LEGEND_GAP;
    }
    Ok(row + 1)
}

/// Stretch around the first member's worst moment; none where its pyramid is too coarse or the run is hardly longer.
fn close_up(first: &Outcome, power: &[Bucket]) -> Option<Range> {
    let covered = trace::covered(power)?;
    let window = worst_window(first).map(|(window, _)| window);
    let window = window.or_else(|| around_ramp(first, covered))?;
    let resolved = trace::within(power, window).len() >= LEAST_BUCKETS;
    (resolved && window.span() > 0.0 && window.span() < 0.5 * covered.span()).then_some(window)
}

/// Stretch around the largest change of power in the realisation that is drawn.
fn around_ramp(first: &Outcome, covered: Range) -> Option<Range> {
    let ramps = first.site.ramps.first()?;
    let drawn = [ramps.up, ramps.down]
        .into_iter()
        .filter(|r| r.realisation == 1);
    let at = drawn.max_by(|a, b| a.delta.abs().total_cmp(&b.delta.abs()))?;
    Some(Range {
        lo: (at.at_s - CLOSE_UP_S).max(covered.lo),
        hi: (at.at_s + CLOSE_UP_S).min(covered.hi),
    })
}

/// Members that draw the same power as one before them, in words: the later one hides it.
fn same_as_earlier(names: &[&str], power: &Curves) -> String {
    let numbered = names.iter().zip(&power.buckets).enumerate();
    let told = numbered.filter_map(|(k, (name, buckets))| {
        let first = power.buckets[..k].iter().position(|b| b == buckets)?;
        Some(format!("{name} as {}", names[first]))
    });
    told.collect::<Vec<_>>().join(", ")
}

/// Power above frequency over one stretch of time.
fn column<DB: DrawingBackend>(
    canvas: &Canvas<DB>,
    (members, is_close): (&[(&str, &Outcome)], bool),
    frame: Frame,
    window: Range,
    power: &Curves,
    frequency: &Curves,
) -> Drawn<DB> {
    let names: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
    let time = time_unit(window.span());
    let x = time.range(window);
    let x_title = format!("Time ({})", time.symbol);
    let power = power.within(window);
    let frequency = frequency.within(window);
    let (above, below) = if frequency.values().is_some() {
        let height = (frame.bottom - frame.top - style::PANEL_GAP - style::PANEL_HEADING) / 2.0;
        let above = Frame {
            bottom: frame.top + height,
            ..frame
        };
        let below = Frame {
            top: frame.bottom - height,
            ..frame
        };
        (above, Some(below))
    } else {
        (frame, None)
    };
    let range = power
        .values()
        .unwrap_or(Range { lo: 0.0, hi: 0.0 })
        .for_power();
    let unit = power_unit(range.magnitude());
    let panel = Panel::new(above, x, Law::Linear, unit.range(range));
    let title = below.is_none().then_some(x_title.as_str());
    draw_panel(
        canvas,
        &panel,
        title,
        &power,
        (time.factor, unit.factor),
        &[],
    )?;
    let what = if is_close {
        format!("Power, close up ({})", unit.symbol)
    } else {
        format!("Power at the bus ({})", unit.symbol)
    };
    let same = if is_close {
        String::new()
    } else {
        same_as_earlier(&names, &power)
    };
    panel.heading(canvas, &what, &[(Swatch::Bare, same)])?;
    let Some((below, data)) = below.zip(frequency.values()) else {
        return Ok(());
    };
    let data = data.opened(0.02);
    let (min, max) = members.first().map_or((None, None), |(_, o)| limits(o));
    let drawn: Vec<f64> = [min, max]
        .into_iter()
        .flatten()
        .filter(|l| data.including(*l).span() <= LIMIT_REACH * data.span())
        .collect();
    let range = drawn.iter().fold(data, |r, &l| r.including(l)).padded(0.06);
    let panel = Panel::new(below, x, Law::Linear, range);
    draw_panel(
        canvas,
        &panel,
        Some(&x_title),
        &frequency,
        (time.factor, 1.0),
        &drawn,
    )?;
    let legend = match drawn.as_slice() {
        [] => vec![(Swatch::Bare, String::new())],
        some => {
            let all: Vec<String> = some.iter().map(|l| trimmed(*l, 4)).collect();
            let text = format!("limit {} Hz", all.join(", "));
            vec![(Swatch::Dashes(style::LIMIT), text)]
        }
    };
    let what = if is_close {
        "Frequency, close up (Hz)"
    } else {
        "Bus frequency (Hz)"
    };
    panel.heading(canvas, what, &legend)
}

fn draw_panel<DB: DrawingBackend>(
    canvas: &Canvas<DB>,
    panel: &Panel,
    x_title: Option<&str>,
    curves: &Curves,
    (time, value): (f64, f64),
    limits: &[f64],
) -> Drawn<DB> {
    panel.grid_y(canvas)?;
    panel.grid_x(canvas, x_title)?;
    let order = curves.order();
    for edges in [false, true] {
        for &k in &order {
            let colour = style::MEMBERS[k % style::MEMBERS.len()];
            member(
                canvas,
                panel,
                &curves.buckets[k],
                (time, value),
                colour,
                edges,
            )?;
        }
    }
    let frame = panel.frame();
    for &limit in limits {
        let y = panel.y.at(limit);
        let ends = ((frame.left, y), (frame.right, y));
        canvas.dashes(
            ends.0,
            ends.1,
            style::LIMIT,
            style::STRONG_LINE,
            style::DASH,
        )?;
    }
    if order.iter().all(|k| curves.buckets[*k].is_empty()) {
        panel.remark(canvas, "No samples.")?;
    }
    panel.outline(canvas)
}

/// The band of one member, or its edges.
fn member<DB: DrawingBackend>(
    canvas: &Canvas<DB>,
    panel: &Panel,
    buckets: &[Bucket],
    (time, value): (f64, f64),
    colour: RGBColor,
    edges: bool,
) -> Drawn<DB> {
    let x = |t: f64| panel.x.at(t * time);
    let y = |v: f64| panel.y.at(v * value);
    let thinned = trace::thinned(buckets, x);
    let places: Vec<(f64, f64, f64)> = thinned
        .iter()
        .map(|b| (x(b.middle_s()), y(b.max), y(b.min)))
        .collect();
    if !edges {
        return canvas.band(&places, style::tint(colour));
    }
    for edge in [
        places.iter().map(|p| (p.0, p.1)).collect::<Vec<_>>(),
        places.iter().map(|p| (p.0, p.2)).collect(),
    ] {
        canvas.line(&edge, colour, style::EDGE_LINE)?;
    }
    Ok(())
}
