//! Loss of a set and loss of the load: closed forms, the worst moment, what a failure must not change.

#![expect(clippy::panic, reason = "helpers of tests")]

use std::path::Path;

use ballast_scenario::{Loaded, load_str};
use ballast_study::outcome::{Contingency, Outcome, RunPart, Status, Verdict};
use ballast_study::{Inputs, Silent};

fn loaded(text: &str) -> Loaded {
    load_str("test.toml", text, Path::new("."), &[]).unwrap_or_else(|e| panic!("{e}"))
}

fn run(text: &str) -> Outcome {
    ballast_study::run(&loaded(text), &Inputs::default(), None, &Silent)
        .unwrap_or_else(|e| panic!("{e}"))
}

fn set(name: &str, count: u32, rated_kw: f64, inertia_s: f64, droop_pu: f64) -> String {
    format!(
        "[[plant.sets]]\nname = \"{name}\"\ncount = {count}\nrated_kw = {rated_kw}\nrated_kva = {}\n\
         inertia_s = {inertia_s}\nturbo = {{ enabled = false }}\n\
         governor = {{ model = \"tgov1\", droop_pu = {droop_pu}, t1_s = 0.05, t2_s = 0.02, t3_s = 0.1, vmax_pu = 1.2 }}\n",
        1.25 * rated_kw
    )
}

/// A run of 60 s under a load that is `initial_kw` and then goes as `events`.
fn text(initial_kw: f64, events: &str, rest: &str) -> String {
    format!(
        "[scenario]\nname = \"c\"\n[simulation]\nduration_s = 60\nstep_s = 0.01\n\
         [[loads]]\nkind = \"steps\"\nname = \"a\"\ninitial_kw = {initial_kw}\nevents = [{events}]\n{rest}"
    )
}

const TRIP: &str = "[[contingencies]]\nkind = \"set_trip\"\n";
const REJECTION: &str = "[[contingencies]]\nkind = \"load_rejection\"\n";

fn only(outcome: &Outcome) -> &Contingency {
    assert_eq!(outcome.contingencies.len(), 1);
    &outcome.contingencies[0]
}

fn verdict<'a>(verdicts: &'a [Verdict], limit: &str) -> &'a Verdict {
    verdicts
        .iter()
        .find(|v| v.limit == limit)
        .unwrap_or_else(|| panic!("no verdict on {limit}"))
}

#[test]
fn of_two_equal_sets_the_survivor_carries_twice_as_much() {
    let two = set("G", 2, 1000.0, 1.0, 0.05);
    let limits = "[limits]\nsurvivor_power_max_share = 0.85\nfrequency_min_hz = 58\n";
    let outcome = run(&text(800.0, "", &format!("{two}{limits}{TRIP}")));
    let n1 = only(&outcome);
    let figures = n1.figures.as_ref().unwrap();
    let g = &figures.sets_after[0];
    assert_eq!((g.count_before, g.count_after), (2, 1));
    for (share, is) in [
        (g.before_share, 0.4),
        (g.at_once_share, 0.8),
        (g.end_share, 0.8),
        (g.window_max_share.map(|e| e.value), 0.8),
    ] {
        assert!((share.unwrap() - is).abs() < 1e-6, "{share:?} for {is}");
    }
    assert!(!g.overloaded);
    assert!(
        (figures.lost_kw - 400.0).abs() < 1e-6 && (figures.load_before_kw - 800.0).abs() < 1e-9
    );
    assert!((figures.reserve_before_kw.unwrap() - 1200.0).abs() < 1e-9);
    assert!((figures.reserve_after_kw.unwrap() - 200.0).abs() < 1e-9);
    // Droop: Δω = −R ΔP, 0.4 of 1000 kW more on 1250 kVA.
    let settled_hz = 60.0 * (1.0 - 0.05 * 0.32);
    let (low, high) = figures.end_frequency_hz.unwrap();
    assert!(
        (low - settled_hz).abs() < 1e-3 && (high - settled_hz).abs() < 1e-3,
        "{low} {high}"
    );
    // A constant load has one moment; it counts for the whole.
    assert_eq!((n1.at_s, n1.tried.len()), (0.0, 1));
    assert_eq!((outcome.overall, n1.overall), (Status::Pass, Status::Pass));
    let survivors = verdict(&n1.verdicts, "survivor_power_max_share");
    assert_eq!(survivors.status, Status::Pass);
    assert!((survivors.margin.unwrap() - 0.05).abs() < 1e-6);
    assert_eq!(survivors.run, Some(RunPart::SetTrip));
    assert!(survivors.metered.is_some());
    assert!(
        outcome.verdicts.iter().all(|v| v.limit != "set_trip"),
        "it was looked at"
    );
    // The same with a limit that the survivor breaks.
    let tight = text(
        800.0,
        "",
        &format!("{two}{limits}{TRIP}limits = {{ survivor_power_max_share = 0.75 }}\n"),
    );
    let outcome = run(&tight);
    assert_eq!(outcome.overall, Status::Fail);
    assert!(
        outcome.summary.contains("power of the survivors (N−1)"),
        "{}",
        outcome.summary
    );
    assert_eq!(
        outcome
            .verdicts
            .iter()
            .filter(|v| v.status == Status::Fail)
            .count(),
        0
    );
}

