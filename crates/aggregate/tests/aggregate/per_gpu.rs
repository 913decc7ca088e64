//! The per-GPU engine against closed forms, against the group engine, and against itself on other machines.

use crate::common::{Build, batch, moments, psu, racks, sourced, training, way};
use ballast_aggregate::{
    CorrelationSpec, DemandBlock, Engine, EngineKind, EngineSpec, GroupEngine, JobSpec,
    LevelShares, PerGpuEngine, Simd, sum_sigma_w,
};
use ballast_profile::{MeteredSide, tan_phi};
use proptest::prelude::*;

const SIGMA_W: f64 = 15.0;
/// τ is 1 s.
const DT_S: f64 = 0.5;
const SHARES: LevelShares = LevelShares {
    site: 0.05,
    row: 0.05,
    rack: 0.1,
    job: 0.1,
    node: 0.3,
};

/// Both kinds of jobs, shared nodes, racks of several sizes, host power, losses and lag.
#[expect(
    clippy::unwrap_used,
    reason = "a test that runs a site has a valid one"
)]
fn mixed() -> Build {
    let (mut a, mut t) = (batch("a"), training("t"));
    (a.racks, a.start_s, a.stagger_s, a.start_jitter_s) = (vec!["x".into()], 0.0, 2.0, 0.3);
    (t.racks, t.gpus, t.iteration_jitter_s, t.node_jitter_s) =
        (vec!["y".into()], Some(301), 0.05, 0.02);
    let mut second = batch("s");
    (second.racks, second.gpus) = (vec!["y".into()], Some(13));
    let jobs = vec![
        JobSpec::Batch(a),
        JobSpec::Training(t),
        JobSpec::Batch(second),
    ];
    let mut build = Build::new(vec![racks("x", 7, 3), racks("y", 12, 5)], jobs, 8, 20.0);
    build.racks[0].racks_per_row = Some(2);
    build.psus.insert("psu".into(), psu(0.02));
    let host = &mut build.nodes.get_mut("node").unwrap().host;
    (host.fixed_w, host.slope, host.metered) = (sourced(900.0), sourced(1.2), MeteredSide::NodeDc);
    build.correlation = Some(CorrelationSpec::Levels { shares: SHARES });
    let profile = build.gpus.get_mut("gpu").unwrap();
    profile.tdp_w = sourced(610.0);
    let phase = profile.phases.train_compute.as_mut().unwrap();
    (phase.rise, phase.fall) = (Some(way(0.03)), Some(way(0.2)));
    build
}

#[expect(
    clippy::unwrap_used,
    reason = "a test that runs a site has a valid one"
)]
fn run(build: &Build, dt_s: f64, steps: usize, seed: u64, simd: Simd) -> DemandBlock {
    let site = build.site().unwrap();
    let mut block = DemandBlock::new(site.rack_count(), steps);
    PerGpuEngine::with_simd(&site, dt_s, seed, 0, simd).fill(&mut block);
    block
}

fn bits(block: &DemandBlock) -> Vec<u64> {
    [&block.site_w, &block.gpu_w, &block.rack_w]
        .into_iter()
        .flatten()
        .map(|v| v.to_bits())
        .collect()
}

/// FNV-1a over all bits.
fn digest(block: &DemandBlock) -> u64 {
    bits(block)
        .into_iter()
        .flat_map(u64::to_le_bytes)
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
}

/// On a machine without AVX-512 or AVX2 the levels fall back; the fixed digest still holds them to one another.
#[test]
fn every_vector_width_gives_the_same_bytes() {
    let of = |simd| digest(&run(&mixed(), 0.01, 1500, 9, simd));
    let baseline = of(Simd::Baseline);
    assert_eq!(baseline, of(Simd::Avx2));
    assert_eq!(baseline, of(Simd::Widest));
    assert_eq!(baseline, 0x4e67_2a96_ddea_bd79, "{baseline:#x}");
}

#[test]
fn any_number_of_threads() {
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| bits(&run(&mixed(), 0.01, 700, 9, Simd::Widest)))
    };
    let one = on(1);
    assert_eq!(one, on(2));
    assert_eq!(one, on(8));
}

