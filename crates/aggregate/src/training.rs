//! The course of a cohort in synchronous training: iterations in lockstep, checkpoints, crash and restart.
//!
//! Every cohort runs the job's clock by itself: it draws the same durations from a copy of the job's stream and shifts
//! them by its own offset. So no cohort waits for another, and nothing has to be stored per iteration.

use std::sync::Arc;

use ballast_profile::PhaseKind;
use ballast_series::rng::Stream;

use crate::TrainingJob;
use crate::batch::Passing;
use crate::interruption::{Interruption, Interruptions, RandomCrashes, merged};
use crate::keys::entity;
use crate::racks::Streams;
use crate::timeline::Change;

/// Shortest duration of an iteration, share of the nominal one, however the jitter falls.
pub(crate) const SHORTEST_ITERATION_SHARE: f64 = 0.1;

/// A training job, resolved. Times in seconds; infinite where nothing happens.
#[derive(Debug, Clone)]
pub(crate) struct TrainingPlan {
    /// Name of the job; its streams go by it.
    pub(crate) name: String,
    pub(crate) start_s: f64,
    pub(crate) stop_s: f64,
    pub(crate) iteration_s: f64,
    pub(crate) compute_share: f64,
    pub(crate) iteration_jitter_s: f64,
    pub(crate) node_jitter_s: f64,
    /// 0: never.
    pub(crate) checkpoint_every: u32,
    pub(crate) checkpoint_s: f64,
    /// Planned interruptions in order, none overlapping another.
    pub(crate) interruptions: Vec<Interruption>,
    /// Mean time between crashes at random; infinite: none.
    pub(crate) mtbf_s: f64,
    /// Time from a crash to the restart.
    pub(crate) down_s: f64,
    /// Durations on the restart: the longest of the job's profiles, for all wait for the last.
    pub(crate) passing: Passing,
}

impl TrainingPlan {
    /// `others` are interruptions from outside the job; they may overlap.
    pub(crate) fn new(
        job: &TrainingJob,
        checkpoint_s: f64,
        passing: Passing,
        mut others: Vec<Interruption>,
    ) -> Self {
        let down_s = job.restart_after_s.unwrap_or(f64::INFINITY);
        others.extend(job.crash_at_s.map(|s| Interruption::crash(s, down_s)));
        // What is over before the job starts does not strike it.
        others.retain(|i| i.until_s > job.start_s);
        Self {
            name: job.name.clone(),
            start_s: job.start_s,
            stop_s: job.stop_s.unwrap_or(f64::INFINITY),
            iteration_s: job.iteration_s,
            compute_share: job.compute_share,
            iteration_jitter_s: job.iteration_jitter_s,
            node_jitter_s: job.node_jitter_s,
            checkpoint_every: job.checkpoint_every.unwrap_or(0),
            checkpoint_s,
            interruptions: merged(others),
            mtbf_s: f64::INFINITY,
            down_s,
            passing,
        }
    }

    /// The job's interruptions, the same for each that asks.
    pub(crate) fn breaks(&self, streams: Streams) -> Interruptions {
        Interruptions::new(self.mtbf_s.is_finite().then(|| {
            let stream = streams.open("crash", entity(&[&self.name], 0));
            RandomCrashes::new(stream, self.mtbf_s, self.down_s, self.start_s)
        }))
    }

    /// Clock and iterations since the last checkpoint where a course that iterates from `start_s` on is taken up.
    ///
    /// A job under way runs its past on the nominal clock and without being followed: jitter before t = 0 shows in nothing.
    fn lead_in(&self, start_s: f64) -> (f64, u32) {
        let behind_s = -start_s - 2.0 * self.iteration_s - 8.0 * self.node_jitter_s;
        if behind_s <= 0.0 {
            return (start_s, 0);
        }
        if self.checkpoint_every == 0 {
            return (
                start_s + (behind_s / self.iteration_s).floor() * self.iteration_s,
                0,
            );
        }
        let every = f64::from(self.checkpoint_every);
        let cycle_s = every * self.iteration_s + self.checkpoint_s;
        let cycles = (behind_s / cycle_s).floor();
        let rest_s = (behind_s - cycles * cycle_s).max(0.0);
        let done = (rest_s / self.iteration_s).floor().min(every - 1.0);
        (
            start_s + cycles * cycle_s + done * self.iteration_s,
            done as u32,
        )
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    Compute,
    Communication,
    Checkpoint,
    /// Launch, load or warmup after an interruption.
    Restart(usize),
    /// Interrupted, without a restart to come before the next interruption.
    Down,
    Ended,
}

/// The changes of one cohort, made as they are asked for.
#[derive(Debug, Clone)]
pub(crate) struct TrainingCourse {
    plan: Arc<TrainingPlan>,
    streams: Streams,
    breaks: Interruptions,
    /// Restarts so far.
    restarts: u64,
    /// Whether the interruptions since the last restart have ended the processes; else they wait and go on.
    gone: bool,
    /// Iteration durations of the job since the last restart; a copy that gives every cohort the same numbers.
    jitter: Stream,
    offset_s: f64,
    stage: Stage,
    /// Start of the stage on the job's clock.
    clock_s: f64,
    iteration_end_s: f64,
    since_checkpoint: u32,
    last_s: f64,
}

impl TrainingCourse {
    /// `offset_s` is the cohort's own shift; all else it draws from copies of the job's streams.
    pub(crate) fn new(plan: Arc<TrainingPlan>, streams: Streams, offset_s: f64) -> Self {
        let (clock_s, since_checkpoint) = plan.lead_in(plan.start_s);
        Self {
            breaks: plan.breaks(streams),
            jitter: streams.open("iteration", entity(&[&plan.name], 0)),
            restarts: 0,
            gone: false,
            plan,
            streams,
            offset_s,
            stage: Stage::Compute,
            clock_s,
            iteration_end_s: clock_s,
            since_checkpoint,
            last_s: f64::NEG_INFINITY,
        }
    }

