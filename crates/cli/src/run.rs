//! `ballast run`: the main job, from a scenario file to a verdict and its files.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use ballast_scenario::Loaded;
use ballast_series::TraceSink;
use ballast_study::outcome::{Outcome, Zoom};
use ballast_study::{StudyError, TraceSinks};
use serde_json::{Value, json};

use crate::args::RunArgs;
use crate::exit::Exit;
use crate::folder::{Folder, Unpublished, ZOOM};
use crate::printer::{Printer, problems_json};
use crate::progress::Progress;
use crate::sinks::Sinks;
use crate::{interrupt, json as json_file, load, members, render};

pub(crate) fn run(args: &RunArgs, printer: &Printer) -> Exit {
    let as_json = args.scenario.json;
    let started = (SystemTime::now(), Instant::now());
    let ready = match load::load(&args.scenario) {
        Ok(ready) => ready,
        Err(problems) => return printer.problems(&problems, as_json),
    };
    // Before anything is written: what only shows when the pieces meet.
    let problems = ballast_study::check(&ready.loaded, &ready.inputs);
    if !problems.is_empty() {
        return printer.problems(&ballast_study::placed(&ready.loaded, problems), as_json);
    }
    if !as_json {
        for w in &ready.loaded.warnings {
            printer.note(&format!("warning: {w}"));
        }
    }
    let name = &ready.loaded.scenario.scenario.name;
    let path = args
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from("out").join(folder_name(&ready.loaded)));
    interrupt::listen();
    let folder = match Folder::prepare(&path, name) {
        Ok(folder) => folder,
        Err(problem) => return printer.problems(&[problem], as_json),
    };
    let threads = args.threads.map_or(0, usize::from);
    let pool = match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
        Ok(pool) => pool,
        Err(e) => {
            folder.abandon();
            return printer.failure(
                Exit::BadInput,
                &format!("threads cannot be started: {e}"),
                "try fewer with --threads",
                as_json,
            );
        }
    };
    let (mut sinks, mut closer) = match both_sinks(&folder, &ready.loaded, args.csv) {
        Ok(sinks) => sinks,
        Err(message) => return unwritten(folder, &message, printer, as_json),
    };
    let progress = Progress::start();
    let result = pool.install(|| {
        let traces = TraceSinks {
            run: used(Some(&mut sinks)),
            zoom: used(closer.as_mut()),
        };
        ballast_study::run_traced(&ready.loaded, &ready.inputs, traces, &progress)
    });
    progress.finish();
    let run = RunFacts {
        args,
        loaded: &ready.loaded,
        started,
        threads: pool.current_num_threads(),
        folder: folder.path().to_owned(),
    };
    match result {
        Ok(outcome) => finish(&run, folder, (sinks, closer), &outcome, printer),
        Err(StudyError::Interrupted { at_s, realisation }) => {
            let message = format!("interrupted at t = {at_s:.3} s of realisation {realisation}");
            drop(closer);
            let help = keep_partial(&run, folder, sinks);
            printer.failure(Exit::Interrupted, &message, &help, as_json)
        }
        Err(error) => {
            let exit = match &error {
                StudyError::NotFinite { .. } => Exit::Numerical,
                _ => Exit::BadInput,
            };
            folder.abandon();
            match error {
                StudyError::Input(found) => {
                    printer.problems(&ballast_study::placed(&ready.loaded, found), as_json)
                }
                other => printer.failure(exit, &other.to_string(), help_for(&other), as_json),
            }
        }
    }
}

/// Name of a run's folder: a variant has one of its own.
fn folder_name(loaded: &Loaded) -> String {
    let name = &loaded.scenario.scenario.name;
    match &loaded.variant {
        Some(variant) => format!("{name}.{}", members::slug(variant)),
        None => name.clone(),
    }
}

/// Trace files of the run, and of the fine run if there is to be one.
fn both_sinks(
    folder: &Folder,
    loaded: &Loaded,
    csv: bool,
) -> Result<(Sinks, Option<Sinks>), String> {
    let create =
        |staging: &Path, part| Sinks::create(staging, loaded, csv, part).map_err(|e| e.to_string());
    let sinks = create(folder.staging(), ("ballast.realisation", "1"))?;
    if loaded.scenario.zoom.is_none() {
        return Ok((sinks, None));
    }
    let staging = folder.stage_zoom().map_err(|e| e.to_string())?;
    Ok((sinks, Some(create(&staging, ("ballast.run", "zoom"))?)))
}

