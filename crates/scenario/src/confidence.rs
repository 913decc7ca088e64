//! The weak inputs of a scenario: a verdict names them.

use std::collections::BTreeSet;

use ballast_aggregate::{FacilitySpec, JobSpec, Site, correlation_presets};
use ballast_plant::SharingSpec;
use ballast_units::{Confidence, WeakDefault};
use serde_json::Value as Json;

use crate::Scenario;
use crate::shape::{Form, Shape};
use crate::tree::{Node, join};

/// An input of low confidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LowInput {
    /// Dotted path; sets and jobs by name, as `plant.sets.G1.inertia_s`.
    pub path: String,
    /// Value with its unit.
    pub value: String,
    /// What it rests on.
    pub source: String,
}

/// Every input of low confidence: of the nodes in the racks with their GPUs and supplies, of the sets, of the correlation.
///
/// Which phases of a GPU are in use is known only to a run. `root` knows what was given.
pub(crate) fn low_inputs(scenario: &Scenario, site: Option<&Site>, root: &Node) -> Vec<LowInput> {
    let mut found = Vec::new();
    let nodes: BTreeSet<&str> = scenario.racks.iter().map(|r| r.node.as_str()).collect();
    let specs = || nodes.iter().filter_map(|n| scenario.nodes.get(*n));
    let gpus: BTreeSet<&str> = specs().map(|n| n.gpu.as_str()).collect();
    let psus: BTreeSet<&str> = specs().map(|n| n.psu.as_str()).collect();
    let json = serde_json::to_value(scenario).unwrap_or_default();
    for (table, names) in [("gpus", gpus), ("nodes", nodes), ("psus", psus)] {
        let Some(shape) = Shape::root().path(table) else {
            continue;
        };
        for name in names {
            if let (Some(value), Some(shape)) =
                (json.get(table).and_then(|t| t.get(name)), shape.key(name))
            {
                collect(value, shape, &format!("{table}.{name}"), &mut found);
            }
        }
    }
    // What smoothing can be set to bounds a setting; without one nothing rests on it.
    if scenario.racks.iter().all(|r| r.gpu_smoothing.is_none()) {
        found.retain(|f| !(f.path.starts_with("gpus.") && f.path.contains(".smoothing.")));
    }
    for group in &scenario.racks {
        if let Some(other) = group
            .other_kw
            .as_ref()
            .filter(|o| o.confidence == Confidence::Low)
        {
            found.push(LowInput {
                path: format!("racks.{}.other_kw", group.name),
                value: format!("{} kW", other.value),
                source: other.source.clone(),
            });
        }
    }
    storages(scenario, &mut found);
    sets(scenario, &json, &mut found);
    if let Some(site) = site {
        correlations(scenario, site, &mut found);
    }
    weak_defaults(scenario, &mut found);
    plant_defaults(scenario, root, &mut found);
    found
}

/// Defaults of what the sets share, where no value was given.
fn plant_defaults(scenario: &Scenario, root: &Node, found: &mut Vec<LowInput>) {
    let Some(plant) = &scenario.plant else { return };
    let mut add = |table: &str, default: WeakDefault| {
        let given = root
            .get("plant")
            .and_then(|p| p.get(table)?.get(default.key));
        if given.is_none() {
            found.push(of_default(&format!("plant.{table}"), default));
        }
    };
    if let Some(SharingSpec::Isochronous(line)) = &plant.sharing {
        add(
            "sharing",
            WeakDefault {
                key: "gain_pu",
                value: line.gain_pu,
                unit: "pu",
                source: "estimate: as strong as a droop of that size; no maker publishes the gain of a load-sharing line",
            },
        );
        add(
            "sharing",
            WeakDefault {
                key: "lag_s",
                value: line.lag_s,
                unit: "s",
                source: "estimate: load-sharing controllers answer within 0.1 to 0.5 s",
            },
        );
    }
    if let Some(utility) = &plant.utility {
        add(
            "utility",
            WeakDefault {
                key: "x_over_r",
                value: utility.x_over_r,
                unit: "",
                source: "estimate: grids of medium voltage have 5 to 15",
            },
        );
    }
}

/// A default as an input of low confidence.
fn of_default(path: &str, d: WeakDefault) -> LowInput {
    let space = if d.unit.is_empty() { "" } else { " " };
    LowInput {
        path: format!("{path}.{}", d.key),
        value: format!("{}{space}{} (default)", d.value, d.unit),
        source: d.source.to_owned(),
    }
}

