//! A file that gets its name only when it is whole, and the checks on blocks that both sinks share.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use ballast_series::TraceBlock;

use crate::write_error::WriteError;

/// `<name>.partial` until it is finished; removed when it is dropped before that.
#[derive(Debug)]
pub(crate) struct PartialFile {
    target: PathBuf,
    partial: PathBuf,
    file: File,
    finished: bool,
}

impl PartialFile {
    /// Makes the partial file, and a second handle to write through.
    pub(crate) fn create(target: &Path) -> Result<(Self, File), WriteError> {
        let mut name = target.as_os_str().to_owned();
        name.push(".partial");
        let partial = PathBuf::from(name);
        let failed = |cause| WriteError::Create {
            path: target.to_owned(),
            cause,
        };
        if target.is_dir() {
            return Err(failed(io::Error::from(io::ErrorKind::IsADirectory)));
        }
        let file = File::create(&partial).map_err(failed)?;
        let handle = file.try_clone().map_err(failed)?;
        Ok((
            Self {
                target: target.to_owned(),
                partial,
                file,
                finished: false,
            },
            handle,
        ))
    }

    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    pub(crate) fn write_error(&self, cause: io::Error) -> WriteError {
        WriteError::Write {
            path: self.target.clone(),
            cause,
        }
    }

    /// Waits until the data is on the disk and gives the file its name.
    pub(crate) fn finish(mut self) -> Result<PathBuf, WriteError> {
        let done = self
            .file
            .sync_all()
            .and_then(|()| std::fs::rename(&self.partial, &self.target));
        done.map_err(|cause| self.write_error(cause))?;
        self.finished = true;
        Ok(self.target.clone())
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        if !self.finished {
            // Whoever drops it unfinished has the error that matters; this is tidying up.
            let _ = std::fs::remove_file(&self.partial);
        }
    }
}

/// Follows the blocks of a run: columns, step and time must go on as they began.
#[derive(Debug)]
pub(crate) struct Course {
    names: Vec<String>,
    t0_s: f64,
    dt_s: f64,
    rows: u64,
}

impl Course {
    /// Starts with the first block.
    pub(crate) fn start(block: &TraceBlock<'_>) -> Self {
        let names = block.columns.iter().map(|c| c.name.to_owned()).collect();
        Self {
            names,
            t0_s: block.t0_s,
            dt_s: block.dt_s,
            rows: 0,
        }
    }

    /// Names of the columns without the time.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Time of the sample `k` after the last one taken, counted from the start, so that no rounding adds up.
    pub(crate) fn time_s(&self, k: usize) -> f64 {
        self.t0_s + (self.rows + k as u64) as f64 * self.dt_s
    }

    /// Checks a block before it is written.
    pub(crate) fn check(&self, block: &TraceBlock<'_>, path: &Path) -> Result<(), WriteError> {
        let same = block.columns.len() == self.names.len()
            && block
                .columns
                .iter()
                .zip(&self.names)
                .all(|(c, name)| c.name == name)
            && block.columns.iter().all(|c| c.values.len() == block.len());
        if !same {
            return Err(WriteError::Columns {
                path: path.to_owned(),
                t_s: block.t0_s,
            });
        }
        let expected_s = self.time_s(0);
        let follows = block.dt_s == self.dt_s && (block.t0_s - expected_s).abs() <= 0.5 * self.dt_s;
        if !(follows && self.dt_s > 0.0 && self.dt_s.is_finite()) {
            let path = path.to_owned();
            return Err(WriteError::Time {
                path,
                expected_s,
                got_s: block.t0_s,
                dt_s: block.dt_s,
            });
        }
        for column in block.columns {
            if let Some(k) = column.values.iter().position(|v| !v.is_finite()) {
                return Err(WriteError::NotFinite {
                    path: path.to_owned(),
                    column: column.name.to_owned(),
                    t_s: self.time_s(k),
                    value: column.values[k],
                });
            }
        }
        Ok(())
    }

    /// Counts rows that have been taken.
    pub(crate) fn advance(&mut self, rows: usize) {
        self.rows += rows as u64;
    }
}
