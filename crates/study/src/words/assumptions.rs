//! What the models assume, what nobody looks at, and which inputs are weak.

use std::collections::BTreeSet;

use ballast_aggregate::{EngineKind, JobSpec, Site};
use ballast_plant::{PlantSpec, TorqueConvention};
use ballast_profile::MeteringPoint;
use ballast_scenario::{ContingencySpec, Loaded, Scenario};

use crate::inputs::Inputs;
use crate::outcome::LowConfidence;
use crate::voltage;

/// What no run of this version looks at.
pub(crate) fn not_modelled(scenario: &Scenario) -> Vec<(&'static str, &'static str, String)> {
    let mut list = Vec::new();
    if !voltage::looked_at(scenario) {
        let why = "no set has an alternator; every load draws its power whatever the voltage";
        list.push(("voltage", "voltage at the bus", why));
    }
    list.push((
        "protection",
        "protection and ride-through",
        "under-frequency and under-voltage relays, power-supply ride-through and a UPS that transfers by itself are not modelled",
    ));
    if scenario.plant.is_some() {
        let trips = scenario
            .contingencies
            .iter()
            .any(ContingencySpec::is_set_trip);
        if !trips {
            list.push((
                "set_trip",
                "loss of one set (N−1)",
                "nobody asked: add [[contingencies]] with kind = \"set_trip\" for a run in which a set trips at the worst moment",
            ));
        }
        list.push((
            "torsion",
            "torsional stress of the shafts",
            "each set is one rigid mass",
        ));
    }
    if !scenario.racks.is_empty() && scenario.facility.is_none() {
        list.push((
            "cooling",
            "cooling, UPS and transformer losses",
            "not part of the load unless given as [facility] or as a load of its own",
        ));
    }
    list.into_iter()
        .map(|(k, l, w)| (k, l, w.to_owned()))
        .collect()
}

/// Inputs of low confidence that the result rests on: of GPU profiles only the phases in use.
pub(crate) fn low_confidence(loaded: &Loaded, site: Option<&Site>) -> Vec<LowConfidence> {
    let used: BTreeSet<String> = site
        .map(|s| {
            s.used_phases()
                .into_iter()
                .map(|(gpu, phase)| format!("gpus.{gpu}.phases.{}.", phase.key()))
                .collect()
        })
        .unwrap_or_default();
    loaded
        .low_confidence
        .iter()
        .filter(|l| match l.path.strip_prefix("gpus.") {
            Some(rest) if rest.contains(".phases.") => {
                used.iter().any(|u| l.path.starts_with(u.as_str()))
            }
            _ => site.is_some() || l.path.starts_with("plant."),
        })
        .map(|l| LowConfidence {
            path: l.path.clone(),
            value: l.value.clone(),
            source: l.source.clone(),
        })
        .collect()
}

/// What shares came to in GPUs.
fn allotted(site: &Site) -> Vec<String> {
    let percent = |share: f64, gpus: u64, of: u64| {
        let exact = 100.0 * gpus as f64 / of.max(1) as f64;
        format!(
            "{gpus} of {of} GPUs, {exact:.2} % for a share of {:.2} %",
            100.0 * share
        )
    };
    let tenants = site.tenants().iter().map(|t| {
        format!(
            "tenant `{}` has {}; its jobs use {}",
            t.name,
            percent(t.share, t.gpus, t.of_gpus),
            t.used_gpus
        )
    });
    let jobs = site.job_gpus().iter().filter_map(|j| {
        let share = 100.0 * j.share?;
        let of = j.tenant.as_ref().map_or_else(
            || "the GPUs of its racks".to_owned(),
            |t| format!("tenant `{t}`'s GPUs"),
        );
        Some(format!(
            "job `{}` has {} GPUs for a share of {share:.2} % of {of}, in whole nodes or replicas",
            j.name, j.gpus
        ))
    });
    tenants.chain(jobs).collect()
}

