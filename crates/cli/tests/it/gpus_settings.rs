//! Settings that `record` changes and puts back, and what recording costs.

use std::process::Stdio;
use std::time::{Duration, Instant};

use ballast_tables::parts_folder;

use crate::common::Bench;
use crate::standin::{ballast, command, json, parts, recording, signal, until};

/// Lines of the stand-in's log of settings.
fn log(bench: &Bench) -> Vec<String> {
    let text = std::fs::read_to_string(bench.path("log")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn logging(bench: &Bench, more: &str) -> String {
    format!("gpus=2;log={};{more}", bench.path("log").display())
}

#[test]
fn a_sweep_goes_through_its_settings_and_puts_them_back() {
    let bench = Bench::new();
    let words = [
        "record",
        "--gpu",
        "1",
        "--out",
        "t.parquet",
        "--allow-control",
        "--power-limit-w",
        "300,400",
        "--clocks-mhz",
        "1200",
        "--dwell",
        "500ms",
        "--json",
    ];
    let said = ballast(&bench, &logging(&bench, ""), &words);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(json(&said)["ended"], "sweep");
    let expected = [
        "limit 1 300000",
        "clocks 1 1200 1200",
        "limit 1 400000",
        "clocks 1 1200 1200",
        "limit 1 700000",
        "clocks 1 reset",
    ];
    assert_eq!(log(&bench), expected);
    let marks: Vec<String> = recording(&bench.path("t.parquet"))
        .marks
        .into_iter()
        .map(|m| m.label)
        .collect();
    assert_eq!(
        marks,
        [
            "power limit 300 W",
            "clocks locked at 1200 MHz",
            "power limit 400 W",
            "clocks locked at 1200 MHz"
        ]
    );
}

#[test]
fn settings_are_put_back_after_signals_and_failures() {
    for (name, script, code) in [("-INT", "", 0), ("-TERM", "", 0), ("", "lost=1@1", 0)] {
        let bench = Bench::new();
        let words = [
            "record",
            "--out",
            "t.parquet",
            "--part",
            "200ms",
            "--allow-control",
            "--power-limit-w",
            "300",
            "--dwell",
            if name.is_empty() { "2s" } else { "100s" },
        ];
        let mut child = command(&bench, &logging(&bench, script), &words)
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        until("a part", || {
            parts(&parts_folder(&bench.path("t.parquet"))) >= 1
        });
        if !name.is_empty() {
            signal(&child, name);
        }
        assert_eq!(child.wait().unwrap().code(), Some(code), "{name}");
        assert!(
            log(&bench).contains(&"limit 0 700000".to_owned()),
            "{name} {:?}",
            log(&bench)
        );
        if script.is_empty() {
            assert_eq!(log(&bench).last().unwrap(), "limit 1 700000");
        }
    }
}

#[test]
fn nothing_is_set_without_leave_or_beyond_the_range_or_by_halves() {
    for (words, script, word) in [
        (vec!["--power-limit-w", "300"], "", "--allow-control"),
        (
            vec!["--allow-control", "--power-limit-w", "300,50"],
            "",
            "100 W to 700 W",
        ),
        (
            vec!["--allow-control", "--power-limit-w", "300"],
            "denied=set_limit",
            "not permitted",
        ),
        (
            vec!["--allow-control", "--power-limit-w", "300"],
            "unsupported=limit",
            "could not be put back",
        ),
    ] {
        let bench = Bench::new();
        let all = [
            vec!["record", "--out", "t.parquet", "--duration", "1s"],
            words,
        ]
        .concat();
        let said = ballast(&bench, &logging(&bench, script), &all);
        assert!(
            said.code == 2 && said.err.contains(word),
            "{word}: {} {}",
            said.code,
            said.err
        );
        assert_eq!(log(&bench), Vec::<String>::new());
        assert!(!bench.path("t.parquet.parts").exists());
    }
    // Nothing is written to a GPU that is only recorded.
    let bench = Bench::new();
    assert_eq!(
        ballast(
            &bench,
            &logging(&bench, ""),
            &["record", "--out", "t.parquet", "--duration", "200ms"]
        )
        .code,
        0
    );
    assert_eq!(log(&bench), Vec::<String>::new());
}

// What it costs

/// Processor time that a process has used, seconds, and the most memory it held, bytes.
#[cfg(target_os = "linux")]
fn cost(pid: u32) -> Option<(f64, f64)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let after = stat.rsplit_once(')')?.1;
    let ticks: Vec<f64> = after
        .split_whitespace()
        .filter_map(|w| w.parse().ok())
        .collect();
    // User and system time are the 14th and 15th field; the state, which is no number, and two before it are gone. Linux counts
    // in hundredths of a second here.
    let cpu_s = (ticks.get(10)? + ticks.get(11)?) / 100.0;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some((cpu_s, kib * 1024.0))
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "a minute long; its figures are those of a release build: cargo test --release -p ballast-cli -- --ignored overhead"]
fn overhead_of_eight_gpus_at_twenty_hertz() {
    let bench = Bench::new();
    let mut child = command(
        &bench,
        "gpus=8",
        &["record", "--out", "t.parquet", "--duration", "60s"],
    )
    .stderr(Stdio::null())
    .stdout(Stdio::null())
    .spawn()
    .unwrap();
    let start = Instant::now();
    let mut seen = (0.0, 0.0);
    while child.try_wait().unwrap().is_none() {
        seen = cost(child.id()).unwrap_or(seen);
        std::thread::sleep(Duration::from_millis(50));
    }
    let share = seen.0 / start.elapsed().as_secs_f64();
    eprintln!(
        "8 GPUs at 20 Hz: {:.2} % of a core, {:.1} MB at most",
        share * 100.0,
        seen.1 / 1e6
    );
    assert!(share < 0.01, "{share}");
    assert!(seen.1 < 50e6, "{}", seen.1);
}
