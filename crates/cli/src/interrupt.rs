//! Ctrl-C, SIGTERM and SIGHUP: the first asks the run to stop, the second ends it at once.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::exit::Exit;

static STOP: AtomicBool = AtomicBool::new(false);
/// What to remove when the command ends at once. Held while files are moved into place, so that it cannot end in between.
static SCRATCH: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Starts listening.
pub(crate) fn listen() {
    // A handler that cannot be installed (a second one in tests) leaves Ctrl-C as it was.
    drop(ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            end();
        }
    }));
}

/// Whether the user asked to stop.
pub(crate) fn asked() -> bool {
    STOP.load(Ordering::Relaxed)
}

/// Remembers a folder or file that is of no use once the command has ended.
pub(crate) fn scratch(path: &Path) {
    unbroken().push(path.to_owned());
}

/// Nothing ends the command while this is held, short of a kill.
pub(crate) fn unbroken() -> MutexGuard<'static, Vec<PathBuf>> {
    SCRATCH.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(
    clippy::exit,
    reason = "whoever presses Ctrl-C twice wants the command gone; what it was writing is in the staging folder only"
)]
fn end() {
    for path in unbroken().iter() {
        // Best effort: the next run removes what stays.
        drop(if path.is_dir() {
            fs::remove_dir_all(path)
        } else {
            fs::remove_file(path)
        });
    }
    std::process::exit(i32::from(Exit::Interrupted.code()));
}
