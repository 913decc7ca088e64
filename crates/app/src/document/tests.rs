use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use toml_edit::{Item, Value};

use super::Document;

fn examples() -> Vec<(PathBuf, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "toml"))
        .collect();
    found.sort();
    found
        .into_iter()
        .map(|p| (p.clone(), fs::read_to_string(&p).unwrap()))
        .collect()
}

fn open(text: &str) -> Document {
    Document::new(text.to_owned(), None)
}

/// Text after one edit.
fn after(text: &str, edit: impl FnOnce(&mut Document)) -> String {
    let mut document = open(text);
    edit(&mut document);
    document.text().to_owned()
}

const SITE: &str = r#"# head of the file

[scenario]
name = "site"  # the name

[[plant.sets]]
preset = "generic-diesel-1000kw"
name = "diesel"
count = 2   # two of them

# the limits
[limits]
frequency_min_hz = 57.0
"#;

/// Paths of all numbers that stand in a text, outside variants.
fn numbers(text: &str) -> Vec<(String, String)> {
    fn value(of: &Value, path: &str, found: &mut Vec<(String, String)>) {
        match of {
            Value::Integer(n) => found.push((path.to_owned(), n.value().to_string())),
            Value::Float(x) => found.push((path.to_owned(), x.value().to_string())),
            Value::Array(items) => {
                for (at, inner) in items.iter().enumerate() {
                    if matches!(inner, Value::InlineTable(_)) {
                        value(inner, &format!("{path}.{at}"), found);
                    }
                }
            }
            Value::InlineTable(table) => {
                for (key, inner) in table {
                    value(inner, &format!("{path}.{key}"), found);
                }
            }
            _ => {}
        }
    }
    fn item(of: &Item, path: &str, found: &mut Vec<(String, String)>) {
        match of {
            Item::Value(inner) => value(inner, path, found),
            Item::Table(table) => {
                for (key, inner) in table {
                    item(inner, &format!("{path}.{key}"), found);
                }
            }
            Item::ArrayOfTables(tables) => {
                for (at, table) in tables.iter().enumerate() {
                    for (key, inner) in table {
                        item(inner, &format!("{path}.{at}.{key}"), found);
                    }
                }
            }
            Item::None => {}
        }
    }
    let document = text.parse::<toml_edit::DocumentMut>().unwrap();
    let mut found = Vec::new();
    for (key, inner) in document.iter() {
        if key != "variant" {
            item(inner, key, &mut found);
        }
    }
    found
}

#[test]
fn a_number_of_any_example_changes_its_line_alone_and_undo_brings_every_byte_back() {
    let mut seen = 0;
    for (path, text) in examples() {
        for (key, old) in numbers(&text) {
            let old: f64 = old.parse().unwrap();
            let mut document = open(&text);
            // Some other value that the key takes.
            let tried = [
                old + 1.0,
                old * 0.5,
                old * 0.9,
                old + 0.5,
                1.0,
                0.5,
                0.0,
                2.0,
            ];
            let set = tried
                .iter()
                .filter(|v| **v != old)
                .any(|v| document.set(&key, &v.to_string()).is_ok());
            assert!(set, "{}: {key}", path.display());
            let differ = text
                .lines()
                .zip(document.text().lines())
                .filter(|(a, b)| a != b)
                .count();
            assert_eq!(differ, 1, "{}: {key}\n{}", path.display(), document.text());
            assert_eq!(text.lines().count(), document.text().lines().count());
            assert!(document.changed() && document.undo());
            assert_eq!(document.text(), text);
            assert!(!document.changed());
            seen += 1;
        }
    }
    assert!(seen > 150, "{seen}");
}

#[test]
fn a_quantity_goes_in_in_the_unit_of_its_key() {
    let text = after(SITE, |d| {
        d.set("plant.sets.diesel.rated_kw", "2.5 MW").unwrap();
    });
    assert_eq!(
        text,
        SITE.replace(
            "count = 2   # two of them\n",
            "count = 2   # two of them\nrated_kw = 2500\n"
        )
    );
    let text = after(&text, |d| {
        d.set("plant.sets.0.rated_kw", "1,200 kW").unwrap();
    });
    assert!(text.contains("\nrated_kw = 1200\n"), "{text}");
    let text = after(&text, |d| d.set("plant.sets.0.count", "3").unwrap());
    assert!(text.contains("count = 3   # two of them"), "{text}");
    let text = after(&text, |d| d.set("limits.frequency_min_hz", "58").unwrap());
    assert!(text.contains("frequency_min_hz = 58.0"), "{text}");
    let text = after(&text, |d| d.set("scenario.name", "other").unwrap());
    assert!(text.contains("name = \"other\"  # the name"), "{text}");
}

