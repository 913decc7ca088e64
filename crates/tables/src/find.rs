//! Finds the columns of a trace by their names, and says what it found.

use crate::problem::Problems;
use crate::unit::{Unit, power_unit, says_mw, unit_text};

/// First words of time columns.
const TIME_WORDS: [&str; 11] = [
    "time",
    "t",
    "timestamp",
    "datetime",
    "date",
    "ts",
    "elapsed",
    "seconds",
    "epoch",
    "unix",
    "unixtime",
];

/// First words of power columns without a unit in their name.
const POWER_WORDS: [&str; 5] = ["power", "p", "load", "demand", "draw"];

/// Columns that tell one device from another.
const DEVICE_COLUMNS: [&str; 23] = [
    "index",
    "gpu",
    "gpu_index",
    "gpu_id",
    "gpu_uuid",
    "uuid",
    "gpu_name",
    "name",
    "pci.bus_id",
    "gpu_bus_id",
    "gpu_serial",
    "serial",
    "device",
    "hostname",
    "host",
    "node",
    "node_id",
    "instance",
    "rack",
    "pdu",
    "series",
    "metric",
    "modelname",
];

/// Whether a column names devices.
pub(crate) fn is_device(name: &str) -> bool {
    DEVICE_COLUMNS.contains(&name.to_lowercase().as_str())
}

fn first_word(name: &str) -> String {
    name.split(|c: char| !c.is_alphanumeric())
        .find(|word| !word.is_empty())
        .unwrap_or("")
        .to_lowercase()
}

fn is_time(name: &str) -> bool {
    TIME_WORDS.contains(&first_word(name).as_str())
}

/// Names in backquotes, for messages; long lists end in a count.
pub(crate) fn list(names: &[&str]) -> String {
    const SHOWN: usize = 12;
    let text = names
        .iter()
        .take(SHOWN)
        .map(|n| format!("`{n}`"))
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN {
        format!("{text} and {} more", names.len() - SHOWN)
    } else {
        text
    }
}

/// Index of the column a person named; adds a problem when it is not there just once.
pub(crate) fn named(
    names: &[String],
    wanted: &str,
    option: &str,
    problems: &mut Problems,
) -> Option<usize> {
    let mut hits = names
        .iter()
        .enumerate()
        .filter(|(_, n)| n.as_str() == wanted.trim());
    match (hits.next(), hits.next()) {
        (Some((index, _)), None) => return Some(index),
        (Some(_), Some(_)) => {
            problems.column(
                Some(wanted),
                "is there more than once",
                "give every column its own name in the header",
            );
        }
        (None, _) => {
            let all: Vec<&str> = names.iter().map(String::as_str).collect();
            let near = all
                .iter()
                .map(|n| {
                    (
                        strsim::normalized_damerau_levenshtein(
                            &n.to_lowercase(),
                            &wanted.to_lowercase(),
                        ),
                        *n,
                    )
                })
                .filter(|(likeness, _)| *likeness >= 0.6)
                .max_by(|a, b| a.0.total_cmp(&b.0));
            let help = match near {
                Some((_, name)) => format!("did you mean `{name}`? Columns: {}", list(&all)),
                None => format!("set `{option}` to one of {}", list(&all)),
            };
            problems.column(Some(wanted), "is not in the table", help);
        }
    }
    None
}

/// Index of the time column, stated or found by its name; adds to `found` or to the problems.
pub(crate) fn time_column(
    names: &[String],
    stated: Option<&str>,
    found: &mut Vec<String>,
    problems: &mut Problems,
) -> Option<usize> {
    if let Some(wanted) = stated {
        return named(names, wanted, "time_column", problems);
    }
    let candidates: Vec<usize> = (0..names.len()).filter(|i| is_time(&names[*i])).collect();
    let spelled: Vec<&str> = candidates.iter().map(|i| names[*i].as_str()).collect();
    match candidates.as_slice() {
        [] => {
            let all: Vec<&str> = names.iter().map(String::as_str).collect();
            problems.column(
                None,
                "no column looks like the time",
                format!(
                    "set `time_column` to one of {}, or name it `t_s` or `timestamp`",
                    list(&all)
                ),
            );
            None
        }
        [one] => {
            found.push(format!("time column `{}`, found by its name", names[*one]));
            Some(*one)
        }
        _ => {
            problems.column(
                None,
                format!(
                    "{} columns could be the time: {}",
                    spelled.len(),
                    list(&spelled)
                ),
                "set `time_column` to one of them",
            );
            None
        }
    }
}

