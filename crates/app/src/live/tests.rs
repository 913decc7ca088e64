//! The model against a machine that is computed.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use ballast_calibrate::{GpuRecording, Recording, SimulatedSensor, square_wave};
use ballast_scenario::{Loaded, Problem};
use ballast_study::Inputs;
use ballast_study::outcome::Outcome;

use super::*;
use crate::platform::{PlatformError, Scratch};
use crate::trace::TraceSet;

/// A machine whose GPUs and files are computed.
#[derive(Default)]
pub(crate) struct Machine {
    /// Why there is no GPU; none: two GPUs.
    pub(crate) no_gpu: Option<String>,
    /// The GPUs are lost after so many readings.
    pub(crate) lost_after: Option<u32>,
    /// What any file holds; none: it cannot be read.
    pub(crate) recording: Option<Recording>,
    /// Answers of dialogs.
    pub(crate) picks: Mutex<VecDeque<Option<PathBuf>>>,
    /// What was written.
    pub(crate) written: Mutex<Vec<(PathBuf, String)>>,
    /// Whether the disk is full.
    pub(crate) disk_full: bool,
}

/// Two GPUs, at 200 W and at 400 W, a reading a millisecond.
struct Two {
    next: u32,
    lost_after: Option<u32>,
    last: Option<u32>,
}

impl LiveSource for Two {
    fn names(&self) -> Vec<String> {
        vec![
            name_of(0, "NVIDIA H100 80GB HBM3"),
            name_of(1, "NVIDIA H100 80GB HBM3"),
        ]
    }

    fn next(&mut self) -> Result<Option<LiveReading>, String> {
        if self.lost_after.is_some_and(|most| self.next >= most) {
            return Err("GPU 0 and GPU 1 are lost. Restart the machine".to_owned());
        }
        if self.last.is_some_and(|most| self.next >= most) {
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(1));
        let t_s = f64::from(self.next) * 0.05;
        self.next += 1;
        let gpu = |w| GpuReading {
            power_w: Some(w),
            utilisation: Some(0.98),
            sm_mhz: Some(1980.0),
            temperature_c: Some(61.0),
            limit_w: Some(700.0),
            throttle: Some(4),
            lost: false,
        };
        Ok(Some(LiveReading::new(t_s, vec![gpu(200.0), gpu(400.0)])))
    }
}

impl Platform for Machine {
    fn spawn(&self, _name: &str, work: Box<dyn FnOnce() + Send>) {
        std::thread::spawn(work);
    }

    fn read(&self, path: &Path) -> Result<String, PlatformError> {
        Err(PlatformError::NotText {
            path: path.to_owned(),
        })
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), PlatformError> {
        if self.disk_full {
            return Err(PlatformError::File {
                path: path.to_owned(),
                source: std::io::Error::from(std::io::ErrorKind::StorageFull),
            });
        }
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        self.written.lock().unwrap().push((path.to_owned(), text));
        Ok(())
    }

    fn remove(&self, _path: &Path) -> Result<(), PlatformError> {
        Ok(())
    }

    fn data_dir(&self) -> Option<PathBuf> {
        None
    }

    fn pick(&self, what: Pick, reply: Sender<Picked>) {
        let path = self.picks.lock().unwrap().pop_front().flatten();
        reply.send((what, path)).unwrap();
    }

    fn inputs(&self, loaded: Loaded) -> Result<(Loaded, Inputs), Vec<Problem>> {
        Ok((loaded, Inputs::default()))
    }

    fn scratch(&self) -> std::io::Result<Arc<dyn Scratch>> {
        Err(std::io::ErrorKind::Unsupported.into())
    }

    fn write_figures(&self, _: &Outcome, _: &Path) -> Result<Vec<PathBuf>, PlatformError> {
        Ok(Vec::new())
    }

    fn write_traces(
        &self,
        _: &TraceSet,
        _: &[(String, String)],
        _: &Path,
    ) -> Result<(), PlatformError> {
        Ok(())
    }

    fn live(&self) -> Result<Box<dyn LiveSource>, PlatformError> {
        match &self.no_gpu {
            Some(why) => Err(PlatformError::Unavailable(why.clone())),
            None => Ok(Box::new(Two {
                next: 0,
                lost_after: self.lost_after,
                last: None,
            })),
        }
    }

    fn playback(&self, path: &Path) -> Result<Box<dyn LiveSource>, PlatformError> {
        Ok(Box::new(RecordedSource::new(self.recording(path)?)))
    }

