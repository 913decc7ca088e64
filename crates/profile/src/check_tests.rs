use super::SpecProblem;
use super::fixture::{gpu, node, phase, psu, sourced};
use crate::spec::Phases;

fn paths(problems: &[SpecProblem]) -> Vec<&str> {
    problems
        .iter()
        .map(|problem| problem.path.as_str())
        .collect()
}

#[test]
fn sound_specs_have_no_problems() {
    assert_eq!(gpu().problems(), []);
    assert_eq!(node().problems(), []);
    assert_eq!(psu().problems(), []);
}

#[test]
fn every_problem_of_a_profile_is_reported_at_once() {
    let mut gpu = gpu();
    gpu.label = " ".to_owned();
    gpu.edpp_w = Some(sourced(600.0));
    let mut load = phase(800.0);
    load.correlation_time_s = None;
    if let Some(rise) = &mut load.rise {
        rise.time_s = -1.0;
        rise.source.clear();
    }
    if let Some(fall) = &mut load.fall {
        fall.window_s = f64::NAN;
    }
    gpu.phases.load = Some(load);
    assert_eq!(
        paths(&gpu.problems()),
        [
            "label",
            "edpp_w.value",
            "phases.load.power_w.value",
            "phases.load",
            "phases.load.rise.time_s",
            "phases.load.rise.source",
            "phases.load.fall.window_s",
        ]
    );
}

#[test]
fn a_number_must_lie_in_its_own_range() {
    let mut gpu = gpu();
    gpu.tdp_w.low = Some(710.0);
    gpu.tdp_w.high = Some(720.0);
    let problems = gpu.problems();
    assert_eq!(paths(&problems), ["tdp_w.value"]);
    assert!(
        problems[0].message.contains("700 W"),
        "{}",
        problems[0].message
    );
    assert!(
        problems[0].message.contains("low = 710 W"),
        "{}",
        problems[0].message
    );

    gpu.tdp_w.low = Some(650.0);
    gpu.tdp_w.high = Some(690.0);
    assert_eq!(paths(&gpu.problems()), ["tdp_w.value"]);
    gpu.tdp_w.low = Some(800.0);
    gpu.tdp_w.high = Some(600.0);
    assert_eq!(paths(&gpu.problems()), ["tdp_w.low"]);
    gpu.tdp_w.low = Some(-1.0);
    gpu.tdp_w.high = Some(f64::INFINITY);
    assert_eq!(paths(&gpu.problems()), ["tdp_w.low", "tdp_w.high"]);
}

#[test]
fn a_phase_may_exceed_tdp_but_not_the_clamp() {
    let mut gpu = gpu();
    gpu.phases.train_compute = Some(phase(760.0));
    assert_eq!(
        paths(&gpu.problems()),
        ["phases.train_compute.power_w.value"]
    );
    gpu.edpp_w = Some(sourced(770.0));
    assert_eq!(gpu.problems(), []);
}

#[test]
fn a_broken_clamp_is_reported_once() {
    let mut gpu = gpu();
    gpu.tdp_w = sourced(f64::NAN);
    assert_eq!(paths(&gpu.problems()), ["tdp_w.value"]);
    gpu.tdp_w = sourced(0.0);
    assert_eq!(paths(&gpu.problems()), ["tdp_w.value"]);
}

#[test]
fn a_profile_needs_a_phase() {
    let mut gpu = gpu();
    gpu.phases = Phases::default();
    assert_eq!(paths(&gpu.problems()), ["phases"]);
}

#[test]
fn spread_needs_a_correlation_time_and_stays_below_the_power() {
    let mut gpu = gpu();
    let mut idle = phase(72.0);
    idle.spread_w = Some(sourced(90.0));
    idle.correlation_time_s = Some(sourced(0.0));
    gpu.phases.idle = Some(idle.clone());
    assert_eq!(
        paths(&gpu.problems()),
        [
            "phases.idle.spread_w.value",
            "phases.idle.correlation_time_s.value"
        ]
    );
    // Without spread there is nothing to correlate.
    idle.spread_w = Some(sourced(0.0));
    idle.correlation_time_s = None;
    gpu.phases.idle = Some(idle);
    assert_eq!(gpu.problems(), []);
}

#[test]
fn a_node_draws_at_least_what_its_gpus_draw() {
    let mut node = node();
    node.host.slope = sourced(0.9);
    node.host.fixed_w = sourced(-5.0);
    node.gpus = 0;
    node.psu_count = 65;
    node.psu.clear();
    node.gpu.clear();
    node.label.clear();
    assert_eq!(
        paths(&node.problems()),
        [
            "label",
            "gpu",
            "psu",
            "gpus",
            "psu_count",
            "host.fixed_w.value",
            "host.slope.value"
        ]
    );
}

#[test]
fn a_supply_cannot_be_better_than_lossless() {
    let mut psu = psu();
    psu.loss_linear = sourced(-0.01);
    psu.loss_square = sourced(0.7);
    psu.lag_s = sourced(-0.01);
    psu.holdup_j.source.clear();
    psu.rated_w = sourced(0.0);
    let problems = psu.problems();
    assert_eq!(
        paths(&problems),
        [
            "rated_w.value",
            "loss_linear.value",
            "loss_square.value",
            "lag_s.value",
            "holdup_j.source"
        ]
    );
    assert!(problems[1].message.contains("efficiency above 1"));
}
