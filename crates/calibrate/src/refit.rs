//! Whether a profile gives its recording back: the phases replayed through the aggregator, one node, beside the recording.
//!
//! Every phase of the recording is played as a job of its kind with the profile's levels (pooled over stretches, so no longer the stretch's own), its
//! spread, correlation time and the correlation between GPUs. Power of the GPUs together is compared: energy; quantiles; the autocorrelation over the
//! whole; and the root mean square difference over the range of the recording. Repeated work is aligned in phase, eight periods at a time: where
//! an iteration begins is no property of a profile.

use std::fmt;

use ballast_profile::{GpuProfile, PhaseKind};
use ballast_units::{Confidence, Grade, Sourced};
use serde::Serialize;

use crate::correlate::correlations;
use crate::profile_out::kinds;
use crate::refit_play::{Levels, Realisation, play};
use crate::regimes::{regimes, same_regime};
use crate::segment::{Group, Label, Phase};
use crate::segment_period::acf;
use crate::segment_signal::{moments, quantile};

/// Realisations whose median counts.
pub const SEEDS: u64 = 20;

/// Largest error of the energy, largest NRMSE, least R² of the autocorrelation of a good refit.
pub(crate) const ENERGY_ERROR: f64 = 0.05;
/// See [`ENERGY_ERROR`].
pub(crate) const NRMSE: f64 = 0.20;
/// See [`ENERGY_ERROR`].
pub(crate) const ACF_R2: f64 = 0.90;

/// How far a replay is from its recording, medians over [`SEEDS`] realisations.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figures {
    /// Share by which the energy differs.
    pub energy_error: f64,
    /// Root mean square difference over the range of the recording (highest − lowest bin), or over its mean where it is constant but for noise.
    pub nrmse: f64,
    /// Coefficient of determination of the autocorrelation; none for a recording that is constant but for noise.
    pub acf_r2: Option<f64>,
    /// Mean distance of the quantiles (1 to 99 %) over the mean power.
    pub quantile_error: f64,
}

impl Figures {
    /// Whether energy, NRMSE and autocorrelation are within their bounds.
    pub fn good(&self) -> bool {
        self.energy_error <= ENERGY_ERROR
            && self.nrmse <= NRMSE
            && self.acf_r2.is_none_or(|r| r >= ACF_R2)
    }
}

/// How well a profile gives its recording back.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Refit {
    /// GPUs of the group, as indices of the recording.
    pub gpus: Vec<usize>,
    /// See [`Figures::energy_error`].
    pub energy_error: f64,
    /// See [`Figures::nrmse`].
    pub nrmse: f64,
    /// See [`Figures::acf_r2`].
    pub acf_r2: Option<f64>,
    /// See [`Figures::quantile_error`].
    pub quantile_error: f64,
    /// Whether energy, NRMSE and autocorrelation are within their bounds.
    pub good: bool,
    /// Most levels that a kind of phase has; above 1 each stretch was played at the level of its own.
    pub levels: usize,
    /// With the profile's one level of each kind instead, where some kind has several.
    pub one_level: Option<Figures>,
}

impl fmt::Display for Refit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let r2 = |r: Option<f64>| r.map_or_else(|| "none".to_owned(), |v| format!("{v:.3}"));
        write!(
            f,
            "replayed, median of {SEEDS} seeds: energy off by {:.2} %, NRMSE {:.3}, autocorrelation R2 {}, quantiles off by {:.1} %: {}",
            100.0 * self.energy_error,
            self.nrmse,
            r2(self.acf_r2),
            100.0 * self.quantile_error,
            if self.good {
                "good"
            } else {
                "NOT within 5 %, 0.20 and 0.90"
            }
        )?;
        if let Some(one) = &self.one_level {
            write!(
                f,
                " (with up to {} levels of a kind, each stretch at its own; with the profile's one: {:.2} %, {:.3}, {})",
                self.levels,
                100.0 * one.energy_error,
                one.nrmse,
                r2(one.acf_r2)
            )?;
        }
        Ok(())
    }
}

pub(crate) fn plain(value: f64) -> Sourced {
    Sourced {
        value,
        low: None,
        high: None,
        source: "replay".to_owned(),
        grade: Grade::Given,
        confidence: Confidence::Low,
    }
}

