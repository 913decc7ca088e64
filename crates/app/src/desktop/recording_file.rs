//! Recordings and logs of GPUs in files.

use std::path::Path;

use ballast_calibrate::Recording;
use ballast_inputs::{gpu_recording, own_recording};
use ballast_tables::{GpuLogOptions, TableProblems, read_gpu_log};

use crate::platform::PlatformError;

/// Most problems of a file that are told.
const MOST: usize = 3;

/// Reads what the assistant or `ballast record` wrote, or a log of another logger (nvidia-smi, DCGM, Prometheus).
///
/// # Errors
/// It cannot be read, or is no log of GPUs: all that is wrong, in words.
pub fn read(path: &Path) -> Result<Recording, PlatformError> {
    let own = own_recording(path).map_err(|why| {
        PlatformError::Unavailable(format!(
            "{} is no whole recording: {why}; choose the file or the `.parts` folder that the recording wrote",
            path.display()
        ))
    })?;
    if let Some(recording) = own {
        return Ok(recording);
    }
    let log = read_gpu_log(path, &GpuLogOptions::default())
        .map_err(|problems| PlatformError::Unavailable(refusal(path, &problems)))?;
    Ok(Recording {
        gpus: (0..)
            .zip(log.gpus)
            .map(|(next, gpu)| gpu_recording(gpu, 0.0, next).0)
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
