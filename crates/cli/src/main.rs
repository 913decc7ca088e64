//! `ballast`: arguments in, rendering and exit codes out. All logic lives in the crates it wires together.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | every limit passes |
//! | 1 | a limit fails, is inconclusive, or was given but could not be checked; `compare`: not as `--require` asks; `size`: no value passes |
//! | 2 | bad input, or the output could not be written |
//! | 3 | numerical failure |
//! | 4 | no GPU can be measured (`doctor`, `record`) |
//! | 130 | interrupted |

mod args;
mod calibrate;
mod calibrate_input;
mod check;
mod compare;
mod compare_table;
mod doctor;
mod exit;
mod extra_racks;
mod folder;
mod genset;
mod info;
mod interrupt;
mod json;
mod load;
mod members;
mod printer;
mod progress;
mod record;
mod render;
mod render_indicative;
mod render_plant;
mod results;
mod run;
mod sinks;
mod size;
mod size_files;
mod vary;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command, ImportFrom};
use crate::printer::Printer;

fn main() -> ExitCode {
    let printer = Printer::new();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => return printer.usage(&e).into(),
    };
    let exit = match cli.command {
        Command::Run(args) => run::run(&args, &printer),
        Command::Compare(args) => compare::compare(&args, &printer),
        Command::Size(args) => size::size(&args, &printer),
        Command::Check(args) => check::check(&args, &printer),
        Command::New(args) => info::new(&args, &printer),
        Command::Import {
            from: ImportFrom::Slurm { file, racks },
        } => info::import_slurm(&file, racks.as_deref(), &printer),
        Command::Genset { what } => genset::genset(&what, &printer),
        Command::Doctor(args) => doctor::doctor(&args, &printer),
        Command::Record(args) => record::record(&args, &printer),
        Command::Calibrate(args) => calibrate::calibrate(&args, &printer),
        Command::Presets(args) => info::presets(&args, &printer),
        Command::Schema => info::schema(&printer),
        Command::Completions { shell } => info::completions(shell, &printer),
    };
    printer.close(exit).into()
}
