//! `doctor` and `record` on a stand-in for NVIDIA's library, through the real wrapper.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ballast_calibrate::{GpuRecording, Recording, recording_of};
use ballast_tables::{TraceOptions, parts_folder, read_table, read_trace};
use serde_json::Value;

use crate::common::{Bench, Said, said};

fn library() -> PathBuf {
    nvml_standin::library().unwrap()
}

/// The command with the stand-in and its script.
fn command(bench: &Bench, script: &str, words: &[&str]) -> Command {
    let (name, rest) = words.split_first().unwrap();
    let mut command = bench.command();
    command
        .env(nvml_standin::VARIABLE, script)
        .args([name, "--lib"])
        .arg(library())
        .args(rest);
    command
}

fn ballast(bench: &Bench, script: &str, words: &[&str]) -> Said {
    said(&command(bench, script, words).output().unwrap())
}

fn json(said: &Said) -> Value {
    serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {}{}", said.out, said.err))
}

fn recording(path: &Path) -> Recording {
    let table = read_table(path).unwrap_or_else(|e| panic!("{e}"));
    recording_of(&table.columns, &table.metadata, &table.sha256).unwrap()
}

/// A machine with other work may hold up a poll for longer than a trace's usual gap.
fn patient() -> TraceOptions {
    TraceOptions {
        max_gap_s: Some(10.0),
        ..TraceOptions::default()
    }
}

fn meta(path: &Path, key: &str) -> Option<String> {
    let table = read_table(path).unwrap_or_else(|e| panic!("{e}"));
    table
        .metadata
        .into_iter()
        .find(|(k, _)| k == key)
        .map(|(_, v)| v)
}

fn finite(column: Option<&Vec<f64>>) -> usize {
    column.map_or(0, |c| c.iter().filter(|v| v.is_finite()).count())
}

fn notes(said: &Value) -> Vec<&str> {
    let listed = said["notes"].as_array().unwrap();
    listed
        .iter()
        .map(|n| n["label"].as_str().unwrap())
        .collect()
}

/// Asks a process to end.
fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