    fn recording(&self, path: &Path) -> Result<Recording, PlatformError> {
        self.recording.clone().ok_or_else(|| {
            PlatformError::Unavailable(format!("{} is no log of GPUs", path.display()))
        })
    }

    fn record(&self, request: &RecordRequest) -> Result<Box<dyn LiveSource>, PlatformError> {
        let most = request.duration.map(|d| (d.as_secs_f64() / 0.05) as u32);
        Ok(Box::new(Two {
            next: 0,
            lost_after: self.lost_after,
            last: most,
        }))
    }
}

/// Idle, then 70 s that swing between 250 W and 650 W with a period of 1.7 s, then idle: as an H100's sensor shows it.
pub(crate) fn simulated() -> Recording {
    let sensor = SimulatedSensor::of("NVIDIA H100 80GB HBM3", "550.54.15");
    let work = square_wave(250.0, 650.0, 1.7, 0.6, 15.2);
    let gpu = |index: u32| {
        let sensor = SimulatedSensor {
            seed: u64::from(index) + 1,
            step_s: 1e-3,
            ..sensor.clone()
        };
        let mut gpu: GpuRecording = sensor.gpu(
            |t| {
                if (15.2..105.0).contains(&t) {
                    work(t)
                } else {
                    70.0
                }
            },
            120.0,
        );
        gpu.index = index;
        gpu.limit_w = Some(700.0);
        gpu.utilisation = Some(
            gpu.time_s
                .iter()
                .map(|t| f64::from(u8::from((15.2..105.0).contains(t))))
                .collect(),
        );
        gpu.throttle = Some(vec![0; gpu.time_s.len()]);
        gpu
    };
    Recording {
        gpus: vec![gpu(0), gpu(1)],
        started: "2026-01-01T00:00:00Z".to_owned(),
        ..Recording::default()
    }
}

pub(crate) fn model(machine: Machine) -> (LiveModel, Arc<Machine>) {
    let machine = Arc::new(machine);
    (LiveModel::new(machine.clone(), Arc::new(|| {})), machine)
}

