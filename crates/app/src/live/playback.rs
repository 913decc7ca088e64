//! A recording as a source that plays in its own time, or faster.

use std::time::{Duration, Instant};

use ballast_calibrate::{GpuRecording, Playback, PowerSource, Recording};

use super::{GpuReading, LiveReading, LiveSource, Pace};

/// A reader that fell behind by more than this (it was paused) does not catch up.
const BEHIND: Duration = Duration::from_millis(500);
/// A GPU whose samples end before those of the others keeps its last one for so long, seconds.
const HELD_S: f64 = 1.0;

/// Plays a recording.
pub struct RecordedSource {
    playback: Playback,
    times_s: Vec<f64>,
    next: usize,
    pace: Pace,
    /// When, and at which time of the recording, the pace was taken up.
    anchor: Option<(Instant, f64)>,
    limits_w: Vec<Option<f64>>,
    /// Last sample of each GPU, seconds.
    ends_s: Vec<f64>,
}

impl RecordedSource {
    /// Plays `recording` from its first sample; t = 0 is there.
    pub fn new(recording: Recording) -> Self {
        // The GPU with most samples gives the beat; the others are read at its times.
        let longest = recording.gpus.iter().max_by_key(|g| g.time_s.len());
        let times_s = longest.map(|g| g.time_s.clone()).unwrap_or_default();
        let limits_w = recording.gpus.iter().map(|g| g.limit_w).collect();
        let ends_s = recording.gpus.iter().map(end_s).collect();
        Self {
            playback: Playback::new(recording),
            times_s,
            next: 0,
            pace: Pace::Real,
            anchor: None,
            limits_w,
            ends_s,
        }
    }

    fn wait(&mut self, t_s: f64) {
        let Some(times) = self.pace.times() else {
            return;
        };
        let now = Instant::now();
        let (since, from_s) = *self.anchor.get_or_insert((now, t_s));
        let due = since + Duration::from_secs_f64(((t_s - from_s) / times).clamp(0.0, 1e6));
        if now > due + BEHIND {
            self.anchor = Some((now, t_s));
        } else if due > now {
            // A gap of a recording is no reason to hold the window up for minutes.
            std::thread::sleep((due - now).min(Duration::from_secs(1)));
            if due > now + Duration::from_secs(1) {
                self.anchor = Some((Instant::now(), t_s));
            }
        }
    }
}

fn end_s(gpu: &GpuRecording) -> f64 {
    gpu.time_s.last().copied().unwrap_or(f64::NEG_INFINITY)
}

impl LiveSource for RecordedSource {
    fn names(&self) -> Vec<String> {
        self.playback
            .gpus()
            .iter()
            .map(|facts| super::name_of(facts.index, &facts.name))
            .collect()
    }

    fn next(&mut self) -> Result<Option<LiveReading>, String> {
        let Some(&t_s) = self.times_s.get(self.next) else {
            return Ok(None);
        };
        self.next += 1;
        self.wait(t_s);
        let first_s = self.times_s.first().copied().unwrap_or(0.0);
        let mut gpus: Vec<GpuReading> = Vec::with_capacity(self.ends_s.len());
        for (gpu, (end_s, limit_w)) in self.ends_s.iter().zip(&self.limits_w).enumerate() {
            let sample = self.playback.read(gpu, t_s.min(*end_s));
            let mut reading = GpuReading::of(&sample);
            reading.limit_w = reading.limit_w.or(*limit_w);
            // What stands still after its end is no reading.
            reading.power_w = reading.power_w.filter(|_| t_s <= end_s + HELD_S);
            gpus.push(reading);
        }
        Ok(Some(LiveReading::new(t_s - first_s, gpus)))
    }

    fn pace(&mut self, pace: Pace) {
        self.pace = pace;
        self.anchor = None;
    }

    fn length_s(&self) -> Option<f64> {
        let (first, last) = (self.times_s.first()?, self.times_s.last()?);
        Some(last - first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_gpus() -> Recording {
        let gpu = |index, end: u32| GpuRecording {
            index,
            name: "NVIDIA H100".to_owned(),
            time_s: (0..end).map(|i| 3.0 + f64::from(i) * 0.1).collect(),
            average_w: Some((0..end).map(|i| 100.0 + f64::from(i)).collect()),
            limit_w: Some(700.0),
            ..GpuRecording::default()
        };
        Recording {
            gpus: vec![gpu(0, 50), gpu(1, 20)],
            ..Recording::default()
        }
    }

    #[test]
    fn a_recording_plays_from_zero_to_its_end() {
        let mut source = RecordedSource::new(two_gpus());
        source.pace(Pace::Fastest);
        assert_eq!(source.names(), ["GPU 0: NVIDIA H100", "GPU 1: NVIDIA H100"]);
        assert!((source.length_s().unwrap() - 4.9).abs() < 1e-9);
        let mut all = Vec::new();
        while let Some(reading) = source.next().unwrap() {
            all.push(reading);
        }
        assert_eq!(all.len(), 50);
        assert_eq!(all[0].t_s, 0.0);
        assert_eq!(all[0].power_w, [Some(100.0), Some(100.0)]);
        assert_eq!(all[49].power_w, [Some(149.0), None], "the second has ended");
        assert_eq!(all[9].gpus[1].limit_w, Some(700.0));
    }

    #[test]
    fn ten_times_is_ten_times() {
        let mut source = RecordedSource::new(two_gpus());
        source.pace(Pace::Ten);
        let started = Instant::now();
        while source.next().unwrap().is_some() {}
        let took = started.elapsed().as_secs_f64();
        // 4.9 s at ten times; a busy machine may take longer.
        assert!((0.48..3.0).contains(&took), "{took}");
    }
}
