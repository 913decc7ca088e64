//! Reference page of every key, made from the schema.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value as Json;

use crate::limits::Limits;
use crate::merge::{BASE, NAMED, PRESET};
use crate::presets::{PresetKind, preset_names};
use crate::shape::{Form, Shape, model_schema};
use crate::tree::join;

/// Reference of every key of the scenario file in Markdown: type, unit, range, default, meaning.
pub fn reference_markdown() -> String {
    let mut page = Page::default();
    page.text.push_str(
        "# Scenario file\n\n\
         A scenario is a TOML file. Numbers stand under keys that carry the unit; quantities with a unit such as `2.5 MW` are for `--set`.\n\n\
         A *sourced number* is a table `{ value, low, high, source, grade, confidence }`; in a scenario a plain number may stand for it \
         and counts as given by you.\n",
    );
    page.presets();
    let sourced = Shape::root()
        .path("gpus")
        .and_then(|s| s.key(""))
        .and_then(|s| s.key("tdp_w"));
    if let Some(sourced) = sourced {
        page.table("", sourced, "Sourced number");
    }
    page.table("", Shape::root(), "The scenario");
    while let Some((path, shape)) = page.waiting.pop() {
        page.section(&path, shape);
    }
    page.text
}

#[derive(Default)]
struct Page {
    text: String,
    waiting: Vec<(String, Shape<'static>)>,
    seen: BTreeSet<String>,
}

impl Page {
    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn presets(&mut self) {
        self.line("\n## Presets\n");
        self.line("| Kind | Key | Names |\n|---|---|---|");
        for kind in PresetKind::ALL {
            let key = match kind {
                PresetKind::Genset | PresetKind::Rack => {
                    format!("`preset` of `[[{}]]`", kind.table())
                }
                PresetKind::Storage => format!("`preset` of `[{}]`", kind.table()),
                _ => format!("`base` of `[{}.<name>]`, or by its own name", kind.table()),
            };
            let names: Vec<String> = preset_names(kind)
                .iter()
                .map(|n| format!("`{n}`"))
                .collect();
            self.line(&format!(
                "| {} | {key} | {} |",
                kind.label(),
                names.join(", ")
            ));
        }
        self.line(
            "\nA name with a `/` or ending in `.toml` is the path of a preset file of your own, from the scenario's folder: \
             `preset = \"./my-set.toml\"`, `base = \"./my-gpu.toml\"`, `node = \"./my-node.toml\"`. What it says is part of the scenario and its hash.",
        );
    }

    fn section(&mut self, path: &str, shape: Shape<'static>) {
        match shape.form() {
            Some(Form::Tagged { tag, names }) => {
                let first = shape
                    .definition()
                    .is_none_or(|d| self.seen.insert(d.to_owned()));
                for name in names.into_iter().filter(|_| first) {
                    if let Some(variant) = shape.variant(name) {
                        self.table(
                            path,
                            variant,
                            &format!("{} with `{tag} = \"{name}\"`", heading(path)),
                        );
                    }
                }
            }
            Some(Form::Map(inner)) => self.section(&join(path, "<name>"), inner),
            Some(Form::Array(inner)) => self.section(&format!("{path}[]"), inner),
            _ => self.table(path, shape, &heading(path)),
        }
    }

