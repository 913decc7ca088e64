//! A comparison as a table: for people, and as CSV.

use ballast_study::compare::{Comparison, ExtraRacks, VerdictCell};
use ballast_study::outcome::{RunPart, Status};

use crate::printer::Printer;
use crate::render::{number, painted};
use crate::results::csv_field;

/// Widest column of a member: longer names go on in a list below the table.
const WIDEST: usize = 22;

/// Behind a verdict that is INDICATIVE.
const MARK: &str = "*";

/// Prints the comparison.
pub(crate) fn print(comparison: &Comparison, printer: &Printer) {
    let names: Vec<String> = comparison
        .members
        .iter()
        .map(|m| shortened(&m.name))
        .collect();
    let mut lines: Vec<Line> = vec![Line::of("", names.clone())];
    for row in &comparison.rows {
        let values = row
            .values
            .iter()
            .enumerate()
            .map(|(at, value)| match value {
                None => "–".to_owned(),
                Some(v) if at == 0 || row.unit == "%" => number(*v),
                Some(v) => match row.differences[at] {
                    Some(d) => format!("{} ({})", number(*v), signed(rounded_to(d, *v))),
                    None => number(*v),
                },
            });
        lines.push(Line::of(
            &format!("{}, {}", row.label, row.unit),
            values.collect(),
        ));
    }
    if comparison.extra_racks.iter().any(Option::is_some) {
        let cells = comparison.extra_racks.iter().map(|e| extra(e.as_ref()));
        lines.push(Line::of("extra racks at site_peak_kw", cells.collect()));
    }
    lines.push(Line::of("", vec![String::new(); names.len()]));
    for row in &comparison.verdicts {
        let run = match row.run {
            Some(RunPart::Zoom) => " (zoom)",
            _ => "",
        };
        let cells = row.members.iter().map(|c| verdict(c.as_ref()));
        let mut line = Line::of(
            &format!("{}{run}, {}", row.label, row.unit),
            cells.collect(),
        );
        line.statuses = row
            .members
            .iter()
            .map(|c| c.as_ref().map(|c| c.status))
            .collect();
        lines.push(line);
    }
    let overall = comparison
        .members
        .iter()
        .map(|m| m.overall.label().to_owned());
    let mut last = Line::of("overall", overall.collect());
    last.statuses = comparison.members.iter().map(|m| Some(m.overall)).collect();
    lines.push(last);
    aligned(&lines, printer);
    notes(comparison, &names, printer);
}

/// What stands below the table.
fn notes(comparison: &Comparison, names: &[String], printer: &Printer) {
    printer.line("\nin brackets   difference to the first column");
    let cells = comparison
        .verdicts
        .iter()
        .flat_map(|r| r.members.iter().flatten());
    if cells.clone().any(|c| c.indicative) {
        let shaken = cells.filter(|c| c.corners_agree == Some(false)).count();
        let more = if shaken == 0 {
            String::new()
        } else {
            format!("; {shaken} of these come out otherwise somewhere in the stated ranges")
        };
        printer.line(&format!(
            "{MARK}             INDICATIVE: rests on weak constants of the sets{more}"
        ));
    }
    if let Some(metered) = comparison.rows.iter().find_map(|r| r.metered.as_ref()) {
        printer.line(&format!(
            "metered       power and energy of the site: {metered}"
        ));
    }
    for (member, name) in comparison.members.iter().zip(names) {
        if !member.description.is_empty() || *name != member.name {
            let what = if member.description.is_empty() {
                String::new()
            } else {
                format!(": {}", member.description)
            };
            printer.line(&format!("member        {}{what}", member.name));
        }
    }
    for basis in &comparison.basis {
        printer.line(&format!("basis         {basis}"));
    }
    for (member, extra) in comparison.members.iter().zip(&comparison.extra_racks) {
        if let Some(e) = extra {
            let with = e.overall.map_or_else(String::new, |s| {
                format!("; overall {} with them", s.label())
            });
            printer.line(&format!(
                "extra racks   {}: {} more of {} ({}{with})",
                member.name, e.racks, e.group, e.basis
            ));
        }
    }
    for caution in &comparison.cautions {
        printer.line(&format!("caution       {caution}"));
    }
}

/// One line of the table.
struct Line {
    head: String,
    cells: Vec<String>,
    /// Verdicts in the cells, for colour.
    statuses: Vec<Option<Status>>,
}

impl Line {
    fn of(head: &str, cells: Vec<String>) -> Self {
        Self {
            head: head.to_owned(),
            statuses: vec![None; cells.len()],
            cells,
        }
    }
}

