//! Bad input: every problem at once, with file, line, key and what would be right; exit code 2, nothing written.

use crate::common::{Bench, SHORT, Said};

fn refused(bench: &Bench, args: &[&str], parts: &[&str]) -> Said {
    let said = bench.ballast(args);
    assert_eq!(said.code, 2, "{}{}", said.out, said.err);
    for part in parts {
        assert!(
            said.err.contains(part),
            "`{part}` is missing from:\n{}",
            said.err
        );
    }
    assert!(said.err.contains("help:"), "{}", said.err);
    assert!(!bench.path("out").exists(), "something was written");
    said
}

#[test]
fn all_problems_of_a_scenario_at_once() {
    let bench = Bench::new();
    let text = SHORT
        .replace("iteration_s = 0.5", "iteration_seconds = 0.5")
        .replace("compute_share = 0.7", "compute_share = 1.7")
        .replace("count = 6", "count = 0")
        .replace(
            "preset = \"generic-diesel-1000kw\"",
            "preset = \"generic-diesel-1000kv\"",
        );
    bench.write("bad.toml", &text);
    refused(
        &bench,
        &["run", "bad.toml"],
        &[
            "bad.toml:12",
            "racks.0.count",
            "iteration_seconds",
            "iteration_s",
            "compute_share",
            "generic-diesel-1000kw",
        ],
    );
}

#[test]
fn load_above_rating_at_the_start() {
    let bench = Bench::new();
    bench.write("big.toml", &SHORT.replace("count = 6", "count = 100"));
    for command in ["run", "check"] {
        refused(
            &bench,
            &[command, "big.toml"],
            &["big.toml:", "plant.sets", "1000"],
        );
    }
}

#[test]
fn step_too_coarse() {
    let bench = Bench::new();
    bench.write(
        "coarse.toml",
        &SHORT.replace("step_s = 0.002", "step_s = 0.02\nplant_step_s = 0.02"),
    );
    refused(
        &bench,
        &["run", "coarse.toml"],
        &["coarse.toml:", "simulation.plant_step_s", "0.005"],
    );
}

#[test]
fn missing_scenario_and_folder_as_scenario() {
    let bench = Bench::new();
    refused(&bench, &["run", "nowhere.toml"], &["nowhere.toml"]);
    refused(&bench, &["run", "."], &[]);
}

#[test]
fn bad_changes() {
    let bench = Bench::new();
    bench.write("short.toml", SHORT);
    refused(
        &bench,
        &["run", "short.toml", "--set", "plant.sets.G1.cuont=2"],
        &["--set", "count"],
    );
    refused(
        &bench,
        &["run", "short.toml", "--set", "plant.sets.G1.count=0"],
        &["--set"],
    );
    let said = bench.ballast(&["run", "short.toml", "--set", "nonsense"]);
    assert_eq!(said.code, 2);
}

