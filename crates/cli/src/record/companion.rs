//! Goes along with a recording: the command, the sweep of settings, the numbers on the terminal, the signals.

use std::process::Command;
use std::time::{Duration, Instant};

use ballast_calibrate::{Companion, Live, Metric, NvmlControl, Restoring, Said, Sample, Setting};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::runs::{Runs, Step};

use crate::interrupt;
use crate::printer::Printer;

/// Time between two looks of a person at the numbers.
const SHOWN: Duration = Duration::from_millis(500);
/// A command that was sent the same Ctrl-C ends by itself within this; then it is asked to.
const ASK_S: f64 = 0.5;
/// And is left running after this.
const LEAVE_S: f64 = 5.0;

/// Settings gone through one after the other.
pub(crate) struct Sweep<'a> {
    settings: Restoring<NvmlControl<'a>>,
    steps: Vec<Vec<Setting>>,
    dwell_s: f64,
    next: usize,
}

impl<'a> Sweep<'a> {
    pub(crate) fn new(
        settings: Restoring<NvmlControl<'a>>,
        steps: Vec<Vec<Setting>>,
        dwell_s: f64,
    ) -> Self {
        Self {
            settings,
            steps,
            dwell_s,
            next: 0,
        }
    }

    /// Looks at all settings before any is made.
    pub(crate) fn check(&mut self) -> Result<(), String> {
        let mut wrong: Vec<String> = Vec::new();
        for setting in self.steps.iter().flatten() {
            wrong.extend(
                self.settings
                    .check(*setting)
                    .iter()
                    .map(ToString::to_string),
            );
        }
        wrong.dedup();
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(wrong.join("; "))
        }
    }

    /// Makes the settings whose time has come; returns them in words, and whether the sweep is over.
    pub(crate) fn step(&mut self, t_s: f64) -> Result<(Vec<String>, bool), String> {
        let mut made = Vec::new();
        if self.steps.is_empty() || t_s < self.next as f64 * self.dwell_s {
            return Ok((made, false));
        }
        let Some(step) = self.steps.get(self.next) else {
            return Ok((made, true));
        };
        for setting in step {
            self.settings.apply(*setting).map_err(|e| e.to_string())?;
            made.push(setting.to_string());
        }
        self.next += 1;
        Ok((made, false))
    }
}

/// Sums of one GPU's samples.
#[derive(Debug, Clone, Copy, Default)]
struct Means {
    power_ws: f64,
    polls: u64,
    /// Time and energy of the first and the last sample since the counter began anew.
    first: Option<(f64, f64)>,
    last: Option<(f64, f64)>,
}

impl Means {
    fn add(&mut self, t_s: f64, sample: &Sample) {
        let power_w = sample.power_w();
        if !power_w.is_nan() {
            self.power_ws += power_w;
            self.polls += 1;
        }
        let energy_j = sample.value(Metric::Energy);
        if energy_j.is_nan() {
            return;
        }
        if self.last.is_some_and(|(_, before_j)| energy_j < before_j) {
            self.first = None;
        }
        self.first.get_or_insert((t_s, energy_j));
        self.last = Some((t_s, energy_j));
    }

    fn polled_w(&self) -> Option<f64> {
        (self.polls > 0).then(|| self.power_ws / self.polls as f64)
    }

    /// By the energy counter, since it last began anew.
    fn counter_w(&self) -> Option<f64> {
        let ((from_s, from_j), (to_s, to_j)) = (self.first?, self.last?);
        (to_s > from_s).then(|| (to_j - from_j) / (to_s - from_s))
    }
}

pub(crate) struct Aide<'a> {
    runs: Runs,
    sweep: Sweep<'a>,
    indices: Vec<u32>,
    means: Vec<Means>,
    printer: &'a Printer,
    bar: ProgressBar,
    shown: Option<Instant>,
    /// Words of settings made before the first poll.
    started: bool,
    asked_s: Option<f64>,
    asked_child: bool,
    /// What went wrong in mid-run and ended it.
    pub(crate) failed: Option<String>,
}

