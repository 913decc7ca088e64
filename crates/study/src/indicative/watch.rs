//! What goes along with a realisation, and what comes of it.

use rayon::prelude::*;

use super::follow::{AtCorner, Follower, LeadIn, Stretch};
use super::moments::{COLLAPSE, FIGURES, worse};
use super::outcome::Ranges;
use super::recorder::{Capture, Recorder};
use crate::demand::Demand;
use crate::error::StudyError;
use crate::outcome::Extreme;
use crate::plant_collect::PlantCollector;
use crate::realisation::{BLOCK, Shared};

/// Steps of the plant that its collector keeps back before it looks at swings.
const LATE_STEPS: usize = 4096;

/// Goes along with a realisation.
pub(crate) enum Watch {
    /// A follower at every corner.
    Whole(Vec<Follower>),
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

impl Watch {
    /// For a realisation whose run has samples `first` on; none where nothing is to be looked at.
    pub(crate) fn new(
        shared: &Shared<'_>,
        realisation: u32,
        first: u64,
        samples: u64,
    ) -> Option<Self> {
        let scenario = shared.scenario;
        match shared.plan.ranges {
            Ranges::Off | Ranges::RunAlone | Ranges::NoneStated => None,
            Ranges::WholeRun => {
                let jumps = Demand::jumping(scenario, shared.inputs, first);
                let stretch = Stretch {
                    first,
                    counts_from: first,
                    samples,
                    realisation,
                };
                let corners = shared.plan.corners.iter();
                Some(Self::Whole(
                    corners
                        .map(|c| {
                            Follower::new(scenario, &c.plant, jumps.jumps_alone(), stretch, None)
                        })
                        .collect(),
                ))
            }
            Ranges::WorstMoments => {
                let parts = scenario.simulation.plant_parts() as usize;
                let run = (first, first + samples - 1);
                let late = LATE_STEPS.div_ceil(parts);
                let recorder = Recorder::new(scenario, run, realisation, BLOCK, late);
                Some(Self::Moments(Box::new(recorder)))
            }
        }
    }

    /// Takes the next samples of the continuous part of the load, after the run has taken them.
    pub(crate) fn take(
        &mut self,
        w: &[f64],
        var: &[f64],
        figures: &PlantCollector,
        collapsed_at_s: Option<f64>,
    ) {
        match self {
            Self::Whole(followers) => followers.par_iter_mut().for_each(|f| f.take(w, var)),
            Self::Moments(recorder) => {
                let mut worst = figures.worst_so_far();
                worst[COLLAPSE] = collapsed_at_s.map(|at_s| Extreme {
                    value: 0.0,
                    at_s,
                    realisation: recorder.realisation,
                });
                recorder.take(w, var, &worst);
            }
        }
    }

    pub(crate) fn finish(self) -> Watched {
        match self {
            Self::Whole(followers) => Watched {
                corners: followers.into_iter().map(Follower::finish).collect(),
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
            let (new, n) = (capture.stretch, capture.w.len());
            let near = |old: &Capture| {
                let old_end = old.stretch.first + old.w.len() as u64;
                let apart = old.stretch.first.abs_diff(new.first);
                let end = new.first + n as u64;
                // Both ends hardly differ: the moments are within a tenth of the stretch.
                old.stretch.realisation == new.realisation
                    && apart.max(old_end.abs_diff(end)) <= n as u64 / 10
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
    let corners = &shared.plan.corners;
    let tasks: Vec<(usize, usize)> = (0..corners.len())
        .flat_map(|corner| (0..stretches.len()).map(move |s| (corner, s)))
        .collect();
    // With the loads that jump as they are at the start.
    let at_start = Demand::jumping(scenario, shared.inputs, scenario.simulation.first_sample());
    let jumps: Vec<Demand> = stretches
        .iter()
        .map(|s| Demand::jumping(scenario, shared.inputs, s.stretch.first))
        .collect();
    let done: Vec<Result<AtCorner, StudyError>> = tasks
        .into_par_iter()
        .map(|(corner, s)| {
            let (plant, jumps) = (&corners[corner].plant, jumps[s].jumps_alone());
            let s = &stretches[s];
            let lead_in = s.lead_in.map(|l| LeadIn {
                load: at_start.with_jumps(l.load.0, l.load.1),
                ..l
            });
            let mut follower = Follower::new(scenario, plant, jumps, s.stretch, lead_in);
            for (w, var) in s.w.chunks(BLOCK).zip(s.var.chunks(BLOCK)) {
                if shared.progress.observer.cancelled() {
                    return Err(StudyError::Interrupted {
                        at_s: s.worst.at_s,
                        realisation: s.stretch.realisation,
                    });
                }
                follower.take(w, var);
            }
            Ok(follower.finish())
        })
        .collect();
    worst.corners.clear();
    worst.corners.resize_with(corners.len(), Vec::new);
    for (i, result) in done.into_iter().enumerate() {
        worst.corners[i / stretches.len()].push(result?);
    }
    Ok(())
}
