//! Every preset of a generating set: sourced in full, and able to run.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::path::Path;

use ballast_plant::{
    FuelUnit, GovernorSpec, Plant, PlantSpec, SetSpec, StepStatus, acceptance, problems, variants,
    weak_parameters,
};
use ballast_scenario::{PresetKind, load_str, preset_names};
use ballast_units::{Confidence, Grade};
use serde_json::Value;

/// The plant with one set of a preset, at the preset's frequency.
fn plant(preset: &str) -> PlantSpec {
    let frequency_hz = if preset.ends_with("50hz") { 50 } else { 60 };
    let text = format!(
        "[scenario]\nname = \"x\"\n[[loads]]\nkind = \"steps\"\nname = \"l\"\ninitial_kw = 1\n[plant]\nfrequency_hz = {frequency_hz}\n\
         [[plant.sets]]\nname = \"G\"\npreset = {preset:?}\n"
    );
    let loaded = load_str("x.toml", &text, Path::new("."), &[])
        .unwrap_or_else(|problems| panic!("{preset}: {problems}"));
    assert_eq!(loaded.warnings, [], "{preset}");
    loaded.scenario.plant.unwrap()
}

fn all() -> impl Iterator<Item = (&'static str, PlantSpec)> {
    preset_names(PresetKind::Genset)
        .into_iter()
        .map(|name| (name, plant(name)))
}

/// Dotted keys of the numbers in a table; an array is one key.
fn numbers(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                numbers(inner, &path, found);
            }
        }
        Value::Number(_) | Value::Array(_) => found.push(path.to_owned()),
        _ => {}
    }
}

#[test]
fn ten_presets_of_four_kinds_at_least_with_every_number_sourced() {
    let mut kinds = [0; 4];
    for (name, plant) in all() {
        let set = &plant.sets[0];
        match set.governor {
            GovernorSpec::Degov1(_) => kinds[0] += 1,
            GovernorSpec::Ggov1(_) => kinds[1] += 1,
            GovernorSpec::Gast(_) | GovernorSpec::Ieeeg1(_) => kinds[2] += 1,
            _ => kinds[3] += 1,
        }
        let json = serde_json::to_value(set).unwrap();
        let mut keys = Vec::new();
        numbers(&json, "", &mut keys);
        keys.retain(|key| key != "count" && !key.starts_with("provenance"));
        for key in keys {
            let covered = set.provenance.keys().any(|entry| {
                key == *entry
                    || key
                        .strip_prefix(entry.as_str())
                        .is_some_and(|rest| rest.starts_with('.'))
            });
            assert!(covered, "{name}: {key} says not where it comes from");
        }
        for (key, entry) in &set.provenance {
            assert!(!entry.source.is_empty(), "{name}: {key}");
            let weak_grade = matches!(entry.grade, Grade::Estimated | Grade::Recalled);
            assert!(
                !(weak_grade && entry.confidence == Confidence::High),
                "{name}: {key}"
            );
        }
        // No maker publishes inertia or a governor: nobody may take them for data.
        let weak = weak_parameters(set);
        assert!(
            weak.iter().any(|w| w.key == "inertia_s"),
            "{name}: inertia is an estimate"
        );
        assert!(set.alternator.is_some() && set.exciter.is_some(), "{name}");
        assert!(set.fuel.is_some() && !set.acceptance.is_empty(), "{name}");
    }
    assert!(kinds.iter().sum::<i32>() >= 10, "{kinds:?}");
    assert!(kinds[0] >= 6 && kinds[1] >= 5 && kinds[2] >= 2, "{kinds:?}");
}

/// Steps the load from one share to another; nadir, last frequency and the range of the voltage in the last second.
struct Step {
    nadir: f64,
    end: f64,
    ripple: f64,
    voltage: (f64, f64),
    last_voltage: (f64, f64),
}

