//! One phase behind its sensor: where it begins, what it repeats, its mean.

use serde::Serialize;

use crate::correct::{Inverse, Known};
use crate::gates::is_steady;
use crate::invert::{MeanFrom, mean_in_time};
use crate::invert_energy::energy_mean;
use crate::invert_periodic::{LEAST_GAIN, PeriodSearch, PeriodicLoad, hidden_below_s, periodic};
use crate::segment::{Cycle, Group, Label, Phase};
use crate::segment_signal::{moments, quantile};
use crate::{Corrected, reading_of};

/// Share of the variance that a periodic load must explain to take the place of what the samples show.
const LEAST_EXPLAINED: f64 = 0.9;
/// Updates that a fit looks at, at least and at most: more take time and tell little more.
const LEAST_UPDATES: usize = 48;
const MOST_UPDATES: usize = 1500;
/// Longest period of a swing within a phase, seconds: slower ones are phases of their own.
const LONGEST_S: f64 = 15.0;
/// Share of the variance from which periods are so regular that a fit of one smears nothing.
const REGULAR: f64 = 0.995;
/// Samples that a level lasts beside the window to show by itself.
const CLEAR_SAMPLES: f64 = 2.0;
/// Fewest samples per period of a load that no other could be mistaken for.
const NYQUIST: f64 = 2.2;
/// A load of fewer samples per period shows as beats.
const BEATS: f64 = 4.0;
/// A phase must swing by so much of its level, and so many watts, to be looked at.
const SWINGS: f64 = 0.02;
const SWINGS_W: f64 = 2.0;

/// Fewest readings that a level rests on before those beside its edges are left out.
const LEAST_CLEAR: usize = 3;

/// One level of a swing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SwingLevel {
    /// Power, watts per GPU.
    pub power_w: f64,
    /// Statistical standard error of it, watts.
    pub power_se_w: f64,
    /// Part of the period, 0 to 1.
    pub share: f64,
}

/// A load that repeats, from the fit that knows the sensor's window.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Swing {
    /// Period, seconds.
    pub period_s: f64,
    /// Levels in the order of time.
    pub levels: Vec<SwingLevel>,
    /// Mean over a period, watts per GPU.
    pub mean_w: f64,
    /// Statistical standard error of it, watts.
    pub mean_se_w: f64,
    /// Gain of the window at the fundamental, 0 to 1.
    pub gain: f64,
    /// Share of the variance of the readings that it explains, 0 to 1.
    pub explained: f64,
    /// Other periods that would explain the readings as well, seconds.
    pub other_periods_s: Vec<f64>,
}

/// What was found of a phase that may repeat.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Found {
    pub(crate) swing: Option<Swing>,
    pub(crate) unidentifiable: Option<String>,
}

/// Mean of one GPU in one phase.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PhaseMean {
    pub(crate) naive_w: f64,
    pub(crate) mean_w: f64,
    pub(crate) se_w: f64,
    pub(crate) from: MeanFrom,
}

/// A stretch of the updates with at most [`MOST_UPDATES`] of them, about its middle; none with too few.
fn stretch(found: &Corrected, from_s: f64, to_s: f64) -> Option<(f64, f64)> {
    let first = found.time_s.partition_point(|t| *t < from_s);
    let last = found.time_s.partition_point(|t| *t <= to_s);
    let count = last.checked_sub(first).filter(|n| *n >= LEAST_UPDATES)?;
    if count <= MOST_UPDATES {
        return Some((from_s, to_s));
    }
    let begin = first + (count - MOST_UPDATES) / 2;
    Some((found.time_s[begin], found.time_s[begin + MOST_UPDATES - 1]))
}

