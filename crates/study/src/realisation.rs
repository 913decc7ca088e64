//! One realisation: demand into the plant, step by step, with figures gathered and traces handed out.

use std::sync::atomic::{AtomicU64, Ordering};

use ballast_aggregate::{
    ClampReport, DemandBlock, FacilityReport, Site, TrafficReport, TransferReport,
};
use ballast_plant::{Plant, StepStatus};
use ballast_scenario::Scenario;
use ballast_series::{TraceSink, sample_count};

use crate::collect::{SiteCollector, SiteResult, Span};
use crate::columns::Columns;
use crate::demand::Demand;
use crate::diversity::Diversities;
use crate::error::StudyError;
use crate::inputs::Inputs;
use crate::observer::Observer;
use crate::plant_collect::{PlantCollector, PlantResult};
use crate::rack_collect::{GroupResult, RackCollectors};
use crate::storage::{StorageCollector, StorageResult};

/// Steps handled at a time. Bounds memory; nothing in the result depends on it.
pub(crate) const BLOCK: usize = 1024;

/// What every realisation of a run shares.
pub(crate) struct Shared<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) inputs: &'a Inputs,
    pub(crate) site: Option<&'a Site>,
    /// Whether it is the second, fine run: its fluctuations are drawn anew.
    pub(crate) zoom: bool,
    /// Realisation whose curves over time are kept.
    pub(crate) shown: u32,
    pub(crate) progress: &'a Progress<'a>,
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

    fn add(&self, work: u64) {
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
    pub(crate) transfers: Vec<TransferReport>,
    pub(crate) storage: StorageResult,
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
    /// Steps of the plant in one of the load.
    parts: u32,
    demand: Demand,
    /// Set up at the first sample, in steady state at its load.
    plant: Option<Plant>,
    site: SiteCollector,
    racks: Option<RackCollectors>,
    plant_figures: Option<PlantCollector>,
    storage: StorageCollector,
    /// Continuous part of the demand at the sample before.
    previous: Point,
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
    let mut under = Under {
        shared,
        realisation,
        dt_s,
        first: span.first,
        parts,
        demand: Demand::new(
            scenario,
            shared.inputs,
            shared.site,
            realisation,
            shared.zoom,
        ),
        plant: None,
        site: SiteCollector::new(span, windows_s),
        racks: shared
            .site
            .map(|s| RackCollectors::new(s, span, &scenario.outputs)),
        plant_figures: scenario
            .plant
            .as_ref()
            .map(|p| PlantCollector::new(p, &scenario.limits, of_plant)),
        storage: StorageCollector::new(scenario, samples, span.curves),
        previous: Point::default(),
        energy_j: 0.0,
        collapsed_at_s: None,
        no_start: None,
    };
    let mut block = DemandBlock::new(shared.site.map_or(0, Site::rack_count), BLOCK);
    let mut coarse_w = Vec::with_capacity(BLOCK);
    let mut columns = Columns::new(shared);
    let mut at_bus_w = vec![0.0; BLOCK];
    let mut at_bus_var = vec![0.0; BLOCK];
    let mut done = 0_u64;
    while done < samples && under.collapsed_at_s.is_none() {
        let first = span.first + done;
        if shared.progress.observer.cancelled() {
            let at_s = first as f64 * dt_s;
            return Err(StudyError::Interrupted { at_s, realisation });
        }
        block.set_len(BLOCK.min((samples - done) as usize));
        under.demand.fill(&mut block, &mut coarse_w);
        let traces = sink.is_some().then_some(&mut columns);
        let at_bus = (&mut at_bus_w[..], &mut at_bus_var[..]);
        let len = under.block(first, &block, &coarse_w, at_bus, traces)?;
        if let Some(sink) = sink.as_deref_mut() {
            let racks = if scenario.outputs.rack_traces {
                shared.site
            } else {
                None
            };
            columns.send(sink, first as f64 * dt_s, dt_s, racks, &block, len)?;
            columns.clear();
        }
        done += len as u64;
        shared.progress.add(Progress::work(scenario, len as u64));
    }
    Ok(under.finish(done))
}

