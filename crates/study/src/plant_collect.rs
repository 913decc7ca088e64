//! Figures of frequency and sets, gathered step by step.

use ballast_plant::{Limiter, Plant, PlantSpec};
use ballast_scenario::LimitsSpec;
use ballast_series::{Pyramid, PyramidBuilder, RampTracker};

use crate::collect::Span;
use crate::indicative::Figures;
use crate::merge::worst;
use crate::outcome::Extreme;
use crate::plant_watch::{PlantWatch, Watched};
use crate::windows::{LowestMean, RateOfChange, TimeOutside, Worst};

/// A collapse by speed is located within 1e-12 s of its bound; anything farther from it is another collapse.
const AT_BOUND: f64 = 1e-6;

/// Figures of one group of equal sets.
struct SetCollector {
    /// Per unit of apparent power → share of rated active power.
    to_share: f64,
    high: Worst,
    low: Worst,
    low_mean: LowestMean,
    /// Reactive power delivered, share of rated apparent power.
    reactive_high: Worst,
    reactive_low: Worst,
    sum: f64,
    limited: u64,
    /// First time each limiter acted.
    first_limited: Option<(f64, Limiter)>,
}

/// Figures of the plant in one realisation.
pub(crate) struct PlantCollector {
    nominal_hz: f64,
    dt_s: f64,
    low: Worst,
    high: Worst,
    rocof: RateOfChange,
    swing: RampTracker,
    outside: Option<TimeOutside>,
    voltage_low: Worst,
    voltage_high: Worst,
    voltage_outside: Option<TimeOutside>,
    /// Whether the run ended because no voltage carries the load, or no set was left.
    no_voltage: bool,
    sets: Vec<SetCollector>,
    watch: PlantWatch,
    pyramid: Option<PyramidBuilder>,
    voltage_pyramid: Option<PyramidBuilder>,
    /// Number of the first step.
    first: u64,
    samples: u64,
    step_hz: Vec<f64>,
    step_pu: Vec<f64>,
}

/// What became of the voltage of the bus in one realisation; nothing without alternators.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct VoltageExtremes {
    pub(crate) low: Option<Extreme>,
    pub(crate) high: Option<Extreme>,
    pub(crate) outside: Option<Extreme>,
    /// Whether the run ended before it came back to stay.
    pub(crate) outside_open: bool,
    /// Whether the run ended because no voltage carries the load, or no set was left.
    pub(crate) lost: bool,
}

/// Figures of a finished realisation's sets.
pub(crate) struct SetResult {
    pub(crate) high: Option<Extreme>,
    pub(crate) low: Option<Extreme>,
    pub(crate) low_mean: Option<Extreme>,
    pub(crate) reactive_high: Option<Extreme>,
    pub(crate) reactive_low: Option<Extreme>,
    pub(crate) mean_share: f64,
    pub(crate) limited_share: f64,
    pub(crate) first_limited: Option<(f64, Limiter)>,
}

/// Figures of a finished realisation's plant.
pub(crate) struct PlantResult {
    pub(crate) low: Option<Extreme>,
    pub(crate) high: Option<Extreme>,
    pub(crate) rocof: Option<Extreme>,
    /// Largest swing within the limit's window.
    pub(crate) swing: Option<Extreme>,
    pub(crate) outside: Option<Extreme>,
    /// Whether the run ended before the frequency came back to stay.
    pub(crate) outside_open: bool,
    pub(crate) voltage: VoltageExtremes,
    pub(crate) sets: Vec<SetResult>,
    pub(crate) watched: Watched,
    pub(crate) pyramid: Option<Pyramid>,
    pub(crate) voltage_pyramid: Option<Pyramid>,
}

