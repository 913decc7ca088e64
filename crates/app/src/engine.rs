//! Runs beside the window: load, check and run the newest text; cancel what is old; a list of long jobs.
//!
//! A task that is shown answers several times, each more complete than before: verdicts and traces; the same with verdicts looked at over the ranges of weak constants; the
//! same with the run without buffers. `shown` and `compare` are the two kinds of work, `estimate` says how long a run takes and which wait to be asked for,
//! `unbuffered` takes the buffers out, `prepare` makes a text ready to run, `relay` carries answers and progress to the window.

mod compare;
mod estimate;
mod prepare;
mod relay;
mod shown;
mod unbuffered;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use ballast_scenario::{Loaded, Problem};
use ballast_study::StudyError;
use rayon::ThreadPool;

use crate::platform::Platform;
use crate::result::RunResult;
use relay::{Message, Relay, Waker};

pub use estimate::Estimate;

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
    /// The run behind the window: a newer one cancels it. One that would take long answers [`Answer::Long`] and waits to be asked for.
    Shown,
    /// The scenario's variants side by side; stays until it ends or is cancelled.
    Compare,
    /// The run behind the window, however long it takes: the user asked for it.
    ShownAnyway,
}

impl TaskKind {
    fn is_shown(&self) -> bool {
        matches!(self, Self::Shown | Self::ShownAnyway)
    }
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
    /// The text has no problems, but its run takes so long that it is not started without being asked for ([`TaskKind::ShownAnyway`]).
    Long(Estimate),
}

/// Shared with a job under way.
#[derive(Debug, Default)]
pub struct Control {
    /// Set to stop it.
    pub cancel: AtomicBool,
    /// Share done, in millionths.
    pub progress_ppm: AtomicU64,
}

impl Control {
    fn cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    fn share(&self) -> f64 {
        self.progress_ppm.load(Ordering::Relaxed) as f64 / 1e6
    }
}

/// Ended jobs that stay in the list.
const KEPT: usize = 20;

struct Job {
    id: u64,
    label: String,
    shown: bool,
    control: Arc<Control>,
    phase: JobPhase,
}

/// Runs tasks beside the window.
pub struct Engine {
    platform: Arc<dyn Platform>,
    waker: Arc<Waker>,
    sender: std::sync::mpsc::Sender<Message>,
    receiver: Receiver<Message>,
    /// Oldest first.
    jobs: Vec<Job>,
    next: u64,
    /// Threads of the shown run, and of long jobs: neither waits for the other's.
    pools: [Option<Arc<ThreadPool>>; 2],
}

impl Engine {
    /// An engine on this machine. `wake` is called (from any thread, at most ten times a second while something runs) when there is news.
    pub fn new(platform: Arc<dyn Platform>, wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        let (sender, receiver) = channel();
        // Without threads of its own a study runs on those of everyone.
        let pool = || {
            let built = rayon::ThreadPoolBuilder::new().build();
            built.ok().map(Arc::new)
        };
        Self {
            platform,
            waker: Arc::new(Waker::new(wake)),
            sender,
            receiver,
            jobs: Vec::new(),
            next: 1,
            pools: [pool(), pool()],
        }
    }

    /// Starts a task; returns its number. A `Shown` task cancels the one before.
    pub fn start(&mut self, task: Task) -> u64 {
        let started = Instant::now();
        let id = self.next;
        self.next += 1;
        let shown = task.kind.is_shown();
        if shown {
            for job in self.jobs.iter().filter(|j| j.shown) {
                job.control.cancel.store(true, Ordering::Relaxed);
            }
        }
        let control = Arc::new(Control::default());
        let work = if shown { "Run" } else { "Comparison" };
        self.jobs.push(Job {
            id,
            label: format!("{work} of {}", task.name),
            shown,
            control: Arc::clone(&control),
            phase: JobPhase::Running,
        });
        let relay = Relay::new(id, control, self.sender.clone(), Arc::clone(&self.waker));
        let platform = Arc::clone(&self.platform);
        let pool = self.pools[usize::from(!shown)].clone();
        let name = if shown { "run" } else { "compare" };
        self.platform.spawn(
            name,
            Box::new(move || {
                let work = || {
                    let work = || match task.kind {
                        TaskKind::Compare => compare::run(&task, &platform, &relay, started),
                        TaskKind::Shown | TaskKind::ShownAnyway => {
                            shown::run(&task, &platform, &relay, started)
                        }
                    };
                    match &pool {
                        Some(pool) => pool.install(work),
                        None => work(),
                    }
                };
                // A part of the program that fails takes down its own job, not the window.
                let ended = catch_unwind(AssertUnwindSafe(work))
                    .unwrap_or_else(|panic| Err(Stopped::Failed(of_panic(panic.as_ref()))));
                relay.end(ended);
            }),
        );
        id
    }

