//! Whose files a folder holds: Ballast replaces and removes its own only.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use ballast_scenario::Problem;
use serde_json::Value;

use super::{Kind, ZOOM, help_for, problem};

/// Files that a run may write beside its figures.
const FILES: [&str; 5] = [
    "outcome.json",
    "run.json",
    "traces.parquet",
    "traces.csv",
    "traces.partial.parquet",
];
/// Figures, each as SVG and PNG.
const FIGURES: [&str; 8] = [
    "power-frequency",
    "power",
    "worst-moment",
    "resonance",
    "spectrum",
    "envelope",
    "load-duration",
    "storage",
];
/// Figures of contingencies, each as SVG and PNG, are numbered; names beyond this are not looked for before a run.
const MOST_CONTINGENCIES: usize = 99;
/// Files of the fine run, beside the same figures, in a folder of their own.
const ZOOM_FILES: [&str; 2] = ["traces.parquet", "traces.csv"];
/// What an interrupted first run leaves.
const INTERRUPTED: [&str; 2] = ["run.json", "traces.partial.parquet"];

/// Looks at a folder before the scenario `name` writes into it. Returns the names of the files that an earlier run of the
/// scenario wrote there; they may be replaced and removed.
///
/// # Errors
/// The folder holds another scenario's results, files that are not Ballast's under names that Ballast writes, or something
/// under such a name that is no regular file.
pub(super) fn inspect(path: &Path, name: &str) -> Result<Vec<String>, Problem> {
    const OTHER: &str = "choose another folder with --out, or remove the old results";
    let run = fs::read(path.join("run.json"))
        .ok()
        .and_then(|text| serde_json::from_slice::<Value>(&text).ok())
        .filter(|run| run["program"] == "ballast");
    let found = fs::read(path.join("outcome.json"));
    let owned = match found {
        Ok(text) => {
            let found = serde_json::from_slice::<Value>(&text).ok();
            let found = found
                .as_ref()
                .and_then(|v| v.pointer("/scenario/scenario/name")?.as_str());
            let other = match found {
                Some(found) if found == name => None,
                Some(found) => Some(format!("scenario `{found}`")),
                None => Some("an unknown program (outcome.json is not Ballast's)".to_owned()),
            };
            if let Some(other) = other {
                let message = format!("the folder holds the results of {other}, not of `{name}`");
                return Err(problem(path, message, OTHER));
            }
            listed(run.as_ref(), name)
        }
        Err(e) if e.kind() == ErrorKind::NotFound => {
            let ours: &[&str] = match run {
                Some(run) if run["scenario"] == name && run["interrupted"] == true => &INTERRUPTED,
                _ => &[],
            };
            let foreign: Vec<String> = names()
                .filter(|n| !ours.contains(&n.as_str()))
                .filter(|n| path.join(n).symlink_metadata().is_ok())
                .map(|n| format!("`{n}`"))
                .collect();
            if !foreign.is_empty() {
                let message = format!(
                    "the folder holds {} without an outcome.json of `{name}`, and a run would replace or remove it",
                    foreign.join(", ")
                );
                let help = "choose another folder with --out, or move these files away";
                return Err(problem(path, message, help));
            }
            ours.iter().map(|&n| n.to_owned()).collect()
        }
        Err(e) => {
            let message = format!("outcome.json in the folder cannot be read: {e}");
            return Err(problem(path, message, help_for(e.kind())));
        }
    };
    let in_the_way: Vec<String> = names()
        .filter(|n| is_in_the_way(&path.join(n)))
        .map(|n| format!("`{n}`"))
        .collect();
    if path
        .join(ZOOM)
        .symlink_metadata()
        .is_ok_and(|m| !m.is_dir())
    {
        let message =
            format!("`{ZOOM}` in the folder is in the way: a folder goes there, and it is none");
        return Err(problem(
            path,
            message,
            "move it away, or choose another folder with --out",
        ));
    }
    if in_the_way.is_empty() {
        return Ok(owned);
    }
    let message = format!(
        "{} in the folder is in the way: a file goes there, and it is no regular file",
        in_the_way.join(", ")
    );
    let help = "move it away, or choose another folder with --out";
    Err(problem(path, message, help))
}

