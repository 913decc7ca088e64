//! Quantities over a sliding window of samples.

use crate::outcome::Extreme;

/// Keeps the most extreme value seen, with its time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Worst {
    highest: bool,
    pub(crate) extreme: Option<Extreme>,
    realisation: u32,
}

impl Worst {
    pub(crate) fn highest(realisation: u32) -> Self {
        Self {
            highest: true,
            extreme: None,
            realisation,
        }
    }

    pub(crate) fn lowest(realisation: u32) -> Self {
        Self {
            highest: false,
            extreme: None,
            realisation,
        }
    }

    /// Takes a value; the first of equal values stays.
    pub(crate) fn take(&mut self, value: f64, at_s: f64) {
        let better = self.extreme.is_none_or(|e| {
            if self.highest {
                value > e.value
            } else {
                value < e.value
            }
        });
        if better {
            self.extreme = Some(Extreme {
                value,
                at_s,
                realisation: self.realisation,
            });
        }
    }
}

impl Worst {
    /// Takes consecutive values, of which the first is sample number `first`; the same as one after the other.
    pub(crate) fn take_slice(&mut self, values: &[f64], first: u64, dt_s: f64) {
        let sign = if self.highest { 1.0 } else { -1.0 };
        let mut best = [f64::NEG_INFINITY; 8];
        for lanes in values.chunks(best.len()) {
            for (best, v) in best.iter_mut().zip(lanes) {
                *best = if sign * v > *best { sign * v } else { *best };
            }
        }
        let best = best.into_iter().fold(f64::NEG_INFINITY, f64::max);
        if self.extreme.is_none_or(|e| best > sign * e.value)
            && let Some(k) = values.iter().position(|v| sign * v == best)
        {
            self.take(values[k], (first + k as u64) as f64 * dt_s);
        }
    }
}

/// Ring of the last samples, to compare a sample with the one a window earlier.
#[derive(Debug, Clone)]
pub(crate) struct Ring {
    values: Vec<f64>,
    head: usize,
    filled: bool,
}

impl Ring {
    pub(crate) fn new(window_s: f64, dt_s: f64) -> Self {
        let n = (window_s / dt_s).round().max(1.0) as usize;
        Self {
            values: vec![0.0; n],
            head: 0,
            filled: false,
        }
    }

    /// Stores `value` and returns the one that stood a window earlier, once there is one.
    pub(crate) fn exchange(&mut self, value: f64) -> Option<f64> {
        let old = std::mem::replace(&mut self.values[self.head], value);
        let was_filled = self.filled;
        self.head += 1;
        if self.head == self.values.len() {
            self.head = 0;
            self.filled = true;
        }
        was_filled.then_some(old)
    }
}

/// Largest rate of change between a sample and the one a window earlier, up or down (its magnitude).
#[derive(Debug, Clone)]
pub(crate) struct RateOfChange {
    ring: Ring,
    window_s: f64,
    pub(crate) worst: Worst,
}

impl RateOfChange {
    pub(crate) fn new(window_s: f64, dt_s: f64, realisation: u32) -> Self {
        let ring = Ring::new(window_s, dt_s);
        let window_s = ring.values.len() as f64 * dt_s;
        Self {
            ring,
            window_s,
            worst: Worst::highest(realisation),
        }
    }

    pub(crate) fn take(&mut self, value: f64, at_s: f64) {
        if let Some(old) = self.ring.exchange(value) {
            self.worst.take((value - old).abs() / self.window_s, at_s);
        }
    }
}

/// Lowest mean over a window.
#[derive(Debug, Clone)]
pub(crate) struct LowestMean {
    ring: Ring,
    sum: f64,
    /// Rounding of the running sum, carried along (Neumaier), so that hours of samples do not drift.
    carry: f64,
    pub(crate) worst: Worst,
}

impl LowestMean {
    pub(crate) fn new(window_s: f64, dt_s: f64, realisation: u32) -> Self {
        Self {
            ring: Ring::new(window_s, dt_s),
            sum: 0.0,
            carry: 0.0,
            worst: Worst::lowest(realisation),
        }
    }

    fn add(&mut self, value: f64) {
        let t = self.sum + value;
        self.carry += if self.sum.abs() >= value.abs() {
            (self.sum - t) + value
        } else {
            (value - t) + self.sum
        };
        self.sum = t;
    }

    pub(crate) fn take(&mut self, value: f64, at_s: f64) {
        self.add(value);
        if let Some(old) = self.ring.exchange(value) {
            self.add(-old);
        }
        if self.ring.filled {
            self.worst.take(
                (self.sum + self.carry) / self.ring.values.len() as f64,
                at_s,
            );
        }
    }
}

/// A value counts as back in its band once it stayed inside for this long, seconds: an oscillation that crosses the band
/// twice a cycle has not recovered.
pub(crate) const DWELL_S: f64 = 1.0;

