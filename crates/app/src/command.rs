//! Every command once: its words, its shortcut, what it does. Menu, shortcuts, palette and tests use this list.

/// A command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    /// A new scenario from the starter.
    New,
    /// Choose a scenario file and open it.
    Open,
    /// Save.
    Save,
    /// Save under another name.
    SaveAs,
    /// Take the last change back.
    Undo,
    /// Make it again.
    Redo,
    /// Run now.
    Run,
    /// Stop the run.
    CancelRun,
    /// Pin the result.
    Pin,
    /// Show the variants side by side.
    CompareVariants,
    /// Write figures.
    ExportFigures,
    /// Write traces.
    ExportTraces,
    /// Show the whole run.
    ZoomAll,
    /// Open the palette.
    Palette,
    /// Light, dark, as the system.
    ToggleTheme,
    /// Tiles as at first.
    ResetLayout,
    /// The text of the document.
    ToggleText,
    /// The live panel.
    ToggleLive,
    /// The welcome page.
    Welcome,
    /// Leave.
    Quit,
}
