//! What an outcome says of voltage: whether it was looked at, which models stand behind it.

use ballast_plant::{
    AlternatorSpec, ExciterSpec, LoadModelSpec, PlantSpec, SetSpec, TorqueConvention,
};
use ballast_scenario::Scenario;

/// Why a limit on voltage or reactive power was not looked at.
pub(crate) const NO_ALTERNATORS: &str = "no set has an alternator";

/// Whether the run follows voltage and reactive power.
pub(crate) fn looked_at(scenario: &Scenario) -> bool {
    scenario
        .plant
        .as_ref()
        .is_some_and(PlantSpec::has_alternators)
}

/// How the load reacts to the bus, in words.
pub(crate) fn load_assumption(scenario: &Scenario) -> String {
    let load = scenario.plant.as_ref().map(|p| p.load).unwrap_or_default();
    if !looked_at(scenario) {
        return "the load does not react to frequency or voltage".to_owned();
    }
    let LoadModelSpec {
        current_share: pi,
        impedance_share: pz,
        reactive_current_share: qi,
        reactive_impedance_share: qz,
        current_limit_below_pu: limit_pu,
        frequency_pu,
    } = load;
    let part = |i: f64, z: f64| {
        if i == 0.0 && z == 0.0 {
            "constant power".to_owned()
        } else {
            format!(
                "{} constant power, {i} constant current, {z} constant impedance",
                1.0 - i - z
            )
        }
    };
    let limited = if limit_pu > 0.0 {
        format!("; below {limit_pu} pu its constant power becomes constant current")
    } else {
        String::new()
    };
    let answer = if frequency_pu == 0.0 {
        "it does not react to frequency".to_owned()
    } else {
        format!("its active power goes with {frequency_pu} times the deviation of frequency")
    };
    format!(
        "the load follows the voltage of the bus by shares (ZIP): active {}; reactive {}{limited}; {answer}",
        part(pi, pz),
        part(qi, qz)
    )
}

/// Which alternators and exciters the sets of a plant with alternators have, in words.
pub(crate) fn alternator_assumptions(plant: &PlantSpec) -> Vec<String> {
    let models: Vec<String> = plant.sets.iter().filter_map(models).collect();
    let torque = match plant.torque {
        TorqueConvention::PowerOverSpeed => "over the set's speed",
        TorqueConvention::Power => "as it is",
    };
    vec![
        format!(
            "alternators and exciters: {}; each set has its own angle and speed, the frequency of the bus is their mean weighted by inertia; equal sets of one entry are one exact equivalent",
            models.join("; ")
        ),
        format!("electrical torque is the air-gap power {torque}"),
        "the network is balanced and at nominal frequency (reactances do not change with it, stator transients are left out); the bus has no impedance but line_x_pu".to_owned(),
    ]
}

/// Models of one set: "G1 GENSAL with AC8B".
fn models(set: &SetSpec) -> Option<String> {
    let alternator = match set.alternator? {
        AlternatorSpec::Gencls(_) => "GENCLS",
        AlternatorSpec::Gensal(_) => "GENSAL",
        AlternatorSpec::Genrou(_) => "GENROU",
    };
    let exciter = match set.exciter {
        None | Some(ExciterSpec::Constant) => "constant field voltage",
        Some(ExciterSpec::Sexs(_)) => "SEXS",
        Some(ExciterSpec::Ac8b(_)) => "AC8B",
        Some(ExciterSpec::Dc1a(_)) => "DC1A",
    };
    Some(format!("{} {alternator} with {exciter}", set.name))
}
