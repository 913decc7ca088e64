//! The periodic state of a plant under a load that repeats, by shooting.
//!
//! One period (or as many as the longest dead time asks for) maps the state at its beginning to the one at its end; sought is the state that
//! is mapped onto itself. The map is integrated with the plant's own steps, so limiters, dead times and every nonlinearity are those of a run; iterates are combined by
//! Anderson's method (J. ACM 12 (1965) 547; Walker, Ni, SIAM J. Numer. Anal. 49 (2011) 1715), which finds a fixed point that plain periods would
//! approach at the pace of the slowest mode. Such a method also finds states that are not stable or not the ones a plant comes to: a found one is disturbed and must
//! come back, and plain periods from rest must come near it; otherwise plain periods decide.

use nalgebra::{DMatrix, DVector};

use crate::integrate::{Kernel, LoadLine};
use crate::linear::Rest;
use crate::model::{Power, pin};
use crate::periodic::PeriodicLoad;
use crate::plant::Limiter;
use crate::predict::Settled;

/// Points of a period at least, at which extremes are looked for.
const POINTS: f64 = 256.0;
/// Change of a speed over one map at which it repeats, per unit: a hundredth of a millihertz at 60 Hz.
const SAME: f64 = 1e-7;
/// The same of every other state.
const SAME_OTHER: f64 = 1e-5;
/// Maps at most; steps at most over all of them.
const MAPS: u32 = 200;
const STEPS: f64 = 3e6;
/// Iterates that are combined.
const DEPTH: usize = 8;
/// Time before the first combination, seconds and periods.
const WARM_S: f64 = 2.0;
const WARM: f64 = 3.0;
/// Speed by which a found state is disturbed, per unit, and maps it is watched.
const NUDGE: f64 = 1e-4;
const WATCHED: u32 = 12;

/// Periods from rest in which a found state has to be approached, and how close is close enough.
const CONFIRMED: u32 = 400;
const CLOSE: f64 = 1000.0;

/// What was found.
pub(crate) struct Orbit {
    pub(crate) lowest: f64,
    pub(crate) highest: f64,
    pub(crate) settled: Settled,
    /// Set, limit, share of the period.
    pub(crate) reached: Vec<(usize, Limiter, f64)>,
    pub(crate) periods: u32,
    /// Periods after which it repeats; 0 where it does not.
    pub(crate) repeats: u32,
    pub(crate) voltage: Option<(f64, f64)>,
}

/// Extremes of a period.
#[derive(Clone)]
struct Record {
    speed: (f64, f64),
    voltage: (f64, f64),
    /// By set: time at the upper limit, the lower one, the boost.
    limited_s: Vec<[f64; 3]>,
}

impl Record {
    fn new(sets: usize) -> Self {
        let none = (f64::INFINITY, f64::NEG_INFINITY);
        Self {
            speed: none,
            voltage: none,
            limited_s: vec![[0.0; 3]; sets],
        }
    }

    /// Takes in another period; its times at limits count with a weight.
    fn join(&mut self, other: &Self, weight: f64) {
        widen(&mut self.speed, other.speed.0);
        widen(&mut self.speed, other.speed.1);
        widen(&mut self.voltage, other.voltage.0);
        widen(&mut self.voltage, other.voltage.1);
        for (sum, times) in self.limited_s.iter_mut().zip(&other.limited_s) {
            for (s, t) in sum.iter_mut().zip(times) {
                *s += weight * t;
            }
        }
    }
}

/// Periods that make a map: long enough for the past of a dead time to settle, and two at least, as a limited swing may take turns.
fn each(rest: &Rest, period_s: f64) -> u32 {
    let dead_times = rest.model.groups.iter().map(|g| g.dead_time);
    let longest = dead_times.fold(0.0, f64::max);
    2 + (2.0 * longest / period_s).floor().min(1e4) as u32
}

fn widen(range: &mut (f64, f64), value: f64) {
    range.0 = range.0.min(value);
    range.1 = range.1.max(value);
}

