//! Tables with holes, written whole or in parts.
//!
//! A long recording is written as a folder of closed files, `000000.parquet`, `000001.parquet`, …, in `<name>.parts`, and merged
//! when it ends. Every reader of this crate takes such a folder for the file it would have become; a file that is still being
//! written (`*.partial`) is no part of it.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use polars::io::parquet::write::BatchedWriter;
use polars::prelude::{
    Column, DataFrame, DataType, Field, KeyValueMetadata, ParquetCompression, ParquetWriter,
    PolarsResult, Schema,
};

use crate::load::{hex, is_parquet, read_bytes};
use crate::parquet_trace;
use crate::partial::PartialFile;
use crate::problem::{Problems, TableProblems};
use crate::write_error::WriteError;

use sha2::{Digest, Sha256};

/// Ending of the folder with the parts of a file.
pub const PARTS: &str = "parts";

/// Cells per row group of a merged file: it bounds the memory of a merge to some 16 MB.
const CELLS_PER_GROUP: usize = 1_000_000;

/// A table of numbers from Parquet, with what its file says of itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// Names and cells of the columns, all equally long; NaN where a cell is null.
    pub columns: Vec<(String, Vec<f64>)>,
    /// Key-value metadata of the file, in its order.
    pub metadata: Vec<(String, String)>,
    /// SHA-256 of the file's bytes, or of the file that the parts would become, in lower-case hexadecimal digits.
    pub sha256: String,
}

/// Why parts could not be merged.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// A part cannot be read.
    #[error("{0}")]
    Read(TableProblems),
    /// The whole cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// The folder with the parts of a file: `trace.parquet.parts` of `trace.parquet`.
pub fn parts_folder(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".");
    name.push(PARTS);
    PathBuf::from(name)
}

/// Name of part `index` in its folder.
pub fn part_name(index: u32) -> String {
    format!("{index:06}.parquet")
}

/// Whether a path is a folder with the parts of a file.
pub(crate) fn is_parts(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == PARTS) && path.is_dir()
}

/// Writes a table of 64-bit floats as Parquet (zstd), NaN as null. The file has its name only when it is whole and on the disk.
///
/// # Errors
/// When the disk is full or fails, or the columns are not equally long.
pub fn write_table(
    path: &Path,
    columns: &[(String, Vec<f64>)],
    metadata: &[(String, String)],
) -> Result<(), WriteError> {
    let rows = columns.first().map_or(0, |(_, cells)| cells.len());
    if columns.iter().any(|(_, cells)| cells.len() != rows) {
        return Err(WriteError::Columns {
            path: path.to_owned(),
            t_s: 0.0,
        });
    }
    let (file, handle) = PartialFile::create(path)?;
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let mut merged = Merged::start(path, BufWriter::new(handle), &names, metadata)?;
    let cells = columns
        .iter()
        .map(|(_, cells)| cells.iter().map(|v| (!v.is_nan()).then_some(*v)).collect())
        .collect();
    merged.take(cells)?;
    merged.finish()?;
    file.finish().map(|_| ())
}

/// Merges the parts in a folder into one file, and leaves the folder as it is. Memory does not grow with their number.
///
/// # Errors
/// A part cannot be read, or has other columns than the first; the file cannot be written.
pub fn merge_parts(folder: &Path, target: &Path) -> Result<(), MergeError> {
    let (file, handle) = PartialFile::create(target)?;
    merge(folder, target, BufWriter::new(handle))?;
    file.finish().map(|_| ()).map_err(MergeError::Write)
}

/// The bytes of the file that the parts in a folder would become.
pub(crate) fn merged_bytes(folder: &Path, problems: &mut Problems) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    match merge(folder, folder, &mut bytes) {
        Ok(()) => return Some(bytes),
        Err(MergeError::Read(found)) => problems.extend(found),
        Err(MergeError::Write(error)) => {
            problems.file(error.to_string(), "read the parts one by one");
        }
    }
    None
}

/// Reads a table of numbers from a Parquet file, or from a folder with its parts; null cells are NaN.
///
/// # Errors
/// When it cannot be read, is no Parquet file, or has a column that holds no numbers.
pub fn read_table(path: &Path) -> Result<Table, TableProblems> {
    let mut problems = Problems::new(path);
    let table = read_bytes(path, &mut problems).and_then(|bytes| {
        if !is_parquet(&bytes) {
            problems.file("is no Parquet file", "name a file with Parquet in it");
            return None;
        }
        let (columns, metadata) = parquet_trace::read_holey(&bytes, &mut problems)?;
        Some(Table {
            columns: columns
                .into_iter()
                .map(|(name, cells)| (name, cells.iter().map(|v| v.unwrap_or(f64::NAN)).collect()))
                .collect(),
            metadata,
            sha256: hex(&Sha256::digest(&bytes)),
        })
    });
    match table {
        Some(table) if problems.is_empty() => Ok(table),
        _ => Err(problems.into_problems()),
    }
}

