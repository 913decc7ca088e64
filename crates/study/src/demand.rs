//! Demand at the bus: what the racks draw, and the loads that are given.
//!
//! It has a part that is continuous (racks, traces joined by lines), known at the samples `t = k · step` and linear
//! between them, and a part that jumps at stated times (stepped loads, held traces) which need not lie on the step. The
//! plant is stepped from jump to jump, so both are exact.

use ballast_aggregate::{
    ClampReport, DemandBlock, Engine, Facility, FacilityReport, Site, TrafficReport,
    TransferReport, Transfers,
};
use ballast_scenario::{LoadSpec, Scenario};
use ballast_series::TraceSeries;

use crate::inputs::Inputs;

/// Times closer than this share are the same instant: a step's time `k · dt` is rounded.
const SAME_INSTANT: f64 = 1e-9;

/// A load that jumps.
struct Jumps {
    time_s: Vec<f64>,
    power_w: Vec<f64>,
    /// Index of the next jump; before the first one `initial_w` holds.
    next: usize,
    now_w: f64,
}

impl Jumps {
    fn new(initial_w: f64, time_s: Vec<f64>, power_w: Vec<f64>) -> Self {
        let mut jumps = Self {
            time_s,
            power_w,
            next: 0,
            now_w: initial_w,
        };
        jumps.apply_until(0.0);
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

/// Demand of one realisation, block by block.
pub(crate) struct Demand {
    engine: Option<Engine>,
    facility: Option<Facility>,
    transfers: Option<Transfers>,
    /// Traces joined by lines.
    lines: Vec<TraceSeries>,
    jumps: Vec<Jumps>,
    dt_s: f64,
    /// Samples given out so far.
    done: u64,
}

impl Demand {
    pub(crate) fn new(
        scenario: &Scenario,
        inputs: &Inputs,
        site: Option<&Site>,
        realisation: u32,
    ) -> Self {
        let dt_s = scenario.simulation.step_s;
        let mut lines = Vec::new();
        let mut jumps = Vec::new();
        let mut traces = inputs.traces.iter();
        for load in &scenario.loads {
            match load {
                LoadSpec::Steps(steps) => jumps.push(Jumps::new(
                    steps.initial_kw * 1e3,
                    steps.events.iter().map(|e| e.at_s).collect(),
                    steps.events.iter().map(|e| e.power_kw * 1e3).collect(),
                )),
                LoadSpec::Trace(_) => {
                    let Some(trace) = traces.next() else { continue };
                    if trace.hold {
                        let (time_s, power_w) = (trace.series.time_s(), trace.series.power_w());
                        jumps.push(Jumps::new(
                            power_w.first().copied().unwrap_or(0.0),
                            time_s.to_vec(),
                            power_w.to_vec(),
                        ));
                    } else {
                        lines.push(trace.series.clone());
                    }
                }
            }
        }
        let simulation = &scenario.simulation;
        let engine = site.map(|s| {
            let kind = s.choose_engine(simulation.engine).kind;
            Engine::new(s, dt_s, simulation.seed, realisation, kind)
        });
        let facility = site
            .zip(scenario.facility.as_ref())
            .map(|(site, spec)| Facility::new(spec, site, dt_s));
        Self {
            engine,
            facility,
            transfers: site.and_then(|s| Transfers::new(s, dt_s)),
            lines,
            jumps,
            dt_s,
            done: 0,
        }
    }

    /// Fills `block` with the continuous part: racks as they are, `site_w` with the rest of the site and the traces added.
    pub(crate) fn fill(&mut self, block: &mut DemandBlock) {
        if let Some(engine) = &mut self.engine {
            engine.fill(block);
            if let Some(transfers) = &mut self.transfers {
                transfers.look(block);
            }
            match (&mut self.facility, &mut self.transfers) {
                (Some(facility), transfers) => {
                    facility.apply_with(&mut block.site_w, transfers.as_mut());
                }
                (None, Some(transfers)) => transfers.apply(&mut block.site_w),
                (None, None) => {}
            }
        } else {
            block.site_w.fill(0.0);
            block.gpu_w.fill(0.0);
        }
        for (i, w) in block.site_w.iter_mut().enumerate() {
            let t_s = (self.done + i as u64) as f64 * self.dt_s;
            for line in &mut self.lines {
                *w += line.at(t_s);
            }
        }
        self.done += block.len() as u64;
    }

    /// Power of the jumping loads now, watts.
    pub(crate) fn jumping_w(&self) -> f64 {
        self.jumps.iter().map(|j| j.now_w).sum()
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

    /// Clamps that acted so far.
    pub(crate) fn clamp_report(&self) -> Vec<ClampReport> {
        self.engine
            .as_ref()
            .map(Engine::clamp_report)
            .unwrap_or_default()
    }
}
