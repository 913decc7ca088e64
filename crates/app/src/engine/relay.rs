//! From a job's thread to the window: answers, progress, and a call to look.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::time::Instant;

use ballast_study::Observer;

use super::{Answer, Control, JobPhase, Stopped};

/// What a job has to say.
pub(super) struct Message {
    pub(super) job: u64,
    pub(super) answer: Option<Answer>,
    /// Set with the last one.
    pub(super) ended: Option<JobPhase>,
}

/// Milliseconds between two calls for progress alone.
const PROGRESS_MS: u64 = 100;

/// Calls the window, for progress at most ten times a second over all jobs.
pub(super) struct Waker {
    wake: Arc<dyn Fn() + Send + Sync>,
    since: Instant,
    /// Milliseconds after `since` before which progress calls nobody.
    next_ms: AtomicU64,
}

impl Waker {
    pub(super) fn new(wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        Self {
            wake,
            since: Instant::now(),
            next_ms: AtomicU64::new(0),
        }
    }

    fn progress(&self) {
        let now_ms = self.since.elapsed().as_millis() as u64;
        let due_ms = self.next_ms.load(Ordering::Relaxed);
        let order = Ordering::Relaxed;
        let next_ms = now_ms + PROGRESS_MS;
        if now_ms >= due_ms
            && self
                .next_ms
                .compare_exchange(due_ms, next_ms, order, order)
                .is_ok()
        {
            (self.wake)();
        }
    }
}

/// One job's way to the window.
pub(super) struct Relay {
    job: u64,
    control: Arc<Control>,
    sender: Sender<Message>,
    waker: Arc<Waker>,
}

impl Relay {
    pub(super) fn new(
        job: u64,
        control: Arc<Control>,
        sender: Sender<Message>,
        waker: Arc<Waker>,
    ) -> Self {
        Self {
            job,
            control,
            sender,
            waker,
        }
    }

    pub(super) fn job(&self) -> u64 {
        self.job
    }

    /// An answer that is not the last.
    pub(super) fn answer(&self, answer: Answer) {
        self.send(Some(answer), None);
    }

    /// The job has ended; without a further answer where all are given.
    pub(super) fn end(&self, ended: Result<(), Stopped>) {
        let (answer, phase) = match ended {
            Ok(()) => (None, JobPhase::Done),
            Err(Stopped::Cancelled) => (Some(Answer::Cancelled), JobPhase::Cancelled),
            Err(Stopped::Long(estimate)) => (Some(Answer::Long(estimate)), JobPhase::Done),
            Err(Stopped::Failed(why)) => (Some(Answer::Failed(why.clone())), JobPhase::Failed(why)),
            Err(Stopped::Problems(problems)) => {
                let why = format!("{} problems in the scenario", problems.len());
                (Some(Answer::Problems(problems)), JobPhase::Failed(why))
            }
        };
        self.send(answer, Some(phase));
    }

    /// Ends the job's work early if it was cancelled.
    pub(super) fn go_on(&self) -> Result<(), Stopped> {
        if self.control.cancelled() {
            Err(Stopped::Cancelled)
        } else {
            Ok(())
        }
    }

    /// The part of the job from `from` to `to` of its whole, as a study sees it.
    pub(super) fn part(&self, from: f64, to: f64) -> Part<'_> {
        Part {
            relay: self,
            from,
            to,
        }
    }

    fn send(&self, answer: Option<Answer>, ended: Option<JobPhase>) {
        let message = Message {
            job: self.job,
            answer,
            ended,
        };
        // Nobody listens when the window is gone.
        if self.sender.send(message).is_ok() {
            (self.waker.wake)();
        }
    }
}

/// A stretch of a job's progress.
pub(super) struct Part<'a> {
    relay: &'a Relay,
    from: f64,
    to: f64,
}

impl Observer for Part<'_> {
    fn progress(&self, share: f64) {
        let all = self.from + share * (self.to - self.from);
        let progress = &self.relay.control.progress_ppm;
        // Calls come from several threads in any order: progress never goes back.
        progress.fetch_max((all * 1e6) as u64, Ordering::Relaxed);
        self.relay.waker.progress();
    }

    fn cancelled(&self) -> bool {
        self.relay.control.cancelled()
    }
}
