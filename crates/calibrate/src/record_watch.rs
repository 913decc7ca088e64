//! What goes wrong while a GPU is recorded, each thing told once.

use crate::recording::Mark;
use crate::source::{GpuFacts, Metric, Sample};

/// Readings that do not move for so long are told, seconds. Sensors renew their value every 20 to 100 ms (Yang et al., SC24), and a
/// GPU's power is never quiet to the milliwatt for long.
const STUCK_S: f64 = 5.0;

/// Follows one GPU.
#[derive(Debug, Clone)]
struct Followed {
    told: [bool; Metric::COUNT],
    lost: bool,
    power: Moving,
    counter: Moving,
    stamp_us: Option<i64>,
}

/// A reading and when it last changed.
#[derive(Debug, Clone, Copy)]
struct Moving {
    value: f64,
    since_s: f64,
    stuck: bool,
}

impl Moving {
    fn new() -> Self {
        Self {
            value: f64::NAN,
            since_s: 0.0,
            stuck: false,
        }
    }

    /// Takes a value; `Some(true)` when it has just become stuck, `Some(false)` when it moves again.
    fn step(&mut self, t_s: f64, value: f64) -> Option<bool> {
        if value.is_nan() {
            self.since_s = t_s;
            return None;
        }
        if value == self.value {
            let newly = !self.stuck && t_s - self.since_s >= STUCK_S;
            self.stuck |= newly;
            return newly.then_some(true);
        }
        self.value = value;
        self.since_s = t_s;
        std::mem::take(&mut self.stuck).then_some(false)
    }
}

/// Follows all GPUs of a recording.
#[derive(Debug)]
pub(crate) struct Watch {
    gpus: Vec<Followed>,
    names: Vec<u32>,
}

impl Watch {
    pub(crate) fn new(gpus: &[GpuFacts]) -> Self {
        let fresh = Followed {
            told: [false; Metric::COUNT],
            lost: false,
            power: Moving::new(),
            counter: Moving::new(),
            stamp_us: None,
        };
        Self {
            gpus: vec![fresh; gpus.len()],
            names: gpus.iter().map(|g| g.index).collect(),
        }
    }

    /// Whether a GPU is gone.
    pub(crate) fn is_lost(&self, gpu: usize) -> bool {
        self.gpus[gpu].lost
    }

    /// Whether all GPUs are gone.
    pub(crate) fn all_lost(&self) -> bool {
        self.gpus.iter().all(|g| g.lost)
    }

    /// Looks at a sample, and adds what there is to say.
    pub(crate) fn look(&mut self, gpu: usize, t_s: f64, sample: &Sample, notes: &mut Vec<Mark>) {
        let index = self.names[gpu];
        let followed = &mut self.gpus[gpu];
        let mut say = |label: String| {
            notes.push(Mark {
                time_s: t_s,
                label: format!("GPU {index}: {label}"),
            });
        };
        if sample.is_lost() {
            if !std::mem::replace(&mut followed.lost, true) {
                say("lost; it is not read any more".to_owned());
            }
            return;
        }
        for reading in Metric::ALL {
            if let Some(why) = sample.missing(reading)
                && !std::mem::replace(&mut followed.told[reading as usize], true)
            {
                say(format!("no {}: {why}", reading.words()));
            }
        }
        let counter_j = sample.value(Metric::Energy);
        let before_j = followed.counter.value;
        if counter_j < before_j {
            say(format!(
                "the energy counter went back, from {before_j:.3} J to {counter_j:.3} J; it starts anew there"
            ));
        }
        match followed.counter.step(t_s, counter_j) {
            Some(true) if sample.power_w() > 0.0 => say(format!(
                "the energy counter has not moved for {STUCK_S} s, while there is power"
            )),
            Some(false) => say("the energy counter moves again".to_owned()),
            _ => {}
        }
        match followed.power.step(t_s, sample.power_w()) {
            Some(true) => say(format!(
                "the power has been the same for {STUCK_S} s to the milliwatt: a stuck sensor, or one that shows whole watts"
            )),
            Some(false) => say("the power moves again".to_owned()),
            None => {}
        }
        if let (Some(before), Some(now)) = (followed.stamp_us, sample.stamp_us)
            && now < before
        {
            let back_s = (before - now) as f64 / 1e6;
            say(format!(
                "the driver's clock went back by {back_s:.3} s; times are the recorder's own"
            ));
        }
        followed.stamp_us = sample.stamp_us.or(followed.stamp_us);
    }
}
