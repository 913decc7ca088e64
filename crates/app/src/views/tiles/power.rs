//! Power of the site, and of the racks.

use std::sync::Arc;

use crate::plot::TimeChart;
use crate::plot::model::{Ink, Rule, Series, Weight, Zone};
use crate::plot::quantity::Quantity;
use crate::plot::source::Source;
use crate::result::RunResult;
use crate::views::tiles::parts;

const POWER: Quantity = Quantity::Power;

/// Groups of racks shown at first; more are hidden until asked for.
const GROUPS_SHOWN: usize = 3;

/// Whether anything buffers in a scenario's run.
fn buffered(result: &RunResult) -> bool {
    result.unbuffered.is_some()
        || result.outcome.storage_curves.is_some()
        || !result.outcome.gpu_smoothing.is_empty()
}

/// Power at the bus.
pub(crate) fn site(result: &RunResult, pinned: &[Arc<RunResult>]) -> Result<TimeChart, String> {
    let outcome = &result.outcome;
    let power = &outcome.site;
    let (name, ink) = if buffered(result) {
        ("with buffers", Ink::Buffer)
    } else {
        ("site", Ink::Load)
    };
    let shown = parts::realisation(outcome);
    let metered = &power.metered;
    let what = format!("Active power of realisation {shown}; metered: {metered}");
    let main = |result: &RunResult, ink| {
        let style = (ink, Weight::Full);
        let or = Some(&result.outcome.site.pyramid);
        parts::series(result, "site_w", or, (name, what.clone()), style)
    };
    let mut series: Vec<Series> = Vec::new();
    let without = result
        .unbuffered
        .as_ref()
        .and_then(|set| set.named("site_w"));
    let before = outcome.storage_curves.as_ref().map(|c| &c.before_w);
    let without = match (without, before) {
        (Some(trace), _) => Some((
            Source::Trace(Arc::clone(trace)),
            "without buffers",
            "The same run without power smoothing, secondary load, rack storage and battery",
        )),
        (None, Some(before)) => Some((
            Source::Pyramid(Arc::new(before.clone())),
            "without storage",
            "Power at the bus less what all stores take",
        )),
        (None, None) => None,
    };
    if let Some((source, name, what)) = without {
        series.push(Series {
            name: name.to_owned(),
            what: what.to_owned(),
            ink: Ink::Unbuffered,
            weight: Weight::Thin,
            source,
            fine: None,
            shown: true,
        });
    }
    let Some(shown) = main(result, ink) else {
        return Err(
            "This result has no samples of the site's power. Run the scenario again.".to_owned(),
        );
    };
    series.push(shown);
    let of = Some(series.len() - 1);
    parts::pin(&mut series, pinned, |result| main(result, ink));
    let envelope = &power.envelope;
    let rule = |name: &str, value| Rule {
        name: format!("{name} {}", parts::plain(POWER, value)),
        value,
        ink: Ink::Muted,
        of,
    };
    let limits = &outcome.scenario.limits;
    let mut rules = Vec::new();
    if let Some(kw) = limits.site_peak_kw {
        rules.push(parts::limit("limit", kw * 1e3, POWER));
    }
    rules.push(rule("99.9 %", envelope.p99_9));
    rules.push(rule("median", envelope.p50));
    let zones = vec![Zone {
        name: "5 to 95 % of the time".to_owned(),
        low: envelope.p5,
        high: envelope.p95,
        ink,
        of,
    }];
    let load_limit = |limit: &str| limit.starts_with("site_") || limit.starts_with("load");
    let mut marks = parts::events(outcome);
    marks.extend(parts::worst(outcome, POWER, |limit| match limit {
        "site_peak_kw" => Some(Some(1e3)),
        other if load_limit(other) => Some(None),
        _ => None,
    }));
    let summary = format!(
        "{} Half of the time above {}, 5 to 95 % of the time between {} and {} ({}). {}",
        parts::extremes(&power.pyramid, POWER),
        POWER.text(envelope.p50, 0.0),
        POWER.text(envelope.p5, 0.0),
        POWER.text(envelope.p95, 0.0),
        envelope.over,
        parts::verdicts(outcome, load_limit)
    );
    Ok(TimeChart {
        title: "Site power".to_owned(),
        quantity: POWER,
        series,
        rules,
        zones,
        marks,
        fine_s: parts::fine(result),
        summary,
    })
}

/// Power of a rack of each group.
pub(crate) fn racks(result: &RunResult, pinned: &[Arc<RunResult>]) -> Result<TimeChart, String> {
    let outcome = &result.outcome;
    if outcome.racks.is_empty() {
        return Err(
            "This site has no racks: its load is given. Add racks to see their power.".to_owned(),
        );
    }
    let mut series = Vec::new();
    let mut rules = Vec::new();
    let mut zones = Vec::new();
    let mut sentences = Vec::new();
    for (i, group) in outcome.racks.iter().enumerate() {
        let ink = Ink::Series(i);
        let of = Some(series.len());
        if group.pyramid.levels.is_empty() {
            continue;
        }
        series.push(Series {
            name: group.group.clone(),
            what: format!(
                "Power of the first of {} racks in one realisation; the band holds 5 to 95 % of the time of all of them; metered: {}",
                group.count, group.metered
            ),
            ink,
            weight: Weight::Full,
            source: Source::Pyramid(Arc::new(group.pyramid.clone())),
            fine: None,
            shown: i < GROUPS_SHOWN,
        });
        zones.push(Zone {
            name: "5 to 95 % of the time".to_owned(),
            low: group.envelope.p5,
            high: group.envelope.p95,
            ink,
            of,
        });
        for (name, value) in [
            ("99.9 %", group.envelope.p99_9),
            ("median", group.envelope.p50),
        ] {
            rules.push(Rule {
                name: format!("{} {name} {}", group.group, parts::plain(POWER, value)),
                value,
                ink,
                of,
            });
        }
        sentences.push(format!(
            "{}: {} racks, half of the time above {}, highest {} in {}.",
            group.group,
            group.count,
            POWER.text(group.envelope.p50, 0.0),
            POWER.text(group.worst_w, 0.0),
            group.worst_rack
        ));
    }
    for (i, result) in pinned.iter().enumerate() {
        for group in &result.outcome.racks {
            if group.pyramid.levels.is_empty() {
                continue;
            }
            series.push(Series {
                name: format!("{} {}", parts::pinned_name(pinned, i), group.group),
                what: "Pinned result".to_owned(),
                ink: parts::pinned_ink(i),
                weight: Weight::Dashed,
                source: Source::Pyramid(Arc::new(group.pyramid.clone())),
                fine: None,
                shown: outcome.racks.len() == 1,
            });
        }
    }
    if let Some(kw) = outcome.scenario.limits.rack_peak_kw {
        rules.insert(0, parts::limit("limit", kw * 1e3, POWER));
    }
    let rack_limit = |limit: &str| limit.starts_with("rack_");
    let marks = parts::worst(outcome, POWER, |limit| rack_limit(limit).then_some(None));
    sentences.push(parts::verdicts(outcome, rack_limit));
    Ok(TimeChart {
        title: "Rack power".to_owned(),
        quantity: POWER,
        series,
        rules,
        zones,
        marks,
        fine_s: None,
        summary: sentences.join(" "),
    })
}