impl Under<'_> {
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
            let line = Point {
                t_s: k as f64 * self.dt_s,
                w: block.site_w[i],
                var: block.site_q_var[i],
            };
            (*w, *var) = self.sample(k, line)?;
            if let Some(columns) = &mut traces {
                let gpu_w = self.shared.site.map(|_| block.gpu_w[i]);
                columns.push(*w, *var, gpu_w, self.plant.as_ref());
            }
            if self.collapsed_at_s.is_some() {
                len = i + 1;
                break;
            }
        }
        let (at_bus_w, at_bus_var) = (&at_bus_w[..len], &at_bus_var[..len]);
        let gpu_w = &block.gpu_w[..len];
        if coarse_w.is_empty() {
            self.site.take(at_bus_w, at_bus_w, at_bus_var, gpu_w);
        } else {
            let fast_w: Vec<f64> = at_bus_w.iter().zip(coarse_w).map(|(w, c)| w - c).collect();
            self.site.take(at_bus_w, &fast_w, at_bus_var, gpu_w);
        }
        if let Some(racks) = &mut self.racks {
            racks.take(block, len);
            self.storage.take(block, len);
        }
        Ok(len)
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
            if let Some(spec) = &self.shared.scenario.plant {
                let step_s = self.shared.scenario.simulation.plant_step();
                match Plant::with_reactive(
                    &spec.starting_at(at_s),
                    self.demand.with_jumps(line.w, line.var),
                    step_s,
                ) {
                    Ok(plant) => self.plant = Some(plant),
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
            for part in 1..=parts {
                let to = if part == parts {
                    line
                } else {
                    self.previous
                        .towards(line, f64::from(part) / f64::from(parts))
                };
                let (status, energy_j) = step(self.plant.as_mut(), &mut self.demand, part_from, to);
                self.energy_j += energy_j;
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
        }
        self.previous = line;
        Ok(self.demand.with_jumps(line.w, line.var))
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
        figures.take(plant);
        if let Some(collapsed_at_s) = self.collapsed_at_s {
            let end_s = self.shared.scenario.simulation.end_s();
            figures.collapse(plant, collapsed_at_s, (end_s - collapsed_at_s).max(0.0));
        }
        Ok(())
    }

    /// Closes the figures after `samples` samples.
    fn finish(self, samples: u64) -> RealisationResult {
        let groups = self.shared.site.map_or(0, |s| s.groups().len());
        let quantile = self.shared.scenario.limits.site_peak_quantile;
        let site = self.site.finish();
        let (groups, diversity) = self.racks.map(|r| r.finish(groups)).unwrap_or_default();
        RealisationResult {
            no_start: self.no_start,
            site_quantile_w: site.histogram.quantile(quantile),
            realisation: self.realisation,
            site,
            groups,
            diversity,
            plant: self.plant_figures.map(PlantCollector::finish),
            collapsed_at_s: self.collapsed_at_s,
            energy_j: self.energy_j,
            horizon_s: samples.saturating_sub(1) as f64 * self.dt_s,
            clamps: self.demand.clamp_report(),
            traffic: self.demand.traffic_report(),
            facility: self.demand.facility_report(),
            transfers: self.demand.transfer_report(),
            storage: self
                .storage
                .finish(self.demand.storage_report(), self.demand.bulk_report()),
        }
    }
}

/// Time and continuous part of the demand at it, which runs in a straight line between two of them.
#[derive(Debug, Clone, Copy, Default)]
struct Point {
    t_s: f64,
    w: f64,
    var: f64,
}

impl Point {
    /// The point a share of the way to `to`.
    fn towards(self, to: Self, share: f64) -> Self {
        Self {
            t_s: self.t_s + (to.t_s - self.t_s) * share,
            w: self.w + (to.w - self.w) * share,
            var: self.var + (to.var - self.var) * share,
        }
    }
}

/// Goes from one sample to the next, stopping at every jump of the load between them. Returns the energy drawn, joules.
///
/// Jumps at the later sample itself are applied at the end, so that it shows the load after them.
fn step(
    mut plant: Option<&mut Plant>,
    demand: &mut Demand,
    from: Point,
    to: Point,
) -> (StepStatus, f64) {
    let line = |t_s: f64| from.towards(to, (t_s - from.t_s) / (to.t_s - from.t_s));
    let (mut t_s, mut energy_j, mut status) = (from.t_s, 0.0, StepStatus::Running);
    loop {
        let jump_s = demand.next_jump_before(to.t_s);
        let end_s = jump_s.unwrap_or(to.t_s);
        let h_s = end_s - t_s;
        if h_s > 0.0 {
            let end = if jump_s.is_some() { line(end_s) } else { to };
            let begin = line(t_s);
            let begin = demand.with_jumps(begin.w, begin.var);
            let end = demand.with_jumps(end.w, end.var);
            energy_j += 0.5 * (begin.0 + end.0) * h_s;
            if let Some(plant) = plant.as_deref_mut() {
                status = plant.advance_with_reactive(h_s, begin, end);
            }
            t_s = end_s;
        }
        demand.apply_jumps(end_s);
        if jump_s.is_none() || status == StepStatus::Collapsed {
            return (status, energy_j);
        }
    }
}
