//! Presets that are built in.

use std::path::Path;

use crate::parse;
use crate::problem::Report;
use crate::tree::{Node, Origin};

mod table {
    include!(concat!(env!("OUT_DIR"), "/presets.rs"));
}

/// What a preset describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PresetKind {
    /// GPU profile, `base` of an entry of `[gpus]` or `gpu` of a node.
    Gpu,
    /// Server, `base` of an entry of `[nodes]` or `node` of a rack group.
    Node,
    /// Power supply, `base` of an entry of `[psus]` or `psu` of a node.
    Psu,
    /// Whole rack, `preset` of an entry of `[[racks]]`.
    Rack,
    /// Generating set, `preset` of an entry of `[[plant.sets]]`.
    Genset,
}

impl PresetKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Gpu, Self::Node, Self::Psu, Self::Rack, Self::Genset];

    /// What it is called in the singular, for messages and listings.
    pub fn label(self) -> &'static str {
        match self {
            Self::Gpu => "GPU profile",
            Self::Node => "node",
            Self::Psu => "power supply",
            Self::Rack => "rack",
            Self::Genset => "generating set",
        }
    }

    /// Folder of its files in the source tree.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Gpu => "profiles/gpu",
            Self::Node => "profiles/node",
            Self::Psu => "profiles/psu",
            Self::Rack => "profiles/rack",
            Self::Genset => "sites/gensets",
        }
    }

    /// Table of the scenario whose entries are of this kind.
    pub(crate) fn table(self) -> &'static str {
        match self {
            Self::Gpu => "gpus",
            Self::Node => "nodes",
            Self::Psu => "psus",
            Self::Rack => "racks",
            Self::Genset => "plant.sets",
        }
    }

    fn presets(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Gpu => table::GPU,
            Self::Node => table::NODE,
            Self::Psu => table::PSU,
            Self::Rack => table::RACK,
            Self::Genset => table::GENSET,
        }
    }
}

/// Names of the presets of a kind, in alphabetical order.
pub fn preset_names(kind: PresetKind) -> Vec<&'static str> {
    kind.presets().iter().map(|(name, _)| *name).collect()
}

/// TOML text of a preset; none if there is none of that name.
pub fn preset_text(kind: PresetKind, name: &str) -> Option<&'static str> {
    kind.presets()
        .iter()
        .find(|(n, _)| *n == name)
        .map(|(_, text)| *text)
}

/// The preset as a tree whose places are in the preset's file; none if there is none of that name.
pub(crate) fn preset_node(kind: PresetKind, name: &str, report: &mut Report) -> Option<Node> {
    let text = preset_text(kind, name)?;
    let path = format!("{}/{name}.toml", kind.folder());
    let file = match report.sources.find(&path) {
        Some(file) => file,
        None => report.sources.add(path, Some(text.to_owned())),
    };
    parse::document(text, file, report)
}

/// A specification in a file of the user's, `base = "my-gpu.toml"`, relative to the file that names it; none if there is no such file.
pub(crate) fn file_node(name: &str, named_at: Origin, report: &mut Report) -> Option<Node> {
    let name = Path::new(name);
    if name.extension().is_none_or(|e| e != "toml") {
        return None;
    }
    let folder = Path::new(report.sources.name(named_at.file)).parent();
    let path = folder.map_or_else(|| name.to_owned(), |f| f.join(name));
    let text = std::fs::read_to_string(&path).ok()?;
    let file = report
        .sources
        .add(path.display().to_string(), Some(text.clone()));
    parse::document(&text, file, report)
}
