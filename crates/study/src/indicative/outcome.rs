//! What an outcome says of weak constants.

use ballast_units::{Confidence, Grade};
use serde::Serialize;

use crate::outcome::Status;

/// A constant of a set that is estimated, recalled or of low confidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WeakConstant {
    /// Path in the merged scenario: `plant.sets.G1.inertia_s`.
    pub path: String,
    /// Set it belongs to.
    pub set: String,
    /// Key under the set, which says the unit: `inertia_s`.
    pub key: String,
    /// What it decides: inertia, dead time, governor, load acceptance, voltage.
    pub what: String,
    /// Value used, in the key's unit; absent for what is not one number.
    pub value: Option<f64>,
    /// Low end of the stated range, in the key's unit; absent if none is stated.
    pub low: Option<f64>,
    /// High end.
    pub high: Option<f64>,
    /// Whether the corners move it.
    pub varied: bool,
    /// What the value rests on.
    pub source: String,
    /// How it came to be known.
    pub grade: Grade,
    /// How far it can be trusted.
    pub confidence: Confidence,
    /// Whether only voltage and reactive power rest on it.
    pub of_voltage: bool,
}

/// How far the corners of the stated ranges were followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ranges {
    /// Over every realisation, from start to end.
    WholeRun,
    /// Around the worst moment of each figure that a limit is on, in the realisation that has it.
    WorstMoments,
    /// Of a failure: over its stretch, to which the plants are led in from the load of the run's start.
    Stretch,
    /// Not at all: the scenario says so.
    Off,
    /// Not for this verdict: it is a prediction, or a failure in a run that is too long.
    RunAlone,
    /// There are none: no weak constant has a range, or none that moves anything.
    NoneStated,
}

/// What a verdict on weak constants is worth: it holds for the constants as they stand, and these are its results at the corners of their ranges.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Indicative {
    /// Paths of the weak constants that the verdict rests on, as in `Outcome::weak_constants`.
    pub rests_on: Vec<String>,
    /// How far the corners were followed.
    pub ranges: Ranges,
    /// Corners looked at, the stated values not among them.
    pub corners: u32,
    /// Corners at which the limit holds.
    pub holds_in: u32,
    /// Corners at which it is broken, the bus collapses or the sets cannot start.
    pub fails_in: u32,
    /// Corners of which it is not known.
    pub unknown_in: u32,
    /// Why not, of the first of them.
    pub unknown: Option<String>,
    /// Worst value over the stated values and the corners, in the unit of the verdict; absent where the verdict has no value or no corner was looked at.
    pub worst_value: Option<f64>,
    /// Its time, seconds.
    pub worst_at_s: Option<f64>,
    /// Realisation (from 1) it is in.
    pub worst_realisation: Option<u32>,
    /// Corner it is at; absent where it is at the stated values.
    pub worst_corner: Option<String>,
    /// First corner at which the bus collapses or the sets cannot start, which is worse than any value; absent if there is none.
    pub lost_corner: Option<String>,
    /// What happens there.
    pub lost: Option<String>,
    /// The verdict at the worst of stated values and corners: FAIL if any fails, else NOT CHECKED if any is not known, else PASS; absent where no
    /// corner was looked at.
    pub worst_status: Option<Status>,
    /// Whether every corner decides as the verdict does; absent where that is not known.
    pub all_agree: Option<bool>,
    /// The same in words.
    pub text: String,
}

impl Indicative {
    /// Of a verdict that rests on weak tables, which have no range to vary; none without such tables.
    pub(crate) fn on_tables(paths: Vec<String>) -> Option<Self> {
        let text = "it rests on tables of accepted steps that are estimated or derived: none has a stated range that could be varied";
        Self::unvaried(paths, Ranges::NoneStated, text)
    }

    /// Of a verdict that rests on the weak constants of the engines, of which no corner was looked at; none without such constants.
    pub(crate) fn on_engines(weak: &[WeakConstant]) -> Option<Self> {
        let of_engine = weak.iter().filter(|w| !w.of_voltage);
        let paths = of_engine.map(|w| w.path.clone()).collect();
        Self::unvaried(
            paths,
            Ranges::RunAlone,
            "worst over the ranges not computed for a prediction",
        )
    }

    fn unvaried(paths: Vec<String>, ranges: Ranges, text: &str) -> Option<Self> {
        (!paths.is_empty()).then(|| Self {
            rests_on: paths,
            ranges,
            corners: 0,
            holds_in: 0,
            fails_in: 0,
            unknown_in: 0,
            unknown: None,
            worst_value: None,
            worst_at_s: None,
            worst_realisation: None,
            worst_corner: None,
            lost_corner: None,
            lost: None,
            worst_status: None,
            all_agree: None,
            text: text.to_owned(),
        })
    }
}
