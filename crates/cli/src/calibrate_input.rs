//! Logs of GPUs, meters and servers, as calibration takes them.

use std::path::{Path, PathBuf};

use ballast_calibrate::{Recording, prometheus_text};
use ballast_inputs::{gpu_recording, own_recording};
use ballast_tables::{
    GpuLog, GpuLogOptions, TableProblem, TableProblems, TraceOptions, Unit, read_gpu_log,
    read_trace,
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
    gpu_name: Option<&str>,
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
        for mut gpu in log.gpus {
            if let Some(name) = gpu_name.filter(|_| gpu.name.is_empty()) {
                name.clone_into(&mut gpu.name);
            }
            let next = input.recording.gpus.len() as u32;
            let (gpu, told) = gpu_recording(gpu, shift_s, next);
            input.found.extend(told);
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
        ..options.clone()
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

/// What `ballast record` wrote; none if it is something else.
fn own(file: &Path) -> Result<Option<Recording>, Vec<TableProblem>> {
    own_recording(file).map_err(|why| {
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
    Ok((
        trace
            .time_s
            .iter()
            .map(|t| t + shift_s.unwrap_or(0.0))
            .collect(),
        trace.value,
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
