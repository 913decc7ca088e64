//! Training seen in the power of the site: harmonics, stages, stragglers, restarts, long steps.

use std::f64::consts::PI;

use ballast_aggregate::{
    DemandBlock, Engine, EngineKind, IterationShape, JobSpec, PerGpuEngine, PipelineSchedule,
    StragglerSpec, TrainingJob,
};

use crate::common::{Build, racks, training, way};

/// Compute less communication, W per GPU.
const SWING_W: f64 = 400.0;
const STEP_S: f64 = 0.002;
/// Steps in the iteration of 1 s.
const STEPS: usize = 500;

/// Nodes of one GPU, all in cohorts of one node.
fn site(nodes: u32, job: TrainingJob) -> Build {
    Build::new(
        vec![racks("r", nodes / 8, 8)],
        vec![JobSpec::Training(job)],
        1,
        0.0,
    )
}

/// Complex amplitude of harmonic k of the 1 s iteration, W: `2/N Σ p e^(−iωt)`, over whole iterations.
fn harmonic(power_w: &[f64], k: u32) -> (f64, f64) {
    let w = 2.0 * PI * f64::from(k);
    let (mut re, mut im) = (0.0, 0.0);
    for (i, p) in power_w.iter().enumerate() {
        let t = (i % STEPS) as f64 * STEP_S;
        (re, im) = (re + p * (w * t).cos(), im - p * (w * t).sin());
    }
    let n = power_w.len() as f64;
    (2.0 * re / n, 2.0 * im / n)
}

fn size(z: (f64, f64)) -> f64 {
    z.0.hypot(z.1)
}

/// A sampled rectangle has `sin(x)/(N sin(x/N))` where the continuous one has `sin(x)/x`; x = πk, N the samples of a period.
fn sampled(k: u32) -> f64 {
    let x = PI * f64::from(k) / STEPS as f64;
    x / x.sin()
}

fn running() -> TrainingJob {
    let mut job = training("t");
    job.start_s = -100.0;
    job
}

/// Harmonic k of a two-level wave of duty d has the amplitude 2ΔP/(πk)·|sin(πkd)|.
#[test]
fn two_levels_have_their_harmonics() {
    for duty in [0.3, 0.5, 0.75] {
        let mut job = running();
        job.compute_share = duty;
        let p = site(8, job).run(STEP_S, 5 * STEPS, 1).site_w;
        for k in 1..=12 {
            let kpi = PI * f64::from(k);
            let law = 8.0 * SWING_W * 2.0 / kpi * (kpi * duty).sin().abs() * sampled(k);
            let got = size(harmonic(&p, k));
            // Exact but for rounding: whole steps, exact bins.
            assert!(
                (got - law).abs() < 1e-6 * 8.0 * SWING_W,
                "{duty} {k}: {got} {law}"
            );
        }
    }
}

/// Offsets of standard deviation s keep exp(−(2πks)²/2) of harmonic k, in the mean over cohorts.
#[test]
fn jitter_leaves_each_harmonic_its_share() {
    const N: u32 = 2000;
    for s in [0.0, 0.01, 0.02, 0.05, 0.1] {
        let mut job = running();
        (job.compute_share, job.node_jitter_s) = (0.3, s);
        let p = site(N, job).run(STEP_S, 2 * STEPS, 3).gpu_w;
        for k in 1..=6 {
            let kpi = PI * f64::from(k);
            let lone = SWING_W * 2.0 / kpi * (0.3 * kpi).sin().abs() * sampled(k);
            let kept = size(harmonic(&p, k)) / (lone * f64::from(N));
            let law = (-(2.0 * kpi * s).powi(2) / 2.0).exp();
            // N phasors of length 1: the mean of either component has a standard deviation of at most 1/√N = 0.022 (less while they
            // are coherent, √(1 − law²) of it), taken four times; and an offset is seen to a step, of a phase of 0.5·ω·dt at most.
            let scatter = 4.0 * (1.0 - law * law).max(0.0).sqrt() / f64::from(N).sqrt();
            let bound = scatter + kpi * STEP_S * f64::from(u8::from(s > 0.0)) * law + 1e-6;
            assert!(
                (kept - law).abs() < bound,
                "s {s}, k {k}: {kept} {law} ± {bound}"
            );
        }
    }
}

