//! What repeats in a load, predicted and simulated, end to end.

#![expect(clippy::unwrap_used, reason = "a test may stop at once")]

use std::fmt::Write as _;
use std::path::Path;

use ballast_scenario::{Loaded, Patch};
use ballast_study::outcome::{
    CadenceResonance, CadenceSource, Outcome, ResonanceKpis, SettledAs, Status, Verdict,
};
use ballast_study::{Inputs, Silent};

fn run(loaded: &Loaded) -> Outcome {
    ballast_study::run(loaded, &Inputs::default(), None, &Silent).unwrap()
}

fn outcome(text: &str) -> Outcome {
    run(&ballast_scenario::load_str("test.toml", text, Path::new("."), &[]).unwrap())
}

fn example(name: &str, patches: &[(&str, &str)]) -> Outcome {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let patches: Vec<Patch> = patches
        .iter()
        .map(|(p, v)| Patch {
            path: (*p).to_owned(),
            value: (*v).to_owned(),
        })
        .collect();
    run(&ballast_scenario::load(&path.join(name), &patches).unwrap())
}

fn row(outcome: &Outcome) -> &Verdict {
    let mut rows = outcome.verdicts.iter().filter(|v| v.limit == "resonance");
    rows.next().unwrap()
}

fn kpis(outcome: &Outcome) -> &ResonanceKpis {
    outcome.resonance.as_ref().unwrap()
}

/// A lightly damped set of 3125 kVA, mode at 0.96 Hz, or one that is tuned.
fn sets(light: bool) -> String {
    let (droop, t1, t3) = if light {
        (0.04, 0.25, 0.10)
    } else {
        (0.05, 0.08, 0.04)
    };
    format!(
        "[plant]\ntorque = \"power\"\n[[plant.sets]]\nname = \"G1\"\nrated_kw = 2750\nrated_kva = 3125\ninertia_s = 1.0\n\
         governor = {{ model = \"tgov1\", droop_pu = {droop}, t1_s = {t1}, t2_s = 0.0, t3_s = {t3}, vmax_pu = 0.88, vmin_pu = 0.0, dt_pu = 0.0 }}\n\
         turbo = {{ enabled = false }}\n"
    )
}

/// A square wave 0.40 to 0.64 per unit after a second at its mean.
fn square(f_hz: f64, duration_s: f64) -> String {
    let mut events = String::new();
    let halves = ((duration_s - 1.0) * 2.0 * f_hz).ceil() as u32;
    for k in 0..halves {
        let at_s = 1.0 + f64::from(k) * 0.5 / f_hz;
        let kw = if k % 2 == 0 { 2000.0 } else { 1250.0 };
        let _ = write!(events, "{{ at_s = {at_s}, power_kw = {kw} }}, ");
    }
    format!(
        "[[loads]]\nkind = \"steps\"\nname = \"wave\"\ninitial_kw = 1625\nevents = [{events}]\n"
    )
}

fn waves(f_hz: f64, duration_s: f64, light: bool) -> Outcome {
    outcome(&format!(
        "[scenario]\nname = \"square\"\n[simulation]\nduration_s = {duration_s}\nstep_s = 0.002\nseed = 1\n{}{}[limits]\nfrequency_swing_hz = 2.0\n",
        square(f_hz, duration_s),
        sets(light)
    ))
}

fn only(outcome: &Outcome) -> &CadenceResonance {
    let kpis = kpis(outcome);
    assert_eq!(kpis.cadences.len(), 1, "{kpis:?}");
    &kpis.cadences[0]
}

