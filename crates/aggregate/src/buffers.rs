//! What buffers a rack's power behind its supplies: their bulk capacitors, and the rack's storage.
//!
//! Both work on what an engine made, rack by rack, at the AC side, and so are the same for either engine. Racks of a unit run side by side with the
//! arithmetic of one alone; nothing is drawn at random.

use std::ops::Range;

use ballast_buffer::{Books, Control, StoreLanes, StoreSpec};
use ballast_series::lanes::LANES;
use multiversion::multiversion;

use crate::bulk::{BulkLanes, BulkReport};
use crate::event_plan::Outage;
use crate::presence;
use crate::site::{Hardware, Site};
use crate::tile::Simd;

/// Steps turned over at a time.
const CHUNK: usize = 32;

/// Storage of one rack, in plain numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RackStore {
    pub(crate) store: StoreSpec,
    pub(crate) control: Control,
}

/// What the storage of a group of racks did so far.
#[derive(Debug, Clone, PartialEq)]
pub struct StorageReport {
    /// Group, as an index of [`Site::groups`].
    pub group: usize,
    /// The store of each rack.
    pub store: StoreSpec,
    /// Its controller.
    pub control: Control,
    /// Racks with it.
    pub racks: u32,
    /// Books of all of them together.
    pub books: Books,
    /// Lowest charge of any rack, J.
    pub least_j: f64,
    /// Highest charge of any rack, J.
    pub most_j: f64,
}

impl StorageReport {
    /// Adds what the same racks did in another realisation.
    pub fn merge(&mut self, other: &Self) {
        self.books.add(&other.books);
        self.least_j = self.least_j.min(other.least_j);
        self.most_j = self.most_j.max(other.most_j);
    }
}

/// N racks side by side, of which `racks` are there.
#[derive(Debug, Clone)]
struct Side<const N: usize> {
    racks: usize,
    bulk: Option<BulkLanes<N>>,
    store: Option<StoreLanes<N>>,
    /// Racks without power at the step before.
    was_off: [bool; N],
}

/// The buffers of one unit's racks.
#[derive(Debug, Clone)]
enum Lanes {
    One(Box<Side<1>>),
    Tile(Box<Side<LANES>>),
}

/// The buffers of one unit of racks.
#[derive(Debug, Clone)]
pub(crate) struct Buffers {
    lanes: Lanes,
    simd: Simd,
}

/// Racks and steps at which a rack of the unit has no power.
type Off = Vec<(usize, Range<usize>)>;

impl Buffers {
    /// Those of `racks` racks of a group; `None` where nothing of them matters. A unit has one rack or at most sixteen.
    pub(crate) fn new(
        site: &Site,
        group: usize,
        racks: usize,
        dt_s: f64,
        simd: Simd,
    ) -> Option<Self> {
        let hardware = &site.hardware[group];
        let bulk = site.bulk_matters(group);
        if !bulk && hardware.store.is_none() {
            return None;
        }
        let lanes = if racks == 1 {
            Lanes::One(Box::new(Side::new(hardware, bulk, racks, dt_s)))
        } else {
            Lanes::Tile(Box::new(Side::new(hardware, bulk, racks, dt_s)))
        };
        Some(Self { lanes, simd })
    }

    /// Turns a block of `[rack][step]` at the supplies, W, into what the line sees. `stored_j` receives the charge of all racks together,
    /// `[step]`; zeros without storage.
    pub(crate) fn apply(
        &mut self,
        ac_w: &mut [f64],
        outages: &[Vec<Outage>],
        first_sample: u64,
        dt_s: f64,
        stored_j: &mut [f64],
    ) {
        let steps = stored_j.len();
        let mut off: Off = Vec::new();
        for (rack, outages) in outages.iter().enumerate() {
            let ranges = outages
                .iter()
                .map(|o| presence::without_power(o, first_sample, dt_s, steps));
            off.extend(ranges.filter(|r| !r.is_empty()).map(|r| (rack, r)));
        }
        match &mut self.lanes {
            Lanes::One(side) => side.run(ac_w, &off, stored_j),
            Lanes::Tile(side) => match self.simd {
                Simd::Widest => widest(side, ac_w, &off, stored_j),
                Simd::Avx2 => at_most_avx2(side, ac_w, &off, stored_j),
                Simd::Baseline => side.run(ac_w, &off, stored_j),
            },
        }
    }

    /// Books of each rack's store.
    pub(crate) fn books(&self) -> Vec<Books> {
        match &self.lanes {
            Lanes::One(side) => side.books(),
            Lanes::Tile(side) => side.books(),
        }
    }

