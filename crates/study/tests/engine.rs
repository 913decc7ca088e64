//! Which engine a scenario gets, that the outcome says so, and that it changes the figures where limits act.

use std::path::Path;

use ballast_aggregate::CorrelationSpec;
use ballast_scenario::{Loaded, Patch};
use ballast_study::outcome::Outcome;
use ballast_study::{Inputs, Silent};

#[expect(clippy::unwrap_used, reason = "a test may stop at once")]
fn example(patches: &[(&str, &str)]) -> Loaded {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/training-offgrid.toml");
    let mut all = vec![
        ("simulation.duration_s", "4"),
        ("simulation.step_s", "0.002"),
    ];
    all.extend_from_slice(patches);
    let patches: Vec<Patch> = all
        .iter()
        .map(|(p, v)| Patch {
            path: (*p).to_owned(),
            value: (*v).to_owned(),
        })
        .collect();
    let mut loaded = ballast_scenario::load(&path, &patches).unwrap();
    // So that no cohort's average meets the clamp that its GPUs meet.
    loaded.scenario.correlation = Some(CorrelationSpec::Equal { coefficient: 0.0 });
    loaded
}

#[expect(clippy::unwrap_used, reason = "a test may stop at once")]
fn outcome(patches: &[(&str, &str)]) -> Outcome {
    ballast_study::run(&example(patches), &Inputs::default(), None, &Silent).unwrap()
}

#[expect(clippy::unwrap_used, reason = "a test may stop at once")]
fn engine_text(outcome: &Outcome) -> &str {
    let mut said = outcome.diagnostics.iter().filter(|d| d.code == "engine");
    let text = &said.next().unwrap().text;
    assert!(said.next().is_none());
    text
}

#[test]
fn the_outcome_says_which_engine_ran_and_why() {
    let auto = outcome(&[]);
    assert!(
        engine_text(&auto).starts_with("group engine, chosen because"),
        "{}",
        engine_text(&auto)
    );
    let asked = outcome(&[("simulation.engine", "per_gpu")]);
    assert!(engine_text(&asked).starts_with("per-GPU engine, as asked for"));
    let held = |o: &Outcome| {
        o.assumptions
            .iter()
            .any(|a| a.contains("held between zero"))
    };
    assert!(held(&asked) && !held(&auto));
    // The same courses and no limit near: the fluctuation of the mean over 4 s is below 0.1 %.
    let (a, b) = (auto.site.envelope.mean, asked.site.envelope.mean);
    assert!((a / b - 1.0).abs() < 0.002, "{a} {b}");
}

/// A spread so wide that the clamp acts: the per-GPU engine is taken, and says that its GPUs were clipped.
#[test]
fn a_clamp_that_acts_changes_the_engine() {
    let wide = [
        ("gpus.wide.base", "h100-sxm5"),
        ("gpus.wide.phases.train_compute.spread_w.value", "400"),
        ("nodes.wide.base", "hgx-h100"),
        ("nodes.wide.gpu", "wide"),
        ("racks.0.node", "wide"),
    ];
    let auto = outcome(&wide);
    let text = engine_text(&auto);
    assert!(text.starts_with("per-GPU engine, chosen because"), "{text}");
    assert!(text.contains("phase train_compute of wide"), "{text}");
    let clamp = auto.diagnostics.iter().find(|d| d.code == "clamp-bias");
    assert!(clamp.is_some_and(|d| d.text.contains("clipped by itself")));
    let mut asked = wide.to_vec();
    asked.push(("simulation.engine", "group"));
    let group = outcome(&asked);
    assert!(engine_text(&group).contains("which it leaves out"));
    // 52 W of 650 W while computing; the fluctuation of the difference is some 10 W.
    assert!(group.site.gpu.mean_w > 1.01 * auto.site.gpu.mean_w);
}

/// A service runs on either engine, and the same requests come.
#[test]
fn a_service_runs_on_either_engine() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/inference-traffic.toml");
    let run = |engine: &str| {
        let patches = [
            ("simulation.duration_s", "300"),
            ("simulation.engine", engine),
        ];
        let patches = patches.map(|(path, value)| Patch {
            path: path.to_owned(),
            value: value.to_owned(),
        });
        let loaded = ballast_scenario::load(&path, &patches).unwrap();
        ballast_study::run(&loaded, &Inputs::default(), None, &Silent).unwrap()
    };
    let (group, each) = (run("group"), run("per_gpu"));
    assert!(engine_text(&group).starts_with("group engine"));
    assert!(engine_text(&each).starts_with("per-GPU engine"));
    let traffic = |o: &Outcome| {
        let told = o.diagnostics.iter().filter(|d| d.code == "traffic");
        told.map(|d| d.text.clone()).collect::<Vec<_>>()
    };
    assert!(!traffic(&group).is_empty());
    assert_eq!(traffic(&group), traffic(&each));
    let (a, b) = (group.site.gpu.mean_w, each.site.gpu.mean_w);
    assert!((a / b - 1.0).abs() < 0.005, "{a} {b}");
}
