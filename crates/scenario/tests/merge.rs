//! Presets, bases and patches: what overrides what, and what is then known of where a value comes from.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::path::Path;

use ballast_plant::{GovernorSpec, SetSpec};
use ballast_scenario::{Loaded, Patch, Problems, load_str};
use ballast_units::{Confidence, Grade};

const LOAD: &str =
    "[scenario]\nname = \"x\"\n[[loads]]\nkind = \"steps\"\nname = \"base\"\ninitial_kw = 400\n";
const SET: &str = "[plant]\n[[plant.sets]]\nname = \"G1\"\npreset = \"generic-diesel-1000kw\"\n";
const RACKS: &str = "[scenario]\nname = \"x\"\n[[racks]]\nname = \"train\"\ncount = 2\nnode = \"hgx-h100\"\nnodes_per_rack = 4\n";

fn try_load(text: &str, patches: &[&str]) -> Result<Loaded, Problems> {
    let patches: Vec<Patch> = patches.iter().map(|p| p.parse().unwrap()).collect();
    load_str("dir/x.toml", text, Path::new("dir"), &patches)
}

fn loaded(text: &str, patches: &[&str]) -> Loaded {
    try_load(text, patches).unwrap_or_else(|problems| panic!("{problems}"))
}

fn problem(text: &str, patches: &[&str]) -> String {
    let problems = try_load(text, patches).unwrap_err().0;
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems[0].to_string()
}

/// The set as the preset alone has it.
fn plain_set() -> SetSpec {
    loaded(&format!("{LOAD}{SET}"), &[])
        .scenario
        .plant
        .unwrap()
        .sets
        .remove(0)
}

#[test]
fn a_preset_lies_under_the_keys_of_the_set() {
    let set = loaded(
        &format!("{LOAD}{SET}inertia_s = 0.9\n[plant.sets.turbo]\nacceptance_pu = 0.3\n"),
        &[],
    )
    .scenario
    .plant
    .unwrap()
    .sets
    .remove(0);
    assert_eq!(
        (set.inertia_s, set.rated_kw, set.name.as_str()),
        (0.9, 1000.0, "G1")
    );
    assert_eq!(
        (set.turbo.acceptance_pu, set.turbo.time_constant_s),
        (0.3, plain_set().turbo.time_constant_s)
    );
    let given = &set.provenance["inertia_s"];
    assert_eq!(
        (given.source.as_str(), given.grade, given.confidence),
        ("given in x.toml", Grade::Given, Confidence::Medium)
    );
    assert_eq!(set.provenance["turbo.acceptance_pu"].grade, Grade::Given);
    assert_ne!(set.provenance["turbo.time_constant_s"].grade, Grade::Given);
    assert_ne!(set.provenance["friction_pu"].grade, Grade::Given);
}

#[test]
fn the_users_own_provenance_stays() {
    let text = format!(
        "{LOAD}{SET}inertia_s = 0.9\nprovenance = {{ inertia_s = {{ source = \"test sheet\", grade = \"measured\", confidence = \"high\" }} }}\n"
    );
    let loaded = loaded(&text, &[]);
    assert_eq!(
        loaded.scenario.plant.unwrap().sets[0].provenance["inertia_s"].source,
        "test sheet"
    );
    assert!(
        loaded
            .low_confidence
            .iter()
            .all(|l| l.path != "plant.sets.G1.inertia_s")
    );
}

#[test]
fn another_governor_replaces_the_presets() {
    let text = format!(
        "{LOAD}{SET}[plant.sets.governor]\nmodel = \"pi\"\nkp_pu = 10\nki_per_s = 5\nt_s = 0.2\n"
    );
    let set = loaded(&text, &[]).scenario.plant.unwrap().sets.remove(0);
    assert!(matches!(set.governor, GovernorSpec::Pi(pi) if pi.kp_pu == 10.0));
    assert!(
        set.provenance.keys().all(|k| !k.starts_with("governor")),
        "{:?}",
        set.provenance.keys()
    );
    let same = loaded(&format!("{LOAD}{SET}governor = {{ k = 30 }}\n"), &[])
        .scenario
        .plant
        .unwrap()
        .sets
        .remove(0);
    assert!(
        matches!(same.governor, GovernorSpec::Degov1(d) if d.k == 30.0 && d.tmin_pu == 0.0 && d.t1_s > 0.0)
    );
    assert_eq!(same.provenance["governor.k"].grade, Grade::Given);
}

