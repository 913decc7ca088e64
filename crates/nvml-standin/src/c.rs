//! The C interface. Names, arguments and return codes are those of NVIDIA's `nvml.h`; only what Ballast calls is here.

use std::ffi::{c_char, c_int, c_uint, c_ulonglong, c_void};
use std::fs::OpenOptions;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::script::{Script, VARIABLE};

type Return = c_uint;
type Device = *mut c_void;

const SUCCESS: Return = 0;
const UNINITIALIZED: Return = 1;
const INVALID_ARGUMENT: Return = 2;
const NOT_SUPPORTED: Return = 3;
const NO_PERMISSION: Return = 4;
const INSUFFICIENT_SIZE: Return = 7;
const GPU_IS_LOST: Return = 15;

/// Limits of power that the stand-in takes, milliwatts.
const LIMITS_MW: (c_uint, c_uint) = (100_000, 700_000);

struct Playing {
    script: Script,
    opened: Instant,
    limit_mw: Vec<c_uint>,
}

static PLAYING: Mutex<Option<Playing>> = Mutex::new(None);

fn playing() -> MutexGuard<'static, Option<Playing>> {
    PLAYING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers for a device, unless it is not there, lost, without this reading, or closed to this user.
fn device(
    handle: Device,
    reading: &str,
    answer: impl FnOnce(&mut Playing, usize, f64) -> Return,
) -> Return {
    let mut held = playing();
    let Some(playing) = held.as_mut() else {
        return UNINITIALIZED;
    };
    let gpu = (handle as usize).wrapping_sub(1);
    if gpu >= playing.script.gpus {
        return INVALID_ARGUMENT;
    }
    let t_s = playing.opened.elapsed().as_secs_f64();
    if Script::since(playing.script.lost, gpu, t_s).is_some() {
        return GPU_IS_LOST;
    }
    let is_in = |list: &[String]| list.iter().any(|w| w == reading);
    if is_in(&playing.script.unsupported) {
        return NOT_SUPPORTED;
    }
    if is_in(&playing.script.denied) {
        return NO_PERMISSION;
    }
    answer(playing, gpu, t_s)
}

/// Writes through a pointer of the caller's.
fn put<T>(to: *mut T, value: T) -> Return {
    if to.is_null() {
        return INVALID_ARGUMENT;
    }
    // SAFETY: the caller of the C interface gives a pointer to a variable of this type.
    unsafe { to.write(value) };
    SUCCESS
}

