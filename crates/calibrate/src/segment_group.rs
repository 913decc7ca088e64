//! GPUs that move together: their mean cut into pieces, pieces joined to what is one phase.

use crate::phases::{Piece, classify};
use crate::segment::Group;
use crate::segment_join::{alternating, join, with_beats, without_passages};
use crate::segment_partition::changes;
use crate::segment_period::{period_of, periods};
use crate::segment_signal::{SegmentError, Signal, moments, on_grid, quantile};
use crate::{GpuRecording, Recording};

pub(crate) fn group(
    recording: &Recording,
    gpus: Vec<usize>,
    each: Vec<Signal>,
    (reading, window_s): (&'static str, Option<f64>),
) -> Result<Group, SegmentError> {
    let shape = &each[0];
    let n = shape.value.len();
    let mean: Vec<f64> = (0..n)
        .map(|i| moments(each.iter().map(|s| s.value[i])).0)
        .collect();
    let mean = Signal {
        value: mean,
        ..shape.clone()
    };
    let found = periods(&mean.value);
    let mut edges = vec![0];
    edges.extend(changes(&mean.value, mean.dt_s, &found));
    edges.push(n);
    let beside = Beside::of(recording, &gpus, &mean);
    let pieces: Vec<Piece> = edges
        .windows(2)
        .map(|w| piece(&mean, &beside, w[0], w[1], &found))
        .collect();
    let pieces = join(pieces, &mean, &beside, &found);
    let pieces = without_passages(&pieces, &mean, window_s);
    let pieces = join(
        pieces
            .windows(2)
            .map(|w| piece(&mean, &beside, w[0], w[1], &found))
            .collect(),
        &mean,
        &beside,
        &found,
    );
    let pieces = without_chance(alternating(pieces.clone(), &mean, &beside), &pieces);
    let pieces = with_beats(pieces, &mean, recording.gpus.get(gpus[0]), reading);
    let mut phases = classify(&pieces, (&mean, window_s), &each, &beside, recording)?;
    for change in phases.iter_mut().filter_map(|p| p.entered.as_mut()) {
        let window_s = window_s.unwrap_or(0.0);
        change.window_s = change.window_s.max(window_s);
        change.unresolved |= change.time_s <= 1.25 * window_s;
    }
    let gaps = gaps(&mean);
    Ok(Group {
        gpus,
        mean,
        each,
        phases,
        gaps,
        reading,
        window_s,
    })
}

/// What stands beside the power, on its grid, as a mean over the GPUs.
pub(crate) struct Beside {
    pub(crate) utilisation: Option<Vec<f64>>,
    pub(crate) memory: Option<Vec<f64>>,
}

impl Beside {
    pub(crate) fn of(recording: &Recording, gpus: &[usize], shape: &Signal) -> Self {
        let mean = |column: fn(&GpuRecording) -> Option<&Vec<f64>>| {
            let all: Vec<Signal> = gpus
                .iter()
                .filter_map(|g| {
                    let gpu = recording.gpus.get(*g)?;
                    let at = (shape.start_s, shape.dt_s, shape.value.len());
                    column(gpu).map(|c| on_grid(&gpu.time_s, c, at))
                })
                .collect();
            (!all.is_empty()).then(|| {
                (0..shape.value.len())
                    .map(|i| moments(all.iter().map(|s| s.value[i])).0)
                    .collect()
            })
        };
        Self {
            utilisation: mean(|g| g.utilisation.as_ref()),
            memory: mean(|g| g.memory_used_bytes.as_ref()),
        }
    }

    /// Memory in use over bins `from..to`, bytes: the median, since one sample from beyond an edge, of a full memory, would fill an empty one.
    pub(crate) fn memory(&self, from: usize, to: usize) -> Option<f64> {
        let used = quantile(self.memory.as_ref()?.get(from..to)?.iter().copied(), 0.5);
        used.is_finite().then_some(used)
    }

    pub(crate) fn mean(column: Option<&Vec<f64>>, from: usize, to: usize) -> Option<f64> {
        let (mean, _) = moments(column?.get(from..to)?.iter().copied());
        mean.is_finite().then_some(mean)
    }
}

pub(crate) fn piece(mean: &Signal, beside: &Beside, from: usize, to: usize, near: &[f64]) -> Piece {
    let x = &mean.value[from..to];
    let (level_w, spread_w) = moments(x.iter().copied());
    // What lies on the edges is the way to the next level, not a swing.
    let inside = if x.len() > 16 {
        2..x.len() - 2
    } else {
        0..x.len()
    };
    let (_, swing_w) = moments(x[inside].iter().copied());
    let swings = swing_w > 0.02 * level_w && swing_w > 2.0;
    Piece {
        from,
        to,
        level_w,
        spread_w,
        period: period_of(x, near).filter(|p| swings && rises_once(x, *p)),
        beat: None,
        utilisation: Beside::mean(beside.utilisation.as_ref(), from, to),
        memory: beside.memory(from, to),
    }
}

/// Samples per period below which a cycle is looked at closely, and rises per period that one may have then.
const CLOSE: f64 = 16.0;
const MOST_RISES: f64 = 1.4;

/// Whether a short cycle rises once a period: a load faster than the samples rises at every other of them, and its "periods" are chance.
fn rises_once(x: &[f64], period: f64) -> bool {
    if period >= CLOSE {
        return true;
    }
    let (low, high) = (
        quantile(x.iter().copied(), 0.1),
        quantile(x.iter().copied(), 0.9),
    );
    let (down, up) = (low + 0.4 * (high - low), low + 0.6 * (high - low));
    let (mut rises, mut below) = (0.0, false);
    for v in x {
        if *v < down {
            below = true;
        } else if *v > up && below {
            below = false;
            rises += 1.0;
        }
    }
    rises <= MOST_RISES * x.len() as f64 / period
}

/// Spread of a period, over its mean, from which a cycle of levels in turn is in doubt; and from which it is none.
const JITTER: f64 = 0.05;
const NO_PERIOD: f64 = 0.12;
/// Periods from which a cycle is hardly chance.
const SURE: usize = 6;
/// How near levels are that come back, as a share.
const LEVEL: f64 = 0.15;

/// Takes cycles of levels in turn apart again where their repeating is chance: prompts come when they come, and some in a row about evenly.
fn without_chance(joined: Vec<Piece>, parts: &[Piece]) -> Vec<Piece> {
    let mut kept = Vec::new();
    for whole in joined {
        let first = parts.partition_point(|p| p.from < whole.from);
        let end = parts.partition_point(|p| p.to <= whole.to);
        if end > first + 1 && by_chance(parts, first, end) {
            kept.extend_from_slice(&parts[first..end]);
        } else {
            kept.push(whole);
        }
    }
    kept
}

/// Whether the levels in turn of parts `first..end` have no period.
fn by_chance(parts: &[Piece], first: usize, end: usize) -> bool {
    let inner = &parts[first..end];
    let begins = |odd: usize| inner.iter().skip(odd).step_by(2).map(|p| p.from as f64);
    // Begins of the higher of the two levels; the first part may be cut off.
    let high = usize::from(inner[1].level_w > inner[0].level_w);
    let at: Vec<f64> = begins(high).skip(usize::from(high == 0)).collect();
    let (period, sd) = moments(at.windows(2).map(|w| w[1] - w[0]));
    // Each begin is placed within a sample.
    let jitter = (sd * sd - 1.0 / 6.0).max(0.0).sqrt() / period;
    // What goes on beside it at the same levels at other times is more of the same.
    let like = |k: usize, other: usize| {
        parts
            .get(k)
            .zip(parts.get(other))
            .is_some_and(|(p, q)| p.period.is_none() && (p.level_w / q.level_w - 1.0).abs() < LEVEL)
    };
    let goes_on = like(end, end - 2) && like(end + 1, end - 1)
        || first >= 2 && like(first - 1, first + 1) && like(first - 2, first);
    // Of the three signs two are enough: it jitters, there is little of it, it goes on without its period.
    let signs = [jitter > JITTER, at.len() <= SURE, goes_on];
    jitter > NO_PERIOD || signs.iter().filter(|s| **s).count() >= 2
}

fn gaps(mean: &Signal) -> Vec<(f64, f64)> {
    let mut found = Vec::new();
    let mut begin = None;
    for (i, v) in mean.value.iter().enumerate() {
        match (v.is_nan(), begin) {
            (true, None) => begin = Some(i),
            (false, Some(from)) => {
                found.push((mean.time_s(from), mean.time_s(i)));
                begin = None;
            }
            _ => {}
        }
    }
    if let Some(from) = begin {
        found.push((mean.time_s(from), mean.time_s(mean.value.len())));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two levels in turn, the higher for 20 samples, the lower for as long as stated.
    fn turns(low: &[usize]) -> Vec<Piece> {
        let mut at = 0;
        let part = |(from, to): (usize, usize), level_w| Piece {
            from,
            to,
            level_w,
            spread_w: 3.0,
            period: None,
            beat: None,
            utilisation: None,
            memory: None,
        };
        let mut parts = Vec::new();
        for n in low {
            parts.push(part((at, at + 20), 550.0));
            parts.push(part((at + 20, at + 20 + n), 300.0));
            at += 20 + n;
        }
        parts
    }

    #[test]
    fn prompts_that_come_about_evenly_are_no_cycle() {
        let chance = |low: &[usize]| {
            let parts = turns(low);
            by_chance(&parts, 0, parts.len())
        };
        assert!(!chance(&[100; 4]));
        assert!(!chance(&[100, 101, 100, 99, 101]));
        assert!(chance(&[110, 122, 104, 100, 92]));
        // Iterations that jitter are told by how many there are.
        assert!(!chance(&[100, 112, 94, 108, 92, 104, 111, 95, 103]));
        assert!(chance(&[100, 160, 80, 130, 60, 150, 70, 110, 90]));
        let even = turns(&[100, 100, 101, 100, 100, 60, 140, 80]);
        assert!(by_chance(&even, 0, 10));
        assert!(!by_chance(&even[..10], 0, 10));
        // A part of the same that goes on unevenly.
        let parts = turns(&[100, 112, 94, 108, 92, 104, 111, 95, 103, 40, 170]);
        assert!(by_chance(&parts, 0, 18));
    }

    #[test]
    fn a_sample_from_beyond_an_edge_fills_no_memory() {
        let mut used = vec![4.2e6; 15];
        used[0] = 71e9;
        let beside = Beside {
            utilisation: None,
            memory: Some(used),
        };
        assert_eq!(beside.memory(0, 15), Some(4.2e6));
        assert_eq!(beside.memory(0, 1), Some(71e9));
        assert_eq!(beside.memory(3, 3), None);
    }
}
