//! Contingencies: each is the run again with a failure in it, looked at around the moment at which it strikes.
//!
//! Load and sets go from the start of the run with the random streams of the realisation, so that up to the failure all is as it was.
//! Without a stated time up to four moments are tried, more where the end of the run has worse ones; every verdict is the worst of all of them.

use ballast_profile::MeteringPoint;
use ballast_scenario::{ContingencySpec, Loaded, Scenario};
use rayon::prelude::*;

use crate::design;
use crate::error::StudyError;
use crate::indicative::{AtCorner, Plan};
use crate::inputs::Inputs;
use crate::merge::{Merged, worst};
use crate::moments::{MOST_MOMENTS, Moments, ReserveAt, cut_short, only_worse, shows_s};
use crate::outcome::{
    Contingency, Extreme, ReserveKpis, RunPart, SetLoading, Status, StrikeKpis, SurvivorKpis,
    TriedMoment, Verdict,
};
use crate::realisation::{Progress, Shared, run_realisation, samples};
use crate::run::{overall, simulate};
use crate::strike::{StrikePlan, StrikeResult, Struck};
use crate::verdict;
use crate::words;

/// Times that differ by less than this share are the same.
const WHOLE: f64 = 1e-6;

/// A moment at which a contingency is run.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    at_s: f64,
    /// None: in all of them.
    realisation: Option<u32>,
    why: String,
}

/// Work that the contingencies of a scenario are at most.
pub(crate) fn most_work(scenario: &Scenario) -> u64 {
    let all = scenario.contingencies.iter();
    all.map(|spec| most_work_of(spec, scenario)).sum()
}

fn most_work_of(spec: &ContingencySpec, scenario: &Scenario) -> u64 {
    let runs = match spec.at_s() {
        Some(_) => u64::from(scenario.simulation.realisations),
        None => MOST_MOMENTS as u64,
    };
    runs * Progress::work(scenario, samples(scenario))
}

/// The moments of each contingency that a run offers.
pub(crate) fn candidates(scenario: &Scenario, merged: &Merged) -> Vec<Vec<Candidate>> {
    let nominal_hz = scenario.plant.as_ref().map_or(0.0, |p| p.frequency_hz);
    let all = scenario.contingencies.iter().enumerate();
    all.map(|(index, spec)| match spec.at_s() {
        Some(at_s) => vec![Candidate {
            at_s,
            realisation: None,
            why: "the time that was stated".to_owned(),
        }],
        None => worst_moments(scenario, merged, index, nominal_hz),
    })
    .collect()
}

/// Of each way to be the worst the worst of all realisations, the first of equal ones; moments that are the same are one.
fn worst_moments(
    scenario: &Scenario,
    merged: &Merged,
    index: usize,
    nominal_hz: f64,
) -> Vec<Candidate> {
    let mut found: [Option<(Extreme, String)>; MOST_MOMENTS] = Default::default();
    for moments in merged.each.iter().filter_map(|e| e.moments.get(index)) {
        for (place, next) in moments.found(nominal_hz).enumerate() {
            let Some((next, why)) = next else { continue };
            if is_worse(moments, place, found[place].as_ref(), &next) {
                found[place] = Some((next, why));
            }
        }
    }
    only_worse(&mut found, &scenario.contingencies[index], scenario);
    let mut list: Vec<Candidate> = Vec::new();
    for (extreme, why) in found.into_iter().flatten() {
        let same = list
            .iter_mut()
            .find(|c| c.at_s == extreme.at_s && c.realisation == Some(extreme.realisation));
        match same {
            Some(candidate) => candidate.why = format!("{}; {why}", candidate.why),
            None => list.push(Candidate {
                at_s: extreme.at_s,
                realisation: Some(extreme.realisation),
                why,
            }),
        }
    }
    if list.is_empty() {
        list.push(Candidate {
            at_s: scenario.simulation.start_s,
            realisation: Some(1),
            why: "the start of the run: nothing in it came before its end".to_owned(),
        });
    }
    list
}

fn is_worse(
    moments: &Moments,
    place: usize,
    best: Option<&(Extreme, String)>,
    next: &Extreme,
) -> bool {
    best.is_none_or(|(best, _)| moments.is_worse(place, best, next))
}

