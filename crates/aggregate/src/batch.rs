//! The course of a cohort in a batch or serving job.

use ballast_profile::PhaseKind;

use crate::BatchJob;
use crate::event_plan::Outage;
use crate::job_outage::of_batch;
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

/// The changes of one cohort: launch, load, warmup, steady, idle, and an outage of its rack between any of them.
#[derive(Debug, Clone)]
pub(crate) struct BatchCourse {
    changes: Vec<Change>,
    next: usize,
}

impl BatchCourse {
    /// `outages` are its rack's, in order of time; `waits_in` is the phase of a GPU with the job loaded and nothing to do.
    ///
    /// After an outage the node launches, loads and warms up again; of its steady phase it does what is left. One that would start
    /// during an outage starts after it.
    pub(crate) fn new(
        plan: &BatchPlan,
        passing: Passing,
        start_s: f64,
        outages: &[Outage],
        waits_in: PhaseKind,
    ) -> Self {
        let mut changes = Vec::with_capacity(5 + 5 * outages.len());
        let mut stays = PASSING.map(|p| (p, 0.0)).to_vec();
        stays.iter_mut().zip(passing).for_each(|(s, d)| s.1 = d);
        stays.push((plan.steady, plan.steady_s));
        let launch = stays.clone();
        let mut at_s = start_s;
        let mut outages = outages.iter().filter(|o| o.work_s > start_s).peekable();
        let mut next = 0;
        while next < stays.len() {
            let out = outages.next_if(|o| o.from_s <= at_s);
            if let Some(outage) = out {
                // The last phase was left at the outage's start, by the arm below, or there was none yet.
                at_s = at_s.max(outage.work_s);
                continue;
            }
            let (phase, stay_s) = stays[next];
            if stay_s <= 0.0 {
                next += 1;
                continue;
            }
            changes.push(Change::to(at_s, phase));
            let Some(outage) = outages.peek().filter(|o| o.from_s < at_s + stay_s) else {
                at_s += stay_s;
                next += 1;
                continue;
            };
            let (meanwhile, anew) = of_batch(outage, waits_in);
            stays[next].1 = stay_s - (outage.from_s - at_s);
            at_s = outage.from_s;
            changes.push(Change::to(at_s, meanwhile));
            if anew {
                let last = stays.len() - 1;
                let left_s = stays[last].1;
                stays.clone_from(&launch);
                stays[last].1 = left_s;
                next = 0;
            }
        }
        changes.push(Change::to(at_s, PhaseKind::Idle));
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
        let mut c = BatchCourse::new(&plan(100.0), [2.0, 0.0, 5.0], 10.0, &[], PhaseKind::Idle);
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
        let mut c = BatchCourse::new(&plan(f64::INFINITY), [0.0; 3], 0.0, &[], PhaseKind::Idle);
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