/// Index of the power column, stated or found by its name; adds to `found` or to the problems.
pub(crate) fn value_column(
    names: &[String],
    stated: Option<&str>,
    time: Option<usize>,
    found: &mut Vec<String>,
    problems: &mut Problems,
) -> Option<usize> {
    if let Some(wanted) = stated {
        let index = named(names, wanted, "column", problems)?;
        if Some(index) == time {
            problems.column(
                Some(wanted),
                "is the time column too",
                "set `column` or `time_column` to another one",
            );
            return None;
        }
        return Some(index);
    }
    // What a device may take is not what it takes: `power.limit [W]`.
    let (limits, others): (Vec<usize>, Vec<usize>) = (0..names.len())
        .filter(|i| Some(*i) != time && !is_time(&names[*i]))
        .partition(|i| is_limit(&names[*i]));
    let with_unit: Vec<usize> = others
        .iter()
        .copied()
        .filter(|i| power_unit(&names[*i]).is_some() || says_mw(unit_text(&names[*i])))
        .collect();
    // The highest and the lowest are readings, but not those that are wanted where there are others.
    let drawn: Vec<usize> = with_unit
        .iter()
        .copied()
        .filter(|i| !is_extreme(&names[*i]))
        .collect();
    let with_unit = if drawn.is_empty() { with_unit } else { drawn };
    let by_word: Vec<usize> = others
        .iter()
        .copied()
        .filter(|i| POWER_WORDS.contains(&first_word(&names[*i]).as_str()))
        .collect();
    if with_unit.is_empty() && by_word.is_empty() && !limits.is_empty() {
        let spelled: Vec<&str> = limits.iter().map(|i| names[*i].as_str()).collect();
        problems.column(
            None,
            format!(
                "there is no power column: {} tells what may be drawn, not what is",
                list(&spelled)
            ),
            "log the power too, such as `power.draw.average` and `power.draw.instant`, or set `column` to its name",
        );
        return None;
    }
    let values: Vec<usize> = others
        .iter()
        .copied()
        .filter(|i| !is_device(&names[*i]))
        .collect();
    let candidates = [&with_unit, &by_word, &values, &others]
        .into_iter()
        .find(|c| !c.is_empty());
    let how = if with_unit.is_empty() && by_word.is_empty() {
        "the only other one"
    } else {
        "found by its name"
    };
    let Some(candidates) = candidates else {
        problems.column(
            None,
            "there is no column besides the time",
            "add one with the power, such as `power_w`",
        );
        return None;
    };
    let spelled: Vec<&str> = candidates.iter().map(|i| names[*i].as_str()).collect();
    match candidates.as_slice() {
        [one] => {
            found.push(format!("power column `{}`, {how}", names[*one]));
            Some(*one)
        }
        _ if how == "the only other one" => {
            problems.column(
                None,
                "no column looks like power",
                format!(
                    "set `column` to one of {}, to a name with `*` in it to sum all that fit, or name it `power_w` or `power_kw`",
                    list(&spelled)
                ),
            );
            None
        }
        _ => {
            problems.column(
                None,
                format!(
                    "{} columns could be the power: {}",
                    spelled.len(),
                    list(&spelled)
                ),
                "set `column` to one of them, or to a name with `*` in it, such as `GPU *`, to sum all that fit",
            );
            None
        }
    }
}

fn has_word(name: &str, words: &[&str]) -> bool {
    name.to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| words.contains(&word))
}

/// Whether a column holds a limit of power.
fn is_limit(name: &str) -> bool {
    has_word(name, &["limit", "cap", "rated", "nameplate"])
}

/// Whether a column holds the highest or the lowest of a quantity.
fn is_extreme(name: &str) -> bool {
    has_word(name, &["max", "min"])
}

/// Indices of the columns with power: one, or with `*` in the stated name all that fit, to be summed.
pub(crate) fn value_columns(
    names: &[String],
    stated: Option<&str>,
    time: Option<usize>,
    found: &mut Vec<String>,
    problems: &mut Problems,
) -> Vec<usize> {
    let pattern = stated.filter(|s| s.contains('*') && !names.iter().any(|n| n == s.trim()));
    let Some(pattern) = pattern else {
        return value_column(names, stated, time, found, problems)
            .into_iter()
            .collect();
    };
    let fitting: Vec<usize> = (0..names.len())
        .filter(|i| Some(*i) != time && fits(&names[*i], pattern.trim()))
        .collect();
    if fitting.is_empty() {
        let all: Vec<&str> = names.iter().map(String::as_str).collect();
        problems.column(
            Some(pattern),
            "fits no column",
            format!(
                "set `column` to one of {}, or to a pattern that fits several",
                list(&all)
            ),
        );
    }
    let units: Vec<Option<Unit>> = fitting.iter().map(|i| power_unit(&names[*i])).collect();
    if let Some(other) = units.iter().position(|u| *u != units[0]) {
        problems.column(
            Some(pattern),
            format!(
                "fits columns in different units, `{}` and `{}`",
                names[fitting[0]], names[fitting[other]]
            ),
            "choose a pattern for columns of one unit",
        );
        return Vec::new();
    }
    fitting
}

/// Whether a name fits a pattern in which `*` stands for any text.
fn fits(name: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|start| name.strip_prefix(start)) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let end = parts.pop().unwrap_or("");
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(end)
}

