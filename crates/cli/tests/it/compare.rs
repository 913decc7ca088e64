//! `ballast compare` and `ballast size`, from files to tables and figures.

use crate::common::Bench;
use serde_json::Value;

const SITE: &str = r#"
[scenario]
name = "site"
[simulation]
duration_s = 4
step_s = 0.005
seed = 5
[[racks]]
name = "hall"
count = 8
node = "hgx-h100"
nodes_per_rack = 4
[[jobs]]
kind = "training"
name = "llm"
start_s = -5.0
iteration_s = 0.8
compute_share = 0.75
iteration_jitter_s = 0.005
node_jitter_s = 0.004
[[plant.sets]]
preset = "generic-diesel-1000kw"
name = "diesel"
rated_kw = 400
rated_kva = 500
[limits]
frequency_min_hz = 57
site_peak_kw = 300
site_peak_quantile = 1
"#;

const VARIANTS: &str = r#"
[[variant]]
name = "two sets"
description = "one more of the same"
set.plant.sets.diesel.count = 2
[[variant]]
name = "calm"
with = ["two sets"]
[variant.set]
"jobs.llm.compute_share" = 0.95
limits.frequency_max_hz = 61
"#;

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("site.toml", &format!("{SITE}{VARIANTS}"));
    bench
}

fn json(bench: &Bench, file: &str) -> Value {
    serde_json::from_slice(&bench.read(file)).expect("JSON")
}

fn row<'a>(comparison: &'a Value, key: &str) -> &'a Value {
    let rows = comparison["rows"].as_array().expect("rows");
    let found = rows.iter().find(|r| r["key"] == key);
    found.unwrap_or_else(|| panic!("{key} is missing"))
}

