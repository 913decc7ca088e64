//! The assistant: source → recording → calibration → findings → profile.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use ballast_calibrate::{Origin, calibrate};

use crate::action::{Action, Actions};
use crate::document::Document;
use crate::platform::{Pick, Platform};

use super::report::Report;
use super::{LiveAction, LiveFrom, LiveModel, LiveState, RecordRequest, Wake, profile_text, say};

/// Shortest and longest recording that the assistant makes, seconds. Gates ask for 60 s of steady work.
const DURATION_S: (f64, f64) = (1.0, 86_400.0);

/// Where the assistant is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Choose where the power comes from.
    #[default]
    Source,
    /// Say what to record, and record it.
    Record,
    /// The calibration runs.
    Calibrate,
    /// Look at what was found.
    Findings,
    /// Name the profile and save it.
    Profile,
}

impl Step {
    /// All steps in order.
    pub const ALL: [Self; 5] = [
        Self::Source,
        Self::Record,
        Self::Calibrate,
        Self::Findings,
        Self::Profile,
    ];

    /// In words.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Source => "Source",
            Self::Record => "Record",
            Self::Calibrate => "Calibrate",
            Self::Findings => "Findings",
            Self::Profile => "Profile",
        }
    }
}

/// What the assistant is asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum AssistantAction {
    /// Record GPUs of this machine.
    UseMachine,
    /// Choose a recorded file.
    UseFile,
    /// Take the recording that is being shown.
    UseShown,
    /// Choose where to record to.
    ChooseFile,
    /// Record.
    Record {
        /// Which GPUs, by their place in the list.
        gpus: Vec<u32>,
        /// For how long, as typed ("2 min").
        duration: String,
    },
    /// Stop the calibration.
    Cancel,
    /// Go to an earlier step, or on from the findings.
    Go(Step),
    /// Choose where to save the profile.
    Save {
        /// Name of the profile.
        name: String,
        /// Thermal design power as typed; empty: as the recording has it.
        tdp: String,
    },
    /// Put the saved profile into the scenario.
    PutIntoScenario,
}

/// What the thread that calibrates has to say.
type Calibrated = Result<Box<Report>, String>;

/// A calibration under way.
struct Running {
    answer: Receiver<Calibrated>,
    stage: Arc<AtomicU8>,
    since: Instant,
    file: PathBuf,
}

/// The assistant.
pub struct Assistant {
    platform: Arc<dyn Platform>,
    wake: Wake,
    running: Option<Running>,
    wants_file: bool,
    /// Where it is.
    pub step: Step,
    /// What stands in the way: a sentence with what to do.
    pub problem: Option<String>,
    /// Where to record to.
    pub file: Option<PathBuf>,
    /// What was found.
    pub report: Option<Arc<Report>>,
    /// The profile as text, with the name it was given.
    text: Option<(String, String)>,
    /// Where the profile was saved.
    pub saved: Option<PathBuf>,
    /// Under which name it stands in the scenario.
    pub inserted: Option<String>,
}

impl Assistant {
    pub(super) fn new(platform: Arc<dyn Platform>, wake: Wake) -> Self {
        Self {
            platform,
            wake,
            running: None,
            wants_file: false,
            step: Step::default(),
            problem: None,
            file: None,
            report: None,
            text: None,
            saved: None,
            inserted: None,
        }
    }

    /// What the calibration is doing, in words, and since when; none while none runs.
    pub fn calibrating(&self) -> Option<(&'static str, Duration)> {
        let running = self.running.as_ref()?;
        let words = match running.stage.load(Ordering::Relaxed) {
            0 => "Reading the recording",
            _ => "Looking for phases, and playing the profile back beside the recording",
        };
        Some((words, running.since.elapsed()))
    }

    /// The file that is calibrated.
    pub fn calibrating_file(&self) -> Option<&Path> {
        self.running.as_ref().map(|r| r.file.as_path())
    }

