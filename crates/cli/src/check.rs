//! `ballast check`: everything a run would find wrong, without running.

use serde_json::json;

use crate::args::CheckArgs;
use crate::exit::Exit;
use crate::load;
use crate::printer::{Printer, problems_json};

pub(crate) fn check(args: &CheckArgs, printer: &Printer) -> Exit {
    let as_json = args.scenario.json;
    let ready = match load::load(&args.scenario) {
        Ok(ready) => ready,
        Err(problems) => return printer.problems(&problems, as_json),
    };
    let problems = ballast_study::check(&ready.loaded, &ready.inputs);
    if !problems.is_empty() {
        return printer.problems(&load::placed(&ready.loaded, problems), as_json);
    }
    if as_json {
        printer.json(&json!({
            "exit_code": Exit::Pass.code(),
            "problems": [],
            "warnings": problems_json(&ready.loaded.warnings),
            "scenario": ready.loaded.scenario.scenario.name,
            "sha256": ready.loaded.sha256,
        }));
    } else {
        for w in &ready.loaded.warnings {
            printer.note(&format!("warning: {w}"));
        }
        printer.line(&format!(
            "{}: scenario `{}` is valid; {} inputs of low confidence",
            args.scenario.scenario.display(),
            ready.loaded.scenario.scenario.name,
            ready.loaded.low_confidence.len()
        ));
    }
    Exit::Pass
}
