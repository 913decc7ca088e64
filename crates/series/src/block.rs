//! Blocks of uniformly spaced samples: where they come from and where traces are written to.

use std::error::Error;

/// A signal that can fill uniform blocks: a simulated load, or a measured trace played at a step.
pub trait BlockSource {
    /// Time between two samples, in seconds; positive and finite.
    fn dt_s(&self) -> f64;

    /// Fills `out` with the samples `start`, `start + 1`, …: the power in W at `t = k·dt`.
    ///
    /// Callers read forwards, block after block. A source that keeps state may rely on `start`
    /// being where the last block ended.
    fn fill(&mut self, start: u64, out: &mut [f64]);
}

/// One column of a trace block: a named signal with its unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TraceColumn<'a> {
    /// Name of the signal as it appears in the header of a trace file, such as `site_power`.
    pub name: &'a str,
    /// Unit of the values, such as `W` or `Hz`.
    pub unit: &'a str,
    /// Values at `t0_s + k·dt_s` of the block.
    pub values: &'a [f64],
}

/// A block of trace: some signals over the same uniformly spaced instants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TraceBlock<'a> {
    /// Time of the first sample of the block, in seconds after the t = 0 that jobs and events count from.
    pub t0_s: f64,
    /// Time between two samples, in seconds.
    pub dt_s: f64,
    /// The signals, all equally long and in the same order in every block of a run.
    pub columns: &'a [TraceColumn<'a>],
}

impl TraceBlock<'_> {
    /// Number of samples of every column; 0 without columns.
    pub fn len(&self) -> usize {
        self.columns.first().map_or(0, |column| column.values.len())
    }

    /// Whether the block holds no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Whoever keeps the traces of a run: a file writer, a plot, a test.
pub trait TraceSink {
    /// Takes the next block; blocks arrive in the order of time, without gaps.
    ///
    /// An error ends the run; it carries the cause, such as a full disk.
    fn block(&mut self, block: &TraceBlock<'_>) -> Result<(), SinkError>;
}

/// A trace sink could not take a block. The cause is the sink's own error, shown as it is.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct SinkError(#[from] Box<dyn Error + Send + Sync>);

impl SinkError {
    /// Wraps the sink's own error, such as an [`std::io::Error`], and keeps it as the cause.
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }

    /// The sink's own error.
    pub fn cause(&self) -> &(dyn Error + Send + Sync + 'static) {
        self.0.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::{SinkError, TraceBlock, TraceColumn, TraceSink};
    use std::io;

    struct FullDisk {
        room: usize,
        kept: Vec<f64>,
    }

    impl TraceSink for FullDisk {
        fn block(&mut self, block: &TraceBlock<'_>) -> Result<(), SinkError> {
            for column in block.columns {
                if self.kept.len() + column.values.len() > self.room {
                    return Err(SinkError::new(io::Error::from(io::ErrorKind::StorageFull)));
                }
                self.kept.extend_from_slice(column.values);
            }
            Ok(())
        }
    }

    #[test]
    fn a_sink_is_fed_block_by_block_and_its_error_keeps_the_cause() {
        let mut sink = FullDisk {
            room: 4,
            kept: Vec::new(),
        };
        let columns = [TraceColumn {
            name: "site_power",
            unit: "W",
            values: &[1.0, 2.0, 3.0],
        }];
        let block = TraceBlock {
            t0_s: 0.0,
            dt_s: 0.1,
            columns: &columns,
        };
        assert_eq!(block.len(), 3);
        assert!(!block.is_empty());
        sink.block(&block).unwrap();
        let error = sink.block(&block).unwrap_err();
        let cause = error.cause().downcast_ref::<io::Error>().unwrap();
        assert_eq!(cause.kind(), io::ErrorKind::StorageFull);
        assert_eq!(error.to_string(), cause.to_string());
        assert_eq!(sink.kept, [1.0, 2.0, 3.0]);
    }
}
