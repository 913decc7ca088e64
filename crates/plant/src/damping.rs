//! How much more damping keeps a swing within its limit.

use crate::linear::{Linear, Rest};
use crate::modes::modes;
use crate::periodic::PeriodicLoad;
use crate::plant::Plant;
use crate::predict::{Lines, unlimited_pp};
use crate::spec::PlantSpec;

/// Most damping torque tried, per unit of each set.
const MOST_PU: f64 = 100.0;
/// Halvings between too little and enough.
const HALVINGS: u32 = 20;

/// Damping that brings the unlimited linear swing within the limit, whatever provides it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Damping {
    /// Torque per unit of speed deviation that every set would have to have more, per unit of its kVA.
    pub more_pu: f64,
    /// Damping ratio of the mode nearest to the line, without and with it.
    pub ratio: (f64, f64),
}

/// Unlimited linear peak to peak, per unit, with so much more damping; none where that plant cannot be described.
fn swing(
    plant: &PlantSpec,
    load: &PeriodicLoad,
    (step_s, lines): (f64, usize),
    more_pu: f64,
) -> Option<(f64, Plant)> {
    let mut spec = plant.clone();
    for set in &mut spec.sets {
        set.damping_pu += more_pu;
    }
    let plant = Plant::new(&spec, load.mean_w(), step_s).ok()?;
    let (linear, rest): (&Linear, &Rest) = (plant.linear(), plant.rest());
    let lines = Lines::new(linear, rest, load, plant.base_w(), lines);
    let pp = unlimited_pp(linear, &lines, |_| 1.0)?;
    Some((pp, plant))
}

/// The least damping that is enough; none where 100 per unit are not, or none is needed.
pub(crate) fn enough(
    plant: &PlantSpec,
    load: &PeriodicLoad,
    by: (f64, usize),
    limit_pu: f64,
    line_hz: f64,
) -> Option<Damping> {
    let within = |more_pu: f64| swing(plant, load, by, more_pu).filter(|s| s.0 <= limit_pu);
    let now = swing(plant, load, by, 0.0)?;
    if now.0 <= limit_pu {
        return None;
    }
    // The largest damping that can be described: a very large one asks for a shorter step.
    let mut high = MOST_PU;
    while swing(plant, load, by, high).is_none() && high > 0.1 {
        high *= 0.5;
    }
    let mut best = within(high)?;
    let mut low = 0.0;
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        match within(middle) {
            Some(found) => (high, best) = (middle, found),
            None => low = middle,
        }
    }
    let ratio = |plant: &Plant| {
        let modes = modes(plant.rest(), plant.linear())?;
        modes.nearest(line_hz).map(|m| m.damping_ratio)
    };
    Some(Damping {
        more_pu: high,
        ratio: (ratio(&now.1)?, ratio(&best.1).unwrap_or(1.0)),
    })
}
