//! Storage in racks from end to end: what it does, what it costs, and what is missing where it cannot do it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::path::Path;

use ballast_scenario::load_str;
use ballast_series::{SinkError, TraceBlock, TraceSink};
use ballast_study::outcome::Outcome;
use ballast_study::{Inputs, Silent};

/// Four GB300 racks that train in iterations of `iteration_s`, with `lines` for their storage.
fn scenario(iteration_s: f64, lines: &str) -> String {
    format!(
        r#"[scenario]
name = "storage"
[simulation]
duration_s = 30
step_s = 0.002
[[racks]]
name = "r"
count = 4
preset = "gb300-nvl72"
{lines}
[[jobs]]
kind = "training"
name = "t"
racks = ["r"]
start_s = -100
iteration_s = {iteration_s}
compute_share = 0.6
"#
    )
}

fn run(text: &str) -> Outcome {
    let loaded = load_str("s.toml", text, Path::new("."), &[]).unwrap_or_else(|p| panic!("{p}"));
    ballast_study::run(&loaded, &Inputs::default(), None, &Silent).unwrap()
}

fn outcome(iteration_s: f64, lines: &str) -> Outcome {
    run(&scenario(iteration_s, lines))
}

const SHELF: &str = "[racks.storage]\npreset = \"gb300-shelf\"";

/// The vendor's "up to 30 %" (NVIDIA, July 2025), with a waveform that is assumed: iterations of a quarter of a second, 60 % of them computing, every GPU in step.
///
/// Fixed beforehand: 65 J per GPU, the preset's controller. What is shown is that a rack's storage takes a part of the peak of a fast swing, never more than
/// the swing's upper half, and nothing of a slow one.
#[test]
fn a_shelf_takes_from_the_peak_of_fast_swings() {
    let fast = outcome(0.25, SHELF);
    let k = &fast.storage[0];
    assert_eq!((k.racks, k.energy_j), (4, 72.0 * 65.0));
    assert!(k.short_share < 0.01, "{k:?}");
    let dominant = k.dominant.unwrap();
    assert!((dominant.frequency_hz - 4.0).abs() < 0.05, "{dominant:?}");
    // The start aside (5 % of the time).
    let without = outcome(0.25, "");
    let reduction = 1.0 - fast.site.envelope.p95 / without.site.envelope.p95;
    assert!((0.09..=0.13).contains(&reduction), "{reduction}");
    assert!(fast.diagnostics.iter().all(|d| d.code != "storage-short"));
}

/// 65 J per GPU do not reach over long periods, and the run says what is missing.
#[test]
fn long_periods_say_what_is_missing() {
    for iteration_s in [0.5, 1.0, 2.5] {
        let o = outcome(iteration_s, SHELF);
        let k = &o.storage[0];
        assert!(k.needed_window_j > 2.0 * k.window_j, "{k:?}");
        assert!(k.short_share > 0.1);
        let dominant = k.dominant.unwrap();
        assert!((dominant.frequency_hz * iteration_s - 1.0).abs() < 0.05);
        let d = o
            .diagnostics
            .iter()
            .find(|d| d.code == "storage-short")
            .unwrap();
        let missing = format!("{:.0} J are missing", k.needed_window_j - k.window_j);
        assert!(d.text.contains(&missing), "{}", d.text);
        // A full or an empty store is no store: nothing is gained, and what recharging adds stays small.
        assert!(k.peak_with_w < 1.02 * k.peak_without_w, "{k:?}");
    }
    // A larger store with the same controller does it.
    let large = outcome(0.5, &format!("{SHELF}\ncount = 24"));
    assert!(large.storage[0].short_share < 0.01);
    assert!(large.storage[0].peak_with_w < large.storage[0].peak_without_w);
}

/// The books close in the outcome, and the energy spent is what the site draws more.
#[test]
fn energy_at_the_bus_is_what_is_lost_and_stored_more() {
    let (with, without) = (outcome(0.25, SHELF), outcome(0.25, ""));
    let k = &with.storage[0];
    let imbalance_j = k.in_j - k.out_j - k.lost_j - k.stored_change_j;
    assert!(imbalance_j.abs() < 1e-9 * k.in_j, "{imbalance_j}");
    let more_j = with.site.energy_j - without.site.energy_j;
    // Energies at the bus are straight lines between samples, those of the store hold over a step: half a step at either end.
    let ends_j = 0.002 * f64::from(k.racks) * (k.charge_peak_w + k.discharge_peak_w);
    assert!(
        (more_j - k.lost_j - k.stored_change_j).abs() < ends_j,
        "{more_j}"
    );
    let overhead = k.lost_j / without.site.energy_j;
    assert!(
        (k.overhead_share / overhead - 1.0).abs() < 0.01,
        "{overhead}"
    );
    assert!(without.storage.is_empty());
    let holdup = &without.holdup[0];
    assert!(holdup.given_j > 0.0 && holdup.given_j <= holdup.window_j);
    // Estimates are told.
    let path = "racks.r.storage.time_constant_s";
    assert!(with.low_confidence.iter().any(|l| l.path == path));
    assert!(
        with.assumptions
            .iter()
            .any(|a| a.contains("storage in racks"))
    );
}

