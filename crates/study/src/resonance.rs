//! Whether what repeats in the load meets a mode of the sets, what comes of it, and what would move it.
//!
//! # How the load's lines are gathered
//! While the first realisation runs, `record` keeps the mean power and the extremes of frequency of each short stretch (cell): of all steps where a run has few, else of 10 ms, at
//! most 131 072 cells, the last ones of a longer run. Memory is bounded (3 MB) whatever the duration. One way for all loads: a cadence that is only known after the run, from the
//! spectrum, is treated as one that a job states. Afterwards `lines` takes whole periods after the job's start, each as complex amplitudes at the multiples of
//! the cadence; `cadences` says which.
//!
//! # What is predicted
//! The course of a period, with all its lines and phases, goes into [`ballast_plant::resonance`]: the settled swing with every limiter, the unlimited linear value, mode, line, and what would
//! move it. It stands for a load that repeats perfectly. Jitter makes periods less alike, which takes from the swing where the line lies on the mode, and may add to it
//! where the line lies beside it: `lines::jitter_factor`. What fluctuates besides is not in it: that is the run's part, which is why its own swing stands beside.

mod cadences;
mod lines;
mod record;

use std::f64::consts::TAU;

use ballast_aggregate::Site;
use ballast_plant::{
    Limiter, Mode, ModeKind, PeriodicLoad, Plant, PlantSpec, ResonanceQuestion, ResonanceVerdict,
    Settled, resonance,
};
use ballast_scenario::Scenario;

use crate::coarse::Coarse;
use crate::design;
use crate::merge::Merged;
use crate::outcome::{
    CadenceResonance, CadenceSource, LimitReached, LineKpis, ModeKpis, Moves, ResonanceKpis,
    RetunedKpis, SettledAs, SimulatedSwing,
};
use crate::residual;
use crate::resonance::cadences::Cadence;
use crate::resonance::lines::{Repeating, jitter_factor, refined, repeating};
use crate::words;

pub(crate) use record::{Record, Recorder};

/// Whole periods without which nothing is said.
const FEWEST_PERIODS: usize = 3;
/// The same where only the spectrum tells of a cadence, and how alike its periods have to be.
const FEWEST_OF_A_LINE: usize = 8;
const ALIKE: f64 = 0.5;
/// Modes and lines told.
const MOST_MODES: usize = 16;
const MOST_LINES: usize = 12;
/// Growth above which a mode counts as unstable, per second. Modes on the axis (how isochronous sets share, the angle all rotors have in common) come out of the eigenvalues as
/// zero within rounding, and what takes a quarter of an hour to grow by a factor of e is no concern of a run.
pub(crate) const GROWS_PER_S: f64 = 1e-3;
/// Safe cadences are looked for within this factor of the cadence.
const SEARCH: f64 = 4.0;
/// Time constants after which an oscillation has settled: 0.7 % are left.
const SETTLING: f64 = 5.0;
/// Share of a set in a mode above which it is named.
const NAMED: f64 = 0.2;

/// The sets as the run has them, at its first load.
struct Sets<'a> {
    scenario: &'a Scenario,
    spec: PlantSpec,
    step_s: f64,
}

