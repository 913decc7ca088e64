//! The course of a cohort in synchronous training: iterations in lockstep, stragglers, checkpoints, interruptions and restarts.
//!
//! Every cohort runs the job's clock by itself: it draws the same numbers from copies of the job's streams and shifts
//! them by its own offset. So no cohort waits for another, and nothing has to be stored per iteration.
//!
//! An iteration is the parts of its stage (`iteration`). A straggler makes it longer just before the exchange of gradients: the late node
//! computes on, all others wait as if they communicated.
//!
//! Where the step is too long for the phases of an iteration, its mean level stands for it. Nothing is drawn for single iterations then.

use std::sync::Arc;

use ballast_profile::PhaseKind;
use ballast_series::rng::Stream;

use crate::interruption::Interruptions;
use crate::iteration::Part;
use crate::keys::entity;
use crate::racks::Streams;
use crate::timeline::{Change, Mix};
use crate::training_plan::TrainingPlan;

/// Shortest duration of an iteration, share of the nominal one, however the jitter falls.
pub(crate) const SHORTEST_ITERATION_SHARE: f64 = 0.1;

/// A training job whose iterations a step does not show in full.
#[derive(Debug, Clone, PartialEq)]
pub struct CoarseTraining {
    /// Job.
    pub job: String,
    /// Duration of its iteration, seconds.
    pub iteration_s: f64,
    /// Shortest stretch at one level of power within the iteration, seconds.
    pub shortest_s: f64,
    /// The mean stands for the whole iteration; if not, only for stretches too short for the step.
    pub whole: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    /// An iteration begins.
    Begin,
    /// A part of the iteration.
    Segment(usize),
    /// All wait for the straggler.
    Late,
    Checkpoint,
    /// Launch, load, restore or warmup after an interruption.
    Restart(usize),
    /// Ready again, waiting for the last node to be.
    Wait,
    /// Interrupted, without a restart to come before the next interruption.
    Down,
    Ended,
}

/// Which cohort it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seat {
    /// Shift against the job's clock.
    pub(crate) offset_s: f64,
    /// Key of its streams.
    pub(crate) key: u64,
    /// Mean number of its nodes among the job's, from 0 on.
    pub(crate) place: f64,
    /// Nodes of the cohort.
    pub(crate) nodes: f64,
    /// Stage of the pipeline; 0 without.
    pub(crate) stage: usize,
}

impl Seat {
    fn holds(&self, node: f64) -> bool {
        (node - self.place).abs() <= 0.5 * (self.nodes - 1.0) + 1e-6
    }
}

/// The changes of one cohort, made as they are asked for.
#[derive(Debug, Clone)]
pub(crate) struct TrainingCourse {
    plan: Arc<TrainingPlan>,
    streams: Streams,
    seat: Seat,
    part: Part,
    /// Level that stands for whole iterations, and whether checkpoints come between them.
    mean: Option<(Mix, bool)>,
    breaks: Interruptions,
    /// Restarts so far.
    restarts: u64,
    /// Whether the interruptions since the last restart have ended the processes; else they wait and go on.
    gone: bool,
    /// Iteration durations of the job since the last restart; a copy that gives every cohort the same numbers.
    jitter: Stream,
    /// Stragglers since the last restart, likewise.
    late: Stream,
    /// The cohort's own delays on restarts.
    launch: Stream,
    stage: Stage,
    /// Start of the stage on the job's clock.
    clock_s: f64,
    /// Start of the iteration, later by what a straggler took; on a restart, when all are ready.
    begun_s: f64,
    duration_s: f64,
    /// What the straggler of this iteration still takes, and its share of the cohort's nodes.
    late_s: f64,
    late_share: f64,
    since_checkpoint: u32,
    last_s: f64,
}