impl PlantCollector {
    /// `span` is that of the plant's own steps.
    pub(crate) fn new(spec: &PlantSpec, limits: &LimitsSpec, span: Span) -> Self {
        let (dt_s, realisation) = (span.dt_s, span.realisation);
        let nominal_hz = spec.frequency_hz;
        let sets = spec
            .sets
            .iter()
            .map(|s| SetCollector {
                to_share: s.rated_kva / s.rated_kw,
                high: Worst::highest(realisation),
                low: Worst::lowest(realisation),
                low_mean: LowestMean::new(limits.set_power_min_window_s, dt_s, realisation),
                reactive_high: Worst::highest(realisation),
                reactive_low: Worst::lowest(realisation),
                sum: 0.0,
                limited: 0,
                first_limited: None,
            })
            .collect();
        Self {
            nominal_hz,
            dt_s,
            low: Worst::lowest(realisation),
            high: Worst::highest(realisation),
            rocof: RateOfChange::new(limits.rocof_window_s, dt_s, realisation),
            swing: span.ramps(&[limits.frequency_swing_window_s]),
            outside: limits.recovery_band_hz.map(|b| {
                TimeOutside::new(nominal_hz - b, nominal_hz + b, span.start_s(), realisation)
            }),
            voltage_low: Worst::lowest(realisation),
            voltage_high: Worst::highest(realisation),
            voltage_outside: limits
                .voltage_recovery_band_pu
                .filter(|_| spec.has_alternators())
                .map(|band| {
                    let v = spec.voltage_pu;
                    TimeOutside::new(v - band, v + band, span.start_s(), realisation)
                }),
            no_voltage: false,
            sets,
            watch: PlantWatch::new(spec, limits, dt_s),
            pyramid: span.curves.then(|| span.pyramid()),
            voltage_pyramid: (span.curves && spec.has_alternators()).then(|| span.pyramid()),
            first: span.first,
            samples: 0,
            step_hz: Vec::with_capacity(4096),
            step_pu: Vec::with_capacity(4096),
        }
    }

    /// Takes the state of the plant at its next step.
    pub(crate) fn take(&mut self, plant: &Plant) {
        let at_s = (self.first + self.samples) as f64 * self.dt_s;
        self.watch.take(plant, at_s);
        let f_hz = plant.speed_pu() * self.nominal_hz;
        self.low.take(f_hz, at_s);
        self.high.take(f_hz, at_s);
        self.rocof.take(f_hz, at_s);
        if let Some(outside) = &mut self.outside {
            outside.take(f_hz, at_s);
        }
        if let Some(voltage_pu) = plant.bus_voltage_pu() {
            if self.voltage_pyramid.is_some() {
                self.step_pu.push(voltage_pu);
            }
            self.voltage_low.take(voltage_pu, at_s);
            self.voltage_high.take(voltage_pu, at_s);
            if let Some(outside) = &mut self.voltage_outside {
                outside.take(voltage_pu, at_s);
            }
        }
        for (i, set) in self.sets.iter_mut().enumerate() {
            // What has left the bus is neither overloaded nor underloaded.
            if plant.on_bus(i) == 0 {
                continue;
            }
            let state = plant.set(i);
            if let Some(share) = state.reactive_pu {
                set.reactive_high.take(share, at_s);
                set.reactive_low.take(share, at_s);
            }
            let share = state.electrical_pu * set.to_share;
            set.high.take(share, at_s);
            set.low.take(share, at_s);
            set.low_mean.take(share, at_s);
            set.sum += share;
            if state.limited != Limiter::None {
                set.limited += 1;
                set.first_limited.get_or_insert((at_s, state.limited));
            }
        }
        self.step_hz.push(f_hz);
        if self.step_hz.len() == self.step_hz.capacity() {
            self.flush();
        }
        self.samples += 1;
    }

