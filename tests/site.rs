//! The rest of the site through the library: reactive power, diversity, where every power is metered, racks as presets.

#![expect(clippy::panic, reason = "helpers of tests")]

use std::path::Path;

use ballast_scenario::load_str;
use ballast_study::outcome::Outcome;
use ballast_study::{Inputs, Silent};
use serde_json::Value as Json;

fn run(text: &str) -> Outcome {
    let loaded = load_str("x.toml", text, Path::new("."), &[]).unwrap_or_else(|p| panic!("{p}"));
    ballast_study::run(&loaded, &Inputs::default(), None, &Silent).unwrap_or_else(|e| panic!("{e}"))
}

const HEAD: &str =
    "[scenario]\nname = \"x\"\n[simulation]\nduration_s = 4\nstep_s = 0.004\nseed = 3\n";

/// Two groups that start their jobs at different times, a plant, limits, the rest of the site.
const SITE: &str = r#"
[[racks]]
name = "a"
count = 2
preset = "gb200-nvl72"
[[racks]]
name = "b"
count = 3
preset = "hgx-h100-4"
[[jobs]]
kind = "batch"
name = "early"
racks = ["a"]
start_s = -100
steady_s = 90
[[jobs]]
kind = "batch"
name = "late"
racks = ["b"]
start_s = -200
[[loads]]
kind = "steps"
name = "offices"
initial_kw = 30
power_factor = 0.8
[facility]
network = { kw = 20 }
ups = { rated_kw = 1000, loss_fixed = 0.01 }
cooling = { fixed_kw = 10, share = 0.1, lag_s = 30 }
transformer = { rated_kw = 1500, loss_fixed = 0.002 }
[plant]
[[plant.sets]]
preset = "generic-diesel-1000kw"
name = "G"
count = 3
[limits]
site_peak_kw = 900
rack_peak_kw = 150
set_power_max_share = 1
"#;

/// Keys of figures that are powers, energies or per power.
fn is_power(key: &str) -> bool {
    let ends = [
        "_w",
        "_kw",
        "_kva",
        "_kvar",
        "_j",
        "_w_per_gpu",
        "_w_per_s",
        "_per_mw",
    ];
    ends.iter().any(|e| key.ends_with(e))
        || ["envelope", "ramps", "steps", "load_duration", "spectrum"].contains(&key)
        || key.starts_with("power_")
        || key == "pyramid"
}

/// Powers without a `metered` beside them or above them.
fn unmetered(value: &Json, path: &str, above: bool, found: &mut Vec<String>) {
    match value {
        Json::Object(map) => {
            let stated = |m: &Json| m.as_str().is_some_and(|text| !text.is_empty());
            let here = above || map.get("metered").is_some_and(stated);
            for (key, inner) in map {
                let path = format!("{path}.{key}");
                if is_power(key) && !here {
                    found.push(path.clone());
                }
                unmetered(inner, &path, here, found);
            }
        }
        Json::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                unmetered(item, &format!("{path}.{i}"), above, found);
            }
        }
        _ => {}
    }
}

#[test]
fn every_power_of_an_outcome_says_where_it_is_metered() {
    let outcome = run(&(HEAD.to_owned() + SITE));
    let mut json = serde_json::to_value(&outcome).unwrap();
    // Inputs, not figures.
    json.as_object_mut().unwrap().remove("scenario");
    let mut found = Vec::new();
    unmetered(&json, "", false, &mut found);
    assert_eq!(found, [""; 0]);
    for verdict in outcome.verdicts.iter().filter(|v| v.unit == "kW") {
        assert!(verdict.metered.is_some(), "{}", verdict.limit);
    }
    // The check itself finds what is missing.
    json["racks"][0]["metered"] = Json::Null;
    unmetered(&json, "", false, &mut found);
    assert!(found.iter().any(|p| p == ".racks.0.envelope"), "{found:?}");
    // And the traces do, column by column.
    let columns = ballast_study::trace_columns(&outcome.scenario);
    assert_eq!(columns[1].name, "Q_bus_kvar");
    for column in columns.iter().filter(|c| ["W", "kvar"].contains(&c.unit)) {
        assert!(column.what.contains("metered: "), "{column:?}");
    }
}

#[test]
fn the_parts_of_the_site_are_reported_one_by_one() {
    let outcome = run(&(HEAD.to_owned() + SITE));
    let mean_w = |part: &str| {
        outcome
            .facility
            .iter()
            .find(|p| p.part == part)
            .unwrap()
            .mean_w
    };
    assert!((mean_w("network") - 20e3).abs() < 1e-9);
    // Defaults: 3 and 2 % of the racks' rating.
    assert!((mean_w("storage") / mean_w("management") - 1.5).abs() < 1e-12);
    assert!(mean_w("storage") > 0.0);
    let sum: f64 = outcome.facility.iter().map(|p| p.mean_w).sum();
    // The offices stand at the bus beside it.
    assert!((sum + 30e3 - outcome.site.envelope.mean).abs() < 1e-6 * sum);
    assert_eq!(outcome.facility[0].metered, "rack, AC side");
    assert!(outcome.assumptions.iter().any(|a| a.starts_with("host power of gb200-tray is metered: node, DC side of its supplies; GPU power: GPU board or module; 0.3 of")));
}

