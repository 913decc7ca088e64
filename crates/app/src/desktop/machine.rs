//! This machine: files, dialogs, threads, GPUs.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use ballast_calibrate::Recording;
use ballast_scenario::{Loaded, Problem};
use ballast_study::Inputs;
use ballast_study::outcome::Outcome;

use super::drafts::DraftPlace;
use super::{dialogs, export, files, live, recording_file, scratch};
use crate::live::{LiveSource, RecordRequest};
use crate::platform::{Pick, Picked, Platform, PlatformError, Scratch};
use crate::trace::TraceSet;

/// This machine.
pub struct Machine {
    data: Option<PathBuf>,
    draft: Option<DraftPlace>,
    prompts: Mutex<VecDeque<(Pick, Sender<Picked>)>>,
    window: Arc<OnceLock<egui::Context>>,
    dialogs: bool,
}

impl Machine {
    /// This machine, with the user's own folder for data.
    pub fn new() -> Self {
        let folders = directories::ProjectDirs::from("", "", "ballast");
        Self::with_data(folders.map(|f| f.data_dir().to_owned()))
    }

    /// This machine, with another folder for data; none keeps nothing.
    pub fn with_data(data: Option<PathBuf>) -> Self {
        Self {
            draft: data.as_ref().map(|d| DraftPlace::new(d.join("drafts"))),
            data,
            prompts: Mutex::default(),
            window: Arc::default(),
            dialogs: dialogs::available(),
        }
    }

    /// The window to wake when a dialog was answered.
    pub fn set_window(&self, ctx: &egui::Context) {
        // Only the first window counts, and there is one.
        drop(self.window.set(ctx.clone()));
    }
}

impl Default for Machine {
    fn default() -> Self {
        Self::new()
    }
}

impl Platform for Machine {
    fn spawn(&self, name: &str, work: Box<dyn FnOnce() + Send>) {
        let thread = std::thread::Builder::new().name(name.to_owned());
        // Without a thread the work is lost, and with it the closure that would have told: no thread is left to tell from either.
        drop(thread.spawn(work));
    }

    fn read(&self, path: &Path) -> Result<String, PlatformError> {
        files::read(path)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), PlatformError> {
        // The app's own folders are made when something is kept in them; the user's folders are not.
        if let (Some(data), Some(folder)) = (&self.data, path.parent())
            && folder.starts_with(data)
        {
            std::fs::create_dir_all(folder).map_err(|source| PlatformError::File {
                path: folder.to_owned(),
                source,
            })?;
        }
        files::write(path, bytes)
    }

    fn remove(&self, path: &Path) -> Result<(), PlatformError> {
        files::remove(path)
    }

    fn data_dir(&self) -> Option<PathBuf> {
        self.data.clone()
    }

    fn pick(&self, what: Pick, reply: Sender<Picked>) {
        if !self.dialogs {
            let mut prompts = self.prompts.lock().unwrap_or_else(PoisonError::into_inner);
            prompts.push_back((what, reply));
            return;
        }
        let window = Arc::clone(&self.window);
        self.spawn(
            "dialog",
            Box::new(move || {
                let path = dialogs::ask(&what);
                // Who asked may be gone: then nobody needs the answer.
                drop(reply.send((what, path)));
                if let Some(ctx) = window.get() {
                    ctx.request_repaint();
                }
            }),
        );
    }

    fn inputs(&self, loaded: Loaded) -> Result<(Loaded, Inputs), Vec<Problem>> {
        let ready = ballast_inputs::read(loaded)?;
        Ok((ready.loaded, ready.inputs))
    }

    fn scratch(&self) -> std::io::Result<Arc<dyn Scratch>> {
        scratch::scratch()
    }

    fn write_figures(
        &self,
        outcome: &Outcome,
        folder: &Path,
    ) -> Result<Vec<PathBuf>, PlatformError> {
        export::write_figures(outcome, folder)
    }

    fn write_traces(
        &self,
        traces: &TraceSet,
        metadata: &[(String, String)],
        path: &Path,
    ) -> Result<(), PlatformError> {
        export::write_traces(traces, metadata, path)
    }

    fn live(&self) -> Result<Box<dyn LiveSource>, PlatformError> {
        live::live(live::library_of_environment().as_deref())
    }

    fn playback(&self, path: &Path) -> Result<Box<dyn LiveSource>, PlatformError> {
        live::playback(path)
    }

    fn recording(&self, path: &Path) -> Result<Recording, PlatformError> {
        recording_file::read(path)
    }

    fn record(&self, request: &RecordRequest) -> Result<Box<dyn LiveSource>, PlatformError> {
        live::record(live::library_of_environment().as_deref(), request)
    }

    fn draft_path(&self) -> Option<PathBuf> {
        self.draft.as_ref().map(|d| d.path().to_owned())
    }

    fn lost_drafts(&self) -> Vec<PathBuf> {
        self.draft
            .as_ref()
            .map(DraftPlace::lost)
            .unwrap_or_default()
    }

    fn take_prompt(&self) -> Option<(Pick, Sender<Picked>)> {
        let mut prompts = self.prompts.lock().unwrap_or_else(PoisonError::into_inner);
        prompts.pop_front()
    }
}
