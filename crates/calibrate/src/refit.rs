//! Whether a profile gives its recording back: the phases replayed through the aggregator, one node, beside the recording.
//!
//! Every phase of the recording is played as a job of its kind with the profile's levels (pooled over stretches, so no longer the stretch's own), its
//! spread, correlation time and the correlation between GPUs. Power of the GPUs together is compared: energy; quantiles; the autocorrelation over the
//! whole; and the root mean square difference over the range of the recording. Repeated work is aligned in phase, eight periods at a time: where
//! an iteration begins is no property of a profile.

use std::collections::BTreeMap;

use ballast_aggregate::{
    BatchJob, CorrelationSpec, DemandBlock, Engine, EngineKind, IterationShape, JobSpec, RackGroup,
    Site, SiteInput, TrainingJob,
};
use ballast_profile::{GpuProfile, HostSpec, MeteredSide, NodeSpec, PhaseKind, PhaseSpec, PsuSpec};
use ballast_units::{Confidence, Grade, Sourced};
use serde::Serialize;

use crate::correlate::{Correlation, correlations};
use crate::segment::{Cycle, Group, Label, Phase};
use crate::segment_period::acf;
use crate::segment_signal::quantile;

/// Realisations whose median counts.
pub const SEEDS: u64 = 20;

/// Largest error of the energy, largest NRMSE, least R² of the autocorrelation of a good refit.
pub(crate) const ENERGY_ERROR: f64 = 0.05;
/// See [`ENERGY_ERROR`].
pub(crate) const NRMSE: f64 = 0.20;
/// See [`ENERGY_ERROR`].
pub(crate) const ACF_R2: f64 = 0.90;

/// How well a profile gives its recording back, median over [`SEEDS`] realisations.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Refit {
    /// GPUs of the group, as indices of the recording.
    pub gpus: Vec<usize>,
    /// Share by which the energy differs.
    pub energy_error: f64,
    /// Root mean square difference over the range of the recording (highest − lowest bin).
    pub nrmse: f64,
    /// Coefficient of determination of the autocorrelation; none for a constant recording.
    pub acf_r2: Option<f64>,
    /// Mean distance of the quantiles (1 to 99 %) over the mean power.
    pub quantile_error: f64,
    /// Whether energy, NRMSE and autocorrelation are within their bounds.
    pub good: bool,
}

