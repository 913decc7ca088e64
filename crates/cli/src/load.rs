//! From arguments to a scenario that can run: file, changes, traces.

use std::path::Path;

use ballast_scenario::{Patch, Problem};
use ballast_study::Ready;

use crate::args::ScenarioArgs;

/// Loads the scenario with its changes and reads its traces.
///
/// # Errors
/// All problems of the scenario; if it has none, all problems of its traces.
pub(crate) fn load(args: &ScenarioArgs) -> Result<Ready, Vec<Problem>> {
    load_with(args, &[])
}

/// The same with changes after those of the variant.
///
/// # Errors
/// As [`load`].
pub(crate) fn load_with(args: &ScenarioArgs, last: &[Patch]) -> Result<Ready, Vec<Problem>> {
    let variant = args.variant.as_deref();
    let loaded = ballast_scenario::load_variant(&args.scenario, &args.changes(), variant, last);
    ballast_inputs::read(loaded.map_err(|p| p.0)?)
}

/// Loads the scenario as it stands and every variant of it.
///
/// # Errors
/// All problems of all of them; if they have none, all problems of their traces.
pub(crate) fn load_all(path: &Path, patches: &[Patch]) -> Result<Vec<Ready>, Vec<Problem>> {
    let all = ballast_scenario::load_all(path, patches).map_err(|p| p.0)?;
    ballast_study::ready_all(all, ballast_inputs::read)
}
