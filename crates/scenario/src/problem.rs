//! What is wrong with a scenario, and where.

use std::fmt;
use std::path::PathBuf;

use crate::tree::{Origin, Sources};

/// One thing that is wrong in a scenario, with its place and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// File, preset or `--set` argument the value comes from.
    pub file: String,
    /// Line, from 1. Absent for values that come from no text.
    pub line: Option<u32>,
    /// Column in characters, from 1.
    pub column: Option<u32>,
    /// Dotted path of the key; entries of arrays by number from 0. Empty if it concerns the file as a whole.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
            if let Some(column) = self.column {
                write!(f, ":{column}")?;
            }
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.message)?;
        if !self.help.is_empty() {
            write!(f, "\n  help: {}", self.help)?;
        }
        Ok(())
    }
}

/// All problems found in a scenario, by file, line and column; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.0 {
            writeln!(f, "{problem}")?;
        }
        match self.0.len() {
            1 => f.write_str("1 problem"),
            n => write!(f, "{n} problems"),
        }
    }
}

impl std::error::Error for Problems {}

impl Problems {
    /// Sorted and without repetition.
    pub(crate) fn sorted(mut problems: Vec<Problem>) -> Self {
        problems.sort_by(|a, b| {
            (&a.file, a.line, a.column, &a.key, &a.message)
                .cmp(&(&b.file, b.line, b.column, &b.key, &b.message))
        });
        problems.dedup();
        Self(problems)
    }
}

/// Collects problems while a scenario is read. Nothing stops at the first.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// The texts that values come from.
    pub(crate) sources: Sources,
    /// Folder that preset files are relative to.
    pub(crate) base_dir: PathBuf,
    /// What makes the scenario unusable.
    pub(crate) problems: Vec<Problem>,
    /// What looks wrong in a scenario that can be used.
    pub(crate) warnings: Vec<Problem>,
}

impl Report {
    /// Adds a problem.
    pub(crate) fn error(
        &mut self,
        origin: Origin,
        key: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let problem = self.problem(origin, key, message.into(), help.into());
        self.problems.push(problem);
    }

    /// Adds a warning.
    pub(crate) fn warn(
        &mut self,
        origin: Origin,
        key: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let problem = self.problem(origin, key, message.into(), help.into());
        self.warnings.push(problem);
    }

    fn problem(&self, origin: Origin, key: &str, message: String, help: String) -> Problem {
        let place = self.sources.place(origin);
        Problem {
            file: place.file,
            line: place.line,
            column: place.column,
            key: key.to_owned(),
            message,
            help,
        }
    }
}
