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
    /// Run several scenarios, or one and its `[[variant]]`s, with the same streams of randomness: one table, one figure.
    ///
    /// Exit code 0: all members ran, whatever their verdicts (see --require); 1: not as --require asks; 2, 3, 130: as for run.
    Compare(CompareArgs),
    /// Vary one or two numbers of a scenario: curves, and the smallest value that passes.
    ///
    /// A value passes where every limit does. Exit code 0: a value that passes was found; 1: none passes in the range;
    /// 2, 3, 130: as for run.
    Size(SizeArgs),
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
    /// Say what this machine can measure of its GPUs: driver, readings, how often they change, what is missing.
    ///
    /// Reads only. Exit code 0: the power of a GPU can be measured; 2: bad arguments; 4: it cannot (no driver, no library, no
    /// GPU, no permission), and the message says what would help.
    Doctor(crate::doctor::DoctorArgs),
    /// Record the power of this machine's GPUs, beside a command or until Ctrl-C.
    ///
    /// Writes Parquet: power (average and instant), energy counter, clocks, utilisation, memory, temperature, throttle reasons
    /// and power limit of each GPU, and the command's start and exit as marks. While it records, closed parts of a few seconds
    /// are in `FILE.parts`; they are merged at the end. After a kill, name that folder wherever a trace is read.
    ///
    /// Nothing is written to a GPU without --allow-control.
    ///
    /// Exit code 0: recorded (also when ended by Ctrl-C or SIGTERM, whatever the command's own exit code, which is in the
    /// file); 2: bad arguments, or the file could not be written; 4: no GPU could be measured, or none was left.
    Record(crate::record::RecordArgs),
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
    /// Take this `[[variant]]` of the scenario instead of the scenario as it stands.
    #[arg(long, value_name = "NAME")]
    pub(crate) variant: Option<String>,
    /// Seed of the random streams, instead of `simulation.seed`.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Print JSON on standard output instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

impl ScenarioArgs {
    /// All changes, the seed's included.
    pub(crate) fn changes(&self) -> Vec<Patch> {
        changes(&self.patches, self.seed)
    }
}

/// Changes and a seed as changes.
pub(crate) fn changes(patches: &[Patch], seed: Option<u64>) -> Vec<Patch> {
    let seed = seed.map(|seed| Patch {
        path: "simulation.seed".to_owned(),
        value: seed.to_string(),
    });
    patches.iter().cloned().chain(seed).collect()
}

/// Which members must pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Require {
    /// All of them.
    All,
    /// At least one.
    Any,
    /// The last one.
    Last,
}

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// Scenario files (TOML). Each is a member, and so is every `[[variant]]` in it.
    #[arg(required = true)]
    pub(crate) scenarios: Vec<PathBuf>,
    /// Compare these variants only, with the scenario as it stands. May be repeated.
    #[arg(long, value_name = "NAME")]
    pub(crate) variant: Vec<String>,
    /// Change a value in every member, before the changes of its variant. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) patches: Vec<Patch>,
    /// Seed of the random streams of every member.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Find by runs how many racks more fit under limits.site_peak_kw, up to 12 runs for each member. Without it: an estimate.
    #[arg(long)]
    pub(crate) extra_racks: bool,
    /// Exit with 1 unless these members pass. Default: 0 whatever the verdicts.
    #[arg(long, value_name = "WHICH")]
    pub(crate) require: Option<Require>,
    #[command(flatten)]
    pub(crate) results: ResultArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SizeArgs {
    #[command(flatten)]
    pub(crate) scenario: ScenarioArgs,
    /// A key to vary: `plant.sets.diesel.count=2..6`, `racks.hall.storage.energy_j=10..1000:7:log` (7 values, even steps of the
    /// logarithm). Once or twice; a second key gives a curve for each of its values.
    #[arg(long, value_name = "KEY=FROM..TO[:N][:log]", required = true)]
    pub(crate) vary: Vec<crate::vary::Vary>,
    /// How near the smallest value that passes is found, as a share of it.
    #[arg(long, default_value_t = 0.01, value_name = "SHARE")]
    pub(crate) tolerance: f64,
    /// Run the grid only; do not look for the smallest value that passes.
    #[arg(long)]
    pub(crate) no_search: bool,
    #[command(flatten)]
    pub(crate) results: PlaceArgs,
}

/// Where results go, and how they are told.
#[derive(Debug, Args)]
pub(crate) struct ResultArgs {
    /// Print JSON on standard output instead of text.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

/// Where results go.
#[derive(Debug, Args)]
pub(crate) struct PlaceArgs {
    /// Folder for the results. Default: `out/<scenario name>-compare` or `out/<scenario name>-size`.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
    /// Threads to use. Default: all cores. The results are the same for any number.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// Draw no figure.
    #[arg(long)]
    pub(crate) no_figures: bool,
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