    pub(crate) fn next(&mut self) -> Change {
        // An interruption and the end of a job strike every GPU at once: no offset.
        let cut_s = self
            .breaks
            .next_s(&self.plan.interruptions)
            .min(self.plan.stop_s);
        while self.stage != Stage::Ended {
            let at_s = (self.clock_s + self.offset_s).max(self.last_s);
            if at_s >= cut_s {
                return self.cut(cut_s);
            }
            if let Some(phase) = self.stage() {
                self.last_s = at_s;
                return Change { at_s, phase };
            }
        }
        Change::NEVER
    }

    /// Enters the stage that is due and makes the next one due. `None`: it has no duration.
    fn stage(&mut self) -> Option<PhaseKind> {
        let plan = &self.plan;
        match self.stage {
            Stage::Compute => {
                let mut duration_s = plan.iteration_s;
                if plan.iteration_jitter_s > 0.0 {
                    duration_s += plan.iteration_jitter_s * self.jitter.normal();
                    duration_s = duration_s.max(SHORTEST_ITERATION_SHARE * plan.iteration_s);
                }
                self.iteration_end_s = self.clock_s + duration_s;
                self.clock_s += plan.compute_share * duration_s;
                self.stage = Stage::Communication;
                (plan.compute_share > 0.0).then_some(PhaseKind::TrainCompute)
            }
            Stage::Communication => {
                self.clock_s = self.iteration_end_s;
                self.since_checkpoint += 1;
                let due =
                    plan.checkpoint_every > 0 && self.since_checkpoint >= plan.checkpoint_every;
                self.stage = if due {
                    Stage::Checkpoint
                } else {
                    Stage::Compute
                };
                // Iterations are counted only where a checkpoint depends on it.
                self.since_checkpoint = if plan.checkpoint_every == 0 {
                    0
                } else {
                    self.since_checkpoint
                };
                (plan.compute_share < 1.0).then_some(PhaseKind::TrainCommunication)
            }
            Stage::Checkpoint => {
                self.clock_s += plan.checkpoint_s;
                self.since_checkpoint = 0;
                self.stage = Stage::Compute;
                (plan.checkpoint_s > 0.0).then_some(PhaseKind::Checkpoint)
            }
            Stage::Restart(i) => {
                let stay_s = plan.passing[i];
                self.clock_s += stay_s;
                self.stage = if i + 1 < plan.passing.len() {
                    Stage::Restart(i + 1)
                } else {
                    // A restart in the past is as little followed as a start.
                    (self.clock_s, self.since_checkpoint) = plan.lead_in(self.clock_s);
                    Stage::Compute
                };
                (stay_s > 0.0).then_some(crate::batch::PASSING[i])
            }
            Stage::Down | Stage::Ended => None,
        }
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
            return Change {
                at_s,
                phase: PhaseKind::Idle,
            };
        };
        self.gone |= interruption.phase != PhaseKind::TrainCommunication;
        if follows || interruption.until_s >= self.plan.stop_s {
            (self.stage, self.clock_s) = (Stage::Down, f64::INFINITY);
        } else {
            self.restart(interruption.until_s);
        }
        Change {
            at_s,
            phase: interruption.phase,
        }
    }

    fn restart(&mut self, at_s: f64) {
        // How many numbers a cohort drew before depends on its offset: new streams put all in lockstep again.
        let job = entity(&[&self.plan.name], self.restarts);
        self.restarts += 1;
        self.jitter = self.streams.open("iteration-restart", job);
        self.since_checkpoint = 0;
        self.clock_s = at_s;
        self.stage = if std::mem::take(&mut self.gone) {
            Stage::Restart(0)
        } else {
            Stage::Compute
        };
    }
}

#[cfg(test)]
#[path = "training_tests.rs"]
mod tests;