#[test]
fn what_a_key_cannot_take_is_refused_with_the_words_of_the_command() {
    let mut document = open(SITE);
    for (path, value, part) in [
        (
            "plant.sets.diesel.rated_kw",
            "fast",
            "`fast` does not start with a number",
        ),
        (
            "plant.sets.diesel.rated_kw",
            "3 s",
            "`s` is not a unit that converts to kW",
        ),
        ("plant.sets.diesel.rated_kw", "-5", "out of range"),
        ("plant.sets.diesel.count", "2.5", "whole number"),
        (
            "plant.sets.diesel.cuont",
            "2",
            "did you mean `plant.sets.diesel.count`?",
        ),
        ("plant.sets.nobody.count", "2", "has no entry `nobody`"),
        ("plant.sets.diesel.governor.model", "magic", "unknown value"),
        ("scenario.name", "a b", "not allowed here"),
        ("outputs.traces", "perhaps", "true or false"),
    ] {
        let error = document.set(path, value).unwrap_err();
        assert!(error.message.contains(part), "{path}: {error}");
        assert_eq!(error.path, path);
        assert_eq!(document.text(), SITE);
    }
    assert_eq!(document.can_undo_redo(), (false, false));
}

#[test]
fn values_of_a_preset_are_written_as_the_table_that_changes_it() {
    let text = after(SITE, |d| {
        d.set("plant.sets.diesel.governor.droop_pu", "0.03")
            .unwrap();
        d.set("plant.sets.diesel.governor.k", "20").unwrap();
    });
    assert!(
        text.contains("two of them\ngovernor.droop_pu = 0.03\ngovernor.k = 20\n\n# the limits"),
        "{text}"
    );
    let text = after(&text, |d| {
        d.reset("plant.sets.diesel.governor.droop_pu").unwrap();
        d.reset("plant.sets.diesel.governor.k").unwrap();
    });
    assert_eq!(text, SITE);
    // A profile that nobody wrote down becomes a change of itself.
    let (_, example) = examples()
        .into_iter()
        .find(|(p, _)| p.ends_with("training-offgrid.toml"))
        .unwrap();
    let text = after(&example, |d| {
        d.set("gpus.h100-sxm5.tdp_w", "600 W").unwrap();
        d.set("gpus.h100-sxm5.phases.idle.power_w", "70").unwrap();
    });
    assert!(
        text.ends_with(
            "\n\n[gpus.h100-sxm5]\nbase = \"h100-sxm5\"\ntdp_w = 600\nphases.idle.power_w = 70\n"
        ),
        "{text}"
    );
    assert!(text.starts_with(&example));
    loads(&text);
}

fn loads(text: &str) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    ballast_scenario::load_str("t.toml", text, &folder, &[])
        .unwrap_or_else(|p| panic!("{p}\n{text}"));
}

#[test]
fn tables_that_are_not_there_come_at_the_end_or_beside_their_own() {
    let text = after(SITE, |d| d.set("simulation.duration_s", "2 min").unwrap());
    assert_eq!(text, format!("{SITE}\n[simulation]\nduration_s = 120\n"));
    let text = after(SITE, |d| d.set("plant.frequency_hz", "50").unwrap());
    assert!(
        text.contains("# two of them\n\n[plant]\nfrequency_hz = 50\n\n# the limits\n[limits]"),
        "{text}"
    );
    let text = after(SITE, |d| {
        d.set("outputs.ramp_windows_s", "[0.1, 1]").unwrap();
    });
    assert!(
        text.ends_with("\n[outputs]\nramp_windows_s = [0.1, 1]\n"),
        "{text}"
    );
    // No newline at the end, and none of Unix.
    let text = after("[scenario]\nname = \"x\"", |d| {
        d.set("scenario.description", "some words").unwrap();
        d.set("simulation.seed", "4").unwrap();
    });
    assert_eq!(
        text,
        "[scenario]\nname = \"x\"\ndescription = \"some words\"\n\n[simulation]\nseed = 4\n"
    );
    let text = after("[scenario]\r\nname = \"x\"\r\n", |d| {
        d.set("scenario.description", "some \"words\"").unwrap();
    });
    assert_eq!(
        text,
        "[scenario]\r\nname = \"x\"\r\ndescription = \"some \\\"words\\\"\"\r\n"
    );
}

