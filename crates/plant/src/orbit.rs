//! The periodic state of a plant under a load that repeats, by shooting.
//!
//! One period (or as many as the longest dead time asks for) maps the state at its beginning to the one at its end; sought is the state that
//! is mapped onto itself. The map is integrated with the plant's own steps, so limiters, dead times and every nonlinearity are those of a run; iterates are combined by
//! Anderson's method (J. ACM 12 (1965) 547; Walker, Ni, SIAM J. Numer. Anal. 49 (2011) 1715), which finds a fixed point that plain periods would
//! approach at the pace of the slowest mode. It is found where the map moves it by no more than the integrator's grain (`shooting`), and where what the combination
//! would still move the speeds by is small. Such a method also finds states that are not stable or not the ones a plant comes to. One that is the linear answer of a stable plant with no
//! limit reached is neither; any other is disturbed and must come back, and plain periods from rest must come near it. Otherwise plain periods from rest decide: they are periodic where
//! the state, or speeds and their extremes for many periods, come back after one to four periods.
//!
//! Work is bounded, in values computed (steps times states): [`WORK`] for a prediction. Where not even [`FEWEST`] periods fit in, nothing is integrated.

use nalgebra::{DMatrix, DVector};

use crate::linear::Rest;
use crate::periodic::PeriodicLoad;
use crate::plant::Limiter;
use crate::predict::Settled;
use crate::shooting::{Record, Shooting, difference};

/// Values computed at most: of a set with alternator and exciter, 17 states, some 600 s with steps of a millisecond.
pub(crate) const WORK: f64 = 1e7;
/// Shares of it for shooting, and for each of two checks of what it found; plain periods take what is left.
const SHOOTING: f64 = 0.6;
const CHECKING: f64 = 0.1;
/// Periods without which nothing can be said.
const FEWEST: f64 = 6.0;
/// Maps at most.
const MAPS: u32 = 60;
/// Iterates that are combined.
const DEPTH: usize = 8;
/// Directions in which residuals differ by less are not told from the grain.
const TOLD: f64 = 0.3;
/// Change of the speeds that a combination may still ask for, in units of what counts as none: 0.2 % of the swing.
const LEFT: f64 = 20.0;
/// Time before the first combination, seconds and periods.
const WARM_S: f64 = 2.0;
const WARM: f64 = 3.0;
/// A swing this near the unlimited linear one, relative, is it.
const LINEAR: f64 = 0.05;
/// Speed by which a found state is disturbed, in units of what counts as none, and maps it is watched.
const NUDGE: f64 = 200.0;
const WATCHED: u32 = 12;
/// Share of it that may be left after two thirds of them, and distance within which nothing is told.
const FADED: f64 = 0.8;
const GRAIN: f64 = 3.0;
/// Share of the way from rest that may be left.
const GONE: f64 = 0.02;
/// The same where they still come nearer when the work allowed is done.
const COMING: f64 = 0.7;
/// Periods after which plain periods may repeat.
const TURNS: usize = 4;
/// Periods over which speeds alone have to repeat.
const ENOUGH: u32 = 16;
/// Difference of extremes of two periods that are alike, of the swing, and of speeds, in units of what counts as none.
const ALIKE: f64 = 5e-4;
const ALIKE_SPEED: f64 = 2.0;

/// What was found.
pub(crate) struct Orbit {
    pub(crate) lowest: f64,
    pub(crate) highest: f64,
    pub(crate) settled: Settled,
    /// Set, limit, share of the period.
    pub(crate) reached: Vec<(usize, Limiter, f64)>,
    pub(crate) periods: u32,
    /// Values computed for them.
    pub(crate) work: f64,
    /// Periods after which it repeats; 0 where it does not.
    pub(crate) repeats: u32,
    pub(crate) voltage: Option<(f64, f64)>,
}

impl Orbit {
    fn of(shooting: &Shooting<'_>, settled: Settled, repeats: u32, periods: u32) -> Self {
        let r = &shooting.last;
        let limits = [Limiter::Upper, Limiter::Lower, Limiter::Turbo];
        let mut reached = Vec::new();
        for (set, times) in r.limited_s.iter().enumerate() {
            for (limiter, time_s) in limits.into_iter().zip(times) {
                if *time_s > 0.0 {
                    reached.push((set, limiter, (time_s / shooting.period_s).min(1.0)));
                }
            }
        }
        Self {
            lowest: r.speed.0,
            highest: r.speed.1,
            settled,
            reached,
            work: f64::from(periods) * shooting.work(),
            periods,
            repeats,
            voltage: shooting.rest.model.network.as_ref().map(|_| r.voltage),
        }
    }
}

/// Whether a swing may be the linear one: its value per unit, of a plant that is stable.
pub(crate) type Expected = Option<f64>;

