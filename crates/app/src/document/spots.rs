//! Where everything stands in a text: tables, keys and values with their bytes.

use std::ops::Range;

use toml_edit::{Item, Table, Value};

/// A place of the text and what stands in it.
#[derive(Debug)]
pub(super) struct Spot {
    /// How it is written.
    pub(super) form: Form,
    /// Bytes of the value, or of a table's header.
    pub(super) span: Range<usize>,
    /// First byte of the key it stands under; that of the value for an entry of a list.
    pub(super) key_start: usize,
    /// What stands in it, by key or number, in the order of the text.
    pub(super) children: Vec<(String, Spot)>,
}

/// How a place is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The document.
    Root,
    /// `[table]`, or an entry `[[table]]`.
    Header,
    /// A table that only tables in it name.
    Implied,
    /// A table made of `a.b = …`.
    Dotted,
    /// `[[tables]]`, all of them.
    Tables,
    /// `{ … }`.
    Inline,
    /// `[ … ]`.
    List,
    /// Any other value.
    Leaf,
}

impl Spot {
    /// The places of a text; none if it is no TOML.
    pub(super) fn of(text: &str) -> Option<Self> {
        let document = toml_edit::Document::parse(text).ok()?;
        Some(table(document.as_table(), Form::Root, 0))
    }

    /// What stands under a key or number.
    pub(super) fn child(&self, step: &str) -> Option<&Self> {
        self.children
            .iter()
            .find(|(key, _)| key == step)
            .map(|(_, spot)| spot)
    }

    /// What stands at the steps.
    pub(super) fn at(&self, steps: &[String]) -> Option<&Self> {
        steps.iter().try_fold(self, |spot, step| spot.child(step))
    }

    /// Whether it is a value, as against a table with a header or of dotted keys.
    pub(super) fn is_value(&self) -> bool {
        matches!(self.form, Form::Inline | Form::List | Form::Leaf)
    }

    /// The values that stand in the table itself, also under dotted keys.
    pub(super) fn own_values(&self) -> Vec<&Self> {
        let mut found = Vec::new();
        for (_, child) in &self.children {
            if child.is_value() {
                found.push(child);
            } else if child.form == Form::Dotted {
                found.extend(child.own_values());
            }
        }
        found
    }

    /// End of the last value of the table itself, or of its header.
    pub(super) fn own_end(&self) -> usize {
        let ends = self.own_values().into_iter().map(|v| v.span.end);
        ends.max().unwrap_or(self.span.end).max(self.span.end)
    }

    /// Every table with a header in it, itself first.
    pub(super) fn headers(&self) -> Vec<&Self> {
        let mut found = Vec::new();
        if self.form == Form::Header {
            found.push(self);
        }
        for (_, child) in &self.children {
            if !child.is_value() {
                found.extend(child.headers());
            }
        }
        found
    }
}

fn table(table: &Table, form: Form, key_start: usize) -> Spot {
    let mut children: Vec<(String, Spot)> = table
        .iter()
        .filter_map(|(key, item)| {
            let start = table.key(key).and_then(toml_edit::Key::span);
            Some((
                key.to_owned(),
                item_at(item, start.map_or(key_start, |s| s.start))?,
            ))
        })
        .collect();
    children.sort_by_key(|(_, spot)| spot.key_start);
    Spot {
        form,
        span: table.span().unwrap_or_default(),
        key_start,
        children,
    }
}

fn item_at(item: &Item, key_start: usize) -> Option<Spot> {
    match item {
        Item::None => None,
        Item::Value(of) => Some(value(of, key_start)),
        Item::Table(of) => {
            let form = if of.is_dotted() {
                Form::Dotted
            } else if of.is_implicit() {
                Form::Implied
            } else {
                Form::Header
            };
            Some(table(of, form, key_start))
        }
        Item::ArrayOfTables(of) => Some(Spot {
            form: Form::Tables,
            span: of.span().unwrap_or_default(),
            key_start,
            children: of
                .iter()
                .enumerate()
                .map(|(at, entry)| {
                    let start = entry.span().unwrap_or_default().start;
                    (at.to_string(), table(entry, Form::Header, start))
                })
                .collect(),
        }),
    }
}

fn value(of: &Value, key_start: usize) -> Spot {
    let span = of.span().unwrap_or_default();
    let (form, mut children): (Form, Vec<(String, Spot)>) = match of {
        Value::InlineTable(inner) => {
            let form = if inner.is_dotted() {
                Form::Dotted
            } else {
                Form::Inline
            };
            let children = inner.iter().map(|(key, of)| {
                let start = inner.key(key).and_then(toml_edit::Key::span);
                (
                    key.to_owned(),
                    value(of, start.map_or(span.start, |s| s.start)),
                )
            });
            (form, children.collect())
        }
        Value::Array(items) => (
            Form::List,
            items
                .iter()
                .enumerate()
                .map(|(at, of)| {
                    let start = of.span().unwrap_or_default().start;
                    (at.to_string(), value(of, start))
                })
                .collect(),
        ),
        _ => (Form::Leaf, Vec::new()),
    };
    children.sort_by_key(|(_, spot)| spot.key_start);
    Spot {
        form,
        span,
        key_start,
        children,
    }
}
