//! Every problem of a scenario is found, at its place.

use crate::common::{Build, batch, equal, racks, training};
use ballast_aggregate::{BatchRun, JobSpec};
use ballast_profile::PhaseKind;

fn build(jobs: Vec<JobSpec>) -> Build {
    Build::new(vec![racks("r", 2, 2)], jobs, 8, 5.0)
}

#[expect(clippy::unwrap_used, reason = "a test that asks for problems has some")]
fn paths(build: &Build) -> Vec<String> {
    build
        .site()
        .unwrap_err()
        .into_iter()
        .map(|p| p.path)
        .collect()
}

#[test]
fn all_problems_at_once() {
    let (mut b, mut t) = (batch("same"), training("same"));
    (b.racks, b.stagger_s, b.correlation) =
        (vec!["r".into(), "nowhere".into()], -1.0, Some(equal(1.5)));
    (t.gpus, t.compute_share, t.iteration_s, t.restart_after_s) = (Some(0), 1.2, 0.0, Some(1.0));
    let mut scenario = build(vec![JobSpec::Batch(b), JobSpec::Training(t)]);
    scenario.racks.push(racks("r", 0, 1));
    scenario.racks[0].node = "nod".into();
    scenario.correlation = Some(ballast_aggregate::CorrelationSpec::Preset { name: "x".into() });
    let expected = [
        "racks.0.node",
        "racks.1.name",
        "racks.1.count",
        "correlation.name",
        "jobs.0.correlation.coefficient",
        "jobs.0.racks.1",
        "jobs.0.stagger_s",
        "jobs.1.name",
        "jobs.1.gpus",
        "jobs.1.iteration_s",
        "jobs.1.compute_share",
        "jobs.1.restart_after_s",
    ];
    assert_eq!(paths(&scenario), expected);
    assert!(
        scenario
            .site()
            .unwrap_err()
            .iter()
            .all(|p| !p.help.is_empty() && !p.message.is_empty())
    );
}

#[test]
fn unknown_parts_of_a_node_are_told_once() {
    let mut scenario = build(vec![]);
    scenario.racks.push(racks("s", 1, 1));
    let node = scenario.nodes.get_mut("node").unwrap();
    (node.gpu, node.psu, node.gpus) = ("H1000".into(), "none".into(), 0);
    assert_eq!(
        paths(&scenario),
        ["nodes.node.gpu", "nodes.node.psu", "nodes.node.gpus"]
    );
    assert!(scenario.site().unwrap_err()[0].help.contains("gpu"));
}

#[test]
fn more_gpus_than_are_free() {
    let (mut a, mut b) = (batch("a"), batch("b"));
    (a.gpus, b.gpus) = (Some(30), Some(3));
    let scenario = build(vec![
        JobSpec::Batch(a),
        JobSpec::Batch(b),
        JobSpec::Training(training("t")),
    ]);
    let problems = scenario.site().unwrap_err();
    assert_eq!(problems[0].path, "jobs.1.gpus");
    assert!(
        problems[0]
            .message
            .contains("asks for 3 GPUs, and 2 are free")
    );
    assert_eq!(problems[1].path, "jobs.2.racks");
}

#[test]
fn absent_phases_are_named_with_their_profile() {
    let (mut b, mut t) = (batch("b"), training("t"));
    (b.steady, b.gpus) = (PhaseKind::SteadyPrefill, Some(8));
    t.checkpoint_every = Some(10);
    let mut scenario = build(vec![JobSpec::Batch(b), JobSpec::Training(t)]);
    let phases = &mut scenario.gpus.get_mut("gpu").unwrap().phases;
    (phases.checkpoint, phases.train_communication) = (None, None);
    phases.load.as_mut().unwrap().duration_s = None;
    let problems = scenario.site().unwrap_err();
    let paths: Vec<_> = problems.iter().map(|p| p.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "jobs.0.load_s",
            "jobs.0.steady",
            "jobs.1",
            "jobs.1.checkpoint_every"
        ]
    );
    assert!(
        problems[1].message.contains("`steady_prefill`") && problems[1].message.contains("`gpu`")
    );
    assert!(problems[2].message.contains("`train_communication`"));
}

#[test]
fn a_checkpoint_needs_a_duration_and_its_phase() {
    let mut t = training("t");
    t.checkpoint_every = Some(10);
    let mut scenario = build(vec![JobSpec::Training(t.clone())]);
    scenario
        .gpus
        .get_mut("gpu")
        .unwrap()
        .phases
        .checkpoint
        .as_mut()
        .unwrap()
        .duration_s = None;
    assert_eq!(paths(&scenario), ["jobs.0.checkpoint_s"]);
    t.checkpoint_s = Some(3.0);
    scenario.jobs = vec![JobSpec::Training(t)];
    assert!(scenario.site().is_ok());
    scenario.gpus.get_mut("gpu").unwrap().phases.checkpoint = None;
    assert_eq!(paths(&scenario), ["jobs.0.checkpoint_s"]);
}

