//! What the measures that smooth a load did and cost: floors of the GPUs, storage in racks, batteries at the bus, fuel.

use ballast_profile::MeteringPoint;

use super::figures::Figures;
use crate::outcome::Outcome;

/// Joules of a kilowatt-hour.
const KWH_J: f64 = 3.6e6;
/// Key of what all stores hold more at the end.
pub(super) const STORED: &str = "stored_change_kwh";

/// What all stores hold at the end less what they held at the start, mean of the realisations, kilowatt-hours; none without a store.
pub(super) fn stored_kwh(outcome: &Outcome) -> Option<f64> {
    if outcome.storage.is_empty() && outcome.bess.is_empty() {
        return None;
    }
    let realisations = f64::from(outcome.provenance.realisations.max(1));
    let racks: f64 = outcome.storage.iter().map(|s| s.stored_change_j).sum();
    let site: f64 = outcome.bess.iter().map(|b| b.stored_j).sum();
    Some((racks + site / realisations) / KWH_J)
}

/// Energy over a run of stores of one kind; extremes of any of them.
#[derive(Default)]
struct Stores {
    given_j: f64,
    lost_j: f64,
    /// Largest span of charge that any went through, share of its usable energy.
    used: f64,
    /// Largest share of the time in which any fell short.
    short: f64,
}

impl Stores {
    fn add(&mut self, given_j: f64, lost_j: f64, charge: (f64, f64), short_share: f64) {
        self.given_j += given_j;
        self.lost_j += lost_j;
        self.used = self.used.max(charge.1 - charge.0);
        self.short = self.short.max(short_share);
    }

    /// Its rows, metered where the first of them is.
    fn rows(&self, of: &str, what: &str, metered: &str, all: &mut Figures) {
        let mut row = |key: &str, label: &str, unit, metered: Option<&str>, value| {
            let (key, label) = (format!("{of}_{key}"), format!("{what}{label}"));
            all.push(&key, &label, unit, metered.map(str::to_owned), Some(value));
        };
        let at = Some(metered);
        row(
            "used_percent",
            ", charge used",
            "%",
            None,
            100.0 * self.used,
        );
        row(
            "given_kwh",
            ", energy given",
            "kWh",
            at,
            self.given_j / KWH_J,
        );
        row("lost_kwh", ", energy lost", "kWh", at, self.lost_j / KWH_J);
        row(
            "short_percent",
            ", time it fell short",
            "%",
            None,
            100.0 * self.short,
        );
    }
}

/// Rows of an outcome for the measures that it has; without one no row.
pub(super) fn figures(outcome: &Outcome, all: &mut Figures) {
    let stored = stored_kwh(outcome);
    all.add(STORED, "stored more at the end", "kWh", stored);
    floors(outcome, all);
    let mut racks = Stores::default();
    for s in &outcome.storage {
        let charge = (s.charge_min_share, s.charge_max_share);
        racks.add(s.out_j, s.lost_j, charge, s.short_share);
    }
    if let Some(first) = outcome.storage.first() {
        racks.rows("rack_storage", "storage in racks", &first.metered, all);
    }
    // Batteries count the energy of all realisations.
    let realisations = f64::from(outcome.provenance.realisations.max(1));
    let mut site = Stores::default();
    for b in &outcome.bess {
        let charge = (b.charge_min_share, b.charge_max_share);
        let (given_j, lost_j) = (b.out_j / realisations, b.lost_j / realisations);
        site.add(given_j, lost_j, charge, b.short_share);
    }
    if let Some(first) = outcome.bess.first() {
        site.rows("bess", "batteries at the bus", &first.metered, all);
    }
    fuel(outcome, all);
}

/// What floors and secondary loads added, metered at the GPUs.
fn floors(outcome: &Outcome, all: &mut Figures) {
    if outcome.gpu_smoothing.is_empty() {
        return;
    }
    let sum = |of: &dyn Fn(&crate::outcome::GpuSmoothingKpis) -> f64| -> f64 {
        outcome.gpu_smoothing.iter().map(of).sum()
    };
    let floor = sum(&|g| g.report.floor_kwh);
    let secondary = sum(&|g| g.report.secondary_kwh);
    let work = sum(&|g| g.report.work_kwh);
    let at = || Some(MeteringPoint::Gpu.text().to_owned());
    let (floors, co_runners) = (
        "floor of the GPUs, energy added",
        "secondary load, energy added",
    );
    if floor > 0.0 {
        all.push("gpu_floor_kwh", floors, "kWh", at(), Some(floor));
    }
    if secondary > 0.0 {
        all.push(
            "secondary_load_kwh",
            co_runners,
            "kWh",
            at(),
            Some(secondary),
        );
    }
    let percent = 100.0 * (floor + secondary) / work;
    let label = "both of them, beyond the GPUs' work";
    all.push("gpu_overhead_percent", label, "%", at(), Some(percent));
}

/// What the sets burnt in the first realisation, where a curve is known.
fn fuel(outcome: &Outcome, all: &mut Figures) {
    let Some(fuel) = outcome.plant.as_ref().and_then(|p| p.fuel.as_ref()) else {
        return;
    };
    let part = if fuel.without_curve.is_empty() {
        ""
    } else {
        " (sets with a curve)"
    };
    all.add("fuel_l", &format!("fuel{part}"), "l", fuel.total.fuel_l);
    all.add("fuel_kg", &format!("fuel{part}"), "kg", fuel.total.fuel_kg);
    let heat = Some(fuel.total.heat_kwh);
    all.add(
        "fuel_heat_kwh",
        &format!("heat of the fuel{part}"),
        "kWh",
        heat,
    );
}
