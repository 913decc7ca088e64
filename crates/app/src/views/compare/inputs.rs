//! How the inputs of two results differ, and a name made from that.

use toml::{Table, Value};

/// A key whose value differs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Difference {
    /// Dotted path; entries of arrays by their name where they have one.
    pub(crate) path: String,
    /// In few words: "diesel count".
    pub(crate) short: String,
    /// Value in the first text; none where it does not stand there.
    pub(crate) from: Option<String>,
    /// Value in the second.
    pub(crate) to: Option<String>,
    /// A value, which has a default where it is not given; no table and no list of tables.
    pub(crate) is_value: bool,
}

impl Difference {
    /// "diesel count 2 (shown 3)"; an arrow would read as if the result were of the second value.
    pub(crate) fn text(&self) -> String {
        match (&self.from, &self.to) {
            (Some(from), Some(to)) => format!("{} {from} (shown {to})", self.short),
            (Some(from), None) => format!("with {} {from}", self.short).trim_end().to_owned(),
            (None, Some(to)) if self.is_value => {
                format!("{} not given (shown {to})", self.short)
            }
            (None, Some(_)) => format!("without {}", self.short),
            (None, None) => self.short.clone(),
        }
    }
}

/// Characters up to which a list or text is told in full.
const LONGEST: usize = 40;
/// Differences that a name tells; the rest are counted.
const NAMED: usize = 2;

/// What differs between two scenario texts, by key; none where one is no TOML.
pub(crate) fn differences(from: &str, to: &str) -> Option<Vec<Difference>> {
    let (from, to) = (from.parse::<Table>().ok()?, to.parse::<Table>().ok()?);
    let mut all = Vec::new();
    tables(&from, &to, &[], &mut all);
    Some(all)
}

/// A name for a result by what differs from the shown one.
pub(crate) fn name(of: &str, shown: &str) -> String {
    let Some(all) = differences(of, shown) else {
        return "other text".to_owned();
    };
    if all.is_empty() {
        return "same inputs".to_owned();
    }
    let told: Vec<String> = all.iter().take(NAMED).map(Difference::text).collect();
    let more = match all.len().saturating_sub(NAMED) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    format!("{}{more}", told.join(", "))
}

fn tables(from: &Table, to: &Table, at: &[String], all: &mut Vec<Difference>) {
    let mut keys: Vec<&String> = from.keys().collect();
    keys.extend(to.keys().filter(|k| !from.contains_key(*k)));
    for key in keys {
        let path = [at, std::slice::from_ref(key)].concat();
        values(from.get(key), to.get(key), &path, all);
    }
}

fn values(from: Option<&Value>, to: Option<&Value>, at: &[String], all: &mut Vec<Difference>) {
    match (from, to) {
        (a, b) if a == b => {}
        (Some(Value::Table(a)), Some(Value::Table(b))) => tables(a, b, at, all),
        (Some(Value::Array(a)), Some(Value::Array(b))) if entries(a) && entries(b) => {
            let (a, b) = (named(a), named(b));
            let mut names: Vec<&String> = a.iter().map(|e| &e.0).collect();
            names.extend(
                b.iter()
                    .map(|e| &e.0)
                    .filter(|n| !a.iter().any(|e| e.0 == **n)),
            );
            for name in names {
                let find = |of: &[(String, &Value)]| -> Option<Value> {
                    of.iter().find(|e| e.0 == *name).map(|e| e.1.clone())
                };
                let path = [at, std::slice::from_ref(name)].concat();
                values(find(&a).as_ref(), find(&b).as_ref(), &path, all);
            }
        }
        _ => all.push(Difference {
            path: at.join("."),
            short: short(at),
            from: from.map(|v| told(v, at)),
            to: to.map(|v| told(v, at)),
            is_value: !from.or(to).is_some_and(|v| match v {
                Value::Table(_) => true,
                Value::Array(all) => !all.is_empty() && entries(all),
                _ => false,
            }),
        }),
    }
}

/// Whether an array is one of tables.
fn entries(array: &[Value]) -> bool {
    array.iter().all(Value::is_table)
}