struct Shooting<'a> {
    rest: &'a Rest,
    kernel: Kernel,
    /// Length, load at both ends, number of parts.
    pieces: Vec<(f64, Power, Power, u32)>,
    periods: u32,
    period_s: f64,
    /// Slots compared, and the change of each that counts as none.
    slots: Vec<(usize, f64)>,
    /// Extremes of the last map or period.
    last: Record,
    /// Periods in a map.
    each: u32,
    /// State after the first period of the last map.
    first: Vec<f64>,
}

impl<'a> Shooting<'a> {
    fn new(rest: &'a Rest, load: &PeriodicLoad, base_w: f64) -> Self {
        let period_s = 1.0 / load.fundamental_hz();
        let power = |w: f64| Power {
            active: w / base_w,
            reactive: w / base_w * rest.tan_phi,
        };
        let pieces = load
            .pieces()
            .iter()
            .map(|p| {
                let parts = (p.share * POINTS - 1e-9).ceil().max(1.0) as u32;
                (p.share * period_s, power(p.start_w), power(p.end_w), parts)
            })
            .collect();
        let speeds: Vec<usize> = rest.model.groups.iter().map(|g| g.speed_at).collect();
        // All states: one that a small motion does not show may carry a limit that a large one reaches.
        let slots = (0..rest.state.len())
            .map(|slot| {
                let speed = slot == 0 || speeds.contains(&slot);
                (slot, if speed { SAME } else { SAME_OTHER })
            })
            .collect();
        let model = rest.model.clone();
        Self {
            rest,
            last: Record::new(model.groups.len()),
            kernel: Kernel::new(
                model,
                rest.state.clone(),
                rest.load,
                rest.voltage,
                rest.step_s,
            ),
            pieces,
            periods: 0,
            period_s,
            slots,
            each: each(rest, period_s),
            first: Vec::new(),
        }
    }

    /// Integrates one map; false after a collapse.
    fn map(&mut self) -> bool {
        let mut all = Record::new(self.kernel.motion.modes.len());
        for index in 0..self.each {
            if !self.period() {
                return false;
            }
            all.join(&self.last, 1.0 / f64::from(self.each));
            if index == 0 {
                self.first.clone_from(&self.kernel.motion.state);
            }
        }
        self.last = all;
        true
    }

    /// Periods after which the state repeats that the last map has brought back.
    fn repeats(&self) -> u32 {
        let off = difference(&self.kernel.motion.state, &self.first);
        if self.size(&off) <= 10.0 {
            1
        } else {
            self.each
        }
    }

    /// Periods that may be integrated, at most so many.
    fn affordable(&self, most: u32) -> u32 {
        let parts: f64 = self.pieces.iter().map(|p| f64::from(p.3)).sum();
        let steps = parts.max(self.period_s / self.rest.step_s);
        ((STEPS / steps).min(1e9) as u32).min(most)
    }

    /// Integrates one period; false after a collapse.
    fn period(&mut self) -> bool {
        let mut record = Record::new(self.kernel.motion.modes.len());
        for (length, start, end, parts) in &self.pieces {
            let between = |share: f64| Power {
                active: start.active + (end.active - start.active) * share,
                reactive: start.reactive + (end.reactive - start.reactive) * share,
            };
            let part = length / f64::from(*parts);
            for i in 0..*parts {
                let share = |i: u32| f64::from(i) / f64::from(*parts);
                self.kernel.advance(LoadLine {
                    start: between(share(i)),
                    end: between(share(i + 1)),
                    length: part,
                });
                note(&self.kernel, part, &mut record);
                if self.kernel.collapsed {
                    self.last = record;
                    return false;
                }
            }
        }
        self.periods += 1;
        self.last = record;
        true
    }

