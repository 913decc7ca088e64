//! Sudden changes of the sets' load that are followed by quiet: planned steps, trips, rejections.
//!
//! These, and no cyclic load, are what transient numbers of a standard are about. Load is the power of all sets on the bus over their rating, so
//! a set that goes off the bus is a step for the rest. One event at a time is followed for at most [`FOLLOW_S`]; its samples are kept for the
//! level it settles at. Memory does not grow with the run.

use ballast_plant::iso8528::{Column, Ignition, Outcome};
use ballast_plant::{GovernorSpec, Plant, PlantSpec};

use crate::sliding::SlidingLow;
use crate::step_event_kpis::{COLUMNS, against, has, ignition, most_used};

/// Load that stays within ± this of rated is quiet. Estimated.
pub(crate) const QUIET_SHARE: f64 = 0.02;
/// Quiet before a change, seconds. Estimated.
pub(crate) const CALM_S: f64 = 1.0;
/// A change is sudden if it is over within this, seconds. Estimated.
pub(crate) const SUDDEN_S: f64 = 0.2;
/// Smallest change, share of rated. Estimated.
pub(crate) const SMALLEST_SHARE: f64 = 0.1;
/// Longest time an event is followed, seconds: the longest recovery of the standard's numbers, 10 s, and half of it more.
const FOLLOW_S: f64 = 15.0;
/// Shortest time of quiet after a change, seconds: less says nothing of a recovery.
pub(crate) const LEAST_S: f64 = 3.0;
/// What has recovered stays in its band to the end, for this long at least; the level settled at is the mean over it. Seconds.
const DWELL_S: f64 = 1.0;
/// Samples kept of an event.
const SAMPLES: u64 = 8192;
/// Events kept of a realisation, the worst.
pub(crate) const KEPT: usize = 20;

/// What an event shows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub(crate) at_s: f64,
    /// Load before and after, share of the rating on the bus.
    pub(crate) from_share: f64,
    pub(crate) to_share: f64,
    /// Whether a set went off the bus.
    pub(crate) trip: bool,
    /// Time it was followed, seconds.
    pub(crate) followed_s: f64,
    /// Furthest frequency the way the step drives it, from the one before, percent of nominal.
    pub(crate) frequency_pct: f64,
    /// Furthest voltage the way the step drives it, from rated, percent; none without alternators.
    pub(crate) voltage_pct: Option<f64>,
    /// Time until the frequency stays within ± 1 % and ± 1.75 % of where it settles, seconds; none where it did not.
    pub(crate) frequency_back_s: [Option<f64>; 2],
    /// Time until the voltage stays within ± 1 %, ± 2.5 % and ± 5 % of where it settles, seconds; none where it did not.
    pub(crate) voltage_back_s: [Option<f64>; 3],
}

/// Bands of the recovery of the frequency, ± percent of nominal: those of the columns G2 and G3, and G1.
pub(crate) const FREQUENCY_BANDS_PCT: [f64; 2] = [1.0, 1.75];
/// Bands of the recovery of the voltage, ± percent of rated: those of the columns G3, G2 and G1.
pub(crate) const VOLTAGE_BANDS_PCT: [f64; 3] = [1.0, 2.5, 5.0];

impl Event {
    pub(crate) fn rises(&self) -> bool {
        self.to_share > self.from_share
    }

    /// How bad it is against its fellows: the most of any number of G2.
    pub(crate) fn badness(&self) -> f64 {
        most_used(self, &against(self, Column::G2, Ignition::Compression).rows)
    }
}

/// All events of a realisation against one column.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    /// Events that missed a number of it.
    pub(crate) missed: u64,
    /// Events that missed none, with a number that was not looked at.
    pub(crate) open: u64,
    /// The most that any event used of any number, and when it began.
    pub(crate) most: Option<(f64, f64)>,
}

/// Events of a realisation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Events {
    /// The worst, worst first; of equally bad ones the earlier.
    pub(crate) worst: Vec<Event>,
    /// How many there were.
    pub(crate) seen: u64,
    /// Changes of the same size that were not sudden, or not followed by quiet.
    pub(crate) unquiet: u64,
    /// What became of all of them in each of [`COLUMNS`].
    pub(crate) columns: [Tally; 3],
    /// Why none were looked for.
    pub(crate) why_not: Option<&'static str>,
}