impl TrainingCourse {
    /// All but its seat the cohort has in common with the job's others. `step_s` is the step that will sample it.
    pub(crate) fn new(plan: Arc<TrainingPlan>, streams: Streams, seat: Seat, step_s: f64) -> Self {
        let (clock_s, since_checkpoint) = plan.lead_in(plan.start_s);
        // Those that are ready wait for the last; `Wait` takes the lead-in from when all are.
        let (clock_s, begun_s, stage) = if plan.stagger_s > 0.0 {
            let gaps = plan.nodes.saturating_sub(1).max(1) as f64;
            let ready_s = plan.start_s + plan.stagger_s * seat.place / gaps;
            (ready_s, plan.start_s + plan.stagger_s, Stage::Wait)
        } else {
            (clock_s, clock_s, Stage::Begin)
        };
        let job = entity(&[&plan.name], 0);
        let mean = plan
            .coarse_at(step_s)
            .then(|| mean_level(&plan, &seat, step_s));
        Self {
            breaks: plan.breaks(streams),
            part: plan.part_at(seat.stage, step_s),
            mean,
            jitter: streams.open("iteration", job),
            late: streams.open("straggler", job),
            launch: streams.open("restart-offset", seat.key),
            restarts: 0,
            gone: false,
            streams,
            seat,
            stage,
            clock_s,
            begun_s,
            duration_s: plan.iteration_s,
            late_s: 0.0,
            late_share: 0.0,
            since_checkpoint,
            last_s: f64::NEG_INFINITY,
            plan,
        }
    }

    pub(crate) fn next(&mut self) -> Change {
        // An interruption and the end of a job strike every GPU at once: no offset.
        let cut_s = self
            .breaks
            .next_s(&self.plan.interruptions)
            .min(self.plan.stop_s);
        while self.stage != Stage::Ended {
            let at_s = (self.clock_s + self.seat.offset_s).max(self.last_s);
            if at_s >= cut_s {
                return self.cut(cut_s);
            }
            if let Some(change) = self.stage(at_s) {
                self.last_s = at_s;
                return change;
            }
        }
        Change::NEVER
    }

    /// Enters the stage that is due and makes the next one due. `None`: it has no duration.
    fn stage(&mut self, at_s: f64) -> Option<Change> {
        match self.stage {
            Stage::Begin => {
                if let Some((level, checkpoints)) = self.mean {
                    self.many_iterations(checkpoints);
                    Some(Change::mixed(at_s, level))
                } else {
                    self.begin();
                    None
                }
            }
            Stage::Segment(i) => {
                let segment = self.part.segments[i];
                self.clock_s = self.begun_s + segment.until_share * self.duration_s;
                self.go_on(i + 1);
                Some(Change::mixed(at_s, segment.mix))
            }
            Stage::Late => {
                self.clock_s += self.late_s;
                self.begun_s += self.late_s;
                self.late_s = 0.0;
                self.go_on(self.part.barrier);
                Some(Change::mixed(at_s, Mix::computing(self.late_share)))
            }
            Stage::Checkpoint => {
                self.clock_s += self.plan.checkpoint_s;
                self.since_checkpoint = 0;
                self.stage = Stage::Begin;
                let lasts = self.plan.checkpoint_s > 0.0;
                lasts.then_some(Change::to(at_s, PhaseKind::Checkpoint))
            }
            Stage::Restart(i) => {
                let (phase, stay_s) = self.plan.restart[i];
                self.clock_s += stay_s;
                self.stage = if i + 1 < self.plan.restart.len() {
                    Stage::Restart(i + 1)
                } else {
                    Stage::Wait
                };
                (stay_s > 0.0).then_some(Change::to(at_s, phase))
            }
            Stage::Wait => {
                let waits = self.begun_s > self.clock_s;
                // A restart in the past is as little followed as a start.
                (self.clock_s, self.since_checkpoint) = self.plan.lead_in(self.begun_s);
                self.stage = Stage::Begin;
                waits.then_some(Change::to(at_s, PhaseKind::TrainCommunication))
            }
            Stage::Down | Stage::Ended => None,
        }
    }

    /// Draws what the iteration that begins has of its own.
    fn begin(&mut self) {
        let plan = &self.plan;
        self.begun_s = self.clock_s;
        self.duration_s = plan.iteration_s;
        if plan.iteration_jitter_s > 0.0 {
            let jitter_s = plan.iteration_jitter_s * self.jitter.normal();
            let least_s = SHORTEST_ITERATION_SHARE * plan.iteration_s;
            self.duration_s = (plan.iteration_s + jitter_s).max(least_s);
        }
        if let Some(straggler) = plan.straggler {
            // Both numbers are drawn for every iteration, so that their order in the stream does not depend on them.
            let (is, which) = (self.late.uniform(), self.late.uniform());
            let node = straggler
                .node
                .map_or((which * plan.nodes as f64).floor(), |n| f64::from(n) - 1.0);
            if is < straggler.probability {
                self.late_s = straggler.delay_s;
                self.late_share = if self.seat.holds(node) {
                    1.0 / self.seat.nodes
                } else {
                    0.0
                };
            }
        }
        self.go_on(0);
    }

