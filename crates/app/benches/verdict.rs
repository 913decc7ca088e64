//! From a changed value to the new verdict: load, check, run, traces, as the app does it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use ballast_app::engine::{Answer, Engine, Task, TaskKind};
use ballast_app::live::LiveSource;
use ballast_app::platform::{Pick, Picked, Platform, PlatformError, Scratch};
use ballast_app::result::RunResult;
use ballast_app::trace::TraceSet;
use ballast_scenario::{Loaded, Problem};
use ballast_study::Inputs;
use ballast_study::outcome::Outcome;
use divan::Bencher;

const OFFGRID: &str = include_str!("../../../examples/training-offgrid.toml");

fn main() {
    divan::main();
}

/// A machine with threads and nothing else.
struct Threads;

fn none<T>() -> Result<T, PlatformError> {
    Err(PlatformError::Unavailable("not here".to_owned()))
}

impl Platform for Threads {
    fn spawn(&self, _: &str, work: Box<dyn FnOnce() + Send>) {
        std::thread::spawn(work);
    }

    fn read(&self, _: &Path) -> Result<String, PlatformError> {
        none()
    }

    fn write(&self, _: &Path, _: &[u8]) -> Result<(), PlatformError> {
        none()
    }

    fn remove(&self, _: &Path) -> Result<(), PlatformError> {
        none()
    }

    fn data_dir(&self) -> Option<PathBuf> {
        None
    }

    fn pick(&self, _: Pick, _: Sender<Picked>) {}

    fn inputs(&self, loaded: Loaded) -> Result<(Loaded, Inputs), Vec<Problem>> {
        Ok((loaded, Inputs::default()))
    }

    fn scratch(&self) -> std::io::Result<Arc<dyn Scratch>> {
        Err(std::io::ErrorKind::StorageFull.into())
    }

    fn write_figures(&self, _: &Outcome, _: &Path) -> Result<Vec<PathBuf>, PlatformError> {
        none()
    }

    fn write_traces(
        &self,
        _: &TraceSet,
        _: &[(String, String)],
        _: &Path,
    ) -> Result<(), PlatformError> {
        none()
    }

    fn live(&self) -> Result<Box<dyn LiveSource>, PlatformError> {
        none()
    }

    fn playback(&self, _: &Path) -> Result<Box<dyn LiveSource>, PlatformError> {
        none()
    }
}

fn engine() -> (Engine, Receiver<()>) {
    let (woken, wait) = channel();
    // Nobody waits once the bench is over.
    let wake = move || woken.send(()).unwrap_or_default();
    (Engine::new(Arc::new(Threads), Arc::new(wake)), wait)
}

/// Starts the run of a text and waits for its first result.
fn verdict(engine: &mut Engine, wait: &Receiver<()>, text: &str) -> Option<Arc<RunResult>> {
    let job = engine.start(Task {
        text: text.into(),
        name: "training-offgrid.toml".to_owned(),
        base_dir: PathBuf::new(),
        kind: TaskKind::Shown,
    });
    while wait.recv_timeout(Duration::from_mins(1)).is_ok() {
        for (of, answer) in engine.poll() {
            if let (true, Answer::Result(result)) = (of == job, answer) {
                return Some(result);
            }
        }
    }
    None
}

/// Another number of sets, a minute at a millisecond. The run before is done, as after a pause in typing.
#[divan::bench(sample_count = 30, sample_size = 1)]
fn changed_value_to_verdict(bencher: Bencher<'_, '_>) {
    let (mut engine, wait) = engine();
    let mut count = 2;
    bencher.bench_local(|| {
        count = 5 - count;
        let text = OFFGRID.replace("count = 2\n", &format!("count = {count}\n"));
        let result = verdict(&mut engine, &wait, &text);
        if let Some(job) = result.as_ref().map(|r| r.job) {
            engine.cancel(job);
        }
        assert!(result.is_some_and(|r| r.traces.samples == 60_001));
    });
}

/// The same while the run before is still looking at the ranges of weak constants, which it is told to stop.
#[divan::bench(sample_count = 30, sample_size = 1)]
fn while_the_run_before_goes_on(bencher: Bencher<'_, '_>) {
    let (mut engine, wait) = engine();
    let mut count = 2;
    bencher.bench_local(|| {
        count = 5 - count;
        let text = OFFGRID.replace("count = 2\n", &format!("count = {count}\n"));
        assert!(verdict(&mut engine, &wait, &text).is_some());
    });
}
