//! How much energy a load asks of a store.

use crate::Smoother;
use crate::spec::{Control, Reference, StoreSpec};

/// What a store would have to hold so that none of its limits is ever felt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Need {
    /// From lowest to highest charge once the start is forgotten, J: enough for a store that starts at the right charge.
    pub swing_j: f64,
    /// Usable energy of a store that starts at the middle, J: twice the larger excursion from the start.
    pub from_middle_j: f64,
    /// Highest power at its terminals, either way, W.
    pub power_w: f64,
    /// From lowest to highest power at the grid once the start is forgotten, W.
    pub grid_swing_w: f64,
    /// The same of the load, W.
    pub load_swing_w: f64,
}

/// What a controller asks for beside a load, from a store without losses and without limits. `load_w` in steps of `dt_s` seconds; the first half counts
/// as start. All zero for a load of less than two samples.
///
/// With [`Reference::Constant`] at the load's mean and an infinite recovery, of whole periods: the ideal need.
pub fn need(load_w: &[f64], dt_s: f64, control: &Control) -> Need {
    let extent = |of: &[f64]| {
        let high = of.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let low = of.iter().copied().fold(f64::INFINITY, f64::min);
        (low, high)
    };
    let span = |of: &[f64]| {
        let (low, high) = extent(of);
        if high > low { high - low } else { 0.0 }
    };
    if load_w.len() < 2 {
        return Need {
            swing_j: 0.0,
            from_middle_j: 0.0,
            power_w: 0.0,
            grid_swing_w: 0.0,
            load_swing_w: 0.0,
        };
    }
    // More than the whole load could fill or empty, with the taper far away.
    let most_w = load_w.iter().fold(1.0_f64, |m, w| m.max(w.abs()));
    let energy_j = 16.0 * most_w * (dt_s * load_w.len() as f64 + control.taper_s);
    let store = StoreSpec {
        energy_j,
        charge_w: 4.0 * most_w + energy_j,
        discharge_w: 4.0 * most_w + energy_j,
        charge_efficiency: 1.0,
        discharge_efficiency: 1.0,
        standing_w: 0.0,
        start_share: 0.5,
        low_share: 0.0,
        high_share: 1.0,
    };
    let control = Control {
        target_share: None,
        ..*control
    };
    let mut smoother = Smoother::new(control, store);
    let start_j = smoother.store().stored_j();
    let (mut charge_j, mut grid_w) = (Vec::new(), Vec::new());
    let mut power_w = 0.0_f64;
    for &w in load_w {
        let got_w = smoother.step(w, dt_s);
        power_w = power_w.max(got_w.abs());
        charge_j.push(smoother.store().stored_j() - start_j);
        grid_w.push(w + got_w);
    }
    let (low_j, high_j) = extent(&charge_j);
    let settled = load_w.len() / 2;
    Need {
        swing_j: span(&charge_j[settled..]),
        from_middle_j: 2.0 * high_j.max(-low_j),
        power_w,
        grid_swing_w: span(&grid_w[settled..]),
        load_swing_w: span(&load_w[settled..]),
    }
}

/// Energy that flattens a square wave to its mean, without losses: `ΔP d (1 − d)/f`, joules. Starting in the middle of a store takes twice.
///
/// `swing_w` from low to high, `duty` the share of the period at the high level, `frequency_hz` above 0.
pub fn square_swing_j(swing_w: f64, duty: f64, frequency_hz: f64) -> f64 {
    swing_w * duty * (1.0 - duty) / frequency_hz
}

/// The ideal: the mean known beforehand, nothing to bring back.
impl Control {
    /// Smooths to the mean of a load that is known.
    pub fn ideal(mean_w: f64) -> Self {
        Self {
            reference: Reference::Constant { power_w: mean_w },
            recovery_s: f64::INFINITY,
            target_share: None,
            taper_s: 0.0,
            least_grid_w: f64::NEG_INFINITY,
        }
    }
}