fn plain(value: f64) -> Sourced {
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
fn kind(label: Label) -> PhaseKind {
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
    let correlation = correlations(group);
    let n = group.mean.value.len();
    let gpus = group.gpus.len() as f64;
    let measured: Vec<f64> = group.mean.value.iter().map(|v| v * gpus).collect();
    let mut results = Vec::new();
    for seed in 0..SEEDS {
        let mut played = vec![f64::NAN; n];
        for (i, phase) in group.phases.iter().enumerate() {
            let at = 0.5 * group.mean.dt_s;
            let (from, to) = (
                group.mean.bin(phase.from_s + at),
                group.mean.bin(phase.to_s + at),
            );
            if to > from {
                let stretch = play(
                    profile,
                    group,
                    phase,
                    &correlation,
                    (from, to),
                    (seed, i as u32),
                )?;
                played[from..to].copy_from_slice(&stretch);
            }
        }
        results.push(compare(&measured, &played)?);
    }
    let median = |of: fn(&Figures) -> f64| quantile(results.iter().map(of), 0.5);
    let acf_r2 = median(|f| f.acf_r2);
    let found = Refit {
        gpus: group.gpus.clone(),
        energy_error: median(|f| f.energy),
        nrmse: median(|f| f.nrmse),
        acf_r2: acf_r2.is_finite().then_some(acf_r2),
        quantile_error: median(|f| f.quantile),
        good: false,
    };
    Some(Refit {
        good: found.energy_error <= ENERGY_ERROR
            && found.nrmse <= NRMSE
            && found.acf_r2.is_none_or(|r| r >= ACF_R2),
        ..found
    })
}

struct Figures {
    energy: f64,
    nrmse: f64,
    acf_r2: f64,
    quantile: f64,
}

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
    let (sum, other): (f64, f64) = pairs
        .iter()
        .fold((0.0, 0.0), |(a, b), (m, p)| (a + m, b + p));
    let lo = pairs.iter().map(|p| p.0).fold(f64::INFINITY, f64::min);
    let hi = pairs.iter().map(|p| p.0).fold(f64::NEG_INFINITY, f64::max);
    let squares: f64 = pairs.iter().map(|(m, p)| (m - p) * (m - p)).sum();
    // A constant has no range; its own size stands in.
    let range = if hi > lo { hi - lo } else { hi.max(1.0) };
    let m: Vec<f64> = pairs.iter().map(|p| p.0).collect();
    let p: Vec<f64> = pairs.iter().map(|p| p.1).collect();
    let mut distance = 0.0;
    for k in 1..100 {
        let share = f64::from(k) / 100.0;
        distance +=
            (quantile(m.iter().copied(), share) - quantile(p.iter().copied(), share)).abs() / 99.0;
    }
    Some(Figures {
        energy: ((other - sum) / sum).abs(),
        nrmse: (squares / n).sqrt() / range,
        acf_r2: acf_r2(&m, &p),
        quantile: distance / (sum / n),
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

/// One phase as the aggregator plays it, bin by bin, power of all GPUs together.
fn play(
    profile: &GpuProfile,
    group: &Group,
    phase: &Phase,
    correlation: &[Correlation],
    (from, to): (usize, usize),
    (seed, realisation): (u64, u32),
) -> Option<Vec<f64>> {
    let dt_s = group.mean.dt_s;
    let bins = to - from;
    let gpus = u32::try_from(group.gpus.len()).ok()?;
    let cycle = phase.cycle.filter(|_| phase.label == Label::Training);
    let phases = &profile.phases;
    let own = phases
        .get(kind(phase.label))
        .or(phases.train_compute.as_ref())
        .or_else(|| phases.iter().map(|p| p.1).next())?;
    // Levels change at once here: the stretches are cut where the recording changes.
    let flat = |spec: &PhaseSpec| PhaseSpec {
        rise: None,
        fall: None,
        duration_s: Some(plain(0.0)),
        ..spec.clone()
    };
    let mut played = profile.clone();
    let p = &mut played.phases;
    let steady = flat(own);
    p.steady_mixed = Some(steady.clone());
    for place in [
        &mut p.idle,
        &mut p.idle_context,
        &mut p.launch,
        &mut p.load,
        &mut p.warmup,
        &mut p.checkpoint,
        &mut p.train_compute,
        &mut p.train_communication,
    ] {
        *place = Some(place.as_ref().map_or_else(|| steady.clone(), flat));
    }
    let coefficient = correlation
        .iter()
        .find(|c| c.label == phase.label)
        .and_then(|c| c.coefficient)
        .unwrap_or(0.0)
        .clamp(0.0, 1.0);
    let shared = CorrelationSpec::Equal { coefficient };
    // Whole bins of finer steps: an iteration shows only with several samples.
    let finer = cycle.map_or(1, |c| {
        (24.0 * dt_s / c.period_s).ceil().clamp(1.0, 64.0) as usize
    });
    let margin = cycle.map_or(0, |c| (c.period_s / dt_s).ceil() as usize);
    let lead_s = margin as f64 * dt_s;
    let job = match &cycle {
        Some(c) => training(c, phase.from_s - lead_s, shared),
        None => batch(shared),
    };
    let nodes = BTreeMap::from([("node".to_owned(), node(gpus))]);
    let psus = BTreeMap::from([("psu".to_owned(), psu())]);
    let profiles = BTreeMap::from([("gpu".to_owned(), played)]);
    let racks = [RackGroup {
        name: "rack".to_owned(),
        count: 1,
        node: "node".to_owned(),
        nodes_per_rack: 1,
        racks_per_row: None,
        other_kw: None,
        other_metered: None,
        gpu_smoothing: None,
        storage: None,
    }];
    let jobs = [job];
    let site = Site::new(SiteInput {
        racks: &racks,
        jobs: &jobs,
        tenants: &[],
        correlation: None,
        events: &[],
        gpus: &profiles,
        nodes: &nodes,
        psus: &psus,
    })
    .ok()?;
    let steps = (bins + 2 * margin) * finer;
    let mut engine = Engine::new(
        &site,
        dt_s / finer as f64,
        seed,
        realisation,
        EngineKind::Group,
    );
    let mut block = DemandBlock::new(1, steps);
    engine.fill(&mut block);
    let long: Vec<f64> = block
        .gpu_w
        .chunks_exact(finer)
        .map(|c| c.iter().sum::<f64>() / finer as f64)
        .collect();
    if margin == 0 {
        return Some(long);
    }
    let scale = f64::from(gpus);
    let measured: Vec<f64> = group.mean.value[from..to]
        .iter()
        .map(|v| v * scale)
        .collect();
    Some(aligned(&measured, &long, margin))
}

/// Eight periods at a time, moved by up to a period so that they fit best.
fn aligned(measured: &[f64], long: &[f64], margin: usize) -> Vec<f64> {
    let window = (8 * margin).max(8);
    let mut out = Vec::with_capacity(measured.len());
    for (k, stretch) in measured.chunks(window).enumerate() {
        let at = k * window;
        let distance = |shift: usize| -> f64 {
            stretch
                .iter()
                .zip(&long[at + shift..])
                .map(|(a, b)| (a - b) * (a - b))
                .filter(|d| d.is_finite())
                .sum()
        };
        let best = (0..=2 * margin).min_by(|a, b| distance(*a).total_cmp(&distance(*b)));
        let shift = best.unwrap_or(margin);
        out.extend_from_slice(&long[at + shift..at + shift + stretch.len()]);
    }
    out
}

fn training(cycle: &Cycle, from_s: f64, correlation: CorrelationSpec) -> JobSpec {
    // So many iterations before the stretch that the job has long been under way, and rises where the recording does.
    let before = ((cycle.first_rise_s - from_s) / cycle.period_s).ceil() + 3.0;
    JobSpec::Training(TrainingJob {
        name: "job".to_owned(),
        racks: Vec::new(),
        gpus: None,
        tenant: None,
        share: None,
        start_s: cycle.first_rise_s - from_s - before * cycle.period_s,
        stop_s: None,
        iteration_s: cycle.period_s,
        compute_share: cycle.duty,
        shape: IterationShape::default(),
        straggler: None,
        iteration_jitter_s: cycle.jitter_s.min(0.2 * cycle.period_s),
        node_jitter_s: 0.0,
        checkpoint_every: None,
        checkpoint_s: None,
        crash_at_s: None,
        mtbf_s: None,
        restart_after_s: None,
        restore_s: None,
        restart_stagger_s: 0.0,
        restart_jitter_s: 0.0,
        stagger_s: 0.0,
        secondary_load: None,
        correlation: Some(correlation),
    })
}

fn batch(correlation: CorrelationSpec) -> JobSpec {
    JobSpec::Batch(BatchJob {
        name: "job".to_owned(),
        racks: Vec::new(),
        gpus: None,
        tenant: None,
        share: None,
        start_s: -1.0,
        stagger_s: 0.0,
        start_jitter_s: 0.0,
        launch_s: Some(0.0),
        load_s: Some(0.0),
        warmup_s: Some(0.0),
        steady: PhaseKind::SteadyMixed,
        steady_s: None,
        runs: Vec::new(),
        correlation: Some(correlation),
    })
}

fn node(gpus: u32) -> NodeSpec {
    NodeSpec {
        label: "replay".to_owned(),
        notes: String::new(),
        gpu: "gpu".to_owned(),
        gpus,
        host: HostSpec {
            fixed_w: plain(0.0),
            slope: plain(1.0),
            slow_share: None,
            slow_lag_s: None,
            metered: MeteredSide::NodeAc,
        },
        psu: "psu".to_owned(),
        psu_count: 1,
    }
}

fn psu() -> PsuSpec {
    PsuSpec {
        label: "replay".to_owned(),
        notes: String::new(),
        rated_w: plain(1e5),
        loss_fixed: plain(0.0),
        loss_linear: plain(0.0),
        loss_square: plain(0.0),
        lag_s: plain(0.0),
        holdup_j: plain(0.0),
        power_factor: None,
        power_factor_light: None,
    }
}
