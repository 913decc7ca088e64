//! Largest rises and falls within sliding windows.
//!
//! For every sample the tracker compares its value with the smallest and the largest of the window
//! behind it, which two monotonic queues keep at hand (Lemire, "Streaming maximum-minimum filter
//! using no more than three comparisons per element", Nordic Journal of Computing 13, 2006).
//!
//! Windows of up to 1024 samples need no queues: the samples are kept, and the smallest and largest of every window come from
//! doubling, all samples of a stretch at once. A stretch whose highest and lowest value are less apart than the ramps found
//! so far is not looked at further.
//!
//! # Resolution
//!
//! A window of up to 4096 samples is exact. In a longer one, `g = ⌈window/4096⌉` consecutive samples
//! share a queue entry, their extreme with its own instant. A ramp that is reported then still lies
//! within the window, between two samples that were there; a larger ramp can be missed only if it
//! needs more than the window less `g − 1` samples, that is the last 1/4096 of the window. Memory is
//! at most 4100 entries per queue, all allocated at the start.

use crate::hold::usable;
use multiversion::multiversion;
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
        let steps = steps_of(dt_s, window_s);
        let group = steps.div_ceil(MOST_GROUPS).max(1);
        let capacity = if steps <= MOST_KEPT as u64 {
            0
        } else {
            (steps / group) as usize + 4
        };
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

/// A window that the kept samples cover.
#[derive(Debug, Clone)]
struct Short {
    table: RampTable,
    steps: usize,
}

#[derive(Debug, Clone)]
enum Reader {
    Short(Short),
    Long(Window),
}

impl Reader {
    fn table(&self) -> &RampTable {
        match self {
            Self::Short(short) => &short.table,
            Self::Long(window) => &window.table,
        }
    }
}

/// Windows of up to this many steps are read from kept samples.
const MOST_KEPT: usize = 1024;
/// Samples taken at a time.
const PIECE: usize = 1024;
/// Samples looked at or skipped together.
const STRETCH: usize = 64;

/// Work space: the kept samples and those of a piece.
struct Piece {
    values: [f64; MOST_KEPT + PIECE],
    /// Extremes of each stretch, counted back from the end of the piece.
    low: [f64; (MOST_KEPT + PIECE) / STRETCH],
    high: [f64; (MOST_KEPT + PIECE) / STRETCH],
    /// Of all of it.
    extremes: (f64, f64),
    usable: bool,
    len: usize,
}

/// Windows of so few steps need no extremes of windows: every distance is looked at.
const NEAR: usize = 4;

/// At least the largest rise and fall over at most `steps` steps within `v`, all of it usable.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl", "x86_64+avx2"))]
fn near(v: &[f64], steps: usize) -> (f64, f64) {
    const LANES: usize = 8;
    let (mut up, mut down) = ([0.0; LANES], [0.0; LANES]);
    for by in 1..=steps.min(v.len().saturating_sub(1)) {
        let (later, earlier) = (
            v[by..].chunks_exact(LANES),
            v[..v.len() - by].chunks_exact(LANES),
        );
        let rest = later.remainder().iter().zip(earlier.remainder());
        for (l, (a, b)) in rest.enumerate() {
            let delta = a - b;
            up[l] = if delta > up[l] { delta } else { up[l] };
            down[l] = if delta < down[l] { delta } else { down[l] };
        }
        for (a, b) in later.zip(earlier) {
            for l in 0..LANES {
                let delta = a[l] - b[l];
                up[l] = if delta > up[l] { delta } else { up[l] };
                down[l] = if delta < down[l] { delta } else { down[l] };
            }
        }
    }
    (
        up.into_iter().fold(0.0, f64::max),
        down.into_iter().fold(0.0, f64::min),
    )
}

/// Work space of [`steepest`].
type Work = [[f64; MOST_KEPT + STRETCH]; 4];

/// Rise and fall that a reader need not report unless they are reached: `[rise, fall]`, both at least 0.
pub type RampFloor = [f64; 2];

