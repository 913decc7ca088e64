//! Changes from outside the file: `--set`, a row of a sweep, an edit in a form.

use std::fmt;
use std::str::FromStr;

use ballast_units::parse_in_unit;

use crate::given;
use crate::merge::{BASE, NAMED, PRESET};
use crate::parse;
use crate::problem::Report;
use crate::shape::{Form, Shape};
use crate::suggest;
use crate::tree::{Node, Origin, Value, join};

/// One change: a value at a dotted path.
///
/// A step of the path is a key, the number of an array's entry from 0, or the `name` of an array's table; a step that contains
/// dots stands in double quotes. A table whose `name` is the last step is a new entry where there is none of that name. The value is TOML, or a quantity such as `2.5 MW` that is converted to the unit of the key, or text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// Dotted path, as `plant.sets.G1.count`.
    pub path: String,
    /// The value as text.
    pub value: String,
}

/// Why a text is no patch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// There is no `=`.
    #[error("`{text}` has no `=`; write key=value, as plant.sets.0.count=6")]
    NoEquals {
        /// The text as given.
        text: String,
    },
    /// There is nothing before the `=`.
    #[error("`{text}` has no key before `=`; write key=value, as plant.sets.0.count=6")]
    NoKey {
        /// The text as given.
        text: String,
    },
}

impl FromStr for Patch {
    type Err = PatchError;

    /// Splits at the first `=`.
    fn from_str(text: &str) -> Result<Self, PatchError> {
        let (path, value) = text.split_once('=').ok_or_else(|| PatchError::NoEquals {
            text: text.to_owned(),
        })?;
        if path.trim().is_empty() {
            return Err(PatchError::NoKey {
                text: text.to_owned(),
            });
        }
        Ok(Self {
            path: path.trim().to_owned(),
            value: value.trim().to_owned(),
        })
    }
}

impl fmt::Display for Patch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.path, self.value)
    }
}

/// One change on its way into the tree, from a patch or a variant.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// Keys, and entries of arrays by name or number.
    pub(crate) steps: Vec<String>,
    /// Its key in messages.
    pub(crate) key: String,
    /// What becomes of the place.
    pub(crate) what: What,
    /// Where it stands.
    pub(crate) origin: Origin,
}

/// What becomes of a place.
#[derive(Debug, Clone)]
pub(crate) enum What {
    /// A value as text, of a patch.
    Text(String),
    /// A value from a file.
    Value(Node),
    /// It is taken out.
    Out,
}

impl Change {
    /// A patch as a change; its source is itself.
    pub(crate) fn of(patch: &Patch, report: &mut Report) -> Self {
        let name = format!("--set {patch}");
        let file = report
            .sources
            .find(&name)
            .unwrap_or_else(|| report.sources.add(name, None));
        Self {
            steps: steps(&patch.path),
            key: patch.path.clone(),
            what: What::Text(patch.value.clone()),
            origin: Origin { file, start: 0 },
        }
    }

    /// Whether it names what an entry changes, or brings entries that name it, and so comes before presets are merged.
    pub(crate) fn comes_first(&self) -> bool {
        let named = |table: &String| NAMED.iter().any(|k| k.table() == table);
        match self.steps.as_slice() {
            [racks] => racks == "racks" || named(racks),
            [plant, sets] if plant == "plant" => sets == "sets",
            // An entry that comes in whole may have a preset of its own.
            [racks, _] if racks == "racks" => matches!(self.what, What::Value(_)),
            [plant, sets, _] if plant == "plant" && sets == "sets" => {
                matches!(self.what, What::Value(_))
            }
            [table, _] => named(table) && !matches!(self.what, What::Out),
            [racks, _, key] if racks == "racks" => key == PRESET,
            [racks, _, storage, key] if racks == "racks" => storage == "storage" && key == PRESET,
            [table, _, key] => key == BASE && named(table),
            [plant, sets, _, key] => plant == "plant" && sets == "sets" && key == PRESET,
            _ => false,
        }
    }
}

