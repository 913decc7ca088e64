//! Storage: the power at the bus with and without it, how full it is, and what it takes and gives.

use ballast_study::outcome::{Outcome, StorageCurves, StoreCurve};
use plotters::backend::DrawingBackend;
use plotters::style::RGBColor;

use crate::axis::{Law, Range};
use crate::canvas::{Canvas, Drawn};
use crate::number::{Unit, power_unit, significant, time_unit, trimmed};
use crate::page::{basis_first, page};
use crate::panel::{Frame, Panel, Swatch};
use crate::style;
use crate::trace::{self, Bucket};
use crate::worst::end_s;

/// A store's place among the lines: racks, the worst group, batteries.
struct Line<'a> {
    curve: &'a StoreCurve,
    name: String,
    /// For a label beside the plot.
    short: &'a str,
    look: (RGBColor, (f64, f64)),
}

/// Stores in a fixed order, each looking the same in both panels.
fn lines(curves: &StorageCurves) -> Vec<Line<'_>> {
    let racks = curves.racks.iter().map(|c| {
        let name = if curves.worst_group.is_some() {
            "racks, mean".to_owned()
        } else {
            "racks".to_owned()
        };
        (c, name)
    });
    let worst = curves.worst_group.iter();
    let worst = worst.map(|c| (c, format!("worst group {}", c.name)));
    let bess = curves.bess.iter().map(|c| (c, c.name.clone()));
    let all = racks.chain(worst).chain(bess).enumerate();
    all.map(|(k, (curve, name))| Line {
        curve,
        name,
        short: &curve.name,
        look: style::told_apart(k),
    })
    .collect()
}

/// Draws the figure.
pub(crate) fn draw<DB: DrawingBackend>(outcome: &Outcome, canvas: &Canvas<DB>) -> Drawn<DB> {
    let Some(curves) = &outcome.storage_curves else {
        return Ok(());
    };
    let left_out = match curves.bess_left_out {
        0 => String::new(),
        n => format!(" · {n} more batteries are not drawn"),
    };
    let basis = basis_first(outcome) + &left_out;
    page(canvas, outcome, "power, charge and storage", &basis)?;
    let end = end_s(outcome);
    let behind = trace::buckets(&outcome.site.pyramid, end);
    let before = trace::buckets(&curves.before_w, end);
    let covered = [trace::covered(&behind), trace::covered(&before)];
    let window = covered
        .into_iter()
        .flatten()
        .reduce(|a, b| a.including(b.lo).including(b.hi))
        .unwrap_or(Range {
            lo: outcome.scenario.simulation.start_s,
            hi: end,
        })
        .opened(1e-3);
    let time = time_unit(window.span());
    let x = time.range(window);
    let [above, middle, below] = Frame::stacked(style::PLOT_RIGHT_LABELLED);
    let lines = lines(curves);
    bus_panel(canvas, above, (x, time), &before, &behind)?;
    charge_panel(canvas, middle, (x, time), &lines, end)?;
    let x_title = format!("Time ({})", time.symbol);
    power_panel(canvas, below, (x, time), (&lines, curves), end, &x_title)
}

/// The power at the bus, without storage behind and with it in front.
fn bus_panel<DB: DrawingBackend>(
    canvas: &Canvas<DB>,
    frame: Frame,
    (x, time): (Range, Unit),
    before: &[Bucket],
    behind: &[Bucket],
) -> Drawn<DB> {
    let (without, with) = (trace::values(before), trace::values(behind));
    let all = [without, with].into_iter().flatten();
    let range = all
        .reduce(|a, b| a.including(b.lo).including(b.hi))
        .unwrap_or(Range { lo: 0.0, hi: 0.0 })
        .for_power();
    let unit = power_unit(range.magnitude());
    let panel = Panel::new(frame, x, Law::Linear, unit.range(range));
    panel.grid_y(canvas)?;
    panel.grid_x(canvas, None)?;
    if before.is_empty() && behind.is_empty() {
        panel.remark(canvas, "No samples.")?;
    }
    let scale = (time.factor, unit.factor);
    trace::band(canvas, &panel, before, scale, style::WITHOUT_BAND)?;
    let whole = (style::WITHOUT, (1.0, 0.0));
    trace::line(canvas, &panel, before, scale, whole)?;
    trace::draw(canvas, &panel, behind, scale, style::POWER)?;
    panel.outline(canvas)?;
    let mut labels = Vec::new();
    for (range, colour, words) in [
        (without, style::FAINT_INK, "without"),
        (with, style::POWER, "with"),
    ] {
        let Some(range) = range else { continue };
        for w in [range.hi, range.lo] {
            let shown = w * unit.factor;
            let text = format!("{words} {} {}", significant(shown, 4), unit.symbol);
            labels.push((shown, colour, text));
        }
    }
    panel.labels_beside(
        canvas,
        frame.right,
        style::PAGE_WIDTH - frame.right,
        &labels,
    )?;
    let legend = [
        (Swatch::Line(style::WITHOUT), "without storage".to_owned()),
        (
            Swatch::Line(style::POWER),
            "with it: mean, and lowest to highest".to_owned(),
        ),
    ];
    let heading = format!("Power at the bus ({})", unit.symbol);
    panel.heading(canvas, &heading, &legend)
}