#[test]
fn square_waves_swing_as_predicted() {
    for light in [true, false] {
        for f_hz in [0.2, 0.5, 1.0, 2.0] {
            let run = waves(f_hz, 90.0, light);
            let c = only(&run);
            let s = c.simulated.unwrap();
            println!(
                "light {light}, {f_hz} Hz: predicted {:.3}, linear {:.3}, simulated {:.3} of {} ({}) {}",
                c.predicted_swing_hz,
                c.unlimited_linear_swing_hz.unwrap(),
                s.median_swing_hz,
                s.periods,
                s.settled,
                c.text.join(". ")
            );
            assert_eq!(c.source, CadenceSource::Steps);
            assert_eq!(c.settled, SettledAs::Periodic);
            assert!((c.frequency_hz / f_hz - 1.0).abs() < 1e-9);
            assert!((c.mean_w / 1.625e6 - 1.0).abs() < 1e-3);
            assert!(s.settled && s.periods >= 3);
            let off = c.predicted_swing_hz / s.median_swing_hz - 1.0;
            assert!(off.abs() < 0.03, "light {light}, {f_hz} Hz: {off}");
            assert!(c.coherence > 0.999 && (c.jitter_factor - 1.0).abs() < 0.01);
            // A square wave of ±375 kW has 4/π of that in its first line.
            let first = c.lines.iter().find(|l| l.harmonic == 1).unwrap();
            assert!((first.amplitude_w / (4.0 / std::f64::consts::PI * 375e3) - 1.0).abs() < 0.01);
            let beyond = c.predicted_swing_hz > 2.0;
            let row = row(&run);
            assert_eq!(row.status, if beyond { Status::Fail } else { Status::Pass });
            assert_eq!(c.moves.is_some(), beyond);
        }
    }
    let worst = waves(1.0, 90.0, true);
    let c = only(&worst);
    assert!(c.predicted_swing_hz > 5.0 && c.meets, "{c:?}");
    let mode = c.mode.as_ref().unwrap();
    assert_eq!(
        (mode.kind.as_str(), mode.sets.as_slice()),
        ("speed_governor", &["G1".to_owned()][..])
    );
    assert!(
        (mode.frequency_hz - 0.960).abs() < 0.002 && (mode.damping_ratio - 0.022).abs() < 0.002
    );
    assert_eq!(c.limits_reached[0].limit, "upper");
    assert!(
        c.text[1].contains("meets the speed governor mode of G1 at 0.96 Hz"),
        "{:?}",
        c.text
    );
    let moves = c.moves.as_ref().unwrap();
    let (power_w, energy_j) = (moves.storage_w.unwrap(), moves.storage_j.unwrap());
    assert!((energy_j / (power_w / std::f64::consts::PI) - 1.0).abs() < 1e-6);
    assert!(moves.damping_ratio.unwrap() > 0.1 && moves.jitter_s.unwrap() > 0.0);
    assert!(!moves.safe_cadences_hz.is_empty());
}

#[test]
fn a_swing_the_run_is_too_short_for_fails_all_the_same() {
    // A tenth of the wave, which no limiter holds: it grows over five times 7.6 s.
    let wave = square(1.0, 5.0)
        .replace("2000", "1662.5")
        .replace("1250", "1587.5");
    let short = outcome(&format!(
        "[scenario]\nname = \"square\"\n[simulation]\nduration_s = 5\nstep_s = 0.002\nseed = 1\n{wave}{}[limits]\nfrequency_swing_hz = 1.4\n",
        sets(true)
    ));
    let c = only(&short);
    let s = c.simulated.unwrap();
    assert!(
        !s.settled && s.median_swing_hz < 0.8 * c.predicted_swing_hz,
        "{s:?}"
    );
    assert!(
        (c.predicted_swing_hz - 1.56).abs() < 0.03,
        "{}",
        c.predicted_swing_hz
    );
    assert_eq!(row(&short).status, Status::Fail);
    assert!(row(&short).basis.contains("predicted, not simulated"));
    let mut others = short.verdicts.iter();
    let seen = others.find(|v| v.limit == "frequency_swing_hz").unwrap();
    assert_eq!(
        seen.status,
        Status::Inconclusive,
        "the run itself does not get there"
    );
}

