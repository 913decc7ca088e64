//! Which phases a job needs from a GPU profile, how long the passing ones take, and which of them matter after t = 0.

use ballast_profile::{GpuProfile, PhaseKind};

use crate::batch::{PASSING, Passing};
use crate::check::Problems;
use crate::timeline::PhaseLevel;
use crate::{BatchJob, InferenceJob, JobSpec, TrainingJob};

/// Offsets beyond this many standard deviations are not reckoned with when asking what has passed by t = 0.
const REACH: f64 = 6.0;

/// What the site's events do to a job.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Touch {
    /// Its processes end.
    pub(crate) down: bool,
    /// They wait.
    pub(crate) waits: bool,
    /// It starts again whatever its own rule.
    pub(crate) resumes: bool,
}

/// A job on one profile.
pub(crate) struct Fit {
    /// Durations of launch, load and warmup (on the restart, for training).
    pub(crate) passing: Passing,
    /// Duration of writing a checkpoint, and of reading it on a restart.
    pub(crate) checkpoint_s: f64,
    pub(crate) restore_s: f64,
    /// Phases the GPUs are in from t = 0 on, or ramp away from.
    pub(crate) used: Vec<PhaseKind>,
}

/// Phase that the GPUs of a training job rest in before its start, and those of a service without requests.
pub(crate) fn before_work(has: impl Fn(PhaseKind) -> bool) -> PhaseKind {
    if has(PhaseKind::IdleContext) {
        PhaseKind::IdleContext
    } else {
        PhaseKind::Idle
    }
}

/// Phases whose fluctuation stands for the job when time constants of shared factors are chosen.
fn steady_phases(job: &JobSpec) -> &[PhaseKind] {
    match job {
        JobSpec::Batch(b) => std::slice::from_ref(&b.steady),
        JobSpec::Training(t) if t.compute_share > 0.0 => {
            &[PhaseKind::TrainCompute, PhaseKind::TrainCommunication]
        }
        JobSpec::Training(_) => &[PhaseKind::TrainCommunication],
        JobSpec::Inference(_) => &[PhaseKind::SteadyDecode, PhaseKind::SteadyPrefill],
    }
}

/// Correlation time of the job's steady phase on a profile; `None` where that does not fluctuate.
pub(crate) fn steady_tau_s<'a>(
    job: &JobSpec,
    level: impl Fn(PhaseKind) -> &'a PhaseLevel,
) -> Option<f64> {
    steady_phases(job)
        .iter()
        .map(|k| level(*k))
        .find(|l| l.sigma_w > 0.0)
        .map(|l| l.tau_s)
}

/// What job number `index` needs from a profile; every lack is a problem.
pub(crate) fn fit(
    index: usize,
    job: &JobSpec,
    name: &str,
    profile: &GpuProfile,
    touch: Touch,
    problems: &mut Problems,
) -> Fit {
    let mut asker = Asker {
        path: format!("jobs.{index}"),
        profile_name: name,
        profile,
        problems,
    };
    match job {
        JobSpec::Batch(b) => asker.batch(b, touch),
        JobSpec::Training(t) => asker.training(t, touch),
        JobSpec::Inference(i) => asker.inference(i),
    }
}

struct Asker<'a> {
    path: String,
    profile_name: &'a str,
    profile: &'a GpuProfile,
    problems: &'a mut Problems,
}

