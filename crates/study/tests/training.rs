//! Training at steps too long for its iterations: a result and a word of warning, never a refusal.

use std::path::Path;

use ballast_scenario::Patch;
use ballast_study::outcome::Outcome;
use ballast_study::{Inputs, Silent};

#[expect(clippy::unwrap_used, reason = "a test may stop at once")]
fn outcome(file: &str, patches: &[(&str, &str)]) -> Outcome {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(file);
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

fn said<'a>(outcome: &'a Outcome, code: &str) -> Vec<&'a str> {
    let told = outcome.diagnostics.iter().filter(|d| d.code == code);
    told.map(|d| d.text.as_str()).collect()
}

#[test]
fn a_long_step_gives_means_and_says_so() {
    let coarse = outcome("tests/corpus/valid/training.toml", &[]);
    let told = said(&coarse, "coarse-training");
    // Iterations of 2 s at 1 s in whole; those of 30 s have two levels of 3.5 s and more and are seen.
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("job pipelined") && told[0].contains("are not seen"));
    // The planned crash, those drawn, and what they cost.
    let crashes: Vec<_> = coarse.events.iter().filter(|e| e.kind == "crash").collect();
    assert!(crashes.iter().any(|e| e.at_s == 1000.0));
    assert!(crashes.iter().all(|e| e.text.contains("to be repeated")));
    let low: Vec<_> = coarse
        .low_confidence
        .iter()
        .map(|l| l.path.as_str())
        .collect();
    assert!(low.iter().all(|p| !p.contains("forward_share")));
}

#[test]
fn a_day_of_training_at_one_second() {
    let day = outcome(
        "tests/corpus/valid/training.toml",
        &[("simulation.duration_s", "86400")],
    );
    let restarts = day.events.iter().filter(|e| e.kind == "restart").count();
    // A mean of 20 000 s between crashes: 4.3 in a day, none in e^−4.3 = 1.4 % of them; and one is planned.
    assert!(restarts >= 2, "{restarts}");
}

#[test]
fn a_step_that_blurs_only_the_shortest_waits_says_so_too() {
    let pipeline = outcome(
        "examples/training-pipeline.toml",
        &[
            ("simulation.step_s", "0.1"),
            ("simulation.duration_s", "60"),
        ],
    );
    let told = said(&pipeline, "coarse-training");
    assert!(
        told.len() == 1 && told[0].contains("averaged with their neighbours"),
        "{told:?}"
    );
    let low = &pipeline.low_confidence;
    assert!(low.iter().any(|l| l.path == "jobs.llm.shape.forward_share"));
    let fine = outcome(
        "examples/training-pipeline.toml",
        &[
            ("simulation.step_s", "0.01"),
            ("simulation.duration_s", "60"),
        ],
    );
    assert_eq!(said(&fine, "coarse-training"), [""; 0]);
    let (a, b) = (pipeline.site.gpu.mean_w, fine.site.gpu.mean_w);
    // A fluctuation of 3 % common to the job, of 0.7 s, drawn anew at another step: the means over 60 s differ by 0.7 %, taken four times.
    assert!((a / b - 1.0).abs() < 0.03, "{a} {b}");
}
