//! Plants at corners of the ranges, under the load of the run.

use ballast_plant::{Plant, PlantError, PlantSpec, StepStatus};
use ballast_scenario::Scenario;

use super::Corner;
use crate::bess::SiteBess;
use crate::collect::Span;
use crate::demand::Demand;
use crate::merge::{PerRealisation, PlantExtremes};
use crate::plant_collect::PlantCollector;
use crate::realisation::{AtBus, One, Point, Supply, step};
use crate::strike::{Strike, StrikePlan};

/// Corners that follow a load together, on one thread.
pub(crate) const TOGETHER: usize = 4;

/// Time in which a plant's load comes from that of the run's start to that of a stretch amid it, seconds.
pub(crate) const LEAD_IN_S: f64 = 20.0;

/// Halvings of the step that are tried.
const FINER: u32 = 4;

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
    /// Number of the sample from which there are plants: before it, the load moves batteries alone.
    pub(crate) plants_from: u64,
    /// Number of the first sample whose figures count: before it the plants settle.
    pub(crate) counts_from: u64,
    /// Samples, the first included.
    pub(crate) samples: u64,
    pub(crate) realisation: u32,
}

impl Stretch {
    /// Number of the sample after the last.
    pub(crate) fn end(&self) -> u64 {
        self.first + self.samples
    }
}

/// How plants come to a stretch amid the run: from the run's own start, whose equilibrium sets their references, in a straight line.
#[derive(Clone, Copy)]
pub(crate) struct LeadIn {
    /// Load at the start of the run, watts and vars; none: that of the first sample handed over.
    pub(crate) load: Option<(f64, f64)>,
    /// Time from there to the first sample with plants, seconds.
    pub(crate) lasts_s: f64,
}

impl LeadIn {
    /// To a sample `samples` after the run's start.
    pub(crate) fn over(samples: u64, dt_s: f64, load: Option<(f64, f64)>) -> Self {
        Self {
            load,
            lasts_s: LEAD_IN_S.min(samples as f64 * dt_s),
        }
    }
}

/// What stands at the bus beside the load that is handed over: the same for all corners.
pub(crate) struct Bus {
    /// The loads that jump, as they are at the start of the stretch.
    pub(crate) jumps: Demand,
    /// As it is there.
    pub(crate) bess: SiteBess,
}

/// One plant with its figures.
struct Follower<'a> {
    spec: PlantSpec,
    /// None before the start, and if it could not.
    plant: Option<Plant>,
    figures: PlantCollector,
    strike: Option<Strike<'a>>,
    collapsed_at_s: Option<f64>,
    no_start: Option<String>,
    unusable: Option<String>,
}

impl Follower<'_> {
    fn over(&self) -> bool {
        self.collapsed_at_s.is_some() || self.no_start.is_some() || self.unusable.is_some()
    }

    /// Its plant in equilibrium at `load`; none where there is no such thing, which is noted.
    fn start(&mut self, load: (f64, f64), mut step_s: f64, tripped: bool) -> Option<Plant> {
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
            Ok(plant) => return Some(plant),
            Err(error @ (PlantError::StepTooCoarse { .. } | PlantError::Spec { .. })) => {
                self.unusable = Some(error.to_string());
            }
            // Sets that have tripped meanwhile need not carry what the run started with.
            Err(error) if tripped => {
                self.unusable = Some(format!("no equilibrium to lead in from: {error}"));
            }
            Err(error) => self.no_start = Some(error.to_string()),
        }
        None
    }
}

/// The plants with their figures, and the failure that is to come.
struct Flock<'a> {
    each: Vec<Follower<'a>>,
    to_fail: Option<&'a StrikePlan<'a>>,
}

impl Flock<'_> {
    fn status(&self) -> StepStatus {
        let mut plants = self.each.iter().filter_map(|f| f.plant.as_ref());
        if plants.any(|p| p.status() == StepStatus::Running) {
            StepStatus::Running
        } else {
            StepStatus::Collapsed
        }
    }
}

