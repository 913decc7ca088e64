//! Writes the generated files, or with `--check` says which of them are stale.
//!
//! `cargo run -p ballast-gen` writes; `cargo run -p ballast-gen -- --check` is what CI calls.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

/// Generates the JSON schema and the reference page of scenario files.
#[derive(Debug, Parser)]
struct Args {
    /// Write nothing; fail if a file is not what would be written.
    #[arg(long)]
    check: bool,
}

fn files() -> [(&'static str, String); 4] {
    [
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

#[expect(
    clippy::print_stderr,
    reason = "a tool for developers that says what it did"
)]
fn main() -> ExitCode {
    let args = Args::parse();
    let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut code = ExitCode::SUCCESS;
    for (name, text) in files() {
        let path = root.join(name);
        if std::fs::read_to_string(&path).is_ok_and(|old| old == text) {
            continue;
        }
        if args.check {
            eprintln!("{name} is stale: run `cargo run -p ballast-gen`");
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
