//! Batteries at the bus in a run: what they take and give is what the supply sees more and less.

#![expect(clippy::panic, reason = "helpers of tests")]

use std::fmt::Write as _;
use std::path::Path;

use ballast_scenario::load_str;
use ballast_study::outcome::{Outcome, Status};
use ballast_study::{Inputs, Silent};

/// Two sets under a square wave of 500 to 900 kW, 1 s, for 60 s.
const SETS: &str = "[[plant.sets]]\npreset = \"synthetic-tgov1-light\"\nname = \"G\"\ncount = 2\nrated_kw = 1000\nrated_kva = 1250\n[limits]\nfrequency_swing_hz = 2.0\n";

fn text(rest: &str, period_s: f64, step_s: f64) -> String {
    let mut text = format!(
        "[scenario]\nname = \"x\"\n[simulation]\nduration_s = 60\nstep_s = {step_s}\n[[loads]]\nkind = \"steps\"\nname = \"a\"\ninitial_kw = 500\n"
    );
    let (mut at_s, mut high) = (0.5 * period_s, true);
    while at_s < 60.0 {
        let kw = if high { 900 } else { 500 };
        write!(text, "[[loads.events]]\nat_s = {at_s}\npower_kw = {kw}\n").unwrap_or_default();
        (at_s, high) = (at_s + 0.5 * period_s, !high);
    }
    text + rest
}

fn run(text: &str) -> Outcome {
    let loaded = load_str("test.toml", text, Path::new("."), &[]).unwrap_or_else(|e| panic!("{e}"));
    ballast_study::run(&loaded, &Inputs::default(), None, &Silent).unwrap_or_else(|e| panic!("{e}"))
}

fn battery(energy_kwh: f64, power_kw: f64, rest: &str) -> String {
    format!(
        "[[bess]]\nname = \"b\"\nenergy_kwh = {energy_kwh}\npower_kw = {power_kw}\ntime_constant_s = 10\n{rest}\n"
    )
}

#[test]
fn what_the_supply_gives_is_the_load_and_what_the_battery_takes() {
    let alone = run(&text("", 1.0, 0.001));
    let with = run(&text(
        &battery(5.0, 500.0, "round_trip_efficiency = 0.8"),
        1.0,
        0.001,
    ));
    let b = &with.bess[0];
    let more_j = with.site.energy_j - alone.site.energy_j;
    // The books hold a power for a step, the bus joins them by lines: half a step of the battery's power, once.
    assert!(
        (more_j - (b.in_j - b.out_j)).abs() <= 0.001 * 400e3,
        "{more_j} {b:?}"
    );
    assert!(
        (b.in_j - b.out_j - b.lost_j - b.stored_j).abs() <= 1e-9 * b.in_j,
        "{b:?}"
    );
    assert!(b.lost_j > 0.0 && b.short_share == 0.0, "{b:?}");
    assert!((b.in_j * 0.8_f64.sqrt() - b.out_j / 0.8_f64.sqrt() - b.stored_j).abs() < 1.0);
}

#[test]
fn it_makes_a_load_acceptable_that_swings_the_sets() {
    let verdict = |o: &Outcome| {
        let found = o.verdicts.iter().find(|v| v.limit == "frequency_swing_hz");
        found.map_or_else(
            || panic!("no verdict"),
            |v| (v.status, v.worst_value.unwrap_or(0.0)),
        )
    };
    let alone = verdict(&run(&text(SETS, 1.0, 0.001)));
    let with = verdict(&run(&(text(
        &battery(5.0, 500.0, "response_s = 0.02"),
        1.0,
        0.001,
    ) + SETS)));
    assert_eq!(
        (alone.0, with.0),
        (Status::Fail, Status::Pass),
        "{alone:?} {with:?}"
    );
    // What is left is the droop, while the reference goes from the first load to the mean.
    assert!(with.1 < 0.4 * alone.1, "{alone:?} {with:?}");
}

#[test]
fn a_battery_without_energy_left_is_no_battery() {
    let alone = run(&text("", 4.0, 0.01));
    let tiny = run(&text(&battery(0.0001, 500.0, ""), 4.0, 0.01));
    let spread = |o: &Outcome| o.site.envelope.max - o.site.envelope.min;
    // 360 J against swings of 400 kJ: the taper lets go at once, and never adds a swing of its own.
    assert!(
        spread(&tiny) <= spread(&alone) * 1.001,
        "{} {}",
        spread(&tiny),
        spread(&alone)
    );
    assert!(spread(&tiny) > 0.99 * spread(&alone));
    assert!(
        tiny.diagnostics.iter().any(|d| d.code == "battery-short"),
        "{:?}",
        tiny.diagnostics
    );
}

#[test]
fn a_second_battery_smooths_what_the_first_leaves() {
    let fast = "[[bess]]\nname = \"fast\"\nenergy_kwh = 1\npower_kw = 500\ntime_constant_s = 1\nresponse_s = 0\n";
    let slow = "[[bess]]\nname = \"slow\"\nenergy_kwh = 50\npower_kw = 500\ntime_constant_s = 60\nresponse_s = 0\n";
    let swing = |rest: &str| {
        let o = run(&text(rest, 4.0, 0.01));
        o.site.envelope.std
    };
    let (none, one, both) = (swing(""), swing(fast), swing(&format!("{fast}{slow}")));
    assert!(one < 0.6 * none && both < 0.5 * one, "{none} {one} {both}");
}
