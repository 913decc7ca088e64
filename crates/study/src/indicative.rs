//! INDICATIVE verdicts: which rest on weak constants of the sets, and how they come out over the ranges stated with these.
//!
//! ```text
//! weak constants of the sets (plant: weak_parameters, variants) ──► corners: whole plants, some constants at an end of their range
//! the load of each realisation, block by block ──► followers: plants with their figures at the corners, beside the run
//!                            or, where that is too much work, ──► recorder: the load around the worst moment of each figure; followers afterwards
//! figures at the corners ──► Indicative of each verdict that rests on the sets
//! ```
//!
//! The load is simulated once, whatever the number of corners. Corners bound nothing between or beyond them, and say nothing of how probable they are.

mod corners;
mod follow;
mod judge;
mod moments;
mod outcome;
mod recorder;
mod watch;
mod weak;
mod words;

use ballast_scenario::{RangeCorners, Scenario};

pub(crate) use corners::Corner;
pub(crate) use follow::AtCorner;
pub(crate) use judge::{Case, Rest, indicative};
pub(crate) use moments::Figures;
pub use outcome::{Indicative, Ranges, WeakConstant};
pub(crate) use watch::{Watch, Watched, Worst, windows};
pub(crate) use words::{assumptions, of_failure, summary};

/// Most work at the corners beside a whole run, in steps of one entry of sets: some 3 s of processor time.
const MOST_STEPS: u64 = 5_000_000;

/// What is done about the weak constants of a run's sets.
pub(crate) struct Plan {
    /// Every weak constant of the sets, in the order of the sets.
    pub(crate) weak: Vec<WeakConstant>,
    /// Corners that are run.
    pub(crate) corners: Vec<Corner>,
    /// Why some corners of the ranges are not run.
    pub(crate) left_out: Option<String>,
    /// How far they are followed.
    pub(crate) ranges: Ranges,
}

impl Plan {
    /// For the runs of a failure in the run that this is for: `whole` samples in all from the run's start, `stretches` of these around the failure.
    pub(crate) fn of_failure(
        &self,
        scenario: &Scenario,
        whole: u64,
        stretches: (u64, u64),
    ) -> Self {
        let simulation = &scenario.simulation;
        let sets = scenario.plant.as_ref().map_or(0, |p| p.sets.len());
        let each = u64::from(simulation.plant_parts()) * (sets * self.corners.len()) as u64;
        let (samples, runs) = stretches;
        let lead_s = follow::LEAD_IN_S + recorder::SETTLE_S;
        let led = samples + runs * (lead_s / simulation.step_s).ceil() as u64;
        let ranges = match self.ranges {
            Ranges::NoneStated | Ranges::Off => self.ranges,
            _ if scenario.outputs.range_corners == RangeCorners::Full => Ranges::WholeRun,
            _ if whole * each <= MOST_STEPS => Ranges::WholeRun,
            _ if led * each <= MOST_STEPS => Ranges::Stretch,
            _ => Ranges::RunAlone,
        };
        let looked = matches!(ranges, Ranges::WholeRun | Ranges::Stretch);
        Self {
            weak: self.weak.clone(),
            corners: if looked {
                self.corners.clone()
            } else {
                Vec::new()
            },
            left_out: None,
            ranges,
        }
    }

    /// For a run of `samples` samples of `scenario`.
    pub(crate) fn new(scenario: &Scenario, samples: u64) -> Self {
        let Some(plant) = &scenario.plant else {
            return Self {
                weak: Vec::new(),
                corners: Vec::new(),
                left_out: None,
                ranges: Ranges::NoneStated,
            };
        };
        let weak = weak::constants(plant);
        let (corners, left_out) = corners::corners(plant);
        let simulation = &scenario.simulation;
        let steps = samples
            * u64::from(simulation.plant_parts())
            * u64::from(simulation.realisations)
            * (plant.sets.len() * corners.len()) as u64;
        let ranges = match scenario.outputs.range_corners {
            _ if corners.is_empty() => Ranges::NoneStated,
            RangeCorners::Off => Ranges::Off,
            RangeCorners::Auto if steps > MOST_STEPS => Ranges::WorstMoments,
            RangeCorners::Auto | RangeCorners::Full => Ranges::WholeRun,
        };
        let corners = match ranges {
            Ranges::Off => Vec::new(),
            _ => corners,
        };
        Self {
            weak,
            corners,
            left_out,
            ranges,
        }
    }
}
