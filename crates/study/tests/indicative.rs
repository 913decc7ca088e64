//! Verdicts that rest on weak constants, end to end.

#![expect(clippy::panic, reason = "helpers of tests")]

use std::path::Path;

use ballast_scenario::{Patch, load_str};
use ballast_study::outcome::{Indicative, Outcome, Ranges, Status, Verdict};
use ballast_study::{Inputs, Silent};

fn run(text: &str) -> Outcome {
    run_with(text, &[])
}

fn run_with(text: &str, changes: &[&str]) -> Outcome {
    let patches: Vec<Patch> = changes
        .iter()
        .map(|c| c.parse().unwrap_or_else(|e| panic!("{e}")))
        .collect();
    let loaded =
        load_str("test.toml", text, Path::new("."), &patches).unwrap_or_else(|e| panic!("{e}"));
    ballast_study::run(&loaded, &Inputs::default(), None, &Silent).unwrap_or_else(|e| panic!("{e}"))
}

fn verdict<'a>(outcome: &'a Outcome, limit: &str) -> &'a Verdict {
    outcome
        .verdicts
        .iter()
        .find(|v| v.limit == limit)
        .unwrap_or_else(|| panic!("no verdict on {limit}"))
}

fn mark<'a>(outcome: &'a Outcome, limit: &str) -> &'a Indicative {
    verdict(outcome, limit)
        .indicative
        .as_ref()
        .unwrap_or_else(|| panic!("{limit} is not marked"))
}

/// One set of known constants but for those in `provenance`, under a block that comes between two samples.
fn own_set(provenance: &str, rest: &str) -> String {
    format!(
        "[scenario]\nname = \"own\"\n[simulation]\nduration_s = 12\nstep_s = 0.002\n\
         [[loads]]\nkind = \"steps\"\nname = \"block\"\ninitial_kw = 300\nevents = [{{ at_s = 3.0005, power_kw = 600 }}]\n\
         [[plant.sets]]\nname = \"G\"\nrated_kw = 1000\nrated_kva = 1250\ninertia_s = 1.0\nfriction_pu = 0.1\n\
         governor = {{ model = \"pi\", kp_pu = 8, ki_per_s = 4, t_s = 0.1, dead_time_s = 0.02 }}\n\
         [plant.sets.turbo]\nenabled = false\n[plant.sets.provenance]\n{provenance}\n{rest}"
    )
}

fn weak(key: &str, low: f64, high: f64) -> String {
    format!(
        "{key} = {{ source = \"a guess\", grade = \"estimated\", confidence = \"low\", low = {low}, high = {high} }}\n"
    )
}

const LIMITS: &str = "[limits]\nfrequency_min_hz = 58\nfrequency_max_hz = 61\nfrequency_swing_hz = 3\nrocof_hz_per_s = 9\n\
                      recovery_s = 5\nrecovery_band_hz = 0.5\nset_power_max_share = 0.9\nsite_peak_kw = 900\nsite_peak_quantile = 1\n";

/// A corner is the run of the scenario with that value stated, to the last bit.
#[test]
fn a_corner_is_the_run_with_its_value() {
    let text = own_set(&weak("inertia_s", 0.5, 1.2), LIMITS);
    let outcome = run(&text);
    // Equal sets of a stated value and the known gains: nothing else changes.
    let low = run_with(&text, &["plant.sets.G.inertia_s=0.5"]);
    for limit in ["frequency_min_hz", "frequency_swing_hz", "rocof_hz_per_s"] {
        let found = mark(&outcome, limit);
        let stated = verdict(&low, limit);
        assert_eq!(found.worst_value, stated.worst_value, "{limit}");
        assert_eq!(found.worst_at_s, stated.at_s, "{limit}");
        assert_eq!(found.worst_corner.as_deref(), Some("inertia_s = 0.5 (low)"));
        assert_eq!((found.ranges, found.corners), (Ranges::WholeRun, 2));
        assert!(stated.indicative.is_none(), "its value was given");
    }
}

