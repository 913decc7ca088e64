//! The app: what is open, what runs, what was found; carries out actions. How the window is laid out stands in `layout`.

mod dialogs;
mod drafts;
pub mod examples;
mod files;
mod input;
mod layout;
mod others;
mod palette;
pub mod prefs;
mod runs;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use ballast_scenario::Problem;

use crate::action::{Action, Actions, Notice};
use crate::command::Command;
use crate::document::Document;
use crate::engine::Engine;
use crate::export::Exports;
use crate::fields::Form;
use crate::live::{LiveModel, Wake};
use crate::platform::{Picked, Platform};
use crate::plot::TimeView;
use crate::result::RunResult;
use crate::theme::Theme;
use crate::views::form::FormView;
use crate::views::live::LiveView;
use crate::views::tiles::Tiles;

use dialogs::Dialog;
use drafts::Drafts;
use examples::Example;
use palette::Palette;
use prefs::Preferences;
use runs::Runs;

/// What the centre shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Page {
    /// Examples and recent files.
    #[default]
    Welcome,
    /// The form, where the window is too narrow to have it at the left.
    Form,
    /// The plots.
    Plots,
    /// The text of the document.
    Text,
    /// The verdicts, where the window is too narrow to have them at the right.
    Verdicts,
    /// Pinned results.
    Compare,
    /// Live power.
    Live,
}

/// What the bottom shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Bottom {
    #[default]
    Problems,
    Jobs,
    Notices,
}

/// Notices that are kept.
const NOTICES: usize = 50;
/// Results that can be pinned at a time.
const PINS: usize = 6;

/// The app.
///
/// It touches files through its [`Platform`] alone, but for one thing: each change of the text is looked at on the window's thread by
/// [`ballast_scenario::load_str`], which reads the preset files that the text names from the disk. For the bundled examples, which name none,
/// that takes 1 to 4 ms; a preset on a slow network drive would be felt while typing.
pub struct App {
    platform: Arc<dyn Platform>,
    ctx: egui::Context,
    engine: Engine,
    prefs: Preferences,
    drafts: Drafts,

    document: Document,
    /// Whether a document is open; without one only the first page is shown.
    open: bool,
    /// The example it was opened from.
    example: Option<&'static Example>,
    /// The file's text when it was read or written last.
    on_disk: Option<Arc<str>>,
    /// The document was brought back from a draft.
    restored: bool,

    form: Form,
    form_view: FormView,
    problems: Vec<Problem>,
    runs: Runs,
    pinned: Vec<Arc<RunResult>>,
    tiles: Tiles,
    exports: Exports,
    live: LiveModel,
    live_view: LiveView,
    time: TimeView,

    page: Page,
    bottom: Bottom,
    bottom_open: bool,
    notices: Vec<Notice>,
    dialog: Option<Dialog>,
    /// What was to be done once the document is saved.
    after_save: Option<dialogs::Then>,
    palette: Option<Palette>,
    /// The text in the editor, and the document's text that it was taken from.
    editor: (String, Arc<str>),
    picks: (Sender<Picked>, Receiver<Picked>),
    title: String,
    /// Size of the window in the last frame.
    window_size: Option<(f32, f32)>,
    leaving: bool,
}

impl App {
    /// The app on this machine. What was open last is opened again; on the first start the first page shows.
    pub fn new(platform: Arc<dyn Platform>, ctx: &egui::Context) -> Self {
        Theme::light().apply(ctx);
        Theme::dark().apply(ctx);
        let prefs = Preferences::read(&*platform);
        ctx.set_theme(prefs.theme.preference());
        let wake: Wake = {
            let ctx = ctx.clone();
            Arc::new(move || ctx.request_repaint())
        };
        let mut app = Self {
            engine: Engine::new(Arc::clone(&platform), wake.clone()),
            drafts: Drafts::new(Arc::clone(&platform)),
            ctx: ctx.clone(),
            prefs,
            document: Document::default(),
            open: false,
            example: None,
            on_disk: None,
            restored: false,
            form: Form::default(),
            form_view: FormView::default(),
            problems: Vec::new(),
            runs: Runs::default(),
            pinned: Vec::new(),
            tiles: Tiles::default(),
            exports: Exports::new(Arc::clone(&platform), wake.clone()),
            live: LiveModel::new(Arc::clone(&platform), wake.clone()),
            live_view: LiveView::default(),
            time: TimeView {
                from_s: 0.0,
                to_s: 1.0,
                whole_s: (0.0, 1.0),
                cursor_s: None,
            },
            page: Page::default(),
            bottom: Bottom::default(),
            bottom_open: false,
            notices: Vec::new(),
            dialog: None,
            after_save: None,
            palette: None,
            editor: (String::new(), Arc::from("")),
            picks: channel(),
            title: String::new(),
            window_size: None,
            leaving: false,
            platform,
        };
        let layout = app.prefs.tiles.clone();
        // A layout that cannot be read leaves the first one.
        app.tiles.set_layout(&layout);
        app.prefs.tiles = app.tiles.layout();
        app.open_at_start();
        app
    }

