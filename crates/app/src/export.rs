//! Writing figures and traces: asks where, writes beside the window, tells what became of it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::action::Notice;
use crate::platform::{Pick, Picked, Platform, PlatformError};
use crate::result::RunResult;
use crate::trace::TraceSet;

/// What is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Figures,
    Traces,
}

/// Exports under way.
pub struct Exports {
    platform: Arc<dyn Platform>,
    wake: Arc<dyn Fn() + Send + Sync>,
    picks: (Sender<Picked>, Receiver<Picked>),
    done: (Sender<Notice>, Receiver<Notice>),
    /// What the open dialog is for: the result as it was when it was asked for.
    asked: Option<(Kind, Arc<RunResult>)>,
    writing: usize,
}

impl Exports {
    /// No export yet. `wake` is called, from any thread, when there is news.
    pub fn new(platform: Arc<dyn Platform>, wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        Self {
            platform,
            wake,
            picks: channel(),
            done: channel(),
            asked: None,
            writing: 0,
        }
    }

    /// Asks for a folder for the figures of `result`.
    pub fn figures(&mut self, result: &Arc<RunResult>) {
        self.ask(Kind::Figures, result, Pick::FigureFolder);
    }

    /// Asks for a file for the traces of `result`, or says why there are none to write.
    ///
    /// # Errors
    /// The notice that says so.
    pub fn traces(&mut self, result: &Arc<RunResult>) -> Result<(), Notice> {
        if result.traces.samples == 0 || result.traces.traces.is_empty() {
            return Err(failure(
                "This result has no samples: run the scenario again, then export its traces",
            ));
        }
        let name = format!("{}.parquet", file_name(&result.name));
        self.ask(Kind::Traces, result, Pick::SaveTraces(name));
        Ok(())
    }

    /// Whether a dialog is open or something is being written.
    pub fn busy(&self) -> bool {
        self.asked.is_some() || self.writing > 0
    }

    /// Takes in answers of dialogs and of what was written; what is to be told.
    pub fn poll(&mut self) -> Vec<Notice> {
        while let Ok((what, path)) = self.picks.1.try_recv() {
            // A dialog that a newer one replaced answers too.
            let kind = match what {
                Pick::FigureFolder => Kind::Figures,
                Pick::SaveTraces(_) => Kind::Traces,
                _ => continue,
            };
            if let Some((_, result)) = self.asked.take_if(|a| a.0 == kind)
                && let Some(path) = path
            {
                self.write(kind, result, path);
            }
        }
        let told: Vec<Notice> = self.done.1.try_iter().collect();
        self.writing = self.writing.saturating_sub(told.len());
        told
    }

    fn ask(&mut self, kind: Kind, result: &Arc<RunResult>, pick: Pick) {
        self.asked = Some((kind, Arc::clone(result)));
        self.platform.pick(pick, self.picks.0.clone());
    }

    fn write(&mut self, kind: Kind, result: Arc<RunResult>, path: PathBuf) {
        self.writing += 1;
        let (platform, wake) = (Arc::clone(&self.platform), Arc::clone(&self.wake));
        let done = self.done.0.clone();
        let work = move || {
            let notice = match kind {
                Kind::Figures => figures(&*platform, &result, &path),
                Kind::Traces => traces(&*platform, &result, &path),
            };
            // The window may be gone.
            let _ = done.send(notice);
            wake();
        };
        self.platform.spawn("export", Box::new(work));
    }
}

fn figures(platform: &dyn Platform, result: &RunResult, folder: &Path) -> Notice {
    match platform.write_figures(&result.outcome, folder) {
        Ok(files) => success(format!(
            "{} files of figures written to {}",
            files.len(),
            folder.display()
        )),
        Err(e) => failure(&format!("Figures not written: {}", what_to_do(&e))),
    }
}

fn traces(platform: &dyn Platform, result: &RunResult, path: &Path) -> Notice {
    let mut written = vec![path.to_owned()];
    let about = |part, set| metadata(result, part, set);
    let mut outcome =
        platform.write_traces(&result.traces, &about(Part::Run, &result.traces), path);
    if outcome.is_ok()
        && let Some(zoom) = &result.zoom
    {
        let fine = fine_path(path);
        outcome = platform.write_traces(zoom, &about(Part::Zoom, zoom), &fine);
        written.push(fine);
    }
    let names = |all: &[PathBuf]| {
        let all: Vec<String> = all.iter().map(|p| p.display().to_string()).collect();
        all.join(" and ")
    };
    match outcome {
        Ok(()) => success(format!("Traces written to {}", names(&written))),
        Err(e) => failure(&format!("Traces not written: {}", what_to_do(&e))),
    }
}

/// Whose traces are to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The run's.
    Run,
    /// Of the fine run around its worst moment.
    Zoom,
}

/// Beside the run's traces those of the fine run: `day.zoom.parquet`.
fn fine_path(path: &Path) -> PathBuf {
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    path.with_extension(format!("zoom.{ending}"))
}

/// Names and values that stand in a file of traces, as the command writes them.
fn metadata(result: &RunResult, part: Part, set: &TraceSet) -> Vec<(String, String)> {
    let o = &result.outcome;
    let p = &o.provenance;
    let whose = match part {
        Part::Run => (
            "ballast.realisation".to_owned(),
            p.shown.unwrap_or(1).to_string(),
        ),
        Part::Zoom => ("ballast.run".to_owned(), "zoom".to_owned()),
    };
    let mut all = vec![
        ("ballast.version".to_owned(), p.version.clone()),
        (
            "ballast.scenario".to_owned(),
            o.scenario.scenario.name.clone(),
        ),
        (
            "ballast.scenario_sha256".to_owned(),
            p.scenario_sha256.clone(),
        ),
        ("ballast.seed".to_owned(), p.seed.to_string()),
        whose,
        (
            "ballast.samples".to_owned(),
            "rounded to 32-bit floats".to_owned(),
        ),
    ];
    all.extend(set.traces.iter().map(|t| {
        let text = format!("{}; {}", t.unit, t.what);
        (format!("column.{}", t.name), text)
    }));
    all
}

