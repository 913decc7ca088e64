//! A verdict per limit, and one for everything nobody looked at.
//!
//! A limit that held in every realisation is PASS, in none FAIL, in some INCONCLUSIVE. A quantile is INCONCLUSIVE when the
//! run is too short to tell it from the limit. What is not modelled is NOT CHECKED, never INCONCLUSIVE.

use ballast_aggregate::Site;
use ballast_profile::MeteringPoint;
use ballast_scenario::Scenario;
use statrs::distribution::{Beta, ContinuousCDF};

use crate::coarse::Coarse;
use crate::design;
use crate::inputs::Inputs;
use crate::merge::{Merged, PerRealisation, PlantExtremes};
use crate::outcome::{Extreme, LowConfidence, Status, Verdict};
use crate::plant_collect::VoltageExtremes;
use crate::voltage;
use crate::windows::{DWELL_S, effective_s};
use crate::words::{self, Randomness};

/// Confidence of the bounds on a quantile.
const QUANTILE_CONFIDENCE: f64 = 0.95;

/// A limit as it is looked at: which value, which side, in which words.
struct Limit<'a> {
    key: &'static str,
    label: &'static str,
    unit: &'static str,
    value: Option<f64>,
    /// Whether values above the limit break it (else values below).
    upper: bool,
    window: String,
    /// Worst value of one realisation with its element.
    worst: &'a dyn Fn(&PerRealisation) -> Option<(Extreme, String)>,
    /// Shortest horizon at which the value exists, seconds.
    needs_s: f64,
    /// Whether it is about the load alone, not about the sets.
    of_load: bool,
    /// Whether a realisation ended before the value was final.
    open: fn(&PerRealisation) -> bool,
}

/// Builds verdicts with what they all share.
struct Bench<'a> {
    scenario: &'a Scenario,
    merged: &'a Merged,
    /// What verdicts on bus and sets rest on.
    basis: String,
    /// What verdicts on the load rest on.
    load_basis: String,
}

/// Where the power that a limit is about is metered; none where it is about something else.
fn metered(limit: &str, scenario: &Scenario) -> Option<String> {
    let text = match limit {
        "site_peak_kw" => design::bus(scenario),
        "rack_peak_kw" => MeteringPoint::RackAc.text(),
        "set_power_max_share" | "set_power_min_share" | "set_reactive_min_share" => {
            MeteringPoint::Terminals.text()
        }
        _ => return None,
    };
    Some(text.to_owned())
}

impl Bench<'_> {
    fn blank(&self, key: &str, label: &str, unit: &str, basis: String) -> Verdict {
        Verdict {
            limit: key.to_owned(),
            label: label.to_owned(),
            status: Status::NotChecked,
            limit_value: None,
            worst_value: None,
            unit: unit.to_owned(),
            metered: metered(key, self.scenario),
            at_s: None,
            realisation: None,
            element: None,
            window: String::new(),
            margin: None,
            realisations: self.scenario.simulation.realisations,
            horizon_s: self.merged.horizon_s(),
            held_in: 0,
            basis,
            run: None,
        }
    }

    /// A limit nobody looked at, with its value if it was given: a reader must see that it was.
    fn unchecked(
        &self,
        key: &str,
        label: &str,
        unit: &str,
        value: Option<f64>,
        why: &str,
    ) -> Verdict {
        let mut verdict = self.blank(key, label, unit, why.to_owned());
        verdict.limit_value = value;
        verdict
    }

    fn judge(&self, limit: &Limit<'_>) -> Verdict {
        let mut verdict = self.blank(limit.key, limit.label, limit.unit, String::new());
        verdict.window.clone_from(&limit.window);
        let worst = self
            .merged
            .each
            .iter()
            .filter_map(|e| (limit.worst)(e))
            .reduce(|a, b| {
                if (b.0.value > a.0.value) == limit.upper && b.0.value != a.0.value {
                    b
                } else {
                    a
                }
            });
        if let Some((extreme, element)) = &worst {
            verdict.worst_value = Some(extreme.value);
            verdict.at_s = Some(extreme.at_s);
            verdict.realisation = Some(extreme.realisation);
            verdict.element = Some(element.clone());
        }
        let Some(value) = limit.value else {
            "no limit was given".clone_into(&mut verdict.basis);
            return verdict;
        };
        verdict.limit_value = Some(value);
        let holds = |e: &Extreme| {
            if limit.upper {
                e.value <= value
            } else {
                e.value >= value
            }
        };
        // A realisation that collapsed was followed only up to there: what had not broken by then is unknown.
        let (mut held, mut broken, mut unknown, mut open) = (0_u32, 0_u32, 0_u32, 0_u32);
        for each in &self.merged.each {
            match (limit.worst)(each) {
                Some((e, _)) if !holds(&e) => broken += 1,
                Some(_) if each.collapsed_at_s.is_none() && (limit.open)(each) => open += 1,
                Some(_) if each.collapsed_at_s.is_none() => held += 1,
                _ => unknown += 1,
            }
        }
        verdict.held_in = held;
        let Some((extreme, _)) = worst else {
            verdict.status = Status::Inconclusive;
            verdict.basis = format!(
                "the run is shorter than the {} s the value needs",
                limit.needs_s
            );
            return verdict;
        };
        verdict.margin = Some(if limit.upper {
            value - extreme.value
        } else {
            extreme.value - value
        });
        let basis = if limit.of_load {
            &self.load_basis
        } else {
            &self.basis
        };
        let n = self.merged.each.len();
        (verdict.status, verdict.basis) = match (held, broken, unknown) {
            (_, 0, _) if open > 0 => (
                Status::Inconclusive,
                format!("{open} of {n} realisations end before it is over; {basis}"),
            ),
            (_, 0, 0) => (Status::Pass, basis.clone()),
            (0, _, _) if broken > 0 => (Status::Fail, basis.clone()),
            (_, 0, _) => (
                Status::NotChecked,
                format!(
                    "the bus collapsed in {unknown} of {n} realisations: it held up to there, nobody knows beyond; {basis}"
                ),
            ),
            _ => (
                Status::Inconclusive,
                format!("held in {held} of {n} realisations; {basis}"),
            ),
        };
        verdict
    }
}

