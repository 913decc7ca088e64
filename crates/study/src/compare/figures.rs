//! The key figures of one outcome.

use super::measures::{self, STORED};
use crate::outcome::{BandKpis, Outcome, PlantKpis};

/// Key of the energy of the first realisation.
pub(super) const ENERGY: &str = "energy_kwh";
/// Key of the swing in the critical band.
const BAND: &str = "band_mw_rms";

/// One key figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Stable name with its unit: `site_peak_kw`.
    pub key: String,
    /// What it is, in words.
    pub label: String,
    /// Unit.
    pub unit: &'static str,
    /// Where a power is metered; none where it is none.
    pub metered: Option<String>,
    /// The value; always finite.
    pub value: f64,
}

/// Key of the largest swing within a window of `window_s` seconds.
pub fn swing_key(window_s: f64) -> String {
    format!("swing_in_{window_s}s_kw")
}

/// Place of a figure's key among the others.
pub(super) fn rank(key: &str) -> usize {
    const ORDER: [&str; 35] = [
        "site_peak_kw",
        "site_quantile_kw",
        "site_mean_kw",
        "site_range_kw",
        "swing_in_",
        "rise_in_",
        "fall_in_",
        BAND,
        "rack_peak_kw",
        "frequency_min_hz",
        "frequency_max_hz",
        "frequency_range_hz",
        "frequency_deviation_hz",
        "predicted_swing_hz",
        "expected_swing_hz",
        "rocof_hz_per_s",
        "voltage_min_pu",
        "voltage_max_pu",
        ENERGY,
        STORED,
        "energy_overhead_percent",
        "gpu_floor_kwh",
        "secondary_load_kwh",
        "gpu_overhead_percent",
        "rack_storage_used_percent",
        "rack_storage_given_kwh",
        "rack_storage_lost_kwh",
        "rack_storage_short_percent",
        "bess_used_percent",
        "bess_given_kwh",
        "bess_lost_kwh",
        "bess_short_percent",
        "fuel_l",
        "fuel_kg",
        "fuel_heat_kwh",
    ];
    ORDER
        .iter()
        .position(|p| key.starts_with(p))
        .unwrap_or(ORDER.len())
}

/// A figure of an outcome by its key.
pub fn figure(outcome: &Outcome, key: &str) -> Option<f64> {
    figures_of(outcome)
        .into_iter()
        .find(|f| f.key == key)
        .map(|f| f.value)
}

/// Key figures of an outcome, in the order of the table. What an outcome does not have is left out.
pub fn figures_of(outcome: &Outcome) -> Vec<Figure> {
    let mut all = Figures {
        of: Vec::new(),
        metered: outcome.site.metered.clone(),
    };
    powers(outcome, &mut all);
    plant(outcome, &mut all);
    all.power(
        ENERGY,
        "energy, first realisation",
        "kWh",
        Some(outcome.site.energy_j / 3.6e6),
    );
    measures::figures(outcome, &mut all);
    all.of
}

/// Collects figures that are numbers.
pub(super) struct Figures {
    of: Vec<Figure>,
    metered: String,
}

impl Figures {
    pub(super) fn add(&mut self, key: &str, label: &str, unit: &'static str, value: Option<f64>) {
        self.push(key, label, unit, None, value);
    }

    pub(super) fn power(&mut self, key: &str, label: &str, unit: &'static str, value: Option<f64>) {
        let metered = Some(self.metered.clone());
        self.push(key, label, unit, metered, value);
    }

    pub(super) fn push(
        &mut self,
        key: &str,
        label: &str,
        unit: &'static str,
        metered: Option<String>,
        value: Option<f64>,
    ) {
        let Some(value) = value.filter(|v| v.is_finite()) else {
            return;
        };
        self.of.push(Figure {
            key: key.to_owned(),
            label: label.to_owned(),
            unit,
            metered,
            value,
        });
    }
}

/// The run, and the fine run of its worst stretch if there is one.
fn parts(outcome: &Outcome) -> impl Iterator<Item = &Outcome> {
    std::iter::once(outcome).chain(outcome.zoom.iter().map(|z| &z.outcome))
}