/// A contingency that was run at one moment.
struct Ran {
    stretch: Scenario,
    merged: Merged,
}

/// A contingency at one moment.
struct Tried {
    moment: TriedMoment,
    stretch: Scenario,
    merged: Merged,
    verdicts: Vec<Verdict>,
    /// How far the frequency went the way the contingency drives it, hertz.
    deviation_hz: f64,
}

/// Runs all contingencies of the scenario of `base` at their moments.
pub(crate) fn study(
    loaded: &Loaded,
    base: &Shared<'_>,
    moments: &[Vec<Candidate>],
) -> Result<Vec<Contingency>, StudyError> {
    let scenario = base.scenario;
    let low = words::low_confidence(loaded, base.site);
    let mut all = Vec::with_capacity(moments.len());
    for (spec, candidates) in scenario.contingencies.iter().zip(moments) {
        let before = base.progress.done();
        let plan = plan_of(base, spec, candidates);
        let mut ran: Vec<Ran> = candidates
            .par_iter()
            .map(|candidate| run_at(base, spec, candidate, &plan))
            .collect::<Result<_, StudyError>>()?;
        // A verdict is the worst of all moments; so is what a corner says of it.
        let mut corners: Vec<Vec<AtCorner>> = Vec::new();
        corners.resize_with(plan.corners.len(), Vec::new);
        for ran in &mut ran {
            let found = &mut ran.merged.corners.corners;
            for (all, one) in corners.iter_mut().zip(found) {
                all.append(one);
            }
        }
        let tried = candidates
            .iter()
            .zip(ran)
            .map(|(candidate, ran)| judge(base, spec, candidate, ran, &low, (&plan, &corners)));
        all.push(together(spec, base, tried.collect(), &plan));
        // What the moments left of the estimate counts as done.
        let spent = base.progress.done() - before;
        let left = most_work_of(spec, scenario).saturating_sub(spent);
        base.progress.add(left);
    }
    Ok(all)
}

/// The stretch that is looked at around a moment.
fn stretch_of(spec: &ContingencySpec, scenario: &Scenario, candidate: &Candidate) -> Scenario {
    let mut stretch = spec.stretch(scenario, candidate.at_s);
    if candidate.realisation.is_some() {
        stretch.simulation.realisations = 1;
    }
    stretch
}

/// What is done about weak constants at these moments.
fn plan_of(base: &Shared<'_>, spec: &ContingencySpec, candidates: &[Candidate]) -> Plan {
    let begin = base.scenario.simulation.first_sample();
    let (mut whole, mut looked, mut runs) = (0, 0, 0);
    for candidate in candidates {
        let stretch = stretch_of(spec, base.scenario, candidate);
        let n = u64::from(stretch.simulation.realisations);
        let unseen = stretch.simulation.first_sample().saturating_sub(begin);
        whole += n * (unseen + samples(&stretch));
        looked += n * samples(&stretch);
        runs += n;
    }
    base.plan.of_failure(base.scenario, whole, (looked, runs))
}

/// Runs a contingency at one moment.
fn run_at(
    base: &Shared<'_>,
    spec: &ContingencySpec,
    candidate: &Candidate,
    corners: &Plan,
) -> Result<Ran, StudyError> {
    let plan = StrikePlan {
        whole: base.scenario,
        spec,
        at_s: candidate.at_s,
    };
    let stretch = stretch_of(spec, base.scenario, candidate);
    let shared = Shared {
        scenario: &stretch,
        strike: Some(&plan),
        plan: corners,
        shown: candidate.realisation.unwrap_or(1),
        ..*base
    };
    let merged = match candidate.realisation {
        Some(realisation) => Merged::new(run_realisation(&shared, realisation, None)?),
        None => simulate(&shared, None)?,
    };
    Ok(Ran { stretch, merged })
}

