//! `ballast doctor`: what this machine can measure of its GPUs.

use std::path::PathBuf;

use ballast_calibrate::{
    Buffer, Examination, Found, GpuExamination, Library, Metric, NoGpu, Update, examine,
};
use clap::Args;
use serde_json::json;

use crate::exit::Exit;
use crate::interrupt;
use crate::printer::Printer;

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// NVIDIA's management library. Default: the driver's libnvidia-ml.so.1.
    #[arg(long = "lib", value_name = "PATH")]
    pub(crate) library: Option<PathBuf>,
    /// How long to watch the power, to see how often it changes.
    #[arg(long, value_name = "TIME", default_value = "4s", value_parser = crate::record::duration)]
    pub(crate) watch: std::time::Duration,
    /// Print JSON on standard output instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) fn doctor(args: &DoctorArgs, printer: &Printer) -> Exit {
    interrupt::listen();
    let looked = Library::open(args.library.as_deref())
        .and_then(|library| examine(&library, args.watch.as_secs_f64(), &interrupt::asked));
    let found = match looked {
        Ok(found) => found,
        Err(error) => return no_gpu(&error, printer, args.json),
    };
    let exit = if interrupt::asked() {
        Exit::Interrupted
    } else if found.gpus.iter().any(GpuExamination::has_power) {
        Exit::Pass
    } else {
        Exit::NoGpu
    };
    let advice = found.advice();
    if args.json {
        printer.json(&json!({
            "exit_code": exit.code(),
            "examination": found,
            "advice": advice,
        }));
    } else {
        print(&found, printer);
        if !advice.is_empty() {
            printer.line("\nWhat is missing or in the way");
        }
        for line in advice {
            printer.line(&format!("  {line}"));
        }
    }
    exit
}

/// Says why no GPU can be measured.
pub(crate) fn no_gpu(error: &NoGpu, printer: &Printer, as_json: bool) -> Exit {
    let exit = match error {
        NoGpu::Index { .. } => Exit::BadInput,
        _ => Exit::NoGpu,
    };
    printer.failure(exit, &error.to_string(), error.help(), as_json)
}

fn print(found: &Examination, printer: &Printer) {
    let told = |text: &str| {
        if text.is_empty() {
            "unknown".to_owned()
        } else {
            text.to_owned()
        }
    };
    printer.line(&format!(
        "library  {}, NVML {}",
        found.library,
        told(&found.nvml)
    ));
    printer.line(&format!("driver   {}", told(&found.driver)));
    printer.line(&format!(
        "user     {}",
        if found.is_root {
            "root: settings could be changed"
        } else {
            "not root: readings only"
        }
    ));
    let dcgm = found.dcgm.join(", ");
    printer.line(&format!(
        "DCGM     {}",
        if dcgm.is_empty() {
            "not running"
        } else {
            &dcgm
        }
    ));
    for gpu in &found.gpus {
        print_gpu(gpu, printer);
    }
}

fn print_gpu(gpu: &GpuExamination, printer: &Printer) {
    printer.line(&format!(
        "\nGPU {}  {}  {}  {}",
        gpu.index, gpu.name, gpu.architecture, gpu.uuid
    ));
    let line = |what: &str, text: &str| printer.line(&format!("  {what:<29}{text}"));
    for (reading, found) in Metric::ALL.iter().zip(&gpu.readings) {
        let more = match reading {
            Metric::Average => Some(update(&gpu.average_update)),
            Metric::Instant => Some(update(&gpu.instant_update)),
            Metric::Energy => gpu
                .counter_mean_w
                .map(|w| format!("a mean of {w:.1} W while watched")),
            Metric::Limit => gpu
                .limit_range_w
                .map(|(least, most)| format!("{least} W to {most} W can be set")),
            _ => None,
        };
        let more = more.filter(|_| found.value.is_some());
        line(
            found.reading,
            &(value(found) + &more.map_or_else(String::new, |m| format!("; {m}"))),
        );
    }
    for found in &gpu.module {
        line(found.reading, &value(found));
    }
    line("driver's buffer of samples", &buffer(&gpu.buffer));
    for (reading, update, metric) in [
        ("average", &gpu.average_update, Metric::Average),
        ("instant", &gpu.instant_update, Metric::Instant),
    ] {
        if gpu.value(metric).is_some() {
            line(&format!("window of the {reading} power"), &window(update));
        }
    }
    let mig = match gpu.mig {
        None => "not supported by this GPU",
        Some(false) => "off",
        Some(true) => "on",
    };
    line("MIG", mig);
    match gpu.processes.as_deref() {
        None => line("other processes", "cannot be seen"),
        Some([]) => line("other processes", "none"),
        Some(processes) => {
            for p in processes {
                let memory = p
                    .memory_bytes
                    .map_or_else(String::new, |b| format!(", {:.1} GB", b as f64 / 1e9));
                line(
                    "other processes",
                    &format!("{} {}{memory}", p.pid, p.program),
                );
            }
        }
    }
}

/// A reading's value with its unit, or why it is missing.
fn value(found: &Found) -> String {
    let Some(v) = found.value else {
        return format!("missing: {}", found.why.as_deref().unwrap_or("unknown"));
    };
    match found.column {
        "energy_j" => format!("{:.1} kJ", v / 1000.0),
        "sm_mhz" | "memory_mhz" => format!("{v} MHz"),
        "utilisation" => format!("{:.0} %", v * 100.0),
        "memory_used_bytes" => format!("{:.1} GB", v / 1e9),
        "temperature_c" => format!("{v} °C"),
        "throttle" => format!("{:#x}", v as u64),
        _ => format!("{v:.1} W"),
    }
}

fn update(update: &Update) -> String {
    match update.period_s {
        Some(period_s) => format!(
            "renewed every {:.1} ms (± {:.1} ms; {} changes in {:.1} s, polled every {:.1} ms)",
            period_s * 1000.0,
            update.period_se_s.unwrap_or(0.0) * 1000.0,
            update.changes,
            update.watched_s,
            update.poll_s * 1000.0
        ),
        None => format!(
            "{} changes in {:.1} s: how often it is renewed does not show",
            update.changes, update.watched_s
        ),
    }
}

fn window(update: &Update) -> String {
    let ms = |s: f64| format!("{:.0} ms", s * 1000.0);
    let published = update.published_window_s.map_or_else(
        || format!("unknown ({})", update.source),
        |s| format!("published: {} ({})", ms(s), update.source),
    );
    match update.window_s {
        Some((low_s, best_s, high_s)) => {
            format!(
                "measured: {} ({} to {}); {published}",
                ms(best_s),
                ms(low_s),
                ms(high_s)
            )
        }
        None => {
            format!("not measured, it takes a load that changes and a longer --watch; {published}")
        }
    }
}

fn buffer(buffer: &Buffer) -> String {
    match (&buffer.why, buffer.interval_s) {
        (Some(why), _) => format!("missing: {why}"),
        (None, Some(s)) => format!("{} samples, {:.1} ms apart", buffer.samples, s * 1000.0),
        (None, None) => format!("{} samples", buffer.samples),
    }
}
