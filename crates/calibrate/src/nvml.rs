//! A live GPU, through NVIDIA's management library (NVML).
//!
//! Power comes from the fields 185 (average) and 186 (instant). A driver or GPU without them has `nvmlDeviceGetPowerUsage`: a mean
//! over a second on Ampere (but GA100) and newer, the short window on GA100 and older (NVML API reference). A call that the GPU,
//! the user or the library lacks is not made again.

use std::path::{Path, PathBuf};

use nvml_wrapper::enum_wrappers::device::{Clock, TemperatureSensor};
use nvml_wrapper::enums::device::{DeviceArchitecture, GpuLockedClocksSetting, SampleValue};
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::structs::device::FieldId;
use nvml_wrapper::{Device, Nvml};

use crate::control::Control;
use crate::source::{GpuFacts, Metric, Missing, PowerSource, Sample};

/// `NVML_FI_DEV_POWER_AVERAGE`.
pub(crate) const FIELD_AVERAGE: u32 = 185;
/// `NVML_FI_DEV_POWER_INSTANT`.
pub(crate) const FIELD_INSTANT: u32 = 186;
/// What the library is called, and where it lies under WSL.
const LIBRARIES: [&str; 2] = ["libnvidia-ml.so.1", "/usr/lib/wsl/lib/libnvidia-ml.so.1"];

/// Why no GPU can be read.
#[derive(Debug, thiserror::Error)]
pub enum NoGpu {
    /// There is no such library.
    #[error("NVIDIA's management library {} cannot be loaded: {cause}", path.display())]
    Library {
        /// What was tried.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// The library lacks a call without which nothing goes.
    #[error("the library is none of NVIDIA's, or too old: {cause}")]
    Symbol {
        /// What the system said.
        cause: String,
    },
    /// The kernel module is not loaded.
    #[error("NVIDIA's driver is not loaded")]
    Driver,
    /// The device files may not be opened.
    #[error("this user may not use the GPUs")]
    Denied,
    /// The library and the kernel module are of different versions.
    #[error("the driver's library and its kernel module are of different versions")]
    Mismatch,
    /// The driver sees no GPU.
    #[error("the driver is there, but sees no GPU")]
    None,
    /// The index is too high.
    #[error("there is no GPU {index}; there are {count}, numbered from 0")]
    Index {
        /// What was asked for.
        index: u32,
        /// How many there are.
        count: u32,
    },
    /// Anything else.
    #[error("{what} failed: {cause}")]
    Failed {
        /// What was done.
        what: &'static str,
        /// What NVML said.
        cause: String,
    },
}

impl NoGpu {
    fn of(what: &'static str, error: &NvmlError) -> Self {
        match error {
            NvmlError::FailedToLoadSymbol(cause) => Self::Symbol {
                cause: cause.clone(),
            },
            NvmlError::DriverNotLoaded => Self::Driver,
            NvmlError::NoPermission => Self::Denied,
            NvmlError::LibRmVersionMismatch => Self::Mismatch,
            other => Self::Failed {
                what,
                cause: other.to_string(),
            },
        }
    }

    /// What would help.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Library { .. } => {
                "install NVIDIA's driver (in a container: start it with the GPUs, as with `--gpus all`), or name the library with --lib"
            }
            Self::Symbol { .. } => "name the driver's libnvidia-ml.so.1 with --lib",
            Self::Driver => {
                "load it with `modprobe nvidia`, and see `dmesg` if that fails; `nvidia-smi` must work"
            }
            Self::Denied => {
                "/dev/nvidiactl and /dev/nvidia0 must be readable and writable for this user (group video or render, the container's device rules)"
            }
            Self::Mismatch => {
                "after an update of the driver, restart the machine or reload its modules"
            }
            Self::None => {
                "check `lspci | grep -i nvidia`, and that the container or job was given a GPU"
            }
            Self::Index { .. } => "`ballast doctor` lists the GPUs",
            Self::Failed { .. } => {
                "`nvidia-smi` should fail alike; see `dmesg` for the driver's own words"
            }
        }
    }
}

