//! The comparison as a table, made once per set of results.

use std::sync::Arc;

use ballast_study::compare::{Comparison, ExtraRacks, Member, VerdictCell, compare};
use ballast_study::outcome::{Outcome, RunPart, Status};
use ballast_units::format_number as number;

use super::inputs::{self, Difference};
use crate::result::RunResult;
use crate::views::verdicts::{quantity, sentence};
use crate::widgets::table::{Cell, Row};

/// Mark of the best of a row.
const BEST: &str = "●";

/// Everything the page shows.
#[derive(Debug, Clone)]
pub(crate) struct CompareModel {
    /// The members; the first is the one that the others are compared with.
    pub(crate) members: Vec<MemberModel>,
    /// Names of the columns.
    pub(crate) columns: Vec<String>,
    /// Verdicts, limit by limit.
    pub(crate) verdicts: Vec<VerdictLine>,
    /// Key figures.
    pub(crate) figures: Vec<FigureLine>,
    /// What makes the members less comparable.
    pub(crate) cautions: Vec<String>,
    /// What the figures are and are not.
    pub(crate) basis: Vec<String>,
}

/// One result.
#[derive(Debug, Clone)]
pub(crate) struct MemberModel {
    /// Name of its column.
    pub(crate) name: String,
    /// Over all its limits.
    pub(crate) overall: Status,
    /// Its outcome in a sentence.
    pub(crate) summary: String,
    /// Inputs that differ from the first member's; none where that cannot be told.
    pub(crate) inputs: Option<Vec<Difference>>,
}

/// A limit in all members.
#[derive(Debug, Clone)]
pub(crate) struct VerdictLine {
    pub(crate) head: String,
    /// State, worst value, whether another than the first's, time of the worst value.
    pub(crate) cells: Vec<Option<VerdictEntry>>,
}

/// What came of a limit in a member.
#[derive(Debug, Clone)]
pub(crate) struct VerdictEntry {
    pub(crate) status: Status,
    pub(crate) text: String,
    /// Whether it rests on weak constants.
    pub(crate) indicative: bool,
    /// Whether it comes out otherwise than in the first member.
    pub(crate) otherwise: bool,
    pub(crate) at_s: Option<f64>,
}

/// A figure of all members.
#[derive(Debug, Clone)]
pub(crate) struct FigureLine {
    pub(crate) head: String,
    pub(crate) hint: String,
    /// Value, difference to the first, which way that is, whether it is the best.
    pub(crate) cells: Vec<FigureEntry>,
}

/// A figure of a member.
#[derive(Debug, Clone, Default)]
pub(crate) struct FigureEntry {
    pub(crate) text: String,
    /// Difference to the first member; empty where there is none.
    pub(crate) difference: String,
    /// Whether it differs for better or for worse; none where neither can be said.
    pub(crate) better: Option<bool>,
    pub(crate) best: bool,
}

impl CompareModel {
    /// Of results, the one that the others are compared with first. Pinned results are named by what differs from it, variants by their names.
    pub(crate) fn of(results: &[&RunResult]) -> Self {
        let names = names(results);
        let members: Vec<Member<'_>> = results
            .iter()
            .zip(&names)
            .map(|(r, name)| Member {
                name,
                description: "",
                outcome: &r.outcome,
            })
            .collect();
        let comparison = compare(&members);
        let first_text = results.first().map(|r| Arc::clone(&r.text));
        let members = results
            .iter()
            .zip(&comparison.members)
            .map(|(r, head)| MemberModel {
                name: head.name.clone(),
                overall: head.overall,
                summary: sentence(&head.summary),
                inputs: first_text
                    .as_ref()
                    .and_then(|first| inputs::differences(&r.text, first)),
            })
            .collect();
        let outcomes: Vec<&Outcome> = results.iter().map(|r| &*r.outcome).collect();
        Self {
            members,
            verdicts: verdicts(&comparison, &outcomes),
            figures: figures(&comparison),
            columns: names,
            cautions: comparison.cautions.iter().map(|c| sentence(c)).collect(),
            basis: comparison.basis,
        }
    }

    /// The whole table, as it is copied.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let overall = Row {
            head: "Overall".to_owned(),
            cells: self
                .members
                .iter()
                .map(|m| Cell::of(m.overall.label()))
                .collect(),
        };
        let verdicts = self.verdicts.iter().map(|line| Row {
            head: line.head.clone(),
            cells: line
                .cells
                .iter()
                .map(|c| match c {
                    None => Cell::of("–"),
                    Some(c) => Cell {
                        below: c.text.clone(),
                        ..Cell::of(c.word())
                    },
                })
                .collect(),
        });
        let figures = self.figures.iter().map(|line| Row {
            head: line.head.clone(),
            cells: line
                .cells
                .iter()
                .map(|c| Cell {
                    below: c.difference.clone(),
                    ..Cell::of(c.text.as_str())
                })
                .collect(),
        });
        std::iter::once(overall)
            .chain(verdicts)
            .chain(figures)
            .collect()
    }
}

impl VerdictEntry {
    /// Its state, with a star where it is indicative.
    pub(crate) fn word(&self) -> String {
        let mark = if self.indicative { "*" } else { "" };
        format!("{}{mark}", self.status.label())
    }
}

impl FigureEntry {
    /// What is written in its cell.
    pub(crate) fn value(&self) -> String {
        if self.best {
            format!("{} {BEST}", self.text)
        } else {
            self.text.clone()
        }
    }
}

