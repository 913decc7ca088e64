//! When the cohorts of the group engine change, told as shifts of sums.
//!
//! The group engine never asks a cohort what it does at every step. A cohort at rest says nothing; one that enters a phase or is
//! on its way says at each step by how much its part of the rack's sums shifts. All parts are rounded to a grid so coarse
//! that sums over a rack are exact: so the sums do not depend on the order of the shifts, nor on how time is cut into blocks.

use ballast_profile::PhaseKind;

use crate::bend::Bend;
use crate::rack::Common;
use crate::serving::Serving;
use crate::shaped::Shaped;
use crate::timeline::{Cursor, ProfileTable};

/// What a cohort adds to its job's sums in the rack.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Part {
    /// Mean power, W.
    pub(crate) mean_w: f64,
    /// Standard deviation in step with the shared factors, `Σ σ` over GPUs, W.
    pub(crate) spread_w: f64,
    /// Variance of the nodes' and GPUs' own terms, W².
    pub(crate) variance: f64,
    /// That variance times the phase's autoregressive coefficient, W².
    pub(crate) memory: f64,
}

impl Part {
    fn less(self, old: Self) -> Self {
        Self {
            mean_w: self.mean_w - old.mean_w,
            spread_w: self.spread_w - old.spread_w,
            variance: self.variance - old.variance,
            memory: self.memory - old.memory,
        }
    }
}

/// Rounds to a power of two small against the largest sum, and large enough that sums are exact.
#[derive(Debug, Clone, Copy)]
struct Quantum(f64);

impl Quantum {
    /// For sums up to `most`: the quantum is 2⁻⁴⁹ of it or less.
    fn new(most: f64) -> Self {
        /// 1.5 · 2⁵²: what is added to it loses its fraction.
        const ROUNDS_TO_ONE: f64 = 6_755_399_441_055_744.0;
        if most <= 0.0 {
            return Self(0.0);
        }
        let (_, exponent) = libm::frexp(most);
        Self(libm::ldexp(ROUNDS_TO_ONE, exponent - 50))
    }

    fn round(self, x: f64) -> f64 {
        (x + self.0) - self.0
    }
}

/// The grids of a rack's sums.
#[derive(Debug, Clone)]
pub(crate) struct Grid {
    mean: Quantum,
    square: Quantum,
    spread: Quantum,
    variance: Quantum,
    bend: Quantum,
}

impl Grid {
    /// For racks of `nodes` nodes with `per_node` GPUs each, which may be held at up to `floor_w` by their power smoothing.
    pub(crate) fn new(table: &ProfileTable, nodes: f64, per_node: f64, floor_w: f64) -> Self {
        let most =
            |f: fn(&crate::timeline::PhaseLevel) -> f64| table.levels().map(f).fold(0.0, f64::max);
        let (power_w, sigma_w) = (most(|l| l.power_w).max(floor_w), most(|l| l.sigma_w));
        let (gpus, node_w) = (nodes * per_node, per_node * power_w);
        Self {
            mean: Quantum::new(gpus * power_w),
            square: Quantum::new(nodes * node_w * node_w),
            spread: Quantum::new(gpus * sigma_w),
            // At most: all GPUs of a node in step.
            variance: Quantum::new(gpus * per_node * sigma_w * sigma_w),
            // A limit that bends is at most a few σ away.
            bend: Quantum::new(8.0 * gpus * sigma_w),
        }
    }

    pub(crate) fn part(&self, mean_w: f64, spread_w: f64, variance: f64, a: f64) -> Part {
        Part {
            mean_w: self.mean.round(mean_w),
            spread_w: self.spread.round(spread_w),
            variance: self.variance.round(variance),
            memory: self.variance.round(variance * a),
        }
    }

    pub(crate) fn mean(&self, w: f64) -> f64 {
        self.mean.round(w)
    }

    pub(crate) fn bend(&self, w: f64) -> f64 {
        self.bend.round(w)
    }
}

