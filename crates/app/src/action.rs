//! What views ask for. [`App::act`](crate::App::act) carries it out.

use std::path::PathBuf;

use crate::Command;

/// Something a view asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Carry out a command.
    Command(Command),
    /// Set the value at a dotted path of the document, as typed ("2.5 MW"). One step of undo.
    Set {
        /// Dotted path as `--set` takes it.
        path: String,
        /// The value as typed.
        value: String,
    },
    /// Remove the value at a dotted path, so that preset or default holds.
    Reset(String),
    /// Add an entry to an array of tables (`racks`, `jobs`, `plant.sets`, …) or a table (`gpus`).
    AddEntry(String),
    /// Remove the entry at a path.
    RemoveEntry(String),
    /// Replace the whole text (the text editor, a calibrated profile). One step of undo.
    SetText(String),
    /// Open a scenario file.
    Open(PathBuf),
    /// Open the bundled example of that name.
    OpenExample(String),
    /// The cursor that all plots share, seconds; none: the pointer left.
    Cursor(Option<f64>),
    /// Show this stretch of time in all plots, seconds.
    Zoom {
        /// Start, seconds.
        from_s: f64,
        /// End, seconds.
        to_s: f64,
    },
    /// Show the whole run.
    ZoomAll,
    /// Show the moment, with some time around it, and set the cursor on it.
    JumpTo(f64),
    /// Move the focus to the form's field of this path.
    FocusField(String),
    /// Show or hide a tile.
    ToggleTile(crate::views::tiles::Tile),
    /// Pin the shown result for comparison.
    Pin,
    /// Remove the pinned result of this number.
    Unpin(usize),
    /// Cancel the job of this number.
    CancelJob(u64),
    /// Show an outcome of the job list.
    ShowJob(u64),
    /// A message for the user, with what to do next.
    Say(Notice),
    /// Something for the live panel.
    Live(crate::live::LiveAction),
}

/// A message in the notices of the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Whether something went wrong.
    pub error: bool,
    /// What happened, and what to do.
    pub text: String,
}

/// What the views of one frame ask for.
#[derive(Debug, Default)]
pub struct Actions(Vec<Action>);

impl Actions {
    /// Asks for `action`.
    pub fn push(&mut self, action: Action) {
        self.0.push(action);
    }

    /// Everything asked for, in order.
    pub fn drain(&mut self) -> impl Iterator<Item = Action> + '_ {
        self.0.drain(..)
    }
}
