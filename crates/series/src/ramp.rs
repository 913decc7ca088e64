//! Largest rises and falls within sliding windows.
//!
//! For every sample the tracker compares its value with the smallest and the largest of the window
//! behind it, which two monotonic queues keep at hand (Lemire, "Streaming maximum-minimum filter
//! using no more than three comparisons per element", Nordic Journal of Computing 13, 2006).
//!
//! # Resolution
//!
//! A window of up to 4096 samples is exact. In a longer one, `g = ⌈window/4096⌉` consecutive samples
//! share a queue entry, their extreme with its own instant. A ramp that is reported then still lies
//! within the window, between two samples that were there; a larger ramp can be missed only if it
//! needs more than the window less `g − 1` samples, that is the last 1/4096 of the window. Memory is
//! at most 4100 entries per queue, all allocated at the start.

use crate::hold::usable;
use serde::Serialize;
use std::collections::VecDeque;

const MOST_GROUPS: u64 = 4096;

/// One ramp: the change between two samples of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ramp {
    /// Later value less earlier value, in the signal's unit: positive for a rise, negative for a
    /// fall, 0 where the signal never rose (or fell).
    pub delta: f64,
    /// Time of the later sample, in seconds since the start of the run; 0 where `delta` is.
    pub at_s: f64,
    /// Which realisation it happened in, counted from 1.
    pub realisation: u32,
}

/// The largest rise and the largest fall between any two samples at most `window_s` apart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RampTable {
    /// Length of the window in seconds. It holds `⌊window/dt⌋` steps (a quotient within 1 part in
    /// 10⁹ of a whole number counts as that number).
    pub window_s: f64,
    /// The largest rise; `delta >= 0`. The first of equal ones.
    pub up: Ramp,
    /// The largest fall; `delta <= 0`. The first of equal ones.
    pub down: Ramp,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    value: f64,
    at: u64,
}

/// One side of the window: its smallest values, or its largest with the sign turned.
#[derive(Debug, Clone)]
struct Smallest {
    /// Values rise from front to back, instants too.
    queue: VecDeque<Entry>,
    open: Option<Entry>,
}

impl Smallest {
    fn expire(&mut self, oldest: u64) {
        while self.queue.front().is_some_and(|entry| entry.at < oldest) {
            self.queue.pop_front();
        }
    }

    fn add(&mut self, value: f64, at: u64) {
        // Of equal values the later one stays in the window longer.
        if self.open.is_none_or(|open| value <= open.value) {
            self.open = Some(Entry { value, at });
        }
    }

    fn close_group(&mut self) {
        if let Some(open) = self.open.take() {
            while self
                .queue
                .back()
                .is_some_and(|back| back.value >= open.value)
            {
                self.queue.pop_back();
            }
            self.queue.push_back(open);
        }
    }

    fn get(&self) -> Option<f64> {
        match (self.queue.front(), &self.open) {
            (Some(front), Some(open)) => Some(front.value.min(open.value)),
            (front, open) => front.or(open.as_ref()).map(|entry| entry.value),
        }
    }
}

#[derive(Debug, Clone)]
struct Window {
    table: RampTable,
    steps: u64,
    group: u64,
    in_group: u64,
    low: Smallest,
    high: Smallest,
}

impl Window {
    fn new(dt_s: f64, window_s: f64, realisation: u32) -> Self {
        // The casts saturate and take NaN to 0.
        let steps = (window_s / dt_s * (1.0 + 1e-9)) as u64;
        let group = steps.div_ceil(MOST_GROUPS).max(1);
        let capacity = (steps / group) as usize + 4;
        let side = || Smallest {
            queue: VecDeque::with_capacity(capacity),
            open: None,
        };
        let none = Ramp {
            delta: 0.0,
            at_s: 0.0,
            realisation,
        };
        Self {
            table: RampTable {
                window_s,
                up: none,
                down: none,
            },
            steps,
            group,
            in_group: 0,
            low: side(),
            high: side(),
        }
    }