impl Events {
    fn add(&mut self, event: Event, ignition: Ignition) {
        self.seen += 1;
        for (tally, column) in self.columns.iter_mut().zip(COLUMNS) {
            let rows = against(&event, column, ignition).rows;
            let missed = has(&rows, Outcome::Missed);
            tally.missed += u64::from(missed);
            tally.open += u64::from(!missed && has(&rows, Outcome::NotLookedAt));
            let used = most_used(&event, &rows);
            if tally.most.is_none_or(|(most, _)| used > most) {
                tally.most = Some((used, event.at_s));
            }
        }
        let at = self
            .worst
            .partition_point(|e| e.badness() >= event.badness());
        self.worst.insert(at, event);
        self.worst.truncate(KEPT);
    }
}

/// Load, frequency and voltage at one instant.
#[derive(Debug, Clone, Copy, Default)]
struct Instant {
    at_s: f64,
    share: f64,
    rated_kw: f64,
    f_pct: f64,
    v_pct: Option<f64>,
}

/// An event under way.
#[derive(Debug, Clone, Copy)]
struct Open {
    before: Instant,
    /// Load after the change, once that is over.
    after: Option<f64>,
    f_low: f64,
    f_high: f64,
    v_low: f64,
    v_high: f64,
    trip: bool,
    samples: u64,
    last: Instant,
}

/// Looks for events.
pub(crate) struct EventWatch {
    ignition: Ignition,
    rated_kw: Vec<f64>,
    to_kw: Vec<f64>,
    low: SlidingLow,
    high: SlidingLow,
    calm: Option<Instant>,
    open: Option<Open>,
    /// Whether the load has been restless since the last event or quiet.
    counted: bool,
    /// Every how many samples one is kept.
    stride: u64,
    room: usize,
    f_pct: Vec<f64>,
    v_pct: Vec<f64>,
    at_s: Vec<f64>,
    events: Events,
}

impl EventWatch {
    pub(crate) fn new(spec: &PlantSpec, dt_s: f64) -> Self {
        let samples = (FOLLOW_S / dt_s).ceil().max(1.0) as u64;
        let turbine = |set: &ballast_plant::SetSpec| {
            matches!(
                set.governor,
                GovernorSpec::Gast(_) | GovernorSpec::Ieeeg1(_)
            )
        };
        let why_not = if spec.utility.is_some() {
            Some("the grid holds frequency and voltage")
        } else if spec.sets.iter().any(turbine) {
            Some("ISO 8528-5 is for sets with reciprocating engines, and one has a turbine")
        } else if dt_s > SUDDEN_S {
            Some("the step of the plant is too long to see a sudden change")
        } else {
            None
        };
        let room = if why_not.is_some() { 0 } else { SAMPLES };
        let room = room.min(samples + 1) as usize;
        Self {
            ignition: ignition(spec),
            rated_kw: spec.sets.iter().map(|s| s.rated_kw).collect(),
            to_kw: spec.sets.iter().map(|s| s.rated_kva).collect(),
            low: SlidingLow::new(CALM_S, dt_s),
            high: SlidingLow::new(CALM_S, dt_s),
            calm: None,
            open: None,
            counted: false,
            stride: samples.div_ceil(SAMPLES),
            room,
            f_pct: Vec::with_capacity(room),
            v_pct: Vec::with_capacity(room),
            at_s: Vec::with_capacity(room),
            events: Events {
                why_not,
                ..Events::default()
            },
        }
    }

    /// Takes the state of the plant at its next step.
    pub(crate) fn take(&mut self, plant: &Plant, at_s: f64) {
        if self.events.why_not.is_some() {
            return;
        }
        let (mut power_kw, mut rated_kw) = (0.0, 0.0);
        for (i, (rated, kva)) in self.rated_kw.iter().zip(&self.to_kw).enumerate() {
            let on_bus = f64::from(plant.on_bus(i));
            if on_bus > 0.0 {
                power_kw += on_bus * plant.set(i).electrical_pu * kva;
                rated_kw += on_bus * rated;
            }
        }
        if rated_kw > 0.0 {
            self.instant(Instant {
                at_s,
                share: power_kw / rated_kw,
                rated_kw,
                f_pct: 100.0 * (plant.speed_pu() - 1.0),
                v_pct: plant.bus_voltage_pu().map(|v| 100.0 * (v - 1.0)),
            });
        }
    }

