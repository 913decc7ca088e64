//! A sensor that is computed: a known waveform in, what a poller would have recorded out.

use ballast_series::rng::Stream;

use crate::recording::{GpuRecording, Recording};
use crate::sensor::{Reading, SensorModel};

/// One simulated reading.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimulatedReading {
    /// Time between updates, seconds (> 0).
    pub update_period_s: f64,
    /// Window, seconds (> 0).
    pub window_s: f64,
    /// Instant of the first update, seconds.
    pub phase_s: f64,
    /// Watts shown per watt drawn.
    pub gain: f64,
    /// Watts shown at none drawn.
    pub offset_w: f64,
    /// Standard deviation of noise, watts, anew at every update.
    pub noise_w: f64,
    /// Step of the value shown, watts; 0 for none.
    pub quantum_w: f64,
}

/// A simulated energy counter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimulatedCounter {
    /// Time between its updates, seconds (> 0).
    pub update_period_s: f64,
    /// Value at the start, joules.
    pub start_j: f64,
    /// Watts counted per watt drawn.
    pub gain: f64,
    /// Watts counted at none drawn.
    pub offset_w: f64,
    /// Instant at which it begins anew at zero, seconds.
    pub reset_s: Option<f64>,
}

/// A GPU's sensors and the poller that reads them.
#[derive(Debug, Clone, PartialEq)]
pub struct SimulatedSensor {
    /// Name that the recording has.
    pub name: String,
    /// Driver that the recording has.
    pub driver: String,
    /// Averaged reading.
    pub average: Option<SimulatedReading>,
    /// Instantaneous reading.
    pub instant: Option<SimulatedReading>,
    /// Energy counter.
    pub counter: Option<SimulatedCounter>,
    /// Time between polls, seconds (> 0).
    pub poll_s: f64,
    /// Half width of the uniform scatter of the polls around their schedule, seconds (≥ 0).
    pub poll_jitter_s: f64,
    /// Step at which the waveform is integrated, seconds (> 0).
    pub step_s: f64,
    /// Seed of noise and jitter.
    pub seed: u64,
}

impl SimulatedSensor {
    /// The readings that the table has for a GPU, without error of gain, updated from a phase of no round number; polled every 20 ms
    /// ± 2 ms; 0.2 W of noise, shown in steps of 10 mW; counter every 20 ms.
    pub fn of(name: &str, driver: &str) -> Self {
        let reading = |reading| {
            let model = SensorModel::of(name, driver, reading);
            Some(SimulatedReading {
                update_period_s: model.update_period_s?,
                window_s: model.window_s?,
                phase_s: 0.0371,
                gain: 1.0,
                offset_w: 0.0,
                noise_w: 0.2,
                quantum_w: 0.01,
            })
        };
        Self {
            name: name.to_owned(),
            driver: driver.to_owned(),
            average: reading(Reading::Average),
            instant: reading(Reading::Instant),
            counter: Some(SimulatedCounter {
                update_period_s: 0.02,
                start_j: 123_456.0,
                gain: 1.0,
                offset_w: 0.0,
                reset_s: None,
            }),
            poll_s: 0.02,
            poll_jitter_s: 0.002,
            step_s: 1e-4,
            seed: 1,
        }
    }

    /// The same with a gain and an offset on readings and counter.
    #[must_use]
    pub fn with_gain(mut self, gain: f64, offset_w: f64) -> Self {
        for reading in [&mut self.average, &mut self.instant].into_iter().flatten() {
            (reading.gain, reading.offset_w) = (gain, offset_w);
        }
        if let Some(counter) = &mut self.counter {
            (counter.gain, counter.offset_w) = (gain, offset_w);
        }
        self
    }

