//! Fuel that the sets burn over a run, from their steady-state curves.
//!
//! Trapezoids over the plant's own steps of the curve's rate at the set's electrical power. A set that changes its load burns more than its
//! curve says while it accelerates: that is not in it.

use ballast_plant::{FuelKind, FuelSpec, FuelUnit, Plant, PlantSpec};
use ballast_profile::MeteringPoint;
use ballast_scenario::Scenario;
use serde::Serialize;

use crate::merge::Merged;

/// Seconds of an hour.
const HOUR_S: f64 = 3600.0;

/// Fuel of one group of equal sets.
#[derive(Debug, Clone)]
struct SetFuel {
    curve: FuelSpec,
    rated_kw: f64,
    /// Rate and power of all sets on the bus at the sample before.
    before: Option<(f64, f64)>,
    burnt: Burnt,
}

/// What a group burnt and delivered.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Burnt {
    /// In the unit of the curve times hours.
    amount: f64,
    electricity_kwh: f64,
    /// Samples on the bus, and of them below the lowest point of the curve, above the highest, and driven by the others.
    samples: u64,
    below: u64,
    above: u64,
    driven: u64,
}

/// Fuel of all sets in one realisation.
#[derive(Debug, Clone)]
pub(crate) struct FuelUse {
    dt_s: f64,
    sets: Vec<Option<SetFuel>>,
}

impl FuelUse {
    pub(crate) fn new(spec: &PlantSpec, dt_s: f64) -> Self {
        let sets = spec.sets.iter().map(|set| {
            Some(SetFuel {
                curve: set.fuel.clone()?,
                rated_kw: set.rated_kw,
                before: None,
                burnt: Burnt::default(),
            })
        });
        Self {
            dt_s,
            sets: sets.collect(),
        }
    }

    pub(crate) fn take(&mut self, plant: &Plant) {
        for (i, set) in self.sets.iter_mut().enumerate() {
            let Some(set) = set else { continue };
            let loaded = plant.loading(i).map(|share| (share, plant.on_bus(i)));
            set.take(loaded, self.dt_s);
        }
    }

    pub(crate) fn finish(self) -> Vec<Option<Burnt>> {
        self.sets
            .into_iter()
            .map(|set| set.map(|s| s.burnt))
            .collect()
    }
}

impl SetFuel {
    /// Share of rated of one set and how many there are; none where none is on the bus.
    fn take(&mut self, loaded: Option<(f64, u32)>, dt_s: f64) {
        let now = loaded.map_or((0.0, 0.0), |(share, on_bus)| {
            let burnt = &mut self.burnt;
            let points = &self.curve.points;
            burnt.samples += 1;
            burnt.driven += u64::from(share < 0.0);
            burnt.below += u64::from(share >= 0.0 && points.first().is_some_and(|p| share < p[0]));
            burnt.above += u64::from(points.last().is_some_and(|p| share > p[0]));
            // A set that is driven has its fuel shut off.
            let rate = self.curve.rate(share).unwrap_or(0.0);
            let sets = f64::from(on_bus);
            (rate * sets, share * self.rated_kw * sets)
        });
        if let Some(before) = self.before {
            let hours = dt_s / HOUR_S;
            self.burnt.amount += 0.5 * (before.0 + now.0) * hours;
            self.burnt.electricity_kwh += 0.5 * (before.1 + now.1) * hours;
        }
        self.before = Some(now);
    }
}

/// Fuel of the sets over the first realisation.
#[derive(Debug, Clone, Serialize)]
pub struct FuelKpis {
    /// Where the electricity is metered.
    pub metered: String,
    /// Over what, in words.
    pub over: String,
    /// What it rests on and what is not in it.
    pub basis: String,
    /// Each group of equal sets whose curve is known.
    pub sets: Vec<SetFuelKpis>,
    /// Groups without a curve: their fuel is in no sum.
    pub without_curve: Vec<String>,
    /// All groups with a curve.
    pub total: FuelAmounts,
}

