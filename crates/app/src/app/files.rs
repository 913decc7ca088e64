//! Opening and saving; nothing that was typed is lost on the way.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::action::Notice;
use crate::document::Document;
use crate::platform::{Pick, PlatformError, text_of};
use crate::views::form::FormView;

use super::dialogs::{Dialog, Then};
use super::examples::{self, Example};
use super::prefs::Last;
use super::{App, Bottom, Page, examples::FOLDER};

impl App {
    /// A draft that was left behind, else what was open last, else the first page.
    pub(super) fn open_at_start(&mut self) {
        if self.restore() {
            return;
        }
        match self.prefs.last.clone() {
            Some(Last::File(path)) => self.open_file(&path),
            Some(Last::Example(name)) => {
                if let Some(example) = examples::named(&name) {
                    self.open_example(example);
                }
            }
            None => {}
        }
    }

    /// Brings back the newest draft of a start that was killed.
    fn restore(&mut self) -> bool {
        let Some((file, draft)) = self.drafts.lost() else {
            return false;
        };
        let example = draft.example.as_deref().and_then(examples::named);
        let on_disk = draft
            .path
            .as_deref()
            .and_then(|p| self.platform.read(p).ok());
        let saved = on_disk
            .clone()
            .or_else(|| example.map(|e| e.text.to_owned()))
            .unwrap_or_default();
        self.take(Document::new(saved, draft.path.clone()), example);
        self.on_disk = on_disk.map(Arc::from);
        if self.document.text() != draft.text {
            self.document.replace_text(draft.text);
            self.restored = true;
        }
        self.edited(Ok(()));
        self.drafts.remove(&file);
        self.restored
    }

    /// Shows this document from now on.
    fn take(&mut self, document: Document, example: Option<&'static Example>) {
        self.document = document;
        self.example = example;
        self.open = true;
        self.on_disk = None;
        self.restored = false;
        self.form_view = FormView::default();
        self.page = Page::Plots;
        self.forget_result();
        self.look_at_text();
        self.drafts.drop_mine();
    }

    pub(super) fn open_new(&mut self) {
        self.take(
            Document::new(ballast_scenario::starter("untitled"), None),
            None,
        );
    }

    pub(super) fn open_example(&mut self, example: &'static Example) {
        if let Some(data) = self.platform.data_dir()
            && let Err(e) = example.write_files(&*self.platform, &data.join(FOLDER))
        {
            self.warn(format!(
                "The data files of this example could not be written ({e}): make room or check the rights, then open it again"
            ));
        }
        self.take(Document::new(example.text.to_owned(), None), Some(example));
        self.prefs.last = Some(Last::Example(example.name.to_owned()));
        self.prefs.write(&self.platform);
    }

    pub(super) fn open_file(&mut self, path: &Path) {
        match self.platform.read(path) {
            Ok(text) => self.open_text(path, text),
            Err(e) => {
                self.prefs.recent.retain(|p| p != path);
                if self.prefs.last.as_ref() == Some(&Last::File(path.to_owned())) {
                    self.prefs.last = None;
                }
                self.prefs.write(&self.platform);
                let text = match &e {
                    PlatformError::File { source, .. }
                        if source.kind() == std::io::ErrorKind::NotFound =>
                    {
                        format!(
                            "{} is not there any more: choose another file",
                            path.display()
                        )
                    }
                    _ => format!("Not opened: {e}"),
                };
                self.warn(text);
            }
        }
    }

    fn open_text(&mut self, path: &Path, text: String) {
        let broken = match scenario_like(path, &text) {
            Ok(broken) => broken,
            Err(why) => return self.warn(why),
        };
        self.take(Document::new(text.clone(), Some(path.to_owned())), None);
        self.on_disk = Some(Arc::from(text));
        self.prefs.opened(path);
        self.prefs.write(&self.platform);
        if broken {
            self.show_broken(path);
        }
    }

    fn show_broken(&mut self, path: &Path) {
        self.warn(format!(
            "{} is damaged: it is shown as text, with the place of the first error below",
            path.display()
        ));
        self.page = Page::Text;
        self.bottom_open = true;
        self.bottom = Bottom::Problems;
    }

