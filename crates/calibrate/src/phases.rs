//! What the stretches between changes are, and the figures of each.

use crate::Recording;
use crate::phases_activity::{Activity, Scale};
use crate::phases_figures::{phase, spreads, transitions};
use crate::phases_finish::{checkpoints, sharpen, unseen};
use crate::phases_serving::prompts;
use crate::regimes::same_regime;
use crate::segment::{Label, Phase};
use crate::segment_beat::Beat;
use crate::segment_group::Beside;
use crate::segment_signal::{SegmentError, Signal};

/// A stretch between two changes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Piece {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) level_w: f64,
    pub(crate) spread_w: f64,
    /// Period, samples.
    pub(crate) period: Option<f64>,
    /// A period about as short as the sensor's own.
    pub(crate) beat: Option<Beat>,
    pub(crate) utilisation: Option<f64>,
    pub(crate) memory: Option<f64>,
}

/// Longest pause of training that is taken for a checkpoint, longest warmup, seconds.
const LONGEST_CHECKPOINT_S: f64 = 300.0;
const LONGEST_WARMUP_S: f64 = 90.0;
/// How far the level of a warmup is from the main one, and how near to it no later work comes, as shares; share of the work at the main level.
const WARMUP_APART: f64 = 0.1;
const COMES_BACK: f64 = 0.05;
const MAIN_SHARE: f64 = 0.6;
/// How long a stretch lasts whose mean is a level, not its edges, seconds.
const OWN_LEVEL_S: f64 = 5.0;

/// Gives every piece its label and its figures.
pub(crate) fn classify(
    pieces: &[Piece],
    (mean, window_s): (&Signal, Option<f64>),
    each: &[Signal],
    beside: &Beside,
    recording: &Recording,
) -> Result<Vec<Phase>, SegmentError> {
    let known: Vec<&Piece> = pieces.iter().filter(|p| p.level_w.is_finite()).collect();
    let floor = known
        .iter()
        .map(|p| p.level_w)
        .fold(f64::INFINITY, f64::min);
    let top = known
        .iter()
        .map(|p| p.level_w)
        .fold(f64::NEG_INFINITY, f64::max);
    if !(floor.is_finite() && top.is_finite()) {
        return Err(SegmentError::NoGpu);
    }
    let limit_w = (recording.gpus.iter())
        .filter_map(|g| g.limit_w)
        .reduce(f64::min);
    let scale = Scale::of(&known, (floor, top), limit_w);
    let states: Vec<Option<Activity>> = pieces.iter().map(|p| scale.activity(p)).collect();
    if states.iter().all(Option::is_none) {
        return Err(SegmentError::Constant { level_w: floor });
    }
    let working: Vec<usize> = (0..pieces.len())
        .filter(|i| states[*i] == Some(Activity::Working))
        .collect();
    let most_memory = known.iter().filter_map(|p| p.memory).fold(0.0, f64::max);
    let context = Context {
        pieces,
        states: &states,
        working: &working,
        floor,
        most_memory,
        dt_s: mean.dt_s,
        starts: recording
            .marks
            .iter()
            .filter(|m| m.label == "start")
            .map(|m| m.time_s)
            .collect(),
        prompts: prompts(pieces, &working, mean.dt_s),
    };
    let labels: Vec<(Label, String)> = (0..pieces.len())
        .map(|i| context.label(i, mean.time_s(pieces[i].from)))
        .collect();
    let mut phases = phases_of(pieces, labels, (mean, window_s), beside);
    checkpoints(&mut phases);
    unseen((mean, window_s), &mut phases);
    spreads((mean, window_s), each, &mut phases);
    transitions(mean, &mut phases);
    sharpen((mean, window_s), &mut phases);
    Ok(phases)
}

