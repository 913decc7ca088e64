//! A square wave on a lightly damped set, predicted before it is run.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests; measured errors are printed"
)]

mod common;

use ballast_plant::{
    AlternatorSpec, ExciterSpec, GenrouSpec, GovernorSpec, PeriodicLoad, Plant, PlantSpec,
    ResonanceQuestion, Settled, SexsSpec, Tgov1Spec, TorqueConvention, resonance,
};
use common::{one_set, set, tgov1};

const KVA: f64 = 3125.0;

fn plant(droop_pu: f64, t1_s: f64, t3_s: f64, electric: bool) -> PlantSpec {
    let governor = GovernorSpec::Tgov1(Tgov1Spec {
        t3_s,
        vmax_pu: 0.88,
        vmin_pu: 0.0,
        ..tgov1(droop_pu, t1_s)
    });
    let mut spec = one_set(governor, 1.0, 0.0, TorqueConvention::Power);
    let mut one = set("g1", governor, 1.0, 0.0);
    one.rated_kva = KVA;
    one.rated_kw = 0.8 * KVA;
    if electric {
        one.alternator = Some(AlternatorSpec::Genrou(GenrouSpec {
            xd_pu: 2.8,
            xq_pu: 1.6,
            xd1_pu: 0.25,
            xq1_pu: 0.5,
            xd2_pu: 0.18,
            xl_pu: 0.1,
            ra_pu: 0.0,
            td01_s: 3.0,
            td02_s: 0.03,
            tq01_s: 0.6,
            tq02_s: 0.05,
            s10: 0.0,
            s12: 0.0,
        }));
        one.exciter = Some(ExciterSpec::Sexs(SexsSpec {
            k: 100.0,
            ta_s: 1.0,
            tb_s: 10.0,
            te_s: 0.05,
            emin_pu: -5.0,
            emax_pu: 8.0,
        }));
    }
    spec.sets = vec![one];
    spec
}

fn light(electric: bool) -> PlantSpec {
    plant(0.04, 0.25, 0.10, electric)
}

fn tuned(electric: bool) -> PlantSpec {
    plant(0.05, 0.08, 0.04, electric)
}

fn square(f_hz: f64) -> PeriodicLoad {
    PeriodicLoad::two_level(f_hz, 0.40 * KVA * 1e3, 0.64 * KVA * 1e3, 0.5).unwrap()
}

fn at_mean(spec: &PlantSpec) -> Plant {
    Plant::new(spec, 0.52 * KVA * 1e3, 1e-3).unwrap()
}

/// Lowest and highest frequency of the last second or two periods of a long run.
fn simulated(spec: &PlantSpec, f_hz: f64, periods: usize) -> (f64, f64) {
    let mut plant = at_mean(spec);
    let half = 0.5 / f_hz;
    let steps = (half / 1e-3).round() as usize;
    let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
    for period in 0..periods {
        for level in [0.64, 0.40] {
            for _ in 0..steps {
                let w = level * KVA * 1e3;
                plant.advance(half / steps as f64, w, w);
                if period + 2 >= periods {
                    low = low.min(plant.speed_pu() * 60.0);
                    high = high.max(plant.speed_pu() * 60.0);
                }
            }
        }
    }
    (low, high)
}

#[test]
fn a_square_wave_is_predicted_before_the_run() {
    for electric in [false, true] {
        for (name, spec) in [("light", light(electric)), ("tuned", tuned(electric))] {
            let plant = at_mean(&spec);
            let modes = plant.modes().unwrap();
            println!(
                "{name}, alternator {electric}: {}",
                modes.nearest(1.0).unwrap()
            );
            for f_hz in [0.2, 0.5, 1.0, 2.0] {
                let clock = std::time::Instant::now();
                let p = plant.predict(&square(f_hz));
                let took = clock.elapsed();
                let (low, high) = simulated(&spec, f_hz, (300.0 * f_hz) as usize);
                let unlimited = p.unlimited.unwrap();
                println!(
                    "{name} {f_hz} Hz: run {low:.3} to {high:.3} ({:.3}); limited {:.3} to {:.3} ({:.3}); unlimited linear {:.3} to {:.3} ({:.3}); {:?} {:?} {} periods {took:?}",
                    high - low,
                    p.limited.lowest_hz,
                    p.limited.highest_hz,
                    p.limited.peak_to_peak_hz,
                    unlimited.lowest_hz,
                    unlimited.highest_hz,
                    unlimited.peak_to_peak_hz,
                    p.settled,
                    p.reached,
                    p.periods
                );
                assert_eq!(p.settled, Settled::Periodic);
                let off = p.limited.peak_to_peak_hz / (high - low) - 1.0;
                assert!(off.abs() < 0.02, "{name} {f_hz}: {off}");
            }
        }
    }
}

