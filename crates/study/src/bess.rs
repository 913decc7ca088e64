//! Batteries at the bus, between the loads and the supply: each smooths what is left by the one before.

use ballast_buffer::{Bess, BessSpec, Books};
use ballast_scenario::Scenario;

use crate::design;
use crate::merge::Merged;
use crate::outcome::BessKpis;

/// What the model of a battery leaves out.
pub(crate) const ASSUMPTION: &str = "batteries at the bus smooth the load they measure: active power only, no duty on frequency or voltage, equal losses at any power and charge, no ageing, no cooling, never out of order";

/// The batteries of one realisation.
#[derive(Clone)]
pub(crate) struct SiteBess {
    each: Vec<Bess>,
}

impl SiteBess {
    pub(crate) fn new(specs: &[BessSpec]) -> Self {
        Self {
            each: specs.iter().map(Bess::new).collect(),
        }
    }

    /// Power of all of them now, watts; positive: they take.
    pub(crate) fn power_w(&self) -> f64 {
        self.each.iter().map(Bess::power_w).sum()
    }

    /// Goes on by `dt_s`, at whose end the loads draw `load_w`. Returns what the supply sees then.
    pub(crate) fn step(&mut self, load_w: f64, dt_s: f64) -> f64 {
        let behind = |left_w: f64, bess: &mut Bess| left_w + bess.step(left_w, dt_s);
        self.each.iter_mut().fold(load_w, behind)
    }

    pub(crate) fn each(&self) -> &[Bess] {
        &self.each
    }

    pub(crate) fn books(&self) -> Vec<Books> {
        self.each.iter().map(Bess::books).collect()
    }
}

/// Figures of each battery over all realisations.
pub(crate) fn kpis(scenario: &Scenario, merged: &Merged) -> Vec<BessKpis> {
    let each = scenario.bess.iter().enumerate();
    each.map(|(at, spec)| {
        let store = spec.store();
        let mut all = Books::default();
        let (mut least_j, mut most_j) = (f64::INFINITY, f64::NEG_INFINITY);
        for books in merged.bess.iter().filter_map(|(_, books)| books.get(at)) {
            all.add(books);
            (least_j, most_j) = (least_j.min(books.least_j), most_j.max(books.most_j));
        }
        let share = |time_s: f64| {
            if all.time_s > 0.0 {
                time_s / all.time_s
            } else {
                0.0
            }
        };
        BessKpis {
            name: spec.name.clone(),
            metered: design::bus(scenario).to_owned(),
            energy_j: store.energy_j,
            power_w: store.discharge_w,
            in_j: all.in_j,
            out_j: all.out_j,
            lost_j: all.lost_j,
            stored_j: all.stored_j - all.start_j,
            charge_min_share: least_j / store.energy_j,
            charge_max_share: most_j / store.energy_j,
            peak_charge_w: all.peak_charge_w,
            peak_discharge_w: all.peak_discharge_w,
            empty_share: share(all.empty_s),
            full_share: share(all.full_s),
            short_share: share(all.short_s),
            full_cycles_per_day: share(all.full_cycles(store.energy_j, store.discharge_efficiency))
                * 86_400.0,
        }
    })
    .collect()
}

/// What a battery could not do, in words.
pub(crate) fn short(b: &BessKpis) -> String {
    let percent = |share: f64| format!("{:.2} %", share * 100.0);
    let mut why = Vec::new();
    if b.empty_share > 0.0 {
        why.push(format!("empty {} of the time", percent(b.empty_share)));
    }
    if b.full_share > 0.0 {
        why.push(format!("full {} of it", percent(b.full_share)));
    }
    if b.peak_charge_w.max(b.peak_discharge_w) >= (1.0 - 1e-9) * b.power_w {
        why.push("at its rated power at times".to_owned());
    }
    if why.is_empty() {
        why.push("its power tapers towards the ends of its window".to_owned());
    }
    format!(
        "the battery `{}` did less than was wanted of it {} of the time ({}): the supply saw the rest; more energy, more power or a shorter time_constant_s would mend it",
        b.name,
        percent(b.short_share),
        why.join(", ")
    )
}
