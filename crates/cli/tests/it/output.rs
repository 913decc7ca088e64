//! What is printed: help, verdicts on limits that nobody looked at, and what happens when it cannot be printed.

use crate::common::{Bench, SHORT};
use serde_json::Value;

#[test]
fn help_opens_with_the_question() {
    let said = Bench::new().ballast(&["--help"]);
    assert_eq!(said.code, 0);
    assert!(
        said.out.starts_with("Will this GPU cluster's power swing"),
        "{}",
        said.out
    );
    assert_eq!(Bench::new().ballast(&["fly"]).code, 2);
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_printed_is_a_failure() {
    for args in [&["schema"][..], &["presets"], &["--help"]] {
        let full = std::fs::File::options().write(true).open("/dev/full");
        let output = Bench::new()
            .command()
            .args(args)
            .stdout(full.unwrap())
            .output()
            .unwrap();
        let said = crate::common::said(&output);
        assert_eq!(said.code, 2, "{args:?}: {}", said.err);
        assert!(said.err.contains("standard output"), "{}", said.err);
    }
}

#[cfg(unix)]
#[test]
fn a_reader_that_has_seen_enough_is_none() {
    use std::process::Stdio;
    let bench = Bench::new();
    let mut child = bench
        .command()
        .arg("schema")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let said = crate::common::said(&child.wait_with_output().unwrap());
    assert_eq!((said.code, said.err.as_str()), (0, ""));
}

#[test]
fn a_limit_that_was_given_and_not_checked_is_no_pass() {
    let bench = Bench::new();
    let at = SHORT.find("[[plant.sets]]").unwrap();
    // Frequency is limited, and there is nothing that has one.
    let text = format!("{}[limits]\nfrequency_min_hz = 57.0\n", &SHORT[..at]);
    bench.write("load.toml", &text);
    let said = bench.ballast(&["run", "load.toml", "--no-figures"]);
    if said.code == 2 {
        // Refused outright is no pass either.
        assert!(said.err.contains("frequency_min_hz"), "{}", said.err);
        return;
    }
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    let row = said
        .out
        .lines()
        .find(|l| l.contains("given, not looked at"));
    let row = row.unwrap_or_else(|| panic!("{}", said.out));
    assert!(
        row.contains("NOT CHECKED") && row.contains("57 Hz"),
        "{row}"
    );
    assert!(!said.out.contains("no limit was given"), "{}", said.out);
}

#[test]
fn without_any_limit_nothing_fails() {
    let bench = Bench::new();
    let at = SHORT.find("[[plant.sets]]").unwrap();
    bench.write("load.toml", &SHORT[..at]);
    let said = bench.ballast(&["run", "load.toml", "--no-figures"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(said.out.contains("no limit was given"), "{}", said.out);
}

#[test]
fn json_lists_warnings() {
    let bench = Bench::new();
    bench.write("short.toml", SHORT);
    for command in ["run", "check"] {
        let said = bench.ballast(&[command, "short.toml", "--json"]);
        let json: Value = serde_json::from_str(&said.out).unwrap();
        assert!(json["warnings"].is_array(), "{command}: {}", said.out);
    }
}

#[test]
fn new_writes_scenario_files_only() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("dir")).unwrap();
    for name in ["dir/", "x.csv", "..", "dir/x.toml/"] {
        let said = bench.ballast(&["new", name]);
        assert_eq!(said.code, 2, "{name}: {}", said.out);
        assert!(said.err.contains(".toml"), "{}", said.err);
    }
    assert_eq!(bench.ballast(&["new", "site"]).code, 0);
    assert!(bench.path("site.toml").exists());
    assert_eq!(std::fs::read_dir(bench.dir.path()).unwrap().count(), 2);
}

#[test]
fn powers_say_where_they_are_metered_in_print_and_in_the_traces() {
    let bench = Bench::new();
    bench.write(
        "racks.toml",
        "[scenario]\nname = \"racks\"\n[simulation]\nduration_s = 1\nstep_s = 0.01\n[outputs]\nramp_windows_s = [0.1]\nrack_traces = true\n\
         [[racks]]\nname = \"nvl\"\ncount = 2\npreset = \"gb200-nvl72\"\n",
    );
    let said = bench.ballast(&["run", "racks.toml", "--no-figures", "--out", "out"]);
    assert_eq!(said.code, 0, "{}", said.err);
    for part in [
        "diversity     site over racks 1.000",
        "metered: rack, AC side",
        "leading (metered: bus)",
        "metered       site, steps, design: the bus (AC input of the racks",
    ] {
        assert!(said.out.contains(part), "{part}\n{}", said.out);
    }
    // Key-value metadata stands in the footer as plain text.
    let bytes = std::fs::read(bench.path("out").join("traces.parquet")).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    for part in [
        "column.site_w",
        "column.Q_bus_kvar",
        "column.rack_w_<rack>",
        "metered: GPU board or module",
    ] {
        assert!(text.contains(part), "{part}");
    }
}

/// A verdict on estimated constants says so and what a corner of their ranges does to it; the exit code is that of the stated values.
#[test]
fn a_verdict_on_estimates_is_indicative() {
    let bench = Bench::new();
    // The low end of the inertia lets the frequency fall below the limit, the stated value does not.
    let text = "[scenario]\nname = \"guess\"\n[simulation]\nduration_s = 6\nstep_s = 0.002\n\
        [[loads]]\nkind = \"steps\"\nname = \"block\"\ninitial_kw = 300\nevents = [{ at_s = 3, power_kw = 600 }]\n\
        [[plant.sets]]\nname = \"G\"\nrated_kw = 1000\nrated_kva = 1250\ninertia_s = 1.0\nfriction_pu = 0.1\nturbo = { enabled = false }\n\
        governor = { model = \"pi\", kp_pu = 8, ki_per_s = 4, t_s = 0.1, dead_time_s = 0.02 }\n\
        provenance = { inertia_s = { source = \"guess\", grade = \"estimated\", confidence = \"low\", low = 0.3, high = 1.2 } }\n\
        [limits]\nfrequency_min_hz = 58\nsite_peak_kw = 900\n";
    bench.write("guess.toml", text);
    let said = bench.ballast(&["run", "guess.toml", "--no-figures"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let row = |label: &str| {
        said.out
            .lines()
            .find(|l| l.contains(label) && !l.starts_with(' '))
            .unwrap_or_else(|| panic!("no {label} in {}", said.out))
            .to_owned()
    };
    assert!(row("lowest frequency").starts_with("PASS (INDICATIVE)  "));
    assert!(!row("peak power of the site").contains("INDICATIVE"));
    assert!(
        said.out
            .contains("indicative    rests on weak constants of G: inertia_s\n")
    );
    assert!(
        said.out.contains(
            "at `inertia_s = 0.3 (low)`, FAIL there; holds at 1 of 2 corners, fails at 1"
        ),
        "{}",
        said.out
    );
    let bytes = std::fs::read(bench.path("out/guess/outcome.json")).unwrap();
    let outcome: Value = serde_json::from_slice(&bytes).unwrap();
    let verdict = outcome["verdicts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|v| v["limit"] == "frequency_min_hz")
        .unwrap();
    assert_eq!(verdict["indicative"]["worst_status"], "FAIL");
    assert_eq!(
        verdict["indicative"]["rests_on"][0],
        "plant.sets.G.inertia_s"
    );
    assert_eq!(outcome["weak_constants"][0]["low"], 0.3);
}