/// The verdicts at one moment; of the corners at all moments.
fn judge(
    base: &Shared<'_>,
    spec: &ContingencySpec,
    candidate: &Candidate,
    ran: Ran,
    low: &[crate::outcome::LowConfidence],
    corners: (&Plan, &[Vec<AtCorner>]),
) -> Tried {
    let Ran { stretch, merged } = ran;
    let inputs: &Inputs = base.inputs;
    let part = if spec.is_set_trip() {
        RunPart::SetTrip
    } else {
        RunPart::LoadRejection
    };
    let mut verdicts =
        verdict::contingency_verdicts(&stretch, inputs, base.site, &merged, low, corners);
    if let Some(why) = did_not_happen(spec, &merged) {
        for verdict in verdicts
            .iter_mut()
            .filter(|v| matches!(v.status, Status::Pass | Status::Inconclusive))
        {
            // Whoever asked for it must see that it was not looked at, whatever limits there are.
            verdict.status = if verdict.limit == "bus_collapse" {
                Status::Inconclusive
            } else {
                Status::NotChecked
            };
            verdict.basis.clone_from(&why);
            verdict.indicative = None;
        }
    }
    let short = cut_short(spec, base.scenario, candidate.at_s);
    if let Some(left_s) = short {
        let shown = left_s + WHOLE * shows_s(spec) >= shows_s(spec);
        for verdict in &mut verdicts {
            let far = if shown {
                "to the end of the run"
            } else {
                "to the end of the run, which shows no limit to hold: make the run longer"
            };
            if !shown && verdict.status == Status::Pass {
                verdict.status = Status::Inconclusive;
                verdict.held_in = 0;
                verdict.indicative = None;
            }
            if verdict.status != Status::NotChecked {
                verdict.basis = format!(
                    "looked at for only {left_s:.3} s after it, {far}; {}",
                    verdict.basis
                );
            }
        }
    }
    for verdict in &mut verdicts {
        verdict.run = Some(part);
        verdict.contingency = Some(spec.label());
        verdict.struck_at_s = Some(candidate.at_s);
        if verdict.status != Status::NotChecked {
            verdict.basis = format!(
                "{} at {:.3} s ({}); {}",
                spec.label(),
                candidate.at_s,
                candidate.why,
                verdict.basis
            );
        }
    }
    let nominal_hz = stretch.plant.as_ref().map_or(0.0, |p| p.frequency_hz);
    let plants = || merged.each.iter().filter_map(|e| e.plant.as_ref());
    let lowest = worst(plants().map(|p| p.low), false);
    let highest = worst(plants().map(|p| p.high), true);
    let farthest = if spec.is_set_trip() { lowest } else { highest };
    let told: Vec<&Verdict> = verdicts.iter().collect();
    let moment = TriedMoment {
        at_s: candidate.at_s,
        realisation: candidate
            .realisation
            .or(farthest.map(|e| e.realisation))
            .unwrap_or(1),
        why: candidate.why.clone(),
        cut_short_s: short,
        overall: overall(&told),
        frequency_min_hz: lowest.map(|e| e.value),
        frequency_max_hz: highest.map(|e| e.value),
        collapsed: merged.each.iter().any(|e| e.collapsed_at_s.is_some()),
    };
    Tried {
        deviation_hz: farthest.map_or(0.0, |e| (e.value - nominal_hz).abs()),
        moment,
        verdicts,
        merged,
        stretch,
    }
}

/// Why nothing was lost in some realisation that ran on, if so: what held then held without a failure.
fn did_not_happen(spec: &ContingencySpec, merged: &Merged) -> Option<String> {
    let missed = |result: &StrikeResult| match &result.struck {
        None => Some("the bus was lost before it".to_owned()),
        Some(struck) if spec.is_set_trip() && struck.tripped.is_none() => {
            Some("no set of it was on the bus by then".to_owned())
        }
        Some(_) => None,
    };
    let mut all = merged.each.iter().filter_map(|e| e.strike.as_ref());
    let why = all.find_map(missed)?;
    Some(format!("{} did not happen: {why}", spec.label()))
}

/// Rank of a status: a limit that was given and not looked at is worse than one that holds.
fn rank(verdict: &Verdict) -> u32 {
    match verdict.status {
        Status::Fail => 4,
        Status::Inconclusive => 3,
        Status::NotChecked if verdict.limit_value.is_some() => 2,
        Status::Pass => 1,
        Status::NotChecked => 0,
    }
}

