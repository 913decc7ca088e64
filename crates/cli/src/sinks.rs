//! The trace files of a run.

use std::path::{Path, PathBuf};

use ballast_scenario::Loaded;
use ballast_series::{SinkError, TraceBlock, TraceSink};
use ballast_tables::{CsvSink, ParquetSink, WriteError};

/// The trace files of a run, or of the fine run of its worst stretch.
pub(crate) struct Sinks {
    parquet: Option<ParquetSink>,
    csv: Option<CsvSink>,
}

impl Sinks {
    /// Files in the folder `staging`; `part` says whose they are, as name and value.
    pub(crate) fn create(
        staging: &Path,
        loaded: &Loaded,
        csv: bool,
        part: (&str, &str),
    ) -> Result<Self, WriteError> {
        let scenario = &loaded.scenario;
        let mut metadata = vec![
            (
                "ballast.version".to_owned(),
                env!("CARGO_PKG_VERSION").to_owned(),
            ),
            (
                "ballast.scenario".to_owned(),
                scenario.scenario.name.clone(),
            ),
            ("ballast.scenario_sha256".to_owned(), loaded.sha256.clone()),
            (
                "ballast.seed".to_owned(),
                scenario.simulation.seed.to_string(),
            ),
            (part.0.to_owned(), part.1.to_owned()),
        ];
        let columns = ballast_study::trace_columns(scenario);
        metadata.extend(columns.into_iter().map(|c| {
            let text = format!("{}; {}", c.unit, c.what);
            (format!("column.{}", c.name), text)
        }));
        let parquet = scenario
            .outputs
            .traces
            .then(|| ParquetSink::create(&staging.join("traces.parquet"), &metadata));
        let csv = csv.then(|| CsvSink::create(&staging.join("traces.csv"), &[]));
        Ok(Self {
            parquet: parquet.transpose()?,
            csv: csv.transpose()?,
        })
    }

    pub(crate) fn any(&self) -> bool {
        self.parquet.is_some() || self.csv.is_some()
    }

    pub(crate) fn finish(self) -> Result<(), WriteError> {
        self.parquet.map(ParquetSink::finish).transpose()?;
        self.csv.map(CsvSink::finish).transpose()?;
        Ok(())
    }

    /// Closes the Parquet traces alone. Where they are; none if there are none.
    pub(crate) fn keep(self) -> Result<Option<PathBuf>, WriteError> {
        self.parquet.map(ParquetSink::finish).transpose()
    }
}

impl TraceSink for Sinks {
    fn block(&mut self, block: &TraceBlock<'_>) -> Result<(), SinkError> {
        if let Some(parquet) = &mut self.parquet {
            parquet.block(block)?;
        }
        if let Some(csv) = &mut self.csv {
            csv.block(block)?;
        }
        Ok(())
    }
}
