//! What an outcome says in words: basis of verdicts, assumptions, diagnostics, events.

use std::collections::BTreeSet;

use ballast_aggregate::{
    CoarseTraining, DEFAULT_CORRELATION_TIME_S, EdgesBetweenSamples, EngineKind, IterationShape,
    JobSpec, Site, source002_aggregate,
};
use ballast_plant::{Limiter, PlantError, PlantSpec, TorqueConvention};
use ballast_profile::{MeteringPoint, PhaseKind};
use ballast_scenario::{Loaded, Scenario};

use crate::coarse::{self, Coarse};
use crate::error::StudyProblem;
use crate::inputs::Inputs;
use crate::merge::Merged;
use crate::outcome::{Diagnostic, Event, LowConfidence, RunPart, Status, Verdict};
use crate::voltage;

/// A run with a longer step says that its frequency is that of slow ramps only, seconds: governors answer within some 0.1 s.
const FAST_STEP_S: f64 = 0.1;

/// Low-confidence inputs named in a verdict's basis; the rest are counted.
const NAMED_INPUTS: usize = 4;

/// A problem of the plant at its start, placed and explained.
pub(crate) fn plant_problem(
    error: &PlantError,
    load_w: f64,
    spec: &PlantSpec,
    start_s: f64,
) -> StudyProblem {
    let rated_kw: f64 = spec
        .sets
        .iter()
        .map(|s| s.rated_kw * f64::from(s.count))
        .sum();
    let (path, help) = match error {
        PlantError::LoadAboveRating { .. } => (
            "plant.sets".to_owned(),
            format!(
                "at t = {start_s} the load is {:.1} kW and the sets are rated {rated_kw:.1} kW: add sets, or start the jobs later (start_s)",
                load_w / 1e3
            ),
        ),
        PlantError::Spec { path, help, .. } => (format!("plant.{path}"), help.clone()),
        PlantError::StepTooCoarse { needed_s, .. } => (
            "simulation.step_s".to_owned(),
            format!("set simulation.plant_step_s to {needed_s} or less"),
        ),
        _ => (
            "plant".to_owned(),
            format!(
                "check dispatch_kw and the limits of the governors against the load at t = {start_s}"
            ),
        ),
    };
    StudyProblem {
        path,
        message: error.to_string(),
        help,
    }
}

/// What every checked verdict rests on: "1 realisation, 60 s, seed 7; low confidence: …; voltage not checked".
///
/// A verdict on the load (`of_plant` false) does not rest on the sets.
pub(crate) fn basis(
    scenario: &Scenario,
    inputs: &Inputs,
    merged: &Merged,
    low: &[LowConfidence],
    of_plant: bool,
) -> String {
    let sim = &scenario.simulation;
    let plural = if sim.realisations == 1 { "" } else { "s" };
    let mut parts = vec![format!(
        "{} realisation{plural}, {} s, seed {}",
        sim.realisations, sim.duration_s, sim.seed
    )];
    let collapsed: Vec<f64> = merged
        .each
        .iter()
        .filter_map(|e| e.collapsed_at_s)
        .collect();
    if let Some(first_s) = collapsed.iter().copied().reduce(f64::min) {
        let n = collapsed.len();
        parts.push(format!(
            "{n} ended by a collapse, the first at {first_s:.3} s"
        ));
    }
    for trace in &inputs.traces {
        parts.push(format!(
            "`{}` usable to {:.3} Hz",
            trace.name,
            trace.bandwidth_hz()
        ));
        if trace.is_coarse() {
            parts.push(format!(
                "`{}` shows means over {} s and no changes faster",
                trace.name,
                coarse::interval_s(trace)
            ));
        }
        if trace.scale != 1.0 || trace.count > 1 {
            let factor = trace.scale * f64::from(trace.count);
            parts.push(format!("scaled ×{factor:.4}: assumes full coincidence"));
        }
    }
    if of_plant && sim.step_s > FAST_STEP_S {
        parts.push(format!(
            "the load is known every {} s: of ramps slower than that only",
            sim.step_s
        ));
    }
    let low = ranked(low, of_plant);
    if !low.is_empty() {
        let named: Vec<&str> = low.iter().take(NAMED_INPUTS).copied().collect();
        let more = low.len().saturating_sub(NAMED_INPUTS);
        let more = if more == 0 {
            String::new()
        } else {
            format!(" and {more} more")
        };
        parts.push(format!("low confidence: {}{more}", named.join(", ")));
    }
    if !voltage::looked_at(scenario) {
        parts.push("voltage not checked".to_owned());
    }
    parts.join("; ")
}