#[test]
fn jitter_lowers_coherence() {
    let jittered = |s: &str| {
        example(
            "training-resonance.toml",
            &[("jobs.0.iteration_jitter_s", s)],
        )
    };
    let mut last = 1.1;
    for jitter in ["0.0", "0.03", "0.1"] {
        let run = jittered(jitter);
        let c = only(&run);
        let s = c.simulated.unwrap();
        println!("jitter {jitter}: {}", c.text[0]);
        assert_eq!(c.source, CadenceSource::Training);
        assert_eq!(c.cadence, "job llm");
        assert!(c.coherence < last, "{jitter}: {}", c.coherence);
        assert!(c.meets && c.lines[0].harmonic == 1);
        last = c.coherence;
        if jitter == "0.0" {
            // What is left are GPUs that fluctuate.
            let off = c.predicted_swing_hz / s.median_swing_hz - 1.0;
            assert!(off.abs() < 0.05, "{off}");
            assert!(c.coherence > 0.98);
        }
    }
    assert!(last < 0.9, "{last}");
}

#[test]
fn a_cadence_nobody_stated_is_found_in_the_spectrum() {
    // Two loads that repeat nothing by themselves up to their end: the last change breaks the pattern.
    let broken = square(1.3, 60.0).replace("}, ]", "}, { at_s = 59.95, power_kw = 1400 }]");
    let run = outcome(&format!(
        "[scenario]\nname = \"line\"\n[simulation]\nduration_s = 60\nstep_s = 0.002\nseed = 1\n{broken}{}[limits]\nfrequency_swing_hz = 2.0\n",
        sets(false)
    ));
    let c = only(&run);
    println!("{:?}", c.text);
    assert_eq!(c.source, CadenceSource::Spectrum);
    assert!((c.frequency_hz - 1.3).abs() < 2e-3, "{}", c.frequency_hz);
    let off = c.predicted_swing_hz / c.simulated.unwrap().median_swing_hz - 1.0;
    assert!(off.abs() < 0.05, "{off}");
    assert_eq!(row(&run).status, Status::Pass);
}

#[test]
fn a_load_that_does_not_repeat_has_no_verdict_and_says_why() {
    let run = outcome(&format!(
        "[scenario]\nname = \"step\"\n[simulation]\nduration_s = 30\nstep_s = 0.002\nseed = 1\n\
         [[loads]]\nkind = \"steps\"\nname = \"one\"\ninitial_kw = 1500\nevents = [{{ at_s = 5.0, power_kw = 1800 }}]\n{}[limits]\nfrequency_swing_hz = 3.0\n",
        sets(false)
    ));
    let kpis = kpis(&run);
    assert!(kpis.cadences.is_empty());
    assert!(
        kpis.none_because
            .as_ref()
            .unwrap()
            .contains("no cadence was found")
    );
    assert!(kpis.modes.iter().any(|m| m.kind == "speed_governor"));
    let row = row(&run);
    assert!(row.basis.contains("lines below 0.267 Hz"), "{}", row.basis);
    assert_eq!((row.status, row.limit_value), (Status::NotChecked, None));
    assert!(row.basis.contains("no cadence was found"));
    // And without a plant there is nothing to swing.
    let alone = outcome(
        "[scenario]\nname = \"step\"\n[simulation]\nduration_s = 3\nstep_s = 0.01\nseed = 1\n\
         [[loads]]\nkind = \"steps\"\nname = \"one\"\ninitial_kw = 1500\n",
    );
    assert!(alone.resonance.is_none() && alone.verdicts.iter().all(|v| v.limit != "resonance"));
}