/// A job's nodes in one rack that move together.
#[derive(Debug, Clone)]
pub(crate) struct Mover {
    pub(crate) layer: usize,
    pub(crate) gpus: u32,
    /// Variance of the nodes' and GPUs' own terms, for σ = 1.
    pub(crate) own: f64,
    pub(crate) cursor: Cursor,
    /// Present in a service: then its replicas give the mean power, and the cursor rests.
    pub(crate) serving: Option<Serving>,
    /// Present where its GPUs smooth their power, or their job does.
    pub(crate) shaped: Option<Box<Shaped>>,
    phase: PhaseKind,
    /// Step of the block from which it is in the phase.
    from: u32,
    now: Part,
    bend: Bend,
    /// Sample at which to look next.
    due: u64,
}

impl Mover {
    pub(crate) fn new(
        layer: usize,
        gpus: u32,
        own: f64,
        cursor: Cursor,
        serving: Option<Serving>,
        shaped: Option<Box<Shaped>>,
    ) -> Self {
        Self {
            layer,
            gpus,
            own,
            phase: cursor.phase(),
            cursor,
            serving,
            shaped,
            from: 0,
            now: Part::default(),
            bend: Bend::default(),
            due: 0,
        }
    }

    /// Takes in what happened up to step `k` of the block.
    fn look(
        &mut self,
        k: usize,
        steps: usize,
        common: &Common<'_>,
        table: &ProfileTable,
        grid: &Grid,
    ) -> (Part, Bend, PhaseKind) {
        let sample = common.first_sample + k as u64;
        let (point, phase) = if let Some(serving) = &self.serving {
            self.due = sample + 1;
            serving.at(k, common, steps, table)
        } else {
            let t_s = sample as f64 * common.dt_s;
            // A change that falls on a sample but for rounding counts at that sample.
            self.cursor.advance(t_s + 1e-6 * common.dt_s, table);
            self.due = self.cursor.due(sample, t_s, common.dt_s);
            (self.cursor.at(t_s), self.cursor.phase())
        };
        let (gpus, a) = (f64::from(self.gpus), table.level(phase).a);
        if let Some(shaped) = &mut self.shaped {
            let moves = (point, phase);
            let many = (gpus, self.own);
            let (part, bend, due) = shaped.at(sample, common.dt_s, moves, many, a, grid);
            self.due = self.due.min(due);
            return (part, bend, phase);
        }
        let variance = self.own * point.sigma_w * point.sigma_w;
        let part = grid.part(gpus * point.mean_w, gpus * point.sigma_w, variance, a);
        (part, Bend::default(), phase)
    }
}

/// Nodes of one rack that change together, or one node that several jobs share.
#[derive(Debug, Clone)]
pub(crate) struct Follower {
    pub(crate) lane: usize,
    pub(crate) movers: Vec<Mover>,
    /// Sum over nodes of the square of the node's share of the GPUs.
    pub(crate) square_weight: f64,
    square: f64,
}

impl Follower {
    pub(crate) fn new(lane: usize, movers: Vec<Mover>, square_weight: f64) -> Self {
        Self {
            lane,
            movers,
            square_weight,
            square: 0.0,
        }
    }

    /// Tells every shift of the block.
    pub(crate) fn follow(
        &mut self,
        common: &Common<'_>,
        table: &ProfileTable,
        grid: &Grid,
        steps: usize,
        shifts: &mut Shifts,
    ) {
        let first = common.first_sample;
        let end = first + steps as u64;
        for mover in &mut self.movers {
            mover.from = 0;
        }
        loop {
            let due = self.movers.iter().map(|m| m.due).min().unwrap_or(u64::MAX);
            if due >= end {
                break;
            }
            let k = due.saturating_sub(first) as usize;
            for i in 0..self.movers.len() {
                let mover = &mut self.movers[i];
                if mover.due > due {
                    continue;
                }
                let (part, bend, phase) = mover.look(k, steps, common, table, grid);
                if phase != mover.phase {
                    shifts.span(self.lane, mover, k);
                    (mover.phase, mover.from) = (phase, k as u32);
                }
                if part == mover.now && bend == mover.bend {
                    continue;
                }
                let (layer, by) = (mover.layer, part.less(mover.now));
                let bend_by = bend.less(mover.bend);
                (mover.now, mover.bend) = (part, bend);
                let means = self.movers.iter().map(|m| m.now.mean_w + m.bend.mean_w);
                let mean_w: f64 = means.sum();
                let square = grid.square.round(self.square_weight * mean_w * mean_w);
                shifts.push(k, self.lane, layer, by, square - self.square);
                shifts.bend(bend_by);
                self.square = square;
            }
        }
        for mover in &self.movers {
            shifts.span(self.lane, mover, steps);
        }
    }
}