impl Supply for Flock<'_> {
    fn advance(&mut self, h_s: f64, start: (f64, f64), end: (f64, f64)) -> StepStatus {
        for follower in &mut self.each {
            if let (false, Some(plant)) = (follower.over(), &mut follower.plant) {
                plant.advance_with_reactive(h_s, start, end);
            }
        }
        self.status()
    }

    fn fails_before(&self, t_s: f64) -> Option<f64> {
        self.to_fail?.before(t_s)
    }

    fn fail(&mut self, at: Point, demand: &mut Demand) -> StepStatus {
        let Some(plan) = self.to_fail.take_if(|p| p.is_due(at.t_s)) else {
            return StepStatus::Running;
        };
        let lost = plan.on_load(demand, (at.w, at.var));
        for follower in &mut self.each {
            if let (Some(plant), Some(strike)) = (&mut follower.plant, &mut follower.strike)
                && plant.status() == StepStatus::Running
            {
                strike.on_sets(plant, lost);
            }
        }
        self.status()
    }
}

/// Plants at some corners with their figures, which follow a load handed to them.
pub(crate) struct Followers<'a> {
    flock: Flock<'a>,
    bus: Bus,
    stretch: Stretch,
    lead_in: Option<LeadIn>,
    /// Whether sets have tripped before there are plants, so that these need not carry what the run started with.
    tripped: bool,
    dt_s: f64,
    parts: u32,
    end_s: f64,
    /// Samples taken.
    taken: u64,
    previous: Point,
}

impl<'a> Followers<'a> {
    /// `corners` with the times of the scenario.
    pub(crate) fn new(
        scenario: &Scenario,
        corners: &[Corner],
        bus: Bus,
        stretch: Stretch,
        lead_in: Option<LeadIn>,
        to_fail: Option<&'a StrikePlan<'a>>,
    ) -> Self {
        let simulation = &scenario.simulation;
        let (dt_s, parts) = (simulation.step_s, simulation.plant_parts());
        let span = Span {
            dt_s: simulation.plant_step(),
            first: stretch.counts_from * u64::from(parts),
            samples: (stretch.end() - stretch.counts_from).saturating_sub(1) * u64::from(parts) + 1,
            realisation: stretch.realisation,
            curves: false,
        };
        let start_s = stretch.plants_from as f64 * dt_s;
        let begin_s = start_s - lead_in.map_or(0.0, |l| l.lasts_s);
        let follower = |corner: &Corner| Follower {
            spec: corner.plant.starting_at(begin_s),
            plant: None,
            figures: PlantCollector::new(&corner.plant, &scenario.limits, span),
            strike: to_fail.map(|plan| Strike::new(plan, scenario, span)),
            collapsed_at_s: None,
            no_start: None,
            unusable: None,
        };
        let mut trips = corners.iter().flat_map(|c| &c.plant.trips);
        Self {
            tripped: lead_in.is_some() && trips.any(|t| t.at_s < start_s),
            flock: Flock {
                each: corners.iter().map(follower).collect(),
                to_fail,
            },
            bus,
            stretch,
            lead_in,
            dt_s,
            parts,
            end_s: simulation.end_s(),
            taken: 0,
            previous: Point::default(),
        }
    }

    /// Takes the next samples of the continuous part of the load, active and reactive, watts and vars.
    pub(crate) fn take(&mut self, w: &[f64], var: &[f64]) {
        for (w, var) in w.iter().zip(var) {
            if self.flock.each.iter().all(Follower::over) {
                return;
            }
            let k = self.stretch.first + self.taken;
            let line = Point {
                t_s: k as f64 * self.dt_s,
                w: *w,
                var: *var,
            };
            if self.taken == 0 {
                self.lead(line);
            } else {
                self.sample(k, line);
            }
            if k == self.stretch.plants_from {
                self.start(line);
                self.look(line.t_s, k == self.stretch.counts_from);
            }
            self.previous = line;
            self.taken += 1;
        }
    }

    /// From the first sample, if that is where the run starts.
    fn lead(&mut self, line: Point) {
        if let Some(lead_in) = &mut self.lead_in {
            let here = self.bus.jumps.with_jumps(line.w, line.var);
            lead_in.load.get_or_insert(here);
        }
    }

