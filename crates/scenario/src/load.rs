//! From text to a scenario: parse, merge, patch, walk, deserialise, check.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::confidence::{LowInput, low_inputs};
use crate::given;
use crate::merge::{self, Merged};
use crate::names;
use crate::patch::{self, Change, Patch, entry_of, steps};
use crate::problem::{Problem, Problems, Report};
use crate::shape::{Form, Shape};
use crate::suggest;
use crate::tree::{Node, Origin, Sources, Value};
use crate::variant::{self, VARIANT, Variant, VariantHead};
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
    /// Variants that the file has, in its order.
    pub variants: Vec<VariantHead>,
    /// Name of the variant that this is; none for the scenario as it stands.
    pub variant: Option<String>,
    places: Places,
}

/// A place of a scenario that takes a number.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberKey {
    /// The number there; none if there is none yet.
    pub value: Option<f64>,
    /// Its unit; empty if it has none.
    pub unit: String,
    /// Whether it takes whole numbers only.
    pub integer: bool,
}

/// Where each value comes from, for problems that show later.
#[derive(Debug, Clone)]
struct Places {
    root: Node,
    sources: Sources,
}

impl Loaded {
    /// What stands at a dotted path as `--set` takes it; none if no number may stand there.
    pub fn number_at(&self, path: &str) -> Option<NumberKey> {
        let mut node = Some(&self.places.root);
        let mut shape = Shape::root();
        for step in steps(path) {
            shape = node.map_or(shape, |n| shape.chosen(n));
            (node, shape) = match node.map(|n| &n.value) {
                Some(Value::Array(items)) => (Some(&items[entry_of(items, &step)?]), shape.item()?),
                _ => (node.and_then(|n| n.get(&step)), shape.key(&step)?),
            };
        }
        let integer = matches!(shape.form(), Some(Form::Integer));
        if !integer && !shape.is_sourced() && !matches!(shape.form(), Some(Form::Number)) {
            return None;
        }
        let value = node.and_then(|n| n.get("value").or(Some(n)));
        Some(NumberKey {
            value: value.and_then(|n| match n.value {
                Value::Integer(n) => Some(n as f64),
                Value::Float(x) => Some(x),
                _ => None,
            }),
            unit: shape.unit().unwrap_or("").to_owned(),
            integer,
        })
    }

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

/// A scenario's text and where it comes from.
struct Source {
    name: String,
    text: String,
    base_dir: PathBuf,
}

/// Reads a scenario file.
///
/// # Errors
/// Every problem found, with its place: the file cannot be read, is no text or no TOML, names a preset that is not there, has
/// unknown, missing or wrong keys, or contradicts itself.
pub fn load(path: &Path, patches: &[Patch]) -> Result<Loaded, Problems> {
    one(&read(path)?, patches, None, &[])
}

/// Reads a scenario file as it stands or as its `[[variant]]` of that name. A variant changes what `patches` left; `last` changes what
/// the variant left.
///
/// # Errors
/// As [`load`], and if there is no such variant.
pub fn load_variant(
    path: &Path,
    patches: &[Patch],
    variant: Option<&str>,
    last: &[Patch],
) -> Result<Loaded, Problems> {
    one(&read(path)?, patches, variant, last)
}

/// Reads a scenario file and all its variants: the scenario as it stands comes first.
///
/// # Errors
/// As [`load`], with the problems of the variants; those that only a variant has say its name.
pub fn load_all(path: &Path, patches: &[Patch]) -> Result<Vec<Loaded>, Problems> {
    every(&read(path)?, patches)
}

/// The same from text, see [`load_str`].
///
/// # Errors
/// As [`load_all`].
pub fn load_all_str(
    name_for_messages: &str,
    text: &str,
    base_dir: &Path,
    patches: &[Patch],
) -> Result<Vec<Loaded>, Problems> {
    let source = Source {
        name: name_for_messages.to_owned(),
        text: text.to_owned(),
        base_dir: base_dir.to_owned(),
    };
    every(&source, patches)
}

/// The scenario as it stands, then its variants.
fn every(source: &Source, patches: &[Patch]) -> Result<Vec<Loaded>, Problems> {
    let (mut all, mut problems) = (Vec::new(), Vec::new());
    let names = match one(source, patches, None, &[]) {
        Ok(base) => {
            let names = base.variants.clone();
            all.push(base);
            names
        }
        Err(Problems(found)) => {
            problems = found;
            variants_of(source)
        }
    };
    let of_base = all.first().map_or_else(Vec::new, |b| b.warnings.clone());
    let base_problems = problems.clone();
    for VariantHead { name, .. } in &names {
        let own = |found: Vec<Problem>, base: &[Problem]| -> Vec<Problem> {
            let new = found.into_iter().filter(|p| !base.contains(p));
            new.map(|p| Problem {
                message: format!("variant `{name}`: {}", p.message),
                ..p
            })
            .collect()
        };
        match one(source, patches, Some(name), &[]) {
            Ok(mut loaded) => {
                loaded.warnings = own(loaded.warnings, &of_base);
                all.push(loaded);
            }
            Err(Problems(found)) => problems.extend(own(found, &base_problems)),
        }
    }
    if problems.is_empty() {
        Ok(all)
    } else {
        Err(Problems::sorted(problems))
    }
}

/// Variants of a scenario that has problems, as far as they can be told.
fn variants_of(source: &Source) -> Vec<VariantHead> {
    let mut report = Report::default();
    let file = report.sources.add(&*source.name, Some(source.text.clone()));
    let heads = parse::document(&source.text, file, &mut report)
        .map(|mut root| variant::take(&mut root, &mut report));
    let heads = heads.filter(|_| report.problems.is_empty());
    heads
        .unwrap_or_default()
        .into_iter()
        .map(|v| v.head)
        .collect()
}

fn read(path: &Path) -> Result<Source, Problems> {
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
    Ok(Source {
        name,
        text,
        base_dir,
    })
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
    let source = Source {
        name: name_for_messages.to_owned(),
        text: text.to_owned(),
        base_dir: base_dir.to_owned(),
    };
    one(&source, patches, None, &[])
}

/// The scenario as it stands, or one of its variants.
fn one(
    source: &Source,
    patches: &[Patch],
    variant: Option<&str>,
    last: &[Patch],
) -> Result<Loaded, Problems> {
    let Source {
        name,
        text,
        base_dir,
    } = source;
    let mut report = Report {
        base_dir: base_dir.clone(),
        ..Report::default()
    };
    let Some(mut root) = parsed(name, text, &mut report) else {
        return Err(Problems::sorted(report.problems));
    };
    let variants = variant::take(&mut root, &mut report);
    let chosen = variant.and_then(|name| {
        let found = variants.iter().find(|v| v.head.name == name);
        if found.is_none() && report.problems.is_empty() {
            let names: Vec<&str> = variants.iter().map(|v| v.head.name.as_str()).collect();
            let help = if names.is_empty() {
                "write [[variant]] with `name` and [variant.set]".to_owned()
            } else {
                suggest::help(name, "variants", &names)
            };
            report.error(root.origin, VARIANT, format!("no variant `{name}`"), help);
        }
        found
    });
    let heads: Vec<VariantHead> = variants.iter().map(|v| v.head.clone()).collect();
    let chosen = chosen.map(|v| (v, variants.as_slice()));
    let merged = merge_all(&mut root, (patches, last), chosen, &mut report);
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
        base_dir: base_dir.clone(),
        warnings,
        variants: heads,
        variant: variant.map(str::to_owned),
        places: Places {
            root,
            sources: report.sources,
        },
    })
}

