//! Writes the generated files, or with `--check` says which of them are stale.
//!
//! `cargo run -p ballast-gen` writes; `cargo run -p ballast-gen -- --check` is what CI calls. With `--validation` it is the
//! tables of `docs/validation.md` that are written or checked, and, where measured traces are at hand (`BALLAST_SHARED`), their
//! statistics and the figure.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ballast_gen::validation::{self, ValidationError};
use clap::Parser;

/// Generates the JSON schema and the reference page of scenario files, or the tables of the validation page.
#[derive(Debug, Parser)]
struct Args {
    /// Write nothing; fail if a file is not what would be written.
    #[arg(long)]
    check: bool,
    /// The tables of docs/validation.md instead of schema and reference page.
    #[arg(long)]
    validation: bool,
}

fn files() -> Vec<(&'static str, String)> {
    vec![
        (
            "schema/scenario.schema.json",
            format!("{:#}\n", ballast_scenario::schema()),
        ),
        (
            "schema/genset-fit.schema.json",
            format!(
                "{:#}\n",
                ballast_scenario::document_schema::<ballast_fit::FitSpec>()
            ),
        ),
        (
            "docs/scenario-reference.md",
            ballast_scenario::reference_markdown(),
        ),
        (
            "examples/starter.toml",
            ballast_scenario::starter("starter"),
        ),
    ]
}

/// The page of validation, and the statistics it rests on where the measured traces are at hand.
#[expect(
    clippy::print_stderr,
    reason = "a tool for developers that says what it left out"
)]
fn validation(root: &Path, check: bool) -> Result<Vec<(&'static str, String)>, ValidationError> {
    let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap_or_default();
    let mut files = Vec::new();
    let facts = if let Some(traces) = validation::folder() {
        if !check {
            for path in validation::draw(root, &traces)? {
                eprintln!("wrote {}", path.display());
            }
        }
        let facts = validation::facts(&validation::measure(&traces)?);
        files.push((validation::MEASURED, facts.clone()));
        facts
    } else {
        eprintln!(
            "SKIPPED: no measured traces (BALLAST_SHARED); {} stays as it is",
            validation::MEASURED
        );
        read(validation::MEASURED)
    };
    let measured = validation::read_facts(&facts)?;
    let page = validation::page(
        &read(validation::PAGE),
        &measured,
        &validation::simulate(root)?,
    )?;
    files.push((validation::PAGE, page));
    Ok(files)
}

#[expect(
    clippy::print_stderr,
    reason = "a tool for developers that says what it did"
)]
fn main() -> ExitCode {
    let args = Args::parse();
    let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut code = ExitCode::SUCCESS;
    let files = if args.validation {
        match validation(&root, args.check) {
            Ok(files) => files,
            Err(e) => {
                eprintln!("{e}");
                return ExitCode::FAILURE;
            }
        }
    } else {
        files()
    };
    for (name, text) in files {
        let path = root.join(name);
        if std::fs::read_to_string(&path).is_ok_and(|old| old == text) {
            continue;
        }
        if args.check {
            eprintln!(
                "{name} is stale: run `cargo run -p ballast-gen{}`",
                if args.validation {
                    " -- --validation"
                } else {
                    ""
                }
            );
            code = ExitCode::FAILURE;
            continue;
        }
        let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        match folder.and_then(|()| std::fs::write(&path, text)) {
            Ok(()) => eprintln!("wrote {name}"),
            Err(e) => {
                eprintln!("{name} cannot be written: {e}");
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}
