//! Live power of GPUs, and the assistant that records and calibrates. (Model; drawn by `views::live`.)
//!
//! A [`LiveSource`] is read on a thread of its own ([`feed`](self)); [`LiveModel::poll`] takes in what came, into a [`Ring`] per GPU.
//! The [`Assistant`] goes from a source over a recording to a profile.

mod assistant;
mod feed;
mod playback;
mod profile_text;
mod report;
mod ring;
mod source;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::action::{Action, Actions, Notice};
use crate::document::Document;
use crate::platform::{Pick, Picked, Platform};

pub use assistant::{Assistant, AssistantAction, Step};
pub use feed::Wake;
pub use playback::RecordedSource;
pub use profile_text::{key_of, with_profile};
pub use report::{Finding, GateView, GroupView, PhaseView, Report, Status};
pub use ring::{BUCKET_S, BUCKETS, Bucket, Ring};
pub use source::{GpuReading, LiveReading, LiveSource, Pace, RecordRequest, name_of};

use feed::{Feed, News};

/// Notes that are kept.
const NOTES: usize = 50;

/// What the live panel asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum LiveAction {
    /// Look for GPUs and show their power.
    Start,
    /// Stop.
    Stop,
    /// Hold the numbers, or let them go on.
    Pause(bool),
    /// Choose a recording and play it.
    OpenRecording,
    /// Play this recording.
    Play(PathBuf),
    /// Play faster or slower.
    Pace(Pace),
    /// Something for the assistant.
    Assistant(AssistantAction),
}

/// Where the numbers come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LiveFrom {
    /// The GPUs of this machine.
    Machine,
    /// The GPUs of this machine, which are being recorded.
    Recorder(RecordRequest),
    /// A recorded file.
    File(PathBuf),
}

/// Where the live panel is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum LiveState {
    /// Nothing was asked for yet.
    #[default]
    Off,
    /// The source is being opened.
    Looking,
    /// It cannot be opened: a sentence with what to do.
    Missing(String),
    /// Numbers come.
    Running,
    /// Numbers are held.
    Paused,
    /// The last numbers are being written.
    Stopping,
    /// The recording came to its end.
    Ended,
    /// The user stopped it.
    Stopped,
    /// It broke off in mid-run: a sentence. What was measured is still there.
    Lost(String),
}

/// One GPU as it is shown.
#[derive(Debug, Clone, Default)]
pub struct LiveGpu {
    /// Name.
    pub name: String,
    /// What it said last.
    pub now: GpuReading,
    /// Its last minutes.
    pub ring: Ring,
}

/// Live numbers, and the assistant.
pub struct LiveModel {
    platform: Arc<dyn Platform>,
    wake: Wake,
    feed: Option<Feed>,
    picked: (Sender<Picked>, Receiver<Picked>),
    pending: usize,
    /// Where it is.
    pub state: LiveState,
    /// Where the numbers come from.
    pub from: Option<LiveFrom>,
    /// The GPUs.
    pub gpus: Vec<LiveGpu>,
    /// Time of the last reading, seconds since the start.
    pub t_s: f64,
    /// Length of a recording, seconds.
    pub length_s: Option<f64>,
    /// How fast a recording is played.
    pub pace: Pace,
    /// What went wrong, and when (seconds), newest last.
    pub notes: VecDeque<(f64, String)>,
    /// The assistant.
    pub assistant: Assistant,
}

impl LiveModel {
    /// Nothing is read before it is asked for. `wake` is called from any thread when there is news.
    pub fn new(platform: Arc<dyn Platform>, wake: Wake) -> Self {
        Self {
            assistant: Assistant::new(platform.clone(), wake.clone()),
            platform,
            wake,
            feed: None,
            picked: channel(),
            pending: 0,
            state: LiveState::default(),
            from: None,
            gpus: Vec::new(),
            t_s: 0.0,
            length_s: None,
            pace: Pace::default(),
            notes: VecDeque::new(),
        }
    }

    /// Whether numbers come, or something is under way that ends by itself: look again soon.
    pub fn busy(&self) -> bool {
        self.pending > 0 || self.feed.is_some() || self.assistant.calibrating().is_some()
    }

    /// Whether a GPU's power is being read now.
    pub fn reading(&self) -> bool {
        matches!(self.state, LiveState::Running | LiveState::Paused)
    }

    /// Carries out what the panel asks for.
    pub fn act(&mut self, action: LiveAction, document: &Document, actions: &mut Actions) {
        match action {
            LiveAction::Start => self.start(LiveFrom::Machine),
            LiveAction::Play(file) => self.start(LiveFrom::File(file)),
            LiveAction::Stop => self.stop(),
            LiveAction::Pause(paused) => {
                if let Some(feed) = self.feed.as_ref().filter(|_| self.reading()) {
                    feed.pause(paused);
                    self.state = if paused {
                        LiveState::Paused
                    } else {
                        LiveState::Running
                    };
                }
            }
            LiveAction::OpenRecording => self.pick(Pick::OpenRecording),
            LiveAction::Pace(pace) => {
                self.pace = pace;
                if let Some(feed) = &self.feed {
                    feed.pace(pace);
                }
            }
            LiveAction::Assistant(action) => self.assist(action, document, actions),
        }
    }

