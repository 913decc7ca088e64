//! The fitted set as a genset preset, in the format of `sites/gensets`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ballast_plant::SetSpec;
use ballast_units::{Confidence, Grade, Provenance};
use serde_json::{Map, Value};

use crate::report::{Outcome, ParameterReport};
use crate::spec::FitSpec;

/// Relative standard error up to which a fitted value is of medium confidence.
const MEDIUM: f64 = 0.10;

/// Four significant digits: more than any fit knows.
pub(crate) fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

/// TOML text of the set `json`; `base` says where its other values come from.
pub(crate) fn toml(
    spec: &FitSpec,
    json: &Value,
    base: &SetSpec,
    parameters: &[ParameterReport],
    warnings: &[String],
) -> String {
    let mut text = head(spec, parameters, warnings);
    let empty = Map::new();
    let set = json.as_object().unwrap_or(&empty);
    // What a preset does not say: its name, a count, and what is as usual.
    let left_out = ["name", "count", "provenance"];
    let plain: Map<String, Value> = set
        .iter()
        .filter(|(key, value)| {
            !(left_out.contains(&key.as_str())
                || key.as_str() == "line_x_pu" && value.as_f64() == Some(0.0))
        })
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    for (key, value) in plain.iter().filter(|(_, v)| !v.is_object()) {
        line(&mut text, key, value);
    }
    for (key, value) in &plain {
        let Some(inner) = value.as_object() else {
            continue;
        };
        if key == "voltage_control" && is_usual(base) {
            continue;
        }
        table(&mut text, key, inner);
    }
    text.push_str("\n[provenance]\n");
    for (key, p) in provenance(spec, base, parameters) {
        let grade = word(&p.grade);
        let confidence = word(&p.confidence);
        let range = p.low.zip(p.high).map_or_else(String::new, |(low, high)| {
            format!(", low = {low}, high = {high}")
        });
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{key:?} = {{ source = {}, grade = {grade}, confidence = {confidence}{range} }}",
            quoted(&p.source)
        );
    }
    text
}

fn is_usual(base: &SetSpec) -> bool {
    base.voltage_control == ballast_plant::VoltageControlSpec::default()
}

fn head(spec: &FitSpec, parameters: &[ParameterReport], warnings: &[String]) -> String {
    let mut text = format!(
        "# {}: fitted by `ballast genset fit` to {} and {}.\n",
        one_line(&spec.name),
        count(spec.steps.len(), "block step"),
        count(spec.recordings.len(), "recording")
    );
    if let Some(rpm) = spec.speed_rpm {
        let _ = writeln!(text, "# {rpm} rpm at {} Hz.", spec.frequency_hz);
    }
    // Standard cubic metres are no unit of a curve.
    let noted = if crate::base::fuel(spec).is_some() {
        &[]
    } else {
        spec.fuel.as_slice()
    };
    for point in noted {
        let _ = writeln!(
            text,
            "# Fuel at {:.0} % load: {} per hour.",
            100.0 * point.load_share,
            point.per_hour
        );
    }
    for parameter in parameters {
        if parameter.outcome == Outcome::NotIdentified {
            let _ = writeln!(
                text,
                "# Not identified, default kept: {} ({}).",
                parameter.key,
                one_line(&parameter.note)
            );
        }
    }
    for warning in warnings {
        let _ = writeln!(text, "# Warning: {}.", one_line(warning));
    }
    text.push_str(
        "# Per-unit values on rated_kva. Every number has its entry under [provenance].\n\n",
    );
    text
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn one_line(text: &str) -> String {
    text.split(char::is_control).collect::<Vec<_>>().join(" ")
}

fn table(text: &mut String, path: &str, entries: &Map<String, Value>) {
    let _ = write!(text, "\n[{path}]\n");
    for (key, value) in entries.iter().filter(|(_, v)| !v.is_object()) {
        line(text, key, value);
    }
    for (key, value) in entries {
        if let Some(inner) = value.as_object() {
            table(text, &format!("{path}.{key}"), inner);
        }
    }
}

fn line(text: &mut String, key: &str, value: &Value) {
    if !value.is_null() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{key} = {}", shown(value));
    }
}

