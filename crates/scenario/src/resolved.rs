//! A scenario's text with everything merged, whatever its problems: what a form shows and where an edit goes.
//!
//! [`Resolved::outline`] lists every place with what holds there and where that comes from; [`Resolved::fit`] says what an edit
//! would write, or refuses it as `--set` would; [`Resolved::least`] is the least that a new entry needs.

use std::path::Path;

use crate::load::{self, parsed};
use crate::merge::{BASE, NAMED};
use crate::patch::{self, Change, Patch, entry_of, steps};
use crate::problem::{Problem, Problems, Report};
use crate::shape::{Form, Shape};
use crate::tree::{Node, Origin, Sources, Value, join};
use crate::walk;

/// A scenario's text with presets and bases merged in. Only the text must be TOML; what it says may be wrong.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// As written, with its variants.
    pub(crate) written: Node,
    /// With everything merged; without variants.
    pub(crate) root: Node,
    sources: Sources,
}

/// What an edit writes.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// Keys from the root; entries of arrays by number.
    pub steps: Vec<String>,
    /// Keys of the same table that belong to the model or kind that stood there before; they go.
    pub leave: Vec<String>,
    /// Preset that a new entry of `gpus`, `nodes` or `psus` is a change of.
    pub base: Option<String>,
    root: Node,
}

impl Fitted {
    /// The value as TOML on one line.
    pub fn toml(&self) -> Option<String> {
        self.toml_at(self.steps.len())
    }

    /// What holds at the first `depth` steps after the edit, as TOML on one line.
    pub fn toml_at(&self, depth: usize) -> Option<String> {
        let steps = self.steps.get(..depth)?;
        node_at(&self.root, steps).map(toml_text)
    }
}

impl Resolved {
    /// Reads a text. `name_for_messages` stands for the file in problems; preset files count from `base_dir`.
    ///
    /// # Errors
    /// The text is no TOML: every syntax error.
    pub fn new(name_for_messages: &str, text: &str, base_dir: &Path) -> Result<Self, Problems> {
        let mut report = Report {
            base_dir: base_dir.to_owned(),
            ..Report::default()
        };
        let Some(written) = parsed(name_for_messages, text, &mut report) else {
            return Err(Problems::sorted(report.problems));
        };
        let mut root = written.clone();
        load::merge(&mut root, &mut report);
        Ok(Self {
            written,
            root,
            sources: report.sources,
        })
    }

    /// Keys from the root of a dotted path as `--set` takes it, with entries of arrays by number. What is not there stays as it is.
    pub fn steps_of(&self, path: &str) -> Vec<String> {
        let mut node = Some(&self.root);
        let mut found = Vec::new();
        for step in steps(path) {
            let entry = node.filter(|n| matches!(n.value, Value::Array(_)));
            let step = match entry.map(|n| entry_of(n.items(), &step)) {
                Some(Some(at)) => at.to_string(),
                _ => step,
            };
            node = node.and_then(|n| child(n, &step));
            found.push(step);
            if found.len() == 1 && found.first().is_some_and(|f| f == crate::variant::VARIANT) {
                node = self.written.get(crate::variant::VARIANT);
            }
        }
        found
    }

    /// What an edit of the value at `path` writes: the value in the unit of its key.
    ///
    /// # Errors
    /// There is no such key, or the key cannot take the value, as `--set` says it. What contradicts other values is no error here.
    pub fn fit(&self, path: &str, value: &str) -> Result<Fitted, Problem> {
        let mut report = Report {
            sources: self.sources.clone(),
            ..Report::default()
        };
        let change = Change::of(
            &Patch {
                path: path.to_owned(),
                value: value.to_owned(),
            },
            &mut report,
        );
        let steps = self.steps_of(path);
        let mut root = self.root.clone();
        if let (Some(heads), true) = (
            self.written.get(crate::variant::VARIANT),
            steps.first().is_some_and(|s| s == crate::variant::VARIANT),
        ) {
            root.set(crate::variant::VARIANT, heads.origin, heads.clone());
        }
        let mut leave = Vec::new();
        if let Some(old) = self.kind_at(&steps) {
            leave = choose(&mut root, &steps, &old, value, change.origin, &mut report);
        } else {
            patch::apply(
                &mut root,
                std::slice::from_ref(&change),
                0,
                &mut Vec::new(),
                &mut report,
            );
        }
        if let Some(problem) = report.problems.pop() {
            return Err(problem);
        }
        let key = key_of(&steps);
        if let (Some(shape), Some(node)) = (shape_at(&root, &steps), node_at_mut(&mut root, &steps))
        {
            settle_number(node, shape, value);
            let name = steps.last().map_or("", String::as_str);
            walk::walk_named(node, shape, &key, name, &mut report);
            if let Some(problem) = report.problems.into_iter().next() {
                return Err(problem);
            }
        }
        let base = match steps.as_slice() {
            [table, name, _, ..] => NAMED
                .iter()
                .any(|k| k.table() == table)
                .then(|| name.clone())
                .filter(|n| {
                    self.written.get(table).and_then(|t| t.get(n)).is_none()
                        && steps.get(2).is_some_and(|s| s != BASE)
                }),
            _ => None,
        };
        Ok(Fitted {
            steps,
            leave,
            base,
            root,
        })
    }