/// Fuel of one group of equal sets, all sets on the bus together.
#[derive(Debug, Clone, Serialize)]
pub struct SetFuelKpis {
    /// Name of the group.
    pub set: String,
    /// What is burnt.
    pub kind: FuelKind,
    /// Amounts.
    #[serde(flatten)]
    pub amounts: FuelAmounts,
    /// Litres per kilowatt-hour of electricity, where the curve is in litres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub specific_l_per_kwh: Option<f64>,
    /// Kilograms per kilowatt-hour of electricity, where the curve is in kilograms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub specific_kg_per_kwh: Option<f64>,
    /// Share of its time below the curve's lowest point, where the lowest line was continued.
    pub below_points_share: f64,
    /// Share of its time above the curve's highest point, where the highest line was continued.
    pub above_points_share: f64,
    /// Share of its time in which the others drove it: no fuel was counted.
    pub driven_share: f64,
    /// The same in words; absent where the curve covers all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beyond_points: Option<String>,
}

/// Amounts of fuel and electricity.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct FuelAmounts {
    /// Litres, of curves in litres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fuel_l: Option<f64>,
    /// Kilograms, of curves in kilograms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fuel_kg: Option<f64>,
    /// Heat of lower heating value, kilowatt-hours.
    pub heat_kwh: f64,
    /// Electricity delivered, kilowatt-hours.
    pub electricity_kwh: f64,
    /// Electricity over heat; absent without either.
    pub efficiency: Option<f64>,
}

impl FuelAmounts {
    fn of(unit: FuelUnit, kw_per_unit: f64, burnt: &Burnt) -> Self {
        let amount = |u| (unit == u).then_some(burnt.amount);
        let mut amounts = Self {
            fuel_l: amount(FuelUnit::LPerH),
            fuel_kg: amount(FuelUnit::KgPerH),
            heat_kwh: burnt.amount * kw_per_unit,
            electricity_kwh: burnt.electricity_kwh,
            efficiency: None,
        };
        amounts.set_efficiency();
        amounts
    }

    fn set_efficiency(&mut self) {
        let known = self.heat_kwh > 0.0 && self.electricity_kwh > 0.0;
        self.efficiency = known.then(|| self.electricity_kwh / self.heat_kwh);
    }

    fn add(&mut self, more: &Self) {
        let sum = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => Some(a + b),
            (a, b) => a.or(b),
        };
        self.fuel_l = sum(self.fuel_l, more.fuel_l);
        self.fuel_kg = sum(self.fuel_kg, more.fuel_kg);
        self.heat_kwh += more.heat_kwh;
        self.electricity_kwh += more.electricity_kwh;
        self.set_efficiency();
    }
}

