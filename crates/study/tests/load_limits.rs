//! Limits on the load itself, each against a load whose figures are known beforehand.

#![expect(clippy::panic, reason = "helpers of tests")]

use std::fmt::Write as _;
use std::path::Path;

use ballast_scenario::load_str;
use ballast_study::outcome::{Outcome, Status, Verdict};
use ballast_study::{Inputs, Silent};

/// A square wave between 10 and 16 MW of the given period, for `duration_s`, with its limits.
fn square(period_s: f64, duration_s: f64, step_s: f64, limits: &str) -> Outcome {
    let mut text = format!(
        "[scenario]\nname = \"x\"\n[simulation]\nduration_s = {duration_s}\nstep_s = {step_s}\n[limits.load]\n{limits}\n[[loads]]\nkind = \"steps\"\nname = \"a\"\ninitial_kw = 10000\n"
    );
    let (mut at_s, mut high) = (0.5 * period_s, true);
    while at_s < duration_s {
        let kw = if high { 16_000 } else { 10_000 };
        write!(text, "[[loads.events]]\nat_s = {at_s}\npower_kw = {kw}\n").unwrap_or_default();
        (at_s, high) = (at_s + 0.5 * period_s, !high);
    }
    run(&text)
}

fn run(text: &str) -> Outcome {
    let loaded = load_str("test.toml", text, Path::new("."), &[]).unwrap_or_else(|e| panic!("{e}"));
    ballast_study::run(&loaded, &Inputs::default(), None, &Silent).unwrap_or_else(|e| panic!("{e}"))
}

fn verdict<'a>(outcome: &'a Outcome, limit: &str) -> &'a Verdict {
    let found = outcome.verdicts.iter().find(|v| v.limit == limit);
    found.unwrap_or_else(|| panic!("no verdict on {limit}"))
}

#[test]
fn ramps_changes_and_range_of_a_square_wave() {
    let outcome = square(
        4.0,
        60.0,
        0.01,
        "ramp_up_mw_per_s = 2.9\nramp_down_mw_per_s = 3.1\nramp_window_s = 2\nchange_mw = 6.1\nchange_window_s = 1\nrange_share = 0.37",
    );
    let worst = |limit: &str| verdict(&outcome, limit).worst_value.unwrap_or(f64::NAN);
    // 6 MW within 2 s: 3 MW/s. The range is 6 of 16 MW.
    assert!((worst("load.ramp_up_mw_per_s") - 3.0).abs() < 1e-9);
    assert_eq!(
        verdict(&outcome, "load.ramp_up_mw_per_s").status,
        Status::Fail
    );
    assert_eq!(
        verdict(&outcome, "load.ramp_down_mw_per_s").status,
        Status::Pass
    );
    assert!((worst("load.change_mw") - 6.0).abs() < 1e-9);
    assert_eq!(verdict(&outcome, "load.change_mw").status, Status::Pass);
    assert!((worst("load.range_share") - 0.375).abs() < 1e-9);
    assert_eq!(verdict(&outcome, "load.range_share").status, Status::Fail);
    assert!(verdict(&outcome, "load.change_mw").metered.is_some());
}

#[test]
fn a_range_within_a_window_leaves_out_what_is_further_apart() {
    // A slow square wave has its edges 20 s apart, so that any 5 s hold at most one of them: 6 of 16 MW all the same.
    let within = square(40.0, 100.0, 0.01, "range_share = 0.3\nrange_window_s = 5");
    assert!(
        (verdict(&within, "load.range_share")
            .worst_value
            .unwrap_or(0.0)
            - 0.375)
            .abs()
            < 1e-9
    );
    // A ramp of 100 s changes by a twentieth of its range in 5 s.
    let text = "[scenario]\nname = \"x\"\n[simulation]\nduration_s = 100\nstep_s = 0.1\n[limits.load]\nrange_share = 0.1\nrange_window_s = 5\n[[loads]]\nkind = \"steps\"\nname = \"a\"\ninitial_kw = 1000\n";
    let mut text = text.to_owned();
    for k in 1..1000 {
        let (at_s, kw) = (0.1 * f64::from(k), 1000 + k);
        write!(text, "[[loads.events]]\nat_s = {at_s}\npower_kw = {kw}\n").unwrap_or_default();
    }
    let outcome = run(&text);
    let v = verdict(&outcome, "load.range_share");
    assert!(
        (v.worst_value.unwrap_or(0.0) - 50.0 / 1999.0).abs() < 2e-3,
        "{v:?}"
    );
    assert_eq!(v.status, Status::Pass);
}

