//! Presets and bases under the user's own keys.

use crate::given::{MODELS, forget_model, given_in, mark_given, mark_set_key};
use crate::names::{available, names};
use crate::presets::{PresetKind, file_node, preset_names, preset_node};
use crate::problem::Report;
use crate::shape::{Form, Shape};
use crate::suggest;
use crate::tree::{Entry, Node, Value, join};

/// Key of an entry of `[gpus]`, `[nodes]` or `[psus]` that names what it changes.
pub(crate) const BASE: &str = "base";
/// Key of an entry of `[[racks]]` or `[[plant.sets]]` that names what it changes.
pub(crate) const PRESET: &str = "preset";

/// Kinds whose entries stand in a table by name.
pub(crate) const NAMED: [PresetKind; 3] = [PresetKind::Node, PresetKind::Gpu, PresetKind::Psu];

/// What the merge found out besides the merged tree.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    /// Paths whose base was not found: what is missing there is not the user's omission.
    pub(crate) incomplete: Vec<String>,
    /// Entries that were taken from presets because something names them.
    pub(crate) pulled: Vec<(PresetKind, String)>,
    /// Entries of the scenario that others name as their base.
    pub(crate) bases: Vec<(PresetKind, String)>,
}

/// Puts every base and preset under the keys that name it.
pub(crate) fn presets(root: &mut Node, merged: &mut Merged, report: &mut Report) {
    for kind in NAMED {
        let Some(table) = root.get(kind.table()) else {
            continue;
        };
        let written = table.clone();
        let Some(shape) = Shape::root().path(kind.table()).and_then(|s| s.key("")) else {
            continue;
        };
        for entry in written.entries().unwrap_or_default() {
            if entry.node.get(BASE).is_none() {
                continue;
            }
            let mut bases = Bases {
                kind,
                shape,
                written: &written,
                used: &mut merged.bases,
                report,
            };
            let path = join(kind.table(), &entry.key);
            match bases.resolve(&entry.key, &entry.node, &mut Vec::new()) {
                Some(node) => {
                    if let Some(slot) = root
                        .get_mut(kind.table())
                        .and_then(|t| t.get_mut(&entry.key))
                    {
                        *slot = node;
                    }
                }
                None => merged.incomplete.push(path),
            }
        }
        for entry in root
            .get_mut(kind.table())
            .and_then(Node::entries_mut)
            .into_iter()
            .flatten()
        {
            entry.node.remove(BASE);
        }
    }
    racks(root, merged, report);
    sets(root, merged, report);
}

/// Follows the bases of one table.
struct Bases<'a> {
    kind: PresetKind,
    shape: Shape<'static>,
    written: &'a Node,
    used: &'a mut Vec<(PresetKind, String)>,
    report: &'a mut Report,
}

impl Bases<'_> {
    /// An entry on top of its bases; none (and a problem) if one is not there.
    fn resolve(&mut self, name: &str, node: &Node, above: &mut Vec<String>) -> Option<Node> {
        let Some(base) = node.get(BASE) else {
            return Some(node.clone());
        };
        let key = format!("{}.{name}.{BASE}", self.kind.table());
        let Some(base_name) = base.as_str() else {
            self.report.error(
                base.origin,
                &key,
                format!("expected a name, found {}", base.describe()),
                available(self.kind, Some(self.written)),
            );
            return None;
        };
        above.push(name.to_owned());
        // An entry that names itself changes the preset it hides.
        let own = self.written.get(base_name).filter(|_| base_name != name);
        if own.is_some()
            && let Some(at) = above.iter().position(|n| n == base_name)
        {
            // Every member of the circle comes by here; one of them reports it.
            if above.first() == above[at..].iter().min() {
                let chain = format!("{} → {base_name}", above.join(" → "));
                self.report.error(
                    base.origin,
                    &key,
                    format!("the bases go in a circle: {chain}"),
                    "the last base is a preset or an entry without `base`",
                );
            }
            return None;
        }
        if own.is_some() {
            self.used.push((self.kind, base_name.to_owned()));
        }
        let under = match own {
            Some(node) => node.clone(),
            None => {
                if let Some(node) = preset_node(self.kind, base_name, self.report)
                    .or_else(|| file_node(base_name, base.origin, self.report))
                {
                    node
                } else {
                    let names = names(self.kind, Some(self.written));
                    let refs: Vec<&str> = names
                        .iter()
                        .map(String::as_str)
                        .filter(|n| *n != name)
                        .collect();
                    self.report.error(
                        base.origin,
                        &key,
                        format!("no {} `{base_name}`", self.kind.label()),
                        suggest::help(base_name, "names", &refs),
                    );
                    return None;
                }
            }
        };
        let under = self.resolve(base_name, &under, above)?;
        let mut over = node.clone();
        over.remove(BASE);
        let mut changed = Vec::new();
        let given = given_in(self.report, node.origin);
        Some(overlay(
            under,
            over,
            Some(self.shape),
            "",
            &given,
            &mut changed,
        ))
    }
}

