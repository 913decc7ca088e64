//! The document: the text of the scenario file, and nothing else. Undo and redo are its texts.

use std::path::{Path, PathBuf};

/// A scenario being edited.
#[derive(Debug, Clone, Default)]
pub struct Document {
    text: String,
    path: Option<PathBuf>,
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
        Self { text, path }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where it is saved; none if it never was.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Whether it differs from what was saved or opened.
    pub fn changed(&self) -> bool {
        false
    }

    /// Sets the value at a dotted path; comments and order stay.
    ///
    /// # Errors
    /// No such key, or a value that the key cannot take.
    pub fn set(&mut self, path: &str, value: &str) -> Result<(), EditError> {
        let _ = (path, value);
        Ok(())
    }

    /// Removes the value at a dotted path.
    ///
    /// # Errors
    /// Nothing stands there.
    pub fn reset(&mut self, path: &str) -> Result<(), EditError> {
        let _ = path;
        Ok(())
    }

    /// Adds an entry with the least it needs to an array of tables or a table of tables.
    ///
    /// # Errors
    /// No entries stand there.
    pub fn add_entry(&mut self, path: &str) -> Result<(), EditError> {
        let _ = path;
        Ok(())
    }

    /// Removes an entry.
    ///
    /// # Errors
    /// Nothing stands there.
    pub fn remove_entry(&mut self, path: &str) -> Result<(), EditError> {
        let _ = path;
        Ok(())
    }

    /// Replaces the whole text; one step of undo.
    pub fn set_text(&mut self, text: String) {
        self.text = text;
    }

    /// Takes the last change back; false if there is none.
    pub fn undo(&mut self) -> bool {
        false
    }

    /// Makes it again; false if there is none.
    pub fn redo(&mut self) -> bool {
        false
    }

    /// Whether there is something to undo, and to redo.
    pub fn can_undo_redo(&self) -> (bool, bool) {
        (false, false)
    }

    /// It is saved at `path` as it stands.
    pub fn saved(&mut self, path: PathBuf) {
        self.path = Some(path);
    }
}
