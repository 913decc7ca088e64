//! Presets: those that are built in, and files of the user's own.

use std::path::Path;

use ballast_profile::RackSpec;

use crate::load::LARGEST_FILE;
use crate::problem::Report;
use crate::shape::{Shape, schema_of};
use crate::tree::{Node, Origin};
use crate::{given, parse, walk};

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
    /// Storage, `preset` of the table `storage` of an entry of `[[racks]]`.
    Storage,
    /// Generating set, `preset` of an entry of `[[plant.sets]]`.
    Genset,
}

impl PresetKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Gpu,
        Self::Node,
        Self::Psu,
        Self::Rack,
        Self::Storage,
        Self::Genset,
    ];

    /// What it is called in the singular, for messages and listings.
    pub fn label(self) -> &'static str {
        match self {
            Self::Gpu => "GPU profile",
            Self::Node => "node",
            Self::Psu => "power supply",
            Self::Rack => "rack",
            Self::Storage => "storage",
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
            Self::Storage => "profiles/storage",
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
            Self::Storage => "racks.storage",
            Self::Genset => "plant.sets",
        }
    }

    fn presets(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Gpu => table::GPU,
            Self::Node => table::NODE,
            Self::Psu => table::PSU,
            Self::Rack => table::RACK,
            Self::Storage => table::STORAGE,
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

/// What stands behind the name of a preset.
pub(crate) enum Named {
    /// The preset, as a tree whose places are in its own file.
    Found(Node),
    /// There is none of that name.
    Absent,
    /// It names a file that is no preset; what is wrong with it has been reported.
    Reported,
}

/// The preset that is built in under a name, as a tree whose places are in the preset's file; none if there is none of that name.
pub(crate) fn preset_node(kind: PresetKind, name: &str, report: &mut Report) -> Option<Node> {
    let text = preset_text(kind, name)?;
    let path = format!("{}/{name}.toml", kind.folder());
    parsed(path, text, report)
}

/// The preset of a name that stands at `at` (its place and key): one that is built in, or a file (see [`is_file`]).
pub(crate) fn named(
    kind: PresetKind,
    name: &str,
    at: (Origin, &str),
    report: &mut Report,
) -> Named {
    if !is_file(name) {
        return preset_node(kind, name, report).map_or(Named::Absent, Named::Found);
    }
    match preset_file(kind, name, at, report) {
        Some(node) => Named::Found(node),
        None => Named::Reported,
    }
}

/// Whether a preset's name is the path of a file: no preset that is built in has a `/` or ends in `.toml`.
pub(crate) fn is_file(name: &str) -> bool {
    name.contains('/')
        || Path::new(name)
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("toml"))
}

/// Reads a preset file; its path counts from the folder of the scenario, also where another preset file names it.
fn preset_file(
    kind: PresetKind,
    name: &str,
    (origin, key): (Origin, &str),
    report: &mut Report,
) -> Option<Node> {
    let path = report.base_dir.join(name);
    let wrong = match std::fs::metadata(&path) {
        Err(error) => Some(error.to_string()),
        Ok(about) if !about.is_file() => Some("it is no file".to_owned()),
        Ok(about) if about.len() > LARGEST_FILE as u64 => {
            Some(format!("{} bytes are no preset", about.len()))
        }
        Ok(_) => None,
    };
    let read = match wrong {
        Some(wrong) => Err(wrong),
        None => std::fs::read_to_string(&path).map_err(|error| error.to_string()),
    };
    match read {
        Ok(text) => {
            let node = parsed(path.display().to_string(), &text, report)?;
            let clean = kind != PresetKind::Rack || is_rack(&node, report);
            clean.then_some(node)
        }
        Err(error) => {
            let message = format!("{}: cannot be read: {error}", path.display());
            let help = format!(
                "the path of a {} as a TOML file in UTF-8; it counts from the scenario's folder",
                kind.label()
            );
            report.error(origin, key, message, help);
            None
        }
    }
}

fn parsed(path: String, text: &str, report: &mut Report) -> Option<Node> {
    let file = match report.sources.find(&path) {
        Some(file) => file,
        None => report.sources.add(path, Some(text.to_owned())),
    };
    parse::document(text, file, report)
}

/// A group takes of a rack what it knows, so what nobody knows has to be found in the file itself.
fn is_rack(node: &Node, report: &mut Report) -> bool {
    let schema = schema_of::<RackSpec>();
    let shape = Shape::of(&schema);
    let mut whole = node.clone();
    given::expand(&mut whole, shape, report);
    let before = report.problems.len();
    // The group may say what the file does not.
    walk::walk_as(&whole, shape, &[String::new()], report);
    report.problems.len() == before
}

#[cfg(test)]
mod tests {
    use super::{PresetKind, is_file, preset_names};

    #[test]
    fn no_name_that_is_built_in_is_a_path() {
        for kind in PresetKind::ALL {
            assert!(preset_names(kind).into_iter().all(|name| !is_file(name)));
        }
        for path in ["a.toml", "./a", "A.TOML", "../x/y.toml", "/abs"] {
            assert!(is_file(path), "{path}");
        }
    }
}
