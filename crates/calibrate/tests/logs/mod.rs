//! Logs of GPUs whose phases are known: scripts of segments, drawn from a seed, seen through the simulated sensor.

pub(crate) mod scripts;

use ballast_calibrate::{GpuRecording, Label, Mark, Recording, SimulatedSensor};
use ballast_series::rng::Stream;

/// What the power does within a segment.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Course {
    /// One level, watts, that moves by `drift_w` to the end.
    Flat { level_w: f64, drift_w: f64 },
    /// Iterations: high for `duty` of each period, then low; single periods scatter by `jitter` of it.
    Wave {
        high_w: f64,
        low_w: f64,
        period_s: f64,
        duty: f64,
        jitter: f64,
    },
    /// Serving: a plateau with spikes of `spike_s` at random, `every_s` apart on average.
    Spikes {
        plateau_w: f64,
        spike_w: f64,
        spike_s: f64,
        every_s: f64,
    },
}

/// A segment of a script.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    /// Labels that are right.
    pub(crate) labels: &'static [Label],
    /// How long, seconds.
    pub(crate) seconds: f64,
    /// Its power.
    pub(crate) course: Course,
    /// Standard deviation of one GPU around it, watts.
    pub(crate) spread_w: f64,
    /// Utilisation, 0 to 1.
    pub(crate) used: f64,
    /// Memory in use, GB.
    pub(crate) memory_gb: f64,
}

/// How a log is taken.
#[derive(Debug, Clone)]
pub(crate) struct Logger {
    pub(crate) name: &'static str,
    /// The average in place of the short reading.
    pub(crate) average: bool,
    pub(crate) poll_s: f64,
    /// Utilisation and memory beside the power.
    pub(crate) columns: bool,
    /// Share of rows that are missing, and gaps (begin, seconds).
    pub(crate) missing: f64,
    pub(crate) gaps: Vec<(f64, f64)>,
}

/// What a GPU does otherwise than the others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Odd {
    Nothing,
    /// Stays idle.
    Idle(usize),
    /// Draws less while the others wait for it: its high part is longer.
    Straggler(usize),
}

/// A log with its truth.
pub(crate) struct Log {
    pub(crate) name: &'static str,
    pub(crate) segments: Vec<Segment>,
    pub(crate) gpus: usize,
    pub(crate) logger: Logger,
    pub(crate) odd: Odd,
}

impl Log {
    /// Begin and end of each segment, seconds.
    pub(crate) fn bounds(&self) -> Vec<(f64, f64)> {
        let mut at = 0.0;
        self.segments
            .iter()
            .map(|s| {
                let from = at;
                at += s.seconds;
                (from, at)
            })
            .collect()
    }

    /// Power without noise of one GPU on a fine grid.
    fn course(&self, step_s: f64, longer: f64, seed: u64) -> Vec<f64> {
        let mut power = Vec::new();
        let mut stream = Stream::new(seed, "course of a log", 0, 0);
        for (segment, (_, end)) in self.segments.iter().zip(self.bounds()) {
            let from = power.len();
            let to = (end / step_s).round() as usize;
            match segment.course {
                Course::Flat { level_w, drift_w } => {
                    let n = (to - from) as f64;
                    power.extend((from..to).map(|i| level_w + drift_w * (i - from) as f64 / n));
                }
                Course::Wave {
                    high_w,
                    low_w,
                    period_s,
                    duty,
                    jitter,
                } => {
                    while power.len() < to {
                        let period = period_s * (1.0 + jitter * stream.normal()).clamp(0.5, 1.5);
                        let n = (period / step_s).round().max(2.0) as usize;
                        let high = (n as f64 * (duty + longer).min(0.95)).round() as usize;
                        for k in 0..n {
                            if power.len() < to {
                                power.push(if k < high { high_w } else { low_w });
                            }
                        }
                    }
                }
                Course::Spikes {
                    plateau_w,
                    spike_w,
                    spike_s,
                    every_s,
                } => {
                    while power.len() < to {
                        let wait = spike_s - every_s * (1.0 - stream.uniform()).ln();
                        let long = spike_s * (0.7 + 0.6 * stream.uniform());
                        for (level, seconds) in [(plateau_w, wait), (spike_w, long)] {
                            for _ in 0..(seconds / step_s).round() as usize {
                                if power.len() < to {
                                    power.push(level);
                                }
                            }
                        }
                    }
                }
            }
        }
        power
    }

    /// What each card draws over what its kind does.
    pub(crate) fn scales(&self, seed: u64) -> Vec<f64> {
        let mut cards = Stream::new(seed, "cards", 0, 0);
        (0..self.gpus)
            .map(|_| {
                if self.gpus > 1 {
                    1.0 + 0.015 * cards.normal()
                } else {
                    1.0
                }
            })
            .collect()
    }

