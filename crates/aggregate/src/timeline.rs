//! What a cohort's mean power does over time: phases entered one after another, each with its way up or down.

use ballast_profile::{GpuProfile, PhaseKind, TransitionSpec};
use ballast_series::rng::ou_coefficients;

use crate::batch::BatchCourse;
use crate::training::TrainingCourse;

/// Correlation time of a phase that has a spread but states no time, seconds.
///
/// Median over the states of first-order autoregressive fits to H100 TP8 serving logs (powertrace-sim: coefficient 0.71 at
/// 250 ms, so −0.25/ln 0.71 = 0.73 s; single states run from 0.23 s to 6 s). Low confidence.
pub const DEFAULT_CORRELATION_TIME_S: f64 = 0.73;

/// Kinds of phases.
pub(crate) const KINDS: usize = PhaseKind::ALL.len();

/// One phase of a profile as the kernel needs it, per GPU.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PhaseLevel {
    /// Whether the profile has the phase at all.
    pub(crate) present: bool,
    /// Mean as stated, W.
    pub(crate) stated_w: f64,
    /// Mean within 0 and the clamp, W.
    pub(crate) power_w: f64,
    pub(crate) sigma_w: f64,
    pub(crate) tau_s: f64,
    pub(crate) rise_s: f64,
    pub(crate) fall_s: f64,
    /// Autoregressive coefficients at the engine's step.
    pub(crate) a: f64,
    pub(crate) b: f64,
}

/// The phases of one GPU profile.
#[derive(Debug, Clone)]
pub(crate) struct ProfileTable {
    pub(crate) name: String,
    pub(crate) clamp_w: f64,
    pub(crate) tdp_w: f64,
    /// The engine's step; 0 before [`Self::at_step`].
    pub(crate) step_s: f64,
    levels: [PhaseLevel; KINDS],
}

impl ProfileTable {
    pub(crate) fn new(name: &str, profile: &GpuProfile) -> Self {
        let clamp_w = profile.clamp_w();
        let time = |t: &Option<TransitionSpec>| t.as_ref().map_or(0.0, |t| t.time_s);
        let levels = PhaseKind::ALL.map(|kind| {
            profile
                .phases
                .get(kind)
                .map_or_else(PhaseLevel::default, |p| PhaseLevel {
                    present: true,
                    stated_w: p.power_w.value,
                    power_w: p.power_w.value.clamp(0.0, clamp_w.max(0.0)),
                    sigma_w: p.spread_w.as_ref().map_or(0.0, |s| s.value),
                    tau_s: p
                        .correlation_time_s
                        .as_ref()
                        .map_or(DEFAULT_CORRELATION_TIME_S, |t| t.value),
                    rise_s: time(&p.rise),
                    fall_s: time(&p.fall),
                    a: 0.0,
                    b: 1.0,
                })
        });
        Self {
            name: name.to_owned(),
            clamp_w,
            tdp_w: profile.tdp_w.value,
            step_s: 0.0,
            levels,
        }
    }

    /// The same with the coefficients of a step.
    pub(crate) fn at_step(&self, dt_s: f64) -> Self {
        let mut table = self.clone();
        table.step_s = dt_s;
        for level in &mut table.levels {
            (level.a, level.b) = ou_coefficients(dt_s, level.tau_s);
        }
        table
    }

    /// The same with every mean as stated, for GPUs that are clipped one by one.
    pub(crate) fn unbounded(mut self) -> Self {
        for level in &mut self.levels {
            level.power_w = level.stated_w;
        }
        self
    }

    pub(crate) fn level(&self, kind: PhaseKind) -> &PhaseLevel {
        // `ALL` lists the phases in the order of the enumeration.
        &self.levels[kind as usize]
    }

    /// Every level that a phase of the profile has.
    pub(crate) fn levels(&self) -> impl Iterator<Item = &PhaseLevel> {
        self.levels.iter().filter(|l| l.present)
    }

    /// Whether no phase fluctuates.
    pub(crate) fn still(&self) -> bool {
        self.levels.iter().all(|l| l.sigma_w == 0.0)
    }
}

/// Shares of [`Self::PHASES`] in a level between them: of the time, or of the nodes. They sum to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Mix(pub(crate) [f64; 3]);

impl Mix {
    pub(crate) const PHASES: [PhaseKind; 3] = [
        PhaseKind::TrainCompute,
        PhaseKind::TrainCommunication,
        PhaseKind::Checkpoint,
    ];

    /// Computing with this share, communicating or waiting with the rest.
    pub(crate) fn computing(share: f64) -> Self {
        Self([share, 1.0 - share, 0.0])
    }

    /// The phase with the largest share, the first of equal ones; it stands for the mix where one phase is needed.
    fn main(self) -> PhaseKind {
        let mut main = 0;
        for i in 1..self.0.len() {
            if self.0[i] > self.0[main] {
                main = i;
            }
        }
        Self::PHASES[main]
    }
}

/// A phase and when it is entered; never, if the time is infinite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Change {
    pub(crate) at_s: f64,
    /// For a mixed level the phase with the largest share: its time constant and its rise or fall time hold.
    pub(crate) phase: PhaseKind,
    /// Present where the level lies between phases: mean and spread are their means by share.
    pub(crate) mix: Option<Mix>,
}