/// Paths of the low-confidence inputs, what weighs most first: inertia, the sets, how GPUs go together, levels of power.
fn ranked(low: &[LowConfidence], of_plant: bool) -> Vec<&str> {
    let rank = |path: &str| match path {
        p if p.ends_with(".inertia_s") => 0,
        p if p.starts_with("plant.") && (p.contains("dead_time") || p.ends_with("governor.k")) => 1,
        p if p.contains("correlation.") => 2,
        p if p.ends_with(".power_w") => 3,
        p if p.starts_with("plant.") => 4,
        _ => 5,
    };
    let mut paths: Vec<&str> = low
        .iter()
        .map(|l| l.path.as_str())
        .filter(|p| of_plant || !p.starts_with("plant."))
        .collect();
    paths.sort_by_key(|p| rank(p));
    paths
}

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
        list.push((
            "set_trip",
            "loss of one set (N−1)",
            "no set trips in this run",
        ));
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
    if scenario.facility.is_some() {
        list.push("UPS, cooling and transformer are each one for the whole site; network, storage and management draw constant power".to_owned());
    }
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
        if t.scale != 1.0 || t.count > 1 {
            list.push(format!(
                "trace `{}` is scaled ×{:.6}: assumes full coincidence of everything it stands for",
                t.name,
                t.scale * f64::from(t.count)
            ));
        }
    }
    if let Some(plant) = &scenario.plant {
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

/// What a reader should know of this run.
pub(crate) fn diagnostics(
    scenario: &Scenario,
    inputs: &Inputs,
    site: Option<&Site>,
    merged: &Merged,
) -> Vec<Diagnostic> {
    let mut list = Vec::new();
    let mut say = |code: &str, text: String| {
        list.push(Diagnostic {
            code: code.to_owned(),
            text,
        });
    };
    if let Some(site) = site {
        say(
            "engine",
            site.choose_engine(scenario.simulation.engine).text,
        );
    }
    for c in merged
        .clamps
        .iter()
        .filter(|c| c.worth_telling() || c.probability > 1e-3)
    {
        say("clamp-bias", c.text.clone());
    }
    if let Some(text) = site.and_then(|s| source002_rule(scenario, s)) {
        say("source002-rule", text);
    }
    if scenario.plant.is_some() && site.is_some() {
        for text in scenario
            .jobs
            .iter()
            .filter_map(|j| cadence(scenario, site, j))
        {
            say("cadence", text);
        }
    }
    for coarse in site
        .map(|s| s.coarse_training(scenario.simulation.step_s))
        .unwrap_or_default()
    {
        say("coarse-training", coarse_training(scenario, &coarse));
    }
    for edges in site
        .map(|s| s.edges_between_samples(scenario.simulation.step_s))
        .unwrap_or_default()
    {
        say(
            "edges-between-samples",
            edges_between_samples(scenario, &edges),
        );
    }
    if let Some(facility) = &merged.facility {
        say("facility", facility.text());
    }
    for transfer in &merged.transfers {
        say("transfer", transfer.text());
    }
    for (realisation, traffic) in &merged.traffic {
        let code = if traffic.over_capacity() {
            "over-capacity"
        } else {
            "traffic"
        };
        say(
            code,
            format!("realisation {realisation}: {}", traffic.text()),
        );
    }
    for t in &inputs.traces {
        say(
            "trace-bandwidth",
            format!(
                "trace `{}`: median interval {:.4} s, longest gap {:.4} s, usable to {:.3} Hz",
                t.name,
                t.series.interval_s(),
                t.series.longest_gap_s(),
                t.bandwidth_hz()
            ),
        );
    }
    if let Some(why) = Coarse::of(scenario, inputs, site).reason() {
        say("coarse-trace", format!("ramps, steps and spectrum: {why}"));
    }
    for e in merged.each.iter().filter(|e| e.collapsed_at_s.is_some()) {
        say(
            "collapse",
            format!(
                "realisation {} ends at {:.3} s: the bus collapsed",
                e.realisation,
                scenario.simulation.start_s + e.horizon_s
            ),
        );
    }
    list
}

/// What a run at this step does not see of a training job.
fn coarse_training(scenario: &Scenario, coarse: &CoarseTraining) -> String {
    let step_s = scenario.simulation.step_s;
    let (job, iteration_s, shortest_s) = (&coarse.job, coarse.iteration_s, coarse.shortest_s);
    if coarse.whole {
        format!(
            "a step of {step_s} s is too long for the iterations of job {job} ({iteration_s} s, shortest stretch {shortest_s:.4} s): the mean over the iteration stands for them. Swings within an iteration are not seen: ramps, swings and spectrum at this step do not contain them. Checkpoints as long as two steps, crashes, starts and restarts are kept"
        )
    } else {
        format!(
            "a step of {step_s} s is too long for the shortest stretches of job {job}'s iteration ({shortest_s:.4} s): they are averaged with their neighbours. Ramps and spectrum show the iteration of {iteration_s} s, and nothing shorter than two steps"
        )
    }
}

/// How far off the mean of a training job may be.
fn edges_between_samples(scenario: &Scenario, edges: &EdgesBetweenSamples) -> String {
    let step_s = scenario.simulation.step_s;
    format!(
        "the phases of job {} change between samples of {step_s} s, and its iterations of {} s meet the samples at the same places: the mean of its GPUs, {:.1} W, may be off by up to {:.1} W ({:.1} %). A shorter step makes that smaller in proportion",
        edges.job,
        edges.iteration_s,
        edges.mean_w,
        edges.bound_w,
        100.0 * edges.bound_w / edges.mean_w
    )
}

/// At which frequency a job loads the bus, if it does so within the run and the step can carry it.
fn cadence(scenario: &Scenario, site: Option<&Site>, job: &JobSpec) -> Option<String> {
    let JobSpec::Training(t) = job else {
        return None;
    };
    let sim = &scenario.simulation;
    let pipelined = matches!(t.shape, IterationShape::Pipeline { stages: 2.., .. });
    let modulates = t.compute_share > 0.0 && (t.compute_share < 1.0 || pipelined);
    let runs = t.start_s + t.iteration_s < sim.end_s() && t.stop_s.is_none_or(|s| s > sim.start_s);
    let averaged = site.is_some_and(|s| {
        let coarse = s.coarse_training(sim.step_s);
        coarse.iter().any(|c| c.whole && c.job == t.name)
    });
    if !modulates || !runs || averaged {
        return None;
    }
    let pauses = t.checkpoint_every.map_or_else(String::new, |n| {
        format!(", with a pause for the checkpoint after every {n} iterations")
    });
    Some(format!(
        "job {} loads the bus at {:.3} Hz and its harmonics{pauses}; figure `resonance` shows them over the plant's gain",
        t.name,
        1.0 / t.iteration_s
    ))
}

/// Source 002's rule for the sum of all GPUs beside the exact one, where a job goes by one correlation coefficient.
fn source002_rule(scenario: &Scenario, site: &Site) -> Option<String> {
    let job = site
        .correlations()
        .iter()
        .find(|c| c.kind.starts_with("source002") || c.kind == "equal")?;
    let (profile, phase) = site
        .used_phases()
        .into_iter()
        .find(|(_, phase)| *phase != PhaseKind::Idle)?;
    let spec = scenario.gpus.get(&profile)?.phases.get(phase)?;
    let sigma_w = spec.spread_w.as_ref()?.value;
    let rule = source002_aggregate(
        site.gpu_count(),
        spec.power_w.value,
        sigma_w,
        job.shares.site,
    );
    let factor = rule
        .understates_by
        .map_or_else(String::new, |f| format!(": it understates ×{f:.1}"));
    Some(format!(
        "{} GPUs of σ = {sigma_w} W ({profile}, {}) with C = {}: one standard deviation of their sum is {:.2} kW; source 002's rule adds {:.2} kW{factor}",
        rule.gpus,
        phase.key(),
        rule.coefficient,
        rule.exact_sigma_w / 1e3,
        rule.source002_term_w / 1e3,
    ))
}

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

/// One sentence that sums the run up.
pub(crate) fn summary(
    scenario: &Scenario,
    overall: Status,
    verdicts: &[&Verdict],
    low: usize,
) -> String {
    let count = |s: Status| verdicts.iter().filter(|v| v.status == s).count();
    let given = verdicts.iter().filter(|v| v.limit_value.is_some()).count();
    let failed: Vec<String> = verdicts
        .iter()
        .filter(|v| v.status == Status::Fail)
        .map(|v| match v.run {
            Some(RunPart::Zoom) => format!("{} (zoom)", v.label),
            _ => v.label.clone(),
        })
        .collect();
    let head = match overall {
        Status::Pass => format!(
            "every limit that was checked holds ({})",
            count(Status::Pass)
        ),
        Status::Fail => format!(
            "{} of {} limits fail: {}",
            failed.len(),
            verdicts.len() - count(Status::NotChecked),
            failed.join(", ")
        ),
        Status::Inconclusive => match count(Status::Inconclusive) {
            1 => "1 limit is inconclusive".to_owned(),
            n => format!("{n} limits are inconclusive"),
        },
        Status::NotChecked => match given {
            0 => "no limit was given".to_owned(),
            n => format!("{n} limits were given and none could be checked"),
        },
    };
    let sim = &scenario.simulation;
    let plural = if sim.realisations == 1 { "" } else { "s" };
    format!(
        "{head}; {} realisation{plural}, {} s, seed {}; {} inputs of low confidence; {} things not checked",
        sim.realisations,
        sim.duration_s,
        sim.seed,
        low,
        count(Status::NotChecked)
    )
}

/// What is random in the power of the racks.
pub(crate) enum Randomness {
    /// Nothing.
    None,
    /// It fluctuates, and has forgotten its state after so many seconds.
    Fluctuation {
        /// The longest correlation time in use, twice, or the longest iteration.
        decorrelation_s: f64,
    },
    /// When jobs start is drawn once a realisation: more time does not tell more.
    OnceARun,
}

/// What is random in the power of the racks.
pub(crate) fn randomness(scenario: &Scenario, site: &Site) -> Randomness {
    let starts_at_random = scenario.jobs.iter().any(|j| match j {
        // Six standard deviations: a start that far before the run is over when it begins.
        JobSpec::Batch(b) => {
            b.start_jitter_s > 0.0 && b.last_start_s() + b.stagger_s + 6.0 * b.start_jitter_s > 0.0
        }
        JobSpec::Training(t) => {
            t.restart_jitter_s > 0.0 && t.restart_after_s.is_some() && t.crash_at_s.is_some()
        }
        JobSpec::Inference(_) => false,
    });
    if starts_at_random {
        return Randomness::OnceARun;
    }
    let spread = site.used_phases().into_iter().filter_map(|(gpu, phase)| {
        let phase = scenario.gpus.get(&gpu)?.phases.get(phase)?;
        let random = phase.spread_w.as_ref().is_some_and(|s| s.value > 0.0);
        let tau_s = phase
            .correlation_time_s
            .as_ref()
            .map_or(DEFAULT_CORRELATION_TIME_S, |t| t.value);
        // Two samples of a first-order process are taken as independent after twice its time constant.
        random.then_some(2.0 * tau_s)
    });
    let jitter = scenario.jobs.iter().filter_map(|j| match j {
        // Two exponential times on, the crashes are others.
        JobSpec::Training(t) if t.mtbf_s.is_some() => t.mtbf_s.map(|s| 2.0 * s),
        JobSpec::Training(t)
            if t.iteration_jitter_s > 0.0 || t.node_jitter_s > 0.0 || t.straggler.is_some() =>
        {
            Some(t.iteration_s)
        }
        // Traffic is random whatever the spread within a phase.
        JobSpec::Inference(i) => Some(2.0 * i.memory_s()),
        _ => None,
    });
    let Some(random_s) = spread.chain(jitter).reduce(f64::max) else {
        return Randomness::None;
    };
    let cadence = scenario.jobs.iter().filter_map(|j| match j {
        JobSpec::Training(t) => Some(t.iteration_s),
        JobSpec::Inference(i) => Some(2.0 * i.memory_s()),
        JobSpec::Batch(_) => None,
    });
    Randomness::Fluctuation {
        decorrelation_s: cadence.fold(random_s, f64::max),
    }
}