/// What shooting came to.
enum Shot {
    Found(Vec<f64>, u32),
    /// Not within the bounds, or by way of a collapse.
    Missed,
    /// The plant collapses from rest.
    Collapsed(f64),
}

/// Periods that make a map: long enough for the past of a dead time to settle, and two at least, as a limited swing may take turns.
fn each(rest: &Rest, period_s: f64) -> u32 {
    let dead_times = rest.model.groups.iter().map(|g| g.dead_time);
    let longest = dead_times.fold(0.0, f64::max);
    2 + (2.0 * longest / period_s).floor().min(1e4) as u32
}

/// Finds the periodic state that the plant comes to from rest; none where that would take more than `most` values computed.
pub(crate) fn orbit(
    rest: &Rest,
    load: &PeriodicLoad,
    base_w: f64,
    linear: Expected,
    most: f64,
) -> Option<Orbit> {
    let mut shooting = Shooting::new(rest, load, base_w);
    let work = shooting.work();
    if FEWEST * work > most || work.is_nan() {
        return None;
    }
    let affordable = |share: f64| (share * most / work).min(1e9) as u32;
    let each = each(rest, shooting.period_s);
    match shoot(&mut shooting, each, affordable(SHOOTING)) {
        Shot::Found(found, repeats) => {
            let swing = shooting.last.swing();
            let unlimited = shooting.last.limited_s.iter().flatten().all(|t| *t == 0.0);
            let is_linear = linear.is_some_and(|l| (swing - l).abs() <= LINEAR * l);
            let record = shooting.last.clone();
            let checks = affordable(CHECKING);
            if (unlimited && is_linear)
                || (returns(&mut shooting, &found, each, checks)
                    && reached_from_rest(&shooting, load, base_w, &found, checks))
            {
                shooting.last = record;
                let periods = shooting.periods;
                return Some(Orbit::of(&shooting, Settled::Periodic, repeats, periods));
            }
        }
        Shot::Collapsed(at_s) => {
            let periods = shooting.periods;
            return Some(Orbit::of(
                &shooting,
                Settled::Collapsed { at_s },
                0,
                periods,
            ));
        }
        Shot::Missed => {}
    }
    let left = affordable(1.0).saturating_sub(shooting.periods).max(6);
    Some(plain(rest, load, base_w, left, shooting.periods))
}

fn shoot(shooting: &mut Shooting<'_>, each: u32, affordable: u32) -> Shot {
    let warm = WARM.max(WARM_S / shooting.period_s).ceil().min(1e5) as u32;
    for _ in 0..warm.min(affordable) {
        if !shooting.period() {
            return Shot::Collapsed(shooting.kernel.time());
        }
    }
    let mut history: Vec<(Vec<f64>, Vec<f64>)> = Vec::new();
    let mut best = f64::INFINITY;
    let mut worse = 0;
    for _ in 0..MAPS {
        if shooting.periods + each > affordable.max(warm + 2 * each) {
            return Shot::Missed;
        }
        let x = shooting.kernel.motion.state.clone();
        // A combination may lead outside; rest may not.
        if !shooting.map(each) {
            return Shot::Missed;
        }
        let g = shooting.kernel.motion.state.clone();
        if !g.iter().all(|v| v.is_finite()) {
            return Shot::Missed;
        }
        shooting.measure();
        let f = difference(&g, &x);
        let size = shooting.size(&f);
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
        let Some(next) = combined(&history, &shooting.same) else {
            continue;
        };
        let Some((g, _)) = history.last() else {
            continue;
        };
        if size <= 1.0 && shooting.size_of_speed(&difference(&next, g)) <= LEFT {
            let off = difference(g, &shooting.first);
            let repeats = if shooting.size(&off) <= 10.0 { 1 } else { each };
            return Shot::Found(g.clone(), repeats);
        }
        shooting.restart(&next);
    }
    Shot::Missed
}

/// Anderson's combination of images `g` with residuals `f = g − x`, newest last.
fn combined(history: &[(Vec<f64>, Vec<f64>)], same: &[f64]) -> Option<Vec<f64>> {
    let (g, f) = history.last()?;
    let columns = history.len() - 1;
    if columns == 0 {
        return None;
    }
    let m = DMatrix::from_fn(same.len(), columns, |slot, column| {
        (f[slot] - history[column].1[slot]) / same[slot]
    });
    let right = DVector::from_fn(same.len(), |slot, _| f[slot] / same[slot]);
    let svd = m.svd(true, true);
    let largest = svd.singular_values.iter().copied().fold(0.0, f64::max);
    if !largest.is_finite() {
        return None;
    }
    let weights = svd.solve(&right, (largest * 1e-10).max(TOLD)).ok()?;
    let mut next = g.clone();
    for (weight, old) in weights.iter().zip(history) {
        for (value, (new, old)) in next.iter_mut().zip(g.iter().zip(&old.0)) {
            *value -= weight * (new - old);
        }
    }
    next.iter().all(|v| v.is_finite()).then_some(next)
}