#[test]
fn times_that_contradict_each_other() {
    let mut t = training("t");
    (t.start_s, t.stop_s, t.crash_at_s) = (10.0, Some(5.0), Some(7.0));
    (t.node_jitter_s, t.iteration_jitter_s, t.checkpoint_s) = (0.3, 0.4, Some(1.0));
    let expected = [
        "jobs.0.iteration_jitter_s",
        "jobs.0.node_jitter_s",
        "jobs.0.checkpoint_s",
        "jobs.0.stop_s",
        "jobs.0.crash_at_s",
        "jobs.0.crash_at_s",
    ];
    assert_eq!(paths(&build(vec![JobSpec::Training(t)])), expected);
    let mut b = batch("b");
    (b.start_s, b.steady_s, b.launch_s) = (f64::NAN, Some(f64::INFINITY), Some(-1.0));
    assert_eq!(
        paths(&build(vec![JobSpec::Batch(b)])),
        ["jobs.0.start_s", "jobs.0.launch_s", "jobs.0.steady_s"]
    );
}

#[test]
fn jobs_need_racks_and_idle_gpus_a_phase() {
    let mut none = build(vec![JobSpec::Batch(batch("b"))]);
    none.racks.clear();
    assert_eq!(paths(&none), ["jobs.0"]);
    let mut idle = build(vec![]);
    idle.gpus.get_mut("gpu").unwrap().phases.idle = None;
    assert_eq!(paths(&idle), ["racks.0.node"]);
}

#[test]
fn a_good_site_answers_for_itself() {
    let mut scenario = build(vec![JobSpec::Training(training("t"))]);
    scenario.racks.push(racks("s", 1, 3));
    let site = scenario.site().unwrap();
    assert_eq!((site.gpu_count(), site.rack_count()), (56, 3));
    assert_eq!(
        (site.rack_name(1), site.rack_name(2), site.rack_name(3)),
        ("r-002", "s-001", "")
    );
    assert_eq!(
        (site.rack_group(2), site.groups()[1].racks.clone()),
        (1, 2..3)
    );
    assert!(site.coarse_training(0.125).is_empty());
    let coarse = &site.coarse_training(0.126)[0];
    assert_eq!((coarse.shortest_s, coarse.whole), (0.25, true));
    let shares = &site.correlations()[0];
    assert!(shares.by_default && shares.kind == "training_sync" && shares.shares.job == 0.9);
}

#[test]
fn runs_stand_in_order_and_alone() {
    let run = |start_s: f64, stop_s: Option<f64>| BatchRun {
        name: None,
        start_s,
        stop_s,
        crash: false,
    };
    let mut job = batch("b");
    (job.start_s, job.steady_s) = (5.0, Some(1.0));
    job.runs = vec![
        run(0.0, Some(10.0)),
        run(9.0, Some(9.0)),
        run(f64::NAN, None),
        BatchRun {
            name: Some(String::new()),
            crash: true,
            ..run(30.0, None)
        },
    ];
    let found = paths(&build(vec![JobSpec::Batch(job.clone())]));
    let expected = [
        "jobs.0.start_s",
        "jobs.0.steady_s",
        "jobs.0.runs.1.start_s",
        "jobs.0.runs.1.stop_s",
        "jobs.0.runs.2.start_s",
        "jobs.0.runs.2.stop_s",
        "jobs.0.runs.3.name",
        "jobs.0.runs.3.crash",
    ];
    assert_eq!(found, expected);
    (job.start_s, job.steady_s) = (0.0, None);
    job.runs = vec![
        run(-5.0, Some(10.0)),
        run(10.0, Some(20.0)),
        run(40.0, None),
    ];
    assert!(build(vec![JobSpec::Batch(job)]).site().is_ok());
}

#[test]
fn a_group_named_as_a_rack_of_another_is_refused() {
    let mut scenario = build(vec![]);
    scenario.racks = vec![racks("hall", 2, 1), racks("hall-001", 1, 1)];
    let problems = scenario.site().unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(problems[0].path, "racks.1.name");
    assert!(problems[0].message.contains("racks.0.name"));
    // Beyond its racks, or written otherwise, it is a name of its own.
    for name in ["hall-003", "hall-01", "hall-b"] {
        scenario.racks[1].name = name.into();
        assert!(scenario.site().is_ok(), "{name}");
    }
}
