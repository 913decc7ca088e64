//! Ramps over windows of time.

use std::sync::Arc;

use ballast_series::RampTable;

use crate::plot::XyChart;
use crate::plot::model::{AxisKind, Curve, Ink, Weight};
use crate::plot::quantity::{self, Quantity};
use crate::result::RunResult;
use crate::views::tiles::parts;

const X: AxisKind = AxisKind::LogSeconds;

fn points(ramps: &[RampTable], of: impl Fn(&RampTable) -> f64) -> Vec<[f64; 2]> {
    let placed = ramps
        .iter()
        .filter_map(|r| Some([X.place(r.window_s)?, of(r).abs()]));
    let mut all: Vec<[f64; 2]> = placed.collect();
    all.sort_by(|a, b| a[0].total_cmp(&b[0]));
    all
}

fn curve(name: String, what: &str, (ink, weight): (Ink, Weight), points: Vec<[f64; 2]>) -> Curve {
    Curve {
        name,
        what: what.to_owned(),
        ink,
        weight,
        points,
        markers: weight != Weight::Dashed,
        shown: true,
    }
}

/// Largest rise and fall within each window.
pub(crate) fn chart(result: &RunResult, pinned: &[Arc<RunResult>]) -> Result<XyChart, String> {
    let outcome = &result.outcome;
    let ramps = &outcome.site.ramps;
    if ramps.is_empty() {
        let why = outcome.site.ramps_basis.as_deref();
        let why = why.unwrap_or("No window of time is shorter than the run.");
        return Err(format!(
            "There are no ramps to see. {why} Set `outputs.ramp_windows_s`, or give loads that tell them."
        ));
    }
    let up = |r: &RampTable| r.up.delta;
    let down = |r: &RampTable| r.down.delta;
    let mut curves = vec![
        curve(
            "rise".to_owned(),
            "Largest rise between two samples within the window",
            (Ink::Load, Weight::Full),
            points(ramps, up),
        ),
        curve(
            "fall".to_owned(),
            "Largest fall between two samples within the window",
            (Ink::Generation, Weight::Full),
            points(ramps, down),
        ),
    ];
    for (i, result) in pinned.iter().enumerate() {
        let worst = |r: &RampTable| r.up.delta.max(-r.down.delta);
        curves.push(curve(
            parts::pinned_name(pinned, i),
            "Pinned result: the larger of rise and fall",
            (parts::pinned_ink(i), Weight::Dashed),
            points(&result.outcome.site.ramps, worst),
        ));
    }
    let mut limited = Vec::new();
    if let Some(load) = &outcome.scenario.limits.load {
        let window = load.ramp_window_s;
        let over = |mw_per_s: Option<f64>| mw_per_s.map(|r| (window, r * window * 1e6));
        let change = load.change_mw.zip(load.change_window_s);
        for (name, limit) in [
            ("limit of the rise", over(load.ramp_up_mw_per_s)),
            ("limit of the fall", over(load.ramp_down_mw_per_s)),
            ("limit of changes", change.map(|(mw, s)| (s, mw * 1e6))),
        ] {
            let Some((window_s, w)) = limit else { continue };
            let Some(x) = X.place(window_s) else { continue };
            let what = format!(
                "{} within {}",
                parts::plain(Quantity::Power, w),
                quantity::duration(window_s)
            );
            limited.push(format!("The {name} is {what}."));
            curves.push(curve(
                name.to_owned(),
                &what,
                (Ink::Limit, Weight::Thin),
                vec![[x, w]],
            ));
        }
    }
    let sentences = ramps.iter().map(|r| {
        format!(
            "Within {}: up {}, down {}.",
            quantity::duration(r.window_s),
            Quantity::Power.text(r.up.delta, 0.0),
            Quantity::Power.text(-r.down.delta, 0.0)
        )
    });
    let summary: Vec<String> = sentences.chain(limited).collect();
    Ok(XyChart {
        title: "Ramps".to_owned(),
        x: X,
        y: AxisKind::Linear(Quantity::Power),
        curves,
        rules: Vec::new(),
        uprights: Vec::new(),
        summary: summary.join(" "),
    })
}
