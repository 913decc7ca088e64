//! GPUs of this machine (NVML), their recorder, and recorded files, as sources of the live panel.
//!
//! The driver's library is opened and read on a thread of its own, by the recorder that the command uses; without a file its segments are
//! dropped. The window gets readings through a channel.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::SystemTime;

use ballast_calibrate::{
    Columns, Companion, Library, Live, Metadata, NoGpu, NvmlSource, PowerSource, RecordSpec,
    Recorded, Said, SegmentSink, SystemClock,
};
use ballast_inputs::Parts;
use ballast_series::SinkError;
use ballast_tables::{merge_parts, parts_folder};

use crate::live::{GpuReading, LiveReading, LiveSource, RecordRequest, RecordedSource, name_of};
use crate::platform::PlatformError;

use super::recording_file;

/// Polls per second: sensors renew their value every 20 to 100 ms.
const RATE_HZ: f64 = 20.0;
/// A kill loses at most so much of a recording, seconds.
const PART_S: f64 = 5.0;
/// Readings that may wait for a window that does not look: some seconds.
const WAITING: usize = 64;
/// Names the driver's library where it lies elsewhere.
pub const LIBRARY_VARIABLE: &str = "BALLAST_NVML_LIBRARY";

/// The driver's library as the environment names it; none for the driver's own.
pub fn library_of_environment() -> Option<PathBuf> {
    std::env::var_os(LIBRARY_VARIABLE)
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
}

/// The GPUs of this machine, through the driver's library or the one at a path.
///
/// # Errors
/// No driver, no GPU, no permission: in words, with what to do.
pub fn live(library: Option<&Path>) -> Result<Box<dyn LiveSource>, PlatformError> {
    Ok(Box::new(Machine::start(library, None)?))
}

/// Records GPUs of this machine into a file.
///
/// # Errors
/// As [`live`]; the file exists already, or its folder cannot be written.
pub fn record(
    library: Option<&Path>,
    request: &RecordRequest,
) -> Result<Box<dyn LiveSource>, PlatformError> {
    let folder = parts_folder(&request.file);
    for path in [&request.file, &folder] {
        if path.exists() {
            return Err(PlatformError::Unavailable(format!(
                "{} exists already; choose another name for the recording",
                path.display()
            )));
        }
    }
    Ok(Box::new(Machine::start(library, Some(request.clone()))?))
}

/// A recorded file, played.
///
/// # Errors
/// It cannot be read, or is no log of GPUs: in words.
pub fn playback(path: &Path) -> Result<Box<dyn LiveSource>, PlatformError> {
    let recording = recording_file::read(path)?;
    Ok(Box::new(RecordedSource::new(recording)))
}

/// Why no GPU can be read, and what to do, in a sentence.
fn sentence(error: &NoGpu) -> PlatformError {
    let help = match error {
        NoGpu::Library { .. } => format!(
            "install NVIDIA's driver (in a container: start it with the GPUs, as with `--gpus all`), or name the library in the variable {LIBRARY_VARIABLE}"
        ),
        NoGpu::Symbol { .. } => {
            format!("name the driver's libnvidia-ml.so.1 in the variable {LIBRARY_VARIABLE}")
        }
        other => other.help().to_owned(),
    };
    let what = error.to_string();
    let mut letters = what.chars();
    let what: String = letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default();
    PlatformError::Unavailable(format!("{what}. What to do: {help}."))
}

/// GPUs that are read on a thread.
struct Machine {
    names: Vec<String>,
    readings: Receiver<LiveReading>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<Recorded, String>>>,
    ended: Option<Result<Recorded, String>>,
    file: Option<PathBuf>,
}

impl Machine {
    fn start(
        library: Option<&Path>,
        request: Option<RecordRequest>,
    ) -> Result<Self, PlatformError> {
        let (opened, answer) = channel();
        let (sender, readings) = sync_channel(WAITING);
        let stop = Arc::new(AtomicBool::new(false));
        let file = request.as_ref().map(|r| r.file.clone());
        let window = Window {
            readings: sender,
            stop: stop.clone(),
            alone: request.is_none(),
        };
        let library = library.map(Path::to_owned);
        let thread = std::thread::Builder::new()
            .name("nvml".to_owned())
            .spawn(move || read(library.as_deref(), request.as_ref(), &opened, window))
            .map_err(|e| PlatformError::Unavailable(format!("No thread can be started: {e}")))?;
        let names = answer.recv().unwrap_or_else(|_| {
            Err(PlatformError::Unavailable(
                "NVIDIA's library broke off; `nvidia-smi` should fail alike".to_owned(),
            ))
        })?;
        Ok(Self {
            names,
            readings,
            stop,
            thread: Some(thread),
            ended: None,
            file,
        })
    }

