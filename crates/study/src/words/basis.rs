//! What verdicts rest on, and in how far the load is random.

use ballast_aggregate::{DEFAULT_CORRELATION_TIME_S, JobSpec, Site};
use ballast_scenario::{LoadSpec, Scenario};

use crate::coarse;
use crate::inputs::Inputs;
use crate::merge::Merged;
use crate::outcome::LowConfidence;
use crate::voltage;

/// A run with a longer step says that its frequency is that of slow ramps only, seconds: governors answer within some 0.1 s.
const FAST_STEP_S: f64 = 0.1;

/// Low-confidence inputs named in a verdict's basis; the rest are counted.
const NAMED_INPUTS: usize = 4;

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
        } else if let Some(base_kw) = per_unit_of(scenario, &trace.name) {
            parts.push(format!(
                "in per unit, taken as {base_kw} kW: assumes full coincidence of what was measured"
            ));
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

/// Kilowatts that stand for 1 in a trace of that name; none where it has a unit of its own.
fn per_unit_of(scenario: &Scenario, name: &str) -> Option<f64> {
    scenario.loads.iter().find_map(|l| match l {
        LoadSpec::Trace(t) if t.name == name => t.base_kw,
        _ => None,
    })
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
            Some(t.lasting_s())
        }
        // Traffic is random whatever the spread within a phase.
        JobSpec::Inference(i) => Some(2.0 * i.memory_s()),
        _ => None,
    });
    let Some(random_s) = spread.chain(jitter).reduce(f64::max) else {
        return Randomness::None;
    };
    let cadence = scenario.jobs.iter().filter_map(|j| match j {
        JobSpec::Training(t) => Some(t.lasting_s()),
        JobSpec::Inference(i) => Some(2.0 * i.memory_s()),
        JobSpec::Batch(_) => None,
    });
    Randomness::Fluctuation {
        decorrelation_s: cadence.fold(random_s, f64::max),
    }
}
