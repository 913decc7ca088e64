//! A stand-in for NVIDIA's library, loaded through the real wrapper, for the tests of `doctor`, `record` and `calibrate`.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use ballast_calibrate::{Recording, recording_of};
use ballast_tables::{TraceOptions, read_table};
use serde_json::Value;

use crate::common::{Bench, Said, said};

pub(crate) fn library() -> PathBuf {
    nvml_standin::library().unwrap()
}

/// The command with the stand-in and its script.
pub(crate) fn command(bench: &Bench, script: &str, words: &[&str]) -> Command {
    let (name, rest) = words.split_first().unwrap();
    let mut command = bench.command();
    command
        .env(nvml_standin::VARIABLE, script)
        .args([name, "--lib"])
        .arg(library())
        .args(rest);
    command
}

pub(crate) fn ballast(bench: &Bench, script: &str, words: &[&str]) -> Said {
    said(&command(bench, script, words).output().unwrap())
}

pub(crate) fn json(said: &Said) -> Value {
    serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {}{}", said.out, said.err))
}

pub(crate) fn recording(path: &Path) -> Recording {
    let table = read_table(path).unwrap_or_else(|e| panic!("{e}"));
    recording_of(&table.columns, &table.metadata, &table.sha256).unwrap()
}

/// A machine with other work may hold up a poll for longer than a trace's usual gap.
pub(crate) fn patient() -> TraceOptions {
    TraceOptions {
        max_gap_s: Some(10.0),
        ..TraceOptions::default()
    }
}

pub(crate) fn meta(path: &Path, key: &str) -> Option<String> {
    let table = read_table(path).unwrap_or_else(|e| panic!("{e}"));
    table
        .metadata
        .into_iter()
        .find(|(k, _)| k == key)
        .map(|(_, v)| v)
}

pub(crate) fn finite(column: Option<&Vec<f64>>) -> usize {
    column.map_or(0, |c| c.iter().filter(|v| v.is_finite()).count())
}

pub(crate) fn notes(said: &Value) -> Vec<&str> {
    let listed = said["notes"].as_array().unwrap();
    listed
        .iter()
        .map(|n| n["label"].as_str().unwrap())
        .collect()
}

/// Asks a process to end.
pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

/// Waits for something to come true; a loaded machine gets its time.
pub(crate) fn until(what: &str, mut is: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is() {
        assert!(
            start.elapsed() < Duration::from_mins(1),
            "{what} did not come"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) fn parts(folder: &Path) -> usize {
    std::fs::read_dir(folder).map_or(0, |entries| {
        entries
            .filter(|e| {
                e.as_ref()
                    .unwrap()
                    .path()
                    .extension()
                    .is_some_and(|x| x == "parquet")
            })
            .count()
    })
}
