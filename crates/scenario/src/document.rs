//! Any Spec as a TOML file of its own, read as a scenario is: every problem at once, each with its place.

use std::path::Path;

use ballast_plant::SetSpec;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::presets::{PresetKind, preset_node};
use crate::problem::{Problem, Problems, Report};
use crate::shape::{Shape, schema_of};
use crate::tree::{Node, Origin, Sources};
use crate::{parse, walk};

/// A file that was read, and where its values stand.
#[derive(Debug, Clone)]
pub struct Document<T> {
    /// What it says.
    pub value: T,
    root: Node,
    sources: Sources,
}

impl<T> Document<T> {
    /// A problem at `path`, with the place of its value or of the nearest table that is there.
    pub fn problem_at(&self, path: &str, message: String, help: String) -> Problem {
        let place = self.sources.place(self.root.origin_of(path));
        Problem {
            file: place.file,
            line: place.line,
            column: place.column,
            key: path.to_owned(),
            message,
            help,
        }
    }
}

/// Reads a file as a `T`, whose schema says which keys there are.
///
/// # Errors
/// Every problem found, with its place: the file cannot be read, is no TOML, or has unknown, missing or wrong keys.
pub fn read_document<T: JsonSchema + DeserializeOwned>(
    path: &Path,
) -> Result<Document<T>, Problems> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Problems(vec![Problem {
            file: name.clone(),
            line: None,
            column: None,
            key: String::new(),
            message: format!("cannot be read: {error}"),
            help: "give the path of a TOML file in UTF-8".to_owned(),
        }])
    })?;
    document_from(&name, &text)
}

/// Reads text as a `T`; `name` stands for the file in problems.
///
/// # Errors
/// As [`read_document`].
pub fn document_from<T: JsonSchema + DeserializeOwned>(
    name: &str,
    text: &str,
) -> Result<Document<T>, Problems> {
    let mut report = Report::default();
    let file = report.sources.add(name, Some(text.to_owned()));
    let Some(root) = parse::document(text, file, &mut report) else {
        return Err(Problems::sorted(report.problems));
    };
    let schema = schema_of::<T>();
    walk::walk_as(&root, Shape::of(&schema), &[], &mut report);
    if !report.problems.is_empty() {
        return Err(Problems::sorted(report.problems));
    }
    match serde_json::from_value(root.to_json()) {
        Ok(value) => Ok(Document {
            value,
            root,
            sources: report.sources,
        }),
        Err(error) => {
            let help = "compare with the schema of the file";
            report.error(root.origin, "", error.to_string(), help);
            Err(Problems::sorted(report.problems))
        }
    }
}

/// JSON Schema (draft 2020-12) of a file that is read as a `T`. Units stand under `x-unit`.
pub fn document_schema<T: JsonSchema>() -> Json {
    schema_of::<T>()
}

/// A genset preset as a set of that name; none if there is none.
pub fn genset_preset(name: &str) -> Option<SetSpec> {
    let mut report = Report::default();
    let mut node = preset_node(PresetKind::Genset, name, &mut report)?;
    let origin = Origin::default();
    node.set("name", origin, Node::string(name, origin));
    serde_json::from_value(node.to_json()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_genset_preset_is_a_set() {
        for name in crate::preset_names(PresetKind::Genset) {
            assert_eq!(genset_preset(name).unwrap().name, name);
        }
        assert!(genset_preset("no such set").is_none());
    }

    #[test]
    fn problems_come_together_with_their_places() {
        let text = "name = \"x\"\ncount = 0\nrated_kw = \"a lot\"\nunheard = 1\n";
        let found = document_from::<SetSpec>("set.toml", text).unwrap_err().0;
        let lines: Vec<_> = found.iter().map(|p| (p.line, p.key.as_str())).collect();
        assert!(lines.contains(&(Some(2), "count")), "{lines:?}");
        assert!(lines.contains(&(Some(3), "rated_kw")), "{lines:?}");
        assert!(lines.contains(&(Some(4), "unheard")), "{lines:?}");
        assert!(lines.iter().any(|l| l.1 == "inertia_s"), "{lines:?}");
    }
}
