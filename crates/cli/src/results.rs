//! What comparisons and sweeps do alike: threads, failures, run.json, moving the results into place.

use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use ballast_study::{Ready, StudyError};
use rayon::ThreadPool;
use serde_json::{Value, json};

use crate::args::PlaceArgs;
use crate::exit::Exit;
use crate::folder::{Folder, Kind, Unpublished};
use crate::printer::Printer;
use crate::run::{help_for, write_json};

/// A command on its way to results.
pub(crate) struct Study<'a> {
    pub(crate) kind: Kind,
    /// Name of the scenario, of the first member for several.
    pub(crate) name: String,
    pub(crate) place: &'a PlaceArgs,
    pub(crate) as_json: bool,
    pub(crate) started: (SystemTime, Instant),
    pub(crate) printer: &'a Printer,
}

impl Study<'_> {
    /// Folder and threads, before anything is simulated.
    ///
    /// # Errors
    /// What the command ends with.
    pub(crate) fn prepare(&self) -> Result<(Folder, ThreadPool), Exit> {
        let path = self.place.out.clone().unwrap_or_else(|| {
            PathBuf::from("out").join(format!("{}-{}", self.name, self.kind.stem()))
        });
        let folder = Folder::prepare_for(&path, self.kind, &self.name)
            .map_err(|problem| self.printer.problems(&[problem], self.as_json))?;
        let threads = self.place.threads.map_or(0, usize::from);
        match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
            Ok(pool) => Ok((folder, pool)),
            Err(e) => {
                folder.abandon();
                Err(self.printer.failure(
                    Exit::BadInput,
                    &format!("threads cannot be started: {e}"),
                    "try fewer with --threads",
                    self.as_json,
                ))
            }
        }
    }

    /// Tells why `who` gave no outcome.
    pub(crate) fn failed(&self, who: &str, ready: &Ready, error: StudyError) -> Exit {
        match error {
            StudyError::Input(found) => {
                let mut problems = ballast_study::placed(&ready.loaded, found);
                for p in &mut problems {
                    p.message = format!("{who}: {}", p.message);
                }
                self.printer.problems(&problems, self.as_json)
            }
            StudyError::Interrupted { .. } => self.printer.failure(
                Exit::Interrupted,
                &format!("interrupted in {who}"),
                "nothing was kept; earlier results are untouched",
                self.as_json,
            ),
            other => {
                let exit = match &other {
                    StudyError::NotFinite { .. } => Exit::Numerical,
                    _ => Exit::BadInput,
                };
                let message = format!("{who}: {other}");
                self.printer
                    .failure(exit, &message, help_for(&other), self.as_json)
            }
        }
    }

    /// Writes the JSON of the result and run.json beside what is staged already, and moves all into place. Names of the files.
    ///
    /// # Errors
    /// What the command ends with.
    pub(crate) fn publish(
        &self,
        folder: Folder,
        threads: usize,
        result: &Value,
        facts: Value,
    ) -> Result<(PathBuf, Vec<String>), Exit> {
        if let Err(message) = self.write(&folder, threads, result, facts) {
            return Err(self.unwritten(folder, &message));
        }
        let path = folder.path().to_owned();
        match folder.publish() {
            Ok(files) => Ok((path, files)),
            Err(Unpublished { problem, restored }) if restored => {
                Err(self.printer.problems(&[problem], self.as_json))
            }
            Err(Unpublished { problem, .. }) => Err(self.printer.failure(
                Exit::BadInput,
                &problem.message,
                &problem.help,
                self.as_json,
            )),
        }
    }

    fn write(
        &self,
        folder: &Folder,
        threads: usize,
        result: &Value,
        facts: Value,
    ) -> Result<(), String> {
        let staging = folder.staging();
        write_json(&staging.join(format!("{}.json", self.kind.stem())), result)?;
        let mut files = folder.staged().map_err(|e| e.to_string())?;
        files.push("run.json".to_owned());
        files.sort();
        let cwd = std::env::current_dir().map(|p| p.display().to_string());
        let mut run = json!({
            "format": 1,
            "program": "ballast",
            "version": env!("CARGO_PKG_VERSION"),
            "kind": self.kind.stem(),
            "scenario": self.name,
            "started": humantime::format_rfc3339_seconds(self.started.0).to_string(),
            "wall_s": self.started.1.elapsed().as_secs_f64(),
            "threads": threads,
            "working_folder": cwd.unwrap_or_default(),
            "output_folder": folder.path().display().to_string(),
            "files": files,
            "machine": format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        });
        if let (Some(run), Value::Object(facts)) = (run.as_object_mut(), facts) {
            run.extend(facts);
        }
        write_json(&staging.join("run.json"), &run)
    }

    /// Gives the folder up because something cannot be written.
    pub(crate) fn unwritten(&self, folder: Folder, message: &str) -> Exit {
        folder.abandon();
        self.printer.failure(
            Exit::BadInput,
            &format!("the results cannot be written: {message}"),
            "free some space, or choose another folder with --out; nothing was left half-written",
            self.as_json,
        )
    }
}

/// Writes a text file.
///
/// # Errors
/// The file and what the system says.
pub(crate) fn write_text(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))
}

/// A text as a field of CSV.
pub(crate) fn csv_field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
