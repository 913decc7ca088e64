//! Time constants far below the plant's step, which the run takes as at rest.

use ballast_plant::{PlantSpec, Residualised, residualise};
use ballast_scenario::Scenario;

use crate::outcome::Diagnostic;

/// The sets as a run of this scenario integrates them, and which lags were taken as at rest.
fn at_step(scenario: &Scenario) -> Option<(PlantSpec, Vec<Residualised>)> {
    let plant = scenario.plant.as_ref()?;
    Some(residualise(plant, scenario.simulation.plant_step()))
}

/// The sets as a run of this scenario integrates them: lags below half a step of the plant follow at once. None without a plant.
pub(crate) fn integrated(scenario: &Scenario) -> Option<PlantSpec> {
    at_step(scenario).map(|(plant, _)| plant)
}

/// What was taken as at rest, in words; none where nothing was.
pub(crate) fn diagnostic(scenario: &Scenario) -> Option<Diagnostic> {
    let (plant, done) = at_step(scenario)?;
    if done.is_empty() {
        return None;
    }
    let named: Vec<String> = done
        .iter()
        .map(|r| {
            // "sets.0.governor.t5_s" is easier to find as "G1 governor.t5_s".
            let mut parts = r.path.splitn(3, '.').skip(1);
            let set = parts
                .next()
                .and_then(|i| plant.sets.get(i.parse::<usize>().ok()?));
            match (set, parts.next()) {
                (Some(set), Some(key)) => format!("{} {key} ({} s)", set.name, r.value_s),
                _ => format!("{} ({} s)", r.path, r.value_s),
            }
        })
        .collect();
    Some(Diagnostic {
        code: "residualised".to_owned(),
        text: format!(
            "time constants below half the plant's step of {} s are taken as at rest, what is behind them follows at once: {}",
            scenario.simulation.plant_step(),
            named.join(", ")
        ),
    })
}