/// Steps of a dotted path; quotes keep dots together.
pub(crate) fn steps(path: &str) -> Vec<String> {
    let mut steps = vec![String::new()];
    let mut quoted = false;
    for c in path.chars() {
        match c {
            '"' => quoted = !quoted,
            '.' if !quoted => steps.push(String::new()),
            _ => {
                if let Some(last) = steps.last_mut() {
                    last.push(c);
                }
            }
        }
    }
    steps.iter().map(|s| s.trim().to_owned()).collect()
}

/// Number of the entry that a step names: by its name, else by its number.
pub(crate) fn entry_of(items: &[Node], step: &str) -> Option<usize> {
    let by_name = items
        .iter()
        .position(|i| i.get("name").and_then(Node::as_str) == Some(step));
    by_name.or_else(|| step.parse::<usize>().ok().filter(|at| *at < items.len()))
}

/// Applies the change at number `at` of `all`. `incomplete` receives paths under which what is missing has been reported.
pub(crate) fn apply(
    root: &mut Node,
    all: &[Change],
    at: usize,
    incomplete: &mut Vec<String>,
    report: &mut Report,
) {
    let Some(change) = all.get(at) else { return };
    // Keys of the same table that other changes set: their values are the user's as well.
    let parent = |c: &Change| c.steps.split_last().map(|(_, parent)| parent.to_vec());
    let own: Vec<String> = all
        .iter()
        .filter(|c| parent(c) == parent(change))
        .filter_map(|c| c.steps.last().cloned())
        .collect();
    let given = given::given_in(report, change.origin);
    let mut walk = Walk {
        change,
        given,
        own,
        incomplete,
        report,
    };
    walk.descend(root, Some(Shape::root()), &change.steps, "");
}

/// One change on its way down the tree.
struct Walk<'a> {
    change: &'a Change,
    given: String,
    own: Vec<String>,
    incomplete: &'a mut Vec<String>,
    report: &'a mut Report,
}

