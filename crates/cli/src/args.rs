//! Arguments.

use std::path::PathBuf;

use ballast_scenario::Patch;
use clap::{Args, Parser, Subcommand};

/// Will this GPU cluster's power swing the generators that feed it, and what keeps them steady?
#[derive(Debug, Parser)]
#[command(name = "ballast", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Simulate a scenario: verdict table, outcome, traces, figures.
    ///
    /// Exit code 0: every limit passes; 1: a limit fails, is inconclusive, or was given but could not be checked;
    /// 2: bad input, or the output could not be written; 3: numerical failure; 130: interrupted.
    Run(RunArgs),
    /// Validate a scenario without running it: all problems at once.
    Check(CheckArgs),
    /// Write a commented starter scenario that runs as it is.
    New(NewArgs),
    /// Turn what other tools recorded into parts of a scenario.
    Import {
        #[command(subcommand)]
        from: ImportFrom,
    },
    /// Make a preset of a generating set from what was measured on it.
    Genset {
        #[command(subcommand)]
        what: crate::genset::GensetCommand,
    },
    /// Make a GPU profile of logs: find the phases, check whether the log is good enough, replay the profile beside it.
    ///
    /// Takes what `nvidia-smi --query-gpu=… --format=csv -lms 100`, `dcgmi dmon`, Prometheus and this command's own recordings hold. Exit
    /// code 0: a profile was made (its notes say which gates failed); 2: bad input, or the output could not be written.
    Calibrate(crate::calibrate::CalibrateArgs),
    /// List the presets, or show one.
    Presets(PresetsArgs),
    /// Print the JSON schema of scenario files.
    Schema,
    /// Print completions for a shell.
    Completions {
        /// Shell to complete for.
        shell: clap_complete::Shell,
    },
}

/// A scenario with changes.
#[derive(Debug, Args)]
pub(crate) struct ScenarioArgs {
    /// Scenario file (TOML).
    pub(crate) scenario: PathBuf,
    /// Change a value: `--set plant.sets.G1.count=6`, `--set "plant.sets.0.rated_kw=2.5 MW"`. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) patches: Vec<Patch>,
    /// Seed of the random streams, instead of `simulation.seed`.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Print JSON on standard output instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) scenario: ScenarioArgs,
    /// Folder for the results. Default: `out/<scenario name>`.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
    /// Threads to use. Default: all cores. The results are the same for any number.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// Also write `traces.csv`.
    #[arg(long)]
    pub(crate) csv: bool,
    /// Draw no figures.
    #[arg(long)]
    pub(crate) no_figures: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) scenario: ScenarioArgs,
}

#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// File to write, `my-site.toml` (`.toml` is added where it is missing); its stem becomes the scenario's name. An existing file is never overwritten.
    #[arg(default_value = "my-site.toml")]
    pub(crate) file: PathBuf,
    /// Make it from a list of racks instead: CSV with row, rack, model, count, nameplate_kw (or nameplate_w), feed, tenant.
    #[arg(long, value_name = "CSV")]
    pub(crate) racks: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ImportFrom {
    /// Jobs from `sacct -a -X -P -D -o JobID,JobName,Submit,Start,End,State,AllocTRES,NodeList`, as `[[jobs]]` on standard output.
    Slurm {
        /// File with the text that sacct printed.
        file: PathBuf,
        /// List of racks as for `ballast new --racks`, with a column `nodes` (`gpu[001-004]`): jobs are put on the racks of their nodes.
        #[arg(long, value_name = "CSV")]
        racks: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct PresetsArgs {
    /// Preset to show. Default: list all of them.
    pub(crate) name: Option<String>,
    /// Print JSON on standard output instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}
