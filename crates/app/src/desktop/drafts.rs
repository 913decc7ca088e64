//! Drafts of several starts beside each other: each start locks a file of its own, so that a draft whose lock is free is a lost one.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The place of this start's draft; held as long as the process lives.
#[derive(Debug)]
pub(super) struct DraftPlace {
    folder: PathBuf,
    path: PathBuf,
    /// Held, never read.
    lock: Option<File>,
}

impl DraftPlace {
    /// A place in `folder` that no other start uses.
    pub(super) fn new(folder: PathBuf) -> Self {
        // Without the folder nothing can be kept: the first write says why.
        drop(fs::create_dir_all(&folder));
        let id = std::process::id();
        let mut place = Self {
            path: folder.join(format!("{id}.json")),
            folder,
            lock: None,
        };
        for n in 0..100_u32 {
            let name = if n == 0 {
                format!("{id}")
            } else {
                format!("{id}-{n}")
            };
            // A draft of that name is a lost one of a process that had this number: it is not overwritten.
            let path = place.folder.join(format!("{name}.json"));
            if path.exists() {
                continue;
            }
            let lock = File::create(place.folder.join(format!("{name}.lock")));
            if let Ok(lock) = lock
                && lock.try_lock().is_ok()
            {
                place.path = path;
                place.lock = Some(lock);
                break;
            }
        }
        place
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Drafts whose starts have ended, newest first.
    pub(super) fn lost(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return Vec::new();
        };
        let mut lost: Vec<(SystemTime, PathBuf)> = Vec::new();
        for entry in entries.flatten() {
            let path = entry.path();
            if path == self.path || path.extension().is_none_or(|e| e != "json") {
                continue;
            }
            let lock = path.with_extension("lock");
            let alive = File::open(&lock)
                .is_ok_and(|f| matches!(f.try_lock(), Err(TryLockError::WouldBlock)));
            if alive {
                continue;
            }
            drop(fs::remove_file(&lock));
            let at = entry.metadata().and_then(|m| m.modified());
            lost.push((at.unwrap_or(SystemTime::UNIX_EPOCH), path));
        }
        lost.sort();
        lost.into_iter().rev().map(|(_, path)| path).collect()
    }
}

impl Drop for DraftPlace {
    fn drop(&mut self) {
        drop(fs::remove_file(self.path.with_extension("lock")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drafts_of_others_that_run_are_not_lost() {
        let folder = tempfile::tempdir().unwrap();
        let first = DraftPlace::new(folder.path().to_owned());
        let second = DraftPlace::new(folder.path().to_owned());
        assert_ne!(first.path(), second.path());
        fs::write(first.path(), "{}").unwrap();
        assert!(second.lost().is_empty());
        let path = first.path().to_owned();
        drop(first);
        assert_eq!(second.lost(), [path]);
    }
}
