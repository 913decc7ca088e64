//! Problems of a table, at the key of the scenario that would put them right.

use ballast_scenario::{Loaded, Problem, TimeUnit};
use ballast_tables::TableProblem;

/// The scenario's word for a unit of time as the reader of tables has it.
pub(crate) fn time_unit(unit: TimeUnit) -> ballast_tables::TimeUnit {
    match unit {
        TimeUnit::Seconds => ballast_tables::TimeUnit::S,
        TimeUnit::Milliseconds => ballast_tables::TimeUnit::Ms,
        TimeUnit::Microseconds => ballast_tables::TimeUnit::Us,
        TimeUnit::Iso8601 => ballast_tables::TimeUnit::Iso8601,
    }
}

/// A problem of a row stands where the row is. One of the whole table stands where the scenario names the table (key `table`), or the key
/// that would put it right: one of `keys`, which the help names, or which `stated` the column.
pub(crate) fn table_problem(
    loaded: &Loaded,
    at: &str,
    table: &str,
    keys: &[&str],
    stated: &[(&str, Option<&String>)],
    p: TableProblem,
) -> Problem {
    let of_row = p.line.is_some();
    // "and 12 more", after the rows it counts.
    let of_rows = p.help.is_empty();
    if of_row || of_rows {
        return Problem {
            file: p.file.display().to_string(),
            line: p.line.and_then(|l| u32::try_from(l).ok()),
            column: None,
            key: p
                .column
                .map_or_else(|| format!("{at}.file"), |c| format!("column {c}")),
            message: p.message,
            help: p.help,
        };
    }
    let named = p.column.as_ref();
    let by_column = |key: &&&str| {
        stated
            .iter()
            .any(|(k, c)| k == *key && c.is_some() && *c == named)
    };
    let key = keys
        .iter()
        .find(|key| **key == "time_column" && by_column(key))
        .or_else(|| {
            let asks = |verb: &str, key: &str| p.help.starts_with(&format!("{verb} `{key}`"));
            keys.iter()
                .find(|key| asks("set", key) || asks("take", key))
        })
        .or_else(|| keys.iter().find(by_column))
        .copied()
        .unwrap_or(table);
    let what = named.map_or_else(
        || p.message.clone(),
        |c| format!("column `{c}` {}", p.message),
    );
    let message = format!("{}: {what}", p.file.display());
    loaded.problem_at(&format!("{at}.{key}"), message, p.help)
}
