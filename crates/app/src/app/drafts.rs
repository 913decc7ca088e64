//! The draft: the document's text after every change, so that nothing is lost when the app is killed.
//!
//! It is written beside the window, one write at a time and the newest text only; [`Platform::write`] leaves the old file or the new one.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::platform::Platform;

/// A document that was not saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Draft {
    /// Where it is saved; none if it never was.
    pub(super) path: Option<PathBuf>,
    /// The example it was opened from.
    pub(super) example: Option<String>,
    /// Its text.
    pub(super) text: String,
}

enum Step {
    Keep(Draft),
    Remove(PathBuf),
}

#[derive(Default)]
struct Queue {
    steps: VecDeque<Step>,
    busy: bool,
    /// Said once: a disk that is full now is full at the next key as well.
    problem: Option<String>,
    told: bool,
}

/// Writes the draft.
pub(super) struct Drafts {
    platform: Arc<dyn Platform>,
    mine: Option<PathBuf>,
    queue: Arc<Mutex<Queue>>,
}

impl Drafts {
    pub(super) fn new(platform: Arc<dyn Platform>) -> Self {
        Self {
            mine: platform.draft_path(),
            platform,
            queue: Arc::default(),
        }
    }

    /// The newest draft that a start which ended left behind, and its file. Damaged ones are passed over and stay where they are.
    pub(super) fn lost(&self) -> Option<(PathBuf, Draft)> {
        self.platform.lost_drafts().into_iter().find_map(|path| {
            let text = self.platform.read(&path).ok()?;
            let draft = serde_json::from_str(&text).ok()?;
            Some((path, draft))
        })
    }

    /// Keeps this text as the draft.
    pub(super) fn keep(&self, text: &str, path: Option<PathBuf>, example: Option<&str>) {
        self.push(Step::Keep(Draft {
            path,
            example: example.map(str::to_owned),
            text: text.to_owned(),
        }));
    }

    /// Nothing is unsaved any more.
    pub(super) fn drop_mine(&self) {
        if let Some(mine) = &self.mine {
            self.push(Step::Remove(mine.clone()));
        }
    }

    /// Removes another start's draft, after everything that was asked for before.
    pub(super) fn remove(&self, path: &Path) {
        self.push(Step::Remove(path.to_owned()));
    }

    /// Why the draft could not be written, once.
    pub(super) fn problem(&self) -> Option<String> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let problem = queue.problem.take()?;
        (!std::mem::replace(&mut queue.told, true)).then_some(problem)
    }

    fn push(&self, step: Step) {
        let Some(mine) = self.mine.clone() else {
            return;
        };
        {
            let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            // Only the newest text counts.
            if matches!(step, Step::Keep(_)) && matches!(queue.steps.back(), Some(Step::Keep(_))) {
                queue.steps.pop_back();
            }
            queue.steps.push_back(step);
            if std::mem::replace(&mut queue.busy, true) {
                return;
            }
        }
        let (platform, queue) = (Arc::clone(&self.platform), Arc::clone(&self.queue));
        self.platform
            .spawn("draft", Box::new(move || work(&*platform, &mine, &queue)));
    }
}

fn work(platform: &dyn Platform, mine: &Path, queue: &Mutex<Queue>) {
    loop {
        let step = {
            let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(step) = queue.steps.pop_front() else {
                queue.busy = false;
                return;
            };
            step
        };
        let done = match step {
            Step::Remove(path) => platform.remove(&path).map_err(|e| e.to_string()),
            Step::Keep(draft) => serde_json::to_vec(&draft)
                .map_err(|e| e.to_string())
                .and_then(|bytes| platform.write(mine, &bytes).map_err(|e| e.to_string())),
        };
        let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
        match done {
            Ok(()) => queue.told = false,
            Err(problem) => queue.problem = Some(problem),
        }
    }
}