    /// Takes the sample number `at`, at time `at_s`.
    fn push(&mut self, value: f64, at: u64, at_s: f64) {
        let oldest = at.saturating_sub(self.steps);
        self.low.expire(oldest);
        self.high.expire(oldest);
        if usable(value) {
            self.low.add(value, at);
            self.high.add(-value, at);
            if let (Some(low), Some(high)) = (self.low.get(), self.high.get()) {
                if value - low > self.table.up.delta {
                    self.table.up.delta = value - low;
                    self.table.up.at_s = at_s;
                }
                if value + high < self.table.down.delta {
                    self.table.down.delta = value + high;
                    self.table.down.at_s = at_s;
                }
            }
        }
        self.in_group += 1;
        if self.in_group == self.group {
            self.in_group = 0;
            self.low.close_group();
            self.high.close_group();
        }
    }
}

/// Finds the largest rise and fall within each of several windows, as the samples go by.
///
/// A sample that is not finite, or beyond [`crate::LARGEST_MAGNITUDE`], takes its place in time but
/// no part in any ramp.
#[derive(Debug, Clone)]
pub struct RampTracker {
    dt_s: f64,
    start_s: f64,
    samples: u64,
    windows: Vec<Window>,
}

impl RampTracker {
    /// A tracker for samples `dt_s` seconds apart (positive), one window per entry of `windows_s`
    /// in seconds. A window shorter than the step holds no two samples and reports ramps of 0.
    pub fn new(dt_s: f64, windows_s: &[f64], realisation: u32) -> Self {
        let window = |window_s: &f64| Window::new(dt_s, *window_s, realisation);
        Self {
            dt_s,
            start_s: 0.0,
            samples: 0,
            windows: windows_s.iter().map(window).collect(),
        }
    }

    /// Memory of a tracker at most, bytes: it grows with the samples in a window up to a bound.
    pub fn bytes(dt_s: f64, windows_s: &[f64]) -> usize {
        let window = |window_s: &f64| {
            let steps = (window_s / dt_s * (1.0 + 1e-9)) as u64;
            let entries = (steps / steps.div_ceil(MOST_GROUPS).max(1)) as usize + 4;
            2 * entries * size_of::<Entry>() + size_of::<Window>()
        };
        windows_s.iter().map(window).sum::<usize>() + size_of::<Self>()
    }

    /// The first sample is at `t0_s` seconds instead of 0.
    #[must_use]
    pub fn starting_at(mut self, t0_s: f64) -> Self {
        self.start_s = t0_s;
        self
    }

    /// Takes the next samples. Windows reach across blocks.
    pub fn push_slice(&mut self, v: &[f64]) {
        for window in &mut self.windows {
            for (at, value) in (self.samples..).zip(v) {
                window.push(*value, at, self.start_s + at as f64 * self.dt_s);
            }
        }
        self.samples += v.len() as u64;
    }

    /// The largest ramps so far, one table per window in the order they were asked for.
    pub fn tables(&self) -> Vec<RampTable> {
        self.windows.iter().map(|window| window.table).collect()
    }
}

/// Merges the ramps of another realisation: the larger ramp of each window stays, of equal ones that
/// of the lower realisation, so the result does not depend on the order of merging. Windows that
/// `into` does not know are appended.
pub fn merge_ramps(into: &mut Vec<RampTable>, other: &[RampTable]) {
    for table in other {
        let known = into
            .iter_mut()
            .find(|known| known.window_s == table.window_s);
        let Some(known) = known else {
            into.push(*table);
            continue;
        };
        if beats(table.up, known.up) {
            known.up = table.up;
        }
        if beats(table.down, known.down) {
            known.down = table.down;
        }
    }
}

fn beats(new: Ramp, old: Ramp) -> bool {
    let (size_new, size_old) = (new.delta.abs(), old.delta.abs());
    size_new > size_old || (size_new == size_old && new.realisation < old.realisation)
}

#[cfg(test)]
#[path = "ramp_tests.rs"]
mod tests;
