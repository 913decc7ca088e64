//! Step events beside the transient numbers of ISO 8528-5, as they stand in an outcome.
//!
//! What is said is "inside the G2 transient numbers for this event", never that a set has a class; see `ballast_plant::iso8528`.

use ballast_plant::iso8528::{
    Assessment, BandReading, Column, Ignition, Outcome, Recovery, Row, Step, StepEvent, assess,
};
use ballast_plant::{FuelKind, PlantSpec};
use ballast_scenario::Scenario;
use serde::Serialize;

use crate::merge::Merged;
use crate::step_events::{CALM_S, Event, KEPT, LEAST_S, QUIET_SHARE, SMALLEST_SHARE, SUDDEN_S};

/// The columns, strictest first.
pub(crate) const COLUMNS: [Column; 3] = [Column::G3, Column::G2, Column::G1];

/// Step events of all realisations.
#[derive(Debug, Clone, Serialize)]
pub struct StepEventsKpis {
    /// What counts as one, and what is said of them.
    pub basis: String,
    /// How many there were, in all realisations.
    pub seen: u64,
    /// How often the load changed as much without quiet before or after: nothing of the standard is said of that.
    pub unquiet: u64,
    /// The worst of them, worst first.
    pub events: Vec<StepEventKpis>,
}

/// One step event.
#[derive(Debug, Clone, Serialize)]
pub struct StepEventKpis {
    /// When it began, seconds.
    pub at_s: f64,
    /// Realisation (from 1).
    pub realisation: u32,
    /// `load_step`, `load_rejection` or `set_off_the_bus`.
    pub kind: &'static str,
    /// Load before, share of the rating on the bus.
    pub from_share: f64,
    /// Load after, share of the rating on the bus.
    pub to_share: f64,
    /// Furthest frequency the way the step drives it, from the one before, percent of nominal.
    pub frequency_pct: f64,
    /// Furthest voltage the way the step drives it, from rated, percent; absent without alternators.
    pub voltage_pct: Option<f64>,
    /// Time until the frequency stays in the band of the column that `words` are about, seconds; absent where it was not seen to.
    pub frequency_recovery_s: Option<f64>,
    /// Time until the voltage stays in the band of that column, seconds; absent where it was not seen to.
    pub voltage_recovery_s: Option<f64>,
    /// Time of quiet that was looked at, seconds.
    pub followed_s: f64,
    /// Strictest column none of whose transient numbers was missed; absent where none is.
    pub inside: Option<&'static str>,
    /// Whether all four of its numbers were looked at.
    pub complete: bool,
    /// The result in a sentence: column, edition, grade of the numbers, reading of the tolerance band.
    pub words: String,
}

/// The engines' ignition: the wider note for gas only where all of them burn gas.
pub(crate) fn ignition(plant: &PlantSpec) -> Ignition {
    let gas = plant
        .sets
        .iter()
        .all(|s| s.fuel.as_ref().is_some_and(|f| f.kind == FuelKind::Gas));
    if gas && !plant.sets.is_empty() {
        Ignition::Spark
    } else {
        Ignition::Compression
    }
}

/// An event against a column.
pub(crate) fn against(event: &Event, column: Column, ignition: Ignition) -> Assessment {
    let limits = ballast_plant::iso8528::operating_limits(column, ignition);
    let (f, v) = match column {
        Column::G1 => (1, 2),
        Column::G2 => (0, 1),
        Column::G3 => (0, 0),
    };
    // What had not come back by the end is missed only if there was time enough.
    let recovery = |back_s: Option<f64>, limit_s: f64| match back_s {
        Some(s) => Some(Recovery::After(s)),
        None => (event.followed_s > limit_s).then_some(Recovery::Never),
    };
    let has_voltage = event.voltage_pct.is_some();
    let step = StepEvent {
        step: if event.rises() {
            Step::Increase
        } else {
            Step::Decrease
        },
        frequency_pct: Some(event.frequency_pct),
        frequency_recovery: recovery(event.frequency_back_s[f], limits.frequency_recovery_s.value),
        voltage_pct: event.voltage_pct,
        voltage_recovery: has_voltage
            .then(|| recovery(event.voltage_back_s[v], limits.voltage_recovery_s.value))
            .flatten(),
        reading: BandReading::WholeWidth,
    };
    assess(column, ignition, &step)
}

