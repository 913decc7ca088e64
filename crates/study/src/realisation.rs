//! One realisation: demand into the plant, step by step, with figures gathered and traces handed out.

use std::sync::atomic::{AtomicU64, Ordering};

use ballast_aggregate::{
    ClampReport, DemandBlock, FacilityReport, Site, SmoothingReport, TrafficReport, TransferReport,
};
use ballast_buffer::Books;
use ballast_plant::{Plant, StepStatus, Tripped};
use ballast_scenario::Scenario;
use ballast_series::{TraceSink, sample_count};

use crate::ahead::{Ahead, LoadResult};
use crate::bess::SiteBess;
use crate::collect::{SiteCollector, SiteResult, Span};
use crate::columns::Columns;
use crate::demand::Demand;
use crate::design;
use crate::diversity::Diversities;
use crate::error::StudyError;
use crate::indicative::{Plan, Watch, Watched};
use crate::inputs::Inputs;
use crate::load_limits::{LoadCollector, LoadFigures};
use crate::moments::{Moments, Reserve, ReserveAt};
use crate::observer::Observer;
use crate::plant_collect::{PlantCollector, PlantResult};
use crate::rack_collect::GroupResult;
use crate::residual;
use crate::resonance::{Record, Recorder};
use crate::storage::StorageResult;
use crate::storage_curves::{CurvesCollector, StorageCurves};
use crate::strike::{Strike, StrikePlan, StrikeResult};

/// Steps handled at a time. Bounds memory; nothing in the result depends on it.
pub(crate) const BLOCK: usize = 1024;

/// Steps of the plant after which a run that is to stop does so.
const ASKED_EVERY: u64 = 8 * BLOCK as u64;

/// What every realisation of a run shares.
pub(crate) struct Shared<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) inputs: &'a Inputs,
    pub(crate) site: Option<&'a Site>,
    /// Whether it is the second, fine run: its fluctuations are drawn anew.
    pub(crate) zoom: bool,
    /// What fails, if something does: load and sets then go from the start of the run it fails in, figures are of `scenario`'s stretch alone.
    pub(crate) strike: Option<&'a StrikePlan<'a>>,
    /// Realisation whose curves over time are kept.
    pub(crate) shown: u32,
    pub(crate) progress: &'a Progress<'a>,
    /// What is weak in the sets, and what is done about it.
    pub(crate) plan: &'a Plan,
}

/// Progress over everything that a study runs.
pub(crate) struct Progress<'a> {
    pub(crate) observer: &'a dyn Observer,
    /// Work done and work in all, in steps: of the plant where there is one, else of the load.
    pub(crate) done: AtomicU64,
    pub(crate) total: u64,
}

impl Progress<'_> {
    /// Work of `samples` samples of `scenario`.
    pub(crate) fn work(scenario: &Scenario, samples: u64) -> u64 {
        let parts = scenario
            .plant
            .as_ref()
            .map_or(1, |_| scenario.simulation.plant_parts());
        samples * u64::from(parts)
    }

    pub(crate) fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, work: u64) {
        let done = self.done.fetch_add(work, Ordering::Relaxed) + work;
        let share = done as f64 / self.total.max(1) as f64;
        self.observer.progress(share.min(1.0));
    }
}

