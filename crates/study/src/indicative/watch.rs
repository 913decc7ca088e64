//! What goes along with a realisation, and what comes of it.

use rayon::prelude::*;

use super::follow::{AtCorner, Bus, Followers, LeadIn, Stretch, TOGETHER};
use super::moments::{COLLAPSE, FIGURES, worse};
use super::outcome::Ranges;
use super::recorder::{Capture, Recorder, SETTLE_S};
use crate::bess::SiteBess;
use crate::demand::Demand;
use crate::error::StudyError;
use crate::outcome::Extreme;
use crate::plant_collect::PlantCollector;
use crate::realisation::{BLOCK, Shared};

/// Steps of the plant that its collector keeps back before it looks at swings.
const LATE_STEPS: usize = 4096;

/// Goes along with a realisation.
pub(crate) enum Watch<'a> {
    /// Followers at every corner.
    Beside(Vec<Followers<'a>>),
    /// The load around the worst moments.
    Moments(Box<Recorder>),
}

/// What a realisation leaves.
#[derive(Default)]
pub(crate) struct Watched {
    /// At every corner, in their order; empty unless the corners went along.
    pub(crate) corners: Vec<AtCorner>,
    captures: Vec<Capture>,
}

impl<'a> Watch<'a> {
    /// For a realisation whose load has samples from `begin` on, and whose figures are of `samples` samples from `first` on; none where nothing is
    /// to be looked at.
    pub(crate) fn new(
        shared: &'a Shared<'a>,
        realisation: u32,
        (begin, first): (u64, u64),
        samples: u64,
    ) -> Option<Self> {
        let scenario = shared.scenario;
        let dt_s = scenario.simulation.step_s;
        let plants_from = match shared.plan.ranges {
            Ranges::Off | Ranges::RunAlone | Ranges::NoneStated => return None,
            Ranges::WorstMoments => {
                let parts = scenario.simulation.plant_parts() as usize;
                let run = (first, first + samples - 1);
                let late = LATE_STEPS.div_ceil(parts);
                let recorder = Recorder::new(scenario, run, realisation, BLOCK, late);
                return Some(Self::Moments(Box::new(recorder)));
            }
            Ranges::WholeRun => begin,
            Ranges::Stretch => first
                .saturating_sub((SETTLE_S / dt_s).ceil() as u64)
                .max(begin),
        };
        let whole = shared.strike.map_or(scenario, |s| s.whole);
        let jumps = Demand::at_sample(whole, shared.inputs, begin);
        let stretch = Stretch {
            first: begin,
            plants_from,
            counts_from: first,
            samples: first - begin + samples,
            realisation,
        };
        let lead_in = (plants_from > begin).then(|| LeadIn::over(plants_from - begin, dt_s, None));
        let followers = |corners| {
            let bus = Bus {
                jumps: jumps.clone(),
                bess: SiteBess::new(&scenario.bess),
            };
            Followers::new(scenario, corners, bus, stretch, lead_in, shared.strike)
        };
        let corners = shared.plan.corners.chunks(TOGETHER);
        Some(Self::Beside(corners.map(followers).collect()))
    }

    /// Takes the next samples of the continuous part of the load, active and reactive, after the run has taken them and has come to `bess`.
    pub(crate) fn take(
        &mut self,
        (w, var): (&[f64], &[f64]),
        figures: &PlantCollector,
        collapsed_at_s: Option<f64>,
        bess: &SiteBess,
    ) {
        match self {
            Self::Beside(followers) => followers.par_iter_mut().for_each(|f| f.take(w, var)),
            Self::Moments(recorder) => {
                let mut worst = figures.worst_so_far();
                worst[COLLAPSE] = collapsed_at_s.map(|at_s| Extreme {
                    value: 0.0,
                    at_s,
                    realisation: recorder.realisation,
                });
                recorder.take(w, var, &worst, bess);
            }
        }
    }

    pub(crate) fn finish(self) -> Watched {
        match self {
            Self::Beside(followers) => Watched {
                corners: followers.into_iter().flat_map(Followers::finish).collect(),
                captures: Vec::new(),
            },
            Self::Moments(recorder) => Watched {
                corners: Vec::new(),
                captures: recorder.finish().into_iter().flatten().collect(),
            },
        }
    }
}

