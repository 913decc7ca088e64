//! Frequency and voltage.

use std::sync::Arc;

use ballast_series::Pyramid;
use ballast_study::outcome::{Contingency, PlantKpis};

use crate::plot::TimeChart;
use crate::plot::model::{Ink, Rule, Series, Weight, Zone};
use crate::plot::quantity::Quantity;
use crate::plot::source::Source;
use crate::result::RunResult;
use crate::views::tiles::parts;

/// Sets whose own curve is shown at first.
const SETS_SHOWN: usize = 3;

fn plant(result: &RunResult) -> Result<&PlantKpis, String> {
    let none = "This site has no generating sets. Add a plant to see its frequency and voltage.";
    result.outcome.plant.as_ref().ok_or_else(|| none.to_owned())
}

/// A limit with everything beyond it.
struct Bound {
    low: Option<f64>,
    high: Option<f64>,
}

impl Bound {
    fn zones(&self) -> Vec<Zone> {
        let zone = |low, high| Zone {
            name: "beyond the limit".to_owned(),
            low,
            high,
            ink: Ink::Violation,
            of: None,
        };
        let below = self.low.map(|v| zone(f64::NEG_INFINITY, v));
        let above = self.high.map(|v| zone(v, f64::INFINITY));
        below.into_iter().chain(above).collect()
    }

    fn rules(&self, quantity: Quantity) -> Vec<Rule> {
        let ends = [("lowest allowed", self.low), ("highest allowed", self.high)];
        let rules = ends.into_iter().filter_map(|(name, v)| Some((name, v?)));
        rules
            .map(|(name, v)| parts::limit(name, v, quantity))
            .collect()
    }
}

/// Contingencies as curves that are shown when asked for.
fn contingencies(
    result: &RunResult,
    curve: impl Fn(&Contingency) -> Option<&Pyramid>,
) -> Vec<Series> {
    let all = result.outcome.contingencies.iter().enumerate();
    let drawn = all.filter_map(|(i, c)| {
        let pyramid = curve(c).filter(|p| !p.levels.is_empty())?;
        Some(Series {
            name: c.name.clone(),
            what: c.summary.clone(),
            ink: Ink::Series(i + 3),
            weight: Weight::Thin,
            source: Source::Pyramid(Arc::new(pyramid.clone())),
            fine: None,
            shown: false,
        })
    });
    drawn.collect()
}

fn contingency_words(series: &[Series]) -> String {
    if series.is_empty() {
        return String::new();
    }
    let all: Vec<&str> = series.iter().map(|s| s.what.as_str()).collect();
    format!("What fails: {}", all.join(" "))
}