/// Figures of a finished realisation.
pub(crate) struct RealisationResult {
    pub(crate) realisation: u32,
    pub(crate) site: SiteResult,
    pub(crate) groups: Vec<GroupResult>,
    pub(crate) diversity: Option<Diversities>,
    pub(crate) plant: Option<PlantResult>,
    /// Of the realisation that is shown: power and frequency in cells.
    pub(crate) record: Option<Record>,
    /// Time at which the bus collapsed, seconds.
    pub(crate) collapsed_at_s: Option<f64>,
    /// Why the plant could not start at this realisation's load: it then counts as collapsed at t = 0.
    pub(crate) no_start: Option<String>,
    /// Quantile of the site's power over time that its limit is about, watts.
    pub(crate) site_quantile_w: Option<f64>,
    /// Energy drawn, joules.
    pub(crate) energy_j: f64,
    /// Time simulated, seconds.
    pub(crate) horizon_s: f64,
    pub(crate) clamps: Vec<ClampReport>,
    pub(crate) traffic: Vec<TrafficReport>,
    pub(crate) facility: Option<FacilityReport>,
    pub(crate) smoothing: Vec<SmoothingReport>,
    pub(crate) transfers: Vec<TransferReport>,
    /// Of each battery at the bus.
    pub(crate) bess: Vec<Books>,
    /// What the limits on the load are about; absent without such limits.
    pub(crate) load: Option<LoadFigures>,
    /// Trips of sets, in order of time.
    pub(crate) tripped: Vec<Tripped>,
    /// When the loss of the largest set would leave least; none without sets or with a utility.
    pub(crate) reserve: Option<ReserveAt>,
    /// Of each contingency: the moments at which it may hurt most.
    pub(crate) moments: Vec<Moments>,
    /// What the failure did; none where nothing was to fail.
    pub(crate) strike: Option<StrikeResult>,
    /// What went along with it for the corners of the ranges of weak constants.
    pub(crate) watched: Watched,
    pub(crate) storage: StorageResult,
    /// Of the realisation that is shown, where something stores.
    pub(crate) storage_curves: Option<StorageCurves>,
}

/// Samples of a realisation, the one at its start included.
pub(crate) fn samples(scenario: &Scenario) -> u64 {
    sample_count(scenario.simulation.duration_s, scenario.simulation.step_s) + 1
}

/// One realisation under way.
struct Under<'a> {
    shared: &'a Shared<'a>,
    realisation: u32,
    dt_s: f64,
    /// Number of the run's first sample.
    first: u64,
    /// Number of the first sample that figures are of: the first, or a later one where something fails.
    looked_from: u64,
    /// Steps of the plant in one of the load.
    parts: u32,
    /// Samples after which it is asked whether to stop: a block of a long step is many steps of the plant.
    asked_every: u64,
    demand: Demand,
    /// Set up at the first sample, in steady state at its load.
    plant: Option<Plant>,
    site: SiteCollector,
    load: Option<LoadCollector>,
    bess: SiteBess,
    plant_figures: Option<PlantCollector>,
    watch: Option<Watch<'a>>,
    recorder: Option<Recorder>,
    storage_curves: Option<CurvesCollector>,
    /// Continuous part of the demand at the sample before.
    previous: Point,
    /// Energy drawn so far, joules.
    energy_j: f64,
    collapsed_at_s: Option<f64>,
    no_start: Option<String>,
    reserve: Option<Reserve>,
    moments: Vec<Moments>,
    strike: Option<Strike<'a>>,
}

