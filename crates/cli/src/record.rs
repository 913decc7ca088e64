//! `ballast record`: GPUs beside a command, into a file.

mod companion;
mod metrics;
mod runs;

use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, SystemTime};

use ballast_calibrate::{
    Library, NoGpu, NvmlControl, NvmlSource, RecordSpec, Recorded, Restoring, Setting, SystemClock,
};
use ballast_inputs::Parts;
use ballast_tables::{merge_parts, parts_folder};
use clap::Args;
use serde_json::{Value, json};

use crate::doctor::no_gpu;
use crate::exit::Exit;
use crate::interrupt;
use crate::printer::Printer;
use companion::{Aide, Sweep};
use metrics::Scraper;
pub(crate) use metrics::{Endpoint, endpoint, is_endpoint, metrics_file};
use runs::{Runs, spawn};

/// Time between two settings of a sweep.
const DWELL: &str = "30s";

#[derive(Debug, Args)]
pub(crate) struct RecordArgs {
    /// GPUs to record, by index, between commas. Default: all of them.
    #[arg(long, value_name = "INDEX", value_delimiter = ',')]
    pub(crate) gpu: Vec<u32>,
    /// File to write (Parquet). An existing one is never overwritten.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// When to end: `120s`, `10min`. Default: when the command exits, the sweep is done, or at Ctrl-C. A command that still
    /// runs then is left running.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) duration: Option<Duration>,
    /// Polls per second, 1 to 200. Sensors renew their value every 20 to 100 ms.
    #[arg(long, value_name = "HZ", default_value = "20", value_parser = rate)]
    pub(crate) rate: f64,
    /// Length of a part: a kill loses at most so much.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    pub(crate) part: Duration,
    /// Prometheus endpoint of the server that runs meanwhile, `http://host:port/metrics`: what it says of tokens is read once a second into
    /// FILE.metrics.txt, which `ballast calibrate --throughput` takes.
    #[arg(long, value_name = "URL", value_parser = endpoint)]
    pub(crate) metrics: Option<Endpoint>,
    /// NVIDIA's management library. Default: the driver's libnvidia-ml.so.1.
    #[arg(long = "lib", value_name = "PATH")]
    pub(crate) library: Option<PathBuf>,
    /// Allow this command to change settings of the recorded GPUs (root). They are put back at the end, on errors, and on
    /// Ctrl-C or SIGTERM; not after SIGKILL. The power limit goes back to what it was; clocks are unlocked.
    #[arg(long)]
    pub(crate) allow_control: bool,
    /// Power limits to go through, watts, between commas; each is held for --dwell.
    #[arg(
        long,
        value_name = "W",
        value_delimiter = ',',
        requires = "allow_control"
    )]
    pub(crate) power_limit_w: Vec<f64>,
    /// SM clocks to lock, one after the other, megahertz, between commas; within each power limit.
    #[arg(
        long,
        value_name = "MHZ",
        value_delimiter = ',',
        requires = "allow_control"
    )]
    pub(crate) clocks_mhz: Vec<u32>,
    /// How long to hold each setting.
    #[arg(long, value_name = "TIME", default_value = DWELL, value_parser = duration)]
    pub(crate) dwell: Duration,
    /// How often to run the command, one run after the other, 1 to 1000. Each begins at another phase of the sensor's updates, so that a sensor
    /// which looks for a quarter of the time sees every part of a load that repeats in step with it. A run that fails is the last.
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) repeat: u32,
    /// Print JSON on standard output instead of text, at the end.
    #[arg(long)]
    pub(crate) json: bool,
    /// Command to run meanwhile, after `--`.
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}

/// A time above zero, at most a year.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    const LONGEST: Duration = Duration::from_hours(24 * 366);
    match humantime::parse_duration(text) {
        Ok(time) if time.is_zero() => Err("write a time above zero, such as 120s".to_owned()),
        Ok(time) if time > LONGEST => Err("write a time of at most a year".to_owned()),
        Ok(time) => Ok(time),
        Err(e) => Err(format!("{e}; write it as 120s, 10min or 1h")),
    }
}

/// Polls per second.
pub(crate) fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(hz) if (1.0..=200.0).contains(&hz) => Ok(hz),
        _ => Err("write a number from 1 to 200".to_owned()),
    }
}