/// The worst of all realisations.
#[derive(Default)]
pub(crate) struct Worst {
    /// For each corner what came of it, realisation by realisation or stretch by stretch.
    pub(crate) corners: Vec<Vec<AtCorner>>,
    captures: [Option<Capture>; FIGURES],
}

impl Worst {
    /// Adds what the next realisation left.
    pub(crate) fn add(&mut self, watched: Watched) {
        if self.corners.is_empty() {
            self.corners.resize_with(watched.corners.len(), Vec::new);
        }
        for (all, one) in self.corners.iter_mut().zip(watched.corners) {
            all.push(one);
        }
        for capture in watched.captures {
            let place = &mut self.captures[capture.figure];
            let better = place
                .as_ref()
                .is_none_or(|old| worse(capture.figure, capture.worst.value, old.worst.value));
            if better {
                *place = Some(capture);
            }
        }
    }

    /// The stretches to follow: of those that lie well within another one the earlier figure's.
    fn stretches(&mut self) -> Vec<Capture> {
        let mut chosen: Vec<Capture> = Vec::new();
        for capture in self.captures.iter_mut().filter_map(Option::take) {
            let (new, end) = (capture.stretch, capture.end());
            let n = end - new.plants_from;
            let near = |old: &Capture| {
                let apart = old.stretch.plants_from.abs_diff(new.plants_from);
                // Both ends hardly differ: the moments are within a tenth of the stretch.
                old.stretch.realisation == new.realisation
                    && apart.max(old.end().abs_diff(end)) <= n / 10
            };
            if !chosen.iter().any(near) {
                chosen.push(capture);
            }
        }
        chosen
    }
}

/// Follows the corners through the worst moments; nothing unless that is what was planned.
///
/// # Errors
/// [`StudyError::Interrupted`] when the observer asks to stop.
pub(crate) fn windows(shared: &Shared<'_>, worst: &mut Worst) -> Result<(), StudyError> {
    if shared.plan.ranges != Ranges::WorstMoments {
        return Ok(());
    }
    let stretches = worst.stretches();
    let scenario = shared.scenario;
    let corners: Vec<_> = shared.plan.corners.chunks(TOGETHER).collect();
    let tasks: Vec<(usize, usize)> = (0..corners.len())
        .flat_map(|some| (0..stretches.len()).map(move |s| (some, s)))
        .collect();
    // With the loads that jump as they are at the start.
    let at_start = Demand::at_sample(scenario, shared.inputs, scenario.simulation.first_sample());
    let jumps: Vec<Demand> = stretches
        .iter()
        .map(|s| Demand::at_sample(scenario, shared.inputs, s.stretch.first))
        .collect();
    let done: Vec<Result<Vec<AtCorner>, StudyError>> = tasks
        .into_par_iter()
        .map(|(some, s)| {
            let bus = Bus {
                jumps: jumps[s].clone(),
                bess: stretches[s].bess.clone(),
            };
            let s = &stretches[s];
            let lead_in = s.lead_in.map(|l| LeadIn {
                load: l.load.map(|(w, var)| at_start.with_jumps(w, var)),
                ..l
            });
            let mut followers =
                Followers::new(scenario, corners[some], bus, s.stretch, lead_in, None);
            for (w, var) in s.w.chunks(BLOCK).zip(s.var.chunks(BLOCK)) {
                if shared.progress.observer.cancelled() {
                    return Err(StudyError::Interrupted {
                        at_s: s.worst.at_s,
                        realisation: s.stretch.realisation,
                    });
                }
                followers.take(w, var);
            }
            Ok(followers.finish())
        })
        .collect();
    worst.corners.clear();
    worst
        .corners
        .resize_with(shared.plan.corners.len(), Vec::new);
    for (i, result) in done.into_iter().enumerate() {
        let first = i / stretches.len() * TOGETHER;
        for (corner, at) in worst.corners[first..].iter_mut().zip(result?) {
            corner.push(at);
        }
    }
    Ok(())
}
