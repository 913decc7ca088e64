//! Problems of the plant at its start.

use ballast_plant::{PlantError, PlantSpec};

use crate::error::StudyProblem;

/// A problem of the plant at its start, placed and explained.
pub(crate) fn plant_problem(
    error: &PlantError,
    load_w: f64,
    spec: &PlantSpec,
    start_s: f64,
) -> StudyProblem {
    let rated_kw: f64 = spec
        .sets
        .iter()
        .map(|s| s.rated_kw * f64::from(s.count))
        .sum();
    let (path, help) = match error {
        PlantError::LoadAboveRating { .. } => (
            "plant.sets".to_owned(),
            format!(
                "at t = {start_s} the load is {:.1} kW and the sets are rated {rated_kw:.1} kW: add sets, or start the jobs later (start_s)",
                load_w / 1e3
            ),
        ),
        PlantError::Spec { path, help, .. } => (format!("plant.{path}"), help.clone()),
        PlantError::StepTooCoarse { needed_s, .. } => (
            "simulation.step_s".to_owned(),
            format!("set simulation.plant_step_s to {needed_s} or less"),
        ),
        _ => (
            "plant".to_owned(),
            format!(
                "check dispatch_kw and the limits of the governors against the load at t = {start_s}"
            ),
        ),
    };
    StudyProblem {
        path,
        message: error.to_string(),
        help,
    }
}