/// What stops a recording before it begins, or breaks it.
struct Failure {
    exit: Exit,
    message: String,
    help: &'static str,
}

impl Failure {
    fn input(message: impl Into<String>, help: &'static str) -> Self {
        Self {
            exit: Exit::BadInput,
            message: message.into(),
            help,
        }
    }
}

pub(crate) fn record(args: &RecordArgs, printer: &Printer) -> Exit {
    take(args, printer, true)
}

/// Records; says at the end what was recorded, if that is wanted.
pub(crate) fn take(args: &RecordArgs, printer: &Printer, tell: bool) -> Exit {
    interrupt::listen();
    let library = match Library::open(args.library.as_deref()) {
        Ok(library) => library,
        Err(error) => return no_gpu(&error, printer, args.json),
    };
    let opened = indices(args, &library)
        .and_then(|indices| Ok((NvmlSource::new(&library, &indices)?, indices)));
    let (source, indices) = match opened {
        Ok(opened) => opened,
        Err(error) => return no_gpu(&error, printer, args.json),
    };
    match run(args, &library, source, &indices, (printer, tell)) {
        Ok(exit) => exit,
        Err(failure) => printer.failure(failure.exit, &failure.message, failure.help, args.json),
    }
}

/// The GPUs asked for, each once.
fn indices(args: &RecordArgs, library: &Library) -> Result<Vec<u32>, NoGpu> {
    let mut indices = args.gpu.clone();
    if indices.is_empty() {
        indices = (0..library.count()?).collect();
    }
    indices.sort_unstable();
    indices.dedup();
    Ok(indices)
}

/// Settings to go through, each a step of the sweep.
fn steps(args: &RecordArgs) -> Vec<Vec<Setting>> {
    let limits = args.power_limit_w.iter().map(|w| Setting::LimitW(*w));
    let clocks: Vec<Setting> = args
        .clocks_mhz
        .iter()
        .map(|m| Setting::ClockMhz(*m))
        .collect();
    if clocks.is_empty() {
        return limits.map(|l| vec![l]).collect();
    }
    if args.power_limit_w.is_empty() {
        return clocks.into_iter().map(|c| vec![c]).collect();
    }
    let mut steps = Vec::new();
    for limit in limits {
        for (k, clock) in clocks.iter().enumerate() {
            // The limit is set once for all its clocks.
            let both = (k == 0).then_some(limit).into_iter().chain([*clock]);
            steps.push(both.collect());
        }
    }
    steps
}

fn run(
    args: &RecordArgs,
    library: &Library,
    mut source: NvmlSource<'_>,
    indices: &[u32],
    (printer, tell): (&Printer, bool),
) -> Result<Exit, Failure> {
    let folder = room(&args.out)?;
    let steps = steps(args);
    // Held while settings are changed: a second Ctrl-C waits until they are back.
    let _unbroken = (!steps.is_empty()).then(interrupt::unbroken);
    let control =
        NvmlControl::new(library, indices).map_err(|e| Failure::input(e.to_string(), e.help()))?;
    let mut sweep = Sweep::new(Restoring::new(control), steps, args.dwell.as_secs_f64());
    sweep.check().map_err(|wrong| {
        Failure::input(
            wrong,
            "choose limits within the GPU's range (`ballast doctor`)",
        )
    })?;
    sweep.step(0.0).map_err(|wrong| {
        Failure::input(
            wrong,
            "settings take root, and a GPU that allows them; nothing was recorded",
        )
    })?;
    std::fs::create_dir(&folder).map_err(|e| {
        Failure::input(
            format!("{} cannot be made: {e}", folder.display()),
            "choose another place with --out",
        )
    })?;
    let started = scraper(args).and_then(|scraper| Ok((scraper, start(&args.command)?)));
    let (scraper, child) = match started {
        Ok(started) => started,
        Err(failure) => {
            // It is empty.
            drop(std::fs::remove_dir(&folder));
            return Err(failure);
        }
    };
    let spec = RecordSpec {
        rate_hz: args.rate,
        segment_s: args.part.as_secs_f64(),
        duration_s: args.duration.map(|d| d.as_secs_f64()),
        started: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
    };
    let runs = Runs::new(&args.command, args.repeat, 1.0 / args.rate, child);
    let mut aide = Aide::new(runs, sweep, indices, printer);
    let mut parts = Parts::start(&folder);
    let recorded = ballast_calibrate::record(
        &mut source,
        &mut SystemClock::start(),
        &mut parts,
        &mut aide,
        &spec,
    );
    let unrestored = aide.finish();
    let unread = scraper.map_or(0, Scraper::finish);
    if unread > 0 {
        printer.note(&format!(
            "note: the server's metrics could not be read {unread} time(s)"
        ));
    }
    let written = parts.finish();
    for line in &unrestored {
        printer.note(&format!("warning: {line}"));
    }
    let kept = "what was written before is in that folder; free some space";
    let recorded = recorded.map_err(|e| Failure::input(e.to_string(), kept))?;
    written.map_err(|e| Failure::input(e, kept))?;
    merge_parts(&folder, &args.out).map_err(|e| {
        Failure::input(
            format!("the parts in {} cannot be merged: {e}", folder.display()),
            kept,
        )
    })?;
    if let Err(e) = std::fs::remove_dir_all(&folder) {
        printer.note(&format!(
            "warning: {} is not needed any more and cannot be removed: {e}",
            folder.display()
        ));
    }
    let exit = if let Some(failed) = &aide.failed {
        printer.note(&format!("error: {failed}; what was recorded is kept"));
        Exit::BadInput
    } else if recorded.lost {
        Exit::NoGpu
    } else {
        Exit::Pass
    };
    if tell {
        say(args, &recorded, &aide, exit, printer);
    }
    Ok(exit)
}

