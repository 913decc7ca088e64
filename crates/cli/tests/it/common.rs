//! Runs the command in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder that is removed at the end, with the command to run in it.
pub(crate) struct Bench {
    pub(crate) dir: tempfile::TempDir,
}

/// What a call of the command gave.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).expect("a file can be written");
        path
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub(crate) fn outcome(&self, folder: &str) -> serde_json::Value {
        serde_json::from_slice(&self.read(&format!("{folder}/outcome.json")))
            .expect("outcome.json is JSON")
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ballast"));
        command.current_dir(self.dir.path());
        command
    }

    pub(crate) fn ballast(&self, args: &[&str]) -> Said {
        said(
            &self
                .command()
                .args(args)
                .output()
                .expect("the command starts"),
        )
    }
}

pub(crate) fn said(output: &Output) -> Said {
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folder with measured traces and reference solutions, or a word that the test is skipped.
pub(crate) fn reference_data(name: &str) -> Option<PathBuf> {
    let base =
        std::env::var_os("BALLAST_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from);
    let path = base.join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!(
        "SKIPPED: {} is absent (set BALLAST_SHARED to the folder with the reference data)",
        path.display()
    );
    None
}

/// A short run with racks, a training job, noise and sets.
pub(crate) const SHORT: &str = r#"
[scenario]
name = "short"

[simulation]
duration_s = 3.0
step_s = 0.002
seed = 11

[[racks]]
name = "hall"
count = 6
node = "hgx-h100"
nodes_per_rack = 4

[[jobs]]
kind = "training"
name = "llm"
start_s = -5.0
iteration_s = 0.5
compute_share = 0.7
iteration_jitter_s = 0.005
node_jitter_s = 0.004

[correlation]
kind = "preset"
name = "training_sync"

[[plant.sets]]
preset = "generic-diesel-1000kw"
name = "G1"

[limits]
frequency_min_hz = 57.0
frequency_max_hz = 63.0
"#;
