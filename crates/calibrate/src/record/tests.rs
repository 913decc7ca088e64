//! The recorder on a clock and sources of the tests' own.

use super::*;
use crate::source::{Metric, Missing, Playback, Simulated};
use crate::{Recording, recording_of};

/// A clock that only moves when it is waited for, or when a test pushes it.
struct Told {
    now_s: f64,
    /// At this time it steps by so much, once.
    step: Option<(f64, f64)>,
    wall_step: Option<(f64, f64)>,
    wall_ahead_s: f64,
    /// At this time a poll takes so long, once.
    stall: Option<(f64, f64)>,
}

impl Told {
    fn new() -> Self {
        Self {
            now_s: 50.0,
            step: None,
            wall_step: None,
            wall_ahead_s: 1e9,
            stall: None,
        }
    }
}

impl Clock for Told {
    fn now_s(&mut self) -> f64 {
        self.now_s
    }
    fn wall_s(&mut self) -> f64 {
        if let Some((_, by_s)) = self.wall_step.take_if(|(at_s, _)| self.now_s >= *at_s) {
            self.wall_ahead_s += by_s;
        }
        self.now_s + self.wall_ahead_s
    }
    fn wait_until(&mut self, t_s: f64) {
        self.now_s = self.now_s.max(t_s);
        if let Some((_, by_s)) = self.step.take_if(|(at_s, _)| self.now_s >= *at_s) {
            self.now_s += by_s;
        }
        if let Some((_, for_s)) = self.stall.take_if(|(at_s, _)| self.now_s >= *at_s) {
            self.now_s += for_s;
        }
    }
}

#[derive(Default)]
struct Kept(Vec<(Columns, Metadata)>);

impl SegmentSink for Kept {
    fn segment(&mut self, columns: Columns, metadata: Metadata) -> Result<(), SinkError> {
        self.0.push((columns, metadata));
        Ok(())
    }
}

impl Kept {
    /// The segments as one recording.
    fn recording(&self) -> Recording {
        let mut columns = self.0[0].0.clone();
        for (more, _) in &self.0[1..] {
            for ((_, cells), (_, next)) in columns.iter_mut().zip(more) {
                cells.extend_from_slice(next);
            }
        }
        recording_of(&columns, &self.0.last().unwrap().1, "ab").unwrap()
    }
}

struct Silent;

impl Companion for Silent {
    fn after_poll(&mut self, _live: &Live<'_>) -> Said {
        Said::default()
    }
}

fn spec(duration_s: f64) -> RecordSpec {
    RecordSpec {
        rate_hz: 10.0,
        segment_s: 2.0,
        duration_s: Some(duration_s),
        started: "2026-01-02T03:04:05Z".to_owned(),
    }
}

/// Everything there, and moving.
fn lively(gpu: usize, t_s: f64) -> Sample {
    let mut sample = Sample::default();
    for reading in Metric::ALL {
        sample.set(reading, Ok(t_s + gpu as f64 + f64::from(reading as u8)));
    }
    sample.set(Metric::Throttle, Ok(4.0));
    sample.stamp_us = Some((t_s * 1e6) as i64);
    sample
}

fn run(
    gpus: u32,
    clock: &mut Told,
    seconds: f64,
    read: impl FnMut(usize, f64) -> Sample,
) -> (Recorded, Kept) {
    let mut kept = Kept::default();
    let mut source = Simulated::new(gpus, read);
    let done = record(&mut source, clock, &mut kept, &mut Silent, &spec(seconds)).unwrap();
    (done, kept)
}

fn told(recorded: &Recorded) -> Vec<&str> {
    recorded.notes.iter().map(|n| n.label.as_str()).collect()
}

#[test]
fn polls_lie_on_the_schedule_and_segments_make_up_the_whole() {
    let (done, kept) = run(2, &mut Told::new(), 9.0, lively);
    assert_eq!(
        (done.polls, done.missed, done.ended.as_str()),
        (91, 0, "duration")
    );
    assert_eq!(told(&done), Vec::<&str>::new());
    assert_eq!(kept.0.len(), 5);
    let recording = kept.recording();
    for (k, gpu) in recording.gpus.iter().enumerate() {
        assert_eq!(gpu.time_s.len(), 91);
        for (i, t_s) in gpu.time_s.iter().enumerate() {
            assert!((t_s - 0.1 * i as f64).abs() < 1e-9);
            assert_eq!(gpu.instant_w.as_ref().unwrap()[i], t_s + k as f64 + 1.0);
        }
        assert_eq!(gpu.throttle.as_ref().unwrap()[7], 4);
    }
    assert_eq!(recording.started, "2026-01-02T03:04:05Z");
    // Played back, it records as the same.
    let mut again = Kept::default();
    let mut source = Playback::new(recording.clone());
    record(
        &mut source,
        &mut Told::new(),
        &mut again,
        &mut Silent,
        &spec(9.0),
    )
    .unwrap();
    let again = again.recording();
    assert_eq!(again.gpus[1].energy_j, recording.gpus[1].energy_j);
    assert_eq!(again.gpus[1].name, "simulated");
}

#[test]
fn late_polls_are_missed_and_do_not_push_the_others() {
    let mut clock = Told::new();
    clock.stall = Some((52.0, 0.35));
    let (done, kept) = run(1, &mut clock, 4.0, lively);
    assert_eq!((done.missed, done.polls), (3, 38));
    let times = &kept.recording().gpus[0].time_s;
    assert!((times[20] - 2.35).abs() < 1e-9 && (times[21] - 2.4).abs() < 1e-9);
    assert_eq!(told(&done).len(), 1, "{:?}", done.notes);
}