/// Runs realisation number `realisation` (from 1).
pub(crate) fn run_realisation(
    shared: &Shared<'_>,
    realisation: u32,
    mut sink: Option<&mut dyn TraceSink>,
) -> Result<RealisationResult, StudyError> {
    let scenario = shared.scenario;
    let simulation = &scenario.simulation;
    let (dt_s, samples) = (simulation.step_s, samples(scenario));
    let windows_s = &scenario.outputs.ramp_windows_s;
    let parts = simulation.plant_parts();
    let span = Span {
        dt_s,
        first: simulation.first_sample(),
        samples,
        realisation,
        curves: realisation == shared.shown,
    };
    let of_plant = Span {
        dt_s: simulation.plant_step(),
        first: span.first * u64::from(parts),
        samples: (samples - 1) * u64::from(parts) + 1,
        ..span
    };
    // Before the stretch that is looked at, a failure has the load and the sets as they were without it.
    let whole = shared.strike.map_or(scenario, |s| s.whole);
    let begin = whole.simulation.first_sample();
    let unseen = span.first.saturating_sub(begin);
    let mut under = Under {
        shared,
        realisation,
        dt_s,
        first: begin,
        looked_from: span.first,
        parts,
        asked_every: (ASKED_EVERY / u64::from(parts)).max(1),
        demand: Demand::new(whole, shared.inputs),
        plant: None,
        site: SiteCollector::new(span, windows_s),
        load: LoadCollector::new(scenario, span).filter(|_| shared.strike.is_none()),
        bess: SiteBess::new(&scenario.bess),
        plant_figures: scenario
            .plant
            .as_ref()
            .map(|p| PlantCollector::new(p, &scenario.limits, of_plant)),
        watch: Watch::new(shared, realisation, (begin, span.first), samples),
        recorder: (span.curves && scenario.plant.is_some() && shared.strike.is_none())
            .then(|| Recorder::new(span)),
        storage_curves: (span.curves && shared.strike.is_none())
            .then(|| CurvesCollector::new(scenario, span))
            .flatten(),
        previous: Point::default(),
        energy_j: 0.0,
        collapsed_at_s: None,
        no_start: None,
        reserve: Reserve::new(scenario, realisation),
        moments: if shared.zoom || shared.strike.is_some() {
            Vec::new()
        } else {
            Moments::of(scenario, realisation)
        },
        strike: shared
            .strike
            .map(|plan| Strike::new(plan, scenario, of_plant)),
    };
    let mut ahead = Ahead::new(shared, whole, (realisation, unseen + samples), span);
    let mut columns = Columns::new(shared);
    let mut at_bus_w = vec![0.0; BLOCK];
    let mut at_bus_var = vec![0.0; BLOCK];
    let mut done = 0_u64;
    let samples = unseen + samples;
    while done < samples && under.collapsed_at_s.is_none() {
        let first = begin + done;
        under.go_on(first)?;
        let traces = sink.is_some().then_some(&mut columns);
        let (len, now) = ahead.while_filling(|now| {
            let at_bus = (&mut at_bus_w[..], &mut at_bus_var[..]);
            under.block(first, &now.block, &now.coarse_w, at_bus, traces)
        })?;
        if let Some(sink) = sink.as_deref_mut() {
            columns.send(sink, first as f64 * dt_s, dt_s, &now.block, len)?;
            columns.clear();
        }
        done += len as u64;
        shared.progress.add(Progress::work(scenario, len as u64));
    }
    let load = ahead.finish(under.collapsed_at_s.is_some());
    Ok(under.finish(done.saturating_sub(unseen), load))
}

