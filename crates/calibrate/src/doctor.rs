//! What this machine can measure of its GPUs, and what is missing.

use std::path::Path;
use std::time::{Duration, Instant};

use nvml_wrapper::Device;
use nvml_wrapper::enum_wrappers::device::Sampling;
use nvml_wrapper::enums::device::UsedGpuMemory;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::struct_wrappers::device::ProcessInfo;
use serde::Serialize;

use crate::invert_updates::find_updates;
use crate::nvml::{FIELD_AVERAGE, FIELD_INSTANT, Library, NoGpu, NvmlSource, missing};
use crate::nvml_raw::module_power_mw;
use crate::sensor::{Reading, SensorModel};
use crate::source::{GpuFacts, Metric, PowerSource};

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
    /// Averaging window that was published for this GPU and driver, seconds. Nothing is measured here: that takes a load that changes.
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

/// What was seen of a GPU's power.
#[derive(Debug, Clone, Default)]
struct Watched {
    time_s: Vec<f64>,
    average_w: Vec<f64>,
    instant_w: Vec<f64>,
    polled_mean_w: Option<f64>,
    counter_mean_w: Option<f64>,
    span_s: f64,
}

impl Watched {
    fn update(&self, reading: Reading, facts: &GpuFacts) -> Update {
        let values_w = match reading {
            Reading::Average => &self.average_w,
            Reading::Instant => &self.instant_w,
        };
        let found = find_updates(&self.time_s, values_w);
        let model = SensorModel::of(&facts.name, &facts.driver, reading);
        let changes = values_w.windows(2).filter(|w| w[0] != w[1]);
        Update {
            period_s: found.map(|u| u.period_s),
            period_se_s: found.map(|u| u.period_se_s),
            published_window_s: model.window_s,
            source: model.source,
            // A reading that is missing changes nothing.
            changes: changes.filter(|w| !w[0].is_nan() && !w[1].is_nan()).count(),
            watched_s: self.span_s,
            poll_s: self.span_s / self.time_s.len().max(1) as f64,
        }
    }
}

/// Polls the power of all GPUs as fast as is fair.
fn watch(source: &mut NvmlSource<'_>, watch_s: f64, stop: &dyn Fn() -> bool) -> Vec<Watched> {
    const POLL: Duration = Duration::from_millis(2);
    let mut seen = vec![Watched::default(); source.gpus().len()];
    let start = Instant::now();
    let counters = |source: &mut NvmlSource<'_>, gpus: usize| -> Vec<(f64, f64)> {
        (0..gpus)
            .map(|gpu| {
                let t_s = start.elapsed().as_secs_f64();
                (t_s, source.read(gpu, t_s).value(Metric::Energy))
            })
            .collect()
    };
    let before = counters(source, seen.len());
    let mut powers_w: Vec<Vec<f64>> = vec![Vec::new(); seen.len()];
    while start.elapsed().as_secs_f64() < watch_s && !stop() {
        for (gpu, watched) in seen.iter_mut().enumerate() {
            watched.time_s.push(start.elapsed().as_secs_f64());
            let sample = source.power(gpu);
            watched.average_w.push(sample.value(Metric::Average));
            watched.instant_w.push(sample.value(Metric::Instant));
            powers_w[gpu].extend(Some(sample.power_w()).filter(|w| !w.is_nan()));
        }
        std::thread::sleep(POLL);
    }
    let after = counters(source, seen.len());
    for (watched, powers_w) in seen.iter_mut().zip(&powers_w) {
        let mean_w = powers_w.iter().sum::<f64>() / powers_w.len() as f64;
        watched.polled_mean_w = mean_w.is_finite().then_some(mean_w);
    }
    for ((watched, (from_s, from_j)), (to_s, to_j)) in seen.iter_mut().zip(before).zip(after) {
        watched.span_s = to_s - from_s;
        let mean_w = (to_j - from_j) / (to_s - from_s);
        watched.counter_mean_w = (mean_w.is_finite() && mean_w >= 0.0).then_some(mean_w);
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
        average_update: watched.update(Reading::Average, &facts),
        instant_update: watched.update(Reading::Instant, &facts),
        counter_mean_w: watched.counter_mean_w,
        polled_mean_w: watched.polled_mean_w,
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
