//! The folder that takes the results: all of them or none.
//!
//! Everything is written into a staging folder inside it and moved when the run is done, so a file under its right name is a
//! whole one. What it replaces waits in the staging folder until all is in place, and comes back if something fails. A folder
//! that holds anything that is not an earlier run's of the same scenario is refused before anything is simulated (`owner`), and
//! so is one that another run writes into (`lock`).

mod exchange;
mod lock;
mod owner;

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use ballast_scenario::Problem;
use tempfile::TempDir;

use crate::interrupt;
use exchange::{Failed, REPLACED, clear_leftovers, exchange};
use lock::Lock;

/// How names of staging folders begin.
const STAGING: &str = ".ballast-";
/// Folder inside it for the fine run of the worst stretch.
pub(crate) const ZOOM: &str = "zoom";

/// What a folder holds the results of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A run.
    Run,
    /// A comparison; each member has a folder in it.
    Compare,
    /// A sweep over numbers.
    Size,
}

impl Kind {
    /// Name of its files but for the extension; the JSON is written last.
    pub(crate) fn stem(self) -> &'static str {
        match self {
            Self::Run => "outcome",
            Self::Compare => "compare",
            Self::Size => "size",
        }
    }
}

/// Folder for results with its staging folder.
pub(crate) struct Folder {
    path: PathBuf,
    staging: TempDir,
    /// Held until the end; given up after the staging folder.
    lock: Lock,
    /// Folders made by this run, the innermost first; removed again if the run leaves nothing in them.
    made: Vec<PathBuf>,
    /// Names of the files of an earlier run.
    earlier: Vec<String>,
    kind: Kind,
}

/// Results could not be moved into place.
pub(crate) struct Unpublished {
    pub(crate) problem: Problem,
    /// Whether the folder is as it was before.
    pub(crate) restored: bool,
}

fn problem(path: &Path, message: String, help: &str) -> Problem {
    Problem {
        file: path.display().to_string(),
        line: None,
        column: None,
        key: "--out".to_owned(),
        message,
        help: help.to_owned(),
    }
}

/// What helps against an error of the system.
pub(crate) fn help_for(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            "free some space, or choose another folder with --out"
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "allow this user to read and write there, or choose another folder with --out"
        }
        ErrorKind::NotADirectory | ErrorKind::IsADirectory | ErrorKind::AlreadyExists => {
            "move away what is in the way, or choose another folder with --out"
        }
        _ => "choose another folder with --out",
    }
}

impl Folder {
    /// Prepares `path` for the results of the scenario `name`.
    ///
    /// # Errors
    /// It cannot be made or written, is no folder, is being written by another run, or holds anything else than an earlier
    /// run's results under the names of results.
    pub(crate) fn prepare(path: &Path, name: &str) -> Result<Self, Problem> {
        Self::prepare_for(path, Kind::Run, name)
    }

    /// The same for results of another kind.
    ///
    /// # Errors
    /// As [`Folder::prepare`].
    pub(crate) fn prepare_for(path: &Path, kind: Kind, name: &str) -> Result<Self, Problem> {
        let made: Vec<PathBuf> = path
            .ancestors()
            .take_while(|a| !a.as_os_str().is_empty() && !a.exists())
            .map(Path::to_owned)
            .collect();
        Self::enter(path, (kind, name), made.clone()).inspect_err(|_| remove_empty(&made))
    }

