//! Demand at the bus: what the racks draw, and the loads that are given.
//!
//! It has a part that is continuous (racks, traces joined by lines), known at the samples `t = k · step` and linear
//! between them, and a part that jumps at stated times (stepped loads, held traces) which need not lie on the step. The
//! plant is stepped from jump to jump, so both are exact.

use std::sync::Arc;

use ballast_aggregate::{
    BulkReport, ClampReport, DemandBlock, Engine, Facility, FacilityReport, RunStart, Site,
    SmoothingReport, StorageReport, TrafficReport, TransferReport, Transfers,
};
use ballast_profile::tan_phi;
use ballast_scenario::{LoadSpec, Scenario};
use ballast_series::TraceSeries;

use crate::inputs::Inputs;

/// Times closer than this share are the same instant: a step's time `k · dt` is rounded.
pub(crate) const SAME_INSTANT: f64 = 1e-9;

/// A load that jumps.
#[derive(Clone)]
struct Jumps {
    time_s: Arc<[f64]>,
    power_w: Arc<[f64]>,
    /// Index of the next jump; before the first one `initial_w` holds.
    next: usize,
    now_w: f64,
    /// Reactive over active power.
    tan_phi: f64,
}

impl Jumps {
    fn new(
        initial_w: f64,
        time_s: Vec<f64>,
        power_w: Vec<f64>,
        tan_phi: f64,
        start_s: f64,
    ) -> Self {
        let mut jumps = Self {
            time_s: time_s.into(),
            power_w: power_w.into(),
            next: 0,
            now_w: initial_w,
            tan_phi,
        };
        jumps.apply_until(start_s);
        jumps
    }

    fn next_time(&self) -> f64 {
        self.time_s.get(self.next).copied().unwrap_or(f64::INFINITY)
    }

    /// Applies every jump at or before `t_s`, and those that are the same instant but for rounding.
    fn apply_until(&mut self, t_s: f64) {
        let limit = t_s + SAME_INSTANT * t_s.abs().max(1.0);
        while self.next_time() <= limit {
            self.now_w = self.power_w[self.next];
            self.next += 1;
        }
    }
}

/// The continuous part of the demand of one realisation, block by block.
pub(crate) struct Continuous {
    engine: Option<Engine>,
    facility: Option<Facility>,
    transfers: Option<Transfers>,
    /// Traces joined by lines, each with its reactive over active power.
    lines: Vec<(TraceSeries, f64)>,
    /// Traces too coarse to tell ramps, joined by lines, likewise.
    coarse: Vec<(TraceSeries, f64)>,
    dt_s: f64,
    /// Number of the next sample.
    next: u64,
}

/// A stretch of the continuous part.
pub(crate) struct Filled {
    /// Racks as they are, `site_w` and `site_q_var` with the rest of the site and the traces added.
    pub(crate) block: DemandBlock,
    /// The part of the power that is too coarse to tell ramps; empty where there is none.
    pub(crate) coarse_w: Vec<f64>,
}

impl Filled {
    pub(crate) fn new(racks: usize, steps: usize) -> Self {
        Self {
            block: DemandBlock::new(racks, steps),
            coarse_w: Vec::with_capacity(steps),
        }
    }
}

impl Continuous {
    pub(crate) fn new(
        scenario: &Scenario,
        inputs: &Inputs,
        site: Option<&Site>,
        realisation: u32,
        zoom: bool,
    ) -> Self {
        let simulation = &scenario.simulation;
        let dt_s = simulation.step_s;
        let start = RunStart {
            first_sample: simulation.first_sample(),
            zoom,
        };
        let (mut lines, mut coarse) = (Vec::new(), Vec::new());
        let loads = scenario.loads.iter();
        let traced = loads.filter(|l| matches!(l, LoadSpec::Trace(_)));
        for (load, trace) in traced.zip(&inputs.traces) {
            let tan = load.power_factor().map_or(0.0, tan_phi);
            if trace.is_coarse() {
                coarse.push((trace.series.clone(), tan));
            } else if !trace.hold {
                lines.push((trace.series.clone(), tan));
            }
        }
        let engine = site.map(|s| {
            let kind = s.choose_engine(simulation.engine).kind;
            Engine::starting_at(s, dt_s, simulation.seed, realisation, kind, start)
        });
        let facility = site
            .zip(scenario.facility.as_ref())
            .map(|(site, spec)| Facility::new(spec, site, dt_s, start.first_sample));
        Self {
            engine,
            facility,
            transfers: site.and_then(|s| Transfers::new(s, dt_s, start.first_sample)),
            lines,
            coarse,
            dt_s,
            next: start.first_sample,
        }
    }

    /// Goes on by as many samples as `filled` has room for.
    pub(crate) fn fill(&mut self, filled: &mut Filled) {
        let Filled { block, coarse_w } = filled;
        if let Some(engine) = &mut self.engine {
            engine.fill(block);
            if let Some(transfers) = &mut self.transfers {
                transfers.look(block);
            }
            let (site_w, site_var) = (&mut block.site_w, &mut block.site_q_var);
            match (&mut self.facility, &mut self.transfers) {
                (Some(facility), transfers) => {
                    facility.apply_with(site_w, site_var, transfers.as_mut());
                }
                (None, Some(transfers)) => transfers.apply(site_w, site_var),
                (None, None) => {}
            }
        } else {
            block.site_w.fill(0.0);
            block.site_q_var.fill(0.0);
            block.gpu_w.fill(0.0);
        }
        let bus = block.site_w.iter_mut().zip(&mut block.site_q_var);
        for (i, (w, var)) in bus.enumerate() {
            let t_s = (self.next + i as u64) as f64 * self.dt_s;
            for (line, tan) in &mut self.lines {
                let line_w = line.at(t_s);
                *w += line_w;
                *var += *tan * line_w;
            }
        }
        coarse_w.clear();
        if !self.coarse.is_empty() {
            let bus = block.site_w.iter_mut().zip(&mut block.site_q_var);
            for (i, (w, var)) in bus.enumerate() {
                let t_s = (self.next + i as u64) as f64 * self.dt_s;
                let mut base_w = 0.0;
                for (line, tan) in &mut self.coarse {
                    let line_w = line.at(t_s);
                    base_w += line_w;
                    *var += *tan * line_w;
                }
                *w += base_w;
                coarse_w.push(base_w);
            }
        }
        self.next += block.len() as u64;
    }

