//! Records GPUs at a steady rate.
//!
//! Polls lie on an absolute schedule, so that a late one does not push the others; polls whose time has passed are missed and
//! counted. Rows go out in segments of some seconds, so that a recording that is cut off loses the open one only. What goes wrong
//! is noted, and the recording goes on with what is left.

use std::time::{Duration, Instant, SystemTime};

use ballast_series::SinkError;

use crate::record_rows::{About, Rows};
use crate::record_table::{Columns, Metadata};
use crate::record_watch::Watch;
use crate::recording::Mark;
use crate::source::{PowerSource, Sample};

/// A clock that steps by more than this against the other one is told, seconds.
const STEP_S: f64 = 0.5;

/// How to record.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordSpec {
    /// Polls per second, above zero.
    pub rate_hz: f64,
    /// Length of a segment, seconds.
    pub segment_s: f64,
    /// When to end, seconds after the start; `None`: when the companion says so.
    pub duration_s: Option<f64>,
    /// Date and time of the start, for the metadata.
    pub started: String,
}

/// Time for the recorder.
pub trait Clock {
    /// Seconds since some moment; should not fall.
    fn now_s(&mut self) -> f64;
    /// Seconds since 1970, by the computer's clock.
    fn wall_s(&mut self) -> f64;
    /// Returns once `now_s` has reached `t_s`.
    fn wait_until(&mut self, t_s: f64);
}

/// The computer's clocks.
#[derive(Debug)]
pub struct SystemClock(Instant);

impl SystemClock {
    /// Starts at 0.
    pub fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    fn now_s(&mut self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }

    fn wall_s(&mut self) -> f64 {
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0.0, |d| d.as_secs_f64())
    }

    fn wait_until(&mut self, t_s: f64) {
        let left_s = t_s - self.now_s();
        if left_s > 0.0 {
            std::thread::sleep(Duration::from_secs_f64(left_s));
        }
    }
}

/// Where segments go.
pub trait SegmentSink {
    /// Takes a segment, and what the recording says of itself up to its end.
    ///
    /// # Errors
    /// It cannot be written.
    fn segment(&mut self, columns: Columns, metadata: Metadata) -> Result<(), SinkError>;
}

/// What has just been polled.
#[derive(Debug)]
pub struct Live<'a> {
    /// When, seconds after the start.
    pub t_s: f64,
    /// Each GPU's sample.
    pub samples: Vec<&'a Sample>,
    /// Polls missed so far.
    pub missed: u64,
    /// What was noted in this poll.
    pub notes: &'a [Mark],
}

/// What a companion has to say after a poll.
#[derive(Debug, Default)]
pub struct Said {
    /// Words that mark this moment.
    pub marks: Vec<String>,
    /// Metadata to add, or to replace.
    pub metadata: Metadata,
    /// Why the recording is to end now.
    pub end: Option<String>,
}

/// Goes along with a recording: starts and follows a command, shows numbers, asks for the end.
pub trait Companion {
    /// Called after each poll.
    fn after_poll(&mut self, live: &Live<'_>) -> Said;
}

/// A recording that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Polls written.
    pub polls: u64,
    /// Polls missed.
    pub missed: u64,
    /// Time of the last poll, seconds.
    pub duration_s: f64,
    /// Why it ended.
    pub ended: String,
    /// Whether it ended because no GPU was left.
    pub lost: bool,
    /// What went wrong, and when.
    pub notes: Vec<Mark>,
    /// Marks.
    pub marks: Vec<Mark>,
}

/// Where the polls lie.
struct Schedule {
    period_s: f64,
    anchor_raw_s: f64,
    anchor_s: f64,
    /// Number of the next poll since the anchor.
    next: u64,
    last_s: Option<f64>,
    step: WallStep,
}

/// Follows the computer's clock against the steady one.
struct WallStep(Option<f64>);

impl WallStep {
    /// Step since the last look, seconds, where there is one.
    fn look(&mut self, wall_s: f64, t_s: f64) -> Option<f64> {
        let offset_s = wall_s - t_s;
        let before_s = self.0.replace(offset_s)?;
        let step_s = offset_s - before_s;
        (step_s.abs() > STEP_S).then_some(step_s)
    }
}

impl Schedule {
    /// Time of the next poll, unless the end comes before.
    fn due_s(&self) -> f64 {
        self.anchor_s + self.next as f64 * self.period_s
    }