    fn table(&mut self, path: &str, shape: Shape<'static>, title: &str) {
        let Some(Form::Table { keys, required }) = shape.form() else {
            return;
        };
        // A type that stands in several places is described where it stands first.
        let same = shape.definition().unwrap_or(title);
        if !self.seen.insert(same.to_owned()) {
            return;
        }
        let _ = write!(self.text, "\n## {title}\n\n");
        // The type's own words; the description of a place says what stands there.
        let description = match shape
            .definition()
            .and_then(|name| model_schema().pointer(&format!("/$defs/{name}/description")))
        {
            Some(own) => own.as_str().unwrap_or_default().to_owned(),
            None => shape.description(),
        };
        if !description.is_empty() {
            self.line(&format!("{}\n", escape(&description)));
        }
        self.line("| Key | Type | Unit | Range | Default | Meaning |\n|---|---|---|---|---|---|");
        self.file_only(path);
        let mut below: Vec<(Vec<&str>, Shape<'static>)> = Vec::new();
        for key in keys {
            let Some(inner) = shape.key(key) else {
                continue;
            };
            self.row(key, inner, required.contains(&key));
            if let Some(next) = nested(inner) {
                let same = below
                    .iter_mut()
                    .find(|b| next.definition().is_some() && b.1.definition() == next.definition());
                match same {
                    Some((keys, _)) => keys.push(key),
                    None => below.push((vec![key], next)),
                }
            }
        }
        // Last in, first out: what lies below a table follows it, in its order.
        for (keys, next) in below.into_iter().rev() {
            let step = if keys.len() > 3 {
                "*".to_owned()
            } else {
                keys.join("|")
            };
            self.waiting.push((join(path, &step), next));
        }
    }

    /// The keys that only files have.
    fn file_only(&mut self, path: &str) {
        let named = NAMED
            .iter()
            .any(|k| path == format!("{}.<name>", k.table()));
        if named {
            self.line(&format!("| `{BASE}` | text | | | | Preset or other entry that this entry changes; with it every other key is optional. |"));
        } else if path == "plant.sets[]" {
            self.line(&format!("| `{PRESET}` | text | | | | Preset that this entry changes; with it every other key but `name` is optional. |"));
        }
    }

    fn row(&mut self, key: &str, shape: Shape<'static>, required: bool) {
        let limits = if shape.is_sourced() {
            Limits::of_sourced(shape)
        } else {
            Limits::of(shape)
        };
        let default = match shape.word("default") {
            Some(value) if !value.is_object() => format!("`{}`", plain(value)),
            _ if required => "**required**".to_owned(),
            _ => String::new(),
        };
        let constant = shape.word("const").and_then(Json::as_str);
        let (kind, range) = match (constant, kind(shape)) {
            (Some(value), _) => (format!("`\"{value}\"`"), String::new()),
            (None, (kind, "")) => (kind, limits.range()),
            (None, (kind, range)) => (kind, range.to_owned()),
        };
        let unit = shape.unit().unwrap_or("");
        let description = escape(&shape.description());
        self.line(&format!(
            "| `{key}` | {kind} | {unit} | {range} | {default} | {description} |"
        ));
    }
}

/// Type of a value in words, and its range where the type says it.
fn kind(shape: Shape<'_>) -> (String, &'static str) {
    if shape.is_sourced() {
        return ("sourced number".to_owned(), "");
    }
    let kind = match shape.form() {
        Some(Form::Choice(names)) => names
            .iter()
            .map(|n| format!("`\"{n}\"`"))
            .collect::<Vec<_>>()
            .join(", "),
        Some(Form::Array(inner)) => return (format!("array of {}", kind(inner).0), ""),
        Some(Form::Map(_)) => "tables by name".to_owned(),
        Some(Form::Table { .. } | Form::Tagged { .. }) => "table".to_owned(),
        Some(Form::Text) => "text".to_owned(),
        Some(Form::Boolean) => "true or false".to_owned(),
        Some(Form::Number) => "number".to_owned(),
        Some(Form::Integer) => "whole number".to_owned(),
        None => String::new(),
    };
    (kind, "")
}

/// What of a key has keys of its own and so a table of its own on the page.
fn nested(shape: Shape<'static>) -> Option<Shape<'static>> {
    if shape.is_sourced() {
        return None;
    }
    match shape.form()? {
        // A table of no keys of its own is one of the user's: the changes of a variant.
        Form::Table { keys, .. } if keys.is_empty() => None,
        Form::Table { .. } | Form::Tagged { .. } => Some(shape),
        Form::Map(inner) | Form::Array(inner) => nested(inner).map(|_| shape),
        _ => None,
    }
}

/// `[[plant.sets]]`, `[gpus.<name>]`, `plant.sets[].governor`.
fn heading(path: &str) -> String {
    match path.strip_suffix("[]") {
        Some(array) => format!("`[[{array}]]`"),
        None => format!("`[{path}]`"),
    }
}

fn plain(value: &Json) -> String {
    value
        .as_f64()
        .map_or_else(|| value.to_string(), |number| number.to_string())
}

/// Keeps table and tags from being read as markup; what stands in backticks is left as it is but for `|`.
fn escape(text: &str) -> String {
    let parts = text.split('`').enumerate().map(|(at, part)| {
        let part = part.replace('|', "\\|");
        if at % 2 == 0 {
            part.replace('<', "&lt;")
        } else {
            part
        }
    });
    parts.collect::<Vec<_>>().join("`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_a_row_with_its_meaning() {
        let page = reference_markdown();
        assert!(page.contains("| `inertia_s` | number | s | at least 0.01, at most 50 | **required** | Inertia constant H"), "{page}");
        assert!(page.contains("## `[[plant.sets]]`"));
        assert!(page.contains("with `model = \"degov1\"`"));
        assert!(page.contains("## Sourced number") && page.contains("`<name>-001`"));
        assert!(page.contains("| `base` |") && page.contains("| `preset` |"));
        for line in page.lines().filter(|l| l.starts_with("| `")) {
            let cells: Vec<&str> = line.split('|').skip(1).collect();
            assert!(cells.len() >= 7, "{line}");
            let is_tag = cells[1].trim().starts_with("`\"") && !cells[1].contains(',');
            assert!(is_tag || !cells[5].trim().is_empty(), "no meaning: {line}");
        }
    }
}
