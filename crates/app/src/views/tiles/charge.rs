//! Charge of the storage.

use std::sync::Arc;

use ballast_study::outcome::StoreCurve;

use crate::plot::TimeChart;
use crate::plot::model::{Ink, Rule, Series, Weight};
use crate::plot::quantity::Quantity;
use crate::result::RunResult;
use crate::views::tiles::parts;

const SHARE: Quantity = Quantity::Share;

/// A store, its colour, and the column with every sample of it.
fn store(result: &RunResult, curve: &StoreCurve, column: &str, ink: Ink) -> Option<Series> {
    let what = format!(
        "Charge of {}, share of its usable energy; metered: {}",
        curve.name, curve.metered
    );
    let name = (curve.name.as_str(), what);
    let style = (ink, Weight::Full);
    parts::series(result, column, Some(&curve.charge_share), name, style)
}

/// Charge of batteries at the bus and of the racks' stores.
pub(crate) fn chart(result: &RunResult, pinned: &[Arc<RunResult>]) -> Result<TimeChart, String> {
    let none = "This site stores nothing. Add a battery at the bus or storage in the racks to see its charge.";
    let outcome = &result.outcome;
    let Some(curves) = &outcome.storage_curves else {
        return Err(none.to_owned());
    };
    let mut series = Vec::new();
    let mut rules = Vec::new();
    let mut sentences = Vec::new();
    let batteries = curves
        .bess
        .iter()
        .map(|c| (c, format!("charge_share_{}", c.name)));
    let racks = curves.racks.iter().map(|c| {
        // One group is all racks: its column has every sample.
        let group = match outcome.storage.as_slice() {
            [only] => only.group.as_str(),
            _ => "",
        };
        (c, format!("soc_share_{group}"))
    });
    for (i, (curve, column)) in batteries.chain(racks).enumerate() {
        let ink = if i == 0 { Ink::Buffer } else { Ink::Series(i) };
        let of = Some(series.len());
        let Some(drawn) = store(result, curve, &column, ink) else {
            continue;
        };
        series.push(drawn);
        for (end, value) in [("empty", curve.low_share), ("full", curve.high_share)] {
            rules.push(Rule {
                name: format!("{} {end}", curve.name),
                value,
                ink: Ink::Limit,
                of,
            });
        }
        let range = parts::extremes(&curve.charge_share, SHARE);
        sentences.push(format!("{}: {range}", curve.name));
    }
    if let Some(worst) = &curves.worst_group {
        let ink = Ink::Series(series.len());
        let column = format!("soc_share_{}", worst.name);
        if let Some(mut drawn) = store(result, worst, &column, ink) {
            drawn.weight = Weight::Thin;
            drawn.what = format!(
                "{}. The group that comes nearest to an end of its window",
                drawn.what
            );
            series.push(drawn);
        }
    }
    if series.is_empty() {
        return Err("This result has no samples of the charge. Run the scenario again.".to_owned());
    }
    if curves.bess_left_out > 0 {
        sentences.push(format!("{} batteries are left out.", curves.bess_left_out));
    }
    parts::pin(&mut series, pinned, |result| {
        let curves = result.outcome.storage_curves.as_ref()?;
        let first = curves.bess.first();
        let column = first.map_or_else(String::new, |c| format!("charge_share_{}", c.name));
        store(
            result,
            first.or(curves.racks.as_ref())?,
            &column,
            Ink::Buffer,
        )
    });
    Ok(TimeChart {
        title: "Charge".to_owned(),
        quantity: SHARE,
        series,
        rules,
        zones: Vec::new(),
        marks: parts::events(outcome),
        fine_s: parts::fine(result),
        summary: sentences.join(" "),
    })
}
