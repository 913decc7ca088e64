//! What the table says of verdicts that rest on weak constants.

use ballast_study::outcome::{Outcome, Verdict};

use crate::printer::Printer;

/// Constants that are named; the rest are counted.
const NAMED: usize = 6;

/// As it stands in the table: `PASS`, or `PASS (INDICATIVE)`.
pub(crate) fn status(v: &Verdict) -> String {
    if v.indicative.is_some() {
        format!("{} (INDICATIVE)", v.status.label())
    } else {
        v.status.label().to_owned()
    }
}

/// Below the table: what the marked verdicts rest on, and how each comes out over the ranges.
pub(crate) fn lines(outcome: &Outcome, printer: &Printer) {
    let marked = || {
        outcome
            .verdicts
            .iter()
            .filter_map(|v| Some((v, v.indicative.as_ref()?)))
    };
    if marked().next().is_none() {
        return;
    }
    let engine: Vec<&str> = outcome
        .weak_constants
        .iter()
        .filter(|w| !w.of_voltage)
        .map(|w| w.path.as_str())
        .collect();
    let more = match engine.len().saturating_sub(NAMED) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let named = engine.iter().take(NAMED).copied().collect::<Vec<_>>();
    let voltage = match outcome.weak_constants.len() - engine.len() {
        0 => String::new(),
        n => format!("; voltage on {n} of alternator and exciter"),
    };
    printer.line(&format!(
        "indicative    rests on weak constants: {}{more}{voltage}",
        named.join(", ")
    ));
    for (v, i) in marked() {
        printer.line(&format!("indicative    {}: {}", v.label, i.text));
    }
}
