//! How a table of somebody else states time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Unit of a table's time column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TimeUnit {
    /// Seconds.
    #[serde(rename = "s")]
    Seconds,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Milliseconds,
    /// Microseconds.
    #[serde(rename = "us")]
    Microseconds,
    /// Date and time, ISO 8601.
    #[serde(rename = "iso8601")]
    Iso8601,
}
