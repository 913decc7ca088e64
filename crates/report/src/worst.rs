//! Which moment of the bus is the worst, and the stretch of time to show around it.

use ballast_study::outcome::{Extreme, Outcome, PlantKpis};

use crate::axis::{Range, drawable};
use crate::trace::{self, Bucket};

/// Half the width of the close-up, seconds.
const CLOSE_UP_S: f64 = 3.0;
/// Buckets the close-up shows on either side where the pyramid is coarser than that.
const CLOSE_UP_BUCKETS: f64 = 50.0;
/// Buckets without which a close-up shows nothing.
const LEAST_BUCKETS: usize = 50;

/// End of the run, seconds.
pub(crate) fn end_s(outcome: &Outcome) -> f64 {
    let end = outcome.scenario.simulation.start_s + outcome.provenance.duration_s;
    if drawable(end) && end > 0.0 { end } else { 0.0 }
}

/// The realisation that is drawn.
pub(crate) fn drawn(outcome: &Outcome) -> u32 {
    outcome.provenance.shown.unwrap_or(1)
}

/// The worst frequency.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Worst {
    /// Value, time and realisation.
    pub(crate) extreme: Extreme,
    /// Whether it is the highest frequency; the lowest otherwise.
    pub(crate) highest: bool,
    /// The realisation that is drawn.
    drawn: u32,
}

impl Worst {
    /// Whether it lies in the realisation that is drawn.
    pub(crate) fn is_drawn(&self) -> bool {
        self.extreme.realisation == self.drawn
    }
}

/// Value of a limit that was checked.
pub(crate) fn limit(outcome: &Outcome, key: &str) -> Option<f64> {
    outcome
        .verdicts
        .iter()
        .find(|v| v.limit == key)
        .and_then(|v| v.limit_value)
        .filter(|&v| drawable(v))
}

/// The limits on frequency: lowest, highest.
pub(crate) fn limits(outcome: &Outcome) -> (Option<f64>, Option<f64>) {
    (
        limit(outcome, "frequency_min_hz"),
        limit(outcome, "frequency_max_hz"),
    )
}

/// Whether the highest frequency is worse than the lowest: nearer to its limit, or farther from nominal without limits.
fn highest_is_worse(outcome: &Outcome, nominal_hz: f64, lowest: f64, highest: f64) -> bool {
    match limits(outcome) {
        (Some(min), Some(max)) => max - highest < lowest - min,
        (Some(_), None) => false,
        (None, Some(_)) => true,
        (None, None) => highest - nominal_hz > nominal_hz - lowest,
    }
}

/// The worst frequency of all realisations.
pub(crate) fn worst(outcome: &Outcome, plant: &PlantKpis) -> Option<Worst> {
    let (min, max) = (plant.frequency_min, plant.frequency_max);
    // A frequency that never moves has no worst moment.
    let fine = |e: Extreme| drawable(e.value) && drawable(e.at_s) && min.value != max.value;
    let worst = match (fine(min), fine(max)) {
        (true, true) if highest_is_worse(outcome, plant.nominal_hz, min.value, max.value) => {
            Worst {
                extreme: max,
                highest: true,
                drawn: drawn(outcome),
            }
        }
        (true, _) => Worst {
            extreme: min,
            highest: false,
            drawn: drawn(outcome),
        },
        (false, true) => Worst {
            extreme: max,
            highest: true,
            drawn: drawn(outcome),
        },
        (false, false) => return None,
    };
    Some(worst)
}

/// Stretch of time around the worst moment of the first realisation, and that moment; none if the pyramid is too coarse.
pub(crate) fn worst_window(outcome: &Outcome) -> Option<(Range, Worst)> {
    let plant = outcome.plant.as_ref()?;
    let level = trace::finest(&plant.frequency_pyramid)?;
    let buckets = trace::buckets(&plant.frequency_pyramid, end_s(outcome));
    let covered = trace::covered(&buckets)?;
    let worst = worst(outcome, plant)?;
    let worst = if worst.is_drawn() {
        worst
    } else {
        worst_drawn(outcome, plant, &buckets)?
    };
    let half = CLOSE_UP_S.max(CLOSE_UP_BUCKETS * level.dt_s);
    let at = worst.extreme.at_s;
    let window = Range {
        lo: (at - half).max(covered.lo),
        hi: (at + half).min(covered.hi),
    };
    let resolved = window.span() > 0.0 && trace::within(&buckets, window).len() >= LEAST_BUCKETS;
    resolved.then_some((window, worst))
}

/// The worst moment of the first realisation as its pyramid shows it, when the worst of all lies in another one.
fn worst_drawn(outcome: &Outcome, plant: &PlantKpis, buckets: &[Bucket]) -> Option<Worst> {
    let lowest = buckets.iter().min_by(|a, b| a.min.total_cmp(&b.min))?;
    let highest = buckets.iter().max_by(|a, b| a.max.total_cmp(&b.max))?;
    let extreme = |value, b: &Bucket| Extreme {
        value,
        at_s: b.middle_s(),
        realisation: drawn(outcome),
    };
    let is_high = highest_is_worse(outcome, plant.nominal_hz, lowest.min, highest.max);
    let extreme = if is_high {
        extreme(highest.max, highest)
    } else {
        extreme(lowest.min, lowest)
    };
    Some(Worst {
        extreme,
        highest: is_high,
        drawn: drawn(outcome),
    })
}
