//! Every place of a scenario with what holds there and where that comes from.

use serde_json::Value as Json;

use crate::limits::{Limits, number};
use crate::merge::{BASE, NAMED, PRESET};
use crate::presets::PresetKind;
use crate::resolved::{Resolved, toml_text};
use crate::shape::{Form, Shape};
use crate::tree::{Node, Value, join};
use crate::variant::VARIANT;

/// A place of the scenario: a value, a table, or the entries of an array.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Dotted path as `--set` takes it; entries by name where they have one of their own.
    pub path: String,
    /// The same path as [`Problem::key`](crate::Problem::key) writes it: entries by number, nothing in quotes.
    pub key: String,
    /// Last key, or the name of an entry; its number, from 0, if it has none.
    pub name: String,
    /// What may stand there.
    pub what: PlaceKind,
    /// What it is.
    pub description: String,
    /// Unit of the number; empty if it has none.
    pub unit: String,
    /// Range of the number in words, as messages say it; empty if it has none.
    pub range: String,
    /// The default as text; empty if there is none.
    pub default: String,
    /// The value that holds, as text; empty if none does.
    pub value: String,
    /// Where the value comes from.
    pub from: PlaceFrom,
    /// What the number rests on, where that is known.
    pub source: Option<PlaceSource>,
    /// Whether it may be left out.
    pub optional: bool,
    /// Whether it is an entry of an array or of a table with names of the user's choice.
    pub entry: bool,
    /// Keys of a table, entries of an array.
    pub places: Vec<Place>,
}

/// What may stand at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlaceKind {
    /// A number.
    Number,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// One of these words.
    Choice(Vec<String>),
    /// Name of a preset of a kind, or of one of these entries of the scenario.
    Preset(PresetKind, Vec<String>),
    /// Text.
    Text,
    /// Values in a list, as TOML.
    List,
    /// A table.
    Table,
    /// Tables with names of the user's choice.
    Map,
    /// Tables in a list.
    Array,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaceFrom {
    /// The file gives it.
    File,
    /// A preset that the file names.
    Preset,
    /// It is the default.
    Default,
    /// Nothing holds.
    Absent,
}

/// What a number rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceSource {
    /// Paper, standard, datasheet or argument.
    pub source: String,
    /// How it came to be known: `published`, `measured`, `derived`, `estimated`, `recalled`, `given`.
    pub grade: String,
    /// How far it can be trusted: `low`, `medium`, `high`.
    pub confidence: String,
    /// Plausible range as numbers, if stated.
    pub plausible: Option<(String, String)>,
}

impl Resolved {
    /// The scenario's places in the order of its schema, the scenario itself at the root.
    ///
    /// A table that is not there and need not be has no places of its own.
    pub fn outline(&self) -> Place {
        let mut root = self.root.clone();
        if let Some(variants) = self.written.get(VARIANT) {
            root.set(VARIANT, variants.origin, variants.clone());
        }
        let at = At {
            path: String::new(),
            key: String::new(),
            steps: Vec::new(),
            optional: false,
            entry: false,
        };
        Outline { root: &root }
            .place(Some(&root), Some(&self.written), Shape::root(), &at, None)
            .unwrap_or_else(|| Place {
                path: String::new(),
                key: String::new(),
                name: String::new(),
                what: PlaceKind::Table,
                description: String::new(),
                unit: String::new(),
                range: String::new(),
                default: String::new(),
                value: String::new(),
                from: PlaceFrom::Absent,
                source: None,
                optional: false,
                entry: false,
                places: Vec::new(),
            })
    }
}

/// Where the walk is.
#[derive(Clone)]
struct At {
    path: String,
    key: String,
    steps: Vec<String>,
    optional: bool,
    entry: bool,
}

impl At {
    fn below(&self, path: &str, key: &str, optional: bool, entry: bool) -> Self {
        let mut steps = self.steps.clone();
        steps.push(key.to_owned());
        Self {
            path: join(&self.path, path),
            key: join(&self.key, key),
            steps,
            optional,
            entry,
        }
    }
}

struct Outline<'a> {
    root: &'a Node,
}

