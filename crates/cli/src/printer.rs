//! The only place that prints. A closed pipe ends the output quietly.

use std::io::{IsTerminal, Stderr, Stdout, Write};

use ballast_scenario::Problem;
use serde_json::{Value, json};

use crate::exit::Exit;

/// Standard output and standard error of the command.
pub(crate) struct Printer {
    out: Stdout,
    err: Stderr,
    colour: bool,
}

impl Printer {
    pub(crate) fn new() -> Self {
        let (out, err) = (std::io::stdout(), std::io::stderr());
        let colour = out.is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { out, err, colour }
    }

    /// A line on standard output.
    pub(crate) fn line(&self, text: &str) {
        // Nothing is left to be done about a closed pipe.
        drop(writeln!(self.out.lock(), "{text}"));
    }

    /// Text on standard output, as it is.
    pub(crate) fn text(&self, text: &str) {
        drop(write!(self.out.lock(), "{text}"));
    }

    /// A line on standard error.
    pub(crate) fn note(&self, text: &str) {
        drop(writeln!(self.err.lock(), "{text}"));
    }

    /// `text` in an ANSI colour if standard output is a terminal.
    pub(crate) fn paint(&self, ansi: &str, text: &str) -> String {
        if self.colour {
            format!("\u{1b}[{ansi}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    /// JSON on standard output.
    pub(crate) fn json(&self, value: &Value) {
        self.line(&format!("{value:#}"));
    }

    /// Problems on standard error, or as JSON on standard output.
    pub(crate) fn problems(&self, problems: &[Problem], as_json: bool) -> Exit {
        if as_json {
            let list: Vec<Value> = problems
                .iter()
                .map(|p| json!({ "file": p.file, "line": p.line, "column": p.column, "key": p.key, "message": p.message, "help": p.help }))
                .collect();
            self.json(&json!({ "exit_code": Exit::BadInput.code(), "problems": list }));
        } else {
            for p in problems {
                self.note(&format!("error: {p}"));
            }
            let n = problems.len();
            self.note(&format!(
                "{n} problem{}; nothing was written",
                if n == 1 { "" } else { "s" }
            ));
        }
        Exit::BadInput
    }

    /// A failure that has no place in a file.
    pub(crate) fn failure(&self, exit: Exit, message: &str, help: &str, as_json: bool) -> Exit {
        if as_json {
            self.json(&json!({ "exit_code": exit.code(), "problems": [{ "message": message, "help": help }] }));
        } else {
            self.note(&format!("error: {message}"));
            if !help.is_empty() {
                self.note(&format!("  help: {help}"));
            }
        }
        exit
    }
}