/// The unit of power: stated, in the column's name, or after the first number; adds to `found` or to the problems.
pub(crate) fn decide_unit(
    name: &str,
    stated: Option<Unit>,
    first_cell: Option<&str>,
    found: &mut Vec<String>,
    problems: &mut Problems,
) -> Option<Unit> {
    let in_name = power_unit(name);
    if let Some(unit) = stated {
        if let Some(other) = in_name.filter(|other| *other != unit) {
            found.push(format!(
                "column `{name}` is read in {}, as stated, though its name says {}",
                unit.symbol(),
                other.symbol()
            ));
        }
        return Some(unit);
    }
    if let Some(unit) = in_name {
        found.push(format!(
            "unit {}, found in the name of column `{name}`",
            unit.symbol()
        ));
        return Some(unit);
    }
    if unit_text(name) == "mW" || first_cell == Some("mW") {
        problems.column(
            Some(name),
            "is in milliwatts",
            "divide it by 1000 and call it `power_w`",
        );
        return None;
    }
    if says_mw(unit_text(name)) || first_cell.is_some_and(says_mw) {
        problems.column(
            Some(name),
            "is in `mw`, which may be milliwatts (as NVML counts) or megawatts",
            "set `unit` to \"MW\" if megawatts are meant; divide milliwatts by 1000 and set `unit` to \"W\"",
        );
        return None;
    }
    if let Some(unit) = first_cell.and_then(Unit::parse) {
        found.push(format!(
            "unit {}, found in the cells of column `{name}`",
            unit.symbol()
        ));
        return Some(unit);
    }
    problems.column(
        Some(name),
        "has no unit in its name",
        "set `unit` to W, kW, MW or pu, or write it into the name, such as `power_kw`",
    );
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn names(of: &[&str]) -> Vec<String> {
        of.iter().map(|n| (*n).to_owned()).collect()
    }

    #[test]
    fn columns_are_found_or_the_candidates_listed() {
        let mut problems = Problems::new(Path::new("x"));
        let mut found = Vec::new();
        let header = names(&["t", "gpu_index", "power_w", "sm_clock_mhz", "rapl_pkg_uj"]);
        let time = time_column(&header, None, &mut found, &mut problems);
        assert_eq!(time, Some(0));
        assert_eq!(
            value_column(&header, None, time, &mut found, &mut problems),
            Some(2)
        );
        assert!(problems.is_empty());

        let header = names(&["t", "demand_w", "measured_w"]);
        assert_eq!(
            value_column(&header, None, Some(0), &mut found, &mut problems),
            None
        );
        assert_eq!(
            value_column(
                &header,
                Some("measurd_w"),
                Some(0),
                &mut found,
                &mut problems
            ),
            None
        );
        assert_eq!(
            value_column(&header, Some("t"), Some(0), &mut found, &mut problems),
            None
        );
        assert_eq!(
            time_column(&header, Some("zzz"), &mut found, &mut problems),
            None
        );
        let text = problems.into_problems().to_string();
        assert!(
            text.contains("2 columns could be the power: `demand_w`, `measured_w`; set `column`"),
            "{text}"
        );
        assert!(
            text.contains("column `measurd_w`: is not in the table; did you mean `measured_w`?"),
            "{text}"
        );
        assert!(
            text.contains("column `t`: is the time column too"),
            "{text}"
        );
        assert!(
            text.contains("set `time_column` to one of `t`, `demand_w`, `measured_w`"),
            "{text}"
        );
    }

    #[test]
    fn a_limit_is_never_the_power() {
        for header in [
            &[
                "timestamp",
                "index",
                "utilization.gpu [%]",
                "power.limit [W]",
            ][..],
            &["timestamp", "power.limit"],
            &["t", "power_cap_w", "enforced.power.limit [W]"],
        ] {
            let mut problems = Problems::new(Path::new("x"));
            let at = value_column(
                &names(header),
                None,
                Some(0),
                &mut Vec::new(),
                &mut problems,
            );
            assert_eq!(at, None);
            let text = problems.into_problems().to_string();
            assert!(text.contains("there is no power column"), "{text}");
        }
        let mut problems = Problems::new(Path::new("x"));
        let header = names(&["t", "power.limit [W]", "max_power_w"]);
        let at = value_column(&header, None, Some(0), &mut Vec::new(), &mut problems);
        assert_eq!(at, Some(2), "a largest reading is a reading");
    }

    #[test]
    fn the_only_other_column_is_taken() {
        let mut problems = Problems::new(Path::new("x"));
        let mut found = Vec::new();
        let header = names(&["time", "x"]);
        assert_eq!(
            value_column(&header, None, Some(0), &mut found, &mut problems),
            Some(1)
        );
        assert_eq!(found, ["power column `x`, the only other one"]);
        assert_eq!(
            decide_unit("x", None, None, &mut found, &mut problems),
            None
        );
        assert_eq!(
            decide_unit("x", None, Some("kW"), &mut found, &mut problems),
            Some(Unit::Kw)
        );
        assert!(
            problems
                .into_problems()
                .to_string()
                .contains("set `unit` to W, kW, MW or pu")
        );
    }
}