impl<'a> Aide<'a> {
    pub(crate) fn new(runs: Runs, sweep: Sweep<'a>, indices: &[u32], printer: &'a Printer) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
            bar.set_style(style);
        }
        Self {
            runs,
            sweep,
            indices: indices.to_vec(),
            means: vec![Means::default(); indices.len()],
            printer,
            bar,
            shown: None,
            started: false,
            asked_s: None,
            asked_child: false,
            failed: None,
        }
    }

    /// Ends the numbers and puts the settings back; returns what could not be put back.
    pub(crate) fn finish(&mut self) -> Vec<String> {
        self.bar.finish_and_clear();
        let failed = self.sweep.settings.restore();
        let mut told: Vec<String> = failed.iter().map(ToString::to_string).collect();
        if let Some(process) = self.runs.running() {
            told.push(format!("the command still runs, as process {process}"));
        }
        told
    }

    /// The command's exit code, 128 and the signal where one ended it; `None` while it runs and without one.
    pub(crate) fn exit_code(&self) -> Option<i32> {
        self.runs.exit_code()
    }

    pub(crate) fn means_json(&self) -> Vec<Value> {
        let gpus = self.indices.iter().zip(&self.means);
        gpus.map(|(index, m)| {
            json!({ "index": index, "polled_mean_w": m.polled_w(), "counter_mean_w": m.counter_w() })
        })
        .collect()
    }

    pub(crate) fn means_text(&self) -> Vec<String> {
        let watts =
            |w: Option<f64>| w.map_or_else(|| "unknown".to_owned(), |w| format!("{w:.1} W"));
        let gpus = self.indices.iter().zip(&self.means);
        gpus.map(|(index, m)| {
            format!(
                "GPU {index}: mean {} by the energy counter, {} by the polls",
                watts(m.counter_w()),
                watts(m.polled_w())
            )
        })
        .collect()
    }

    fn show(&mut self, live: &Live<'_>) {
        for note in live.notes {
            self.bar.suspend(|| {
                self.printer
                    .note(&format!("note: t = {:.1} s: {}", note.time_s, note.label));
            });
        }
        if self.bar.is_hidden() || self.shown.is_some_and(|at| at.elapsed() < SHOWN) {
            return;
        }
        self.shown = Some(Instant::now());
        let gpus: Vec<String> = self
            .indices
            .iter()
            .zip(&live.samples)
            .map(|(index, sample)| numbers(*index, sample))
            .collect();
        let missed = if live.missed > 0 {
            format!("  {} missed", live.missed)
        } else {
            String::new()
        };
        self.bar
            .set_message(format!("{:.1} s{missed}  {}", live.t_s, gpus.join("  |  ")));
    }

    /// Looks after the command; says when it has ended.
    fn command(&mut self, t_s: f64, said: &mut Said) {
        if !self.runs.is_any() {
            return;
        }
        if !self.started {
            said.marks.push("start".to_owned());
            said.metadata
                .push(("ballast.command".to_owned(), self.runs.words()));
        }
        match self.runs.step(t_s, self.asked_s.is_some()) {
            Step::Began => said.marks.push("start".to_owned()),
            Step::Rests => said.marks.push("exit".to_owned()),
            Step::Over => {
                said.marks.push("exit".to_owned());
                let code = self.exit_code().map_or_else(String::new, |c| c.to_string());
                said.metadata.push(("ballast.exit_code".to_owned(), code));
                said.end = Some("command".to_owned());
            }
            Step::Failed(why) => {
                self.failed = Some(why);
                said.end = Some("the command cannot be started again".to_owned());
            }
            Step::On => self.asked(t_s, said),
        }
    }

    /// Ends the command after a Ctrl-C.
    fn asked(&mut self, t_s: f64, said: &mut Said) {
        let Some(asked_s) = self.asked_s else { return };
        let Some(process) = self.runs.running() else {
            said.end = Some("asked".to_owned());
            return;
        };
        if t_s - asked_s > LEAVE_S {
            said.end = Some("asked".to_owned());
        } else if t_s - asked_s > ASK_S && !self.asked_child {
            self.asked_child = true;
            // A program that has just ended by itself is no failure.
            drop(
                Command::new("kill")
                    .args(["-TERM", &process.to_string()])
                    .status(),
            );
        }
    }
}

/// One GPU's numbers, short.
fn numbers(index: u32, sample: &Sample) -> String {
    if sample.is_lost() {
        return format!("GPU {index} lost");
    }
    let shown = |reading: Metric, scale: f64, unit: &str| {
        let value = sample.value(reading);
        if value.is_nan() {
            String::new()
        } else {
            format!(" {:.0}{unit}", value * scale)
        }
    };
    let power_w = sample.power_w();
    let power = if power_w.is_nan() {
        "no power".to_owned()
    } else {
        format!("{power_w:.0} W")
    };
    format!(
        "GPU {index} {power}{}{}{}",
        shown(Metric::Utilisation, 100.0, " %"),
        shown(Metric::SmClock, 1.0, " MHz"),
        shown(Metric::Temperature, 1.0, " °C")
    )
}

impl Companion for Aide<'_> {
    fn after_poll(&mut self, live: &Live<'_>) -> Said {
        let mut said = Said::default();
        for (means, sample) in self.means.iter_mut().zip(&live.samples) {
            means.add(live.t_s, sample);
        }
        self.show(live);
        if self.asked_s.is_none() && interrupt::asked() {
            self.asked_s = Some(live.t_s);
        }
        self.command(live.t_s, &mut said);
        if !self.started {
            // Made just before the first poll.
            let first = self.sweep.steps.first().into_iter().flatten();
            said.marks.extend(first.map(ToString::to_string));
        }
        self.started = true;
        if self.asked_s.is_some() && !self.runs.is_any() {
            said.end = Some("asked".to_owned());
        }
        if said.end.is_none() && self.asked_s.is_none() {
            match self.sweep.step(live.t_s) {
                Ok((made, over)) => {
                    said.marks.extend(made);
                    if over && !self.runs.is_any() {
                        said.end = Some("sweep".to_owned());
                    }
                }
                Err(wrong) => {
                    self.failed = Some(wrong);
                    said.end = Some("a setting failed".to_owned());
                }
            }
        }
        said
    }
}
