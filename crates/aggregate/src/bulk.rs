//! The bulk capacitors of a rack's supplies: what they give and take while the AC side lags behind the DC side.
//!
//! The lag `τ y' = u − y` means that the capacitors give `∫ (u − y) dt = τ (y₁ − y₀)` while y goes from y₀ to y₁: exactly, whatever u does between. They
//! hold no more than their hold-up energy, so the lag acts only as long as this much is there: beyond, the AC side follows its load. A slow loop of the
//! supply brings them back to their level.

use crate::rack::Lag;
use crate::site::Hardware;

/// Time constant with which a supply's voltage loop brings its capacitors back to their level, seconds. An estimate (0.2 to 1 s): several times the
/// lag, so that the loop does not follow twice the mains frequency. The power it takes for that, at most `τ / 0.5 s` of a change, is not in the AC side's.
pub const BULK_RECOVERY_S: f64 = 0.5;

/// What a rack's bulk capacitors had to do.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct BulkReport {
    /// Hold-up energy of all supplies of a rack, joules: as far as they can be emptied, and taken to be as far as they can be filled above their level.
    pub window_j: f64,
    /// Most that they gave below their level in any rack, joules.
    pub given_j: f64,
    /// Most that they took above it, joules.
    pub taken_j: f64,
    /// Time in which the AC side had to follow for want of energy, seconds, summed over racks.
    pub followed_s: f64,
}

impl BulkReport {
    /// Adds what other racks, or the same in another realisation, had to do.
    pub fn merge(&mut self, other: &Self) {
        self.window_j = other.window_j;
        self.given_j = self.given_j.max(other.given_j);
        self.taken_j = self.taken_j.max(other.taken_j);
        self.followed_s += other.followed_s;
    }
}

impl Hardware {
    /// Hold-up energy of all supplies of a rack, J.
    pub(crate) fn bulk_j(&self) -> f64 {
        f64::from(self.nodes) * f64::from(self.psu_count) * self.psu.holdup_j.value
    }

    /// Whether a change between no load and every GPU at `limit_w` could ask more of the capacitors than they hold.
    pub(crate) fn bulk_matters(&self, gpus_per_node_w: f64) -> bool {
        let change_w = self.rack_ac_w(gpus_per_node_w) - self.rack_ac_w(0.0);
        self.psu.lag_s.value * change_w > self.bulk_j()
    }
}

/// Racks side by side; it works on what the engines made with the plain lag.
#[derive(Debug, Clone)]
pub(crate) struct BulkLanes<const N: usize> {
    lag_s: f64,
    dt_s: f64,
    /// Of the lag, and of the voltage loop, over a step.
    decay: f64,
    keep: f64,
    /// Weights of last and next load in the lag's output.
    of_load: [f64; 2],
    window_j: f64,
    started: bool,
    /// Power that the AC side draws beside the plain lag.
    more_w: [f64; N],
    before_w: [f64; N],
    /// Power with the plain lag, and the load behind it, a step before.
    plain_w: [f64; N],
    load_w: [f64; N],
    /// Charge above the level.
    above_j: [f64; N],
    least_j: [f64; N],
    most_j: [f64; N],
    followed: [f64; N],
}

impl<const N: usize> BulkLanes<N> {
    pub(crate) fn new(hardware: &Hardware, dt_s: f64) -> Self {
        let lag_s = hardware.psu.lag_s.value;
        let [decay, old, new] = Lag::new(dt_s, lag_s).weights();
        let none = [0.0; N];
        Self {
            lag_s,
            dt_s,
            decay,
            keep: libm::exp(-dt_s / BULK_RECOVERY_S),
            of_load: [old, new],
            window_j: hardware.bulk_j(),
            started: false,
            more_w: none,
            before_w: none,
            plain_w: none,
            load_w: none,
            above_j: none,
            least_j: none,
            most_j: none,
            followed: none,
        }
    }