impl Walk<'_> {
    fn descend(&mut self, node: &mut Node, shape: Option<Shape<'_>>, steps: &[String], path: &str) {
        let Some((step, rest)) = steps.split_first() else {
            return;
        };
        let shape = shape.map(|s| s.chosen(node));
        match &mut node.value {
            Value::Array(items) => self.item(items, shape, step, rest, path),
            Value::Table(_) => self.key(node, shape, step, rest, path),
            // A plain number where a sourced one may stand: its parts can be set all the same.
            Value::Integer(_) | Value::Float(_) if shape.is_some_and(Shape::is_sourced) => {
                if let Some(shape) = shape {
                    given::expand(node, shape, self.report);
                }
                self.key(node, shape, step, rest, path);
            }
            _ => {
                let message = format!("`{path}` is {}, it has no `{step}`", node.describe());
                self.report.error(
                    self.change.origin,
                    &self.change.key,
                    message,
                    format!("set `{path}` itself"),
                );
            }
        }
    }

    fn item(
        &mut self,
        items: &mut Vec<Node>,
        shape: Option<Shape<'_>>,
        step: &str,
        rest: &[String],
        path: &str,
    ) {
        let inner = shape.and_then(Shape::item);
        let Some(at) = entry_of(items, step) else {
            if rest.is_empty()
                && !matches!(self.change.what, What::Out)
                && let Some(value) = self.value(inner)
                && names_itself(&value, step)
            {
                items.push(value);
                return;
            }
            let names: Vec<String> = items
                .iter()
                .enumerate()
                .map(|(at, i)| {
                    i.get("name")
                        .and_then(Node::as_str)
                        .map_or_else(|| at.to_string(), str::to_owned)
                })
                .collect();
            let refs: Vec<&str> = names.iter().map(String::as_str).collect();
            let what = format!("entries of `{path}`");
            let mut help = suggest::help(step, &what, &refs);
            let takes_name = matches!(
                inner.and_then(Shape::form),
                Some(Form::Table { .. } | Form::Tagged { .. })
            );
            if rest.is_empty() && takes_name && !matches!(self.change.what, What::Out) {
                help = format!("{help}; a new one says its name: {{ name = \"{step}\", … }}");
            }
            self.report.error(
                self.change.origin,
                &self.change.key,
                format!("`{path}` has no entry `{step}`"),
                help,
            );
            return;
        };
        let inner_path = join(path, step);
        if rest.is_empty() {
            if matches!(self.change.what, What::Out) {
                items.remove(at);
            } else if let Some(value) = self.value(inner) {
                items[at] = value;
            }
            return;
        }
        let before = model(&items[at]);
        self.descend(&mut items[at], inner, rest, &inner_path);
        if path == "plant.sets" {
            self.mark_set(&mut items[at], rest);
            if let (Some(before), Some(inner), [_, _]) = (before, inner, rest) {
                self.other_governor(&mut items[at], inner, &before, at);
            }
        }
    }

    /// Another model has other keys: the old ones go, and the new ones have to come with patches.
    fn other_governor(&mut self, set: &mut Node, shape: Shape<'_>, before: &str, at: usize) {
        let Some(after) = model(set).filter(|after| after != before) else {
            return;
        };
        let variant = shape.key("governor").and_then(|g| g.variant(&after));
        let Some(variant) = variant else { return };
        let Some(Form::Table { required, .. }) = variant.form() else {
            return;
        };
        let own = &self.own;
        let stays = |key: &str| {
            own.iter().any(|k| k == key) && variant.key(key).is_some() || key == "model"
        };
        if let Some(entries) = set.get_mut("governor").and_then(Node::entries_mut) {
            entries.retain(|e| stays(&e.key));
        }
        let missing: Vec<&str> = required.into_iter().filter(|key| !stays(key)).collect();
        if missing.is_empty() {
            return;
        }
        let table = self.change.key.trim_end_matches(".model");
        let help = format!(
            "give the whole table: {table} = {{ model = \"{after}\", {} = … }}",
            missing.join(" = …, ")
        );
        self.incomplete.push(format!("plant.sets.{at}.governor"));
        self.report.error(
            self.change.origin,
            &self.change.key,
            format!("the set's governor is {before}, whose values are none of {after}"),
            help,
        );
    }

    /// A generating set keeps the sources of its values in a table of their own.
    fn mark_set(&self, set: &mut Node, rest: &[String]) {
        match rest {
            [part, model] if given::is_model(part) && model == "model" => {
                given::forget_model(set, part);
            }
            [part] if given::is_model(part) => given::forget_model(set, part),
            _ => {
                if self
                    .report
                    .problems
                    .iter()
                    .all(|p| p.key != self.change.key)
                {
                    given::mark_set_key(set, &rest.join("."), self.change.origin, &self.given);
                }
            }
        }
    }

    fn key(
        &mut self,
        node: &mut Node,
        shape: Option<Shape<'_>>,
        step: &str,
        rest: &[String],
        path: &str,
    ) {
        let file_only = [BASE, PRESET].contains(&step) && self.change.comes_first();
        let inner = shape.and_then(|s| s.key(step));
        if inner.is_none() && !file_only {
            self.unknown(node, shape, step, path);
            return;
        }
        let inner_path = join(path, step);
        let out = matches!(self.change.what, What::Out);
        if out && (rest.is_empty() || node.get(step).is_none()) {
            if node.remove(step).is_none() {
                self.report.error(
                    self.change.origin,
                    &self.change.key,
                    format!("there is no `{inner_path}` to take out"),
                    "leave it out here, or check the path",
                );
            }
            return;
        }
        if rest.is_empty() {
            let Some(value) = self.value(inner) else {
                return;
            };
            node.set(step, self.change.origin, value);
            if shape.is_some_and(Shape::carries_provenance) {
                given::mark_given(node, &self.own, self.change.origin, &self.given);
            }
            return;
        }
        if node.get(step).is_none() {
            let created = match inner.and_then(Shape::form) {
                Some(Form::Array(_)) => Node {
                    value: Value::Array(Vec::new()),
                    origin: self.change.origin,
                },
                // A misspelt name must not become a new entry; only a `base` makes one.
                None | Some(Form::Table { .. } | Form::Map(_) | Form::Tagged { .. })
                    if !matches!(shape.and_then(Shape::form), Some(Form::Map(_)))
                        || self.change.comes_first() =>
                {
                    Node::table(self.change.origin)
                }
                Some(Form::Table { .. } | Form::Map(_) | Form::Tagged { .. }) => {
                    return self.unknown(node, shape, step, path);
                }
                _ => {
                    let message = format!("`{inner_path}` has no `{}`", rest.join("."));
                    return self.report.error(
                        self.change.origin,
                        &self.change.key,
                        message,
                        format!("set `{inner_path}` itself"),
                    );
                }
            };
            node.set(step, self.change.origin, created);
        }
        if let Some(child) = node.get_mut(step) {
            self.descend(child, inner, rest, &inner_path);
        }
    }

    fn unknown(&mut self, node: &Node, shape: Option<Shape<'_>>, step: &str, path: &str) {
        let mut known: Vec<&str> = node
            .entries()
            .unwrap_or_default()
            .iter()
            .map(|e| e.key.as_str())
            .collect();
        if let Some(Form::Table { keys, .. }) = shape.and_then(Shape::form) {
            known.extend(keys);
        }
        known.sort_unstable();
        known.dedup();
        let place = if path.is_empty() {
            "the scenario".to_owned()
        } else {
            format!("`{path}`")
        };
        let help = match suggest::near(step, known.iter().copied()) {
            Some(near) => format!("did you mean `{}`?", join(path, near)),
            None => format!("keys: {}", known.join(", ")),
        };
        self.report.error(
            self.change.origin,
            &self.change.key,
            format!("{place} has no `{step}`"),
            help,
        );
    }

    /// The value as the place wants it; none, and a problem, if it is a quantity in another unit.
    fn value(&mut self, shape: Option<Shape<'_>>) -> Option<Node> {
        let text = match &self.change.what {
            What::Text(text) => text.as_str(),
            // A quantity with its unit is a number here too; anything else is told by the walk.
            What::Value(node) => match node.as_str() {
                Some(text) if takes_number(shape) => text,
                _ => return Some(node.clone()),
            },
            What::Out => return None,
        };
        let form = shape.and_then(Shape::form);
        let wants_text = matches!(form, Some(Form::Text | Form::Choice(_))) || form.is_none();
        let parsed =
            parse::value(text, self.change.origin.file).map(|node| at(node, self.change.origin));
        if let Some(node) = parsed {
            // `scenario.name=42` means the name "42".
            let plain = matches!(
                node.value,
                Value::String(_) | Value::Table(_) | Value::Array(_)
            );
            return Some(if wants_text && !plain {
                Node::string(text, self.change.origin)
            } else {
                node
            });
        }
        if takes_number(shape) {
            let unit = shape.and_then(Shape::unit).unwrap_or("");
            return match parse_in_unit(text, unit) {
                Ok(number) => Some(Node {
                    value: Value::Float(number),
                    origin: self.change.origin,
                }),
                Err(error) => {
                    let help = if unit.is_empty() {
                        "write a plain number".to_owned()
                    } else {
                        format!("write a number in {unit}, or one with its unit")
                    };
                    self.report.error(
                        self.change.origin,
                        &self.change.key,
                        error.to_string(),
                        help,
                    );
                    None
                }
            };
        }
        Some(Node::string(text, self.change.origin))
    }
}

/// Whether a number stands there, with its source or without.
fn takes_number(shape: Option<Shape<'_>>) -> bool {
    shape.is_some_and(|s| s.is_sourced() || matches!(s.form(), Some(Form::Number | Form::Integer)))
}

/// Whether an entry is meant to be new under this name: a misspelt one does not say it twice.
pub(crate) fn names_itself(entry: &Node, step: &str) -> bool {
    entry.get("name").and_then(Node::as_str) == Some(step)
}

/// Model of a set's governor.
fn model(set: &Node) -> Option<String> {
    let model = set.get("governor")?.get("model")?.as_str()?;
    Some(model.to_owned())
}

/// The same value with one place for all its parts.
fn at(mut node: Node, origin: Origin) -> Node {
    node.origin = origin;
    match &mut node.value {
        Value::Table(entries) => {
            for entry in entries {
                entry.origin = origin;
                entry.node = at(
                    std::mem::replace(&mut entry.node, Node::table(origin)),
                    origin,
                );
            }
        }
        Value::Array(items) => {
            for item in items {
                *item = at(std::mem::replace(item, Node::table(origin)), origin);
            }
        }
        _ => {}
    }
    node
}
