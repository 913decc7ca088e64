//! What this machine can measure of its GPUs, and what is missing.

use std::path::Path;
use std::time::{Duration, Instant};

use nvml_wrapper::Device;
use nvml_wrapper::enum_wrappers::device::Sampling;
use nvml_wrapper::enums::device::UsedGpuMemory;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::struct_wrappers::device::ProcessInfo;
use serde::Serialize;

use crate::invert::reading_of;
use crate::invert_energy::energy_mean;
use crate::invert_updates::find_updates;
use crate::invert_window::measured_window;
use crate::nvml::{FIELD_AVERAGE, FIELD_INSTANT, Library, NoGpu, NvmlSource, missing};
use crate::nvml_raw::module_power_mw;
use crate::recording::GpuRecording;
use crate::sensor::{Reading, SensorModel};
use crate::source::{GpuFacts, Metric, PowerSource, Sample};

/// What was found on this machine.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Examination {
    /// Library that was opened.
    pub library: String,
    /// Version of the driver; empty where it does not say.
    pub driver: String,
    /// Version of NVML; empty where it does not say.
    pub nvml: String,
    /// Whether this program runs as root: settings take it.
    pub is_root: bool,
    /// Programs of NVIDIA's DCGM that run here, as `nv-hostengine (pid 812)`; they poll the same sensors.
    pub dcgm: Vec<String>,
    /// The GPUs.
    pub gpus: Vec<GpuExamination>,
}

/// What was found of one GPU.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GpuExamination {
    /// Index on its node.
    pub index: u32,
    /// Name; empty where it does not say.
    pub name: String,
    /// UUID; empty where it does not say.
    pub uuid: String,
    /// Architecture, such as `Hopper`.
    pub architecture: String,
    /// Each reading, and whether it works.
    pub readings: Vec<Found>,
    /// Power of the whole module (GH200, GB200): average and instant.
    pub module: Vec<Found>,
    /// The driver's own buffer of power samples.
    pub buffer: Buffer,
    /// Time between changes of the average power.
    pub average_update: Update,
    /// Time between changes of the instant power.
    pub instant_update: Update,
    /// Mean power by the energy counter while it was watched, watts.
    pub counter_mean_w: Option<f64>,
    /// Mean of the instant (else average) power over the same time, watts.
    pub polled_mean_w: Option<f64>,
    /// Power limit the GPU has by default, watts.
    pub default_limit_w: Option<f64>,
    /// Least and greatest power limit, watts.
    pub limit_range_w: Option<(f64, f64)>,
    /// Whether it is divided into instances (MIG); `None` where it cannot be.
    pub mig: Option<bool>,
    /// Processes on it; `None` where this user may not see them.
    pub processes: Option<Vec<Process>>,
}

/// A reading and whether it works.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Found {
    /// What it is.
    pub reading: &'static str,
    /// Its value in the unit of its column; `None` where it is missing.
    pub value: Option<f64>,
    /// Name of its column in a recording, with the unit.
    pub column: &'static str,
    /// Why it is missing.
    pub why: Option<String>,
}

/// The driver's buffer of power samples.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Buffer {
    /// Samples in it.
    pub samples: usize,
    /// Median time between them, seconds.
    pub interval_s: Option<f64>,
    /// Why it cannot be read.
    pub why: Option<String>,
}

/// How often a reading changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Update {
    /// Time between updates, seconds; `None` where it changed too rarely, or too irregularly, to tell.
    pub period_s: Option<f64>,
    /// Standard error of it, seconds.
    pub period_se_s: Option<f64>,
    /// Averaging window from what was watched, seconds: shortest, best and longest that explain it; `None` where the load changed too
    /// little, or for too short a time, to tell.
    pub window_s: Option<(f64, f64, f64)>,
    /// Averaging window that was published for this GPU and driver, seconds.
    pub published_window_s: Option<f64>,
    /// Where that comes from.
    pub source: String,
    /// Changes seen.
    pub changes: usize,
    /// How long it was watched, seconds.
    pub watched_s: f64,
    /// Median time between polls while it was watched, seconds: no period is known better than that.
    pub poll_s: f64,
}

/// A process on a GPU.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its program, where it can be seen.
    pub program: String,
    /// Memory it uses on the GPU, bytes.
    pub memory_bytes: Option<u64>,
}

/// Looks at this machine. Takes `watch_s` seconds to see how often the power changes; `stop` ends that early.
///
/// # Errors
/// There is no GPU that could be read.
pub fn examine(
    library: &Library,
    watch_s: f64,
    stop: &dyn Fn() -> bool,
) -> Result<Examination, NoGpu> {
    let indices: Vec<u32> = (0..library.count()?).collect();
    let mut source = NvmlSource::new(library, &indices)?;
    let watched = watch(&mut source, watch_s, stop);
    let gpus = watched
        .into_iter()
        .enumerate()
        .map(|(gpu, watched)| gpu_examination(library, &mut source, gpu, &watched))
        .collect::<Result<_, _>>()?;
    Ok(Examination {
        library: library.path().display().to_string(),
        driver: library.driver(),
        nvml: library.version(),
        is_root: is_root(),
        dcgm: dcgm(),
        gpus,
    })
}