/// Several realisations: means of energies, extremes of charge.
#[test]
fn realisations_are_merged() {
    let one = outcome(0.25, SHELF);
    let text = "[[racks]]\nname = \"x\"\ncount = 1\npreset = \"gb300-nvl72\"\n";
    let two = run(&format!("{}\n{text}", scenario(0.25, SHELF))
        .replace("step_s = 0.002", "step_s = 0.002\nrealisations = 2"));
    let (a, b) = (&one.storage[0], &two.storage[0]);
    // The first realisation is that run; the second differs by its fluctuations.
    assert_eq!(two.storage.len(), 1);
    assert!(
        (a.in_j / b.in_j - 1.0).abs() < 0.01,
        "{} {}",
        a.in_j,
        b.in_j
    );
    assert!(b.charge_min_share <= a.charge_min_share && b.charge_max_share >= a.charge_max_share);
    assert!((a.full_cycles_per_hour / b.full_cycles_per_hour - 1.0).abs() < 0.01);
    assert!((b.in_j - b.out_j - b.lost_j - b.stored_change_j).abs() < 1e-9 * b.in_j);
    assert_eq!(b.full_cycles_per_day, 24.0 * b.full_cycles_per_hour);
    assert_eq!(two.holdup.len(), 2);
}

/// The charge is a trace, on any number of threads the same.
#[test]
fn the_charge_is_traced() {
    struct Sink(Vec<f64>);
    impl TraceSink for Sink {
        fn block(&mut self, block: &TraceBlock<'_>) -> Result<(), SinkError> {
            let column = block
                .columns
                .iter()
                .find(|c| c.name == "soc_share_r")
                .unwrap();
            self.0.extend_from_slice(column.values);
            Ok(())
        }
    }
    let loaded = load_str("s.toml", &scenario(1.0, SHELF), Path::new("."), &[]).unwrap();
    let names = ballast_study::trace_columns(&loaded.scenario);
    assert!(
        names
            .iter()
            .any(|c| c.name == "soc_share_r" && c.unit == "1")
    );
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let mut sink = Sink(Vec::new());
        let o = pool.install(|| {
            ballast_study::run(&loaded, &Inputs::default(), Some(&mut sink), &Silent).unwrap()
        });
        (sink.0, serde_json::to_string(&o).unwrap())
    };
    let (one, two) = (run(1), run(2));
    assert_eq!(one, two);
    assert_eq!(one.0.len(), 15001);
    assert!(one.0.iter().all(|s| (0.0..=1.0).contains(s)) && one.0[0] > 0.4);
}

#[test]
fn the_curves_of_storage_are_bounded_and_add_up() {
    let two =
        format!("{SHELF}\n[[racks]]\nname = \"q\"\ncount = 1\npreset = \"gb300-nvl72\"\n{SHELF}");
    let text = scenario(0.25, &two).replace("racks = [\"r\"]", "racks = [\"r\", \"q\"]");
    let battery = "[[bess]]\nname = \"b\"\nenergy_kwh = 2\npower_kw = 200\ntime_constant_s = 1\n";
    let with = run(&format!("{text}{battery}"));
    let curves = with.storage_curves.as_ref().unwrap();
    let (racks, battery) = (curves.racks.as_ref().unwrap(), &curves.bess[0]);
    assert!(curves.worst_group.is_some() && battery.name == "b" && curves.bess_left_out == 0);
    let levels = |p: &ballast_series::Pyramid| p.levels[0].clone();
    let finest = |p: &ballast_series::Pyramid| {
        let level = levels(p);
        assert!(level.mean.len() <= 1100, "{}", level.mean.len());
        level
    };
    let mean =
        |level: ballast_series::Level| level.mean.iter().sum::<f64>() / level.mean.len() as f64;
    // What the supply sees is the load and what the stores take; means of buckets, of which the last may be shorter.
    let sum = mean(finest(&curves.before_w))
        + mean(finest(&racks.power_w))
        + mean(finest(&battery.power_w));
    assert!(
        (sum / mean(levels(&with.site.pyramid)) - 1.0).abs() < 2e-3,
        "{sum}"
    );
    let lowest = |p: &ballast_series::Pyramid| finest(p).min.iter().copied().fold(1.0, f64::min);
    let b = &with.bess[0];
    assert!((lowest(&battery.charge_share) - b.charge_min_share).abs() < 1e-3);
    let worst = curves.worst_group.as_ref().unwrap();
    assert!(lowest(&worst.charge_share) <= lowest(&racks.charge_share) + 1e-12);
    // Without any, nothing is told.
    assert!(outcome(0.25, "").storage_curves.is_none());
}