/// What the models assume.
pub(crate) fn assumptions(
    scenario: &Scenario,
    inputs: &Inputs,
    site: Option<&Site>,
) -> Vec<String> {
    let mut list = Vec::new();
    if let Some(site) = site {
        let how = match site.choose_engine(scenario.simulation.engine).kind {
            EngineKind::Group => {
                "the fluctuation of its GPUs is a Gaussian first-order process whose sums are exact while no clamp acts"
            }
            EngineKind::PerGpu => {
                "the fluctuation of every GPU is a Gaussian first-order process, held between zero and the GPU's clamp"
            }
        };
        list.push(format!(
            "GPU groups: each node is one cohort with its own start offset; {how}"
        ));
        list.push("power of the racks is metered at their AC side and joined by straight lines between steps".to_owned());
        let nodes: BTreeSet<&str> = scenario.racks.iter().map(|r| r.node.as_str()).collect();
        for (name, node) in nodes
            .iter()
            .filter_map(|n| Some((n, scenario.nodes.get(*n)?)))
        {
            let slow = match (&node.host.slow_share, &node.host.slow_lag_s) {
                (Some(share), Some(lag)) if share.value > 0.0 => format!(
                    "; {} of what it draws more as its GPUs do follows them with {} s, in step over the rack",
                    share.value, lag.value
                ),
                _ => String::new(),
            };
            list.push(format!(
                "host power of {name} is metered: {}; GPU power: {}{slow}",
                MeteringPoint::from(node.host.metered).text(),
                MeteringPoint::Gpu.text()
            ));
        }
        list.extend(allotted(site));
        list.extend(crate::smoothing::assumptions(scenario));
    }
    list.push(voltage::load_assumption(scenario));
    if scenario
        .jobs
        .iter()
        .any(|j| matches!(j, JobSpec::Inference(_)))
    {
        list.push("replicas of a service share nothing but the rate of its requests; a sample is the mean over the step before it; prefill pauses decoding, and power follows the running sequences at once".to_owned());
    }
    for a in &inputs.arrivals {
        let name = scenario.jobs.get(a.job).map_or("", JobSpec::name);
        list.push(format!(
            "requests of `{name}` come as in {}: {}; every realisation has the same file",
            a.file,
            a.found.join("; ")
        ));
    }
    if !scenario.bess.is_empty() {
        list.push(crate::bess::ASSUMPTION.to_owned());
    }
    if scenario.facility.is_some() {
        list.push("UPS, cooling and transformer are each one for the whole site; network, storage and management draw constant power".to_owned());
    }
    list.extend(crate::storage::assumption(scenario));
    let not_given = crate::reactive::not_given(scenario);
    if !not_given.is_empty() {
        list.push(format!(
            "power factor not given, taken as 1: {}",
            not_given.join(", ")
        ));
    }
    if !scenario.events.is_empty() {
        list.push("events of the site come at stated times, whatever the state of the bus; a fall or rise between two samples is a straight line over one step".to_owned());
    }
    for t in &inputs.traces {
        let how = if t.hold {
            "held between samples"
        } else {
            "joined by straight lines between samples"
        };
        list.push(format!(
            "trace `{}` ({}) is {how}; {}",
            t.name,
            t.file,
            t.found.join("; ")
        ));
        list.push(format!(
            "trace `{}` is a load as it was metered, with the smoothing that was there: batteries at the bus act on it; floors of GPUs and storage in racks act on jobs alone",
            t.name
        ));
        if t.scale != 1.0 || t.count > 1 {
            list.push(format!(
                "trace `{}` is scaled ×{:.6}: assumes full coincidence of everything it stands for",
                t.name,
                t.scale * f64::from(t.count)
            ));
        }
    }
    if let Some(plant) = &scenario.plant {
        list.extend(of_plant(scenario, plant));
    }
    if scenario.simulation.realisations > 1 {
        list.push("curves over time, spectrum and traces show realisation 1; extremes and percentiles all of them".to_owned());
    }
    list
}

/// What a fine run shares with the run it looks into.
pub(crate) fn zoom_assumption(realisation: u32) -> String {
    format!(
        "the fine run has the jobs, requests and events of realisation {realisation}; what fluctuates within a phase is drawn anew from streams of its own"
    )
}

/// What the models of the sets assume.
fn of_plant(scenario: &Scenario, plant: &PlantSpec) -> Vec<String> {
    let mut list = Vec::new();
    if plant.has_alternators() {
        list.extend(voltage::alternator_assumptions(plant));
    } else {
        list.push("all sets share one frequency (stiff, short bus); equal sets in equal state are one exact equivalent".to_owned());
        list.push(match plant.torque {
            TorqueConvention::PowerOverSpeed => {
                "electrical torque is P/ω: the load draws constant power".to_owned()
            }
            TorqueConvention::Power => {
                "electrical torque is taken as P, network at nominal frequency".to_owned()
            }
        });
    }
    list.push(format!(
        "the run starts in steady state at the load of t = {}",
        scenario.simulation.start_s
    ));
    if scenario.simulation.plant_parts() > 1 {
        list.push(format!(
                "the plant goes in steps of {} s while the load goes in straight lines between its own steps: extremes, rates and times of the frequency are of all of the plant's steps, traces show those of the load",
                scenario.simulation.plant_step()
            ));
    }
    if plant.sets.iter().any(|s| s.turbo.enabled) {
        list.push("turbochargers limit the throttle to boost plus the accepted step (Ballast's own model, estimated)".to_owned());
    }
    if plant.sets.iter().any(|s| s.fuel.is_some()) {
        list.push("fuel follows the steady-state curve of each set at every step of the plant: nothing is added for accelerating, starting or idling off the bus".to_owned());
    }
    list
}
