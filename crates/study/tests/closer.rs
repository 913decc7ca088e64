//! Runs that start later, plants that step finer than the load, fine runs of the worst stretch, traces too coarse for ramps.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;

use ballast_profile::PhaseKind;
use ballast_scenario::{LoadSpec, Loaded, Patch, load_str};
use ballast_series::{SinkError, TraceBlock, TraceSink};
use ballast_study::outcome::{Outcome, RunPart, Status, Verdict};
use ballast_study::{Inputs, RawTrace, Silent, TraceInput, TraceSinks};

fn loaded(text: &str) -> Loaded {
    load_str("test.toml", text, Path::new("."), &[]).unwrap_or_else(|e| panic!("{e}"))
}

fn run(loaded: &Loaded, inputs: &Inputs) -> Outcome {
    ballast_study::run(loaded, inputs, None, &Silent).unwrap_or_else(|e| panic!("{e}"))
}

/// Samples of every trace load: kilowatts, `interval_s` apart.
fn inputs(loaded: &Loaded, interval_s: f64, power_kw: &[f64]) -> Inputs {
    let traces = loaded.scenario.loads.iter().enumerate();
    let traces = traces.filter_map(|(index, load)| {
        let LoadSpec::Trace(spec) = load else {
            return None;
        };
        let raw = RawTrace {
            time_s: (0..power_kw.len()).map(|k| k as f64 * interval_s).collect(),
            value: power_kw.iter().map(|w| w * 1e3).collect(),
            per_unit: false,
            sha256: String::new(),
            found: Vec::new(),
        };
        Some(TraceInput::new(index, spec, raw).unwrap())
    });
    Inputs {
        traces: traces.collect(),
        arrivals: Vec::new(),
    }
}

fn verdict<'a>(outcome: &'a Outcome, limit: &str) -> &'a Verdict {
    outcome
        .verdicts
        .iter()
        .find(|v| v.limit == limit)
        .unwrap_or_else(|| panic!("no verdict on {limit}"))
}

/// Keeps the columns of the site's and the GPUs' power, and the time of the first sample.
#[derive(Default)]
struct Kept {
    t0_s: Option<f64>,
    site_w: Vec<f64>,
    gpu_w: Vec<f64>,
    f_hz: Vec<f64>,
}

impl TraceSink for Kept {
    fn block(&mut self, block: &TraceBlock<'_>) -> Result<(), SinkError> {
        self.t0_s.get_or_insert(block.t0_s);
        for column in block.columns {
            let into = match column.name {
                "site_w" => &mut self.site_w,
                "gpu_w" => &mut self.gpu_w,
                "f_hz" => &mut self.f_hz,
                _ => continue,
            };
            into.extend_from_slice(column.values);
        }
        Ok(())
    }
}

