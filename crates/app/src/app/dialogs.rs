//! Questions that the window asks, one at a time.

use std::path::PathBuf;
use std::sync::mpsc::Sender;

use crate::command::Command;
use crate::platform::{Pick, Picked};
use crate::theme::Theme;

use super::App;
use super::examples::Example;

/// What the user wants to do with the open document gone.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Then {
    /// Begin a new one.
    New,
    /// Choose another.
    Choose,
    /// Open this file.
    Open(PathBuf),
    /// Open a text that came without a path of its own: its name, and what it says.
    Text(PathBuf, String),
    /// Open an example.
    Example(&'static Example),
    /// Close the window.
    Leave,
}

/// A question.
pub(super) enum Dialog {
    /// There are changes that were not saved.
    Unsaved(Then),
    /// The file was changed by someone else.
    Overwrite(PathBuf),
    /// Which path? On a machine without dialogs of its own.
    Path {
        what: Pick,
        reply: Sender<Picked>,
        text: String,
    },
    /// All shortcuts.
    Shortcuts,
    /// What this is.
    About,
}

impl Dialog {
    pub(super) fn prompt(what: Pick, reply: Sender<Picked>) -> Self {
        let text = match &what {
            Pick::SaveScenario(name)
            | Pick::SaveTraces(name)
            | Pick::SaveProfile(name)
            | Pick::SaveRecording(name) => name.clone(),
            _ => String::new(),
        };
        Self::Path { what, reply, text }
    }

    fn title(&self) -> &'static str {
        match self {
            Self::Unsaved(_) => "Save your changes?",
            Self::Overwrite(_) => "The file has changed",
            Self::Path { what, .. } => match what {
                Pick::OpenScenario => "Open a scenario",
                Pick::SaveScenario(_) => "Save the scenario",
                Pick::FigureFolder => "Folder for the figures",
                Pick::SaveTraces(_) => "Save the traces",
                Pick::OpenRecording => "Open a recording",
                Pick::SaveProfile(_) => "Save the profile",
                Pick::SaveRecording(_) => "Save the recording",
            },
            Self::Shortcuts => "Keyboard shortcuts",
            Self::About => "Ballast",
        }
    }
}

/// What the user answered.
#[derive(Clone, Copy)]
enum Answer {
    Save,
    Discard,
    Overwrite,
    SaveAs,
    Reload,
    Path,
    Close,
}

impl App {
    /// Does it at once if nothing would be lost, else asks.
    pub(super) fn guarded(&mut self, then: Then) {
        if self.open && self.document.changed() {
            self.dialog = Some(Dialog::Unsaved(then));
        } else {
            self.go_on(then);
        }
    }

    pub(super) fn go_on(&mut self, then: Then) {
        match then {
            Then::New => self.open_new(),
            Then::Choose => self.platform.pick(Pick::OpenScenario, self.picks.0.clone()),
            Then::Open(path) => self.open_file(&path),
            Then::Text(name, text) => self.open_pathless(&name, text),
            Then::Example(example) => self.open_example(example),
            Then::Leave => {
                self.leaving = true;
                self.drafts.drop_mine();
                self.ctx.send_viewport_cmd(egui::ViewportCommand::Close);
            }
        }
    }

    /// The window is to be closed from outside.
    pub(super) fn guard_close(&mut self, ctx: &egui::Context) {
        if self.leaving || !ctx.input(|i| i.viewport().close_requested()) {
            return;
        }
        if self.open && self.document.changed() {
            ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
            self.dialog = Some(Dialog::Unsaved(Then::Leave));
            ctx.request_repaint();
        } else {
            self.leaving = true;
        }
    }

    /// Leaves without asking.
    #[cfg(feature = "desktop")]
    pub(crate) fn leave_at_once(&mut self) {
        self.leaving = true;
        self.ctx.send_viewport_cmd(egui::ViewportCommand::Close);
    }

    /// Draws the open question and takes the answer.
    pub(super) fn dialogs(&mut self, ctx: &egui::Context) {
        let Some(mut dialog) = self.dialog.take() else {
            return;
        };
        let theme = Theme::of(ctx);
        let name = self.name();
        let shown = egui::Modal::new(egui::Id::unique("dialog"))
            .frame(theme.dialog_frame())
            .show(ctx, |ui| {
                let width = theme.panels().dialog_width;
                ui.set_width(width.min(ui.ctx().content_rect().width() - 2.0 * theme.space().huge));
                ui.heading(dialog.title());
                ui.add_space(theme.space().medium);
                dialog.show(ui, theme, &name)
            });
        let answer = shown
            .inner
            .or_else(|| shown.should_close().then_some(Answer::Close));
        match answer {
            None => self.dialog = Some(dialog),
            Some(answer) => self.answered(dialog, answer),
        }
    }

