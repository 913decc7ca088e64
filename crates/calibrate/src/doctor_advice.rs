//! What is missing on a machine, and how to get it.

use crate::doctor::{Examination, GpuExamination};
use crate::source::{Metric, Missing};

/// From this driver on, average and instant power are told apart (Yang et al., SC24).
const FIELDS_SINCE: u32 = 530;
/// The counter and the polls may differ by so much before it is told: windows and updates do that over some seconds.
const AGREE: f64 = 0.1;

impl GpuExamination {
    /// Whether any power of this GPU can be read.
    pub fn has_power(&self) -> bool {
        [Metric::Average, Metric::Instant, Metric::Energy]
            .iter()
            .any(|r| self.value(*r).is_some())
    }

    /// A reading in the unit of its column; `None` where it is missing.
    pub fn value(&self, reading: Metric) -> Option<f64> {
        self.readings.get(reading as usize).and_then(|f| f.value)
    }

    fn why(&self, reading: Metric) -> Option<&str> {
        self.readings
            .get(reading as usize)
            .and_then(|f| f.why.as_deref())
    }
}

impl Examination {
    /// What is missing or in the way, and what helps; empty where nothing is.
    pub fn advice(&self) -> Vec<String> {
        let mut advice: Vec<String> = self.gpus.iter().flat_map(|g| self.of_gpu(g)).collect();
        if !self.dcgm.is_empty() {
            advice.push(format!(
                "{} polls the same sensors: stop it for a measurement of fast changes, or accept late polls (they are counted)",
                self.dcgm.join(", ")
            ));
        }
        if !self.is_root {
            advice.push("settings (record --allow-control) take root: run that as root".to_owned());
        }
        advice
    }

    fn of_gpu(&self, gpu: &GpuExamination) -> Vec<String> {
        let mut advice = Vec::new();
        let mut say = |text: String| advice.push(format!("GPU {}: {text}", gpu.index));
        if !gpu.has_power() {
            say("no power can be read: neither average, nor instant, nor energy".to_owned());
        }
        let old = self
            .driver
            .split('.')
            .next()
            .and_then(|major| major.parse::<u32>().ok())
            .is_some_and(|major| major < FIELDS_SINCE);
        if gpu.value(Metric::Instant).is_none() {
            say(if old {
                format!(
                    "no instant power: a driver from {FIELDS_SINCE} on tells it from the average"
                )
            } else {
                "no instant power: changes faster than the averaging window cannot be seen"
                    .to_owned()
            });
        }
        if gpu.value(Metric::Energy).is_none() && gpu.has_power() {
            say(
                "no energy counter (it takes Volta or newer): means rest on polls alone".to_owned(),
            );
        }
        let denied = Missing::Denied.to_string();
        for reading in Metric::ALL {
            if gpu.why(reading) == Some(denied.as_str()) {
                say(format!(
                    "{}: {denied}: run as root, or have the administrator open it",
                    reading.words()
                ));
            }
        }
        if gpu.value(Metric::Instant).is_some() && gpu.instant_update.period_s.is_none()
            || gpu.value(Metric::Average).is_some() && gpu.average_update.period_s.is_none()
        {
            say("how often a power is renewed does not show: run a load, and ask again".to_owned());
        }
        if let (Some(counter_w), Some(polled_w)) = (gpu.counter_mean_w, gpu.polled_mean_w)
            && (counter_w - polled_w).abs() > AGREE * counter_w.max(polled_w)
        {
            say(format!(
                "the energy counter says {counter_w:.1} W and the polled power {polled_w:.1} W over the same {:.1} s: with a steady load they should agree",
                gpu.instant_update.watched_s
            ));
        }
        if gpu.mig == Some(true) {
            say(
                "MIG is on: power and energy are those of the whole GPU, never of an instance"
                    .to_owned(),
            );
        }
        if gpu.processes.as_ref().is_some_and(|p| !p.is_empty()) {
            say("other processes run on it: their power is in the recording".to_owned());
        }
        if gpu.processes.is_none() {
            say("its processes cannot be seen: whether it is free is not known".to_owned());
        }
        advice
    }
}
