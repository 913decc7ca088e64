//! What goes wrong on a real disk and in results: each is told with what to do, and nothing is lost.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ballast_app::app::examples;
use ballast_app::export::Exports;
use ballast_app::platform::memory::MemoryPlatform;
use ballast_app::plot::{TimeView, ViewContext};
use ballast_app::result::RunResult;
use ballast_app::theme::Theme;
use ballast_app::trace::TraceSet;
use ballast_app::views::tiles::Tiles;
use ballast_app::views::verdicts;
use ballast_app::{Action, Actions, Command};
use egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;

use crate::help::{Driven, QUICK, SMALL};

/// A folder with the example whose load is a trace, and this as the trace.
fn replay(csv: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("replay.toml");
    let text = examples::named("replay").unwrap().text;
    let short = text.replace("duration_s = 39.0", "duration_s = 2.0");
    std::fs::write(&path, short).unwrap();
    std::fs::write(folder.path().join("replay.csv"), csv).unwrap();
    (folder, path)
}

fn trace() -> String {
    let text = examples::named("replay").unwrap().files[0].1;
    text.lines().take(40).collect::<Vec<_>>().join("\n")
}

/// The app with this file, once the run has ended or could not begin.
fn opened(folder: &Path, path: &Path) -> Driven {
    let mut driven = Driven::on_disk(&folder.join("data"));
    driven.act(Action::Open(path.to_owned()));
    driven.until("an answer", |app| {
        !app.running() && (app.result().is_some() || !app.problems().is_empty())
    });
    driven
}

#[test]
fn a_measured_trace_runs_and_a_gap_in_it_is_told_with_its_line() {
    let (folder, path) = replay(&trace());
    let mut driven = opened(folder.path(), &path);
    assert_eq!(driven.app().problems(), []);
    assert!(driven.app().result().is_some());
    drop(driven);

    let mut lines: Vec<String> = trace().lines().map(str::to_owned).collect();
    lines[12] = "1.1,NaN".to_owned();
    std::fs::write(folder.path().join("replay.csv"), lines.join("\n")).unwrap();
    let mut driven = opened(folder.path(), &path);
    let [problem] = driven.app().problems() else {
        panic!("{:?}", driven.app().problems())
    };
    let problem = problem.clone();
    assert!(problem.file.ends_with("replay.csv"), "{problem:?}");
    assert_eq!(problem.line, Some(13), "{problem:?}");
    assert!(!problem.help.is_empty(), "{problem:?}");
    driven.click("Problems (1)");
    driven.says(&problem.message);
    driven.says(&problem.help);
}

#[test]
fn a_trace_that_is_not_there_is_told_at_its_key() {
    let (folder, path) = replay(&trace());
    std::fs::remove_file(folder.path().join("replay.csv")).unwrap();
    let mut driven = opened(folder.path(), &path);
    let [problem] = driven.app().problems() else {
        panic!("{:?}", driven.app().problems())
    };
    let problem = problem.clone();
    assert_eq!(problem.key, "loads.0.file");
    assert!(
        problem.line.is_some() && !problem.help.is_empty(),
        "{problem:?}"
    );
    // Once it is there again, a run finds it.
    std::fs::write(folder.path().join("replay.csv"), trace()).unwrap();
    driven.command(Command::Run);
    driven.until("a result", |app| app.result().is_some());
    assert_eq!(driven.app().problems(), []);
}

#[test]
fn a_preset_file_that_is_not_there_is_told_and_the_rest_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.toml");
    let text = SMALL.replace("generic-diesel-1000kw", "my-set.toml");
    std::fs::write(&path, &text).unwrap();
    let mut driven = opened(folder.path(), &path);
    let problem = driven.app().problems()[0].clone();
    assert!(problem.message.contains("my-set.toml"), "{problem:?}");
    assert!(
        problem.line.is_some() && !problem.help.is_empty(),
        "{problem:?}"
    );
    assert_eq!(driven.text(), text);
    driven.click("Problems (1)");
    driven.says(&problem.help);
}

#[test]
fn files_of_other_programs_are_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let mut driven = Driven::on_disk(&folder.path().join("data"));
    driven.command(Command::New);
    let mine = driven.text();
    for (name, bytes, says) in [
        ("site.json", &b"{\"scenario\": {\"name\": 1}}"[..], ".toml"),
        ("trace.parquet", b"PAR1\x00\x01\x02PAR1", "choose"),
        ("binary.toml", b"\x7fELF\x02\x01\x01\x00", "choose"),
        ("notes.txt", b"Hall 2: 40 racks, two sets.", ".toml"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        driven.act(Action::Open(path));
        let said = driven.last_notice();
        assert!(said.contains(name) && said.contains(says), "{said}");
        assert_eq!(driven.text(), mine, "{name}");
        driven.says(&said);
    }
    // A folder, and a file that may not be read.
    driven.act(Action::Open(folder.path().to_owned()));
    assert!(driven.last_notice().starts_with("Not opened"));
    assert_eq!(driven.text(), mine);
    // TOML of another program is a document, with problems.
    let path = folder.path().join("Cargo.toml");
    std::fs::write(&path, "[package]\nname = \"x\"\n").unwrap();
    driven.act(Action::Open(path));
    assert!(!driven.app().problems().is_empty());
    driven.says("problem");
}

