//! A sweep as a table for people, CSV, JSON and a figure.

use ballast_report::{Sweep, SweepLine, SweepPoint};
use ballast_study::Ready;
use ballast_study::sizing::Smallest;
use serde_json::{Value, json};

use crate::printer::Printer;
use crate::render::{number, painted};
use crate::results::csv_field;
use crate::size::{Line, Point, Swept, Varied, words};

const DEVIATION: &str = "frequency_deviation_hz";

/// Key and words of the swing that the curves show: that within the longest ramp window, else of the whole run.
fn swing(swept: &Swept) -> (String, String) {
    let figures = swept.points.iter().flat_map(|p| &p.figures);
    let mut found = figures.filter(|f| f.key.starts_with("swing_in_") || f.key == "site_range_kw");
    let of = |f: &ballast_study::compare::Figure| (f.key.clone(), f.label.clone());
    let first = found.next().map(of);
    let better = found.find(|f| f.key.starts_with("swing_in_")).map(of);
    match (first, better) {
        (Some(first), _) if first.0.starts_with("swing_in_") => first,
        (_, Some(better)) => better,
        (Some(first), None) => first,
        (None, None) => ("site_range_kw".to_owned(), "highest less lowest".to_owned()),
    }
}

/// Where the powers are metered.
fn metered(swept: &Swept) -> Option<&String> {
    let mut figures = swept.points.iter().flat_map(|p| &p.figures);
    figures.find_map(|f| f.metered.as_ref())
}

fn label(key: &Varied) -> String {
    match key.number.unit.as_str() {
        "" => key.path.clone(),
        unit => format!("{} ({unit})", key.path),
    }
}

/// The figure.
pub(crate) fn figure(swept: &Swept, base: &Ready) -> Sweep {
    let scenario = &base.loaded.scenario;
    let (swing_key, swing_label) = swing(swept);
    let has_bus = swept.points.iter().any(|p| p.figure(DEVIATION).is_some());
    let lines = swept.lines.iter().map(|line| SweepLine {
        label: match (line.second, swept.keys.get(1)) {
            (Some(v), Some(key)) => words(std::slice::from_ref(key), &[v]),
            _ => String::new(),
        },
        points: of_line(swept, line)
            .map(|p| SweepPoint {
                value: p.at[0],
                left: p.figure(&swing_key),
                right: p.figure(DEVIATION),
                passes: p.passes,
            })
            .collect(),
        smallest: line.sized.as_ref().and_then(|s| match s.smallest {
            Smallest::Found { value, .. } => Some(value),
            _ => None,
        }),
    });
    let metered = metered(swept);
    let metered = metered.map_or("the bus", |m| {
        m.split_once(" (").map_or(m.as_str(), |(a, _)| a)
    });
    Sweep {
        title: format!("{}: {}", scenario.scenario.name, label(&swept.keys[0])),
        basis: format!(
            "Power metered at {metered} · worst of {} realisation{} of {} s · seed {}",
            scenario.simulation.realisations,
            if scenario.simulation.realisations == 1 {
                ""
            } else {
                "s"
            },
            number(scenario.simulation.duration_s),
            scenario.simulation.seed
        ),
        footer: format!(
            "ballast {} · {} runs",
            env!("CARGO_PKG_VERSION"),
            swept.points.len()
        ),
        across: label(&swept.keys[0]),
        log: swept.keys[0].log,
        headings: (
            format!("Power, {swing_label} (kW)"),
            has_bus.then(|| "Frequency farthest from nominal (Hz)".to_owned()),
        ),
        lines: lines.collect(),
    }
}

fn of_line<'a>(swept: &'a Swept, line: &'a Line) -> impl Iterator<Item = &'a Point> {
    swept
        .points
        .iter()
        .filter(move |p| p.at.get(1).copied() == line.second)
}

/// What came of a line, in words.
fn told(swept: &Swept, line: &Line) -> Option<String> {
    let sized = line.sized.as_ref()?;
    let key = &swept.keys[0];
    let value = |v: f64| words(std::slice::from_ref(key), &[v]);
    let what = match sized.smallest {
        Smallest::Found { value: v, fails_at } => {
            format!("{} passes, {fails_at} does not", value(v))
        }
        Smallest::BelowRange { value: v } => {
            format!(
                "{} passes already: the smallest may lie below the range",
                value(v)
            )
        }
        Smallest::NonePasses { up_to } => format!("none passes up to {}", value(up_to)),
    };
    Some(match sized.not_monotone {
        Some((passes, fails)) => {
            format!(
                "{what}; but {passes} passes and {fails} does not: more is not always better here"
            )
        }
        None => what,
    })
}