/// Smallest and largest value, and whether all are usable; those that are not take no part.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl", "x86_64+avx2"))]
fn extremes(v: &[f64]) -> (f64, f64, bool) {
    const LANES: usize = 8;
    let (mut low, mut high) = ([f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]);
    let mut bad = [0_u64; LANES];
    let chunks = v.chunks_exact(LANES);
    for (l, x) in chunks.remainder().iter().enumerate() {
        if usable(*x) {
            low[l] = low[l].min(*x);
            high[l] = high[l].max(*x);
        } else {
            bad[l] = 1;
        }
    }
    for lanes in chunks {
        for l in 0..LANES {
            let (x, good) = (lanes[l], usable(lanes[l]));
            let (least, most) = if good {
                (x, x)
            } else {
                (f64::INFINITY, f64::NEG_INFINITY)
            };
            low[l] = if least < low[l] { least } else { low[l] };
            high[l] = if most > high[l] { most } else { high[l] };
            bad[l] |= u64::from(!good);
        }
    }
    (
        low.into_iter().fold(f64::INFINITY, f64::min),
        high.into_iter().fold(f64::NEG_INFINITY, f64::max),
        bad == [0; LANES],
    )
}

/// Largest rise and fall that end in the last `len` of `v`, from at most `steps` samples before. Work in `low` and `high`.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl", "x86_64+avx2"))]
fn steepest(v: &[f64], steps: usize, len: usize, work: &mut Work) -> (f64, f64) {
    let n = v.len();
    let [low, high, next_low, next_high] = work;
    for (i, x) in v.iter().enumerate() {
        let good = usable(*x);
        low[i] = if good { *x } else { f64::INFINITY };
        high[i] = if good { *x } else { f64::NEG_INFINITY };
    }
    // After each pass an entry is the extreme of the `reach` samples up to it; what lies before the first one is left out.
    let (mut low, mut high, mut next_low, next_high) = (
        &mut low[..n],
        &mut high[..n],
        &mut next_low[..n],
        &mut next_high[..n],
    );
    let mut next_high = next_high;
    let mut reach = 1;
    while reach < steps + 1 {
        let by = reach.min(steps + 1 - reach).min(n);
        next_low[..by].copy_from_slice(&low[..by]);
        next_high[..by].copy_from_slice(&high[..by]);
        for ((out, a), b) in next_low[by..]
            .iter_mut()
            .zip(&low[by..])
            .zip(&low[..n - by])
        {
            *out = if a < b { *a } else { *b };
        }
        for ((out, a), b) in next_high[by..]
            .iter_mut()
            .zip(&high[by..])
            .zip(&high[..n - by])
        {
            *out = if a > b { *a } else { *b };
        }
        (low, next_low) = (next_low, low);
        (high, next_high) = (next_high, high);
        reach += by;
        if by == n {
            break;
        }
    }
    let (mut up, mut down) = (0.0, 0.0);
    for ((x, low), high) in v[n - len..]
        .iter()
        .zip(&low[n - len..])
        .zip(&high[n - len..])
    {
        if usable(*x) {
            let (rise, fall) = (x - low, x - high);
            up = if rise > up { rise } else { up };
            down = if fall < down { fall } else { down };
        }
    }
    (up, down)
}

