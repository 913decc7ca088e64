//! Figures that the limits on the load are about, gathered sample by sample of the power at the bus.
//!
//! Each is kept only if its limit was given: windows of ramps and changes, highest and lowest power, the spectrum of every
//! realisation (without the limit only that of the first is kept), the flickermeter.
//!
//! Flicker is of the bus's voltage where alternators give one, or behind the stated short-circuit power `S`: there the voltage is
//! `1 − (P·R + Q·X)/S` with `R = 1/√(1 + (X/R)²)`, the drop of first order, which leaves out the angle between the voltages.

use ballast_plant::Plant;
use ballast_scenario::{LampSpec, LoadLimitsSpec, Scenario};
use ballast_series::{
    Flicker, Flickermeter, Lamp, RampTable, RampTracker, Spectrum, SpectrumEstimator,
};

use crate::collect::Span;
use crate::outcome::{BandKpis, Extreme};
use crate::windows::Worst;

impl BandKpis {
    /// Of a spectrum of the power at the bus; none where it has no line.
    pub(crate) fn of(
        spectrum: &Spectrum,
        low_hz: f64,
        high_hz: f64,
        metered: &str,
    ) -> Option<Self> {
        let seen_to_hz = *spectrum.frequency_hz.last()?;
        let all = spectrum.mean_square(0.0, seen_to_hz);
        let inside = spectrum.mean_square(low_hz, high_hz);
        Some(Self {
            metered: metered.to_owned(),
            low_hz,
            high_hz,
            seen_to_hz,
            rms_w: inside.sqrt(),
            ac_rms_w: all.sqrt(),
            share: if all > 0.0 { inside / all } else { 0.0 },
            resolution_hz: spectrum.resolution_hz,
            segments: spectrum.segments,
        })
    }
}

/// What one realisation did to the limits on the load.
pub(crate) struct LoadFigures {
    pub(crate) ramp: Option<RampTable>,
    pub(crate) change: Option<RampTable>,
    /// Highest less lowest power, as a share of the highest of the run.
    pub(crate) range: Option<Extreme>,
    pub(crate) band: Option<BandKpis>,
    pub(crate) flicker: Option<Flicker>,
}

/// Gathers [`LoadFigures`].
pub(crate) struct LoadCollector {
    realisation: u32,
    start_s: f64,
    dt_s: f64,
    next: u64,
    ramp: Option<RampTracker>,
    change: Option<RampTracker>,
    range: Option<Range>,
    band: Option<(SpectrumEstimator, f64, f64)>,
    flicker: Option<(Flickermeter, Behind)>,
    voltage_pu: Vec<f64>,
}

/// Where the voltage of the flicker comes from.
enum Behind {
    /// The bus of the plant.
    Bus,
    /// A short-circuit power: resistance and reactance, per unit and per watt.
    Impedance { r_per_w: f64, x_per_var: f64 },
}

struct Range {
    high: Worst,
    low: Worst,
    window: Option<RampTracker>,
}

/// The lamp of a scenario's flicker.
pub(crate) fn lamp(scenario: &Scenario, limits: &LoadLimitsSpec) -> Lamp {
    match limits.flicker_lamp {
        Some(LampSpec::V230) => Lamp::V230Hz50,
        Some(LampSpec::V120) => Lamp::V120Hz60,
        None => Lamp::of(scenario.plant.as_ref().map_or(60.0, |p| p.frequency_hz)),
    }
}

