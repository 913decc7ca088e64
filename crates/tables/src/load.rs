//! Opens a table of either format and hands it to the reader for it.

use std::io::ErrorKind;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::problem::{Problems, TableProblems};
use crate::samples::Checked;
use crate::unit::{TimeUnit, Unit};
use crate::{csv_trace, dcgmi, parquet_trace, parts, prometheus};

/// What is stated about a trace; the rest is found by its names.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TraceOptions {
    /// Column with the power.
    pub column: Option<String>,
    /// Column with the time.
    pub time_column: Option<String>,
    /// Unit of the power.
    pub unit: Option<Unit>,
    /// Unit of the time.
    pub time_unit: Option<TimeUnit>,
    /// Longest time between two samples that is bridged, seconds, above zero. Default: five times the median interval.
    pub max_gap_s: Option<f64>,
    /// Devices to take of several in the file, by index, UUID, name or label, separated by commas. Default: all of them, summed.
    pub devices: Option<String>,
    /// Time between polls in seconds, above zero, for text without times (`dcgmi dmon`).
    pub interval_s: Option<f64>,
}

/// A measured trace: at least two samples, times increasing, everything finite.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedTrace {
    /// Time of each sample, seconds after the first one.
    pub time_s: Vec<f64>,
    /// Power of each sample: watts, not negative; or per unit, of any sign, with [`Unit::PerUnit`].
    pub value: Vec<f64>,
    /// Column the power was read from.
    pub column: String,
    /// Column the time was read from.
    pub time_column: String,
    /// Unit of the power in the file.
    pub unit: Unit,
    /// Unit of the time in the file.
    pub time_unit: TimeUnit,
    /// What was found rather than stated, in words.
    pub found: Vec<String>,
    /// What a person who runs it should see: devices that begin late or end early.
    pub notices: Vec<String>,
    /// Median time between two samples, seconds.
    pub interval_s: f64,
    /// Longest time between two samples, seconds.
    pub longest_gap_s: f64,
    /// Time of the first sample, seconds since 1970, where the file has dates or counts from 1970; in the file's own time zone
    /// where its dates say none.
    pub start_unix_s: Option<f64>,
    /// SHA-256 of the file's bytes, in lower-case hexadecimal digits.
    pub sha256: String,
    /// Number of samples.
    pub rows: usize,
}

impl LoadedTrace {
    /// A trace that passed its checks, from the columns `(power, time)`; the checksum is added later.
    pub(crate) fn of(
        checked: Checked,
        columns: (&str, &str),
        unit: Unit,
        time_unit: TimeUnit,
        found: Vec<String>,
    ) -> Self {
        Self {
            rows: checked.value.len(),
            time_s: checked.time_s,
            value: checked.value,
            column: columns.0.to_owned(),
            time_column: columns.1.to_owned(),
            unit,
            time_unit,
            found,
            notices: Vec::new(),
            interval_s: checked.interval_s,
            longest_gap_s: checked.longest_gap_s,
            start_unix_s: checked.start_unix_s,
            sha256: String::new(),
        }
    }
}

/// What a format's reader makes of a trace; the checksum is added here.
pub(crate) type Read = Option<LoadedTrace>;

/// Reads a power trace from a CSV file (`,`, `;` or tab; also of nvidia-smi and Grafana), a Parquet file, the text of `dcgmi dmon`, or
/// the JSON of Prometheus' `query_range`, told apart by their first bytes.
///
/// # Errors
/// Everything that is wrong with the file, with lines: unreadable, no header, columns or units unknown or ambiguous,
/// cells that are no finite number, rows of another length, times that do not increase, gaps longer than `max_gap_s`,
/// negative power, fewer than two samples. Also what is wrong with the options.
pub fn read_trace(path: &Path, options: &TraceOptions) -> Result<LoadedTrace, TableProblems> {
    let mut problems = Problems::new(path);
    for (key, value) in [
        ("max_gap_s", options.max_gap_s),
        ("interval_s", options.interval_s),
    ] {
        if let Some(value) = value.filter(|v| !(v.is_finite() && *v > 0.0)) {
            problems.file(
                format!("`{key}` is {value}"),
                "set it to a number of seconds above zero",
            );
        }
    }
    let Some(bytes) = read_bytes(path, &mut problems) else {
        return Err(problems.into_problems());
    };
    let sha256 = hex(&Sha256::digest(&bytes));
    let dmon = dcgmi::is_dmon(&bytes);
    if options.interval_s.is_some() && !dmon {
        problems.file(
            "`interval_s` is set, and the file has times of its own",
            "take `interval_s` out",
        );
    }
    if options.devices.is_some() && is_parquet(&bytes) {
        problems.file(
            "`devices` is set, and a Parquet file has one value per time",
            "take it out, and choose with `column`",
        );
    }
    let trace = if is_parquet(&bytes) {
        parquet_trace::read(&bytes, options, &mut problems)
    } else if dmon {
        dcgmi::read(&bytes, options, &mut problems)
    } else if prometheus::is_json(&bytes) {
        prometheus::read(&bytes, options, &mut problems)
    } else {
        csv_trace::read(&bytes, options, &mut problems)
    };
    let trace = trace.map(say_if_held).map(say_if_coarse);
    match trace {
        Some(trace) if problems.is_empty() => Ok(LoadedTrace { sha256, ..trace }),
        _ => Err(problems.into_problems()),
    }
}

