//! A training job, resolved: what is the same for all its cohorts.

use ballast_profile::PhaseKind;

use crate::batch::{PASSING, Passing};
use crate::interruption::{Interruption, Interruptions, RandomCrashes, merged};
use crate::iteration::{FEWEST_STEPS_PER_ITERATION, Part, SHORTEST_STEPS, parts};
use crate::keys::entity;
use crate::racks::Streams;
use crate::timeline::Mix;
use crate::{StragglerSpec, TrainingJob};

/// Differences of this share are rounding.
const ROUNDING: f64 = 1e-9;

/// Durations that a job takes from its GPUs' profiles where it states none, seconds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TrainingTimes {
    pub(crate) checkpoint_s: f64,
    pub(crate) restore_s: f64,
    /// On the restart.
    pub(crate) passing: Passing,
}

/// A training job, resolved. Times in seconds; infinite where nothing happens.
#[derive(Debug, Clone)]
pub(crate) struct TrainingPlan {
    /// Name of the job; its streams go by it.
    pub(crate) name: String,
    /// Nodes it touches.
    pub(crate) nodes: u64,
    pub(crate) start_s: f64,
    /// Over which nodes become ready on the first start.
    pub(crate) stagger_s: f64,
    pub(crate) stop_s: f64,
    pub(crate) iteration_s: f64,
    /// The iteration of each stage of the pipeline; one without.
    pub(crate) parts: Vec<Part>,
    /// GPUs of a stage of one pipeline.
    pub(crate) stage_gpus: u64,
    pub(crate) straggler: Option<StragglerSpec>,
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
    /// Phases and durations of a restart: the longest of the job's profiles, for all wait for the last.
    pub(crate) restart: [(PhaseKind, f64); 4],
    pub(crate) restart_stagger_s: f64,
    pub(crate) restart_jitter_s: f64,
}

impl TrainingPlan {
    /// `others` are interruptions from outside the job; they may overlap.
    pub(crate) fn new(
        job: &TrainingJob,
        (nodes, gpus): (u64, u64),
        times: TrainingTimes,
        mut others: Vec<Interruption>,
    ) -> Self {
        let down_s = job.restart_after_s.unwrap_or(f64::INFINITY);
        others.extend(job.crash_at_s.map(|s| Interruption::crash(s, down_s)));
        // What is over before the job starts does not strike it.
        others.retain(|i| i.until_s > job.start_s || i.from_s >= job.start_s);
        let (stages, replicas) = job.shape.stages();
        let [launch, load, warmup] = PASSING;
        let [launch_s, load_s, warmup_s] = times.passing;
        Self {
            name: job.name.clone(),
            nodes,
            start_s: job.start_s,
            stagger_s: job.stagger_s,
            stop_s: job.stop_s.unwrap_or(f64::INFINITY),
            iteration_s: job.lasting_s(),
            parts: parts(&job.shape, job.compute_share),
            stage_gpus: (gpus / (u64::from(stages) * u64::from(replicas)).max(1)).max(1),
            straggler: job.straggler.filter(|s| s.delay_s > 0.0),
            iteration_jitter_s: job.iteration_jitter_s,
            node_jitter_s: job.node_jitter_s,
            checkpoint_every: job.checkpoint_every.unwrap_or(0),
            checkpoint_s: times.checkpoint_s,
            interruptions: merged(others),
            mtbf_s: job.mtbf_s.unwrap_or(f64::INFINITY),
            down_s,
            restart: [
                (launch, launch_s),
                (load, load_s),
                (PhaseKind::Checkpoint, times.restore_s),
                (warmup, warmup_s),
            ],
            restart_stagger_s: job.restart_stagger_s,
            restart_jitter_s: job.restart_jitter_s,
        }
    }

    /// The job's interruptions, the same for each that asks.
    pub(crate) fn breaks(&self, streams: Streams) -> Interruptions {
        Interruptions::new(self.mtbf_s.is_finite().then(|| {
            let stream = streams.open("crash", entity(&[&self.name], 0));
            RandomCrashes::new(stream, self.mtbf_s, self.down_s, self.start_s)
        }))
    }

