//! Speed of the engines, in GPU-steps. `cargo bench -p ballast-aggregate`; the name says the vector instructions allowed.
//!
//! Racks of 18 nodes of 4 GPUs with host power, losses of the supplies and their lag; every level of correlation is in
//! use; outputs are the power of every rack and of the site.

#![expect(clippy::unwrap_used, reason = "a benchmark may stop at once")]

#[path = "../tests/aggregate/common.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod common;

use ballast_aggregate::{
    CorrelationSpec, DemandBlock, GpuSmoothing, GroupEngine, JobSpec, LevelShares, PerGpuEngine,
    Simd, Site,
};
use ballast_profile::MeteredSide;
use common::{Build, batch, psu, racks, sourced, training, way};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};

const RACKS: u32 = 50;
const STEPS: usize = 1024;
const STEP_S: f64 = 0.01;

fn main() {
    divan::main();
}

fn site(job: JobSpec) -> Site {
    smoothing(job, None)
}

fn smoothing(job: JobSpec, how: Option<GpuSmoothing>) -> Site {
    let mut build = Build::new(vec![racks("r", RACKS, 18)], vec![job], 4, 30.0);
    let shares = LevelShares {
        site: 0.1,
        row: 0.05,
        rack: 0.05,
        job: 0.2,
        node: 0.4,
    };
    if how.is_some() {
        build.gpus.get_mut("gpu").unwrap().tdp_w = sourced(700.0);
        build.racks[0].gpu_smoothing = how;
    }
    build.correlation = Some(CorrelationSpec::Levels { shares });
    let host = &mut build.nodes.get_mut("node").unwrap().host;
    (host.fixed_w, host.slope, host.metered) = (sourced(500.0), sourced(1.1), MeteredSide::NodeDc);
    build.psus.insert("psu".into(), psu(0.02));
    let phases = &mut build.gpus.get_mut("gpu").unwrap().phases;
    for phase in [&mut phases.train_compute, &mut phases.train_communication] {
        let phase = phase.as_mut().unwrap();
        (phase.rise, phase.fall) = (Some(way(0.001)), Some(way(0.001)));
    }
    build.site().unwrap()
}

fn steady() -> Site {
    site(JobSpec::Batch(batch("b")))
}

/// Iterations of 1 s: every rack changes phase twice in 100 steps.
fn iterating() -> Site {
    site(iterations())
}

fn iterations() -> JobSpec {
    let mut job = training("t");
    (job.iteration_jitter_s, job.node_jitter_s) = (0.02, 0.005);
    JobSpec::Training(job)
}

fn floor(edp_share: Option<f64>) -> Site {
    let how = GpuSmoothing {
        floor_share: 0.8,
        edp_share,
        ..GpuSmoothing::default()
    };
    smoothing(iterations(), Some(how))
}

#[divan::bench]
fn training_with_a_floor(bencher: Bencher<'_, '_>) {
    per_gpu(bencher, &floor(None), Simd::Widest, 1);
}

#[divan::bench]
fn training_with_a_floor_and_edp(bencher: Bencher<'_, '_>) {
    per_gpu(bencher, &floor(Some(1.1)), Simd::Widest, 1);
}

fn per_gpu(bencher: Bencher<'_, '_>, site: &Site, simd: Simd, threads: usize) {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    let mut engine = PerGpuEngine::with_simd(site, STEP_S, 1, 1, simd);
    let mut block = DemandBlock::new(site.rack_count(), STEPS);
    bencher
        .counter(ItemsCount::new(site.gpu_count() * STEPS as u64))
        .bench_local(|| {
            pool.install(|| engine.fill(&mut block));
            black_box(block.site_w[0])
        });
}

#[divan::bench]
fn steady_widest(bencher: Bencher<'_, '_>) {
    per_gpu(bencher, &steady(), Simd::Widest, 1);
}

#[divan::bench]
fn steady_avx2(bencher: Bencher<'_, '_>) {
    per_gpu(bencher, &steady(), Simd::Avx2, 1);
}

#[divan::bench]
fn steady_baseline(bencher: Bencher<'_, '_>) {
    per_gpu(bencher, &steady(), Simd::Baseline, 1);
}

#[divan::bench]
fn training_widest(bencher: Bencher<'_, '_>) {
    per_gpu(bencher, &iterating(), Simd::Widest, 1);
}

#[divan::bench]
fn training_avx2(bencher: Bencher<'_, '_>) {
    per_gpu(bencher, &iterating(), Simd::Avx2, 1);
}

#[divan::bench(args = [1, 2])]
fn threads(bencher: Bencher<'_, '_>, threads: usize) {
    per_gpu(bencher, &steady(), Simd::Widest, threads);
}

/// The group engine on the same racks, for comparison.
#[divan::bench]
fn group(bencher: Bencher<'_, '_>) {
    let site = steady();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap();
    let mut engine = GroupEngine::new(&site, STEP_S, 1, 1);
    let mut block = DemandBlock::new(site.rack_count(), STEPS);
    bencher
        .counter(ItemsCount::new(site.gpu_count() * STEPS as u64))
        .bench_local(|| {
            pool.install(|| engine.fill(&mut block));
            black_box(block.site_w[0])
        });
}
