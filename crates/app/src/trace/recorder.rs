//! Takes the traces of a run, block by block.

use std::collections::BTreeMap;
use std::sync::Arc;

use ballast_scenario::Scenario;
use ballast_series::{SinkError, TraceBlock, TraceSink};
use ballast_study::trace_columns;

use super::levels::Levels;
use super::store::{CHUNK, Store};
use super::{Trace, TraceSet};
use crate::platform::{Platform, Scratch};
use crate::result::{RackMap, RackMapBuilder};

/// Name that columns of racks begin with.
const RACK: &str = "rack_w_";

struct Column {
    name: String,
    unit: String,
    levels: Levels,
    /// All samples, or those of the chunk being filled.
    samples: Vec<f32>,
}

/// A sink that keeps the traces of a run for plots, and the racks' power for the map.
pub struct Recorder {
    platform: Arc<dyn Platform>,
    memory: u64,
    /// What each column is, by name.
    what: BTreeMap<String, String>,
    expected: u64,
    racks: Option<RackMapBuilder>,
    columns: Vec<Column>,
    scratch: Option<Arc<dyn Scratch>>,
    t0_s: f64,
    dt_s: f64,
    samples: u64,
}

impl Recorder {
    /// For a run of a scenario of some `expected` samples, with at most `memory` bytes of samples in memory.
    pub fn new(
        platform: Arc<dyn Platform>,
        scenario: &Scenario,
        expected: u64,
        memory: u64,
    ) -> Self {
        let described = trace_columns(scenario).into_iter();
        Self {
            platform,
            memory,
            what: described.map(|c| (c.name, c.what)).collect(),
            expected,
            racks: RackMapBuilder::new(scenario, expected),
            columns: Vec::new(),
            scratch: None,
            t0_s: 0.0,
            dt_s: 0.0,
            samples: 0,
        }
    }

    fn begin(&mut self, block: &TraceBlock<'_>) -> Result<(), SinkError> {
        (self.t0_s, self.dt_s) = (block.t0_s, block.dt_s);
        let mine = block.columns.iter().filter(|c| !c.name.starts_with(RACK));
        let columns = mine.clone().count() as u64;
        let bytes = self.expected * columns * 4;
        let room = if bytes > self.memory {
            let file = self.platform.scratch().map_err(SinkError::new)?;
            self.scratch = Some(file);
            CHUNK
        } else {
            self.expected as usize
        };
        self.columns = mine
            .map(|c| Column {
                name: c.name.to_owned(),
                unit: c.unit.to_owned(),
                levels: Levels::default(),
                samples: Vec::with_capacity(room),
            })
            .collect();
        Ok(())
    }

    /// Writes a chunk of every column, filled up with gaps.
    fn spill(&mut self) -> Result<(), SinkError> {
        let Some(file) = &self.scratch else {
            return Ok(());
        };
        for column in &mut self.columns {
            column.samples.resize(CHUNK, f32::NAN);
            file.append(&column.samples).map_err(SinkError::new)?;
            column.samples.clear();
        }
        Ok(())
    }

    /// The traces, and the map of the racks if there are any.
    ///
    /// # Errors
    /// The scratch file takes no more.
    pub fn finish(mut self) -> Result<(TraceSet, Option<RackMap>), SinkError> {
        if self.columns.first().is_some_and(|c| !c.samples.is_empty()) {
            self.spill()?;
        }
        let columns = self.columns.len() as u64;
        let mut traces = Vec::with_capacity(self.columns.len());
        for (index, mut column) in self.columns.into_iter().enumerate() {
            column.levels.finish();
            column.samples.shrink_to_fit();
            let store = match &self.scratch {
                None => Store::Memory(column.samples),
                Some(file) => Store::Scratch {
                    file: Arc::clone(file),
                    column: index as u64,
                    columns,
                },
            };
            traces.push(Arc::new(Trace {
                what: self.what.remove(&column.name).unwrap_or_default(),
                name: column.name,
                unit: column.unit,
                t0_s: self.t0_s,
                dt_s: self.dt_s,
                levels: column.levels,
                store,
            }));
        }
        let set = TraceSet {
            t0_s: self.t0_s,
            dt_s: self.dt_s,
            samples: self.samples,
            traces,
        };
        Ok((set, self.racks.and_then(RackMapBuilder::finish)))
    }
}

impl TraceSink for Recorder {
    fn block(&mut self, block: &TraceBlock<'_>) -> Result<(), SinkError> {
        if self.columns.is_empty() {
            self.begin(block)?;
        }
        let len = block.len();
        let mut taken = 0;
        while taken < len {
            let mut until = len;
            if self.scratch.is_some() {
                let filled = self.columns.first().map_or(0, |c| c.samples.len());
                until = len.min(taken + CHUNK - filled);
            }
            let mine = block.columns.iter().filter(|c| !c.name.starts_with(RACK));
            for (column, from) in self.columns.iter_mut().zip(mine) {
                let first = column.samples.len();
                let values = from.values[taken..until].iter().map(|v| *v as f32);
                column.samples.extend(values);
                column.levels.push(&column.samples[first..]);
            }
            taken = until;
            let full = self
                .columns
                .first()
                .is_some_and(|c| c.samples.len() == CHUNK);
            if self.scratch.is_some() && full {
                self.spill()?;
            }
        }
        if let Some(racks) = &mut self.racks {
            racks.take(block, RACK);
        }
        self.samples += len as u64;
        Ok(())
    }
}
