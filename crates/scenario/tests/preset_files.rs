//! Presets in files of the user's own.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::fs;
use std::path::Path;

use ballast_scenario::{Loaded, PresetKind, Problem, load_str, preset_text};

/// A folder that is removed at the end.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ballast-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn load(text: &str, folder: &Path) -> Result<Loaded, Vec<Problem>> {
    load_str("x.toml", text, folder, &[]).map_err(|p| p.0)
}

fn good(text: &str, folder: &Path) -> Loaded {
    load(text, folder).unwrap_or_else(|p| panic!("{p:?}"))
}

fn set(preset: &str) -> String {
    format!(
        "[scenario]\nname = \"x\"\n[[loads]]\nkind = \"steps\"\nname = \"l\"\ninitial_kw = 100\n\
         [[plant.sets]]\nname = \"G\"\npreset = {preset:?}\n"
    )
}

#[test]
fn a_file_with_the_text_of_a_preset_is_that_preset() {
    let folder = Folder::new("same");
    for (kind, name) in [
        (PresetKind::Genset, "generic-diesel-1000kw"),
        (PresetKind::Rack, "gb200-nvl72"),
        (PresetKind::Gpu, "h100-sxm5"),
        (PresetKind::Node, "hgx-h100"),
        (PresetKind::Psu, "titanium-3kw"),
        (PresetKind::Storage, "gb300-shelf"),
    ] {
        folder.write("mine.toml", preset_text(kind, name).unwrap());
        let scenario = |preset: &str| match kind {
            PresetKind::Genset => set(preset),
            PresetKind::Rack => format!(
                "[scenario]\nname = \"x\"\n[[racks]]\nname = \"r\"\ncount = 1\npreset = {preset:?}\n"
            ),
            PresetKind::Storage => format!(
                "[scenario]\nname = \"x\"\n[[racks]]\nname = \"r\"\ncount = 1\nnode = \"hgx-h100\"\nnodes_per_rack = 1\n[racks.storage]\npreset = {preset:?}\n"
            ),
            PresetKind::Gpu => format!(
                "[scenario]\nname = \"x\"\n[gpus.g]\nbase = {preset:?}\n[nodes.n]\nbase = \"hgx-h100\"\ngpu = \"g\"\n[[racks]]\nname = \"r\"\ncount = 1\nnode = \"n\"\nnodes_per_rack = 1\n"
            ),
            PresetKind::Node => format!(
                "[scenario]\nname = \"x\"\n[nodes.n]\nbase = {preset:?}\n[[racks]]\nname = \"r\"\ncount = 1\nnode = \"n\"\nnodes_per_rack = 1\n"
            ),
            PresetKind::Psu => format!(
                "[scenario]\nname = \"x\"\n[psus.p]\nbase = {preset:?}\n[nodes.n]\nbase = \"hgx-h100\"\npsu = \"p\"\n[[racks]]\nname = \"r\"\ncount = 1\nnode = \"n\"\nnodes_per_rack = 1\n"
            ),
        };
        let (own, built_in) = (
            good(&scenario("./mine.toml"), &folder.0),
            good(&scenario(name), &folder.0),
        );
        assert_eq!(own.scenario, built_in.scenario, "{name}");
        assert_eq!(own.sha256, built_in.sha256, "{name}");
        assert_eq!(own.low_confidence, built_in.low_confidence, "{name}");
    }
}

#[test]
fn what_the_file_says_is_in_the_hash() {
    let folder = Folder::new("hash");
    let text = preset_text(PresetKind::Genset, "generic-diesel-1000kw").unwrap();
    folder.write("mine.toml", text);
    let before = good(&set("mine.toml"), &folder.0);
    let line = text.lines().find(|l| l.starts_with("inertia_s")).unwrap();
    folder.write("mine.toml", &text.replacen(line, "inertia_s = 0.777", 1));
    let after = good(&set("mine.toml"), &folder.0);
    assert_eq!(after.scenario.plant.unwrap().sets[0].inertia_s, 0.777);
    assert_ne!(before.sha256, after.sha256);
}

#[test]
fn problems_of_the_file_stand_in_the_file() {
    let folder = Folder::new("problems");
    folder.write("mine.toml", "rated_kw = -1\nunheard = 2\n");
    let found = load(&set("./mine.toml"), &folder.0).unwrap_err();
    let at = |key: &str| {
        let p = found.iter().find(|p| p.key == key);
        p.map(|p| (p.file.ends_with("mine.toml"), p.line))
    };
    assert_eq!(
        at("plant.sets.0.rated_kw"),
        Some((true, Some(1))),
        "{found:?}"
    );
    assert_eq!(
        at("plant.sets.0.unheard"),
        Some((true, Some(2))),
        "{found:?}"
    );
    // No TOML at all.
    folder.write("mine.toml", "rated_kw = 1\nrated_kva = =\n");
    let found = load(&set("./mine.toml"), &folder.0).unwrap_err();
    assert!(
        found
            .iter()
            .all(|p| p.file.ends_with("mine.toml") && p.line == Some(2)),
        "{found:?}"
    );
    // A group takes of a rack what it knows; the rest is looked at all the same.
    let rack = preset_text(PresetKind::Rack, "gb200-nvl72").unwrap();
    folder.write("rack.toml", &format!("nodes_per_rck = 3\n{rack}"));
    let text =
        "[scenario]\nname = \"x\"\n[[racks]]\nname = \"r\"\ncount = 1\npreset = \"rack.toml\"\n";
    let found = load(text, &folder.0).unwrap_err();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].key.as_str(), found[0].line),
        ("nodes_per_rck", Some(1))
    );
    // One that stands on itself.
    folder.write("gpu.toml", "base = \"./gpu.toml\"\n");
    let text = "[scenario]\nname = \"x\"\n[gpus.g]\nbase = \"./gpu.toml\"\n[nodes.n]\nbase = \"hgx-h100\"\ngpu = \"g\"\n[[racks]]\nname = \"r\"\ncount = 1\nnode = \"n\"\nnodes_per_rack = 1\n";
    let found = load(text, &folder.0).unwrap_err();
    assert!(
        found.len() == 1 && found[0].message.contains("circle"),
        "{found:?}"
    );
}

#[test]
fn a_file_may_stand_on_a_built_in_preset() {
    let folder = Folder::new("base");
    folder.write("gpu.toml", "base = \"h100-sxm5\"\ntdp_w = 650\n");
    let text = "[scenario]\nname = \"x\"\n[gpus.g]\nbase = \"./gpu.toml\"\n[nodes.n]\nbase = \"hgx-h100\"\ngpu = \"g\"\n[[racks]]\nname = \"r\"\ncount = 1\nnode = \"n\"\nnodes_per_rack = 1\n";
    let loaded = good(text, &folder.0);
    let tdp = &loaded.scenario.gpus["g"].tdp_w;
    assert_eq!(
        (tdp.value, tdp.source.as_str()),
        (650.0, "given in gpu.toml")
    );
}
