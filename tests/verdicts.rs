//! What a verdict may and may not say.

#![expect(clippy::panic, reason = "helpers of tests")]

use std::path::Path;

use ballast_scenario::load_str;
use ballast_study::outcome::{Outcome, Status, Verdict};
use ballast_study::{Inputs, Silent};

fn run(text: &str) -> Outcome {
    let loaded = load_str("test.toml", text, Path::new("."), &[]).unwrap_or_else(|e| panic!("{e}"));
    ballast_study::run(&loaded, &Inputs::default(), None, &Silent).unwrap_or_else(|e| panic!("{e}"))
}

fn verdict<'a>(outcome: &'a Outcome, limit: &str) -> &'a Verdict {
    outcome
        .verdicts
        .iter()
        .find(|v| v.limit == limit)
        .unwrap_or_else(|| panic!("no verdict on {limit}"))
}

fn block(power_kw: f64, rest: &str) -> String {
    format!(
        "[scenario]\nname = \"b\"\n[simulation]\nduration_s = 10\n[[loads]]\nkind = \"steps\"\nname = \"block\"\ninitial_kw = 200\n\
         events = [{{ at_s = 5.0005, power_kw = {power_kw} }}]\n[[plant.sets]]\npreset = \"generic-diesel-1000kw\"\nname = \"G\"\n{rest}"
    )
}

/// A bus that collapsed passes nothing: what had not broken by then is unknown, and a recovery never came.
#[test]
fn a_collapse_lets_nothing_pass() {
    let outcome = run(&block(
        3000.0,
        "[limits]\nfrequency_min_hz = 57\nfrequency_max_hz = 61\nrecovery_s = 2\nrecovery_band_hz = 1\n\
         site_peak_kw = 9000\nsite_peak_quantile = 1.0\n",
    ));
    assert_eq!(outcome.overall, Status::Fail);
    assert_eq!(verdict(&outcome, "bus_collapse").status, Status::Fail);
    assert_eq!(verdict(&outcome, "frequency_min_hz").status, Status::Fail);
    assert_eq!(
        verdict(&outcome, "frequency_min_hz").worst_value,
        Some(30.0)
    );
    assert_eq!(verdict(&outcome, "recovery_s").status, Status::Fail);
    assert_eq!(
        verdict(&outcome, "frequency_max_hz").status,
        Status::NotChecked
    );
    assert_eq!(verdict(&outcome, "site_peak_kw").status, Status::NotChecked);
    assert!(outcome.verdicts.iter().all(|v| v.status != Status::Pass));
    assert!(outcome.plant.is_some());
}

/// A load above the rating for most of the run has no operating point, but the plant's figures are there.
#[test]
fn a_mean_load_above_the_rating_keeps_the_plants_figures() {
    let outcome = run(&block(1050.0, "[limits]\nfrequency_min_hz = 50\n").replace("5.0005", "0.1"));
    let plant = outcome.plant.expect("there is a plant");
    assert!(plant.gain.peak_gain_hz_per_mw > 0.0);
}

/// Energy is the integral of the power, jumps between samples included.
#[test]
fn energy_is_the_integral() {
    let outcome = run(&block(600.0, ""));
    let exact_j = 200e3 * 5.0005 + 600e3 * 4.9995;
    assert!(
        (outcome.site.energy_j / exact_j - 1.0).abs() < 1e-12,
        "{}",
        outcome.site.energy_j
    );
}

/// A limit that was given and not looked at says that it was given.
#[test]
fn a_limit_without_a_plant_is_not_forgotten() {
    let outcome = run(
        "[scenario]\nname = \"x\"\n[[loads]]\nkind = \"steps\"\nname = \"l\"\ninitial_kw = 200\n[limits]\nfrequency_min_hz = 59\nrack_peak_kw = 10\n",
    );
    for (limit, value) in [("frequency_min_hz", 59.0), ("rack_peak_kw", 10.0)] {
        let v = verdict(&outcome, limit);
        assert_eq!((v.status, v.limit_value), (Status::NotChecked, Some(value)));
    }
}

