//! Pieces joined to what is one phase: neighbours alike, levels in turn, the way from one level to the next; and periods as short as the sensor's own.

use crate::phases::Piece;
use crate::regimes::same_regime;
use crate::segment_beat::beat;
use crate::segment_group::{Beside, piece};
use crate::segment_signal::{Signal, quantile};
use crate::{GpuRecording, Reading};

/// Fewest samples of a stretch that a period about as short as the sensor's is looked for in, and most such stretches.
const LEAST_BEAT_SAMPLES: usize = 40;
const MOST_BEATS: usize = 3;
/// Periods up to which a stretch beside a cycle may show none of its own: a period takes three, and its ends are cut.
const UNSEEN_PERIODS: f64 = 3.5;

/// Joins neighbours that are one phase: cycles of one period, levels that noise explains, cut-off cycles.
pub(crate) fn join(
    mut pieces: Vec<Piece>,
    mean: &Signal,
    beside: &Beside,
    near: &[f64],
) -> Vec<Piece> {
    loop {
        let mut joined = false;
        let mut at = 0;
        while at + 1 < pieces.len() {
            let (a, b) = (&pieces[at], &pieces[at + 1]);
            if same(a, b, mean) {
                let whole = piece(mean, beside, a.from, b.to, near);
                pieces[at] = whole;
                pieces.remove(at + 1);
                joined = true;
            } else {
                at += 1;
            }
        }
        if !joined {
            return pieces;
        }
    }
}

/// Looks for a period about as short as the sensor's own in the longest stretches that swing.
pub(crate) fn with_beats(
    mut pieces: Vec<Piece>,
    mean: &Signal,
    gpu: Option<&GpuRecording>,
    reading: &str,
) -> Vec<Piece> {
    let kind = match reading {
        "instantaneous power" => Reading::Instant,
        "averaged power" => Reading::Average,
        _ => return pieces,
    };
    let Some(gpu) = gpu else { return pieces };
    let mut swinging: Vec<usize> = (0..pieces.len())
        .filter(|i| {
            let p = &pieces[*i];
            p.spread_w > (0.05 * p.level_w).max(5.0) && p.to - p.from >= LEAST_BEAT_SAMPLES
        })
        .collect();
    swinging.sort_by_key(|i| std::cmp::Reverse(pieces[*i].to - pieces[*i].from));
    for i in swinging.into_iter().take(MOST_BEATS) {
        let p = &mut pieces[i];
        let stretch_s = (mean.time_s(p.from), mean.time_s(p.to));
        p.beat = beat(gpu, kind, stretch_s, mean.dt_s, p.spread_w);
    }
    pieces
}

/// Fewest repetitions of two levels in turn that are one cycle, and how far single durations may be from their median.
const LEAST_TURNS: usize = 3;
const REGULAR: f64 = 0.15;

/// Joins levels that follow each other in turn, each time for about as long, to one cycle: a list of dozens says less.
pub(crate) fn alternating(mut pieces: Vec<Piece>, mean: &Signal, beside: &Beside) -> Vec<Piece> {
    let mut at = 0;
    while at < pieces.len() {
        let end = turns(&pieces, at);
        // Two pieces are a turn, and the first and the last may be cut off.
        if end - at < 2 * LEAST_TURNS {
            at += 1;
            continue;
        }
        let inner = &pieces[at..end];
        let length = |first: usize| {
            let lengths = inner
                .iter()
                .skip(first)
                .step_by(2)
                .map(|p| (p.to - p.from) as f64);
            quantile(lengths, 0.5)
        };
        let period = length(0) + length(1);
        let begin = at - usize::from(at > 0 && cut_off(&pieces[at - 1], &pieces[at + 1]));
        let beyond = pieces.get(end);
        let end = end + usize::from(beyond.is_some_and(|p| cut_off(p, &pieces[end - 2])));
        let (from, to) = (pieces[begin].from, pieces[end - 1].to);
        let mut whole = piece(mean, beside, from, to, &[period]);
        whole.period = Some(period);
        pieces.splice(begin..end, [whole]);
        at = begin;
        at += 1;
    }
    pieces
}

/// Whether a piece is the first part, or the last, of one like another.
fn cut_off(part: &Piece, whole: &Piece) -> bool {
    let near = (part.level_w - whole.level_w).abs() < (0.05 * whole.level_w).max(5.0);
    part.period.is_none() && near && part.to - part.from < whole.to - whole.from
}

