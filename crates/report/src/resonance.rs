//! What the load excites and what the plant amplifies: amplitude spectrum with the lines of the load's cadences, and linear gain with the modes, over one frequency axis.

use ballast_series::Spectrum;
use ballast_study::outcome::{BandKpis, GainCurve, ModeKpis, Outcome};
use plotters::backend::DrawingBackend;

use crate::axis::{Law, Range, drawable};
use crate::canvas::{Canvas, Drawn};
use crate::number::{brief, gain_unit, power_unit, significant};
use crate::page::{basis_first, page};
use crate::panel::{Frame, Panel, Swatch};
use crate::style;

/// Frequencies of interest, hertz: slower is the governor's droop, faster does not move the rotors.
const BAND_HZ: Range = Range { lo: 0.05, hi: 20.0 };
/// Lines of the load that are labelled, at most.
const LABELLED_LINES: usize = 5;
/// Least amplitude of a labelled line, as a share of the strongest.
const LEAST_SHARE: f64 = 0.05;
/// Lines closer than so many resolutions are one: the main lobe of the Hann window is two wide on either side.
const LOBE: f64 = 4.0;
/// Modes that are marked, at most, and the damping ratio from which on one makes no peak.
const MARKED_MODES: usize = 3;
const NO_PEAK: f64 = 0.7;
/// A mode within this share of the highest gain's frequency is the one that makes it.
const MAKES_THE_PEAK: f64 = 0.05;
/// Amplitude below this share of the mean power is rounding of the transform.
const ROUNDING: f64 = 1e-9;

/// A point of a curve: hertz, value.
type Sample = (f64, f64);

/// Draws the spectrum; below it the gain, with a plant.
pub(crate) fn draw<DB: DrawingBackend>(outcome: &Outcome, canvas: &Canvas<DB>) -> Drawn<DB> {
    let plant = outcome.plant.as_ref();
    let what = if plant.is_some() {
        "load spectrum and the plant's gain"
    } else {
        "load spectrum"
    };
    page(canvas, outcome, what, &basis_first(outcome))?;
    let lines = samples(
        &outcome.site.spectrum.frequency_hz,
        &outcome.site.spectrum.amplitude,
    );
    let gain = plant.map_or_else(Vec::new, |p| {
        samples(&p.gain.frequency_hz, &p.gain.gain_hz_per_mw)
    });
    let x = frequencies(&lines, &gain);
    let title = "Frequency of the oscillation (Hz)";
    let Some(plant) = plant else {
        let frame = Frame::single(style::PLOT_RIGHT);
        return spectrum_panel(outcome, canvas, frame, x, &lines, Some(title), None);
    };
    let [above, below] = Frame::stacked(style::PLOT_RIGHT);
    let peak = plant.gain.peak_frequency_hz;
    let peak = (drawable(peak) && x.contains(peak) && plant.gain.peak_gain_hz_per_mw > 0.0)
        .then_some(peak);
    spectrum_panel(outcome, canvas, above, x, &lines, None, peak)?;
    let modes = marked_modes(outcome, x);
    let unstable = outcome
        .resonance
        .as_ref()
        .is_some_and(|r| !r.unstable.is_empty());
    let of = (&plant.gain, modes.as_slice(), unstable);
    gain_panel(of, canvas, below, x, &gain, title)
}

/// Lines of the load's cadences on the axis: hertz and amplitude in watts.
fn cadence_lines(outcome: &Outcome, x: Range) -> Vec<Sample> {
    let cadences = outcome.resonance.iter().flat_map(|r| &r.cadences);
    let lines = cadences.flat_map(|c| &c.lines);
    lines
        .map(|l| (l.frequency_hz, l.amplitude_w))
        .filter(|l| drawable(l.0) && x.contains(l.0) && drawable(l.1) && l.1 > 0.0)
        .collect()
}

