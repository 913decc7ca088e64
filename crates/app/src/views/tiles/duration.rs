//! Load duration.

use std::sync::Arc;

use crate::plot::XyChart;
use crate::plot::model::{AxisKind, Curve, Ink, Rule, Weight};
use crate::plot::quantity::Quantity;
use crate::result::RunResult;
use crate::views::tiles::parts;

fn points(result: &RunResult) -> Vec<[f64; 2]> {
    let curve = &result.outcome.site.load_duration;
    let pairs = curve.share.iter().zip(&curve.value);
    pairs.map(|(share, value)| [*share, *value]).collect()
}

/// Power that is exceeded for a share of the time.
pub(crate) fn chart(result: &RunResult, pinned: &[Arc<RunResult>]) -> Result<XyChart, String> {
    let outcome = &result.outcome;
    let shown = points(result);
    if shown.is_empty() {
        return Err(
            "This result has no samples of the site's power. Run the scenario again.".to_owned(),
        );
    }
    let half = shown.get(shown.len() / 2).map_or(0.0, |p| p[1]);
    let first = shown.first().map_or(0.0, |p| p[1]);
    let mut curves = vec![Curve {
        name: "site".to_owned(),
        what: format!("Over all realisations; metered: {}", outcome.site.metered),
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
            weight: Weight::Dashed,
            points: points(result),
            markers: false,
            shown: true,
        });
    }
    let design = &outcome.design_values;
    let mut rules = Vec::new();
    if let Some(kw) = outcome.scenario.limits.site_peak_kw {
        rules.push(parts::limit("limit", kw * 1e3, Quantity::Power));
    }
    let peak = parts::plain(Quantity::Power, design.design_peak_w);
    rules.push(Rule {
        name: format!("design peak {peak}"),
        value: design.design_peak_w,
        ink: Ink::Muted,
        of: None,
    });
    let summary = format!(
        "Highest {}, half of the time above {}. Design peak {peak}.",
        Quantity::Power.text(first, 0.0),
        Quantity::Power.text(half, 0.0)
    );
    Ok(XyChart {
        title: "Load duration".to_owned(),
        x: AxisKind::Linear(Quantity::Share),
        y: AxisKind::Linear(Quantity::Power),
        curves,
        rules,
        uprights: Vec::new(),
        summary,
    })
}
