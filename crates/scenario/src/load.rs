//! From text to a scenario: parse, merge, patch, walk, deserialise, check.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::confidence::{LowInput, low_inputs};
use crate::given;
use crate::merge::{self, Merged};
use crate::names;
use crate::patch::{self, Patch};
use crate::problem::{Problem, Problems, Report};
use crate::shape::Shape;
use crate::tree::{Node, Origin, Sources};
use crate::{OutputSpec, Scenario, check, parse, walk};

/// Largest scenario file that is read, bytes. Traces stand in files of their own.
pub(crate) const LARGEST_FILE: usize = 64 << 20;

/// A scenario that can be run.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The scenario with presets, bases and patches merged in.
    pub scenario: Scenario,
    /// SHA-256 of the scenario as JSON with sorted keys, in hexadecimal.
    pub sha256: String,
    /// Inputs of low confidence that a run may rest on.
    pub low_confidence: Vec<LowInput>,
    /// Folder that trace files are relative to.
    pub base_dir: PathBuf,
    /// What looks wrong but stops nothing.
    pub warnings: Vec<Problem>,
    places: Places,
}

/// Where each value comes from, for problems that show later.
#[derive(Debug, Clone)]
struct Places {
    root: Node,
    sources: Sources,
}

impl Loaded {
    /// A problem at `path` that showed only after loading, with the place of its value or of the nearest table that is there.
    pub fn problem_at(&self, path: &str, message: String, help: String) -> Problem {
        let place = self.places.sources.place(self.places.root.origin_of(path));
        Problem {
            file: place.file,
            line: place.line,
            column: place.column,
            key: path.to_owned(),
            message,
            help,
        }
    }
}

/// Reads a scenario file.
///
/// # Errors
/// Every problem found, with its place: the file cannot be read, is no text or no TOML, names a preset that is not there, has
/// unknown, missing or wrong keys, or contradicts itself.
pub fn load(path: &Path, patches: &[Patch]) -> Result<Loaded, Problems> {
    let name = path.display().to_string();
    let problem = |message: String, help: &str, place: Option<(u32, u32)>| {
        let (line, column) = place.unzip();
        Problems(vec![Problem {
            file: name.clone(),
            line,
            column,
            key: String::new(),
            message,
            help: help.to_owned(),
        }])
    };
    let bytes = std::fs::read(path).map_err(|error| {
        problem(
            format!("cannot be read: {error}"),
            "give the path of a scenario file (TOML)",
            None,
        )
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let before = error.as_bytes().get(..at).unwrap_or_default();
        let line = before.split(|b| *b == b'\n').count();
        let column = before
            .iter()
            .rev()
            .take_while(|b| **b != b'\n')
            .filter(|b| **b & 0xC0 != 0x80)
            .count()
            + 1;
        let byte = error.as_bytes().get(at).copied().unwrap_or(0);
        let place = u32::try_from(line).ok().zip(u32::try_from(column).ok());
        problem(
            format!("is no text: byte 0x{byte:02x} is not UTF-8"),
            "a scenario is a TOML file in UTF-8",
            place,
        )
    })?;
    let base_dir = path.parent().map(Path::to_path_buf).unwrap_or_default();
    load_str(&name, &text, &base_dir, patches)
}

/// Reads a scenario from text. `name_for_messages` stands for the file in problems and in the sources of given values.
///
/// # Errors
/// As [`load`].
pub fn load_str(
    name_for_messages: &str,
    text: &str,
    base_dir: &Path,
    patches: &[Patch],
) -> Result<Loaded, Problems> {
    let mut report = Report {
        base_dir: base_dir.to_path_buf(),
        ..Report::default()
    };
    let file = report.sources.add(name_for_messages, Some(text.to_owned()));
    if text.len() > LARGEST_FILE {
        report.error(
            Origin { file, start: 0 },
            "",
            format!("{} bytes are no scenario", text.len()),
            "traces stand in files of their own",
        );
        return Err(Problems::sorted(report.problems));
    }
    let Some(mut root) = parse::document(text, file, &mut report) else {
        return Err(Problems::sorted(report.problems));
    };
    let merged = merge_all(&mut root, patches, &mut report);
    walk::walk(&root, &merged.incomplete, &mut report);
    if !report.problems.is_empty() {
        // What can be told of a scenario with values out of range is told too; one with keys that cannot be read is none.
        if let Ok(scenario) = serde_json::from_value(root.to_json()) {
            check::check_unsound(&scenario, &root, &mut report);
        }
        missing_files(&root, base_dir, &mut report);
        return Err(Problems::sorted(report.problems));
    }
    let mut scenario: Scenario = match serde_json::from_value(root.to_json()) {
        Ok(scenario) => scenario,
        Err(error) => {
            report.error(
                root.origin,
                "",
                error.to_string(),
                "compare with the reference of the keys",
            );
            return Err(Problems::sorted(report.problems));
        }
    };
    fit_ramp_windows(&mut scenario, &root);
    let site = check::check(&scenario, &root, &mut report);
    if !report.problems.is_empty() {
        missing_files(&root, base_dir, &mut report);
        return Err(Problems::sorted(report.problems));
    }
    let low_confidence = low_inputs(&scenario, site.as_ref(), &root);
    let sha256 = sha256(&scenario);
    let warnings = Problems::sorted(report.warnings).0;
    Ok(Loaded {
        scenario,
        sha256,
        low_confidence,
        base_dir: base_dir.to_path_buf(),
        warnings,
        places: Places {
            root,
            sources: report.sources,
        },
    })
}