    /// Where the power of the site went so far; `None` without a facility.
    pub(crate) fn facility_report(&self) -> Option<FacilityReport> {
        self.facility.as_ref().map(Facility::report)
    }

    /// What the batteries of each transfer gave and took so far.
    pub(crate) fn transfer_report(&self) -> Vec<TransferReport> {
        self.transfers
            .as_ref()
            .map(Transfers::report)
            .unwrap_or_default()
    }

    /// What came of each service's requests so far.
    pub(crate) fn traffic_report(&self) -> Vec<TrafficReport> {
        self.engine
            .as_ref()
            .map(Engine::traffic_report)
            .unwrap_or_default()
    }

    /// What power smoothing and secondary loads did so far.
    pub(crate) fn smoothing_report(&self) -> Vec<SmoothingReport> {
        self.engine
            .as_ref()
            .map(Engine::smoothing_report)
            .unwrap_or_default()
    }

    /// What the storage of the racks did so far.
    pub(crate) fn storage_report(&self) -> Vec<StorageReport> {
        self.engine
            .as_ref()
            .map(Engine::storage_report)
            .unwrap_or_default()
    }

    /// What the supplies' capacitors had to do so far.
    pub(crate) fn bulk_report(&self) -> Vec<(usize, BulkReport)> {
        self.engine
            .as_ref()
            .map(Engine::bulk_report)
            .unwrap_or_default()
    }

    /// Clamps that acted so far.
    pub(crate) fn clamp_report(&self) -> Vec<ClampReport> {
        self.engine
            .as_ref()
            .map(Engine::clamp_report)
            .unwrap_or_default()
    }
}

/// Demand at the bus as the supply sees it: loads that jump, on top of the continuous part.
#[derive(Clone)]
pub(crate) struct Demand {
    jumps: Vec<Jumps>,
    /// Share of the load at the bus that is left after a rejection; 1 before.
    kept: f64,
}

impl Demand {
    /// As it is at the start of the run of `scenario`.
    pub(crate) fn new(scenario: &Scenario, inputs: &Inputs) -> Self {
        Self::at_sample(scenario, inputs, scenario.simulation.first_sample())
    }

    /// As it is at sample `first`.
    pub(crate) fn at_sample(scenario: &Scenario, inputs: &Inputs, first: u64) -> Self {
        let start_s = first as f64 * scenario.simulation.step_s;
        let mut jumps = Vec::new();
        let mut traces = inputs.traces.iter();
        for load in &scenario.loads {
            let tan = load.power_factor().map_or(0.0, tan_phi);
            match load {
                LoadSpec::Steps(steps) => jumps.push(Jumps::new(
                    steps.initial_kw * 1e3,
                    steps.events.iter().map(|e| e.at_s).collect(),
                    steps.events.iter().map(|e| e.power_kw * 1e3).collect(),
                    tan,
                    start_s,
                )),
                LoadSpec::Trace(_) => {
                    let Some(trace) = traces.next() else { continue };
                    if trace.hold && !trace.is_coarse() {
                        let (time_s, power_w) = (trace.series.time_s(), trace.series.power_w());
                        jumps.push(Jumps::new(
                            power_w.first().copied().unwrap_or(0.0),
                            time_s.to_vec(),
                            power_w.to_vec(),
                            tan,
                            start_s,
                        ));
                    }
                }
            }
        }
        Self { jumps, kept: 1.0 }
    }

    /// Load is lost at the bus: of all that is drawn from now on, the share `kept` is left.
    pub(crate) fn reject(&mut self, kept: f64) {
        self.kept *= kept;
    }

    /// Active and reactive power at the bus, watts and var, where the continuous part is `w` and `var`: with the jumping loads as they are now, less
    /// what was lost.
    pub(crate) fn with_jumps(&self, w: f64, var: f64) -> (f64, f64) {
        let (mut jumping_w, mut jumping_var) = (0.0, 0.0);
        for jump in &self.jumps {
            jumping_w += jump.now_w;
            jumping_var += jump.tan_phi * jump.now_w;
        }
        (self.kept * (w + jumping_w), self.kept * (var + jumping_var))
    }

    /// Time of the next jump strictly before `t_s` and not the same instant, if there is one.
    pub(crate) fn next_jump_before(&self, t_s: f64) -> Option<f64> {
        let next = self
            .jumps
            .iter()
            .map(Jumps::next_time)
            .fold(f64::INFINITY, f64::min);
        (next < t_s - SAME_INSTANT * t_s.abs().max(1.0)).then_some(next)
    }

    /// Applies every jump up to `t_s`.
    pub(crate) fn apply_jumps(&mut self, t_s: f64) {
        for j in &mut self.jumps {
            j.apply_until(t_s);
        }
    }
}
