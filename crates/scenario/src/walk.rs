//! The merged tree against the schema, problem by problem.

use ballast_units::parse_in_unit;

use crate::limits::{Limits, number};
use crate::pattern;
use crate::problem::Report;
use crate::shape::{Form, Shape};
use crate::suggest;
use crate::tree::{Node, Value, join};

/// Reports everything in `node` that the schema does not allow. Under the paths in `incomplete` nothing is missed.
pub(crate) fn walk(node: &Node, incomplete: &[String], report: &mut Report) {
    walk_as(node, Shape::root(), incomplete, report);
}

/// The same for a document of another shape than a scenario's.
pub(crate) fn walk_as(node: &Node, shape: Shape<'_>, incomplete: &[String], report: &mut Report) {
    Walk { incomplete, report }.node(node, shape, "", "");
}

/// The same for a part of the scenario that stands at `path`, a key of the root.
pub(crate) fn walk_at(node: &Node, shape: Shape<'_>, path: &str, report: &mut Report) {
    Walk {
        incomplete: &[],
        report,
    }
    .node(node, shape, path, path);
}

/// The same for one value at `path`; `key` is its last key. Of a table, what is missing is not asked for.
pub(crate) fn walk_named(
    node: &Node,
    shape: Shape<'_>,
    path: &str,
    key: &str,
    report: &mut Report,
) {
    let incomplete = [path.to_owned()];
    Walk {
        incomplete: &incomplete,
        report,
    }
    .node(node, shape, path, key);
}

struct Walk<'a> {
    incomplete: &'a [String],
    report: &'a mut Report,
}