/// Whether a disturbance of a found state dies away.
fn returns(shooting: &mut Shooting<'_>, found: &[f64], each: u32, affordable: u32) -> bool {
    let nudged = shooting.nudged(found, NUDGE);
    shooting.restart(&nudged);
    let mut sizes = Vec::new();
    let maps = (affordable / each).clamp(3, WATCHED);
    for _ in 0..maps {
        if !shooting.map(each) {
            return false;
        }
        let off = difference(&shooting.kernel.motion.state, found);
        sizes.push(shooting.size(&off));
    }
    let third = sizes.len() / 3;
    let most = |part: &[f64]| part.iter().copied().fold(0.0, f64::max);
    // A swing that takes turns around it neither grows nor dies away.
    most(&sizes[sizes.len() - third..]) <= f64::max(GRAIN, FADED * most(&sizes[..third]))
}

/// Whether plain periods from rest come to a found state: others may exist beside it.
fn reached_from_rest(
    by: &Shooting<'_>,
    load: &PeriodicLoad,
    base_w: f64,
    found: &[f64],
    affordable: u32,
) -> bool {
    let mut shooting = Shooting::new(by.rest, load, base_w);
    shooting.same.clone_from(&by.same);
    let distance = |s: &Shooting<'_>| s.size(&difference(&s.kernel.motion.state, found));
    let mut way = vec![distance(&shooting)];
    for _ in 0..affordable.max(3) {
        if !shooting.period() {
            return false;
        }
        let now = distance(&shooting);
        way.push(now);
        // Twice in a row: another course may pass by.
        if let [first, .., a, b] = way[..]
            && a.max(b) <= LEFT.max(GONE * first)
        {
            return true;
        }
    }
    // A slow mode is still on its way: it has gone a part of it and comes nearer steadily.
    let last = way.len() - 1;
    let third = last / 3;
    third > 0
        && way[last] <= COMING * way[0]
        && way[last] < way[last - third]
        && way[last - third] < way[last - 2 * third]
}

/// How a plain course comes back after so many periods.
#[derive(Clone, Copy, Default)]
struct Back {
    /// Distance of the state to that so many periods ago.
    off: f64,
    /// Periods in a row in which it was small, and in which that of the speeds and their extremes was.
    small: u32,
    of_speed: u32,
}

/// Plain periods from rest until they repeat; else the extremes of the last ten.
fn plain(rest: &Rest, load: &PeriodicLoad, base_w: f64, most: u32, before: u32) -> Orbit {
    let mut shooting = Shooting::new(rest, load, base_w);
    let mut past: Vec<(Vec<f64>, Record)> = Vec::new();
    let mut backs = [Back::default(); TURNS];
    for _ in 0..most {
        if !shooting.period() {
            let at_s = shooting.kernel.time();
            let periods = before + shooting.periods;
            return Orbit::of(&shooting, Settled::Collapsed { at_s }, 0, periods);
        }
        shooting.measure();
        for (turns, back) in (1..=TURNS).zip(&mut backs) {
            let Some((state, record)) = past.len().checked_sub(turns).map(|at| &past[at]) else {
                break;
            };
            let off = difference(&shooting.kernel.motion.state, state);
            let size = shooting.size(&off);
            // What a steady approach still has before it.
            let left = if size < back.off {
                size * size / (back.off - size)
            } else {
                0.0
            };
            back.off = size;
            back.small = if size <= 1.0 { back.small + 1 } else { 0 };
            let (now, then) = (shooting.last.speed, record.speed);
            let extremes = (now.0 - then.0).abs().max((now.1 - then.1).abs());
            let alike = extremes <= ALIKE * shooting.last.swing();
            back.of_speed = if alike && shooting.size_of_speed(&off) <= ALIKE_SPEED {
                back.of_speed + 1
            } else {
                0
            };
            if (back.small >= 2 && left <= LEFT) || back.of_speed >= ENOUGH {
                let repeats = turns as u32;
                let weight = 1.0 / f64::from(repeats);
                let mut all = Record::new(rest);
                all.join(&shooting.last, weight);
                for (_, record) in past.iter().rev().take(turns - 1) {
                    all.join(record, weight);
                }
                shooting.last = all;
                let periods = before + shooting.periods;
                return Orbit::of(&shooting, Settled::Periodic, repeats, periods);
            }
        }
        past.push((shooting.kernel.motion.state.clone(), shooting.last.clone()));
        if past.len() > 10 {
            past.remove(0);
        }
    }
    let mut all = Record::new(rest);
    for (_, record) in &past {
        all.join(record, 1.0 / past.len() as f64);
    }
    shooting.last = all;
    let periods = before + shooting.periods;
    Orbit::of(&shooting, Settled::NotPeriodic, 0, periods)
}
