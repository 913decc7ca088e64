//! What happens to the plant at known times: trips of sets, and the knots of the grid's frequency and voltage.

use crate::spec::PlantSpec;
use crate::utility::{FrequencyKnot, frequency_knots, voltage_knots};

/// Breakers of sets that open at a known time, entry by its place in the description.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlannedTrip {
    /// When, seconds of the plant's time.
    pub at_s: f64,
    /// Entry in `sets`.
    pub entry: usize,
    /// How many of its sets.
    pub sets: u32,
}

/// The trips of a description in order of time; names that are not there are left out (validation names them).
pub fn planned_trips(spec: &PlantSpec) -> Vec<PlannedTrip> {
    let mut trips: Vec<PlannedTrip> = spec
        .trips
        .iter()
        .filter_map(|trip| {
            Some(PlannedTrip {
                at_s: trip.at_s,
                entry: spec.sets.iter().position(|set| set.name == trip.set)?,
                sets: trip.count,
            })
        })
        .collect();
    trips.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
    trips
}

/// What happens.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Happening {
    Trip { entry: usize, sets: u32 },
    Frequency(FrequencyKnot),
    Voltage(f64),
}

/// Happenings in order of time; of equal times, in the order they were given.
#[derive(Debug, Clone, Default)]
pub(crate) struct Schedule {
    all: Vec<(f64, Happening)>,
    next: usize,
}

impl Schedule {
    pub(crate) fn new(spec: &PlantSpec) -> Self {
        let mut schedule = Self::default();
        if let Some(utility) = &spec.utility {
            for knot in frequency_knots(utility, spec.frequency_hz) {
                schedule.all.push((knot.at_s, Happening::Frequency(knot)));
            }
            for (at_s, size) in voltage_knots(utility) {
                schedule.all.push((at_s, Happening::Voltage(size)));
            }
        }
        schedule.add(&planned_trips(spec));
        schedule
    }

    pub(crate) fn add(&mut self, trips: &[PlannedTrip]) {
        let (entry_sets, all) = (trips.iter(), &mut self.all);
        all.extend(entry_sets.map(|trip| {
            let (entry, sets) = (trip.entry, trip.sets);
            (trip.at_s, Happening::Trip { entry, sets })
        }));
        // What has happened stays in front.
        self.all[self.next..].sort_by(|a, b| a.0.total_cmp(&b.0));
    }

    /// The next one before `end_s`.
    pub(crate) fn before(&self, end_s: f64) -> Option<(f64, Happening)> {
        self.all
            .get(self.next)
            .copied()
            .filter(|(at_s, _)| *at_s < end_s)
    }

    pub(crate) fn done(&mut self) {
        self.next += 1;
    }
}
