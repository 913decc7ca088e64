//! Contradictions in how sets run together: load sharing, planned trips, a utility.

use crate::check::{List, number};
use crate::sharing::isochronous;
use crate::spec::PlantSpec;
use crate::together_spec::{SharingSpec, UtilitySpec};
use crate::utility::frequency_knots;

/// Speeds beyond 0.5 and 1.5 of nominal are a collapse; a utility stays well inside.
const MOST_FREQUENCY_PU: f64 = 0.2;

pub(crate) fn check_running_together(list: &mut List, plant: &PlantSpec) {
    sharing(list, plant);
    trips(list, plant);
    if let Some(utility) = &plant.utility {
        check_utility(list, utility, plant);
    }
}

fn sharing(list: &mut List, plant: &PlantSpec) {
    let free: Vec<usize> = (0..plant.sets.len())
        .filter(|&i| isochronous(&plant.sets[i].governor))
        .collect();
    let electric = plant.sets.iter().any(|set| set.alternator.is_some());
    let Some(SharingSpec::Isochronous(line)) = &plant.sharing else {
        if let [first, second, ..] = free[..]
            && !electric
        {
            list.add(
                &format!("sets.{second}.governor"),
                format!(
                    "\"{}\" and \"{}\" both hold nominal speed with an integral and nothing says how they share the load: their shares are not determined and drift",
                    plant.sets[first].name, plant.sets[second].name
                ),
                "give the plant a load-sharing line ([plant.sharing], model = \"isochronous\"), one of the two a droop, or make equal sets one entry with a count".to_owned(),
            );
            list.against(&format!("sets.{first}.governor"));
        }
        return;
    };
    list.positive("sharing.gain_pu", line.gain_pu, "pu");
    list.positive("sharing.lag_s", line.lag_s, "s");
    if free.is_empty() {
        list.add(
            "sharing",
            "no set is isochronous: nothing hangs on the load-sharing line".to_owned(),
            "droop sets share by their droop; take the line out".to_owned(),
        );
    }
    for (name, gain) in &line.gains_pu {
        let key = format!("sharing.gains_pu.{name}");
        list.positive(&key, *gain, "pu");
        let known = free.iter().any(|&i| plant.sets[i].name == *name);
        if !known {
            list.add(
                &key,
                format!("\"{name}\" is no isochronous set of this plant"),
                "the name of a set with an isochronous governor".to_owned(),
            );
        }
    }
}

fn trips(list: &mut List, plant: &PlantSpec) {
    let mut gone = vec![0_u64; plant.sets.len()];
    for (index, trip) in plant.trips.iter().enumerate() {
        list.not_negative(&format!("trips.{index}.at_s"), trip.at_s, "s");
        if trip.count == 0 {
            list.add(
                &format!("trips.{index}.count"),
                "no set at all".to_owned(),
                "at least 1".to_owned(),
            );
        }
        let Some(entry) = plant.sets.iter().position(|set| set.name == trip.set) else {
            let names: Vec<&str> = plant.sets.iter().map(|set| set.name.as_str()).collect();
            list.add(
                &format!("trips.{index}.set"),
                format!("\"{}\" is no set of this plant", trip.set),
                if names.is_empty() {
                    "the plant has no sets: take the trip out".to_owned()
                } else {
                    format!("one of: {}", names.join(", "))
                },
            );
            continue;
        };
        gone[entry] += u64::from(trip.count);
        let (gone, there) = (gone[entry], plant.sets[entry].count);
        if gone > u64::from(there) {
            list.add(
                &format!("trips.{index}.count"),
                format!("{gone} of \"{}\" trip by then, there are {there}", trip.set),
                format!("at most {there} over all trips of \"{}\"", trip.set),
            );
            list.against(&format!("sets.{entry}.count"));
        }
    }
}

