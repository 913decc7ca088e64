//! Moving new files into place and old ones away, so that it can be undone.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::{Kind, STAGING, owner};

/// Folder in the staging folder for files that are being replaced. It is there only while files are moved.
pub(super) const REPLACED: &str = "replaced";

/// Files could not be exchanged.
pub(super) struct Failed {
    pub(super) cause: io::Error,
    /// Why the folder is not as it was before; none if it is.
    pub(super) unrestored: Option<io::Error>,
}

impl Failed {
    pub(super) fn unchanged(cause: io::Error) -> Self {
        Self {
            cause,
            unrestored: None,
        }
    }
}

/// Moves the files `names` from `staging` to `path`, over earlier ones, and removes `stale` ones; or leaves `path` as it was.
/// Returns the names, sorted.
pub(super) fn exchange(
    path: &Path,
    staging: &Path,
    mut names: Vec<String>,
    stale: Vec<String>,
    kind: Kind,
) -> Result<Vec<String>, Failed> {
    let replaced = staging.join(REPLACED);
    let mut leaving = stale;
    leaving.extend(names.iter().cloned());
    leaving.sort();
    leaving.dedup();
    // The outcome goes last: where it is new, everything else is.
    let outcome = format!("{}.json", kind.stem());
    names.sort_by_key(|n| (*n == outcome, n.clone()));
    let mut parts: Vec<String> = leaving.iter().filter_map(|n| part_of(n)).collect();
    parts.dedup();
    let (mut left, mut arrived) = (0, 0);
    let mut forward = || -> io::Result<()> {
        fs::create_dir(&replaced)?;
        for part in &parts {
            fs::create_dir(replaced.join(part))?;
            if names.iter().any(|n| part_of(n).as_ref() == Some(part)) && !path.join(part).is_dir()
            {
                fs::create_dir(path.join(part))?;
            }
        }
        for name in &leaving {
            let old = path.join(name);
            if owner::is_in_the_way(&old) {
                let message = format!("`{name}` is in the way");
                return Err(io::Error::new(ErrorKind::AlreadyExists, message));
            }
            match fs::rename(&old, replaced.join(name)) {
                Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
                _ => left += 1,
            }
        }
        for name in &names {
            fs::rename(staging.join(name), path.join(name))?;
            arrived += 1;
        }
        // From here on the new results stand, even if the command is killed.
        fs::rename(&replaced, staging.join("done"))
    };
    let Err(cause) = forward() else {
        remove_empty_parts(path, &parts);
        names.sort();
        return Ok(names);
    };
    let mut unrestored = None;
    for name in &names[..arrived] {
        if let Err(e) = fs::rename(path.join(name), staging.join(name)) {
            unrestored = Some(e);
        }
    }
    for name in &leaving[..left] {
        match fs::rename(replaced.join(name), path.join(name)) {
            Err(e) if e.kind() != ErrorKind::NotFound => unrestored = Some(e),
            _ => {}
        }
    }
    remove_empty_parts(path, &parts);
    Err(Failed { cause, unrestored })
}

/// Folder of its own that a file lies in.
fn part_of(name: &str) -> Option<String> {
    Some(name.split_once('/')?.0.to_owned())
}

/// A folder of a part with nothing in it is of no use; one with anything in it cannot be removed like this.
fn remove_empty_parts(path: &Path, parts: &[String]) {
    for part in parts {
        drop(fs::remove_dir(path.join(part)));
    }
}

/// Removes the staging folders of runs that were killed, and puts back what they were replacing. Only for who holds the lock.
pub(super) fn clear_leftovers(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let ours = entry.file_name().to_string_lossy().starts_with(STAGING);
        if !ours || !entry.file_type()?.is_dir() {
            continue;
        }
        let replaced = entry.path().join(REPLACED);
        if replaced.is_dir() {
            for part in fs::read_dir(&replaced)? {
                let part = part?;
                if !part.file_type()?.is_dir() {
                    continue;
                }
                if fs::read_dir(part.path())?.next().is_some() {
                    fs::create_dir_all(path.join(part.file_name()))?;
                }
                put_back(&part.path(), &path.join(part.file_name()))?;
                fs::remove_dir(part.path())?;
            }
            put_back(&replaced, path)?;
        }
        fs::remove_dir_all(entry.path())?;
    }
    Ok(())
}

/// Moves everything in `from` to `to`.
fn put_back(from: &Path, to: &Path) -> io::Result<()> {
    for old in fs::read_dir(from)? {
        let old = old?;
        fs::rename(old.path(), to.join(old.file_name()))?;
    }
    Ok(())
}