#[test]
fn changes_take_units() {
    let bench = Bench::new();
    bench.write("short.toml", SHORT);
    let said = bench.ballast(&[
        "run",
        "short.toml",
        "--no-figures",
        "--set",
        "plant.sets.G1.rated_kw=1.2 MW",
        "--set",
        "plant.sets.G1.rated_kva=1.5 MVA",
    ]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let outcome = bench.outcome("out/short");
    assert_eq!(
        outcome
            .pointer("/scenario/plant/sets/0/rated_kw")
            .and_then(serde_json::Value::as_f64),
        Some(1200.0)
    );
}

const REPLAY: &str = r#"
[scenario]
name = "replay"
[simulation]
duration_s = 2.0
[[loads]]
kind = "trace"
name = "site"
file = "trace.csv"
[[plant.sets]]
preset = "generic-diesel-1000kw"
name = "G1"
"#;

#[test]
fn broken_traces() {
    let cases: [(&str, &[&str]); 9] = [
        ("", &["trace.csv", "empty"]),
        ("t_s,power_kw\n", &["trace.csv"]),
        ("t_s,power_kw\n0,100\n1,110,7\n2,120\n", &["trace.csv:3"]),
        (
            "t_s,power_kw\n0,100\n1,lots\n2,120\n",
            &["trace.csv:3", "lots"],
        ),
        ("t_s,power_kw\n0,100\n2,110\n1,120\n", &["trace.csv:4"]),
        (
            "t_s,power_kw\n0,100\n0.1,110\n0.2,110\n0.3,110\n0.4,110\n1.9,110\n2.0,110\n",
            &["trace.csv:7", "max_gap_s"],
        ),
        ("t_s,power\n0,100\n1,110\n2,120\n", &["unit"]),
        ("t_s,speed\n0,100\n1,110\n2,120\n", &["speed", "column"]),
        (
            "t_s,power_kw\n0,100\n0.5,-3\n1,120\n",
            &["trace.csv:3", "-3"],
        ),
    ];
    for (text, parts) in cases {
        let bench = Bench::new();
        bench.write("replay.toml", REPLAY);
        bench.write("trace.csv", text);
        refused(&bench, &["run", "replay.toml"], parts);
    }
    let bench = Bench::new();
    bench.write(
        "replay.toml",
        &REPLAY.replace("file =", "column = \"power_kv\"\nfile ="),
    );
    bench.write("trace.csv", "t_s,power_kw\n0,100\n1,110\n2,120\n");
    refused(
        &bench,
        &["run", "replay.toml"],
        &[
            "power_kv",
            "power_kw",
            "replay.toml:9",
            "loads.0.column",
            "trace.csv",
        ],
    );
    bench.write("replay.toml", REPLAY);
    bench.write("trace.csv", "t_s,power\n0,100\n1,110\n2,120\n");
    refused(
        &bench,
        &["run", "replay.toml"],
        &["replay.toml:", "loads.0.unit", "trace.csv", "`power`"],
    );
    bench.write("replay.toml", &REPLAY.replace("trace.csv", "gone.csv"));
    refused(
        &bench,
        &["run", "replay.toml"],
        &["replay.toml:9", "loads.0.file", "gone.csv"],
    );
    bench.write("trace.csv", "t_s,power_kw\n0,100\n1,110\n");
    bench.write("replay.toml", REPLAY);
    refused(
        &bench,
        &["run", "replay.toml"],
        &["replay.toml:", "duration_s", "ends at 1"],
    );
}

#[test]
fn an_output_folder_with_other_results() {
    let bench = Bench::new();
    bench.write("short.toml", SHORT);
    let said = bench.ballast(&["run", "short.toml", "--no-figures", "--out", "results"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let before = bench.read("results/outcome.json");
    let said = bench.ballast(&[
        "run",
        "short.toml",
        "--no-figures",
        "--out",
        "results",
        "--set",
        "scenario.name=other",
    ]);
    assert_eq!(said.code, 2, "{}", said.out);
    assert!(
        said.err.contains("results of scenario `short`"),
        "{}",
        said.err
    );
    assert!(before == bench.read("results/outcome.json"));
}

#[test]
fn an_output_folder_that_cannot_be_written() {
    let bench = Bench::new();
    bench.write("short.toml", SHORT);
    bench.write("file", "in the way");
    let said = bench.ballast(&["run", "short.toml", "--out", "file/results"]);
    assert_eq!(said.code, 2, "{}", said.out);
    assert!(said.err.contains("--out"), "{}", said.err);
}

#[test]
fn logs_that_do_not_go_together() {
    let bench = Bench::new();
    let log = |hour: u32| {
        let rows: Vec<String> = (0..50)
            .map(|s| format!("2026/11/21 {hour:02}:00:{s:02}.000, 0, 100.00 W"))
            .collect();
        format!("timestamp, index, power.draw [W]\n{}\n", rows.join("\n"))
    };
    bench.write("node1.csv", &log(7));
    bench.write("node2.csv", &log(8));
    let load = "[scenario]\nname = \"s\"\n[simulation]\nduration_s = 10\nstep_s = 0.01\n[[loads]]\nkind = \"trace\"\nname = \"n\"\nfiles = [\"node1.csv\", \"node2.csv\"]\n";
    bench.write("s.toml", load);
    refused(
        &bench,
        &["check", "s.toml"],
        &[
            "s.toml:",
            "clock_offset_s",
            "whole hours apart",
            "node2.csv from 2026-11-21 08:00:00.000",
            "[0, -3600]",
        ],
    );
    bench.write("s.toml", &format!("{load}clock_offset_s = [0, -3600]\n"));
    let said = bench.ballast(&["check", "s.toml"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    bench.write("dmon.txt", "#Entity  POWER\nID  W\nGPU 0  5\nGPU 0  6\n");
    bench.write(
        "d.toml",
        &load.replace(
            "files = [\"node1.csv\", \"node2.csv\"]",
            "file = \"dmon.txt\"",
        ),
    );
    refused(
        &bench,
        &["check", "d.toml"],
        &["d.toml:", "interval_s", "-d 100"],
    );
}