#[test]
fn preferences_and_drafts_that_are_damaged_do_not_stop_the_start() {
    let machine = MemoryPlatform::new();
    machine.put("/site.toml", SMALL);
    let mut driven = Driven::new(&machine);
    driven.act(Action::Open(PathBuf::from("/site.toml")));
    driven.settle();
    let kept: Vec<PathBuf> = machine.files();
    drop(driven);
    for damage in [&b""[..], b"{\"theme\": ", b"[1, 2]", b"\xff\xfe\x00"] {
        for path in kept.iter().filter(|p| p.starts_with("/data")) {
            machine.put(path.clone(), damage);
        }
        machine.put("/data/drafts/9.json", damage);
        let mut again = Driven::new(&machine.started_again());
        assert!(!again.app().has_document());
        again.command(Command::New);
        assert!(again.app().has_document());
    }
}

#[test]
fn a_full_disk_is_told_for_everything_that_is_written() {
    let machine = MemoryPlatform::new();
    let mut driven = Driven::opened(&machine, "smallest", &[]);
    machine.disk_full(true);
    for (command, path) in [
        (Command::SaveAs, "/home/me/site.toml"),
        (Command::ExportTraces, "/home/me/traces.parquet"),
        (Command::ExportFigures, "/home/me"),
    ] {
        machine.will_pick(Some(path));
        driven.command(command);
        driven.settle();
        let said = driven.last_notice();
        assert!(
            said.contains("full") && (said.contains("room") || said.contains("space")),
            "{said}"
        );
        driven.says(&said);
    }
    assert!(!machine.files().iter().any(|p| p.starts_with("/home")));
    // And once, not at every key, that no draft can be kept.
    for n in 0..3 {
        driven.append(&format!("\n# {n}\n"));
        driven.settle();
    }
    let notices = driven.app().notices().iter();
    let drafts = notices.filter(|n| n.text.starts_with("Drafts cannot be kept"));
    assert_eq!(drafts.count(), 1);
}

/// A result as a cut-off run could leave it: figures and verdicts, no samples.
fn without_samples(result: &RunResult) -> RunResult {
    RunResult {
        traces: Arc::new(TraceSet::default()),
        racks: None,
        zoom: None,
        unbuffered: None,
        phases: Arc::default(),
        ..result.clone()
    }
}

#[test]
fn a_result_without_samples_is_shown_and_its_export_says_so() {
    let mut driven = Driven::opened(&MemoryPlatform::new(), "n-minus-1", &[QUICK]);
    let bare = Arc::new(without_samples(driven.app().result().expect("a result")));
    let mut exports = Exports::new(Arc::new(MemoryPlatform::new()), Arc::new(|| {}));
    let said = exports.traces(&bare).unwrap_err();
    assert!(said.error && said.text.contains("no samples: run the scenario again"));

    let mut tiles = Tiles::default();
    let mut harness = egui_kittest::HarnessBuilder::default()
        .with_size((1000.0, 700.0))
        .with_context_setup(|ctx| {
            Theme::light().apply(ctx);
            Theme::dark().apply(ctx);
        })
        .build_ui(move |ui| {
            let mut actions = Actions::default();
            let mut cx = ViewContext {
                theme: Theme::of(ui.ctx()),
                time: TimeView {
                    from_s: 0.0,
                    to_s: 60.0,
                    whole_s: (0.0, 60.0),
                    cursor_s: Some(1.0),
                },
                stale: false,
                actions: &mut actions,
            };
            ui.columns(2, |columns| {
                tiles.show(&mut columns[0], &mut cx, Some(&bare), &[]);
                verdicts::show(&mut columns[1], &mut cx, Some(&bare));
            });
        });
    harness.run_steps(4);
    harness.check_accessibility();
    // Drawn from the figures of the outcome, which has the extremes of each stretch.
    harness.get_by_role_and_label(Role::CheckBox, "site 400 kW");
    harness.get_by_role_and_label(Role::Figure, "Frequency");
    harness.get_by_label_contains("This site has no racks");
}
