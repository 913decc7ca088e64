//! Speed of a large service: 12 500 replicas of 8 GPUs, time per replica-step and per request. `cargo bench -p ballast-aggregate --bench fleet`

#![expect(clippy::unwrap_used, reason = "a benchmark may stop at once")]

#[path = "../tests/aggregate/common.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod common;

use ballast_aggregate::{
    ArrivalSpec, DemandBlock, GroupEngine, InferenceJob, JobSpec, RouterSpec, Site, TokenSpec,
};
use common::{Build, phase, racks};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};

const REPLICAS: u32 = 12_500;
const STEPS: usize = 256;
const STEP_S: f64 = 0.1;
const ROUTERS: [RouterSpec; 3] = [
    RouterSpec::RoundRobin,
    RouterSpec::Random,
    RouterSpec::LeastLoaded,
];

fn main() {
    divan::main();
}

fn site(requests_per_s: f64, router: RouterSpec) -> Site {
    let tokens = |mean, cv| TokenSpec { mean, cv };
    let job = InferenceJob {
        name: "s".into(),
        racks: vec![],
        gpus: None,
        tenant: None,
        share: None,
        stagger_s: 0.0,
        start_s: -60.0,
        gpus_per_replica: 8,
        arrivals: ArrivalSpec::Poisson { requests_per_s },
        diurnal: vec![],
        hour_at_start: 0.0,
        prompt_tokens: tokens(800.0, 1.0),
        output_tokens: tokens(200.0, 0.8),
        router,
        batch_max: 64,
        queue_max: 1024,
        prefill_tokens_per_s: None,
        decode_step_s: None,
        decode_step_per_sequence_s: None,
        decode_first_share: None,
        decode_full_sequences: None,
        correlation: None,
    };
    let jobs = vec![JobSpec::Inference(job)];
    let mut build = Build::new(vec![racks("r", REPLICAS / 4, 4)], jobs, 8, 20.0);
    let gpu = build.gpus.get_mut("gpu").unwrap();
    gpu.phases.steady_prefill = Some(phase(650.0, 20.0));
    build.site().unwrap()
}

/// One block of a service at rest or at 20 000 requests per second; items are replica-steps.
fn block(bencher: Bencher<'_, '_>, requests_per_s: f64, router: RouterSpec) {
    let site = site(requests_per_s, router);
    let mut engine = GroupEngine::new(&site, STEP_S, 1, 0);
    let mut block = DemandBlock::new(site.rack_count(), STEPS);
    engine.fill(&mut block);
    bencher
        .counter(ItemsCount::new(REPLICAS as usize * STEPS))
        .bench_local(|| {
            engine.fill(black_box(&mut block));
        });
}

#[divan::bench(sample_count = 5)]
fn at_rest(bencher: Bencher<'_, '_>) {
    block(bencher, 0.0, RouterSpec::Random);
}

#[divan::bench(sample_count = 5, args = ROUTERS)]
fn at_20_000_requests_per_s(bencher: Bencher<'_, '_>, router: RouterSpec) {
    block(bencher, 20_000.0, router);
}