fn step(name: &str, spec: &PlantSpec, from: f64, to: f64, seconds: usize) -> Step {
    let set = &spec.sets[0];
    let rated_w = 1e3 * set.rated_kw * f64::from(set.count);
    let mut plant =
        Plant::new(spec, from * rated_w, 1e-3).unwrap_or_else(|e| panic!("{name} at {from}: {e}"));
    for _ in 0..500 {
        plant.advance(1e-3, from * rated_w, from * rated_w);
    }
    // A start is steady: nothing moves before the load does.
    assert!(
        (plant.speed_pu() - 1.0).abs() < 1e-9,
        "{name} at {from}: {}",
        plant.speed_pu()
    );
    let voltage = |plant: &Plant| plant.set(0).voltage_pu.unwrap();
    assert!((voltage(&plant) - 1.0).abs() < 1e-6, "{name} at {from}");
    let mut out = Step {
        nadir: 1.0,
        end: 1.0,
        ripple: 0.0,
        voltage: (1.0, 1.0),
        last_voltage: (9.0, 0.0),
    };
    let steps = seconds * 1000;
    let (mut low, mut high) = (9.0_f64, 0.0_f64);
    for i in 0..steps {
        let status = plant.advance(1e-3, to * rated_w, to * rated_w);
        assert_eq!(status, StepStatus::Running, "{name} {from} to {to}");
        let (f, v) = (plant.speed_pu(), voltage(&plant));
        assert!(f.is_finite() && v.is_finite(), "{name}");
        out.nadir = out.nadir.min(f);
        out.voltage = (out.voltage.0.min(v), out.voltage.1.max(v));
        if i + 1000 >= steps {
            (low, high) = (low.min(f), high.max(f));
            out.last_voltage = (out.last_voltage.0.min(v), out.last_voltage.1.max(v));
        }
        out.end = f;
    }
    out.ripple = high - low;
    out
}

/// Droop a set leaves nominal speed by, per unit of speed per per unit of its power.
fn droop(set: &SetSpec) -> f64 {
    match set.governor {
        GovernorSpec::Tgov1(g) => g.droop_pu,
        GovernorSpec::Gast(g) => g.droop_pu,
        GovernorSpec::Ieeeg1(g) => 1.0 / g.k,
        _ => 0.0,
    }
}

#[test]
fn every_preset_starts_and_takes_a_quarter_of_its_load() {
    for (name, spec) in all() {
        let set = &spec.sets[0];
        let rated_pu = set.rated_kw / set.rated_kva;
        // Gas sets take a quarter far beyond what they accept at once; they still come back.
        for (from, to) in [(0.25, 0.5), (0.5, 0.75), (0.75, 1.0), (1.0, 0.75)] {
            let s = step(name, &spec, from, to, 20);
            let settled = 1.0 - droop(set) * (to - from) * rated_pu;
            let report = format!(
                "{name} {from} to {to}: nadir {:.4}, end {:.5} of {settled:.5}, ripple {:.1e}, volts {:?} then {:?}",
                s.nadir, s.end, s.ripple, s.voltage, s.last_voltage
            );
            assert!(s.nadir > 0.85, "{report}");
            assert!((s.end - settled).abs() < 3e-3, "{report}");
            // One of the synthetic pair is lightly damped on purpose: it still rings after 20 s, less than at first.
            let still = if name == "synthetic-tgov1-light" {
                0.3 * (1.0 - s.nadir).max(0.01)
            } else {
                1e-3
            };
            assert!(s.ripple < still, "{report}");
            assert!(s.voltage.0 > 0.8 && s.voltage.1 < 1.15, "{report}");
            assert!(s.last_voltage.1 - s.last_voltage.0 < 2e-3, "{report}");
            assert!((s.last_voltage.0 - 1.0).abs() < 0.02, "{report}");
        }
    }
}

#[test]
fn fuel_curves_are_physical() {
    for (name, spec) in all() {
        let set = &spec.sets[0];
        let full = set.efficiency(set.rated_kw).unwrap();
        let half = set.efficiency(0.5 * set.rated_kw).unwrap();
        // Engines and turbines that make power from fuel; at half load the fuel at no load weighs twice.
        assert!((0.25..0.45).contains(&full), "{name}: {full}");
        assert!(
            half < full * 1.02 && half > 0.6 * full,
            "{name}: {half} {full}"
        );
        let mut before = -1.0;
        for share in 0..=110 {
            let rate = set
                .fuel_rate(f64::from(share) * 0.01 * set.rated_kw)
                .unwrap();
            assert!(rate >= 0.0 && rate > before, "{name} at {share} %");
            before = rate;
        }
        // Fuel of an hour at half load is less than that of half an hour at full load and half an hour idle would be, or the same: the
        // curve has no step.
        assert!(
            set.fuel_rate(0.0).unwrap() < 0.5 * set.fuel_rate(set.rated_kw).unwrap(),
            "{name}"
        );
        assert_eq!(set.fuel_rate(-1.0), None);
    }
}

