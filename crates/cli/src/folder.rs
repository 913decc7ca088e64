//! The folder that takes the results: all of them or none.
//!
//! Everything is written into a staging folder inside it and renamed when the run is done, so a file under its right name
//! is a whole one. A folder that holds another scenario's results is refused before anything is simulated.

use std::fs;
use std::path::{Path, PathBuf};

use ballast_scenario::Problem;
use tempfile::TempDir;

/// Names of the files that a run writes; only these are ever replaced or removed.
pub(crate) const FILES: [&str; 5] = [
    "outcome.json",
    "run.json",
    "traces.parquet",
    "traces.csv",
    "traces.partial.parquet",
];

/// Folder for results with its staging folder.
pub(crate) struct Folder {
    path: PathBuf,
    staging: TempDir,
    /// Whether it was made by this run; it is removed again if the run leaves nothing in it.
    made: bool,
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

impl Folder {
    /// Prepares `path` for the results of the scenario `name`.
    ///
    /// # Errors
    /// It cannot be made or written, is no folder, or holds another scenario's results.
    pub(crate) fn prepare(path: &Path, name: &str) -> Result<Self, Problem> {
        let made = !path.exists();
        fs::create_dir_all(path).map_err(|e| {
            problem(
                path,
                format!("the output folder cannot be made: {e}"),
                "choose another one with --out",
            )
        })?;
        if let Some(other) = other_scenario(path, name) {
            let help = "choose another folder with --out, or remove the old results";
            return Err(problem(
                path,
                format!("the folder holds the results of {other}, not of `{name}`"),
                help,
            ));
        }
        let staging = tempfile::Builder::new()
            .prefix(".ballast-")
            .tempdir_in(path)
            .map_err(|e| {
                problem(
                    path,
                    format!("the output folder cannot be written: {e}"),
                    "choose another one with --out",
                )
            })?;
        Ok(Self {
            path: path.to_owned(),
            staging,
            made,
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

    /// Moves everything from the staging folder to its place and removes what an earlier run of this scenario left and
    /// this one does not write. Returns the names of the files, sorted.
    ///
    /// # Errors
    /// A file cannot be moved.
    pub(crate) fn publish(self) -> Result<Vec<String>, Problem> {
        let failed = |e: std::io::Error| {
            problem(
                &self.path,
                format!("the results cannot be moved into place: {e}"),
                "free some space, or choose another folder with --out",
            )
        };
        let mut names: Vec<String> = Vec::new();
        for entry in fs::read_dir(self.staging.path()).map_err(failed)? {
            names.push(
                entry
                    .map_err(failed)?
                    .file_name()
                    .to_string_lossy()
                    .into_owned(),
            );
        }
        names.sort();
        for old in FILES.iter().filter(|f| !names.iter().any(|n| n == *f)) {
            match fs::remove_file(self.path.join(old)) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(failed(e)),
                _ => {}
            }
        }
        // The outcome goes last: where it is new, everything else is.
        names.sort_by_key(|n| (n == "outcome.json", n.clone()));
        for name in &names {
            fs::rename(self.staging.path().join(name), self.path.join(name)).map_err(failed)?;
        }
        names.sort();
        Ok(names)
    }

    /// Gives up: removes the staging folder, and the folder itself if this run made it.
    pub(crate) fn abandon(self) {
        let (path, made) = (self.path, self.made);
        // What cannot be removed stays behind under a name that starts with a dot.
        drop(self.staging.close());
        if made {
            drop(fs::remove_dir(path));
        }
    }
}

/// What else the folder holds results of: the name of another scenario, or an outcome that is not readable.
fn other_scenario(path: &Path, name: &str) -> Option<String> {
    let text = fs::read_to_string(path.join("outcome.json")).ok()?;
    let found = serde_json::from_str::<serde_json::Value>(&text)
        .ok()
        .and_then(|v| {
            v.pointer("/scenario/scenario/name")?
                .as_str()
                .map(str::to_owned)
        });
    match found {
        Some(found) if found == name => None,
        Some(found) => Some(format!("scenario `{found}`")),
        None => Some("an unknown program (outcome.json is not Ballast's)".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_the_results_of_another_scenario() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(
            dir.path().join("outcome.json"),
            r#"{"scenario":{"scenario":{"name":"a"}}}"#,
        )
        .unwrap();
        assert!(Folder::prepare(dir.path(), "a").is_ok());
        let refused = Folder::prepare(dir.path(), "b").err().unwrap();
        assert!(
            refused.message.contains("scenario `a`"),
            "{}",
            refused.message
        );
        fs::write(dir.path().join("outcome.json"), "?").unwrap();
        assert!(Folder::prepare(dir.path(), "a").is_err());
    }

    #[test]
    fn publishes_all_or_nothing() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("out").join("x");
        let folder = Folder::prepare(&path, "x").unwrap();
        fs::write(folder.staging().join("run.json"), "{}").unwrap();
        folder.abandon();
        assert!(!path.exists(), "a run that gives up leaves nothing");
        let folder = Folder::prepare(&path, "x").unwrap();
        fs::write(folder.staging().join("run.json"), "{}").unwrap();
        assert_eq!(folder.publish().unwrap(), ["run.json"]);
        let left: Vec<_> = fs::read_dir(&path)
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        assert_eq!(left, ["run.json"]);
    }
}
