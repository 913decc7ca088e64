//! A coarse run and the fine run of its worst stretch, from the command line.

use crate::common::Bench;

const COARSE: &str = r#"
[scenario]
name = "day"
[simulation]
duration_s = 600
step_s = 1
[[loads]]
kind = "steps"
name = "s"
initial_kw = 800
events = [{ at_s = 200.5, power_kw = 900 }, { at_s = 400, power_kw = 500 }]
[[plant.sets]]
preset = "generic-diesel-1000kw"
name = "G"
count = 2
[limits]
frequency_max_hz = 64
rocof_hz_per_s = 5
"#;

fn files(bench: &Bench, folder: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(bench.path(folder))
        .map(|all| {
            all.filter_map(Result::ok)
                .map(|e| e.file_name().to_string_lossy().into_owned())
                .collect()
        })
        .unwrap_or_default();
    names.sort();
    names
}

#[test]
fn both_runs_are_told_and_kept() {
    let bench = Bench::new();
    bench.write("zoom.toml", &format!("{COARSE}[zoom]\nstep_s = 0.02\n"));
    bench.write("plain.toml", COARSE);
    let said = bench.ballast(&["run", "zoom.toml", "--set", "zoom.window_s=20", "--csv"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    for part in [
        "zoom: 389.5 s to 409.5 s of realisation 1 at 0.02 s",
        "around 400.000 s: the largest fall within 1 s, 400.000 kW",
        "zoom/traces.parquet",
    ] {
        assert!(said.out.contains(part), "{part} is missing: {}", said.out);
    }
    // A table for each run.
    assert_eq!(said.out.matches("rate of change of frequency  ").count(), 2);
    let outcome = bench.outcome("out/day");
    assert_eq!(outcome["zoom"]["at_s"], 400.0);
    assert_eq!(outcome["verdicts"][0]["run"], "coarse");
    assert_eq!(outcome["zoom"]["outcome"]["verdicts"][0]["run"], "zoom");
    let zoom = files(&bench, "out/day/zoom");
    for name in ["power-frequency.svg", "traces.csv", "traces.parquet"] {
        assert!(zoom.contains(&name.to_owned()), "{zoom:?}");
    }
    let csv = String::from_utf8(bench.read("out/day/zoom/traces.csv")).expect("text");
    assert_eq!(
        csv.lines().filter(|l| !l.starts_with('#')).count(),
        1 + 1001
    );

    // The same bytes on another number of threads, over the earlier results.
    let before = (
        bench.read("out/day/outcome.json"),
        bench.read("out/day/zoom/traces.csv"),
    );
    let again = [
        "run",
        "zoom.toml",
        "--set",
        "zoom.window_s=20",
        "--csv",
        "--threads",
        "1",
    ];
    assert_eq!(bench.ballast(&again).code, 0);
    let after = (
        bench.read("out/day/outcome.json"),
        bench.read("out/day/zoom/traces.csv"),
    );
    assert!(before == after);

    // A run without a zoom leaves nothing of the earlier one.
    let said = bench.ballast(&["run", "plain.toml", "--no-figures"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(
        files(&bench, "out/day"),
        ["outcome.json", "run.json", "traces.parquet"]
    );
    assert!(bench.outcome("out/day").get("zoom").is_none());
}

#[test]
fn a_limit_that_the_fine_run_breaks_fails() {
    let bench = Bench::new();
    bench.write("zoom.toml", &format!("{COARSE}[zoom]\n"));
    let args = [
        "run",
        "zoom.toml",
        "--no-figures",
        "--json",
        "--set",
        "limits.frequency_max_hz=60.01",
    ];
    let said = bench.ballast(&args);
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    let json: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(json["overall"], "FAIL");
    assert_eq!(json["zoom"]["overall"], "FAIL");
    assert!(
        json["summary"]
            .as_str()
            .is_some_and(|s| s.contains("highest frequency (zoom)"))
    );
}

#[test]
fn what_is_in_the_way_of_the_fine_run_is_refused_first() {
    let bench = Bench::new();
    bench.write("zoom.toml", &format!("{COARSE}[zoom]\n"));
    std::fs::create_dir_all(bench.path("out/day")).expect("a folder");
    bench.write("out/day/zoom", "notes");
    let said = bench.ballast(&["run", "zoom.toml"]);
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("`zoom` in the folder is in the way"),
        "{}",
        said.err
    );
    assert_eq!(bench.read("out/day/zoom"), b"notes");
}
