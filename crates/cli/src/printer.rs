//! The only place that prints. A closed pipe ends the output quietly; any other failure to print is one of the command.

use std::cell::RefCell;
use std::io::{self, ErrorKind, IsTerminal, Stderr, Stdout, Write};

use ballast_scenario::Problem;
use serde_json::{Value, json};

use crate::exit::Exit;

/// Standard output and standard error of the command.
pub(crate) struct Printer {
    out: Stdout,
    err: Stderr,
    colour: bool,
    /// Why standard output could not be written, if it could not.
    failed: RefCell<Option<io::Error>>,
}

impl Printer {
    pub(crate) fn new() -> Self {
        let (out, err) = (std::io::stdout(), std::io::stderr());
        let colour = out.is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self {
            out,
            err,
            colour,
            failed: RefCell::new(None),
        }
    }

    /// A line on standard output.
    pub(crate) fn line(&self, text: &str) {
        self.keep(writeln!(self.out.lock(), "{text}"));
    }

    /// Text on standard output, as it is.
    pub(crate) fn text(&self, text: &str) {
        self.keep(write!(self.out.lock(), "{text}"));
    }

    /// Keeps the first error, but none about a pipe whose reader has seen enough.
    fn keep(&self, written: io::Result<()>) {
        if let Err(e) = written
            && e.kind() != ErrorKind::BrokenPipe
        {
            self.failed.borrow_mut().get_or_insert(e);
        }
    }

    /// Ends the output. What could not be printed turns any exit into bad output.
    pub(crate) fn close(&self, exit: Exit) -> Exit {
        self.keep(self.out.lock().flush());
        match self.failed.take() {
            None => exit,
            Some(e) => {
                self.note(&format!("error: standard output cannot be written: {e}"));
                Exit::BadInput
            }
        }
    }

    /// Help, version, or what is wrong with the arguments.
    pub(crate) fn usage(&self, found: &clap::Error) -> Exit {
        self.keep(found.print());
        self.close(if found.use_stderr() {
            Exit::BadInput
        } else {
            Exit::Pass
        })
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
            self.json(
                &json!({ "exit_code": Exit::BadInput.code(), "problems": problems_json(problems) }),
            );
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

/// Problems or warnings as JSON objects.
pub(crate) fn problems_json(problems: &[Problem]) -> Vec<Value> {
    problems
        .iter()
        .map(|p| json!({ "file": p.file, "line": p.line, "column": p.column, "key": p.key, "message": p.message, "help": p.help }))
        .collect()
}