    fn instant(&mut self, now: Instant) {
        let (low, high) = (self.low.take(now.share).0, -self.high.take(-now.share).0);
        let calm = self.low.is_full() && high - low <= 2.0 * QUIET_SHARE;
        if let Some(mut open) = self.open {
            let broken = open
                .after
                .is_some_and(|after| (now.share - after).abs() > QUIET_SHARE);
            if broken {
                self.close(&open);
                // The quiet after this one is the quiet before the next.
                if open.last.at_s - open.before.at_s >= SUDDEN_S + CALM_S {
                    self.calm = Some(open.last);
                }
            } else {
                open.take(now);
                let since_s = now.at_s - open.before.at_s;
                if open.after.is_none() && since_s >= SUDDEN_S {
                    open.after = Some(now.share);
                }
                self.keep(open.samples, now);
                self.open = Some(open);
                // Small, or gone again at once: not a step.
                let gone = |after: f64| (after - open.before.share).abs() < SMALLEST_SHARE;
                if open.after.is_some_and(gone) || since_s >= FOLLOW_S {
                    self.close(&open);
                }
                return;
            }
        }
        if calm {
            self.calm = Some(now);
            self.counted = false;
            return;
        }
        let Some(before) = self.calm.filter(|c| now.at_s - c.at_s <= SUDDEN_S) else {
            // Restless: counted once until it is quiet again.
            if self.low.is_full() && high - low >= SMALLEST_SHARE && !self.counted {
                self.counted = true;
                self.events.unquiet += 1;
            }
            return;
        };
        if (now.share - before.share).abs() < SMALLEST_SHARE {
            return;
        }
        self.f_pct.clear();
        self.v_pct.clear();
        self.at_s.clear();
        let mut open = Open::new(before);
        open.take(now);
        self.keep(open.samples, now);
        self.open = Some(open);
    }

    fn keep(&mut self, number: u64, now: Instant) {
        if number.is_multiple_of(self.stride) && self.at_s.len() < self.room {
            self.at_s.push(now.at_s);
            self.f_pct.push(now.f_pct);
            self.v_pct.extend(now.v_pct);
        }
    }

    /// Ends an event.
    fn close(&mut self, open: &Open) {
        self.open = None;
        self.calm = None;
        let followed_s = open.last.at_s - open.before.at_s;
        let Some(after) = open.after.filter(|_| followed_s >= LEAST_S) else {
            self.events.unquiet += 1;
            self.counted = true;
            return;
        };
        let rises = after > open.before.share;
        let furthest = |low: f64, high: f64, from: f64| {
            let far = if rises { from - low } else { high - from };
            far.max(0.0)
        };
        let back = |values: &[f64], band: f64| self.back_s(values, band, open.before.at_s);
        let event = Event {
            at_s: open.before.at_s,
            from_share: open.before.share,
            to_share: after,
            trip: open.trip,
            followed_s,
            frequency_pct: furthest(open.f_low, open.f_high, open.before.f_pct),
            voltage_pct: open
                .before
                .v_pct
                .map(|_| furthest(open.v_low, open.v_high, 0.0)),
            frequency_back_s: FREQUENCY_BANDS_PCT.map(|band| back(&self.f_pct, band)),
            voltage_back_s: VOLTAGE_BANDS_PCT.map(|band| back(&self.v_pct, band)),
        };
        self.events.add(event, self.ignition);
    }

    /// Time from `start_s` until the values stay within ± `band` of where they settle.
    fn back_s(&self, values: &[f64], band: f64, start_s: f64) -> Option<f64> {
        let end_s = *self.at_s.last()?;
        let last = self.at_s.partition_point(|t| *t < end_s - DWELL_S);
        let settled = values.get(last..).filter(|v| !v.is_empty())?;
        let level = settled.iter().sum::<f64>() / settled.len() as f64;
        let outside = values.iter().rposition(|v| (v - level).abs() > band);
        match outside {
            None => Some(0.0),
            Some(k) => {
                let back_s = *self.at_s.get(k + 1)?;
                (end_s - back_s >= DWELL_S).then_some(back_s - start_s)
            }
        }
    }

    /// The bus collapsed: the event under way was not followed by quiet.
    pub(crate) fn collapse(&mut self) {
        if self.open.take().is_some() {
            self.events.unquiet += 1;
        }
    }

    pub(crate) fn finish(mut self) -> Events {
        if let Some(open) = self.open {
            self.close(&open);
        }
        self.events
    }
}

impl Open {
    fn new(before: Instant) -> Self {
        let v_pct = before.v_pct.unwrap_or(0.0);
        Self {
            before,
            after: None,
            f_low: before.f_pct,
            f_high: before.f_pct,
            v_low: v_pct,
            v_high: v_pct,
            trip: false,
            samples: 0,
            last: before,
        }
    }

    fn take(&mut self, now: Instant) {
        self.f_low = self.f_low.min(now.f_pct);
        self.f_high = self.f_high.max(now.f_pct);
        if let Some(v) = now.v_pct {
            self.v_low = self.v_low.min(v);
            self.v_high = self.v_high.max(v);
        }
        self.trip |= now.rated_kw < self.before.rated_kw;
        self.samples += 1;
        self.last = now;
    }
}