impl Change {
    pub(crate) const NEVER: Self = Self::to(f64::INFINITY, PhaseKind::Idle);

    pub(crate) const fn to(at_s: f64, phase: PhaseKind) -> Self {
        Self {
            at_s,
            phase,
            mix: None,
        }
    }

    /// To a mix; where that is one phase alone, to the phase.
    pub(crate) fn mixed(at_s: f64, mix: Mix) -> Self {
        Self {
            at_s,
            phase: mix.main(),
            mix: mix.0.iter().all(|s| *s < 1.0).then_some(mix),
        }
    }

    /// Level at rest.
    fn level(&self, table: &ProfileTable) -> Point {
        let Some(mix) = self.mix else {
            return rest(table, self.phase);
        };
        let mut sum = Point {
            mean_w: 0.0,
            sigma_w: 0.0,
        };
        for (kind, share) in Mix::PHASES.into_iter().zip(mix.0) {
            let level = rest(table, kind);
            sum.mean_w += share * level.mean_w;
            sum.sigma_w += share * level.sigma_w;
        }
        sum
    }
}

/// Where a cohort's changes come from, in order of time.
#[derive(Debug, Clone)]
pub(crate) enum Course {
    /// No job, or a service, whose replicas say what it does: at rest for good.
    Idle,
    /// A batch job.
    Batch(BatchCourse),
    /// A training job.
    Training(Box<TrainingCourse>),
}

impl Course {
    fn next(&mut self) -> Change {
        match self {
            Self::Idle => Change::NEVER,
            Self::Batch(course) => course.next(),
            Self::Training(course) => course.next(),
        }
    }
}

/// Mean and spread per GPU, watts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub(crate) mean_w: f64,
    pub(crate) sigma_w: f64,
}

/// Follows a course in time; it only moves forward, and does not grow.
#[derive(Debug, Clone)]
pub(crate) struct Cursor {
    course: Course,
    next: Change,
    phase: PhaseKind,
    mix: Option<Mix>,
    entered_s: f64,
    /// Duration of the way from `from` to the phase's level.
    ramp_s: f64,
    from: Point,
    to: Point,
}

impl Cursor {
    /// At rest in `phase` before the first change of the course.
    pub(crate) fn new(mut course: Course, phase: PhaseKind, table: &ProfileTable) -> Self {
        let next = course.next();
        let to = rest(table, phase);
        Self {
            course,
            next,
            phase,
            mix: None,
            entered_s: f64::NEG_INFINITY,
            ramp_s: 0.0,
            from: to,
            to,
        }
    }

    /// Takes in every change up to `t_s`. Times never fall from call to call.
    pub(crate) fn advance(&mut self, t_s: f64, table: &ProfileTable) {
        while self.next.at_s <= t_s {
            let change = self.next;
            self.next = self.course.next();
            // Entering the phase one is in already would start its ramp anew.
            if change.phase == self.phase && change.mix == self.mix {
                continue;
            }
            let from = self.at(change.at_s);
            let to = change.level(table);
            self.ramp_s = if to.mean_w > from.mean_w {
                table.level(change.phase).rise_s
            } else if to.mean_w < from.mean_w {
                table.level(self.phase).fall_s
            } else {
                0.0
            };
            (self.from, self.to, self.entered_s) = (from, to, change.at_s);
            (self.phase, self.mix) = (change.phase, change.mix);
        }
    }

    pub(crate) fn phase(&self) -> PhaseKind {
        self.phase
    }

    /// The level from `from_s` to `to_s`, if it stays the same: no change comes by then and no way is under way.
    pub(crate) fn rest_until(&self, from_s: f64, to_s: f64) -> Option<Point> {
        let settled = self.next.at_s > to_s && from_s - self.entered_s >= self.ramp_s;
        settled.then_some(self.to)
    }

    /// First sample after `sample`, which is at `t_s`, at which the level may be another one; never, if that is `u64::MAX`.
    pub(crate) fn due(&self, sample: u64, t_s: f64, dt_s: f64) -> u64 {
        if t_s - self.entered_s < self.ramp_s {
            return sample + 1;
        }
        // Early by more than what counts as that sample and any rounding: looking a sample early finds nothing new. The
        // cast takes what is before the start to 0 and what never comes to the largest number.
        let before = self.next.at_s / dt_s * (1.0 - 1e-15) - 2e-6;
        (before as u64).max(sample).saturating_add(1)
    }

    /// Level at `t_s`: on the way in a straight line, then at rest. The spread moves with the mean.
    pub(crate) fn at(&self, t_s: f64) -> Point {
        // Entered a rounding error ahead of the sample: at the start of the way, not before it.
        let since = (t_s - self.entered_s).max(0.0);
        if since >= self.ramp_s {
            return self.to;
        }
        let share = since / self.ramp_s;
        Point {
            mean_w: self.from.mean_w + share * (self.to.mean_w - self.from.mean_w),
            sigma_w: self.from.sigma_w + share * (self.to.sigma_w - self.from.sigma_w),
        }
    }
}

fn rest(table: &ProfileTable, phase: PhaseKind) -> Point {
    let level = table.level(phase);
    Point {
        mean_w: level.power_w,
        sigma_w: level.sigma_w,
    }
}
