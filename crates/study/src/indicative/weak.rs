//! The weak constants of a plant's sets.

use ballast_plant::{PlantSpec, SetSpec, variants, weak_parameters};
use ballast_units::{Confidence, Provenance};

use super::outcome::WeakConstant;

/// Parts of a set that voltage rests on beside the engine.
const OF_VOLTAGE: [&str; 3] = ["alternator.", "exciter.", "voltage_control."];

/// Every weak constant of the sets: of the engine those that are estimated, recalled or of low confidence; of alternator, exciter and their
/// control, which only voltage rests on, those of low confidence.
///
/// The table of accepted steps limits nothing in a simulation and is left out.
pub(crate) fn constants(plant: &PlantSpec) -> Vec<WeakConstant> {
    plant.sets.iter().flat_map(of_set).collect()
}

fn of_set(set: &SetSpec) -> Vec<WeakConstant> {
    let json = serde_json::to_value(set).unwrap_or_default();
    let number = |key: &str| key.split('.').try_fold(&json, |v, k| v.get(k))?.as_f64();
    let moved: Vec<String> = variants(set).into_iter().map(|v| v.corner).collect();
    let engine = weak_parameters(set)
        .into_iter()
        .filter(|w| w.key != "acceptance")
        .map(|w| {
            let alone = format!("{} = ", w.key);
            WeakConstant {
                path: format!("plant.sets.{}.{}", set.name, w.key),
                set: set.name.clone(),
                what: w.kind.label().to_owned(),
                value: w.value.or_else(|| number(&w.key)),
                low: w.range.map(|r| r.0),
                high: w.range.map(|r| r.1),
                varied: moved.iter().any(|corner| corner.starts_with(&alone)),
                source: w.source,
                grade: w.grade,
                confidence: w.confidence,
                key: w.key,
                of_voltage: false,
            }
        });
    let voltage = set.provenance.iter().filter(|(key, entry)| {
        set.alternator.is_some()
            && entry.confidence == Confidence::Low
            && (key.as_str() == "line_x_pu" || OF_VOLTAGE.iter().any(|part| key.starts_with(part)))
    });
    let voltage = voltage.map(|(key, entry)| electrical(set, key, entry, number(key)));
    engine.chain(voltage).collect()
}

fn electrical(set: &SetSpec, key: &str, entry: &Provenance, value: Option<f64>) -> WeakConstant {
    WeakConstant {
        path: format!("plant.sets.{}.{key}", set.name),
        set: set.name.clone(),
        key: key.to_owned(),
        what: "voltage".to_owned(),
        value,
        low: entry.low,
        high: entry.high,
        varied: false,
        source: entry.source.clone(),
        grade: entry.grade,
        confidence: entry.confidence,
        of_voltage: true,
    }
}
