//! What is wrong with a table: where, what, and what would be right.

use std::fmt;
use std::path::{Path, PathBuf};

/// One thing wrong with a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableProblem {
    /// The file.
    pub file: PathBuf,
    /// Line in a text file, row in a Parquet file; both count from 1. `None` when the whole file is meant.
    pub line: Option<u64>,
    /// Name of the column, where one is meant.
    pub column: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: String,
}

impl fmt::Display for TableProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": ")?;
        if let Some(column) = &self.column {
            write!(f, "column `{column}`: ")?;
        }
        write!(f, "{}", self.message)?;
        if self.help.is_empty() {
            Ok(())
        } else {
            write!(f, "; {}", self.help)
        }
    }
}

/// Everything wrong with a table, never empty; at most [`TableProblems::PER_KIND`] of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableProblems(pub Vec<TableProblem>);

impl TableProblems {
    /// So many problems of one kind are listed; the rest is counted in one last entry, "and N more".
    pub const PER_KIND: u64 = 20;
}

impl fmt::Display for TableProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for TableProblems {}

/// Kinds of problems, for the cap on how many are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The file cannot be read, or is no table at all.
    File,
    /// A column or a unit is not known.
    Column,
    /// A row has another number of cells than the header.
    Ragged,
    /// A cell is empty.
    Empty,
    /// A cell is no number or time.
    NotANumber,
    /// A cell is NaN or infinite.
    NotFinite,
    /// A cell says another unit than the column.
    CellUnit,
    /// Power below zero.
    Negative,
    /// Power beyond anything.
    TooLarge,
    /// Time does not increase.
    Order,
    /// A series does not cover the time of the others.
    Range,
    /// Too long without a sample.
    Gap,
}

impl Kind {
    fn words(self) -> &'static str {
        match self {
            Self::File => "problems with the file",
            Self::Column => "problems with columns",
            Self::Ragged => "rows with another number of cells",
            Self::Empty => "empty cells",
            Self::NotANumber => "cells that cannot be read",
            Self::NotFinite => "cells that are not finite",
            Self::CellUnit => "cells with another unit",
            Self::Negative => "negative powers",
            Self::TooLarge => "powers that are too large",
            Self::Order => "times that do not increase",
            Self::Range => "series of another range",
            Self::Gap => "gaps",
        }
    }
}

/// Collects the problems of one file.
#[derive(Debug)]
pub(crate) struct Problems {
    file: PathBuf,
    listed: Vec<TableProblem>,
    counts: Vec<(Kind, u64)>,
}

impl Problems {
    pub(crate) fn new(file: &Path) -> Self {
        Self {
            file: file.to_owned(),
            listed: Vec::new(),
            counts: Vec::new(),
        }
    }

    /// Adds a problem; texts are built only when it will be listed.
    pub(crate) fn add(
        &mut self,
        kind: Kind,
        line: Option<u64>,
        column: Option<&str>,
        texts: impl FnOnce() -> (String, String),
    ) {
        let index = self
            .counts
            .iter()
            .position(|(k, _)| *k == kind)
            .unwrap_or_else(|| {
                self.counts.push((kind, 0));
                self.counts.len() - 1
            });
        self.counts[index].1 += 1;
        if self.counts[index].1 <= TableProblems::PER_KIND {
            let (message, help) = texts();
            let file = self.file.clone();
            self.listed.push(TableProblem {
                file,
                line,
                column: column.map(str::to_owned),
                message,
                help,
            });
        }
    }

    /// Adds a problem of the whole file.
    pub(crate) fn file(&mut self, message: impl Into<String>, help: impl Into<String>) {
        self.add(Kind::File, None, None, || (message.into(), help.into()));
    }

    /// Adds a problem with a column or unit.
    pub(crate) fn column(
        &mut self,
        column: Option<&str>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add(Kind::Column, None, column, || (message.into(), help.into()));
    }

    /// Adds what was found in another file.
    pub(crate) fn extend(&mut self, found: TableProblems) {
        self.listed.extend(found.0);
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.file
    }

    /// Lines of what is listed, and how many problems there are.
    pub(crate) fn lines(&self) -> (Vec<u64>, u64) {
        let lines = self.listed.iter().filter_map(|p| p.line).collect();
        (lines, self.counts.iter().map(|(_, n)| n).sum())
    }

    /// Takes over all of another's.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.listed.extend(other.listed);
        self.counts.extend(other.counts);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// All problems, with "and N more" for what was not listed.
    pub(crate) fn into_problems(mut self) -> TableProblems {
        for (kind, count) in self.counts {
            if count > TableProblems::PER_KIND {
                self.listed.push(TableProblem {
                    file: self.file.clone(),
                    line: None,
                    column: None,
                    message: format!(
                        "and {} more {}",
                        count - TableProblems::PER_KIND,
                        kind.words()
                    ),
                    help: String::new(),
                });
            }
        }
        TableProblems(self.listed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_twenty_of_a_kind_are_listed_and_the_rest_counted() {
        let mut problems = Problems::new(Path::new("a.csv"));
        for line in 0..23 {
            problems.add(Kind::Empty, Some(line), Some("p"), || {
                ("empty".into(), "fill".into())
            });
        }
        problems.add(Kind::Gap, Some(9), None, || ("gap".into(), String::new()));
        let all = problems.into_problems();
        assert_eq!(all.0.len(), 22);
        assert_eq!(all.0[21].message, "and 3 more empty cells");
        assert!(
            all.to_string()
                .starts_with("a.csv:0: column `p`: empty; fill\n")
        );
        assert!(all.to_string().contains("a.csv:9: gap\n"));
    }
}
