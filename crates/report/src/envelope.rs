//! Percentiles of power: a box per group of racks, and the site beside them.

use ballast_series::Envelope;
use ballast_study::outcome::Outcome;
use plotters::backend::DrawingBackend;
use plotters::style::RGBColor;

use crate::axis::{Law, Range, drawable};
use crate::canvas::{Align, Canvas, Drawn, fitted};
use crate::number::{power_unit, significant};
use crate::page::{basis_all, page};
use crate::panel::{Frame, Panel, Swatch};
use crate::style;

/// Groups drawn at most: with more, names no longer fit under them.
const MOST_GROUPS: usize = 30;
/// Width of the site's plot.
const SITE_WIDTH: f64 = 380.0;
/// Width of a slot that has room for its values beside the box.
const LABELLED_SLOT: f64 = 250.0;
/// Height for names that read upwards.
const UPRIGHT_NAMES: f64 = 200.0;
/// Gap between the groups' plot and the site's: room for the site's ticks.
const BETWEEN: f64 = 130.0;

/// What stands in one slot.
struct Slot<'a> {
    name: String,
    envelope: &'a Envelope,
}

/// Draws the boxes.
pub(crate) fn draw<DB: DrawingBackend>(outcome: &Outcome, canvas: &Canvas<DB>) -> Drawn<DB> {
    let site = [Slot {
        name: "site".to_owned(),
        envelope: &outcome.site.envelope,
    }];
    let (groups, left_out) = slots(outcome);
    let remark = match left_out {
        0 => String::new(),
        n => format!(" · {n} more groups with lower peaks are not drawn"),
    };
    let what = if groups.is_empty() {
        "power envelope of the site"
    } else {
        "power envelopes of racks and site"
    };
    page(canvas, outcome, what, &(basis_all(outcome) + &remark))?;
    let whole = Frame::single(style::PLOT_RIGHT);
    if groups.is_empty() {
        return panel(canvas, whole, "Power at the bus", &site, true);
    }
    let width = (whole.right - SITE_WIDTH - BETWEEN - whole.left) / groups.len() as f64;
    let names = groups
        .iter()
        .map(|g| style::text_width(&g.name, style::LABEL_EM))
        .fold(0.0, f64::max);
    let upright = names > width - style::LABEL_GAP;
    let foot = if upright {
        UPRIGHT_NAMES - style::PANEL_FOOT
    } else {
        0.0
    };
    let bottom = whole.bottom - foot;
    let racks = Frame {
        right: whole.right - SITE_WIDTH - BETWEEN,
        bottom,
        ..whole
    };
    panel(
        canvas,
        racks,
        "Power per rack, at its AC side",
        &groups,
        false,
    )?;
    let beside = Frame {
        left: whole.right - SITE_WIDTH,
        bottom,
        ..whole
    };
    panel(canvas, beside, "Power at the bus", &site, true)
}

/// A slot per group, and how many groups had to be left out: those with the lowest peaks.
fn slots(outcome: &Outcome) -> (Vec<Slot<'_>>, usize) {
    let mut order: Vec<usize> = (0..outcome.racks.len()).collect();
    let left_out = order.len().saturating_sub(MOST_GROUPS);
    if left_out > 0 {
        order.sort_by(|&a, &b| {
            outcome.racks[b]
                .envelope
                .max
                .total_cmp(&outcome.racks[a].envelope.max)
        });
        order.truncate(MOST_GROUPS);
        order.sort_unstable();
    }
    let slots = order.iter().map(|&k| {
        let group = &outcome.racks[k];
        let racks = format!(
            " ({} rack{})",
            group.count,
            if group.count == 1 { "" } else { "s" }
        );
        // A name that is too long loses its end, never the count.
        let room =
            UPRIGHT_NAMES - 2.0 * style::LABEL_OFFSET - style::text_width(&racks, style::LABEL_EM);
        Slot {
            name: fitted(&group.group, style::LABEL_EM, room) + &racks,
            envelope: &group.envelope,
        }
    });
    (slots.collect(), left_out)
}

/// The drawable values of an envelope by name, highest first.
fn named(envelope: &Envelope) -> Vec<(&'static str, f64)> {
    let all = [
        ("highest", envelope.max),
        ("p99.9", envelope.p99_9),
        ("p95", envelope.p95),
        ("median", envelope.p50),
        ("p5", envelope.p5),
        ("lowest", envelope.min),
    ];
    all.into_iter().filter(|(_, v)| drawable(*v)).collect()
}

