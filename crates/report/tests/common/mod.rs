//! Outcomes made up for tests: a plausible one, and pieces to spoil it with.

use std::collections::BTreeMap;
use std::f64::consts::TAU;

use ballast_scenario::{LimitsSpec, OutputSpec, Scenario, ScenarioHead, SimulationSpec};
use ballast_series::{Envelope, Level, LoadDuration, Pyramid, Ramp, RampTable, Spectrum};
use ballast_study::outcome::{
    CadenceResonance, CadenceSource, Contingency, DesignValues, Event, Extreme, GainCurve, GpuKpis,
    LineKpis, ModeKpis, Outcome, PlantKpis, PowerKpis, RackKpis, ResonanceKpis, RunProvenance,
    SetLoading, SettledAs, Source002Values, Status, StepEventsKpis, StorageCurves, StoreCurve,
    Verdict,
};

const DURATION_S: f64 = 60.0;
const BUCKETS: usize = 4000;

/// A pyramid of one level from a function of time, eight samples to a bucket.
pub(crate) fn pyramid(value: impl Fn(f64) -> f64) -> Pyramid {
    let dt_s = DURATION_S / BUCKETS as f64;
    let mut level = Level {
        dt_s,
        min: Vec::new(),
        mean: Vec::new(),
        max: Vec::new(),
    };
    for k in 0..BUCKETS {
        let inside: Vec<f64> = (0..8)
            .map(|i| value((k as f64 + f64::from(i) / 8.0) * dt_s))
            .collect();
        level
            .min
            .push(inside.iter().copied().fold(f64::INFINITY, f64::min));
        level
            .max
            .push(inside.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        level.mean.push(inside.iter().sum::<f64>() / 8.0);
    }
    Pyramid {
        t0_s: 0.0,
        levels: vec![level],
    }
}

/// A pyramid of one bucket.
pub(crate) fn single(value: f64) -> Pyramid {
    Pyramid {
        t0_s: 0.0,
        levels: vec![Level {
            dt_s: 1.0,
            min: vec![value],
            mean: vec![value],
            max: vec![value],
        }],
    }
}

/// Noise that needs no generator: the fraction of a large sine.
fn noise(t: f64) -> f64 {
    let s = (t * 12.9898).sin() * 43_758.545_3;
    2.0 * (s - s.floor()) - 1.0
}

/// Square-ish load, 1 Hz, 400 to 1000 kW.
fn load_w(t: f64) -> f64 {
    let wave = (TAU * t).sin();
    let square = wave.signum() * wave.abs().powf(0.15);
    700e3 + 285e3 * square + 12e3 * noise(t)
}

/// 59.5 to 60.4 Hz, with the deepest dip at 12.3 s.
fn frequency_hz(t: f64) -> f64 {
    let swing = 0.28 * (TAU * t - 1.3).sin() + 0.1 * (TAU * 0.07 * t).sin();
    let dip = -0.2 * (-((t - 12.3) / 1.5).powi(2)).exp();
    60.0 + swing + dip
}

/// Percentiles between two values.
pub(crate) fn envelope(min: f64, max: f64) -> Envelope {
    let at = |share: f64| min + share * (max - min);
    Envelope {
        min,
        p5: at(0.04),
        p50: at(0.5),
        p95: at(0.95),
        p99_9: at(0.985),
        max,
        mean: at(0.48),
        std: 0.4 * (max - min),
        samples: 60_000,
        resolution: 1.0,
        over: "time and realisations".to_owned(),
    }
}

fn extreme(value: f64, at_s: f64, realisation: u32) -> Extreme {
    Extreme {
        value,
        at_s,
        realisation,
    }
}

fn verdict(limit: &str, value: f64, worst: f64) -> Verdict {
    Verdict {
        limit: limit.to_owned(),
        label: limit.to_owned(),
        status: Status::Pass,
        limit_value: Some(value),
        worst_value: Some(worst),
        unit: "Hz".to_owned(),
        metered: None,
        at_s: Some(12.3),
        realisation: Some(1),
        element: Some("bus".to_owned()),
        window: "instant".to_owned(),
        margin: Some((value - worst).abs()),
        realisations: 4,
        horizon_s: DURATION_S,
        held_in: 4,
        basis: String::new(),
        run: None,
        contingency: None,
        struck_at_s: None,
        indicative: None,
    }
}

pub(crate) fn group(name: &str, count: u32, min: f64, max: f64) -> RackKpis {
    RackKpis {
        racks: Vec::new(),
        group: name.to_owned(),
        count,
        metered: "rack, AC side".to_owned(),
        diversity: None,
        envelope: envelope(min, max),
        worst_rack: format!("{name}-1"),
        worst_w: max,
        worst_at_s: 4.0,
        ramps: Vec::new(),
        pyramid: single(min),
    }
}

fn spectrum() -> Spectrum {
    let frequency_hz: Vec<f64> = (0..2000).map(|k| f64::from(k) * 0.05).collect();
    let amplitude = frequency_hz
        .iter()
        .map(|&f| {
            let line = |at: f64, a: f64| a * (-((f - at) / 0.03).powi(2)).exp();
            let odd: f64 = [1.0, 3.0, 5.0, 7.0]
                .iter()
                .map(|&n| line(n, 380e3 / n))
                .sum();
            odd + 2e3 * (1.0 + noise(f)) + line(0.0, 700e3)
        })
        .collect();
    Spectrum {
        frequency_hz,
        amplitude,
        resolution_hz: 0.05,
        segments: 5,
        window: "Hann".to_owned(),
    }
}

fn gain() -> GainCurve {
    let frequency_hz: Vec<f64> = (0..300)
        .map(|k| 0.01 * 10f64.powf(f64::from(k) / 299.0 * 3.4))
        .collect();
    let gain = |f: f64| {
        let r = f / 0.62;
        0.9 * (0.15 + r) / ((1.0 - r * r).powi(2) + (0.7 * r).powi(2)).sqrt()
    };
    let gain_hz_per_mw: Vec<f64> = frequency_hz.iter().map(|&f| gain(f)).collect();
    let best = (0..300)
        .max_by(|&a, &b| gain_hz_per_mw[a].total_cmp(&gain_hz_per_mw[b]))
        .unwrap();
    GainCurve {
        peak_frequency_hz: frequency_hz[best],
        peak_gain_hz_per_mw: gain_hz_per_mw[best],
        frequency_hz,
        gain_hz_per_mw,
    }
}

fn load_duration() -> LoadDuration {
    let mut value: Vec<f64> = (0..20_000).map(|k| load_w(f64::from(k) * 0.003)).collect();
    value.sort_by(|a, b| b.total_cmp(a));
    let value: Vec<f64> = value.into_iter().step_by(100).collect();
    let share = (0..value.len())
        .map(|k| k as f64 / (value.len() - 1) as f64)
        .collect();
    LoadDuration { share, value }
}

fn plant() -> PlantKpis {
    let frequency_pyramid = pyramid(frequency_hz);
    let level = &frequency_pyramid.levels[0];
    let at = |k: usize| (k as f64 + 0.5) * level.dt_s;
    let lowest = (0..BUCKETS)
        .min_by(|&a, &b| level.min[a].total_cmp(&level.min[b]))
        .unwrap();
    let highest = (0..BUCKETS)
        .max_by(|&a, &b| level.max[a].total_cmp(&level.max[b]))
        .unwrap();
    PlantKpis {
        voltage_min: None,
        voltage_pyramid: None,
        voltage_max: None,
        metered: "terminals".to_owned(),
        nominal_hz: 60.0,
        frequency_min: extreme(level.min[lowest], at(lowest), 1),
        frequency_max: extreme(level.max[highest], at(highest), 1),
        rocof: Some(extreme(1.2, 12.0, 1)),
        frequency_pyramid,
        sets: Vec::new(),
        step_events: StepEventsKpis {
            basis: String::new(),
            seen: 0,
            unquiet: 0,
            events: Vec::new(),
        },
        fuel: None,
        gain: gain(),
        reserve: None,
    }
}

/// A run as a user would have one: 1 Hz load of 400 to 1000 kW, frequency 59.5 to 60.4 Hz, two groups of racks.
pub(crate) fn plausible() -> Outcome {
    let ramp = Ramp {
        delta: 1e5,
        at_s: 1.0,
        realisation: 1,
    };
    Outcome {
        format: 1,
        provenance: RunProvenance {
            program: "ballast".to_owned(),
            version: "0.1.0".to_owned(),
            scenario_sha256: "0123456789abcdef".repeat(4),
            inputs: Vec::new(),
            seed: 42,
            realisations: 4,
            duration_s: DURATION_S,
            step_s: 0.001,
            shown: None,
        },
        overall: Status::Pass,
        summary: String::new(),
        verdicts: vec![
            verdict("frequency_min_hz", 59.3, 59.5),
            verdict("frequency_max_hz", 60.5, 60.4),
        ],
        events: Vec::new(),
        diagnostics: Vec::new(),
        assumptions: Vec::new(),
        low_confidence: Vec::new(),
        weak_constants: Vec::new(),
        site: PowerKpis {
            metered: "bus: AC input of the racks, plus the given loads".to_owned(),
            envelope: envelope(403e3, 997e3),
            energy_j: 4.2e7,
            ramps_basis: None,
            ramps: vec![RampTable {
                window_s: 0.02,
                up: ramp,
                down: ramp,
            }],
            load_duration: load_duration(),
            band: None,
            spectrum: spectrum(),
            pyramid: pyramid(load_w),
            gpu: GpuKpis {
                metered: "GPU board or module".to_owned(),
                mean_w: 5e5,
            },
            reactive: None,
        },
        racks: vec![
            group("training", 12, 20e3, 56e3),
            group("inference", 6, 24e3, 41e3),
        ],
        jobs: vec![],
        tenants: vec![],
        facility: Vec::new(),
        diversity: None,
        design_values: DesignValues {
            metered: "bus".to_owned(),
            nominal_w: 700e3,
            design_peak_w: 988e3,
            design_peak_quantile: 0.999,
            horizon_s: 240.0,
            steps: Vec::new(),
            load_rejection_w: 997e3,
            gpus: 1024,
            nominal_w_per_gpu: Some(680.0),
            design_peak_w_per_gpu: Some(960.0),
            source002: Source002Values {
                metered: "GPU board or module",
                nominal_w: 250.0,
                design_peak_w: 350.0,
                step_w: 280.0,
                ramp_w_per_s: 2000.0,
            },
        },
        gpu_smoothing: Vec::new(),
        storage: Vec::new(),
        holdup: Vec::new(),
        bess: Vec::new(),
        storage_curves: None,
        plant: Some(plant()),
        resonance: None,
        scenario: scenario("ten-sets-1hz"),
        zoom: None,
        contingencies: Vec::new(),
    }
}

/// A scenario with nothing but a name.
pub(crate) fn scenario(name: &str) -> Scenario {
    Scenario {
        scenario: ScenarioHead {
            name: name.to_owned(),
            description: String::new(),
        },
        simulation: SimulationSpec::default(),
        gpus: BTreeMap::new(),
        nodes: BTreeMap::new(),
        psus: BTreeMap::new(),
        racks: Vec::new(),
        tenants: vec![],
        jobs: Vec::new(),
        correlation: None,
        facility: None,
        events: Vec::new(),
        loads: Vec::new(),
        bess: Vec::new(),
        plant: None,
        limits: LimitsSpec::default(),
        outputs: OutputSpec::default(),
        zoom: None,
        contingencies: Vec::new(),
        variant: Vec::new(),
    }
}

/// The same on sets with alternators, whose modes and lines were found.
pub(crate) fn with_resonance() -> Outcome {
    let mut outcome = plausible();
    if let Some(plant) = &mut outcome.plant {
        plant.voltage_pyramid = Some(pyramid(|t| 1.0 + 0.02 * (TAU * t).sin()));
    }
    let mode = |frequency_hz: f64, damping_ratio: f64| ModeKpis {
        name: "speed governor mode of G1".to_owned(),
        kind: "speed_governor".to_owned(),
        sets: vec!["G1".to_owned()],
        frequency_hz,
        damping_ratio,
        growth_per_s: -1.0,
        stable: true,
    };
    let line = |harmonic: u32, amplitude_w: f64| LineKpis {
        harmonic,
        frequency_hz: f64::from(harmonic),
        amplitude_w,
        swing_hz: 0.1,
        gain_hz_per_mw: 1.0,
    };
    let lines = vec![
        line(1, 300e3),
        line(2, 1e3),
        line(3, 100e3),
        line(4, f64::NAN),
    ];
    outcome.resonance = Some(ResonanceKpis {
        metered: "the bus".to_owned(),
        modes: vec![
            mode(1.01, 0.02),
            mode(3.0, 0.3),
            mode(f64::NAN, 0.1),
            mode(6.0, 0.9),
        ],
        unstable: Vec::new(),
        at_a_kink: false,
        cadences: vec![CadenceResonance {
            cadence: "job llm".to_owned(),
            source: CadenceSource::Training,
            frequency_hz: 1.0,
            from_s: 0.0,
            until_s: 60.0,
            periods: 60,
            mean_w: 700e3,
            limit_swing_hz: None,
            predicted_swing_hz: 0.9,
            predicted_lowest_hz: 59.5,
            predicted_highest_hz: 60.4,
            settled: SettledAs::Periodic,
            repeats_after: 1,
            unlimited_linear_swing_hz: Some(1.0),
            limits_reached: Vec::new(),
            coherence: 0.99,
            jitter_factor: 0.98,
            expected_swing_hz: 0.88,
            simulated: None,
            line: lines.first().copied(),
            lines,
            mode: None,
            meets: true,
            moves: None,
            text: Vec::new(),
        }],
        none_because: None,
        left_out: Vec::new(),
        assumed: Vec::new(),
    });
    outcome
}

/// A run of a constant load that moves nothing.
pub(crate) fn constant(power_w: f64) -> Outcome {
    let mut outcome = plausible();
    outcome.site.pyramid = pyramid(|_| power_w);
    outcome.site.envelope = envelope(power_w, power_w);
    outcome
        .site
        .spectrum
        .amplitude
        .iter_mut()
        .for_each(|a| *a = 0.0);
    outcome.site.load_duration = LoadDuration {
        share: vec![0.0, 1.0],
        value: vec![power_w, power_w],
    };
    outcome.racks = vec![group("only", 1, power_w, power_w)];
    outcome.design_values.nominal_w = power_w;
    outcome.design_values.design_peak_w = power_w;
    if let Some(plant) = &mut outcome.plant {
        plant.frequency_pyramid = pyramid(|_| 60.0);
        plant.frequency_min = extreme(60.0, 0.0, 1);
        plant.frequency_max = extreme(60.0, 0.0, 1);
        plant.gain.gain_hz_per_mw.iter_mut().for_each(|g| *g = 0.0);
        plant.gain.peak_gain_hz_per_mw = 0.0;
    }
    outcome
}

/// A run with next to nothing in it: one bucket, no spectrum, no racks.
pub(crate) fn tiny() -> Outcome {
    let mut outcome = plausible();
    outcome.racks.clear();
    outcome.verdicts.clear();
    outcome.site.pyramid = single(5e3);
    outcome.site.spectrum = Spectrum {
        frequency_hz: vec![],
        amplitude: vec![],
        resolution_hz: 0.0,
        segments: 0,
        window: String::new(),
    };
    outcome.site.load_duration = LoadDuration {
        share: vec![0.0],
        value: vec![5e3],
    };
    if let Some(plant) = &mut outcome.plant {
        plant.frequency_pyramid = single(60.0);
        plant.gain = GainCurve {
            frequency_hz: vec![],
            gain_hz_per_mw: vec![],
            peak_frequency_hz: 0.0,
            peak_gain_hz_per_mw: 0.0,
        };
    }
    outcome
}

/// A run whose figures are all not a number or missing.
pub(crate) fn rotten() -> Outcome {
    let mut outcome = plausible();
    let nan = f64::NAN;
    outcome.provenance.duration_s = nan;
    outcome.provenance.scenario_sha256.clear();
    outcome.site.pyramid = Pyramid {
        t0_s: nan,
        levels: Vec::new(),
    };
    outcome.site.envelope = envelope(nan, f64::INFINITY);
    outcome
        .site
        .spectrum
        .amplitude
        .iter_mut()
        .for_each(|a| *a = nan);
    outcome.site.load_duration = LoadDuration {
        share: vec![nan],
        value: vec![f64::INFINITY],
    };
    outcome.racks = vec![group("bad", 3, nan, nan)];
    outcome.design_values.nominal_w = nan;
    outcome.design_values.design_peak_w = f64::NEG_INFINITY;
    if let Some(plant) = &mut outcome.plant {
        plant.nominal_hz = nan;
        plant.frequency_pyramid = Pyramid {
            t0_s: 0.0,
            levels: vec![Level {
                dt_s: 0.0,
                min: vec![nan],
                mean: vec![],
                max: vec![nan],
            }],
        };
        plant.frequency_min = extreme(nan, nan, 1);
        plant.frequency_max = extreme(f64::INFINITY, 0.0, 1);
        plant.gain.peak_frequency_hz = nan;
    }
    outcome
}

/// Something that happened.
pub(crate) fn event(at_s: f64, kind: &str, element: &str) -> Event {
    Event {
        at_s,
        realisation: 1,
        kind: kind.to_owned(),
        element: element.to_owned(),
        text: String::new(),
    }
}

/// Curves of stores in two groups of racks and of a battery.
pub(crate) fn storage() -> StorageCurves {
    let store = |name: &str, swing: f64| StoreCurve {
        name: name.to_owned(),
        metered: "rack, AC side".to_owned(),
        low_share: 0.1,
        high_share: 0.9,
        charge_share: pyramid(|t| 0.5 + swing * (TAU * t).cos()),
        power_w: pyramid(|t| -1e6 * swing * (TAU * t).sin()),
    };
    StorageCurves {
        metered: "bus".to_owned(),
        before_w: pyramid(|t| 700e3 + 3.0 * (load_w(t) - 700e3)),
        racks: Some(store("racks", 0.1)),
        worst_group: Some(store("<hall> & b", 0.39)),
        bess: vec![store("B1", 0.2)],
        bess_left_out: 2,
    }
}

/// A failure at 20 s that the sets `loads` carry.
pub(crate) fn contingency(name: &str, loads: usize) -> Contingency {
    let of = |k: usize| SetLoading {
        set: format!("G{k}"),
        metered: "terminals".to_owned(),
        share: pyramid(|t| if t < 20.0 { 0.4 } else { 0.6 + 0.05 * k as f64 }),
    };
    Contingency {
        name: name.to_owned(),
        kind: "set_trip".to_owned(),
        at_s: 20.0,
        realisation: 1,
        why: String::new(),
        tried: Vec::new(),
        start_s: 0.0,
        end_s: DURATION_S,
        overall: Status::Fail,
        summary: String::new(),
        verdicts: Vec::new(),
        events: vec![
            event(20.0, "set_trip", "G0"),
            event(31.0, "collapse", "bus"),
        ],
        limits: LimitsSpec {
            frequency_min_hz: Some(59.0),
            frequency_max_hz: Some(75.0),
            survivor_power_max_share: Some(1.0),
            ..LimitsSpec::default()
        },
        figures: None,
        frequency_min: None,
        frequency_max: None,
        speed_max_pu: None,
        rocof: None,
        voltage_min: None,
        voltage_max: None,
        frequency_pyramid: Some(pyramid(frequency_hz)),
        voltage_pyramid: (loads > 1).then(|| pyramid(|t| 1.0 + 0.02 * (TAU * t).sin())),
        loadings: (0..loads).map(of).collect(),
        assumptions: Vec::new(),
    }
}
