//! Limits on the load itself.

use ballast_scenario::LoadLimitsSpec;
use ballast_series::{PST_PERIOD_S, Ramp};

use crate::coarse::Coarse;
use crate::inputs::{Inputs, TraceInput};
use crate::load_limits::{LoadFigures, lamp};
use crate::merge::PerRealisation;
use crate::outcome::{BandKpis, Extreme, Status, Verdict};
use crate::verdict::{Bench, Limit, at_bus, only_slow};

pub(super) fn load_limit_verdicts(
    bench: &Bench<'_>,
    inputs: &Inputs,
    coarse: &Coarse,
    all: &mut Vec<Verdict>,
) {
    let Some(limits) = &bench.scenario.limits.load else {
        return;
    };
    let mut mine = change_verdicts(bench, limits);
    if let Some(share) = limits.band_share {
        mine.push(band_verdict(bench, inputs, limits, share));
    }
    mine.extend(flicker_verdict(bench, limits));
    if let Some(why) = coarse.reason() {
        for verdict in &mut mine {
            only_slow(verdict, why);
        }
    }
    all.extend(mine);
}

/// An extreme of a ramp, in megawatts over `per`.
fn megawatts(ramp: Ramp, per: f64) -> Extreme {
    Extreme {
        value: ramp.delta.abs() / 1e6 / per,
        at_s: ramp.at_s,
        realisation: ramp.realisation,
    }
}

/// Ramps, changes and range.
fn change_verdicts(bench: &Bench<'_>, limits: &LoadLimitsSpec) -> Vec<Verdict> {
    let of = |e: &PerRealisation, f: &dyn Fn(&LoadFigures) -> Option<Extreme>| {
        at_bus(e.load.as_ref().and_then(f))
    };
    let per_s = limits.ramp_window_s;
    let up = |e: &PerRealisation| of(e, &|l| l.ramp.map(|r| megawatts(r.up, per_s)));
    let down = |e: &PerRealisation| of(e, &|l| l.ramp.map(|r| megawatts(r.down, per_s)));
    let change = |e: &PerRealisation| {
        of(e, &|l| {
            let larger = l.change.map(|c| {
                if c.up.delta >= -c.down.delta {
                    c.up
                } else {
                    c.down
                }
            });
            larger.map(|r| megawatts(r, 1.0))
        })
    };
    let range = |e: &PerRealisation| of(e, &|l| l.range);
    let within = |window_s: f64| format!("any {window_s} s");
    let over_run = || "the whole run".to_owned();
    let rows = [
        (
            "load.ramp_up_mw_per_s",
            "fastest rise of the load",
            "MW/s",
            limits.ramp_up_mw_per_s,
            within(per_s),
            per_s,
            &up as &dyn Fn(&PerRealisation) -> Option<(Extreme, String)>,
        ),
        (
            "load.ramp_down_mw_per_s",
            "fastest fall of the load",
            "MW/s",
            limits.ramp_down_mw_per_s,
            within(per_s),
            per_s,
            &down,
        ),
        (
            "load.change_mw",
            "change of the load",
            "MW",
            limits.change_mw,
            limits.change_window_s.map_or_else(String::new, within),
            limits.change_window_s.unwrap_or(0.0),
            &change,
        ),
        (
            "load.range_share",
            "dynamic range of the load",
            "of peak",
            limits.range_share,
            limits.range_window_s.map_or_else(over_run, within),
            limits.range_window_s.unwrap_or(0.0),
            &range,
        ),
    ];
    let given = rows.into_iter().filter(|row| row.3.is_some());
    given
        .map(|(key, label, unit, value, window, window_s, worst)| {
            let verdict = bench.judge(&Limit {
                key,
                label,
                unit,
                value,
                upper: true,
                window,
                worst,
                needs_s: 0.0,
                of_load: true,
                open: |_| false,
            });
            bench.whole_windows(window_s, verdict)
        })
        .collect()
}

