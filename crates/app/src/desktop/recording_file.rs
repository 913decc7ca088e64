//! Recordings and logs of GPUs in files.

use std::path::Path;

use ballast_calibrate::{Architecture, GpuRecording, Recording, recording_of};
use ballast_tables::{GpuColumns, GpuLogOptions, Reading, TableProblems, read_gpu_log, read_table};

use crate::platform::PlatformError;

/// Most problems of a file that are told.
const MOST: usize = 3;

/// Reads what the assistant or `ballast record` wrote, or a log of another logger (nvidia-smi, DCGM, Prometheus).
///
/// # Errors
/// It cannot be read, or is no log of GPUs: all that is wrong, in words.
pub fn read(path: &Path) -> Result<Recording, PlatformError> {
    if let Ok(table) = read_table(path)
        && table
            .metadata
            .iter()
            .any(|(k, _)| k.starts_with("ballast."))
    {
        return recording_of(&table.columns, &table.metadata, &table.sha256).map_err(|why| {
            PlatformError::Unavailable(format!(
                "{} is no whole recording: {why}; choose the file or the `.parts` folder that the recording wrote",
                path.display()
            ))
        });
    }
    let log = read_gpu_log(path, &GpuLogOptions::default())
        .map_err(|problems| PlatformError::Unavailable(refusal(path, &problems)))?;
    Ok(Recording {
        gpus: (0..)
            .zip(log.gpus)
            .map(|(next, gpu)| one(gpu, next))
            .collect(),
        sha256: log.sha256,
        started: log.started,
        ..Recording::default()
    })
}

/// Why a log is refused, the first problems of it, and what to do.
fn refusal(path: &Path, problems: &TableProblems) -> String {
    let mut lines: Vec<String> = problems
        .0
        .iter()
        .take(MOST)
        .map(ToString::to_string)
        .collect();
    let more = problems.0.len().saturating_sub(MOST);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    let lenient = GpuLogOptions {
        skip_bad_rows: true,
        ..GpuLogOptions::default()
    };
    lines.push(if read_gpu_log(path, &lenient).is_ok() {
        "The rest of it can be read: mend these rows, or calibrate with `ballast calibrate --skip-bad-rows`".to_owned()
    } else {
        "Choose a recording of this program, or a log of nvidia-smi, DCGM or Prometheus".to_owned()
    });
    lines.join("\n")
}

/// One GPU of a log; `next` is its index where the log has none.
fn one(gpu: GpuColumns, next: u32) -> GpuRecording {
    let mut readings = gpu.readings;
    let mut take = |reading: Reading| readings.remove(&reading);
    let mut out = GpuRecording {
        index: gpu.index.unwrap_or(next),
        uuid: gpu.uuid,
        driver: gpu.driver,
        time_s: gpu.time_s,
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
    if let Some(power) = take(Reading::PowerW) {
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
        slot.get_or_insert(power);
    }
    out
}