fn pipeline(stages: u32, microbatches: u32, schedule: PipelineSchedule) -> IterationShape {
    IterationShape::Pipeline {
        stages,
        microbatches,
        replicas: 1,
        schedule,
        forward_share: Some(0.4),
    }
}

/// `GPipe`'s stages as a sum of phasors in closed form. Forward passes are rectangles of length m·t_f shifted by t_f from stage to
/// stage, backward passes of length m·t_b shifted by −t_b, so each sum over p stages is sin(pωt/2)/sin(ωt/2) with the phase of its middle.
#[test]
fn stages_add_up_as_phasors() {
    let (p, m, c) = (4_u32, 7_u32, 0.8);
    let mut job = running();
    (job.compute_share, job.shape) = (c, pipeline(p, m, PipelineSchedule::Gpipe));
    let nodes = 32;
    let power = site(nodes, job).run(STEP_S, 2 * STEPS, 1).site_w;
    let (pf, mf) = (f64::from(p), f64::from(m));
    let unit = c / (mf + pf - 1.0);
    let (tf, tb) = (0.4 * unit, 0.6 * unit);
    for k in 1..=12 {
        let w = 2.0 * PI * f64::from(k);
        // p rectangles of length `long`, shifted by `shift`; the middle of their middles is at `at`.
        let row = |long: f64, shift: f64, at: f64| {
            let one = 2.0 / w * (0.5 * w * long).sin();
            let all = one * (0.5 * pf * w * shift).sin() / (0.5 * w * shift).sin();
            (all * (w * at).cos(), -all * (w * at).sin())
        };
        let f = row(mf * tf, tf, 0.5 * (mf + pf - 1.0) * tf);
        let b = row(mf * tb, tb, (mf + pf - 1.0) * (tf + 0.5 * tb));
        let each = f64::from(nodes / p) * SWING_W * 2.0;
        let law = (each * (f.0 + b.0), each * (f.1 + b.1));
        let got = harmonic(&power, k);
        let off = size((got.0 - law.0, got.1 - law.1));
        // Edges of stages are seen to a step: each of 4 edges by half a step in the mean and one at most, of ΔP per node.
        let bound = f64::from(nodes) * SWING_W * 2.0 * 4.0 * STEP_S;
        assert!(
            off < bound,
            "{k}: {got:?} {law:?}, off {off:.0} of {bound:.0} W"
        );
    }
    // Less of the first harmonic is left than without stages.
    let mut flat = running();
    flat.compute_share = c;
    let whole = site(nodes, flat).run(STEP_S, 2 * STEPS, 1).site_w;
    assert!(size(harmonic(&power, 3)) < size(harmonic(&whole, 3)));
}

/// Jitter acts on the stages' sum as on a single wave.
#[test]
fn jitter_wears_a_pipeline_down_too() {
    let with = |s: f64| {
        let mut job = running();
        (job.compute_share, job.node_jitter_s) = (0.8, s);
        job.shape = pipeline(4, 8, PipelineSchedule::OneForwardOneBackward);
        let p = site(2000, job).run(STEP_S, 2 * STEPS, 5).site_w;
        (1..=3).map(|k| size(harmonic(&p, k))).collect::<Vec<_>>()
    };
    let (still, worn) = (with(0.0), with(0.03));
    for (k, (a, b)) in still.iter().zip(&worn).enumerate() {
        let law = (-(2.0 * PI * (k + 1) as f64 * 0.03).powi(2) / 2.0).exp();
        // 2000 phasors, four standard deviations, against a harmonic that may itself be small beside a single node's.
        let bound = 4.0 * 2000.0 * SWING_W * 2.0 / PI / 2000.0_f64.sqrt();
        assert!((b - law * a).abs() < bound, "{k}: {b} {}", law * a);
    }
}