    /// What a poller records of a waveform, watts at seconds, over `[0, seconds]`.
    pub fn gpu(&self, power_w: impl Fn(f64) -> f64, seconds: f64) -> GpuRecording {
        let longest = [self.average, self.instant]
            .into_iter()
            .flatten()
            .map(|r| r.window_s + r.update_period_s);
        let before_s = longest.fold(0.0, f64::max) + 2.0 * self.step_s;
        let energy = Integral::new(power_w, -before_s, seconds + self.step_s, self.step_s);
        let mut jitter = Stream::new(self.seed, "sensor polls", 0, 0);
        let polls = (seconds / self.poll_s).floor() as usize;
        let mut time_s = Vec::with_capacity(polls + 1);
        for i in 0..=polls {
            let at = i as f64 * self.poll_s + self.poll_jitter_s * (2.0 * jitter.uniform() - 1.0);
            let at = at.clamp(0.0, seconds);
            if time_s.last().is_none_or(|last| at > *last) {
                time_s.push(at);
            }
        }
        let column = |reading: Option<SimulatedReading>, entity| {
            reading.map(|reading| {
                shown(
                    &reading,
                    &energy,
                    &time_s,
                    &mut Stream::new(self.seed, "sensor noise", entity, 0),
                )
            })
        };
        let average_w = column(self.average, 0);
        let instant_w = column(self.instant, 1);
        let energy_j = self.counter.map(|counter| {
            let at = |t: f64| counter.gain * energy.between(0.0, t) + counter.offset_w * t;
            time_s
                .iter()
                .map(|t| {
                    let update = (t / counter.update_period_s).floor() * counter.update_period_s;
                    match counter.reset_s {
                        Some(reset) if update >= reset => at(update) - at(reset),
                        _ => counter.start_j + at(update),
                    }
                })
                // Millijoules.
                .map(|joules| (1e3 * joules).floor() / 1e3)
                .collect()
        });
        GpuRecording {
            name: self.name.clone(),
            driver: self.driver.clone(),
            time_s,
            average_w,
            instant_w,
            energy_j,
            ..GpuRecording::default()
        }
    }

    /// The same as a recording of one GPU.
    pub fn record(&self, power_w: impl Fn(f64) -> f64, seconds: f64) -> Recording {
        Recording {
            gpus: vec![self.gpu(power_w, seconds)],
            ..Recording::default()
        }
    }
}

/// Values shown at the polls.
fn shown(
    reading: &SimulatedReading,
    energy: &Integral,
    time_s: &[f64],
    noise: &mut Stream,
) -> Vec<f64> {
    let mut last = f64::NEG_INFINITY;
    let mut value = f64::NAN;
    time_s
        .iter()
        .map(|t| {
            let k = ((t - reading.phase_s) / reading.update_period_s).floor();
            while last < k {
                // Noise belongs to the update, not to the poll.
                last = if last.is_finite() { last + 1.0 } else { k };
                let update = reading.phase_s + last * reading.update_period_s;
                let mean = energy.between(update - reading.window_s, update) / reading.window_s;
                value = reading.gain * mean + reading.offset_w + reading.noise_w * noise.normal();
                if reading.quantum_w > 0.0 {
                    value = (value / reading.quantum_w).round() * reading.quantum_w;
                }
            }
            value
        })
        .collect()
}

/// Running integral of a waveform on a fine grid, by the midpoint rule.
struct Integral {
    from_s: f64,
    step_s: f64,
    joules: Vec<f64>,
}

impl Integral {
    fn new(power_w: impl Fn(f64) -> f64, from_s: f64, to_s: f64, step_s: f64) -> Self {
        let steps = ((to_s - from_s) / step_s).ceil() as usize;
        let mut joules = Vec::with_capacity(steps + 1);
        let mut sum = 0.0;
        joules.push(0.0);
        for i in 0..steps {
            sum += step_s * power_w(from_s + (i as f64 + 0.5) * step_s);
            joules.push(sum);
        }
        Self {
            from_s,
            step_s,
            joules,
        }
    }

    fn at(&self, t: f64) -> f64 {
        let x = ((t - self.from_s) / self.step_s).clamp(0.0, (self.joules.len() - 1) as f64);
        let i = (x as usize).min(self.joules.len().saturating_sub(2));
        self.joules[i] + (x - i as f64) * (self.joules[i + 1] - self.joules[i])
    }

    fn between(&self, from_s: f64, to_s: f64) -> f64 {
        self.at(to_s) - self.at(from_s)
    }
}

/// A wave of two levels, watts at seconds: `high_w` for `duty` of each period from `phase_s` on.
pub fn square_wave(
    low_w: f64,
    high_w: f64,
    period_s: f64,
    duty: f64,
    phase_s: f64,
) -> impl Fn(f64) -> f64 {
    move |t| {
        let turns = (t - phase_s) / period_s;
        if turns - turns.floor() < duty {
            high_w
        } else {
            low_w
        }
    }
}
