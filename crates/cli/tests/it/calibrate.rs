//! `ballast calibrate` as a user meets it.

use std::fmt::Write as _;

use crate::common::Bench;
use serde_json::Value;

/// A log as `nvidia-smi -lms 100` writes it: idle, then training of 1.5 s iterations with a checkpoint, then idle.
pub(crate) fn training_log(gpus: u32) -> String {
    let mut text = String::from(
        "timestamp, index, power.draw.instant [W], power.limit [W], utilization.gpu [%], memory.used [MiB], clocks.current.sm [MHz], clocks_event_reasons.active\n",
    );
    for i in 0..1700_u32 {
        let t = f64::from(i) * 0.1;
        let (power, used, memory) = match t {
            t if !(10.0..160.0).contains(&t) => (72.0, 0, 500),
            t if (80.0..88.0).contains(&t) => (130.0, 2, 70_000),
            t if (t - 10.0) % 1.5 < 1.1 => (650.0, 100, 70_000),
            _ => (250.0, 96, 70_000),
        };
        for gpu in 0..gpus {
            // A few watts that differ from GPU to GPU and from poll to poll.
            let noise = f64::from((i * 7 + gpu * 13) % 11) - 5.0;
            let (minute, second) = (i / 600, f64::from(i % 600) * 0.1);
            let _ = writeln!(
                text,
                "2026/11/21 07:{minute:02}:{second:06.3}, {gpu}, {:.2} W, 700.00 W, {used} %, {memory} MiB, 1980 MHz, 0x0000000000000000",
                power + noise
            );
        }
    }
    text
}

#[test]
fn an_nvidia_smi_log_becomes_a_profile_with_a_figure() {
    let bench = Bench::new();
    bench.write("log.csv", &training_log(8));
    let said = bench.ballast(&["calibrate", "log.csv", "--out", "gpu.toml", "--json"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let json: Value = serde_json::from_str(&said.out).unwrap();
    let group = &json["groups"][0];
    let labels: Vec<&str> = group["phases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["label"].as_str().unwrap())
        .collect();
    assert_eq!(
        labels,
        ["idle", "training", "checkpoint", "training", "idle"]
    );
    assert_eq!(group["gpus"].as_array().unwrap().len(), 8);
    assert_eq!(group["refit"]["good"], true, "{}", group["refit"]);
    let cycle = &group["phases"][1]["cycle"];
    assert!(
        (cycle["period_s"].as_f64().unwrap() - 1.5).abs() < 0.02,
        "{cycle}"
    );
    let written = String::from_utf8(bench.read("gpu.toml")).unwrap();
    assert!(written.contains("[phases.train_compute]") && written.contains("sha256"));
    for figure in ["gpu-phases.svg", "gpu-phases.png"] {
        assert!(!bench.read(figure).is_empty());
    }
    let again = bench.ballast(&["calibrate", "log.csv", "--out", "gpu.toml"]);
    assert_eq!(again.code, 2);
    assert!(again.err.contains("exists already"), "{}", again.err);
}

#[test]
fn bad_logs_are_named() {
    let bench = Bench::new();
    let mut constant = String::from("t_s,power_w\n");
    for i in 0..100 {
        let _ = writeln!(constant, "{i},50");
    }
    for (name, text, told) in [
        ("one.csv", "t_s,power_w\n0,5\n", "one sample"),
        ("back.csv", "t_s,power_w\n0,5\n2,6\n1,5\n", "steps back"),
        ("word.csv", "t_s,power_w\n0,five\n1,5\n", "is not a number"),
        ("constant.csv", constant.as_str(), "no phase can be told"),
        (
            "nan.csv",
            "t_s,power_w\n0,nan\n1,nan\n",
            "no row with a power",
        ),
        ("empty.csv", "", "empty"),
    ] {
        bench.write(name, text);
        let said = bench.ballast(&["calibrate", name]);
        assert_eq!(said.code, 2, "{name}: {}", said.out);
        assert!(said.err.contains(told), "{name}: {}", said.err);
    }
}
