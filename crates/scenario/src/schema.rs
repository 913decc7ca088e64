//! JSON Schema of the scenario file, for editors.
//!
//! The model's schema describes the merged scenario; a file may say less (`base`, `preset`) or write it shorter (a plain number for
//! a sourced one). For each type that can be changed by `base` or `preset` there is a second definition, `…Change`, that requires
//! nothing but the name of what it changes.

use serde_json::{Map, Value as Json, json};

use crate::merge::{BASE, PRESET};
use crate::presets::{PresetKind, preset_names};
use crate::shape::{model_schema, reference};

/// Types whose entries can name what they change, and the key that names it.
const CHANGEABLE: [(&str, &str, PresetKind); 6] = [
    ("GpuProfile", BASE, PresetKind::Gpu),
    ("NodeSpec", BASE, PresetKind::Node),
    ("PsuSpec", BASE, PresetKind::Psu),
    ("RackGroup", PRESET, PresetKind::Rack),
    ("StorageSpec", PRESET, PresetKind::Storage),
    ("SetSpec", PRESET, PresetKind::Genset),
];

/// JSON Schema (draft 2020-12) of the scenario file.
///
/// Units stand under `x-unit`. What only shows across keys (a limit below nominal frequency, two jobs of one name) is not in it.
pub fn schema() -> Json {
    let mut schema = model_schema().clone();
    let Some(root) = schema.as_object_mut() else {
        return schema;
    };
    root.insert("$id".to_owned(), json!("urn:ballast:scenario"));
    root.insert("title".to_owned(), json!("Ballast scenario"));
    let Some(Json::Object(mut defs)) = root.remove("$defs") else {
        return schema;
    };
    let mut changes = Vec::new();
    for (name, key, kind) in CHANGEABLE {
        changed(name, &defs, &mut changes);
        let Some((_, Json::Object(change))) =
            changes.iter_mut().find(|(n, _)| n == &change_name(name))
        else {
            continue;
        };
        if let Some(Json::Object(properties)) = change.get_mut("properties") {
            properties.insert(key.to_owned(), base_key(key, kind));
        }
        let required = match kind {
            // What no preset holds.
            PresetKind::Rack => json!([key, "name", "count"]),
            _ => json!([key]),
        };
        change.insert("required".to_owned(), required);
    }
    defs.extend(changes);
    for (name, key, _) in CHANGEABLE {
        let change = change_name(name);
        let choice = json!({
            "if": { "required": [key] },
            "then": { "$ref": format!("#/$defs/{change}") },
            "else": { "$ref": format!("#/$defs/{name}Full") },
        });
        if let Some(full) = defs.remove(name) {
            defs.insert(format!("{name}Full"), full);
            defs.insert(name.to_owned(), choice);
        }
    }
    // A table that only some definitions close would let misspelt keys through.
    for def in defs.values_mut() {
        close(def);
    }
    root.insert("$defs".to_owned(), Json::Object(defs));
    shorten(&mut schema);
    schema
}

/// A name that is the path of a preset file, as `presets::is_file` has it.
const FILE_PATTERN: &str = r"/|\.[tT][oO][mM][lL]$";

fn base_key(key: &str, kind: PresetKind) -> Json {
    let names = preset_names(kind);
    let label = kind.label();
    if key == PRESET {
        let description = format!(
            "Preset that this {label} changes, or the path of a preset file, from the scenario's folder."
        );
        return json!({
            "type": "string",
            "anyOf": [{ "enum": names }, { "pattern": FILE_PATTERN }],
            "description": description,
        });
    }
    let names = names.join(", ");
    let description = format!(
        "What this {label} changes: a preset ({names}), another entry of the table, or the path of a preset file, from the scenario's folder."
    );
    json!({ "type": "string", "description": description })
}

fn change_name(name: &str) -> String {
    format!("{name}Change")
}

/// Adds to `out` the definition that `name` has where nothing is required, and those it refers to.
fn changed(name: &str, defs: &Map<String, Json>, out: &mut Vec<(String, Json)>) {
    if out.iter().any(|(n, _)| n == &change_name(name)) {
        return;
    }
    let Some(def) = defs.get(name) else { return };
    let at = out.len();
    out.push((change_name(name), Json::Null));
    let mut copy = def.clone();
    relax(&mut copy, defs, out);
    if let Some(slot) = out.get_mut(at) {
        slot.1 = copy;
    }
}