fn powers(outcome: &Outcome, all: &mut Figures) {
    let kw = |w: f64| Some(w / 1e3);
    let highest = |of: &dyn Fn(&Outcome) -> f64| parts(outcome).map(of).reduce(f64::max);
    all.power(
        "site_peak_kw",
        "peak",
        "kW",
        highest(&|o| o.site.envelope.max).and_then(kw),
    );
    let design = &outcome.design_values;
    all.power(
        "site_quantile_kw",
        &format!("exceeded {} % of time", share(design.design_peak_quantile)),
        "kW",
        kw(design.design_peak_w),
    );
    let envelope = &outcome.site.envelope;
    all.power("site_mean_kw", "mean", "kW", kw(envelope.mean));
    all.power(
        "site_range_kw",
        "highest less lowest",
        "kW",
        kw(envelope.max - envelope.min),
    );
    // The same window in both runs is the worse of both.
    let mut windows: Vec<(f64, f64, f64)> = Vec::new();
    for table in parts(outcome).flat_map(|o| &o.site.ramps) {
        let (up, down) = (table.up.delta, -table.down.delta);
        match windows.iter_mut().find(|w| w.0 == table.window_s) {
            Some(w) => *w = (w.0, w.1.max(up), w.2.max(down)),
            None => windows.push((table.window_s, up, down)),
        }
    }
    windows.sort_by(|a, b| a.0.total_cmp(&b.0));
    if let Some((window_s, up, down)) = windows.last() {
        let label = format!("swing within {window_s} s");
        all.power(&swing_key(*window_s), &label, "kW", kw(up.max(*down)));
    }
    for (window_s, up, _) in &windows {
        let label = format!("rise within {window_s} s");
        all.power(&format!("rise_in_{window_s}s_kw"), &label, "kW", kw(*up));
    }
    for (window_s, _, down) in &windows {
        let label = format!("fall within {window_s} s");
        all.power(&format!("fall_in_{window_s}s_kw"), &label, "kW", kw(*down));
    }
    if let Some(band) = band_of(outcome) {
        let label = format!("rms in {} to {} Hz", band.low_hz, band.high_hz);
        all.power(BAND, &label, "MW", Some(band.rms_w / 1e6));
    }
    let rack_w = parts(outcome).flat_map(|o| &o.racks).map(|r| r.worst_w);
    let metered = outcome.racks.first().map(|r| r.metered.clone());
    all.push(
        "rack_peak_kw",
        "peak of a rack",
        "kW",
        metered,
        rack_w.reduce(f64::max).and_then(kw),
    );
}

/// `1 − quantile` in per cent, as people write it.
fn share(quantile: f64) -> String {
    let percent = format!("{:.6}", 100.0 * (1.0 - quantile));
    percent
        .trim_end_matches('0')
        .trim_end_matches('.')
        .to_owned()
}

fn plant(outcome: &Outcome, all: &mut Figures) {
    let plants = || parts(outcome).filter_map(|o| o.plant.as_ref());
    let lowest = |of: &dyn Fn(&PlantKpis) -> Option<f64>| plants().filter_map(of).reduce(f64::min);
    let highest = |of: &dyn Fn(&PlantKpis) -> Option<f64>| plants().filter_map(of).reduce(f64::max);
    let low = lowest(&|p| Some(p.frequency_min.value));
    let high = highest(&|p| Some(p.frequency_max.value));
    all.add("frequency_min_hz", "lowest frequency", "Hz", low);
    all.add("frequency_max_hz", "highest frequency", "Hz", high);
    all.add(
        "frequency_range_hz",
        "frequency, highest less lowest",
        "Hz",
        high.zip(low).map(|(h, l)| h - l),
    );
    let nominal = plants().next().map(|p| p.nominal_hz);
    let farthest = nominal.zip(high.zip(low));
    all.add(
        "frequency_deviation_hz",
        "farthest from nominal",
        "Hz",
        farthest.map(|(n, (h, l))| (h - n).max(n - l)),
    );
    // The largest of any cadence: what a perfect repetition would settle at, and what jitter leaves of it.
    let cadences = || {
        let resonance = parts(outcome).filter_map(|o| o.resonance.as_ref());
        resonance.flat_map(|r| &r.cadences)
    };
    all.add(
        "predicted_swing_hz",
        "predicted swing of a perfect cadence",
        "Hz",
        cadences().map(|c| c.predicted_swing_hz).reduce(f64::max),
    );
    all.add(
        "expected_swing_hz",
        "predicted swing with its jitter",
        "Hz",
        cadences().map(|c| c.expected_swing_hz).reduce(f64::max),
    );
    let window_s = outcome.scenario.limits.rocof_window_s;
    all.add(
        "rocof_hz_per_s",
        &format!("rate of change over {window_s} s"),
        "Hz/s",
        highest(&|p| p.rocof.map(|e| e.value)),
    );
    all.add(
        "voltage_min_pu",
        "lowest voltage",
        "pu",
        lowest(&|p| p.voltage_min.map(|e| e.value)),
    );
    all.add(
        "voltage_max_pu",
        "highest voltage",
        "pu",
        highest(&|p| p.voltage_max.map(|e| e.value)),
    );
}

/// The outcome's own figure of the critical band; none where the lines of the spectrum are too far apart to tell the band's lower end.
pub(super) fn band_of(outcome: &Outcome) -> Option<&BandKpis> {
    let band = outcome.site.band.as_ref();
    band.filter(|b| b.resolution_hz <= b.low_hz)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_read_as_people_say_them() {
        assert_eq!(share(0.999), "0.1");
        assert_eq!(share(0.9), "10");
    }
}
