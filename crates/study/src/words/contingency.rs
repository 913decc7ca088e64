//! Trips, contingencies and reserve in words.

use ballast_scenario::{ContingencySpec, Scenario};

use crate::indicative::{self, Plan};
use crate::merge::Merged;
use crate::outcome::{Contingency, Event, ReserveKpis};

/// Trips of sets in the first realisation, and what the grid's frequency and voltage are planned to do. `within` says what lies in the run.
pub(super) fn plant_events(
    scenario: &Scenario,
    merged: &Merged,
    within: &dyn Fn(f64) -> bool,
) -> Vec<Event> {
    let Some(plant) = &scenario.plant else {
        return Vec::new();
    };
    let mut events = Vec::new();
    let first = merged.each.first();
    for trip in first.iter().flat_map(|e| &e.tripped) {
        let Some(set) = plant.sets.get(trip.entry).filter(|_| within(trip.at_s)) else {
            continue;
        };
        let left = if trip.left == 0 {
            "none of it is left".to_owned()
        } else {
            format!("{} left", trip.left)
        };
        let each = if trip.sets == 1 { "it" } else { "each" };
        events.push(Event {
            at_s: trip.at_s,
            realisation: first.map_or(1, |e| e.realisation),
            kind: "set_trip".to_owned(),
            element: set.name.clone(),
            text: format!(
                "{} of {} sets trip{}, {left}; {each} carried {:.1} kW, {:.1} % of its rating",
                trip.sets,
                trip.sets + trip.left,
                if trip.sets == 1 { "s" } else { "" },
                trip.loading * set.rated_kw,
                100.0 * trip.loading
            ),
        });
    }
    let Some(grid) = &plant.utility else {
        return events;
    };
    let mut planned = |at_s: f64, kind: &str, text: String| {
        if within(at_s) {
            events.push(Event {
                at_s,
                realisation: 1,
                kind: kind.to_owned(),
                element: "grid".to_owned(),
                text,
            });
        }
    };
    for event in &grid.frequency_events {
        let over = if event.over_s > 0.0 {
            format!("over {} s", event.over_s)
        } else {
            "at once".to_owned()
        };
        let text = format!(
            "the grid's frequency changes by {} Hz {over}",
            event.change_hz
        );
        planned(event.at_s, "grid_frequency", text);
    }
    for event in &grid.voltage_events {
        let how_long = event
            .duration_s
            .map_or_else(|| "for good".to_owned(), |s| format!("for {s} s"));
        let text = format!(
            "the voltage of the grid's source becomes {} pu {how_long}",
            event.voltage_pu
        );
        planned(event.at_s, "grid_voltage", text);
    }
    events
}

/// What a contingency's run assumes.
pub(crate) fn contingency_assumptions(
    spec: &ContingencySpec,
    whole: &Scenario,
    racks: bool,
    plan: &Plan,
) -> Vec<String> {
    let mut list = vec![format!(
        "up to the failure all is as in the run, from its start at {} s and with the same random streams; figures are of the stretch around it",
        whole.simulation.start_s
    )];
    list.push(match spec {
        ContingencySpec::SetTrip(_) => {
            "the breakers open at once; no protection trips or sheds anything else, no other set starts".to_owned()
        }
        ContingencySpec::LoadRejection(_) => {
            "the load is lost at once and does not come back; what is left of it goes on in proportion; no overspeed protection trips a set".to_owned()
        }
    });
    if spec.at_s().is_none() {
        list.push("the worst moment is the worst of up to four that were tried (highest load, most power missing or left over at once, steepest change, frequency farthest from nominal), not of all; where the end of the run, with less time left after it than after_s, has clearly worse ones, of these too, followed to the end of the run".to_owned());
    }
    if whole.zoom.is_some() {
        list.push(
            "contingencies strike in the run at simulation.step_s, not in the fine run of [zoom]"
                .to_owned(),
        );
    }
    if racks {
        list.push("the load does not react to the failure; racks keep what they draw".to_owned());
    }
    list.extend(indicative::of_failure(plan));
    list
}