#[test]
fn named_nodes_bring_their_gpus_and_supplies() {
    let scenario = loaded(RACKS, &[]).scenario;
    assert_eq!(scenario.nodes.keys().collect::<Vec<_>>(), ["hgx-h100"]);
    assert_eq!(scenario.gpus.keys().collect::<Vec<_>>(), ["h100-sxm5"]);
    assert_eq!(scenario.psus.keys().collect::<Vec<_>>(), ["titanium-3kw"]);
}

#[test]
fn bases_chain_and_given_numbers_say_so() {
    let text = format!(
        "{}[gpus.a]\nbase = \"b\"\n[gpus.a.phases.idle]\npower_w = 61\n[gpus.b]\nbase = \"h100-sxm5\"\ntdp_w = {{ value = 650 }}\n[nodes.n]\nbase = \"hgx-h100\"\ngpu = \"a\"\n",
        RACKS.replace("hgx-h100", "n")
    );
    let loaded = loaded(&text, &[]);
    let gpu = &loaded.scenario.gpus["a"];
    assert_eq!(gpu.tdp_w.value, 650.0);
    assert_eq!((gpu.tdp_w.grade, gpu.tdp_w.low), (Grade::Given, None));
    let idle = gpu.phases.idle.as_ref().unwrap();
    assert_eq!(
        (idle.power_w.value, idle.power_w.source.as_str()),
        (61.0, "given in x.toml")
    );
    assert!(gpu.phases.train_compute.is_some());
    assert_eq!(loaded.warnings, [], "b is used as a base");
    assert!(
        !loaded.scenario.gpus.contains_key("h100-sxm5"),
        "only what is named is pulled in"
    );
}

#[test]
fn a_changed_transition_is_given() {
    let text = format!(
        "{RACKS}[gpus.h100-sxm5]\nbase = \"h100-sxm5\"\n[gpus.h100-sxm5.phases.idle.rise]\ntime_s = 0.5\n"
    );
    let loaded = loaded(&text, &[]);
    let rise = loaded.scenario.gpus["h100-sxm5"]
        .phases
        .idle
        .as_ref()
        .unwrap()
        .rise
        .clone()
        .unwrap();
    assert_eq!(
        (rise.time_s, rise.grade, rise.confidence),
        (0.5, Grade::Given, Confidence::Medium)
    );
}

#[test]
fn unused_entries_are_warned_of() {
    let loaded = loaded(&format!("{RACKS}[gpus.spare]\nbase = \"h200\"\n"), &[]);
    assert_eq!(loaded.warnings.len(), 1);
    assert_eq!(
        (loaded.warnings[0].key.as_str(), loaded.warnings[0].line),
        ("gpus.spare", Some(8))
    );
    assert!(
        loaded
            .low_confidence
            .iter()
            .all(|l| !l.path.starts_with("gpus.spare"))
    );
}

#[test]
fn patches_reach_by_index_and_by_name() {
    let text = format!("{LOAD}{SET}");
    for path in [
        "plant.sets.0.count",
        "plant.sets.G1.count",
        "plant.sets.\"G1\".count",
    ] {
        let loaded = loaded(&text, &[&format!("{path}=6")]);
        assert_eq!(loaded.scenario.plant.unwrap().sets[0].count, 6);
    }
}

#[test]
fn patches_convert_units_and_mark_the_source() {
    let scenario = loaded(
        &format!("{LOAD}{SET}"),
        &[
            "plant.sets.G1.rated_kw=0.9 MW",
            "simulation.step_s=2 ms",
            "limits.frequency_min_hz=58.5 Hz",
            "scenario.name=42",
        ],
    )
    .scenario;
    let set = &scenario.plant.unwrap().sets[0];
    assert_eq!(set.rated_kw, 900.0);
    assert_eq!(
        set.provenance["rated_kw"].source,
        "given by --set plant.sets.G1.rated_kw=0.9 MW"
    );
    assert_eq!(
        (scenario.simulation.step_s, scenario.limits.frequency_min_hz),
        (0.002, Some(58.5))
    );
    assert_eq!(scenario.scenario.name, "42");
}