impl Under<'_> {
    /// Ends the realisation at sample `k` if it is to stop.
    fn go_on(&self, k: u64) -> Result<(), StudyError> {
        if self.shared.progress.observer.cancelled() {
            return Err(StudyError::Interrupted {
                at_s: k as f64 * self.dt_s,
                realisation: self.realisation,
            });
        }
        Ok(())
    }

    /// Takes the samples of a block, of which the first is number `first` of the run. Returns how many were taken: all of
    /// them, or up to a collapse. `at_bus` receives active and reactive power at the bus; `coarse_w` of it tells no ramps.
    fn block(
        &mut self,
        first: u64,
        block: &DemandBlock,
        coarse_w: &[f64],
        at_bus: (&mut [f64], &mut [f64]),
        mut traces: Option<&mut Columns>,
    ) -> Result<usize, StudyError> {
        let mut len = block.len();
        let (at_bus_w, at_bus_var) = at_bus;
        let rows = at_bus_w.iter_mut().zip(at_bus_var.iter_mut());
        for (i, (w, var)) in rows.enumerate().take(block.len()) {
            let k = first + i as u64;
            if i > 0 && (i as u64).is_multiple_of(self.asked_every) {
                self.go_on(k)?;
            }
            let line = Point {
                t_s: k as f64 * self.dt_s,
                w: block.site_w[i],
                var: block.site_q_var[i],
            };
            (*w, *var) = self.sample(k, line)?;
            if let Some(curves) = &mut self.storage_curves {
                curves.sample(&self.bess);
            }
            if let Some(load) = &mut self.load {
                load.voltage(self.plant.as_ref());
            }
            if let Some(columns) = &mut traces {
                let gpu_w = self.shared.site.map(|_| block.gpu_w[i]);
                columns.push(*w, *var, gpu_w, &self.bess, self.plant.as_ref());
            }
            self.look_for_moments(line.t_s, *w);
            if self.collapsed_at_s.is_some() {
                len = i + 1;
                break;
            }
        }
        if let Some(curves) = &mut self.storage_curves {
            curves.take(block, &at_bus_w[..len]);
        }
        let from = (self.looked_from.saturating_sub(first) as usize).min(len);
        let (at_bus_w, at_bus_var) = (&at_bus_w[from..len], &at_bus_var[from..len]);
        let gpu_w = &block.gpu_w[from..len];
        if coarse_w.is_empty() {
            self.take(at_bus_w, at_bus_w, at_bus_var, gpu_w);
        } else {
            let coarse_w = &coarse_w[from..];
            let fast_w: Vec<f64> = at_bus_w.iter().zip(coarse_w).map(|(w, c)| w - c).collect();
            self.take(at_bus_w, &fast_w, at_bus_var, gpu_w);
        }
        if let (Some(watch), Some(figures)) = (&mut self.watch, &self.plant_figures) {
            let (w, var) = (&block.site_w[..len], &block.site_q_var[..len]);
            watch.take((w, var), figures, self.collapsed_at_s, &self.bess);
        }
        Ok(len)
    }

    /// Takes the samples of a block at the bus, see [`SiteCollector::take`].
    fn take(&mut self, site_w: &[f64], fast_w: &[f64], site_var: &[f64], gpu_w: &[f64]) {
        self.site.take(site_w, fast_w, site_var, gpu_w);
        if let Some(load) = &mut self.load {
            load.take(site_w, fast_w, site_var);
        }
    }

    /// Looks at a sample of the load for the moments at which a failure would hurt most.
    fn look_for_moments(&mut self, at_s: f64, load_w: f64) {
        let (Some(plant), Some(spec)) = (&self.plant, &self.shared.scenario.plant) else {
            return;
        };
        if self.collapsed_at_s.is_some() {
            return;
        }
        if let Some(reserve) = &mut self.reserve {
            reserve.take(spec, plant, at_s, load_w);
        }
        for moments in &mut self.moments {
            moments.take(spec, plant, at_s, load_w);
        }
    }

    /// Goes on to sample `k`, where the continuous part of the demand is `line`; returns active and reactive power at the
    /// bus there.
    fn sample(&mut self, k: u64, line: Point) -> Result<(f64, f64), StudyError> {
        let at_s = line.t_s;
        if !(line.w.is_finite() && line.var.is_finite()) {
            return Err(StudyError::NotFinite {
                quantity: "power of the racks",
                at_s,
                realisation: self.realisation,
            });
        }
        if k == self.first {
            if let Some(spec) = residual::integrated(self.shared.scenario) {
                let step_s = self.shared.scenario.simulation.plant_step();
                let first = self.demand.with_jumps(line.w, line.var);
                if let Some(recorder) = &mut self.recorder {
                    recorder.begin(first.0);
                }
                match Plant::with_reactive(&spec.starting_at(at_s), first, step_s) {
                    Ok(mut plant) => {
                        if let Some(strike) = &mut self.strike
                            && strike.is_due(at_s)
                            && strike.act(&mut plant, &mut self.demand, (line.w, line.var))
                                == StepStatus::Collapsed
                        {
                            self.collapsed_at_s = Some(at_s);
                        }
                        self.plant = Some(plant);
                    }
                    // The first realisation has been checked; another one's draw may be too much for the sets.
                    Err(error) => {
                        self.no_start = Some(error.to_string());
                        self.collapsed_at_s = Some(at_s);
                    }
                }
            }
            self.figures(at_s)?;
        } else {
            // Without a plant nothing happens between two samples but jumps, which are exact.
            let parts = self.plant.as_ref().map_or(1, |_| self.parts);
            let mut part_from = self.previous;
            let mut drawn_j = 0.0;
            for part in 1..=parts {
                let to = if part == parts {
                    line
                } else {
                    self.previous
                        .towards(line, f64::from(part) / f64::from(parts))
                };
                let at_bus = AtBus {
                    demand: &mut self.demand,
                    bess: &mut self.bess,
                };
                let mut supply = One {
                    plant: self.plant.as_mut(),
                    strike: self.strike.as_mut(),
                };
                let (status, energy_j) = step(&mut supply, at_bus, part_from, to);
                self.energy_j += energy_j;
                drawn_j += energy_j;
                if status == StepStatus::Collapsed {
                    let start_s = self.first as f64 * self.dt_s;
                    self.collapsed_at_s = self.plant.as_ref().map(|p| start_s + p.time_s());
                }
                self.figures(to.t_s)?;
                if self.collapsed_at_s.is_some() {
                    break;
                }
                part_from = to;
            }
            if let Some(recorder) = &mut self.recorder {
                recorder.step(drawn_j);
            }
        }
        self.previous = line;
        let (w, var) = self.demand.with_jumps(line.w, line.var);
        Ok((w + self.bess.power_w(), var))
    }

    /// Takes the plant's state at its step at `at_s`.
    fn figures(&mut self, at_s: f64) -> Result<(), StudyError> {
        let (Some(plant), Some(figures)) = (&self.plant, &mut self.plant_figures) else {
            return Ok(());
        };
        if !plant.speed_pu().is_finite() {
            return Err(StudyError::NotFinite {
                quantity: "speed of the sets",
                at_s,
                realisation: self.realisation,
            });
        }
        // Half a step: times of samples are rounded.
        let from_s = (self.looked_from as f64 - 0.5 / f64::from(self.parts)) * self.dt_s;
        if at_s >= from_s {
            figures.take(plant);
            if let Some(strike) = &mut self.strike {
                strike.take(plant, at_s);
            }
        }
        if let Some(recorder) = &mut self.recorder {
            let nominal_hz = self
                .shared
                .scenario
                .plant
                .as_ref()
                .map_or(0.0, |p| p.frequency_hz);
            recorder.frequency(plant.speed_pu() * nominal_hz);
        }
        if let Some(collapsed_at_s) = self.collapsed_at_s {
            let end_s = self.shared.scenario.simulation.end_s();
            figures.collapse(plant, collapsed_at_s, (end_s - collapsed_at_s).max(0.0));
        }
        Ok(())
    }

    /// Closes the figures after `samples` samples.
    fn finish(self, samples: u64, load: LoadResult) -> RealisationResult {
        let LoadResult {
            continuous,
            groups,
            diversity,
            storage,
        } = load;
        let quantile = self.shared.scenario.limits.site_peak_quantile;
        let site = self.site.finish();
        RealisationResult {
            no_start: self.no_start,
            site_quantile_w: site.histogram.quantile(quantile),
            realisation: self.realisation,
            site,
            groups,
            diversity,
            plant: self.plant_figures.map(PlantCollector::finish),
            record: self.recorder.map(Recorder::finish),
            collapsed_at_s: self.collapsed_at_s,
            energy_j: self.energy_j,
            horizon_s: samples.saturating_sub(1) as f64 * self.dt_s,
            clamps: continuous.clamp_report(),
            traffic: continuous.traffic_report(),
            facility: continuous.facility_report(),
            smoothing: continuous.smoothing_report(),
            transfers: continuous.transfer_report(),
            bess: self.bess.books(),
            load: self
                .load
                .map(|l| l.finish(design::bus(self.shared.scenario))),
            tripped: self.plant.as_ref().map_or_else(Vec::new, |plant| {
                let start_s = self.first as f64 * self.dt_s;
                let in_run = |t: &Tripped| Tripped {
                    at_s: start_s + t.at_s,
                    ..*t
                };
                plant.tripped().iter().map(in_run).collect()
            }),
            reserve: self.reserve.and_then(Reserve::finish),
            moments: self.moments,
            strike: self.strike.map(Strike::finish),
            storage_curves: self.storage_curves.map(CurvesCollector::finish),
            watched: self.watch.map(Watch::finish).unwrap_or_default(),
            storage,
        }
    }
}

