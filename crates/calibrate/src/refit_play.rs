//! A phase as the aggregator plays it.

use std::collections::BTreeMap;

use ballast_aggregate::{
    BatchJob, CorrelationSpec, DemandBlock, Engine, EngineKind, IterationShape, JobSpec, RackGroup,
    Site, SiteInput, TrainingJob,
};
use ballast_profile::{GpuProfile, HostSpec, MeteredSide, NodeSpec, PhaseKind, PhaseSpec, PsuSpec};

use crate::correlate::Correlation;
use crate::profile_out::slot;
use crate::refit::{kind, plain};
use crate::segment::{Cycle, Group, Label, Phase};

/// Levels of kinds that are to be played at another level than the profile's, watts.
pub(crate) type Levels = Vec<(PhaseKind, f64)>;

/// Which realisation of which phase.
#[derive(Clone, Copy)]
pub(crate) struct Realisation {
    pub(crate) seed: u64,
    pub(crate) phase: u32,
}

/// One phase as the aggregator plays it, bin by bin, power of all GPUs together.
pub(crate) fn play(
    profile: &GpuProfile,
    group: &Group,
    (phase, levels): (&Phase, &Levels),
    correlation: &[Correlation],
    (from, to): (usize, usize),
    realisation: Realisation,
) -> Option<Vec<f64>> {
    let dt_s = group.mean.dt_s;
    let bins = to - from;
    let gpus = u32::try_from(group.gpus.len()).ok()?;
    let cycle = phase.cycle.filter(|_| phase.label == Label::Training);
    let profile = at_levels(profile, levels);
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
    let beat_window_s = cycle.filter(|c| c.beat_s.is_some()).and(group.window_s);
    let finer = cycle.map_or(1, |c| {
        if beat_window_s.is_some() {
            return FINEST;
        }
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
        realisation.seed,
        realisation.phase,
        EngineKind::Group,
    );
    let mut block = DemandBlock::new(1, steps);
    engine.fill(&mut block);
    if let (Some(window_s), Some(c)) = (beat_window_s, cycle) {
        let measured: Vec<f64> = group.mean.value[from..to]
            .iter()
            .map(|v| v * f64::from(gpus))
            .collect();
        let steps = |seconds: f64| ((seconds / dt_s * finer as f64).round() as usize).max(1);
        return Some(seen(
            &measured,
            &block.gpu_w,
            (margin, finer),
            steps(window_s),
            steps(c.period_s),
        ));
    }
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

/// The profile with some kinds at other levels.
fn at_levels(profile: &GpuProfile, levels: &Levels) -> GpuProfile {
    let mut profile = profile.clone();
    for (kind, level_w) in levels {
        if let Some(spec) = slot(&mut profile.phases, *kind) {
            spec.power_w = plain(*level_w);
        }
    }
    profile
}

/// Steps per bin where the sensor's window is played.
const FINEST: usize = 64;
/// Bins that are aligned at a time where the period is about a bin: eight periods would leave one unknown for eight samples.
const BEAT_BINS: usize = 64;

/// What a sensor shows of a load that repeats about as fast as it updates: the mean over its window in the middle of each bin. The load is
/// moved by up to a period so that it fits best, [`BEAT_BINS`] at a time.
fn seen(
    measured: &[f64],
    fine: &[f64],
    (margin, finer): (usize, usize),
    window: usize,
    period: usize,
) -> Vec<f64> {
    let mut sums = vec![0.0];
    for v in fine {
        sums.push(sums[sums.len() - 1] + v);
    }
    let shown = |bin: usize, shift: usize| {
        let at = (bin + margin) * finer + finer / 2 + shift - window / 2;
        (sums[at + window] - sums[at]) / window as f64
    };
    let most = period.min(margin * finer);
    let mut out = Vec::with_capacity(measured.len());
    for (k, stretch) in measured.chunks(BEAT_BINS).enumerate() {
        let first = k * BEAT_BINS;
        let distance = |shift: usize| -> f64 {
            let off = |(i, m): (usize, &f64)| {
                let d = m - shown(first + i, shift);
                d * d
            };
            stretch
                .iter()
                .enumerate()
                .map(off)
                .filter(|d| d.is_finite())
                .sum()
        };
        let best = (0..most).min_by(|a, b| distance(*a).total_cmp(&distance(*b)));
        let shift = best.unwrap_or(0);
        out.extend((0..stretch.len()).map(|i| shown(first + i, shift)));
    }
    out
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
