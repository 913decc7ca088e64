//! What is remembered between starts: theme, recent files, what was open, size of the window.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::platform::Platform;
use crate::theme::ThemeChoice;

/// Recent files that are kept.
const RECENT: usize = 10;

/// What is remembered between starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// Theme.
    pub theme: ThemeChoice,
    /// Files opened or saved, newest first.
    pub recent: Vec<PathBuf>,
    /// What was open last.
    pub last: Option<Last>,
    /// Width and height of the window, points.
    pub window: Option<(f32, f32)>,
    /// Whether the form is shown.
    pub show_form: bool,
    /// Whether the verdicts are shown.
    pub show_verdicts: bool,
    /// How the tiles lie.
    pub tiles: String,
    /// How often the layout was reset: panels of a new number begin at their first size.
    pub layout: u32,
}

/// What was open last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Last {
    /// A file.
    File(PathBuf),
    /// The bundled example of that name.
    Example(String),
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            theme: ThemeChoice::default(),
            recent: Vec::new(),
            last: None,
            window: None,
            show_form: true,
            show_verdicts: true,
            tiles: String::new(),
            layout: 0,
        }
    }
}

fn file(platform: &dyn Platform) -> Option<PathBuf> {
    Some(platform.data_dir()?.join("preferences.json"))
}

impl Preferences {
    /// Those of this machine; the first ones where there are none, or none that can be read.
    pub fn read(platform: &dyn Platform) -> Self {
        file(platform)
            .and_then(|path| platform.read(&path).ok())
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default()
    }

    /// Writes them beside the window. Nothing is lost that matters if that fails.
    pub fn write(&self, platform: &Arc<dyn Platform>) {
        let (Some(path), Ok(text)) = (file(&**platform), serde_json::to_string_pretty(self)) else {
            return;
        };
        let on = Arc::clone(platform);
        platform.spawn(
            "preferences",
            Box::new(move || drop(on.write(&path, text.as_bytes()))),
        );
    }

    /// Puts a file at the head of the recent ones.
    pub fn opened(&mut self, path: &Path) {
        self.recent.retain(|p| p != path);
        self.recent.insert(0, path.to_owned());
        self.recent.truncate(RECENT);
        self.last = Some(Last::File(path.to_owned()));
    }
}
