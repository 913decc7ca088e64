//! One realisation: demand into the plant, step by step, with figures gathered and traces handed out.

use std::sync::atomic::{AtomicU64, Ordering};

use ballast_aggregate::{ClampReport, DemandBlock, FacilityReport, Site, TrafficReport};
use ballast_plant::{Plant, StepStatus};
use ballast_scenario::Scenario;
use ballast_series::{TraceSink, sample_count};

use crate::collect::{SiteCollector, SiteResult};
use crate::columns::Columns;
use crate::demand::Demand;
use crate::error::StudyError;
use crate::inputs::Inputs;
use crate::observer::Observer;
use crate::plant_collect::{PlantCollector, PlantResult};
use crate::rack_collect::{GroupResult, RackCollectors};

/// Steps handled at a time. Bounds memory; nothing in the result depends on it.
pub(crate) const BLOCK: usize = 1024;

/// What every realisation of a run shares.
pub(crate) struct Shared<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) inputs: &'a Inputs,
    pub(crate) site: Option<&'a Site>,
    pub(crate) observer: &'a dyn Observer,
    /// Samples done by all realisations, for progress.
    pub(crate) done: &'a AtomicU64,
}

/// Figures of a finished realisation.
pub(crate) struct RealisationResult {
    pub(crate) realisation: u32,
    pub(crate) site: SiteResult,
    pub(crate) groups: Vec<GroupResult>,
    pub(crate) plant: Option<PlantResult>,
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
}

/// Samples of a realisation, the one at t = 0 included.
pub(crate) fn samples(scenario: &Scenario) -> u64 {
    sample_count(scenario.simulation.duration_s, scenario.simulation.step_s) + 1
}

/// One realisation under way.
struct Under<'a> {
    shared: &'a Shared<'a>,
    realisation: u32,
    dt_s: f64,
    demand: Demand,
    /// Set up at the first sample, in steady state at its load.
    plant: Option<Plant>,
    site: SiteCollector,
    racks: Option<RackCollectors>,
    plant_figures: Option<PlantCollector>,
    /// Continuous part of the demand at the sample before, watts.
    previous_w: f64,
    /// Energy drawn so far, joules.
    energy_j: f64,
    collapsed_at_s: Option<f64>,
    no_start: Option<String>,
}

/// Runs realisation number `realisation` (from 1).
pub(crate) fn run_realisation(
    shared: &Shared<'_>,
    realisation: u32,
    mut sink: Option<&mut dyn TraceSink>,
) -> Result<RealisationResult, StudyError> {
    let scenario = shared.scenario;
    let (dt_s, samples) = (scenario.simulation.step_s, samples(scenario));
    let windows_s = &scenario.outputs.ramp_windows_s;
    let mut under = Under {
        shared,
        realisation,
        dt_s,
        demand: Demand::new(scenario, shared.inputs, shared.site, realisation),
        plant: None,
        site: SiteCollector::new(dt_s, samples, windows_s, realisation),
        racks: shared
            .site
            .map(|s| RackCollectors::new(s, dt_s, samples, &scenario.outputs, realisation)),
        plant_figures: scenario
            .plant
            .as_ref()
            .map(|p| PlantCollector::new(p, &scenario.limits, dt_s, samples, realisation)),
        previous_w: 0.0,
        energy_j: 0.0,
        collapsed_at_s: None,
        no_start: None,
    };
    let mut block = DemandBlock::new(shared.site.map_or(0, Site::rack_count), BLOCK);
    let mut columns = Columns::new(shared);
    let mut at_bus_w = vec![0.0; BLOCK];
    let mut first = 0_u64;
    while first < samples && under.collapsed_at_s.is_none() {
        if shared.observer.cancelled() {
            let at_s = first as f64 * dt_s;
            return Err(StudyError::Interrupted { at_s, realisation });
        }
        block.set_len(BLOCK.min((samples - first) as usize));
        under.demand.fill(&mut block);
        let traces = sink.is_some().then_some(&mut columns);
        let len = under.block(first, &block, &mut at_bus_w, traces)?;
        if let Some(sink) = sink.as_deref_mut() {
            let racks = if scenario.outputs.rack_traces {
                shared.site
            } else {
                None
            };
            columns.send(sink, first as f64 * dt_s, dt_s, racks, &block, len)?;
            columns.clear();
        }
        first += len as u64;
        let done = shared.done.fetch_add(len as u64, Ordering::Relaxed) + len as u64;
        let total = samples * u64::from(scenario.simulation.realisations);
        shared
            .observer
            .progress((done as f64 / total as f64).min(1.0));
    }
    Ok(under.finish(first))
}