fn merge(folder: &Path, target: &Path, to: impl Write + Send) -> Result<(), MergeError> {
    let parts = parts_in(folder)?;
    let mut problems = Problems::new(folder);
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
        problems.file(
            "there is no part in the folder",
            "name the folder of a recording that ran for some seconds",
        );
        return Err(MergeError::Read(problems.into_problems()));
    };
    // What happened up to the end stands in the last part.
    let (_, metadata) = read_part(last)?;
    let (columns, _) = read_part(first)?;
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let mut merged = Merged::start(target, to, &names, &metadata)?;
    for part in &parts {
        let (columns, _) = read_part(part)?;
        if !columns
            .iter()
            .map(|(name, _)| name.as_str())
            .eq(names.iter().copied())
        {
            let mut problems = Problems::new(part);
            problems.file(
                "has other columns than the first part",
                "parts of another recording do not belong in this folder: move them away",
            );
            return Err(MergeError::Read(problems.into_problems()));
        }
        merged.take(columns.into_iter().map(|(_, cells)| cells).collect())?;
    }
    merged.finish()?;
    Ok(())
}

/// The parts in a folder, in their order.
fn parts_in(folder: &Path) -> Result<Vec<PathBuf>, MergeError> {
    let listed = std::fs::read_dir(folder).and_then(|entries| {
        entries
            .map(|e| e.map(|e| e.path()))
            .collect::<Result<Vec<_>, _>>()
    });
    match listed {
        Ok(mut paths) => {
            paths.retain(|p| p.extension().is_some_and(|e| e == "parquet"));
            paths.sort();
            Ok(paths)
        }
        Err(error) => {
            let mut problems = Problems::new(folder);
            problems.file(
                format!("cannot be read: {error}"),
                "allow this user to read it",
            );
            Err(MergeError::Read(problems.into_problems()))
        }
    }
}

fn read_part(path: &Path) -> Result<parquet_trace::Holey, MergeError> {
    let mut problems = Problems::new(path);
    let part = read_bytes(path, &mut problems)
        .and_then(|bytes| parquet_trace::read_holey(&bytes, &mut problems));
    match part {
        Some(part) if problems.is_empty() => Ok(part),
        _ => Err(MergeError::Read(problems.into_problems())),
    }
}

/// A file that is being written, row group by row group.
struct Merged<'a, W: Write + Send> {
    path: &'a Path,
    names: Vec<String>,
    writer: BatchedWriter<W>,
    rows: Vec<Vec<Option<f64>>>,
}

impl<'a, W: Write + Send> Merged<'a, W> {
    fn start(
        path: &'a Path,
        to: W,
        names: &[&str],
        metadata: &[(String, String)],
    ) -> Result<Self, WriteError> {
        let schema: Schema = names
            .iter()
            .map(|name| Field::new((*name).into(), DataType::Float64))
            .collect();
        let writer = ParquetWriter::new(to)
            .with_compression(ParquetCompression::Zstd(None))
            .with_key_value_metadata(Some(KeyValueMetadata::from_static(metadata.to_vec())))
            .set_parallel(false)
            .batched(&schema)
            .map_err(|error| encode_error(path, error))?;
        Ok(Self {
            path,
            names: names.iter().map(|n| (*n).to_owned()).collect(),
            writer,
            rows: vec![Vec::new(); names.len()],
        })
    }

    fn take(&mut self, mut columns: Vec<Vec<Option<f64>>>) -> Result<(), WriteError> {
        for (rows, cells) in self.rows.iter_mut().zip(&mut columns) {
            rows.append(cells);
        }
        let cells: usize = self.rows.iter().map(Vec::len).sum();
        if cells >= CELLS_PER_GROUP {
            self.write_group()?;
        }
        Ok(())
    }

    fn write_group(&mut self) -> Result<(), WriteError> {
        let height = self.rows.first().map_or(0, Vec::len);
        if height == 0 {
            return Ok(());
        }
        let columns = self
            .names
            .iter()
            .zip(&self.rows)
            .map(|(name, rows)| Column::new(name.as_str().into(), rows))
            .collect();
        let written: PolarsResult<()> =
            DataFrame::new(height, columns).and_then(|frame| self.writer.write_batch(&frame));
        written.map_err(|error| encode_error(self.path, error))?;
        self.rows.iter_mut().for_each(Vec::clear);
        Ok(())
    }

    fn finish(mut self) -> Result<(), WriteError> {
        self.write_group()?;
        self.writer
            .finish()
            .map(|_| ())
            .map_err(|error| encode_error(self.path, error))
    }
}

fn encode_error(path: &Path, error: polars::prelude::PolarsError) -> WriteError {
    WriteError::Encode {
        path: path.to_owned(),
        cause: error.into(),
    }
}