#[test]
fn unequal_sets_share_by_inertia_at_once_and_by_droop_at_last() {
    let sets = set("A", 2, 1000.0, 1.0, 0.05) + &set("B", 1, 500.0, 0.8, 0.025);
    let at = "set = \"A\"\nat_s = 5\nafter_s = 30\n";
    let outcome = run(&text(1000.0, "", &format!("{sets}{TRIP}{at}")));
    let n1 = only(&outcome);
    let figures = n1.figures.as_ref().unwrap();
    let lost_kw = figures.lost_kw;
    assert!((lost_kw - 400.0).abs() < 1e-6, "{lost_kw}");
    let [a, b] = &figures.sets_after[..] else {
        panic!()
    };
    assert_eq!((a.count_after, b.count_after), (1, 1));
    // By H S: 1.0 · 1250 and 0.8 · 625.
    let by_inertia = 1250.0 / (1250.0 + 500.0);
    assert!((a.at_once_share.unwrap() - (0.4 + lost_kw * by_inertia / 1000.0)).abs() < 1e-6);
    assert!((b.at_once_share.unwrap() - (0.4 + lost_kw * (1.0 - by_inertia) / 500.0)).abs() < 1e-6);
    // By S/R: 1250/0.05 and 625/0.025 are equal.
    assert!((a.end_share.unwrap() - (0.4 + 0.5 * lost_kw / 1000.0)).abs() < 1e-4);
    assert!((b.end_share.unwrap() - (0.4 + 0.5 * lost_kw / 500.0)).abs() < 1e-4);
    // Nothing is lost or gained: the survivors carry the load.
    for share in [
        [a.at_once_share, b.at_once_share],
        [a.end_share, b.end_share],
    ] {
        let sum_kw = 1000.0 * share[0].unwrap() + 500.0 * share[1].unwrap();
        assert!((sum_kw - 1000.0).abs() < 1e-3, "{sum_kw}");
    }
    assert_eq!(n1.realisation, 1);
    assert!(n1.why.contains("stated") && n1.start_s == 3.0 && n1.end_s == 35.0);
}

#[test]
fn the_worst_moment_of_a_stepped_load_is_found() {
    let sets = set("G", 3, 1000.0, 1.0, 0.05);
    let events = "{ at_s = 10, power_kw = 900 }, { at_s = 20, power_kw = 1900 }, { at_s = 30, power_kw = 700 }";
    let scenario = |rest: &str| text(400.0, events, &format!("{sets}{rest}"));
    let outcome = run(&scenario(TRIP));
    let n1 = only(&outcome);
    assert!(n1.at_s >= 20.0 && n1.at_s < 20.5, "{}", n1.at_s);
    assert!(n1.tried.len() >= 2 && n1.tried.len() <= 4);
    // No time on a grid hurts more.
    let worst_hz = n1.frequency_min.unwrap().value;
    for at_s in [
        0.0, 9.99, 10.0, 15.0, 19.99, 20.0, 20.1, 20.5, 25.0, 29.99, 30.0, 35.0,
    ] {
        let outcome = run(&scenario(&format!("{TRIP}at_s = {at_s}\n")));
        let here_hz = only(&outcome).frequency_min.unwrap().value;
        assert!(
            here_hz >= worst_hz - 0.01,
            "{here_hz} at {at_s}, {worst_hz}"
        );
    }
    // All of the load, when the sets give most: at the fall from the highest load.
    let outcome = run(&scenario(REJECTION));
    let loss = only(&outcome);
    let worst_hz = loss.frequency_max.unwrap().value;
    for at_s in [10.0, 15.0, 20.0, 25.0, 29.99, 30.0, 30.1] {
        let outcome = run(&scenario(&format!("{REJECTION}at_s = {at_s}\n")));
        let here_hz = only(&outcome).frequency_max.unwrap().value;
        assert!(
            here_hz <= worst_hz + 0.01,
            "{here_hz} at {at_s}, {worst_hz}"
        );
    }
    assert!((loss.speed_max_pu.unwrap() - worst_hz / 60.0).abs() < 1e-12);
    // The reserve is told without asking: 1900 kW on two sets.
    let reserve = outcome.plant.as_ref().unwrap().reserve.as_ref().unwrap();
    assert!((reserve.survivors_share.unwrap() - 0.95).abs() < 1e-9 && reserve.holds);
    assert!((reserve.at_s, reserve.load_kw, reserve.reserve_kw) == (20.0, 1900.0, 1100.0));
}

