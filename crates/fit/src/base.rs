//! The set whose values stand where nothing is given or fitted.

use ballast_plant::{FuelKind, FuelSpec, FuelUnit, GovernorSpec, PiSpec, SetSpec};
use ballast_units::{Confidence, Grade, Provenance};

use crate::fit::with_nameplate;
use crate::spec::{EngineKind, FitSpec, GovernorModel};

/// Name of the preset to start from: the one named, or a generic one of the engine and the governor.
pub fn preset_name(spec: &FitSpec) -> &str {
    if let Some(name) = &spec.preset {
        return name;
    }
    match (spec.governor, spec.engine) {
        (Some(GovernorModel::Tgov1), _) => "synthetic-tgov1-tuned",
        (Some(GovernorModel::Degov1), _) | (None, EngineKind::Diesel) => "generic-diesel-2000kw",
        (Some(GovernorModel::Pi | GovernorModel::Ggov1), _) | (None, EngineKind::Gas) => {
            "generic-gas-1500kw"
        }
    }
}

/// The preset with the governor of the file, its nameplate, its known values and its alternator.
///
/// No preset has a PI governor: where one is wanted and no preset is named, the generic set gets one with typical values.
///
/// # Errors
/// The governor model wanted, if the preset has another one.
pub fn base_set(spec: &FitSpec, preset: &SetSpec) -> Result<SetSpec, GovernorModel> {
    let wanted = spec
        .governor
        .or((spec.preset.is_none() && spec.engine == EngineKind::Gas)
            .then_some(GovernorModel::Ggov1));
    if let Some(wanted) = wanted {
        let same = matches!(
            (wanted, &preset.governor),
            (GovernorModel::Degov1, GovernorSpec::Degov1(_))
                | (GovernorModel::Ggov1, GovernorSpec::Ggov1(_))
                | (GovernorModel::Pi, GovernorSpec::Pi(_))
                | (GovernorModel::Tgov1, GovernorSpec::Tgov1(_))
        );
        if !same && wanted == GovernorModel::Pi && spec.preset.is_none() {
            return Ok(with_nameplate(spec, &with_pi(preset)));
        }
        if !same {
            return Err(wanted);
        }
    }
    Ok(with_nameplate(spec, preset))
}

/// The set with a PI governor of a gas engine: typical values (estimates), to start a fit from.
fn with_pi(preset: &SetSpec) -> SetSpec {
    let mut set = preset.clone();
    set.governor = GovernorSpec::Pi(PiSpec {
        kp_pu: 5.0,
        ki_per_s: 1.5,
        t_s: 0.2,
        dead_time_s: 0.1,
        max_pu: 1.05 * set.rated_kw / set.rated_kva,
        min_pu: 0.0,
    });
    // What GGOV1 burns at no load brakes the shaft here.
    set.friction_pu = 0.1;
    set.provenance
        .retain(|key, _| !key.starts_with("governor") && key != "friction_pu");
    for (key, source) in [
        (
            "governor",
            "estimate: typical values of a PI governor on a gas engine, to start a fit from",
        ),
        ("friction_pu", "estimate: 5 to 15 % of rating"),
    ] {
        set.provenance.insert(
            key.to_owned(),
            Provenance {
                source: source.to_owned(),
                grade: Grade::Estimated,
                confidence: Confidence::Low,
                low: None,
                high: None,
            },
        );
    }
    set
}

/// Fuel curve of the file: of a diesel with two points at least; gas by the cubic metre tells no heat.
pub(crate) fn fuel(spec: &FitSpec) -> Option<FuelSpec> {
    if spec.engine != EngineKind::Diesel || spec.fuel.len() < 2 {
        return None;
    }
    let mut points: Vec<[f64; 2]> = spec
        .fuel
        .iter()
        .map(|point| [point.load_share, point.per_hour])
        .collect();
    points.sort_by(|a, b| a[0].total_cmp(&b[0]));
    Some(FuelSpec {
        kind: FuelKind::Diesel,
        unit: FuelUnit::LPerH,
        points,
        lhv_mj: None,
    })
}