fn collect(value: &Json, shape: Shape<'_>, path: &str, found: &mut Vec<LowInput>) {
    let Some(map) = value.as_object() else { return };
    if shape.carries_provenance() {
        if map.get("confidence").and_then(Json::as_str) == Some("low") {
            let text = |key: &str| map.get(key).and_then(Json::as_str).unwrap_or("").to_owned();
            let value = match (map.get("value"), map.get("delta_w"), map.get("time_s")) {
                (Some(value), ..) => with_unit(value, shape),
                (None, Some(delta), Some(time)) => {
                    format!("{} W in {} s", plain(delta), plain(time))
                }
                _ => String::new(),
            };
            found.push(LowInput {
                path: path.to_owned(),
                value,
                source: text("source"),
            });
        }
        return;
    }
    for (key, inner) in map {
        if let Some(shape) = shape.key(key) {
            collect(inner, shape, &join(path, key), found);
        }
    }
}

/// Of the racks' storage.
fn storages(scenario: &Scenario, found: &mut Vec<LowInput>) {
    let shape = Shape::root().path("racks").and_then(Shape::item);
    let shape = shape.and_then(|s| s.key("storage"));
    for group in &scenario.racks {
        if let (Some(Ok(value)), Some(shape)) =
            (group.storage.as_ref().map(serde_json::to_value), shape)
        {
            collect(
                &value,
                shape,
                &format!("racks.{}.storage", group.name),
                found,
            );
        }
    }
}

fn sets(scenario: &Scenario, json: &Json, found: &mut Vec<LowInput>) {
    let Some(plant) = &scenario.plant else { return };
    let Some(shape) = Shape::root().path("plant.sets").and_then(Shape::item) else {
        return;
    };
    for (at, set) in plant.sets.iter().enumerate() {
        let pointer = json.get("plant").and_then(|p| p.get("sets")?.get(at));
        for (key, provenance) in &set.provenance {
            if provenance.confidence == Confidence::Low {
                let value = pointer
                    .and_then(|set| value_at(set, shape, key))
                    .unwrap_or_default();
                found.push(LowInput {
                    path: format!("plant.sets.{}.{key}", set.name),
                    value,
                    source: provenance.source.clone(),
                });
            }
        }
    }
}

/// Value with unit at a dotted key of a set.
fn value_at(set: &Json, shape: Shape<'_>, key: &str) -> Option<String> {
    let (value, shape) = key
        .split('.')
        .try_fold((set, shape), |(value, shape), step| {
            let shape = match shape.form() {
                Some(Form::Tagged { tag, .. }) => shape.variant(value.get(tag)?.as_str()?)?,
                _ => shape,
            };
            Some((value.get(step)?, shape.key(step)?))
        })?;
    Some(with_unit(value, shape))
}

/// Defaults of services, events and the rest of the site that no number of the scenario replaces.
fn weak_defaults(scenario: &Scenario, found: &mut Vec<LowInput>) {
    let mut add = |path: &str, d: WeakDefault| found.push(of_default(path, d));
    for job in &scenario.jobs {
        let defaults = match job {
            JobSpec::Inference(service) => service.weak_defaults(),
            JobSpec::Training(training) => training.weak_defaults(),
            JobSpec::Batch(_) => Vec::new(),
        };
        for default in defaults {
            add(&format!("jobs.{}", job.name()), default);
        }
    }
    for (i, event) in scenario.events.iter().enumerate() {
        for default in event.weak_defaults() {
            add(&format!("events.{i}"), default);
        }
    }
    for bess in &scenario.bess {
        for default in bess.weak_defaults() {
            add(&format!("bess.{}", bess.name), default);
        }
    }
    for default in scenario
        .facility
        .iter()
        .flat_map(FacilitySpec::weak_defaults)
    {
        add("facility", default);
    }
}

/// The shares in force for each job, those by default as well.
fn correlations(scenario: &Scenario, site: &Site, found: &mut Vec<LowInput>) {
    for (job, force) in scenario.jobs.iter().zip(site.correlations()) {
        let own = job.correlation().is_some();
        let path = if own || force.by_default {
            format!("jobs.{}.correlation.preset", force.job)
        } else {
            "correlation.preset".to_owned()
        };
        let low = correlation_presets()
            .iter()
            .any(|p| p.name == force.kind && p.confidence == Confidence::Low);
        if low && found.iter().all(|f| f.path != path) {
            let value = if force.by_default {
                format!("{} (default)", force.kind)
            } else {
                force.kind.clone()
            };
            found.push(LowInput {
                path,
                value,
                source: force.source.clone(),
            });
        }
    }
}

fn with_unit(value: &Json, shape: Shape<'_>) -> String {
    match shape.unit() {
        Some(unit) => format!("{} {unit}", plain(value)),
        None => plain(value),
    }
}

/// A number without a trailing `.0`, a text without quotes.
fn plain(value: &Json) -> String {
    match (value.as_f64(), value.as_str()) {
        (Some(number), _) => format!("{number}"),
        (None, Some(text)) => text.to_owned(),
        _ => value.to_string(),
    }
}