/// Modes on the axis that make a peak, those that move the frequency most.
fn marked_modes(outcome: &Outcome, x: Range) -> Vec<&ModeKpis> {
    let modes = outcome.resonance.iter().flat_map(|r| &r.modes);
    modes
        .filter(|m| drawable(m.frequency_hz) && x.contains(m.frequency_hz))
        .filter(|m| drawable(m.damping_ratio) && m.damping_ratio < NO_PEAK)
        .take(MARKED_MODES)
        .collect()
}

/// Drawable points of a curve, at positive frequencies, in order.
fn samples(frequency_hz: &[f64], value: &[f64]) -> Vec<Sample> {
    let mut samples: Vec<Sample> = frequency_hz
        .iter()
        .zip(value)
        .map(|(&f, &v)| (f, v))
        .filter(|&(f, v)| drawable(f) && f > 0.0 && drawable(v))
        .collect();
    samples.sort_by(|a, b| a.0.total_cmp(&b.0));
    samples
}

/// The frequency axis: the band of interest, or what the load's sampling resolves of it.
fn frequencies(lines: &[Sample], gain: &[Sample]) -> Range {
    let highest = lines.last().or(gain.last()).map_or(BAND_HZ.hi, |s| s.0);
    let hi = highest.min(BAND_HZ.hi);
    // A run in steps of seconds has no frequency of the band.
    if hi > 2.0 * BAND_HZ.lo {
        Range { lo: BAND_HZ.lo, hi }
    } else {
        Range { lo: hi / 100.0, hi }
    }
}

/// Those of `samples` on the axis, joined where they fall on the same pixel: the highest stays.
fn thinned(samples: &[Sample], panel: &Panel) -> Vec<Sample> {
    let mut thinned: Vec<Sample> = Vec::new();
    for &(f, v) in samples.iter().filter(|s| panel.x.range.contains(s.0)) {
        match thinned.last_mut() {
            Some(last) if panel.x.at(last.0).floor() == panel.x.at(f).floor() => {
                if v > last.1 {
                    *last = (f, v);
                }
            }
            _ => thinned.push((f, v)),
        }
    }
    thinned
}

/// The strongest separate peaks within `x`, in order of frequency.
fn strongest(lines: &[Sample], x: Range, resolution_hz: f64, least: f64) -> Vec<Sample> {
    let value = |k: usize| lines.get(k).map_or(0.0, |s| s.1);
    let mut peaks: Vec<Sample> = lines
        .iter()
        .enumerate()
        .filter(|(k, s)| {
            // The slowest line may be a foot of the mean or of drift: nothing tells.
            let is_peak = *k > 0 && s.1 > value(k - 1) && s.1 >= value(k + 1);
            x.contains(s.0) && s.1 > least && is_peak
        })
        .map(|(_, &s)| s)
        .collect();
    peaks.sort_by(|a, b| b.1.total_cmp(&a.1));
    let floor = peaks.first().map_or(0.0, |s| s.1 * LEAST_SHARE);
    let apart = if drawable(resolution_hz) {
        LOBE * resolution_hz
    } else {
        0.0
    };
    let mut chosen: Vec<Sample> = Vec::new();
    for peak in peaks {
        if chosen.len() == LABELLED_LINES || peak.1 < floor {
            break;
        }
        if chosen.iter().all(|c| (c.0 - peak.0).abs() > apart) {
            chosen.push(peak);
        }
    }
    chosen.sort_by(|a, b| a.0.total_cmp(&b.0));
    chosen
}

/// Lines to label: those of the load's cadences, then separate peaks of the spectrum besides, in order of frequency.
fn labelled(
    lines: &[Sample],
    stems: &[Sample],
    x: Range,
    resolution_hz: f64,
    least: f64,
) -> Vec<Sample> {
    let mut chosen = stems.to_vec();
    chosen.sort_by(|a, b| b.1.total_cmp(&a.1));
    let floor = chosen.first().map_or(0.0, |s| s.1 * LEAST_SHARE);
    chosen.retain(|s| s.1 >= floor);
    chosen.truncate(LABELLED_LINES);
    for peak in strongest(lines, x, resolution_hz, least) {
        // A peak beside a line is that line, worn by its jitter.
        let apart = |s: &Sample| (s.0 - peak.0).abs() > (LOBE * resolution_hz).max(0.1 * s.0);
        if chosen.len() < LABELLED_LINES && peak.1 >= floor && stems.iter().all(apart) {
            chosen.push(peak);
        }
    }
    chosen.sort_by(|a, b| a.0.total_cmp(&b.0));
    chosen
}

