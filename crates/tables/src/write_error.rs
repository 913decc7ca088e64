//! Why a trace could not be written.

use std::error::Error;
use std::io;
use std::path::PathBuf;

/// Why a trace could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The file cannot be made: no such folder, no permission, a read-only disk.
    #[error("cannot create {}: {cause}", path.display())]
    Create {
        /// File that was to be made.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// Data did not get to the disk; it is full, or has failed.
    #[error("cannot write {}: {cause}", path.display())]
    Write {
        /// File that was being written.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The Parquet encoder gave up, mostly because its writes fail.
    #[error("cannot write {}: {cause}", path.display())]
    Encode {
        /// File that was being written.
        path: PathBuf,
        /// The encoder's own error.
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
    /// A block has other columns than the blocks before it, or columns of different lengths.
    #[error("{}: the columns change at t = {t_s} s; all blocks must have the same columns, equally long", path.display())]
    Columns {
        /// File that was being written.
        path: PathBuf,
        /// Start of the block, seconds.
        t_s: f64,
    },
    /// A block does not begin where the one before it ended, or has another step.
    #[error("{}: a block begins at t = {got_s} s with a step of {dt_s} s where t = {expected_s} s was next", path.display())]
    Time {
        /// File that was being written.
        path: PathBuf,
        /// Time the next block should begin at, seconds.
        expected_s: f64,
        /// Time it begins at, seconds.
        got_s: f64,
        /// Its step, seconds.
        dt_s: f64,
    },
    /// A value is NaN or infinite.
    #[error("{}: `{column}` is {value} at t = {t_s} s", path.display())]
    NotFinite {
        /// File that was being written.
        path: PathBuf,
        /// Column of the value.
        column: String,
        /// Time of the value, seconds.
        t_s: f64,
        /// The value.
        value: f64,
    },
    /// The run ended before it gave any block, so that not even the columns are known.
    #[error("{}: there is nothing to write", path.display())]
    Nothing {
        /// File that was to be written.
        path: PathBuf,
    },
}