/// What was seen of a GPU's power: a recording with the average, the instant power and the counter.
struct Watched(GpuRecording);

impl Watched {
    fn new(facts: &GpuFacts) -> Self {
        Self(GpuRecording {
            name: facts.name.clone(),
            driver: facts.driver.clone(),
            average_w: Some(Vec::new()),
            instant_w: Some(Vec::new()),
            energy_j: Some(Vec::new()),
            ..GpuRecording::default()
        })
    }

    fn push(&mut self, t_s: f64, sample: &Sample) {
        let of = |metric| Some(sample.value(metric));
        self.0.time_s.push(t_s);
        for (column, value) in [
            (&mut self.0.average_w, of(Metric::Average)),
            (&mut self.0.instant_w, of(Metric::Instant)),
            (&mut self.0.energy_j, of(Metric::Energy)),
        ] {
            if let Some(values) = column {
                values.extend(value);
            }
        }
    }

    fn span_s(&self) -> f64 {
        let (first, last) = (self.0.time_s.first(), self.0.time_s.last());
        first.zip(last).map_or(0.0, |(first, last)| last - first)
    }

    fn update(&self, reading: Reading) -> Update {
        let values_w = reading_of(&self.0, reading).unwrap_or_default();
        let found = find_updates(&self.0.time_s, values_w);
        let model = SensorModel::of(&self.0.name, &self.0.driver, reading);
        let window = measured_window(&self.0, reading).filter(|fit| fit.resolved);
        let changes = values_w.windows(2).filter(|w| w[0] != w[1]);
        Update {
            period_s: found.map(|u| u.period_s),
            period_se_s: found.map(|u| u.period_se_s),
            window_s: window.map(|fit| (fit.low_s, fit.window_s, fit.high_s)),
            published_window_s: model.window_s,
            source: model.source,
            // A reading that is missing changes nothing.
            changes: changes.filter(|w| !w[0].is_nan() && !w[1].is_nan()).count(),
            watched_s: self.span_s(),
            poll_s: self.span_s() / self.0.time_s.len().max(2) as f64,
        }
    }

    /// Mean of the instant (else average) power, watts.
    fn polled_mean_w(&self) -> Option<f64> {
        let columns = [Reading::Instant, Reading::Average].map(|r| reading_of(&self.0, r));
        columns.into_iter().flatten().find_map(|values_w| {
            let there: Vec<f64> = values_w.iter().copied().filter(|w| !w.is_nan()).collect();
            (!there.is_empty()).then(|| there.iter().sum::<f64>() / there.len() as f64)
        })
    }

    fn counter_mean_w(&self) -> Option<f64> {
        let energy_j = self.0.energy_j.as_deref().unwrap_or_default();
        energy_mean(&self.0.time_s, energy_j).map(|mean| mean.mean_w)
    }
}

/// Polls the power of all GPUs as fast as is fair.
fn watch(source: &mut NvmlSource<'_>, watch_s: f64, stop: &dyn Fn() -> bool) -> Vec<Watched> {
    const POLL: Duration = Duration::from_millis(2);
    let mut seen: Vec<Watched> = source.gpus().iter().map(Watched::new).collect();
    let start = Instant::now();
    while start.elapsed().as_secs_f64() < watch_s && !stop() {
        for (gpu, watched) in seen.iter_mut().enumerate() {
            let t_s = start.elapsed().as_secs_f64();
            watched.push(t_s, &source.power(gpu));
        }
        std::thread::sleep(POLL);
    }
    seen
}

fn gpu_examination(
    library: &Library,
    source: &mut NvmlSource<'_>,
    gpu: usize,
    watched: &Watched,
) -> Result<GpuExamination, NoGpu> {
    let facts = source.gpus()[gpu].clone();
    let device = library.device(facts.index)?;
    let sample = source.read(gpu, 0.0);
    let readings = Metric::ALL
        .iter()
        .map(|&reading| Found {
            reading: reading.words(),
            value: Some(sample.value(reading)).filter(|v| !v.is_nan()),
            column: reading.column(),
            why: sample.missing(reading).map(|m| m.to_string()),
        })
        .collect();
    let module = [
        ("average power of the module", "average_w", FIELD_AVERAGE),
        ("instant power of the module", "instant_w", FIELD_INSTANT),
    ]
    .map(|(reading, column, field)| {
        let power = module_power_mw(library.nvml(), &device, field);
        Found {
            reading,
            value: power.as_ref().ok().map(|mw| f64::from(*mw) / 1000.0),
            column,
            why: power.err().map(|e| missing(&e).to_string()),
        }
    });
    let w = |mw: u32| f64::from(mw) / 1000.0;
    let range = device.power_management_limit_constraints().ok();
    Ok(GpuExamination {
        index: facts.index,
        name: facts.name.clone(),
        uuid: facts.uuid.clone(),
        architecture: device
            .architecture()
            .map_or_else(|_| "unknown".to_owned(), |a| format!("{a:?}")),
        readings,
        module: module.to_vec(),
        buffer: buffer(&device),
        average_update: watched.update(Reading::Average),
        instant_update: watched.update(Reading::Instant),
        counter_mean_w: watched.counter_mean_w(),
        polled_mean_w: watched.polled_mean_w(),
        default_limit_w: device.power_management_limit_default().ok().map(w),
        limit_range_w: range.map(|r| (w(r.min_limit), w(r.max_limit))),
        mig: device.mig_mode().ok().map(|mode| mode.current != 0),
        processes: processes(&device),
    })
}