impl LoadCollector {
    /// None without limits on the load.
    pub(crate) fn new(scenario: &Scenario, span: Span) -> Option<Self> {
        let limits = scenario.limits.load.as_ref()?;
        let ramps = |window_s: f64| span.ramps(&[window_s]);
        let flicker = limits.flicker_pst.map(|_| {
            let behind = match (limits.flicker_short_circuit_mva, limits.flicker_x_over_r) {
                (Some(mva), Some(ratio)) => {
                    let size = 1.0 / (1.0 + ratio * ratio).sqrt() / (mva * 1e6);
                    Behind::Impedance {
                        r_per_w: size,
                        x_per_var: ratio * size,
                    }
                }
                _ => Behind::Bus,
            };
            (Flickermeter::new(lamp(scenario, limits), span.dt_s), behind)
        });
        Some(Self {
            realisation: span.realisation,
            start_s: span.start_s(),
            dt_s: span.dt_s,
            next: span.first,
            ramp: limits.has_ramps().then(|| ramps(limits.ramp_window_s)),
            change: limits.changes_over_s().map(ramps),
            range: limits.range_share.map(|_| Range {
                high: Worst::highest(span.realisation),
                low: Worst::lowest(span.realisation),
                window: limits.range_window_s.map(ramps),
            }),
            band: limits.band_share.map(|_| {
                let estimator = SpectrumEstimator::new(span.dt_s, span.samples);
                (estimator, limits.band_low_hz, limits.band_high_hz)
            }),
            flicker,
            voltage_pu: Vec::with_capacity(crate::realisation::BLOCK),
        })
    }

    /// Takes the voltage that the plant has at a sample, before the sample's block is taken.
    pub(crate) fn voltage(&mut self, plant: Option<&Plant>) {
        if let Some((_, Behind::Bus)) = &self.flicker
            && let Some(voltage_pu) = plant.and_then(Plant::bus_voltage_pu)
        {
            self.voltage_pu.push(voltage_pu);
        }
    }

    /// Takes the next samples at the bus: power, the part of it that tells ramps, reactive power; watts, var.
    pub(crate) fn take(&mut self, site_w: &[f64], fast_w: &[f64], site_var: &[f64]) {
        for tracker in self.ramp.iter_mut().chain(&mut self.change) {
            tracker.push_slice(fast_w);
        }
        if let Some(range) = &mut self.range {
            range.high.take_slice(site_w, self.next, self.dt_s);
            range.low.take_slice(site_w, self.next, self.dt_s);
            if let Some(window) = &mut range.window {
                window.push_slice(site_w);
            }
        }
        if let Some((estimator, ..)) = &mut self.band {
            estimator.push_slice(fast_w);
        }
        if let Some((meter, behind)) = &mut self.flicker {
            if let Behind::Impedance { r_per_w, x_per_var } = behind {
                let drop = |(w, var): (&f64, &f64)| 1.0 - (w * *r_per_w + var * *x_per_var);
                self.voltage_pu
                    .extend(site_w.iter().zip(site_var).map(drop));
            }
            meter.push_slice(&self.voltage_pu);
            self.voltage_pu.clear();
        }
        self.next += site_w.len() as u64;
    }

    pub(crate) fn finish(self, metered: &str) -> LoadFigures {
        let table = |t: RampTracker| t.tables().into_iter().next();
        let realisation = self.realisation;
        let range = self.range.and_then(|range| {
            let (high, low) = (range.high.extreme?, range.low.extreme?);
            let (span_w, at_s) = match range.window.and_then(table) {
                None => (high.value - low.value, high.at_s.max(low.at_s)),
                Some(t) if t.up.delta >= -t.down.delta => (t.up.delta, t.up.at_s),
                Some(t) => (-t.down.delta, t.down.at_s),
            };
            let share = if high.value > 0.0 {
                span_w / high.value
            } else {
                0.0
            };
            Some(Extreme {
                value: share,
                at_s,
                realisation,
            })
        });
        LoadFigures {
            ramp: self.ramp.and_then(table),
            change: self.change.and_then(table),
            range,
            band: self
                .band
                .and_then(|(e, low, high)| BandKpis::of(&e.finish(), low, high, metered)),
            flicker: self.flicker.and_then(|(m, _)| m.finish()).map(|f| Flicker {
                at_s: f.at_s + self.start_s,
                ..f
            }),
        }
    }
}
