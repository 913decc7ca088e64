//! Which cadences a load has.
//!
//! Training jobs say theirs: the iteration, whatever its shape (pipelines and gradient steps are lines at its multiples). Stepped loads are looked at for a pattern that repeats. Of
//! everything else (recorded traces, traffic, compressors) the lines that stand out of the spectrum where the sets answer are taken.

use ballast_aggregate::{IterationShape, JobSpec, Site, TrainingJob};
use ballast_plant::Plant;
use ballast_scenario::{LoadSpec, Scenario, StepsLoad};
use ballast_series::Spectrum;

use crate::outcome::CadenceSource;

/// Cadences at most.
pub(crate) const MOST: usize = 8;
/// Of them, lines of the spectrum.
const MOST_LINES: usize = 3;
/// Changes in a pattern at most.
const LONGEST_PATTERN: usize = 64;
/// Patterns in a row that make a cadence.
const REPEATS: usize = 3;
/// Times and powers that differ by less, relative, are equal.
const EQUAL: f64 = 1e-6;
/// A line stands out if its amplitude is so many times the median of its neighbourhood, and the neighbourhood: this factor of frequency either way.
const STANDS_OUT: f64 = 5.0;
const NEIGHBOURHOOD: f64 = 1.5;
/// Width of a line of the Hann window, resolutions either side.
const LOBE: f64 = 2.5;
/// Highest multiple of a cadence that is told from a line of its own.
const MULTIPLES: f64 = 20.0;
/// Swing below which a line is not worth a word, hertz peak to peak.
const SLIGHT_HZ: f64 = 0.01;
/// Frequencies at which sets answer, hertz.
pub(crate) const BAND_HZ: (f64, f64) = (0.02, 20.0);

/// A cadence to look into.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cadence {
    /// Whose: "job llm".
    pub(crate) what: String,
    pub(crate) source: CadenceSource,
    pub(crate) period_s: f64,
    /// Where it may be looked for, seconds.
    pub(crate) stretch_s: (f64, f64),
}

/// Cadences that are stated, and why some are not looked at.
pub(crate) fn stated(scenario: &Scenario, site: Option<&Site>) -> (Vec<Cadence>, Vec<String>) {
    let simulation = &scenario.simulation;
    let (mut found, mut left_out): (Vec<Cadence>, Vec<String>) = (Vec::new(), Vec::new());
    let coarse = site
        .map(|s| s.coarse_training(simulation.step_s))
        .unwrap_or_default();
    for job in &scenario.jobs {
        let JobSpec::Training(job) = job else {
            continue;
        };
        if coarse.iter().any(|c| c.whole && c.job == job.name) {
            left_out.push(format!(
                "job {}: a step of {} s takes the mean over its iterations of {} s",
                job.name,
                simulation.step_s,
                job.lasting_s()
            ));
        } else if let Some(cadence) = training(scenario, job) {
            found.push(cadence);
        }
    }
    for load in &scenario.loads {
        if let LoadSpec::Steps(steps) = load {
            found.extend(pattern(steps, (simulation.start_s, simulation.end_s())));
        }
    }
    // Jobs of one cadence are one load that repeats.
    let mut merged: Vec<Cadence> = Vec::new();
    for cadence in found {
        let same = |c: &&mut Cadence| equal(c.period_s, cadence.period_s);
        if let Some(other) = merged.iter_mut().find(same) {
            other.what = format!("{}, {}", other.what, cadence.what);
            other.stretch_s.0 = other.stretch_s.0.max(cadence.stretch_s.0);
            other.stretch_s.1 = other.stretch_s.1.min(cadence.stretch_s.1);
        } else {
            merged.push(cadence);
        }
    }
    if merged.len() > MOST {
        left_out.push(format!("{} more cadences", merged.len() - MOST));
        merged.truncate(MOST);
    }
    (merged, left_out)
}

fn equal(a: f64, b: f64) -> bool {
    (a - b).abs() <= EQUAL * a.abs().max(b.abs())
}