#[test]
fn inline_tables_and_dotted_keys_are_edited_in_place() {
    let text = "scenario = { name = \"x\" } # all\nsimulation.seed = 3 # dice\n\n[[loads]]\nkind = \"steps\"\nname = \"b\"\ninitial_kw = 2e2\nevents = [\n  { at_s = 5, power_kw = 600 }, # up\n  { at_s = 9, power_kw = 100 },\n]\n";
    let set = |path: &str, value: &str| after(text, |d| d.set(path, value).unwrap());
    assert_eq!(
        set("scenario.description", "y"),
        text.replace("\"x\" }", "\"x\", description = \"y\" }")
    );
    assert_eq!(
        set("simulation.duration_s", "1 min"),
        text.replace("dice\n", "dice\nsimulation.duration_s = 60\n")
    );
    assert_eq!(
        set("loads.b.events.1.at_s", "8 s"),
        text.replace("at_s = 9", "at_s = 8")
    );
    assert_eq!(
        set("loads.b.power_factor", "0.9"),
        text.replace("},\n]\n", "},\n]\npower_factor = 0.9\n")
    );
    let removed = after(text, |d| d.remove_entry("loads.b.events.0").unwrap());
    assert_eq!(removed.matches("at_s").count(), 1);
    loads(&removed);
    let added = after(text, |d| d.add_entry("loads.b.events").unwrap());
    assert_eq!(added.matches("at_s").count(), 3);
    let reset = after(text, |d| d.reset("simulation.seed").unwrap());
    assert_eq!(reset, text.replace("simulation.seed = 3 # dice\n", ""));
    let inline = "scenario = { name = \"x\", description.a = 1, description.b = 2, z = 1 }\n";
    let reset = after(inline, |d| d.reset("scenario.description").unwrap());
    assert_eq!(reset, "scenario = { name = \"x\", z = 1 }\n");
}

#[test]
fn entries_come_and_go() {
    let (_, example) = examples()
        .into_iter()
        .find(|(p, _)| p.ends_with("training-offgrid.toml"))
        .unwrap();
    let text = after(&example, |d| d.add_entry("racks").unwrap());
    assert!(
        text.contains("racks_per_row = 16\n\n[[racks]]\npreset = \"hgx-h100-4\"\nname = \"hall-2\"\ncount = 1\n\n[[jobs]]"),
        "{text}"
    );
    loads(&text);
    let back = after(&text, |d| d.remove_entry("racks.hall-2").unwrap());
    assert_eq!(back, example);
    for path in [
        "plant.sets",
        "bess",
        "gpus",
        "loads",
        "tenants",
        "facility",
        "zoom",
        "contingencies",
    ] {
        let text = after(&example, |d| {
            d.add_entry(path).unwrap_or_else(|e| panic!("{path}: {e}"));
        });
        assert!(text.parse::<toml::Table>().is_ok(), "{path}: {text}");
        assert_ne!(text, example);
    }
    let storage = after(&example, |d| d.add_entry("racks.hall.storage").unwrap());
    assert!(storage.contains("storage = { preset = \""), "{storage}");
    loads(&storage);
    let mut document = open(&example);
    assert!(document.add_entry("scenario.name").is_err());
    assert!(document.add_entry("limits").is_err());
    assert!(document.remove_entry("racks.other").is_err());
    assert_eq!(document.text(), example);
}

#[test]
fn another_kind_takes_the_keys_of_the_old_one_with_it() {
    let text = "[scenario]\nname = \"x\"\n\n[[plant.sets]]\nname = \"a\"\nrated_kw = 1000\nrated_kva = 1250\ninertia_s = 1\n\n[plant.sets.governor]\nmodel = \"tgov1\"\n# kept\ndroop_pu = 0.05\nt1_s = 0.5\nt3_s = 1\n";
    let changed = after(text, |d| {
        d.set("plant.sets.a.governor.model", "constant").unwrap();
    });
    assert!(
        changed.ends_with("[plant.sets.governor]\nmodel = \"constant\"\n# kept\n"),
        "{changed}"
    );
}

#[test]
fn edits_of_one_value_in_quick_succession_are_one_step() {
    let mut document = open(SITE);
    for seed in 2..9 {
        document.set("simulation.seed", &seed.to_string()).unwrap();
    }
    document.set("simulation.duration_s", "5").unwrap();
    assert!(document.undo());
    assert!(document.text().contains("seed = 8"));
    assert!(document.undo());
    assert_eq!(document.text(), SITE);
    assert!(!document.undo());
    assert!(document.redo() && document.redo() && !document.redo());
    assert!(document.text().contains("duration_s = 5"));
}