    /// Whether a recording that is chosen now is for the assistant.
    pub(super) fn wants_file(&mut self) -> bool {
        std::mem::take(&mut self.wants_file)
    }

    pub(super) fn record_to(&mut self, file: PathBuf) {
        self.problem = None;
        self.file = Some(file);
    }

    /// The recording is whole.
    pub(super) fn recorded(&mut self, file: PathBuf) {
        // A second recording must not go to the same file.
        self.file = None;
        self.calibrate(file);
    }

    /// There is no recording.
    pub(super) fn not_recorded(&mut self, why: &str) {
        if self.step == Step::Record {
            self.problem = Some(why.to_owned());
        }
    }

    /// Calibrates a file beside the window.
    pub(super) fn calibrate(&mut self, file: PathBuf) {
        let (sender, answer) = channel();
        let stage = Arc::new(AtomicU8::new(0));
        self.running = Some(Running {
            answer,
            stage: stage.clone(),
            since: Instant::now(),
            file: file.clone(),
        });
        self.step = Step::Calibrate;
        self.problem = None;
        self.report = None;
        self.saved = None;
        self.inserted = None;
        let (platform, wake) = (self.platform.clone(), self.wake.clone());
        self.platform.spawn(
            "calibration",
            Box::new(move || {
                // Nobody listens any more after a cancel.
                drop(sender.send(work(platform.as_ref(), &file, &stage)));
                wake();
            }),
        );
    }

    /// Takes in what the calibration found; returns what went wrong.
    pub(super) fn poll(&mut self) -> Option<String> {
        let answer = self.running.as_ref()?.answer.try_recv();
        match answer {
            Ok(Ok(report)) => {
                self.running = None;
                self.report = Some(Arc::from(report));
                self.step = Step::Findings;
                None
            }
            Ok(Err(why)) => Some(self.failed(why)),
            Err(std::sync::mpsc::TryRecvError::Disconnected) => Some(self.failed(
                "The calibration broke off; choose another stretch of the recording".to_owned(),
            )),
            Err(std::sync::mpsc::TryRecvError::Empty) => None,
        }
    }

    fn failed(&mut self, why: String) -> String {
        self.running = None;
        self.step = Step::Source;
        self.problem = Some(why.clone());
        why
    }

    /// Writes the profile; returns what to say.
    pub(super) fn save(&mut self, file: &Path) -> Result<String, String> {
        let (name, text) = self.text.clone().ok_or("There is no profile yet")?;
        self.platform
            .write(file, text.as_bytes())
            .map_err(|e| format!("The profile was not saved: {e}; choose another place"))?;
        self.saved = Some(file.to_owned());
        self.inserted = None;
        Ok(format!("Saved the profile {name} as {}", file.display()))
    }
}

/// Reads and calibrates; runs beside the window.
fn work(platform: &dyn Platform, file: &Path, stage: &AtomicU8) -> Calibrated {
    let recording = platform.recording(file).map_err(|e| e.to_string())?;
    stage.store(1, Ordering::Relaxed);
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let gpu = recording
        .gpus
        .iter()
        .map(|g| g.name.trim())
        .find(|n| !n.is_empty());
    let origin = Origin {
        label: gpu.map_or_else(|| stem.into_owned(), |g| format!("{g}, measured")),
        tool: format!("ballast {}", env!("CARGO_PKG_VERSION")),
        file: name.clone().into_owned(),
        ..Origin::default()
    };
    let done = calibrate(&recording, &origin).map_err(|e| {
        format!("{name} cannot be calibrated: {e}. Record at least a minute of work at 10 Hz or more, with the idle GPU before it")
    })?;
    Ok(Box::new(Report::new(&recording, &done, &name)))
}

