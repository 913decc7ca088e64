//! Step events and fuel of the sets, for people.

use ballast_study::outcome::{FuelAmounts, FuelKpis, PlantKpis, StepEventKpis, StepEventsKpis};

use crate::printer::Printer;
use crate::render::number;

/// Step events that are printed; the rest are counted.
const MOST_EVENTS: usize = 3;

/// Prints step events and fuel.
pub(crate) fn lines(plant: &PlantKpis, printer: &Printer) {
    step_events(&plant.step_events, printer);
    if let Some(fuel) = &plant.fuel {
        fuel_lines(fuel, printer);
    }
}

fn step_events(all: &StepEventsKpis, printer: &Printer) {
    for event in all.events.iter().take(MOST_EVENTS) {
        printer.line(&format!("step event    {}", event_text(event)));
    }
    let more = all.seen.saturating_sub(MOST_EVENTS as u64);
    if more > 0 {
        printer.line(&format!(
            "step events   {more} more, no worse: see outcome.json"
        ));
    }
    if all.unquiet > 0 {
        printer.line(&format!(
            "step events   {} large changes without quiet before and after are none: limits.frequency_swing_hz is for them",
            all.unquiet
        ));
    }
}

fn event_text(event: &StepEventKpis) -> String {
    let kind = match event.kind {
        "set_off_the_bus" => "a set off the bus",
        "load_step" => "load step",
        _ => "load rejection",
    };
    let way = if event.to_share > event.from_share {
        "dip"
    } else {
        "rise"
    };
    let back = |s: Option<f64>| s.map_or_else(String::new, |s| format!(" back in {} s", number(s)));
    let voltage = event.voltage_pct.map_or_else(String::new, |v| {
        format!(
            ", voltage {way} {} %{}",
            number(v),
            back(event.voltage_recovery_s)
        )
    });
    format!(
        "{:.3} s, {kind} {} → {} % of rated: frequency {way} {} %{}{voltage}: {}",
        event.at_s,
        number(100.0 * event.from_share),
        number(100.0 * event.to_share),
        number(event.frequency_pct),
        back(event.frequency_recovery_s),
        event.words
    )
}

fn fuel_lines(fuel: &FuelKpis, printer: &Printer) {
    let all = fuel
        .sets
        .iter()
        .map(|s| (s.set.as_str(), &s.amounts, s.beyond_points.as_deref()));
    for (set, amounts, beyond) in all {
        let beyond = beyond.map_or_else(String::new, |b| format!("; {b}"));
        printer.line(&format!("fuel {set:<8} {}{beyond}", amounts_text(amounts)));
    }
    if fuel.sets.len() > 1 {
        printer.line(&format!("fuel of all   {}", amounts_text(&fuel.total)));
    }
    let without = match fuel.without_curve.as_slice() {
        [] => String::new(),
        sets => format!("; no curve, in no sum: {}", sets.join(", ")),
    };
    printer.line(&format!(
        "fuel          {}; {}{without}",
        fuel.over, fuel.basis
    ));
}

fn amounts_text(a: &FuelAmounts) -> String {
    let mut parts = Vec::new();
    parts.extend(a.fuel_l.map(|l| format!("{} L", number(l))));
    parts.extend(a.fuel_kg.map(|kg| format!("{} kg", number(kg))));
    parts.push(format!("{} kWh of heat (LHV)", number(a.heat_kwh)));
    let specific = [(a.fuel_l, "L"), (a.fuel_kg, "kg")]
        .into_iter()
        .filter_map(|(fuel, unit)| Some((fuel?, unit)))
        .filter(|_| a.electricity_kwh > 0.0 && (a.fuel_l.is_none() || a.fuel_kg.is_none()))
        .map(|(fuel, unit)| format!(", {} {unit}/kWh", number(fuel / a.electricity_kwh)))
        .next()
        .unwrap_or_default();
    let efficiency = a
        .efficiency
        .map_or_else(String::new, |e| format!(", {:.1} %", 100.0 * e));
    format!(
        "{} for {} kWh at the terminals{specific}{efficiency}",
        parts.join(", "),
        number(a.electricity_kwh)
    )
}