/// Sources that a generating set keeps in a table, and the path of a part of the set; or those of a table that says them itself.
#[derive(Clone, Copy)]
enum Sources<'a> {
    Table(&'a Node, usize),
    Own(&'a Node),
}

impl<'a> Outline<'a> {
    fn place(
        &self,
        node: Option<&'a Node>,
        written: Option<&'a Node>,
        shape: Shape<'a>,
        at: &At,
        sources: Option<Sources<'a>>,
    ) -> Option<Place> {
        let name = at.steps.last().cloned().unwrap_or_default();
        let mut place = Place {
            name,
            path: at.path.clone(),
            key: at.key.clone(),
            what: PlaceKind::Table,
            description: shape.description(),
            unit: shape.unit().unwrap_or("").to_owned(),
            range: String::new(),
            default: default_text(shape),
            value: String::new(),
            from: origin(node, written),
            source: None,
            optional: at.optional,
            entry: at.entry,
            places: Vec::new(),
        };
        if shape.is_sourced() {
            place.what = PlaceKind::Number;
            place.range = Limits::of_sourced(shape).range();
            let value = node.and_then(|n| n.get("value").or(Some(n)));
            leaf(&mut place, value);
            place.source = node.and_then(source_of);
            return Some(place);
        }
        match shape.form()? {
            Form::Table { keys, required } => {
                self.table(
                    &mut place,
                    node,
                    written,
                    shape,
                    (&keys, &required),
                    at,
                    sources,
                );
            }
            Form::Tagged { tag, names } => {
                self.tagged(&mut place, node, written, shape, (tag, &names), at, sources);
            }
            Form::Map(inner) if at.key.ends_with(".provenance") => {
                let _ = inner;
                return None;
            }
            Form::Map(inner) => {
                place.what = PlaceKind::Map;
                let entries = node.and_then(Node::entries).unwrap_or_default();
                for entry in entries {
                    let step = quoted_step(&entry.key);
                    let at = at.below(&step, &entry.key, true, true);
                    let written = written.and_then(|w| w.get(&entry.key));
                    place
                        .places
                        .extend(self.place(Some(&entry.node), written, inner, &at, None));
                }
            }
            Form::Array(inner) if is_table(inner) => {
                place.what = PlaceKind::Array;
                let items = node.map(Node::items).unwrap_or_default();
                let below = written.map(Node::items).unwrap_or_default();
                for (i, item) in items.iter().enumerate() {
                    let number = i.to_string();
                    let own = own_name(items, i);
                    let step = own.map_or_else(|| number.clone(), quoted_step);
                    let at = at.below(&step, &number, true, true);
                    let found = self.place(Some(item), below.get(i), inner, &at, None);
                    place.places.extend(found.map(|mut p| {
                        if let Some(name) = item.get("name").and_then(Node::as_str) {
                            name.clone_into(&mut p.name);
                        }
                        p
                    }));
                }
            }
            form => {
                place.what = self.leaf_kind(&form, at);
                if matches!(form, Form::Number | Form::Integer) {
                    place.range = Limits::of(shape).range();
                }
                leaf(&mut place, node);
                place.source = sources.and_then(|s| match s {
                    Sources::Own(table) => source_of(table)
                        .filter(|_| matches!(place.what, PlaceKind::Number | PlaceKind::Integer)),
                    Sources::Table(table, skip) => covering(table, &at.steps, skip),
                });
            }
        }
        Some(place)
    }

    fn table(
        &self,
        place: &mut Place,
        node: Option<&'a Node>,
        written: Option<&'a Node>,
        shape: Shape<'a>,
        (keys, required): (&[&'a str], &[&'a str]),
        at: &At,
        sources: Option<Sources<'a>>,
    ) {
        // Where leaving it out means the same as its defaults, it is always there.
        place.optional &= !has_default_table(shape);
        let absent = node.is_none_or(|n| n.entries().is_none());
        if absent && place.optional {
            return;
        }
        // Its own sources for what stands in it.
        let sources = match node {
            Some(node) if shape.carries_provenance() => Some(Sources::Own(node)),
            Some(node) => match node.get("provenance") {
                Some(table) => Some(Sources::Table(table, at.steps.len())),
                None => sources,
            },
            None => None,
        };
        self.preset_key(place, node, written, at);
        for key in keys {
            let Some(inner) = shape.key(key) else {
                continue;
            };
            if inner.word("const").is_some() {
                continue;
            }
            let below = at.below(key, key, !required.contains(key), false);
            place.places.extend(self.place(
                node.and_then(|n| n.get(key)),
                written.and_then(|n| n.get(key)),
                inner,
                &below,
                sources,
            ));
        }
    }

    fn tagged(
        &self,
        place: &mut Place,
        node: Option<&'a Node>,
        written: Option<&'a Node>,
        shape: Shape<'a>,
        (tag, names): (&'a str, &[&'a str]),
        at: &At,
        sources: Option<Sources<'a>>,
    ) {
        if node.is_none_or(|n| n.entries().is_none()) && place.optional {
            return;
        }
        let chosen = node.and_then(|n| n.get(tag));
        let name = chosen.and_then(Node::as_str);
        let variant = name.and_then(|n| shape.variant(n));
        let at_tag = at.below(tag, tag, false, false);
        let mut first = Place {
            path: at_tag.path,
            key: at_tag.key,
            name: tag.to_owned(),
            what: PlaceKind::Choice(names.iter().map(|n| (*n).to_owned()).collect()),
            description: variant.map_or_else(String::new, Shape::description),
            unit: String::new(),
            range: String::new(),
            default: String::new(),
            value: String::new(),
            from: origin(chosen, written.and_then(|w| w.get(tag))),
            source: None,
            optional: false,
            entry: false,
            places: Vec::new(),
        };
        leaf(&mut first, chosen);
        place.places.push(first);
        if let Some(variant) = variant
            && let Some(Form::Table { keys, required }) = variant.form()
        {
            self.table(
                place,
                node,
                written,
                variant,
                (&keys, &required),
                at,
                sources,
            );
        }
    }

    /// Adds the key that names what a table changes.
    fn preset_key(
        &self,
        place: &mut Place,
        node: Option<&'a Node>,
        written: Option<&'a Node>,
        at: &At,
    ) {
        let steps: Vec<&str> = at.steps.iter().map(String::as_str).collect();
        let (key, kind) = match steps.as_slice() {
            ["racks", _] => (PRESET, PresetKind::Rack),
            ["racks", _, "storage"] => (PRESET, PresetKind::Storage),
            ["plant", "sets", _] => (PRESET, PresetKind::Genset),
            [table, _] => match NAMED.iter().find(|k| k.table() == *table) {
                // What nobody wrote down is the preset of its name.
                Some(kind) if written.is_some() => (BASE, *kind),
                _ => return,
            },
            _ => return,
        };
        if node.is_none() {
            return;
        }
        let given = written.and_then(|w| w.get(key));
        let own = match kind {
            PresetKind::Gpu | PresetKind::Node | PresetKind::Psu => {
                self.entries_but(kind, steps.get(1))
            }
            _ => Vec::new(),
        };
        let below = at.below(key, key, true, false);
        let mut place_of = Place {
            path: below.path,
            key: below.key,
            name: key.to_owned(),
            what: PlaceKind::Preset(kind, own),
            description: format!(
                "Preset of which this {} is a change: what is not given here comes from it. Or the path of a preset file, from the scenario's folder.",
                kind.label()
            ),
            unit: String::new(),
            range: String::new(),
            default: String::new(),
            value: String::new(),
            from: origin(given, given),
            source: None,
            optional: true,
            entry: false,
            places: Vec::new(),
        };
        leaf(&mut place_of, given);
        place.places.push(place_of);
    }

    /// Entries of the scenario that a name may stand for.
    fn entries_but(&self, kind: PresetKind, but: Option<&&str>) -> Vec<String> {
        let entries = self.root.get(kind.table()).and_then(Node::entries);
        entries
            .unwrap_or_default()
            .iter()
            .map(|e| e.key.clone())
            .filter(|k| but.is_none_or(|b| *b != k))
            .collect()
    }

    fn leaf_kind(&self, form: &Form<'_>, at: &At) -> PlaceKind {
        let steps: Vec<&str> = at.steps.iter().map(String::as_str).collect();
        let kind = match steps.as_slice() {
            ["racks", _, "node"] => Some(PresetKind::Node),
            ["nodes", _, "gpu"] => Some(PresetKind::Gpu),
            ["nodes", _, "psu"] => Some(PresetKind::Psu),
            _ => None,
        };
        if let Some(kind) = kind {
            return PlaceKind::Preset(kind, self.entries_but(kind, None));
        }
        match form {
            Form::Number => PlaceKind::Number,
            Form::Integer => PlaceKind::Integer,
            Form::Boolean => PlaceKind::Boolean,
            Form::Choice(names) => {
                PlaceKind::Choice(names.iter().map(|n| (*n).to_owned()).collect())
            }
            Form::Text => PlaceKind::Text,
            _ => PlaceKind::List,
        }
    }
}