#[test]
fn published_fuel_points_are_met() {
    let rate = |preset: &str, kw: f64| plant(preset).sets[0].fuel_rate(kw).unwrap();
    let close = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-3, "{a} {b}");
    close(rate("cat-c15-500kw-60hz", 375.0), 110.5);
    close(rate("cummins-c1250n6-gas-60hz", 1250.0), 3550.0);
    // 11.54 MJ per kWh.
    close(rate("cat-g3516-gas-60hz", 1040.0), 11.54 * 1040.0 / 3.6);
    close(rate("jenbacher-jms620-gas-50hz", 2509.0), 5758.0);
    close(rate("cummins-qsk60-1655kw-50hz", 0.5 * 1655.0), 200.0);
    assert_eq!(
        plant("cat-c15-500kw-60hz").sets[0]
            .fuel
            .as_ref()
            .unwrap()
            .unit,
        FuelUnit::LPerH
    );
}

#[test]
fn acceptance_tables_lead_to_full_load() {
    for (name, spec) in all() {
        let set = &spec.sets[0];
        let (mut load, mut steps) = (0.0, 0);
        while load < 0.999 && steps < 12 {
            let step = acceptance(&set.acceptance, load, 0.0)
                .unwrap()
                .largest_step_share
                .min(1.0 - load);
            assert!(
                acceptance(&set.acceptance, load, step).unwrap().allowed,
                "{name}"
            );
            load += step;
            steps += 1;
        }
        assert!(load > 0.999, "{name}: ends at {load}");
        assert!(
            !acceptance(&set.acceptance, 0.0, 1.0).unwrap().allowed,
            "{name}"
        );
    }
}

/// The corners of the stated ranges are descriptions that can be run, a bounded number of them.
#[test]
fn corners_are_sound_and_start() {
    for (name, spec) in all() {
        let set = &spec.sets[0];
        let corners = variants(set);
        let ranges = weak_parameters(set)
            .iter()
            .filter(|w| w.range.is_some())
            .count();
        assert!(corners.len() <= 2 * ranges + 2, "{name}");
        if !name.starts_with("synthetic") {
            assert!(corners.len() >= 5, "{name}: {}", corners.len());
        }
        for corner in corners {
            let mut at = spec.clone();
            at.sets[0] = corner.set;
            assert_eq!(problems(&at, 1e-3), [], "{name}: {}", corner.corner);
            // A small step: the corner is a tuning that holds, not one that rings up by itself.
            let s = step(&format!("{name}: {}", corner.corner), &at, 0.5, 0.55, 20);
            assert!(
                s.ripple < 2e-3,
                "{name}: {}: {:.1e}",
                corner.corner,
                s.ripple
            );
        }
    }
}

/// Unlike sets share a bus: regulators that integrate need their droop, and generic classes serve 50 Hz as well.
#[test]
fn unlike_sets_run_side_by_side() {
    let mut spec = plant("generic-diesel-1000kw");
    spec.frequency_hz = 50.0;
    spec.sets[0].count = 2;
    for (name, preset) in [
        ("gas", "generic-gas-1500kw"),
        ("cat", "cat-3516-2500kw-60hz"),
    ] {
        let mut other = plant(preset).sets.remove(0);
        other.name = name.to_owned();
        spec.sets.push(other);
    }
    assert_eq!(problems(&spec, 1e-3), []);
    // Power factor 0.95.
    let load = |w: f64| (w, 0.3287 * w);
    let mut plant = Plant::with_reactive(&spec, load(3e6), 1e-3).unwrap();
    for i in 0..20_000 {
        let now = load(if i < 500 { 3e6 } else { 3.6e6 });
        let status = plant.advance_with_reactive(1e-3, now, now);
        assert_eq!(status, StepStatus::Running);
    }
    assert!((plant.speed_pu() - 1.0).abs() < 1e-3);
    for i in 0..3 {
        let set = plant.set(i);
        assert!((set.voltage_pu.unwrap() - 1.0).abs() < 0.03);
        assert!(
            set.reactive_pu.unwrap() > 0.05,
            "all of them carry reactive power"
        );
        assert!((set.speed_pu - plant.speed_pu()).abs() < 1e-4, "in step");
    }
}
