//! Spectrum of the load, with the modes of the sets and what repeats in the load.

use std::sync::Arc;

use ballast_study::outcome::{ModeKpis, ResonanceKpis};

use crate::plot::XyChart;
use crate::plot::model::{AxisKind, Curve, Ink, Upright, Weight};
use crate::plot::quantity::{Quantity, hertz, significant};
use crate::result::RunResult;
use crate::views::tiles::parts;

const X: AxisKind = AxisKind::LogHertz;
const Y: AxisKind = AxisKind::Log(Quantity::Power);

/// Modes and cadences that get a line.
const MOST_MODES: usize = 4;
const MOST_CADENCES: usize = 3;

fn points(result: &RunResult) -> Vec<[f64; 2]> {
    let spectrum = &result.outcome.site.spectrum;
    let lines = spectrum.frequency_hz.iter().zip(&spectrum.amplitude);
    lines
        .filter_map(|(f, a)| Some([X.place(*f)?, Y.place(*a)?]))
        .collect()
}

/// A frequency to two digits, for a label.
fn short(f_hz: f64) -> String {
    if (0.1..1e3).contains(&f_hz) {
        format!("{} Hz", significant(f_hz, 2))
    } else {
        hertz(f_hz)
    }
}

fn mode(mode: &ModeKpis) -> Option<Upright> {
    let damping = significant(mode.damping_ratio, 2);
    Some(Upright {
        at: X.place(mode.frequency_hz)?,
        label: format!("{} damping {damping}", short(mode.frequency_hz)),
        text: format!(
            "{} at {}, damping ratio {damping}{}",
            mode.name,
            hertz(mode.frequency_hz),
            if mode.stable { "" } else { ": it grows" }
        ),
        ink: if mode.stable {
            Ink::Generation
        } else {
            Ink::Violation
        },
    })
}

fn uprights(resonance: &ResonanceKpis) -> Vec<Upright> {
    let unstable = resonance.unstable.iter().filter(|m| m.frequency_hz > 0.0);
    let modes = unstable
        .chain(&resonance.modes)
        .take(MOST_MODES)
        .filter_map(mode);
    let cadences = resonance.cadences.iter().take(MOST_CADENCES);
    let cadences = cadences.filter_map(|c| {
        let line = c.line.map_or(c.frequency_hz, |l| l.frequency_hz);
        Some(Upright {
            at: X.place(line)?,
            label: format!("{} {}", c.cadence, short(line)),
            text: c.text.first().cloned().unwrap_or_else(|| c.cadence.clone()),
            ink: if c.meets { Ink::Violation } else { Ink::Muted },
        })
    });
    let mut all: Vec<Upright> = modes.chain(cadences).collect();
    all.sort_by(|a, b| a.at.total_cmp(&b.at));
    all
}

/// The amplitude spectrum of the site's power.
pub(crate) fn chart(result: &RunResult, pinned: &[Arc<RunResult>]) -> Result<XyChart, String> {
    let outcome = &result.outcome;
    let shown = points(result);
    if shown.is_empty() {
        let why = outcome
            .site
            .ramps_basis
            .as_deref()
            .unwrap_or("The run is too short for one.");
        return Err(format!(
            "There is no spectrum. {why} A longer run of a load that tells its ripple has one."
        ));
    }
    let highest = shown.iter().max_by(|a, b| a[1].total_cmp(&b[1]));
    let highest = highest.map_or_else(String::new, |p| {
        format!(
            "Strongest line {} at {}.",
            Y.text(p[1], 0.0),
            X.text(p[0], 0.0)
        )
    });
    let spectrum = &outcome.site.spectrum;
    let mut curves = vec![Curve {
        name: "site".to_owned(),
        what: format!(
            "Amplitude of a sine that explains the line, of {} segments; lines {} apart; metered: {}",
            spectrum.segments,
            hertz(spectrum.resolution_hz),
            outcome.site.metered
        ),
        ink: Ink::Load,
        weight: Weight::Full,
        points: shown,
        markers: false,
        shown: true,
    }];
    for (i, result) in pinned.iter().enumerate() {
        curves.push(Curve {
            name: parts::pinned_name(pinned, i),
            what: "Pinned result".to_owned(),
            ink: parts::pinned_ink(i),
            weight: Weight::Thin,
            points: points(result),
            markers: false,
            shown: true,
        });
    }
    let resonance = outcome.resonance.as_ref();
    let modes = resonance.map_or_else(Vec::new, uprights);
    let words = modes
        .iter()
        .map(|m| format!("{}.", m.text.trim_end_matches('.')));
    let summary: Vec<String> = std::iter::once(highest).chain(words).collect();
    Ok(XyChart {
        title: "Spectrum".to_owned(),
        x: X,
        y: Y,
        curves,
        rules: Vec::new(),
        uprights: modes,
        summary: summary.join(" "),
    })
}