/// The verdict is that of the stated values; what a corner breaks is said beside it.
#[test]
fn a_pass_whose_corner_fails_stays_a_pass() {
    let text = own_set(&weak("inertia_s", 0.3, 1.2), LIMITS);
    let outcome = run(&text);
    assert_eq!(outcome.overall, Status::Pass, "{}", outcome.summary);
    let v = verdict(&outcome, "frequency_min_hz");
    let i = mark(&outcome, "frequency_min_hz");
    assert_eq!(v.status, Status::Pass);
    assert!(v.worst_value.unwrap() > 58.0 && i.worst_value.unwrap() < 58.0);
    assert_eq!(
        (i.worst_status, i.all_agree),
        (Some(Status::Fail), Some(false))
    );
    assert_eq!(i.rests_on, ["plant.sets.G.inertia_s"]);
    assert!(
        outcome.summary.contains("INDICATIVE"),
        "{}",
        outcome.summary
    );
    let c = &outcome.weak_constants[0];
    assert_eq!(
        (c.value, c.low, c.high, c.varied),
        (Some(1.0), Some(0.3), Some(1.2), true)
    );
    // What the load alone decides is not marked: one entry of sets carries it all.
    for limit in ["site_peak_kw", "set_power_max_share"] {
        let v = verdict(&outcome, limit);
        assert_eq!(
            (v.status, v.indicative.is_none()),
            (Status::Pass, true),
            "{limit}"
        );
    }
}

#[test]
fn constants_that_are_known_mark_nothing() {
    let measured = "inertia_s = { source = \"run-down test\", grade = \"measured\", confidence = \"high\", low = 0.3, high = 1.2 }\n";
    for provenance in ["", measured] {
        let outcome = run(&own_set(provenance, LIMITS));
        assert!(outcome.verdicts.iter().all(|v| v.indicative.is_none()));
        assert!(outcome.weak_constants.is_empty());
        assert!(!outcome.summary.contains("INDICATIVE"));
        assert!(
            outcome
                .assumptions
                .iter()
                .all(|a| !a.contains("INDICATIVE"))
        );
    }
}

#[test]
fn a_guess_without_a_range_is_marked_all_the_same() {
    let guess =
        "inertia_s = { source = \"a guess\", grade = \"estimated\", confidence = \"low\" }\n";
    let outcome = run(&own_set(guess, LIMITS));
    let i = mark(&outcome, "frequency_min_hz");
    assert_eq!((i.ranges, i.corners), (Ranges::NoneStated, 0));
    assert_eq!(
        (i.worst_value, i.worst_status, i.all_agree),
        (None, None, None)
    );
    assert!(!outcome.weak_constants[0].varied);
}

#[test]
fn off_marks_and_computes_nothing() {
    let rest = format!("{LIMITS}[outputs]\nrange_corners = \"off\"\n");
    let outcome = run(&own_set(&weak("inertia_s", 0.3, 1.2), &rest));
    let i = mark(&outcome, "frequency_min_hz");
    assert_eq!((i.ranges, i.worst_value), (Ranges::Off, None));
    assert!(i.text.contains("not computed"), "{}", i.text);
}

/// Whatever the load, the worst over the ranges is no better than what stands in the table.
#[test]
fn the_worst_is_never_better_than_the_verdict() {
    for (to_kw, at_s) in [(500, 1.0), (650, 3.0005), (120, 4.3333), (800, 2.7)] {
        let provenance = weak("inertia_s", 0.6, 1.4)
            + &weak("\"governor.dead_time_s\"", 0.01, 0.04)
            + &weak("\"governor.kp_pu\"", 6.0, 11.0);
        let text = own_set(&provenance, LIMITS).replace(
            "at_s = 3.0005, power_kw = 600",
            &format!("at_s = {at_s}, power_kw = {to_kw}"),
        );
        let outcome = run(&text);
        let mut seen = 0;
        for v in &outcome.verdicts {
            let (Some(i), Some(worst)) = (&v.indicative, v.worst_value) else {
                continue;
            };
            seen += 1;
            let over = i.worst_value.unwrap();
            let better = if v.limit == "frequency_min_hz" {
                over > worst
            } else {
                over < worst
            };
            assert!(!better, "{}: {over} against {worst}", v.limit);
            assert_eq!(i.holds_in + i.fails_in + i.unknown_in, i.corners);
        }
        assert!(seen >= 5, "{seen}");
    }
}

