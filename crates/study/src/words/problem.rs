//! Problems of the plant at its start.

use ballast_plant::PlantError;

use crate::error::StudyProblem;

/// A problem of the plant at its start, placed and explained.
pub(crate) fn plant_problem(error: &PlantError, start_s: f64) -> StudyProblem {
    let (path, help) = match error {
        PlantError::LoadAboveRating { .. } => (
            "plant.sets".to_owned(),
            format!("that is at t = {start_s} s: add sets, or start the jobs later (start_s)"),
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