/// NVML, opened.
pub struct Library {
    nvml: Nvml,
    path: PathBuf,
}

impl Library {
    /// Opens the driver's library, or the one at a path.
    ///
    /// # Errors
    /// The library is missing or none; the driver is not loaded; this user may not use it.
    pub fn open(path: Option<&Path>) -> Result<Self, NoGpu> {
        let tried: Vec<&Path> = match path {
            Some(path) => vec![path],
            None => LIBRARIES.map(Path::new).to_vec(),
        };
        let mut first = None;
        for path in tried {
            match Nvml::builder().lib_path(path.as_os_str()).init() {
                Ok(nvml) => {
                    let path = path.to_owned();
                    return Ok(Self { nvml, path });
                }
                Err(NvmlError::LibloadingError(error)) => {
                    first.get_or_insert(NoGpu::Library {
                        path: path.to_owned(),
                        cause: error.to_string(),
                    });
                }
                Err(error) => return Err(NoGpu::of("opening NVML", &error)),
            }
        }
        Err(first.unwrap_or(NoGpu::Driver))
    }

    /// The file that was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Version of the driver, such as `580.82.07`; empty where it does not say.
    pub fn driver(&self) -> String {
        self.nvml.sys_driver_version().unwrap_or_default()
    }

    /// Version of NVML; empty where it does not say.
    pub fn version(&self) -> String {
        self.nvml.sys_nvml_version().unwrap_or_default()
    }

    /// Number of GPUs, at least one.
    ///
    /// # Errors
    /// There is none, or NVML fails.
    pub fn count(&self) -> Result<u32, NoGpu> {
        match self.nvml.device_count() {
            Ok(0) => Err(NoGpu::None),
            Ok(count) => Ok(count),
            Err(error) => Err(NoGpu::of("counting the GPUs", &error)),
        }
    }

    pub(crate) fn nvml(&self) -> &Nvml {
        &self.nvml
    }

    pub(crate) fn device(&self, index: u32) -> Result<Device<'_>, NoGpu> {
        let count = self.count()?;
        if index >= count {
            return Err(NoGpu::Index { index, count });
        }
        self.nvml
            .device_by_index(index)
            .map_err(|e| NoGpu::of("opening a GPU", &e))
    }
}

/// NVML's answer as a value or a reason.
pub(crate) fn missing(error: &NvmlError) -> Missing {
    match error {
        NvmlError::NotSupported
        | NvmlError::InvalidArg
        | NvmlError::FunctionNotFound
        | NvmlError::NoData => Missing::Unsupported,
        NvmlError::NoPermission => Missing::Denied,
        NvmlError::FailedToLoadSymbol(_) => Missing::NoSymbol,
        NvmlError::GpuLost | NvmlError::ResetRequired => Missing::Lost,
        NvmlError::UnexpectedVariant(code) => Missing::Failed(*code),
        // NVML's code for an unknown error stands for all that have a name and no use here.
        NvmlError::Timeout => Missing::Failed(10),
        _ => Missing::Failed(999),
    }
}

/// Milliwatts, whatever C type they come in.
fn number(value: &SampleValue) -> f64 {
    match value {
        SampleValue::F64(v) => *v,
        SampleValue::U32(v) => f64::from(*v),
        SampleValue::U64(v) => *v as f64,
        SampleValue::I64(v) => *v as f64,
    }
}

struct Live<'a> {
    device: Device<'a>,
    /// Whether `nvmlDeviceGetPowerUsage` is a mean over a second.
    usage_is_average: bool,
    /// Readings not to be asked for again, and why.
    given_up: [Option<Missing>; Metric::COUNT],
    no_fields: bool,
}

/// GPUs of this machine as a source.
pub struct NvmlSource<'a> {
    facts: Vec<GpuFacts>,
    gpus: Vec<Live<'a>>,
}