/// Frequency of the bus.
pub(crate) fn frequency(
    result: &RunResult,
    pinned: &[Arc<RunResult>],
) -> Result<TimeChart, String> {
    const HZ: Quantity = Quantity::Frequency;
    let plant = plant(result)?;
    let outcome = &result.outcome;
    let shown = parts::realisation(outcome);
    let what = format!("Frequency of the bus, realisation {shown}");
    let main = |result: &RunResult| {
        let or = result.outcome.plant.as_ref().map(|p| &p.frequency_pyramid);
        let style = (Ink::Generation, Weight::Full);
        parts::series(result, "f_hz", or, ("bus", what.clone()), style)
    };
    let Some(bus) = main(result) else {
        return Err(
            "This result has no samples of the frequency. Run the scenario again.".to_owned(),
        );
    };
    let mut series = vec![bus];
    if plant.sets.len() > 1 {
        for (i, set) in plant.sets.iter().enumerate() {
            let column = format!("f_pu_{}", set.name);
            let Some(trace) = result.traces.named(&column) else {
                continue;
            };
            let factor = plant.nominal_hz as f32;
            let fine = result.zoom.as_ref().and_then(|z| z.named(&column));
            series.push(Series {
                name: set.name.clone(),
                what: "Speed of the set, as a frequency".to_owned(),
                ink: Ink::Series(i),
                weight: Weight::Thin,
                source: Source::Scaled(Arc::clone(trace), factor),
                fine: fine.map(|t| Source::Scaled(Arc::clone(t), factor)),
                shown: false,
            });
        }
    }
    parts::pin(&mut series, pinned, main);
    let failures = contingencies(result, |c| c.frequency_pyramid.as_ref());
    let words = contingency_words(&failures);
    series.extend(failures);
    let limits = &outcome.scenario.limits;
    let bound = Bound {
        low: limits.frequency_min_hz,
        high: limits.frequency_max_hz,
    };
    let mut rules = bound.rules(HZ);
    rules.push(Rule {
        name: String::new(),
        value: plant.nominal_hz,
        ink: Ink::Muted,
        of: None,
    });
    let about = |limit: &str| limit.starts_with("frequency") || limit.starts_with("rocof");
    let mut marks = parts::events(outcome);
    marks.extend(parts::worst(outcome, HZ, |limit| match limit {
        "frequency_min_hz" | "frequency_max_hz" => Some(Some(1.0)),
        other if about(other) => Some(None),
        _ => None,
    }));
    let summary = format!(
        "{} {} {words}",
        parts::extremes(&plant.frequency_pyramid, HZ),
        parts::verdicts(outcome, about)
    );
    Ok(TimeChart {
        title: "Frequency".to_owned(),
        quantity: HZ,
        series,
        rules,
        zones: bound.zones(),
        marks,
        fine_s: parts::fine(result),
        summary,
    })
}

/// Voltage of the bus and of the sets.
pub(crate) fn voltage(result: &RunResult, pinned: &[Arc<RunResult>]) -> Result<TimeChart, String> {
    const PU: Quantity = Quantity::PerUnit;
    let plant = plant(result)?;
    let outcome = &result.outcome;
    let bus = |result: &RunResult| {
        let pyramid = result.outcome.plant.as_ref()?.voltage_pyramid.as_ref()?;
        let source = Source::Pyramid(Arc::new(pyramid.clone()));
        Some(Series {
            name: "bus".to_owned(),
            what: "Voltage of the bus".to_owned(),
            ink: Ink::Generation,
            weight: Weight::Full,
            source,
            fine: None,
            shown: !pyramid.levels.is_empty(),
        })
    };
    let mut series: Vec<Series> = bus(result).into_iter().collect();
    for (i, set) in plant.sets.iter().enumerate() {
        let column = format!("V_pu_{}", set.name);
        let what = "Voltage at the terminals of the set, every sample".to_owned();
        let style = (Ink::Series(i), Weight::Thin);
        if let Some(mut own) = parts::series(result, &column, None, (&set.name, what), style) {
            own.shown = i < SETS_SHOWN;
            series.push(own);
        }
    }
    if series.is_empty() {
        return Err(
            "The voltage is not computed: no set of this plant has an alternator. Give the sets `alternator` data to see it."
                .to_owned(),
        );
    }
    parts::pin(&mut series, pinned, bus);
    let failures = contingencies(result, |c| c.voltage_pyramid.as_ref());
    let words = contingency_words(&failures);
    series.extend(failures);
    let limits = &outcome.scenario.limits;
    let bound = Bound {
        low: limits.voltage_min_pu,
        high: limits.voltage_max_pu,
    };
    let about = |limit: &str| limit.starts_with("voltage");
    let mut marks = parts::events(outcome);
    marks.extend(parts::worst(outcome, PU, |limit| match limit {
        "voltage_min_pu" | "voltage_max_pu" => Some(Some(1.0)),
        other if about(other) => Some(None),
        _ => None,
    }));
    let range = plant.voltage_pyramid.as_ref();
    let summary = format!(
        "{} {} {words}",
        range.map_or_else(String::new, |p| parts::extremes(p, PU)),
        parts::verdicts(outcome, about)
    );
    Ok(TimeChart {
        title: "Voltage".to_owned(),
        quantity: PU,
        series,
        rules: bound.rules(PU),
        zones: bound.zones(),
        marks,
        fine_s: parts::fine(result),
        summary,
    })
}
