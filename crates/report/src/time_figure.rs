//! Power and bus frequency over time: the whole run, and the worst moment close up.

use ballast_study::outcome::{Outcome, PlantKpis};
use plotters::backend::DrawingBackend;

use crate::axis::{Law, Range, drawable};
use crate::canvas::{Canvas, Drawn};
use crate::marks::{self, Placed};
use crate::number::{Unit, decimals_for, fixed, power_unit, significant, time_unit, trimmed};
use crate::page::{basis_first, page};
use crate::panel::{Frame, Panel, Swatch, backed_text};
use crate::style;
use crate::trace::{self, Bucket};
use crate::voltage;
use crate::worst::{Worst, end_s, limits, worst, worst_window};

/// A limit is drawn if the axis need not become so many times longer for it.
pub(crate) const LIMIT_REACH: f64 = 8.0;

/// What is drawn over time, in words.
fn what(outcome: &Outcome) -> &'static str {
    match &outcome.plant {
        None => "site power",
        Some(plant) if plant.voltage_pyramid.is_some() => "site power, bus frequency and voltage",
        Some(_) => "site power and bus frequency",
    }
}

/// Power and frequency over the whole run; power alone without a plant.
pub(crate) fn draw_run<DB: DrawingBackend>(outcome: &Outcome, canvas: &Canvas<DB>) -> Drawn<DB> {
    page(canvas, outcome, what(outcome), &basis_first(outcome))?;
    let power = trace::buckets(&outcome.site.pyramid, end_s(outcome));
    let frequency = outcome.plant.as_ref().map_or_else(Vec::new, |p| {
        trace::buckets(&p.frequency_pyramid, end_s(outcome))
    });
    let covered = [trace::covered(&power), trace::covered(&frequency)];
    let time = covered
        .into_iter()
        .flatten()
        .reduce(|a, b| a.including(b.lo).including(b.hi));
    let time = time.unwrap_or(Range {
        lo: outcome.scenario.simulation.start_s,
        hi: end_s(outcome),
    });
    draw_window(outcome, canvas, time.opened(1e-3), &power, &frequency)
}

/// Power and frequency around the worst moment of the realisation that is drawn.
pub(crate) fn draw_worst<DB: DrawingBackend>(outcome: &Outcome, canvas: &Canvas<DB>) -> Drawn<DB> {
    let Some((window, worst)) = worst_window(outcome) else {
        return Ok(());
    };
    let which = if worst.highest { "highest" } else { "lowest" };
    let what = format!(
        "{} around the {which} frequency at {} s",
        what(outcome),
        trimmed(worst.extreme.at_s, 2)
    );
    page(canvas, outcome, &what, &basis_first(outcome))?;
    let power = trace::within(
        &trace::buckets(&outcome.site.pyramid, end_s(outcome)),
        window,
    );
    let frequency = outcome.plant.as_ref().map_or_else(Vec::new, |p| {
        trace::within(
            &trace::buckets(&p.frequency_pyramid, end_s(outcome)),
            window,
        )
    });
    draw_window(outcome, canvas, window, &power, &frequency)
}

/// Both panels over `window`; the lower one only with a plant.
fn draw_window<DB: DrawingBackend>(
    outcome: &Outcome,
    canvas: &Canvas<DB>,
    window: Range,
    power: &[Bucket],
    frequency: &[Bucket],
) -> Drawn<DB> {
    let time = time_unit(window.span());
    let x = time.range(window);
    let x_title = format!("Time ({})", time.symbol);
    let marks = |frame: Frame| {
        let axis = Panel::new(frame, x, Law::Linear, x).x;
        Placed::new(&marks::of_run(outcome), window, &axis, time.factor)
    };
    let Some(plant) = &outcome.plant else {
        let frame = Frame::single(style::PLOT_RIGHT_LABELLED);
        let marks = marks(frame);
        let frame = marks.room_above(frame);
        power_panel(outcome, canvas, frame, x, time, power, Some(&x_title))?;
        marks.lines(canvas, &[frame])?;
        return marks.labels(canvas, frame);
    };
    let volts = trace::within(&voltage::buckets(outcome, plant), window);
    let right = style::PLOT_RIGHT_LABELLED;
    let (above, below, lowest) = if volts.is_empty() {
        let [above, below] = Frame::stacked(right);
        (above, below, None)
    } else {
        let [above, below, lowest] = Frame::stacked(right);
        (above, below, Some(lowest))
    };
    let marks = marks(above);
    let above = marks.room_above(above);
    let upper = power_panel(outcome, canvas, above, x, time, power, None)?;
    marks.lines(canvas, &[above])?;
    let worst = worst(outcome, plant)
        .filter(|w| window.contains(w.extreme.at_s))
        .or_else(|| {
            worst_window(outcome)
                .map(|w| w.1)
                .filter(|w| window.contains(w.extreme.at_s))
        });
    if let Some(worst) = worst.filter(Worst::is_drawn) {
        let at = upper.x.at(worst.extreme.at_s * time.factor);
        for frame in [above, below].into_iter().chain(lowest) {
            canvas.dashes(
                (at, frame.top),
                (at, frame.bottom),
                style::FAINT_INK,
                style::THIN_LINE,
                style::DOTS,
            )?;
        }
    }
    frequency_panel(
        outcome,
        canvas,
        Panel::new(below, x, Law::Linear, x),
        time,
        (plant, worst, &marks),
        frequency,
        lowest.is_none().then_some(x_title.as_str()),
    )?;
    if let Some(frame) = lowest {
        let panel = voltage::of_run(outcome);
        panel.draw(canvas, frame, (x, time), &volts, Some(&x_title))?;
        marks.lines(canvas, &[frame])?;
    }
    marks.labels(canvas, above)
}