/// What repeats and what it does; none without a plant.
pub(crate) fn resonances(
    scenario: &Scenario,
    site: Option<&Site>,
    coarse: &Coarse,
    merged: &Merged,
) -> Option<ResonanceKpis> {
    let plant = &residual::integrated(scenario)?;
    let mut kpis = ResonanceKpis {
        metered: design::bus(scenario).to_owned(),
        modes: Vec::new(),
        unstable: Vec::new(),
        at_a_kink: false,
        cadences: Vec::new(),
        none_because: None,
        left_out: Vec::new(),
        assumed: words::resonance_assumptions(scenario),
    };
    let nothing = |mut kpis: ResonanceKpis, why: &str| {
        kpis.none_because = Some(why.to_owned());
        Some(kpis)
    };
    if plant.utility.is_some() {
        return nothing(kpis, "the grid holds the frequency");
    }
    let Some(record) = &merged.record else {
        return nothing(kpis, "the run took no step");
    };
    let mean_w = merged.site.mean();
    let sets = Sets::new(scenario, plant, record.first_w);
    let Ok(at_mean) = Plant::new(&sets.spec, mean_w, sets.step_s) else {
        return nothing(kpis, "the sets have no steady state at the mean load");
    };
    if let Some(modes) = at_mean.modes() {
        let grows = |m: &&Mode| m.growth_per_s > GROWS_PER_S;
        let mut unstable: Vec<&Mode> = modes.modes.iter().filter(grows).collect();
        unstable.sort_by(|a, b| b.growth_per_s.total_cmp(&a.growth_per_s));
        kpis.unstable = unstable.into_iter().take(MOST_MODES).map(mode).collect();
        let mut oscillating: Vec<&Mode> = modes
            .modes
            .iter()
            .filter(|m| m.frequency_hz > 0.0)
            .collect();
        oscillating.sort_by(|a, b| b.speed_residue.total_cmp(&a.speed_residue));
        kpis.modes = oscillating.into_iter().take(MOST_MODES).map(mode).collect();
        kpis.at_a_kink = modes.at_a_kink;
    }
    if let Coarse::All(why) = coarse {
        return nothing(kpis, why);
    }
    let (mut found, left_out) = cadences::stated(scenario, site);
    kpis.left_out = left_out;
    if let (Some((_, spectrum)), true) = (&merged.curves, found.len() < cadences::MOST) {
        let whole = (record.start_s, record.end_s());
        let lines = cadences::lines(spectrum, &at_mean, plant.frequency_hz, &found, whole);
        found.extend(lines);
        found.truncate(cadences::MOST);
    }
    for cadence in &found {
        match sets.look_into(cadence, record) {
            Ok(Some(one)) => kpis.cadences.push(one),
            Ok(None) => {}
            Err(why) => kpis.left_out.push(format!("{}: {why}", cadence.what)),
        }
    }
    kpis.cadences
        .sort_by(|a, b| b.expected_swing_hz.total_cmp(&a.expected_swing_hz));
    if kpis.cadences.is_empty() {
        let why = if kpis.left_out.is_empty() {
            none_found(record.end_s() - record.start_s)
        } else {
            kpis.left_out.join("; ")
        };
        kpis.none_because = Some(why);
    }
    Some(kpis)
}

/// What was looked for in vain, and what a run so short does not show.
fn none_found(run_s: f64) -> String {
    let slow_hz = (FEWEST_OF_A_LINE as f64 / run_s).max(cadences::BAND_HZ.0);
    format!(
        "no cadence was found in the load: no training job iterates in it, no stepped load repeats a pattern, and no line stands out of its spectrum where the sets answer; what repeats fewer than {FEWEST_PERIODS} times in the run of {run_s:.1} s, and lines below {slow_hz:.3} Hz (fewer than {FEWEST_OF_A_LINE} periods in it, or too slow to be a swing), were not looked at"
    )
}

impl<'a> Sets<'a> {
    fn new(scenario: &'a Scenario, plant: &PlantSpec, first_w: f64) -> Self {
        let step_s = scenario.simulation.plant_step();
        let mut spec = plant.clone();
        // In the run it is the first load at which droop governors hold nominal speed.
        spec.dispatch_kw = spec.dispatch_kw.or(Some(first_w / 1e3));
        if Plant::new(&spec, first_w, step_s).is_err() {
            spec.dispatch_kw = plant.dispatch_kw;
        }
        Self {
            scenario,
            spec,
            step_s,
        }
    }

    /// The answer to one cadence; none where it turns out to be none.
    fn look_into(
        &self,
        cadence: &Cadence,
        record: &Record,
    ) -> Result<Option<CadenceResonance>, String> {
        let (from_s, until_s) = cadence.stretch_s;
        let stretch = (from_s.max(record.start_s), until_s.min(record.end_s()));
        let of_spectrum = cadence.source == CadenceSource::Spectrum;
        let found = if of_spectrum {
            refined(record, cadence.period_s, stretch, FEWEST_OF_A_LINE)
        } else {
            repeating(record, cadence.period_s, stretch, FEWEST_PERIODS)
        };
        let Some(found) = found else {
            return if of_spectrum {
                Ok(None)
            } else {
                Err(format!(
                    "fewer than {FEWEST_PERIODS} whole periods of {:.4} s are in the run, or the step of {} s does not resolve them",
                    cadence.period_s, record.cell_s
                ))
            };
        };
        if of_spectrum && found.coherence(0) < ALIKE {
            return Ok(None);
        }
        let load =
            PeriodicLoad::sampled(found.period_s, &found.course_w()).map_err(|e| e.to_string())?;
        let f_hz = load.fundamental_hz();
        let limit = self.scenario.limits.frequency_swing_hz;
        let question = ResonanceQuestion {
            plant: &self.spec,
            load: &load,
            cadence: &cadence.what,
            limit_pp_hz: limit.unwrap_or(f64::INFINITY),
            step_s: self.step_s,
            search_hz: (f_hz / SEARCH, f_hz * SEARCH),
        };
        let verdict = resonance(&question).map_err(|e| e.to_string())?;
        Ok(Some(self.told(cadence, &found, &verdict, record)))
    }