/// Whether of two verdicts on the same limit the second is worse.
fn verdict_is_worse(first: &Verdict, second: &Verdict) -> bool {
    let (a, b) = (rank(first), rank(second));
    let margin = |v: &Verdict| v.margin.unwrap_or(f64::INFINITY);
    b > a || (b == a && margin(second) < margin(first))
}

/// Whether of two moments the second is worse: by what fails, by a collapse, by the frequency.
fn moment_is_worse(first: &Tried, second: &Tried) -> bool {
    let severity = |t: &Tried| {
        let worst = t.verdicts.iter().map(rank).max().unwrap_or(0);
        (worst, t.moment.collapsed)
    };
    let (a, b) = (severity(first), severity(second));
    b > a || (b == a && second.deviation_hz > first.deviation_hz)
}

/// The worst moment, with the verdicts of all of them.
fn together(
    spec: &ContingencySpec,
    base: &Shared<'_>,
    mut tried: Vec<Tried>,
    plan: &Plan,
) -> Contingency {
    let worst_at = (1..tried.len()).fold(0, |best, next| {
        if moment_is_worse(&tried[best], &tried[next]) {
            next
        } else {
            best
        }
    });
    let moments: Vec<TriedMoment> = tried.iter().map(|t| t.moment.clone()).collect();
    let others: Vec<Vec<Verdict>> = tried
        .iter()
        .enumerate()
        .filter(|(at, _)| *at != worst_at)
        .map(|(_, t)| t.verdicts.clone())
        .collect();
    let Tried {
        moment,
        stretch,
        merged,
        mut verdicts,
        ..
    } = tried.swap_remove(worst_at);
    for other in others {
        for (verdict, other) in verdicts.iter_mut().zip(other) {
            if verdict_is_worse(verdict, &other) {
                *verdict = other;
            }
        }
    }
    let told: Vec<&Verdict> = verdicts.iter().collect();
    let overall = overall(&told);
    let nominal_hz = stretch.plant.as_ref().map_or(1.0, |p| p.frequency_hz);
    let plants = || merged.each.iter().filter_map(|e| e.plant.as_ref());
    let frequency_max = worst(plants().map(|p| p.high), true);
    let result = merged
        .each
        .iter()
        .find(|e| e.realisation == moment.realisation)
        .and_then(|e| e.strike.as_ref());
    let figures = result.and_then(|result| {
        let struck = result.struck.as_ref()?;
        Some(strike_kpis(&stretch, result, struck))
    });
    let contingency = Contingency {
        name: spec.label(),
        kind: if spec.is_set_trip() {
            "set_trip"
        } else {
            "load_rejection"
        }
        .to_owned(),
        at_s: moment.at_s,
        realisation: moment.realisation,
        why: moment.why,
        tried: moments,
        start_s: stretch.simulation.start_s,
        end_s: stretch.simulation.end_s(),
        overall,
        summary: String::new(),
        events: words::events(&stretch, None, &merged),
        verdicts,
        figures,
        frequency_min: worst(plants().map(|p| p.low), false),
        frequency_max,
        speed_max_pu: frequency_max.map(|e| e.value / nominal_hz),
        rocof: worst(plants().map(|p| p.rocof), true),
        voltage_min: worst(plants().map(|p| p.voltage.low), false),
        voltage_max: worst(plants().map(|p| p.voltage.high), true),
        loadings: loadings(&stretch, &merged),
        frequency_pyramid: merged.frequency,
        voltage_pyramid: merged.voltage,
        assumptions: words::contingency_assumptions(spec, base.scenario, base.site.is_some(), plan),
        limits: stretch.limits,
    };
    Contingency {
        summary: words::contingency_summary(&contingency),
        ..contingency
    }
}

/// Entries of which the loading over time is kept, at most.
const MOST_LOADINGS: usize = 8;

