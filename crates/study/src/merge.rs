//! Realisations merged, in their order.

use ballast_aggregate::{
    ClampReport, FacilityReport, SmoothingReport, TrafficReport, TransferReport,
};
use ballast_buffer::Books;
use ballast_plant::{Limiter, Tripped};
use ballast_series::{Histogram, Pyramid, RampTable, Spectrum, merge_ramps};

use crate::diversity::Diversities;
use crate::indicative::Worst;
use crate::load_limits::LoadFigures;
use crate::moments::{Moments, ReserveAt};
use crate::outcome::Extreme;
use crate::plant_collect::{PlantResult, VoltageExtremes};
use crate::plant_watch::Watched;
use crate::rack_collect::GroupResult;
use crate::reactive::Apparent;
use crate::realisation::RealisationResult;
use crate::resonance::Record;
use crate::storage::StorageResult;
use crate::storage_curves::StorageCurves;
use crate::strike::StrikeResult;

/// What verdicts need of each realisation.
pub(crate) struct PerRealisation {
    pub(crate) realisation: u32,
    pub(crate) horizon_s: f64,
    pub(crate) collapsed_at_s: Option<f64>,
    pub(crate) site_peak: Option<Extreme>,
    /// Quantile of the site's power over time that its limit is about, watts.
    pub(crate) site_quantile_w: Option<f64>,
    /// Why the plant could not start at this realisation's load.
    pub(crate) no_start: Option<String>,
    pub(crate) plant: Option<PlantExtremes>,
    /// What the limits on the load are about; absent without such limits.
    pub(crate) load: Option<LoadFigures>,
    /// Per group of racks: highest power of any rack and the rack.
    pub(crate) rack_worst: Vec<Option<(Extreme, usize)>>,
    /// Trips of sets, in order of time.
    pub(crate) tripped: Vec<Tripped>,
    pub(crate) reserve: Option<ReserveAt>,
    /// Of each contingency: the moments at which it may hurt most.
    pub(crate) moments: Vec<Moments>,
    /// What the failure did.
    pub(crate) strike: Option<StrikeResult>,
}

/// Extremes of one realisation's plant.
pub(crate) struct PlantExtremes {
    pub(crate) low: Option<Extreme>,
    pub(crate) high: Option<Extreme>,
    pub(crate) rocof: Option<Extreme>,
    pub(crate) swing: Option<Extreme>,
    pub(crate) outside: Option<Extreme>,
    /// Whether the run ended before the frequency came back to stay.
    pub(crate) outside_open: bool,
    pub(crate) voltage: VoltageExtremes,
    pub(crate) sets: Vec<SetExtremes>,
    pub(crate) watched: Watched,
}

impl From<PlantResult> for PlantExtremes {
    fn from(p: PlantResult) -> Self {
        Self {
            low: p.low,
            high: p.high,
            rocof: p.rocof,
            swing: p.swing,
            outside: p.outside,
            outside_open: p.outside_open,
            voltage: p.voltage,
            watched: p.watched,
            sets: p
                .sets
                .into_iter()
                .map(|s| SetExtremes {
                    high: s.high,
                    low: s.low,
                    low_mean: s.low_mean,
                    reactive_high: s.reactive_high,
                    reactive_low: s.reactive_low,
                    first_limited: s.first_limited,
                })
                .collect(),
        }
    }
}

/// Extremes of one realisation's group of equal sets.
pub(crate) struct SetExtremes {
    pub(crate) high: Option<Extreme>,
    pub(crate) low: Option<Extreme>,
    pub(crate) low_mean: Option<Extreme>,
    pub(crate) reactive_high: Option<Extreme>,
    pub(crate) reactive_low: Option<Extreme>,
    pub(crate) first_limited: Option<(f64, Limiter)>,
}

/// All realisations so far.
pub(crate) struct Merged {
    pub(crate) each: Vec<PerRealisation>,
    pub(crate) site: Histogram,
    pub(crate) gpu: Histogram,
    pub(crate) ramps: Vec<RampTable>,
    pub(crate) design_steps: Vec<RampTable>,
    pub(crate) groups: Vec<GroupResult>,
    pub(crate) reactive: Apparent,
    pub(crate) diversity: Option<Diversities>,
    pub(crate) clamps: Vec<ClampReport>,
    /// Of the first realisation, and of each in which traffic was beyond capacity; with the realisation's number.
    pub(crate) traffic: Vec<(u32, TrafficReport)>,
    /// Of the first realisation.
    pub(crate) facility: Option<FacilityReport>,
    /// Of the first realisation.
    pub(crate) smoothing: Vec<SmoothingReport>,
    /// Of the first realisation.
    pub(crate) transfers: Vec<TransferReport>,
    /// Of all realisations; curves of the shown one.
    pub(crate) storage: StorageResult,
    /// Of the first realisation: pyramid and spectrum of the power at the bus.
    pub(crate) curves: Option<(Pyramid, Spectrum)>,
    /// Of the first realisation: energy drawn, joules.
    pub(crate) energy_j: f64,
    /// Of the first realisation: power and frequency in cells; none without a plant.
    pub(crate) record: Option<Record>,
    /// Of the first realisation: frequency.
    pub(crate) frequency: Option<Pyramid>,
    /// Of each realisation, of each battery at the bus.
    pub(crate) bess: Vec<(u32, Vec<Books>)>,
    /// Of the shown realisation: curves of what storage did.
    pub(crate) storage_curves: Option<StorageCurves>,
    /// Of the first realisation: voltage of the bus; none without alternators.
    pub(crate) voltage: Option<Pyramid>,
    /// Of the first realisation, per set: mean share of rated, share of time limited.
    pub(crate) set_means: Vec<(f64, f64)>,
    /// At the corners of the ranges of weak constants.
    pub(crate) corners: Worst,
}