/// Takes `required` out and lets references go to the definitions for changes.
fn relax(schema: &mut Json, defs: &Map<String, Json>, out: &mut Vec<(String, Json)>) {
    match schema {
        Json::Object(map) => {
            map.remove("required");
            // Without its tag a change fits several variants.
            let tagged = map
                .get("oneOf")
                .and_then(Json::as_array)
                .is_some_and(|v| v.iter().all(|v| v.get("properties").is_some()));
            if tagged && let Some(variants) = map.remove("oneOf") {
                map.insert("anyOf".to_owned(), variants);
            }
            let target = reference(&Json::Object(map.clone())).map(str::to_owned);
            if let Some(target) = target.filter(|t| {
                defs.get(t).is_some_and(|d| {
                    d.get("required").is_some() || d.get("properties").is_some() || tagged_def(d)
                })
            }) {
                changed(&target, defs, out);
                map.insert(
                    "$ref".to_owned(),
                    json!(format!("#/$defs/{}", change_name(&target))),
                );
            }
            for inner in map.values_mut() {
                relax(inner, defs, out);
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| relax(item, defs, out)),
        _ => {}
    }
}

fn tagged_def(def: &Json) -> bool {
    def.get("oneOf")
        .and_then(Json::as_array)
        .is_some_and(|v| v.iter().all(|v| v.get("properties").is_some()))
}

/// Closes tables with known keys.
fn close(schema: &mut Json) {
    match schema {
        Json::Object(map) => {
            if map.get("properties").is_some_and(Json::is_object)
                && map.get("type").and_then(Json::as_str) == Some("object")
            {
                map.entry("additionalProperties")
                    .or_insert(Json::Bool(false));
            }
            map.values_mut().for_each(close);
        }
        Json::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// Lets a plain number stand for a sourced one, and turns the ranges of sourced numbers into ones that validators know.
fn shorten(schema: &mut Json) {
    match schema {
        Json::Object(map) => {
            let sourced = reference(&Json::Object(map.clone()))
                .filter(|r| *r == "Sourced" || *r == "SourcedChange")
                .map(str::to_owned);
            if let Some(name) = sourced {
                let mut number = Map::from_iter([("type".to_owned(), json!("number"))]);
                for (ours, theirs) in [
                    ("x-min-value", "minimum"),
                    ("x-min-value-exclusive", "exclusiveMinimum"),
                    ("x-max-value", "maximum"),
                    ("x-max-value-exclusive", "exclusiveMaximum"),
                ] {
                    if let Some(end) = map.remove(ours) {
                        number.insert(theirs.to_owned(), end);
                    }
                }
                let number = Json::Object(number);
                map.remove("$ref");
                let table = json!({
                    "$ref": format!("#/$defs/{name}"),
                    "properties": { "value": number.clone(), "low": number.clone(), "high": number.clone() },
                });
                map.insert("anyOf".to_owned(), json!([number, table]));
                return;
            }
            map.values_mut().for_each(shorten);
        }
        Json::Array(items) => items.iter_mut().for_each(shorten),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every reference goes somewhere and every definition is reached.
    #[test]
    fn references_and_definitions_match() {
        let schema = schema();
        let text = schema.to_string();
        for name in schema["$defs"].as_object().unwrap().keys() {
            assert!(
                text.contains(&format!("\"#/$defs/{name}\"")),
                "{name} is not used"
            );
        }
        for part in text.split("\"#/$defs/").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(schema["$defs"].get(name).is_some(), "{name} is not defined");
        }
    }

    #[test]
    fn it_says_what_it_is_and_names_the_presets() {
        let schema = schema();
        assert_eq!(
            schema["$schema"],
            "https://json-schema.org/draft/2020-12/schema"
        );
        assert_eq!(schema["title"], "Ballast scenario");
        assert!(schema["$id"].as_str().unwrap().starts_with("urn:"));
        let preset = &schema["$defs"]["SetSpecChange"]["properties"]["preset"];
        assert!(
            preset["anyOf"][0]["enum"]
                .to_string()
                .contains("generic-diesel-1000kw")
        );
        assert!(schema["$defs"]["GpuProfileChange"]["properties"]["base"].is_object());
        assert!(
            schema["$defs"]["GpuProfileFull"]["properties"]
                .get("base")
                .is_none()
        );
        let tdp = &schema["$defs"]["GpuProfileFull"]["properties"]["tdp_w"];
        assert_eq!(tdp["anyOf"][0]["exclusiveMinimum"], 0.0);
        assert_eq!(tdp["x-unit"], "W");
    }
}