/// Names by variant, or by what differs from the first; never two alike.
fn names(results: &[&RunResult]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (at, r) in results.iter().enumerate() {
        let first = results[0];
        let name = if at == 0 {
            "Shown".to_owned()
        } else if r.text == first.text && r.name != first.name {
            // A variant's own name; whose it is, all know.
            let of = format!("{}: ", first.name);
            r.name.strip_prefix(&of).unwrap_or(&r.name).to_owned()
        } else {
            inputs::name(&r.text, &first.text)
        };
        let taken = names.iter().filter(|n| n.starts_with(&name)).count();
        names.push(if taken == 0 {
            name
        } else {
            format!("{name} ({})", taken + 1)
        });
    }
    names
}

fn verdicts(comparison: &Comparison, outcomes: &[&Outcome]) -> Vec<VerdictLine> {
    let rows = comparison.verdicts.iter();
    rows.map(|row| {
        let run = match row.run {
            Some(RunPart::Zoom) => " (fine run)",
            _ => "",
        };
        let first = row
            .members
            .first()
            .and_then(|c| c.as_ref())
            .map(|c| c.status);
        let cells = row.members.iter().zip(outcomes).map(|(cell, outcome)| {
            let cell = cell.as_ref()?;
            let at_s = outcome
                .all_verdicts()
                .find(|v| {
                    v.limit == row.limit && v.run == row.run && v.contingency == row.contingency
                })
                .and_then(|v| v.at_s);
            Some(VerdictEntry {
                status: cell.status,
                text: values(cell, &row.unit),
                indicative: cell.indicative,
                otherwise: first.is_some_and(|s| s != cell.status),
                at_s,
            })
        });
        VerdictLine {
            head: sentence(&format!("{}{run}", row.label)),
            cells: cells.collect(),
        }
    })
    .collect()
}

fn values(cell: &VerdictCell, unit: &str) -> String {
    let worst = cell.worst_value.map(|x| quantity(x, unit));
    let limit = cell
        .limit_value
        .map(|x| format!("limit {}", quantity(x, unit)));
    let parts: Vec<String> = [worst, limit].into_iter().flatten().collect();
    parts.join(", ")
}

fn figures(comparison: &Comparison) -> Vec<FigureLine> {
    let mut lines: Vec<FigureLine> = comparison
        .rows
        .iter()
        .map(|row| {
            let wanted = Wanted::of(&row.key);
            let known = || row.values.iter().flatten().copied();
            let best = match wanted {
                Wanted::Low => known().reduce(f64::min),
                Wanted::High => known().reduce(f64::max),
                Wanted::Neither => None,
            };
            let spread = known().any(|v| known().any(|w| differs(v, w)));
            let cells = row.values.iter().enumerate().map(|(at, value)| {
                let Some(value) = *value else {
                    return FigureEntry {
                        text: "–".to_owned(),
                        ..FigureEntry::default()
                    };
                };
                let first = row.values[0].unwrap_or(value);
                let difference = row.differences[at].filter(|_| at > 0 && differs(value, first));
                FigureEntry {
                    text: quantity(value, &row.unit),
                    difference: difference.map_or_else(String::new, |d| {
                        let sign = if d > 0.0 { "▲ +" } else { "▼ −" };
                        format!("{sign}{}", quantity(d.abs(), &row.unit))
                    }),
                    better: difference.and_then(|d| wanted.better(d)),
                    best: spread && best.is_some_and(|b| !differs(b, value)),
                }
            });
            FigureLine {
                head: sentence(&row.label),
                hint: row
                    .metered
                    .as_ref()
                    .map_or_else(String::new, |m| format!("Metered: {m}")),
                cells: cells.collect(),
            }
        })
        .collect();
    if comparison.extra_racks.iter().any(Option::is_some) {
        lines.push(FigureLine {
            head: "Extra racks under site_peak_kw".to_owned(),
            hint:
                "An estimate from the margin and the peak of a rack; other limits may break first"
                    .to_owned(),
            cells: comparison
                .extra_racks
                .iter()
                .map(|e| FigureEntry {
                    text: e.as_ref().map_or_else(|| "–".to_owned(), extra),
                    ..FigureEntry::default()
                })
                .collect(),
        });
    }
    lines
}

fn extra(e: &ExtraRacks) -> String {
    if e.estimate {
        format!("about {}", number(f64::from(e.racks)))
    } else {
        e.racks.to_string()
    }
}

/// Whether two values would be printed as two.
fn differs(a: f64, b: f64) -> bool {
    (a - b).abs() > 5e-5 * a.abs().max(b.abs())
}

/// Which way a figure is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Low,
    High,
    Neither,
}

impl Wanted {
    fn of(key: &str) -> Self {
        let high = ["frequency_min", "voltage_min"];
        // What is stored, used or given is neither good nor bad, and work done is what the site is for.
        let neither = [
            "site_mean",
            "energy_kwh",
            "stored_change",
            "rack_storage_used",
            "rack_storage_given",
            "bess_used",
            "bess_given",
        ];
        let any = |keys: &[&str]| keys.iter().any(|k| key.starts_with(k));
        if any(&high) {
            Self::High
        } else if any(&neither) {
            Self::Neither
        } else {
            Self::Low
        }
    }

    fn better(self, difference: f64) -> Option<bool> {
        match self {
            Self::Low => Some(difference < 0.0),
            Self::High => Some(difference > 0.0),
            Self::Neither => None,
        }
    }
}
