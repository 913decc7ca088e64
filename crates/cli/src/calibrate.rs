//! `ballast calibrate`: from logs of GPUs, or from GPUs, to a profile.

mod live;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use ballast_calibrate::{
    Calibration, CardError, Known, MeterComparison, NodeFit, Origin, PhaseThroughput, Signal,
    compare_meter,
};
use ballast_report::{SegmentPanel, Segments, write_segments};
use ballast_scenario::Problem;
use ballast_tables::{GpuLogOptions, TableProblem};
use clap::Args;
use serde_json::{Value, json};

use crate::calibrate_input::{Input, meter, read, tokens};
use crate::exit::Exit;
use crate::printer::{Printer, problems_json};
use live::LiveArgs;

#[derive(Debug, Args)]
pub(crate) struct CalibrateArgs {
    /// Logs of GPUs: CSV of nvidia-smi or of another logger, Parquet, text of dcgmi dmon, JSON of Prometheus. Several are put on one clock.
    /// Without one the GPUs of this machine are recorded first.
    #[arg(value_name = "LOG")]
    pub(crate) logs: Vec<PathBuf>,
    /// GPUs to take, by index: `--gpu 0,1`. Default: all.
    #[arg(long, value_delimiter = ',', value_name = "INDEX")]
    pub(crate) gpu: Vec<u32>,
    /// File to write the profile to; the figure goes beside it. Default: print the profile, draw nothing. An existing file is never overwritten.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Name of the profile. Default: the GPU's.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Log of the node's meter (PDU, Redfish, IPMI; CSV with time and power): gives what the node draws beside its GPUs.
    #[arg(long, value_name = "METER")]
    pub(crate) node: Option<PathBuf>,
    /// Log of a meter on the GPU's own supply (slot and cables; CSV with time and power), of a log with one GPU: tells how far the log is
    /// off it, as read and as corrected, and the card's gain and window.
    #[arg(long, value_name = "METER")]
    pub(crate) meter: Option<PathBuf>,
    /// Tokens per second: CSV with a time and `tokens_per_s`, saved text of a Prometheus endpoint with times, or, without a log, the
    /// endpoint of the server that runs meanwhile (`http://host:port/metrics`).
    #[arg(long, value_name = "FILE|URL")]
    pub(crate) throughput: Option<String>,
    /// Watts that the sensor shows per watt drawn, where a meter has told. Default: 1, unknown by 5 %.
    #[arg(long, value_name = "RATIO", value_parser = gain)]
    pub(crate) gain: Option<f64>,
    /// Watts that the sensor shows at none drawn.
    #[arg(long, value_name = "WATTS", default_value_t = 0.0, requires = "gain", allow_negative_numbers = true, value_parser = finite)]
    pub(crate) offset_w: f64,
    /// What is left unknown of the gain, relative.
    #[arg(long, value_name = "SHARE", default_value_t = 0.01, requires = "gain", value_parser = share)]
    pub(crate) gain_error: f64,
    /// Period of the load in seconds, where it was made so.
    #[arg(long, value_name = "SECONDS", value_parser = gain)]
    pub(crate) period_s: Option<f64>,
    /// Thermal design power of the GPU, watts. Default: the power limit in the log.
    #[arg(long, value_name = "WATTS")]
    pub(crate) tdp_w: Option<f64>,
    /// Time between polls in seconds, for text of `dcgmi dmon` without times.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) interval_s: Option<f64>,
    /// Leave out rows of a log that are torn or whose time steps back, up to a twentieth of all, and say which. Default: such a log is refused.
    #[arg(long)]
    pub(crate) skip_bad_rows: bool,
    #[command(flatten)]
    pub(crate) live: LiveArgs,
    /// Print JSON on standard output instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A number above zero.
fn gain(text: &str) -> Result<f64, String> {
    finite(text)
        .ok()
        .filter(|v| *v > 0.0)
        .ok_or_else(|| "write a number above 0".to_owned())
}

fn finite(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|v: &f64| v.is_finite())
        .ok_or_else(|| "write a number".to_owned())
}

fn share(text: &str) -> Result<f64, String> {
    finite(text)
        .ok()
        .filter(|v| (0.0..1.0).contains(v))
        .ok_or_else(|| "write a number from 0 to below 1, such as 0.01".to_owned())
}

