//! What the storage in racks did, what it costs, and what it lacks.

use std::f64::consts::PI;

use ballast_aggregate::{BulkReport, DemandBlock, Site, StorageReport};
use ballast_profile::MeteringPoint;
use ballast_scenario::Scenario;
use ballast_series::SpectrumEstimator;
use serde::Serialize;

use crate::merge::Merged;
use crate::outcome::Diagnostic;
use crate::realisation::RealisationResult;

/// Below this share of the time short of energy nothing is said.
const WORTH_TELLING: f64 = 0.01;
/// Lowest frequency at which a swing is looked for, hertz.
const LOWEST_HZ: f64 = 0.02;

/// Storage of a group of racks over a run.
#[derive(Debug, Clone, Serialize)]
pub struct StorageKpis {
    /// Name of the group.
    pub group: String,
    /// Name of the storage; absent where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Where its power is metered.
    pub metered: String,
    /// Racks in the group, each with its own.
    pub racks: u32,
    /// Usable energy of each, joules.
    pub energy_j: f64,
    /// Energy between the ends of the window of each, joules.
    pub window_j: f64,
    /// Lowest charge of any rack, share of `energy_j` (all realisations).
    pub charge_min_share: f64,
    /// Highest charge of any rack.
    pub charge_max_share: f64,
    /// Energy taken in by all racks, joules (mean of the realisations).
    pub in_j: f64,
    /// Energy given by all racks, joules.
    pub out_j: f64,
    /// Energy lost in all racks, joules.
    pub lost_j: f64,
    /// Energy stored in all racks at the end less that at the start, joules: `in_j = out_j + lost_j + stored_change_j`.
    pub stored_change_j: f64,
    /// Highest power taken in any rack, watts.
    pub charge_peak_w: f64,
    /// Highest power given in any rack, watts.
    pub discharge_peak_w: f64,
    /// Share of the time, of the racks together, within 1 % of the window of its low end.
    pub empty_share: f64,
    /// The same of its high end.
    pub full_share: f64,
    /// Share of the time at which limits or ends of the window kept it from what its controller asked for.
    pub short_share: f64,
    /// Times the usable energy went out of a store, per hour, mean of the racks.
    pub full_cycles_per_hour: f64,
    /// The same per day of 24 such hours.
    pub full_cycles_per_day: f64,
    /// What is lost over the energy the racks would draw without it.
    pub overhead_share: f64,
    /// Window that a start at its middle needs in the worst rack so that its ends are never met under the same controller, joules: what a store without losses
    /// and limits would swing by, twice the larger side.
    pub needed_window_j: f64,
    /// The strongest line of the group's power without the storage; absent where there is none.
    pub dominant: Option<Swing>,
    /// Largest change of the racks' power together, from lowest to highest sample, without the storage, watts (shown realisation).
    pub swing_without_w: f64,
    /// The same with it.
    pub swing_with_w: f64,
    /// Highest power of the racks together without the storage, watts (shown realisation).
    pub peak_without_w: f64,
    /// The same with it.
    pub peak_with_w: f64,
}

/// A sine in the power of a rack.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Swing {
    /// Frequency, hertz.
    pub frequency_hz: f64,
    /// Amplitude, watts per rack: half of what it swings by.
    pub amplitude_w: f64,
    /// Energy that flattens it, from lowest to highest charge, joules per rack: amplitude over `π f`.
    pub energy_j: f64,
}

/// Bulk capacitors of the supplies in a group of racks.
#[derive(Debug, Clone, Serialize)]
pub struct HoldupKpis {
    /// Name of the group.
    pub group: String,
    /// Where the lag is.
    pub metered: String,
    /// Hold-up energy of all supplies of a rack, joules.
    pub window_j: f64,
    /// Most that the lag of the AC side took from it in any rack, joules. Where `followed` is absent an upper bound: lag times range of the rack's power.
    pub given_j: f64,
    /// Share of the time at which the AC side followed its load for want of energy; absent where it could not come to that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub followed_share: Option<f64>,
}

/// Extremes and spectrum of one group's power before its storage.
struct Before {
    group: usize,
    spectrum: Option<SpectrumEstimator>,
    /// Lowest and highest: without, with.
    extent_w: [(f64, f64); 2],
}

/// Gathers block by block what the engine does not keep.
pub(crate) struct StorageCollector(Vec<Before>);

/// What a realisation's storage did.
#[derive(Debug, Clone, Default)]
pub(crate) struct StorageResult {
    reports: Vec<StorageReport>,
    bulk: Vec<(usize, BulkReport)>,
    shown: Vec<(usize, Shown)>,
}

