use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use ballast_scenario::{Problem, load_all, load_str};

use super::{Field, FieldFrom, FieldKind, Form, Section};

fn folder(name: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(name);
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "toml"))
        .collect();
    found.sort();
    found
}

fn form_of(path: &Path, problems: &[Problem]) -> Form {
    let mut form = Form {
        base_dir: path.parent().unwrap().to_path_buf(),
        ..Form::default()
    };
    let text = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
    form.update(&text, problems);
    form
}

fn walk<'a>(sections: &'a [Section], fields: &mut Vec<&'a Field>, all: &mut Vec<&'a Section>) {
    for section in sections {
        all.push(section);
        fields.extend(&section.fields);
        walk(&section.sections, fields, all);
    }
}

fn fields(form: &Form) -> Vec<&Field> {
    let (mut fields, mut sections) = (Vec::new(), Vec::new());
    walk(&form.sections, &mut fields, &mut sections);
    fields
}

#[test]
fn fields_say_what_holds_and_where_it_comes_from() {
    let form = form_of(
        &folder("examples")
            .into_iter()
            .find(|p| p.ends_with("training-offgrid.toml"))
            .unwrap(),
        &[],
    );
    let all = fields(&form);
    let get = |path: &str| {
        *all.iter()
            .find(|f| f.path == path)
            .unwrap_or_else(|| panic!("{path}"))
    };
    let count = get("plant.sets.diesel.count");
    assert_eq!((count.value.as_str(), count.from), ("2", FieldFrom::File));
    assert_eq!(
        (count.kind.clone(), count.key.as_str()),
        (FieldKind::Integer, "plant.sets.0.count")
    );
    let inertia = get("plant.sets.diesel.inertia_s");
    assert_eq!(
        (inertia.from, inertia.unit.as_str()),
        (FieldFrom::Preset, "s")
    );
    assert!(
        !inertia.source.is_empty() && inertia.range.contains("at least 0.01"),
        "{inertia:?}"
    );
    let seed = get("simulation.realisations");
    assert_eq!((seed.value.as_str(), seed.from), ("1", FieldFrom::Default));
    assert_eq!(get("limits.voltage_min_pu").from, FieldFrom::Absent);
    let tdp = get("gpus.h100-sxm5.tdp_w");
    assert_eq!((tdp.value.as_str(), tdp.label.as_str()), ("700", "TDP"));
    assert!(get("gpus.h100-sxm5.edpp_w").low_confidence);
    let FieldKind::Preset(choices) = &get("plant.sets.diesel.preset").kind else {
        panic!()
    };
    assert!(choices.len() > 3 && choices.iter().all(|c| !c.about.is_empty()));
    let FieldKind::Choice(kinds) = &get("jobs.llm.kind").kind else {
        panic!()
    };
    assert!(kinds.contains(&"inference".to_owned()));
    assert!(form.check("plant.sets.diesel.rated_kw", "2.5 MW").is_ok());
    assert!(
        form.check("plant.sets.diesel.rated_kw", "2.5 s")
            .unwrap_err()
            .contains("kW")
    );
    assert_eq!(form.key_of("plant.sets.diesel.count"), "plant.sets.0.count");
    for field in &all {
        assert!(
            !field.label.is_empty() && !field.label.ends_with(':'),
            "{}",
            field.path
        );
    }
}

/// Every field's value stands for itself: writing it down again is accepted.
#[test]
fn every_field_of_every_example_takes_its_own_value() {
    for path in folder("examples") {
        let form = form_of(&path, &[]);
        for field in fields(&form) {
            if field.from == FieldFrom::Absent {
                continue;
            }
            let typed = match field.kind {
                FieldKind::Text => serde_json::Value::from(field.value.as_str()).to_string(),
                _ => field.value.clone(),
            };
            let checked = form.check(&field.path, &typed);
            assert!(
                checked.is_ok(),
                "{}: {} = {typed}: {checked:?}",
                path.display(),
                field.path
            );
        }
    }
}

#[test]
fn no_problem_of_an_invalid_scenario_is_lost() {
    let mut seen = 0;
    for path in folder("tests/corpus/invalid") {
        let Err(problems) = load_all(&path, &[]) else {
            continue;
        };
        let form = form_of(&path, &problems.0);
        let (mut fields, mut sections) = (Vec::new(), Vec::new());
        walk(&form.sections, &mut fields, &mut sections);
        let at: usize = fields.iter().map(|f| f.problems.len()).sum::<usize>()
            + sections.iter().map(|s| s.problems.len()).sum::<usize>();
        assert_eq!(
            at + form.elsewhere.len(),
            problems.0.len(),
            "{}",
            path.display()
        );
        for problem in &problems.0 {
            let message = |all: &[String]| all.iter().any(|m| m.contains(&problem.message));
            let shown = fields.iter().any(|f| message(&f.problems))
                || sections.iter().any(|s| message(&s.problems))
                || form.elsewhere.contains(problem);
            assert!(shown, "{}: {problem}", path.display());
        }
        seen += problems.0.len();
    }
    assert!(seen > 200, "{seen}");
}

#[test]
fn a_problem_stands_at_its_field() {
    let text = "[scenario]\nname = \"x\"\n[[plant.sets]]\npreset = \"generic-diesel-1000kw\"\nname = \"a\"\ncount = 0\nrated_kv = 3\n";
    let problems = load_str("t", text, Path::new(""), &[]).unwrap_err().0;
    let mut form = Form::default();
    form.update(text, &problems);
    let count = fields(&form)
        .into_iter()
        .find(|f| f.path == "plant.sets.a.count")
        .unwrap();
    assert!(count.problems[0].contains("out of range"), "{count:?}");
    let plant = form.sections.iter().find(|s| s.path == "plant").unwrap();
    let set = &plant
        .sections
        .iter()
        .find(|s| s.path == "plant.sets")
        .unwrap()
        .sections[0];
    assert!(
        set.problems[0].starts_with("rated_kv: unknown key"),
        "{:?}",
        set.problems
    );
    // No TOML: what was is shown, the problem is told elsewhere.
    let broken = "[scenario";
    let problems = load_str("t", broken, Path::new(""), &[]).unwrap_err().0;
    form.update(broken, &problems);
    assert!(form.unreadable && !form.sections.is_empty());
    assert_eq!(form.elsewhere, problems);
    form.update(text, &[]);
    assert!(!form.unreadable && form.elsewhere.is_empty());
}

#[test]
fn the_largest_example_is_ready_at_once() {
    let largest = folder("examples")
        .into_iter()
        .max_by_key(|p| fields(&form_of(p, &[])).len())
        .unwrap();
    let text = fs::read_to_string(&largest).unwrap();
    let mut form = Form::default();
    let mut best = f64::INFINITY;
    for i in 0..10 {
        let text = format!("{text}\n# {i}\n");
        let start = Instant::now();
        form.update(&text, &[]);
        best = best.min(start.elapsed().as_secs_f64());
    }
    let count = fields(&form).len();
    eprintln!(
        "{}: {count} fields, form in {:.2} ms",
        largest.display(),
        best * 1e3
    );
    // 5 ms with optimisation; without it ten times as long is no sign of harm.
    let most_s = if cfg!(debug_assertions) { 0.2 } else { 0.005 };
    assert!(best < most_s, "{best}");
}