/// Joins neighbours of one kind and gives each phase its figures.
fn phases_of(
    pieces: &[Piece],
    labels: Vec<(Label, String)>,
    (mean, window_s): (&Signal, Option<f64>),
    beside: &Beside,
) -> Vec<Phase> {
    let mut phases: Vec<Phase> = Vec::new();
    let mut bounds: Vec<(usize, usize, Label, String)> = Vec::new();
    for (piece, (label, why)) in pieces.iter().zip(labels) {
        match bounds.last_mut() {
            // A level that wanders within one kind of work is one phase; cycles of two periods and levels of two regimes are not.
            Some(last)
                if last.2 == label
                    && label != Label::Training
                    && same_regime(mean.moments(last.0, last.1).0, piece.level_w) =>
            {
                last.1 = piece.to;
            }
            _ => bounds.push((piece.from, piece.to, label, why)),
        }
    }
    for (from, to, label, why) in bounds {
        let period = pieces
            .iter()
            .find(|p| p.from == from)
            .and_then(|p| p.period)
            .filter(|_| label == Label::Training);
        let beat = pieces.iter().find(|p| p.from == from).and_then(|p| p.beat);
        let mut found = phase(
            (mean, window_s),
            beside,
            (from, to),
            label,
            why,
            period.filter(|_| beat.is_none()),
        );
        if let Some(beat) = beat {
            (found.level_w, found.spread_w) = (beat.mean_w, beat.left_w);
            found.cycle = Some(beat.cycle);
        }
        phases.push(found);
    }
    phases
}

struct Context<'a> {
    pieces: &'a [Piece],
    states: &'a [Option<Activity>],
    working: &'a [usize],
    floor: f64,
    most_memory: f64,
    dt_s: f64,
    starts: Vec<f64>,
    prompts: Option<Vec<bool>>,
}