/// At the low corner of the governor's limit the engine cannot carry the load.
#[test]
fn a_corner_that_collapses_is_worst_and_said() {
    let provenance = weak("\"governor.max_pu\"", 0.4, 1.1);
    let outcome = run(&own_set(&provenance, LIMITS));
    assert_eq!(outcome.overall, Status::Pass, "{}", outcome.summary);
    let i = mark(&outcome, "bus_collapse");
    assert_eq!(
        (i.worst_status, i.all_agree),
        (Some(Status::Fail), Some(false))
    );
    assert_eq!(
        i.lost_corner.as_deref(),
        Some("governor.max_pu = 0.4 (low)")
    );
    assert!(i.lost.as_ref().unwrap().contains("collapses"));
    let low = mark(&outcome, "frequency_min_hz");
    assert_eq!(
        low.worst_value,
        Some(30.0),
        "half of nominal, where it ends"
    );
    assert!(low.lost.is_some());
    // Nor does what it had not broken by then hold there.
    assert!(mark(&outcome, "frequency_max_hz").fails_in > 0);
}

#[test]
fn a_corner_that_cannot_start_is_said() {
    let provenance = weak("\"governor.max_pu\"", 0.2, 1.1);
    let outcome = run(&own_set(&provenance, LIMITS));
    let i = mark(&outcome, "frequency_min_hz");
    assert!(
        i.lost.as_ref().unwrap().contains("cannot start"),
        "{:?}",
        i.lost
    );
    assert!(i.worst_value.is_some(), "the stated values have one");
}

/// What the stated values cannot carry a better corner may: up to the collapse nobody knows.
#[test]
fn a_collapse_at_the_stated_values_leaves_the_better_corner_open() {
    let provenance = weak("\"governor.max_pu\"", 0.4, 1.1);
    let text = own_set(&provenance, LIMITS)
        .replace("dead_time_s = 0.02", "dead_time_s = 0.02, max_pu = 0.4");
    let outcome = run(&text);
    assert_eq!(outcome.overall, Status::Fail);
    let i = mark(&outcome, "bus_collapse");
    assert_eq!((i.corners, i.unknown_in, i.all_agree), (1, 1, None));
    assert!(i.unknown.as_ref().unwrap().contains("collapse"));
}

fn preset(duration_s: f64, corners: &str) -> String {
    format!(
        "[scenario]\nname = \"p\"\n[simulation]\nduration_s = {duration_s}\nstep_s = 0.05\nseed = 5\n\
         [[racks]]\nname = \"a\"\ncount = 4\nnode = \"hgx-h100\"\nnodes_per_rack = 4\n\
         [[jobs]]\nkind = \"batch\"\nname = \"s\"\nstart_s = 5\n\
         [[loads]]\nkind = \"steps\"\nname = \"block\"\ninitial_kw = 200\n\
         events = [{{ at_s = {}, power_kw = 420 }}, {{ at_s = {}, power_kw = 300 }}]\n\
         [[plant.sets]]\npreset = \"generic-diesel-1000kw\"\nname = \"G\"\n\
         [limits]\nfrequency_min_hz = 57\nfrequency_max_hz = 63\nrocof_hz_per_s = 9\nvoltage_min_pu = 0.85\n\
         [outputs]\nrange_corners = \"{corners}\"\n",
        0.5 * duration_s + 0.012,
        0.8 * duration_s
    )
}

