//! Against the stand-in of NVML, loaded by its path. Its script stands in the environment, so every case is a process of its own: the test
//! runs itself again for one case.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::*;

/// Which case the process is for, and a folder of its own.
const CASE: &str = "BALLAST_APP_LIVE_CASE";
const FOLDER: &str = "BALLAST_APP_LIVE_FOLDER";

/// Runs `name` of this module again, alone, with a script for the stand-in.
fn alone(name: &str, script: &str) {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("desktop::live::tests::{name}")])
        .args(["--nocapture", "--test-threads=1"])
        .env(nvml_standin::VARIABLE, script)
        .env(CASE, name)
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Whether this process is the one for the case.
fn is_case(name: &str) -> bool {
    std::env::var(CASE).is_ok_and(|case| case == name)
}

fn folder() -> PathBuf {
    std::env::var_os(FOLDER).unwrap().into()
}

fn standin() -> PathBuf {
    nvml_standin::library().unwrap()
}

/// Why it cannot be opened.
fn refused(opened: Result<Box<dyn LiveSource>, PlatformError>) -> String {
    match opened {
        Ok(source) => panic!("opened: {:?}", source.names()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_missing_library_is_a_sentence_with_what_to_do() {
    let why = refused(live(Some(Path::new("/no/such/libnvidia-ml.so.1"))));
    assert!(why.contains("/no/such/libnvidia-ml.so.1"), "{why}");
    assert!(why.contains("install NVIDIA's driver"), "{why}");
    assert!(!why.contains("--lib"), "the app has no such flag: {why}");
}

#[test]
fn a_library_that_is_none_is_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let old = nvml_standin::library_without("nvmlInit_v2", &folder.path().join("old.so")).unwrap();
    let why = refused(live(Some(&old)));
    assert!(why.contains("none of NVIDIA's, or too old"), "{why}");
}

#[test]
fn permission_denied() {
    const NAME: &str = "permission_denied";
    if !is_case(NAME) {
        return alone(NAME, "init=4");
    }
    let why = refused(live(Some(&standin())));
    assert!(why.contains("may not use the GPUs"), "{why}");
    assert!(why.contains("/dev/nvidiactl"), "{why}");
}

#[test]
fn no_gpu() {
    const NAME: &str = "no_gpu";
    if !is_case(NAME) {
        return alone(NAME, "gpus=0");
    }
    let why = refused(live(Some(&standin())));
    assert!(why.contains("sees no GPU"), "{why}");
}

#[test]
fn readings_that_may_not_be_read_are_noted() {
    const NAME: &str = "readings_that_may_not_be_read_are_noted";
    if !is_case(NAME) {
        return alone(NAME, "denied=average,instant,power_usage");
    }
    let mut source = live(Some(&standin())).unwrap();
    let reading = source.next().unwrap().unwrap();
    assert_eq!(reading.power_w, [None]);
    let notes = reading.notes.join("\n");
    assert!(notes.contains("not permitted to this user"), "{notes}");
    assert!(reading.gpus[0].temperature_c.is_some());
}

#[test]
fn two_gpus_are_read() {
    const NAME: &str = "two_gpus_are_read";
    if !is_case(NAME) {
        return alone(NAME, "gpus=2;wave=constant 321");
    }
    let mut source = live(Some(&standin())).unwrap();
    assert_eq!(
        source.names(),
        ["GPU 0: Stand-in GPU", "GPU 1: Stand-in GPU"]
    );
    let first = source.next().unwrap().unwrap();
    assert_eq!(first.power_w, [Some(321.0), Some(321.0)]);
    let second = source.next().unwrap().unwrap();
    assert!(second.t_s > first.t_s);
    assert!(source.finish().is_ok());
}

#[test]
fn a_gpu_lost_in_mid_run_keeps_the_recording() {
    const NAME: &str = "a_gpu_lost_in_mid_run_keeps_the_recording";
    if !is_case(NAME) {
        return alone(NAME, "wave=constant 250;lost=0@0.6");
    }
    let request = RecordRequest {
        gpus: vec![0],
        duration: Some(Duration::from_secs(30)),
        file: folder().join("lost.parquet"),
    };
    let mut source = record(Some(&standin()), &request).unwrap();
    let (mut seen, mut lost) = (0, false);
    let why = loop {
        match source.next() {
            Ok(Some(reading)) => {
                seen += usize::from(reading.power_w[0].is_some());
                lost |= reading.gpus[0].lost;
            }
            Ok(None) => panic!("it ended as if nothing had happened"),
            Err(why) => break why,
        }
    };
    assert!(seen >= 3 && lost, "{seen} {lost}");
    assert!(
        why.contains("lost") && why.contains("lost.parquet"),
        "{why}"
    );
    source.finish().unwrap();
    let kept = recording_file::read(&request.file).unwrap();
    assert!(kept.gpus[0].time_s.len() >= seen);
    assert!(!parts_folder(&request.file).exists());
}

#[test]
fn a_recording_is_written_and_played_back() {
    const NAME: &str = "a_recording_is_written_and_played_back";
    if !is_case(NAME) {
        return alone(NAME, "gpus=2;wave=square 100 400 0.4 0.5");
    }
    let request = RecordRequest {
        gpus: vec![1],
        duration: Some(Duration::from_millis(800)),
        file: folder().join("run.parquet"),
    };
    let mut source = record(Some(&standin()), &request).unwrap();
    let mut read = 0;
    while source.next().unwrap().is_some() {
        read += 1;
    }
    source.finish().unwrap();
    assert!(read >= 10, "{read}");
    let mut played = playback(&request.file).unwrap();
    assert_eq!(played.names(), ["GPU 1: Stand-in GPU"]);
    assert!(played.next().unwrap().unwrap().power_w[0].is_some());
    let again = refused(record(Some(&standin()), &request));
    assert!(again.contains("exists already"), "{again}");
}

#[test]
fn stopping_early_leaves_a_whole_file() {
    const NAME: &str = "stopping_early_leaves_a_whole_file";
    if !is_case(NAME) {
        return alone(NAME, "wave=constant 250");
    }
    let request = RecordRequest {
        gpus: Vec::new(),
        duration: None,
        file: folder().join("short.parquet"),
    };
    let mut source = record(Some(&standin()), &request).unwrap();
    for _ in 0..5 {
        source.next().unwrap().unwrap();
    }
    source.finish().unwrap();
    let kept = recording_file::read(&request.file).unwrap();
    assert!(kept.gpus[0].time_s.len() >= 5);
}

#[test]
fn a_foreign_file_says_what_would_be_right() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.csv");
    std::fs::write(&file, "a,b\n1,2\n").unwrap();
    let why = refused(playback(&file));
    assert!(
        why.contains("notes.csv") && why.contains("nvidia-smi"),
        "{why}"
    );
    let why = refused(playback(&folder.path().join("none.parquet")));
    assert!(why.contains("none.parquet"), "{why}");
}

#[test]
fn a_folder_that_is_not_there_is_said_before_recording() {
    const NAME: &str = "a_folder_that_is_not_there_is_said_before_recording";
    if !is_case(NAME) {
        return alone(NAME, "");
    }
    let request = RecordRequest {
        file: folder().join("no/such/run.parquet"),
        ..RecordRequest::default()
    };
    let why = refused(record(Some(&standin()), &request));
    assert!(why.contains("cannot be made"), "{why}");
}