    /// The document.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Whether a document is open.
    pub fn has_document(&self) -> bool {
        self.open
    }

    /// The form.
    pub fn form(&self) -> &Form {
        &self.form
    }

    /// The result that is shown; it may be older than the document.
    pub fn result(&self) -> Option<&Arc<RunResult>> {
        self.runs.result.as_ref()
    }

    /// Whether the result is older than the document.
    pub fn stale(&self) -> bool {
        self.result()
            .is_some_and(|r| *r.text != *self.document.text())
    }

    /// Problems of the document.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Results kept for comparison.
    pub fn pinned(&self) -> &[Arc<RunResult>] {
        &self.pinned
    }

    /// Messages so far, newest last.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// The time axis that all plots share.
    pub fn time(&self) -> TimeView {
        self.time
    }

    /// What the centre shows.
    pub fn page(&self) -> Page {
        self.page
    }

    /// What is remembered between starts.
    pub fn preferences(&self) -> &Preferences {
        &self.prefs
    }

    /// Whether the user wants to leave, and may.
    pub fn leaving(&self) -> bool {
        self.leaving
    }

    /// Whether something runs for the window.
    pub fn running(&self) -> bool {
        self.engine.shown_progress().is_some()
    }

    /// Whether a switch stands on; none if the command is no switch.
    pub(crate) fn switched_on(&self, command: Command) -> Option<bool> {
        Some(match command {
            Command::ShowPlots => self.page == Page::Plots,
            Command::ToggleText => self.page == Page::Text,
            Command::ShowCompare => self.page == Page::Compare,
            Command::ToggleLive => self.page == Page::Live,
            Command::ToggleForm => self.prefs.show_form,
            Command::ToggleVerdicts => self.prefs.show_verdicts,
            Command::ToggleBottom => self.bottom_open,
            _ => return None,
        })
    }

    /// Takes in what came from beside the window. Called before each frame, also while the window is hidden.
    pub fn logic(&mut self, ctx: &egui::Context) {
        self.take_picks();
        self.take_dropped(ctx);
        self.take_answers();
        self.take_live();
        self.take_exports();
        self.run_when_due(ctx.input(|i| i.time));
        self.guard_close(ctx);
        self.name_window(ctx);
        self.remember_window(ctx);
    }

    /// Draws the window and carries out what was asked for.
    pub fn ui(&mut self, ui: &mut egui::Ui) {
        let mut actions = Actions::default();
        self.shortcuts(ui.ctx(), &mut actions);
        self.window(ui, &mut actions);
        self.all(actions);
        if !ui.ctx().input(|i| i.pointer.any_down()) {
            self.remember_tiles();
        }
    }

