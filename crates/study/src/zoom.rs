//! The worst moment of a coarse run, and the fine run around it.

use ballast_scenario::{Scenario, ZoomBy, ZoomSpec};

use crate::merge::{Merged, PerRealisation};
use crate::outcome::Extreme;

/// What a fine run is made around.
pub(crate) struct Moment {
    /// When, seconds.
    pub(crate) at_s: f64,
    /// Middle of the stretch to look at, seconds: for a ramp that of its window.
    pub(crate) centre_s: f64,
    /// Realisation, from 1.
    pub(crate) realisation: u32,
    /// Why it is the worst, in words.
    pub(crate) why: String,
}

/// The worst moment of the coarse run by `zoom.by`. Of equal ones the first of the lowest realisation; the start of the run
/// where nothing ever changes.
pub(crate) fn worst_moment(zoom: &ZoomSpec, scenario: &Scenario, merged: &Merged) -> Moment {
    let found = match zoom.by {
        ZoomBy::Ramp => worst_ramp(merged),
        ZoomBy::Peak => highest_peak(merged),
        ZoomBy::Frequency => farthest_frequency(scenario, merged),
    };
    let start_s = scenario.simulation.start_s;
    found.unwrap_or_else(|| Moment {
        at_s: start_s,
        centre_s: start_s,
        realisation: 1,
        why: "the start of the run: nothing changes in it".to_owned(),
    })
}

fn worst_ramp(merged: &Merged) -> Option<Moment> {
    let table = merged
        .ramps
        .iter()
        .min_by(|a, b| a.window_s.total_cmp(&b.window_s))?;
    let rises = table.up.delta >= -table.down.delta;
    let (ramp, what) = if rises {
        (table.up, "rise")
    } else {
        (table.down, "fall")
    };
    (ramp.delta != 0.0).then(|| Moment {
        at_s: ramp.at_s,
        centre_s: ramp.at_s - 0.5 * table.window_s,
        realisation: ramp.realisation,
        why: format!(
            "the largest {what} within {} s, {:.3} kW",
            table.window_s,
            ramp.delta.abs() / 1e3
        ),
    })
}

fn highest_peak(merged: &Merged) -> Option<Moment> {
    let peaks = merged.each.iter().filter_map(|e| e.site_peak);
    let peak = farthest(peaks, |e| e.value)?;
    Some(at(
        peak,
        format!("the highest power of the site, {:.3} kW", peak.value / 1e3),
    ))
}

fn farthest_frequency(scenario: &Scenario, merged: &Merged) -> Option<Moment> {
    let nominal_hz = scenario.plant.as_ref()?.frequency_hz;
    // Sets that cannot even start are worse than any frequency.
    if let Some(each) = merged.each.iter().find(|e| e.no_start.is_some()) {
        let start_s = scenario.simulation.start_s;
        return Some(Moment {
            at_s: start_s,
            centre_s: start_s,
            realisation: each.realisation,
            why: "the sets cannot start at this realisation's load".to_owned(),
        });
    }
    let ends = |e: &PerRealisation| e.plant.as_ref().map(|p| [p.low, p.high]);
    let all = merged.each.iter().filter_map(ends).flatten().flatten();
    let worst = farthest(all, |e| (e.value - nominal_hz).abs())?;
    Some(at(
        worst,
        format!("the frequency farthest from nominal, {:.4} Hz", worst.value),
    ))
}

fn at(extreme: Extreme, why: String) -> Moment {
    Moment {
        at_s: extreme.at_s,
        centre_s: extreme.at_s,
        realisation: extreme.realisation,
        why,
    }
}

/// The one with the largest `size`; the first of equal ones.
fn farthest(all: impl Iterator<Item = Extreme>, size: impl Fn(&Extreme) -> f64) -> Option<Extreme> {
    all.fold(None, |best: Option<Extreme>, e| match best {
        Some(b) if size(&e) <= size(&b) => Some(b),
        _ => Some(e),
    })
}
