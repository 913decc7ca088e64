//! Where phases begin and end behind a sensor's window.

use crate::correct::Inverse;
use crate::invert_edges::{Edge, edges};
use crate::segment::{Change, Group, Phase};
use crate::segment_signal::quantile;

/// A phase's begin as one GPU shows it.
#[derive(Debug, Clone, Copy)]
struct Begin {
    time_s: f64,
    /// Half width of the stretch it lies in, seconds.
    within_s: f64,
    unresolved: bool,
}

/// Moves the phases' bounds to where the inverse places them; how well each begin is known, seconds.
pub(crate) fn snap_edges(group: &mut Group, inverses: &[Inverse<'_>]) -> Vec<Option<f64>> {
    let mut within = vec![None; group.phases.len()];
    let smallest = group
        .phases
        .windows(2)
        .map(|w| least_step_w(&w[0], &w[1]))
        .fold(f64::INFINITY, f64::min);
    if !smallest.is_finite() {
        return within;
    }
    let all: Vec<(&Inverse<'_>, Vec<Edge>)> = inverses
        .iter()
        .map(|i| (i, edges(&i.found, smallest)))
        .collect();
    let dt_s = group.mean.dt_s;
    for (i, within) in within.iter_mut().enumerate().skip(1) {
        let (before, after) = (&group.phases[i - 1], &group.phases[i]);
        let begins: Vec<Begin> = all
            .iter()
            .filter_map(|(inverse, edges)| begin(inverse, edges, (before, after), dt_s))
            .collect();
        if begins.is_empty() {
            continue;
        }
        let time_s = quantile(begins.iter().map(|e| e.time_s), 0.5);
        if time_s < before.from_s + dt_s || time_s > after.to_s - dt_s {
            continue;
        }
        *within = Some(quantile(begins.iter().map(|e| e.within_s), 0.5));
        let unresolved = begins.iter().all(|e| e.unresolved);
        group.phases[i - 1].to_s = time_s;
        group.phases[i].from_s = time_s;
        if let Some(change) = &mut group.phases[i].entered {
            change.unresolved |= unresolved;
        }
    }
    for phase in &mut group.phases {
        let seconds = phase.duration_s();
        if let Some(cycle) = &mut phase.cycle {
            cycle.count = seconds / cycle.period_s;
        }
    }
    within
}

/// Takes out phases that are nothing but a step on its way through window, update and grid: too short for the sensor, at a level between
/// those beside.
pub(crate) fn drop_passages(group: &mut Group, inverses: &[Inverse<'_>]) {
    let Some(first) = inverses.first() else {
        return;
    };
    let Some(window_s) = first.model.window_s else {
        return;
    };
    let update_s = first
        .found
        .update_period_s
        .unwrap_or(group.mean.dt_s)
        .max(group.mean.dt_s);
    let shortest_s = window_s + 2.5 * update_s;
    let mut i = 1;
    while i + 1 < group.phases.len() {
        let (before, here, after) = (&group.phases[i - 1], &group.phases[i], &group.phases[i + 1]);
        // A mean of what is on both sides.
        let least = before.level_w.min(after.level_w);
        let most = before.level_w.max(after.level_w);
        let between = here.level_w > least && here.level_w < most;
        if here.cycle.is_some() || !between || here.duration_s() > shortest_s {
            i += 1;
            continue;
        }
        let (middle_s, seconds) = (f64::midpoint(here.from_s, here.to_s), here.duration_s());
        let delta_w = after.level_w - before.level_w;
        let entered = after.entered.or(here.entered);
        group.phases[i - 1].to_s = middle_s;
        let after = &mut group.phases[i + 1];
        after.from_s = middle_s;
        after.entered = entered.map(|change| Change {
            delta_w,
            time_s: change.time_s.max(seconds),
            window_s: change.window_s.max(window_s),
            unresolved: true,
        });
        group.phases.remove(i);
    }
}

/// Smallest step between a level of one phase and one of the other, watts.
fn step_w(before: &Phase, after: &Phase) -> f64 {
    let levels = |p: &Phase| p.cycle.map_or(vec![p.level_w], |c| vec![c.low_w, c.high_w]);
    levels(before)
        .into_iter()
        .flat_map(|a| levels(after).into_iter().map(move |b| (a - b).abs()))
        .fold(f64::INFINITY, f64::min)
}

/// Steps that are looked at between two phases, watts.
fn least_step_w(before: &Phase, after: &Phase) -> f64 {
    0.3 * step_w(before, after).max(10.0)
}

fn begin(
    inverse: &Inverse<'_>,
    edges: &[Edge],
    (before, after): (&Phase, &Phase),
    dt_s: f64,
) -> Option<Begin> {
    let update_s = inverse.found.update_period_s.unwrap_or(dt_s);
    // Where the window is unknown a reading stands for its own instant.
    let window_s = inverse.found.window_s.unwrap_or(0.0);
    // Half of a long window is what the samples' bound may be off by.
    let reach_s = 2.0 * dt_s + update_s + 0.6 * window_s;
    // A load that repeats has steps of its own: what tells is where the quiet beside it ends.
    let quiet = match (before.cycle, after.cycle) {
        (None, Some(_)) => Some((before.level_w, true)),
        (Some(_), None) => Some((after.level_w, false)),
        _ => None,
    };
    if let Some((level_w, enters)) = quiet.filter(|_| window_s <= update_s) {
        let tolerance_w = 0.25 * step_w(before, after).max(10.0);
        let reach_s = reach_s.max(after.cycle.or(before.cycle)?.period_s.min(1.0));
        return end_of_quiet(
            inverse,
            (after.from_s, reach_s),
            (level_w, tolerance_w),
            enters,
        );
    }
    // Polls slower than the updates know no instant of theirs, and a cycle has steps enough to mistake for its end: the samples' bound stays.
    if quiet.is_some() && inverse.found.updates.is_none() && dt_s > 1.5 * update_s {
        return None;
    }
    pick(edges, (before, after), (after.from_s, reach_s)).map(|edge| Begin {
        time_s: edge.time_s,
        within_s: edge.within_s,
        unresolved: edge.rise_s.is_none(),
    })
}

/// Between the last quiet reading and the first that is not, or the other way round: the change lies after the end of the one window
/// and before that of the other.
fn end_of_quiet(
    inverse: &Inverse<'_>,
    (at_s, reach_s): (f64, f64),
    (level_w, tolerance_w): (f64, f64),
    enters: bool,
) -> Option<Begin> {
    let found = &inverse.found;
    let window_s = found.window_s.unwrap_or(0.0);
    let near = |t: &f64| (*t - at_s).abs() <= reach_s;
    let first = found.time_s.iter().position(near)?;
    let last = found.time_s.iter().rposition(near)?;
    let quiet = |k: usize| (found.power_w[k] - level_w).abs() <= tolerance_w;
    // Entering: quiet up to k - 1. Leaving: quiet from k on.
    let k = if enters {
        (first + 1..=last).find(|k| quiet(k - 1) && !quiet(*k))?
    } else {
        (first + 1..=last)
            .rev()
            .find(|k| !quiet(k - 1) && quiet(*k))?
    };
    let (a, b) = (found.time_s[k - 1], found.time_s[k]);
    let (earliest, latest) = if enters {
        // After the end of the quiet window, before the end of the other.
        (a + 0.5 * window_s, b + 0.5 * window_s)
    } else {
        (a - 0.5 * window_s, b - 0.5 * window_s)
    };
    Some(Begin {
        time_s: f64::midpoint(earliest, latest),
        within_s: 0.5 * (latest - earliest),
        unresolved: true,
    })
}

/// The step of one GPU that parts two phases.
fn pick(
    edges: &[Edge],
    (before, after): (&Phase, &Phase),
    (at_s, reach_s): (f64, f64),
) -> Option<Edge> {
    let delta = after.level_w - before.level_w;
    let least_w = least_step_w(before, after);
    let still = |p: &Phase| p.cycle.is_none();
    let near = |e: &&Edge| {
        let step = e.to_w - e.from_w;
        let wrong_way = still(before) && still(after) && step * delta < 0.0;
        (e.time_s - at_s).abs() <= reach_s && step.abs() >= least_w && !wrong_way
    };
    let off = |e: &Edge| {
        let from = if still(before) {
            (e.from_w - before.level_w).abs()
        } else {
            0.0
        };
        let to = if still(after) {
            (e.to_w - after.level_w).abs()
        } else {
            0.0
        };
        from + to + least_w * (e.time_s - at_s).abs() / reach_s
    };
    edges
        .iter()
        .filter(near)
        .min_by(|a, b| off(a).total_cmp(&off(b)))
        .copied()
}