/// Whether items of an array are tables.
fn is_table(shape: Shape<'_>) -> bool {
    matches!(
        shape.form(),
        Some(Form::Table { .. } | Form::Tagged { .. } | Form::Map(_))
    )
}

/// Whether what holds without the table is that it is there: its default is a table.
fn has_default_table(shape: Shape<'_>) -> bool {
    shape.word("default").is_some_and(Json::is_object)
}

/// Fills in what holds.
fn leaf(place: &mut Place, node: Option<&Node>) {
    match node {
        Some(node) => {
            place.from = origin(Some(node), None);
            place.value = match &node.value {
                Value::String(text) => text.clone(),
                _ => toml_text(node),
            };
        }
        None if place.default.is_empty() => place.from = PlaceFrom::Absent,
        None => {
            place.from = PlaceFrom::Default;
            place.value.clone_from(&place.default);
        }
    }
}

/// The scenario itself is the first text.
fn origin(node: Option<&Node>, written: Option<&Node>) -> PlaceFrom {
    match node {
        _ if written.is_some() => PlaceFrom::File,
        Some(node) if node.origin.file == 0 && node.entries().is_none() => PlaceFrom::File,
        Some(_) => PlaceFrom::Preset,
        None => PlaceFrom::Absent,
    }
}

fn default_text(shape: Shape<'_>) -> String {
    match shape.word("default") {
        Some(Json::String(text)) => text.clone(),
        Some(Json::Number(n)) => n.as_f64().map_or_else(String::new, number),
        Some(Json::Bool(b)) => b.to_string(),
        Some(Json::Array(items)) if is_table_list(items) => String::new(),
        Some(list @ Json::Array(_)) => list.to_string().replace(',', ", "),
        _ => String::new(),
    }
}

