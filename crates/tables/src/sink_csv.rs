//! Traces to CSV.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use ballast_series::{SinkError, TraceBlock, TraceSink};

use crate::partial::{Course, PartialFile};
use crate::write_error::WriteError;

/// Name of the time column in every trace, seconds.
pub(crate) const TIME_COLUMN: &str = "t_s";

/// Writes traces as CSV: `t_s`, then the columns of the blocks. Numbers are as short as they can be and still read back
/// as the same 64-bit float. Memory does not grow with the duration.
#[derive(Debug)]
pub struct CsvSink {
    writer: BufWriter<File>,
    file: PartialFile,
    course: Option<Course>,
}

impl CsvSink {
    /// Starts `<path>.partial`, which [`Self::finish`] renames to `path`.
    ///
    /// `metadata` is written as comment lines `# key: value` above the header, in the order given.
    ///
    /// # Errors
    /// When the file cannot be made or written.
    pub fn create(path: &Path, metadata: &[(String, String)]) -> Result<Self, WriteError> {
        let (file, handle) = PartialFile::create(path)?;
        let mut writer = BufWriter::new(handle);
        for (key, value) in metadata {
            writeln!(writer, "# {}: {}", one_line(key), one_line(value))
                .map_err(|cause| file.write_error(cause))?;
        }
        Ok(Self {
            writer,
            file,
            course: None,
        })
    }

    /// Writes out what is left, waits until it is on the disk and gives the file its name, which is returned.
    ///
    /// # Errors
    /// When the disk is full or fails, or no block came. The partial file is gone then.
    pub fn finish(mut self) -> Result<PathBuf, WriteError> {
        if self.course.is_none() {
            return Err(WriteError::Nothing {
                path: self.file.target().to_owned(),
            });
        }
        self.writer
            .flush()
            .map_err(|cause| self.file.write_error(cause))?;
        self.file.finish()
    }

    fn take(&mut self, block: &TraceBlock<'_>) -> Result<(), WriteError> {
        let mut course = self.course.take();
        let result = self.write(&mut course, block);
        self.course = course;
        result
    }

    fn write(
        &mut self,
        course: &mut Option<Course>,
        block: &TraceBlock<'_>,
    ) -> Result<(), WriteError> {
        let failed = |cause| self.file.write_error(cause);
        let course = if let Some(course) = course {
            course.check(block, self.file.target())?;
            course
        } else {
            let first = Course::start(block);
            first.check(block, self.file.target())?;
            header(&mut self.writer, first.names()).map_err(failed)?;
            course.insert(first)
        };
        rows(&mut self.writer, course, block).map_err(failed)?;
        course.advance(block.len());
        Ok(())
    }
}

impl TraceSink for CsvSink {
    fn block(&mut self, block: &TraceBlock<'_>) -> Result<(), SinkError> {
        self.take(block).map_err(SinkError::new)
    }
}

fn header(writer: &mut impl Write, names: &[String]) -> io::Result<()> {
    write!(writer, "{TIME_COLUMN}")?;
    for name in names {
        if name.contains([',', ';', '\t', '"', '\n', '\r', '#']) {
            write!(writer, ",\"{}\"", one_line(name).replace('"', "\"\""))?;
        } else {
            write!(writer, ",{name}")?;
        }
    }
    writeln!(writer)
}

fn rows(writer: &mut impl Write, course: &Course, block: &TraceBlock<'_>) -> io::Result<()> {
    for k in 0..block.len() {
        number(writer, course.time_s(k))?;
        for column in block.columns {
            writer.write_all(b",")?;
            number(writer, column.values[k])?;
        }
        writer.write_all(b"\n")?;
    }
    Ok(())
}

/// The shortest decimal that reads back as the same float; with an exponent where it would be all zeros.
fn number(writer: &mut impl Write, value: f64) -> io::Result<()> {
    let size = value.abs();
    if value == 0.0 || (1e-5..1e16).contains(&size) {
        write!(writer, "{value}")
    } else {
        write!(writer, "{value:e}")
    }
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}
