//! Measured beside simulated: the tables and the figure of `docs/validation.md`.
//!
//! [`measure`] takes statistics of measured traces, [`simulate`] the same of the scenarios under `docs/validation/`, by the
//! same code. The measured ones are kept as facts in `docs/validation/measured.csv`, because the traces are not part of the
//! project; the simulated ones are computed anew each time. [`page`] writes both into the tables of the page.

mod figure;
mod measured;
mod simulated;
mod stats;
mod table;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

pub use figure::draw;
pub use measured::{folder, measure};
pub use simulated::simulate;
pub use table::{Judged, judge, page};

/// Statistics by name, `case.statistic`, in the units the tables show.
pub type Figures = BTreeMap<String, f64>;

/// File with the measured statistics, below the folder of the repository.
pub const MEASURED: &str = "docs/validation/measured.csv";
/// The page, below the folder of the repository.
pub const PAGE: &str = "docs/validation.md";

const WINDOWS_H100_S: [f64; 3] = [0.2, 1.0, 5.0];
const LAGS_H100_S: [f64; 7] = [0.2, 1.0, 2.0, 5.0, 10.4, 21.0, 52.4];
const WINDOWS_SQUARE_S: [f64; 4] = [0.001, 0.005, 0.01, 0.05];
const LAGS_SQUARE_S: [f64; 5] = [0.001, 0.005, 0.026, 0.052, 0.1044];
const WINDOWS_STEP_S: [f64; 5] = [0.001, 0.005, 0.01, 0.05, 0.1];

/// Why the page could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ValidationError {
    /// A measured trace is not what it should be.
    #[error("measured trace {}: {why}", path.display())]
    Trace {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A scenario or preset could not be used.
    #[error("scenario {name}: {why}")]
    Scenario {
        /// Its name.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// A line of the measured statistics cannot be read.
    #[error("{MEASURED}, line {line}: `{text}` is no statistic; right would be `name,number`")]
    Fact {
        /// Line, from 1.
        line: usize,
        /// What stands there.
        text: String,
    },
    /// The page lacks the place for a table.
    #[error("{PAGE}: no `<!-- table {table} -->` with a `<!-- end -->` behind it")]
    Marker {
        /// Name of the table.
        table: &'static str,
    },
    /// A table asks for a statistic that is not there.
    #[error("no statistic `{0}`")]
    Missing(String),
    /// The figure could not be drawn.
    #[error(transparent)]
    Figure(#[from] ballast_report::ReportError),
}

/// The load step of one A100 PCIe, from its start at 1.05 s to its end at 7.02 s.
fn step(into: &mut Figures, course: &stats::Course) {
    let low = course.between(0.0, 0.9).quantile(0.5);
    let high = course.between(4.0, 4.9).quantile(0.5);
    into.insert("step.low".into(), low);
    into.insert("step.high".into(), high);
    // Of the level in the first fifth of a second to that 4 s later: warmth.
    let early = course.between(1.1, 1.3).mean();
    into.insert("step.early".into(), 100.0 * early / high);
    let steady = course.between(3.0, 4.9).histogram();
    into.insert("step.spread".into(), 100.0 * steady.std() / steady.mean());
    let (rises, _) = stats::edges(&course.between(0.9, 1.3), low, high);
    let (_, falls) = stats::edges(&course.between(6.5, 7.5), low, high);
    into.insert("step.rise_time".into(), stats::median(rises));
    into.insert("step.fall_time".into(), stats::median(falls));
    // Between 0.5 s before the start and 0.5 s after it.
    stats::ramps(
        into,
        "step",
        &course.between(0.5, 1.5),
        &WINDOWS_STEP_S,
        1.0,
    );
}

/// The measured statistics as text: a line each, six digits.
pub fn facts(figures: &Figures) -> String {
    let mut text = String::from("statistic,value\n");
    for (name, value) in figures {
        let _ = writeln!(text, "{name},{}", six_digits(*value));
    }
    text
}

/// Reads what [`facts`] wrote.
pub fn read_facts(text: &str) -> Result<Figures, ValidationError> {
    let one = |(i, line): (usize, &str)| {
        line.split_once(',')
            .and_then(|(name, value)| Some((name.to_owned(), value.parse().ok()?)))
            .ok_or_else(|| ValidationError::Fact {
                line: i + 1,
                text: line.to_owned(),
            })
    };
    text.lines().enumerate().skip(1).map(one).collect()
}

/// Rounded to six significant digits, in plain notation.
fn six_digits(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}