/// The example of a training job without any fluctuation, lag of the supplies or slow part of the hosts; its iterations still jitter.
fn still(start_s: &str, duration_s: &str, engine: &str) -> Loaded {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/training-offgrid.toml");
    let patch = |path: &str, value: &str| Patch {
        path: path.to_owned(),
        value: value.to_owned(),
    };
    let plain = ballast_scenario::load(&path, &[]).unwrap();
    let phases = &plain.scenario.gpus["h100-sxm5"].phases;
    let mut patches = vec![
        patch("simulation.start_s", start_s),
        patch("simulation.duration_s", duration_s),
        patch("simulation.step_s", "0.01"),
        patch("simulation.engine", engine),
        patch("racks.0.count", "2"),
        patch("gpus.still.base", "h100-sxm5"),
        patch("psus.prompt.base", "titanium-3kw"),
        patch("psus.prompt.lag_s.value", "0"),
        patch("nodes.still.base", "hgx-h100"),
        patch("nodes.still.gpu", "still"),
        patch("nodes.still.psu", "prompt"),
        patch("nodes.still.host.slow_share.value", "0"),
        patch("racks.0.node", "still"),
    ];
    for kind in PhaseKind::ALL {
        if phases.get(kind).is_some_and(|p| p.spread_w.is_some()) {
            let key = format!("gpus.still.phases.{}.spread_w.value", kind.key());
            patches.push(patch(&key, "0"));
        }
    }
    ballast_scenario::load(&path, &patches).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn a_run_that_starts_later_is_the_tail_of_the_whole_one() {
    for engine in ["group", "per_gpu"] {
        let traced = |start_s: &str, duration_s: &str| {
            let mut kept = Kept::default();
            let loaded = still(start_s, duration_s, engine);
            let outcome =
                ballast_study::run(&loaded, &Inputs::default(), Some(&mut kept), &Silent).unwrap();
            (kept, outcome)
        };
        let (whole, all) = traced("0", "12");
        let (tail, late) = traced("7.31", "4.69");
        let k = 731;
        assert_eq!(tail.t0_s, Some(k as f64 * 0.01));
        assert_eq!(tail.site_w.len(), 470);
        // Bit by bit: nothing in the power depends on what was before.
        assert_eq!(tail.site_w, whole.site_w[k..]);
        assert_eq!(tail.gpu_w, whole.gpu_w[k..]);
        assert!(whole.site_w[k..].iter().any(|w| *w != whole.site_w[k]));
        assert!(late.site.pyramid.t0_s > 7.3 && all.site.pyramid.t0_s == 0.0);
        let times = late.verdicts.iter().filter_map(|v| v.at_s);
        for at_s in times {
            assert!((7.31..=12.0).contains(&at_s), "{at_s}");
        }
    }
}

#[test]
fn a_start_within_a_step_is_refused() {
    let text = "[scenario]\nname = \"a\"\n[simulation]\nstart_s = 0.25\nstep_s = 0.1\n[[loads]]\nkind = \"steps\"\nname = \"s\"\ninitial_kw = 1\n";
    let problems = load_str("a.toml", text, Path::new("."), &[]).unwrap_err();
    assert!(
        problems.to_string().contains("not a whole number of steps"),
        "{problems}"
    );
}

const TRACE: &str = "[[loads]]\nkind = \"trace\"\nname = \"t\"\nfile = \"t.csv\"\n[[plant.sets]]\npreset = \"generic-diesel-1000kw\"\nname = \"G\"\n\
    [limits]\nfrequency_min_hz = 55\nrocof_hz_per_s = 20\nrecovery_s = 3\nrecovery_band_hz = 0.1\n";

/// A load that is linear within 10 ms is the same load at 10 ms and at 1 ms: the plant's steps are the same.
#[test]
fn the_plant_steps_finer_than_the_load() {
    let of = |simulation: &str| {
        let text = format!(
            "[scenario]\nname = \"p\"\n[simulation]\nduration_s = 8\n{simulation}\n{TRACE}"
        );
        let loaded = loaded(&text);
        let power_kw: Vec<f64> = (0..=800)
            .map(|k| 500.0 + 150.0 * f64::from((k * 7919) % 13 - 6) / 6.0)
            .collect();
        let inputs = inputs(&loaded, 0.01, &power_kw);
        let mut kept = Kept::default();
        let outcome = ballast_study::run(&loaded, &inputs, Some(&mut kept), &Silent).unwrap();
        (outcome, kept)
    };
    let (fine, all) = of("step_s = 0.001");
    let (coarse, tenth) = of("step_s = 0.01");
    let (stated, _) = of("step_s = 0.01\nplant_step_s = 0.001");
    let (lumped, _) = of("step_s = 0.01\nplant_step_s = 0.0025");
    let (f, c) = (fine.plant.unwrap(), coarse.plant.unwrap());
    let pairs = [
        (f.frequency_min, c.frequency_min),
        (f.frequency_max, c.frequency_max),
        (f.rocof.unwrap(), c.rocof.unwrap()),
    ];
    for (f, c) in pairs {
        assert!((f.value - c.value).abs() < 1e-9, "{f:?} {c:?}");
        assert!((f.at_s - c.at_s).abs() < 1e-9, "{f:?} {c:?}");
    }
    assert_eq!(
        f.frequency_pyramid.levels.len(),
        c.frequency_pyramid.levels.len()
    );
    let level = |p: &ballast_series::Pyramid| p.levels[0].min.clone();
    for (f, c) in level(&f.frequency_pyramid)
        .iter()
        .zip(level(&c.frequency_pyramid))
    {
        assert!((f - c).abs() < 1e-9);
    }
    // The traces of the frequency are those of the load's steps.
    assert_eq!((all.f_hz.len(), tenth.f_hz.len()), (8001, 801));
    for (k, hz) in tenth.f_hz.iter().enumerate() {
        assert!((hz - all.f_hz[10 * k]).abs() < 1e-9);
    }
    assert_eq!(
        stated.plant.unwrap().frequency_min.value,
        c.frequency_min.value
    );
    // Steps 2.5 times as long see fewer instants, and the fourth order leaves next to no error of its own.
    let lumped = lumped.plant.unwrap().frequency_min.value;
    assert!((-1e-5..1e-3).contains(&(lumped - f.frequency_min.value)));
}

const PLANTED: &str = "[scenario]\nname = \"z\"\n[simulation]\nduration_s = 3600\nstep_s = 1\nrealisations = 2\n[[loads]]\nkind = \"steps\"\nname = \"s\"\n\
    initial_kw = 1000\nevents = [{ at_s = 900.3, power_kw = 1200 }, { at_s = 2000.4, power_kw = 700 }, { at_s = 3000, power_kw = 1300 }, { at_s = 3100, power_kw = 1000 }]\n";
const SETS: &str = "[[plant.sets]]\npreset = \"generic-diesel-1000kw\"\nname = \"G\"\ncount = 2\n[limits]\nfrequency_min_hz = 50\nfrequency_max_hz = 70\n";

#[test]
fn the_zoom_finds_the_planted_moment() {
    let events = PLANTED.replace(
        "{ at_s = 3000, power_kw = 1300 }",
        "{ at_s = 3000, power_kw = 1150 }",
    );
    let outcome = run(
        &loaded(&format!("{events}{SETS}[zoom]\n")),
        &Inputs::default(),
    );
    let zoom = outcome.zoom.as_ref().unwrap();
    assert_eq!((zoom.at_s, zoom.realisation), (2001.0, 1), "{}", zoom.why);
    assert!(zoom.why.contains("fall within 1 s, 500"), "{}", zoom.why);
    let fine = &zoom.outcome;
    let simulation = &fine.scenario.simulation;
    assert_eq!(
        (simulation.start_s, simulation.duration_s, simulation.step_s),
        (1970.5, 60.0, 0.01)
    );
    // The step takes no time: the finest window has all of it, at the sample behind it.
    let ramp = fine.site.ramps[0].down;
    assert_eq!(fine.site.ramps[0].window_s, 0.02);
    assert!((ramp.delta + 500e3).abs() < 1e-6);
    assert!((ramp.at_s - 2000.4).abs() < 0.0101, "{}", ramp.at_s);
    // The same sets meet the same step: only the steady state they start from differs.
    let highest = |o: &Outcome| o.plant.as_ref().unwrap().frequency_max;
    let (a, b) = (highest(&outcome), highest(fine));
    assert!((a.value - b.value).abs() < 1e-3, "{a:?} {b:?}");
    assert!((a.at_s - b.at_s).abs() < 0.01, "{a:?} {b:?}");
    let marked = |o: &Outcome, part| o.verdicts.iter().all(|v| v.run == Some(part));
    assert!(marked(&outcome, RunPart::Coarse) && marked(fine, RunPart::Zoom));
    assert!(
        verdict(&outcome, "frequency_min_hz")
            .basis
            .contains("ramps slower than that only")
    );
    assert!(!verdict(fine, "frequency_min_hz").basis.contains("slower"));
}

#[test]
fn the_zoom_goes_to_the_peak_or_to_the_frequency() {
    let peak = run(
        &loaded(&format!(
            "{PLANTED}[zoom]\nby = \"peak\"\nwindow_s = 20\nlead_s = 5\n"
        )),
        &Inputs::default(),
    );
    let zoom = peak.zoom.unwrap();
    assert_eq!(zoom.at_s, 3000.0);
    let simulation = &zoom.outcome.scenario.simulation;
    assert_eq!((simulation.start_s, simulation.duration_s), (2985.0, 25.0));
    let frequency = run(
        &loaded(&format!("{PLANTED}{SETS}[zoom]\nby = \"frequency\"\n")),
        &Inputs::default(),
    );
    let zoom = frequency.zoom.as_ref().unwrap();
    // The largest step of all, upwards, at 3000 s.
    assert!((zoom.at_s - 3000.5).abs() < 1.0, "{}", zoom.at_s);
    let low = |o: &Outcome| o.plant.as_ref().unwrap().frequency_min.value;
    assert!((low(&frequency) - low(&zoom.outcome)).abs() < 1e-3);
}

/// At the ends of the run the stretch is moved, not cut; a constant load is looked at from its start.
#[test]
fn the_zoom_stays_within_the_run() {
    let text = PLANTED.replace("3000, power_kw = 1300", "3599.9, power_kw = 1900");
    let text = text.replace(", { at_s = 3100, power_kw = 1000 }", "");
    let outcome = run(&loaded(&format!("{text}[zoom]\n")), &Inputs::default());
    let fine = outcome.zoom.unwrap().outcome.scenario.simulation;
    assert_eq!((fine.start_s, fine.end_s()), (3540.0, 3600.0));
    let constant = "[scenario]\nname = \"c\"\n[simulation]\nduration_s = 100\nstep_s = 1\n[[loads]]\nkind = \"steps\"\nname = \"s\"\ninitial_kw = 5\n[zoom]\n";
    let zoom = run(&loaded(constant), &Inputs::default()).zoom.unwrap();
    assert_eq!(zoom.outcome.scenario.simulation.start_s, 0.0);
    assert!(zoom.why.contains("nothing changes"), "{}", zoom.why);
}

/// A limit that the fine run breaks too is told with where it comes from.
#[test]
fn the_worse_of_both_runs_is_the_overall() {
    let text = |limit_kw: f64| {
        format!(
            "{PLANTED}[limits]\nsite_peak_kw = {limit_kw}\nsite_peak_quantile = 1.0\n[zoom]\nby = \"peak\"\n"
        )
    };
    let good = run(&loaded(&text(1400.0)), &Inputs::default());
    assert_eq!(good.overall, Status::Pass, "{}", good.summary);
    let bad = run(&loaded(&text(1250.0)), &Inputs::default());
    assert_eq!(bad.overall, Status::Fail);
    assert!(bad.summary.contains("(zoom)"), "{}", bad.summary);
}

#[test]
fn the_same_bytes_on_any_number_of_threads() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/training-offgrid.toml");
    let patches = [
        ("simulation.duration_s", "20"),
        ("simulation.step_s", "0.05"),
        ("simulation.realisations", "3"),
        ("racks.0.count", "4"),
        ("limits.rocof_window_s", "0.5"),
        ("outputs.ramp_windows_s", "[0.1, 1.0]"),
        ("zoom.window_s", "4"),
        ("zoom.step_s", "0.005"),
    ];
    let patches = patches.map(|(path, value)| Patch {
        path: path.to_owned(),
        value: value.to_owned(),
    });
    let loaded = ballast_scenario::load(&path, &patches).unwrap_or_else(|e| panic!("{e}"));
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            let (mut whole, mut closer) = (Kept::default(), Kept::default());
            let sinks = TraceSinks {
                run: Some(&mut whole),
                zoom: Some(&mut closer),
            };
            let outcome =
                ballast_study::run_traced(&loaded, &Inputs::default(), sinks, &Silent).unwrap();
            (serde_json::to_string(&outcome).unwrap(), closer.site_w)
        })
    };
    let (one, three) = (run(1), run(3));
    assert!(one == three);
    assert_eq!(one.1.len(), 801);
    assert!(one.0.contains("drawn anew from streams of its own"));
}

