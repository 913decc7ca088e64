//! The examples through the library: what the README says of them holds.

#![expect(clippy::panic, reason = "helpers of tests")]

use std::path::{Path, PathBuf};

use ballast_scenario::{Loaded, Patch};
use ballast_study::outcome::{Outcome, Status};
use ballast_study::{Inputs, Silent};

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../examples")
        .join(name)
}

fn load(name: &str, patches: &[(&str, &str)]) -> Loaded {
    let patches: Vec<Patch> = patches
        .iter()
        .map(|(p, v)| Patch {
            path: (*p).to_owned(),
            value: (*v).to_owned(),
        })
        .collect();
    ballast_scenario::load(&example(name), &patches).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn run(name: &str, patches: &[(&str, &str)]) -> Outcome {
    ballast_study::run(&load(name, patches), &Inputs::default(), None, &Silent)
        .unwrap_or_else(|e| panic!("{name}: {e}"))
}

#[test]
fn training_passes_on_well_tuned_sets_and_fails_at_resonance() {
    let good = run("training-offgrid.toml", &[]);
    assert_eq!(good.overall, Status::Pass, "{}", good.summary);
    assert_eq!(good.design_values.gpus, 1024);
    let bad = run("training-resonance.toml", &[]);
    assert_eq!(bad.overall, Status::Fail, "{}", bad.summary);
    let low = bad
        .verdicts
        .iter()
        .find(|v| v.limit == "frequency_min_hz")
        .unwrap();
    assert_eq!(low.status, Status::Fail);
    // The load is the same to the last bit: only the sets differ.
    assert_eq!(good.site.envelope, bad.site.envelope);
    // The gain of the bad sets peaks near the cadence of the job, and is far higher there.
    let (good, bad) = (good.plant.unwrap().gain, bad.plant.unwrap().gain);
    assert!(
        (bad.peak_frequency_hz - 1.0).abs() < 0.2,
        "{}",
        bad.peak_frequency_hz
    );
    assert!(bad.peak_gain_hz_per_mw > 3.0 * good.peak_gain_hz_per_mw);
}

/// What the header of the example says of its variants.
#[test]
fn measures_fail_alone_and_pass_together_at_resonance() {
    let swing = |o: &Outcome| {
        let p = o.plant.as_ref().unwrap();
        p.frequency_max.value - p.frequency_min.value
    };
    let variant = |name: &str, expected: Status| {
        let path = example("training-resonance.toml");
        let loaded = ballast_scenario::load_variant(&path, &[], Some(name), &[])
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        let outcome = ballast_study::run(&loaded, &Inputs::default(), None, &Silent)
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(outcome.overall, expected, "{name}: {}", outcome.summary);
        outcome
    };
    let alone = run("training-resonance.toml", &[]);
    let floor = variant("GPU floor", Status::Fail);
    let runner = variant("co-runner", Status::Fail);
    let shelves = variant("shelf capacitors", Status::Fail);
    let battery = variant("battery", Status::Fail);
    let both = variant("floor and battery", Status::Pass);
    let all = variant("all three", Status::Pass);
    variant("fast battery", Status::Pass);
    variant("faster cadence", Status::Pass);
    // Each takes something off the load; together they leave the least.
    let band = |o: &Outcome| o.site.band.as_ref().unwrap().rms_w;
    for one in [&floor, &runner, &shelves, &battery] {
        assert!(
            band(one) < 0.85 * band(&alone),
            "{} {}",
            band(one),
            band(&alone)
        );
        assert!(band(&both) < 0.5 * band(one) && swing(&both) < 0.4 * swing(one));
    }
    assert!(band(&all) < 0.7 * band(&both) && swing(&all) < swing(&both));
    // Less than half the swing of the load is left by the floor, at some 9 % of the GPUs' energy.
    assert!(band(&floor) < 0.5 * band(&alone));
    let overhead = floor.gpu_smoothing[0].report.energy_overhead_percent;
    assert!((overhead - 9.07).abs() < 0.1, "{overhead}");
    // 65 J for each of 32 GPUs.
    assert!((shelves.storage[0].energy_j - 2080.0).abs() < 1e-6);
}

#[test]
fn a_slower_cadence_leaves_the_resonance() {
    let at_1_hz = run("training-resonance.toml", &[]);
    let slower = run(
        "training-resonance.toml",
        &[("jobs.llm.iteration_s", "3.0")],
    );
    let swing = |o: &Outcome| {
        let p = o.plant.as_ref().unwrap();
        p.frequency_max.value - p.frequency_min.value
    };
    assert!(
        swing(&slower) < swing(&at_1_hz),
        "{} {}",
        swing(&slower),
        swing(&at_1_hz)
    );
}

#[test]
fn stagger_spares_the_sets_a_block() {
    let staggered = run("inference-start.toml", &[("simulation.realisations", "1")]);
    let at_once = run(
        "inference-start.toml",
        &[
            ("simulation.realisations", "1"),
            ("jobs.serving.stagger_s", "0"),
        ],
    );
    let up = |o: &Outcome| o.design_values.steps.last().unwrap().up.delta;
    assert!(
        up(&at_once) > 2.0 * up(&staggered),
        "{} {}",
        up(&at_once),
        up(&staggered)
    );
}

#[test]
fn a_walk_in_spares_the_sets_the_block_of_a_hall() {
    let softly = run("hall-transfer.toml", &[]);
    assert_eq!(softly.overall, Status::Pass, "{}", softly.summary);
    let at_once = run("hall-transfer.toml", &[("events.0.walk_in_s", "0")]);
    assert_eq!(at_once.overall, Status::Fail, "{}", at_once.summary);
    let dip = |o: &Outcome| 60.0 - o.plant.as_ref().unwrap().frequency_min.value;
    assert!(dip(&at_once) > 3.0 * dip(&softly));
    let kinds: Vec<_> = softly
        .events
        .iter()
        .map(|e| (e.at_s, e.kind.as_str()))
        .collect();
    assert!(kinds.contains(&(10.0, "transfer")) && kinds.contains(&(18.0, "transfer_end")));
    assert!(softly.diagnostics.iter().any(|d| d.code == "transfer"));
    let weak = |path: &str| softly.low_confidence.iter().any(|l| l.path == path);
    assert!(!weak("events.0.walk_in_s"), "it is stated");
}

#[test]
fn every_verdict_says_what_it_rests_on() {
    let outcome = run("smallest.toml", &[]);
    for v in outcome
        .verdicts
        .iter()
        .filter(|v| v.status != Status::NotChecked)
    {
        assert!(
            v.basis.contains("seed") && v.basis.contains("low confidence"),
            "{}: {}",
            v.limit,
            v.basis
        );
    }
    assert!(
        outcome
            .low_confidence
            .iter()
            .any(|l| l.path.ends_with("inertia_s"))
    );
    for v in outcome
        .verdicts
        .iter()
        .filter(|v| v.status == Status::NotChecked)
    {
        assert!(!v.basis.is_empty(), "{}", v.limit);
    }
}

#[test]
fn a_service_swings_with_its_traffic() {
    let spread = |o: &Outcome| o.site.envelope.std / o.site.envelope.mean;
    let day = run("inference-traffic.toml", &[]);
    let told = |o: &Outcome, code: &str| {
        o.diagnostics
            .iter()
            .find(|d| d.code == code)
            .map(|d| d.text.clone())
    };
    assert!(told(&day, "traffic").is_some_and(|t| t.contains("0 turned away")));
    assert!(told(&day, "over-capacity").is_none());
    for key in ["decode_step_s", "prefill_tokens_per_s"] {
        let path = format!("jobs.serving.{key}");
        assert!(day.low_confidence.iter().any(|l| l.path == path), "{path}");
    }
    // The same requests at one rate: the spread of the site is gone.
    let steady = run(
        "inference-traffic.toml",
        &[
            ("jobs.serving.arrivals.low_per_s", "40"),
            ("jobs.serving.arrivals.high_per_s", "40"),
            ("jobs.serving.diurnal", "[]"),
        ],
    );
    assert!(spread(&day) > 5.0 * spread(&steady));
    // Far more than the replicas can serve.
    let flooded = run(
        "inference-traffic.toml",
        &[
            ("simulation.duration_s", "600"),
            ("jobs.serving.arrivals.low_per_s", "5000"),
            ("jobs.serving.arrivals.high_per_s", "5000"),
            ("jobs.serving.diurnal", "[]"),
        ],
    );
    let text = told(&flooded, "over-capacity").unwrap_or_default();
    assert!(
        text.contains("beyond capacity") && text.contains("5000.000/s"),
        "{text}"
    );
}

#[test]
fn the_rest_of_the_site_comes_on_top_and_is_accounted_for() {
    let racks = run("inference-start.toml", &[("simulation.realisations", "1")]);
    let site = run(
        "inference-start.toml",
        &[
            ("simulation.realisations", "1"),
            ("plant.sets.diesel.count", "4"),
            (
                "facility",
                "{ ups = { rated_kw = 2000, loss_fixed = 0.01 }, cooling = { share = 0.2, lag_s = 60 } }",
            ),
        ],
    );
    let text = site
        .diagnostics
        .iter()
        .find(|d| d.code == "facility")
        .map(|d| d.text.clone())
        .unwrap_or_default();
    assert!(
        [
            "network",
            "storage",
            "management",
            "cooling",
            "times the IT"
        ]
        .iter()
        .all(|w| text.contains(w)),
        "{text}"
    );
    assert!(site.site.metered.contains("cooling"));
    // Constant parts: 20 kW in the UPS, and the shares of network, storage and management, with its low confidence named.
    let (a, b) = (&racks.site.envelope, &site.site.envelope);
    assert!(b.min > a.min + 20e3 && b.mean > 1.2 * a.mean, "{a:?} {b:?}");
    assert!(
        site.low_confidence
            .iter()
            .any(|l| l.path == "facility.network.share")
    );
    // The racks themselves draw what they drew.
    assert_eq!(racks.racks[0].envelope, site.racks[0].envelope);
    // Cooling that lags takes no part in fast ramps.
    let fastest = |o: &Outcome| o.site.ramps[0].up.delta;
    assert!(fastest(&site) < 1.05 * fastest(&racks));
}

#[test]
fn three_sets_lose_one_and_two_cannot() {
    let three = run("n-minus-1.toml", &[]);
    assert_eq!(three.overall, Status::Pass, "{}", three.summary);
    let [trip, rejection] = &three.contingencies[..] else {
        panic!("{} contingencies", three.contingencies.len())
    };
    assert_eq!(
        (trip.kind.as_str(), rejection.kind.as_str()),
        ("set_trip", "load_rejection")
    );
    let g = &trip.figures.as_ref().unwrap().sets_after[0];
    assert!(
        (g.end_share.unwrap() - 0.75).abs() < 0.01,
        "{:?}",
        g.end_share
    );
    assert!((20.0..20.5).contains(&trip.at_s) && rejection.at_s >= 38.0);
    let two = run("n-minus-1.toml", &[("plant.sets.G.count", "2")]);
    assert_eq!(two.overall, Status::Fail, "{}", two.summary);
    assert!(two.contingencies[0].tried.iter().any(|t| t.collapsed));
    // The run itself holds in both.
    assert!(two.verdicts.iter().all(|v| v.status != Status::Fail));
}
