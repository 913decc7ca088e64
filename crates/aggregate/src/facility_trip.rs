//! Cooling that stops in part for a while, and what it makes up for afterwards.
//!
//! During a trip the share that stopped removes nothing: its power falls at once, and the power that the heat asks for and does not get
//! is gathered as energy. Afterwards the cooling takes `min(stored / τ, share · wanted)` more than the heat of the moment asks for, so
//! that exactly what was gathered is spent. Compressors in stages have no such extra but their number: as long as something is stored
//! they are asked for it, start one after another by their own rules, and what they do beyond the heat of the moment is taken off.

use crate::event_plan::Trip;

/// Time constant where neither the trip nor the cooling states one, steps: then the heat is made up for as fast as the share allows.
const FEWEST_STEPS: f64 = 1.0;

/// The trips of a run and the heat that waits. Holds a state, not a history.
#[derive(Debug, Clone)]
pub(crate) struct Trips {
    plan: Vec<Trip>,
    dt_s: f64,
    lag_s: f64,
    sample: u64,
    /// First sample of the run.
    first_sample: u64,
    /// The trip in force or the last one before; `None` before the first.
    current: Option<usize>,
    tripped: bool,
    /// Electrical energy that the cooling owes, joules.
    stored_j: f64,
}

impl Trips {
    /// `None` without trips. `lag_s` is the cooling's.
    pub(crate) fn new(plan: &[Trip], lag_s: f64, dt_s: f64, first_sample: u64) -> Option<Self> {
        (!plan.is_empty()).then(|| Self {
            plan: plan.to_vec(),
            dt_s,
            lag_s,
            sample: 0,
            first_sample,
            current: None,
            tripped: false,
            stored_j: 0.0,
        })
    }

    /// Whether the next sample lies before the run.
    pub(crate) fn before_run(&self) -> bool {
        self.sample < self.first_sample
    }

    /// Goes on to the next sample. Returns the share of the cooling that is there, and whether some has just stopped.
    pub(crate) fn begin(&mut self) -> (f64, bool) {
        // A change that falls on a sample but for rounding counts at that sample.
        let t_s = (self.sample as f64 + 1e-6) * self.dt_s;
        self.sample += 1;
        let before = (self.current, self.tripped);
        while let Some(next) = self.plan.get(self.current.map_or(0, |c| c + 1)) {
            if next.from_s > t_s {
                break;
            }
            self.current = Some(self.current.map_or(0, |c| c + 1));
        }
        let trip = self.current.map(|c| self.plan[c]);
        self.tripped = trip.is_some_and(|t| t_s < t.until_s);
        let stopped = self.tripped && before != (self.current, true);
        let there = trip.filter(|_| self.tripped).map_or(1.0, |t| 1.0 - t.share);
        (there, stopped)
    }

    /// Power asked of the cooling where the heat of the moment asks for `wanted_w`: more, while something is stored and nothing stopped.
    pub(crate) fn asked_w(&self, wanted_w: f64) -> f64 {
        let Some(trip) = self.current.map(|c| self.plan[c]).filter(|_| !self.tripped) else {
            return wanted_w;
        };
        let tau_s = trip.rebound_s.unwrap_or(self.lag_s);
        // Exact for a store that empties by its time constant over the step.
        let spent = if tau_s > FEWEST_STEPS * self.dt_s {
            -libm::expm1(-self.dt_s / tau_s)
        } else {
            1.0
        };
        wanted_w + (spent * self.stored_j / self.dt_s).min(trip.rebound_share * wanted_w)
    }

    /// Takes note of what the cooling did about a heat that asks for `wanted_w`.
    pub(crate) fn done(&mut self, wanted_w: f64, done_w: f64) {
        if self.current.is_some() {
            self.stored_j = (self.stored_j + (wanted_w - done_w) * self.dt_s).max(0.0);
        }
    }

    /// Electrical energy that the cooling still owes, joules.
    #[cfg(test)]
    pub(crate) fn stored_j(&self) -> f64 {
        self.stored_j
    }
}
