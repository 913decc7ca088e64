//! What a run ends with.

use std::process::ExitCode;

use ballast_study::outcome::Status;

/// Exit status of the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Every limit that was checked passes.
    Pass,
    /// A limit fails or is inconclusive.
    Fail,
    /// Bad input, or the output could not be written.
    BadInput,
    /// Numerical failure.
    Numerical,
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
            Self::Interrupted => 130,
        }
    }
}

impl From<Status> for Exit {
    fn from(status: Status) -> Self {
        match status {
            Status::Pass | Status::NotChecked => Self::Pass,
            Status::Fail | Status::Inconclusive => Self::Fail,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