    fn told(
        &self,
        cadence: &Cadence,
        found: &Repeating,
        verdict: &ResonanceVerdict,
        record: &Record,
    ) -> CadenceResonance {
        let p = &verdict.prediction;
        let limit = self.scenario.limits.frequency_swing_hz;
        let strongest = verdict.line.map_or(0, |l| l.harmonic.saturating_sub(1));
        let coherence = found.coherence(strongest);
        let factor = match (&verdict.mode, verdict.line) {
            (Some(mode), Some(line)) => jitter_factor(
                coherence,
                mode.growth_per_s * found.period_s,
                TAU * (mode.frequency_hz - line.frequency_hz) * found.period_s,
            ),
            _ => 1.0,
        };
        let lines: Vec<LineKpis> = p.lines.iter().map(line).take(MOST_LINES).collect();
        let mut told = CadenceResonance {
            cadence: cadence.what.clone(),
            source: cadence.source,
            frequency_hz: p.fundamental_hz,
            from_s: found.starts_s.first().copied().unwrap_or(0.0),
            until_s: found.starts_s.last().map_or(0.0, |s| s + found.period_s),
            periods: found.starts_s.len() as u32,
            mean_w: found.mean_w,
            limit_swing_hz: limit,
            predicted_swing_hz: p.limited.peak_to_peak_hz,
            predicted_lowest_hz: p.limited.lowest_hz,
            predicted_highest_hz: p.limited.highest_hz,
            settled: match p.settled {
                Settled::Periodic => SettledAs::Periodic,
                Settled::NotPeriodic => SettledAs::NotPeriodic,
                Settled::Linear => SettledAs::Linear,
                Settled::Collapsed { .. } => SettledAs::Collapsed,
            },
            repeats_after: p.repeats_after,
            unlimited_linear_swing_hz: p
                .unlimited
                .map(|s| s.peak_to_peak_hz)
                .filter(|s| s.is_finite()),
            limits_reached: p
                .reached
                .iter()
                .map(|r| LimitReached {
                    set: r.set.clone(),
                    limit: match r.limiter {
                        Limiter::Lower => "lower",
                        Limiter::Turbo => "boost",
                        Limiter::Upper | Limiter::None => "upper",
                    }
                    .to_owned(),
                    share: r.share,
                })
                .collect(),
            coherence,
            jitter_factor: factor,
            expected_swing_hz: expected(verdict, factor),
            simulated: simulated(found, verdict, record),
            line: lines.first().copied(),
            lines,
            mode: verdict.mode.as_ref().map(mode),
            meets: verdict.meets,
            moves: limit
                .filter(|l| {
                    p.limited.peak_to_peak_hz > *l || matches!(p.settled, Settled::Collapsed { .. })
                })
                .map(|_| moves(verdict)),
            text: Vec::new(),
        };
        told.text = words::resonance_text(&told);
        told
    }
}

/// Swing that jitter makes of the predicted one, hertz peak to peak. It acts on the linear swing; where limiters let less pass than that, they decide: a rule of thumb that was not held
/// against runs, and is told as one.
fn expected(verdict: &ResonanceVerdict, factor: f64) -> f64 {
    let p = &verdict.prediction;
    let limited = p.limited.peak_to_peak_hz;
    let linear = p.unlimited.map_or(limited, |s| s.peak_to_peak_hz);
    if p.reached.is_empty() {
        factor * limited
    } else {
        limited.min(factor * linear.max(limited))
    }
}