/// A share of rated that varies by more at the end has not settled.
const UNSETTLED: f64 = 0.01;

fn percent(share: f64) -> String {
    // No "-0.0".
    format!("{:.1} %", (1000.0 * share).round() / 10.0 + 0.0)
}

/// What happened, in a sentence.
pub(crate) fn contingency_summary(contingency: &Contingency) -> String {
    let Some(figures) = &contingency.figures else {
        return format!(
            "{}: the bus was lost before it, so it was not looked at",
            contingency.name
        );
    };
    let mut parts = Vec::new();
    let lost_kw = figures.lost_kw;
    match &figures.set {
        Some(set) => {
            let plural = if figures.sets == 1 { "" } else { "s" };
            parts.push(format!(
                "{} set{plural} of `{set}` lost at {:.3} s with {lost_kw:.1} kW of {:.1} kW",
                figures.sets, contingency.at_s, figures.load_before_kw
            ));
        }
        None if contingency.kind == "set_trip" => {
            return format!(
                "{}: no set of it was on the bus at {:.3} s",
                contingency.name, contingency.at_s
            );
        }
        None => parts.push(format!(
            "{lost_kw:.1} kW of {:.1} kW lost at {:.3} s",
            figures.load_before_kw, contingency.at_s
        )),
    }
    if figures.set.is_some() && figures.rated_after_kw <= 0.0 && figures.reserve_after_kw.is_some()
    {
        parts.push("it was the last source: no set is left, the bus collapses".to_owned());
        return parts.join("; ");
    }
    let survivors = figures.sets_after.iter().filter(|s| s.count_after > 0);
    for s in survivors {
        let (Some(before), Some(high)) = (s.before_share, s.max_share) else {
            continue;
        };
        let at_once = s
            .at_once_share
            .map_or_else(String::new, |x| format!(", {} at once", percent(x)));
        let end = s
            .end_share
            .map_or_else(String::new, |x| format!(", {} at the end", percent(x)));
        let range = match s.end_range_share {
            Some((low, high)) if high - low > UNSETTLED => {
                format!(" ({} to {})", percent(low), percent(high))
            }
            _ => String::new(),
        };
        let over = if s.overloaded { ", OVERLOADED" } else { "" };
        parts.push(format!(
            "`{}` carries {} of its rating before{at_once}, at most {}{end}{range}{over}",
            s.set,
            percent(before),
            percent(high.value)
        ));
    }
    if let (Some(low), Some(high)) = (contingency.frequency_min, contingency.frequency_max) {
        parts.push(format!(
            "frequency {:.3} Hz to {:.3} Hz",
            low.value, high.value
        ));
    }
    if contingency.tried.iter().any(|t| t.collapsed) {
        parts.push("the bus collapses".to_owned());
    }
    parts.join("; ")
}

/// Spinning reserve in a sentence.
pub(crate) fn reserve_text(reserve: &ReserveKpis, batteries: bool) -> String {
    let loss = match reserve.survivors_share {
        Some(share) if reserve.holds => format!(
            "without one of `{}` the others would carry {} of their rating",
            reserve.largest_set,
            percent(share)
        ),
        Some(share) => format!(
            "without one of `{}` the others would have to carry {} of their rating: they cannot",
            reserve.largest_set,
            percent(share)
        ),
        None => format!(
            "`{}` is the only set that runs: its loss is the loss of the bus",
            reserve.largest_set
        ),
    };
    let batteries = if batteries {
        "batteries not counted, "
    } else {
        ""
    };
    format!(
        "at {:.3} s {:.1} kW ({}) above the load of {:.1} kW; {loss} ({batteries}by ratings, steady, load as it is; what happens on the way only a contingency's run tells)",
        reserve.at_s,
        reserve.reserve_kw,
        percent(reserve.reserve_share),
        reserve.load_kw
    )
}