/// End of the pieces from `at` on that are two flat levels in turn with regular durations.
fn turns(pieces: &[Piece], at: usize) -> usize {
    let length = |p: &Piece| (p.to - p.from) as f64;
    let flat = |p: &Piece| p.period.is_none() && p.level_w.is_finite();
    let two = pieces[at..].iter().take(2).map(|p| p.level_w);
    let top = two.fold(0.0, f64::max);
    let alike = |p: &Piece, q: &Piece| {
        // The samples on the edges are still in these means, so that they count by how high the edges are.
        (p.level_w - q.level_w).abs() < (0.05 * top).max(5.0)
            && (length(p) / length(q) - 1.0).abs() < REGULAR
    };
    let mut end = at;
    while end < pieces.len()
        && flat(&pieces[end])
        && (end < at + 2 || alike(&pieces[end], &pieces[end - 2]))
    {
        end += 1;
    }
    end
}

/// Bounds of the pieces without those that are only the way from one level to the next: each of them is cut where it passes the middle.
pub(crate) fn without_passages(
    pieces: &[Piece],
    mean: &Signal,
    window_s: Option<f64>,
) -> Vec<usize> {
    let longest = 3 + (window_s.unwrap_or(0.0) / mean.dt_s).ceil() as usize;
    let mut bounds: Vec<usize> = pieces.first().map(|p| p.from).into_iter().collect();
    for (k, p) in pieces.iter().enumerate() {
        let between = k
            .checked_sub(1)
            .and_then(|b| pieces.get(b))
            .zip(pieces.get(k + 1));
        let passing = between.filter(|(a, b)| {
            let (low, high) = (a.level_w.min(b.level_w), a.level_w.max(b.level_w));
            p.period.is_none() && p.to - p.from <= longest && p.level_w > low && p.level_w < high
        });
        if let Some((a, b)) = passing {
            let middle = f64::midpoint(a.level_w, b.level_w);
            let crossing = (p.from..p.to)
                .find(|i| (mean.value[*i] > middle) == (b.level_w > middle))
                .unwrap_or(p.to);
            // The cut before it moves to the crossing; the one after it goes.
            bounds.pop();
            bounds.push(crossing);
        } else {
            bounds.push(p.to);
        }
    }
    bounds.dedup();
    bounds
}

fn same(a: &Piece, b: &Piece, mean: &Signal) -> bool {
    match (a.period, b.period) {
        (Some(p), Some(q)) => (p / q - 1.0).abs() < 0.1 && same_regime(a.level_w, b.level_w),
        // A cycle that was cut off at an edge.
        (Some(p), None) => part_of_cycle(a, b, p, mean),
        (None, Some(p)) => part_of_cycle(b, a, p, mean),
        (None, None) => {
            let apart = (a.level_w - b.level_w).abs();
            let top = a.level_w.max(b.level_w);
            let wide = a.spread_w.max(b.spread_w);
            let narrow = a.spread_w.min(b.spread_w).max(0.01 * top);
            apart < (0.03 * top).max(3.0) && wide < 4.0 * narrow
                || apart < 0.8 * narrow && wide < 2.5 * narrow
        }
    }
}

fn part_of_cycle(cycle: &Piece, rest: &Piece, period: f64, mean: &Signal) -> bool {
    let length = (rest.to - rest.from) as f64;
    if length > 1.2 * period {
        // Up to three periods show none of their own.
        return length <= UNSEEN_PERIODS * period && follows(cycle, rest, period, mean);
    }
    let of = |p: &Piece| mean.value[p.from..p.to].iter().copied();
    let (low, high) = (quantile(of(cycle), 0.02), quantile(of(cycle), 0.98));
    let margin = 0.05 * (high - low);
    let (lowest, highest) = (quantile(of(rest), 0.1), quantile(of(rest), 0.9));
    lowest >= low - margin && highest <= high + margin
}

/// Whether the samples of a stretch beside a cycle are those of the cycle some periods on, but for one in ten.
fn follows(cycle: &Piece, rest: &Piece, period: f64, mean: &Signal) -> bool {
    let x = &mean.value;
    let of = || x[cycle.from..cycle.to].iter().copied();
    let close = 0.15 * (quantile(of(), 0.95) - quantile(of(), 0.05));
    let (mut seen, mut alike) = (0, 0);
    for i in (rest.from..rest.to).filter(|i| x[*i].is_finite()) {
        let away = if i < cycle.from {
            cycle.from - i
        } else {
            i + 1 - cycle.to
        };
        let turns = (away as f64 / period).ceil();
        let slack = (0.07 * period * turns.sqrt()).max(1.0);
        let range = |shift: f64| {
            if i < cycle.from {
                i as f64 + shift
            } else {
                i as f64 - shift
            }
        };
        let (a, b) = (range(turns * period - slack), range(turns * period + slack));
        let (from, to) = (a.min(b).round() as usize, a.max(b).round() as usize);
        let off = (from.max(cycle.from)..=to.min(cycle.to - 1))
            .map(|k| (x[k] - x[i]).abs())
            .fold(f64::INFINITY, f64::min);
        seen += 1;
        alike += usize::from(off <= close);
    }
    seen > 0 && alike * 10 >= seen * 9
}