    /// Carries out an action.
    pub fn act(&mut self, action: Action) {
        match action {
            Action::Command(command) => self.command(command),
            Action::Set { path, value } => {
                let done = self.document.set(&path, &value);
                self.edited(done.map_err(|e| e.to_string()));
            }
            Action::Reset(path) => {
                let done = self.document.reset(&path);
                self.edited(done.map_err(|e| e.to_string()));
            }
            Action::AddEntry(path) => {
                let done = self.document.add_entry(&path);
                self.edited(done.map_err(|e| e.to_string()));
            }
            Action::RemoveEntry(path) => {
                let done = self.document.remove_entry(&path);
                self.edited(done.map_err(|e| e.to_string()));
            }
            Action::SetText(text) => {
                self.open = true;
                self.document.set_text(text);
                self.edited(Ok(()));
            }
            Action::Open(path) => self.guarded(dialogs::Then::Open(path)),
            Action::OpenExample(name) => {
                if let Some(example) = examples::named(&name) {
                    self.guarded(dialogs::Then::Example(example));
                }
            }
            Action::Cursor(at_s) => self.time.cursor_s = at_s,
            Action::Zoom { from_s, to_s } => self.zoom(from_s, to_s),
            Action::ZoomAll => (self.time.from_s, self.time.to_s) = self.time.whole_s,
            Action::JumpTo(at_s) => self.jump(at_s),
            Action::FocusField(path) => {
                self.prefs.show_form = true;
                if self.page == Page::Verdicts || self.page == Page::Welcome {
                    self.page = Page::Plots;
                }
                self.form_view.focus = Some(path);
                self.page_for_form();
            }
            Action::ToggleTile(tile) => self.toggle_tile(tile),
            Action::Pin => self.pin(),
            Action::Unpin(number) => {
                let beside = if self.runs.compared.is_empty() {
                    &mut self.pinned
                } else {
                    &mut self.runs.compared
                };
                if number < beside.len() {
                    beside.remove(number);
                }
            }
            Action::CancelJob(id) => self.engine.cancel(id),
            Action::ShowJob(id) => self.show_job(id),
            Action::Say(notice) => self.say(notice),
            Action::Live(action) => self.live(action),
        }
        self.ctx.request_repaint();
    }

    fn command(&mut self, command: Command) {
        if !command.enabled(self) {
            return;
        }
        match command {
            Command::New => self.guarded(dialogs::Then::New),
            Command::Open => self.guarded(dialogs::Then::Choose),
            Command::Save => self.save(),
            Command::SaveAs => self.save_as(),
            Command::Undo => {
                self.document.undo();
                self.edited(Ok(()));
            }
            Command::Redo => {
                self.document.redo();
                self.edited(Ok(()));
            }
            Command::Run => self.run_now(),
            Command::CancelRun => self.cancel_run(),
            Command::Pin => self.pin(),
            Command::CompareVariants => self.compare_variants(),
            Command::ExportFigures => self.export_figures(),
            Command::ExportTraces => self.export_traces(),
            Command::ZoomAll => self.act(Action::ZoomAll),
            Command::Palette => self.palette = Some(Palette::default()),
            Command::ToggleTheme => {
                self.prefs.theme = self.prefs.theme.next();
                self.ctx.set_theme(self.prefs.theme.preference());
                self.prefs.write(&self.platform);
                self.inform(self.prefs.theme.text());
            }
            Command::ResetLayout => {
                self.tiles.reset();
                (self.prefs.show_form, self.prefs.show_verdicts) = (true, true);
                self.bottom_open = false;
                self.ctx.memory_mut(egui::Memory::reset_areas);
                self.prefs.layout += 1;
                self.prefs.write(&self.platform);
            }
            Command::ToggleText => self.toggle_page(Page::Text),
            Command::ToggleLive => self.toggle_page(Page::Live),
            Command::ShowPlots => self.page = Page::Plots,
            Command::ShowCompare => self.page = Page::Compare,
            Command::Welcome => self.page = Page::Welcome,
            Command::ToggleForm => {
                self.prefs.show_form ^= true;
                self.prefs.write(&self.platform);
            }
            Command::ToggleVerdicts => {
                self.prefs.show_verdicts ^= true;
                self.prefs.write(&self.platform);
            }
            Command::ToggleBottom => self.bottom_open ^= true,
            Command::Revert => self.revert(),
            Command::Shortcuts => self.dialog = Some(Dialog::Shortcuts),
            Command::About => self.dialog = Some(Dialog::About),
            Command::Quit => self.guarded(dialogs::Then::Leave),
        }
    }

    fn toggle_page(&mut self, page: Page) {
        self.page = match (self.page == page, self.open) {
            (false, _) => page,
            (true, true) => Page::Plots,
            (true, false) => Page::Welcome,
        };
    }