pub(crate) fn calibrate(args: &CalibrateArgs, printer: &Printer) -> Exit {
    if let Some(out) = args.out.as_deref().filter(|out| out.exists()) {
        return printer.failure(
            Exit::BadInput,
            &format!("{} exists already", out.display()),
            "choose another name, or remove the file first",
            args.json,
        );
    }
    if let Some(tdp) = args.tdp_w.filter(|w| !(*w > 0.0 && w.is_finite())) {
        return printer.failure(
            Exit::BadInput,
            &format!("--tdp-w is {tdp}"),
            "give watts above 0",
            args.json,
        );
    }
    let inputs = match live::inputs(args, printer) {
        Ok(inputs) => inputs,
        Err(exit) => return exit,
    };
    let options = GpuLogOptions {
        interval_s: args.interval_s,
        skip_bad_rows: args.skip_bad_rows,
    };
    let input = match read(&inputs.logs, &args.gpu, &options) {
        Ok(input) => input,
        Err(found) => return refuse(found, args, printer),
    };
    let origin = origin(args, &inputs.logs, &input);
    let known = Known {
        card: args.gain.map(|gain| CardError {
            gain,
            offset_w: args.offset_w,
            error: args.gain_error,
        }),
        period_s: args.period_s,
    };
    let done = match ballast_calibrate::calibrate_known(&input.recording, &origin, &known) {
        Ok(done) => done,
        Err(error) => return printer.failure(Exit::BadInput, &error.to_string(), "", args.json),
    };
    let against = match args
        .meter
        .as_deref()
        .map(|file| against(file, &input, &done, &known))
        .transpose()
    {
        Ok(against) => against,
        Err(found) => return refuse(found, args, printer),
    };
    let node = match node(args, &input, &done) {
        Ok(node) => node,
        Err(found) => return refuse(found, args, printer),
    };
    let rates = match inputs
        .throughput
        .as_deref()
        .map(|f| tokens(f, input.start_unix_s))
        .transpose()
    {
        Ok(rates) => rates,
        Err(found) => return refuse(found.0, args, printer),
    };
    let served: Option<Vec<PhaseThroughput>> = rates.map(|r| {
        let all = done.groups.iter();
        all.flat_map(|g| ballast_calibrate::throughput(g, &r))
            .collect()
    });
    let toml = ballast_calibrate::toml(&done.profile);
    let mut written = Vec::new();
    if let Some(out) = &args.out {
        match write(out, &toml, &done, &origin, &input) {
            Ok(files) => written = files,
            Err(message) => {
                return printer.failure(
                    Exit::BadInput,
                    &message,
                    "choose a folder that exists and can be written",
                    args.json,
                );
            }
        }
    }
    if args.json {
        printer.json(&whole(
            &done,
            &input,
            (node.as_ref(), against.as_ref()),
            served.as_deref(),
            &written,
            &toml,
        ));
        return Exit::Pass;
    }
    for found in &input.found {
        printer.line(found);
    }
    printer.text(&ballast_calibrate::text(&done));
    printer.line(&format!(
        "confidence of the profile: {}",
        serde_json::to_value(done.confidence)
            .unwrap_or_default()
            .as_str()
            .unwrap_or("low")
    ));
    for line in against.iter().flat_map(beside_meter) {
        printer.line(&line);
    }
    if let Some((fit, text)) = &node {
        printer.line(&format!(
            "node: {:.1} W (± {:.1}) + {:.4} (± {:.4}) x GPUs, R2 {:.4}, residual {:.1} W; the meter's clock is {:.3} s ahead",
            fit.fixed_w.0, fit.fixed_w.1, fit.slope.0, fit.slope.1, fit.r2, fit.residual_w, fit.offset_s
        ));
        printer.text(text);
    }
    for t in served.iter().flatten() {
        let each = t.j_per_token.map_or_else(
            || "no token".to_owned(),
            |j| format!("{j:.3} J/token (GPUs alone)"),
        );
        printer.line(&format!(
            "{} {:.1} s to {:.1} s: {:.1} tokens/s, {each}",
            t.label.text(),
            t.from_s,
            t.to_s,
            t.tokens_per_s
        ));
    }
    if written.is_empty() {
        printer.text(&format!("\n{toml}"));
    }
    for file in &written {
        printer.line(&format!("wrote {}", file.display()));
    }
    Exit::Pass
}

