//! All of it: from a recording to a profile and a report.

use std::borrow::Cow;

use ballast_profile::GpuProfile;
use ballast_units::Confidence;
use serde::Serialize;

use crate::correct::{self, Known, PhaseCorrected, SensorSeen};
use crate::correlate::{Correlation, PairLag, correlations, lags};
use crate::gates::{Gate, confidence, gates, is_steady};
use crate::profile_out::{Origin, profile};
use crate::refit::{Refit, refit};
use crate::segment::{Group, Phase, segment};
use crate::segment_signal::{SegmentError, Signal};
use crate::{InvertError, Recording};

/// What was found of GPUs that move together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupReport {
    /// Indices of the GPUs on their node.
    pub gpus: Vec<u32>,
    /// Its phases, as drawn: see [`GroupReport::corrected`] for what was shown.
    pub phases: Vec<Phase>,
    /// Of each phase, what was shown, what was drawn, and how far that holds.
    pub corrected: Vec<PhaseCorrected>,
    /// The sensors, and the means over the whole recording.
    pub sensors: Vec<SensorSeen>,
    /// Correlation by kind of phase.
    pub correlation: Vec<Correlation>,
    /// Gates over its steady part; empty where it has none and others do.
    pub gates: Vec<Gate>,
    /// Stretches without samples, seconds.
    pub gaps: Vec<(f64, f64)>,
    /// How well the profile gives it back.
    pub refit: Option<Refit>,
    /// Whether the replay is of the samples' own cycles, as those that the sensor's inverse found do not show in the samples.
    pub refit_as_shown: bool,
}

/// A calibration.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// The groups, with their signals.
    pub groups: Vec<Group>,
    /// What is reported of each.
    pub reports: Vec<GroupReport>,
    /// Correlation and lag of each GPU against the first.
    pub lags: Vec<PairLag>,
    /// Confidence of the profile's numbers.
    pub confidence: Confidence,
    /// The profile.
    pub profile: GpuProfile,
}

/// Why there is no calibration.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CalibrateError {
    /// No phases.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// No sensor.
    #[error(transparent)]
    Sensor(#[from] InvertError),
}

/// Makes a profile of a recording of cards that were not compared with a meter.
///
/// # Errors
/// See [`segment`].
pub fn calibrate(recording: &Recording, origin: &Origin) -> Result<Calibration, CalibrateError> {
    calibrate_known(recording, origin, &Known::default())
}

/// Makes a profile of a recording, with what is known beside it.
///
/// Phases come from the samples; their means, levels and edges then from the sensors' inverse.
///
/// # Errors
/// See [`segment`]; and a gain that cannot be.
pub fn calibrate_known(
    recording: &Recording,
    origin: &Origin,
    known: &Known,
) -> Result<Calibration, CalibrateError> {
    correct::check(known)?;
    let drawn = known.card.map_or(Cow::Borrowed(recording), |card| {
        Cow::Owned(correct::drawn(recording, card))
    });
    let mut groups = segment(&drawn)?;
    let shown = groups.clone();
    let corrections: Vec<correct::Correction> = groups
        .iter_mut()
        .map(|group| correct::correct(recording, group, known))
        .collect();
    let works = |g: &Group| g.phases.iter().any(|p| is_steady(p.label));
    let any = groups.iter().any(works);
    let each: Vec<Vec<Gate>> = groups
        .iter()
        .map(|g| {
            if works(g) || !any {
                gates(&drawn, g)
            } else {
                Vec::new()
            }
        })
        .collect();
    let metered = known.card.is_some_and(|card| card.error <= METERED);
    let confidence = each
        .iter()
        .filter(|g| !g.is_empty())
        .map(|g| confidence(g, metered))
        .min()
        .unwrap_or(Confidence::Low);
    let all: Vec<Gate> = each.iter().flatten().cloned().collect();
    let origin = Origin {
        gain_error: known.card.map(|card| card.error),
        sensor: notes(&groups, &corrections),
        ..origin.clone()
    };
    let of = |groups: &[Group]| profile(&drawn, groups, &all, confidence, &origin);
    let profile = of(&groups).ok_or(SegmentError::NoGpu)?;
    // A cycle that does not show in the samples cannot give them back: what shows of it can.
    let as_shown = corrections
        .iter()
        .any(|c| c.beyond_samples)
        .then(|| of(&shown))
        .flatten();
    let index = |g: usize| recording.gpus.get(g).map_or(0, |r| r.index);
    let reports = groups
        .iter()
        .zip(&shown)
        .zip(corrections)
        .zip(each)
        .map(|(((g, shown), correction), gates)| GroupReport {
            gpus: g.gpus.iter().map(|i| index(*i)).collect(),
            phases: g.phases.clone(),
            corrected: correction.phases,
            sensors: correction.sensors,
            correlation: correlations(g),
            gates,
            gaps: g.gaps.clone(),
            refit: match &as_shown {
                Some(profile) => refit(profile, shown),
                None => refit(&profile, g),
            },
            refit_as_shown: as_shown.is_some(),
        })
        .collect();
    let mut signals: Vec<(usize, &Signal)> = groups
        .iter()
        .flat_map(|g| g.gpus.iter().copied().zip(&g.each))
        .collect();
    signals.sort_by_key(|s| s.0);
    let signals: Vec<(u32, &Signal)> = signals.into_iter().map(|(g, s)| (index(g), s)).collect();
    Ok(Calibration {
        lags: lags(&signals),
        groups,
        reports,
        confidence,
        profile,
    })
}

/// Largest error of a gain that a meter has told well enough for high confidence.
const METERED: f64 = 0.02;

/// What the profile's notes say of the sensor and of what was corrected.
fn notes(groups: &[Group], corrections: &[correct::Correction]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for (group, correction) in groups.iter().zip(corrections) {
        let Some(sensor) = correction.sensors.first() else {
            lines.push(format!(
                "Powers are from the {}: no window to take out.",
                group.reading
            ));
            continue;
        };
        lines.push(format!(
            "Sensor: {} power of {}, {}, {} ({}).",
            sensor.reading,
            sensor.architecture,
            sensor.window_s.map_or_else(
                || "window unknown".to_owned(),
                |w| format!("window of {:.0} ms", 1e3 * w)
            ),
            sensor.update_period_s.map_or_else(
                || "update period unknown".to_owned(),
                |t| format!("renewed every {:.0} ms", 1e3 * t)
            ),
            sensor.source
        ));
        lines.push(format!(
            "Means are from the {}, with the gain known to {:.1} %; levels and edges are behind the window.",
            sensor.mean_from,
            100.0 * sensor.gain_error
        ));
        for (phase, found) in group.phases.iter().zip(&correction.phases) {
            if let Some(why) = &found.unidentifiable {
                lines.push(format!(
                    "From {:.1} s to {:.1} s: {why}.",
                    phase.from_s, phase.to_s
                ));
            }
        }
    }
    lines.dedup();
    lines.iter().map(|line| format!("{line}\n")).collect()
}
