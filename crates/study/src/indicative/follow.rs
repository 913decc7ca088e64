//! A plant at a corner of the ranges, under the load of the run.

use ballast_plant::{Plant, PlantError, PlantSpec, StepStatus};
use ballast_scenario::Scenario;

use crate::bess::SiteBess;
use crate::collect::Span;
use crate::demand::Demand;
use crate::merge::{PerRealisation, PlantExtremes};
use crate::plant_collect::PlantCollector;
use crate::realisation::{AtBus, Point, step};

/// What came of one stretch at one corner.
pub(crate) struct AtCorner {
    pub(crate) figures: PerRealisation,
    /// Why the corner could not be computed there.
    pub(crate) unusable: Option<String>,
    /// Whether it was followed to the end of the stretch, or to a collapse of its own.
    pub(crate) complete: bool,
}

/// Where a stretch lies and what of it counts.
#[derive(Clone, Copy)]
pub(crate) struct Stretch {
    /// Number of the load's first sample.
    pub(crate) first: u64,
    /// Number of the first sample whose figures count: before it the plant settles.
    pub(crate) counts_from: u64,
    /// Samples, the first included.
    pub(crate) samples: u64,
    pub(crate) realisation: u32,
}

/// How a plant comes to a stretch amid the run: from the run's own start, whose equilibrium sets its references, in a straight line.
#[derive(Clone, Copy)]
pub(crate) struct LeadIn {
    /// Load at the start of the run, watts and vars.
    pub(crate) load: (f64, f64),
    /// Time from there to the first sample of the stretch, seconds.
    pub(crate) lasts_s: f64,
}

/// A plant with its figures that follows a load handed to it. It has the loads that jump by itself.
pub(crate) struct Follower {
    spec: PlantSpec,
    plant: Option<Plant>,
    /// The loads that jump.
    jumps: Demand,
    /// At rest at the start of the stretch, with the charge that they start the run with.
    bess: SiteBess,
    figures: PlantCollector,
    stretch: Stretch,
    lead_in: Option<LeadIn>,
    /// Whether sets of the plant have tripped before the stretch.
    tripped: bool,
    dt_s: f64,
    parts: u32,
    end_s: f64,
    /// Samples taken.
    taken: u64,
    previous: Point,
    collapsed_at_s: Option<f64>,
    no_start: Option<String>,
    unusable: Option<String>,
}

impl Follower {
    /// `spec` with the times of the scenario, `jumps` as they are at the start of the stretch.
    pub(crate) fn new(
        scenario: &Scenario,
        spec: &PlantSpec,
        jumps: Demand,
        stretch: Stretch,
        lead_in: Option<LeadIn>,
    ) -> Self {
        let simulation = &scenario.simulation;
        let parts = simulation.plant_parts();
        let counted = stretch.samples - (stretch.counts_from - stretch.first);
        let span = Span {
            dt_s: simulation.plant_step(),
            first: stretch.counts_from * u64::from(parts),
            samples: counted.saturating_sub(1) * u64::from(parts) + 1,
            realisation: stretch.realisation,
            curves: false,
        };
        let start_s = stretch.first as f64 * simulation.step_s;
        Self {
            spec: spec.starting_at(start_s - lead_in.map_or(0.0, |l| l.lasts_s)),
            lead_in,
            tripped: spec.trips.iter().any(|t| t.at_s < start_s),
            plant: None,
            jumps,
            bess: SiteBess::new(&scenario.bess),
            figures: PlantCollector::new(spec, &scenario.limits, span),
            stretch,
            dt_s: simulation.step_s,
            parts,
            end_s: simulation.end_s(),
            taken: 0,
            previous: Point::default(),
            collapsed_at_s: None,
            no_start: None,
            unusable: None,
        }
    }

    fn over(&self) -> bool {
        self.collapsed_at_s.is_some() || self.no_start.is_some() || self.unusable.is_some()
    }

    /// Takes the next samples of the continuous part of the load, active and reactive, watts and vars.
    pub(crate) fn take(&mut self, w: &[f64], var: &[f64]) {
        for (w, var) in w.iter().zip(var) {
            if self.over() {
                return;
            }
            let k = self.stretch.first + self.taken;
            let line = Point {
                t_s: k as f64 * self.dt_s,
                w: *w,
                var: *var,
            };
            if self.taken == 0 {
                self.start(line);
            } else {
                self.sample(line, k > self.stretch.counts_from);
            }
            if k == self.stretch.counts_from {
                self.look();
            }
            self.previous = line;
            self.taken += 1;
        }
    }