/// A shift of a rack's sums.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shift {
    next: u32,
    pub(crate) lane: u16,
    pub(crate) layer: u16,
    pub(crate) by: Part,
    /// Of the sum over nodes of the square of their mean power, W².
    pub(crate) square: f64,
}

/// A stretch that some GPUs of a job spend in one phase, in steps of the block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) lane: usize,
    pub(crate) layer: usize,
    pub(crate) phase: PhaseKind,
    pub(crate) gpus: u32,
    pub(crate) from: usize,
    pub(crate) to: usize,
}

/// All shifts and spans of a tile over a block.
#[derive(Debug, Default)]
pub(crate) struct Shifts {
    all: Vec<Shift>,
    /// By step: the latest shift told of it.
    head: Vec<u32>,
    /// Steps with a shift, one bit each.
    steps: Vec<u64>,
    pub(crate) spans: Vec<Span>,
    /// What limits add, shift by shift; empty in a tile without power smoothing.
    bends: Vec<Bend>,
    bent: bool,
}

/// End of a list of shifts.
const NONE: u32 = u32::MAX;

impl Shifts {
    /// For a block of so many steps; `bent`: of a tile with power smoothing.
    pub(crate) fn clear(&mut self, steps: usize, bent: bool) {
        self.all.clear();
        self.bends.clear();
        self.bent = bent;
        self.spans.clear();
        self.head.clear();
        self.head.resize(steps, NONE);
        self.steps.clear();
        self.steps.resize(steps / 64 + 1, 0);
    }

    fn push(&mut self, k: usize, lane: usize, layer: usize, by: Part, square: f64) {
        let shift = Shift {
            next: self.head[k],
            lane: lane as u16,
            layer: layer as u16,
            by,
            square,
        };
        self.head[k] = self.all.len() as u32;
        self.steps[k / 64] |= 1 << (k % 64);
        self.all.push(shift);
    }

    /// What limits add at the shift told last.
    fn bend(&mut self, by: Bend) {
        if self.bent {
            self.bends.push(by);
        }
    }

    /// Shifts at step `k` with what limits add.
    pub(crate) fn bends_at(&self, k: usize) -> impl Iterator<Item = (&Shift, &Bend)> {
        let mut next = self.head[k];
        std::iter::from_fn(move || {
            let at = next as usize;
            let found = (self.all.get(at)?, self.bends.get(at)?);
            next = found.0.next;
            Some(found)
        })
    }

    fn span(&mut self, lane: usize, mover: &Mover, to: usize) {
        let span = Span {
            lane,
            layer: mover.layer,
            phase: mover.phase,
            gpus: mover.gpus,
            from: mover.from as usize,
            to,
        };
        if span.to > span.from {
            self.spans.push(span);
        }
    }

    /// Shifts at step `k`, in no order that means anything.
    pub(crate) fn at(&self, k: usize) -> impl Iterator<Item = &Shift> {
        let mut next = self.head[k];
        std::iter::from_fn(move || {
            let shift = self.all.get(next as usize)?;
            next = shift.next;
            Some(shift)
        })
    }

    /// First step with a shift from `k` on, at most `end`.
    pub(crate) fn next(&self, k: usize, end: usize) -> usize {
        let mut word = k / 64;
        let mut bits = self
            .steps
            .get(word)
            .map_or(0, |w| w >> (k % 64) << (k % 64));
        while bits == 0 {
            word += 1;
            if word * 64 >= end {
                return end;
            }
            bits = self.steps[word];
        }
        end.min(word * 64 + bits.trailing_zeros() as usize)
    }
}