fn is_table_list(items: &[Json]) -> bool {
    items.first().is_none_or(Json::is_object)
}

/// Source of a table that says it itself.
fn source_of(table: &Node) -> Option<PlaceSource> {
    let text = |key: &str| table.get(key).and_then(Node::as_str).map(str::to_owned);
    let end = |key: &str| table.get(key).map(toml_text);
    Some(PlaceSource {
        source: text("source")?,
        grade: text("grade").unwrap_or_default(),
        confidence: text("confidence").unwrap_or_default(),
        plausible: end("low").zip(end("high")),
    })
}

/// Source of a value of a set: that of its key, or of the part it stands in.
fn covering(table: &Node, steps: &[String], skip: usize) -> Option<PlaceSource> {
    let own = steps.get(skip..)?;
    (1..=own.len())
        .rev()
        .find_map(|n| table.get(&own.get(..n)?.join(".")))
        .and_then(source_of)
}

/// Name of an entry, if a path can find the entry by it.
fn own_name(items: &[Node], at: usize) -> Option<&str> {
    let name_of = |n: &'_ Node| n.get("name").and_then(Node::as_str).map(str::to_owned);
    let name = items.get(at)?.get("name").and_then(Node::as_str)?;
    let sound = !name.is_empty()
        && name.trim() == name
        && !name.contains('"')
        && name.parse::<usize>().is_err();
    let first = items
        .iter()
        .position(|i| name_of(i).as_deref() == Some(name));
    (sound && first == Some(at)).then_some(name)
}

/// A step of a path; in quotes where a dot stands in it.
fn quoted_step(name: &str) -> String {
    if name.contains('.') {
        format!("\"{name}\"")
    } else {
        name.to_owned()
    }
}