#[test]
fn text_that_is_no_toml_is_kept_and_refuses_edits() {
    let mut document = open(SITE);
    document.set_text("[scenario\nname = ".to_owned());
    assert_eq!(document.text(), "[scenario\nname = ");
    let error = document.set("scenario.name", "x").unwrap_err();
    assert!(
        error.message.contains("line 1") && error.message.contains("text editor"),
        "{error}"
    );
    assert!(document.undo());
    assert_eq!(document.text(), SITE);
    document.saved("a/b.toml".into());
    assert_eq!(document.base_dir(), PathBuf::from("a"));
}

#[derive(Debug, Clone)]
enum Step {
    Set(usize, String),
    Reset(usize),
    Add(&'static str),
    Remove(usize),
    Undo,
    Redo,
}

fn step() -> impl Strategy<Value = Step> {
    let value = prop_oneof![
        (-2000..2000_i32).prop_map(|n| (f64::from(n) / 8.0).to_string()),
        Just("2.5 MW".to_owned()),
        Just("true".to_owned()),
        ".{0,12}",
    ];
    let table = prop::sample::select(vec![
        "racks",
        "jobs",
        "plant.sets",
        "bess",
        "gpus",
        "nodes",
        "loads",
        "facility",
        "zoom",
        "events",
        "tenants",
        "correlation",
        "racks.0.storage",
        "racks.0.gpu_smoothing",
        "plant.utility",
    ]);
    prop_oneof![
        4 => (any::<prop::sample::Index>(), value).prop_map(|(at, v)| Step::Set(at.index(10_000), v)),
        2 => any::<prop::sample::Index>().prop_map(|at| Step::Reset(at.index(10_000))),
        2 => table.prop_map(Step::Add),
        1 => any::<prop::sample::Index>().prop_map(|at| Step::Remove(at.index(10_000))),
        2 => Just(Step::Undo),
        1 => Just(Step::Redo),
    ]
}

/// Every path of the form.
fn paths(text: &str) -> Vec<String> {
    fn collect(place: &ballast_scenario::Place, all: &mut Vec<String>) {
        all.push(place.path.clone());
        place.places.iter().for_each(|p| collect(p, all));
    }
    let resolved = ballast_scenario::Resolved::new("t", text, std::path::Path::new("")).unwrap();
    let mut all = Vec::new();
    collect(&resolved.outline(), &mut all);
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Edits in any order: the text stays TOML, and going back gives every byte.
    #[test]
    fn no_sequence_of_edits_loses_a_byte(which in any::<prop::sample::Index>(), steps in prop::collection::vec(step(), 1..12)) {
        let examples = examples();
        let text = &examples[which.index(examples.len())].1;
        let mut document = open(text);
        for step in steps {
            let before = document.text().to_owned();
            let paths = paths(&before);
            let at = |n: usize| paths[n % paths.len()].clone();
            let result = match step {
                Step::Set(n, value) => document.set(&at(n), &value),
                Step::Reset(n) => document.reset(&at(n)),
                Step::Add(path) => document.add_entry(path),
                Step::Remove(n) => document.remove_entry(&at(n)),
                Step::Undo => { document.undo(); Ok(()) }
                Step::Redo => { document.redo(); Ok(()) }
            };
            if result.is_err() {
                prop_assert_eq!(document.text(), &before);
            }
            prop_assert!(document.text().parse::<toml::Table>().is_ok(), "{}", document.text());
        }
        let last = document.text().to_owned();
        let mut back = 0;
        while document.undo() { back += 1; }
        prop_assert_eq!(document.text(), text);
        for _ in 0..back { prop_assert!(document.redo()); }
        prop_assert_eq!(document.text(), last);
    }

    /// Any text is kept, and no edit of it panics.
    #[test]
    fn any_text_is_accepted(text in "\\PC{0,60}|([a-z\\[\\]{}=.\"'# \n\r1-9,]{0,80})", path in "[a-z.\"0-9]{0,20}", value in "\\PC{0,12}") {
        let mut document = open(&text);
        prop_assert_eq!(document.text(), &text);
        let _ = document.set(&path, &value);
        let _ = document.reset(&path);
        let _ = document.add_entry(&path);
        document.set_text(format!("{text}x"));
        while document.undo() {}
        prop_assert_eq!(document.text(), &text);
    }
}
