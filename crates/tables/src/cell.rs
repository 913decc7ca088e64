//! Numbers and times in cells of text: reading them, or saying what is wrong with them.

use crate::csv_table::split_number;
use crate::problem::{Kind, Problems};
use crate::samples::Moment;
use crate::time::parse_timestamp;
use crate::unit::{self, TimeUnit};

/// Reads a time cell; `None` with a problem when it is none in `unit`.
pub(crate) fn moment(
    line: u64,
    name: &str,
    text: &str,
    unit: TimeUnit,
    problems: &mut Problems,
) -> Option<Moment> {
    if unit != TimeUnit::Iso8601 {
        let wanted = |suffix: &str| suffix.is_empty() || TimeUnit::parse(suffix) == Some(unit);
        return number(line, name, text, wanted, unit.symbol(), problems)
            .map(|(v, _)| Moment::Number(v));
    }
    if text.is_empty() {
        empty(line, name, problems);
        return None;
    }
    let nanos = parse_timestamp(text);
    if nanos.is_none() {
        problems.add(Kind::NotANumber, Some(line), Some(name), || {
            let message = format!("`{}` is no date and time", shorten(text));
            (
                message,
                "write 2025-01-31T12:00:00.123 or 2025/01/31 12:00:00.123".into(),
            )
        });
    }
    nanos.map(Moment::Nanos)
}

fn empty(line: u64, name: &str, problems: &mut Problems) {
    problems.add(Kind::Empty, Some(line), Some(name), || {
        (
            "the cell is empty".into(),
            "write a number, or leave the row out".into(),
        )
    });
}

/// Reads a number whose unit, where one follows it, `wanted` accepts; `None` with a problem otherwise.
pub(crate) fn number<'a>(
    line: u64,
    name: &str,
    text: &'a str,
    wanted: impl Fn(&str) -> bool,
    symbol: &str,
    problems: &mut Problems,
) -> Option<(f64, &'a str)> {
    if text.is_empty() {
        empty(line, name, problems);
        return None;
    }
    match split_number(text) {
        Some((value, _)) if !value.is_finite() => {
            problems.add(Kind::NotFinite, Some(line), Some(name), || {
                (
                    format!("`{}` is not a finite number", shorten(text)),
                    "write a number, or leave the row out".into(),
                )
            });
            None
        }
        Some((_, suffix)) if !wanted(suffix) => {
            problems.add(Kind::CellUnit, Some(line), Some(name), || {
                let message = format!(
                    "`{}` has another unit than the column, which is in {symbol}",
                    shorten(text)
                );
                (
                    message,
                    format!("write all cells in {symbol}, or state the column's unit"),
                )
            });
            None
        }
        Some(number) => Some(number),
        None => {
            problems.add(Kind::NotANumber, Some(line), Some(name), || {
                let help = if parse_timestamp(text).is_some() {
                    "this is a date and time: set `time_unit = \"iso8601\"` for the time column"
                } else if text.contains('\n') {
                    "a quote that opens here is not closed on this line; close it"
                } else if text.contains(',') {
                    "write a decimal point and no thousands separators"
                } else if text.starts_with('[') || text.eq_ignore_ascii_case("n/a") {
                    "the logger had no value here; leave the row out, or log another quantity"
                } else {
                    "write a number, or leave the row out"
                };
                (format!("`{}` is not a number", shorten(text)), help.into())
            });
            None
        }
    }
}

/// A cell as messages show it: one line, not endless.
fn shorten(text: &str) -> String {
    const SHOWN: usize = 40;
    let mut shown: String = text
        .chars()
        .take(SHOWN)
        .map(|c| {
            if c.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

/// The unit of time: stated, in the column's name, or told from the first cell.
pub(crate) fn decide_time_unit(
    name: &str,
    stated: Option<TimeUnit>,
    first: Option<&str>,
    found: &mut Vec<String>,
    problems: &mut Problems,
) -> Option<TimeUnit> {
    if stated.is_some() {
        return stated;
    }
    let first = first.unwrap_or("");
    if split_number(first).is_none() && parse_timestamp(first).is_some() {
        found.push(format!("column `{name}` holds dates and times"));
        return Some(TimeUnit::Iso8601);
    }
    if unit::says_nanoseconds(name) {
        problems.column(
            Some(name),
            "is in nanoseconds",
            "divide it by 1000 and name it `t_us`, or set `time_unit`",
        );
        return None;
    }
    // A name may say iso8601 over plain numbers; the numbers decide.
    if let Some(unit) = unit::time_unit(name).filter(|unit| *unit != TimeUnit::Iso8601) {
        found.push(format!(
            "time in {}, found in the name of column `{name}`",
            unit.symbol()
        ));
        return Some(unit);
    }
    let (value, suffix) = split_number(first).unwrap_or((0.0, ""));
    if let Some(unit) = TimeUnit::parse(suffix).filter(|unit| *unit != TimeUnit::Iso8601) {
        found.push(format!(
            "time in {}, found in the cells of column `{name}`",
            unit.symbol()
        ));
        return Some(unit);
    }
    if value >= 1e17 {
        problems.column(
            Some(name),
            format!("starts at {value:e}, which looks like nanoseconds since 1970"),
            "divide it by 1000 and name it `t_us`, or set `time_unit`",
        );
        return None;
    }
    if let Some(unit) = TimeUnit::of_epoch(value) {
        let unit_symbol = unit.symbol();
        found.push(format!(
            "time in {unit_symbol}: column `{name}` starts at {value}, the {unit_symbol} since 1970"
        ));
        return Some(unit);
    }
    found.push(format!("time in s, as column `{name}` says no unit"));
    Some(TimeUnit::S)
}