/// Polls until `done`; returns what was asked of the app meanwhile.
pub(crate) fn until(live: &mut LiveModel, done: impl Fn(&LiveModel) -> bool) -> Vec<Action> {
    let mut actions = Actions::default();
    let began = Instant::now();
    loop {
        live.poll(&mut actions);
        if done(live) {
            return actions.drain().collect();
        }
        assert!(
            began.elapsed() < Duration::from_mins(2),
            "never done: {:?}, {:?}, {:?}",
            live.state,
            live.assistant.step,
            live.assistant.problem
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn act(live: &mut LiveModel, action: LiveAction) -> Vec<Action> {
    let mut actions = Actions::default();
    live.act(action, &Document::default(), &mut actions);
    actions.drain().collect()
}

#[test]
fn numbers_come_pause_and_stop() {
    let (mut live, _) = model(Machine::default());
    act(&mut live, LiveAction::Start);
    assert_eq!(live.state, LiveState::Looking);
    until(&mut live, |l| l.t_s > 1.0);
    assert_eq!(live.state, LiveState::Running);
    assert_eq!(live.gpus[1].now.power_w, Some(400.0));
    act(&mut live, LiveAction::Pause(true));
    assert_eq!(live.state, LiveState::Paused);
    act(&mut live, LiveAction::Pause(false));
    act(&mut live, LiveAction::Stop);
    until(&mut live, |l| l.state == LiveState::Stopped);
    assert!(live.gpus[0].ring.summary(live.t_s, 60.0).is_some());
    assert!(!live.busy());
}

#[test]
fn no_driver_is_a_sentence_and_a_recording_still_plays() {
    let (mut live, machine) = model(Machine {
        no_gpu: Some("NVIDIA's driver is not loaded. What to do: load it".to_owned()),
        recording: Some(simulated()),
        ..Machine::default()
    });
    act(&mut live, LiveAction::Start);
    until(
        &mut live,
        |l| matches!(&l.state, LiveState::Missing(why) if why.contains("not loaded")),
    );
    machine
        .picks
        .lock()
        .unwrap()
        .push_back(Some(PathBuf::from("/logs/run.parquet")));
    act(&mut live, LiveAction::Pace(Pace::Fastest));
    act(&mut live, LiveAction::OpenRecording);
    until(&mut live, |l| l.state == LiveState::Ended);
    assert!((live.t_s - 120.0).abs() < 0.1, "{}", live.t_s);
    let (min, _, max) = live.gpus[0].ring.summary(live.t_s, 600.0).unwrap();
    assert!(min < 75.0 && max > 640.0, "{min} {max}");
}

#[test]
fn a_lost_gpu_keeps_what_was_measured() {
    let (mut live, _) = model(Machine {
        lost_after: Some(60),
        ..Machine::default()
    });
    act(&mut live, LiveAction::Start);
    let said = until(&mut live, |l| matches!(l.state, LiveState::Lost(_)));
    assert!((live.t_s - 2.95).abs() < 1e-9, "{}", live.t_s);
    assert!(live.gpus[0].ring.summary(3.0, 60.0).is_some());
    assert!(matches!(&said[..], [Action::Say(n)] if n.error && n.text.contains("lost")));
}

#[test]
fn a_dismissed_dialog_changes_nothing() {
    let (mut live, _) = model(Machine::default());
    act(&mut live, LiveAction::OpenRecording);
    until(&mut live, |l| !l.busy());
    assert_eq!(live.state, LiveState::Off);
}

#[test]
fn a_recording_is_made_and_calibrated() {
    let (mut live, machine) = model(Machine {
        recording: Some(simulated()),
        ..Machine::default()
    });
    let assist = |live: &mut LiveModel, action| act(live, LiveAction::Assistant(action));
    assist(&mut live, AssistantAction::UseMachine);
    until(&mut live, LiveModel::reading);
    let record = |duration: &str| AssistantAction::Record {
        gpus: vec![0, 1],
        duration: duration.to_owned(),
    };
    assist(&mut live, record("two"));
    assert!(live.assistant.problem.clone().unwrap().contains("120 s"));
    assist(&mut live, record("0 s"));
    assert!(live.assistant.problem.clone().unwrap().contains("24 h"));
    assist(&mut live, record("2 min"));
    assert!(live.assistant.problem.clone().unwrap().contains("file"));
    machine
        .picks
        .lock()
        .unwrap()
        .push_back(Some("/r.parquet".into()));
    assist(&mut live, AssistantAction::ChooseFile);
    until(&mut live, |l| l.assistant.file.is_some());
    assist(&mut live, record("5 s"));
    assert!(live.recording());
    until(&mut live, |l| l.assistant.step == Step::Findings);
    assert_eq!(live.assistant.report.as_ref().unwrap().file, "r.parquet");
}

#[test]
fn a_calibration_can_be_cancelled() {
    let (mut live, _) = model(Machine {
        recording: Some(simulated()),
        ..Machine::default()
    });
    live.assistant.calibrate("/r.parquet".into());
    assert!(live.assistant.calibrating().is_some());
    act(&mut live, LiveAction::Assistant(AssistantAction::Cancel));
    assert_eq!(live.assistant.step, Step::Source);
    std::thread::sleep(Duration::from_millis(100));
    until(&mut live, |l| !l.busy());
    assert!(live.assistant.report.is_none());
}

#[test]
fn a_recording_that_cannot_be_calibrated_says_what_would_be_right() {
    let mut short = simulated();
    short.gpus.truncate(1);
    let gpu = &mut short.gpus[0];
    gpu.time_s.truncate(3);
    let columns = [&mut gpu.average_w, &mut gpu.instant_w, &mut gpu.energy_j];
    for column in columns.into_iter().flatten() {
        column.truncate(3);
    }
    let (mut live, _) = model(Machine {
        recording: Some(short),
        ..Machine::default()
    });
    live.assistant.calibrate("/short.parquet".into());
    until(&mut live, |l| l.assistant.problem.is_some());
    let why = live.assistant.problem.clone().unwrap();
    assert!(
        why.contains("short.parquet") && why.contains("at least a minute"),
        "{why}"
    );
}

#[test]
fn a_full_disk_leaves_the_profile_in_the_window() {
    let (mut live, machine) = model(Machine {
        recording: Some(simulated()),
        disk_full: true,
        ..Machine::default()
    });
    live.assistant.calibrate("/r.parquet".into());
    until(&mut live, |l| l.assistant.step == Step::Findings);
    machine
        .picks
        .lock()
        .unwrap()
        .push_back(Some("/p.toml".into()));
    let save = AssistantAction::Save {
        name: "H100".to_owned(),
        tdp: "700 W".to_owned(),
    };
    act(&mut live, LiveAction::Assistant(save));
    let said = until(&mut live, |l| !l.busy());
    assert!(
        matches!(&said[..], [Action::Say(n)] if n.error && n.text.contains("another place")),
        "{said:?}"
    );
    assert!(live.assistant.saved.is_none() && live.assistant.report.is_some());
}
