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
        // Three devices alternate in one file.
        let problems = read_trace(&path, &TraceOptions::default()).unwrap_err();
        assert!(
            problems.0[0].message.contains("comes again after"),
            "{problems}"
        );
        assert!(
            problems.0[0].help.contains("sum them per time"),
            "{problems}"
        );
        assert_eq!(problems.0.len(), 21);
    }
}
