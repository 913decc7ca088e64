//! `ballast genset fit`: from block steps and recordings to a genset preset.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use ballast_fit::{FitError, FitReport, FitSpec, Recording, RecordingSpec};
use ballast_scenario::{Document, Problem, genset_preset, preset_names, read_document};
use ballast_tables::read_columns;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::exit::Exit;
use crate::interrupt;
use crate::printer::{Printer, problems_json};
use crate::progress::Progress;

#[derive(Debug, Subcommand)]
pub(crate) enum GensetCommand {
    /// Fit inertia, governor and turbo ceiling to block steps and recordings.
    ///
    /// The file holds the nameplate, rows of a block-step table and the recordings' paths (examples/genset-fit/fit.toml).
    /// What the figures cannot tell stays at its default and is named. Exit code 0: fitted; 2: bad input, or the output
    /// could not be written; 3: no convergence; 130: interrupted.
    Fit(FitArgs),
}

#[derive(Debug, Args)]
pub(crate) struct FitArgs {
    /// Nameplate and measurements (TOML).
    pub(crate) file: PathBuf,
    /// A recording beside those the file names: CSV with columns t_s, f_hz or f_pu, and p_kw. May be repeated.
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Vec<PathBuf>,
    /// File to write the preset to. Default: print it after the report. An existing file is never overwritten.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Print JSON on standard output instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

impl ballast_fit::Observer for Progress {
    fn progress(&self, share: f64) {
        ballast_study::Observer::progress(self, share);
    }

    fn cancelled(&self) -> bool {
        interrupt::asked()
    }
}

pub(crate) fn genset(command: &GensetCommand, printer: &Printer) -> Exit {
    let GensetCommand::Fit(args) = command;
    if let Some(out) = args.out.as_deref().filter(|out| out.exists()) {
        return exists(out, args.json, printer);
    }
    let (document, spec, base, recordings) = match input(args) {
        Ok(input) => input,
        Err(problems) => return printer.problems(&problems, args.json),
    };
    interrupt::listen();
    let progress = Progress::start();
    let found = ballast_fit::fit(&spec, &base, &recordings, &progress);
    progress.finish();
    let report = match found {
        Ok(report) => report,
        Err(FitError::Cancelled) => {
            let message = "stopped; nothing was written";
            return printer.failure(Exit::Interrupted, message, "", args.json);
        }
        Err(error) => return printer.problems(&placed(&document, &spec, &error), args.json),
    };
    say(&report, args, printer)
}

fn exists(out: &Path, as_json: bool, printer: &Printer) -> Exit {
    printer.failure(
        Exit::BadInput,
        &format!("{} exists already", out.display()),
        "choose another name, or remove the file first",
        as_json,
    )
}

type Input = (
    Document<FitSpec>,
    FitSpec,
    ballast_plant::SetSpec,
    Vec<Recording>,
);

/// Reads the file and its recordings.
fn input(args: &FitArgs) -> Result<Input, Vec<Problem>> {
    let document = read_document::<FitSpec>(&args.file).map_err(|p| p.0)?;
    let mut spec = document.value.clone();
    let folder = args
        .file
        .parent()
        .map(Path::to_path_buf)
        .unwrap_or_default();
    let mut paths: Vec<PathBuf> = spec
        .recordings
        .iter()
        .map(|r| folder.join(&r.file))
        .collect();
    for file in &args.csv {
        spec.recordings.push(RecordingSpec {
            file: file.display().to_string(),
            from_s: None,
            to_s: None,
            noise_hz: None,
        });
        paths.push(file.clone());
    }
    let name = ballast_fit::preset_name(&spec);
    let Some(preset) = genset_preset(name) else {
        let names = preset_names(ballast_scenario::PresetKind::Genset).join(", ");
        let message = format!("there is no genset preset {name:?}");
        return Err(vec![document.problem_at(
            "preset",
            message,
            format!("one of: {names}"),
        )]);
    };
    let base = ballast_fit::base_set(&spec, &preset).map_err(|_| {
        vec![document.problem_at(
            "governor",
            format!("the preset {name:?} has another governor"),
            "take `governor` out, or name a preset with this model".to_owned(),
        )]
    })?;
    let mut problems: Vec<Problem> = ballast_fit::problems(&spec, &base)
        .into_iter()
        .map(|p| document.problem_at(&p.path, p.message, p.help))
        .collect();
    let mut recordings = Vec::new();
    for path in &paths {
        match read_columns(path) {
            Ok(columns) => recordings.push(Recording {
                name: path.file_name().map_or_else(
                    || path.display().to_string(),
                    |n| n.to_string_lossy().into_owned(),
                ),
                columns,
            }),
            Err(found) => problems.extend(found.0.into_iter().map(|p| Problem {
                file: p.file.display().to_string(),
                line: p.line.and_then(|l| u32::try_from(l).ok()),
                column: None,
                key: p.column.unwrap_or_default(),
                message: p.message,
                help: p.help,
            })),
        }
    }
    if problems.is_empty() {
        Ok((document, spec, base, recordings))
    } else {
        Err(problems)
    }
}

/// What stopped a fit, where it stands in the file.
fn placed(document: &Document<FitSpec>, spec: &FitSpec, error: &FitError) -> Vec<Problem> {
    match error {
        FitError::Recordings(wrong) => wrong
            .iter()
            .map(|(at, (message, help))| {
                document.problem_at(&format!("recordings.{at}"), message.clone(), help.clone())
            })
            .collect(),
        FitError::Start { event, error } => {
            let path = match event.checked_sub(spec.steps.len()) {
                None => format!("steps.{event}"),
                Some(recording) => format!("recordings.{recording}"),
            };
            let message = format!("cannot be simulated with the values to start from: {error}");
            let help = "correct the load, or give other starts and values";
            vec![document.problem_at(&path, message, help.to_owned())]
        }
        FitError::Cancelled => Vec::new(),
    }
}

/// Writes the preset and prints the report.
fn say(report: &FitReport, args: &FitArgs, printer: &Printer) -> Exit {
    let exit = if report.converged {
        Exit::Pass
    } else {
        Exit::Numerical
    };
    if let Some(out) = &args.out {
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(out)
            .and_then(|mut f| {
                f.write_all(report.preset_toml.as_bytes())
                    .and_then(|()| f.sync_all())
            });
        match written {
            Ok(()) => {}
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
                return exists(out, args.json, printer);
            }
            Err(e) => {
                return printer.failure(
                    Exit::BadInput,
                    &format!("{} cannot be written: {e}", out.display()),
                    "choose a folder that exists and can be written",
                    args.json,
                );
            }
        }
    }
    if args.json {
        printer.json(&json!({
            "exit_code": exit.code(),
            "problems": problems_json(&[]),
            "fit": report,
        }));
        return exit;
    }
    printer.text(&ballast_fit::text(report));
    match &args.out {
        Some(out) => printer.line(&format!("wrote {}", out.display())),
        None => printer.text(&format!("\n{}", report.preset_toml)),
    }
    exit
}
