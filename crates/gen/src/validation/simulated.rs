//! The same statistics from scenarios under `docs/validation/`: always the same figures.

use std::path::Path;

use ballast_profile::GpuProfile;
use ballast_scenario::{PresetKind, preset_text};
use ballast_series::{SinkError, TraceBlock, TraceSink};
use ballast_study::{Inputs, Silent};

use super::stats::{Course, edges, levels, lines, median, memory, ramps};
use super::{
    Figures, LAGS_H100_S, LAGS_SQUARE_S, ValidationError, WINDOWS_H100_S, WINDOWS_SQUARE_S,
};

/// Keeps the power of the GPUs.
#[derive(Default)]
struct Kept(Vec<f64>);

impl TraceSink for Kept {
    fn block(&mut self, block: &TraceBlock<'_>) -> Result<(), SinkError> {
        for column in block.columns.iter().filter(|c| c.name == "gpu_w") {
            self.0.extend_from_slice(column.values);
        }
        Ok(())
    }
}

/// Power of the GPUs in watts, at the step of the scenario.
pub(super) fn gpus(root: &Path, name: &str) -> Result<Course, ValidationError> {
    let failed = |why: String| ValidationError::Scenario {
        name: name.to_owned(),
        why,
    };
    let path = root.join(format!("docs/validation/{name}.toml"));
    let loaded = ballast_scenario::load(&path, &[]).map_err(|e| failed(e.to_string()))?;
    let dt_s = loaded.scenario.simulation.step_s;
    let mut kept = Kept::default();
    ballast_study::run(&loaded, &Inputs::default(), Some(&mut kept), &Silent)
        .map_err(|e| failed(e.to_string()))?;
    Ok(Course {
        dt_s,
        power: kept.0,
    })
}

/// What a sensor that averages over 1 s shows of it, every 0.2 s.
pub(super) fn as_seen(course: &Course) -> Course {
    course.boxcar(1.0, 0.2)
}

fn profile(name: &str) -> Result<GpuProfile, ValidationError> {
    let failed = |why: String| ValidationError::Scenario {
        name: name.to_owned(),
        why,
    };
    let text = preset_text(PresetKind::Gpu, name).ok_or_else(|| failed("no such preset".into()))?;
    toml::from_str(text).map_err(|e| failed(e.to_string()))
}

/// Every statistic of the scenarios below `root`, the folder of the repository.
pub fn simulate(root: &Path) -> Result<Figures, ValidationError> {
    let mut all = Figures::new();
    let start = as_seen(&gpus(root, "h100x64-start")?);
    let idle = start.between(0.0, 18.0).quantile(0.5);
    let load = start.between(30.0, 78.0).quantile(0.5);
    for variant in ["presets", "levels"] {
        let case = format!("h100_{variant}");
        let direct = gpus(root, &format!("h100x64-{variant}"))?;
        let seen = as_seen(&direct);
        for (key, level) in [
            ("load", load),
            ("upper", seen.quantile(0.75)),
            ("lower", seen.quantile(0.25)),
        ] {
            all.insert(format!("{case}.{key}_over_idle"), level / idle);
        }
        levels(&mut all, &case, &seen);
        ramps(&mut all, &case, &seen, &WINDOWS_H100_S, 100.0 / seen.mean());
        memory(&mut all, &case, &seen, &LAGS_H100_S);
        lines(&mut all, &case, &seen);
        let percent = 100.0 / direct.mean();
        ramps(
            &mut all,
            &format!("{case}_direct"),
            &direct,
            &[0.2],
            percent,
        );
    }

    let square = gpus(root, "a100-square")?;
    let (low, high) = (square.quantile(0.25), square.quantile(0.75));
    all.insert("square.low".into(), low);
    all.insert("square.high".into(), high);
    levels(&mut all, "square", &square);
    let (rises, falls) = edges(&square, low, high);
    all.insert("square.edges".into(), rises.len().min(falls.len()) as f64);
    all.insert("square.rise_time".into(), median(rises));
    all.insert("square.fall_time".into(), median(falls));
    ramps(&mut all, "square", &square, &WINDOWS_SQUARE_S, 1.0);
    memory(&mut all, "square", &square, &LAGS_SQUARE_S);
    lines(&mut all, "square", &square);

    super::step(&mut all, &gpus(root, "a100-step")?);
    presets(&mut all)?;
    Ok(all)
}

/// What presets say where there is no scenario to run.
fn presets(into: &mut Figures) -> Result<(), ValidationError> {
    let spread = |gpu: &str, decode: bool| -> Result<Option<f64>, ValidationError> {
        let p = profile(gpu)?.phases;
        let phase = if decode {
            p.steady_decode
        } else {
            p.train_compute
        };
        Ok(phase.and_then(|p| Some(100.0 * p.spread_w.as_ref()?.value / p.power_w.value)))
    };
    for (key, decode) in [("v100_matmul.cv", false), ("v100_memory.cv", true)] {
        if let Some(cv) = spread("h100-sxm5", decode)? {
            into.insert(key.into(), cv);
        }
    }
    let a100 = profile("a100-sxm4")?;
    let level =
        |phase: &Option<ballast_profile::PhaseSpec>| phase.as_ref().map(|p| p.power_w.value);
    for key in ["kalos", "seren"] {
        for (name, value) in [
            ("p5", level(&a100.phases.idle)),
            ("p95", Some(a100.clamp_w())),
            ("p99", Some(a100.clamp_w())),
            ("max", Some(a100.clamp_w())),
            ("above_400", Some(0.0)),
        ] {
            if let Some(value) = value {
                into.insert(format!("{key}.{name}"), value);
            }
        }
    }
    Ok(())
}
