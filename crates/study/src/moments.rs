//! Where a failure would hurt most: the moments that a run offers, and its spinning reserve.

use ballast_plant::{Plant, PlantSpec, SpinningReserve, spinning_reserve, worst_running};
use ballast_scenario::{ContingencySpec, Scenario};

use crate::outcome::Extreme;
use crate::strike::{carried_w, chosen, lost_share};
use crate::windows::{Ring, Worst};

/// Window of the steepest rise or fall, seconds: within it governors answer.
pub(crate) const STEEP_WINDOW_S: f64 = 1.0;
/// Ways for a moment to be the worst.
pub(crate) const WAYS: usize = 4;
/// Parts of the run, by the time that is left after a moment: all that was asked for, less, next to none.
pub(crate) const PARTS: usize = 3;
/// Moments tried for each contingency.
pub(crate) const MOST_MOMENTS: usize = PARTS * WAYS;
/// Less than this after a failure, seconds, shows no limit to hold.
const SHOWS_S: f64 = 2.0;
/// A moment of a later part is tried if it is worse by more than this share of its figure (of the speed: by more than a tenth of it).
const CLEARLY: f64 = 1e-4;
/// Times of samples and states at rest are rounded.
const ROUNDING: f64 = 1e-9;

/// Takes a value that is not the same as the most extreme one but for rounding.
fn take(worst: &mut Worst, value: f64, at_s: f64) {
    let same =
        |best: Extreme| (value - best.value).abs() <= ROUNDING * value.abs().max(best.value.abs());
    if worst.extreme.is_none_or(|best| !same(best)) {
        worst.take(value, at_s);
    }
}

/// Shortest time after a failure that shows limits to hold, seconds.
pub(crate) fn shows_s(contingency: &ContingencySpec) -> f64 {
    contingency.after_s().min(SHOWS_S)
}

/// What is left after a moment if the run ends before all of it was looked at that was to be, seconds.
pub(crate) fn cut_short(contingency: &ContingencySpec, whole: &Scenario, at_s: f64) -> Option<f64> {
    let simulation = &whole.simulation;
    let left_s = simulation.end_s() - at_s;
    let short = contingency.after_s() - left_s > ROUNDING * simulation.end_s().max(1.0);
    (short && contingency.at_s().is_none()).then_some(left_s.max(0.0))
}

/// Moments of one realisation at which a contingency may hurt most.
#[derive(Debug, Clone)]
pub(crate) struct Moments {
    contingency: ContingencySpec,
    trip: bool,
    /// Parts of the run, in order.
    parts: [Part; PARTS],
    ring: Ring,
}

/// The worst moments of a part of the run.
#[derive(Debug, Clone)]
struct Part {
    /// Its last moment, seconds.
    latest_s: f64,
    /// Highest load: over the rating of the survivors for a trip, watts for a rejection.
    load: Worst,
    /// Power that would be missing (trip) or left over (rejection) at once, over the inertia that would be left: the rate at which the
    /// frequency would begin to change.
    at_once: Worst,
    /// Largest rise (trip) or fall (rejection) up to here, watts.
    steep: Worst,
    /// Lowest (trip) or highest (rejection) speed, per unit.
    speed: Worst,
}

impl Moments {
    /// One for each contingency; one that has its time looks for nothing.
    pub(crate) fn of(scenario: &Scenario, realisation: u32) -> Vec<Self> {
        let simulation = &scenario.simulation;
        let one = |contingency: &ContingencySpec| {
            let trip = contingency.is_set_trip();
            let end_s = simulation.end_s();
            // What strikes at the last sample strikes nothing.
            let before_s = [
                contingency.after_s(),
                shows_s(contingency),
                simulation.step_s,
            ];
            let part = |before_s: f64| Part {
                latest_s: match contingency.at_s() {
                    Some(_) => f64::NEG_INFINITY,
                    None => end_s - before_s + ROUNDING * end_s,
                },
                load: Worst::highest(realisation),
                at_once: Worst::highest(realisation),
                steep: Worst::highest(realisation),
                speed: if trip {
                    Worst::lowest(realisation)
                } else {
                    Worst::highest(realisation)
                },
            };
            Self {
                contingency: contingency.clone(),
                trip,
                parts: before_s.map(part),
                ring: Ring::new(STEEP_WINDOW_S, simulation.step_s),
            }
        };
        scenario.contingencies.iter().map(one).collect()
    }