/// Time and continuous part of the demand at it, which runs in a straight line between two of them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Point {
    pub(crate) t_s: f64,
    pub(crate) w: f64,
    pub(crate) var: f64,
}

impl Point {
    /// The point a share of the way to `to`.
    pub(crate) fn towards(self, to: Self, share: f64) -> Self {
        Self {
            t_s: self.t_s + (to.t_s - self.t_s) * share,
            w: self.w + (to.w - self.w) * share,
            var: self.var + (to.var - self.var) * share,
        }
    }
}

/// What stands between the loads and the supply.
pub(crate) struct AtBus<'a> {
    pub(crate) demand: &'a mut Demand,
    pub(crate) bess: &'a mut SiteBess,
}

/// What carries the load, and what of it is to fail.
pub(crate) trait Supply {
    /// Goes on by `h_s` under a load that runs in a straight line, watts and vars at both ends.
    fn advance(&mut self, h_s: f64, start: (f64, f64), end: (f64, f64)) -> StepStatus;

    /// Instant of the failure, if it is still to come and lies before `t_s` and not at the same instant.
    fn fails_before(&self, t_s: f64) -> Option<f64>;

    /// Fails if it is time; `at` is the instant with the continuous part of the demand. What runs before and does not fail runs on.
    fn fail(&mut self, at: Point, demand: &mut Demand) -> StepStatus;
}