/// The periodic load in a stretch of the first GPU that shows one, then of the others with its period.
fn loads(
    inverses: &[Inverse<'_>],
    (from_s, to_s): (f64, f64),
    known_s: Option<f64>,
) -> Vec<PeriodicLoad> {
    let mut period_s = known_s;
    let mut all = Vec::new();
    for inverse in inverses {
        let Some(stretch) = stretch(&inverse.found, from_s, to_s) else {
            continue;
        };
        // Without the updates' instants a load faster than the samples is no different from a slower one.
        let slow_s = || {
            let n = inverse.found.time_s.len();
            NYQUIST * (inverse.found.seconds / n.max(1) as f64)
        };
        let shortest_s = inverse.found.updates.is_none().then(slow_s);
        let hidden_s = inverse.model.window_s.map_or(0.0, hidden_below_s);
        let search = PeriodSearch {
            known_s: period_s,
            shortest_s: shortest_s.map(|s| s.max(hidden_s)),
            longest_s: Some(LONGEST_S),
            stretch_s: Some(stretch),
            ..PeriodSearch::default()
        };
        match periodic(&inverse.found, &search) {
            Ok(load) => {
                if load.levels.is_some() && load.explained >= LEAST_EXPLAINED {
                    period_s = period_s.or(Some(load.period_s));
                }
                all.push(load);
            }
            // One that shows nothing settles it for GPUs that move together.
            Err(_) if all.is_empty() => return all,
            Err(_) => {}
        }
    }
    all
}

/// Mean of the GPUs' loads; none where one of them shows no levels.
fn swing_of(loads: &[PeriodicLoad]) -> Option<Swing> {
    let first = loads.first()?;
    let n = loads.len() as f64;
    if loads.iter().any(|load| load.explained < LEAST_EXPLAINED) {
        return None;
    }
    let levels = first.levels.as_ref()?;
    let mut mean: Vec<SwingLevel> = levels
        .iter()
        .map(|level| SwingLevel {
            power_w: level.power_w,
            power_se_w: level.power_se_w,
            share: level.seconds / first.period_s,
        })
        .collect();
    let same: Vec<&PeriodicLoad> = loads
        .iter()
        .filter(|load| load.levels.as_ref().is_some_and(|l| l.len() == mean.len()))
        .collect();
    if loads.len() > 1 && same.len() == loads.len() {
        // Levels in the order of their power: where a period begins differs from fit to fit.
        mean.sort_by(|a, b| a.power_w.total_cmp(&b.power_w));
        let sorted: Vec<Vec<(f64, f64, f64)>> = same
            .iter()
            .map(|load| {
                let mut own: Vec<(f64, f64, f64)> = load
                    .levels
                    .iter()
                    .flatten()
                    .map(|l| (l.power_w, l.power_se_w, l.seconds / load.period_s))
                    .collect();
                own.sort_by(|a, b| a.0.total_cmp(&b.0));
                own
            })
            .collect();
        for (i, level) in mean.iter_mut().enumerate() {
            let of = |k: fn(&(f64, f64, f64)) -> f64| sorted.iter().map(|own| k(&own[i])).sum();
            let (power, squares, share): (f64, f64, f64) =
                (of(|l| l.0), of(|l| l.1 * l.1), of(|l| l.2));
            *level = SwingLevel {
                power_w: power / n,
                power_se_w: squares.sqrt() / n,
                share: share / n,
            };
        }
    }
    let squares: f64 = loads.iter().map(|l| l.mean_se_w * l.mean_se_w).sum();
    Some(Swing {
        period_s: first.period_s,
        levels: mean,
        mean_w: loads.iter().map(|l| l.mean_w).sum::<f64>() / n,
        mean_se_w: squares.sqrt() / n,
        gain: first.gain,
        explained: loads.iter().map(|l| l.explained).fold(1.0, f64::min),
        other_periods_s: first.other_periods_s.clone(),
    })
}

fn moves(phase: &Phase) -> bool {
    let range_w = phase.high_w - phase.low_w;
    phase.cycle.is_some()
        || phase.spread_w.max(0.25 * range_w) > (SWINGS * phase.level_w).max(SWINGS_W)
}

/// Neighbouring stretches of work that one periodic load explains are one phase: what the samples show of a fast load are beats with the
/// sensor's updates.
pub(crate) fn join_swings(group: &mut Group, inverses: &[Inverse<'_>], known: &Known) {
    if inverses.iter().any(|i| i.model.window_s.is_none()) {
        return;
    }
    let mut at = 0;
    while at < group.phases.len() {
        let run = group.phases[at..]
            .iter()
            .take_while(|p| is_steady(p.label))
            .count();
        let end = at + run;
        let worth = run > 1 && group.phases[at..end].iter().any(moves);
        if worth {
            let whole = (group.phases[at].from_s, group.phases[end - 1].to_s);
            let all = loads(inverses, whole, known.period_s);
            let fast = |swing: Swing| swing.period_s < BEATS * group.mean.dt_s;
            if swing_of(&all).is_some_and(fast) {
                let joined = join(group, at, end);
                group.phases.splice(at..end, [joined]);
            }
        }
        at += if worth { 1 } else { run.max(1) };
        while at < group.phases.len() && is_steady(group.phases[at].label) && worth {
            at += 1;
        }
    }
}

fn join(group: &Group, from: usize, to: usize) -> Phase {
    let parts = &group.phases[from..to];
    let first = &parts[0];
    let (from_s, to_s) = (first.from_s, parts[parts.len() - 1].to_s);
    let half = 0.5 * group.mean.dt_s;
    let bins = group.mean.bin(from_s + half)..group.mean.bin(to_s + half);
    let values = || group.mean.value[bins.clone()].iter().copied();
    let (level_w, spread_w) = moments(values());
    let weighted = |of: fn(&Phase) -> Option<f64>| -> Option<f64> {
        let sum: Option<f64> = parts.iter().map(|p| Some(of(p)? * p.duration_s())).sum();
        Some(sum? / (to_s - from_s))
    };
    Phase {
        label: Label::Training,
        from_s,
        to_s,
        level_w,
        low_w: quantile(values(), 0.05),
        high_w: quantile(values(), 0.95),
        spread_w,
        correlation_time_s: None,
        cycle: None,
        entered: first.entered,
        utilisation: weighted(|p| p.utilisation),
        memory_bytes: weighted(|p| p.memory_bytes),
        why: "one load that repeats explains it".to_owned(),
    }
}

/// Fits what repeats in each phase of work, and puts it into the phase. The second value: whether a cycle is another one than the samples show.
pub(crate) fn swings(
    group: &mut Group,
    inverses: &[Inverse<'_>],
    known: &Known,
) -> (Vec<Found>, bool) {
    let mut beyond = false;
    let dt_s = group.mean.dt_s;
    let found = group
        .phases
        .iter_mut()
        .map(|phase| {
            let Some(first) = inverses.first() else {
                return Found::default();
            };
            let Some(window_s) = first.model.window_s else {
                return Found::default();
            };
            if !is_steady(phase.label) || !(moves(phase) || known.period_s.is_some()) {
                return Found::default();
            }
            // The samples' bounds are good to some of their steps.
            let inside = (phase.from_s + 2.0 * dt_s, phase.to_s - 2.0 * dt_s);
            let mut all = loads(inverses, inside, known.period_s);
            // Periods that scatter fit twice theirs a little better: what the samples show counts.
            let shown = phase.cycle.filter(|c| c.beat_s.is_none());
            if let (Some(cycle), Some(load)) = (shown, all.first()) {
                let ratio = load.period_s / cycle.period_s;
                let times = ratio.round();
                let multiple = (2.0..=4.0).contains(&times) && (ratio / times - 1.0).abs() < 0.07;
                // Nor do polls that know no updates tell a period from its images.
                let image = first.found.updates.is_none() && (ratio - 1.0).abs() > 0.07;
                if multiple || image {
                    all = loads(inverses, inside, Some(cycle.period_s));
                }
            }
            let mut found = Found {
                swing: swing_of(&all),
                unidentifiable: all
                    .first()
                    .filter(|load| load.levels.is_none())
                    .and_then(|load| {
                        load.notes
                            .iter()
                            .find(|n| n.starts_with("levels unidentifiable"))
                            .cloned()
                    }),
            };
            let clear = found.swing.as_ref().zip(shown);
            if clear.is_some_and(|(swing, cycle)| shows_itself(swing, &cycle, (dt_s, window_s))) {
                found.swing = None;
                return found;
            }
            if let Some(swing) = &found.swing {
                beyond |= take(phase, swing, (dt_s, window_s));
            } else if let Some(cycle) = phase.cycle {
                let gain = first.model.gain_at(1.0 / cycle.period_s);
                if gain < LEAST_GAIN {
                    // What shows of it are crumbs of the window, or beats.
                    found.unidentifiable.get_or_insert(format!(
                        "levels unidentifiable: a window of {:.0} ms lets {:.1} % of a period of {:.1} ms through; the mean stands",
                        1e3 * window_s, 100.0 * gain, 1e3 * cycle.period_s
                    ));
                } else if gain < 0.9 {
                    found.unidentifiable.get_or_insert(format!(
                        "levels as the window of {:.0} ms shows them, which lets {:.0} % of the period through: they lie further apart; single periods differ too much for a fit",
                        1e3 * window_s, 100.0 * gain
                    ));
                }
            }
            if phase.cycle.is_some_and(|c| first.model.gain_at(1.0 / c.period_s) < LEAST_GAIN) {
                phase.cycle = None;
                beyond = true;
            }
            found
        })
        .collect();
    (found, beyond)
}

/// Whether the samples show a cycle better than a fit of one period does: its periods scatter, so that the fit smears them, and each of its levels
/// lasts several samples clear of the window.
fn shows_itself(swing: &Swing, cycle: &Cycle, (dt_s, window_s): (f64, f64)) -> bool {
    let shorter_s = cycle.duty.min(1.0 - cycle.duty) * cycle.period_s;
    let same = (swing.period_s / cycle.period_s - 1.0).abs() < 0.07;
    same && swing.explained < REGULAR && shorter_s >= CLEAR_SAMPLES * dt_s + window_s
}

/// Puts a swing into its phase; whether it differs from what the samples show.
fn take(phase: &mut Phase, swing: &Swing, (dt_s, window_s): (f64, f64)) -> bool {
    let low = swing
        .levels
        .iter()
        .map(|l| l.power_w)
        .fold(f64::INFINITY, f64::min);
    let high = swing.levels.iter().map(|l| l.power_w).fold(0.0, f64::max);
    let middle = f64::midpoint(low, high);
    let side = |up: bool| {
        let (power, share) = swing
            .levels
            .iter()
            .filter(|l| (l.power_w > middle) == up)
            .fold((0.0, 0.0), |(p, s), l| {
                (p + l.power_w * l.share, s + l.share)
            });
        (power / share, share)
    };
    let ((high_w, duty), (low_w, _)) = (side(true), side(false));
    let rest_w = (1.0 - swing.explained).max(0.0).sqrt() * phase.spread_w.max(0.25 * (high - low));
    let before = phase.cycle;
    let differs = before.is_none_or(|c| {
        (c.period_s / swing.period_s - 1.0).abs() > 0.05
            || (c.high_w - high_w).abs().max((c.low_w - low_w).abs()) > 0.05 * (high - low)
    }) || swing.period_s < 4.0 * dt_s;
    let spread = |old: Option<f64>| old.map_or(rest_w, |old| if differs { rest_w } else { old });
    phase.cycle = Some(Cycle {
        period_s: swing.period_s,
        jitter_s: before.map_or(0.0, |c| if differs { 0.0 } else { c.jitter_s }),
        duty,
        high_w,
        low_w,
        high_spread_w: spread(before.map(|c| c.high_spread_w)),
        low_spread_w: spread(before.map(|c| c.low_spread_w)),
        first_rise_s: before.map_or(phase.from_s, |c| c.first_rise_s),
        count: phase.duration_s() / swing.period_s,
        beat_s: before.and_then(|c| c.beat_s).filter(|_| !differs),
    });
    // Samples on the way from level to level are no spread.
    phase.spread_w = if differs {
        rest_w
    } else {
        phase.spread_w.min(rest_w)
    };
    if differs {
        phase.label = Label::Training;
        phase.why = format!(
            "repeats every {:.4} s, found behind the window of {:.0} ms",
            swing.period_s,
            1e3 * window_s
        );
    }
    differs
}

/// Mean of a GPU in a phase: by its counter where that runs, over whole periods of a swing; else by the swing, else by the readings.
pub(crate) fn phase_mean(
    inverse: &Inverse<'_>,
    phase: &Phase,
    swing: Option<&Swing>,
) -> Option<PhaseMean> {
    let (gpu, model, found) = (inverse.gpu, &inverse.model, &inverse.found);
    let shown = reading_of(gpu, model.reading)?;
    let inside = |t: f64| t >= phase.from_s && t < phase.to_s;
    let (naive_w, _) = moments(
        gpu.time_s
            .iter()
            .zip(shown)
            .filter(|(t, _)| inside(**t))
            .map(|(_, w)| *w),
    );
    let half_s = 0.5 * found.window_s.unwrap_or(0.0);
    let clear_by = |margin_s: f64| -> (Vec<f64>, Vec<f64>) {
        let within = |t: f64| t - margin_s >= phase.from_s && t + margin_s <= phase.to_s;
        (found.time_s.iter().zip(&found.power_w))
            .filter(|(t, _)| within(**t))
            .unzip()
    };
    let mut kept = clear_by(half_s);
    if phase.cycle.is_none() {
        // An edge is known to about a poll, and a reading next to it may hold some of the other level: of one level nothing is lost without it.
        let polls: Vec<f64> = gpu.time_s.windows(2).map(|w| w[1] - w[0]).collect();
        let clear = clear_by(half_s + quantile(polls.into_iter(), 0.5).max(0.0));
        if clear.0.len() >= LEAST_CLEAR {
            kept = clear;
        }
    }
    let (time_s, power_w) = kept;
    let by_readings = (!time_s.is_empty()).then(|| {
        let (mean_w, se_w) = mean_in_time(&time_s, &power_w);
        (mean_w, se_w, MeanFrom::Readings)
    });
    let by_swing = swing.map(|s| (s.mean_w, s.mean_se_w, MeanFrom::Readings));
    let (mean_w, se_w, from) = by_counter(inverse, phase).or(by_swing).or(by_readings)?;
    mean_w.is_finite().then_some(PhaseMean {
        naive_w: if naive_w.is_finite() { naive_w } else { mean_w },
        mean_w,
        se_w,
        from,
    })
}

fn by_counter(inverse: &Inverse<'_>, phase: &Phase) -> Option<(f64, f64, MeanFrom)> {
    let (gpu, found) = (inverse.gpu, &inverse.found);
    let energy_j = gpu.energy_j.as_ref()?;
    // Edges are known to an update; the counter has steps of its own. Of a load that repeats, what is cut off weighs more than an edge.
    let step_s = found.counter.as_ref()?.granularity_s;
    let margin_s = found.update_period_s.unwrap_or(0.1).min(0.1) + step_s;
    let trimmed = phase.cycle.is_none() && phase.duration_s() > 10.0 * margin_s;
    let margin_s = if trimmed { margin_s } else { 0.0 };
    let (from_s, to_s) = (phase.from_s + margin_s, phase.to_s - margin_s);
    let first = gpu.time_s.partition_point(|t| *t < from_s);
    let last = gpu.time_s.partition_point(|t| *t <= to_s);
    let mean = energy_mean(gpu.time_s.get(first..last)?, energy_j.get(first..last)?)?;
    (mean.seconds >= 0.5 * (to_s - from_s)).then(|| {
        (
            inverse.model.drawn_w(mean.mean_w),
            mean.mean_se_w / inverse.model.gain,
            MeanFrom::EnergyCounter,
        )
    })
}
