//! Traces to Parquet.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use ballast_series::{SinkError, TraceBlock, TraceSink};
// The prelude has two types of this name.
use polars::io::parquet::write::BatchedWriter;
use polars::prelude::{
    Column, DataFrame, DataType, Field, KeyValueMetadata, ParquetCompression, ParquetWriter,
    PolarsResult, Schema,
};

use crate::partial::{Course, PartialFile};
use crate::sink_csv::TIME_COLUMN;
use crate::write_error::WriteError;

/// Rows per row group. It bounds the memory and lets a reader skip to a time.
const ROWS_PER_GROUP: usize = 65_536;

/// Writes traces as Parquet: `t_s`, then the columns of the blocks, all 64-bit floats, compressed with zstd.
///
/// Row groups of 65 536 rows are written as they fill up, one thread and one column after the other, so that the bytes do
/// not depend on the machine. Memory: one row group, and some hundred bytes per row group and column for the footer.
pub struct ParquetSink {
    // Before `file`, as it must be dropped before the partial file is removed.
    encoder: Encoder,
    file: PartialFile,
    course: Option<Course>,
    // The time first.
    rows: Vec<Vec<f64>>,
}

enum Encoder {
    /// The columns are not known before the first block.
    Waiting {
        handle: Option<File>,
        metadata: Vec<(String, String)>,
    },
    Running(Box<BatchedWriter<BufWriter<File>>>),
}

impl ParquetSink {
    /// Starts `<path>.partial`, which [`Self::finish`] renames to `path`.
    ///
    /// `metadata` becomes key-value metadata of the file, in the order given.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(path: &Path, metadata: &[(String, String)]) -> Result<Self, WriteError> {
        let (file, handle) = PartialFile::create(path)?;
        let encoder = Encoder::Waiting {
            handle: Some(handle),
            metadata: metadata.to_vec(),
        };
        Ok(Self {
            encoder,
            file,
            course: None,
            rows: Vec::new(),
        })
    }

    /// Writes out what is left and the footer, waits until it is on the disk and gives the file its name, which is
    /// returned.
    ///
    /// # Errors
    /// When the disk is full or fails, or no block came. The partial file is gone then.
    pub fn finish(mut self) -> Result<PathBuf, WriteError> {
        if let Some(course) = &self.course {
            write_group(
                &mut self.encoder,
                course,
                &mut self.rows,
                self.file.target(),
            )?;
        }
        let Encoder::Running(writer) = self.encoder else {
            return Err(WriteError::Nothing {
                path: self.file.target().to_owned(),
            });
        };
        // Writes the footer and flushes the buffer.
        writer
            .finish()
            .map_err(|error| encode_error(self.file.target(), error))?;
        self.file.finish()
    }

    fn take(&mut self, block: &TraceBlock<'_>) -> Result<(), WriteError> {
        let course = match self.course.take() {
            Some(course) => course,
            None => Course::start(block),
        };
        if let Err(error) = course.check(block, self.file.target()) {
            // Before the first good block nothing is settled.
            self.course = (!self.rows.is_empty()).then_some(course);
            return Err(error);
        }
        self.start(&course)?;
        let course = self.course.insert(course);
        let mut from = 0;
        while from < block.len() {
            let to = block.len().min(from + ROWS_PER_GROUP - self.rows[0].len());
            self.rows[0].extend((from..to).map(|k| course.time_s(k)));
            for (rows, column) in self.rows[1..].iter_mut().zip(block.columns) {
                rows.extend_from_slice(&column.values[from..to]);
            }
            if self.rows[0].len() == ROWS_PER_GROUP {
                write_group(
                    &mut self.encoder,
                    course,
                    &mut self.rows,
                    self.file.target(),
                )?;
            }
            from = to;
        }
        course.advance(block.len());
        Ok(())
    }

    /// Makes the encoder once the columns are known.
    fn start(&mut self, course: &Course) -> Result<(), WriteError> {
        let Encoder::Waiting { handle, metadata } = &mut self.encoder else {
            return Ok(());
        };
        let Some(handle) = handle.take() else {
            return Ok(());
        };
        let schema: Schema = names(course)
            .map(|name| Field::new(name.into(), DataType::Float64))
            .collect();
        let writer = ParquetWriter::new(BufWriter::new(handle))
            .with_compression(ParquetCompression::Zstd(None))
            .with_key_value_metadata(Some(KeyValueMetadata::from_static(std::mem::take(
                metadata,
            ))))
            .set_parallel(false)
            .batched(&schema)
            .map_err(|error| encode_error(self.file.target(), error))?;
        self.rows = vec![Vec::with_capacity(ROWS_PER_GROUP); schema.len()];
        self.encoder = Encoder::Running(Box::new(writer));
        Ok(())
    }
}

/// Writes the rows collected so far as one row group.
fn write_group(
    encoder: &mut Encoder,
    course: &Course,
    rows: &mut [Vec<f64>],
    path: &Path,
) -> Result<(), WriteError> {
    let (Encoder::Running(writer), Some(height)) = (encoder, rows.first().map(Vec::len)) else {
        return Ok(());
    };
    if height == 0 {
        return Ok(());
    }
    let columns = names(course)
        .zip(rows.iter())
        .map(|(name, rows)| Column::new(name.into(), rows))
        .collect();
    let written: PolarsResult<()> =
        DataFrame::new(height, columns).and_then(|frame| writer.write_batch(&frame));
    written.map_err(|error| encode_error(path, error))?;
    rows.iter_mut().for_each(Vec::clear);
    Ok(())
}

impl TraceSink for ParquetSink {
    fn block(&mut self, block: &TraceBlock<'_>) -> Result<(), SinkError> {
        self.take(block).map_err(SinkError::new)
    }
}

/// Names of all columns, the time first.
fn names(course: &Course) -> impl Iterator<Item = &str> {
    std::iter::once(TIME_COLUMN).chain(course.names().iter().map(String::as_str))
}

fn encode_error(path: &Path, error: polars::prelude::PolarsError) -> WriteError {
    WriteError::Encode {
        path: path.to_owned(),
        cause: error.into(),
    }
}
