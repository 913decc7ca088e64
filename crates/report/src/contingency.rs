//! A contingency: frequency and voltage of the bus around the moment at which it strikes, and what the sets carry.

use ballast_study::outcome::{Contingency, Outcome};
use plotters::backend::DrawingBackend;

use crate::axis::{Axis, Law, Range, drawable};
use crate::canvas::{Canvas, Drawn};
use crate::limited::Limited;
use crate::marks::{Mark, Placed, STRIP};
use crate::number::{Unit, significant, time_unit, trimmed};
use crate::page::page;
use crate::panel::{Frame, Panel, Swatch};
use crate::style;
use crate::time_figure::band_name;
use crate::trace::{self, Bucket};
use crate::voltage;

/// Entries named in the legend, at most; beside the plot all of them are.
const IN_LEGEND: usize = 4;

/// Whether there is anything to draw of it.
pub(crate) fn is_drawn(c: &Contingency) -> bool {
    c.frequency_pyramid
        .as_ref()
        .and_then(trace::finest)
        .is_some_and(|l| !l.mean.is_empty())
}

/// What the figure rests on.
fn basis(outcome: &Outcome, index: usize, c: &Contingency) -> String {
    // Of a stated time, which all realisations ran, curves are of the first.
    let spec = outcome.scenario.contingencies.get(index);
    let stated = spec.is_some_and(|s| s.at_s().is_some());
    let realisation = if stated { 1 } else { c.realisation };
    let lost = c.figures.as_ref().map_or_else(String::new, |f| {
        format!(
            "{} kW of {} kW lost · ",
            significant(f.lost_kw, 4),
            significant(f.load_before_kw, 4)
        )
    });
    format!(
        "{lost}realisation {realisation} · seed {}",
        outcome.provenance.seed
    )
}

/// Draws contingency number `index`.
pub(crate) fn draw<DB: DrawingBackend>(
    outcome: &Outcome,
    index: usize,
    canvas: &Canvas<DB>,
) -> Drawn<DB> {
    let Some(c) = outcome.contingencies.get(index) else {
        return Ok(());
    };
    let what = format!(
        "{} at {} s: {}",
        c.name,
        trimmed(c.at_s, 2),
        c.overall.label()
    );
    page(canvas, outcome, &what, &basis(outcome, index, c))?;
    let of = |p: &ballast_series::Pyramid| trace::buckets(p, c.end_s);
    let frequency = c.frequency_pyramid.as_ref().map(of).unwrap_or_default();
    let volts = c.voltage_pyramid.as_ref().map(of).unwrap_or_default();
    let loads: Vec<(&str, Vec<Bucket>)> = c
        .loadings
        .iter()
        .map(|l| (l.set.as_str(), of(&l.share)))
        .filter(|(_, b)| !b.is_empty())
        .collect();
    let window = trace::covered(&frequency).unwrap_or(Range {
        lo: c.start_s,
        hi: c.end_s,
    });
    let window = window.opened(1e-3);
    let time = time_unit(window.span());
    let x = time.range(window);
    let x_title = format!("Time ({})", time.symbol);
    let count = 1 + usize::from(!volts.is_empty()) + usize::from(!loads.is_empty());
    let mut frames = Frame::column(style::PLOT_RIGHT_LABELLED, count);
    if let Some(first) = frames.first_mut() {
        *first = first.with_strip(STRIP);
    }
    let marks = marks(c, window, x, time, &frames);
    let title = |k: usize| (k + 1 == count).then_some(x_title.as_str());
    let mut next = frames.iter().enumerate();
    if let Some((k, frame)) = next.next() {
        let panel = Limited {
            heading: "Bus frequency (Hz)",
            symbol: "Hz",
            colour: style::FREQUENCY,
            limits: [c.limits.frequency_min_hz, c.limits.frequency_max_hz],
            nominal: outcome.plant.as_ref().map_or(0.0, |p| p.nominal_hz),
            least: 0.02,
            band: c
                .frequency_pyramid
                .as_ref()
                .map(band_name)
                .unwrap_or_default(),
        };
        panel.draw(canvas, *frame, (x, time), &frequency, title(k))?;
    }
    if !volts.is_empty()
        && let Some((k, frame)) = next.next()
    {
        let limits = [c.limits.voltage_min_pu, c.limits.voltage_max_pu];
        let panel = voltage::panel(limits, c.voltage_pyramid.as_ref());
        panel.draw(canvas, *frame, (x, time), &volts, title(k))?;
    }
    if !loads.is_empty()
        && let Some((k, frame)) = next.next()
    {
        loading_panel(canvas, c, *frame, (x, time), &loads, title(k))?;
    }
    // Over the grid, which may have a line at the same place.
    marks.lines(canvas, &frames)?;
    frames
        .first()
        .map_or(Ok(()), |first| marks.labels(canvas, *first))
}

