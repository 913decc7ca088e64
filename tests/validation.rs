//! The figures of `docs/validation.md`: what it says was simulated comes out, and what it says was measured stands in the traces.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use ballast_gen::validation::{
    MEASURED, PAGE, facts, folder, judge, measure, page, read_facts, simulate,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[expect(clippy::panic, reason = "helpers of tests")]
fn read(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// Every simulated figure is computed anew; the measured ones are those of the file.
#[test]
fn the_page_shows_what_comes_out() {
    let measured = read_facts(&read(MEASURED)).unwrap();
    let simulated = simulate(&root()).unwrap();
    let text = read(PAGE);
    let fresh = page(&text, &measured, &simulated).unwrap();
    let stale = text.lines().zip(fresh.lines()).find(|(a, b)| a != b);
    assert!(
        text == fresh,
        "{PAGE} is stale (`cargo run -p ballast-gen -- --validation`): {stale:?}"
    );
    // What must go on agreeing, and what is known not to: a change of either is news for the page's prose.
    let judged = judge(&measured, &simulated).unwrap();
    let of = |column: &str, label: &str| {
        let one = judged
            .iter()
            .find(|j| j.column == column && j.label == label);
        one.unwrap().agrees
    };
    let presets = "Powers of the presets";
    assert_eq!(of(presets, "upper level / idle"), Some(true));
    assert_eq!(of(presets, "lower level / idle"), Some(false));
    let levels = "Lower level taken from the trace";
    assert_eq!(of(levels, "lower level / idle"), None);
    assert_eq!(of(levels, "coefficient of variation"), Some(true));
    assert_eq!(of(levels, "its amplitude, of mean"), Some(true));
    assert_eq!(of("Simulated", "largest rise in 1 ms"), Some(true));
}

/// Where the traces are at hand. Written past the harness, which would swallow it: a check that was not made must be seen.
#[test]
fn the_measured_figures_stand_in_the_traces_or_this_is_skipped() {
    let Some(traces) = folder() else {
        let said = "SKIPPED: no measured traces (BALLAST_SHARED): the measured figures of docs/validation.md were not recomputed";
        writeln!(std::io::stderr(), "{said}").unwrap();
        return;
    };
    let (fresh, kept) = (
        measure(&traces).unwrap(),
        read_facts(&read(MEASURED)).unwrap(),
    );
    assert!(fresh.keys().eq(kept.keys()));
    for (name, value) in &fresh {
        // Six digits are kept; the last bits of a spectrum are the platform's.
        let off = (value - kept[name]).abs();
        assert!(
            off <= 2e-5 * value.abs() + 1e-9,
            "{name}: {value}, the file has {}",
            kept[name]
        );
    }
    assert_eq!(read_facts(&facts(&kept)).unwrap(), kept);
}
