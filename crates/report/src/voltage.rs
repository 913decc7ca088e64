//! Voltage of the bus over time, under power and frequency.

use ballast_series::Pyramid;
use ballast_study::outcome::{Outcome, PlantKpis};

use crate::limited::Limited;
use crate::style;
use crate::time_figure::band_name;
use crate::trace::{self, Bucket};
use crate::worst::{end_s, limit};

/// Voltage of the bus of the realisation that is drawn; none without alternators.
pub(crate) fn buckets(outcome: &Outcome, plant: &PlantKpis) -> Vec<Bucket> {
    plant
        .voltage_pyramid
        .as_ref()
        .map(|p| trace::buckets(p, end_s(outcome)))
        .unwrap_or_default()
}

/// The panel: voltage per unit with its limits.
pub(crate) fn panel(limits: [Option<f64>; 2], pyramid: Option<&Pyramid>) -> Limited {
    Limited {
        heading: "Bus voltage (pu)",
        symbol: "pu",
        colour: style::VOLTAGE,
        limits,
        nominal: 1.0,
        least: 1e-3,
        band: pyramid.map(band_name).unwrap_or_default(),
    }
}

/// The panel of a run.
pub(crate) fn of_run(outcome: &Outcome) -> Limited {
    let limits = [
        limit(outcome, "voltage_min_pu"),
        limit(outcome, "voltage_max_pu"),
    ];
    let plant = outcome.plant.as_ref();
    panel(limits, plant.and_then(|p| p.voltage_pyramid.as_ref()))
}
