//! `ballast size`: one or two numbers varied, curves, and the smallest value that passes.

use std::time::{Instant, SystemTime};

use ballast_scenario::{NumberKey, Patch, Problem};
use ballast_study::compare::{Figure, figures_of};
use ballast_study::outcome::{Outcome, Status};
use ballast_study::sizing::{Sized, Smallest, Tried, grid, smallest};
use ballast_study::{Ready, run_many};
use rayon::ThreadPool;
use serde_json::json;

use crate::args::SizeArgs;
use crate::compare::job;
use crate::exit::Exit;
use crate::folder::Kind;
use crate::load;
use crate::printer::{Printer, problems_json};
use crate::progress::Progress;
use crate::results::{Study, write_text};
use crate::{interrupt, size_files};

/// Values of a key where nothing is said.
const USUAL_POINTS: u32 = 7;
/// Whole numbers up to which each is taken where nothing is said.
const MOST_WHOLE: f64 = 12.0;
/// Most points of a grid.
const MOST_POINTS: usize = 400;

/// A key that is varied.
pub(crate) struct Varied {
    pub(crate) path: String,
    pub(crate) number: NumberKey,
    pub(crate) log: bool,
    pub(crate) values: Vec<f64>,
}

/// One run of the sweep.
pub(crate) struct Point {
    /// Value of each key.
    pub(crate) at: Vec<f64>,
    pub(crate) overall: Status,
    /// Whether every limit passes, those that were given and not looked at included.
    pub(crate) passes: bool,
    pub(crate) figures: Vec<Figure>,
}

impl Point {
    fn of(at: Vec<f64>, outcome: &Outcome) -> Self {
        Self {
            at,
            overall: outcome.overall,
            passes: Exit::from(outcome) == Exit::Pass && outcome.overall == Status::Pass,
            figures: figures_of(outcome),
        }
    }

    pub(crate) fn figure(&self, key: &str) -> Option<f64> {
        self.figures.iter().find(|f| f.key == key).map(|f| f.value)
    }
}

/// What came of the first key for one value of the second.
pub(crate) struct Line {
    /// Value of the second key; none with one key.
    pub(crate) second: Option<f64>,
    pub(crate) sized: Option<Sized>,
}

/// Everything that came of a sweep.
pub(crate) struct Swept {
    pub(crate) keys: Vec<Varied>,
    /// Every run, by the value of the second key and then the first.
    pub(crate) points: Vec<Point>,
    pub(crate) lines: Vec<Line>,
}

pub(crate) fn size(args: &SizeArgs, printer: &Printer) -> Exit {
    let as_json = args.scenario.json;
    let started = (SystemTime::now(), Instant::now());
    let base = match load::load(&args.scenario) {
        Ok(base) => base,
        Err(problems) => return printer.problems(&problems, as_json),
    };
    let keys = match keys(args, &base) {
        Ok(keys) => keys,
        Err(problems) => return printer.problems(&problems, as_json),
    };
    if !as_json {
        for w in &base.loaded.warnings {
            printer.note(&format!("warning: {w}"));
        }
    }
    interrupt::listen();
    let study = Study {
        kind: Kind::Size,
        name: base.loaded.scenario.scenario.name.clone(),
        place: &args.results,
        as_json,
        started,
        printer,
    };
    match sized(args, &study, &base, keys) {
        Ok(exit) | Err(exit) => exit,
    }
}