/// A scenario's text as a tree; none if it is too large or no TOML, which goes to the report.
pub(crate) fn parsed(name: &str, text: &str, report: &mut Report) -> Option<Node> {
    let file = report.sources.add(name, Some(text.to_owned()));
    if text.len() > LARGEST_FILE {
        report.error(
            Origin { file, start: 0 },
            "",
            format!("{} bytes are no scenario", text.len()),
            "traces stand in files of their own",
        );
        return None;
    }
    parse::document(text, file, report)
}

/// Takes the variants out and merges presets and bases, nothing else changed.
pub(crate) fn merge(root: &mut Node, report: &mut Report) {
    variant::take(root, report);
    merge_all(root, (&[], &[]), None, report);
}

/// Presets, bases, patches and the changes of a variant, in the order that lets a change reach everything and choose everything. A
/// variant changes what the patches left.
fn merge_all(
    root: &mut Node,
    (patches, last): (&[Patch], &[Patch]),
    variant: Option<(&Variant, &[Variant])>,
    report: &mut Report,
) -> Merged {
    let mut merged = Merged::default();
    let mut changes_of = |patches: &[Patch]| -> Vec<Change> {
        patches.iter().map(|p| Change::of(p, report)).collect()
    };
    let (patches, last) = (changes_of(patches), changes_of(last));
    let lists: Vec<&Variant> = variant.map_or_else(Vec::new, |(v, all)| v.built_on(all));
    // What a variant puts in place before the presets is in place with all that stands below it.
    let mut placed: Vec<Vec<Change>> = Vec::new();
    let mut first = |root: &mut Node, changes: &[Change], report: &mut Report| {
        for at in (0..changes.len()).filter(|at| changes[*at].comes_first()) {
            patch::apply(root, changes, at, &mut merged.incomplete, report);
        }
    };
    first(root, &patches, report);
    for variant in &lists {
        let mut changes = variant.changes(root);
        first(root, &changes, report);
        changes.retain(Change::comes_first);
        placed.push(changes);
    }
    first(root, &last, report);
    merge::presets(root, &mut merged, report);
    names::pull(root, &mut merged, report);
    let mut rest = |root: &mut Node, changes: &[Change], skip: &[Change], report: &mut Report| {
        for (at, change) in changes.iter().enumerate() {
            let below = |p: &Change| change.steps.starts_with(&p.steps);
            if !change.comes_first() && !skip.iter().any(below) {
                patch::apply(root, changes, at, &mut merged.incomplete, report);
                names::pull(root, &mut merged, report);
            }
        }
    };
    rest(root, &patches, &[], report);
    for (variant, placed) in lists.iter().zip(&placed) {
        let changes = variant.changes(root);
        rest(root, &changes, placed, report);
    }
    rest(root, &last, &[], report);
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