    fn start(&mut self, line: Point) {
        let first = self.jumps.with_jumps(line.w, line.var);
        let load = self.lead_in.map_or(first, |l| l.load);
        let mut step_s = self.dt_s / f64::from(self.parts);
        let mut started = Plant::with_reactive(&self.spec, load, step_s);
        // Less inertia or more gain may need finer steps than the set as it stands.
        if let Err(PlantError::StepTooCoarse { .. }) = &started {
            for _ in 0..FINER {
                step_s *= 0.5;
                started = Plant::with_reactive(&self.spec, load, step_s);
                if !matches!(started, Err(PlantError::StepTooCoarse { .. })) {
                    break;
                }
            }
        }
        match started {
            Ok(mut plant) => {
                if let Some(lead_in) = self.lead_in
                    && plant.advance_with_reactive(lead_in.lasts_s, load, first)
                        == StepStatus::Collapsed
                {
                    self.collapsed_at_s = Some(line.t_s);
                }
                self.plant = Some(plant);
            }
            Err(error @ (PlantError::StepTooCoarse { .. } | PlantError::Spec { .. })) => {
                self.unusable = Some(error.to_string());
            }
            // Sets that have tripped meanwhile need not carry what the run started with.
            Err(error) if self.lead_in.is_some() && self.tripped => {
                self.unusable = Some(format!("no equilibrium to lead in from: {error}"));
            }
            Err(error) => self.no_start = Some(error.to_string()),
        }
    }

    /// Goes on to the sample `line`.
    fn sample(&mut self, line: Point, counts: bool) {
        let mut from = self.previous;
        for part in 1..=self.parts {
            let to = if part == self.parts {
                line
            } else {
                let share = f64::from(part) / f64::from(self.parts);
                self.previous.towards(line, share)
            };
            let at_bus = AtBus {
                demand: &mut self.jumps,
                bess: &mut self.bess,
            };
            let (status, _) = step(self.plant.as_mut(), at_bus, None, from, to);
            let Some(plant) = &self.plant else { return };
            if status == StepStatus::Collapsed {
                let start_s = self.stretch.first as f64 * self.dt_s;
                let lead_s = self.lead_in.map_or(0.0, |l| l.lasts_s);
                let at_s = start_s - lead_s + plant.time_s();
                self.collapsed_at_s = Some(at_s);
                if counts {
                    self.figures.take(plant);
                }
                let left_s = (self.end_s - at_s).max(0.0);
                self.figures.collapse(plant, at_s, left_s);
                return;
            }
            if counts {
                self.look();
            }
            if self.over() {
                return;
            }
            from = to;
        }
    }

    fn look(&mut self) {
        let Some(plant) = &self.plant else { return };
        if plant.speed_pu().is_finite() {
            self.figures.take(plant);
        } else {
            self.unusable = Some("its speed is not a number".to_owned());
        }
    }

    /// Closes the figures.
    pub(crate) fn finish(self) -> AtCorner {
        let complete = self.over() || self.taken >= self.stretch.samples;
        let horizon_s = self.taken.saturating_sub(1) as f64 * self.dt_s;
        let started = self.plant.is_some();
        let start_s = self.stretch.first as f64 * self.dt_s;
        AtCorner {
            figures: PerRealisation {
                realisation: self.stretch.realisation,
                horizon_s,
                collapsed_at_s: self
                    .collapsed_at_s
                    .or_else(|| self.no_start.is_some().then_some(start_s)),
                site_peak: None,
                site_quantile_w: None,
                no_start: self.no_start,
                plant: started.then(|| PlantExtremes::from(self.figures.finish())),
                rack_worst: Vec::new(),
                load: None,
                tripped: Vec::new(),
                reserve: None,
                moments: Vec::new(),
                strike: None,
            },
            unusable: self.unusable,
            complete,
        }
    }
}

/// Halvings of the step that are tried.
const FINER: u32 = 4;
