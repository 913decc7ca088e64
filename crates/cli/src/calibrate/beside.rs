//! Meters beside a log: on the supply of its GPU, and on its node.

use std::path::Path;

use ballast_calibrate::{Calibration, Known, MeterComparison, NodeFit, Signal, compare_meter};
use ballast_tables::TableProblem;

use crate::calibrate::CalibrateArgs;
use crate::calibrate_input::{Input, meter};

/// The log beside the meter of its GPU's supply.
pub(crate) fn against(
    file: &Path,
    input: &Input,
    done: &Calibration,
    known: &Known,
) -> Result<MeterComparison, Vec<TableProblem>> {
    let refused = |message: String, help: &str| {
        vec![TableProblem {
            file: file.to_owned(),
            line: None,
            column: None,
            message,
            help: help.to_owned(),
        }]
    };
    let [gpu] = &input.recording.gpus[..] else {
        return Err(refused(
            format!("the log has {} GPUs", input.recording.gpus.len()),
            "choose the one that the meter saw with --gpu",
        ));
    };
    let (time_s, watts, dated) = meter(file, input.start_unix_s).map_err(|p| p.0)?;
    let length_s = gpu.time_s.last().unwrap_or(&0.0) - gpu.time_s.first().unwrap_or(&0.0);
    let off_s = if dated { 30.0 } else { 0.5 * length_s };
    compare_meter(gpu, done, known, (&time_s, &watts), off_s)
        .map_err(|e| refused(e.to_string(), ""))
}

/// The comparison in lines.
pub(crate) fn beside_meter(m: &MeterComparison) -> Vec<String> {
    let off = |w: f64| {
        format!(
            "{w:.2} W ({:+.2} W, {:+.2} %; energy {:+.1} J)",
            w - m.meter_w,
            100.0 * (w / m.meter_w - 1.0),
            (w - m.meter_w) * (m.to_s - m.from_s)
        )
    };
    let mut lines = vec![
        format!(
            "meter: {:.2} W, {:.1} J over {:.2} s that both saw; its clock is {:.3} s ahead",
            m.meter_w,
            m.meter_j,
            m.to_s - m.from_s,
            m.offset_s
        ),
        format!("  log as read:   {}", off(m.read_w)),
        format!("  log corrected: {}", off(m.corrected_w)),
    ];
    lines.push(match m.window_s {
        Some((best, low, high)) => format!(
            "  window of the sensor by the meter: {:.1} ms ({:.1} to {:.1} ms)",
            1e3 * best,
            1e3 * low,
            1e3 * high
        ),
        None => "  window of the sensor by the meter: the load does not tell it".to_owned(),
    });
    lines
}

/// The node, as a fit and as text for a scenario.
pub(crate) fn node(
    args: &CalibrateArgs,
    input: &Input,
    done: &Calibration,
) -> Result<Option<(NodeFit, String)>, Vec<TableProblem>> {
    let Some(file) = &args.node else {
        return Ok(None);
    };
    let (time_s, watts, dated) = meter(file, input.start_unix_s).map_err(|p| p.0)?;
    let first = &done.groups[0].mean;
    let n = first.value.len();
    let mut sum = vec![0.0; n];
    for signal in done.groups.iter().flat_map(|g| &g.each) {
        for (total, v) in sum.iter_mut().zip(&signal.value) {
            *total += v;
        }
    }
    let gpus = Signal {
        value: sum,
        ..first.clone()
    };
    // Dates are good to some seconds; but for whole hours of another time zone nothing larger is looked for.
    let off_s = if dated {
        30.0
    } else {
        0.25 * n as f64 * gpus.dt_s
    };
    let fit = ballast_calibrate::fit_node(&gpus, (&time_s, &watts), off_s).map_err(|e| {
        vec![TableProblem {
            file: file.clone(),
            line: None,
            column: None,
            message: e.to_string(),
            help: String::new(),
        }]
    })?;
    let name = file
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let source = format!(
        "meter {name} against the GPUs' sensors over {} samples, two standard errors",
        fit.samples
    );
    let text = fit.toml("measured", &source);
    Ok(Some((fit, text)))
}