/// Kind of the profile's phase that stands for a phase of the recording.
pub(crate) fn kind(label: Label) -> PhaseKind {
    match label {
        Label::Idle | Label::Unknown => PhaseKind::Idle,
        Label::IdleContext | Label::Stop => PhaseKind::IdleContext,
        Label::Launch => PhaseKind::Launch,
        Label::Load => PhaseKind::Load,
        Label::Warmup => PhaseKind::Warmup,
        Label::Steady | Label::Training => PhaseKind::SteadyMixed,
        Label::SteadyPrefill => PhaseKind::SteadyPrefill,
        Label::SteadyDecode => PhaseKind::SteadyDecode,
        Label::Checkpoint => PhaseKind::Checkpoint,
    }
}

/// Replays a profile beside the group it was made from. None where the profile cannot be played, or nothing was recorded.
pub fn refit(profile: &GpuProfile, group: &Group) -> Option<Refit> {
    let own = own_levels(profile, group);
    let levels = own.iter().map(|l| l.1).max().unwrap_or(1);
    let own: Vec<Levels> = own.into_iter().map(|l| l.0).collect();
    // Of 0 W no share can be told.
    let found = figures(profile, group, &own)
        .filter(|f| f.energy_error.is_finite() && f.nrmse.is_finite())?;
    let none = vec![Levels::new(); group.phases.len()];
    let one_level = if own == none {
        None
    } else {
        figures(profile, group, &none)
    };
    Some(Refit {
        gpus: group.gpus.clone(),
        energy_error: found.energy_error,
        nrmse: found.nrmse,
        acf_r2: found.acf_r2,
        quantile_error: found.quantile_error,
        good: found.good(),
        levels,
        one_level,
    })
}

/// For each phase the levels that are not the profile's own, and how many levels its kinds have.
fn own_levels(profile: &GpuProfile, group: &Group) -> Vec<(Levels, usize)> {
    let of_kind = |kind: PhaseKind| {
        let stretches: Vec<(f64, f64)> = group
            .phases
            .iter()
            .flat_map(|p| kinds(p).into_iter().map(|k| (k, p.duration_s())))
            .filter(|((k, level, _), _)| *k == kind && level.is_finite())
            .map(|((_, level, _), seconds)| (level, seconds))
            .collect();
        regimes(&stretches)
    };
    let of_phase = |phase: &Phase| {
        let mut levels = Levels::new();
        let mut most = 1;
        for (kind, level_w, _) in kinds(phase) {
            let found = of_kind(kind);
            most = most.max(found.len());
            let Some(regime) = found.iter().find(|r| r.holds(level_w)) else {
                continue;
            };
            let profile_w = profile.phases.get(kind).map(|p| p.power_w.value);
            if profile_w.is_some_and(|p| !same_regime(p, regime.level_w)) {
                levels.push((kind, regime.level_w));
            }
        }
        (levels, most)
    };
    group.phases.iter().map(of_phase).collect()
}

fn figures(profile: &GpuProfile, group: &Group, own: &[Levels]) -> Option<Figures> {
    let correlation = correlations(group);
    let n = group.mean.value.len();
    let gpus = group.gpus.len() as f64;
    let measured: Vec<f64> = group.mean.value.iter().map(|v| v * gpus).collect();
    let mut results = Vec::new();
    for seed in 0..SEEDS {
        let mut played = vec![f64::NAN; n];
        for (i, (phase, levels)) in group.phases.iter().zip(own).enumerate() {
            let at = 0.5 * group.mean.dt_s;
            let (from, to) = (
                group.mean.bin(phase.from_s + at),
                group.mean.bin(phase.to_s + at),
            );
            if to > from {
                let stretch = play(
                    profile,
                    group,
                    (phase, levels),
                    &correlation,
                    (from, to),
                    Realisation {
                        seed,
                        phase: i as u32,
                    },
                )?;
                played[from..to].copy_from_slice(&stretch);
            }
        }
        if let Some(window_s) = group.window_s {
            through(&mut played, window_s / group.mean.dt_s);
        }
        results.push(compare(&measured, &played)?);
    }
    let median = |of: fn(&Figures) -> f64| quantile(results.iter().map(of), 0.5);
    let acf_r2 = median(|f| f.acf_r2.unwrap_or(f64::NAN));
    Some(Figures {
        energy_error: median(|f| f.energy_error),
        nrmse: median(|f| f.nrmse),
        acf_r2: acf_r2.is_finite().then_some(acf_r2),
        quantile_error: median(|f| f.quantile_error),
    })
}