#[test]
fn without_a_limit_the_swing_is_told_and_not_judged() {
    let text = format!(
        "[scenario]\nname = \"square\"\n[simulation]\nduration_s = 20\nstep_s = 0.002\nseed = 1\n{}{}",
        square(1.0, 20.0),
        sets(true)
    );
    let run = outcome(&text);
    let c = only(&run);
    assert!(c.predicted_swing_hz > 5.0 && c.moves.is_none() && c.limit_swing_hz.is_none());
    assert_eq!(row(&run).status, Status::NotChecked);
    assert!(row(&run).basis.contains("no limit was given"));
}

#[test]
fn iterations_that_a_step_averages_are_left_out_and_said() {
    let run = example(
        "training-offgrid.toml",
        &[
            ("simulation.step_s", "1.0"),
            ("simulation.duration_s", "120"),
        ],
    );
    let kpis = kpis(&run);
    assert!(kpis.cadences.is_empty(), "{kpis:?}");
    assert!(
        kpis.none_because
            .as_ref()
            .unwrap()
            .contains("takes the mean over its iterations")
    );
    assert_eq!(row(&run).status, Status::NotChecked);
}

#[test]
fn jitter_beside_a_mode_may_add() {
    // Enough sets beside a constant load that no throttle reaches a limit: what jitter takes is all that differs.
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/training-resonance.toml");
    let text = std::fs::read_to_string(path).unwrap()
        + "\n[[loads]]\nkind = \"steps\"\nname = \"base\"\ninitial_kw = 3900\n";
    for jitter in ["0.0", "0.03", "0.1", "0.2"] {
        let patches = [
            ("jobs.0.iteration_jitter_s", jitter),
            ("plant.sets.diesel.count", "12"),
            ("simulation.duration_s", "600"),
        ]
        .map(|(path, value)| Patch {
            path: path.to_owned(),
            value: value.to_owned(),
        });
        let loaded = ballast_scenario::load_str("t.toml", &text, Path::new("."), &patches).unwrap();
        let run = run(&loaded);
        let c = only(&run);
        let s = c.simulated.unwrap();
        println!(
            "jitter {jitter}: {} {} {}",
            c.coherence, c.jitter_factor, c.text[0]
        );
        assert!(c.limits_reached.is_empty());
        // A root mean square beside a median of some 500 swings of which neighbours are alike.
        let off = c.expected_swing_hz / s.median_swing_hz - 1.0;
        assert!(off.abs() < 0.15, "{jitter}: {off}");
    }
}

#[test]
fn lags_far_below_the_step_are_at_rest_and_named() {
    let text = |t3: f64, step_s: f64| {
        format!(
            "[scenario]\nname = \"short\"\n[simulation]\nduration_s = 4\nstep_s = {step_s}\nseed = 1\n\
             [[loads]]\nkind = \"steps\"\nname = \"one\"\ninitial_kw = 1500\nevents = [{{ at_s = 1.0, power_kw = 1800 }}]\n{}",
            sets(false).replace("t3_s = 0.04", &format!("t3_s = {t3}"))
        )
    };
    let short = outcome(&text(0.0004, 0.001));
    let told: Vec<_> = short
        .diagnostics
        .iter()
        .filter(|d| d.code == "residualised")
        .collect();
    assert_eq!(told.len(), 1);
    assert!(
        told[0].text.contains("G1 governor.t3_s (0.0004 s)"),
        "{}",
        told[0].text
    );
    // The answer is that of a step which resolves the lag: it moves the dip by less than it delays the power.
    let fine = outcome(&text(0.0004, 0.0001));
    assert!(fine.diagnostics.iter().all(|d| d.code != "residualised"));
    let dip = |o: &Outcome| o.plant.as_ref().unwrap().frequency_min.value;
    assert!(
        (dip(&short) - dip(&fine)).abs() < 2e-3 * (60.0 - dip(&fine)),
        "{} {}",
        dip(&short),
        dip(&fine)
    );
    // What is neither short nor resolved is refused.
    let between = ballast_scenario::load_str("t.toml", &text(0.0012, 0.001), Path::new("."), &[]);
    assert!(between.unwrap_err().to_string().contains("too long"));
}