    /// The next samples of the AC side, W. A run begins with the capacitors at their level.
    #[expect(
        clippy::inline_always,
        reason = "it must be compiled for the vector width of its caller"
    )]
    #[inline(always)]
    pub(crate) fn step(&mut self, ac_w: &mut [f64; N]) {
        if !self.started {
            self.started = true;
            self.before_w = *ac_w;
            self.plain_w = *ac_w;
            self.load_w = *ac_w;
        }
        let (decay, keep, window_j) = (self.decay, self.keep, self.window_j);
        let [old, new] = self.of_load;
        for (l, ac_w) in ac_w.iter_mut().enumerate() {
            // What was drawn beside the lag fades with it, as the lag is linear.
            let more_w = decay * self.more_w[l];
            let plain_w = *ac_w;
            let free_w = plain_w + more_w;
            let free_j = keep * self.above_j[l] - self.lag_s * (free_w - self.before_w[l]);
            let below_j = if free_j > window_j { window_j } else { free_j };
            let above_j = if below_j < -window_j {
                -window_j
            } else {
                below_j
            };
            // The AC side comes to its load and not beyond, where a step's energy would take it if the step is no small part of the lag: the sum of
            // the steps then is off by up to a step's change times dt, up at rises and down at falls.
            let load_w = (plain_w - decay * self.plain_w[l] - old * self.load_w[l]) / new;
            let load_w = if load_w > 0.0 { load_w } else { 0.0 };
            self.load_w[l] = load_w;
            let asked_w = free_w + (above_j - free_j) / self.dt_s;
            let (low_w, high_w) = if load_w < free_w {
                (load_w, free_w)
            } else {
                (free_w, load_w)
            };
            let raised_w = if asked_w < low_w { low_w } else { asked_w };
            let drawn_w = if raised_w > high_w { high_w } else { raised_w };
            let follow_w = drawn_w - free_w;
            // Rounding aside, the plain lag and what fades beside it add up to no less than nothing.
            *ac_w = if drawn_w > 0.0 { drawn_w } else { 0.0 };
            self.more_w[l] = more_w + follow_w;
            self.before_w[l] = drawn_w;
            self.plain_w[l] = plain_w;
            self.above_j[l] = above_j;
            self.followed[l] += if follow_w == 0.0 { 0.0 } else { 1.0 };
            let least_j = self.least_j[l];
            self.least_j[l] = if above_j < least_j { above_j } else { least_j };
            let most_j = self.most_j[l];
            self.most_j[l] = if above_j > most_j { above_j } else { most_j };
        }
    }

    /// Begins anew with a rack that has power again: capacitors at their level, AC side at `ac_w`.
    pub(crate) fn begin(&mut self, l: usize, ac_w: f64) {
        (self.more_w[l], self.above_j[l]) = (0.0, 0.0);
        (self.before_w[l], self.plain_w[l], self.load_w[l]) = (ac_w, ac_w, ac_w);
    }

    pub(crate) fn report(&self, l: usize) -> BulkReport {
        BulkReport {
            window_j: self.window_j,
            given_j: -self.least_j[l],
            taken_j: self.most_j[l],
            followed_s: self.followed[l] * self.dt_s,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lanes(window_j: f64, lag_s: f64, dt_s: f64) -> BulkLanes<1> {
        let [decay, old, new] = Lag::new(dt_s, lag_s).weights();
        BulkLanes {
            lag_s,
            dt_s,
            decay,
            keep: 1.0,
            window_j,
            started: false,
            more_w: [0.0],
            before_w: [0.0],
            plain_w: [0.0],
            load_w: [0.0],
            of_load: [old, new],
            above_j: [0.0],
            least_j: [0.0],
            most_j: [0.0],
            followed: [0.0],
        }
    }

    /// A step of ΔP: the lag holds until `τ ΔP (1 − e^(−t/τ))` is spent, then the AC side stands at the load.
    #[test]
    fn the_ac_side_follows_when_the_capacitors_are_empty() {
        let (lag_s, dt_s, step_w, window_j) = (0.03_f64, 1e-4, 1e4, 150.0);
        let spent_s = -lag_s * (1.0 - window_j / (lag_s * step_w)).ln();
        let (mut lag, mut bulk) = (Lag::new(dt_s, lag_s), lanes(window_j, lag_s, dt_s));
        let mut given_j = 0.0;
        for k in 0..3000 {
            let load_w = if k == 0 { 0.0 } else { step_w };
            let lagging_w = lag.step(load_w);
            let mut ac_w = [lagging_w];
            bulk.step(&mut ac_w);
            given_j += (load_w - ac_w[0]) * dt_s;
            let t_s = f64::from(k) * dt_s;
            if t_s < spent_s - dt_s {
                assert_eq!(ac_w[0], lagging_w);
            } else if t_s > spent_s + 2.0 * dt_s {
                assert!(
                    (ac_w[0] - step_w).abs() < 0.01 * step_w,
                    "{t_s}: {}",
                    ac_w[0]
                );
            }
        }
        // As much as there is, to a step's worth of the change.
        assert!((given_j - window_j).abs() < step_w * dt_s, "{given_j}");
        let report = bulk.report(0);
        assert!((report.given_j - window_j).abs() < 1e-9 && report.followed_s > 0.0);
        assert_eq!(report.taken_j, 0.0);
    }

    /// Where they hold enough nothing changes, to the bit.
    #[test]
    fn enough_changes_nothing() {
        let (mut lag, mut bulk) = (Lag::new(0.01, 0.03), lanes(301.0, 0.03, 0.01));
        for k in 0..500 {
            let lagging_w = lag.step(if k / 50 % 2 == 0 { 2e3 } else { 12e3 });
            let mut ac_w = [lagging_w];
            bulk.step(&mut ac_w);
            assert_eq!(ac_w[0].to_bits(), lagging_w.to_bits());
        }
        let report = bulk.report(0);
        assert!((report.given_j - 300.0).abs() < 1e-3, "{report:?}");
        assert_eq!(report.followed_s, 0.0);
    }

    /// A fall of the load fills them: the AC side falls with it once they are full.
    #[test]
    fn full_capacitors_let_the_ac_side_fall() {
        let (mut lag, mut bulk) = (Lag::new(1e-3, 0.03), lanes(90.0, 0.03, 1e-3));
        let mut ac_w = [0.0];
        for k in 0..100 {
            ac_w = [lag.step(if k == 0 { 1e4 } else { 1e3 })];
            bulk.step(&mut ac_w);
            assert!(ac_w[0] > 0.0 && ac_w[0] <= 1e4);
        }
        assert!((ac_w[0] - 1e3).abs() < 10.0, "{}", ac_w[0]);
        assert!((bulk.report(0).taken_j - 90.0).abs() < 1e-9);
    }

    /// At a step longer than the lag the AC side neither goes beyond its load nor below nothing.
    #[test]
    fn a_coarse_step_makes_no_peak_of_its_own() {
        let (mut lag, mut bulk) = (Lag::new(0.27, 0.18), lanes(0.0, 0.18, 0.27));
        for k in 0..200 {
            let load_w = if k / 3 % 2 == 0 { 1e3 } else { 0.0 };
            let mut ac_w = [lag.step(load_w)];
            bulk.step(&mut ac_w);
            assert!((0.0..=1e3 + 1e-6).contains(&ac_w[0]), "{k}: {}", ac_w[0]);
        }
    }
}
