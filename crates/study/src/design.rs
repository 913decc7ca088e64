//! The figures of an outcome, from merged realisations.

use ballast_aggregate::Site;
use ballast_plant::Plant;
use ballast_profile::MeteringPoint;
use ballast_scenario::Scenario;
use ballast_series::{Envelope, Pyramid};

use crate::coarse::Coarse;
use crate::contingency;
use crate::fuel_use::fuel_kpis;
use crate::load_steps::acceptance_kpis;
use crate::merge::{Merged, worst};
use crate::outcome::{
    BandKpis, DesignValues, Extreme, FacilityPart, GainCurve, GpuKpis, PlantKpis, PowerKpis,
    RackEnvelope, RackKpis, SetKpis, Source002Values,
};
use crate::residual;
use crate::step_event_kpis::step_event_kpis;

/// Quantile of the design peak over time.
const DESIGN_QUANTILE: f64 = 0.999;
/// Range and number of points of the gain curve, hertz: from slow dispatch to the first torsional modes.
const GAIN_RANGE_HZ: (f64, f64) = (0.02, 30.0);
const GAIN_POINTS: usize = 241;
/// Points between the neighbours of its highest point.
const PEAK_POINTS: usize = 201;

/// Over what a percentile is taken, in words.
fn over(scenario: &Scenario, what: &str) -> String {
    let (n, s) = (
        scenario.simulation.realisations,
        scenario.simulation.duration_s,
    );
    let runs = if n == 1 {
        "1 realisation".to_owned()
    } else {
        format!("{n} realisations")
    };
    format!("time{what}, {runs} of {s} s")
}

fn no_samples(over: &str) -> Envelope {
    Envelope {
        min: 0.0,
        p5: 0.0,
        p50: 0.0,
        p95: 0.0,
        p99_9: 0.0,
        max: 0.0,
        mean: 0.0,
        std: 0.0,
        samples: 0,
        resolution: 0.0,
        over: over.to_owned(),
    }
}

fn no_pyramid() -> Pyramid {
    Pyramid {
        t0_s: 0.0,
        levels: Vec::new(),
    }
}

/// Where the power at the bus is metered, in words.
pub(crate) fn bus(scenario: &Scenario) -> &'static str {
    match (scenario.facility.is_some(), scenario.bess.is_empty()) {
        (true, true) => {
            "the bus (input of the transformers that feed racks, other IT and cooling, plus the given loads)"
        }
        (true, false) => {
            "the bus (input of the transformers that feed racks, other IT and cooling, plus the given loads, behind the batteries)"
        }
        (false, true) => "the bus (AC input of the racks plus the given loads)",
        (false, false) => {
            "the bus (AC input of the racks plus the given loads, behind the batteries)"
        }
    }
}

/// Mean power of each part between the racks and the bus.
pub(crate) fn facility_parts(merged: &Merged) -> Vec<FacilityPart> {
    let Some(f) = &merged.facility else {
        return Vec::new();
    };
    let parts = [
        ("racks", MeteringPoint::RackAc, f.racks_w),
        ("network", MeteringPoint::Hall, f.network_w),
        ("storage", MeteringPoint::Hall, f.storage_w),
        ("management", MeteringPoint::Hall, f.management_w),
        ("UPS losses", MeteringPoint::Bus, f.ups_w),
        ("cooling", MeteringPoint::Bus, f.cooling_w),
        ("transformer losses", MeteringPoint::Bus, f.transformer_w),
    ];
    parts
        .into_iter()
        .map(|(part, at, mean_w)| FacilityPart {
            part: part.to_owned(),
            metered: at.text().to_owned(),
            mean_w,
        })
        .collect()
}

/// Power at the bus. Consumes the merged curves.
pub(crate) fn power_kpis(scenario: &Scenario, coarse: &Coarse, merged: Merged) -> PowerKpis {
    let over = over(scenario, "");
    let energy_j = merged.energy_j;
    let no_spectrum =
        || ballast_series::SpectrumEstimator::new(scenario.simulation.step_s, 1).finish();
    let (pyramid, mut spectrum) = merged
        .curves
        .unwrap_or_else(|| (no_pyramid(), no_spectrum()));
    let mut ramps = merged.ramps;
    if matches!(coarse, Coarse::All(_)) {
        ramps.clear();
        spectrum = no_spectrum();
    }
    let given = scenario.limits.load.clone().unwrap_or_default();
    let (low_hz, high_hz) = (given.band_low_hz, given.band_high_hz);
    let band = BandKpis::of(&spectrum, low_hz, high_hz, bus(scenario));
    PowerKpis {
        metered: bus(scenario).to_owned(),
        envelope: merged
            .site
            .envelope(&over)
            .unwrap_or_else(|| no_samples(&over)),
        energy_j,
        ramps_basis: coarse.reason().map(str::to_owned),
        ramps,
        load_duration: merged.site.load_duration(200),
        band,
        spectrum,
        pyramid,
        gpu: GpuKpis {
            metered: MeteringPoint::Gpu.text().to_owned(),
            mean_w: if merged.gpu.count() == 0 {
                0.0
            } else {
                merged.gpu.mean()
            },
        },
        reactive: merged.reactive.kpis(scenario),
    }
}

