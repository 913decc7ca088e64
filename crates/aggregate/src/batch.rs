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
    /// Start and stop of each run, seconds; empty: one run from `start_s` on.
    pub(crate) runs: Vec<(f64, f64)>,
    /// Durations by profile (index of the site's table).
    pub(crate) passing: Vec<(usize, Passing)>,
}

impl BatchPlan {
    pub(crate) fn new(job: &BatchJob, passing: Vec<(usize, Passing)>) -> Self {
        Self {
            start_s: job.first_start_s(),
            stagger_s: job.stagger_s,
            jitter_s: job.start_jitter_s,
            steady: job.steady,
            steady_s: job.steady_s.unwrap_or(f64::INFINITY),
            runs: job
                .runs
                .iter()
                .map(|r| (r.start_s, r.stop_s.unwrap_or(f64::INFINITY)))
                .collect(),
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

/// The changes of one cohort: launch, load, warmup, steady, idle, run after run, and an outage of its rack between any of them.
#[derive(Debug, Clone)]
pub(crate) struct BatchCourse {
    changes: Vec<Change>,
    next: usize,
}

impl BatchCourse {
    /// `start_s` is the cohort's own first start: every run of it is as much later than planned as this is later than the plan's.
    /// `outages` are its rack's, in order of time; `waits_in` is the phase of a GPU with the job loaded and nothing to do.
    ///
    /// After an outage the node launches, loads and warms up again. Of its steady phase it does what is left, if it has a duration;
    /// a run with a stop stops then all the same. A run that would start during an outage starts after it, if it has not stopped by then.
    pub(crate) fn new(
        plan: &BatchPlan,
        passing: Passing,
        start_s: f64,
        outages: &[Outage],
        waits_in: PhaseKind,
    ) -> Self {
        let mut stays = [(plan.steady, plan.steady_s); 4];
        for ((stay, phase), duration_s) in stays.iter_mut().zip(PASSING).zip(passing) {
            *stay = (phase, duration_s);
        }
        let mut course = Self {
            changes: Vec::with_capacity(5 * plan.runs.len().max(1) + 5 * outages.len()),
            next: 0,
        };
        if plan.runs.is_empty() {
            course.run(stays, (start_s, f64::INFINITY), outages, waits_in);
        }
        let late_s = start_s - plan.start_s;
        for (from_s, to_s) in &plan.runs {
            let span = (from_s + late_s, to_s + late_s);
            course.run(stays, span, outages, waits_in);
        }
        course
    }

    /// Adds the changes of one run, from its start to its stop at the latest.
    fn run(
        &mut self,
        launch: [(PhaseKind, f64); 4],
        (start_s, stop_s): (f64, f64),
        outages: &[Outage],
        waits_in: PhaseKind,
    ) {
        let mut stays = launch;
        let mut at_s = start_s;
        let mut outages = outages.iter().filter(|o| o.work_s > start_s).peekable();
        let mut next = 0;
        while next < stays.len() && at_s < stop_s {
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
            self.changes.push(Change::to(at_s, phase));
            let end_s = stop_s.min(at_s + stay_s);
            let Some(outage) = outages.peek().filter(|o| o.from_s < end_s) else {
                at_s = end_s;
                next += 1;
                continue;
            };
            let (meanwhile, anew) = of_batch(outage, waits_in);
            stays[next].1 = stay_s - (outage.from_s - at_s);
            at_s = outage.from_s;
            self.changes.push(Change::to(at_s, meanwhile));
            if anew {
                let left_s = stays[3].1;
                stays = launch;
                stays[3].1 = left_s;
                next = 0;
            }
        }
        self.changes
            .push(Change::to(at_s.min(stop_s), PhaseKind::Idle));
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
    use ballast_profile::PhaseKind::{Idle, IdleContext, Launch, SteadyDecode, Warmup};

    use super::*;
    use crate::event_plan::Cause;

    fn plan(steady_s: f64) -> BatchPlan {
        BatchPlan {
            start_s: 10.0,
            stagger_s: 6.0,
            jitter_s: 0.0,
            steady: PhaseKind::SteadyDecode,
            steady_s,
            runs: vec![],
            passing: vec![],
        }
    }

    fn changes(course: &mut BatchCourse) -> Vec<(f64, PhaseKind)> {
        let all = (0..100).map(|_| course.next());
        all.map(|c| (c.at_s, c.phase))
            .take_while(|c| c.0.is_finite())
            .collect()
    }

    fn outage(from_s: f64, work_s: f64, cause: Cause) -> Outage {
        Outage {
            from_s,
            off_s: from_s,
            on_s: work_s,
            work_s,
            cause,
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

    #[test]
    fn runs_follow_each_other_and_stop_in_any_phase() {
        let mut plan = plan(f64::INFINITY);
        plan.runs = vec![(10.0, 60.0), (60.0, 63.0), (100.0, f64::INFINITY)];
        // Half a second late, as its jitter has it, in every run.
        let mut c = BatchCourse::new(&plan, [2.0, 0.0, 5.0], 10.5, &[], PhaseKind::Idle);
        assert_eq!(
            changes(&mut c),
            [
                (10.5, Launch),
                (12.5, Warmup),
                (17.5, SteadyDecode),
                (60.5, Idle),
                (60.5, Launch),
                (62.5, Warmup),
                (63.5, Idle),
                (100.5, Launch),
                (102.5, Warmup),
                (107.5, SteadyDecode),
            ]
        );
    }

    #[test]
    fn an_outage_does_not_move_the_stop_of_a_run() {
        let mut plan = plan(f64::INFINITY);
        plan.start_s = 0.0;
        plan.runs = vec![(0.0, 50.0), (50.0, 60.0), (70.0, 90.0), (200.0, 220.0)];
        let outages = [
            outage(10.0, 20.0, Cause::Loss),
            outage(55.0, 75.0, Cause::Loss),
            outage(80.0, 100.0, Cause::Switch { timeout_s: 5.0 }),
        ];
        let waits_in = PhaseKind::IdleContext;
        let mut c = BatchCourse::new(&plan, [2.0, 0.0, 0.0], 0.0, &outages, waits_in);
        assert_eq!(
            changes(&mut c),
            [
                (0.0, Launch),
                (2.0, SteadyDecode),
                (10.0, Idle),
                (20.0, Launch),
                (22.0, SteadyDecode),
                (50.0, Idle),
                (50.0, Launch),
                (52.0, SteadyDecode),
                (55.0, Idle),
                (60.0, Idle),
                (75.0, Launch),
                (77.0, SteadyDecode),
                (80.0, IdleContext),
                (90.0, Idle),
                (200.0, Launch),
                (202.0, SteadyDecode),
                (220.0, Idle),
            ]
        );
    }
}
