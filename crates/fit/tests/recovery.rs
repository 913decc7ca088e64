//! A set is found again from its own simulated steps and recordings.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]
#![expect(clippy::print_stdout, reason = "tests print what they measured")]

use std::fmt::Write as _;

use ballast_fit::{FitReport, FitSpec, Outcome, Recording, Silent, base_set, fit, problems};
use ballast_plant::{GovernorSpec, LoadModelSpec, Plant, PlantSpec, SetSpec, TorqueConvention};
use ballast_series::rng::Stream;

/// Step of the truth, seconds: another one than the fit's.
const STEP_S: f64 = 0.001;
const HZ: f64 = 60.0;

fn preset(name: &str) -> SetSpec {
    let mut set = ballast_scenario::genset_preset(name).unwrap();
    // A range is one around the preset's own value, which the tests change.
    for p in set.provenance.values_mut() {
        (p.low, p.high) = (None, None);
    }
    set
}

/// The diesel preset with other dynamics than it has.
fn truth() -> SetSpec {
    let mut set = preset("generic-diesel-2000kw");
    set.inertia_s = 0.72;
    let GovernorSpec::Degov1(governor) = &mut set.governor else {
        panic!("a DEGOV1 preset")
    };
    governor.k = 19.0;
    governor.dead_time_s = 0.033;
    set.turbo.acceptance_pu = 0.36;
    set.turbo.time_constant_s = 2.1;
    set
}

fn plant(set: &SetSpec) -> PlantSpec {
    PlantSpec {
        frequency_hz: HZ,
        torque: TorqueConvention::default(),
        dispatch_kw: None,
        voltage_pu: 1.0,
        load: LoadModelSpec::default(),
        sets: vec![set.clone()],
        sharing: None,
        trips: Vec::new(),
        utility: None,
    }
}

/// Speed after a step, every millisecond.
fn speeds(set: &SetSpec, from: f64, step: f64, seconds: f64) -> Vec<f64> {
    let kw = set.rated_kw * 1e3;
    let mut plant = Plant::new(&plant(set), from * kw, STEP_S).unwrap();
    let to = (from + step) * kw;
    let mut all = vec![plant.speed_pu()];
    for _ in 0..(seconds / STEP_S).round() as usize {
        plant.advance(STEP_S, to, to);
        all.push(plant.speed_pu());
    }
    all
}

/// Dip in percent and recovery in seconds, to so many digits behind the point.
fn row(set: &SetSpec, (from, step): (f64, f64), digits: Option<i32>) -> String {
    let band = 0.5;
    let all = speeds(set, from, step, 25.0);
    let dip = all
        .iter()
        .fold(0.0_f64, |most, s| most.max((1.0 - s) * step.signum()));
    let last = all
        .iter()
        .rposition(|s| (s - 1.0).abs() > band * 0.01)
        .map_or(0, |at| at + 1);
    let round = |x: f64| digits.map_or(x, |d| (x * 10f64.powi(d)).round() / 10f64.powi(d));
    let (dip, recovery) = (round(100.0 * dip), round(last as f64 * STEP_S));
    let recovery = if recovery > 0.0 && dip > band {
        format!("recovery_s = {recovery:?}\nband_percent = {band}\n")
    } else {
        String::new()
    };
    format!(
        "\n[[steps]]\nfrom_share = {from:?}\nstep_share = {step:?}\ndip_percent = {dip:?}\n{recovery}"
    )
}

const HEAD: &str = "name = \"G\"\nrated_kw = 2000\nrated_kva = 2500\n";

fn spec(text: &str) -> FitSpec {
    ballast_scenario::document_from("fit.toml", text)
        .unwrap_or_else(|e| panic!("{e}"))
        .value
}