    /// Takes in what came since the last call. Called before each frame.
    pub fn poll(&mut self, actions: &mut Actions) {
        while let Ok((what, path)) = self.picked.1.try_recv() {
            self.pending = self.pending.saturating_sub(1);
            if let Some(path) = path {
                self.chosen(&what, path, actions);
            }
        }
        while let Some(news) = self.feed.as_ref().and_then(Feed::news) {
            self.take(news, actions);
        }
        if let Some(problem) = self.assistant.poll() {
            say(actions, true, problem);
        }
    }

    /// Starts reading; what was shown before is gone.
    fn start(&mut self, from: LiveFrom) {
        let platform = self.platform.clone();
        let wanted = from.clone();
        let open: feed::Open = Box::new(move || match &wanted {
            LiveFrom::Machine => platform.live(),
            LiveFrom::Recorder(request) => platform.record(request),
            LiveFrom::File(path) => platform.playback(path),
        });
        // The one before is told to end.
        self.feed = None;
        self.feed = Some(Feed::start(
            self.platform.as_ref(),
            open,
            self.pace,
            self.wake.clone(),
        ));
        self.state = LiveState::Looking;
        self.from = Some(from);
        self.gpus.clear();
        self.notes.clear();
        (self.t_s, self.length_s) = (0.0, None);
    }

    /// Asks for the end; the state follows when the last numbers are written.
    fn stop(&mut self) {
        if let Some(feed) = &self.feed {
            feed.stop();
            self.state = LiveState::Stopping;
        }
    }

    fn pick(&mut self, what: Pick) {
        self.pending += 1;
        self.platform.pick(what, self.picked.0.clone());
    }

    fn chosen(&mut self, what: &Pick, path: PathBuf, actions: &mut Actions) {
        match what {
            Pick::OpenRecording if self.assistant.wants_file() => self.assistant.calibrate(path),
            Pick::OpenRecording => self.start(LiveFrom::File(path)),
            Pick::SaveRecording(_) => self.assistant.record_to(path),
            Pick::SaveProfile(_) => match self.assistant.save(&path) {
                Ok(text) => say(actions, false, text),
                Err(text) => say(actions, true, text),
            },
            _ => {}
        }
    }

    fn take(&mut self, news: News, actions: &mut Actions) {
        match news {
            News::Open(names, length_s) => {
                self.gpus = names
                    .into_iter()
                    .map(|name| LiveGpu {
                        name,
                        ..LiveGpu::default()
                    })
                    .collect();
                self.length_s = length_s;
                if self.state == LiveState::Looking {
                    self.state = LiveState::Running;
                }
            }
            News::Readings(batch) => {
                for reading in batch {
                    self.push(reading);
                }
            }
            News::Missing(why) => {
                self.feed = None;
                self.assistant.not_recorded(&why);
                self.state = LiveState::Missing(why);
            }
            News::Ended(written) => {
                let stopped = self.state == LiveState::Stopping;
                self.state = if stopped {
                    LiveState::Stopped
                } else {
                    LiveState::Ended
                };
                self.ended(written, actions);
            }
            News::Lost(why, written) => {
                say(actions, true, why.clone());
                self.state = LiveState::Lost(why);
                self.ended(written, actions);
            }
        }
    }

    /// The source has ended. What was recorded goes on to the assistant.
    fn ended(&mut self, written: Result<(), String>, actions: &mut Actions) {
        self.feed = None;
        let Some(LiveFrom::Recorder(request)) = &self.from else {
            return;
        };
        match written {
            Ok(()) => self.assistant.recorded(request.file.clone()),
            Err(why) => {
                self.assistant.not_recorded(&why);
                say(actions, true, why);
            }
        }
    }

    fn push(&mut self, reading: LiveReading) {
        self.t_s = reading.t_s;
        for (i, gpu) in self.gpus.iter_mut().enumerate() {
            let power_w = reading.power_w.get(i).copied().flatten();
            gpu.now = reading.gpus.get(i).copied().unwrap_or(GpuReading {
                power_w,
                ..GpuReading::default()
            });
            if let Some(w) = power_w {
                gpu.ring.push(reading.t_s, w);
            }
        }
        for note in reading.notes {
            if self.notes.len() == NOTES {
                self.notes.pop_front();
            }
            self.notes.push_back((reading.t_s, note));
        }
    }
}

/// A notice for the window.
fn say(actions: &mut Actions, error: bool, text: String) {
    actions.push(Action::Say(Notice { error, text }));
}

#[cfg(test)]
pub(crate) mod tests;