    /// Value of the key at `steps`, if that is the key which says what kind of table it stands in.
    fn kind_at(&self, steps: &[String]) -> Option<String> {
        let (last, parent) = steps.split_last()?;
        match shape_at_unchosen(&self.root, parent)?.form()? {
            Form::Tagged { tag, .. } if tag == last => Some(
                node_at(&self.root, steps)
                    .and_then(Node::as_str)
                    .unwrap_or("")
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

/// Sets the key that says of which kind a table is; the keys of the old kind that the new one lacks.
fn choose(
    root: &mut Node,
    steps: &[String],
    old: &str,
    new: &str,
    origin: Origin,
    report: &mut Report,
) -> Vec<String> {
    let new = new.trim().trim_matches('"');
    let Some((tag, parent)) = steps.split_last() else {
        return Vec::new();
    };
    let Some(shape) = shape_at_unchosen(root, parent) else {
        return Vec::new();
    };
    let Some(variant) = shape.variant(new) else {
        // Told as for a file.
        let mut table = Node::table(origin);
        table.set(tag, origin, Node::string(new, origin));
        walk::walk_at(&table, shape, &key_of(parent), report);
        return Vec::new();
    };
    ensure_table(root, parent, origin);
    let Some(table) = node_at_mut(root, parent) else {
        return Vec::new();
    };
    table.set(tag, origin, Node::string(new, origin));
    if old == new {
        return Vec::new();
    }
    let leave: Vec<String> = table
        .entries()
        .unwrap_or_default()
        .iter()
        .map(|e| e.key.clone())
        .filter(|k| k != tag && variant.key(k).is_none())
        .collect();
    for key in &leave {
        table.remove(key);
    }
    leave
}

fn ensure_table(root: &mut Node, steps: &[String], origin: Origin) {
    for depth in 1..=steps.len() {
        let Some((last, parent)) = steps.get(..depth).and_then(<[String]>::split_last) else {
            return;
        };
        if let Some(parent) = node_at_mut(root, parent)
            && parent.entries().is_some()
            && parent.get(last).is_none()
        {
            parent.set(last, origin, Node::table(origin));
        }
    }
}

/// A whole number is written as one, and a converted one without the noise of the conversion.
fn settle_number(node: &mut Node, shape: Shape<'_>, typed: &str) {
    let Value::Float(x) = node.value else { return };
    let converted = typed.trim().parse::<f64>().is_err();
    let x = if converted {
        format!("{x:.14e}").parse().unwrap_or(x)
    } else {
        x
    };
    node.value =
        if matches!(shape.form(), Some(Form::Integer)) && x.fract() == 0.0 && x.abs() < 1e15 {
            Value::Integer(x as i128)
        } else {
            Value::Float(x)
        };
}

/// Shape at steps, variants chosen by what stands in `root`; none for keys of the file alone, such as `preset`.
pub(crate) fn shape_at(root: &Node, steps: &[String]) -> Option<Shape<'static>> {
    let shape = shape_at_unchosen(root, steps)?;
    Some(match node_at(root, steps) {
        Some(node) => shape.chosen(node),
        None => shape,
    })
}

fn shape_at_unchosen(root: &Node, steps: &[String]) -> Option<Shape<'static>> {
    let mut node = Some(root);
    let mut shape = Shape::root();
    for step in steps {
        if let Some(node) = node {
            shape = shape.chosen(node);
        }
        shape = match shape.form()? {
            Form::Array(item) => item,
            _ => shape.key(step)?,
        };
        node = node.and_then(|n| child(n, step));
    }
    Some(shape)
}

fn child<'a>(node: &'a Node, step: &str) -> Option<&'a Node> {
    match &node.value {
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => node.get(step),
    }
}

/// What stands at steps whose entries are numbers.
pub(crate) fn node_at<'a>(root: &'a Node, steps: &[String]) -> Option<&'a Node> {
    steps.iter().try_fold(root, |node, step| child(node, step))
}

fn node_at_mut<'a>(root: &'a mut Node, steps: &[String]) -> Option<&'a mut Node> {
    steps.iter().try_fold(root, |node, step| {
        if matches!(node.value, Value::Array(_)) {
            node.items_mut().get_mut(step.parse::<usize>().ok()?)
        } else {
            node.get_mut(step)
        }
    })
}

/// Steps as problems write them.
fn key_of(steps: &[String]) -> String {
    steps.iter().fold(String::new(), |path, s| join(&path, s))
}

/// A value as TOML on one line.
pub(crate) fn toml_text(node: &Node) -> String {
    match &node.value {
        Value::Table(entries) => {
            let inner: Vec<String> = entries
                .iter()
                .map(|e| format!("{} = {}", toml_key(&e.key), toml_text(&e.node)))
                .collect();
            if inner.is_empty() {
                "{}".to_owned()
            } else {
                format!("{{ {} }}", inner.join(", "))
            }
        }
        Value::Array(items) => {
            let inner: Vec<String> = items.iter().map(toml_text).collect();
            format!("[{}]", inner.join(", "))
        }
        Value::String(text) => quoted(text),
        Value::Integer(n) => n.to_string(),
        Value::Float(x) => crate::limits::number(*x),
        Value::Boolean(b) => b.to_string(),
        Value::Datetime(text) => text.clone(),
    }
}

/// A key as TOML writes it.
fn toml_key(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !key.is_empty() && key.chars().all(bare) {
        key.to_owned()
    } else {
        quoted(key)
    }
}

/// A text in double quotes. TOML takes JSON's escapes; JSON leaves one control character alone that TOML does not.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text)
        .to_string()
        .replace('\u{7f}', "\\u007F")
}
