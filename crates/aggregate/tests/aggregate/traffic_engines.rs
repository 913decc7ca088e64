//! Services on both engines: the same requests, and the same power where nothing is drawn per GPU.

use ballast_aggregate::{
    DemandBlock, Engine, EngineKind, EngineSpec, InferenceJob, JobSpec, PerGpuEngine, Simd,
    TrafficReport,
};
use ballast_profile::PhaseKind;

use crate::common::{Build, batch, moments, racks, sourced};
use crate::inference::{service, site};

#[expect(
    clippy::unwrap_used,
    reason = "a test that runs a site has a valid one"
)]
fn run(build: &Build, steps: usize, kind: EngineKind) -> (DemandBlock, Vec<TrafficReport>) {
    let site = build.site().unwrap();
    let mut engine = Engine::new(&site, 0.2, 5, 1, kind);
    let mut block = DemandBlock::new(site.rack_count(), steps);
    engine.fill(&mut block);
    (block, engine.traffic_report())
}

/// Two services and a batch job on racks of 12 nodes, so that a cohort has several nodes and some nodes have several jobs.
fn shared(gpus_per_replica: u32, sigma_w: f64) -> Build {
    let part = |name: &str, gpus: u32| InferenceJob {
        gpus: Some(gpus),
        gpus_per_replica,
        ..service(name, 5.0)
    };
    let mut b = batch("b");
    b.gpus = Some(13);
    let mut build = site(8, service("s", 1.0), sigma_w);
    build.racks = vec![racks("r", 2, 12)];
    build.jobs = vec![
        JobSpec::Inference(part("s", 112)),
        JobSpec::Batch(b),
        JobSpec::Inference(part("t", 48)),
    ];
    build
}

#[test]
fn both_engines_serve_the_same_requests_with_the_same_power() {
    // Two replicas to a node, one to a node, one over two nodes; a replica of `t` also reaches over cohorts.
    for gpus_per_replica in [4, 8, 16] {
        let build = shared(gpus_per_replica, 0.0);
        let (group, told) = run(&build, 700, EngineKind::Group);
        let (each, also_told) = run(&build, 700, EngineKind::PerGpu);
        assert_eq!(told, also_told);
        assert_eq!(told.len(), 2);
        assert!(told.iter().all(|t| t.done > 1000), "{told:?}");
        let pairs = [
            (&group.site_w, &each.site_w),
            (&group.gpu_w, &each.gpu_w),
            (&group.rack_w, &each.rack_w),
        ];
        for (g, e) in pairs.into_iter().flat_map(|(g, e)| g.iter().zip(e)) {
            assert!((g / e - 1.0).abs() < 1e-6, "{g} {e}");
        }
    }
}

#[test]
fn with_a_spread_the_engines_agree_in_the_mean() {
    let build = shared(8, 20.0);
    let mean = |kind| moments(&run(&build, 3000, kind).0.gpu_w).0;
    let (group, each) = (mean(EngineKind::Group), mean(EngineKind::PerGpu));
    // 600 s at τ = 1 s, 192 independent GPUs of 20 W: the difference is some 23 W of 50 kW.
    assert!((group / each - 1.0).abs() < 0.002, "{group} {each}");
}

#[test]
fn block_length_threads_and_vector_width_change_no_byte_of_a_service() {
    let site = shared(4, 20.0).site().unwrap();
    let run = |length: usize, simd, threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let mut engine = PerGpuEngine::with_simd(&site, 0.2, 5, 0, simd);
            let mut block = DemandBlock::new(site.rack_count(), length);
            let mut bits = Vec::new();
            while bits.len() < 500 {
                block.set_len(length.min(500 - bits.len()));
                engine.fill(&mut block);
                bits.extend(block.site_w.iter().map(|w| w.to_bits()));
            }
            (bits, engine.traffic_report())
        })
    };
    let whole = run(500, Simd::Widest, 1);
    for length in [1, 7, 16, 250] {
        assert_eq!(whole, run(length, Simd::Widest, 2), "{length}");
    }
    assert_eq!(whole, run(500, Simd::Baseline, 8));
}

/// Prefill at 650 W under a limit of 640 W: the per-GPU engine is taken by itself, and holds every GPU.
#[test]
fn limits_choose_the_engine_of_a_service_too() {
    let far = site(4, service("s", 6.0), 10.0);
    let auto = far.site().unwrap().choose_engine(EngineSpec::Auto);
    assert_eq!(auto.kind, EngineKind::Group, "{}", auto.text);
    let full = InferenceJob {
        decode_first_share: Some(1.0),
        ..service("s", 6.0)
    };
    let mut near = site(4, full, 60.0);
    near.gpus.get_mut("gpu").unwrap().tdp_w = sourced(640.0);
    let auto = near.site().unwrap().choose_engine(EngineSpec::Auto);
    assert_eq!(auto.kind, EngineKind::PerGpu, "{}", auto.text);
    assert!(auto.text.contains("phase steady_prefill"), "{}", auto.text);
    let mut engine = Engine::new(&near.site().unwrap(), 0.2, 5, 1, auto.kind);
    let mut block = DemandBlock::new(1, 3000);
    engine.fill(&mut block);
    let most_w = block.gpu_w.iter().copied().fold(0.0, f64::max);
    assert!(most_w <= 32.0 * 640.0, "{most_w}");
    // Decoding at 500 W and less, 2.3 σ and more below the limit: P = 0.0098 at most, and in steps shared with prefill more.
    let reports = engine.clamp_report();
    let decode = reports
        .iter()
        .find(|r| r.phase == PhaseKind::SteadyDecode)
        .unwrap();
    assert!(
        decode.per_gpu && (1e-4..0.05).contains(&decode.bounded_share),
        "{decode:?}"
    );
}