/// The sink, if there is any file behind it.
fn used(sinks: Option<&mut Sinks>) -> Option<&mut (dyn TraceSink + Send)> {
    sinks
        .filter(|s| s.any())
        .map(|s| s as &mut (dyn TraceSink + Send))
}

pub(crate) fn help_for(error: &StudyError) -> &'static str {
    match error {
        StudyError::NotFinite { .. } => {
            "try a smaller simulation.step_s; if it stays, please report it with the scenario"
        }
        StudyError::Sink(_) => "free some space, or choose another folder with --out",
        _ => "",
    }
}

/// Facts of a run that may differ between two runs of the same scenario.
struct RunFacts<'a> {
    args: &'a RunArgs,
    loaded: &'a Loaded,
    started: (SystemTime, Instant),
    threads: usize,
    folder: PathBuf,
}

/// Closes the traces, draws, writes, publishes and prints.
fn finish(
    run: &RunFacts<'_>,
    folder: Folder,
    (sinks, closer): (Sinks, Option<Sinks>),
    outcome: &Outcome,
    printer: &Printer,
) -> Exit {
    let as_json = run.args.scenario.json;
    let written = sinks
        .finish()
        .and_then(|()| closer.map_or(Ok(()), Sinks::finish))
        .map_err(|e| e.to_string())
        .and_then(|()| write_files(run, &folder, outcome));
    if let Err(message) = written {
        return unwritten(folder, &message, printer, as_json);
    }
    let shown = folder.path().to_owned();
    let files = match folder.publish() {
        Ok(files) => files,
        Err(Unpublished { problem, restored }) if restored => {
            return printer.problems(&[problem], as_json);
        }
        Err(Unpublished { problem, .. }) => {
            return printer.failure(Exit::BadInput, &problem.message, &problem.help, as_json);
        }
    };
    let exit = Exit::from(outcome);
    if as_json {
        printer.json(&summary_json(run, outcome, &files, exit));
    } else {
        render::outcome(outcome, printer);
        let others = run.loaded.variants.len();
        if others > 0 && run.loaded.variant.is_none() {
            printer.line(&format!(
                "\nvariants      {others} in the file, not run: ballast compare {}",
                run.args.scenario.scenario.display()
            ));
        }
        printer.line(&format!(
            "\nwrote {} to {}",
            files.join(", "),
            shown.display()
        ));
    }
    exit
}

fn write_files(run: &RunFacts<'_>, folder: &Folder, outcome: &Outcome) -> Result<(), String> {
    let staging = folder.staging();
    let mut figures = Vec::new();
    if outcome.scenario.outputs.figures && !run.args.no_figures {
        let closer = outcome
            .zoom
            .iter()
            .map(|z| (&z.outcome, staging.join(ZOOM)));
        for (outcome, folder) in [(outcome, staging.to_owned())].into_iter().chain(closer) {
            let written =
                ballast_report::write_figures(outcome, &folder).map_err(|e| e.to_string())?;
            let names = written.iter().filter_map(|p| p.strip_prefix(staging).ok());
            figures.extend(names.map(|n| n.to_string_lossy().replace('\\', "/")));
        }
    }
    write_json(&staging.join("outcome.json"), outcome)?;
    let mut files = folder.staged().map_err(|e| e.to_string())?;
    files.push("run.json".to_owned());
    files.sort();
    let facts = run_json(run, &files, &figures, false);
    write_json(&staging.join("run.json"), &facts)
}

pub(crate) fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<(), String> {
    let bytes = json_file::to_bytes(value).map_err(|e| format!("{}: {e}", path.display()))?;
    File::create(path)
        .and_then(|mut f| f.write_all(&bytes).and_then(|()| f.sync_all()))
        .map_err(|e| format!("{}: {e}", path.display()))
}

