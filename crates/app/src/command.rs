//! Every command once: its words, its shortcut, what it does. Menu, shortcuts, palette and tests use this list.

use egui::{Key, KeyboardShortcut, Modifiers};

use crate::App;

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
    /// The plots.
    ShowPlots,
    /// Pinned results beside the shown one.
    ShowCompare,
    /// Show or hide the form.
    ToggleForm,
    /// Show or hide the verdicts.
    ToggleVerdicts,
    /// Show or hide problems, jobs and notices.
    ToggleBottom,
    /// Back to what was saved.
    Revert,
    /// List the shortcuts.
    Shortcuts,
    /// What this is.
    About,
}

/// A menu of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Menu {
    /// Files.
    File,
    /// Changes.
    Edit,
    /// What is shown.
    View,
    /// Runs.
    Run,
    /// Help.
    Help,
}

impl Menu {
    /// All menus, from left to right.
    pub const ALL: [Self; 5] = [Self::File, Self::Edit, Self::View, Self::Run, Self::Help];

    /// Its name.
    pub fn text(self) -> &'static str {
        match self {
            Self::File => "File",
            Self::Edit => "Edit",
            Self::View => "View",
            Self::Run => "Run",
            Self::Help => "Help",
        }
    }

    /// Its commands, in order.
    pub fn commands(self) -> impl Iterator<Item = Command> {
        Command::ALL
            .into_iter()
            .filter(move |c| c.words().menu == self)
    }
}

/// What is said of a command.
struct Words {
    text: &'static str,
    tooltip: &'static str,
    menu: Menu,
    shortcuts: &'static [KeyboardShortcut],
}

const fn plain(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::NONE, key)
}

const fn shift(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::SHIFT, key)
}

const fn ctrl(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::COMMAND, key)
}

const fn ctrl_shift(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::SHIFT), key)
}

impl Command {
    /// All commands, in the order of menus and palette.
    pub const ALL: [Self; 28] = [
        Self::New,
        Self::Open,
        Self::Save,
        Self::SaveAs,
        Self::Revert,
        Self::ExportFigures,
        Self::ExportTraces,
        Self::Quit,
        Self::Undo,
        Self::Redo,
        Self::Run,
        Self::CancelRun,
        Self::Pin,
        Self::CompareVariants,
        Self::ShowPlots,
        Self::ToggleText,
        Self::ShowCompare,
        Self::ToggleLive,
        Self::ToggleForm,
        Self::ToggleVerdicts,
        Self::ToggleBottom,
        Self::ZoomAll,
        Self::ResetLayout,
        Self::ToggleTheme,
        Self::Palette,
        Self::Shortcuts,
        Self::Welcome,
        Self::About,
    ];

    #[expect(clippy::too_many_lines, reason = "a list with an entry per command")]
    fn words(self) -> Words {
        let (menu, text, tooltip, shortcuts): (_, _, _, &'static [KeyboardShortcut]) = match self {
            Self::New => (
                Menu::File,
                "New",
                "Start a scenario from the commented starter",
                const { &[ctrl(Key::N)] },
            ),
            Self::Open => (
                Menu::File,
                "Open…",
                "Open a scenario file",
                const { &[ctrl(Key::O)] },
            ),
            Self::Save => (
                Menu::File,
                "Save",
                "Save the scenario to its file",
                const { &[ctrl(Key::S)] },
            ),
            Self::SaveAs => (
                Menu::File,
                "Save as…",
                "Save the scenario under another name",
                const { &[ctrl_shift(Key::S)] },
            ),
            Self::Undo => (
                Menu::Edit,
                "Undo",
                "Take the last change back",
                const { &[ctrl(Key::Z)] },
            ),
            Self::Redo => (
                Menu::Edit,
                "Redo",
                "Make the change again that was taken back",
                const { &[ctrl_shift(Key::Z), ctrl(Key::Y)] },
            ),
            Self::Run => (
                Menu::Run,
                "Run now",
                "Run the scenario as it stands, however long it takes",
                const { &[plain(Key::F5)] },
            ),
            Self::CancelRun => (
                Menu::Run,
                "Cancel run",
                "Stop the run that is under way",
                const { &[shift(Key::F5)] },
            ),
            Self::Pin => (
                Menu::Run,
                "Pin result",
                "Keep this result to compare later ones with",
                const { &[ctrl(Key::D)] },
            ),
            Self::CompareVariants => (
                Menu::Run,
                "Compare variants",
                "Run the scenario and every variant in its file, side by side",
                const { &[ctrl(Key::B)] },
            ),
            Self::ExportFigures => (
                Menu::File,
                "Export figures…",
                "Write the figures of the result as SVG and PNG",
                const { &[ctrl(Key::E)] },
            ),
            Self::ExportTraces => (
                Menu::File,
                "Export traces…",
                "Write the traces of the result as Parquet or CSV",
                const { &[ctrl_shift(Key::E)] },
            ),
            Self::ZoomAll => (
                Menu::View,
                "Show whole run",
                "Show the whole run in all plots",
                const { &[ctrl_shift(Key::Num0)] },
            ),
            Self::Palette => (
                Menu::Help,
                "Command palette…",
                "Find a command by its name",
                const { &[ctrl(Key::P), ctrl(Key::K)] },
            ),
            Self::ToggleTheme => (
                Menu::View,
                "Change theme",
                "Light, then dark, then as the system has it",
                const { &[ctrl_shift(Key::L)] },
            ),
            Self::ResetLayout => (
                Menu::View,
                "Reset layout",
                "Tiles and panels as at first",
                const { &[] },
            ),
            Self::ToggleText => (
                Menu::View,
                "Text",
                "Edit the scenario as text",
                const { &[ctrl(Key::T)] },
            ),
            Self::ToggleLive => (
                Menu::View,
                "Live power",
                "Power of this machine's GPUs, and the calibration assistant",
                const { &[ctrl(Key::L)] },
            ),
            Self::Welcome => (
                Menu::Help,
                "Welcome page",
                "Examples and recent files",
                const { &[ctrl(Key::H)] },
            ),
            Self::Quit => (
                Menu::File,
                "Quit",
                "Close the window",
                const { &[ctrl(Key::Q)] },
            ),
            Self::ShowPlots => (
                Menu::View,
                "Plots",
                "The plots of the result",
                const { &[ctrl(Key::Num1)] },
            ),
            Self::ShowCompare => (
                Menu::View,
                "Compare",
                "Pinned results beside the shown one",
                const { &[ctrl(Key::Num2)] },
            ),
            Self::ToggleForm => (
                Menu::View,
                "Show scenario form",
                "Show or hide the form at the left",
                const { &[plain(Key::F8)] },
            ),
            Self::ToggleVerdicts => (
                Menu::View,
                "Show verdicts",
                "Show or hide the verdicts at the right",
                const { &[plain(Key::F9)] },
            ),
            Self::ToggleBottom => (
                Menu::View,
                "Show problems and jobs",
                "Show or hide problems, jobs and notices at the bottom",
                const { &[ctrl(Key::J)] },
            ),
            Self::Revert => (
                Menu::File,
                "Revert to saved",
                "Take the text of the file again; undo brings the changes back",
                const { &[] },
            ),
            Self::Shortcuts => (
                Menu::Help,
                "Keyboard shortcuts",
                "List every shortcut",
                const { &[plain(Key::F1)] },
            ),
            Self::About => (
                Menu::Help,
                "About Ballast",
                "Version, licence and what it is for",
                const { &[] },
            ),
        };
        Words {
            text,
            tooltip,
            menu,
            shortcuts,
        }
    }

