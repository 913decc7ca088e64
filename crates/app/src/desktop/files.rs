//! Files: written whole or not at all.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::platform::{LARGEST_TEXT, PlatformError, text_of};

fn at(path: &Path) -> impl FnOnce(io::Error) -> PlatformError + '_ {
    |source| PlatformError::File {
        path: path.to_owned(),
        source,
    }
}

/// Reads a text file; no more of it than a scenario can have.
pub(super) fn read(path: &Path) -> Result<String, PlatformError> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(at(path))?;
    if file.metadata().map_err(at(path))?.is_dir() {
        return Err(at(path)(io::ErrorKind::IsADirectory.into()));
    }
    file.take(LARGEST_TEXT as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(at(path))?;
    text_of(path, bytes)
}

/// Writes beside the file, then renames: whoever reads sees the old file or the new one.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), PlatformError> {
    // A link stays one: what it points to is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let part = beside(&folder, &target);
    let written = write_part(&part, &target, bytes).and_then(|()| fs::rename(&part, &target));
    written.map_err(|e| {
        // What could not be finished is of no use to anyone.
        drop(fs::remove_file(&part));
        at(path)(e)
    })
}

fn beside(folder: &Path, target: &Path) -> PathBuf {
    let name = target
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    folder.join(format!(".{name}.{}.part", std::process::id()))
}

fn write_part(part: &Path, target: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(part)?;
    if let Ok(old) = fs::metadata(target) {
        if old.permissions().readonly() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        file.set_permissions(old.permissions())?;
    }
    file.write_all(bytes)?;
    file.sync_all()
}

/// Removes a file; one that is not there is no error.
pub(super) fn remove(path: &Path) -> Result<(), PlatformError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(at(path)(e)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_that_fails_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("site.toml");
        write(&path, b"a = 1").unwrap();
        assert_eq!(read(&path).unwrap(), "a = 1");
        let mut rights = fs::metadata(&path).unwrap().permissions();
        rights.set_readonly(true);
        fs::set_permissions(&path, rights).unwrap();
        assert!(write(&path, b"b = 2").is_err());
        assert_eq!(read(&path).unwrap(), "a = 1");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn files_that_are_no_text_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs::write(&path, [0xff, 0xfe, 0, 1]).unwrap();
        assert!(matches!(read(&path), Err(PlatformError::NotText { .. })));
        fs::write(&path, vec![b' '; LARGEST_TEXT + 1]).unwrap();
        assert!(matches!(read(&path), Err(PlatformError::TooLarge { .. })));
        assert!(read(folder.path()).is_err());
        assert!(read(&folder.path().join("none")).is_err());
        remove(&folder.path().join("none")).unwrap();
    }
}