/// Racks hold the stages that their GPUs belong to, also where a border runs through a rack or a node.
#[test]
fn stages_follow_the_placement() {
    let mut job = running();
    (job.compute_share, job.shape) = (1.0, pipeline(4, 1, PipelineSchedule::Gpipe));
    // 3 racks of 2 nodes of 4 GPUs: stages of 6 GPUs end within nodes. With one micro-batch one stage computes at a time.
    let build = Build::new(vec![racks("r", 3, 2)], vec![JobSpec::Training(job)], 4, 0.0);
    let block = build.run(STEP_S, STEPS, 1);
    // Forward 0.4, backward 0.6 of the time of a stage: 0.1 s, then 0.15 s. Computing GPUs by rack:
    let stages = [
        [6.0, 0.0, 0.0],
        [2.0, 4.0, 0.0],
        [0.0, 4.0, 2.0],
        [0.0, 0.0, 6.0],
    ];
    for (at_s, stage) in [
        (0.05, 0),
        (0.15, 1),
        (0.25, 2),
        (0.35, 3),
        (0.45, 3),
        (0.6, 2),
        (0.8, 1),
        (0.95, 0),
    ] {
        let k = (at_s / STEP_S) as usize;
        for (rack, computing) in stages[stage].iter().enumerate() {
            let wanted = 8.0 * 200.0 + SWING_W * computing;
            assert!((block.rack(rack)[k] - wanted).abs() < 1e-9, "{at_s} {rack}");
        }
    }
    // Two pipelines one after another: 3 GPUs a stage.
    let mut twice = build;
    if let JobSpec::Training(job) = &mut twice.jobs[0]
        && let IterationShape::Pipeline { replicas, .. } = &mut job.shape
    {
        *replicas = 2;
    }
    let block = twice.run(STEP_S, STEPS, 1);
    let first: Vec<f64> = (0..3)
        .map(|r| (block.rack(r)[25] - 1600.0) / SWING_W)
        .collect();
    assert_eq!(first, [3.0, 3.0, 0.0]);
}

/// Nodes that do the same are followed as one by the group engine, and one by one by the other: stages, stragglers, staggered
/// restarts must tell them apart in both.
#[test]
fn both_engines_tell_the_same_nodes_apart() {
    let mut staged = running();
    staged.shape = pipeline(4, 3, PipelineSchedule::Gpipe);
    let mut late = running();
    late.straggler = Some(StragglerSpec {
        delay_s: 0.3,
        probability: 0.5,
        node: None,
    });
    let mut back = running();
    (back.crash_at_s, back.restart_after_s) = (Some(0.3), Some(0.2));
    back.restart_stagger_s = 2.0;
    let mut alike = running();
    (alike.crash_at_s, alike.restart_after_s) = (Some(0.3), Some(0.2));
    for (what, job) in [
        ("staged", staged),
        ("late", late),
        ("back", back),
        ("alike", alike),
    ] {
        // Two nodes to a cohort, two stages to a rack.
        let groups = vec![racks("r", 2, 16)];
        let build = Build::new(groups, vec![JobSpec::Training(job)], 4, 0.0);
        let group = build.run(0.01, 600, 1);
        let site = build.site().unwrap();
        let mut each = DemandBlock::new(site.rack_count(), 600);
        PerGpuEngine::new(&site, 0.01, 1, 0).fill(&mut each);
        for (k, (g, e)) in group.rack_w.iter().zip(&each.rack_w).enumerate() {
            assert!((g / e - 1.0).abs() < 1e-6, "{what} {k}: {g} {e}");
        }
    }
}

#[test]
fn stages_of_unequal_size_and_absent_nodes_are_refused() {
    let mut job = running();
    job.shape = pipeline(3, 4, PipelineSchedule::Gpipe);
    job.straggler = Some(StragglerSpec {
        delay_s: 0.1,
        probability: 1.0,
        node: Some(9),
    });
    let problems = site(8, job).site().unwrap_err();
    let paths: Vec<_> = problems.iter().map(|p| p.path.as_str()).collect();
    assert_eq!(paths, ["jobs.0.shape.stages", "jobs.0.straggler.node"]);
    assert!(
        problems[0].help.contains("gpus = 6"),
        "{}",
        problems[0].help
    );
}

