//! Every preset that is built in can be used.

use std::path::Path;

use ballast_scenario::{PresetKind, load_str, preset_names, preset_text};

#[test]
fn every_preset_loads() {
    for kind in PresetKind::ALL {
        assert!(!preset_names(kind).is_empty(), "{}", kind.label());
        for name in preset_names(kind) {
            assert!(preset_text(kind, name).is_some());
            let table = match kind {
                PresetKind::Gpu => format!(
                    "[gpus.p]\nbase = {name:?}\n[nodes.n]\nbase = \"hgx-h100\"\ngpu = \"p\"\n"
                ),
                PresetKind::Node => format!("[nodes.n]\nbase = {name:?}\n"),
                PresetKind::Psu => format!(
                    "[psus.p]\nbase = {name:?}\n[nodes.n]\nbase = \"hgx-h100\"\npsu = \"p\"\n"
                ),
                PresetKind::Genset => format!(
                    "[nodes.n]\nbase = \"hgx-h100\"\n[plant]\n[[plant.sets]]\nname = \"G\"\npreset = {name:?}\n"
                ),
            };
            let text = format!(
                "[scenario]\nname = \"x\"\n{table}[[racks]]\nname = \"r\"\ncount = 1\nnode = \"n\"\nnodes_per_rack = 1\n"
            );
            let loaded = load_str("x.toml", &text, Path::new("."), &[])
                .unwrap_or_else(|problems| panic!("{name}: {problems}"));
            assert_eq!(loaded.warnings, [], "{name}");
        }
    }
    assert_eq!(preset_text(PresetKind::Gpu, "no-such"), None);
}
