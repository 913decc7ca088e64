//! A failure within a realisation: the instant at which it strikes, what it does to sets and load, what the survivors carry after it.

use ballast_plant::{Plant, PlantSpec, SpinningReserve, StepStatus, spinning_reserve};
use ballast_scenario::{ContingencySpec, LoadRejectionSpec, Scenario, SetTripSpec};
use ballast_series::{Pyramid, PyramidBuilder};

use crate::collect::{Span, for_a_page};
use crate::demand::{Demand, SAME_INSTANT};
use crate::outcome::Extreme;
use crate::windows::{LowestMean, Worst};

/// Longest stretch at the end over which sets are taken as settled, seconds, and its longest share of the time after the strike.
const END_S: f64 = 5.0;
const END_SHARE: f64 = 0.25;

/// What is to fail, and when.
pub(crate) struct StrikePlan<'a> {
    /// The run in which it fails.
    pub(crate) whole: &'a Scenario,
    pub(crate) spec: &'a ContingencySpec,
    /// When, seconds after t = 0.
    pub(crate) at_s: f64,
}

/// Load at the bus at the strike, watts: before it and after it.
#[derive(Clone, Copy)]
pub(crate) struct AtStrike {
    load_w: f64,
    left_w: f64,
}

impl StrikePlan<'_> {
    /// Its instant, if that lies before `t_s` and is not the same instant.
    pub(crate) fn before(&self, t_s: f64) -> Option<f64> {
        let comes = self.at_s < t_s - SAME_INSTANT * t_s.abs().max(1.0);
        comes.then_some(self.at_s)
    }

    /// Whether it has come at `t_s`.
    pub(crate) fn is_due(&self, t_s: f64) -> bool {
        self.at_s <= t_s + SAME_INSTANT * t_s.abs().max(1.0)
    }

    /// What it does to the load; `continuous` is the continuous part of the demand.
    pub(crate) fn on_load(&self, demand: &mut Demand, continuous: (f64, f64)) -> AtStrike {
        let (load_w, _) = demand.with_jumps(continuous.0, continuous.1);
        if let ContingencySpec::LoadRejection(loss) = self.spec {
            demand.reject(1.0 - lost_share(loss, load_w));
        }
        let (left_w, _) = demand.with_jumps(continuous.0, continuous.1);
        AtStrike { load_w, left_w }
    }
}

/// What failed.
#[derive(Debug, Clone)]
pub(crate) struct Struck {
    /// Load at the bus just before, watts.
    pub(crate) load_w: f64,
    /// What was lost, watts: of generation (what the sets carried) or of load.
    pub(crate) lost_w: f64,
    /// Entry that lost sets, and how many; none for a rejection, or where none of it was on the bus.
    pub(crate) tripped: Option<(usize, u32)>,
    /// Of each entry just before: sets on the bus, electrical power over rated.
    pub(crate) before: Vec<(u32, Option<f64>)>,
    /// The same just after. After a rejection the power is not told: it is what the load left.
    pub(crate) after: Vec<(u32, Option<f64>)>,
    pub(crate) reserve_before: SpinningReserve,
    pub(crate) reserve_after: SpinningReserve,
}

/// What a group of sets carried after it, share of rated.
#[derive(Debug, Clone)]
pub(crate) struct GroupAfter {
    pub(crate) high: Option<Extreme>,
    /// Highest mean over the window of the limit on survivors.
    pub(crate) high_mean: Option<Extreme>,
    /// Mean over the end of the stretch.
    pub(crate) end: Option<f64>,
    /// Lowest and highest there.
    pub(crate) end_range: Option<(f64, f64)>,
    /// Over time, where curves are kept.
    pub(crate) loading: Option<Pyramid>,
}

/// What came of it in one realisation.
#[derive(Debug, Clone)]
pub(crate) struct StrikeResult {
    /// None where the run had ended before.
    pub(crate) struck: Option<Struck>,
    /// Of each entry.
    pub(crate) groups: Vec<GroupAfter>,
    /// Length of the end of the stretch, seconds.
    pub(crate) end_s: f64,
    /// Lowest and highest speed within it, per unit.
    pub(crate) end_speed: Option<(f64, f64)>,
}

struct Group {
    high: Worst,
    /// Of the negative of its share.
    low_mean: LowestMean,
    end_sum: f64,
    end_count: u64,
    end_range: Option<(f64, f64)>,
    /// Over time, share of rated, 0 where no set is on the bus.
    loading: Option<PyramidBuilder>,
}

/// A failure under way.
pub(crate) struct Strike<'a> {
    plan: &'a StrikePlan<'a>,
    struck: Option<Struck>,
    groups: Vec<Group>,
    end_from_s: f64,
    end_s: f64,
    end_speed: Option<(f64, f64)>,
}

impl<'a> Strike<'a> {
    /// `stretch` is what is looked at, `span` that of the plant's steps in it.
    pub(crate) fn new(plan: &'a StrikePlan<'a>, stretch: &Scenario, span: Span) -> Self {
        let realisation = span.realisation;
        let entries = stretch.plant.as_ref().map_or(0, |p| p.sets.len());
        let window_s = stretch.limits.survivor_window_s();
        let dt_s = stretch.simulation.plant_step();
        let until_s = stretch.simulation.end_s();
        let end_s = END_S.min(END_SHARE * (until_s - plan.at_s)).max(0.0);
        let group = || Group {
            high: Worst::highest(realisation),
            low_mean: LowestMean::new(window_s, dt_s, realisation),
            end_sum: 0.0,
            end_count: 0,
            end_range: None,
            loading: span.curves.then(|| span.pyramid()),
        };
        Self {
            plan,
            struck: None,
            groups: (0..entries).map(|_| group()).collect(),
            end_from_s: until_s - end_s,
            end_s,
            end_speed: None,
        }
    }