/// Longest time from leaving a band until coming back to stay (for [`DWELL_S`] at least).
#[derive(Debug, Clone)]
pub(crate) struct TimeOutside {
    low: f64,
    high: f64,
    /// When the band was left.
    since_s: Option<f64>,
    /// When it was last entered again.
    back_s: Option<f64>,
    pub(crate) worst: Worst,
}

impl TimeOutside {
    pub(crate) fn new(low: f64, high: f64, start_s: f64, realisation: u32) -> Self {
        let mut worst = Worst::highest(realisation);
        worst.take(0.0, start_s);
        Self {
            low,
            high,
            since_s: None,
            back_s: None,
            worst,
        }
    }

    pub(crate) fn take(&mut self, value: f64, at_s: f64) {
        let inside = value >= self.low && value <= self.high;
        match (self.since_s, inside) {
            (None, true) => {}
            (None, false) => {
                self.since_s = Some(at_s);
                self.back_s = None;
            }
            (Some(since_s), false) => {
                self.back_s = None;
                self.worst.take(at_s - since_s, at_s);
            }
            (Some(since_s), true) => {
                let back_s = *self.back_s.get_or_insert(at_s);
                self.worst.take(back_s - since_s, back_s);
                if at_s - back_s >= DWELL_S {
                    self.since_s = None;
                    self.back_s = None;
                }
            }
        }
    }

    /// Whether the value has not come back to stay: the time outside is not over.
    pub(crate) fn is_open(&self) -> bool {
        self.since_s.is_some()
    }

    /// The value left the band for good at `at_s` or before; `remaining_s` more would have been looked at.
    pub(crate) fn never_back(&mut self, at_s: f64, remaining_s: f64) {
        let since = *self.since_s.get_or_insert(at_s);
        self.worst.take(at_s + remaining_s - since, at_s);
    }
}

/// Window that `window_s` becomes on a step of `dt_s`: a whole number of steps, at least one.
pub(crate) fn effective_s(window_s: f64, dt_s: f64) -> f64 {
    (window_s / dt_s).round().max(1.0) * dt_s
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_is_its_values() {
        let values: Vec<f64> = (0..200).map(|k| f64::from(k * 37 % 101)).collect();
        for (mut one_by_one, mut cuts) in [
            (Worst::highest(1), Worst::highest(1)),
            (Worst::lowest(1), Worst::lowest(1)),
        ] {
            for (k, v) in values.iter().enumerate() {
                one_by_one.take(*v, k as f64 * 0.5);
            }
            for (i, part) in values.chunks(23).enumerate() {
                cuts.take_slice(part, 23 * i as u64, 0.5);
            }
            let (a, b) = (one_by_one.extreme.unwrap(), cuts.extreme.unwrap());
            assert_eq!((a.value, a.at_s), (b.value, b.at_s));
        }
    }

    #[test]
    fn rate_of_change_of_a_ramp() {
        let mut r = RateOfChange::new(0.5, 0.1, 1);
        for k in 0..20 {
            r.take(-3.0 * f64::from(k) * 0.1, f64::from(k) * 0.1);
        }
        let worst = r.worst.extreme.unwrap();
        assert!((worst.value - 3.0).abs() < 1e-9);
    }

    #[test]
    fn lowest_mean_needs_a_full_window() {
        let mut m = LowestMean::new(1.0, 0.25, 1);
        for (k, v) in [4.0, 4.0, 0.0].into_iter().enumerate() {
            m.take(v, k as f64);
        }
        assert!(m.worst.extreme.is_none());
        m.take(0.0, 3.0);
        m.take(0.0, 4.0);
        let worst = m.worst.extreme.unwrap();
        assert!((worst.value - 1.0).abs() < 1e-12 && worst.at_s == 4.0);
    }

    #[test]
    fn time_outside_ends_when_the_value_is_back_to_stay() {
        let run = |samples: &[(f64, f64)]| {
            let mut o = TimeOutside::new(59.5, 60.5, 0.0, 1);
            for (t, f) in samples {
                o.take(*f, *t);
            }
            let worst = o.worst.extreme.unwrap();
            (worst.value, worst.at_s, o.is_open())
        };
        // Out at 1 s, back at 3 s and still there 1 s later.
        assert_eq!(
            run(&[
                (0.0, 60.0),
                (1.0, 59.0),
                (2.0, 59.0),
                (3.0, 60.0),
                (4.0, 60.0)
            ]),
            (2.0, 3.0, false)
        );
        // Crossing the band is not coming back.
        assert_eq!(
            run(&[
                (0.0, 59.0),
                (0.5, 60.0),
                (1.0, 61.0),
                (1.5, 60.0),
                (2.0, 59.0)
            ]),
            (2.0, 2.0, true)
        );
        // The end of the run leaves it open.
        assert_eq!(
            run(&[(0.0, 60.0), (1.0, 59.0), (1.5, 59.0)]),
            (0.5, 1.5, true)
        );
    }
}