/// Entries by name, or by number where they have none or share it.
fn named(array: &[Value]) -> Vec<(String, &Value)> {
    let mut all: Vec<(String, &Value)> = Vec::new();
    for (n, entry) in array.iter().enumerate() {
        let name = entry.get("name").and_then(Value::as_str);
        let name = name
            .filter(|name| !all.iter().any(|e| e.0 == *name))
            .map_or_else(|| n.to_string(), str::to_owned);
        all.push((name, entry));
    }
    all
}

/// Units of keys by the ending of their names, longest first.
const UNITS: [(&str, &str); 15] = [
    ("_hz_per_s", "Hz/s"),
    ("_percent", "%"),
    ("_kwh", "kWh"),
    ("_kva", "kVA"),
    ("_kw", "kW"),
    ("_mw", "MW"),
    ("_hz", "Hz"),
    ("_pu", "pu"),
    ("_ms", "ms"),
    ("_min", "min"),
    ("_kj", "kJ"),
    ("_s", "s"),
    ("_w", "W"),
    ("_j", "J"),
    ("_v", "V"),
];

fn unit(key: &str) -> Option<(&str, &'static str)> {
    UNITS
        .iter()
        .find_map(|(ending, unit)| Some((key.strip_suffix(ending)?, *unit)))
}

/// The last two names of a path in words; an entry with its kind: "racks hall", "diesel count".
fn short(at: &[String]) -> String {
    let last = at.len().saturating_sub(2);
    let words: Vec<String> = at[last..]
        .iter()
        .map(|k| unit(k).map_or(k.as_str(), |u| u.0).replace('_', " "))
        .collect();
    words.join(" ")
}

fn told(value: &Value, at: &[String]) -> String {
    let text = match value {
        Value::String(s) => s.clone(),
        // What stands in it would fill the table: that it is there is told.
        Value::Table(_) => return String::new(),
        Value::Array(all) if !all.is_empty() && entries(all) => {
            let names: Vec<String> = named(all).into_iter().map(|e| e.0).collect();
            names.join(", ")
        }
        other => other.to_string(),
    };
    let text = if text.chars().count() > LONGEST {
        let kept: String = text.chars().take(LONGEST).collect();
        format!("{kept}…")
    } else {
        text
    };
    let number = value.is_integer() || value.is_float();
    match at.last().and_then(|k| unit(k)).filter(|_| number) {
        Some((_, unit)) => format!("{text} {unit}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "[simulation]\nseed = 1\n[[plant.sets]]\nname = \"diesel\"\ncount = 2\n[limits]\nsite_peak_kw = 900\n";

    #[test]
    fn a_result_is_named_by_what_differs() {
        let three = BASE.replace("count = 2", "count = 3");
        assert_eq!(name(BASE, &three), "diesel count 2 (shown 3)");
        assert_eq!(name(BASE, BASE), "same inputs");
        let limit = three.replace("900", "950.5");
        assert_eq!(
            name(BASE, &limit),
            "limits site peak 900 kW (shown 950.5 kW), diesel count 2 (shown 3)"
        );
        let seed = limit.replace("seed = 1", "seed = 2");
        assert_eq!(
            name(BASE, &seed),
            "limits site peak 900 kW (shown 950.5 kW), diesel count 2 (shown 3) and 1 more"
        );
        assert_eq!(name("not = = toml", BASE), "other text");
    }

    #[test]
    fn entries_are_matched_by_name_and_comments_do_not_count() {
        let text = "# new\n[[bess]]\nname = \"b\"\n".to_owned() + BASE;
        assert_eq!(name(&text, BASE), "with bess b");
        assert_eq!(name(BASE, &text), "without bess");
        let two = BASE.to_owned() + "[[plant.sets]]\nname = \"gas\"\ncount = 1\n";
        // Sets stand behind the limits here; the array is the same.
        assert_eq!(name(&two, BASE), "with sets gas");
        assert_eq!(differences(BASE, &format!("# c\n{BASE}")), Some(Vec::new()));
    }
}
