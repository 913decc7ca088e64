//! Members of a comparison: files, and the variants in them.

use std::path::{Path, PathBuf};

use ballast_scenario::{Patch, Problem};
use ballast_study::Ready;

use crate::load;

/// Something to run, with its name.
pub(crate) struct Member {
    /// Name in tables and figures; no two are equal.
    pub(crate) name: String,
    /// What it tries; may be empty.
    pub(crate) description: String,
    /// Its file.
    pub(crate) file: PathBuf,
    /// What to run.
    pub(crate) ready: Ready,
}

/// Every file as it stands and every variant in it, in order; of the variants only those in `only`, if any are named.
///
/// # Errors
/// All problems of all of them; a variant that no file has; nothing to compare with.
pub(crate) fn gather(
    files: &[PathBuf],
    patches: &[Patch],
    only: &[String],
) -> Result<Vec<Member>, Vec<Problem>> {
    let (mut members, mut problems) = (Vec::new(), Vec::new());
    let mut known: Vec<String> = Vec::new();
    for file in files {
        match load::load_all(file, patches) {
            Ok(all) => {
                known.extend(all.iter().filter_map(|r| r.loaded.variant.clone()));
                let asked = |r: &Ready| {
                    let name = r.loaded.variant.as_ref();
                    name.is_none_or(|n| only.is_empty() || only.contains(n))
                };
                let all = all.into_iter().filter(asked);
                members.extend(all.map(|ready| member(file, ready, files.len() > 1)));
            }
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() {
        let missing = only.iter().filter(|n| !known.contains(n));
        problems.extend(missing.map(|name| {
            let help = if known.is_empty() {
                "write [[variant]] with `name` and [variant.set]".to_owned()
            } else {
                format!("variants: {}", known.join(", "))
            };
            argument("--variant", format!("no variant `{name}`"), &help)
        }));
    }
    if problems.is_empty() && members.len() < 2 {
        problems.push(argument(
            "",
            "there is nothing to compare with".to_owned(),
            "name a second file, or write [[variant]] with `name` and [variant.set] in the scenario",
        ));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    distinguish(&mut members);
    Ok(members)
}

fn argument(key: &str, message: String, help: &str) -> Problem {
    Problem {
        file: "ballast compare".to_owned(),
        line: None,
        column: None,
        key: key.to_owned(),
        message,
        help: help.to_owned(),
    }
}

fn member(file: &Path, ready: Ready, several: bool) -> Member {
    let head = &ready.loaded.scenario.scenario;
    let variant = ready.loaded.variant.as_ref();
    let of_variant = variant.and_then(|n| ready.loaded.variants.iter().find(|v| v.name == *n));
    let (name, description) = match of_variant {
        Some(v) if several => (format!("{}: {}", head.name, v.name), v.description.clone()),
        Some(v) => (v.name.clone(), v.description.clone()),
        None => (head.name.clone(), head.description.clone()),
    };
    Member {
        name,
        description,
        file: file.to_owned(),
        ready,
    }
}

/// Two files of one name are told apart by the file; what is still equal, by a number.
fn distinguish(members: &mut [Member]) {
    for at in 1..members.len() {
        let taken = |name: &str, members: &[Member]| members[..at].iter().any(|m| m.name == name);
        if !taken(&members[at].name, members) {
            continue;
        }
        let stem = members[at].file.file_stem().unwrap_or_default();
        let by_file = format!("{} ({})", members[at].name, stem.to_string_lossy());
        let names =
            std::iter::once(by_file).chain((2..).map(|n| format!("{} ({n})", members[at].name)));
        if let Some(name) = names.into_iter().find(|n| !taken(n, members)) {
            members[at].name = name;
        }
    }
}

/// A name as part of a path: letters, digits and `-`.
pub(crate) fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= 40 {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "variant" } else { slug }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn slugs_are_plain() {
        assert_eq!(slug("Three sets, 0.5 MWh"), "three-sets-0-5-mwh");
        assert_eq!(slug("../.."), "variant");
        assert_eq!(slug("β"), "variant");
        assert!(slug(&"a".repeat(200)).len() <= 40);
    }
}
