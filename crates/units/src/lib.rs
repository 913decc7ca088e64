//! Quantities at borders, parsing and printing them, and where a number comes from.
//!
//! Inside kernels and in files a quantity is a plain `f64` whose name carries the unit
//! (`_w`, `_kw`, `_s`, `_hz`, `_pu`, `_j`). The newtypes stand where a caller could mix two quantities up.

pub mod provenance;
pub mod quantity;
pub mod text;
pub mod time_unit;

pub use provenance::{Confidence, Grade, Provenance, Sourced, WeakDefault};
pub use quantity::{Hertz, Joules, PerUnit, Seconds, Watts};
pub use text::{
    ParseQuantityError, format_figure, format_in_unit, format_number, format_si, parse_in_unit,
};
pub use time_unit::TimeUnit;
