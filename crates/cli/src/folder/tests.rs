use super::*;

const OUTCOME: &str = r#"{"scenario":{"scenario":{"name":"a"}}}"#;

fn list(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).unwrap();
    let mut names: Vec<String> = entries
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn refusal(path: &Path, name: &str) -> String {
    let refused = Folder::prepare(path, name).err().unwrap();
    assert!(!refused.help.is_empty());
    assert!(!list(path).iter().any(|n| n.starts_with('.')));
    refused.message
}

#[test]
fn refuses_the_results_of_another_scenario() {
    let dir = tempfile::tempdir().unwrap();
    let outcome = dir.path().join("outcome.json");
    fs::write(&outcome, OUTCOME).unwrap();
    Folder::prepare(dir.path(), "a").unwrap_or_else(|p| panic!("{p}"));
    assert!(refusal(dir.path(), "b").contains("scenario `a`"));
    for other in [&b"?"[..], b"\xff\xfe"] {
        fs::write(&outcome, other).unwrap();
        assert!(refusal(dir.path(), "a").contains("not Ballast's"));
    }
    fs::remove_file(&outcome).unwrap();
    fs::create_dir(&outcome).unwrap();
    assert!(refusal(dir.path(), "a").contains("cannot be read"));
}

#[test]
fn one_run_at_a_time() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x");
    let first = Folder::prepare(&path, "a").unwrap_or_else(|p| panic!("{p}"));
    let second = Folder::prepare(&path, "a").err().unwrap();
    assert!(second.message.contains("another run"), "{second}");
    first.abandon();
    assert!(!path.exists());
    drop(Folder::prepare(&path, "a").unwrap_or_else(|p| panic!("{p}")));
}

#[test]
fn what_a_killed_run_left_is_cleared() {
    let dir = tempfile::tempdir().unwrap();
    let left = dir.path().join(".ballast-AbCdEf");
    fs::create_dir_all(left.join(REPLACED)).unwrap();
    fs::write(left.join("traces.parquet.partial"), "half").unwrap();
    // It was killed between moving the old files away and the new ones in.
    fs::write(left.join(REPLACED).join("outcome.json"), OUTCOME).unwrap();
    fs::write(dir.path().join(".ballast.lock"), "").unwrap();
    Folder::prepare(dir.path(), "a")
        .unwrap_or_else(|p| panic!("{p}"))
        .abandon();
    assert_eq!(list(dir.path()), ["outcome.json"]);
}

#[test]
fn publishes_all_or_nothing() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("out").join("x");
    let folder = Folder::prepare(&path, "a").unwrap_or_else(|p| panic!("{p}"));
    fs::write(folder.staging().join("run.json"), "{}").unwrap();
    folder.abandon();
    assert_eq!(
        list(root.path()),
        [""; 0],
        "a run that gives up leaves nothing"
    );

    let publish = |names: &[&str], text: &str, in_the_way: Option<&str>| {
        let folder = Folder::prepare(&path, "a").unwrap_or_else(|p| panic!("{p}"));
        for name in names {
            fs::write(folder.staging().join(name), text).unwrap();
        }
        if let Some(name) = in_the_way {
            fs::create_dir(path.join(name)).unwrap();
        }
        folder.publish()
    };
    let names = publish(&["outcome.json", "run.json", "a.svg"], OUTCOME, None);
    assert_eq!(
        names.unwrap_or_else(|e| panic!("{}", e.problem)),
        ["a.svg", "outcome.json", "run.json"]
    );
    // A folder that comes into the way while the run is under way.
    let failed = publish(
        &["a.svg", "outcome.json", "traces.csv"],
        "new",
        Some("traces.csv"),
    );
    let failed = failed.err().unwrap();
    assert!(failed.restored);
    assert!(
        failed
            .problem
            .message
            .contains("`traces.csv` is in the way")
    );
    assert_eq!(
        list(&path),
        ["a.svg", "outcome.json", "run.json", "traces.csv"]
    );
    assert_eq!(fs::read_to_string(path.join("a.svg")).unwrap(), OUTCOME);
    assert_eq!(
        fs::read_to_string(path.join("outcome.json")).unwrap(),
        OUTCOME
    );
    assert!(path.join("traces.csv").is_dir());
}

/// The files of a fine run are moved with the others, and come back with them.
#[test]
fn the_folder_of_the_fine_run_is_exchanged_too() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x");
    let publish = |names: &[&str], text: &str| {
        let folder = Folder::prepare(&path, "a").unwrap_or_else(|p| panic!("{p}"));
        let zoom = folder.stage_zoom().unwrap();
        fs::write(folder.staging().join("outcome.json"), OUTCOME).unwrap();
        fs::write(folder.staging().join("run.json"), text).unwrap();
        for name in names {
            fs::write(zoom.join(name), text).unwrap();
        }
        folder
    };
    let run = r#"{"program":"ballast","scenario":"a","files":["zoom/a.svg","zoom/b.svg"]}"#;
    let names = publish(&["a.svg", "b.svg"], run).publish();
    assert_eq!(
        names.unwrap_or_else(|e| panic!("{}", e.problem)),
        ["outcome.json", "run.json", "zoom/a.svg", "zoom/b.svg"]
    );
    // Something comes into the way while the run is under way: all is as it was.
    let folder = publish(&["a.svg", "c.svg"], "new");
    fs::create_dir(path.join("zoom/c.svg")).unwrap();
    let failed = folder.publish().err().unwrap();
    assert!(failed.restored, "{}", failed.problem);
    assert_eq!(list(&path.join("zoom")), ["a.svg", "b.svg", "c.svg"]);
    assert_eq!(fs::read_to_string(path.join("zoom/a.svg")).unwrap(), run);
    fs::remove_dir(path.join("zoom/c.svg")).unwrap();
    // A run that was killed in between: the next one puts the old files back.
    let left = path.join(".ballast-AbCdEf").join(REPLACED).join(ZOOM);
    fs::create_dir_all(&left).unwrap();
    fs::rename(path.join("zoom/a.svg"), left.join("a.svg")).unwrap();
    Folder::prepare(&path, "a")
        .unwrap_or_else(|p| panic!("{p}"))
        .abandon();
    assert_eq!(list(&path.join("zoom")), ["a.svg", "b.svg"]);
    // A run without figures removes those of the one before, and the folder with the last of them.
    let folder = publish(&[], "{}");
    folder.publish().unwrap_or_else(|e| panic!("{}", e.problem));
    assert_eq!(list(&path), ["outcome.json", "run.json"]);
}