    /// Makes segment `next` due, or what comes before it or after the last one.
    fn go_on(&mut self, next: usize) {
        if next == self.part.barrier && self.late_s > 0.0 {
            self.stage = Stage::Late;
        } else if next < self.part.segments.len() {
            self.stage = Stage::Segment(next);
        } else {
            // Iterations are counted only where a checkpoint depends on it.
            let every = self.plan.checkpoint_every;
            self.since_checkpoint = if every == 0 {
                0
            } else {
                self.since_checkpoint + 1
            };
            self.stage = if every > 0 && self.since_checkpoint >= every {
                Stage::Checkpoint
            } else {
                Stage::Begin
            };
        }
    }

    /// Iterations up to the next checkpoint in one stretch.
    fn many_iterations(&mut self, checkpoints: bool) {
        if !checkpoints {
            self.clock_s = f64::INFINITY;
            return;
        }
        let left = self
            .plan
            .checkpoint_every
            .saturating_sub(self.since_checkpoint)
            .max(1);
        let nominal_s = f64::from(left) * self.plan.mean_iteration_s();
        let mut lasts_s = nominal_s;
        if self.plan.iteration_jitter_s > 0.0 {
            lasts_s += self.plan.iteration_jitter_s * f64::from(left).sqrt() * self.jitter.normal();
        }
        self.clock_s += lasts_s.max(SHORTEST_ITERATION_SHARE * nominal_s);
        self.stage = Stage::Checkpoint;
    }

    fn cut(&mut self, at_s: f64) -> Change {
        self.last_s = at_s;
        let taken = if at_s < self.plan.stop_s {
            self.breaks.take(&self.plan.interruptions)
        } else {
            None
        };
        let Some((interruption, follows)) = taken else {
            self.stage = Stage::Ended;
            return Change::to(at_s, PhaseKind::Idle);
        };
        self.gone |= interruption.phase != PhaseKind::TrainCommunication;
        if follows || interruption.until_s >= self.plan.stop_s {
            (self.stage, self.clock_s) = (Stage::Down, f64::INFINITY);
        } else {
            self.restart(interruption.until_s);
        }
        Change::to(at_s, interruption.phase)
    }

    fn restart(&mut self, at_s: f64) {
        let plan = &self.plan;
        // How many numbers a cohort drew before depends on its offset: new streams put all in lockstep again.
        let job = |number: u64| entity(&[&plan.name], number);
        self.jitter = self.streams.open("iteration-restart", job(self.restarts));
        self.restarts += 1;
        self.late = self.streams.open("straggler", job(self.restarts));
        (self.late_s, self.since_checkpoint) = (0.0, 0);
        if !std::mem::take(&mut self.gone) {
            (self.clock_s, self.begun_s, self.stage) = (at_s, at_s, Stage::Begin);
            return;
        }
        self.begun_s = at_s + plan.restart_lasts_s();
        let gaps = plan.nodes.saturating_sub(1).max(1) as f64;
        self.clock_s = at_s + plan.restart_stagger_s * self.seat.place / gaps;
        if plan.restart_jitter_s > 0.0 {
            self.clock_s += plan.restart_jitter_s * self.launch.uniform();
        }
        self.stage = Stage::Restart(0);
    }
}

/// Mean level of a cohort over iterations, and whether checkpoints are kept apart from it.
fn mean_level(plan: &TrainingPlan, seat: &Seat, step_s: f64) -> (Mix, bool) {
    let late = match plan.straggler.and_then(|s| s.node) {
        Some(node) if seat.holds(f64::from(node) - 1.0) => 1.0 / seat.nodes,
        Some(_) => 0.0,
        None => 1.0 / (plan.nodes.max(1)) as f64,
    };
    let mix = plan.mean_level(seat.stage, late);
    let apart = plan.checkpoints_show(step_s);
    if apart || plan.checkpoint_every == 0 {
        return (mix, apart);
    }
    let between_s = f64::from(plan.checkpoint_every) * plan.mean_iteration_s();
    let writing = plan.checkpoint_s / (between_s + plan.checkpoint_s);
    let [computing, communicating, _] = mix.0;
    let rest = 1.0 - writing;
    (
        Mix([rest * computing, rest * communicating, writing]),
        false,
    )
}

#[cfg(test)]
#[path = "training_tests.rs"]
mod tests;