#[test]
fn any_block_length() {
    let site = mixed().site().unwrap();
    let whole = run(&mixed(), 0.01, 600, 9, Simd::Widest);
    for length in [1, 7, 16, 250] {
        let mut engine = PerGpuEngine::new(&site, 0.01, 9, 0);
        let mut block = DemandBlock::new(site.rack_count(), length);
        let (mut site_w, mut rack_w) = (Vec::new(), Vec::new());
        while site_w.len() < 600 {
            block.set_len(length.min(600 - site_w.len()));
            engine.fill(&mut block);
            site_w.extend_from_slice(&block.site_w);
            rack_w.extend_from_slice(block.rack(9));
        }
        assert_eq!(site_w, whole.site_w);
        assert_eq!(rack_w, whole.rack(9));
    }
}

#[test]
fn another_rack_group_changes_no_other() {
    let before = run(&mixed(), 0.01, 300, 4, Simd::Widest);
    let mut build = mixed();
    build.racks.insert(0, racks("w", 3, 2));
    let mut job = batch("extra");
    job.racks = vec!["w".into()];
    build.jobs.insert(0, JobSpec::Batch(job));
    let after = run(&build, 0.01, 300, 4, Simd::Widest);
    for i in 0..19 {
        assert_eq!(before.rack(i), after.rack(i + 3), "rack {i}");
    }
}

/// Without a spread and without jitter there is nothing random: both engines are the same to single precision.
#[test]
fn courses_nodes_and_supplies_are_the_group_engine_s() {
    let mut build = mixed();
    let profile = build.gpus.get_mut("gpu").unwrap();
    for (_, phase) in [
        (0, &mut profile.phases.steady_decode),
        (1, &mut profile.phases.train_compute),
        (2, &mut profile.phases.train_communication),
    ] {
        phase.as_mut().unwrap().spread_w = None;
    }
    let group = build.run(0.01, 1000, 3);
    let each = run(&build, 0.01, 1000, 3, Simd::Widest);
    let pairs = [
        (&group.site_w, &each.site_w),
        (&group.gpu_w, &each.gpu_w),
        (&group.rack_w, &each.rack_w),
    ];
    for (g, e) in pairs.into_iter().flat_map(|(g, e)| g.iter().zip(e)) {
        assert!((g / e - 1.0).abs() < 1e-6, "{g} {e}");
    }
}

#[test]
fn slow_hosts_what_stands_beside_them_and_reactive_power_are_the_same_in_both_engines() {
    let mut build = mixed();
    let profile = build.gpus.get_mut("gpu").unwrap();
    for phase in [
        &mut profile.phases.steady_decode,
        &mut profile.phases.train_compute,
        &mut profile.phases.train_communication,
    ] {
        phase.as_mut().unwrap().spread_w = None;
    }
    let at_once = build.run(0.01, 1000, 3);
    for node in build.nodes.values_mut() {
        node.host.slope = sourced(1.4);
        node.host.slow_share = Some(sourced(0.5));
        node.host.slow_lag_s = Some(sourced(2.0));
        node.host.metered = MeteredSide::NodeDc;
    }
    for psu in build.psus.values_mut() {
        psu.power_factor = Some(sourced(-0.98));
        psu.power_factor_light = Some(sourced(-0.9));
    }
    for group in &mut build.racks {
        group.other_kw = Some(sourced(2.0));
        group.other_metered = Some(MeteredSide::NodeDc);
    }
    let group = build.run(0.01, 1000, 3);
    let each = run(&build, 0.01, 1000, 3, Simd::Widest);
    assert_ne!(group.rack_w, at_once.rack_w);
    assert!(at_once.site_q_var.iter().all(|q| *q == 0.0));
    let pairs = [
        (&group.site_w, &each.site_w),
        (&group.site_q_var, &each.site_q_var),
        (&group.rack_w, &each.rack_w),
    ];
    for (g, e) in pairs.into_iter().flat_map(|(g, e)| g.iter().zip(e)) {
        // The per-GPU engine sums nodes in single precision.
        assert!((g / e - 1.0).abs() < 1e-6, "{g} {e}");
    }
    // Leading, between what the two points allow.
    for (q, w) in group.site_q_var.iter().zip(&group.site_w) {
        let tan = q / w;
        assert!((tan_phi(-0.9)..=tan_phi(-0.98)).contains(&tan), "{tan}");
    }
}