/// Range of values from zero, with room for a row of labels above.
fn from_zero(highest: f64, frame: Frame) -> Range {
    let highest = if highest > 0.0 { highest } else { 1.0 };
    Range {
        lo: 0.0,
        hi: highest / (1.0 - Panel::row_share(frame)),
    }
}

fn spectrum_panel<DB: DrawingBackend>(
    outcome: &Outcome,
    canvas: &Canvas<DB>,
    frame: Frame,
    x: Range,
    lines: &[Sample],
    x_title: Option<&str>,
    gain_peak_hz: Option<f64>,
) -> Drawn<DB> {
    let spectrum = &outcome.site.spectrum;
    let rounding = outcome.site.envelope.mean.abs() * ROUNDING;
    let rounding = if drawable(rounding) { rounding } else { 0.0 };
    let stems = cadence_lines(outcome, x);
    let highest = lines
        .iter()
        .filter(|s| x.contains(s.0))
        .map(|s| s.1)
        .chain(stems.iter().map(|s| s.1))
        .fold(0.0, f64::max);
    let highest = if highest > rounding { highest } else { 0.0 };
    let range = from_zero(highest, frame);
    let unit = power_unit(highest);
    let panel = Panel::new(frame, x, Law::Log, unit.range(range));
    let band = limited_band(outcome).filter(|b| b.high_hz > x.lo && b.low_hz < x.hi);
    if let Some(band) = band {
        let (from, to) = (panel.x.at(band.low_hz), panel.x.at(band.high_hz));
        canvas.fill((from, frame.top), (to, frame.bottom), style::LIMIT_BAND)?;
        // An end that lies off the axis is no end of the band.
        let inside = |at: &f64| *at > frame.left && *at < frame.right;
        for at in [from, to].into_iter().filter(inside) {
            canvas.dashes(
                (at, frame.top),
                (at, frame.bottom),
                style::LIMIT,
                style::SERIES_LINE,
                style::DASH,
            )?;
        }
    }
    panel.grid_x(canvas, x_title)?;
    panel.grid_y(canvas)?;
    let points: Vec<(f64, f64)> = thinned(lines, &panel)
        .iter()
        .map(|s| panel.at(s.0, s.1 * unit.factor))
        .collect();
    match points.as_slice() {
        [] => {
            let why = match &outcome.site.ramps_basis {
                Some(why) => format!("Not checked: {why}."),
                None => "No spectrum: too few samples for these frequencies.".to_owned(),
            };
            panel.remark(canvas, &why)?;
        }
        // A lone line has no width to fill.
        [only] => canvas.line(
            &[(only.0, frame.bottom), *only],
            style::POWER,
            style::STRONG_LINE,
        )?,
        points => {
            let area: Vec<(f64, f64, f64)> =
                points.iter().map(|&(x, y)| (x, y, frame.bottom)).collect();
            canvas.band(&area, style::tint(style::POWER))?;
            canvas.line(points, style::POWER, style::SERIES_LINE)?;
            if highest == 0.0 {
                panel.remark(canvas, "The load does not oscillate.")?;
            }
        }
    }
    if let Some(peak) = gain_peak_hz.filter(|_| highest > 0.0) {
        let at = panel.x.at(peak);
        canvas.dashes(
            (at, frame.top),
            (at, frame.bottom),
            style::FREQUENCY,
            style::SERIES_LINE,
            style::DOTS,
        )?;
    }
    for &(f, v) in &stems {
        let top = panel.at(f, v * unit.factor);
        canvas.line(
            &[(top.0, frame.bottom), top],
            style::INK,
            style::STRONG_LINE,
        )?;
    }
    panel.outline(canvas)?;
    let labels: Vec<(f64, f64, String)> =
        labelled(lines, &stems, x, spectrum.resolution_hz, rounding)
            .into_iter()
            .map(|(f, v)| {
                let shown = v * unit.factor;
                (
                    f,
                    shown,
                    format!(
                        "{} Hz: {} {}",
                        brief(f, 3),
                        significant(shown, 3),
                        unit.symbol
                    ),
                )
            })
            .collect();
    panel.labels_above(canvas, &labels, style::POWER)?;
    let mut legend = vec![(Swatch::Line(style::POWER), estimate(spectrum))];
    if !stems.is_empty() {
        legend.push((
            Swatch::Line(style::INK),
            "lines of the load's cadence".to_owned(),
        ));
    }
    let in_band = band.map_or_else(String::new, |b| {
        let unit = power_unit(b.rms_w);
        format!(
            "; shaded {} to {} Hz: {} {} rms",
            brief(b.low_hz, 3),
            brief(b.high_hz, 3),
            significant(b.rms_w * unit.factor, 3),
            unit.symbol
        )
    });
    let power = if in_band.is_empty() {
        "Amplitude of the power at the bus"
    } else {
        "Amplitude at the bus"
    };
    let heading = format!("{power} ({}){in_band}", unit.symbol);
    panel.heading(canvas, &heading, &legend)
}

