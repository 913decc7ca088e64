//! `[[variant]]`: the same scenario with changes of its own, to compare with.
//!
//! What flows: [`take`] lifts the variants out of the document before anything else looks at it, so that a scenario is the same
//! scenario with and without them. For one that is asked for, [`Variant::changes`] makes the changes that the patches' machinery
//! applies. Tables under `set` merge: each value in them is a change of its own, where it stands in the file. Only what is not there
//! yet, a list, and a model of another kind go in whole.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::merge::{BASE, PRESET};
use crate::patch::{Change, What, entry_of, names_itself, steps};
use crate::problem::Report;
use crate::shape::{Form, Shape};
use crate::suggest;
use crate::tree::{Node, Value};
use crate::walk;

/// Key of the variants.
pub(crate) const VARIANT: &str = "variant";
const SET: &str = "set";

/// The scenario with changes, to compare with: `ballast compare` runs the scenario as it stands and every variant of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VariantSpec {
    /// Name, as tables and figures show it.
    pub name: String,
    /// What it tries.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Names of variants further up whose changes come first: measures tried alone, then together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<String>,
    /// Keys and entries to take out, as dotted paths: `plant.sets.spare`, `zoom`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// Changes, by dotted keys as `--set` takes them (`plant.sets.diesel.count = 3`) or as tables. A table merges with what is there;
    /// a list replaces it. A table that says its own name is a new entry of a list: `bess.yard = { name = "yard", … }`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, serde_json::Value>,
}

/// Name and description of a variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariantHead {
    /// Its name.
    pub name: String,
    /// What it tries; may be empty.
    pub description: String,
}

/// A variant as it stands in the file.
#[derive(Debug, Clone)]
pub(crate) struct Variant {
    pub(crate) head: VariantHead,
    at: usize,
    with: Vec<usize>,
    without: Vec<Node>,
    set: Option<Node>,
}

/// Takes the variants out of the document; what is wrong with them as such goes to the report.
pub(crate) fn take(root: &mut Node, report: &mut Report) -> Vec<Variant> {
    let Some(entry) = root.remove(VARIANT) else {
        return Vec::new();
    };
    let mut heads = entry.node;
    // `set` has no keys of its own: what stands in it is looked at in its place of the scenario.
    let mut sets = Vec::new();
    for (at, item) in heads.items_mut().iter_mut().enumerate() {
        let set = item.remove(SET).map(|e| e.node);
        if let Some(set) = set.as_ref().filter(|s| s.entries().is_none()) {
            report.error(
                set.origin,
                &format!("{VARIANT}.{at}.{SET}"),
                format!("expected a table, found {}", set.describe()),
                "write [variant.set] and its changes below: plant.sets.diesel.count = 3",
            );
        }
        sets.push(set.filter(|s| s.entries().is_some()));
    }
    let before = report.problems.len();
    if let Some(shape) = Shape::root().key(VARIANT) {
        walk::walk_at(&heads, shape, VARIANT, report);
    }
    if report.problems.len() > before {
        return Vec::new();
    }
    let mut variants: Vec<Variant> = Vec::new();
    for ((at, node), set) in heads.items().iter().enumerate().zip(sets) {
        let variant = read(at, node, set, &variants, report);
        let builds_on = node.get("with").is_some_and(|w| !w.items().is_empty());
        if !builds_on && variant.changes_nothing() {
            report.error(
                node.origin,
                &format!("{VARIANT}.{at}"),
                format!("variant `{}` changes nothing", variant.head.name),
                "give it [variant.set] with changes, or `without`",
            );
        }
        variants.push(variant);
    }
    variants
}

fn read(
    at: usize,
    node: &Node,
    set: Option<Node>,
    above: &[Variant],
    report: &mut Report,
) -> Variant {
    let text = |key: &str| {
        node.get(key)
            .and_then(Node::as_str)
            .unwrap_or("")
            .to_owned()
    };
    let items = |key: &str| node.get(key).map(Node::items).unwrap_or_default().to_vec();
    let name = text("name");
    let names: Vec<&str> = above.iter().map(|v| v.head.name.as_str()).collect();
    if names.contains(&name.as_str()) {
        let origin = node.get("name").map_or(node.origin, |n| n.origin);
        report.error(
            origin,
            &format!("{VARIANT}.{at}.name"),
            format!("there are two variants `{name}`"),
            "give each its own name",
        );
    }
    let mut with = Vec::new();
    for (i, item) in items("with").iter().enumerate() {
        let wanted = item.as_str().unwrap_or("");
        match names.iter().position(|n| *n == wanted) {
            Some(found) => with.push(found),
            None => report.error(
                item.origin,
                &format!("{VARIANT}.{at}.with.{i}"),
                format!("no variant `{wanted}` further up"),
                suggest::help(wanted, "variants further up", &names),
            ),
        }
    }
    Variant {
        head: VariantHead {
            name,
            description: text("description"),
        },
        at,
        with,
        without: items("without"),
        set,
    }
}

