//! The set whose values stand where nothing is given or fitted.

use ballast_plant::{Ggov1Feedback, Ggov1Spec, GovernorSpec, SetSpec};
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
/// Where GGOV1 is wanted and the preset has another governor, it is replaced by one with typical values.
///
/// # Errors
/// The governor model wanted, if the preset has another one and was named by the user.
pub fn base_set(spec: &FitSpec, preset: &SetSpec) -> Result<SetSpec, GovernorModel> {
    let mut set = preset.clone();
    let wanted = spec
        .governor
        .or((spec.preset.is_none() && spec.engine == EngineKind::Gas)
            .then_some(GovernorModel::Ggov1));
    if let Some(wanted) = wanted {
        let same = matches!(
            (wanted, &set.governor),
            (GovernorModel::Degov1, GovernorSpec::Degov1(_))
                | (GovernorModel::Ggov1, GovernorSpec::Ggov1(_))
                | (GovernorModel::Pi, GovernorSpec::Pi(_))
                | (GovernorModel::Tgov1, GovernorSpec::Tgov1(_))
        );
        if !same && wanted == GovernorModel::Ggov1 {
            replace(&mut set);
        } else if !same {
            return Err(wanted);
        }
    }
    Ok(with_nameplate(spec, &set))
}

/// GGOV1 of an isochronous gas engine: typical values (estimates), to start a fit from.
fn replace(set: &mut SetSpec) {
    set.governor = GovernorSpec::Ggov1(Ggov1Spec {
        droop_pu: 0.0,
        feedback: Ggov1Feedback::Isochronous,
        tpelec_s: 1.0,
        maxerr_pu: 0.05,
        minerr_pu: -0.05,
        deadband_pu: 0.0,
        kpgov: 5.0,
        kigov_per_s: 2.0,
        kdgov_s: 0.0,
        tdgov_s: 1.0,
        vmax_pu: 1.0,
        vmin_pu: 0.0,
        tact_s: 0.1,
        kturb: 1.2,
        wfnl_pu: 0.2,
        tb_s: 0.2,
        tc_s: 0.0,
        fuel_follows_speed: false,
        dead_time_s: 0.1,
        tfload_s: 3.0,
        kpload: 2.0,
        kiload_per_s: 0.67,
        ldref_pu: 1.0,
        dm_pu: 0.0,
        ropen_per_s: 10.0,
        rclose_per_s: -10.0,
        kimw_per_s: 0.0,
        acceleration_limiter: false,
        aset_per_s: 0.1,
        ka: 10.0,
        ta_s: 0.1,
        delt_s: 0.005,
        tsa_s: 4.0,
        tsb_s: 5.0,
    });
    set.provenance.retain(|key, _| !key.starts_with("governor"));
    set.provenance.insert(
        "governor".to_owned(),
        Provenance {
            source: "estimate: typical values of a GGOV1 for a gas engine, to start a fit from"
                .to_owned(),
            grade: Grade::Estimated,
            confidence: Confidence::Low,
        },
    );
}