/// Takes `preset` out of entry `at` of its kind's array and finds the preset; none if there is no such key, or no such
/// preset, which is a problem then.
fn preset_of(
    kind: PresetKind,
    at: usize,
    entry: &mut Node,
    merged: &mut Merged,
    report: &mut Report,
) -> Option<Node> {
    let Entry { node: preset, .. } = entry.remove(PRESET)?;
    let path = format!("{}.{at}", kind.table());
    let key = join(&path, PRESET);
    let found = match preset.as_str() {
        None => {
            let message = format!("expected a name, found {}", preset.describe());
            report.error(preset.origin, &key, message, available(kind, None));
            None
        }
        Some(name) => {
            let found = preset_node(kind, name, report);
            if found.is_none() {
                let message = format!("no {} `{name}`", kind.label());
                let help = suggest::help(name, "names", &preset_names(kind));
                report.error(preset.origin, &key, message, help);
            }
            found
        }
    };
    if found.is_none() {
        merged.incomplete.push(path);
    }
    found
}

/// Puts presets under the rack groups. What a preset says of the rack as a whole (label, notes, rating) is no key of a group.
fn racks(root: &mut Node, merged: &mut Merged, report: &mut Report) {
    let shape = Shape::root().path("racks").and_then(Shape::item);
    let Some(groups) = root.get_mut("racks") else {
        return;
    };
    for (at, group) in groups.items_mut().iter_mut().enumerate() {
        let Some(mut under) = preset_of(PresetKind::Rack, at, group, merged, report) else {
            continue;
        };
        if let (Some(entries), Some(shape)) = (under.entries_mut(), shape) {
            entries.retain(|e| shape.key(&e.key).is_some());
        }
        let over = std::mem::replace(group, Node::table(group.origin));
        let origin = over.origin;
        let given = given_in(report, origin);
        *group = overlay(under, over, shape, "", &given, &mut Vec::new());
        group.origin = origin;
    }
}

/// Puts presets under the generating sets.
fn sets(root: &mut Node, merged: &mut Merged, report: &mut Report) {
    let shape = Shape::root().path("plant.sets").and_then(Shape::item);
    let Some(sets) = root.get_mut("plant").and_then(|p| p.get_mut("sets")) else {
        return;
    };
    for (at, set) in sets.items_mut().iter_mut().enumerate() {
        let Some(mut under) = preset_of(PresetKind::Genset, at, set, merged, report) else {
            continue;
        };
        let over = std::mem::replace(set, Node::table(set.origin));
        let own = over.get("provenance").cloned();
        let origin = over.origin;
        let given = given_in(report, origin);
        let mut changed = Vec::new();
        for part in MODELS {
            let model = |set: &Node| {
                set.get(part)
                    .and_then(|g| g.get("model"))
                    .and_then(Node::as_str)
                    .map(str::to_owned)
            };
            if model(&over).is_some_and(|m| Some(m) != model(&under)) {
                forget_model(&mut under, part);
            }
        }
        *set = overlay(under, over, shape, "", &given, &mut changed);
        set.origin = origin;
        for key in changed
            .iter()
            .filter(|key| own.as_ref().is_none_or(|o| o.get(key).is_none()))
        {
            mark_set_key(set, key, origin, &given);
        }
    }
}

/// `over` on top of `under`. `changed` receives the dotted paths of the values that `over` set.
fn overlay(
    under: Node,
    over: Node,
    shape: Option<Shape<'_>>,
    path: &str,
    given: &str,
    changed: &mut Vec<String>,
) -> Node {
    let tag = shape.and_then(|s| match s.form() {
        Some(Form::Tagged { tag, .. }) => Some(tag),
        _ => None,
    });
    // Another model has other keys: nothing of the preset's may remain.
    let replaced = tag.is_some_and(|t| {
        over.get(t)
            .is_some_and(|o| o.as_str() != under.get(t).and_then(Node::as_str))
    });
    let (mut under, over_entries) = match (under, over) {
        (
            under @ Node {
                value: Value::Table(_),
                ..
            },
            Node {
                value: Value::Table(entries),
                ..
            },
        ) if !replaced => (under, entries),
        (_, over) => {
            changed.push(path.to_owned());
            return over;
        }
    };
    let shape = shape.map(|s| s.chosen(&under));
    let own: Vec<String> = over_entries.iter().map(|e| e.key.clone()).collect();
    let origin = over_entries.first().map_or(under.origin, |e| e.origin);
    for Entry { key, origin, node } in over_entries {
        let inner_path = join(path, &key);
        let node = if let Some(old) = under.remove(&key) {
            let inner = shape.and_then(|s| s.key(&key));
            overlay(old.node, node, inner, &inner_path, given, changed)
        } else {
            changed.push(inner_path);
            node
        };
        under.set(&key, origin, node);
    }
    if shape.is_some_and(Shape::carries_provenance) {
        mark_given(&mut under, &own, origin, given);
    }
    under
}
