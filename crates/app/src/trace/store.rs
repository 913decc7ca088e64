//! Where the samples of a trace lie.

use std::fmt;
use std::sync::Arc;

use crate::platform::Scratch;

/// Samples of one column that lie together in a scratch file.
pub(super) const CHUNK: usize = 4096;

/// Samples of one trace.
#[derive(Clone)]
pub(super) enum Store {
    /// In memory.
    Memory(Vec<f32>),
    /// In a scratch file, chunk after chunk: the first of every column, then the second of every column, ….
    Scratch {
        file: Arc<dyn Scratch>,
        column: u64,
        columns: u64,
    },
}

impl Store {
    /// The samples, if they lie in memory.
    pub(super) fn slice(&self, first: u64, len: u64) -> Option<&[f32]> {
        match self {
            Self::Memory(all) => all.get(first as usize..(first + len) as usize),
            Self::Scratch { .. } => None,
        }
    }

    /// Reads samples from number `first` on.
    pub(super) fn read(&self, first: u64, into: &mut [f32]) -> std::io::Result<()> {
        let short = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
        match self {
            Self::Memory(_) => {
                let samples = self.slice(first, into.len() as u64).ok_or_else(short)?;
                into.copy_from_slice(samples);
            }
            Self::Scratch {
                file,
                column,
                columns,
            } => {
                let (mut at, mut rest) = (first, into);
                while !rest.is_empty() {
                    let (chunk, within) = (at / CHUNK as u64, at % CHUNK as u64);
                    let len = rest.len().min(CHUNK - within as usize);
                    let (now, later) = rest.split_at_mut(len);
                    let place = (chunk * columns + column) * CHUNK as u64 + within;
                    if file.read(place, now)? < len {
                        return Err(short());
                    }
                    at += len as u64;
                    rest = later;
                }
            }
        }
        Ok(())
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Memory(all) => 4 * all.capacity(),
            Self::Scratch { .. } => 0,
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(all) => write!(f, "Memory({} samples)", all.len()),
            Self::Scratch { column, .. } => write!(f, "Scratch(column {column})"),
        }
    }
}
