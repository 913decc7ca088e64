//! The least that a new entry needs, so that a form can add one.

use crate::merge::{BASE, NAMED, PRESET};
use crate::outline::PlaceKind;
use crate::presets::{PresetKind, preset_names};
use crate::problem::Problem;
use crate::resolved::{Resolved, node_at, shape_at, toml_text};
use crate::shape::{Form, Shape};
use crate::tree::Node;

/// A new entry: where it goes and what stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Least {
    /// Keys from the root of the array or table it goes into, or of itself; entries of arrays by number.
    pub steps: Vec<String>,
    /// [`PlaceKind::Array`], [`PlaceKind::Map`] or [`PlaceKind::Table`]: an array's entry, a named one, or the table itself.
    pub what: PlaceKind,
    /// Name under which it goes into a table of named ones; else empty.
    pub name: String,
    /// Its keys with their values as TOML.
    pub keys: Vec<(String, String)>,
}

/// Presets that a new entry changes: common ones.
const FIRST: [(PresetKind, &str); 6] = [
    (PresetKind::Gpu, "h100-sxm5"),
    (PresetKind::Node, "hgx-h100"),
    (PresetKind::Psu, "titanium-3kw"),
    (PresetKind::Rack, "hgx-h100-4"),
    (PresetKind::Storage, "bbu-sidecar"),
    (PresetKind::Genset, "generic-diesel-1000kw"),
];

impl Resolved {
    /// The least that a new entry of the array or table at `path` needs; of an absent table, what it needs itself.
    ///
    /// # Errors
    /// No entries or keys stand there.
    pub fn least(&self, path: &str) -> Result<Least, Problem> {
        let steps = self.steps_of(path);
        let shape = shape_at(&self.root, &steps);
        let there = node_at(&self.root, &steps);
        let form = shape.and_then(|s| Some((s, s.form()?)));
        let (what, inner) = match form {
            Some((_, Form::Array(inner))) if inner.form().is_some_and(|f| is_table(&f)) => {
                (PlaceKind::Array, inner)
            }
            Some((_, Form::Map(inner))) => (PlaceKind::Map, inner),
            Some((shape, Form::Table { .. } | Form::Tagged { .. })) if there.is_none() => {
                (PlaceKind::Table, shape)
            }
            _ => {
                let (message, help) = if there.is_some() && form.is_some() {
                    (format!("`{path}` is there already"), "change its values")
                } else {
                    (
                        format!("`{path}` has no entries"),
                        "add to racks, jobs, plant.sets and the like",
                    )
                };
                return Err(Problem {
                    file: String::new(),
                    line: None,
                    column: None,
                    key: path.to_owned(),
                    message,
                    help: help.to_owned(),
                });
            }
        };
        let parts: Vec<&str> = steps.iter().map(String::as_str).collect();
        let kind = match parts.as_slice() {
            ["racks"] => Some(PresetKind::Rack),
            ["racks", _, "storage"] => Some(PresetKind::Storage),
            ["plant", "sets"] => Some(PresetKind::Genset),
            [table] => NAMED.into_iter().find(|k| k.table() == *table),
            _ => None,
        };
        let taken = self.names(&steps);
        let name = new_name(parts.as_slice(), &taken);
        let mut keys = Vec::new();
        if let Some(kind) = kind {
            let key = if NAMED.contains(&kind) { BASE } else { PRESET };
            keys.push((key.to_owned(), quoted(&self.preset(kind, &steps))));
            if what == PlaceKind::Array {
                keys.push(("name".to_owned(), quoted(&name)));
                keys.push(("count".to_owned(), "1".to_owned()));
            }
        } else {
            let like = there.map(Node::items).unwrap_or_default().last();
            self.required(inner, like, &name, &mut keys);
        }
        Ok(Least {
            steps,
            name: if what == PlaceKind::Map {
                name
            } else {
                String::new()
            },
            what,
            keys,
        })
    }

    /// The preset of the last entry, else a common one.
    fn preset(&self, kind: PresetKind, steps: &[String]) -> String {
        let last = node_at(&self.written, steps)
            .map(Node::items)
            .and_then(<[Node]>::last)
            .and_then(|n| n.get(PRESET)?.as_str());
        let common = FIRST.iter().find(|(k, _)| *k == kind).map(|(_, n)| *n);
        last.or(common)
            .or_else(|| preset_names(kind).first().copied())
            .unwrap_or("")
            .to_owned()
    }

