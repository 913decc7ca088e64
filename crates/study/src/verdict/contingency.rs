//! Verdicts of the run of a contingency: bus and sets, and what the survivors carry.

use ballast_aggregate::Site;
use ballast_plant::PlantSpec;
use ballast_scenario::Scenario;

use super::{Bench, Limit, bus, only_slow, sets};
use crate::coarse::Coarse;
use crate::indicative::{AtCorner, Plan};
use crate::inputs::Inputs;
use crate::merge::{Merged, PerRealisation};
use crate::outcome::{Extreme, LowConfidence, Verdict};
use crate::windows::effective_s;
use crate::words;

const SURVIVORS: (&str, &str, &str) = (
    "survivor_power_max_share",
    "power of the survivors",
    "of rated",
);

/// All verdicts on bus and sets, in a fixed order. The load is the run's, which judges it. `corners`: for each corner of the plan what came of it.
pub(crate) fn contingency_verdicts(
    scenario: &Scenario,
    inputs: &Inputs,
    site: Option<&Site>,
    merged: &Merged,
    low: &[LowConfidence],
    (plan, corners): (&Plan, &[Vec<AtCorner>]),
) -> Vec<Verdict> {
    let bench = Bench {
        scenario,
        merged,
        plan,
        corners,
        basis: words::basis(scenario, inputs, merged, low, true),
        load_basis: String::new(),
    };
    let mut all = Vec::new();
    bus::bus_verdicts(&bench, &mut all);
    if let Coarse::All(why) = &Coarse::of(scenario, inputs, site) {
        for verdict in &mut all {
            only_slow(verdict, why);
        }
    }
    sets::set_verdicts(&bench, &mut all);
    let trips = |e: &PerRealisation| {
        let struck = e.strike.as_ref().and_then(|s| s.struck.as_ref());
        struck.is_some_and(|s| s.tripped.is_some())
    };
    if merged.each.iter().any(trips) {
        all.push(survivors(&bench));
    }
    all
}

fn survivors(bench: &Bench<'_>) -> Verdict {
    let (key, label, unit) = SURVIVORS;
    let limits = &bench.scenario.limits;
    let names = bench.scenario.plant.as_ref().map_or(&[][..], |p| &p.sets);
    let worst = |e: &PerRealisation| -> Option<(Extreme, String)> {
        let groups = e.strike.as_ref()?.groups.iter().zip(names);
        groups
            .filter_map(|(group, set)| Some((group.high_mean?, set.name.clone())))
            .reduce(|a, b| if b.0.value > a.0.value { b } else { a })
    };
    let window_s = limits.survivor_window_s();
    if bench
        .merged
        .each
        .iter()
        .all(|e| worst(e).is_none() && e.collapsed_at_s.is_some())
    {
        let why = format!("the bus was lost before a survivor had run for {window_s} s");
        return bench.unchecked(key, label, unit, limits.survivor_power_max_share, &why);
    }
    let left = |e: &PerRealisation| {
        let struck = e.strike.as_ref().and_then(|s| s.struck.as_ref());
        struck.is_none_or(|s| s.after.iter().any(|(sets, _)| *sets > 0))
    };
    let grid = |p: &PlantSpec| p.utility.is_some();
    if bench.scenario.plant.as_ref().is_some_and(grid) && !bench.merged.each.iter().any(left) {
        let why = "no set survives: the grid carries the load";
        return bench.unchecked(key, label, unit, limits.survivor_power_max_share, why);
    }
    let window_s = effective_s(window_s, bench.scenario.simulation.plant_step());
    bench.judge(&Limit {
        key,
        label,
        unit,
        value: limits.survivor_power_max_share,
        upper: true,
        window: format!("mean over {window_s} s"),
        worst: &worst,
        needs_s: window_s,
        of_load: false,
        open: |_| false,
    })
}

/// What the run itself says of the limit on survivors: nothing but that nobody looked, if it was given.
pub(super) fn no_survivors(bench: &Bench<'_>, all: &mut Vec<Verdict>) {
    let (key, label, unit) = SURVIVORS;
    let limit = bench.scenario.limits.survivor_power_max_share;
    let studied = bench
        .scenario
        .contingencies
        .iter()
        .any(ballast_scenario::ContingencySpec::is_set_trip);
    if limit.is_some() && !studied {
        let why = "no set trips: add [[contingencies]] with kind = \"set_trip\"";
        all.push(bench.unchecked(key, label, unit, limit, why));
    }
}
