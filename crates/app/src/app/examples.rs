//! The bundled examples, with the data files that they name.

use std::path::Path;

use crate::platform::{Platform, PlatformError};

/// Folder of their data files, in the folder of the app's data.
pub const FOLDER: &str = "examples";

/// The one that shows most at once.
pub const FIRST: &str = "training-offgrid";

/// A bundled example.
#[derive(Debug, PartialEq, Eq)]
pub struct Example {
    /// Name of its file, without `.toml`.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
    /// Data files that it names, and their text.
    pub files: &'static [(&'static str, &'static str)],
}

/// The examples, in the order of the first page.
pub const ALL: &[Example] = &[
    Example {
        name: FIRST,
        text: include_str!("../../../../examples/training-offgrid.toml"),
        files: &[],
    },
    Example {
        name: "training-resonance",
        text: include_str!("../../../../examples/training-resonance.toml"),
        files: &[],
    },
    Example {
        name: "training-pipeline",
        text: include_str!("../../../../examples/training-pipeline.toml"),
        files: &[],
    },
    Example {
        name: "inference-start",
        text: include_str!("../../../../examples/inference-start.toml"),
        files: &[],
    },
    Example {
        name: "inference-traffic",
        text: include_str!("../../../../examples/inference-traffic.toml"),
        files: &[],
    },
    Example {
        name: "inference-arrivals",
        text: include_str!("../../../../examples/inference-arrivals.toml"),
        files: &[(
            "inference-arrivals.csv",
            include_str!("../../../../examples/inference-arrivals.csv"),
        )],
    },
    Example {
        name: "n-minus-1",
        text: include_str!("../../../../examples/n-minus-1.toml"),
        files: &[],
    },
    Example {
        name: "hall-transfer",
        text: include_str!("../../../../examples/hall-transfer.toml"),
        files: &[],
    },
    Example {
        name: "replay",
        text: include_str!("../../../../examples/replay.toml"),
        files: &[(
            "replay.csv",
            include_str!("../../../../examples/replay.csv"),
        )],
    },
    Example {
        name: "campus",
        text: include_str!("../../../../examples/campus.toml"),
        files: &[],
    },
    Example {
        name: "smallest",
        text: include_str!("../../../../examples/smallest.toml"),
        files: &[],
    },
];

/// The example of that name.
pub fn named(name: &str) -> Option<&'static Example> {
    ALL.iter().find(|e| e.name == name)
}

impl Example {
    /// What it shows: the first sentences of its first comment.
    pub fn about(&self) -> String {
        let lines = self.text.lines().map_while(|l| l.strip_prefix('#'));
        let words: Vec<&str> = lines.map(str::trim).take_while(|l| !l.is_empty()).collect();
        words.join(" ")
    }

    /// Its name as a title.
    pub fn title(&self) -> String {
        let mut name = match self.name {
            "n-minus-1" => "N−1".to_owned(),
            name => name.replace('-', " "),
        };
        if let Some(first) = name.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        name
    }

    /// Writes its data files into `folder`, those that are not there yet.
    ///
    /// # Errors
    /// The system's.
    pub fn write_files(&self, platform: &dyn Platform, folder: &Path) -> Result<(), PlatformError> {
        for (name, text) in self.files {
            let path = folder.join(name);
            if platform.read(&path).is_err() {
                platform.write(&path, text.as_bytes())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_says_what_it_shows_and_brings_its_files() {
        for example in ALL {
            let about = example.about();
            assert!(about.ends_with('.') || about.contains(". "), "{about}");
            for line in example.text.lines().filter(|l| !l.starts_with('#')) {
                let Some((_, file)) = line.split_once("file = \"") else {
                    continue;
                };
                let file = file.split('"').next().unwrap_or_default();
                assert!(
                    example.files.iter().any(|(name, _)| *name == file),
                    "{}: {file}",
                    example.name
                );
            }
        }
        assert!(named(FIRST).is_some());
    }

    #[test]
    fn every_example_of_the_folder_is_bundled() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            if path.extension().is_some_and(|e| e == "toml") && name != "starter" {
                assert!(named(&name).is_some(), "{name}");
            }
        }
    }
}