/// Says of a trace that is polled faster than its sensor how often the value really changes. NVIDIA's sensors renew their value
/// every 20 to 100 ms whatever the poll (Yang et al., "Part-time Power Measurements", arXiv 2312.02741).
fn say_if_held(mut trace: LoadedTrace) -> LoadedTrace {
    const FEWEST: usize = 10;
    let mut last = None;
    let mut between = Vec::new();
    for (time_s, pair) in trace.time_s[1..].iter().zip(trace.value.windows(2)) {
        if pair[0].to_bits() != pair[1].to_bits() {
            between.extend(last.map(|before| time_s - before));
            last = Some(*time_s);
        }
    }
    between.sort_by(f64::total_cmp);
    let Some(&renewed_s) = between
        .get(between.len() / 2)
        .filter(|_| between.len() >= FEWEST)
    else {
        return trace;
    };
    if renewed_s > 1.5 * trace.interval_s {
        trace.found.push(format!(
            "polled every {:.4} s, but the value changes every {renewed_s:.4} s (median): the sensor holds it, and nothing faster than that is seen",
            trace.interval_s
        ));
    }
    trace
}

/// Says of a trace with long intervals what it cannot show.
fn say_if_coarse(mut trace: LoadedTrace) -> LoadedTrace {
    const LONGEST_S: f64 = 1.0;
    // Loggers that wait 1 s come a little late.
    if trace.interval_s > LONGEST_S * 1.05 {
        trace.found.push(format!(
            "samples are {} s apart: good for means and the daily shape, never for ramps or correlation",
            trace.interval_s
        ));
    }
    trace
}

/// Reads all columns of a table of numbers, such as the sinks of this crate write.
///
/// # Errors
/// When the file cannot be read, a row has another length than the header, or a cell is no finite number.
pub fn read_columns(path: &Path) -> Result<Vec<(String, Vec<f64>)>, TableProblems> {
    let mut problems = Problems::new(path);
    let Some(bytes) = read_bytes(path, &mut problems) else {
        return Err(problems.into_problems());
    };
    let columns = if is_parquet(&bytes) {
        parquet_trace::read_all(&bytes, &mut problems)
    } else {
        csv_trace::read_all(&bytes, &mut problems)
    };
    match columns {
        Some(columns) if problems.is_empty() => Ok(columns),
        _ => Err(problems.into_problems()),
    }
}

/// The file's bytes; `None` with a problem when there are none.
pub(crate) fn read_bytes(path: &Path, problems: &mut Problems) -> Option<Vec<u8>> {
    if parts::is_parts(path) {
        return parts::merged_bytes(path, problems);
    }
    if path.is_dir() {
        problems.file("is a directory", "name a CSV or Parquet file in it");
        return None;
    }
    match std::fs::read(path) {
        Ok(bytes) if bytes.is_empty() => {
            problems.file(
                "the file is empty",
                "write a header line and at least two rows",
            );
            None
        }
        Ok(bytes) => Some(bytes),
        Err(error) => {
            let help = match error.kind() {
                ErrorKind::NotFound if parts::is_parts(&parts::parts_folder(path)) => {
                    "the recording was cut off, its folder of parts is there: add `.parts` to the name"
                }
                ErrorKind::NotFound => "check the path; it counts from the file that names it",
                ErrorKind::PermissionDenied => "allow this user to read it",
                _ => "check the file and the disk it is on",
            };
            let message = match error.kind() {
                ErrorKind::NotFound => "there is no such file".to_owned(),
                _ => format!("cannot be read: {error}"),
            };
            problems.file(message, help);
            None
        }
    }
}

pub(crate) fn is_parquet(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PAR1")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|b| [b >> 4, b & 15])
        .map(|d| char::from(DIGITS[usize::from(d)]))
        .collect()
}
