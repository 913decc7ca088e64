//! What an outcome says of spinning reserve and of contingencies.

use ballast_scenario::LimitsSpec;
use ballast_series::Pyramid;
use serde::Serialize;

use crate::outcome::{Event, Extreme, Status, Verdict};

/// Spinning reserve at the moment at which the loss of the largest set would leave least: a rule of ratings, not a simulation.
#[derive(Debug, Clone, Serialize)]
pub struct ReserveKpis {
    /// Where the load is metered.
    pub metered: String,
    /// That moment, seconds.
    pub at_s: f64,
    /// Realisation (from 1).
    pub realisation: u32,
    /// Load at the bus then, kilowatts.
    pub load_kw: f64,
    /// Rated power of the sets that run, kilowatts.
    pub rated_kw: f64,
    /// Rated power less load, kilowatts.
    pub reserve_kw: f64,
    /// That over the rated power.
    pub reserve_share: f64,
    /// Name of the entry with the largest set that runs.
    pub largest_set: String,
    /// Rated power of that set, kilowatts.
    pub largest_kw: f64,
    /// What it carries then, kilowatts at its terminals.
    pub largest_carries_kw: f64,
    /// Rated power of the others, kilowatts.
    pub survivors_kw: f64,
    /// Load over that; absent where there are no others.
    pub survivors_share: Option<f64>,
    /// Whether it is at most 1.
    pub holds: bool,
    /// The same in words, with what is assumed.
    pub text: String,
}

/// A failure, and the run in which it happened.
#[derive(Debug, Clone, Serialize)]
pub struct Contingency {
    /// Its name, or what was lost.
    pub name: String,
    /// `set_trip` or `load_rejection`.
    pub kind: String,
    /// When, seconds: of several moments that were tried the worst.
    pub at_s: f64,
    /// Realisation (from 1); of a stated time, which all realisations ran, the one with the farthest frequency.
    pub realisation: u32,
    /// Why that moment.
    pub why: String,
    /// Moments that were tried, in a fixed order. Verdicts are the worst of all of them.
    pub tried: Vec<TriedMoment>,
    /// First time that was looked at, seconds.
    pub start_s: f64,
    /// Last time that was to be looked at, seconds.
    pub end_s: f64,
    /// PASS, FAIL, INCONCLUSIVE over its verdicts.
    pub overall: Status,
    /// What happened, in a sentence.
    pub summary: String,
    /// A verdict per limit on bus and sets.
    pub verdicts: Vec<Verdict>,
    /// What happened in the stretch.
    pub events: Vec<Event>,
    /// Limits that were judged.
    pub limits: LimitsSpec,
    /// What failed and what the survivors carried; absent where the bus was lost before.
    pub figures: Option<StrikeKpis>,
    /// Lowest frequency, hertz.
    pub frequency_min: Option<Extreme>,
    /// Highest frequency, hertz.
    pub frequency_max: Option<Extreme>,
    /// Highest speed over nominal: 1.1 is 10 % of overspeed.
    pub speed_max_pu: Option<f64>,
    /// Largest rate of change over `limits.rocof_window_s`, hertz per second.
    pub rocof: Option<Extreme>,
    /// Lowest voltage of the bus, per unit; absent without alternators.
    pub voltage_min: Option<Extreme>,
    /// Highest voltage of the bus, per unit; absent without alternators.
    pub voltage_max: Option<Extreme>,
    /// Frequency over time, hertz; of a stated time that of realisation 1.
    pub frequency_pyramid: Option<Pyramid>,
    /// Voltage of the bus over time, per unit, of the same realisation; absent without alternators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voltage_pyramid: Option<Pyramid>,
    /// Loading of the entries over time, of the same realisation: of more than eight those that came highest after it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub loadings: Vec<SetLoading>,
    /// What this run assumes.
    pub assumptions: Vec<String>,
}

/// What the sets of an entry carry over time.
#[derive(Debug, Clone, Serialize)]
pub struct SetLoading {
    /// Name of the entry.
    pub set: String,
    /// Where it is metered.
    pub metered: String,
    /// Electrical power over the rated power of its sets on the bus; 0 where none is.
    pub share: Pyramid,
}

/// A moment at which the failure was run.
#[derive(Debug, Clone, Serialize)]
pub struct TriedMoment {
    /// When, seconds.
    pub at_s: f64,
    /// Realisation (from 1); of a stated time the one with the farthest frequency.
    pub realisation: u32,
    /// Why this moment.
    pub why: String,
    /// Time after it up to the end of the run, seconds, where that is less than was to be looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut_short_s: Option<f64>,
    /// PASS, FAIL, INCONCLUSIVE at this moment.
    pub overall: Status,
    /// Lowest frequency, hertz.
    pub frequency_min_hz: Option<f64>,
    /// Highest frequency, hertz.
    pub frequency_max_hz: Option<f64>,
    /// Whether the bus was lost.
    pub collapsed: bool,
}

/// What failed and what the sets carried before and after.
#[derive(Debug, Clone, Serialize)]
pub struct StrikeKpis {
    /// Where the power of the sets is metered.
    pub metered: String,
    /// Where the load is metered.
    pub load_metered: String,
    /// Load at the bus just before, kilowatts.
    pub load_before_kw: f64,
    /// What was lost, kilowatts: what the sets that tripped carried, or load.
    pub lost_kw: f64,
    /// Entry that lost sets; absent for a rejection.
    pub set: Option<String>,
    /// How many of its sets.
    pub sets: u32,
    /// Rated power of the sets on the bus before, kilowatts.
    pub rated_before_kw: f64,
    /// Rated power of the sets on the bus after, kilowatts.
    pub rated_after_kw: f64,
    /// Rated power less load before, kilowatts; absent beside a utility.
    pub reserve_before_kw: Option<f64>,
    /// Rated power less load just after, kilowatts; negative: the survivors are overloaded. Absent beside a utility.
    pub reserve_after_kw: Option<f64>,
    /// Window of `window_max_share`, seconds.
    pub window_s: f64,
    /// Length of the end of the stretch of which `end_share` is the mean, seconds.
    pub end_window_s: f64,
    /// Lowest and highest frequency in it, hertz: far apart, the sets had not settled, or the load swings.
    pub end_frequency_hz: Option<(f64, f64)>,
    /// Each entry.
    pub sets_after: Vec<SurvivorKpis>,
}

/// What the sets of an entry carried, share of rated.
#[derive(Debug, Clone, Serialize)]
pub struct SurvivorKpis {
    /// Name of the entry.
    pub set: String,
    /// Sets on the bus before.
    pub count_before: u32,
    /// Sets on the bus after.
    pub count_after: u32,
    /// Just before; absent where none was on the bus.
    pub before_share: Option<f64>,
    /// Just after, before any governor has moved; absent where none is left, and after a rejection.
    pub at_once_share: Option<f64>,
    /// Highest at any instant after it.
    pub max_share: Option<Extreme>,
    /// Highest mean over `window_s` after it; absent where the stretch is shorter.
    pub window_max_share: Option<Extreme>,
    /// Mean at the end of the stretch.
    pub end_share: Option<f64>,
    /// Lowest and highest there: far apart, it had not settled, or the load changes.
    pub end_range_share: Option<(f64, f64)>,
    /// Whether it was above its rating for longer than `window_s`.
    pub overloaded: bool,
}