impl Short {
    #[expect(
        clippy::large_stack_arrays,
        reason = "35 kB, made once a slice and only where a stretch is looked at"
    )]
    /// Looks at the last `new` samples of the piece; sample `first` of all is the first of those, with `time_s` its time.
    fn look(
        &mut self,
        piece: &Piece,
        work: &mut Option<Work>,
        new: usize,
        floor: RampFloor,
        time_s: impl Fn(usize) -> f64,
    ) {
        let begin = piece.len - new;
        let (low, high) = piece.extremes;
        let (up_w, down_w) = (self.table.up.delta, -self.table.down.delta);
        let reaches =
            |range: f64| range > up_w && range >= floor[0] || range > down_w && range >= floor[1];
        if !reaches(high - low) {
            return;
        }
        let mut from = begin;
        if piece.usable && self.steps <= NEAR {
            let earliest = begin.saturating_sub(self.steps);
            let (up, down) = near(&piece.values[earliest..piece.len], self.steps);
            if (up <= up_w || up < floor[0]) && (down >= -down_w || -down < floor[1]) {
                return;
            }
        }
        while from < piece.len {
            let to = piece.len.min((from / STRETCH + 1) * STRETCH);
            let earliest = from.saturating_sub(self.steps);
            let stretches = earliest / STRETCH..to.div_ceil(STRETCH);
            let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
            for (l, h) in piece.low[stretches.clone()]
                .iter()
                .zip(&piece.high[stretches])
            {
                low = if *l < low { *l } else { low };
                high = if *h > high { *h } else { high };
            }
            let range = high - low;
            let up_w = self.table.up.delta;
            let down_w = -self.table.down.delta;
            let rises = range > up_w && range >= floor[0];
            let falls = range > down_w && range >= floor[1];
            if rises || falls {
                let values = &piece.values[earliest..to];
                let work = work.get_or_insert([[0.0; MOST_KEPT + STRETCH]; 4]);
                let (up, down) = steepest(values, self.steps, to - from, work);
                if up > up_w && up >= floor[0] {
                    self.table.up.delta = up;
                    self.table.up.at_s = time_s(self.find(values, to - from, up) + from - begin);
                }
                if down < -down_w && -down >= floor[1] {
                    self.table.down.delta = down;
                    self.table.down.at_s =
                        time_s(self.find(values, to - from, down) + from - begin);
                }
            }
            from = to;
        }
    }

    /// First of the last `len` values at which a ramp of `delta` ends.
    fn find(&self, values: &[f64], len: usize, delta: f64) -> usize {
        let new = values.len() - len;
        let (low, high, _) = extremes(values);
        let ends = |at: &usize| {
            let later = values[*at];
            // Most values cannot be the end of it, whatever came before.
            if later - low < delta || later - high > delta {
                return false;
            }
            let earlier = &values[at.saturating_sub(self.steps)..*at];
            usable(later) && earlier.iter().any(|v| usable(*v) && later - v == delta)
        };
        (new..values.len()).find(ends).map_or(0, |at| at - new)
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
    readers: Vec<Reader>,
    /// The last samples, as many as the longest short window has steps.
    kept: Vec<f64>,
    keep: usize,
}

fn steps_of(dt_s: f64, window_s: f64) -> u64 {
    // The cast saturates and takes NaN to 0.
    (window_s / dt_s * (1.0 + 1e-9)) as u64
}

impl RampTracker {
    /// A tracker for samples `dt_s` seconds apart (positive), one window per entry of `windows_s`
    /// in seconds. A window shorter than the step holds no two samples and reports ramps of 0.
    pub fn new(dt_s: f64, windows_s: &[f64], realisation: u32) -> Self {
        let reader = |window_s: &f64| {
            let window = Window::new(dt_s, *window_s, realisation);
            match usize::try_from(window.steps) {
                Ok(steps) if steps <= MOST_KEPT => Reader::Short(Short {
                    table: window.table,
                    steps,
                }),
                _ => Reader::Long(window),
            }
        };
        let readers: Vec<Reader> = windows_s.iter().map(reader).collect();
        let steps = |reader: &Reader| match reader {
            Reader::Short(short) => short.steps,
            Reader::Long(_) => 0,
        };
        let keep = readers.iter().map(steps).max().unwrap_or(0);
        Self {
            dt_s,
            start_s: 0.0,
            samples: 0,
            readers,
            kept: Vec::with_capacity(keep),
            keep,
        }
    }

