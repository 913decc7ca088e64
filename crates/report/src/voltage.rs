//! Voltage of the bus over time, under power and frequency.

use ballast_study::outcome::{Outcome, PlantKpis};
use plotters::backend::DrawingBackend;

use crate::axis::{Law, Range};
use crate::canvas::{Canvas, Drawn};
use crate::number::{Unit, trimmed};
use crate::panel::{Frame, Panel, Swatch};
use crate::style;
use crate::time_figure::{LIMIT_REACH, band_name};
use crate::trace::{self, Bucket};
use crate::worst::{end_s, limit};

/// Voltage of the bus of the realisation that is drawn; none without alternators.
pub(crate) fn buckets(outcome: &Outcome, plant: &PlantKpis) -> Vec<Bucket> {
    plant
        .voltage_pyramid
        .as_ref()
        .map(|p| trace::buckets(p, end_s(outcome)))
        .unwrap_or_default()
}

/// The panel: voltage per unit with its limits.
pub(crate) fn draw<DB: DrawingBackend>(
    outcome: &Outcome,
    canvas: &Canvas<DB>,
    frame: Frame,
    (x, time): (Range, Unit),
    voltage: &[Bucket],
    x_title: &str,
) -> Drawn<DB> {
    let limits = [
        limit(outcome, "voltage_min_pu"),
        limit(outcome, "voltage_max_pu"),
    ];
    let data = trace::values(voltage)
        .unwrap_or(Range { lo: 1.0, hi: 1.0 })
        .opened(1e-3);
    let reached = |l: &f64| data.including(*l).span() <= LIMIT_REACH * data.span();
    let (drawn, beyond): (Vec<f64>, Vec<f64>) = limits.into_iter().flatten().partition(reached);
    let range = drawn.iter().fold(data, |r, &l| r.including(l)).padded(0.08);
    let panel = Panel::new(frame, x, Law::Linear, range);
    panel.grid_y(canvas)?;
    panel.grid_x(canvas, Some(x_title))?;
    if voltage.is_empty() {
        panel.remark(canvas, "No samples.")?;
    }
    trace::draw(canvas, &panel, voltage, (time.factor, 1.0), style::VOLTAGE)?;
    for &limit in &drawn {
        let y = panel.y.at(limit);
        canvas.dashes(
            (frame.left, y),
            (frame.right, y),
            style::LIMIT,
            style::STRONG_LINE,
            style::DASH,
        )?;
    }
    panel.outline(canvas)?;
    let mut labels: Vec<_> = drawn
        .iter()
        .map(|&l| (l, style::LIMIT, format!("limit {} pu", trimmed(l, 4))))
        .collect();
    if let Some(values) = trace::values(voltage) {
        let label = |name: &str, v: f64| {
            let text = format!("{name} {} pu", trimmed(v, 3));
            (v, style::FAINT_INK, text)
        };
        if values.span() > 0.0 {
            labels.push(label("highest", values.hi));
            labels.push(label("lowest", values.lo));
        } else {
            labels.push(label("constant", values.lo));
        }
    }
    // From above to below: labels are moved apart in that order.
    labels.sort_by(|a, b| b.0.total_cmp(&a.0));
    let width = style::PAGE_WIDTH - frame.right;
    panel.labels_beside(canvas, frame.right, width, &labels)?;
    let mut legend = vec![(Swatch::Line(style::VOLTAGE), "mean".to_owned())];
    if let Some(pyramid) = outcome
        .plant
        .as_ref()
        .and_then(|p| p.voltage_pyramid.as_ref())
    {
        let band = Swatch::Band(style::tint(style::VOLTAGE));
        legend.insert(0, (band, band_name(pyramid)));
    }
    if !drawn.is_empty() {
        legend.push((Swatch::Dashes(style::LIMIT), "limit".to_owned()));
    }
    if !beyond.is_empty() {
        let values: Vec<String> = beyond.iter().map(|&l| trimmed(l, 4)).collect();
        legend.push((
            Swatch::Bare,
            format!("off this axis: limit of {} pu", values.join(" and ")),
        ));
    }
    panel.heading(canvas, "Bus voltage (pu)", &legend)
}
