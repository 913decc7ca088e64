//! Contingencies as a user sees them.

use crate::common::{Bench, SHORT};
use serde_json::Value;

const ASKED: &str = "[[contingencies]]\nkind = \"set_trip\"\nafter_s = 0.3\n\
                     [[contingencies]]\nkind = \"load_rejection\"\nafter_s = 0.3\nshare = 0.2\nname = \"a fifth goes\"\n";

#[test]
fn each_has_its_block_and_counts_for_the_exit_code() {
    let bench = Bench::new();
    // A second set, so that there is a survivor; and the one set alone.
    bench.write("two.toml", &format!("{SHORT}{ASKED}"));
    let said = bench.ballast(&["run", "two.toml", "--set", "plant.sets.G1.count=3"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    for part in [
        "N−1: loss of the set that carries most",
        "load rejection: a fifth goes",
        "\nfailure ",
        "\nreserve ",
        "\ntried ",
    ] {
        assert!(
            said.out.contains(part),
            "`{part}` is missing from: {}",
            said.out
        );
    }
    let one = bench.ballast(&["run", "two.toml", "--no-figures", "--json"]);
    assert_eq!(one.code, 1, "{}{}", one.out, one.err);
    let json: Value = serde_json::from_str(&one.out).unwrap();
    assert_eq!(json.pointer("/overall").unwrap(), "FAIL");
    assert_eq!(json.pointer("/contingencies/0/overall").unwrap(), "FAIL");
    assert_eq!(json.pointer("/contingencies/1/overall").unwrap(), "PASS");
    let summary = json.pointer("/contingencies/0/summary").unwrap();
    assert!(
        summary.as_str().unwrap().contains("last source"),
        "{summary}"
    );
    assert!(json.pointer("/reserve/survivors_share").unwrap().is_null());
    // The run itself is not touched by what is asked about it.
    bench.write("none.toml", SHORT);
    bench.ballast(&["run", "none.toml", "--no-figures", "--out", "out/none"]);
    let (with, without) = (bench.outcome("out/short"), bench.outcome("out/none"));
    for part in ["/site", "/plant", "/design_values", "/racks"] {
        assert_eq!(with.pointer(part), without.pointer(part), "{part}");
    }
}