/// The band of frequencies that a limit on the load is about, and the swing in it.
fn limited_band(outcome: &Outcome) -> Option<&BandKpis> {
    let load = outcome.scenario.limits.load.as_ref()?;
    load.band_share?;
    let band = outcome.site.band.as_ref()?;
    let sound = [band.low_hz, band.high_hz, band.rms_w];
    sound.into_iter().all(drawable).then_some(band)
}

/// How the spectrum was estimated, in words.
fn estimate(spectrum: &Spectrum) -> String {
    let mut parts = vec!["peak of each line".to_owned()];
    if drawable(spectrum.resolution_hz) && spectrum.resolution_hz > 0.0 {
        parts.push(format!(
            "resolution {} Hz",
            brief(spectrum.resolution_hz, 2)
        ));
    }
    if !spectrum.window.is_empty() {
        parts.push(format!("{} window", spectrum.window));
    }
    if spectrum.segments > 0 {
        parts.push(format!(
            "{} segment{}",
            spectrum.segments,
            if spectrum.segments == 1 { "" } else { "s" }
        ));
    }
    parts.join(", ")
}

/// Gain at a frequency, in a straight line between the points of the curve.
fn gain_at(gain: &[Sample], f_hz: f64) -> f64 {
    let after = gain.partition_point(|s| s.0 < f_hz);
    match (
        after.checked_sub(1).and_then(|k| gain.get(k)),
        gain.get(after),
    ) {
        (Some(a), Some(b)) if b.0 > a.0 => a.1 + (b.1 - a.1) * (f_hz - a.0) / (b.0 - a.0),
        (Some(one), _) | (_, Some(one)) => one.1,
        (None, None) => 0.0,
    }
}

