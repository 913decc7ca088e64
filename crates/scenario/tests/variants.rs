//! `[[variant]]`: what it changes, and what is told where it cannot.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::PathBuf;

use ballast_scenario::{Loaded, Problems, load, load_all, load_variant};

const BASE: &str = r#"[scenario]
name = "site"
[[racks]]
name = "hall"
count = 6
node = "hgx-h100"
nodes_per_rack = 4
[[jobs]]
kind = "training"
name = "llm"
iteration_s = 1.0
compute_share = 0.8
[[plant.sets]]
preset = "generic-diesel-1000kw"
name = "diesel"
count = 2
[limits]
frequency_min_hz = 57
"#;

struct Bench {
    _dir: tempfile::TempDir,
    path: PathBuf,
}

fn bench(variants: &str) -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("site.toml");
    std::fs::write(&path, format!("{BASE}{variants}")).unwrap();
    Bench { _dir: dir, path }
}

fn variant(text: &str, name: &str) -> Result<Loaded, Problems> {
    load_variant(&bench(text).path, &[], Some(name), &[])
}

fn shown(problems: &Problems) -> Vec<String> {
    let line = |p: &ballast_scenario::Problem| {
        format!("{}: {}: {}", p.line.unwrap_or(0), p.key, p.message)
    };
    problems.0.iter().map(line).collect()
}

#[test]
fn variants_leave_the_scenario_and_its_hash_alone() {
    let plain = load(&bench("").path, &[]).unwrap();
    let with = load(
        &bench("[[variant]]\nname = \"three\"\nset.plant.sets.diesel.count = 3\n").path,
        &[],
    )
    .unwrap();
    assert_eq!(plain.sha256, with.sha256);
    assert_eq!(plain.scenario, with.scenario);
    assert_eq!(with.variants[0].name, "three");
    assert_eq!(with.variant, None);
}

#[test]
fn every_way_of_writing_a_change_is_the_same_change() {
    let texts = [
        "set.plant.sets.diesel.count = 3",
        "[variant.set]\nplant.sets.diesel.count = 3",
        "[variant.set]\n\"plant.sets.diesel.count\" = 3",
        "set = { plant = { sets = { 0 = { count = 3 } } } }",
        "[variant.set.plant.sets.diesel]\ncount = 3",
    ];
    for text in texts {
        let text = format!("[[variant]]\nname = \"three\"\n{text}\n");
        let loaded = variant(&text, "three").unwrap_or_else(|p| panic!("{text}: {p}"));
        assert_eq!(loaded.scenario.plant.as_ref().unwrap().sets[0].count, 3);
        assert_eq!(loaded.variant.as_deref(), Some("three"));
    }
}

#[test]
fn a_change_of_a_variant_is_the_change_of_a_patch() {
    let text = "[[variant]]\nname = \"v\"\n[variant.set]\nplant.sets.diesel = { inertia_s = \"900 ms\", governor = { k = 30 } }\nfacility = { cooling = { fixed_kw = 20, share = 0.2, lag_s = 120 } }\ngpus.h100-sxm5.base = \"h100-sxm5\"\ngpus.h100-sxm5.tdp_w = 600\n";
    let loaded = variant(text, "v").unwrap_or_else(|p| panic!("{p}"));
    let patched = load(
        &bench("").path,
        &[
            "plant.sets.diesel.inertia_s=0.9".parse().unwrap(),
            "plant.sets.diesel.governor.k=30".parse().unwrap(),
        ],
    )
    .unwrap();
    let (ours, theirs) = (
        loaded.scenario.plant.unwrap(),
        patched.scenario.plant.unwrap(),
    );
    assert_eq!(ours.sets[0].inertia_s, theirs.sets[0].inertia_s);
    assert_eq!(ours.sets[0].governor, theirs.sets[0].governor);
    assert!(loaded.scenario.facility.is_some());
    assert!(
        loaded
            .scenario
            .gpus
            .values()
            .any(|g| (g.tdp_w.value - 600.0).abs() < 1e-9)
    );
}

#[test]
fn another_model_replaces_and_the_same_one_merges() {
    let text =
        "[[variant]]\nname = \"v\"\nset.plant.sets.diesel.governor = { model = \"constant\" }\n";
    let loaded = variant(text, "v").unwrap();
    let json = serde_json::to_value(loaded.scenario.plant.unwrap().sets[0].governor).unwrap();
    assert_eq!(json, serde_json::json!({ "model": "constant" }));
}

