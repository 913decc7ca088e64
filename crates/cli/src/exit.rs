//! What a run ends with.

use std::process::ExitCode;

use ballast_study::outcome::{Outcome, Status, Verdict};

/// Exit status of the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Every limit that was checked passes.
    Pass,
    /// A limit fails, is inconclusive, or was given but could not be checked.
    Fail,
    /// Bad input, or the output could not be written.
    BadInput,
    /// Numerical failure.
    Numerical,
    /// No GPU can be measured: no driver, no library, no GPU, no permission, or none is left.
    NoGpu,
    /// Stopped by the user.
    Interrupted,
}

impl Exit {
    /// The code as a number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 1,
            Self::BadInput => 2,
            Self::Numerical => 3,
            Self::NoGpu => 4,
            Self::Interrupted => 130,
        }
    }
}

impl From<&Outcome> for Exit {
    /// A limit that somebody gave and nobody looked at is no pass; one that nobody gave is.
    fn from(outcome: &Outcome) -> Self {
        match outcome.overall {
            Status::Fail | Status::Inconclusive => Self::Fail,
            Status::Pass | Status::NotChecked if outcome.all_verdicts().any(Verdict::unseen) => {
                Self::Fail
            }
            Status::Pass | Status::NotChecked => Self::Pass,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