impl Variant {
    fn changes_nothing(&self) -> bool {
        let set = self.set.as_ref().and_then(Node::entries);
        self.without.is_empty() && set.is_none_or(<[_]>::is_empty)
    }

    /// The variants it builds on, each once and in the order of their changes; itself last.
    pub(crate) fn built_on<'a>(&'a self, all: &'a [Self]) -> Vec<&'a Self> {
        let (mut order, mut seen) = (Vec::new(), vec![false; all.len()]);
        self.gather(all, &mut seen, &mut order);
        order
    }

    fn gather<'a>(&'a self, all: &'a [Self], seen: &mut [bool], order: &mut Vec<&'a Self>) {
        if std::mem::replace(&mut seen[self.at], true) {
            return;
        }
        for base in &self.with {
            all[*base].gather(all, seen, order);
        }
        order.push(self);
    }

    /// Its own changes to `root` as it is now.
    pub(crate) fn changes(&self, root: &Node) -> Vec<Change> {
        let mut changes = Vec::new();
        for (i, path) in self.without.iter().enumerate() {
            changes.push(Change {
                steps: steps(path.as_str().unwrap_or("")),
                key: format!("{VARIANT}.{}.without.{i}", self.at),
                what: What::Out,
                origin: path.origin,
            });
        }
        let prefix = format!("{VARIANT}.{}.{SET}", self.at);
        for entry in self.set.as_ref().and_then(Node::entries).unwrap_or(&[]) {
            // Only here may a key be a dotted path in quotes; further in, a dot belongs to a name.
            let path = steps(&entry.key);
            let mut here = (Some(root), Some(Shape::root()));
            for step in &path {
                here = inside(here, step);
            }
            let mut leaves = Leaves {
                prefix: &prefix,
                changes: &mut changes,
            };
            leaves.of(&entry.node, here, &path);
        }
        changes
    }
}

/// A place of the scenario: what stands there, and what may.
type Place<'a> = (Option<&'a Node>, Option<Shape<'a>>);

/// One step further in: a key, or an entry of a list by name or number.
fn inside<'a>((node, shape): Place<'a>, step: &str) -> Place<'a> {
    let shape = shape.map(|s| node.map_or(s, |n| s.chosen(n)));
    match node.map(|n| &n.value) {
        Some(Value::Array(items)) => (
            entry_of(items, step).map(|at| &items[at]),
            shape.and_then(Shape::item),
        ),
        None if shape.is_some_and(is_list) => (None, shape.and_then(Shape::item)),
        _ => (
            node.and_then(|n| n.get(step)),
            shape.and_then(|s| s.key(step)),
        ),
    }
}

fn is_list(shape: Shape<'_>) -> bool {
    matches!(shape.form(), Some(Form::Array(_)))
}

/// Collects the changes in a table.
struct Leaves<'a> {
    prefix: &'a str,
    changes: &'a mut Vec<Change>,
}

impl Leaves<'_> {
    fn of(&mut self, node: &Node, place: Place<'_>, path: &[String]) {
        let new_entry = place.0.is_none() && path.last().is_some_and(|p| names_itself(node, p));
        let whole = new_entry || goes_in_whole(node, place);
        let entries = node.entries().filter(|_| !whole);
        let Some(entries) = entries else {
            self.changes.push(Change {
                steps: path.to_vec(),
                key: format!("{}.{}", self.prefix, path.join(".")),
                what: What::Value(node.clone()),
                origin: node.origin,
            });
            return;
        };
        for entry in entries {
            let mut path = path.to_vec();
            path.push(entry.key.clone());
            self.of(&entry.node, inside(place, &entry.key), &path);
        }
    }
}

/// Whether a table is one change rather than one for each of its values.
fn goes_in_whole(table: &Node, (target, shape): Place<'_>) -> bool {
    let named = table.get(BASE).is_some() || table.get(PRESET).is_some();
    let Some(target) = target else {
        // Entries of a list by their names, of which there are none yet.
        if shape.is_some_and(is_list) {
            return false;
        }
        // What is not there yet, unless it is made from a preset first, or stands below something unknown, which is to be told.
        return shape.is_some() && !named;
    };
    if let Some(Form::Tagged { tag, .. }) = shape.and_then(Shape::form) {
        let kind = |node: &Node| node.get(tag).and_then(Node::as_str).map(str::to_owned);
        return kind(table).is_some_and(|k| Some(k) != kind(target));
    }
    false
}