fn buffer(device: &Device<'_>) -> Buffer {
    match device.samples(Sampling::Power, None) {
        Ok(samples) => {
            let mut steps: Vec<f64> = samples
                .windows(2)
                .map(|w| w[1].timestamp as f64 / 1e6 - w[0].timestamp as f64 / 1e6)
                .collect();
            steps.sort_by(f64::total_cmp);
            Buffer {
                samples: samples.len(),
                interval_s: steps.get(steps.len() / 2).copied(),
                why: None,
            }
        }
        Err(error) => Buffer {
            samples: 0,
            interval_s: None,
            why: Some(missing(&error).to_string()),
        },
    }
}

/// Processes on a GPU, without those of this program.
fn processes(device: &Device<'_>) -> Option<Vec<Process>> {
    let graphics = match device.running_graphics_processes() {
        Err(NvmlError::NotSupported | NvmlError::FailedToLoadSymbol(_)) => Vec::new(),
        other => other.ok()?,
    };
    let mut all = device.running_compute_processes().ok()?;
    all.extend(graphics);
    all.sort_by_key(|p| p.pid);
    all.dedup_by_key(|p| p.pid);
    let described = |p: &ProcessInfo| Process {
        pid: p.pid,
        program: program(p.pid),
        memory_bytes: match p.used_gpu_memory {
            UsedGpuMemory::Used(bytes) => Some(bytes),
            UsedGpuMemory::Unavailable => None,
        },
    };
    let own = std::process::id();
    Some(all.iter().filter(|p| p.pid != own).map(described).collect())
}

/// Program of a process; empty where it cannot be seen (another container, another user's).
fn program(pid: u32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/comm"))
        .map(|name| name.trim().to_owned())
        .unwrap_or_default()
}

/// Whether this program may change settings, by the owner of its own entry in `/proc`.
fn is_root() -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        std::fs::metadata("/proc/self").is_ok_and(|m| m.uid() == 0)
    }
    #[cfg(not(unix))]
    false
}

/// Programs of DCGM that run here.
fn dcgm() -> Vec<String> {
    // The kernel keeps 15 letters.
    const NAMES: [&str; 3] = ["nv-hostengine", "dcgm-exporter", "dcgmi"];
    let Ok(entries) = std::fs::read_dir(Path::new("/proc")) else {
        return Vec::new();
    };
    let mut pids: Vec<u32> = entries
        .filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    pids.sort_unstable();
    pids.into_iter()
        .map(|pid| (pid, program(pid)))
        .filter(|(_, name)| NAMES.contains(&name.as_str()))
        .map(|(pid, name)| format!("{name} (pid {pid})"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What polls of a sensor that is renewed every 100 ms show of 100 W and 400 W in turn, with uneven polls and a stall now and then.
    fn watched(seconds: f64, window_s: f64, stall_s: f64) -> Watched {
        let energy_j = |t_s: f64| {
            let turns = t_s / 0.37;
            (turns.floor() + (turns.fract() * 2.0).min(1.0)) * 0.37 * 150.0 + 100.0 * t_s
        };
        let mut watched = Watched::new(&GpuFacts::default());
        let (mut t_s, mut k) = (0.0, 0_u32);
        while t_s < seconds {
            let update_s = (t_s / 0.1_f64).floor() * 0.1 + 10.0;
            let mut sample = Sample::default();
            let w = (energy_j(update_s) - energy_j(update_s - window_s)) / window_s;
            sample.set(Metric::Instant, Ok((w * 1000.0).round() / 1000.0));
            watched.push(t_s, &sample);
            k += 1;
            t_s += 0.002 + 0.004 * (f64::from(k) * 0.618).fract();
            if k.is_multiple_of(61) {
                t_s += stall_s;
            }
        }
        watched
    }

    #[test]
    fn updates_show_through_uneven_polls() {
        for (seconds, window_s, stall_s) in [
            (3.0, 0.1, 0.0),
            (20.0, 0.025, 0.0),
            (4.0, 0.1, 0.03),
            (20.0, 0.1, 0.03),
        ] {
            let update = watched(seconds, window_s, stall_s).update(Reading::Instant);
            let period_s = update.period_s.unwrap_or(f64::NAN);
            assert!(
                (period_s - 0.1).abs() < 0.001,
                "{seconds} {window_s} {stall_s}: {update:?}"
            );
        }
    }
}
