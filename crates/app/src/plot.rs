//! Plots that share a time axis and a cursor, with bands that lose no peak.

use crate::action::Actions;
use crate::theme::Theme;

/// What all plots over time share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeView {
    /// Shown stretch, seconds.
    pub from_s: f64,
    /// See `from_s`.
    pub to_s: f64,
    /// The whole run, seconds.
    pub whole_s: (f64, f64),
    /// Cursor, seconds.
    pub cursor_s: Option<f64>,
}

/// What every view gets.
pub struct ViewContext<'a> {
    /// Colours and sizes.
    pub theme: &'a Theme,
    /// Shared time axis.
    pub time: TimeView,
    /// Whether what is shown is older than the document.
    pub stale: bool,
    /// Where to ask for changes.
    pub actions: &'a mut Actions,
}