/// One late node of 16 costs its delay in time and little in power: all others wait.
#[test]
fn a_straggler_lengthens_the_iteration_for_all() {
    let mut job = running();
    (job.start_s, job.straggler) = (
        0.0,
        Some(StragglerSpec {
            delay_s: 0.5,
            probability: 1.0,
            node: Some(10),
        }),
    );
    let block = site(16, job).run(STEP_S, 3 * STEPS, 1);
    for (at_s, computing) in [(0.5, 16.0), (1.0, 1.0), (1.4, 0.0), (1.6, 16.0), (2.5, 1.0)] {
        let k = (at_s / STEP_S) as usize;
        let wanted = 16.0 * 200.0 + computing * SWING_W;
        assert!(
            (block.site_w[k] - wanted).abs() < 1e-9,
            "{at_s}: {}",
            block.site_w[k]
        );
    }
    // Node 10 is the second of the second rack.
    assert_eq!(block.rack(1)[500], 8.0 * 200.0 + SWING_W);
}

/// All nodes launching at once against one after another: the steepest rise of the herd is that of all nodes together.
#[test]
fn a_staggered_restart_is_no_herd() {
    let rise = |stagger_s: f64| {
        let mut job = running();
        (job.crash_at_s, job.restart_after_s) = (Some(0.5), Some(0.5));
        job.restart_stagger_s = stagger_s;
        let p = site(64, job).run(0.1, 200, 1).site_w;
        // Launch, load and warmup take 1 s each: up to the first iteration.
        let until = ((1.0 + 3.0 + stagger_s) * 10.0) as usize;
        p[9..until - 1]
            .windows(2)
            .map(|w| w[1] - w[0])
            .fold(0.0, f64::max)
    };
    let (herd_w, staggered_w) = (rise(0.0), rise(8.0));
    assert_eq!(herd_w, 64.0 * 200.0);
    assert!(staggered_w < 0.1 * herd_w, "{staggered_w} of {herd_w}");
}

/// At a step beyond its phases a job draws the mean of what a fine step sees; checkpoints stay, and nothing beats with the step.
#[test]
fn a_long_step_has_the_energy_of_a_fine_one() {
    let job = || {
        let mut job = running();
        (job.start_s, job.checkpoint_every, job.checkpoint_s) = (0.0, Some(36), Some(12.0));
        job.iteration_jitter_s = 0.02;
        job.shape = pipeline(2, 3, PipelineSchedule::OneForwardOneBackward);
        job.straggler = Some(StragglerSpec {
            delay_s: 0.2,
            probability: 0.5,
            node: None,
        });
        job
    };
    let mean = |p: &[f64]| p.iter().sum::<f64>() / p.len() as f64;
    let fine = site(16, job()).run(0.01, 24_000, 1).site_w;
    // A step of 1 s on iterations of 1 s would see a standing wave.
    let long = site(16, job()).run(1.0, 240, 1).site_w;
    let (fine_w, long_w) = (mean(&fine), mean(&long));
    // The checkpoints of either run end at slightly different times: 1 s of 240 s between 120 W and 450 W is 0.3 %; and 150 draws with
    // a probability of a half move the mean by 0.3 %.
    assert!((fine_w / long_w - 1.0).abs() < 0.01, "{fine_w} {long_w}");
    let mut levels = long.clone();
    levels.sort_by(f64::total_cmp);
    levels.dedup_by(|a, b| (*a - *b).abs() < 1e-6);
    assert_eq!(levels.len(), 2, "{levels:?}");
    assert_eq!(levels[0], 16.0 * 120.0);
}