/// A realisation that is too short for its quantile is inconclusive; a load without randomness is not.
#[test]
fn quantiles_need_time() {
    let racks = "[[racks]]\nname = \"a\"\ncount = 4\nnode = \"hgx-h100\"\nnodes_per_rack = 4\n[[jobs]]\nkind = \"batch\"\nname = \"s\"\nstart_s = -1000\n";
    let text = |duration_s: f64, limit_kw: f64| {
        format!(
            "[scenario]\nname = \"q\"\n[simulation]\nduration_s = {duration_s}\nstep_s = 0.05\n{racks}[limits]\nsite_peak_kw = {limit_kw}\nsite_peak_quantile = 0.99\n"
        )
    };
    let short = run(&text(5.0, 200.0));
    assert_eq!(verdict(&short, "site_peak_kw").status, Status::Inconclusive);
    let long = run(&text(20_000.0, 200.0));
    assert_eq!(verdict(&long, "site_peak_kw").status, Status::Pass);
    let low = run(&text(20_000.0, 90.0));
    assert_eq!(verdict(&low, "site_peak_kw").status, Status::Fail);
    let still = run(&block(
        600.0,
        "[limits]\nsite_peak_kw = 600\nsite_peak_quantile = 0.9\n",
    ));
    assert_eq!(
        verdict(&still, "site_peak_kw").status,
        Status::Pass,
        "{:?}",
        verdict(&still, "site_peak_kw")
    );
}

/// Crossing the band twice a cycle is not recovering; a run that ends outside is inconclusive.
#[test]
fn recovery_is_coming_back_to_stay() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/training-resonance.toml");
    let narrow: ballast_scenario::Patch = "limits.recovery_band_hz=0.3"
        .parse()
        .unwrap_or_else(|e| panic!("{e}"));
    let loaded = ballast_scenario::load(&path, &[narrow]).unwrap_or_else(|e| panic!("{e}"));
    let outcome = ballast_study::run(&loaded, &Inputs::default(), None, &Silent)
        .unwrap_or_else(|e| panic!("{e}"));
    let v = verdict(&outcome, "recovery_s");
    assert_eq!(v.status, Status::Fail);
    assert!(
        v.worst_value.is_some_and(|s| s > 55.0),
        "{:?}",
        v.worst_value
    );
    let text = block(700.0, "[limits]\nrecovery_s = 5\nrecovery_band_hz = 0.2\n")
        .replace("duration_s = 10", "duration_s = 5.2");
    assert_eq!(
        verdict(&run(&text), "recovery_s").status,
        Status::Inconclusive
    );
}

/// A step that would not see the load is refused rather than passed.
#[test]
fn a_step_that_misses_the_load_is_refused() {
    let refused = |text: &str| {
        let loaded =
            load_str("test.toml", text, Path::new("."), &[]).unwrap_or_else(|e| panic!("{e}"));
        let problems = ballast_study::check(&loaded, &Inputs::default());
        assert!(
            problems.iter().any(|p| p.path == "simulation.step_s"),
            "{problems:?}"
        );
    };
    refused(
        "[scenario]\nname = \"p\"\n[simulation]\nduration_s = 4\n[[loads]]\nkind = \"steps\"\nname = \"l\"\ninitial_kw = 300\n\
         events = [{ at_s = 1.0002, power_kw = 900 }, { at_s = 1.0008, power_kw = 300 }]\n",
    );
}

/// Iterations that the step cannot carry are taken at their mean, and the result says so.
#[test]
fn a_step_that_misses_iterations_says_so() {
    let outcome = run(
        "[scenario]\nname = \"p\"\n[simulation]\nduration_s = 20\nstep_s = 0.5\n[[racks]]\nname = \"a\"\ncount = 1\nnode = \"hgx-h100\"\nnodes_per_rack = 1\n\
         [[jobs]]\nkind = \"training\"\nname = \"t\"\niteration_s = 1.0\ncompute_share = 0.9\n",
    );
    let codes: Vec<_> = outcome.diagnostics.iter().map(|d| &d.code).collect();
    assert!(codes.iter().any(|c| *c == "coarse-training"), "{codes:?}");
}
