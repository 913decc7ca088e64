//! The document: the text of the scenario file, and nothing else. Undo and redo are its texts.
//!
//! An edit is a patch on the text: [`Resolved`] says what it writes, `edit` puts that into the text and leaves every other byte alone.

mod edit;
mod spots;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ballast_scenario::{Fitted, Problem, Resolved};

/// Texts that can be gone back to.
const MOST_STEPS: usize = 500;

/// Edits of one value that follow each other faster than this are one step.
const ONE_STEP: Duration = Duration::from_secs(1);

/// A scenario being edited.
#[derive(Debug, Clone, Default)]
pub struct Document {
    text: Arc<str>,
    path: Option<PathBuf>,
    saved: Arc<str>,
    undo: VecDeque<Arc<str>>,
    redo: Vec<Arc<str>>,
    last: Option<(String, Instant)>,
}

/// Why an edit was refused; the text is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EditError {
    /// Path of the key.
    pub path: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Document {
    /// A document with this text, as saved at `path` if there is one.
    pub fn new(text: String, path: Option<PathBuf>) -> Self {
        let text: Arc<str> = text.into();
        Self {
            saved: text.clone(),
            text,
            path,
            ..Self::default()
        }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text, shared.
    pub fn shared_text(&self) -> Arc<str> {
        self.text.clone()
    }

    /// Where it is saved; none if it never was.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Folder that the files it names count from; empty if it was never saved.
    pub fn base_dir(&self) -> PathBuf {
        let parent = self.path.as_deref().and_then(Path::parent);
        parent.map(Path::to_path_buf).unwrap_or_default()
    }

    /// Whether it differs from what was saved or opened.
    pub fn changed(&self) -> bool {
        self.text != self.saved
    }

    /// Sets the value at a dotted path; comments and order stay.
    ///
    /// # Errors
    /// No such key, or a value that the key cannot take.
    pub fn set(&mut self, path: &str, value: &str) -> Result<(), EditError> {
        let resolved = self.resolved(path)?;
        let fitted = fit(&resolved, path, value).map_err(|p| refused(path, &p))?;
        let text = edit::set(&self.text, &fitted).map_err(|e| own_words(path, e))?;
        self.step(text, Some(fitted.steps.join(".")));
        Ok(())
    }

    /// Removes the value at a dotted path.
    ///
    /// # Errors
    /// Nothing stands there.
    pub fn reset(&mut self, path: &str) -> Result<(), EditError> {
        let resolved = self.resolved(path)?;
        let text =
            edit::remove(&self.text, &resolved.steps_of(path)).map_err(|e| own_words(path, e))?;
        self.step(text, None);
        Ok(())
    }

    /// Adds an entry with the least it needs to an array of tables or a table of tables; an absent table with the least it needs.
    ///
    /// # Errors
    /// No entries stand there.
    pub fn add_entry(&mut self, path: &str) -> Result<(), EditError> {
        let resolved = self.resolved(path)?;
        let least = resolved.least(path).map_err(|p| refused(path, &p))?;
        let text = edit::add(&self.text, &least).map_err(|e| own_words(path, e))?;
        self.step(text, None);
        Ok(())
    }

    /// Removes an entry.
    ///
    /// # Errors
    /// Nothing stands there.
    pub fn remove_entry(&mut self, path: &str) -> Result<(), EditError> {
        self.reset(path)
    }

    /// Replaces the whole text; one step of undo. Typing without a pause is one step.
    pub fn set_text(&mut self, text: String) {
        self.step(text, Some(String::new()));
    }

    /// Replaces the whole text; a step of undo of its own, however soon after the last one.
    pub fn replace_text(&mut self, text: String) {
        self.last = None;
        self.step(text, None);
    }

    /// Takes the last change back; false if there is none.
    pub fn undo(&mut self) -> bool {
        let Some(text) = self.undo.pop_back() else {
            return false;
        };
        self.redo.push(std::mem::replace(&mut self.text, text));
        self.last = None;
        true
    }

    /// Makes it again; false if there is none.
    pub fn redo(&mut self) -> bool {
        let Some(text) = self.redo.pop() else {
            return false;
        };
        self.undo.push_back(std::mem::replace(&mut self.text, text));
        self.last = None;
        true
    }

    /// Whether there is something to undo, and to redo.
    pub fn can_undo_redo(&self) -> (bool, bool) {
        (!self.undo.is_empty(), !self.redo.is_empty())
    }

    /// It is saved at `path` as it stands.
    pub fn saved(&mut self, path: PathBuf) {
        self.path = Some(path);
        self.saved = self.text.clone();
    }

    fn resolved(&self, path: &str) -> Result<Resolved, EditError> {
        let name = self.path.as_deref().and_then(Path::file_name);
        let name = name.map_or("scenario".into(), |n| n.to_string_lossy());
        Resolved::new(&name, &self.text, &self.base_dir()).map_err(|problems| {
            let first = problems.0.first();
            let line = first.and_then(|p| p.line);
            let place = line.map_or_else(String::new, |l| format!(" in line {l}"));
            let what = first.map_or("", |p| p.message.as_str());
            EditError {
                path: path.to_owned(),
                message: format!(
                    "The text has a mistake{place} ({what}). Mend it in the text editor first, or undo."
                ),
            }
        })
    }

    /// The next text. `what` is edited; the same again within a second is no step of its own.
    fn step(&mut self, text: String, what: Option<String>) {
        if *text == *self.text {
            return;
        }
        let now = Instant::now();
        let goes_on = match (&self.last, &what) {
            (Some((last, at)), Some(what)) => last == what && now.duration_since(*at) < ONE_STEP,
            _ => false,
        };
        let before = std::mem::replace(&mut self.text, text.into());
        if !goes_on {
            self.undo.push_back(before);
            if self.undo.len() > MOST_STEPS {
                self.undo.pop_front();
            }
        }
        self.redo.clear();
        self.last = what.map(|what| (what, now));
    }
}

/// What a typed value writes. Digits may stand in groups of three.
///
/// # Errors
/// The key cannot take the value.
pub fn fit(resolved: &Resolved, path: &str, typed: &str) -> Result<Fitted, Problem> {
    let typed = typed.trim();
    resolved.fit(path, typed).or_else(|problem| {
        let plain = ungrouped(typed).ok_or_else(|| problem.clone())?;
        resolved.fit(path, &plain).map_err(|_| problem)
    })
}

/// "1,200 kW" without what parts the groups of digits; none if nothing does.
fn ungrouped(typed: &str) -> Option<String> {
    let parts_groups = |c: char| matches!(c, ',' | ' ' | '\u{a0}' | '\u{2009}' | '\u{202f}');
    let chars: Vec<char> = typed.chars().collect();
    let digit = |at: usize| chars.get(at).is_some_and(char::is_ascii_digit);
    let mut plain = String::new();
    let mut fraction = false;
    for (at, c) in chars.iter().enumerate() {
        fraction |= *c == '.';
        let group = !fraction
            && parts_groups(*c)
            && at.checked_sub(1).is_some_and(digit)
            && (1..=3).all(|i| digit(at + i))
            && !digit(at + 4);
        if !group {
            plain.push(*c);
        }
    }
    (plain != typed).then_some(plain)
}

/// A problem in one sentence and what would be right.
pub fn words(problem: &Problem) -> String {
    if problem.help.is_empty() {
        problem.message.clone()
    } else {
        format!("{}; {}", problem.message, problem.help)
    }
}

fn refused(path: &str, problem: &Problem) -> EditError {
    own_words(path, words(problem))
}

fn own_words(path: &str, message: String) -> EditError {
    EditError {
        path: path.to_owned(),
        message,
    }
}

#[cfg(test)]
mod tests;