/// Name of a band in the legend.
pub(crate) fn band_name(pyramid: &ballast_series::Pyramid) -> String {
    let Some(level) = trace::finest(pyramid) else {
        return "lowest to highest".to_owned();
    };
    let unit = time_unit(level.dt_s);
    format!(
        "lowest to highest in {} {}",
        trimmed(level.dt_s * unit.factor, 1),
        unit.symbol
    )
}

fn power_panel<DB: DrawingBackend>(
    outcome: &Outcome,
    canvas: &Canvas<DB>,
    frame: Frame,
    x: Range,
    time: Unit,
    power: &[Bucket],
    x_title: Option<&str>,
) -> Result<Panel, plotters::drawing::DrawingAreaErrorKind<DB::ErrorType>> {
    let values = trace::values(power);
    let range = values.unwrap_or(Range { lo: 0.0, hi: 0.0 }).for_power();
    let unit = power_unit(range.magnitude());
    let panel = Panel::new(frame, x, Law::Linear, unit.range(range));
    panel.grid_y(canvas)?;
    panel.grid_x(canvas, x_title)?;
    trace::draw(
        canvas,
        &panel,
        power,
        (time.factor, unit.factor),
        style::POWER,
    )?;
    panel.outline(canvas)?;
    if let (Some(values), Some(mean)) = (values, trace::mean(power)) {
        let label = |name: &str, w: f64| {
            (
                w * unit.factor,
                style::FAINT_INK,
                format!("{name} {} {}", significant(w * unit.factor, 4), unit.symbol),
            )
        };
        let labels = if values.span() > 0.0 {
            vec![
                label("highest", values.hi),
                label("mean", mean),
                label("lowest", values.lo),
            ]
        } else {
            vec![label("constant", mean)]
        };
        panel.labels_beside(
            canvas,
            frame.right,
            style::PAGE_WIDTH - frame.right,
            &labels,
        )?;
    } else {
        panel.remark(canvas, "No samples.")?;
    }
    let legend = [
        (
            Swatch::Band(style::tint(style::POWER)),
            band_name(&outcome.site.pyramid),
        ),
        (Swatch::Line(style::POWER), "mean".to_owned()),
    ];
    panel.heading(
        canvas,
        &format!("Power at the bus ({})", unit.symbol),
        &legend,
    )?;
    Ok(panel)
}