/// A day at 1 s of a job with iterations of 2 s.
#[test]
fn a_day_at_one_second() {
    let mut job = running();
    (job.start_s, job.iteration_s, job.mtbf_s) = (60.0, 2.0, Some(4.0 * 3600.0));
    (job.restart_after_s, job.checkpoint_every, job.checkpoint_s) =
        (Some(120.0), Some(900), Some(20.0));
    let build = site(8, job);
    let p = build.run(1.0, 86_400, 1).site_w;
    let site = build.site().unwrap();
    let events = site.drawn_events(1, 0, 86_400.0);
    let crashes: Vec<_> = events.iter().filter(|e| e.kind == "crash").collect();
    assert!(!crashes.is_empty() && site.drawn_events(1, 1, 86_400.0) != events);
    for crash in crashes {
        let k = crash.at_s.ceil() as usize + 1;
        assert_eq!(p[k], 800.0, "down after {}", crash.at_s);
        assert!(crash.text.contains("are to be repeated"), "{}", crash.text);
    }
    assert!(events.iter().any(|e| e.kind == "restart"));
    // Restored at the checkpoint's level after launch and load: 120 W per GPU.
    assert!(p.contains(&(8.0 * 120.0)));
}

/// A crash, what it costs, and the restart, in words.
#[test]
fn events_say_what_is_lost() {
    let mut job = training("t");
    (job.checkpoint_every, job.checkpoint_s) = (Some(10), Some(5.0));
    (job.crash_at_s, job.restart_after_s) = (Some(37.0), Some(10.0));
    let events = site(8, job).site().unwrap().events();
    let kinds: Vec<_> = events.iter().map(|e| (e.kind, e.at_s)).collect();
    assert_eq!(
        kinds,
        [("job_start", 0.0), ("crash", 37.0), ("restart", 47.0)]
    );
    assert!(
        events[1]
            .text
            .contains("about 7 s of work since its last checkpoint")
    );
}

/// Mixed levels move along the profile's ways as phases do, and stay between the phases.
#[test]
fn overlap_has_its_level_between() {
    let mut job = running();
    (job.compute_share, job.shape) = (0.6, IterationShape::DataParallel { overlap_share: 0.5 });
    let mut build = site(8, job);
    let phases = &mut build.gpus.get_mut("gpu").unwrap().phases;
    if let Some(compute) = &mut phases.train_compute {
        compute.fall = Some(way(0.01));
    }
    let p = build.run(STEP_S, STEPS, 1).site_w;
    // Forward to 0.2 s, mixed to 0.8 s, communication.
    let mixed_w = 8.0 * (200.0 + SWING_W * 2.0 / 3.0);
    assert_eq!(p[50], 8.0 * 600.0);
    assert!((p[200] - mixed_w).abs() < 1e-9);
    assert!(p[102] < 8.0 * 600.0 && p[102] > mixed_w);
    assert_eq!(p[450], 8.0 * 200.0);
}

#[test]
fn the_error_of_the_mean_stays_within_what_is_told() {
    let of = |compute_share: f64, step_s: f64| {
        let job = TrainingJob {
            iteration_s: 2.0,
            compute_share,
            ..running()
        };
        let site = site(8, job).site().unwrap();
        let mut engine = Engine::new(&site, step_s, 1, 1, EngineKind::Group);
        let mut block = DemandBlock::new(site.rack_count(), 2000);
        engine.fill(&mut block);
        let mean_w = block.site_w.iter().sum::<f64>() / (2000.0 * 8.0);
        // 600 W computing and 200 W communicating.
        let exact_w = 200.0 + SWING_W * compute_share;
        (mean_w - exact_w, site.edges_between_samples(step_s))
    };
    for share in [0.71, 0.77, 0.79] {
        let (error_w, told) = of(share, 0.2);
        assert_eq!(told.len(), 1);
        // One step of ten: 400 W · 0.2 s / 2 s.
        assert!((told[0].bound_w - 40.0).abs() < 1e-9, "{told:?}");
        assert!((told[0].mean_w - 200.0 - SWING_W * share).abs() < 1e-9);
        assert!(error_w.abs() > 3.0 && error_w.abs() <= 40.0, "{error_w}");
    }
    // 40 samples in three iterations: three times as many places.
    let (error_w, told) = of(0.77, 0.15);
    assert!(told[0].bound_w < 400.0 * 0.15 / 2.0 / 2.9 && error_w.abs() <= told[0].bound_w);
    assert!(of(0.77, 0.01).1.is_empty());
}