/// Several steps one after another, as a recorder sees them: `(time, share)`.
fn recording(
    set: &SetSpec,
    shares: &[(f64, f64)],
    seconds: f64,
    interval_s: f64,
    noise_hz: f64,
) -> Recording {
    let mut noise = Stream::new(7, "recorder", 0, 0);
    let kw = set.rated_kw * 1e3;
    let share = |t: f64| {
        shares
            .iter()
            .rev()
            .find(|(at, _)| *at <= t + 1e-9)
            .map_or(0.0, |s| s.1)
    };
    let every = (interval_s / STEP_S).round() as usize;
    let mut plant = Plant::new(&plant(set), share(0.0) * kw, STEP_S).unwrap();
    let (mut t_s, mut f_hz, mut p_kw) = (vec![], vec![], vec![]);
    for at in 0..=(seconds / STEP_S).round() as usize {
        let t = at as f64 * STEP_S;
        if at % every == 0 {
            t_s.push(t);
            f_hz.push(HZ * plant.speed_pu() + noise_hz * noise.normal());
            p_kw.push(share(t) * set.rated_kw);
        }
        plant.advance(STEP_S, share(t) * kw, share(t) * kw);
    }
    Recording {
        name: "steps.csv".to_owned(),
        columns: vec![
            ("t_s".to_owned(), t_s),
            ("f_Hz".to_owned(), f_hz),
            ("P_kW".to_owned(), p_kw),
        ],
    }
}

fn run(text: &str, recordings: &[Recording]) -> FitReport {
    let spec = spec(text);
    let base = base_set(&spec, &preset(ballast_fit::preset_name(&spec))).unwrap();
    assert_eq!(problems(&spec, &base), []);
    let started = std::time::Instant::now();
    let report = fit(&spec, &base, recordings, &Silent).unwrap();
    println!(
        "{}\n[{:.1} s]",
        ballast_fit::text(&report),
        started.elapsed().as_secs_f64()
    );
    report
}

/// Worst relative error over the identified among `keys`, all of which have to be.
fn worst(report: &FitReport, truth: &[(&str, f64)]) -> f64 {
    let mut worst = 0.0_f64;
    for (key, value) in truth {
        let p = report.parameters.iter().find(|p| p.key == *key).unwrap();
        let error = p.value / value - 1.0;
        println!(
            "{key}: true {value}, fitted {} ({:+.2} %)",
            p.value,
            100.0 * error
        );
        assert_ne!(p.outcome, Outcome::NotIdentified, "{key}: {}", p.note);
        worst = worst.max(error.abs());
    }
    worst
}

const TRUTH: [(&str, f64); 4] = [
    ("inertia_s", 0.72),
    ("governor.k", 19.0),
    ("turbo.acceptance_pu", 0.36),
    ("turbo.time_constant_s", 2.1),
];

const STEPS: [(f64, f64); 7] = [
    (0.0, 0.25),
    (0.0, 0.5),
    (0.0, 0.55),
    (0.0, 0.6),
    (0.25, 0.5),
    (0.5, 0.5),
    (0.5, -0.5),
];

fn table(digits: Option<i32>) -> String {
    let set = truth();
    STEPS.iter().map(|s| row(&set, *s, digits)).collect()
}

const SHARES: [(f64, f64); 5] = [
    (0.0, 0.1),
    (1.0, 0.35),
    (9.0, 0.1),
    (16.0, 0.75),
    (26.0, 0.3),
];

const RECORDING: &str = "\n[[recordings]]\nfile = \"steps.csv\"\n";

#[test]
fn an_exact_table_gives_the_set_back() {
    let report = run(&format!("{HEAD}{}", table(None)), &[]);
    assert!(report.converged);
    assert!(
        report.steps.iter().any(|s| s.ceiling_binds)
            && report.steps.iter().any(|s| !s.ceiling_binds)
    );
    assert!(worst(&report, &TRUTH) < 0.05);
}