/// All verdicts, in a fixed order.
pub(crate) fn verdicts(
    scenario: &Scenario,
    inputs: &Inputs,
    site: Option<&Site>,
    merged: &Merged,
    low: &[LowConfidence],
) -> Vec<Verdict> {
    let bench = Bench {
        scenario,
        merged,
        basis: words::basis(scenario, inputs, merged, low, true),
        load_basis: words::basis(scenario, inputs, merged, low, false),
    };
    let mut all = Vec::new();
    bus_verdicts(&bench, &mut all);
    let coarse = Coarse::of(scenario, inputs, site);
    if let Coarse::All(why) = &coarse
        && scenario.plant.is_some()
    {
        for verdict in &mut all {
            only_slow(verdict, why);
        }
    }
    set_verdicts(&bench, &mut all);
    load_verdicts(&bench, inputs, site, &mut all);
    for (key, label, why) in words::not_modelled(scenario) {
        all.push(bench.blank(key, label, "", why));
    }
    if let Coarse::All(why) = coarse {
        let label = "ramps, steps and spectrum of the load";
        all.push(bench.blank("load_ramps", label, "", why));
    }
    for trace in &inputs.traces {
        all.push(bench.blank(
            "load_above_bandwidth",
            &format!("changes of `{}` faster than its samples", trace.name),
            "",
            format!(
                "the trace has {:.4} s samples: it carries nothing above {:.3} Hz, and lines between samples wear down what is near it",
                trace.series.interval_s(),
                trace.bandwidth_hz()
            ),
        ));
    }
    all
}

/// A load of slow means alone cannot show that frequency or bus hold. What it breaks all the same is broken.
fn only_slow(verdict: &mut Verdict, why: &str) {
    if matches!(verdict.status, Status::Pass | Status::Inconclusive) {
        verdict.status = Status::NotChecked;
        (verdict.worst_value, verdict.margin, verdict.held_in) = (None, None, 0);
        (verdict.at_s, verdict.realisation, verdict.element) = (None, None, None);
        verdict.basis = format!("it held for the means of a trace alone: {why}");
    }
}

fn at_bus(value: Option<Extreme>) -> Option<(Extreme, String)> {
    value.map(|e| (e, "bus".to_owned()))
}

