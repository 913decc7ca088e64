//! How far the peaks of racks and groups coincide. An output, never an input.

use std::ops::Range;

use ballast_aggregate::{DemandBlock, Site};
use ballast_profile::MeteringPoint;
use ballast_scenario::Scenario;

use crate::outcome::{Diversity, DiversityKpis, Extreme};
use crate::windows::Worst;

/// Peaks of the sums of racks, by group and in all. Grows with groups, not with racks or duration.
pub(crate) struct Together {
    racks: Vec<Range<usize>>,
    groups: Vec<Worst>,
    all: Worst,
}

/// Coincident peaks over sums of peaks in one realisation, or in the one where peaks coincide most.
#[derive(Debug, Clone)]
pub(crate) struct Diversities {
    /// All racks.
    pub(crate) racks: Diversity,
    /// All groups.
    pub(crate) groups: Diversity,
    /// The racks of each group.
    pub(crate) in_group: Vec<Diversity>,
}

impl Together {
    pub(crate) fn new(site: &Site, realisation: u32) -> Self {
        let racks: Vec<_> = site.groups().iter().map(|g| g.racks.clone()).collect();
        Self {
            groups: vec![Worst::highest(realisation); racks.len()],
            all: Worst::highest(realisation),
            racks,
        }
    }

    /// Takes the first `len` samples of every group in `block`; the first is number `first` of the run.
    pub(crate) fn take(&mut self, block: &DemandBlock, len: usize, first: u64, dt_s: f64) {
        for (group, worst) in self.groups.iter_mut().enumerate() {
            worst.take_slice(&block.group(group)[..len], first, dt_s);
        }
        for k in 0..len {
            let groups = (0..self.groups.len()).map(|group| block.group(group)[k]);
            self.all
                .take(groups.sum(), (first + k as u64) as f64 * dt_s);
        }
    }

    /// With the highest power of each rack, W.
    pub(crate) fn finish(self, peaks_w: &[f64]) -> Option<Diversities> {
        let sum_w =
            |racks: Range<usize>| -> f64 { peaks_w.get(racks).map_or(0.0, |p| p.iter().sum()) };
        let groups_w: f64 = self
            .groups
            .iter()
            .filter_map(|g| g.extreme)
            .map(|e| e.value)
            .sum();
        let all = self.all.extreme?;
        let in_group = self.groups.iter().zip(&self.racks);
        Some(Diversities {
            racks: diversity(all, sum_w(0..peaks_w.len())),
            groups: diversity(all, groups_w),
            in_group: in_group
                .filter_map(|(g, racks)| Some(diversity(g.extreme?, sum_w(racks.clone()))))
                .collect(),
        })
    }
}

fn diversity(coincident: Extreme, sum_of_peaks_w: f64) -> Diversity {
    Diversity {
        factor: if sum_of_peaks_w > 0.0 {
            coincident.value / sum_of_peaks_w
        } else {
            1.0
        },
        coincident_peak_w: coincident.value,
        sum_of_peaks_w,
        at_s: coincident.at_s,
        realisation: coincident.realisation,
    }
}

impl Diversities {
    /// Keeps the higher factors: the realisation in which peaks coincide most is the one to plan for.
    pub(crate) fn merge(&mut self, other: Self) {
        let keep = |into: &mut Diversity, other: Diversity| {
            if other.factor > into.factor {
                *into = other;
            }
        };
        keep(&mut self.racks, other.racks);
        keep(&mut self.groups, other.groups);
        for (into, other) in self.in_group.iter_mut().zip(other.in_group) {
            keep(into, other);
        }
    }

    /// As it stands in an outcome.
    pub(crate) fn kpis(&self, scenario: &Scenario) -> DiversityKpis {
        let sim = &scenario.simulation;
        let runs = match sim.realisations {
            1 => "1 realisation".to_owned(),
            n => format!("the highest of {n} realisations"),
        };
        DiversityKpis {
            metered: MeteringPoint::RackAc.text().to_owned(),
            over: format!(
                "samples every {} s, {runs} of {} s",
                sim.step_s, sim.duration_s
            ),
            racks: self.racks,
            groups: (self.in_group.len() > 1).then_some(self.groups),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worst(value: f64, realisation: u32) -> Worst {
        let mut worst = Worst::highest(realisation);
        worst.take(value, 2.0);
        worst
    }

    fn together(all: f64, groups: [f64; 2], realisation: u32) -> Together {
        Together {
            racks: vec![0..2, 2..3],
            groups: groups.map(|g| worst(g, realisation)).to_vec(),
            all: worst(all, realisation),
        }
    }

    #[test]
    fn factors_are_coincident_peaks_over_sums_of_peaks() {
        let peaks_w = [10.0, 20.0, 30.0];
        let mut d = together(45.0, [24.0, 30.0], 1).finish(&peaks_w).unwrap();
        assert_eq!((d.racks.factor, d.racks.sum_of_peaks_w), (0.75, 60.0));
        assert_eq!(
            (d.groups.factor, d.groups.sum_of_peaks_w),
            (45.0 / 54.0, 54.0)
        );
        assert_eq!(d.in_group[0].factor, 0.8);
        assert_eq!(d.in_group[1].factor, 1.0);
        d.merge(together(48.0, [23.0, 30.0], 2).finish(&peaks_w).unwrap());
        assert_eq!((d.racks.factor, d.racks.realisation), (0.8, 2));
        assert_eq!((d.in_group[0].factor, d.in_group[0].realisation), (0.8, 1));
        assert!(
            together(0.0, [0.0, 0.0], 1)
                .finish(&[0.0; 3])
                .unwrap()
                .racks
                .factor
                == 1.0
        );
    }
}
