//! What stands in a scenario file about the runs of a batch job that follow each other, and when each begins.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::BatchJob;

/// One of several runs of a batch job: launch, load, warmup, then its steady phase until it stops.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchRun {
    /// What events call it. Default: the number of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Time of the first start, seconds. Negative: before the run.
    #[schemars(extend("x-unit" = "s"))]
    pub start_s: f64,
    /// Time at which it stops, whatever phase it is in, seconds; a node that starts later stops as much later. Default, for the last
    /// one only: the end of the simulation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "s"))]
    pub stop_s: Option<f64>,
    /// Whether it ends in a crash. The GPUs fall to idle either way; the events tell it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub crash: bool,
}

impl BatchRun {
    /// Its name, or its number, counted from 1, in words.
    pub(crate) fn label(&self, index: usize) -> String {
        let name = self.name.as_ref().map(|n| format!("run `{n}`"));
        name.unwrap_or_else(|| format!("run {}", index + 1))
    }
}

impl BatchJob {
    /// Time at which its first node starts first, seconds.
    pub fn first_start_s(&self) -> f64 {
        self.runs.first().map_or(self.start_s, |r| r.start_s)
    }

    /// Time at which its first node starts last, seconds; the same as the first without `runs`.
    pub fn last_start_s(&self) -> f64 {
        self.runs.last().map_or(self.start_s, |r| r.start_s)
    }
}
