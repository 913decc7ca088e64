//! Scenario files that load, and scenario files whose every problem is named in their first lines.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use ballast_scenario::{Problem, load, load_all};

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/corpus")
        .join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    files
}

/// `# expect: <line>: <key>: <part of message or help>`
fn expectations(path: &Path) -> Vec<(u32, String, String)> {
    let text = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
    text.lines()
        .filter_map(|line| line.strip_prefix("# expect: "))
        .map(|rest| {
            let mut parts = rest.splitn(3, ": ");
            let mut next = || {
                parts
                    .next()
                    .unwrap_or_else(|| panic!("{}: {rest}", path.display()))
                    .trim()
                    .to_owned()
            };
            (next().parse().unwrap(), next(), next())
        })
        .collect()
}

fn fits(problem: &Problem, (line, key, part): &(u32, String, String)) -> bool {
    problem.line == Some(*line)
        && problem.key == *key
        && (problem.message.contains(part) || problem.help.contains(part))
}

#[test]
fn valid_files_load_without_warnings() {
    let files = files("valid");
    assert!(files.len() >= 8);
    for path in files {
        for loaded in load_all(&path, &[]).unwrap_or_else(|problems| panic!("{problems}")) {
            assert_eq!(loaded.warnings, [], "{}", path.display());
            assert_eq!(loaded.sha256.len(), 64);
        }
    }
}

#[test]
fn every_problem_of_an_invalid_file_is_found_in_its_place() {
    let files = files("invalid");
    assert!(files.len() >= 40);
    let mut wrong = String::new();
    for path in files {
        let expected = expectations(&path);
        let found = load_all(&path, &[]).err().map(|p| p.0).unwrap_or_default();
        let missed: Vec<_> = expected
            .iter()
            .filter(|e| !found.iter().any(|p| fits(p, e)))
            .collect();
        if !missed.is_empty() || found.len() != expected.len() || expected.is_empty() {
            writeln!(
                wrong,
                "{}: {} expected\nmissed {missed:?}",
                path.display(),
                expected.len()
            )
            .unwrap();
            for p in &found {
                writeln!(wrong, "  found {p}").unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_problem_says_what_would_be_right() {
    for path in files("invalid") {
        for problem in load_all(&path, &[]).unwrap_err().0 {
            assert!(!problem.help.trim().is_empty(), "{problem}");
            assert!(
                problem
                    .file
                    .ends_with(path.file_name().unwrap().to_str().unwrap()),
                "{problem}"
            );
        }
    }
}

#[test]
fn a_file_that_is_not_there_is_a_problem() {
    let problems = load(Path::new("no/such/file.toml"), &[]).unwrap_err();
    assert!(
        problems
            .to_string()
            .starts_with("no/such/file.toml: cannot be read"),
        "{problems}"
    );
}