    /// Stage of the GPU with this number among the job's.
    pub(crate) fn stage_of(&self, ordinal: u64) -> usize {
        (ordinal / self.stage_gpus) as usize % self.parts.len().max(1)
    }

    /// Whether all nodes of a stage do the same at the same time, whatever happens.
    pub(crate) fn in_step(&self) -> bool {
        let apart_after_restart = self.restart_stagger_s > 0.0 || self.restart_jitter_s > 0.0;
        let restarts = !self.interruptions.is_empty() || self.mtbf_s.is_finite();
        let together = self.node_jitter_s == 0.0 && self.stagger_s == 0.0;
        together && self.straggler.is_none() && !(restarts && apart_after_restart)
    }

    /// Clock and iterations since the last checkpoint where a course that iterates from `start_s` on is taken up.
    ///
    /// A job under way runs its past on the nominal clock and without being followed: jitter before t = 0 shows in nothing.
    pub(crate) fn lead_in(&self, start_s: f64) -> (f64, u32) {
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

    /// Mean duration of an iteration, stragglers included.
    pub(crate) fn mean_iteration_s(&self) -> f64 {
        let late_s = self.straggler.map_or(0.0, |s| s.probability * s.delay_s);
        self.iteration_s + late_s
    }

    /// Time from the beginning of a restart until all iterate.
    pub(crate) fn restart_lasts_s(&self) -> f64 {
        let phases_s: f64 = self.restart.iter().map(|(_, s)| s).sum();
        phases_s + self.restart_stagger_s + self.restart_jitter_s
    }

    /// Work that is lost at `crash_s` after iterating since `since_s`: that after the last whole checkpoint, on the mean clock.
    pub(crate) fn lost_s(&self, since_s: f64, crash_s: f64) -> f64 {
        let up_s = (crash_s - since_s).max(0.0);
        if self.checkpoint_every == 0 {
            return up_s;
        }
        let cycle_s =
            f64::from(self.checkpoint_every) * self.mean_iteration_s() + self.checkpoint_s;
        up_s - (up_s / cycle_s).floor() * cycle_s
    }

    /// Shortest stretch at one level in an iteration.
    pub(crate) fn shortest_s(&self) -> f64 {
        let shortest = self.parts.iter().map(Part::shortest).fold(1.0, f64::min);
        shortest * self.iteration_s
    }

    /// Whether a step is too long for the phases of an iteration, so that its mean stands for it.
    pub(crate) fn coarse_at(&self, step_s: f64) -> bool {
        let step_s = step_s * (1.0 - ROUNDING);
        let shortest = SHORTEST_STEPS * step_s / self.iteration_s;
        self.iteration_s < FEWEST_STEPS_PER_ITERATION * step_s
            || self.parts.iter().any(|p| p.lost(shortest))
    }

    /// The iteration of a stage as a step can show it: stretches too short for it are averaged with their neighbours.
    pub(crate) fn part_at(&self, stage: usize, step_s: f64) -> Part {
        let shortest = SHORTEST_STEPS * step_s * (1.0 - ROUNDING) / self.iteration_s;
        let part = &self.parts[stage];
        if part.shortest() < shortest {
            part.coarse(shortest)
        } else {
            part.clone()
        }
    }

    /// Mean level of a stage over an iteration, of which a straggler computes the share `late` of the nodes that are looked at.
    pub(crate) fn mean_level(&self, stage: usize, late: f64) -> Mix {
        let late_s = self.straggler.map_or(0.0, |s| s.probability * s.delay_s);
        let computing_s = self.parts[stage].mean().0[0] * self.iteration_s + late * late_s;
        Mix::computing((computing_s / self.mean_iteration_s()).min(1.0))
    }

    /// Whether a step can show checkpoints apart from iterations that it averages.
    pub(crate) fn checkpoints_show(&self, step_s: f64) -> bool {
        let shortest_s = SHORTEST_STEPS * step_s * (1.0 - ROUNDING);
        let between_s = f64::from(self.checkpoint_every) * self.mean_iteration_s();
        self.checkpoint_s >= shortest_s && between_s >= shortest_s
    }
}