    /// Memory of a tracker at most, bytes: it grows with the samples in a window up to a bound.
    pub fn bytes(dt_s: f64, windows_s: &[f64]) -> usize {
        let kept = windows_s
            .iter()
            .map(|w| steps_of(dt_s, *w))
            .filter(|steps| *steps <= MOST_KEPT as u64)
            .max()
            .unwrap_or(0);
        let window = |window_s: &f64| {
            let steps = steps_of(dt_s, *window_s);
            if steps <= MOST_KEPT as u64 {
                return size_of::<Reader>();
            }
            let entries = (steps / steps.div_ceil(MOST_GROUPS).max(1)) as usize + 4;
            2 * entries * size_of::<Entry>() + size_of::<Reader>()
        };
        windows_s.iter().map(window).sum::<usize>()
            + kept as usize * size_of::<f64>()
            + size_of::<Self>()
    }

    /// The first sample is at `t0_s` seconds instead of 0.
    #[must_use]
    pub fn starting_at(mut self, t0_s: f64) -> Self {
        self.start_s = t0_s;
        self
    }

    /// Takes the next samples. Windows reach across blocks.
    pub fn push_slice(&mut self, v: &[f64]) {
        self.push_slice_above(v, &[]);
    }

    /// The same, but ramps below `floors` may be missed, one floor for each window (none: 0): for signals of which only the
    /// steepest is asked for, where others have shown steeper ones already.
    pub fn push_slice_above(&mut self, v: &[f64], floors: &[RampFloor]) {
        for reader in &mut self.readers {
            if let Reader::Long(window) = reader {
                for (at, value) in (self.samples..).zip(v) {
                    window.push(*value, at, self.start_s + at as f64 * self.dt_s);
                }
            }
        }
        if self.keep == 0 {
            self.samples += v.len() as u64;
            return;
        }
        let mut work = None;
        let mut piece = Piece {
            values: [0.0; MOST_KEPT + PIECE],
            low: [0.0; (MOST_KEPT + PIECE) / STRETCH],
            high: [0.0; (MOST_KEPT + PIECE) / STRETCH],
            extremes: (0.0, 0.0),
            usable: true,
            len: 0,
        };
        for new in v.chunks(PIECE) {
            let kept = self.kept.len();
            piece.len = kept + new.len();
            piece.values[..kept].copy_from_slice(&self.kept);
            piece.values[kept..piece.len].copy_from_slice(new);
            piece.extremes = (f64::INFINITY, f64::NEG_INFINITY);
            piece.usable = true;
            let extremes_of = piece.values[..piece.len].chunks(STRETCH).map(extremes);
            for ((low, high), found) in piece.low.iter_mut().zip(&mut piece.high).zip(extremes_of) {
                let all_usable;
                (*low, *high, all_usable) = found;
                piece.usable &= all_usable;
                piece.extremes.0 = piece.extremes.0.min(*low);
                piece.extremes.1 = piece.extremes.1.max(*high);
            }
            let (first, start_s, dt_s) = (self.samples, self.start_s, self.dt_s);
            for (i, reader) in self.readers.iter_mut().enumerate() {
                if let Reader::Short(short) = reader {
                    let floor = floors.get(i).copied().unwrap_or_default();
                    short.look(&piece, &mut work, new.len(), floor, |k| {
                        start_s + (first + k as u64) as f64 * dt_s
                    });
                }
            }
            let keep = piece.len.min(self.keep);
            self.kept.clear();
            self.kept
                .extend_from_slice(&piece.values[piece.len - keep..piece.len]);
            self.samples += new.len() as u64;
        }
    }

    /// The largest ramps so far, one table per window in the order they were asked for.
    pub fn tables(&self) -> Vec<RampTable> {
        self.readers.iter().map(|r| *r.table()).collect()
    }

    /// Raises `floors` to the largest ramps so far; they grow to one for each window.
    pub fn raise(&self, floors: &mut Vec<RampFloor>) {
        floors.resize(self.readers.len(), [0.0; 2]);
        for (floor, reader) in floors.iter_mut().zip(&self.readers) {
            let table = reader.table();
            *floor = [
                floor[0].max(table.up.delta),
                floor[1].max(-table.down.delta),
            ];
        }
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
