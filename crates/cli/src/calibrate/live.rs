//! Without a log: the GPUs of this machine are recorded, then calibrated.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use crate::calibrate::CalibrateArgs;
use crate::exit::Exit;
use crate::printer::Printer;
use crate::record::{RecordArgs, endpoint, is_endpoint, metrics_file, take};

/// How long to record where neither a time nor a command says it.
const USUAL: Duration = Duration::from_mins(2);

/// How to record where no log is given.
#[derive(Debug, Args)]
#[command(next_help_heading = "Without a log")]
pub(crate) struct LiveArgs {
    /// File to keep the recording in (Parquet). Default: the name of --out with `.parquet`, else `recording.parquet`.
    #[arg(long, value_name = "FILE", conflicts_with = "logs")]
    pub(crate) trace: Option<PathBuf>,
    /// How long to record. Default: until the command exits; without one 2 min.
    #[arg(long, value_name = "TIME", conflicts_with = "logs", value_parser = crate::record::duration)]
    pub(crate) duration: Option<Duration>,
    /// Polls per second, 1 to 200.
    #[arg(long, value_name = "HZ", default_value = "20", conflicts_with = "logs", value_parser = crate::record::rate)]
    pub(crate) rate: f64,
    /// How often to run the command, each time at another phase of the sensor's updates, 1 to 1000.
    #[arg(long, value_name = "N", default_value = "1", conflicts_with = "logs", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) repeat: u32,
    /// NVIDIA's management library. Default: the driver's libnvidia-ml.so.1.
    #[arg(long = "lib", value_name = "PATH", conflicts_with = "logs")]
    pub(crate) library: Option<PathBuf>,
    /// Command to run meanwhile, after `--`.
    #[arg(last = true, value_name = "COMMAND", conflicts_with = "logs")]
    pub(crate) command: Vec<String>,
}

/// The files to calibrate from.
pub(crate) struct Inputs {
    pub(crate) logs: Vec<PathBuf>,
    pub(crate) throughput: Option<PathBuf>,
}

/// The logs that were given, or the one that is recorded now.
///
/// # Errors
/// The exit after what went wrong was said.
pub(crate) fn inputs(args: &CalibrateArgs, printer: &Printer) -> Result<Inputs, Exit> {
    let url = args.throughput.as_deref().filter(|t| is_endpoint(t));
    if !args.logs.is_empty() {
        if let Some(url) = url {
            return Err(printer.failure(
                Exit::BadInput,
                &format!("--throughput {url}: an endpoint tells of now, not of the time of a log"),
                "give a file with times; `ballast record --metrics URL` writes one beside its recording",
                args.json,
            ));
        }
        return Ok(Inputs {
            logs: args.logs.clone(),
            throughput: args.throughput.as_ref().map(PathBuf::from),
        });
    }
    let metrics = url.map(endpoint).transpose().map_err(|why| {
        printer.failure(
            Exit::BadInput,
            &format!("--throughput is no address that can be read: {why}"),
            "",
            args.json,
        )
    })?;
    let out = trace(args);
    let ended = args.live.duration;
    let record = RecordArgs {
        gpu: args.gpu.clone(),
        out: out.clone(),
        duration: if args.live.command.is_empty() {
            Some(ended.unwrap_or(USUAL))
        } else {
            ended
        },
        rate: args.live.rate,
        part: Duration::from_secs(5),
        metrics,
        library: args.live.library.clone(),
        allow_control: false,
        power_limit_w: Vec::new(),
        clocks_mhz: Vec::new(),
        dwell: Duration::from_secs(30),
        repeat: args.live.repeat,
        json: args.json,
        command: args.live.command.clone(),
    };
    let exit = take(&record, printer, !args.json);
    if exit != Exit::Pass {
        if out.exists() {
            printer.note(&format!(
                "note: what was recorded is kept in {}: `ballast calibrate {}` makes what it can of it",
                out.display(),
                out.display()
            ));
        }
        return Err(exit);
    }
    let throughput = if url.is_some() {
        Some(metrics_file(&out))
    } else {
        args.throughput.as_ref().map(PathBuf::from)
    };
    Ok(Inputs {
        logs: vec![out],
        throughput,
    })
}

/// Where the recording is kept.
fn trace(args: &CalibrateArgs) -> PathBuf {
    let beside = |out: &Path| out.with_extension("parquet");
    args.live.trace.clone().unwrap_or_else(|| {
        args.out
            .as_deref()
            .map_or_else(|| PathBuf::from("recording.parquet"), beside)
    })
}
