//! `ballast compare`: several scenarios, or one and its variants, side by side.

use std::time::{Instant, SystemTime};

use ballast_study::compare::{Comparison, Member as Beside, compare as side_by_side};
use ballast_study::outcome::Outcome;
use ballast_study::{Job, Ready, run_many};
use serde_json::{Value, json};

use crate::args::{CompareArgs, Require, changes};
use crate::exit::Exit;
use crate::folder::{Folder, Kind};
use crate::members::{self, Member};
use crate::printer::{Printer, problems_json};
use crate::progress::Progress;
use crate::results::{Study, write_text};
use crate::run::write_json;
use crate::{compare_table, extra_racks, interrupt};

pub(crate) fn compare(args: &CompareArgs, printer: &Printer) -> Exit {
    let as_json = args.results.json;
    let started = (SystemTime::now(), Instant::now());
    let patches = changes(&args.patches, args.seed);
    let members = match members::gather(&args.scenarios, &patches, &args.variant) {
        Ok(members) => members,
        Err(problems) => return printer.problems(&problems, as_json),
    };
    if !as_json {
        for w in members.iter().flat_map(|m| &m.ready.loaded.warnings) {
            printer.note(&format!("warning: {w}"));
        }
    }
    interrupt::listen();
    let study = Study {
        kind: Kind::Compare,
        name: members[0].ready.loaded.scenario.scenario.name.clone(),
        place: &args.results.place,
        as_json,
        started,
        printer,
    };
    match compared(args, &study, &members) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn compared(args: &CompareArgs, study: &Study<'_>, members: &[Member]) -> Result<Exit, Exit> {
    let (folder, pool) = study.prepare()?;
    let jobs: Vec<Job<'_>> = members.iter().map(|m| job(&m.ready)).collect();
    let progress = Progress::start();
    let result = pool.install(|| run_many(&jobs, &progress, |_, outcome| outcome));
    progress.finish();
    let outcomes = match result {
        Ok(outcomes) => outcomes,
        Err((at, error)) => {
            folder.abandon();
            return Err(study.failed(&members[at].name, &members[at].ready, error));
        }
    };
    let mut comparison = side_by_side(&beside(members, &outcomes));
    if args.extra_racks {
        let found = pool.install(|| extra_racks::by_runs(args, members, &outcomes));
        match found {
            Ok(extra) => comparison.extra_racks = extra,
            Err(failed) => {
                folder.abandon();
                return Err(match failed {
                    extra_racks::Failed::Loading(problems) => {
                        study.printer.problems(&problems, study.as_json)
                    }
                    extra_racks::Failed::Running(who, ready, error) => {
                        study.failed(&who, &ready, error)
                    }
                });
            }
        }
    }
    let exit = exit_of(args.require, &outcomes);
    let folders = folders(members);
    if let Err(message) = stage(args, &folder, &comparison, (members, &folders), &outcomes) {
        return Err(study.unwritten(folder, &message));
    }
    let result = json_of(&study.name, &comparison, &folders);
    let facts = json!({
        "scenario_files": members.iter().map(|m| m.file.display().to_string()).collect::<Vec<_>>(),
        "set": args.patches.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "seed_argument": args.seed,
    });
    let threads = pool.current_num_threads();
    let (path, files) = study.publish(folder, threads, &result, facts)?;
    if study.as_json {
        let mut all = result;
        all["exit_code"] = exit.code().into();
        all["folder"] = path.display().to_string().into();
        all["files"] = files.into();
        let warnings: Vec<_> = members
            .iter()
            .flat_map(|m| problems_json(&m.ready.loaded.warnings))
            .collect();
        all["warnings"] = warnings.into();
        study.printer.json(&all);
    } else {
        compare_table::print(&comparison, study.printer);
        study.printer.line(&format!(
            "\nwrote {} to {}",
            files.join(", "),
            path.display()
        ));
    }
    Ok(exit)
}

/// A scenario as something to run.
pub(crate) fn job(ready: &Ready) -> Job<'_> {
    Job {
        loaded: &ready.loaded,
        inputs: &ready.inputs,
    }
}

fn beside<'a>(members: &'a [Member], outcomes: &'a [Outcome]) -> Vec<Beside<'a>> {
    let pairs = members.iter().zip(outcomes);
    pairs
        .map(|(m, outcome)| Beside {
            name: &m.name,
            description: &m.description,
            outcome,
        })
        .collect()
}

/// Folder of each member in that of the comparison.
fn folders(members: &[Member]) -> Vec<String> {
    let numbered = members.iter().enumerate();
    numbered
        .map(|(at, m)| format!("{:02}-{}", at + 1, members::slug(&m.name)))
        .collect()
}

/// Writes the members' outcomes, the table and the figure into the staging folder.
fn stage(
    args: &CompareArgs,
    folder: &Folder,
    comparison: &Comparison,
    (members, folders): (&[Member], &[String]),
    outcomes: &[Outcome],
) -> Result<(), String> {
    for (outcome, name) in outcomes.iter().zip(folders) {
        let part = folder.stage_part(name).map_err(|e| e.to_string())?;
        write_json(&part.join("outcome.json"), outcome)?;
    }
    write_text(
        &folder.staging().join("compare.csv"),
        &compare_table::csv(comparison),
    )?;
    let wanted = outcomes[0].scenario.outputs.figures && !args.results.place.no_figures;
    if wanted {
        let all: Vec<_> = members
            .iter()
            .zip(outcomes)
            .map(|(m, o)| (m.name.as_str(), o))
            .collect();
        ballast_report::write_comparison(&all, folder.staging()).map_err(|e| e.to_string())?;
    }
    Ok(())
}

fn json_of(name: &str, comparison: &Comparison, folders: &[String]) -> Value {
    let mut value = json!({
        "program": "ballast",
        "version": env!("CARGO_PKG_VERSION"),
        "name": name,
    });
    // A comparison is plain data: it always has a JSON form.
    if let (Some(all), Ok(Value::Object(of))) =
        (value.as_object_mut(), serde_json::to_value(comparison))
    {
        all.extend(of);
    }
    if let Some(members) = value["members"].as_array_mut() {
        for (member, folder) in members.iter_mut().zip(folders) {
            member["outcome_file"] = format!("{folder}/outcome.json").into();
        }
    }
    value
}

/// What the command ends with: the verdicts count only where they were asked for.
fn exit_of(require: Option<Require>, outcomes: &[Outcome]) -> Exit {
    let mut passes = outcomes.iter().map(|o| Exit::from(o) == Exit::Pass);
    let holds = match require {
        None => true,
        Some(Require::All) => passes.all(|p| p),
        Some(Require::Any) => passes.any(|p| p),
        Some(Require::Last) => passes.next_back().unwrap_or(false),
    };
    if holds { Exit::Pass } else { Exit::Fail }
}
