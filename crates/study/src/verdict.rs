//! A verdict per limit, and one for everything nobody looked at.
//!
//! A limit that held in every realisation is PASS, in none FAIL, in some INCONCLUSIVE. A quantile is INCONCLUSIVE when the
//! run is too short to tell it from the limit. What is not modelled is NOT CHECKED, never INCONCLUSIVE.

mod bus;
mod contingency;
mod load;
mod load_limits;
mod quantile;
mod resonance;
mod sets;
mod stability;
mod steps;

pub(crate) use contingency::contingency_verdicts;

use ballast_aggregate::Site;
use ballast_profile::MeteringPoint;
use ballast_scenario::Scenario;

use crate::coarse::Coarse;
use crate::design;
use crate::indicative::{AtCorner, Case, Plan, Rest, indicative};
use crate::inputs::Inputs;
use crate::merge::{Merged, PerRealisation};
use crate::outcome::{Extreme, LowConfidence, ResonanceKpis, Status, Verdict};
use crate::words;

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
    /// What is weak in the sets.
    plan: &'a Plan,
    /// For each corner of the plan what came of it.
    corners: &'a [Vec<AtCorner>],
}

/// Where the power that a limit is about is metered; none where it is about something else.
fn metered(limit: &str, scenario: &Scenario) -> Option<String> {
    let text = match limit {
        "site_peak_kw" => design::bus(scenario),
        key if key.starts_with("load.") && key != "load.flicker_pst" => design::bus(scenario),
        "rack_peak_kw" => MeteringPoint::RackAc.text(),
        "set_power_max_share"
        | "set_power_min_share"
        | "set_reactive_min_share"
        | "survivor_power_max_share" => MeteringPoint::Terminals.text(),
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
            contingency: None,
            struck_at_s: None,
            indicative: None,
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

    /// A maximum over a window that is longer than the run: a whole window could only have shown more, so that it held says nothing.
    fn whole_windows(&self, window_s: f64, mut verdict: Verdict) -> Verdict {
        let run_s = self.merged.horizon_s();
        if verdict.status == Status::Pass && window_s > run_s * (1.0 + 1e-9) {
            verdict.status = Status::Inconclusive;
            (verdict.held_in, verdict.indicative) = (0, None);
            verdict.basis = format!(
                "the run of {run_s} s is shorter than the window of {window_s} s, which could only show more; {}",
                verdict.basis
            );
        }
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
        let stated = extreme;
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
        if let (false, Some(rest)) = (limit.of_load, Rest::of(limit.key, self.scenario)) {
            let case = Case {
                rest,
                unit: limit.unit,
                limit: Some(value),
                upper: limit.upper,
                status: verdict.status,
                stated: Some(stated),
                worst: limit.worst,
                open: limit.open,
            };
            verdict.indicative = indicative(self.plan, self.corners, &case);
        }
        verdict
    }
}

/// All verdicts, in a fixed order.
pub(crate) fn verdicts(
    scenario: &Scenario,
    inputs: &Inputs,
    site: Option<&Site>,
    merged: &Merged,
    resonances: Option<&ResonanceKpis>,
    low: &[LowConfidence],
    plan: &Plan,
) -> Vec<Verdict> {
    let bench = Bench {
        scenario,
        merged,
        basis: words::basis(scenario, inputs, merged, low, true),
        load_basis: words::basis(scenario, inputs, merged, low, false),
        plan,
        corners: &merged.corners.corners,
    };
    let mut all = Vec::new();
    bus::bus_verdicts(&bench, &mut all);
    let coarse = Coarse::of(scenario, inputs, site);
    if let Coarse::All(why) = &coarse
        && scenario.plant.is_some()
    {
        for verdict in &mut all {
            only_slow(verdict, why);
        }
    }
    all.extend(stability::stability_verdict(&bench, resonances));
    all.extend(resonance::resonance_verdict(&bench, resonances));
    sets::set_verdicts(&bench, &mut all);
    contingency::no_survivors(&bench, &mut all);
    steps::step_verdicts(&bench, &coarse, &mut all);
    load::load_verdicts(&bench, inputs, site, &mut all);
    load_limits::load_limit_verdicts(&bench, inputs, &coarse, &mut all);
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
        verdict.indicative = None;
        (verdict.worst_value, verdict.margin, verdict.held_in) = (None, None, 0);
        (verdict.at_s, verdict.realisation, verdict.element) = (None, None, None);
        verdict.basis = format!("it held for the means of a trace alone: {why}");
    }
}

fn at_bus(value: Option<Extreme>) -> Option<(Extreme, String)> {
    value.map(|e| (e, "bus".to_owned()))
}
