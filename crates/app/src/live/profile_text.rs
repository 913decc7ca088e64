//! A saved profile in the text of a scenario.

use std::path::Path;

use toml_edit::{DocumentMut, Item, Table, value};

/// A name as a key: small letters, digits and `_`.
pub fn key_of(name: &str) -> String {
    let mut key = String::new();
    for c in name.trim().chars() {
        if c.is_ascii_alphanumeric() {
            key.push(c.to_ascii_lowercase());
        } else if !key.is_empty() && !key.ends_with('_') {
            key.push('_');
        }
    }
    let key = key.trim_end_matches('_');
    if key.is_empty() {
        "measured".to_owned()
    } else {
        key.to_owned()
    }
}

/// How a scenario names a file: by `./` where the file lies in its folder or below, else by the whole path.
fn preset_of(profile: &Path, scenario: Option<&Path>) -> String {
    let beside = scenario
        .and_then(Path::parent)
        .and_then(|folder| profile.strip_prefix(folder).ok());
    match beside {
        Some(rest) => {
            let parts: Vec<_> = rest.iter().map(|p| p.to_string_lossy()).collect();
            format!("./{}", parts.join("/"))
        }
        None => profile.display().to_string(),
    }
}

/// The scenario's text with `[gpus.<key>]` whose preset is the profile's file; and the key, which has a number where another profile has that key.
/// The same file put in twice stays one entry.
///
/// # Errors
/// The text is no TOML; `gpus` is something else than a table.
pub fn with_profile(
    text: &str,
    key: &str,
    profile: &Path,
    scenario: Option<&Path>,
) -> Result<(String, String), String> {
    let mut document: DocumentMut = text.parse().map_err(|_| {
        "The scenario's text is no TOML at the moment: mend it first (the problems say where)"
            .to_owned()
    })?;
    let preset = preset_of(profile, scenario);
    let gpus = document.entry("gpus").or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    let gpus = gpus.as_table_like_mut().ok_or_else(|| {
        "`gpus` of the scenario is no table: remove it, then put the profile in".to_owned()
    })?;
    let same = |item: &Item| item.get("preset").and_then(Item::as_str) == Some(preset.as_str());
    let mut free = key.to_owned();
    let mut number = 2;
    while gpus.get(&free).is_some_and(|item| !same(item)) {
        free = format!("{key}_{number}");
        number += 1;
    }
    if gpus.get(&free).is_none() {
        let mut entry = Table::new();
        entry.insert("preset", value(preset));
        gpus.insert(&free, Item::Table(entry));
    }
    Ok((document.to_string(), free))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_keys() {
        assert_eq!(
            key_of("NVIDIA H100 80GB HBM3, measured"),
            "nvidia_h100_80gb_hbm3_measured"
        );
        assert_eq!(key_of(" -- "), "measured");
    }

    #[test]
    fn the_profile_stands_in_the_scenario_once_and_comments_stay() {
        let text = "# mine\nname = \"x\" # here\n\n[[racks]]\ncount = 2\n";
        let scenario = Path::new("/data/site.toml");
        let (once, key) =
            with_profile(text, "h100", Path::new("/data/h100.toml"), Some(scenario)).unwrap();
        assert_eq!(key, "h100");
        assert!(once.starts_with(text), "{once}");
        assert!(
            once.contains("[gpus.h100]\npreset = \"./h100.toml\""),
            "{once}"
        );
        let (twice, _) =
            with_profile(&once, "h100", Path::new("/data/h100.toml"), Some(scenario)).unwrap();
        assert_eq!(once, twice);
        let (other, key) =
            with_profile(&once, "h100", Path::new("/else/h100.toml"), Some(scenario)).unwrap();
        assert_eq!(key, "h100_2");
        assert!(other.contains("preset = \"/else/h100.toml\""), "{other}");
    }

    #[test]
    fn a_text_that_is_no_toml_is_left_alone() {
        let why = with_profile("a = = 1", "x", Path::new("x.toml"), None).unwrap_err();
        assert!(why.contains("no TOML"), "{why}");
        let why = with_profile("gpus = 3", "x", Path::new("x.toml"), None).unwrap_err();
        assert!(why.contains("no table"), "{why}");
    }
}
