//! What jobs do over time, seen in the power of the site.

use crate::common::{Build, batch, equal, moments, phase, psu, racks, sourced, training, way};
use ballast_aggregate::{DemandBlock, GroupEngine, JobSpec};
use ballast_profile::{MeteredSide, PhaseKind};

/// Power per GPU of a site of one rack, at times that are multiples of 0.1 s.
fn per_gpu(build: &Build, gpus: f64, seconds: f64) -> Vec<f64> {
    let steps = (seconds * 10.0).round() as usize;
    build
        .run(0.1, steps, 1)
        .gpu_w
        .iter()
        .map(|p| p / gpus)
        .collect()
}

#[test]
fn batch_goes_through_its_phases() {
    let mut job = batch("b");
    (job.start_s, job.load_s, job.warmup_s, job.steady_s) = (2.0, Some(3.0), Some(0.0), Some(4.0));
    let build = Build::new(vec![racks("r", 1, 1)], vec![JobSpec::Batch(job)], 8, 0.0);
    let p = per_gpu(&build, 8.0, 12.0);
    // Launch takes the profile's 1 s, load 3 s, no warmup, steady 4 s.
    for (from, to, watts) in [
        (0, 20, 100.0),
        (20, 30, 150.0),
        (30, 60, 200.0),
        (60, 100, 500.0),
        (100, 120, 100.0),
    ] {
        assert!(
            p[from..to].iter().all(|x| *x == watts),
            "{watts} W from {from}: {:?}",
            &p[from..to]
        );
    }
}

#[test]
fn nodes_start_one_after_another() {
    let mut job = batch("b");
    (
        job.start_s,
        job.stagger_s,
        job.launch_s,
        job.load_s,
        job.warmup_s,
    ) = (1.0, 3.0, Some(0.0), Some(0.0), Some(0.0));
    let build = Build::new(vec![racks("r", 2, 2)], vec![JobSpec::Batch(job)], 1, 0.0);
    let block = build.run(0.1, 60, 1);
    for (from, to, on) in [
        (0, 10, 0.0),
        (10, 20, 1.0),
        (20, 30, 2.0),
        (30, 40, 3.0),
        (40, 60, 4.0),
    ] {
        assert!(
            block.gpu_w[from..to]
                .iter()
                .all(|p| *p == 400.0 + 400.0 * on),
            "{on}"
        );
    }
    // The first rack's nodes come first.
    assert_eq!(block.rack(0)[25], 1000.0);
    assert_eq!(block.rack(1)[25], 200.0);
}

#[test]
fn ways_are_straight_and_start_where_the_power_is() {
    let mut job = batch("b");
    (
        job.start_s,
        job.launch_s,
        job.load_s,
        job.warmup_s,
        job.steady_s,
    ) = (1.0, Some(0.0), Some(0.0), Some(0.0), Some(1.0));
    let mut build = Build::new(vec![racks("r", 1, 1)], vec![JobSpec::Batch(job)], 1, 0.0);
    let phases = &mut build.gpus.get_mut("gpu").unwrap().phases;
    let mut steady = phase(500.0, 0.0);
    (steady.rise, steady.fall) = (Some(way(2.0)), Some(way(0.5)));
    phases.steady_decode = Some(steady);
    let p = per_gpu(&build, 1.0, 4.0);
    // Up at 200 W/s for 1 s of 2, then down from 300 W in 0.5 s.
    for (k, watts) in [
        (10, 100.0),
        (15, 200.0),
        (20, 300.0),
        (22, 220.0),
        (24, 140.0),
        (25, 100.0),
        (30, 100.0),
    ] {
        assert!((p[k] - watts).abs() < 1e-6, "{k}: {}", p[k]);
    }
}

#[test]
fn crash_strikes_all_at_once_and_restart_goes_through_the_phases() {
    let mut job = training("t");
    job.node_jitter_s = 0.05;
    (job.start_s, job.crash_at_s, job.restart_after_s, job.stop_s) =
        (-10.0, Some(2.5), Some(2.0), Some(9.0));
    let build = Build::new(
        vec![racks("r", 20, 4)],
        vec![JobSpec::Training(job)],
        8,
        0.0,
    );
    let p = per_gpu(&build, 640.0, 11.0);
    assert!(p[24] > 590.0, "computing just before: {}", p[24]);
    assert!(
        p[25..43].iter().all(|x| *x == 100.0),
        "down: {:?}",
        &p[25..43]
    );
    // Launch at 4.5, load 5.5, warmup 6.5, iterations 7.5, each with the nodes' offsets around it.
    for (k, watts) in [(50, 150.0), (60, 200.0), (70, 400.0), (78, 600.0)] {
        assert!((p[k] - watts).abs() < 1e-9, "{k}: {}", p[k]);
    }
    assert!(p[90..].iter().all(|x| *x == 100.0), "ended: {:?}", &p[90..]);
    let kinds: Vec<_> = build
        .site()
        .unwrap()
        .events()
        .iter()
        .map(|e| (e.kind, e.at_s))
        .collect();
    assert_eq!(kinds, [("crash", 2.5), ("restart", 4.5), ("job_stop", 9.0)]);
}