    /// The recording, through the sensor of the GPU's name.
    pub(crate) fn record(&self, seed: u64) -> Recording {
        let step_s = (self.logger.poll_s / 50.0).clamp(0.002, 0.01);
        let bounds = self.bounds();
        let seconds = bounds[bounds.len() - 1].1;
        let base = self.course(step_s, 0.0, seed);
        let late = self.course(step_s, 0.12, seed);
        let n = base.len();
        let spread: Vec<f64> = self
            .segments
            .iter()
            .zip(&bounds)
            .flat_map(|(s, (from, to))| {
                let samples = (to / step_s).round() as usize - (from / step_s).round() as usize;
                std::iter::repeat_n(s.spread_w, samples)
            })
            .collect();
        // First-order noise with 0.6 s, seven tenths of its variance in common.
        let phi = (-step_s / 0.6_f64).exp();
        let fresh = (1.0 - phi * phi).sqrt();
        let noise = |purpose: &'static str, g: u64| -> Vec<f64> {
            let mut stream = Stream::new(seed, purpose, g, 0);
            let mut x = stream.normal();
            (0..n)
                .map(|_| {
                    x = phi * x + fresh * stream.normal();
                    x
                })
                .collect()
        };
        let common = noise("noise in common", 0);
        let cards = self.scales(seed);
        let gpus = (0..self.gpus)
            .map(|g| {
                let scale = cards[g];
                let own = noise("noise of one", g as u64);
                let course = if self.odd == Odd::Straggler(g) {
                    &late
                } else {
                    &base
                };
                let idle = self.odd == Odd::Idle(g);
                let power = |t: f64| {
                    let i = ((t / step_s).max(0.0) as usize).min(n - 1);
                    let (level, sd) = if idle {
                        (base[0], 0.8)
                    } else {
                        (course[i], spread[i])
                    };
                    let x = 0.7_f64.sqrt() * common[i] + 0.3_f64.sqrt() * own[i];
                    (scale * level + sd * x).max(0.0)
                };
                self.gpu(g, &power, seconds, step_s, seed, idle)
            })
            .collect();
        Recording {
            gpus,
            marks: Vec::<Mark>::new(),
            sha256: "0123456789abcdef".to_owned(),
            started: String::new(),
        }
    }

    fn gpu(
        &self,
        g: usize,
        power: &dyn Fn(f64) -> f64,
        seconds: f64,
        step_s: f64,
        seed: u64,
        idle: bool,
    ) -> GpuRecording {
        let logger = &self.logger;
        let mut sensor = SimulatedSensor::of(logger.name, "580.82.07");
        sensor.seed = seed * 100 + g as u64;
        sensor.poll_s = logger.poll_s;
        sensor.poll_jitter_s = 0.02 * logger.poll_s;
        sensor.step_s = step_s;
        sensor.counter = None;
        let phase = Stream::new(seed, "phase of a sensor", g as u64, 0).uniform();
        for reading in [&mut sensor.average, &mut sensor.instant]
            .into_iter()
            .flatten()
        {
            reading.phase_s = phase * reading.update_period_s;
        }
        let mut gpu = sensor.gpu(power, seconds);
        gpu.index = g as u32;
        gpu.limit_w = Some(700.0);
        if logger.average {
            gpu.instant_w = None;
        } else if gpu.instant_w.is_some() {
            gpu.average_w = None;
        }
        let mut drop = Stream::new(seed, "missing rows", 0, 0);
        let keep: Vec<usize> = (0..gpu.time_s.len())
            .filter(|i| {
                let t = gpu.time_s[*i];
                let lost = drop.uniform() < logger.missing;
                !lost
                    && !logger
                        .gaps
                        .iter()
                        .any(|(from, long)| t >= *from && t < from + long)
            })
            .collect();
        let pick = |column: Option<Vec<f64>>| -> Option<Vec<f64>> {
            column.map(|c| keep.iter().map(|i| c[*i]).collect())
        };
        gpu.average_w = pick(gpu.average_w);
        gpu.instant_w = pick(gpu.instant_w);
        gpu.time_s = keep.iter().map(|i| gpu.time_s[*i]).collect();
        if logger.columns {
            let bounds = self.bounds();
            let mut used = Stream::new(seed, "utilisation", g as u64, 0);
            let at = |t: f64| {
                let k = bounds.iter().position(|(_, to)| t < *to);
                &self.segments[k.unwrap_or(bounds.len() - 1)]
            };
            // The driver's utilisation is that of the last second or less.
            gpu.utilisation = Some(
                gpu.time_s
                    .iter()
                    .map(|t| {
                        let u = if idle { 0.0 } else { at(t - 0.3).used };
                        if u > 0.0 {
                            (u + 0.05 * used.normal()).clamp(0.0, 1.0)
                        } else {
                            0.0
                        }
                    })
                    .collect(),
            );
            gpu.memory_used_bytes = Some(
                gpu.time_s
                    .iter()
                    .map(|t| 1e9 * if idle { 0.5 } else { at(*t).memory_gb })
                    .collect(),
            );
        }
        gpu
    }
}