/// Swings of the run once the mode has settled, period by period (as many at a time as the plant repeats after).
fn simulated(
    found: &Repeating,
    verdict: &ResonanceVerdict,
    record: &Record,
) -> Option<SimulatedSwing> {
    let first = *found.starts_s.first()?;
    let last = found.starts_s.last()? + found.period_s;
    let slowest_s = verdict
        .mode
        .as_ref()
        .filter(|m| m.stable)
        .map_or(f64::INFINITY, |m| SETTLING * m.time_constant_s);
    let at_a_time = match verdict.prediction.repeats_after {
        0 => 10,
        n => n as usize,
    };
    let long_s = at_a_time as f64 * found.period_s;
    // From the start of the record at the earliest: what was before it has been forgotten.
    let settled_at_s = first + slowest_s;
    let settled = settled_at_s + long_s <= last;
    let from_s = if settled {
        settled_at_s
    } else {
        first + 0.5 * (last - first)
    };
    let slack_s = 1e-6 * found.period_s;
    let starts: Vec<f64> = found
        .starts_s
        .iter()
        .copied()
        .filter(|s| *s + slack_s >= from_s && *s + long_s <= last + slack_s)
        .collect();
    let mut swings: Vec<f64> = starts
        .iter()
        .filter_map(|s| record.frequency(*s, *s + long_s))
        .map(|(low, high)| high - low)
        .collect();
    swings.sort_by(f64::total_cmp);
    Some(SimulatedSwing {
        median_swing_hz: *swings.get(swings.len() / 2)?,
        highest_swing_hz: *swings.last()?,
        periods: swings.len() as u32,
        from_s: *starts.first()?,
        settled,
    })
}

fn line(l: &ballast_plant::LineResponse) -> LineKpis {
    LineKpis {
        harmonic: l.harmonic as u32,
        frequency_hz: l.frequency_hz,
        amplitude_w: l.amplitude_w,
        swing_hz: l.swing_hz,
        gain_hz_per_mw: if l.amplitude_w > 0.0 {
            l.swing_hz / (l.amplitude_w / 1e6)
        } else {
            0.0
        },
    }
}

fn mode(m: &Mode) -> ModeKpis {
    let mut sets: Vec<(String, f64)> = Vec::new();
    for p in &m.participation {
        let Some(set) = &p.set else { continue };
        match sets.iter_mut().find(|s| s.0 == *set) {
            Some(known) => known.1 += p.share,
            None => sets.push((set.clone(), p.share)),
        }
    }
    sets.retain(|s| s.1 >= NAMED);
    sets.sort_by(|a, b| b.1.total_cmp(&a.1));
    ModeKpis {
        name: m.name.clone(),
        kind: match m.kind {
            ModeKind::SpeedGovernor => "speed_governor",
            ModeKind::Electromechanical => "electromechanical",
            ModeKind::VoltageRegulator => "voltage_regulator",
            ModeKind::Flux => "flux",
            ModeKind::Boost => "boost",
            ModeKind::Governor => "governor",
        }
        .to_owned(),
        sets: sets.into_iter().map(|s| s.0).collect(),
        frequency_hz: m.frequency_hz,
        damping_ratio: m.damping_ratio,
        growth_per_s: m.growth_per_s,
        stable: m.stable,
    }
}

fn moves(v: &ResonanceVerdict) -> Moves {
    Moves {
        safe_cadences_hz: v.safe_hz.clone(),
        searched_hz: v.search_hz,
        jitter_s: v.jitter_s,
        damping_ratio: v.damping.map(|d| d.ratio.1),
        damping_more_pu: v.damping.map(|d| d.more_pu),
        storage_w: v.storage_w,
        // Of a sine of amplitude A at f: from trough to crest of its integral, 2A/(2πf).
        storage_j: v
            .storage_w
            .zip(v.line)
            .map(|(w, l)| w / (std::f64::consts::PI * l.frequency_hz)),
        retuned: v
            .retune
            .iter()
            .filter(|r| r.peak_to_peak_hz.is_finite())
            .map(|r| RetunedKpis {
                key: r.key.to_owned(),
                from: r.from,
                to: r.to,
                swing_hz: r.peak_to_peak_hz,
                enough: r.peak_to_peak_hz <= v.limit_pp_hz,
            })
            .collect(),
        partly_linear: v.partly_linear,
    }
}