/// Power of each group of racks.
pub(crate) fn rack_kpis(
    scenario: &Scenario,
    site: Option<&Site>,
    merged: &Merged,
) -> Vec<RackKpis> {
    let over_group = over(scenario, " and the racks of the group");
    let over = over(scenario, "");
    let Some(site) = site else { return Vec::new() };
    scenario
        .racks
        .iter()
        .zip(&merged.groups)
        .enumerate()
        .map(|(at, (group, figures))| {
            let (extreme, rack) = figures.worst.unwrap_or((
                Extreme {
                    value: 0.0,
                    at_s: 0.0,
                    realisation: 1,
                },
                0,
            ));
            RackKpis {
                group: group.name.clone(),
                count: group.count,
                metered: MeteringPoint::RackAc.text().to_owned(),
                diversity: merged
                    .diversity
                    .as_ref()
                    .and_then(|d| d.in_group.get(at).copied()),
                envelope: figures
                    .distribution
                    .envelope(&over_group)
                    .unwrap_or_else(|| no_samples(&over_group)),
                racks: if scenario.outputs.rack_envelopes {
                    figures
                        .racks
                        .iter()
                        .filter_map(|(i, distribution)| {
                            let envelope = distribution.envelope(&over)?;
                            Some(RackEnvelope {
                                rack: site.rack_name(*i).to_owned(),
                                envelope,
                            })
                        })
                        .collect()
                } else {
                    Vec::new()
                },
                worst_rack: site.rack_name(rack).to_owned(),
                worst_w: extreme.value,
                worst_at_s: extreme.at_s,
                ramps: figures.ramps.clone(),
                pyramid: figures.pyramid.clone().unwrap_or_else(no_pyramid),
            }
        })
        .collect()
}

/// Figures for generator studies, with source 002's beside.
pub(crate) fn design_values(
    scenario: &Scenario,
    site: Option<&Site>,
    coarse: &Coarse,
    merged: &Merged,
) -> DesignValues {
    let nominal_w = merged.site.quantile(0.5).unwrap_or(0.0);
    let design_peak_w = merged.site.quantile(DESIGN_QUANTILE).unwrap_or(0.0);
    let gpus = site.map_or(0, Site::gpu_count);
    let per_gpu = |w: f64| (gpus > 0 && scenario.loads.is_empty()).then(|| w / gpus as f64);
    DesignValues {
        metered: bus(scenario).to_owned(),
        nominal_w,
        design_peak_w,
        design_peak_quantile: DESIGN_QUANTILE,
        horizon_s: merged.total_s(),
        steps: match coarse {
            Coarse::All(_) => Vec::new(),
            _ => merged.design_steps.clone(),
        },
        load_rejection_w: worst(merged.each.iter().map(|e| e.site_peak), true)
            .map_or(0.0, |e| e.value),
        gpus,
        nominal_w_per_gpu: per_gpu(nominal_w),
        design_peak_w_per_gpu: per_gpu(design_peak_w),
        source002: Source002Values {
            metered: MeteringPoint::Gpu.text(),
            nominal_w: 265.0,
            design_peak_w: 300.0,
            step_w: 240.0,
            ramp_w_per_s: 4000.0,
        },
    }
}

