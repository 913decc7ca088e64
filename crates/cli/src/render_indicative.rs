//! What the table says of verdicts that rest on weak constants.

use std::collections::BTreeSet;

use ballast_study::outcome::{Verdict, WeakConstant};

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
pub(crate) fn lines(verdicts: &[Verdict], weak: &[WeakConstant], printer: &Printer) {
    let marked = || {
        verdicts
            .iter()
            .filter_map(|v| Some((v, v.indicative.as_ref()?)))
    };
    if marked().next().is_none() {
        return;
    }
    let paths: BTreeSet<&str> = marked()
        .flat_map(|(_, i)| &i.rests_on)
        .map(String::as_str)
        .collect();
    let constants: Vec<&WeakConstant> = weak
        .iter()
        .filter(|w| paths.contains(w.path.as_str()))
        .collect();
    for (set, keys) in by_set(&constants) {
        let more = match keys.len().saturating_sub(NAMED) {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        let named = keys.iter().take(NAMED).copied().collect::<Vec<_>>();
        printer.line(&format!(
            "indicative    rests on weak constants of {set}: {}{more}",
            named.join(", ")
        ));
    }
    let first = marked().next().map(|(_, i)| i);
    let Some(first) = first.filter(|i| i.corners > 0) else {
        // One sentence for all: nothing was varied.
        for (_, i) in marked().take(1) {
            printer.line(&format!("              {}", i.text));
        }
        return;
    };
    let varied = constants.iter().filter(|w| w.varied).count();
    printer.line(&format!(
        "              {varied} of {} have a range and were varied: {} corners, one constant at a time, then all at their worse ends; no bound, no probability",
        constants.len(),
        first.corners
    ));
    for (v, i) in marked() {
        printer.line(&format!("              {}: {}", v.label, i.text));
    }
}

/// Keys of the weak constants of each set, those that were varied first.
fn by_set<'a>(constants: &[&'a WeakConstant]) -> Vec<(&'a str, Vec<&'a str>)> {
    let mut sets: Vec<(&str, Vec<&str>)> = Vec::new();
    let of = |varied: bool| constants.iter().filter(move |w| w.varied == varied);
    for w in of(true).chain(of(false)) {
        match sets.iter_mut().find(|(set, _)| *set == w.set) {
            Some((_, keys)) => keys.push(&w.key),
            None => sets.push((&w.set, vec![&w.key])),
        }
    }
    sets
}