#[test]
fn patches_reach_into_presets() {
    let gpu = "gpus.h100-sxm5.phases.idle.power_w";
    for (patch, grade) in [
        (format!("{gpu}.value=75"), Grade::Given),
        (format!("{gpu}=0.075 kW"), Grade::Given),
    ] {
        let scenario = loaded(RACKS, &[&patch]).scenario;
        let power = &scenario.gpus["h100-sxm5"]
            .phases
            .idle
            .as_ref()
            .unwrap()
            .power_w;
        assert_eq!((power.value, power.grade, power.low), (75.0, grade, None));
    }
    let scenario = loaded(
        RACKS,
        &[
            &format!("{gpu}.value=75"),
            &format!("{gpu}.low=70"),
            &format!("{gpu}.source=meter"),
        ],
    )
    .scenario;
    let power = &scenario.gpus["h100-sxm5"]
        .phases
        .idle
        .as_ref()
        .unwrap()
        .power_w;
    assert_eq!((power.low, power.source.as_str()), (Some(70.0), "meter"));
}

#[test]
fn patches_choose_other_hardware() {
    let scenario = loaded(RACKS, &["racks.train.node=hgx-b200"]).scenario;
    assert_eq!(scenario.nodes.keys().collect::<Vec<_>>(), ["hgx-b200"]);
    assert_eq!(scenario.gpus.keys().collect::<Vec<_>>(), ["b200"]);
    let scenario = loaded(RACKS, &["nodes.hgx-h100.gpu=h200", "gpus.h200.tdp_w=600"]).scenario;
    assert_eq!(scenario.gpus.keys().collect::<Vec<_>>(), ["h200"]);
    assert_eq!(scenario.gpus["h200"].tdp_w.value, 600.0);
    let scenario = loaded(
        &format!("{LOAD}{SET}"),
        &[
            "plant.sets.G1.preset=generic-diesel-2000kw",
            "plant.sets.G1.governor={ model = \"constant\" }",
        ],
    )
    .scenario;
    let set = &scenario.plant.unwrap().sets[0];
    assert_eq!(
        (set.rated_kw, set.governor),
        (2000.0, GovernorSpec::Constant)
    );
    assert!(set.provenance.keys().all(|k| !k.starts_with("governor")));
}

#[test]
fn a_patch_of_an_unknown_path_is_refused_with_a_suggestion() {
    let text = format!("{LOAD}{SET}");
    let found = problem(&text, &["plant.sets.G1.conut=6"]);
    assert_eq!(
        found,
        "--set plant.sets.G1.conut=6: plant.sets.G1.conut: `plant.sets.G1` has no `conut`\n  help: did you mean `plant.sets.G1.count`?"
    );
    assert!(problem(&text, &["plant.sets.G2.count=6"]).contains("did you mean `G1`?"));
    assert!(problem(&text, &["plnt.sets.0.count=6"]).contains("did you mean `plant`?"));
    assert!(problem(RACKS, &["gpus.h200.tdp_w=6"]).contains("has no `h200`"));
    assert!(problem(&text, &["simulation.step_s.x=6"]).contains("has no `x`"));
}

#[test]
fn a_patch_with_a_wrong_value_is_refused_like_one_in_a_file() {
    let text = format!("{LOAD}{SET}");
    assert!(
        problem(&text, &["plant.sets.G1.rated_kw=3 s"])
            .contains("`s` is not a unit that converts to kW")
    );
    assert!(
        problem(&text, &["plant.sets.G1.count=0"])
            .starts_with("--set plant.sets.G1.count=0: plant.sets.0.count: 0 is out of range")
    );
    assert!(problem(&text, &["plant.sets.G1.inertia_s=nan"]).contains("is not a number"));
    assert!(problem(&text, &["plant.torque=powr"]).contains("did you mean `power`?"));
    assert!("plant.torque".parse::<Patch>().is_err() && "=3".parse::<Patch>().is_err());
}

