//! What a reader of a result should know.

use ballast_aggregate::{
    CoarseTraining, EdgesBetweenSamples, IterationShape, JobSpec, Site, source002_aggregate,
};
use ballast_profile::PhaseKind;
use ballast_scenario::Scenario;

use crate::coarse::Coarse;
use crate::inputs::Inputs;
use crate::merge::Merged;
use crate::outcome::Diagnostic;
use crate::residual;
use crate::smoothing;

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
    for battery in crate::bess::kpis(scenario, merged) {
        if battery.short_share > 0.0 {
            say("battery-short", crate::bess::short(&battery));
        }
    }
    if let Some(site) = site {
        for note in smoothing::diagnostics(site) {
            say(&note.code, note.text);
        }
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
    if let Some(d) = residual::diagnostic(scenario) {
        say(&d.code, d.text);
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
    let runs = t.start_s + t.lasting_s() < sim.end_s() && t.stop_s.is_none_or(|s| s > sim.start_s);
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
        1.0 / t.lasting_s()
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
