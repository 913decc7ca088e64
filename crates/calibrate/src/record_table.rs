//! A recording as a table, and back: the layout of the files that `ballast record` writes.
//!
//! One row per poll. `t_s` is when the poll began, seconds after the first one; `power_w` is the sum over the GPUs of the power
//! that tells most of fast changes (instant, else average), null where a GPU gave none. Then, for each GPU, under `gpu0.` with
//! its index: `t_s`, when that GPU was read, and the readings of [`Metric::column`]: `average_w`, `instant_w`, `energy_j`, `sm_mhz`,
//! `memory_mhz`, `utilisation` (0 to 1), `memory_used_bytes`, `temperature_c`, `throttle` (bits of [`crate::throttle`]), `limit_w`.
//! All are 64-bit floats; a reading that is missing is null.
//!
//! The file's key-value metadata: `ballast.recording` (1, the format), `ballast.started` (date and time of t = 0),
//! `ballast.rate_hz`, `ballast.gpus`, `ballast.marks`, `ballast.notes` (JSON), `ballast.missed` (polls that came too late),
//! `ballast.ended` (why; `still recording` in a part that was cut off), and of a command `ballast.command` (JSON) and
//! `ballast.exit_code`.

use serde_json::Value;

use crate::recording::{GpuRecording, Mark, Recording};
use crate::source::{GpuFacts, Metric};

/// Key of the metadata with the format's number.
pub(crate) const FORMAT: &str = "ballast.recording";
pub(crate) const STARTED: &str = "ballast.started";
pub(crate) const GPUS: &str = "ballast.gpus";
pub(crate) const MARKS: &str = "ballast.marks";
/// Time of the poll.
pub(crate) const TIME: &str = "t_s";
/// A reading that is missing, in the throttle column of a [`GpuRecording`].
const NO_BITS: u64 = 1 << 63;

/// Names and cells of columns, NaN for what is missing.
pub type Columns = Vec<(String, Vec<f64>)>;
/// Keys and values.
pub type Metadata = Vec<(String, String)>;

/// What makes a table no recording.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoRecording {
    /// The metadata is not that of a recording.
    #[error("the file was not written by `ballast record`: its metadata has no `{FORMAT}`")]
    Foreign,
    /// A later format.
    #[error("the recording is of format {0}, and this program knows format 1: use a newer one")]
    Format(String),
    /// Metadata that should be JSON is not.
    #[error("the metadata `{0}` cannot be read")]
    Metadata(&'static str),
    /// A GPU's times are not there.
    #[error("there is no column `{0}`")]
    Column(String),
    /// A GPU's times fall.
    #[error("the times in column `{0}` fall")]
    Falls(String),
}

/// The recording in a table that `ballast record` wrote. Rows in which a GPU has no time (it was not read) are left out of that GPU's.
///
/// # Errors
/// The table is something else.
pub fn recording_of(
    columns: &[(String, Vec<f64>)],
    metadata: &[(String, String)],
    sha256: &str,
) -> Result<Recording, NoRecording> {
    let said = |key: &str| {
        metadata
            .iter()
            .find(|(k, _)| k == key)
            .map(|(_, v)| v.as_str())
    };
    match said(FORMAT) {
        None => return Err(NoRecording::Foreign),
        Some("1") => {}
        Some(other) => return Err(NoRecording::Format(other.to_owned())),
    }
    let facts: Vec<GpuFacts> = said(GPUS)
        .and_then(|text| serde_json::from_str(text).ok())
        .ok_or(NoRecording::Metadata(GPUS))?;
    let gpus = facts
        .iter()
        .map(|facts| gpu_of(columns, facts))
        .collect::<Result<_, _>>()?;
    Ok(Recording {
        gpus,
        marks: said(MARKS)
            .and_then(marks_of)
            .ok_or(NoRecording::Metadata(MARKS))?,
        sha256: sha256.to_owned(),
        started: said(STARTED).unwrap_or_default().to_owned(),
    })
}

fn marks_of(text: &str) -> Option<Vec<Mark>> {
    let listed: Vec<Value> = serde_json::from_str(text).ok()?;
    listed
        .iter()
        .map(|mark| {
            Some(Mark {
                time_s: mark["time_s"].as_f64()?,
                label: mark["label"].as_str()?.to_owned(),
            })
        })
        .collect()
}

fn gpu_of(columns: &[(String, Vec<f64>)], facts: &GpuFacts) -> Result<GpuRecording, NoRecording> {
    let name_of = |column: &str| format!("gpu{}.{column}", facts.index);
    let found = |column: &str| {
        let name = name_of(column);
        columns
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, cells)| cells)
    };
    let times = found(TIME).ok_or_else(|| NoRecording::Column(name_of(TIME)))?;
    let read: Vec<usize> = (0..times.len()).filter(|k| times[*k].is_finite()).collect();
    if read.windows(2).any(|w| times[w[1]] < times[w[0]]) {
        return Err(NoRecording::Falls(name_of(TIME)));
    }
    let column = |reading: Metric| -> Option<Vec<f64>> {
        let cells = found(reading.column())?;
        let kept: Vec<f64> = read.iter().filter_map(|k| cells.get(*k).copied()).collect();
        kept.iter().any(|v| !v.is_nan()).then_some(kept)
    };
    Ok(GpuRecording {
        index: facts.index,
        uuid: facts.uuid.clone(),
        name: facts.name.clone(),
        driver: facts.driver.clone(),
        time_s: read.iter().map(|k| times[*k]).collect(),
        average_w: column(Metric::Average),
        instant_w: column(Metric::Instant),
        energy_j: column(Metric::Energy),
        sm_mhz: column(Metric::SmClock),
        memory_mhz: column(Metric::MemoryClock),
        utilisation: column(Metric::Utilisation),
        memory_used_bytes: column(Metric::MemoryUsed),
        temperature_c: column(Metric::Temperature),
        throttle: column(Metric::Throttle).map(|bits| {
            bits.iter()
                .map(|b| if b.is_nan() { NO_BITS } else { *b as u64 })
                .collect()
        }),
        // The limit in force most of the time is that of the first sample, unless it was swept.
        limit_w: column(Metric::Limit).and_then(|w| w.iter().copied().find(|v| !v.is_nan())),
    })
}
