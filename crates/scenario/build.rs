//! Writes the table of presets, so that a new preset file needs no code.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Constant in the generated file, and folder under the workspace root.
const FOLDERS: [(&str, &str); 6] = [
    ("GPU", "profiles/gpu"),
    ("NODE", "profiles/node"),
    ("PSU", "profiles/psu"),
    ("RACK", "profiles/rack"),
    ("STORAGE", "profiles/storage"),
    ("GENSET", "sites/gensets"),
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../..");
    let mut out = String::new();
    for (constant, folder) in FOLDERS {
        let path = root.join(folder);
        println!("cargo::rerun-if-changed={}", path.display());
        writeln!(out, "pub(super) const {constant}: &[(&str, &str)] = &[")?;
        for (name, file) in toml_files(&path)? {
            println!("cargo::rerun-if-changed={}", file.display());
            writeln!(
                out,
                "    ({name:?}, include_str!({:?})),",
                file.canonicalize()?.display().to_string()
            )?;
        }
        writeln!(out, "];")?;
    }
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("presets.rs"), out)?;
    Ok(())
}

/// Name and path of every TOML file of a folder, by name. A folder that is absent has none.
fn toml_files(folder: &Path) -> Result<Vec<(String, PathBuf)>, Box<dyn Error>> {
    let mut files = Vec::new();
    if folder.is_dir() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "toml")
                && let Some(name) = path.file_stem().and_then(|s| s.to_str())
            {
                files.push((name.to_owned(), path));
            }
        }
    }
    files.sort();
    Ok(files)
}