    /// Its name.
    pub fn text(self) -> &'static str {
        self.words().text
    }

    /// What it does.
    pub fn tooltip(self) -> &'static str {
        self.words().tooltip
    }

    /// The shortcut to show; none if it has none.
    pub fn shortcut(self) -> Option<KeyboardShortcut> {
        self.shortcuts().first().copied()
    }

    /// All its shortcuts.
    pub fn shortcuts(self) -> &'static [KeyboardShortcut] {
        self.words().shortcuts
    }

    /// Whether it can be carried out now.
    pub fn enabled(self, app: &App) -> bool {
        match self {
            Self::Undo => app.document().can_undo_redo().0,
            Self::Redo => app.document().can_undo_redo().1,
            Self::Save
            | Self::SaveAs
            | Self::ToggleText
            | Self::Run
            | Self::CompareVariants
            | Self::ZoomAll
            | Self::ShowPlots
            | Self::ShowCompare => app.has_document(),
            Self::Revert => app.has_document() && app.document().changed(),
            Self::CancelRun => app.running(),
            Self::Pin | Self::ExportFigures => app.result().is_some(),
            Self::ExportTraces => app.result().is_some_and(|r| !r.traces.traces.is_empty()),
            _ => true,
        }
    }

    /// Whether it is a switch that stands on now; none if it is no switch.
    pub fn on(self, app: &App) -> Option<bool> {
        app.switched_on(self)
    }

    /// How well `query` fits its name: none if its letters do not all occur in order; smaller is better.
    pub fn fits(self, query: &str) -> Option<usize> {
        fits(self.text(), query)
    }
}

/// How well `query` fits `text`: none if its letters do not all occur in order; smaller is better.
///
/// Gaps between letters count, letters at the start of a word count for more.
pub fn fits(text: &str, query: &str) -> Option<usize> {
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let mut at = 0;
    let mut cost = 0;
    for letter in query.to_lowercase().chars().filter(|c| !c.is_whitespace()) {
        let found = at + text.get(at..)?.iter().position(|c| *c == letter)?;
        let starts_word = found == 0 || !text[found - 1].is_alphanumeric();
        cost += 2 * (found - at) + usize::from(!starts_word);
        at = found + 1;
    }
    Some(cost + text.len() / 8)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_and_shortcuts_are_unique() {
        let names: BTreeSet<_> = Command::ALL.iter().map(|c| c.text()).collect();
        assert_eq!(names.len(), Command::ALL.len());
        let shortcuts: Vec<_> = Command::ALL.iter().flat_map(|c| c.shortcuts()).collect();
        for (i, a) in shortcuts.iter().enumerate() {
            assert!(!shortcuts[..i].contains(a), "{a:?} twice");
        }
        for command in Command::ALL {
            assert!(!command.text().ends_with(':') && !command.tooltip().ends_with('.'));
        }
        let in_menus: usize = Menu::ALL.iter().map(|m| m.commands().count()).sum();
        assert_eq!(in_menus, Command::ALL.len());
    }

    #[test]
    fn palette_finds_by_letters_in_order() {
        assert!(Command::SaveAs.fits("sva").is_some());
        assert!(Command::SaveAs.fits("avs").is_some());
        assert!(Command::SaveAs.fits("xs").is_none());
        assert!(Command::Run.fits("").is_some());
        assert!(Command::Run.fits("run") < Command::CancelRun.fits("run"));
    }
}