/// A failure in words, with what to do about it.
pub fn what_to_do(error: &PlatformError) -> String {
    let PlatformError::File { path, source } = error else {
        return error.to_string();
    };
    let place = path.display();
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            format!("the disk of {place} is full. Free some space, or export to another folder")
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            format!("nothing may be written to {place}. Choose a folder of your own")
        }
        io::ErrorKind::NotFound => {
            format!("the folder of {place} is not there any more. Choose another one")
        }
        _ => format!("{place}: {source}. Choose another folder, or try again"),
    }
}

/// A scenario's name as that of a file.
fn file_name(name: &str) -> String {
    let kept = name.chars().map(|c| {
        if c.is_alphanumeric() || "-_.".contains(c) {
            c
        } else {
            '-'
        }
    });
    let kept: String = kept.collect();
    if kept.trim_matches('.').is_empty() {
        "traces".to_owned()
    } else {
        kept
    }
}

fn success(text: String) -> Notice {
    Notice { error: false, text }
}

fn failure(text: &str) -> Notice {
    Notice {
        error: true,
        text: text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_to_do() {
        let of = |kind: io::ErrorKind| {
            what_to_do(&PlatformError::File {
                path: PathBuf::from("/data/x.csv"),
                source: kind.into(),
            })
        };
        assert!(of(io::ErrorKind::StorageFull).contains("Free some space"));
        assert!(of(io::ErrorKind::PermissionDenied).contains("folder of your own"));
        assert!(of(io::ErrorKind::NotFound).contains("Choose another one"));
        let ending = PlatformError::Unavailable("write .csv".to_owned());
        assert_eq!(what_to_do(&ending), "write .csv");
    }

    use std::sync::atomic::{AtomicUsize, Ordering};

    use crate::platform::memory::MemoryPlatform;
    use crate::trace::Trace;
    use crate::views::verdicts::samples;

    /// Exports on a machine in memory, and how often they called for attention.
    fn exports(platform: &Arc<MemoryPlatform>) -> (Exports, Arc<AtomicUsize>) {
        let woken = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&woken);
        let wake = move || {
            count.fetch_add(1, Ordering::Relaxed);
        };
        let platform: Arc<dyn Platform> = platform.clone();
        (Exports::new(platform, Arc::new(wake)), woken)
    }

    /// Polls until there is something to tell.
    fn told(exports: &mut Exports) -> Vec<Notice> {
        for _ in 0..2000 {
            let notices = exports.poll();
            if !notices.is_empty() || !exports.busy() {
                return notices;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        Vec::new()
    }

    fn with_traces() -> Arc<RunResult> {
        let mut result = samples::smallest();
        let trace = Trace::from_samples("site_w", "W", (0.0, 1.0), vec![1.0, 2.0]);
        result.traces = Arc::new(TraceSet {
            t0_s: 0.0,
            dt_s: 1.0,
            samples: 2,
            traces: vec![Arc::new(trace)],
        });
        Arc::new(result)
    }

    #[test]
    fn traces_are_written_where_asked_and_told() {
        let platform = Arc::new(MemoryPlatform::new());
        platform.will_pick(Some("/out/a.csv"));
        let (mut exports, woken) = exports(&platform);
        exports.traces(&with_traces()).expect("it has traces");
        let notices = told(&mut exports);
        assert_eq!(notices.len(), 1);
        assert!(
            !notices[0].error && notices[0].text.contains("/out/a.csv"),
            "{notices:?}"
        );
        assert_eq!(woken.load(Ordering::Relaxed), 1);
        assert!(!exports.busy());
    }

    #[test]
    fn a_dismissed_dialog_and_a_result_without_samples_write_nothing() {
        let platform = Arc::new(MemoryPlatform::new());
        platform.will_pick(None);
        let (mut exports, _) = exports(&platform);
        exports.figures(&with_traces());
        assert!(told(&mut exports).is_empty());
        let empty = Arc::new(samples::smallest());
        let notice = exports.traces(&empty).expect_err("no samples");
        assert!(notice.error && notice.text.contains("run the scenario again"));
        assert!(!exports.busy());
    }

    #[test]
    fn a_full_disk_is_told_with_what_to_do() {
        let platform = Arc::new(MemoryPlatform::new());
        platform.will_pick(Some("/out"));
        platform.disk_full(true);
        let (mut exports, _) = exports(&platform);
        exports.figures(&with_traces());
        let notices = told(&mut exports);
        assert!(notices[0].error, "{notices:?}");
        assert!(notices[0].text.contains("Free some space"), "{notices:?}");
    }

    #[test]
    fn metadata_says_where_traces_come_from() {
        let result = with_traces();
        let all = metadata(&result, Part::Run, &result.traces);
        let value = |key: &str| all.iter().find(|m| m.0 == key).map(|m| m.1.as_str());
        let sha = result.outcome.provenance.scenario_sha256.as_str();
        assert_eq!(value("ballast.scenario_sha256"), Some(sha));
        assert_eq!(value("ballast.realisation"), Some("1"));
        assert_eq!(value("column.site_w"), Some("W; "));
    }

    #[test]
    fn names_of_files_are_safe() {
        assert_eq!(file_name("a day / two"), "a-day---two");
        assert_eq!(file_name(".."), "traces");
        assert_eq!(
            fine_path(Path::new("/o/day.parquet")),
            Path::new("/o/day.zoom.parquet")
        );
    }
}