fn check_utility(list: &mut List, utility: &UtilitySpec, plant: &PlantSpec) {
    list.positive("utility.rated_kva", utility.rated_kva, "kVA");
    list.not_negative("utility.x_over_r", utility.x_over_r, "");
    list.positive("utility.voltage_pu", utility.voltage_pu, "pu");
    match (utility.short_circuit_mva, utility.short_circuit_ratio) {
        (None, None) => list.add(
            "utility.short_circuit_mva",
            "the grid's impedance is not given".to_owned(),
            "give short_circuit_mva, or short_circuit_ratio (3 to 5 weak, above 20 strong)"
                .to_owned(),
        ),
        (Some(_), Some(_)) => {
            list.add(
                "utility.short_circuit_ratio",
                "the grid's impedance is given twice".to_owned(),
                "give one of short_circuit_mva and short_circuit_ratio".to_owned(),
            );
            list.against("utility.short_circuit_mva");
        }
        (Some(mva), None) => list.positive("utility.short_circuit_mva", mva, "MVA"),
        (None, Some(ratio)) => list.positive("utility.short_circuit_ratio", ratio, ""),
    }
    if plant.voltage_pu != 1.0 {
        list.add(
            "voltage_pu",
            format!(
                "{} is given for a bus whose voltage follows from the utility",
                number(plant.voltage_pu)
            ),
            "take voltage_pu out, or give utility.voltage_pu".to_owned(),
        );
        list.against("utility.voltage_pu");
    }
    if plant.dispatch_kw.is_none() && !plant.sets.is_empty() {
        list.add(
            "dispatch_kw",
            "beside a utility nothing says what the sets deliver".to_owned(),
            "give dispatch_kw: what the sets deliver together at the start, the utility gives the rest"
                .to_owned(),
        );
    }
    for (index, set) in plant.sets.iter().enumerate() {
        if set.alternator.is_none() {
            list.add(
                &format!("sets.{index}.alternator"),
                format!(
                    "\"{}\" runs beside a utility and has no alternator: what it delivers follows from its angle",
                    set.name
                ),
                "give it an alternator (gencls needs only X'd)".to_owned(),
            );
        }
        if isochronous(&set.governor) {
            list.add(
                &format!("sets.{index}.governor"),
                format!(
                    "\"{}\" is isochronous beside a utility, which sets the frequency: its integral runs to a limit",
                    set.name
                ),
                "give its governor a droop".to_owned(),
            );
            list.against("utility");
        }
    }
    events(list, utility, plant.frequency_hz);
}

fn events(list: &mut List, utility: &UtilitySpec, nominal_hz: f64) {
    let before = list.len();
    for (index, event) in utility.frequency_events.iter().enumerate() {
        let key = |leaf: &str| format!("utility.frequency_events.{index}.{leaf}");
        list.not_negative(&key("at_s"), event.at_s, "s");
        list.not_negative(&key("over_s"), event.over_s, "s");
        if !event.change_hz.is_finite() {
            list.add(
                &key("change_hz"),
                format!("{} Hz is not finite", event.change_hz),
                "give a finite change".to_owned(),
            );
        }
    }
    for (index, event) in utility.voltage_events.iter().enumerate() {
        let key = |leaf: &str| format!("utility.voltage_events.{index}.{leaf}");
        list.not_negative(&key("at_s"), event.at_s, "s");
        list.not_negative(&key("voltage_pu"), event.voltage_pu, "pu");
        if let Some(duration_s) = event.duration_s {
            list.positive(&key("duration_s"), duration_s, "s");
        }
    }
    if list.len() > before || !(nominal_hz > 0.0 && nominal_hz.is_finite()) {
        return;
    }
    let far = frequency_knots(utility, nominal_hz)
        .into_iter()
        .find(|knot| knot.deviation.abs() > MOST_FREQUENCY_PU);
    if let Some(knot) = far {
        list.add(
            "utility.frequency_events",
            format!(
                "the grid's frequency reaches {} Hz at {} s",
                number(nominal_hz * (1.0 + knot.deviation)),
                number(knot.at_s)
            ),
            format!(
                "between {} and {} Hz",
                number(nominal_hz * (1.0 - MOST_FREQUENCY_PU)),
                number(nominal_hz * (1.0 + MOST_FREQUENCY_PU))
            ),
        );
    }
}
