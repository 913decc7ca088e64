//! Curves over time of what storage does: charge and power of the racks' stores and of the batteries at the bus, and the power at the bus without them.
//!
//! Kept for the shown realisation, in pyramids: bounded, however long the run.

use std::slice;

use ballast_aggregate::DemandBlock;
use ballast_profile::MeteringPoint;
use ballast_scenario::Scenario;
use ballast_series::{Pyramid, PyramidBuilder};
use serde::Serialize;

use crate::bess::SiteBess;
use crate::collect::{Span, for_a_page};
use crate::design;

/// Batteries of which curves are kept, at most: the first of the scenario.
const MOST_BATTERIES: usize = 4;

/// Curves over time of storage, of one realisation.
#[derive(Debug, Clone, Serialize)]
pub struct StorageCurves {
    /// Where `before_w` is metered.
    pub metered: String,
    /// Power at the bus less what all stores take, watts: what the supply would see without them, but for what losses between racks and bus change with it.
    pub before_w: Pyramid,
    /// Stores in racks, all together; absent without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub racks: Option<StoreCurve>,
    /// Of the groups of racks the one whose mean charge comes nearest to an end of its window; absent with fewer than two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worst_group: Option<StoreCurve>,
    /// Batteries at the bus, the first four.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bess: Vec<StoreCurve>,
    /// Batteries that are left out.
    pub bess_left_out: usize,
}

/// Charge and power of a store, or of several together.
#[derive(Debug, Clone, Serialize)]
pub struct StoreCurve {
    /// Its name.
    pub name: String,
    /// Where its power is metered.
    pub metered: String,
    /// Low end of the window of its charge, share of the usable energy.
    pub low_share: f64,
    /// High end.
    pub high_share: f64,
    /// Charge, share of the usable energy.
    pub charge_share: Pyramid,
    /// Power taken, watts; negative: given.
    pub power_w: Pyramid,
}

/// Gathers the curve of one store.
struct Store {
    name: String,
    metered: &'static str,
    /// Usable energy, joules.
    energy_j: f64,
    window: (f64, f64),
    charge: PyramidBuilder,
    power: PyramidBuilder,
    /// Least distance of the charge to an end of its window so far, share of the usable energy.
    nearest: f64,
}

impl Store {
    fn new(
        name: String,
        metered: &'static str,
        energy_j: f64,
        window: (f64, f64),
        span: Span,
    ) -> Self {
        Self {
            name,
            metered,
            energy_j,
            window,
            charge: span.pyramid(),
            power: span.pyramid(),
            nearest: f64::INFINITY,
        }
    }

    fn take(&mut self, share: &[f64], power_w: &[f64]) {
        for s in share {
            let nearest = (s - self.window.0).min(self.window.1 - s);
            self.nearest = self.nearest.min(nearest);
        }
        self.charge.push_slice(share);
        self.power.push_slice(power_w);
    }

    fn finish(self) -> StoreCurve {
        StoreCurve {
            name: self.name,
            metered: self.metered.to_owned(),
            low_share: self.window.0,
            high_share: self.window.1,
            charge_share: for_a_page(self.charge.finish()),
            power_w: for_a_page(self.power.finish()),
        }
    }
}

/// Gathers [`StorageCurves`], block by block.
pub(crate) struct CurvesCollector {
    metered: &'static str,
    before: PyramidBuilder,
    /// Number of each group with storage, and its store.
    groups: Vec<(usize, Store)>,
    racks: Option<Store>,
    bess: Vec<Store>,
    bess_left_out: usize,
    /// Of the block under way: share and power of each battery, and of all batteries together.
    each: Vec<(Vec<f64>, Vec<f64>)>,
    all_w: Vec<f64>,
    share: Vec<f64>,
    power_w: Vec<f64>,
    racks_j: Vec<f64>,
    racks_w: Vec<f64>,
}