/// The same for results of any kind.
///
/// # Errors
/// As [`inspect`].
pub(super) fn inspect_for(path: &Path, kind: Kind, name: &str) -> Result<Vec<String>, Problem> {
    const OTHER: &str = "choose another folder with --out, or remove the old results";
    if kind == Kind::Run {
        return inspect(path, name);
    }
    let read = |file: &str| -> Option<Value> {
        serde_json::from_slice(&fs::read(path.join(file)).ok()?).ok()
    };
    let stem = kind.stem();
    let usual: Vec<String> = ["json", "csv", "svg", "png"]
        .iter()
        .map(|e| format!("{stem}.{e}"))
        .collect();
    let run = read("run.json").filter(|r| r["program"] == "ballast" && r["kind"] == stem);
    if let Some(run) = run {
        if run["scenario"] != name {
            let message =
                format!("the folder holds the results of another {stem}, not of `{name}`");
            return Err(problem(path, message, OTHER));
        }
        let files = run["files"].as_array().into_iter().flatten();
        let mut owned: Vec<String> = files
            .filter_map(Value::as_str)
            .filter(|n| match n.split_once('/') {
                Some((part, file)) => is_plain(part) && is_plain(file),
                None => is_plain(n),
            })
            .map(str::to_owned)
            .collect();
        owned.sort();
        owned.dedup();
        return Ok(owned);
    }
    let foreign = usual
        .iter()
        .map(String::as_str)
        .chain(["run.json", "outcome.json"])
        .find(|n| path.join(n).symlink_metadata().is_ok());
    match foreign {
        Some(file) => {
            let message =
                format!("the folder holds `{file}`, which is not of a {stem} of `{name}`");
            Err(problem(path, message, OTHER))
        }
        None => Ok(Vec::new()),
    }
}

/// Whether there is something that is no regular file.
pub(super) fn is_in_the_way(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|m| !m.is_file())
}

/// Every name that a run may write.
fn names() -> impl Iterator<Item = String> {
    let figures = FIGURES
        .iter()
        .flat_map(|f| [format!("{f}.svg"), format!("{f}.png")]);
    let figures: Vec<String> = figures.collect();
    let numbered = (1..=MOST_CONTINGENCIES).map(|n| format!("contingency-{n}"));
    let numbered = numbered.flat_map(|f| [format!("{f}.svg"), format!("{f}.png")]);
    let zoom = ZOOM_FILES
        .iter()
        .map(|&n| n.to_owned())
        .chain(figures.clone());
    let zoom: Vec<String> = zoom.map(|n| format!("{ZOOM}/{n}")).collect();
    let run = FILES.iter().map(|&n| n.to_owned());
    run.chain(figures).chain(numbered).chain(zoom)
}

/// What an earlier run of the scenario wrote, by its run.json. One that does not list its files wrote the usual ones.
fn listed(run: Option<&Value>, name: &str) -> Vec<String> {
    let of = |key: &str| -> Option<Vec<String>> {
        let list = run?.get(key)?.as_array()?.iter();
        Some(list.filter_map(Value::as_str).map(str::to_owned).collect())
    };
    let same = run.is_some_and(|r| r.get("scenario").is_none_or(|s| s == name));
    let mut owned: Vec<String> = FILES.iter().map(|&n| n.to_owned()).collect();
    if same {
        if let Some(files) = of("files") {
            owned = files;
            // An interrupted run after that one leaves its run.json as it was.
            owned.push("traces.partial.parquet".to_owned());
        }
        owned.extend(of("figures").unwrap_or_default());
    }
    owned.retain(|n| is_plain(n));
    owned.sort();
    owned.dedup();
    owned
}

/// Whether `name` names a file in the folder itself or in that of the fine run.
fn is_plain(name: &str) -> bool {
    let within = name.strip_prefix(ZOOM).and_then(|n| n.strip_prefix('/'));
    let name = within.unwrap_or(name);
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', ':', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_plain_names_of_the_same_scenario_are_ballasts() {
        let run = json!({
            "program": "ballast", "scenario": "a",
            "files": ["outcome.json", "../thesis.tex", "/etc/passwd", "..", "", "a\\b", "power.svg",
                "zoom/power.svg", "zoom/../thesis.tex", "zoom/", "zoom//etc", "other/power.svg"],
        });
        assert_eq!(
            listed(Some(&run), "a"),
            [
                "outcome.json",
                "power.svg",
                "traces.partial.parquet",
                "zoom/power.svg"
            ]
        );
        assert!(!listed(Some(&run), "b").contains(&"power.svg".to_owned()));
    }

    #[test]
    fn the_names_of_figures_are_known() {
        assert_eq!(
            names().count(),
            FILES.len() + ZOOM_FILES.len() + 4 * FIGURES.len() + 2 * MOST_CONTINGENCIES
        );
        assert!(names().any(|n| n == "zoom/resonance.svg"));
        assert!(names().any(|n| n == "power-frequency.png"));
    }
}
