//! The form: fields made from the scenario's schema, with what holds now and where it comes from.

mod build;
mod labels;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ballast_scenario::{Problem, Resolved};

use crate::document::{fit, words};

/// The whole form, by section.
#[derive(Debug, Clone, Default)]
pub struct Form {
    /// Sections in the order of the file: scenario, simulation, GPUs, racks, jobs, buffers, plant, limits, outputs, ….
    pub sections: Vec<Section>,
    /// Problems that belong to no field that is shown.
    pub elsewhere: Vec<Problem>,
    /// Folder that preset files count from.
    pub base_dir: PathBuf,
    /// Whether the text is no TOML: the sections are those of the last text that was.
    pub unreadable: bool,
    revision: u64,
    text: Option<String>,
    problems: Vec<Problem>,
    resolved: Option<Arc<Resolved>>,
}

/// A section: a table, or the entries of an array.
#[derive(Debug, Clone, Default)]
pub struct Section {
    /// Dotted path: `racks`, `plant.sets.diesel`.
    pub path: String,
    /// Title in sentence case.
    pub title: String,
    /// What it is, for a tooltip.
    pub help: String,
    /// Its fields.
    pub fields: Vec<Field>,
    /// Sections inside it; entries of an array are sections.
    pub sections: Vec<Section>,
    /// Whether entries can be added to it, and whether it is an entry that can be removed.
    pub can_add: bool,
    /// See `can_add`.
    pub can_remove: bool,
    /// The path as problems write it: entries by number.
    pub key: String,
    /// Whether the file says something in it.
    pub given: bool,
    /// Whether it is an optional table that is not there: `can_add` adds it, not an entry.
    pub absent: bool,
    /// What is wrong with it and with keys that are not shown, each with what would be right.
    pub problems: Vec<String>,
}

/// One variable of the scenario.
#[derive(Debug, Clone, Default)]
pub struct Field {
    /// Dotted path as `--set` takes it.
    pub path: String,
    /// Label in sentence case, without the unit.
    pub label: String,
    /// Unit of the file; empty if none.
    pub unit: String,
    /// What it is: the variable's own description.
    pub help: String,
    /// What may stand there.
    pub kind: FieldKind,
    /// The value that holds, as text; empty if none.
    pub value: String,
    /// Where it comes from.
    pub from: FieldFrom,
    /// Default in words; empty if it has none.
    pub default: String,
    /// Range in words; empty if any value may stand there.
    pub range: String,
    /// Source with grade and confidence in words; empty if given by the user.
    pub source: String,
    /// What is wrong with it, each with what would be right.
    pub problems: Vec<String>,
    /// The path as problems write it: entries by number.
    pub key: String,
    /// Whether the value is of low confidence.
    pub low_confidence: bool,
    /// Whether it may be left out.
    pub optional: bool,
}

/// What may stand in a field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum FieldKind {
    /// A number with the field's unit.
    Number,
    /// A whole number.
    Integer,
    /// true or false.
    Bool,
    /// One of these words.
    Choice(Vec<String>),
    /// Text.
    #[default]
    Text,
    /// Numbers or words in a list, edited as TOML.
    List,
    /// Name of a preset or of an entry of the scenario; or of a file.
    Preset(Arc<[PresetChoice]>),
}

/// A preset to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresetChoice {
    /// Its name.
    pub name: String,
    /// What it is.
    pub about: String,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FieldFrom {
    /// The file gives it.
    File,
    /// The preset that the file names.
    Preset,
    /// It is the default.
    #[default]
    Default,
    /// Nothing holds: optional and absent.
    Absent,
}

/// Numbers the forms that were made, so that a view knows when it sees another one.
static REVISION: AtomicU64 = AtomicU64::new(1);

impl Form {
    /// The form of a document's text, with its problems at their fields. Texts that are no TOML give the sections of the last text that was.
    pub fn update(&mut self, text: &str, problems: &[Problem]) {
        let same_text = self.text.as_deref() == Some(text);
        if same_text && self.problems == problems {
            return;
        }
        if !same_text {
            self.text = Some(text.to_owned());
            match Resolved::new("scenario", text, &self.base_dir) {
                Ok(resolved) => {
                    self.sections = build::sections(&resolved.outline());
                    self.resolved = Some(Arc::new(resolved));
                    self.unreadable = false;
                }
                Err(_) => self.unreadable = true,
            }
        }
        self.problems = problems.to_vec();
        build::clear_problems(&mut self.sections);
        self.elsewhere = problems
            .iter()
            .filter(|p| !build::put_problem(&mut self.sections, p))
            .cloned()
            .collect();
        self.revision = REVISION.fetch_add(1, Ordering::Relaxed);
    }

    /// Changes whenever the form does.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether the value at a path can take what was typed.
    ///
    /// # Errors
    /// What is wrong and what would be right.
    pub fn check(&self, path: &str, typed: &str) -> Result<(), String> {
        match &self.resolved {
            Some(resolved) => fit(resolved, path, typed)
                .map(|_| ())
                .map_err(|problem| words(&problem)),
            None => Ok(()),
        }
    }

    /// The path of a field or section with entries by number, however it was given.
    pub fn key_of(&self, path: &str) -> String {
        match &self.resolved {
            Some(resolved) => resolved.steps_of(path).join("."),
            None => path.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
