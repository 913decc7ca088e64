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
