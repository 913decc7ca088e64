//! From the scenario's places to sections and fields.

use std::sync::{Arc, LazyLock};

use ballast_scenario::{
    Place, PlaceFrom, PlaceKind, PlaceSource, PresetKind, Problem, preset_names, preset_text,
};

use super::labels::{label, title};
use super::{Field, FieldFrom, FieldKind, PresetChoice, Section};
use crate::document::words;

/// Sections of the scenario in the order in which a site is put together.
const ORDER: [&str; 19] = [
    "scenario",
    "simulation",
    "gpus",
    "nodes",
    "psus",
    "racks",
    "jobs",
    "tenants",
    "correlation",
    "loads",
    "bess",
    "plant",
    "limits",
    "facility",
    "events",
    "contingencies",
    "zoom",
    "outputs",
    "variant",
];

/// The sections of a scenario.
pub(super) fn sections(root: &Place) -> Vec<Section> {
    let mut found: Vec<Section> = root
        .places
        .iter()
        .filter_map(|p| section(p, false))
        .collect();
    found.sort_by_key(|s| {
        ORDER
            .iter()
            .position(|o| *o == s.path)
            .unwrap_or(ORDER.len())
    });
    found
}

/// `over`: whether a preset lies under it, so that what it does not say comes from there.
fn section(place: &Place, over: bool) -> Option<Section> {
    if !matches!(
        place.what,
        PlaceKind::Table | PlaceKind::Map | PlaceKind::Array
    ) {
        return None;
    }
    let list = matches!(place.what, PlaceKind::Map | PlaceKind::Array);
    let absent = !list && place.places.is_empty() && place.from == PlaceFrom::Absent;
    let title = if place.entry {
        entry_title(place)
    } else {
        title(&place.name)
    };
    let named = |p: &&Place| matches!(p.name.as_str(), "preset" | "base") && !p.value.is_empty();
    let over = over || place.places.iter().any(|p| named(&p));
    let fields = place.places.iter().filter_map(|p| field(p, over));
    let sections = place.places.iter().filter_map(|p| section(p, over));
    Some(Section {
        path: place.path.clone(),
        key: place.key.clone(),
        title,
        help: place.description.clone(),
        fields: fields.collect(),
        sections: sections.collect(),
        can_add: list || absent,
        can_remove: (place.entry || place.optional && !list) && place.from == PlaceFrom::File,
        given: place.from == PlaceFrom::File,
        absent,
        problems: Vec::new(),
    })
}

/// Name of an entry; number, counted as people do, where it has none, and its kind.
fn entry_title(place: &Place) -> String {
    let kind = place.places.iter().find(|p| p.name == "kind");
    let kind = kind.map(|k| k.value.replace('_', " "));
    match (place.name.parse::<usize>(), kind) {
        (Ok(at), Some(kind)) => format!("{}: {kind}", at + 1),
        (Ok(at), None) => format!("{}", at + 1),
        (Err(_), Some(kind)) => format!("{} ({kind})", place.name),
        (Err(_), None) => place.name.clone(),
    }
}

fn field(place: &Place, over: bool) -> Option<Field> {
    let kind = match &place.what {
        PlaceKind::Number => FieldKind::Number,
        PlaceKind::Integer => FieldKind::Integer,
        PlaceKind::Boolean => FieldKind::Bool,
        PlaceKind::Choice(words) => FieldKind::Choice(words.clone()),
        PlaceKind::Preset(kind, own) => FieldKind::Preset(choices(*kind, own)),
        PlaceKind::Text => FieldKind::Text,
        PlaceKind::List => FieldKind::List,
        PlaceKind::Table | PlaceKind::Map | PlaceKind::Array => return None,
    };
    let known = place.source.as_ref().filter(|s| s.grade != "given");
    Some(Field {
        path: place.path.clone(),
        key: place.key.clone(),
        label: label(&place.name, !place.unit.is_empty()),
        unit: place.unit.clone(),
        help: place.description.clone(),
        kind,
        value: place.value.clone(),
        from: match place.from {
            PlaceFrom::File => FieldFrom::File,
            PlaceFrom::Preset => FieldFrom::Preset,
            PlaceFrom::Default => FieldFrom::Default,
            PlaceFrom::Absent => FieldFrom::Absent,
        },
        default: place.default.clone(),
        range: place.range.clone(),
        source: known.map_or_else(String::new, |s| source(s, &place.unit)),
        problems: Vec::new(),
        low_confidence: known.is_some_and(|s| s.confidence == "low"),
        // No preset holds these.
        optional: place.optional || over && !matches!(place.name.as_str(), "name" | "count"),
    })
}

fn source(of: &PlaceSource, unit: &str) -> String {
    let range = of.plausible.as_ref().map_or_else(String::new, |(a, b)| {
        format!("; plausible {a} to {b} {unit}")
            .trim_end()
            .to_owned()
    });
    format!(
        "{} ({}, {} confidence{range})",
        of.source, of.grade, of.confidence
    )
}

/// The built-in presets of each kind with what they say they are.
static PRESETS: LazyLock<Vec<(PresetKind, Arc<[PresetChoice]>)>> = LazyLock::new(|| {
    let of = |kind: PresetKind| {
        preset_names(kind)
            .into_iter()
            .map(|name| PresetChoice {
                name: name.to_owned(),
                about: about(preset_text(kind, name).unwrap_or("")),
            })
            .collect()
    };
    PresetKind::ALL.map(|kind| (kind, of(kind))).into()
});

/// What a preset's text says it is: its label, else its first line.
fn about(text: &str) -> String {
    let label = text
        .lines()
        .find_map(|line| line.strip_prefix("label = \""))
        .map(|l| l.trim_end_matches('"'));
    let first = text.lines().next().unwrap_or("");
    label
        .unwrap_or_else(|| first.trim_start_matches(['#', ' ']))
        .to_owned()
}

fn choices(kind: PresetKind, own: &[String]) -> Arc<[PresetChoice]> {
    let presets = PRESETS.iter().find(|(k, _)| *k == kind);
    let presets = presets.map(|(_, all)| all.clone()).unwrap_or_default();
    let others: Vec<PresetChoice> = own
        .iter()
        .filter(|name| presets.iter().all(|p| p.name != **name))
        .map(|name| PresetChoice {
            name: name.clone(),
            about: "of this scenario".to_owned(),
        })
        .collect();
    if others.is_empty() {
        presets
    } else {
        others.into_iter().chain(presets.iter().cloned()).collect()
    }
}

pub(super) fn clear_problems(sections: &mut [Section]) {
    for section in sections {
        section.problems.clear();
        for field in &mut section.fields {
            field.problems.clear();
        }
        clear_problems(&mut section.sections);
    }
}

/// Puts a problem to its field, else to the innermost section it is in; false if there is none.
pub(super) fn put_problem(sections: &mut [Section], problem: &Problem) -> bool {
    let Some(section) = sections.iter_mut().find(|s| within(&problem.key, &s.key)) else {
        return false;
    };
    if let Some(field) = section
        .fields
        .iter_mut()
        .find(|f| within(&problem.key, &f.key))
    {
        field.problems.push(words(problem));
        return true;
    }
    if put_problem(&mut section.sections, problem) {
        return true;
    }
    let rest = problem.key.strip_prefix(section.key.as_str()).unwrap_or("");
    let rest = rest.trim_start_matches('.');
    section.problems.push(if rest.is_empty() {
        words(problem)
    } else {
        format!("{rest}: {}", words(problem))
    });
    true
}

/// Whether a key is that of a place or lies in it.
fn within(key: &str, place: &str) -> bool {
    key.strip_prefix(place)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