    fn enter(path: &Path, (kind, name): (Kind, &str), made: Vec<PathBuf>) -> Result<Self, Problem> {
        let failed = |what: &'static str| {
            move |e: io::Error| {
                problem(
                    path,
                    format!("the output folder cannot be {what}: {e}"),
                    help_for(e.kind()),
                )
            }
        };
        fs::create_dir_all(path).map_err(failed("made"))?;
        let Some(lock) = Lock::take(path).map_err(failed("written"))? else {
            return Err(problem(
                path,
                "another run writes into the output folder".to_owned(),
                "wait until it has ended, or choose another folder with --out",
            ));
        };
        clear_leftovers(path).map_err(failed("cleared of what a killed run left"))?;
        let earlier = owner::inspect_for(path, kind, name)?;
        let staging = tempfile::Builder::new()
            .prefix(STAGING)
            .tempdir_in(path)
            .map_err(failed("written"))?;
        interrupt::scratch(staging.path());
        interrupt::scratch(lock.path());
        Ok(Self {
            path: path.to_owned(),
            staging,
            lock,
            made,
            earlier,
            kind,
        })
    }

    /// Where files are written before they are published.
    pub(crate) fn staging(&self) -> &Path {
        self.staging.path()
    }

    /// Where they end up.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it holds the results of an earlier run that came to its end.
    pub(crate) fn has_results(&self) -> bool {
        self.path.join("outcome.json").exists()
    }

    /// Makes the staging folder's own folder for the fine run.
    ///
    /// # Errors
    /// It cannot be made.
    pub(crate) fn stage_zoom(&self) -> io::Result<PathBuf> {
        self.stage_part(ZOOM)
    }

    /// Makes a folder in the staging folder.
    ///
    /// # Errors
    /// It cannot be made.
    pub(crate) fn stage_part(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.staging.path().join(name);
        fs::create_dir(&path).map(|()| path)
    }

    /// Names of the files in the staging folder, those of folders in it as `zoom/…`, sorted.
    ///
    /// # Errors
    /// The staging folder cannot be read.
    pub(crate) fn staged(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.staging.path())? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !entry.file_type()?.is_dir() {
                names.push(name);
                continue;
            }
            for inner in fs::read_dir(entry.path())? {
                let inner = inner?.file_name();
                names.push(format!("{name}/{}", inner.to_string_lossy()));
            }
        }
        names.sort();
        Ok(names)
    }

    /// Moves everything from the staging folder to its place and removes what an earlier run of this scenario left and
    /// this one does not write. Returns the names of the files, sorted.
    ///
    /// # Errors
    /// A file cannot be moved.
    pub(crate) fn publish(mut self) -> Result<Vec<String>, Unpublished> {
        let stale = std::mem::take(&mut self.earlier);
        self.move_in(stale)
    }

    /// Like `publish`, but leaves what an earlier run left as it is.
    ///
    /// # Errors
    /// A file cannot be moved.
    pub(crate) fn add(self) -> Result<Vec<String>, Unpublished> {
        self.move_in(Vec::new())
    }

    fn move_in(self, stale: Vec<String>) -> Result<Vec<String>, Unpublished> {
        let mut scratch = interrupt::unbroken();
        let moved = self
            .staged()
            .map_err(Failed::unchanged)
            .and_then(|names| exchange(&self.path, self.staging.path(), names, stale, self.kind));
        scratch.clear();
        drop(scratch);
        let failed = match moved {
            Ok(names) => return Ok(names),
            Err(failed) => failed,
        };
        let message = format!("the results cannot be moved into place: {}", failed.cause);
        let unrestored = failed.unrestored;
        let mut problem = problem(&self.path, message, help_for(failed.cause.kind()));
        let restored = unrestored.is_none();
        if let Some(e) = unrestored {
            let staging = self.staging.keep();
            problem.message = format!(
                "{}; the earlier results could not all be put back ({e}) and are in {}",
                problem.message,
                staging.join(REPLACED).display()
            );
            "remove the cause; the next run into this folder puts them back first"
                .clone_into(&mut problem.help);
        } else {
            self.abandon();
        }
        Err(Unpublished { problem, restored })
    }

    /// Gives up: removes the staging folder, and the folders that this run made.
    pub(crate) fn abandon(self) {
        interrupt::unbroken().clear();
        // What cannot be removed stays behind under a name that starts with a dot, for the next run to remove.
        drop(self.staging.close());
        drop(self.lock);
        remove_empty(&self.made);
    }
}

/// Removes folders that are empty, in this order.
fn remove_empty(folders: &[PathBuf]) {
    for folder in folders {
        if fs::remove_dir(folder).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
