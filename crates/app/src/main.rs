//! The desktop app.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

const HELP: &str = "\
Plan the power of a GPU cluster: see the envelope, turn a knob, watch the generators.

Usage: ballast-app [FILE]

Arguments:
  [FILE]  Scenario file to open (.toml)

Options:
  -h, --help     Print this
  -V, --version  Print the version
";

/// What the arguments ask for.
enum Ask {
    Open {
        file: Option<PathBuf>,
        first_frame_only: bool,
    },
    Help,
    Version,
    Wrong(String),
}

fn main() -> ExitCode {
    let started = Instant::now();
    let (text, code) = match asked(std::env::args_os().skip(1)) {
        Ask::Help => (HELP.to_owned(), 0),
        Ask::Version => (format!("ballast-app {}\n", env!("CARGO_PKG_VERSION")), 0),
        Ask::Wrong(what) => (format!("ballast-app: {what}; see --help\n"), 2),
        Ask::Open {
            file,
            first_frame_only,
        } => match ballast_app::desktop::window::open(file, started, first_frame_only) {
            Ok(Some(first_frame)) if first_frame_only => (
                format!("first frame after {} ms\n", first_frame.as_millis()),
                0,
            ),
            Ok(_) => return ExitCode::SUCCESS,
            Err(what) => (format!("ballast-app: {what}\n"), 3),
        },
    };
    // A closed pipe is no reason to fail.
    drop(if code == 0 {
        std::io::stdout().write_all(text.as_bytes())
    } else {
        std::io::stderr().write_all(text.as_bytes())
    });
    ExitCode::from(code)
}

fn asked(arguments: impl Iterator<Item = OsString>) -> Ask {
    let (mut file, mut first_frame_only, mut options) = (None, false, true);
    for argument in arguments {
        match argument.to_str() {
            Some("--") if options => options = false,
            Some("-h" | "--help") if options => return Ask::Help,
            Some("-V" | "--version") if options => return Ask::Version,
            // For measurements: not in the help.
            Some("--exit-after-first-frame") if options => first_frame_only = true,
            Some(other) if options && other.starts_with('-') && other != "-" => {
                return Ask::Wrong(format!("there is no option {other}"));
            }
            _ if file.is_some() => return Ask::Wrong("one file at a time".to_owned()),
            _ => file = Some(PathBuf::from(argument)),
        }
    }
    Ask::Open {
        file,
        first_frame_only,
    }
}