    /// What its capacitors had to do, of all its racks; `None` where they do not matter.
    pub(crate) fn bulk(&self) -> Option<BulkReport> {
        match &self.lanes {
            Lanes::One(side) => side.bulk_report(),
            Lanes::Tile(side) => side.bulk_report(),
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl", "x86_64+avx2"))]
fn widest(side: &mut Side<LANES>, ac_w: &mut [f64], off: &Off, stored_j: &mut [f64]) {
    side.run(ac_w, off, stored_j);
}

#[multiversion(targets("x86_64+avx2"))]
fn at_most_avx2(side: &mut Side<LANES>, ac_w: &mut [f64], off: &Off, stored_j: &mut [f64]) {
    side.run(ac_w, off, stored_j);
}

impl<const N: usize> Side<N> {
    fn new(hardware: &Hardware, bulk: bool, racks: usize, dt_s: f64) -> Self {
        let store = hardware.store.as_ref();
        Self {
            racks,
            bulk: bulk.then(|| BulkLanes::new(hardware, dt_s)),
            store: store.map(|s| StoreLanes::new(&s.control, &s.store, dt_s)),
            was_off: [false; N],
        }
    }

    #[expect(
        clippy::inline_always,
        reason = "it must be compiled for the vector width of its caller"
    )]
    #[inline(always)]
    fn run(&mut self, ac_w: &mut [f64], off: &Off, stored_j: &mut [f64]) {
        let steps = stored_j.len();
        let mut turned = [[0.0; N]; CHUNK];
        for at in (0..steps).step_by(CHUNK) {
            let len = CHUNK.min(steps - at);
            for (l, row) in ac_w.chunks_exact(steps).take(self.racks).enumerate() {
                for (lanes, w) in turned[..len].iter_mut().zip(&row[at..at + len]) {
                    lanes[l] = *w;
                }
            }
            let stored_j = &mut stored_j[at..at + len];
            let cut = off.iter().any(|(_, r)| r.start < at + len && r.end > at);
            if cut || self.was_off.iter().any(|o| *o) {
                for (k, (lanes, sum_j)) in turned[..len].iter_mut().zip(stored_j).enumerate() {
                    self.step_cut(lanes, off, at + k);
                    *sum_j = self.stored_j();
                }
            } else {
                for (lanes, sum_j) in turned[..len].iter_mut().zip(stored_j) {
                    if let Some(bulk) = &mut self.bulk {
                        bulk.step(lanes);
                    }
                    if let Some(store) = &mut self.store {
                        store.step(lanes);
                    }
                    *sum_j = self.stored_j();
                }
            }
            for (l, row) in ac_w.chunks_exact_mut(steps).take(self.racks).enumerate() {
                for (lanes, w) in turned[..len].iter().zip(&mut row[at..at + len]) {
                    *w = lanes[l];
                }
            }
        }
    }

    /// A step at which a rack has no power, or had none at the one before.
    fn step_cut(&mut self, ac_w: &mut [f64; N], off: &Off, k: usize) {
        let mut on = [true; N];
        for (rack, range) in off {
            on[*rack] &= !range.contains(&k);
        }
        if let Some(bulk) = &mut self.bulk {
            for l in 0..N {
                if self.was_off[l] || !on[l] {
                    bulk.begin(l, ac_w[l]);
                }
            }
            bulk.step(ac_w);
        }
        if let Some(store) = &mut self.store {
            store.step_of(ac_w, &on);
        }
        self.was_off = on.map(|on| !on);
    }

    /// Charge of all racks together, J, in a fixed order.
    #[expect(
        clippy::inline_always,
        reason = "it must be compiled for the vector width of its caller"
    )]
    #[inline(always)]
    fn stored_j(&self) -> f64 {
        let Some(store) = &self.store else { return 0.0 };
        store.stored_j()[..self.racks].iter().sum()
    }

    fn books(&self) -> Vec<Books> {
        let store = self.store.iter();
        store
            .flat_map(|s| (0..self.racks).filter_map(|l| s.books(l)))
            .collect()
    }

    fn bulk_report(&self) -> Option<BulkReport> {
        let bulk = self.bulk.as_ref()?;
        let mut report = BulkReport::default();
        for l in 0..self.racks {
            report.merge(&bulk.report(l));
        }
        Some(report)
    }
}

/// Puts the books of units together by group; `units` gives each unit's group and buffers, in order.
pub(crate) fn storage_report<'a>(
    hardware: &[Hardware],
    units: impl Iterator<Item = (usize, &'a Buffers)>,
) -> Vec<StorageReport> {
    let mut reports: Vec<StorageReport> = Vec::new();
    for (group, buffers) in units {
        let Some(kind) = &hardware[group].store else {
            continue;
        };
        if reports.last().is_none_or(|r| r.group != group) {
            reports.push(StorageReport {
                group,
                store: kind.store,
                control: kind.control,
                racks: 0,
                books: Books::default(),
                least_j: f64::INFINITY,
                most_j: f64::NEG_INFINITY,
            });
        }
        let Some(report) = reports.last_mut() else {
            continue;
        };
        for books in buffers.books() {
            report.racks += 1;
            report.books.add(&books);
            report.least_j = report.least_j.min(books.least_j);
            report.most_j = report.most_j.max(books.most_j);
        }
    }
    reports
}

/// Likewise for the supplies' capacitors: group and report.
pub(crate) fn bulk_report<'a>(
    units: impl Iterator<Item = (usize, &'a Buffers)>,
) -> Vec<(usize, BulkReport)> {
    let mut reports: Vec<(usize, BulkReport)> = Vec::new();
    for (group, buffers) in units {
        let Some(bulk) = buffers.bulk() else { continue };
        if reports.last().is_none_or(|(g, _)| *g != group) {
            reports.push((group, BulkReport::default()));
        }
        if let Some((_, report)) = reports.last_mut() {
            report.merge(&bulk);
        }
    }
    reports
}
