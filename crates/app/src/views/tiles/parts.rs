//! What several tiles build their charts of.

use std::sync::Arc;

use ballast_series::Pyramid;
use ballast_study::outcome::{Outcome, Status, Verdict};
use egui::Ui;

use crate::plot::ViewContext;
use crate::plot::model::{Ink, Mark, Rule, Series, Weight};
use crate::plot::quantity::{self, Quantity};
use crate::plot::source::Source;
use crate::result::RunResult;

/// Draws why there is nothing to see, and what to do.
pub(crate) fn empty(ui: &mut Ui, cx: &ViewContext<'_>, why: &str) {
    let space = (ui.available_height() / 3.0).min(cx.theme.space().huge);
    ui.add_space(space);
    ui.vertical_centered(|ui| {
        let text = egui::RichText::new(why).color(cx.theme.muted);
        ui.add(egui::Label::new(text).wrap());
    });
}

/// The values of a column, and the finer ones of `[zoom]`; `or` where the result has no samples.
pub(crate) fn sources(
    result: &RunResult,
    column: &str,
    or: Option<&Pyramid>,
) -> Option<(Source, Option<Source>)> {
    let trace = result
        .traces
        .named(column)
        .map(|t| Source::Trace(Arc::clone(t)));
    let pyramid = || {
        let pyramid = or.filter(|p| !p.levels.is_empty())?;
        Some(Source::Pyramid(Arc::new(pyramid.clone())))
    };
    let fine = result.zoom.as_ref().and_then(|z| z.named(column));
    let fine = fine.map(|t| Source::Trace(Arc::clone(t)));
    Some((trace.or_else(pyramid)?, fine))
}

/// A series of a column.
pub(crate) fn series(
    result: &RunResult,
    column: &str,
    or: Option<&Pyramid>,
    (name, what): (&str, String),
    (ink, weight): (Ink, Weight),
) -> Option<Series> {
    let (source, fine) = sources(result, column, or)?;
    Some(Series {
        name: name.to_owned(),
        what,
        ink,
        weight,
        source,
        fine,
        shown: true,
    })
}

/// Adds what `make` gives of each pinned result, dashed, in a colour of its own and under the result's name.
pub(crate) fn pin(
    all: &mut Vec<Series>,
    pinned: &[Arc<RunResult>],
    make: impl Fn(&RunResult) -> Option<Series>,
) {
    for (i, result) in pinned.iter().enumerate() {
        if let Some(mut series) = make(result) {
            series.name = pinned_name(pinned, i);
            series.what = format!("Pinned result. {}", series.what);
            series.ink = pinned_ink(i);
            series.weight = Weight::Dashed;
            all.push(series);
        }
    }
}

/// Colour of pinned result number `i`.
pub(crate) fn pinned_ink(i: usize) -> Ink {
    // The first two of the palette are near those of the shown result.
    Ink::Series(i + 2)
}

/// Name of pinned result number `i`, told from others of the same name.
pub(crate) fn pinned_name(pinned: &[Arc<RunResult>], i: usize) -> String {
    let name = pinned.get(i).map_or("", |r| r.name.as_str());
    let before = pinned.iter().take(i).filter(|r| r.name == name).count();
    if before == 0 {
        format!("pinned {name}")
    } else {
        format!("pinned {name} ({})", before + 1)
    }
}

/// Realisation that the traces show.
pub(crate) fn realisation(outcome: &Outcome) -> u32 {
    outcome.provenance.shown.unwrap_or(1)
}

/// What happened in the realisation that is shown.
pub(crate) fn events(outcome: &Outcome) -> Vec<Mark> {
    let shown = realisation(outcome);
    let events = outcome.events.iter().filter(|e| e.realisation == shown);
    let mark = events.map(|e| Mark {
        at_s: e.at_s,
        value: None,
        text: format!("{}: {}", e.element, e.text),
        ink: Ink::Muted,
    });
    mark.collect()
}