#[test]
fn training_waits_with_a_context_and_writes_checkpoints() {
    let mut job = training("t");
    (job.start_s, job.checkpoint_every, job.checkpoint_s) = (1.0, Some(2), Some(0.5));
    let mut build = Build::new(vec![racks("r", 1, 1)], vec![JobSpec::Training(job)], 1, 0.0);
    build.gpus.get_mut("gpu").unwrap().phases.idle_context = Some(phase(130.0, 0.0));
    let p = per_gpu(&build, 1.0, 6.0);
    for (from, to, watts) in [
        (0, 10, 130.0),
        (10, 17, 600.0),
        (18, 20, 200.0),
        (30, 35, 120.0),
        (35, 42, 600.0),
    ] {
        assert!(
            p[from..to].iter().all(|x| *x == watts),
            "{watts}: {:?}",
            &p[from..to]
        );
    }
}

#[test]
fn jitter_wears_down_the_harmonics() {
    const N: u32 = 2000;
    let (s, share) = (0.05, 0.3);
    let mut job = training("t");
    (job.start_s, job.compute_share, job.node_jitter_s) = (-100.0, share, s);
    let build = Build::new(
        vec![racks("r", N / 8, 8)],
        vec![JobSpec::Training(job)],
        1,
        0.0,
    );
    let (dt, steps) = (0.002, 5000);
    let p = build.run(dt, steps, 3).gpu_w;
    for k in 1..=4 {
        let w = 2.0 * std::f64::consts::PI * f64::from(k);
        let (mut re, mut im) = (0.0, 0.0);
        for (i, x) in p.iter().enumerate() {
            let t = i as f64 * dt;
            (re, im) = (re + x * (w * t).cos(), im + x * (w * t).sin());
        }
        let amplitude = 2.0 * re.hypot(im) / steps as f64;
        let lone = 2.0 * 400.0 * (0.5 * w * share).sin().abs() / (0.5 * w);
        let kept = amplitude / (lone * f64::from(N));
        let theory = (-(w * s).powi(2) / 2.0).exp();
        println!("harmonic {k}: kept {kept:.4}, theory {theory:.4}");
        // 2000 offsets: one σ of the mean phasor is at most 1/sqrt(2 · 2000) = 0.016.
        assert!((kept - theory).abs() < 0.05, "{k}: {kept} {theory}");
    }
}

#[test]
fn supply_lag_answers_a_step_exactly() {
    let mut job = batch("b");
    (job.start_s, job.launch_s, job.load_s, job.warmup_s) = (0.1, Some(0.0), Some(0.0), Some(0.0));
    let mut build = Build::new(vec![racks("r", 1, 3)], vec![JobSpec::Batch(job)], 8, 0.0);
    let tau = 0.03_f64;
    build.psus.insert("psu".into(), psu(tau));
    let dt = 0.001_f64;
    let block = build.run(dt, 400, 1);
    // Sampled, the step is a rise between 0.099 and 0.1 s.
    let at_end = 1.0 - (1.0 - (-dt / tau).exp()) * tau / dt;
    for (k, p) in block.site_w.iter().enumerate() {
        let share = if k < 100 {
            0.0
        } else {
            1.0 - (1.0 - at_end) * (-(k as f64 - 100.0) * dt / tau).exp()
        };
        assert!((p - 24.0 * (100.0 + 400.0 * share)).abs() < 1e-8, "{k}");
        assert_eq!(block.gpu_w[k], 24.0 * if k < 100 { 100.0 } else { 500.0 });
    }
}

#[test]
fn host_power_counts_once_on_a_shared_node() {
    let (mut a, mut b) = (batch("a"), training("t"));
    (a.gpus, b.gpus) = (Some(11), Some(3));
    b.start_s = -100.0;
    (b.compute_share, b.iteration_s) = (1.0, 1.0);
    let mut build = Build::new(
        vec![racks("r", 1, 3)],
        vec![JobSpec::Batch(a), JobSpec::Training(b)],
        8,
        0.0,
    );
    let host = &mut build.nodes.get_mut("node").unwrap().host;
    (host.fixed_w, host.slope, host.metered) = (sourced(1000.0), sourced(1.3), MeteredSide::NodeDc);
    let block = build.run(0.1, 3, 1);
    let supply = psu(0.0);
    let node = |gpu_w: f64| supply.input_w(1000.0 + 1.3 * gpu_w, 2);
    let expected =
        node(8.0 * 500.0) + node(3.0 * 500.0 + 3.0 * 600.0 + 2.0 * 100.0) + node(8.0 * 100.0);
    assert!(
        (block.site_w[1] - expected).abs() < 1e-9,
        "{} {expected}",
        block.site_w[1]
    );
    assert!((block.gpu_w[1] - (11.0 * 500.0 + 3.0 * 600.0 + 10.0 * 100.0)).abs() < 1e-9);
}