#[test]
fn the_band_takes_the_energy_of_a_square_wave_and_forgives_a_small_one() {
    // A square wave of ±3 MW: 3 MW rms, all of it at 1 Hz and its odd harmonics, of which 8/π² at 1 Hz.
    let limits = "band_share = 0.2\nband_min_rms_mw = 1";
    let outcome = square(1.0, 120.0, 0.005, limits);
    let v = verdict(&outcome, "load.band_share");
    assert_eq!(v.status, Status::Fail, "{v:?}");
    let band = outcome
        .site
        .band
        .as_ref()
        .unwrap_or_else(|| panic!("no band"));
    assert!((band.rms_w / 3e6 - 1.0).abs() < 0.02, "{band:?}");
    // Harmonics up to 19 Hz lie in the band: 8/π²·Σ 1/k² over odd k to 19.
    let share: f64 = (0..10)
        .map(|k| 1.0 / f64::from((2 * k + 1) * (2 * k + 1)))
        .sum::<f64>()
        * 8.0
        / std::f64::consts::PI.powi(2);
    assert!((band.share - share).abs() < 5e-3, "{} {share}", band.share);
    let forgiven = square(1.0, 120.0, 0.005, "band_share = 0.2\nband_min_rms_mw = 4");
    assert_eq!(verdict(&forgiven, "load.band_share").status, Status::Pass);
    // The fundamental alone.
    let narrow = square(
        1.0,
        120.0,
        0.005,
        "band_share = 0.2\nband_min_rms_mw = 1\nband_low_hz = 2.5\nband_high_hz = 20",
    );
    let share = verdict(&narrow, "load.band_share")
        .worst_value
        .unwrap_or(1.0);
    assert!((0.08..0.2).contains(&share), "{share}");
    assert_eq!(verdict(&narrow, "load.band_share").status, Status::Pass);
}

#[test]
fn a_band_beyond_the_samples_is_not_passed() {
    let outcome = square(40.0, 200.0, 0.1, "band_share = 0.99\nband_min_rms_mw = 100");
    let v = verdict(&outcome, "load.band_share");
    assert_eq!(v.status, Status::NotChecked, "{v:?}");
    assert!(v.basis.contains("band_high_hz"), "{}", v.basis);
}

#[test]
fn flicker_behind_a_short_circuit_power_is_that_of_the_voltage_drop() {
    // 39 changes a minute of 0.894 % have a severity of 1 for the 230 V lamp: 6 MW behind a purely resistive 6 / 0.00894 MVA.
    let limits = |mva: f64| {
        format!(
            "flicker_pst = 1.06\nflicker_short_circuit_mva = {mva}\nflicker_x_over_r = 0\nflicker_lamp = \"230V\""
        )
    };
    let half_s = 60.0 / 39.0;
    let outcome = square(2.0 * half_s, 600.0, 0.01, &limits(6.0 / 0.00894));
    let v = verdict(&outcome, "load.flicker_pst");
    assert!((v.worst_value.unwrap_or(0.0) - 1.0).abs() < 0.05, "{v:?}");
    assert_eq!(v.status, Status::Pass);
    let weaker = square(2.0 * half_s, 600.0, 0.01, &limits(3.0 / 0.00894));
    let v = verdict(&weaker, "load.flicker_pst");
    assert!((v.worst_value.unwrap_or(0.0) - 2.0).abs() < 0.1, "{v:?}");
    assert_eq!(v.status, Status::Fail);
}

#[test]
fn limits_that_were_not_given_have_no_row_and_the_band_is_told_all_the_same() {
    let outcome = square(1.0, 60.0, 0.01, "");
    assert!(
        !outcome
            .verdicts
            .iter()
            .any(|v| v.limit.starts_with("load."))
    );
    assert!(outcome.site.band.is_some());
}