    /// Files dropped on the window.
    pub(super) fn take_dropped(&mut self, ctx: &egui::Context) {
        let files = ctx.input_mut(|i| std::mem::take(&mut i.raw.dropped_files));
        let Some(file) = files.into_iter().next() else {
            return;
        };
        // Browsers and sandboxes tell a name alone: then what was dropped is all there is.
        if file.path().is_absolute() {
            return self.guarded(Then::Open(file.path().to_owned()));
        }
        self.take_bytes(&*file);
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn take_bytes(&mut self, file: &dyn egui::DroppedFile) {
        let name = match file.path().file_name() {
            Some(name) => PathBuf::from(name),
            None => PathBuf::from("The dropped file"),
        };
        let text = match file.bytes() {
            Ok(bytes) => text_of(&name, bytes).map_err(|e| e.to_string()),
            Err(e) => Err(format!("{} cannot be read: {e}", name.display())),
        };
        match text {
            Ok(text) => self.guarded(Then::Text(name, text)),
            Err(e) => self.warn(format!("Not opened: {e}")),
        }
    }

    #[cfg(target_arch = "wasm32")]
    fn take_bytes(&mut self, _: &dyn egui::DroppedFile) {
        self.warn("Not opened: paste the text of the file on the page Text".to_owned());
    }

    /// Opens a text that has no file: all of it is unsaved.
    pub(super) fn open_pathless(&mut self, name: &Path, text: String) {
        let broken = match scenario_like(name, &text) {
            Ok(broken) => broken,
            Err(why) => return self.warn(why),
        };
        self.take(Document::new(String::new(), None), None);
        self.document.replace_text(text);
        self.edited(Ok(()));
        if broken {
            self.show_broken(name);
        }
    }

    pub(super) fn save(&mut self) {
        let Some(path) = self.document.path().map(Path::to_owned) else {
            return self.save_as();
        };
        // Somebody else's change is not overwritten without a word.
        if let Ok(now) = self.platform.read(&path)
            && self.on_disk.as_deref() != Some(&*now)
            && now != self.document.text()
        {
            self.dialog = Some(Dialog::Overwrite(path));
            return;
        }
        self.write_to(&path);
    }

    pub(super) fn save_as(&mut self) {
        let name = format!("{}.toml", self.name());
        self.platform
            .pick(Pick::SaveScenario(name), self.picks.0.clone());
    }

    /// Writes the document; if that fails it stays as it is, unsaved.
    pub(super) fn write_to(&mut self, path: &Path) {
        let text = self.document.text().to_owned();
        if let Err(e) = self.platform.write(path, text.as_bytes()) {
            self.after_save = None;
            self.warn(format!(
                "Not saved: {}. The document is kept here and as a draft",
                what_to_do(&e)
            ));
            return;
        }
        // Data files travel with a copy of the example that names them.
        if let (Some(example), Some(folder)) = (self.example, path.parent())
            && let Err(e) = example.write_files(&*self.platform, folder)
        {
            self.warn(format!(
                "The data files that this scenario names could not be written beside it: {}",
                what_to_do(&e)
            ));
        }
        self.document.saved(path.to_owned());
        self.example = None;
        self.on_disk = Some(Arc::from(text));
        self.restored = false;
        self.drafts.drop_mine();
        self.prefs.opened(path);
        self.prefs.write(&self.platform);
        self.inform(format!("Saved {}", path.display()));
        if let Some(then) = self.after_save.take() {
            self.go_on(then);
        }
    }

    /// Takes the text of the file, or of the example, again.
    pub(super) fn revert(&mut self) {
        let text = match (self.document.path(), self.example) {
            (Some(path), _) => self.platform.read(path).map_err(|e| e.to_string()),
            (None, Some(example)) => Ok(example.text.to_owned()),
            (None, None) => Ok(ballast_scenario::starter("untitled")),
        };
        match text {
            Ok(text) => {
                if self.document.path().is_some() {
                    self.on_disk = Some(Arc::from(&*text));
                }
                self.document.replace_text(text);
                self.restored = false;
                self.edited(Ok(()));
            }
            Err(e) => self.warn(format!("Not reverted: {e}")),
        }
    }

    /// Answers of dialogs.
    pub(super) fn take_picks(&mut self) {
        while let Ok((what, path)) = self.picks.1.try_recv() {
            let Some(path) = path else {
                self.after_save = None;
                continue;
            };
            match what {
                Pick::OpenScenario => self.open_file(&path),
                Pick::SaveScenario(_) => self.write_to(&with_ending(path)),
                _ => {}
            }
        }
        if self.dialog.is_none()
            && let Some((what, reply)) = self.platform.take_prompt()
        {
            self.dialog = Some(Dialog::prompt(what, reply));
        }
        if let Some(problem) = self.drafts.problem() {
            self.say(Notice {
                error: true,
                text: format!(
                    "Drafts cannot be kept ({problem}): make room, and save your changes meanwhile"
                ),
            });
        }
    }
}

/// A scenario without an ending gets one.
fn with_ending(path: PathBuf) -> PathBuf {
    if path.extension().is_none() {
        path.with_extension("toml")
    } else {
        path
    }
}

/// What went wrong, and what to do.
fn what_to_do(e: &PlatformError) -> String {
    use std::io::ErrorKind;
    let PlatformError::File { path, source } = e else {
        return e.to_string();
    };
    let path = path.display();
    match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            format!("the disk of {path} is full; make room or save elsewhere")
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            format!("{path} may not be written; save elsewhere")
        }
        ErrorKind::NotFound => format!("the folder of {path} is not there; save elsewhere"),
        _ => format!("{e}; save elsewhere"),
    }
}

/// Whether a text is a scenario that is damaged; an error if it is none at all.
fn scenario_like(path: &Path, text: &str) -> Result<bool, String> {
    let named_so = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("toml"));
    let broken = text.parse::<toml_edit::DocumentMut>().is_err();
    if broken && !named_so {
        return Err(format!(
            "{} is no scenario: choose a file that ends in .toml. Recordings and logs open on the page Live power; traces are named in a scenario",
            path.display()
        ));
    }
    Ok(broken)
}