    /// Sets another state at the beginning of a period.
    fn restart(&mut self, state: &[f64]) {
        let kernel = &mut self.kernel;
        kernel.motion.state.copy_from_slice(state);
        pin(
            &kernel.motion.model,
            &kernel.motion.modes,
            &mut kernel.motion.state,
            true,
        );
        if let Some(network) = &kernel.motion.model.network {
            network.clamp(&mut kernel.motion.state, &kernel.motion.signals);
        }
        if let Some((_, start, _, _)) = self.pieces.first() {
            kernel.evaluate_start(*start);
        }
    }

    /// Largest change in units of what counts as none.
    fn size(&self, change: &[f64]) -> f64 {
        self.slots.iter().fold(0.0, |most, (slot, same)| {
            most.max(change[*slot].abs() / same)
        })
    }

    fn finish(&self, settled: Settled, repeats: u32) -> Orbit {
        let r = &self.last;
        let limits = [Limiter::Upper, Limiter::Lower, Limiter::Turbo];
        let mut reached = Vec::new();
        for (set, times) in r.limited_s.iter().enumerate() {
            for (limiter, time_s) in limits.into_iter().zip(times) {
                if *time_s > 0.0 {
                    reached.push((set, limiter, (time_s / self.period_s).min(1.0)));
                }
            }
        }
        Orbit {
            lowest: r.speed.0,
            highest: r.speed.1,
            settled,
            reached,
            periods: self.periods,
            repeats,
            voltage: self.rest.model.network.as_ref().map(|_| r.voltage),
        }
    }

    fn collapsed(&self) -> Orbit {
        let at_s = self.kernel.time();
        self.finish(Settled::Collapsed { at_s }, 0)
    }
}