    /// The document has changed, or the change was refused.
    fn edited(&mut self, done: Result<(), String>) {
        if let Err(problem) = done {
            self.say(Notice {
                error: true,
                text: format!("Not changed: {problem}"),
            });
            return;
        }
        self.look_at_text();
        if self.document.changed() {
            let path = self.document.path().map(Path::to_owned);
            self.drafts
                .keep(self.document.text(), path, self.example.map(|e| e.name));
        } else {
            self.drafts.drop_mine();
        }
    }

    fn zoom(&mut self, from_s: f64, to_s: f64) {
        if from_s.is_finite() && to_s.is_finite() && to_s > from_s {
            (self.time.from_s, self.time.to_s) = (from_s, to_s);
        }
    }

    /// Shows the moment with a twentieth of the run on each side, but at least 1 s and at most 30 s.
    fn jump(&mut self, at_s: f64) {
        let (start_s, end_s) = self.time.whole_s;
        let around_s = ((end_s - start_s) / 20.0).clamp(1.0, 30.0);
        let width_s = (2.0 * around_s).min(end_s - start_s);
        let from_s = (at_s - around_s).clamp(start_s, (end_s - width_s).max(start_s));
        self.zoom(from_s, from_s + width_s);
        self.time.cursor_s = Some(at_s);
        self.page = Page::Plots;
    }

    fn pin(&mut self) {
        let Some(result) = self.runs.result.clone() else {
            return;
        };
        if self.pinned.iter().any(|p| Arc::ptr_eq(p, &result)) {
            self.inform("This result is pinned already");
        } else if self.pinned.len() == PINS {
            self.warn("Six results are pinned: remove one on the Compare page first");
        } else {
            self.pinned.push(result);
            // The page shows either; the latest wish counts.
            self.runs.compared.clear();
            self.inform("Result pinned: change something to compare with it");
        }
    }

    fn inform(&mut self, text: impl Into<String>) {
        self.say(Notice {
            error: false,
            text: text.into(),
        });
    }

    fn warn(&mut self, text: impl Into<String>) {
        self.say(Notice {
            error: true,
            text: text.into(),
        });
    }

    fn say(&mut self, notice: Notice) {
        if notice.error {
            self.bottom_open = true;
            self.bottom = Bottom::Notices;
        }
        self.notices.push(notice);
        if self.notices.len() > NOTICES {
            self.notices.remove(0);
        }
    }

    /// Name of the document: of its file, of the example, or none yet.
    fn name(&self) -> String {
        let file = self.document.path().and_then(Path::file_stem);
        match (file, self.example) {
            (Some(name), _) => name.to_string_lossy().into_owned(),
            (None, Some(example)) => example.name.to_owned(),
            (None, None) => "untitled".to_owned(),
        }
    }

    /// Folder that the document's files are relative to.
    fn base_dir(&self) -> PathBuf {
        let folder = self.document.path().and_then(Path::parent);
        match (folder, self.example, self.platform.data_dir()) {
            (Some(folder), ..) => folder.to_owned(),
            (None, Some(_), Some(data)) => data.join(examples::FOLDER),
            _ => PathBuf::from("."),
        }
    }

    /// Remembers the size of the window, once it no longer changes.
    fn remember_window(&mut self, ctx: &egui::Context) {
        let size = ctx.input(|i| i.viewport().inner_rect).map(|r| r.size());
        let size = size.map(|s| (s.x.round(), s.y.round()));
        let settled = size == self.window_size && !ctx.input(|i| i.pointer.any_down());
        if settled && size.is_some() && size != self.prefs.window {
            self.prefs.window = size;
            self.prefs.write(&self.platform);
        }
        self.window_size = size;
    }

    fn name_window(&mut self, ctx: &egui::Context) {
        let title = if self.open {
            let mark = if self.document.changed() { "*" } else { "" };
            format!("{}{mark} — Ballast", self.name())
        } else {
            "Ballast".to_owned()
        };
        if title != self.title {
            ctx.send_viewport_cmd(egui::ViewportCommand::Title(title.clone()));
            self.title = title;
        }
    }
}
