//! What must not change the result: threads, block lengths, other racks.

use crate::common::{Build, batch, equal, psu, racks, sourced, storage, training, way};
use ballast_aggregate::{
    CorrelationSpec, DemandBlock, GroupEngine, JobSpec, LevelShares, RackLoss, Simd, SiteEventSpec,
};
use ballast_profile::MeteredSide;
use proptest::prelude::*;

fn mixed() -> Build {
    let (mut a, mut t) = (batch("a"), training("t"));
    (a.racks, a.start_s, a.stagger_s, a.start_jitter_s) = (vec!["x".into()], 0.0, 2.0, 0.3);
    (t.racks, t.gpus, t.iteration_jitter_s, t.node_jitter_s) =
        (vec!["y".into()], Some(300), 0.05, 0.02);
    let jobs = vec![JobSpec::Batch(a), JobSpec::Training(t)];
    let mut build = Build::new(vec![racks("x", 7, 3), racks("y", 12, 5)], jobs, 8, 20.0);
    build.racks[0].racks_per_row = Some(2);
    let mut supply = psu(0.02);
    supply.power_factor = Some(sourced(-0.98));
    supply.power_factor_light = Some(sourced(-0.9));
    build.psus.insert("psu".into(), supply);
    for node in build.nodes.values_mut() {
        node.host.slope = sourced(1.4);
        node.host.slow_share = Some(sourced(0.5));
        node.host.slow_lag_s = Some(sourced(2.0));
        node.host.metered = MeteredSide::NodeDc;
    }
    build.racks[0].other_kw = Some(sourced(2.0));
    build.events = vec![SiteEventSpec::RackLoss(RackLoss {
        at_s: 1.0,
        racks: vec!["x-003".into()],
        restore_after_s: Some(1.5),
        boot_s: Some(0.5),
    })];
    // Storage in both groups, one of them with racks that go out; capacitors that are asked for more than they hold.
    build.racks[0].storage = Some(storage(400.0));
    build.racks[1].storage = Some(storage(4e4));
    if let Some(psu) = build.psus.get_mut("psu") {
        psu.holdup_j = sourced(1.0);
    }
    let shares = LevelShares {
        site: 0.1,
        row: 0.1,
        rack: 0.1,
        job: 0.2,
        node: 0.3,
    };
    build.correlation = Some(CorrelationSpec::Levels { shares });
    build
}

fn bits(block: &DemandBlock) -> Vec<u64> {
    let active = [&block.site_w, &block.group_w, &block.gpu_w, &block.rack_w];
    let more = [&block.site_q_var, &block.stored_j];
    let all = active.into_iter().chain(more).flatten();
    all.map(|v| v.to_bits()).collect()
}

#[test]
fn any_number_of_threads() {
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| bits(&mixed().run(0.01, 700, 9)))
    };
    let one = on(1);
    assert_eq!(one, on(2));
    assert_eq!(one, on(8));
}

#[test]
fn any_vector_instructions() {
    let site = mixed().site().unwrap();
    let with = |simd| {
        let mut engine = GroupEngine::with_simd(&site, 0.01, 9, 0, simd);
        let mut block = DemandBlock::new(site.rack_count(), 700);
        engine.fill(&mut block);
        bits(&block)
    };
    let widest = with(Simd::Widest);
    assert_eq!(widest, with(Simd::Avx2));
    assert_eq!(widest, with(Simd::Baseline));
}

/// A rack draws the same whichever racks are beside it.
#[test]
fn more_racks_in_the_group_change_no_other() {
    let with = |count| {
        let mut build = mixed();
        build.racks[0].count = count;
        let JobSpec::Batch(job) = &mut build.jobs[0] else {
            unreachable!()
        };
        (job.stagger_s, job.start_jitter_s) = (0.0, 0.0);
        build.run(0.01, 300, 4)
    };
    let (few, many) = (with(7), with(40));
    for i in 0..7 {
        assert_eq!(few.rack(i), many.rack(i), "rack {i}");
    }
    for i in 7..19 {
        assert_eq!(few.rack(i), many.rack(i + 33), "rack {i}");
    }
}