#[test]
fn the_hash_is_that_of_the_meaning() {
    let one = loaded(&format!("{LOAD}{SET}"), &[]);
    let other = loaded(
        &format!(
            "# a comment\n{}",
            format!("{LOAD}{SET}").replace("initial_kw = 400", "initial_kw = 4e2")
        ),
        &[],
    );
    assert_eq!(one.sha256, other.sha256);
    assert_eq!(
        loaded(&format!("{LOAD}{SET}"), &["loads.base.initial_kw=400"]).sha256,
        one.sha256
    );
    assert_ne!(
        loaded(&format!("{LOAD}{SET}"), &["loads.base.initial_kw=401"]).sha256,
        one.sha256
    );
}

/// What sets share is named where it is a default, and not where the same value was given.
#[test]
fn weak_defaults_of_the_plant_are_named() {
    let second = SET.replace("G1", "G2").replace("[plant]\n", "");
    let line = format!("{LOAD}{SET}{second}[plant.sharing]\nmodel = \"isochronous\"\n");
    let grid = format!(
        "{LOAD}[plant]\nsets = []\n[plant.utility]\nrated_kva = 1000\nshort_circuit_ratio = 10\n"
    );
    let shared = |text: &str| -> Vec<(String, String)> {
        let low = loaded(text, &[]).low_confidence.into_iter();
        let of = ["plant.sharing", "plant.utility"];
        low.filter(|l| of.iter().any(|table| l.path.starts_with(table)))
            .map(|l| (l.path, l.value))
            .collect()
    };
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    let lag = pair("plant.sharing.lag_s", "0.2 s (default)");
    let gain = pair("plant.sharing.gain_pu", "0.03 pu (default)");
    assert_eq!(shared(&line), [gain, lag.clone()]);
    assert_eq!(shared(&format!("{line}gain_pu = 0.03\n")), [lag]);
    let ratio = pair("plant.utility.x_over_r", "10 (default)");
    assert_eq!(shared(&grid), [ratio]);
    assert_eq!(shared(&format!("{grid}x_over_r = 10\n")), []);
}

#[test]
fn weak_inputs_are_named_with_value_and_source() {
    let text = format!(
        "{RACKS}[[jobs]]\nkind = \"training\"\nname = \"t\"\niteration_s = 2\ncompute_share = 0.8\n{SET}"
    );
    let low = loaded(&text, &[]).low_confidence;
    let of = |path: &str| {
        low.iter()
            .find(|l| l.path == path)
            .unwrap_or_else(|| panic!("{path} is not in {low:?}"))
    };
    let set = &plain_set();
    let GovernorSpec::Degov1(governor) = set.governor else {
        panic!("{:?}", set.governor)
    };
    assert_eq!(
        of("plant.sets.G1.inertia_s").value,
        format!("{} s", set.inertia_s)
    );
    assert_eq!(of("plant.sets.G1.governor.k").value, governor.k.to_string());
    assert_eq!(
        of("jobs.t.correlation.preset").value,
        "training_sync (default)"
    );
    assert!(
        low.iter()
            .all(|l| !l.source.is_empty() && !l.value.is_empty())
    );
    assert!(
        low.iter()
            .any(|l| l.path.starts_with("gpus.h100-sxm5.phases."))
    );
    let named = loaded(
        &format!("{text}[correlation]\nkind = \"preset\"\nname = \"mixed\"\n"),
        &[],
    )
    .low_confidence;
    assert!(
        named
            .iter()
            .any(|l| l.path == "correlation.preset" && l.value == "mixed")
    );
}

#[test]
fn another_governor_by_patch_is_one_problem_or_none() {
    let text = format!("{LOAD}{SET}");
    let said = problem(&text, &["plant.sets.G1.governor.model=tgov1"]);
    assert!(
        said.starts_with("--set plant.sets.G1.governor.model=tgov1: "),
        "{said}"
    );
    for part in [
        "the set's governor is degov1",
        "give the whole table: plant.sets.G1.governor = { model = \"tgov1\", ",
        "droop_pu = …",
        "t1_s = …",
    ] {
        assert!(said.contains(part), "{said}");
    }
    let whole = [
        "plant.sets.G1.governor.model=tgov1",
        "plant.sets.G1.governor.droop_pu=0.04",
        "plant.sets.G1.governor.t1_s=0.3",
    ];
    for order in [[0, 1, 2], [1, 0, 2], [2, 1, 0]] {
        let set = loaded(&text, &order.map(|at| whole[at]))
            .scenario
            .plant
            .unwrap()
            .sets
            .remove(0);
        let GovernorSpec::Tgov1(governor) = set.governor else {
            panic!("{:?}", set.governor)
        };
        assert_eq!((governor.droop_pu, governor.t1_s), (0.04, 0.3));
    }
    let same = ["plant.sets.G1.governor.model=degov1"];
    assert_eq!(
        loaded(&text, &same).scenario.plant.unwrap().sets[0].governor,
        plain_set().governor
    );
}

