//! A stand-in for `libnvidia-ml`: the part of its C interface that Ballast reads, played from a known waveform.
//!
//! Tests load it by its path ([`library`]) through the same wrapper as the real library. What it plays stands in the environment
//! variable `NVML_STANDIN`, `key=value` pairs between semicolons ([`script::Script`]). Nothing here measures anything.
//!
//! The power of GPU k is the waveform, k tenths of a period late. The instant reading is its mean over a window before the last
//! update; the average one is the mean over a second; the energy counter is its integral up to the last update.

mod c;
mod script;

pub use script::{Script, VARIABLE};

use std::path::{Path, PathBuf};

/// File name of the shared library on Linux.
const FILE: &str = "libnvml_standin.so";

/// Where cargo has put the shared library: beside the running test (`target/…/deps`), or above it.
///
/// # Errors
/// The folders that were searched.
pub fn library() -> Result<PathBuf, String> {
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    let folders: Vec<&Path> = program.ancestors().skip(1).take(3).collect();
    folders
        .iter()
        .flat_map(|folder| [folder.join(FILE), folder.join("deps").join(FILE)])
        .find(|path| path.is_file())
        .ok_or_else(|| format!("{FILE} is in none of {folders:?}"))
}

/// A copy of the library at `to` that lacks a symbol: its name is spoilt in the copy, so that looking it up fails.
///
/// # Errors
/// The library is not there, has no such symbol, or the copy cannot be written.
pub fn library_without(symbol: &str, to: &Path) -> Result<PathBuf, String> {
    let mut bytes = std::fs::read(library()?).map_err(|e| e.to_string())?;
    // Names in the symbol table end with a zero; a longer one that starts alike stays.
    let name = [b"\0", symbol.as_bytes(), b"\0"].concat();
    let mut spoilt = 0;
    for at in 0..bytes.len().saturating_sub(name.len()) {
        if bytes[at..at + name.len()] == name {
            bytes[at + 1] = b'-';
            spoilt += 1;
        }
    }
    if spoilt == 0 {
        return Err(format!("the library has no symbol {symbol}"));
    }
    std::fs::write(to, bytes).map_err(|e| e.to_string())?;
    Ok(to.to_owned())
}