#[test]
fn used_phases_leave_out_the_past() {
    let (mut a, mut t) = (batch("a"), training("t"));
    (a.gpus, t.gpus) = (Some(8), Some(8));
    t.start_s = -50.0;
    let build = Build::new(
        vec![racks("r", 1, 2)],
        vec![JobSpec::Batch(a), JobSpec::Training(t)],
        8,
        0.0,
    );
    let used: Vec<_> = build
        .site()
        .unwrap()
        .used_phases()
        .into_iter()
        .map(|(_, k)| k)
        .collect();
    assert_eq!(
        used,
        [
            PhaseKind::SteadyDecode,
            PhaseKind::TrainCompute,
            PhaseKind::TrainCommunication
        ]
    );
    let mut idle = Build::new(vec![racks("r", 1, 2)], vec![], 8, 0.0);
    assert_eq!(
        idle.site().unwrap().used_phases(),
        [("gpu".to_owned(), PhaseKind::Idle)]
    );
    idle.jobs = vec![JobSpec::Batch({
        let mut b = batch("b");
        b.start_s = 0.5;
        b
    })];
    assert_eq!(idle.site().unwrap().used_phases().len(), 5);
}

#[test]
fn clamp_is_reported_and_bounds_a_cohort() {
    let mut build = Build::new(
        vec![racks("r", 1, 2)],
        vec![JobSpec::Batch(batch("b"))],
        8,
        50.0,
    );
    build.gpus.get_mut("gpu").unwrap().tdp_w = sourced(550.0);
    build.correlation = Some(equal(1.0));
    let site = build.site().unwrap();
    let mut engine = GroupEngine::new(&site, 0.5, 1, 0);
    let mut block = DemandBlock::new(1, 20_000);
    engine.fill(&mut block);
    assert!(block.gpu_w.iter().all(|p| *p <= 16.0 * 550.0 + 1e-9));
    let reports = engine.clamp_report();
    assert_eq!(reports.len(), 1);
    let r = &reports[0];
    assert_eq!(
        (r.job.as_deref(), r.phase),
        (Some("b"), PhaseKind::SteadyDecode)
    );
    assert_eq!(r.time_share, 1.0);
    assert!((r.probability - 0.1587).abs() < 1e-4);
    // With C = 1 the cohort clips just as each GPU would.
    assert!(
        (r.bounded_share - r.probability).abs() < 0.01,
        "{}",
        r.bounded_share
    );
    let (mean, _) = moments(&block.gpu_w);
    assert!((500.0 - mean / 16.0 - r.bias_w_per_gpu).abs() < 1.0);
    assert!(r.worth_telling() && r.text.contains("steady_decode"));
}

/// Nodes of a rack at different levels: the losses of the supplies are those of each node by itself.
#[test]
fn losses_are_those_of_each_node() {
    let mut job = batch("b");
    (job.start_s, job.stagger_s) = (0.0, 7.0);
    let mut build = Build::new(vec![racks("r", 1, 8)], vec![JobSpec::Batch(job)], 4, 0.0);
    let host = &mut build.nodes.get_mut("node").unwrap().host;
    (host.fixed_w, host.slope, host.metered) = (sourced(500.0), sourced(1.1), MeteredSide::NodeDc);
    build.gpus.get_mut("gpu").unwrap().phases.launch = None;
    let phases = &mut build.gpus.get_mut("gpu").unwrap().phases;
    (phases.load, phases.warmup) = (None, None);
    let block = build.run(0.5, 16, 3);
    // Two supplies of 3 kW: loss 6000 (0.005 + 0.0313 x²).
    let ac_w = |gpu_w: f64| {
        let dc_w = 500.0 + 1.1 * gpu_w;
        dc_w + 6000.0 * (0.005 + 0.0313 * (dc_w / 6000.0) * (dc_w / 6000.0))
    };
    for (k, w) in block.rack_w.iter().enumerate() {
        let running = f64::from((k as u32 / 2 + 1).min(8));
        let by_hand = running * ac_w(2000.0) + (8.0 - running) * ac_w(400.0);
        assert!((w - by_hand).abs() < 1e-6, "{k}: {w} W, {by_hand} W");
    }
}