/// A value as TOML, all on one line.
fn shown(value: &Value) -> String {
    let listed = |items: Vec<String>| items.join(", ");
    match value {
        Value::String(s) => quoted(s),
        Value::Number(n) => match n.as_f64() {
            // 2000.0 reads as 2000: TOML takes either for a number here.
            Some(x) if x.fract() == 0.0 && x.abs() < 1e15 => format!("{x:.0}"),
            _ => n.to_string(),
        },
        Value::Array(items) => format!("[{}]", listed(items.iter().map(shown).collect())),
        Value::Object(entries) => {
            let entries = entries.iter().filter(|(_, value)| !value.is_null());
            let pairs = entries.map(|(key, value)| format!("{key} = {}", shown(value)));
            format!("{{ {} }}", listed(pairs.collect()))
        }
        other => other.to_string(),
    }
}

/// A TOML basic string. JSON's escapes are TOML's, but for the delete character that JSON leaves as it is.
fn quoted(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007F")
}

fn word<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).unwrap_or_default().to_string()
}

fn provenance(
    spec: &FitSpec,
    base: &SetSpec,
    parameters: &[ParameterReport],
) -> BTreeMap<String, Provenance> {
    let mut all = base.provenance.clone();
    if base.fuel.is_none() {
        all.retain(|key, _| key != "fuel" && !key.starts_with("fuel."));
    }
    let given = |source: String| Provenance {
        source,
        grade: Grade::Given,
        confidence: Confidence::Medium,
        low: None,
        high: None,
    };
    for key in ["rated_kw", "rated_kva"] {
        all.insert(key.to_owned(), given("given with the set".to_owned()));
    }
    for key in spec.values.keys() {
        all.insert(key.clone(), given("given with the set".to_owned()));
    }
    for (key, there) in [
        ("alternator", spec.alternator.is_some()),
        ("exciter", spec.exciter.is_some()),
        ("fuel", crate::base::fuel(spec).is_some()),
    ] {
        if there {
            all.insert(key.to_owned(), given("given with the set".to_owned()));
        }
    }
    for p in parameters {
        match p.outcome {
            Outcome::NotIdentified => {
                let before = all.get(&p.key).map_or_else(
                    || "given as the first guess".to_owned(),
                    |old| old.source.clone(),
                );
                all.insert(
                    p.key.clone(),
                    Provenance {
                        source: format!(
                            "not identified by the fit ({}); default: {before}",
                            p.note
                        ),
                        grade: Grade::Estimated,
                        confidence: Confidence::Low,
                        low: None,
                        high: None,
                    },
                );
            }
            Outcome::Identified | Outcome::Weak => {
                let range = p.low.zip(p.high);
                let good = p.outcome == Outcome::Identified
                    && p.relative_error <= MEDIUM
                    && p.note.is_empty();
                all.insert(
                    p.key.clone(),
                    Provenance {
                        source: format!(
                            "fitted to {}{}",
                            evidence(spec),
                            if range.is_some() {
                                "; range: 95 % interval"
                            } else {
                                ""
                            }
                        ),
                        grade: Grade::Derived,
                        confidence: if good {
                            Confidence::Medium
                        } else {
                            Confidence::Low
                        },
                        low: range.map(|(low, _)| low),
                        high: range.map(|(_, high)| high),
                    },
                );
            }
        }
    }
    all
}

/// What the fit rests on, in words.
fn evidence(spec: &FitSpec) -> String {
    let mut parts = Vec::new();
    if !spec.steps.is_empty() {
        parts.push(count(spec.steps.len(), "block step"));
    }
    // The folder is left out: the same recording elsewhere is the same recording.
    parts.extend(spec.recordings.iter().map(|r| {
        let name = r.file.rsplit(['/', '\\']).next().unwrap_or(&r.file);
        format!("recording {name}")
    }));
    format!("{} of {}", parts.join(", "), spec.name)
}