/// Replaces each bin by the mean over a window about its middle, where that is wider than the bin: a profile is what was drawn, the recording
/// what its sensor showed of it. At the ends and beside bins without a value the mean is over what there is.
fn through(power: &mut [f64], window_bins: f64) {
    if window_bins <= 1.0 {
        return;
    }
    let (mut sums, mut counts) = (vec![0.0], vec![0.0]);
    for (i, v) in power.iter().enumerate() {
        let there = v.is_finite();
        sums.push(sums[i] + if there { *v } else { 0.0 });
        counts.push(counts[i] + f64::from(u8::from(there)));
    }
    let n = power.len();
    let half = 0.5 * window_bins;
    // Sum up to a place between bins.
    let up_to = |sum: &[f64], at: f64| {
        let at = at.clamp(0.0, n as f64);
        let whole = (at as usize).min(n - 1);
        sum[whole] + (at - whole as f64) * (sum[whole + 1] - sum[whole])
    };
    for (i, v) in power.iter_mut().enumerate().filter(|(_, v)| v.is_finite()) {
        let middle = i as f64 + 0.5;
        let over = |sum: &[f64]| up_to(sum, middle + half) - up_to(sum, middle - half);
        *v = over(&sums) / over(&counts);
    }
}

/// Coefficient of variation below which a recording is constant but for noise: the bound of the gate (source 003). Its range is that of
/// its noise, and the autocorrelation of noise is chance.
const CONSTANT: f64 = 0.05;

fn compare(measured: &[f64], played: &[f64]) -> Option<Figures> {
    let pairs: Vec<(f64, f64)> = measured
        .iter()
        .zip(played)
        .filter(|(m, p)| m.is_finite() && p.is_finite())
        .map(|(m, p)| (*m, *p))
        .collect();
    if pairs.len() < 10 {
        return None;
    }
    let n = pairs.len() as f64;
    let m: Vec<f64> = pairs.iter().map(|p| p.0).collect();
    let p: Vec<f64> = pairs.iter().map(|p| p.1).collect();
    let (mean, sd) = moments(m.iter().copied());
    let (other, _) = moments(p.iter().copied());
    let lo = m.iter().copied().fold(f64::INFINITY, f64::min);
    let hi = m.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let squares: f64 = pairs.iter().map(|(m, p)| (m - p) * (m - p)).sum();
    let constant = sd < CONSTANT * mean;
    let range = if constant { mean.max(1.0) } else { hi - lo };
    let mut distance = 0.0;
    for k in 1..100 {
        let share = f64::from(k) / 100.0;
        distance +=
            (quantile(m.iter().copied(), share) - quantile(p.iter().copied(), share)).abs() / 99.0;
    }
    Some(Figures {
        energy_error: ((other - mean) / mean).abs(),
        nrmse: (squares / n).sqrt() / range,
        acf_r2: Some(acf_r2(&m, &p)).filter(|r| r.is_finite() && !constant),
        quantile_error: distance / mean,
    })
}

/// R² of one autocorrelation against the other, over lags up to a quarter of the recording, 400 of them at most; NaN for a constant.
fn acf_r2(measured: &[f64], played: &[f64]) -> f64 {
    let most = (measured.len() / 4).min(400);
    let (a, b) = (acf(measured, most), acf(played, most));
    if a.len() != b.len() || a.len() < 3 {
        return f64::NAN;
    }
    let mean = a[1..].iter().sum::<f64>() / (a.len() - 1) as f64;
    let off: f64 = a[1..]
        .iter()
        .zip(&b[1..])
        .map(|(x, y)| (x - y) * (x - y))
        .sum();
    let own: f64 = a[1..].iter().map(|x| (x - mean) * (x - mean)).sum();
    if own > 0.0 { 1.0 - off / own } else { f64::NAN }
}