/// Around the worst moments a long run has the figures that it has when it is followed throughout.
#[test]
fn the_worst_moments_have_the_worst_of_the_whole_run() {
    let (windows, whole) = (run(&preset(400.0, "auto")), run(&preset(400.0, "full")));
    assert_eq!(
        mark(&windows, "rocof_hz_per_s").ranges,
        Ranges::WorstMoments
    );
    assert_eq!(mark(&whole, "rocof_hz_per_s").ranges, Ranges::WholeRun);
    for limit in [
        "frequency_min_hz",
        "frequency_max_hz",
        "rocof_hz_per_s",
        "voltage_min_pu",
    ] {
        let (a, b) = (mark(&windows, limit), mark(&whole, limit));
        assert_eq!(
            verdict(&windows, limit).worst_value,
            verdict(&whole, limit).worst_value
        );
        assert_eq!(a.fails_in, b.fails_in, "{limit}");
        let (x, y) = (a.worst_value.unwrap(), b.worst_value.unwrap());
        // They start in equilibrium half a minute before: turbo and governor have forgotten it.
        assert!((x / y - 1.0).abs() < 1e-4, "{limit}: {x} against {y}");
        assert!((a.worst_at_s.unwrap() - b.worst_at_s.unwrap()).abs() < 0.01);
    }
}

/// Droop sets keep the references of the run's start: amid the run they are off nominal by what the load is off then.
#[test]
fn droop_is_that_of_the_whole_run() {
    let text = |corners: &str| {
        let keys = [
            "inertia_s",
            "\"governor.t1_s\"",
            "\"governor.t3_s\"",
            "friction_pu",
        ];
        let provenance: String = keys
            .iter()
            .zip([(0.9, 1.4), (0.05, 0.11), (0.2, 0.31), (0.05, 0.15)])
            .map(|(key, (low, high))| weak(key, low, high))
            .collect();
        own_set(
            &provenance,
            &format!("{LIMITS}[outputs]\nrange_corners = \"{corners}\"\n"),
        )
        .replace(
            "{ model = \"pi\", kp_pu = 8, ki_per_s = 4, t_s = 0.1, dead_time_s = 0.02 }",
            "{ model = \"tgov1\", droop_pu = 0.04, t1_s = 0.1, t2_s = 0.0, t3_s = 0.3 }",
        )
        .replace(
            "duration_s = 12\nstep_s = 0.002",
            "duration_s = 700\nstep_s = 0.02",
        )
        .replace(
            "at_s = 3.0005, power_kw = 600",
            "at_s = 10, power_kw = 400 }, { at_s = 500.003, power_kw = 700",
        )
    };
    let (windows, whole) = (run(&text("auto")), run(&text("full")));
    assert_eq!(
        mark(&windows, "rocof_hz_per_s").ranges,
        Ranges::WorstMoments
    );
    for limit in ["frequency_min_hz", "rocof_hz_per_s"] {
        let (a, b) = (mark(&windows, limit), mark(&whole, limit));
        let (x, y) = (a.worst_value.unwrap(), b.worst_value.unwrap());
        assert!((x / y - 1.0).abs() < 1e-6, "{limit}: {x} against {y}");
    }
}

/// The voltage rests on alternator and exciter too; the frequency does not.
#[test]
fn voltage_rests_on_the_alternator() {
    let outcome = run(&preset(30.0, "auto"));
    let electrical = |i: &Indicative| i.rests_on.iter().any(|p| p.contains(".exciter."));
    assert!(electrical(mark(&outcome, "voltage_min_pu")));
    assert!(!electrical(mark(&outcome, "frequency_min_hz")));
    let xl = outcome
        .weak_constants
        .iter()
        .find(|w| w.key == "alternator.xl_pu")
        .unwrap();
    assert!(xl.low.is_some() && !xl.varied && xl.of_voltage);
}