/// Waits for something to come true; a loaded machine gets its time.
fn until(what: &str, mut is: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is() {
        assert!(
            start.elapsed() < Duration::from_mins(1),
            "{what} did not come"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn parts(folder: &Path) -> usize {
    std::fs::read_dir(folder).map_or(0, |entries| {
        entries
            .filter(|e| {
                e.as_ref()
                    .unwrap()
                    .path()
                    .extension()
                    .is_some_and(|x| x == "parquet")
            })
            .count()
    })
}

// Doctor

#[test]
fn doctor_says_what_works_and_how_often_it_changes() {
    let bench = Bench::new();
    let script = format!(
        "gpus=2;wave=square 100 400 0.37 0.5;window_ms=100;update_ms=100;process={}",
        std::process::id()
    );
    let said = ballast(&bench, &script, &["doctor", "--json", "--watch", "3s"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let found = json(&said);
    let gpu = &found["examination"]["gpus"][1];
    assert_eq!(found["examination"]["driver"], "580.82.07");
    assert_eq!(gpu["architecture"], "Hopper");
    let update = &gpu["instant_update"];
    let (period_s, poll_s) = (
        update["period_s"].as_f64().unwrap(),
        update["poll_s"].as_f64().unwrap(),
    );
    assert!((period_s - 0.1).abs() < 0.005 + poll_s, "{update}");
    let counter_w = gpu["counter_mean_w"].as_f64().unwrap();
    // 3 s are no whole number of periods, and the counter moves every 100 ms.
    assert!((counter_w - 250.0).abs() < 40.0, "{counter_w}");
    assert!(
        gpu["readings"]
            .as_array()
            .unwrap()
            .iter()
            .all(|r| r["why"].is_null())
    );
    assert_eq!(gpu["module"][0]["reading"], "average power of the module");
    assert!(gpu["module"][0]["value"].is_f64());
    assert_eq!(gpu["buffer"]["samples"], 120);
    assert_eq!(
        (&gpu["mig"], gpu["default_limit_w"].as_f64()),
        (&Value::Bool(false), Some(700.0))
    );
    assert_eq!(gpu["processes"][0]["pid"], std::process::id());
    let text = ballast(&bench, "gpus=1", &["doctor", "--watch", "100ms"]);
    assert_eq!(text.code, 0);
    for word in [
        "GPU 0",
        "instant power",
        "energy counter",
        "window of the average power",
        "MIG",
        "DCGM",
    ] {
        assert!(text.out.contains(word), "{word} is not in {}", text.out);
    }
}

#[test]
fn without_a_gpu_both_say_why_and_what_helps() {
    let bench = Bench::new();
    let none = bench.path("none.so");
    let text = bench.write("text.so", "no library");
    let symbol = nvml_standin::library_without("nvmlInit_v2", &bench.path("old.so")).unwrap();
    let here = library();
    for (path, script, word) in [
        (&none, "", "cannot be loaded"),
        (&text, "", "cannot be loaded"),
        (&symbol, "", "none of NVIDIA's, or too old"),
        (&here, "gpus=0", "sees no GPU"),
        (&here, "init=9", "driver is not loaded"),
        (&here, "init=4", "may not use the GPUs"),
        (&here, "init=18", "different versions"),
        (&here, "init=999", "opening NVML failed"),
    ] {
        for words in [vec!["doctor"], vec!["record", "--out", "t.parquet"]] {
            let mut command = bench.command();
            command
                .env(nvml_standin::VARIABLE, script)
                .args(words)
                .arg("--lib")
                .arg(path);
            let said = said(&command.output().unwrap());
            assert_eq!(said.code, 4, "{script}: {}", said.err);
            assert!(
                said.err.contains(word) && said.err.contains("help: "),
                "{word}: {}",
                said.err
            );
            assert!(!bench.path("t.parquet").exists() && !bench.path("t.parquet.parts").exists());
        }
    }
    let said = ballast(
        &bench,
        "gpus=2",
        &["record", "--gpu", "0,5", "--out", "t.parquet"],
    );
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("there is no GPU 5; there are 2"),
        "{}",
        said.err
    );
}

#[test]
fn readings_that_are_missing_say_why() {
    let bench = Bench::new();
    let lib =
        nvml_standin::library_without("nvmlDeviceGetTotalEnergyConsumption", &bench.path("x.so"))
            .unwrap();
    let mut command = bench.command();
    command
        .env(
            nvml_standin::VARIABLE,
            "unsupported=instant,module,samples,mig;denied=throttle,processes",
        )
        .args(["doctor", "--json", "--watch", "200ms", "--lib"])
        .arg(lib);
    let said = said(&command.output().unwrap());
    assert_eq!(said.code, 0, "{}", said.err);
    let found = json(&said);
    let gpu = &found["examination"]["gpus"][0];
    let why = |k: usize| gpu["readings"][k]["why"].as_str().unwrap_or("").to_owned();
    assert_eq!(why(0), "");
    assert!(why(1).contains("not supported"), "{}", why(1));
    assert!(why(2).contains("lacks the call"), "{}", why(2));
    assert!(why(8).contains("not permitted"), "{}", why(8));
    assert!(gpu["mig"].is_null() && gpu["processes"].is_null());
    assert!(gpu["buffer"]["why"].is_string() && gpu["module"][1]["value"].is_null());
    let advice = found["advice"].to_string();
    for word in [
        "no instant power",
        "no energy counter",
        "throttle reasons: not permitted",
        "cannot be seen",
    ] {
        assert!(advice.contains(word), "{word} is not in {advice}");
    }
    let dark = ballast(
        &bench,
        "unsupported=instant,average,power_usage,energy",
        &["doctor", "--watch", "100ms"],
    );
    assert_eq!(dark.code, 4);
    assert!(dark.out.contains("no power can be read"), "{}", dark.out);
}

#[test]
fn without_the_fields_the_plain_reading_is_what_the_chip_makes_of_it() {
    let bench = Bench::new();
    for (file, script, average) in [
        ("a.parquet", "name=NVIDIA H100 80GB HBM3;arch=9", true),
        ("b.parquet", "name=NVIDIA A100-SXM4-80GB;arch=7", false),
        ("c.parquet", "name=NVIDIA RTX A6000;arch=7", true),
        ("d.parquet", "name=Tesla V100-SXM2-16GB;arch=5", false),
    ] {
        let script = format!("{script};unsupported=average,instant");
        let said = ballast(
            &bench,
            &script,
            &["record", "--out", file, "--duration", "300ms"],
        );
        assert_eq!(said.code, 0, "{}", said.err);
        let gpu = recording(&bench.path(file)).gpus.remove(0);
        assert_eq!(
            (gpu.average_w.is_some(), gpu.instant_w.is_some()),
            (average, !average),
            "{script}"
        );
    }
}

// Record

#[test]
fn a_recording_holds_the_wave_the_marks_and_the_exit_code() {
    let bench = Bench::new();
    let words = [
        "record",
        "--gpu",
        "0,2",
        "--out",
        "t.parquet",
        "--rate",
        "50",
        "--part",
        "1s",
        "--json",
        "--",
        "sh",
        "-c",
        "sleep 4.2; exit 3",
    ];
    let said = ballast(
        &bench,
        "gpus=3;wave=square 100 400 1 0.5;update_ms=20;window_ms=20",
        &words,
    );
    assert_eq!(said.code, 0, "{}", said.err);
    let told = json(&said);
    assert_eq!(
        (&told["ended"], told["command_exit_code"].as_i64()),
        (&Value::from("command"), Some(3))
    );
    assert!(!bench.path("t.parquet.parts").exists());
    let path = bench.path("t.parquet");
    let recording = recording(&path);
    let marks: Vec<&str> = recording.marks.iter().map(|m| m.label.as_str()).collect();
    assert_eq!(marks, ["start", "exit"]);
    assert!(recording.marks[1].time_s >= 4.0);
    assert_eq!(meta(&path, "ballast.exit_code").as_deref(), Some("3"));
    assert!(
        meta(&path, "ballast.command")
            .unwrap()
            .contains("sleep 4.2")
    );
    assert_eq!(
        recording.gpus.iter().map(|g| g.index).collect::<Vec<_>>(),
        [0, 2]
    );
    for gpu in &recording.gpus {
        wave(gpu);
    }
    // Scenarios read it as it is: the sum over the GPUs.
    let trace = read_trace(&path, &patient()).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(trace.column, "power_w");
    assert!(trace.value.iter().all(|w| (200.0..=800.0).contains(w)));
}

/// What was recorded of 100 W and 400 W, half a second each.
fn wave(gpu: &GpuRecording) {
    let (time_s, energy_j) = (&gpu.time_s, gpu.energy_j.as_ref().unwrap());
    let last = time_s.len() - 1;
    let mean_w = (energy_j[last] - energy_j[0]) / (time_s[last] - time_s[0]);
    // At worst the rest of a period is all high or all low.
    assert!(
        (mean_w - 250.0).abs() < 150.0 * 0.25 / 2.0 + 5.0,
        "{mean_w}"
    );
    let power_w = gpu.instant_w.as_ref().unwrap();
    let near = |w: f64| {
        power_w.iter().filter(|p| (*p - w).abs() < 1.0).count() as f64 / power_w.len() as f64
    };
    assert!(
        near(100.0) > 0.35 && near(400.0) > 0.35,
        "{} {}",
        near(100.0),
        near(400.0)
    );
    assert!(time_s.windows(2).all(|w| w[1] > w[0]));
    assert_eq!(gpu.limit_w, Some(700.0));
    assert_eq!(gpu.throttle.as_ref().unwrap().len(), time_s.len());
    assert!(
        gpu.memory_used_bytes
            .as_ref()
            .unwrap()
            .iter()
            .all(|b| *b == 40.0 * 1_073_741_824.0)
    );
}

#[test]
fn what_goes_wrong_in_mid_run_is_noted_and_the_rest_goes_on() {
    let bench = Bench::new();
    let script =
        "gpus=4;lost=1@2;reset=2@2;stuck=3@1;back=3;unsupported=temperature;denied=utilisation";
    let said = ballast(
        &bench,
        script,
        &[
            "record",
            "--out",
            "t.parquet",
            "--duration",
            "8s",
            "--part",
            "1s",
            "--json",
        ],
    );
    assert_eq!(said.code, 0, "{}", said.err);
    let told = json(&said);
    let notes = notes(&told);
    for word in [
        "GPU 1: lost",
        "GPU 2: the energy counter went back",
        "GPU 3: the power has been the same for 5 s",
        "GPU 3: the energy counter has not moved for 5 s",
        "GPU 0: the driver's clock went back by 4.",
        "GPU 0: no temperature: not supported",
        "GPU 2: no utilisation: not permitted",
    ] {
        assert_eq!(
            notes.iter().filter(|n| n.starts_with(word)).count(),
            1,
            "{word}: {notes:?}"
        );
    }
    assert!(said.err.contains("GPU 1: lost"), "{}", said.err);
    let path = bench.path("t.parquet");
    let recording = recording(&path);
    let lengths: Vec<usize> = recording.gpus.iter().map(|g| g.time_s.len()).collect();
    assert!(
        lengths[1] < 60 && lengths[0] > 100 && lengths[0] == lengths[2],
        "{lengths:?}"
    );
    assert_eq!(recording.gpus[0].temperature_c, None);
    assert_eq!(finite(recording.gpus[3].instant_w.as_ref()), lengths[3]);
    assert!(meta(&path, "ballast.notes").unwrap().contains("lost"));
    // As a trace it ends where the sum ends, and says so.
    let trace = read_trace(&path, &patient()).unwrap_or_else(|e| panic!("{e}"));
    assert!(
        trace
            .found
            .iter()
            .any(|f| f.contains("left out because a GPU gave no power")),
        "{:?}",
        trace.found
    );
    assert!(trace.time_s.last().unwrap() < &2.5);
}

#[test]
fn when_the_last_gpu_is_lost_what_is_there_is_kept() {
    let bench = Bench::new();
    let said = ballast(
        &bench,
        "lost=0@1",
        &["record", "--out", "t.parquet", "--duration", "1h", "--json"],
    );
    assert_eq!(said.code, 4, "{}", said.err);
    assert_eq!(json(&said)["ended"], "no GPU left");
    assert!(recording(&bench.path("t.parquet")).gpus[0].time_s.len() > 10);
}

#[test]
fn a_kill_loses_at_most_the_open_part_and_readers_take_the_folder() {
    let bench = Bench::new();
    let path = bench.path("t.parquet");
    let folder = parts_folder(&path);
    let words = ["record", "--out", "t.parquet", "--part", "500ms"];
    let mut child = command(&bench, "gpus=2", &words)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("the fourth part", || parts(&folder) >= 4);
    signal(&child, "-KILL");
    child.wait().unwrap();
    assert!(!path.exists());
    let whole = recording(&folder);
    let last_s = *whole.gpus[1].time_s.last().unwrap();
    let closed = parts(&folder) as f64;
    // All closed parts, without a hole: a poll every 50 ms.
    assert!(last_s >= 0.5 * closed - 0.1, "{last_s} s of {closed} parts");
    assert!(whole.gpus[1].time_s.windows(2).all(|w| w[1] > w[0]));
    assert_eq!(
        meta(&folder, "ballast.ended").as_deref(),
        Some("still recording")
    );
    read_trace(&folder, &patient()).unwrap_or_else(|e| panic!("{e}"));
    // A scenario replays the folder; one that names the file is told of the folder.
    let scenario = |file: &str| {
        format!(
            "[scenario]\nname = \"r\"\n[simulation]\nduration_s = 1.0\n[[loads]]\nname = \"gpus\"\nkind = \"trace\"\nfile = \"{file}\"\nmax_gap_s = 10.0\n[[plant.sets]]\nname = \"G1\"\npreset = \"generic-diesel-1000kw\"\n"
        )
    };
    bench.write("r.toml", &scenario("t.parquet.parts"));
    let checked = bench.ballast(&["check", "r.toml"]);
    assert_eq!(checked.code, 0, "{}{}", checked.out, checked.err);
    bench.write("s.toml", &scenario("t.parquet"));
    let told = bench.ballast(&["check", "s.toml"]);
    assert!(
        told.code == 2 && told.err.contains("add `.parts` to the name"),
        "{}",
        told.err
    );
    // A new recording does not touch the parts.
    let again = ballast(
        &bench,
        "",
        &["record", "--out", "t.parquet", "--duration", "1s"],
    );
    assert!(
        again.code == 2 && again.err.contains("cut off"),
        "{}",
        again.err
    );
    assert!(parts(&folder) >= 4);
}

#[test]
fn parts_and_file_are_the_same_table() {
    let bench = Bench::new();
    let path = bench.path("t.parquet");
    let folder = parts_folder(&path);
    let words = [
        "record",
        "--out",
        "t.parquet",
        "--part",
        "200ms",
        "--duration",
        "30s",
    ];
    let mut child = command(&bench, "", &words)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("a part", || parts(&folder) >= 3);
    let early = read_table(&folder).unwrap_or_else(|e| panic!("{e}"));
    signal(&child, "-INT");
    // Ctrl-C is the usual way to end.
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let whole = read_table(&path).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(meta(&path, "ballast.ended").as_deref(), Some("asked"));
    for ((name, before), (same, after)) in early.columns.iter().zip(&whole.columns) {
        assert_eq!(name, same);
        assert!(after.len() >= before.len());
        assert!(
            before
                .iter()
                .zip(after)
                .all(|(a, b)| a.to_bits() == b.to_bits()),
            "{name}"
        );
    }
    assert!(!folder.exists());
    let again = ballast(
        &bench,
        "",
        &["record", "--out", "t.parquet", "--duration", "1s"],
    );
    assert!(
        again.code == 2 && again.err.contains("exists already"),
        "{}",
        again.err
    );
}

#[test]
fn a_command_that_cannot_start_leaves_nothing() {
    let bench = Bench::new();
    let said = ballast(
        &bench,
        "",
        &["record", "--out", "t.parquet", "--", "no-such-program-here"],
    );
    assert!(
        said.code == 2 && said.err.contains("cannot be started"),
        "{}",
        said.err
    );
    assert_eq!(std::fs::read_dir(bench.dir.path()).unwrap().count(), 0);
}

#[test]
fn sigterm_ends_the_command_too() {
    let bench = Bench::new();
    let path = bench.path("t.parquet");
    let words = [
        "record",
        "--out",
        "t.parquet",
        "--part",
        "300ms",
        "--",
        "sleep",
        "100",
    ];
    let mut child = command(&bench, "", &words)
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    until("a part", || parts(&parts_folder(&path)) >= 1);
    signal(&child, "-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(meta(&path, "ballast.exit_code").as_deref(), Some("143"));
    assert_eq!(recording(&path).marks.last().unwrap().label, "exit");
}

#[test]
fn polls_that_come_too_late_are_counted() {
    let bench = Bench::new();
    let words = [
        "record",
        "--out",
        "t.parquet",
        "--rate",
        "50",
        "--duration",
        "2s",
        "--json",
    ];
    let said = ballast(&bench, "slow_ms=50", &words);
    let told = json(&said);
    let (polls, missed) = (
        told["polls"].as_u64().unwrap(),
        told["missed"].as_u64().unwrap(),
    );
    assert!(
        missed >= 40 && polls + missed >= 80 && polls + missed <= 101,
        "{polls} {missed}"
    );
}

// Settings

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
