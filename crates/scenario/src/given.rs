//! What is known of where a value comes from, once the user gave it.

use crate::problem::Report;
use crate::shape::Shape;
use crate::tree::{Entry, Node, Origin, Value};

/// Notes that a value of a generating set was changed by the user: its source, grade and confidence change with it.
pub(crate) fn mark_set_key(set: &mut Node, key: &str, origin: Origin, given: &str) {
    let Some(provenance) = set.get_mut("provenance") else {
        return;
    };
    let Some(entries) = provenance.entries_mut() else {
        return;
    };
    let covers = |entry: &Entry| {
        key == entry.key
            || key
                .strip_prefix(entry.key.as_str())
                .is_some_and(|rest| rest.starts_with('.'))
    };
    if !entries.iter().any(covers) || key.starts_with("provenance") {
        return;
    }
    let mut node = Node::table(origin);
    for (name, value) in provenance_of(given) {
        node.set(name, origin, Node::string(value, origin));
    }
    provenance.set(key, origin, node);
}

/// Parts of a set that are one of several models.
pub(crate) const MODELS: [&str; 3] = ["governor", "alternator", "exciter"];

pub(crate) fn is_model(part: &str) -> bool {
    MODELS.contains(&part)
}

/// Takes out what is said about the values of a governor, alternator or exciter when it is another model.
pub(crate) fn forget_model(set: &mut Node, part: &str) {
    if let Some(entries) = set.get_mut("provenance").and_then(Node::entries_mut) {
        let below = format!("{part}.");
        entries.retain(|e| e.key != part && !e.key.starts_with(&below));
    }
}

/// Takes out the preset's fuel curve where the user gave another rating: rates per hour of a set of another size say nothing of this one.
pub(crate) fn forget_fuel_of_another_size(root: &mut Node, report: &Report) {
    let Some(sets) = root.get_mut("plant").and_then(|p| p.get_mut("sets")) else {
        return;
    };
    for set in sets.items_mut() {
        let file = |node: Option<&Node>| node.map(|n| n.origin.file);
        let curve = file(set.get("fuel").and_then(|f| f.get("points")));
        let rating = file(set.get("rated_kw"));
        // The scenario itself is the first text.
        let of_preset =
            curve.is_some_and(|f| f != 0 && !report.sources.name(f).starts_with("--set "));
        if of_preset && curve != rating {
            set.remove("fuel");
            forget_model(set, "fuel");
        }
    }
}

/// Source, grade and confidence of a value the user gave.
fn provenance_of(given: &str) -> [(&'static str, &str); 3] {
    [
        ("source", given),
        ("grade", "given"),
        ("confidence", "medium"),
    ]
}

/// "given in x.toml". The folder is left out: the same scenario elsewhere is the same scenario.
pub(crate) fn given_in(report: &Report, origin: Origin) -> String {
    let name = report.sources.name(origin.file);
    if name.starts_with("--set ") {
        return format!("given by {name}");
    }
    format!(
        "given in {}",
        name.rsplit(['/', '\\']).next().unwrap_or(name)
    )
}

/// Renews source, grade and confidence of a table whose numbers the user changed, as far as the user did not give them.
pub(crate) fn mark_given(table: &mut Node, own: &[String], origin: Origin, given: &str) {
    let gave = |key: &str| own.iter().any(|k| k == key);
    if own
        .iter()
        .all(|k| ["source", "grade", "confidence"].contains(&k.as_str()))
    {
        return;
    }
    for (key, value) in provenance_of(given) {
        if !gave(key) {
            table.set(key, origin, Node::string(value, origin));
        }
    }
    if gave("value") {
        // The range was that of the other value.
        for end in ["low", "high"] {
            if !gave(end) {
                table.remove(end);
            }
        }
    }
}

/// Makes a sourced number of every plain one. Presets hold none, so what is plain is the user's.
pub(crate) fn expand(node: &mut Node, shape: Shape<'_>, report: &Report) {
    if shape.is_sourced() {
        if matches!(node.value, Value::Integer(_) | Value::Float(_)) {
            let origin = node.origin;
            let value = std::mem::replace(node, Node::table(origin));
            node.set("value", origin, value);
            for (key, text) in provenance_of(&given_in(report, origin)) {
                node.set(key, origin, Node::string(text, origin));
            }
        }
        return;
    }
    let shape = shape.chosen(node);
    match &mut node.value {
        Value::Table(entries) => {
            for entry in entries {
                if let Some(inner) = shape.key(&entry.key) {
                    expand(&mut entry.node, inner, report);
                }
            }
        }
        Value::Array(items) => {
            if let Some(inner) = shape.item() {
                for item in items {
                    expand(item, inner, report);
                }
            }
        }
        _ => {}
    }
}
