//! Logs of GPUs, meters and servers, as calibration takes them.

use std::path::{Path, PathBuf};

use ballast_calibrate::{
    Architecture, GpuRecording, Recording, prometheus_text, recording_of as recording_from,
};
use ballast_tables::{
    GpuColumns, GpuLog, GpuLogOptions, Reading, TableProblem, TableProblems, TraceOptions, Unit,
    read_gpu_log, read_table, read_trace,
};

/// A recording and what was found in its files.
pub(crate) struct Input {
    pub(crate) recording: Recording,
    /// Seconds since 1970 of t = 0, where a log has dates.
    pub(crate) start_unix_s: Option<f64>,
    pub(crate) found: Vec<String>,
}

/// Reads the logs and puts their GPUs on one clock.
pub(crate) fn read(
    files: &[PathBuf],
    chosen: &[u32],
    options: &GpuLogOptions,
) -> Result<Input, Vec<TableProblem>> {
    if let [file] = files
        && let Some(recording) = own(file)?
    {
        return of_gpus(files, recording, chosen);
    }
    let mut problems = Vec::new();
    let mut logs: Vec<GpuLog> = Vec::new();
    for file in files {
        match read_gpu_log(file, options) {
            Ok(log) => logs.push(log),
            Err(TableProblems(found)) => {
                problems.extend(found);
                problems.extend(the_rest(file, options));
            }
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let start_unix_s = logs.first().and_then(|l| l.start_unix_s);
    let mut input = Input {
        recording: Recording {
            sha256: logs
                .iter()
                .map(|l| l.sha256.as_str())
                .collect::<Vec<_>>()
                .join("+"),
            started: logs.first().map(|l| l.started.clone()).unwrap_or_default(),
            ..Recording::default()
        },
        start_unix_s,
        found: Vec::new(),
    };
    for (log, file) in logs.into_iter().zip(files) {
        // Without dates every log begins at t = 0.
        let shift_s = log
            .start_unix_s
            .zip(start_unix_s)
            .map_or(0.0, |(a, b)| a - b);
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        input
            .found
            .extend(log.found.iter().map(|f| format!("{name}: {f}")));
        for gpu in log.gpus {
            let next = input.recording.gpus.len() as u32;
            let gpu = recording_of(gpu, shift_s, next, &mut input.found);
            if chosen.is_empty() || chosen.contains(&gpu.index) {
                input.recording.gpus.push(gpu);
            }
        }
    }
    if input.recording.gpus.is_empty() {
        return Err(vec![none_chosen(files)]);
    }
    Ok(input)
}

/// Says that a log could be read but for some rows, if so.
fn the_rest(file: &Path, options: &GpuLogOptions) -> Option<TableProblem> {
    let lenient = GpuLogOptions {
        skip_bad_rows: true,
        ..*options
    };
    let rest = (!options.skip_bad_rows)
        .then(|| read_gpu_log(file, &lenient).ok())
        .flatten()?;
    let left_out: Vec<String> = rest
        .found
        .into_iter()
        .filter(|f| f.contains("were left out"))
        .collect();
    Some(TableProblem {
        file: file.to_owned(),
        line: None,
        column: None,
        message: format!("the rest of it can be read ({})", left_out.join("; ")),
        help: "mend the rows, or leave them out with --skip-bad-rows".to_owned(),
    })
}

fn none_chosen(files: &[PathBuf]) -> TableProblem {
    TableProblem {
        file: files.first().cloned().unwrap_or_default(),
        line: None,
        column: None,
        message: "none of the GPUs of --gpu is in the log".to_owned(),
        help: "leave --gpu out to take all of them".to_owned(),
    }
}

/// What `ballast record` wrote, a file or the folder with its parts, with its marks and what it knows of the GPUs; none if it is something else.
fn own(file: &Path) -> Result<Option<Recording>, Vec<TableProblem>> {
    let Ok(table) = read_table(file) else {
        return Ok(None);
    };
    if table
        .metadata
        .iter()
        .all(|(key, _)| !key.starts_with("ballast."))
    {
        return Ok(None);
    }
    recording_from(&table.columns, &table.metadata, &table.sha256)
        .map(Some)
        .map_err(|why| {
            vec![TableProblem {
                file: file.to_owned(),
                line: None,
                column: None,
                message: format!("is no whole recording: {why}"),
                help: "name the file or the `.parts` folder that `ballast record` wrote".to_owned(),
            }]
        })
}

/// The chosen GPUs of a recording.
fn of_gpus(
    files: &[PathBuf],
    mut recording: Recording,
    chosen: &[u32],
) -> Result<Input, Vec<TableProblem>> {
    recording
        .gpus
        .retain(|g| chosen.is_empty() || chosen.contains(&g.index));
    if recording.gpus.is_empty() {
        return Err(vec![none_chosen(files)]);
    }
    // Seconds since 1970 of t = 0, as the recording's metadata has it.
    let start_unix_s = humantime::parse_rfc3339(&recording.started)
        .ok()
        .and_then(|t| t.duration_since(std::time::SystemTime::UNIX_EPOCH).ok())
        .map(|d| d.as_secs_f64());
    Ok(Input {
        found: vec![format!(
            "a recording of this program: {} GPUs, {} marks",
            recording.gpus.len(),
            recording.marks.len()
        )],
        recording,
        start_unix_s,
    })
}

fn recording_of(gpu: GpuColumns, shift_s: f64, next: u32, found: &mut Vec<String>) -> GpuRecording {
    let mut readings = gpu.readings;
    let mut take = |reading: Reading| readings.remove(&reading);
    let mut out = GpuRecording {
        index: gpu.index.unwrap_or(next),
        uuid: gpu.uuid,
        driver: gpu.driver,
        time_s: gpu.time_s.iter().map(|t| t + shift_s).collect(),
        average_w: take(Reading::AverageW),
        instant_w: take(Reading::InstantW),
        energy_j: take(Reading::EnergyJ),
        sm_mhz: take(Reading::SmMhz),
        memory_mhz: take(Reading::MemoryMhz),
        utilisation: take(Reading::Utilisation),
        memory_used_bytes: take(Reading::MemoryUsedBytes),
        temperature_c: take(Reading::TemperatureC),
        // Bit 63: the reading failed.
        throttle: take(Reading::Throttle).map(|bits| {
            bits.iter()
                .map(|b| if b.is_finite() { *b as u64 } else { 1 << 63 })
                .collect()
        }),
        limit_w: take(Reading::LimitW).and_then(|l| l.into_iter().rev().find(|v| v.is_finite())),
        name: gpu.name,
    };
    let Some(power) = take(Reading::PowerW) else {
        return out;
    };
    // `power.draw` is a mean over a second from Ampere on, but for the A100 (NVML's documentation of nvmlDeviceGetPowerUsage).
    let short = matches!(
        Architecture::of(&out.name),
        Architecture::Ga100 | Architecture::Turing | Architecture::Volta | Architecture::Pascal
    );
    let slot = if short {
        &mut out.instant_w
    } else {
        &mut out.average_w
    };
    if slot.is_none() {
        *slot = Some(power);
        found.push(format!(
            "GPU {}: its power column is taken for the {} power{}",
            out.index,
            if short { "instantaneous" } else { "averaged" },
            if out.name.is_empty() {
                ", as the log has no name of the GPU"
            } else {
                ""
            }
        ));
    }
    out
}

/// A meter's log on the recording's clock, watts; the second value says whether both logs have dates.
pub(crate) fn meter(
    file: &Path,
    start_unix_s: Option<f64>,
) -> Result<(Vec<f64>, Vec<f64>, bool), TableProblems> {
    let trace = read_trace(
        file,
        &TraceOptions {
            max_gap_s: Some(1e9),
            ..TraceOptions::default()
        },
    )?;
    let shift_s = trace.start_unix_s.zip(start_unix_s).map(|(a, b)| a - b);
    let factor = 1.0;
    Ok((
        trace
            .time_s
            .iter()
            .map(|t| t + shift_s.unwrap_or(0.0))
            .collect(),
        trace.value.iter().map(|w| w * factor).collect(),
        shift_s.is_some(),
    ))
}

/// Tokens per second on the recording's clock.
pub(crate) fn tokens(
    file: &Path,
    start_unix_s: Option<f64>,
) -> Result<Vec<(f64, f64)>, TableProblems> {
    if let Ok(text) = std::fs::read_to_string(file) {
        let points = prometheus_text(&text);
        if !points.is_empty() {
            let base = start_unix_s.unwrap_or(points[0].0);
            return Ok(points.into_iter().map(|(t, v)| (t - base, v)).collect());
        }
    }
    let trace = read_trace(
        file,
        &TraceOptions {
            column: Some("tokens_per_s".to_owned()),
            unit: Some(Unit::PerUnit),
            max_gap_s: Some(1e9),
            ..TraceOptions::default()
        },
    )?;
    let shift_s = trace
        .start_unix_s
        .zip(start_unix_s)
        .map_or(0.0, |(a, b)| a - b);
    Ok(trace
        .time_s
        .iter()
        .map(|t| t + shift_s)
        .zip(trace.value)
        .collect())
}