impl Context<'_> {
    /// Where the run of a process that a piece belongs to begins: after the last stretch of nothing at all before it.
    fn epoch(&self, i: usize) -> usize {
        let empty = |k: &usize| {
            let p = &self.pieces[*k];
            let low = p.level_w <= self.floor + (0.15 * self.floor).max(5.0);
            let free = p.memory.is_none_or(|m| m < 0.05 * self.most_memory);
            self.states[*k] == Some(Activity::Resting) && low && free && self.duration_s(*k) >= 3.0
        };
        (0..i).rev().find(empty).map_or(0, |k| k + 1)
    }

    fn duration_s(&self, i: usize) -> f64 {
        (self.pieces[i].to - self.pieces[i].from) as f64 * self.dt_s
    }

    fn label(&self, i: usize, from_s: f64) -> (Label, String) {
        let piece = &self.pieces[i];
        let Some(state) = self.states[i].filter(|_| piece.level_w.is_finite()) else {
            return (
                Label::Unknown,
                "no samples, or nothing to tell it by".to_owned(),
            );
        };
        let epoch = self.epoch(i);
        let before = (self.working.iter().rev())
            .find(|w| **w < i && **w >= epoch)
            .copied();
        let after = self.working.iter().find(|w| **w > i).copied();
        match state {
            Activity::Working => self.work(i),
            _ if before.is_none() && after.is_some() => self.coming(i, state, from_s),
            _ => match (before, after) {
                (Some(b), Some(a)) if self.pauses(b, i, a) => (
                    Label::Checkpoint,
                    "a pause between stretches of one cycle".to_owned(),
                ),
                // What stays at nothing running is no passage.
                (Some(_), None)
                    if state == Activity::Between
                        && self.duration_s(i) < 30.0
                        && !(self.duration_s(i) >= 3.0
                            && piece.utilisation.is_some_and(|u| u < 0.02)) =>
                {
                    (Label::Stop, "from work towards idle".to_owned())
                }
                _ => self.rest(i),
            },
        }
    }

    /// Between two stretches of training with the memory kept.
    fn pauses(&self, b: usize, i: usize, a: usize) -> bool {
        let alike = match (self.pieces[b].period, self.pieces[a].period) {
            (Some(p), Some(q)) => (p / q - 1.0).abs() < 0.1,
            _ => false,
        };
        let length_s = (self.pieces[a].from - self.pieces[b].to) as f64 * self.dt_s;
        let kept = self.pieces[i]
            .memory
            .is_none_or(|m| m > 0.3 * self.most_memory);
        alike && length_s <= LONGEST_CHECKPOINT_S && kept
    }

    fn near(&self, a: usize, b: usize, share: f64) -> bool {
        (self.pieces[a].level_w / self.pieces[b].level_w - 1.0).abs() <= share
    }

    /// Whether later work is more of an earlier piece: at its level, where it lasts so long that it has one, or prompts about as long.
    fn comes_back(&self, later: usize, piece: usize) -> bool {
        let (long, own) = (self.duration_s(later), self.duration_s(piece));
        let prompt = |k: usize| self.prompts.as_ref().is_some_and(|p| p[k]);
        self.near(later, piece, COMES_BACK) && long >= OWN_LEVEL_S.min(0.5 * own)
            || prompt(later) && prompt(piece) && long >= 0.5 * own
    }

    /// Whether the piece is the first work, at a level that never comes back, straight before a load at one level that makes up most of the work,
    /// or before its first prompt.
    fn warms_up(&self, i: usize, first: usize) -> bool {
        let piece = &self.pieces[i];
        let known = piece.utilisation.is_some() || piece.memory.is_some();
        if i != first || !known || self.duration_s(i) > LONGEST_WARMUP_S {
            return false;
        }
        let later: Vec<usize> = self.working.iter().copied().filter(|w| *w > i).collect();
        let seconds = |of: &dyn Fn(usize) -> bool| -> f64 {
            let of = later.iter().filter(|w| of(**w));
            of.map(|w| self.duration_s(*w)).sum()
        };
        let at = |m: usize| seconds(&|w| self.near(w, m, WARMUP_APART));
        // The earliest piece of the level with the longest time.
        let main = (later.iter().map(|w| (at(*w), *w)))
            .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        let Some((main_s, main)) = main else {
            return false;
        };
        let flat = |k: usize| self.pieces[k].period.is_none() && self.pieces[k].beat.is_none();
        let goes_on = |k: usize| {
            self.states.get(k) == Some(&Some(Activity::Working)) && self.near(k, main, WARMUP_APART)
        };
        let prompt = self
            .prompts
            .as_ref()
            .is_some_and(|p| p.get(i + 1) == Some(&true));
        flat(i)
            && flat(main)
            && (goes_on(i + 1) || prompt && goes_on(i + 2))
            && !self.near(i, main, WARMUP_APART)
            && main_s >= MAIN_SHARE * seconds(&|_| true)
            && main_s >= self.duration_s(i)
            && !later.iter().any(|w| self.comes_back(*w, i))
    }

    /// Whether the piece is one of two levels in turn.
    fn in_turn(&self, i: usize) -> bool {
        let turn = |a: usize, b: usize, c: usize| {
            let work = |k: usize| self.states.get(k) == Some(&Some(Activity::Working));
            [a, b, c].into_iter().all(work)
                && self.near(a, c, COMES_BACK)
                && !self.near(a, b, WARMUP_APART)
        };
        turn(i, i + 1, i + 2) || i >= 2 && turn(i, i - 1, i - 2)
    }

    fn work(&self, i: usize) -> (Label, String) {
        let piece = &self.pieces[i];
        let longest = self.working.iter().max_by(|a, b| {
            self.duration_s(**a)
                .total_cmp(&self.duration_s(**b))
                .then(b.cmp(a))
        });
        let main = longest.map_or(piece, |l| &self.pieces[*l]);
        let epoch = self.epoch(i);
        let own = || self.working.iter().filter(|w| **w >= epoch);
        let first_long =
            own().find(|w| self.duration_s(**w) >= 0.2 * self.duration_s(*longest.unwrap_or(&i)));
        // Before iterations any other work is warmup, however long the stretches are that pauses leave of them.
        let cyclic = |k: usize| self.pieces[k].period.is_some() || self.pieces[k].beat.is_some();
        let before_cycles = main.period.is_some()
            && own().any(|w| *w > i && cyclic(*w))
            && own().take_while(|w| **w <= i).all(|w| !cyclic(*w));
        let first = own().next().copied().unwrap_or(i);
        let unbroken = (first..=i).all(|k| self.states[k] == Some(Activity::Working));
        let soon =
            (piece.to - self.pieces[first].from) as f64 * self.dt_s <= LONGEST_WARMUP_S && unbroken;
        let early = soon
            && !self.in_turn(i)
            && (before_cycles || first_long.is_some_and(|f| i < *f) && main.from > piece.from);
        let apart = (piece.level_w / main.level_w - 1.0).abs() > 0.03
            || piece.period.is_some() != main.period.is_some();
        if self.warms_up(i, first) {
            return (
                Label::Warmup,
                "first work, at a level that does not come back".to_owned(),
            );
        }
        if self.prompts.as_ref().is_some_and(|prompts| prompts[i]) {
            return (
                Label::SteadyPrefill,
                "short, above the longer stretches of work beside it: prompts".to_owned(),
            );
        }
        if early && apart && piece.period.is_none() && piece.beat.is_none() {
            return (
                Label::Warmup,
                "first work, at another level than what follows".to_owned(),
            );
        }
        if let Some(beat) = &piece.beat {
            return (
                Label::Training,
                format!(
                    "repeats every {:.2} ms, found behind the sensor's window; as it is read the log shows a beat of {:.2} s",
                    1e3 * beat.cycle.period_s,
                    beat.cycle.beat_s.unwrap_or(0.0)
                ),
            );
        }
        if let Some(period) = piece.period {
            return (
                Label::Training,
                format!("repeats every {:.3} s", period * self.dt_s),
            );
        }
        match &self.prompts {
            Some(_) => (
                Label::SteadyDecode,
                "the longer stretches between prompts".to_owned(),
            ),
            None => (Label::Steady, "work at one level".to_owned()),
        }
    }

    /// Before the first work.
    fn coming(&self, i: usize, state: Activity, from_s: f64) -> (Label, String) {
        let piece = &self.pieces[i];
        let started = self.starts.iter().any(|s| (from_s - s).abs() < 1.0);
        let memory = |k: usize| self.pieces.get(k).and_then(|p| p.memory);
        let rises = match (i.checked_sub(1).and_then(memory), memory(i), memory(i + 1)) {
            (Some(b), Some(m), _) if m > b + 0.1 * self.most_memory => true,
            (_, Some(m), Some(a)) => a > m + 0.1 * self.most_memory,
            _ => false,
        };
        if state == Activity::Between {
            let after_rest = i > 0 && self.states[i - 1] == Some(Activity::Resting);
            if started || self.duration_s(i) < 3.0 && after_rest && !rises {
                return (Label::Launch, "short, between idle and the load".to_owned());
            }
            let why = if rises {
                "the memory fills"
            } else {
                "before the first work, above idle"
            };
            return (Label::Load, why.to_owned());
        }
        let above = piece.level_w > self.floor + (0.15 * self.floor).max(5.0);
        if rises && self.duration_s(i) < 120.0 && above {
            return (Label::Load, "the memory fills".to_owned());
        }
        if started && self.duration_s(i) < 10.0 {
            return (Label::Launch, "begins with the command's start".to_owned());
        }
        self.rest(i)
    }

    fn rest(&self, i: usize) -> (Label, String) {
        let piece = &self.pieces[i];
        if let Some(memory) = piece.memory.filter(|_| self.most_memory > 2e9) {
            return if memory > 0.05 * self.most_memory {
                (
                    Label::IdleContext,
                    "nothing runs, memory is in use".to_owned(),
                )
            } else {
                (Label::Idle, "nothing runs, no memory is in use".to_owned())
            };
        }
        if piece.level_w <= self.floor + (0.15 * self.floor).max(5.0) {
            (
                Label::Idle,
                "lowest level; no memory column tells of a context".to_owned(),
            )
        } else {
            (
                Label::IdleContext,
                "rests above the lowest level".to_owned(),
            )
        }
    }
}