#[test]
fn apparent_power_is_active_and_reactive_power_together() {
    let loads = "[[loads]]\nkind = \"steps\"\nname = \"motors\"\ninitial_kw = 80\npower_factor = 0.8\nevents = [{ at_s = 2, power_kw = 160 }]\n\
        [[loads]]\nkind = \"steps\"\nname = \"filters\"\ninitial_kw = 30\npower_factor = -0.6\n";
    let reactive = run(&(HEAD.to_owned() + loads)).site.reactive.unwrap();
    // 160 kW with +120 kvar and 30 kW with −40 kvar: 190 kW and 80 kvar.
    let kva = 190.0_f64.hypot(80.0);
    assert!((reactive.peak_kva.value - kva).abs() < 1e-9);
    assert!((reactive.peak_kva.at_s - 2.0).abs() < 1e-9);
    assert!((reactive.power_factor_at_peak - 190.0 / kva).abs() < 1e-12);
    assert!(reactive.not_given.is_empty());
    // Half the time 80 kW less with 60 kvar less; 1001 samples, of which 500 lie before the step.
    let (w, var) = (190.0 - 80.0 * 500.0 / 1001.0, 80.0 - 60.0 * 500.0 / 1001.0);
    assert!((reactive.power_factor_mean - w / f64::hypot(w, var)).abs() < 1e-9);
    let given = loads.replace("power_factor = -0.6\n", "");
    let outcome = run(&(HEAD.to_owned() + &given));
    assert_eq!(outcome.site.reactive.unwrap().not_given, ["load filters"]);
    assert!(
        outcome
            .assumptions
            .iter()
            .any(|a| a.contains("taken as 1: load filters"))
    );
}

#[test]
fn racks_lead_and_what_rests_on_estimates_is_named() {
    let outcome = run(&(HEAD.to_owned() + SITE));
    let reactive = outcome.site.reactive.as_ref().unwrap();
    assert_eq!(
        reactive.not_given,
        [
            "network, storage and management",
            "input of the UPS",
            "cooling"
        ]
    );
    let racks = run(&(HEAD.to_owned() + &SITE[..SITE.find("[[loads]]").unwrap()]));
    let alone = racks.site.reactive.unwrap();
    // Supplies of −0.95 at light load to −0.99 at full load.
    assert!(
        (-0.99..=-0.95).contains(&alone.power_factor_mean),
        "{}",
        alone.power_factor_mean
    );
    assert!(alone.reactive_at_peak_kvar < 0.0);
    for path in [
        "racks.a.other_kw",
        "nodes.gb200-tray.host.slow_share",
        "nodes.hgx-h100.host.slow_lag_s",
        "psus.orv3-hpr-5k5.power_factor",
        "psus.titanium-3kw.power_factor_light",
        "facility.storage.share",
        "facility.management.share",
    ] {
        assert!(
            outcome.low_confidence.iter().any(|l| l.path == path),
            "{path}"
        );
    }
    assert!(
        !outcome
            .low_confidence
            .iter()
            .any(|l| l.path == "facility.network.share")
    );
}

#[test]
fn diversity_is_what_the_sums_make_it() {
    let outcome = run(&(HEAD.to_owned() + SITE));
    let d = outcome.diversity.as_ref().unwrap();
    assert!(
        d.racks.factor > 0.9 && d.racks.factor <= 1.0 + 1e-12,
        "{}",
        d.racks.factor
    );
    let groups = d.groups.as_ref().unwrap();
    assert!(groups.factor >= d.racks.factor);
    // The sum of peaks is that of the racks' own figures.
    let peaks: f64 = outcome
        .racks
        .iter()
        .flat_map(|r| &r.racks)
        .map(|r| r.envelope.max)
        .sum();
    assert!((d.racks.sum_of_peaks_w / peaks - 1.0).abs() < 1e-9);
    let in_groups: f64 = outcome
        .racks
        .iter()
        .map(|r| r.diversity.unwrap().coincident_peak_w)
        .sum();
    assert!((groups.sum_of_peaks_w / in_groups - 1.0).abs() < 1e-12);
    assert!(d.over.contains("0.004 s") && d.over.contains("1 realisation"));
    assert_eq!(d.metered, "rack, AC side");
    // Racks without anything random coincide in full.
    let still = "[[racks]]\nname = \"r\"\ncount = 3\nnode = \"hgx-h100\"\nnodes_per_rack = 2\n[gpus.h100-sxm5]\nbase = \"h100-sxm5\"\n[gpus.h100-sxm5.phases.idle]\nspread_w = 0\n";
    let outcome = run(&(HEAD.to_owned() + still));
    let factor = outcome.diversity.unwrap().racks.factor;
    assert!((factor - 1.0).abs() < 1e-12, "{factor}");
}

#[test]
fn slow_hosts_leave_the_level_and_damp_the_steps() {
    let with = |share: &str| {
        run(&format!(
            "{HEAD}[[racks]]\nname = \"r\"\ncount = 1\npreset = \"hgx-h100-4\"\n[nodes.hgx-h100]\nbase = \"hgx-h100\"\n[nodes.hgx-h100.host]\nslow_share = {share}\n\
             [[jobs]]\nkind = \"training\"\nname = \"t\"\nstart_s = -300\niteration_s = 1\ncompute_share = 0.5\n"
        ))
    };
    let (at_once, slow) = (with("0"), with("1"));
    let step = |o: &Outcome| o.design_values.steps.last().unwrap().up.delta;
    // All of 0.32 of 1.32 stays behind in steps far shorter than the 10 s.
    let ratio = step(&slow) / step(&at_once);
    assert!((ratio - 1.0 / 1.32).abs() < 0.04, "{ratio}");
}