/// Whether the plain power reading is a mean over a second (NVML API reference, `nvmlDeviceGetPowerUsage`).
fn usage_is_average(device: &Device<'_>, name: &str) -> bool {
    use DeviceArchitecture as A;
    const GA100: [&str; 4] = ["A100", "A800", "A30", "PG506"];
    match device.architecture() {
        Ok(A::Kepler | A::Maxwell | A::Pascal | A::Volta | A::Turing) => false,
        Ok(A::Ampere) => !GA100.iter().any(|chip| {
            // `RTX A3000` is none.
            name.split([' ', '-']).any(|word| word == *chip)
        }),
        Ok(A::Ada | A::Hopper | A::Blackwell | A::Unknown) | Err(_) => true,
    }
}

impl<'a> NvmlSource<'a> {
    /// The GPUs with these indices.
    ///
    /// # Errors
    /// There is no such GPU, or it cannot be opened.
    pub fn new(library: &'a Library, indices: &[u32]) -> Result<Self, NoGpu> {
        let driver = library.driver();
        let mut source = Self {
            facts: Vec::new(),
            gpus: Vec::new(),
        };
        for &index in indices {
            let device = library.device(index)?;
            let name = device.name().unwrap_or_default();
            source.facts.push(GpuFacts {
                index,
                uuid: device.uuid().unwrap_or_default(),
                name: name.clone(),
                driver: driver.clone(),
            });
            source.gpus.push(Live {
                usage_is_average: usage_is_average(&device, &name),
                device,
                given_up: [None; Metric::COUNT],
                no_fields: false,
            });
        }
        Ok(source)
    }

    /// Reads power and energy only: fast, to see how often they change.
    pub(crate) fn power(&mut self, gpu: usize) -> Sample {
        let mut sample = Sample::default();
        self.gpus[gpu].power(&mut sample);
        self.gpus[gpu].energy(&mut sample);
        sample
    }
}

impl Live<'_> {
    /// Asks for a reading unless it was given up.
    fn ask(
        &mut self,
        sample: &mut Sample,
        reading: Metric,
        call: impl FnOnce(&Device<'_>) -> Result<f64, NvmlError>,
    ) {
        let value = match self.given_up[reading as usize] {
            Some(why) => Err(why),
            None => call(&self.device).map_err(|e| missing(&e)),
        };
        if let Err(why @ (Missing::Unsupported | Missing::Denied | Missing::NoSymbol)) = value {
            self.given_up[reading as usize] = Some(why);
        }
        sample.set(reading, value);
    }

    fn energy(&mut self, sample: &mut Sample) {
        self.ask(sample, Metric::Energy, |d| {
            d.total_energy_consumption().map(|mj| mj as f64 / 1000.0)
        });
    }

    fn power(&mut self, sample: &mut Sample) {
        const FIELDS: [(Metric, u32); 2] = [
            (Metric::Average, FIELD_AVERAGE),
            (Metric::Instant, FIELD_INSTANT),
        ];
        if !self.no_fields {
            let ids = FIELDS.map(|(_, id)| FieldId(id));
            match self.device.field_values_for(&ids) {
                Ok(values) => {
                    for ((reading, _), value) in FIELDS.iter().zip(values) {
                        let value = value.and_then(|field| {
                            let w = field.value.map(|v| number(&v) / 1000.0)?;
                            sample.stamp_us = Some(field.timestamp);
                            Ok(w)
                        });
                        sample.set(*reading, value.map_err(|e| missing(&e)));
                    }
                }
                Err(error) => {
                    for (reading, _) in FIELDS {
                        sample.set(reading, Err(missing(&error)));
                    }
                }
            }
            if sample.is_lost() || !sample.power_w().is_nan() {
                return;
            }
        }
        // Neither field: the plain reading says which of the two it is.
        let (has, has_not) = if self.usage_is_average {
            (Metric::Average, Metric::Instant)
        } else {
            (Metric::Instant, Metric::Average)
        };
        if self.no_fields {
            sample.set(has_not, Err(Missing::Unsupported));
        }
        self.ask(sample, has, |d| {
            d.power_usage().map(|mw| f64::from(mw) / 1000.0)
        });
        // A field that failed for once is asked for again.
        self.no_fields = sample.missing(has).is_none()
            && !matches!(sample.missing(has_not), Some(Missing::Failed(_)));
    }
}

