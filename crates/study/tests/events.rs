//! Steps that would not show what an event does, and what is said of jobs that events end.

#![expect(clippy::panic, reason = "helpers of tests")]

use std::path::Path;

use ballast_scenario::{Loaded, load_str};
use ballast_study::{Inputs, Silent};

fn loaded(step_s: f64, duration_s: f64, more: &str) -> Loaded {
    let text = format!(
        "[scenario]\nname = \"a\"\n[simulation]\nduration_s = {duration_s}\nstep_s = {step_s}\n[[racks]]\nname = \"hall\"\ncount = 2\npreset = \"hgx-h100-4\"\n{more}"
    );
    load_str("test.toml", &text, Path::new("."), &[]).unwrap_or_else(|e| panic!("{e}"))
}

const TRANSFER: &str = "[[events]]\nkind = \"transfer\"\nat_s = 100\nracks = [\"hall\"]\ndirection = \"there_and_back\"\nbattery_s = 7\nwalk_in_s = 0\n";
const LOSS: &str = "[[events]]\nkind = \"rack_loss\"\nat_s = 300\nracks = [\"hall-001\"]\nrestore_after_s = 12\nboot_s = 300\n";

#[test]
fn a_step_that_misses_an_event_is_refused() {
    let both = format!("{TRANSFER}{LOSS}");
    for zoom in ["", "[zoom]\nstep_s = 0.1\nwindow_s = 20\n"] {
        let problems = ballast_study::check(
            &loaded(10.0, 1000.0, &format!("{both}{zoom}")),
            &Inputs::default(),
        );
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems.iter().all(|p| p.path == "simulation.step_s"));
        assert!(problems[0].message.contains("time on battery of events.0"));
        assert_eq!(problems[0].help, "a step of 3.5 s or less");
        assert!(problems[1].message.contains("events.1"));
        assert_eq!(problems[1].help, "a step of 6 s or less");
    }
    assert!(ballast_study::check(&loaded(3.5, 1050.0, &both), &Inputs::default()).is_empty());
    // An event that the run does not reach is none of its concern.
    assert!(ballast_study::check(&loaded(10.0, 90.0, &both), &Inputs::default()).is_empty());
}

fn said(loaded: &Loaded, code: &str) -> Vec<String> {
    let outcome = ballast_study::run(loaded, &Inputs::default(), None, &Silent)
        .unwrap_or_else(|e| panic!("{e}"));
    let told = outcome.diagnostics.into_iter().filter(|d| d.code == code);
    told.map(|d| d.text).collect()
}

const TRAINING: &str = "[[jobs]]\nkind = \"training\"\nname = \"t\"\nstart_s = -100\niteration_s = 2\ncompute_share = 0.77\n";

#[test]
fn means_that_depend_on_the_step_are_said() {
    let of = |step_s| said(&loaded(step_s, 20.0, TRAINING), "edges-between-samples");
    let coarse = of(0.2);
    assert!(
        coarse.len() == 1 && coarse[0].contains("job t"),
        "{coarse:?}"
    );
    assert!(of(0.001).is_empty());
}

#[test]
fn training_that_does_not_come_back_is_said() {
    let of = |job: &str| loaded(1.0, 1000.0, &format!("{job}{LOSS}")).warnings;
    let told = of(TRAINING);
    assert!(
        told.len() == 1 && told[0].key == "events.0.restore_after_s",
        "{told:?}"
    );
    assert!(of(&format!("{TRAINING}restart_after_s = 10\n")).is_empty());
}