const METER: &str = "[scenario]\nname = \"m\"\n[simulation]\nduration_s = 3000\nstep_s = 1\n";

#[test]
fn a_coarse_trace_alone_tells_no_ramps() {
    let loaded = loaded(&format!("{METER}{TRACE}"));
    let power_kw: Vec<f64> = (0..11).map(|k| 400.0 + 100.0 * f64::from(k % 3)).collect();
    let inputs = inputs(&loaded, 300.0, &power_kw);
    let outcome = run(&loaded, &inputs);
    assert!(outcome.site.ramps.is_empty() && outcome.design_values.steps.is_empty());
    assert!(outcome.site.spectrum.amplitude.is_empty());
    let why = outcome.site.ramps_basis.as_deref().unwrap();
    assert!(why.contains("one sample every 300 s"), "{why}");
    for limit in [
        "load_ramps",
        "frequency_min_hz",
        "rocof_hz_per_s",
        "recovery_s",
        "bus_collapse",
    ] {
        let v = verdict(&outcome, limit);
        assert_eq!(v.status, Status::NotChecked, "{limit}");
        assert!(v.basis.contains("300 s"), "{limit}: {}", v.basis);
    }
    // Its means are used.
    assert!((outcome.site.envelope.max - 600e3).abs() < 600.0);
    // A load that even its means make the sets break is broken.
    let heavy: Vec<f64> = (0..11).map(|k| 400.0 + 100.0 * f64::from(k)).collect();
    let broken = run(&loaded, &self::inputs(&loaded, 300.0, &heavy));
    assert_eq!(verdict(&broken, "bus_collapse").status, Status::Fail);
}

