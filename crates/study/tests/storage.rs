//! Storage in racks from end to end: what it does, what it costs, and what is missing where it cannot do it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::path::Path;

use ballast_scenario::load_str;
use ballast_study::outcome::Outcome;
use ballast_study::{Inputs, Silent};

/// Four GB300 racks that train in iterations of `iteration_s`, with `lines` for their storage.
fn outcome(iteration_s: f64, lines: &str) -> Outcome {
    let text = format!(
        r#"[scenario]
name = "storage"
[simulation]
duration_s = 30
step_s = 0.002
[[racks]]
name = "r"
count = 4
preset = "gb300-nvl72"
{lines}
[[jobs]]
kind = "training"
name = "t"
racks = ["r"]
start_s = -100
iteration_s = {iteration_s}
compute_share = 0.6
"#
    );
    let loaded = load_str("s.toml", &text, Path::new("."), &[]).unwrap_or_else(|p| panic!("{p}"));
    ballast_study::run(&loaded, &Inputs::default(), None, &Silent).unwrap()
}

const SHELF: &str = "[racks.storage]\npreset = \"gb300-shelf\"";

#[test]
fn show() {
    for iteration_s in [0.25, 0.5, 1.0, 2.5] {
        let o = outcome(iteration_s, SHELF);
        println!("{iteration_s} {:#?} {:?}", o.storage, o.holdup);
        for d in &o.diagnostics {
            println!("{}: {}", d.code, d.text);
        }
        let n = outcome(iteration_s, "");
        println!("{:?} {:?}", n.holdup, n.site.energy_j / o.site.energy_j);
    }
}