impl Walk<'_> {
    fn wrong(&mut self, node: &Node, path: &str, message: String, help: String) {
        self.report.error(node.origin, path, message, help);
    }

    /// `key` is the last key of the path, for messages that show how to write it.
    fn node(&mut self, node: &Node, shape: Shape<'_>, path: &str, key: &str) {
        if shape.is_sourced() {
            return self.sourced(node, shape, path, key);
        }
        match shape.form() {
            Some(Form::Table { keys, required }) => self.table(node, shape, &keys, &required, path),
            Some(Form::Tagged { tag, names }) => self.tagged(node, shape, (tag, &names), path),
            Some(Form::Map(inner)) => match node.entries() {
                Some(entries) => {
                    for entry in entries {
                        let inner_path = join(path, &entry.key);
                        if entry.key.trim().is_empty() {
                            self.report.error(
                                entry.origin,
                                &inner_path,
                                "an empty name",
                                "give it a name",
                            );
                        }
                        self.node(&entry.node, inner, &inner_path, &entry.key);
                    }
                }
                None => self.wrong(
                    node,
                    path,
                    format!("expected a table, found {}", node.describe()),
                    format!("write [{path}.<name>]"),
                ),
            },
            Some(Form::Array(inner)) => self.array(node, inner, path, key),
            Some(Form::Choice(names)) => self.choice(node, &names, path),
            Some(Form::Text) => self.text(node, shape, path, key),
            Some(Form::Boolean) => self.boolean(node, path, key),
            Some(Form::Number) => self.number(node, Limits::of(shape), path, key),
            Some(Form::Integer) => self.integer(node, shape, path, key),
            None => {}
        }
    }

    fn table(
        &mut self,
        node: &Node,
        shape: Shape<'_>,
        keys: &[&str],
        required: &[&str],
        path: &str,
    ) {
        let Some(entries) = node.entries() else {
            let help = if path.is_empty() {
                String::new()
            } else {
                format!("write [{path}] and its keys below: {}", keys.join(", "))
            };
            return self.wrong(
                node,
                path,
                format!("expected a table, found {}", node.describe()),
                help,
            );
        };
        for entry in entries {
            let inner_path = join(path, &entry.key);
            match shape.key(&entry.key) {
                Some(inner) => self.node(&entry.node, inner, &inner_path, &entry.key),
                None => {
                    self.report.error(
                        entry.origin,
                        &inner_path,
                        format!("unknown key `{}`", entry.key),
                        suggest::help(&entry.key, "keys", keys),
                    );
                }
            }
        }
        if self
            .incomplete
            .iter()
            .any(|p| path == p || path.starts_with(&format!("{p}.")))
        {
            return;
        }
        for key in required.iter().filter(|key| node.get(key).is_none()) {
            // A misspelt required key is one problem, not two.
            let misspelt = entries.iter().any(|e| {
                shape.key(&e.key).is_none()
                    && suggest::near(
                        &e.key,
                        keys.iter().copied().filter(|k| node.get(k).is_none()),
                    ) == Some(key)
            });
            if !misspelt {
                let help = shape
                    .key(key)
                    .map_or_else(String::new, |s| missing_help(key, s));
                self.report.error(
                    node.origin,
                    &join(path, key),
                    format!("missing key `{key}`"),
                    help,
                );
            }
        }
    }

    fn tagged(&mut self, node: &Node, shape: Shape<'_>, (tag, names): (&str, &[&str]), path: &str) {
        if node.entries().is_none() {
            return self.wrong(
                node,
                path,
                format!("expected a table, found {}", node.describe()),
                format!(
                    "write {{ {tag} = \"…\" }} with one of: {}",
                    names.join(", ")
                ),
            );
        }
        let tag_path = join(path, tag);
        let Some(value) = node.get(tag) else {
            let misspelt = node
                .entries()
                .unwrap_or_default()
                .iter()
                .find(|e| suggest::near(&e.key, [tag]).is_some());
            return match misspelt {
                Some(entry) => self.report.error(
                    entry.origin,
                    &join(path, &entry.key),
                    format!("unknown key `{}`", entry.key),
                    format!("did you mean `{tag}`?"),
                ),
                None => self.report.error(
                    node.origin,
                    &tag_path,
                    format!("missing key `{tag}`"),
                    format!("one of: {}", names.join(", ")),
                ),
            };
        };
        match value.as_str().and_then(|name| shape.variant(name)) {
            Some(variant) => self.node(node, variant, path, ""),
            None => self.choice(value, names, &tag_path),
        }
    }

    fn array(&mut self, node: &Node, inner: Shape<'_>, path: &str, key: &str) {
        let Value::Array(items) = &node.value else {
            let tables = matches!(inner.form(), Some(Form::Table { .. } | Form::Tagged { .. }));
            let help = if tables {
                format!("write [[{path}]], once for each")
            } else {
                format!("write `{key} = […]`")
            };
            return self.wrong(
                node,
                path,
                format!("expected an array, found {}", node.describe()),
                help,
            );
        };
        for (at, item) in items.iter().enumerate() {
            self.node(item, inner, &join(path, &at.to_string()), key);
        }
    }

    fn boolean(&mut self, node: &Node, path: &str, key: &str) {
        if !matches!(node.value, Value::Boolean(_)) {
            let message = format!("expected true or false, found {}", node.describe());
            let help = format!("write `{key} = true` or `{key} = false`");
            self.wrong(node, path, message, help);
        }
    }

    fn choice(&mut self, node: &Node, names: &[&str], path: &str) {
        match node.as_str() {
            Some(name) if names.contains(&name) => {}
            Some(name) => {
                let list = names.join(", ");
                let help = match suggest::near(name, names.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`? One of: {list}"),
                    None => format!("one of: {list}"),
                };
                self.wrong(node, path, format!("unknown value {name:?}"), help);
            }
            None => self.wrong(
                node,
                path,
                format!("expected a name, found {}", node.describe()),
                format!("one of: {}", names.join(", ")),
            ),
        }
    }

    fn text(&mut self, node: &Node, shape: Shape<'_>, path: &str, key: &str) {
        let Some(text) = node.as_str() else {
            return self.wrong(
                node,
                path,
                format!("expected text, found {}", node.describe()),
                format!("put it in quotes: `{key} = \"…\"`"),
            );
        };
        if key == "name" && text.trim().is_empty() {
            let (message, help) = ("an empty name".to_owned(), "give it a name".to_owned());
            return self.wrong(node, path, message, help);
        }
        let longest = shape.number("maxLength").unwrap_or(f64::INFINITY);
        if text.chars().count() as f64 > longest {
            self.wrong(
                node,
                path,
                format!("{} characters are too many", text.chars().count()),
                format!("at most {longest}"),
            );
        }
        if let Some(wanted) = shape.word("pattern").and_then(serde_json::Value::as_str)
            && pattern::matches(wanted, text) == Some(false)
        {
            self.wrong(
                node,
                path,
                format!("{text:?} has characters that are not allowed here"),
                format!("{} Pattern: {wanted}", shape.description()),
            );
        }
    }

    fn sourced(&mut self, node: &Node, shape: Shape<'_>, path: &str, key: &str) {
        let Some(entries) = node.entries() else {
            // A plain number has been expanded before; what is left is of another type, or not finite.
            return self.number(node, Limits::of_sourced(shape), path, key);
        };
        let Some(Form::Table { keys, required }) = shape.form() else {
            return;
        };
        let mut others = node.clone();
        let ends = ["value", "low", "high"];
        for entry in entries.iter().filter(|e| ends.contains(&e.key.as_str())) {
            // Written as a plain number: the path is the one the user wrote.
            let plain = entry.node.origin == node.origin && entry.key == "value";
            let (path, key) = if plain {
                (path.to_owned(), key)
            } else {
                (join(path, &entry.key), entry.key.as_str())
            };
            self.number(&entry.node, Limits::of_sourced(shape), &path, key);
            // Seen: a sound number in its place, so that the table's own walk finds the key and says no more.
            others.set(
                &entry.key,
                entry.origin,
                Node {
                    value: Value::Integer(0),
                    origin: entry.node.origin,
                },
            );
        }
        self.table(&others, shape, &keys, &required, path);
    }

    fn number(&mut self, node: &Node, limits: Limits<'_>, path: &str, key: &str) {
        let value = match &node.value {
            Value::Integer(n) => *n as f64,
            Value::Float(x) => *x,
            Value::String(text) => return self.quantity(node, text, &limits, path, key),
            _ => {
                return self.wrong(
                    node,
                    path,
                    format!(
                        "expected a number{}, found {}",
                        limits.in_unit(),
                        node.describe()
                    ),
                    limits.describe("a number"),
                );
            }
        };
        if value.is_nan() {
            self.wrong(
                node,
                path,
                "is not a number".to_owned(),
                limits.describe("a number"),
            );
        } else if value.is_infinite() {
            self.wrong(
                node,
                path,
                "is not finite".to_owned(),
                limits.describe("a finite number"),
            );
        } else if !limits.hold(value) {
            self.wrong(
                node,
                path,
                format!("{} is out of range", number(value)),
                limits.describe("a number"),
            );
        }
    }

    /// Files hold numbers; a reader of the file sees the unit in the key.
    fn quantity(&mut self, node: &Node, text: &str, limits: &Limits<'_>, path: &str, key: &str) {
        let unit = limits.unit.unwrap_or("");
        let help = match parse_in_unit(text, unit) {
            Ok(value) if unit.is_empty() => format!("write {} without quotes", number(value)),
            Ok(value) => {
                let value = number(value);
                format!("write {value} under a key in {unit}: `{key} = {value}`")
            }
            Err(_) => limits.describe("a number"),
        };
        self.wrong(
            node,
            path,
            format!(
                "expected a number{}, found the text {text:?}",
                limits.in_unit()
            ),
            help,
        );
    }

    fn integer(&mut self, node: &Node, shape: Shape<'_>, path: &str, key: &str) {
        let limits = Limits::of(shape);
        match &node.value {
            Value::Integer(n) if limits.hold(*n as f64) => {}
            Value::Integer(n) => self.wrong(
                node,
                path,
                format!("{n} is out of range"),
                limits.describe("a whole number"),
            ),
            Value::String(text) => self.quantity(node, text, &limits, path, key),
            Value::Float(x) if x.fract() == 0.0 && limits.hold(*x) => {
                self.wrong(
                    node,
                    path,
                    format!("expected a whole number, found {x:?}"),
                    format!("write `{key} = {x}`"),
                );
            }
            Value::Float(x) => self.wrong(
                node,
                path,
                format!("expected a whole number, found {}", number(*x)),
                limits.describe("a whole number"),
            ),
            _ => self.wrong(
                node,
                path,
                format!("expected a whole number, found {}", node.describe()),
                limits.describe("a whole number"),
            ),
        }
    }
}

/// What a missing key would hold.
fn missing_help(key: &str, shape: Shape<'_>) -> String {
    let unit = shape.unit().map_or_else(String::new, |u| format!(" ({u})"));
    format!("`{key}`{unit}: {}", shape.description())
}
