//! What a rack is made of in both engines: shared factors, jobs and their loadings, the lag of the AC side.

use ballast_series::rng::{UnitOu, ou_coefficients};

use crate::clamp::Tally;
use crate::host::HostPart;
use crate::replica::Activity;
use crate::site::Hardware;
use crate::sums::Work;
use crate::tile::Tile;
use crate::timeline::KINDS;

/// A factor that several GPUs share: unit variance, one correlation time.
#[derive(Debug, Clone)]
pub(crate) struct Factor {
    ou: UnitOu,
    a: f64,
    b: f64,
    started: bool,
}

impl Factor {
    pub(crate) fn new(ou: UnitOu, dt_s: f64, tau_s: f64) -> Self {
        let (a, b) = ou_coefficients(dt_s, tau_s);
        Self {
            ou,
            a,
            b,
            started: false,
        }
    }

    /// Its next values. The first one of all is the drawn start.
    pub(crate) fn fill(&mut self, out: &mut [f64]) {
        for z in out {
            *z = if self.started {
                self.ou.step(self.a, self.b)
            } else {
                self.ou.value()
            };
            self.started = true;
        }
    }
}

/// First-order lag `τ y' = u − y`, exact where `u` runs in a straight line between samples.
///
/// With `p = (1 − e^(−h/τ)) τ/h`: `y₁ = e^(−h/τ) y₀ + (p − e^(−h/τ)) u₀ + (1 − p) u₁`. The weights sum to 1, and none is negative.
#[derive(Debug, Clone)]
pub(crate) struct Lag {
    decay: f64,
    old: f64,
    new: f64,
    /// Last input and output; `None` before the first sample, which finds the lag settled.
    last: Option<(f64, f64)>,
}

impl Lag {
    pub(crate) fn new(dt_s: f64, tau_s: f64) -> Self {
        if tau_s <= 0.0 {
            return Self {
                decay: 0.0,
                old: 0.0,
                new: 1.0,
                last: None,
            };
        }
        let x = dt_s / tau_s;
        let decay = libm::exp(-x);
        let p = if x > 0.0 { -libm::expm1(-x) / x } else { 1.0 };
        Self {
            decay,
            old: p - decay,
            new: 1.0 - p,
            last: None,
        }
    }

    /// Weights of last output, last input and input.
    pub(crate) fn weights(&self) -> [f64; 3] {
        [self.decay, self.old, self.new]
    }

    pub(crate) fn apply(&mut self, power: &mut [f64]) {
        for u in power {
            *u = self.step(*u);
        }
    }

    /// The output for the next input.
    pub(crate) fn step(&mut self, u: f64) -> f64 {
        let y = match self.last {
            Some((u0, y0)) => self.decay * y0 + self.old * u0 + self.new * u,
            None => u,
        };
        self.last = Some((u, y));
        y
    }
}

/// Roots of a job's shares: loadings of the shared factors.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Loadings {
    pub(crate) site: f64,
    pub(crate) row: f64,
    pub(crate) rack: f64,
    pub(crate) job: f64,
}

/// A job that has GPUs in the rack, or the GPUs without a job.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    pub(crate) job: Option<usize>,
    pub(crate) loadings: Loadings,
    pub(crate) tallies: [Tally; KINDS],
}

/// A rack but for what its GPUs do by themselves.
#[derive(Debug, Clone)]
pub(crate) struct RackBase {
    pub(crate) group: usize,
    pub(crate) row: usize,
    pub(crate) slots: Vec<Slot>,
    pub(crate) factor: Option<Factor>,
    pub(crate) host: HostPart,
    pub(crate) lag: Lag,
}

/// Values of the factors that reach beyond a rack, over the block. Empty slices stand for factors that nobody loads on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Common<'a> {
    pub(crate) dt_s: f64,
    pub(crate) first_sample: u64,
    /// First sample of the run.
    pub(crate) start: u64,
    pub(crate) site: &'a [f64],
    pub(crate) rows: &'a [Vec<f64>],
    pub(crate) jobs: &'a [Vec<f64>],
    /// Factors beyond the rack with a job's loadings, `[job][row]`; empty where it loads on none of them.
    pub(crate) shared: &'a [Vec<f64>],
    /// What each service's replicas do, by job, `[replica][step]`.
    pub(crate) activity: &'a [&'a [Activity]],
}