    fn names(&self, steps: &[String]) -> Vec<String> {
        let Some(node) = node_at(&self.root, steps) else {
            return Vec::new();
        };
        let items = node.items().iter();
        let named = items.filter_map(|i| Some(i.get("name")?.as_str()?.to_owned()));
        let keys = node.entries().unwrap_or_default().iter();
        named.chain(keys.map(|e| e.key.clone())).collect()
    }

    /// What a table cannot do without.
    fn required(
        &self,
        shape: Shape<'_>,
        like: Option<&Node>,
        name: &str,
        keys: &mut Vec<(String, String)>,
    ) {
        match shape.form() {
            Some(Form::Tagged { tag, names }) => {
                let of_last = like.and_then(|l| l.get(tag)?.as_str());
                let Some(kind) = of_last.or_else(|| names.first().copied()) else {
                    return;
                };
                keys.push((tag.to_owned(), quoted(kind)));
                if let Some(variant) = shape.variant(kind) {
                    self.required(variant, like, name, keys);
                }
            }
            Some(Form::Table { required, .. }) => {
                for key in required {
                    if keys.iter().any(|(k, _)| k == key) {
                        continue;
                    }
                    let Some(inner) = shape.key(key) else {
                        continue;
                    };
                    let value = match like.and_then(|l| l.get(key)) {
                        _ if key == "name" => quoted(name),
                        Some(node) => toml_text(node),
                        None => self.value(key, inner),
                    };
                    keys.push((key.to_owned(), value));
                }
            }
            _ => {}
        }
    }

    /// A value that the key takes.
    fn value(&self, key: &str, shape: Shape<'_>) -> String {
        if shape.is_sourced() {
            let above = shape.number("x-min-value-exclusive");
            let least = above.map(|_| 1.0).or(shape.number("x-min-value"));
            return number_in(least, shape.number("x-max-value"));
        }
        match shape.form() {
            Some(Form::Number | Form::Integer) => {
                let above = shape.number("exclusiveMinimum").map(|m| m + 1.0);
                number_in(above.or(shape.number("minimum")), shape.number("maximum"))
            }
            Some(Form::Boolean) => "false".to_owned(),
            Some(Form::Choice(names)) => quoted(names.first().copied().unwrap_or("")),
            Some(Form::Array(_)) if key == "racks" => {
                let groups = self.root.get("racks").map(Node::items).unwrap_or_default();
                let first = groups.first().and_then(|g| g.get("name")?.as_str());
                first.map_or_else(|| "[]".to_owned(), |name| format!("[{}]", quoted(name)))
            }
            Some(Form::Array(_)) => "[]".to_owned(),
            Some(Form::Text) => quoted(key),
            Some(Form::Tagged { .. } | Form::Table { .. }) => {
                let mut keys = Vec::new();
                self.required(shape, None, "new", &mut keys);
                let keys: Vec<String> = keys.iter().map(|(k, v)| format!("{k} = {v}")).collect();
                format!("{{ {} }}", keys.join(", "))
            }
            Some(Form::Map(_)) | None => "{}".to_owned(),
        }
    }
}

fn is_table(form: &Form<'_>) -> bool {
    matches!(form, Form::Table { .. } | Form::Tagged { .. })
}

fn quoted(text: &str) -> String {
    toml_text(&Node::string(text, crate::tree::Origin::default()))
}

/// A number in the range: its lower end, or as near to 1 as it allows.
fn number_in(least: Option<f64>, most: Option<f64>) -> String {
    let value = match (least, most) {
        (Some(least), Some(most)) if least > most => most,
        (Some(least), _) => least.max(0.0),
        (None, Some(most)) => most.min(1.0),
        (None, None) => 1.0,
    };
    crate::limits::number(value)
}

/// A name that nothing has: "rack", "rack-2", ….
fn new_name(parts: &[&str], taken: &[String]) -> String {
    let stem = match parts.last().copied().unwrap_or("entry") {
        "racks" => "hall",
        "sets" => "set",
        "contingencies" => "loss",
        other => other.strip_suffix('s').unwrap_or(other),
    };
    let mut name = stem.to_owned();
    let mut n = 2_usize;
    while taken.contains(&name) {
        name = format!("{stem}-{n}");
        n += 1;
    }
    name
}