/// The same bytes on any number of threads, followed whole or around the worst moments.
#[test]
fn threads_change_nothing() {
    for text in [
        preset(30.0, "auto"),
        preset(400.0, "auto").replace("seed = 5", "seed = 5\nrealisations = 3"),
    ] {
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let pool = pool.unwrap_or_else(|e| panic!("{e}"));
            let outcome = pool.install(|| run(&text));
            serde_json::to_string(&outcome.verdicts).unwrap()
        };
        assert_eq!(on(1), on(3));
    }
}

/// Both runs of a zoom have corners of their own.
#[test]
fn a_zoom_is_marked_in_both_runs() {
    let text = format!(
        "{}[zoom]\nwindow_s = 10\nstep_s = 0.01\nby = \"frequency\"\n",
        preset(60.0, "auto")
    );
    let outcome = run(&text);
    let zoom = outcome.zoom.as_ref().unwrap();
    for o in [&outcome, &zoom.outcome] {
        assert_eq!(mark(o, "frequency_min_hz").corners, 14);
    }
}

/// Two sets, one of which is lost or whose load is: a battery stands before them.
fn failing(provenance: &str, duration_s: u32, corners: &str) -> String {
    let rest = format!(
        "{LIMITS}survivor_power_max_share = 1.3\n[outputs]\nrange_corners = \"{corners}\"\n\
         [[bess]]\nname = \"b\"\nenergy_kwh = 2\npower_kw = 100\ntime_constant_s = 200\n\
         [[contingencies]]\nkind = \"set_trip\"\nat_s = {0}.9996\nafter_s = 6\n\
         [[contingencies]]\nkind = \"load_rejection\"\nshare = 0.5\nat_s = {0}.9996\nafter_s = 6\n",
        duration_s - 9
    );
    own_set(provenance, &rest)
        .replace("rated_kw = 1000", "count = 2\nrated_kw = 1000")
        .replace("duration_s = 12", &format!("duration_s = {duration_s}"))
}

fn of_failure<'a>(outcome: &'a Outcome, failure: usize, limit: &str) -> &'a Verdict {
    let found = &outcome.contingencies[failure].verdicts;
    found
        .iter()
        .find(|v| v.limit == limit)
        .unwrap_or_else(|| panic!("no verdict on {limit}"))
}

/// What a failure does at a corner is what it does with that value stated, to the last bit.
#[test]
fn a_failure_at_a_corner_is_the_run_with_its_value() {
    let text = failing(&weak("inertia_s", 0.5, 1.2), 16, "auto");
    let outcome = run(&text);
    let low = run_with(&text, &["plant.sets.G.inertia_s=0.5"]);
    for (failure, limits) in [
        (
            0,
            [
                "frequency_min_hz",
                "rocof_hz_per_s",
                "survivor_power_max_share",
            ]
            .as_slice(),
        ),
        (1, &["frequency_max_hz", "rocof_hz_per_s"]),
    ] {
        for limit in limits {
            let found = of_failure(&outcome, failure, limit);
            let at_corner = of_failure(&low, failure, limit);
            let i = found.indicative.as_ref().unwrap();
            assert_eq!((i.ranges, i.corners), (Ranges::WholeRun, 2), "{limit}");
            assert!(at_corner.indicative.is_none());
            if i.worst_corner.as_deref() == Some("inertia_s = 0.5 (low)") {
                assert_eq!(i.worst_value, at_corner.worst_value, "{limit}");
                assert_eq!(i.worst_at_s, at_corner.at_s, "{limit}");
            } else {
                assert_eq!(*limit, "survivor_power_max_share", "{:?}", i.worst_corner);
            }
        }
    }
    let said = &outcome.contingencies[0].assumptions;
    assert!(said.iter().any(|a| a.contains("struck too")), "{said:?}");
}

