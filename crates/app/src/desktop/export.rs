//! Figures and traces as files: the same figures, columns and formats as the command's.

use std::io;
use std::path::{Path, PathBuf};

use ballast_report::ReportError;
use ballast_series::{SinkError, TraceBlock, TraceColumn, TraceSink};
use ballast_study::outcome::Outcome;
use ballast_tables::{CsvSink, ParquetSink, WriteError};

use crate::platform::PlatformError;
use crate::trace::TraceSet;

/// Samples of each column that are handed on at a time.
const BLOCK: u64 = 16_384;

/// Writes all figures of an outcome as SVG and PNG into a folder, those of a fine run into `zoom` in it; returns the files.
///
/// # Errors
/// The folder cannot be made, or a figure not be drawn or written.
pub fn write_figures(outcome: &Outcome, folder: &Path) -> Result<Vec<PathBuf>, PlatformError> {
    let mut files = Vec::new();
    let fine = outcome
        .zoom
        .iter()
        .map(|z| (&z.outcome, folder.join("zoom")));
    for (outcome, folder) in std::iter::once((outcome, folder.to_owned())).chain(fine) {
        std::fs::create_dir_all(&folder).map_err(|source| PlatformError::File {
            path: folder.clone(),
            source,
        })?;
        files.extend(ballast_report::write_figures(outcome, &folder).map_err(of_figure)?);
    }
    Ok(files)
}

fn of_figure(e: ReportError) -> PlatformError {
    match e {
        ReportError::Folder { path, source } | ReportError::Write { path, source } => {
            PlatformError::File { path, source }
        }
        ReportError::Encode { ref path, .. } => PlatformError::Unavailable(format!(
            "{e}. Free some space on the disk of {}, or export to another folder",
            path.display()
        )),
        e => PlatformError::Unavailable(e.to_string()),
    }
}

/// Writes traces as Parquet or CSV, by the ending of `path`; `metadata` goes into Parquet, as the command does it. The file is there whole or not
/// at all.
///
/// # Errors
/// Another ending, a file that cannot be written, samples that cannot be read back or are gaps.
pub fn write_traces(
    traces: &TraceSet,
    metadata: &[(String, String)],
    path: &Path,
) -> Result<(), PlatformError> {
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or("");
    match ending.to_ascii_lowercase().as_str() {
        "parquet" => {
            let mut sink = ParquetSink::create(path, metadata).map_err(of_file)?;
            send(traces, path, &mut sink)?;
            sink.finish().map_err(of_file)?;
        }
        "csv" => {
            let mut sink = CsvSink::create(path, &[]).map_err(of_file)?;
            send(traces, path, &mut sink)?;
            sink.finish().map_err(of_file)?;
        }
        _ => {
            return Err(PlatformError::Unavailable(format!(
                "{} ends neither in .parquet nor in .csv. Choose a name with one of these endings",
                path.display()
            )));
        }
    }
    Ok(())
}

/// Hands all samples to `sink`, a block at a time.
fn send(traces: &TraceSet, path: &Path, sink: &mut dyn TraceSink) -> Result<(), PlatformError> {
    let mut values: Vec<Vec<f64>> = vec![Vec::with_capacity(BLOCK as usize); traces.traces.len()];
    let mut first = 0;
    while first < traces.samples {
        let len = BLOCK.min(traces.samples - first);
        for (trace, into) in traces.traces.iter().zip(&mut values) {
            into.clear();
            let read = trace.with_samples(first, len, |samples| {
                into.extend(samples.iter().map(|v| f64::from(*v)));
            });
            if !read || into.len() as u64 != len {
                return Err(PlatformError::Unavailable(format!(
                    "the samples of {} cannot be read back for {}. Run the scenario again, then export",
                    trace.name,
                    path.display()
                )));
            }
        }
        let columns: Vec<TraceColumn<'_>> = traces
            .traces
            .iter()
            .zip(&values)
            .map(|(trace, values)| TraceColumn {
                name: &trace.name,
                unit: &trace.unit,
                values,
            })
            .collect();
        sink.block(&TraceBlock {
            t0_s: traces.t0_s + traces.dt_s * first as f64,
            dt_s: traces.dt_s,
            columns: &columns,
        })
        .map_err(|e| of_sink(&e))?;
        first += len;
    }
    Ok(())
}