/// The worst moments of the limits that `wanted` knows, with their value on the axis: verdict's value times a factor, where it stands on it.
pub(crate) fn worst(
    outcome: &Outcome,
    quantity: Quantity,
    wanted: impl Fn(&str) -> Option<Option<f64>>,
) -> Vec<Mark> {
    let shown = realisation(outcome);
    let verdicts = outcome.verdicts.iter();
    let marks = verdicts.filter_map(|v| {
        let factor = wanted(&v.limit)?;
        let at_s = v.at_s?;
        let here = v.realisation.is_none_or(|r| r == shown);
        let value = v.worst_value.zip(factor).map(|(w, f)| w * f);
        let text = match (value, v.worst_value) {
            (Some(value), _) => quantity.text(value, 0.0),
            (None, Some(worst)) => format!("{} {}", quantity::significant(worst, 4), v.unit),
            (None, None) => String::new(),
        };
        let elsewhere = if here {
            String::new()
        } else {
            format!(" (in realisation {})", v.realisation.unwrap_or(shown))
        };
        Some(Mark {
            at_s,
            value: value.filter(|_| here),
            text: format!("Worst: {} {text}, {}{elsewhere}", v.label, v.status.label()),
            ink: ink_of(v.status),
        })
    });
    marks.collect()
}

/// Colour of what came of a limit.
fn ink_of(status: Status) -> Ink {
    match status {
        Status::Fail => Ink::Violation,
        Status::Pass | Status::Inconclusive | Status::NotChecked => Ink::Muted,
    }
}

/// A line of a limit.
pub(crate) fn limit(name: &str, value: f64, quantity: Quantity) -> Rule {
    Rule {
        name: format!("{name} {}", plain(quantity, value)),
        value,
        ink: Ink::Limit,
        of: None,
    }
}

/// A value of a limit as the user wrote it: no more digits than it has.
pub(crate) fn plain(quantity: Quantity, value: f64) -> String {
    let scale = quantity.scale(value.abs());
    format!(
        "{} {}",
        quantity::significant(value / scale.factor, 5),
        scale.unit
    )
}

/// The stretch that was run finely.
pub(crate) fn fine(result: &RunResult) -> Option<(f64, f64)> {
    result.zoom.as_ref().map(|z| (z.t0_s, z.end_s()))
}

/// What verdicts of `wanted` limits say, in words.
pub(crate) fn verdicts(outcome: &Outcome, wanted: impl Fn(&str) -> bool) -> String {
    let found = outcome.verdicts.iter().filter(|v| wanted(&v.limit));
    let sentences: Vec<String> = found.map(sentence).collect();
    sentences.join(" ")
}

fn sentence(v: &Verdict) -> String {
    let figures = match (v.worst_value, v.limit_value) {
        (Some(worst), Some(limit)) => format!(
            " {} {unit} against a limit of {} {unit}",
            quantity::significant(worst, 5),
            quantity::significant(limit, 5),
            unit = v.unit
        ),
        _ => String::new(),
    };
    let at = v.at_s.map_or_else(String::new, |t| {
        format!(" at {}", quantity::moment(t, 1e-3))
    });
    let label = &v.label;
    format!("{}: {label}{figures}{at}.", v.status.label())
}

/// Smallest and largest value of a pyramid and when, in words.
pub(crate) fn extremes(pyramid: &Pyramid, quantity: Quantity) -> String {
    let Some(level) = pyramid.levels.first() else {
        return String::new();
    };
    let time = |i: usize| {
        let at = pyramid.t0_s + i as f64 * level.dt_s;
        quantity::moment(at, level.dt_s)
    };
    let low = level
        .min
        .iter()
        .enumerate()
        .min_by(|a, b| a.1.total_cmp(b.1));
    let high = level
        .max
        .iter()
        .enumerate()
        .max_by(|a, b| a.1.total_cmp(b.1));
    match (low, high) {
        (Some((i, low)), Some((j, high))) => format!(
            "Lowest {} at {}, highest {} at {}.",
            quantity.text(*low, high - low),
            time(i),
            quantity.text(*high, high - low),
            time(j)
        ),
        _ => String::new(),
    }
}
