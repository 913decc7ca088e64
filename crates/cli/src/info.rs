//! `new`, `presets`, `schema`, `completions`.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use ballast_scenario::{PresetKind, preset_names, preset_text};
use clap::CommandFactory;
use serde_json::json;

use crate::args::{Cli, NewArgs, PresetsArgs};
use crate::exit::Exit;
use crate::printer::Printer;

/// Writes a starter scenario; never overwrites a file.
pub(crate) fn new(args: &NewArgs, printer: &Printer) -> Exit {
    let mut file = args.file.clone();
    let folder = file.to_string_lossy().ends_with(std::path::is_separator);
    let other = file
        .extension()
        .is_some_and(|e| !e.eq_ignore_ascii_case("toml"));
    if folder || other || file.file_name().is_none() {
        return printer.failure(
            Exit::BadInput,
            &format!("`{}` is no name of a scenario file", file.display()),
            "name a file that ends in .toml, such as my-site.toml",
            false,
        );
    }
    if file.extension().is_none() {
        file.set_extension("toml");
    }
    let stem = file
        .file_stem()
        .map(|s| s.to_string_lossy().into_owned())
        .unwrap_or_default();
    let name: String = stem
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "-_.".contains(c) {
                c
            } else {
                '-'
            }
        })
        .collect();
    let name = name.trim_start_matches(['-', '_', '.']);
    let name: String = name.chars().take(100).collect();
    let name = if name.is_empty() { "my-site" } else { &name };
    let text = match &args.racks {
        None => ballast_scenario::starter(name),
        Some(list) => match std::fs::read_to_string(list) {
            Ok(csv) => {
                match ballast_scenario::from_racks(name, &list.display().to_string(), &csv) {
                    Ok(text) => text,
                    Err(problems) => return printer.problems(&problems.0, false),
                }
            }
            Err(e) => {
                let message = format!("{} cannot be read: {e}", list.display());
                let help = "name a CSV file in UTF-8";
                return printer.failure(Exit::BadInput, &message, help, false);
            }
        },
    };
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&file)
        .and_then(|mut f| f.write_all(text.as_bytes()).and_then(|()| f.sync_all()));
    match written {
        Ok(()) => {
            printer.line(&format!("wrote {}", file.display()));
            printer.line(&format!("next: ballast run {}", quoted(&file)));
            Exit::Pass
        }
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => printer.failure(
            Exit::BadInput,
            &format!("{} exists already", file.display()),
            "choose another name, or remove the file first",
            false,
        ),
        Err(e) => printer.failure(
            Exit::BadInput,
            &format!("{} cannot be written: {e}", file.display()),
            "choose a folder that exists and can be written",
            false,
        ),
    }
}

/// A path as a shell takes it: in quotes where it has more than plain characters.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "-_./\\:".contains(c);
    if text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// Prints the jobs of Slurm's accounting as TOML, with the racks they are on where a list of racks is given; what a reader must know
/// goes to standard error.
pub(crate) fn import_slurm(file: &Path, racks: Option<&Path>, printer: &Printer) -> Exit {
    let read = |path: &Path, help: &str| {
        std::fs::read_to_string(path).map_err(|e| {
            let message = format!("{} cannot be read: {e}", path.display());
            printer.failure(Exit::BadInput, &message, help, false)
        })
    };
    let shown = file.display().to_string();
    let help = format!(
        "name a file with the text that this printed: {}",
        ballast_scenario::SACCT
    );
    let text = match read(file, &help) {
        Ok(text) => text,
        Err(exit) => return exit,
    };
    let jobs = match racks {
        None => ballast_scenario::from_sacct(&shown, &text),
        Some(list) => match read(list, "name a CSV file in UTF-8") {
            Ok(racks) => {
                let list = list.display().to_string();
                ballast_scenario::from_sacct_on_racks(&shown, &text, &list, &racks)
            }
            Err(exit) => return exit,
        },
    };
    match jobs {
        Ok(jobs) => {
            for note in &jobs.notes {
                printer.note(&format!("note: {note}"));
            }
            printer.text(&jobs.toml);
            Exit::Pass
        }
        Err(problems) => printer.problems(&problems.0, false),
    }
}

/// Lists the presets, or shows one.
pub(crate) fn presets(args: &PresetsArgs, printer: &Printer) -> Exit {
    let Some(name) = &args.name else {
        if args.json {
            let all: serde_json::Map<String, serde_json::Value> = PresetKind::ALL
                .iter()
                .map(|k| (k.label().to_owned(), json!(preset_names(*k))))
                .collect();
            printer.json(&serde_json::Value::Object(all));
            return Exit::Pass;
        }
        for kind in PresetKind::ALL {
            printer.line(&printer.paint("1", kind.label()));
            for name in preset_names(kind) {
                printer.line(&format!("  {name:<32} {}", label_of(kind, name)));
            }
        }
        printer.line("\nshow one with: ballast presets NAME");
        return Exit::Pass;
    };
    let found = PresetKind::ALL
        .iter()
        .find_map(|k| preset_text(*k, name).map(|t| (*k, t)));
    match found {
        Some((kind, text)) if args.json => {
            printer.json(&json!({ "kind": kind.label(), "name": name, "toml": text }));
            Exit::Pass
        }
        Some((_, text)) => {
            printer.text(text);
            Exit::Pass
        }
        None => printer.failure(
            Exit::BadInput,
            &format!("there is no preset `{name}`"),
            "list them with: ballast presets",
            args.json,
        ),
    }
}

/// The line `label = "…"` of a preset.
fn label_of(kind: PresetKind, name: &str) -> &'static str {
    preset_text(kind, name)
        .and_then(|t| {
            t.lines()
                .find_map(|l| l.strip_prefix("label = \"")?.strip_suffix('"'))
        })
        .unwrap_or("")
}

/// Prints the JSON schema of scenario files.
pub(crate) fn schema(printer: &Printer) -> Exit {
    printer.json(&ballast_scenario::schema());
    Exit::Pass
}

/// Prints completions.
pub(crate) fn completions(shell: clap_complete::Shell, printer: &Printer) -> Exit {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "ballast", &mut text);
    printer.text(&String::from_utf8_lossy(&text));
    Exit::Pass
}