#[derive(Debug, Clone, Copy)]
struct Shown {
    /// Frequency and amplitude of all racks together.
    dominant: Option<(f64, f64)>,
    extent_w: [(f64, f64); 2],
}

impl StorageCollector {
    /// `curves` asks for the spectrum.
    pub(crate) fn new(scenario: &Scenario, samples: u64, curves: bool) -> Self {
        let groups = scenario.racks.iter().enumerate();
        let with = groups.filter(|(_, g)| g.storage.is_some());
        let before = with.map(|(group, _)| Before {
            group,
            spectrum: curves.then(|| SpectrumEstimator::new(scenario.simulation.step_s, samples)),
            extent_w: [(f64::INFINITY, f64::NEG_INFINITY); 2],
        });
        Self(before.collect())
    }

    pub(crate) fn take(&mut self, block: &DemandBlock, len: usize) {
        for before in &mut self.0 {
            let (without, with) = (
                block.before_storage(before.group),
                block.group(before.group),
            );
            let (without, with) = (&without[..len], &with[..len]);
            for (extent, power_w) in before.extent_w.iter_mut().zip([without, with]) {
                for w in power_w {
                    *extent = (extent.0.min(*w), extent.1.max(*w));
                }
            }
            if let Some(spectrum) = &mut before.spectrum {
                spectrum.push_slice(without);
            }
        }
    }

    pub(crate) fn finish(
        self,
        reports: Vec<StorageReport>,
        bulk: Vec<(usize, BulkReport)>,
    ) -> StorageResult {
        let shown = self.0.into_iter().map(|b| {
            let lines = b.spectrum.map(SpectrumEstimator::finish);
            let dominant = lines.and_then(|s| {
                let lines = s.frequency_hz.iter().zip(&s.amplitude);
                let lines = lines.filter(|(f, _)| **f >= LOWEST_HZ.max(2.0 * s.resolution_hz));
                lines
                    .max_by(|a, b| a.1.total_cmp(b.1))
                    .filter(|(_, a)| **a > 0.0)
                    .map(|(f, a)| (*f, *a))
            });
            let shown = Shown {
                dominant,
                extent_w: b.extent_w,
            };
            (b.group, shown)
        });
        StorageResult {
            shown: shown.collect(),
            reports,
            bulk,
        }
    }
}

impl StorageResult {
    /// Adds those of another realisation.
    pub(crate) fn merge(&mut self, other: &RealisationResult) {
        for (into, more) in self.reports.iter_mut().zip(&other.storage.reports) {
            into.merge(more);
        }
        for ((_, into), (_, more)) in self.bulk.iter_mut().zip(&other.storage.bulk) {
            into.merge(more);
        }
    }
}

/// Figures of each group with storage.
pub(crate) fn kpis(scenario: &Scenario, merged: &Merged) -> Vec<StorageKpis> {
    let realisations = merged.each.len().max(1) as f64;
    let one = |r: &StorageReport| {
        let group = scenario.racks.get(r.group)?;
        let shown = &merged.storage.shown.iter().find(|(g, _)| *g == r.group)?.1;
        let (books, store) = (&r.books, &r.store);
        let racks = f64::from(r.racks);
        let per_time = |s: f64| {
            if books.time_s > 0.0 {
                s / books.time_s
            } else {
                0.0
            }
        };
        let cycles = books.full_cycles(store.energy_j, store.discharge_efficiency);
        let per_hour = per_time(cycles) * 3600.0;
        let mean_w = merged.groups.get(r.group)?.distribution.envelope("")?.mean;
        // The racks draw what they need, what is lost and what is stored.
        let stored_j = books.stored_j - books.start_j;
        let drawn_j = mean_w * merged.total_s() * racks;
        let needed_j = drawn_j - books.lost_j - stored_j;
        let swing = |(low, high): (f64, f64)| if high > low { high - low } else { 0.0 };
        Some(StorageKpis {
            group: group.name.clone(),
            label: group
                .storage
                .as_ref()
                .map(|s| s.label.clone())
                .filter(|l| !l.is_empty()),
            metered: MeteringPoint::RackAc.text().to_owned(),
            racks: r.racks,
            energy_j: store.energy_j,
            window_j: store.window_j(),
            charge_min_share: r.least_j / store.energy_j,
            charge_max_share: r.most_j / store.energy_j,
            in_j: books.in_j / realisations,
            out_j: books.out_j / realisations,
            lost_j: books.lost_j / realisations,
            stored_change_j: stored_j / realisations,
            charge_peak_w: books.peak_charge_w,
            discharge_peak_w: books.peak_discharge_w,
            empty_share: per_time(books.empty_s),
            full_share: per_time(books.full_s),
            short_share: per_time(books.short_s),
            full_cycles_per_hour: per_hour,
            full_cycles_per_day: 24.0 * per_hour,
            overhead_share: if needed_j > 0.0 {
                books.lost_j / needed_j
            } else {
                0.0
            },
            needed_window_j: books.needed_window_j(),
            dominant: shown.dominant.map(|(frequency_hz, amplitude_w)| Swing {
                frequency_hz,
                amplitude_w: amplitude_w / racks,
                energy_j: amplitude_w / racks / (PI * frequency_hz),
            }),
            swing_without_w: swing(shown.extent_w[0]),
            swing_with_w: swing(shown.extent_w[1]),
            peak_without_w: shown.extent_w[0].1,
            peak_with_w: shown.extent_w[1].1,
        })
    };
    merged.storage.reports.iter().filter_map(one).collect()
}

