//! What the app needs of the machine it runs on. The desktop implements it with files, dialogs and NVML; tests with memory.

pub mod memory;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Sender;

use ballast_calibrate::Recording;
use ballast_scenario::{Loaded, Problem};
use ballast_study::Inputs;
use ballast_study::outcome::Outcome;

use crate::live::{LiveSource, RecordRequest};
use crate::trace::TraceSet;

/// Why the machine could not do something.
#[derive(Debug, thiserror::Error)]
pub enum PlatformError {
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is not text in UTF-8.
    #[error("{path} is no text in UTF-8: choose a scenario file (.toml)")]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// It is larger than any scenario.
    #[error("{path} is larger than 16 MiB: a scenario names traces, it does not contain them")]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// This machine has no such thing; in words, with what to do.
    #[error("{0}")]
    Unavailable(String),
}

/// What a dialog is to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pick {
    /// A scenario to open.
    OpenScenario,
    /// Where to save the scenario; a name to begin with.
    SaveScenario(String),
    /// A folder for figures.
    FigureFolder,
    /// Where to write traces (.parquet or .csv); a name to begin with.
    SaveTraces(String),
    /// A recording or log of GPUs to open.
    OpenRecording,
    /// Where to save a profile; a name to begin with.
    SaveProfile(String),
    /// Where to record to; a name to begin with.
    SaveRecording(String),
}

/// Answer of a dialog: what was asked for, and the path; none if it was dismissed.
pub type Picked = (Pick, Option<PathBuf>);

/// Samples of a trace that do not fit into memory.
pub trait Scratch: Send + Sync {
    /// Appends values.
    ///
    /// # Errors
    /// The system's, such as a full disk.
    fn append(&self, values: &[f32]) -> std::io::Result<()>;

    /// Reads values from number `first` on; returns how many there were.
    ///
    /// # Errors
    /// The system's.
    fn read(&self, first: u64, into: &mut [f32]) -> std::io::Result<usize>;
}

/// The machine.
pub trait Platform: Send + Sync {
    /// Runs `work` beside the window.
    fn spawn(&self, name: &str, work: Box<dyn FnOnce() + Send>);

    /// Reads a text file.
    ///
    /// # Errors
    /// It is not there, cannot be read, or is no text.
    fn read(&self, path: &Path) -> Result<String, PlatformError>;

    /// Writes a file whole or not at all: beside it first, then renamed.
    ///
    /// # Errors
    /// The system's, such as a full disk; the old file is then untouched.
    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), PlatformError>;

    /// Removes a file; one that is not there is no error.
    ///
    /// # Errors
    /// The system's.
    fn remove(&self, path: &Path) -> Result<(), PlatformError>;

    /// Folder for drafts, preferences and recent files; none if this machine has none.
    fn data_dir(&self) -> Option<PathBuf>;

    /// Asks the user for a path; the answer comes by `reply`, now or later.
    fn pick(&self, what: Pick, reply: Sender<Picked>);

    /// Reads the traces and requests that a scenario names.
    ///
    /// # Errors
    /// All problems of the files, each at its key.
    fn inputs(&self, loaded: Loaded) -> Result<(Loaded, Inputs), Vec<Problem>>;

    /// Room for samples that do not fit into memory.
    ///
    /// # Errors
    /// The system's.
    fn scratch(&self) -> std::io::Result<Arc<dyn Scratch>>;

    /// Writes the figures of an outcome into a folder; returns the files.
    ///
    /// # Errors
    /// The system's.
    fn write_figures(
        &self,
        outcome: &Outcome,
        folder: &Path,
    ) -> Result<Vec<PathBuf>, PlatformError>;

    /// Writes traces as Parquet or CSV, by the ending of `path`; `metadata` says where they come from, by name.
    ///
    /// # Errors
    /// The system's, or an unknown ending.
    fn write_traces(
        &self,
        traces: &TraceSet,
        metadata: &[(String, String)],
        path: &Path,
    ) -> Result<(), PlatformError>;

    /// The GPUs of this machine.
    ///
    /// # Errors
    /// One clear sentence: no driver, no GPU, no permission; and what to do.
    fn live(&self) -> Result<Box<dyn LiveSource>, PlatformError>;

    /// A recorded file of GPUs, played as if live.
    ///
    /// # Errors
    /// It cannot be read, or is no recording.
    fn playback(&self, path: &Path) -> Result<Box<dyn LiveSource>, PlatformError>;

    /// Where this start of the app keeps its draft; no other start that still runs writes there. None if this machine keeps none.
    fn draft_path(&self) -> Option<PathBuf> {
        None
    }

    /// Drafts of starts that ended without removing them, newest first.
    fn lost_drafts(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    /// A question of [`pick`](Self::pick) that this machine has no dialog for: the app asks it in its own window.
    fn take_prompt(&self) -> Option<(Pick, Sender<Picked>)> {
        None
    }

    /// Reads a recording or log of GPUs whole.
    ///
    /// # Errors
    /// It cannot be read, or is no recording: in words, with what to do.
    fn recording(&self, path: &Path) -> Result<Recording, PlatformError> {
        let _ = path;
        Err(PlatformError::Unavailable(
            "Recordings cannot be read here: use the desktop app".to_owned(),
        ))
    }

    /// Records GPUs of this machine into a file; the readings are given as they come.
    ///
    /// # Errors
    /// No driver, no GPU, no permission, no room for the file: in words, with what to do.
    fn record(&self, request: &RecordRequest) -> Result<Box<dyn LiveSource>, PlatformError> {
        let _ = request;
        Err(PlatformError::Unavailable(
            "GPUs cannot be recorded here: use the desktop app".to_owned(),
        ))
    }
}

/// Largest text that is opened, bytes.
pub const LARGEST_TEXT: usize = 16 << 20;

/// The text in a file's bytes.
///
/// # Errors
/// It is no text, or too large for a scenario.
pub fn text_of(path: &Path, bytes: Vec<u8>) -> Result<String, PlatformError> {
    let path = path.to_owned();
    if bytes.len() > LARGEST_TEXT {
        return Err(PlatformError::TooLarge { path });
    }
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => {
            // Some editors begin a text with a byte order mark.
            Ok(text
                .strip_prefix('\u{feff}')
                .map(str::to_owned)
                .unwrap_or(text))
        }
        _ => Err(PlatformError::NotText { path }),
    }
}