fn bus_verdicts(bench: &Bench<'_>, all: &mut Vec<Verdict>) {
    let limits = &bench.scenario.limits;
    if bench.scenario.plant.is_none() {
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
    all.extend(rows.iter().map(|l| bench.judge(l)));
    voltage_verdicts(bench, all);
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
    v
}

fn set_verdicts(bench: &Bench<'_>, all: &mut Vec<Verdict>) {
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

fn load_verdicts(bench: &Bench<'_>, inputs: &Inputs, site: Option<&Site>, all: &mut Vec<Verdict>) {
    let limits = &bench.scenario.limits;
    if limits.site_peak_quantile < 1.0 {
        all.push(quantile_verdict(bench, inputs, site));
    } else {
        all.push(bench.judge(&Limit {
            key: "site_peak_kw",
            label: "highest power of the site",
            unit: "kW",
            value: limits.site_peak_kw,
            upper: true,
            window: "instant".to_owned(),
            worst: &|e| at_bus(e.site_peak.map(kilowatts)),
            needs_s: 0.0,
            of_load: true,
            open: |_| false,
        }));
    }
    let Some(site) = site else {
        all.push(bench.unchecked(
            "rack_peak_kw",
            "highest power of a rack",
            "kW",
            limits.rack_peak_kw,
            "the scenario has no racks (a trace is not split into racks)",
        ));
        return;
    };
    all.push(bench.judge(&Limit {
        key: "rack_peak_kw",
        label: "highest power of a rack",
        unit: "kW",
        value: limits.rack_peak_kw,
        upper: true,
        window: "instant".to_owned(),
        worst: &|e| {
            let worst = e
                .rack_worst
                .iter()
                .flatten()
                .reduce(|a, b| if b.0.value > a.0.value { b } else { a })?;
            Some((kilowatts(worst.0), site.rack_name(worst.1).to_owned()))
        },
        needs_s: 0.0,
        of_load: true,
        open: |_| false,
    }));
}

fn kilowatts(e: Extreme) -> Extreme {
    Extreme {
        value: e.value / 1e3,
        ..e
    }
}

/// Verdict on a quantile of the site's power over time.
///
/// The run holds `n = total time / decorrelation time` independent looks. The share of time above the limit then has
/// Clopper–Pearson bounds; the verdict is INCONCLUSIVE while the allowed share lies between them. A load without
/// randomness has no such bounds: the quantile is that of the stated horizon.
fn quantile_verdict(bench: &Bench<'_>, inputs: &Inputs, site: Option<&Site>) -> Verdict {
    let limits = &bench.scenario.limits;
    let q = limits.site_peak_quantile;
    let mut v = bench.blank(
        "site_peak_kw",
        "peak power of the site",
        "kW",
        "no limit was given".to_owned(),
    );
    v.window = format!("{} % of time", q * 100.0);
    v.element = Some("bus".to_owned());
    let value_kw = bench.merged.site.quantile(q).map(|w| w / 1e3);
    v.worst_value = value_kw;
    let (Some(limit_kw), Some(value_kw)) = (limits.site_peak_kw, value_kw) else {
        return v;
    };
    v.limit_value = Some(limit_kw);
    v.margin = Some(limit_kw - value_kw);
    let randomness = site.map_or(Randomness::None, |s| words::randomness(bench.scenario, s));
    let above = bench.merged.site.share_above(limit_kw * 1e3);
    let allowed = 1.0 - q;
    let looks = match randomness {
        Randomness::None => None,
        Randomness::Fluctuation { decorrelation_s } => Some((
            bench.merged.total_s() / decorrelation_s,
            format!("{decorrelation_s:.2} s apart"),
        )),
        Randomness::OnceARun => Some((
            bench.merged.each.len() as f64,
            "one a realisation: jobs start at random times".to_owned(),
        )),
    };
    let (status, how) = match looks {
        None => (
            if above <= allowed {
                Status::Pass
            } else {
                Status::Fail
            },
            "the load has no randomness: quantile of this horizon".to_owned(),
        ),
        Some((looks, apart)) => {
            let n = looks.max(1.0);
            let (low, high) = share_bounds(above * n, n);
            let status = if high <= allowed {
                Status::Pass
            } else if low > allowed {
                Status::Fail
            } else {
                Status::Inconclusive
            };
            let words = format!(
                "{n:.0} independent looks ({apart}): share of time above the limit at least {:.4} % and at most {:.4} %, each with 95 % confidence, allowed {:.4} %",
                low * 100.0,
                high * 100.0,
                allowed * 100.0
            );
            (status, words)
        }
    };
    let each = &bench.merged.each;
    v.held_in = each
        .iter()
        .filter(|e| e.site_quantile_w.is_some_and(|w| w <= limit_kw * 1e3))
        .count() as u32;
    let collapsed = each.iter().any(|e| e.collapsed_at_s.is_some());
    let (status, how) = match status {
        Status::Pass if collapsed => (
            Status::NotChecked,
            format!("the bus collapsed; up to there: {how}"),
        ),
        _ => (status, how),
    };
    v.status = status;
    let advice = if status == Status::Inconclusive {
        "; a longer run or more realisations would tell"
    } else {
        ""
    };
    let coincidence = if inputs.traces.is_empty() {
        ""
    } else {
        "; traces repeat as measured"
    };
    v.basis = format!("{how}{advice}{coincidence}; {}", bench.load_basis);
    v
}

/// Clopper–Pearson bounds of a share of which `k` of `n` looks showed it (both may be fractional).
fn share_bounds(k: f64, n: f64) -> (f64, f64) {
    let tail = 1.0 - QUANTILE_CONFIDENCE;
    let bound = |a: f64, b: f64, p: f64| Beta::new(a, b).map(|d| d.inverse_cdf(p)).ok();
    let low = if k <= 0.0 {
        Some(0.0)
    } else {
        bound(k, n - k + 1.0, tail)
    };
    let high = if k >= n {
        Some(1.0)
    } else {
        bound(k + 1.0, n - k, 1.0 - tail)
    };
    (low.unwrap_or(0.0), high.unwrap_or(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_follow_the_rule_of_three() {
        let (low, high) = share_bounds(0.0, 1000.0);
        assert_eq!(low, 0.0);
        assert!((high - 0.003).abs() < 1e-4, "{high}");
        assert_eq!(share_bounds(10.0, 10.0).1, 1.0);
    }
}