    fn answered(&mut self, dialog: Dialog, answer: Answer) {
        match (dialog, answer) {
            (Dialog::Unsaved(then), Answer::Save) => {
                self.after_save = Some(then);
                self.save();
            }
            (Dialog::Unsaved(then), Answer::Discard) => self.go_on(then),
            (Dialog::Overwrite(path), Answer::Overwrite) => self.write_to(&path),
            (Dialog::Overwrite(_), Answer::SaveAs) => self.save_as(),
            (Dialog::Overwrite(_), Answer::Reload) => {
                self.after_save = None;
                self.revert();
            }
            (Dialog::Overwrite(_), _) => self.after_save = None,
            (Dialog::Path { what, reply, text }, answer) => {
                let text = text.trim();
                let path = (matches!(answer, Answer::Path) && !text.is_empty())
                    .then(|| PathBuf::from(text));
                // Who asked may be gone: then nobody needs the answer.
                drop(reply.send((what, path)));
            }
            _ => {}
        }
        self.ctx.request_repaint();
    }
}

impl Dialog {
    fn show(&mut self, ui: &mut egui::Ui, theme: &Theme, name: &str) -> Option<Answer> {
        match self {
            Self::Unsaved(_) => {
                ui.label(format!("{name} has changes that are not saved."));
                ui.add_space(theme.space().large);
                buttons(
                    ui,
                    &[
                        ("Save", Answer::Save),
                        ("Discard", Answer::Discard),
                        ("Cancel", Answer::Close),
                    ],
                )
            }
            Self::Overwrite(path) => {
                ui.label(format!(
                    "{} was changed by another program since it was opened here. Overwrite it, save under another name, or take the file's text (undo brings yours back)?",
                    path.display()
                ));
                ui.add_space(theme.space().large);
                buttons(
                    ui,
                    &[
                        ("Overwrite", Answer::Overwrite),
                        ("Save as…", Answer::SaveAs),
                        ("Take the file's text", Answer::Reload),
                        ("Cancel", Answer::Close),
                    ],
                )
            }
            Self::Path { what, text, .. } => {
                let label = ui.label(if *what == Pick::FigureFolder {
                    "Path of the folder"
                } else {
                    "Path of the file"
                });
                let field = egui::TextEdit::singleline(text).desired_width(f32::INFINITY);
                let field = ui.add(field).labelled_by(label.id);
                let entered = field.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
                if !field.has_focus() && !entered && ui.memory(|m| m.focused().is_none()) {
                    field.request_focus();
                }
                ui.add_space(theme.space().large);
                let clicked = buttons(ui, &[("OK", Answer::Path), ("Cancel", Answer::Close)]);
                clicked.or_else(|| entered.then_some(Answer::Path))
            }
            Self::Shortcuts => {
                let height = ui.ctx().content_rect().height() * 0.6;
                egui::ScrollArea::vertical()
                    .max_height(height)
                    .show(ui, |ui| {
                        egui::Grid::new("shortcuts").striped(true).show(ui, |ui| {
                            for command in Command::ALL {
                                let keys: Vec<String> = command
                                    .shortcuts()
                                    .iter()
                                    .map(|s| ui.ctx().format_shortcut(s))
                                    .collect();
                                if !keys.is_empty() {
                                    ui.label(command.text());
                                    ui.label(keys.join(" or "));
                                    ui.end_row();
                                }
                            }
                        });
                    });
                ui.add_space(theme.space().medium);
                ui.label("Tab and Shift+Tab move between fields, Enter and Space press a button, Escape closes.");
                ui.add_space(theme.space().large);
                buttons(ui, &[("Close", Answer::Close)])
            }
            Self::About => {
                ui.label(concat!("Version ", env!("CARGO_PKG_VERSION")));
                ui.label("Will this GPU cluster's power swing the generators that feed it, and what keeps them steady?");
                ui.label("Licence: MIT or Apache-2.0.");
                ui.add_space(theme.space().large);
                buttons(ui, &[("Close", Answer::Close)])
            }
        }
    }
}

/// A row of buttons; the answer of the one that was clicked. The first has the focus at first.
fn buttons(ui: &mut egui::Ui, all: &[(&str, Answer)]) -> Option<Answer> {
    let mut clicked = None;
    ui.horizontal_wrapped(|ui| {
        for (i, (text, answer)) in all.iter().enumerate() {
            let button = ui.button(*text);
            if i == 0 && ui.memory(|m| m.focused().is_none()) {
                button.request_focus();
            }
            if button.clicked() {
                clicked = Some(*answer);
            }
        }
    });
    clicked
}
