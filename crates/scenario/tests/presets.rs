//! Every preset that is built in can be used.

use std::fmt::Write as _;
use std::path::Path;

use ballast_profile::MeteredSide;
use ballast_scenario::{PresetKind, load_str, preset_names, preset_text};

#[test]
fn every_preset_loads() {
    for kind in PresetKind::ALL {
        assert!(!preset_names(kind).is_empty(), "{}", kind.label());
        for name in preset_names(kind) {
            assert!(preset_text(kind, name).is_some());
            let mut what = "node = \"n\"\nnodes_per_rack = 1".to_owned();
            let table = match kind {
                PresetKind::Gpu => format!(
                    "[gpus.p]\nbase = {name:?}\n[nodes.n]\nbase = \"hgx-h100\"\ngpu = \"p\"\n"
                ),
                PresetKind::Node => format!("[nodes.n]\nbase = {name:?}\n"),
                PresetKind::Psu => format!(
                    "[psus.p]\nbase = {name:?}\n[nodes.n]\nbase = \"hgx-h100\"\npsu = \"p\"\n"
                ),
                PresetKind::Rack => {
                    what = format!("preset = {name:?}");
                    String::new()
                }
                PresetKind::Storage => {
                    write!(what, "\n[racks.storage]\npreset = {name:?}").unwrap();
                    "[nodes.n]\nbase = \"hgx-h100\"\n".to_owned()
                }
                PresetKind::Genset => format!(
                    "[nodes.n]\nbase = \"hgx-h100\"\n[plant]\n[[plant.sets]]\nname = \"G\"\npreset = {name:?}\n"
                ),
            };
            let text = format!(
                "[scenario]\nname = \"x\"\n{table}[[racks]]\nname = \"r\"\ncount = 1\n{what}\n"
            );
            let loaded = load_str("x.toml", &text, Path::new("."), &[])
                .unwrap_or_else(|problems| panic!("{name}: {problems}"));
            assert_eq!(loaded.warnings, [], "{name}");
        }
    }
    assert_eq!(preset_text(PresetKind::Gpu, "no-such"), None);
}

#[test]
fn a_storage_preset_says_what_it_rests_on() {
    for name in preset_names(PresetKind::Storage) {
        let text = format!(
            "[scenario]\nname = \"x\"\n[[racks]]\nname = \"r\"\ncount = 1\npreset = \"gb300-nvl72\"\n[racks.storage]\npreset = {name:?}\nrecovery_s = 7\n"
        );
        let loaded = load_str("x.toml", &text, Path::new("."), &[])
            .unwrap_or_else(|problems| panic!("{name}: {problems}"));
        let storage = loaded.scenario.racks[0].storage.as_ref().unwrap();
        // Estimates have a range around them and are told; what the user gave is nobody's estimate.
        let weak = |key: &str| {
            let path = format!("racks.r.storage.{key}");
            loaded.low_confidence.iter().any(|l| l.path == path)
        };
        for (key, number) in storage.numbers() {
            let estimated = number.grade == ballast_units::Grade::Estimated;
            assert_eq!(weak(key), estimated, "{name}: {key}");
            assert_eq!(number.low.is_some(), number.high.is_some(), "{name}: {key}");
            assert!(!estimated || number.low.is_some(), "{name}: {key}");
        }
        assert_eq!(storage.recovery_s.value, 7.0);
        assert!(weak("time_constant_s") && !weak("recovery_s"), "{name}");
    }
    // A change may bring it in.
    let text =
        "[scenario]\nname = \"x\"\n[[racks]]\nname = \"r\"\ncount = 1\npreset = \"gb300-nvl72\"\n";
    let patches: Vec<ballast_scenario::Patch> = [
        "racks.r.storage.preset=gb300-shelf",
        "racks.r.storage.count=4",
    ]
    .iter()
    .map(|p| p.parse().unwrap())
    .collect();
    let loaded =
        load_str("x.toml", text, Path::new("."), &patches).unwrap_or_else(|p| panic!("{p}"));
    let storage = loaded.scenario.racks[0].storage.as_ref().unwrap();
    assert_eq!(storage.store().energy_j, 2340.0);
    let rack_j = |name: &str| {
        let text = preset_text(PresetKind::Storage, name).unwrap();
        let spec: ballast_buffer::StorageSpec = toml::from_str(text).unwrap();
        spec.store().energy_j
    };
    assert_eq!(rack_j("gb300-shelf"), 72.0 * 65.0);
    assert_eq!(rack_j("orv3-holdup-3kw"), 360.0);
    assert_eq!(rack_j("orv3-holdup-5k5"), 660.0);
}

#[test]
fn a_rack_preset_gives_what_the_group_does_not_say() {
    let load = |lines: &str, patches: &[ballast_scenario::Patch]| {
        let text = format!(
            "[scenario]\nname = \"x\"\n[[racks]]\nname = \"r\"\ncount = 2\npreset = \"gb200-nvl72\"\n{lines}"
        );
        load_str("x.toml", &text, Path::new("."), patches).unwrap_or_else(|p| panic!("{p}"))
    };
    let loaded = load("", &[]);
    let rack = &loaded.scenario.racks[0];
    assert_eq!(
        (rack.node.as_str(), rack.nodes_per_rack),
        ("gb200-tray", 18)
    );
    assert_eq!(rack.other_kw.as_ref().map(|o| o.value), Some(8.0));
    let weak = |loaded: &ballast_scenario::Loaded| {
        loaded
            .low_confidence
            .iter()
            .any(|l| l.path == "racks.r.other_kw")
    };
    assert!(weak(&loaded));
    // What stands beside wins, and is nobody's estimate any more; what it does not say stays.
    let own = load("nodes_per_rack = 9\nother_kw = 5\n", &[]);
    let rack = &own.scenario.racks[0];
    assert_eq!((rack.node.as_str(), rack.nodes_per_rack), ("gb200-tray", 9));
    assert_eq!(
        (rack.other_kw.as_ref().map(|o| o.value), rack.other_metered),
        (Some(5.0), Some(MeteredSide::NodeDc))
    );
    assert!(!weak(&own));
    let patch = "racks.r.preset=gb300-nvl72".parse().unwrap();
    let other = load("", &[patch]);
    assert_eq!(other.scenario.racks[0].node, "gb300-tray");
    for key in ["slow_share", "slow_lag_s"] {
        let path = format!("nodes.gb200-tray.host.{key}");
        assert!(
            loaded.low_confidence.iter().any(|l| l.path == path),
            "{path}"
        );
    }
    assert!(
        loaded
            .low_confidence
            .iter()
            .any(|l| l.path == "psus.orv3-hpr-5k5.power_factor")
    );
}