/// A share of the energy, broken only by a load that moves enough in the band.
fn band_verdict(
    bench: &Bench<'_>,
    inputs: &Inputs,
    limits: &LoadLimitsSpec,
    share: f64,
) -> Verdict {
    let least_w = limits.band_min_rms_mw.unwrap_or(0.0) * 1e6;
    let label = "energy of the load's changes in the band";
    let mut v = bench.blank("load.band_share", label, "of changes", String::new());
    v.window = format!("{} to {} Hz", limits.band_low_hz, limits.band_high_hz);
    v.element = Some("bus".to_owned());
    v.limit_value = Some(share);
    let bands = bench.merged.each.iter().filter_map(|e| {
        let band = e.load.as_ref()?.band.as_ref()?;
        Some((e, band))
    });
    // What breaks the limit comes before what does not, then the larger share.
    let breaks = |b: &BandKpis| b.share > share && b.rms_w > least_w;
    let mut worst: Option<(&PerRealisation, &BandKpis)> = None;
    let (mut held, mut broken) = (0_u32, 0_u32);
    for (each, band) in bands {
        broken += u32::from(breaks(band));
        held += u32::from(!breaks(band) && each.collapsed_at_s.is_none());
        let rank = |b: &BandKpis| (breaks(b), b.share);
        if worst.is_none_or(|(_, w)| rank(band) > rank(w)) {
            worst = Some((each, band));
        }
    }
    v.held_in = held;
    let Some((each, band)) = worst else {
        v.status = Status::Inconclusive;
        "the run is too short for a spectrum: fewer than 16 samples".clone_into(&mut v.basis);
        return v;
    };
    v.worst_value = Some(band.share);
    v.realisation = Some(each.realisation);
    v.margin = Some(share - band.share);
    let traces = inputs.traces.iter().map(TraceInput::bandwidth_hz);
    let seen_hz = traces.fold(band.seen_to_hz, f64::min);
    v.basis = format!(
        "{:.3} MW rms in the band of {:.3} MW rms of all changes (it breaks only above {} MW rms); the mean is left out; Hann window, {} segments of {:.1} s, up to {seen_hz:.2} Hz; {}",
        band.rms_w / 1e6,
        band.ac_rms_w / 1e6,
        least_w / 1e6,
        band.segments,
        1.0 / band.resolution_hz,
        bench.load_basis
    );
    let n = bench.merged.each.len();
    let (status, why) = match (held, broken) {
        (0, 1..) => (Status::Fail, None),
        (_, 1..) => (
            Status::Inconclusive,
            Some(format!("held in {held} of {n} realisations")),
        ),
        (h, 0) if (h as usize) < n => (
            Status::NotChecked,
            Some("the bus collapsed: it held up to there".to_owned()),
        ),
        _ if seen_hz + band.resolution_hz < limits.band_high_hz => (
            Status::NotChecked,
            Some(format!(
                "nothing above {seen_hz:.2} Hz was looked at: take a shorter step, or set band_high_hz"
            )),
        ),
        _ => (Status::Pass, None),
    };
    v.status = status;
    if let Some(why) = why {
        v.basis = format!("{why}; {}", v.basis);
    }
    v
}

/// Flicker of the bus or behind the stated short-circuit power.
fn flicker_verdict(bench: &Bench<'_>, limits: &LoadLimitsSpec) -> Option<Verdict> {
    let value = Some(limits.flicker_pst?);
    let worst = |e: &PerRealisation| {
        at_bus(e.load.as_ref().and_then(|l| l.flicker).map(|f| Extreme {
            value: f.pst,
            at_s: f.at_s,
            realisation: e.realisation,
        }))
    };
    let over_s = bench.merged.horizon_s().min(PST_PERIOD_S);
    let lamp = lamp(bench.scenario, limits);
    let mut verdict = bench.judge(&Limit {
        key: "load.flicker_pst",
        label: "flicker severity Pst",
        unit: "",
        value,
        upper: true,
        window: format!("any {over_s:.0} s, {}", lamp.label()),
        worst: &worst,
        needs_s: 0.0,
        of_load: limits.flicker_short_circuit_mva.is_some(),
        open: |_| false,
    });
    let at = match (limits.flicker_short_circuit_mva, limits.flicker_x_over_r) {
        (Some(mva), Some(ratio)) => {
            format!(
                "behind {mva} MVA with X/R {ratio}, drop of first order; other loads there left out"
            )
        }
        _ => "voltage of the bus".to_owned(),
    };
    let short = if over_s < PST_PERIOD_S {
        format!("; IEC 61000-4-15 takes 600 s: the run's {over_s:.0} s stand for them")
    } else {
        String::new()
    };
    let step_s = bench.scenario.simulation.step_s;
    verdict.basis = format!("{at}{short}; {}", verdict.basis);
    // The lamp and the eye answer up to some 25 Hz.
    if step_s > 0.02 && verdict.status == Status::Pass {
        verdict.status = Status::NotChecked;
        verdict.basis = format!(
            "a step of {step_s} s does not show what flickers: 20 ms or less; {}",
            verdict.basis
        );
    }
    Some(verdict)
}