fn of_sink(e: &SinkError) -> PlatformError {
    match e.cause().downcast_ref::<WriteError>() {
        Some(WriteError::Write { path, cause } | WriteError::Create { path, cause }) => {
            PlatformError::File {
                path: path.clone(),
                source: io::Error::new(cause.kind(), cause.to_string()),
            }
        }
        Some(WriteError::NotFinite { column, t_s, .. }) => PlatformError::Unavailable(format!(
            "{column} has no value at {t_s} s, and files of traces have no gaps. Look at the load around that moment"
        )),
        _ => {
            PlatformError::Unavailable(format!("{e}. Free some space, or export to another folder"))
        }
    }
}

fn of_file(e: WriteError) -> PlatformError {
    match e {
        WriteError::Create { path, cause } | WriteError::Write { path, cause } => {
            PlatformError::File {
                path,
                source: cause,
            }
        }
        e @ WriteError::Encode { .. } => {
            PlatformError::Unavailable(format!("{e}. Free some space, or export to another folder"))
        }
        e => PlatformError::Unavailable(e.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::trace::Trace;
    use crate::views::verdicts::samples;

    fn traces(samples: Vec<f32>) -> TraceSet {
        let time = (1.0, 0.5);
        let count = samples.len() as u64;
        let second = samples.iter().map(|v| v * 0.5).collect();
        TraceSet {
            t0_s: 1.0,
            dt_s: 0.5,
            samples: count,
            traces: vec![
                Arc::new(Trace::from_samples("site_w", "W", time, samples)),
                Arc::new(Trace::from_samples("gpu_w", "W", time, second)),
            ],
        }
    }

    #[test]
    fn traces_come_back_from_csv_and_parquet_sample_by_sample() {
        let folder = tempfile::tempdir().expect("a folder");
        // More than a block.
        let values: Vec<f32> = (0..BLOCK + 7).map(|k| k as f32 * 0.25).collect();
        let set = traces(values.clone());
        let csv = folder.path().join("a.csv");
        write_traces(&set, &[], &csv).expect("written");
        let text = std::fs::read_to_string(&csv).expect("read");
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("t_s,site_w,gpu_w"));
        assert_eq!(lines.next(), Some("1,0,0"));
        assert_eq!(lines.next(), Some("1.5,0.25,0.125"));
        assert_eq!(text.lines().count(), values.len() + 1);
        let parquet = folder.path().join("a.PARQUET");
        let metadata = [("ballast.seed".to_owned(), "7".to_owned())];
        write_traces(&set, &metadata, &parquet).expect("written");
        let bytes = std::fs::read(&parquet).expect("read");
        assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
        assert!(bytes.windows(12).any(|w| w == b"ballast.seed"));
    }

    #[test]
    fn another_ending_a_gap_and_a_missing_folder_are_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let set = traces(vec![1.0, 2.0]);
        let e = write_traces(&set, &[], &folder.path().join("a.xls")).expect_err("no such format");
        assert!(e.to_string().contains(".parquet nor in .csv"), "{e}");
        let e = write_traces(&set, &[], &folder.path().join("none/a.csv")).expect_err("no folder");
        assert!(matches!(e, PlatformError::File { .. }), "{e}");
        let gap = traces(vec![1.0, f32::NAN]);
        let path = folder.path().join("gap.csv");
        let e = write_traces(&gap, &[], &path).expect_err("a gap");
        assert!(
            e.to_string().contains("site_w has no value at 1.5 s"),
            "{e}"
        );
        let left = std::fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(left, 0, "nothing is left half-written");
    }

    #[test]
    fn figures_are_the_commands() {
        let folder = tempfile::tempdir().expect("a folder");
        let result = samples::smallest();
        let files = write_figures(&result.outcome, &folder.path().join("new")).expect("written");
        let names: Vec<String> = files
            .iter()
            .filter_map(|p| Some(p.file_name()?.to_string_lossy().into_owned()))
            .collect();
        assert!(
            names.contains(&"power-frequency.svg".to_owned()),
            "{names:?}"
        );
        assert!(names.contains(&"load-duration.png".to_owned()), "{names:?}");
        assert!(files.iter().all(|p| p.is_file()));
    }
}
