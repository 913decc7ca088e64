//! Statistics of the measured traces, which are not part of the project: read where `BALLAST_SHARED` points.

use std::fs;
use std::path::{Path, PathBuf};

use ballast_series::{BlockSource, TraceSeries};
use ballast_tables::{TraceOptions, read_trace};

use super::stats::{Course, edges, levels, lines, median, memory, ramps};
use super::{
    Figures, LAGS_H100_S, LAGS_SQUARE_S, ValidationError, WINDOWS_H100_S, WINDOWS_SQUARE_S,
};

/// Folder with the measured traces, if it is there: `traces` in the folder that `BALLAST_SHARED` names, by default one
/// beside the repository.
pub fn folder() -> Option<PathBuf> {
    let root = std::env::var_os("BALLAST_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let traces = root.join("traces");
    traces.is_dir().then_some(traces)
}

fn course(path: &Path, dt_s: f64, convert: impl Fn(f64) -> f64) -> Result<Course, ValidationError> {
    let failed = |why: String| ValidationError::Trace {
        path: path.to_owned(),
        why,
    };
    let options = TraceOptions {
        max_gap_s: Some(1.0),
        ..TraceOptions::default()
    };
    let trace = read_trace(path, &options).map_err(|e| failed(e.to_string()))?;
    let power: Vec<f64> = trace.value.iter().map(|v| convert(*v)).collect();
    let series = TraceSeries::new(trace.time_s, power, false).map_err(|e| failed(e.to_string()))?;
    let samples = (series.duration_s() / dt_s) as usize;
    let mut played = series.sampled(dt_s).map_err(|e| failed(e.to_string()))?;
    let mut power = vec![0.0; samples];
    played.fill(0, &mut power);
    Ok(Course { dt_s, power })
}

/// The job of 64 H100: power over its mean, on a grid of 0.2 s.
pub(super) fn h100(traces: &Path) -> Result<Course, ValidationError> {
    // The column is (P − mean)/5 GW after scaling the mean to 250 MW.
    let path = traces.join("h100x64-llama2-70b-lora/pscad_load_profile.csv");
    course(&path, 0.2, |dp| 1.0 + dp / 0.05)
}

/// The part of it in which the job iterates: from 330 to 2040 s.
pub(super) fn h100_training(whole: &Course) -> Course {
    whole.between(330.0, 2040.0)
}

/// Every statistic of the measured traces under `traces`.
pub fn measure(traces: &Path) -> Result<Figures, ValidationError> {
    let mut all = Figures::new();
    let whole = h100(traces)?;
    let training = h100_training(&whole);
    let idle = whole.between(0.0, 120.0).quantile(0.5);
    for (key, level) in [
        ("load", whole.between(160.0, 270.0).quantile(0.5)),
        ("upper", training.quantile(0.75)),
        ("lower", training.quantile(0.25)),
    ] {
        all.insert(format!("h100.{key}_over_idle"), level / idle);
    }
    levels(&mut all, "h100", &training);
    let percent = 100.0 / training.mean();
    ramps(&mut all, "h100", &training, &WINDOWS_H100_S, percent);
    memory(&mut all, "h100", &training, &LAGS_H100_S);
    lines(&mut all, "h100", &training);

    let meter = traces.join("nvml-vs-meter-a100");
    let square = course(&meter.join("5050/A100/meter.csv"), 2e-4, |w| w)?.between(1.1, 8.9);
    let (low, high) = (square.quantile(0.25), square.quantile(0.75));
    all.insert("square.low".into(), low);
    all.insert("square.high".into(), high);
    levels(&mut all, "square", &square);
    let (rises, falls) = edges(&square, low, high);
    all.insert("square.edges".into(), rises.len().min(falls.len()) as f64);
    all.insert("square.rise_time".into(), median(rises));
    all.insert("square.fall_time".into(), median(falls));
    ramps(&mut all, "square", &square, &WINDOWS_SQUARE_S, 1.0);
    memory(&mut all, "square", &square, &LAGS_SQUARE_S);
    lines(&mut all, "square", &square);

    let step = course(
        &meter.join("Transient_Response/A100_TR/meter.csv"),
        2e-4,
        |w| w,
    )?;
    super::step(&mut all, &step);

    for (key, workload) in [
        ("v100_matmul", "matmul_compute_bound"),
        ("v100_memory", "inference_memory_bound"),
    ] {
        let path = traces
            .join("v100x3-cap-steps/v100_raw/E1_power_cap_sweep")
            .join(format!("{workload}_pcap300_sm1380.csv"));
        let steady = course(&path, 0.01, |w| w)?.between(4.0, 30.0);
        let histogram = steady.histogram();
        all.insert(format!("{key}.mean"), histogram.mean());
        all.insert(
            format!("{key}.cv"),
            100.0 * histogram.std() / histogram.mean(),
        );
        let drift = steady.between(21.0, 26.0).mean() / steady.between(0.0, 5.0).mean() - 1.0;
        all.insert(format!("{key}.drift"), 100.0 * drift);
    }
    for (key, name) in [
        ("kalos", "gpu_power_kalos_cdf"),
        ("seren", "gpu_power_seren_cdf"),
    ] {
        production(
            &mut all,
            key,
            &traces.join(format!("a100-production-cdf/{name}.json")),
        )?;
    }
    Ok(all)
}

/// A cumulative distribution: powers, and the percentages of samples up to them.
fn production(into: &mut Figures, key: &str, path: &Path) -> Result<(), ValidationError> {
    let failed = |why: String| ValidationError::Trace {
        path: path.to_owned(),
        why,
    };
    let text = fs::read_to_string(path).map_err(|e| failed(e.to_string()))?;
    let [power, percent]: [Vec<f64>; 2] =
        serde_json::from_str(&text).map_err(|e| failed(e.to_string()))?;
    let at = |share: f64| {
        let k = percent.partition_point(|p| *p < 100.0 * share);
        power.get(k).copied().unwrap_or(f64::NAN)
    };
    let share_up_to = |w: f64| {
        let k = power.partition_point(|p| *p <= w);
        percent.get(k.saturating_sub(1)).copied().unwrap_or(0.0)
    };
    for (name, q) in [
        ("p5", 0.05),
        ("p50", 0.5),
        ("p95", 0.95),
        ("p99", 0.99),
        ("max", 1.0),
    ] {
        into.insert(format!("{key}.{name}"), at(q));
    }
    into.insert(format!("{key}.below_75"), share_up_to(75.0));
    into.insert(format!("{key}.above_400"), 100.0 - share_up_to(400.0));
    Ok(())
}