#[test]
fn a_rounded_table_gives_the_set_within_15_percent() {
    let report = run(&format!("{HEAD}{}", table(Some(1))), &[]);
    assert!(report.converged);
    assert!(worst(&report, &TRUTH) < 0.15);
}

#[test]
fn a_recording_without_noise_gives_the_set_back() {
    let recording = recording(&truth(), &SHARES, 34.0, 0.01, 0.0);
    let report = run(&format!("{HEAD}{RECORDING}"), &[recording]);
    assert!(report.converged);
    let mut all = TRUTH.to_vec();
    all.push(("governor.dead_time_s", 0.033));
    assert!(worst(&report, &all) < 0.05);
}

#[test]
fn a_noisy_recording_gives_the_set_within_15_percent() {
    for interval_s in [0.01, 0.02] {
        let recording = recording(&truth(), &SHARES, 34.0, interval_s, 0.02);
        let report = run(&format!("{HEAD}{RECORDING}"), &[recording]);
        assert!(report.converged);
        let mut all = TRUTH.to_vec();
        all.push(("governor.dead_time_s", 0.033));
        assert!(worst(&report, &all) < 0.15);
    }
}

/// Neither the ceiling's height nor its time constant shows in a step that does not reach it.
fn ceiling_is_unknown(report: &FitReport) {
    for key in ["turbo.acceptance_pu", "turbo.time_constant_s"] {
        let p = report.parameters.iter().find(|p| p.key == key).unwrap();
        assert_eq!(p.outcome, Outcome::NotIdentified, "{key}");
        assert_eq!(p.value, p.start);
        assert!(p.note.contains("ceiling"), "{}", p.note);
    }
}

#[test]
fn one_small_step_says_nothing_about_the_ceiling() {
    let set = truth();
    let report = run(&format!("{HEAD}{}", row(&set, (0.0, 0.2), Some(1))), &[]);
    ceiling_is_unknown(&report);
    assert!(
        report
            .warnings
            .iter()
            .any(|w| w.contains("hardly told apart"))
    );
    for noise_hz in [0.0, 0.02] {
        let recording = recording(&set, &[(0.0, 0.1), (1.0, 0.3)], 8.0, 0.02, noise_hz);
        let report = run(&format!("{HEAD}{RECORDING}"), &[recording]);
        ceiling_is_unknown(&report);
        // What the small step does show is found all the same.
        assert!(worst(&report, &TRUTH[..2]) < 0.15);
    }
}

/// Gas sets by GGOV1 and PI, a set with droop: the steps of each give it back.
#[test]
fn other_governors_are_found_as_well() {
    type Case = (&'static str, &'static str, &'static [(&'static str, f64)]);
    let cases: [Case; 3] = [
        (
            "engine = \"gas\"\n",
            "generic-gas-1500kw",
            &[("inertia_s", 1.3), ("governor.kpgov", 7.0)],
        ),
        (
            "governor = \"pi\"\n",
            "generic-gas-1500kw",
            &[
                ("inertia_s", 1.3),
                ("governor.kp_pu", 7.0),
                ("governor.ki_per_s", 2.2),
            ],
        ),
        (
            "governor = \"tgov1\"\n",
            "synthetic-tgov1-tuned",
            &[("inertia_s", 1.3), ("governor.droop_pu", 0.04)],
        ),
    ];
    for (head, name, values) in cases {
        let head = format!("{HEAD}{head}");
        let mut json =
            serde_json::to_value(base_set(&spec(&head), &preset(name)).unwrap()).unwrap();
        for (key, value) in values {
            *json
                .pointer_mut(&format!("/{}", key.replace('.', "/")))
                .unwrap() = (*value).into();
        }
        let set: SetSpec = serde_json::from_value(json).unwrap();
        let recording = recording(
            &set,
            &[(0.0, 0.2), (1.0, 0.3), (12.0, 0.2)],
            20.0,
            0.02,
            0.005,
        );
        let report = run(&format!("{head}{RECORDING}"), &[recording]);
        assert!(report.converged);
        assert!(worst(&report, values) < 0.15, "{name}");
    }
}