/// Presets, bases and patches, in the order that lets a patch reach everything and choose everything.
fn merge_all(root: &mut Node, patches: &[Patch], report: &mut Report) -> Merged {
    let mut merged = Merged::default();
    let first: Vec<bool> = patches.iter().map(Patch::comes_first).collect();
    for at in (0..patches.len()).filter(|at| first[*at]) {
        patch::apply(root, patches, at, &mut merged.incomplete, report);
    }
    merge::presets(root, &mut merged, report);
    names::pull(root, &mut merged, report);
    for at in (0..patches.len()).filter(|at| !first[*at]) {
        patch::apply(root, patches, at, &mut merged.incomplete, report);
        names::pull(root, &mut merged, report);
    }
    names::settle(root, &merged, report);
    given::forget_fuel_of_another_size(root, report);
    given::expand(root, Shape::root(), report);
    merged
}

/// Names files that are not there beside other problems. In a scenario without any, the readers of the files tell it.
fn missing_files(root: &Node, base_dir: &Path, report: &mut Report) {
    let mut named: Vec<(String, &Node)> = Vec::new();
    let items = |key: &str| root.get(key).map(Node::items).unwrap_or_default();
    for (at, load) in items("loads").iter().enumerate() {
        named.extend(load.get("file").map(|f| (format!("loads.{at}.file"), f)));
        let files = load.get("files").map(Node::items).unwrap_or_default();
        for (i, file) in files.iter().enumerate() {
            named.push((format!("loads.{at}.files.{i}"), file));
        }
    }
    for (at, job) in items("jobs").iter().enumerate() {
        let file = job.get("arrivals").and_then(|a| a.get("file"));
        named.extend(file.map(|f| (format!("jobs.{at}.arrivals.file"), f)));
    }
    for (key, node) in named {
        let Some(file) = node.as_str().filter(|f| !f.trim().is_empty()) else {
            continue;
        };
        let path = base_dir.join(file);
        if !path.exists() {
            report.error(
                node.origin,
                &key,
                format!("{}: there is no such file", path.display()),
                "check the path; it counts from the file that names it",
            );
        }
    }
}

/// A default ramp window shorter than the step or longer than the run is not asked for.
fn fit_ramp_windows(scenario: &mut Scenario, root: &Node) {
    if root
        .get("outputs")
        .is_none_or(|o| o.get("ramp_windows_s").is_none())
    {
        let (step_s, duration_s) = (scenario.simulation.step_s, scenario.simulation.duration_s);
        scenario.outputs.ramp_windows_s = OutputSpec::default()
            .ramp_windows_s
            .into_iter()
            .filter(|w| (step_s..=duration_s).contains(w))
            .collect();
        if scenario.outputs.ramp_windows_s.is_empty() && scenario.zoom.is_some() {
            scenario.outputs.ramp_windows_s.push(step_s);
        }
    }
}

/// Hash of the scenario's JSON with sorted keys: neither the order nor the writing of the file matters.
fn sha256(scenario: &Scenario) -> String {
    let json = serde_json::to_value(scenario)
        .map(sorted)
        .unwrap_or_default();
    let digest = Sha256::digest(json.to_string().as_bytes());
    digest.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn sorted(value: Json) -> Json {
    match value {
        Json::Object(map) => {
            let mut entries: Vec<(String, Json)> = map
                .into_iter()
                .map(|(key, inner)| (key, sorted(inner)))
                .collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Json::Object(entries.into_iter().collect())
        }
        Json::Array(items) => Json::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}
