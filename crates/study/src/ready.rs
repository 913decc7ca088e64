//! A scenario with everything that it needs to run.

use ballast_scenario::{Loaded, Problem};

use crate::error::StudyProblem;
use crate::inputs::Inputs;
use crate::run::check;

/// A scenario with its traces and requests.
#[derive(Debug, Clone)]
pub struct Ready {
    /// The scenario.
    pub loaded: Loaded,
    /// What its files hold.
    pub inputs: Inputs,
}

/// Makes a scenario and its variants ready with `read`, which reads the files of one, and checks them.
///
/// # Errors
/// All problems of all of them; those that only a variant has say its name.
pub fn ready_all(
    all: Vec<Loaded>,
    read: impl Fn(Loaded) -> Result<Ready, Vec<Problem>>,
) -> Result<Vec<Ready>, Vec<Problem>> {
    let (mut good, mut problems) = (Vec::new(), Vec::new());
    for loaded in all {
        let variant = loaded.variant.clone();
        match read(loaded) {
            Ok(ready) => good.push(ready),
            Err(found) => problems.extend(of_variant(variant.as_deref(), found, &problems)),
        }
    }
    for ready in &good {
        let found = placed(&ready.loaded, check(&ready.loaded, &ready.inputs));
        let new = of_variant(ready.loaded.variant.as_deref(), found, &problems);
        problems.extend(new);
    }
    if problems.is_empty() {
        Ok(good)
    } else {
        Err(problems)
    }
}

/// Problems with the name of the variant that has them; none that the scenario itself has.
fn of_variant(variant: Option<&str>, found: Vec<Problem>, known: &[Problem]) -> Vec<Problem> {
    let Some(name) = variant else { return found };
    let new = found.into_iter().filter(|p| !known.contains(p));
    new.map(|p| Problem {
        message: format!("variant `{name}`: {}", p.message),
        ..p
    })
    .collect()
}

/// Problems that a run found, with their places in the scenario file.
pub fn placed(loaded: &Loaded, problems: Vec<StudyProblem>) -> Vec<Problem> {
    problems
        .into_iter()
        .map(|p| loaded.problem_at(&p.path, p.message, p.help))
        .collect()
}
