//! `ballast check`: everything a run would find wrong, without running.

use serde_json::json;

use crate::args::CheckArgs;
use crate::exit::Exit;
use crate::load;
use crate::printer::{Printer, problems_json};

pub(crate) fn check(args: &CheckArgs, printer: &Printer) -> Exit {
    let as_json = args.scenario.json;
    // A variant alone, or all there is.
    let found = match args.scenario.variant {
        Some(_) => load::load(&args.scenario).map(|ready| vec![ready]),
        None => load::load_all(&args.scenario.scenario, &args.scenario.changes()),
    };
    let all = match found {
        Ok(all) => all,
        Err(problems) => return printer.problems(&problems, as_json),
    };
    let Some(ready) = all.first() else {
        return Exit::Pass;
    };
    let problems = ballast_study::check(&ready.loaded, &ready.inputs);
    if !problems.is_empty() {
        return printer.problems(&ballast_study::placed(&ready.loaded, problems), as_json);
    }
    let warnings: Vec<_> = all.iter().flat_map(|r| r.loaded.warnings.clone()).collect();
    let variants: Vec<&str> = all
        .iter()
        .filter_map(|r| r.loaded.variant.as_deref())
        .collect();
    if as_json {
        printer.json(&json!({
            "exit_code": Exit::Pass.code(),
            "problems": [],
            "warnings": problems_json(&warnings),
            "scenario": ready.loaded.scenario.scenario.name,
            "sha256": ready.loaded.sha256,
            "variants": variants,
        }));
    } else {
        for w in &warnings {
            printer.note(&format!("warning: {w}"));
        }
        printer.line(&format!(
            "{}: scenario `{}` is valid{}; {} inputs of low confidence",
            args.scenario.scenario.display(),
            ready.loaded.scenario.scenario.name,
            match variants.len() {
                0 => String::new(),
                1 => format!(", with its variant `{}`", variants[0]),
                n => format!(", with its {n} variants"),
            },
            ready.loaded.low_confidence.len()
        ));
    }
    Exit::Pass
}