/// The keys with their values.
fn keys(args: &SizeArgs, base: &Ready) -> Result<Vec<Varied>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut problem = |key: &str, message: String, help: &str| {
        problems.push(Problem {
            file: "--vary".to_owned(),
            line: None,
            column: None,
            key: key.to_owned(),
            message,
            help: help.to_owned(),
        });
    };
    let mut keys: Vec<Varied> = Vec::new();
    for vary in &args.vary {
        let Some(number) = base.loaded.number_at(&vary.key) else {
            let help =
                "name a key with a number as --set does: plant.sets.G1.count, jobs.llm.iteration_s";
            problem(&vary.key, "no number stands there".to_owned(), help);
            continue;
        };
        let (from, to) = match vary.ends(&number.unit, number.integer) {
            Ok(ends) => ends,
            Err(message) => {
                problem(&vary.key, message, "write KEY=FROM..TO with FROM below TO");
                continue;
            }
        };
        let whole = number.integer && to - from < MOST_WHOLE;
        let points = match vary.points {
            Some(points) => points,
            None if whole => (to - from) as u32 + 1,
            None => USUAL_POINTS,
        };
        let values = grid(from, to, points, vary.log, number.integer);
        keys.push(Varied {
            path: vary.key.clone(),
            number,
            log: vary.log,
            values,
        });
    }
    let points: usize = keys.iter().map(|k| k.values.len()).product();
    if args.vary.len() > 2 {
        let help = "run the command once for each value of the third";
        problem(
            "",
            format!("{} keys are varied, at most 2 may be", args.vary.len()),
            help,
        );
    } else if args.vary.len() == 2 && args.vary[0].key == args.vary[1].key {
        problem(
            &args.vary[0].key,
            "is varied twice".to_owned(),
            "name two keys",
        );
    } else if points > MOST_POINTS {
        problem(
            "",
            format!("{points} runs, at most {MOST_POINTS} are made"),
            "take fewer values",
        );
    }
    if !(1e-6..=0.5).contains(&args.tolerance) {
        problem(
            "--tolerance",
            format!("{} is out of range", args.tolerance),
            "1e-6 to 0.5",
        );
    }
    if problems.is_empty() {
        Ok(keys)
    } else {
        Err(problems)
    }
}

/// The scenario with the keys at these values.
fn at_values(args: &SizeArgs, keys: &[Varied], at: &[f64]) -> Result<Ready, Vec<Problem>> {
    let patches: Vec<Patch> = keys
        .iter()
        .zip(at)
        .map(|(key, value)| Patch {
            path: key.path.clone(),
            value: value.to_string(),
        })
        .collect();
    let ready = load::load_with(&args.scenario, &patches)?;
    let problems = ballast_study::check(&ready.loaded, &ready.inputs);
    if problems.is_empty() {
        Ok(ready)
    } else {
        Err(ballast_study::placed(&ready.loaded, problems))
    }
}

/// The values of a point in words.
pub(crate) fn words(keys: &[Varied], at: &[f64]) -> String {
    let each = keys.iter().zip(at).map(|(key, value)| {
        let unit = &key.number.unit;
        let space = if unit.is_empty() { "" } else { " " };
        format!("{} = {value}{space}{unit}", key.path)
    });
    each.collect::<Vec<_>>().join(", ")
}