/// 3 layouts: GPUs per node, nodes per rack, racks. One σ of the estimate is 0.33 %, as T/τ = 45 000.
#[test]
fn sum_has_the_exact_sigma() {
    const STEPS: usize = 90_000;
    for (per_node, nodes, count) in [(8, 1, 1), (8, 5, 5), (5, 18, 2)] {
        let n = u64::from(per_node * nodes * count);
        for c in [0.0, 0.3, 1.0] {
            let jobs = vec![JobSpec::Batch(batch("b"))];
            let mut build = Build::new(vec![racks("r", count, nodes)], jobs, per_node, SIGMA_W);
            build.correlation = Some(crate::common::equal(c));
            let (mean, sd) = moments(&run(&build, DT_S, STEPS, 11, Simd::Widest).gpu_w);
            let exact = sum_sigma_w(n, SIGMA_W, c);
            assert!((sd / exact - 1.0).abs() < 0.02, "N={n} C={c}: {sd} {exact}");
            let tolerance = 4.0 * exact * (2.0 / 45_000.0_f64).sqrt() + 1e-6 * n as f64;
            assert!(
                (mean - n as f64 * 500.0).abs() < tolerance,
                "N={n} C={c}: {mean}"
            );
        }
    }
}

#[test]
fn levels_give_their_covariances() {
    let mut group = racks("r", 4, 2);
    group.racks_per_row = Some(2);
    let mut build = Build::new(vec![group], vec![JobSpec::Batch(batch("b"))], 4, SIGMA_W);
    let shares = LevelShares {
        site: 0.1,
        row: 0.15,
        rack: 0.2,
        job: 0.1,
        node: 0.25,
    };
    build.correlation = Some(CorrelationSpec::Levels { shares });
    let block = run(&build, DT_S, 90_000, 5, Simd::Widest);
    let covariance = |i: usize, j: usize| {
        let (a, b) = (block.rack(i), block.rack(j));
        let ((ma, _), (mb, _)) = (moments(a), moments(b));
        let sum: f64 = a.iter().zip(b).map(|(x, y)| (x - ma) * (y - mb)).sum();
        sum / a.len() as f64 / (64.0 * SIGMA_W * SIGMA_W)
    };
    let own_rack = 0.55 + 0.25 * 2.0 * 16.0 / 64.0 + 0.2 * 8.0 / 64.0;
    assert!((covariance(0, 0) - own_rack).abs() < 0.02);
    assert!((covariance(0, 1) - 0.35).abs() < 0.02);
    assert!((covariance(1, 2) - 0.20).abs() < 0.02);
}

fn autocorrelation(values: &[f64], lag: usize) -> f64 {
    let (mean, sd) = moments(values);
    let pairs = values.iter().zip(&values[lag..]);
    let sum: f64 = pairs.map(|(a, b)| (a - mean) * (b - mean)).sum();
    sum / (values.len() - lag) as f64 / (sd * sd)
}

fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[(q * (sorted.len() - 1) as f64) as usize]
}