#[test]
fn beside_a_coarse_trace_other_loads_tell_ramps() {
    let mut loaded = loaded(&format!(
        "{METER}[[loads]]\nkind = \"steps\"\nname = \"s\"\ninitial_kw = 10\nevents = [{{ at_s = 100, power_kw = 60 }}]\n{TRACE}"
    ));
    // Held as it may be, the trace jumps by 100 kW; nothing of it shows as a step.
    if let LoadSpec::Trace(spec) = &mut loaded.scenario.loads[1] {
        spec.interpolation = ballast_scenario::Interpolation::Hold;
    }
    let power_kw: Vec<f64> = (0..11).map(|k| 400.0 + 100.0 * f64::from(k % 3)).collect();
    let outcome = run(&loaded, &inputs(&loaded, 300.0, &power_kw));
    let ramp = outcome.site.ramps[0];
    assert!((ramp.up.delta - 50e3).abs() < 1e-3, "{ramp:?}");
    assert!(ramp.down.delta.abs() < 1e-3, "{ramp:?}");
    assert!((ramp.up.at_s - 100.0).abs() < 1e-9);
    let v = verdict(&outcome, "frequency_min_hz");
    assert_eq!(v.status, Status::Pass, "{}", v.basis);
    assert!(v.basis.contains("means over 300 s"), "{}", v.basis);
    assert!(
        outcome
            .site
            .ramps_basis
            .unwrap()
            .contains("left out of them")
    );
}

#[test]
fn a_zoom_on_ramps_needs_a_load_that_has_some() {
    let loaded = loaded(&format!("{METER}{TRACE}[zoom]\n"));
    let inputs = inputs(&loaded, 300.0, &[400.0; 11]);
    let problems = ballast_study::check(&loaded, &inputs);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(problems[0].path, "zoom.by");
}
