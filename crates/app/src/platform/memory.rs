//! A machine in memory, for tests: files in a map, answers to dialogs queued, failures on demand.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ballast_scenario::{Loaded, Problem};
use ballast_study::Inputs;
use ballast_study::outcome::Outcome;

use super::{Pick, Picked, Platform, PlatformError, Scratch};
use crate::live::LiveSource;
use crate::trace::TraceSet;

/// Folder for drafts and preferences of this machine.
pub const DATA_DIR: &str = "/data";

/// A machine in memory. Cheap to clone: clones share everything, as two starts of the app on one machine do.
#[derive(Debug, Clone, Default)]
pub struct MemoryPlatform {
    shared: Arc<Shared>,
    draft: Option<PathBuf>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    idle: Condvar,
}

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<PathBuf, Vec<u8>>,
    answers: VecDeque<Option<PathBuf>>,
    asked: Vec<Pick>,
    prompts: VecDeque<(Pick, Sender<Picked>)>,
    disk_full: bool,
    no_dialogs: bool,
    running: usize,
    writes: usize,
}

impl MemoryPlatform {
    /// A machine with nothing on it.
    pub fn new() -> Self {
        Self {
            draft: Some(PathBuf::from(DATA_DIR).join("drafts/1.json")),
            ..Self::default()
        }
    }

    /// The same machine after the app was killed and started again.
    #[must_use]
    pub fn started_again(&self) -> Self {
        let drafts = self.files().into_iter().filter(|p| is_draft(p)).count();
        Self {
            shared: Arc::clone(&self.shared),
            draft: Some(PathBuf::from(DATA_DIR).join(format!("drafts/{}.json", drafts + 2))),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a file there.
    pub fn put(&self, path: impl Into<PathBuf>, bytes: impl Into<Vec<u8>>) {
        self.state().files.insert(path.into(), bytes.into());
    }

    /// The bytes of a file.
    pub fn get(&self, path: impl AsRef<Path>) -> Option<Vec<u8>> {
        self.state().files.get(path.as_ref()).cloned()
    }

    /// The text of a file; none if it is not there or no text.
    pub fn text(&self, path: impl AsRef<Path>) -> Option<String> {
        String::from_utf8(self.get(path)?).ok()
    }

    /// All files.
    pub fn files(&self) -> Vec<PathBuf> {
        self.state().files.keys().cloned().collect()
    }

    /// The answer to the next dialog; none dismisses it.
    pub fn will_pick(&self, path: Option<&str>) {
        self.state().answers.push_back(path.map(PathBuf::from));
    }

    /// What was asked for so far.
    pub fn asked(&self) -> Vec<Pick> {
        self.state().asked.clone()
    }

    /// From now on every write fails as on a full disk, or no longer.
    pub fn disk_full(&self, full: bool) {
        self.state().disk_full = full;
    }

    /// From now on this machine has no dialogs: the app has to ask itself.
    pub fn no_dialogs(&self) {
        self.state().no_dialogs = true;
    }

    /// How often something was written.
    pub fn writes(&self) -> usize {
        self.state().writes
    }

    /// Waits until nothing runs beside the window; false if that takes longer than a minute.
    pub fn wait_idle(&self) -> bool {
        let state = self.state();
        let waited = self
            .shared
            .idle
            .wait_timeout_while(state, Duration::from_mins(1), |s| s.running > 0);
        waited.is_ok_and(|(_, timeout)| !timeout.timed_out())
    }
}

fn is_draft(path: &Path) -> bool {
    path.starts_with(Path::new(DATA_DIR).join("drafts"))
}

/// Counts a job as ended even if it panics.
struct Running(Arc<Shared>);

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.running -= 1;
        self.0.idle.notify_all();
    }
}

impl Platform for MemoryPlatform {
    fn spawn(&self, name: &str, work: Box<dyn FnOnce() + Send>) {
        self.state().running += 1;
        let running = Running(Arc::clone(&self.shared));
        let started = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let _running = running;
                work();
            });
        drop(started);
    }

    fn read(&self, path: &Path) -> Result<String, PlatformError> {
        let bytes = self.get(path).ok_or_else(|| PlatformError::File {
            path: path.to_owned(),
            source: io::ErrorKind::NotFound.into(),
        })?;
        super::text_of(path, bytes)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), PlatformError> {
        let mut state = self.state();
        if state.disk_full {
            return Err(PlatformError::File {
                path: path.to_owned(),
                source: io::ErrorKind::StorageFull.into(),
            });
        }
        state.writes += 1;
        state.files.insert(path.to_owned(), bytes.to_owned());
        Ok(())
    }

    fn remove(&self, path: &Path) -> Result<(), PlatformError> {
        self.state().files.remove(path);
        Ok(())
    }

    fn data_dir(&self) -> Option<PathBuf> {
        Some(PathBuf::from(DATA_DIR))
    }

    fn pick(&self, what: Pick, reply: Sender<Picked>) {
        let mut state = self.state();
        state.asked.push(what.clone());
        if state.no_dialogs {
            state.prompts.push_back((what, reply));
        } else {
            let answer = state.answers.pop_front().flatten();
            // Nobody waits for the answer any more: nothing to tell.
            drop(reply.send((what, answer)));
        }
    }

    fn inputs(&self, loaded: Loaded) -> Result<(Loaded, Inputs), Vec<Problem>> {
        Ok((loaded, Inputs::default()))
    }

    fn scratch(&self) -> io::Result<Arc<dyn Scratch>> {
        if self.state().disk_full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(Arc::new(MemoryScratch::default()))
    }

    fn write_figures(&self, _: &Outcome, folder: &Path) -> Result<Vec<PathBuf>, PlatformError> {
        let path = folder.join("power.svg");
        self.write(&path, b"<svg/>")?;
        Ok(vec![path])
    }

    fn write_traces(
        &self,
        _: &TraceSet,
        _: &[(String, String)],
        path: &Path,
    ) -> Result<(), PlatformError> {
        self.write(path, b"t_s\n")
    }

    fn live(&self) -> Result<Box<dyn LiveSource>, PlatformError> {
        Err(PlatformError::Unavailable(
            "This machine has no NVIDIA driver: open a recording instead".to_owned(),
        ))
    }

    fn playback(&self, path: &Path) -> Result<Box<dyn LiveSource>, PlatformError> {
        Err(PlatformError::Unavailable(format!(
            "{} is no recording",
            path.display()
        )))
    }

    fn draft_path(&self) -> Option<PathBuf> {
        self.draft.clone()
    }

    fn lost_drafts(&self) -> Vec<PathBuf> {
        let mine = self.draft.as_deref();
        self.files()
            .into_iter()
            .filter(|p| is_draft(p) && Some(&**p) != mine)
            .collect()
    }

    fn take_prompt(&self) -> Option<(Pick, Sender<Picked>)> {
        self.state().prompts.pop_front()
    }
}

/// Samples in memory.
#[derive(Debug, Default)]
struct MemoryScratch(Mutex<Vec<f32>>);

impl Scratch for MemoryScratch {
    fn append(&self, values: &[f32]) -> io::Result<()> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend_from_slice(values);
        Ok(())
    }

    fn read(&self, first: u64, into: &mut [f32]) -> io::Result<usize> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = usize::try_from(first).unwrap_or(usize::MAX).min(all.len());
        let n = into.len().min(all.len() - first);
        into[..n].copy_from_slice(&all[first..first + n]);
        Ok(n)
    }
}