/// Loading of the entries over time, in the realisation whose curves are kept: of too many those that came highest after the failure.
fn loadings(stretch: &Scenario, merged: &Merged) -> Vec<SetLoading> {
    let sets = stretch.plant.as_ref().map_or(&[][..], |p| &p.sets);
    let shown = merged.each.iter().filter_map(|e| e.strike.as_ref());
    let mut shown = shown.filter(|s| s.groups.iter().any(|g| g.loading.is_some()));
    let Some(result) = shown.next() else {
        return Vec::new();
    };
    let high = |entry: &usize| {
        let highest = result.groups[*entry].high;
        highest.map_or(f64::NEG_INFINITY, |e| e.value)
    };
    let mut kept: Vec<usize> = (0..sets.len().min(result.groups.len())).collect();
    kept.sort_by(|a, b| high(b).total_cmp(&high(a)));
    kept.truncate(MOST_LOADINGS);
    kept.sort_unstable();
    let of = |entry: usize| {
        Some(SetLoading {
            set: sets[entry].name.clone(),
            metered: MeteringPoint::Terminals.text().to_owned(),
            share: result.groups[entry].loading.clone()?,
        })
    };
    kept.into_iter().filter_map(of).collect()
}

/// The figures of a failure in one realisation.
fn strike_kpis(stretch: &Scenario, result: &StrikeResult, struck: &Struck) -> StrikeKpis {
    let plant = stretch.plant.as_ref();
    let names = plant.map_or(&[][..], |p| &p.sets);
    let island = plant.is_some_and(|p| p.utility.is_none());
    let nominal_hz = plant.map_or(0.0, |p| p.frequency_hz);
    let kw = |w: f64| w / 1e3;
    let entries = names.iter().enumerate();
    let sets_after = entries.map(|(entry, set)| {
        let ((count_before, before_share), (count_after, at_once_share)) =
            (struck.before[entry], struck.after[entry]);
        let after = &result.groups[entry];
        SurvivorKpis {
            set: set.name.clone(),
            count_before,
            count_after,
            before_share,
            at_once_share,
            max_share: after.high,
            window_max_share: after.high_mean,
            end_share: after.end,
            end_range_share: after.end_range,
            overloaded: after.high_mean.is_some_and(|e| e.value > 1.0),
        }
    });
    StrikeKpis {
        metered: MeteringPoint::Terminals.text().to_owned(),
        load_metered: design::bus(stretch).to_owned(),
        load_before_kw: kw(struck.load_w),
        lost_kw: kw(struck.lost_w),
        set: struck
            .tripped
            .and_then(|(entry, _)| Some(names.get(entry)?.name.clone())),
        sets: struck.tripped.map_or(0, |(_, sets)| sets),
        rated_before_kw: kw(struck.reserve_before.rated_w),
        rated_after_kw: kw(struck.reserve_after.rated_w),
        reserve_before_kw: island.then(|| kw(struck.reserve_before.reserve_w)),
        reserve_after_kw: island.then(|| kw(struck.reserve_after.reserve_w)),
        window_s: stretch.limits.survivor_window_s(),
        end_window_s: result.end_s,
        end_frequency_hz: result
            .end_speed
            .map(|(low, high)| (low * nominal_hz, high * nominal_hz)),
        sets_after: sets_after.collect(),
    }
}

/// Spinning reserve at the worst moment of all realisations.
pub(crate) fn reserve_kpis(scenario: &Scenario, merged: &Merged) -> Option<ReserveKpis> {
    let plant = scenario.plant.as_ref()?;
    let at: ReserveAt = merged
        .each
        .iter()
        .filter_map(|e| e.reserve)
        .reduce(|a, b| if b.is_worse_than(&a) { b } else { a })?;
    let reserve = at.reserve;
    let kw = |w: f64| w / 1e3;
    let survivors_w = reserve.rated_w - reserve.largest_w;
    let mut kpis = ReserveKpis {
        metered: design::bus(scenario).to_owned(),
        at_s: at.at_s,
        realisation: at.realisation,
        load_kw: kw(at.load_w),
        rated_kw: kw(reserve.rated_w),
        reserve_kw: kw(reserve.reserve_w),
        reserve_share: reserve.reserve_w / reserve.rated_w,
        largest_set: plant.sets.get(at.largest)?.name.clone(),
        largest_kw: kw(reserve.largest_w),
        largest_carries_kw: kw(at.carried_w),
        survivors_kw: kw(survivors_w),
        survivors_share: (survivors_w > 0.0).then_some(reserve.survivors_loading),
        holds: reserve.holds,
        text: String::new(),
    };
    kpis.text = words::reserve_text(&kpis, !scenario.bess.is_empty());
    Some(kpis)
}
