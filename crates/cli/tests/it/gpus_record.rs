//! `record` on a stand-in for NVIDIA's library: what is written, and what goes wrong in mid-run.

use std::process::Stdio;

use ballast_calibrate::GpuRecording;
use ballast_tables::{parts_folder, read_table, read_trace};
use serde_json::Value;

use crate::common::Bench;
use crate::standin::{
    ballast, command, finite, json, meta, notes, parts, patient, recording, signal, until,
};

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
#[test]
fn a_command_is_repeated_at_other_phases_of_the_sensor() {
    let bench = Bench::new();
    let words = |out: &'static str, command: &'static str| {
        [
            "record", "--gpu", "0", "--out", out, "--repeat", "3", "--json", "--", "sh", "-c",
            command,
        ]
    };
    let said = ballast(
        &bench,
        "wave=square 100 400 1 0.5",
        &words("t.parquet", "sleep 0.3"),
    );
    assert_eq!(said.code, 0, "{}", said.err);
    let marks = recording(&bench.path("t.parquet")).marks;
    let labels: Vec<&str> = marks.iter().map(|m| m.label.as_str()).collect();
    assert_eq!(labels, ["start", "exit", "start", "exit", "start", "exit"]);
    for pair in marks[1..5].chunks_exact(2) {
        let rest_s = pair[1].time_s - pair[0].time_s;
        // Two seconds, up to a tenth of one more, and a poll.
        assert!((1.9..2.3).contains(&rest_s), "{rest_s}");
    }
    // A run that fails is the last.
    let said = ballast(
        &bench,
        "wave=square 100 400 1 0.5",
        &words("f.parquet", "exit 4"),
    );
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(json(&said)["command_exit_code"].as_i64(), Some(4));
    assert_eq!(recording(&bench.path("f.parquet")).marks.len(), 2);
}

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
