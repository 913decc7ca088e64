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

/// The trace at 20 MW through every measure that acts on a load that is given: batteries, and limits on the load beside the sets'. What it
/// can tell, and that everything it stands for is taken to be in step, stands in each verdict.
#[test]
fn llama_trace_at_20_mw_through_batteries() {
    let Some(trace) = reference_data("traces/h100x64-llama2-70b-lora/pscad_load_profile.csv")
    else {
        return;
    };
    let bench = Bench::new();
    let text = format!(
        r#"
[scenario]
name = "llama"
[simulation]
duration_s = 300
step_s = 0.02
plant_step_s = 0.002
[[loads]]
kind = "trace"
name = "llama"
file = "{}"
column = "dP_pu"
base_kw = 20
offset_kw = 1
scale_to_mean_kw = 20000
[[plant.sets]]
preset = "generic-diesel-2000kw"
name = "G"
count = 15
[limits]
frequency_min_hz = 58
frequency_swing_hz = 2
site_peak_kw = 26000
site_peak_quantile = 1
[limits.load]
ramp_up_mw_per_s = 1
ramp_down_mw_per_s = 1
change_mw = 5
change_window_s = 10
range_share = 0.5
band_high_hz = 2
band_share = 0.2
band_min_rms_mw = 0.5
[[variant]]
name = "fast"
set.bess.a = {{ name = "a", energy_kwh = 200, power_kw = 8000, time_constant_s = 5 }}
[[variant]]
name = "slow"
set.bess.b = {{ name = "b", energy_kwh = 4000, power_kw = 20000, time_constant_s = 60 }}
[[variant]]
name = "both"
with = ["fast", "slow"]
"#,
        trace.display()
    );
    bench.write("llama.toml", &text);
    let said = bench.ballast(&["compare", "llama.toml", "--no-figures"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let all: Value = serde_json::from_slice(&bench.read("out/llama-compare/compare.json")).unwrap();
    let values = |key: &str| -> Vec<f64> {
        let rows = all["rows"].as_array().unwrap();
        let row = rows.iter().find(|r| r["key"] == key);
        let row = row.unwrap_or_else(|| panic!("{key} is missing: {}", said.out));
        row["values"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_f64)
            .collect()
    };
    // Smoother with each, smoothest with both.
    for key in ["band_mw_rms", "swing_in_5s_kw", "frequency_range_hz"] {
        let v = values(key);
        assert!(
            v[1] < 0.8 * v[0] && v[2] < 0.8 * v[0] && v[3] < v[1].min(v[2]),
            "{key}: {v:?}"
        );
    }
    for member in all["members"].as_array().unwrap() {
        let file = member["outcome_file"].as_str().unwrap();
        let outcome: Value =
            serde_json::from_slice(&bench.read(&format!("out/llama-compare/{file}"))).unwrap();
        let mut checked = 0;
        for v in outcome["verdicts"].as_array().unwrap() {
            let basis = v["basis"].as_str().unwrap();
            // Also of what was asked for and could not be told.
            if v["status"] == "NOT_CHECKED" && v["limit_value"].is_null() {
                continue;
            }
            checked += 1;
            for part in ["usable to 2.49", "assumes full coincidence"] {
                assert!(basis.contains(part), "{file} {}: {basis}", v["limit"]);
            }
        }
        assert!(checked >= 9, "{file}: {checked}");
        let assumed = outcome["assumptions"].to_string();
        assert!(
            assumed.contains("batteries at the bus act on it"),
            "{assumed}"
        );
    }
}
