//! The course of a cohort in a batch or serving job.

use ballast_profile::PhaseKind;

use crate::BatchJob;
use crate::timeline::Change;

/// Durations of launch, load and warmup, seconds; 0 where the profile has no such phase.
pub(crate) type Passing = [f64; 3];

pub(crate) const PASSING: [PhaseKind; 3] = [PhaseKind::Launch, PhaseKind::Load, PhaseKind::Warmup];

/// A batch job, resolved but for the profile's durations.
#[derive(Debug, Clone)]
pub(crate) struct BatchPlan {
    pub(crate) start_s: f64,
    pub(crate) stagger_s: f64,
    pub(crate) jitter_s: f64,
    pub(crate) steady: PhaseKind,
    /// Infinite: to the end of the run.
    pub(crate) steady_s: f64,
    /// Durations by profile (index of the site's table).
    pub(crate) passing: Vec<(usize, Passing)>,
}

impl BatchPlan {
    pub(crate) fn new(job: &BatchJob, passing: Vec<(usize, Passing)>) -> Self {
        Self {
            start_s: job.start_s,
            stagger_s: job.stagger_s,
            jitter_s: job.start_jitter_s,
            steady: job.steady,
            steady_s: job.steady_s.unwrap_or(f64::INFINITY),
            passing,
        }
    }

    pub(crate) fn passing(&self, profile: usize) -> Passing {
        self.passing
            .iter()
            .find(|(p, _)| *p == profile)
            .map_or([0.0; 3], |(_, d)| *d)
    }

    /// Start of the node with this place (0 to `nodes` − 1): the first at `start_s`, the last `stagger_s` later.
    pub(crate) fn planned_start_s(&self, place: f64, nodes: u64) -> f64 {
        let gaps = nodes.saturating_sub(1).max(1) as f64;
        self.start_s + self.stagger_s * place / gaps
    }
}

/// The changes of one cohort; at most launch, load, warmup, steady, idle.
#[derive(Debug, Clone)]
pub(crate) struct BatchCourse {
    changes: [Change; 5],
    next: usize,
}

impl BatchCourse {
    pub(crate) fn new(plan: &BatchPlan, passing: Passing, start_s: f64) -> Self {
        let mut changes = [Change::NEVER; 5];
        let mut used = 0;
        let mut at_s = start_s;
        let stays = PASSING
            .into_iter()
            .zip(passing)
            .chain([(plan.steady, plan.steady_s)]);
        for (phase, stay_s) in stays {
            if stay_s > 0.0 {
                changes[used] = Change::to(at_s, phase);
                used += 1;
                at_s += stay_s;
            }
        }
        changes[used] = Change::to(at_s, PhaseKind::Idle);
        Self { changes, next: 0 }
    }

    pub(crate) fn next(&mut self) -> Change {
        let change = self
            .changes
            .get(self.next)
            .copied()
            .unwrap_or(Change::NEVER);
        self.next += 1;
        change
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(steady_s: f64) -> BatchPlan {
        BatchPlan {
            start_s: 10.0,
            stagger_s: 6.0,
            jitter_s: 0.0,
            steady: PhaseKind::SteadyDecode,
            steady_s,
            passing: vec![],
        }
    }

    #[test]
    fn phases_follow_each_other() {
        let mut c = BatchCourse::new(&plan(100.0), [2.0, 0.0, 5.0], 10.0);
        let got: Vec<_> = (0..6)
            .map(|_| c.next())
            .map(|c| (c.at_s, c.phase))
            .collect();
        assert_eq!(
            got[..4],
            [
                (10.0, PhaseKind::Launch),
                (12.0, PhaseKind::Warmup),
                (17.0, PhaseKind::SteadyDecode),
                (117.0, PhaseKind::Idle)
            ]
        );
        assert!(got[4..].iter().all(|c| c.0 == f64::INFINITY));
    }

    #[test]
    fn to_the_end_of_the_run() {
        let mut c = BatchCourse::new(&plan(f64::INFINITY), [0.0; 3], 0.0);
        assert_eq!(c.next(), Change::to(0.0, PhaseKind::SteadyDecode));
        assert_eq!(c.next().at_s, f64::INFINITY);
    }

    #[test]
    fn stagger_spans_first_to_last() {
        let p = plan(1.0);
        assert_eq!(p.planned_start_s(0.0, 4), 10.0);
        assert_eq!(p.planned_start_s(3.0, 4), 16.0);
        assert_eq!(p.planned_start_s(0.0, 1), 10.0);
    }
}
