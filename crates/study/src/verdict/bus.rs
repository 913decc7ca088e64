//! Limits on frequency and voltage of the bus.

use crate::indicative::{Case, Rest, indicative};
use crate::merge::{PerRealisation, PlantExtremes};
use crate::outcome::{Extreme, Status, Verdict};
use crate::plant_collect::VoltageExtremes;
use crate::verdict::{Bench, Limit, at_bus};
use crate::voltage;
use crate::windows::{DWELL_S, effective_s};

pub(super) fn bus_verdicts(bench: &Bench<'_>, all: &mut Vec<Verdict>) {
    let limits = &bench.scenario.limits;
    if bench.scenario.plant.is_none() {
        without_plant(bench, all);
        voltage_verdicts(bench, all);
        return;
    }
    let plant = |e: &PerRealisation, f: &dyn Fn(&PlantExtremes) -> Option<Extreme>| {
        at_bus(e.plant.as_ref().and_then(f))
    };
    all.push(collapse_verdict(bench));
    let rows = [
        Limit {
            key: "frequency_min_hz",
            label: "lowest frequency",
            unit: "Hz",
            value: limits.frequency_min_hz,
            upper: false,
            window: "instant".to_owned(),
            worst: &|e| plant(e, &|p| p.low),
            needs_s: 0.0,
            of_load: false,
            open: |_| false,
        },
        Limit {
            key: "frequency_max_hz",
            label: "highest frequency",
            unit: "Hz",
            value: limits.frequency_max_hz,
            upper: true,
            window: "instant".to_owned(),
            worst: &|e| plant(e, &|p| p.high),
            needs_s: 0.0,
            of_load: false,
            open: |_| false,
        },
        Limit {
            key: "frequency_swing_hz",
            label: "swing of frequency",
            unit: "Hz",
            value: limits.frequency_swing_hz,
            upper: true,
            window: format!("{} s window", limits.frequency_swing_window_s),
            worst: &|e| plant(e, &|p| p.swing),
            needs_s: 0.0,
            of_load: false,
            open: |_| false,
        },
        Limit {
            key: "rocof_hz_per_s",
            label: "rate of change of frequency",
            unit: "Hz/s",
            value: limits.rocof_hz_per_s,
            upper: true,
            window: format!(
                "{} s window",
                effective_s(
                    limits.rocof_window_s,
                    bench.scenario.simulation.plant_step()
                )
            ),
            worst: &|e| plant(e, &|p| p.rocof),
            needs_s: limits.rocof_window_s,
            of_load: false,
            open: |_| false,
        },
        Limit {
            key: "recovery_s",
            label: "time outside the recovery band",
            unit: "s",
            value: limits.recovery_s,
            upper: true,
            window: limits.recovery_band_hz.map_or_else(String::new, |b| {
                format!("±{b} Hz band, back for {DWELL_S} s")
            }),
            worst: &|e| plant(e, &|p| p.outside),
            needs_s: 0.0,
            of_load: false,
            open: |e| e.plant.as_ref().is_some_and(|p| p.outside_open),
        },
    ];
    all.extend(rows.iter().map(|l| with_window(bench, l)));
    voltage_verdicts(bench, all);
}

/// Limits on frequency, of a scenario without a plant.
fn without_plant(bench: &Bench<'_>, all: &mut Vec<Verdict>) {
    let limits = &bench.scenario.limits;
    for (key, label, unit, value) in [
        ("bus_collapse", "bus holds", "pu", None),
        (
            "frequency_min_hz",
            "lowest frequency",
            "Hz",
            limits.frequency_min_hz,
        ),
        (
            "frequency_max_hz",
            "highest frequency",
            "Hz",
            limits.frequency_max_hz,
        ),
        (
            "frequency_swing_hz",
            "swing of frequency",
            "Hz",
            limits.frequency_swing_hz,
        ),
        (
            "rocof_hz_per_s",
            "rate of change of frequency",
            "Hz/s",
            limits.rocof_hz_per_s,
        ),
        (
            "recovery_s",
            "time outside the recovery band",
            "s",
            limits.recovery_s,
        ),
    ] {
        all.push(bench.unchecked(key, label, unit, value, "the scenario has no plant"));
    }
}

