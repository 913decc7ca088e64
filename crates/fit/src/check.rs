//! Contradictions in what a user gives for a fit, all at once.

use ballast_plant::{LoadModelSpec, PlantSpec, SetSpec};
use serde_json::Value;

use crate::parameters::{keys, number_at, parameter};
use crate::spec::{FitSpec, FreeSpec, StepRow};

/// Step with which the set has to be resolvable, seconds.
const FINEST_S: f64 = 5e-5;

/// A value that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FitProblem {
    /// Place in the file, as `steps.2.recovery_s`.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: String,
}

struct List(Vec<FitProblem>);

impl List {
    fn add(
        &mut self,
        path: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.0.push(FitProblem {
            path: path.into(),
            message: message.into(),
            help: help.into(),
        });
    }
}

/// Every contradiction of a file; `base` is its set as [`crate::base_set`] gives it.
pub fn problems(spec: &FitSpec, base: &SetSpec) -> Vec<FitProblem> {
    let mut list = List(Vec::new());
    if spec.steps.is_empty() && spec.recordings.is_empty() {
        list.add(
            "",
            "nothing was measured",
            "give [[steps]] of a block-step table, or [[recordings]]",
        );
    }
    if spec.rated_kw > spec.rated_kva {
        list.add(
            "rated_kw",
            format!("{} kW is above {} kVA", spec.rated_kw, spec.rated_kva),
            "rated_kva is rated_kw over the rated power factor, usually 0.8",
        );
    }
    if let Some(rpm) = spec.speed_rpm {
        let poles = 120.0 * spec.frequency_hz / rpm;
        let even = 2.0 * (poles / 2.0).round();
        if even < 2.0 || (poles - even).abs() > 0.005 * even {
            list.add(
                "speed_rpm",
                format!(
                    "{rpm} rpm at {} Hz would be {poles:.2} poles",
                    spec.frequency_hz
                ),
                "speed_rpm is 120 times frequency_hz over an even number of poles",
            );
        }
    }
    for (at, row) in spec.steps.iter().enumerate() {
        check_row(&mut list, &format!("steps.{at}"), row);
    }
    for (at, recording) in spec.recordings.iter().enumerate() {
        if let (Some(from), Some(to)) = (recording.from_s, recording.to_s)
            && from >= to
        {
            list.add(
                format!("recordings.{at}.to_s"),
                format!("{to} s is not after from_s = {from} s"),
                "give a later time",
            );
        }
    }
    let json = serde_json::to_value(base).unwrap_or_default();
    let names = keys(&json);
    for key in spec.values.keys().filter(|key| !names.contains(key)) {
        list.add(
            format!("values.{key}"),
            format!("the set has no number `{key}` that acts on its frequency"),
            format!("one of: {}", names.join(", ")),
        );
    }
    for (at, free) in spec.free.iter().enumerate() {
        check_free(&mut list, at, free, spec, base, &json, &names);
    }
    check_set(&mut list, spec, base);
    list.0
}

fn check_row(list: &mut List, path: &str, row: &StepRow) {
    if row.step_share == 0.0 {
        list.add(
            format!("{path}.step_share"),
            "no step",
            "above zero for load added, below for load taken off",
        );
    }
    let to = row.from_share + row.step_share;
    if to < -1e-9 {
        list.add(
            format!("{path}.step_share"),
            format!("{to:.3} of the rating would be left"),
            "no more can be taken off than from_share",
        );
    }
    if to > 1.2 + 1e-9 {
        list.add(
            format!("{path}.step_share"),
            format!("the step ends at {to:.3} of the rating"),
            "at most 1.2; shares are of rated_kw",
        );
    }
    match (row.recovery_s, row.band_percent) {
        (Some(_), None) => list.add(
            format!("{path}.recovery_s"),
            "recovery to which band?",
            "add band_percent, half the width of the band",
        ),
        (Some(recovery_s), Some(band)) if band >= row.dip_percent => list.add(
            format!("{path}.band_percent"),
            format!(
                "a deviation of {} % does not leave ± {band} %, so there is no recovery of {recovery_s} s",
                row.dip_percent
            ),
            "take recovery_s out, or correct the band",
        ),
        _ => {}
    }
}

fn check_free(
    list: &mut List,
    at: usize,
    free: &FreeSpec,
    spec: &FitSpec,
    base: &SetSpec,
    json: &Value,
    names: &[String],
) {
    let path = format!("free.{at}");
    if spec.free[..at].iter().any(|other| other.key == free.key) {
        list.add(
            format!("{path}.key"),
            format!("`{}` is free already", free.key),
            "name every value once",
        );
    }
    if spec.values.contains_key(&free.key) {
        list.add(
            format!("{path}.key"),
            format!("`{}` is also one of the known values", free.key),
            "take it out of [values] to fit it, and give it as start",
        );
    }
    if free.key.starts_with("turbo.") && !base.turbo.enabled {
        list.add(
            format!("{path}.key"),
            format!(
                "`{}` has no effect: the preset has no turbo ceiling",
                free.key
            ),
            "choose a preset with turbo.enabled = true",
        );
    }
    let Some(value) = number_at(json, &free.key).filter(|_| names.contains(&free.key)) else {
        list.add(
            format!("{path}.key"),
            format!(
                "the set has no number `{}` that acts on its frequency",
                free.key
            ),
            format!("one of: {}", names.join(", ")),
        );
        return;
    };
    if value <= 0.0 && free.start.is_none() {
        list.add(
            format!("{path}.start"),
            format!("`{}` is {value} in the preset", free.key),
            "give a start above zero",
        );
        return;
    }
    let p = parameter(&free.key, value, (free.start, free.low, free.high));
    if p.low >= p.high {
        list.add(
            format!("{path}.low"),
            format!("{} is not below {}", p.low, p.high),
            "give low below high",
        );
    } else if !(p.low..=p.high).contains(&p.start) {
        list.add(
            format!("{path}.start"),
            format!("{} lies outside {} to {}", p.start, p.low, p.high),
            "start between low and high",
        );
    }
}

/// The set itself, with its alternator and its known values.
fn check_set(list: &mut List, spec: &FitSpec, base: &SetSpec) {
    let plant = PlantSpec {
        frequency_hz: spec.frequency_hz,
        torque: spec.torque,
        dispatch_kw: None,
        voltage_pu: 1.0,
        load: LoadModelSpec::default(),
        sets: vec![base.clone()],
        sharing: None,
        trips: Vec::new(),
        utility: None,
    };
    for problem in ballast_plant::problems(&plant, FINEST_S) {
        let key = problem
            .path
            .strip_prefix("sets.0.")
            .unwrap_or(&problem.path);
        let path = if spec.values.contains_key(key) {
            format!("values.{key}")
        } else {
            key.to_owned()
        };
        list.add(path, problem.message, problem.help);
    }
}
