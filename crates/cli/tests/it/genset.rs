//! `ballast genset fit` as a user meets it.

use crate::common::{Bench, root};
use serde_json::Value;

#[test]
fn the_example_is_fitted_and_written() {
    let bench = Bench::new();
    let file = root().join("examples/genset-fit/fit.toml");
    let file = file.to_str().unwrap();
    let said = bench.ballast(&["genset", "fit", file, "--out", "set.toml", "--json"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let json: Value = serde_json::from_str(&said.out).unwrap();
    // What stands in the head of the file.
    for (key, truth) in [
        ("inertia_s", 0.72),
        ("governor.k", 19.0),
        ("turbo.acceptance_pu", 0.36),
        ("turbo.time_constant_s", 2.1),
    ] {
        let all = json["fit"]["parameters"].as_array().unwrap();
        let p = all.iter().find(|p| p["key"] == key).unwrap();
        let value = p["value"].as_f64().unwrap();
        assert_eq!(p["outcome"], "identified", "{p}");
        assert!((value / truth - 1.0).abs() < 0.15, "{key}: {value}");
    }
    let written = String::from_utf8(bench.read("set.toml")).unwrap();
    assert_eq!(json["fit"]["preset_toml"], written.as_str());
    let again = bench.ballast(&["genset", "fit", file, "--out", "set.toml"]);
    assert_eq!(again.code, 2);
    assert!(again.err.contains("exists already"), "{}", again.err);
}

#[test]
fn bad_input_is_named_with_its_line() {
    let bench = Bench::new();
    bench.write("steps.csv", "t_s,f_hz\n0,60\n1,60\n");
    bench.write(
        "fit.toml",
        "name = \"G\"\nrated_kw = 1000\nrated_kva = 1250\n[[steps]]\nfrom_share = 0.2\nstep_share = 0\ndip_percent = 2\n[[recordings]]\nfile = \"no.csv\"\n",
    );
    let said = bench.ballast(&["genset", "fit", "fit.toml"]);
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("fit.toml:6") && said.err.contains("no.csv"),
        "{}",
        said.err
    );
    bench.write(
        "fit.toml",
        "name = \"G\"\nrated_kw = \"1 MW\"\nrated_kva = 1250\nrpm = 3\n",
    );
    let said = bench.ballast(&["genset", "fit", "fit.toml"]);
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("fit.toml:2") && said.err.contains("fit.toml:4"),
        "{}",
        said.err
    );
    bench.write(
        "fit.toml",
        "name = \"G\"\nrated_kw = 1000\nrated_kva = 1250\n",
    );
    let said = bench.ballast(&["genset", "fit", "fit.toml", "--csv", "steps.csv"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("no column p_kw"), "{}", said.err);
}

/// One small step: fitted as far as it goes, and what it cannot say is said.
#[test]
fn what_cannot_be_told_is_named() {
    let bench = Bench::new();
    bench.write(
        "fit.toml",
        "name = \"G\"\nrated_kw = 2000\nrated_kva = 2500\n[[steps]]\nfrom_share = 0\nstep_share = 0.2\ndip_percent = 1.3\nrecovery_s = 0.8\nband_percent = 0.5\n",
    );
    let said = bench.ballast(&["genset", "fit", "fit.toml"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(
        said.out.contains("not identified, default kept:"),
        "{}",
        said.out
    );
    assert!(
        said.out
            .contains("turbo.acceptance_pu: no step reaches the turbo ceiling"),
        "{}",
        said.out
    );
    assert!(said.out.contains("[provenance]"), "{}", said.out);
}

/// A set that goes down in every step the file gives, whatever is fitted: nothing to converge to. Exit code 3, and what was found all the same.
#[test]
fn a_fit_that_does_not_converge_is_a_numerical_failure() {
    let bench = Bench::new();
    bench.write(
        "fit.toml",
        "name = \"G\"\nrated_kw = 2000\nrated_kva = 2500\n[values]\n\"turbo.acceptance_pu\" = 0.02\n\"turbo.time_constant_s\" = 100\n\
         [[free]]\nkey = \"inertia_s\"\n[[steps]]\nfrom_share = 0\nstep_share = 0.9\ndip_percent = 9\nrecovery_s = 4\nband_percent = 0.5\n",
    );
    let said = bench.ballast(&["genset", "fit", "fit.toml", "--json"]);
    assert_eq!(said.code, 3, "{}{}", said.out, said.err);
    let json: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(json["exit_code"], 3);
    assert_eq!(json["fit"]["converged"], false);
    let said = bench.ballast(&["genset", "fit", "fit.toml"]);
    assert_eq!(said.code, 3);
    assert!(said.out.contains("NO CONVERGENCE"), "{}", said.out);
}

/// What a fit writes is a preset that a scenario names by its path.
#[test]
fn a_fitted_set_runs_in_a_scenario() {
    let bench = Bench::new();
    let file = root().join("examples/genset-fit/fit.toml");
    let said = bench.ballast(&[
        "genset",
        "fit",
        file.to_str().unwrap(),
        "--out",
        "my-set.toml",
    ]);
    assert_eq!(said.code, 0, "{}", said.err);
    bench.write(
        "x.toml",
        "[scenario]\nname = \"x\"\n[simulation]\nduration_s = 6\n[[loads]]\nkind = \"steps\"\nname = \"l\"\ninitial_kw = 500\n\
         events = [{ at_s = 2, power_kw = 900 }]\n[[plant.sets]]\nname = \"G\"\npreset = \"./my-set.toml\"\n[limits]\nfrequency_min_hz = 57\n",
    );
    let said = bench.ballast(&["run", "x.toml", "--out", "o"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(
        said.out.contains("load steps the sets accept"),
        "{}",
        said.out
    );
    assert!(
        said.out
            .contains("step event    2.000 s, load step 25 → 45 %"),
        "{}",
        said.out
    );
    assert!(said.out.contains("fuel G"), "{}", said.out);
    let outcome = bench.outcome("o");
    let set = &outcome["scenario"]["plant"]["sets"][0];
    let inertia_s = set["inertia_s"].as_f64().unwrap();
    assert!((inertia_s / 0.72 - 1.0).abs() < 0.15, "{inertia_s}");
    assert!(
        set["provenance"]["inertia_s"]["source"]
            .as_str()
            .unwrap()
            .contains("fit"),
        "{set}"
    );
    // Another inertia in the file is another scenario; an error in the file is told there.
    let sha = |o: &Value| {
        o["provenance"]["scenario_sha256"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let text = String::from_utf8(bench.read("my-set.toml")).unwrap();
    let line = text.lines().find(|l| l.starts_with("inertia_s")).unwrap();
    bench.write(
        "my-set.toml",
        &text.replacen(line, &format!("inertia_s = {}", inertia_s + 1e-4), 1),
    );
    assert_eq!(bench.ballast(&["run", "x.toml", "--out", "p"]).code, 0);
    assert_ne!(sha(&outcome), sha(&bench.outcome("p")));
    bench.write("my-set.toml", &text.replacen(line, "inertia_s = -1", 1));
    let said = bench.ballast(&["run", "x.toml", "--out", "q"]);
    let at = 1 + text.lines().position(|l| l == line).unwrap();
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains(&format!("my-set.toml:{at}")),
        "{}",
        said.err
    );
}