    /// Takes the end of a bus that collapsed: the speed that was passed, 0.5 or 1.5 per unit, or the voltage that was lost,
    /// and a recovery that never came. `remaining_s` is the time that was left of the run at `at_s`.
    pub(crate) fn collapse(&mut self, plant: &Plant, at_s: f64, remaining_s: f64) {
        self.watch.collapse();
        let speed = plant.speed_pu();
        if speed < 0.5 + AT_BOUND {
            self.low.take(0.5 * self.nominal_hz, at_s);
        } else if speed > 1.5 - AT_BOUND {
            self.high.take(1.5 * self.nominal_hz, at_s);
        } else {
            self.no_voltage = true;
            if plant.bus_voltage_pu().is_some() {
                self.voltage_low.take(0.0, at_s);
            }
        }
        for outside in self.outside.iter_mut().chain(&mut self.voltage_outside) {
            outside.never_back(at_s, remaining_s);
        }
    }

    /// Worst of each figure so far, in the order of `indicative::moments`; the swing up to the last few thousand steps. The last is left free.
    pub(crate) fn worst_so_far(&self) -> Figures {
        let of_sets = |highest, f: &dyn Fn(&SetCollector) -> Option<Extreme>| {
            worst(self.sets.iter().map(f), highest)
        };
        let outside = |o: &Option<TimeOutside>| o.as_ref().and_then(|o| o.worst.extreme);
        [
            self.low.extreme,
            self.high.extreme,
            self.largest_swing(),
            self.rocof.worst.extreme,
            outside(&self.outside),
            self.voltage_low.extreme,
            self.voltage_high.extreme,
            outside(&self.voltage_outside),
            of_sets(true, &|s| s.high.extreme),
            of_sets(false, &|s| s.low_mean.worst.extreme),
            of_sets(false, &|s| s.reactive_low.extreme),
            None,
        ]
    }

    /// Largest swing within its window, up to the last flush.
    fn largest_swing(&self) -> Option<Extreme> {
        self.swing.tables().first().map(|t| {
            let ramp = if t.up.delta >= -t.down.delta {
                t.up
            } else {
                t.down
            };
            Extreme {
                value: ramp.delta.abs(),
                at_s: ramp.at_s,
                realisation: ramp.realisation,
            }
        })
    }

    fn flush(&mut self) {
        self.swing.push_slice(&self.step_hz);
        if let Some(p) = &mut self.pyramid {
            p.push_slice(&self.step_hz);
        }
        self.step_hz.clear();
        if let Some(p) = &mut self.voltage_pyramid {
            p.push_slice(&self.step_pu);
        }
        self.step_pu.clear();
    }

    pub(crate) fn finish(mut self) -> PlantResult {
        self.flush();
        let n = self.samples.max(1) as f64;
        let swing = self.largest_swing();
        PlantResult {
            low: self.low.extreme,
            high: self.high.extreme,
            rocof: self.rocof.worst.extreme,
            swing,
            outside_open: self.outside.as_ref().is_some_and(TimeOutside::is_open),
            outside: self.outside.and_then(|o| o.worst.extreme),
            voltage: VoltageExtremes {
                low: self.voltage_low.extreme,
                high: self.voltage_high.extreme,
                outside_open: self
                    .voltage_outside
                    .as_ref()
                    .is_some_and(TimeOutside::is_open),
                outside: self.voltage_outside.and_then(|o| o.worst.extreme),
                lost: self.no_voltage,
            },
            sets: self
                .sets
                .into_iter()
                .map(|s| SetResult {
                    high: s.high.extreme,
                    low: s.low.extreme,
                    low_mean: s.low_mean.worst.extreme,
                    reactive_high: s.reactive_high.extreme,
                    reactive_low: s.reactive_low.extreme,
                    mean_share: s.sum / n,
                    limited_share: s.limited as f64 / n,
                    first_limited: s.first_limited,
                })
                .collect(),
            watched: self.watch.finish(),
            pyramid: self.pyramid.map(PyramidBuilder::finish),
            voltage_pyramid: self.voltage_pyramid.map(PyramidBuilder::finish),
        }
    }
}