/// How full each store is.
fn charge_panel<DB: DrawingBackend>(
    canvas: &Canvas<DB>,
    frame: Frame,
    (x, time): (Range, Unit),
    lines: &[Line<'_>],
    end: f64,
) -> Drawn<DB> {
    const PERCENT: f64 = 100.0;
    let all: Vec<Vec<Bucket>> = lines
        .iter()
        .map(|l| trace::buckets(&l.curve.charge_share, end))
        .collect();
    let values = all.iter().filter_map(|b| trace::values(b));
    let values = values.reduce(|a, b| a.including(b.lo).including(b.hi));
    // A store that hardly moves is shown as one that hardly moves: at least a tenth of it.
    let range = values
        .unwrap_or(Range { lo: 0.0, hi: 1.0 })
        .opened(0.1)
        .padded(0.06);
    let range = Range {
        lo: PERCENT * range.lo.max(0.0),
        hi: PERCENT * range.hi.min(1.0).max(range.lo.max(0.0) + 0.05),
    };
    let panel = Panel::new(frame, x, Law::Linear, range);
    panel.grid_y(canvas)?;
    panel.grid_x(canvas, None)?;
    let mut labels = Vec::new();
    let mut legend = Vec::new();
    let scale = (time.factor, PERCENT);
    for ends in lines
        .iter()
        .flat_map(|l| [l.curve.low_share, l.curve.high_share])
    {
        let shown = PERCENT * ends;
        if panel.y.range.contains(shown) && ends > 0.0 && ends < 1.0 {
            let y = panel.y.at(shown);
            canvas.dashes(
                (frame.left, y),
                (frame.right, y),
                style::FAINT_INK,
                style::THIN_LINE,
                style::DASH,
            )?;
        }
    }
    for (line, buckets) in lines.iter().zip(&all) {
        trace::line(canvas, &panel, buckets, scale, line.look)?;
        legend.push((Swatch::Pattern(line.look.0, line.look.1), line.name.clone()));
        if let Some(values) = trace::values(buckets) {
            let (lo, hi) = (PERCENT * values.lo, PERCENT * values.hi);
            let text = format!("{} {} to {} %", line.short, trimmed(lo, 1), trimmed(hi, 1));
            let end = buckets.last().map_or(lo, |b| PERCENT * b.mean);
            labels.push((end, line.look.0, text));
        }
    }
    panel.outline(canvas)?;
    panel.labels_beside(
        canvas,
        frame.right,
        style::PAGE_WIDTH - frame.right,
        &labels,
    )?;
    panel.heading(canvas, "Charge (% of usable energy)", &legend)
}

/// What racks and batteries take, above zero, and give.
fn power_panel<DB: DrawingBackend>(
    canvas: &Canvas<DB>,
    frame: Frame,
    (x, time): (Range, Unit),
    (lines, curves): (&[Line<'_>], &StorageCurves),
    end: f64,
    x_title: &str,
) -> Drawn<DB> {
    // A group's power is part of the racks'.
    let shown = lines.iter().filter(|l| {
        let worst = curves.worst_group.as_ref();
        !worst.is_some_and(|w| std::ptr::eq(w, l.curve))
    });
    let mut all: Vec<(&Line<'_>, Vec<Bucket>)> = shown
        .map(|l| (l, trace::buckets(&l.curve.power_w, end)))
        .collect();
    let values = all.iter().filter_map(|(_, b)| trace::values(b));
    let range = values
        .fold(Range { lo: 0.0, hi: 0.0 }, |a, b| {
            a.including(b.lo).including(b.hi)
        })
        .opened(1.0)
        .padded(0.06);
    let unit = power_unit(range.magnitude());
    let panel = Panel::new(frame, x, Law::Linear, unit.range(range));
    panel.grid_y(canvas)?;
    panel.grid_x(canvas, Some(x_title))?;
    // The widest behind, so that none hides another.
    let span = |b: &[Bucket]| trace::values(b).map_or(0.0, Range::span);
    all.sort_by(|a, b| span(&b.1).total_cmp(&span(&a.1)));
    let scale = (time.factor, unit.factor);
    for (line, buckets) in &all {
        let tint = style::tint(line.look.0);
        trace::band(canvas, &panel, buckets, scale, tint)?;
    }
    for (line, buckets) in &all {
        trace::line(canvas, &panel, buckets, scale, line.look)?;
    }
    let zero = panel.y.at(0.0);
    canvas.line(
        &[(frame.left, zero), (frame.right, zero)],
        style::INK,
        style::THIN_LINE,
    )?;
    panel.outline(canvas)?;
    let mut labels = Vec::new();
    let mut legend = Vec::new();
    for (line, buckets) in &all {
        let name = line.name.strip_suffix(", mean").unwrap_or(&line.name);
        legend.push((Swatch::Pattern(line.look.0, line.look.1), name.to_owned()));
        let Some(values) = trace::values(buckets) else {
            continue;
        };
        for w in [values.hi, values.lo] {
            let at = w * unit.factor;
            let sign = match at {
                a if a > 0.0 => "+",
                a if a < 0.0 => "−",
                _ => "",
            };
            let size = significant(at.abs(), 3);
            let text = format!("{} {sign}{size} {}", line.short, unit.symbol);
            labels.push((at, line.look.0, text));
        }
    }
    panel.labels_beside(
        canvas,
        frame.right,
        style::PAGE_WIDTH - frame.right,
        &labels,
    )?;
    let heading = format!("Power of storage ({}; above 0 it takes)", unit.symbol);
    panel.heading(canvas, &heading, &legend)
}
