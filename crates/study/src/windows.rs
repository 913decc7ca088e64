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

/// Ring of the last samples, to compare a sample with the one a window earlier.
#[derive(Debug, Clone)]
struct Ring {
    values: Vec<f64>,
    head: usize,
    filled: bool,
}

impl Ring {
    fn new(window_s: f64, dt_s: f64) -> Self {
        let n = (window_s / dt_s).round().max(1.0) as usize;
        Self {
            values: vec![0.0; n],
            head: 0,
            filled: false,
        }
    }

    /// Stores `value` and returns the one that stood a window earlier, once there is one.
    fn exchange(&mut self, value: f64) -> Option<f64> {
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

/// Longest unbroken time outside a band.
#[derive(Debug, Clone)]
pub(crate) struct TimeOutside {
    low: f64,
    high: f64,
    since_s: Option<f64>,
    pub(crate) worst: Worst,
}

impl TimeOutside {
    pub(crate) fn new(low: f64, high: f64, realisation: u32) -> Self {
        let mut worst = Worst::highest(realisation);
        worst.take(0.0, 0.0);
        Self {
            low,
            high,
            since_s: None,
            worst,
        }
    }

    pub(crate) fn take(&mut self, value: f64, at_s: f64) {
        if value < self.low || value > self.high {
            let since = *self.since_s.get_or_insert(at_s);
            self.worst.take(at_s - since, at_s);
        } else {
            self.since_s = None;
        }
    }
}

impl TimeOutside {
    /// The value left the band for good at `at_s` or before; `remaining_s` more would have been looked at.
    pub(crate) fn never_back(&mut self, at_s: f64, remaining_s: f64) {
        let since = *self.since_s.get_or_insert(at_s);
        self.worst.take(at_s + remaining_s - since, at_s);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn time_outside_counts_unbroken_stretches() {
        let mut o = TimeOutside::new(59.5, 60.5, 1);
        for (t, f) in [
            (0.0, 60.0),
            (1.0, 59.0),
            (2.0, 59.0),
            (3.0, 60.0),
            (4.0, 61.0),
            (4.5, 61.0),
        ] {
            o.take(f, t);
        }
        let worst = o.worst.extreme.unwrap();
        assert_eq!((worst.value, worst.at_s), (1.0, 2.0));
    }
}
