//! Runs: automatic after a pause in typing, newest wins; the old result stays, greyed, until the new one is there.

use std::sync::Arc;

use crate::engine::{Answer, Task, TaskKind};
use crate::result::RunResult;

use super::{App, Bottom, Page};

/// Pause in typing after which the scenario runs, seconds.
const PAUSE_S: f64 = 0.15;

/// What runs, and what was found.
#[derive(Default)]
pub(super) struct Runs {
    /// What is shown.
    pub(super) result: Option<Arc<RunResult>>,
    /// Results of the last comparison of variants.
    pub(super) compared: Vec<Arc<RunResult>>,
    /// The text that was looked at last.
    seen: Option<Arc<str>>,
    /// The text that ran last, or tried to.
    ran: Option<Arc<str>>,
    /// When it changed, in the time of the window; none once the run is under way.
    changed_s: Option<Changed>,
    /// The run takes so long that it waits to be asked for; how long, in words.
    pub(super) waits: Option<String>,
    /// The run behind the window.
    job: Option<u64>,
    /// The last comparison of variants.
    comparison: Option<u64>,
    /// Results by job, for the list of jobs.
    by_job: Vec<(u64, Arc<RunResult>)>,
}

#[derive(Clone, Copy)]
enum Changed {
    /// In this frame.
    Now,
    /// Then.
    At(f64),
}

/// Results kept for the list of jobs.
const KEPT: usize = 4;

impl App {
    /// Problems and form of the text as it stands now; the run follows after a pause.
    pub(super) fn look_at_text(&mut self) {
        let text = self.document.text();
        if self.runs.seen.as_deref() == Some(text) {
            return;
        }
        let text: Arc<str> = Arc::from(text);
        let loaded = ballast_scenario::load_str(&self.file_name(), &text, &self.base_dir(), &[]);
        self.problems = loaded.map_or_else(|problems| problems.0, |_| Vec::new());
        self.form.update(&text, &self.problems);
        self.runs.seen = Some(text);
        self.runs.waits = None;
        self.runs.changed_s = Some(Changed::Now);
        self.ctx.request_repaint();
    }

    /// What stands for the file in messages.
    fn file_name(&self) -> String {
        match self.document.path() {
            Some(path) => path.display().to_string(),
            None => format!("{}.toml", self.name()),
        }
    }

    /// Another document: what was found of the last one is not its.
    pub(super) fn forget_result(&mut self) {
        self.cancel_run();
        self.runs = Runs::default();
        self.pinned.clear();
        self.problems.clear();
        self.time.whole_s = (0.0, 1.0);
        (self.time.from_s, self.time.to_s) = self.time.whole_s;
        self.time.cursor_s = None;
    }

    /// Starts the run once nothing was typed for a while.
    pub(super) fn run_when_due(&mut self, now_s: f64) {
        match self.runs.changed_s {
            None => {}
            Some(Changed::Now) => {
                self.runs.changed_s = Some(Changed::At(now_s));
                self.ctx
                    .request_repaint_after(std::time::Duration::from_secs_f64(PAUSE_S));
            }
            Some(Changed::At(at_s)) if now_s - at_s >= PAUSE_S => {
                self.runs.changed_s = None;
                let text = self.document.text();
                if self.runs.ran.as_deref() == Some(text) && !self.stale() {
                    return;
                }
                if self.problems.is_empty() {
                    self.start(TaskKind::Shown);
                } else {
                    // Nothing to run, and what runs is of an older text.
                    self.cancel_run();
                }
            }
            Some(Changed::At(at_s)) => {
                let left_s = (PAUSE_S - (now_s - at_s)).clamp(0.0, PAUSE_S);
                self.ctx
                    .request_repaint_after(std::time::Duration::from_secs_f64(left_s));
            }
        }
    }

    /// Runs now, however long it takes.
    pub(super) fn run_now(&mut self) {
        // The text is the same, but a file that it names may have been mended.
        self.runs.seen = None;
        self.look_at_text();
        self.runs.changed_s = None;
        self.runs.waits = None;
        if self.problems.is_empty() {
            self.start(TaskKind::ShownAnyway);
        } else {
            self.bottom_open = true;
            self.bottom = Bottom::Problems;
        }
    }

    pub(super) fn compare_variants(&mut self) {
        self.start(TaskKind::Compare);
        self.bottom_open = true;
        self.bottom = Bottom::Jobs;
    }

    fn start(&mut self, kind: TaskKind) {
        let text: Arc<str> = Arc::from(self.document.text());
        if kind != TaskKind::Compare {
            self.runs.ran = Some(Arc::clone(&text));
        }
        let task = Task {
            text,
            name: self.file_name(),
            base_dir: self.base_dir(),
            kind,
        };
        let shown = task.kind != TaskKind::Compare;
        let job = Some(self.engine.start(task));
        if shown {
            self.runs.job = job;
        } else {
            self.runs.comparison = job;
        }
    }

    pub(super) fn cancel_run(&mut self) {
        self.runs.changed_s = None;
        if let Some(job) = self.runs.job {
            self.engine.cancel(job);
        }
    }

    /// Takes in what the engine found.
    pub(super) fn take_answers(&mut self) {
        for (job, answer) in self.engine.poll() {
            match answer {
                Answer::Problems(problems) => {
                    self.problems = problems;
                    self.form.update(self.document.text(), &self.problems);
                }
                Answer::Result(result) => self.take_result(job, result),
                Answer::Compared(results) => {
                    self.runs.compared = results;
                    self.page = Page::Compare;
                }
                Answer::Cancelled => {}
                Answer::Failed(text) => self.warn(text),
                Answer::Long(estimate) => self.runs.waits = Some(estimate.text()),
            }
        }
    }

    fn take_result(&mut self, job: u64, result: Arc<RunResult>) {
        self.runs.by_job.retain(|(id, _)| *id != job);
        self.runs.by_job.insert(0, (job, Arc::clone(&result)));
        self.runs.by_job.truncate(KEPT);
        self.show_result(result);
    }

    fn show_result(&mut self, result: Arc<RunResult>) {
        let traces = &result.traces;
        let simulation = &result.outcome.scenario.simulation;
        let whole_s = if traces.samples > 1 {
            (traces.t0_s, traces.end_s())
        } else {
            (
                simulation.start_s,
                simulation.start_s + simulation.duration_s,
            )
        };
        if whole_s != self.time.whole_s && whole_s.1 > whole_s.0 {
            self.time.whole_s = whole_s;
            (self.time.from_s, self.time.to_s) = whole_s;
        }
        self.runs.result = Some(result);
    }

    pub(super) fn show_job(&mut self, id: u64) {
        match self.runs.by_job.iter().find(|(job, _)| *job == id) {
            Some((_, result)) => {
                let result = Arc::clone(result);
                self.show_result(result);
                self.page = Page::Plots;
            }
            None if self.runs.comparison == Some(id) && !self.runs.compared.is_empty() => {
                self.page = Page::Compare;
            }
            None => self.inform("The result of this job is no longer kept: run it again"),
        }
    }
}