/// Both exact, no limit near: 200 000 samples of 0.5 s with τ = 1 s, 4 racks of 5 nodes of 8. The p99.9 is compared as a
/// rise above the mean's floor too, which a comparison of totals would hide.
#[test]
fn engines_agree_where_both_are_exact() {
    const STEPS: usize = 200_000;
    let jobs = vec![JobSpec::Batch(batch("b"))];
    let mut build = Build::new(vec![racks("r", 4, 5)], jobs, 8, SIGMA_W);
    build.correlation = Some(CorrelationSpec::Levels { shares: SHARES });
    let group = build.run(DT_S, STEPS, 21).site_w;
    let each = run(&build, DT_S, STEPS, 22, Simd::Widest).site_w;
    let ((gm, gs), (em, es)) = (moments(&group), moments(&each));
    let (gq, eq) = (quantile(&group, 0.999), quantile(&each, 0.999));
    println!("mean {gm:.1} {em:.1}, sd {gs:.2} {es:.2}, p99.9 {gq:.1} {eq:.1}");
    assert!((em / gm - 1.0).abs() < 1e-3);
    assert!((es / gs - 1.0).abs() < 0.02);
    assert!((eq / gq - 1.0).abs() < 1e-2);
    assert!(((eq - em) / (gq - gm) - 1.0).abs() < 0.05);
    for lag in [1, 2, 4, 8] {
        let (g, e) = (autocorrelation(&group, lag), autocorrelation(&each, lag));
        println!("lag {lag}: {g:.4} {e:.4}");
        assert!((g - e).abs() < 0.02);
    }
}

/// A clamp 30 W above a mean of 500 W with a spread of 40 W: the group engine's mean is too high by what its report says.
/// Nodes of 40 GPUs with a fluctuation of their own only, so that no cohort's average meets the limit.
#[test]
fn the_group_engine_s_bias_is_what_it_says() {
    const STEPS: usize = 40_000;
    let jobs = vec![JobSpec::Batch(batch("b"))];
    let mut build = Build::new(vec![racks("r", 2, 8)], jobs, 40, 40.0);
    build.correlation = Some(crate::common::equal(0.0));
    build.gpus.get_mut("gpu").unwrap().tdp_w = sourced(530.0);
    let site = build.site().unwrap();
    let n = site.gpu_count() as f64;
    let mut block = DemandBlock::new(site.rack_count(), STEPS);
    let mut group = GroupEngine::new(&site, DT_S, 5, 0);
    group.fill(&mut block);
    let (group_w, group_sd) = moments(&block.gpu_w);
    let mut each = PerGpuEngine::new(&site, DT_S, 5, 0);
    each.fill(&mut block);
    let (each_w, each_sd) = moments(&block.gpu_w);
    let (g, e) = (&group.clamp_report()[0], &each.clamp_report()[0]);
    // The mean over T of a process with τ varies by sd √(2τ/T).
    let spread = (group_sd.hypot(each_sd)) * (2.0 / (STEPS as f64 * DT_S)).sqrt() / n;
    let seen = (group_w - each_w) / n;
    println!(
        "seen {seen:.3} W, said {:.3} W, 1σ {spread:.3} W",
        g.bias_w_per_gpu
    );
    assert!(g.bias_w_per_gpu > 5.0 && g.bounded_share < 1e-4);
    assert!((seen - g.bias_w_per_gpu).abs() < 4.0 * spread + 1e-3);
    // How often GPUs were held is how often the report says one would be.
    assert!((e.bounded_share / g.probability - 1.0).abs() < 0.01);
    assert!(
        g.text.contains("would lower") && e.text.contains("clipped by itself"),
        "{}",
        e.text
    );
    assert!(g.worth_telling() && e.worth_telling());
}

#[test]
fn the_floor_counts_too() {
    let jobs = vec![JobSpec::Batch(batch("b"))];
    let mut build = Build::new(vec![racks("r", 2, 9)], jobs, 8, 400.0);
    build.correlation = Some(crate::common::equal(0.0));
    let site = build.site().unwrap();
    let mut block = DemandBlock::new(site.rack_count(), 20_000);
    let mut each = PerGpuEngine::new(&site, DT_S, 5, 0);
    each.fill(&mut block);
    let (mean, sd) = moments(&block.gpu_w);
    let report = &each.clamp_report()[0];
    let n = site.gpu_count() as f64;
    let expected = 500.0 + report.floor_bias_w_per_gpu - report.bias_w_per_gpu;
    assert!((mean / n - expected).abs() < 4.0 * sd / n * (2.0_f64 / 10_000.0).sqrt());
    assert!((report.floored_share / report.floor_probability - 1.0).abs() < 0.01);
}

