//! A measured trace of 64 H100 GPUs replayed onto sets from the command line.

use crate::common::{Bench, reference_data};
use serde_json::Value;

#[test]
fn llama_trace_onto_sets() {
    let Some(trace) = reference_data("traces/h100x64-llama2-70b-lora/pscad_load_profile.csv")
    else {
        return;
    };
    let bench = Bench::new();
    // The column is (P − mean) / 5 GW after scaling the mean to 250 MW: P / mean = 1 + dP / 0.05. Here the mean is 2 MW.
    let text = format!(
        r#"
[scenario]
name = "llama"
[simulation]
duration_s = 2075
step_s = 0.001
[outputs]
ramp_windows_s = [1, 5]
[[loads]]
kind = "trace"
name = "llama"
file = "{}"
column = "dP_pu"
base_kw = 40000
offset_kw = 2000
[[plant.sets]]
preset = "generic-diesel-2000kw"
name = "G"
count = 3
[limits]
frequency_min_hz = 55
"#,
        trace.display()
    );
    bench.write("llama.toml", &text);
    let said = bench.ballast(&["run", "llama.toml", "--no-figures"]);
    assert!(said.code == 0 || said.code == 1, "{}{}", said.out, said.err);
    let outcome = bench.outcome("out/llama");
    let number = |path: &str| {
        outcome
            .pointer(path)
            .and_then(Value::as_f64)
            .unwrap_or_else(|| panic!("{path}"))
    };
    let mean = 2e6;
    // Published figures of the trace: P/mean spans 0.14 to 1.29; steepest 5 s change +17 / −21 % of mean per second.
    assert!((number("/site/envelope/min") / mean - 0.14).abs() < 0.005);
    assert!((number("/site/envelope/max") / mean - 1.29).abs() < 0.005);
    assert!((number("/site/ramps/1/up/delta") / mean / 5.0 - 0.17).abs() < 0.005);
    assert!((number("/site/ramps/1/down/delta") / mean / 5.0 + 0.21).abs() < 0.005);
    let bandwidth = outcome["verdicts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|v| v["limit"] == "load_above_bandwidth")
        .unwrap();
    assert_eq!(bandwidth["status"], "NOT_CHECKED");
    assert!(
        bandwidth["basis"].as_str().unwrap().contains("2.49"),
        "{}",
        bandwidth["basis"]
    );
    let frequency = outcome["verdicts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|v| v["limit"] == "frequency_min_hz")
        .unwrap();
    assert!(
        frequency["basis"]
            .as_str()
            .unwrap()
            .contains("usable to 2.49"),
        "{}",
        frequency["basis"]
    );
}