fn training(scenario: &Scenario, job: &TrainingJob) -> Option<Cadence> {
    let simulation = &scenario.simulation;
    let pipelined = matches!(job.shape, IterationShape::Pipeline { stages: 2.., .. });
    if !(job.compute_share > 0.0 && (job.compute_share < 1.0 || pipelined)) {
        return None;
    }
    let late_s = job.straggler.map_or(0.0, |s| s.probability * s.delay_s);
    let period_s = job.lasting_s() + late_s;
    // The first iteration is still the start of the job.
    let from_s = simulation.start_s.max(job.start_s + period_s);
    let until_s = job.stop_s.unwrap_or(f64::INFINITY).min(simulation.end_s());
    (from_s < until_s).then(|| Cadence {
        what: format!("job {}", job.name),
        source: CadenceSource::Training,
        period_s,
        stretch_s: (from_s, until_s),
    })
}

/// The shortest pattern of changes that a stepped load repeats up to its end, within the run.
fn pattern(load: &StepsLoad, (start_s, end_s): (f64, f64)) -> Option<Cadence> {
    let events = &load.events;
    for length in 1..=LONGEST_PATTERN.min(events.len() / REPEATS) {
        let Some(last) = events.last() else {
            continue;
        };
        let period_s = last.at_s - events[events.len() - 1 - length].at_s;
        // From the end backwards, so that what comes before the pattern may be anything.
        let alike = |k: &usize| {
            let (a, b) = (&events[*k], &events[*k + length]);
            let apart = b.at_s - a.at_s - period_s;
            apart.abs() <= EQUAL * period_s && equal(a.power_kw, b.power_kw)
        };
        let same = (0..events.len() - length).rev().take_while(alike).count();
        let levels = &events[events.len() - length..];
        let flat = levels.iter().all(|e| equal(e.power_kw, last.power_kw));
        if same + length < REPEATS * length || flat || period_s <= 0.0 {
            continue;
        }
        let from_s = events[events.len() - length - same].at_s.max(start_s);
        // The last pattern is over a period after it began.
        let until_s = (events[events.len() - length].at_s + period_s).min(end_s);
        if until_s - from_s < period_s {
            continue;
        }
        return Some(Cadence {
            what: format!("load {}", load.name),
            source: CadenceSource::Steps,
            period_s,
            stretch_s: (from_s, until_s),
        });
    }
    None
}

/// Whether one frequency is a multiple of the other, within the resolution.
fn multiple(f_hz: f64, of_hz: f64, resolution_hz: f64) -> bool {
    let times = (f_hz / of_hz).round();
    (1.0..=MULTIPLES).contains(&times) && (f_hz - times * of_hz).abs() <= LOBE * resolution_hz
}

/// Lines of the spectrum that stand out where the sets answer and that no stated cadence explains.
pub(crate) fn lines(
    spectrum: &Spectrum,
    plant: &Plant,
    nominal_hz: f64,
    known: &[Cadence],
    stretch_s: (f64, f64),
) -> Vec<Cadence> {
    let (f, amplitude) = (&spectrum.frequency_hz, &spectrum.amplitude);
    let resolution = spectrum.resolution_hz;
    let hz_per_w = |f_hz: f64| plant.gain_pu(f_hz) * nominal_hz / plant.base_w();
    let mut lines: Vec<(f64, f64)> = Vec::new();
    for k in 1..f.len().saturating_sub(1) {
        let (before, here, after) = (amplitude[k - 1], amplitude[k], amplitude[k + 1]);
        let in_band = (BAND_HZ.0..=BAND_HZ.1).contains(&f[k]) && f[k] >= 3.0 * resolution;
        let peak = in_band && here > before && here >= after;
        if !(peak && stands_out(f, amplitude, k, resolution)) {
            continue;
        }
        // The top of a parabola through the logarithms.
        let (a, b, c) = (libm::log(before), libm::log(here), libm::log(after));
        let bend = a - 2.0 * b + c;
        let off = if bend < 0.0 {
            (0.5 * (a - c) / bend).clamp(-0.5, 0.5)
        } else {
            0.0
        };
        let f_hz = f[k] + off * resolution;
        let swing = 2.0 * here * hz_per_w(f_hz);
        let explained = known
            .iter()
            .any(|c| multiple(f_hz, 1.0 / c.period_s, resolution));
        if !explained && swing >= SLIGHT_HZ && swing.is_finite() {
            lines.push((f_hz, swing));
        }
    }
    lines.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut chosen: Vec<f64> = Vec::new();
    for (f_hz, _) in lines {
        // Of a line and its multiple the slower one is the cadence, if both stand out.
        if let Some(other) = chosen.iter_mut().find(|o| multiple(**o, f_hz, resolution)) {
            *other = f_hz;
        } else if chosen.len() < MOST_LINES
            && !chosen.iter().any(|o| multiple(f_hz, *o, resolution))
        {
            chosen.push(f_hz);
        }
    }
    chosen
        .into_iter()
        .map(|f_hz| Cadence {
            what: "a line of the load's spectrum".to_owned(),
            source: CadenceSource::Spectrum,
            period_s: 1.0 / f_hz,
            stretch_s,
        })
        .collect()
}