/// The preset that comes out is one a scenario can use, and says where each value comes from.
#[test]
fn the_preset_is_a_set_with_provenance() {
    let text = format!(
        "{HEAD}{}\n[values]\n\"friction_pu\" = 0.08\n",
        row(&truth(), (0.0, 0.2), Some(1))
    );
    let report = run(&text, &[]);
    let named = format!("name = \"x\"\n{}", report.preset_toml);
    let set: SetSpec = ballast_scenario::document_from("preset.toml", &named)
        .unwrap_or_else(|e| panic!("{e}\n{}", report.preset_toml))
        .value;
    println!("{}", report.preset_toml);
    assert_eq!((set.rated_kw, set.friction_pu), (2000.0, 0.08));
    for p in &report.parameters {
        let json = serde_json::to_value(&set).unwrap();
        let value = json
            .pointer(&format!("/{}", p.key.replace('.', "/")))
            .unwrap();
        assert_eq!(value.as_f64(), Some(p.value), "{}", p.key);
        let from = &set.provenance[&p.key];
        assert_eq!(
            from.source.starts_with("fitted to"),
            p.outcome != Outcome::NotIdentified
        );
    }
    assert_eq!(
        set.provenance["friction_pu"].grade,
        ballast_units::Grade::Given
    );
}

