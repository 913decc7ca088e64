//! Speed of the group engine, in rack-steps. `cargo bench -p ballast-aggregate --bench group`.
//!
//! Racks of 18 nodes of 4 GPUs with host power, losses of the supplies and their lag; outputs are the power of every rack
//! and of the site. Times are processor time of all threads, fastest of several samples, so that other work on the machine counts little.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark may stop at once, and prints"
)]

#[path = "../tests/aggregate/common.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod common;

use std::time::Instant;

use ballast_aggregate::{
    CorrelationSpec, DemandBlock, GpuSmoothing, GroupEngine, JobSpec, LevelShares, Simd, Site,
};
use ballast_profile::MeteredSide;
use common::{Build, batch, psu, racks, sourced, storage, training, way};

const RACKS: u32 = 1389;
const STEPS: usize = 1024;
const STEP_S: f64 = 0.01;
const SAMPLES: usize = 12;

/// Processor time of all threads so far, seconds; wall time where the system does not tell.
fn cpu_s(start: Instant) -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten();
    let ns = tasks.filter_map(|t| {
        let text = std::fs::read_to_string(t.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    });
    let ns: f64 = ns.sum();
    if ns > 0.0 {
        1e-9 * ns
    } else {
        start.elapsed().as_secs_f64()
    }
}

fn site(jobs: Vec<JobSpec>) -> Site {
    build(jobs).site().unwrap()
}

/// The same with a power floor of 560 W, within reach of computing at 600 W.
fn smoothing(jobs: Vec<JobSpec>) -> Site {
    let mut build = build(jobs);
    build.gpus.get_mut("gpu").unwrap().tdp_w = sourced(700.0);
    build.racks[0].gpu_smoothing = Some(GpuSmoothing {
        floor_share: 0.8,
        ramp_up_w_per_s: Some(500.0),
        stop_delay_s: 1.0,
        ..GpuSmoothing::default()
    });
    build.site().unwrap()
}

fn build(jobs: Vec<JobSpec>) -> Build {
    let mut build = Build::new(vec![racks("r", RACKS, 18)], jobs, 4, 30.0);
    let shares = LevelShares {
        site: 0.1,
        row: 0.05,
        rack: 0.05,
        job: 0.2,
        node: 0.4,
    };
    build.correlation = Some(CorrelationSpec::Levels { shares });
    let host = &mut build.nodes.get_mut("node").unwrap().host;
    (host.fixed_w, host.slope, host.metered) = (sourced(500.0), sourced(1.1), MeteredSide::NodeDc);
    build.psus.insert("psu".into(), psu(0.02));
    let phases = &mut build.gpus.get_mut("gpu").unwrap().phases;
    for phase in [&mut phases.train_compute, &mut phases.train_communication] {
        let phase = phase.as_mut().unwrap();
        (phase.rise, phase.fall) = (Some(way(0.02)), Some(way(0.02)));
    }
    // Supplies that hold enough, so that the lag asks for no more.
    if let Some(psu) = build.psus.get_mut("psu") {
        psu.holdup_j = sourced(1e6);
    }
    build
}

fn changed(jobs: Vec<JobSpec>, change: impl Fn(&mut Build)) -> Site {
    let mut build = build(jobs);
    change(&mut build);
    build.site().unwrap()
}

fn iterating(node_jitter_s: f64) -> Vec<JobSpec> {
    let mut job = training("t");
    (job.iteration_jitter_s, job.node_jitter_s) = (0.02, node_jitter_s);
    vec![JobSpec::Training(job)]
}

/// Two jobs, of which each rack but one has GPUs of one only.
fn steady() -> Site {
    let mut a = batch("a");
    a.gpus = Some(50_000);
    site(vec![JobSpec::Batch(a), JobSpec::Batch(batch("b"))])
}

fn measure(name: &str, site: &Site, simd: Simd, threads: usize) {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    let mut engine = GroupEngine::with_simd(site, STEP_S, 1, 1, simd);
    let mut block = DemandBlock::new(site.rack_count(), STEPS);
    let (mut cpu, mut wall) = (f64::INFINITY, f64::INFINITY);
    let start = Instant::now();
    for _ in 0..SAMPLES {
        let (from, cpu_from) = (Instant::now(), cpu_s(start));
        pool.install(|| engine.fill(&mut block));
        cpu = cpu.min(cpu_s(start) - cpu_from);
        wall = wall.min(from.elapsed().as_secs_f64());
    }
    let rack_steps = f64::from(RACKS) * STEPS as f64;
    println!(
        "{name:<34} {threads} thread(s): {:6.2} ns of processor, {:6.2} ns of wall time per rack-step",
        1e9 * cpu / rack_steps,
        1e9 * wall / rack_steps
    );
    // A thread that ends takes its processor time along.
    std::mem::forget(pool);
}

fn main() {
    let steady = steady();
    measure("steady", &steady, Simd::Widest, 1);
    measure("steady, AVX2", &steady, Simd::Avx2, 1);
    measure("steady, SSE2", &steady, Simd::Baseline, 1);
    measure("steady", &steady, Simd::Widest, 2);
    let lockstep = site(iterating(0.0));
    measure("training in lockstep", &lockstep, Simd::Widest, 1);
    let lockstep = smoothing(iterating(0.0));
    measure("training in lockstep, floor", &lockstep, Simd::Widest, 1);
    let training = smoothing(iterating(0.005));
    measure("node jitter 5 ms, floor", &training, Simd::Widest, 1);
    let stored = changed(iterating(0.0), |b| {
        b.racks[0].storage = Some(storage(4680.0));
    });
    measure("lockstep, storage in every rack", &stored, Simd::Widest, 1);
    measure("the same, AVX2", &stored, Simd::Avx2, 1);
    let tight = changed(iterating(0.0), |b| {
        if let Some(psu) = b.psus.get_mut("psu") {
            psu.holdup_j = sourced(30.0);
        }
    });
    measure("lockstep, capacitors that matter", &tight, Simd::Widest, 1);
    let training = site(iterating(0.005));
    measure("training, node jitter 5 ms", &training, Simd::Widest, 1);
    measure("training, node jitter 5 ms", &training, Simd::Widest, 2);
}