impl Asker<'_> {
    fn has(&self, kind: PhaseKind) -> bool {
        self.profile.phases.get(kind).is_some()
    }

    fn require(&mut self, kind: PhaseKind, key: &str, job: &str) {
        if self.has(kind) {
            return;
        }
        let had: Vec<_> = self.profile.phases.iter().map(|(k, _)| k.key()).collect();
        self.problems.add(
            if key.is_empty() { self.path.clone() } else { format!("{}.{key}", self.path) },
            format!("job `{job}` needs the phase `{}`, which GPU profile `{}` does not have", kind.key(), self.profile_name),
            format!(
                "add `[gpus.<name>.phases.{}]` with its power to a profile of your own (base = \"{}\"), or choose another phase or node; it has: {}",
                kind.key(),
                self.profile_name,
                had.join(", ")
            ),
        );
    }

    /// Duration of a passing phase: the job's, else the profile's, else 0 where the profile has no such phase.
    fn duration(&mut self, kind: PhaseKind, key: &str, stated: Option<f64>, job: &str) -> f64 {
        let phase = self.profile.phases.get(kind);
        match (stated, phase) {
            (Some(d), _) if d <= 0.0 => 0.0,
            (Some(d), Some(_)) => d,
            (Some(_), None) => {
                self.require(kind, key, job);
                0.0
            }
            (None, None) => 0.0,
            (None, Some(phase)) => {
                if phase.duration_s.is_none() {
                    self.problems.add(
                        format!("{}.{key}", self.path),
                        format!(
                            "job `{job}` passes through the phase `{}`, for which GPU profile `{}` states no duration",
                            kind.key(),
                            self.profile_name
                        ),
                        format!("set {key} in the job where it has that key, or `duration_s` in the profile's phase `{}`", kind.key()),
                    );
                }
                phase.duration_s.as_ref().map_or(0.0, |d| d.value)
            }
        }
    }

    fn batch(&mut self, job: &BatchJob, touch: Touch) -> Fit {
        let stated = [
            ("launch_s", job.launch_s),
            ("load_s", job.load_s),
            ("warmup_s", job.warmup_s),
        ];
        let mut passing = [0.0; 3];
        for ((kind, (key, stated)), slot) in PASSING.into_iter().zip(stated).zip(&mut passing) {
            *slot = self.duration(kind, key, stated, &job.name);
        }
        self.require(PhaseKind::Idle, "", &job.name);
        self.require(job.steady, "steady", &job.name);
        let steady_s = job.steady_s.unwrap_or(f64::INFINITY);
        let late_s = job.stagger_s + REACH * job.start_jitter_s;
        let ends = steady_s.is_finite() || job.runs.len() > 1;
        let stops = job.runs.iter().any(|r| r.stop_s.is_some());
        let mut used = Vec::new();
        if job.first_start_s() + late_s >= 0.0 || ends || stops || touch.down {
            used.push(PhaseKind::Idle);
        }
        if touch.waits {
            used.push(before_work(|k| self.has(k)));
        }
        let never = f64::INFINITY;
        let mut spans: Vec<(f64, f64)> = job
            .runs
            .iter()
            .map(|r| (r.start_s, r.stop_s.unwrap_or(never)))
            .collect();
        if spans.is_empty() {
            spans.push((job.start_s, never));
        }
        let stays = || {
            PASSING
                .into_iter()
                .zip(passing)
                .chain([(job.steady, steady_s)])
        };
        for (start_s, stop_s) in spans {
            let mut latest_s = start_s + late_s;
            for (kind, stay_s) in stays() {
                // A phase that begins at or after the stop is not entered; one under way is cut.
                if latest_s >= stop_s + late_s {
                    break;
                }
                latest_s = (latest_s + stay_s).min(stop_s + late_s);
                if stay_s > 0.0 && (latest_s >= 0.0 || touch.down) && !used.contains(&kind) {
                    used.push(kind);
                }
            }
        }
        Fit {
            passing,
            checkpoint_s: 0.0,
            restore_s: 0.0,
            used,
        }
    }

    fn inference(&mut self, job: &InferenceJob) -> Fit {
        let rest = before_work(|k| self.has(k));
        let used = vec![rest, PhaseKind::SteadyPrefill, PhaseKind::SteadyDecode];
        for kind in &used {
            self.require(*kind, "", &job.name);
        }
        Fit {
            passing: [0.0; 3],
            checkpoint_s: 0.0,
            restore_s: 0.0,
            used,
        }
    }

    fn training(&mut self, job: &TrainingJob, touch: Touch) -> Fit {
        let mut used = Vec::new();
        let rest = before_work(|k| self.has(k));
        if job.start_s + job.stagger_s + REACH * job.node_jitter_s >= 0.0 {
            used.push(rest);
        }
        self.require(rest, "", &job.name);
        let ends =
            job.stop_s.is_some() || job.crash_at_s.is_some() || job.mtbf_s.is_some() || touch.down;
        let late = job
            .straggler
            .is_some_and(|s| s.delay_s > 0.0 && s.probability > 0.0);
        let waits_on_restart = job.restart_stagger_s > 0.0 || job.restart_jitter_s > 0.0;
        let waits = job.shape.stages().0 > 1
            || late
            || job.stagger_s > 0.0
            || (job.restarts() && waits_on_restart);
        for (kind, needed) in [
            (PhaseKind::TrainCompute, job.compute_share > 0.0 || late),
            (
                PhaseKind::TrainCommunication,
                job.compute_share < 1.0 || waits || touch.waits,
            ),
            (PhaseKind::Idle, ends),
        ] {
            if needed {
                self.require(kind, "", &job.name);
                used.push(kind);
            }
        }
        let mut checkpoint_s = 0.0;
        if job.checkpoint_every.is_some() {
            let known = job.checkpoint_s.is_some() || self.has(PhaseKind::Checkpoint);
            if known {
                checkpoint_s = self.duration(
                    PhaseKind::Checkpoint,
                    "checkpoint_s",
                    job.checkpoint_s,
                    &job.name,
                );
            } else {
                self.require(PhaseKind::Checkpoint, "checkpoint_every", &job.name);
            }
            if checkpoint_s > 0.0 {
                used.push(PhaseKind::Checkpoint);
            }
        }
        let (mut passing, mut restore_s) = ([0.0; 3], 0.0);
        if job.restarts() || (job.restart_after_s.is_some() && touch.down) || touch.resumes {
            for (kind, slot) in PASSING.into_iter().zip(&mut passing) {
                *slot = self.duration(kind, "restart_after_s", None, &job.name);
                if *slot > 0.0 {
                    used.push(kind);
                }
            }
            restore_s = job.restore_s.unwrap_or(checkpoint_s);
            if job.restore_s.is_some_and(|s| s > 0.0) {
                self.require(PhaseKind::Checkpoint, "restore_s", &job.name);
            }
            if restore_s > 0.0 {
                used.push(PhaseKind::Checkpoint);
            }
        }
        Fit {
            passing,
            checkpoint_s,
            restore_s,
            used,
        }
    }
}