fn aligned(lines: &[Line], printer: &Printer) {
    let width = |of: &dyn Fn(&Line) -> usize| lines.iter().map(of).max().unwrap_or(0);
    let head = width(&|l| l.head.chars().count());
    let columns = lines.first().map_or(0, |l| l.cells.len());
    let widths: Vec<usize> = (0..columns)
        .map(|c| width(&|l| l.cells[c].chars().count()))
        .collect();
    for line in lines {
        let mut text = format!("{:<head$}", line.head);
        for ((cell, status), width) in line.cells.iter().zip(&line.statuses).zip(&widths) {
            let padded = format!("{cell:<width$}");
            // Colour goes in last, so that it does not count as width.
            let padded = match status {
                Some(s) => padded.replacen(s.label(), &painted(*s, printer), 1),
                None => padded,
            };
            text.push_str("  ");
            text.push_str(&padded);
        }
        printer.line(text.trim_end());
    }
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= WIDEST {
        return name.to_owned();
    }
    let kept: String = name.chars().take(WIDEST - 1).collect();
    format!("{}…", kept.trim_end())
}

/// A difference no finer than the value beside it is printed.
fn rounded_to(difference: f64, value: f64) -> f64 {
    let digits = 4 - value.abs().max(1e-300).log10().floor() as i32;
    let unit = 10f64.powi(-digits.clamp(-15, 15));
    let rounded = (difference / unit).round() * unit;
    if rounded.is_finite() {
        rounded
    } else {
        difference
    }
}

fn signed(x: f64) -> String {
    if x > 0.0 {
        format!("+{}", number(x))
    } else if x == 0.0 {
        "=".to_owned()
    } else {
        format!("−{}", number(-x))
    }
}

fn extra(extra: Option<&ExtraRacks>) -> String {
    match extra {
        None => "–".to_owned(),
        Some(e) if e.estimate => format!("about {}", e.racks),
        Some(e) if e.at_least => format!("{} or more", e.racks),
        Some(e) => e.racks.to_string(),
    }
}

fn verdict(cell: Option<&VerdictCell>) -> String {
    match cell {
        None => "–".to_owned(),
        Some(c) => {
            let mark = if c.indicative { MARK } else { "" };
            let worst = c
                .worst_value
                .map_or_else(String::new, |w| format!(" {}", number(w)));
            format!("{}{mark}{worst}", c.status.label())
        }
    }
}

/// A verdict for a machine: `PASS (INDICATIVE)`.
fn plain_status(cell: &VerdictCell) -> String {
    let label = cell.status.label();
    if cell.indicative {
        format!("{label} (INDICATIVE)")
    } else {
        label.to_owned()
    }
}

/// The same as CSV: a line per figure and verdict, a column per member.
pub(crate) fn csv(comparison: &Comparison) -> String {
    let mut text = String::new();
    let mut line = |fields: Vec<String>| {
        let fields: Vec<String> = fields.iter().map(|f| csv_field(f)).collect();
        text.push_str(&fields.join(","));
        text.push('\n');
    };
    let head = ["key", "label", "unit"].map(str::to_owned);
    let names = comparison.members.iter().map(|m| m.name.clone());
    line(head.into_iter().chain(names).collect());
    let plain = |v: Option<f64>| v.map_or_else(String::new, |v| v.to_string());
    for row in &comparison.rows {
        let head = [row.key.clone(), row.label.clone(), row.unit.clone()];
        let values = row.values.iter().map(|v| plain(*v));
        line(head.into_iter().chain(values).collect());
    }
    if comparison.extra_racks.iter().any(Option::is_some) {
        let estimate = comparison.extra_racks.iter().flatten().any(|e| e.estimate);
        let key = if estimate {
            "extra_racks_estimate"
        } else {
            "extra_racks"
        };
        let head = [key, "racks that fit under site_peak_kw", "racks"].map(str::to_owned);
        let values = comparison.extra_racks.iter();
        let values = values.map(|e| e.as_ref().map_or_else(String::new, |e| e.racks.to_string()));
        line(head.into_iter().chain(values).collect());
    }
    for row in &comparison.verdicts {
        let part = match row.run {
            Some(RunPart::Zoom) => "zoom:",
            Some(RunPart::SetTrip) => "set_trip:",
            Some(RunPart::LoadRejection) => "load_rejection:",
            _ => "",
        };
        let cell = |of: &dyn Fn(&VerdictCell) -> String| -> Vec<String> {
            row.members
                .iter()
                .map(|c| c.as_ref().map_or_else(String::new, of))
                .collect()
        };
        let key = format!("verdict:{part}{}", row.limit);
        let head = [key, row.label.clone(), String::new()];
        let values = cell(&plain_status);
        line(head.into_iter().chain(values).collect());
        let key = format!("worst:{part}{}", row.limit);
        let head = [key, row.label.clone(), row.unit.clone()];
        line(
            head.into_iter()
                .chain(cell(&|c| plain(c.worst_value)))
                .collect(),
        );
    }
    let head = ["overall", "over all limits", ""].map(str::to_owned);
    let values = comparison
        .members
        .iter()
        .map(|m| m.overall.label().to_owned());
    line(head.into_iter().chain(values).collect());
    text
}
