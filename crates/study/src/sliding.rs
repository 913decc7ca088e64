//! Lowest value of a sliding window, sample by sample.

use std::collections::VecDeque;

/// Lowest value of the last samples. For the highest, give the values negated.
#[derive(Debug, Clone)]
pub(crate) struct SlidingLow {
    /// Samples before the present one that count.
    reach: u64,
    /// Number and value of those that can still be the lowest: both rise.
    waiting: VecDeque<(u64, f64)>,
    next: u64,
}

impl SlidingLow {
    /// The present sample and those of the last `window_s`; at least the one before.
    pub(crate) fn new(window_s: f64, dt_s: f64) -> Self {
        let reach = (window_s / dt_s).round().max(1.0);
        Self {
            reach: reach as u64,
            waiting: VecDeque::with_capacity(64),
            next: 0,
        }
    }

    /// Takes the next value and returns the lowest, with how many samples ago it was, the last time.
    pub(crate) fn take(&mut self, value: f64) -> (f64, u64) {
        while self.waiting.back().is_some_and(|(_, v)| *v >= value) {
            self.waiting.pop_back();
        }
        self.waiting.push_back((self.next, value));
        while self
            .waiting
            .front()
            .is_some_and(|(k, _)| k + self.reach < self.next)
        {
            self.waiting.pop_front();
        }
        let low = self
            .waiting
            .front()
            .map_or((value, 0), |(k, v)| (*v, self.next - k));
        self.next += 1;
        low
    }

    /// Whether as many samples were taken as the window holds.
    pub(crate) fn is_full(&self) -> bool {
        self.next > self.reach
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
        self.next = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::SlidingLow;

    #[test]
    fn the_lowest_is_that_of_the_window() {
        let values: Vec<f64> = (0..300).map(|k| f64::from(k * 37 % 101)).collect();
        let mut low = SlidingLow::new(1.3, 0.1);
        for (k, v) in values.iter().enumerate() {
            let window = &values[k.saturating_sub(13)..=k];
            let plain = window.iter().copied().fold(f64::INFINITY, f64::min);
            let ago = window.iter().rev().position(|v| *v == plain).unwrap();
            assert_eq!(low.take(*v), (plain, ago as u64), "{k}");
            assert_eq!(low.is_full(), k >= 13);
        }
        assert!(low.waiting.len() <= 14);
    }
}