    /// Stops a job; it answers `Cancelled`.
    pub fn cancel(&mut self, job: u64) {
        if let Some(job) = self.jobs.iter().find(|j| j.id == job) {
            job.control.cancel.store(true, Ordering::Relaxed);
        }
    }

    /// What came in since the last call, in order: number of the job and its answer. Answers of `Shown` jobs that are not the newest are left out.
    pub fn poll(&mut self) -> Vec<(u64, Answer)> {
        let mut answers = Vec::new();
        let newest = self.newest_shown();
        while let Ok(message) = self.receiver.try_recv() {
            let Some(at) = self.jobs.iter().position(|j| j.id == message.job) else {
                continue;
            };
            let old = self.jobs[at].shown && newest != Some(message.job);
            if let Some(phase) = message.ended {
                self.jobs[at].phase = phase;
            }
            if let Some(answer) = message.answer.filter(|_| !old) {
                answers.push((message.job, answer));
            }
        }
        // Runs that a newer one took the place of are no news to anyone.
        self.jobs
            .retain(|j| !j.shown || newest == Some(j.id) || j.phase == JobPhase::Running);
        let ended = |j: &Job| j.phase != JobPhase::Running;
        let mut too_many = self
            .jobs
            .iter()
            .filter(|j| ended(j))
            .count()
            .saturating_sub(KEPT);
        self.jobs.retain(|j| {
            let drop = ended(j) && too_many > 0;
            too_many -= usize::from(drop);
            !drop
        });
        answers
    }

    /// The jobs, newest first; ended ones stay for a while.
    pub fn jobs(&self) -> Vec<JobState> {
        let newest = self.newest_shown();
        let listed = self.jobs.iter().rev();
        let listed = listed.filter(|j| !j.shown || newest == Some(j.id));
        listed
            .map(|j| JobState {
                id: j.id,
                label: j.label.clone(),
                progress: match j.phase {
                    JobPhase::Done => 1.0,
                    _ => j.control.share(),
                },
                phase: j.phase.clone(),
            })
            .collect()
    }

    /// Whether a `Shown` task is under way, and its share done.
    pub fn shown_progress(&self) -> Option<f64> {
        let job = self.jobs.iter().rfind(|j| j.shown)?;
        (job.phase == JobPhase::Running && !job.control.cancelled()).then(|| job.control.share())
    }

    /// How long a run of the scenario takes on this machine, about.
    pub fn estimate(&self, loaded: &Loaded) -> Estimate {
        Estimate::of(&loaded.scenario)
    }

    fn newest_shown(&self) -> Option<u64> {
        self.jobs.iter().rfind(|j| j.shown).map(|j| j.id)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        for job in &self.jobs {
            job.control.cancel.store(true, Ordering::Relaxed);
        }
    }
}

/// Why a job ended without a further result.
enum Stopped {
    Problems(Vec<Problem>),
    Cancelled,
    Failed(String),
    Long(Estimate),
}

impl Stopped {
    /// Of a run of `loaded`.
    fn of(loaded: &Loaded, error: StudyError) -> Self {
        match error {
            StudyError::Input(found) => Self::Problems(ballast_study::placed(loaded, found)),
            StudyError::Interrupted { .. } => Self::Cancelled,
            StudyError::NotFinite { .. } => Self::Failed(format!(
                "{error}: try a smaller simulation.step_s; if it stays, please report it with the scenario"
            )),
            StudyError::Sink(error) => Self::Failed(format!(
                "There is no room for the traces of the run ({error}): free some space in the folder for temporary files, or make the run shorter or its step longer."
            )),
        }
    }
}

/// What a part of the program said when it failed.
fn of_panic(panic: &(dyn Any + Send)) -> String {
    let said = panic.downcast_ref::<&str>().copied();
    let said = said.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!(
        "The run failed inside the program ({}): your scenario is unchanged. Please report it with the scenario.",
        said.unwrap_or("no message")
    )
}

#[cfg(test)]
mod tests;