    /// Takes a sample of the load.
    pub(crate) fn take(&mut self, spec: &PlantSpec, plant: &Plant, at_s: f64, load_w: f64) {
        let Some(here) = self.parts.iter().position(|part| at_s <= part.latest_s) else {
            return;
        };
        let load = if self.trip && spec.utility.is_none() {
            let reserve = spinning_reserve(spec, |entry| plant.on_bus(entry), load_w, 0.0);
            // Without survivors the load alone counts; watts are far above any ratio.
            if reserve.survivors_loading.is_finite() {
                reserve.survivors_loading
            } else {
                load_w
            }
        } else {
            load_w
        };
        let at_once = self.at_once(spec, plant, load_w);
        let before_w = self.ring.exchange(load_w);
        let part = &mut self.parts[here];
        take(&mut part.load, load, at_s);
        take(&mut part.at_once, at_once, at_s);
        if let Some(before_w) = before_w {
            let rise_w = load_w - before_w;
            let steep_w = if self.trip { rise_w } else { -rise_w };
            if steep_w > 0.0 {
                take(&mut part.steep, steep_w, at_s);
            }
        }
        take(&mut part.speed, plant.speed_pu(), at_s);
    }

    /// Power missing or left over at once over twice the kinetic energy of the sets that are left, 1/s; where none is left the power, watts.
    fn at_once(&self, spec: &PlantSpec, plant: &Plant, load_w: f64) -> f64 {
        let (mut power_w, mut energy_j) = (0.0, 0.0);
        let lost = match &self.contingency {
            ContingencySpec::SetTrip(trip) => chosen(trip, spec, plant).map(|e| (e, trip.count)),
            ContingencySpec::LoadRejection(_) => None,
        };
        for (entry, set) in spec.sets.iter().enumerate() {
            let trips = lost.filter(|(e, _)| *e == entry).map_or(0, |(_, n)| n);
            let kva_w = f64::from(plant.on_bus(entry).saturating_sub(trips)) * set.rated_kva * 1e3;
            power_w += kva_w * plant.set(entry).mechanical_pu;
            energy_j += kva_w * set.inertia_s;
        }
        let surplus_w = match &self.contingency {
            ContingencySpec::SetTrip(_) => load_w - power_w,
            ContingencySpec::LoadRejection(loss) => {
                power_w - load_w * (1.0 - lost_share(loss, load_w))
            }
        };
        if energy_j > 0.0 {
            surplus_w / (2.0 * energy_j)
        } else {
            surplus_w
        }
    }

    /// The moments found, each with why, in a fixed order: part by part.
    pub(crate) fn found(&self, nominal_hz: f64) -> impl Iterator<Item = Option<(Extreme, String)>> {
        self.parts
            .iter()
            .flat_map(move |part| self.found_in(part, nominal_hz))
    }

    fn found_in(&self, part: &Part, nominal_hz: f64) -> [Option<(Extreme, String)>; WAYS] {
        let with = |worst: &Worst, say: &dyn Fn(f64) -> String| {
            worst.extreme.map(|extreme| (extreme, say(extreme.value)))
        };
        let (load, steep, speed) = if self.trip {
            (
                "load over what the survivors are rated for",
                "rise",
                "lowest",
            )
        } else {
            ("load", "fall", "highest")
        };
        [
            with(&part.load, &|_| format!("the highest {load}")),
            with(&part.at_once, &|_| {
                if self.trip {
                    "the most power missing at once over the inertia left".to_owned()
                } else {
                    "the most power left over at once over the inertia".to_owned()
                }
            }),
            with(&part.steep, &|w| {
                format!(
                    "the end of the steepest {steep} within {STEEP_WINDOW_S} s, {:.1} kW",
                    w / 1e3
                )
            }),
            with(&part.speed, &|pu| {
                format!("the {speed} frequency, {:.3} Hz", pu * nominal_hz)
            }),
        ]
    }

