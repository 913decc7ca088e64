//! Whatever stands in a file or a `--set`, loading answers with a scenario or with problems.

use std::path::Path;

use ballast_scenario::{Patch, load_str, starter};
use proptest::prelude::*;

fn answers(text: &str, patches: &[Patch]) {
    if let Err(problems) = load_str("x.toml", text, Path::new("."), patches) {
        assert!(!problems.0.is_empty());
    }
}

/// The starter with some of its lines taken out, doubled, or changed in one place.
fn mutated(changes: &[(usize, u8, char)]) -> String {
    let mut lines: Vec<String> = starter("x").lines().map(str::to_owned).collect();
    for (at, how, c) in changes {
        let at = at % lines.len();
        match how % 5 {
            0 => {
                lines.remove(at);
            }
            1 => lines.insert(at, lines[at].clone()),
            2 => {
                lines[at] = lines[at].replacen("# ", "", 1);
            }
            3 => lines[at].push(*c),
            _ => {
                let middle = lines[at]
                    .char_indices()
                    .map(|(i, _)| i)
                    .nth(lines[at].chars().count() / 2)
                    .unwrap_or(0);
                lines[at].insert(middle, *c);
            }
        }
    }
    lines.join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn on_any_text(text in ".{0,200}") {
        answers(&text, &[]);
    }

    #[test]
    fn on_text_of_tomls_own_characters(text in "[\\[\\]{}.=\"'#\\n ab0-9,_:+-]{0,120}") {
        answers(&text, &[]);
    }

    #[test]
    fn on_a_changed_starter(changes in prop::collection::vec((any::<usize>(), any::<u8>(), any::<char>()), 1..6)) {
        answers(&mutated(&changes), &[]);
    }

    #[test]
    fn on_any_patch(path in "(plant|sets|0|G|gpus|b200|racks|loads|jobs|base|preset|name|\\.|\"|[a-z]){1,12}", value in ".{0,12}") {
        answers(&starter("x"), &[Patch { path, value }]);
    }

    #[test]
    fn on_numbers_of_any_size(key in prop::sample::select(vec!["simulation.duration_s", "simulation.step_s", "simulation.seed", "racks.0.count", "racks.0.nodes_per_rack", "jobs.0.iteration_s", "jobs.0.gpus", "plant.sets.G.inertia_s", "plant.sets.G.count", "plant.sets.G.governor.k", "loads.0.initial_kw", "gpus.b200.tdp_w.value"]), value in any::<f64>(), whole in any::<i64>()) {
        answers(&starter("x"), &[Patch { path: key.to_owned(), value: format!("{value:?}") }]);
        // Sites of any size are built by the loader to check them; keep those small.
        let whole = if key.starts_with("racks") { whole % 50 } else { whole };
        answers(&starter("x"), &[Patch { path: key.to_owned(), value: whole.to_string() }]);
    }
}