/// In a run that is long the plants are led in to the failure: the same but for what they forget on the way.
#[test]
fn a_failure_late_in_a_long_run_has_its_corners_too() {
    let provenance = weak("inertia_s", 0.5, 1.2)
        + &weak("\"governor.dead_time_s\"", 0.01, 0.04)
        + &weak("\"governor.kp_pu\"", 6.0, 11.0)
        + &weak("friction_pu", 0.05, 0.15);
    let of = |corners: &str| run(&failing(&provenance, 600, corners));
    let (led, whole) = (of("auto"), of("full"));
    for (failure, limit) in [(0, "frequency_min_hz"), (1, "frequency_max_hz")] {
        let mark = |o: &Outcome| of_failure(o, failure, limit).indicative.clone().unwrap();
        let (a, b) = (mark(&led), mark(&whole));
        assert_eq!(
            (a.ranges, b.ranges),
            (Ranges::Stretch, Ranges::WholeRun),
            "{limit}"
        );
        let (x, y) = (a.worst_value.unwrap(), b.worst_value.unwrap());
        assert!((x / y - 1.0).abs() < 1e-5, "{limit}: {x} against {y}");
        assert_eq!(a.worst_corner, b.worst_corner);
    }
}

/// Without a stated time every verdict is of all moments tried, and so is what the corners say.
#[test]
fn corners_are_looked_at_at_every_moment_tried() {
    let text = failing(&weak("inertia_s", 0.5, 1.2), 16, "auto").replace("at_s = 7.9996\n", "");
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap_or_else(|e| panic!("{e}"))
            .install(|| run(&text))
    };
    let outcome = on(1);
    assert!(outcome.contingencies[0].tried.len() > 1);
    for (failure, limit) in [(0, "frequency_min_hz"), (1, "frequency_max_hz")] {
        let v = of_failure(&outcome, failure, limit);
        let i = v.indicative.as_ref().unwrap();
        assert_eq!(i.holds_in + i.fails_in + i.unknown_in, 2);
        let farther = (i.worst_value.unwrap() - 60.0).abs() - (v.worst_value.unwrap() - 60.0).abs();
        assert!(farther > 0.0, "{limit}");
    }
    let said = |o: &Outcome| serde_json::to_string(&o.contingencies).unwrap();
    assert_eq!(said(&outcome), said(&on(3)));
}

/// Around the worst moments the batteries are as they are in the run by then, wherever blocks end.
#[test]
fn batteries_amid_a_run_are_those_of_the_run() {
    let text = |corners: &str| {
        let provenance = weak("inertia_s", 0.9, 1.4)
            + &weak("\"governor.dead_time_s\"", 0.01, 0.03)
            + &weak("\"governor.kp_pu\"", 6.0, 11.0)
            + &weak("friction_pu", 0.05, 0.15);
        let battery =
            "[[bess]]\nname = \"b\"\nenergy_kwh = 3\npower_kw = 150\ntime_constant_s = 300\n";
        own_set(
            &provenance,
            &format!("{LIMITS}{battery}[outputs]\nrange_corners = \"{corners}\"\n"),
        )
        .replace(
            "duration_s = 12\nstep_s = 0.002",
            "duration_s = 900\nstep_s = 0.02",
        )
        .replace(
            "at_s = 3.0005, power_kw = 600",
            "at_s = 400, power_kw = 500 }, { at_s = 500.003, power_kw = 700 }, { at_s = 520, power_kw = 350",
        )
    };
    let (windows, whole) = (run(&text("auto")), run(&text("full")));
    assert_eq!(
        mark(&windows, "rocof_hz_per_s").ranges,
        Ranges::WorstMoments
    );
    for limit in ["frequency_min_hz", "frequency_max_hz", "rocof_hz_per_s"] {
        let (a, b) = (mark(&windows, limit), mark(&whole, limit));
        let (x, y) = (a.worst_value.unwrap(), b.worst_value.unwrap());
        assert!((x / y - 1.0).abs() < 1e-6, "{limit}: {x} against {y}");
    }
    let said = &windows.assumptions;
    assert!(
        said.iter()
            .all(|a| !a.contains("at rest and at the charge"))
    );
}