#[test]
fn variants_are_compared_with_what_they_change() {
    let bench = bench();
    let said = bench.ballast(&["compare", "site.toml"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let all = json(&bench, "out/site-compare/compare.json");
    let names: Vec<&str> = all["members"]
        .as_array()
        .expect("members")
        .iter()
        .filter_map(|m| m["name"].as_str())
        .collect();
    assert_eq!(names, ["site", "two sets", "calm"]);
    // Another set changes nothing of the load: the same streams of randomness.
    let peak = row(&all, "site_peak_kw");
    assert_eq!(peak["values"][0], peak["values"][1]);
    assert_eq!(peak["differences"][1], 0.0);
    assert!(peak["metered"].as_str().is_some_and(|m| m.contains("bus")));
    let low = &row(&all, "frequency_min_hz")["values"];
    assert!(low[1].as_f64() > low[0].as_f64(), "{low}");
    let overhead = &row(&all, "energy_overhead_percent")["values"];
    assert_eq!(overhead[0], 0.0);
    assert!(overhead[2].as_f64().is_some_and(|p| p > 0.5), "{overhead}");
    // A figure of the table is the figure of the member's own outcome.
    let file = all["members"][2]["outcome_file"].as_str().expect("a path");
    let outcome = json(&bench, &format!("out/site-compare/{file}"));
    let kw = outcome["site"]["envelope"]["max"]
        .as_f64()
        .expect("a number")
        / 1e3;
    assert_eq!(peak["values"][2].as_f64(), Some(kw));
    assert_eq!(outcome["scenario"]["plant"]["sets"][0]["count"], 2);
    assert!(outcome["scenario"].get("variant").is_none());
    // A limit that only one member has.
    let verdicts = all["verdicts"].as_array().expect("verdicts");
    let highest = verdicts.iter().find(|v| v["limit"] == "frequency_max_hz");
    let cells = &highest.expect("the limit of `calm`")["members"];
    assert_eq!(cells[0]["status"], "NOT_CHECKED");
    assert!(cells[2]["limit_value"] == 61.0, "{cells}");
    for part in [
        "peak, kW",
        "two sets",
        "overall",
        "about ",
        "one more of the same",
    ] {
        assert!(said.out.contains(part), "{part} is missing: {}", said.out);
    }
    let csv = String::from_utf8(bench.read("out/site-compare/compare.csv")).expect("text");
    assert!(csv.starts_with("key,label,unit,site,two sets,calm\nsite_peak_kw,peak,kW,"));
    assert!(csv.lines().all(|l| l.split(',').count() >= 6), "{csv}");
    for name in ["compare.svg", "compare.png", "run.json"] {
        assert!(!bench.read(&format!("out/site-compare/{name}")).is_empty());
    }
}

/// A member is what `ballast run --variant` runs: same hash, same bytes; and any number of threads gives the same comparison.
#[test]
fn members_are_runs_and_do_not_depend_on_threads() {
    let bench = bench();
    let first = bench.ballast(&["compare", "site.toml", "--threads", "1", "--out", "a"]);
    let second = bench.ballast(&["compare", "site.toml", "--threads", "3", "--out", "b"]);
    assert_eq!((first.code, second.code), (0, 0), "{}", second.err);
    for file in [
        "compare.json",
        "compare.csv",
        "compare.svg",
        "03-calm/outcome.json",
    ] {
        assert_eq!(
            bench.read(&format!("a/{file}")),
            bench.read(&format!("b/{file}")),
            "{file}"
        );
    }
    let said = bench.ballast(&["run", "site.toml", "--variant", "calm", "--no-figures"]);
    assert!(said.code < 2, "{}", said.err);
    assert_eq!(
        bench.read("out/site.calm/outcome.json"),
        bench.read("a/03-calm/outcome.json")
    );
    let said = bench.ballast(&["run", "site.toml", "--no-figures"]);
    assert!(
        said.out.contains("ballast compare site.toml"),
        "{}",
        said.out
    );
    assert_eq!(
        bench.read("out/site/outcome.json"),
        bench.read("a/01-site/outcome.json")
    );
}

#[test]
fn files_are_compared_and_what_differs_is_told() {
    let bench = Bench::new();
    bench.write("a.toml", SITE);
    bench.write(
        "b.toml",
        &SITE
            .replace("seed = 5", "seed = 6")
            .replace("duration_s = 4", "duration_s = 5"),
    );
    let said = bench.ballast(&["compare", "a.toml", "b.toml", "--json", "--no-figures"]);
    assert_eq!(said.code, 0, "{}", said.out);
    let all: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(all["members"][1]["name"], "site (b)");
    assert_eq!(
        all["cautions"].as_array().map(Vec::len),
        Some(2),
        "{}",
        all["cautions"]
    );
    assert_eq!(
        row(&all, "energy_overhead_percent")["values"][1],
        Value::Null
    );
    let said = bench.ballast(&[
        "compare",
        "a.toml",
        "b.toml",
        "--seed",
        "3",
        "--set",
        "simulation.duration_s=3",
        "--no-figures",
    ]);
    assert!(!said.out.contains("caution"), "{}", said.out);
    assert!(!said.out.contains("compare.png"), "{}", said.out);
}

#[test]
fn verdicts_count_where_they_are_asked_for() {
    let bench = bench();
    let code = |more: &[&str]| {
        let mut args = vec![
            "compare",
            "site.toml",
            "--no-figures",
            "--set",
            "limits.site_peak_kw=265",
        ];
        args.extend(more);
        bench.ballast(&args).code
    };
    // `calm` draws no more at its peak; a limit below all of them fails all.
    assert_eq!(code(&[]), 0);
    let fails = ["--set", "limits.frequency_min_hz=59.999"];
    assert_eq!(code(&[&fails[..], &["--require", "any"]].concat()), 1);
    assert_eq!(code(&[&fails[..], &["--require", "last"]].concat()), 1);
    let said = bench.ballast(&[
        "compare",
        "site.toml",
        "--require",
        "all",
        "--no-figures",
        "--variant",
        "two sets",
    ]);
    let overall = json(&bench, "out/site-compare/compare.json");
    let members = overall["members"].as_array().expect("members");
    assert_eq!(members.len(), 2);
    let all = members.iter().all(|m| m["overall"] == "PASS");
    assert_eq!(said.code, i32::from(!all));
}

#[test]
fn racks_that_fit_are_found_by_runs() {
    let bench = bench();
    let said = bench.ballast(&[
        "compare",
        "site.toml",
        "--extra-racks",
        "--no-figures",
        "--variant",
        "two sets",
    ]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let all = json(&bench, "out/site-compare/compare.json");
    let racks = all["extra_racks"][0]["racks"].as_u64().expect("a number");
    assert_eq!(all["extra_racks"][0]["estimate"], false);
    let passes = |count: u64| {
        let set = format!("racks.hall.count={count}");
        bench.ballast(&["run", "site.toml", "--no-figures", "--set", &set]);
        let outcome = bench.outcome("out/site");
        let verdicts = outcome["verdicts"].as_array().expect("verdicts").clone();
        let peak = verdicts.iter().find(|v| v["limit"] == "site_peak_kw");
        peak.expect("the limit")["status"] == "PASS"
    };
    assert!(passes(8 + racks) && !passes(8 + racks + 1), "{racks}");
}

#[test]
fn the_smallest_number_of_sets_is_found() {
    let bench = bench();
    let args = [
        "size",
        "site.toml",
        "--vary",
        "plant.sets.diesel.count=1..9:3",
        "--set",
        "limits.frequency_min_hz=59.7",
    ];
    let said = bench.ballast(&args);
    let all = json(&bench, "out/site-size/size.json");
    let found = &all["lines"][0]["smallest"];
    assert_eq!(found["kind"], "found", "{}{found}", said.out);
    assert_eq!(said.code, 0);
    let value = found["value"].as_f64().expect("a number");
    assert_eq!(found["fails_at"].as_f64(), Some(value - 1.0));
    for (count, passes) in [(value, true), (value - 1.0, false)] {
        let set = format!("plant.sets.diesel.count={count}");
        let said = bench.ballast(&[
            "run",
            "site.toml",
            "--no-figures",
            "--set",
            args[5],
            "--set",
            &set,
        ]);
        assert_eq!(said.code == 0, passes, "{count}: {}", said.out);
    }
    assert!(
        said.out
            .contains(&format!("plant.sets.diesel.count = {value} passes")),
        "{}",
        said.out
    );
    let csv = String::from_utf8(bench.read("out/site-size/size.csv")).expect("text");
    assert!(
        csv.starts_with("plant.sets.diesel.count,overall,passes,site_peak_kw,"),
        "{csv}"
    );
    assert_eq!(
        csv.lines().count(),
        1 + all["points"].as_array().expect("points").len()
    );
    assert!(!bench.read("out/site-size/size.png").is_empty());
    // None passes: exit code 1.
    let none = [
        "size",
        "site.toml",
        "--vary",
        "plant.sets.diesel.count=1..2",
        "--set",
        "limits.site_peak_kw=1",
        "--no-figures",
    ];
    let said = bench.ballast(&none);
    assert_eq!(said.code, 1, "{}", said.out);
    assert!(said.out.contains("none passes up to"), "{}", said.out);
}

#[test]
fn two_keys_give_a_curve_for_each_value_of_the_second() {
    let bench = bench();
    let args = [
        "size",
        "site.toml",
        "--vary",
        "plant.sets.diesel.inertia_s=500 ms..2 s:3:log",
        "--vary",
        "jobs.llm.compute_share=0.6..0.9:2",
        "--no-search",
        "--json",
    ];
    let one = bench.ballast(&[&args[..], &["--threads", "1"]].concat());
    let two = bench.ballast(&[&args[..], &["--threads", "2"]].concat());
    assert_eq!(one.code, two.code);
    assert_eq!(one.out, two.out);
    let all: Value = serde_json::from_str(&one.out).expect("JSON");
    let at: Vec<&Value> = all["points"]
        .as_array()
        .expect("points")
        .iter()
        .map(|p| &p["at"])
        .collect();
    assert_eq!(at.len(), 6);
    assert_eq!(
        (at[1][0].as_f64(), at[5][1].as_f64()),
        (Some(1.0), Some(0.9))
    );
    assert_eq!(all["lines"][0]["smallest"], Value::Null);
}

/// A square wave of 400 kW at 1 Hz, its mean known, a store without losses: from lowest to highest charge `ΔP d (1 − d)/f` = 100 kJ,
/// and twice that of usable energy for a start in the middle: 0.0556 kWh. The tool finds it, and no power below half the swing will do.
#[test]
fn the_smallest_battery_is_the_closed_form() {
    let bench = Bench::new();
    let text = r#"
[scenario]
name = "square"
[simulation]
duration_s = 10
step_s = 0.001
[limits]
site_peak_kw = 705
site_peak_quantile = 1
[[bess]]
name = "b"
energy_kwh = 1
power_kw = 250
time_constant_s = 1e5
response_s = 0
round_trip_efficiency = 1
taper_s = 0
[[loads]]
kind = "trace"
name = "wave"
file = "wave.csv"
"#;
    // Edges of one sample, 10 ms: a step would reach the supply before any battery.
    let rows = (1..=1000).map(|n| {
        let kw = match (n - 1) / 50 {
            0 => 700,
            half if half % 2 == 1 => 900,
            _ => 500,
        };
        format!("{},{kw}", f64::from(n) / 100.0)
    });
    let start = std::iter::once("t_s,power_kw\n0,700".to_owned());
    let wave = start.chain(rows).collect::<Vec<_>>().join("\n");
    bench.write("wave.csv", &wave);
    bench.write("square.toml", text);
    let said = bench.ballast(&[
        "size",
        "square.toml",
        "--vary",
        "bess.b.energy_kwh=0.02..0.1:5",
        "--vary",
        "bess.b.power_kw=150..250:2",
        "--tolerance",
        "0.005",
    ]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let all = json(&bench, "out/square-size/size.json");
    let lines = all["lines"].as_array().expect("lines");
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["smallest"]["kind"], "none_passes", "{}", lines[0]);
    let found = &lines[1]["smallest"];
    let found = found["value"].as_f64().unwrap_or_else(|| panic!("{found}"));
    let ideal = 2.0 * 400.0 * 0.25 / 3600.0;
    assert!((found / ideal - 1.0).abs() < 0.03, "{found} {ideal}");
    assert!(!bench.read("out/square-size/size.png").is_empty());
}

/// Storage that only a variant has is sized with it.
#[test]
fn storage_of_a_variant_is_sized() {
    let bench = Bench::new();
    let variant = "[[variant]]\nname = \"sidecars\"\nset.racks.hall.storage = { preset = \"supercap-sidecar\" }\n";
    bench.write("site.toml", &format!("{SITE}{variant}"));
    let said = bench.ballast(&[
        "size",
        "site.toml",
        "--variant",
        "sidecars",
        "--vary",
        "racks.hall.storage.energy_j=200..200000:4:log",
        "--no-search",
        "--no-figures",
        "--json",
    ]);
    assert!(said.code < 2, "{}{}", said.out, said.err);
    let all: Value = serde_json::from_str(&said.out).expect("JSON");
    let points = all["points"].as_array().expect("points");
    let band = |p: &Value| p["figures"]["swing_in_1s_kw"].as_f64();
    let swings: Vec<f64> = points.iter().filter_map(band).collect();
    assert!(
        swings.len() == 4 && swings[3] < 0.5 * swings[0],
        "{swings:?} {}",
        points[0]
    );
}

#[test]
fn bad_input_is_told_and_nothing_is_written() {
    let bench = bench();
    bench.write("plain.toml", SITE);
    bench.write(
        "bad.toml",
        &format!("{SITE}[[variant]]\nname = \"b\"\nset.racks.hal.count = 3\n"),
    );
    for (args, part) in [
        (&["compare", "plain.toml"][..], "nothing to compare with"),
        (
            &["compare", "bad.toml"],
            "variant `b`: `racks` has no entry `hal`",
        ),
        (
            &["check", "bad.toml"],
            "variant `b`: `racks` has no entry `hal`",
        ),
        (
            &["compare", "site.toml", "--variant", "clam"],
            "variants: two sets, calm",
        ),
        (
            &["run", "site.toml", "--variant", "clam"],
            "did you mean `calm`",
        ),
        (
            &[
                "size",
                "site.toml",
                "--vary",
                "plant.sets.diesel.cuont=1..3",
            ],
            "no number stands there",
        ),
        (
            &[
                "size",
                "site.toml",
                "--vary",
                "plant.sets.diesel.count=3..1",
            ],
            "it has to rise",
        ),
        (
            &["size", "site.toml", "--vary", "racks.hall.count=0..3"],
            "racks.0.count",
        ),
        (
            &["size", "site.toml", "--vary", "racks.hall.count"],
            "KEY=FROM..TO",
        ),
    ] {
        let said = bench.ballast(args);
        assert_eq!(said.code, 2, "{args:?}: {}{}", said.out, said.err);
        assert!(said.err.contains(part), "{args:?}: {}", said.err);
        assert!(!bench.path("out").exists(), "{args:?}");
    }
    let said = bench.ballast(&["check", "site.toml"]);
    assert!(
        said.code == 0 && said.out.contains("with its 2 variants"),
        "{}{}",
        said.out,
        said.err
    );
}

#[test]
fn a_comparison_replaces_its_own_results_only() {
    let bench = bench();
    let compare = |out: &str, more: &[&str]| {
        bench.ballast(
            &[
                &["compare", "site.toml", "--no-figures", "--out", out],
                more,
            ]
            .concat(),
        )
    };
    assert_eq!(compare("x", &[]).code, 0);
    assert!(bench.path("x/03-calm/outcome.json").exists());
    // Members that are gone go, with their folders; what is not Ballast's stays.
    bench.write("x/notes.txt", "mine");
    assert_eq!(compare("x", &["--variant", "two sets"]).code, 0);
    assert!(!bench.path("x/03-calm").exists() && bench.path("x/02-two-sets").is_dir());
    assert!(bench.path("x/notes.txt").exists());
    // A run and a sweep have folders of their own.
    assert_eq!(bench.ballast(&["run", "site.toml", "--out", "x"]).code, 2);
    assert_eq!(
        bench
            .ballast(&[
                "size",
                "site.toml",
                "--vary",
                "racks.hall.count=1..2",
                "--out",
                "x"
            ])
            .code,
        2
    );
    assert!(
        bench
            .ballast(&["run", "site.toml", "--no-figures", "--out", "y"])
            .code
            < 2
    );
    assert_eq!(compare("y", &[]).code, 2);
}