#[test]
fn a_rejection_without_governors_is_the_swing_equation() {
    let sets = "[[plant.sets]]\nname = \"G\"\nrated_kw = 1000\nrated_kva = 1000\ninertia_s = 5\n\
                turbo = { enabled = false }\ngovernor = { model = \"constant\" }\n";
    for (loss, lost_kw) in [
        ("share = 0.25", 200.0),
        ("power_kw = 100", 100.0),
        ("", 800.0),
    ] {
        let rest = format!("torque = \"power\"\n{sets}{REJECTION}at_s = 10\nafter_s = 2\n{loss}\n");
        let outcome = run(&text(800.0, "", &format!("[plant]\n{rest}")));
        let loss = only(&outcome);
        assert!((loss.figures.as_ref().unwrap().lost_kw - lost_kw).abs() < 1e-9);
        // 2 H dω/dt = ΔP for 2 s.
        let rise = lost_kw / 1000.0 / (2.0 * 5.0) * 2.0;
        let is = loss.speed_max_pu.unwrap() - 1.0;
        assert!((is - rise).abs() < 1e-6, "{is} for {rise}");
        assert_eq!(loss.frequency_min.unwrap().value, 60.0);
    }
}

#[test]
fn the_only_set_takes_the_bus_with_it() {
    let one = set("G", 1, 1000.0, 1.0, 0.05);
    let limits = "[limits]\nfrequency_max_hz = 62\n";
    let outcome = run(&text(
        500.0,
        "",
        &format!("{one}{limits}{TRIP}at_s = 10.005\n"),
    ));
    let n1 = only(&outcome);
    assert_eq!((outcome.overall, n1.overall), (Status::Fail, Status::Fail));
    let bus = verdict(&n1.verdicts, "bus_collapse");
    assert_eq!(bus.status, Status::Fail);
    assert!((bus.at_s.unwrap() - 10.005).abs() < 1e-9);
    let high = verdict(&n1.verdicts, "frequency_max_hz");
    assert_eq!(high.status, Status::NotChecked, "nobody knows beyond");
    let survivors = n1
        .verdicts
        .iter()
        .find(|v| v.limit == "survivor_power_max_share");
    assert!(survivors.is_none_or(|v| v.status == Status::NotChecked));
    assert!(n1.summary.contains("last source"), "{}", n1.summary);
    let reserve = outcome.plant.as_ref().unwrap().reserve.as_ref().unwrap();
    assert!(!reserve.holds && reserve.survivors_share.is_none());
    assert!(
        !serde_json::to_string(&outcome)
            .unwrap()
            .contains("null,null")
    );
}

#[test]
fn survivors_that_cannot_carry_it_lose_the_bus() {
    let two = set("G", 2, 1000.0, 1.0, 0.05);
    let events = "{ at_s = 20, power_kw = 1800 }, { at_s = 30, power_kw = 300 }";
    let limits = "[limits]\nsurvivor_power_max_share = 1.1\n";
    let outcome = run(&text(300.0, events, &format!("{two}{limits}{TRIP}")));
    let n1 = only(&outcome);
    assert_eq!(n1.overall, Status::Fail);
    assert!((20.0..21.0).contains(&n1.at_s) && n1.tried.iter().any(|t| t.collapsed));
    assert!(n1.figures.as_ref().unwrap().reserve_after_kw.unwrap() < 0.0);
    assert!(n1.events.iter().any(|e| e.kind == "collapse"));
    // The run itself holds.
    assert_eq!(
        verdict(&outcome.verdicts, "bus_collapse").status,
        Status::Pass
    );
}