/// Frequency and sets; none without a plant.
pub(crate) fn plant_kpis(scenario: &Scenario, merged: &Merged, stable: bool) -> Option<PlantKpis> {
    let spec = scenario.plant.as_ref()?;
    let plants = || merged.each.iter().filter_map(|e| e.plant.as_ref());
    let nothing = Extreme {
        value: 0.0,
        at_s: 0.0,
        realisation: 1,
    };
    let sets = spec
        .sets
        .iter()
        .enumerate()
        .map(|(i, set)| {
            let (power_mean_share, limited_share) =
                merged.set_means.get(i).copied().unwrap_or_default();
            SetKpis {
                name: set.name.clone(),
                count: set.count,
                power_max_share: worst(plants().map(|p| p.sets[i].high), true).unwrap_or(nothing),
                power_min_share: worst(plants().map(|p| p.sets[i].low), false).unwrap_or(nothing),
                reactive_max_share: worst(plants().map(|p| p.sets[i].reactive_high), true),
                reactive_min_share: worst(plants().map(|p| p.sets[i].reactive_low), false),
                power_mean_share,
                limited_share,
                acceptance: acceptance_kpis(scenario, merged, i),
            }
        })
        .collect();
    Some(PlantKpis {
        metered: MeteringPoint::Terminals.text().to_owned(),
        nominal_hz: spec.frequency_hz,
        frequency_min: worst(plants().map(|p| p.low), false).unwrap_or(nothing),
        frequency_max: worst(plants().map(|p| p.high), true).unwrap_or(nothing),
        rocof: worst(plants().map(|p| p.rocof), true),
        voltage_min: worst(plants().map(|p| p.voltage.low), false),
        voltage_max: worst(plants().map(|p| p.voltage.high), true),
        frequency_pyramid: merged.frequency.clone().unwrap_or_else(no_pyramid),
        voltage_pyramid: merged.voltage.clone(),
        sets,
        step_events: step_event_kpis(scenario, merged),
        fuel: fuel_kpis(scenario, merged),
        gain: if stable {
            gain_curve(scenario, merged.site.mean())
        } else {
            NO_GAIN
        },
        reserve: contingency::reserve_kpis(scenario, merged),
    })
}

/// Where the sets have no operating point, or an unstable one.
const NO_GAIN: GainCurve = GainCurve {
    frequency_hz: Vec::new(),
    gain_hz_per_mw: Vec::new(),
    peak_frequency_hz: 0.0,
    peak_gain_hz_per_mw: 0.0,
};

/// Linear gain from load to frequency, at the mean load.
///
/// Evenly spaced on a logarithmic axis, and a hundred times denser around the highest point: a lightly damped mode is
/// narrower than any even spacing. A mean load that the sets cannot hold has no operating point: then it is the
/// highest share of their rating that they can. Empty if there is none.
fn gain_curve(scenario: &Scenario, load_w: f64) -> GainCurve {
    let Some(spec) = &residual::integrated(scenario) else {
        return NO_GAIN;
    };
    let rated_w: f64 = spec
        .sets
        .iter()
        .map(|s| s.rated_kw * f64::from(s.count) * 1e3)
        .sum();
    let points = [
        load_w.min(rated_w),
        0.9 * rated_w,
        0.5 * rated_w,
        0.1 * rated_w,
    ];
    let Some(plant) = points
        .iter()
        .find_map(|w| Plant::new(spec, *w, scenario.simulation.plant_step()).ok())
    else {
        return NO_GAIN;
    };
    let to_hz_per_mw = spec.frequency_hz / (plant.base_w() / 1e6);
    let gain = |f_hz: f64| plant.gain_pu(f_hz) * to_hz_per_mw;
    let (low, high) = GAIN_RANGE_HZ;
    let ratio = libm::pow(high / low, 1.0 / (GAIN_POINTS - 1) as f64);
    let even = |i: usize| low * libm::pow(ratio, i as f64);
    let mut frequency_hz: Vec<f64> = (0..GAIN_POINTS).map(even).collect();
    let coarse =
        frequency_hz
            .iter()
            .map(|f| gain(*f))
            .enumerate()
            .fold(
                (0, 0.0),
                |best, (i, g)| {
                    if g > best.1 { (i, g) } else { best }
                },
            );
    let from = even(coarse.0.saturating_sub(1));
    let step = libm::pow(ratio, 2.0 / (PEAK_POINTS + 1) as f64);
    frequency_hz.extend(
        (1..=PEAK_POINTS)
            .map(|i| from * libm::pow(step, i as f64))
            .filter(|f| *f < high),
    );
    frequency_hz.sort_by(f64::total_cmp);
    frequency_hz.dedup();
    let gain_hz_per_mw: Vec<f64> = frequency_hz.iter().map(|f| gain(*f)).collect();
    let (at, peak) =
        gain_hz_per_mw.iter().enumerate().fold(
            (0, 0.0),
            |best, (i, g)| {
                if *g > best.1 { (i, *g) } else { best }
            },
        );
    GainCurve {
        peak_frequency_hz: frequency_hz[at],
        peak_gain_hz_per_mw: peak,
        frequency_hz,
        gain_hz_per_mw,
    }
}
