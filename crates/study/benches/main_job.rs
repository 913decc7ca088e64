//! Speed of the main job and its links. `cargo bench -p ballast-study`; figures and machine in BENCHMARKS.md.

#![expect(clippy::expect_used, reason = "a benchmark may stop at once")]

use std::path::{Path, PathBuf};

use ballast_aggregate::{DemandBlock, GroupEngine, Site, SiteInput};
use ballast_plant::Plant;
use ballast_scenario::{Loaded, Patch};
use ballast_study::{Inputs, Silent};

fn main() {
    divan::main();
}

fn example(name: &str, patches: &[(&str, &str)]) -> Loaded {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples")
        .join(name);
    let patches: Vec<Patch> = patches
        .iter()
        .map(|(p, v)| Patch {
            path: (*p).to_owned(),
            value: (*v).to_owned(),
        })
        .collect();
    ballast_scenario::load(&path, &patches).expect("the example is valid")
}

fn site_of(loaded: &Loaded) -> Site {
    let s = &loaded.scenario;
    let input = SiteInput {
        racks: &s.racks,
        jobs: &s.jobs,
        tenants: &s.tenants,
        correlation: s.correlation.as_ref(),
        events: &s.events,
        gpus: &s.gpus,
        nodes: &s.nodes,
        psus: &s.psus,
    };
    Site::new(input).expect("the example is valid")
}

/// 1024 GPUs, 60 s at 1 ms, two sets: everything but files and figures.
#[divan::bench(sample_count = 10)]
fn training_offgrid(bencher: divan::Bencher<'_, '_>) {
    let loaded = example("training-offgrid.toml", &[]);
    bencher
        .bench(|| ballast_study::run(&loaded, &Inputs::default(), None, &Silent).expect("it runs"));
}

/// The plant alone: 60 s at 1 ms, one group of DEGOV1 sets with turbo ceiling under a 1 Hz square wave.
#[divan::bench(sample_count = 20)]
fn plant_60_s(bencher: divan::Bencher<'_, '_>) {
    let loaded = example("training-offgrid.toml", &[]);
    let spec = loaded.scenario.plant.expect("it has a plant");
    bencher.bench(|| {
        let mut plant = Plant::new(&spec, 1.0e6, 0.001).expect("it starts");
        for k in 0..60_000_u32 {
            let load_w = if k % 1000 < 800 { 1.0e6 } else { 0.4e6 };
            plant.advance(0.001, load_w, load_w);
        }
        plant.speed_pu()
    });
}

/// 100 000 GPUs in racks of 32, one minute at 10 ms, power of every rack and the site.
#[divan::bench(sample_count = 5)]
fn group_engine_100k_gpus_60_s(bencher: divan::Bencher<'_, '_>) {
    let loaded = example("training-offgrid.toml", &[("racks.0.count", "3125")]);
    let site = site_of(&loaded);
    bencher.bench(|| {
        let mut engine = GroupEngine::new(&site, 0.01, 1, 1);
        let mut block = DemandBlock::new(site.rack_count(), 1000);
        for _ in 0..6 {
            engine.fill(&mut block);
        }
        block.site_w[0]
    });
}