impl Under<'_> {
    /// Takes the samples of a block, of which the first is number `first` of the run. Returns how many were taken: all of
    /// them, or up to a collapse. `at_bus_w` receives the power at the bus.
    fn block(
        &mut self,
        first: u64,
        block: &DemandBlock,
        at_bus_w: &mut [f64],
        mut traces: Option<&mut Columns>,
    ) -> Result<usize, StudyError> {
        let mut len = block.len();
        for (i, at_bus_w) in at_bus_w.iter_mut().enumerate().take(block.len()) {
            *at_bus_w = self.sample(first + i as u64, block.site_w[i])?;
            if let Some(columns) = &mut traces {
                let gpu_w = self.shared.site.map(|_| block.gpu_w[i]);
                columns.push(*at_bus_w, gpu_w, self.plant.as_ref());
            }
            if self.collapsed_at_s.is_some() {
                len = i + 1;
                break;
            }
        }
        self.site.take(&at_bus_w[..len], &block.gpu_w[..len]);
        if let Some(racks) = &mut self.racks {
            racks.take(block, len);
        }
        Ok(len)
    }

    /// Goes on to sample `k`, where the continuous part of the demand is `line_w`; returns the power at the bus there.
    fn sample(&mut self, k: u64, line_w: f64) -> Result<f64, StudyError> {
        let at_s = k as f64 * self.dt_s;
        let not_finite = |quantity| StudyError::NotFinite {
            quantity,
            at_s,
            realisation: self.realisation,
        };
        if !line_w.is_finite() {
            return Err(not_finite("power of the racks"));
        }
        if k == 0 {
            if let Some(spec) = &self.shared.scenario.plant {
                match Plant::new(spec, line_w + self.demand.jumping_w(), self.dt_s) {
                    Ok(plant) => self.plant = Some(plant),
                    // The first realisation has been checked; another one's draw may be too much for the sets.
                    Err(error) => {
                        self.no_start = Some(error.to_string());
                        self.collapsed_at_s = Some(0.0);
                    }
                }
            }
        } else {
            let from_s = (k - 1) as f64 * self.dt_s;
            let (status, energy_j) = step(
                self.plant.as_mut(),
                &mut self.demand,
                (from_s, self.previous_w),
                (at_s, line_w),
            );
            self.energy_j += energy_j;
            if status == StepStatus::Collapsed {
                self.collapsed_at_s = self.plant.as_ref().map(Plant::time_s);
            }
        }
        self.previous_w = line_w;
        if let (Some(plant), Some(figures)) = (&self.plant, &mut self.plant_figures) {
            if !plant.speed_pu().is_finite() {
                return Err(not_finite("speed of the sets"));
            }
            figures.take(plant);
            if self.collapsed_at_s.is_some() {
                let remaining_s = self.shared.scenario.simulation.duration_s - plant.time_s();
                figures.collapse(plant, remaining_s.max(0.0));
            }
        }
        Ok(line_w + self.demand.jumping_w())
    }

    /// Closes the figures after `samples` samples.
    fn finish(self, samples: u64) -> RealisationResult {
        let groups = self.shared.site.map_or(0, |s| s.groups().len());
        let quantile = self.shared.scenario.limits.site_peak_quantile;
        let site = self.site.finish();
        RealisationResult {
            no_start: self.no_start,
            site_quantile_w: site.histogram.quantile(quantile),
            realisation: self.realisation,
            site,
            groups: self.racks.map(|r| r.finish(groups)).unwrap_or_default(),
            plant: self.plant_figures.map(PlantCollector::finish),
            collapsed_at_s: self.collapsed_at_s,
            energy_j: self.energy_j,
            horizon_s: samples.saturating_sub(1) as f64 * self.dt_s,
            clamps: self.demand.clamp_report(),
            traffic: self.demand.traffic_report(),
            facility: self.demand.facility_report(),
        }
    }
}

/// Goes from one sample to the next, stopping at every jump of the load between them. Returns the energy drawn, joules.
///
/// `from` and `to` are time and continuous part of the demand, which runs in a straight line between them. Jumps at
/// the later sample itself are applied at the end, so that it shows the load after them.
fn step(
    mut plant: Option<&mut Plant>,
    demand: &mut Demand,
    from: (f64, f64),
    to: (f64, f64),
) -> (StepStatus, f64) {
    let ((from_s, from_w), (to_s, to_w)) = (from, to);
    let line = |t_s: f64| from_w + (to_w - from_w) * ((t_s - from_s) / (to_s - from_s));
    let (mut t_s, mut energy_j, mut status) = (from_s, 0.0, StepStatus::Running);
    loop {
        let jump_s = demand.next_jump_before(to_s);
        let end_s = jump_s.unwrap_or(to_s);
        let h_s = end_s - t_s;
        if h_s > 0.0 {
            let end_line_w = if jump_s.is_some() { line(end_s) } else { to_w };
            let jumping_w = demand.jumping_w();
            let (start_w, end_w) = (line(t_s) + jumping_w, end_line_w + jumping_w);
            energy_j += 0.5 * (start_w + end_w) * h_s;
            if let Some(plant) = plant.as_deref_mut() {
                status = plant.advance(h_s, start_w, end_w);
            }
            t_s = end_s;
        }
        demand.apply_jumps(end_s);
        if jump_s.is_none() || status == StepStatus::Collapsed {
            return (status, energy_j);
        }
    }
}