/// The failure, and what happened beside it.
fn marks(c: &Contingency, window: Range, x: Range, time: Unit, frames: &[Frame]) -> Placed {
    let Some(frame) = frames.first() else {
        return Placed::default();
    };
    let axis = Axis {
        range: x,
        law: Law::Linear,
        from: frame.left,
        to: frame.right,
    };
    let at_it = |at_s: f64| (at_s - c.at_s).abs() < 1e-6;
    let mut marks: Vec<Mark> = c
        .events
        .iter()
        // The trip that it is stands there by its name.
        .filter(|e| !(at_it(e.at_s) && e.kind == "set_trip"))
        .filter(|e| e.realisation == c.realisation || e.realisation == 1)
        .map(Mark::of)
        .collect();
    marks.push(Mark {
        at_s: c.at_s,
        // Its name stands in the title.
        label: match c.figures.as_ref().and_then(|f| f.set.as_ref()) {
            Some(set) => format!("loss of {set}"),
            None if c.kind == "set_trip" => "loss of a set".to_owned(),
            None => "loss of load".to_owned(),
        },
        rank: 0,
    });
    Placed::new(&marks, window, &axis, time.factor)
}

/// Loading of each entry, per cent of its rating.
fn loading_panel<DB: DrawingBackend>(
    canvas: &Canvas<DB>,
    c: &Contingency,
    frame: Frame,
    (x, time): (Range, Unit),
    loads: &[(&str, Vec<Bucket>)],
    x_title: Option<&str>,
) -> Drawn<DB> {
    const PERCENT: f64 = 100.0;
    let values = loads.iter().filter_map(|(_, b)| trace::values(b));
    let limit = c.limits.survivor_power_max_share.filter(|l| drawable(*l));
    let range = values
        .flat_map(|r| [r.lo, r.hi])
        .chain(limit)
        .fold(Range { lo: 0.0, hi: 1.0 }, Range::including);
    let range = Range {
        lo: if range.lo < 0.0 { 1.06 * range.lo } else { 0.0 },
        hi: 1.06 * range.hi,
    };
    let range = Range {
        lo: PERCENT * range.lo,
        hi: PERCENT * range.hi,
    };
    let panel = Panel::new(frame, x, Law::Linear, range);
    panel.grid_y(canvas)?;
    panel.grid_x(canvas, x_title)?;
    let level = limit.unwrap_or(1.0);
    let y = panel.y.at(PERCENT * level);
    let (colour, width) = match limit {
        Some(_) => (style::LIMIT, style::STRONG_LINE),
        None => (style::FAINT_INK, style::THIN_LINE),
    };
    canvas.dashes(
        (frame.left, y),
        (frame.right, y),
        colour,
        width,
        style::DASH,
    )?;
    let mut legend = Vec::new();
    let mut labels = Vec::new();
    for (k, (name, buckets)) in loads.iter().enumerate() {
        let (colour, pattern) = style::told_apart(k);
        trace::line(
            canvas,
            &panel,
            buckets,
            (time.factor, PERCENT),
            (colour, pattern),
        )?;
        if loads.len() <= IN_LEGEND {
            legend.push((Swatch::Pattern(colour, pattern), (*name).to_owned()));
        }
        if let Some(last) = buckets.last() {
            let end = PERCENT * last.mean;
            labels.push((end, colour, format!("{name} {} %", trimmed(end, 1))));
        }
    }
    let words = match limit {
        Some(l) => format!("limit {} %", trimmed(PERCENT * l, 2)),
        None => "rated".to_owned(),
    };
    labels.push((PERCENT * level, colour, words));
    panel.outline(canvas)?;
    panel.labels_beside(
        canvas,
        frame.right,
        style::PAGE_WIDTH - frame.right,
        &labels,
    )?;
    panel.heading(canvas, "Load of each set on the bus (% of rated)", &legend)
}