/// Work space of one thread; every use overwrites what it reads.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    factor: Vec<f64>,
    /// Shared part of the fluctuation, `[slot][step]`.
    pub(crate) shared: Vec<f64>,
    /// Power of the GPUs of each rack of a unit, `[rack][step]`.
    pub(crate) gpu_w: Vec<f64>,
    pub(crate) tile: Tile,
    pub(crate) work: Work,
}

impl RackBase {
    /// Place of a job's slot; every job in the rack has one.
    pub(crate) fn slot_of(&self, job: Option<usize>) -> usize {
        self.slots.iter().position(|s| s.job == job).unwrap_or(0)
    }

    /// From the sum of nodes whose hosts follow at once to the rack's AC side, W.
    pub(crate) fn finish(&mut self, hardware: &Hardware, gpu_w: &[f64], rack_w: &mut [f64]) {
        self.host.apply(hardware, gpu_w, rack_w);
        self.lag.apply(rack_w);
    }

    /// Shared part of the fluctuation of each slot, for σ = 1.
    pub(crate) fn share(&mut self, common: &Common<'_>, scratch: &mut Scratch, steps: usize) {
        scratch.factor.resize(steps, 0.0);
        if let Some(factor) = &mut self.factor {
            factor.fill(&mut scratch.factor);
        }
        scratch.shared.clear();
        scratch.shared.resize(self.slots.len() * steps, 0.0);
        for (slot, out) in self.slots.iter().zip(scratch.shared.chunks_mut(steps)) {
            let Some(job) = slot.job else { continue };
            let l = slot.loadings;
            let parts: [(f64, &[f64]); 4] = [
                (l.site, common.site),
                (l.row, &common.rows[self.row]),
                (l.rack, &scratch.factor),
                (l.job, &common.jobs[job]),
            ];
            for (loading, factor) in parts.into_iter().filter(|(l, _)| *l > 0.0) {
                out.iter_mut()
                    .zip(factor)
                    .for_each(|(o, z)| *o += loading * z);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_follows_a_straight_line_exactly() {
        // u = t from rest at 0: y = t − τ (1 − e^(−t/τ)).
        for tau in [0.005, 0.02, 1.0] {
            let mut lag = Lag::new(0.01, tau);
            let mut u: Vec<f64> = (0..200).map(|k| f64::from(k) * 0.01).collect();
            lag.apply(&mut u);
            for (k, y) in u.iter().enumerate() {
                let t = k as f64 * 0.01;
                assert!(
                    (y - (t - tau * (1.0 - (-t / tau).exp()))).abs() < 1e-12,
                    "{tau} {k}"
                );
            }
        }
    }

    #[test]
    fn lag_step_response_after_the_rise_between_two_samples() {
        let (h, tau) = (0.001_f64, 0.02_f64);
        let mut lag = Lag::new(h, tau);
        let mut u = vec![1.0; 100];
        u[0] = 0.0;
        lag.apply(&mut u);
        // The rise takes one step; from its end on it is a plain exponential.
        let at_end = 1.0 - (1.0 - (-h / tau).exp()) * tau / h;
        for (k, y) in u.iter().enumerate().skip(1) {
            let expected = 1.0 - (1.0 - at_end) * (-(k as f64 - 1.0) * h / tau).exp();
            assert!((y - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn lag_limits() {
        let mut none = Lag::new(0.001, 0.0);
        let mut u = vec![3.0, 5.0, 1.0];
        none.apply(&mut u);
        assert_eq!(u, [3.0, 5.0, 1.0]);
        for ratio in [1e-9, 1e-3, 1.0, 1e3, 1e9] {
            let lag = Lag::new(ratio, 1.0);
            assert!(lag.old >= 0.0 && lag.new >= 0.0, "{ratio}: {lag:?}");
            assert!((lag.decay + lag.old + lag.new - 1.0).abs() < 1e-15);
        }
    }
}
