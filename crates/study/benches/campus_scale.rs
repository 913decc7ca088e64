//! A campus for an hour: 100 000 GPUs in 1389 racks of 72, 360 000 samples of 10 ms, 5.0e8 rack-steps.
//!
//! `cargo bench -p ballast-study --bench campus_scale [-- SECONDS WORD …]` (default 3600 s; words pick among the names). It prints processor
//! seconds of all threads (the machine may have other work), nanoseconds per rack-step and the peak of resident memory. The plant is timed
//! by itself at steps of 1 ms, with the load of a campus: its cost does not depend on the racks. Figures in BENCHMARKS.md.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark may stop at once, and prints"
)]

use std::path::Path;
use std::time::Instant;

use ballast_plant::{Plant, PlantSpec};
use ballast_scenario::{Loaded, Patch};
use ballast_study::{Inputs, Silent};
use rayon::ThreadPool;

const RACKS: f64 = 1389.0;
const STEP_S: f64 = 0.01;

/// Processor time of all threads so far, seconds; 0 where the system does not tell.
fn cpu_s() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten();
    let ns = tasks.filter_map(|t| {
        let text = std::fs::read_to_string(t.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    });
    1e-9 * ns.sum::<f64>()
}

/// Peak of resident memory so far, megabytes; 0 where the system does not tell.
fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmHWM"));
    let kb = line.and_then(|l| l.split_whitespace().nth(1)?.parse::<f64>().ok());
    kb.unwrap_or(0.0) * 1.024e-3
}

fn campus(patches: &[(&str, &str)]) -> Loaded {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/campus.toml");
    let patches: Vec<Patch> = patches
        .iter()
        .map(|(path, value)| Patch {
            path: (*path).to_owned(),
            value: (*value).to_owned(),
        })
        .collect();
    ballast_scenario::load(&path, &patches).expect("the scenario is valid")
}

fn racks(name: &str, seconds: f64, pool: &ThreadPool, patches: &[(&str, &str)]) {
    let duration = seconds.to_string();
    let mut all = vec![("simulation.duration_s", duration.as_str())];
    all.extend_from_slice(patches);
    let loaded = campus(&all);
    let (from, cpu_from) = (Instant::now(), cpu_s());
    let outcome = pool.install(|| ballast_study::run(&loaded, &Inputs::default(), None, &Silent));
    let (cpu, wall) = (cpu_s() - cpu_from, from.elapsed().as_secs_f64());
    let mean_w = outcome.expect("it runs").site.envelope.mean;
    let rack_steps = RACKS * (seconds / STEP_S);
    println!(
        "{name:<48} {} thread(s): {cpu:6.2} processor-s, {wall:6.2} s, {:6.2} ns per rack-step, peak {:4.0} MB, mean {:.1} MW",
        pool.current_num_threads(),
        1e9 * cpu / rack_steps,
        peak_mb(),
        1e-6 * mean_w
    );
}

/// As many groups of sets as asked for, each able to carry its share of a campus, at 1 ms.
fn plant(groups: usize, seconds: f64) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/training-offgrid.toml");
    let loaded = ballast_scenario::load(&path, &[]).expect("the example is valid");
    let spec = loaded.scenario.plant.expect("it has a plant");
    let sets = (0..groups).map(|i| {
        let mut set = spec.sets[0].clone();
        set.name = format!("set-{i}");
        set.count = (240 / groups) as u32;
        set
    });
    let spec = PlantSpec {
        sets: sets.collect(),
        ..spec.clone()
    };
    let load = |k: u32| {
        let iterating = if k % 200 < 160 { 160e6 } else { 110e6 };
        iterating + 1e5 * f64::from(k * 37 % 101)
    };
    let mut plant = Plant::new(&spec, load(0), 0.001).expect("it starts");
    let samples = (seconds / STEP_S) as u32;
    let cpu_from = cpu_s();
    for k in 0..samples {
        let (a, b) = (load(k), load(k + 1));
        for i in 0..10 {
            let at = |i: u32| a + (b - a) * (f64::from(i) / 10.0);
            plant.advance(0.001, at(i), at(i + 1));
        }
    }
    let cpu = cpu_s() - cpu_from;
    println!(
        "plant, {groups} group(s) of sets with turbo ceiling, 1 ms: {cpu:6.2} processor-s, {:4.0} ns per step, {:?} at {:.4} of nominal speed",
        1e8 * cpu / f64::from(samples),
        plant.status(),
        plant.speed_pu()
    );
}

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with("--"))
        .collect();
    let seconds = arguments.iter().find_map(|a| a.parse().ok());
    let seconds = seconds.unwrap_or(3600.0);
    let wanted = |name: &str| {
        let mut words = arguments.iter().filter(|a| a.parse::<f64>().is_err());
        words.all(|w| name.contains(w.as_str()))
    };
    // Made once: a thread that ends takes its processor time along.
    let pools = [1, 2].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().expect("threads")
    });
    let few = ("outputs.rack_statistics", "min_mean_max");
    let lockstep = ("jobs.0.node_jitter_s", "0.0");
    let steady = ("jobs.0.iteration_s", "1e5");
    let jobs = [
        ("one phase", vec![steady]),
        ("training in lockstep", vec![lockstep]),
        ("training, node jitter 5 ms", vec![]),
    ];
    for (name, patches) in &jobs {
        for (what, more) in [("(A) min, mean, max", Some(few)), ("(B) everything", None)] {
            let patches: Vec<_> = patches.iter().copied().chain(more).collect();
            let name = format!("{name}: {what}");
            for pool in pools.iter().filter(|_| wanted(&name)) {
                racks(&name, seconds, pool, &patches);
            }
        }
    }
    // Beside "training in lockstep: (A) min, mean, max", which is the same without.
    let stored = ("racks.0.storage.preset", "gb300-shelf");
    let name = "training in lockstep, storage in every rack";
    for pool in pools.iter().filter(|_| wanted(name)) {
        racks(name, seconds, pool, &[lockstep, few, stored]);
    }
    for groups in [1, 4].into_iter().filter(|_| wanted("plant")) {
        plant(groups, seconds);
    }
}