    /// Waits for the next poll. Returns its time and how many were missed before it.
    fn wait(&mut self, clock: &mut impl Clock, notes: &mut Vec<Mark>) -> (f64, u64) {
        let due_raw_s = self.anchor_raw_s + self.next as f64 * self.period_s;
        clock.wait_until(due_raw_s);
        let raw_s = clock.now_s();
        let mut t_s = raw_s - self.anchor_raw_s + self.anchor_s;
        let mut missed = 0;
        if let Some(last_s) = self.last_s.filter(|last_s| t_s <= *last_s) {
            let back_s = last_s - t_s;
            // Time goes on one period after the last poll, as if nothing had been.
            t_s = last_s + self.period_s;
            (self.anchor_raw_s, self.anchor_s, self.next) = (raw_s, t_s, 0);
            notes.push(Mark {
                time_s: t_s,
                label: format!("the clock went back by {back_s:.3} s; times go on from here"),
            });
        } else {
            let late = ((raw_s - due_raw_s) / self.period_s).floor();
            if late >= 1.0 {
                missed = late as u64;
            }
        }
        self.next += missed + 1;
        self.last_s = Some(t_s);
        if let Some(step_s) = self.step.look(clock.wall_s(), raw_s) {
            notes.push(Mark {
                time_s: t_s,
                label: format!("the computer's date and time stepped by {step_s:+.3} s; times of samples do not"),
            });
        }
        (t_s, missed)
    }
}

/// Records until the duration is over, the companion says so, or no GPU is left.
///
/// # Errors
/// A segment cannot be written.
pub fn record(
    source: &mut impl PowerSource,
    clock: &mut impl Clock,
    sink: &mut impl SegmentSink,
    companion: &mut impl Companion,
    spec: &RecordSpec,
) -> Result<Recorded, SinkError> {
    let gpus = source.gpus().to_vec();
    let mut about = About {
        started: spec.started.clone(),
        rate_hz: spec.rate_hz,
        ended: "still recording".to_owned(),
        gpus,
        ..About::default()
    };
    let mut rows = Rows::new(&about.gpus);
    let mut watch = Watch::new(&about.gpus);
    let mut samples = vec![(f64::NAN, Sample::lost()); about.gpus.len()];
    let mut schedule = Schedule {
        period_s: 1.0 / spec.rate_hz,
        anchor_raw_s: clock.now_s(),
        anchor_s: 0.0,
        next: 0,
        last_s: None,
        step: WallStep(None),
    };
    let (mut polls, mut segment_from_s) = (0_u64, 0.0);
    let mut end = None;
    while end.is_none() {
        // A hair, so that the poll at the end is the last one whatever the rounding.
        if spec.duration_s.is_some_and(|d| schedule.due_s() > d + 1e-9) {
            end = Some("duration".to_owned());
            break;
        }
        let noted = about.notes.len();
        let (t_s, missed) = schedule.wait(clock, &mut about.notes);
        // Polls due after the end are none that a late one has missed.
        let missed = spec.duration_s.map_or(missed, |d| {
            let due = (d * spec.rate_hz + 1e-9).floor() as u64 + 1;
            missed.min(due.saturating_sub(polls + 1 + about.missed))
        });
        if missed > 0 && about.missed == 0 {
            about.notes.push(Mark {
                time_s: t_s,
                label: "polls are missed: reading the GPUs, or another program, takes longer than the time between polls; they are counted".to_owned(),
            });
        }
        about.missed += missed;
        for (gpu, (at_s, sample)) in samples.iter_mut().enumerate() {
            if watch.is_lost(gpu) {
                (*at_s, *sample) = (f64::NAN, Sample::lost());
                continue;
            }
            *at_s = clock.now_s() - schedule.anchor_raw_s + schedule.anchor_s;
            *sample = source.read(gpu, *at_s);
            watch.look(gpu, *at_s, sample, &mut about.notes);
            if sample.is_lost() {
                *at_s = f64::NAN;
            }
        }
        rows.push(t_s, &samples);
        polls += 1;
        let said = companion.after_poll(&Live {
            t_s,
            samples: samples.iter().map(|(_, s)| s).collect(),
            missed: about.missed,
            notes: &about.notes[noted..],
        });
        about.marks.extend(
            said.marks
                .into_iter()
                .map(|label| Mark { time_s: t_s, label }),
        );
        for (key, value) in said.metadata {
            about.more.retain(|(k, _)| *k != key);
            about.more.push((key, value));
        }
        end = said.end;
        if watch.all_lost() {
            end = Some("no GPU left".to_owned());
        }
        if end.is_none() && t_s - segment_from_s >= spec.segment_s {
            sink.segment(rows.take(), about.metadata())?;
            segment_from_s = t_s;
        }
    }
    about.ended = end.unwrap_or_default();
    // The last one says how it ended, so it goes out even without rows.
    debug_assert!(rows.len() <= polls as usize);
    sink.segment(rows.take(), about.metadata())?;
    Ok(Recorded {
        polls,
        missed: about.missed,
        duration_s: schedule.last_s.unwrap_or(0.0),
        lost: watch.all_lost(),
        ended: about.ended,
        notes: about.notes,
        marks: about.marks,
    })
}

#[cfg(test)]
mod tests;