    /// Whether of two moments in the same place of `found` the second is worse.
    pub(crate) fn is_worse(&self, place: usize, first: &Extreme, second: &Extreme) -> bool {
        if place % WAYS == WAYS - 1 && self.trip {
            second.value < first.value
        } else {
            second.value > first.value
        }
    }
}

/// Leaves of later parts what is worse than all before; where it is, says of these how far they were looked for.
pub(crate) fn only_worse(
    found: &mut [Option<(Extreme, String)>; MOST_MOMENTS],
    contingency: &ContingencySpec,
    whole: &Scenario,
) {
    let end_s = whole.simulation.end_s();
    let before_s = [contingency.after_s(), shows_s(contingency)];
    for place in WAYS..MOST_MOMENTS {
        let way = place % WAYS;
        let speed = way == WAYS - 1;
        let lower = speed && contingency.is_set_trip();
        let Some(here) = found[place].as_ref().map(|(e, _)| e.value) else {
            continue;
        };
        let mut kept = true;
        for earlier in (way..place).step_by(WAYS) {
            let Some((best, _)) = &found[earlier] else {
                continue;
            };
            let scale = if speed {
                0.1
            } else {
                here.abs().max(best.value.abs())
            };
            let by = if lower {
                best.value - here
            } else {
                here - best.value
            };
            kept &= by > CLEARLY * scale;
        }
        if !kept {
            found[place] = None;
            continue;
        }
        for (part, before_s) in before_s.iter().enumerate().take(place / WAYS) {
            let until_s = end_s - before_s;
            if let Some((_, why)) = &mut found[part * WAYS + way]
                && !why.contains(" up to ")
            {
                *why = format!("{why} up to {until_s:.3} s");
            }
        }
    }
}

/// Spinning reserve at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReserveAt {
    pub(crate) at_s: f64,
    pub(crate) realisation: u32,
    pub(crate) load_w: f64,
    pub(crate) reserve: SpinningReserve,
    /// Entry of the largest set that runs.
    pub(crate) largest: usize,
    /// What one of its sets carries, watts.
    pub(crate) carried_w: f64,
}

impl ReserveAt {
    /// Whether the loss of the largest set would leave less than in the other one.
    pub(crate) fn is_worse_than(&self, other: &Self) -> bool {
        let (a, b) = (
            self.reserve.survivors_loading,
            other.reserve.survivors_loading,
        );
        a > b || (a == b && self.load_w > other.load_w)
    }
}

/// Looks for the moment at which the loss of the largest set would leave least.
#[derive(Debug, Clone)]
pub(crate) struct Reserve {
    realisation: u32,
    worst: Option<ReserveAt>,
}

impl Reserve {
    /// None without sets, or beside a utility, which takes what they carried.
    pub(crate) fn new(scenario: &Scenario, realisation: u32) -> Option<Self> {
        let island = scenario.plant.as_ref()?.utility.is_none();
        island.then_some(Self {
            realisation,
            worst: None,
        })
    }

    /// Takes a sample of the load.
    pub(crate) fn take(&mut self, spec: &PlantSpec, plant: &Plant, at_s: f64, load_w: f64) {
        let Some(largest) = worst_running(spec, |entry| plant.on_bus(entry)) else {
            return;
        };
        let mut here = ReserveAt {
            at_s,
            realisation: self.realisation,
            load_w,
            reserve: spinning_reserve(spec, |entry| plant.on_bus(entry), load_w, 0.0),
            largest,
            carried_w: 0.0,
        };
        if self.worst.is_none_or(|worst| here.is_worse_than(&worst)) {
            here.carried_w = carried_w(spec, plant, largest);
            self.worst = Some(here);
        }
    }

    pub(crate) fn finish(self) -> Option<ReserveAt> {
        self.worst
    }
}