#[test]
fn a_failure_of_next_to_nothing_changes_next_to_nothing() {
    // The load and the sets up to it, and what is random, are the run's: also in one that starts later.
    let racks = |more: &str| {
        format!(
            "[scenario]\nname = \"r\"\n[simulation]\nstart_s = 10\nduration_s = 30\nstep_s = 0.02\nrealisations = 3\n\
             [[racks]]\nname = \"r\"\ncount = 4\nnode = \"hgx-h100\"\nnodes_per_rack = 4\n\
             [[jobs]]\nkind = \"batch\"\nname = \"j\"\nracks = [\"r\"]\nstart_s = 12\nsteady = \"steady_decode\"\nstart_jitter_s = 2\n\
             {}{more}",
            set("G", 2, 200.0, 1.0, 0.05)
        )
    };
    let at = format!("{REJECTION}share = 1e-9\nat_s = 20\nbefore_s = 10\nafter_s = 20\n");
    let outcome = run(&racks(&at));
    let none = only(&outcome);
    let plant = outcome.plant.as_ref().unwrap();
    assert_eq!((none.start_s, none.end_s), (10.0, 40.0));
    for (of_run, of_failure) in [
        (plant.frequency_min, none.frequency_min.unwrap()),
        (plant.frequency_max, none.frequency_max.unwrap()),
    ] {
        assert!((of_run.value - of_failure.value).abs() < 1e-6);
        assert_eq!(of_run.realisation, of_failure.realisation);
        assert!((of_run.at_s - of_failure.at_s).abs() < 1e-9);
    }
    assert_eq!(verdict(&none.verdicts, "bus_collapse").realisations, 3);
    // The worst moment of all realisations, run in its own; the same on any number of threads.
    let worst = racks(&format!("{TRIP}after_s = 10\n{REJECTION}after_s = 10\n"));
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let outcome = pool.install(|| run(&worst));
        serde_json::to_string(&outcome).unwrap()
    };
    assert!(on(1) == on(3));
    let outcome = run(&worst);
    for c in &outcome.contingencies {
        assert!((1..=3).contains(&c.realisation) && (10.0..40.0).contains(&c.at_s));
        assert_eq!(verdict(&c.verdicts, "bus_collapse").realisations, 1);
        // What the sets carried just before is the load, in droop and common frequency.
        let figures = c.figures.as_ref().unwrap();
        let carried_kw = figures.sets_after[0].before_share.unwrap() * 400.0;
        assert!((carried_kw - figures.load_before_kw).abs() < 1e-3);
    }
}

#[test]
fn contingencies_strike_in_the_run_and_not_in_the_zoom() {
    let two = set("G", 2, 1000.0, 1.0, 0.05);
    let zoom = "[zoom]\nwindow_s = 10\nstep_s = 0.005\nby = \"peak\"\n";
    let limits = "[limits]\nfrequency_min_hz = 59.5\n";
    let events = "{ at_s = 20, power_kw = 900 }";
    let rest = format!("{two}{limits}{zoom}{TRIP}");
    let outcome = run(&text(800.0, events, &rest));
    let (fine, n1) = (outcome.zoom.as_ref().unwrap(), only(&outcome));
    assert!(fine.outcome.contingencies.is_empty());
    assert!(n1.assumptions.iter().any(|a| a.contains("[zoom]")));
    let status = |v: &[Verdict]| verdict(v, "frequency_min_hz").status;
    assert_eq!(status(&outcome.verdicts), Status::Pass);
    assert_eq!(status(&fine.outcome.verdicts), Status::Pass);
    assert_eq!(status(&n1.verdicts), Status::Fail);
    assert_eq!(outcome.overall, Status::Fail);
    assert!(
        outcome
            .all_verdicts()
            .any(|v| v.run == Some(RunPart::SetTrip))
    );
    // A wider band after the failure.
    let wider = run(&text(
        800.0,
        events,
        &format!("{rest}limits = {{ frequency_min_hz = 55 }}\n"),
    ));
    assert_eq!(wider.overall, Status::Pass, "{}", wider.summary);
    assert_eq!(only(&wider).limits.frequency_min_hz, Some(55.0));
}