/// Highest value of a row over its number; what did not recover counts as all the time that was looked at.
pub(crate) fn most_used(event: &Event, rows: &[Row]) -> f64 {
    let used = rows.iter().filter_map(|row| match row.outcome {
        Outcome::NotLookedAt => None,
        _ => Some(row.value.unwrap_or(event.followed_s) / row.limit.value),
    });
    used.fold(0.0, f64::max)
}

pub(crate) fn has(rows: &[Row], outcome: Outcome) -> bool {
    rows.iter().any(|row| row.outcome == outcome)
}

fn told(event: &Event, realisation: u32, ignition: Ignition) -> StepEventKpis {
    let met = COLUMNS
        .into_iter()
        .map(|column| against(event, column, ignition))
        .find(|a| !has(&a.rows, Outcome::Missed));
    let inside = met.as_ref().map(|a| a.column.label());
    let about = met.unwrap_or_else(|| against(event, Column::G1, ignition));
    let value = |row: usize| about.rows.get(row).and_then(|r| r.value);
    StepEventKpis {
        at_s: event.at_s,
        realisation,
        kind: match (event.trip, event.rises()) {
            (true, _) => "set_off_the_bus",
            (false, true) => "load_step",
            (false, false) => "load_rejection",
        },
        from_share: event.from_share,
        to_share: event.to_share,
        frequency_pct: event.frequency_pct,
        voltage_pct: event.voltage_pct,
        frequency_recovery_s: value(1),
        voltage_recovery_s: value(3),
        followed_s: event.followed_s,
        inside,
        complete: !has(&about.rows, Outcome::NotLookedAt),
        words: about.words,
    }
}

/// Every event with its realisation, as far as they were kept.
pub(crate) fn events(merged: &Merged) -> impl Iterator<Item = (u32, &Event)> {
    merged.each.iter().flat_map(|e| {
        let kept = e.plant.iter().flat_map(|p| &p.watched.events.worst);
        kept.map(|event| (e.realisation, event))
    })
}

/// Events there were, and changes without quiet, in all realisations.
pub(crate) fn counts(merged: &Merged) -> (u64, u64) {
    let all = merged.each.iter().filter_map(|e| e.plant.as_ref());
    all.fold((0, 0), |(seen, unquiet), p| {
        let events = &p.watched.events;
        (seen + events.seen, unquiet + events.unquiet)
    })
}

/// Why no events were looked for.
pub(crate) fn why_not(merged: &Merged) -> Option<&'static str> {
    merged
        .each
        .iter()
        .find_map(|e| e.plant.as_ref()?.watched.events.why_not)
}

/// What counts as an event.
pub(crate) fn what_counts() -> String {
    format!(
        "a change of at least {:.0} % of the rating on the bus within {SUDDEN_S} s, after {CALM_S} s and before {LEAST_S} s within ±{:.0} % (estimated)",
        100.0 * SMALLEST_SHARE,
        100.0 * QUIET_SHARE
    )
}

/// The worst events of all realisations.
pub(crate) fn step_event_kpis(scenario: &Scenario, merged: &Merged) -> StepEventsKpis {
    let (seen, unquiet) = counts(merged);
    let ignition = scenario
        .plant
        .as_ref()
        .map_or(Ignition::Compression, ignition);
    let mut all: Vec<(u32, &Event)> = events(merged).collect();
    // Stable: of equally bad ones the earlier realisation's first.
    all.sort_by(|a, b| b.1.badness().total_cmp(&a.1.badness()));
    all.truncate(KEPT);
    let basis = match why_not(merged) {
        Some(why) => format!("not looked for: {why}"),
        None => format!(
            "step event: {}; the numbers are for prescribed steps of a single set, so an event inside them says nothing of a set's class; load that \
             never rests is no event: a limit on the swing of frequency, set by the user, is for it",
            what_counts()
        ),
    };
    StepEventsKpis {
        basis,
        seen,
        unquiet,
        events: all
            .into_iter()
            .map(|(realisation, event)| told(event, realisation, ignition))
            .collect(),
    }
}