impl Merged {
    pub(crate) fn new(first: RealisationResult) -> Self {
        let mut merged = Self {
            each: Vec::new(),
            site: Histogram::new(),
            gpu: Histogram::with_bins(64),
            ramps: Vec::new(),
            design_steps: Vec::new(),
            groups: Vec::new(),
            reactive: Apparent::new(first.realisation),
            diversity: None,
            clamps: first.clamps.clone(),
            traffic: Vec::new(),
            facility: first.facility.clone(),
            smoothing: first.smoothing.clone(),
            transfers: first.transfers.clone(),
            storage: first.storage.clone(),
            curves: None,
            energy_j: first.energy_j,
            record: None,
            frequency: None,
            bess: Vec::new(),
            storage_curves: None,
            voltage: None,
            set_means: Vec::new(),
            corners: Worst::default(),
        };
        merged.add(first);
        merged
    }

    pub(crate) fn add(&mut self, r: RealisationResult) {
        self.site.merge(&r.site.histogram);
        self.gpu.merge(&r.site.gpu);
        if !self.each.is_empty() {
            self.storage.merge(&r);
        }
        self.reactive.merge(&r.site.reactive);
        match (&mut self.diversity, r.diversity) {
            (Some(into), Some(more)) => into.merge(more),
            (into, more) => *into = into.take().or(more),
        }
        merge_ramps(&mut self.ramps, &r.site.ramps);
        merge_ramps(&mut self.design_steps, &r.site.design_steps);
        let rack_worst = r.groups.iter().map(|g| g.worst).collect();
        if self.groups.is_empty() {
            self.groups = r.groups;
        } else {
            for (into, g) in self.groups.iter_mut().zip(r.groups) {
                into.distribution.merge(&g.distribution);
                for ((_, rack), (_, more)) in into.racks.iter_mut().zip(&g.racks) {
                    rack.merge(more);
                }
                merge_ramps(&mut into.ramps, &g.ramps);
                if let (Some((e, _)), better) = (g.worst, into.worst)
                    && better.is_none_or(|(b, _)| e.value > b.value)
                {
                    into.worst = g.worst;
                }
            }
        }
        if self.curves.is_none() {
            self.curves = r.site.curves;
        }
        self.record = self.record.take().or(r.record);
        self.storage_curves = self.storage_curves.take().or(r.storage_curves);
        let plant = r.plant.map(|mut p| {
            if self.frequency.is_none() {
                self.frequency = p.pyramid.take();
                self.voltage = p.voltage_pyramid.take();
                self.set_means = p
                    .sets
                    .iter()
                    .map(|s| (s.mean_share, s.limited_share))
                    .collect();
            }
            PlantExtremes::from(p)
        });
        self.bess.push((r.realisation, r.bess));
        self.corners.add(r.watched);
        let first = self.each.is_empty();
        let told = r.traffic.into_iter().filter(|t| first || t.over_capacity());
        self.traffic.extend(told.map(|t| (r.realisation, t)));
        self.each.push(PerRealisation {
            realisation: r.realisation,
            horizon_s: r.horizon_s,
            collapsed_at_s: r.collapsed_at_s,
            site_peak: r.site.peak,
            site_quantile_w: r.site_quantile_w,
            no_start: r.no_start,
            plant,
            load: r.load,
            rack_worst,
            tripped: r.tripped,
            reserve: r.reserve,
            moments: r.moments,
            strike: r.strike,
        });
    }

    /// Shortest simulated time of any realisation, seconds: a collapse ends one early.
    pub(crate) fn horizon_s(&self) -> f64 {
        self.each
            .iter()
            .map(|e| e.horizon_s)
            .fold(f64::INFINITY, f64::min)
    }

    /// Simulated time of all realisations together, seconds.
    pub(crate) fn total_s(&self) -> f64 {
        self.each.iter().map(|e| e.horizon_s).sum()
    }
}

/// Worst of the given extremes: the highest or the lowest value; of equal ones the first.
pub(crate) fn worst(
    values: impl Iterator<Item = Option<Extreme>>,
    highest: bool,
) -> Option<Extreme> {
    values
        .flatten()
        .fold(None, |best: Option<Extreme>, e| match best {
            Some(b) if (highest && e.value <= b.value) || (!highest && e.value >= b.value) => {
                Some(b)
            }
            _ => Some(e),
        })
}