/// Everything that may differ between two runs of the same scenario, and the files that the run wrote: the next one may replace
/// and remove these.
fn run_json(run: &RunFacts<'_>, files: &[String], figures: &[String], interrupted: bool) -> Value {
    let cwd = std::env::current_dir()
        .map(|p| p.display().to_string())
        .unwrap_or_default();
    json!({
        "format": 1,
        "program": "ballast",
        "version": env!("CARGO_PKG_VERSION"),
        "scenario": run.loaded.scenario.scenario.name,
        "interrupted": interrupted,
        "started": humantime::format_rfc3339_seconds(run.started.0).to_string(),
        "wall_s": run.started.1.elapsed().as_secs_f64(),
        "threads": run.threads,
        "scenario_file": run.args.scenario.scenario.display().to_string(),
        "working_folder": cwd,
        "output_folder": run.folder.display().to_string(),
        "files": files,
        "figures": figures,
        "set": run.args.scenario.patches.iter().map(|p| format!("{}={}", p.path, p.value)).collect::<Vec<_>>(),
        "seed_argument": run.args.scenario.seed,
        "variant": run.loaded.variant,
        "machine": format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
    })
}

fn summary_json(run: &RunFacts<'_>, outcome: &Outcome, files: &[String], exit: Exit) -> Value {
    json!({
        "exit_code": exit.code(),
        "overall": outcome.overall,
        "summary": outcome.summary,
        "verdicts": outcome.verdicts,
        "events": outcome.events,
        "diagnostics": outcome.diagnostics,
        "assumptions": outcome.assumptions,
        "low_confidence": outcome.low_confidence,
        "warnings": problems_json(&run.loaded.warnings),
        "design_values": outcome.design_values,
        "provenance": outcome.provenance,
        "zoom": outcome.zoom.as_ref().map(|z| zoom_json(z)),
        "contingencies": outcome.contingencies,
        "reserve": outcome.plant.as_ref().and_then(|p| p.reserve.as_ref()),
        "folder": run.folder.display().to_string(),
        "files": files,
    })
}

/// The fine run: where, why, and what came of it.
fn zoom_json(zoom: &Zoom) -> Value {
    json!({
        "at_s": zoom.at_s,
        "realisation": zoom.realisation,
        "why": zoom.why,
        "overall": zoom.outcome.overall,
        "summary": zoom.outcome.summary,
        "verdicts": zoom.outcome.verdicts,
        "events": zoom.outcome.events,
        "diagnostics": zoom.outcome.diagnostics,
        "assumptions": zoom.outcome.assumptions,
        "design_values": zoom.outcome.design_values,
        "provenance": zoom.outcome.provenance,
    })
}

fn unwritten(folder: Folder, message: &str, printer: &Printer, as_json: bool) -> Exit {
    folder.abandon();
    printer.failure(
        Exit::BadInput,
        &format!("the results cannot be written: {message}"),
        "free some space, or choose another folder with --out; nothing was left half-written",
        as_json,
    )
}

/// Keeps the traces up to the interruption, under another name; earlier results stay as they are. Says what was kept.
fn keep_partial(run: &RunFacts<'_>, folder: Folder, sinks: Sinks) -> String {
    let (partial, marker) = ("traces.partial.parquet", "run.json");
    let staging = folder.staging().to_owned();
    let staged = sinks.keep().map_err(|e| e.to_string()).and_then(|written| {
        let Some(written) = written else {
            return Ok(false);
        };
        std::fs::rename(written, staging.join(partial)).map_err(|e| e.to_string())?;
        // Without results, this is how the next run knows that the traces are its own.
        if !folder.has_results() {
            let files = [marker.to_owned(), partial.to_owned()];
            write_json(&staging.join(marker), &run_json(run, &files, &[], true))?;
        }
        Ok(true)
    });
    let kept = match staged {
        Ok(true) => folder.add().map(|_| true).map_err(|e| e.problem.message),
        nothing => {
            folder.abandon();
            nothing
        }
    };
    match kept {
        Ok(true) => format!(
            "kept the traces so far in {}; earlier results are untouched",
            run.folder.join(partial).display()
        ),
        Ok(false) => "nothing was kept; earlier results are untouched".to_owned(),
        Err(e) => format!("the traces so far could not be kept: {e}"),
    }
}