impl LiveModel {
    pub(super) fn assist(
        &mut self,
        action: AssistantAction,
        document: &Document,
        actions: &mut Actions,
    ) {
        match action {
            AssistantAction::UseMachine => {
                self.assistant.step = Step::Record;
                self.assistant.problem = None;
                if self.from != Some(LiveFrom::Machine) || !self.reading() {
                    self.start(LiveFrom::Machine);
                }
            }
            AssistantAction::UseFile => {
                self.assistant.wants_file = true;
                self.pick(Pick::OpenRecording);
            }
            AssistantAction::UseShown => {
                if let Some(LiveFrom::File(path)) = self.from.clone() {
                    self.assistant.calibrate(path);
                }
            }
            AssistantAction::ChooseFile => {
                self.pick(Pick::SaveRecording("recording.parquet".to_owned()));
            }
            AssistantAction::Record { gpus, duration } => self.record(gpus, &duration),
            AssistantAction::Cancel => {
                if self.assistant.running.take().is_some() {
                    self.assistant.step = Step::Source;
                }
            }
            AssistantAction::Go(step) => {
                self.assistant.problem = None;
                let allowed = step <= Step::Record || self.assistant.report.is_some();
                if allowed && self.assistant.running.is_none() && step != Step::Calibrate {
                    self.assistant.step = step;
                }
            }
            AssistantAction::Save { name, tdp } => self.save_profile(&name, &tdp),
            AssistantAction::PutIntoScenario => self.put(document, actions),
        }
    }

    /// Starts a recording if the request holds.
    fn record(&mut self, gpus: Vec<u32>, duration: &str) {
        self.assistant.problem = None;
        let seconds = match ballast_units::parse_in_unit(duration, "s") {
            Ok(s) if (DURATION_S.0..=DURATION_S.1).contains(&s) => s,
            Ok(s) => {
                self.assistant.problem = Some(format!(
                    "A recording of {s} s cannot be made: write 1 s to 24 h"
                ));
                return;
            }
            Err(e) => {
                self.assistant.problem = Some(format!(
                    "The duration is not understood: {e}; write 120 s or 2 min"
                ));
                return;
            }
        };
        if gpus.is_empty() {
            self.assistant.problem = Some("Choose at least one GPU".to_owned());
            return;
        }
        let Some(file) = self.assistant.file.clone() else {
            self.assistant.problem = Some("Choose the file to record to first".to_owned());
            return;
        };
        self.start(LiveFrom::Recorder(RecordRequest {
            gpus,
            duration: Some(Duration::from_secs_f64(seconds)),
            file,
        }));
    }

    /// Whether GPUs are being recorded.
    pub fn recording(&self) -> bool {
        matches!(self.from, Some(LiveFrom::Recorder(_)))
            && matches!(
                self.state,
                LiveState::Looking | LiveState::Running | LiveState::Paused | LiveState::Stopping
            )
    }

    fn save_profile(&mut self, name: &str, tdp: &str) {
        let Some(report) = self.assistant.report.clone() else {
            return;
        };
        self.assistant.problem = None;
        match report.toml(name, tdp) {
            Ok(text) => {
                let file = format!("{}.toml", profile_text::key_of(name));
                self.assistant.text = Some((name.trim().to_owned(), text));
                self.pick(Pick::SaveProfile(file));
            }
            Err(why) => self.assistant.problem = Some(why),
        }
    }

    fn put(&mut self, document: &Document, actions: &mut Actions) {
        let (Some(file), Some((name, _))) = (self.assistant.saved.as_deref(), &self.assistant.text)
        else {
            self.assistant.problem = Some("Save the profile first".to_owned());
            return;
        };
        let wanted = profile_text::key_of(name);
        match profile_text::with_profile(document.text(), &wanted, file, document.path()) {
            Ok((text, key)) => {
                actions.push(Action::SetText(text));
                say(
                    actions,
                    false,
                    format!(
                        "The profile is in the scenario as gpus.{key}; set the GPU of a node to {key} to use it"
                    ),
                );
                self.assistant.inserted = Some(key);
                self.assistant.problem = None;
            }
            Err(why) => self.assistant.problem = Some(why),
        }
    }
}

impl LiveAction {
    /// An action of the assistant.
    pub fn assist(action: AssistantAction) -> Action {
        Action::Live(Self::Assistant(action))
    }
}