fn sized(
    args: &SizeArgs,
    study: &Study<'_>,
    base: &Ready,
    keys: Vec<Varied>,
) -> Result<Exit, Exit> {
    let second: Vec<Option<f64>> = match keys.get(1) {
        Some(key) => key.values.iter().copied().map(Some).collect(),
        None => vec![None],
    };
    let firsts = &keys[0].values;
    let places: Vec<Vec<f64>> = second
        .iter()
        .flat_map(|s| {
            firsts
                .iter()
                .map(move |f| std::iter::once(*f).chain(*s).collect())
        })
        .collect();
    let (mut all, mut problems) = (Vec::new(), Vec::new());
    for at in &places {
        match at_values(args, &keys, at) {
            Ok(ready) => all.push(ready),
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        problems.dedup();
        return Err(study.printer.problems(&problems, study.as_json));
    }
    let (folder, pool) = study.prepare()?;
    let jobs: Vec<_> = all.iter().map(job).collect();
    let progress = Progress::start();
    let result = pool.install(|| {
        run_many(&jobs, &progress, |at, outcome| {
            Point::of(places[at].clone(), &outcome)
        })
    });
    progress.finish();
    let mut points = match result {
        Ok(points) => points,
        Err((at, error)) => {
            folder.abandon();
            return Err(study.failed(&words(&keys, &places[at]), &all[at], error));
        }
    };
    let mut lines = Vec::new();
    for (second, grid) in second.iter().zip(places.chunks(firsts.len())) {
        let sized = if args.no_search {
            None
        } else {
            let tried = points.iter().filter(|p| grid.contains(&p.at));
            let tried = tried.map(|p| Tried {
                value: p.at[0],
                passes: p.passes,
            });
            let tried: Vec<Tried> = tried.collect();
            let integer = keys[0].number.integer;
            let found = smallest(tried, integer, args.tolerance, |value| {
                let at: Vec<f64> = std::iter::once(value).chain(*second).collect();
                let point = one(args, study, (&keys, &at), &pool)?;
                let passes = point.passes;
                points.push(point);
                Ok(passes)
            });
            match found {
                Ok(sized) => Some(sized),
                Err(exit) => {
                    folder.abandon();
                    return Err(exit);
                }
            }
        };
        lines.push(Line {
            second: *second,
            sized,
        });
    }
    points.sort_by(by_place);
    let exit = exit_of(&lines, &points);
    let swept = Swept {
        keys,
        points,
        lines,
    };
    let stage = || -> Result<(), String> {
        write_text(&folder.staging().join("size.csv"), &size_files::csv(&swept))?;
        if base.loaded.scenario.outputs.figures && !args.results.no_figures {
            let sweep = size_files::figure(&swept, base);
            ballast_report::write_sweep(&sweep, folder.staging()).map_err(|e| e.to_string())?;
        }
        Ok(())
    };
    if let Err(message) = stage() {
        return Err(study.unwritten(folder, &message));
    }
    let result = size_files::json(&swept, base);
    let facts = json!({
        "scenario_file": args.scenario.scenario.display().to_string(),
        "set": args.scenario.patches.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "seed_argument": args.scenario.seed,
        "variant": args.scenario.variant,
    });
    let threads = pool.current_num_threads();
    let (path, files) = study.publish(folder, threads, &result, facts)?;
    if study.as_json {
        let mut all = result;
        all["exit_code"] = exit.code().into();
        all["folder"] = path.display().to_string().into();
        all["files"] = files.into();
        all["warnings"] = problems_json(&base.loaded.warnings).into();
        study.printer.json(&all);
    } else {
        size_files::print(&swept, study.printer);
        let files = files.join(", ");
        study
            .printer
            .line(&format!("\nwrote {files} to {}", path.display()));
    }
    Ok(exit)
}

/// By the value of the second key, then the first.
fn by_place(a: &Point, b: &Point) -> std::cmp::Ordering {
    let (a, b) = (a.at.iter().rev(), b.at.iter().rev());
    let mut each = a.zip(b).map(|(a, b)| a.total_cmp(b));
    each.find(|o| o.is_ne())
        .unwrap_or(std::cmp::Ordering::Equal)
}

/// One more point.
fn one(
    args: &SizeArgs,
    study: &Study<'_>,
    (keys, at): (&[Varied], &[f64]),
    pool: &ThreadPool,
) -> Result<Point, Exit> {
    let ready = at_values(args, keys, at)
        .map_err(|problems| study.printer.problems(&problems, study.as_json))?;
    let progress = Progress::start();
    let result = pool.install(|| {
        run_many(&[job(&ready)], &progress, |_, outcome| {
            Point::of(at.to_vec(), &outcome)
        })
    });
    progress.finish();
    match result {
        Ok(mut points) => points.pop().ok_or(Exit::Numerical),
        Err((_, error)) => Err(study.failed(&words(keys, at), &ready, error)),
    }
}

/// 0 where something passes that may be taken, 1 where nothing does.
fn exit_of(lines: &[Line], points: &[Point]) -> Exit {
    let searched = lines.iter().any(|l| l.sized.is_some());
    let found = lines.iter().filter_map(|l| l.sized.as_ref());
    let found = found
        .map(|s| &s.smallest)
        .any(|s| !matches!(s, Smallest::NonePasses { .. }));
    if found || (!searched && points.iter().any(|p| p.passes)) {
        Exit::Pass
    } else {
        Exit::Fail
    }
}
