//! Runs beside the window: load, check and run the newest text; cancel what is old; a list of long jobs.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use ballast_scenario::Problem;

use crate::platform::Platform;
use crate::result::RunResult;

/// What to run.
#[derive(Debug, Clone)]
pub struct Task {
    /// The document's text.
    pub text: Arc<str>,
    /// What stands for the file in messages.
    pub name: String,
    /// Folder that files are relative to.
    pub base_dir: PathBuf,
    /// Kind of work.
    pub kind: TaskKind,
}

/// Kinds of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskKind {
    /// The run behind the window: a newer one cancels it.
    Shown,
    /// The scenario's variants side by side; stays until it ends or is cancelled.
    Compare,
}

/// A job of the list.
#[derive(Debug, Clone)]
pub struct JobState {
    /// Number.
    pub id: u64,
    /// What it is.
    pub label: String,
    /// Share done, 0 to 1.
    pub progress: f64,
    /// State.
    pub phase: JobPhase,
}

/// Where a job is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobPhase {
    /// Under way.
    Running,
    /// Finished.
    Done,
    /// Stopped by the user or by a newer one.
    Cancelled,
    /// Ended without a result; in words, with what to do.
    Failed(String),
}

/// What became of a task.
#[derive(Debug, Clone)]
pub enum Answer {
    /// The text has problems: nothing was run.
    Problems(Vec<Problem>),
    /// A result. The same job may answer again with more looked at (ranges of weak constants, the run without buffers).
    Result(Arc<RunResult>),
    /// Results of a comparison: the scenario first, then its variants.
    Compared(Vec<Arc<RunResult>>),
    /// It was cancelled.
    Cancelled,
    /// It failed; in words, with what to do.
    Failed(String),
}

/// Shared with a job under way.
#[derive(Debug, Default)]
pub struct Control {
    /// Set to stop it.
    pub cancel: AtomicBool,
    /// Share done, in millionths.
    pub progress_ppm: AtomicU64,
}

/// Runs tasks beside the window.
pub struct Engine {
    platform: Arc<dyn Platform>,
}

impl Engine {
    /// An engine on this machine. `wake` is called (from any thread, at most ten times a second while something runs) when there is news.
    pub fn new(platform: Arc<dyn Platform>, wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        let _ = wake;
        Self { platform }
    }

    /// Starts a task; returns its number. A `Shown` task cancels the one before.
    pub fn start(&mut self, task: Task) -> u64 {
        let _ = (&self.platform, task);
        0
    }

    /// Stops a job; it answers `Cancelled`.
    pub fn cancel(&mut self, job: u64) {
        let _ = job;
    }

    /// What came in since the last call, in order: number of the job and its answer. Answers of `Shown` jobs that are not the newest are left out.
    pub fn poll(&mut self) -> Vec<(u64, Answer)> {
        Vec::new()
    }

    /// The jobs, newest first; ended ones stay for a while.
    pub fn jobs(&self) -> Vec<JobState> {
        Vec::new()
    }

    /// Whether a `Shown` task is under way, and its share done.
    pub fn shown_progress(&self) -> Option<f64> {
        None
    }
}