#[test]
fn what_did_not_happen_is_not_passed() {
    // The only B has gone by plan before.
    let sets = set("A", 3, 1000.0, 1.0, 0.05) + &set("B", 1, 500.0, 1.0, 0.05);
    let plan = "[plant]\ntrips = [{ at_s = 5, set = \"B\" }]\n";
    let limits = "[limits]\nfrequency_min_hz = 57\nsurvivor_power_max_share = 1\n";
    let scenario = text(
        1400.0,
        "",
        &format!("{plan}{sets}{limits}{TRIP}set = \"B\"\nat_s = 30\n"),
    );
    let outcome = run(&scenario);
    let n1 = only(&outcome);
    assert_eq!(outcome.overall, Status::Inconclusive, "{}", outcome.summary);
    assert_eq!(
        verdict(&n1.verdicts, "frequency_min_hz").status,
        Status::NotChecked
    );
    assert!(
        verdict(&n1.verdicts, "bus_collapse")
            .basis
            .contains("did not happen")
    );
    // The planned one is told with what it carried: 1400 kW over 3500 kW.
    let trip = outcome
        .events
        .iter()
        .find(|e| e.kind == "set_trip")
        .unwrap();
    assert_eq!((trip.at_s, trip.element.as_str()), (5.0, "B"));
    assert!(trip.text.contains("200.0 kW, 40.0 %"), "{}", trip.text);
}

#[test]
fn who_does_not_ask_is_told_how() {
    let two = set("G", 2, 1000.0, 1.0, 0.05);
    let limits = "[limits]\nsurvivor_power_max_share = 1\n";
    let outcome = run(&text(800.0, "", &format!("{two}{limits}")));
    assert!(
        verdict(&outcome.verdicts, "set_trip")
            .basis
            .contains("[[contingencies]]")
    );
    let survivors = verdict(&outcome.verdicts, "survivor_power_max_share");
    assert_eq!(
        (survivors.status, survivors.limit_value),
        (Status::NotChecked, Some(1.0))
    );
    assert!(outcome.contingencies.is_empty());
}

#[test]
fn what_the_grid_is_planned_to_do_is_told() {
    let rest = "[plant]\n[plant.utility]\nrated_kva = 2000\nshort_circuit_ratio = 10\n\
                frequency_events = [{ at_s = 5, change_hz = -0.2, over_s = 2 }]\n\
                voltage_events = [{ at_s = 9, voltage_pu = 0.9, duration_s = 0.2 }]\n";
    let outcome = run(&text(
        800.0,
        "",
        &format!("{rest}{REJECTION}at_s = 20\nshare = 0.5\n"),
    ));
    let kinds: Vec<(&str, f64)> = outcome
        .events
        .iter()
        .map(|e| (e.kind.as_str(), e.at_s))
        .collect();
    assert_eq!(kinds, [("grid_frequency", 5.0), ("grid_voltage", 9.0)]);
    assert!(outcome.plant.as_ref().unwrap().reserve.is_none());
    let loss = only(&outcome);
    assert!(loss.events.is_empty() && loss.figures.as_ref().unwrap().reserve_after_kw.is_none());
    assert_eq!(loss.overall, Status::Pass);
}

#[test]
fn the_loading_over_time_shows_the_loss() {
    let two = set("G", 2, 1000.0, 1.0, 0.05);
    let outcome = run(&text(800.0, "", &format!("{two}{TRIP}at_s = 30\n")));
    let n1 = only(&outcome);
    assert!(n1.voltage_pyramid.is_none());
    let [loading] = n1.loadings.as_slice() else {
        panic!("{:?}", n1.loadings.len());
    };
    assert_eq!(loading.set, "G");
    let level = &loading.share.levels[0];
    assert!(level.mean.len() <= 1100);
    let (first, last) = (level.mean[0], level.mean[level.mean.len() - 1]);
    assert!(
        (first - 0.4).abs() < 1e-6 && (last - 0.8).abs() < 1e-6,
        "{first} {last}"
    );
}