/// Notes the end of a step.
fn note(kernel: &Kernel, length: f64, record: &mut Record) {
    widen(&mut record.speed, kernel.motion.state[0]);
    let signals = kernel
        .motion
        .model
        .groups
        .iter()
        .zip(&kernel.motion.signals);
    for (i, (group, signal)) in signals.enumerate() {
        if group.weight == 0.0 {
            continue;
        }
        if kernel.motion.model.network.is_some() {
            widen(&mut record.voltage, signal.electric.voltage);
        }
        let at = match group.limiter(kernel.motion.modes[i][0], group.own(&kernel.motion.state)) {
            Limiter::None => continue,
            Limiter::Upper => 0,
            Limiter::Lower => 1,
            Limiter::Turbo => 2,
        };
        record.limited_s[i][at] += length;
    }
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// Anderson's combination of images `g` with residuals `f = g − x`, newest last.
fn combined(history: &[(Vec<f64>, Vec<f64>)], slots: &[(usize, f64)]) -> Option<Vec<f64>> {
    let (g, f) = history.last()?;
    let columns = history.len() - 1;
    if columns == 0 {
        return None;
    }
    let m = DMatrix::from_fn(slots.len(), columns, |row, column| {
        let (slot, same) = slots[row];
        (f[slot] - history[column].1[slot]) / same
    });
    let right = DVector::from_fn(slots.len(), |row, _| f[slots[row].0] / slots[row].1);
    let svd = m.svd(true, true);
    let largest = svd.singular_values.iter().copied().fold(0.0, f64::max);
    if !(largest > 0.0 && largest.is_finite()) {
        return None;
    }
    let weights = svd.solve(&right, largest * 1e-10).ok()?;
    let mut next = g.clone();
    for (weight, old) in weights.iter().zip(history) {
        for (value, (new, old)) in next.iter_mut().zip(g.iter().zip(&old.0)) {
            *value -= weight * (new - old);
        }
    }
    next.iter().all(|v| v.is_finite()).then_some(next)
}

/// Finds the periodic state that the plant comes to from rest.
pub(crate) fn orbit(rest: &Rest, load: &PeriodicLoad, base_w: f64) -> Orbit {
    let mut shooting = Shooting::new(rest, load, base_w);
    let period_s = shooting.period_s;
    let each = shooting.each;
    let maps = (shooting.affordable(MAPS * each) / each).max(12);
    let warm = WARM.max(WARM_S / period_s).ceil().min(1e5) as u32;
    for _ in 0..warm {
        if !shooting.period() {
            return shooting.collapsed();
        }
    }
    let mut history: Vec<(Vec<f64>, Vec<f64>)> = Vec::new();
    let mut best = f64::INFINITY;
    let mut worse = 0;
    for _ in 0..maps {
        let x = shooting.kernel.motion.state.clone();
        if !shooting.map() {
            // A combination may lead outside; rest may not.
            return plain(rest, load, base_w);
        }
        let g = shooting.kernel.motion.state.clone();
        if !g.iter().all(|v| v.is_finite()) {
            return plain(rest, load, base_w);
        }
        let f = difference(&g, &x);
        let size = shooting.size(&f);
        if size <= 1.0 {
            let repeats = shooting.repeats();
            if returns(&mut shooting, &g) && reached_from_rest(rest, load, base_w, &g) {
                return shooting.finish(Settled::Periodic, repeats);
            }
            return plain(rest, load, base_w);
        }
        worse = if size > 2.0 * best { worse + 1 } else { 0 };
        best = best.min(size);
        history.push((g, f));
        if worse >= 3 {
            // A limiter has changed its part: what was learnt no longer holds.
            (best, worse) = (size, 0);
            history.drain(..history.len() - 1);
        }
        if history.len() > DEPTH {
            history.remove(0);
        }
        if let Some(next) = combined(&history, &shooting.slots) {
            shooting.restart(&next);
        }
    }
    plain(rest, load, base_w)
}

/// Whether a disturbance of a found state dies away; leaves the found state's record.
fn returns(shooting: &mut Shooting<'_>, found: &[f64]) -> bool {
    let record = shooting.last.clone();
    let mut nudged = found.to_vec();
    nudged[0] += NUDGE;
    for group in &shooting.rest.model.groups {
        if group.speed_at != 0 {
            nudged[group.speed_at] += NUDGE;
        }
    }
    shooting.restart(&nudged);
    let mut sizes = Vec::new();
    for _ in 0..WATCHED {
        if !shooting.map() {
            return false;
        }
        let off = difference(&shooting.kernel.motion.state, found);
        sizes.push(shooting.size(&off));
    }
    shooting.last = record;
    let third = sizes.len() / 3;
    let most = |part: &[f64]| part.iter().copied().fold(0.0, f64::max);
    let (early, late) = (most(&sizes[..third]), most(&sizes[sizes.len() - third..]));
    late <= early || late <= 10.0
}

/// Whether plain periods from rest come to a found state: others may exist beside it.
fn reached_from_rest(rest: &Rest, load: &PeriodicLoad, base_w: f64, found: &[f64]) -> bool {
    let mut shooting = Shooting::new(rest, load, base_w);
    let distance = |s: &Shooting<'_>| s.size(&difference(&s.kernel.motion.state, found));
    let first = distance(&shooting);
    for _ in 0..shooting.affordable(CONFIRMED) {
        if !shooting.period() {
            return false;
        }
        let now = distance(&shooting);
        if now <= CLOSE || now <= 0.05 * first {
            return true;
        }
    }
    false
}

/// Plain periods from rest, and the extremes of the last ten.
fn plain(rest: &Rest, load: &PeriodicLoad, base_w: f64) -> Orbit {
    let mut shooting = Shooting::new(rest, load, base_w);
    let periods = shooting.affordable(2000).max(20);
    let mut all = Record::new(rest.names.len());
    for i in 0..periods {
        let before = shooting.kernel.motion.state.clone();
        if !shooting.period() {
            return shooting.collapsed();
        }
        if shooting.size(&difference(&shooting.kernel.motion.state, &before)) <= 1.0 {
            return shooting.finish(Settled::Periodic, 1);
        }
        if i + 10 >= periods {
            all.join(&shooting.last, 0.1);
        }
    }
    shooting.last = all;
    shooting.finish(Settled::NotPeriodic, 0)
}