/// Writes a text that ends with a zero.
fn put_text(to: *mut c_char, room: c_uint, text: &str) -> Return {
    if text.len() >= room as usize {
        return INSUFFICIENT_SIZE;
    }
    for (i, byte) in text.bytes().chain([0]).enumerate() {
        // SAFETY: the caller gives `room` bytes, and the text with its zero is no longer.
        unsafe { to.add(i).write(byte as c_char) };
    }
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn nvmlInit_v2() -> Return {
    let text = std::env::var(VARIABLE).unwrap_or_default();
    let Some(script) = Script::parse(&text) else {
        return INVALID_ARGUMENT;
    };
    let (code, gpus) = (script.init, script.gpus);
    if code == SUCCESS {
        *playing() = Some(Playing {
            script,
            opened: Instant::now(),
            limit_mw: vec![LIMITS_MW.1; gpus],
        });
    }
    code
}

#[unsafe(no_mangle)]
extern "C" fn nvmlShutdown() -> Return {
    playing().take().map_or(UNINITIALIZED, |_| SUCCESS)
}

#[unsafe(no_mangle)]
extern "C" fn nvmlSystemGetDriverVersion(to: *mut c_char, room: c_uint) -> Return {
    match playing().as_ref() {
        Some(p) => put_text(to, room, &p.script.driver),
        None => UNINITIALIZED,
    }
}

#[unsafe(no_mangle)]
extern "C" fn nvmlSystemGetNVMLVersion(to: *mut c_char, room: c_uint) -> Return {
    put_text(to, room, "13.580.82.07")
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetCount_v2(to: *mut c_uint) -> Return {
    match playing().as_ref() {
        Some(p) => put(to, p.script.gpus as c_uint),
        None => UNINITIALIZED,
    }
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetHandleByIndex_v2(index: c_uint, to: *mut Device) -> Return {
    match playing().as_ref() {
        Some(p) if (index as usize) < p.script.gpus => {
            put(to, std::ptr::without_provenance_mut(index as usize + 1))
        }
        Some(_) => INVALID_ARGUMENT,
        None => UNINITIALIZED,
    }
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetName(handle: Device, to: *mut c_char, room: c_uint) -> Return {
    device(handle, "name", |p, _, _| put_text(to, room, &p.script.name))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetUUID(handle: Device, to: *mut c_char, room: c_uint) -> Return {
    device(handle, "uuid", |_, gpu, _| {
        put_text(to, room, &format!("GPU-00000000-0000-0000-0000-{gpu:012}"))
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetArchitecture(handle: Device, to: *mut c_uint) -> Return {
    device(handle, "arch", |p, _, _| put(to, p.script.arch))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetPowerUsage(handle: Device, to: *mut c_uint) -> Return {
    device(handle, "power_usage", |p, gpu, t_s| {
        std::thread::sleep(Duration::from_millis(p.script.slow_ms));
        put(
            to,
            (p.script.power_w(gpu, t_s, 1.0) * 1000.0).round() as c_uint,
        )
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetTotalEnergyConsumption(handle: Device, to: *mut c_ulonglong) -> Return {
    device(handle, "energy", |p, gpu, t_s| {
        put(to, (p.script.counter_j(gpu, t_s) * 1000.0) as c_ulonglong)
    })
}

/// `nvmlFieldValue_t`; its value is a union of eight bytes.
#[repr(C)]
struct FieldValue {
    field: c_uint,
    scope: c_uint,
    stamp_us: i64,
    latency_us: i64,
    kind: c_uint,
    code: Return,
    value: u64,
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetFieldValues(
    handle: Device,
    count: c_int,
    values: *mut FieldValue,
) -> Return {
    device(handle, "fields", |p, gpu, t_s| {
        std::thread::sleep(Duration::from_millis(p.script.slow_ms));
        // SAFETY: the caller gives `count` of them.
        let values = unsafe { std::slice::from_raw_parts_mut(values, count.max(0) as usize) };
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let mut stamp_us = since_1970.map_or(0, |d| d.as_micros() as i64);
        if p.script.back_s.is_some_and(|when_s| t_s >= when_s) {
            stamp_us -= 5_000_000;
        }
        for value in values {
            let (reading, window_s) = match (value.field, value.scope) {
                (185, 0) => ("average", 1.0),
                (186, 0) => ("instant", p.script.window_s),
                (185 | 186, 1) => ("module", 1.0),
                _ => ("", 0.0),
            };
            let is_in = |list: &[String]| list.iter().any(|w| w == reading);
            value.code = match reading {
                "" => NOT_SUPPORTED,
                _ if is_in(&p.script.unsupported) => NOT_SUPPORTED,
                _ if is_in(&p.script.denied) => NO_PERMISSION,
                _ => SUCCESS,
            };
            if value.code == SUCCESS {
                // An unsigned int, in the first four bytes of the union.
                value.kind = 1;
                value.value =
                    u64::from((p.script.power_w(gpu, t_s, window_s) * 1000.0).round() as u32);
            }
            (value.stamp_us, value.latency_us) = (stamp_us, 1);
        }
        SUCCESS
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetClockInfo(handle: Device, kind: c_uint, to: *mut c_uint) -> Return {
    device(handle, "clock", |_, _, _| {
        put(to, if kind == 2 { 2619 } else { 1755 })
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetUtilizationRates(handle: Device, to: *mut [c_uint; 2]) -> Return {
    device(handle, "utilisation", |p, gpu, t_s| {
        put(
            to,
            [
                if p.script.power_w(gpu, t_s, p.script.window_s) > 200.0 {
                    98
                } else {
                    3
                },
                10,
            ],
        )
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetMemoryInfo_v2(handle: Device, to: *mut [c_ulonglong; 5]) -> Return {
    const GIB: c_ulonglong = 1 << 30;
    // Version (with padding), total, reserved, free, used.
    device(handle, "memory", |_, _, _| {
        put(to, [0, 80 * GIB, 0, 40 * GIB, 40 * GIB])
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetTemperature(handle: Device, _sensor: c_uint, to: *mut c_uint) -> Return {
    device(handle, "temperature", |_, _, _| put(to, 61))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetCurrentClocksThrottleReasons(
    handle: Device,
    to: *mut c_ulonglong,
) -> Return {
    device(handle, "throttle", |p, gpu, t_s| {
        put(
            to,
            u64::from(p.script.power_w(gpu, t_s, p.script.window_s) > 390.0) * 4,
        )
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetEnforcedPowerLimit(handle: Device, to: *mut c_uint) -> Return {
    device(handle, "limit", |p, gpu, _| put(to, p.limit_mw[gpu]))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetPowerManagementLimit(handle: Device, to: *mut c_uint) -> Return {
    device(handle, "limit", |p, gpu, _| put(to, p.limit_mw[gpu]))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetPowerManagementDefaultLimit(handle: Device, to: *mut c_uint) -> Return {
    device(handle, "limit", |_, _, _| put(to, LIMITS_MW.1))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetPowerManagementLimitConstraints(
    handle: Device,
    least: *mut c_uint,
    most: *mut c_uint,
) -> Return {
    device(handle, "limit", |_, _, _| {
        put(least, LIMITS_MW.0) | put(most, LIMITS_MW.1)
    })
}

/// Adds a line to the log of settings.
fn log(p: &Playing, line: &str) {
    if let Some(path) = &p.script.log
        && let Ok(mut file) = OpenOptions::new().create(true).append(true).open(path)
    {
        // A test that does not find its line says so.
        drop(writeln!(file, "{line}"));
    }
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceSetPowerManagementLimit(handle: Device, limit_mw: c_uint) -> Return {
    device(handle, "set_limit", |p, gpu, _| {
        if limit_mw < LIMITS_MW.0 || limit_mw > LIMITS_MW.1 {
            return INVALID_ARGUMENT;
        }
        p.limit_mw[gpu] = limit_mw;
        log(p, &format!("limit {gpu} {limit_mw}"));
        SUCCESS
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceSetGpuLockedClocks(handle: Device, least: c_uint, most: c_uint) -> Return {
    device(handle, "set_clocks", |p, gpu, _| {
        log(p, &format!("clocks {gpu} {least} {most}"));
        SUCCESS
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceResetGpuLockedClocks(handle: Device) -> Return {
    device(handle, "set_clocks", |p, gpu, _| {
        log(p, &format!("clocks {gpu} reset"));
        SUCCESS
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetMigMode(
    handle: Device,
    current: *mut c_uint,
    pending: *mut c_uint,
) -> Return {
    device(handle, "mig", |p, _, _| {
        put(current, p.script.mig) | put(pending, p.script.mig)
    })
}

/// `nvmlProcessInfo_t`.
#[repr(C)]
struct Process {
    pid: c_uint,
    memory: c_ulonglong,
    instances: [c_uint; 2],
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetComputeRunningProcesses_v3(
    handle: Device,
    count: *mut c_uint,
    list: *mut Process,
) -> Return {
    device(handle, "processes", |p, _, _| {
        let Some(pid) = p.script.process else {
            return put(count, 0);
        };
        // SAFETY: the caller gives the room in `count`, and that many places in `list`.
        let room = unsafe { count.read() };
        put(count, 1);
        if room == 0 || list.is_null() {
            return INSUFFICIENT_SIZE;
        }
        put(
            list,
            Process {
                pid,
                memory: 1 << 30,
                instances: [c_uint::MAX; 2],
            },
        )
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetGraphicsRunningProcesses_v3(
    handle: Device,
    count: *mut c_uint,
    _list: *mut Process,
) -> Return {
    device(handle, "processes", |_, _, _| put(count, 0))
}

/// `nvmlSample_t`: when, in microseconds since 1970, and a union of eight bytes.
#[repr(C)]
struct Sample {
    stamp_us: u64,
    value: u64,
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetSamples(
    handle: Device,
    _kind: c_uint,
    _last_us: c_ulonglong,
    value_kind: *mut c_uint,
    count: *mut c_uint,
    to: *mut Sample,
) -> Return {
    const KEPT: usize = 120;
    device(handle, "samples", |p, gpu, t_s| {
        put(value_kind, 1);
        if !to.is_null() {
            let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            let now_us = since_1970.map_or(0, |d| d.as_micros() as u64);
            // SAFETY: the caller asked for the count first, and gives as many places.
            let to = unsafe { std::slice::from_raw_parts_mut(to, KEPT) };
            for (i, sample) in to.iter_mut().enumerate() {
                let ago_s = 0.02 * (KEPT - 1 - i) as f64;
                sample.stamp_us = now_us - (ago_s * 1e6) as u64;
                sample.value = (p
                    .script
                    .power_w(gpu, (t_s - ago_s).max(0.0), p.script.window_s)
                    * 1000.0) as u64;
            }
        }
        put(count, KEPT as c_uint)
    })
}