#[test]
fn the_verdict_names_the_mode_and_what_moves_it() {
    for (name, spec) in [("light", light(false)), ("tuned", tuned(true))] {
        let load = square(1.0);
        let clock = std::time::Instant::now();
        let v = resonance(&ResonanceQuestion {
            plant: &spec,
            load: &load,
            cadence: "job pretrain",
            limit_pp_hz: 2.0,
            step_s: 1e-3,
            search_hz: (0.1, 5.0),
        })
        .unwrap();
        println!("{name}, {:?}: {v}", clock.elapsed());
        assert_eq!(v.within, name == "tuned");
        let line = v.line.unwrap();
        assert_eq!((line.harmonic, line.frequency_hz), (1, 1.0));
        // Every cadence called safe is so in a run; just inside the borders and in the middle.
        for (from, to) in &v.safe_hz {
            for f_hz in [*from * 1.001, (from * to).sqrt(), *to * 0.999] {
                let (low, high) = simulated(&spec, f_hz, (200.0 * f_hz) as usize + 10);
                assert!(high - low < 2.02, "{name} {f_hz}: {}", high - low);
            }
        }
        if name == "tuned" {
            assert!(v.jitter_s.is_none() && v.storage_w.is_none() && v.retune.is_empty());
            continue;
        }
        assert!(v.meets);
        assert!(v.safe_hz.iter().all(|r| !(r.0..=r.1).contains(&1.0)));
        let text = v.to_string();
        assert!(
            text.contains("meets speed governor mode of g1 at 0.960 Hz"),
            "{text}"
        );
        // A storage that takes that much off the line: the limit is met, and just so.
        let mut lines = load.harmonics();
        lines[0].amplitude_w -= v.storage_w.unwrap();
        lines.retain(|l| l.amplitude_w > 1.0);
        let with = PeriodicLoad::of_lines(load.mean_w(), &lines).unwrap();
        let p = at_mean(&spec).predict(&with);
        println!("with storage {:?}", p.limited);
        assert!(
            (p.limited.peak_to_peak_hz / 2.0 - 1.0).abs() < 0.02,
            "{p:?}"
        );
        // So much damping brings the unlimited linear swing just to the limit.
        let damping = v.damping.unwrap();
        assert!((damping.ratio.0 - 0.0217).abs() < 1e-3 && damping.ratio.1 > 0.1);
        let mut damped = spec.clone();
        damped.sets[0].damping_pu += damping.more_pu;
        let swing = at_mean(&damped).predict(&load).unlimited.unwrap();
        assert!(
            (swing.peak_to_peak_hz / 2.0 - 1.0).abs() < 0.01,
            "{swing:?}"
        );
        // What is retuned keeps its promise.
        let droop = v
            .retune
            .iter()
            .find(|r| r.key == "droop_pu" || r.key == "t1_s")
            .unwrap();
        let mut other = spec.clone();
        if let GovernorSpec::Tgov1(g) = &mut other.sets[0].governor {
            if droop.key == "droop_pu" {
                g.droop_pu = droop.to;
            } else {
                g.t1_s = droop.to;
            }
        }
        let p = at_mean(&other).predict(&load);
        assert!((p.limited.peak_to_peak_hz / droop.peak_to_peak_hz - 1.0).abs() < 0.02);
    }
}