/// What the lag of the supplies asked of their capacitors, group by group.
pub(crate) fn holdups(site: Option<&Site>, merged: &Merged) -> Vec<HoldupKpis> {
    let Some(site) = site else { return Vec::new() };
    let one = |(g, group): (usize, &ballast_aggregate::GroupInfo)| {
        let (window_j, lag_s) = site.bulk_of(g)?;
        let followed = merged.storage.bulk.iter().find(|(b, _)| *b == g);
        let time_s = merged.total_s() * group.racks.len() as f64;
        let range = merged.groups.get(g)?.distribution.envelope("")?;
        Some(HoldupKpis {
            metered: MeteringPoint::RackAc.text().to_owned(),
            group: group.name.clone(),
            window_j,
            given_j: followed.map_or(lag_s * (range.max - range.min), |(_, b)| b.given_j),
            followed_share: followed
                .filter(|_| time_s > 0.0)
                .map(|(_, b)| b.followed_s / time_s),
        })
    };
    site.groups().iter().enumerate().filter_map(one).collect()
}

/// Where storage fell short, and by how much.
pub(crate) fn diagnostics(kpis: &[StorageKpis], holdups: &[HoldupKpis]) -> Vec<Diagnostic> {
    let mut list = Vec::new();
    for k in kpis.iter().filter(|k| k.short_share > WORTH_TELLING) {
        let dominant = k.dominant.map_or_else(String::new, |s| {
            format!(
                "; the strongest swing, ±{:.1} kW a rack at {:.3} Hz, takes {:.0} J by itself, and twice that from a start in the middle",
                s.amplitude_w / 1e3,
                s.frequency_hz,
                s.energy_j
            )
        });
        let missing_j = k.needed_window_j - k.window_j;
        let what = if missing_j > 0.0 {
            format!(
                "{:.0} J would be needed in the worst rack with the same controller, {:.0} J are there, {missing_j:.0} J are missing: a longer period needs a larger store, a floor under the GPUs' power, or a battery for the site",
                k.needed_window_j, k.window_j
            )
        } else {
            format!(
                "its energy of {:.0} J is enough, its power is not: it took up to {:.1} kW and gave up to {:.1} kW",
                k.window_j,
                k.charge_peak_w / 1e3,
                k.discharge_peak_w / 1e3
            )
        };
        list.push(Diagnostic {
            code: "storage-short".to_owned(),
            text: format!(
                "storage in the racks of {} could not do what its controller asked for in {:.1} % of the time: {what}{dominant}",
                k.group,
                100.0 * k.short_share
            ),
        });
    }
    for h in holdups {
        if let Some(share) = h.followed_share.filter(|s| *s > 0.0) {
            list.push(Diagnostic {
                code: "holdup-spent".to_owned(),
                text: format!(
                    "the lag of the supplies in the racks of {} asked more of their capacitors than the {:.0} J of hold-up a rack has: in {:.3} % of the time their AC side followed the load at once",
                    h.group,
                    h.window_j,
                    100.0 * share
                ),
            });
        }
    }
    list
}

/// What the model of storage leaves out; `None` without storage.
pub(crate) fn assumption(scenario: &Scenario) -> Option<String> {
    scenario.racks.iter().any(|r| r.storage.is_some()).then(|| {
        "storage in racks acts at their AC side, starts at its stated charge and knows the load of its own rack alone; it smooths and nothing else: a rack that loses its feed is not carried by it, and wear is not modelled".to_owned()
    })
}
