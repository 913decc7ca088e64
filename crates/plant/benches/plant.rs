//! Speed of the integrator (a minute at 1 ms; the load is a slow sine, so no limiter acts and every step is a plain one) and of predictions of a settled swing.
//! `cargo bench -p ballast-plant`.

#![expect(clippy::unwrap_used, reason = "a benchmark may stop at once")]

#[path = "../tests/common/mod.rs"]
mod common;

use ballast_plant::{
    Ac8bSpec, AlternatorSpec, Degov1Spec, ExciterSaturation, ExciterSpec, GenrouSpec, Ggov1Spec,
    GovernorSpec, LockStep, PeriodicLoad, Plant, PlantSpec, ResonanceQuestion, SexsSpec, Tgov1Spec,
    resonance,
};
use common::{set, tgov1, yeager};
use divan::{Bencher, black_box};

/// Counts what a minute allocates: nothing but the copy at the start may be seen to be freed, and no `alloc` at all.
#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

const STEPS: u32 = 60_000;

fn main() {
    divan::main();
}

fn genrou() -> AlternatorSpec {
    AlternatorSpec::Genrou(GenrouSpec {
        xd_pu: 2.55,
        xq_pu: 1.32,
        xd1_pu: 0.25,
        xq1_pu: 0.6,
        xd2_pu: 0.19,
        xl_pu: 0.1,
        ra_pu: 0.01,
        td01_s: 4.8,
        td02_s: 0.048,
        tq01_s: 0.3,
        tq02_s: 0.024,
        s10: 0.1,
        s12: 0.5,
    })
}

fn sexs() -> ExciterSpec {
    ExciterSpec::Sexs(SexsSpec {
        k: 100.0,
        ta_s: 1.0,
        tb_s: 10.0,
        te_s: 0.05,
        emin_pu: -5.0,
        emax_pu: 8.0,
    })
}

fn ac8b() -> ExciterSpec {
    ExciterSpec::Ac8b(Ac8bSpec {
        tr_s: 0.01,
        kpr: 30.0,
        kir_per_s: 20.0,
        kdr_s: 3.0,
        tdr_s: 0.03,
        ka: 1.0,
        ta_s: 0.01,
        vrmax_pu: 35.0,
        vrmin_pu: 0.0,
        te_s: 0.25,
        ke: 1.0,
        kc: 0.1,
        kd: 0.3,
        vfemax_pu: None,
        vemin_pu: 0.0,
        saturation: ExciterSaturation::default(),
    })
}

fn droop() -> GovernorSpec {
    GovernorSpec::Tgov1(Tgov1Spec {
        t2_s: 0.1,
        t3_s: 0.4,
        ..tgov1(0.05, 0.1)
    })
}

fn diesel() -> GovernorSpec {
    GovernorSpec::Degov1(Degov1Spec {
        droop_pu: 0.04,
        ..yeager()
    })
}

fn gas() -> GovernorSpec {
    let text = r#"{"droop_pu":0.04,"kpgov":10.0,"kigov_per_s":2.0,"tact_s":0.5,"kturb":1.5,"wfnl_pu":0.2,"tb_s":0.5,"ropen_per_s":0.1,"rclose_per_s":-0.1}"#;
    GovernorSpec::Ggov1(serde_json::from_str::<Ggov1Spec>(text).unwrap())
}

fn two(
    governor: impl Fn() -> GovernorSpec,
    alternator: Option<AlternatorSpec>,
    exciter: Option<ExciterSpec>,
) -> PlantSpec {
    let mut spec = common::one_set(
        governor(),
        1.0,
        1.0,
        ballast_plant::TorqueConvention::PowerOverSpeed,
    );
    spec.sets.push(set("h", governor(), 0.9, 1.0));
    for one in &mut spec.sets {
        one.alternator = alternator;
        one.exciter = exciter;
        one.voltage_control.droop_pu = 0.04;
    }
    spec
}

/// A minute of it.
fn minute(bencher: Bencher<'_, '_>, spec: &PlantSpec) {
    let start = Plant::with_reactive(spec, (0.8e6, 0.3e6), 1e-3).unwrap();
    bencher
        .with_inputs(|| start.clone())
        .bench_values(|mut plant| {
            let mut before = (0.8e6, 0.3e6);
            for i in 0..STEPS {
                let load = 0.8e6 + 2e5 * libm::sin(f64::from(i) * 0.002);
                let after = (load, 0.375 * load);
                plant.advance_with_reactive(1e-3, before, after);
                before = after;
            }
            black_box(plant.speed_pu())
        });
}

