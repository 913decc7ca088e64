//! The desktop's own file dialogs, on a thread; where there are none, the app asks in its window.

use std::path::{Path, PathBuf};

use rfd::FileDialog;

use crate::platform::Pick;

/// Whether the desktop can show a dialog: through its portal, or zenity in place of one.
pub(super) fn available() -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty());
    let bus = set("DBUS_SESSION_BUS_ADDRESS").is_some()
        || set("XDG_RUNTIME_DIR").is_some_and(|d| Path::new(&d).join("bus").exists());
    let portal = ["/usr/share", "/usr/local/share"].iter().any(|share| {
        let folder = Path::new(share).join("xdg-desktop-portal/portals");
        std::fs::read_dir(folder).is_ok_and(|mut all| all.next().is_some())
    });
    let zenity = set("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|p| p.join("zenity").exists()));
    (bus && portal) || zenity
}

/// Asks, and waits for the answer.
pub(super) fn ask(what: &Pick) -> Option<PathBuf> {
    let scenario = |d: FileDialog| d.add_filter("Scenario", &["toml"]);
    let dialog = FileDialog::new();
    match what {
        Pick::OpenScenario => scenario(dialog).set_title("Open a scenario").pick_file(),
        Pick::SaveScenario(name) => scenario(dialog)
            .set_title("Save the scenario")
            .set_file_name(name)
            .save_file(),
        Pick::FigureFolder => dialog.set_title("Folder for the figures").pick_folder(),
        Pick::SaveTraces(name) => dialog
            .set_title("Save the traces")
            .add_filter("Parquet", &["parquet"])
            .add_filter("CSV", &["csv"])
            .set_file_name(name)
            .save_file(),
        Pick::OpenRecording => dialog
            .set_title("Open a recording")
            .add_filter(
                "Recordings and logs",
                &["parquet", "csv", "json", "txt", "log"],
            )
            .pick_file(),
        Pick::SaveProfile(name) => dialog
            .set_title("Save the profile")
            .add_filter("Profile", &["toml"])
            .set_file_name(name)
            .save_file(),
        Pick::SaveRecording(name) => dialog
            .set_title("Save the recording")
            .add_filter("Parquet", &["parquet"])
            .set_file_name(name)
            .save_file(),
    }
}