/// Whether a line is far above the median around it.
fn stands_out(f: &[f64], amplitude: &[f64], k: usize, resolution_hz: f64) -> bool {
    let mut around: Vec<f64> = f
        .iter()
        .zip(amplitude)
        .filter(|(at, _)| **at > f[k] / NEIGHBOURHOOD && **at < f[k] * NEIGHBOURHOOD)
        .filter(|(at, _)| (**at - f[k]).abs() > LOBE * resolution_hz)
        .map(|(_, a)| *a)
        .collect();
    if around.len() < 4 {
        return false;
    }
    around.sort_by(f64::total_cmp);
    amplitude[k] > STANDS_OUT * around[around.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;
    use ballast_scenario::LoadEvent;

    fn steps(events: Vec<(f64, f64)>) -> StepsLoad {
        StepsLoad {
            name: "wave".to_owned(),
            initial_kw: 100.0,
            power_factor: None,
            events: events
                .into_iter()
                .map(|(at_s, power_kw)| LoadEvent { at_s, power_kw })
                .collect(),
        }
    }

    #[test]
    fn a_pattern_of_steps_is_found_behind_its_start() {
        // A ramp-up, then 1.3 s high of 2.1 s.
        let mut events = vec![(1.0, 50.0), (2.0, 70.0)];
        for k in 0..20 {
            let at = 5.0 + 2.1 * f64::from(k);
            events.extend([(at, 200.0), (at + 1.3, 120.0)]);
        }
        let found = pattern(&steps(events.clone()), (0.0, 100.0)).unwrap();
        assert!((found.period_s - 2.1).abs() < 1e-9, "{found:?}");
        assert!((found.stretch_s.0 - 5.0).abs() < 1e-9, "{found:?}");
        assert!((found.stretch_s.1 - 47.0).abs() < 1e-9, "{found:?}");
        // One odd power, and it repeats only behind it.
        events[21].1 = 121.0;
        let later = pattern(&steps(events), (0.0, 100.0)).unwrap();
        assert!(later.stretch_s.0 > 25.0, "{later:?}");
    }

    #[test]
    fn what_does_not_repeat_has_no_pattern() {
        assert_eq!(pattern(&steps(Vec::new()), (0.0, 9.0)), None);
        assert_eq!(pattern(&steps(vec![(1.0, 2.0)]), (0.0, 9.0)), None);
        let stairs = (0..30).map(|k| (f64::from(k) + 1.0, f64::from(k)));
        assert_eq!(pattern(&steps(stairs.collect()), (0.0, 99.0)), None);
        let uneven = (0..30).map(|k| (f64::from(k * k) + 1.0, f64::from(k % 2)));
        assert_eq!(pattern(&steps(uneven.collect()), (0.0, 999.0)), None);
    }
}