#[test]
fn a_contradiction_is_placed_at_the_value_that_was_set() {
    let text = format!("{LOAD}{SET}");
    for (patch, key) in [
        ("plant.sets.G1.governor.tmin_pu=2", "governor.tmin_pu"),
        ("plant.sets.G1.governor.tmax_pu=-1", "governor.tmax_pu"),
        ("plant.sets.G1.rated_kva=10", "rated_kva"),
        ("plant.sets.G1.rated_kva=100000", "rated_kva"),
        ("plant.sets.G1.rated_kw=2000", "rated_kw"),
        ("plant.sets.G1.rated_kw=1", "rated_kw"),
    ] {
        let said = problem(&text, &[patch]);
        assert!(
            said.starts_with(&format!("--set {patch}: plant.sets.0.{key}: ")),
            "{said}"
        );
    }
    let said = problem(&format!("{text}governor.tmin_pu = 2\n"), &[]);
    assert!(said.contains("x.toml:11:"), "{said}");
    let limits = format!("{LOAD}[limits]\nset_power_min_share = 0.2\nset_power_max_share = 1\n");
    let said = problem(&limits, &["limits.set_power_max_share=0.1"]);
    assert!(
        said.starts_with("--set limits.set_power_max_share=0.1: "),
        "{said}"
    );
}

fn warnings(text: &str) -> Vec<String> {
    loaded(text, &[])
        .warnings
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn jobs_that_never_run_are_warned_of() {
    let job = |keys: &str| {
        format!(
            "{RACKS}[[jobs]]\nkind = \"training\"\nname = \"llm\"\niteration_s = 1\ncompute_share = 0.7\n{keys}\n"
        )
    };
    for (keys, part) in [
        (
            "start_s = 60",
            "jobs.0.start_s: job `llm` never runs in this scenario: it starts at 60 s",
        ),
        (
            "start_s = -9\nstop_s = -2",
            "job `llm` never runs in this scenario: it stops at -2 s",
        ),
        (
            "crash_at_s = 60",
            "jobs.0.crash_at_s: job `llm` crashes at 60 s",
        ),
        ("stop_s = 61", "jobs.0.stop_s: job `llm` stops at 61 s"),
    ] {
        let said = warnings(&job(keys));
        assert!(said.len() == 1 && said[0].contains(part), "{said:?}");
    }
    for keys in ["start_s = 59", "stop_s = 60", "crash_at_s = 30"] {
        assert_eq!(warnings(&job(keys)), [""; 0]);
    }
    let batch = format!("{RACKS}[[jobs]]\nkind = \"batch\"\nname = \"b\"\nstart_s = 100\n");
    assert!(warnings(&batch)[0].contains("it starts at 100 s"));
}

#[test]
fn what_has_no_effect_is_warned_of() {
    let isochronous = format!("{LOAD}{SET}").replace("[plant]\n", "[plant]\ndispatch_kw = 300\n");
    let said = warnings(&isochronous);
    assert!(
        said.len() == 1 && said[0].contains("plant.dispatch_kw: has no effect"),
        "{said:?}"
    );
    let droop = format!("{isochronous}governor.droop_pu = 0.03\n");
    assert_eq!(warnings(&droop), [""; 0]);
    let long = format!("{LOAD}[outputs]\nramp_windows_s = [1, 100]\n");
    let said = warnings(&long);
    assert!(
        said.len() == 1 && said[0].contains("longer than duration_s = 60"),
        "{said:?}"
    );
    let short = loaded(LOAD, &["simulation.duration_s=2"]);
    assert_eq!(short.scenario.outputs.ramp_windows_s, [0.02, 0.1, 1.0]);
    assert!(short.warnings.is_empty());
}
