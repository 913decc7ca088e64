//! Power smoothing of GPUs from the scenario to the outcome.

use std::path::Path;

use ballast_scenario::Patch;
use ballast_study::outcome::Outcome;
use ballast_study::{Inputs, Silent};

#[expect(clippy::unwrap_used, reason = "a test may stop at once")]
fn outcome(patches: &[(&str, &str)]) -> Outcome {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus/valid/gpu-smoothing.toml");
    let patches: Vec<Patch> = patches
        .iter()
        .map(|(p, v)| Patch {
            path: (*p).to_owned(),
            value: (*v).to_owned(),
        })
        .collect();
    let loaded = ballast_scenario::load(&path, &patches).unwrap();
    ballast_study::run(&loaded, &Inputs::default(), None, &Silent).unwrap()
}

fn codes(outcome: &Outcome) -> Vec<&str> {
    let all = outcome.diagnostics.iter().map(|d| d.code.as_str());
    all.filter(|c| c.contains("ramp") || c.contains("smoothing") || c.contains("floor"))
        .collect()
}

#[test]
fn what_it_did_stands_in_the_outcome() {
    let outcome = outcome(&[]);
    let names: Vec<_> = outcome
        .gpu_smoothing
        .iter()
        .map(|k| (k.report.group.as_str(), k.report.job.as_str()))
        .collect();
    assert_eq!(names, [("nvl", "llm"), ("hgx", "filled"), ("hgx", "chat")]);
    let llm = &outcome.gpu_smoothing[0].report;
    assert!(llm.floor_kwh > 0.0 && llm.secondary_kwh == 0.0 && llm.energy_overhead_percent > 5.0);
    // Once at the start; a checkpoint of 3 s outlasts the 2 s for which the floor is held.
    assert_eq!(llm.ramp_ups_per_gpu, 2.0);
    // 165 W to 1000 W and more at 200 W/s: some 4 s of 40.
    assert!(llm.ramp_limited_time_share > 0.08, "{llm:?}");
    let filled = &outcome.gpu_smoothing[1].report;
    assert!(
        filled.secondary_kwh > 0.0 && filled.floor_kwh == 0.0,
        "{filled:?}"
    );
    assert!(
        outcome
            .gpu_smoothing
            .iter()
            .all(|k| k.metered.contains("GPU"))
    );
    assert_eq!(
        codes(&outcome),
        [
            "smoothing-not-known",
            "floor-below-idle",
            "ramp-limited-start",
            "ramp-after-checkpoint"
        ]
    );
    let start = outcome
        .diagnostics
        .iter()
        .find(|d| d.code == "ramp-limited-start")
        .map(|d| d.text.clone())
        .unwrap_or_default();
    // (1000 − 200) W at 200 W/s; half of it over 4 s is 1.6 kJ, 1.6 s of the phase.
    assert!(
        start.contains("takes 4.000 s") && start.contains("1.600 s of that phase"),
        "{start}"
    );
    assert!(
        outcome
            .assumptions
            .iter()
            .any(|a| a.contains("job's times stay"))
    );
    assert!(
        outcome
            .low_confidence
            .iter()
            .all(|l| !l.path.contains("secondary_load"))
    );
}

#[test]
fn a_ramp_in_every_iteration_is_told() {
    let outcome = outcome(&[
        ("racks.0.gpu_smoothing.active_above_share", "0.5"),
        ("racks.0.gpu_smoothing.stop_delay_s", "0.05"),
    ]);
    assert!(
        codes(&outcome).contains(&"ramp-in-every-iteration"),
        "{:?}",
        codes(&outcome)
    );
    assert!(outcome.gpu_smoothing[0].report.ramp_ups_per_gpu > 15.0);
}

#[test]
fn both_engines_tell_the_same() {
    let [group, single] = ["group", "per_gpu"].map(|e| outcome(&[("simulation.engine", e)]));
    for (a, b) in group.gpu_smoothing.iter().zip(&single.gpu_smoothing) {
        let (a, b) = (&a.report, &b.report);
        // Seconds of correlated draws against their expectation.
        assert!(a.expected && !b.expected);
        assert!(
            (a.energy_overhead_percent - b.energy_overhead_percent).abs() < 0.5,
            "{a:?}\n{b:?}"
        );
        assert!(
            (a.work_kwh / b.work_kwh - 1.0).abs() < 0.015,
            "{a:?}\n{b:?}"
        );
        assert_eq!(a.ramp_ups_per_gpu, b.ramp_ups_per_gpu);
    }
    let off = group.site.gpu.mean_w / single.site.gpu.mean_w - 1.0;
    assert!(off.abs() < 0.005, "{off}");
}