/// The bound is on the mean: 0.5 % of it. Below it, above it, and a request that overrides both.
#[test]
fn the_engine_is_chosen_by_the_bias() {
    let at = |clamp_w: f64| {
        let jobs = vec![JobSpec::Batch(batch("b"))];
        let mut build = Build::new(vec![racks("r", 1, 2)], jobs, 8, 40.0);
        build.gpus.get_mut("gpu").unwrap().tdp_w = sourced(clamp_w);
        build.site().unwrap()
    };
    // E[max(0, x − clamp)] is 0.34 W for 580 W, two spreads away, and 3.3 W of 500 W for 540 W, one away.
    let (far, near) = (at(580.0), at(540.0));
    let auto = far.choose_engine(EngineSpec::Auto);
    assert_eq!(auto.kind, EngineKind::Group, "{}", auto.text);
    let auto = near.choose_engine(EngineSpec::Auto);
    assert_eq!(auto.kind, EngineKind::PerGpu, "{}", auto.text);
    assert!(
        auto.text.contains("steady_decode") && auto.text.contains("0.5 %"),
        "{}",
        auto.text
    );
    assert_eq!(
        near.choose_engine(EngineSpec::Group).kind,
        EngineKind::Group
    );
    assert_eq!(
        far.choose_engine(EngineSpec::PerGpu).kind,
        EngineKind::PerGpu
    );
    let mut block = DemandBlock::new(1, 3);
    Engine::new(&near, DT_S, 1, 0, EngineKind::PerGpu).fill(&mut block);
    let chosen = block.clone();
    PerGpuEngine::new(&near, DT_S, 1, 0).fill(&mut block);
    assert_eq!(chosen, block);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever is accepted gives powers that are numbers, not negative and within the clamps, at any width alike.
    #[test]
    fn power_is_a_number_within_its_limits(
        (count, nodes, per_node) in (1u32..4, 1u32..20, 1u32..9),
        (sigma, coefficient, tdp) in (0.0..400.0f64, 0.0..=1.0f64, 50.0..900.0f64),
        (start, stagger, jitter) in (-20.0..20.0f64, 0.0..10.0f64, 0.0..5.0f64),
        (dt, lag, seed) in (0.001..3.0f64, 0.0..0.2f64, any::<u64>()),
        (gpus, ramp, node) in (1u32..60, 0.0..3.0f64, 0.0..=1.0f64),
    ) {
        let mut b = batch("b");
        (b.start_s, b.stagger_s, b.start_jitter_s) = (start, stagger, jitter);
        b.gpus = Some(gpus.min(count * nodes * per_node));
        let mut t = training("t");
        t.racks = vec!["two".into()];
        b.racks = vec!["one".into()];
        let groups = vec![racks("one", count, nodes), racks("two", 1, nodes)];
        let jobs = vec![JobSpec::Batch(b), JobSpec::Training(t)];
        let mut build = Build::new(groups, jobs, per_node, sigma);
        let shares = LevelShares {
            site: coefficient * (1.0 - node),
            row: 0.0,
            rack: 0.0,
            job: 0.0,
            node: coefficient * node,
        };
        build.correlation = Some(CorrelationSpec::Levels { shares });
        build.psus.insert("psu".into(), psu(lag));
        let profile = build.gpus.get_mut("gpu").unwrap();
        profile.tdp_w = sourced(tdp);
        profile.phases.steady_decode.as_mut().unwrap().rise = Some(way(ramp));
        let block = run(&build, dt, 50, seed, Simd::Widest);
        prop_assert_eq!(bits(&block), bits(&run(&build, dt, 50, seed, Simd::Baseline)));
        let most = tdp * f64::from((count + 1) * nodes * per_node) * (1.0 + 1e-6);
        for p in block.site_w.iter().chain(&block.gpu_w).chain(&block.rack_w) {
            prop_assert!(p.is_finite() && *p >= 0.0 && *p <= most, "{}", p);
        }
    }
}