/// A verdict; the swing has a window that a run may be shorter than.
fn with_window(bench: &Bench<'_>, limit: &Limit<'_>) -> Verdict {
    let verdict = bench.judge(limit);
    if limit.key == "frequency_swing_hz" {
        let window_s = bench.scenario.limits.frequency_swing_window_s;
        return bench.whole_windows(window_s, verdict);
    }
    verdict
}

/// Limits on the voltage of the bus. Without alternators only those that were given are told.
fn voltage_verdicts(bench: &Bench<'_>, all: &mut Vec<Verdict>) {
    let limits = &bench.scenario.limits;
    let keys = [
        ("voltage_min_pu", "lowest voltage", "pu"),
        ("voltage_max_pu", "highest voltage", "pu"),
        ("voltage_recovery_s", "time outside the voltage band", "s"),
    ];
    let values = [
        limits.voltage_min_pu,
        limits.voltage_max_pu,
        limits.voltage_recovery_s,
    ];
    if !voltage::looked_at(bench.scenario) {
        for ((key, label, unit), value) in keys.into_iter().zip(values) {
            if value.is_some() {
                all.push(bench.unchecked(key, label, unit, value, voltage::NO_ALTERNATORS));
            }
        }
        return;
    }
    let figure = |e: &PerRealisation, f: &dyn Fn(&VoltageExtremes) -> Option<Extreme>| {
        at_bus(e.plant.as_ref().and_then(|p| f(&p.voltage)))
    };
    let row = |i: usize, upper, window: String, worst| Limit {
        key: keys[i].0,
        label: keys[i].1,
        unit: keys[i].2,
        value: values[i],
        upper,
        window,
        worst,
        needs_s: 0.0,
        of_load: false,
        open: |_| false,
    };
    let low = |e: &PerRealisation| figure(e, &|v| v.low);
    let high = |e: &PerRealisation| figure(e, &|v| v.high);
    let outside = |e: &PerRealisation| figure(e, &|v| v.outside);
    let band = limits
        .voltage_recovery_band_pu
        .map_or_else(String::new, |b| {
            format!("±{b} pu band, back for {DWELL_S} s")
        });
    let rows = [
        row(0, false, "instant".to_owned(), &low as &dyn Fn(&_) -> _),
        row(1, true, "instant".to_owned(), &high),
        Limit {
            open: |e| e.plant.as_ref().is_some_and(|p| p.voltage.outside_open),
            ..row(2, true, band, &outside)
        },
    ];
    all.extend(rows.iter().map(|l| bench.judge(l)));
}

/// Whether the bus holds at all: checked whenever there is a plant.
fn collapse_verdict(bench: &Bench<'_>) -> Verdict {
    let mut v = bench.blank("bus_collapse", "bus holds", "pu", bench.basis.clone());
    let n = bench.merged.each.len();
    let first = bench
        .merged
        .each
        .iter()
        .find_map(|e| e.collapsed_at_s.map(|t| (t, e.realisation)));
    v.held_in = bench
        .merged
        .each
        .iter()
        .filter(|e| e.collapsed_at_s.is_none())
        .count() as u32;
    if voltage::looked_at(bench.scenario) {
        "speed within 0.5 to 1.5 pu, a voltage that carries the load, instant"
    } else {
        "speed within 0.5 to 1.5 pu, instant"
    }
    .clone_into(&mut v.window);
    v.element = Some("bus".to_owned());
    v.status = match v.held_in as usize {
        h if h == n => Status::Pass,
        0 => Status::Fail,
        h => {
            v.basis = format!("held in {h} of {n} realisations; {}", v.basis);
            Status::Inconclusive
        }
    };
    if let Some((t, r)) = first {
        v.at_s = Some(t);
        v.realisation = Some(r);
    }
    let case = Case {
        rest: Rest::Engine,
        unit: "pu",
        limit: None,
        upper: true,
        status: v.status,
        stated: None,
        worst: &|_| None,
        open: |_| false,
    };
    v.indicative = indicative(bench.plan, bench.corners, &case);
    v
}
