//! What must not pass without a word.

use crate::common::{Bench, root};

fn smallest() -> String {
    std::fs::read_to_string(root().join("examples/smallest.toml")).expect("the example")
}

/// A governor of 40 times the gain on a third of the inertia: the speed governor mode grows, and nothing in the run need set it off.
#[test]
fn an_unstable_plant_fails_without_a_push() {
    let bench = Bench::new();
    let quiet = smallest().replace("events = [{ at_s = 5, power_kw = 600 }]", "events = []");
    bench.write("s.toml", &quiet);
    let set = ["--set", "plant.sets.G1.inertia_s=0.4"];
    let gain = ["--set", "plant.sets.G1.governor.k=40"];
    let all = [&["run", "s.toml", "--out", "o"][..], &set, &gain].concat();
    let said = bench.ballast(&all);
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    assert!(said.out.contains("unstable: no gain"), "{}", said.out);
    let outcome = bench.outcome("o");
    let rows = outcome["verdicts"].as_array().expect("verdicts");
    let row = rows
        .iter()
        .find(|v| v["limit"] == "stability")
        .expect("the row");
    assert_eq!(row["status"], "FAIL");
    assert_eq!(row["element"], "G1");
    assert!(row["worst_value"].as_f64().expect("a growth") > 0.001);
    assert!(
        outcome["resonance"]["unstable"][0]["damping_ratio"]
            .as_f64()
            .expect("a ratio")
            < 0.0
    );
    // And the limit on frequency holds: nothing else in the run tells of it.
    let low = rows
        .iter()
        .find(|v| v["limit"] == "frequency_min_hz")
        .expect("the row");
    assert_eq!(low["status"], "PASS");
    // As the example has it, no row and a gain.
    let said = bench.ballast(&["run", "s.toml", "--out", "p"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(
        !said.out.contains("stability") && said.out.contains("gain          at most"),
        "{}",
        said.out
    );
}

/// A limit that was given and could not be checked: the words say so as the exit code does.
#[test]
fn a_limit_nobody_could_check_is_no_pass() {
    let bench = Bench::new();
    let quiet = smallest().replace("events = [{ at_s = 5, power_kw = 600 }]", "events = []");
    bench.write("s.toml", &format!("{quiet}iso8528_column = \"G1\"\n"));
    let said = bench.ballast(&["run", "s.toml", "--out", "o"]);
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    let last = said.out.lines().rfind(|l| l.contains("realisation"));
    let last = last.expect("the summary");
    assert!(
        last.contains("NOT CHECKED") && last.contains("1 given and not checked"),
        "{last}"
    );
    assert_eq!(bench.outcome("o")["overall"], "NOT_CHECKED");
}