fn refuse(found: Vec<TableProblem>, args: &CalibrateArgs, printer: &Printer) -> Exit {
    let problems: Vec<Problem> = found
        .into_iter()
        .map(|p| Problem {
            file: p.file.display().to_string(),
            line: p.line.and_then(|l| u32::try_from(l).ok()),
            column: None,
            key: p.column.unwrap_or_default(),
            message: p.message,
            help: p.help,
        })
        .collect();
    printer.problems(&problems, args.json)
}

fn origin(args: &CalibrateArgs, logs: &[PathBuf], input: &Input) -> Origin {
    let gpu = input
        .recording
        .gpus
        .iter()
        .map(|g| g.name.as_str())
        .find(|n| !n.is_empty());
    let stem = logs
        .first()
        .and_then(|f| f.file_stem())
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let names: Vec<String> = logs
        .iter()
        .map(|f| {
            f.file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    Origin {
        label: args
            .name
            .clone()
            .unwrap_or_else(|| gpu.map_or(stem, |g| format!("{g}, measured"))),
        tool: format!("ballast {}", env!("CARGO_PKG_VERSION")),
        tdp_w: args.tdp_w.map(|w| (w, "given with --tdp-w".to_owned())),
        file: names.join(", "),
        ..Origin::default()
    }
}

/// The log beside the meter of its GPU's supply.
fn against(
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
fn beside_meter(m: &MeterComparison) -> Vec<String> {
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
    if let Some((gain, offset_w)) = m.card {
        lines.push(format!(
            "  the card by this meter: --gain {gain:.4} --offset-w {offset_w:.2}"
        ));
    }
    lines
}

/// The node, as a fit and as text for a scenario.
fn node(
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

/// Writes profile and figure; returns the files.
fn write(
    out: &Path,
    toml: &str,
    done: &Calibration,
    origin: &Origin,
    input: &Input,
) -> Result<Vec<PathBuf>, String> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(out)
        .and_then(|mut f| f.write_all(toml.as_bytes()).and_then(|()| f.sync_all()))
        .map_err(|e| format!("{} cannot be written: {e}", out.display()))?;
    let mut files = vec![out.to_owned()];
    let folder = match out.parent() {
        Some(p) if !p.as_os_str().is_empty() => p.to_owned(),
        _ => PathBuf::from("."),
    };
    let panels = done
        .groups
        .iter()
        .zip(&done.reports)
        .map(|(g, r)| {
            let gpus: Vec<String> = r.gpus.iter().map(u32::to_string).collect();
            SegmentPanel {
                heading: format!("Power per GPU (W), GPU {}", gpus.join(", ")),
                start_s: g.mean.start_s,
                dt_s: g.mean.dt_s,
                power_w: g.mean.value.clone(),
                phases: r
                    .phases
                    .iter()
                    .map(|p| (p.from_s, p.to_s, p.level_w, p.label.text().to_owned()))
                    .collect(),
            }
        })
        .collect();
    let hash: String = input.recording.sha256.chars().take(12).collect();
    let figure = Segments {
        title: format!("{}: phases of the log", origin.label),
        basis: format!(
            "{} of {}, mean of GPUs that move together",
            done.groups[0].reading, origin.file
        ),
        footer: format!("{} · log {hash}", origin.tool),
        panels,
    };
    for file in write_segments(&figure, &folder).map_err(|e| e.to_string())? {
        let stem = out.file_stem().unwrap_or_default().to_string_lossy();
        let extension = file.extension().unwrap_or_default().to_string_lossy();
        let named = folder.join(format!("{stem}-phases.{extension}"));
        std::fs::rename(&file, &named)
            .map_err(|e| format!("{} cannot be written: {e}", named.display()))?;
        files.push(named);
    }
    Ok(files)
}

fn whole(
    done: &Calibration,
    input: &Input,
    (node, against): (Option<&(NodeFit, String)>, Option<&MeterComparison>),
    served: Option<&[PhaseThroughput]>,
    written: &[PathBuf],
    toml: &str,
) -> Value {
    json!({
        "exit_code": Exit::Pass.code(),
        "problems": problems_json(&[]),
        "found": input.found,
        "groups": done.reports,
        "lags": done.lags,
        "confidence": done.confidence,
        "profile": done.profile,
        "profile_toml": toml,
        "node": node.map(|(fit, text)| json!({ "fit": fit, "toml": text })),
        "meter": against,
        "throughput": served,
        "written": written.iter().map(|f| f.display().to_string()).collect::<Vec<_>>(),
    })
}