/// A minute of four plants whose constants differ, in lock-step.
fn minute_of_four(bencher: Bencher<'_, '_>, spec: &PlantSpec) {
    let plants = [0.97, 0.99, 1.0, 1.03]
        .map(|by| Plant::with_reactive(&common::varied(spec, by), (0.8e6, 0.3e6), 1e-3).unwrap());
    let start = LockStep::new(plants.to_vec());
    assert_eq!(start.in_lanes(), 4);
    bencher
        .with_inputs(|| start.clone())
        .bench_values(|mut four| {
            let mut before = (0.8e6, 0.3e6);
            for i in 0..STEPS {
                let load = 0.8e6 + 2e5 * libm::sin(f64::from(i) * 0.002);
                let after = (load, 0.375 * load);
                four.advance(1e-3, before, after);
                before = after;
            }
            black_box(four.plant(3).speed_pu())
        });
}

#[divan::bench]
fn four_of_degov1_common_frequency(bencher: Bencher<'_, '_>) {
    let mut spec = two(diesel, None, None);
    spec.sets.truncate(1);
    minute_of_four(bencher, &spec);
}

#[divan::bench]
fn four_of_genrou_tgov1_sexs(bencher: Bencher<'_, '_>) {
    minute_of_four(bencher, &two(droop, Some(genrou()), Some(sexs())));
}

#[divan::bench]
fn four_of_genrou_degov1_ac8b(bencher: Bencher<'_, '_>) {
    minute_of_four(bencher, &two(diesel, Some(genrou()), Some(ac8b())));
}

#[divan::bench]
fn degov1_common_frequency(bencher: Bencher<'_, '_>) {
    let mut spec = two(diesel, None, None);
    spec.sets.truncate(1);
    minute(bencher, &spec);
}

#[divan::bench]
fn degov1_two_common_frequency(bencher: Bencher<'_, '_>) {
    minute(bencher, &two(diesel, None, None));
}

#[divan::bench]
fn genrou_tgov1_sexs(bencher: Bencher<'_, '_>) {
    minute(bencher, &two(droop, Some(genrou()), Some(sexs())));
}

#[divan::bench]
fn genrou_degov1_sexs(bencher: Bencher<'_, '_>) {
    minute(bencher, &two(diesel, Some(genrou()), Some(sexs())));
}

#[divan::bench]
fn genrou_ggov1_sexs(bencher: Bencher<'_, '_>) {
    minute(bencher, &two(gas, Some(genrou()), Some(sexs())));
}

#[divan::bench]
fn genrou_degov1_ac8b(bencher: Bencher<'_, '_>) {
    minute(bencher, &two(diesel, Some(genrou()), Some(ac8b())));
}

/// Two sets of a preset of this repository.
fn preset(name: &str) -> PlantSpec {
    let path = format!(
        "{}/../../sites/gensets/{name}.toml",
        env!("CARGO_MANIFEST_DIR")
    );
    let mut table: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
    table.insert("name".to_owned(), name.into());
    table.insert("count".to_owned(), 2.into());
    let mut spec: PlantSpec = serde_json::from_str(r#"{"sets":[]}"#).unwrap();
    spec.sets = vec![table.try_into().unwrap()];
    spec
}

/// The question a run asks of a training job: 20 lines of two levels at 1 Hz.
fn training(bencher: Bencher<'_, '_>, name: &str, limit_pp_hz: f64) {
    let spec = preset(name);
    let rated_w = 2e3 * spec.sets[0].rated_kw;
    let wave = PeriodicLoad::two_level(1.0, 0.32 * rated_w, 0.52 * rated_w, 0.8).unwrap();
    let lines: Vec<_> = wave.harmonics().into_iter().take(20).collect();
    let load = PeriodicLoad::of_lines(wave.mean_w(), &lines).unwrap();
    bencher.bench(|| {
        resonance(&ResonanceQuestion {
            plant: &spec,
            load: black_box(&load),
            cadence: "job",
            limit_pp_hz,
            step_s: 1e-3,
            search_hz: (0.25, 4.0),
        })
        .unwrap()
    });
}

/// Within its limit: the prediction alone.
#[divan::bench(sample_count = 10)]
fn resonance_diesel_within(bencher: Bencher<'_, '_>) {
    training(bencher, "generic-diesel-1000kw", 2.0);
}

/// Beyond it, with what would move it.
#[divan::bench(sample_count = 10)]
fn resonance_diesel_beyond(bencher: Bencher<'_, '_>) {
    training(bencher, "generic-diesel-1000kw", 0.5);
}

#[divan::bench(sample_count = 10)]
fn resonance_light_beyond(bencher: Bencher<'_, '_>) {
    training(bencher, "synthetic-tgov1-light", 2.0);
}

#[divan::bench(sample_count = 10)]
fn resonance_gas_beyond(bencher: Bencher<'_, '_>) {
    training(bencher, "generic-gas-1500kw", 0.5);
}

#[divan::bench(sample_count = 10)]
fn resonance_turbine_beyond(bencher: Bencher<'_, '_>) {
    training(bencher, "generic-gas-turbine-5mw", 0.5);
}
