//! Names of nodes, GPU profiles and power supplies: what they stand for, and what stands for nothing.

use crate::merge::{Merged, NAMED};
use crate::presets::{Named, PresetKind, is_file, named, preset_names};
use crate::problem::Report;
use crate::suggest;
use crate::tree::{Entry, Node, Origin, join};

/// Takes entries from presets that racks and nodes name and that do not stand in the scenario.
pub(crate) fn pull(root: &mut Node, merged: &mut Merged, report: &mut Report) {
    for reference in references(root) {
        let Reference {
            kind,
            name,
            origin,
            path,
        } = reference;
        if root
            .get(kind.table())
            .is_some_and(|t| t.entries().is_none() || t.get(&name).is_some())
        {
            continue;
        }
        let Named::Found(node) = named(kind, &name, (origin, &path), report) else {
            continue;
        };
        let origin = node.origin;
        if root.get(kind.table()).is_none() {
            root.set(kind.table(), origin, Node::table(origin));
        }
        if let Some(table) = root.get_mut(kind.table()) {
            table.set(&name, origin, node);
        }
        merged.pulled.push((kind, name));
        // A node that was pulled in names a GPU and a supply of its own.
        if kind == PresetKind::Node {
            return pull(root, merged, report);
        }
    }
}

/// One value that names an entry.
struct Reference {
    kind: PresetKind,
    name: String,
    origin: Origin,
    path: String,
}

/// Every value that names a node, a GPU profile or a power supply.
fn references(root: &Node) -> Vec<Reference> {
    let mut found = Vec::new();
    let mut add = |kind, node: Option<&Node>, path: String| {
        if let Some((node, name)) = node.and_then(|n| Some((n, n.as_str()?))) {
            found.push(Reference {
                kind,
                name: name.to_owned(),
                origin: node.origin,
                path,
            });
        }
    };
    for (at, rack) in root
        .get("racks")
        .map(Node::items)
        .unwrap_or_default()
        .iter()
        .enumerate()
    {
        add(
            PresetKind::Node,
            rack.get("node"),
            format!("racks.{at}.node"),
        );
    }
    for entry in root
        .get("nodes")
        .and_then(Node::entries)
        .unwrap_or_default()
    {
        add(
            PresetKind::Gpu,
            entry.node.get("gpu"),
            format!("nodes.{}.gpu", entry.key),
        );
        add(
            PresetKind::Psu,
            entry.node.get("psu"),
            format!("nodes.{}.psu", entry.key),
        );
    }
    found
}

/// Reports names that stand for nothing, takes out what was pulled in and is named no more, and warns of the user's unused entries.
pub(crate) fn settle(root: &mut Node, merged: &Merged, report: &mut Report) {
    // Nodes first: what they name counts only while they stay.
    for kind in NAMED {
        let named: Vec<Reference> = references(root)
            .into_iter()
            .filter(|r| r.kind == kind)
            .collect();
        let table = root.get(kind.table());
        for reference in &named {
            // A file that is no preset has been reported where it was looked for.
            if !is_file(&reference.name)
                && table.is_none_or(|t| t.entries().is_some() && t.get(&reference.name).is_none())
            {
                let names = names(kind, table);
                let refs: Vec<&str> = names.iter().map(String::as_str).collect();
                let message = format!("no {} `{}`", kind.label(), reference.name);
                report.error(
                    reference.origin,
                    &reference.path,
                    message,
                    suggest::help(&reference.name, "names", &refs),
                );
            }
        }
        let unused: Vec<Entry> = table
            .and_then(Node::entries)
            .unwrap_or_default()
            .iter()
            .filter(|e| !named.iter().any(|r| r.name == e.key))
            .cloned()
            .collect();
        for entry in unused {
            let pulled = merged
                .pulled
                .iter()
                .any(|(k, n)| *k == kind && *n == entry.key);
            if pulled {
                if let Some(table) = root.get_mut(kind.table()) {
                    table.remove(&entry.key);
                }
            } else if !merged
                .bases
                .iter()
                .any(|(k, n)| *k == kind && *n == entry.key)
            {
                report.warn(
                    entry.origin,
                    &join(kind.table(), &entry.key),
                    "is defined but nothing uses it",
                    "name it in a rack group or a node, or take it out",
                );
            }
        }
    }
}

/// Names that an entry of a kind can have: those of the scenario and those of the presets.
pub(crate) fn names(kind: PresetKind, table: Option<&Node>) -> Vec<String> {
    let own = table
        .and_then(Node::entries)
        .unwrap_or_default()
        .iter()
        .map(|e| e.key.clone());
    let mut names: Vec<String> = own
        .chain(preset_names(kind).into_iter().map(str::to_owned))
        .collect();
    names.sort();
    names.dedup();
    names
}

/// "names: a, b" for a help line.
pub(crate) fn available(kind: PresetKind, table: Option<&Node>) -> String {
    format!("names: {}", names(kind, table).join(", "))
}
