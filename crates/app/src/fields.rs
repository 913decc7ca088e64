//! The form: fields made from the scenario's schema, with what holds now and where it comes from.

use ballast_scenario::Problem;

/// The whole form, by section.
#[derive(Debug, Clone, Default)]
pub struct Form {
    /// Sections in the order of the file: scenario, simulation, GPUs, racks, jobs, buffers, plant, limits, outputs, ….
    pub sections: Vec<Section>,
    /// Problems that belong to no field that is shown.
    pub elsewhere: Vec<Problem>,
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

impl Form {
    /// The form of a document's text, with its problems at their fields. Texts that are no TOML give the sections of the last text that was.
    pub fn update(&mut self, text: &str, problems: &[Problem]) {
        let _ = (text, problems);
    }
}