#[test]
fn the_same_input_gives_the_same_answer_on_any_number_of_threads() {
    let text = format!(
        "{HEAD}{}{}",
        row(&truth(), (0.0, 0.25), Some(1)),
        row(&truth(), (0.0, 0.55), Some(1))
    );
    let on = |threads| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
            .install(|| run(&text, &[]))
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn a_table_that_contradicts_itself_is_named() {
    let rows = "
[[steps]]
from_share = 0.0
step_share = 0.25
dip_percent = 5.0

[[steps]]
from_share = 0.0
step_share = 0.5
dip_percent = 3.0
";
    let report = run(&format!("{HEAD}{rows}"), &[]);
    let said = report.warnings.join("\n");
    assert!(
        said.contains("steps.1 and steps.0 contradict each other"),
        "{said}"
    );
    assert!(
        said.contains("no value of the free parameters gives its dip"),
        "{said}"
    );
}

#[test]
fn every_problem_comes_at_once() {
    let text = "name = \"G\"
rated_kw = 3000
rated_kva = 2500
speed_rpm = 1700

[values]
\"governor.quick\" = 1

[[free]]
key = \"governor.t1_s\"
low = 2.0
high = 1.0

[[free]]
key = \"inertia\"

[[steps]]
from_share = 0.5
step_share = -0.6
dip_percent = 1.0
recovery_s = 1.0

[[steps]]
from_share = 0.5
step_share = 0.0
dip_percent = 1.0
recovery_s = 1.0
band_percent = 2.0
";
    let spec = spec(text);
    let base = base_set(&spec, &preset("generic-diesel-2000kw")).unwrap();
    let found = problems(&spec, &base);
    let paths: Vec<&str> = found.iter().map(|p| p.path.as_str()).collect();
    for path in [
        "rated_kw",
        "speed_rpm",
        "values.governor.quick",
        "free.0.low",
        "free.1.key",
        "steps.0.step_share",
        "steps.0.recovery_s",
        "steps.1.step_share",
        "steps.1.band_percent",
    ] {
        assert!(paths.contains(&path), "{path} is not in {paths:?}");
    }
}

#[test]
fn a_recording_that_cannot_be_used_says_why() {
    let spec = spec(&format!("{HEAD}{RECORDING}"));
    let base = base_set(&spec, &preset("generic-diesel-2000kw")).unwrap();
    let said = |recording: Recording| match fit(&spec, &base, &[recording], &Silent) {
        Err(ballast_fit::FitError::Recordings(wrong)) => wrong
            .into_iter()
            .map(|w| w.1.0)
            .collect::<Vec<_>>()
            .join("\n"),
        other => panic!("{other:?}"),
    };
    let mut bad = recording(&truth(), &[(0.0, 0.1), (1.0, 0.3)], 3.0, 0.02, 0.0);
    let good = bad.clone();
    bad.columns[1].0 = "freq".to_owned();
    assert!(said(bad).contains("no column f_hz or f_pu"));
    let mut bad = good.clone();
    bad.columns[0].1[50] = 0.0;
    bad.columns[2].1[70] = -5.0;
    let text = said(bad);
    assert!(
        text.contains("does not rise") && text.contains("a power of"),
        "{text}"
    );
    let flat = recording(&truth(), &[(0.0, 0.1)], 3.0, 0.02, 0.0);
    assert!(said(flat).contains("never leaves"));
}

/// Sets far from the preset: what is called identified is right.
#[test]
fn what_is_called_identified_is_right_for_other_sets_too() {
    let mut draws = Stream::new(3, "other sets", 0, 0);
    let mut between = |low: f64, high: f64| low * (high / low).powf(draws.uniform());
    for _ in 0..4 {
        let mut set = truth();
        set.inertia_s = between(0.5, 2.0);
        set.turbo.acceptance_pu = between(0.2, 0.5);
        set.turbo.time_constant_s = between(0.8, 5.0);
        let GovernorSpec::Degov1(governor) = &mut set.governor else {
            panic!("a DEGOV1 preset")
        };
        // About the crossover of the loop that the preset has.
        governor.k = 28.0 * set.inertia_s / 0.9 * between(0.5, 1.3);
        let values = [
            ("inertia_s", set.inertia_s),
            ("governor.k", governor.k),
            ("turbo.acceptance_pu", set.turbo.acceptance_pu),
            ("turbo.time_constant_s", set.turbo.time_constant_s),
        ];
        let accepted = set.turbo.acceptance_pu / 0.8;
        let steps =
            [0.4, 0.8, 1.1, 1.2].map(|part| (0.0, (100.0 * accepted * part).round() / 100.0));
        let text: String = steps.iter().map(|s| row(&set, *s, Some(1))).collect();
        let report = run(&format!("{HEAD}{text}"), &[]);
        assert!(report.converged);
        let mut found = 0;
        for (key, value) in values {
            let p = report.parameters.iter().find(|p| p.key == key).unwrap();
            println!("{key}: true {value:.3}, fitted {} {:?}", p.value, p.outcome);
            if p.outcome == Outcome::Identified && p.note.is_empty() {
                found += 1;
                assert!((p.value / value).ln().abs() < 0.25, "{key}");
            }
        }
        println!("{found} of 4 identified without reserve");
    }
}

/// Writes the example's recording; by hand, when the model changes: `cargo test -p ballast-fit -- --ignored`.
#[test]
#[ignore = "writes examples/genset-fit/commissioning.csv"]
fn write_the_example() {
    let recording = recording(
        &truth(),
        &[(0.0, 0.1), (1.0, 0.35), (6.0, 0.1), (12.0, 0.7)],
        20.0,
        0.02,
        0.02,
    );
    let mut text = String::from(
        "# Synthetic: simulated with known constants (see fit.toml), with noise of 0.02 Hz. No real set stands behind it.\nt_s,f_hz,p_kw\n",
    );
    let column = |at: usize| &recording.columns[at].1;
    for ((t, f), p) in column(0).iter().zip(column(1)).zip(column(2)) {
        writeln!(text, "{t:.2},{f:.4},{p:.1}").unwrap();
    }
    std::fs::write(
        concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../examples/genset-fit/commissioning.csv"
        ),
        text,
    )
    .unwrap();
    for step in STEPS {
        println!("{}", row(&truth(), step, Some(1)));
    }
}