impl CurvesCollector {
    /// None where nothing stores.
    pub(crate) fn new(scenario: &Scenario, span: Span) -> Option<Self> {
        let at_racks = MeteringPoint::RackAc.text();
        let at_bus = design::bus(scenario);
        let mut groups = Vec::new();
        let (mut all_j, mut low_j, mut high_j) = (0.0, 0.0, 0.0);
        for (number, group) in scenario.racks.iter().enumerate() {
            let Some(storage) = &group.storage else {
                continue;
            };
            let store = storage.store();
            let energy_j = store.energy_j * f64::from(group.count);
            all_j += energy_j;
            low_j += energy_j * store.low_share;
            high_j += energy_j * store.high_share;
            let window = (store.low_share, store.high_share);
            let name = group.name.clone();
            groups.push((number, Store::new(name, at_racks, energy_j, window, span)));
        }
        let racks = (all_j > 0.0).then(|| {
            let name = "racks".to_owned();
            let window = (low_j / all_j, high_j / all_j);
            Store::new(name, at_racks, all_j, window, span)
        });
        let batteries = scenario.bess.iter().take(MOST_BATTERIES);
        let bess: Vec<Store> = batteries
            .map(|spec| {
                let store = spec.store();
                let window = (store.low_share, store.high_share);
                Store::new(spec.name.clone(), at_bus, store.energy_j, window, span)
            })
            .collect();
        (racks.is_some() || !bess.is_empty()).then(|| Self {
            metered: at_bus,
            before: span.pyramid(),
            groups,
            racks,
            each: vec![(Vec::new(), Vec::new()); bess.len()],
            bess_left_out: scenario.bess.len() - bess.len(),
            bess,
            all_w: Vec::new(),
            share: Vec::new(),
            power_w: Vec::new(),
            racks_j: Vec::new(),
            racks_w: Vec::new(),
        })
    }

    /// Takes the batteries at the next sample of the block under way.
    pub(crate) fn sample(&mut self, bess: &SiteBess) {
        for ((share, power_w), battery) in self.each.iter_mut().zip(bess.each()) {
            share.push(battery.share());
            power_w.push(battery.power_w());
        }
        self.all_w.push(bess.power_w());
    }

    /// Closes the block: `at_bus_w` is the power at the bus at its samples.
    pub(crate) fn take(&mut self, block: &DemandBlock, at_bus_w: &[f64]) {
        let len = at_bus_w.len();
        let zeroed = |v: &mut Vec<f64>| {
            v.clear();
            v.resize(len, 0.0);
        };
        zeroed(&mut self.racks_j);
        zeroed(&mut self.racks_w);
        for (number, store) in &mut self.groups {
            let stored_j = block.stored(*number);
            let (with, without) = (block.group(*number), block.before_storage(*number));
            self.share.clear();
            self.power_w.clear();
            let rows = stored_j.iter().zip(with).zip(without).take(len);
            for (i, ((j, with), without)) in rows.enumerate() {
                self.share.push(j / store.energy_j);
                self.power_w.push(with - without);
                self.racks_j[i] += j;
                self.racks_w[i] += with - without;
            }
            store.take(&self.share, &self.power_w);
        }
        if let Some(racks) = &mut self.racks {
            self.share.clear();
            let energy_j = racks.energy_j;
            self.share.extend(self.racks_j.iter().map(|j| j / energy_j));
            racks.take(&self.share, &self.racks_w);
        }
        for (store, (share, power_w)) in self.bess.iter_mut().zip(&mut self.each) {
            store.take(share, power_w);
            share.clear();
            power_w.clear();
        }
        let stores = self.racks_w.iter().zip(&self.all_w);
        for (w, (racks_w, all_w)) in at_bus_w.iter().zip(stores) {
            self.before
                .push_slice(slice::from_ref(&(w - racks_w - all_w)));
        }
        self.all_w.clear();
    }

    pub(crate) fn finish(self) -> StorageCurves {
        let several = self.groups.len() > 1;
        let groups = self.groups.into_iter().map(|(_, store)| store);
        let worst = groups.reduce(|a, b| if b.nearest < a.nearest { b } else { a });
        StorageCurves {
            metered: self.metered.to_owned(),
            before_w: for_a_page(self.before.finish()),
            racks: self.racks.map(Store::finish),
            worst_group: worst.filter(|_| several).map(Store::finish),
            bess: self.bess.into_iter().map(Store::finish).collect(),
            bess_left_out: self.bess_left_out,
        }
    }
}