impl PowerSource for NvmlSource<'_> {
    fn gpus(&self) -> &[GpuFacts] {
        &self.facts
    }

    fn read(&mut self, gpu: usize, _t_s: f64) -> Sample {
        let live = &mut self.gpus[gpu];
        let mut sample = Sample::default();
        live.power(&mut sample);
        if sample.is_lost() {
            return Sample::lost();
        }
        live.energy(&mut sample);
        live.ask(&mut sample, Metric::SmClock, |d| {
            d.clock_info(Clock::SM).map(f64::from)
        });
        live.ask(&mut sample, Metric::MemoryClock, |d| {
            d.clock_info(Clock::Memory).map(f64::from)
        });
        live.ask(&mut sample, Metric::Utilisation, |d| {
            d.utilization_rates().map(|u| f64::from(u.gpu) / 100.0)
        });
        live.ask(&mut sample, Metric::MemoryUsed, |d| {
            d.memory_info().map(|m| m.used as f64)
        });
        live.ask(&mut sample, Metric::Temperature, |d| {
            d.temperature(TemperatureSensor::Gpu).map(f64::from)
        });
        live.ask(&mut sample, Metric::Throttle, |d| {
            d.current_throttle_reasons().map(|r| r.bits() as f64)
        });
        live.ask(&mut sample, Metric::Limit, |d| {
            d.enforced_power_limit().map(|mw| f64::from(mw) / 1000.0)
        });
        if sample.is_lost() {
            return Sample::lost();
        }
        sample
    }
}

/// Settings of GPUs of this machine. Setting takes root.
pub struct NvmlControl<'a> {
    gpus: Vec<(u32, Device<'a>)>,
}

impl<'a> NvmlControl<'a> {
    /// The GPUs with these indices.
    ///
    /// # Errors
    /// There is no such GPU, or it cannot be opened.
    pub fn new(library: &'a Library, indices: &[u32]) -> Result<Self, NoGpu> {
        let gpus = indices
            .iter()
            .map(|&index| Ok((index, library.device(index)?)))
            .collect::<Result<_, NoGpu>>()?;
        Ok(Self { gpus })
    }
}

impl Control for NvmlControl<'_> {
    fn indices(&self) -> Vec<u32> {
        self.gpus.iter().map(|(index, _)| *index).collect()
    }

    fn limit_w(&mut self, gpu: usize) -> Result<f64, Missing> {
        let limit = self.gpus[gpu].1.power_management_limit();
        limit
            .map(|mw| f64::from(mw) / 1000.0)
            .map_err(|e| missing(&e))
    }

    fn limit_range_w(&mut self, gpu: usize) -> Result<(f64, f64), Missing> {
        let range = self.gpus[gpu].1.power_management_limit_constraints();
        range
            .map(|r| {
                (
                    f64::from(r.min_limit) / 1000.0,
                    f64::from(r.max_limit) / 1000.0,
                )
            })
            .map_err(|e| missing(&e))
    }

    fn set_limit_w(&mut self, gpu: usize, limit_w: f64) -> Result<(), Missing> {
        let limit_mw = (limit_w * 1000.0).round() as u32;
        let set = self.gpus[gpu].1.set_power_management_limit(limit_mw);
        set.map_err(|e| missing(&e))
    }

    fn lock_clocks_mhz(&mut self, gpu: usize, clock_mhz: u32) -> Result<(), Missing> {
        let setting = GpuLockedClocksSetting::Numeric {
            min_clock_mhz: clock_mhz,
            max_clock_mhz: clock_mhz,
        };
        let set = self.gpus[gpu].1.set_gpu_locked_clocks(setting);
        set.map_err(|e| missing(&e))
    }

    fn reset_clocks(&mut self, gpu: usize) -> Result<(), Missing> {
        let set = self.gpus[gpu].1.reset_gpu_locked_clocks();
        set.map_err(|e| missing(&e))
    }
}