#[test]
fn a_moment_at_the_end_of_the_run_is_not_missed() {
    // 1300 kW come 10 s before the end, less than the 20 s that are looked at by default.
    let plant = "[[plant.sets]]\npreset = \"generic-diesel-1000kw\"\nname = \"A\"\ncount = 2\n\
                 [limits]\nfrequency_min_hz = 55\nfrequency_max_hz = 65\nsurvivor_power_max_share = 1.0\n";
    let events = "{ at_s = 42, power_kw = 900 }, { at_s = 50, power_kw = 1300 }";
    let outcome = run(&text(400.0, events, &format!("{plant}{TRIP}")));
    let n1 = only(&outcome);
    assert_eq!(n1.overall, Status::Fail, "{:#?}", n1.tried);
    let late = n1.tried.iter().find(|t| t.collapsed).unwrap();
    assert!(late.at_s >= 50.0, "{late:?}");
    assert!((late.cut_short_s.unwrap() - (60.0 - late.at_s)).abs() < 1e-9);
    // What was looked for in part of the run does not call itself the highest of all of it.
    let highest = n1.tried.iter().filter(|t| t.cut_short_s.is_none());
    for t in highest.filter(|t| t.why.contains("the highest load")) {
        assert!(t.why.contains(" up to 40.000 s"), "{}", t.why);
    }
    // The same at the last second: nobody sees the survivor fail in it, so nothing passes.
    let events = "{ at_s = 59.5, power_kw = 900 }";
    let outcome = run(&text(400.0, events, &format!("{plant}{TRIP}")));
    let n1 = only(&outcome);
    let lowest = verdict(&n1.verdicts, "frequency_min_hz");
    assert_eq!(lowest.status, Status::Inconclusive, "{lowest:?}");
    assert!(
        lowest.basis.contains("looked at for only 0."),
        "{}",
        lowest.basis
    );
    assert!(n1.verdicts.iter().all(|v| v.status != Status::Pass));
    // Five seconds are enough, and are told.
    let events = "{ at_s = 55, power_kw = 600 }";
    let outcome = run(&text(400.0, events, &format!("{plant}{TRIP}")));
    let n1 = only(&outcome);
    assert_eq!(n1.overall, Status::Pass, "{:#?}", n1.verdicts);
    assert!(
        n1.tried
            .iter()
            .any(|t| t.at_s == 55.0 && t.cut_short_s == Some(5.0))
    );
}

#[test]
fn beside_a_grid_the_loss_of_the_only_set_leaves_no_survivor() {
    let grid =
        "[plant]\ndispatch_kw = 400\n[plant.utility]\nrated_kva = 2000\nshort_circuit_ratio = 10\n";
    let one = "[[plant.sets]]\npreset = \"generic-diesel-1000kw\"\nname = \"G\"\n\
               governor = { model = \"tgov1\", droop_pu = 0.05, t1_s = 0.05, t2_s = 0.02, t3_s = 0.1, vmax_pu = 1.2 }\n";
    let limits = "[limits]\nsurvivor_power_max_share = 1\n";
    let outcome = run(&text(
        500.0,
        "",
        &format!("{grid}{one}{limits}{TRIP}at_s = 20\nafter_s = 5\n"),
    ));
    let survivors = verdict(&only(&outcome).verdicts, "survivor_power_max_share");
    assert_eq!(survivors.status, Status::NotChecked, "{survivors:?}");
    assert!(survivors.basis.contains("the grid carries the load"));
    assert_eq!(survivors.struck_at_s, Some(20.0));
    assert_eq!(
        survivors.contingency.as_deref(),
        Some("loss of the set that carries most")
    );
}

#[test]
fn the_reserve_says_that_batteries_are_not_in_it() {
    let two = set("G", 2, 1000.0, 1.0, 0.05);
    let battery = "[[bess]]\nname = \"b\"\nenergy_kwh = 50\npower_kw = 100\ntime_constant_s = 10\n";
    for (rest, told) in [("", false), (battery, true)] {
        let outcome = run(&text(500.0, "", &format!("{two}{rest}")));
        let reserve = outcome.plant.as_ref().unwrap().reserve.as_ref().unwrap();
        assert_eq!(
            reserve.text.contains("batteries not counted"),
            told,
            "{}",
            reserve.text
        );
    }
}
