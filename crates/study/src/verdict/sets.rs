//! Limits on the power of the sets.

use crate::merge::PerRealisation;
use crate::outcome::{Extreme, Verdict};
use crate::verdict::{Bench, Limit};
use crate::voltage;
use crate::windows::effective_s;

pub(super) fn set_verdicts(bench: &Bench<'_>, all: &mut Vec<Verdict>) {
    let limits = &bench.scenario.limits;
    let Some(spec) = &bench.scenario.plant else {
        for (key, label, value) in [
            (
                "set_power_max_share",
                "highest power of a set",
                limits.set_power_max_share,
            ),
            (
                "set_power_min_share",
                "lowest power of a set",
                limits.set_power_min_share,
            ),
        ] {
            all.push(bench.unchecked(key, label, "of rated", value, "the scenario has no plant"));
        }
        reactive_verdict(bench, &|_| None, all);
        return;
    };
    let of_sets = |e: &PerRealisation,
                   highest: bool,
                   f: &dyn Fn(&crate::merge::SetExtremes) -> Option<Extreme>| {
        let plant = e.plant.as_ref()?;
        let mut best: Option<(Extreme, String)> = None;
        for (set, figures) in spec.sets.iter().zip(&plant.sets) {
            if let Some(x) = f(figures)
                && best.as_ref().is_none_or(|(b, _)| {
                    if highest {
                        x.value > b.value
                    } else {
                        x.value < b.value
                    }
                })
            {
                best = Some((x, set.name.clone()));
            }
        }
        best
    };
    let rows = [
        Limit {
            key: "set_power_max_share",
            label: "highest power of a set",
            unit: "of rated",
            value: limits.set_power_max_share,
            upper: true,
            window: "instant".to_owned(),
            worst: &|e| of_sets(e, true, &|s| s.high),
            needs_s: 0.0,
            of_load: false,
            open: |_| false,
        },
        Limit {
            key: "set_power_min_share",
            label: "lowest power of a set",
            unit: "of rated",
            value: limits.set_power_min_share,
            upper: false,
            window: format!(
                "mean over {} s",
                effective_s(
                    limits.set_power_min_window_s,
                    bench.scenario.simulation.plant_step()
                )
            ),
            worst: &|e| of_sets(e, false, &|s| s.low_mean),
            needs_s: limits.set_power_min_window_s,
            of_load: false,
            open: |_| false,
        },
    ];
    all.extend(rows.iter().map(|l| bench.judge(l)));
    reactive_verdict(bench, &|e| of_sets(e, false, &|s| s.reactive_low), all);
}

/// Least reactive power of a set. Without alternators it is told only if it was given.
fn reactive_verdict(
    bench: &Bench<'_>,
    worst: &dyn Fn(&PerRealisation) -> Option<(Extreme, String)>,
    all: &mut Vec<Verdict>,
) {
    let (key, label) = ("set_reactive_min_share", "least reactive power of a set");
    let value = bench.scenario.limits.set_reactive_min_share;
    if voltage::looked_at(bench.scenario) {
        all.push(bench.judge(&Limit {
            key,
            label,
            unit: "of rated kVA",
            value,
            upper: false,
            window: "instant".to_owned(),
            worst,
            needs_s: 0.0,
            of_load: false,
            open: |_| false,
        }));
    } else if value.is_some() {
        let why = voltage::NO_ALTERNATORS;
        all.push(bench.unchecked(key, label, "of rated kVA", value, why));
    }
}