fn gain_panel<DB: DrawingBackend>(
    (curve, modes, unstable): (&GainCurve, &[&ModeKpis], bool),
    canvas: &Canvas<DB>,
    frame: Frame,
    x: Range,
    gain: &[Sample],
    title: &str,
) -> Drawn<DB> {
    let highest = gain
        .iter()
        .filter(|s| x.contains(s.0))
        .map(|s| s.1)
        .fold(0.0, f64::max);
    let peak = (curve.peak_frequency_hz, curve.peak_gain_hz_per_mw);
    let peak = (drawable(peak.0) && drawable(peak.1) && peak.1 > 0.0).then_some(peak);
    let shown = peak.filter(|p| x.contains(p.0));
    let highest = shown.map_or(highest, |p| highest.max(p.1));
    let unit = gain_unit(highest);
    let panel = Panel::new(frame, x, Law::Log, unit.range(from_zero(highest, frame)));
    panel.grid_x(canvas, Some(title))?;
    panel.grid_y(canvas)?;
    let points: Vec<(f64, f64)> = thinned(gain, &panel)
        .iter()
        .map(|s| panel.at(s.0, s.1 * unit.factor))
        .collect();
    if points.is_empty() {
        let why = if unstable {
            "Unstable: no gain."
        } else {
            "No gain at these frequencies."
        };
        panel.remark(canvas, why)?;
    }
    canvas.line(&points, style::FREQUENCY, style::STRONG_LINE)?;
    let words = |(f, g): Sample| {
        format!(
            "highest {} {} at {} Hz",
            significant(g * unit.factor, 3),
            unit.symbol,
            brief(f, 3)
        )
    };
    if let Some(peak) = shown {
        let at = panel.x.at(peak.0);
        canvas.dashes(
            (at, frame.top),
            (at, frame.bottom),
            style::FREQUENCY,
            style::SERIES_LINE,
            style::DOTS,
        )?;
    }
    let mode_words = |m: &ModeKpis| {
        format!(
            "{} {} Hz, damping ratio {}{}",
            m.name,
            brief(m.frequency_hz, 3),
            brief(m.damping_ratio, 2),
            if m.stable { "" } else { ": it grows" }
        )
    };
    let mut labels: Vec<(f64, f64, String)> = Vec::new();
    let mut makes: Option<&ModeKpis> = None;
    for mode in modes {
        let f = mode.frequency_hz;
        let makes_it = |p: &Sample| (f / p.0 - 1.0).abs() <= MAKES_THE_PEAK;
        if makes.is_none() && shown.as_ref().is_some_and(makes_it) {
            makes = Some(mode);
            continue;
        }
        let at = panel.x.at(f);
        canvas.dashes(
            (at, frame.top),
            (at, frame.bottom),
            style::QUANTILE,
            style::SERIES_LINE,
            style::DOTS,
        )?;
        labels.push((f, gain_at(gain, f) * unit.factor, mode_words(mode)));
    }
    if let Some(peak) = shown {
        let text = makes.map_or_else(
            || words(peak),
            |mode| format!("{}: {}", words(peak), mode_words(mode)),
        );
        labels.push((peak.0, peak.1 * unit.factor, text));
    }
    labels.sort_by(|a, b| a.0.total_cmp(&b.0));
    panel.outline(canvas)?;
    panel.labels_above(canvas, &labels, style::FREQUENCY)?;
    panel.outline(canvas)?;
    let mut legend = vec![(
        Swatch::Line(style::FREQUENCY),
        "|Δf/ΔP| at the operating point, linear, no limits".to_owned(),
    )];
    if modes.len() > usize::from(makes.is_some()) {
        legend.push((Swatch::Dashes(style::QUANTILE), "mode".to_owned()));
    }
    if let Some(peak) = peak.filter(|_| shown.is_none()) {
        legend.push((Swatch::Bare, format!("{}, off this axis", words(peak))));
    }
    panel.heading(
        canvas,
        &format!("Frequency per load ({})", unit.symbol),
        &legend,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_in_the_lobe_are_one_line() {
        let lines: Vec<Sample> = (1..200)
            .map(|k| {
                let f = f64::from(k) * 0.05;
                let near = |at: f64, a: f64| {
                    if (f - at).abs() < 0.01 {
                        a
                    } else if (f - at).abs() < 0.06 {
                        a / 2.0
                    } else {
                        0.0
                    }
                };
                (f, near(1.0, 100.0) + near(3.0, 40.0) + near(5.0, 1.0))
            })
            .collect();
        let chosen = strongest(&lines, BAND_HZ, 0.05, 0.0);
        let found: Vec<f64> = chosen.iter().map(|s| s.1).collect();
        assert_eq!(found, [100.0, 40.0]);
    }

    #[test]
    fn the_axis_follows_the_sampling() {
        assert_eq!(frequencies(&[], &[]), BAND_HZ);
        assert_eq!(frequencies(&[(0.1, 1.0), (5.0, 1.0)], &[]).hi, 5.0);
        let slow = frequencies(&[(0.01, 1.0)], &[]);
        assert!(slow.lo > 0.0 && slow.lo < slow.hi);
    }
}