    /// Its instant, if it is still to come and lies before `t_s` and not at the same instant.
    pub(crate) fn before(&self, t_s: f64) -> Option<f64> {
        self.struck
            .is_none()
            .then(|| self.plan.before(t_s))
            .flatten()
    }

    /// Whether it strikes at `t_s`.
    pub(crate) fn is_due(&self, t_s: f64) -> bool {
        self.struck.is_none() && self.plan.is_due(t_s)
    }

    /// It strikes: `continuous` is the continuous part of the demand.
    pub(crate) fn act(
        &mut self,
        plant: &mut Plant,
        demand: &mut Demand,
        continuous: (f64, f64),
    ) -> StepStatus {
        let load = self.plan.on_load(demand, continuous);
        self.on_sets(plant, load);
        plant.status()
    }

    /// What it does to the sets.
    pub(crate) fn on_sets(&mut self, plant: &mut Plant, load: AtStrike) {
        let AtStrike { load_w, left_w } = load;
        let Some(spec) = &self.plan.whole.plant else {
            return;
        };
        let look = |plant: &Plant| -> Vec<(u32, Option<f64>)> {
            (0..spec.sets.len())
                .map(|entry| (plant.on_bus(entry), plant.loading(entry)))
                .collect()
        };
        let before = look(plant);
        let reserve_before = spinning_reserve(spec, |entry| plant.on_bus(entry), load_w, 0.0);
        let mut tripped = None;
        let lost_w = match self.plan.spec {
            ContingencySpec::SetTrip(trip) => {
                let chosen = chosen(trip, spec, plant);
                let sets = chosen.map_or(0, |entry| trip.count.min(plant.on_bus(entry)));
                let mut lost_w = 0.0;
                if let Some(entry) = chosen.filter(|_| sets > 0) {
                    lost_w = f64::from(sets) * carried_w(spec, plant, entry);
                    plant.trip(entry, sets);
                    tripped = Some((entry, sets));
                }
                lost_w
            }
            ContingencySpec::LoadRejection(_) => load_w - left_w,
        };
        let mut after = look(plant);
        if tripped.is_none() {
            for (_, share) in &mut after {
                *share = None;
            }
        }
        self.struck = Some(Struck {
            load_w,
            lost_w,
            tripped,
            before,
            after,
            reserve_before,
            reserve_after: spinning_reserve(spec, |entry| plant.on_bus(entry), left_w, 0.0),
        });
    }

    /// Takes the state of the plant at its step at `at_s`.
    pub(crate) fn take(&mut self, plant: &Plant, at_s: f64) {
        for (entry, group) in self.groups.iter_mut().enumerate() {
            if let Some(loading) = &mut group.loading {
                loading.push_slice(&[plant.loading(entry).unwrap_or(0.0)]);
            }
        }
        if self.struck.is_none() {
            return;
        }
        let at_end = at_s >= self.end_from_s;
        for (entry, group) in self.groups.iter_mut().enumerate() {
            let Some(share) = plant.loading(entry) else {
                continue;
            };
            group.high.take(share, at_s);
            group.low_mean.take(-share, at_s);
            if at_end {
                group.end_sum += share;
                group.end_count += 1;
                let (low, high) = group.end_range.unwrap_or((share, share));
                group.end_range = Some((low.min(share), high.max(share)));
            }
        }
        if at_end {
            let speed = plant.speed_pu();
            let (low, high) = self.end_speed.unwrap_or((speed, speed));
            self.end_speed = Some((low.min(speed), high.max(speed)));
        }
    }

    pub(crate) fn finish(self) -> StrikeResult {
        let group = |group: Group| GroupAfter {
            high: group.high.extreme,
            high_mean: group.low_mean.worst.extreme.map(|e| Extreme {
                value: -e.value,
                ..e
            }),
            end_range: group.end_range,
            loading: group.loading.map(|l| for_a_page(l.finish())),
            end: (group.end_count > 0).then(|| group.end_sum / group.end_count as f64),
        };
        StrikeResult {
            struck: self.struck,
            groups: self.groups.into_iter().map(group).collect(),
            end_s: self.end_s,
            end_speed: self.end_speed,
        }
    }
}

/// Share of a load that a rejection takes.
pub(crate) fn lost_share(loss: &LoadRejectionSpec, load_w: f64) -> f64 {
    match loss.power_kw {
        Some(kw) if load_w > kw * 1e3 => kw * 1e3 / load_w,
        Some(_) => 1.0,
        None => loss.share.unwrap_or(1.0),
    }
}

/// What one set of an entry carries, watts.
pub(crate) fn carried_w(spec: &PlantSpec, plant: &Plant, entry: usize) -> f64 {
    plant.loading(entry).unwrap_or(0.0) * spec.sets[entry].rated_kw * 1e3
}

/// The entry that is named, or that whose sets carry most each; of those that carry the same but for rounding the one rated highest, then the first.
pub(crate) fn chosen(trip: &SetTripSpec, spec: &PlantSpec, plant: &Plant) -> Option<usize> {
    /// Powers closer than this share are the same.
    const SAME: f64 = 1e-9;
    if let Some(name) = &trip.set {
        return spec.sets.iter().position(|set| set.name == *name);
    }
    (0..spec.sets.len())
        .filter(|entry| plant.on_bus(*entry) > 0)
        .reduce(|best, next| {
            let (most_w, here_w) = (carried_w(spec, plant, best), carried_w(spec, plant, next));
            let same = (here_w - most_w).abs() <= SAME * most_w.abs();
            let larger = spec.sets[next].rated_kw > spec.sets[best].rated_kw;
            if (same && larger) || (!same && here_w > most_w) {
                next
            } else {
                best
            }
        })
}
