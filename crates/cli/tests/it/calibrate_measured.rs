//! `ballast calibrate` on measured logs, beside the meter that saw the same seconds.

use std::path::PathBuf;

use serde_json::Value;

use crate::common::{Bench, Said, reference_data};

const A100: &str = "NVIDIA A100-PCIE-40GB";
const V100: &str = "Tesla V100-SXM2-32GB";

fn json(said: &Said) -> Value {
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    serde_json::from_str(&said.out).unwrap()
}

/// A log of an A100 beside the meter on its slot and cables, with the gain and offset that its owners published of this card (Yang et al.,
/// SC24), as text and as JSON.
fn beside_meter(folder: &str) -> Option<(String, Value)> {
    let folder = reference_data(&format!("traces/nvml-vs-meter-a100/{folder}"))?;
    let bench = Bench::new();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (log, meter) = (path("gpudata.csv"), path("meter.csv"));
    let words = [
        "calibrate",
        &log,
        "--gpu-name",
        A100,
        "--meter",
        &meter,
        "--gain",
        "0.954",
        "--offset-w",
        "-1.177",
    ];
    let text = bench.ballast(&words);
    assert_eq!(text.code, 0, "{}", text.err);
    let found = json(&bench.ballast(&[&words[..], &["--json"]].concat()));
    Some((text.out, found))
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

/// How far a mean is off the meter's, as a share.
fn off(meter: &Value, of: &str) -> f64 {
    number(&meter[of]) / number(&meter["meter_w"]) - 1.0
}

#[test]
fn a_load_step_agrees_with_the_meter_better_when_corrected() {
    let Some((text, found)) = beside_meter("Transient_Response/A100_TR") else {
        return;
    };
    let meter = &found["meter"];
    let (raw, corrected) = (off(meter, "read_w"), off(meter, "corrected_w"));
    eprintln!("as read {raw:+.4}, corrected {corrected:+.4}: {meter}");
    assert!(corrected.abs() < 0.01 && corrected.abs() < raw.abs() / 5.0);
    let energy = |of: &str| (number(&meter[of]) / number(&meter["meter_j"]) - 1.0).abs();
    assert!(energy("corrected_j") < energy("read_j") / 5.0);
    for word in ["log as read:", "log corrected:", "energy"] {
        assert!(text.contains(word), "{word}: {text}");
    }
}

#[test]
fn a_square_wave_of_104_ms_agrees_with_the_meter_and_tells_the_window() {
    let Some((text, found)) = beside_meter("5050/A100") else {
        return;
    };
    let meter = &found["meter"];
    let (raw, corrected) = (off(meter, "read_w"), off(meter, "corrected_w"));
    eprintln!("as read {raw:+.4}, corrected {corrected:+.4}: {meter}");
    // As read this log is right by chance: its 25 ms looked at the high half more often by about as much as the card shows too little.
    assert!(
        corrected.abs() < 0.01 && corrected.abs() <= raw.abs(),
        "{text}"
    );
    let window_s = number(&meter["window_s"][0]);
    assert!((window_s / 0.025 - 1.0).abs() < 0.10, "{window_s}");
    assert!(text.contains("window of the sensor by the meter"), "{text}");
    // 52.17 ms of kernel, 52.17 ms of rest, from samples 101 ms apart.
    let phases = found["groups"][0]["phases"].as_array().unwrap();
    let cycle = phases
        .iter()
        .find(|p| p["label"] == "training")
        .map(|p| &p["cycle"])
        .unwrap();
    assert!(
        (number(&cycle["period_s"]) - 0.104_34).abs() < 5e-4,
        "{cycle}"
    );
}

fn v100(name: &str) -> Option<PathBuf> {
    reference_data(&format!("traces/v100x3-cap-steps/v100_raw/{name}"))
}

#[test]
fn logs_of_v100s_are_imported_and_segmented() {
    for (name, gpus, more) in [
        (
            "E1_power_cap_sweep/bursty_alternating_pcap300_sm1380.csv",
            1,
            &[][..],
        ),
        (
            "E1_power_cap_sweep/inference_memory_bound_pcap300_sm1380.csv",
            1,
            &[],
        ),
        (
            "E1_power_cap_sweep/matmul_compute_bound_pcap300_sm1380.csv",
            1,
            &[],
        ),
        ("E2_inner_loop/telemetry.csv", 1, &[]),
        (
            // Three rows of the third GPU are whole.
            "E3_outer_loop/bursty_alternating_telemetry.csv",
            2,
            &["--skip-bad-rows"],
        ),
        (
            "E4_closed_loop/bursty_alternating_trajectory.csv",
            1,
            &["--column", "measured_w"],
        ),
        ("E6_multigpu/budget_900_telemetry.csv", 3, &[]),
    ] {
        let Some(file) = v100(name) else {
            continue;
        };
        let words = [
            &[
                "calibrate",
                file.to_str().unwrap(),
                "--gpu-name",
                V100,
                "--json",
            ],
            more,
        ]
        .concat();
        let found = json(&Bench::new().ballast(&words));
        let groups = found["groups"].as_array().unwrap();
        let seen: usize = groups
            .iter()
            .map(|g| g["gpus"].as_array().unwrap().len())
            .sum();
        assert_eq!(seen, gpus, "{name}");
        for group in groups {
            let phases = group["phases"].as_array().unwrap();
            eprintln!(
                "{name}: GPUs {}, {} phases, refit {}",
                group["gpus"],
                phases.len(),
                group["refit"]
            );
            assert!(!phases.is_empty(), "{name}");
            assert!(
                phases
                    .windows(2)
                    .all(|w| number(&w[0]["to_s"]) == number(&w[1]["from_s"])),
                "{name}"
            );
            let sensors = group["sensors"].as_array().unwrap();
            assert!(
                sensors.iter().all(|s| s["window_s"] == 0.01),
                "{name}: {sensors:?}"
            );
        }
        // Three GPUs: how they go together is reported.
        assert_eq!(found["lags"].as_array().unwrap().len(), gpus - 1, "{name}");
        for pair in found["lags"].as_array().unwrap() {
            eprintln!("{name}: {pair}");
        }
        if name.starts_with("E6") {
            for pair in found["lags"].as_array().unwrap() {
                assert!(number(&pair["coefficient"]) > 0.9, "{pair}");
            }
            assert_eq!(groups[0]["refit"]["good"], true, "{}", groups[0]["refit"]);
            let steady = groups[0]["correlation"]
                .as_array()
                .unwrap()
                .iter()
                .find(|c| c["label"] == "steady")
                .unwrap();
            assert!(number(&steady["coefficient"]).abs() <= 1.0 && steady["pairs"] == 3);
        }
    }
}

#[test]
fn a_log_with_torn_rows_is_refused_with_lines_and_read_on_demand() {
    let Some(file) = v100("E3_outer_loop/bursty_alternating_telemetry.csv") else {
        return;
    };
    let bench = Bench::new();
    let refused = bench.ballast(&["calibrate", file.to_str().unwrap()]);
    assert_eq!(refused.code, 2);
    for word in [
        ":76: the row has 25 cells, the header has 13",
        "the time steps back",
        "--skip-bad-rows",
        "21 rows that are torn",
    ] {
        assert!(refused.err.contains(word), "{word}: {}", refused.err);
    }
    let read = bench.ballast(&["calibrate", file.to_str().unwrap(), "--skip-bad-rows"]);
    assert_eq!(read.code, 0, "{}", read.err);
    for word in [
        "21 rows that are torn were left out: lines 76, 109",
        "rows that step back in time were left out",
        "GPU 1 was left out",
    ] {
        assert!(read.out.contains(word), "{word}: {}", read.out);
    }
}
