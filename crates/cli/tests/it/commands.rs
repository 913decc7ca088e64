//! The command as a user meets it.

use crate::common::{Bench, SHORT};
use serde_json::Value;

#[test]
fn a_run_writes_what_it_says_and_nothing_else() {
    let bench = Bench::new();
    bench.write("short.toml", SHORT);
    let said = bench.ballast(&["run", "short.toml"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(
        said.out.contains("PASS") && said.out.contains("lowest frequency"),
        "{}",
        said.out
    );
    let mut files: Vec<String> = std::fs::read_dir(bench.path("out/short"))
        .unwrap()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    files.sort();
    for file in [
        "outcome.json",
        "run.json",
        "traces.parquet",
        "power-frequency.svg",
        "power-frequency.png",
    ] {
        assert!(
            files.iter().any(|f| f == file),
            "{file} is missing from {files:?}"
        );
    }
    assert!(
        files.iter().all(|f| !f.starts_with('.')),
        "staging was left behind: {files:?}"
    );
    let outcome = bench.outcome("out/short");
    assert_eq!(
        outcome.pointer("/overall").and_then(Value::as_str),
        Some("PASS")
    );
    let run: Value = serde_json::from_slice(&bench.read("out/short/run.json")).unwrap();
    assert!(run.pointer("/wall_s").and_then(Value::as_f64).is_some());
    assert!(
        !String::from_utf8(bench.read("out/short/outcome.json"))
            .unwrap()
            .contains("wall_s")
    );
}

#[test]
fn what_was_not_looked_at_is_listed() {
    let bench = Bench::new();
    bench.write("short.toml", SHORT);
    bench.ballast(&["run", "short.toml", "--no-figures"]);
    let outcome = bench.outcome("out/short");
    let verdicts = outcome.get("verdicts").and_then(Value::as_array).unwrap();
    let of = |limit: &str| {
        verdicts
            .iter()
            .find(|v| v["limit"] == limit)
            .unwrap_or_else(|| panic!("no verdict on {limit}"))
    };
    for limit in [
        "voltage_min_pu",
        "protection",
        "set_trip",
        "rocof_hz_per_s",
        "site_peak_kw",
    ] {
        assert_eq!(of(limit)["status"], "NOT_CHECKED", "{limit}");
    }
    let frequency = of("frequency_min_hz");
    assert_eq!(frequency["status"], "PASS");
    assert!(frequency["margin"].as_f64().unwrap() > 0.0);
    let basis = frequency["basis"].as_str().unwrap();
    for part in ["1 realisation", "3 s", "seed 11", "plant.sets"] {
        assert!(basis.contains(part), "`{part}` is missing from: {basis}");
    }
}

#[test]
fn a_broken_limit_exits_with_1() {
    let bench = Bench::new();
    bench.write("short.toml", SHORT);
    let said = bench.ballast(&[
        "run",
        "short.toml",
        "--set",
        "limits.frequency_min_hz=59.99",
        "--json",
        "--no-figures",
    ]);
    assert_eq!(said.code, 1, "{}", said.err);
    let json: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(json["overall"], "FAIL");
    assert_eq!(json["exit_code"], 1);
}

#[test]
fn realisations_that_disagree_are_inconclusive() {
    let bench = Bench::new();
    bench.write(
        "short.toml",
        &SHORT.replace("seed = 11", "seed = 11\nrealisations = 8"),
    );
    bench.ballast(&["run", "short.toml", "--no-figures"]);
    let worst = |o: &Value| {
        o["verdicts"]
            .as_array()
            .unwrap()
            .iter()
            .find(|v| v["limit"] == "frequency_min_hz")
            .unwrap()["worst_value"]
            .as_f64()
            .unwrap()
    };
    // Just above the worst of eight: that one breaks the limit, the others do not.
    let limit = worst(&bench.outcome("out/short")) + 1e-6;
    let said = bench.ballast(&[
        "run",
        "short.toml",
        "--no-figures",
        "--set",
        &format!("limits.frequency_min_hz={limit}"),
    ]);
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    let outcome = bench.outcome("out/short");
    assert_eq!(outcome["overall"], "INCONCLUSIVE");
    assert!(said.out.contains("7 of 8"), "{}", said.out);
}

#[test]
fn a_collapse_is_an_event_and_a_failure() {
    let bench = Bench::new();
    bench.write(
        "block.toml",
        r#"
[scenario]
name = "block"
[simulation]
duration_s = 30
[[loads]]
kind = "steps"
name = "block"
initial_kw = 100
events = [{ at_s = 1.0, power_kw = 1900 }]
[[plant.sets]]
preset = "generic-diesel-1000kw"
name = "G1"
"#,
    );
    let said = bench.ballast(&["run", "block.toml", "--csv"]);
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    let outcome = bench.outcome("out/block");
    assert_eq!(outcome["overall"], "FAIL");
    assert!(
        outcome["events"]
            .as_array()
            .unwrap()
            .iter()
            .any(|e| e["kind"] == "collapse"),
        "{}",
        outcome["events"]
    );
    let csv = String::from_utf8(bench.read("out/block/traces.csv")).unwrap();
    assert!(!csv.contains("NaN") && !csv.contains("inf"));
}

#[test]
fn new_writes_a_scenario_that_runs() {
    let bench = Bench::new();
    let said = bench.ballast(&["new", "my-site.toml"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let said = bench.ballast(&["check", "my-site.toml"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let said = bench.ballast(&["new", "my-site.toml"]);
    assert_eq!(said.code, 2, "an existing file is never overwritten");
}

#[test]
fn a_list_of_racks_becomes_a_scenario_that_runs() {
    let bench = Bench::new();
    bench.write(
        "racks.csv",
        "row,rack,model,count,nameplate_kw,feed,tenant\nA,1,DGX H100,4,40.8,U1,blue\nA,2,GB200 NVL72,1,140,U2,red\n",
    );
    let said = bench.ballast(&["new", "--racks", "racks.csv", "hall.toml"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let said = bench.ballast(&["check", "hall.toml"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let said = bench.ballast(&[
        "run",
        "hall.toml",
        "--set",
        "simulation.duration_s=2",
        "--no-figures",
    ]);
    assert!(said.code <= 1, "{}", said.err);
    bench.write(
        "bad.csv",
        "row,rack,model,count,nameplate_kw\nA,1,H900,4,40.8\n",
    );
    let said = bench.ballast(&["new", "--racks", "bad.csv", "bad.toml"]);
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("bad.csv:2") && said.err.contains("hgx-h100"),
        "{}",
        said.err
    );
    assert!(!bench.path("bad.toml").exists());
}

#[test]
fn slurm_jobs_are_printed_and_what_was_left_out_is_said() {
    let bench = Bench::new();
    bench.write(
        "sacct.txt",
        "JobID|JobName|Submit|Start|End|State|AllocTRES|NodeList\n\
         1|a|2025-01-01T00:00:00|2025-01-01T00:00:00|2025-01-01T00:02:00|COMPLETED|gres/gpu=8|n1\n\
         2|b|2025-01-01T00:00:00|Unknown|Unknown|PENDING||None assigned\n",
    );
    let said = bench.ballast(&["import", "slurm", "sacct.txt"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("steady_s = 89"), "{}", said.out);
    assert!(said.err.contains("pending: 1 (2)"), "{}", said.err);
    bench.write("bad.txt", "JobID|State\n");
    let said = bench.ballast(&["import", "slurm", "bad.txt"]);
    assert_eq!(said.code, 2);
    assert!(
        said.out.is_empty() && said.err.contains("6 problems"),
        "{}",
        said.err
    );
}

#[test]
fn presets_schema_and_completions() {
    let bench = Bench::new();
    let said = bench.ballast(&["presets"]);
    for name in [
        "h100-sxm5",
        "gb300",
        "h100-pcie-source002-part4",
        "hgx-h100",
        "generic-diesel-1000kw",
    ] {
        assert!(said.out.contains(name), "{name} is missing");
    }
    assert!(
        bench
            .ballast(&["presets", "h100-sxm5"])
            .out
            .contains("[phases.")
    );
    assert_eq!(bench.ballast(&["presets", "h1000"]).code, 2);
    let schema: Value = serde_json::from_str(&bench.ballast(&["schema"]).out).unwrap();
    assert!(schema.pointer("/properties/plant").is_some());
    assert!(
        bench
            .ballast(&["completions", "bash"])
            .out
            .contains("ballast")
    );
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_and_says_what_was_kept() {
    use std::process::Stdio;
    let bench = Bench::new();
    bench.write(
        "short.toml",
        &SHORT.replace("duration_s = 3.0", "duration_s = 40000.0"),
    );
    let child = bench
        .command()
        .args(["run", "short.toml"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let killed = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    let said = crate::common::said(&child.wait_with_output().unwrap());
    assert_eq!(said.code, 130, "{}{}", said.out, said.err);
    assert!(said.err.contains("kept the traces so far"), "{}", said.err);
    let mut left: Vec<String> = std::fs::read_dir(bench.path("out/short"))
        .unwrap()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    left.sort();
    // run.json says whose traces they are.
    assert_eq!(left, ["run.json", "traces.partial.parquet"]);
}

#[test]
fn slurm_jobs_are_put_on_racks() {
    let bench = Bench::new();
    bench.write(
        "sacct.txt",
        "JobID|JobName|Submit|Start|End|State|AllocTRES|NodeList\n\
         1|a|2025-01-01T00:00:00|2025-01-01T00:00:00|2025-01-01T00:02:00|COMPLETED|gres/gpu=8|n2\n",
    );
    let list = "rack,model,count,nameplate_kw,nodes\nR1,HGX H100,2,20,\"n[1-2]\"\n";
    bench.write("racks.csv", list);
    let args = ["import", "slurm", "sacct.txt", "--racks", "racks.csv"];
    let said = bench.ballast(&args);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(
        said.out.contains("racks = [\"r1\"]\ngpus = 8"),
        "{}",
        said.out
    );
    bench.write("racks.csv", &list.replace("1-2", "3-4"));
    let said = bench.ballast(&args);
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("sacct.txt:2") && said.err.contains("in no rack"),
        "{}",
        said.err
    );
}