#[test]
fn lists_are_replaced_with_their_presets_and_entries_taken_out() {
    let text = r#"[[variant]]
name = "gas"
[[variant.set.plant.sets]]
preset = "generic-diesel-1000kw"
name = "a"
[[variant.set.plant.sets]]
preset = "generic-diesel-1000kw"
name = "b"
[[variant]]
name = "one"
with = ["gas"]
without = ["plant.sets.a", "limits.frequency_min_hz"]
"#;
    let names = |l: Loaded| -> Vec<String> {
        l.scenario
            .plant
            .unwrap()
            .sets
            .iter()
            .map(|s| s.name.clone())
            .collect()
    };
    assert_eq!(names(variant(text, "gas").unwrap()), ["a", "b"]);
    let one = variant(text, "one").unwrap();
    assert_eq!(one.scenario.limits.frequency_min_hz, None);
    assert_eq!(names(one), ["b"]);
}

#[test]
fn a_variant_builds_on_others_and_on_patches() {
    let text = r#"[[variant]]
name = "slow"
set.jobs.llm.iteration_s = 2.0
[[variant]]
name = "three"
set.plant.sets.diesel.count = 3
[[variant]]
name = "both"
with = ["slow", "three"]
set.racks.hall.count = 5
"#;
    let bench = bench(text);
    let patches = [
        "plant.sets.diesel.count=4".parse().unwrap(),
        "simulation.seed=9".parse().unwrap(),
    ];
    let all = load_all(&bench.path, &patches).unwrap();
    let counts: Vec<u32> = all
        .iter()
        .map(|l| l.scenario.plant.as_ref().unwrap().sets[0].count)
        .collect();
    assert_eq!(counts, [4, 4, 3, 3]);
    assert!(all.iter().all(|l| l.scenario.simulation.seed == 9));
    assert_eq!(all[3].scenario.racks[0].count, 5);
}

#[test]
fn all_problems_of_all_variants_have_their_lines() {
    let text = r#"[[variant]]
name = "bad"
without = ["zoom"]
[variant.set]
plant.sets.diesel.cuont = 3
plant.sets.disel.count = 3
racks.hall.count = -1
[[variant]]
name = "good"
set.racks.hall.count = 2
[[variant]]
name = "odd"
set.limits.frequency_min_hz = 61
[[variant]]
name = "worse"
set.loads = [{ kind = "steps", name = "x" }]
"#;
    let found = shown(&load_all(&bench(text).path, &[]).unwrap_err());
    let line = |n: usize| BASE.lines().count() + n;
    let expected = [
        format!(
            "{}: variant.0.without.0: variant `bad`: there is no `zoom` to take out",
            line(3)
        ),
        format!(
            "{}: variant.0.set.plant.sets.diesel.cuont: variant `bad`: ",
            line(5)
        ),
        format!(
            "{}: variant.0.set.plant.sets.disel: variant `bad`: ",
            line(6)
        ),
        format!("{}: racks.0.count: variant `bad`: ", line(7)),
        format!("{}: limits.frequency_min_hz: variant `odd`: ", line(13)),
        format!("{}: loads.0.initial_kw: variant `worse`: ", line(16)),
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(&expected) {
        assert!(found.starts_with(expected), "{found}\n{expected}");
    }
    // The scenario itself is none the worse.
    assert!(load(&bench(text).path, &[]).is_ok());
}

#[test]
fn a_problem_of_the_scenario_is_told_once() {
    let bench = bench(
        "rocof_hz_per_s = -1\n[[variant]]\nname = \"a\"\nset.racks.hall.count = 2\n[[variant]]\nname = \"b\"\nset.racks.hall.count = 3\n",
    );
    let found = shown(&load_all(&bench.path, &[]).unwrap_err());
    assert_eq!(found.len(), 1, "{found:#?}");
}

#[test]
fn numbers_are_found_where_a_patch_would_find_them() {
    let loaded = load(&bench("").path, &[]).unwrap();
    let count = loaded.number_at("plant.sets.diesel.count").unwrap();
    assert_eq!(
        (count.value, count.integer, count.unit.as_str()),
        (Some(2.0), true, "")
    );
    let rated = loaded.number_at("plant.sets.0.rated_kw").unwrap();
    assert_eq!((rated.integer, rated.unit.as_str()), (false, "kW"));
    let absent = loaded.number_at("limits.rocof_hz_per_s").unwrap();
    assert_eq!((absent.value, absent.unit.as_str()), (None, "Hz/s"));
    for none in [
        "plant.sets.other.count",
        "scenario.name",
        "racks",
        "no.such",
        "",
    ] {
        assert_eq!(loaded.number_at(none), None, "{none}");
    }
}