    /// Waits for the thread and keeps what it said.
    fn join(&mut self) -> &Result<Recorded, String> {
        if let Some(thread) = self.thread.take() {
            let said = thread.join().unwrap_or_else(|_| {
                Err("The reading of the GPUs broke off; what was written before is kept".to_owned())
            });
            self.ended = Some(said);
        }
        self.ended
            .get_or_insert_with(|| Err("Nothing was read".to_owned()))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl LiveSource for Machine {
    fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    fn next(&mut self) -> Result<Option<LiveReading>, String> {
        if let Ok(reading) = self.readings.recv() {
            return Ok(Some(reading));
        }
        let file = self.file.clone();
        match self.join() {
            Ok(recorded) if recorded.lost => {
                let kept = file.map_or_else(String::new, |f| {
                    format!("; what was measured until then is in {}", f.display())
                });
                Err(format!(
                    "No GPU is left after {:.1} s: the driver lost them. See `dmesg` for the driver's words; a reset or a restart brings them back{kept}.",
                    recorded.duration_s
                ))
            }
            _ => Ok(None),
        }
    }

    fn finish(&mut self) -> Result<(), String> {
        self.stop.store(true, Ordering::Relaxed);
        match self.join() {
            Ok(_) => Ok(()),
            Err(why) => Err(why.clone()),
        }
    }
}

/// Goes along with the recorder: readings to the window, its wish to end to the recorder.
struct Window {
    readings: SyncSender<LiveReading>,
    stop: Arc<AtomicBool>,
    /// Whether nobody but the window wants the readings.
    alone: bool,
}

impl Companion for Window {
    fn after_poll(&mut self, live: &Live<'_>) -> Said {
        let mut reading = LiveReading::new(
            live.t_s,
            live.samples.iter().map(|s| GpuReading::of(s)).collect(),
        );
        reading.notes = live.notes.iter().map(|n| n.label.clone()).collect();
        let sent = self.readings.try_send(reading);
        let gone = matches!(sent, Err(TrySendError::Disconnected(_))) && self.alone;
        let asked = gone || self.stop.load(Ordering::Relaxed);
        Said {
            end: asked.then(|| "asked".to_owned()),
            ..Said::default()
        }
    }
}

/// Takes segments that nobody wants.
struct Nowhere;

impl SegmentSink for Nowhere {
    fn segment(&mut self, _columns: Columns, _metadata: Metadata) -> Result<(), SinkError> {
        Ok(())
    }
}

/// What the thread does: opens the library, says what is there, reads until the end.
fn read(
    library: Option<&Path>,
    request: Option<&RecordRequest>,
    opened: &Sender<Result<Vec<String>, PlatformError>>,
    mut window: Window,
) -> Result<Recorded, String> {
    let library = match Library::open(library) {
        Ok(library) => library,
        Err(error) => return refuse(opened, sentence(&error)),
    };
    let indices = match request.map(|r| r.gpus.as_slice()) {
        Some(some) if !some.is_empty() => Ok(some.to_vec()),
        _ => library.count().map(|count| (0..count).collect()),
    };
    let source = indices.and_then(|indices: Vec<u32>| NvmlSource::new(&library, &indices));
    let mut source = match source {
        Ok(source) => source,
        Err(error) => return refuse(opened, sentence(&error)),
    };
    let spec = RecordSpec {
        rate_hz: RATE_HZ,
        segment_s: PART_S,
        duration_s: request.and_then(|r| r.duration.map(|d| d.as_secs_f64())),
        started: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
    };
    let names = source
        .gpus()
        .iter()
        .map(|g| name_of(g.index, &g.name))
        .collect();
    let clock = &mut SystemClock::start();
    let Some(request) = request else {
        // Whoever asked may be gone; the first poll finds out.
        drop(opened.send(Ok(names)));
        return ballast_calibrate::record(&mut source, clock, &mut Nowhere, &mut window, &spec)
            .map_err(|e| e.to_string());
    };
    let folder = parts_folder(&request.file);
    if let Err(e) = std::fs::create_dir(&folder) {
        let why = format!(
            "{} cannot be made: {e}; choose a folder that can be written",
            folder.display()
        );
        return refuse(opened, PlatformError::Unavailable(why));
    }
    drop(opened.send(Ok(names)));
    let mut parts = Parts::start(&folder);
    let recorded = ballast_calibrate::record(&mut source, clock, &mut parts, &mut window, &spec);
    let kept = format!(
        "What was written before is in {}; free some space",
        folder.display()
    );
    let recorded = recorded.map_err(|e| format!("The recording broke off: {e}. {kept}"))?;
    parts
        .finish()
        .and_then(|()| merge_parts(&folder, &request.file).map_err(|e| e.to_string()))
        .map_err(|e| format!("The recording cannot be written: {e}. {kept}"))?;
    // The whole file is there; parts left behind are no loss.
    drop(std::fs::remove_dir_all(&folder));
    Ok(recorded)
}

/// Says why nothing is read.
fn refuse(
    opened: &Sender<Result<Vec<String>, PlatformError>>,
    why: PlatformError,
) -> Result<Recorded, String> {
    let text = why.to_string();
    // Whoever asked may be gone.
    drop(opened.send(Err(why)));
    Err(text)
}

#[cfg(test)]
mod tests;