/// The folder for the parts, if there is room for it and the file.
fn room(out: &Path) -> Result<PathBuf, Failure> {
    if out.exists() {
        return Err(Failure::input(
            format!("{} exists already", out.display()),
            "choose another name, or remove the file first",
        ));
    }
    let folder = parts_folder(out);
    if folder.exists() {
        return Err(Failure::input(
            format!(
                "{} exists already: parts of a recording that was cut off",
                folder.display()
            ),
            "name that folder wherever a trace is read; choose another name for this recording, or remove the folder first",
        ));
    }
    Ok(folder)
}

/// Begins to read the server's metrics, where they are asked for.
fn scraper(args: &RecordArgs) -> Result<Option<Scraper>, Failure> {
    let Some(endpoint) = &args.metrics else {
        return Ok(None);
    };
    Scraper::start(endpoint.clone(), &metrics_file(&args.out))
        .map(Some)
        .map_err(|why| {
            Failure::input(
                format!("the server's metrics cannot be read: {why}"),
                "give the address at which the server serves its Prometheus metrics; nothing was recorded",
            )
        })
}

fn start(command: &[String]) -> Result<Option<Child>, Failure> {
    spawn(command)
        .transpose()
        .map_err(|why| Failure::input(why, "check its name; nothing was recorded"))
}

fn say(args: &RecordArgs, recorded: &Recorded, aide: &Aide<'_>, exit: Exit, printer: &Printer) {
    if args.json {
        let listed = |marks: &[ballast_calibrate::Mark]| -> Vec<Value> {
            marks
                .iter()
                .map(|m| json!({ "time_s": m.time_s, "label": m.label }))
                .collect()
        };
        printer.json(&json!({
            "exit_code": exit.code(),
            "file": args.out.display().to_string(),
            "duration_s": recorded.duration_s,
            "polls": recorded.polls,
            "missed": recorded.missed,
            "ended": recorded.ended,
            "command_exit_code": aide.exit_code(),
            "gpus": aide.means_json(),
            "marks": listed(&recorded.marks),
            "notes": listed(&recorded.notes),
        }));
        return;
    }
    for line in aide.means_text() {
        printer.line(&line);
    }
    printer.line(&format!(
        "recorded {:.1} s, {} polls ({} missed), until: {}",
        recorded.duration_s, recorded.polls, recorded.missed, recorded.ended
    ));
    if let Some(code) = aide.exit_code() {
        printer.line(&format!("the command's exit code: {code}"));
    }
    printer.line(&format!("wrote {}", args.out.display()));
}
