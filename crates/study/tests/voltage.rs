//! Voltage and reactive power from the scenario to columns, figures and verdicts.

#![expect(clippy::panic, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::path::Path;

use ballast_scenario::{Loaded, load_str};
use ballast_series::{SinkError, TraceBlock, TraceSink};
use ballast_study::outcome::{Outcome, Status, Verdict};
use ballast_study::{Inputs, Silent};

const SET: &str = r#"
[[plant.sets]]
name = "G"
rated_kw = 1000
rated_kva = 1250
inertia_s = 1.0
turbo = { enabled = false }
governor = { model = "tgov1", droop_pu = 0.05, t1_s = 0.08, t3_s = 0.04 }
"#;
const ALTERNATOR: &str = r#"
alternator = { model = "gensal", xd_pu = 2.5, xq_pu = 1.3, xd1_pu = 0.25, xd2_pu = 0.18, xl_pu = 0.1, td01_s = 4, td02_s = 0.03, tq02_s = 0.03 }
exciter = { model = "sexs", k = 100, ta_s = 5, tb_s = 5, te_s = 0.05, emin_pu = 0, emax_pu = 6 }
"#;

/// Loads: `first` and `second` with their power factors; the second comes at 1 s, off the step.
fn text((first_kw, pf): (f64, f64), (second_kw, more): (f64, f64), rest: &str) -> String {
    format!(
        "[scenario]\nname = \"v\"\n[simulation]\nduration_s = 4\n\
         [[loads]]\nkind = \"steps\"\nname = \"a\"\ninitial_kw = {first_kw}\npower_factor = {pf}\n\
         [[loads]]\nkind = \"steps\"\nname = \"b\"\ninitial_kw = 0\npower_factor = {more}\n\
         events = [{{ at_s = 1.0005, power_kw = {second_kw} }}]\n{rest}"
    )
}

fn loaded(text: &str) -> Loaded {
    load_str("test.toml", text, Path::new("."), &[]).unwrap_or_else(|e| panic!("{e}"))
}

#[derive(Default)]
struct Kept(BTreeMap<String, Vec<f64>>);

impl TraceSink for Kept {
    fn block(&mut self, block: &TraceBlock<'_>) -> Result<(), SinkError> {
        for column in block.columns {
            let values = self.0.entry(column.name.to_owned()).or_default();
            values.extend_from_slice(column.values);
        }
        Ok(())
    }
}

fn run(text: &str) -> (Outcome, BTreeMap<String, Vec<f64>>) {
    let mut kept = Kept::default();
    let loaded = loaded(text);
    let outcome = ballast_study::run(&loaded, &Inputs::default(), Some(&mut kept), &Silent)
        .unwrap_or_else(|e| panic!("{e}"));
    (outcome, kept.0)
}

fn verdict<'a>(outcome: &'a Outcome, limit: &str) -> &'a Verdict {
    outcome
        .verdicts
        .iter()
        .find(|v| v.limit == limit)
        .unwrap_or_else(|| panic!("no verdict on {limit}"))
}

#[test]
fn the_sets_deliver_the_reactive_power_of_the_loads() {
    let limits =
        "[limits]\nvoltage_min_pu = 0.5\nvoltage_max_pu = 1.5\nset_reactive_min_share = -0.05\n";
    let (outcome, columns) = run(&text(
        (400.0, 0.8),
        (300.0, -0.6),
        &format!("{SET}{ALTERNATOR}{limits}"),
    ));
    // 300 kvar drawn, then 400 given; the load has constant power whatever the voltage.
    for (row, q_kvar) in [(999, 300.0), (3999, -100.0)] {
        assert!((columns["Q_bus_kvar"][row] - q_kvar).abs() < 1e-6);
        let delivered = columns["Q_pu_G"][row] * 1250.0;
        assert!((delivered - q_kvar).abs() < 1e-6, "{delivered}");
        let active = columns["Pe_pu_G"][row] * 1250.0;
        assert!((active - columns["site_w"][row] / 1e3).abs() < 1e-6);
    }
    assert!((columns["V_pu_G"][0] - 1.0).abs() < 1e-9);
    assert!(columns["Efd_pu_G"][0] > columns["Efd_pu_G"][3999]);
    assert_eq!(columns["f_pu_G"].len(), columns["site_w"].len());

    let plant = outcome.plant.as_ref().unwrap_or_else(|| panic!("a plant"));
    let seen = |highest: bool| {
        let pick = if highest { f64::max } else { f64::min };
        columns["V_pu_G"].iter().copied().fold(1.0, pick)
    };
    // Without line_x_pu the terminals are the bus, but for rounding.
    for (extreme, highest) in [(plant.voltage_min, false), (plant.voltage_max, true)] {
        let value = extreme.map_or(f64::NAN, |e| e.value);
        assert!((value - seen(highest)).abs() < 1e-12, "{value}");
    }
    for limit in ["voltage_min_pu", "voltage_max_pu"] {
        let v = verdict(&outcome, limit);
        assert_eq!(
            (v.status, v.element.as_deref()),
            (Status::Pass, Some("bus"))
        );
        assert!(!v.basis.contains("voltage not checked"), "{}", v.basis);
    }
    // 100 kvar of 1250 kVA taken in: 0.08.
    let leading = verdict(&outcome, "set_reactive_min_share");
    assert_eq!(
        (leading.status, leading.element.as_deref()),
        (Status::Fail, Some("G"))
    );
    assert!(leading.worst_value.is_some_and(|v| v < -0.0799));
    assert!(outcome.verdicts.iter().all(|v| v.limit != "voltage"));
    let said = outcome.assumptions.join("\n");
    assert!(said.contains("G GENSAL with SEXS"), "{said}");
    assert!(
        said.contains("(ZIP): active constant power; reactive constant power"),
        "{said}"
    );
}

