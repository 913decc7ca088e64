//! The load-duration curve: power at the bus against the share of time in which it is exceeded.

use ballast_study::outcome::Outcome;
use plotters::backend::DrawingBackend;

use crate::axis::{Law, Range, drawable};
use crate::canvas::{Canvas, Drawn};
use crate::number::{power_unit, significant, trimmed};
use crate::page::{basis_all, page};
use crate::panel::{Frame, Panel, Swatch};
use crate::style;

/// Room beside the plot: the labels here are longer.
const PLOT_RIGHT: f64 = 1240.0;

/// Draws the curve with the figures a generator is chosen by.
pub(crate) fn draw<DB: DrawingBackend>(outcome: &Outcome, canvas: &Canvas<DB>) -> Drawn<DB> {
    page(
        canvas,
        outcome,
        "load-duration curve of the site",
        &basis_all(outcome),
    )?;
    let curve = &outcome.site.load_duration;
    let mut points: Vec<(f64, f64)> = curve
        .share
        .iter()
        .zip(&curve.value)
        .map(|(&share, &value)| (share, value))
        .filter(|&(share, value)| drawable(share) && drawable(value))
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let design = &outcome.design_values;
    let envelope = &outcome.site.envelope;
    let values = points.iter().map(|p| p.1);
    let marks = [
        envelope.max,
        envelope.min,
        design.design_peak_w,
        design.nominal_w,
    ];
    let range = Range::of(values.chain(marks))
        .unwrap_or(Range { lo: 0.0, hi: 0.0 })
        .for_power();
    let unit = power_unit(range.magnitude());
    let panel = Panel::new(
        Frame::single(PLOT_RIGHT),
        Range { lo: 0.0, hi: 100.0 },
        Law::Linear,
        unit.range(range),
    );
    panel.grid_y(canvas)?;
    panel.grid_x(
        canvas,
        Some("Share of time in which the power is exceeded (%)"),
    )?;
    if points.is_empty() {
        panel.remark(canvas, "No samples.")?;
    }
    let line: Vec<(f64, f64)> = points
        .iter()
        .map(|&(share, value)| panel.at(share * 100.0, value * unit.factor))
        .collect();
    let area: Vec<(f64, f64, f64)> = line
        .iter()
        .map(|&(x, y)| (x, y, panel.frame().bottom))
        .collect();
    canvas.band(&area, style::tint(style::POWER))?;
    canvas.line(&line, style::POWER, style::STRONG_LINE)?;
    panel.outline(canvas)?;

    let written = |value: f64| format!("{} {}", significant(value * unit.factor, 4), unit.symbol);
    let quantile = trimmed(design.design_peak_quantile * 100.0, 6);
    let candidates = [
        (envelope.max, format!("highest {}", written(envelope.max))),
        (
            design.design_peak_w,
            format!(
                "design peak {} (p{quantile})",
                written(design.design_peak_w)
            ),
        ),
        (
            design.nominal_w,
            format!("nominal {} (median)", written(design.nominal_w)),
        ),
        (envelope.mean, format!("mean {}", written(envelope.mean))),
        (envelope.min, format!("lowest {}", written(envelope.min))),
    ];
    let labels: Vec<_> = candidates
        .into_iter()
        .filter(|(value, _)| drawable(*value))
        .map(|(value, text)| (value * unit.factor, style::FAINT_INK, text))
        .collect();
    for (value, colour) in [
        (design.design_peak_w, style::LIMIT),
        (design.nominal_w, style::FAINT_INK),
    ] {
        if drawable(value) {
            let y = panel.y.at(value * unit.factor);
            canvas.dashes(
                (panel.frame().left, y),
                (panel.frame().right, y),
                colour,
                style::SERIES_LINE,
                style::DASH,
            )?;
        }
    }
    panel.labels_beside(
        canvas,
        PLOT_RIGHT,
        style::PAGE_WIDTH - PLOT_RIGHT - 8.0,
        &labels,
    )?;
    let legend = [
        (Swatch::Line(style::POWER), "power exceeded".to_owned()),
        (Swatch::Dashes(style::LIMIT), "design peak".to_owned()),
        (Swatch::Dashes(style::FAINT_INK), "nominal".to_owned()),
    ];
    panel.heading(
        canvas,
        &format!("Power at the bus ({})", unit.symbol),
        &legend,
    )
}