    fn start(&mut self, line: Point) {
        let (w, var) = self.bus.jumps.with_jumps(line.w, line.var);
        let first = (w + self.bus.bess.power_w(), var);
        let load = self.lead_in.and_then(|l| l.load).unwrap_or(first);
        let step_s = self.dt_s / f64::from(self.parts);
        for follower in &mut self.flock.each {
            follower.plant = follower.start(load, step_s, self.tripped);
            if let (Some(lead_in), Some(plant)) = (self.lead_in, &mut follower.plant)
                && plant.advance_with_reactive(lead_in.lasts_s, load, first)
                    == StepStatus::Collapsed
            {
                follower.collapsed_at_s = Some(line.t_s);
            }
        }
        self.flock.fail(line, &mut self.bus.jumps);
    }

    /// Goes on to sample `k`, which is `line`.
    fn sample(&mut self, k: u64, line: Point) {
        let started = k > self.stretch.plants_from;
        if !started && self.bus.bess.each().is_empty() {
            self.bus.jumps.apply_jumps(line.t_s);
            return;
        }
        let mut from = self.previous;
        for part in 1..=self.parts {
            let to = if part == self.parts {
                line
            } else {
                let share = f64::from(part) / f64::from(self.parts);
                self.previous.towards(line, share)
            };
            let at_bus = AtBus {
                demand: &mut self.bus.jumps,
                bess: &mut self.bus.bess,
            };
            if started {
                step(&mut self.flock, at_bus, from, to);
                let counts_from = self.stretch.counts_from;
                let counts = k > counts_from || (k == counts_from && part == self.parts);
                self.look(to.t_s, counts);
            } else {
                step(&mut One::nothing(), at_bus, from, to);
            }
            from = to;
        }
    }

    /// Looks at every plant as it stands at `at_s`: whether it still runs, and its figures if they count.
    fn look(&mut self, at_s: f64, counts: bool) {
        let lead_s = self.lead_in.map_or(0.0, |l| l.lasts_s);
        let begin_s = self.stretch.plants_from as f64 * self.dt_s - lead_s;
        for follower in self.flock.each.iter_mut().filter(|f| !f.over()) {
            let Some(plant) = &follower.plant else {
                continue;
            };
            let collapsed = plant.status() == StepStatus::Collapsed;
            if !collapsed && !counts {
                continue;
            }
            if !collapsed && !plant.speed_pu().is_finite() {
                follower.unusable = Some("its speed is not a number".to_owned());
                continue;
            }
            if counts {
                follower.figures.take(plant);
                if let Some(strike) = &mut follower.strike {
                    strike.take(plant, at_s);
                }
            }
            if collapsed {
                let collapsed_at_s = begin_s + plant.time_s();
                follower.collapsed_at_s = Some(collapsed_at_s);
                let left_s = (self.end_s - collapsed_at_s).max(0.0);
                follower.figures.collapse(plant, collapsed_at_s, left_s);
            }
        }
    }

    /// Closes the figures, corner by corner.
    pub(crate) fn finish(self) -> Vec<AtCorner> {
        let whole = self.taken >= self.stretch.samples;
        let start_s = self.stretch.plants_from as f64 * self.dt_s;
        let end_s = (self.stretch.first + self.taken).saturating_sub(1) as f64 * self.dt_s;
        let realisation = self.stretch.realisation;
        let at_corner = |follower: Follower<'_>| AtCorner {
            complete: whole || follower.over(),
            figures: PerRealisation {
                realisation,
                horizon_s: (follower.collapsed_at_s.unwrap_or(end_s) - start_s).max(0.0),
                collapsed_at_s: follower
                    .collapsed_at_s
                    .or_else(|| follower.no_start.is_some().then_some(start_s)),
                site_peak: None,
                site_quantile_w: None,
                no_start: follower.no_start,
                plant: follower
                    .plant
                    .map(|_| PlantExtremes::from(follower.figures.finish())),
                rack_worst: Vec::new(),
                load: None,
                tripped: Vec::new(),
                reserve: None,
                moments: Vec::new(),
                strike: follower.strike.map(Strike::finish),
            },
            unusable: follower.unusable,
        };
        self.flock.each.into_iter().map(at_corner).collect()
    }
}