/// What was beyond the curve's points, in words.
fn beyond(curve: &FuelSpec, burnt: &Burnt) -> Option<String> {
    let percent = |n: u64| 100.0 * n as f64 / burnt.samples.max(1) as f64;
    let at = |point: Option<&[f64; 2]>| 100.0 * point.map_or(0.0, |p| p[0]);
    let mut parts = Vec::new();
    if burnt.below > 0 {
        parts.push(format!(
            "{:.1} % of the time below its lowest point ({:.0} % of rated), where its lowest line is continued",
            percent(burnt.below),
            at(curve.points.first())
        ));
    }
    if burnt.above > 0 {
        parts.push(format!(
            "{:.1} % of the time above its highest point ({:.0} % of rated), where its highest line is continued",
            percent(burnt.above),
            at(curve.points.last())
        ));
    }
    if burnt.driven > 0 {
        parts.push(format!(
            "{:.1} % of the time driven by the others, taken as no fuel",
            percent(burnt.driven)
        ));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Fuel of the first realisation; none where no set has a curve.
pub(crate) fn fuel_kpis(scenario: &Scenario, merged: &Merged) -> Option<FuelKpis> {
    let plant = scenario.plant.as_ref()?;
    let first = merged.each.first()?;
    let watched = &first.plant.as_ref()?.watched;
    let mut kpis = FuelKpis {
        metered: MeteringPoint::Terminals.text().to_owned(),
        over: format!("realisation {}, {} s", first.realisation, first.horizon_s),
        basis: String::new(),
        sets: Vec::new(),
        without_curve: Vec::new(),
        total: FuelAmounts::default(),
    };
    let mut by_default = false;
    for (set, burnt) in plant.sets.iter().zip(&watched.fuel) {
        let (Some(curve), Some(burnt)) = (&set.fuel, burnt) else {
            kpis.without_curve.push(set.name.clone());
            continue;
        };
        by_default |= curve.lhv_mj.is_none() && curve.unit != FuelUnit::KwLhv;
        let amounts = FuelAmounts::of(curve.unit, curve.kw_per_unit(), burnt);
        kpis.total.add(&amounts);
        let share = |n: u64| n as f64 / burnt.samples.max(1) as f64;
        let specific = |fuel: Option<f64>| {
            let fuel = fuel.filter(|_| amounts.electricity_kwh > 0.0)?;
            Some(fuel / amounts.electricity_kwh)
        };
        kpis.sets.push(SetFuelKpis {
            set: set.name.clone(),
            kind: curve.kind,
            amounts,
            specific_l_per_kwh: specific(amounts.fuel_l),
            specific_kg_per_kwh: specific(amounts.fuel_kg),
            below_points_share: share(burnt.below),
            above_points_share: share(burnt.above),
            driven_share: share(burnt.driven),
            beyond_points: beyond(curve, burnt),
        });
    }
    kpis.basis = format!(
        "steady-state curves at every step of the plant; what an engine burns more while it accelerates is not in them{}",
        if by_default {
            "; heating value not given, taken as usual (diesel 35.9 MJ/L or 42.7 MJ/kg, gas 48 MJ/kg, recalled)"
        } else {
            ""
        }
    );
    (!kpis.sets.is_empty()).then_some(kpis)
}

#[cfg(test)]
mod tests {
    use ballast_plant::{FuelKind, FuelSpec, FuelUnit};

    use super::{Burnt, FuelAmounts, SetFuel, beyond};

    fn set() -> SetFuel {
        SetFuel {
            curve: FuelSpec {
                kind: FuelKind::Diesel,
                unit: FuelUnit::LPerH,
                points: vec![[0.25, 70.0], [0.5, 120.0], [1.0, 240.0]],
                lhv_mj: Some(36.0),
            },
            rated_kw: 1000.0,
            before: None,
            burnt: Burnt::default(),
        }
    }

    #[test]
    fn constant_power_burns_its_rate_times_the_time() {
        let mut set = set();
        for _ in 0..=7200 {
            set.take(Some((0.75, 3)), 0.5);
        }
        // 3 sets, 1 h, 180 L/h each; 36 MJ/L is 10 kWh/L.
        let amounts = FuelAmounts::of(FuelUnit::LPerH, set.curve.kw_per_unit(), &set.burnt);
        assert!((amounts.fuel_l.unwrap() - 540.0).abs() < 1e-9);
        assert!((amounts.heat_kwh - 5400.0).abs() < 1e-8);
        assert!((amounts.electricity_kwh - 2250.0).abs() < 1e-9);
        assert!((amounts.efficiency.unwrap() - 2250.0 / 5400.0).abs() < 1e-12);
        assert_eq!(amounts.fuel_kg, None);
        assert_eq!(beyond(&set.curve, &set.burnt), None);
    }

    #[test]
    fn a_ramp_on_a_line_of_the_curve_burns_the_mean_of_its_ends() {
        let mut set = set();
        for k in 0..=3600_u32 {
            set.take(Some((0.5 + 0.5 * f64::from(k) / 3600.0, 1)), 1.0);
        }
        assert!((set.burnt.amount - 180.0).abs() < 1e-9);
    }

    #[test]
    fn what_the_curve_does_not_cover_is_said() {
        let mut set = set();
        for share in [0.1, 0.1, 0.5, 1.1, -0.1] {
            set.take(Some((share, 1)), 1.0);
        }
        let said = beyond(&set.curve, &set.burnt).unwrap();
        for part in [
            "40.0 % of the time below",
            "20.0 % of the time above",
            "20.0 % of the time driven",
        ] {
            assert!(said.contains(part), "{said}");
        }
        // Off the bus nothing is burnt and no time counts.
        let before = set.burnt.samples;
        set.take(None, 1.0);
        set.take(None, 1.0);
        assert_eq!(set.burnt.samples, before);
    }
}