fn frequency_panel<DB: DrawingBackend>(
    outcome: &Outcome,
    canvas: &Canvas<DB>,
    panel: Panel,
    time: Unit,
    (plant, worst, marks): (&PlantKpis, Option<Worst>, &Placed),
    frequency: &[Bucket],
    x_title: Option<&str>,
) -> Drawn<DB> {
    let frame = panel.frame();
    let (min, max) = limits(outcome);
    let data = Range::of(
        trace::values(frequency)
            .into_iter()
            .flat_map(|r| [r.lo, r.hi])
            .chain(worst.map(|w| w.extreme.value)),
    );
    let centre = if drawable(plant.nominal_hz) {
        plant.nominal_hz
    } else {
        0.0
    };
    let data = data
        .unwrap_or(Range {
            lo: centre,
            hi: centre,
        })
        .opened(0.02);
    let reached = |limit: &f64| data.including(*limit).span() <= LIMIT_REACH * data.span();
    let (drawn, beyond): (Vec<f64>, Vec<f64>) = [min, max].into_iter().flatten().partition(reached);
    let range = drawn.iter().fold(data, |r, &l| r.including(l)).padded(0.06);
    let range = worst.map_or(range, |w| room_for_label(range, &w, &drawn, frame));
    let panel = Panel::new(frame, panel.x.range, Law::Linear, range);
    panel.grid_y(canvas)?;
    panel.grid_x(canvas, x_title)?;
    if frequency.is_empty() {
        panel.remark(canvas, "No samples.")?;
    }
    trace::draw(
        canvas,
        &panel,
        frequency,
        (time.factor, 1.0),
        style::FREQUENCY,
    )?;
    // Over the grid, under the label of the worst moment.
    marks.lines(canvas, &[frame])?;
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
        .map(|&l| (l, style::LIMIT, format!("limit {} Hz", trimmed(l, 4))))
        .collect();
    if let Some(values) = trace::values(frequency).filter(|v| v.span() == 0.0) {
        labels.push((
            values.lo,
            style::FAINT_INK,
            format!("constant {} Hz", trimmed(values.lo, 4)),
        ));
    }
    panel.labels_beside(
        canvas,
        frame.right,
        style::PAGE_WIDTH - frame.right,
        &labels,
    )?;
    if let Some(worst) = worst {
        mark_worst(canvas, &panel, &worst, &drawn, (time, data.span()))?;
    }
    let mut legend = vec![
        (
            Swatch::Band(style::tint(style::FREQUENCY)),
            band_name(&plant.frequency_pyramid),
        ),
        (Swatch::Line(style::FREQUENCY), "mean".to_owned()),
    ];
    if !drawn.is_empty() {
        legend.push((Swatch::Dashes(style::LIMIT), "limit".to_owned()));
    }
    if !beyond.is_empty() {
        let values: Vec<String> = beyond.iter().map(|&l| trimmed(l, 4)).collect();
        let (noun, verb) = if values.len() == 1 {
            ("limit", "is")
        } else {
            ("limits", "are")
        };
        legend.push((
            Swatch::Bare,
            format!("{noun} {} Hz {verb} off this axis", values.join(" and ")),
        ));
    }
    panel.heading(canvas, "Bus frequency (Hz)", &legend)
}

/// Distance on the page from the worst value to the middle of its label.
const LABEL_AWAY: f64 = style::MARKER + 0.8 * style::LINE_HEIGHT;
/// Distance from a limit to the middle of a label on its far side.
const LIMIT_AWAY: f64 = 0.75 * style::LINE_HEIGHT;

/// `range` with room for a label beyond the worst value, and beyond a limit that lies there.
fn room_for_label(range: Range, worst: &Worst, limits: &[f64], frame: Frame) -> Range {
    let height = frame.bottom - frame.top;
    let with_room = |range: Range, value: f64, pixels: f64| {
        let share = pixels / height;
        if worst.highest {
            Range {
                hi: range.hi.max((value - share * range.lo) / (1.0 - share)),
                ..range
            }
        } else {
            Range {
                lo: range.lo.min((value - share * range.hi) / (1.0 - share)),
                ..range
            }
        }
    };
    let half_line = style::LINE_HEIGHT / 2.0 + 2.0;
    let value = worst.extreme.value;
    let beyond = limits
        .iter()
        .filter(|&&l| if worst.highest { l > value } else { l < value });
    let range = beyond.fold(range, |r, &l| with_room(r, l, LIMIT_AWAY + half_line));
    with_room(range, value, LABEL_AWAY + half_line)
}

/// Marks the worst value and says what and when it is. A value of another realisation than the one drawn gets a ring.
fn mark_worst<DB: DrawingBackend>(
    canvas: &Canvas<DB>,
    panel: &Panel,
    worst: &Worst,
    limits: &[f64],
    (time, span_hz): (Unit, f64),
) -> Drawn<DB> {
    let extreme = worst.extreme;
    let shown = extreme.at_s * time.factor;
    let at = panel.at(shown, extreme.value);
    canvas.marker(at, style::LIMIT, worst.is_drawn())?;
    let which = if worst.highest { "highest" } else { "lowest" };
    let hz = fixed(extreme.value, decimals_for(3.0 * span_hz).max(2));
    let when = fixed(shown, decimals_for(panel.x.range.span()));
    let mut text = format!("{which} {hz} Hz at {when} {}", time.symbol);
    if !worst.is_drawn() {
        text = format!("{text} in realisation {}, not drawn", extreme.realisation);
    }
    let width = style::text_width(&text, style::LABEL_EM);
    let half = width / 2.0 + style::LABEL_GAP;
    let frame = panel.frame();
    let x = at.0.max(frame.left + half).min(frame.right - half);
    let outward = if worst.highest { -1.0 } else { 1.0 };
    let mut y = at.1 + outward * LABEL_AWAY;
    // A label on a limit's line goes to its far side.
    for &limit in limits {
        let line = panel.y.at(limit);
        if (line - y).abs() < LIMIT_AWAY {
            y = line + outward * LIMIT_AWAY;
        }
    }
    backed_text(canvas, (x, y), width, &text)
}
