//! Real logs, where they are at hand.

#![expect(clippy::print_stdout, reason = "a skipped test says so")]

use std::path::{Path, PathBuf};

use ballast_tables::{TimeUnit, TraceOptions, Unit, read_trace};

/// A file of measured data, which is not part of the project. `None`, said in words, where it is not at hand.
fn measured(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("BALLAST_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let path = root.join("traces").join(name);
    if !path.is_file() {
        println!("skipped: the measured trace {name} is not at hand (BALLAST_SHARED)");
        return None;
    }
    Some(path)
}

#[test]
fn a_measured_job_of_64_gpus() {
    let Some(path) = measured("h100x64-llama2-70b-lora/pscad_load_profile.csv") else {
        return;
    };
    let trace = read_trace(&path, &TraceOptions::default()).unwrap();
    assert_eq!(
        (trace.rows, trace.unit, trace.time_unit),
        (10_361, Unit::PerUnit, TimeUnit::S)
    );
    assert!(
        (trace.interval_s - 0.2).abs() < 1e-3,
        "{}",
        trace.interval_s
    );
    assert!(
        (trace.longest_gap_s - 0.543).abs() < 1e-3,
        "{}",
        trace.longest_gap_s
    );
}

#[test]
fn measured_logs_of_single_gpus() {
    if let Some(path) = measured("nvml-vs-meter-a100/5050/A100/gpudata.csv") {
        let problems = read_trace(&path, &TraceOptions::default()).unwrap_err();
        assert!(
            problems.0[0]
                .message
                .contains("`power.draw [W]`, `power.draw.instant [W]`"),
            "{problems}"
        );
        let options = TraceOptions {
            column: Some("power.draw [W]".into()),
            ..TraceOptions::default()
        };
        match read_trace(&path, &options) {
            Ok(trace) => {
                assert_eq!((trace.unit, trace.time_unit), (Unit::W, TimeUnit::Iso8601));
                assert!(
                    (trace.interval_s - 0.014).abs() < 0.002,
                    "{}",
                    trace.interval_s
                );
            }
            Err(problems) => panic!("{problems}"),
        }
    }
    if let Some(path) = measured("nvml-vs-meter-a100/5050/A100/meter.csv") {
        let trace = read_trace(&path, &TraceOptions::default()).unwrap();
        assert_eq!(trace.rows, 47_735);
        assert!(
            (trace.interval_s - 0.0002).abs() < 1e-5,
            "{}",
            trace.interval_s
        );
    }
    if let Some(path) = measured(
        "v100x3-cap-steps/v100_raw/E1_power_cap_sweep/matmul_compute_bound_pcap300_sm1380.csv",
    ) {
        let trace = read_trace(&path, &TraceOptions::default()).unwrap();
        assert_eq!(
            (trace.column.as_str(), trace.time_column.as_str()),
            ("power_w", "t_s")
        );
        assert_eq!(trace.rows, 3520);
    }
    if let Some(path) = measured("v100x3-cap-steps/v100_raw/E6_multigpu/budget_900_telemetry.csv") {
        // Three devices alternate in one file; every 5 s the cap is moved and nothing is logged for 0.11 s.
        let problems = read_trace(&path, &TraceOptions::default()).unwrap_err();
        assert!(
            problems.0[0].message.contains("no sample for 0.1105"),
            "{problems}"
        );
        let bridged = TraceOptions {
            max_gap_s: Some(0.2),
            ..TraceOptions::default()
        };
        let sum = read_trace(&path, &bridged).unwrap();
        // 81.89 + 40.52 + 38.65 W in the first poll.
        assert!((sum.value[0] - 161.06).abs() < 1e-9, "{}", sum.value[0]);
        let mut alone = 0.0;
        for device in ["0", "1", "2"] {
            let devices = Some(device.to_owned());
            let one = TraceOptions {
                devices,
                ..bridged.clone()
            };
            let one = read_trace(&path, &one).unwrap();
            assert_eq!(one.time_s, sum.time_s);
            alone += one.value.iter().sum::<f64>();
        }
        let all: f64 = sum.value.iter().sum();
        assert!((alone - all).abs() < 1e-9 * all, "{alone} {all}");
    }
}