#[test]
fn without_alternators_voltage_is_not_checked_and_reactive_power_changes_nothing() {
    let limits = "[limits]\nvoltage_min_pu = 0.9\nset_reactive_min_share = -0.1\n";
    let with = loaded(&text(
        (400.0, 0.8),
        (300.0, -0.6),
        &format!("{SET}{limits}"),
    ));
    assert_eq!(with.warnings.len(), 2, "{:?}", with.warnings);
    let (outcome, columns) = run(&text(
        (400.0, 0.8),
        (300.0, -0.6),
        &format!("{SET}{limits}"),
    ));
    let (_, plain) = run(&text((400.0, 1.0), (300.0, 1.0), SET));
    assert_eq!(columns["f_pu_G"], plain["f_pu_G"]);
    assert!(!columns.contains_key("V_pu_G") && !columns.contains_key("Q_pu_G"));
    for limit in ["voltage", "voltage_min_pu", "set_reactive_min_share"] {
        assert_eq!(verdict(&outcome, limit).status, Status::NotChecked);
    }
    assert_eq!(verdict(&outcome, "voltage_min_pu").limit_value, Some(0.9));
    let plant = outcome.plant.as_ref().unwrap_or_else(|| panic!("a plant"));
    assert!(plant.voltage_min.is_none() && plant.sets[0].reactive_min_share.is_none());
}

#[test]
fn a_voltage_that_recovers_late_breaks_its_limit() {
    let limits = |s: f64| {
        format!(
            "{SET}{ALTERNATOR}[limits]\nvoltage_recovery_s = {s}\nvoltage_recovery_band_pu = 0.02\n"
        )
    };
    let status = |s: f64| {
        let (outcome, columns) = run(&text((200.0, 1.0), (500.0, 0.7), &limits(s)));
        let v = verdict(&outcome, "voltage_recovery_s").clone();
        // Steps outside the band, from the first to the return.
        let outside = columns["V_pu_G"]
            .iter()
            .filter(|v| (**v - 1.0).abs() > 0.02);
        let spent_s = outside.count() as f64 * 1e-3;
        assert!(spent_s > 0.02, "{spent_s}");
        assert!(v.worst_value.is_some_and(|w| w >= spent_s - 1.5e-3));
        v.status
    };
    assert_eq!(status(3.0), Status::Pass);
    assert_eq!(status(0.02), Status::Fail);
}

/// More than the alternator can push through its reactance at constant power: no voltage carries it.
#[test]
fn a_load_that_no_voltage_carries_ends_the_run_and_is_no_fall_of_frequency() {
    let (outcome, columns) = run(&text(
        (400.0, 1.0),
        (9000.0, 0.5),
        &format!(
            "[plant.load]\ncurrent_limit_below_pu = 0\n{SET}{ALTERNATOR}[limits]\nfrequency_min_hz = 50\nvoltage_min_pu = 0.8\n"
        ),
    ));
    assert_eq!(verdict(&outcome, "bus_collapse").status, Status::Fail);
    let low = verdict(&outcome, "voltage_min_pu");
    assert_eq!((low.status, low.worst_value), (Status::Fail, Some(0.0)));
    assert_eq!(
        verdict(&outcome, "frequency_min_hz").status,
        Status::NotChecked
    );
    let event = outcome.events.iter().find(|e| e.kind == "collapse");
    let said = event.map_or("", |e| e.text.as_str());
    assert!(said.contains("no voltage carries the load"), "{said}");
    for values in columns.values() {
        assert!(values.iter().all(|v| v.is_finite()));
    }
}

/// What a set's alternator rests on is named like any other of its values.
#[test]
fn weak_values_of_alternators_are_named() {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus/valid/alternators.toml");
    let loaded = ballast_scenario::load(&file, &[]).unwrap_or_else(|e| panic!("{e}"));
    let low: Vec<_> = loaded
        .low_confidence
        .iter()
        .filter(|l| l.path.contains("alternator") || l.path.contains("exciter"))
        .map(|l| (l.path.as_str(), l.value.as_str()))
        .collect();
    assert!(low.contains(&("plant.sets.G1.alternator.xd1_pu", "0.25 pu")));
    let outcome = ballast_study::run(&loaded, &Inputs::default(), None, &Silent)
        .unwrap_or_else(|e| panic!("{e}"));
    assert!(outcome.plant.is_some_and(|p| p.voltage_min.is_some()));
}
