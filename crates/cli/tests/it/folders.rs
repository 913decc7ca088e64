//! The output folder: all of a run or nothing of it, and never a file that is not Ballast's.

use crate::common::{Bench, SHORT, Said};
use serde_json::Value;

fn list(bench: &Bench, folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(bench.path(folder)).unwrap();
    let mut names: Vec<String> = entries
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("short.toml", SHORT);
    bench
}

fn passes(bench: &Bench, args: &[&str]) -> Said {
    let said = bench.ballast(&[&["run", "short.toml"], args].concat());
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    said
}

#[test]
fn a_folder_in_the_way_is_named_and_nothing_is_changed() {
    let bench = bench();
    passes(&bench, &["--no-figures", "--seed", "1"]);
    let before = bench.read("out/short/outcome.json");
    std::fs::remove_file(bench.path("out/short/traces.parquet")).unwrap();
    std::fs::create_dir(bench.path("out/short/traces.parquet")).unwrap();
    let said = bench.ballast(&["run", "short.toml", "--seed", "2"]);
    assert_eq!(said.code, 2, "{}", said.out);
    for part in [
        "`traces.parquet`",
        "in the way",
        "nothing was written",
        "help:",
    ] {
        assert!(said.err.contains(part), "`{part}`: {}", said.err);
    }
    assert!(before == bench.read("out/short/outcome.json"));
    assert_eq!(
        list(&bench, "out/short"),
        ["outcome.json", "run.json", "traces.parquet"]
    );
}

#[test]
fn files_of_the_user_are_left_alone() {
    for name in [
        "run.json",
        "traces.csv",
        "power.svg",
        "traces.partial.parquet",
    ] {
        let bench = bench();
        std::fs::create_dir(bench.path("mine")).unwrap();
        bench.write(&format!("mine/{name}"), "{\"mine\": true}");
        let said = bench.ballast(&["run", "short.toml", "--out", "mine"]);
        assert_eq!(said.code, 2, "{name}: {}", said.out);
        assert!(said.err.contains(name), "{}", said.err);
        assert_eq!(list(&bench, "mine"), [name]);
        assert_eq!(bench.read(&format!("mine/{name}")), b"{\"mine\": true}");
    }
    // Others than Ballast's names do not matter, and stay.
    let bench = bench();
    std::fs::create_dir(bench.path("mine")).unwrap();
    bench.write("mine/notes.txt", "mine");
    passes(&bench, &["--no-figures", "--out", "mine"]);
    assert_eq!(bench.read("mine/notes.txt"), b"mine");
}

#[test]
fn nothing_of_the_earlier_run_stays_beside_a_new_outcome() {
    let bench = bench();
    passes(&bench, &["--csv"]);
    assert!(list(&bench, "out/short").contains(&"power-frequency.svg".to_owned()));
    let run: Value = serde_json::from_slice(&bench.read("out/short/run.json")).unwrap();
    let listed: Vec<&str> = run["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f.as_str().unwrap())
        .collect();
    assert_eq!(list(&bench, "out/short"), listed);
    bench.write("out/short/mine.svg", "mine");
    passes(&bench, &["--no-figures"]);
    assert_eq!(
        list(&bench, "out/short"),
        ["mine.svg", "outcome.json", "run.json", "traces.parquet"]
    );
}

#[test]
fn a_killed_run_leaves_nothing_for_good() {
    let bench = bench();
    std::fs::create_dir_all(bench.path("out/short/.ballast-AbCdEf")).unwrap();
    bench.write("out/short/.ballast-AbCdEf/traces.parquet.partial", "half");
    bench.write("out/short/.ballast.lock", "");
    passes(&bench, &["--no-figures"]);
    assert_eq!(
        list(&bench, "out/short"),
        ["outcome.json", "run.json", "traces.parquet"]
    );
}

#[cfg(unix)]
mod signals {
    use super::*;
    use std::process::{Child, Stdio};
    use std::time::{Duration, Instant};

    fn start(bench: &Bench) -> Child {
        let text = SHORT.replace("duration_s = 3.0", "duration_s = 40000.0");
        bench.write("long.toml", &text);
        let child = bench
            .command()
            .args(["run", "long.toml", "--no-figures"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while !bench.path("out/short/.ballast.lock").exists() {
            assert!(begun.elapsed() < Duration::from_mins(1), "it never starts");
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_millis(700));
        child
    }

    fn interrupt(child: &Child) {
        let killed = std::process::Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status()
            .unwrap();
        assert!(killed.success());
    }

    #[test]
    fn another_run_into_the_folder_waits_and_an_interrupted_one_can_be_repeated() {
        let bench = bench();
        let child = start(&bench);
        let said = bench.ballast(&["run", "short.toml"]);
        assert_eq!(said.code, 2, "{}", said.out);
        assert!(said.err.contains("another run writes"), "{}", said.err);
        interrupt(&child);
        let said = crate::common::said(&child.wait_with_output().unwrap());
        assert_eq!(said.code, 130, "{}{}", said.out, said.err);
        assert_eq!(
            list(&bench, "out/short"),
            ["run.json", "traces.partial.parquet"]
        );
        // Not the same scenario: the traces are not its own.
        let args = [
            "run",
            "short.toml",
            "--out",
            "out/short",
            "--set",
            "scenario.name=b",
        ];
        assert_eq!(bench.ballast(&args).code, 2);
        passes(&bench, &["--no-figures"]);
        assert_eq!(
            list(&bench, "out/short"),
            ["outcome.json", "run.json", "traces.parquet"]
        );
    }

    #[test]
    fn ctrl_c_twice_ends_at_once() {
        let bench = bench();
        let child = start(&bench);
        interrupt(&child);
        interrupt(&child);
        let begun = Instant::now();
        let said = crate::common::said(&child.wait_with_output().unwrap());
        assert_eq!(said.code, 130, "{}{}", said.out, said.err);
        assert!(begun.elapsed() < Duration::from_secs(5));
        passes(&bench, &["--no-figures"]);
    }
}