/// One plant, or none.
pub(crate) struct One<'a, 'b> {
    plant: Option<&'a mut Plant>,
    strike: Option<&'a mut Strike<'b>>,
}

impl One<'_, '_> {
    /// No plant: what stands before it goes on by itself.
    pub(crate) fn nothing() -> Self {
        Self {
            plant: None,
            strike: None,
        }
    }
}

impl Supply for One<'_, '_> {
    fn advance(&mut self, h_s: f64, start: (f64, f64), end: (f64, f64)) -> StepStatus {
        self.plant.as_mut().map_or(StepStatus::Running, |plant| {
            plant.advance_with_reactive(h_s, start, end)
        })
    }

    fn fails_before(&self, t_s: f64) -> Option<f64> {
        self.strike.as_ref()?.before(t_s)
    }

    fn fail(&mut self, at: Point, demand: &mut Demand) -> StepStatus {
        match (&mut self.plant, &mut self.strike) {
            (Some(plant), Some(strike)) if strike.is_due(at.t_s) => {
                strike.act(plant, demand, (at.w, at.var))
            }
            _ => StepStatus::Running,
        }
    }
}

/// Goes from one sample to the next, stopping at every jump of the load between them and where something fails. Returns the energy drawn, joules.
///
/// Jumps at the later sample itself are applied at the end, so that it shows the load after them.
pub(crate) fn step(
    supply: &mut impl Supply,
    at_bus: AtBus<'_>,
    from: Point,
    to: Point,
) -> (StepStatus, f64) {
    let AtBus { demand, bess } = at_bus;
    let line = |t_s: f64| Point {
        t_s,
        ..from.towards(to, (t_s - from.t_s) / (to.t_s - from.t_s))
    };
    let (mut t_s, mut energy_j, mut status) = (from.t_s, 0.0, StepStatus::Running);
    loop {
        let jump_s = match (demand.next_jump_before(to.t_s), supply.fails_before(to.t_s)) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let end_s = jump_s.unwrap_or(to.t_s);
        let h_s = end_s - t_s;
        if h_s > 0.0 {
            let end = if jump_s.is_some() { line(end_s) } else { to };
            let begin = line(t_s);
            let begin = demand.with_jumps(begin.w, begin.var);
            let mut end = demand.with_jumps(end.w, end.var);
            let begin = (begin.0 + bess.power_w(), begin.1);
            end.0 = bess.step(end.0, h_s);
            energy_j += 0.5 * (begin.0 + end.0) * h_s;
            status = supply.advance(h_s, begin, end);
            t_s = end_s;
        }
        demand.apply_jumps(end_s);
        if status == StepStatus::Running {
            status = supply.fail(line(end_s), demand);
        }
        if jump_s.is_none() || status == StepStatus::Collapsed {
            return (status, energy_j);
        }
    }
}
