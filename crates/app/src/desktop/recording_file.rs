//! Recordings and logs of GPUs in files.

use std::path::Path;

use ballast_calibrate::{Architecture, GpuRecording, Recording, recording_of};
use ballast_tables::{GpuColumns, Reading, read_gpu_log, read_table};

use crate::platform::PlatformError;

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
    let log = read_gpu_log(path, None).map_err(|problems| {
        PlatformError::Unavailable(format!(
            "{problems}\nChoose a recording of this program, or a log of nvidia-smi, DCGM or Prometheus"
        ))
    })?;
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
