//! The command that runs while power is recorded: once, or again and again at other phases of the sensor.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::json;

/// Rest between two runs, seconds: their ends and beginnings stay apart in the log.
const REST_S: f64 = 2.0;
/// What the beginnings are spread over, seconds: the longest time between updates of a sensor (100 ms, Yang et al., SC24). Polls are no finer than
/// their own interval, so that without this all runs would begin at the same few phases.
const UPDATE_S: f64 = 0.1;

/// Starts a command; none for an empty one. The error says which could not be started.
pub(super) fn spawn(command: &[String]) -> Option<Result<Child, String>> {
    let (program, arguments) = command.split_first()?;
    let started = Command::new(program)
        .args(arguments)
        .stdin(Stdio::inherit())
        .spawn();
    Some(started.map_err(|e| format!("the command {program:?} cannot be started: {e}")))
}

/// What became of the command at a poll.
pub(super) enum Step {
    /// It runs, or rests until its next run.
    On,
    /// Another run has begun.
    Began,
    /// A run has ended and another follows.
    Rests,
    /// The last run has ended.
    Over,
    /// It could not be started again.
    Failed(String),
}

/// Runs of the command.
pub(super) struct Runs {
    command: Vec<String>,
    poll_s: f64,
    count: u32,
    /// Runs begun.
    begun: u32,
    child: Option<Child>,
    ended: Option<ExitStatus>,
    /// When the next run begins, seconds of the recording.
    next_s: Option<f64>,
}

impl Runs {
    /// The first run has been started, unless there is no command.
    pub(super) fn new(command: &[String], count: u32, poll_s: f64, child: Option<Child>) -> Self {
        Self {
            command: command.to_vec(),
            poll_s,
            count,
            begun: 1,
            child,
            ended: None,
            next_s: None,
        }
    }

    /// Whether there is a command that runs or will run.
    pub(super) fn is_any(&self) -> bool {
        self.child.is_some() || self.next_s.is_some()
    }

    /// The command as JSON text.
    pub(super) fn words(&self) -> String {
        json!(self.command).to_string()
    }

    /// Process that still runs.
    pub(super) fn running(&self) -> Option<u32> {
        self.child
            .as_ref()
            .filter(|_| self.ended.is_none())
            .map(Child::id)
    }

    /// Exit code of the last run that ended, 128 and the signal where one ended it; `None` before and without a command.
    pub(super) fn exit_code(&self) -> Option<i32> {
        let ended = self.ended?;
        #[cfg(unix)]
        {
            use std::os::unix::process::ExitStatusExt;
            ended.code().or_else(|| ended.signal().map(|s| 128 + s))
        }
        #[cfg(not(unix))]
        ended.code()
    }

    /// Looks after it at a poll; `last` where no further run may begin.
    pub(super) fn step(&mut self, t_s: f64, last: bool) -> Step {
        if let Some(at_s) = self.next_s {
            if last || t_s + self.poll_s < at_s {
                return Step::On;
            }
            // At most a poll's interval.
            std::thread::sleep(Duration::from_secs_f64(
                (at_s - t_s).clamp(0.0, self.poll_s),
            ));
            self.next_s = None;
            self.ended = None;
            return match spawn(&self.command) {
                Some(Ok(child)) => {
                    self.begun += 1;
                    self.child = Some(child);
                    Step::Began
                }
                Some(Err(why)) => Step::Failed(why),
                None => Step::Over,
            };
        }
        let Some(child) = &mut self.child else {
            return Step::On;
        };
        let Ok(Some(status)) = child.try_wait() else {
            return Step::On;
        };
        self.ended = Some(status);
        if last || self.begun >= self.count || !status.success() {
            return Step::Over;
        }
        let phase = f64::from(self.begun) / f64::from(self.count);
        self.next_s = Some(t_s + REST_S + phase * UPDATE_S);
        Step::Rests
    }
}
