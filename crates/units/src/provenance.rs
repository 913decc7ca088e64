//! Where a number comes from and how far it can be trusted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a number came to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Read in a standard, a datasheet or a paper.
    Published,
    /// Measured, with the data at hand.
    Measured,
    /// Computed from published or measured numbers.
    Derived,
    /// An engineering estimate.
    Estimated,
    /// Recalled, not read again.
    Recalled,
    /// Given by the user in the scenario file.
    Given,
}

/// How far a number can be trusted. A verdict names every `low` input it rests on.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// An estimate, a recollection or a single weak source.
    Low,
    /// One good source, or several that roughly agree.
    Medium,
    /// Measured or published, and confirmed.
    High,
}

/// Source, grade and confidence of a number that stands elsewhere as a plain `f64`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Paper, standard, datasheet or argument the number rests on.
    pub source: String,
    /// How the number came to be known.
    pub grade: Grade,
    /// How far it can be trusted.
    pub confidence: Confidence,
    /// Low end of the plausible range, in the unit of the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// High end of the plausible range, in the unit of the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
}

/// A number with its range, source and confidence. The unit stands in the name of the key that holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sourced {
    /// The value used.
    pub value: f64,
    /// Low end of the plausible range (about the 5th percentile over workloads and parts).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// High end of the plausible range (about the 95th percentile).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// Paper, standard, datasheet or argument the number rests on.
    pub source: String,
    /// How the number came to be known.
    pub grade: Grade,
    /// How far it can be trusted.
    pub confidence: Confidence,
}

/// A default that is no more than an estimate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeakDefault {
    /// Key it stands in for.
    pub key: &'static str,
    /// Value, in the key's unit.
    pub value: f64,
    /// Unit; empty for none.
    pub unit: &'static str,
    /// What it rests on.
    pub source: &'static str,
}
