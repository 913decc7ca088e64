//! Reactive power at the bus: highest apparent power, power factors.

use ballast_profile::MeteringPoint;
use ballast_scenario::Scenario;

use crate::outcome::{Extreme, ReactiveKpis};
use crate::windows::Worst;

/// Figures of active and reactive power, gathered sample by sample. Does not grow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Apparent {
    /// Highest squared apparent power, (VA)².
    peak: Worst,
    at_peak: (f64, f64),
    sum_w: f64,
    sum_var: f64,
    samples: u64,
}

impl Apparent {
    pub(crate) fn new(realisation: u32) -> Self {
        Self {
            peak: Worst::highest(realisation),
            at_peak: (0.0, 0.0),
            sum_w: 0.0,
            sum_var: 0.0,
            samples: 0,
        }
    }

    /// Takes a sample: active and reactive power in watts and var.
    pub(crate) fn take(&mut self, w: f64, var: f64, at_s: f64) {
        let square = w * w + var * var;
        if self.peak.extreme.is_none_or(|e| square > e.value) {
            self.at_peak = (w, var);
        }
        self.peak.take(square, at_s);
        self.sum_w += w;
        self.sum_var += var;
        self.samples += 1;
    }

    /// Another realisation's figures; of equal peaks the earlier realisation's stays.
    pub(crate) fn merge(&mut self, other: &Self) {
        let square = |a: &Self| a.peak.extreme.map_or(-1.0, |e| e.value);
        if square(other) > square(self) {
            self.peak = other.peak;
            self.at_peak = other.at_peak;
        }
        self.sum_w += other.sum_w;
        self.sum_var += other.sum_var;
        self.samples += other.samples;
    }

    /// The figures as they stand in an outcome; none without samples.
    pub(crate) fn kpis(&self, scenario: &Scenario) -> Option<ReactiveKpis> {
        let peak = self.peak.extreme?;
        let n = self.samples.max(1) as f64;
        let (w, var) = self.at_peak;
        Some(ReactiveKpis {
            metered: MeteringPoint::Bus.text().to_owned(),
            peak_kva: Extreme {
                value: peak.value.sqrt() / 1e3,
                ..peak
            },
            active_at_peak_kw: w / 1e3,
            reactive_at_peak_kvar: var / 1e3,
            power_factor_at_peak: power_factor(w, var),
            power_factor_mean: power_factor(self.sum_w / n, self.sum_var / n),
            not_given: not_given(scenario),
        })
    }
}

/// Signed power factor: positive lagging (reactive power is drawn), negative leading; 1 where there is no power.
fn power_factor(w: f64, var: f64) -> f64 {
    let va = (w * w + var * var).sqrt();
    if va <= 0.0 {
        return 1.0;
    }
    let size = w.abs() / va;
    if var < 0.0 { -size } else { size }
}

/// What has no power factor and is taken as 1, in words.
pub(crate) fn not_given(scenario: &Scenario) -> Vec<String> {
    let mut list: Vec<String> = Vec::new();
    let supplies = scenario
        .racks
        .iter()
        .filter_map(|r| scenario.nodes.get(&r.node));
    for node in supplies {
        let without = scenario
            .psus
            .get(&node.psu)
            .is_some_and(|p| p.power_factor.is_none());
        let name = format!("power supply {}", node.psu);
        if without && !list.contains(&name) {
            list.push(name);
        }
    }
    if let Some(facility) = &scenario.facility {
        let parts = facility.power_factors_not_given();
        list.extend(parts.into_iter().map(str::to_owned));
    }
    let loads = scenario.loads.iter().filter(|l| l.power_factor().is_none());
    list.extend(loads.map(|l| format!("load {}", l.name())));
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_that_of_the_apparent_power_and_the_mean_that_of_the_energies() {
        let mut first = Apparent::new(1);
        first.take(4.0, 3.0, 0.0);
        first.take(4.5, 0.0, 1.0);
        let mut second = Apparent::new(2);
        second.take(3.0, -4.0, 0.0);
        let peak = first.peak.extreme.unwrap();
        assert_eq!(
            (peak.value, peak.at_s, first.at_peak),
            (25.0, 0.0, (4.0, 3.0))
        );
        // Equal: the earlier one stays.
        first.merge(&second);
        assert_eq!(first.peak.extreme.unwrap().realisation, 1);
        let (w, var) = (11.5 / 3.0, -1.0 / 3.0);
        assert!((first.sum_w / 3.0 - w).abs() < 1e-15 && (first.sum_var / 3.0 - var).abs() < 1e-15);
        assert_eq!(power_factor(4.0, 3.0), 0.8);
        assert_eq!(power_factor(4.0, -3.0), -0.8);
        assert_eq!(power_factor(0.0, 0.0), 1.0);
    }
}