/// The table and what was found.
pub(crate) fn print(swept: &Swept, printer: &Printer) {
    let (swing_key, swing_label) = swing(swept);
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut head: Vec<String> = swept.keys.iter().map(label).collect();
    let columns = [
        (swing_key.as_str(), format!("{swing_label}, kW")),
        ("site_peak_kw", "peak, kW".to_owned()),
        ("frequency_min_hz", "lowest, Hz".to_owned()),
        ("frequency_max_hz", "highest, Hz".to_owned()),
    ];
    let shown: Vec<_> = columns
        .iter()
        .filter(|(key, _)| swept.points.iter().any(|p| p.figure(key).is_some()))
        .collect();
    head.extend(shown.iter().map(|(_, label)| label.clone()));
    head.push("overall".to_owned());
    for point in &swept.points {
        let mut row: Vec<String> = point.at.iter().map(|v| number(*v)).collect();
        let figures = shown.iter().map(|(key, _)| point.figure(key));
        row.extend(figures.map(|v| v.map_or_else(|| "–".to_owned(), number)));
        row.push(point.overall.label().to_owned());
        rows.push(row);
    }
    let width = |c: usize| {
        let cells = rows.iter().chain([&head]).map(|r| r[c].chars().count());
        cells.max().unwrap_or(0)
    };
    let line = |cells: &[String]| {
        let padded = cells
            .iter()
            .enumerate()
            .map(|(c, t)| format!("{t:<w$}", w = width(c)));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    printer.line(&line(&head));
    for (row, point) in rows.iter().zip(&swept.points) {
        let text = line(row);
        // The verdict is the last cell.
        let at = text.len() - point.overall.label().len();
        printer.line(&format!(
            "{}{}",
            &text[..at],
            painted(point.overall, printer)
        ));
    }
    printer.line("");
    if swept
        .points
        .iter()
        .all(|p| p.overall == ballast_study::outcome::Status::NotChecked)
    {
        printer.line("no limit was checked: give some under [limits] to find what passes");
    }
    for of in &swept.lines {
        if let Some(what) = told(swept, of) {
            let second = match (of.second, swept.keys.get(1)) {
                (Some(v), Some(key)) => format!("{}: ", words(std::slice::from_ref(key), &[v])),
                _ => String::new(),
            };
            printer.line(&format!("smallest      {second}{what}"));
        }
    }
}

/// A line per run: values, verdict, every key figure.
pub(crate) fn csv(swept: &Swept) -> String {
    let mut columns: Vec<&str> = Vec::new();
    for figure in swept.points.iter().flat_map(|p| &p.figures) {
        if !columns.contains(&figure.key.as_str()) {
            columns.push(&figure.key);
        }
    }
    let keys = swept.keys.iter().map(|k| csv_field(&k.path));
    let head = keys.chain(["overall".to_owned(), "passes".to_owned()]);
    let head: Vec<String> = head.chain(columns.iter().map(|c| csv_field(c))).collect();
    let mut text = head.join(",") + "\n";
    for point in &swept.points {
        let at = point.at.iter().map(f64::to_string);
        let verdict = [point.overall.label().to_owned(), point.passes.to_string()];
        let figures = columns
            .iter()
            .map(|c| point.figure(c).map_or_else(String::new, |v| v.to_string()));
        let fields: Vec<String> = at.chain(verdict).chain(figures).collect();
        text.push_str(&fields.join(","));
        text.push('\n');
    }
    text
}

/// The machine's view.
pub(crate) fn json(swept: &Swept, base: &Ready) -> Value {
    let keys: Vec<Value> = swept
        .keys
        .iter()
        .map(|k| {
            json!({
                "key": k.path, "unit": k.number.unit, "integer": k.number.integer, "log": k.log,
                "in_scenario": k.number.value, "grid": k.values,
            })
        })
        .collect();
    let points: Vec<Value> = swept
        .points
        .iter()
        .map(|p| {
            let figures = p.figures.iter().map(|f| (f.key.clone(), f.value.into()));
            let figures: serde_json::Map<String, Value> = figures.collect();
            json!({ "at": p.at, "overall": p.overall, "passes": p.passes, "figures": figures })
        })
        .collect();
    let lines: Vec<Value> = swept
        .lines
        .iter()
        .map(|l| json!({ "second": l.second, "smallest": l.sized, "told": told(swept, l) }))
        .collect();
    let s = &base.loaded.scenario.simulation;
    let metered = metered(swept);
    json!({
        "format": 1,
        "program": "ballast",
        "version": env!("CARGO_PKG_VERSION"),
        "name": base.loaded.scenario.scenario.name,
        "scenario_sha256": base.loaded.sha256,
        "variant": base.loaded.variant,
        "seed": s.seed,
        "realisations": s.realisations,
        "duration_s": s.duration_s,
        "step_s": s.step_s,
        "metered": metered,
        "swing": swing(swept).0,
        "keys": keys,
        "points": points,
        "lines": lines,
    })
}