fn panel<DB: DrawingBackend>(
    canvas: &Canvas<DB>,
    frame: Frame,
    heading: &str,
    slots: &[Slot<'_>],
    is_site: bool,
) -> Drawn<DB> {
    let values = slots.iter().flat_map(|s| named(s.envelope)).map(|(_, v)| v);
    let range = Range::of(values);
    let shown = range.unwrap_or(Range { lo: 0.0, hi: 0.0 }).for_power();
    let unit = power_unit(shown.magnitude());
    let count = slots.len() as f64;
    let panel = Panel::new(
        frame,
        Range { lo: 0.0, hi: count },
        Law::Linear,
        unit.range(shown),
    );
    panel.grid_y(canvas)?;
    if range.is_none() {
        panel.remark(canvas, "No samples.")?;
    }
    let slot = panel.x.length() / count;
    let labelled = slot >= LABELLED_SLOT;
    // With values beside it the box moves to the left of its slot, so that both together stand in the middle.
    let shift = if labelled { -80.0 } else { 0.0 };
    let box_width = style::BOX_WIDTH.min(slot * 0.6);
    for (k, one) in slots.iter().enumerate() {
        let middle = panel.x.at(k as f64 + 0.5) + shift;
        draw_box(canvas, &panel, middle, box_width, one.envelope, unit.factor)?;
        if labelled {
            let mut values = named(one.envelope);
            if values.first().map(|v| v.1) == values.last().map(|v| v.1) {
                values = values
                    .first()
                    .map(|v| ("constant", v.1))
                    .into_iter()
                    .collect();
            }
            let labels: Vec<(f64, RGBColor, String)> = values
                .into_iter()
                .map(|(name, v)| {
                    let shown = v * unit.factor;
                    (
                        shown,
                        style::FAINT_INK,
                        format!("{name} {} {}", significant(shown, 4), unit.symbol),
                    )
                })
                .collect();
            panel.labels_beside(canvas, middle + box_width / 2.0, slot, &labels)?;
        }
    }
    names(canvas, &panel, slots, slot)?;
    panel.outline(canvas)?;
    let mut legend = Vec::new();
    if !is_site {
        legend = vec![
            (Swatch::Thin(style::INK), "lowest to highest".to_owned()),
            (
                Swatch::Band(style::tint(style::POWER)),
                "p5 to p95".to_owned(),
            ),
            (Swatch::Line(style::POWER), "median".to_owned()),
            (Swatch::Line(style::QUANTILE), "p99.9".to_owned()),
        ];
    }
    panel.heading(canvas, &format!("{heading} ({})", unit.symbol), &legend)
}

/// Names under the slots; upright if one is too wide for its slot.
fn names<DB: DrawingBackend>(
    canvas: &Canvas<DB>,
    panel: &Panel,
    slots: &[Slot<'_>],
    slot: f64,
) -> Drawn<DB> {
    let room = slot - style::LABEL_GAP;
    let upright = slots
        .iter()
        .any(|s| style::text_width(&s.name, style::LABEL_EM) > room);
    let bottom = panel.frame().bottom;
    for (k, one) in slots.iter().enumerate() {
        let middle = panel.x.at(k as f64 + 0.5);
        if upright {
            canvas.text_upwards(
                (middle, bottom + style::LABEL_OFFSET),
                Align::Right,
                style::LABEL_EM,
                style::INK,
                &one.name,
            )?;
        } else {
            canvas.text(
                (middle, bottom + 20.0),
                Align::Centre,
                style::LABEL_EM,
                style::INK,
                &one.name,
            )?;
        }
    }
    Ok(())
}

/// One box: whisker from lowest to highest, box from p5 to p95, bars at the median and at p99.9.
fn draw_box<DB: DrawingBackend>(
    canvas: &Canvas<DB>,
    panel: &Panel,
    middle: f64,
    width: f64,
    envelope: &Envelope,
    factor: f64,
) -> Drawn<DB> {
    let place = |v: f64| drawable(v).then(|| panel.y.at(v * factor));
    let half = width / 2.0;
    let bar = |y: f64, share: f64, colour, thick| {
        canvas.line(
            &[(middle - half * share, y), (middle + half * share, y)],
            colour,
            thick,
        )
    };
    if let (Some(lowest), Some(highest)) = (place(envelope.min), place(envelope.max)) {
        canvas.line(
            &[(middle, lowest), (middle, highest)],
            style::INK,
            style::SERIES_LINE,
        )?;
        bar(lowest, 0.5, style::INK, style::SERIES_LINE)?;
        bar(highest, 0.5, style::INK, style::SERIES_LINE)?;
    }
    if let (Some(p5), Some(p95)) = (place(envelope.p5), place(envelope.p95)) {
        canvas.fill(
            (middle - half, p95),
            (middle + half, p5),
            style::tint(style::POWER),
        )?;
        let (left, right) = (middle - half, middle + half);
        canvas.line(
            &[
                (left, p5),
                (left, p95),
                (right, p95),
                (right, p5),
                (left, p5),
            ],
            style::POWER,
            style::THIN_LINE,
        )?;
    }
    if let Some(p99_9) = place(envelope.p99_9) {
        bar(p99_9, 0.8, style::QUANTILE, style::STRONG_LINE + 1.0)?;
    }
    place(envelope.p50).map_or(Ok(()), |p50| {
        bar(p50, 1.0, style::POWER, style::STRONG_LINE + 1.0)
    })
}
