//! Newtypes for borders where two quantities could be mixed up.

use serde::{Deserialize, Serialize};

/// Power, watts.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Watts(pub f64);

/// Time, seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Seconds(pub f64);

/// Frequency, hertz.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Hertz(pub f64);

/// Energy, joules.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Joules(pub f64);

/// A share of a base that the context names.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct PerUnit(pub f64);

impl Watts {
    /// The same power in kilowatts.
    pub fn kilowatts(self) -> f64 {
        self.0 / 1e3
    }

    /// From kilowatts.
    pub fn from_kilowatts(kw: f64) -> Self {
        Self(kw * 1e3)
    }
}
