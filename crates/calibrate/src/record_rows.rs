//! A recording on its way to a file, in the layout of [`crate::record_table`].

use serde_json::{Value, json};

use crate::record_table::{Columns, FORMAT, GPUS, MARKS, Metadata, STARTED, TIME};
use crate::recording::Mark;
use crate::source::{GpuFacts, Metric, Sample};

/// Sum over the GPUs.
const POWER: &str = "power_w";

/// Rows on their way to a file.
#[derive(Debug)]
pub(crate) struct Rows {
    indices: Vec<u32>,
    cells: Vec<Vec<f64>>,
}

impl Rows {
    pub(crate) fn new(gpus: &[GpuFacts]) -> Self {
        let columns = 2 + gpus.len() * (1 + Metric::COUNT);
        Self {
            indices: gpus.iter().map(|g| g.index).collect(),
            cells: vec![Vec::new(); columns],
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.cells[0].len()
    }

    /// Adds a poll: when it began, and each GPU's time and sample.
    pub(crate) fn push(&mut self, t_s: f64, samples: &[(f64, Sample)]) {
        let power_w = samples.iter().map(|(_, s)| s.power_w()).sum();
        let of_gpus = samples.iter().flat_map(|(t_s, sample)| {
            let readings = Metric::ALL.iter().map(|r| sample.value(*r));
            std::iter::once(*t_s).chain(readings)
        });
        for (column, value) in self
            .cells
            .iter_mut()
            .zip([t_s, power_w].into_iter().chain(of_gpus))
        {
            column.push(value);
        }
    }

    /// Takes the rows out.
    pub(crate) fn take(&mut self) -> Columns {
        let mut names = vec![TIME.to_owned(), POWER.to_owned()];
        for index in &self.indices {
            names.push(format!("gpu{index}.{TIME}"));
            names.extend(
                Metric::ALL
                    .iter()
                    .map(|r| format!("gpu{index}.{}", r.column())),
            );
        }
        let cells = self.cells.iter_mut().map(std::mem::take);
        names.into_iter().zip(cells).collect()
    }
}

/// What a recording says of itself up to now.
#[derive(Debug, Clone, Default)]
pub(crate) struct About {
    pub(crate) started: String,
    pub(crate) rate_hz: f64,
    pub(crate) gpus: Vec<GpuFacts>,
    pub(crate) marks: Vec<Mark>,
    pub(crate) notes: Vec<Mark>,
    pub(crate) missed: u64,
    pub(crate) ended: String,
    pub(crate) more: Metadata,
}

impl About {
    pub(crate) fn metadata(&self) -> Metadata {
        let listed = |marks: &[Mark], what: &str| {
            let all: Vec<Value> = marks
                .iter()
                .map(|m| json!({ "time_s": m.time_s, what: m.label }))
                .collect();
            Value::from(all).to_string()
        };
        let pairs = [
            (FORMAT, "1".to_owned()),
            (STARTED, self.started.clone()),
            ("ballast.rate_hz", self.rate_hz.to_string()),
            (GPUS, json!(self.gpus).to_string()),
            (MARKS, listed(&self.marks, "label")),
            ("ballast.notes", listed(&self.notes, "text")),
            ("ballast.missed", self.missed.to_string()),
            ("ballast.ended", self.ended.clone()),
        ];
        let own = pairs.into_iter().map(|(k, v)| (k.to_owned(), v));
        own.chain(self.more.iter().cloned()).collect()
    }
}
