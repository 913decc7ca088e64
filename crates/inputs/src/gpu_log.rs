//! Logs of GPUs as recordings: what this program recorded, and what other loggers wrote.

use std::path::Path;

use ballast_calibrate::{Architecture, GpuRecording, Recording, recording_of};
use ballast_tables::{GpuColumns, Reading, read_table};

/// What `ballast record` or the app wrote, a file or the folder with its parts, with its marks and what it knows of the GPUs; none if it is
/// something else, or cannot be read at all.
///
/// # Errors
/// It is such a recording, but not whole: why, in words.
pub fn own_recording(path: &Path) -> Result<Option<Recording>, String> {
    let Ok(table) = read_table(path) else {
        return Ok(None);
    };
    let own = |(key, _): &(String, String)| key.starts_with("ballast.");
    if !table.metadata.iter().any(own) {
        return Ok(None);
    }
    recording_of(&table.columns, &table.metadata, &table.sha256)
        .map(Some)
        .map_err(|why| why.to_string())
}

/// One GPU of a log whose clock is `shift_s` seconds behind the recording's; `next` is its index where the log has none. The second value says in words
/// what a plain power column was taken for, where there is one.
pub fn gpu_recording(gpu: GpuColumns, shift_s: f64, next: u32) -> (GpuRecording, Option<String>) {
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
        return (out, None);
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
    if slot.is_some() {
        return (out, None);
    }
    *slot = Some(power);
    let told = format!(
        "GPU {}: its power column is taken for the {} power{}",
        out.index,
        if short { "instantaneous" } else { "averaged" },
        if out.name.is_empty() {
            ", as the log has no name of the GPU"
        } else {
            ""
        }
    );
    (out, Some(told))
}