#[test]
fn a_clock_that_goes_back_is_told_and_times_never_fall() {
    let mut clock = Told::new();
    clock.step = Some((53.0, -5.0));
    let (done, kept) = run(1, &mut clock, 6.0, lively);
    assert_eq!(done.polls, 61);
    let times = &kept.recording().gpus[0].time_s;
    assert!(times.windows(2).all(|w| w[1] > w[0]));
    assert!(
        told(&done)[0].starts_with("the clock went back by 4.9"),
        "{:?}",
        done.notes
    );
}

#[test]
fn a_step_of_the_date_and_of_the_drivers_clock_is_told() {
    let mut clock = Told::new();
    clock.wall_step = Some((52.0, -3600.0));
    let (done, kept) = run(1, &mut clock, 6.0, |gpu, t_s| {
        let mut sample = lively(gpu, t_s);
        if t_s > 3.0 {
            sample.stamp_us = sample.stamp_us.map(|s| s - 1_500_000);
        }
        sample
    });
    let told = told(&done);
    assert!(told[0].contains("stepped by -3600.000 s"), "{told:?}");
    assert!(
        told[1].contains("the driver's clock went back by 1.4"),
        "{told:?}"
    );
    assert_eq!(told.len(), 2);
    assert_eq!(kept.recording().gpus[0].time_s.len(), 61);
}

#[test]
fn a_lost_gpu_leaves_the_others_and_the_last_one_ends_it() {
    let lose = |first_s: f64, second_s: f64| {
        move |gpu: usize, t_s: f64| {
            if t_s >= [first_s, second_s][gpu] {
                Sample::lost()
            } else {
                lively(gpu, t_s)
            }
        }
    };
    let (done, kept) = run(2, &mut Told::new(), 6.0, lose(3.0, 99.0));
    assert_eq!((done.polls, done.lost), (61, false));
    assert_eq!(told(&done), ["GPU 0: lost; it is not read any more"]);
    let recording = kept.recording();
    assert_eq!(
        (
            recording.gpus[0].time_s.len(),
            recording.gpus[1].time_s.len()
        ),
        (30, 61)
    );
    let (done, kept) = run(2, &mut Told::new(), 6.0, lose(3.0, 4.0));
    assert_eq!(
        (done.ended.as_str(), done.lost, done.polls),
        ("no GPU left", true, 41)
    );
    assert_eq!(kept.recording().gpus[1].time_s.len(), 40);
}

#[test]
fn resets_stuck_values_and_missing_readings_are_told_once() {
    let (done, kept) = run(1, &mut Told::new(), 30.0, |gpu, t_s| {
        let mut sample = lively(gpu, t_s);
        sample.set(Metric::Temperature, Err(Missing::Unsupported));
        if t_s > 2.0 {
            sample.set(Metric::Energy, Ok(t_s - 2.0));
        }
        if (10.0..20.0).contains(&t_s) {
            sample.set(Metric::Instant, Ok(17.0));
            sample.set(Metric::Energy, Ok(8.0));
        }
        sample
    });
    let told = told(&done);
    assert_eq!(told.len(), 6, "{told:?}");
    assert_eq!(told[0], "GPU 0: no temperature: not supported by this GPU");
    assert!(told[1].contains("went back, from 4.0"), "{told:?}");
    assert!(told.iter().any(|t| t.contains("same for 5 s")), "{told:?}");
    assert!(
        told.iter()
            .any(|t| t.contains("counter has not moved for 5 s")),
        "{told:?}"
    );
    assert_eq!(kept.recording().gpus[0].temperature_c, None);
}

#[test]
fn a_companion_marks_and_ends() {
    struct Marks;
    impl Companion for Marks {
        fn after_poll(&mut self, live: &Live<'_>) -> Said {
            let at = |k: f64| (live.t_s - k).abs() < 1e-9;
            Said {
                marks: if at(1.0) {
                    vec!["start".to_owned()]
                } else {
                    Vec::new()
                },
                metadata: vec![("ballast.exit_code".to_owned(), live.t_s.to_string())],
                end: at(3.0).then(|| "command".to_owned()),
            }
        }
    }
    let mut kept = Kept::default();
    let mut source = Simulated::new(1, lively);
    let done = record(
        &mut source,
        &mut Told::new(),
        &mut kept,
        &mut Marks,
        &spec(60.0),
    )
    .unwrap();
    assert_eq!((done.ended.as_str(), done.polls), ("command", 31));
    assert_eq!(kept.recording().marks[0].label, "start");
    let last = &kept.0.last().unwrap().1;
    assert_eq!(
        last.iter()
            .filter(|(k, _)| k == "ballast.exit_code")
            .count(),
        1
    );
    assert!(last.contains(&("ballast.ended".to_owned(), "command".to_owned())));
}

#[test]
fn other_tables_are_no_recordings() {
    let foreign = recording_of(&[], &[], "").unwrap_err();
    assert!(
        foreign
            .to_string()
            .contains("not written by `ballast record`")
    );
    let later = [("ballast.recording".to_owned(), "2".to_owned())];
    assert_eq!(
        recording_of(&[], &later, ""),
        Err(crate::NoRecording::Format("2".to_owned()))
    );
}
