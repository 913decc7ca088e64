//! What happened beside the planned course.

use ballast_aggregate::Site;
use ballast_plant::Limiter;
use ballast_scenario::Scenario;

use crate::merge::Merged;
use crate::outcome::Event;

/// What happened beside the planned course.
pub(crate) fn events(scenario: &Scenario, site: Option<&Site>, merged: &Merged) -> Vec<Event> {
    let mut events = Vec::new();
    let planned = site.map(Site::events).unwrap_or_default();
    // What is planned for later than the run has not happened.
    let start_s = scenario.simulation.start_s;
    let end_s = start_s + merged.horizon_s();
    // Of a run that starts later, what was before it is no part of it.
    let within = |at_s: f64| at_s <= end_s && (start_s == 0.0 || at_s >= start_s);
    for planned in planned.into_iter().filter(|p| within(p.at_s)) {
        events.push(Event {
            at_s: planned.at_s,
            realisation: 1,
            kind: planned.kind.to_owned(),
            element: planned.element,
            text: planned.text,
        });
    }
    events.extend(super::contingency::plant_events(scenario, merged, &within));
    for each in &merged.each {
        let seed = scenario.simulation.seed;
        let drawn = site.map(|s| s.drawn_events(seed, each.realisation, each.horizon_s));
        for drawn in drawn.unwrap_or_default() {
            events.push(Event {
                at_s: drawn.at_s,
                realisation: each.realisation,
                kind: drawn.kind.to_owned(),
                element: drawn.element,
                text: drawn.text,
            });
        }
        if let Some(why) = &each.no_start {
            events.push(Event {
                at_s: start_s,
                realisation: each.realisation,
                kind: "no_start".to_owned(),
                element: "bus".to_owned(),
                text: format!("the sets cannot start at this realisation's load: {why}"),
            });
        } else if let Some(at_s) = each.collapsed_at_s {
            events.push(Event {
                at_s,
                realisation: each.realisation,
                kind: "collapse".to_owned(),
                element: "bus".to_owned(),
                text: if each.plant.as_ref().is_some_and(|p| p.voltage.lost) {
                    "no voltage carries the load: the bus collapsed and the run ends here"
                } else {
                    "speed left 0.5 to 1.5 per unit: the bus collapsed and the run ends here"
                }
                .to_owned(),
            });
        }
        let (Some(plant), Some(spec)) = (&each.plant, &scenario.plant) else {
            continue;
        };
        for (set, figures) in spec.sets.iter().zip(&plant.sets) {
            let Some((at_s, limiter)) = figures.first_limited else {
                continue;
            };
            let (kind, text) = match limiter {
                Limiter::Upper => (
                    "throttle_limit",
                    "the throttle reached its upper limit for the first time",
                ),
                Limiter::Lower => (
                    "throttle_limit",
                    "the throttle reached its lower limit for the first time",
                ),
                Limiter::Turbo => (
                    "turbo_ceiling",
                    "the throttle reached the turbocharger's ceiling for the first time",
                ),
                Limiter::None => continue,
            };
            events.push(Event {
                at_s,
                realisation: each.realisation,
                kind: kind.to_owned(),
                element: set.name.clone(),
                text: text.to_owned(),
            });
        }
    }
    events.sort_by(|a, b| {
        (a.realisation, a.at_s)
            .partial_cmp(&(b.realisation, b.at_s))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    events
}