#[test]
fn any_block_length() {
    let site = mixed().site().unwrap();
    let whole = mixed().run(0.01, 600, 9);
    for length in [1, 7, 250] {
        let mut engine = GroupEngine::new(&site, 0.01, 9, 0);
        let mut block = DemandBlock::new(site.rack_count(), length);
        let (mut site_w, mut rack_w, mut q_var) = (Vec::new(), Vec::new(), Vec::new());
        while site_w.len() < 600 {
            block.set_len(length.min(600 - site_w.len()));
            engine.fill(&mut block);
            assert_eq!(block.first_sample, site_w.len() as u64);
            site_w.extend_from_slice(&block.site_w);
            q_var.extend_from_slice(&block.site_q_var);
            rack_w.extend_from_slice(block.rack(5));
        }
        assert_eq!(site_w, whole.site_w);
        assert_eq!(q_var, whole.site_q_var);
        assert_eq!(rack_w, whole.rack(5));
    }
}

#[test]
fn another_rack_group_changes_no_other() {
    let before = mixed().run(0.01, 300, 4);
    let mut build = mixed();
    // In front, so that every index moves.
    build.racks.insert(0, racks("w", 3, 2));
    let mut job = batch("extra");
    job.racks = vec!["w".into()];
    build.jobs.insert(0, JobSpec::Batch(job));
    let after = build.run(0.01, 300, 4);
    for i in 0..19 {
        assert_eq!(before.rack(i), after.rack(i + 3), "rack {i}");
    }
}

#[test]
fn a_site_without_racks_draws_nothing() {
    let build = Build::new(vec![], vec![], 8, 1.0);
    let block = build.run(0.01, 5, 1);
    assert_eq!(block.site_w, [0.0; 5]);
    assert_eq!(block.rack(0), [0.0; 0]);
    assert_eq!(build.site().unwrap().gpu_count(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever is accepted gives powers that are numbers and not negative, and no more than the clamps allow.
    #[test]
    fn power_is_a_number_and_not_negative(
        (count, nodes, per_node) in (1u32..5, 1u32..20, 1u32..9),
        (sigma, coefficient, tdp) in (0.0..400.0f64, 0.0..=1.0f64, 50.0..900.0f64),
        (start, stagger, jitter) in (-20.0..20.0f64, 0.0..10.0f64, 0.0..5.0f64),
        (iteration, share, node_jitter) in (0.05..20.0f64, 0.0..=1.0f64, 0.0..=0.25f64),
        (every, crash, restart) in (prop::option::of(1u32..5), prop::option::of(20.0..40.0f64), prop::option::of(0.0..9.0f64)),
        (dt, lag, seed) in (0.001..3.0f64, 0.0..0.2f64, any::<u64>()),
        (gpus, ramp) in (1u32..60, 0.0..3.0f64),
    ) {
        let (mut b, mut t) = (batch("b"), training("t"));
        (b.start_s, b.stagger_s, b.start_jitter_s, b.gpus) = (start, stagger, jitter, Some(gpus.min(count * nodes * per_node)));
        (t.start_s, t.iteration_s, t.compute_share, t.node_jitter_s) = (start, iteration, share, node_jitter * iteration);
        (t.iteration_jitter_s, t.checkpoint_every, t.crash_at_s) = (0.3 * iteration, every, crash);
        t.restart_after_s = crash.and(restart);
        t.racks = vec!["two".into()];
        b.racks = vec!["one".into()];
        let groups = vec![racks("one", count, nodes), racks("two", 1, nodes)];
        let mut build = Build::new(groups, vec![JobSpec::Batch(b), JobSpec::Training(t)], per_node, sigma);
        build.correlation = Some(equal(coefficient));
        build.psus.insert("psu".into(), psu(lag));
        let profile = build.gpus.get_mut("gpu").unwrap();
        profile.tdp_w = sourced(tdp);
        profile.phases.steady_decode.as_mut().unwrap().rise = Some(way(ramp));
        profile.phases.train_compute.as_mut().unwrap().fall = Some(way(ramp));
        let block = build.run(dt, 64, seed);
        let most = tdp * f64::from((count + 1) * nodes * per_node) * (1.0 + 1e-9);
        for p in block.site_w.iter().chain(&block.gpu_w).chain(&block.rack_w) {
            prop_assert!(p.is_finite() && *p >= 0.0 && *p <= most, "{p}");
        }
    }

    /// The sum over racks is the site.
    #[test]
    fn racks_add_up(seed in any::<u64>()) {
        let block = mixed().run(0.05, 20, seed);
        for k in 0..20 {
            let sum: f64 = (0..block.racks()).map(|i| block.rack(i)[k]).sum();
            prop_assert!((sum - block.site_w[k]).abs() < 1e-6);
        }
    }
}
